/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records in payloads. Goal: octets as the specification shows them, in both
 * directions, and no count or length of a peer leads outside the payload.
 */
#include "wire_suites.h"

#include <errno.h>
#include <string.h>

#include "dpt_records.h"
#include "test_msg.h"

static void
gap_record_of_example_27_6_decodes_and_encodes(void)
{
	static const char hex[] = "00100102 00660003 006c0000 00090000";
	uint8_t bytes[16], again[DPT_GAP_RECORD_BYTES_MAX];
	struct dpt_gap_record rec;

	test_hex(hex, bytes, sizeof(bytes));
	CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, sizeof(bytes)), 16);
	CU_EQ_U64(rec.bcast_cnt, 2);
	CU_EQ_U64(rec.bcast[0].ack, 102);
	CU_EQ_U64(rec.bcast[0].gap, 3);
	CU_EQ_U64(rec.bcast[1].ack, 108);
	CU_EQ_U64(rec.bcast[1].gap, 0);
	CU_EQ_U64(rec.ucast_cnt, 1);
	CU_EQ_U64(rec.ucast[0].ack, 9);
	CU_EQ_U64(dpt_gap_record_encode(&rec, again), 16);
	CU_EQ_MEM(again, bytes, 16);
}

static void
empty_gap_record_is_4_octets(void)
{
	static const uint8_t expected[] = {0, 4, 0, 0};
	struct dpt_gap_record rec = {0};
	uint8_t bytes[DPT_GAP_RECORD_BYTES_MAX];

	CU_EQ_U64(dpt_gap_record_encode(&rec, bytes), 4);
	CU_EQ_MEM(bytes, expected, 4);
	CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, 4), 4);
	CU_EQ_U64(rec.ucast_cnt + rec.bcast_cnt, 0);
}

static void
full_gap_record_is_516_octets(void)
{
	static struct dpt_gap_record rec, again;
	uint8_t bytes[DPT_GAP_RECORD_BYTES_MAX];

	rec.ucast_cnt = rec.bcast_cnt = DPT_GAP_BLOCKS_MAX;
	for (unsigned int i = 0; i < DPT_GAP_BLOCKS_MAX; i++) {
		rec.ucast[i] = (struct dpt_gap_block){(uint16_t)(1000 + i), (uint16_t)i};
		rec.bcast[i] = (struct dpt_gap_block){(uint16_t)(2000 + i), (uint16_t)(i + 1)};
	}
	CU_EQ_U64(dpt_gap_record_encode(&rec, bytes), 516);
	CU_EQ_I64(dpt_gap_record_decode(&again, bytes, 516), 516);
	CU_EQ_MEM(&again, &rec, sizeof(rec));
}

static void
gap_record_of_a_peer_with_unicast_blocks_only(void)
{
	static const uint8_t bytes[] = {0, 8, 1, 3, 0, 9, 0, 2};
	struct dpt_gap_record rec;

	CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, sizeof(bytes)), 8);
	CU_EQ_U64(rec.ucast_cnt, 1);
	CU_EQ_U64(rec.bcast_cnt, 0);
	CU_EQ_U64(rec.ucast[0].ack, 9);
	CU_EQ_U64(rec.ucast[0].gap, 2);
}

static void
gap_record_whose_length_does_not_fit_its_counts_is_skipped(void)
{
	static const uint8_t bytes[] = {0, 12, 1, 0, 0, 9, 0, 2, 1, 1, 1, 1, 5, 5, 5, 5};
	struct dpt_gap_record rec;

	CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, sizeof(bytes)), 12);
	CU_EQ_U64(rec.ucast_cnt, 0);
	CU_EQ_U64(rec.bcast_cnt, 0);
}

static void
hazard_01_10_gap_record_length(void)
{
	uint8_t bytes[8] = {0, 8, 1, 0, 0, 9, 0, 2};
	struct dpt_gap_record rec;

	CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, 8), 8);
	CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, 7), -EINVAL);
	for (uint32_t len = 0; len < 4; len++)
		CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, len), -EINVAL);
	bytes[0] = 0xff;
	CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, 8), -EINVAL);
	CU_EQ_U64(rec.ucast_cnt, 0);
}

static void
hazard_01_10_more_gap_blocks_than_64(void)
{
	static uint8_t bytes[4 + 4 * 510];
	static struct dpt_gap_record rec;

	for (unsigned int i = 0; i < 510; i++) {
		bytes[4 + 4 * i] = (uint8_t)(i >> 8);
		bytes[5 + 4 * i] = (uint8_t)i;
	}
	bytes[0] = sizeof(bytes) >> 8;
	bytes[1] = (uint8_t)sizeof(bytes);
	bytes[2] = bytes[3] = 255;
	CU_EQ_I64(dpt_gap_record_decode(&rec, bytes, sizeof(bytes)), sizeof(bytes));
	CU_EQ_U64(rec.ucast_cnt, 64);
	CU_EQ_U64(rec.bcast_cnt, 64);
	CU_EQ_U64(rec.bcast[63].ack, 63);
	CU_EQ_U64(rec.ucast[0].ack, 255);
	CU_EQ_U64(rec.ucast[63].ack, 255 + 63);
}

static void
domain_record_of_example_27_7_decodes_and_encodes(void)
{
	static const char hex[] = "00180006 00070002 00000000 00000001 02030000 02040000";
	uint8_t bytes[24], again[DPT_DOMAIN_RECORD_BYTES_MAX];
	struct dpt_domain_record rec;

	test_hex(hex, bytes, sizeof(bytes));
	CU_EQ_I64(dpt_domain_record_decode(&rec, bytes, sizeof(bytes)), 0);
	CU_EQ_U64(rec.gen, 6);
	CU_EQ_U64(rec.ack_gen, 7);
	CU_EQ_U64(rec.member_cnt, 2);
	CU_EQ_U64(rec.up_map, 1);
	CU_EQ_U64(rec.members[0].value, 0x02030000);
	CU_EQ_U64(rec.members[1].value, 0x02040000);
	CU_EQ_U64(dpt_domain_record_encode(&rec, again), 24);
	CU_EQ_MEM(again, bytes, 24);
}

static void
full_domain_record_is_272_octets(void)
{
	static struct dpt_domain_record rec = {.gen = 1, .member_cnt = DPT_DOMAIN_MEMBERS_MAX};
	static struct dpt_domain_record again;
	uint8_t bytes[DPT_DOMAIN_RECORD_BYTES_MAX];

	rec.up_map = UINT64_C(0x8000000100000003);
	for (unsigned int i = 0; i < DPT_DOMAIN_MEMBERS_MAX; i++)
		rec.members[i] = dpt_node_addr(0x01001001 + i);
	CU_EQ_U64(dpt_domain_record_encode(&rec, bytes), 272);
	CU_EQ_I64(dpt_domain_record_decode(&again, bytes, 272), 0);
	CU_EQ_U64(again.up_map, rec.up_map);
	CU_EQ_MEM(again.members, rec.members, sizeof(rec.members));
}

static void
domain_record_without_members_has_no_map(void)
{
	static const uint8_t bytes[16] = {0, 16, 0, 5, 0, 7, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9};
	struct dpt_domain_record rec;

	CU_EQ_I64(dpt_domain_record_decode(&rec, bytes, 16), 0);
	CU_EQ_U64(rec.gen, 5);
	CU_EQ_U64(rec.ack_gen, 7);
	CU_EQ_U64(rec.up_map, 0);
}

static void
hazard_01_11_domain_record_member_count(void)
{
	static uint8_t bytes[16 + 4 * 65] = {0, 20, 0, 1, 0, 1, 0, 1};
	struct dpt_domain_record rec;

	CU_EQ_I64(dpt_domain_record_decode(&rec, bytes, 20), 0);
	/* Payload longer or shorter than the count says, or too short for any record. */
	CU_EQ_I64(dpt_domain_record_decode(&rec, bytes, 24), -EINVAL);
	CU_EQ_I64(dpt_domain_record_decode(&rec, bytes, 16), -EINVAL);
	for (uint32_t len = 0; len < 16; len++)
		CU_EQ_I64(dpt_domain_record_decode(&rec, bytes, len), -EINVAL);
	/* len says something else than the count. */
	bytes[1] = 24;
	CU_EQ_I64(dpt_domain_record_decode(&rec, bytes, 20), -EINVAL);
	/* 65 members, all lengths in agreement. */
	bytes[0] = sizeof(bytes) >> 8;
	bytes[1] = (uint8_t)sizeof(bytes);
	bytes[7] = 65;
	CU_EQ_I64(dpt_domain_record_decode(&rec, bytes, sizeof(bytes)), -EINVAL);
	CU_EQ_U64(rec.member_cnt, 0);
}

static void
name_item_of_example_04_9_decodes_and_encodes(void)
{
	static const char hex[] = "000003e8 0000000a 00000014 e87cc829 e87cc82a";
	uint8_t bytes[DPT_NAME_ITEM_BYTES], again[DPT_NAME_ITEM_BYTES];
	struct dpt_name_item item;

	test_hex(hex, bytes, sizeof(bytes));
	dpt_name_item_decode(&item, bytes);
	CU_EQ_U64(item.type, 1000);
	CU_EQ_U64(item.lower, 10);
	CU_EQ_U64(item.upper, 20);
	CU_EQ_U64(item.port.ref, 0xe87cc829);
	CU_EQ_U64(item.key, 0xe87cc82a);
	dpt_name_item_encode(&item, again);
	CU_EQ_MEM(again, bytes, sizeof(bytes));
}

static const struct cu_test tests[] = {
	CU_TEST(gap_record_of_example_27_6_decodes_and_encodes),
	CU_TEST(empty_gap_record_is_4_octets),
	CU_TEST(full_gap_record_is_516_octets),
	CU_TEST(gap_record_of_a_peer_with_unicast_blocks_only),
	CU_TEST(gap_record_whose_length_does_not_fit_its_counts_is_skipped),
	CU_TEST(hazard_01_10_gap_record_length),
	CU_TEST(hazard_01_10_more_gap_blocks_than_64),
	CU_TEST(domain_record_of_example_27_7_decodes_and_encodes),
	CU_TEST(full_domain_record_is_272_octets),
	CU_TEST(domain_record_without_members_has_no_map),
	CU_TEST(hazard_01_11_domain_record_member_count),
	CU_TEST(name_item_of_example_04_9_decodes_and_encodes),
};

const struct cu_suite wire_records_suite = CU_TEST_SUITE("records", tests);
