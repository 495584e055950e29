/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The state machine, cell by cell, against the table of 03-link-node.md, 5, written here
 * once more from the text: next state, "=" no change, "!" illegal; "D" down is reported.
 */
#include "link_rig.h"

#define NONE   (-1)
#define ILL    (-2)
#define DOWN_  0x100
#define P_DOWN (DPT_LINK_PEER_RESET | DOWN_)
#define R_DOWN (DPT_LINK_RESETTING | DOWN_)

static const int want[DPT_LINK_STATE_CNT][DPT_LINK_EVENT_CNT] = {
	/* ESTABLISH, PEER_RESET, FAILURE, RESET, FAILOVER_BEGIN, _END, SYNCH_BEGIN, _END */
	[DPT_LINK_RESETTING] = {ILL, DPT_LINK_PEER_RESET, ILL, DPT_LINK_RESET, ILL, ILL, ILL, ILL},
	[DPT_LINK_RESET] = {NONE, DPT_LINK_ESTABLISHING, NONE, NONE, DPT_LINK_FAILINGOVER, NONE,
			    ILL, ILL},
	[DPT_LINK_PEER_RESET] = {NONE, NONE, NONE, DPT_LINK_ESTABLISHING, ILL, ILL, ILL, ILL},
	[DPT_LINK_ESTABLISHING] = {DPT_LINK_ESTABLISHED, NONE, NONE, DPT_LINK_RESET,
				   DPT_LINK_FAILINGOVER, NONE, NONE, ILL},
	[DPT_LINK_ESTABLISHED] = {NONE, P_DOWN, R_DOWN, DPT_LINK_RESET, ILL, ILL, DPT_LINK_SYNCHING,
				  NONE},
	[DPT_LINK_SYNCHING] = {NONE, P_DOWN, R_DOWN, DPT_LINK_RESET, ILL, ILL, NONE,
			       DPT_LINK_ESTABLISHED},
	[DPT_LINK_FAILINGOVER] = {NONE, NONE, NONE, NONE, ILL, DPT_LINK_RESET, ILL, ILL},
};

static void
every_state_and_event_as_in_section_5(void)
{
	struct rig rig;

	rig_init(&rig);
	for (int state = 0; state < DPT_LINK_STATE_CNT; state++) {
		for (int event = 0; event < DPT_LINK_EVENT_CNT; event++) {
			int cell = want[state][event];
			uint64_t illegal = rig.sums.fsm_illegal;
			uint32_t result;

			cu_context("state %s event %d", dpt_link_state_name(state), event);
			rig.link->state = (uint8_t)state;
			result = dpt_link_event(rig.link, event, rig.now_ns);
			CU_EQ_U64(rig.link->state, cell < 0 ? state : cell & 0xff);
			CU_EQ_U64(result, cell >= 0 && cell & DOWN_ ? DPT_LINK_R_DOWN : 0);
			CU_EQ_U64(rig.sums.fsm_illegal - illegal, cell == ILL);
		}
	}
	rig_end(&rig);
}

static void
new_link_is_reset_with_a_session_of_its_generator(void)
{
	struct rig rig;
	uint16_t first;

	rig_init(&rig);
	CU_EQ_U64(rig.link->state, DPT_LINK_RESET);
	CU_FALSE(rig.link->in_session);
	first = rig.link->session;
	/* The same generator, further on: a link created anew must not repeat the session. */
	dpt_link_init(rig.link,
		      &(struct dpt_link_cfg){.env = rig.link->env,
					     .own = rig.link->own,
					     .peer = rig.link->peer,
					     .ring_pkts = RIG_RING_PKTS,
					     .view = &rig.view,
					     .sums = &rig.sums},
		      &rig_setup, rig.now_ns);
	CU_TRUE(rig.link->session != first);
	rig_end(&rig);
}

static void
reset_moves_both_sessions_and_clears_what_3_4_says(void)
{
	struct dpt_link *link;
	struct rig rig;

	rig_init_up(&rig);
	link = rig.link;
	rig_send_large(&rig, 0, 60);
	rig_rx(&rig, 1, 0);
	rig_rx(&rig, 3, 0);
	link->mtu = 1000;
	CU_EQ_U64(link->backlog.cnt, 10);
	dpt_link_event(link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(link, rig.now_ns, &rig.out);
	CU_EQ_U64(link->session, RIG_SESSION_A + 1);
	CU_EQ_U64(link->peer_session, RIG_SESSION_B - 1);
	CU_FALSE(link->in_session);
	CU_EQ_U64(link->mtu, 1500);
	CU_EQ_U64(link->snd_nxt, 1);
	CU_EQ_U64(link->rcv_nxt, 1);
	CU_EQ_U64(link->snd_cnt, 0);
	CU_EQ_U64(link->backlog.cnt, 0);
	CU_EQ_U64(link->defer.cnt, 0);
	CU_EQ_U64(link->counters.sent_pkts, 0);
	CU_EQ_U64(link->counters.drop_link_down, 60);
	CU_EQ_U64(link->counters.drop_deferred_down, 1);
	CU_EQ_U64(rig.sums.sent_pkts, 50);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(every_state_and_event_as_in_section_5),
	CU_TEST(new_link_is_reset_with_a_session_of_its_generator),
	CU_TEST(reset_moves_both_sessions_and_clears_what_3_4_says),
};
const struct cu_suite fsm_suite = CU_TEST_SUITE("fsm", tests);
