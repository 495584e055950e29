/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Statistics of the two ends: 11-management.md, C5. A receiving end counts for itself beside the
 * shard's sums; the send link, of which there is one, remembers where the sums were.
 */
#include "bcast_priv.h"

#include <string.h>

void
dpt_bcast_rcv_stats_reset(struct dpt_bcast_rcv *rcv)
{
	memset(&rcv->stats, 0, sizeof(rcv->stats));
}

void
dpt_bcast_snd_stats(const struct dpt_bcast_snd *snd, struct dpt_bcast_counters *stats)
{
	const struct dpt_bcast_counters *now = snd->counters, *base = &snd->stats_base;

	memset(stats, 0, sizeof(*stats));
	stats->tx_pkts = now->tx_pkts - base->tx_pkts;
	stats->tx_fragments = now->tx_fragments - base->tx_fragments;
	stats->tx_fragmented = now->tx_fragmented - base->tx_fragmented;
	stats->tx_retransmits = now->tx_retransmits - base->tx_retransmits;
	stats->tx_congested = now->tx_congested - base->tx_congested;
	stats->tx_released = now->tx_released - base->tx_released;
	stats->tx_no_buffer = now->tx_no_buffer - base->tx_no_buffer;
	stats->tx_stalled = now->tx_stalled - base->tx_stalled;
	stats->reports = now->reports - base->reports;
	stats->reports_gap = now->reports_gap - base->reports_gap;
}

void
dpt_bcast_snd_stats_reset(struct dpt_bcast_snd *snd)
{
	snd->stats_base = *snd->counters;
}
