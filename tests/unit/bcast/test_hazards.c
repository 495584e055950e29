/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lines of 06-broadcast.md, 13, by number. Line 1 (the source media address) and 14,
 * 15 (multicast at the socket) are not decided in this library.
 */
#include "bcast_fx.h"

static struct bcast_fx fx;

static void
start(void)
{
	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	bcast_fx_peer(&fx, FX_B);
}

/* A hostile report has no effect but its counter. */
static void
check_report_refused(struct rte_mbuf *m)
{
	uint64_t before = fx.counters.drop_report_bad;

	bcast_fx_clear(&fx);
	dpt_bcast_snd_report(fx.snd, m, 1000 * FX_MS, &fx.out);
	CU_EQ_U64(fx.counters.drop_report_bad, before + 1);
	CU_EQ_U64(fx.counters.tx_released, 0);
	CU_EQ_U64(fx.out.tx.cnt, 0);
}

static void
hazard_06_2_network_id(void)
{
	struct rte_mbuf *m = bcast_pkt(1);

	start();
	dpt_msg_set_bcast_net_id(dpt_buf_hdr(m), FX_NET_ID + 1);
	dpt_bcast_rcv_rx(&fx.rcv, m, &fx.out);
	CU_EQ_U64(fx.counters.drop_net_id, 1);
	CU_EQ_U64(fx.rcv.rcv_nxt, 1);
	bcast_fx_fini(&fx);
}

static void
hazard_06_3_numbers_far_ahead(void)
{
	start();
	for (uint32_t seqno = 2; seqno < 8192; seqno++)
		bcast_fx_rx(&fx, (uint16_t)seqno);
	CU_EQ_U64(test_pool_leak_cnt(), DPT_BCAST_DEFER_PKTS - 1);
	CU_EQ_U64(fx.counters.drop_defer_far, 8190 - (DPT_BCAST_DEFER_PKTS - 1));
	bcast_fx_rx(&fx, 8193);
	CU_EQ_U64(fx.counters.drop_duplicate, 1);
	bcast_fx_fini(&fx);
}

static void
hazard_06_4_users_that_have_no_place(void)
{
	static const uint32_t users[] = {DPT_USER_TUNNEL, DPT_USER_CONN_MANAGER, DPT_USER_CRYPTO};

	/* In sequence: consumed, so that the stream goes on, but delivered nowhere. */
	start();
	for (uint16_t i = 0; i < CU_CNT(users); i++) {
		struct rte_mbuf *m = bcast_pkt((uint16_t)(i + 1));

		dpt_msg_set_user(dpt_buf_hdr(m), users[i]);
		dpt_bcast_rcv_rx(&fx.rcv, m, &fx.out);
	}
	for (uint16_t type = 0; type < 8; type++) {
		struct rte_mbuf *m = bcast_pkt((uint16_t)(4 + type));

		dpt_msg_set_type(dpt_buf_hdr(m), type);
		dpt_bcast_rcv_rx(&fx.rcv, m, &fx.out);
	}
	CU_EQ_U64(fx.counters.drop_user, 3 + 5);
	CU_EQ_U64(fx.out.up.cnt, 3);
	/* Users that never have a number of the stream do not move it. */
	for (uint32_t i = 0; i < 2; i++) {
		struct rte_mbuf *m = bcast_pkt(12);

		dpt_msg_set_user(dpt_buf_hdr(m),
				 i == 0 ? DPT_USER_LINK_PROTOCOL : DPT_USER_LINK_CONFIG);
		dpt_bcast_rcv_rx(&fx.rcv, m, &fx.out);
	}
	CU_EQ_U64(fx.counters.drop_user, 10);
	CU_EQ_U64(fx.rcv.rcv_nxt, 12);
	bcast_fx_fini(&fx);
}

static void
hazard_06_5_ack_beyond_what_was_sent(void)
{
	start();
	bcast_fx_send(&fx, 5, 0);
	check_report_refused(bcast_state(FX_B, 6, 0, NULL, 0));
	check_report_refused(bcast_state(FX_B, 0x7fff, 0, NULL, 0));
	dpt_bcast_snd_ack(fx.snd, FX_B, 6, 0, &fx.out);
	CU_EQ_U64(fx.counters.acks_bad, 1);
	CU_EQ_U64(fx.counters.tx_released, 0);
	/* The true one still counts. */
	dpt_bcast_snd_ack(fx.snd, FX_B, 5, 0, &fx.out);
	CU_EQ_U64(fx.counters.tx_released, 5);
	bcast_fx_fini(&fx);
}

static void
hazard_06_6_huge_gaps(void)
{
	start();
	bcast_fx_send(&fx, 50, 0);
	check_report_refused(bcast_state(FX_B, 0, 1023, NULL, 0));
	check_report_refused(bcast_state(FX_B, 0, 51, NULL, 0));
	/* The whole window is asked for a thousand times within 10 ms: sent once. */
	for (uint32_t i = 0; i < 1000; i++)
		dpt_bcast_snd_report(fx.snd, bcast_state(FX_B, 0, 50, NULL, 0),
				     1000 * FX_MS + i * 9000, &fx.out);
	CU_EQ_U64(fx.counters.tx_retransmits, 50);
	bcast_fx_fini(&fx);
}

static void
hazard_06_7_record_length(void)
{
	static const uint32_t records[] = {
		0xffff0001, /* longer than the payload */
		0x000900ff, /* the same */
	};

	start();
	bcast_fx_send(&fx, 5, 0);
	for (uint32_t i = 0; i < CU_CNT(records); i++) {
		struct dpt_gap_block block = {.ack = 3, .gap = 0};
		struct rte_mbuf *m = bcast_state(FX_B, 0, 1, &block, 1);

		dpt_msg_set_word(dpt_buf_hdr(m), 10, records[i]);
		check_report_refused(m);
	}
	bcast_fx_fini(&fx);
}

static void
hazard_06_8_order_of_blocks(void)
{
	static const struct {
		uint16_t ack, gap;
		struct dpt_gap_block blocks[2];
		uint8_t cnt;
	} cases[] = {
		{2, 1, {{3, 0}}, 1},		  /* inside the first gap */
		{2, 1, {{2, 0}}, 1},		  /* backwards */
		{2, 1, {{9, 1}, {8, 0}}, 2},	  /* not increasing */
		{2, 1, {{6, 3}, {9, 0}}, 2},	  /* gap reaches the next */
		{2, 1, {{6, 0xfff0}, {9, 0}}, 2}, /* gap wraps round */
		{2, 1, {{11, 0}}, 1},		  /* beyond what was sent */
		{2, 1, {{9, 2}}, 1},		  /* gap beyond what was sent */
		{2, 0, {{6, 0}}, 1},		  /* run without a gap before it */
		{2, 1, {{0x9000, 0}}, 1},	  /* half way round */
	};

	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		cu_context("case %u", i);
		start();
		bcast_fx_send(&fx, 10, 0);
		check_report_refused(bcast_state(FX_B, cases[i].ack, cases[i].gap, cases[i].blocks,
						 cases[i].cnt));
		bcast_fx_fini(&fx);
	}
}

static void
hazard_06_9_wrong_announcement(void)
{
	struct rte_mbuf *m = bcast_state(FX_A, 0, 0, NULL, 0);

	start();
	dpt_msg_set_last_bcast(dpt_buf_hdr(m), 51);
	CU_FALSE(dpt_bcast_rcv_state(&fx.rcv, dpt_buf_hdr(m)));
	CU_EQ_U64(fx.rcv.view.gap, 0);
	CU_EQ_U64(fx.counters.rx_announce_far, 1);
	dpt_msg_set_last_bcast(dpt_buf_hdr(m), 50);
	CU_TRUE(dpt_bcast_rcv_state(&fx.rcv, dpt_buf_hdr(m)));
	CU_EQ_U64(fx.rcv.view.gap, 50);
	rte_pktmbuf_free(m);
	bcast_fx_fini(&fx);
}

static void
hazard_06_10_second_init_message(void)
{
	start();
	bcast_fx_rx(&fx, 1);
	bcast_fx_sync(&fx, 100);
	CU_EQ_U64(fx.rcv.rcv_nxt, 2);
	bcast_fx_fini(&fx);
}

static void
hazard_06_11_nack_as_broadcast_frame(void)
{
	struct rte_mbuf *m = bcast_pkt(1);

	start();
	dpt_msg_set_user(dpt_buf_hdr(m), DPT_USER_BCAST_PROTOCOL);
	dpt_bcast_rcv_rx(&fx.rcv, m, &fx.out);
	CU_EQ_U64(fx.counters.drop_user, 1);
	CU_EQ_U64(fx.rcv.rcv_nxt, 1);
	bcast_fx_fini(&fx);
}

static void
hazard_06_12_peer_that_never_acknowledges(void)
{
	start();
	bcast_fx_send(&fx, 60, 0);
	bcast_fx_clear(&fx);
	CU_EQ_U64(dpt_bcast_snd_stalled(fx.snd, 15000 * FX_MS).value, FX_B.value);
	CU_EQ_U64(fx.counters.tx_stalled, 1);
	bcast_fx_fini(&fx);
}

static struct rte_mbuf *
fragment(uint16_t seqno, uint32_t type, uint32_t inner_size)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_FRAGMENTER, type, DPT_HDR_INTERNAL,
					   200, FX_A, dpt_node_addr(0));
	struct rte_mbuf *inner = bcast_msg(1, 200);

	dpt_msg_set_size(dpt_buf_hdr(inner), inner_size);
	dpt_buf_write(m, DPT_HDR_INTERNAL, dpt_buf_hdr(inner), 200);
	rte_pktmbuf_free(inner);
	dpt_msg_set_non_seq(dpt_buf_hdr(m), 1);
	dpt_msg_set_seqno(dpt_buf_hdr(m), seqno);
	dpt_msg_set_bcast_net_id(dpt_buf_hdr(m), FX_NET_ID);
	return m;
}

static void
hazard_06_13_fragments(void)
{
	start();
	/* Two first ones, one without a first, a total that is too large. The link lives on. */
	dpt_bcast_rcv_rx(&fx.rcv, fragment(1, DPT_TYPE_FIRST_FRAGMENT, 400), &fx.out);
	dpt_bcast_rcv_rx(&fx.rcv, fragment(2, DPT_TYPE_FIRST_FRAGMENT, 400), &fx.out);
	CU_EQ_U64(fx.counters.drop_fragment, 2);
	dpt_bcast_rcv_rx(&fx.rcv, fragment(3, DPT_TYPE_LAST_FRAGMENT, 400), &fx.out);
	CU_EQ_U64(fx.counters.drop_fragment, 3);
	dpt_bcast_rcv_rx(&fx.rcv, fragment(4, DPT_TYPE_FIRST_FRAGMENT, 66061), &fx.out);
	CU_EQ_U64(fx.counters.drop_fragment, 4);
	CU_EQ_U64(fx.out.up.cnt, 0);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
	bcast_fx_rx(&fx, 5);
	CU_EQ_U64(fx.out.up.cnt, 1);
	/* A first one without the rest is freed with the contact. */
	dpt_bcast_rcv_rx(&fx.rcv, fragment(6, DPT_TYPE_FIRST_FRAGMENT, 400), &fx.out);
	dpt_bcast_rcv_reset(&fx.rcv);
	CU_EQ_U64(fx.counters.drop_reset, 1);
	bcast_fx_fini(&fx);
}

static void
bundle_with_a_malformed_rest_keeps_what_came_before(void)
{
	struct rte_mbuf *m = test_buf_hex(
		"4d5000a0 00000000 00000001 01001001 00000000 00001267 01001001 00000000"
		"00000000 00020000"
		"41680030 20000000 00000000 01001001 00000001 00000000 01001001 00000000"
		"00000bb8 00000000 00000005 01000000"
		"4168ffff 20000000 00000000 01001001 00000001 00000000 01001001 00000000"
		"00000bb8 00000000 00000005 02000000"
		"00000000 00000000 00000000 00000000 00000000 00000000");

	start();
	dpt_bcast_rcv_rx(&fx.rcv, m, &fx.out);
	CU_EQ_U64(fx.out.up.cnt, 1);
	CU_EQ_U64(fx.counters.drop_bundle, 1);
	bcast_fx_fini(&fx);
}

static void
report_of_a_stranger_is_dropped(void)
{
	start();
	bcast_fx_send(&fx, 5, 0);
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_C, 5, 0, NULL, 0), 0, &fx.out);
	dpt_bcast_snd_ack(fx.snd, FX_C, 5, 0, &fx.out);
	CU_EQ_U64(fx.counters.drop_report_peer, 1);
	CU_EQ_U64(fx.counters.tx_released, 0);
	bcast_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_06_2_network_id),
	CU_TEST(hazard_06_3_numbers_far_ahead),
	CU_TEST(hazard_06_4_users_that_have_no_place),
	CU_TEST(hazard_06_5_ack_beyond_what_was_sent),
	CU_TEST(hazard_06_6_huge_gaps),
	CU_TEST(hazard_06_7_record_length),
	CU_TEST(hazard_06_8_order_of_blocks),
	CU_TEST(hazard_06_9_wrong_announcement),
	CU_TEST(hazard_06_10_second_init_message),
	CU_TEST(hazard_06_11_nack_as_broadcast_frame),
	CU_TEST(hazard_06_12_peer_that_never_acknowledges),
	CU_TEST(hazard_06_13_fragments),
	CU_TEST(bundle_with_a_malformed_rest_keeps_what_came_before),
	CU_TEST(report_of_a_stranger_is_dropped),
};

const struct cu_suite bcast_suite_hazards = CU_TEST_SUITE("hazards", tests);
