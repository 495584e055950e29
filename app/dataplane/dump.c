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

/* The first peer with at least this address: its place in the order of addresses. */
static uint32_t
dump_peer_idx(const struct worker *w, uint32_t addr)
{
	uint32_t lo = 0, hi = 1;

	while (dpt_stack_node(w->stack, hi - 1) != NULL)
		hi *= 2;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		const struct dpt_node *node = dpt_stack_node(w->stack, mid);

		if (node != NULL && dpt_node_peer(node).value < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
dump_peer(const struct dpt_node *node, struct chunk_peer *peer)
{
	struct dpt_link_info info;

	*peer = (struct chunk_peer){.addr = dpt_node_peer(node), .id = *dpt_node_id_get(node)};
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		if (dpt_node_link_info(node, id, &info) != 0)
			continue;
		peer->links_mask |= (uint8_t)(1u << id);
		if (info.is_up)
			peer->up_mask |= (uint8_t)(1u << id);
	}
}

/* Goes on by address, so peers that come and go meanwhile do not move the others. */
static void
dump_peers(struct worker *w, struct chunk *chunk)
{
	uint32_t idx = dump_peer_idx(w, chunk->cursor);
	const struct dpt_node *node;

	while (chunk->cnt < CHUNK_PEERS_CNT && (node = dpt_stack_node(w->stack, idx++)) != NULL)
		dump_peer(node, &chunk->peers[chunk->cnt++]);
	if (chunk->cnt > 0)
		chunk->cursor = chunk->peers[chunk->cnt - 1].addr.value + 1;
}

static void
dump_links_of(struct worker *w, struct chunk *chunk)
{
	const struct dpt_node *node = dpt_stack_node(w->stack, dump_peer_idx(w, chunk->node.value));

	chunk->is_there = node != NULL && dpt_node_addr_eq(dpt_node_peer(node), chunk->node);
	chunk->has_bcast = false;
	if (!chunk->is_there)
		return;
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct chunk_link *link = &chunk->links[chunk->cnt];

		if (dpt_node_link_info(node, id, &link->info) != 0)
			continue;
		link->peer = chunk->node;
		link->id = *dpt_node_id_get(node);
		chunk->cnt++;
	}
	chunk->has_bcast = dpt_stack_bcast_peer_info(w->stack, chunk->node, &chunk->bcast) == 0;
	/* Of the peer: the broadcast link's name is made of it. */
	chunk->id = *dpt_node_id_get(node);
}

static void
dump_internal(struct worker *w, struct chunk *chunk)
{
	while (chunk->cnt < CHUNK_SOCKETS_CNT) {
		struct chunk_socket *sock = &chunk->sockets[chunk->cnt];

		*sock = (struct chunk_socket){.is_there = true};
		if (!dpt_stack_internal_sock(w->stack, chunk->cursor, &sock->port, &sock->info))
			break;
		chunk->cursor++;
		chunk->cnt++;
	}
}

static bool
dump_is_internal(const struct worker *w, struct dpt_port port)
{
	struct dpt_sock_info info;
	struct dpt_port each;

	for (uint32_t i = 0; w->idx == 0 && dpt_stack_internal_sock(w->stack, i, &each, &info); i++)
		if (each.ref == port.ref)
			return true;
	return false;
}

static void
dump_bindings(struct worker *w, struct chunk *chunk)
{
	struct dpt_sock_info info;

	chunk->is_there = dpt_sock_info(w->socks, chunk->port, &info) == 0 ||
			  dump_is_internal(w, chunk->port);
	if (chunk->is_there)
		chunk->cnt = dpt_stack_sock_bindings(w->stack, chunk->port, &chunk->cursor,
						     chunk->names, CHUNK_NAMES_CNT);
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
	chunk->net_id = dpt_stack_net_id(w->stack);
	chunk->is_legacy = dpt_stack_is_legacy(w->stack);
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
	case CHUNK_PEERS:
		dump_peers(w, chunk);
		break;
	case CHUNK_PEER:
		dump_links_of(w, chunk);
		break;
	case CHUNK_BCAST:
		dpt_stack_bcast_info(w->stack, &chunk->bcast);
		break;
	case CHUNK_INTERNAL:
		dump_internal(w, chunk);
		break;
	case CHUNK_BINDINGS:
		dump_bindings(w, chunk);
		break;
	}
}
