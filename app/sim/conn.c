/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets of connection types: listeners that come and go and accept, and what the stack
 * says of all of them. Src: 09-socket-api.md, 7 to 9.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* Slow listeners let SYNs pile up. */
#define CONN_ACCEPT_SLOW_NS (400 * DPT_NS_PER_MS)

struct dpt_stack *
sim_end_stack(const struct sim *sim, uint32_t e)
{
	return sim->nodes[sim->ends[e].node].shards[sim->ends[e].shard].stack;
}

uint64_t
sim_end_now(const struct sim *sim, uint32_t e)
{
	return sim_node_now(sim, sim->ends[e].node, sim->ends[e].shard);
}

void
sim_conn_at(struct sim *sim, uint32_t e, uint32_t type, uint64_t in_ns)
{
	sim_at(sim, sim->now_ns + 1 + in_ns, (enum sim_event_type)type, sim->ends[e].node, e);
}

static uint32_t
conn_new(struct sim *sim, uint32_t n, uint8_t shard, enum sim_end_role role)
{
	struct sim_end *end = &sim->ends[sim->ends_cnt];
	uint32_t most = SIM_ENDS_MAX;

	/* Room is kept for those that are accepted, and for those after the heal. */
	if (role != SIM_END_ACCEPTED)
		most -= SIM_ENDS_MAX / (sim->is_conn_must ? 8 : 4);
	if (sim->ends_cnt >= most)
		return SIM_NONE;
	memset(end, 0, sizeof(*end));
	end->node = n;
	end->incarnation = sim->nodes[n].incarnation;
	end->shard = shard;
	end->role = (uint8_t)role;
	end->state = DPT_SOCK_STATE_OPEN;
	end->begun_ns = sim->now_ns;
	end->target = end->target_node = end->peer = SIM_NONE;
	end->is_slow = sim_chance(&sim->rng_app, sim->plan.conn_slow_ppm);
	end->is_flooding = sim_chance(&sim->rng_app, 100000);
	return sim->ends_cnt++;
}

uint32_t
sim_conn_socket(struct sim *sim, uint32_t n, enum sim_end_role role)
{
	uint8_t shard = (uint8_t)dpt_rng_below(&sim->rng_app, sim->plan.shards);
	uint32_t e;
	int ret;

	if (sim->nodes[n].shards[shard].stalled_ns > sim->now_ns)
		return SIM_NONE;
	e = conn_new(sim, n, shard, role);
	if (e == SIM_NONE)
		return SIM_NONE;
	sim->ends[e].type =
		sim_chance(&sim->rng_app, 500000) ? DPT_SOCK_STREAM : DPT_SOCK_SEQPACKET;
	ret = dpt_stack_socket(sim_end_stack(sim, e), sim->ends[e].type, SIM_COOKIE_END + e,
			       &sim->ends[e].port);
	sim_trace_line(sim, n, "end %u opens, type %u, port %08x: %d", e, sim->ends[e].type,
		       sim->ends[e].port.ref, ret);
	if (ret != 0) {
		sim_violate(sim, "socket", "node %u: socket returns %d", n, ret);
		return SIM_NONE;
	}
	sim->ends[e].is_open = true;
	return e;
}

static void
conn_bind(struct sim *sim, uint32_t e, uint32_t slot, uint32_t type, uint32_t lower, uint32_t upper)
{
	struct sim_end *end = &sim->ends[e];
	struct dpt_bind_req req = {.range = {.type = type, .lower = lower, .upper = upper},
				   .scope = DPT_SCOPE_CLUSTER,
				   .cookie = (uint64_t)(SIM_COOKIE_END + e) << 32 | slot};
	int ret;

	end->binds[slot] =
		(struct sim_end_bind){.range = req.range, .is_used = true, .is_pending = true};
	ret = dpt_stack_bind(sim_end_stack(sim, e), end->port, &req, sim_end_now(sim, e),
			     &sim->out);
	sim->stats.binds++;
	sim_trace_line(sim, end->node, "end %u binds {%u, %u, %u}: %d", e, type, lower, upper, ret);
	sim_node_pump(sim, end->node, end->shard);
	if (ret != 0)
		sim_violate(sim, "bind", "end %u: bind returns %d", e, ret);
}

void
sim_conn_bind_done(struct sim *sim, uint32_t e, uint32_t b, int result)
{
	if (e >= sim->ends_cnt || b >= SIM_END_BINDS) {
		sim_violate(sim, "bind", "BIND_DONE for an unknown end %u, %u", e, b);
		return;
	}
	sim->ends[e].binds[b].is_pending = false;
	if (result == 0)
		return;
	sim->ends[e].binds[b].is_used = false;
	if (result != -ENOMEM || sim->drained_until_ns == 0)
		sim_violate(sim, "bind", "end %u: result %d", e, result);
}

void
sim_conn_listen(struct sim *sim, uint32_t n)
{
	uint32_t e = sim_conn_socket(sim, n, SIM_END_LISTENER);
	int ret;

	if (e == SIM_NONE)
		return;
	ret = dpt_sock_listen(dpt_stack_socks(sim_end_stack(sim, e)), sim->ends[e].port);
	if (ret != 0)
		sim_violate(sim, "conn listen", "end %u: listen returns %d", e, ret);
	sim->ends[e].state = DPT_SOCK_STATE_LISTEN;
	conn_bind(sim, e, 0, SIM_TYPE_LISTEN, e, e);
	if (sim_chance(&sim->rng_app, 500000))
		conn_bind(sim, e, 1, SIM_TYPE_SHARED, 0, 9);
	if (sim->is_talking)
		sim_conn_at(sim, e, SIM_EV_CONN_END, sim_below(&sim->rng_app, 4 * DPT_NS_PER_S));
}

void
sim_conn_node_start(struct sim *sim, uint32_t n)
{
	uint32_t i;

	for (i = 0; sim->plan.conns > 0 && i < SIM_CONN_LISTENERS && !sim->is_failed; i++)
		sim_conn_listen(sim, n);
	if (sim->plan.conns > 0 && sim->is_talking)
		sim_at(sim, sim->now_ns + SIM_CONN_RETRY_NS, SIM_EV_CONN_OPEN, n, 0);
}

void
sim_conn_node_dead(struct sim *sim, uint32_t n)
{
	uint32_t e;

	for (e = 0; e < sim->ends_cnt; e++) {
		if (!sim->ends[e].is_open || sim->ends[e].node != n)
			continue;
		sim->ends[e].is_open = false;
		sim->ends[e].is_dead = true;
	}
}

void
sim_conn_start_talking(struct sim *sim)
{
	uint32_t n, e;

	if (sim->plan.conns == 0)
		return;
	sim->stats.conn_runs = 1;
	for (n = 0; n < sim->plan.nodes; n++)
		sim_at(sim, sim->now_ns + sim_below(&sim->rng_app, SIM_CONN_RETRY_NS),
		       SIM_EV_CONN_OPEN, n, 0);
	for (e = 0; e < sim->ends_cnt; e++)
		sim_conn_at(sim, e, SIM_EV_CONN_END, sim_below(&sim->rng_app, 6 * DPT_NS_PER_S));
}

static int
conn_accept_one(struct sim *sim, uint32_t l)
{
	struct sim_end *listener = &sim->ends[l];
	uint32_t e = conn_new(sim, listener->node, listener->shard, SIM_END_ACCEPTED);
	struct dpt_sock_conn conn;
	struct sim_end *end;
	int ret;

	if (e == SIM_NONE)
		return -EAGAIN;
	end = &sim->ends[e];
	ret = dpt_stack_accept(sim_end_stack(sim, l), listener->port, SIM_COOKIE_END + e,
			       sim_end_now(sim, l), &end->port, &sim->out);
	if (ret != 0) {
		sim->ends_cnt--;
		sim_node_pump(sim, listener->node, listener->shard);
		return ret;
	}
	end->is_open = true;
	end->type = listener->type;
	end->target = l;
	dpt_sock_conn(dpt_stack_socks(sim_end_stack(sim, e)), end->port, &conn);
	end->state = conn.state;
	end->importance = conn.importance;
	end->is_block_flow = conn.is_block_flow;
	sim_trace_line(sim, end->node, "end %u accepts end %u, port %08x, of %08x:%08x, state %u",
		       l, e, end->port.ref, conn.peer.node.value, conn.peer.port.ref, conn.state);
	end->is_stillborn = conn.state != DPT_SOCK_STATE_ESTABLISHED;
	sim_oracle_conn_made(sim, e, &conn);
	if (conn.error == ECONNABORTED)
		sim_oracle_conn_aborted(sim, e);
	sim_node_pump(sim, end->node, end->shard);
	sim_conn_at(sim, e, SIM_EV_CONN_SEND, sim_below(&sim->rng_app, sim->plan.conn_gap_ns));
	sim_conn_at(sim, e, SIM_EV_CONN_END, sim_below(&sim->rng_app, 2 * sim->plan.conn_life_ns));
	return 0;
}

void
sim_conn_accept(struct sim *sim, uint32_t l)
{
	struct sim_end *listener = &sim->ends[l];
	int ret = 0;

	listener->is_read_due = false;
	if (!listener->is_open)
		return;
	while (ret == 0 && !sim->is_failed && listener->is_open)
		ret = conn_accept_one(sim, l);
	if (ret == 0 || ret == -EAGAIN)
		return;
	if (ret == -ENOBUFS && sim->drained_until_ns != 0) {
		listener->is_read_due = true;
		sim_conn_at(sim, l, SIM_EV_CONN_ACCEPT, SIM_CONN_RETRY_NS);
		return;
	}
	sim_violate(sim, "conn accept", "end %u: accept returns %d", l, ret);
}

void
sim_conn_ready(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];
	bool is_listener = e < sim->ends_cnt && end->role == SIM_END_LISTENER;
	uint64_t delay_ns = 1000;

	if (e >= sim->ends_cnt || !end->is_open) {
		sim_violate(sim, "socket", "end %u is ready but not open", e);
		return;
	}
	if (is_listener)
		sim_oracle_conn_listener(sim, e);
	if (end->is_read_due)
		return;
	end->is_read_due = true;
	if (end->is_slow && sim->is_talking)
		delay_ns = CONN_ACCEPT_SLOW_NS / (is_listener ? 1 : 2);
	sim_conn_at(sim, e, is_listener ? SIM_EV_CONN_ACCEPT : SIM_EV_CONN_READ,
		    sim_below(&sim->rng_app, delay_ns));
}

void
sim_conn_writable(struct sim *sim, uint32_t e)
{
	if (e >= sim->ends_cnt || !sim->ends[e].is_open) {
		sim_violate(sim, "socket", "end %u is writable but not open", e);
		return;
	}
	if (!sim->ends[e].is_blocked)
		return;
	sim->ends[e].is_blocked = false;
	sim_conn_at(sim, e, SIM_EV_CONN_SEND, sim_below(&sim->rng_app, 1000));
}

void
sim_conn_changed(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];
	struct dpt_sock_conn conn;
	enum dpt_sock_state was;

	if (e >= sim->ends_cnt || !end->is_open) {
		sim_violate(sim, "socket", "end %u has changed but is not open", e);
		return;
	}
	was = end->state;
	dpt_sock_conn(dpt_stack_socks(sim_end_stack(sim, e)), end->port, &conn);
	end->state = conn.state;
	sim_trace_line(sim, end->node, "  end %u: state %u error %d credit %u", e, conn.state,
		       conn.error, conn.credit);
	/* Made and ended within one call. */
	if (was == DPT_SOCK_STATE_CONNECTING && conn.state == DPT_SOCK_STATE_DISCONNECTING &&
	    end->peer != SIM_NONE && conn.peer.port.ref == sim->ends[end->peer].port.ref)
		sim_oracle_conn_made(sim, e, &conn);
	if (was != conn.state && conn.state == DPT_SOCK_STATE_ESTABLISHED) {
		end->is_block_flow = conn.is_block_flow;
		sim_oracle_conn_made(sim, e, &conn);
		sim_conn_at(sim, e, SIM_EV_CONN_SEND,
			    sim_below(&sim->rng_app, sim->plan.conn_gap_ns));
	}
	if (was != conn.state && conn.error == ECONNABORTED)
		sim_oracle_conn_aborted(sim, e);
	if (was != conn.state && conn.state == DPT_SOCK_STATE_DISCONNECTING && !end->is_own_end &&
	    !end->is_read_due) {
		end->is_read_due = true;
		sim_conn_at(sim, e, SIM_EV_CONN_READ, 1000);
	}
	if (end->is_starving && (int32_t)(conn.credit - end->cost_sent) >= 0) {
		end->is_starving = false;
		sim_conn_at(sim, e, SIM_EV_CONN_SEND,
			    sim_below(&sim->rng_app, sim->plan.conn_gap_ns));
	}
}

void
sim_conn_free(struct sim *sim)
{
	uint32_t e;

	for (e = 0; e < sim->ends_cnt; e++)
		free(sim->ends[e].sizes);
	sim->ends_cnt = 0;
}
