/* SPDX-License-Identifier: BSD-3-Clause */

/* Supervision. Src: 03-link-node.md, 6.1, 8. */
#include "link_rig.h"

/* Intervals and limits of the table in section 8; failure at the tolerance: decision 0010. */
static void
silence_is_failure_at_the_tolerance(void)
{
	static const struct {
		uint16_t tolerance_ms, interval_ms, abort_limit;
	} cases[] = {{50, 12, 4}, {1500, 375, 4}, {2000, 500, 4}, {30000, 500, 60}};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct dpt_link_setup setup = rig_setup;
		struct rig rig;
		uint64_t lost_ns;

		cu_context("tolerance %u", cases[i].tolerance_ms);
		setup.tolerance_ms = cases[i].tolerance_ms;
		rig_init_with(&rig, &setup, RIG_RING_PKTS);
		rig_up(&rig);
		lost_ns = rig.now_ns + cases[i].tolerance_ms * DPT_NS_PER_MS;
		CU_EQ_U64(dpt_link_interval_ms(rig.link), cases[i].interval_ms);
		for (uint16_t expiry = 0; expiry < cases[i].abort_limit; expiry++) {
			CU_TRUE(dpt_link_deadline_ns(rig.link) > rig.now_ns);
			rig.now_ns += cases[i].interval_ms * DPT_NS_PER_MS;
			CU_EQ_U64(dpt_link_timeout(rig.link, cases[i].interval_ms, rig.now_ns,
						   &rig.out) &
					  DPT_LINK_R_DOWN,
				  0);
			rig_tx_clear(&rig);
		}
		CU_EQ_U64(rig.link->abort_limit, cases[i].abort_limit);
		CU_TRUE(dpt_link_deadline_ns(rig.link) <= lost_ns);
		CU_FALSE(dpt_link_supervise(rig.link, lost_ns - 1, &rig.out) & DPT_LINK_R_DOWN);
		rig_tx_clear(&rig);
		CU_TRUE(dpt_link_supervise(rig.link, lost_ns, &rig.out) & DPT_LINK_R_DOWN);
		CU_EQ_U64(rig.link->last_down, DPT_DOWN_TOLERANCE);
		rig_end(&rig);
	}
}

/* We were held up, the peer's frames wait unread: one expiry says nothing about the peer. */
static void
own_stall_is_no_failure(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig.link->checkpoint = 1;
	rig.now_ns += 60 * DPT_NS_PER_S;
	CU_EQ_U64(dpt_link_supervise(rig.link, rig.now_ns, &rig.out), 0);
	CU_EQ_U64(dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out) & DPT_LINK_R_DOWN, 0);
	CU_EQ_U64(dpt_msg_probe(rig_tx_hdr(&rig, 0)), 1);
	rig_tx_clear(&rig);
	rig_rx_state(&rig, 0, 0, NULL);
	CU_EQ_U64(dpt_link_deadline_ns(rig.link), DPT_NEVER_NS);
	rig_end(&rig);
}

/* From the second silent expiry on four probes an interval, until something comes. */
static void
silent_peer_is_probed_more_often(void)
{
	struct rig rig;
	uint64_t start_ns;

	rig_init_up(&rig);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(dpt_link_deadline_ns(rig.link), DPT_NEVER_NS);
		rig.now_ns += 375 * DPT_NS_PER_MS;
		dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
		rig_tx_clear(&rig);
	}
	start_ns = rig.now_ns;
	for (unsigned int i = 0; i < 3; i++) {
		rig.now_ns = dpt_link_deadline_ns(rig.link);
		dpt_link_supervise(rig.link, rig.now_ns, &rig.out);
		CU_EQ_U64(rig.out.tx.cnt, 1);
		CU_EQ_U64(dpt_msg_probe(rig_tx_hdr(&rig, 0)), 1);
		rig_tx_clear(&rig);
	}
	CU_EQ_U64(rig.now_ns - start_ns, 3 * 93750000);
	rig_rx_state(&rig, 0, 0, NULL);
	CU_EQ_U64(dpt_link_deadline_ns(rig.link), DPT_NEVER_NS);
	rig_end(&rig);
}

static void
idle_link_probes_at_every_expiry(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig.link->checkpoint = 1;
	for (unsigned int i = 0; i < 3; i++) {
		dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
		CU_EQ_U64(dpt_msg_probe(rig_tx_hdr(&rig, 0)), 1);
		CU_EQ_U64(dpt_msg_is_keepalive(rig_tx_hdr(&rig, 0)), 1);
		CU_EQ_U64(rig_tx_clear(&rig), 1);
		rig_rx_state(&rig, 0, 0, NULL);
	}
	rig_end(&rig);
}

static void
busy_link_sends_a_state_only_for_what_is_unacknowledged(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, 0, 1);
	rig_rx(&rig, 1, 1);
	rig_send(&rig, 0, 1);
	rig_rx(&rig, 2, 2);
	rig.link->rcv_unacked = 0;
	rig_tx_clear(&rig);
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	CU_EQ_U64(rig_tx_clear(&rig), 0);
	rig.link->silent = 0;
	rig.link->checkpoint = 0;
	rig.view.is_unacked = true;
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.out.tx.cnt, 1);
	CU_EQ_U64(dpt_msg_probe(rig_tx_hdr(&rig, 0)), 0);
	rig_tx_clear(&rig);
	rig.view.is_unacked = false;
	rig.view.is_ack_due = true;
	rig.link->silent = 0;
	rig.link->checkpoint = 0;
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	CU_EQ_U64(rig_tx_clear(&rig), 1);
	rig_end(&rig);
}

static void
deferred_packets_are_asked_for_by_the_timer(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_rx(&rig, 3, 0);
	CU_EQ_U64(rig_tx_clear(&rig), 0);
	rig_send(&rig, 0, 1);
	rig_tx_clear(&rig);
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.out.tx.cnt, 1);
	CU_EQ_U64(dpt_msg_probe(rig_tx_hdr(&rig, 0)), 1);
	CU_EQ_U64(dpt_msg_seq_gap(rig_tx_hdr(&rig, 0)), 2);
	rig_end(&rig);
}

static void
idle_interval_falls_back_to_the_least_window(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig.link->window = 900;
	rig_send(&rig, 0, 1);
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.link->window, 900);
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.link->window, 50);
	CU_EQ_U64(rig.link->ssthresh, 450);
	rig_end(&rig);
}

/* RESET at each interval for 5 s (13 of 375 ms), then at each 16th. */
static void
reset_is_repeated_often_first_and_slowly_then(void)
{
	struct rig rig;

	rig_init(&rig);
	for (unsigned int k = 1; k <= 64; k++) {
		cu_context("interval %u", k);
		dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
		CU_EQ_U64(rig_tx_clear(&rig), k <= 13 || k % 16 == 0);
	}
	/* ACTIVATE at every interval. */
	rig_rx_proto(&rig, rig_reset_msg(DPT_TYPE_RESET, 77));
	rig_tx_clear(&rig);
	for (unsigned int k = 1; k <= 40; k++) {
		dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
		CU_EQ_U64(dpt_msg_type(rig_tx_hdr(&rig, 0)), DPT_TYPE_ACTIVATE);
		CU_EQ_U64(rig_tx_clear(&rig), 1);
	}
	rig_end(&rig);
}

static void
queue_and_message_length_are_sampled(void)
{
	struct rig rig;

	rig_init_up(&rig);
	dpt_link_tx(rig.link, rig_msg(0, 66000), rig.now_ns, &rig.out);
	dpt_link_timeout(rig.link, 375, rig.now_ns, &rig.out);
	CU_EQ_U64(rig.sums.accu_queue_sz, 48);
	CU_EQ_U64(rig.sums.queue_sz_counts, 1);
	CU_EQ_U64(rig.sums.msg_lengths_total, 66024);
	CU_EQ_U64(rig.sums.msg_length_p6, 1);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(silence_is_failure_at_the_tolerance),
	CU_TEST(own_stall_is_no_failure),
	CU_TEST(silent_peer_is_probed_more_often),
	CU_TEST(idle_link_probes_at_every_expiry),
	CU_TEST(busy_link_sends_a_state_only_for_what_is_unacknowledged),
	CU_TEST(deferred_packets_are_asked_for_by_the_timer),
	CU_TEST(idle_interval_falls_back_to_the_least_window),
	CU_TEST(reset_is_repeated_often_first_and_slowly_then),
	CU_TEST(queue_and_message_length_are_sampled),
};
const struct cu_suite timer_suite = CU_TEST_SUITE("timer", tests);
