/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * P2: how long deliveries stand still when one of two wires dies. The stall of a failover
 * is the longest time that a message of the pair took to its receiver, counted from the
 * moment of the cut or, where that was later, from its sending.
 */
#include "sim.h"

/* What happens so much later has another cause. */
#define STALL_WATCH_TOLERANCES 4

static const uint32_t stall_ms[SIM_STALL_BUCKETS - 1] = {1, 10, 50, 100, 200, 400, 800, 1600, 3200};

static void
stall_close(struct sim *sim, struct sim_failover *failover)
{
	uint32_t i = 0;

	if (failover->cut_ns != 0 && failover->is_seen) {
		while (i < SIM_STALL_BUCKETS - 1 &&
		       failover->stall_ns > stall_ms[i] * DPT_NS_PER_MS)
			i++;
		sim->stats.stalls[i]++;
	}
	*failover = (struct sim_failover){0};
}

/* Just now one or more wires from a to b were cut. */
void
sim_oracle_wire_cut(struct sim *sim, uint32_t from, uint32_t to)
{
	struct sim_failover *failover = &sim->nodes[to].failovers[from];
	const struct sim_link *links = sim->nodes[to].links[from];
	uint32_t w, good = 0;

	for (w = 0; w < sim->plan.wires; w++)
		good += sim->paths[w][from][to].cuts == 0;
	if (good == 0) {
		*failover = (struct sim_failover){0};
		return;
	}
	if (sim->plan.wires == 1 || !links[0].is_up || !links[1].is_up)
		return;
	stall_close(sim, failover);
	failover->cut_ns = sim->now_ns;
}

/* Socket s receives a message. */
void
sim_oracle_stall_delivery(struct sim *sim, uint32_t s, uint32_t number)
{
	const struct sim_msg *msg = &sim->msgs[number];
	const struct sim_sock *sock = &sim->socks[s];
	uint32_t from = sim->socks[msg->sender].node;
	struct sim_failover *failover = &sim->nodes[sock->node].failovers[from];
	uint64_t watch_ns = STALL_WATCH_TOLERANCES * sim->plan.tolerance_ms * DPT_NS_PER_MS;
	uint64_t start_ns = RTE_MAX(msg->sent_ns, failover->cut_ns);

	if (failover->cut_ns == 0 || sock->is_slow)
		return;
	if (!sim->nodes[sock->node].contact[from])
		*failover = (struct sim_failover){0};
	else if (msg->sent_ns > failover->cut_ns + watch_ns)
		stall_close(sim, failover);
	else
		failover->stall_ns = RTE_MAX(failover->stall_ns, sim->now_ns - start_ns);
	failover->is_seen = true;
}

void
sim_oracle_stall_end(struct sim *sim)
{
	uint32_t a, b;

	for (a = 0; a < sim->plan.nodes; a++) {
		for (b = 0; b < sim->plan.nodes; b++)
			stall_close(sim, &sim->nodes[a].failovers[b]);
	}
}

void
sim_stalls_print(const struct sim_stats *stats)
{
	uint32_t i;

	printf("stalls at a failover:");
	for (i = 0; i < SIM_STALL_BUCKETS - 1; i++)
		printf(" <=%u ms %llu", stall_ms[i], (unsigned long long)stats->stalls[i]);
	printf(" more %llu\n", (unsigned long long)stats->stalls[i]);
}
