/* SPDX-License-Identifier: BSD-3-Clause */
/* Many seeds are shared among processes; each reports, the parent sums up. */
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "work.h"

#define SIM_ROOM_BYTES (2048 + DPT_BUF_HEADROOM_BYTES)

DPT_STATIC_ASSERT(sizeof(struct sim_report) <= PIPE_BUF, "a report is written in one piece");

struct sim_worker {
	pid_t pid;
	int fd;	       /* reports */
	uint64_t next; /* its next seed: next, next + jobs, ... */
	uint64_t at;   /* the seed it works on */
	bool is_at_work;
};

static struct sim the_sim;

/* No cache: the count of buffers in use is exact. A stack: what was freed last comes first. */
static struct rte_mempool *
pool_create(const char *name, uint32_t bufs)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create_by_ops(
		name, bufs, 0, DPT_BUF_PRIV_BYTES, SIM_ROOM_BYTES, SOCKET_ID_ANY, "stack");

	if (pool == NULL)
		fprintf(stderr, "dptipc-sim: pool: %s\n", rte_strerror(rte_errno));
	return pool;
}

/* Returns 0, -1 after a message. */
static int
pools_create(struct sim *sim)
{
	char *argv[] = {(char *)"dptipc-sim",
			(char *)"--no-huge",
			(char *)"--no-pci",
			(char *)"--no-shconf",
			(char *)"-m",
			(char *)"192",
			(char *)"-l",
			(char *)"0",
			(char *)"--no-telemetry",
			(char *)"--log-level=error",
			NULL};

	if (rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0) {
		fprintf(stderr, "dptipc-sim: EAL: %s\n", rte_strerror(rte_errno));
		return -1;
	}
	sim->pool = pool_create("stacks", SIM_POOL_BUFS);
	sim->net_pool = pool_create("wires", SIM_NET_POOL_BUFS);
	return sim->pool != NULL && sim->net_pool != NULL ? 0 : -1;
}

static void
sim_one(struct sim_report *report, const struct sim_opts *opts, uint64_t seed)
{
	memset(report, 0, sizeof(*report));
	report->seed = seed;
	report->is_failed = sim_run(&the_sim, opts, seed) != 0;
	report->stats = the_sim.stats;
	memcpy(report->failure, the_sim.failure, sizeof(report->failure));
}

int
sim_single(const struct sim_opts *opts)
{
	struct sim_total total = {0};
	struct sim_report report;

	if (pools_create(&the_sim) < 0 || sim_trace_open(&the_sim, opts) < 0)
		return 1;
	sim_one(&report, opts, opts->seed_first);
	if (!opts->is_verbose)
		sim_print_run(&report, opts);
	sim_total_add(&total, &report, opts);
	sim_print_total(&total, opts);
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
	struct sim_report report;
	uint64_t seed;

	if (pools_create(&the_sim) < 0)
		_exit(1);
	for (seed = first; seed < end; seed += opts->jobs) {
		memset(&report, 0, sizeof(report));
		report.seed = seed;
		report.is_start = true;
		worker_write(fd, &report);
		sim_one(&report, opts, seed);
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

int
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
	sim_print_total(&total, opts);
	return total.failed != 0 ? 1 : 0;
}
