/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reception of sequenced packets: window, deferral, delivery in sequence, unwrapping of
 * bundles and fragments. Src: 03-link-node.md, 13; 01-wire-format.md, 4.1, 8.1, 8.2.
 * LINK_PROTOCOL messages: link_proto.c.
 */

#include <rte_mbuf.h>

#include "dpt_mutant.h"
#include "link_priv.h"

void
link_deliver_msg(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
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
		dpt_buf(m)->flags = 0;
		dpt_bufq_push(in, m);
		break;
	default:
		LINK_DROP(link, m, drop_user, now_ns);
		break;
	}
}

void
link_deliver_bundle(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	uint32_t left = DPT_MUTANT(bundle_last_lost) ? dpt_msg_msgcnt(dpt_buf_hdr(m)) : 0;
	bool is_malformed = false;
	uint32_t offset = 0;
	struct rte_mbuf *inner;

	LINK_COUNT(link, recv_bundles);
	while ((inner = dpt_msg_unbundle(m, &offset, &is_malformed, link->env.pool)) != NULL) {
		LINK_COUNT(link, recv_bundled);
		if (DPT_MUTANT(bundle_last_lost) && --left == 0) {
			rte_pktmbuf_free(inner);
			break;
		}
		link_deliver_msg(link, inner, now_ns, in);
	}
	if (is_malformed) {
		LINK_DROP(link, m, drop_bundle, now_ns);
		return;
	}
	LINK_COUNT(link, consumed_bundle);
	rte_pktmbuf_free(m);
}

uint32_t
link_deliver_fragment(struct dpt_link *link, struct dpt_reassembly *ra, struct rte_mbuf *m,
		      uint64_t now_ns, struct dpt_bufq *in)
{
	bool is_first = ra->head == NULL;
	uint64_t drops = 0;
	int rc;

	LINK_COUNT(link, recv_fragments);
	rc = dpt_reassembly_add(ra, m, &m, &drops);
	if (rc < 0) {
		LINK_COUNT_N(link, drop_fragment, drops);
		LINK_NOTE_MORE(link, DROP,
			       offsetof(struct dpt_link_counters, drop_fragment) / sizeof(uint64_t),
			       link->rcv_nxt - 1, DPT_USER_FRAGMENTER);
		return link_fail(link, DPT_DOWN_REASSEMBLY, now_ns);
	}
	/* The first one becomes the message, the others become part of it. */
	if (!is_first)
		LINK_COUNT(link, consumed_fragment);
	if (rc > 0) {
		LINK_COUNT(link, recv_fragmented);
		link_deliver_msg(link, m, now_ns, in);
	}
	return 0;
}

static uint32_t
rx_deliver(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	dpt_flight_packet(link->flight, DPT_FLIGHT_WAY_RECV, now_ns, link->rcv_nxt);
	link->rcv_nxt++;
	LINK_COUNT(link, recv_pkts);
	switch (dpt_msg_user(dpt_buf_hdr(m))) {
	case DPT_USER_BUNDLER:
		link_deliver_bundle(link, m, now_ns, in);
		return 0;
	case DPT_USER_FRAGMENTER:
		return link_deliver_fragment(link, &link->reassembly, m, now_ns, in);
	case DPT_USER_TUNNEL:
		return link_tunnel_rx(link, m, now_ns, in);
	default:
		link_deliver_msg(link, m, now_ns, in);
		return 0;
	}
}

/* Keep a packet that came early, or that has to wait for the other link. false: no room. */
static bool
rx_keep(struct dpt_link *link, struct rte_mbuf *m, uint16_t seq, uint64_t now_ns)
{
	switch (link_defer_put(link, &link->defer, m, seq, link->rcv_nxt)) {
	case LINK_DEFER_OK:
		break;
	case LINK_DEFER_DUPLICATE:
		LINK_COUNT(link, duplicates);
		LINK_DROP(link, m, drop_duplicate, now_ns);
		break;
	case LINK_DEFER_FULL:
		LINK_DROP(link, m, drop_defer_full, now_ns);
		return false;
	}
	return true;
}

/*
 * The packet came early; ask for the missing ones at 3, 19, 35... of them. Not while
 * SYNCHING: what is missing then may be in the other link's way.
 */
static uint32_t
rx_defer(struct dpt_link *link, struct rte_mbuf *m, uint16_t seq, uint64_t now_ns,
	 struct dpt_out *out)
{
	struct link_state_args args = {0};
	uint16_t held_cnt = link->defer.cnt;

	if (!rx_keep(link, m, seq, now_ns))
		return 0;
	/* Not one that was set aside before, which is a duplicate. Src: 11-management.md, C5. */
	LINK_COUNT_N(link, deferred_recv, link->defer.cnt - held_cnt);
	LINK_NOTE_RUN(link, DEFERRED, seq, link->rcv_nxt);
	link_repair_note(link, now_ns);
	if (link->state == DPT_LINK_SYNCHING || link->defer.cnt < LINK_NACK_FIRST ||
	    (link->defer.cnt - LINK_NACK_FIRST) % LINK_NACK_EVERY != 0)
		return 0;
	args.gap = link_defer_gap(link);
	return link_state_send(link, &args, out);
}

/*
 * The deferred packet that is expected now, or NULL. While SYNCHING only those that say how
 * far the other link was: the rest is held.
 */
static struct rte_mbuf *
rx_undefer(struct dpt_link *link)
{
	struct rte_mbuf *m;

	if (link->defer.cnt == 0 || link->defer.first != link->rcv_nxt)
		return NULL;
	m = link->defer.ring[link->rcv_nxt & link->ring_mask];
	if (link->state == DPT_LINK_SYNCHING && dpt_msg_user(dpt_buf_hdr(m)) != DPT_USER_TUNNEL &&
	    !DPT_MUTANT(synch_undeferred))
		return NULL;
	return link_defer_take(link, &link->defer, link->rcv_nxt);
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

/*
 * What all sequenced packets have in common. false: m has been dropped, *result says what
 * follows. Src: 03-link-node.md, 13 steps 1 to 3.
 */
static bool
rx_accept(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, uint32_t *result)
{
	uint16_t seq = (uint16_t)dpt_msg_seqno(dpt_buf_hdr(m));

	link->silent = 0;
	link->last_rx_ns = now_ns;
	link->flight_ns = now_ns;
	*result = 0;
	if (!link_is_up(link)) {
		LINK_DROP(link, m, drop_not_up, now_ns);
		if (link->state == DPT_LINK_ESTABLISHING && link_guard_is_open(link, now_ns))
			*result = DPT_LINK_R_UP;
		return false;
	}
	if (dpt_seq_dist(link->rcv_nxt, seq) <= DPT_LINK_RCV_WINDOW_PKTS) {
		*result = DPT_LINK_R_ACCEPTED;
		return true;
	}
	LINK_COUNT(link, duplicates);
	if (DPT_MUTANT(duplicate_accepted) && dpt_seq_dist(seq, link->rcv_nxt) == 1) {
		link->rcv_nxt = seq;
		*result = DPT_LINK_R_ACCEPTED;
		return true;
	}
	if (dpt_seq_lt(seq, link->rcv_nxt))
		LINK_DROP(link, m, drop_duplicate, now_ns);
	else
		LINK_DROP(link, m, drop_window, now_ns);
	return false;
}

/* The packet has released some of ours: there is room. */
static void
rx_released(struct dpt_link *link, uint32_t released, uint64_t now_ns, struct dpt_out *out)
{
	if (released == 0 || !link_is_up(link))
		return;
	link_window_update(link, released, 0);
	link_drain(link, now_ns, out);
	link_release_report(link, out);
}

uint32_t
dpt_link_rx(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in,
	    struct dpt_out *out)
{
	uint16_t seq = (uint16_t)dpt_msg_seqno(dpt_buf_hdr(m));
	uint32_t result, released;

	if (!rx_accept(link, m, now_ns, &result))
		return result;
	released = link_ack(link, (uint16_t)dpt_msg_ack(dpt_buf_hdr(m)));
	if (seq != link->rcv_nxt) {
		result |= rx_defer(link, m, seq, now_ns, out);
	} else if (unlikely(link->defer.cnt > 0 && link->defer.first == seq)) {
		/* Held already. */
		rx_keep(link, m, seq, now_ns);
	} else {
		result |= rx_in_sequence(link, m, now_ns, in, out);
	}
	rx_released(link, released, now_ns, out);
	return result;
}

uint32_t
dpt_link_hold(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out)
{
	uint16_t seq = (uint16_t)dpt_msg_seqno(dpt_buf_hdr(m));
	uint32_t result, released;

	if (!rx_accept(link, m, now_ns, &result))
		return result;
	released = link_ack(link, (uint16_t)dpt_msg_ack(dpt_buf_hdr(m)));
	LINK_COUNT(link, held_pkts);
	rx_keep(link, m, seq, now_ns);
	LINK_NOTE(link, TUNNEL, DPT_FLIGHT_TUNNEL_HELD, seq, link->rcv_nxt, link->defer.cnt);
	rx_released(link, released, now_ns, out);
	return result;
}

uint32_t
dpt_link_unhold(struct dpt_link *link, uint64_t now_ns, struct dpt_bufq *in, struct dpt_out *out)
{
	struct link_state_args args = {0};
	uint32_t result = 0;
	struct rte_mbuf *m;

	link->flight_ns = now_ns;
	if (!link_is_up(link))
		return 0;
	LINK_NOTE(link, TUNNEL, DPT_FLIGHT_TUNNEL_SYNCH_END, link->defer.cnt);
	m = rx_undefer(link);
	if (m != NULL)
		result = rx_in_sequence(link, m, now_ns, in, out);
	/* What has been missing all the time is asked for now. */
	args.gap = link_defer_gap(link);
	if (args.gap != 0 && link_is_up(link) && link->state != DPT_LINK_SYNCHING)
		result |= link_state_send(link, &args, out);
	return result;
}
