/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Where a message goes: to a port of this shard, to another shard, to a link.
 *
 *   stack_local       any shard: a message for this node
 *   stack_local_here  the port's shard
 *   stack_tx          any shard: a message for a peer
 *   stack_tx_here     the peer's shard
 */

#include <errno.h>

#include "stack_priv.h"

static bool
is_multicast(const uint8_t *hdr)
{
	return dpt_msg_is_data(hdr) && dpt_msg_type(hdr) == DPT_TYPE_MCAST &&
	       dpt_msg_errcode(hdr) == DPT_OK;
}

void
stack_local_here(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns)
{
	if (dpt_msg_user(dpt_buf_hdr(m)) == DPT_USER_CONN_MANAGER)
		dpt_sock_rx_conn_manager(stack->socks, m, now_ns, &stack->routed);
	else
		dpt_sock_rx(stack->socks, m, now_ns, &stack->routed);
	stack_route(stack, dpt_port(0), now_ns);
}

/* A message that a connection must not go on without. */
static bool
is_conn_data(const uint8_t *hdr)
{
	return dpt_msg_is_data(hdr) && dpt_msg_type(hdr) == DPT_TYPE_CONN &&
	       dpt_msg_errcode(hdr) == DPT_OK;
}

/* Each shard looks its own sockets up. */
static void
multicast_local(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns)
{
	for (uint8_t shard = 0; shard < stack->cfg.shards_cnt; shard++) {
		if (shard == stack->cfg.shard)
			continue;
		struct rte_mbuf *copy = dpt_buf_copy(m, stack->cfg.env.pool);

		if (copy == NULL) {
			stack->counters.stack.copies_lost++;
			continue;
		}
		dpt_buf(copy)->flags = dpt_buf(m)->flags;
		stack_post_buf(stack, shard, STACK_MSG_LOCAL, copy, now_ns);
	}
	stack_local_here(stack, m, now_ns);
}

void
stack_local(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	if (is_multicast(hdr)) {
		multicast_local(stack, m, now_ns);
		return;
	}
	struct dpt_port port = dpt_port(dpt_msg_destport(hdr));
	uint8_t shard = dpt_port_shard(port);

	/* Port 0 and ports that we never gave out: any shard can answer, this one does. */
	if (port.ref == 0 || shard >= stack->cfg.shards_cnt)
		shard = stack->cfg.shard;
	stack_post_buf(stack, shard, STACK_MSG_LOCAL, m, now_ns);
}

/* Tell the sender's shard that its message filled its level towards node. */
static void
tell_congestion(struct dpt_stack *stack, struct dpt_port port, struct dpt_node_addr node,
		uint8_t importance, uint64_t now_ns)
{
	struct stack_sender_msg msg = {.node = node, .port = port, .importance = importance};
	uint8_t shard = dpt_port_shard(port);

	if (shard < stack->cfg.shards_cnt)
		stack_post(stack, shard, STACK_MSG_SENDER, &msg, sizeof(msg), now_ns);
}

int
stack_tx_here(struct dpt_stack *stack, struct rte_mbuf *m, struct dpt_node_addr addr,
	      uint32_t selector, uint64_t now_ns)
{
	struct dpt_node *node = stack_node_find(stack, addr);

	if (node == NULL) {
		stack->counters.stack.drop_unreachable++;
		rte_pktmbuf_free(m);
		return -EHOSTUNREACH;
	}
	const uint8_t *hdr = dpt_buf_hdr(m);
	bool is_senders = dpt_msg_is_data(hdr) && dpt_msg_errcode(hdr) == DPT_OK;
	struct dpt_port port = dpt_port(is_senders ? dpt_msg_origport(hdr) : 0);
	uint8_t importance = dpt_msg_link_importance(hdr);
	int rc = dpt_node_tx(node, m, selector, now_ns, &stack->work);

	if (rc == 1 && is_senders)
		tell_congestion(stack, port, addr, importance, now_ns);
	stack_node_rearm(stack, node);
	return rc;
}

void
stack_tx_for(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	struct stack_sender_msg msg = {.port = dpt_port(dpt_msg_origport(hdr)), .is_lost = true};
	bool is_conn = is_conn_data(hdr);
	uint8_t shard = dpt_port_shard(msg.port);
	int rc = stack_tx_here(stack, m, dpt_node_addr(dpt_buf(m)->arg), dpt_buf(m)->arg2, now_ns);

	if (rc < 0 && is_conn && shard < stack->cfg.shards_cnt)
		stack_post(stack, shard, STACK_MSG_SENDER, &msg, sizeof(msg), now_ns);
}

int
stack_tx(struct dpt_stack *stack, struct rte_mbuf *m, struct dpt_node_addr node, uint32_t selector,
	 uint64_t now_ns)
{
	uint8_t shard = stack_owner(stack, node);

	if (shard == stack->cfg.shard)
		return stack_tx_here(stack, m, node, selector, now_ns);

	const struct stack_contact *contact = stack_contact_find(stack, node);

	if (contact == NULL || !contact->is_open) {
		stack->counters.stack.drop_unreachable++;
		rte_pktmbuf_free(m);
		return -EHOSTUNREACH;
	}
	dpt_buf(m)->arg = node.value;
	dpt_buf(m)->arg2 = selector;
	stack_post_buf(stack, shard, STACK_MSG_TX, m, now_ns);
	return 0;
}

int
stack_route(struct dpt_stack *stack, struct dpt_port port, uint64_t now_ns)
{
	struct rte_mbuf *m;
	bool is_first = true;
	int result = 0;

	while ((m = dpt_bufq_pop(&stack->routed)) != NULL) {
		struct dpt_node_addr node = dpt_node_addr(dpt_buf(m)->arg);
		uint32_t selector = dpt_buf(m)->arg2;

		if (node.value == 0 || node.value == stack->own.value) {
			stack_local(stack, m, now_ns);
			continue;
		}
		const uint8_t *hdr = dpt_buf_hdr(m);
		bool is_senders = dpt_msg_is_data(hdr) && dpt_msg_errcode(hdr) == DPT_OK &&
				  dpt_msg_origport(hdr) == port.ref;
		bool is_mcast = is_multicast(hdr);
		bool is_conn = is_conn_data(hdr);
		struct dpt_port origin = dpt_port(dpt_msg_origport(hdr));
		int rc = stack_tx(stack, m, node, selector, now_ns);

		/* A multicast reaches whom it can: one node that is gone is no error. */
		if (is_senders && is_first && !is_mcast) {
			result = rc;
			is_first = false;
		} else if (rc < 0 && is_conn) {
			dpt_sock_send_lost(stack->socks, origin, 0, &stack->routed);
		}
	}
	return result;
}

int
dpt_stack_send(struct dpt_stack *stack, struct dpt_port port, const struct dpt_send *send,
	       struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out)
{
	uint32_t payload_bytes = rte_pktmbuf_pkt_len(m);
	int rc = dpt_sock_send(stack->socks, port, send, m, now_ns, &stack->routed);
	int tx = stack_route(stack, port, now_ns);

	if (rc == 0 && tx < 0) {
		dpt_sock_send_lost(stack->socks, port, payload_bytes, &stack->routed);
		(void)stack_route(stack, dpt_port(0), now_ns);
	}
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	if (rc != 0)
		return rc;
	return tx < 0 ? tx : 0;
}
