/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The applications: sockets that bind, unbind, send in all ways, read at once or slowly,
 * and close with messages unread.
 *
 * Service types: STATIC has one range of 10 instances for each socket; SHARED is bound by
 * half of the sockets, all over 0 .. 99; CHURN types come and go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define APP_TYPE_STATIC 1000
#define APP_TYPE_SHARED 1001
#define APP_TYPE_CHURN	2000
#define APP_CHURN_TYPES 4
/* More than a window and a level of the backlog hold. */
#define APP_FLOOD_MSGS 600

#define APP_DELAY_READ_NS (200 * DPT_NS_PER_MS)

static struct dpt_stack *
app_stack(struct sim *sim, const struct sim_sock *sock)
{
	return sim->nodes[sock->node].shards[sock->shard].stack;
}

static uint64_t
app_now(const struct sim *sim, const struct sim_sock *sock)
{
	return sim_node_now(sim, sock->node, sock->shard);
}

static bool
app_is_stalled(const struct sim *sim, uint32_t s)
{
	const struct sim_sock *sock = &sim->socks[s];

	return sim->nodes[sock->node].shards[sock->shard].stalled_ns > sim->now_ns;
}

static void
app_bind(struct sim *sim, uint32_t s, uint32_t type, uint32_t lower, uint32_t upper)
{
	struct sim_sock *sock = &sim->socks[s];
	bool is_node = type >= APP_TYPE_CHURN && sim_chance(&sim->rng_app, 200000);
	struct sim_bind *bind = NULL;
	uint32_t i;
	struct dpt_bind_req req;
	int ret;

	for (i = 0; i < SIM_BINDS_MAX; i++) {
		struct sim_bind *b = &sock->binds[i];

		if (!b->is_used && bind == NULL)
			bind = b;
		if (b->is_used && b->range.type == type && b->range.lower == lower &&
		    b->range.upper == upper)
			return;
	}
	if (bind == NULL)
		return;
	*bind = (struct sim_bind){.range = {.type = type, .lower = lower, .upper = upper},
				  .scope = is_node ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER,
				  .is_pending = true,
				  .is_used = true};
	req = (struct dpt_bind_req){.range = bind->range,
				    .scope = bind->scope,
				    .cookie = (uint64_t)s << 32 | (uint32_t)(bind - sock->binds)};
	ret = dpt_stack_bind(app_stack(sim, sock), sock->port, &req, app_now(sim, sock), &sim->out);
	sim->stats.binds++;
	sim_trace_line(sim, sock->node, "socket %u binds {%u, %u, %u}: %d", s, type, lower, upper,
		       ret);
	sim_node_pump(sim, sock->node, sock->shard);
	if (ret != 0)
		sim_violate(sim, "bind", "socket %u: bind of {%u, %u, %u} returns %d", s, type,
			    lower, upper, ret);
}

static void
app_unbind(struct sim *sim, uint32_t s, struct sim_bind *bind)
{
	struct sim_sock *sock = &sim->socks[s];
	struct dpt_bind_req req = {.range = bind->range,
				   .scope = bind->scope,
				   .cookie = (uint64_t)s << 32 | UINT32_MAX};
	int ret;

	bind->is_used = false;
	ret = dpt_stack_unbind(app_stack(sim, sock), sock->port, &req, app_now(sim, sock),
			       &sim->out);
	sim_trace_line(sim, sock->node, "socket %u unbinds {%u, %u, %u}: %d", s, bind->range.type,
		       bind->range.lower, bind->range.upper, ret);
	sim_node_pump(sim, sock->node, sock->shard);
	if (ret != 0)
		sim_violate(sim, "bind", "socket %u: unbind of {%u, %u, %u} returns %d", s,
			    bind->range.type, bind->range.lower, bind->range.upper, ret);
}

void
sim_app_bind_done(struct sim *sim, const struct dpt_event *event)
{
	uint32_t s = (uint32_t)(event->cookie >> 32);
	uint32_t b = (uint32_t)event->cookie;

	if (s >= SIM_COOKIE_END) {
		sim_conn_bind_done(sim, s - SIM_COOKIE_END, b, event->result);
		return;
	}
	if (s >= sim->socks_cnt || (b >= SIM_BINDS_MAX && b != UINT32_MAX)) {
		sim_violate(sim, "bind", "BIND_DONE with an unknown cookie %llx",
			    (unsigned long long)event->cookie);
		return;
	}
	if (event->result == -ENOMEM && sim->drained_until_ns != 0 && b < SIM_BINDS_MAX) {
		/* Said plainly, and nothing has been bound. */
		sim->socks[s].binds[b].is_used = false;
		return;
	}
	if (event->result != 0)
		sim_violate(sim, "bind", "socket %u: result %d", s, event->result);
	if (b < SIM_BINDS_MAX)
		sim->socks[s].binds[b].is_pending = false;
}

static uint32_t
app_open(struct sim *sim, uint32_t n)
{
	uint32_t s = sim->socks_cnt;
	struct sim_sock *sock = &sim->socks[s];
	int ret;

	if (s == SIM_SOCKS_MAX)
		return SIM_NONE;
	sim->socks_cnt++;
	memset(sock, 0, sizeof(*sock));
	sock->node = n;
	sock->incarnation = sim->nodes[n].incarnation;
	sock->shard = (uint8_t)dpt_rng_below(&sim->rng_app, sim->plan.shards);
	sock->is_slow = sim_chance(&sim->rng_app, sim->plan.slow_ppm);
	sock->last_unicast = calloc(SIM_SOCKS_MAX, sizeof(uint32_t));
	sock->last_mcast = calloc(SIM_SOCKS_MAX, sizeof(uint32_t));
	DPT_ASSERT(sock->last_unicast != NULL && sock->last_mcast != NULL);
	ret = dpt_stack_socket(app_stack(sim, sock),
			       sim_chance(&sim->rng_app, 500000) ? DPT_SOCK_RDM : DPT_SOCK_DGRAM, s,
			       &sock->port);
	if (ret != 0) {
		sim_violate(sim, "socket", "node %u: socket returns %d", n, ret);
		return SIM_NONE;
	}
	sock->is_open = true;
	app_bind(sim, s, APP_TYPE_STATIC, s * 10, s * 10 + 9);
	if (sim_chance(&sim->rng_app, 500000))
		app_bind(sim, s, APP_TYPE_SHARED, 0, 99);
	if (sim->is_talking)
		sim_at(sim, sim->now_ns + sim_below(&sim->rng_app, sim->plan.send_gap_ns),
		       SIM_EV_SEND, n, s);
	return s;
}

void
sim_app_node_start(struct sim *sim, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < sim->plan.socks && !sim->is_failed; i++)
		(void)app_open(sim, n);
}

static void
app_forget(struct sim *sim, uint32_t s)
{
	struct sim_sock *sock = &sim->socks[s];
	struct dpt_sock_info info;

	if (dpt_sock_info(dpt_stack_socks(app_stack(sim, sock)), sock->port, &info) == 0)
		sock->drops = info.drops;
	sock->is_open = false;
	sock->closed_ns = sim->now_ns;
	sock->is_blocked = false;
	sock->is_read_due = false;
}

void
sim_app_node_dead(struct sim *sim, uint32_t n)
{
	uint32_t s;

	for (s = 0; s < sim->socks_cnt; s++) {
		if (sim->socks[s].is_open && sim->socks[s].node == n)
			app_forget(sim, s);
	}
}

void
sim_app_close(struct sim *sim, uint32_t s)
{
	struct sim_sock *sock = &sim->socks[s];
	struct dpt_stack *stack = app_stack(sim, sock);

	/* What was given out has been seen; what was not is returned to its sender. */
	dpt_stack_recv_done(stack, sock->port, sock->held, app_now(sim, sock), &sim->out);
	sock->held = 0;
	app_forget(sim, s);
	sim_trace_line(sim, sock->node, "socket %u closes", s);
	dpt_stack_close(stack, sock->port, app_now(sim, sock), &sim->out);
	sim_node_pump(sim, sock->node, sock->shard);
}

/* Read up to max messages; a slow reader keeps them until the next time. */
static void
app_read(struct sim *sim, uint32_t s, uint32_t max)
{
	struct sim_sock *sock = &sim->socks[s];
	struct dpt_socks *socks = dpt_stack_socks(app_stack(sim, sock));
	struct rte_mbuf *m;

	dpt_stack_recv_done(app_stack(sim, sock), sock->port, sock->held, app_now(sim, sock),
			    &sim->out);
	sock->held = 0;
	while (sock->held < max && (m = dpt_sock_recv_next(socks, sock->port)) != NULL) {
		sock->held++;
		sim_oracle_received(sim, s, m);
	}
	if (!sock->is_slow || !sim->is_talking) {
		dpt_stack_recv_done(app_stack(sim, sock), sock->port, sock->held,
				    app_now(sim, sock), &sim->out);
		sock->held = 0;
	}
}

void
sim_app_ready(struct sim *sim, uint32_t s)
{
	struct sim_sock *sock = &sim->socks[s];

	if (s >= sim->socks_cnt || !sock->is_open) {
		sim_violate(sim, "socket", "socket %u is ready but not open", s);
		return;
	}
	if (!sock->is_slow || !sim->is_talking) {
		app_read(sim, s, UINT32_MAX);
		return;
	}
	if (sock->is_read_due)
		return;
	sock->is_read_due = true;
	sim_at(sim, sim->now_ns + sim_below(&sim->rng_app, APP_DELAY_READ_NS), SIM_EV_READ,
	       sock->node, s);
}

void
sim_app_read(struct sim *sim, uint32_t s)
{
	struct sim_sock *sock = &sim->socks[s];

	if (!sock->is_open || !sock->is_read_due)
		return;
	sock->is_read_due = false;
	app_read(sim, s, sim->is_talking ? 1 + dpt_rng_below(&sim->rng_app, 20) : UINT32_MAX);
	if (sock->held > 0) {
		sock->is_read_due = true;
		sim_at(sim, sim->now_ns + sim_below(&sim->rng_app, APP_DELAY_READ_NS), SIM_EV_READ,
		       sock->node, s);
	}
}

/* Everybody reads what there is, nobody is slow any more. */
void
sim_app_read_all(struct sim *sim)
{
	uint32_t s;

	for (s = 0; s < sim->socks_cnt; s++) {
		if (sim->socks[s].is_open)
			app_read(sim, s, UINT32_MAX);
	}
}

static uint32_t
app_size(struct sim *sim)
{
	uint32_t kind = dpt_rng_below(&sim->rng_app, 100);

	if (sim_chance(&sim->rng_app, sim->plan.big_ppm))
		return dpt_rng_below(&sim->rng_app, DPT_PAYLOAD_BYTES_MAX + 1);
	if (kind < 2)
		return dpt_rng_below(&sim->rng_app, SIM_MSG_TRACKED_BYTES);
	if (kind < 70)
		return SIM_MSG_TRACKED_BYTES + dpt_rng_below(&sim->rng_app, 120);
	return SIM_MSG_TRACKED_BYTES + dpt_rng_below(&sim->rng_app, 3000);
}

static uint32_t
app_other_sock(struct sim *sim)
{
	uint32_t tries;

	for (tries = 0; tries < 8; tries++) {
		uint32_t s = dpt_rng_below(&sim->rng_app, sim->socks_cnt);

		if (sim->socks[s].is_open)
			return s;
	}
	return SIM_NONE;
}

static void
app_dest_direct(struct sim *sim, struct sim_send *send, uint32_t s)
{
	struct sim_sock *to = &sim->socks[s];

	send->kind = SIM_MSG_DIRECT;
	send->dest_sock = s;
	send->dest_node = to->node;
	send->dest.addrtype = DPT_ADDR_SOCKET;
	send->dest.socket.port = to->port;
	/* As known from before, if the node has just started: 0 would mean the sender's. */
	send->dest.socket.node = sim->nodes[to->node].addr;
	if (sim_chance(&sim->rng_app, 20000)) {
		/* Nobody has this port. */
		send->dest.socket.port.ref ^= 0x0ff00000;
		send->dest_sock = SIM_NONE;
	}
}

static void
app_dest_named(struct sim *sim, struct sim_send *send)
{
	struct dpt_rng *rng = &sim->rng_app;
	uint32_t kind = dpt_rng_below(rng, 100);
	uint32_t n = dpt_rng_below(rng, sim->plan.nodes);

	send->kind = SIM_MSG_NAMED;
	send->dest.addrtype = DPT_ADDR_SERVICE;
	if (kind < 60) {
		send->dest.range.type = APP_TYPE_SHARED;
		send->dest.range.lower = dpt_rng_below(rng, 100);
	} else {
		send->dest.range.type = APP_TYPE_CHURN + dpt_rng_below(rng, APP_CHURN_TYPES);
		send->dest.range.lower = dpt_rng_below(rng, 10);
	}
	send->dest.range.upper = send->dest.range.lower;
	if (sim_chance(rng, 100000) && sim->nodes[n].is_running)
		send->dest.domain = sim->nodes[n].addr;
}

static void
app_dest_mcast(struct sim *sim, struct sim_send *send)
{
	struct dpt_rng *rng = &sim->rng_app;
	uint32_t kind = dpt_rng_below(rng, 100);

	send->kind = SIM_MSG_MCAST;
	send->dest.addrtype = DPT_ADDR_RANGE;
	if (kind < 40) {
		uint32_t lower = dpt_rng_below(rng, sim->socks_cnt * 10);

		send->is_static = true;
		send->dest.range = (struct dpt_range){
			.type = APP_TYPE_STATIC, .lower = lower, .upper = lower + 40};
	} else if (kind < 70) {
		send->dest.range =
			(struct dpt_range){.type = APP_TYPE_SHARED, .lower = 50, .upper = 60};
	} else {
		send->dest.range = (struct dpt_range){.type = APP_TYPE_CHURN +
							      dpt_rng_below(rng, APP_CHURN_TYPES),
						      .lower = 0,
						      .upper = 9};
	}
}

static int
app_send_one(struct sim *sim, uint32_t s)
{
	struct sim_send send = {.dest_sock = SIM_NONE, .dest_node = SIM_NONE};
	uint32_t kind = dpt_rng_below(&sim->rng_app, 100);
	uint32_t to = app_other_sock(sim);

	send.size = app_size(sim);
	send.importance =
		sim_chance(&sim->rng_app, 700000) ? 0 : (uint8_t)dpt_rng_below(&sim->rng_app, 4);
	send.is_droppable = sim_chance(&sim->rng_app, 500000);
	if (sim->plan.is_mcast && kind < 12)
		app_dest_mcast(sim, &send);
	else if (kind < 45 || to == SIM_NONE)
		app_dest_named(sim, &send);
	else
		app_dest_direct(sim, &send, to);
	return sim_msg_send(sim, s, &send);
}

void
sim_app_send(struct sim *sim, uint32_t s)
{
	struct sim_sock *sock = &sim->socks[s];
	uint32_t burst = 1 + dpt_rng_below(&sim->rng_app, sim->plan.burst);
	uint32_t i;

	if (!sock->is_open || !sim->is_talking)
		return;
	if (sim_chance(&sim->rng_app, 10000))
		burst += 150; /* more than a window and a level of the backlog */
	for (i = 0; i < burst && !sock->is_blocked && !sim->is_failed; i++)
		(void)app_send_one(sim, s);
	sim_at(sim, sim->now_ns + 1 + sim_below(&sim->rng_app, 2 * sim->plan.send_gap_ns),
	       SIM_EV_SEND, sock->node, s);
}

static void
app_churn_sock(struct sim *sim, uint32_t s)
{
	struct sim_sock *sock = &sim->socks[s];
	uint32_t lower = dpt_rng_below(&sim->rng_app, 10);
	struct sim_bind *bind = &sock->binds[dpt_rng_below(&sim->rng_app, SIM_BINDS_MAX)];

	if (sim_chance(&sim->rng_app, 500000)) {
		app_bind(sim, s, APP_TYPE_CHURN + dpt_rng_below(&sim->rng_app, APP_CHURN_TYPES),
			 lower, lower + dpt_rng_below(&sim->rng_app, 10 - lower));
	} else if (bind->is_used && !bind->is_pending && bind->range.type >= APP_TYPE_CHURN) {
		app_unbind(sim, s, bind);
	}
}

/* Now and then a socket binds, unbinds, or makes place for another. */
void
sim_app_churn(struct sim *sim, uint32_t n)
{
	uint32_t s = app_other_sock(sim);

	if (!sim->is_talking)
		return;
	if (s != SIM_NONE && app_is_stalled(sim, s))
		s = SIM_NONE;
	if (s != SIM_NONE && sim_chance(&sim->rng_app, 150000)) {
		uint32_t on = sim->socks[s].node;

		sim_app_close(sim, s);
		(void)app_open(sim, on);
	} else if (s != SIM_NONE) {
		app_churn_sock(sim, s);
	}
	sim_at(sim, sim->now_ns + sim_below(&sim->rng_app, 400 * DPT_NS_PER_MS), SIM_EV_CHURN, n,
	       0);
}

void
sim_app_start_talking(struct sim *sim)
{
	uint32_t s, n;

	sim->is_talking = true;
	for (s = 0; s < sim->socks_cnt; s++) {
		sim->socks[s].is_from_start = sim->socks[s].is_open;
		sim_at(sim, sim->now_ns + sim_below(&sim->rng_app, sim->plan.send_gap_ns),
		       SIM_EV_SEND, sim->socks[s].node, s);
	}
	for (n = 0; sim->plan.is_churn && n < sim->plan.nodes; n++)
		sim_at(sim, sim->now_ns + sim_below(&sim->rng_app, 400 * DPT_NS_PER_MS),
		       SIM_EV_CHURN, n, 0);
	sim_conn_start_talking(sim);
}

/*
 * P8: one socket of a node fills the link to another node with messages of the lowest level.
 * Another socket of that node must still get its own, of a higher level, through at once.
 */
static void
app_flood(struct sim *sim, uint32_t to, uint32_t but)
{
	uint32_t s = 0;
	uint32_t i;

	while (s < sim->socks_cnt &&
	       (!sim->socks[s].is_open || s == but || sim->socks[s].is_blocked ||
		sim->socks[s].node != sim->socks[but].node))
		s++;
	for (i = 0; s < sim->socks_cnt && i < APP_FLOOD_MSGS && !sim->socks[s].is_blocked; i++) {
		struct sim_send send = {.size = 1200, .is_droppable = true};

		app_dest_direct(sim, &send, to);
		(void)sim_msg_send(sim, s, &send);
	}
}

/* After the heal: from one socket of each node to one of each node. All must arrive. */
void
sim_app_must_round(struct sim *sim)
{
	uint32_t first[SIM_NODES_MAX];
	uint32_t s, a, b;

	memset(first, 0xff, sizeof(first));
	for (s = 0; s < sim->socks_cnt; s++) {
		if (sim->socks[s].is_open)
			first[sim->socks[s].node] = s;
	}
	a = dpt_rng_below(&sim->rng_app, sim->plan.nodes);
	b = (a + 1) % sim->plan.nodes;
	if (first[a] != SIM_NONE && first[b] != SIM_NONE && sim->opts->scenario == NULL)
		app_flood(sim, first[b], first[a]);
	sim->is_must = true;
	for (a = 0; a < sim->plan.nodes; a++) {
		for (b = 0; b < sim->plan.nodes && !sim->is_failed; b++) {
			struct sim_send send = {.size = 100 + dpt_rng_below(&sim->rng_app, 4000),
						.importance = DPT_USER_CRITICAL};
			int ret;

			if (first[a] == SIM_NONE || first[b] == SIM_NONE)
				continue;
			app_dest_direct(sim, &send, first[b]);
			send.dest_sock = first[b];
			send.dest.socket.port = sim->socks[first[b]].port;
			ret = sim_msg_send(sim, first[a], &send);
			if (ret != 0)
				sim_violate(sim, "liveness",
					    "node %u cannot send to node %u after the heal: %d", a,
					    b, ret);
		}
	}
}
