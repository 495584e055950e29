/* SPDX-License-Identifier: BSD-3-Clause */
/* A node: its stacks, one per shard, and the carrying of what they say. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* More than one call of a shard traces. */
#define SIM_TRACE_RECS 2048
/* A timeout that does not move the deadline is served this often before it is a fault. */
#define SIM_STUCK_MAX 100

static void
node_cfg(struct sim *sim, uint32_t n, uint8_t shard, struct dpt_stack_cfg *cfg)
{
	struct sim_node *node = &sim->nodes[n];
	uint32_t bindings = sim->plan.nodes * (sim->plan.socks * SIM_BINDS_MAX + 8);
	uint64_t random = sim_seed_mix(sim->seed, 0x1000 + n * 64 + node->incarnation);

	memset(cfg, 0, sizeof(*cfg));
	cfg->env.rng = &node->shards[shard].rng;
	cfg->env.pool = sim->pool;
	cfg->env.trace = node->shards[shard].trace;
	cfg->shard = shard;
	cfg->shards_cnt = (uint8_t)sim->plan.shards;
	cfg->net_id = SIM_NET_ID;
	cfg->random = (uint32_t)random;
	if (sim_is_net_set(sim, n))
		cfg->net_id = SIM_NET_ID_FIRST;
	else if (sim->plan.is_legacy_addr)
		cfg->addr = dpt_node_addr(1u << 24 | 1u << 12 | (n + 1));
	cfg->nodes_max = sim->plan.nodes + 4;
	cfg->caps = sim->plan.caps[n];
	cfg->sockets_max = sim->plan.conns > 0 ? 16 + SIM_END_SOCKS : 16;
	/* A restarted node may still be known under its former address as well. */
	cfg->bindings_max = 2 * bindings + (sim->plan.conns > 0 ? 16 * sim->plan.nodes : 0);
	cfg->link_ring_pkts = sim->plan.ring_pkts;
	cfg->rcvbuf_bytes = sim->plan.rcvbuf_bytes;
	/* Nobody subscribes: the defaults would be most of a node's memory, cleared at each start.
	 */
	cfg->topo_subs_max = 64;
	cfg->topo_conns_max = 16;
	cfg->topo_events_max = 256;
}

static void
node_shard_start(struct sim *sim, uint32_t n, uint8_t shard)
{
	struct sim_node *node = &sim->nodes[n];
	struct sim_shard *sh = &node->shards[shard];
	struct dpt_stack_cfg cfg;
	const char *what = "";
	int ret;

	memset(sh, 0, sizeof(*sh));
	sh->timer_ns = DPT_NEVER_NS;
	sh->gen_seen = UINT32_MAX;
	sh->trace = sim_mem_take(sim, dpt_trace_size(SIM_TRACE_RECS));
	dpt_trace_init(sh->trace, SIM_TRACE_RECS);
	dpt_rng_seed(&sh->rng,
		     sim_seed_mix(sim->seed, 0x100000 + n * 1024 + node->incarnation * 16 + shard));
	node_cfg(sim, n, shard, &cfg);
	sh->stack = sim_mem_take(sim, dpt_stack_size(&cfg));
	ret = dpt_stack_init(sh->stack, &cfg, sim->now_ns, &what);
	if (ret != 0)
		sim_violate(sim, "init", "node %u shard %u: %d: %s", n, shard, ret, what);
	else
		sh->socks_own = dpt_socks_cnt(dpt_stack_socks(sh->stack));
}

void
sim_node_start(struct sim *sim, uint32_t n)
{
	struct sim_node *node = &sim->nodes[n];
	uint64_t up_ns = sim->now_ns + sim_below(&sim->rng_net, 300 * DPT_NS_PER_MS);
	uint32_t s, wire;

	node->is_running = true;
	node->started_ns = sim->now_ns;
	memset(node->contact, 0, sizeof(node->contact));
	memset(node->is_reported_up, 0, sizeof(node->is_reported_up));
	memset(node->links, 0, sizeof(node->links));
	for (s = 0; s < sim->plan.shards && !sim->is_failed; s++)
		node_shard_start(sim, n, (uint8_t)s);
	sim_trace_line(sim, n, "starts, incarnation %u", node->incarnation);
	if (sim->is_failed)
		return;
	if (sim_is_net_set(sim, n))
		sim_admin_net_set(sim, n);
	sim_app_node_start(sim, n);
	sim_conn_node_start(sim, n);
	/* In this order: the first bearer names the node. */
	for (wire = 0; wire < sim->plan.wires; wire++) {
		const uint8_t mac[6] = {0x02, 0, 0, (uint8_t)wire, 0, (uint8_t)(n + 1)};

		node->maddr[wire] = dpt_maddr_eth(mac);
		node->is_bearer_up[wire] = false;
		sim_at_wire(sim, up_ns, n, wire);
		up_ns += 1 + sim_below(&sim->rng_net, 200 * DPT_NS_PER_MS);
	}
}

uint64_t
sim_node_now(const struct sim *sim, uint32_t n, uint32_t shard)
{
	return sim->now_ns + sim->nodes[n].shards[shard].skew_ns;
}

void
sim_node_bearer_up(struct sim *sim, uint32_t n, uint32_t wire)
{
	struct dpt_stack_bearer bearer = {
		.bearer_id = (uint8_t)wire,
		.priority = sim->plan.priority[wire],
		.tolerance_ms = sim->plan.tolerance_ms,
		.window_min = 50,
		.window_max = sim->plan.window_max,
		.mtu = sim->plan.mtu[wire],
		.has_bcast = true,
		.maddr = sim->nodes[n].maddr[wire],
		.domain = sim->nodes[n].domain[wire],
	};
	struct sim_node *node = &sim->nodes[n];
	int ret;

	if (node->is_bearer_up[wire] && node->domain_used[wire].value == bearer.domain.value)
		return;
	if (node->is_bearer_up[wire]) {
		sim_fault_wire_bad(sim, n, wire);
		sim_node_bearer_down(sim, n, wire);
	}
	node->is_bearer_up[wire] = true;
	node->domain_used[wire] = bearer.domain;
	snprintf(bearer.if_name, sizeof(bearer.if_name), "sim%u", wire);
	sim_trace_line(sim, n, "bearer %u comes up", wire);
	ret = dpt_stack_bearer_up(sim->nodes[n].shards[0].stack, &bearer, sim_node_now(sim, n, 0),
				  &sim->out);
	sim_node_pump(sim, n, 0);
	if (ret != 0)
		sim_violate(sim, "bearer", "node %u: bearer_up of %u returns %d", n, wire, ret);
}

/* As the dataplane does when the carrier is lost. */
void
sim_node_bearer_down(struct sim *sim, uint32_t n, uint32_t wire)
{
	sim_trace_line(sim, n, "bearer %u goes down", wire);
	dpt_stack_bearer_down(sim->nodes[n].shards[0].stack, (uint8_t)wire, sim_node_now(sim, n, 0),
			      &sim->out);
	sim_node_pump(sim, n, 0);
	sim->nodes[n].is_bearer_up[wire] = false;
}

/* Crash: nobody is told. What lies in the rings between its shards is gone with it. */
void
sim_node_kill(struct sim *sim, uint32_t n)
{
	struct sim_node *node = &sim->nodes[n];
	uint32_t s, p;

	sim_trace_line(sim, n, sim->is_quiet ? "stops" : "crashes");
	sim_app_node_dead(sim, n);
	sim_conn_node_dead(sim, n);
	for (s = 0; s < sim->plan.shards; s++) {
		struct sim_shard *sh = &node->shards[s];

		if (sh->stack == NULL)
			continue;
		sim_hash_u64(sim, sh->trace->hash);
		dpt_stack_fini(sh->stack);
		sim_mem_give(sim, sh->stack);
		sim_mem_give(sim, sh->trace);
		sh->stack = NULL;
		sh->trace = NULL;
	}
	for (p = 0; p < sim->plan.nodes; p++) {
		if (sim->nodes[p].is_running && sim->nodes[p].contact[n])
			sim_oracle_expect_down(sim, p, n, true);
		node->contact[p] = false;
		node->lost_ns[p] = sim->now_ns;
	}
	node->is_running = false;
	node->incarnation++;
}

static struct sim_shard *
node_shard_of(struct sim *sim, const struct sim_event *event)
{
	struct sim_node *node = &sim->nodes[event->node];

	if (!node->is_running || event->arg != node->incarnation)
		return NULL;
	return &node->shards[event->shard];
}

void
sim_node_frame(struct sim *sim, const struct sim_event *event)
{
	struct sim_node *node = &sim->nodes[event->node];
	struct rte_mbuf *m = event->m;

	if (!node->is_running || !node->is_bearer_up[event->bearer_id]) {
		sim->stats.frames_lost++;
		sim->paths[event->bearer_id][event->arg][event->node].bad_ns = sim->now_ns;
		rte_pktmbuf_free(m);
		return;
	}
	sim_trace_rx(sim, event->node, m);
	dpt_stack_rx_burst(node->shards[event->shard].stack, event->bearer_id, &m, 1,
			   sim_node_now(sim, event->node, event->shard), &sim->out);
	sim_node_pump(sim, event->node, event->shard);
}

void
sim_node_shard_msg(struct sim *sim, const struct sim_event *event)
{
	struct sim_shard *sh = node_shard_of(sim, event);
	struct rte_mbuf *m = event->m;

	if (sh == NULL) {
		rte_pktmbuf_free(m);
		return;
	}
	sim->stats.shard_msgs++;
	dpt_stack_shard_rx(sh->stack, &m, 1, sim_node_now(sim, event->node, event->shard),
			   &sim->out);
	sim_node_pump(sim, event->node, event->shard);
}

void
sim_node_timer(struct sim *sim, const struct sim_event *event)
{
	struct sim_shard *sh = node_shard_of(sim, event);
	uint64_t now_ns = sim_node_now(sim, event->node, event->shard);

	if (sh == NULL || sh->timer_ns != event->time_ns)
		return;
	sh->timer_ns = DPT_NEVER_NS;
	if (sim->is_faulty && sim->plan.timer_slack_ns != 0)
		sim->stats.faults[SIM_FAULT_TIMER]++;
	dpt_stack_timeout(sh->stack, now_ns, &sim->out);
	if (dpt_stack_deadline_ns(sh->stack) <= now_ns) {
		if (++sh->stuck > SIM_STUCK_MAX)
			sim_violate(sim, "timer", "node %u shard %u: deadline stays in the past",
				    event->node, event->shard);
	} else {
		sh->stuck = 0;
	}
	sim_node_pump(sim, event->node, event->shard);
}

static void
node_arm(struct sim *sim, uint32_t n, uint32_t shard)
{
	struct sim_shard *sh = &sim->nodes[n].shards[shard];
	uint64_t deadline_ns = dpt_stack_deadline_ns(sh->stack);
	struct sim_event event = {.type = SIM_EV_TIMER, .node = n, .shard = (uint8_t)shard};

	if (deadline_ns == DPT_NEVER_NS)
		return;
	if (deadline_ns <= sim_node_now(sim, n, shard))
		deadline_ns = sim->now_ns + 1000;
	else
		deadline_ns -= sh->skew_ns;
	if (sim->is_faulty && sim->plan.timer_slack_ns != 0 && deadline_ns < sh->timer_ns)
		deadline_ns += sim_below(&sim->rng_net, sim->plan.timer_slack_ns);
	if (deadline_ns >= sh->timer_ns)
		return;
	sh->timer_ns = deadline_ns;
	event.time_ns = deadline_ns;
	event.arg = sim->nodes[n].incarnation;
	sim_heap_push(&sim->heap, &event);
}

/* Messages to other shards keep their order between each two shards. */
static void
node_shard_out(struct sim *sim, uint32_t n, uint32_t shard, struct rte_mbuf *m)
{
	struct sim_node *node = &sim->nodes[n];
	struct sim_event event = {.type = SIM_EV_SHARD, .node = n, .arg = node->incarnation};
	uint32_t to = dpt_buf(m)->shard;
	uint64_t at_ns = sim->now_ns + 100;

	if (to >= sim->plan.shards || to == shard) {
		sim_violate(sim, "shard", "node %u shard %u: message to shard %u", n, shard, to);
		rte_pktmbuf_free(m);
		return;
	}
	if (sim->is_faulty)
		at_ns += sim_below(&sim->rng_net, sim->plan.shard_delay_ns);
	if (at_ns < node->shards[shard].ring_last_ns[to])
		at_ns = node->shards[shard].ring_last_ns[to];
	node->shards[shard].ring_last_ns[to] = at_ns;
	event.time_ns = at_ns;
	event.shard = (uint8_t)to;
	event.from_shard = (uint8_t)shard;
	event.m = m;
	if ((sim->plan.faults & SIM_FAULT_BIT(SHARD)) != 0 && sim->is_faulty)
		sim->stats.faults[SIM_FAULT_SHARD]++;
	sim_heap_push(&sim->heap, &event);
}

static void
node_events(struct sim *sim, uint32_t n)
{
	uint16_t i;

	for (i = 0; i < sim->out.events_cnt; i++) {
		const struct dpt_event *event = &sim->out.events[i];

		sim_trace_line(sim, n, "  event %s", dpt_event_name(event->type));
		if (event->type == DPT_EVENT_NODE_UP || event->type == DPT_EVENT_NODE_DOWN)
			sim_oracle_node_event(sim, n, event);
		if (event->type == DPT_EVENT_BIND_DONE)
			sim_app_bind_done(sim, event);
		if (event->type == DPT_EVENT_DUPLICATE)
			sim_violate(sim, "discovery", "node %u: duplicate address reported", n);
	}
	sim->out.events_cnt = 0;
}

/* What has become of the sockets of a shard. State first: what is read depends on it. */
static void
node_socks(struct sim *sim, struct dpt_socks *socks)
{
	struct dpt_port port;
	uint64_t cookie;

	while (dpt_sock_changed_pop(socks, &port, &cookie)) {
		if (cookie >= SIM_COOKIE_END)
			sim_conn_changed(sim, (uint32_t)cookie - SIM_COOKIE_END);
	}
	while (dpt_sock_writable_pop(socks, &port, &cookie)) {
		if (cookie >= SIM_COOKIE_END)
			sim_conn_writable(sim, (uint32_t)cookie - SIM_COOKIE_END);
		else
			sim->socks[cookie].is_blocked = false;
	}
	while (dpt_sock_ready_pop(socks, &port, &cookie)) {
		if (cookie >= SIM_COOKIE_END)
			sim_conn_ready(sim, (uint32_t)cookie - SIM_COOKIE_END);
		else
			sim_app_ready(sim, (uint32_t)cookie);
	}
}

void
sim_node_pump(struct sim *sim, uint32_t n, uint32_t shard)
{
	struct dpt_stack *stack = sim->nodes[n].shards[shard].stack;
	struct rte_mbuf *m;

	if (dpt_stack_own(stack).value != 0)
		sim->nodes[n].addr = dpt_stack_own(stack);
	sim_oracle_links(sim, n, shard);
	while ((m = dpt_bufq_pop(&sim->out.tx)) != NULL)
		sim_net_tx(sim, n, m);
	while ((m = dpt_bufq_pop(&sim->out.shard)) != NULL)
		node_shard_out(sim, n, shard, m);
	if (sim->out.up.cnt != 0 || sim->out.bcast.cnt != 0)
		sim_violate(sim, "stack", "node %u: messages left in up or bcast", n);
	node_events(sim, n);
	sim_oracle_contacts(sim, n, shard);
	node_socks(sim, dpt_stack_socks(stack));
	node_arm(sim, n, shard);
}

/* Index of the node with this address, dead or alive; SIM_NONE. */
uint32_t
sim_node_find_any(const struct sim *sim, struct dpt_node_addr addr)
{
	uint32_t n;

	for (n = 0; n < sim->plan.nodes; n++) {
		if (addr.value != 0 && sim->nodes[n].addr.value == addr.value)
			return n;
	}
	return SIM_NONE;
}

uint32_t
sim_node_find(const struct sim *sim, struct dpt_node_addr addr)
{
	uint32_t n = sim_node_find_any(sim, addr);

	return n != SIM_NONE && sim->nodes[n].is_running ? n : SIM_NONE;
}

uint64_t
sim_node_drops(const struct sim *sim, uint32_t n, const char *library)
{
	uint64_t sum = 0;
	uint32_t s, i;

	for (s = 0; s < sim->plan.shards; s++) {
		const struct dpt_stack *stack = sim->nodes[n].shards[s].stack;
		struct dpt_counter_value value;

		for (i = 0; stack != NULL && dpt_stack_counter(stack, i, &value); i++) {
			if (value.desc->kind == DPT_COUNTER_DROP &&
			    (library == NULL || strcmp(value.library, library) == 0))
				sum += value.value;
		}
	}
	return sum;
}
