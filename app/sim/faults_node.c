/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Misfortunes of one node: it crashes, a bearer goes down, a worker stands still, a clock
 * leaps, somebody changes the properties of a bearer. And of all: no buffers.
 */
#include "sim.h"

/* Whatever links do because of it, they do within this time. */
static void
node_bad(struct sim *sim, uint32_t n, uint64_t until_ns)
{
	struct sim_node *node = &sim->nodes[n];

	node->bad_until_ns = RTE_MAX(node->bad_until_ns, until_ns);
}

void
sim_fault_wire_bad(struct sim *sim, uint32_t n, uint32_t wire)
{
	uint32_t p;

	for (p = 0; p < sim->plan.nodes; p++) {
		sim->paths[wire][n][p].bad_ns = sim->now_ns;
		sim->paths[wire][p][n].bad_ns = sim->now_ns;
	}
}

void
sim_fault_restart(struct sim *sim, uint32_t n, uint64_t down_ns)
{
	if (!sim->nodes[n].is_running)
		return;
	sim->stats.faults[SIM_FAULT_RESTART]++;
	sim_node_kill(sim, n);
	sim_at(sim, sim->now_ns + down_ns, SIM_EV_NODE_START, n, sim->nodes[n].incarnation);
}

void
sim_fault_carrier(struct sim *sim, uint32_t n, uint64_t down_ns)
{
	struct sim_node *node = &sim->nodes[n];
	uint32_t wire = dpt_rng_below(&sim->rng_fault, sim->plan.wires);

	if (!node->is_running || !node->is_bearer_up[wire] ||
	    node->shards[0].stalled_ns > sim->now_ns)
		return;
	sim->stats.faults[SIM_FAULT_CARRIER]++;
	sim_fault_wire_bad(sim, n, wire);
	sim_node_bearer_down(sim, n, wire);
	sim_at_wire(sim, sim->now_ns + down_ns, n, wire);
}

void
sim_fault_stall(struct sim *sim, uint32_t n)
{
	struct sim_shard *sh =
		&sim->nodes[n].shards[dpt_rng_below(&sim->rng_fault, sim->plan.shards)];
	uint64_t most_ns = sim->plan.tolerance_ms * DPT_NS_PER_MS * 12 / 10;

	if (!sim->nodes[n].is_running || sh->stalled_ns > sim->now_ns)
		return;
	sim->stats.faults[SIM_FAULT_STALL]++;
	sh->stalled_ns = sim->now_ns + 1 + sim_below(&sim->rng_fault, most_ns);
	node_bad(sim, n, sh->stalled_ns);
	sim_trace_line(sim, n, "a worker stands still until %.6f s", (double)sh->stalled_ns / 1e9);
}

void
sim_fault_clock(struct sim *sim, uint32_t n)
{
	uint32_t shard = dpt_rng_below(&sim->rng_fault, sim->plan.shards);
	struct sim_shard *sh = &sim->nodes[n].shards[shard];
	uint64_t leap_ns = 1 + sim_below(&sim->rng_fault, DPT_NS_PER_S);

	if (!sim->nodes[n].is_running)
		return;
	sim->stats.faults[SIM_FAULT_CLOCK]++;
	sh->skew_ns += leap_ns;
	node_bad(sim, n, sim->now_ns);
	sim_trace_line(sim, n, "the clock of shard %u leaps by %.6f s", shard,
		       (double)leap_ns / 1e9);
	sim_node_pump(sim, n, shard);
}

/* Tolerances become shorter only: what counts as found out in time rests on the plan's. */
void
sim_fault_props(struct sim *sim, uint32_t n)
{
	static const uint16_t windows[] = {0, 0, 50, 100, 256};
	static const uint8_t priorities[] = {0, 0, 5, 10, 20};
	struct dpt_rng *rng = &sim->rng_fault;
	uint32_t wire = dpt_rng_below(rng, sim->plan.wires);
	uint32_t p = dpt_rng_below(rng, sim->plan.nodes);
	struct sim_node *node = &sim->nodes[n];
	struct dpt_link_props props = {0};
	struct dpt_node_addr to = {0};
	int ret;

	props.tolerance_ms = (uint16_t)(sim->plan.tolerance_ms * dpt_rng_below(rng, 5) / 4);
	props.window_max = windows[dpt_rng_below(rng, RTE_DIM(windows))];
	props.priority = priorities[dpt_rng_below(rng, RTE_DIM(priorities))];
	if (!node->is_running || !node->is_bearer_up[wire] ||
	    node->shards[0].stalled_ns > sim->now_ns)
		return;
	if (p != n && sim_chance(rng, 500000))
		to = sim->nodes[p].addr;
	sim->stats.faults[SIM_FAULT_PROPS]++;
	sim_fault_wire_bad(sim, n, wire);
	ret = dpt_stack_link_props_set(node->shards[0].stack, (uint8_t)wire, to, &props,
				       sim_node_now(sim, n, 0), &sim->out);
	sim_trace_line(sim, n, "properties of bearer %u: tolerance %u window %u priority %u: %d",
		       wire, props.tolerance_ms, props.window_max, props.priority, ret);
	sim_node_pump(sim, n, 0);
	if (ret != 0)
		sim_violate(sim, "props", "node %u: link_props_set returns %d", n, ret);
}

/*
 * Not while a node has no address yet: the publication of its own state would be lost, and
 * the stack has no second try for it.
 */
static bool
drain_is_fair(const struct sim *sim)
{
	uint32_t n;

	for (n = 0; n < sim->plan.nodes; n++) {
		const struct dpt_stack *stack = sim->nodes[n].shards[0].stack;

		if (sim->nodes[n].is_running && dpt_stack_own(stack).value == 0)
			return false;
	}
	return true;
}

/* Take away all buffers but a few of the stacks' pool; or give them back. */
void
sim_fault_drain(struct sim *sim, bool is_begin)
{
	struct rte_mbuf *m;
	uint32_t left;
	uint32_t n;

	if (!is_begin) {
		while ((m = dpt_bufq_pop(&sim->drained)) != NULL)
			rte_pktmbuf_free(m);
		return;
	}
	if (sim->drained.cnt > 0 || !drain_is_fair(sim))
		return;
	sim->stats.faults[SIM_FAULT_DRAIN]++;
	left = dpt_rng_below(&sim->rng_fault, 60);
	while (rte_mempool_avail_count(sim->pool) > left) {
		m = dpt_buf_alloc(sim->pool);
		if (m == NULL)
			break;
		dpt_bufq_push(&sim->drained, m);
	}
	sim->drained_until_ns = sim->now_ns + 1 + sim_below(&sim->rng_fault, 300 * DPT_NS_PER_MS);
	for (n = 0; n < sim->plan.nodes; n++)
		node_bad(sim, n, sim->drained_until_ns);
	sim_trace_line(sim, SIM_NONE, "%u buffers are left until %.6f s", left,
		       (double)sim->drained_until_ns / 1e9);
	sim_at(sim, sim->drained_until_ns, SIM_EV_DRAIN_END, 0, 0);
}
