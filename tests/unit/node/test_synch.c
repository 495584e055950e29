/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The second link comes up under load: its messages wait for those of the first, also when
 * the first is lost just then. 03-link-node.md, 20; decision 0012.
 */
#include "dpt_msg.h"
#include "node_net.h"

#define STEP_NS 30000

static void
send_step(uint32_t step, uint32_t bytes)
{
	for (unsigned int side = 0; side < 2; side++) {
		if (!net.sides[side].is_blocked)
			net_send_port(side, step % NET_PORTS, bytes);
	}
	net_run(STEP_NS);
}

static void
check_end(bool is_up)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct net_side *s = &net.sides[i];

		CU_EQ_U64(s->counters.fsm_illegal, 0);
		CU_EQ_U64(s->link.fsm_illegal, 0);
		CU_EQ_U64(s->node->limit_ns, DPT_NEVER_NS);
		CU_EQ_U64(s->node->held.cnt, 0);
		CU_EQ_U64(dpt_node_state(s->node), DPT_NODE_UP_UP);
		CU_TRUE(!is_up || dpt_link_is_up(s->node->links[0]));
		CU_TRUE(!is_up || dpt_link_is_up(s->node->links[1]));
	}
	net_check_law();
}

/*
 * The first link takes 2 ms, the new one 20 us: what is sent on it overtakes. It is kept,
 * not dropped: nothing has to be sent again.
 */
static void
early_packets_are_held_in_order(void)
{
	net_init(60);
	net.wires[0].delay_ns = 2 * DPT_NS_PER_MS;
	net.wires[1].delay_ns = 20000;
	net_establish();
	net_setup_wire(0, 1);
	net_setup_wire(1, 1);
	for (uint32_t step = 0; step < 100; step++)
		send_step(step, 200);
	CU_TRUE(net.sides[0].link.held_pkts > 0);
	CU_TRUE(net.sides[1].link.held_pkts > 0);
	net_run(DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].link.retransmitted + net.sides[1].link.retransmitted, 0);
	CU_EQ_U64(net.sides[0].counters.synchs, 1);
	check_end(true);
	net_end();
}

/* 20.4: not before the packet that SYNCH names has come, and at once when it has. */
static void
synch_ends_with_the_packet_that_it_names(void)
{
	const struct dpt_node *b;

	net_init(61);
	net.wires[0].delay_ns = 10 * DPT_NS_PER_MS;
	net_establish();
	net_run(DPT_NS_PER_S);
	b = net.sides[1].node;
	net_setup_wire(1, 1);
	for (unsigned int i = 0; i < 3; i++)
		net_send_port(0, 1, 100);
	net_setup_wire(0, 1);
	net_run(2 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_node_state(b), DPT_NODE_SYNCHING);
	/* Packet 1 was the init: three more are 2, 3, 4. */
	CU_EQ_U64(b->sync_point, 4);
	net_send_port(0, 1, 100);
	net_run(DPT_NS_PER_MS);
	CU_EQ_U64(net.sides[1].next_rx[1], 0);
	net_run(6 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_node_state(b), DPT_NODE_SYNCHING);
	net_run(2 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_node_state(b), DPT_NODE_UP_UP);
	CU_EQ_U64(net.sides[1].next_rx[1], 4);
	check_end(true);
	net_end();
}

static void
second_link_under_load(uint64_t seed, uint16_t caps, uint8_t priority)
{
	cu_context("seed %u caps %x priority %u", (unsigned int)seed, caps, priority);
	net_init_caps(cu_seed() + seed, caps);
	net.wires[0].delay_ns = 500000;
	net.wires[1].priority = priority;
	net_establish();
	net.loss_pct = net.dup_pct = net.reorder_pct = seed % 3 * 10;
	net_setup_wire(0, 1);
	net_setup_wire(1, 1);
	for (uint32_t step = 0; step < 200; step++)
		send_step(step, 8 + (step * 37) % 2000);
	net.loss_pct = 0;
	net_run(5 * DPT_NS_PER_S);
	cu_context("seed %u caps %x priority %u", (unsigned int)seed, caps, priority);
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	check_end(true);
	net_end();
}

static void
second_link_under_load_keeps_the_order(void)
{
	for (uint64_t seed = 0; seed < 12; seed++)
		for (uint8_t priority = 10; priority <= 20; priority += 10) {
			second_link_under_load(seed, DPT_CAPS_OWN, priority);
			second_link_under_load(seed, DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED,
					       priority);
			second_link_under_load(seed, DPT_CAPS_OWN & ~DPT_CAP_GAP_ACK_BLOCK,
					       priority);
		}
}

/* The second link is set up under load, and wire lost is cut in both directions then. */
static void
cut_while_coming_up(uint32_t cut_step, unsigned int lost, uint32_t loss_pct, uint8_t priority)
{
	cu_context("step %u lost %u loss %u priority %u", cut_step, lost, loss_pct, priority);
	net_init(cu_seed() + cut_step);
	net.wires[0].delay_ns = 400000;
	net.wires[1].priority = priority;
	net_establish();
	net_setup_wire(0, 1);
	net_setup_wire(1, 1);
	net.loss_pct = loss_pct;
	for (uint32_t step = 0; step < 80; step++) {
		if (step == cut_step)
			net_cut(lost, true);
		send_step(step, 8 + (step * 37) % 1500);
	}
	net.loss_pct = 0;
	net_run(4 * DPT_NS_PER_S);
	net_cut(lost, false);
	for (uint32_t step = 0; step < 20; step++)
		send_step(step, 100);
	net_run(6 * DPT_NS_PER_S);
	cu_context("step %u lost %u loss %u priority %u", cut_step, lost, loss_pct, priority);
	/* Without loss the new link is up after 4 flights, thus contact is not lost. */
	CU_TRUE(loss_pct > 0 || (lost == 0 && cut_step < 20) ||
		net.sides[0].node_downs + net.sides[1].node_downs == 0);
	check_end(true);
	net_end();
}

static void
either_link_lost_while_the_second_comes_up(void)
{
	for (uint32_t step = 0; step < 60; step++)
		for (unsigned int lost = 0; lost < 2; lost++) {
			cut_while_coming_up(step, lost, 0, 10);
			cut_while_coming_up(step, lost, 0, 20);
			cut_while_coming_up(step, lost, 20, 10);
			cut_while_coming_up(step, lost, 20, 20);
		}
}

/*
 * The case of decision 0012 by hand: B's packets for port 1 are lost on the first link, the
 * next ones arrive on the new one, then the first link is lost.
 */
static void
base_lost_while_synching(void)
{
	const struct dpt_node *a;

	net_init(62);
	net_establish();
	a = net.sides[0].node;
	net.sides[1].cut[0] = true;
	for (unsigned int i = 0; i < 3; i++)
		net_send_port(1, 1, 100);
	net_setup_wire(0, 1);
	net_setup_wire(1, 1);
	net_run(2 * DPT_NS_PER_MS);
	for (unsigned int i = 0; i < 3; i++)
		net_send_port(1, 1, 100);
	net_run(2 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_node_state(a), DPT_NODE_SYNCHING);
	CU_EQ_U64(net.sides[0].next_rx[1], 0);
	dpt_node_bearer_down(net.sides[0].node, 0, DPT_DOWN_BEARER, net.now_ns, &net.sides[0].out);
	net_flush(0);
	CU_EQ_U64(dpt_node_state(a), DPT_NODE_FAILINGOVER);
	/* Out of the new link, and younger than what is missing: held. */
	CU_EQ_U64(a->held.cnt, 3);
	CU_EQ_U64(net.sides[0].next_rx[1], 0);
	net_run(DPT_NS_PER_MS);
	CU_EQ_U64(a->held.cnt, 0);
	CU_EQ_U64(net.sides[0].counters.rx_held, 3);
	CU_EQ_U64(net.sides[0].next_rx[1], 6);
	net.sides[1].cut[0] = false;
	CU_EQ_I64(net_setup_wire(0, 0), 0);
	net_run(4 * DPT_NS_PER_S);
	check_end(true);
	net_end();
}

/* And if then the new one is lost as well: what is held is dropped, and counted. */
static void
both_lost_while_holding(void)
{
	net_init(63);
	net_establish();
	net.sides[1].cut[0] = true;
	net_send_port(1, 1, 100);
	net_setup_wire(0, 1);
	net_setup_wire(1, 1);
	net_run(2 * DPT_NS_PER_MS);
	net_send_port(1, 1, 100);
	net_run(2 * DPT_NS_PER_MS);
	net_cut(0, true);
	net_cut(1, true);
	dpt_node_bearer_down(net.sides[0].node, 0, DPT_DOWN_BEARER, net.now_ns, &net.sides[0].out);
	net_flush(0);
	CU_EQ_U64(net.sides[0].node->held.cnt, 1);
	net_run(4 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].node_downs, 1);
	CU_EQ_U64(net.sides[0].counters.drop_held, 1);
	CU_EQ_U64(net.sides[0].next_rx[1], 0);
	net_cut(0, false);
	net_cut(1, false);
	CU_EQ_I64(net_setup_wire(0, 0), 0);
	net_run(4 * DPT_NS_PER_S);
	check_end(true);
	net_end();
}

/* B's end of the first link is up, A's is not, when B's SYNCH comes on the second one. */
static bool
tap_first_silent(unsigned int side, unsigned int wire, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	return side == 0 || wire == 1 ||
	       (dpt_msg_user(hdr) == DPT_USER_LINK_PROTOCOL && dpt_msg_type(hdr) == DPT_TYPE_RESET);
}

static void
synch_shows_that_the_first_link_is_up(void)
{
	net_init(64);
	net.tap = tap_first_silent;
	net_setup_wire(1, 0);
	net_setup_wire(0, 0);
	net_run(10 * DPT_NS_PER_MS);
	CU_TRUE_FATAL(dpt_node_is_open(net.sides[1].node));
	CU_FALSE(dpt_node_is_open(net.sides[0].node));
	net_send_port(1, 1, 100);
	net_setup_wire(1, 1);
	net_setup_wire(0, 1);
	net_run(2 * DPT_NS_PER_MS);
	net_send_port(1, 1, 100);
	net_run(2 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_SYNCHING);
	CU_TRUE(dpt_link_is_up(net.sides[0].node->links[0]));
	CU_EQ_U64(net.sides[0].next_rx[1], 0);
	net.tap = NULL;
	net_run(3 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].next_rx[1], 2);
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	check_end(true);
	net_end();
}

/* No buffer for SYNCH: the second link waits, the first one and the contact are not touched. */
static void
second_link_waits_for_a_buffer(void)
{
	struct net_side *a = &net.sides[0];

	net_init(65);
	net_establish();
	a->events_cnt = 0;
	net_setup_wire(0, 1);
	net_setup_wire(1, 1);
	net.sides[1].cut[1] = true;
	net_run(10 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_link_state(a->node->links[1]), DPT_LINK_ESTABLISHING);
	test_pool_exhaust(0);
	node_link_up(a->node, a->node->links[1], net.now_ns, &a->out);
	test_pool_release();
	CU_EQ_U64(a->counters.synch_failed, 1);
	CU_EQ_U64(dpt_link_state(a->node->links[1]), DPT_LINK_RESET);
	CU_EQ_U64(a->out.events_cnt, 0);
	CU_EQ_U64(a->node->active[1], 0);
	net_flush(0);
	net.sides[1].cut[1] = false;
	net_run(2 * DPT_NS_PER_S);
	CU_EQ_U64(a->node_downs, 0);
	check_end(true);
	net_end();
}

static const struct cu_test tests[] = {
	CU_TEST(early_packets_are_held_in_order),
	CU_TEST(synch_ends_with_the_packet_that_it_names),
	CU_TEST(second_link_under_load_keeps_the_order),
	CU_TEST(either_link_lost_while_the_second_comes_up),
	CU_TEST(base_lost_while_synching),
	CU_TEST(both_lost_while_holding),
	CU_TEST(synch_shows_that_the_first_link_is_up),
	CU_TEST(second_link_waits_for_a_buffer),
};

const struct cu_suite synch_suite = {"synch", tests, CU_CNT(tests)};
