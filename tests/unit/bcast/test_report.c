/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of peers on our stream: 06-broadcast.md, 6.4, 7. */
#include "bcast_fx.h"

/* The captured STATE of 6.1, second half: B has 1, 3-4, 6-8, 10-18, 21-22, 24-25. */
static const char captured[] = "4f400040 00000001 00020015 01001002"
			       "00000003 b5bc1000 01001002 01001001"
			       "00000001 00000000"
			       "00180005 00040001 00080001 00120002 00160001 00190000";

static void
captured_report_releases_and_retransmits(void)
{
	static const uint16_t missing[] = {2, 5, 9, 19, 20, 23};
	uint16_t seqnos[64];
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_send(&fx, 25, 0);
	bcast_fx_clear(&fx);
	dpt_bcast_snd_report(fx.snd, test_buf_hex(captured), 20 * FX_MS, &fx.out);
	CU_EQ_U64(fx.counters.tx_released, 25 - CU_CNT(missing));
	CU_EQ_U64_FATAL(bcast_fx_sent(&fx, seqnos, 64), CU_CNT(missing));
	for (uint32_t i = 0; i < CU_CNT(missing); i++)
		CU_EQ_U64(seqnos[i], missing[i]);
	CU_EQ_U64(fx.counters.reports_gap, 1);
	bcast_fx_fini(&fx);
}

static void
each_peer_decreases_each_packet_once(void)
{
	struct bcast_fx fx;

	/* B says the same thing in every way; C has not said anything: nothing is released. */
	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_peer(&fx, FX_C);
	bcast_fx_send(&fx, 25, 0);
	dpt_bcast_snd_report(fx.snd, test_buf_hex(captured), 1, &fx.out);
	dpt_bcast_snd_report(fx.snd, test_buf_hex(captured), 2, &fx.out);
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_B, 10, 2, NULL, 0), 3, &fx.out);
	dpt_bcast_snd_ack(fx.snd, FX_B, 25, 4, &fx.out);
	dpt_bcast_snd_ack(fx.snd, FX_B, 25, 5, &fx.out);
	CU_EQ_U64(fx.counters.tx_released, 0);
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_C, 25, 0, NULL, 0), 6, &fx.out);
	CU_EQ_U64(fx.counters.tx_released, 25);
	bcast_fx_fini(&fx);
}

static void
older_report_changes_nothing(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_send(&fx, 25, 0);
	dpt_bcast_snd_ack(fx.snd, FX_B, 9, 0, &fx.out);
	bcast_fx_clear(&fx);
	dpt_bcast_snd_report(fx.snd, test_buf_hex(captured), 20 * FX_MS, &fx.out);
	CU_EQ_U64(fx.counters.tx_released, 9);
	CU_EQ_U64(fx.out.tx.cnt, 0);
	bcast_fx_fini(&fx);
}

static void
packet_is_retransmitted_once_in_10_ms_whoever_asks(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_peer(&fx, FX_C);
	bcast_fx_send(&fx, 2, 0);
	bcast_fx_clear(&fx);
	/* It has only just been sent. */
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_B, 0, 2, NULL, 0), 9 * FX_MS, &fx.out);
	CU_EQ_U64(fx.out.tx.cnt, 0);
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_B, 0, 2, NULL, 0), 10 * FX_MS, &fx.out);
	CU_EQ_U64(fx.out.tx.cnt, 2);
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_C, 0, 2, NULL, 0), 19 * FX_MS, &fx.out);
	CU_EQ_U64(fx.out.tx.cnt, 2);
	dpt_bcast_snd_report(fx.snd, bcast_state(FX_C, 0, 2, NULL, 0), 20 * FX_MS, &fx.out);
	CU_EQ_U64(fx.out.tx.cnt, 4);
	CU_EQ_U64(fx.counters.tx_retransmits, 4);
	bcast_fx_fini(&fx);
}

static void
peer_that_was_added_later_does_not_count_for_earlier_packets(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_send(&fx, 3, 0);
	bcast_fx_peer(&fx, FX_C);
	dpt_bcast_snd_ack(fx.snd, FX_B, 3, 0, &fx.out);
	CU_EQ_U64(fx.counters.tx_released, 3);
	bcast_fx_fini(&fx);
}

static void
peer_without_gap_records_is_read_without(void)
{
	struct rte_mbuf *m = test_buf_hex(captured);
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	dpt_bcast_snd_caps_set(fx.snd, FX_B, DPT_CAPS_OWN & ~DPT_CAP_GAP_ACK_BLOCK);
	bcast_fx_send(&fx, 25, 0);
	dpt_bcast_snd_report(fx.snd, m, 1, &fx.out);
	CU_EQ_U64(fx.counters.tx_released, 1);
	bcast_fx_fini(&fx);
}

static void
silent_peer_is_named_after_ten_tolerances(void)
{
	struct bcast_fx fx;

	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_peer(&fx, FX_C);
	CU_EQ_U64(dpt_bcast_snd_deadline_ns(fx.snd), DPT_NEVER_NS);
	bcast_fx_send(&fx, 1, 1000 * FX_MS);
	CU_EQ_U64(dpt_bcast_snd_deadline_ns(fx.snd), 16000 * FX_MS);
	dpt_bcast_snd_ack(fx.snd, FX_C, 1, 1100 * FX_MS, &fx.out);
	CU_EQ_U64(dpt_bcast_snd_stalled(fx.snd, 15999 * FX_MS).value, 0);
	CU_EQ_U64(dpt_bcast_snd_stalled(fx.snd, 16000 * FX_MS).value, FX_B.value);
	/* Asked again, as the caller does: nobody else, nor B a second time. */
	CU_EQ_U64(dpt_bcast_snd_stalled(fx.snd, 16000 * FX_MS).value, 0);
	CU_TRUE(dpt_bcast_snd_deadline_ns(fx.snd) > 16000 * FX_MS);
	dpt_bcast_snd_peer_del(fx.snd, FX_B, 16000 * FX_MS, &fx.out);
	CU_EQ_U64(dpt_bcast_snd_deadline_ns(fx.snd), DPT_NEVER_NS);
	bcast_fx_fini(&fx);
}

static void
slow_peer_that_moves_is_not_named(void)
{
	uint64_t now_ns = 0;
	struct bcast_fx fx;

	/* Always one packet behind, for two minutes. */
	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_send(&fx, 2, now_ns);
	for (uint16_t ack = 1; ack < 40; ack++) {
		now_ns += 3000 * FX_MS;
		dpt_bcast_snd_ack(fx.snd, FX_B, ack, now_ns, &fx.out);
		bcast_fx_send(&fx, 1, now_ns);
		CU_EQ_U64(dpt_bcast_snd_stalled(fx.snd, now_ns).value, 0);
	}
	/* A peer that was idle for long is not late with what was sent just now. */
	dpt_bcast_snd_ack(fx.snd, FX_B, 41, now_ns, &fx.out);
	now_ns += 100000 * FX_MS;
	bcast_fx_send(&fx, 1, now_ns);
	CU_EQ_U64(dpt_bcast_snd_stalled(fx.snd, now_ns + 14999 * FX_MS).value, 0);
	CU_EQ_U64(dpt_bcast_snd_stalled(fx.snd, now_ns + 15000 * FX_MS).value, FX_B.value);
	bcast_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(captured_report_releases_and_retransmits),
	CU_TEST(each_peer_decreases_each_packet_once),
	CU_TEST(older_report_changes_nothing),
	CU_TEST(packet_is_retransmitted_once_in_10_ms_whoever_asks),
	CU_TEST(peer_that_was_added_later_does_not_count_for_earlier_packets),
	CU_TEST(peer_without_gap_records_is_read_without),
	CU_TEST(silent_peer_is_named_after_ten_tolerances),
	CU_TEST(slow_peer_that_moves_is_not_named),
};

const struct cu_suite bcast_suite_report = CU_TEST_SUITE("report", tests);
