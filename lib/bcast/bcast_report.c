/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What peers report on our stream: acknowledged, gap, blocks. 06-broadcast.md, 6.4, 7.
 *
 *   a      a+g          ack_1          ack_1+gap_1     ack_2
 *   | gap g | received run | gap_1 missing | received run | ...
 */
#include "bcast_priv.h"

#include "dpt_seq.h"

/* One report, decoded. */
struct report {
	uint16_t ack;
	uint16_t gap;
	uint8_t blocks_cnt;
	struct dpt_gap_block blocks[DPT_GAP_BLOCKS_MAX];
};

/* Step 3 of 6.4: nothing beyond what was sent; numbers only increase. */
static bool
report_is_valid(const struct dpt_bcast_snd *snd, const struct report *report)
{
	uint16_t last = snd_last(snd);
	uint16_t done = (uint16_t)(report->ack + report->gap);

	if (!dpt_seq_le(report->ack, last) || !dpt_seq_le(done, last))
		return false;
	/* Blocks stand behind a first gap. */
	if (report->blocks_cnt > 0 && report->gap == 0)
		return false;
	for (uint32_t i = 0; i < report->blocks_cnt; i++) {
		const struct dpt_gap_block *block = &report->blocks[i];

		/* A gap that long would wrap round to before the block. */
		if (!dpt_seq_lt(done, block->ack) || block->gap > SND_RING_PKTS)
			return false;
		done = (uint16_t)(block->ack + block->gap);
		if (!dpt_seq_le(done, last))
			return false;
	}
	return true;
}

static void
run_received(struct dpt_bcast_snd *snd, uint32_t peer_idx, uint16_t first, uint16_t end)
{
	for (uint16_t seqno = first; seqno != end; seqno++)
		snd_pkt_acked(snd, peer_idx, seqno);
}

static void
run_missing(struct dpt_bcast_snd *snd, uint32_t peer_idx, uint16_t first, uint16_t end,
	    uint64_t now_ns, struct dpt_out *out)
{
	for (uint16_t seqno = first; seqno != end; seqno++)
		if (snd_pkt_is_needed(snd, peer_idx, seqno))
			snd_pkt_retransmit(snd, seqno, now_ns, out);
}

/* Steps 4 to 7 of a report that is valid and not older than what the peer said before. */
static void
report_apply(struct dpt_bcast_snd *snd, struct snd_peer *peer, const struct report *report,
	     uint64_t now_ns, struct dpt_out *out)
{
	uint32_t idx = snd_peer_idx(snd, peer);
	uint16_t at = (uint16_t)(report->ack + 1);
	uint16_t end = (uint16_t)(at + report->gap);

	run_received(snd, idx, (uint16_t)(peer->acked + 1), at);
	if (peer->acked != report->ack) {
		peer->acked = report->ack;
		peer->moved_ns = now_ns;
	}
	run_missing(snd, idx, at, end, now_ns, out);
	for (uint32_t i = 0; i < report->blocks_cnt; i++) {
		at = (uint16_t)(report->blocks[i].ack + 1);
		run_received(snd, idx, end, at);
		end = (uint16_t)(at + report->blocks[i].gap);
		run_missing(snd, idx, at, end, now_ns, out);
	}
	snd_advance(snd, now_ns, out);
}

/* Returns whether the octets make sense. */
static bool
report_decode(struct report *report, const struct snd_peer *peer, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t head_bytes = dpt_buf_head_bytes(m);
	uint32_t bytes = RTE_MIN(dpt_msg_size(hdr), head_bytes) - dpt_msg_hdr_bytes(hdr);
	struct dpt_gap_record rec;

	report->ack = (uint16_t)dpt_msg_bcast_ack(hdr);
	report->gap = (uint16_t)dpt_msg_bc_gap(hdr);
	report->blocks_cnt = 0;
	if (!peer->has_blocks || bytes == 0)
		return true;
	if (dpt_gap_record_decode(&rec, hdr + dpt_msg_hdr_bytes(hdr), bytes) < 0)
		return false;
	report->blocks_cnt = rec.bcast_cnt;
	memcpy(report->blocks, rec.bcast, rec.bcast_cnt * sizeof(rec.bcast[0]));
	return true;
}

void
dpt_bcast_snd_report(struct dpt_bcast_snd *snd, struct rte_mbuf *m, uint64_t now_ns,
		     struct dpt_out *out)
{
	struct dpt_node_addr addr = dpt_node_addr(dpt_msg_prevnode(dpt_buf_hdr(m)));
	struct snd_peer *peer = snd_peer_find(snd, addr);
	struct report report;

	if (peer == NULL) {
		snd->counters->drop_report_peer++;
	} else if (!report_decode(&report, peer, m) || !report_is_valid(snd, &report)) {
		snd->counters->drop_report_bad++;
		snd_trace(snd, now_ns, BCAST_TRACE_BAD_REPORT, report.ack, addr);
	} else {
		snd->counters->reports++;
		snd->counters->reports_gap += report.gap != 0;
		if (dpt_seq_le(peer->acked, report.ack))
			report_apply(snd, peer, &report, now_ns, out);
	}
	rte_pktmbuf_free(m);
}

void
dpt_bcast_snd_ack(struct dpt_bcast_snd *snd, struct dpt_node_addr addr, uint16_t ack,
		  uint64_t now_ns, struct dpt_out *out)
{
	struct snd_peer *peer = snd_peer_find(snd, addr);
	struct report report = {.ack = ack};

	if (peer == NULL || !dpt_seq_lt(peer->acked, ack))
		return;
	if (!dpt_seq_le(ack, snd_last(snd))) {
		snd->counters->acks_bad++;
		return;
	}
	report_apply(snd, peer, &report, now_ns, out);
}
