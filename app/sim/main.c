/* SPDX-License-Identifier: BSD-3-Clause */
/* dptipc-sim: command line, workers, summary. Many seeds are shared among processes. */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "dpt_mutant.h"
#include "sim.h"

#define SIM_JOBS_MAX   16
#define SIM_ROOM_BYTES (2048 + DPT_BUF_HEADROOM_BYTES)
#define SIM_SHOWN_MAX  10

/* What a worker tells its parent; smaller than PIPE_BUF, so written in one piece. */
struct sim_report {
	uint64_t seed;
	bool is_start; /* the seed begins; the rest is not set */
	bool is_failed;
	struct sim_stats stats;
	char failure[SIM_TEXT_BYTES];
};

struct sim_worker {
	pid_t pid;
	int fd;	       /* reports */
	uint64_t next; /* its next seed: next, next + jobs, ... */
	uint64_t at;   /* the seed it works on */
	bool is_at_work;
};

struct sim_total {
	struct sim_stats stats;
	uint64_t runs;
	uint64_t failed;
};

static struct sim the_sim;

static const char sim_help[] =
	"dptipc-sim [OPTION...]: clusters of TIPC nodes on a virtual clock and network\n"
	"\n"
	"  --seed N         one run, in this process\n"
	"  --seeds A-B|CNT  many runs (default 100: seeds 1 to 100)\n"
	"  --nodes N        nodes of the cluster, 2 to 64 (default 8)\n"
	"  --shards K       shards of a node, 1 or 2 (default: from the seed)\n"
	"  --seconds V      virtual seconds of the phase with faults (default: from the seed)\n"
	"  --faults LIST    all (default: the seed chooses among all), none, or names\n"
	"                   separated by commas: all of these and no others\n"
	"  --scenario NAME  cluster3: a fixed course instead of chance, for transcripts\n"
	"  --mutant NAME    run with a planted bug (a build with -Dmutants=true)\n"
	"  --list-mutants   names and texts of the planted bugs\n"
	"  --trace FILE     transcript of a single run\n"
	"  --pcap FILE      capture of all frames of a single run\n"
	"  --first          stop at the first violation\n"
	"  -j, --jobs N     processes (default: one for each processor)\n"
	"  --verbose        each run's options and figures\n"
	"\n"
	"Faults:\n";

enum {
	OPT_SEED = 256,
	OPT_SEEDS,
	OPT_NODES,
	OPT_SHARDS,
	OPT_SECONDS,
	OPT_FAULTS,
	OPT_SCENARIO,
	OPT_MUTANT,
	OPT_LIST_MUTANTS,
	OPT_TRACE,
	OPT_PCAP,
	OPT_FIRST,
	OPT_VERBOSE,
};

static const struct option sim_options[] = {
	{"seed", required_argument, NULL, OPT_SEED},
	{"seeds", required_argument, NULL, OPT_SEEDS},
	{"nodes", required_argument, NULL, OPT_NODES},
	{"shards", required_argument, NULL, OPT_SHARDS},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"faults", required_argument, NULL, OPT_FAULTS},
	{"scenario", required_argument, NULL, OPT_SCENARIO},
	{"mutant", required_argument, NULL, OPT_MUTANT},
	{"list-mutants", no_argument, NULL, OPT_LIST_MUTANTS},
	{"trace", required_argument, NULL, OPT_TRACE},
	{"pcap", required_argument, NULL, OPT_PCAP},
	{"first", no_argument, NULL, OPT_FIRST},
	{"jobs", required_argument, NULL, 'j'},
	{"verbose", no_argument, NULL, OPT_VERBOSE},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void
sim_usage(void)
{
	uint32_t f;

	fputs(sim_help, stdout);
	for (f = 0; f < SIM_FAULT_CNT; f++)
		printf("  %-16s %s\n", sim_fault_names[f], sim_fault_texts[f]);
}

static int
sim_bad(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "dptipc-sim: %s %s: wanted is %s; see --help\n", option, value, wanted);
	return -1;
}

static int
sim_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char wanted[64];
	char *end;

	*value = strtoull(text, &end, 10);
	if (*text != '\0' && *text != '-' && *end == '\0' && *value >= min && *value <= max)
		return 0;
	snprintf(wanted, sizeof(wanted), "a number from %llu to %llu", (unsigned long long)min,
		 (unsigned long long)max);
	return sim_bad(option, text, wanted);
}

static int
sim_seeds(struct sim_opts *opts, const char *text)
{
	unsigned long long first, last;
	char rest;

	if (sscanf(text, "%llu-%llu%c", &first, &last, &rest) == 2 && first <= last) {
		opts->seed_first = first;
		opts->seed_cnt = last - first + 1;
		return 0;
	}
	opts->seed_first = 1;
	return sim_number("--seeds", text, 1, 1000000000, &opts->seed_cnt);
}

static int
sim_small(const char *option, const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	uint64_t wide;

	if (sim_number(option, text, min, max, &wide) < 0)
		return -1;
	*value = (uint32_t)wide;
	return 0;
}

static int
sim_list_mutants(void)
{
	uint32_t i;

	for (i = 1; i < DPT_MUTANT_CNT; i++)
		printf("%-24s %s\n", dpt_mutant_names[i], dpt_mutant_texts[i]);
	return 0;
}

static int
sim_mutant(struct sim_opts *opts, const char *name)
{
	uint32_t i;

	for (i = 1; i < DPT_MUTANT_CNT; i++) {
		if (strcmp(name, dpt_mutant_names[i]) != 0)
			continue;
		opts->mutant = name;
#ifdef DPT_MUTANTS
		dpt_mutant_on = (enum dpt_mutant)i;
		return 0;
#else
		fprintf(stderr, "dptipc-sim: this build has no planted bugs: "
				"./scripts/build --mutants makes one that has\n");
		return -1;
#endif
	}
	return sim_bad("--mutant", name, "one of --list-mutants");
}

/* Returns 0, -1 after a message. */
static int
sim_option(struct sim_opts *opts, int option, const char *value)
{
	switch (option) {
	case OPT_SEED:
		opts->is_single = true;
		opts->seed_cnt = 1;
		return sim_number("--seed", value, 0, UINT64_MAX, &opts->seed_first);
	case OPT_SEEDS:
		return sim_seeds(opts, value);
	case OPT_NODES:
		return sim_small("--nodes", value, 2, SIM_NODES_MAX, &opts->nodes);
	case OPT_SHARDS:
		return sim_small("--shards", value, 1, SIM_SHARDS_MAX, &opts->shards);
	case OPT_SECONDS:
		return sim_small("--seconds", value, 1, 1000000, &opts->seconds);
	case OPT_FAULTS:
		opts->faults_text = value;
		if (sim_faults_parse(value, &opts->faults, &opts->is_faults_exact) == 0)
			return 0;
		return sim_bad("--faults", value, "all, none or a list of faults");
	case OPT_SCENARIO:
		opts->is_scripted = true;
		return strcmp(value, "cluster3") == 0 ? 0
						      : sim_bad("--scenario", value, "cluster3");
	case OPT_MUTANT:
		return sim_mutant(opts, value);
	case OPT_TRACE:
		opts->trace_path = value;
		return 0;
	case OPT_PCAP:
		opts->pcap_path = value;
		return 0;
	case OPT_FIRST:
		opts->is_first_only = true;
		return 0;
	case OPT_VERBOSE:
		opts->is_verbose = true;
		return 0;
	case 'j':
		return sim_small("--jobs", value, 1, SIM_JOBS_MAX, &opts->jobs);
	default:
		return -1;
	}
}

/* Returns 0 to go on, 1 when all is done, -1 after a message. */
static int
sim_args(struct sim_opts *opts, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "j:h", sim_options, NULL)) != -1) {
		if (option == 'h') {
			sim_usage();
			return 1;
		}
		if (option == OPT_LIST_MUTANTS) {
			sim_list_mutants();
			return 1;
		}
		if (sim_option(opts, option, optarg) < 0)
			return -1;
	}
	if (optind < argc)
		return sim_bad("argument", argv[optind], "an option");
	if ((opts->trace_path != NULL || opts->pcap_path != NULL) && !opts->is_single)
		return sim_bad("--trace, --pcap", "with many seeds", "--seed N");
	return 0;
}

static struct rte_mempool *
sim_pool(void)
{
	char *argv[] = {(char *)"dptipc-sim",
			(char *)"--no-huge",
			(char *)"--no-pci",
			(char *)"--no-shconf",
			(char *)"-m",
			(char *)"128",
			(char *)"-l",
			(char *)"0",
			(char *)"--no-telemetry",
			(char *)"--log-level=error",
			NULL};
	struct rte_mempool *pool;

	if (rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0) {
		fprintf(stderr, "dptipc-sim: EAL: %s\n", rte_strerror(rte_errno));
		return NULL;
	}
	/* No cache: the count of buffers in use is exact. */
	pool = rte_pktmbuf_pool_create("sim", SIM_POOL_BUFS, 0, DPT_BUF_PRIV_BYTES, SIM_ROOM_BYTES,
				       SOCKET_ID_ANY);
	if (pool == NULL)
		fprintf(stderr, "dptipc-sim: pool: %s\n", rte_strerror(rte_errno));
	return pool;
}

static void
sim_print_run(const struct sim_report *report, const struct sim_opts *opts)
{
	struct sim_plan plan;
	char text[512];

	sim_plan_draw(&plan, opts, report->seed);
	sim_plan_print(&plan, text, sizeof(text));
	printf("seed=%llu %s\n", (unsigned long long)report->seed, text);
	printf("seed=%llu virtual_s=%.3f frames=%llu sent=%llu delivered=%llu returned=%llu "
	       "dropped=%llu lost=%llu contacts_lost=%llu hash=%016llx\n",
	       (unsigned long long)report->seed, (double)report->stats.virtual_ns / 1e9,
	       (unsigned long long)report->stats.frames, (unsigned long long)report->stats.sent,
	       (unsigned long long)report->stats.delivered,
	       (unsigned long long)report->stats.returned,
	       (unsigned long long)report->stats.dropped, (unsigned long long)report->stats.lost,
	       (unsigned long long)report->stats.contacts_lost,
	       (unsigned long long)report->stats.hash);
}

static void
sim_print_repeat(const struct sim_opts *opts, uint64_t seed)
{
	printf("  repeat: ./build%s/app/sim/dptipc-sim --seed %llu --nodes %u",
	       opts->mutant != NULL ? "-mutants" : "", (unsigned long long)seed, opts->nodes);
	if (opts->shards != 0)
		printf(" --shards %u", opts->shards);
	if (opts->seconds != 0)
		printf(" --seconds %u", opts->seconds);
	if (opts->faults_text != NULL)
		printf(" --faults %s", opts->faults_text);
	if (opts->is_scripted)
		printf(" --scenario cluster3");
	if (opts->mutant != NULL)
		printf(" --mutant %s", opts->mutant);
	printf("\n");
}

static void
sim_total_add(struct sim_total *total, const struct sim_report *report, const struct sim_opts *opts)
{
	const uint64_t *from = (const uint64_t *)&report->stats;
	uint64_t *to = (uint64_t *)&total->stats;
	size_t i;

	/* All fields are uint64_t; the sum of the hashes does not depend on the order. */
	for (i = 0; i < sizeof(report->stats) / sizeof(uint64_t); i++)
		to[i] += from[i];
	total->runs++;
	if (opts->is_verbose)
		sim_print_run(report, opts);
	if (!report->is_failed)
		return;
	if (total->failed++ < SIM_SHOWN_MAX) {
		printf("VIOLATION seed %llu: %s\n", (unsigned long long)report->seed,
		       report->failure);
		sim_print_repeat(opts, report->seed);
	}
	fflush(stdout);
}

static void
sim_print_total(const struct sim_total *total)
{
	const struct sim_stats *s = &total->stats;
	uint32_t f;

	printf("%llu seeds, %.2f virtual hours, %llu frames (%.1f MB), %llu lost, "
	       "%llu shard messages\n",
	       (unsigned long long)total->runs, (double)s->virtual_ns / 3.6e12,
	       (unsigned long long)s->frames, (double)s->frame_bytes / 1e6,
	       (unsigned long long)s->frames_lost, (unsigned long long)s->shard_msgs);
	printf("faults:");
	for (f = 0; f < SIM_FAULT_CNT; f++)
		printf(" %s %llu", sim_fault_names[f], (unsigned long long)s->faults[f]);
	printf("\nmessages: %llu accepted, %llu refused, %llu delivered, %llu returned, "
	       "%llu dropped and counted, %llu lost with a contact\n",
	       (unsigned long long)s->sent, (unsigned long long)s->refused,
	       (unsigned long long)s->delivered, (unsigned long long)s->returned,
	       (unsigned long long)s->dropped, (unsigned long long)s->lost);
	printf("contacts lost: %llu; runs in which nothing could be lost: %llu; binds: %llu\n",
	       (unsigned long long)s->contacts_lost, (unsigned long long)s->exact_runs,
	       (unsigned long long)s->binds);
	printf("hash=%016llx\n", (unsigned long long)s->hash);
	printf("%llu passed, %llu failed\n", (unsigned long long)(total->runs - total->failed),
	       (unsigned long long)total->failed);
}

static void
sim_one(struct sim_report *report, const struct sim_opts *opts, uint64_t seed,
	struct rte_mempool *pool)
{
	memset(report, 0, sizeof(*report));
	report->seed = seed;
	report->is_failed = sim_run(&the_sim, opts, seed, pool) != 0;
	report->stats = the_sim.stats;
	memcpy(report->failure, the_sim.failure, sizeof(report->failure));
}

static int
sim_single(const struct sim_opts *opts)
{
	struct rte_mempool *pool = sim_pool();
	struct sim_total total = {0};
	struct sim_report report;

	if (pool == NULL || sim_trace_open(&the_sim, opts) < 0)
		return 1;
	sim_one(&report, opts, opts->seed_first, pool);
	if (!opts->is_verbose)
		sim_print_run(&report, opts);
	sim_total_add(&total, &report, opts);
	sim_print_total(&total);
	sim_trace_close(&the_sim);
	sim_free(&the_sim);
	return total.failed != 0 ? 1 : 0;
}

static void
worker_write(int fd, const struct sim_report *report)
{
	if (write(fd, report, sizeof(*report)) != (ssize_t)sizeof(*report))
		_exit(1);
}

/* Ends after a violation too: buffers may be gone; the parent starts another process. */
static void
worker_main(const struct sim_opts *opts, int fd, uint64_t first)
{
	uint64_t end = opts->seed_first + opts->seed_cnt;
	struct rte_mempool *pool = sim_pool();
	struct sim_report report;
	uint64_t seed;

	if (pool == NULL)
		_exit(1);
	for (seed = first; seed < end; seed += opts->jobs) {
		memset(&report, 0, sizeof(report));
		report.seed = seed;
		report.is_start = true;
		worker_write(fd, &report);
		sim_one(&report, opts, seed, pool);
		worker_write(fd, &report);
		if (report.is_failed)
			break;
	}
	_exit(0);
}

/* Returns 0, -1. */
static int
worker_start(struct sim_worker *worker, const struct sim_opts *opts)
{
	int fds[2];

	fflush(stdout);
	if (pipe(fds) < 0)
		return -1;
	worker->pid = fork();
	if (worker->pid < 0)
		return -1;
	if (worker->pid == 0) {
		close(fds[0]);
		worker_main(opts, fds[1], worker->next);
	}
	close(fds[1]);
	worker->fd = fds[0];
	worker->is_at_work = false;
	return 0;
}

/* The process is gone: in the middle of a seed, that is a violation of its own. */
static void
worker_ended(struct sim_worker *worker, const struct sim_opts *opts, struct sim_total *total)
{
	struct sim_report report = {.seed = worker->at, .is_failed = true};
	int status = 0;

	close(worker->fd);
	worker->fd = -1;
	waitpid(worker->pid, &status, 0);
	if (!worker->is_at_work) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
		worker->next = UINT64_MAX; /* it could not even begin */
		total->failed++;
		return;
	}
	snprintf(report.failure, sizeof(report.failure), "crash: %s %d",
		 WIFSIGNALED(status) ? "signal" : "exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	worker->next = worker->at + opts->jobs;
	sim_total_add(total, &report, opts);
}

/* One report of one worker. Returns false when its pipe is closed. */
static bool
worker_read(struct sim_worker *worker, const struct sim_opts *opts, struct sim_total *total)
{
	struct sim_report report;

	if (read(worker->fd, &report, sizeof(report)) != (ssize_t)sizeof(report))
		return false;
	worker->at = report.seed;
	worker->is_at_work = report.is_start;
	if (!report.is_start) {
		worker->next = report.seed + opts->jobs;
		sim_total_add(total, &report, opts);
	}
	return true;
}

static void
workers_stop(struct sim_worker *workers, uint32_t cnt)
{
	uint32_t i;

	for (i = 0; i < cnt; i++) {
		if (workers[i].fd < 0)
			continue;
		kill(workers[i].pid, SIGTERM);
		close(workers[i].fd);
		waitpid(workers[i].pid, NULL, 0);
		workers[i].fd = -1;
	}
}

static int
sim_many(const struct sim_opts *opts)
{
	struct sim_worker workers[SIM_JOBS_MAX];
	struct sim_total total = {0};
	uint64_t end = opts->seed_first + opts->seed_cnt;
	uint32_t i, open;

	for (i = 0; i < opts->jobs; i++) {
		workers[i].next = opts->seed_first + i;
		if (worker_start(&workers[i], opts) < 0) {
			perror("dptipc-sim: fork");
			return 1;
		}
	}
	/* In turn: each does about as much as the others, and a pipe holds several reports. */
	for (open = opts->jobs; open > 0 && !(opts->is_first_only && total.failed > 0);) {
		for (i = 0, open = 0; i < opts->jobs; i++) {
			struct sim_worker *worker = &workers[i];

			if (worker->fd < 0 || worker_read(worker, opts, &total)) {
				open += worker->fd >= 0;
				continue;
			}
			worker_ended(worker, opts, &total);
			if (worker->next < end && worker_start(worker, opts) == 0)
				open++;
		}
	}
	workers_stop(workers, opts->jobs);
	sim_print_total(&total);
	return total.failed != 0 ? 1 : 0;
}

int
main(int argc, char **argv)
{
	struct sim_opts opts = {
		.seed_first = 1, .seed_cnt = 100, .nodes = 8, .faults = SIM_FAULTS_ALL, .jobs = 0};
	int ret = sim_args(&opts, argc, argv);

	if (ret != 0)
		return ret > 0 ? 0 : 1;
	if (opts.jobs == 0) {
		long cpus = sysconf(_SC_NPROCESSORS_ONLN);

		opts.jobs = cpus < 1 ? 1 : cpus > SIM_JOBS_MAX ? SIM_JOBS_MAX : (uint32_t)cpus;
	}
	if (opts.jobs > opts.seed_cnt)
		opts.jobs = (uint32_t)opts.seed_cnt;
	return opts.is_single ? sim_single(&opts) : sim_many(&opts);
}
