/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the administrator changes while the node runs, beside bearers (stack_bearer.c): who the
 * node is, which peers it knows. Src: 13-netlink.md, 5.15, 5.20; 11-management.md, C6.
 */

#include <errno.h>

#include "stack_priv.h"

/* Largest network id that can be set. Src: 02-discovery.md, 1. */
#define STACK_NET_ID_MAX 9999

/* What the tool is told of the own node. Src: 13-netlink.md, 1. */
#define STACK_ENOTSUPP 524

/* ---- who this node is ---- */

/* Each shard knows the address from the beginning: it does not wait for shard 0's word. */
void
stack_net_init(struct dpt_stack *stack, uint64_t now_ns)
{
	struct dpt_node_id id = stack->cfg.id;

	stack->own_id = id;
	stack->is_legacy = stack->cfg.addr.value != 0;
	if (!stack->is_legacy)
		return;
	if (dpt_node_id_is_zero(&id))
		id = dpt_node_id_from_addr(stack->cfg.addr);
	stack_own_set(stack, stack->cfg.addr, &id);
	if (stack->cfg.shard != 0)
		return;
	dpt_discovery_addr_set(stack->discovery, stack->cfg.addr, now_ns, &stack->work);
	stack_drain(stack, now_ns);
}

void
stack_net_msg(struct dpt_stack *stack, const struct stack_net_msg *msg)
{
	stack->cfg.net_id = msg->net_id;
	stack->own_id = msg->id;
	if (msg->is_legacy && !stack->is_legacy)
		dpt_names_legacy_set(stack->names);
	stack->is_legacy = msg->is_legacy;
}

/* The network id has been checked. Src: 13-netlink.md, 5.15: in this order. */
static void
net_apply(struct dpt_stack *stack, const struct dpt_stack_net *net, uint64_t now_ns)
{
	struct dpt_discovery *disc = stack->discovery;
	bool has_id = !dpt_node_id_is_zero(dpt_discovery_id(disc));
	struct stack_net_msg msg;

	if (net->net_id != 0) {
		dpt_discovery_net_id_set(disc, net->net_id, now_ns);
		dpt_bcast_snd_net_id_set(stack->bcast_snd, net->net_id);
	}
	if (!has_id && net->addr.value != 0)
		dpt_discovery_addr_set(disc, net->addr, now_ns, &stack->work);
	else if (!has_id && !dpt_node_id_is_zero(&net->id))
		dpt_discovery_id_set(disc, &net->id);
	msg = (struct stack_net_msg){
		.net_id = net->net_id != 0 ? net->net_id : stack->cfg.net_id,
		.id = *dpt_discovery_id(disc),
		.is_legacy = dpt_discovery_is_legacy(disc),
	};
	stack_post_all(stack, STACK_MSG_NET, &msg, sizeof(msg), now_ns);
}

int
dpt_stack_net_set(struct dpt_stack *stack, const struct dpt_stack_net *net, uint64_t now_ns,
		  struct dpt_out *out)
{
	DPT_ASSERT(stack->cfg.shard == 0);
	if (stack->own.value != 0)
		return -EPERM;
	if (net->net_id > STACK_NET_ID_MAX)
		return -EINVAL;
	net_apply(stack, net, now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return 0;
}

uint32_t
dpt_stack_net_id(const struct dpt_stack *stack)
{
	return stack->cfg.net_id;
}

bool
dpt_stack_is_legacy(const struct dpt_stack *stack)
{
	return stack->is_legacy;
}

/* ---- peers ---- */

int
dpt_stack_peer_remove(struct dpt_stack *stack, struct dpt_node_addr peer, uint64_t now_ns,
		      struct dpt_out *out)
{
	struct dpt_node *node = stack_node_find(stack, peer);
	struct dpt_event *event;

	/* Neither address nor identity: 11-management.md, hazard 4. */
	if (peer.value == 0)
		return -EINVAL;
	if (peer.value == stack->own.value)
		return -STACK_ENOTSUPP;
	if (node == NULL)
		return -ENXIO;
	/* Or shard 0 has not heard the end of the last contact yet. */
	if (!dpt_node_is_removable(node) || stack_node_slot_of(node)->opens_due != 0)
		return -EBUSY;
	event = dpt_out_event(&stack->work, DPT_EVENT_NODE_GONE);
	event->node = peer;
	event->id = *dpt_node_id_get(node);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return 0;
}
