/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: what a client can do against the server. 05-topology-service.md, 13, line by line. */
#include <errno.h>
#include <string.h>

#include "dpt_msg.h"
#include "topo_fixture.h"

#define PUB DPT_TOPO_PUBLISHED

/* What the stack does with a broken connection: popped once, then closed. */
static void
broken_is_popped_and_closed(struct topo_fixture *t, struct dpt_topo_conn conn)
{
	struct dpt_topo_conn popped = {0};
	uint64_t cookie;

	CU_TRUE(dpt_topo_is_broken(t->topo, conn));
	CU_TRUE(dpt_topo_event(t->topo, conn) == NULL);
	/* Other connections may have been ready before it. */
	for (;;) {
		CU_TRUE_FATAL(dpt_topo_ready_pop(t->topo, &popped, &cookie));
		if (popped.value == conn.value)
			break;
		dpt_topo_ready_again(t->topo, popped);
	}
	dpt_topo_close(t->topo, conn);
	CU_TRUE(dpt_topo_is_broken(t->topo, conn));
}

static void
hazard_05_1_length_of_a_request(void)
{
	const struct topo_record rec = {500, 0, 9, FOREVER, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	uint8_t octets[DPT_TOPO_SUB_BYTES];

	topo_setup(&t, NULL);
	topo_encode(&rec, octets);
	for (uint32_t bytes = 0; bytes < DPT_TOPO_SUB_BYTES; bytes++) {
		struct dpt_topo_conn conn = topo_conn(&t);
		uint8_t *part = malloc(bytes + 1);

		/* Exactly so long, so that a sanitizer sees a read beyond it. */
		CU_NOT_NULL_FATAL(part);
		part = realloc(part, bytes > 0 ? bytes : 1);
		memcpy(part, octets, bytes);
		dpt_topo_request(t.topo, conn, part, bytes, t.now_ns);
		free(part);
		CU_EQ_U64(t.counters.closed_short, bytes + 1);
		CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
		broken_is_popped_and_closed(&t, conn);
	}
	/* A longer one: its first 28 octets count. */
	struct dpt_topo_conn conn = topo_conn(&t);

	dpt_topo_request(t.topo, conn, octets, 66000, t.now_ns);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 1);
	CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
	topo_teardown(&t);
}

static void
hazard_05_2_subscriptions_are_bounded(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn local, remote;

	topo_setup(&t, &(struct topo_bounds){.subs_max = 10, .remote_subs_max = 3});
	local = topo_conn(&t);
	CU_EQ_I64(dpt_topo_open(t.topo, &remote), 0);
	dpt_topo_client_set(t.topo, remote, 0, true);
	for (uint32_t i = 0; i < 3; i++)
		topo_sub(&t, remote, 0, 0, UINT32_MAX, DPT_TOPO_PORTS);
	CU_TRUE(!dpt_topo_is_broken(t.topo, remote));
	topo_sub(&t, remote, 0, 0, UINT32_MAX, DPT_TOPO_PORTS);
	CU_EQ_U64(t.counters.closed_remote_full, 1);
	for (uint32_t i = 0; i < 7; i++)
		topo_sub(&t, local, 100 + i, 0, UINT32_MAX, DPT_TOPO_PORTS);
	CU_TRUE(!dpt_topo_is_broken(t.topo, local));
	topo_sub(&t, local, 200, 0, 1, DPT_TOPO_PORTS);
	CU_EQ_U64(t.counters.closed_node_full, 1);
	/* All give their room back. */
	broken_is_popped_and_closed(&t, remote);
	broken_is_popped_and_closed(&t, local);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	local = topo_conn(&t);
	for (uint32_t i = 0; i < 10; i++)
		topo_sub(&t, local, i, 0, UINT32_MAX, DPT_TOPO_PORTS);
	CU_TRUE(!dpt_topo_is_broken(t.topo, local));
	topo_teardown(&t);
}

static void
hazard_05_2_lower_above_upper_closes(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 2, 1, DPT_TOPO_PORTS);
	CU_EQ_U64(t.counters.closed_range, 1);
	broken_is_popped_and_closed(&t, conn);
	topo_teardown(&t);
}

/* The services of subscriptions need no room of the bindings', and go with them. */
static void
hazard_05_3_unknown_types_live_as_long_as_subscriptions(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	for (uint32_t round = 0; round < 3; round++) {
		cu_context("round %u", round);
		conn = topo_conn(&t);
		for (uint32_t i = 0; i < t.cfg.subs_max; i++)
			topo_sub(&t, conn, 100000 * (round + 1) + i, 0, 9, DPT_TOPO_SERVICE);
		CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
		for (uint32_t i = 0; i < t.f.cfg.bindings_max; i++)
			CU_EQ_I64(names_add(&t.f, 64 + i, 1, 1, 1, OWN), 0);
		CU_EQ_I64(names_add(&t.f, 63, 1, 1, 1, OWN), -ENOSPC);
		for (uint32_t i = 0; i < t.f.cfg.bindings_max; i++)
			CU_EQ_I64(names_del(&t.f, 64 + i, 1, 1, 1, OWN), 0);
		dpt_topo_close(t.topo, conn);
	}
	CU_EQ_U64(t.counters.events, 0);
	topo_teardown(&t);
}

/* An empty service that a subscription keeps is not found by lookups and dumps. */
static void
hazard_05_3_empty_service_gives_nothing(void)
{
	struct dpt_binding dump[2];
	struct dpt_node_addr node;
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	uint32_t cursor = 0;
	bool is_local;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 0, 9, DPT_TOPO_PORTS);
	CU_EQ_U64(names_pick(&t.f, 500, 1, 0), 0);
	CU_EQ_U64(dpt_names_dump(t.f.names, &cursor, dump, 2), 0);
	CU_EQ_U64(dpt_names_mcast_nodes(t.f.names, &(struct dpt_range){500, 0, 9}, &node, 1,
					&is_local),
		  0);
	CU_TRUE(!is_local);
	/* It is there when a binding goes and the subscription stays. */
	names_add(&t.f, 500, 1, 1, 1, OWN);
	names_del(&t.f, 500, 1, 1, 1, OWN);
	topo_expect(&t, conn, PUB, 1, 1, 1);
	topo_expect(&t, conn, DPT_TOPO_WITHDRAWN, 1, 1, 1);
	topo_teardown(&t);
}

/* A flood of "tell me what is there": each costs its events, and the queue is bounded. */
static void
hazard_05_4_flood_of_timeouts_of_0(void)
{
	const struct topo_record rec = {500, 0, 9, 0, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, &(struct topo_bounds){.subs_max = 1000, .conn_events_max = 100});
	conn = topo_conn(&t);
	for (uint32_t i = 0; i < 100; i++)
		topo_ask(&t, conn, &rec);
	CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
	topo_ask(&t, conn, &rec);
	CU_EQ_U64(t.counters.closed_queue_full, 1);
	broken_is_popped_and_closed(&t, conn);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	CU_EQ_U64(t.counters.events_lost, 100);
	topo_teardown(&t);
}

/* All bits at once, one at a time, both orders: nothing but what 2.1 says. */
static void
hazard_05_5_every_filter(void)
{
	struct topo_fixture t;

	for (uint32_t i = 0; i < 32 + 2; i++) {
		uint32_t filter = i < 32 ? 1u << i : (i == 32 ? 0 : UINT32_MAX);
		struct dpt_topo_conn conn;

		cu_context("filter %#x", filter);
		topo_setup(&t, NULL);
		conn = topo_conn(&t);
		topo_sub(&t, conn, 0x05050505, 0, UINT32_MAX, filter);
		names_add(&t.f, 0x05050505, 1, 1, 1, OWN);
		/* All set has CANCEL: no subscription, no fault. */
		CU_EQ_U64(dpt_topo_subs_cnt(t.topo), filter != DPT_TOPO_CANCEL &&
							     filter != UINT32_MAX &&
							     filter != 0x04000000);
		CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
		/* 0x40000000 read in the other order: node scope only. */
		CU_EQ_U64(t.counters.events, filter == 0x40000000 ? 0 : dpt_topo_subs_cnt(t.topo));
		topo_teardown(&t);
	}
	topo_setup(&t, NULL);
	struct dpt_topo_conn conn = topo_conn(&t);

	topo_sub(&t, conn, 500, 0, 9, DPT_TOPO_PORTS | DPT_TOPO_SERVICE);
	CU_EQ_U64(t.counters.closed_filter, 1);
	broken_is_popped_and_closed(&t, conn);
	topo_teardown(&t);
}

static void
hazard_05_6_connections_are_bounded(void)
{
	struct dpt_topo_conn conns[4], more;
	struct topo_fixture t;

	topo_setup(&t, &(struct topo_bounds){.conns_max = 4});
	for (uint32_t i = 0; i < 4; i++)
		conns[i] = topo_conn(&t);
	CU_EQ_I64(dpt_topo_open(t.topo, &more), -ENOSPC);
	dpt_topo_close(t.topo, conns[2]);
	more = topo_conn(&t);
	CU_TRUE(more.value != conns[2].value);
	CU_EQ_U64(dpt_topo_conns_cnt(t.topo), 4);
	topo_teardown(&t);
}

/* A client that does not read is closed, never left with a gap. */
static void
hazard_05_7_event_queue_is_bounded(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn slow, other;

	topo_setup(&t, &(struct topo_bounds){.conn_events_max = 20});
	slow = topo_conn(&t);
	other = topo_conn(&t);
	topo_sub(&t, slow, 500, 0, UINT32_MAX, DPT_TOPO_PORTS);
	topo_sub(&t, other, 500, 21, UINT32_MAX, DPT_TOPO_PORTS);
	for (uint32_t i = 0; i < 20; i++)
		names_add(&t.f, 500, i, i, 1, OWN);
	CU_TRUE(!dpt_topo_is_broken(t.topo, slow));
	names_add(&t.f, 500, 20, 20, 1, OWN);
	CU_EQ_U64(t.counters.closed_queue_full, 1);
	names_add(&t.f, 500, 21, 21, 1, OWN);
	topo_expect(&t, other, PUB, 21, 21, 1);
	broken_is_popped_and_closed(&t, slow);
	topo_teardown(&t);
}

/* The bound holds for what is reported at the subscription as well. */
static void
hazard_05_7_existing_bindings_beyond_the_bound(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, &(struct topo_bounds){.conn_events_max = 20});
	for (uint32_t i = 0; i < 21; i++)
		names_add(&t.f, 500, i, i, 1, OWN);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 1, 20, DPT_TOPO_PORTS);
	CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
	dpt_topo_close(t.topo, conn);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 0, 20, DPT_TOPO_PORTS);
	CU_EQ_U64(t.counters.closed_queue_full, 1);
	broken_is_popped_and_closed(&t, conn);
	topo_teardown(&t);
}

/* The records of all connections together. */
static void
hazard_05_7_pool_of_events_is_bounded(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn first, second;

	topo_setup(&t, &(struct topo_bounds){.events_max = 10});
	first = topo_conn(&t);
	second = topo_conn(&t);
	topo_sub(&t, first, 500, 0, 9, DPT_TOPO_PORTS);
	topo_sub(&t, second, 500, 0, 9, DPT_TOPO_PORTS);
	for (uint32_t i = 0; i < 5; i++)
		names_add(&t.f, 500, i, i, 1, OWN);
	CU_EQ_U64(t.counters.closed_pool_empty, 0);
	names_add(&t.f, 500, 5, 5, 1, OWN);
	CU_EQ_U64(t.counters.closed_pool_empty, 2);
	broken_is_popped_and_closed(&t, second);
	dpt_topo_close(t.topo, first);
	CU_EQ_U64(t.counters.events_lost, 10);
	/* All of them came back. */
	first = topo_conn(&t);
	topo_sub(&t, first, 600, 0, 99, DPT_TOPO_PORTS);
	for (uint32_t i = 0; i < 10; i++)
		names_add(&t.f, 600, i, i, 1, OWN);
	CU_TRUE(!dpt_topo_is_broken(t.topo, first));
	topo_teardown(&t);
}

/* By hash: as many as a node may have, each cancelled, the oldest first. */
static void
hazard_05_8_cancel_of_65535_subscriptions(void)
{
	struct topo_record rec = {500, 0, 0, FOREVER, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, &(struct topo_bounds){.subs_max = DPT_TOPO_SUBS_MAX});
	conn = topo_conn(&t);
	for (rec.upper = 0; rec.upper < DPT_TOPO_SUBS_MAX; rec.upper++)
		topo_ask(&t, conn, &rec);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), DPT_TOPO_SUBS_MAX);
	rec.filter |= DPT_TOPO_CANCEL;
	for (rec.upper = 0; rec.upper < DPT_TOPO_SUBS_MAX; rec.upper++)
		topo_ask(&t, conn, &rec);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	CU_EQ_U64(t.counters.cancels, DPT_TOPO_SUBS_MAX);
	CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
	topo_teardown(&t);
}

static void
hazard_05_9_identical_subscriptions_are_each_their_own(void)
{
	struct topo_record rec = {500, 0, 9, FOREVER, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	for (uint32_t i = 0; i < 3; i++)
		topo_ask(&t, conn, &rec);
	names_add(&t.f, 500, 1, 1, 1, OWN);
	for (uint32_t i = 0; i < 3; i++)
		topo_expect(&t, conn, PUB, 1, 1, 1);
	rec.filter |= DPT_TOPO_CANCEL;
	topo_ask(&t, conn, &rec);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 2);
	names_add(&t.f, 500, 2, 2, 2, OWN);
	for (uint32_t i = 0; i < 2; i++)
		topo_expect(&t, conn, PUB, 2, 2, 2);
	topo_expect_none(&t, conn);
	topo_teardown(&t);
}

/* 5.1, quirk not copied: the one that timed out goes, not the first that is equal. */
static void
hazard_05_9_of_two_identical_ones_that_one_which_timed_out_goes(void)
{
	const struct topo_record rec = {500, 0, 9, 100, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_ask(&t, conn, &rec);
	topo_pass(&t, 50 * DPT_NS_PER_MS);
	topo_ask(&t, conn, &rec); /* newer, and still to live when the first has gone */
	topo_pass(&t, 50 * DPT_NS_PER_MS);
	topo_expect(&t, conn, DPT_TOPO_TIMEOUT, 0, 9, 0);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 1);
	names_add(&t.f, 500, 1, 1, 1, OWN);
	topo_expect(&t, conn, PUB, 1, 1, 1);
	topo_pass(&t, 50 * DPT_NS_PER_MS);
	topo_expect(&t, conn, DPT_TOPO_TIMEOUT, 0, 9, 0);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	topo_teardown(&t);
}

/* A timeout event in the queue, its subscription cancelled, its record used by another. */
static void
hazard_05_10_timeout_of_a_cancelled_subscription(void)
{
	struct topo_record rec = {500, 0, 9, 100, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_ask(&t, conn, &rec);
	topo_pass(&t, 100 * DPT_NS_PER_MS);
	rec.filter |= DPT_TOPO_CANCEL;
	topo_ask(&t, conn, &rec);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	topo_sub(&t, conn, 600, 0, 9, DPT_TOPO_PORTS); /* takes the record */
	topo_expect(&t, conn, DPT_TOPO_TIMEOUT, 0, 9, 0);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 1);
	names_add(&t.f, 600, 1, 1, 1, OWN);
	topo_expect(&t, conn, PUB, 1, 1, 1);
	topo_teardown(&t);
}

/* Closed with timers running and events queued: neither comes, old handles do nothing. */
static void
hazard_05_10_close_against_timer_and_event(void)
{
	const struct topo_record rec = {500, 0, 9, 100, DPT_TOPO_PORTS, 's', false};
	struct topo_fixture t;
	struct dpt_topo_conn old, conn, popped;
	uint64_t cookie;

	topo_setup(&t, NULL);
	old = topo_conn(&t);
	topo_ask(&t, old, &rec);
	names_add(&t.f, 500, 1, 1, 1, OWN);
	dpt_topo_close(t.topo, old);
	CU_TRUE(!dpt_topo_ready_pop(t.topo, &popped, &cookie));
	conn = topo_conn(&t); /* takes the record */
	CU_TRUE(conn.value != old.value);
	topo_pass(&t, DPT_NS_PER_S);
	topo_expect_none(&t, conn);
	topo_ask(&t, old, &rec);
	dpt_topo_event_done(t.topo, old);
	dpt_topo_ready_again(t.topo, old);
	dpt_topo_fail(t.topo, old);
	dpt_topo_close(t.topo, old);
	CU_TRUE(dpt_topo_is_broken(t.topo, old));
	CU_TRUE(!dpt_topo_is_broken(t.topo, conn));
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 0);
	CU_EQ_U64(dpt_topo_conns_cnt(t.topo), 1);
	topo_teardown(&t);
}

/* A change breaks a connection while it walks over its subscriptions. */
static void
hazard_05_10_connection_breaks_in_the_middle_of_a_change(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conns[3];

	topo_setup(&t, &(struct topo_bounds){.conn_events_max = 3});
	for (uint32_t i = 0; i < 3; i++) {
		conns[i] = topo_conn(&t);
		for (uint32_t k = 0; k < (i == 1 ? 4 : 3); k++)
			topo_sub(&t, conns[i], 500, 0, 9, DPT_TOPO_PORTS);
	}
	names_add(&t.f, 500, 1, 1, 1, OWN);
	CU_TRUE(dpt_topo_is_broken(t.topo, conns[1]));
	for (uint32_t i = 0; i < 3; i += 2)
		for (uint32_t k = 0; k < 3; k++)
			topo_expect(&t, conns[i], PUB, 1, 1, 1);
	/* Still attached, and quiet, until the owner closes it. */
	names_del(&t.f, 500, 1, 1, 1, OWN);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 10);
	dpt_topo_close(t.topo, conns[1]);
	CU_EQ_U64(dpt_topo_subs_cnt(t.topo), 6);
	topo_teardown(&t);
}

/* What peers bind is passed on as it is: any port, any range, no index of ours. */
static void
hazard_05_11_events_carry_what_peers_say(void)
{
	struct topo_fixture t;
	struct dpt_topo_conn conn;

	topo_setup(&t, NULL);
	conn = topo_conn(&t);
	topo_sub(&t, conn, 500, 7, 7, DPT_TOPO_PORTS);
	names_add(&t.f, 500, 0, UINT32_MAX, UINT32_MAX, PEER_B);
	names_add(&t.f, 500, 7, 7, 0, PEER_B);
	topo_expect(&t, conn, PUB, 0, UINT32_MAX, UINT32_MAX);
	topo_expect(&t, conn, PUB, 7, 7, 0);
	topo_teardown(&t);
}

/* Records are used again after others: not an octet of those is in an event. */
static void
hazard_05_12_no_octet_of_an_earlier_client_is_echoed(void)
{
	struct topo_record rec = {0x41414141, 0, UINT32_MAX, 0, DPT_TOPO_PORTS, 0x41, false};
	struct topo_fixture t;
	struct dpt_topo_conn conn;
	struct topo_seen seen;

	topo_setup(&t, &(struct topo_bounds){.events_max = 2, .conns_max = 1, .subs_max = 1});
	conn = topo_conn(&t);
	names_add(&t.f, 0x41414141, 1, 1, 0x41414141, OWN);
	topo_ask(&t, conn, &rec);
	topo_expect(&t, conn, PUB, 1, 1, 0x41414141);
	topo_expect(&t, conn, DPT_TOPO_TIMEOUT, 0, UINT32_MAX, 0);
	dpt_topo_close(t.topo, conn);

	conn = topo_conn(&t);
	rec = (struct topo_record){0, 0, 0, 0, DPT_TOPO_PORTS, 0, false};
	topo_ask(&t, conn, &rec);
	CU_TRUE(topo_take(&t, conn, false, &seen));
	CU_EQ_U64(seen.event, DPT_TOPO_TIMEOUT);
	CU_EQ_U64(seen.lower | seen.upper | seen.ref | seen.node, 0);
	for (uint32_t i = 0; i < sizeof(seen.raw); i++)
		CU_EQ_U64(seen.raw[i], i == 16 ? DPT_TOPO_PORTS : 0);
	topo_teardown(&t);
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_05_1_length_of_a_request),
	CU_TEST(hazard_05_2_subscriptions_are_bounded),
	CU_TEST(hazard_05_2_lower_above_upper_closes),
	CU_TEST(hazard_05_3_unknown_types_live_as_long_as_subscriptions),
	CU_TEST(hazard_05_3_empty_service_gives_nothing),
	CU_TEST(hazard_05_4_flood_of_timeouts_of_0),
	CU_TEST(hazard_05_5_every_filter),
	CU_TEST(hazard_05_6_connections_are_bounded),
	CU_TEST(hazard_05_7_event_queue_is_bounded),
	CU_TEST(hazard_05_7_existing_bindings_beyond_the_bound),
	CU_TEST(hazard_05_7_pool_of_events_is_bounded),
	CU_TEST(hazard_05_8_cancel_of_65535_subscriptions),
	CU_TEST(hazard_05_9_identical_subscriptions_are_each_their_own),
	CU_TEST(hazard_05_9_of_two_identical_ones_that_one_which_timed_out_goes),
	CU_TEST(hazard_05_10_timeout_of_a_cancelled_subscription),
	CU_TEST(hazard_05_10_close_against_timer_and_event),
	CU_TEST(hazard_05_10_connection_breaks_in_the_middle_of_a_change),
	CU_TEST(hazard_05_11_events_carry_what_peers_say),
	CU_TEST(hazard_05_12_no_octet_of_an_earlier_client_is_echoed),
};

const struct cu_suite topo_hazards_suite = CU_TEST_SUITE("topology-hazards", tests);
