/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Links of a node: set-up, link up, link down, selection, loss of contact.
 * Src: 03-link-node.md, 17, 18.3, 22. Not here: failover and synchronisation.
 */

#include <errno.h>

#include "dpt_assert.h"
#include "dpt_msg.h"
#include "node_priv.h"

static void
link_event_out(struct dpt_node *node, const struct dpt_link *link, enum dpt_event_type type,
	       struct dpt_out *out)
{
	struct dpt_event *event = dpt_out_event(out, type);

	event->node = node->cfg.peer;
	event->id = node->cfg.id;
	event->bearer_id = dpt_link_bearer_id(link);
	event->value = dpt_link_identity(link);
	if (type == DPT_EVENT_LINK_UP)
		event->value2 = dpt_link_mss(link);
	if (type == DPT_EVENT_LINK_DOWN || type == DPT_EVENT_NODE_DOWN)
		event->reason = (uint8_t)dpt_link_last_down(link);
}

/* Src: 03-link-node.md, 17.1. */
static void
link_up(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	bool is_first = !node_is_up(node);

	if (dpt_link_is_up(link))
		return;
	dpt_link_event(link, DPT_LINK_EV_ESTABLISH, now_ns);
	if (!dpt_link_is_up(link))
		return;
	node->cfg.node_counters->link_ups++;
	dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_LINK_UP, dpt_link_bearer_id(link),
		      node->cfg.peer.value, dpt_link_identity(link), dpt_link_mss(link));
	node->active[0] = node->active[1] = dpt_link_bearer_id(link);
	/* Before anything else: it brings the peer's end up. */
	if (dpt_link_state_tx(link, out))
		dpt_bcast_rcv_acked(&node->bcast);
	if (is_first) {
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
	dpt_bcast_rcv_reset(&node->bcast);
	node->cfg.node_counters->node_downs++;
}

void
node_link_down(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	bool is_peer_reset = dpt_link_state(link) == DPT_LINK_PEER_RESET;

	if (dpt_link_state(link) == DPT_LINK_ESTABLISHING) {
		dpt_link_event(link, DPT_LINK_EV_RESET, now_ns);
		dpt_link_reset(link, now_ns, out);
		return;
	}
	if (dpt_link_is_reset(link))
		return;
	node->cfg.node_counters->link_downs++;
	dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_LINK_DOWN, dpt_link_bearer_id(link),
		      node->cfg.peer.value, dpt_link_identity(link), dpt_link_last_down(link));
	if (is_peer_reset)
		node_event(node, NODE_EV_PEER_LOST, now_ns);
	node_event(node, NODE_EV_SELF_LOST, now_ns);
	dpt_link_event(link, DPT_LINK_EV_RESET, now_ns);
	dpt_link_reset(link, now_ns, out);
	node->active[0] = node->active[1] = NODE_NO_BEARER;
	/* The broadcast receive link counts as up until after this message. */
	dpt_link_reset_tx(link, true, out);
	contact_lost(node, now_ns);
	link_event_out(node, link, DPT_EVENT_NODE_DOWN, out);
	link_event_out(node, link, DPT_EVENT_LINK_DOWN, out);
}

void
node_link_result(struct dpt_node *node, struct dpt_link *link, uint32_t result, uint64_t now_ns,
		 struct dpt_out *out)
{
	if (result & DPT_LINK_R_STATE_SENT)
		dpt_bcast_rcv_acked(&node->bcast);
	if (result & DPT_LINK_R_UP)
		link_up(node, link, now_ns, out);
	if (result & DPT_LINK_R_DOWN)
		node_link_down(node, link, now_ns, out);
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
	struct dpt_link *link = (struct dpt_link *)(void *)node->link_mem;
	uint64_t first_ns;

	dpt_link_init(link, &cfg, setup, now_ns);
	node->links[setup->bearer_id] = link;
	node->links_cnt++;
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
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct dpt_link *link = node->links[id];

		if (link == NULL)
			continue;
		dpt_link_reason_set(link, reason);
		node_link_down(node, link, now_ns, out);
	}
}
