/* SPDX-License-Identifier: BSD-3-Clause */
/* Lookups in the name table and its dump: 04-name-table.md, 2 and 5. */
#include <errno.h>

#include "dpt_msg.h"
#include "names_priv.h"

/* Src: 04-name-table.md, 5.1: <Z.C.0> and <Z.0.0> of a legacy address. */
#define NAMES_CLUSTER_MASK UINT32_C(0xfffff000)
#define NAMES_ZONE_MASK	   UINT32_C(0xff000000)

static bool
is_in_scope(const struct dpt_names *names, uint32_t domain)
{
	uint32_t own = names->self.addr.value;

	if (domain == 0 || domain == own)
		return true;
	return names->cfg.is_legacy &&
	       (domain == (own & NAMES_CLUSTER_MASK) || domain == (own & NAMES_ZONE_MASK));
}

/* Pick a binding of the range and move it to the end of its ring; NULL: none is eligible. */
static const struct names_entry *
range_pick(struct dpt_names *names, struct names_range *range, uint32_t domain)
{
	struct names_entry *local = range->first[NAMES_LOCAL];
	bool is_local = domain == names->self.addr.value;
	enum names_ring ring = NAMES_ALL;
	const struct names_entry *entry;

	if (is_local && local == NULL)
		return NULL;
	if (is_local || (names->cfg.is_legacy && domain == 0 && local != NULL))
		ring = NAMES_LOCAL;
	entry = range->first[ring];
	names_ring_rotate(range, ring);
	return entry;
}

/* A service with ranges of more than one instance: the first eligible one in range order. */
static const struct names_entry *
service_pick(struct dpt_names *names, const struct names_service *service, uint32_t instance,
	     uint32_t domain)
{
	struct names_range *range = names_tree_first(service, instance, instance);
	const struct names_entry *entry = NULL;

	for (; range != NULL; range = names_tree_next(range, instance, instance)) {
		entry = range_pick(names, range, domain);
		if (entry != NULL)
			break;
	}
	return entry;
}

int
dpt_names_lookup(struct dpt_names *names, uint32_t type, uint32_t instance,
		 struct dpt_node_addr domain, struct dpt_socket_addr *addr)
{
	struct dpt_range exact = {.type = type, .lower = instance, .upper = instance};
	const struct names_service *service;
	const struct names_entry *entry;
	struct names_range *range;

	if (!is_in_scope(names, domain.value)) {
		addr->port = dpt_port(0);
		addr->node = domain;
		return 1;
	}
	/*
	 * Where each range is one instance, the only one that can match is found by hash, and
	 * knows its service: no search for that.
	 */
	range = names_range_find(names, &exact);
	service = range != NULL ? range->service : names_service_find(names, type);
	if (service == NULL)
		return -EHOSTUNREACH;
	if (service->wide_cnt != 0)
		entry = service_pick(names, service, instance, domain.value);
	else
		entry = range != NULL ? range_pick(names, range, domain.value) : NULL;
	if (entry == NULL)
		return -EHOSTUNREACH;
	addr->port = entry->binding.port;
	addr->node = entry->binding.node;
	return 0;
}

uint32_t
dpt_names_mcast_nodes(struct dpt_names *names, const struct dpt_range *range,
		      struct dpt_node_addr *nodes, uint32_t max, bool *is_local)
{
	struct names_service *service = names_service_find(names, range->type);
	struct names_range *r;
	struct names_entry *e;
	uint32_t cnt = 0;

	*is_local = false;
	if (service == NULL || range->lower > range->upper)
		return 0;
	names->mark++;
	r = names_tree_first(service, range->lower, range->upper);
	for (; r != NULL; r = names_tree_next(r, range->lower, range->upper)) {
		if (r->first[NAMES_LOCAL] != NULL)
			*is_local = true;
		for (e = r->first[NAMES_ALL]; e != NULL; e = names_ring_next(r, e, NAMES_ALL)) {
			if (e->peer == &names->self || e->peer->mark == names->mark)
				continue;
			e->peer->mark = names->mark;
			if (cnt < max)
				nodes[cnt++] = e->peer->addr;
		}
	}
	return cnt;
}

uint32_t
dpt_names_mcast_ports(struct dpt_names *names, const struct dpt_range *range, bool is_any_scope,
		      struct dpt_port *ports, uint32_t max, uint32_t *cursor)
{
	struct names_service *service = names_service_find(names, range->type);
	struct names_entry *e = NULL;
	struct names_range *r;
	uint32_t cnt = 0;

	if (service == NULL || range->lower > range->upper || max == 0)
		return 0;
	if (*cursor == 0) {
		names->mark++;
		r = names_tree_first(service, range->lower, range->upper);
		e = r != NULL ? r->first[NAMES_LOCAL] : NULL;
	} else {
		/* The cursor is the place of the last port given out, plus 1. */
		DPT_ASSERT(*cursor <= names->cfg.bindings_max);
		e = &names->entries[*cursor - 1];
		r = e->range;
		DPT_ASSERT(r != NULL);
		e = names_ring_next(r, e, NAMES_LOCAL);
	}
	while (r != NULL) {
		for (; e != NULL; e = names_ring_next(r, e, NAMES_LOCAL)) {
			if (e->port->mark == names->mark ||
			    (!is_any_scope && e->binding.scope != DPT_SCOPE_CLUSTER))
				continue;
			e->port->mark = names->mark;
			ports[cnt++] = e->port->port;
			*cursor = (uint32_t)(e - names->entries) + 1;
			if (cnt == max)
				return cnt;
		}
		r = names_tree_next(r, range->lower, range->upper);
		e = r != NULL ? r->first[NAMES_LOCAL] : NULL;
	}
	return cnt;
}

/* Bindings of one service from the skip-th on. Returns how many. */
static uint32_t
service_dump(const struct names_service *service, uint32_t skip, struct dpt_binding *bindings,
	     uint32_t max)
{
	struct names_range *r = names_tree_first(service, 0, UINT32_MAX);
	const struct names_entry *e;
	uint32_t cnt = 0;

	for (; r != NULL && cnt < max; r = names_tree_next(r, 0, UINT32_MAX)) {
		if (skip >= r->all_cnt) {
			skip -= r->all_cnt;
			continue;
		}
		for (e = r->first[NAMES_ALL]; e != NULL; e = names_ring_next(r, e, NAMES_ALL)) {
			if (skip > 0) {
				skip--;
				continue;
			}
			if (cnt == max)
				break;
			bindings[cnt++] = e->binding;
		}
	}
	return cnt;
}

/* Bindings of the services of one bucket, from the skip-th on. Returns how many. */
static uint32_t
bucket_dump(const struct names_service *s, uint32_t skip, struct dpt_binding *bindings,
	    uint32_t max)
{
	uint32_t cnt = 0;

	for (; s != NULL && cnt < max; s = s->dump_next) {
		if (skip >= s->bindings_cnt) {
			skip -= s->bindings_cnt;
			continue;
		}
		cnt += service_dump(s, skip, bindings + cnt, max - cnt);
		skip = 0;
	}
	return cnt;
}

uint32_t
dpt_names_dump(const struct dpt_names *names, uint32_t *cursor, struct dpt_binding *bindings,
	       uint32_t max)
{
	/* Bucket, and how many of its bindings are out: ends whatever changes meanwhile, and what
	 * changes in other buckets moves nothing. */
	uint32_t i = *cursor / NAMES_DUMP_BUCKET_MAX, out = *cursor % NAMES_DUMP_BUCKET_MAX;
	uint32_t cnt = 0;

	while (i < NAMES_DUMP_BUCKETS) {
		uint32_t got = bucket_dump(names->dump[i], out, bindings + cnt, max - cnt);

		cnt += got;
		out += got;
		if (cnt == max)
			break;
		i++;
		out = 0;
	}
	*cursor = i < NAMES_DUMP_BUCKETS ? i * NAMES_DUMP_BUCKET_MAX + out : UINT32_MAX;
	return cnt;
}
