/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Bearers and their properties. Shard 0 is asked, checks, and tells all shards, whose peers
 * have the links: 03-link-node.md, 9, 22.
 */

#include <errno.h>

#include "stack_priv.h"

static bool
is_tolerance(uint16_t tolerance_ms)
{
	return tolerance_ms >= DPT_STACK_TOLERANCE_MS_MIN &&
	       tolerance_ms <= DPT_STACK_TOLERANCE_MS_MAX;
}

/* Priority 0 would make a node count as down although a link is up (hazard 12). */
static bool
is_bearer(const struct dpt_stack *stack, const struct dpt_stack_bearer *bearer)
{
	return bearer->bearer_id < DPT_BEARERS_MAX && bearer->priority >= 1 &&
	       bearer->priority <= DPT_STACK_PRIORITY_MAX && bearer->window_min > 0 &&
	       bearer->window_max >= bearer->window_min &&
	       bearer->window_max <= stack->cfg.link_ring_pkts && bearer->mtu >= DPT_LINK_MTU_MIN &&
	       is_tolerance(bearer->tolerance_ms);
}

int
dpt_stack_bearer_up(struct dpt_stack *stack, const struct dpt_stack_bearer *bearer, uint64_t now_ns,
		    struct dpt_out *out)
{
	int rc;

	DPT_ASSERT(stack->cfg.shard == 0);
	if (!is_bearer(stack, bearer))
		return -EINVAL;
	if (stack->bearers[bearer->bearer_id].is_up)
		return -EEXIST;
	stack_post_all(stack, STACK_MSG_BEARER_UP, bearer, sizeof(*bearer), now_ns);
	rc = dpt_discovery_bearer_add(stack->discovery, bearer->bearer_id, &bearer->maddr,
				      bearer->domain, now_ns, &stack->work);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return rc;
}

void
dpt_stack_bearer_down(struct dpt_stack *stack, uint8_t bearer_id, uint64_t now_ns,
		      struct dpt_out *out)
{
	struct stack_peer_msg msg = {.op = STACK_PEER_BEARER_DOWN, .value = bearer_id};

	DPT_ASSERT(stack->cfg.shard == 0);
	if (bearer_id >= DPT_BEARERS_MAX || !stack->bearers[bearer_id].is_up)
		return;
	stack_post_all(stack, STACK_MSG_PEER, &msg, sizeof(msg), now_ns);
	dpt_discovery_bearer_del(stack->discovery, bearer_id);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
}

static bool
is_props(const struct stack_bearer *bearer, const struct dpt_stack *stack,
	 const struct dpt_link_props *props)
{
	if (props->tolerance_ms != 0 && !is_tolerance(props->tolerance_ms))
		return false;
	if (props->window_max != 0 && (props->window_max < bearer->cfg.window_min ||
				       props->window_max > stack->cfg.link_ring_pkts))
		return false;
	if (props->mtu != 0 && (props->mtu < DPT_LINK_MTU_MIN || props->mtu > bearer->mtu_max))
		return false;
	return props->priority <= DPT_STACK_PRIORITY_MAX;
}

void
dpt_stack_bearer_props(struct dpt_stack_bearer *bearer, const struct dpt_link_props *props)
{
	if (props->tolerance_ms != 0)
		bearer->tolerance_ms = props->tolerance_ms;
	if (props->window_max != 0)
		bearer->window_max = props->window_max;
	if (props->mtu != 0)
		bearer->mtu = props->mtu;
	if (props->priority != 0)
		bearer->priority = props->priority;
}

static int
props_post(struct dpt_stack *stack, const struct stack_props_msg *msg, uint64_t now_ns,
	   struct dpt_out *out)
{
	DPT_ASSERT(stack->cfg.shard == 0);
	if (msg->bearer_id >= DPT_BEARERS_MAX || !stack->bearers[msg->bearer_id].is_up)
		return -ENOENT;
	if (!is_props(&stack->bearers[msg->bearer_id], stack, &msg->props))
		return -EINVAL;
	stack_post_all(stack, STACK_MSG_PROPS, msg, sizeof(*msg), now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return 0;
}

int
dpt_stack_link_props_set(struct dpt_stack *stack, uint8_t bearer_id, struct dpt_node_addr node,
			 const struct dpt_link_props *props, uint64_t now_ns, struct dpt_out *out)
{
	struct stack_props_msg msg = {.node = node, .props = *props, .bearer_id = bearer_id};

	return props_post(stack, &msg, now_ns, out);
}

int
dpt_stack_bearer_props_set(struct dpt_stack *stack, uint8_t bearer_id,
			   const struct dpt_link_props *props, uint64_t now_ns, struct dpt_out *out)
{
	struct stack_props_msg msg = {.props = *props, .bearer_id = bearer_id, .is_later = true};

	return props_post(stack, &msg, now_ns, out);
}

/* ---- what shard 0 told ---- */

void
stack_bearer_msg(struct dpt_stack *stack, const struct dpt_stack_bearer *bearer)
{
	struct stack_bearer *slot = &stack->bearers[bearer->bearer_id];

	slot->cfg = *bearer;
	slot->mtu_max = bearer->mtu_max != 0 ? bearer->mtu_max : bearer->mtu;
	slot->is_up = true;
}

void
stack_props_msg(struct dpt_stack *stack, const struct stack_props_msg *msg, uint64_t now_ns)
{
	if (msg->node.value == 0)
		dpt_stack_bearer_props(&stack->bearers[msg->bearer_id].cfg, &msg->props);
	if (msg->is_later)
		return;
	for (uint32_t i = 0; i < stack->nodes_cnt; i++) {
		struct dpt_node *node = stack_node_at(stack, stack->nodes_sorted[i]);

		if (msg->node.value != 0 && dpt_node_peer(node).value != msg->node.value)
			continue;
		/* -ENOENT: this peer has no link on the bearer. */
		(void)dpt_node_link_props_set(node, msg->bearer_id, &msg->props, now_ns,
					      &stack->work);
		stack_node_rearm(stack, node);
		stack_drain(stack, now_ns);
	}
}
