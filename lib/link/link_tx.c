/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Sending: window, backlog by importance, congestion, retransmission of a packet.
 * Src: 03-link-node.md, 11. What waits: link_bundle.c.
 */

#include <errno.h>

#include <rte_mbuf.h>

#include "dpt_mutant.h"
#include "link_priv.h"

/* Room in the window, and in the ring, which has to hold holes too. */
static bool
tx_can_send(const struct dpt_link *link)
{
	return link->snd_cnt < link->window &&
	       dpt_seq_dist(link->snd_una, link->snd_nxt) <= link->ring_mask;
}

/* What every transmission of a sequenced packet says anew. */
static void
tx_stamp(const struct dpt_link *link, struct rte_mbuf *m)
{
	uint8_t *hdr = dpt_buf_hdr(m);

	dpt_msg_set_ack(hdr, (uint16_t)(link->rcv_nxt - 1));
	dpt_msg_set_bcast_ack(hdr, link->view->ack);
}

/*
 * Number a packet, keep it, and hand the bearer a second reference. A forwarded
 * message may still have the L2 header of the bearer that it came in on: cut off.
 */
static void
tx_first(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_buf *buf = dpt_buf(m);
	uint16_t seq = link->snd_nxt++;

	if (DPT_MUTANT(number_skipped) && (seq & 0x1f) == 0x1f)
		seq = link->snd_nxt++;
	link_l2_strip(m);
	buf->seqno = seq;
	buf->retransmit_next_ns = now_ns + LINK_RETRANSMIT_NS;
	buf->retransmit_first_ns = 0;
	dpt_msg_set_non_seq(dpt_buf_hdr(m), 0);
	dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
	tx_stamp(link, m);
	link->snd_ring[seq & link->ring_mask] = m;
	link->snd_cnt++;
	link->rcv_unacked = 0;
	if (buf->flags & DPT_BUF_F_BULK_END) {
		link->has_bulk_end = true;
		link->bulk_end = seq;
		link->bulk_cookie = buf->cookie;
	}
	LINK_COUNT(link, sent_pkts);
	link->flight_ns = now_ns;
	dpt_flight_packet(link->flight, DPT_FLIGHT_WAY_SENT, now_ns, seq);
	rte_pktmbuf_refcnt_update(m, 1);
	dpt_out_tx(out, m, link->bearer_id, &link->dst);
}

/*
 * The bearer may still hold the packet (its octets must not change then, nor its place
 * in a queue): a copy is sent instead.
 */
bool
link_retransmit(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_buf *buf = dpt_buf(m);
	struct rte_mbuf *tx = m;

	if (now_ns < buf->retransmit_next_ns)
		return false;
	if (rte_mbuf_refcnt_read(m) > 1) {
		tx = dpt_buf_copy(m, link->env.pool);
		if (tx == NULL) {
			LINK_ERROR(link, retransmit_no_buffer, buf->seqno);
			return false;
		}
	} else {
		rte_pktmbuf_refcnt_update(m, 1);
	}
	tx_stamp(link, tx);
	buf->retransmit_next_ns = now_ns + LINK_RETRANSMIT_NS;
	if (buf->retransmit_first_ns == 0)
		buf->retransmit_first_ns = RTE_MAX(now_ns, UINT64_C(1));
	LINK_COUNT(link, retransmitted);
	link_repair_note(link, now_ns);
	link_trace(link, now_ns, LINK_TRACE_RETRANSMIT, buf->seqno, link->snd_una, link->snd_nxt);
	LINK_NOTE_RUN(link, AGAIN, buf->seqno, link->snd_una);
	dpt_out_tx(out, tx, link->bearer_id, &link->dst);
	return true;
}

void
link_drain(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	while (link->backlog.cnt > 0 && tx_can_send(link)) {
		struct rte_mbuf *m = dpt_bufq_pop(&link->backlog);
		uint8_t level = dpt_buf(m)->importance;

		link->backlog_cnt[level]--;
		if (link->bundles[level] == m)
			link->bundles[level] = NULL;
		tx_first(link, m, now_ns, out);
	}
}

static void
bulk_end_report(struct dpt_link *link, struct dpt_out *out)
{
	if (!link->has_bulk_end || !dpt_seq_lt(link->bulk_end, link->snd_una))
		return;
	struct dpt_event *event = dpt_out_event(out, DPT_EVENT_BULK_ACKED);

	link->has_bulk_end = false;
	event->node = link->peer;
	event->cookie = link->bulk_cookie;
}

void
link_release_report(struct dpt_link *link, struct dpt_out *out)
{
	uint32_t room = 0;
	struct dpt_event *event;

	bulk_end_report(link, out);
	if (link->congested == 0)
		return;
	for (unsigned int imp = 0; imp < DPT_IMPORTANCE_CNT; imp++) {
		if (link->backlog_cnt[imp] < link->backlog_limit[imp])
			room |= link->congested & 1U << imp;
	}
	if (room == 0)
		return;
	link->congested &= (uint8_t)~room;
	LINK_NOTE(link, ROOM, room, link->snd_cnt, link->window);
	event = dpt_out_event(out, DPT_EVENT_LINK_ROOM);
	event->node = link->peer;
	event->bearer_id = link->bearer_id;
	event->value = room;
}

/* m as packets that can be sent: itself, a copy in one segment, or fragments. m is gone. */
static int
tx_packets(struct dpt_link *link, struct rte_mbuf *m, struct dpt_bufq *list)
{
	uint32_t bytes = dpt_buf_bytes(m);
	struct rte_mbuf *copy;

	if (bytes > dpt_link_mss(link)) {
		if (dpt_link_fragment(m, dpt_link_mss(link), link->own, link->peer, link->env.pool,
				      list) < 0)
			return -ENOBUFS;
		LINK_COUNT(link, sent_fragmented);
		LINK_COUNT_N(link, sent_fragments, list->cnt);
		return 0;
	}
	if (m->nb_segs > 1) {
		copy = dpt_buf_copy(m, link->env.pool);
		rte_pktmbuf_free(m);
		if (copy == NULL)
			return -ENOBUFS;
		m = copy;
	}
	dpt_bufq_push(list, m);
	return 0;
}

void
link_tx_list(struct dpt_link *link, struct dpt_bufq *q, uint8_t level, uint64_t now_ns,
	     struct dpt_out *out)
{
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(q)) != NULL) {
		if (link->backlog.cnt == 0 && tx_can_send(link))
			tx_first(link, m, now_ns, out);
		else
			link_backlog_add(link, m, level);
	}
}

bool
dpt_link_is_system_scarce(const struct dpt_link *link)
{
	return link->backlog_cnt[DPT_IMPORTANCE_SYSTEM] >=
	       link->backlog_limit[DPT_IMPORTANCE_SYSTEM] / 2;
}

int
dpt_link_tx(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out)
{
	uint8_t imp = dpt_msg_link_importance(dpt_buf_hdr(m));
	bool is_full = link->backlog_cnt[imp] >= link->backlog_limit[imp];
	uint8_t mark = dpt_buf(m)->flags & DPT_BUF_F_BULK_END;
	uint64_t cookie = dpt_buf(m)->cookie;
	struct dpt_bufq list;

	if (is_full && imp == DPT_IMPORTANCE_SYSTEM) {
		LINK_DROP(link, m, drop_overflow, now_ns);
		return -ENOBUFS;
	}
	dpt_bufq_init(&list);
	if (tx_packets(link, m, &list) < 0) {
		LINK_COUNT(link, drop_no_buffer);
		link_trace(link, now_ns, LINK_TRACE_NO_BUFFER, imp, link->snd_nxt,
			   link->backlog.cnt);
		link->flight_ns = now_ns;
		LINK_NOTE_MORE(link, DROP,
			       offsetof(struct dpt_link_counters, drop_no_buffer) /
				       sizeof(uint64_t),
			       link->snd_nxt, imp);
		return -ENOBUFS;
	}
	/* Of fragments the last one has the mark; a copy has not taken it over. */
	dpt_buf(list.tail)->flags |= mark;
	dpt_buf(list.tail)->cookie = cookie;
	link_tx_list(link, &list, imp, now_ns, out);
	if (!is_full)
		return 0;
	if ((link->congested & 1U << imp) == 0)
		LINK_NOTE(link, CONGESTED, imp, link->backlog_cnt[imp], link->backlog_limit[imp],
			  link->window);
	link->congested |= (uint8_t)(1U << imp);
	LINK_COUNT(link, link_congs);
	return 1;
}
