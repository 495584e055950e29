/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Frames from bearers: the one check, then to discovery, or to the shard of the peer,
 * or to the peer. 01-wire-format.md, 15. And what comes out of a peer's links, in
 * sequence: 4.1.
 */

#include "stack_priv.h"

static uint64_t *
verdict_counter(struct dpt_stack *stack, enum dpt_msg_verdict verdict)
{
	struct dpt_stack_counters *cnt = &stack->counters.stack;

	switch (verdict) {
	case DPT_MSG_ENCRYPTED:
	case DPT_MSG_BAD_VERSION:
		return &cnt->drop_version;
	case DPT_MSG_BAD_HDR_SIZE:
		return &cnt->drop_hdr_size;
	case DPT_MSG_BAD_SIZE:
		return &cnt->drop_size;
	case DPT_MSG_BAD_USER:
		return &cnt->drop_user;
	case DPT_MSG_BAD_TYPE:
		return &cnt->drop_type;
	case DPT_MSG_BAD_NODE:
		return &cnt->drop_node;
	default:
		return &cnt->drop_short;
	}
}

/*
 * Steps 3 to 6 of the pipeline. Returns the counter of the reason to drop the frame,
 * NULL to go on.
 */
static uint64_t *
frame_refusal(struct dpt_stack *stack, uint8_t bearer_id, struct rte_mbuf *m)
{
	struct dpt_stack_counters *cnt = &stack->counters.stack;
	enum dpt_msg_verdict verdict = dpt_msg_check_buf(m, DPT_PLACE_FRAME);

	if (verdict != DPT_MSG_OK)
		return verdict_counter(stack, verdict);
	if (bearer_id >= DPT_BEARERS_MAX || !stack->bearers[bearer_id].is_up)
		return &cnt->drop_bearer_down;

	const uint8_t *hdr = dpt_buf_hdr(m);

	if (dpt_msg_user(hdr) == DPT_USER_LINK_CONFIG)
		return NULL;
	/* Until the own address is final there are no links. */
	if (stack->own.value == 0)
		return &cnt->drop_not_ours;
	if (dpt_msg_prevnode(hdr) == stack->own.value)
		return &cnt->drop_node;
	if (!dpt_msg_non_seq(hdr) && dpt_msg_hdr_bytes(hdr) > DPT_HDR_SHORT &&
	    dpt_msg_destnode(hdr) != stack->own.value)
		return &cnt->drop_not_ours;
	return NULL;
}

/* A checked frame at the shard that owns its peer. */
static void
frame_here(struct dpt_stack *stack, uint8_t bearer_id, struct rte_mbuf *m, uint64_t now_ns)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	if (dpt_msg_user(hdr) == DPT_USER_LINK_CONFIG) {
		stack->counters.stack.consumed_discovery++;
		dpt_discovery_rx(stack->discovery, bearer_id, m, now_ns, &stack->work);
		return;
	}
	struct dpt_node *node = stack_node_find(stack, dpt_node_addr(dpt_msg_prevnode(hdr)));

	if (node == NULL) {
		stack->counters.stack.drop_unknown_node++;
		rte_pktmbuf_free(m);
		return;
	}
	dpt_node_rx(node, bearer_id, m, now_ns, &stack->work);
	stack_node_rearm(stack, node);
}

void
stack_frame(struct dpt_stack *stack, uint8_t bearer_id, struct rte_mbuf *m, uint64_t now_ns)
{
	uint64_t *drop = frame_refusal(stack, bearer_id, m);

	if (drop != NULL) {
		(*drop)++;
		rte_pktmbuf_free(m);
		return;
	}
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint8_t shard = dpt_msg_user(hdr) == DPT_USER_LINK_CONFIG
				? 0
				: stack_owner(stack, dpt_node_addr(dpt_msg_prevnode(hdr)));

	if (shard == stack->cfg.shard) {
		frame_here(stack, bearer_id, m, now_ns);
		return;
	}
	dpt_buf(m)->bearer_id = bearer_id;
	stack_post_buf(stack, shard, STACK_MSG_FRAME, m, now_ns);
}

void
dpt_stack_rx_burst(struct dpt_stack *stack, uint8_t bearer_id, struct rte_mbuf **bufs,
		   uint16_t bufs_cnt, uint64_t now_ns, struct dpt_out *out)
{
	stack->counters.stack.rx_frames += bufs_cnt;
	for (uint16_t i = 0; i < bufs_cnt; i++) {
		stack_frame(stack, bearer_id, bufs[i], now_ns);
		stack_drain(stack, now_ns);
	}
	stack_flush(stack, out);
}

/* Data types that only connections and groups have. */
static bool
is_group_type(uint32_t type)
{
	return type >= DPT_TYPE_GRP_MEMBER_EVT;
}

/*
 * A message's origin is the peer that it came from, unless a second lookup there sent it on
 * to us. What comes back, and node 0, which would mean this one, never is sent on.
 * Src: 01-wire-format.md, 12, hazard 17; 09-socket-api.md, hazards 12, 24.
 */
static bool
is_origin_forged(const uint8_t *hdr)
{
	if (dpt_msg_origin(hdr).value == dpt_msg_prevnode(hdr))
		return false;
	return !dpt_msg_is_data(hdr) || dpt_msg_type(hdr) != DPT_TYPE_NAMED ||
	       dpt_msg_reroute_cnt(hdr) == 0 || dpt_msg_errcode(hdr) != DPT_OK ||
	       dpt_msg_origin(hdr).value == 0;
}

static void
drop_up(struct dpt_stack *stack, struct rte_mbuf *m)
{
	stack->counters.stack.drop_up_user++;
	rte_pktmbuf_free(m);
}

/* A message from a peer, in sequence, unwrapped and checked. m is gone. */
void
stack_up(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t user = dpt_msg_user(hdr);

	if (is_origin_forged(hdr)) {
		stack->counters.stack.drop_origin++;
		rte_pktmbuf_free(m);
		return;
	}
	if (user <= DPT_USER_CRITICAL) {
		if (is_group_type(dpt_msg_type(hdr)))
			drop_up(stack, m);
		else
			stack_local(stack, m, now_ns);
		return;
	}
	switch (user) {
	case DPT_USER_CONN_MANAGER:
		stack_local(stack, m, now_ns);
		return;
	case DPT_USER_NAME_DISTRIBUTOR:
		stack_post_buf(stack, 0, STACK_MSG_NAMES_RX, m, now_ns);
		return;
	default:
		drop_up(stack, m);
	}
}
