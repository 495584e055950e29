/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contacts: who sees whom, when that was lost last, and whether a silent peer was found
 * out in time.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static void
contact_set(struct sim *sim, uint32_t n, uint32_t peer, bool is_up)
{
	struct sim_node *node = &sim->nodes[n];

	if (node->contact[peer] == is_up)
		return;
	node->contact[peer] = is_up;
	sim_hash_u64(sim, (uint64_t)n << 40 | (uint64_t)peer << 8 | is_up);
	sim_trace_line(sim, n, "  contact with n%u %s", peer, is_up ? "up" : "lost");
	if (is_up) {
		node->found_ns[peer] = sim->now_ns;
		return;
	}
	node->lost_ns[peer] = sim->now_ns;
	node->losses[peer]++;
	sim->stats.contacts_lost++;
	if (!sim->is_faulty && sim->heal_ns == 0 && sim->opts->scenario == NULL)
		sim_violate(sim, "contact", "node %u lost node %u before any fault", n, peer);
}

/* Look at all peers of this shard after each call that can have changed a contact. */
void
sim_oracle_contacts(struct sim *sim, uint32_t n, uint32_t shard)
{
	const struct dpt_stack *stack = sim->nodes[n].shards[shard].stack;
	const struct dpt_node *peer;
	struct sim_shard *sh = &sim->nodes[n].shards[shard];
	uint64_t seen = 0;
	uint32_t i;

	/* route_gen rises with every change of a contact. */
	if (sh->gen_seen == dpt_stack_route_gen(stack))
		return;
	sh->gen_seen = dpt_stack_route_gen(stack);
	for (i = 0; (peer = dpt_stack_node(stack, i)) != NULL; i++) {
		uint32_t p = sim_node_find_any(sim, dpt_node_peer(peer));

		if (p == SIM_NONE)
			continue;
		seen |= UINT64_C(1) << p;
		sim->nodes[n].owner[p] = (uint8_t)shard;
		contact_set(sim, n, p, dpt_node_is_open(peer));
	}
	for (i = 0; i < sim->plan.nodes; i++) {
		if (sim->nodes[n].contact[i] && sim->nodes[n].owner[i] == shard &&
		    (seen >> i & 1) == 0)
			contact_set(sim, n, i, false);
	}
}

/* P4: what control is told of a peer alternates between up and down. */
void
sim_oracle_node_event(struct sim *sim, uint32_t n, const struct dpt_event *event)
{
	uint32_t peer = sim_node_find_any(sim, event->node);
	bool is_up = event->type == DPT_EVENT_NODE_UP;

	if (peer == SIM_NONE || peer == n) {
		sim_violate(sim, "P4 events", "node %u reports an unknown node %08x", n,
			    event->node.value);
		return;
	}
	if (sim->nodes[n].is_reported_up[peer] == is_up)
		sim_violate(sim, "P4 events", "node %u reports node %u %s twice", n, peer,
			    is_up ? "up" : "down");
	sim->nodes[n].is_reported_up[peer] = is_up;
}

bool
sim_oracle_all_up(const struct sim *sim, char *text, size_t text_size)
{
	uint32_t a, b;

	for (a = 0; a < sim->plan.nodes; a++) {
		for (b = 0; b < sim->plan.nodes; b++) {
			if (a == b || sim->nodes[a].contact[b])
				continue;
			if (text != NULL)
				snprintf(text, text_size, "node %u has no contact with node %u", a,
					 b);
			return false;
		}
	}
	return true;
}

bool
sim_oracle_lost_since(const struct sim *sim, uint32_t a, uint32_t b, uint64_t since_ns)
{
	uint64_t ab = sim->nodes[a].lost_ns[b];
	uint64_t ba = sim->nodes[b].lost_ns[a];

	return (ab != 0 && ab >= since_ns) || (ba != 0 && ba >= since_ns);
}

bool
sim_oracle_any_lost_since(const struct sim *sim, uint64_t since_ns)
{
	uint32_t a, b;

	for (a = 0; a < sim->plan.nodes; a++) {
		for (b = 0; b < sim->plan.nodes; b++) {
			uint64_t ns = sim->nodes[a].lost_ns[b];

			if (ns != 0 && ns >= since_ns)
				return true;
		}
	}
	return false;
}

static bool
contact_was_missing(const struct sim_node *node, uint32_t peer, uint64_t since_ns)
{
	return !node->contact[peer] || node->found_ns[peer] >= since_ns;
}

bool
sim_oracle_apart_since(const struct sim *sim, uint32_t n, uint32_t peer, uint64_t since_ns)
{
	uint32_t p;

	for (p = 0; p < sim->plan.nodes; p++) {
		if (p != n && (peer == SIM_NONE || peer == p) &&
		    (contact_was_missing(&sim->nodes[n], p, since_ns) ||
		     contact_was_missing(&sim->nodes[p], n, since_ns)))
			return true;
	}
	return false;
}

/* Since when n cannot hear peer on any wire; 0: it can. */
static uint64_t
contact_silent_since(const struct sim *sim, uint32_t n, uint32_t peer)
{
	uint64_t since_ns = 0;
	uint32_t w;

	for (w = 0; w < sim->plan.wires; w++) {
		const struct sim_path *path = &sim->paths[w][peer][n];

		if (path->cuts == 0)
			return 0;
		since_ns = RTE_MAX(since_ns, path->cut_since_ns);
	}
	return since_ns;
}

static uint64_t
contact_bound_ns(const struct sim *sim)
{
	uint64_t tolerance_ns = sim->plan.tolerance_ms * DPT_NS_PER_MS;
	uint64_t interval_ns = RTE_MIN(tolerance_ns / 4, 500 * DPT_NS_PER_MS);

	/* What is in flight still arrives; timers may be late, each of them. */
	return 2 * tolerance_ns + interval_ns + 30 * DPT_NS_PER_MS +
	       8 * (sim->plan.timer_slack_ns + DPT_TIMER_TICK_NS);
}

/* How long from now a fault of the past may still make a contact go down. */
uint64_t
sim_oracle_late_ns(const struct sim *sim)
{
	uint64_t late_ns = sim->now_ns;
	uint32_t n;

	if (sim->opts->scenario != NULL)
		return 0;
	for (n = 0; n < sim->plan.nodes; n++)
		late_ns = RTE_MAX(late_ns, sim->nodes[n].bad_until_ns);
	return late_ns - sim->now_ns + contact_bound_ns(sim);
}

/* From now on n hears nothing of peer, or only of another incarnation, or on one wire. */
void
sim_oracle_expect_down(struct sim *sim, uint32_t n, uint32_t peer, bool is_crash)
{
	struct sim_check *check;

	if (!sim->nodes[n].is_running || !sim->nodes[n].contact[peer])
		return;
	if (!is_crash && contact_silent_since(sim, n, peer) != sim->now_ns)
		return;
	if (sim->checks_cnt == sim->checks_room) {
		sim->checks_room = sim->checks_room == 0 ? 256 : sim->checks_room * 2;
		sim->checks = realloc(sim->checks, sim->checks_room * sizeof(sim->checks[0]));
		DPT_ASSERT(sim->checks != NULL);
	}
	check = &sim->checks[sim->checks_cnt];
	check->peer = peer;
	check->incarnation = sim->nodes[n].incarnation;
	check->losses = sim->nodes[n].losses[peer];
	check->since_ns = sim->now_ns;
	check->is_crash = is_crash;
	sim_at(sim, sim->now_ns + contact_bound_ns(sim), SIM_EV_CHECK_DOWN, n, sim->checks_cnt++);
}

void
sim_oracle_check_down(struct sim *sim, uint32_t n, uint32_t slot)
{
	const struct sim_check *check = &sim->checks[slot];
	const struct sim_node *node = &sim->nodes[n];
	uint64_t since_ns = contact_silent_since(sim, n, check->peer);

	if (!node->is_running || node->incarnation != check->incarnation ||
	    node->losses[check->peer] != check->losses)
		return;
	if (!check->is_crash && (since_ns == 0 || since_ns > check->since_ns))
		return;
	/* A worker that stood still, or had no buffers, is given the time once more. */
	if (node->bad_until_ns >= check->since_ns &&
	    node->bad_until_ns + contact_bound_ns(sim) > sim->now_ns) {
		sim_at(sim, node->bad_until_ns + contact_bound_ns(sim) + 1, SIM_EV_CHECK_DOWN, n,
		       slot);
		return;
	}
	sim_violate(sim, "P4 detection", "node %u %s at %.6f s; node %u still has contact",
		    check->peer, check->is_crash ? "crashed" : "went silent",
		    (double)check->since_ns / 1e9, n);
}
