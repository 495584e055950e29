/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Returned messages. Goal: the table of 01-wire-format.md section 11, for a buffer of
 * one's own (changed in place) and for one that somebody else refers to (copied).
 */
#include "wire_suites.h"

#include <string.h>

#include "dpt_msg.h"
#include "test_msg.h"
#include "test_pool.h"

#define A dpt_node_addr(0x02010000)
#define B dpt_node_addr(0x02020000)

/* How the buffer of the original is made. */
enum shape { SHAPE_PLAIN, SHAPE_L2, SHAPE_SHARED, SHAPE_NO_HEADROOM, SHAPE_CNT };

/* A message with all words that nobody mentions set to something. */
static uint32_t
original_make(uint8_t *bytes, enum dpt_user user, uint32_t type, uint32_t hdr_bytes,
	      uint32_t payload_bytes)
{
	dpt_msg_init(bytes, user, type, hdr_bytes, A, B);
	dpt_msg_set_size(bytes, hdr_bytes + payload_bytes);
	dpt_msg_set_origport(bytes, 0x11112222);
	dpt_msg_set_destport(bytes, 0x33334444);
	for (unsigned int i = 8; i < hdr_bytes / 4; i++)
		dpt_msg_set_word(bytes, i, 0x01010101 * i);
	for (uint32_t i = 0; i < payload_bytes; i++)
		bytes[hdr_bytes + i] = (uint8_t)(i * 13 + 1);
	return hdr_bytes + payload_bytes;
}

/* other: a second reference that the caller frees, or NULL. */
static struct rte_mbuf *
shape_make(const uint8_t *bytes, uint32_t len, enum shape shape, struct rte_mbuf **other)
{
	struct rte_mbuf *m = test_buf(bytes, len);

	*other = NULL;
	if (shape == SHAPE_L2) {
		memset(rte_pktmbuf_prepend(m, 14), 0xee, 14);
		dpt_buf(m)->l2_bytes = 14;
	} else if (shape == SHAPE_SHARED) {
		rte_pktmbuf_refcnt_update(m, 1);
		*other = m;
	} else if (shape == SHAPE_NO_HEADROOM) {
		uint16_t room = rte_pktmbuf_headroom(m);

		rte_pktmbuf_prepend(m, room);
		memmove(rte_pktmbuf_mtod(m, uint8_t *), bytes, m->data_len - room);
		rte_pktmbuf_trim(m, room);
	}
	return m;
}

static void
example_18_8_is_returned_to_the_octet(void)
{
	uint8_t expected[64], original[64];
	size_t expected_len = test_hex(wire_example_hex("01-18.8b"), expected, sizeof(expected));
	size_t len = test_hex(wire_example_hex("01-18.8"), original, sizeof(original));

	for (int shape = 0; shape < SHAPE_CNT; shape++) {
		struct rte_mbuf *other, *m = shape_make(original, (uint32_t)len, shape, &other);

		cu_context("shape %d", shape);
		m = dpt_msg_reverse(m, DPT_ERR_NO_PORT, B, test_pool());
		CU_NOT_NULL_FATAL(m);
		/* What B's link fills in when it sends. */
		dpt_msg_set_bcast_ack(dpt_buf_hdr(m), 7);
		dpt_msg_set_ack(dpt_buf_hdr(m), 0x28);
		dpt_msg_set_seqno(dpt_buf_hdr(m), 0xc);
		CU_EQ_U64(dpt_buf_bytes(m), expected_len);
		CU_EQ_MEM(test_flat(m), expected, expected_len);
		CU_EQ_U64(dpt_buf(m)->l2_bytes, 0);
		rte_pktmbuf_free(m);
		if (other != NULL)
			CU_EQ_MEM(test_flat(other), original, len);
		rte_pktmbuf_free(other);
		CU_EQ_U64(test_pool_leak_cnt(), 0);
	}
}

static void
header_words_and_length_are_kept(void)
{
	static uint8_t bytes[200];
	uint32_t len = original_make(bytes, DPT_USER_HIGH, DPT_TYPE_NAMED, 40, 60);

	for (int shape = 0; shape < SHAPE_CNT; shape++) {
		struct rte_mbuf *other, *m = shape_make(bytes, len, shape, &other);
		const uint8_t *hdr;

		m = dpt_msg_reverse(m, DPT_ERR_NO_NAME, B, test_pool());
		CU_NOT_NULL_FATAL(m);
		hdr = test_flat(m);
		CU_EQ_U64(dpt_msg_check(hdr, 40, dpt_buf_bytes(m), DPT_PLACE_FRAME), DPT_MSG_OK);
		CU_EQ_U64(dpt_msg_user(hdr), DPT_USER_HIGH);
		CU_EQ_U64(dpt_msg_type(hdr), DPT_TYPE_NAMED);
		CU_EQ_U64(dpt_msg_errcode(hdr), DPT_ERR_NO_NAME);
		CU_EQ_U64(dpt_msg_hdr_bytes(hdr), 40);
		CU_EQ_U64(dpt_msg_size(hdr), 100);
		CU_EQ_U64(dpt_msg_origport(hdr), 0x33334444);
		CU_EQ_U64(dpt_msg_destport(hdr), 0x11112222);
		CU_EQ_U64(dpt_msg_prevnode(hdr), B.value);
		CU_EQ_U64(dpt_msg_orignode(hdr), B.value);
		CU_EQ_U64(dpt_msg_destnode(hdr), A.value);
		CU_EQ_MEM(hdr + 32, bytes + 32, 68);
		rte_pktmbuf_free(m);
		rte_pktmbuf_free(other);
	}
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

/* After a second lookup the previous node is not the sender: decision 0009. */
static void
rerouted_message_goes_back_to_its_origin(void)
{
	static uint8_t bytes[64];
	uint32_t len = original_make(bytes, DPT_USER_LOW, DPT_TYPE_NAMED, 40, 8);
	struct rte_mbuf *other, *m;

	dpt_msg_set_reroute_cnt(bytes, 1);
	dpt_msg_set_prevnode(bytes, 0x01001007);
	m = shape_make(bytes, len, 0, &other);
	m = dpt_msg_reverse(m, DPT_ERR_NO_NAME, B, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_destnode(test_flat(m)), A.value);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(other);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
payload_is_cut_to_1024_octets(void)
{
	static const uint32_t sizes[] = {1023, 1024, 1025, 66000};
	static uint8_t bytes[DPT_MSG_BYTES_MAX];

	for (size_t i = 0; i < CU_CNT(sizes); i++) {
		for (int shape = 0; shape < SHAPE_NO_HEADROOM; shape++) {
			uint32_t kept = sizes[i] < 1024 ? sizes[i] : 1024;
			uint32_t len = original_make(bytes, DPT_USER_LOW, 0, 24, sizes[i]);
			struct rte_mbuf *other, *m = shape_make(bytes, len, shape, &other);

			m = dpt_msg_reverse(m, DPT_ERR_NO_PORT, B, test_pool());
			CU_NOT_NULL_FATAL(m);
			CU_EQ_U64(dpt_buf_bytes(m), 32 + kept);
			CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(m)), 32 + kept);
			CU_EQ_MEM(test_flat(m) + 32, bytes + 24, kept);
			rte_pktmbuf_free(m);
			rte_pktmbuf_free(other);
			CU_EQ_U64(test_pool_leak_cnt(), 0);
		}
	}
}

static void
connection_request_refused_for_overload_loses_its_payload(void)
{
	static const struct {
		enum dpt_err err;
		uint32_t syn, bytes;
	} cases[] = {
		{DPT_ERR_OVERLOAD, 1, 40}, {DPT_ERR_OVERLOAD, 0, 100}, {DPT_ERR_NO_PORT, 1, 100}};
	static uint8_t bytes[200];

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		uint32_t len = original_make(bytes, DPT_USER_LOW, DPT_TYPE_NAMED, 40, 60);
		struct rte_mbuf *m;

		dpt_msg_set_syn(bytes, cases[i].syn);
		m = dpt_msg_reverse(test_buf(bytes, len), cases[i].err, B, test_pool());
		CU_NOT_NULL_FATAL(m);
		CU_EQ_U64(dpt_buf_bytes(m), cases[i].bytes);
		CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(m)), cases[i].bytes);
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
non_seq_is_cleared(void)
{
	struct rte_mbuf *m = test_buf_hex(wire_example_hex("01-18.4"));

	dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 0);
	m = dpt_msg_reverse(m, DPT_ERR_OVERLOAD, B, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_non_seq(dpt_buf_hdr(m)), 0);
	CU_EQ_U64(dpt_msg_destnode(dpt_buf_hdr(m)), A.value);
	rte_pktmbuf_free(m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
hazard_01_20_no_return_of_returned_or_droppable_messages(void)
{
	static uint8_t bytes[200];
	uint32_t len;

	for (uint32_t err = 1; err < 16; err++) {
		len = original_make(bytes, DPT_USER_LOW, DPT_TYPE_DIRECT, 32, 4);
		dpt_msg_set_errcode(bytes, err);
		CU_IS_NULL(dpt_msg_reverse(test_buf(bytes, len), DPT_ERR_NO_PORT, B, test_pool()));
	}
	len = original_make(bytes, DPT_USER_LOW, DPT_TYPE_DIRECT, 32, 4);
	dpt_msg_set_dest_droppable(bytes, 1);
	CU_IS_NULL(dpt_msg_reverse(test_buf(bytes, len), DPT_ERR_NO_PORT, B, test_pool()));
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
only_data_and_connection_messages_are_returned(void)
{
	for (uint32_t user = 0; user < 15; user++) {
		bool is_returned = user <= 3 || user == DPT_USER_CONN_MANAGER;
		uint8_t bytes[60];
		struct rte_mbuf *m;

		cu_context("user %u", user);
		original_make(bytes, (enum dpt_user)user, 0, 40, 0);
		m = dpt_msg_reverse(test_buf(bytes, 40), DPT_ERR_NO_PORT, B, test_pool());
		CU_EQ_U64(m != NULL, is_returned);
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
shared_message_is_lost_when_the_pool_is_empty(void)
{
	struct rte_mbuf *other, *m;
	uint8_t bytes[60];
	uint32_t len = original_make(bytes, DPT_USER_LOW, DPT_TYPE_DIRECT, 32, 4);

	m = shape_make(bytes, len, SHAPE_SHARED, &other);
	test_pool_exhaust(0);
	CU_IS_NULL(dpt_msg_reverse(m, DPT_ERR_NO_PORT, B, test_pool()));
	test_pool_release();
	CU_EQ_U64(rte_mbuf_refcnt_read(other), 1);
	/* Its own needs none. */
	test_pool_exhaust(0);
	m = dpt_msg_reverse(other, DPT_ERR_NO_PORT, B, test_pool());
	CU_NOT_NULL(m);
	rte_pktmbuf_free(m);
	test_pool_release();
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static const struct cu_test tests[] = {
	CU_TEST(example_18_8_is_returned_to_the_octet),
	CU_TEST(header_words_and_length_are_kept),
	CU_TEST(rerouted_message_goes_back_to_its_origin),
	CU_TEST(payload_is_cut_to_1024_octets),
	CU_TEST(connection_request_refused_for_overload_loses_its_payload),
	CU_TEST(non_seq_is_cleared),
	CU_TEST(hazard_01_20_no_return_of_returned_or_droppable_messages),
	CU_TEST(only_data_and_connection_messages_are_returned),
	CU_TEST(shared_message_is_lost_when_the_pool_is_empty),
};

const struct cu_suite wire_reverse_suite = CU_TEST_SUITE("reverse", tests);
