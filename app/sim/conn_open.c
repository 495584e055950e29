/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients: sockets that connect to listeners, in all ways. Src: 09-socket-api.md, 7, 8. */
#include <errno.h>

#include "sim.h"

/* Connections that are not made by then are given up, some of them. */
#define CONN_PATIENCE_NS (4 * DPT_NS_PER_S)

/* A listener of the node, SIM_NONE: of any node. */
static uint32_t
conn_listener(struct sim *sim, uint32_t n)
{
	uint32_t seen = 0;
	uint32_t found = SIM_NONE;
	uint32_t e;

	for (e = 0; e < sim->ends_cnt; e++) {
		const struct sim_end *end = &sim->ends[e];

		if (!end->is_open || end->role != SIM_END_LISTENER ||
		    (n != SIM_NONE && end->node != n))
			continue;
		if (dpt_rng_below(&sim->rng_app, ++seen) == 0)
			found = e;
	}
	return found;
}

/* By service address: of that listener, of one that any may have, or of nobody. */
static void
conn_dest_name(struct sim *sim, struct sim_end *end, uint32_t to, struct dpt_dest *dest)
{
	uint32_t kind = dpt_rng_below(&sim->rng_app, 100);
	uint32_t type = kind < 60 ? SIM_TYPE_LISTEN : SIM_TYPE_SHARED;
	uint32_t instance = kind < 60 ? to : kind < 95 ? dpt_rng_below(&sim->rng_app, 10) : 99;

	end->is_by_name = true;
	end->name_type = type;
	end->instance = instance;
	dest->addrtype = DPT_ADDR_SERVICE;
	dest->range = (struct dpt_range){.type = type, .lower = instance, .upper = instance};
	if (kind >= 60) {
		end->target = end->target_node = SIM_NONE;
	} else if (sim_chance(&sim->rng_app, 300000)) {
		dest->domain = sim->nodes[end->target_node].addr;
	}
}

static void
conn_dest(struct sim *sim, uint32_t e, uint32_t to, struct dpt_dest *dest)
{
	struct sim_end *end = &sim->ends[e];

	*dest = (struct dpt_dest){.addrtype = DPT_ADDR_SOCKET};
	end->target = to;
	end->target_node = sim->ends[to].node;
	if (!sim->is_conn_must && sim_chance(&sim->rng_app, 500000)) {
		conn_dest_name(sim, end, to, dest);
		return;
	}
	dest->socket.port = sim->ends[to].port;
	dest->socket.node = sim->nodes[end->target_node].addr;
	if (!sim->is_conn_must && sim_chance(&sim->rng_app, 30000)) {
		/* Nobody has this port. */
		dest->socket.port.ref ^= 0x0ff00000;
		end->target = SIM_NONE;
	}
}

static void
conn_connect(struct sim *sim, uint32_t e, const struct dpt_dest *dest)
{
	struct sim_end *end = &sim->ends[e];
	struct dpt_send send = {.dest = dest, .importance = end->importance};
	bool is_implied = sim_chance(&sim->rng_app, 400000);
	int ret;

	if (is_implied) {
		/* Two or three of these fit into the smallest receive limit. */
		ret = sim_conn_send_one(
			sim, e,
			1 + dpt_rng_below(&sim->rng_app, sim->plan.rcvbuf_bytes / 4 < 66000
								 ? sim->plan.rcvbuf_bytes / 4
								 : 66000),
			dest);
	} else {
		ret = dpt_stack_connect(sim_end_stack(sim, e), end->port, &send,
					sim_end_now(sim, e), &sim->out);
		if (ret == 0)
			end->state = DPT_SOCK_STATE_CONNECTING;
		sim_trace_line(sim, end->node, "end %u connects to end %d: %d", e, (int)end->target,
			       ret);
		sim_node_pump(sim, end->node, end->shard);
	}
	if (ret == 0)
		sim->stats.conns_tried++;
	else
		sim_conn_close(sim, e);
	if (ret != 0 && ret != -EHOSTUNREACH && (ret != -ENOBUFS || sim->drained_until_ns == 0))
		sim_violate(sim, "conn connect", "end %u: connect returns %d", e, ret);
	if (ret != 0 && sim->is_conn_must)
		sim_violate(sim, "conn liveness", "end %u cannot connect after the heal: %d", e,
			    ret);
}

void
sim_conn_try(struct sim *sim, uint32_t n, uint32_t to)
{
	uint32_t e = to == SIM_NONE ? SIM_NONE : sim_conn_socket(sim, n, SIM_END_CLIENT);
	struct dpt_dest dest;

	if (e == SIM_NONE)
		return;
	conn_dest(sim, e, to, &dest);
	sim->ends[e].importance =
		sim_chance(&sim->rng_app, 600000) ? 0 : (uint8_t)dpt_rng_below(&sim->rng_app, 4);
	if (sim->ends[e].type == DPT_SOCK_STREAM && sim_chance(&sim->rng_app, 400000)) {
		sim->ends[e].is_nagle = true;
		(void)dpt_sock_nodelay_set(dpt_stack_socks(sim_end_stack(sim, e)),
					   sim->ends[e].port, false);
	}
	conn_connect(sim, e, &dest);
	if (sim->ends[e].is_open && !sim->is_conn_must)
		sim_conn_at(sim, e, SIM_EV_CONN_END,
			    sim_below(&sim->rng_app, RTE_MAX(2 * sim->plan.conn_life_ns,
							     (uint64_t)CONN_PATIENCE_NS)));
}

static uint32_t
conn_count(const struct sim *sim, uint32_t n, enum sim_end_role role)
{
	uint32_t cnt = 0;
	uint32_t e;

	for (e = 0; e < sim->ends_cnt; e++)
		cnt += sim->ends[e].is_open && sim->ends[e].node == n && sim->ends[e].role == role;
	return cnt;
}

/* The node has as many clients as the plan wants, more or less; now and then a crowd. */
void
sim_conn_open(struct sim *sim, uint32_t n)
{
	uint32_t crowd = sim_chance(&sim->rng_app, 10000) ? 12 : 1;
	uint32_t cnt;

	if (!sim->is_talking || !sim->nodes[n].is_running || sim->ends_cnt >= SIM_ENDS_MAX / 4 * 3)
		return;
	if (conn_count(sim, n, SIM_END_LISTENER) < SIM_CONN_LISTENERS)
		sim_conn_listen(sim, n);
	cnt = conn_count(sim, n, SIM_END_CLIENT);
	for (; cnt < sim->plan.conns + crowd - 1 && crowd > 0 && !sim->is_failed; crowd--)
		sim_conn_try(sim, n, conn_listener(sim, SIM_NONE));
	sim_at(sim, sim->now_ns + 1 + sim_below(&sim->rng_app, 2 * SIM_CONN_RETRY_NS),
	       SIM_EV_CONN_OPEN, n, 0);
}

/* After the heal: from each node to one listener of the next one, and of its own. */
void
sim_conn_must_round(struct sim *sim)
{
	uint32_t n, e;

	if (sim->plan.conns == 0)
		return;
	sim->is_conn_must = true;
	for (n = 0; n < sim->plan.nodes && !sim->is_failed; n++) {
		sim_conn_try(sim, n, conn_listener(sim, (n + 1) % sim->plan.nodes));
		sim_conn_try(sim, n, conn_listener(sim, n));
	}
	for (e = 0; e < sim->ends_cnt && !sim->is_failed; e++) {
		const struct sim_end *end = &sim->ends[e];

		if (end->is_open && end->state == DPT_SOCK_STATE_ESTABLISHED && !end->is_own_end &&
		    !end->is_leaving)
			(void)sim_conn_send_one(sim, e, sim_conn_size(sim, end), NULL);
	}
}
