/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Distribution of the name table, receiver's side: one order out of bulk and updates, which
 * come over the unicast and the broadcast link (04-name-table.md, 7.3).
 *
 * The spec describes a queue that is scanned after each arrival. The same order comes out
 * here without scans: bulk and legacy messages are taken at once, a numbered one is taken if
 * it is the next, and one that waits is found by its number, so a peer that fills its queue
 * cannot make each further message cost a pass over it.
 */
#include "distr_priv.h"
#include "dpt_msg.h"
#include "dpt_seq.h"

/* Numbers that share a bucket. */
#define BUCKET_NUMBERS (65536 / DISTR_BUCKETS)

static struct rte_mbuf **
waiting_slot(struct distr_peer *peer, uint16_t seqno)
{
	struct rte_mbuf **slot = &peer->waiting[seqno / BUCKET_NUMBERS];

	while (*slot != NULL && dpt_buf(*slot)->seqno != seqno)
		slot = &dpt_buf(*slot)->next;
	return slot;
}

static struct rte_mbuf *
waiting_take(struct dpt_distr *distr, struct distr_peer *peer, struct rte_mbuf **slot)
{
	struct rte_mbuf *m = *slot;

	*slot = dpt_buf(m)->next;
	dpt_buf(m)->next = NULL;
	peer->waiting_cnt--;
	distr->waiting_cnt--;
	return m;
}

void
distr_waiting_free(struct dpt_distr *distr, struct distr_peer *peer, uint64_t *counter)
{
	for (uint32_t i = 0; i < DISTR_BUCKETS && peer->waiting_cnt > 0; i++) {
		while (peer->waiting[i] != NULL) {
			rte_pktmbuf_free(waiting_take(distr, peer, &peer->waiting[i]));
			(*counter)++;
		}
	}
}

/* rcv_nxt was set by a bulk: drop what is before it. Buckets that are ahead are skipped. */
static void
waiting_drop_before(struct dpt_distr *distr, struct distr_peer *peer)
{
	for (uint32_t i = 0; i < DISTR_BUCKETS && peer->waiting_cnt > 0; i++) {
		struct rte_mbuf **slot = &peer->waiting[i];
		uint16_t first = (uint16_t)(i * BUCKET_NUMBERS);

		if (dpt_seq_dist(peer->rcv_nxt, first) <= 0x8000 - BUCKET_NUMBERS)
			continue;
		while (*slot != NULL) {
			if (!dpt_seq_lt(dpt_buf(*slot)->seqno, peer->rcv_nxt)) {
				slot = &dpt_buf(*slot)->next;
				continue;
			}
			rte_pktmbuf_free(waiting_take(distr, peer, slot));
			distr->cfg.counters->drop_before++;
		}
	}
}

/* rcv_nxt has changed: what waits for its turn may be due. */
static void
waiting_release(struct dpt_distr *distr, struct distr_peer *peer)
{
	while (peer->waiting_cnt > 0) {
		struct rte_mbuf **slot = waiting_slot(peer, peer->rcv_nxt);

		if (*slot == NULL)
			return;
		dpt_bufq_push(&distr->ready, waiting_take(distr, peer, slot));
		peer->rcv_nxt++;
	}
}

static void
waiting_add(struct dpt_distr *distr, struct distr_peer *peer, struct rte_mbuf *m, uint16_t seqno)
{
	struct dpt_names_counters *counters = distr->cfg.counters;
	struct rte_mbuf **slot = waiting_slot(peer, seqno);

	if (*slot != NULL) {
		rte_pktmbuf_free(m);
		counters->drop_same_number++;
		return;
	}
	if (peer->waiting_cnt >= distr->cfg.queue_msgs_max) {
		rte_pktmbuf_free(m);
		counters->drop_queue_full++;
		peer->is_out_of_step = true;
		distr->overflown_cnt++;
		return;
	}
	dpt_buf(m)->seqno = seqno;
	dpt_buf(m)->next = NULL;
	*slot = m;
	peer->waiting_cnt++;
	distr->waiting_cnt++;
}

/* A message of a peer in step. */
static void
rx_in_order(struct dpt_distr *distr, struct distr_peer *peer, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint16_t seqno = (uint16_t)dpt_msg_named_seqno(hdr);

	if (dpt_msg_last_bulk(hdr)) {
		peer->rcv_nxt = seqno;
		peer->is_open = true;
		waiting_drop_before(distr, peer);
	}
	if (dpt_msg_bulk(hdr) || !dpt_msg_non_legacy(hdr)) {
		dpt_bufq_push(&distr->ready, m);
	} else if (peer->is_open && seqno == peer->rcv_nxt) {
		struct rte_mbuf **slot = waiting_slot(peer, seqno);

		/* Only a last_bulk bit on an update can leave a twin waiting: ours came first. */
		if (*slot != NULL) {
			rte_pktmbuf_free(waiting_take(distr, peer, slot));
			distr->cfg.counters->drop_same_number++;
		}
		dpt_bufq_push(&distr->ready, m);
		peer->rcv_nxt++;
	} else if (peer->is_open && dpt_seq_lt(seqno, peer->rcv_nxt)) {
		rte_pktmbuf_free(m);
		distr->cfg.counters->drop_before++;
		return;
	} else {
		waiting_add(distr, peer, m, seqno);
		return;
	}
	if (peer->is_open)
		waiting_release(distr, peer);
}

void
dpt_distr_rx(struct dpt_distr *distr, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	struct dpt_names_counters *counters = distr->cfg.counters;
	struct dpt_node_addr orig = dpt_node_addr(dpt_msg_orignode(hdr));
	struct distr_peer *peer;

	counters->updates_received++;
	if (orig.value != dpt_msg_prevnode(hdr) || orig.value == 0 ||
	    orig.value == distr->own.value) {
		counters->drop_orignode++;
		rte_pktmbuf_free(m);
		return;
	}
	peer = distr_peer_find(distr, orig);
	if (peer == NULL) {
		counters->drop_unknown_peer++;
		rte_pktmbuf_free(m);
		return;
	}
	if (peer->is_out_of_step) {
		counters->drop_queue_full++;
		rte_pktmbuf_free(m);
		return;
	}
	rx_in_order(distr, peer, m);
}

struct rte_mbuf *
dpt_distr_pop(struct dpt_distr *distr)
{
	return dpt_bufq_pop(&distr->ready);
}

struct dpt_node_addr
dpt_distr_overflown(struct dpt_distr *distr)
{
	struct distr_peer *peer;

	if (distr->overflown_cnt == 0)
		return dpt_node_addr(0);
	TAILQ_FOREACH (peer, &distr->ups, up) {
		if (peer->is_out_of_step && !peer->is_reported)
			break;
	}
	DPT_ASSERT(peer != NULL);
	peer->is_reported = true;
	distr->overflown_cnt--;
	return peer->addr;
}
