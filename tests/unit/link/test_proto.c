/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * LINK_PROTOCOL messages: sessions, establishment, properties, and the worked examples of
 * 03-link-node.md, 27, octet by octet, from a link driven into that state.
 */
#include <stdlib.h>
#include <string.h>

#include "link_rig.h"

/* The octets of the n-th frame sent are these words. */
static void
check_frame(const struct rig *rig, unsigned int n, const char *words)
{
	const uint8_t *hdr = rig_tx_hdr(rig, n);
	unsigned int w = 0;

	CU_NOT_NULL_FATAL(hdr);
	for (; *words != '\0'; words += words[8] == ' ' ? 9 : 8, w++) {
		char text[9] = "";

		memcpy(text, words, 8);
		cu_context("word %u", w);
		CU_EQ_U64(dpt_msg_word(hdr, w), strtoul(text, NULL, 16));
	}
	CU_EQ_U64(dpt_msg_size(hdr), w * 4);
}

static void
example_27_1_reset(void)
{
	struct rig rig;

	rig_init(&rig);
	rig.link->session = RIG_SESSION_A;
	dpt_link_reset_tx(rig.link, false, &rig.out);
	check_frame(&rig, 0,
		    "4f400038 20000000 00008000 02010000 00000001 70014000 02010000 02020000 "
		    "00000000 01770000 65746830 00000000 00000000 00000000");
	rig_end(&rig);
}

/* B answers A's RESET: B's link is that of the rig with the roles exchanged. */
static void
example_27_2_activate(void)
{
	struct dpt_link_setup setup = rig_setup;
	struct rte_mbuf *m;
	struct rig rig;

	strcpy(setup.if_name, "ens5");
	rig_init_with(&rig, &setup, RIG_RING_PKTS);
	rig.link->own = dpt_node_addr(RIG_B);
	rig.link->peer = dpt_node_addr(RIG_A);
	rig.link->session = RIG_SESSION_B;
	m = rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_A);
	dpt_msg_set_prevnode(dpt_buf_hdr(m), RIG_A);
	CU_EQ_U64(rig_rx_proto(&rig, m), 0);
	CU_EQ_U64(rig.link->state, DPT_LINK_ESTABLISHING);
	check_frame(&rig, 0,
		    "4f400038 40017001 00008000 02020000 00000001 30014000 02020000 02010000 "
		    "00000000 01770000 656e7335 00000000 00000000 00000000");
	rig_end(&rig);
}

static void
example_27_3_first_state(void)
{
	struct rig rig;

	rig_init_up(&rig);
	dpt_link_state_tx(rig.link, &rig.out);
	check_frame(&rig, 0,
		    "4f40002c 00000000 00000001 02010000 00000001 70014000 02010000 02020000 "
		    "00000000 00000000 00040000");
	CU_EQ_U64(rig.link->snd_nxt_state, 2);
	rig_end(&rig);
}

static void
example_27_4_probe(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, 0, 11);
	for (uint16_t seq = 1; seq <= 5; seq++)
		rig_rx(&rig, seq, 0);
	rig_tx_clear(&rig);
	rig.view.is_up = true;
	rig.view.last_bcast = 3;
	rig.link->snd_nxt_state = 7;
	rig.link->checkpoint = 12;
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	check_frame(&rig, 0,
		    "4f48002c 00000000 00050007 02010000 0003000c 70011001 02010000 02020000 "
		    "00000000 00000000 00040000");
	rig_end(&rig);
}

/* B's link, which has 5 as next expected and deferred 8 9 12 13 14 20. */
static void
init_as_b_with_gaps(struct rig *rig)
{
	static const uint16_t deferred[] = {8, 9, 12, 13, 14, 20};

	rig_init_up(rig);
	for (uint16_t seq = 1; seq <= 4; seq++)
		rig_rx(rig, seq, 0);
	for (size_t i = 0; i < CU_CNT(deferred); i++)
		rig_rx(rig, deferred[i], 0);
	rig_tx_clear(rig);
	rig->link->own = dpt_node_addr(RIG_B);
	rig->link->peer = dpt_node_addr(RIG_A);
	rig->link->session = RIG_SESSION_B;
	rig->link->snd_nxt = 40;
	rig->link->snd_una = 40;
	rig->view.is_up = true;
}

static void
example_27_5_nack_with_gap_blocks(void)
{
	struct link_state_args args = {0};
	struct rig rig;

	init_as_b_with_gaps(&rig);
	rig.link->snd_nxt_state = 9;
	args.gap = link_defer_gap(rig.link);
	link_state_send(rig.link, &args, &rig.out);
	check_frame(&rig, 0,
		    "4f400038 00030000 00040009 02020000 00000028 30011000 02020000 02010000 "
		    "00000000 00000000 00100300 00090002 000e0005 00140000");
	rig_end(&rig);
}

/* 27.6 without its domain record: monitoring is not ours. */
static void
example_27_6_broadcast_blocks_in_a_probe(void)
{
	struct link_state_args args = {.is_probe = true};
	struct rig rig;

	rig_init_up(&rig);
	for (uint16_t seq = 1; seq <= 4; seq++)
		rig_rx(&rig, seq, 0);
	rig_rx(&rig, 8, 0);
	rig_rx(&rig, 9, 0);
	rig_tx_clear(&rig);
	rig.link->own = dpt_node_addr(RIG_B);
	rig.link->peer = dpt_node_addr(RIG_A);
	rig.link->session = RIG_SESSION_B;
	rig.link->snd_nxt = 40;
	rig.link->snd_una = 40;
	rig.link->snd_nxt_state = 10;
	rig.view = (struct dpt_bcast_view){.is_up = true,
					   .ack = 99,
					   .gap = 2,
					   .blocks_cnt = 2,
					   .blocks = {{102, 3}, {108, 0}}};
	link_state_send(rig.link, &args, &rig.out);
	check_frame(&rig, 0,
		    "4f480038 00030063 0004000a 02020000 00000028 30011001 02020000 02010000 "
		    "00000002 00000000 00100102 00660003 006c0000 00090000");
	rig_end(&rig);
}

/* Peers without the capabilities: no record, and another number. 25, notes 9 and 10. */
static void
peer_without_capabilities_gets_the_old_state(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig.link->caps = 0;
	rig_send(&rig, 0, 2);
	rig_tx_clear(&rig);
	dpt_link_state_tx(rig.link, &rig.out);
	CU_EQ_U64(dpt_msg_size(rig_tx_hdr(&rig, 0)), DPT_HDR_INTERNAL);
	CU_EQ_U64(rig_tx_seq(&rig, 0), 3 + 32767);
	rig_end(&rig);
}

/* The table of section 4. peer_session is 100. */
static void
sessions_as_in_section_4(void)
{
	static const struct {
		bool in_session;
		uint8_t type;
		uint16_t session;
		bool want;
	} cases[] = {
		{false, DPT_TYPE_RESET, 99, true},
		{false, DPT_TYPE_RESET, 100, true},
		{false, DPT_TYPE_RESET, 101, true},
		{true, DPT_TYPE_RESET, 99, false},
		{true, DPT_TYPE_RESET, 100, false},
		{true, DPT_TYPE_RESET, 101, true},
		{true, DPT_TYPE_RESET, 32867, true},
		{true, DPT_TYPE_RESET, 32868, false},
		{false, DPT_TYPE_ACTIVATE, 99, true},
		{false, DPT_TYPE_ACTIVATE, 101, true},
		{true, DPT_TYPE_ACTIVATE, 99, false},
		{true, DPT_TYPE_ACTIVATE, 100, true},
		{true, DPT_TYPE_ACTIVATE, 101, true},
		{false, DPT_TYPE_STATE, 100, false},
		{false, DPT_TYPE_STATE, 101, false},
		{true, DPT_TYPE_STATE, 99, false},
		{true, DPT_TYPE_STATE, 100, true},
		{true, DPT_TYPE_STATE, 101, false},
		{true, 3, 101, false},
		{false, 3, 101, false},
	};
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	m = rig_state_msg(&rig, 0, 0, NULL);
	for (size_t i = 0; i < CU_CNT(cases); i++) {
		cu_context("case %zu: in_session %d type %u session %u", i, cases[i].in_session,
			   cases[i].type, cases[i].session);
		rig.link->in_session = cases[i].in_session;
		rig.link->peer_session = 100;
		dpt_msg_set_type(dpt_buf_hdr(m), cases[i].type);
		dpt_msg_set_session(dpt_buf_hdr(m), cases[i].session);
		CU_EQ_U64(dpt_link_session_ok(rig.link, dpt_buf_hdr(m)), cases[i].want);
	}
	rte_pktmbuf_free(m);
	rig_end(&rig);
}

static void
state_is_refused_when_old_or_when_acking_a_link_that_is_down(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	rig.link->rcv_nxt_state = 5;
	rig.state_seq = 4;
	CU_EQ_U64(rig_rx_state(&rig, 0, 0, NULL), UINT32_MAX);
	CU_EQ_U64(rig.sums.drop_session, 1);
	CU_TRUE(rig_rx_state(&rig, 0, 0, NULL) != UINT32_MAX);
	CU_EQ_U64(rig.link->rcv_nxt_state, 6);
	/* Without LINK_PROTO_SEQNO the number does not count. */
	rig.link->caps &= (uint16_t)~DPT_CAP_LINK_PROTO_SEQNO;
	rig.state_seq = 1;
	CU_TRUE(rig_rx_state(&rig, 0, 0, NULL) != UINT32_MAX);
	rig.link->caps |= DPT_CAP_LINK_PROTO_SEQNO;
	rig.link->state = DPT_LINK_ESTABLISHING;
	rig.state_seq = rig.link->rcv_nxt_state;
	CU_EQ_U64(rig_rx_state(&rig, 1, 0, NULL), UINT32_MAX);
	m = rig_state_msg(&rig, 0, 0, NULL);
	CU_EQ_U64(rig_rx_proto(&rig, m), DPT_LINK_R_UP);
	rig_end(&rig);
}

static void
reset_establishes_and_is_answered_at_once(void)
{
	struct rig rig;

	rig_init(&rig);
	rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, 77));
	CU_EQ_U64(rig.link->state, DPT_LINK_ESTABLISHING);
	CU_EQ_U64(rig.link->peer_session, 77);
	CU_TRUE(rig.link->in_session);
	CU_EQ_U64(rig.out.tx.cnt, 1);
	CU_EQ_U64(dpt_msg_type(rig_tx_hdr(&rig, 0)), DPT_TYPE_ACTIVATE);
	CU_EQ_U64(dpt_msg_dest_session(rig_tx_hdr(&rig, 0)), 77);
	rig_end(&rig);
}

/* 6.3 step 9: the peer still holds a former session number of this endpoint. */
static void
hazard_03_8_activate_with_wrong_dest_session(void)
{
	static const struct {
		uint16_t dest_session, want;
	} cases[] = {{RIG_SESSION_A - 1, RIG_SESSION_A},
		     {RIG_SESSION_A + 9, RIG_SESSION_A + 10},
		     {(uint16_t)(RIG_SESSION_A + 40000), RIG_SESSION_A}};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct rte_mbuf *m = rig_reset_msg(DPT_TYPE_ACTIVATE, 77);
		struct rig rig;

		rig_init(&rig);
		rig.link->session = RIG_SESSION_A;
		dpt_msg_set_dest_session_valid(dpt_buf_hdr(m), 1);
		dpt_msg_set_dest_session(dpt_buf_hdr(m), cases[i].dest_session);
		CU_EQ_U64(rig_rx_proto(&rig, m), 0);
		CU_EQ_U64(rig.link->session, cases[i].want);
		CU_EQ_U64(rig.link->state, DPT_LINK_RESET);
		CU_FALSE(rig.link->in_session);
		rig_end(&rig);
	}
}

static void
activate_brings_a_reset_link_up_and_leaves_an_established_one(void)
{
	struct rte_mbuf *m = rig_reset_msg(DPT_TYPE_ACTIVATE, 77);
	struct rig rig;

	rig_init(&rig);
	dpt_msg_set_dest_session_valid(dpt_buf_hdr(m), 1);
	dpt_msg_set_dest_session(dpt_buf_hdr(m), rig.link->session);
	CU_EQ_U64(rig_rx_proto(&rig, m), DPT_LINK_R_UP);
	dpt_link_event(rig.link, DPT_LINK_EV_ESTABLISH, rig.now_ns);
	m = rig_reset_msg(DPT_TYPE_ACTIVATE, 78);
	CU_EQ_U64(rig_rx_proto(&rig, m), 0);
	CU_EQ_U64(rig.link->state, DPT_LINK_ESTABLISHED);
	CU_EQ_U64(rig.link->peer_session, 78);
	rig_end(&rig);
}

static void
hazard_03_13_peer_stopping(void)
{
	struct rte_mbuf *m = rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B + 1);
	struct rig rig;

	rig_init_up(&rig);
	dpt_msg_set_peer_stopping(dpt_buf_hdr(m), 1);
	CU_EQ_U64(rig_rx_proto(&rig, m), DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.link->state, DPT_LINK_RESETTING);
	CU_EQ_U64(rig.link->last_down, DPT_DOWN_PEER_STOPPING);
	CU_EQ_U64(rig.link->peer_session, RIG_SESSION_B);
	/* Blocked until the node has cleaned up. */
	CU_EQ_U64(rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B + 2)), UINT32_MAX);
	CU_EQ_U64(rig.sums.drop_blocked, 1);
	rig_end(&rig);
}

static void
hazard_03_9_max_pkt_tiny(void)
{
	static const struct {
		uint16_t max_pkt, mtu;
	} cases[] = {{0, 0}, {143, 0}, {144, 576}, {300, 1200}, {375, 1500}, {2250, 1500}};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct rte_mbuf *m = rig_reset_msg(DPT_TYPE_RESET, 77);
		struct rig rig;

		cu_context("max_pkt %u", cases[i].max_pkt);
		rig_init(&rig);
		dpt_msg_set_max_pkt(dpt_buf_hdr(m), cases[i].max_pkt);
		rig_rx_proto(&rig, m);
		CU_EQ_U64(rig.sums.drop_mtu, cases[i].mtu == 0);
		CU_EQ_U64(rig.link->mtu, cases[i].mtu == 0 ? 1500 : cases[i].mtu);
		CU_EQ_U64(rig.link->state,
			  cases[i].mtu == 0 ? DPT_LINK_RESET : DPT_LINK_ESTABLISHING);
		rig_end(&rig);
	}
}

static void
hazard_03_10_tolerance_field(void)
{
	static const struct {
		uint16_t field, want;
	} cases[] = {{0, 1500}, {49, 1500}, {50, 50}, {30000, 30000}, {30001, 1500}, {65535, 1500}};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct rte_mbuf *m;
		struct rig rig;

		cu_context("tolerance %u", cases[i].field);
		rig_init_up(&rig);
		m = rig_state_msg(&rig, 0, 0, NULL);
		dpt_msg_set_link_tolerance(dpt_buf_hdr(m), cases[i].field);
		rig_rx_proto(&rig, m);
		CU_EQ_U64(rig.link->tolerance_ms, cases[i].want);
		rig_end(&rig);
	}
}

static void
hazard_03_11_linkprio_field(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	m = rig_state_msg(&rig, 0, 0, NULL);
	dpt_msg_set_linkprio(dpt_buf_hdr(m), 10);
	CU_EQ_U64(rig_rx_proto(&rig, m), 0);
	CU_EQ_U64(rig.link->state, DPT_LINK_ESTABLISHED);
	/* From a RESET only a higher one, from a STATE any other one, which resets. */
	m = rig_reset_msg(DPT_TYPE_ACTIVATE, RIG_SESSION_B);
	dpt_msg_set_linkprio(dpt_buf_hdr(m), 9);
	rig_rx_proto(&rig, m);
	CU_EQ_U64(rig.link->priority, 10);
	m = rig_state_msg(&rig, 0, 0, NULL);
	dpt_msg_set_linkprio(dpt_buf_hdr(m), 9);
	CU_EQ_U64(rig_rx_proto(&rig, m), DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.link->priority, 9);
	CU_EQ_U64(rig.link->last_down, DPT_DOWN_PRIORITY);
	rig_end(&rig);
}

static void
hazard_03_14_interface_name(void)
{
	struct dpt_link_info info;
	struct rte_mbuf *m;
	struct rig rig;

	rig_init(&rig);
	dpt_link_info_get(rig.link, &info);
	CU_EQ_STR(info.name, "2010000:eth0-2020000:unknown");
	m = rig_reset_msg(DPT_TYPE_RESET, 77);
	memcpy(dpt_buf_hdr(m) + DPT_HDR_INTERNAL, "a:b\nc0123456789XYZ", DPT_IF_NAME_BYTES);
	rig_rx_proto(&rig, m);
	dpt_link_info_get(rig.link, &info);
	CU_EQ_STR(info.name, "2010000:eth0-2020000:a_b_c0123456789");
	m = rig_reset_msg(DPT_TYPE_RESET, 78);
	dpt_buf_trim(m, DPT_HDR_INTERNAL + 15);
	dpt_msg_set_size(dpt_buf_hdr(m), DPT_HDR_INTERNAL + 15);
	CU_EQ_U64(rig_rx_proto(&rig, m), UINT32_MAX);
	CU_EQ_U64(rig.sums.drop_proto_malformed, 1);
	rig_end(&rig);
}

static void
hazard_03_15_bearer_id_is_only_echoed(void)
{
	struct rte_mbuf *m = rig_reset_msg(DPT_TYPE_RESET, 77);
	struct rig rig;

	rig_init(&rig);
	dpt_msg_set_bearer_id(dpt_buf_hdr(m), 7);
	rig_rx_proto(&rig, m);
	CU_EQ_U64(dpt_link_identity(rig.link), 7 << 16);
	CU_EQ_U64(dpt_link_bearer_id(rig.link), 0);
	rig_end(&rig);
}

static void
hazard_03_4_gap_record_length(void)
{
	static const uint8_t payloads[][8] = {{0, 9, 0, 0, 0, 0, 0, 0}, {255, 255, 255, 255}};
	struct rig rig;

	rig_init_up(&rig);
	for (size_t i = 0; i < CU_CNT(payloads); i++) {
		struct rte_mbuf *m = rig_proto(DPT_TYPE_STATE, payloads[i], 8);

		dpt_msg_set_seqno(dpt_buf_hdr(m), rig.state_seq);
		CU_EQ_U64(rig_rx_proto(&rig, m), UINT32_MAX);
		CU_EQ_U64(rig.link->rcv_nxt_state, 1);
	}
	CU_EQ_U64(rig.sums.drop_proto_malformed, 2);
	rig_end(&rig);
}

static void
hazard_03_6_next_sent_far_ahead(void)
{
	static const struct {
		uint16_t next_sent, gap;
	} cases[] = {{1, 0}, {2, 1}, {9000, 8191}, {32768, 8191}, {32769, 0}, {65535, 0}};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct rte_mbuf *m;
		struct rig rig;

		cu_context("next_sent %u", cases[i].next_sent);
		rig_init_up(&rig);
		m = rig_state_msg(&rig, 0, 0, NULL);
		dpt_msg_set_probe(dpt_buf_hdr(m), 1);
		dpt_msg_set_is_keepalive(dpt_buf_hdr(m), 1);
		dpt_msg_set_next_sent(dpt_buf_hdr(m), cases[i].next_sent);
		CU_EQ_U64(rig_rx_proto(&rig, m), DPT_LINK_R_STATE_SENT);
		CU_EQ_U64(dpt_msg_seq_gap(rig_tx_hdr(&rig, 0)), cases[i].gap);
		CU_EQ_U64(dpt_msg_is_keepalive(rig_tx_hdr(&rig, 0)), 1);
		CU_EQ_U64(dpt_msg_probe(rig_tx_hdr(&rig, 0)), 0);
		rig_end(&rig);
	}
}

/* A plain STATE whose next_sent is ahead asks for nothing: packets may be on their way. */
static void
plain_state_causes_no_nack(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	m = rig_state_msg(&rig, 0, 0, NULL);
	dpt_msg_set_next_sent(dpt_buf_hdr(m), 10);
	CU_EQ_U64(rig_rx_proto(&rig, m), 0);
	CU_EQ_U64(rig.out.tx.cnt, 0);
	rig_end(&rig);
}

static void
hazard_03_28_probe_flood(void)
{
	struct rig rig;

	rig_init_up(&rig);
	for (unsigned int i = 0; i < 100; i++) {
		struct rte_mbuf *m = rig_state_msg(&rig, 0, 0, NULL);

		dpt_msg_set_probe(dpt_buf_hdr(m), 1);
		rig_rx_proto(&rig, m);
	}
	CU_EQ_U64(rig.sums.recv_probes, 100);
	CU_EQ_U64(rig_tx_clear(&rig), LINK_REPLIES_MAX);
	CU_EQ_U64(rig.sums.reply_limited, 100 - LINK_REPLIES_MAX);
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	rig_tx_clear(&rig);
	rig_rx_proto(&rig, ({
		struct rte_mbuf *m = rig_state_msg(&rig, 0, 0, NULL);

		dpt_msg_set_probe(dpt_buf_hdr(m), 1);
		m;
	}));
	CU_EQ_U64(rig_tx_clear(&rig), 1);
	rig_end(&rig);
}

static void
hazard_03_30_capabilities_change_at_the_next_reset(void)
{
	struct rig rig;

	rig_init_up(&rig);
	dpt_link_caps_set(rig.link, 0);
	CU_EQ_U64(rig.link->caps, DPT_CAPS_OWN);
	dpt_link_event(rig.link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.link->caps, 0);
	rig_end(&rig);
}

static void
plane_comes_from_the_lower_address(void)
{
	struct rte_mbuf *m = rig_reset_msg(DPT_TYPE_RESET, 77);
	struct rig rig;

	rig_init(&rig);
	dpt_msg_set_net_plane(dpt_buf_hdr(m), 2);
	rig_rx_proto(&rig, m);
	CU_EQ_U64(rig.link->net_plane, 0);
	rig.link->own = dpt_node_addr(RIG_B + 1);
	m = rig_reset_msg(DPT_TYPE_RESET, 78);
	dpt_msg_set_net_plane(dpt_buf_hdr(m), 2);
	rig_rx_proto(&rig, m);
	CU_EQ_U64(rig.link->net_plane, 2);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(example_27_1_reset),
	CU_TEST(example_27_2_activate),
	CU_TEST(example_27_3_first_state),
	CU_TEST(example_27_4_probe),
	CU_TEST(example_27_5_nack_with_gap_blocks),
	CU_TEST(example_27_6_broadcast_blocks_in_a_probe),
	CU_TEST(peer_without_capabilities_gets_the_old_state),
	CU_TEST(sessions_as_in_section_4),
	CU_TEST(state_is_refused_when_old_or_when_acking_a_link_that_is_down),
	CU_TEST(reset_establishes_and_is_answered_at_once),
	CU_TEST(hazard_03_8_activate_with_wrong_dest_session),
	CU_TEST(activate_brings_a_reset_link_up_and_leaves_an_established_one),
	CU_TEST(hazard_03_13_peer_stopping),
	CU_TEST(hazard_03_9_max_pkt_tiny),
	CU_TEST(hazard_03_10_tolerance_field),
	CU_TEST(hazard_03_11_linkprio_field),
	CU_TEST(hazard_03_14_interface_name),
	CU_TEST(hazard_03_15_bearer_id_is_only_echoed),
	CU_TEST(hazard_03_4_gap_record_length),
	CU_TEST(hazard_03_6_next_sent_far_ahead),
	CU_TEST(plain_state_causes_no_nack),
	CU_TEST(hazard_03_28_probe_flood),
	CU_TEST(hazard_03_30_capabilities_change_at_the_next_reset),
	CU_TEST(plane_comes_from_the_lower_address),
};
const struct cu_suite proto_suite = CU_TEST_SUITE("proto", tests);
