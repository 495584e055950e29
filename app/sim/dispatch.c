/* SPDX-License-Identifier: BSD-3-Clause */
/* Each event comes to whom it is for, when that one can deal with it. */
#include "sim.h"

static bool
dispatch_node_is(const struct sim *sim, const struct sim_event *event, bool is_running)
{
	const struct sim_node *node = &sim->nodes[event->node];

	return node->is_running == is_running && node->incarnation == event->arg;
}

/* The shard that has to deal with an event, NULL: none, or nobody needs to. */
static struct sim_shard *
dispatch_shard(struct sim *sim, const struct sim_event *event)
{
	const struct sim_sock *sock;
	const struct sim_end *end;

	switch ((enum sim_event_type)event->type) {
	case SIM_EV_FRAME:
	case SIM_EV_SHARD:
	case SIM_EV_TIMER:
	case SIM_EV_BEARER_UP:
		return &sim->nodes[event->node].shards[event->shard];
	case SIM_EV_SEND:
		sock = &sim->socks[event->arg];
		return sock->is_open ? &sim->nodes[sock->node].shards[sock->shard] : NULL;
	case SIM_EV_CONN_ACCEPT:
	case SIM_EV_CONN_SEND:
	case SIM_EV_CONN_READ:
	case SIM_EV_CONN_END:
		end = &sim->ends[event->arg];
		return end->is_open ? &sim->nodes[end->node].shards[end->shard] : NULL;
	default:
		return NULL;
	}
}

/* A worker that stands still does it later, in the same order. */
static bool
dispatch_is_put_off(struct sim *sim, struct sim_event *event)
{
	struct sim_shard *sh = dispatch_shard(sim, event);

	if (sh == NULL || sh->stack == NULL || sh->stalled_ns <= sim->now_ns)
		return false;
	if (event->type == SIM_EV_TIMER && sh->timer_ns != event->time_ns)
		return false;
	event->time_ns = sh->stalled_ns;
	if (event->type == SIM_EV_TIMER)
		sh->timer_ns = event->time_ns;
	sim_heap_push(&sim->heap, event);
	return true;
}

static void
dispatch_event(struct sim *sim, const struct sim_event *event)
{
	switch ((enum sim_event_type)event->type) {
	case SIM_EV_FRAME:
		sim_node_frame(sim, event);
		break;
	case SIM_EV_SHARD:
		sim_node_shard_msg(sim, event);
		break;
	case SIM_EV_TIMER:
		sim_node_timer(sim, event);
		break;
	case SIM_EV_BEARER_UP:
		if (dispatch_node_is(sim, event, true))
			sim_node_bearer_up(sim, event->node, event->bearer_id);
		break;
	case SIM_EV_SEND:
		sim_app_send(sim, event->arg);
		break;
	case SIM_EV_READ:
		sim_app_read(sim, event->arg);
		break;
	case SIM_EV_CHURN:
		sim_app_churn(sim, event->node);
		break;
	case SIM_EV_FAULT:
		sim_fault_next(sim);
		break;
	case SIM_EV_FAULT_END:
		sim_fault_end(sim, event->arg, event->arg2);
		break;
	case SIM_EV_NODE_START:
		if (sim->drained.cnt > 0)
			sim_at(sim, sim->drained_until_ns + 1, SIM_EV_NODE_START, event->node,
			       event->arg);
		else if (dispatch_node_is(sim, event, false))
			sim_node_start(sim, event->node);
		break;
	case SIM_EV_CHECK_DOWN:
		sim_oracle_check_down(sim, event->node, event->arg);
		break;
	case SIM_EV_SCRIPT:
		sim_app_script(sim, event->arg);
		break;
	case SIM_EV_FLAP:
		sim_fault_flap(sim, event->node, event->bearer_id, event->arg);
		break;
	case SIM_EV_DRAIN_END:
		sim_fault_drain(sim, false);
		break;
	case SIM_EV_CONN_OPEN:
		sim_conn_open(sim, event->node);
		break;
	case SIM_EV_CONN_ACCEPT:
		sim_conn_accept(sim, event->arg);
		break;
	case SIM_EV_CONN_SEND:
		sim_conn_send(sim, event->arg);
		break;
	case SIM_EV_CONN_READ:
		sim_conn_read(sim, event->arg);
		break;
	case SIM_EV_CONN_END:
		sim_conn_end(sim, event->arg);
		break;
	}
}

void
sim_dispatch(struct sim *sim, struct sim_event *event)
{
	if (!dispatch_is_put_off(sim, event))
		dispatch_event(sim, event);
}
