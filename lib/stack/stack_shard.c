/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Messages between the shards of one node. A message to the own shard is handled at
 * once, so a node with one shard never builds one.
 */

#include <string.h>

#include "stack_priv.h"

void
stack_reserve_fill(struct dpt_stack *stack)
{
	if (stack->cfg.shards_cnt == 1)
		return;
	while (stack->reserve.cnt < STACK_RESERVE_BUFS) {
		struct rte_mbuf *m = dpt_buf_alloc(stack->cfg.env.pool);

		if (m == NULL)
			return;
		dpt_bufq_push(&stack->reserve, m);
	}
}

static void
handle_struct(struct dpt_stack *stack, enum stack_msg_type type, const void *body, uint64_t now_ns)
{
	switch (type) {
	case STACK_MSG_EVENT:
		stack_event(stack, body, now_ns);
		return;
	case STACK_MSG_BEARER_UP:
		stack_bearer_msg(stack, body);
		return;
	case STACK_MSG_PEER:
		stack_peer_msg(stack, body, now_ns);
		return;
	case STACK_MSG_PROPS:
		stack_props_msg(stack, body, now_ns);
		return;
	case STACK_MSG_NET:
		stack_net_msg(stack, body);
		return;
	case STACK_MSG_BIND:
		stack_bind_msg(stack, body, now_ns);
		return;
	case STACK_MSG_SENDER: {
		const struct stack_sender_msg *msg = body;

		stack->route_gen++;
		if (msg->is_lost)
			stack_sender_lost(stack, msg->port, now_ns);
		else if (msg->level_mask != 0)
			stack_room(stack, msg->node, msg->level_mask, now_ns);
		else
			dpt_sock_congested(stack->socks, msg->port, msg->node, msg->importance);
		return;
	}
	default:
		DPT_ASSERT(!"message type of a shard");
	}
}

static void
handle_buf(struct dpt_stack *stack, enum stack_msg_type type, struct rte_mbuf *m, uint64_t now_ns)
{
	const struct dpt_buf *buf = dpt_buf(m);

	switch (type) {
	case STACK_MSG_FRAME:
		stack_frame(stack, buf->bearer_id, m, now_ns);
		return;
	case STACK_MSG_TX:
		stack_tx_for(stack, m, now_ns);
		return;
	case STACK_MSG_LOCAL:
		stack_local_here(stack, m, now_ns);
		return;
	case STACK_MSG_NAMES_RX:
		stack_names_rx(stack, m, now_ns);
		return;
	case STACK_MSG_NAMES_APPLY:
		stack_names_apply(stack, m);
		return;
	case STACK_MSG_BCAST_REPORT:
		dpt_bcast_snd_report(stack->bcast_snd, m, now_ns, &stack->work);
		return;
	default:
		DPT_ASSERT(!"message type of a shard");
	}
}

static void
send_buf(struct dpt_stack *stack, uint8_t shard, enum stack_msg_type type, struct rte_mbuf *m)
{
	struct dpt_buf *buf = dpt_buf(m);

	buf->shard = shard;
	buf->msg_type = (uint8_t)type;
	dpt_bufq_push(&stack->work.shard, m);
	stack->counters.stack.shard_msgs_sent++;
}

void
stack_post_buf(struct dpt_stack *stack, uint8_t shard, enum stack_msg_type type, struct rte_mbuf *m,
	       uint64_t now_ns)
{
	if (shard == stack->cfg.shard)
		handle_buf(stack, type, m, now_ns);
	else
		send_buf(stack, shard, type, m);
}

void
stack_post(struct dpt_stack *stack, uint8_t shard, enum stack_msg_type type, const void *body,
	   uint32_t body_bytes, uint64_t now_ns)
{
	if (shard == stack->cfg.shard) {
		handle_struct(stack, type, body, now_ns);
		return;
	}
	struct rte_mbuf *m = dpt_buf_alloc(stack->cfg.env.pool);

	if (m == NULL)
		m = dpt_bufq_pop(&stack->reserve);
	if (m == NULL) {
		/* The pool is empty and so is the reserve: counted, shown, and hard to miss. */
		stack->counters.stack.shard_msgs_lost++;
		return;
	}
	memcpy(rte_pktmbuf_append(m, (uint16_t)body_bytes), body, body_bytes);
	send_buf(stack, shard, type, m);
}

void
stack_post_all(struct dpt_stack *stack, enum stack_msg_type type, const void *body,
	       uint32_t body_bytes, uint64_t now_ns)
{
	for (uint8_t shard = 0; shard < stack->cfg.shards_cnt; shard++)
		stack_post(stack, shard, type, body, body_bytes, now_ns);
}

/* The largest struct that travels. */
union stack_body {
	struct dpt_event event;
	struct dpt_stack_bearer bearer;
	struct stack_peer_msg peer;
	struct stack_props_msg props;
	struct stack_net_msg net;
	struct stack_bind_msg bind;
	struct stack_sender_msg sender;
};

void
dpt_stack_shard_rx(struct dpt_stack *stack, struct rte_mbuf **bufs, uint16_t bufs_cnt,
		   uint64_t now_ns, struct dpt_out *out)
{
	for (uint16_t i = 0; i < bufs_cnt; i++) {
		struct rte_mbuf *m = bufs[i];
		enum stack_msg_type type = (enum stack_msg_type)dpt_buf(m)->msg_type;

		if (type < STACK_MSG_EVENT) {
			handle_buf(stack, type, m, now_ns);
		} else {
			union stack_body body;

			DPT_ASSERT(rte_pktmbuf_data_len(m) <= sizeof(body));
			memcpy(&body, rte_pktmbuf_mtod(m, const void *), rte_pktmbuf_data_len(m));
			rte_pktmbuf_free(m);
			stack->counters.stack.consumed_shard_msgs++;
			handle_struct(stack, type, &body, now_ns);
		}
		stack_drain(stack, now_ns);
	}
	stack_flush(stack, out);
}
