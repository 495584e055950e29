/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: insertion, removal, purge, limits, dump. Method: small tables, then ask. */
#include <errno.h>

#include "dpt_msg.h"
#include "names_fixture.h"
#include "names_priv.h"

static void
insert_refuses_same_key_port_and_node(void)
{
	struct names_fixture f;
	struct dpt_binding b = names_binding(1000, 1, 5, 77, OWN);

	names_setup(&f, 16, OWN, false);
	CU_EQ_I64(dpt_names_insert(f.names, &b), 0);
	b.scope = DPT_SCOPE_NODE; /* scope is not part of the test */
	CU_EQ_I64(dpt_names_insert(f.names, &b), -EEXIST);
	b.node = dpt_node_addr(0); /* node 0 is the own node */
	CU_EQ_I64(dpt_names_insert(f.names, &b), -EEXIST);
	CU_EQ_U64(dpt_names_cnt(f.names), 1);
	names_teardown(&f);
}

static void
insert_takes_same_range_with_other_key_port_or_node(void)
{
	struct names_fixture f;
	struct dpt_binding b = names_binding(1000, 1, 5, 77, OWN);

	names_setup(&f, 16, OWN, false);
	CU_EQ_I64(dpt_names_insert(f.names, &b), 0);
	b.key++;
	CU_EQ_I64(dpt_names_insert(f.names, &b), 0);
	b.port.ref++;
	CU_EQ_I64(dpt_names_insert(f.names, &b), 0);
	b.node.value = PEER_B;
	CU_EQ_I64(dpt_names_insert(f.names, &b), 0);
	CU_EQ_U64(dpt_names_cnt(f.names), 4);
	CU_EQ_U64(dpt_names_own_cnt(f.names), 3);
	names_teardown(&f);
}

static void
insert_takes_overlapping_and_nested_ranges(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_I64(names_add(&f, 500, 1, 10, 1, OWN), 0);
	CU_EQ_I64(names_add(&f, 500, 5, 15, 1, OWN), 0);
	CU_EQ_I64(names_add(&f, 500, 6, 6, 1, OWN), 0);
	CU_EQ_I64(names_add(&f, 500, 0, UINT32_MAX, 1, OWN), 0);
	CU_EQ_U64(dpt_names_cnt(f.names), 4);
	names_teardown(&f);
}

static void
insert_refuses_lower_above_upper(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_I64(names_add(&f, 500, 2, 1, 1, OWN), -EINVAL);
	CU_EQ_U64(dpt_names_cnt(f.names), 0);
	names_teardown(&f);
}

static void
remove_needs_exact_range_port_node_and_key(void)
{
	struct names_fixture f;
	struct dpt_binding b = names_binding(500, 1, 10, 9, PEER_B);
	struct dpt_binding other;

	names_setup(&f, 16, OWN, false);
	CU_EQ_I64(dpt_names_insert(f.names, &b), 0);
	other = b;
	other.range.type = 501;
	CU_EQ_I64(dpt_names_remove(f.names, &other), -ENOENT);
	other = b;
	other.range.lower = 2;
	CU_EQ_I64(dpt_names_remove(f.names, &other), -ENOENT);
	other = b;
	other.range.upper = 11;
	CU_EQ_I64(dpt_names_remove(f.names, &other), -ENOENT);
	other = b;
	other.port.ref = 8;
	CU_EQ_I64(dpt_names_remove(f.names, &other), -ENOENT);
	other = b;
	other.key = 0;
	CU_EQ_I64(dpt_names_remove(f.names, &other), -ENOENT);
	other = b;
	other.node.value = PEER_C;
	CU_EQ_I64(dpt_names_remove(f.names, &other), -ENOENT);
	CU_EQ_I64(dpt_names_remove(f.names, &b), 0);
	CU_EQ_I64(dpt_names_remove(f.names, &b), -ENOENT);
	names_teardown(&f);
}

static void
remove_with_node_0_matches_any_node(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_I64(names_add(&f, 500, 1, 10, 9, PEER_B), 0);
	CU_EQ_I64(names_del(&f, 500, 1, 10, 9, 0), 0);
	CU_EQ_U64(dpt_names_cnt(f.names), 0);
	names_teardown(&f);
}

static void
own_bindings_take_the_address_when_it_is_known(void)
{
	struct names_fixture f;
	struct dpt_socket_addr addr;

	names_setup(&f, 16, 0, false);
	CU_EQ_I64(names_add(&f, 500, 1, 1, 9, 0), 0);
	dpt_names_own_set(f.names, dpt_node_addr(OWN));
	CU_EQ_I64(dpt_names_lookup(f.names, 500, 1, dpt_node_addr(0), &addr), 0);
	CU_EQ_U64(addr.node.value, OWN);
	CU_EQ_I64(names_add(&f, 500, 1, 1, 9, OWN), -EEXIST);
	CU_EQ_I64(names_del(&f, 500, 1, 1, 9, OWN), 0);
	names_teardown(&f);
}

static void
all_records_come_back_when_the_table_is_emptied(void)
{
	struct names_fixture f;

	names_setup(&f, 8, OWN, false);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 8; i++)
			CU_EQ_I64(names_add(&f, 100 + i, i, i + round, 1, OWN), 0);
		CU_EQ_I64(names_add(&f, 200, 0, 0, 1, OWN), -ENOSPC);
		for (uint32_t i = 0; i < 8; i++)
			CU_EQ_I64(names_del(&f, 100 + i, i, i + round, 1, OWN), 0);
	}
	CU_EQ_U64(dpt_names_cnt(f.names), 0);
	names_teardown(&f);
}

static void
purge_removes_the_bindings_of_one_node_only(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 1, 1, 1, OWN);
	names_add(&f, 500, 1, 1, 2, PEER_B);
	names_add(&f, 600, 1, 9, 3, PEER_B);
	names_add(&f, 500, 1, 1, 4, PEER_C);
	CU_EQ_U64(dpt_names_purge(f.names, dpt_node_addr(PEER_B)), 2);
	CU_EQ_U64(dpt_names_purge(f.names, dpt_node_addr(PEER_B)), 0);
	CU_EQ_U64(dpt_names_cnt(f.names), 2);
	CU_EQ_U64(names_pick(&f, 600, 5, 0), 0);
	CU_EQ_U64(names_pick(&f, 500, 1, 0), 4);
	CU_EQ_U64(names_pick(&f, 500, 1, 0), 1);
	names_teardown(&f);
}

/* Free records are kept last freed first and still hold what they held: read backwards. */
static void
purge_goes_in_order_of_arrival(void)
{
	static const uint32_t ports[] = {14, 12, 13, 0};
	struct names_fixture f;
	const struct names_entry *entry;

	names_setup(&f, 16, OWN, false);
	CU_EQ_I64(names_add(&f, 0, PEER_B, PEER_B, 0, PEER_B), 0);
	names_add(&f, 900, 1, 1, 11, PEER_B);
	names_add(&f, 900, 1, 1, 13, PEER_B);
	names_add(&f, 900, 1, 1, 20, PEER_C);
	names_add(&f, 700, 1, 5, 12, PEER_B);
	names_del(&f, 900, 1, 1, 11, PEER_B);
	names_add(&f, 100, 1, 1, 14, PEER_B);
	CU_EQ_U64(names_pick(&f, 900, 1, 0), 20); /* rotation does not matter */
	CU_EQ_U64(dpt_names_purge(f.names, dpt_node_addr(PEER_B)), 4);
	entry = f.names->entries_free;
	for (uint32_t i = 0; i < CU_CNT(ports); i++, entry = entry->next)
		CU_EQ_U64(entry->binding.port.ref, ports[i]);
	names_teardown(&f);
}

static void
own_bindings_are_not_purged(void)
{
	struct names_fixture f;

	names_setup(&f, 8, OWN, false);
	names_add(&f, 500, 1, 1, 1, OWN);
	CU_EQ_U64(dpt_names_purge(f.names, dpt_node_addr(OWN)), 0);
	CU_EQ_U64(dpt_names_purge(f.names, dpt_node_addr(0)), 0);
	CU_EQ_U64(dpt_names_own_cnt(f.names), 1);
	names_teardown(&f);
}

static void
hazard_04_5_bindings_of_a_peer_are_bounded(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	f.cfg.peer_bindings_max = 3;
	dpt_names_init(f.names, &f.cfg);
	dpt_names_own_set(f.names, dpt_node_addr(OWN));
	for (uint32_t i = 0; i < 3; i++)
		CU_EQ_I64(names_add(&f, 500, i, i, 1, PEER_B), 0);
	CU_EQ_I64(names_add(&f, 500, 3, 3, 1, PEER_B), -ENOSPC);
	CU_EQ_I64(names_add(&f, 500, 3, 3, 1, PEER_C), 0);
	for (uint32_t i = 0; i < 5; i++)
		CU_EQ_I64(names_add(&f, 600, i, i, 1, OWN), 0);
	CU_EQ_I64(names_del(&f, 500, 0, 0, 1, PEER_B), 0);
	CU_EQ_I64(names_add(&f, 500, 3, 3, 1, PEER_B), 0);
	names_teardown(&f);
}

static void
more_nodes_than_peers_max_are_refused(void)
{
	struct names_fixture f;

	names_setup(&f, 64, OWN, false);
	for (uint32_t i = 0; i < f.cfg.peers_max; i++)
		CU_EQ_I64(names_add(&f, 500, 1, 1, 1, PEER_B + i), 0);
	CU_EQ_I64(names_add(&f, 500, 1, 1, 1, PEER_B + f.cfg.peers_max), -ENOSPC);
	CU_EQ_U64(dpt_names_purge(f.names, dpt_node_addr(PEER_B)), 1);
	CU_EQ_I64(names_add(&f, 500, 1, 1, 1, PEER_B + f.cfg.peers_max), 0);
	names_teardown(&f);
}

/* Buckets of type % 1024 ascending, newest service first, range order, order of `all`. */
static void
dump_has_the_order_of_the_tool(void)
{
	static const uint32_t expected[] = {31, 21, 22, 14, 13, 12, 11};
	struct names_fixture f;
	struct dpt_binding dump[3];
	uint32_t cursor = 0, seen = 0, cnt;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 1500, 5, 9, 11, OWN); /* bucket 476 */
	names_add(&f, 1500, 5, 6, 12, OWN); /* same lower: newer first */
	names_add(&f, 1500, 5, 6, 13, OWN); /* same range: newest at the head */
	names_add(&f, 1500, 1, 1, 14, OWN); /* lowest lower first */
	names_add(&f, 100, 2, 2, 22, OWN);  /* bucket 100 */
	names_add(&f, 100, 1, 1, 21, OWN);
	names_add(&f, 1124, 1, 1, 31, OWN); /* bucket 100, newer service */
	while ((cnt = dpt_names_dump(f.names, &cursor, dump, 3)) > 0) {
		for (uint32_t i = 0; i < cnt; i++, seen++) {
			cu_context("binding %u", seen);
			CU_TRUE_FATAL(seen < CU_CNT(expected));
			CU_EQ_U64(dump[i].port.ref, expected[seen]);
		}
	}
	CU_EQ_U64(seen, CU_CNT(expected));
	names_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(insert_refuses_same_key_port_and_node),
	CU_TEST(insert_takes_same_range_with_other_key_port_or_node),
	CU_TEST(insert_takes_overlapping_and_nested_ranges),
	CU_TEST(insert_refuses_lower_above_upper),
	CU_TEST(remove_needs_exact_range_port_node_and_key),
	CU_TEST(remove_with_node_0_matches_any_node),
	CU_TEST(own_bindings_take_the_address_when_it_is_known),
	CU_TEST(all_records_come_back_when_the_table_is_emptied),
	CU_TEST(purge_removes_the_bindings_of_one_node_only),
	CU_TEST(purge_goes_in_order_of_arrival),
	CU_TEST(own_bindings_are_not_purged),
	CU_TEST(hazard_04_5_bindings_of_a_peer_are_bounded),
	CU_TEST(more_nodes_than_peers_max_are_refused),
	CU_TEST(dump_has_the_order_of_the_tool),
};

const struct cu_suite names_table_suite = CU_TEST_SUITE("table", tests);
