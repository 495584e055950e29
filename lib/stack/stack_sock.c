/* SPDX-License-Identifier: BSD-3-Clause */

/* Sockets of the shard, for the caller: connections, reading; and what nodes and links are called.
 */

#include <errno.h>
#include <stdio.h>

#include "stack_priv.h"

int
dpt_stack_connect(struct dpt_stack *stack, struct dpt_port port, const struct dpt_send *send,
		  uint64_t now_ns, struct dpt_out *out)
{
	int rc = dpt_sock_connect(stack->socks, port, send, now_ns, &stack->routed);

	(void)stack_route(stack, port, now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return rc;
}

int
dpt_stack_accept(struct dpt_stack *stack, struct dpt_port port, uint64_t cookie, uint64_t now_ns,
		 struct dpt_port *accepted, struct dpt_out *out)
{
	int rc = dpt_sock_accept(stack->socks, port, cookie, now_ns, accepted, &stack->routed);

	(void)stack_route(stack, port, now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return rc;
}

void
dpt_stack_recv_done(struct dpt_stack *stack, struct dpt_port port, uint32_t cnt, uint64_t now_ns,
		    struct dpt_out *out)
{
	dpt_sock_recv_done(stack->socks, port, cnt, &stack->routed);
	if (stack->routed.head == NULL)
		return;
	(void)stack_route(stack, port, now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
}

void
stack_sender_lost(struct dpt_stack *stack, struct dpt_port port, uint64_t now_ns)
{
	dpt_sock_send_lost(stack->socks, port, 0, &stack->routed);
	(void)stack_route(stack, dpt_port(0), now_ns);
}

void
stack_room(struct dpt_stack *stack, struct dpt_node_addr node, uint32_t level_mask, uint64_t now_ns)
{
	dpt_sock_room(stack->socks, node, level_mask, &stack->routed);
	(void)stack_route(stack, dpt_port(0), now_ns);
}

bool
dpt_stack_internal_sock(const struct dpt_stack *stack, uint32_t idx, struct dpt_port *port,
			struct dpt_sock_info *info)
{
	return dpt_sock_internal_at(stack->socks, idx, port) &&
	       dpt_sock_info(stack->socks, *port, info) == 0;
}

uint32_t
dpt_stack_sock_bindings(const struct dpt_stack *stack, struct dpt_port port, uint32_t *cursor,
			struct dpt_binding *bindings, uint32_t max)
{
	return dpt_sock_bindings(stack->socks, port, cursor, bindings, max);
}

uint8_t
dpt_stack_shard_of(const struct dpt_stack *stack, struct dpt_node_addr node)
{
	return stack_owner(stack, node);
}

int
dpt_stack_node_id(struct dpt_stack *stack, struct dpt_node_addr addr, struct dpt_node_id *id)
{
	struct dpt_node *node;

	/* Without an own identity any peer will do. Src: 13-netlink.md, 2.1. */
	*id = *dpt_stack_id(stack);
	if (addr.value == stack->own.value || dpt_node_id_is_zero(id))
		return 0;
	node = stack_node_find(stack, addr);
	if (node == NULL)
		return -EADDRNOTAVAIL;
	*id = *dpt_node_id_get(node);
	return 0;
}

int
dpt_stack_link_name(struct dpt_stack *stack, struct dpt_node_addr peer, uint32_t bearer_id,
		    char *name, size_t name_size)
{
	struct dpt_node *node = stack_node_find(stack, peer);
	struct dpt_link_info info;

	if (node == NULL || bearer_id >= DPT_BEARERS_MAX)
		return -EADDRNOTAVAIL;
	if (dpt_node_link_info(node, (uint8_t)bearer_id, &info) != 0)
		return -EADDRNOTAVAIL;
	snprintf(name, name_size, "%s", info.name);
	return 0;
}
