/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtual Ethernet: one broadcast domain, a path from each node to each other one with
 * delay, jitter, loss, duplication and cuts. A frame in flight is a copy of its own.
 */
#include <string.h>

#include "sim.h"

static void
net_path_init(struct sim *sim, struct sim_path *path)
{
	struct dpt_rng *rng = &sim->rng_net;
	const struct sim_plan *plan = &sim->plan;

	memset(path, 0, sizeof(*path));
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
	uint32_t a, b;

	for (a = 0; a < sim->plan.nodes; a++) {
		for (b = 0; b < sim->plan.nodes; b++)
			net_path_init(sim, &sim->paths[a][b]);
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
net_fly(struct sim *sim, uint32_t from, uint32_t to, struct rte_mbuf *m)
{
	struct sim_path *path = &sim->paths[from][to];
	struct sim_event event = {.type = SIM_EV_FRAME, .node = to, .arg = from};
	uint64_t jitter_ns = sim_below(&sim->rng_net, path->jitter_ns);

	event.m = dpt_buf_copy(m, sim->pool);
	if (event.m == NULL) {
		sim_violate(sim, "pool", "no buffer for a frame in flight: %u are held",
			    rte_mempool_in_use_count(sim->pool));
		return;
	}
	net_pad(sim, event.m);
	event.bearer_id = dpt_buf(m)->bearer_id;
	event.time_ns = sim->now_ns + path->delay_ns + jitter_ns;
	if (event.time_ns < path->last_ns && sim->is_faulty)
		sim->stats.faults[SIM_FAULT_REORDER]++;
	path->last_ns = event.time_ns;
	sim_heap_push(&sim->heap, &event);
}

static void
net_send(struct sim *sim, uint32_t from, uint32_t to, struct rte_mbuf *m)
{
	const struct sim_path *path = &sim->paths[from][to];

	sim_oracle_frame(sim, from, to, m);
	sim_trace_tx(sim, from, to, m);
	if (path->cuts > 0) {
		sim->stats.frames_lost++;
		return;
	}
	if (path->loss_ppm != 0 && sim_chance(&sim->rng_net, path->loss_ppm)) {
		sim->stats.faults[SIM_FAULT_LOSS]++;
		sim->stats.frames_lost++;
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
	uint32_t to;

	sim->stats.frames++;
	sim->stats.frame_bytes += dpt_buf_bytes(m);
	sim_pcap_frame(sim, from, m);
	for (to = 0; to < sim->plan.nodes; to++) {
		if (to == from)
			continue;
		if (dst.is_bcast || dpt_maddr_eq(&dst, &sim->nodes[to].maddr))
			net_send(sim, from, to, m);
	}
	rte_pktmbuf_free(m);
}
