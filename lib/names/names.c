/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The name table: life cycle, insertion, removal. Lookups: names_lookup.c; the tree of
 * ranges: names_tree.c; items of messages: names_apply.c.
 */
#include "dpt_names.h"

#include <errno.h>
#include <string.h>

#include "dpt_mutant.h"
#include "names_priv.h"

DPT_COUNTER_DESCS(dpt_names_counter_descs, DPT_NAMES_COUNTERS);

/* Where the parts of the object lie, octets from its start. */
struct names_layout {
	size_t hash_cnt;
	size_t peers_hash_cnt;
	size_t types_hash;
	size_t exact_hash;
	size_t entries_hash;
	size_t ports_hash;
	size_t peers_hash;
	size_t services;
	size_t ranges;
	size_t entries;
	size_t ports;
	size_t peers;
	size_t bytes;
};

static size_t
names_part(size_t *bytes, size_t cnt, size_t each)
{
	size_t start = *bytes;

	*bytes = names_align(start + cnt * each);
	return start;
}

static struct names_layout
names_layout(const struct dpt_names_cfg *cfg)
{
	struct names_layout l = {0};
	size_t bytes = names_align(sizeof(struct dpt_names));
	size_t max = cfg->bindings_max;
	size_t services_max = max + cfg->subs_max;

	l.hash_cnt = names_pow2(cfg->bindings_max);
	l.peers_hash_cnt = names_pow2(cfg->peers_max);
	l.types_hash = names_part(&bytes, l.hash_cnt, sizeof(void *));
	l.exact_hash = names_part(&bytes, l.hash_cnt, sizeof(void *));
	l.entries_hash = names_part(&bytes, l.hash_cnt, sizeof(void *));
	l.ports_hash = names_part(&bytes, l.hash_cnt, sizeof(void *));
	l.peers_hash = names_part(&bytes, l.peers_hash_cnt, sizeof(void *));
	l.services = names_part(&bytes, services_max, sizeof(struct names_service));
	l.ranges = names_part(&bytes, max, sizeof(struct names_range));
	l.entries = names_part(&bytes, max, sizeof(struct names_entry));
	l.ports = names_part(&bytes, max, sizeof(struct names_port));
	l.peers = names_part(&bytes, cfg->peers_max, sizeof(struct names_peer));
	l.bytes = bytes;
	return l;
}

size_t
dpt_names_size(const struct dpt_names_cfg *cfg)
{
	return names_layout(cfg).bytes;
}

/* Free lists of records in ascending order. */
static void
names_pools_init(struct dpt_names *names, const struct names_layout *l)
{
	uint8_t *base = (uint8_t *)names;
	struct names_service *services = (struct names_service *)(base + l->services);
	struct names_range *ranges = (struct names_range *)(base + l->ranges);
	struct names_port *ports = (struct names_port *)(base + l->ports);
	struct names_peer *peers = (struct names_peer *)(base + l->peers);
	uint32_t i;

	names->entries = (struct names_entry *)(base + l->entries);
	for (i = names->cfg.bindings_max + names->cfg.subs_max; i-- > 0;) {
		services[i].next = names->services_free;
		names->services_free = &services[i];
	}
	for (i = names->cfg.bindings_max; i-- > 0;) {
		ranges[i].next = names->ranges_free;
		names->ranges_free = &ranges[i];
		names->entries[i].range = NULL;
		names->entries[i].next = names->entries_free;
		names->entries_free = &names->entries[i];
		ports[i].next = names->ports_free;
		names->ports_free = &ports[i];
	}
	for (i = names->cfg.peers_max; i-- > 0;) {
		peers[i].next = names->peers_free;
		names->peers_free = &peers[i];
	}
}

void
dpt_names_init(struct dpt_names *names, const struct dpt_names_cfg *cfg)
{
	struct names_layout l = names_layout(cfg);
	uint8_t *base = (uint8_t *)names;

	memset(names, 0, l.services);
	names->cfg = *cfg;
	names->seed = dpt_rng_u64(cfg->env.rng);
	names->hash_mask = l.hash_cnt - 1;
	names->peers_mask = l.peers_hash_cnt - 1;
	names->types_hash = (struct names_service **)(base + l.types_hash);
	names->exact_hash = (struct names_range **)(base + l.exact_hash);
	names->entries_hash = (struct names_entry **)(base + l.entries_hash);
	names->ports_hash = (struct names_port **)(base + l.ports_hash);
	names->peers_hash = (struct names_peer **)(base + l.peers_hash);
	TAILQ_INIT(&names->self.bindings);
	names_pools_init(names, &l);
}

void
dpt_names_own_set(struct dpt_names *names, struct dpt_node_addr own)
{
	struct names_entry *entry;

	names->self.addr = own;
	TAILQ_FOREACH (entry, &names->self.bindings, by_peer)
		entry->binding.node = own;
}

void
dpt_names_legacy_set(struct dpt_names *names)
{
	names->cfg.is_legacy = true;
}

static struct names_service **
service_slot(const struct dpt_names *names, uint32_t type)
{
	return &names->types_hash[names_hash(names->seed, type, 0, 1) & names->hash_mask];
}

struct names_service *
names_service_find(const struct dpt_names *names, uint32_t type)
{
	struct names_service *service = *service_slot(names, type);

	while (service != NULL && service->type != type)
		service = service->next;
	return service;
}

static struct names_service *
service_get(struct dpt_names *names, uint32_t type)
{
	struct names_service *service = names_service_find(names, type);
	struct names_service **slot;

	if (service != NULL)
		return service;
	service = names->services_free;
	DPT_ASSERT(service != NULL); /* as many as bindings and subscriptions */
	names->services_free = service->next;
	memset(service, 0, sizeof(*service));
	service->type = type;
	LIST_INIT(&service->subs);
	slot = service_slot(names, type);
	service->next = *slot;
	*slot = service;
	service->dump_next = names->dump[type % NAMES_DUMP_BUCKETS];
	names->dump[type % NAMES_DUMP_BUCKETS] = service;
	return service;
}

static void
service_put(struct dpt_names *names, struct names_service *service)
{
	struct names_service **slot = service_slot(names, service->type);

	while (*slot != service)
		slot = &(*slot)->next;
	*slot = service->next;
	slot = &names->dump[service->type % NAMES_DUMP_BUCKETS];
	while (*slot != service)
		slot = &(*slot)->dump_next;
	*slot = service->dump_next;
	service->next = names->services_free;
	names->services_free = service;
}

struct names_service *
names_service_hold(struct dpt_names *names, uint32_t type)
{
	return service_get(names, type);
}

void
names_service_release(struct dpt_names *names, struct names_service *service)
{
	if (service->root == NULL && LIST_EMPTY(&service->subs))
		service_put(names, service);
}

static struct names_range **
range_slot(const struct dpt_names *names, uint32_t type, uint32_t lower, uint32_t upper)
{
	return &names->exact_hash[names_hash(names->seed, type, lower, upper) & names->hash_mask];
}

struct names_range *
names_range_find(const struct dpt_names *names, const struct dpt_range *range)
{
	struct names_range *r = *range_slot(names, range->type, range->lower, range->upper);

	while (r != NULL && (r->lower != range->lower || r->upper != range->upper ||
			     r->service->type != range->type))
		r = r->next;
	return r;
}

static struct names_range *
range_get(struct dpt_names *names, const struct dpt_range *range)
{
	struct names_range *r = names_range_find(names, range);
	struct names_range **slot;

	if (r != NULL)
		return r;
	r = names->ranges_free;
	DPT_ASSERT(r != NULL); /* as many as bindings */
	names->ranges_free = r->next;
	memset(r, 0, sizeof(*r));
	r->lower = range->lower;
	r->upper = range->upper;
	r->prio = dpt_rng_u32(names->cfg.env.rng);
	r->service = service_get(names, range->type);
	slot = range_slot(names, range->type, range->lower, range->upper);
	r->next = *slot;
	*slot = r;
	names_tree_insert(r->service, r);
	if (r->lower < r->upper)
		r->service->wide_cnt++;
	return r;
}

static void
range_put(struct dpt_names *names, struct names_range *range)
{
	struct names_service *service = range->service;
	struct names_range **slot = range_slot(names, service->type, range->lower, range->upper);

	while (*slot != range)
		slot = &(*slot)->next;
	*slot = range->next;
	names_tree_remove(service, range);
	if (range->lower < range->upper)
		service->wide_cnt--;
	range->next = names->ranges_free;
	names->ranges_free = range;
	names_service_release(names, service);
}

static struct names_peer **
peer_slot(const struct dpt_names *names, struct dpt_node_addr node)
{
	return &names->peers_hash[names_hash(names->seed, node.value, 0, 2) & names->peers_mask];
}

static struct names_peer *
peer_find(const struct dpt_names *names, struct dpt_node_addr node)
{
	struct names_peer *peer = *peer_slot(names, node);

	while (peer != NULL && peer->addr.value != node.value)
		peer = peer->next;
	return peer;
}

static struct names_peer *
peer_get(struct dpt_names *names, struct dpt_node_addr node)
{
	struct names_peer *peer = peer_find(names, node);
	struct names_peer **slot;

	if (peer != NULL)
		return peer;
	peer = names->peers_free;
	if (peer == NULL)
		return NULL;
	names->peers_free = peer->next;
	memset(peer, 0, sizeof(*peer));
	peer->addr = node;
	TAILQ_INIT(&peer->bindings);
	slot = peer_slot(names, node);
	peer->next = *slot;
	*slot = peer;
	return peer;
}

static void
peer_put(struct dpt_names *names, struct names_peer *peer)
{
	struct names_peer **slot = peer_slot(names, peer->addr);

	while (*slot != peer)
		slot = &(*slot)->next;
	*slot = peer->next;
	peer->next = names->peers_free;
	names->peers_free = peer;
}

static struct names_port **
port_slot(const struct dpt_names *names, struct dpt_port port)
{
	return &names->ports_hash[names_hash(names->seed, port.ref, 0, 3) & names->hash_mask];
}

/* The record of an own port, with one more binding. */
static struct names_port *
port_get(struct dpt_names *names, struct dpt_port port)
{
	struct names_port **slot = port_slot(names, port);
	struct names_port *rec = *slot;

	while (rec != NULL && rec->port.ref != port.ref)
		rec = rec->next;
	if (rec == NULL) {
		rec = names->ports_free;
		DPT_ASSERT(rec != NULL); /* as many as bindings */
		names->ports_free = rec->next;
		rec->port = port;
		rec->bindings_cnt = 0;
		rec->mark = 0;
		rec->next = *slot;
		*slot = rec;
	}
	rec->bindings_cnt++;
	return rec;
}

static void
port_put(struct dpt_names *names, struct names_port *rec)
{
	struct names_port **slot = port_slot(names, rec->port);

	if (--rec->bindings_cnt > 0)
		return;
	while (*slot != rec)
		slot = &(*slot)->next;
	*slot = rec->next;
	rec->next = names->ports_free;
	names->ports_free = rec;
}

static struct names_entry **
entry_slot(const struct dpt_names *names, const struct names_range *range, struct dpt_port port,
	   uint32_t key)
{
	uint64_t h = names_hash(names->seed, range->service->type, range->lower, range->upper);

	return &names->entries_hash[names_hash(h, port.ref, key, 4) & names->hash_mask];
}

/*
 * The binding of range with that port and key, and node: for an insertion, one of the
 * same node or of node 0 (2.1); for a removal node 0 matches any (2.2).
 */
static struct names_entry *
entry_find(const struct dpt_names *names, const struct names_range *range,
	   const struct dpt_binding *b, bool is_insert)
{
	struct names_entry *e = *entry_slot(names, range, b->port, b->key);

	for (; e != NULL; e = e->next) {
		uint32_t wildcard = is_insert ? e->binding.node.value : b->node.value;

		if (e->range == range && e->binding.port.ref == b->port.ref &&
		    e->binding.key == b->key &&
		    (e->binding.node.value == b->node.value || wildcard == 0))
			return e;
	}
	return NULL;
}

static void
ring_push(struct names_range *range, struct names_entry *entry, enum names_ring ring)
{
	struct names_entry *first = range->first[ring];
	struct names_link *link = &entry->link[ring];

	link->next = first != NULL ? first : entry;
	link->prev = first != NULL ? first->link[ring].prev : entry;
	link->next->link[ring].prev = entry;
	link->prev->link[ring].next = entry;
	range->first[ring] = entry;
}

static void
ring_remove(struct names_range *range, struct names_entry *entry, enum names_ring ring)
{
	struct names_link *link = &entry->link[ring];

	if (range->first[ring] == entry)
		range->first[ring] = link->next != entry ? link->next : NULL;
	link->prev->link[ring].next = link->next;
	link->next->link[ring].prev = link->prev;
}

static void
entry_report(const struct dpt_names *names, const struct names_entry *entry, bool is_withdrawal,
	     bool is_edge)
{
	if (names->cfg.topology != NULL)
		topo_report(names->cfg.topology, entry->range->service, &entry->binding,
			    is_withdrawal, is_edge);
}

static void
entry_link(struct dpt_names *names, struct names_entry *entry, struct names_peer *peer)
{
	struct names_range *range = entry->range;
	struct names_entry **slot =
		entry_slot(names, range, entry->binding.port, entry->binding.key);

	entry->next = *slot;
	*slot = entry;
	ring_push(range, entry, NAMES_ALL);
	range->all_cnt++;
	range->service->bindings_cnt++;
	entry->id = range->service->publ_cnt++;
	entry->port = NULL;
	if (peer == &names->self) {
		ring_push(range, entry, NAMES_LOCAL);
		entry->port = port_get(names, entry->binding.port);
	}
	entry->peer = peer;
	TAILQ_INSERT_TAIL(&peer->bindings, entry, by_peer);
	peer->bindings_cnt++;
	names->cnt++;
	entry_report(names, entry, false, range->all_cnt == 1);
}

static void
entry_unlink(struct dpt_names *names, struct names_entry *entry)
{
	struct names_range *range = entry->range;
	struct names_peer *peer = entry->peer;
	struct names_entry **slot =
		entry_slot(names, range, entry->binding.port, entry->binding.key);

	while (*slot != entry)
		slot = &(*slot)->next;
	*slot = entry->next;
	ring_remove(range, entry, NAMES_ALL);
	range->all_cnt--;
	range->service->bindings_cnt--;
	if (entry->port != NULL) {
		ring_remove(range, entry, NAMES_LOCAL);
		port_put(names, entry->port);
	}
	TAILQ_REMOVE(&peer->bindings, entry, by_peer);
	peer->bindings_cnt--;
	names->cnt--;
	entry_report(names, entry, true, range->all_cnt == 0);
	entry->range = NULL;
	entry->next = names->entries_free;
	names->entries_free = entry;
	if (range->all_cnt == 0)
		range_put(names, range);
	if (peer != &names->self && peer->bindings_cnt == 0)
		peer_put(names, peer);
}

int
dpt_names_insert(struct dpt_names *names, const struct dpt_binding *binding)
{
	struct dpt_binding b = *binding;
	struct names_peer *peer = &names->self;
	struct names_range *range;
	struct names_entry *entry;

	if (b.range.lower > b.range.upper)
		return -EINVAL;
	if (names_is_own(names, b.node))
		b.node = names->self.addr;
	range = names_range_find(names, &b.range);
	if (range != NULL && entry_find(names, range, &b, true) != NULL)
		return -EEXIST;
	entry = names->entries_free;
	if (entry == NULL)
		return -ENOSPC;
	if (!names_is_own(names, b.node)) {
		peer = peer_find(names, b.node);
		if (peer == NULL && names->cfg.peer_bindings_max > 0)
			peer = peer_get(names, b.node);
		if (peer == NULL || peer->bindings_cnt >= names->cfg.peer_bindings_max)
			return -ENOSPC;
	}
	names->entries_free = entry->next;
	entry->binding = b;
	entry->range = range_get(names, &b.range);
	entry_link(names, entry, peer);
	return 0;
}

int
dpt_names_remove(struct dpt_names *names, const struct dpt_binding *binding)
{
	struct names_range *range = names_range_find(names, &binding->range);
	struct names_entry *entry;

	if (range == NULL)
		return -ENOENT;
	entry = entry_find(names, range, binding, false);
	if (entry == NULL)
		return -ENOENT;
	entry_unlink(names, entry);
	return 0;
}

uint32_t
dpt_names_purge(struct dpt_names *names, struct dpt_node_addr node)
{
	struct names_peer *peer = peer_find(names, node);
	uint32_t cnt = 0;

	if (peer == NULL || DPT_MUTANT(purge_skipped))
		return 0;
	/* The last removal gives the record of the peer back. */
	for (uint32_t left = peer->bindings_cnt; left > 0; left--, cnt++)
		entry_unlink(names, TAILQ_FIRST(&peer->bindings));
	return cnt;
}

uint32_t
dpt_names_own_cnt(const struct dpt_names *names)
{
	return names->self.bindings_cnt;
}

uint32_t
dpt_names_cnt(const struct dpt_names *names)
{
	return names->cnt;
}
