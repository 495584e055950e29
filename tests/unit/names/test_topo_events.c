/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: which events a change of the table makes, in which order. 05-topology-service.md, 4.1, 5.
 */
#include <string.h>

#include "dpt_msg.h"
#include "topo_fixture.h"

#define PUB DPT_TOPO_PUBLISHED
#define WDR DPT_TOPO_WITHDRAWN

/* The octets of section 12, which a running kernel gave. */
static void
worked_example_octet_for_octet(void)
{
	static const uint8_t expected[DPT_TOPO_EVENT_BYTES] = {
		1,    0,    0,	  0,	10,   0,    0,	  0,	20,   0,    0,	  0,
		0x29, 0xc8, 0x7c, 0xe8, 0x01, 0x10, 0,	  0x01, 0xe8, 0x03, 0,	  0,
		0,    0,    0,	  0,	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		1,    0,    0,	  0,	'A',  'A',  'A',  'A',	'A',  'A',  'A',  'A'};
	const struct topo_record rec = {1000, 0, UINT32_MAX, FOREVER, DPT_TOPO_PORTS, 'A', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	const uint8_t *event;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_ask(&t, conn, &rec);
	names_add(&t.f, 1000, 10, 20, 0xe87cc829, OWN);
	event = dpt_topo_event(t.topo, conn);
	CU_NOT_NULL_FATAL(event);
	CU_TRUE(memcmp(event, expected, sizeof(expected)) == 0);
	topo_teardown(&t);
}

static void
range_of_the_binding_is_not_clipped(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 1000, 12, 13, DPT_TOPO_SERVICE);
	names_add(&t.f, 1000, 10, 20, 7, OWN);
	names_add(&t.f, 1000, 14, 20, 7, OWN); /* no overlap */
	names_add(&t.f, 1001, 12, 13, 7, OWN); /* another type */
	topo_expect(&t, conn, PUB, 10, 20, 7);
	topo_expect_none(&t, conn);
	topo_teardown(&t);
}

static void
ports_hears_all_service_the_first_and_the_last(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn ports, service;

	topo_setup(&t, NULL);
	ports = topo_conn(&t);
	service = topo_conn(&t);
	topo_sub(&t, ports, 500, 0, UINT32_MAX, DPT_TOPO_PORTS);
	topo_sub(&t, service, 500, 0, UINT32_MAX, DPT_TOPO_SERVICE);
	names_add(&t.f, 500, 1, 1, 11, OWN);
	names_add(&t.f, 500, 1, 1, 12, PEER_B);
	names_add(&t.f, 500, 1, 2, 13, OWN); /* another range: first again */
	names_del(&t.f, 500, 1, 1, 11, OWN);
	names_del(&t.f, 500, 1, 1, 12, PEER_B);
	topo_expect(&t, ports, PUB, 1, 1, 11);
	topo_expect(&t, ports, PUB, 1, 1, 12);
	topo_expect(&t, ports, PUB, 1, 2, 13);
	topo_expect(&t, ports, WDR, 1, 1, 11);
	topo_expect(&t, ports, WDR, 1, 1, 12);
	topo_expect_none(&t, ports);
	/* The one that withdraws is named, not the one that was published. */
	topo_expect(&t, service, PUB, 1, 1, 11);
	topo_expect(&t, service, PUB, 1, 2, 13);
	topo_expect(&t, service, WDR, 1, 1, 12);
	topo_expect_none(&t, service);
	topo_teardown(&t);
}

/* 5: newest subscription first. On one connection the order can be seen. */
static void
newest_subscription_hears_first(void)
{
	struct topo_record rec = {500, 0, 9, FOREVER, DPT_TOPO_PORTS, 'a', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	struct topo_seen seen;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	for (rec.handle = 'a'; rec.handle <= 'c'; rec.handle++)
		topo_ask(&t, conn, &rec);
	names_add(&t.f, 500, 1, 1, 1, OWN);
	for (char c = 'c'; c >= 'a'; c--) {
		CU_TRUE(topo_take(&t, conn, false, &seen));
		CU_EQ_U64(seen.raw[20], c);
	}
	topo_teardown(&t);
}

static void
scopes_are_filtered(void)
{
	static const struct {
		uint32_t filter;
		bool is_cluster_heard, is_node_heard;
	} cases[] = {
		{DPT_TOPO_PORTS, true, true},
		{DPT_TOPO_PORTS | DPT_TOPO_CLUSTER_SCOPE, true, false},
		{DPT_TOPO_PORTS | DPT_TOPO_NODE_SCOPE, false, true},
		{DPT_TOPO_PORTS | DPT_TOPO_CLUSTER_SCOPE | DPT_TOPO_NODE_SCOPE, false, false},
		{DPT_TOPO_SERVICE | DPT_TOPO_CLUSTER_SCOPE, true, false},
		{DPT_TOPO_SERVICE | DPT_TOPO_NODE_SCOPE, false, true},
	};

	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		for (uint32_t is_before = 0; is_before < 2; is_before++) {
			struct dpt_binding b = names_binding(500, 2, 2, 8, OWN);
			struct topo_fixture t;
			struct dpt_topo_conn conn;

			cu_context("case %u, bound before %u", i, is_before);
			topo_setup(&t, NULL);
			b.scope = DPT_SCOPE_NODE;
			conn = topo_conn(&t);
			if (!is_before)
				topo_sub(&t, conn, 500, 0, 9, cases[i].filter);
			names_add(&t.f, 500, 1, 1, 7, OWN);
			dpt_names_insert(t.f.names, &b);
			if (is_before)
				topo_sub(&t, conn, 500, 0, 9, cases[i].filter);
			if (cases[i].is_cluster_heard)
				topo_expect(&t, conn, PUB, 1, 1, 7);
			if (cases[i].is_node_heard)
				topo_expect(&t, conn, PUB, 2, 2, 8);
			topo_expect_none(&t, conn);
			topo_teardown(&t);
		}
	}
}

/* 4.1: in the order in which they came, whatever lookups have rotated. */
static void
existing_bindings_come_in_order_of_insertion(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	for (uint32_t i = 0; i < 40; i++)
		names_add(&t.f, 500, (i * 7) % 10, 10 + i % 3, 100 + i, i % 2 ? OWN : PEER_B);
	for (uint32_t i = 0; i < 5; i++)
		names_pick(&t.f, 500, 5, 0);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 0, 100, DPT_TOPO_PORTS);
	for (uint32_t i = 0; i < 40; i++) {
		cu_context("binding %u", i);
		topo_expect(&t, conn, PUB, (i * 7) % 10, 10 + i % 3, 100 + i);
	}
	topo_expect_none(&t, conn);
	topo_teardown(&t);
}

static void
service_reports_the_oldest_of_each_range(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	names_add(&t.f, 500, 5, 5, 1, OWN);
	names_add(&t.f, 500, 1, 9, 2, OWN);
	names_add(&t.f, 500, 5, 5, 3, OWN);
	names_del(&t.f, 500, 5, 5, 1, OWN);
	names_add(&t.f, 500, 5, 5, 4, OWN);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 5, 5, DPT_TOPO_SERVICE);
	topo_expect(&t, conn, PUB, 1, 9, 2);
	topo_expect(&t, conn, PUB, 5, 5, 3);
	topo_expect_none(&t, conn);
	topo_teardown(&t);
}

/* 4.1, quirk: the oldest binding is of the wrong scope: the range is not reported. */
static void
oldest_binding_of_the_wrong_scope_hides_its_range(void)
{
	struct dpt_binding b = names_binding(500, 5, 5, 1, OWN);
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	b.scope = DPT_SCOPE_NODE;
	dpt_names_insert(t.f.names, &b);
	names_add(&t.f, 500, 5, 5, 2, OWN);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 5, 5, DPT_TOPO_SERVICE | DPT_TOPO_CLUSTER_SCOPE);
	topo_expect_none(&t, conn);
	names_del(&t.f, 500, 5, 5, 2, OWN); /* not the last */
	topo_expect_none(&t, conn);
	topo_teardown(&t);
}

static void
no_status_leaves_existing_bindings_out(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	names_add(&t.f, 500, 5, 5, 1, OWN);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 0, 9, DPT_TOPO_PORTS | DPT_TOPO_NO_STATUS);
	topo_expect_none(&t, conn);
	names_del(&t.f, 500, 5, 5, 1, OWN);
	topo_expect(&t, conn, WDR, 5, 5, 1);
	topo_teardown(&t);
}

/* 04-name-table.md, 7.4: in the order in which they were learned. */
static void
purge_withdraws_in_the_order_of_learning(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	names_add(&t.f, 500, 9, 9, 1, PEER_B);
	names_add(&t.f, 500, 3, 3, 2, PEER_B);
	names_add(&t.f, 500, 3, 3, 5, PEER_C);
	names_add(&t.f, 500, 9, 9, 3, PEER_B);
	topo_sub(&t, conn, 500, 0, 9, DPT_TOPO_PORTS | DPT_TOPO_NO_STATUS);
	dpt_names_purge(t.f.names, dpt_node_addr(PEER_B));
	topo_expect(&t, conn, WDR, 9, 9, 1);
	topo_expect(&t, conn, WDR, 3, 3, 2);
	topo_expect(&t, conn, WDR, 9, 9, 3);
	topo_expect_none(&t, conn);
	topo_teardown(&t);
}

/* A refused change is no event: duplicates, a removal of what is not there. */
static void
no_event_for_what_did_not_change(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 0, 9, DPT_TOPO_PORTS);
	names_add(&t.f, 500, 1, 1, 1, OWN);
	topo_expect(&t, conn, PUB, 1, 1, 1);
	CU_TRUE(names_add(&t.f, 500, 1, 1, 1, OWN) != 0);
	CU_TRUE(names_del(&t.f, 500, 1, 1, 2, OWN) != 0);
	CU_TRUE(names_add(&t.f, 500, 2, 1, 1, OWN) != 0);
	topo_expect_none(&t, conn);
	topo_teardown(&t);
}

/* 1: before the address is known the event names node 0. */
static void
event_before_the_address_is_known_names_node_0(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	struct topo_seen seen;

	topo_setup(&t, NULL);
	dpt_names_own_set(t.f.names, dpt_node_addr(0));
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 0, 9, DPT_TOPO_PORTS);
	names_add(&t.f, 500, 1, 1, 1, 0);
	CU_TRUE(topo_take(&t, conn, false, &seen));
	CU_EQ_U64(seen.node, 0);
	dpt_names_own_set(t.f.names, dpt_node_addr(OWN));
	topo_expect_none(&t, conn);
	topo_sub(&t, conn, 500, 1, 1, DPT_TOPO_PORTS);
	CU_TRUE(topo_take(&t, conn, false, &seen));
	CU_EQ_U64(seen.node, OWN);
	topo_teardown(&t);
}

static const struct cu_test tests[] = {
	CU_TEST(worked_example_octet_for_octet),
	CU_TEST(range_of_the_binding_is_not_clipped),
	CU_TEST(ports_hears_all_service_the_first_and_the_last),
	CU_TEST(newest_subscription_hears_first),
	CU_TEST(scopes_are_filtered),
	CU_TEST(existing_bindings_come_in_order_of_insertion),
	CU_TEST(service_reports_the_oldest_of_each_range),
	CU_TEST(oldest_binding_of_the_wrong_scope_hides_its_range),
	CU_TEST(no_status_leaves_existing_bindings_out),
	CU_TEST(purge_withdraws_in_the_order_of_learning),
	CU_TEST(no_event_for_what_did_not_change),
	CU_TEST(event_before_the_address_is_known_names_node_0),
};

const struct cu_suite topo_events_suite = CU_TEST_SUITE("topology-events", tests);
