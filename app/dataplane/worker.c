/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker loop: receive, dispatch, timers, submissions, transmit, housekeeping. */
#include "worker.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "dpt_stack.h"

DPT_COUNTER_DESCS(worker_counter_descs, WORKER_COUNTERS);

/* A turn longer than this is counted. Our choice: a tenth of a millisecond is far below any
 * link timer and far above a full turn. */
#define LOOP_SLOW_NS 100000

void
worker_wake(struct worker *w)
{
	static const uint64_t one = 1;

	/* Pairs with idle.c: there the flag is stored before the rings are looked at. */
	dpt_shm_fence();
	if (atomic_load_explicit(&w->is_sleeping, memory_order_relaxed) != 0 &&
	    write(w->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable all the same */
}

void
worker_events(struct worker *w)
{
	for (uint16_t i = 0; i < w->out.events_cnt; i++) {
		uint8_t type = w->out.events[i].type;

		if (type == DPT_EVENT_BIND_DONE)
			answer_bind_done(w, &w->out.events[i]);
		if (type == DPT_EVENT_LINK_UP || type == DPT_EVENT_LINK_DOWN) {
			atomic_fetch_add_explicit(&w->links_gen, 1, memory_order_release);
			/* control looks which queue its frames should come in: steer.c */
			w->has_answers |= w->workers_cnt > 1;
		}
	}
	w->out.events_cnt = 0;
}

static uint32_t
worker_rx(struct worker *w)
{
	uint32_t work = 0;

	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct worker_bearer *b = &w->bearers[id];
		struct rte_mbuf *bufs[WORKER_BURST];
		uint16_t cnt;

		if (!b->has_queue)
			continue;
		cnt = b->bearer->ops->rx_burst(b->bearer, b->queue, bufs, WORKER_BURST);
		if (cnt == 0)
			continue;
		dpt_stack_rx_burst(w->stack, id, bufs, cnt, w->now_ns, &w->out);
		worker_events(w);
		work += cnt;
	}
	return work;
}

static uint32_t
worker_timers(struct worker *w)
{
	if (dpt_stack_deadline_ns(w->stack) > w->now_ns)
		return 0;
	dpt_stack_timeout(w->stack, w->now_ns, &w->out);
	worker_events(w);
	return 1;
}

static void
worker_tx_bearer(struct worker_bearer *b)
{
	if (b->tx_cnt == 0)
		return;
	b->bearer->ops->tx_burst(b->bearer, b->queue, b->tx, b->tx_cnt);
	b->tx_cnt = 0;
}

static void
worker_tx_queue(struct worker *w, struct dpt_bufq *frames)
{
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(frames)) != NULL) {
		uint8_t id = dpt_buf(m)->bearer_id;
		struct worker_bearer *b = &w->bearers[id < DPT_BEARERS_MAX ? id : 0];

		if (id >= DPT_BEARERS_MAX || b->bearer == NULL) {
			rte_pktmbuf_free(m);
			w->counters.drop_tx_no_bearer++;
			continue;
		}
		if (!b->has_queue) {
			shards_forward(w, m);
			continue;
		}
		b->tx[b->tx_cnt++] = m;
		if (b->tx_cnt == WORKER_BURST)
			worker_tx_bearer(b);
	}
}

/* Frames of this shard, and, on worker 0, of those that have no queue of their own. */
static uint32_t
worker_tx(struct worker *w)
{
	uint32_t work = 0;

	if (w->out.tx.head != NULL)
		worker_tx_queue(w, &w->out.tx);
	for (uint8_t from = 1; w->idx == 0 && from < w->workers_cnt; from++) {
		struct rte_mbuf *bufs[WORKER_BURST];
		struct dpt_bufq frames = {0};
		unsigned int cnt = rte_ring_sc_dequeue_burst(w->tx_in[from], (void **)bufs,
							     WORKER_BURST, NULL);

		for (unsigned int i = 0; i < cnt; i++)
			dpt_bufq_push(&frames, bufs[i]);
		worker_tx_queue(w, &frames);
		work += cnt;
	}
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		worker_tx_bearer(&w->bearers[id]);
	shards_tx(w);
	return work;
}

void
worker_bearer_add(struct worker *w, uint8_t id, struct dpt_bearer *bearer, uint16_t queues_cnt)
{
	struct worker_bearer *b = &w->bearers[id];
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	*b = (struct worker_bearer){.bearer = bearer, .wait_fd = -ENOTSUP};
	if (w->idx >= queues_cnt)
		return;
	b->has_queue = true;
	b->queue = w->idx;
	b->wait_fd = bearer->ops->wait_fd(bearer, b->queue);
	if (b->wait_fd >= 0 && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, b->wait_fd, &event) != 0)
		b->wait_fd = -ENOTSUP; /* not pollable: at intervals */
}

void
worker_bearer_del(struct worker *w, uint8_t id)
{
	struct worker_bearer *b = &w->bearers[id];

	/* As much as a ring holds, so that no sender can keep us here. */
	for (uint32_t i = 0; i < WORKER_SHARD_RING / WORKER_BURST && shards_rx(w) > 0; i++)
		;
	for (uint32_t i = 0; i <= WORKER_SHARD_RING / WORKER_BURST && worker_tx(w) > 0; i++)
		;
	if (b->wait_fd >= 0)
		epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, b->wait_fd, NULL);
	*b = (struct worker_bearer){.wait_fd = -ENOTSUP};
}

/* What all regions of this worker show: routes, own address. */
static void
worker_publish(struct worker *w)
{
	uint32_t gen = dpt_stack_route_gen(w->stack);
	uint32_t own = dpt_stack_own(w->stack).value;
	struct served *s;

	if (likely(gen == w->route_gen && own == w->own_node))
		return;
	w->route_gen = gen;
	w->own_node = own;
	TAILQ_FOREACH (s, &w->served, link) {
		atomic_store_explicit(&s->hdr->own_node, own, memory_order_relaxed);
		/* Pairs with the client's acquire load before it sends without asking. */
		atomic_store_explicit(&s->hdr->route_gen, gen, memory_order_release);
	}
}

static void
worker_housekeeping(struct worker *w, uint64_t start_ns)
{
	static const uint64_t one = 1;
	uint64_t took_ns = clock_ns(w->clock) - start_ns;

	worker_publish(w);
	if (unlikely(w->now_ns >= w->stat.next_ns ||
		     w->stat.changes_seen != w->stat.flights.log->next))
		stat_refresh(w);
	if (w->has_answers) {
		w->has_answers = false;
		if (write(w->answer_fd, &one, sizeof(one)) < 0)
			w->has_answers = true; /* counter full: again in the next turn */
	}
	w->counters.loops++;
	if (unlikely(took_ns > w->counters.loop_worst_ns))
		w->counters.loop_worst_ns = took_ns;
	if (unlikely(took_ns > LOOP_SLOW_NS))
		w->counters.loops_slow++;
}

int
worker_main(void *arg)
{
	struct worker *w = arg;

	/* Short sleeps are meant: the usual slack of 50 us would treble them. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	while (!w->is_stopped) {
		uint32_t work = 0;

		w->now_ns = clock_ns(w->clock);
		work += deliver_poll(w);
		work += worker_rx(w);
		work += shards_rx(w);
		work += submit_poll(w);
		work += answer_poll(w);
		work += worker_timers(w);
		work += deliver_poll(w);
		work += worker_tx(w);
		submit_writable(w);
		publish_poll(w);
		worker_housekeeping(w, w->now_ns);
		idle_turn(w, work);
	}
	return 0;
}
