/* SPDX-License-Identifier: BSD-3-Clause */

/* What peers that do not mean well may do to two links. 03-link-node.md, 26: 12, 18 to 21. */
#include "dpt_msg.h"
#include "node_net.h"

/* The first packet of this type that side 1 sends is changed like this. */
static struct {
	enum dpt_tunnel_type type;
	uint16_t msgcnt;
	bool is_lost; /* all of them are lost instead */
	uint32_t hits;
} forge;

static bool
tap_forge(unsigned int side, unsigned int wire, struct rte_mbuf *m)
{
	uint8_t *hdr = dpt_buf_hdr(m);

	(void)wire;
	if (side == 0 || dpt_msg_user(hdr) != DPT_USER_TUNNEL || dpt_msg_type(hdr) != forge.type)
		return true;
	forge.hits++;
	if (!forge.is_lost)
		dpt_msg_set_msgcnt(hdr, forge.msgcnt);
	return !forge.is_lost;
}

static void
forge_set(enum dpt_tunnel_type type, uint16_t msgcnt)
{
	forge.type = type;
	forge.msgcnt = msgcnt;
	forge.is_lost = false;
	forge.hits = 0;
	net.tap = tap_forge;
}

/* A count that is never reached: neither stays the node in FAILINGOVER nor the link locked. */
static void
hazard_03_19_failover_that_does_not_end(void)
{
	net_init(70);
	net_establish_dual();
	forge_set(DPT_TYPE_FAILOVER, 30000);
	net_cut(1, true);
	net_send_port(1, 1, 100);
	net_run(2 * DPT_NS_PER_S);
	net.tap = NULL;
	CU_TRUE(forge.hits > 0);
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_FAILINGOVER);
	net_cut(1, false);
	/* The time limit, again after packets came, then nothing comes. */
	net_run(31 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].counters.limit_expired, 1);
	CU_EQ_U64(net.sides[0].node_downs, 1);
	net_run(4 * DPT_NS_PER_S);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(dpt_node_state(net.sides[i].node), DPT_NODE_UP_UP);
		CU_TRUE(dpt_link_is_up(net.sides[i].node->links[1]));
	}
	net_end();
}

/* The peer never sends its series at all: not even its traffic prolongs the wait. */
static void
hazard_03_19_failover_without_a_series(void)
{
	net_init(71);
	net_establish_dual();
	net.sides[1].cut[1] = true;
	net_run(10 * DPT_NS_PER_MS);
	/* As if B's link 0 packets carried no FAILOVER: A alone fails over. */
	forge_set(DPT_TYPE_FAILOVER, 0);
	forge.is_lost = true;
	net_run(19 * DPT_NS_PER_S);
	CU_TRUE(forge.hits > 0);
	net.tap = NULL;
	CU_EQ_U64(net.sides[0].counters.limit_expired, 1);
	CU_EQ_U64(net.sides[0].node_downs, 1);
	CU_EQ_U64(net.sides[0].node->limit_ns, DPT_NEVER_NS);
	net_end();
}

static void
hazard_03_19_message_count_zero(void)
{
	net_init(72);
	net_establish_dual();
	forge_set(DPT_TYPE_FAILOVER, 0);
	dpt_node_bearer_down(net.sides[1].node, 1, DPT_DOWN_BEARER, net.now_ns, &net.sides[1].out);
	net_flush(1);
	net_run(200000);
	CU_EQ_U64(net.sides[0].counters.drop_tunnel_malformed, 1);
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_UP_UP);
	CU_TRUE(dpt_link_is_up(net.sides[0].node->links[1]));
	net_end();
}

/*
 * A sync point that is never reached: the new link is given up, what came on it is sent
 * again on the first one, and contact is not lost.
 */
static void
hazard_03_20_synch_that_does_not_end(void)
{
	net_init(73);
	net_establish();
	forge_set(DPT_TYPE_SYNCH, 30000);
	net_setup_wire(0, 1);
	net_setup_wire(1, 1);
	net_run(DPT_NS_PER_S);
	CU_EQ_U64(forge.hits, 1);
	net.tap = NULL;
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_SYNCHING);
	for (unsigned int i = 0; i < 10; i++)
		net_send_port(1, 1, 100);
	net_run(DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].next_rx[1], 0);
	net_run(16 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].counters.limit_expired, 1);
	CU_EQ_U64(net.sides[0].next_rx[1], 10);
	net_run(4 * DPT_NS_PER_S);
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_UP_UP);
	CU_TRUE(dpt_link_is_up(net.sides[0].node->links[1]));
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	net_check_law();
	net_end();
}

static struct rte_mbuf *
tunnel_pkt(enum dpt_tunnel_type type, uint32_t payload_bytes, uint16_t seqno, uint16_t msgcnt)
{
	struct rte_mbuf *m =
		dpt_msg_alloc(test_pool(), DPT_USER_TUNNEL, type, DPT_HDR_INTERNAL, payload_bytes,
			      net.sides[1].cfg.own, net.sides[0].cfg.own);

	dpt_msg_set_seqno(dpt_buf_hdr(m), seqno);
	dpt_msg_set_msgcnt(dpt_buf_hdr(m), msgcnt);
	return m;
}

/* An old peer's SYNCH has a packet in it, whose number is read. */
static void
hazard_03_21_synch_too_short_for_an_inner_header(void)
{
	struct net_side *a = &net.sides[0];

	net_init_caps(74, DPT_CAPS_OWN & ~DPT_CAP_TUNNEL_ENHANCED);
	net_establish();
	net_setup_wire(0, 1);
	net_setup_wire(1, 1);
	net.sides[1].cut[1] = true;
	net_run(2 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_link_state(a->node->links[1]), DPT_LINK_ESTABLISHING);
	node_link_up(a->node, a->node->links[1], net.now_ns, &a->out);
	CU_TRUE_FATAL(dpt_link_is_up(a->node->links[1]));
	for (uint32_t bytes = 0; bytes < DPT_HDR_SHORT; bytes += 8) {
		uint64_t before = a->counters.drop_tunnel_malformed;

		cu_context("payload %u", bytes);
		dpt_node_rx(a->node, 1, tunnel_pkt(DPT_TYPE_SYNCH, bytes, 1, 1), net.now_ns,
			    &a->out);
		CU_EQ_U64(a->counters.drop_tunnel_malformed, before + 1);
		CU_EQ_U64(dpt_node_state(a->node), DPT_NODE_UP_UP);
	}
	net_flush(0);
	net_end();
}

/* Beyond the window, or before it: nothing changes, the link drops it. */
static void
hazard_03_18_failover_outside_the_window(void)
{
	struct net_side *a = &net.sides[0];

	net_init(75);
	net_establish_dual();
	dpt_node_rx(a->node, 0, tunnel_pkt(DPT_TYPE_FAILOVER, 32, 1, 1), net.now_ns, &a->out);
	dpt_node_rx(a->node, 0, tunnel_pkt(DPT_TYPE_FAILOVER, 32, 9000, 1), net.now_ns, &a->out);
	CU_EQ_U64(dpt_node_state(a->node), DPT_NODE_UP_UP);
	CU_TRUE(dpt_link_is_up(a->node->links[1]));
	CU_EQ_U64(a->link.drop_duplicate, 1);
	CU_EQ_U64(a->link.drop_window, 1);
	net_flush(0);
	net_end();
}

/* On a link that is not up it brings that up and is sent again; the other one stays. */
static void
hazard_03_18_failover_on_a_link_that_is_not_up(void)
{
	struct net_side *a = &net.sides[0];

	net_init(76);
	net_establish();
	net_setup_wire(0, 1);
	dpt_node_rx(a->node, 1, tunnel_pkt(DPT_TYPE_FAILOVER, 32, 1, 1), net.now_ns, &a->out);
	net_flush(0);
	CU_EQ_U64(a->link.drop_not_up, 1);
	CU_TRUE(dpt_link_is_up(a->node->links[0]));
	CU_EQ_U64(dpt_node_state(a->node), DPT_NODE_UP_UP);
	net_end();
}

/* Arcs FAILINGOVER, PEER_LOST and SELF_LOST: the other link is lost while a series runs. */
static void
peer_resets_while_a_failover_runs(void)
{
	const struct dpt_node *a;

	net_init(77);
	net_establish_dual();
	a = net.sides[0].node;
	forge_set(DPT_TYPE_FAILOVER, 0);
	forge.is_lost = true;
	dpt_node_bearer_down(net.sides[0].node, 1, DPT_DOWN_BEARER, net.now_ns, &net.sides[0].out);
	net_flush(0);
	net_run(10 * DPT_NS_PER_MS);
	CU_EQ_U64(dpt_node_state(a), DPT_NODE_FAILINGOVER);
	/* Its RESET that says "stop" is lost; the next one does not. */
	net.sides[1].is_cut = true;
	dpt_node_reset(net.sides[1].node, DPT_DOWN_STOPPED, net.now_ns, &net.sides[1].out);
	net_flush(1);
	net.sides[1].is_cut = false;
	net_run(700 * DPT_NS_PER_MS);
	CU_EQ_U64(net.sides[0].last_down, DPT_DOWN_PEER_RESET);
	net.tap = NULL;
	net_run(3 * DPT_NS_PER_S);
	CU_EQ_U64(dpt_node_state(a), DPT_NODE_UP_UP);
	CU_EQ_U64(net.sides[0].counters.fsm_illegal, 0);
	net_end();
}

/* More than any window: the peer does not mean well, and memory has a limit. */
static void
too_many_held_messages_cost_the_contact(void)
{
	struct net_side *a = &net.sides[0];

	net_init(78);
	net_establish_dual();
	a->node->is_holding = true;
	/* As if there were so many: the pool of the test has less. */
	a->node->held.cnt = NODE_HELD_MAX;
	net_send(1, 100);
	net_send(1, 100);
	net_run(DPT_NS_PER_MS);
	CU_EQ_U64(a->counters.drop_held, 1);
	CU_EQ_U64(a->node_downs, 1);
	CU_EQ_U64(a->last_down, DPT_DOWN_OVERFLOW);
	CU_EQ_U64(a->next_rx[0], 0);
	CU_FALSE(a->node->is_holding);
	a->node->held.cnt = 0;
	net_end();
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_03_19_failover_that_does_not_end),
	CU_TEST(hazard_03_19_failover_without_a_series),
	CU_TEST(hazard_03_19_message_count_zero),
	CU_TEST(hazard_03_20_synch_that_does_not_end),
	CU_TEST(hazard_03_21_synch_too_short_for_an_inner_header),
	CU_TEST(hazard_03_18_failover_outside_the_window),
	CU_TEST(hazard_03_18_failover_on_a_link_that_is_not_up),
	CU_TEST(peer_resets_while_a_failover_runs),
	CU_TEST(too_many_held_messages_cost_the_contact),
};

const struct cu_suite limit_suite = {"limit", tests, CU_CNT(tests)};
