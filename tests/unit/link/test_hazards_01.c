/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of 01-wire-format.md, 17, at one link: what a hostile peer sends moves its counter,
 * and the link delivers nothing of it, sends no more than it may, and keeps no buffer.
 */
#include "link_rig.h"

#include <string.h>

#include "dpt_records.h"
#include "test_msg.h"

static void
check_printable(const char *text)
{
	for (; *text != '\0'; text++)
		CU_TRUE(*text >= ' ' && *text < 0x7f);
}

/* 16 octets without a terminator, each octet value in turn, in both messages that carry it. */
static void
hazard_01_13_and_11_11_interface_name(void)
{
	for (uint32_t first = 0; first < 256; first += 16) {
		struct dpt_link_info info;
		struct rte_mbuf *m;
		char text[512];
		struct rig rig;

		cu_context("octets from 0x%x", first);
		rig_init(&rig);
		m = rig_reset_msg(first % 32 == 0 ? DPT_TYPE_RESET : DPT_TYPE_ACTIVATE,
				  RIG_SESSION_B);
		for (uint32_t i = 0; i < DPT_IF_NAME_BYTES; i++)
			dpt_buf_hdr(m)[DPT_HDR_INTERNAL + i] = (uint8_t)(first + 15 - i);
		rig_rx_proto(&rig, m);
		CU_TRUE(memchr(rig.link->peer_if_name, '\0', DPT_IF_NAME_BYTES) != NULL);
		dpt_link_info_get(rig.link, &info);
		check_printable(info.name);
		/* own:interface-peer:interface: a third ':' would shift what is cut off it. */
		CU_EQ_PTR(strrchr(info.name, ':'), strchr(strchr(info.name, ':') + 1, ':'));
		CU_TRUE(dpt_link_print(rig.link, text, sizeof(text)) > 0);
		check_printable(text);
		rig_end(&rig);
	}
}

/*
 * The smallest MTU that is taken leaves room for headers and data, so the largest message
 * becomes a bounded number of fragments; all below is ignored and changes nothing.
 */
static void
hazard_01_22_tiny_mtu(void)
{
	uint32_t piece, bytes = 66000;
	struct rte_mbuf *m;
	struct rig rig;

	rig_init(&rig);
	for (uint32_t max_pkt = 0; max_pkt < DPT_LINK_MTU_MIN / 4; max_pkt++) {
		m = rig_reset_msg(max_pkt % 2 ? DPT_TYPE_RESET : DPT_TYPE_ACTIVATE, RIG_SESSION_B);
		dpt_msg_set_max_pkt(dpt_buf_hdr(m), max_pkt);
		CU_EQ_U64(rig_rx_proto(&rig, m), UINT32_MAX);
		CU_EQ_U64(rig.sums.drop_mtu, max_pkt + 1);
	}
	CU_EQ_U64(dpt_link_mss(rig.link), 1500 - 72);
	CU_EQ_U64(rig.link->state, DPT_LINK_RESET);
	m = rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B);
	dpt_msg_set_max_pkt(dpt_buf_hdr(m), DPT_LINK_MTU_MIN / 4);
	rig_rx_proto(&rig, m);
	CU_TRUE(dpt_link_mss(rig.link) >= DPT_HDR_INTERNAL + DPT_HDR_BYTES_MAX + 1);
	dpt_link_event(rig.link, DPT_LINK_EV_ESTABLISH, rig.now_ns);
	rig_tx_clear(&rig);

	piece = dpt_link_mss(rig.link) - DPT_HDR_INTERNAL;
	CU_EQ_I64(dpt_link_tx(rig.link, rig_msg(0, bytes), rig.now_ns, &rig.out), 0);
	CU_EQ_U64(rig.sums.sent_fragments, (DPT_HDR_SHORT + bytes + piece - 1) / piece);
	for (const uint8_t *hdr = NULL; (hdr = rig_tx_hdr(&rig, 0)) != NULL;) {
		CU_TRUE(dpt_msg_size(hdr) <= dpt_link_mss(rig.link));
		rte_pktmbuf_free(dpt_bufq_pop(&rig.out.tx));
	}
	rig_end(&rig);
}

/* At most one STATE for one STATE, a few per interval, and none that is larger than a STATE. */
static void
hazard_01_25_state_flood(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	for (unsigned int i = 0; i < 1000; i++) {
		m = rig_state_msg(&rig, 0, 0, NULL);
		dpt_msg_set_probe(dpt_buf_hdr(m), i % 3 == 0);
		dpt_msg_set_is_keepalive(dpt_buf_hdr(m), i % 3 == 1);
		dpt_msg_set_next_sent(dpt_buf_hdr(m), 8000);
		rig_rx_proto(&rig, m);
	}
	CU_EQ_U64(rig.sums.recv_states, 1000);
	CU_EQ_U64(rig.out.tx.cnt, LINK_REPLIES_MAX);
	CU_EQ_U64(rig.sums.reply_limited, 667 - LINK_REPLIES_MAX);
	for (unsigned int i = 0; i < LINK_REPLIES_MAX; i++) {
		const uint8_t *hdr = rig_tx_hdr(&rig, i);

		CU_EQ_U64(dpt_msg_user(hdr), DPT_USER_LINK_PROTOCOL);
		CU_EQ_U64(dpt_msg_type(hdr), DPT_TYPE_STATE);
		CU_TRUE(dpt_msg_size(hdr) <= DPT_HDR_INTERNAL + DPT_GAP_RECORD_BYTES_MAX);
	}
	rig_tx_clear(&rig);
	/* Neither probe nor keepalive: no answer at all. */
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	rig_tx_clear(&rig);
	for (unsigned int i = 0; i < 1000; i++)
		rig_rx_state(&rig, 0, 0, NULL);
	CU_EQ_U64(rig.out.tx.cnt, 0);
	rig_end(&rig);
}

/* Octets of a message of B with that user, size octets in all. Returns size. */
static uint32_t
inner_put(uint8_t *hdr, uint32_t user, uint32_t size)
{
	memset(hdr, 0x40, size);
	dpt_msg_init(hdr, (enum dpt_user)user, 0, user == DPT_USER_LINK_CONFIG ? 60 : 40,
		     dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));
	if (user <= DPT_USER_CRITICAL)
		dpt_msg_set_type(hdr, DPT_TYPE_NAMED);
	dpt_msg_set_size(hdr, size);
	return size;
}

/* A wrapper of B's with these octets as payload, numbered. */
static struct rte_mbuf *
wrapped(uint32_t user, uint32_t type, uint16_t seq, const uint8_t *payload, uint32_t bytes)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), (enum dpt_user)user, type, DPT_HDR_INTERNAL,
					   bytes, dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));

	CU_NOT_NULL_FATAL(m);
	dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
	dpt_buf_write(m, DPT_HDR_INTERNAL, payload, bytes);
	return m;
}

/* Users that no wrapper may hold: each of them could hold another message, or steer a link. */
static const uint8_t nested[] = {5, 6, 7, 10, 12, 13};

/* The good message before it is delivered; the nested one and what follows are not. */
static void
hazard_01_5_wrapper_in_a_bundle(void)
{
	uint8_t payload[3 * 120];

	for (size_t i = 0; i < CU_CNT(nested); i++) {
		struct rig rig;

		cu_context("user %u", nested[i]);
		rig_init_up(&rig);
		inner_put(payload, DPT_USER_LOW, 120);
		inner_put(payload + 120, nested[i], 120);
		inner_put(payload + 240, DPT_USER_LOW, 120);
		rig_rx_buf(&rig, wrapped(DPT_USER_BUNDLER, 0, 1, payload, sizeof(payload)));
		CU_EQ_U64(rig.sums.drop_bundle, 1);
		CU_EQ_U64(rig.sums.consumed_bundle, 0);
		CU_EQ_U64(rig_in_clear(&rig), 1);
		/* The sequence goes on. */
		CU_TRUE(rig_rx(&rig, 2, 0) & DPT_LINK_R_ACCEPTED);
		CU_EQ_U64(rig_in_clear(&rig), 1);
		rig_end(&rig);
	}
}

/* Two fragments whose message is a wrapper: the link, now out of step, is reset. */
static void
hazard_01_8_wrapper_in_fragments(void)
{
	uint8_t inner[240];

	for (size_t i = 0; i < CU_CNT(nested); i++) {
		struct rig rig;

		cu_context("user %u", nested[i]);
		rig_init_up(&rig);
		inner_put(inner, nested[i], sizeof(inner));
		rig_rx_buf(&rig,
			   wrapped(DPT_USER_FRAGMENTER, DPT_TYPE_FIRST_FRAGMENT, 1, inner, 120));
		CU_TRUE(rig_rx_buf(&rig, wrapped(DPT_USER_FRAGMENTER, DPT_TYPE_LAST_FRAGMENT, 2,
						 inner + 120, 120)) &
			DPT_LINK_R_DOWN);
		CU_EQ_U64(rig.sums.drop_fragment, 2);
		CU_EQ_U64(rig.sums.recv_fragmented, 0);
		CU_EQ_U64(rig.link->last_down, DPT_DOWN_REASSEMBLY);
		CU_EQ_U64(rig_in_clear(&rig), 0);
		CU_EQ_U64(test_pool_leak_cnt(), rig.out.tx.cnt);
		rig_end(&rig);
	}
}

/* A piece of a tunnelled packet, or a whole one (no and cnt 0), with B's next number. */
static uint32_t
rx_tunnel(struct rig *rig, uint32_t no, uint32_t cnt, const uint8_t *payload, uint32_t bytes)
{
	struct rte_mbuf *m =
		wrapped(DPT_USER_TUNNEL, DPT_TYPE_FAILOVER, rig->link->rcv_nxt, payload, bytes);

	dpt_msg_set_fragm_no(dpt_buf_hdr(m), no);
	dpt_msg_set_nof_fragms(dpt_buf_hdr(m), cnt);
	dpt_msg_set_msgcnt(dpt_buf_hdr(m), 100);
	return rig_rx_buf(rig, m);
}

/* Packets of the other link, which has failed, are expected from number 1 on. */
static void
rig_init_tunnel(struct rig *rig)
{
	rig_init_up(rig);
	link_tunnel_expect(rig->link, 1, rig->now_ns);
}

/* Three pieces of 60 octets make the inner packet; a fourth is empty. */
static void
hazard_01_9_numbers_of_tunnel_pieces(void)
{
	static const struct {
		uint8_t pieces[4][2]; /* fragm_no, nof_fragms; 0, 0: no more */
		uint8_t drops;	      /* 0: becomes the message */
	} cases[] = {
		{{{1, 3}, {2, 3}, {3, 3}}, 0},
		{{{0, 3}}, 1},			       /* numbers begin with 1 */
		{{{4, 3}}, 1},			       /* behind the last */
		{{{2, 3}}, 1},			       /* without a first */
		{{{3, 3}}, 1},			       /* only a last */
		{{{1, 3}, {1, 3}}, 2},		       /* a second first */
		{{{1, 3}, {0, 3}}, 2},		       /* not consecutive: back */
		{{{1, 4}, {3, 4}}, 2},		       /* ahead */
		{{{1, 4}, {2, 4}, {2, 4}}, 2},	       /* again */
		{{{1, 3}, {2, 4}}, 2},		       /* count changes: up */
		{{{1, 4}, {2, 4}, {3, 3}}, 2},	       /* down, and so becomes the last */
		{{{1, 3}, {4, 3}}, 2},		       /* beyond the count */
		{{{1, 4}, {2, 4}, {3, 4}, {5, 5}}, 2}, /* both */
	};
	uint8_t inner[180];

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		uint32_t result = 0;
		struct rig rig;

		cu_context("case %zu", i);
		rig_init_tunnel(&rig);
		inner_put(inner, DPT_USER_LOW, sizeof(inner));
		dpt_msg_set_seqno(inner, 1);
		for (uint32_t n = 0; n < 4 && cases[i].pieces[n][1] != 0; n++)
			result = rx_tunnel(&rig, cases[i].pieces[n][0], cases[i].pieces[n][1],
					   n < 3 ? inner + 60 * n : inner, n < 3 ? 60 : 0);
		CU_EQ_U64(rig.sums.drop_fragment, cases[i].drops);
		CU_EQ_U64(result & DPT_LINK_R_DOWN, cases[i].drops ? DPT_LINK_R_DOWN : 0);
		CU_EQ_U64(rig_in_clear(&rig), cases[i].drops == 0);
		CU_EQ_U64(test_pool_leak_cnt(), rig.out.tx.cnt);
		rig_end(&rig);
	}
}

/* A whole packet has 24 octets at least, and what its own header says: else only it is lost. */
static void
hazard_01_9_tunnel_without_a_packet(void)
{
	uint8_t inner[60];
	uint32_t drops = 0;
	struct rig rig;

	rig_init_tunnel(&rig);
	inner_put(inner, DPT_USER_LOW, sizeof(inner));
	dpt_msg_set_seqno(inner, 1);
	for (uint32_t bytes = 0; bytes < sizeof(inner); bytes++) {
		cu_context("%u octets", bytes);
		CU_EQ_U64(rx_tunnel(&rig, 0, 0, inner, bytes) & DPT_LINK_R_DOWN, 0);
		CU_EQ_U64(rig.sums.drop_tunnel_inner, ++drops);
	}
	CU_EQ_U64(dpt_link_drop_point(rig.link), 1);
	rig_tx_clear(&rig);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
	rx_tunnel(&rig, 0, 0, inner, sizeof(inner));
	CU_EQ_U64(rig_in_clear(&rig), 1);
	rig_end(&rig);
}

/* One level only: a tunnel packet holds no further one, nor do the wrappers that it may hold. */
static void
hazard_01_5_and_03_22_wrapper_in_a_tunnel(void)
{
	uint8_t inner[40 + 2 * 120];

	/* Never in a link's sequence: refused by the one check. */
	for (uint32_t user = 0; user < 16; user++) {
		bool is_refused = user == 4 || user == 7 || user == 13 || user == 15;
		struct rig rig;

		cu_context("user %u", user);
		rig_init_tunnel(&rig);
		inner_put(inner, user, 120);
		dpt_msg_set_seqno(inner, 1);
		rx_tunnel(&rig, 0, 0, inner, 120);
		CU_EQ_U64(rig.sums.drop_tunnel_inner, is_refused);
		CU_EQ_U64(dpt_link_drop_point(rig.link), is_refused ? 1 : 2);
		CU_EQ_U64(rig.sums.drop_tunnel, user == DPT_USER_TUNNEL);
		CU_EQ_U64(rig.sums.drop_user, user == DPT_USER_CRYPTO);
		rig_end(&rig);
	}
	/* A tunnelled bundle with a wrapper in it. */
	for (size_t i = 0; i < CU_CNT(nested); i++) {
		struct rig rig;

		cu_context("user %u in a bundle", nested[i]);
		rig_init_tunnel(&rig);
		inner_put(inner, DPT_USER_BUNDLER, sizeof(inner));
		dpt_msg_set_seqno(inner, 1);
		inner_put(inner + 40, DPT_USER_LOW, 120);
		inner_put(inner + 160, nested[i], 120);
		rx_tunnel(&rig, 0, 0, inner, sizeof(inner));
		CU_EQ_U64(rig.sums.drop_bundle, 1);
		CU_EQ_U64(rig_in_clear(&rig), 1);
		rig_end(&rig);
	}
}

/* Without a failover nobody waits for what a tunnel brings: it is dropped unread. */
static void
hazard_01_9_tunnel_packet_nobody_expects(void)
{
	uint8_t inner[60];
	struct rig rig;

	rig_init_up(&rig);
	inner_put(inner, DPT_USER_LOW, sizeof(inner));
	dpt_msg_set_seqno(inner, 1);
	rx_tunnel(&rig, 0, 0, inner, sizeof(inner));
	rx_tunnel(&rig, 1, 2, inner, 30);
	CU_EQ_U64(rig.sums.drop_tunnel, 2);
	CU_EQ_U64(rig_in_clear(&rig), 0);
	CU_TRUE(rig_rx(&rig, 3, 0) & DPT_LINK_R_ACCEPTED);
	CU_EQ_U64(rig_in_clear(&rig), 1);
	rig_end(&rig);
}

/*
 * The three reassemblies of a link have one bound each, and an unfinished one goes with the
 * failover or the link. Pieces of a message beyond 66060 octets are never kept.
 */
static void
hazard_01_6_tunnel_pieces_without_end(void)
{
	uint8_t inner[120];
	struct rig rig;

	rig_init_tunnel(&rig);
	inner_put(inner, DPT_USER_LOW, sizeof(inner));
	dpt_msg_set_size(inner, DPT_MSG_BYTES_MAX + 1);
	CU_TRUE(rx_tunnel(&rig, 1, 2000, inner, sizeof(inner)) & DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.sums.drop_fragment, 1);
	rig_end(&rig);

	rig_init_tunnel(&rig);
	dpt_msg_set_size(inner, DPT_MSG_BYTES_MAX);
	CU_EQ_U64(rx_tunnel(&rig, 1, 2000, inner, sizeof(inner)) & DPT_LINK_R_DOWN, 0);
	/* Empty pieces in the middle would never fill it. */
	CU_TRUE(rx_tunnel(&rig, 2, 2000, inner, 0) & DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.sums.drop_fragment, 2);
	rig_end(&rig);

	rig_init_tunnel(&rig);
	rx_tunnel(&rig, 1, 2000, inner, sizeof(inner));
	dpt_link_failover_end(rig.link, rig.now_ns);
	CU_EQ_U64(rig.sums.drop_tunnel_end, 1);
	rig_tx_clear(&rig);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_01_13_and_11_11_interface_name),
	CU_TEST(hazard_01_22_tiny_mtu),
	CU_TEST(hazard_01_25_state_flood),
	CU_TEST(hazard_01_5_wrapper_in_a_bundle),
	CU_TEST(hazard_01_8_wrapper_in_fragments),
	CU_TEST(hazard_01_9_numbers_of_tunnel_pieces),
	CU_TEST(hazard_01_9_tunnel_without_a_packet),
	CU_TEST(hazard_01_5_and_03_22_wrapper_in_a_tunnel),
	CU_TEST(hazard_01_9_tunnel_packet_nobody_expects),
	CU_TEST(hazard_01_6_tunnel_pieces_without_end),
};

int
main(int argc, char **argv)
{
	return cu_main(argc, argv, "link_hazards", tests, CU_CNT(tests));
}
