/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of bench_link, sample lines. What it measures: link_bench.h. */
#include "link_bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"bench_link loop|pair [options]: the link layer alone, in this program's own threads\n"
	"  --seconds S     of measuring (default 2)\n"
	"  --slice-ms MS   of one kind (default 20)\n"
	"  --bytes N,...   payload of a message, up to 66000 (default 64,1380,65000)\n"
	"  --window N      largest window, packets (default 512)\n"
	"  --cpus A,B      pair: of its two processes (default 0,1)\n"
	"  --messages N    loop: N messages of the first size and then the end\n";

uint32_t
link_size_nth(const char *list, uint32_t n)
{
	while (n-- > 0) {
		list = strchr(list, ',');
		if (list == NULL)
			return 0;
		list++;
	}
	return (uint32_t)strtoul(list, NULL, 10);
}

void
link_print_rate(const char *item, uint32_t bytes, const struct bench_place *place, uint64_t cnt,
		double took_s, uint64_t frames)
{
	printf("FRAMES item=%s bytes=%u per_message=%.4f\n", item, bytes,
	       cnt > 0 ? (double)frames / (double)cnt : 0.0);
	bench_print_rate(item, bytes, place, cnt, took_s);
}

static void
parse(struct link_options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"seconds", required_argument, NULL, 's'},
		{"slice-ms", required_argument, NULL, 'l'},
		{"bytes", required_argument, NULL, 'b'},
		{"window", required_argument, NULL, 'w'},
		{"cpus", required_argument, NULL, 'c'},
		{"messages", required_argument, NULL, 'm'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 's':
			options->seconds = atof(optarg);
			break;
		case 'l':
			options->slice_s = atof(optarg) / 1000;
			break;
		case 'b':
			options->sizes = optarg;
			break;
		case 'w':
			options->window = (uint16_t)atoi(optarg);
			break;
		case 'm':
			options->msgs = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			if (sscanf(optarg, "%d,%d", &options->cpus[0], &options->cpus[1]) == 2)
				break;
			/* fall through */
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
}

int
main(int argc, char **argv)
{
	struct link_options options = {.seconds = 2,
				       .slice_s = 0.02,
				       .cpus = {0, 1},
				       .sizes = "64,1380,65000",
				       .window = 512};

	if (argc < 2) {
		fputs(usage, stderr);
		return 2;
	}
	parse(&options, argc - 1, argv + 1);
	/* Valgrind, which --messages is for, does not know rdtscp. */
	if (options.msgs == 0)
		bench_calibrate();
	if (strcmp(argv[1], "loop") == 0)
		return link_loop(&options);
	if (strcmp(argv[1], "pair") == 0)
		return link_pair(&options);
	fputs(usage, stderr);
	return 2;
}
