/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: what the server does with a record. 05-topology-service.md, 3, 4, 4.2, 5.1, 6. */
#include <errno.h>
#include <string.h>

#include "dpt_msg.h"
#include "topo_fixture.h"

#define PUB DPT_TOPO_PUBLISHED

static void
both_byte_orders_on_one_connection(void)
{
	const struct topo_record swapped = {500, 0, 9, FOREVER, DPT_TOPO_PORTS, 's', true};
	uint8_t raw[DPT_TOPO_SUB_BYTES];
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	struct topo_seen seen;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_ask(&t, conn, &swapped);
	topo_sub(&t, conn, 500, 0, 9, DPT_TOPO_PORTS);
	names_add(&t.f, 500, 1, 2, 0x01020304, OWN);
	topo_expect(&t, conn, PUB, 1, 2, 0x01020304);
	CU_TRUE(topo_take(&t, conn, true, &seen));
	CU_EQ_U64(seen.event, PUB);
	CU_EQ_U64(seen.lower, 1);
	CU_EQ_U64(seen.upper, 2);
	CU_EQ_U64(seen.ref, 0x01020304);
	CU_EQ_U64(seen.node, OWN);
	topo_encode(&swapped, raw);
	CU_TRUE(memcmp(seen.raw, raw, sizeof(raw)) == 0);
	topo_teardown(&t);
}

/* 3.1: filter 0 of the other order is a subscription like SERVICE. */
static void
filter_0_of_the_other_order_is_service(void)
{
	const struct topo_record rec = {500, 0, 9, FOREVER, 0, 's', true};
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	struct topo_seen seen;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_ask(&t, conn, &rec);
	names_add(&t.f, 500, 1, 2, 3, OWN);
	names_add(&t.f, 500, 1, 2, 4, OWN);
	CU_TRUE(topo_take(&t, conn, true, &seen));
	CU_EQ_U64(seen.ref, 3);
	topo_expect_none(&t, conn);
	topo_teardown(&t);
}

static void
timeout_is_the_last_event_and_names_the_range(void)
{
	struct topo_fixture t;

	for (uint32_t is_swapped = 0; is_swapped < 2; is_swapped++) {
		const struct topo_record rec = {
			500, 3, 30, 200, DPT_TOPO_PORTS, 's', is_swapped != 0};
		struct dpt_topo_conn conn;
		struct topo_seen seen;

		cu_context("swapped %u", is_swapped);
		topo_setup(&t, NULL);
		conn = topo_conn(&t);
		topo_ask(&t, conn, &rec);
		topo_pass(&t, 199 * DPT_NS_PER_MS);
		topo_expect_none(&t, conn);
		CU_TRUE(dpt_topo_deadline_ns(t.topo) <= t.now_ns + DPT_NS_PER_MS);
		topo_pass(&t, DPT_NS_PER_MS);
		names_add(&t.f, 500, 5, 5, 1, OWN); /* inactive: not heard */
		CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 1);
		CU_TRUE(topo_take(&t, conn, is_swapped, &seen));
		CU_EQ_U64(seen.event, DPT_TOPO_TIMEOUT);
		CU_EQ_U64(seen.lower, 3);
		CU_EQ_U64(seen.upper, 30);
		CU_EQ_U64(seen.ref, 0);
		CU_EQ_U64(seen.node, 0);
		topo_expect_none(&t, conn);
		CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
		CU_EQ_U64(dpt_topo_deadline_ns(t.topo), DPT_NEVER_NS);
		topo_teardown(&t);
	}
}

static void
timeout_0_tells_what_is_there_at_once(void)
{
	const struct topo_record rec = {500, 0, 9, 0, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	names_add(&t.f, 500, 5, 5, 1, OWN);
	topo_ask(&t, conn, &rec);
	topo_expect(&t, conn, PUB, 5, 5, 1);
	topo_expect(&t, conn, DPT_TOPO_TIMEOUT, 0, 9, 0);
	topo_expect_none(&t, conn);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
	topo_teardown(&t);
}

/* Beyond the wheel's horizon of 4.6 hours. */
static void
longest_timeout_fires_after_49_days(void)
{
	const struct topo_record rec = {500, 0, 9, UINT32_MAX - 1, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	uint64_t end_ns;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_ask(&t, conn, &rec);
	end_ns = t.now_ns + (uint64_t)(UINT32_MAX - 1) * DPT_NS_PER_MS;
	while (t.now_ns < end_ns - DPT_NS_PER_MS) {
		uint64_t deadline_ns = dpt_topo_deadline_ns(t.topo);

		CU_TRUE_FATAL(deadline_ns > t.now_ns && deadline_ns <= end_ns);
		if (deadline_ns >= end_ns)
			break;
		topo_pass(&t, deadline_ns - t.now_ns);
		topo_expect_none(&t, conn);
	}
	topo_pass(&t, end_ns - t.now_ns);
	topo_expect(&t, conn, DPT_TOPO_TIMEOUT, 0, 9, 0);
	topo_teardown(&t);
}

static void
cancel_takes_events_in_the_queue_not_back(void)
{
	struct topo_record rec = {500, 0, 9, FOREVER, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_ask(&t, conn, &rec);
	names_add(&t.f, 500, 5, 5, 1, OWN);
	rec.filter |= DPT_TOPO_CANCEL;
	topo_ask(&t, conn, &rec);
	names_add(&t.f, 500, 6, 6, 2, OWN);
	topo_expect(&t, conn, PUB, 5, 5, 1);
	topo_expect_none(&t, conn);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	CU_EQ_U64(t.counters.cancels, 1);
	topo_teardown(&t);
}

static void
cancel_needs_all_28_octets(void)
{
	const struct topo_record good = {500, 0, 9, 1000, DPT_TOPO_PORTS, 's', false};
	const struct topo_record bad[] = {
		{501, 0, 9, 1000, DPT_TOPO_PORTS, 's', false},
		{500, 1, 9, 1000, DPT_TOPO_PORTS, 's', false},
		{500, 0, 8, 1000, DPT_TOPO_PORTS, 's', false},
		{500, 0, 9, 1001, DPT_TOPO_PORTS, 's', false},
		{500, 0, 9, 1000, DPT_TOPO_SERVICE, 's', false},
		{500, 0, 9, 1000, DPT_TOPO_PORTS | 0x100, 's', false},
		{500, 0, 9, 1000, DPT_TOPO_PORTS, 't', false},
		{500, 9, 0, 1000, DPT_TOPO_PORTS, 's', false}, /* lower > upper: no fault */
	};
	struct topo_fixture t;
	struct dpt_topo_conn conn, other;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	other = topo_conn(&t);
	topo_ask(&t, conn, &good);
	for (uint32_t i = 0; i < CU_CNT(bad); i++) {
		struct topo_record rec = bad[i];

		rec.filter |= DPT_TOPO_CANCEL;
		topo_ask(&t, conn, &rec);
	}
	for (uint32_t i = 0; i < 2; i++) {
		struct topo_record rec = good;

		cu_context("%s", i == 0 ? "of another connection" : "its own");
		rec.filter |= DPT_TOPO_CANCEL;
		topo_ask(&t, i == 0 ? other : conn, &rec);
		CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 1 - i);
	}
	CU_EQ_U64(t.counters.cancels_unknown, CU_CNT(bad) + 1);
	CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
	CU_EQ_U64(dpt_topo_deadline_ns(t.topo), DPT_NEVER_NS);
	topo_teardown(&t);
}

/* The CANCEL bit of the subscriber's order. */
static void
cancel_of_the_other_byte_order(void)
{
	struct topo_record rec = {500, 0, 9, FOREVER, DPT_TOPO_SERVICE, 's', true};
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_ask(&t, conn, &rec);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 1);
	rec.filter |= DPT_TOPO_CANCEL;
	topo_ask(&t, conn, &rec);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	topo_teardown(&t);
}

/* 2.1: other bits are ignored, but for the comparison. */
static void
undefined_filter_bits_are_ignored_and_echoed(void)
{
	const uint32_t filter = 0x00ff0018 | DPT_TOPO_PORTS;
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	struct topo_seen seen;
	uint32_t echoed;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 0, 9, filter);
	names_add(&t.f, 500, 5, 5, 1, OWN);
	CU_TRUE(topo_take(&t, conn, false, &seen));
	memcpy(&echoed, seen.raw + 16, sizeof(echoed));
	CU_EQ_U64(echoed, filter);
	topo_teardown(&t);
}

/* 6: never merged, reordered or dropped. */
static void
events_wait_in_order_and_connections_take_turns(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn a, b, popped;
	uint64_t cookie;

	topo_setup(&t, NULL);
	a = topo_conn(&t);
	b = topo_conn(&t);
	topo_sub(&t, a, 500, 0, UINT32_MAX, DPT_TOPO_PORTS);
	topo_sub(&t, b, 500, 3, 3, DPT_TOPO_PORTS);
	for (uint32_t i = 0; i < 100; i++)
		names_add(&t.f, 500, i, i, 1, OWN);
	CU_TRUE(dpt_topo_ready_pop(t.topo, &popped, &cookie));
	CU_EQ_U64(popped.value, a.value);
	CU_EQ_U64(cookie, a.value);
	CU_TRUE(dpt_topo_ready_pop(t.topo, &popped, &cookie));
	CU_EQ_U64(popped.value, b.value);
	CU_TRUE(!dpt_topo_ready_pop(t.topo, &popped, &cookie));
	dpt_topo_ready_again(t.topo, a);
	CU_TRUE(dpt_topo_ready_pop(t.topo, &popped, &cookie));
	for (uint32_t i = 0; i < 100; i++)
		topo_expect(&t, a, PUB, i, i, 1);
	topo_expect_none(&t, a);
	topo_expect(&t, b, PUB, 3, 3, 1);
	topo_teardown(&t);
}

static const struct cu_test tests[] = {
	CU_TEST(both_byte_orders_on_one_connection),
	CU_TEST(filter_0_of_the_other_order_is_service),
	CU_TEST(timeout_is_the_last_event_and_names_the_range),
	CU_TEST(timeout_0_tells_what_is_there_at_once),
	CU_TEST(longest_timeout_fires_after_49_days),
	CU_TEST(cancel_takes_events_in_the_queue_not_back),
	CU_TEST(cancel_needs_all_28_octets),
	CU_TEST(cancel_of_the_other_byte_order),
	CU_TEST(undefined_filter_bits_are_ignored_and_echoed),
	CU_TEST(events_wait_in_order_and_connections_take_turns),
};

const struct cu_suite topo_requests_suite = CU_TEST_SUITE("topology-requests", tests);
