/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Peers coming and going. The peer's shard has its node; shard 0 decides and tells all.
 *
 *   peer's shard                          shard 0
 *   NODE_UP, LINK_UP  ------------------> broadcast link: add; bulk made
 *      node: open     <-- PEER_OPEN ----- (init = packet 1)
 *      node: send     <-- TX bulk --------
 *   all shards        <-- PEER_UP ------- messages may be sent
 *   LINK_DOWN, NODE_DOWN ---------------> broadcast link, distribution: forget it
 *   all shards        <-- PEER_DOWN ----- names purged, senders woken
 */

#include "dpt_mutant.h"
#include "stack_priv.h"

void
stack_node_rearm(struct dpt_stack *stack, struct dpt_node *node)
{
	struct stack_node *head = stack_node_slot_of(node);
	uint64_t deadline_ns = dpt_node_deadline_ns(node);

	if (deadline_ns == DPT_NEVER_NS)
		dpt_timer_cancel(&stack->wheel, &head->timer);
	else if (!head->timer.is_armed || head->timer.expires_ns != deadline_ns)
		dpt_timer_set(&stack->wheel, &head->timer, deadline_ns);
}

/*
 * What discovery said of the peer before shard 0 hears of this is about a record that is gone: it
 * is not taken until shard 0 has answered (STACK_PEER_GONE), from then on discovery starts anew.
 */
void
stack_node_forget(struct dpt_stack *stack, struct dpt_node_addr addr)
{
	struct stack_contact *contact;

	if (stack_node_find(stack, addr) == NULL)
		return;
	stack_node_del(stack, addr);
	if (stack->cfg.shard == 0)
		return;
	contact = stack_contact_add(stack, addr);
	if (contact != NULL)
		contact->is_leaving = true;
}

static bool
is_leaving(struct dpt_stack *stack, struct dpt_node_addr addr)
{
	const struct stack_contact *contact = stack_contact_find(stack, addr);

	return contact != NULL && contact->is_leaving;
}

/* ---- events of discovery: shard 0 hands them to the peer's shard ---- */

static void
link_setup(struct dpt_stack *stack, const struct dpt_event *event, uint64_t now_ns)
{
	struct dpt_node *node = stack_node_find(stack, event->node);
	const struct stack_bearer *bearer = &stack->bearers[event->bearer_id];

	if (!bearer->is_up || is_leaving(stack, event->node))
		return;
	if (node == NULL) {
		struct dpt_node_cfg cfg = {
			.env = stack->cfg.env,
			.own = stack->own,
			.peer = event->node,
			.id = event->id,
			.own_id = stack->own_id,
			.net_id = stack->cfg.net_id,
			.caps = (uint16_t)event->value & stack_caps(&stack->cfg),
			.ring_pkts = stack->cfg.link_ring_pkts,
			/* Src: 03-link-node.md, 1. */
			.expiry_ns = 300 * DPT_NS_PER_S,
			.link_counters = &stack->counters.link,
			.node_counters = &stack->counters.node,
			.bcast_counters = &stack->counters.bcast,
		};
		struct dpt_event gone = {.type = DPT_EVENT_NODE_GONE, .node = event->node};

		node = stack_node_add(stack, &cfg, now_ns);
		if (node == NULL) {
			stack->counters.stack.nodes_full++;
			stack_post(stack, 0, STACK_MSG_EVENT, &gone, sizeof(gone), now_ns);
			return;
		}
		dpt_node_last_bcast_set(node, stack->last_bcast);
	}
	struct dpt_link_setup setup = {
		.bearer_id = event->bearer_id,
		.priority = bearer->cfg.priority,
		.tolerance_ms = bearer->cfg.tolerance_ms,
		.mtu = bearer->cfg.mtu,
		.window_min = bearer->cfg.window_min,
		.window_max = bearer->cfg.window_max,
		.is_reset = (event->flags & DPT_EVENT_F_RESET) != 0,
		.dst = event->maddr,
	};

	memcpy(setup.if_name, bearer->cfg.if_name, sizeof(setup.if_name));
	dpt_node_caps_set(node, (uint16_t)event->value & stack_caps(&stack->cfg));
	/* -ENOSPC is the rule of 02-discovery.md, 4.5: answered, but no further link. */
	(void)dpt_node_link_setup(node, &setup, now_ns, &stack->work);
	stack_node_rearm(stack, node);
}

static void
caps_changed(struct dpt_stack *stack, const struct dpt_event *event)
{
	struct dpt_node *node = stack_node_find(stack, event->node);

	if (node != NULL)
		dpt_node_caps_set(node, (uint16_t)event->value & stack_caps(&stack->cfg));
}

/* ---- events of nodes: at shard 0 ---- */

static void
contact_opened(struct dpt_stack *stack, struct stack_contact *contact, uint64_t now_ns)
{
	uint16_t tolerance_ms = DPT_STACK_TOLERANCE_MS_MAX;
	struct dpt_bufq bulk;
	struct rte_mbuf *m;
	uint8_t owner = stack_owner(stack, contact->addr);
	struct stack_peer_msg msg = {.node = contact->addr};
	int32_t last;

	for (uint32_t i = 0; i < DPT_BEARERS_MAX; i++)
		if (stack->bearers[i].is_up && stack->bearers[i].cfg.tolerance_ms < tolerance_ms)
			tolerance_ms = stack->bearers[i].cfg.tolerance_ms;
	dpt_bufq_init(&bulk);
	last = dpt_bcast_snd_peer_add(stack->bcast_snd, contact->addr, tolerance_ms, now_ns);
	if (last < 0 || dpt_distr_peer_up(stack->distr, contact->addr, contact->caps, contact->mss,
					  now_ns, &bulk) != 0) {
		/* Without its bulk the peer would never know our names: start again. */
		if (last >= 0)
			dpt_bcast_snd_peer_del(stack->bcast_snd, contact->addr, now_ns,
					       &stack->work);
		msg.op = STACK_PEER_NOT_OPEN;
		msg.value = DPT_DOWN_OVERFLOW;
		stack_post(stack, owner, STACK_MSG_PEER, &msg, sizeof(msg), now_ns);
		return;
	}
	dpt_bcast_snd_caps_set(stack->bcast_snd, contact->addr, contact->caps);
	msg.op = STACK_PEER_OPEN;
	msg.value = (uint32_t)last;
	stack_post(stack, owner, STACK_MSG_PEER, &msg, sizeof(msg), now_ns);
	while ((m = dpt_bufq_pop(&bulk)) != NULL) {
		if (bulk.cnt == 0)
			dpt_buf(m)->flags |= DPT_BUF_F_BULK_END;
		dpt_buf(m)->arg = contact->addr.value;
		dpt_buf(m)->arg2 = 0;
		stack_post_buf(stack, owner, STACK_MSG_TX, m, now_ns);
	}
	stack->counters.stack.nodes_up++;
	msg.op = STACK_PEER_UP;
	msg.value = contact->mss;
	msg.caps = contact->caps;
	stack_post_all(stack, STACK_MSG_PEER, &msg, sizeof(msg), now_ns);
}

static void
link_up(struct dpt_stack *stack, const struct dpt_event *event, uint64_t now_ns)
{
	const struct stack_bearer *bearer = &stack->bearers[event->bearer_id];
	struct stack_contact *contact = stack_contact_find(stack, event->node);

	dpt_discovery_link_up(stack->discovery, event->node, event->bearer_id);
	dpt_bcast_snd_dest_add(stack->bcast_snd, event->bearer_id,
			       (enum dpt_media)bearer->cfg.maddr.media, bearer->cfg.mtu,
			       bearer->cfg.has_bcast);
	if (contact != NULL && contact->is_opening) {
		contact->is_opening = false;
		contact->mss = (uint16_t)event->value2;
		contact_opened(stack, contact, now_ns);
	}
	/* Src: 03-link-node.md, 17.1 step 6. */
	stack_names_own(stack, DPT_NAME_TYPE_LINK_STATE, event->node.value, event->value, false,
			now_ns);
}

static void
link_down(struct dpt_stack *stack, const struct dpt_event *event, uint64_t now_ns)
{
	dpt_discovery_link_down(stack->discovery, event->node, event->bearer_id, now_ns);
	dpt_bcast_snd_dest_del(stack->bcast_snd, event->bearer_id);
	stack_names_own(stack, DPT_NAME_TYPE_LINK_STATE, event->node.value, event->value, true,
			now_ns);
}

static void
node_down(struct dpt_stack *stack, struct dpt_node_addr addr, uint64_t now_ns)
{
	struct stack_peer_msg msg = {.op = STACK_PEER_DOWN, .node = addr};

	stack->counters.stack.nodes_down++;
	dpt_bcast_snd_peer_del(stack->bcast_snd, addr, now_ns, &stack->work);
	dpt_distr_peer_down(stack->distr, addr);
	stack_post_all(stack, STACK_MSG_PEER, &msg, sizeof(msg), now_ns);
	stack_names_tx(stack, now_ns);
}

static void
node_gone(struct dpt_stack *stack, struct dpt_node_addr addr, uint64_t now_ns)
{
	struct stack_peer_msg msg = {.op = STACK_PEER_GONE, .node = addr};

	if (!DPT_MUTANT(removed_remembered))
		dpt_discovery_peer_del(stack->discovery, addr);
	stack_post_all(stack, STACK_MSG_PEER, &msg, sizeof(msg), now_ns);
}

static void
peer_heard(struct dpt_stack *stack, const struct dpt_event *event, uint64_t now_ns)
{
	struct stack_contact *contact = stack_contact_add(stack, event->node);

	if (contact != NULL)
		contact->caps = (uint16_t)event->value & stack_caps(&stack->cfg);
	stack_post(stack, stack_owner(stack, event->node), STACK_MSG_EVENT, event, sizeof(*event),
		   now_ns);
}

static void
addr_final(struct dpt_stack *stack, struct dpt_node_addr addr, uint64_t now_ns)
{
	struct stack_peer_msg msg = {
		.op = STACK_PEER_OWN, .node = addr, .id = *dpt_discovery_id(stack->discovery)};

	stack_post_all(stack, STACK_MSG_PEER, &msg, sizeof(msg), now_ns);
	/* Src: 02-discovery.md, 1.5. */
	stack_names_own(stack, DPT_NAME_TYPE_NODE_STATE, addr.value, addr.value, false, now_ns);
}

/* What the peer's shard does with an event of its own nodes, or one from discovery. */
static bool
event_at_owner(struct dpt_stack *stack, const struct dpt_event *event, uint64_t now_ns)
{
	struct dpt_node *node;

	switch (event->type) {
	case DPT_EVENT_LINK_SETUP:
		link_setup(stack, event, now_ns);
		return true;
	case DPT_EVENT_CAPS:
		caps_changed(stack, event);
		return true;
	case DPT_EVENT_NODE_UP:
		/* At shard 0 it may be one of another shard's nodes. */
		node = stack_node_find(stack, event->node);
		if (node != NULL)
			stack_node_slot_of(node)->opens_due++;
		return false;
	case DPT_EVENT_NODE_GONE:
		stack_node_forget(stack, event->node);
		return false;
	case DPT_EVENT_LINK_ROOM: {
		struct stack_sender_msg msg = {.node = event->node, .level_mask = event->value};

		stack_post_all(stack, STACK_MSG_SENDER, &msg, sizeof(msg), now_ns);
		return true;
	}
	default:
		return false;
	}
}

static void
event_at_zero(struct dpt_stack *stack, const struct dpt_event *event, uint64_t now_ns)
{
	struct stack_contact *contact;

	switch (event->type) {
	case DPT_EVENT_NODE_UP:
		contact = stack_contact_find(stack, event->node);
		if (contact != NULL)
			contact->is_opening = true;
		stack_ctl(stack, event);
		return;
	case DPT_EVENT_NODE_DOWN:
		contact = stack_contact_find(stack, event->node);
		if (contact != NULL)
			contact->is_opening = false;
		node_down(stack, event->node, now_ns);
		if (!DPT_MUTANT(down_untold))
			stack_ctl(stack, event);
		return;
	case DPT_EVENT_LINK_UP:
		link_up(stack, event, now_ns);
		stack_ctl(stack, event);
		return;
	case DPT_EVENT_LINK_DOWN:
		link_down(stack, event, now_ns);
		stack_ctl(stack, event);
		return;
	case DPT_EVENT_NODE_GONE:
		node_gone(stack, event->node, now_ns);
		return;
	case DPT_EVENT_BCAST_ACK:
		dpt_bcast_snd_ack(stack->bcast_snd, event->node, (uint16_t)event->value, now_ns,
				  &stack->work);
		return;
	case DPT_EVENT_BULK_ACKED:
		contact = stack_contact_find(stack, event->node);
		if (contact != NULL)
			stack_barrier_acked(contact, event->cookie);
		dpt_distr_bulk_done(stack->distr, event->node);
		stack_names_tx(stack, now_ns);
		return;
	case DPT_EVENT_ADDR_FINAL:
		addr_final(stack, event->node, now_ns);
		stack_ctl(stack, event);
		return;
	default:
		stack_ctl(stack, event);
	}
}

/* An event from work, or from another shard. */
void
stack_event(struct dpt_stack *stack, const struct dpt_event *event, uint64_t now_ns)
{
	bool is_from_discovery =
		event->type == DPT_EVENT_LINK_SETUP || event->type == DPT_EVENT_CAPS;

	if (is_from_discovery && stack->cfg.shard == 0 &&
	    stack_owner(stack, event->node) != stack->cfg.shard) {
		peer_heard(stack, event, now_ns);
		return;
	}
	if (is_from_discovery && stack->cfg.shard == 0) {
		struct stack_contact *contact = stack_contact_add(stack, event->node);

		if (contact != NULL)
			contact->caps = (uint16_t)event->value & stack_caps(&stack->cfg);
	}
	if (event_at_owner(stack, event, now_ns))
		return;
	if (stack->cfg.shard == 0)
		event_at_zero(stack, event, now_ns);
	else
		stack_post(stack, 0, STACK_MSG_EVENT, event, sizeof(*event), now_ns);
}

/* ---- what shard 0 told ---- */

void
stack_own_set(struct dpt_stack *stack, struct dpt_node_addr own, const struct dpt_node_id *id)
{
	stack->own = own;
	stack->own_id = *id;
	dpt_names_own_set(stack->names, own);
	dpt_socks_own_set(stack->socks, own);
	if (stack->cfg.shard != 0)
		return;
	dpt_distr_own_set(stack->distr, own);
	dpt_bcast_snd_own_set(stack->bcast_snd, own);
}

static void
peer_down(struct dpt_stack *stack, struct dpt_node_addr addr, uint64_t now_ns)
{
	struct stack_contact *contact = stack_contact_find(stack, addr);

	if (contact != NULL) {
		contact->is_open = false;
		contact->is_marked = false;
	}
	dpt_names_purge(stack->names, addr);
	dpt_socks_node_down(stack->socks, addr, &stack->routed);
	(void)stack_route(stack, dpt_port(0), now_ns);
}

static void
last_bcast_set(struct dpt_stack *stack, uint16_t last)
{
	stack->last_bcast = last;
	for (uint32_t i = 0; i < stack->nodes_cnt; i++)
		dpt_node_last_bcast_set(stack_node_at(stack, stack->nodes_sorted[i]), last);
}

static void
nodes_bearer_down(struct dpt_stack *stack, uint8_t bearer_id, uint64_t now_ns)
{
	stack->bearers[bearer_id].is_up = false;
	for (uint32_t i = 0; i < stack->nodes_cnt; i++) {
		struct dpt_node *node = stack_node_at(stack, stack->nodes_sorted[i]);

		if (!dpt_node_has_link(node, bearer_id))
			continue;
		dpt_node_bearer_down(node, bearer_id, DPT_DOWN_BEARER, now_ns, &stack->work);
		stack_node_rearm(stack, node);
		stack_drain(stack, now_ns);
	}
}

/* Takes an answer to NODE_UP off the node's account; true: none is due after it. */
static bool
is_last_answer(struct dpt_node *node)
{
	if (node == NULL || stack_node_slot_of(node)->opens_due == 0)
		return false;
	return --stack_node_slot_of(node)->opens_due == 0;
}

static void
node_reset(struct dpt_stack *stack, struct dpt_node *node, const struct stack_peer_msg *msg,
	   uint64_t now_ns)
{
	dpt_node_reset(node, (enum dpt_down_reason)msg->value, now_ns, &stack->work);
	stack_node_rearm(stack, node);
}

void
stack_peer_msg(struct dpt_stack *stack, const struct stack_peer_msg *msg, uint64_t now_ns)
{
	struct dpt_node *node = stack_node_find(stack, msg->node);
	struct stack_contact *contact;

	stack->route_gen++;
	switch ((enum stack_peer_op)msg->op) {
	case STACK_PEER_OWN:
		stack_own_set(stack, msg->node, &msg->id);
		return;
	case STACK_PEER_OPEN:
		if (is_last_answer(node))
			dpt_node_open(node, (uint16_t)msg->value, now_ns, &stack->work);
		return;
	case STACK_PEER_NOT_OPEN:
		if (is_last_answer(node))
			node_reset(stack, node, msg, now_ns);
		return;
	case STACK_PEER_UP:
		contact = stack_contact_add(stack, msg->node);
		if (contact == NULL)
			return;
		contact->is_open = true;
		contact->mss = (uint16_t)msg->value;
		dpt_socks_node_up(stack->socks, msg->node, msg->caps & stack_caps(&stack->cfg),
				  contact->mss);
		return;
	case STACK_PEER_DOWN:
		peer_down(stack, msg->node, now_ns);
		return;
	case STACK_PEER_GONE:
		stack_contact_del(stack, msg->node);
		return;
	case STACK_PEER_LAST_BCAST:
		last_bcast_set(stack, (uint16_t)msg->value);
		return;
	case STACK_PEER_RESET:
		if (node != NULL)
			node_reset(stack, node, msg, now_ns);
		return;
	case STACK_PEER_BEARER_DOWN:
		nodes_bearer_down(stack, (uint8_t)msg->value, now_ns);
		return;
	}
}
