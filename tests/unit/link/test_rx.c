/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The receiver's side: sequence, deferral, NACKs, the 16-packet acknowledgement, what is
 * delivered and what is not. Src: 03-link-node.md, 10.3, 13.
 */
#include <string.h>

#include "link_rig.h"

static struct rte_mbuf *
user_pkt(uint16_t seq, enum dpt_user user, uint32_t type, uint32_t payload_bytes)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), user, type, DPT_HDR_INTERNAL, payload_bytes,
					   dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));

	CU_NOT_NULL_FATAL(m);
	dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
	return m;
}

static void
packets_are_delivered_once_and_in_order(void)
{
	static const uint16_t arrivals[] = {2, 4, 3, 3, 1, 1, 6, 5, 2};
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	for (size_t i = 0; i < CU_CNT(arrivals); i++)
		rig_rx(&rig, arrivals[i], 0);
	CU_EQ_U64(rig.in.cnt, 6);
	for (unsigned int seq = 1; (m = dpt_bufq_pop(&rig.in)) != NULL; seq++) {
		CU_EQ_U64(dpt_msg_seqno(dpt_buf_hdr(m)), seq);
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(rig.sums.duplicates, 3);
	CU_EQ_U64(rig.sums.drop_duplicate, 3);
	CU_EQ_U64(rig.sums.recv_pkts, 6);
	rig_end(&rig);
}

static void
nack_at_3_19_35_deferred_packets(void)
{
	struct rig rig;

	rig_init_up(&rig);
	for (uint16_t n = 1; n <= 40; n++) {
		cu_context("deferred %u", n);
		rig_rx(&rig, (uint16_t)(n + 4), 0);
		CU_EQ_U64(rig.out.tx.cnt, n == 3 || n == 19 || n == 35);
		if (rig.out.tx.cnt > 0) {
			CU_EQ_U64(dpt_msg_seq_gap(rig_tx_hdr(&rig, 0)), 4);
			CU_EQ_U64(dpt_msg_ack(rig_tx_hdr(&rig, 0)), 0);
			CU_EQ_U64(dpt_msg_is_keepalive(rig_tx_hdr(&rig, 0)), 0);
		}
		rig_tx_clear(&rig);
	}
	CU_EQ_U64(rig.sums.sent_nacks, 3);
	CU_EQ_U64(rig.sums.deferred_recv, 40);
	rig_end(&rig);
}

static void
sixteen_packets_are_acknowledged(void)
{
	struct rig rig;

	rig_init_up(&rig);
	for (uint16_t seq = 1; seq <= 48; seq++) {
		cu_context("packet %u", seq);
		rig_rx(&rig, seq, 0);
		CU_EQ_U64(rig.out.tx.cnt, seq % 16 == 0);
		if (rig.out.tx.cnt > 0)
			CU_EQ_U64(dpt_msg_ack(rig_tx_hdr(&rig, 0)), seq);
		rig_tx_clear(&rig);
	}
	CU_EQ_U64(rig.sums.sent_acks, 3);
	/* Own packets acknowledge too: the count starts anew. */
	for (uint16_t seq = 49; seq <= 63; seq++)
		rig_rx(&rig, seq, 0);
	rig_send(&rig, 0, 1);
	CU_EQ_U64(dpt_msg_ack(rig_tx_hdr(&rig, 0)), 63);
	rig_rx(&rig, 64, 0);
	CU_EQ_U64(rig_tx_clear(&rig), 1);
	rig_end(&rig);
}

/* rcv_nxt 5, deferred 8 9 12 13 14 20: <9,2> <14,5> <20,0>. */
static void
gap_blocks_as_in_10_3(void)
{
	static const uint16_t arrivals[] = {1, 2, 3, 4, 20, 9, 13, 8, 12, 14};
	static const struct dpt_gap_block want[] = {{9, 2}, {14, 5}, {20, 0}};
	struct dpt_gap_record rec;
	struct rig rig;

	rig_init_up(&rig);
	for (size_t i = 0; i < CU_CNT(arrivals); i++)
		rig_rx(&rig, arrivals[i], 0);
	CU_EQ_U64(link_defer_gap(rig.link), 3);
	link_gap_blocks(rig.link, &rec);
	CU_EQ_U64(rec.ucast_cnt, CU_CNT(want));
	for (size_t i = 0; i < CU_CNT(want); i++) {
		CU_EQ_U64(rec.ucast[i].ack, want[i].ack);
		CU_EQ_U64(rec.ucast[i].gap, want[i].gap);
	}
	rig_end(&rig);
}

static void
more_than_64_runs_report_the_first_64(void)
{
	struct dpt_gap_record rec;
	struct rig rig;

	rig_init_up(&rig);
	for (uint16_t i = 0; i < 70; i++)
		rig_rx(&rig, (uint16_t)(2 + 2 * i), 0);
	link_gap_blocks(rig.link, &rec);
	CU_EQ_U64(rec.ucast_cnt, DPT_GAP_BLOCKS_MAX);
	CU_EQ_U64(rec.ucast[63].ack, 2 + 2 * 63);
	CU_EQ_U64(rec.ucast[63].gap, 1);
	rig_end(&rig);
}

/* A deferred packet that a block has reported stays; those that do not fit are refused. */
static void
hazard_03_16_defer_ring_is_bounded(void)
{
	struct rig rig;

	rig_init_with(&rig, &rig_setup, 64);
	rig_up(&rig);
	for (uint16_t seq = 2; seq <= 80; seq++)
		rig_rx(&rig, seq, 0);
	CU_EQ_U64(rig.link->defer.cnt, 63);
	CU_EQ_U64(rig.link->defer.last, 64);
	CU_EQ_U64(rig.sums.drop_defer_full, 16);
	rig_rx(&rig, 1, 0);
	CU_EQ_U64(rig.in.cnt, 64);
	CU_EQ_U64(rig.link->rcv_nxt, 65);
	CU_EQ_U64(rig.link->defer.cnt, 0);
	rig_end(&rig);
}

static void
packets_outside_the_window_are_dropped_and_their_ack_not_used(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, 0, 5);
	rig_rx(&rig, 1, 0);
	CU_EQ_U64(rig_rx(&rig, 1, 5), 0);
	CU_EQ_U64(rig_rx(&rig, 2 + 8192, 5), 0);
	CU_EQ_U64(rig.link->snd_cnt, 5);
	CU_EQ_U64(rig.sums.drop_duplicate, 1);
	CU_EQ_U64(rig.sums.drop_window, 1);
	/* Within the window, early: its ack counts. */
	CU_EQ_U64(rig_rx(&rig, 3, 5), DPT_LINK_R_ACCEPTED);
	CU_EQ_U64(rig.link->snd_cnt, 0);
	rig_end(&rig);
}

static void
packet_brings_an_establishing_link_up_and_is_dropped(void)
{
	struct rig rig;

	rig_init(&rig);
	CU_EQ_U64(rig_rx(&rig, 1, 0), 0);
	rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B));
	CU_EQ_U64(rig_rx(&rig, 1, 0), DPT_LINK_R_UP);
	CU_EQ_U64(rig.in.cnt, 0);
	CU_EQ_U64(rig.sums.drop_not_up, 2);
	rig_end(&rig);
}

static void
bundle_is_unwrapped_up_to_its_malformed_rest(void)
{
	struct rte_mbuf *m = user_pkt(1, DPT_USER_BUNDLER, 0, 3 * 28);
	uint8_t *inner = dpt_buf_hdr(m) + DPT_HDR_INTERNAL;
	struct rig rig;

	rig_init_up(&rig);
	memset(inner, 0, 3 * 28);
	for (unsigned int i = 0; i < 3; i++) {
		dpt_msg_init(inner + 28 * i, DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT,
			     dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));
		dpt_msg_set_size(inner + 28 * i, 28);
	}
	rig_rx_buf(&rig, m);
	CU_EQ_U64(rig_in_clear(&rig), 3);
	CU_EQ_U64(rig.sums.consumed_bundle, 1);
	m = user_pkt(2, DPT_USER_BUNDLER, 0, 64);
	inner = dpt_buf_hdr(m) + DPT_HDR_INTERNAL;
	memset(inner, 0, 64);
	dpt_msg_init(inner, DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT, dpt_node_addr(RIG_B),
		     dpt_node_addr(RIG_A));
	rig_rx_buf(&rig, m);
	CU_EQ_U64(rig_in_clear(&rig), 1);
	CU_EQ_U64(rig.sums.drop_bundle, 1);
	CU_EQ_U64(rig.sums.recv_bundled, 4);
	CU_EQ_U64(rig.link->state, DPT_LINK_ESTABLISHED);
	rig_end(&rig);
}

static void
stray_fragment_resets_the_link(void)
{
	struct rig rig;

	rig_init_up(&rig);
	CU_EQ_U64(rig_rx_buf(&rig, user_pkt(1, DPT_USER_FRAGMENTER, DPT_TYPE_FRAGMENT, 100)),
		  DPT_LINK_R_ACCEPTED | DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.sums.drop_fragment, 1);
	CU_EQ_U64(rig.link->last_down, DPT_DOWN_REASSEMBLY);
	rig_end(&rig);
}

static void
hazard_03_24_users_that_no_link_delivers(void)
{
	static const enum dpt_user users[] = {DPT_USER_SYSTEM, DPT_USER_LINK_CONFIG,
					      DPT_USER_CRYPTO, 15};
	struct rig rig;

	rig_init_up(&rig);
	for (uint16_t i = 0; i < CU_CNT(users); i++) {
		struct rte_mbuf *m = user_pkt((uint16_t)(i + 1), DPT_USER_CONN_MANAGER, 0, 0);

		dpt_msg_set_user(dpt_buf_hdr(m), users[i]);
		rig_rx_buf(&rig, m);
	}
	CU_EQ_U64(rig.in.cnt, 0);
	CU_EQ_U64(rig.sums.drop_user, CU_CNT(users));
	CU_EQ_U64(rig.link->rcv_nxt, CU_CNT(users) + 1);
	rig_end(&rig);
}

/* What a tunnel packet says is the node's business; here it takes its place in sequence. */
static void
tunnel_packet_is_consumed_in_sequence(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_rx_buf(&rig, user_pkt(1, DPT_USER_TUNNEL, DPT_TYPE_SYNCH, 0));
	CU_EQ_U64(rig.sums.consumed_synch, 1);
	rig_rx_buf(&rig, user_pkt(2, DPT_USER_TUNNEL, DPT_TYPE_FAILOVER, 0));
	CU_EQ_U64(rig.sums.drop_tunnel, 1);
	rig_rx(&rig, 3, 0);
	CU_EQ_U64(rig.in.cnt, 1);
	rig_end(&rig);
}

static void
hazard_03_27_reset_discards_an_unfinished_message(void)
{
	struct rte_mbuf *m;
	struct dpt_bufq q;
	struct rig rig;

	rig_init_up(&rig);
	dpt_bufq_init(&q);
	dpt_link_fragment(rig_msg(0, 3000), 1388, dpt_node_addr(RIG_B), dpt_node_addr(RIG_A),
			  test_pool(), &q);
	for (uint16_t seq = 1; seq <= 2; seq++) {
		m = dpt_bufq_pop(&q);
		dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
		rig_rx_buf(&rig, m);
	}
	CU_EQ_U64(rig.sums.consumed_fragment, 1);
	dpt_link_event(rig.link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.sums.drop_reassembly_down, 1);
	CU_IS_NULL(rig.link->reassembly.head);
	dpt_bufq_free(&q);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(packets_are_delivered_once_and_in_order),
	CU_TEST(nack_at_3_19_35_deferred_packets),
	CU_TEST(sixteen_packets_are_acknowledged),
	CU_TEST(gap_blocks_as_in_10_3),
	CU_TEST(more_than_64_runs_report_the_first_64),
	CU_TEST(hazard_03_16_defer_ring_is_bounded),
	CU_TEST(packets_outside_the_window_are_dropped_and_their_ack_not_used),
	CU_TEST(packet_brings_an_establishing_link_up_and_is_dropped),
	CU_TEST(bundle_is_unwrapped_up_to_its_malformed_rest),
	CU_TEST(stray_fragment_resets_the_link),
	CU_TEST(hazard_03_24_users_that_no_link_delivers),
	CU_TEST(tunnel_packet_is_consumed_in_sequence),
	CU_TEST(hazard_03_27_reset_discards_an_unfinished_message),
};
const struct cu_suite rx_suite = CU_TEST_SUITE("rx", tests);
