/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flight recorder. Goal: records come out as they went in, packets in sequence share one,
 * a down keeps a copy with its reason, slots are found again, every kind has a text.
 */
#include "base_suites.h"

#include <stdlib.h>
#include <string.h>

#include "dpt_flight.h"

#define SLOTS 3
#define MS    UINT64_C(1000000)

static struct dpt_flights flights;

static struct dpt_flight *
fresh(void)
{
	free(flights.slots);
	free(flights.log);
	flights.slots = aligned_alloc(64, SLOTS * sizeof(struct dpt_flight));
	flights.log = aligned_alloc(64, sizeof(struct dpt_flight_log));
	flights.slots_cnt = SLOTS;
	CU_NOT_NULL_FATAL(flights.slots);
	CU_NOT_NULL_FATAL(flights.log);
	memset(flights.slots, 0, SLOTS * sizeof(struct dpt_flight));
	memset(flights.log, 0, sizeof(struct dpt_flight_log));
	return dpt_flights_take(&flights, dpt_node_addr(7), 1, MS);
}

static void
packets(struct dpt_flight *flight, uint64_t now_ns, uint16_t first, uint16_t last)
{
	for (uint32_t seq = first; seq <= last; seq++)
		dpt_flight_packet(flight, DPT_FLIGHT_WAY_SENT, now_ns, (uint16_t)seq);
}

static void
a_record_keeps_time_code_and_arguments(void)
{
	struct dpt_flight *flight = fresh();

	dpt_flight_add(flight, 5 * MS,
		       (struct dpt_flight_rec){
			       .kind = DPT_FLIGHT_STATE, .code = 3, .arg = {1, 2, 3, 4, 5}});
	CU_EQ_U64(flight->next, 1);
	CU_EQ_U64(flight->recs[0].time, 5 * MS >> DPT_FLIGHT_TIME_SHIFT);
	CU_EQ_U64(flight->recs[0].code, 3);
	CU_EQ_U64(flight->recs[0].arg[4], 5);
}

static void
packets_in_sequence_share_a_record(void)
{
	struct dpt_flight *flight = fresh();

	packets(flight, 2 * MS, 1, 40);
	CU_EQ_U64(flight->next, 0);
	dpt_flight_flush(flight);
	CU_EQ_U64_FATAL(flight->next, 1);
	CU_EQ_U64(flight->recs[0].kind, DPT_FLIGHT_SENT);
	CU_EQ_U64(flight->recs[0].arg[0], 1);
	CU_EQ_U64(flight->recs[0].arg[1], 40);
	CU_EQ_U64(flight->recs[0].arg[2], 40);
	/* Soon after, the same run; a millisecond later another one. */
	packets(flight, 2 * MS + 100000, 41, 50);
	dpt_flight_flush(flight);
	CU_EQ_U64(flight->next, 1);
	CU_EQ_U64(flight->recs[0].arg[2], 50);
	packets(flight, 9 * MS, 51, 51);
	dpt_flight_flush(flight);
	CU_EQ_U64(flight->next, 2);
	CU_EQ_U64(flight->recs[1].arg[0], 51);
}

/* The packets before an event stand before it. */
static void
an_event_comes_behind_its_packets(void)
{
	struct dpt_flight *flight = fresh();

	packets(flight, 2 * MS, 1, 3);
	dpt_flight_add(flight, 3 * MS, (struct dpt_flight_rec){.kind = DPT_FLIGHT_EXPIRY});
	CU_EQ_U64(flight->next, 2);
	CU_EQ_U64(flight->recs[0].kind, DPT_FLIGHT_SENT);
	CU_EQ_U64(flight->recs[1].kind, DPT_FLIGHT_EXPIRY);
}

static void
a_new_session_begins_at_one(void)
{
	struct dpt_flight *flight = fresh();

	packets(flight, 2 * MS, 1, 3);
	dpt_flight_restart(flight);
	packets(flight, 2 * MS, 1, 2);
	dpt_flight_flush(flight);
	CU_EQ_U64(flight->next, 2);
	CU_EQ_U64(flight->recs[0].arg[1], 3);
	CU_EQ_U64(flight->recs[1].arg[0], 1);
	CU_EQ_U64(flight->recs[1].arg[1], 2);
}

static void
a_run_of_drops_counts_each_counter_apart(void)
{
	struct dpt_flight *flight = fresh();

	for (uint16_t i = 0; i < 70; i++)
		dpt_flight_run(flight, MS, false, DPT_FLIGHT_WHAT(DPT_FLIGHT_DROP, i < 60 ? 4 : 5),
			       i, 9);
	CU_EQ_U64(flight->next, 2);
	CU_EQ_U64(flight->recs[0].code, 4);
	CU_EQ_U64(flight->recs[0].arg[2], 60);
	CU_EQ_U64(flight->recs[1].arg[0], 60);
	CU_EQ_U64(flight->recs[1].arg[2], 10);
	CU_EQ_U64(flight->recs[1].arg[4], 9);
}

static void
a_hole_in_a_sequence_begins_another_run(void)
{
	struct dpt_flight *flight = fresh();
	uint16_t what = DPT_FLIGHT_WHAT(DPT_FLIGHT_AGAIN, 0);

	dpt_flight_run(flight, MS, true, what, 65535, 0);
	dpt_flight_run(flight, MS, true, what, 0, 0);
	dpt_flight_run(flight, MS, true, what, 2, 0);
	CU_EQ_U64(flight->next, 2);
	CU_EQ_U64(flight->recs[0].arg[0], 65535);
	CU_EQ_U64(flight->recs[0].arg[1], 0);
}

static void
a_down_keeps_the_ring_and_its_reason(void)
{
	struct dpt_flight *flight = fresh();

	dpt_flight_name_set(flight, "a:x-b:y");
	dpt_flight_down(&flights, flight, 1, MS);
	CU_EQ_U64(flight->downs, 0);
	for (uint8_t i = 1; i <= 3; i++) {
		dpt_flight_up(&flights, flight, i * 10 * MS);
		dpt_flight_add(flight, MS,
			       (struct dpt_flight_rec){.kind = DPT_FLIGHT_DOWN, .code = i});
		dpt_flight_down(&flights, flight, i, i * 10 * MS + 1);
	}
	CU_EQ_U64(flight->downs, 3);
	CU_EQ_U64(flight->last_down, 3);
	/* The newest two, in turn. */
	CU_EQ_U64(flight->dumps[0].id, 3);
	CU_EQ_U64(flight->dumps[0].reason, 3);
	CU_EQ_U64(flight->dumps[0].recs[flight->dumps[0].next - 1].code, 3);
	CU_EQ_U64(flight->dumps[1].id, 2);
	CU_EQ_STR(flight->dumps[1].name, "a:x-b:y");
	CU_EQ_U64(flights.log->next, 6);
	CU_EQ_U64(flights.log->changes[5].reason, 3);
	CU_EQ_U64(flights.log->changes[4].is_up, 1);
}

static void
a_slot_is_found_again_and_the_oldest_is_taken(void)
{
	struct dpt_flight *a = fresh();
	struct dpt_flight *b = dpt_flights_take(&flights, dpt_node_addr(8), 1, MS);
	struct dpt_flight *c = dpt_flights_take(&flights, dpt_node_addr(9), 1, MS);

	CU_TRUE(a != b && b != c && c != a);
	CU_IS_NULL(dpt_flights_take(&flights, dpt_node_addr(10), 1, MS));
	CU_EQ_U64(flights.log->refused, 1);
	dpt_flight_add(b, MS, (struct dpt_flight_rec){.kind = DPT_FLIGHT_EXPIRY});
	dpt_flight_give(b, 2 * MS);
	dpt_flight_give(a, 3 * MS);
	CU_EQ_PTR(dpt_flights_take(&flights, dpt_node_addr(7), 1, 4 * MS), a);
	CU_EQ_U64(a->generation, 2);
	CU_EQ_U64(a->next, 1);
	/* Another link: nothing of the former one's is taken for its own. */
	CU_EQ_PTR(dpt_flights_take(&flights, dpt_node_addr(10), 1, 4 * MS), b);
	CU_EQ_U64(b->next, 0);
}

static void
without_a_recorder_nothing_happens(void)
{
	CU_IS_NULL(dpt_flights_take(NULL, dpt_node_addr(7), 1, 0));
	dpt_flight_add(NULL, 0, (struct dpt_flight_rec){.kind = DPT_FLIGHT_STATE});
	dpt_flight_run(NULL, 0, true, DPT_FLIGHT_WHAT(DPT_FLIGHT_DROP, 0), 0, 0);
	dpt_flight_packet(NULL, DPT_FLIGHT_WAY_SENT, 0, 0);
	dpt_flight_up(NULL, NULL, 0);
	dpt_flight_down(NULL, NULL, 0, 0);
	dpt_flight_restart(NULL);
	dpt_flight_give(NULL, 0);
	dpt_flight_name_set(NULL, "x");
}

static void
every_kind_has_a_name_and_a_text(void)
{
#define HAS_(symbol, number, name, text)                                                           \
	CU_EQ_STR(dpt_flight_kind_name(DPT_FLIGHT_##symbol), name);                                \
	CU_TRUE(strlen(name) > 0 && (strlen(text) > 0 || number == DPT_FLIGHT_DELETED));
	DPT_FLIGHT_KINDS(HAS_)
#undef HAS_
	CU_EQ_STR(dpt_flight_kind_name(DPT_FLIGHT_NONE), "");
	CU_EQ_STR(dpt_flight_kind_name(255), "");
	CU_EQ_STR(dpt_flight_tunnel_name(0), "");
}

static const struct cu_test tests[] = {
	CU_TEST(a_record_keeps_time_code_and_arguments),
	CU_TEST(packets_in_sequence_share_a_record),
	CU_TEST(an_event_comes_behind_its_packets),
	CU_TEST(a_new_session_begins_at_one),
	CU_TEST(a_run_of_drops_counts_each_counter_apart),
	CU_TEST(a_hole_in_a_sequence_begins_another_run),
	CU_TEST(a_down_keeps_the_ring_and_its_reason),
	CU_TEST(a_slot_is_found_again_and_the_oldest_is_taken),
	CU_TEST(without_a_recorder_nothing_happens),
	CU_TEST(every_kind_has_a_name_and_a_text),
};

const struct cu_suite base_flight_suite = CU_TEST_SUITE("flight", tests);
