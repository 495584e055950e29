/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Statistics of links in the numbers of the tool, and the policy of the broadcast link.
 * Src: 13-netlink.md, 5.8, 5.9; 11-management.md, C5.
 */

#include <errno.h>
#include <string.h>

#include "stack_priv.h"

/* Src: 11-management.md, C1. */
#define BCAST_RATIO_DEFAULT 10
#define BCAST_RATIO_MAX	    100
#define BCAST_WINDOW_MAX    8191

/* Numbers of attributes that are not just a counter. Src: 13-netlink.md, 5.8. */
enum stats_attr {
	STATS_RX_INFO = 1,
	STATS_RX_FRAGMENTS = 2,
	STATS_RX_FRAGMENTED = 3,
	STATS_RX_BUNDLES = 4,
	STATS_RX_BUNDLED = 5,
	STATS_TX_INFO = 6,
	STATS_TX_FRAGMENTS = 7,
	STATS_TX_FRAGMENTED = 8,
	STATS_MSG_PROF_TOT = 11,
	STATS_RX_NACKS = 23,
	STATS_RX_DEFERRED = 24,
	STATS_TX_NACKS = 27,
	STATS_TX_ACKS = 28,
	STATS_RETRANSMITTED = 29,
	STATS_DUPLICATES = 30,
	STATS_LINK_CONGS = 31,
	STATS_AVG_QUEUE = 33,
};

/* ---- unicast links ---- */

#define LINK_STAT_(attr, symbol)                                                                   \
	{                                                                                          \
		attr, offsetof(struct dpt_link_counters, symbol)                                   \
	}
static const struct {
	uint8_t attr;
	size_t offset;
} link_stats[] = {
	LINK_STAT_(2, recv_fragments),	   LINK_STAT_(3, recv_fragmented),
	LINK_STAT_(4, recv_bundles),	   LINK_STAT_(5, recv_bundled),
	LINK_STAT_(7, sent_fragments),	   LINK_STAT_(8, sent_fragmented),
	LINK_STAT_(9, sent_bundles),	   LINK_STAT_(10, sent_bundled),
	LINK_STAT_(12, msg_length_counts), LINK_STAT_(13, msg_lengths_total),
	LINK_STAT_(14, msg_length_p0),	   LINK_STAT_(15, msg_length_p1),
	LINK_STAT_(16, msg_length_p2),	   LINK_STAT_(17, msg_length_p3),
	LINK_STAT_(18, msg_length_p4),	   LINK_STAT_(19, msg_length_p5),
	LINK_STAT_(20, msg_length_p6),	   LINK_STAT_(21, recv_states),
	LINK_STAT_(22, recv_probes),	   LINK_STAT_(23, recv_nacks),
	LINK_STAT_(24, deferred_recv),	   LINK_STAT_(25, sent_states),
	LINK_STAT_(26, sent_probes),	   LINK_STAT_(27, sent_nacks),
	LINK_STAT_(28, sent_acks),	   LINK_STAT_(29, retransmitted),
	LINK_STAT_(30, duplicates),	   LINK_STAT_(31, link_congs),
};

/* Counters are 32 bits for the tool: they wrap. Number 32 is always 0. */
void
dpt_stack_link_stats(const struct dpt_link_info *info, uint32_t stats[DPT_STACK_LINK_STATS])
{
	const struct dpt_link_counters *counters = &info->counters;

	memset(stats, 0, DPT_STACK_LINK_STATS * sizeof(stats[0]));
	for (size_t i = 0; i < RTE_DIM(link_stats); i++)
		stats[link_stats[i].attr] =
			(uint32_t) *
			(const uint64_t *)((const uint8_t *)counters + link_stats[i].offset);
	/* The tool divides by it. */
	stats[STATS_MSG_PROF_TOT] = (uint32_t)RTE_MAX(counters->msg_length_counts, UINT64_C(1));
	if (counters->queue_sz_counts != 0)
		stats[STATS_AVG_QUEUE] =
			(uint32_t)(counters->accu_queue_sz / counters->queue_sz_counts);
}

int
dpt_stack_link_stats_reset(struct dpt_stack *stack, struct dpt_node_addr peer, uint8_t bearer_id)
{
	struct dpt_node *node = stack_node_find(stack, peer);

	return node != NULL ? dpt_node_link_stats_reset(node, bearer_id) : -ENOENT;
}

/* ---- broadcast link ---- */

void
stack_bcast_init(struct dpt_stack *stack)
{
	stack->bcast_set = (struct dpt_stack_bcast_set){
		.method = DPT_BCAST_METHOD_AUTO,
		.ratio = BCAST_RATIO_DEFAULT,
		.window = DPT_BCAST_WINDOW_PKTS,
	};
}

void
dpt_stack_bcast_info(const struct dpt_stack *stack, struct dpt_stack_bcast_info *info)
{
	struct dpt_bcast_counters counters;

	DPT_ASSERT(stack->cfg.shard == 0);
	dpt_bcast_snd_stats(stack->bcast_snd, &counters);
	*info = (struct dpt_stack_bcast_info){
		.method = (enum dpt_bcast_method)stack->bcast_set.method,
		.ratio = stack->bcast_set.ratio,
		.window = stack->bcast_set.window,
		.stats =
			{
				[STATS_TX_INFO] = (uint32_t)counters.tx_pkts,
				[STATS_TX_FRAGMENTS] = (uint32_t)counters.tx_fragments,
				[STATS_TX_FRAGMENTED] = (uint32_t)counters.tx_fragmented,
				[STATS_RX_NACKS] = (uint32_t)counters.reports_gap,
				[STATS_RETRANSMITTED] = (uint32_t)counters.tx_retransmits,
				[STATS_LINK_CONGS] = (uint32_t)counters.tx_congested,
			},
	};
}

int
dpt_stack_bcast_peer_info(const struct dpt_stack *stack, struct dpt_node_addr peer,
			  struct dpt_stack_bcast_info *info)
{
	const struct dpt_node *node = stack_node_find(stack, peer);
	const struct dpt_bcast_counters *counters;

	if (node == NULL)
		return -ENOENT;
	counters = dpt_node_bcast_stats(node);
	*info = (struct dpt_stack_bcast_info){
		.method = DPT_BCAST_METHOD_AUTO,
		.ratio = BCAST_RATIO_DEFAULT,
		.window = DPT_BCAST_WINDOW_PKTS,
		.stats =
			{
				[STATS_RX_INFO] = (uint32_t)counters->rx_pkts,
				[STATS_RX_FRAGMENTS] = (uint32_t)counters->rx_fragments,
				[STATS_RX_FRAGMENTED] = (uint32_t)counters->rx_fragmented,
				[STATS_RX_BUNDLES] = (uint32_t)counters->rx_bundles,
				[STATS_RX_BUNDLED] = (uint32_t)counters->rx_bundled,
				[STATS_RX_DEFERRED] = (uint32_t)counters->rx_deferred,
				[STATS_TX_NACKS] = (uint32_t)counters->rx_naks,
				[STATS_TX_ACKS] = (uint32_t)counters->rx_acks,
				[STATS_DUPLICATES] = (uint32_t)counters->drop_duplicate,
			},
	};
	return 0;
}

int
dpt_stack_bcast_stats_reset(struct dpt_stack *stack, struct dpt_node_addr peer)
{
	struct dpt_node *node;

	if (peer.value == 0) {
		DPT_ASSERT(stack->cfg.shard == 0);
		dpt_bcast_snd_stats_reset(stack->bcast_snd);
		return 0;
	}
	node = stack_node_find(stack, peer);
	if (node == NULL)
		return -ENOENT;
	dpt_node_bcast_stats_reset(node);
	return 0;
}

/* In this order, and what came before an error stays. Src: 13-netlink.md, 5.9. */
int
dpt_stack_bcast_set(struct dpt_stack *stack, const struct dpt_stack_bcast_set *set)
{
	DPT_ASSERT(stack->cfg.shard == 0);
	switch (set->method) {
	case 0:
		break;
	case DPT_BCAST_METHOD_REPLICAST:
	case DPT_BCAST_METHOD_AUTO:
		stack->bcast_set.method = set->method;
		break;
	case DPT_BCAST_METHOD_BROADCAST:
		return -ENOPROTOOPT;
	default:
		return -EINVAL;
	}
	if (set->ratio > BCAST_RATIO_MAX)
		return -EINVAL;
	if (set->ratio != 0)
		stack->bcast_set.ratio = set->ratio;
	if (set->window == 0)
		return 0;
	/* Shown only: more than 50 unacknowledged packets is what no receiver believes. */
	if (set->window < DPT_BCAST_WINDOW_PKTS || set->window > BCAST_WINDOW_MAX)
		return -EINVAL;
	stack->bcast_set.window = set->window;
	return 0;
}
