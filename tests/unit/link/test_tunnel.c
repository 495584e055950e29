/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Tunnel packets octet by octet, and what may be wrong with those of a peer.
 * Src: 03-link-node.md, 19, 20.2, 27.8 to 27.11; 01-wire-format.md, 8.3.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "link_rig.h"

/* The octets of the n-th frame sent are these words. */
static void
check_words(const struct rig *rig, unsigned int n, const char *words)
{
	const uint8_t *hdr = rig_tx_hdr(rig, n);

	CU_NOT_NULL_FATAL(hdr);
	for (unsigned int w = 0; *words != '\0'; words += 9, w++) {
		cu_context("frame %u word %u", n, w);
		CU_EQ_U64(dpt_msg_word(hdr, w), strtoul(words, NULL, 16));
	}
}

/* Links F (bearer 1 at the peer) and T of one node. Both pools are one: end F first. */
static void
init_two(struct rig *failed, struct rig *tunnel)
{
	rig_init_up(tunnel);
	rig_init_up(failed);
	failed->link->peer_bearer_id = 1;
}

static void
end_two(struct rig *failed, struct rig *tunnel)
{
	rig_tx_clear(failed);
	rig_in_clear(failed);
	dpt_link_fini(failed->link, failed->now_ns);
	rig_end(tunnel);
}

static void
example_27_8_enhanced_synch(void)
{
	struct rig first, link;

	init_two(&first, &link);
	first.link->snd_nxt = first.link->snd_una = 58;
	CU_EQ_I64(dpt_link_synch(link.link, first.link, link.now_ns, &link.out), 0);
	CU_EQ_U64(link.out.tx.cnt, 1);
	CU_EQ_U64(dpt_msg_size(rig_tx_hdr(&link, 0)), 40);
	check_words(&link, 0,
		    "55400028 00000000 00000001 02010000 00000000 00000200 02010000 02020000 "
		    "00000000 00390000 ");
	end_two(&first, &link);
}

/* 55, 56, 57 sent, not confirmed; ack 9 of T is 20, of F 9; the peer has 3 broadcasts. */
static void
example_27_9_and_27_10_failover(void)
{
	struct rig failed, tunnel;
	struct rte_mbuf *m;

	init_two(&failed, &tunnel);
	failed.view.ack = tunnel.view.ack = 3;
	failed.link->snd_nxt = failed.link->snd_una = 55;
	failed.link->rcv_nxt = 10;
	tunnel.link->snd_nxt = tunnel.link->snd_una = 31;
	tunnel.link->rcv_nxt = 21;
	for (unsigned int i = 0; i < 3; i++) {
		m = rig_msg(0, 5);
		dpt_msg_set_origport(dpt_buf_hdr(m), 0x11112222);
		dpt_msg_set_destport(dpt_buf_hdr(m), 0x33334444);
		memcpy(dpt_buf_hdr(m) + 24, "hello", 5);
		dpt_link_tx(failed.link, m, failed.now_ns, &failed.out);
	}
	rig_tx_clear(&failed);
	CU_EQ_I64(dpt_link_failover(failed.link, tunnel.link, tunnel.now_ns, &tunnel.out), 0);
	CU_EQ_U64(tunnel.out.tx.cnt, 4);
	check_words(&tunnel, 0,
		    "55400045 20000003 0014001f 02010000 00000000 00000200 02010000 02020000 "
		    "00000000 00040000 40c0001d 00000003 00090037 02010000 11112222 33334444 "
		    "68656c6c ");
	/* The dummy's user is SYSTEM by its error code only; word 1: its broadcast ack is none. */
	check_words(&tunnel, 3,
		    "55400048 20000003 00140022 02010000 00000000 00000200 02010000 02020000 "
		    "00000000 00040000 41000020 64000000 0009003a 02010000 00000000 00000000 "
		    "02010000 02020000 ");
	CU_EQ_U64(dpt_link_drop_point(tunnel.link), 10);
	end_two(&failed, &tunnel);
}

/* 132 octets through a tunnel of 104: three pieces of 64, 64 and 4 of five packets. */
static void
example_27_11_cut_tunnel_packet(void)
{
	struct rig failed, tunnel;
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_DIRECT, 32, 100,
					   dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));

	init_two(&failed, &tunnel);
	for (uint32_t i = 0; i < 100; i++)
		dpt_buf_hdr(m)[32 + i] = (uint8_t)i;
	dpt_msg_set_origport(dpt_buf_hdr(m), 0x11112222);
	dpt_msg_set_destport(dpt_buf_hdr(m), 0x33334444);
	dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
	tunnel.view.ack = 3;
	tunnel.link->snd_nxt = tunnel.link->snd_una = 33;
	tunnel.link->rcv_nxt = 21;
	tunnel.link->mtu = 104;
	rig_send(&failed, 0, 1);
	dpt_link_tx(failed.link, m, failed.now_ns, &failed.out);
	rig_tx_clear(&failed);
	CU_EQ_I64(dpt_link_failover(failed.link, tunnel.link, tunnel.now_ns, &tunnel.out), 0);
	CU_EQ_U64(tunnel.out.tx.cnt, 1 + 3 + 1);
	check_words(&tunnel, 1,
		    "55400068 20000003 00140022 02010000 00010003 00000200 02010000 02020000 "
		    "00000000 00050000 41080084 60000000 00000002 02010000 11112222 33334444 "
		    "02010000 02020000 00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 "
		    "18191a1b 1c1d1e1f ");
	check_words(&tunnel, 3,
		    "5540002c 20000003 00140024 02010000 00030003 00000200 02010000 02020000 "
		    "00000000 00050000 60616263 ");
	end_two(&failed, &tunnel);
}

/* An exact multiple has an empty last piece; the receiver takes it. */
static void
exact_multiple_has_an_empty_last_piece(void)
{
	struct rig failed, tunnel, peer;
	struct rte_mbuf *m;

	init_two(&failed, &tunnel);
	tunnel.link->mtu = 104;
	dpt_link_tx(failed.link, rig_msg(0, 128 - 24), failed.now_ns, &failed.out);
	rig_tx_clear(&failed);
	CU_EQ_I64(dpt_link_failover(failed.link, tunnel.link, tunnel.now_ns, &tunnel.out), 0);
	CU_EQ_U64(tunnel.out.tx.cnt, 3 + 1);
	CU_EQ_U64(dpt_msg_size(rig_tx_hdr(&tunnel, 2)), 40);
	rig_init_up(&peer);
	link_tunnel_expect(peer.link, 1, peer.now_ns);
	while ((m = dpt_bufq_pop(&tunnel.out.tx)) != NULL) {
		struct rte_mbuf *copy = dpt_buf_copy(m, test_pool());

		rte_pktmbuf_free(m);
		CU_EQ_U64(rig_rx_buf(&peer, copy), DPT_LINK_R_ACCEPTED);
	}
	CU_EQ_U64(peer.in.cnt, 1);
	CU_EQ_U64(dpt_buf_bytes(peer.in.head), 128);
	CU_EQ_U64(dpt_link_drop_point(peer.link), 3);
	rig_in_clear(&peer);
	dpt_link_fini(peer.link, peer.now_ns);
	end_two(&failed, &tunnel);
}

static void
half_failover_sends_one_dummy(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig.link->peer_bearer_id = 2;
	CU_EQ_I64(dpt_link_failover_half(rig.link, rig.now_ns, &rig.out), 0);
	CU_EQ_U64(rig.out.tx.cnt, 1);
	check_words(&rig, 0,
		    "55400048 20000000 00000001 02010000 00000000 00000400 02010000 02020000 "
		    "00000000 00010000 41000020 64000000 00000000 ");
	CU_EQ_U64(dpt_link_drop_point(rig.link), 1);
	test_pool_exhaust(0);
	CU_EQ_I64(dpt_link_failover_half(rig.link, rig.now_ns, &rig.out), -ENOBUFS);
	test_pool_release();
	rig_end(&rig);
}

/* A FAILOVER packet of B, link number seq, with an inner message of that user and number. */
static struct rte_mbuf *
tunnelled(uint16_t seq, enum dpt_user user, uint16_t inner_seq, uint32_t payload_bytes)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_TUNNEL, DPT_TYPE_FAILOVER,
					   DPT_HDR_INTERNAL, DPT_HDR_INTERNAL + payload_bytes,
					   dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));
	uint8_t *inner = dpt_buf_hdr(m) + DPT_HDR_INTERNAL;

	dpt_msg_init(inner, user, 0, DPT_HDR_INTERNAL, dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));
	dpt_msg_set_size(inner, DPT_HDR_INTERNAL + payload_bytes);
	dpt_msg_set_seqno(inner, inner_seq);
	dpt_msg_set_ack(inner, 5000);
	dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
	dpt_msg_set_msgcnt(dpt_buf_hdr(m), 10);
	return m;
}

static void
hazard_03_22_only_link_users_and_no_nesting(void)
{
	static const struct {
		enum dpt_user user;
		uint32_t delivered;
	} cases[] = {
		{DPT_USER_LOW, 1},
		{DPT_USER_CRITICAL, 1},
		{DPT_USER_SYSTEM, 0},
		{DPT_USER_BCAST_PROTOCOL, 1},
		{DPT_USER_BUNDLER, 0},
		{DPT_USER_LINK_PROTOCOL, 0},
		{DPT_USER_CONN_MANAGER, 1},
		{DPT_USER_GROUP_PROTOCOL, 1},
		{DPT_USER_TUNNEL, 0},
		{DPT_USER_NAME_DISTRIBUTOR, 1},
		{DPT_USER_LINK_CONFIG, 0},
		{DPT_USER_CRYPTO, 0},
		{15, 0},
	};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct rig rig;

		cu_context("user %u", cases[i].user);
		rig_init_up(&rig);
		link_tunnel_expect(rig.link, 7, rig.now_ns);
		CU_EQ_U64(rig_rx_buf(&rig, tunnelled(1, cases[i].user, 7, 0)), DPT_LINK_R_ACCEPTED);
		CU_EQ_U64(rig.in.cnt, cases[i].delivered);
		/* Ignored or not, the link carries on; the inner ack is not read. */
		CU_EQ_U64(rig.link->rcv_nxt, 2);
		CU_EQ_U64(rig.link->state, DPT_LINK_ESTABLISHED);
		CU_EQ_U64(rig.sums.ack_invalid, 0);
		rig_end(&rig);
	}
}

static void
hazard_03_22_inner_numbers_go_through_the_drop_point(void)
{
	static const uint16_t arrivals[] = {6, 9, 8, 8, 65000, 7, 7, 10};
	struct rig rig;

	rig_init_up(&rig);
	link_tunnel_expect(rig.link, 7, rig.now_ns);
	for (uint16_t i = 0; i < CU_CNT(arrivals); i++)
		rig_rx_buf(&rig,
			   tunnelled((uint16_t)(i + 1), DPT_USER_CONN_MANAGER, arrivals[i], 0));
	CU_EQ_U64(rig.in.cnt, 4);
	CU_EQ_U64(dpt_link_drop_point(rig.link), 11);
	CU_EQ_U64(rig.sums.drop_tunnel_duplicate, 4);
	/* Far ahead: beyond what is kept. */
	rig_rx_buf(&rig, tunnelled(9, DPT_USER_CONN_MANAGER, 11 + RIG_RING_PKTS, 0));
	CU_EQ_U64(rig.sums.drop_defer_full, 1);
	rig_end(&rig);
}

/* Content that is no message: ignored, no failure. */
static void
hazard_03_22_malformed_content(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	link_tunnel_expect(rig.link, 1, rig.now_ns);
	for (uint16_t i = 0; i < 4; i++) {
		m = tunnelled((uint16_t)(i + 1), DPT_USER_LOW, 1, 0);
		if (i == 0)
			dpt_msg_set_size(dpt_buf_hdr(m) + 40, 41);
		else if (i == 1)
			dpt_msg_set_version(dpt_buf_hdr(m) + 40, 7);
		else if (i == 2)
			dpt_msg_set_hdr_words(dpt_buf_hdr(m) + 40, 3);
		else
			dpt_buf_trim(m, 40 + 23);
		CU_EQ_U64(rig_rx_buf(&rig, m), DPT_LINK_R_ACCEPTED);
	}
	CU_EQ_U64(rig.sums.drop_tunnel_inner, 4);
	CU_EQ_U64(rig.in.cnt, 0);
	CU_EQ_U64(dpt_link_drop_point(rig.link), 1);
	rig_end(&rig);
}

/* Pieces of a tunnel packet that do not fit together are a failure of the tunnel. */
static void
stray_piece_resets_the_tunnel(void)
{
	struct rte_mbuf *m = tunnelled(1, DPT_USER_LOW, 1, 0);
	struct rig rig;

	rig_init_up(&rig);
	link_tunnel_expect(rig.link, 1, rig.now_ns);
	dpt_msg_set_fragm_no(dpt_buf_hdr(m), 2);
	dpt_msg_set_nof_fragms(dpt_buf_hdr(m), 3);
	CU_TRUE(rig_rx_buf(&rig, m) & DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.sums.drop_fragment, 1);
	CU_EQ_U64(rig.link->last_down, DPT_DOWN_REASSEMBLY);
	rig_end(&rig);
}

/* What is left of one failover is gone at its end, at the next one, and at a reset. */
static void
hazard_03_17_nothing_stale_is_kept(void)
{
	struct rig rig;

	rig_init_up(&rig);
	link_tunnel_expect(rig.link, 1, rig.now_ns);
	for (uint16_t seq = 1; seq <= 3; seq++)
		rig_rx_buf(&rig, tunnelled(seq, DPT_USER_CONN_MANAGER, (uint16_t)(seq + 1), 0));
	CU_EQ_U64(rig.link->fo_defer.cnt, 3);
	dpt_link_failover_end(rig.link, rig.now_ns);
	CU_EQ_U64(rig.sums.drop_tunnel_end, 3);
	/* A late one of the series: no failover any more. */
	rig_rx_buf(&rig, tunnelled(4, DPT_USER_CONN_MANAGER, 1, 0));
	CU_EQ_U64(rig.sums.drop_tunnel, 1);
	link_tunnel_expect(rig.link, 1, rig.now_ns);
	rig_rx_buf(&rig, tunnelled(5, DPT_USER_CONN_MANAGER, 2, 0));
	link_tunnel_expect(rig.link, 1, rig.now_ns);
	CU_EQ_U64(rig.sums.drop_tunnel_end, 4);
	CU_EQ_U64(rig.link->fo_defer.cnt, 0);
	rig_rx_buf(&rig, tunnelled(6, DPT_USER_CONN_MANAGER, 2, 0));
	dpt_link_event(rig.link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.sums.drop_deferred_down, 1);
	CU_FALSE(rig.link->is_failover);
	CU_EQ_U64(rig.in.cnt, 0);
	rig_end(&rig);
}

/* The same bound in octets as for the link's own. */
static void
hazard_03_17_octets_are_bounded(void)
{
	struct rig rig;

	rig_init_with(&rig, &rig_setup, 64);
	rig_up(&rig);
	link_tunnel_expect(rig.link, 1, rig.now_ns);
	for (uint16_t seq = 1; seq <= 60; seq++)
		rig_rx_buf(&rig, tunnelled(seq, DPT_USER_CONN_MANAGER, (uint16_t)(seq + 1), 8000));
	CU_TRUE(rig.link->fo_defer.bytes <= 64 * LINK_DEFER_PLACE_BYTES);
	CU_TRUE(rig.sums.drop_defer_full >= 40);
	rig_end(&rig);
}

/* The link reads nothing of a SYNCH packet, whatever the peer's form of it is. */
static void
hazard_03_21_synch_too_short_for_an_inner_header(void)
{
	struct rig rig;

	rig_init_up(&rig);
	for (uint16_t seq = 1; seq <= 48; seq++) {
		struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_TUNNEL, DPT_TYPE_SYNCH,
						   DPT_HDR_INTERNAL, seq / 2U, dpt_node_addr(RIG_B),
						   dpt_node_addr(RIG_A));

		rig.link->caps = seq % 2 ? DPT_CAPS_OWN : 0;
		dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
		CU_TRUE(rig_rx_buf(&rig, m) & DPT_LINK_R_ACCEPTED);
	}
	CU_EQ_U64(rig.sums.consumed_synch, 48);
	CU_EQ_U64(rig.in.cnt, 0);
	rig_end(&rig);
}

/* Two contexts more than a link has by itself: gone with the link. */
static void
hazard_03_27_reset_discards_what_was_tunnelled_in_part(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	link_tunnel_expect(rig.link, 1, rig.now_ns);
	m = tunnelled(1, DPT_USER_FRAGMENTER, 1, 500);
	dpt_msg_init(dpt_buf_hdr(m) + 80, DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT,
		     dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));
	dpt_msg_set_size(dpt_buf_hdr(m) + 80, 1000);
	CU_EQ_U64(rig_rx_buf(&rig, m), DPT_LINK_R_ACCEPTED);
	m = tunnelled(2, DPT_USER_LOW, 2, 500);
	dpt_msg_set_size(dpt_buf_hdr(m) + 40, 1000);
	dpt_msg_set_fragm_no(dpt_buf_hdr(m), 1);
	dpt_msg_set_nof_fragms(dpt_buf_hdr(m), 2);
	CU_EQ_U64(rig_rx_buf(&rig, m), DPT_LINK_R_ACCEPTED);
	CU_NOT_NULL(rig.link->fo_reassembly.head);
	CU_NOT_NULL(rig.link->tnl_reassembly.head);
	dpt_link_event(rig.link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.sums.drop_reassembly_down, 2);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(example_27_8_enhanced_synch),
	CU_TEST(example_27_9_and_27_10_failover),
	CU_TEST(example_27_11_cut_tunnel_packet),
	CU_TEST(exact_multiple_has_an_empty_last_piece),
	CU_TEST(half_failover_sends_one_dummy),
	CU_TEST(hazard_03_22_only_link_users_and_no_nesting),
	CU_TEST(hazard_03_22_inner_numbers_go_through_the_drop_point),
	CU_TEST(hazard_03_22_malformed_content),
	CU_TEST(stray_piece_resets_the_tunnel),
	CU_TEST(hazard_03_17_nothing_stale_is_kept),
	CU_TEST(hazard_03_17_octets_are_bounded),
	CU_TEST(hazard_03_21_synch_too_short_for_an_inner_header),
	CU_TEST(hazard_03_27_reset_discards_what_was_tunnelled_in_part),
};
const struct cu_suite tunnel_suite = CU_TEST_SUITE("tunnel", tests);
