/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings between workers: one for each ordered pair, single producer, single consumer, so the
 * order of each sender is kept. A full ring is back-pressure: the buffer waits here.
 */
#include "worker.h"

uint32_t
shards_rx(struct worker *w)
{
	uint32_t work = 0;

	for (uint8_t from = 0; w->workers_cnt > 1 && from < w->workers_cnt; from++) {
		struct rte_mbuf *bufs[WORKER_BURST];
		unsigned int cnt;

		if (from == w->idx)
			continue;
		cnt = rte_ring_sc_dequeue_burst(w->shard_in[from], (void **)bufs, WORKER_BURST,
						NULL);
		if (cnt == 0)
			continue;
		dpt_stack_shard_rx(w->stack, bufs, (uint16_t)cnt, w->now_ns, &w->out);
		worker_events(w);
		work += cnt;
	}
	return work;
}

void
shards_tx(struct worker *w)
{
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(&w->out.shard)) != NULL) {
		uint8_t to = dpt_buf(m)->shard;

		DPT_ASSERT(to < w->workers_cnt);
		DPT_ASSERT(to != w->idx);
		dpt_bufq_push(&w->shard_wait[to], m);
	}
	for (uint8_t to = 0; w->workers_cnt > 1 && to < w->workers_cnt; to++) {
		struct dpt_bufq *wait = &w->shard_wait[to];
		struct worker *peer = &w->workers[to];
		bool is_sent = false;

		while ((m = dpt_bufq_pop(wait)) != NULL) {
			if (rte_ring_sp_enqueue(peer->shard_in[w->idx], m) != 0) {
				dpt_bufq_push_head(wait, m);
				w->counters.shard_ring_full++;
				break;
			}
			is_sent = true;
		}
		if (is_sent)
			worker_wake(peer);
	}
}

void
shards_forward(struct worker *w, struct rte_mbuf *m)
{
	struct worker *owner = &w->workers[0];

	if (rte_ring_sp_enqueue(owner->tx_in[w->idx], m) != 0) {
		rte_pktmbuf_free(m);
		w->counters.drop_tx_ring_full++;
		return;
	}
	w->counters.tx_forwarded++;
	worker_wake(owner);
}

bool
shards_is_pending(const struct worker *w)
{
	for (uint8_t i = 0; w->workers_cnt > 1 && i < w->workers_cnt; i++) {
		if (w->shard_wait[i].head != NULL)
			return true;
		if (i != w->idx && !rte_ring_empty(w->shard_in[i]))
			return true;
		if (w->idx == 0 && i != 0 && !rte_ring_empty(w->tx_in[i]))
			return true;
	}
	return false;
}
