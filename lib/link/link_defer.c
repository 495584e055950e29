/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Packets that have arrived before those that they follow, by number; what the peer is told
 * of them. A link has two such rings: for its own packets, and for those of a failed link
 * that come through it. Src: 03-link-node.md, 10.3, 13, 19.4; hazards 16, 17.
 *
 *   ring      next              first              last
 *      ...    | expected, missing | held | missing | held |   at most ring_pkts - 1 ahead
 *
 * Bounded in packets by the ring, in octets by LINK_DEFER_PLACE_BYTES for each place of it.
 * Refused is the packet that arrives: one that is held may have been reported, and then the
 * peer has it no more. The packet expected next is never refused, so that there is progress.
 */

#include <rte_mbuf.h>

#include "dpt_mutant.h"
#include "link_priv.h"

enum link_defer_verdict
link_defer_put(struct dpt_link *link, struct link_defer *defer, struct rte_mbuf *m, uint16_t seq,
	       uint16_t next)
{
	struct rte_mbuf **slot = &defer->ring[seq & link->ring_mask];
	uint32_t limit = (link->ring_mask + 1U) * LINK_DEFER_PLACE_BYTES;

	if (dpt_seq_dist(next, seq) > link->ring_mask)
		return LINK_DEFER_FULL;
	if (*slot != NULL)
		return LINK_DEFER_DUPLICATE;
	if (rte_pktmbuf_pkt_len(m) > limit - defer->bytes)
		return LINK_DEFER_FULL;
	*slot = m;
	defer->bytes += rte_pktmbuf_pkt_len(m);
	if (defer->cnt == 0 || dpt_seq_lt(seq, defer->first))
		defer->first = seq;
	if (defer->cnt == 0 || dpt_seq_lt(defer->last, seq))
		defer->last = seq;
	defer->cnt++;
	return LINK_DEFER_OK;
}

struct rte_mbuf *
link_defer_take(struct dpt_link *link, struct link_defer *defer, uint16_t next)
{
	struct rte_mbuf **slot = &defer->ring[next & link->ring_mask];
	struct rte_mbuf *m;

	if (defer->cnt == 0 || defer->first != next)
		return NULL;
	m = *slot;
	*slot = NULL;
	defer->bytes -= rte_pktmbuf_pkt_len(m);
	if (--defer->cnt > 0) {
		do
			defer->first++;
		while (defer->ring[defer->first & link->ring_mask] == NULL);
	}
	return m;
}

uint32_t
link_defer_free(struct dpt_link *link, struct link_defer *defer, size_t offset, uint64_t now_ns)
{
	struct rte_mbuf *m;
	uint32_t cnt = 0;

	while ((m = link_defer_take(link, defer, defer->first)) != NULL) {
		link_drop_buf(link, m, offset, now_ns);
		cnt++;
	}
	return cnt;
}

uint16_t
link_defer_gap(const struct dpt_link *link)
{
	return link->defer.cnt > 0 ? dpt_seq_dist(link->rcv_nxt, link->defer.first) : 0;
}

void
link_gap_blocks(const struct dpt_link *link, struct dpt_gap_record *rec)
{
	uint16_t seq = link->defer.first;

	rec->ucast_cnt = 0;
	if (link->defer.cnt == 0)
		return;
	while (rec->ucast_cnt < DPT_GAP_BLOCKS_MAX) {
		struct dpt_gap_block *block = &rec->ucast[rec->ucast_cnt++];

		while (seq != link->defer.last &&
		       link->defer.ring[(uint16_t)(seq + 1) & link->ring_mask] != NULL)
			seq++;
		*block =
			(struct dpt_gap_block){.ack = (uint16_t)(seq + DPT_MUTANT(gap_block_long))};
		if (seq == link->defer.last)
			return;
		while (link->defer.ring[++seq & link->ring_mask] == NULL)
			block->gap++;
	}
}
