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

#include "dpt_bearers.h"

/* Octets of a buffer behind the headroom. Our choice: a whole Ethernet frame. */
#define SETUP_BUF_ROOM_BYTES 2048
/* What such a buffer takes of EAL's memory: one page each without hugepages, since a buffer
 * (mbuf, private area, headroom, room: 2.4 KiB) does not cross pages; less with them. */
#define SETUP_BUF_BYTES 4096
#define SETUP_BUF_CACHE 256
/* Packets that a link holds each way; largest window. Our choice. */
#define SETUP_LINK_RING_PKTS 2048
/* Smallest window of a link. Src: 03-link-node.md, 1. */
#define SETUP_WINDOW_MIN 50
/* Src: 09-socket-api.md, 1, default receive buffer limit. */
#define SETUP_RCVBUF_BYTES 2097152
/* Trace of a worker, records. Our choice: about 2 MiB. */
#define SETUP_TRACE_RECS 65536
/* Rings, devices, EAL's own, MiB. */
#define SETUP_MEMORY_SLACK_MIB 32

static const struct dpt_bearer_ops *const drivers[] = {&dpt_bearer_eth, &dpt_bearer_unix};
#define DRIVERS_CNT (sizeof(drivers) / sizeof(drivers[0]))

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

	for (uint32_t i = 0; i < workers; i++) {
		struct dpt_stack_cfg cfg = setup_stack_cfg(args, (uint8_t)i, workers);

		bytes += dpt_stack_size(&cfg) + dpt_trace_size(SETUP_TRACE_RECS);
	}
	return (uint32_t)(bytes >> 20) + SETUP_MEMORY_SLACK_MIB;
}

/* ---- bearers ---- */

/* Names of links tell bearers apart, but only 15 characters of the device's go into them. */
static void
setup_bearer_if_name(struct control *control, uint8_t id)
{
	char *name = control->bearers[id].cfg.if_name;
	size_t len = strnlen(name, DPT_IF_NAME_BYTES - 1);

	for (uint8_t i = 0; i < id; i++)
		if (strcmp(control->bearers[i].cfg.if_name, name) == 0 && len > 0)
			name[len - 1] = (char)('0' + id);
}

/* What only the open device tells. Returns 0, or -1 with a line in error. */
static int
setup_bearer_check(const struct control *control, uint8_t id, char *error, size_t error_bytes)
{
	const struct args_bearer *arg = &control->args->bearers[id];
	const struct dpt_bearer_info *info = &control->bearers[id].info;

	if (info->mtu < DPT_LINK_MTU_MIN) {
		snprintf(error, error_bytes, "--bearer: %s: its MTU is %u; TIPC needs at least %u",
			 arg->name, info->mtu, DPT_LINK_MTU_MIN);
		return -1;
	}
	if (arg->mtu_bytes > info->mtu) {
		snprintf(
			error, error_bytes,
			"--bearer: %s: mtu=%llu is more than the device carries: expected %u to %u",
			arg->name, (unsigned long long)arg->mtu_bytes, DPT_LINK_MTU_MIN, info->mtu);
		return -1;
	}
	for (uint8_t i = 0; i < id; i++) {
		if (info->if_index == 0 || control->bearers[i].info.if_index != info->if_index)
			continue;
		snprintf(error, error_bytes,
			 "--bearer: %s: the same interface as %s: one bearer for each", arg->name,
			 control->bearers[i].name);
		return -1;
	}
	return 0;
}

static int
setup_bearer(struct control *control, uint8_t id, char *error, size_t error_bytes)
{
	const struct args_bearer *arg = &control->args->bearers[id];
	struct bearer_slot *slot = &control->bearers[id];
	struct dpt_bearer_cfg cfg = {
		.bearer_id = id,
		.queues_cnt = control->workers_cnt,
		.numa_socket = (int)rte_socket_id(),
		.pool = control->pool,
		/* A VLAN tag's worth of room is left. */
		.mtu_max = SETUP_BUF_ROOM_BYTES - 18,
		.net_id = (uint32_t)control->args->net_id,
	};
	const struct dpt_bearer_ops *ops =
		dpt_bearer_find(drivers, DRIVERS_CNT, arg->name, &cfg.device);
	char why[256] = "";
	int rc;

	if (ops == NULL) {
		snprintf(error, error_bytes, "--bearer: %s: no such media; there are: eth, unix",
			 arg->name);
		return -1;
	}
	rc = ops->open(&cfg, &slot->bearer, why, sizeof(why));
	if (rc != 0) {
		slot->bearer = NULL;
		snprintf(error, error_bytes, "--bearer: %s", why[0] != '\0' ? why : strerror(-rc));
		return -1;
	}
	ops->info(slot->bearer, &slot->info);
	memcpy(slot->name, arg->name, sizeof(slot->name));
	slot->cfg = (struct dpt_stack_bearer){
		.bearer_id = id,
		.priority = (uint8_t)arg->priority,
		.tolerance_ms = (uint16_t)arg->tolerance_ms,
		.window_min = (uint16_t)RTE_MIN(arg->window_pkts, (uint64_t)SETUP_WINDOW_MIN),
		.window_max = (uint16_t)arg->window_pkts,
		.mtu = arg->mtu_bytes != 0 ? (uint16_t)arg->mtu_bytes : slot->info.mtu,
		.mtu_max = slot->info.mtu,
		.has_bcast = slot->info.has_bcast,
		.maddr = slot->info.maddr,
	};
	memcpy(slot->cfg.if_name, slot->info.if_name, sizeof(slot->cfg.if_name));
	setup_bearer_if_name(control, id);
	return setup_bearer_check(control, id, error, error_bytes);
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
setup_worker_bearers(struct control *control, struct worker *w)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct bearer_slot *slot = &control->bearers[id];
		struct worker_bearer *b = &w->bearers[id];
		struct epoll_event event = {.events = EPOLLIN | EPOLLET};

		b->bearer = slot->bearer;
		if (slot->bearer == NULL || w->idx >= slot->info.queues_cnt)
			continue;
		b->has_queue = true;
		b->queue = w->idx;
		b->wait_fd = slot->bearer->ops->wait_fd(slot->bearer, b->queue);
		if (b->wait_fd >= 0 &&
		    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, b->wait_fd, &event) != 0)
			b->wait_fd = -ENOTSUP; /* not pollable: at intervals */
	}
	return 0;
}

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
	return setup_worker_bearers(control, w);
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
	for (uint8_t id = 0; id < control->args->bearers_cnt; id++)
		if (setup_bearer(control, id, error, error_bytes) != 0)
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
	control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	control->answer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	control->signal_fd = -1;
	control->spare_fd = -1;
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
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].bearer != NULL)
			control->bearers[id].bearer->ops->close(control->bearers[id].bearer);
	rte_free(control->workers);
	rte_mempool_free(control->pool);
	free(control->clock);
}
