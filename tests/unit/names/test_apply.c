/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: items of messages into the table, with the checks of 04-name-table.md, 11. */
#include <string.h>

#include "dpt_msg.h"
#include "dpt_records.h"
#include "names_fixture.h"

static struct rte_mbuf *
msg_of(uint32_t type, uint32_t orignode, const struct dpt_name_item *items, uint32_t cnt)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_NAME_DISTRIBUTOR, type,
					   DPT_HDR_INTERNAL, cnt * DPT_NAME_ITEM_BYTES,
					   dpt_node_addr(orignode), dpt_node_addr(OWN));

	CU_NOT_NULL_FATAL(m);
	for (uint32_t i = 0; i < cnt; i++) {
		uint8_t raw[DPT_NAME_ITEM_BYTES];

		dpt_name_item_encode(&items[i], raw);
		dpt_buf_write(m, DPT_HDR_INTERNAL + i * DPT_NAME_ITEM_BYTES, raw, sizeof(raw));
	}
	return m;
}

static uint32_t
apply(struct names_fixture *f, uint32_t type, uint32_t orignode, const struct dpt_name_item *items,
      uint32_t cnt)
{
	struct rte_mbuf *m = msg_of(type, orignode, items, cnt);
	uint32_t changes = dpt_names_apply(f->names, m);

	rte_pktmbuf_free(m);
	return changes;
}

static void
publication_and_withdrawal_change_the_table(void)
{
	static const struct dpt_name_item items[] = {
		{.type = 1000, .lower = 1, .upper = 5, .port = {7}, .key = 8},
		{.type = 2000, .lower = 2, .upper = 2, .port = {7}, .key = 9},
	};
	struct names_fixture f;
	struct dpt_socket_addr addr;

	names_setup(&f, 16, OWN, false);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_B, items, 2), 2);
	CU_EQ_I64(dpt_names_lookup(f.names, 2000, 2, dpt_node_addr(0), &addr), 0);
	CU_EQ_U64(addr.node.value, PEER_B);
	CU_EQ_U64(addr.port.ref, 7);
	CU_EQ_U64(apply(&f, DPT_TYPE_WITHDRAWAL, PEER_B, &items[1], 1), 1);
	CU_EQ_U64(names_pick(&f, 2000, 2, 0), 0);
	CU_EQ_U64(names_pick(&f, 1000, 3, 0), 7);
	names_teardown(&f);
}

static void
items_across_segments_are_read(void)
{
	static struct dpt_name_item items[300];
	struct names_fixture f;

	names_setup(&f, 400, OWN, false);
	for (uint32_t i = 0; i < 300; i++)
		items[i] = (struct dpt_name_item){
			.type = 1000, .lower = i, .upper = i, .port = {i + 1}, .key = i};
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_B, items, 300), 300);
	for (uint32_t i = 0; i < 300; i++)
		CU_EQ_U64(names_pick(&f, 1000, i, 0), i + 1);
	names_teardown(&f);
}

static void
hazard_01_14_and_04_2_item_with_lower_above_upper_is_ignored(void)
{
	static const struct dpt_name_item items[] = {
		{.type = 1000, .lower = 6, .upper = 5, .port = {7}, .key = 8},
		{.type = 1000, .lower = 5, .upper = 5, .port = {7}, .key = 9},
	};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_B, items, 2), 1);
	CU_EQ_U64(f.counters.item_bad_range, 1);
	CU_EQ_U64(dpt_names_cnt(f.names), 1);
	names_teardown(&f);
}

static void
hazard_01_14_and_04_3_a_partial_item_at_the_end_is_ignored(void)
{
	static const struct dpt_name_item items[] = {
		{.type = 1000, .lower = 5, .upper = 5, .port = {7}, .key = 8},
		{.type = 1000, .lower = 6, .upper = 6, .port = {7}, .key = 9},
	};
	struct names_fixture f;
	struct rte_mbuf *m;

	names_setup(&f, 16, OWN, false);
	m = msg_of(DPT_TYPE_PUBLICATION, PEER_B, items, 2);
	dpt_buf_trim(m, DPT_HDR_INTERNAL + 2 * DPT_NAME_ITEM_BYTES - 1);
	dpt_msg_set_size(dpt_buf_hdr(m), DPT_HDR_INTERNAL + 2 * DPT_NAME_ITEM_BYTES - 1);
	CU_EQ_U64(dpt_names_apply(f.names, m), 1);
	rte_pktmbuf_free(m);
	m = msg_of(DPT_TYPE_PUBLICATION, PEER_B, items, 0);
	CU_EQ_U64(dpt_names_apply(f.names, m), 0);
	rte_pktmbuf_free(m);
	CU_EQ_U64(dpt_names_cnt(f.names), 1);
	names_teardown(&f);
}

static void
hazard_04_4_reserved_types_from_peers(void)
{
	static const struct {
		struct dpt_name_item item;
		bool is_taken;
	} cases[] = {
		{{0, PEER_B, PEER_B, {0}, PEER_B}, true},
		{{0, PEER_B, PEER_B, {1}, PEER_B}, false},
		{{0, PEER_C, PEER_C, {0}, PEER_C}, false},
		{{0, PEER_B, PEER_C, {0}, PEER_B}, false},
		{{0, 0, PEER_B, {0}, PEER_B}, false},
		{{1, 1, 1, {5}, 6}, false},
		{{2, PEER_C, PEER_C, {0}, PEER_C}, false},
		{{63, 1, 1, {5}, 6}, false},
		{{64, 1, 1, {5}, 6}, true},
		{{UINT32_MAX, 0, UINT32_MAX, {5}, 6}, true},
	};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		uint64_t before = f.counters.item_reserved_type;

		cu_context("case %u", i);
		CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_B, &cases[i].item, 1),
			  cases[i].is_taken);
		CU_EQ_U64(f.counters.item_reserved_type - before, !cases[i].is_taken);
	}
	names_teardown(&f);
}

static void
hazard_04_4_own_reserved_bindings_cannot_be_withdrawn_by_a_peer(void)
{
	static const struct dpt_name_item item = {
		.type = 1, .lower = 1, .upper = 1, .port = {5}, .key = 6};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_I64(names_add(&f, 1, 1, 1, 5, OWN), 0);
	CU_EQ_U64(apply(&f, DPT_TYPE_WITHDRAWAL, PEER_B, &item, 1), 0);
	CU_EQ_U64(dpt_names_own_cnt(f.names), 1);
	names_teardown(&f);
}

static void
hazard_01_14_and_04_5_items_beyond_the_bound_are_counted(void)
{
	static const struct dpt_name_item items[] = {
		{.type = 1000, .lower = 1, .upper = 1, .port = {7}, .key = 8},
		{.type = 1000, .lower = 2, .upper = 2, .port = {7}, .key = 9},
		{.type = 1000, .lower = 3, .upper = 3, .port = {7}, .key = 10},
	};
	struct names_fixture f;

	names_setup(&f, 2, OWN, false);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_B, items, 3), 2);
	CU_EQ_U64(f.counters.item_table_full, 1);
	names_teardown(&f);
}

static void
hazard_04_8_duplicate_publication_is_counted(void)
{
	static const struct dpt_name_item item = {
		.type = 1000, .lower = 1, .upper = 1, .port = {7}, .key = 8};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_B, &item, 1), 1);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_B, &item, 1), 0);
	CU_EQ_U64(f.counters.item_duplicate, 1);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_C, &item, 1), 1);
	names_teardown(&f);
}

static void
hazard_04_9_withdrawal_of_unknown_is_counted(void)
{
	static const struct dpt_name_item item = {
		.type = 1000, .lower = 1, .upper = 1, .port = {7}, .key = 8};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_C, &item, 1), 1);
	CU_EQ_U64(apply(&f, DPT_TYPE_WITHDRAWAL, PEER_B, &item, 1), 0);
	CU_EQ_U64(f.counters.item_unknown, 1);
	CU_EQ_U64(dpt_names_cnt(f.names), 1);
	names_teardown(&f);
}

static void
hazard_04_10_key_and_port_are_opaque(void)
{
	static const struct dpt_name_item items[] = {
		{.type = 1000, .lower = 1, .upper = 1, .port = {0}, .key = 0},
		{.type = 1000, .lower = 1, .upper = 1, .port = {UINT32_MAX}, .key = UINT32_MAX},
	};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, PEER_B, items, 2), 2);
	CU_EQ_U64(apply(&f, DPT_TYPE_WITHDRAWAL, PEER_B, items, 2), 2);
	names_teardown(&f);
}

static void
hazard_04_1_items_in_the_own_name_are_ignored(void)
{
	static const struct dpt_name_item item = {
		.type = 1000, .lower = 1, .upper = 1, .port = {7}, .key = 8};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	names_add(&f, 1000, 1, 1, 7, OWN);
	CU_EQ_U64(apply(&f, DPT_TYPE_PUBLICATION, OWN, &item, 1), 0);
	CU_EQ_U64(apply(&f, DPT_TYPE_WITHDRAWAL, OWN, &item, 1), 0);
	CU_EQ_U64(apply(&f, DPT_TYPE_WITHDRAWAL, 0, &item, 1), 0);
	CU_EQ_U64(dpt_names_own_cnt(f.names), 1);
	names_teardown(&f);
}

static void
unknown_message_type_changes_nothing(void)
{
	static const struct dpt_name_item item = {
		.type = 1000, .lower = 1, .upper = 1, .port = {7}, .key = 8};
	struct names_fixture f;

	names_setup(&f, 16, OWN, false);
	CU_EQ_U64(apply(&f, 5, PEER_B, &item, 1), 0);
	CU_EQ_U64(f.counters.item_bad_type, 1);
	CU_EQ_U64(dpt_names_cnt(f.names), 0);
	names_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(publication_and_withdrawal_change_the_table),
	CU_TEST(items_across_segments_are_read),
	CU_TEST(hazard_04_1_items_in_the_own_name_are_ignored),
	CU_TEST(hazard_01_14_and_04_2_item_with_lower_above_upper_is_ignored),
	CU_TEST(hazard_01_14_and_04_3_a_partial_item_at_the_end_is_ignored),
	CU_TEST(hazard_04_4_reserved_types_from_peers),
	CU_TEST(hazard_04_4_own_reserved_bindings_cannot_be_withdrawn_by_a_peer),
	CU_TEST(hazard_01_14_and_04_5_items_beyond_the_bound_are_counted),
	CU_TEST(hazard_04_8_duplicate_publication_is_counted),
	CU_TEST(hazard_04_9_withdrawal_of_unknown_is_counted),
	CU_TEST(hazard_04_10_key_and_port_are_opaque),
	CU_TEST(unknown_message_type_changes_nothing),
};

const struct cu_suite names_apply_suite = CU_TEST_SUITE("apply", tests);
