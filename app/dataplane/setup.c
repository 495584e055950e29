/* SPDX-License-Identifier: BSD-3-Clause */
/* Making and unmaking a dataplane. Contract: setup.h. */
#include "setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

/* What such a buffer takes of EAL's memory: one page each without hugepages, since a buffer
 * (mbuf, private area, headroom, room: 2.4 KiB) does not cross pages; less with them. */
#define SETUP_BUF_BYTES 4096
#define SETUP_BUF_CACHE 256
/* Src: 09-socket-api.md, 1, default receive buffer limit. */
#define SETUP_RCVBUF_BYTES 2097152
/* Trace of a worker, records. Our choice: about 2 MiB. */
#define SETUP_TRACE_RECS 65536
/* Rings, EAL's own, MiB. */
#define SETUP_MEMORY_SLACK_MIB 32
/*
 * What a device takes, and each of its queue pairs: descriptors and their shadows, tables of the
 * driver. Our choice, twice what a NIC takes. Reserved for all bearers that there may be: without
 * hugepages EAL's memory does not grow when one is enabled later.
 */
#define SETUP_DEVICE_BYTES (1u << 20)
#define SETUP_QUEUE_BYTES  (512u << 10)

static struct dpt_stack_cfg
setup_stack_cfg(const struct args *args, uint8_t shard, uint32_t workers)
{
	return (struct dpt_stack_cfg){
		.shard = shard,
		.shards_cnt = (uint8_t)workers,
		.net_id = (uint32_t)args->net_id,
		.id = args->node_id,
		.addr = args->node_addr,
		.nodes_max = (uint32_t)args->nodes,
		.sockets_max = (uint32_t)args->sockets,
		.bindings_max = (uint32_t)args->bindings,
		.link_ring_pkts = SETUP_LINK_RING_PKTS,
		.rcvbuf_bytes = SETUP_RCVBUF_BYTES,
	};
}

uint32_t
setup_memory_mib(const struct args *args, uint32_t workers)
{
	uint64_t bytes = args->mbufs * SETUP_BUF_BYTES;

	bytes += DPT_BEARERS_MAX * (SETUP_DEVICE_BYTES + (uint64_t)workers * SETUP_QUEUE_BYTES);
	for (uint32_t i = 0; i < workers; i++) {
		struct dpt_stack_cfg cfg = setup_stack_cfg(args, (uint8_t)i, workers);

		bytes += dpt_stack_size(&cfg) + dpt_trace_size(SETUP_TRACE_RECS);
	}
	return (uint32_t)(bytes >> 20) + SETUP_MEMORY_SLACK_MIB;
}

/* ---- workers ---- */

static struct rte_ring *
setup_ring(const char *what, uint32_t to, uint32_t from, uint32_t entries)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "dptipc_%s_%u_%u", what, to, from);
	return rte_ring_create(name, entries, (int)rte_socket_id(),
			       RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
}

static int
setup_rings(struct worker *w)
{
	w->requests = setup_ring("req", w->idx, 0, WORKER_REQUEST_RING);
	w->answers = setup_ring("ans", w->idx, 0, WORKER_ANSWER_RING);
	if (w->requests == NULL || w->answers == NULL)
		return -1;
	for (uint8_t from = 0; from < w->workers_cnt; from++) {
		if (from == w->idx)
			continue;
		w->shard_in[from] = setup_ring("shard", w->idx, from, WORKER_SHARD_RING);
		if (w->shard_in[from] == NULL)
			return -1;
		if (w->idx != 0)
			continue;
		w->tx_in[from] = setup_ring("tx", w->idx, from, WORKER_SHARD_RING);
		if (w->tx_in[from] == NULL)
			return -1;
	}
	return 0;
}

static int
setup_stack(struct worker *w, const struct args *args, uint32_t random, const char **what)
{
	struct dpt_stack_cfg cfg = setup_stack_cfg(args, w->idx, w->workers_cnt);
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -1;
	dpt_rng_seed(&w->rng, seed);
	w->trace = rte_zmalloc("trace", dpt_trace_size(SETUP_TRACE_RECS), RTE_CACHE_LINE_SIZE);
	w->stack = rte_zmalloc("stack", dpt_stack_size(&cfg), RTE_CACHE_LINE_SIZE);
	if (w->trace == NULL || w->stack == NULL) {
		*what = "memory; give EAL more (-m)";
		rte_free(w->stack);
		w->stack = NULL;
		return -1;
	}
	dpt_trace_init(w->trace, SETUP_TRACE_RECS);
	cfg.env = (struct dpt_env){
		.rng = &w->rng, .pool = w->pool, .trace = w->trace, .flights = &w->stat.flights};
	cfg.random = random;
	if (dpt_stack_init(w->stack, &cfg, clock_ns(w->clock), what) != 0) {
		rte_free(w->stack);
		w->stack = NULL;
		return -1;
	}
	w->socks = dpt_stack_socks(w->stack);
	return 0;
}

/* Which queue pair of each bearer is this worker's, and what it may sleep on. */
static int
setup_worker(struct control *control, struct worker *w, uint32_t random, const char **what)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	TAILQ_INIT(&w->served);
	TAILQ_INIT(&w->busy);
	STAILQ_INIT(&w->waiting);
	STAILQ_INIT(&w->held);
	dpt_out_init(&w->out);
	w->workers_cnt = control->workers_cnt;
	w->workers = control->workers;
	w->idle = (enum args_idle)control->args->idle;
	w->pool = control->pool;
	w->answer_fd = control->answer_fd;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll_fd < 0 || w->wake_fd < 0 ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &event) != 0) {
		*what = strerror(errno);
		return -1;
	}
	if (setup_rings(w) != 0) {
		*what = rte_strerror(rte_errno);
		return -1;
	}
	if (setup_stack(w, control->args, random, what) != 0)
		return -1;
	bearers_give(control, w);
	return 0;
}

/* EAL's worker lcores, at most args->workers; that many shards. */
static int
setup_workers(struct control *control, char *error, size_t error_bytes)
{
	uint32_t lcores = rte_lcore_count() - 1, lcore;
	uint32_t wanted = control->args->workers != 0 ? (uint32_t)control->args->workers : lcores;
	struct clock *clock = malloc(sizeof(*clock));
	uint32_t random, cnt = 0;
	const char *what = "memory";

	if (lcores == 0 || lcores < wanted || wanted > DPT_SHARDS_MAX) {
		snprintf(error, error_bytes,
			 "EAL has %u lcores: one is control's, %u worker(s) need(s) %u to %u: "
			 "give more with -l or --lcores, or change --workers",
			 lcores + 1, wanted, RTE_MAX(wanted, 1u) + 1, DPT_SHARDS_MAX + 1);
		free(clock);
		return -1;
	}
	control->workers_cnt = (uint8_t)wanted;
	control->workers =
		rte_zmalloc("workers", wanted * sizeof(struct worker), RTE_CACHE_LINE_SIZE);
	if (clock == NULL || control->workers == NULL ||
	    getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		snprintf(error, error_bytes, "no memory for the workers");
		free(clock);
		return -1;
	}
	clock_init(clock);
	control->clock = clock;
	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		struct worker *w = &control->workers[cnt];

		if (cnt == wanted)
			break;
		w->idx = (uint8_t)cnt++;
		w->lcore = lcore;
		w->clock = clock;
		w->epoll_fd = -1;
		w->wake_fd = -1;
	}
	for (uint32_t i = 0; i < control->args->bearers_cnt; i++)
		if (bearers_start(control, &control->args->bearers[i], error, error_bytes) != 0)
			return -1;
	if (stat_open(control, control->stat_why, sizeof(control->stat_why)) != 0) {
		snprintf(error, error_bytes,
			 "no memory for the flight recorders; fewer --recorders need less");
		return -1;
	}
	for (uint32_t i = 0; i < wanted; i++) {
		if (setup_worker(control, &control->workers[i], random, &what) == 0)
			continue;
		snprintf(error, error_bytes, "worker %u: %s", i, what);
		return -1;
	}
	return 0;
}

/*
 * A descriptor for each socket, some for each process: as many as we may have, and more where
 * we may raise the limit. Returns how many.
 */
static uint64_t
setup_files(const struct args *args)
{
	uint64_t wanted =
		args->sockets * RTE_MAX(args->workers, UINT64_C(1)) + 4 * CONTROL_ATTACHES_MAX;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return UINT64_MAX;
	if (files.rlim_max < wanted) {
		struct rlimit more = {.rlim_cur = wanted, .rlim_max = wanted};

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return wanted;
	}
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_max;
}

int
setup_init(struct control *control, const struct args *args, char *error, size_t error_bytes)
{
	uint64_t files = setup_files(args);

	memset(control, 0, sizeof(*control));
	control->args = args;
	bearers_init(control);
	control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	control->answer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	control->signal_fd = -1;
	control->spare_fd = -1;
	control->link_changes.timer_fd = -1;
	control->net_id = (uint32_t)args->net_id;
	control->monitor_threshold = NETLINK_MONITOR_THRESHOLD;
	control->pool = rte_pktmbuf_pool_create(
		"dptipc", (unsigned int)args->mbufs, SETUP_BUF_CACHE, DPT_BUF_PRIV_BYTES,
		SETUP_BUF_ROOM_BYTES + DPT_BUF_HEADROOM_BYTES, (int)rte_socket_id());
	if (control->pool == NULL) {
		snprintf(error, error_bytes,
			 "no memory for %llu buffers: %s; give EAL more (-m %u), or fewer --mbufs",
			 (unsigned long long)args->mbufs, rte_strerror(rte_errno),
			 setup_memory_mib(args, 1));
		return -1;
	}
	if (setup_workers(control, error, error_bytes) != 0 ||
	    control_init(control, error, error_bytes) != 0)
		return -1;
	if (control->stat_why[0] != '\0')
		stat_log(control, "%s", control->stat_why);
	if (files < args->sockets * control->workers_cnt)
		stat_log(control,
			 "at most %llu descriptors, so not all of %llu sockets: raise the limit "
			 "(ulimit -Hn, LimitNOFILE=)",
			 (unsigned long long)files,
			 (unsigned long long)args->sockets * control->workers_cnt);
	stat_publish(control);
	return 0;
}

void
setup_start(struct control *control)
{
	for (uint8_t i = 0; i < control->workers_cnt; i++)
		rte_eal_remote_launch(worker_main, &control->workers[i], control->workers[i].lcore);
}

static void
setup_worker_fini(struct worker *w)
{
	struct rte_mbuf *m;

	for (uint8_t i = 0; i < w->workers_cnt; i++) {
		dpt_bufq_free(&w->shard_wait[i]);
		while (w->shard_in[i] != NULL && rte_ring_dequeue(w->shard_in[i], (void **)&m) == 0)
			rte_pktmbuf_free(m);
		while (w->tx_in[i] != NULL && rte_ring_dequeue(w->tx_in[i], (void **)&m) == 0)
			rte_pktmbuf_free(m);
		rte_ring_free(w->shard_in[i]);
		rte_ring_free(w->tx_in[i]);
	}
	rte_ring_free(w->requests);
	rte_ring_free(w->answers);
	if (w->stack != NULL)
		dpt_stack_fini(w->stack);
	rte_free(w->stack);
	rte_free(w->trace);
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
}

void
setup_fini(struct control *control)
{
	if (control->listeners_cnt > 0 || control->signal_fd >= 0)
		control_fini(control);
	for (uint8_t i = 0; control->workers != NULL && i < control->workers_cnt; i++)
		setup_worker_fini(&control->workers[i]);
	stat_close(control);
	bearers_close(control);
	rte_free(control->workers);
	rte_mempool_free(control->pool);
	free(control->clock);
}
