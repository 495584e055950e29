/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Life cycle, sending, timer and dumps of a peer node. Src: 03-link-node.md, 15, 17.3, 18, 21.
 * One timer: node->timer_ns, supervision of all links and expiry of the record.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "dpt_assert.h"
#include "dpt_msg.h"
#include "dpt_mutant.h"
#include "node_priv.h"

DPT_COUNTER_DESCS(dpt_node_counter_descs, DPT_NODE_COUNTERS);

size_t
dpt_node_size(const struct dpt_node_cfg *cfg)
{
	size_t bytes = sizeof(struct dpt_node) + NODE_LINKS_MAX * dpt_link_size(cfg->ring_pkts);

	return RTE_ALIGN_CEIL(bytes, 64);
}

void
dpt_node_init(struct dpt_node *node, const struct dpt_node_cfg *cfg, uint64_t now_ns)
{
	memset(node, 0, sizeof(*node));
	node->cfg = *cfg;
	node->state = DPT_NODE_DOWN_LEAVING;
	node->active[0] = node->active[1] = NODE_NO_BEARER;
	node->timer_ns = now_ns + NODE_IDLE_INTERVAL_MS * DPT_NS_PER_MS;
	node->expires_ns = now_ns + cfg->expiry_ns;
	node->limit_ns = DPT_NEVER_NS;
	dpt_bufq_init(&node->held);
	dpt_bcast_rcv_init(&node->bcast, &cfg->env, cfg->own, cfg->peer, cfg->net_id, cfg->caps,
			   cfg->bcast_counters);
}

void
dpt_node_fini(struct dpt_node *node)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		if (node->links[id] != NULL)
			dpt_link_fini(node->links[id], node->timer_ns);
		node->links[id] = NULL;
	}
	node->links_cnt = 0;
	node_failover_clear(node, node->timer_ns);
	node->is_open = false;
	node->active[0] = node->active[1] = NODE_NO_BEARER;
	dpt_bcast_rcv_reset(&node->bcast);
}

void
node_drop_buf(struct dpt_node *node, struct rte_mbuf *m, size_t offset, uint64_t now_ns)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	++*(uint64_t *)((uint8_t *)node->cfg.node_counters + offset);
	dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_DROP,
		      (uint16_t)(offset / sizeof(uint64_t)), node->cfg.peer.value,
		      dpt_msg_word(hdr, 0), dpt_msg_word(hdr, 2));
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		if (node->links[id] != NULL)
			dpt_flight_run(
				dpt_link_flight(node->links[id]), now_ns, false,
				DPT_FLIGHT_WHAT(DPT_FLIGHT_NODE_DROP, offset / sizeof(uint64_t)),
				(uint16_t)dpt_msg_type(hdr), (uint16_t)dpt_msg_user(hdr));
	}
	rte_pktmbuf_free(m);
}

void
dpt_node_caps_set(struct dpt_node *node, uint16_t caps)
{
	node->cfg.caps = caps;
	node->bcast.peer_caps = caps;
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		if (node->links[id] != NULL)
			dpt_link_caps_set(node->links[id], caps);
	}
}

void
dpt_node_last_bcast_set(struct dpt_node *node, uint16_t last_bcast)
{
	dpt_bcast_rcv_last_bcast_set(&node->bcast, last_bcast);
}

/* Src: 03-link-node.md, 23; 06-broadcast.md, 3.1. */
void
dpt_node_open(struct dpt_node *node, uint16_t last_bcast, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_link *link;
	struct rte_mbuf *m;
	uint8_t *hdr;

	if (!node_is_up(node) || node->is_open)
		return;
	link = node->links[node->active[0]];
	m = dpt_msg_alloc(node->cfg.env.pool, DPT_USER_BCAST_PROTOCOL, 0, DPT_HDR_INTERNAL, 0,
			  node->cfg.own, node->cfg.peer);
	if (m == NULL) {
		node->cfg.node_counters->open_no_buffer++;
		node_contact_reset(node, DPT_DOWN_OVERFLOW, now_ns, out);
		return;
	}
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_last_bcast(hdr, last_bcast);
	dpt_msg_set_bc_ack_invalid(hdr, 1);
	/* The peer has nothing to acknowledge of what was sent before. */
	node->bcast.last_ack_seen = last_bcast;
	dpt_bcast_rcv_last_bcast_set(&node->bcast, last_bcast);
	node->is_open = true;
	dpt_link_tx(link, m, now_ns, out);
}

/*
 * Users' messages that come back. The end of a connection is not one: it has a short header.
 * Src: 09-socket-api.md, 9.1, 15.2.
 */
static bool
is_returned(const uint8_t *hdr)
{
	return dpt_msg_is_data(hdr) && dpt_msg_hdr_bytes(hdr) >= DPT_HDR_BASIC;
}

int
dpt_node_tx(struct dpt_node *node, struct rte_mbuf *m, uint32_t selector, uint64_t now_ns,
	    struct dpt_out *out)
{
	struct dpt_link *link;
	bool is_system;
	int rc;

	if (!node->is_open) {
		NODE_DROP(node, m, drop_unreachable, now_ns);
		return -EHOSTUNREACH;
	}
	if (dpt_buf_bytes(m) > DPT_MSG_BYTES_MAX) {
		NODE_DROP(node, m, drop_too_long, now_ns);
		return -EMSGSIZE;
	}
	if (DPT_MUTANT(selector_ignored))
		selector = (uint32_t)node->cfg.node_counters->tx_msgs;
	link = node->links[node->active[selector & 1]];
	is_system = dpt_msg_link_importance(dpt_buf_hdr(m)) == DPT_IMPORTANCE_SYSTEM;
	if (is_system && is_returned(dpt_buf_hdr(m)) && dpt_link_is_system_scarce(link)) {
		NODE_DROP(node, m, drop_return_surplus, now_ns);
		return 0;
	}
	rc = dpt_link_tx(link, m, now_ns, out);
	if (rc >= 0)
		node->cfg.node_counters->tx_msgs++;
	else if (is_system)
		/* The peer would lack what it counts on, and nobody repeats it: start anew. */
		node_contact_reset(node, DPT_DOWN_OVERFLOW, now_ns, out);
	return rc;
}

/* Between two intervals: silent links are probed, or have been silent for too long. */
static void
supervise(struct dpt_node *node, uint64_t now_ns, struct dpt_out *out)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct dpt_link *link = node->links[id];

		if (link != NULL && dpt_link_deadline_ns(link) <= now_ns)
			node_link_result(node, link, dpt_link_supervise(link, now_ns, out), now_ns,
					 out);
	}
	node_limit(node, now_ns, out);
}

/* Src: 03-link-node.md, 8, 18.1. */
void
dpt_node_timeout(struct dpt_node *node, uint64_t now_ns, struct dpt_out *out)
{
	uint16_t interval_ms = NODE_IDLE_INTERVAL_MS;
	struct dpt_event *event;

	if (node->is_gone)
		return;
	if (now_ns < node->timer_ns) {
		supervise(node, now_ns, out);
		return;
	}
	if (!node_is_up(node) && now_ns >= node->expires_ns) {
		node->is_gone = true;
		event = dpt_out_event(out, DPT_EVENT_NODE_GONE);
		event->node = node->cfg.peer;
		event->id = node->cfg.id;
		dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_GONE, 0, node->cfg.peer.value,
			      0, 0);
		return;
	}
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct dpt_link *link = node->links[id];
		uint32_t result;

		if (link == NULL)
			continue;
		interval_ms = RTE_MIN(interval_ms, dpt_link_interval_ms(link));
		result = dpt_link_timeout(link, interval_ms, now_ns, out);
		node_link_result(node, link, result, now_ns, out);
	}
	node->timer_ns = now_ns + interval_ms * DPT_NS_PER_MS;
	node_limit(node, now_ns, out);
}

uint64_t
dpt_node_deadline_ns(const struct dpt_node *node)
{
	uint64_t deadline_ns = RTE_MIN(node->timer_ns, node->limit_ns);

	if (node->is_gone)
		return DPT_NEVER_NS;
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (node->links[id] != NULL)
			deadline_ns = RTE_MIN(deadline_ns, dpt_link_deadline_ns(node->links[id]));
	return deadline_ns;
}

struct dpt_node_addr
dpt_node_peer(const struct dpt_node *node)
{
	return node->cfg.peer;
}

const struct dpt_node_id *
dpt_node_id_get(const struct dpt_node *node)
{
	return &node->cfg.id;
}

uint16_t
dpt_node_caps(const struct dpt_node *node)
{
	return node->cfg.caps;
}

enum dpt_node_state
dpt_node_state(const struct dpt_node *node)
{
	return node->state;
}

bool
dpt_node_is_open(const struct dpt_node *node)
{
	return node->is_open;
}

bool
dpt_node_has_link(const struct dpt_node *node, uint8_t bearer_id)
{
	return bearer_id < DPT_BEARERS_MAX && node->links[bearer_id] != NULL;
}

int
dpt_node_link_props_set(struct dpt_node *node, uint8_t bearer_id,
			const struct dpt_link_props *props, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_link *link;
	uint64_t next_ns;

	if (!dpt_node_has_link(node, bearer_id))
		return -ENOENT;
	link = node->links[bearer_id];
	node_link_result(node, link, dpt_link_props_set(link, props, out), now_ns, out);
	next_ns = now_ns + dpt_link_interval_ms(link) * DPT_NS_PER_MS;
	node->timer_ns = RTE_MIN(node->timer_ns, next_ns);
	return 0;
}

int
dpt_node_link_info(const struct dpt_node *node, uint8_t bearer_id, struct dpt_link_info *info)
{
	if (!dpt_node_has_link(node, bearer_id))
		return -ENOENT;
	dpt_link_info_get(node->links[bearer_id], info);
	info->is_active =
		info->is_up && (node->active[0] == bearer_id || node->active[1] == bearer_id);
	return 0;
}

int
dpt_node_print(const struct dpt_node *node, char *text, size_t text_size)
{
	return snprintf(text, text_size, "node %x %s%s active %d/%d links %u bcast %s held %u",
			(unsigned int)node->cfg.peer.value, dpt_node_state_name(node->state),
			node->is_open ? " open" : "",
			node->active[0] == NODE_NO_BEARER ? -1 : node->active[0],
			node->active[1] == NODE_NO_BEARER ? -1 : node->active[1], node->links_cnt,
			node->bcast.is_up ? "up" : "down", (unsigned int)node->held.cnt);
}
