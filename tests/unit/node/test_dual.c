/* SPDX-License-Identifier: BSD-3-Clause */

/* Two links to one peer at rest: set-up, selection, properties. 03-link-node.md, 17, 22. */
#include <errno.h>

#include "dpt_msg.h"
#include "node_net.h"

static void
second_link_comes_up_after_synch(uint16_t caps)
{
	net_init_caps(30, caps);
	net_establish();
	for (unsigned int i = 0; i < 2; i++) {
		net.sides[i].events_cnt = 0;
		CU_EQ_I64(net_send(i, 100), 0);
	}
	net.log_cnt = 0;
	CU_EQ_I64(net_setup_wire(0, 1), 0);
	CU_EQ_I64(net_setup_wire(1, 1), 0);
	net_run(DPT_NS_PER_S);
	for (unsigned int i = 0; i < 2; i++) {
		const struct net_side *s = &net.sides[i];
		int state = net_log_find(i == 0 ? "A1 STATE 1 ack 0" : "B1 STATE 1 ack 0", 0);

		cu_context("side %u", i);
		CU_TRUE(state >= 0);
		/* Src: 03-link-node.md, 17.1 steps 3, 5: STATE first, SYNCH is packet 1. */
		CU_TRUE(net_log_find(i == 0 ? "A1 pkt 1 user 10" : "B1 pkt 1 user 10", 0) > state);
		CU_EQ_U64(dpt_node_state(s->node), DPT_NODE_UP_UP);
		CU_EQ_U64(s->events_cnt, 1);
		CU_EQ_STR(s->events[0], "LINK_UP 1");
		CU_EQ_U64(s->counters.synchs, 1);
		CU_EQ_U64(s->link.consumed_synch > 0, true);
		CU_EQ_U64(s->counters.fsm_illegal, 0);
		CU_EQ_U64(s->link.fsm_illegal, 0);
		CU_EQ_U64(s->node->limit_ns, DPT_NEVER_NS);
	}
	net_send(0, 100);
	net_send_port(0, 1, 100);
	net_run(DPT_NS_PER_S);
	net_check_law();
	net_end();
}

static void
second_link_comes_up(void)
{
	second_link_comes_up_after_synch(DPT_CAPS_OWN);
}

static void
second_link_comes_up_with_an_old_peer(void)
{
	second_link_comes_up_after_synch(DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED);
}

static void
expect_active(unsigned int side, uint8_t first, uint8_t second)
{
	struct dpt_link_info info;

	CU_EQ_U64(net.sides[side].node->active[0], first);
	CU_EQ_U64(net.sides[side].node->active[1], second);
	for (uint8_t w = 0; w < 2; w++) {
		CU_EQ_I64(dpt_node_link_info(net.sides[side].node, w, &info), 0);
		CU_TRUE(info.is_up);
		CU_TRUE(info.is_active == (w == first || w == second));
	}
}

static void
load_is_shared_by_selector(void)
{
	net_init(31);
	net_establish_dual();
	expect_active(0, 0, 1);
	net_send_port(0, 2, 50);
	net_send_port(0, 3, 50);
	CU_EQ_STR(net.log[0], "A pkt 2 user 0");
	CU_EQ_STR(net.log[1], "A1 pkt 2 user 0");
	net_run(DPT_NS_PER_S);
	net_check_law();
	net_end();
}

static void
lower_priority_stands_by_and_takes_over(void)
{
	for (unsigned int better = 0; better < 2; better++) {
		cu_context("better %u", better);
		net_init(32);
		net.wires[better].priority = 20;
		net_establish_dual();
		expect_active(0, (uint8_t)better, (uint8_t)better);
		expect_active(1, (uint8_t)better, (uint8_t)better);
		for (unsigned int port = 0; port < NET_PORTS; port++)
			net_send_port(0, port, 50);
		CU_EQ_U64(dpt_msg_user(dpt_buf_hdr(net.frames[0].m)), DPT_USER_LOW);
		for (uint32_t i = 0; i < net.frames_cnt; i++)
			CU_EQ_U64(net.frames[i].wire, better);
		net_cut(better, true);
		net_run(3 * DPT_NS_PER_S);
		CU_EQ_U64(net.sides[0].node->active[0], 1 - better);
		CU_EQ_U64(net.sides[0].node->active[1], 1 - better);
		net_cut(better, false);
		net_run(3 * DPT_NS_PER_S);
		/* Back, and first again. */
		expect_active(0, (uint8_t)better, (uint8_t)better);
		CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
		net_check_law();
		net_end();
	}
}

static void
third_bearer_is_refused_until_a_link_is_deleted(void)
{
	net_init(33);
	net_establish_dual();
	CU_EQ_I64(net_setup_wire(0, 2), -ENOSPC);
	CU_FALSE(dpt_node_has_link(net.sides[0].node, 2));
	for (unsigned int gone = 0; gone < 2; gone++) {
		cu_context("gone %u", gone);
		for (unsigned int i = 0; i < 2; i++) {
			dpt_node_bearer_down(net.sides[i].node, (uint8_t)gone, DPT_DOWN_BEARER,
					     net.now_ns, &net.sides[i].out);
			net_flush(i);
		}
		net_run(DPT_NS_PER_S);
		CU_EQ_I64(net_setup_wire(0, 2 - 2 * gone), 0);
		CU_EQ_I64(net_setup_wire(1, 2 - 2 * gone), 0);
		CU_EQ_I64(net_setup_wire(0, gone), -ENOSPC);
		net_run(DPT_NS_PER_S);
		CU_EQ_U64(net.sides[0].node->links_cnt, 2);
		CU_TRUE(dpt_link_is_up(net.sides[0].node->links[2 - 2 * gone]));
		for (unsigned int port = 0; port < NET_PORTS; port++)
			net_send_port(0, port, 3000);
		net_run(DPT_NS_PER_S);
		net_check_law();
	}
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	net_end();
}

/* Each time: link 1 goes down with its bearer, so nothing is to be said on it; 22. */
static void
bearer_down_fails_over(void)
{
	net_init(34);
	net_establish_dual();
	for (unsigned int port = 0; port < NET_PORTS; port++)
		net_send_port(0, port, 5000);
	dpt_node_bearer_down(net.sides[0].node, 1, DPT_DOWN_BEARER, net.now_ns, &net.sides[0].out);
	net_flush(0);
	CU_FALSE(dpt_node_has_link(net.sides[0].node, 1));
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_FAILINGOVER);
	CU_EQ_STR(net.sides[0].events[0], "LINK_DOWN 1");
	net_run(DPT_NS_PER_S);
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_UP_UP);
	CU_EQ_STR(net.sides[1].events[0], "LINK_DOWN 1");
	CU_EQ_U64(net.sides[1].last_link_down, DPT_DOWN_FAILOVER);
	net_check_law();
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	net_end();
}

/* A link that is made while a failover runs waits for its end. Src: 02-discovery.md, 4.5. */
static void
link_made_during_a_failover_is_locked(void)
{
	net_init(35);
	net_establish_dual();
	dpt_node_bearer_down(net.sides[0].node, 1, DPT_DOWN_BEARER, net.now_ns, &net.sides[0].out);
	net_flush(0);
	net.log_cnt = 0;
	CU_EQ_I64(net_setup_wire(0, 2), 0);
	CU_EQ_U64(dpt_link_state(net.sides[0].node->links[2]), DPT_LINK_FAILINGOVER);
	CU_EQ_U64(net.log_cnt, 0);
	net_run(100 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_link_state(net.sides[0].node->links[2]), DPT_LINK_RESET);
	net_end();
}

static void
priority_changed_live_selects_anew(void)
{
	struct dpt_link_props props = {.priority = 20};

	net_init(36);
	net_establish_dual();
	CU_EQ_I64(dpt_node_link_props_set(net.sides[0].node, 2, &props, net.now_ns,
					  &net.sides[0].out),
		  -ENOENT);
	for (unsigned int port = 0; port < NET_PORTS; port++)
		net_send_port(0, port, 3000);
	CU_EQ_I64(dpt_node_link_props_set(net.sides[0].node, 1, &props, net.now_ns,
					  &net.sides[0].out),
		  0);
	net_flush(0);
	net_run(3 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[1].last_link_down, DPT_DOWN_PRIORITY);
	expect_active(0, 1, 1);
	expect_active(1, 1, 1);
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	net_check_law();
	net_end();
}

/* Without a change of state: the peer adopts the tolerance, the timers follow. */
static void
tolerance_changed_live(void)
{
	struct dpt_link_props props = {.tolerance_ms = 200};
	struct dpt_link_info info;

	net_init(37);
	net_establish_dual();
	dpt_node_link_props_set(net.sides[0].node, 0, &props, net.now_ns, &net.sides[0].out);
	net_flush(0);
	net_run(DPT_NS_PER_S);
	dpt_node_link_info(net.sides[1].node, 0, &info);
	CU_EQ_U64(info.tolerance_ms, 200);
	net_cut(0, true);
	net_run(300 * DPT_NS_PER_MS);
	CU_EQ_STR(net.sides[0].events[0], "LINK_DOWN 0");
	CU_EQ_STR(net.sides[1].events[0], "LINK_DOWN 0");
	CU_EQ_U64(net.sides[0].node_downs, 0);
	net_end();
}

/* Broadcast stall and the like: nothing fails over, both are told down, then NODE_UP again. */
static void
contact_reset_takes_both_down(void)
{
	net_init(38);
	net_establish_dual();
	dpt_node_reset(net.sides[0].node, DPT_DOWN_RETRANSMIT, net.now_ns, &net.sides[0].out);
	net_flush(0);
	CU_EQ_U64(net.sides[0].events_cnt, 3);
	CU_EQ_STR(net.sides[0].events[0], "NODE_DOWN");
	CU_EQ_STR(net.sides[0].events[1], "LINK_DOWN 0");
	CU_EQ_STR(net.sides[0].events[2], "LINK_DOWN 1");
	CU_EQ_U64(net.sides[0].counters.failovers, 0);
	net_run(3 * DPT_NS_PER_S);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(net.sides[i].node_downs, 1);
		CU_EQ_U64(net.sides[i].node_ups, 2);
		CU_EQ_U64(dpt_node_state(net.sides[i].node), DPT_NODE_UP_UP);
		CU_TRUE(dpt_link_is_up(net.sides[i].node->links[0]));
		CU_TRUE(dpt_link_is_up(net.sides[i].node->links[1]));
		CU_EQ_U64(net.sides[i].counters.fsm_illegal + net.sides[i].link.fsm_illegal, 0);
	}
	net_end();
}

/* 03-link-node.md, hazard 30: from the next reset of a link on. */
static void
hazard_03_30_capabilities_change_while_up(void)
{
	uint16_t caps = DPT_CAPS_OWN & ~(DPT_CAP_TUNNEL_ENHANCED | DPT_CAP_GAP_ACK_BLOCK);

	net_init(39);
	net_establish_dual();
	for (unsigned int i = 0; i < 2; i++)
		dpt_node_caps_set(net.sides[i].node, caps);
	CU_EQ_U64(dpt_link_caps(net.sides[0].node->links[0]), DPT_CAPS_OWN);
	for (unsigned int port = 0; port < NET_PORTS; port++)
		net_send_port(0, port, 3000);
	net_cut(1, true);
	net_run(3 * DPT_NS_PER_S);
	net_cut(1, false);
	net_run(3 * DPT_NS_PER_S);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(dpt_link_caps(net.sides[i].node->links[0]), DPT_CAPS_OWN);
		CU_EQ_U64(dpt_link_caps(net.sides[i].node->links[1]), caps);
		CU_EQ_U64(net.sides[i].node_downs, 0);
		CU_TRUE(dpt_link_is_up(net.sides[i].node->links[1]));
	}
	net_check_law();
	net_end();
}

static const struct cu_test tests[] = {
	CU_TEST(second_link_comes_up),
	CU_TEST(second_link_comes_up_with_an_old_peer),
	CU_TEST(load_is_shared_by_selector),
	CU_TEST(lower_priority_stands_by_and_takes_over),
	CU_TEST(third_bearer_is_refused_until_a_link_is_deleted),
	CU_TEST(bearer_down_fails_over),
	CU_TEST(link_made_during_a_failover_is_locked),
	CU_TEST(priority_changed_live_selects_anew),
	CU_TEST(tolerance_changed_live),
	CU_TEST(contact_reset_takes_both_down),
	CU_TEST(hazard_03_30_capabilities_change_while_up),
};

const struct cu_suite dual_suite = {"dual", tests, CU_CNT(tests)};
