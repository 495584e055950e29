/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The check of a message. Goal: each rule of 01-wire-format.md 9.1 and each hazard
 * that needs no knowledge of the receiver refuses with its own verdict, and what is
 * legal passes. Method: a legal message of each kind, then one thing wrong.
 */
#include "wire_suites.h"

#include <string.h>

#include "dpt_msg.h"
#include "dpt_wire_counters.h"
#include "test_msg.h"
#include "test_pool.h"

#define A dpt_node_addr(0x02010000)
#define B dpt_node_addr(0x02020000)

static uint8_t msg[DPT_MSG_BYTES_MAX + 100];

static void
msg_make(uint32_t user, uint32_t type, uint32_t hdr_bytes, uint32_t payload_bytes)
{
	dpt_msg_init(msg, (enum dpt_user)user, type, hdr_bytes, A, B);
	dpt_msg_set_size(msg, hdr_bytes + payload_bytes);
	if (user == DPT_USER_LINK_CONFIG)
		dpt_msg_set_non_seq(msg, 1);
}

static enum dpt_msg_verdict
msg_verdict(enum dpt_msg_place place)
{
	return dpt_msg_check(msg, DPT_HDR_BYTES_MAX, dpt_msg_size(msg), place);
}

/* Smallest header for user and type, 0: does not exist. Written down from the specification. */
static uint32_t
spec_hdr_bytes(uint32_t user, uint32_t type)
{
	static const uint8_t types_cnt[16] = {8, 8, 8, 8, 0, 1, 1, 3, 3, 6, 2, 2, 3, 4, 1, 0};
	static const uint8_t data_bytes[8] = {24, 44, 40, 32, 0, 44, 44, 44};

	if (type >= types_cnt[user])
		return 0;
	if (user < 4)
		return data_bytes[type];
	return user == 13 ? 60 : 40;
}

static void
every_user_and_type_needs_its_header(void)
{
	for (uint32_t user = 0; user < 16; user++) {
		for (uint32_t type = 0; type < 8; type++) {
			uint32_t need = spec_hdr_bytes(user, type);

			for (uint32_t bytes = 24; bytes <= 60; bytes += 4) {
				enum dpt_msg_verdict expected = DPT_MSG_OK;

				if (user == 4 || user == 15)
					expected = DPT_MSG_BAD_USER;
				else if (need == 0)
					expected = DPT_MSG_BAD_TYPE;
				else if (bytes < need || bytes == 28)
					expected = DPT_MSG_BAD_HDR_SIZE;
				cu_context("user %u type %u header %u", user, type, bytes);
				msg_make(user, type, bytes, 0);
				CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), expected);
			}
		}
	}
}

static void
each_place_has_its_users(void)
{
	/* Bit n: user n. Src: 01-wire-format.md, 4.1, 8.1, 8.3 and hazards 5, 8. */
	static const uint32_t users[] = {
		[DPT_PLACE_FRAME] = 0x7fef,
		[DPT_PLACE_BUNDLE] = 0x4b0f,
		[DPT_PLACE_REASSEMBLED] = 0x4b0f,
		[DPT_PLACE_TUNNEL] = 0x5f6f,
	};

	for (uint32_t place = 0; place < CU_CNT(users); place++) {
		for (uint32_t user = 0; user < 16; user++) {
			cu_context("place %u user %u", place, user);
			msg_make(user, 0, user == 13 ? 60 : 40, 0);
			CU_EQ_U64(msg_verdict((enum dpt_msg_place)place),
				  (users[place] >> user & 1) != 0 ? DPT_MSG_OK : DPT_MSG_BAD_USER);
		}
	}
}

static void
fewer_than_24_octets_are_short(void)
{
	msg_make(DPT_USER_LOW, DPT_TYPE_CONN, 24, 0);
	CU_EQ_U64(dpt_msg_check(msg, 24, 24, DPT_PLACE_FRAME), DPT_MSG_OK);
	for (uint32_t bytes = 0; bytes < 24; bytes++)
		CU_EQ_U64(dpt_msg_check(msg, bytes, bytes, DPT_PLACE_FRAME), DPT_MSG_SHORT);
}

static void
hazard_01_1_header_shorter_than_the_fields(void)
{
	msg_make(DPT_USER_LOW, DPT_TYPE_MCAST, 40, 100);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_HDR_SIZE);
	msg_make(DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, 24, 100);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_HDR_SIZE);
}

static void
header_length_outside_24_to_60_is_refused(void)
{
	for (uint32_t words = 0; words < 6; words++) {
		msg_make(DPT_USER_LOW, DPT_TYPE_CONN, 24, 100);
		dpt_msg_set_hdr_words(msg, words);
		CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_HDR_SIZE);
	}
}

/* 28 octets would have an origin node, but the destination node behind it would be payload. */
static void
header_of_28_octets_is_refused(void)
{
	msg_make(DPT_USER_LOW, DPT_TYPE_CONN, 28, 100);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_HDR_SIZE);
	CU_EQ_U64(msg_verdict(DPT_PLACE_BUNDLE), DPT_MSG_BAD_HDR_SIZE);
}

static void
header_must_be_in_the_first_segment(void)
{
	msg_make(DPT_USER_LOW, DPT_TYPE_NAMED, 40, 100);
	CU_EQ_U64(dpt_msg_check(msg, 40, 140, DPT_PLACE_FRAME), DPT_MSG_OK);
	CU_EQ_U64(dpt_msg_check(msg, 39, 140, DPT_PLACE_FRAME), DPT_MSG_SHORT);
}

static void
hazard_01_2_size_beyond_the_frame(void)
{
	msg_make(DPT_USER_LOW, DPT_TYPE_CONN, 24, 100);
	CU_EQ_U64(dpt_msg_check(msg, 60, 124, DPT_PLACE_FRAME), DPT_MSG_OK);
	CU_EQ_U64(dpt_msg_check(msg, 60, 123, DPT_PLACE_FRAME), DPT_MSG_SHORT);
}

static void
hazard_01_2_frame_is_trimmed_to_size(void)
{
	struct rte_mbuf *m;

	msg_make(DPT_USER_LOW, DPT_TYPE_CONN, 24, 10);
	m = test_buf_segs(msg, 60, 30);
	CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_FRAME), DPT_MSG_OK);
	CU_EQ_U64(dpt_buf_bytes(m), 34);
	CU_EQ_U64(m->nb_segs, 2);
	rte_pktmbuf_free(m);
	m = test_buf_segs(msg, 33, 30);
	CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_FRAME), DPT_MSG_SHORT);
	CU_EQ_U64(dpt_buf_bytes(m), 33);
	rte_pktmbuf_free(m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
size_below_the_header_is_refused(void)
{
	msg_make(DPT_USER_LOW, DPT_TYPE_NAMED, 40, 0);
	dpt_msg_set_size(msg, 39);
	CU_EQ_U64(dpt_msg_check(msg, 60, 60, DPT_PLACE_FRAME), DPT_MSG_BAD_SIZE);
}

static void
hazard_01_3_payload_over_66000_octets(void)
{
	msg_make(DPT_USER_LOW, DPT_TYPE_NAMED, 40, 66000);
	CU_EQ_U64(msg_verdict(DPT_PLACE_REASSEMBLED), DPT_MSG_OK);
	msg_make(DPT_USER_LOW, DPT_TYPE_NAMED, 40, 66001);
	CU_EQ_U64(msg_verdict(DPT_PLACE_REASSEMBLED), DPT_MSG_BAD_SIZE);
	dpt_msg_set_size(msg, 0x1ffff);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_SIZE);
}

static void
version_is_2_and_7_marks_encrypted_frames(void)
{
	for (uint32_t version = 0; version < 8; version++) {
		enum dpt_msg_verdict frame = DPT_MSG_BAD_VERSION, inner = DPT_MSG_BAD_VERSION;

		msg_make(DPT_USER_LOW, DPT_TYPE_NAMED, 40, 0);
		dpt_msg_set_version(msg, version);
		if (version == 2)
			frame = inner = DPT_MSG_OK;
		if (version == 7)
			frame = DPT_MSG_ENCRYPTED;
		CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), frame);
		CU_EQ_U64(msg_verdict(DPT_PLACE_BUNDLE), inner);
	}
	/* Key numbers stand where a header length would be. */
	dpt_msg_set_word(msg, 0, 0xe0000000);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_ENCRYPTED);
}

static void
hazard_01_15_pseudo_users_are_refused_everywhere(void)
{
	for (uint32_t place = DPT_PLACE_FRAME; place <= DPT_PLACE_TUNNEL; place++) {
		msg_make(DPT_USER_SYSTEM, 0, 40, 0);
		CU_EQ_U64(msg_verdict((enum dpt_msg_place)place), DPT_MSG_BAD_USER);
		msg_make(15, 0, 40, 0);
		CU_EQ_U64(msg_verdict((enum dpt_msg_place)place), DPT_MSG_BAD_USER);
	}
}

static void
hazard_01_16_group_member_event_is_refused_everywhere(void)
{
	for (uint32_t place = DPT_PLACE_FRAME; place <= DPT_PLACE_TUNNEL; place++) {
		for (uint32_t user = 0; user < 4; user++) {
			msg_make(user, DPT_TYPE_GRP_MEMBER_EVT, 44, 0);
			CU_EQ_U64(msg_verdict((enum dpt_msg_place)place), DPT_MSG_BAD_TYPE);
		}
	}
}

static void
hazard_01_8_reassembled_message_is_no_link_message(void)
{
	static const uint8_t users[] = {5, 6, 7, 10, 12, 13};

	for (size_t i = 0; i < CU_CNT(users); i++) {
		msg_make(users[i], 0, users[i] == 13 ? 60 : 40, 100);
		CU_EQ_U64(msg_verdict(DPT_PLACE_REASSEMBLED), DPT_MSG_BAD_USER);
	}
}

/* Own address is not known here: 18 is the node's; nobody has address 0. */
static void
node_0_is_refused(void)
{
	msg_make(DPT_USER_LOW, DPT_TYPE_CONN, 24, 0);
	dpt_msg_set_prevnode(msg, 0);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_NODE);
	msg_make(DPT_USER_LOW, DPT_TYPE_NAMED, 40, 0);
	dpt_msg_set_orignode(msg, 0);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_NODE);
	/* w6 is part of the media address here. */
	msg_make(DPT_USER_LINK_CONFIG, 0, 60, 16);
	dpt_msg_set_orignode(msg, 0);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_OK);
	dpt_msg_set_prevnode(msg, 0);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_NODE);
}

static void
hazard_01_24_non_seq_only_for_users_of_the_broadcast_link(void)
{
	for (uint32_t user = 0; user < 15; user++) {
		bool is_legal = user == 5 || user == 6 || user >= 11;

		if (user == 4)
			continue;
		msg_make(user, user < 4 ? DPT_TYPE_NAMED : 0, user == 13 ? 60 : 40, 0);
		dpt_msg_set_non_seq(msg, 1);
		cu_context("user %u", user);
		CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), is_legal   ? DPT_MSG_OK
							: user < 4 ? DPT_MSG_BAD_TYPE
								   : DPT_MSG_BAD_USER);
	}
	for (uint32_t type = 0; type < 8; type++) {
		bool is_legal = type == 1 || type == 5 || type == 6;

		msg_make(DPT_USER_LOW, type, 44, 0);
		dpt_msg_set_non_seq(msg, 1);
		CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), is_legal ? DPT_MSG_OK : DPT_MSG_BAD_TYPE);
	}
}

static void
link_config_in_a_link_sequence_is_refused(void)
{
	msg_make(DPT_USER_LINK_CONFIG, 0, 60, 16);
	dpt_msg_set_non_seq(msg, 0);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_USER);
}

static void
hazard_02_2_link_config_header_is_60_octets(void)
{
	msg_make(DPT_USER_LINK_CONFIG, DPT_TYPE_DSC_REQ, 56, 20);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_BAD_HDR_SIZE);
}

static void
hazard_02_3_link_config_types_above_3(void)
{
	for (uint32_t type = 0; type < 8; type++) {
		msg_make(DPT_USER_LINK_CONFIG, type, 60, 16);
		CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), type < 4 ? DPT_MSG_OK : DPT_MSG_BAD_TYPE);
	}
}

static void
longer_header_than_needed_is_legal(void)
{
	msg_make(DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, 60, 4);
	CU_EQ_U64(msg_verdict(DPT_PLACE_FRAME), DPT_MSG_OK);
	CU_EQ_U64(dpt_msg_payload_bytes(msg), 4);
}

/* Each verdict moves the counter of the same place in the list, and no other. */
static void
each_verdict_has_its_counter(void)
{
	for (uint32_t verdict = DPT_MSG_OK; verdict <= DPT_MSG_BAD_NODE; verdict++) {
		struct dpt_wire_counters counters = {0};
		const uint64_t *values = (const uint64_t *)&counters;

		dpt_wire_count(&counters, (enum dpt_msg_verdict)verdict);
		for (uint32_t i = 0; i < sizeof(counters) / sizeof(*values); i++)
			CU_EQ_U64(values[i], i + 1 == verdict);
	}
	CU_EQ_STR(dpt_wire_counter_descs[0].name, "drop_encrypted");
	CU_EQ_STR(dpt_msg_verdict_name(DPT_MSG_BAD_NODE), "bad node");
	CU_EQ_STR(dpt_msg_verdict_name((enum dpt_msg_verdict)99), "unknown");
}

static void
importance_follows_user_error_and_field(void)
{
	for (uint32_t user = 0; user < 4; user++) {
		msg_make(user, DPT_TYPE_NAMED, 40, 0);
		CU_EQ_U64(dpt_msg_link_importance(msg), user);
		dpt_msg_set_errcode(msg, DPT_ERR_NO_PORT);
		CU_EQ_U64(dpt_msg_link_importance(msg), DPT_IMPORTANCE_SYSTEM);
	}
	for (uint32_t user = 5; user < 15; user++) {
		for (uint32_t level = 0; level < 8; level++) {
			bool has_field = user == 6 || user == 12;

			msg_make(user, 0, 40, 0);
			dpt_msg_set_importance(msg, level);
			CU_EQ_U64(dpt_msg_link_importance(msg), has_field && level < 4 ? level : 4);
		}
	}
}

static const struct cu_test tests[] = {
	CU_TEST(every_user_and_type_needs_its_header),
	CU_TEST(each_place_has_its_users),
	CU_TEST(fewer_than_24_octets_are_short),
	CU_TEST(hazard_01_1_header_shorter_than_the_fields),
	CU_TEST(header_length_outside_24_to_60_is_refused),
	CU_TEST(header_of_28_octets_is_refused),
	CU_TEST(header_must_be_in_the_first_segment),
	CU_TEST(hazard_01_2_size_beyond_the_frame),
	CU_TEST(hazard_01_2_frame_is_trimmed_to_size),
	CU_TEST(size_below_the_header_is_refused),
	CU_TEST(hazard_01_3_payload_over_66000_octets),
	CU_TEST(version_is_2_and_7_marks_encrypted_frames),
	CU_TEST(hazard_01_15_pseudo_users_are_refused_everywhere),
	CU_TEST(hazard_01_16_group_member_event_is_refused_everywhere),
	CU_TEST(hazard_01_8_reassembled_message_is_no_link_message),
	CU_TEST(node_0_is_refused),
	CU_TEST(hazard_01_24_non_seq_only_for_users_of_the_broadcast_link),
	CU_TEST(link_config_in_a_link_sequence_is_refused),
	CU_TEST(hazard_02_2_link_config_header_is_60_octets),
	CU_TEST(hazard_02_3_link_config_types_above_3),
	CU_TEST(longer_header_than_needed_is_legal),
	CU_TEST(each_verdict_has_its_counter),
	CU_TEST(importance_follows_user_error_and_field),
};

const struct cu_suite wire_check_suite = CU_TEST_SUITE("check", tests);
