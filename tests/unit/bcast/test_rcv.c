/* SPDX-License-Identifier: BSD-3-Clause */
/* Receiving end: synchronisation, order, what the view says. 06-broadcast.md, 3, 5, 6. */
#include "bcast_fx.h"

static void
init_message_of_the_capture_synchronises(void)
{
	struct rte_mbuf *m = test_buf_hex("4b400028 00000000 00000001 01001001 00000000"
					  "00004000 01001001 01001002 00000000 00000000");
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	CU_FALSE(fx.rcv.view.is_up);
	dpt_bcast_rcv_sync(&fx.rcv, dpt_buf_hdr(m));
	rte_pktmbuf_free(m);
	CU_TRUE(fx.rcv.view.is_up);
	CU_EQ_U64(fx.rcv.view.ack, 0);
	CU_EQ_U64(fx.rcv.rcv_nxt, 1);
	bcast_fx_fini(&fx);
}

static void
init_message_counts_once_per_contact(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 65535);
	CU_EQ_U64(fx.rcv.rcv_nxt, 0);
	bcast_fx_sync(&fx, 7);
	CU_EQ_U64(fx.rcv.rcv_nxt, 0);
	dpt_bcast_rcv_reset(&fx.rcv);
	bcast_fx_sync(&fx, 7);
	CU_EQ_U64(fx.rcv.rcv_nxt, 8);
	bcast_fx_fini(&fx);
}

static void
packets_before_the_init_message_are_dropped(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	CU_FALSE(bcast_fx_rx(&fx, 1));
	CU_EQ_U64(fx.counters.drop_not_up, 1);
	/* An old peer sends none: its first name table message opens the stream. */
	dpt_bcast_rcv_names_seen(&fx.rcv);
	bcast_fx_rx(&fx, 1);
	CU_EQ_U64(fx.out.up.cnt, 1);
	bcast_fx_fini(&fx);
}

static void
packets_come_out_once_and_in_order(void)
{
	static const uint16_t order[] = {3, 1, 5, 4, 3, 1, 2, 2, 6, 4};
	uint32_t nos[16], cnt;
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	for (uint32_t i = 0; i < CU_CNT(order); i++)
		bcast_fx_rx(&fx, order[i]);
	cnt = bcast_fx_got(&fx, nos, 16);
	CU_EQ_U64_FATAL(cnt, 6);
	for (uint32_t i = 0; i < cnt; i++)
		CU_EQ_U64(nos[i], i + 1);
	CU_EQ_U64(fx.counters.drop_duplicate, 4);
	CU_EQ_U64(fx.counters.rx_deferred, 3);
	CU_EQ_U64(fx.rcv.view.ack, 6);
	bcast_fx_fini(&fx);
}

/* 6.1, captured: B has 1, 3-4, 6-8, 10-18, 21-22, 24-25. */
static void
view_as_in_the_captured_example(void)
{
	static const uint16_t order[] = {1,  3,	 4,  6,	 7,  8,	 10, 11, 12, 13,
					 14, 15, 16, 17, 18, 21, 22, 24, 25};
	static const struct dpt_gap_block want[] = {{4, 1}, {8, 1}, {18, 2}, {22, 1}, {25, 0}};
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	for (uint32_t i = 0; i < CU_CNT(order); i++)
		bcast_fx_rx(&fx, order[i]);
	CU_EQ_U64(fx.rcv.view.ack, 1);
	CU_EQ_U64(fx.rcv.view.gap, 1);
	CU_EQ_U64_FATAL(fx.rcv.view.blocks_cnt, CU_CNT(want));
	for (uint32_t i = 0; i < CU_CNT(want); i++) {
		CU_EQ_U64(fx.rcv.view.blocks[i].ack, want[i].ack);
		CU_EQ_U64(fx.rcv.view.blocks[i].gap, want[i].gap);
	}
	/* Gaps close: the view follows. */
	bcast_fx_rx(&fx, 2);
	CU_EQ_U64(fx.rcv.view.ack, 4);
	CU_EQ_U64(fx.rcv.view.blocks_cnt, 4);
	CU_EQ_U64(fx.rcv.view.blocks[0].ack, 8);
	bcast_fx_fini(&fx);
}

static void
view_has_64_blocks_at_most_the_last_with_a_gap(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	for (uint16_t seqno = 2; seqno <= 2 * 70; seqno += 2)
		bcast_fx_rx(&fx, seqno);
	CU_EQ_U64(fx.rcv.view.blocks_cnt, 64);
	CU_EQ_U64(fx.rcv.view.blocks[63].ack, 128);
	CU_EQ_U64(fx.rcv.view.blocks[63].gap, 1);
	bcast_fx_fini(&fx);
}

static void
every_16th_packet_is_acknowledged_at_the_nodes_own_place(void)
{
	uint32_t states = 0;
	struct bcast_fx fx;

	/* Rule 5: rcv_nxt xor own = 15 modulo 16; own ends in 2: rcv_nxt = 13 modulo 16. */
	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	for (uint16_t seqno = 1; seqno <= 160; seqno++) {
		bool is_due = bcast_fx_rx(&fx, seqno);

		CU_EQ_U64(is_due, seqno > 16 && (seqno + 1) % 16 == 13);
		CU_TRUE(fx.rcv.view.is_ack_due);
		states += is_due;
	}
	CU_EQ_U64(states, 9);
	/* A STATE that went for another reason carried the acknowledgement too. */
	dpt_bcast_rcv_acked(&fx.rcv);
	CU_FALSE(fx.rcv.view.is_ack_due);
	bcast_fx_rx(&fx, 161);
	CU_TRUE(fx.rcv.view.is_ack_due);
	bcast_fx_fini(&fx);
}

static void
gap_is_reported_at_the_nodes_own_place(void)
{
	struct bcast_fx fx;

	/* Rule 4: the count of deferrals = own modulo 16, duplicates included. */
	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	CU_FALSE(bcast_fx_rx(&fx, 2));
	CU_TRUE(bcast_fx_rx(&fx, 2));
	for (uint16_t seqno = 3; seqno < 18; seqno++)
		CU_FALSE(bcast_fx_rx(&fx, seqno));
	CU_TRUE(bcast_fx_rx(&fx, 18));
	bcast_fx_fini(&fx);
}

static bool
announce(struct bcast_fx *fx, uint16_t last_bcast, uint16_t unicast_ack, bool is_probe)
{
	struct rte_mbuf *m = bcast_state(FX_A, 0, 0, NULL, 0);
	bool is_due;

	dpt_msg_set_last_bcast(dpt_buf_hdr(m), last_bcast);
	dpt_msg_set_ack(dpt_buf_hdr(m), unicast_ack);
	dpt_msg_set_probe(dpt_buf_hdr(m), is_probe);
	is_due = dpt_bcast_rcv_state(&fx->rcv, dpt_buf_hdr(m));
	rte_pktmbuf_free(m);
	return is_due;
}

static void
announcement_reveals_the_loss_of_the_last_packets(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	CU_FALSE(announce(&fx, 3, 1, false));
	CU_FALSE(fx.rcv.is_peer_open);
	bcast_fx_sync(&fx, 0);
	/* The peer has not confirmed our init yet. */
	CU_FALSE(announce(&fx, 3, 0, false));
	CU_EQ_U64(fx.rcv.view.gap, 0);
	CU_TRUE(announce(&fx, 3, 1, false));
	CU_TRUE(fx.rcv.is_peer_open);
	CU_EQ_U64(fx.rcv.view.gap, 3);
	/* The answer to a probe says it anyway. */
	CU_FALSE(announce(&fx, 3, 1, true));
	bcast_fx_rx(&fx, 1);
	CU_EQ_U64(fx.rcv.view.gap, 2);
	bcast_fx_rx(&fx, 2);
	bcast_fx_rx(&fx, 3);
	CU_EQ_U64(fx.rcv.view.gap, 0);
	CU_FALSE(announce(&fx, 3, 1, false));
	bcast_fx_fini(&fx);
}

static void
invalid_ack_bit_voids_the_announcement(void)
{
	struct rte_mbuf *m = bcast_state(FX_A, 0, 0, NULL, 0);
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	dpt_msg_set_last_bcast(dpt_buf_hdr(m), 3);
	dpt_msg_set_bc_ack_invalid(dpt_buf_hdr(m), 1);
	CU_FALSE(dpt_bcast_rcv_state(&fx.rcv, dpt_buf_hdr(m)));
	CU_FALSE(fx.rcv.is_peer_open);
	CU_EQ_U64(fx.rcv.view.gap, 0);
	rte_pktmbuf_free(m);
	bcast_fx_fini(&fx);
}

static void
acknowledgements_are_passed_on_when_new_and_open(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	dpt_bcast_rcv_ack(&fx.rcv, 5, &fx.out);
	CU_EQ_U64(fx.out.events_cnt, 0);
	announce(&fx, 0, 1, false);
	dpt_bcast_rcv_last_bcast_set(&fx.rcv, 5);
	CU_TRUE(fx.rcv.view.is_unacked);
	dpt_bcast_rcv_ack(&fx.rcv, 5, &fx.out);
	dpt_bcast_rcv_ack(&fx.rcv, 5, &fx.out);
	CU_EQ_U64_FATAL(fx.out.events_cnt, 1);
	CU_EQ_U64(fx.out.events[0].type, DPT_EVENT_BCAST_ACK);
	CU_EQ_U64(fx.out.events[0].node.value, FX_A.value);
	CU_EQ_U64(fx.out.events[0].value, 5);
	CU_FALSE(fx.rcv.view.is_unacked);
	bcast_fx_fini(&fx);
}

static void
bundle_comes_out_as_its_messages(void)
{
	struct rte_mbuf *m = test_buf_hex(
		"4d50008c 00000000 00000001 01001001 00000000 00001267 01001001 00000000"
		"00000000 00020000"
		"41680030 20000000 00000000 01001001 00000001 00000000 01001001 00000000"
		"00000bb8 00000000 00000005 01000000"
		"41680034 20000000 00000000 01001001 00000001 00000000 01001001 00000000"
		"00000bb8 00000000 00000005 02000000 00000000");
	uint32_t nos[4];
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 0);
	dpt_bcast_rcv_rx(&fx.rcv, m, &fx.out);
	CU_EQ_U64(fx.counters.rx_bundled, 2);
	CU_EQ_U64_FATAL(bcast_fx_got(&fx, nos, 4), 2);
	CU_EQ_U64(nos[0], 1);
	CU_EQ_U64(nos[1], 2);
	bcast_fx_fini(&fx);
}

static void
contact_lost_frees_and_forgets(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_sync(&fx, 10);
	dpt_bcast_rcv_last_bcast_set(&fx.rcv, 33);
	for (uint16_t seqno = 12; seqno < 20; seqno++)
		bcast_fx_rx(&fx, seqno);
	dpt_bcast_rcv_reset(&fx.rcv);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
	CU_EQ_U64(fx.counters.drop_reset, 8);
	CU_FALSE(fx.rcv.view.is_up);
	CU_EQ_U64(fx.rcv.view.gap, 0);
	CU_EQ_U64(fx.rcv.view.blocks_cnt, 0);
	CU_EQ_U64(fx.rcv.view.last_bcast, 33);
	CU_EQ_U64(fx.rcv.rcv_nxt, 1);
	bcast_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(init_message_of_the_capture_synchronises),
	CU_TEST(init_message_counts_once_per_contact),
	CU_TEST(packets_before_the_init_message_are_dropped),
	CU_TEST(packets_come_out_once_and_in_order),
	CU_TEST(view_as_in_the_captured_example),
	CU_TEST(view_has_64_blocks_at_most_the_last_with_a_gap),
	CU_TEST(every_16th_packet_is_acknowledged_at_the_nodes_own_place),
	CU_TEST(gap_is_reported_at_the_nodes_own_place),
	CU_TEST(announcement_reveals_the_loss_of_the_last_packets),
	CU_TEST(invalid_ack_bit_voids_the_announcement),
	CU_TEST(acknowledgements_are_passed_on_when_new_and_open),
	CU_TEST(bundle_comes_out_as_its_messages),
	CU_TEST(contact_lost_frees_and_forgets),
};

const struct cu_suite bcast_suite_rcv = CU_TEST_SUITE("rcv", tests);
