/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Fragmentation and reassembly. Method: cut a message with a known pattern, feed the
 * pieces back, in and out of order, and compare octets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "link_rig.h"

static void
cut(struct dpt_bufq *q, uint32_t payload_bytes, uint32_t mss)
{
	dpt_bufq_init(q);
	CU_EQ_I64_FATAL(dpt_link_fragment(rig_msg(2, payload_bytes), mss, dpt_node_addr(RIG_A),
					  dpt_node_addr(RIG_B), test_pool(), q),
			0);
}

static void
message_is_cut_and_joined_at_all_sizes(void)
{
	static const uint32_t sizes[] = {1365, 1400, 2700, 10000, 66000};

	for (size_t i = 0; i < CU_CNT(sizes); i++) {
		struct dpt_reassembly ra = {0};
		struct rte_mbuf *m, *msg = NULL;
		struct rte_mbuf *want = rig_msg(2, sizes[i]);
		struct dpt_bufq q;
		uint64_t drops = 0;
		uint32_t no = 0;
		int rc = 0;

		cu_context("payload %u", sizes[i]);
		cut(&q, sizes[i], 1388);
		while ((m = dpt_bufq_pop(&q)) != NULL) {
			CU_EQ_I64_FATAL(rc, 0);
			CU_TRUE(dpt_buf_bytes(m) <= 1388);
			CU_EQ_U64(m->nb_segs, 1);
			CU_EQ_U64(dpt_msg_fragm_no(dpt_buf_hdr(m)), ++no);
			CU_EQ_U64(dpt_msg_nof_fragms(dpt_buf_hdr(m)), 0);
			CU_EQ_U64(dpt_msg_importance(dpt_buf_hdr(m)), 2);
			CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_FRAME), DPT_MSG_OK);
			rc = dpt_reassembly_add(&ra, m, &msg, &drops);
		}
		CU_EQ_I64_FATAL(rc, 1);
		CU_EQ_U64(drops, 0);
		CU_EQ_U64_FATAL(dpt_buf_bytes(msg), sizes[i] + DPT_HDR_SHORT);
		for (uint32_t at = 0; at < sizes[i]; at += 1000) {
			uint32_t n = RTE_MIN(1000U, sizes[i] - at);
			uint8_t a[1000], b[1000];

			dpt_buf_read(msg, DPT_HDR_SHORT + at, a, n);
			dpt_buf_read(want, DPT_HDR_SHORT + at, b, n);
			CU_EQ_MEM(a, b, n);
		}
		rte_pktmbuf_free(msg);
		rte_pktmbuf_free(want);
	}
	CU_TRUE(test_pool_is_full());
}

/* 01-wire-format.md, 18.7, with packet numbers as they are before a link numbers them. */
static void
example_18_7_three_fragments(void)
{
	static const char *const words[] = {
		"59400068 00000000 00000000 02010000 00010000 00000000 02010000 02020000",
		"59400068 20000000 00000000 02010000 00020000 00000000 02010000 02020000",
		"5940002c 40000000 00000000 02010000 00030000 00000000 02010000 02020000",
	};
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_DIRECT, 32, 100,
					   dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));
	struct dpt_bufq q;

	dpt_bufq_init(&q);
	CU_EQ_I64_FATAL(dpt_link_fragment(m, 104, dpt_node_addr(RIG_A), dpt_node_addr(RIG_B),
					  test_pool(), &q),
			0);
	CU_EQ_U64(q.cnt, 3);
	for (size_t i = 0; i < CU_CNT(words); i++) {
		const char *text = words[i];

		m = dpt_bufq_pop(&q);
		for (unsigned int w = 0; w < 8; w++, text += 9)
			CU_EQ_U64(dpt_msg_word(dpt_buf_hdr(m), w), strtoul(text, NULL, 16));
		rte_pktmbuf_free(m);
	}
	CU_TRUE(test_pool_is_full());
}

static void
pool_empty_appends_nothing(void)
{
	struct rte_mbuf *m = rig_msg(0, 8000);
	struct dpt_bufq q;

	dpt_bufq_init(&q);
	test_pool_exhaust(3);
	CU_EQ_I64(dpt_link_fragment(m, 1388, dpt_node_addr(RIG_A), dpt_node_addr(RIG_B),
				    test_pool(), &q),
		  -ENOBUFS);
	CU_EQ_U64(q.cnt, 0);
	test_pool_release();
	CU_TRUE(test_pool_is_full());
}

/* What follows a FIRST of a 3-fragment message, and what becomes of it. */
static void
fail_case(const char *text, struct rte_mbuf *second, uint64_t drops_want, bool has_first)
{
	struct dpt_reassembly ra = {0};
	struct rte_mbuf *msg = NULL;
	uint64_t drops = 0;
	struct dpt_bufq q;

	cu_context("%s", text);
	cut(&q, 3000, 1388);
	if (has_first)
		CU_EQ_I64(dpt_reassembly_add(&ra, dpt_bufq_pop(&q), &msg, &drops), 0);
	CU_EQ_I64(dpt_reassembly_add(&ra, second, &msg, &drops), -EPROTO);
	CU_EQ_U64(drops, drops_want);
	CU_IS_NULL(ra.head);
	dpt_bufq_free(&q);
	CU_TRUE(test_pool_is_full());
}

static struct rte_mbuf *
fragment_nth(unsigned int n)
{
	struct dpt_bufq q;
	struct rte_mbuf *m;

	cut(&q, 3000, 1388);
	while (n-- > 0)
		rte_pktmbuf_free(dpt_bufq_pop(&q));
	m = dpt_bufq_pop(&q);
	dpt_bufq_free(&q);
	return m;
}

static struct rte_mbuf *
fragment_raw(uint32_t type, uint32_t payload_bytes)
{
	return dpt_msg_alloc(test_pool(), DPT_USER_FRAGMENTER, type, DPT_HDR_INTERNAL,
			     payload_bytes, dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));
}

static void
hazard_01_7_stray_and_second_first_fragments(void)
{
	fail_case("second FIRST", fragment_nth(0), 2, true);
	fail_case("FRAGMENT without FIRST", fragment_nth(1), 1, false);
	fail_case("LAST without FIRST", fragment_nth(2), 1, false);
	fail_case("LAST too early", fragment_nth(2), 2, true);
}

static void
hazard_01_6_fragment_sizes(void)
{
	struct rte_mbuf *m;

	fail_case("empty FRAGMENT", fragment_raw(DPT_TYPE_FRAGMENT, 0), 2, true);
	fail_case("more than the inner size", fragment_raw(DPT_TYPE_FRAGMENT, 1900), 2, true);
	fail_case("FRAGMENT that completes", fragment_raw(DPT_TYPE_FRAGMENT, 3024 - 1348), 2, true);
	fail_case("FIRST too short for a header", fragment_raw(DPT_TYPE_FIRST_FRAGMENT, 23), 1,
		  false);
	m = fragment_nth(0);
	dpt_msg_set_size(dpt_buf_hdr(m) + DPT_HDR_INTERNAL, DPT_MSG_BYTES_MAX + 1);
	fail_case("inner size over 66060", m, 1, false);
	m = fragment_nth(0);
	dpt_msg_set_size(dpt_buf_hdr(m) + DPT_HDR_INTERNAL, 1348);
	fail_case("FIRST that is whole", m, 1, false);
}

/* Each piece of one octet: the number of segments stays bounded. */
static void
hazard_01_6_tiny_fragments_take_few_buffers(void)
{
	struct dpt_reassembly ra = {0};
	struct rte_mbuf *msg = NULL, *m = fragment_nth(0);
	uint64_t drops = 0;

	dpt_msg_set_size(dpt_buf_hdr(m) + DPT_HDR_INTERNAL, DPT_MSG_BYTES_MAX);
	CU_EQ_I64(dpt_reassembly_add(&ra, m, &msg, &drops), 0);
	for (unsigned int i = 0; i < 5000; i++) {
		m = fragment_raw(DPT_TYPE_FRAGMENT, 1);
		CU_EQ_I64_FATAL(dpt_reassembly_add(&ra, m, &msg, &drops), 0);
	}
	CU_EQ_U64(ra.bytes, 1348 + 5000);
	CU_TRUE(test_pool_leak_cnt() <= 5);
	CU_EQ_U64(dpt_reassembly_reset(&ra), 1);
	CU_EQ_U64(dpt_reassembly_reset(&ra), 0);
	CU_TRUE(test_pool_is_full());
}

/* The result may not be what only links use: hazard 8. */
static void
hazard_01_8_reassembled_user(void)
{
	struct dpt_reassembly ra = {0};
	struct rte_mbuf *msg = NULL, *m;
	uint64_t drops = 0;
	struct dpt_bufq q;

	cut(&q, 2000, 1388);
	m = dpt_bufq_pop(&q);
	dpt_msg_set_user(dpt_buf_hdr(m) + DPT_HDR_INTERNAL, DPT_USER_LINK_PROTOCOL);
	CU_EQ_I64(dpt_reassembly_add(&ra, m, &msg, &drops), 0);
	CU_EQ_I64(dpt_reassembly_add(&ra, dpt_bufq_pop(&q), &msg, &drops), -EPROTO);
	CU_EQ_U64(drops, 2);
	CU_IS_NULL(msg);
	CU_TRUE(test_pool_is_full());
}

static const struct cu_test tests[] = {
	CU_TEST(message_is_cut_and_joined_at_all_sizes),
	CU_TEST(example_18_7_three_fragments),
	CU_TEST(pool_empty_appends_nothing),
	CU_TEST(hazard_01_7_stray_and_second_first_fragments),
	CU_TEST(hazard_01_6_fragment_sizes),
	CU_TEST(hazard_01_6_tiny_fragments_take_few_buffers),
	CU_TEST(hazard_01_8_reassembled_user),
};
const struct cu_suite frag_suite = CU_TEST_SUITE("frag", tests);
