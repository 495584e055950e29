/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NAMES_PRIV_H
#define DPT_NAMES_PRIV_H

/*
 * Layout of the name table: one block of memory, cut into pools and hash tables.
 *
 *   types[]  --> service --> root of a treap of ranges, in range order
 *   exact[]  ------------------> range --> all, local: rings of entries (bindings)
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
/* Bindings of one bucket that a dump's cursor can count: as many as any table has. Our choice. */
#define NAMES_DUMP_BUCKET_MAX (1u << 22)

/* Sizes are computed in 64 bits: 2^32 records of less than 2^10 octets cannot overflow. */
DPT_STATIC_ASSERT(sizeof(size_t) == 8, "sizes of pools");

struct names_entry;
TAILQ_HEAD(names_entries, names_entry); /* of a peer */
struct topo_sub;
LIST_HEAD(names_subs, topo_sub);

/*
 * Rings of bindings: circular, the range knows the first. So the one that is picked goes to the
 * end by moving that mark on, and no other binding is touched.
 */
enum names_ring {
	NAMES_ALL = 0,	 /* of the range */
	NAMES_LOCAL = 1, /* own bindings of the range */
	NAMES_RING_CNT,
};

struct names_link {
	struct names_entry *next;
	struct names_entry *prev;
};

/*
 * What a lookup by instance reads is in the first 32 octets, what a step down the tree reads
 * follows: records begin at multiples of 32, so each is in one cache line.
 */
struct names_range {
	uint32_t lower;
	uint32_t upper;
	struct names_service *service;
	struct names_entry *first[NAMES_RING_CNT]; /* picked next; NULL: none */
	struct names_range *left;
	struct names_range *right;
	uint32_t max_upper; /* largest upper in the subtree below and including this */
	uint32_t prio;	    /* treap: not below that of the children */
	struct names_range *parent;
	struct names_range *next; /* hash chain, free list */
	uint32_t all_cnt;
	uint8_t reserved[20];
};
DPT_STATIC_ASSERT(sizeof(struct names_range) == 96, "cache lines of a range");

struct names_service {
	uint32_t type;
	uint32_t wide_cnt; /* ranges with lower < upper: non-singletons */
	struct names_range *root;
	uint32_t bindings_cnt;		 /* of all ranges */
	uint32_t publ_cnt;		 /* bindings ever, modulo 2^32: the next one's id */
	struct names_subs subs;		 /* newest first; they keep the service */
	struct names_service *next;	 /* hash chain, free list */
	struct names_service *dump_next; /* newest first */
	uint8_t reserved[16];
};
DPT_STATIC_ASSERT(sizeof(struct names_service) == 64, "one cache line");

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

/* A lookup reads the first line. */
struct names_entry {
	struct dpt_binding binding;
	uint32_t id; /* order of insertion in its service. Src: 04-name-table.md, 2 */
	struct names_link link[NAMES_RING_CNT]; /* LOCAL: own bindings only */
	struct names_range *range;		/* NULL: free */
	struct names_peer *peer;
	struct names_port *port; /* own bindings only */
	TAILQ_ENTRY(names_entry) by_peer;
	struct names_entry *next; /* hash chain, free list */
	uint8_t reserved[16];
};
DPT_STATIC_ASSERT(sizeof(struct names_entry) == 128, "two cache lines");

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

/* The one after entry, NULL: it was the last. */
static inline struct names_entry *
names_ring_next(const struct names_range *range, const struct names_entry *entry,
		enum names_ring ring)
{
	struct names_entry *next = entry->link[ring].next;

	return next != range->first[ring] ? next : NULL;
}

/* The first one goes to the end. */
static inline void
names_ring_rotate(struct names_range *range, enum names_ring ring)
{
	range->first[ring] = range->first[ring]->link[ring].next;
}

struct names_service *names_service_find(const struct dpt_names *names, uint32_t type);
/* The service, made if it is unknown, for a subscription that the caller puts on it. */
struct names_service *names_service_hold(struct dpt_names *names, uint32_t type);
/* A subscription was taken off it: it goes if nothing else keeps it. */
void names_service_release(struct dpt_names *names, struct names_service *service);
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

/*
 * topology_event.c: a binding of the service has come or is gone; is_edge: it is the first,
 * or was the last, of its range. The order of calls is the order of events.
 */
void topo_report(struct dpt_topo *topo, const struct names_service *service,
		 const struct dpt_binding *binding, bool is_withdrawal, bool is_edge);

#endif /* DPT_NAMES_PRIV_H */
