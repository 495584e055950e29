/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of the worker's state for control's dumps, a piece at a time (request.h). */
#include "dpt_stack.h"
#include "worker.h"

static void
dump_links(struct worker *w, struct chunk *chunk)
{
	const struct dpt_node *node;

	/* A node has at most two links: whole nodes fit. */
	while (chunk->cnt + DPT_LINKS_PER_NODE_MAX <= CHUNK_LINKS_CNT &&
	       (node = dpt_stack_node(w->stack, chunk->cursor)) != NULL) {
		chunk->cursor++;
		for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
			struct chunk_link *link = &chunk->links[chunk->cnt];

			if (chunk->cnt == CHUNK_LINKS_CNT ||
			    dpt_node_link_info(node, id, &link->info) != 0)
				continue;
			link->peer = dpt_node_peer(node);
			link->id = *dpt_node_id_get(node);
			chunk->cnt++;
		}
	}
	/* Nodes without links do not end the dump. */
	if (dpt_stack_node(w->stack, chunk->cursor) == NULL)
		chunk->cursor = UINT32_MAX;
}

static void
dump_sockets(struct worker *w, struct chunk *chunk)
{
	for (uint32_t i = 0; i < chunk->cnt; i++)
		chunk->sockets[i].is_there = dpt_sock_info(w->socks, chunk->sockets[i].port,
							   &chunk->sockets[i].info) == 0;
}

static void
dump_counters(struct worker *w, struct chunk *chunk)
{
	chunk->counters.worker = w->counters;
	while (chunk->cnt < CHUNK_COUNTERS_CNT &&
	       dpt_stack_counter(w->stack, chunk->cnt, &chunk->counters.stack[chunk->cnt]))
		chunk->cnt++;
}

void
dump_chunk(struct worker *w, struct chunk *chunk)
{
	chunk->own = dpt_stack_own(w->stack);
	chunk->id = *dpt_stack_id(w->stack);
	chunk->now_ns = w->now_ns;
	if (chunk->kind != CHUNK_SOCKETS)
		chunk->cnt = 0;
	switch (chunk->kind) {
	case CHUNK_NODE:
		break;
	case CHUNK_NAMES:
		chunk->cnt = dpt_names_dump(dpt_stack_names(w->stack), &chunk->cursor, chunk->names,
					    CHUNK_NAMES_CNT);
		break;
	case CHUNK_LINKS:
		dump_links(w, chunk);
		break;
	case CHUNK_SOCKETS:
		dump_sockets(w, chunk);
		break;
	case CHUNK_COUNTERS:
		dump_counters(w, chunk);
		break;
	case CHUNK_REFUSED:
		chunk->cnt = dpt_discovery_refused(dpt_stack_discovery(w->stack), chunk->refused,
						   CHUNK_REFUSED_CNT);
		break;
	}
}
