/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables converge: every shard of every node holds exactly the bindings that the
 * applications have now, those of other nodes only in cluster scope, and {0, node, node}
 * of each node in contact.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define NAMES_MAX 4096
/* Services below are the stack's own. Src: 04-name-table.md, 1.1. */
#define NAMES_TYPE_NODE 0

struct name {
	uint32_t type;
	uint32_t lower;
	uint32_t upper;
	uint32_t port;
	uint32_t node; /* index */
	uint32_t scope;
};

static int
name_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct name));
}

static uint32_t
names_wanted(const struct sim *sim, uint32_t n, struct name *names)
{
	uint32_t cnt = 0;
	uint32_t s, b;

	for (s = 0; s < sim->socks_cnt; s++) {
		const struct sim_sock *sock = &sim->socks[s];

		for (b = 0; sock->is_open && b < SIM_BINDS_MAX && cnt < NAMES_MAX; b++) {
			const struct sim_bind *bind = &sock->binds[b];

			if (!bind->is_used || (bind->scope == DPT_SCOPE_NODE && sock->node != n))
				continue;
			names[cnt++] = (struct name){bind->range.type,	bind->range.lower,
						     bind->range.upper, sock->port.ref,
						     sock->node,	bind->scope};
		}
	}
	for (s = 0; s < sim->ends_cnt; s++) {
		const struct sim_end *end = &sim->ends[s];

		for (b = 0; end->is_open && b < SIM_END_BINDS && cnt < NAMES_MAX; b++) {
			if (end->binds[b].is_used)
				names[cnt++] = (struct name){end->binds[b].range.type,
							     end->binds[b].range.lower,
							     end->binds[b].range.upper,
							     end->port.ref,
							     end->node,
							     DPT_SCOPE_CLUSTER};
		}
	}
	qsort(names, cnt, sizeof(names[0]), name_cmp);
	return cnt;
}

/* The table of a shard; *nodes: bit mask of the {0, node, node} seen. */
static uint32_t
names_held(const struct sim *sim, uint32_t n, uint32_t shard, struct name *names, uint64_t *nodes)
{
	const struct dpt_names *table = dpt_stack_names(sim->nodes[n].shards[shard].stack);
	struct dpt_binding bindings[64];
	uint32_t cursor = 0;
	uint32_t cnt = 0;
	uint32_t got, i;

	*nodes = 0;
	while ((got = dpt_names_dump(table, &cursor, bindings, RTE_DIM(bindings))) > 0) {
		for (i = 0; i < got && cnt < NAMES_MAX; i++) {
			const struct dpt_binding *b = &bindings[i];
			uint32_t owner = b->node.value == 0 ? n : sim_node_find(sim, b->node);

			if (b->range.type == NAMES_TYPE_NODE && owner != SIM_NONE &&
			    b->range.lower == b->range.upper)
				*nodes |= UINT64_C(1) << owner;
			if (b->range.type < DPT_TYPE_USER_MIN)
				continue;
			names[cnt++] = (struct name){b->range.type, b->range.lower, b->range.upper,
						     b->port.ref,   owner,	    b->scope};
		}
	}
	qsort(names, cnt, sizeof(names[0]), name_cmp);
	return cnt;
}

static void
names_explain(char *text, size_t text_size, uint32_t n, uint32_t shard, const struct name *name,
	      const char *what)
{
	if (text != NULL)
		snprintf(text, text_size, "node %u shard %u: {%u, %u, %u} of node %d port %u %s", n,
			 shard, name->type, name->lower, name->upper, (int)name->node, name->port,
			 what);
}

static bool
names_shard_ok(const struct sim *sim, uint32_t n, uint32_t shard, char *text, size_t text_size)
{
	static struct name wanted[NAMES_MAX];
	static struct name held[NAMES_MAX];
	uint32_t wanted_cnt = names_wanted(sim, n, wanted);
	uint64_t nodes, nodes_wanted = 0;
	uint32_t held_cnt = names_held(sim, n, shard, held, &nodes);
	uint32_t i, p;

	for (i = 0; i < wanted_cnt || i < held_cnt; i++) {
		int cmp = i == wanted_cnt ? 1 : i == held_cnt ? -1 : name_cmp(&wanted[i], &held[i]);

		if (cmp == 0)
			continue;
		if (cmp < 0)
			names_explain(text, text_size, n, shard, &wanted[i], "is missing");
		else
			names_explain(text, text_size, n, shard, &held[i], "should not be there");
		return false;
	}
	for (p = 0; p < sim->plan.nodes; p++) {
		if (sim->nodes[p].is_running && (p == n || sim->nodes[n].contact[p]))
			nodes_wanted |= UINT64_C(1) << p;
	}
	if (nodes != nodes_wanted && text != NULL)
		snprintf(text, text_size, "node %u shard %u: node states %llx instead of %llx", n,
			 shard, (unsigned long long)nodes, (unsigned long long)nodes_wanted);
	return nodes == nodes_wanted;
}

bool
sim_oracle_names_ok(struct sim *sim, char *text, size_t text_size)
{
	uint32_t n, s, b;

	for (s = 0; s < sim->socks_cnt; s++) {
		for (b = 0; sim->socks[s].is_open && b < SIM_BINDS_MAX; b++) {
			if (sim->socks[s].binds[b].is_used && sim->socks[s].binds[b].is_pending) {
				if (text != NULL)
					snprintf(text, text_size,
						 "socket %u: a bind was not answered", s);
				return false;
			}
		}
	}
	for (n = 0; n < sim->plan.nodes; n++) {
		for (s = 0; sim->nodes[n].is_running && s < sim->plan.shards; s++) {
			if (!names_shard_ok(sim, n, s, text, text_size))
				return false;
		}
	}
	return true;
}
