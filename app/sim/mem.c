/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of stacks. A run makes and ends dozens of them, all alike; to fetch each from the
 * system and give it back took three quarters of the simulator's time.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

struct sim_mem {
	struct sim_mem *next; /* while it is not in use */
	size_t bytes;
} __attribute__((aligned(64)));

/* Zeroed, 64-octet aligned. */
void *
sim_mem_take(struct sim *sim, size_t bytes)
{
	struct sim_mem **at = &sim->mem;
	struct sim_mem *mem;

	while (*at != NULL && (*at)->bytes < bytes)
		at = &(*at)->next;
	mem = *at;
	if (mem != NULL) {
		*at = mem->next;
	} else {
		size_t room = (bytes + 63) & ~(size_t)63;

		mem = aligned_alloc(64, sizeof(*mem) + room);
		DPT_ASSERT(mem != NULL);
		mem->bytes = room;
	}
	memset(mem + 1, 0, bytes);
	return mem + 1;
}

void
sim_mem_give(struct sim *sim, void *mem)
{
	struct sim_mem *head = (struct sim_mem *)mem - 1;

	head->next = sim->mem;
	sim->mem = head;
}

void
sim_mem_free(struct sim *sim)
{
	while (sim->mem != NULL) {
		struct sim_mem *mem = sim->mem;

		sim->mem = mem->next;
		free(mem);
	}
}
