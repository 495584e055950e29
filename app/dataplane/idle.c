/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Without work. --idle=poll: on and on. --idle=adaptive: after a while sleep on doorbells of
 * applications, interrupts of bearers, the wake-up of other threads, and the next deadline.
 *
 * Going to sleep loses nothing, since each side stores before it loads:
 *
 *   worker                                 who has work for it
 *   ------                                 -------------------
 *   worker_sleeps, is_sleeping = 1         publish a record, fill a ring
 *   fence                                  fence
 *   look at logs, rings, bearers again     flag set? write the descriptor
 *   epoll_wait
 *
 * Descriptors are watched edge-triggered: an eventfd need not be read, a device's descriptor
 * not be emptied; what was ready before is found by the last look.
 *
 * Timers here: IDLE_SPIN_NS, IDLE_YIELD_NS, IDLE_POLL_*, IDLE_ROOM_*.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <rte_pause.h>

#include "dpt_stack.h"
#include "worker.h"

/* Before sleeping: about the length of a wake-up, several times. Our choice. */
#define IDLE_SPIN_NS 50000
/* After so much of it other threads of the CPU go first: on a small machine the very
 * application that has the work may be waiting for it. Our choice: some cache misses. */
#define IDLE_YIELD_NS 4000
/*
 * With a bearer that has nothing to wait on: first and longest sleep, doubled while nothing
 * comes. Our choice: the first is about what a wake-up costs anyway, the longest is far below
 * any link timer and costs less than 1 % of a CPU.
 */
#define IDLE_POLL_NS	 25000
#define IDLE_POLL_MAX_NS 1000000
/* While something waits for room, of which nobody tells: first and longest sleep. */
#define IDLE_ROOM_NS	 100000
#define IDLE_ROOM_MAX_NS 10000000
/* Longest sleep: numbers for the dump stay fresh. */
#define IDLE_MAX_NS 1000000000
#define IDLE_EVENTS 64

static void
idle_flags(struct worker *w, uint32_t value)
{
	struct served *s;

	atomic_store_explicit(&w->is_sleeping, value, memory_order_seq_cst);
	TAILQ_FOREACH (s, &w->served, link)
		atomic_store_explicit(&s->hdr->worker_sleeps, value, memory_order_seq_cst);
}

/* Returns false when a frame may be waiting. */
static bool
idle_arm(struct worker *w, uint64_t *sleep_ns)
{
	bool is_quiet = true, is_polled = false;

	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct worker_bearer *b = &w->bearers[id];

		if (!b->has_queue)
			continue;
		is_polled |= b->wait_fd < 0;
		if (!b->bearer->ops->wait_arm(b->bearer, b->queue))
			is_quiet = false;
	}
	if (is_polled) {
		*sleep_ns = RTE_MIN(*sleep_ns, w->poll_ns);
		w->poll_ns = RTE_MIN(w->poll_ns * 2, (uint64_t)IDLE_POLL_MAX_NS);
	}
	return is_quiet;
}

static void
idle_disarm(struct worker *w)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct worker_bearer *b = &w->bearers[id];

		if (b->has_queue)
			b->bearer->ops->wait_disarm(b->bearer, b->queue);
	}
}

/* Nanoseconds until something is due; 0: now. */
static uint64_t
idle_sleep_ns(struct worker *w)
{
	uint64_t deadline_ns = dpt_stack_deadline_ns(w->stack);
	uint64_t now_ns = clock_ns(w->clock);
	uint64_t sleep_ns = IDLE_MAX_NS;

	if (deadline_ns <= now_ns)
		return 0;
	sleep_ns = RTE_MIN(sleep_ns, deadline_ns - now_ns);
	if (deliver_is_blocked(w) || submit_is_blocked(w) || !STAILQ_EMPTY(&w->held)) {
		sleep_ns = RTE_MIN(sleep_ns, w->room_ns);
		w->room_ns = RTE_MIN(w->room_ns * 2, (uint64_t)IDLE_ROOM_MAX_NS);
	}
	return sleep_ns;
}

static void
idle_wait(struct worker *w, uint64_t sleep_ns)
{
	struct epoll_event events[IDLE_EVENTS];
	struct timespec timeout = {
		.tv_sec = (time_t)(sleep_ns / 1000000000),
		.tv_nsec = (long)(sleep_ns % 1000000000),
	};
	int cnt = epoll_pwait2(w->epoll_fd, events, IDLE_EVENTS, &timeout, NULL);

	/* Before Linux 5.11. Down to whole milliseconds: an interval may be one, and late by
	 * another is too late; what is left is spent awake. */
	if (cnt < 0 && errno == ENOSYS)
		cnt = epoll_wait(w->epoll_fd, events, IDLE_EVENTS, (int)(sleep_ns / 1000000));
	if (cnt > 0)
		w->counters.doorbells += (uint64_t)cnt;
}

static void
idle_sleep(struct worker *w)
{
	uint64_t sleep_ns = idle_sleep_ns(w), start_ns;

	if (sleep_ns == 0)
		return;
	idle_flags(w, 1);
	dpt_shm_fence();
	if (idle_arm(w, &sleep_ns) && !submit_is_pending(w) && !shards_is_pending(w) &&
	    rte_ring_empty(w->requests) && !w->has_answers) {
		deliver_settle(w);
		start_ns = clock_ns(w->clock);
		idle_wait(w, sleep_ns);
		w->counters.sleeps++;
		w->counters.slept_ns += clock_ns(w->clock) - start_ns;
	}
	idle_disarm(w);
	idle_flags(w, 0);
	/* Receipts first: applications have read meanwhile, the stack does not know. */
	w->scan_ns = 0;
}

void
idle_turn(struct worker *w, uint32_t work)
{
	uint64_t spin_ns;

	if (work > 0 || w->is_more) {
		w->idle_ns = 0;
		w->room_ns = IDLE_ROOM_NS;
		w->poll_ns = IDLE_POLL_NS;
		return;
	}
	if (w->idle_ns == 0) {
		w->idle_ns = w->now_ns;
		w->idle_seen_ns = w->now_ns;
		return;
	}
	w->counters.idle_ns += w->now_ns - w->idle_seen_ns;
	w->idle_seen_ns = w->now_ns;
	if (w->idle == ARGS_IDLE_POLL) {
		rte_pause();
		return;
	}
	spin_ns = w->poll_ns == IDLE_POLL_NS ? IDLE_SPIN_NS : IDLE_YIELD_NS;
	if (w->now_ns - w->idle_ns < spin_ns) {
		if (w->now_ns - w->idle_ns < IDLE_YIELD_NS)
			rte_pause();
		else
			sched_yield();
		return;
	}
	idle_sleep(w);
	w->idle_ns = 0;
}
