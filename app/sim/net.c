/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtual wires: each one broadcast domain, one bearer of every node; on each a path
 * from each node to each other one with delay, jitter, loss, duplication, damage and cuts.
 * A frame in flight is a copy of its own.
 */
#include <string.h>

#include "sim.h"

static void
net_path_init(struct sim *sim, struct sim_path *path)
{
	struct dpt_rng *rng = &sim->rng_net;
	const struct sim_plan *plan = &sim->plan;
	uint64_t bad_ns = path->bad_ns;
	uint64_t last_ns = path->last_ns;

	memset(path, 0, sizeof(*path));
	path->bad_ns = bad_ns;
	path->last_ns = last_ns;
	path->delay_ns = plan->delay_ns / 2 + sim_below(rng, plan->delay_ns);
	path->jitter_ns = 1000;
	if (sim->is_faulty) {
		path->jitter_ns += plan->jitter_ns;
		path->loss_ppm = plan->loss_ppm;
		path->dup_ppm = plan->dup_ppm;
		if ((plan->faults & SIM_FAULT_BIT(DELAY)) != 0 && sim_chance(rng, 200000)) {
			path->delay_ns += sim_below(rng, 20 * DPT_NS_PER_MS);
			sim->stats.faults[SIM_FAULT_DELAY]++;
		}
	}
}

void
sim_net_init(struct sim *sim)
{
	uint32_t wire, a, b;

	for (wire = 0; wire < sim->plan.wires; wire++) {
		for (a = 0; a < sim->plan.nodes; a++) {
			for (b = 0; b < sim->plan.nodes; b++)
				net_path_init(sim, &sim->paths[wire][a][b]);
		}
	}
}

void
sim_net_heal(struct sim *sim)
{
	sim_net_init(sim);
}

/* Ethernet pads short frames; the octets behind the message must not matter. */
static void
net_pad(struct sim *sim, struct rte_mbuf *m)
{
	uint32_t bytes = rte_pktmbuf_pkt_len(m);
	char *pad;

	if (!sim->plan.is_padded || bytes >= SIM_ETH_PAD)
		return;
	pad = rte_pktmbuf_append(m, (uint16_t)(SIM_ETH_PAD - bytes));
	if (pad != NULL)
		memset(pad, 0, SIM_ETH_PAD - bytes);
}

static void
net_flip(struct sim *sim, struct rte_mbuf *m)
{
	/* Headers are worth more: half of the flips are in the first 60 octets. */
	uint32_t bytes = rte_pktmbuf_pkt_len(m);
	uint32_t within = sim_chance(&sim->rng_net, 500000) ? RTE_MIN(bytes, 60u) : bytes;
	uint32_t cnt = 1 + dpt_rng_below(&sim->rng_net, 4);

	while (cnt-- > 0) {
		uint32_t at = dpt_rng_below(&sim->rng_net, within);
		uint8_t octet;

		dpt_buf_read(m, at, &octet, 1);
		octet ^= (uint8_t)(1 + dpt_rng_below(&sim->rng_net, 255));
		dpt_buf_write(m, at, &octet, 1);
	}
}

/* Returns false when the frame check of the receiver finds the damage. */
static bool
net_damage(struct sim *sim, struct rte_mbuf *m)
{
	const struct sim_plan *plan = &sim->plan;
	bool is_sound = true;

	if (!sim->is_faulty)
		return true;
	if (plan->corrupt_ppm != 0 && sim_chance(&sim->rng_net, plan->corrupt_ppm)) {
		sim->stats.faults[SIM_FAULT_CORRUPT]++;
		net_flip(sim, m);
		is_sound = false;
	}
	if (plan->truncate_ppm != 0 && sim_chance(&sim->rng_net, plan->truncate_ppm)) {
		sim->stats.faults[SIM_FAULT_TRUNCATE]++;
		dpt_buf_trim(m, 1 + dpt_rng_below(&sim->rng_net, rte_pktmbuf_pkt_len(m)));
		is_sound = false;
	}
	return is_sound || (plan->is_hostile && sim_chance(&sim->rng_net, 300000));
}

static void
net_lost(struct sim *sim, struct sim_path *path)
{
	path->bad_ns = sim->now_ns;
	sim->stats.frames_lost++;
}

static uint8_t
net_shard(struct sim *sim, uint32_t from)
{
	if (sim->plan.rx_mode == SIM_RX_BY_SOURCE)
		return (uint8_t)(from % sim->plan.shards);
	if (sim->plan.rx_mode == SIM_RX_RANDOM)
		return (uint8_t)dpt_rng_below(&sim->rng_net, sim->plan.shards);
	return 0;
}

static void
net_fly(struct sim *sim, uint32_t from, uint32_t to, struct rte_mbuf *m)
{
	struct sim_path *path = &sim->paths[dpt_buf(m)->bearer_id][from][to];
	struct sim_event event = {.type = SIM_EV_FRAME, .node = to, .arg = from};
	uint64_t jitter_ns = sim_below(&sim->rng_net, path->jitter_ns);

	event.m = dpt_buf_copy(m, sim->net_pool);
	if (event.m == NULL) {
		sim_violate(sim, "pool", "no buffer for a frame in flight: %u are held",
			    rte_mempool_in_use_count(sim->net_pool));
		return;
	}
	if (!net_damage(sim, event.m)) {
		net_lost(sim, path);
		rte_pktmbuf_free(event.m);
		return;
	}
	net_pad(sim, event.m);
	event.bearer_id = dpt_buf(m)->bearer_id;
	event.shard = net_shard(sim, from);
	event.time_ns = sim->now_ns + path->delay_ns + jitter_ns;
	if (event.time_ns < path->last_ns) {
		/* A switch keeps the order. */
		if (sim->is_faulty && (sim->plan.faults & SIM_FAULT_BIT(REORDER)) != 0)
			sim->stats.faults[SIM_FAULT_REORDER]++;
		else
			event.time_ns = path->last_ns;
	}
	path->last_ns = event.time_ns;
	sim_heap_push(&sim->heap, &event);
}

static void
net_send(struct sim *sim, uint32_t from, uint32_t to, struct rte_mbuf *m)
{
	struct sim_path *path = &sim->paths[dpt_buf(m)->bearer_id][from][to];

	sim_oracle_frame(sim, from, to, m);
	sim_trace_tx(sim, from, to, m);
	if (path->cuts > 0) {
		net_lost(sim, path);
		return;
	}
	if (path->loss_ppm != 0 && sim_chance(&sim->rng_net, path->loss_ppm)) {
		sim->stats.faults[path->storms > 0 ? SIM_FAULT_BURST : SIM_FAULT_LOSS]++;
		net_lost(sim, path);
		return;
	}
	net_fly(sim, from, to, m);
	if (path->dup_ppm != 0 && sim_chance(&sim->rng_net, path->dup_ppm)) {
		sim->stats.faults[SIM_FAULT_DUP]++;
		net_fly(sim, from, to, m);
	}
}

void
sim_net_tx(struct sim *sim, uint32_t from, struct rte_mbuf *m)
{
	const struct dpt_maddr dst = dpt_buf(m)->dst;
	uint32_t wire = dpt_buf(m)->bearer_id;
	uint32_t to;

	if (wire >= sim->plan.wires || !sim->nodes[from].is_bearer_up[wire]) {
		/* A message between shards may be on its way while the bearer goes down. */
		if (wire >= sim->plan.wires || sim->plan.shards == 1)
			sim_violate(sim, "wire", "node %u sends on bearer %u, which is not up",
				    from, wire);
		rte_pktmbuf_free(m);
		return;
	}
	sim->stats.frames++;
	sim->stats.frame_bytes += dpt_buf_bytes(m);
	sim_pcap_frame(sim, from, m);
	for (to = 0; to < sim->plan.nodes; to++) {
		if (to == from)
			continue;
		if (dst.is_bcast || dpt_maddr_eq(&dst, &sim->nodes[to].maddr[wire]))
			net_send(sim, from, to, m);
	}
	rte_pktmbuf_free(m);
}
