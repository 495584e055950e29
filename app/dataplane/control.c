/* SPDX-License-Identifier: BSD-3-Clause */
/* The control thread's loop: epoll, requests to workers, signals, the orderly stop. */
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <rte_launch.h>

/* Requests with one worker at a time: the answer ring also takes one unasked word of each
 * attachment. */
#define CONTROL_UNDER_WAY_MAX (WORKER_REQUEST_RING - 1)
_Static_assert(CONTROL_UNDER_WAY_MAX + CONTROL_ATTACHES_MAX < WORKER_ANSWER_RING, "answer ring");
/* Between the last frames of links and the end of the workers. Our choice: they have to
 * cross from shard to shard and out of the device. */
#define CONTROL_LINGER_MS 20
#define CONTROL_EVENTS	  64

DPT_COUNTER_DESCS(control_counter_descs, CONTROL_COUNTERS);
DPT_COUNTER_DESCS(pool_counter_descs, POOL_COUNTERS);

int
control_watch(struct control *control, int fd, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void
control_watch_mod(struct control *control, int fd, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	epoll_ctl(control->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void
control_unwatch(struct control *control, int fd)
{
	epoll_ctl(control->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void
control_free_later(struct control *control, struct garbage *garbage, void *mem)
{
	garbage->mem = mem;
	STAILQ_INSERT_TAIL(&control->garbage, garbage, link);
}

static void
control_ask_waiting(struct control *control, uint8_t idx)
{
	struct control_worker *of = &control->of[idx];
	struct worker *w = &control->workers[idx];
	struct request *req;
	bool is_sent = false;

	while (of->under_way < CONTROL_UNDER_WAY_MAX && (req = STAILQ_FIRST(&of->wait)) != NULL) {
		if (rte_ring_sp_enqueue(w->requests, req) != 0)
			break;
		STAILQ_REMOVE_HEAD(&of->wait, link);
		of->under_way++;
		is_sent = true;
	}
	if (is_sent)
		worker_wake(w);
}

void
control_ask(struct control *control, uint8_t worker, struct request *req)
{
	STAILQ_INSERT_TAIL(&control->of[worker].wait, req, link);
	control_ask_waiting(control, worker);
}

static void
control_answers(struct source *source, uint32_t events)
{
	struct control *control =
		(struct control *)((char *)source - offsetof(struct control, answers));
	uint64_t cnt;

	(void)events;
	if (read(control->answer_fd, &cnt, sizeof(cnt)) < 0 && errno != EAGAIN)
		return;
	for (uint8_t i = 0; i < control->workers_cnt; i++) {
		void *answer;

		while (rte_ring_sc_dequeue(control->workers[i].answers, &answer) == 0) {
			struct request *req = answer;

			if (req->op != REQUEST_HOSTILE)
				control->of[i].under_way--;
			if (req->done != NULL)
				req->done(req);
		}
		control_ask_waiting(control, i);
	}
}

static void
control_signal(struct source *source, uint32_t events)
{
	struct control *control =
		(struct control *)((char *)source - offsetof(struct control, signals));
	struct signalfd_siginfo info;

	(void)events;
	if (read(control->signal_fd, &info, sizeof(info)) == sizeof(info))
		control->is_stopping = true;
}

static int
control_signals_init(struct control *control)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	/* Workers were started with them blocked: main.c. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	control->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	control->signals.event = control_signal;
	if (control->signal_fd < 0)
		return -errno;
	return control_watch(control, control->signal_fd, &control->signals, EPOLLIN);
}

int
control_init(struct control *control, char *error, size_t error_bytes)
{
	int rc;

	TAILQ_INIT(&control->attaches);
	TAILQ_INIT(&control->conns);
	STAILQ_INIT(&control->garbage);
	for (uint32_t i = 0; i < DPT_SHARDS_MAX; i++)
		STAILQ_INIT(&control->of[i].wait);
	control->answers.event = control_answers;
	control->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	rc = control_watch(control, control->answer_fd, &control->answers, EPOLLIN);
	if (rc == 0)
		rc = control_signals_init(control);
	if (rc == 0)
		rc = carrier_init(control);
	if (rc == 0)
		rc = link_changes_init(control);
	if (rc != 0) {
		snprintf(error, error_bytes, "control: %s", strerror(-rc));
		return -1;
	}
	return listen_open(control, error, error_bytes);
}

static void
control_garbage(struct control *control)
{
	struct garbage *garbage;

	while ((garbage = STAILQ_FIRST(&control->garbage)) != NULL) {
		STAILQ_REMOVE_HEAD(&control->garbage, link);
		free(garbage->mem);
	}
}

static void
control_turn(struct control *control, int timeout_ms)
{
	struct epoll_event events[CONTROL_EVENTS];
	int cnt = epoll_wait(control->epoll_fd, events, CONTROL_EVENTS, timeout_ms);

	for (int i = 0; i < cnt; i++) {
		struct source *source = events[i].data.ptr;

		source->event(source, events[i].events);
	}
	control_garbage(control);
}

/* Whether any worker still owes an answer. */
static bool
control_is_busy(const struct control *control)
{
	for (uint8_t i = 0; i < control->workers_cnt; i++)
		if (control->of[i].under_way > 0 || !STAILQ_EMPTY(&control->of[i].wait))
			return true;
	return false;
}

/*
 * Applications first: they see end-of-file at once. Then the links say goodbye, then the
 * workers end. A worker always answers, so each wait ends; the count is a last resort.
 */
static void
control_stop(struct control *control)
{
	listen_close(control);
	attach_stop_all(control);
	for (uint32_t i = 0; i < 500 && control_is_busy(control); i++)
		control_turn(control, 10);
	carrier_stop(control);
	for (uint32_t i = 0; i < 500 && control_is_busy(control); i++)
		control_turn(control, 10);
	usleep(CONTROL_LINGER_MS * 1000);
	for (uint8_t i = 0; i < control->workers_cnt; i++) {
		control->stop_reqs[i] = (struct request){.op = REQUEST_STOP};
		control_ask(control, i, &control->stop_reqs[i]);
	}
	rte_eal_mp_wait_lcore();
}

void
control_run(struct control *control)
{
	carrier_look(control);
	while (!control->is_stopping) {
		/* At least so often, that others see that this thread runs. */
		control_turn(control, control->timeout_ms < 0
					      ? STAT_CONTROL_MS
					      : RTE_MIN(control->timeout_ms, STAT_CONTROL_MS));
		carrier_look(control);
		steer_look(control);
		stat_control(control);
	}
	control_stop(control);
}

void
control_values_get(const struct control *control, struct control_values *values)
{
	*values = (struct control_values){
		.control.processes = control->conns_cnt - control->netlink.conns,
		.control.sockets = control->socks_cnt,
		.control.sockets_refused = control->refused_sockets,
		.control.adoptions = control->adoptions,
		.control.processes_refused = control->refused_attaches,
		.control.processes_hostile = control->hostile_attaches,
		.control.link_sets = control->link_sets,
		.control.netlink_conns = control->netlink.conns,
		.control.netlink_requests = control->netlink.requests,
		.control.netlink_refused = control->netlink.refused,
		.control.netlink_dumps = control->netlink.dumps,
		.control.netlink_hostile = control->netlink.hostile,
		.pool.buffers = control->pool->size,
		.pool.buffers_used = rte_mempool_in_use_count(control->pool),
	};
}

void
control_fini(struct control *control)
{
	attach_free_all(control);
	steer_fini(control);
	link_changes_fini(control);
	control_garbage(control);
	listen_close(control);
	close(control->spare_fd);
	close(control->signal_fd);
	close(control->answer_fd);
	close(control->epoll_fd);
}
