/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which queue a peer's frames come in. TIPC is no IP, so RSS knows no difference between its
 * peers: a port delivers everything in queue 0, whose worker hands on what is not its own. A
 * port that can match the source MAC spares that step:
 *
 *     ETH src = peer, type = 0x88CA  -->  QUEUE of the worker that owns the peer
 *
 * A filter by ethertype alone (ixgbe, i40e) gains nothing over queue 0, so it is not tried.
 */
#include <errno.h>

#include "eth_priv.h"

void
eth_rule_build(struct eth_rule *rule, const uint8_t src[L2_MAC_BYTES], uint16_t queue)
{
	*rule = (struct eth_rule){.attr.ingress = 1, .queue.index = queue};
	memcpy(rule->spec.hdr.src_addr.addr_bytes, src, L2_MAC_BYTES);
	memset(rule->mask.hdr.src_addr.addr_bytes, 0xff, L2_MAC_BYTES);
	rule->spec.hdr.ether_type = rte_cpu_to_be_16(L2_TYPE_HI << 8 | L2_TYPE_LO);
	rule->mask.hdr.ether_type = 0xffff;
	rule->items[0] = (struct rte_flow_item){
		.type = RTE_FLOW_ITEM_TYPE_ETH, .spec = &rule->spec, .mask = &rule->mask};
	rule->items[1].type = RTE_FLOW_ITEM_TYPE_END;
	rule->actions[0] =
		(struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &rule->queue};
	rule->actions[1].type = RTE_FLOW_ACTION_TYPE_END;
}

int
eth_steer(struct dpt_bearer *bearer, const struct dpt_maddr *peer, uint16_t queue, void **rule)
{
	struct eth_bearer *eth = (struct eth_bearer *)bearer;
	struct rte_flow_error error = {0};
	struct eth_rule r;

	if (queue >= eth->queues_cnt)
		return -EINVAL;
	eth_rule_build(&r, peer->bytes, queue);
	/* What the port does not understand for one peer it does not understand for any. */
	if (rte_flow_validate(eth->port, &r.attr, r.items, r.actions, &error) != 0)
		return -ENOTSUP;
	*rule = rte_flow_create(eth->port, &r.attr, r.items, r.actions, &error);
	if (*rule == NULL)
		return rte_errno != 0 ? -rte_errno : -EIO;
	eth->has_rules = true;
	return 0;
}

void
eth_unsteer(struct dpt_bearer *bearer, void *rule)
{
	struct rte_flow_error error = {0};

	rte_flow_destroy(((struct eth_bearer *)bearer)->port, rule, &error);
}

void
eth_steer_fini(struct eth_bearer *eth)
{
	struct rte_flow_error error = {0};

	if (eth->has_rules)
		rte_flow_flush(eth->port, &error);
}
