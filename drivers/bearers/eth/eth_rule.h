/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ETH_RULE_H
#define ETH_RULE_H

/* "Frames of type TIPC from this MAC into this queue", in rte_flow's words: eth_steer.c. */

#include <rte_flow.h>

#include "../l2.h"

struct eth_rule {
	struct rte_flow_attr attr;
	struct rte_flow_item_eth spec, mask;
	struct rte_flow_action_queue queue;
	struct rte_flow_item items[2];
	struct rte_flow_action actions[2];
};

/* Fill *rule; it points into itself, so it must stay where it is. */
void eth_rule_build(struct eth_rule *rule, const uint8_t src[L2_MAC_BYTES], uint16_t queue);

#endif /* ETH_RULE_H */
