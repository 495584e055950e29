/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Links of a node: set-up, link up, link down, selection, loss of contact.
 * Src: 03-link-node.md, 17, 18.3, 22. Not here: failover and synchronisation,
 * node_failover.c.
 */

#include <errno.h>

#include "dpt_assert.h"
#include "dpt_msg.h"
#include "node_priv.h"

DPT_STATIC_ASSERT(offsetof(struct dpt_node_counters, down_failover) -
				  offsetof(struct dpt_node_counters, down_unknown) ==
			  (DPT_DOWN_REASON_CNT - 1) * sizeof(uint64_t),
		  "a counter for each reason, in the order of enum dpt_down_reason");

static void
count_down(struct dpt_node *node, enum dpt_down_reason reason)
{
	uint64_t *counters = (uint64_t *)node->cfg.node_counters +
			     offsetof(struct dpt_node_counters, down_unknown) / sizeof(uint64_t);

	counters[reason < DPT_DOWN_REASON_CNT ? reason : DPT_DOWN_NONE]++;
}

static void
link_event_out(struct dpt_node *node, const struct dpt_link *link, enum dpt_event_type type,
	       struct dpt_out *out)
{
	struct dpt_event *event = dpt_out_event(out, type);

	event->node = node->cfg.peer;
	event->id = node->cfg.id;
	event->bearer_id = dpt_link_bearer_id(link);
	/* What was said first is taken back, even if the peer calls its bearer otherwise now. */
	event->value = node->identity[event->bearer_id];
	if (type == DPT_EVENT_LINK_UP)
		event->value2 = dpt_link_mss(link);
	if (type == DPT_EVENT_LINK_DOWN || type == DPT_EVENT_NODE_DOWN)
		event->reason = (uint8_t)dpt_link_last_down(link);
}

/* Priority of a link that carries messages; 0: not up. */
static uint8_t
rank(const struct dpt_link *link)
{
	return link != NULL && dpt_link_is_up(link) ? dpt_link_priority(link) : 0;
}

/* A link has come up: 03-link-node.md, 17.1 steps 4, 5. */
static void
select_with(struct dpt_node *node, const struct dpt_link *link)
{
	uint8_t id = dpt_link_bearer_id(link);
	uint8_t first = node_is_up(node) ? rank(node->links[node->active[0]]) : 0;

	if (rank(link) > first)
		node->active[0] = node->active[1] = id;
	else if (rank(link) == first)
		node->active[1] = id;
}

/* A link goes down; NULL: all do. Src: 03-link-node.md, 17.2 step 3. */
static void
select_without(struct dpt_node *node, const struct dpt_link *lost)
{
	uint8_t best = 0;

	node->active[0] = node->active[1] = NODE_NO_BEARER;
	for (uint8_t id = 0; id < DPT_BEARERS_MAX && lost != NULL; id++) {
		const struct dpt_link *link = node->links[id];

		if (link == lost || rank(link) == 0 || rank(link) < best)
			continue;
		if (rank(link) > best)
			node->active[0] = id;
		node->active[1] = id;
		best = rank(link);
	}
}

/* Nothing but a STATE has been sent on it: down again, and nobody has to be told. */
static void
link_not_taken(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	node->cfg.node_counters->synch_failed++;
	dpt_link_reason_set(link, DPT_DOWN_OVERFLOW);
	dpt_link_event(link, DPT_LINK_EV_RESET, now_ns);
	dpt_link_reset(link, now_ns, out);
	dpt_link_reset_tx(link, false, out);
}

/* Src: 03-link-node.md, 17.1. */
void
node_link_up(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_link *first = node_is_up(node) ? node->links[node->active[0]] : NULL;

	/* Ready since a former contact: the peer has to show first that it has given that up. */
	if (dpt_link_is_up(link) || node->state == DPT_NODE_DOWN_LEAVING ||
	    node->state == DPT_NODE_LEAVING_DOWN)
		return;
	dpt_link_event(link, DPT_LINK_EV_ESTABLISH, now_ns);
	if (!dpt_link_is_up(link))
		return;
	/* Before anything else: it brings the peer's end up. */
	if (dpt_link_state_tx(link, out))
		dpt_bcast_rcv_acked(&node->bcast);
	if (first != NULL && dpt_link_synch(link, first, now_ns, out) != 0) {
		link_not_taken(node, link, now_ns, out);
		return;
	}
	node->cfg.node_counters->link_ups++;
	node->identity[dpt_link_bearer_id(link)] = dpt_link_identity(link);
	dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_LINK_UP, dpt_link_bearer_id(link),
		      node->cfg.peer.value, dpt_link_identity(link), dpt_link_mss(link));
	select_with(node, link);
	if (first == NULL) {
		node_event(node, NODE_EV_SELF_ESTABL, now_ns);
		node->cfg.node_counters->node_ups++;
		link_event_out(node, link, DPT_EVENT_NODE_UP, out);
	}
	link_event_out(node, link, DPT_EVENT_LINK_UP, out);
}

/* Src: 03-link-node.md, 18.3. The stack tells the sockets when it hears NODE_DOWN. */
static void
contact_lost(struct dpt_node *node, uint64_t now_ns)
{
	node->is_open = false;
	node->expires_ns = now_ns + node->cfg.expiry_ns;
	node_failover_clear(node, now_ns);
	dpt_bcast_rcv_reset(&node->bcast);
	node->cfg.node_counters->node_downs++;
}

/* No link is left, or none shall be. Src: 03-link-node.md, 17.2 step 4. */
static void
last_down(struct dpt_node *node, struct dpt_link *link, bool was_up, uint64_t now_ns,
	  struct dpt_out *out)
{
	if (dpt_link_state(link) == DPT_LINK_PEER_RESET)
		node_event(node, NODE_EV_PEER_LOST, now_ns);
	node_event(node, NODE_EV_SELF_LOST, now_ns);
	dpt_link_event(link, DPT_LINK_EV_RESET, now_ns);
	dpt_link_reset(link, now_ns, out);
	/* The broadcast receive link counts as up until after this message. */
	dpt_link_reset_tx(link, true, out);
	if (!was_up)
		return;
	contact_lost(node, now_ns);
	link_event_out(node, link, DPT_EVENT_NODE_DOWN, out);
}

/* is_all: the other one follows, so nothing fails over to it. Src: 03-link-node.md, 17.2. */
static void
link_down(struct dpt_node *node, struct dpt_link *link, bool is_all, uint64_t now_ns,
	  struct dpt_out *out)
{
	bool was_up = node_is_up(node);

	if (dpt_link_state(link) == DPT_LINK_ESTABLISHING) {
		dpt_link_event(link, DPT_LINK_EV_RESET, now_ns);
		dpt_link_reset(link, now_ns, out);
		return;
	}
	if (dpt_link_is_reset(link))
		return;
	node->cfg.node_counters->link_downs++;
	count_down(node, dpt_link_last_down(link));
	dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_LINK_DOWN, dpt_link_bearer_id(link),
		      node->cfg.peer.value, dpt_link_identity(link), dpt_link_last_down(link));
	select_without(node, is_all ? NULL : link);
	if (!node_is_up(node)) {
		last_down(node, link, was_up, now_ns, out);
		link_event_out(node, link, DPT_EVENT_LINK_DOWN, out);
		return;
	}
	link_event_out(node, link, DPT_EVENT_LINK_DOWN, out);
	if (!node_failover(node, link, now_ns, out))
		node_contact_reset(node, DPT_DOWN_OVERFLOW, now_ns, out);
}

void
node_link_down(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	link_down(node, link, false, now_ns, out);
}

void
node_contact_reset(struct dpt_node *node, enum dpt_down_reason reason, uint64_t now_ns,
		   struct dpt_out *out)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct dpt_link *link = node->links[id];

		if (link == NULL)
			continue;
		dpt_link_reason_set(link, reason);
		link_down(node, link, true, now_ns, out);
	}
}

void
node_link_result(struct dpt_node *node, struct dpt_link *link, uint32_t result, uint64_t now_ns,
		 struct dpt_out *out)
{
	if (result & DPT_LINK_R_STATE_SENT)
		dpt_bcast_rcv_acked(&node->bcast);
	if (result & DPT_LINK_R_UP)
		node_link_up(node, link, now_ns, out);
	if (result & DPT_LINK_R_DOWN)
		node_link_down(node, link, now_ns, out);
}

/* Memory that no link has now; there is some when less than NODE_LINKS_MAX are there. */
static struct dpt_link *
link_slot(struct dpt_node *node)
{
	struct dpt_link *first = (struct dpt_link *)(void *)node->link_mem;

	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		if (node->links[id] == first)
			return (struct dpt_link *)(void *)(node->link_mem +
							   dpt_link_size(node->cfg.ring_pkts));
	}
	return first;
}

static struct dpt_link *
link_create(struct dpt_node *node, const struct dpt_link_setup *setup, uint64_t now_ns)
{
	const struct dpt_link_cfg cfg = {
		.env = node->cfg.env,
		.own = node->cfg.own,
		.peer = node->cfg.peer,
		.own_id = node->cfg.own_id,
		.peer_id = node->cfg.id,
		.caps = node->cfg.caps,
		.ring_pkts = node->cfg.ring_pkts,
		.view = &node->bcast.view,
		.sums = node->cfg.link_counters,
	};
	struct dpt_link *link = link_slot(node);
	uint64_t first_ns;

	dpt_link_init(link, &cfg, setup, now_ns);
	node->links[setup->bearer_id] = link;
	node->links_cnt++;
	node->is_dual |= node->links_cnt == NODE_LINKS_MAX;
	/* Not beside a series that is under way. Src: 02-discovery.md, 4.5. */
	if (node->state == DPT_NODE_FAILINGOVER)
		dpt_link_event(link, DPT_LINK_EV_FAILOVER_BEGIN, now_ns);
	first_ns = now_ns + dpt_link_interval_ms(link) * DPT_NS_PER_MS;
	node->timer_ns = RTE_MIN(node->timer_ns, first_ns);
	return link;
}

int
dpt_node_link_setup(struct dpt_node *node, const struct dpt_link_setup *setup, uint64_t now_ns,
		    struct dpt_out *out)
{
	struct dpt_link *link;

	DPT_ASSERT(setup->bearer_id < DPT_BEARERS_MAX);
	link = node->links[setup->bearer_id];
	if (link != NULL) {
		if (setup->is_reset && !dpt_link_is_reset(link)) {
			dpt_link_reason_set(link, DPT_DOWN_NEW_ADDRESS);
			node_link_down(node, link, now_ns, out);
		}
		dpt_link_dst_set(link, &setup->dst);
		return 0;
	}
	if (node->links_cnt == NODE_LINKS_MAX)
		return -ENOSPC;
	link = link_create(node, setup, now_ns);
	dpt_link_reset_tx(link, false, out);
	return 0;
}

void
dpt_node_bearer_down(struct dpt_node *node, uint8_t bearer_id, enum dpt_down_reason reason,
		     uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_link *link;

	DPT_ASSERT(bearer_id < DPT_BEARERS_MAX);
	link = node->links[bearer_id];
	if (link == NULL)
		return;
	dpt_link_reason_set(link, reason);
	node_link_down(node, link, now_ns, out);
	dpt_link_fini(link, now_ns);
	node->links[bearer_id] = NULL;
	node->links_cnt--;
}

void
dpt_node_reset(struct dpt_node *node, enum dpt_down_reason reason, uint64_t now_ns,
	       struct dpt_out *out)
{
	node_contact_reset(node, reason, now_ns, out);
}
