/* SPDX-License-Identifier: BSD-3-Clause */
/* What the administrator asks of a peer node: statistics, removal. */
#include <errno.h>

#include "node_priv.h"

int
dpt_node_link_stats_reset(struct dpt_node *node, uint8_t bearer_id)
{
	if (!dpt_node_has_link(node, bearer_id))
		return -ENOENT;
	dpt_link_stats_reset(node->links[bearer_id]);
	return 0;
}

const struct dpt_bcast_counters *
dpt_node_bcast_stats(const struct dpt_node *node)
{
	return &node->bcast.stats;
}

void
dpt_node_bcast_stats_reset(struct dpt_node *node)
{
	dpt_bcast_rcv_stats_reset(&node->bcast);
}

bool
dpt_node_is_removable(const struct dpt_node *node)
{
	return !node_is_up(node) &&
	       (node->state == DPT_NODE_DOWN_DOWN || node->state == DPT_NODE_DOWN_LEAVING);
}
