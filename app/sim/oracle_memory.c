/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * P7: the buffers that stacks hold are bounded by what their queues may hold, and at rest
 * they hold none but the reserve of each shard. (Memory: a stack has what it was given at
 * its start and no way to get more; scripts/lint sees to that.)
 */
#include "sim.h"

#define MEMORY_RESERVE_BUFS 64 /* of each shard, with more than one */
/* Discovery, broadcasts that wait for the slowest, name updates held back. */
#define MEMORY_REST_BUFS 32

/* An end: the largest window and a message of 66 KB on top, each block a buffer. */
#define MEMORY_END_BUFS (512 + 66)
#define MEMORY_SYN_BUFS 66

static uint32_t
memory_held(const struct sim *sim)
{
	return rte_mempool_in_use_count(sim->pool) + rte_mempool_in_use_count(sim->net_pool) -
	       sim->drained.cnt - sim->heap.bufs;
}

static uint32_t
memory_reserve(const struct sim *sim)
{
	return sim->plan.shards == 1 ? 0 : sim->plan.nodes * sim->plan.shards * MEMORY_RESERVE_BUFS;
}

/* What the queues of all nodes may hold together. */
static uint64_t
memory_cap(const struct sim *sim)
{
	const struct sim_plan *plan = &sim->plan;
	uint64_t pairs = (uint64_t)plan->nodes * (plan->nodes - 1);
	/* Rings; backlogs: levels of up to 4 windows and one message of 66 KB each. */
	uint64_t link = 2u * plan->ring_pkts + 5 * (4u * plan->window_max + 130);
	/* A message of 256 octets and less is charged with 256. Twice: CRITICAL has more room. */
	uint64_t sock = 8ull * plan->rcvbuf_bytes / 256;

	return memory_reserve(sim) + pairs * plan->wires * link +
	       plan->nodes * (plan->socks * sock + 3000) +
	       (uint64_t)sim->ends_cnt * MEMORY_END_BUFS;
}

void
sim_oracle_memory(struct sim *sim)
{
	uint32_t held = memory_held(sim);

	sim->held_max = RTE_MAX(sim->held_max, held);
	if (!sim->is_failed && held > memory_cap(sim))
		sim_violate(sim, "P7 memory", "stacks hold %u buffers, their limits allow %llu",
			    held, (unsigned long long)memory_cap(sim));
}

/* Everything has been acknowledged and read. */
void
sim_oracle_memory_rest(struct sim *sim)
{
	uint32_t held = memory_held(sim);
	uint32_t syns = 0;
	uint32_t e;

	/* The node was lost: the copy of the SYN is kept for as long as the application waits. */
	for (e = 0; e < sim->ends_cnt; e++)
		syns += sim->ends[e].is_open && sim->ends[e].state == DPT_SOCK_STATE_CONNECTING;
	if (held >
	    memory_reserve(sim) + sim->plan.nodes * MEMORY_REST_BUFS + syns * MEMORY_SYN_BUFS)
		sim_violate(sim, "P7 memory",
			    "at rest stacks hold %u buffers, of them %u as a "
			    "reserve",
			    held, memory_reserve(sim));
}
