/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving end of one peer's broadcast stream: 06-broadcast.md, 3, 5 and 6.1 to 6.3.
 *
 *   delivered | missing / deferred (ring by seqno) |  ignored
 *              ^ rcv_nxt                            ^ rcv_nxt + DPT_BCAST_DEFER_PKTS
 *
 * No timers: the unicast link's timer reads view.is_ack_due and view.is_unacked.
 */
#include "dpt_bcast.h"

#include <string.h>

#include "dpt_mutant.h"
#include "dpt_seq.h"

DPT_STATIC_ASSERT((DPT_BCAST_DEFER_PKTS & (DPT_BCAST_DEFER_PKTS - 1)) == 0, "ring by mask");

#define DEFER_MASK (DPT_BCAST_DEFER_PKTS - 1)

/* The shard's sum and this link's own. offset: of the counter in struct dpt_bcast_counters. */
static void
rcv_count(struct dpt_bcast_rcv *rcv, size_t offset, uint64_t n)
{
	*(uint64_t *)((uint8_t *)rcv->counters + offset) += n;
	*(uint64_t *)((uint8_t *)&rcv->stats + offset) += n;
}

#define RCV_OFFSET(symbol)	    offsetof(struct dpt_bcast_counters, symbol)
#define RCV_COUNT_N(rcv, symbol, n) rcv_count(rcv, RCV_OFFSET(symbol), n)
#define RCV_COUNT(rcv, symbol)	    RCV_COUNT_N(rcv, symbol, 1)

/* Every receiver acknowledges each 16th packet, at its own place of the cycle. Src: 5. */
#define ACK_CYCLE_PKTS 16
#define ACK_CYCLE_MASK (ACK_CYCLE_PKTS - 1)

void
dpt_bcast_rcv_init(struct dpt_bcast_rcv *rcv, const struct dpt_env *env, struct dpt_node_addr own,
		   struct dpt_node_addr peer, uint32_t net_id, uint16_t peer_caps,
		   struct dpt_bcast_counters *counters)
{
	memset(rcv, 0, sizeof(*rcv));
	rcv->env = *env;
	rcv->own = own;
	rcv->peer = peer;
	rcv->net_id = net_id;
	rcv->peer_caps = peer_caps;
	rcv->counters = counters;
	rcv->rcv_nxt = 1;
	rcv->announced_nxt = 1;
}

static void
view_unacked_update(struct dpt_bcast_rcv *rcv)
{
	rcv->view.is_unacked = rcv->is_up && rcv->last_ack_seen != rcv->view.last_bcast;
}

void
dpt_bcast_rcv_last_bcast_set(struct dpt_bcast_rcv *rcv, uint16_t last_bcast)
{
	rcv->view.last_bcast = last_bcast;
	view_unacked_update(rcv);
}

void
dpt_bcast_rcv_acked(struct dpt_bcast_rcv *rcv)
{
	rcv->view.is_ack_due = false;
}

/*
 * Gap and blocks of 6.1. One pass over the ring that ends at the last deferred packet:
 * with a sender that keeps its window that is not more than 50 slots.
 */
static void
view_update(struct dpt_bcast_rcv *rcv)
{
	struct dpt_bcast_view *view = &rcv->view;
	uint16_t gap = 0, missing = 0, found = 0;
	bool in_run = false;

	view->is_up = rcv->is_up;
	view->ack = (uint16_t)(rcv->rcv_nxt - 1);
	view->blocks_cnt = 0;
	if (dpt_seq_lt(rcv->rcv_nxt, rcv->announced_nxt))
		gap = dpt_seq_dist(rcv->rcv_nxt, rcv->announced_nxt);
	for (uint16_t seqno = rcv->rcv_nxt; found < rcv->deferred; seqno++) {
		struct dpt_gap_block *block;

		if (rcv->defer[seqno & DEFER_MASK] == NULL) {
			missing++;
			in_run = false;
			continue;
		}
		if (found++ == 0)
			gap = missing;
		if (!in_run && view->blocks_cnt > 0)
			view->blocks[view->blocks_cnt - 1].gap = missing;
		if (!in_run && view->blocks_cnt == DPT_GAP_BLOCKS_MAX)
			break;
		if (!in_run)
			view->blocks_cnt++;
		in_run = true;
		missing = 0;
		block = &view->blocks[view->blocks_cnt - 1];
		*block = (struct dpt_gap_block){.ack = seqno, .gap = 0};
	}
	view->gap = gap & 0x3ff;
	view_unacked_update(rcv);
}

void
dpt_bcast_rcv_reset(struct dpt_bcast_rcv *rcv)
{
	uint16_t last_bcast = rcv->view.last_bcast;

	for (uint16_t i = 0; i < DPT_BCAST_DEFER_PKTS; i++) {
		if (rcv->defer[i] == NULL)
			continue;
		RCV_COUNT(rcv, drop_reset);
		rte_pktmbuf_free(rcv->defer[i]);
		rcv->defer[i] = NULL;
	}
	RCV_COUNT_N(rcv, drop_reset, dpt_reassembly_reset(&rcv->reassembly));
	rcv->is_up = false;
	rcv->is_peer_open = false;
	rcv->rcv_nxt = 1;
	rcv->announced_nxt = 1;
	rcv->rcv_unacked = 0;
	rcv->defer_cnt = 0;
	rcv->deferred = 0;
	rcv->last_ack_seen = 0;
	/* What we have sent last is not the peer's state. */
	memset(&rcv->view, 0, sizeof(rcv->view));
	rcv->view.last_bcast = last_bcast;
	dpt_bcast_rcv_stats_reset(rcv);
}

void
dpt_bcast_rcv_sync(struct dpt_bcast_rcv *rcv, const uint8_t *hdr)
{
	if (rcv->is_up)
		return;
	rcv->is_up = true;
	rcv->rcv_nxt = (uint16_t)(dpt_msg_last_bcast(hdr) + 1);
	rcv->announced_nxt = rcv->rcv_nxt;
	view_update(rcv);
}

void
dpt_bcast_rcv_names_seen(struct dpt_bcast_rcv *rcv)
{
	if (rcv->is_up)
		return;
	rcv->is_up = true;
	view_update(rcv);
}

/* What the stream may deliver: 5.1. Keys (user 14) only come encrypted, elsewhere. */
static bool
is_deliverable(const uint8_t *hdr)
{
	uint32_t type = dpt_msg_type(hdr);

	switch (dpt_msg_user(hdr)) {
	case DPT_USER_LOW:
	case DPT_USER_MEDIUM:
	case DPT_USER_HIGH:
	case DPT_USER_CRITICAL:
		return type == DPT_TYPE_MCAST || type == DPT_TYPE_GRP_BCAST ||
		       type == DPT_TYPE_GRP_MCAST;
	case DPT_USER_GROUP_PROTOCOL:
	case DPT_USER_NAME_DISTRIBUTOR:
		return true;
	default:
		return false;
	}
}

static void
deliver_msg(struct dpt_bcast_rcv *rcv, struct rte_mbuf *m, struct dpt_out *out)
{
	if (!is_deliverable(dpt_buf_hdr(m))) {
		RCV_COUNT(rcv, drop_user);
		rte_pktmbuf_free(m);
		return;
	}
	RCV_COUNT(rcv, rx_delivered);
	dpt_buf(m)->flags = DPT_BUF_F_BCAST;
	dpt_bufq_push(&out->up, m);
}

static void
deliver_bundle(struct dpt_bcast_rcv *rcv, struct rte_mbuf *bundle, struct dpt_out *out)
{
	bool is_malformed = false;
	uint32_t offset = 0;
	struct rte_mbuf *m;

	RCV_COUNT(rcv, rx_bundles);
	while ((m = dpt_msg_unbundle(bundle, &offset, &is_malformed, rcv->env.pool)) != NULL) {
		RCV_COUNT(rcv, rx_bundled);
		deliver_msg(rcv, m, out);
	}
	if (is_malformed)
		RCV_COUNT(rcv, drop_bundle);
	rte_pktmbuf_free(bundle);
}

static void
deliver_fragment(struct dpt_bcast_rcv *rcv, struct rte_mbuf *m, struct dpt_out *out)
{
	struct rte_mbuf *msg = NULL;
	uint64_t drops = 0;
	int rc;

	RCV_COUNT(rcv, rx_fragments);
	rc = dpt_reassembly_add(&rcv->reassembly, m, &msg, &drops);
	RCV_COUNT_N(rcv, drop_fragment, drops);
	if (rc != 1)
		return;
	RCV_COUNT(rcv, rx_fragmented);
	deliver_msg(rcv, msg, out);
}

/* Packet rcv_nxt is there: rule 5. Returns whether a STATE is due. */
static bool
deliver_next(struct dpt_bcast_rcv *rcv, struct rte_mbuf *m, struct dpt_out *out)
{
	RCV_COUNT(rcv, rx_pkts);
	rcv->rcv_nxt++;
	rcv->rcv_unacked++;
	rcv->view.is_ack_due = true;
	switch (dpt_msg_user(dpt_buf_hdr(m))) {
	case DPT_USER_BUNDLER:
		deliver_bundle(rcv, m, out);
		break;
	case DPT_USER_FRAGMENTER:
		deliver_fragment(rcv, m, out);
		break;
	default:
		deliver_msg(rcv, m, out);
		break;
	}
	if (rcv->rcv_unacked < ACK_CYCLE_PKTS ||
	    ((rcv->rcv_nxt ^ rcv->own.value) & ACK_CYCLE_MASK) != ACK_CYCLE_MASK)
		return false;
	rcv->rcv_unacked = 0;
	rcv->announced_nxt = rcv->rcv_nxt;
	RCV_COUNT(rcv, rx_acks);
	return true;
}

/* Rule 4. m is gone. Returns whether a STATE, which carries the gap, is due. */
static bool
defer(struct dpt_bcast_rcv *rcv, struct rte_mbuf *m, uint16_t seqno)
{
	struct rte_mbuf **slot = &rcv->defer[seqno & DEFER_MASK];
	size_t counter = RCV_OFFSET(rx_deferred);

	if (dpt_seq_dist(rcv->rcv_nxt, seqno) >= DPT_BCAST_DEFER_PKTS) {
		counter = RCV_OFFSET(drop_defer_far);
		rte_pktmbuf_free(m);
	} else if (*slot != NULL) {
		counter = RCV_OFFSET(drop_duplicate);
		rte_pktmbuf_free(m);
	} else {
		*slot = m;
		rcv->deferred++;
	}
	rcv_count(rcv, counter, 1);
	rcv->defer_cnt++;
	if ((rcv->defer_cnt & ACK_CYCLE_MASK) != (rcv->own.value & ACK_CYCLE_MASK))
		return false;
	RCV_COUNT(rcv, rx_naks);
	return true;
}

/*
 * Why the frame is not a packet of the stream: rules 1 to 3, the offset of the counter;
 * RCV_IS_PACKET: it is one.
 */
#define RCV_IS_PACKET SIZE_MAX
static size_t
rx_check(struct dpt_bcast_rcv *rcv, const uint8_t *hdr)
{
	uint32_t user = dpt_msg_user(hdr);
	uint16_t seqno = (uint16_t)dpt_msg_seqno(hdr);

	/* These never have a number of the stream: w2 is something else in them. */
	if (user == DPT_USER_BCAST_PROTOCOL || user == DPT_USER_LINK_PROTOCOL ||
	    user == DPT_USER_LINK_CONFIG)
		return RCV_OFFSET(drop_user);
	if (dpt_msg_bcast_net_id(hdr) != rcv->net_id)
		return RCV_OFFSET(drop_net_id);
	if (!rcv->is_up)
		return RCV_OFFSET(drop_not_up);
	if (dpt_seq_lt(seqno, rcv->rcv_nxt) ||
	    dpt_seq_dist(rcv->rcv_nxt, seqno) > DPT_LINK_RCV_WINDOW_PKTS)
		return RCV_OFFSET(drop_duplicate);
	return RCV_IS_PACKET;
}

bool
dpt_bcast_rcv_rx(struct dpt_bcast_rcv *rcv, struct rte_mbuf *m, struct dpt_out *out)
{
	size_t verdict = rx_check(rcv, dpt_buf_hdr(m));
	bool is_state_due = false;
	uint16_t seqno;

	RCV_COUNT(rcv, rx_frames);
	if (verdict != RCV_IS_PACKET) {
		rcv_count(rcv, verdict, 1);
		rte_pktmbuf_free(m);
		return false;
	}
	seqno = (uint16_t)dpt_msg_seqno(dpt_buf_hdr(m));
	if (DPT_MUTANT(bcast_gap_skipped) && (uint16_t)(rcv->rcv_nxt + 1) == seqno)
		rcv->rcv_nxt = seqno;
	if (seqno != rcv->rcv_nxt) {
		is_state_due = defer(rcv, m, seqno);
		view_update(rcv);
		return is_state_due;
	}
	while (m != NULL) {
		struct rte_mbuf **next;

		is_state_due |= deliver_next(rcv, m, out);
		next = &rcv->defer[rcv->rcv_nxt & DEFER_MASK];
		m = *next;
		*next = NULL;
		if (m != NULL)
			rcv->deferred--;
	}
	view_update(rcv);
	return is_state_due;
}

bool
dpt_bcast_rcv_state(struct dpt_bcast_rcv *rcv, const uint8_t *hdr)
{
	uint16_t nxt = (uint16_t)(dpt_msg_last_bcast(hdr) + 1);

	if (dpt_msg_bc_ack_invalid(hdr) || !rcv->is_up)
		return false;
	if (dpt_msg_ack(hdr) != 0)
		rcv->is_peer_open = true;
	if (!rcv->is_peer_open)
		return false;
	rcv->last_ack_seen = (uint16_t)dpt_msg_bcast_ack(hdr);
	if (dpt_seq_lt((uint16_t)(rcv->rcv_nxt + DPT_BCAST_WINDOW_PKTS), nxt)) {
		RCV_COUNT(rcv, rx_announce_far);
		view_update(rcv);
		return false;
	}
	rcv->announced_nxt = nxt;
	view_update(rcv);
	/* The reply to a probe carries the gap anyway. */
	if (rcv->view.gap == 0 || dpt_msg_probe(hdr))
		return false;
	RCV_COUNT(rcv, rx_naks);
	return true;
}

void
dpt_bcast_rcv_ack(struct dpt_bcast_rcv *rcv, uint16_t bcast_ack, struct dpt_out *out)
{
	struct dpt_event *event;

	/* Of two links the slower one brings older numbers. */
	if (!rcv->is_up || !rcv->is_peer_open || !dpt_seq_lt(rcv->last_ack_seen, bcast_ack))
		return;
	rcv->last_ack_seen = bcast_ack;
	view_unacked_update(rcv);
	event = dpt_out_event(out, DPT_EVENT_BCAST_ACK);
	event->node = rcv->peer;
	event->value = bcast_ack;
}
