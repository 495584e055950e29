/* SPDX-License-Identifier: BSD-3-Clause */

/* Bundling of what waits. Src: 03-link-node.md, 11.2 step 5; 01-wire-format.md, 8.1. */
#include <stdlib.h>
#include <string.h>

#include "link_rig.h"

/* A link whose window is full. */
static void
init_full(struct rig *rig)
{
	rig_init_up(rig);
	rig_send_large(rig, 0, 50);
	rig_tx_clear(rig);
	CU_EQ_U64_FATAL(rig->link->backlog.cnt, 0);
}

static void
send_bytes(struct rig *rig, unsigned int imp, uint32_t bytes)
{
	dpt_link_tx(rig->link, rig_msg(imp, bytes - DPT_HDR_SHORT), rig->now_ns, &rig->out);
}

static void
send_user(struct rig *rig, enum dpt_user user, uint32_t type)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), user, type, DPT_HDR_INTERNAL, 0,
					   dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));

	dpt_link_tx(rig->link, m, rig->now_ns, &rig->out);
}

/* 01-wire-format.md, 18.6, with the roles of the numbers as there. */
static void
example_18_6_bundle(void)
{
	static const char *words =
		"4d40006c 00000003 0009000e 02010000 00000000 00000000 02010000 02020000 "
		"00000000 00020000 40c0001d 00000000 00000000 02010000 11112222 33334444 "
		"68656c6c 6f000000 41080024 60000000 00000000 02010000 11112222 33334444 "
		"02010000 02020000 70696e67 ";
	struct rte_mbuf *conn = rig_msg(0, 5);
	struct rte_mbuf *direct = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_DIRECT, 32, 4,
						dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));
	const uint8_t *hdr;
	struct rig rig;

	rig_init_up(&rig);
	rig.view.ack = 3;
	rig.link->rcv_nxt = 10;
	rig.link->snd_nxt = rig.link->snd_una = 14;
	rig.link->window = 0;
	dpt_msg_set_origport(dpt_buf_hdr(conn), 0x11112222);
	dpt_msg_set_destport(dpt_buf_hdr(conn), 0x33334444);
	memcpy(dpt_buf_hdr(conn) + 24, "hello", 5);
	dpt_msg_set_origport(dpt_buf_hdr(direct), 0x11112222);
	dpt_msg_set_destport(dpt_buf_hdr(direct), 0x33334444);
	memcpy(dpt_buf_hdr(direct) + 32, "ping", 4);
	dpt_msg_set_dest_droppable(dpt_buf_hdr(direct), 1);
	dpt_link_tx(rig.link, conn, rig.now_ns, &rig.out);
	dpt_link_tx(rig.link, direct, rig.now_ns, &rig.out);
	rig.link->window = 50;
	link_drain(rig.link, rig.now_ns, &rig.out);
	CU_EQ_U64_FATAL(rig.out.tx.cnt, 1);
	hdr = rig_tx_hdr(&rig, 0);
	for (unsigned int w = 0; w < 27; w++) {
		cu_context("word %u", w);
		CU_EQ_U64(dpt_msg_word(hdr, w), strtoul(words + 9 * w, NULL, 16));
	}
	CU_EQ_U64(dpt_msg_size(hdr), 108);
	rig_end(&rig);
}

/* What is sent comes out of the bundle as it was, in order; each absorbed one counts nothing. */
static void
small_messages_share_packets(void)
{
	bool is_malformed;
	struct rte_mbuf *m, *inner;
	uint32_t offset, no = 0;
	struct rig rig;

	init_full(&rig);
	for (uint32_t i = 0; i < 200; i++)
		send_bytes(&rig, 1, DPT_HDR_SHORT + 1 + i);
	CU_TRUE(rig.link->backlog_cnt[1] < 25);
	CU_EQ_U64(rig.link->backlog_cnt[1], rig.link->backlog.cnt);
	CU_EQ_U64(rig.sums.sent_bundled - rig.sums.sent_bundles + rig.link->backlog.cnt, 200);
	rig.link->window = 1000;
	rig_rx_state(&rig, 50, 0, NULL);
	while ((m = dpt_bufq_pop(&rig.out.tx)) != NULL) {
		struct rte_mbuf *bundle = m;
		uint32_t cnt = 0;

		CU_TRUE(dpt_buf_bytes(m) <= dpt_link_mss(rig.link));
		CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(m)), dpt_buf_bytes(m));
		CU_EQ_U64(dpt_msg_importance(dpt_buf_hdr(m)), 1);
		CU_TRUE(rte_pktmbuf_headroom(m) >= LINK_L2_ROOM_BYTES);
		offset = 0;
		while ((inner = dpt_msg_unbundle(bundle, &offset, &is_malformed, test_pool())) !=
		       NULL) {
			CU_EQ_U64(dpt_buf_bytes(inner), DPT_HDR_SHORT + 1 + no);
			CU_EQ_U64(dpt_buf_hdr(inner)[DPT_HDR_SHORT + no],
				  (uint8_t)(no * 7 + no / 256));
			no++;
			cnt++;
			rte_pktmbuf_free(inner);
		}
		CU_FALSE(is_malformed);
		CU_EQ_U64(dpt_msg_msgcnt(dpt_buf_hdr(m)), cnt);
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(no, 200);
	rig_end(&rig);
}

/* Rules 2 to 4 at their edges: mss is 1428. */
static void
limits_are_those_of_the_rules(void)
{
	static const struct {
		uint32_t first, second;
		uint16_t packets;
	} cases[] = {
		{1000, 388, 1}, /* 40 + 1000 + 388 = 1428 */
		{1000, 389, 2}, /* one too many */
		{997, 388, 1},	/* 1037 is aligned to 1040 */
		{997, 389, 2},	/* and so full */
		{24, 1387, 2},	/* fits into no bundle with anything: 1428 - 40 - 1387 < 24 */
		{1388, 24, 2},	/* may never be bundled: mss <= 40 + size */
		{24, 1388, 2},	/* the same, as the second */
		{24, 24, 1},
	};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct rig rig;

		cu_context("%u and %u", cases[i].first, cases[i].second);
		init_full(&rig);
		send_bytes(&rig, 0, cases[i].first);
		send_bytes(&rig, 0, cases[i].second);
		CU_EQ_U64(rig.link->backlog.cnt, cases[i].packets);
		rig_end(&rig);
	}
}

static void
users_that_are_never_bundled(void)
{
	struct rig rig;

	init_full(&rig);
	send_user(&rig, DPT_USER_CONN_MANAGER, DPT_TYPE_CONN_ACK);
	send_user(&rig, DPT_USER_BCAST_PROTOCOL, 0);
	CU_EQ_U64(rig.link->backlog.cnt, 2);
	CU_IS_NULL(rig.link->bundles[DPT_IMPORTANCE_SYSTEM]);
	send_user(&rig, DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_PUBLICATION);
	send_user(&rig, DPT_USER_GROUP_PROTOCOL, DPT_TYPE_GRP_ADV);
	CU_EQ_U64(rig.link->backlog.cnt, 3);
	/* A message of fragments ends the packet of its level. */
	send_bytes(&rig, 2, 100);
	send_bytes(&rig, 2, 2000);
	CU_EQ_U64(rig.link->backlog.cnt, 3 + 1 + 2);
	CU_IS_NULL(rig.link->bundles[2]);
	send_bytes(&rig, 2, 100);
	CU_EQ_U64(rig.link->backlog.cnt, 7);
	CU_EQ_U64(rig.sums.sent_bundled, 2);
	rig_end(&rig);
}

/* A CONN_MANAGER message of another level ends nothing; data of another level does. */
static void
levels_have_packets_of_their_own_and_keep_the_order(void)
{
	struct rig rig;

	init_full(&rig);
	send_bytes(&rig, 0, 100);
	send_user(&rig, DPT_USER_CONN_MANAGER, DPT_TYPE_CONN_ACK);
	send_bytes(&rig, 0, 100);
	send_user(&rig, DPT_USER_CONN_MANAGER, DPT_TYPE_CONN_ACK);
	/* Two packets; the second acknowledgement found its level's ended by the data. */
	CU_EQ_U64(rig.link->backlog_cnt[0], 1);
	CU_EQ_U64(rig.link->backlog_cnt[DPT_IMPORTANCE_SYSTEM], 2);
	CU_EQ_U64(dpt_msg_msgcnt(dpt_buf_hdr(rig.link->backlog.head)), 2);
	send_bytes(&rig, 3, 100);
	send_bytes(&rig, 0, 100);
	CU_EQ_U64(rig.link->backlog_cnt[0], 2);
	CU_EQ_U64(rig.link->backlog_cnt[3], 1);
	rig_end(&rig);
}

/* The end of a connection, SYSTEM by its error code, stays behind the connection's data. */
static void
end_of_a_connection_does_not_overtake_its_data(void)
{
	struct rte_mbuf *m = rig_msg(0, 4);
	struct rig rig;

	init_full(&rig);
	send_user(&rig, DPT_USER_CONN_MANAGER, DPT_TYPE_CONN_ACK);
	send_bytes(&rig, 0, 1000);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_CONN_SHUTDOWN);
	dpt_link_tx(rig.link, m, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.link->backlog.cnt, 3);
	CU_EQ_PTR(rig.link->backlog.tail, m);
	rig_end(&rig);
}

static void
sent_packet_takes_no_more(void)
{
	struct rig rig;

	init_full(&rig);
	send_bytes(&rig, 0, 100);
	rig_rx_state(&rig, 10, 0, NULL);
	CU_EQ_U64(rig.link->backlog.cnt, 0);
	CU_IS_NULL(rig.link->bundles[0]);
	rig.link->window = 0;
	send_bytes(&rig, 0, 100);
	CU_EQ_U64(rig.link->backlog.cnt, 1);
	CU_EQ_U64(rig.sums.sent_bundles, 0);
	rig_end(&rig);
}

/* The header's place: in front where there is room, else the message moves back. */
static void
header_finds_its_place_with_and_without_headroom(void)
{
	for (unsigned int taken = 0; taken <= DPT_BUF_HEADROOM_BYTES; taken += 32) {
		struct rte_mbuf *m = rig_msg(0, 100);
		uint8_t *hdr = dpt_buf_hdr(m);
		uint8_t copy[124];
		struct rig rig;

		cu_context("%u octets of headroom taken", taken);
		init_full(&rig);
		memcpy(copy, hdr, sizeof(copy));
		rte_pktmbuf_prepend(m, (uint16_t)taken);
		memmove(rte_pktmbuf_mtod(m, uint8_t *), copy, sizeof(copy));
		rte_pktmbuf_trim(m, (uint16_t)taken);
		dpt_link_tx(rig.link, m, rig.now_ns, &rig.out);
		send_bytes(&rig, 0, 50);
		CU_EQ_U64(rig.link->backlog.cnt, 1);
		hdr = dpt_buf_hdr(rig.link->backlog.head);
		CU_EQ_U64(dpt_msg_user(hdr), DPT_USER_BUNDLER);
		CU_EQ_U64(dpt_msg_msgcnt(hdr), 2);
		CU_EQ_MEM(hdr + DPT_HDR_INTERNAL, copy, sizeof(copy));
		CU_EQ_U64(dpt_msg_check_buf(rig.link->backlog.head, DPT_PLACE_FRAME), DPT_MSG_OK);
		rig_end(&rig);
	}
}

/* The mark of the last bulk message goes over to the packet that it travels in. */
static void
bulk_mark_survives(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	init_full(&rig);
	send_user(&rig, DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_PUBLICATION);
	m = dpt_msg_alloc(test_pool(), DPT_USER_NAME_DISTRIBUTOR, 0, DPT_HDR_INTERNAL, 20,
			  dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));
	dpt_buf(m)->flags = DPT_BUF_F_BULK_END;
	dpt_link_tx(rig.link, m, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.sums.sent_bundles, 1);
	rig_rx_state(&rig, 50, 0, NULL);
	CU_IS_NULL(rig_event(&rig, DPT_EVENT_BULK_ACKED));
	rig_rx_state(&rig, 51, 0, NULL);
	CU_NOT_NULL(rig_event(&rig, DPT_EVENT_BULK_ACKED));
	rig_end(&rig);
}

/* Promise P3: each message in a bundle that is lost counts. */
static void
lost_bundle_counts_all_its_messages(void)
{
	struct rig rig;

	init_full(&rig);
	for (unsigned int i = 0; i < 7; i++)
		send_bytes(&rig, 0, 40);
	send_bytes(&rig, 0, 1300);
	CU_EQ_U64(rig.link->backlog.cnt, 2);
	dpt_link_event(rig.link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.sums.drop_link_down, 50 + 7 + 1);
	CU_EQ_U64(rig.sums.lost_bundled, 6);
	CU_IS_NULL(rig.link->bundles[0]);
	rig_end(&rig);
}

/* Promise P8: what one level has waiting does not keep another one from being woken. */
static void
no_level_starves_another(void)
{
	const struct dpt_event *event;
	uint16_t acked = 50;
	struct rig rig;

	init_full(&rig);
	rig_send_large(&rig, 0, 101);
	rig_send_large(&rig, 3, 401);
	for (unsigned int i = 0; i < 20 && (rig.link->congested & 8) != 0; i++) {
		/* The lower level sends whenever it may. */
		acked = (uint16_t)(rig.link->snd_nxt - 1);
		rig.out.events_cnt = 0;
		rig_rx_state(&rig, acked, 0, NULL);
		rig_tx_clear(&rig);
		event = rig_event(&rig, DPT_EVENT_LINK_ROOM);
		if (event != NULL && (event->value & 1))
			rig_send_large(&rig, 0, 60);
	}
	CU_FALSE(rig.link->congested & 8);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(example_18_6_bundle),
	CU_TEST(small_messages_share_packets),
	CU_TEST(limits_are_those_of_the_rules),
	CU_TEST(users_that_are_never_bundled),
	CU_TEST(levels_have_packets_of_their_own_and_keep_the_order),
	CU_TEST(end_of_a_connection_does_not_overtake_its_data),
	CU_TEST(sent_packet_takes_no_more),
	CU_TEST(header_finds_its_place_with_and_without_headroom),
	CU_TEST(bulk_mark_survives),
	CU_TEST(lost_bundle_counts_all_its_messages),
	CU_TEST(no_level_starves_another),
};
const struct cu_suite bundle_suite = CU_TEST_SUITE("bundle", tests);
