/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events: what a change of the table means for the subscriptions of its service
 * (05-topology-service.md, 5), and timeouts (5.1).
 */
#include <string.h>

#include <rte_byteorder.h>

#include "dpt_msg.h"
#include "dpt_time.h"
#include "topology_priv.h"

static void
word_put(uint8_t *at, uint32_t value, bool is_swapped)
{
	if (is_swapped)
		value = rte_bswap32(value);
	memcpy(at, &value, sizeof(value));
}

static void
record_write(struct topo_event *event, const struct topo_sub *sub, const uint32_t words[5])
{
	for (uint32_t i = 0; i < 5; i++)
		word_put(event->octets + 4 * i, words[i], sub->is_swapped);
	memcpy(event->octets + 20, sub->raw, DPT_TOPO_SUB_BYTES);
}

void
topo_event_write(struct topo_event *event, const struct topo_sub *sub,
		 enum dpt_topo_event_type type, const struct dpt_binding *binding)
{
	const uint32_t words[5] = {type, binding->range.lower, binding->range.upper,
				   binding->port.ref, binding->node.value};

	record_write(event, sub, words);
}

bool
topo_scope_fits(const struct topo_sub *sub, const struct dpt_binding *binding)
{
	bool is_node_scope = binding->scope == DPT_SCOPE_NODE;

	if ((sub->filter & DPT_TOPO_CLUSTER_SCOPE) != 0 && is_node_scope)
		return false;
	return (sub->filter & DPT_TOPO_NODE_SCOPE) == 0 || is_node_scope;
}

struct topo_event *
topo_conn_event(struct dpt_topo *topo, struct topo_conn *conn)
{
	struct dpt_topology_counters *counters = topo->cfg.counters;
	struct topo_event *event;

	if (conn->is_broken)
		return NULL;
	/* A lost event would leave the client with a wrong picture for ever: 6. */
	if (conn->events.cnt >= topo->cfg.conn_events_max) {
		topo_conn_break(topo, conn, &counters->closed_queue_full);
		return NULL;
	}
	event = topo_event_new(topo);
	if (event == NULL)
		topo_conn_break(topo, conn, &counters->closed_pool_empty);
	else
		counters->events++;
	return event;
}

void
topo_report(struct dpt_topo *topo, const struct names_service *service,
	    const struct dpt_binding *binding, bool is_withdrawal, bool is_edge)
{
	struct topo_event *event;
	struct topo_sub *sub;

	LIST_FOREACH (sub, &service->subs, by_service) {
		if (sub->lower > binding->range.upper || sub->upper < binding->range.lower)
			continue;
		if ((sub->filter & DPT_TOPO_PORTS) == 0 && !is_edge)
			continue;
		if (!topo_scope_fits(sub, binding) || sub->is_expired)
			continue;
		event = topo_conn_event(topo, sub->conn);
		if (event == NULL)
			continue;
		topo_event_write(event, sub,
				 is_withdrawal ? DPT_TOPO_WITHDRAWN : DPT_TOPO_PUBLISHED, binding);
		topo_events_push(&sub->conn->events, event);
		topo_conn_ready(topo, sub->conn);
	}
}

void
topo_sub_expire(struct dpt_topo *topo, struct topo_sub *sub)
{
	const uint32_t words[5] = {DPT_TOPO_TIMEOUT, sub->lower, sub->upper, 0, 0};
	struct topo_event *event;

	sub->is_expired = true;
	topo->cfg.counters->timeouts++;
	event = topo_conn_event(topo, sub->conn);
	if (event == NULL)
		return;
	/* The range in the client's order, as the kernel does not have it: 3.2. */
	record_write(event, sub, words);
	event->expired = sub;
	event->expired_gen = sub->gen;
	topo_events_push(&sub->conn->events, event);
	topo_conn_ready(topo, sub->conn);
}

void
dpt_topo_timeout(struct dpt_topo *topo, uint64_t now_ns)
{
	struct dpt_timer *timer;

	while ((timer = dpt_timer_pop(&topo->wheel, now_ns)) != NULL) {
		struct topo_sub *sub =
			(struct topo_sub *)(void *)((uint8_t *)timer -
						    offsetof(struct topo_sub, timer));

		/* 49 days are beyond the wheel's horizon. */
		if (sub->expires_ns > now_ns)
			dpt_timer_set(&topo->wheel, timer, sub->expires_ns);
		else
			topo_sub_expire(topo, sub);
	}
}

uint64_t
dpt_topo_deadline_ns(const struct dpt_topo *topo)
{
	return dpt_timer_wheel_deadline_ns(&topo->wheel);
}
