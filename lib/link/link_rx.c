/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reception of sequenced packets: window, deferral, delivery in sequence, unwrapping of
 * bundles and fragments. Src: 03-link-node.md, 13; 01-wire-format.md, 4.1, 8.1, 8.2.
 * LINK_PROTOCOL messages: link_proto.c.
 */

#include <rte_mbuf.h>

#include "link_priv.h"

/* A message in sequence goes to the node if its user may be here. Src: 01-wire-format.md, 4.1. */
static void
rx_deliver_msg(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	switch (dpt_msg_user(dpt_buf_hdr(m))) {
	case DPT_USER_LOW:
	case DPT_USER_MEDIUM:
	case DPT_USER_HIGH:
	case DPT_USER_CRITICAL:
	case DPT_USER_BCAST_PROTOCOL:
	case DPT_USER_CONN_MANAGER:
	case DPT_USER_GROUP_PROTOCOL:
	case DPT_USER_NAME_DISTRIBUTOR:
		dpt_bufq_push(in, m);
		break;
	default:
		LINK_DROP(link, m, drop_user, now_ns);
		break;
	}
}

static void
rx_deliver_bundle(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	bool is_malformed = false;
	uint32_t offset = 0;
	struct rte_mbuf *inner;

	LINK_COUNT(link, recv_bundles);
	while ((inner = dpt_msg_unbundle(m, &offset, &is_malformed, link->env.pool)) != NULL) {
		LINK_COUNT(link, recv_bundled);
		rx_deliver_msg(link, inner, now_ns, in);
	}
	if (is_malformed) {
		LINK_DROP(link, m, drop_bundle, now_ns);
		return;
	}
	LINK_COUNT(link, consumed_bundle);
	rte_pktmbuf_free(m);
}

static uint32_t
rx_deliver_fragment(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	bool is_first = link->reassembly.head == NULL;
	uint64_t drops = 0;
	int rc;

	LINK_COUNT(link, recv_fragments);
	rc = dpt_reassembly_add(&link->reassembly, m, &m, &drops);
	if (rc < 0) {
		LINK_COUNT_N(link, drop_fragment, drops);
		return link_fail(link, DPT_DOWN_REASSEMBLY, now_ns);
	}
	/* The first one becomes the message, the others become part of it. */
	if (!is_first)
		LINK_COUNT(link, consumed_fragment);
	if (rc > 0) {
		LINK_COUNT(link, recv_fragmented);
		rx_deliver_msg(link, m, now_ns, in);
	}
	return 0;
}

static uint32_t
rx_deliver(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	link->rcv_nxt++;
	LINK_COUNT(link, recv_pkts);
	switch (dpt_msg_user(dpt_buf_hdr(m))) {
	case DPT_USER_BUNDLER:
		rx_deliver_bundle(link, m, now_ns, in);
		return 0;
	case DPT_USER_FRAGMENTER:
		return rx_deliver_fragment(link, m, now_ns, in);
	case DPT_USER_TUNNEL:
		LINK_DROP(link, m, drop_tunnel, now_ns);
		return 0;
	default:
		rx_deliver_msg(link, m, now_ns, in);
		return 0;
	}
}

/* Keep a packet that came early; ask for the missing ones at 3, 19, 35... of them. */
static uint32_t
rx_defer(struct dpt_link *link, struct rte_mbuf *m, uint16_t seq, uint64_t now_ns,
	 struct dpt_out *out)
{
	struct rte_mbuf **slot = &link->defer_ring[seq & link->ring_mask];
	struct link_state_args args = {0};

	if (*slot != NULL) {
		LINK_COUNT(link, duplicates);
		LINK_DROP(link, m, drop_duplicate, now_ns);
	} else {
		*slot = m;
		if (link->defer_cnt == 0 || dpt_seq_lt(seq, link->defer_first))
			link->defer_first = seq;
		if (link->defer_cnt == 0 || dpt_seq_lt(link->defer_last, seq))
			link->defer_last = seq;
		link->defer_cnt++;
	}
	LINK_COUNT(link, deferred_recv);
	if (link->defer_cnt < LINK_NACK_FIRST ||
	    (link->defer_cnt - LINK_NACK_FIRST) % LINK_NACK_EVERY != 0)
		return 0;
	args.gap = link_defer_gap(link);
	return link_state_send(link, &args, out);
}

/* The deferred packet that is expected now, or NULL. */
static struct rte_mbuf *
rx_undefer(struct dpt_link *link)
{
	struct rte_mbuf **slot = &link->defer_ring[link->rcv_nxt & link->ring_mask];
	struct rte_mbuf *m;

	if (link->defer_cnt == 0 || link->defer_first != link->rcv_nxt)
		return NULL;
	m = *slot;
	*slot = NULL;
	if (--link->defer_cnt > 0) {
		do
			link->defer_first++;
		while (link->defer_ring[link->defer_first & link->ring_mask] == NULL);
	}
	return m;
}

/* Deliver m and what was waiting for it; acknowledge each 16 packets. */
static uint32_t
rx_in_sequence(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in,
	       struct dpt_out *out)
{
	uint32_t result = 0;

	do {
		result |= rx_deliver(link, m, now_ns, in);
		if (++link->rcv_unacked >= LINK_ACK_PKTS && link_is_up(link)) {
			LINK_COUNT(link, sent_acks);
			result |= dpt_link_state_tx(link, out);
		}
		if (result & DPT_LINK_R_DOWN)
			break;
		m = rx_undefer(link);
	} while (m != NULL);
	return result;
}

uint32_t
dpt_link_rx(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in,
	    struct dpt_out *out)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint16_t seq = (uint16_t)dpt_msg_seqno(hdr);
	uint16_t ahead = dpt_seq_dist(link->rcv_nxt, seq);
	uint32_t result = DPT_LINK_R_ACCEPTED;
	uint32_t released;

	link->silent = 0;
	link->last_rx_ns = now_ns;
	if (!link_is_up(link)) {
		LINK_DROP(link, m, drop_not_up, now_ns);
		return link->state == DPT_LINK_ESTABLISHING ? DPT_LINK_R_UP : 0;
	}
	if (ahead > DPT_LINK_RCV_WINDOW_PKTS) {
		LINK_COUNT(link, duplicates);
		if (dpt_seq_lt(seq, link->rcv_nxt))
			LINK_DROP(link, m, drop_duplicate, now_ns);
		else
			LINK_DROP(link, m, drop_window, now_ns);
		return 0;
	}
	released = link_ack(link, (uint16_t)dpt_msg_ack(hdr));
	if (ahead == 0)
		result |= rx_in_sequence(link, m, now_ns, in, out);
	else if (ahead <= link->ring_mask)
		result |= rx_defer(link, m, seq, now_ns, out);
	else
		LINK_DROP(link, m, drop_defer_full, now_ns);
	if (released > 0 && (result & DPT_LINK_R_DOWN) == 0) {
		link_window_update(link, released, 0);
		link_drain(link, now_ns, out);
		link_release_report(link, out);
	}
	return result;
}
