/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Acknowledgement, gaps, retransmission and the window they open.
 * Src: 03-link-node.md, 10, 12; hazards 1 to 3.
 *
 *   snd_ring    snd_una                                 snd_nxt
 *      ...freed | missing | confirmed: freed | missing | not reported yet |
 *      <= ack     gap       <= block.ack       block.gap
 */

#include <rte_mbuf.h>

#include "dpt_mutant.h"
#include "link_priv.h"

/* Free the packets first .. last that are still held. */
static uint32_t
ack_release(struct dpt_link *link, uint16_t first, uint16_t last)
{
	uint32_t released = 0;

	for (uint16_t seq = first; dpt_seq_le(seq, last); seq++) {
		struct rte_mbuf **slot = &link->snd_ring[seq & link->ring_mask];

		if (*slot == NULL)
			continue;
		rte_pktmbuf_free(*slot);
		*slot = NULL;
		released++;
	}
	link->snd_cnt = (uint16_t)(link->snd_cnt - released);
	LINK_COUNT_N(link, acked_pkts, released);
	return released;
}

/* Move snd_una to the first packet that is held, or to snd_nxt. */
static void
ack_advance(struct dpt_link *link)
{
	while (link->snd_una != link->snd_nxt &&
	       link->snd_ring[link->snd_una & link->ring_mask] == NULL)
		link->snd_una++;
}

/* Whether ack is in first unacknowledged - 1 .. snd_nxt - 1; hazard 1. */
static bool
ack_is_valid(struct dpt_link *link, uint16_t ack)
{
	if (dpt_seq_lt(ack, link->snd_nxt))
		return dpt_seq_le((uint16_t)(link->snd_una - 1), ack);
	LINK_ERROR(link, ack_invalid, ack, link->snd_una, link->snd_nxt);
	return false;
}

uint32_t
link_ack(struct dpt_link *link, uint16_t ack)
{
	uint32_t released;

	if (!ack_is_valid(link, ack))
		return 0;
	released = ack_release(link, link->snd_una, ack);
	ack_advance(link);
	return released;
}

/* Send again the packets after ack that are missing at the peer. */
static void
ack_retransmit(struct dpt_link *link, uint16_t ack, uint16_t gap, uint64_t now_ns,
	       struct dpt_out *out, struct link_acked *acked)
{
	for (uint16_t seq = (uint16_t)(ack + 1 + DPT_MUTANT(retransmit_next)); gap > 0;
	     seq++, gap--) {
		struct rte_mbuf *m = link->snd_ring[seq & link->ring_mask];

		if (m != NULL && link_retransmit(link, m, now_ns, out))
			acked->retransmitted++;
	}
}

/* The first missing packet has been asked for during 10 tolerances. */
static bool
ack_is_hopeless(const struct dpt_link *link, uint16_t seq, uint64_t now_ns)
{
	uint64_t limit_ns = LINK_FAIL_TOLERANCES * link->tolerance_ms * DPT_NS_PER_MS;
	struct rte_mbuf *m = link->snd_ring[seq & link->ring_mask];
	uint64_t first_ns = m != NULL ? dpt_buf(m)->retransmit_first_ns : 0;

	return first_ns != 0 && now_ns > first_ns + limit_ns;
}

void
link_ack_state(struct dpt_link *link, const uint8_t *hdr, const struct dpt_gap_record *rec,
	       uint64_t now_ns, struct dpt_out *out, struct link_acked *acked)
{
	uint16_t ack = (uint16_t)dpt_msg_ack(hdr);
	uint16_t gap = (uint16_t)dpt_msg_seq_gap(hdr);
	uint16_t last = (uint16_t)(link->snd_nxt - 1);

	*acked = (struct link_acked){0};
	if (!ack_is_valid(link, ack))
		return;
	acked->released = ack_release(link, link->snd_una, ack);
	ack_advance(link);
	/* Blocks are only sent with a gap before the first: without one they are forged. */
	if (gap == 0 || link->snd_una == link->snd_nxt)
		return;
	gap = RTE_MIN(gap, dpt_seq_dist(ack, last));
	if (ack_is_hopeless(link, (uint16_t)(ack + 1), now_ns)) {
		acked->is_failed = true;
		return;
	}
	ack_retransmit(link, ack, gap, now_ns, out, acked);
	for (unsigned int i = 0; i < rec->ucast_cnt; i++) {
		uint16_t done = (uint16_t)(ack + gap);

		ack = rec->ucast[i].ack;
		if (!dpt_seq_lt(done, ack) || !dpt_seq_le(ack, last)) {
			LINK_ERROR(link, gap_invalid, ack, done, last);
			break;
		}
		acked->released += ack_release(link, (uint16_t)(done + 1), ack);
		gap = RTE_MIN(rec->ucast[i].gap, dpt_seq_dist(ack, last));
		ack_retransmit(link, ack, gap, now_ns, out, acked);
	}
	ack_advance(link);
}

void
link_window_update(struct dpt_link *link, uint32_t released, uint32_t retransmitted)
{
	uint16_t window = link->window;

	if (retransmitted > 0 || released == 0) {
		link->ssthresh = RTE_MAX(window / 2, LINK_SSTHRESH_MIN);
		link->window =
			retransmitted > 0 ? RTE_MIN(link->ssthresh, window) : link->window_min;
		if (link->window != window)
			LINK_NOTE(link, WINDOW_CUT, 0, window, link->window, link->ssthresh,
				  (uint16_t)retransmitted);
		return;
	}
	/* Not in full use, or with holes: says nothing about the path. */
	if (link->snd_cnt + link->backlog.cnt < window)
		return;
	if (link->snd_cnt > 0 && dpt_seq_dist(link->snd_una, link->snd_nxt) != link->snd_cnt)
		return;
	link->cong_acks += released;
	if (window <= link->ssthresh) {
		link->window = (uint16_t)RTE_MIN(window + released, link->window_max);
	} else if (link->cong_acks >= window) {
		link->window = RTE_MIN(window + 1, link->window_max);
		link->cong_acks = 0;
	}
	if (link->window != window)
		LINK_NOTE_MORE(link, WINDOW, 0, link->window, link->ssthresh);
}
