/* SPDX-License-Identifier: BSD-3-Clause */
/* dptipcd: the TIPC dataplane of a node. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "dpt_records.h"
#include "eal_args.h"
#include "setup.h"

static int
fail(const char *error)
{
	fprintf(stderr, "dptipcd: %s\n", error);
	return 1;
}

/* What EAL wrote while it started, without its page of usage: shown only when it failed. */
static void
eal_log_show(FILE *log)
{
	char line[512];

	rewind(log);
	while (fgets(line, sizeof(line), log) != NULL)
		if (strncmp(line, "EAL: ", 5) == 0 && strstr(line, "FATAL") == NULL)
			fputs(line, stderr);
}

/*
 * EAL makes a runtime directory, which stays empty as we start it (else rmdir fails, rightly):
 * it goes at once, so that not even a crash leaves it behind.
 */
static void
eal_dir_remove(void)
{
	rmdir(rte_eal_get_runtime_dir());
}

static int
eal_start(const struct args *args, int argc, char **argv)
{
	static struct eal_args eal;
	uint32_t workers = args->workers != 0 ? (uint32_t)args->workers : 1;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	FILE *log = tmpfile();
	int out = dup(STDOUT_FILENO), rc, error;

	/* The user's lcores are known to EAL only: take the most that there can be. */
	if (args->workers == 0 && argc > 0 && cpus > 1)
		workers = (uint32_t)RTE_MIN(cpus, (long)DPT_SHARDS_MAX);
	if (eal_args_build(&eal, args, argc, argv, setup_memory_mib(args, workers)) != 0 ||
	    log == NULL || out < 0)
		return fail("too many EAL arguments, or no temporary file");
	rte_openlog_stream(log);
	dup2(fileno(log), STDOUT_FILENO);
	rc = rte_eal_init(eal.argc, eal.argv);
	error = rte_errno;
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	rte_openlog_stream(NULL);
	if (rc < 0) {
		eal_log_show(log);
		fprintf(stderr,
			"dptipcd: EAL does not start: %s; it was given:", rte_strerror(error));
		for (char **arg = eal.saved + 1; *arg != NULL; arg++)
			fprintf(stderr, " %s", *arg);
		fprintf(stderr, "\n");
	}
	eal_dir_remove();
	fclose(log);
	return rc < 0 ? 1 : 0;
}

static void
node_print(const struct control *control)
{
	const struct args *args = control->args;
	struct dpt_node_id node_id = args->node_id;
	struct dpt_node_addr addr = args->node_addr;
	char id[DPT_NODE_ID_TEXT_BYTES] = "none";

	/* The order of 02-discovery.md, 1.1. */
	if (dpt_node_id_is_zero(&node_id) && addr.value != 0)
		node_id = dpt_node_id_from_addr(addr);
	if (dpt_node_id_is_zero(&node_id) && control->bearers[0].bearer != NULL)
		memcpy(node_id.bytes, control->bearers[0].info.maddr.bytes, 6);
	if (addr.value == 0)
		addr = dpt_node_id_to_addr(&node_id);
	if (!dpt_node_id_is_zero(&node_id))
		dpt_node_id_print(&node_id, id);
	printf("dptipcd: name %s, identity %s, address %x%s, network %llu, %u worker(s)\n",
	       args->name, id, addr.value,
	       addr.value != 0 && args->node_addr.value == 0 ? " (on trial)" : "",
	       (unsigned long long)args->net_id, control->workers_cnt);
	for (uint8_t i = 0; i < DPT_BEARERS_MAX; i++) {
		const struct bearer_slot *slot = &control->bearers[i];
		char maddr[64];

		if (slot->bearer == NULL)
			continue;
		dpt_maddr_print(&slot->info.maddr, maddr, sizeof(maddr));
		printf("dptipcd: bearer %s, %s, mtu %u, %u queue(s)\n", slot->name, maddr,
		       slot->info.mtu, slot->info.queues_cnt);
	}
	fflush(stdout);
}

/* Where the application's arguments begin: behind "--", or at once when there is none and
 * the first one is ours. */
static int
args_split(int argc, char **argv, struct args *args, char *error, int *eal_cnt)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		*eal_cnt = i - 1;
		return args_parse(args, argc - i - 1, argv + i + 1, error);
	}
	*eal_cnt = 0;
	return args_parse(args, argc - 1, argv + 1, error);
}

int
main(int argc, char **argv)
{
	static struct control control;
	static struct args args;
	struct startup *startup;
	char error[ARGS_ERROR_BYTES] = "";
	sigset_t set;
	int eal_cnt, rc;

	if (args_split(argc, argv, &args, error, &eal_cnt) != 0)
		return fail(error);
	if (args.is_help) {
		args_help(stdout);
		return 0;
	}
	if (args.is_version) {
		printf("dptipcd %s\n", DPTIPC_VERSION);
		return 0;
	}
	if (startup_load(&startup, &args, error, sizeof(error)) != 0)
		return fail(error);
	/* EAL's threads inherit this; control takes the signals from a descriptor. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (eal_start(&args, eal_cnt, argv + 1) != 0)
		return 1;
	rc = setup_init(&control, &args, error, sizeof(error));
	control.startup = startup;
	if (rc == 0) {
		setup_start(&control);
		node_print(&control);
		startup_begin(&control);
		control_run(&control);
		rc = control.is_failed;
	} else {
		fail(error);
	}
	startup_end(&control);
	setup_fini(&control);
	rte_eal_cleanup();
	eal_dir_remove();
	return rc == 0 ? 0 : 1;
}
