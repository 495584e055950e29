/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worked examples of the specification: each is accepted and printed, and where
 * there is a builder it makes the same octets. (LINK_CONFIG: test_config.c, records:
 * test_records.c, returned messages: test_reverse.c, bundles: test_bundle.c.)
 */
#include "wire_suites.h"

#include <string.h>

#include "dpt_records.h"
#include "test_msg.h"
#include "test_pool.h"

#define A dpt_node_addr(0x02010000)
#define B dpt_node_addr(0x02020000)

static uint8_t expected[256];

static void
every_example_is_accepted_and_printed(void)
{
	for (size_t i = 0; i < wire_examples_cnt; i++) {
		uint8_t bytes[256];
		char line[256];
		int line_len;
		uint32_t len = (uint32_t)test_hex(wire_examples[i].hex, bytes, sizeof(bytes));

		cu_context("example %s", wire_examples[i].id);
		CU_EQ_U64(dpt_msg_check(bytes, len, len, DPT_PLACE_FRAME), DPT_MSG_OK);
		CU_EQ_U64(dpt_msg_size(bytes), len);
		line_len = dpt_msg_print(bytes, len, line, sizeof(line));
		CU_EQ_I64(line_len, strlen(line));
		CU_EQ_STR(line, wire_examples[i].line);
	}
}

/* The header of the example was made with dpt_msg_init and field setters. */
static void
is_example(const uint8_t *hdr, const char *id)
{
	test_hex(wire_example_hex(id), expected, sizeof(expected));
	cu_context("example %s", id);
	CU_EQ_MEM(hdr, expected, dpt_msg_hdr_bytes(expected));
}

static void
data_headers_are_built(void)
{
	uint8_t hdr[60];

	dpt_msg_init(hdr, DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT, A, B);
	dpt_msg_set_size(hdr, 29);
	dpt_msg_set_bcast_ack(hdr, 3);
	dpt_msg_set_ack(hdr, 9);
	dpt_msg_set_seqno(hdr, 10);
	dpt_msg_set_origport(hdr, 0x11112222);
	dpt_msg_set_destport(hdr, 0x33334444);
	is_example(hdr, "01-18.1");

	dpt_msg_init(hdr, DPT_USER_LOW, DPT_TYPE_NAMED, DPT_HDR_NAMED, A, B);
	dpt_msg_set_syn(hdr, 1);
	dpt_msg_set_lookup_scope(hdr, DPT_SCOPE_CLUSTER);
	dpt_msg_set_bcast_ack(hdr, 3);
	dpt_msg_set_ack(hdr, 9);
	dpt_msg_set_seqno(hdr, 12);
	dpt_msg_set_origport(hdr, 0x11112222);
	dpt_msg_set_destport(hdr, 0x33334444);
	dpt_msg_set_nametype(hdr, 18888);
	dpt_msg_set_nameinst(hdr, 17);
	is_example(hdr, "01-18.3");
	dpt_msg_set_syn(hdr, 0);
	dpt_msg_set_size(hdr, 44);
	dpt_msg_set_reroute_cnt(hdr, 1);
	dpt_msg_set_destport(hdr, 0x55556666);
	is_example(hdr, "01-18.9");

	dpt_msg_init(hdr, DPT_USER_LOW, DPT_TYPE_MCAST, DPT_HDR_MCAST, A, dpt_node_addr(0));
	dpt_msg_set_size(hdr, 47);
	dpt_msg_set_non_seq(hdr, 1);
	dpt_msg_set_dest_droppable(hdr, 1);
	dpt_msg_set_lookup_scope(hdr, DPT_SCOPE_CLUSTER);
	dpt_msg_set_seqno(hdr, 100);
	dpt_msg_set_origport(hdr, 0x11112222);
	dpt_msg_set_bcast_net_id(hdr, 4711);
	dpt_msg_set_nametype(hdr, 18888);
	dpt_msg_set_namelower(hdr, 10);
	dpt_msg_set_nameupper(hdr, 99);
	is_example(hdr, "01-18.4");
}

static void
direct_message_is_allocated_with_payload(void)
{
	struct rte_mbuf *m;
	uint8_t *hdr;

	m = dpt_msg_alloc(test_pool(), DPT_USER_MEDIUM, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 4, A, B);
	CU_NOT_NULL_FATAL(m);
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_dest_droppable(hdr, 1);
	dpt_msg_set_bcast_ack(hdr, 3);
	dpt_msg_set_ack(hdr, 9);
	dpt_msg_set_seqno(hdr, 11);
	dpt_msg_set_origport(hdr, 0x11112222);
	dpt_msg_set_destport(hdr, 0x33334444);
	dpt_buf_write(m, DPT_HDR_BASIC, "ping", 4);
	CU_EQ_U64(dpt_buf_bytes(m), test_hex(wire_example_hex("01-18.2"), expected, 256));
	CU_EQ_MEM(hdr, expected, 36);
	rte_pktmbuf_free(m);
	CU_IS_NULL(dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_CONN, 24,
				 DPT_PAYLOAD_BYTES_MAX + 1, A, B));
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
internal_headers_are_built(void)
{
	uint8_t hdr[60];

	dpt_msg_init(hdr, DPT_USER_CONN_MANAGER, DPT_TYPE_CONN_ACK, DPT_HDR_INTERNAL, A, B);
	dpt_msg_set_bcast_ack(hdr, 3);
	dpt_msg_set_ack(hdr, 9);
	dpt_msg_set_seqno(hdr, 13);
	dpt_msg_set_origport(hdr, 0x11112222);
	dpt_msg_set_destport(hdr, 0x33334444);
	dpt_msg_set_conn_ack(hdr, 128);
	dpt_msg_set_adv_win(hdr, 512);
	is_example(hdr, "01-18.5");

	dpt_msg_init(hdr, DPT_USER_FRAGMENTER, DPT_TYPE_LAST_FRAGMENT, DPT_HDR_INTERNAL, A, B);
	dpt_msg_set_size(hdr, 44);
	dpt_msg_set_bcast_ack(hdr, 3);
	dpt_msg_set_ack(hdr, 9);
	dpt_msg_set_seqno(hdr, 17);
	dpt_msg_set_fragm_no(hdr, 3);
	is_example(hdr, "01-18.7c");

	dpt_msg_init(hdr, DPT_USER_BCAST_PROTOCOL, 0, DPT_HDR_INTERNAL, A, B);
	dpt_msg_set_seqno(hdr, 1);
	dpt_msg_set_last_bcast(hdr, 3);
	dpt_msg_set_bc_ack_invalid(hdr, 1);
	is_example(hdr, "01-18.10");

	dpt_msg_init(hdr, DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_PUBLICATION, 40, A, B);
	dpt_msg_set_size(hdr, 60);
	dpt_msg_set_bulk(hdr, 1);
	dpt_msg_set_last_bulk(hdr, 1);
	dpt_msg_set_non_legacy(hdr, 1);
	dpt_msg_set_seqno(hdr, 2);
	dpt_msg_set_named_seqno(hdr, 1);
	dpt_msg_set_bc_ack_invalid(hdr, 1);
	is_example(hdr, "01-18.11");

	dpt_msg_init(hdr, DPT_USER_GROUP_PROTOCOL, DPT_TYPE_GRP_JOIN, 40, A, B);
	dpt_msg_set_dest_droppable(hdr, 1);
	dpt_msg_set_bcast_ack(hdr, 3);
	dpt_msg_set_ack(hdr, 20);
	dpt_msg_set_seqno(hdr, 32);
	dpt_msg_set_origport(hdr, 0x11112222);
	dpt_msg_set_destport(hdr, 0x33334444);
	dpt_msg_set_grp_bc_syncpt(hdr, 1);
	dpt_msg_set_adv_win(hdr, 65);
	is_example(hdr, "01-18.13");
}

static void
link_protocol_headers_are_built(void)
{
	uint8_t hdr[60];

	dpt_msg_init(hdr, DPT_USER_LINK_PROTOCOL, DPT_TYPE_RESET, 40, A, B);
	dpt_msg_set_size(hdr, 56);
	dpt_msg_set_seqno(hdr, 0x8000);
	dpt_msg_set_next_sent(hdr, 1);
	dpt_msg_set_session(hdr, 0x7001);
	dpt_msg_set_bc_ack_invalid(hdr, 1);
	dpt_msg_set_max_pkt(hdr, 375);
	is_example(hdr, "03-27.1");

	dpt_msg_init(hdr, DPT_USER_LINK_PROTOCOL, DPT_TYPE_ACTIVATE, 40, B, A);
	dpt_msg_set_size(hdr, 56);
	dpt_msg_set_dest_session_valid(hdr, 1);
	dpt_msg_set_dest_session(hdr, 0x7001);
	dpt_msg_set_seqno(hdr, 0x8000);
	dpt_msg_set_next_sent(hdr, 1);
	dpt_msg_set_session(hdr, 0x3001);
	dpt_msg_set_bc_ack_invalid(hdr, 1);
	dpt_msg_set_max_pkt(hdr, 375);
	is_example(hdr, "03-27.2");

	dpt_msg_init(hdr, DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, 40, A, B);
	dpt_msg_set_size(hdr, 44);
	dpt_msg_set_is_keepalive(hdr, 1);
	dpt_msg_set_ack(hdr, 5);
	dpt_msg_set_seqno(hdr, 7);
	dpt_msg_set_last_bcast(hdr, 3);
	dpt_msg_set_next_sent(hdr, 12);
	dpt_msg_set_session(hdr, 0x7001);
	dpt_msg_set_redundant_link(hdr, 1);
	dpt_msg_set_probe(hdr, 1);
	is_example(hdr, "03-27.4");

	dpt_msg_init(hdr, DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, 40, B, A);
	dpt_msg_set_size(hdr, 72);
	dpt_msg_set_is_keepalive(hdr, 1);
	dpt_msg_set_seq_gap(hdr, 3);
	dpt_msg_set_bcast_ack(hdr, 99);
	dpt_msg_set_ack(hdr, 4);
	dpt_msg_set_seqno(hdr, 10);
	dpt_msg_set_next_sent(hdr, 40);
	dpt_msg_set_session(hdr, 0x3001);
	dpt_msg_set_redundant_link(hdr, 1);
	dpt_msg_set_probe(hdr, 1);
	dpt_msg_set_bc_gap(hdr, 2);
	is_example(hdr, "03-27.6");

	dpt_msg_init(hdr, DPT_USER_TUNNEL, DPT_TYPE_SYNCH, 40, A, B);
	dpt_msg_set_bcast_ack(hdr, 3);
	dpt_msg_set_seqno(hdr, 1);
	dpt_msg_set_bearer_id(hdr, 1);
	dpt_msg_set_syncpt(hdr, 57);
	is_example(hdr, "03-27.8");
}

/* What follows the last FIRST fragment is the rest of one 132-octet message. */
static void
fragments_of_example_18_7_make_one_message(void)
{
	static const char *const ids[] = {"01-18.7", "01-18.7b", "01-18.7c"};
	uint8_t whole[256];
	uint32_t len = 0;

	for (size_t i = 0; i < CU_CNT(ids); i++) {
		uint32_t size = (uint32_t)test_hex(wire_example_hex(ids[i]), expected, 256);

		CU_EQ_U64(dpt_msg_type(expected), i);
		CU_EQ_U64(dpt_msg_fragm_no(expected), i + 1);
		memcpy(whole + len, expected + 40, size - 40);
		len += size - 40;
	}
	CU_EQ_U64(len, 132);
	CU_EQ_U64(dpt_msg_check(whole, len, len, DPT_PLACE_REASSEMBLED), DPT_MSG_OK);
	CU_EQ_U64(dpt_msg_size(whole), 132);
	CU_EQ_U64(dpt_msg_type(whole), DPT_TYPE_DIRECT);
}

static void
packets_inside_tunnels_are_accepted(void)
{
	static const char *const ids[] = {"03-27.9", "03-27.10"};

	for (size_t i = 0; i < CU_CNT(ids); i++) {
		uint32_t len = (uint32_t)test_hex(wire_example_hex(ids[i]), expected, 256) - 40;

		CU_EQ_U64(dpt_msg_check(expected + 40, len, len, DPT_PLACE_TUNNEL), DPT_MSG_OK);
		CU_EQ_U64(dpt_msg_seqno(expected + 40), i == 0 ? 55 : 58);
	}
}

/* The whole Ethernet frame of example 02-11.5: the message behind 14 + 20 + 8 octets. */
static void
udp_frame_of_example_11_5_carries_the_message(void)
{
	static const char frame_hex[] =
		"01005e00 12670200 00000001 08004500 00680000 00004011 7a1d0a00 0001e400"
		"126717e6 17e60054 00005bf0 004c07ff 9a2b0000 00000a00 00010000 12670000"
		"00030800 17e60a00 00010000 00000000 00000000 00000000 00000000 00000000"
		"00000000 00000a00 00010000 00000000 00000000 0000";
	uint8_t frame[256];

	CU_EQ_U64(test_hex(frame_hex, frame, sizeof(frame)), 42 + DPT_LINK_CONFIG_BYTES);
	test_hex(wire_example_hex("02-11.5"), expected, sizeof(expected));
	CU_EQ_MEM(frame + 42, expected, DPT_LINK_CONFIG_BYTES);
}

static void
print_obeys_the_size_of_its_buffer(void)
{
	uint32_t len = (uint32_t)test_hex(wire_example_hex("03-27.6"), expected, 256);
	char full[256], text[256];
	int full_len = dpt_msg_print(expected, len, full, sizeof(full));

	for (size_t size = 1; size < (size_t)full_len; size++) {
		memset(text, 'x', sizeof(text));
		CU_EQ_I64(dpt_msg_print(expected, len, text, size), full_len);
		CU_EQ_U64(strlen(text), size - 1);
		CU_EQ_MEM(text, full, size - 1);
		CU_EQ_U64(text[size], 'x');
	}
}

static void
print_says_what_is_wrong_with_a_bad_message(void)
{
	static const uint8_t zeros[60];
	char text[80];

	dpt_msg_print(zeros, 10, text, sizeof(text));
	CU_EQ_STR(text, "(short, 10 octets)");
	dpt_msg_print(zeros, 60, text, sizeof(text));
	CU_EQ_STR(text, "(bad version, 60 octets)");
	CU_EQ_STR(dpt_user_name(15), "UNKNOWN");
	CU_EQ_STR(dpt_type_name(16, 0), "UNKNOWN");
	CU_EQ_STR(dpt_type_name(DPT_USER_TUNNEL, 2), "UNKNOWN");
	CU_EQ_STR(dpt_type_name(DPT_USER_CRITICAL, 7), "GRP_UCAST");
}

static const struct cu_test tests[] = {
	CU_TEST(every_example_is_accepted_and_printed),
	CU_TEST(data_headers_are_built),
	CU_TEST(direct_message_is_allocated_with_payload),
	CU_TEST(internal_headers_are_built),
	CU_TEST(link_protocol_headers_are_built),
	CU_TEST(fragments_of_example_18_7_make_one_message),
	CU_TEST(packets_inside_tunnels_are_accepted),
	CU_TEST(udp_frame_of_example_11_5_carries_the_message),
	CU_TEST(print_obeys_the_size_of_its_buffer),
	CU_TEST(print_says_what_is_wrong_with_a_bad_message),
};

const struct cu_suite wire_example_suite = CU_TEST_SUITE("example", tests);
