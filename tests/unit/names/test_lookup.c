/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: anycast and multicast lookups of 04-name-table.md, 5.1, 5.4, 5.5. */
#include <errno.h>

#include "dpt_msg.h"
#include "names_fixture.h"

static void
picks_rotate_newest_first(void)
{
	static const uint32_t expected[] = {12, 11, 10, 12, 11, 10};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	for (uint32_t i = 0; i < 3; i++)
		names_add(&f, 500, 7, 7, 10 + i, OWN);
	for (uint32_t i = 0; i < CU_CNT(expected); i++)
		CU_EQ_U64(names_pick(&f, 500, 7, 0), expected[i]);
	/* The same from a range that is found through the tree. */
	for (uint32_t i = 0; i < 3; i++)
		names_add(&f, 600, 1, 9, 10 + i, OWN);
	for (uint32_t i = 0; i < CU_CNT(expected); i++)
		CU_EQ_U64(names_pick(&f, 600, 7, 0), expected[i]);
	names_teardown(&f);
}

static void
new_binding_is_picked_next(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 7, 7, 10, OWN);
	names_add(&f, 500, 7, 7, 11, PEER_B);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 11);
	names_add(&f, 500, 7, 7, 12, PEER_C);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 12);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 10);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 11);
	names_teardown(&f);
}

static void
first_range_hides_wider_ones_as_long_as_it_has_bindings(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 7, 7, 70, OWN);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 70);
	names_add(&f, 500, 1, 9, 19, PEER_B); /* starts lower: comes first now */
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 19);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 19);
	CU_EQ_U64(names_pick(&f, 500, 8, 0), 19);
	names_del(&f, 500, 1, 9, 19, PEER_B);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 70);
	CU_EQ_U64(names_pick(&f, 500, 8, 0), 0);
	names_teardown(&f);
}

static void
newest_range_comes_first_among_equal_lower(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 5, 9, 59, OWN);
	names_add(&f, 500, 5, 7, 57, OWN);
	names_add(&f, 500, 5, 8, 58, OWN);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 58);
	names_del(&f, 500, 5, 8, 58, OWN);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 57);
	names_del(&f, 500, 5, 7, 57, OWN);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 59);
	/* Another binding on an old range does not make that one new. */
	names_add(&f, 500, 5, 7, 57, OWN);
	names_add(&f, 500, 5, 9, 60, OWN);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 57);
	names_teardown(&f);
}

static void
own_domain_uses_local_bindings_and_skips_ranges_without(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 1, 9, 19, PEER_B);
	names_add(&f, 500, 2, 8, 28, OWN);
	names_add(&f, 500, 2, 8, 29, PEER_B);
	CU_EQ_U64(names_pick(&f, 500, 5, OWN), 28);
	CU_EQ_U64(names_pick(&f, 500, 5, OWN), 28);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 19);
	CU_EQ_U64(names_pick(&f, 500, 1, OWN), 0);
	names_teardown(&f);
}

static void
all_and_local_rotate_on_their_own(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 5, 5, 1, OWN);
	names_add(&f, 500, 5, 5, 2, OWN);
	CU_EQ_U64(names_pick(&f, 500, 5, OWN), 2);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 2);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 1);
	CU_EQ_U64(names_pick(&f, 500, 5, OWN), 1);
	names_teardown(&f);
}

static void
node_scope_is_an_equal_candidate(void)
{
	struct names_fixture f;
	struct dpt_binding b = names_binding(500, 5, 5, 2, OWN);

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 5, 5, 1, PEER_B);
	b.scope = DPT_SCOPE_NODE;
	dpt_names_insert(f.names, &b);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 2);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 1);
	names_teardown(&f);
}

static void
other_domain_is_deferred(void)
{
	struct names_fixture f;
	struct dpt_socket_addr addr = {{9}, {9}};

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 5, 5, 1, PEER_B);
	CU_EQ_I64(dpt_names_lookup(f.names, 500, 5, dpt_node_addr(PEER_B), &addr), 1);
	CU_EQ_U64(addr.node.value, PEER_B);
	CU_EQ_U64(addr.port.ref, 0);
	/* <Z.C.0> is a node like any other where the own address is not a legacy one. */
	CU_EQ_I64(dpt_names_lookup(f.names, 500, 5, dpt_node_addr(0x01001000), &addr), 1);
	names_teardown(&f);
}

static void
legacy_address_prefers_local_bindings_for_domain_0(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, true);
	names_add(&f, 500, 5, 5, 1, OWN);
	names_add(&f, 500, 5, 5, 2, PEER_B);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 1);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 1);
	names_del(&f, 500, 5, 5, 1, OWN);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 2);
	/* Only the first matching range counts, local binding or not. */
	names_add(&f, 500, 5, 8, 3, OWN);
	names_add(&f, 500, 4, 8, 4, PEER_B);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 4);
	names_teardown(&f);
}

static void
legacy_cluster_and_zone_domains_cover_the_own_node(void)
{
	struct names_fixture f;

	names_setup(&f, 16, OWN, true);
	names_add(&f, 500, 5, 5, 1, OWN);
	names_add(&f, 500, 5, 5, 2, PEER_B);
	/* No preference for local bindings here: 5.1 asks for D == 0. */
	CU_EQ_U64(names_pick(&f, 500, 5, 0x01001000), 2);
	CU_EQ_U64(names_pick(&f, 500, 5, 0x01000000), 1);
	names_teardown(&f);
}

static void
without_own_address_everything_is_local(void)
{
	struct names_fixture f;

	names_setup(&f, 16, 0, false);
	names_add(&f, 500, 5, 5, 1, 0);
	CU_EQ_U64(names_pick(&f, 500, 5, 0), 1);
	CU_EQ_U64(names_pick(&f, 500, 6, 0), 0);
	names_teardown(&f);
}

static void
unknown_service_or_instance_is_unreachable(void)
{
	struct names_fixture f;
	struct dpt_socket_addr addr;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 5, 5, 1, OWN);
	CU_EQ_I64(dpt_names_lookup(f.names, 501, 5, dpt_node_addr(0), &addr), -EHOSTUNREACH);
	CU_EQ_I64(dpt_names_lookup(f.names, 500, 6, dpt_node_addr(0), &addr), -EHOSTUNREACH);
	names_add(&f, 500, 10, 20, 1, OWN);
	CU_EQ_I64(dpt_names_lookup(f.names, 500, 6, dpt_node_addr(0), &addr), -EHOSTUNREACH);
	CU_EQ_I64(dpt_names_lookup(f.names, 500, 21, dpt_node_addr(0), &addr), -EHOSTUNREACH);
	names_teardown(&f);
}

static void
mcast_nodes_are_given_once_each(void)
{
	struct names_fixture f;
	struct dpt_range range = {.type = 500, .lower = 5, .upper = 7};
	struct dpt_node_addr nodes[8];
	bool is_local;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 5, 5, 1, PEER_B);
	names_add(&f, 500, 5, 5, 2, PEER_B);
	names_add(&f, 500, 6, 9, 3, PEER_B);
	names_add(&f, 500, 1, 5, 4, PEER_C);
	names_add(&f, 500, 8, 9, 5, OWN); /* no overlap */
	CU_EQ_U64(dpt_names_mcast_nodes(f.names, &range, nodes, 8, &is_local), 2);
	CU_FALSE(is_local);
	CU_EQ_U64(nodes[0].value ^ nodes[1].value, PEER_B ^ PEER_C);
	CU_EQ_U64(dpt_names_mcast_nodes(f.names, &range, nodes, 1, &is_local), 1);
	range.upper = 8;
	CU_EQ_U64(dpt_names_mcast_nodes(f.names, &range, nodes, 8, &is_local), 2);
	CU_TRUE(is_local);
	range.lower = 10;
	range.upper = 11;
	CU_EQ_U64(dpt_names_mcast_nodes(f.names, &range, nodes, 8, &is_local), 0);
	CU_FALSE(is_local);
	names_teardown(&f);
}

/* Three ports with several bindings each, read with room for two at a time. */
static void
mcast_ports_are_given_once_each_also_across_calls(void)
{
	struct names_fixture f;
	struct dpt_range range = {.type = 500, .lower = 0, .upper = 100};
	struct dpt_port ports[2];
	uint32_t cursor = 0, mask = 0, calls = 0, cnt;

	names_setup(&f, 32, OWN, false);
	for (uint32_t port = 1; port <= 3; port++) {
		for (uint32_t lower = 0; lower < 4; lower++)
			names_add(&f, 500, lower, lower + port, port, OWN);
	}
	names_add(&f, 500, 1, 1, 9, PEER_B);
	do {
		cnt = dpt_names_mcast_ports(f.names, &range, true, ports, 2, &cursor);
		for (uint32_t i = 0; i < cnt; i++) {
			CU_EQ_U64(mask & 1u << ports[i].ref, 0);
			mask |= 1u << ports[i].ref;
		}
		calls++;
	} while (cnt == 2 && calls < 10);
	CU_EQ_U64(mask, 0xe);
	CU_EQ_U64(calls, 2);
	names_teardown(&f);
}

static void
mcast_ports_of_node_scope_only_for_own_messages(void)
{
	struct names_fixture f;
	struct dpt_range range = {.type = 500, .lower = 5, .upper = 5};
	struct dpt_binding b = names_binding(500, 5, 5, 2, OWN);
	struct dpt_port ports[4];
	uint32_t cursor = 0;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 5, 5, 1, OWN);
	b.scope = DPT_SCOPE_NODE;
	dpt_names_insert(f.names, &b);
	CU_EQ_U64(dpt_names_mcast_ports(f.names, &range, false, ports, 4, &cursor), 1);
	CU_EQ_U64(ports[0].ref, 1);
	cursor = 0;
	CU_EQ_U64(dpt_names_mcast_ports(f.names, &range, true, ports, 4, &cursor), 2);
	names_teardown(&f);
}

static void
hazard_04_13_multicast_range_lower_above_upper_matches_nothing(void)
{
	struct names_fixture f;
	struct dpt_range range = {.type = 500, .lower = 9, .upper = 1};
	struct dpt_node_addr nodes[2];
	struct dpt_port ports[2];
	uint32_t cursor = 0;
	bool is_local = true;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 500, 0, 20, 1, OWN);
	names_add(&f, 500, 0, 20, 2, PEER_B);
	CU_EQ_U64(dpt_names_mcast_ports(f.names, &range, true, ports, 2, &cursor), 0);
	CU_EQ_U64(dpt_names_mcast_nodes(f.names, &range, nodes, 2, &is_local), 0);
	CU_FALSE(is_local);
	names_teardown(&f);
}

/* Set while the table has bindings: those made before the address are local as well. */
static void
legacy_mode_set_later_prefers_local_bindings(void)
{
	struct names_fixture f;

	names_setup(&f, 16, 0, false);
	names_add(&f, 500, 7, 7, 10, 0);
	dpt_names_own_set(f.names, dpt_node_addr(OWN));
	names_add(&f, 500, 7, 7, 11, PEER_B);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 11);
	CU_EQ_U64(names_pick(&f, 500, 7, 0), 10);
	dpt_names_legacy_set(f.names);
	for (uint32_t i = 0; i < 4; i++)
		CU_EQ_U64(names_pick(&f, 500, 7, 0), 10);
	CU_EQ_U64(names_pick(&f, 500, 7, 0x01001000), 11);
	names_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(picks_rotate_newest_first),
	CU_TEST(new_binding_is_picked_next),
	CU_TEST(first_range_hides_wider_ones_as_long_as_it_has_bindings),
	CU_TEST(newest_range_comes_first_among_equal_lower),
	CU_TEST(own_domain_uses_local_bindings_and_skips_ranges_without),
	CU_TEST(all_and_local_rotate_on_their_own),
	CU_TEST(node_scope_is_an_equal_candidate),
	CU_TEST(other_domain_is_deferred),
	CU_TEST(legacy_address_prefers_local_bindings_for_domain_0),
	CU_TEST(legacy_cluster_and_zone_domains_cover_the_own_node),
	CU_TEST(legacy_mode_set_later_prefers_local_bindings),
	CU_TEST(without_own_address_everything_is_local),
	CU_TEST(unknown_service_or_instance_is_unreachable),
	CU_TEST(mcast_nodes_are_given_once_each),
	CU_TEST(mcast_ports_are_given_once_each_also_across_calls),
	CU_TEST(mcast_ports_of_node_scope_only_for_own_messages),
	CU_TEST(hazard_04_13_multicast_range_lower_above_upper_matches_nothing),
};

const struct cu_suite names_lookup_suite = CU_TEST_SUITE("lookup", tests);
