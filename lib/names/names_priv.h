/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NAMES_PRIV_H
#define DPT_NAMES_PRIV_H

/*
 * Layout of the name table: one block of memory, cut into pools and hash tables.
 *
 *   types[]  --> service --> root of a treap of ranges, in range order
 *   exact[]  ------------------> range --> all, local: lists of entries (bindings)
 *   entries[] ------------------------------> entry    (range, port, key)
 *   peers[]  --> peer --> its entries in the order in which they came
 *   ports[]  --> own port: how many own bindings it has, mark of the last multicast
 *
 * Hash tables are chained and seeded, and the treap's priorities are random, so what a
 * peer chooses to publish does not make lookups slow (04-name-table.md, 11).
 */

#include <sys/queue.h>

#include "dpt_assert.h"
#include "dpt_names.h"

/* The order of the tool's dump: buckets ascending. Src: 04-name-table.md, 2. */
#define NAMES_DUMP_BUCKETS 1024

/* Sizes are computed in 64 bits: 2^32 records of less than 2^10 octets cannot overflow. */
DPT_STATIC_ASSERT(sizeof(size_t) == 8, "sizes of pools");

struct names_entry;
TAILQ_HEAD(names_entries, names_entry);

struct names_range {
	uint32_t lower;
	uint32_t upper;
	uint32_t max_upper; /* largest upper in the subtree below and including this */
	uint32_t prio;	    /* treap: not below that of the children */
	struct names_range *parent;
	struct names_range *left;
	struct names_range *right;
	struct names_service *service;
	struct names_entries all; /* the first is picked next */
	struct names_entries local;
	struct names_range *next; /* hash chain, free list */
	uint32_t all_cnt;
};

struct names_service {
	uint32_t type;
	uint32_t wide_cnt;     /* ranges with lower < upper: non-singletons */
	uint32_t bindings_cnt; /* of all ranges */
	struct names_range *root;
	struct names_service *next;	 /* hash chain, free list */
	struct names_service *dump_next; /* newest first */
};

struct names_peer {
	struct dpt_node_addr addr;
	uint32_t bindings_cnt;
	uint64_t mark;
	struct names_entries bindings; /* oldest first */
	struct names_peer *next;       /* hash chain, free list */
};

struct names_port {
	struct dpt_port port;
	uint32_t bindings_cnt;
	uint64_t mark;
	struct names_port *next; /* hash chain, free list */
};

struct names_entry {
	struct dpt_binding binding;
	struct names_range *range; /* NULL: free */
	struct names_peer *peer;
	struct names_port *port; /* own bindings only */
	TAILQ_ENTRY(names_entry) all;
	TAILQ_ENTRY(names_entry) local; /* own bindings only */
	TAILQ_ENTRY(names_entry) by_peer;
	struct names_entry *next; /* hash chain, free list */
};

struct dpt_names {
	struct dpt_names_cfg cfg;
	uint64_t seed;
	uint64_t mark; /* of the present multicast lookup */
	uint32_t cnt;
	struct names_peer self; /* own node; address 0 until it is known */

	struct names_service *services_free;
	struct names_range *ranges_free;
	struct names_entry *entries_free;
	struct names_port *ports_free;
	struct names_peer *peers_free;

	/* Hash tables: powers of two. The tables per binding share one size. */
	size_t hash_mask;
	size_t peers_mask;
	struct names_service **types_hash;
	struct names_range **exact_hash;
	struct names_entry **entries_hash;
	struct names_port **ports_hash;
	struct names_peer **peers_hash;
	struct names_entry *entries;
	struct names_service *dump[NAMES_DUMP_BUCKETS];
};

/* Seeded mix of three words; the finaliser of splitmix64 (dpt_rng.h) twice. */
static inline uint64_t
names_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t
names_hash(uint64_t seed, uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t h = names_mix(seed ^ ((uint64_t)a << 32 | b));

	return names_mix(h + seed + c);
}

/* Smallest power of two that is not below cnt. */
static inline size_t
names_pow2(uint32_t cnt)
{
	size_t n = 1;

	while (n < cnt)
		n *= 2;
	return n;
}

static inline size_t
names_align(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static inline bool
names_is_own(const struct dpt_names *names, struct dpt_node_addr node)
{
	return node.value == 0 || node.value == names->self.addr.value;
}

struct names_service *names_service_find(const struct dpt_names *names, uint32_t type);
struct names_range *names_range_find(const struct dpt_names *names, const struct dpt_range *range);

/* names_tree.c: the ranges of one service, an interval tree in range order. */
void names_tree_insert(struct names_service *service, struct names_range *range);
void names_tree_remove(struct names_service *service, struct names_range *range);
/* First range, in range order, that overlaps lower..upper; NULL: none. */
struct names_range *
names_tree_first(const struct names_service *service, uint32_t lower, uint32_t upper);
/* The one after range, which overlaps lower..upper itself. */
struct names_range *
names_tree_next(const struct names_range *range, uint32_t lower, uint32_t upper);

#endif /* DPT_NAMES_PRIV_H */
