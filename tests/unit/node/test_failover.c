/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One of two links is lost: everything arrives, once and in order. 03-link-node.md, 19.
 *
 *     side A ==== wire 0 ==== side B      even ports
 *            ==== wire 1 ====             odd ports
 */
#include <errno.h>

#include "dpt_msg.h"
#include "node_net.h"

/* Messages on all ports, both ways, of all sizes, one call every 40 us. */
#define SCRIPT_STEPS   30
#define SCRIPT_STEP_NS 40000

static void
script_step(uint32_t step)
{
	static const uint32_t sizes[] = {8, 700, 1400, 3000, 60, 9000};

	for (unsigned int side = 0; side < 2; side++) {
		uint32_t port = (step + side) % NET_PORTS;

		if (!net.sides[side].is_blocked)
			net_send_port(side, port, sizes[(step + side) % CU_CNT(sizes)]);
	}
	net_run(SCRIPT_STEP_NS);
}

static void
check_rest(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct net_side *s = &net.sides[i];

		CU_EQ_U64(dpt_node_state(s->node), DPT_NODE_UP_UP);
		CU_TRUE(dpt_link_is_up(s->node->links[0]));
		CU_TRUE(dpt_link_is_up(s->node->links[1]));
		CU_EQ_U64(s->counters.fsm_illegal, 0);
		CU_EQ_U64(s->link.fsm_illegal, 0);
		CU_EQ_U64(s->node->limit_ns, DPT_NEVER_NS);
		CU_FALSE(s->node->is_holding);
		CU_EQ_U64(s->node->held.cnt, 0);
	}
	net_check_law();
}

/* wire is cut at that step of the script and mended so much later. */
static void
cut_at(uint16_t caps, unsigned int wire, uint32_t cut_step, uint64_t mend_ns)
{
	cu_context("caps %x wire %u step %u mend %u us", caps, wire, cut_step,
		   (unsigned int)(mend_ns / 1000));
	net_init_caps(40 + cut_step, caps);
	net_establish_dual();
	for (uint32_t step = 0; step < SCRIPT_STEPS; step++) {
		if (step == cut_step)
			net_cut(wire, true);
		script_step(step);
	}
	net_run(mend_ns);
	net_cut(wire, false);
	for (uint32_t step = 0; step < SCRIPT_STEPS; step++)
		script_step(step);
	net_run(6 * DPT_NS_PER_S);
	cu_context("caps %x wire %u step %u mend %u us", caps, wire, cut_step,
		   (unsigned int)(mend_ns / 1000));
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	CU_TRUE(mend_ns < 2 * DPT_NS_PER_S || net.sides[0].counters.failovers == 1);
	check_rest();
	net_end();
}

static void
cut_of_either_wire_at_any_instant_loses_nothing(void)
{
	for (unsigned int wire = 0; wire < 2; wire++)
		for (uint32_t step = 0; step < SCRIPT_STEPS; step++)
			cut_at(DPT_CAPS_OWN, wire, step, 2 * DPT_NS_PER_S);
}

static void
cut_shorter_than_the_tolerance_loses_nothing(void)
{
	for (unsigned int wire = 0; wire < 2; wire++)
		for (uint32_t step = 0; step < SCRIPT_STEPS; step += 3) {
			cut_at(DPT_CAPS_OWN, wire, step, 50 * DPT_NS_PER_MS);
			cut_at(DPT_CAPS_OWN, wire, step, 1450 * DPT_NS_PER_MS);
		}
}

static void
cut_with_an_old_peer_loses_nothing(void)
{
	for (unsigned int wire = 0; wire < 2; wire++)
		for (uint32_t step = 0; step < SCRIPT_STEPS; step += 3)
			cut_at(DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED, wire, step,
			       2 * DPT_NS_PER_S);
}

/* One end sees the failure first and the other one learns of it by the series. */
static void
bearer_taken_away_at_any_instant_loses_nothing(void)
{
	for (uint32_t step = 0; step < SCRIPT_STEPS; step++) {
		cu_context("step %u", step);
		net_init(80 + step);
		net_establish_dual();
		for (uint32_t i = 0; i < SCRIPT_STEPS; i++) {
			if (i == step) {
				dpt_node_bearer_down(net.sides[0].node, step % 2, DPT_DOWN_BEARER,
						     net.now_ns, &net.sides[0].out);
				net_flush(0);
			}
			script_step(i);
		}
		net_run(DPT_NS_PER_S);
		CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
		net_check_law();
		CU_EQ_I64(net_setup_wire(0, step % 2), 0);
		net_run(4 * DPT_NS_PER_S);
		check_rest();
		net_end();
	}
}

/* Both wires lose, double and reorder, and are cut in turn, for shorter and longer. */
static void
cuts_by_seed_on_bad_wires_lose_nothing(void)
{
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct dpt_rng rng;

		cu_context("seed %u", (unsigned int)seed);
		net_init(cu_seed() + seed);
		dpt_rng_seed(&rng, cu_seed() + seed + 7);
		net_establish_dual();
		net.loss_pct = net.dup_pct = net.reorder_pct = 10;
		for (unsigned int cuts = 0; cuts < 6; cuts++) {
			unsigned int wire = dpt_rng_below(&rng, 2);

			for (uint32_t i = 0; i < 20; i++) {
				if (i == 10)
					net_cut(wire, true);
				script_step(dpt_rng_below(&rng, 100));
			}
			net_run(dpt_rng_below(&rng, 2500) * DPT_NS_PER_MS);
			net_cut(wire, false);
			/* Both are to be up before the next cut, or contact would be lost. */
			net.loss_pct = 0;
			net_run(3 * DPT_NS_PER_S);
			net.loss_pct = 10;
		}
		net.loss_pct = 0;
		net_run(6 * DPT_NS_PER_S);
		cu_context("seed %u", (unsigned int)seed);
		CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
		check_rest();
		net_end();
	}
}

static void
new_messages_go_behind_the_series(void)
{
	net_init(41);
	net_establish_dual();
	net_cut(1, true);
	for (unsigned int i = 0; i < 3; i++)
		net_send_port(0, 1, 100);
	dpt_node_bearer_down(net.sides[0].node, 1, DPT_DOWN_BEARER, net.now_ns, &net.sides[0].out);
	net_flush(0);
	net.log_cnt = 0;
	CU_EQ_I64(net_send_port(0, 1, 100), 0);
	CU_EQ_STR(net.log[0], "A pkt 6 user 0");
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_FAILINGOVER);
	net_run(DPT_NS_PER_S);
	net_check_law();
	net_end();
}

static void
events_of_a_failover(void)
{
	net_init(42);
	net_establish_dual();
	net_cut(0, true);
	net_run(3 * DPT_NS_PER_S);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(net.sides[i].events_cnt, 1);
		CU_EQ_STR(net.sides[i].events[0], "LINK_DOWN 0");
		CU_TRUE(dpt_node_is_open(net.sides[i].node));
		CU_TRUE(net.sides[i].node->bcast.is_up);
	}
	net_cut(0, false);
	net_run(3 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].events_cnt, 2);
	CU_EQ_STR(net.sides[0].events[1], "LINK_UP 0");
	net_end();
}

/* The lost link stays locked until the failover is over, then comes up again. */
static void
lost_link_is_locked_until_the_failover_ends(void)
{
	const struct dpt_node *a = net.sides[0].node;

	net_init(43);
	a = net.sides[0].node;
	net_establish_dual();
	/* B's series does not come through: A waits. */
	net.sides[1].cut[0] = true;
	dpt_node_bearer_down(net.sides[1].node, 1, DPT_DOWN_BEARER, net.now_ns, &net.sides[1].out);
	net_flush(1);
	net.sides[1].cut[0] = false;
	net_run(150000);
	CU_EQ_U64(dpt_node_state(a), DPT_NODE_UP_UP);
	net_run(500 * DPT_NS_PER_MS);
	CU_EQ_U64(net.sides[0].counters.failovers, 1);
	net_run(DPT_NS_PER_S);
	CU_EQ_U64(dpt_node_state(a), DPT_NODE_UP_UP);
	CU_EQ_U64(dpt_link_state(a->links[1]), DPT_LINK_RESET);
	net_end();
}

static void
both_lost_is_reported_and_recovers(void)
{
	for (uint32_t gap_ms = 0; gap_ms < 60; gap_ms += 3) {
		cu_context("gap %u ms", gap_ms);
		net_init(44);
		net_establish_dual();
		for (uint32_t i = 0; i < 10; i++)
			script_step(i);
		net_cut(1, true);
		net_run(1480 * DPT_NS_PER_MS + gap_ms * DPT_NS_PER_MS);
		net_cut(0, true);
		net_run(4 * DPT_NS_PER_S);
		for (unsigned int i = 0; i < 2; i++) {
			CU_EQ_U64(net.sides[i].node_downs, 1);
			CU_EQ_U64(dpt_node_state(net.sides[i].node), DPT_NODE_DOWN_LEAVING);
			CU_EQ_U64(net.sides[i].node->limit_ns, DPT_NEVER_NS);
		}
		net_cut(0, false);
		net_cut(1, false);
		net_run(5 * DPT_NS_PER_S);
		for (uint32_t i = 0; i < 10; i++)
			script_step(i);
		net_run(DPT_NS_PER_S);
		check_rest();
		CU_EQ_U64(net.sides[0].node_ups, 2);
		net_end();
	}
}

/* B's end of link 1 comes up, A's does not: every frame of B there is lost. */
static bool
tap_half(unsigned int side, unsigned int wire, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	return side == 0 || wire == 0 ||
	       (dpt_msg_user(hdr) == DPT_USER_LINK_PROTOCOL && dpt_msg_type(hdr) == DPT_TYPE_RESET);
}

static void
half_failover(uint16_t caps)
{
	cu_context("caps %x", caps);
	net_init_caps(45, caps);
	net_establish();
	net.tap = tap_half;
	net_setup_wire(1, 1);
	net_setup_wire(0, 1);
	net_run(500 * DPT_NS_PER_MS);
	CU_FALSE(dpt_link_is_up(net.sides[0].node->links[1]));
	CU_TRUE_FATAL(dpt_link_is_up(net.sides[1].node->links[1]));
	for (uint32_t i = 0; i < 20; i++)
		script_step(i);
	net_run(4 * DPT_NS_PER_S);
	CU_TRUE(net.sides[0].counters.failovers_half > 0);
	CU_EQ_U64(net.sides[0].counters.failovers, 0);
	CU_TRUE(net.sides[1].counters.failovers > 0);
	net.tap = NULL;
	net_run(4 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	check_rest();
	net_end();
}

static void
half_failover_delivers_and_releases_the_peer(void)
{
	half_failover(DPT_CAPS_OWN);
	half_failover(DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED);
}

/* What cannot be sent again is lost, and lost means: contact lost. */
static void
series_without_buffers_is_a_loss_of_contact(void)
{
	net_init(46);
	net_establish_dual();
	net_cut(1, true);
	for (uint32_t i = 0; i < 4; i++)
		net_send_port(0, 1, 700);
	test_pool_exhaust(0);
	dpt_node_bearer_down(net.sides[0].node, 1, DPT_DOWN_BEARER, net.now_ns, &net.sides[0].out);
	test_pool_release();
	net_flush(0);
	CU_EQ_U64(net.sides[0].counters.failover_failed, 1);
	CU_EQ_STR(net.sides[0].events[0], "LINK_DOWN 1");
	CU_EQ_STR(net.sides[0].events[1], "NODE_DOWN");
	CU_EQ_STR(net.sides[0].events[2], "LINK_DOWN 0");
	net_run(4 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[1].node_downs, 1);
	net_check_law();
	net_end();
}

/* The same where the other link is too narrow, and the peer joins no pieces. */
static void
series_too_large_for_an_old_peer_is_a_loss_of_contact(void)
{
	net_init_caps(47, DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED);
	net.wires[0].mtu = 600;
	net_establish_dual();
	net_cut(1, true);
	net_send_port(0, 1, 1300);
	net_run(4 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].counters.failover_failed, 1);
	CU_TRUE(net.sides[0].node_downs > 0);
	CU_TRUE(net.sides[1].node_downs > 0);
	net_check_law();
	net_end();
}

/* A new peer cuts them up: nothing is lost. */
static void
narrow_link_takes_over_from_a_wide_one(void)
{
	net_init(48);
	net.wires[0].mtu = 600;
	net_establish_dual();
	for (uint32_t i = 0; i < 20; i++)
		script_step(i);
	net_cut(1, true);
	for (uint32_t i = 0; i < 20; i++)
		script_step(i);
	net_run(4 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	net_check_law();
	net_end();
}

static void
failover_wakes_those_who_wait_for_the_lost_link(void)
{
	int rc = 0;

	net_init(49);
	net_establish_dual();
	net_cut(1, true);
	while (rc == 0)
		rc = net_send_port(0, 1, 800);
	CU_TRUE(net.sides[0].is_blocked);
	net_run(2 * DPT_NS_PER_S);
	CU_FALSE(net.sides[0].is_blocked);
	CU_TRUE(net.sides[0].resumed > 0);
	net_run(4 * DPT_NS_PER_S);
	net_check_law();
	CU_EQ_U64(net.sides[0].node_downs, 0);
	net_end();
}

/* The mark of the bulk's end survives, whether the link failed before or after it was sent. */
static void
bulk_end_is_acknowledged_after_a_failover(void)
{
	net_init(50);
	net_establish_dual();
	for (unsigned int full = 0; full < 2; full++) {
		struct net_side *a = &net.sides[0];
		unsigned int wire = a->node->active[0];
		struct rte_mbuf *m;

		cu_context("full %u", full);
		net_cut(wire, true);
		for (unsigned int i = 0; i < full * 60; i++)
			net_send_port(0, 0, 1300);
		m = dpt_msg_alloc(test_pool(), DPT_USER_NAME_DISTRIBUTOR, 0, DPT_HDR_INTERNAL, 60,
				  a->cfg.own, a->cfg.peer);
		dpt_buf(m)->flags = DPT_BUF_F_BULK_END;
		CU_EQ_I64(dpt_node_tx(a->node, m, 0, net.now_ns, &a->out), 0);
		net_flush(0);
		net_run(DPT_NS_PER_S);
		CU_EQ_U64(a->bulk_acked, full);
		net_run(2 * DPT_NS_PER_S);
		CU_EQ_U64(a->bulk_acked, full + 1);
		net_cut(wire, false);
		net_run(3 * DPT_NS_PER_S);
	}
	net_check_law();
	net_end();
}

/* A peer that has started anew: a new record with new sessions, the same address. */
static void
peer_started_anew_is_a_loss_of_contact(void)
{
	struct net_side *b = &net.sides[1];

	net_init(51);
	net_establish_dual();
	for (uint32_t i = 0; i < 10; i++)
		script_step(i);
	net_run(DPT_NS_PER_MS);
	dpt_node_fini(b->node);
	b->counters = (struct dpt_node_counters){0};
	b->link = (struct dpt_link_counters){0};
	b->bcast = (struct dpt_bcast_counters){0};
	b->node_ups = 0;
	dpt_node_init(b->node, &b->cfg, net.now_ns);
	for (unsigned int port = 0; port < NET_PORTS; port++) {
		b->next_rx[port] = net.sides[0].next_tx[port];
		net.sides[0].next_rx[port] = b->next_tx[port];
	}
	net_setup_wire(1, 0);
	net_setup_wire(1, 1);
	net_run(8 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].node_downs, 1);
	CU_EQ_U64(net.sides[0].node_ups, 2);
	for (uint32_t i = 0; i < 10; i++)
		script_step(i);
	net_run(DPT_NS_PER_S);
	check_rest();
	net_end();
}

static const struct cu_test tests[] = {
	CU_TEST(cut_of_either_wire_at_any_instant_loses_nothing),
	CU_TEST(cut_shorter_than_the_tolerance_loses_nothing),
	CU_TEST(cut_with_an_old_peer_loses_nothing),
	CU_TEST(bearer_taken_away_at_any_instant_loses_nothing),
	CU_TEST(cuts_by_seed_on_bad_wires_lose_nothing),
	CU_TEST(new_messages_go_behind_the_series),
	CU_TEST(events_of_a_failover),
	CU_TEST(lost_link_is_locked_until_the_failover_ends),
	CU_TEST(both_lost_is_reported_and_recovers),
	CU_TEST(half_failover_delivers_and_releases_the_peer),
	CU_TEST(series_without_buffers_is_a_loss_of_contact),
	CU_TEST(series_too_large_for_an_old_peer_is_a_loss_of_contact),
	CU_TEST(narrow_link_takes_over_from_a_wide_one),
	CU_TEST(failover_wakes_those_who_wait_for_the_lost_link),
	CU_TEST(bulk_end_is_acknowledged_after_a_failover),
	CU_TEST(peer_started_anew_is_a_loss_of_contact),
};

const struct cu_suite failover_suite = {"failover", tests, CU_CNT(tests)};
