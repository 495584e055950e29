/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending end: packets, window, backlog, bearers, peers. 06-broadcast.md, 2, 4, 7.1. */
#include "bcast_fx.h"

static void
packet_on_the_wire(void)
{
	/* 01-wire-format.md, 18.12: a name table update, but number 1 and another sender. */
	struct rte_mbuf *m = test_buf_hex(
		"5740003c 04000007 00090005 01001001 00000002 00000000 01001001 00000000"
		"00000000 00000000 000049c8 00000011 00000011 11112222 11112223");
	uint8_t want[60];
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	CU_EQ_I64(dpt_bcast_snd_tx(fx.snd, m, 0, &fx.out), 0);
	test_hex("5750003c 04000000 00000001 01001001 00000002 00001267 01001001 00000000"
		 "00000000 00000000 000049c8 00000011 00000011 11112222 11112223",
		 want, sizeof(want));
	CU_EQ_U64_FATAL(fx.out.tx.cnt, 1);
	CU_EQ_MEM(test_flat(fx.out.tx.head), want, sizeof(want));
	CU_TRUE(dpt_buf(fx.out.tx.head)->dst.is_bcast);
	CU_EQ_U64(dpt_buf(fx.out.tx.head)->dst.media, DPT_MEDIA_ETH);
	CU_EQ_U64(dpt_bcast_snd_last(fx.snd), 1);
	bcast_fx_fini(&fx);
}

static void
nothing_is_sent_without_peers(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	CU_EQ_I64(dpt_bcast_snd_tx(fx.snd, bcast_msg(1, 48), 0, &fx.out), 0);
	CU_EQ_U64(fx.out.tx.cnt, 0);
	CU_EQ_U64(fx.counters.drop_no_peers, 1);
	CU_EQ_U64(dpt_bcast_snd_last(fx.snd), 0);
	bcast_fx_fini(&fx);
}

static void
window_is_50_packets_for_the_slowest(void)
{
	uint16_t seqnos[128];
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_peer(&fx, FX_C);
	bcast_fx_send(&fx, 70, 0);
	CU_EQ_U64(bcast_fx_sent(&fx, seqnos, 128), 50);
	dpt_bcast_snd_ack(fx.snd, FX_B, 50, 0, &fx.out);
	CU_EQ_U64(fx.out.tx.cnt, 0);
	dpt_bcast_snd_ack(fx.snd, FX_C, 3, 0, &fx.out);
	CU_EQ_U64_FATAL(bcast_fx_sent(&fx, seqnos, 128), 3);
	CU_EQ_U64(seqnos[0], 51);
	CU_EQ_U64(seqnos[2], 53);
	CU_EQ_U64(fx.counters.tx_released, 3);
	/* A peer that is lost does not hold anything up. */
	dpt_bcast_snd_peer_del(fx.snd, FX_C, 0, &fx.out);
	CU_EQ_U64(bcast_fx_sent(&fx, seqnos, 128), 17);
	CU_EQ_U64(fx.counters.tx_released, 50);
	bcast_fx_fini(&fx);
}

static void
backlog_is_limited_by_importance(void)
{
	static const uint32_t limits[5] = {100, 200, 300, 400, 65535 / (1500 / 20)};

	for (uint32_t importance = 0; importance < 5; importance++) {
		struct bcast_fx fx;
		uint32_t ok = 0;
		int rc = 0;

		cu_context("importance %u", importance);
		bcast_fx_init(&fx);
		bcast_fx_peer(&fx, FX_B);
		while (rc == 0) {
			struct rte_mbuf *m = bcast_msg(ok, 48);

			dpt_msg_set_user(dpt_buf_hdr(m), importance);
			if (importance == DPT_IMPORTANCE_SYSTEM)
				dpt_msg_set_user(dpt_buf_hdr(m), DPT_USER_NAME_DISTRIBUTOR);
			rc = dpt_bcast_snd_tx(fx.snd, m, 0, &fx.out);
			ok += rc == 0;
		}
		CU_EQ_I64(rc, importance == DPT_IMPORTANCE_SYSTEM ? -ENOBUFS : 1);
		CU_EQ_U64(ok, 50 + limits[importance]);
		CU_EQ_U64(dpt_bcast_snd_room(fx.snd), 0x1f & ~(1u << importance));
		dpt_bcast_snd_ack(fx.snd, FX_B, 2, 0, &fx.out);
		CU_EQ_U64(dpt_bcast_snd_room(fx.snd), 0x1f);
		bcast_fx_fini(&fx);
	}
}

static void
source_that_does_not_stop_is_cut_off(void)
{
	struct bcast_fx fx;
	int rc = 0;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	for (uint32_t i = 0; i < 50 + 200; i++)
		CU_TRUE(dpt_bcast_snd_tx(fx.snd, bcast_msg(i, 48), 0, &fx.out) >= 0);
	rc = dpt_bcast_snd_tx(fx.snd, bcast_msg(0, 48), 0, &fx.out);
	CU_EQ_I64(rc, -ENOBUFS);
	CU_EQ_U64(fx.counters.drop_tx_backlog, 1);
	bcast_fx_fini(&fx);
}

static void
order_in_the_backlog_is_kept_over_importances(void)
{
	struct rte_mbuf *m;
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_send(&fx, 50, 0);
	for (uint32_t i = 0; i < 3; i++) {
		m = bcast_msg(100 + i, 48);
		dpt_msg_set_user(dpt_buf_hdr(m), (3 * i + 3) % 4);
		dpt_bcast_snd_tx(fx.snd, m, 0, &fx.out);
	}
	bcast_fx_clear(&fx);
	dpt_bcast_snd_ack(fx.snd, FX_B, 50, 0, &fx.out);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t no;

		m = dpt_bufq_pop(&fx.out.tx);
		CU_NOT_NULL_FATAL(m);
		dpt_buf_read(m, DPT_HDR_MCAST, &no, sizeof(no));
		CU_EQ_U64(no, 100 + i);
		rte_pktmbuf_free(m);
	}
	bcast_fx_fini(&fx);
}

static void
large_message_travels_in_fragments(void)
{
	struct rte_mbuf *m, *got;
	struct bcast_fx fx;
	uint32_t cnt;

	/* 1428 is the limit; 5000 octets: 1388 of payload each, so four. */
	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_sync(&fx, 0);
	CU_EQ_I64(dpt_bcast_snd_tx(fx.snd, bcast_msg(77, 1428), 0, &fx.out), 0);
	CU_EQ_U64(fx.out.tx.cnt, 1);
	CU_EQ_I64(dpt_bcast_snd_tx(fx.snd, bcast_msg(78, 5000), 0, &fx.out), 0);
	CU_EQ_U64(fx.out.tx.cnt, 5);
	cnt = fx.out.tx.cnt;
	for (uint32_t i = 0; i < cnt; i++) {
		m = dpt_bufq_pop(&fx.out.tx);
		CU_TRUE(dpt_buf_bytes(m) <= 1428);
		CU_EQ_U64(m->nb_segs, 1);
		CU_EQ_U64(dpt_msg_destnode(dpt_buf_hdr(m)), 0);
		CU_EQ_U64(dpt_msg_bcast_net_id(dpt_buf_hdr(m)), FX_NET_ID);
		got = dpt_buf_copy(m, test_pool());
		dpt_bcast_rcv_rx(&fx.rcv, got, &fx.out);
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(fx.out.up.cnt, 2);
	CU_EQ_U64(dpt_buf_bytes(fx.out.up.tail), 5000);
	CU_EQ_U64(fx.counters.tx_fragmented, 1);
	CU_EQ_U64(fx.counters.rx_fragmented, 1);
	bcast_fx_fini(&fx);
}

static void
message_in_segments_is_sent_in_one(void)
{
	struct rte_mbuf *flat = bcast_msg(5, 200), *m;
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	m = test_buf_segs(test_flat(flat), 200, 64);
	rte_pktmbuf_free(flat);
	CU_EQ_I64(dpt_bcast_snd_tx(fx.snd, m, 0, &fx.out), 0);
	CU_EQ_U64_FATAL(fx.out.tx.cnt, 1);
	CU_EQ_U64(fx.out.tx.head->nb_segs, 1);
	CU_EQ_U64(dpt_buf_bytes(fx.out.tx.head), 200);
	bcast_fx_fini(&fx);
}

/* Bearers that one message is sent over, as a bit mask. */
static uint32_t
bearers(struct bcast_fx *fx)
{
	uint32_t mask = 0;
	struct rte_mbuf *m;

	CU_EQ_I64(dpt_bcast_snd_tx(fx->snd, bcast_msg(0, 48), 0, &fx->out), 0);
	while ((m = dpt_bufq_pop(&fx->out.tx)) != NULL) {
		mask |= 1u << dpt_buf(m)->bearer_id;
		rte_pktmbuf_free(m);
	}
	return mask;
}

static void
bearer_that_reaches_all_is_used_alone(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	dpt_bcast_snd_dest_add(fx.snd, 0, DPT_MEDIA_ETH, 1500, true);
	dpt_bcast_snd_peer_add(fx.snd, FX_B, 1500, 0);
	CU_EQ_U64(bearers(&fx), 1);
	/* C is only on bearer 1: none reaches all, both are used. */
	dpt_bcast_snd_dest_add(fx.snd, 1, DPT_MEDIA_UDP, 1400, true);
	dpt_bcast_snd_peer_add(fx.snd, FX_C, 1500, 0);
	CU_EQ_U64(bearers(&fx), 3);
	/* B on 1 as well: it is primary. Then C on 0: own address is odd, 0 is taken. */
	dpt_bcast_snd_dest_add(fx.snd, 1, DPT_MEDIA_UDP, 1400, true);
	CU_EQ_U64(bearers(&fx), 2);
	dpt_bcast_snd_dest_add(fx.snd, 0, DPT_MEDIA_ETH, 1500, true);
	CU_EQ_U64(bearers(&fx), 1);
	dpt_bcast_snd_own_set(fx.snd, FX_B);
	dpt_bcast_snd_dest_del(fx.snd, 0);
	dpt_bcast_snd_dest_add(fx.snd, 0, DPT_MEDIA_ETH, 1500, true);
	CU_EQ_U64(bearers(&fx), 2);
	bcast_fx_fini(&fx);
}

static void
packet_is_copied_for_the_second_bearer(void)
{
	struct rte_mbuf *first, *second;
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	dpt_bcast_snd_dest_add(fx.snd, 1, DPT_MEDIA_ETH, 1500, true);
	dpt_bcast_snd_peer_add(fx.snd, FX_C, 1500, 0);
	bcast_fx_send(&fx, 1, 0);
	CU_EQ_U64_FATAL(fx.out.tx.cnt, 2);
	first = fx.out.tx.head;
	second = fx.out.tx.tail;
	CU_TRUE(first != second);
	CU_EQ_U64(dpt_msg_seqno(dpt_buf_hdr(first)), 1);
	CU_EQ_U64(dpt_msg_seqno(dpt_buf_hdr(second)), 1);
	/* One is kept for retransmission by a second reference; the other is the bearer's. */
	CU_EQ_U64(rte_mbuf_refcnt_read(first), 2);
	CU_EQ_U64(rte_mbuf_refcnt_read(second), 1);
	bcast_fx_fini(&fx);
}

static void
retransmission_while_the_bearer_holds_the_packet_is_a_copy(void)
{
	struct rte_mbuf *m, *again;
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_send(&fx, 1, 0);
	m = dpt_bufq_pop(&fx.out.tx);
	CU_NOT_NULL_FATAL(m);
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_B, 0, 1, NULL, 0), 11 * FX_MS, &fx.out);
	again = dpt_bufq_pop(&fx.out.tx);
	CU_NOT_NULL_FATAL(again);
	CU_TRUE(again != m);
	CU_EQ_MEM(dpt_buf_hdr(again), dpt_buf_hdr(m), 48);
	rte_pktmbuf_free(again);
	rte_pktmbuf_free(m);
	/* Given back: the packet itself goes out. */
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_B, 0, 1, NULL, 0), 22 * FX_MS, &fx.out);
	CU_EQ_PTR(fx.out.tx.head, m);
	bcast_fx_fini(&fx);
}

static void
numbering_goes_on_while_a_peer_is_left(void)
{
	uint16_t seqnos[8];
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_send(&fx, 3, 0);
	dpt_bcast_snd_dest_add(fx.snd, 0, DPT_MEDIA_ETH, 1500, true);
	CU_EQ_I64(dpt_bcast_snd_peer_add(fx.snd, FX_C, 1500, 0), 3);
	CU_EQ_I64(dpt_bcast_snd_peer_add(fx.snd, FX_C, 1500, 0), -EEXIST);
	dpt_bcast_snd_peer_del(fx.snd, FX_B, 0, &fx.out);
	CU_EQ_U64(dpt_bcast_snd_last(fx.snd), 3);
	CU_EQ_U64(fx.counters.tx_released, 3);
	/* The last one goes with packets in the window and in the backlog. */
	bcast_fx_send(&fx, 60, 0);
	dpt_bcast_snd_peer_del(fx.snd, FX_C, 0, &fx.out);
	bcast_fx_clear(&fx);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
	CU_EQ_U64(fx.counters.drop_tx_reset, 10);
	/* Late packets of the old contact must not fit into the next one. */
	CU_EQ_U64(dpt_bcast_snd_last(fx.snd), 53);
	CU_EQ_U64(dpt_bcast_snd_peers_cnt(fx.snd), 0);
	CU_EQ_I64(dpt_bcast_snd_peer_add(fx.snd, FX_C, 1500, 0), 53);
	bcast_fx_send(&fx, 1, 0);
	CU_EQ_U64(bcast_fx_sent(&fx, seqnos, 8), 1);
	CU_EQ_U64(seqnos[0], 54);
	bcast_fx_fini(&fx);
}

static void
numbers_wrap_round(void)
{
	uint16_t seqnos[64];
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	for (uint32_t round = 0; round < 70000 / 50; round++) {
		bcast_fx_send(&fx, 50, 0);
		CU_EQ_U64_FATAL(bcast_fx_sent(&fx, seqnos, 64), 50);
		dpt_bcast_snd_ack(fx.snd, FX_B, seqnos[49], 0, &fx.out);
	}
	CU_EQ_U64(dpt_bcast_snd_last(fx.snd), 70000 & 0xffff);
	CU_EQ_U64(fx.counters.tx_released, 70000);
	bcast_fx_fini(&fx);
}

static void
peers_come_and_go_up_to_the_maximum(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 1; i <= 100; i++)
			bcast_fx_peer(&fx, dpt_node_addr(i * 7));
		CU_EQ_I64(dpt_bcast_snd_peer_add(fx.snd, FX_B, 1500, 0), -ENOSPC);
		bcast_fx_send(&fx, 1, 0);
		bcast_fx_clear(&fx);
		for (uint32_t i = 1; i <= 100; i++) {
			struct dpt_node_addr peer = dpt_node_addr(i * 7);

			CU_EQ_U64(dpt_bcast_snd_peers_cnt(fx.snd), 101 - i);
			CU_EQ_U64(fx.counters.tx_released, round);
			dpt_bcast_snd_dest_del(fx.snd, 0);
			dpt_bcast_snd_peer_del(fx.snd, peer, 0, &fx.out);
		}
		CU_EQ_U64(fx.counters.tx_released, round + 1);
	}
	bcast_fx_fini(&fx);
}

static void
empty_pool_refuses_or_skips_but_keeps_order(void)
{
	struct rte_mbuf *big;
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	dpt_bcast_snd_dest_add(fx.snd, 1, DPT_MEDIA_ETH, 1500, true);
	dpt_bcast_snd_peer_add(fx.snd, FX_C, 1500, 0);
	big = bcast_msg(1, 5000);
	test_pool_exhaust(1);
	/* A fragmented message goes whole or not at all. */
	CU_EQ_I64(dpt_bcast_snd_tx(fx.snd, big, 0, &fx.out), -ENOBUFS);
	CU_EQ_U64(fx.counters.drop_tx_no_buffer, 1);
	CU_EQ_U64(dpt_bcast_snd_last(fx.snd), 0);
	test_pool_release();
	test_pool_exhaust(1);
	/* No copy for the second bearer: sent over the first, kept for retransmission. */
	bcast_fx_send(&fx, 1, 0);
	CU_EQ_U64(fx.out.tx.cnt, 1);
	CU_EQ_U64(fx.counters.tx_no_buffer, 1);
	test_pool_release();
	bcast_fx_fini(&fx);
}

static void
print_tells_the_window(void)
{
	struct bcast_fx fx;
	char text[200];

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_send(&fx, 55, 0);
	dpt_bcast_snd_print(fx.snd, text, sizeof(text));
	CU_EQ_STR(text, "bcast own 01001001 peers 1 window 1..50 unacked 50 backlog 5 mtu 1500 "
			"bearers 1");
	bcast_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(packet_on_the_wire),
	CU_TEST(nothing_is_sent_without_peers),
	CU_TEST(window_is_50_packets_for_the_slowest),
	CU_TEST(backlog_is_limited_by_importance),
	CU_TEST(source_that_does_not_stop_is_cut_off),
	CU_TEST(order_in_the_backlog_is_kept_over_importances),
	CU_TEST(large_message_travels_in_fragments),
	CU_TEST(message_in_segments_is_sent_in_one),
	CU_TEST(bearer_that_reaches_all_is_used_alone),
	CU_TEST(packet_is_copied_for_the_second_bearer),
	CU_TEST(retransmission_while_the_bearer_holds_the_packet_is_a_copy),
	CU_TEST(numbering_goes_on_while_a_peer_is_left),
	CU_TEST(numbers_wrap_round),
	CU_TEST(peers_come_and_go_up_to_the_maximum),
	CU_TEST(empty_pool_refuses_or_skips_but_keeps_order),
	CU_TEST(print_tells_the_window),
};

const struct cu_suite bcast_suite_snd = CU_TEST_SUITE("snd", tests);
