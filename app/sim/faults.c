/* SPDX-License-Identifier: BSD-3-Clause */
/* Misfortunes of the second phase: partitions, one-way cuts, crashes, storms of loss. */
#include <string.h>

#include "sim.h"

#define STORM_LOSS_PPM 700000

static uint64_t
fault_duration_ns(struct sim *sim)
{
	/* Half of them shorter than a tolerance, so that links live through. */
	if (sim_chance(&sim->rng_fault, 500000))
		return sim_below(&sim->rng_fault, 500 * DPT_NS_PER_MS);
	return sim_below(&sim->rng_fault, 3 * DPT_NS_PER_S + 500 * DPT_NS_PER_MS);
}

static void
fault_cut(struct sim *sim, const struct sim_fault_slot *slot, bool is_on)
{
	uint32_t a, b;

	for (a = 0; a < sim->plan.nodes; a++) {
		for (b = 0; b < sim->plan.nodes; b++) {
			struct sim_path *path = &sim->paths[a][b];

			if (a == b || (slot->a >> a & 1) == 0 || (slot->b >> b & 1) == 0)
				continue;
			if (slot->kind == SIM_FAULT_LOSS) {
				path->storms += is_on ? 1 : UINT32_MAX;
				path->loss_ppm =
					path->storms > 0 ? STORM_LOSS_PPM : sim->plan.loss_ppm;
				continue;
			}
			if (is_on && path->cuts++ == 0) {
				path->cut_since_ns = sim->now_ns;
				sim_oracle_expect_down(sim, b, a, false);
			}
			if (!is_on)
				path->cuts--;
		}
	}
}

static void
fault_begin(struct sim *sim, uint8_t kind, uint64_t a, uint64_t b)
{
	struct sim_event event = {.type = SIM_EV_FAULT_END};
	struct sim_fault_slot *slot = NULL;
	uint32_t i;

	for (i = 0; i < SIM_FAULT_SLOTS && slot == NULL; i++) {
		if (!sim->faults[i].is_active)
			slot = &sim->faults[i];
	}
	if (slot == NULL)
		return;
	*slot = (struct sim_fault_slot){
		.nr = ++sim->faults_nr, .kind = kind, .is_active = true, .a = a, .b = b};
	fault_cut(sim, slot, true);
	sim->stats.faults[kind]++;
	sim_trace_line(sim, SIM_NONE, "fault %s from %llx to %llx begins", sim_fault_names[kind],
		       (unsigned long long)a, (unsigned long long)b);
	event.time_ns = sim->now_ns + fault_duration_ns(sim);
	event.arg = (uint32_t)(slot - sim->faults);
	event.arg2 = slot->nr;
	sim_heap_push(&sim->heap, &event);
}

void
sim_fault_end(struct sim *sim, uint32_t slot, uint32_t nr)
{
	if (!sim->faults[slot].is_active || sim->faults[slot].nr != nr)
		return;
	sim->faults[slot].is_active = false;
	fault_cut(sim, &sim->faults[slot], false);
	sim_trace_line(sim, SIM_NONE, "fault %s ends", sim_fault_names[sim->faults[slot].kind]);
}

static void
fault_partition(struct sim *sim)
{
	uint64_t all = sim->plan.nodes == 64 ? UINT64_MAX : (UINT64_C(1) << sim->plan.nodes) - 1;
	uint64_t a = dpt_rng_u64(&sim->rng_fault) & all;

	if (a == 0 || a == all)
		return;
	/* Two slots: one for each direction, healed each at its own time. */
	fault_begin(sim, SIM_FAULT_PARTITION, a, all & ~a);
	fault_begin(sim, SIM_FAULT_PARTITION, all & ~a, a);
}

static void
fault_restart(struct sim *sim, uint32_t n)
{
	uint64_t down_ns = fault_duration_ns(sim);

	if (!sim->nodes[n].is_running)
		return;
	sim->stats.faults[SIM_FAULT_RESTART]++;
	sim_node_kill(sim, n);
	sim_at(sim, sim->now_ns + down_ns, SIM_EV_NODE_START, n, sim->nodes[n].incarnation);
}

void
sim_fault_next(struct sim *sim)
{
	static const uint8_t kinds[] = {SIM_FAULT_PARTITION, SIM_FAULT_ONEWAY, SIM_FAULT_RESTART,
					SIM_FAULT_LOSS};
	uint32_t a = dpt_rng_below(&sim->rng_fault, sim->plan.nodes);
	uint32_t b = dpt_rng_below(&sim->rng_fault, sim->plan.nodes);
	uint8_t kind = kinds[dpt_rng_below(&sim->rng_fault, sizeof(kinds))];

	if (!sim->is_faulty)
		return;
	if ((sim->plan.faults >> kind & 1) != 0) {
		switch (kind) {
		case SIM_FAULT_PARTITION:
			fault_partition(sim);
			break;
		case SIM_FAULT_ONEWAY:
		case SIM_FAULT_LOSS:
			if (a != b)
				fault_begin(sim, kind, UINT64_C(1) << a, UINT64_C(1) << b);
			break;
		default:
			fault_restart(sim, a);
			break;
		}
	}
	sim_at(sim, sim->now_ns + 1 + sim_below(&sim->rng_fault, 2 * sim->plan.fault_gap_ns),
	       SIM_EV_FAULT, 0, 0);
}

void
sim_faults_start(struct sim *sim)
{
	sim->is_faulty = true;
	sim_net_init(sim);
	sim_at(sim, sim->now_ns + sim_below(&sim->rng_fault, sim->plan.fault_gap_ns), SIM_EV_FAULT,
	       0, 0);
}

void
sim_faults_heal(struct sim *sim)
{
	uint32_t i;

	sim->is_faulty = false;
	for (i = 0; i < SIM_FAULT_SLOTS; i++)
		sim->faults[i].is_active = false;
	sim_net_heal(sim);
	sim->heal_ns = sim->now_ns;
	for (i = 0; i < sim->plan.nodes; i++) {
		if (!sim->nodes[i].is_running)
			sim_node_start(sim, i);
	}
	sim_trace_line(sim, SIM_NONE, "all faults end");
}
