/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Misfortunes of the second phase: which one comes when, and those of the wires: partitions,
 * one-way cuts, dead wires, storms of loss. Those of one node: faults_node.c.
 */
#include <string.h>

#include "sim.h"

#define STORM_LOSS_PPM 700000

static uint64_t
fault_duration_ns(struct sim *sim)
{
	uint64_t tolerance_ns = sim->plan.tolerance_ms * DPT_NS_PER_MS;

	/* Half of them shorter than a tolerance, so that links live through. */
	if (sim_chance(&sim->rng_fault, 500000))
		return sim_below(&sim->rng_fault, tolerance_ns);
	return sim_below(&sim->rng_fault, 3 * tolerance_ns);
}

static uint64_t
fault_all(const struct sim *sim)
{
	return sim->plan.nodes == 64 ? UINT64_MAX : (UINT64_C(1) << sim->plan.nodes) - 1;
}

/* One wire, or as often all of them. */
static uint32_t
fault_wires(struct sim *sim)
{
	if (sim->plan.wires == 1 || sim_chance(&sim->rng_fault, 500000))
		return (1u << sim->plan.wires) - 1;
	return 1u << dpt_rng_below(&sim->rng_fault, sim->plan.wires);
}

static void
fault_path(struct sim *sim, uint8_t kind, struct sim_path *path, bool is_on)
{
	if (kind == SIM_FAULT_BURST) {
		path->storms += is_on ? 1 : UINT32_MAX;
		path->loss_ppm = path->storms > 0 ? STORM_LOSS_PPM : sim->plan.loss_ppm;
		return;
	}
	if (is_on && path->cuts++ == 0)
		path->cut_since_ns = sim->now_ns;
	if (!is_on)
		path->cuts--;
}

static bool
fault_hits(const struct sim_fault_slot *slot, uint32_t a, uint32_t b)
{
	if ((slot->a >> a & 1) != 0 && (slot->b >> b & 1) != 0)
		return true;
	return slot->is_both && (slot->b >> a & 1) != 0 && (slot->a >> b & 1) != 0;
}

static void
fault_cut(struct sim *sim, const struct sim_fault_slot *slot, bool is_on)
{
	uint32_t wire, a, b;

	for (a = 0; a < sim->plan.nodes; a++) {
		for (b = 0; b < sim->plan.nodes; b++) {
			if (a == b || !fault_hits(slot, a, b))
				continue;
			for (wire = 0; wire < sim->plan.wires; wire++) {
				if ((slot->wires >> wire & 1) != 0)
					fault_path(sim, slot->kind, &sim->paths[wire][a][b], is_on);
			}
			if (is_on && slot->kind != SIM_FAULT_BURST) {
				sim_oracle_wire_cut(sim, a, b);
				sim_oracle_expect_down(sim, b, a, false);
			}
		}
	}
}

static void
fault_begin(struct sim *sim, const struct sim_fault_slot *what, uint64_t duration_ns)
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
	*slot = *what;
	slot->nr = ++sim->faults_nr;
	slot->is_active = true;
	fault_cut(sim, slot, true);
	sim->stats.faults[slot->kind]++;
	sim_trace_line(sim, SIM_NONE, "fault %s on wires %x from %llx to %llx%s begins",
		       sim_fault_names[slot->kind], slot->wires, (unsigned long long)slot->a,
		       (unsigned long long)slot->b, slot->is_both ? " and back" : "");
	event.time_ns = sim->now_ns + duration_ns;
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

void
sim_fault_wire(struct sim *sim, uint32_t n, uint32_t wire, bool is_dead)
{
	struct sim_fault_slot slot = {.kind = SIM_FAULT_WIRE,
				      .is_both = true,
				      .wires = 1u << wire,
				      .a = n == SIM_NONE ? fault_all(sim) : UINT64_C(1) << n,
				      .b = fault_all(sim)};

	fault_cut(sim, &slot, is_dead);
	sim_trace_line(sim, SIM_NONE, "wire %u %s", wire, is_dead ? "dies" : "is repaired");
}

static void
fault_partition(struct sim *sim)
{
	uint64_t all = fault_all(sim);
	uint64_t a = dpt_rng_u64(&sim->rng_fault) & all;
	struct sim_fault_slot slot = {
		.kind = SIM_FAULT_PARTITION, .wires = fault_wires(sim), .a = a, .b = all & ~a};

	if (a == 0 || a == all)
		return;
	/* Two slots: one for each direction, healed each at its own time. */
	fault_begin(sim, &slot, fault_duration_ns(sim));
	slot.a = all & ~a;
	slot.b = a;
	fault_begin(sim, &slot, fault_duration_ns(sim));
}

static void
fault_paths(struct sim *sim, uint8_t kind, uint32_t a, uint32_t b)
{
	struct sim_fault_slot slot = {.kind = kind,
				      .wires = fault_wires(sim),
				      .is_both = kind == SIM_FAULT_BURST,
				      .a = UINT64_C(1) << a,
				      .b = UINT64_C(1) << b};

	if (a != b)
		fault_begin(sim, &slot, fault_duration_ns(sim));
}

/* One wire: of a node or of all, for some time. */
static void
fault_wire(struct sim *sim, uint32_t n)
{
	bool is_all = sim_chance(&sim->rng_fault, 300000);
	struct sim_fault_slot slot = {.kind = SIM_FAULT_WIRE, .is_both = true};

	slot.a = is_all ? fault_all(sim) : UINT64_C(1) << n;
	slot.b = fault_all(sim);
	slot.wires = 1u << dpt_rng_below(&sim->rng_fault, sim->plan.wires);
	fault_begin(sim, &slot, fault_duration_ns(sim));
}

/* The first of cnt flaps; each of them makes the next. */
void
sim_fault_flap(struct sim *sim, uint32_t n, uint32_t wire, uint32_t cnt)
{
	uint64_t half_ns = sim->plan.tolerance_ms * DPT_NS_PER_MS / 2;
	struct sim_event event = {.type = SIM_EV_FLAP, .node = n, .bearer_id = (uint8_t)wire};
	struct sim_fault_slot slot = {.kind = SIM_FAULT_FLAP,
				      .is_both = true,
				      .wires = 1u << wire,
				      .a = UINT64_C(1) << n,
				      .b = fault_all(sim)};
	uint64_t duration_ns = sim_below(&sim->rng_fault, half_ns);

	if (!sim->is_faulty || cnt == 0)
		return;
	fault_begin(sim, &slot, duration_ns);
	event.time_ns = sim->now_ns + duration_ns + 1 + sim_below(&sim->rng_fault, half_ns);
	event.arg = cnt - 1;
	sim_heap_push(&sim->heap, &event);
}

static void
fault_one(struct sim *sim, uint8_t kind)
{
	struct dpt_rng *rng = &sim->rng_fault;
	uint32_t a = dpt_rng_below(rng, sim->plan.nodes);
	uint32_t b = dpt_rng_below(rng, sim->plan.nodes);

	switch (kind) {
	case SIM_FAULT_PARTITION:
		fault_partition(sim);
		break;
	case SIM_FAULT_ONEWAY:
	case SIM_FAULT_BURST:
		fault_paths(sim, kind, a, b);
		break;
	case SIM_FAULT_WIRE:
		fault_wire(sim, a);
		break;
	case SIM_FAULT_FLAP:
		sim_fault_flap(sim, a, dpt_rng_below(rng, sim->plan.wires),
			       1 + dpt_rng_below(rng, 4));
		break;
	case SIM_FAULT_CARRIER:
		sim_fault_carrier(sim, a, fault_duration_ns(sim));
		break;
	case SIM_FAULT_PROPS:
		sim_fault_props(sim, a);
		break;
	case SIM_FAULT_STALL:
		sim_fault_stall(sim, a);
		break;
	case SIM_FAULT_CLOCK:
		sim_fault_clock(sim, a);
		break;
	case SIM_FAULT_DRAIN:
		sim_fault_drain(sim, true);
		break;
	case SIM_FAULT_ADMIN:
		sim_fault_admin(sim, a);
		break;
	default:
		sim_fault_restart(sim, a, fault_duration_ns(sim));
		break;
	}
}

void
sim_fault_next(struct sim *sim)
{
	static const uint8_t kinds[] = {SIM_FAULT_PARTITION, SIM_FAULT_ONEWAY,	SIM_FAULT_BURST,
					SIM_FAULT_WIRE,	     SIM_FAULT_FLAP,	SIM_FAULT_CARRIER,
					SIM_FAULT_PROPS,     SIM_FAULT_RESTART, SIM_FAULT_STALL,
					SIM_FAULT_CLOCK,     SIM_FAULT_DRAIN,	SIM_FAULT_ADMIN};
	uint8_t on[RTE_DIM(kinds)];
	uint32_t cnt = 0;
	uint32_t i;

	for (i = 0; i < RTE_DIM(kinds); i++) {
		if ((sim->plan.faults >> kinds[i] & 1) != 0)
			on[cnt++] = kinds[i];
	}
	if (!sim->is_faulty || cnt == 0)
		return;
	fault_one(sim, on[dpt_rng_below(&sim->rng_fault, cnt)]);
	sim_at(sim, sim->now_ns + 1 + sim_below(&sim->rng_fault, 2 * sim->plan.fault_gap_ns),
	       SIM_EV_FAULT, 0, 0);
}

void
sim_faults_start(struct sim *sim)
{
	uint32_t n;

	sim->is_faulty = true;
	sim_net_init(sim);
	for (n = 0; n < sim->plan.nodes; n++)
		sim->stats.faults[SIM_FAULT_CAPS] += sim->plan.caps[n] != 0;
	sim_at(sim, sim->now_ns + sim_below(&sim->rng_fault, sim->plan.fault_gap_ns), SIM_EV_FAULT,
	       0, 0);
}

void
sim_faults_heal(struct sim *sim)
{
	uint32_t i, wire;

	sim->is_faulty = false;
	for (i = 0; i < SIM_FAULT_SLOTS; i++)
		sim->faults[i].is_active = false;
	sim_net_heal(sim);
	sim_fault_drain(sim, false);
	sim->heal_ns = sim->now_ns;
	for (i = 0; i < sim->plan.nodes; i++) {
		memset(sim->nodes[i].domain, 0, sizeof(sim->nodes[i].domain));
		if (!sim->nodes[i].is_running)
			sim_node_start(sim, i);
		else
			for (wire = 0; wire < sim->plan.wires; wire++)
				sim_at_wire(sim, sim->now_ns, i, wire);
	}
	sim_trace_line(sim, SIM_NONE, "all faults end");
}
