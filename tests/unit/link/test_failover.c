/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Promise P1 across a failover: each message once and in order, with holes in what was
 * confirmed, messages half received, bundles, and tunnels that are smaller than the packets.
 * Src: 03-link-node.md, 19.
 */
#include <errno.h>

#include "link_pair.h"

/* Traffic of both sides, of all levels and sizes; some of it waits. */
static void
send_some(unsigned int n)
{
	static const uint32_t sizes[] = {5, 20, 100, 700, 1400, 5000, 20000};

	while (n-- > 0) {
		unsigned int side = dpt_rng_below(&pair.rng, 2);
		uint32_t bytes = sizes[dpt_rng_below(&pair.rng, CU_CNT(sizes))];
		int rc = pair_send(side, dpt_rng_below(&pair.rng, 4), bytes);

		CU_TRUE(rc >= 0);
		if (dpt_rng_below(&pair.rng, 8) == 0)
			pair_run();
	}
}

static void
nothing_is_lost_doubled_or_reordered(void)
{
	static const uint16_t mtus[] = {576, 1000, 1500, 2048};

	struct dpt_link_counters seen = {0};

	for (uint64_t seed = 1; seed <= 150; seed++) {
		const struct dpt_link_counters *sums = &pair.sides[0].sums;
		uint16_t mtu0 = mtus[seed % 4], mtu1 = mtus[seed / 4 % 4];
		unsigned int first = seed / 2 % 2;

		cu_context("seed %u", (unsigned int)seed);
		pair_init(seed, mtu0, mtu1);
		pair.loss_pct[0] = (uint8_t)(seed % 3 * 15);
		pair.loss_pct[1] = (uint8_t)(seed % 2 * 10);
		send_some(60);
		pair_run();
		send_some(60);
		pair.loss_pct[0] = 100;
		/* One end notices first; the other one by what it is sent, or by itself. */
		CU_EQ_I64(pair_failover(first, 0), 0);
		if (seed % 5 == 0)
			CU_EQ_I64(pair_failover(1 - first, 0), 0);
		send_some(20);
		pair_settle(200);
		CU_FALSE(pair.sides[0].is_failover && pair.sides[1].is_failover);
		CU_EQ_U64(pair.sides[0].sums.failovers, 1);
		CU_EQ_U64(pair.sides[0].sums.drop_tunnel_end, 0);
		pair_end();
		CU_EQ_U64_FATAL(pair.sides[0].wrong + pair.sides[1].wrong, 0);
		seen.sent_bundles += sums->sent_bundles;
		seen.recv_tunnelled += sums->recv_tunnelled;
		seen.drop_tunnel_duplicate += sums->drop_tunnel_duplicate;
		seen.consumed_dummy += sums->consumed_dummy;
		seen.retransmitted += sums->retransmitted;
	}
	/* The seeds have been where it is difficult. */
	CU_TRUE(seen.sent_bundles > 200);
	CU_TRUE(seen.recv_tunnelled > 1000);
	CU_TRUE(seen.drop_tunnel_duplicate > 100);
	CU_TRUE(seen.retransmitted > 1000);
	CU_EQ_U64(seen.consumed_dummy, 150);
}

/* Back and forth: the link that failed comes up again, then the other one fails. */
static void
links_take_turns(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		cu_context("seed %u", (unsigned int)seed);
		pair_init(seed, 1500, 1200);
		for (unsigned int round = 0; round < 4; round++) {
			unsigned int wire = round % 2;

			pair.loss_pct[1 - wire] = 10;
			send_some(50);
			pair.loss_pct[wire] = 100;
			CU_EQ_I64(pair_failover(round / 2, wire), 0);
			send_some(20);
			pair_settle(200);
			pair_ticks(4);
			CU_FALSE(pair.sides[0].is_failover || pair.sides[1].is_failover);
			pair.loss_pct[wire] = pair.loss_pct[1 - wire] = 0;
			pair_ticks(6);
			CU_TRUE_FATAL(dpt_link_is_up(pair.sides[0].ends[wire].link));
			CU_TRUE_FATAL(dpt_link_is_up(pair.sides[1].ends[wire].link));
		}
		pair_end();
	}
}

/* The second message is lost, the others arrive, which the sender knows: it has a hole less. */
static void
what_was_reported_is_not_sent_again(void)
{
	struct dpt_link *from, *to;

	pair_init(1, 1500, 1500);
	from = pair.sides[0].ends[0].link;
	to = pair.sides[1].ends[0].link;
	pair_send(0, 0, 100);
	pair_run();
	pair.loss_pct[0] = 100;
	pair_send(0, 0, 200);
	pair_run();
	pair.loss_pct[0] = 0;
	for (unsigned int i = 0; i < 10; i++)
		pair_send(0, i % 4, 300);
	pair_run();
	CU_EQ_U64(pair.sides[1].received, 1);
	CU_EQ_U64(to->defer.cnt, 10);
	/* 3, 4, 5 in the report of the third one; then nothing more before the nineteenth. */
	CU_EQ_U64(from->snd_cnt, 1 + 7);
	pair.loss_pct[0] = 100;
	CU_EQ_I64(pair_failover(0, 0), 0);
	pair_run();
	CU_EQ_U64(pair.sides[0].sums.sent_tunnelled, 8);
	CU_EQ_U64(pair.sides[1].received, 12);
	CU_EQ_U64(pair.sides[1].sums.drop_tunnel_duplicate, 7);
	CU_EQ_U64(pair.sides[1].sums.consumed_dummy, 1);
	pair_end();
}

/* Two of three pieces have arrived on the link that fails. */
static void
half_received_message_is_completed_through_the_tunnel(void)
{
	pair_init(1, 1500, 1500);
	pair.cut_before[0] = 3;
	pair_send(0, 0, 4000);
	pair_run();
	CU_EQ_U64(dpt_link_rcv_nxt(pair.sides[1].ends[0].link), 3);
	CU_EQ_I64(pair_failover(0, 0), 0);
	pair_run();
	CU_EQ_U64(pair.sides[1].received, 1);
	CU_EQ_U64(pair.sides[1].sums.drop_tunnel_duplicate, 2);
	CU_EQ_U64(dpt_link_drop_point(pair.sides[1].ends[1].link), 5);
	pair_end();
}

static void
peer_without_tunnel_enhanced_takes_no_large_packets(void)
{
	pair.caps = DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED;
	pair_init(1, 1500, 1200);
	pair.loss_pct[0] = 100;
	pair_send(0, 0, 1100);
	pair_run();
	CU_EQ_I64(pair_send(0, 0, 1300), 0);
	pair_run();
	CU_EQ_I64(pair_failover(0, 0), -EMSGSIZE);
	CU_EQ_U64(pair.sides[0].out.tx.cnt, 0);
	CU_EQ_U64(pair.sides[0].sums.drop_link_down, 2);
	CU_EQ_U64(pair.sides[0].sums.recv_tunnelled, 0);
	pair_end();
}

/* All or nothing, wherever the pool runs dry. */
static void
pool_empty_sends_nothing(void)
{
	for (uint32_t left = 0; left <= 5; left++) {
		cu_context("%u buffers left", left);
		pair_init(1, 1500, 700);
		pair.loss_pct[0] = 100;
		pair_send(0, 0, 1300);
		pair_send(0, 0, 1300);
		for (unsigned int i = 0; i < 30; i++)
			pair_send(0, 1, 10);
		pair_run();
		test_pool_exhaust(left);
		/* Two packets are cut in three, which gives their own buffers back; the rest fits.
		 */
		CU_EQ_I64(pair_failover(0, 0), left < 5 ? -ENOBUFS : 0);
		test_pool_release();
		CU_EQ_U64(pair.sides[0].out.tx.cnt > 0, left == 5);
		CU_EQ_U64(pair.sides[0].ends[0].link->snd_cnt, 0);
		pair_end();
	}
}

/* Behind the series new messages of all levels are taken: the series has no limit. */
static void
series_does_not_fill_the_system_level(void)
{
	struct dpt_link *tunnel;

	pair_init(1, 1500, 1500);
	pair.loss_pct[0] = 100;
	tunnel = pair.sides[0].ends[1].link;
	tunnel->backlog_limit[DPT_IMPORTANCE_SYSTEM] = 5;
	for (unsigned int i = 0; i < 100; i++)
		pair_send(0, 0, 1000);
	CU_EQ_I64(pair_failover(0, 0), 0);
	CU_TRUE(tunnel->backlog_cnt[LINK_LEVEL_TUNNEL] > 5);
	CU_EQ_U64(tunnel->backlog_cnt[DPT_IMPORTANCE_SYSTEM], 0);
	CU_EQ_I64(pair_send(0, 0, 1000), 0);
	pair_settle(20);
	pair_end();
}

static const struct cu_test tests[] = {
	CU_TEST(nothing_is_lost_doubled_or_reordered),
	CU_TEST(links_take_turns),
	CU_TEST(what_was_reported_is_not_sent_again),
	CU_TEST(half_received_message_is_completed_through_the_tunnel),
	CU_TEST(peer_without_tunnel_enhanced_takes_no_large_packets),
	CU_TEST(pool_empty_sends_nothing),
	CU_TEST(series_does_not_fill_the_system_level),
};
const struct cu_suite failover_suite = CU_TEST_SUITE("failover", tests);
