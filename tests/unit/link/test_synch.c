/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A second link comes up: what takes it waits for what took the first one.
 * Src: 03-link-node.md, 20.
 */
#include <errno.h>

#include "link_pair.h"

/* A has come up second on wire 1 and moves over; its first link still has a lot waiting. */
static void
move_over(unsigned int seed)
{
	static const uint32_t sizes[] = {10, 500, 1300, 6000};

	pair_init(seed, 1500, 0);
	pair.sides[0].ends[0].link->window = 5;
	pair.loss_pct[0] = (uint8_t)(seed % 4 * 10);
	for (unsigned int i = 0; i < 60; i++)
		pair_send(0, i % 4, sizes[dpt_rng_below(&pair.rng, CU_CNT(sizes))]);
	pair_up(1, 1500);
	CU_EQ_I64(dpt_link_synch(pair.sides[0].ends[1].link, pair.sides[0].ends[0].link,
				 pair.now_ns, &pair.sides[0].out),
		  0);
	pair.sides[0].active = 1;
	for (unsigned int i = 0; i < 60; i++)
		pair_send(0, i % 4, sizes[dpt_rng_below(&pair.rng, CU_CNT(sizes))]);
	pair_settle(100);
	CU_FALSE(pair.sides[1].is_synch);
}

static void
new_link_waits_for_the_first_one(void)
{
	for (unsigned int seed = 1; seed <= 40; seed++) {
		cu_context("seed %u", seed);
		move_over(seed);
		CU_EQ_U64(pair.sides[1].sums.consumed_synch, 1);
		CU_EQ_U64(pair.sides[0].sums.sent_own, 1);
		pair_end();
	}
}

/* The old form: copies of all that is under way, a dummy on the first link and in a copy. */
static void
old_form_carries_copies(void)
{
	uint64_t copies = 0;

	for (unsigned int seed = 1; seed <= 40; seed++) {
		cu_context("seed %u", seed);
		pair.caps = DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED;
		/* Losses would delay number 1, by which the point is known. */
		move_over(seed * 4);
		copies += pair.sides[1].sums.consumed_synch;
		/* The dummy came to the node as any message: not one of ours. */
		pair_end();
	}
	CU_TRUE(copies > 40);
}

static void
old_form_is_all_or_nothing(void)
{
	pair.caps = DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED;
	pair_init(1, 1500, 800);
	pair.loss_pct[0] = 100;
	pair_send(0, 0, 100);
	pair_send(0, 0, 900);
	CU_EQ_I64(dpt_link_synch(pair.sides[0].ends[1].link, pair.sides[0].ends[0].link,
				 pair.now_ns, &pair.sides[0].out),
		  -EMSGSIZE);
	CU_EQ_U64(dpt_link_snd_end(pair.sides[0].ends[1].link), 1);
	CU_EQ_U64(dpt_link_snd_end(pair.sides[0].ends[0].link), 3);
	test_pool_exhaust(1);
	CU_EQ_I64(dpt_link_synch(pair.sides[0].ends[1].link, pair.sides[0].ends[0].link,
				 pair.now_ns, &pair.sides[0].out),
		  -ENOBUFS);
	test_pool_release();
	pair_end();
}

/* Held packets are neither delivered nor reported; after the end all come, once each. */
static void
held_packets_cause_no_report(void)
{
	struct pair_side *s;
	struct dpt_link *link;

	pair_init(1, 1500, 1500);
	s = &pair.sides[1];
	link = s->ends[1].link;
	dpt_link_event(link, DPT_LINK_EV_SYNCH_BEGIN, pair.now_ns);
	s->is_synch = true;
	s->sync_point = 5;
	pair.sides[0].active = 1;
	pair.cut_before[1] = 2;
	for (unsigned int i = 0; i < 2; i++)
		pair_send(0, 0, 1000);
	pair_run();
	pair.loss_pct[1] = 0;
	for (unsigned int i = 0; i < 10; i++)
		pair_send(0, 0, 1000);
	pair_run();
	/* Number 2 was lost: 1 and 3 to 12 are held. */
	CU_EQ_U64(s->sums.held_pkts, 11);
	CU_EQ_U64(link->defer.cnt, 11);
	CU_EQ_U64(s->received, 0);
	pair_ticks(2);
	CU_EQ_U64(s->sums.sent_nacks, 0);
	CU_EQ_U64(pair.sides[0].sums.retransmitted, 0);
	CU_EQ_U64(pair.sides[0].ends[1].link->snd_cnt, 12);
	dpt_link_event(link, DPT_LINK_EV_SYNCH_END, pair.now_ns);
	s->is_synch = false;
	pair.now_ns += 2 * DPT_NS_PER_MS;
	{
		struct dpt_bufq in;

		dpt_bufq_init(&in);
		CU_EQ_U64(dpt_link_unhold(link, pair.now_ns, &in, &s->out), DPT_LINK_R_STATE_SENT);
		CU_EQ_U64(in.cnt, 1);
		/* Number 1 is the test's to count. */
		s->received += dpt_bufq_free(&in);
	}
	pair_run();
	CU_EQ_U64(s->received, 12);
	CU_EQ_U64(s->sums.sent_nacks, 1);
	pair_end();
}

/* The same packet twice while it is held, and after. */
static void
held_packet_is_a_duplicate_the_second_time(void)
{
	struct pair_side *s;
	struct dpt_link *link;

	pair_init(1, 1500, 1500);
	s = &pair.sides[1];
	link = s->ends[1].link;
	dpt_link_event(link, DPT_LINK_EV_SYNCH_BEGIN, pair.now_ns);
	for (unsigned int i = 0; i < 3; i++) {
		struct rte_mbuf *m =
			dpt_msg_alloc(test_pool(), DPT_USER_CONN_MANAGER, 0, DPT_HDR_INTERNAL, 0,
				      dpt_node_addr(0x02010000), dpt_node_addr(0x02020000));
		struct dpt_bufq in;

		dpt_msg_set_seqno(dpt_buf_hdr(m), 1);
		dpt_bufq_init(&in);
		s->rx_frames++;
		if (i < 2)
			dpt_link_hold(link, m, pair.now_ns, &s->out);
		else
			dpt_link_rx(link, m, pair.now_ns, &in, &s->out);
		CU_EQ_U64(in.cnt, 0);
	}
	CU_EQ_U64(s->sums.drop_duplicate, 2);
	CU_EQ_U64(link->defer.cnt, 1);
	pair_end();
}

static const struct cu_test tests[] = {
	CU_TEST(new_link_waits_for_the_first_one),
	CU_TEST(old_form_carries_copies),
	CU_TEST(old_form_is_all_or_nothing),
	CU_TEST(held_packets_cause_no_report),
	CU_TEST(held_packet_is_a_duplicate_the_second_time),
};
const struct cu_suite synch_suite = CU_TEST_SUITE("synch", tests);
