/* SPDX-License-Identifier: BSD-3-Clause */

/* What keeps a link from changing its state too often. Src: 03-link-node.md, 26. */
#include "link_rig.h"

/* As the node does it. */
static void
take_down(struct rig *rig)
{
	dpt_link_event(rig->link, DPT_LINK_EV_RESET, rig->now_ns);
	dpt_link_reset(rig->link, rig->now_ns, &rig->out);
	rig->out.events_cnt = 0;
	rig_tx_clear(rig);
}

static uint32_t
activate(struct rig *rig, uint16_t session)
{
	struct rte_mbuf *m = rig_reset_msg(DPT_TYPE_ACTIVATE, session);

	dpt_msg_set_dest_session_valid(dpt_buf_hdr(m), 1);
	dpt_msg_set_dest_session(dpt_buf_hdr(m), rig->link->session);
	return rig_rx_proto(rig, m);
}

static void
hazard_03_11_priority_changes_once_in_a_tolerance(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	m = rig_state_msg(&rig, 0, 0, NULL);
	dpt_msg_set_linkprio(dpt_buf_hdr(m), 9);
	CU_EQ_U64(rig_rx_proto(&rig, m), DPT_LINK_R_DOWN);
	take_down(&rig);
	rig.now_ns += 1400 * DPT_NS_PER_MS;
	rig.state_seq = 1;
	rig_up(&rig);
	m = rig_state_msg(&rig, 0, 0, NULL);
	dpt_msg_set_linkprio(dpt_buf_hdr(m), 8);
	CU_EQ_U64(rig_rx_proto(&rig, m), 0);
	CU_EQ_U64(rig.link->priority, 9);
	CU_EQ_U64(rig.sums.prio_limited, 1);
	rig.now_ns += 100 * DPT_NS_PER_MS;
	m = rig_state_msg(&rig, 0, 0, NULL);
	dpt_msg_set_linkprio(dpt_buf_hdr(m), 8);
	CU_EQ_U64(rig_rx_proto(&rig, m), DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.link->priority, 8);
	rig_end(&rig);
}

/* 10 ms, or an interval where that is less; the peer's readiness is remembered. */
static void
hazard_03_23_link_stays_down_for_a_moment(void)
{
	uint64_t down_ns;
	struct rig rig;

	rig_init_up(&rig);
	take_down(&rig);
	down_ns = rig.now_ns;
	/* A packet of the old session, and what opens the new one, come right behind. */
	rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B + 1));
	CU_EQ_U64(rig.link->state, DPT_LINK_ESTABLISHING);
	CU_EQ_U64(rig.out.tx.cnt, 0);
	CU_EQ_U64(rig_rx(&rig, 1, 0), 0);
	CU_EQ_U64(activate(&rig, RIG_SESSION_B + 1), 0);
	CU_EQ_U64(rig.sums.up_delayed, 1);
	CU_EQ_U64(dpt_link_deadline_ns(rig.link), down_ns + 10 * DPT_NS_PER_MS);
	/* Not by the timer either. */
	dpt_link_timeout(rig.link, 12, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.out.tx.cnt, 0);
	rig.now_ns = dpt_link_deadline_ns(rig.link);
	CU_EQ_U64(dpt_link_supervise(rig.link, rig.now_ns - 1, &rig.out), 0);
	CU_EQ_U64(dpt_link_supervise(rig.link, rig.now_ns, &rig.out), DPT_LINK_R_UP);
	CU_EQ_U64(dpt_link_deadline_ns(rig.link), DPT_NEVER_NS);
	CU_EQ_U64(rig.in.cnt, 0);
	rig_end(&rig);
}

/* Without the peer's ACTIVATE it is our answer to its RESET that waits. */
static void
hazard_03_23_answer_waits_too(void)
{
	struct dpt_link_setup setup = rig_setup;
	struct rig rig;

	setup.tolerance_ms = 20;
	rig_init_with(&rig, &setup, RIG_RING_PKTS);
	rig_up(&rig);
	take_down(&rig);
	rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B + 1));
	CU_EQ_U64(rig.out.tx.cnt, 0);
	CU_EQ_U64(dpt_link_deadline_ns(rig.link), rig.now_ns + 5 * DPT_NS_PER_MS);
	rig.now_ns += 5 * DPT_NS_PER_MS;
	CU_EQ_U64(dpt_link_supervise(rig.link, rig.now_ns, &rig.out), 0);
	CU_EQ_U64(rig.out.tx.cnt, 1);
	CU_EQ_U64(dpt_msg_type(rig_tx_hdr(&rig, 0)), DPT_TYPE_ACTIVATE);
	rig_tx_clear(&rig);
	CU_EQ_U64(activate(&rig, RIG_SESSION_B + 1), DPT_LINK_R_UP);
	rig_end(&rig);
}

static void
hazard_03_23_first_establishment_does_not_wait(void)
{
	struct rig rig;

	rig_init(&rig);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B));
	CU_EQ_U64(rig.out.tx.cnt, 1);
	CU_EQ_U64(activate(&rig, RIG_SESSION_B), DPT_LINK_R_UP);
	rig_end(&rig);
}

/* RESET and ACTIVATE as fast as they can be sent: 8 times, then once in a second. */
static void
hazard_03_29_flapping_is_damped(void)
{
	uint16_t session = RIG_SESSION_B;
	unsigned int ups = 0;
	uint64_t start_ns;
	struct rig rig;

	rig_init(&rig);
	start_ns = rig.now_ns;
	while (rig.now_ns < start_ns + 20 * DPT_NS_PER_S) {
		uint32_t result;

		rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, ++session));
		result = activate(&rig, session);
		if (dpt_link_deadline_ns(rig.link) <= rig.now_ns)
			result |= dpt_link_supervise(rig.link, rig.now_ns, &rig.out);
		if (result & DPT_LINK_R_UP) {
			dpt_link_event(rig.link, DPT_LINK_EV_ESTABLISH, rig.now_ns);
			ups++;
			take_down(&rig);
		}
		rig_tx_clear(&rig);
		rig.now_ns += DPT_NS_PER_MS;
	}
	CU_TRUE(ups >= 20);
	CU_TRUE(ups <= 8 + 20 + 1);
	CU_TRUE(rig.sums.flaps_damped >= 15);
	/* A quiet while later it is as before. */
	rig.now_ns += 30 * DPT_NS_PER_S;
	rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, ++session));
	CU_EQ_U64(activate(&rig, session), DPT_LINK_R_UP);
	rig_end(&rig);
}

/* Octets are bounded as well: packets of several buffers each. */
static void
hazard_03_16_octets_out_of_sequence_are_bounded(void)
{
	uint32_t limit = 64 * LINK_DEFER_PLACE_BYTES, held = 0;
	struct rig rig;

	rig_init_with(&rig, &rig_setup, 64);
	rig_up(&rig);
	for (uint16_t seq = 2; seq <= 60; seq++) {
		struct rte_mbuf *m =
			dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT, 8976,
				      dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));

		CU_NOT_NULL_FATAL(m);
		dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
		rig_rx_buf(&rig, m);
	}
	held = limit / 9000;
	CU_EQ_U64(rig.link->defer.cnt, held);
	CU_EQ_U64(rig.link->defer.bytes, held * 9000);
	CU_EQ_U64(rig.sums.drop_defer_full, 59 - held);
	/* What is held stays, and the packet expected next is never refused. */
	rig_rx(&rig, 1, 0);
	CU_EQ_U64(rig.link->rcv_nxt, held + 2);
	CU_EQ_U64(rig.link->defer.bytes, 0);
	rig_end(&rig);
}

/* By design without encryption: a forged RESET resets, but not with an old number. */
static void
hazard_03_7_old_session_numbers_reset_nothing(void)
{
	struct rig rig;

	rig_init_up(&rig);
	for (unsigned int back = 0; back < 32768; back += 257)
		CU_EQ_U64(rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET,
							   (uint16_t)(RIG_SESSION_B - back))),
			  UINT32_MAX);
	CU_EQ_U64(rig.link->state, DPT_LINK_ESTABLISHED);
	CU_EQ_U64(rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B + 1)),
		  DPT_LINK_R_DOWN);
	rig_end(&rig);
}

/* The 3-bit field of a bundle or fragment that is ours to queue: 5 to 7 count as SYSTEM. */
static void
hazard_03_25_importance_is_clamped(void)
{
	static const enum dpt_user users[] = {DPT_USER_BUNDLER, DPT_USER_FRAGMENTER};
	struct rig rig;

	rig_init_up(&rig);
	rig.link->window = 0;
	for (unsigned int i = 0; i < 8; i++) {
		struct rte_mbuf *m = dpt_msg_alloc(test_pool(), users[i % 2], 0, DPT_HDR_INTERNAL,
						   10, dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));

		dpt_msg_set_importance(dpt_buf_hdr(m), i);
		CU_EQ_I64(dpt_link_tx(rig.link, m, rig.now_ns, &rig.out), 0);
		CU_TRUE(dpt_buf(m)->importance <= DPT_IMPORTANCE_SYSTEM);
	}
	CU_EQ_U64(rig.link->backlog_cnt[DPT_IMPORTANCE_SYSTEM], 4);
	CU_EQ_U64(rig.link->backlog_cnt[LINK_LEVEL_TUNNEL], 0);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_03_11_priority_changes_once_in_a_tolerance),
	CU_TEST(hazard_03_23_link_stays_down_for_a_moment),
	CU_TEST(hazard_03_23_answer_waits_too),
	CU_TEST(hazard_03_23_first_establishment_does_not_wait),
	CU_TEST(hazard_03_29_flapping_is_damped),
	CU_TEST(hazard_03_16_octets_out_of_sequence_are_bounded),
	CU_TEST(hazard_03_7_old_session_numbers_reset_nothing),
	CU_TEST(hazard_03_25_importance_is_clamped),
};
const struct cu_suite guard_suite = CU_TEST_SUITE("guard", tests);
