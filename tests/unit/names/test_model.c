/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: the table does what 04-name-table.md, 2 and 5 say, whatever the order of operations.
 * Method: random operations, by seed, on the table and on a naive model: a list of ranges in
 * range order, each with its two lists as arrays.
 */
#include <errno.h>
#include <string.h>

#include "dpt_msg.h"
#include "names_fixture.h"

#define MODEL_MAX  64
#define TYPES	   3
#define INSTANCES  12
#define OPERATIONS 60000

struct model_list {
	struct dpt_binding items[MODEL_MAX];
	uint32_t cnt;
};

struct model_range {
	struct dpt_range range;
	struct model_list all;
	struct model_list local;
};

struct model {
	struct model_range ranges[MODEL_MAX]; /* in range order within a type */
	uint32_t ranges_cnt;
	uint32_t cnt;
	uint32_t own;
	bool is_legacy;
};

static bool
same(const struct dpt_binding *a, const struct dpt_binding *b)
{
	return a->port.ref == b->port.ref && a->key == b->key && a->node.value == b->node.value;
}

static void
list_insert(struct model_list *list, uint32_t at, const struct dpt_binding *b)
{
	memmove(&list->items[at + 1], &list->items[at], (list->cnt - at) * sizeof(*b));
	list->items[at] = *b;
	list->cnt++;
}

static bool
list_remove(struct model_list *list, const struct dpt_binding *b)
{
	for (uint32_t i = 0; i < list->cnt; i++) {
		if (!same(&list->items[i], b))
			continue;
		list->cnt--;
		memmove(&list->items[i], &list->items[i + 1], (list->cnt - i) * sizeof(*b));
		return true;
	}
	return false;
}

static struct dpt_binding
list_rotate(struct model_list *list)
{
	struct dpt_binding b = list->items[0];

	list_remove(list, &b);
	list_insert(list, list->cnt, &b);
	return b;
}

static struct model_range *
model_range_get(struct model *m, const struct dpt_range *range, bool is_create)
{
	uint32_t at = m->ranges_cnt;

	for (uint32_t i = 0; i < m->ranges_cnt; i++) {
		const struct dpt_range *r = &m->ranges[i].range;

		if (r->type != range->type)
			continue;
		if (r->lower == range->lower && r->upper == range->upper)
			return &m->ranges[i];
		if (r->lower >= range->lower && at == m->ranges_cnt)
			at = i;
	}
	if (!is_create)
		return NULL;
	memmove(&m->ranges[at + 1], &m->ranges[at], (m->ranges_cnt - at) * sizeof(m->ranges[0]));
	memset(&m->ranges[at], 0, sizeof(m->ranges[at]));
	m->ranges[at].range = *range;
	m->ranges_cnt++;
	return &m->ranges[at];
}

static int
model_insert(struct model *m, const struct dpt_binding *b)
{
	struct model_range *r = model_range_get(m, &b->range, false);

	for (uint32_t i = 0; r != NULL && i < r->all.cnt; i++) {
		if (same(&r->all.items[i], b))
			return -EEXIST;
	}
	if (m->cnt == MODEL_MAX - 1)
		return -ENOSPC;
	r = model_range_get(m, &b->range, true);
	list_insert(&r->all, 0, b);
	if (b->node.value == m->own)
		list_insert(&r->local, 0, b);
	m->cnt++;
	return 0;
}

static void
model_range_drop_empty(struct model *m, struct model_range *r)
{
	uint32_t i = (uint32_t)(r - m->ranges);

	if (r->all.cnt > 0)
		return;
	m->ranges_cnt--;
	memmove(r, r + 1, (m->ranges_cnt - i) * sizeof(*r));
}

static int
model_remove(struct model *m, const struct dpt_binding *b)
{
	struct model_range *r = model_range_get(m, &b->range, false);

	if (r == NULL || !list_remove(&r->all, b))
		return -ENOENT;
	list_remove(&r->local, b);
	m->cnt--;
	model_range_drop_empty(m, r);
	return 0;
}

static uint32_t
model_purge(struct model *m, uint32_t node)
{
	uint32_t cnt = 0;

	for (uint32_t i = m->ranges_cnt; i-- > 0;) {
		struct model_range *r = &m->ranges[i];

		for (uint32_t j = r->all.cnt; j-- > 0;) {
			struct dpt_binding b = r->all.items[j];

			if (b.node.value == node && list_remove(&r->all, &b))
				cnt++;
		}
		model_range_drop_empty(m, r);
	}
	m->cnt -= cnt;
	return cnt;
}

static int
model_lookup(struct model *m, uint32_t type, uint32_t instance, uint32_t domain,
	     struct dpt_binding *found)
{
	if (domain != 0 && domain != m->own)
		return 1;
	for (uint32_t i = 0; i < m->ranges_cnt; i++) {
		struct model_range *r = &m->ranges[i];

		if (r->range.type != type || r->range.lower > instance || r->range.upper < instance)
			continue;
		if (domain == m->own) {
			if (r->local.cnt == 0)
				continue;
			*found = list_rotate(&r->local);
		} else if (m->is_legacy && r->local.cnt > 0) {
			*found = list_rotate(&r->local);
		} else {
			*found = list_rotate(&r->all);
		}
		return 0;
	}
	return -EHOSTUNREACH;
}

/* Bits: ports 1..4 of own sockets in the range; node 1, 2 in bits 8, 9. */
static uint32_t
model_mcast(const struct model *m, const struct dpt_range *range)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < m->ranges_cnt; i++) {
		const struct model_range *r = &m->ranges[i];

		if (r->range.type != range->type || r->range.lower > range->upper ||
		    r->range.upper < range->lower)
			continue;
		for (uint32_t j = 0; j < r->local.cnt; j++)
			mask |= 1u << r->local.items[j].port.ref;
		for (uint32_t j = 0; j < r->all.cnt; j++) {
			if (r->all.items[j].node.value != m->own)
				mask |= r->all.items[j].node.value == PEER_B ? 0x100 : 0x200;
		}
	}
	return mask;
}

static uint32_t
table_mcast(struct names_fixture *f, const struct dpt_range *range)
{
	struct dpt_node_addr nodes[4];
	struct dpt_port ports[2];
	uint32_t cursor = 0, mask = 0, cnt;
	bool is_local;

	do {
		cnt = dpt_names_mcast_ports(f->names, range, true, ports, 2, &cursor);
		for (uint32_t i = 0; i < cnt; i++) {
			CU_EQ_U64(mask & 1u << ports[i].ref, 0);
			mask |= 1u << ports[i].ref;
		}
	} while (cnt == 2);
	cnt = dpt_names_mcast_nodes(f->names, range, nodes, 4, &is_local);
	CU_EQ_U64(is_local, mask != 0);
	for (uint32_t i = 0; i < cnt; i++)
		mask |= nodes[i].value == PEER_B ? 0x100 : 0x200;
	return mask;
}

static struct dpt_range
random_range(struct dpt_rng *rng, bool is_wide)
{
	struct dpt_range r = {.type = 100 + dpt_rng_below(rng, TYPES)};

	r.lower = dpt_rng_below(rng, INSTANCES);
	r.upper = is_wide ? r.lower + dpt_rng_below(rng, INSTANCES - r.lower) : r.lower;
	return r;
}

static struct dpt_binding
random_binding(struct dpt_rng *rng, bool is_wide)
{
	static const uint32_t nodes[] = {OWN, PEER_B, PEER_C};

	return (struct dpt_binding){
		.range = random_range(rng, is_wide),
		.port = {1 + dpt_rng_below(rng, 4)},
		.node = {nodes[dpt_rng_below(rng, 3)]},
		.key = dpt_rng_below(rng, 2),
		.scope = DPT_SCOPE_CLUSTER,
	};
}

static void
check_lookup(struct names_fixture *f, struct model *m, struct dpt_rng *rng)
{
	static const uint32_t domains[] = {0, 0, OWN, PEER_B};
	uint32_t domain = domains[dpt_rng_below(rng, 4)];
	struct dpt_range r = random_range(rng, false);
	struct dpt_socket_addr addr = {{0}, {0}};
	struct dpt_binding b;
	int rc = model_lookup(m, r.type, r.lower, domain, &b);

	CU_EQ_I64_FATAL(dpt_names_lookup(f->names, r.type, r.lower, dpt_node_addr(domain), &addr),
			rc);
	if (rc != 0)
		return;
	CU_EQ_U64_FATAL(addr.port.ref, b.port.ref);
	CU_EQ_U64_FATAL(addr.node.value, b.node.value);
}

/* Wide and single ranges in turns, so that lookups by hash and by tree take turns too. */
static void
run_model(bool is_legacy)
{
	static struct model m;
	struct names_fixture f;
	struct dpt_rng rng;

	names_setup(&f, MODEL_MAX - 1, OWN, is_legacy);
	memset(&m, 0, sizeof(m));
	m.own = OWN;
	m.is_legacy = is_legacy;
	dpt_rng_seed(&rng, cu_seed() + is_legacy);
	for (uint32_t i = 0; i < OPERATIONS; i++) {
		struct dpt_binding b = random_binding(&rng, (i / 1000) % 3 == 0);
		uint32_t what = dpt_rng_below(&rng, 1000);

		cu_context("operation %u", i);
		if (what < 300) {
			CU_EQ_I64_FATAL(dpt_names_insert(f.names, &b), model_insert(&m, &b));
		} else if (what < 550) {
			CU_EQ_I64_FATAL(dpt_names_remove(f.names, &b), model_remove(&m, &b));
		} else if (what < 553 && b.node.value != OWN) {
			CU_EQ_U64_FATAL(dpt_names_purge(f.names, b.node),
					model_purge(&m, b.node.value));
		} else if (what < 650) {
			CU_EQ_U64_FATAL(table_mcast(&f, &b.range), model_mcast(&m, &b.range));
		} else {
			check_lookup(&f, &m, &rng);
		}
		CU_EQ_U64_FATAL(dpt_names_cnt(f.names), m.cnt);
	}
	names_teardown(&f);
}

static void
random_operations_agree_with_a_naive_model(void)
{
	run_model(false);
}

static void
random_operations_agree_with_a_naive_model_legacy_address(void)
{
	run_model(true);
}

static const struct cu_test tests[] = {
	CU_TEST(random_operations_agree_with_a_naive_model),
	CU_TEST(random_operations_agree_with_a_naive_model_legacy_address),
};

const struct cu_suite names_model_suite = CU_TEST_SUITE("model", tests);
