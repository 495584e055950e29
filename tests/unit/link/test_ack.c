/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The sender's side: acknowledgement, gap blocks, retransmission, failure, window.
 * Src: 03-link-node.md, 10.2, 12; hazards 1 to 3.
 */
#include "link_rig.h"

/* 30 packets sent, long enough ago to be sent again; the bearer has let go. */
static void
init_sent(struct rig *rig, unsigned int n)
{
	rig_init_up(rig);
	rig_send(rig, 0, n);
	rig_tx_clear(rig);
	rig->now_ns += LINK_RETRANSMIT_NS;
}

static void
check_tx_seqs(const struct rig *rig, const int *seqs, unsigned int cnt)
{
	CU_EQ_U64(rig->out.tx.cnt, cnt);
	for (unsigned int i = 0; i < cnt; i++)
		CU_EQ_I64(rig_tx_seq(rig, i), seqs[i]);
}

/* ack 4, gap 3, <9,2> <14,5> <20,0>: releases 1-4 8 9 12-14 20, sends 5-7 10 11 15-19. */
static void
gap_blocks_release_and_retransmit_as_in_10_3(void)
{
	static const struct dpt_gap_record rec = {.ucast_cnt = 3,
						  .ucast = {{9, 2}, {14, 5}, {20, 0}}};
	static const int seqs[] = {5, 6, 7, 10, 11, 15, 16, 17, 18, 19};
	struct rig rig;

	init_sent(&rig, 20);
	rig_rx_state(&rig, 4, 3, &rec);
	check_tx_seqs(&rig, seqs, CU_CNT(seqs));
	CU_EQ_U64(rig.link->snd_cnt, 10);
	CU_EQ_U64(rig.link->snd_una, 5);
	CU_EQ_U64(rig.sums.acked_pkts, 10);
	CU_EQ_U64(rig.sums.retransmitted, 10);
	/* The rest is confirmed: nothing is held any more. */
	rig_rx_state(&rig, 20, 0, NULL);
	CU_EQ_U64(rig.link->snd_cnt, 0);
	CU_EQ_U64(rig.link->snd_una, 21);
	rig_end(&rig);
}

static void
packet_is_sent_again_once_per_millisecond(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, 0, 3);
	rig_tx_clear(&rig);
	rig.now_ns += LINK_RETRANSMIT_NS - 1;
	rig_rx_state(&rig, 0, 2, NULL);
	CU_EQ_U64(rig_tx_clear(&rig), 0);
	rig.now_ns += 1;
	rig_rx_state(&rig, 0, 2, NULL);
	CU_EQ_U64(rig_tx_clear(&rig), 2);
	rig_rx_state(&rig, 0, 2, NULL);
	CU_EQ_U64(rig_tx_clear(&rig), 0);
	rig.now_ns += LINK_RETRANSMIT_NS;
	rig_rx_state(&rig, 0, 2, NULL);
	CU_EQ_U64(rig_tx_clear(&rig), 2);
	rig_end(&rig);
}

static void
retransmission_refreshes_both_acknowledgements(void)
{
	struct rig rig;

	init_sent(&rig, 1);
	rig_rx(&rig, 1, 0);
	rig.view.ack = 33;
	rig_rx_state(&rig, 0, 1, NULL);
	CU_EQ_U64(rig.out.tx.cnt, 1);
	CU_EQ_U64(dpt_msg_ack(rig_tx_hdr(&rig, 0)), 1);
	CU_EQ_U64(dpt_msg_bcast_ack(rig_tx_hdr(&rig, 0)), 33);
	CU_EQ_I64(rig_tx_seq(&rig, 0), 1);
	rig_end(&rig);
}

/* While the bearer holds the packet its octets and its place in the queue stay untouched. */
static void
packet_in_the_bearers_hands_is_copied(void)
{
	struct rte_mbuf *first;
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, 0, 2);
	first = rig.out.tx.head;
	rig.now_ns += LINK_RETRANSMIT_NS;
	rig.view.ack = 5;
	rig_rx_state(&rig, 0, 2, NULL);
	CU_EQ_U64(rig.out.tx.cnt, 4);
	CU_EQ_PTR(rig.out.tx.head, first);
	CU_EQ_U64(dpt_msg_bcast_ack(dpt_buf_hdr(first)), 0);
	CU_EQ_I64(rig_tx_seq(&rig, 2), 1);
	CU_EQ_U64(dpt_msg_bcast_ack(rig_tx_hdr(&rig, 2)), 5);
	rig_end(&rig);
}

static void
retransmission_without_buffers_is_put_off(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, 0, 2);
	rig.now_ns += LINK_RETRANSMIT_NS;
	m = rig_state_msg(&rig, 0, 2, NULL);
	test_pool_exhaust(0);
	rig_rx_proto(&rig, m);
	test_pool_release();
	CU_EQ_U64(rig.sums.retransmit_no_buffer, 2);
	CU_EQ_U64(rig.out.tx.cnt, 2);
	rig_rx_state(&rig, 0, 2, NULL);
	CU_EQ_U64(rig.out.tx.cnt, 4);
	rig_end(&rig);
}

static void
link_fails_after_ten_tolerances_of_asking(void)
{
	uint64_t first_ns;
	struct rig rig;

	init_sent(&rig, 2);
	first_ns = rig.now_ns;
	CU_EQ_U64(rig_rx_state(&rig, 0, 1, NULL), 0);
	rig_tx_clear(&rig);
	rig.now_ns = first_ns + 15000 * DPT_NS_PER_MS;
	CU_EQ_U64(rig_rx_state(&rig, 0, 1, NULL), 0);
	rig_tx_clear(&rig);
	rig.now_ns += 1;
	CU_EQ_U64(rig_rx_state(&rig, 0, 1, NULL), DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.link->last_down, DPT_DOWN_RETRANSMIT);
	CU_EQ_U64(rig.link->state, DPT_LINK_RESETTING);
	rig_end(&rig);
}

static void
hazard_03_1_ack_beyond_what_was_sent(void)
{
	static const struct {
		uint16_t ack;
		uint64_t held, invalid;
	} cases[] = {{11, 10, 1}, {30000, 10, 1}, {0, 10, 0}, {65535, 10, 0}, {10, 0, 0}};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct rig rig;

		cu_context("ack %u", cases[i].ack);
		init_sent(&rig, 10);
		rig_rx_state(&rig, cases[i].ack, 0, NULL);
		CU_EQ_U64(rig.link->snd_cnt, cases[i].held);
		CU_EQ_U64(rig.sums.ack_invalid, cases[i].invalid);
		rig_end(&rig);

		init_sent(&rig, 10);
		rig_rx(&rig, 1, cases[i].ack);
		CU_EQ_U64(rig.link->snd_cnt, cases[i].held);
		CU_EQ_U64(rig.sums.ack_invalid, cases[i].invalid);
		rig_end(&rig);
	}
}

static void
hazard_03_2_gap_is_clamped_to_what_was_sent(void)
{
	static const int seqs[] = {3, 4, 5};
	struct rig rig;

	init_sent(&rig, 5);
	rig_rx_state(&rig, 2, 8191, NULL);
	check_tx_seqs(&rig, seqs, CU_CNT(seqs));
	rig_tx_clear(&rig);
	/* And the 1 ms rule bounds what a flood of them can cause. */
	for (unsigned int i = 0; i < 50; i++)
		rig_rx_state(&rig, 2, 8191, NULL);
	CU_EQ_U64(rig_tx_clear(&rig), 0);
	rig_end(&rig);
}

static void
hazard_03_3_gap_blocks_must_ascend(void)
{
	static const struct dpt_gap_record recs[] = {
		{.ucast_cnt = 1, .ucast = {{7, 0}}},		   /* inside the gap */
		{.ucast_cnt = 2, .ucast = {{12, 2}, {12, 0}}},	   /* not ascending */
		{.ucast_cnt = 2, .ucast = {{12, 2}, {14, 0}}},	   /* overlapping */
		{.ucast_cnt = 1, .ucast = {{21, 0}}},		   /* beyond snd_nxt - 1 */
		{.ucast_cnt = 2, .ucast = {{12, 60000}, {20, 0}}}, /* gap beyond it */
	};
	static const uint16_t held[] = {16, 13, 13, 16, 13};

	/* 20 sent; ack 4, gap 5 (5 to 9): a block must begin behind 9; <12,..> confirms 10-12. */
	for (size_t i = 0; i < CU_CNT(recs); i++) {
		struct rig rig;

		cu_context("record %zu", i);
		init_sent(&rig, 20);
		rig_rx_state(&rig, 4, 5, &recs[i]);
		CU_EQ_U64(rig.link->snd_cnt, held[i]);
		CU_EQ_U64(rig.sums.gap_invalid, 1);
		CU_EQ_U64(rig.link->snd_una, 5);
		rig_end(&rig);
	}
}

/* Blocks without a gap before them would confirm what is not known to have arrived. */
static void
blocks_without_gap_are_ignored(void)
{
	static const struct dpt_gap_record rec = {.ucast_cnt = 1, .ucast = {{20, 0}}};
	struct rig rig;

	init_sent(&rig, 20);
	rig_rx_state(&rig, 4, 0, &rec);
	CU_EQ_U64(rig.link->snd_cnt, 16);
	rig_end(&rig);
}

static void
sequence_numbers_wrap(void)
{
	static const struct dpt_gap_record rec = {.ucast_cnt = 1, .ucast = {{3, 0}}};
	struct rig rig;

	rig_init_up(&rig);
	rig.link->snd_nxt = rig.link->snd_una = 65530;
	rig_send(&rig, 0, 12);
	rig_tx_clear(&rig);
	rig.now_ns += LINK_RETRANSMIT_NS;
	CU_EQ_U64(rig.link->snd_nxt, 6);
	/* 65530..65533 arrived, 65534 to 0 missing, 1..3 arrived, 4 5 unknown. */
	rig_rx_state(&rig, 65533, 3, &rec);
	CU_EQ_U64(rig.link->snd_cnt, 5);
	CU_EQ_U64(rig.out.tx.cnt, 3);
	CU_EQ_I64(rig_tx_seq(&rig, 2), 0);
	rig_rx_state(&rig, 5, 0, NULL);
	CU_EQ_U64(rig.link->snd_cnt, 0);
	rig_end(&rig);
}

/* Section 12, rule by rule, on the numbers alone. */
static void
window_adapts_as_in_section_12(void)
{
	static const struct {
		const char *text;
		uint16_t window, ssthresh, cong_acks, snd_cnt, backlog, span;
		uint32_t released, retransmitted;
		uint16_t window_want, ssthresh_want;
	} cases[] = {
		{"loss above 600 halves", 800, 1000, 0, 0, 0, 0, 5, 1, 400, 400},
		{"loss does not go below 300", 400, 1000, 0, 0, 0, 0, 5, 1, 300, 300},
		{"loss below 300 changes nothing", 120, 1000, 0, 0, 0, 0, 5, 1, 120, 300},
		{"idle falls back to the minimum", 800, 1000, 0, 0, 0, 0, 0, 0, 50, 400},
		{"not in full use", 100, 1000, 0, 60, 39, 60, 10, 0, 100, 1000},
		{"holes in the queue", 100, 1000, 0, 100, 0, 110, 10, 0, 100, 1000},
		{"slow start", 100, 1000, 0, 90, 10, 90, 10, 0, 110, 1000},
		{"slow start ends at the maximum", 995, 1000, 0, 995, 0, 995, 10, 0, 1000, 1000},
		{"avoidance, not enough acks", 400, 300, 100, 400, 0, 400, 10, 0, 400, 300},
		{"avoidance, one more", 400, 300, 395, 400, 0, 400, 10, 0, 401, 300},
	};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct dpt_link *link;
		struct rig rig;

		cu_context("%s", cases[i].text);
		rig_init_up(&rig);
		link = rig.link;
		link->window = cases[i].window;
		link->ssthresh = cases[i].ssthresh;
		link->cong_acks = cases[i].cong_acks;
		link->snd_cnt = cases[i].snd_cnt;
		link->backlog.cnt = cases[i].backlog;
		link->snd_nxt = (uint16_t)(link->snd_una + cases[i].span);
		link_window_update(link, cases[i].released, cases[i].retransmitted);
		CU_EQ_U64(link->window, cases[i].window_want);
		CU_EQ_U64(link->ssthresh, cases[i].ssthresh_want);
		link->snd_cnt = 0;
		link->backlog.cnt = 0;
		rig_end(&rig);
	}
}

static const struct cu_test tests[] = {
	CU_TEST(gap_blocks_release_and_retransmit_as_in_10_3),
	CU_TEST(packet_is_sent_again_once_per_millisecond),
	CU_TEST(retransmission_refreshes_both_acknowledgements),
	CU_TEST(packet_in_the_bearers_hands_is_copied),
	CU_TEST(retransmission_without_buffers_is_put_off),
	CU_TEST(link_fails_after_ten_tolerances_of_asking),
	CU_TEST(hazard_03_1_ack_beyond_what_was_sent),
	CU_TEST(hazard_03_2_gap_is_clamped_to_what_was_sent),
	CU_TEST(hazard_03_3_gap_blocks_must_ascend),
	CU_TEST(blocks_without_gap_are_ignored),
	CU_TEST(sequence_numbers_wrap),
	CU_TEST(window_adapts_as_in_section_12),
};
const struct cu_suite ack_suite = CU_TEST_SUITE("ack", tests);
