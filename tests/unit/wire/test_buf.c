/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers. Goal: octets land where they belong whatever the segments are, and no
 * buffer gets lost, not even when the pool runs dry in the middle.
 */
#include "wire_suites.h"

#include <string.h>

#include "dpt_buf.h"
#include "dpt_limits.h"
#include "test_msg.h"
#include "test_pool.h"

#define SEG_ROOM 2048

static void
alloc_gives_an_empty_buffer_with_a_zeroed_private_area(void)
{
	static const struct dpt_buf zero;
	struct rte_mbuf *m = dpt_buf_alloc(test_pool());

	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_buf_bytes(m), 0);
	CU_TRUE(rte_pktmbuf_headroom(m) >= DPT_BUF_HEADROOM_BYTES);
	CU_EQ_MEM(dpt_buf(m), &zero, sizeof(zero));
	memset(dpt_buf(m), 0xff, sizeof(struct dpt_buf));
	rte_pktmbuf_free(m);
	m = dpt_buf_alloc(test_pool());
	CU_EQ_MEM(dpt_buf(m), &zero, sizeof(zero));
	rte_pktmbuf_free(m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

/* Segments at the lengths where one more is needed. */
static void
alloc_len_takes_as_many_segments_as_needed(void)
{
	static const struct {
		uint32_t len;
		uint16_t segs_cnt;
	} cases[] = {{0, 1},
		     {1, 1},
		     {SEG_ROOM, 1},
		     {SEG_ROOM + 1, 2},
		     {2 * SEG_ROOM, 2},
		     {2 * SEG_ROOM + 1, 3},
		     {DPT_MSG_BYTES_MAX, 33}};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), cases[i].len);

		CU_NOT_NULL_FATAL(m);
		CU_EQ_U64(dpt_buf_bytes(m), cases[i].len);
		CU_EQ_U64(m->nb_segs, cases[i].segs_cnt);
		CU_EQ_U64(test_pool_leak_cnt(), cases[i].segs_cnt);
		CU_EQ_I64(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
		rte_pktmbuf_free(m);
	}
	CU_IS_NULL(dpt_buf_alloc_len(test_pool(), DPT_MSG_BYTES_MAX + 1));
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
alloc_len_gives_everything_back_when_the_pool_runs_dry(void)
{
	test_pool_exhaust(2);
	CU_IS_NULL(dpt_buf_alloc_len(test_pool(), 2 * SEG_ROOM + 1));
	CU_EQ_U64(rte_mempool_avail_count(test_pool()), 2);
	test_pool_exhaust(0);
	CU_IS_NULL(dpt_buf_alloc(test_pool()));
	test_pool_release();
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

/* Every window of a message that lies in segments of 7 octets behind an L2 header of 3. */
static void
read_and_write_cross_segments_and_skip_the_l2_header(void)
{
	uint8_t frame[33], bytes[sizeof(frame)];
	struct rte_mbuf *m;

	for (unsigned int i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(100 + i);
	for (uint32_t offset = 0; offset <= 30; offset++) {
		for (uint32_t len = 0; len <= 30 - offset; len++) {
			m = test_buf_segs(frame, sizeof(frame), 7);
			dpt_buf(m)->l2_bytes = 3;
			dpt_buf_read(m, offset, bytes, len);
			CU_EQ_MEM_FATAL(bytes, frame + 3 + offset, len);
			memset(bytes, 0xee, len);
			dpt_buf_write(m, offset, bytes, len);
			dpt_buf(m)->l2_bytes = 0;
			dpt_buf_read(m, 0, bytes, sizeof(frame));
			for (uint32_t i = 0; i < sizeof(frame); i++) {
				bool is_in = i >= 3 + offset && i < 3 + offset + len;

				CU_EQ_U64_FATAL(bytes[i], is_in ? 0xee : frame[i]);
			}
			rte_pktmbuf_free(m);
		}
	}
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
copy_leaves_the_l2_header_out_and_keeps_destination_and_importance(void)
{
	uint8_t frame[5000];
	struct rte_mbuf *m, *copy;

	for (unsigned int i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	m = test_buf_segs(frame, sizeof(frame), 999);
	dpt_buf(m)->l2_bytes = 14;
	dpt_buf(m)->dst = dpt_maddr_bcast(DPT_MEDIA_ETH);
	dpt_buf(m)->bearer_id = 2;
	dpt_buf(m)->importance = 3;
	dpt_buf(m)->seqno = 77;
	copy = dpt_buf_copy(m, test_pool());
	CU_NOT_NULL_FATAL(copy);
	CU_EQ_U64(dpt_buf_bytes(copy), sizeof(frame) - 14);
	CU_EQ_MEM(test_flat(copy), frame + 14, sizeof(frame) - 14);
	CU_TRUE(dpt_maddr_eq(&dpt_buf(copy)->dst, &dpt_buf(m)->dst));
	CU_EQ_U64(dpt_buf(copy)->bearer_id, 2);
	CU_EQ_U64(dpt_buf(copy)->importance, 3);
	CU_EQ_U64(dpt_buf(copy)->l2_bytes, 0);
	CU_EQ_U64(dpt_buf(copy)->seqno, 0);
	rte_pktmbuf_free(copy);
	test_pool_exhaust(1);
	CU_IS_NULL(dpt_buf_copy(m, test_pool()));
	test_pool_release();
	rte_pktmbuf_free(m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
trim_frees_the_segments_behind_the_cut(void)
{
	uint8_t frame[30];

	memset(frame, 0x55, sizeof(frame));
	for (uint32_t len = 1; len <= 30; len++) {
		struct rte_mbuf *m = test_buf_segs(frame, sizeof(frame), 10);

		dpt_buf(m)->l2_bytes = 4;
		dpt_buf_trim(m, len);
		CU_EQ_U64(dpt_buf_bytes(m), len < 26 ? len : 26);
		CU_EQ_U64(m->nb_segs, len < 26 ? (len + 4 + 9) / 10 : 3);
		CU_EQ_U64(test_pool_leak_cnt(), m->nb_segs);
		CU_EQ_I64(rte_mbuf_check(m, 1, &(const char *){NULL}), 0);
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
queue_keeps_the_order(void)
{
	struct rte_mbuf *m[4];
	struct dpt_bufq a, b;

	dpt_bufq_init(&a);
	dpt_bufq_init(&b);
	CU_IS_NULL(dpt_bufq_pop(&a));
	for (unsigned int i = 0; i < 4; i++)
		m[i] = dpt_buf_alloc(test_pool());
	dpt_bufq_push(&a, m[1]);
	dpt_bufq_push(&b, m[2]);
	dpt_bufq_push(&b, m[3]);
	dpt_bufq_push_head(&a, m[0]);
	dpt_bufq_splice(&a, &b);
	CU_EQ_U64(a.cnt, 4);
	CU_EQ_U64(b.cnt, 0);
	CU_IS_NULL(dpt_bufq_pop(&b));
	for (unsigned int i = 0; i < 4; i++) {
		CU_EQ_PTR(a.head, m[i]);
		if (i < 3)
			CU_EQ_PTR(dpt_bufq_next(m[i]), m[i + 1]);
		CU_EQ_PTR(dpt_bufq_pop(&a), m[i]);
	}
	CU_IS_NULL(a.tail);
	for (unsigned int i = 0; i < 4; i++)
		dpt_bufq_push(&a, m[i]);
	CU_EQ_U64(dpt_bufq_free(&a), 4);
	CU_EQ_U64(a.cnt, 0);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static const struct cu_test tests[] = {
	CU_TEST(alloc_gives_an_empty_buffer_with_a_zeroed_private_area),
	CU_TEST(alloc_len_takes_as_many_segments_as_needed),
	CU_TEST(alloc_len_gives_everything_back_when_the_pool_runs_dry),
	CU_TEST(read_and_write_cross_segments_and_skip_the_l2_header),
	CU_TEST(copy_leaves_the_l2_header_out_and_keeps_destination_and_importance),
	CU_TEST(trim_frees_the_segments_behind_the_cut),
	CU_TEST(queue_keeps_the_order),
};

const struct cu_suite wire_buf_suite = CU_TEST_SUITE("buf", tests);
