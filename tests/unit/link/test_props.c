/* SPDX-License-Identifier: BSD-3-Clause */

/* Properties changed while the link works. Src: 03-link-node.md, 9, 11.3, 12. */
#include "link_rig.h"

static void
tolerance_and_priority_are_announced_once_each(void)
{
	const struct dpt_link_props props = {.tolerance_ms = 800, .priority = 20};
	struct rig rig;

	rig_init_up(&rig);
	CU_EQ_U64(dpt_link_props_set(rig.link, &props, &rig.out), DPT_LINK_R_STATE_SENT);
	CU_EQ_U64(rig.out.tx.cnt, 2);
	CU_EQ_U64(dpt_msg_link_tolerance(rig_tx_hdr(&rig, 0)), 800);
	CU_EQ_U64(dpt_msg_linkprio(rig_tx_hdr(&rig, 0)), 0);
	CU_EQ_U64(dpt_msg_link_tolerance(rig_tx_hdr(&rig, 1)), 0);
	CU_EQ_U64(dpt_msg_linkprio(rig_tx_hdr(&rig, 1)), 20);
	CU_EQ_U64(dpt_msg_is_keepalive(rig_tx_hdr(&rig, 1)), 0);
	CU_EQ_U64(dpt_link_priority(rig.link), 20);
	CU_EQ_U64(dpt_link_interval_ms(rig.link), 200);
	/* Never again. */
	rig_tx_clear(&rig);
	dpt_link_state_tx(rig.link, &rig.out);
	CU_EQ_U64(dpt_msg_link_tolerance(rig_tx_hdr(&rig, 0)), 0);
	CU_EQ_U64(dpt_msg_linkprio(rig_tx_hdr(&rig, 0)), 0);
	rig_end(&rig);
}

static void
link_that_is_down_says_nothing(void)
{
	const struct dpt_link_props props = {.tolerance_ms = 800, .priority = 20};
	struct rig rig;

	rig_init(&rig);
	CU_EQ_U64(dpt_link_props_set(rig.link, &props, &rig.out), 0);
	CU_EQ_U64(rig.out.tx.cnt, 0);
	CU_EQ_U64(rig.link->tolerance_ms, 800);
	CU_EQ_U64(rig.link->priority, 20);
	rig_end(&rig);
}

static void
window_starts_anew_and_the_limits_follow(void)
{
	struct dpt_link_props props = {.window_max = 200};
	struct rig rig;

	rig_init_up(&rig);
	rig.link->window = 900;
	rig.link->ssthresh = 300;
	CU_EQ_U64(dpt_link_props_set(rig.link, &props, &rig.out), 0);
	CU_EQ_U64(rig.link->window, 50);
	CU_EQ_U64(rig.link->window_max, 200);
	CU_EQ_U64(rig.link->ssthresh, 200);
	CU_EQ_U64(rig.link->backlog_limit[0], 100);
	props.window_max = 8191;
	dpt_link_props_set(rig.link, &props, &rig.out);
	CU_EQ_U64(rig.link->window_max, RIG_RING_PKTS);
	props.window_max = 20;
	dpt_link_props_set(rig.link, &props, &rig.out);
	CU_EQ_U64(rig.link->window, 20);
	CU_EQ_U64(rig.link->backlog_limit[3], 160);
	CU_EQ_U64(rig.out.tx.cnt, 0);
	rig_end(&rig);
}

/* Locally, at once; not more than the peer takes; not what is announced. */
static void
mtu_changes_locally(void)
{
	struct dpt_link_props props = {.mtu = 1000};
	struct rig rig;

	rig_init_up(&rig);
	dpt_link_props_set(rig.link, &props, &rig.out);
	CU_EQ_U64(dpt_link_mss(rig.link), 928);
	props.mtu = 1800;
	dpt_link_props_set(rig.link, &props, &rig.out);
	CU_EQ_U64(rig.link->mtu, 1500);
	props.mtu = 1000;
	dpt_link_props_set(rig.link, &props, &rig.out);
	dpt_link_event(rig.link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.link->mtu, 1500);
	rig_end(&rig);
}

/*
 * 5 ms, between two of us: an expiry each millisecond, a dead peer is known within two
 * tolerances, one that answers every other probe is not lost.
 */
static void
tolerance_of_5_ms_works(void)
{
	const struct dpt_link_props props = {.tolerance_ms = 5};
	uint64_t start_ns;
	uint32_t result = 0;
	struct rig rig;

	rig_init_up(&rig);
	dpt_link_props_set(rig.link, &props, &rig.out);
	CU_EQ_U64(dpt_link_interval_ms(rig.link), 1);
	for (unsigned int ms = 0; ms < 100; ms++) {
		rig.now_ns += DPT_NS_PER_MS;
		result |= dpt_link_timeout(rig.link, 1, rig.now_ns, &rig.out);
		if (ms % 2 == 0)
			rig_rx_state(&rig, 0, 0, NULL);
		rig_tx_clear(&rig);
	}
	CU_FALSE(result & DPT_LINK_R_DOWN);
	rig_rx_state(&rig, 0, 0, NULL);
	start_ns = rig.now_ns;
	result = 0;
	while ((result & DPT_LINK_R_DOWN) == 0 && rig.now_ns < start_ns + DPT_NS_PER_S) {
		uint64_t next_ns =
			start_ns + ((rig.now_ns - start_ns) / DPT_NS_PER_MS + 1) * DPT_NS_PER_MS;

		rig.now_ns = RTE_MIN(next_ns, dpt_link_deadline_ns(rig.link));
		if (rig.now_ns == next_ns)
			result = dpt_link_timeout(rig.link, 1, rig.now_ns, &rig.out);
		else
			result = dpt_link_supervise(rig.link, rig.now_ns, &rig.out);
		rig_tx_clear(&rig);
	}
	CU_TRUE(rig.now_ns - start_ns >= 5 * DPT_NS_PER_MS);
	CU_TRUE(rig.now_ns - start_ns <= 10 * DPT_NS_PER_MS);
	CU_EQ_U64(rig.link->last_down, DPT_DOWN_TOLERANCE);
	rig_end(&rig);
}

/* The node's timer may not have been set anew yet: one long expiry is not a failure. */
static void
shorter_tolerance_than_the_running_interval(void)
{
	const struct dpt_link_props props = {.tolerance_ms = 50};
	struct rig rig;

	rig_init_up(&rig);
	dpt_link_props_set(rig.link, &props, &rig.out);
	rig.now_ns += 375 * DPT_NS_PER_MS;
	CU_FALSE(dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out) & DPT_LINK_R_DOWN);
	CU_EQ_U64(rig.link->abort_limit, 1);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(tolerance_and_priority_are_announced_once_each),
	CU_TEST(link_that_is_down_says_nothing),
	CU_TEST(window_starts_anew_and_the_limits_follow),
	CU_TEST(mtu_changes_locally),
	CU_TEST(tolerance_of_5_ms_works),
	CU_TEST(shorter_tolerance_than_the_running_interval),
};
const struct cu_suite props_suite = CU_TEST_SUITE("props", tests);
