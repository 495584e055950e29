/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_rdm poll|block|net [options]: one setting's measurements, interleaved, as lines that
 * bench.h describes. Started by run.py, which starts what is needed for it.
 *
 *   poll   one node, all polling      --cpus OWN,WORKER
 *   block  one node, all sleeping
 *   net    two nodes                  --peer-name --peer-netns PATH --udp ADDRESS,ADDRESS
 */
#include "bench.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
usage(void)
{
	fprintf(stderr, "usage: bench_rdm poll|block|net [--name NAME] [--items NAME,...] "
			"[--seconds S] [--slice-ms MS] [--cpus OWN,WORKER] [--peer-name NAME] "
			"[--peer-netns PATH] [--udp ADDRESS,ADDRESS] [--stop PID,PID]\n");
	return 2;
}

static bool
options_get(int argc, char **argv, struct bench_options *o)
{
	static const struct option longs[] = {{"name", required_argument, NULL, 'n'},
					      {"items", required_argument, NULL, 'i'},
					      {"seconds", required_argument, NULL, 's'},
					      {"slice-ms", required_argument, NULL, 'l'},
					      {"cpus", required_argument, NULL, 'c'},
					      {"peer-name", required_argument, NULL, 'p'},
					      {"peer-netns", required_argument, NULL, 'N'},
					      {"udp", required_argument, NULL, 'u'},
					      {"stop", required_argument, NULL, 'S'},
					      {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'n')
			o->name = optarg;
		else if (option == 'i')
			o->items = optarg;
		else if (option == 's')
			o->seconds = atof(optarg);
		else if (option == 'l')
			o->slice_s = atof(optarg) / 1e3;
		else if (option == 'c' && sscanf(optarg, "%d,%d", &o->own_cpu, &o->worker_cpu) == 2)
			continue;
		else if (option == 'p')
			o->peer_name = optarg;
		else if (option == 'N')
			o->peer_netns = optarg;
		else if (option == 'u') {
			o->udp[0] = strtok(optarg, ",");
			o->udp[1] = strtok(NULL, ",");
		} else if (option != 'S' ||
			   sscanf(optarg, "%d,%d", &o->stop_pids[0], &o->stop_pids[1]) != 2)
			return false;
	}
	return optind == argc && o->seconds > 0 && o->slice_s > 0;
}

int
main(int argc, char **argv)
{
	struct bench_options options = {
		.seconds = 2, .slice_s = 0.02, .own_cpu = 1, .worker_cpu = 0};
	const char *mode = argc > 1 ? argv[1] : "";

	if (argc < 2 || !options_get(argc - 1, argv + 1, &options))
		return usage();
	alarm((unsigned int)options.seconds + 60);
	signal(SIGPIPE, SIG_IGN);
	bench_calibrate();
	if (strcmp(mode, "poll") == 0)
		return bench_poll(&options);
	if (strcmp(mode, "block") == 0)
		return bench_block(&options);
	if (strcmp(mode, "net") == 0 && options.peer_netns != NULL && options.udp[1] != NULL)
		return bench_net(&options);
	return usage();
}
