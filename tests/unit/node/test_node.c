/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A node and its link against another one: scenarios of 03-link-node.md, 24, the node's
 * state machine, exactly-once delivery over a bad network.
 */
#include <errno.h>
#include <string.h>

#include "dpt_msg.h"
#include "node_net.h"

#define NONE (-1)
#define ILL  (-2)

static const int fsm_want[NODE_STATE_CNT][NODE_EVENT_CNT] = {
	/* SELF_ESTABL, SELF_LOST, PEER_ESTABL, PEER_LOST, FO_BEGIN, FO_END, SY_BEGIN, SY_END */
	[DPT_NODE_DOWN_DOWN] = {DPT_NODE_UP_COMING, NONE, DPT_NODE_COMING_UP, NONE, ILL, ILL, ILL,
				ILL},
	[DPT_NODE_UP_COMING] = {NONE, DPT_NODE_DOWN_DOWN, DPT_NODE_UP_UP, NONE, NONE, ILL, ILL,
				NONE},
	[DPT_NODE_COMING_UP] = {DPT_NODE_UP_UP, NONE, NONE, DPT_NODE_DOWN_DOWN, ILL, ILL, ILL, ILL},
	[DPT_NODE_UP_UP] = {NONE, DPT_NODE_DOWN_LEAVING, NONE, DPT_NODE_LEAVING_DOWN,
			    DPT_NODE_FAILINGOVER, NONE, DPT_NODE_SYNCHING, NONE},
	[DPT_NODE_DOWN_LEAVING] = {NONE, NONE, NONE, DPT_NODE_DOWN_DOWN, ILL, ILL, ILL, ILL},
	[DPT_NODE_LEAVING_DOWN] = {NONE, DPT_NODE_DOWN_DOWN, NONE, NONE, ILL, ILL, ILL, ILL},
	[DPT_NODE_FAILINGOVER] = {NONE, DPT_NODE_DOWN_LEAVING, NONE, DPT_NODE_LEAVING_DOWN, NONE,
				  DPT_NODE_UP_UP, ILL, ILL},
	[DPT_NODE_SYNCHING] = {NONE, DPT_NODE_DOWN_LEAVING, NONE, DPT_NODE_LEAVING_DOWN,
			       DPT_NODE_FAILINGOVER, ILL, NONE, DPT_NODE_UP_UP},
};

static void
every_state_and_event_as_in_15_2(void)
{
	struct dpt_node *node;

	net_init(1);
	node = net.sides[0].node;
	for (int state = 0; state < NODE_STATE_CNT; state++) {
		for (int event = 0; event < NODE_EVENT_CNT; event++) {
			int cell = fsm_want[state][event];
			uint64_t illegal = net.sides[0].counters.fsm_illegal;

			cu_context("state %s event %d", dpt_node_state_name(state), event);
			node->state = (uint8_t)state;
			node_event(node, event, net.now_ns);
			CU_EQ_U64(node->state, cell < 0 ? state : cell);
			CU_EQ_U64(net.sides[0].counters.fsm_illegal - illegal, cell == ILL);
		}
	}
	net_end();
}

/* B's node exists, its own first RESET is lost: the order of the scenario. */
static void
scenario_24_1_first_establishment(void)
{
	struct dpt_link_info info;
	int at;

	net_init(2);
	CU_EQ_U64(dpt_node_state(net.sides[1].node), DPT_NODE_DOWN_LEAVING);
	net.sides[1].is_cut = true;
	net_setup(1);
	net.sides[1].is_cut = false;
	net_setup(0);
	net_run(50 * DPT_NS_PER_MS);
	CU_EQ_STR(net.log[0], "B RESET red 0 stop 0");
	CU_EQ_STR(net.log[1], "A RESET red 0 stop 0");
	CU_EQ_STR(net.log[2], "B ACTIVATE red 0 stop 0");
	CU_EQ_STR(net.log[3], "A STATE 1 ack 0");
	CU_EQ_STR(net.log[4], "A pkt 1 user 5");
	at = net_log_find("B STATE 1 ack 0", 5);
	CU_TRUE(at >= 5);
	CU_EQ_I64(net_log_find("B pkt 1 user 5", 5), at + 1);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(dpt_node_state(net.sides[i].node), DPT_NODE_UP_UP);
		CU_EQ_U64(net.sides[i].node_ups, 1);
		CU_TRUE(net.sides[i].node->bcast.is_up);
		CU_EQ_I64(dpt_node_link_info(net.sides[i].node, 0, &info), 0);
		CU_TRUE(info.is_up);
		CU_TRUE(info.is_active);
	}
	CU_EQ_STR(info.name, "2020000:eth0-2010000:eth0");
	CU_EQ_I64(dpt_node_link_info(net.sides[0].node, 1, &info), -ENOENT);
	net_end();
}

static void
both_begin_at_once_and_come_up(void)
{
	net_init(3);
	net_establish();
	CU_EQ_U64(net.sides[0].node_ups, 1);
	CU_EQ_U64(net.sides[1].node_ups, 1);
	net_end();
}

static void
scenario_24_2_graceful_stop(void)
{
	net_init(4);
	net_establish();
	net.log_cnt = 0;
	dpt_node_bearer_down(net.sides[0].node, 0, DPT_DOWN_BEARER, net.now_ns, &net.sides[0].out);
	net_flush(0);
	CU_EQ_STR(net.log[0], "A RESET red 1 stop 1");
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_DOWN_LEAVING);
	CU_FALSE(dpt_node_has_link(net.sides[0].node, 0));
	net_run(2 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[1].last_down, DPT_DOWN_PEER_STOPPING);
	CU_EQ_U64(dpt_node_state(net.sides[1].node), DPT_NODE_DOWN_LEAVING);
	CU_EQ_STR(net.log[1], "B RESET red 1 stop 1");
	CU_EQ_STR(net.log[2], "B RESET red 0 stop 0");
	CU_TRUE(net.sides[0].counters.drop_no_link > 0);
	CU_EQ_U64(net.sides[0].node_downs, 1);
	CU_EQ_U64(net.sides[1].node_downs, 1);
	net_end();
}

static void
scenario_24_3_silent_loss_and_recovery(void)
{
	net_init(5);
	net_establish();
	net.sides[0].is_cut = net.sides[1].is_cut = true;
	/* Not before its tolerance (idle: the last reply came up to an interval ago), not later. */
	net_run((1500 - 375 - 1) * DPT_NS_PER_MS);
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	net_run((375 + 1) * DPT_NS_PER_MS);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(net.sides[i].last_down, DPT_DOWN_TOLERANCE);
		CU_EQ_U64(dpt_node_state(net.sides[i].node), DPT_NODE_DOWN_LEAVING);
		CU_FALSE(dpt_node_is_open(net.sides[i].node));
	}
	net_run(2 * DPT_NS_PER_S);
	net.sides[0].is_cut = net.sides[1].is_cut = false;
	net_run(800 * DPT_NS_PER_MS);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(dpt_node_state(net.sides[i].node), DPT_NODE_UP_UP);
		CU_EQ_U64(net.sides[i].node_ups, 2);
		CU_EQ_U64(net.sides[i].node_downs, 1);
	}
	net_end();
}

static void
scenario_24_4_peer_resets_while_own_side_is_up(void)
{
	net_init(6);
	net_establish();
	/* B's own RESET, which is not a stop: as after its clean-up, lost before. */
	net.sides[1].is_cut = true;
	dpt_node_reset(net.sides[1].node, DPT_DOWN_STOPPED, net.now_ns, &net.sides[1].out);
	net_flush(1);
	net.sides[1].is_cut = false;
	net.log_cnt = 0;
	net_run(700 * DPT_NS_PER_MS);
	CU_EQ_U64(net.sides[0].last_down, DPT_DOWN_PEER_RESET);
	/* The first ACTIVATE comes from the clean-up: redundant_link 1, ignored by B. */
	CU_TRUE(net_log_find("A ACTIVATE red 1 stop 0", 0) >= 0);
	CU_TRUE(net.sides[1].counters.drop_down_leaving > 0);
	net_run(800 * DPT_NS_PER_MS);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(dpt_node_state(net.sides[i].node), DPT_NODE_UP_UP);
		CU_EQ_U64(net.sides[i].node_ups, 2);
		CU_EQ_U64(net.sides[i].node_downs, 1);
	}
	net_end();
}

static void
messages_are_refused_before_the_contact_is_open(void)
{
	net_init(7);
	net.sides[0].is_passive = true;
	CU_EQ_I64(net_send(0, 10), -EHOSTUNREACH);
	net_setup(0);
	net_setup(1);
	net_run(DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].node_ups, 1);
	CU_EQ_I64(net_send(0, 10), -EHOSTUNREACH);
	CU_EQ_U64(net.sides[0].counters.drop_unreachable, 2);
	CU_EQ_U64(net.sides[0].link.sent_pkts, 0);
	net.sides[0].is_passive = false;
	dpt_node_open(net.sides[0].node, 41, net.now_ns, &net.sides[0].out);
	dpt_node_open(net.sides[0].node, 42, net.now_ns, &net.sides[0].out);
	CU_EQ_U64(net.sides[0].out.tx.cnt, 1);
	CU_EQ_U64(dpt_msg_last_bcast(dpt_buf_hdr(net.sides[0].out.tx.head)), 41);
	net_flush(0);
	CU_EQ_I64(net_send(0, 10), 0);
	net_run(DPT_NS_PER_S);
	CU_EQ_U64(net.sides[1].next_rx[0], 1);
	CU_EQ_U64(net.sides[1].node->bcast.rcv_nxt, 42);
	net_end();
}

/* 01-wire-format.md, 18.10, with the link numbers of a first packet. */
static void
example_01_18_10_broadcast_init(void)
{
	static const uint32_t words[] = {0x4b400028, 0,		 0x00000001, 0x02010000, 0x00030000,
					 0x00004000, 0x02010000, 0x02020000, 0,		 0};
	const uint8_t *hdr;

	net_init(8);
	net.sides[0].is_passive = true;
	net_setup(0);
	net_setup(1);
	net_run(1 * DPT_NS_PER_MS);
	net.sides[0].is_passive = false;
	/* Before B's packets are acknowledged by ours: ack is B's init, taken out here. */
	dpt_node_open(net.sides[0].node, 3, net.now_ns, &net.sides[0].out);
	hdr = dpt_buf_hdr(net.sides[0].out.tx.head);
	for (unsigned int w = 0; w < CU_CNT(words); w++) {
		cu_context("word %u", w);
		CU_EQ_U64(dpt_msg_word(hdr, w) & (w == 2 ? 0xffff : UINT32_MAX), words[w]);
	}
	net_flush(0);
	net_end();
}

static void
renewal_changes_the_destination_and_reset_takes_the_link_down(void)
{
	struct dpt_link_setup setup = {
		.bearer_id = 0, .mtu = 1500, .dst = {.media = DPT_MEDIA_ETH, .bytes = {2, 9}}};

	net_init(10);
	net_establish();
	CU_EQ_I64(dpt_node_link_setup(net.sides[0].node, &setup, net.now_ns, &net.sides[0].out), 0);
	CU_EQ_U64(net.sides[0].out.events_cnt, 0);
	net_send(0, 100);
	setup.is_reset = true;
	dpt_node_link_setup(net.sides[0].node, &setup, net.now_ns, &net.sides[0].out);
	net_flush(0);
	CU_EQ_U64(net.sides[0].last_down, DPT_DOWN_NEW_ADDRESS);
	CU_EQ_U64(net.sides[0].node_downs, 1);
	net_run(3 * DPT_NS_PER_S);
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_UP_UP);
	net_end();
}

static void
record_expires_once(void)
{
	net_init(11);
	net_run(299 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].gone, 0);
	net_run(20 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].gone, 1);
	CU_EQ_U64(dpt_node_deadline_ns(net.sides[0].node), DPT_NEVER_NS);
	net_end();
}

/* A node in contact does not expire, and an idle one stays up. */
static void
idle_contact_lasts(void)
{
	net_init(12);
	net_establish();
	net_run(400 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].gone + net.sides[1].gone, 0);
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	CU_TRUE(net.sides[0].reports > 0);
	net_end();
}

static void
congested_sender_is_told_when_there_is_room(void)
{
	int rc = 0;

	net_init(13);
	net_establish();
	for (unsigned int i = 0; i < 1000 && rc == 0; i++)
		rc = net_send(0, 800);
	CU_EQ_I64(rc, 1);
	CU_TRUE(net.sides[0].is_blocked);
	net_run(100 * DPT_NS_PER_MS);
	CU_EQ_U64(net.sides[0].resumed, 1);
	CU_FALSE(net.sides[0].is_blocked);
	net_run(2 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[1].next_rx[0], net.sides[0].next_tx[0]);
	net_end();
}

static void
link_down_counts_what_is_lost_and_wakes_the_blocked(void)
{
	int rc = 0;

	net_init(14);
	net_establish();
	net.sides[0].is_cut = true;
	while (rc == 0)
		rc = net_send(0, 100);
	net_run(4 * DPT_NS_PER_S);
	CU_EQ_U64(net.sides[0].node_downs, 1);
	CU_EQ_U64(net.sides[0].resumed, 1);
	CU_EQ_U64(net.sides[0].link.drop_link_down, net.sides[0].next_tx[0]);
	CU_EQ_I64(net_send(0, 100), -EHOSTUNREACH);
	net_end();
}

static void
message_over_66060_octets_is_refused(void)
{
	struct rte_mbuf *m, *tail;

	net_init(15);
	net_establish();
	m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT, 66000,
			  net.sides[0].cfg.own, net.sides[0].cfg.peer);
	tail = dpt_buf_alloc_len(test_pool(), 100);
	CU_EQ_I64(rte_pktmbuf_chain(m, tail), 0);
	CU_EQ_I64(dpt_node_tx(net.sides[0].node, m, 0, net.now_ns, &net.sides[0].out), -EMSGSIZE);
	CU_EQ_U64(net.sides[0].counters.drop_too_long, 1);
	net_end();
}

/* A system message that cannot be sent costs the link: names would be incomplete. */
static void
refused_system_message_takes_the_link_down(void)
{
	struct rte_mbuf *m;

	net_init(16);
	net_establish();
	m = dpt_msg_alloc(test_pool(), DPT_USER_NAME_DISTRIBUTOR, 0, DPT_HDR_INTERNAL, 2000,
			  net.sides[0].cfg.own, net.sides[0].cfg.peer);
	test_pool_exhaust(1);
	CU_EQ_I64(dpt_node_tx(net.sides[0].node, m, 0, net.now_ns, &net.sides[0].out), -ENOBUFS);
	test_pool_release();
	net_flush(0);
	CU_EQ_U64(net.sides[0].last_down, DPT_DOWN_OVERFLOW);
	net_run(3 * DPT_NS_PER_S);
	CU_EQ_U64(dpt_node_state(net.sides[0].node), DPT_NODE_UP_UP);
	net_end();
}

/* What comes back to its sender is dropped before the level is full: the link stays up. */
static void
hazard_09_10_returned_messages_leave_room_for_others(void)
{
	struct net_side *side = &net.sides[0];
	struct rte_mbuf *m;

	net_init(17);
	net_establish();
	side->is_cut = true; /* nothing is acknowledged */
	for (uint32_t i = 0; i < 1000; i++) {
		m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1024,
				  side->cfg.own, side->cfg.peer);
		CU_NOT_NULL_FATAL(m);
		dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
		CU_EQ_I64(dpt_node_tx(side->node, m, 0, net.now_ns, &side->out), 0);
		net_flush(0);
	}
	CU_TRUE(side->counters.drop_return_surplus > 100);
	CU_TRUE(side->counters.drop_return_surplus < 900);
	/* The end of a connection has the same level, and its place. */
	m = dpt_msg_alloc(test_pool(), DPT_USER_CRITICAL, DPT_TYPE_CONN, DPT_HDR_SHORT, 0,
			  side->cfg.own, side->cfg.peer);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	CU_EQ_I64(dpt_node_tx(side->node, m, 0, net.now_ns, &side->out), 0);
	CU_EQ_U64(side->counters.drop_return_surplus, 1000 + 1 - side->counters.tx_msgs);
	CU_EQ_U64(side->node_downs, 0);
	net_flush(0);
	net_end();
}

static struct rte_mbuf *
foreign_pkt(enum dpt_user user, uint32_t type)
{
	return dpt_msg_alloc(test_pool(), user, type, DPT_HDR_INTERNAL, 0, net.sides[1].cfg.own,
			     net.sides[0].cfg.own);
}

static void
frames_that_the_filter_refuses_are_counted(void)
{
	struct net_side *a = &net.sides[0];
	struct rte_mbuf *m;

	net_init(17);
	dpt_node_rx(a->node, 2, foreign_pkt(DPT_USER_CONN_MANAGER, 0), net.now_ns, &a->out);
	dpt_node_rx(a->node, 200, foreign_pkt(DPT_USER_CONN_MANAGER, 0), net.now_ns, &a->out);
	CU_EQ_U64(a->counters.drop_no_link, 2);
	net_setup(0);
	dpt_node_rx(a->node, 0, foreign_pkt(DPT_USER_CONN_MANAGER, 0), net.now_ns, &a->out);
	CU_EQ_U64(a->counters.drop_down_leaving, 1);
	dpt_node_rx(a->node, 0, foreign_pkt(DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE), net.now_ns,
		    &a->out);
	CU_EQ_U64(a->counters.drop_session, 1);
	m = foreign_pkt(DPT_USER_CONN_MANAGER, 0);
	dpt_msg_set_destnode(dpt_buf_hdr(m), 0x02030000);
	dpt_node_rx(a->node, 0, m, net.now_ns, &a->out);
	CU_EQ_U64(a->counters.drop_destnode, 1);
	a->node->state = DPT_NODE_LEAVING_DOWN;
	dpt_node_rx(a->node, 0, foreign_pkt(DPT_USER_CONN_MANAGER, 0), net.now_ns, &a->out);
	CU_EQ_U64(a->counters.drop_leaving_down, 1);
	net_end();
}

/* Without a second link a tunnel packet must not disturb the one that there is. */
static void
hazard_03_18_failover_from_a_peer_with_one_link(void)
{
	struct net_side *a = &net.sides[0];
	struct rte_mbuf *m;

	net_init(18);
	net_establish();
	m = foreign_pkt(DPT_USER_TUNNEL, DPT_TYPE_FAILOVER);
	dpt_msg_set_seqno(dpt_buf_hdr(m), 2);
	dpt_node_rx(a->node, 0, m, net.now_ns, &a->out);
	CU_EQ_U64(a->link.drop_tunnel, 1);
	CU_EQ_U64(dpt_node_state(a->node), DPT_NODE_UP_UP);
	CU_EQ_U64(a->node_downs, 0);
	net_flush(0);
	net_end();
}

static uint32_t
random_bytes(struct dpt_rng *rng)
{
	static const uint32_t sizes[] = {8, 100, 1300, 1404, 1405, 5000, 66000};

	return sizes[dpt_rng_below(rng, CU_CNT(sizes))];
}

/* The law: what is accepted arrives once and in order while the link lives. */
static void
exactly_once(uint64_t seed, uint32_t loss_pct)
{
	struct dpt_rng rng;

	cu_context("seed %u loss %u", (unsigned int)seed, loss_pct);
	net_init(seed);
	dpt_rng_seed(&rng, seed + 1000);
	net_establish();
	net.loss_pct = loss_pct;
	net.dup_pct = net.reorder_pct = 20;
	for (unsigned int i = 0; i < 60; i++) {
		unsigned int side = dpt_rng_below(&rng, 2);

		if (!net.sides[side].is_blocked)
			CU_TRUE(net_send(side, random_bytes(&rng)) >= 0);
		net_run(dpt_rng_below(&rng, 4000000));
	}
	net.loss_pct = 0;
	net_run(8 * DPT_NS_PER_S);
	cu_context("seed %u loss %u", (unsigned int)seed, loss_pct);
	CU_EQ_U64(net.sides[0].node_downs + net.sides[1].node_downs, 0);
	CU_EQ_U64(net.sides[1].next_rx[0], net.sides[0].next_tx[0]);
	CU_EQ_U64(net.sides[0].next_rx[0], net.sides[1].next_tx[0]);
	CU_TRUE(net.sides[0].next_tx[0] > 0);
	CU_TRUE(loss_pct == 0 || net.sides[0].link.retransmitted > 0);
	net_end();
}

static void
exactly_once_in_order_under_loss_duplication_and_disorder(void)
{
	for (uint64_t seed = 0; seed < 40; seed++)
		exactly_once(cu_seed() + seed, 30);
	for (uint64_t seed = 0; seed < 5; seed++)
		exactly_once(cu_seed() + seed, 0);
}

/* Links that fail again and again: every buffer is accounted for, and they come back. */
static void
conservation_holds_through_resets(void)
{
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct dpt_rng rng;

		cu_context("seed %u", (unsigned int)seed);
		net_init(cu_seed() + seed);
		dpt_rng_seed(&rng, seed);
		net_establish();
		net.loss_pct = net.dup_pct = net.reorder_pct = 20;
		for (unsigned int i = 0; i < 40; i++) {
			unsigned int side = dpt_rng_below(&rng, 2);

			/* A reset may lose messages: the numbers that follow start anew. */
			net.sides[1 - side].next_rx[0] = net.sides[side].next_tx[0];
			if (i % 8 == 7) {
				dpt_node_reset(net.sides[side].node, DPT_DOWN_STOPPED, net.now_ns,
					       &net.sides[side].out);
				net_flush(side);
			}
			net_send(side, random_bytes(&rng));
			net_run(dpt_rng_below(&rng, 600) * DPT_NS_PER_MS);
		}
		net.loss_pct = 0;
		net_run(10 * DPT_NS_PER_S);
		for (unsigned int i = 0; i < 2; i++) {
			CU_EQ_U64(dpt_node_state(net.sides[i].node), DPT_NODE_UP_UP);
			CU_TRUE(net.sides[i].node_downs > 0);
			net.sides[i].wrong = 0;
		}
		net_end();
	}
}

/* Src: 13-netlink.md, 5.20: both ends down, or the own one and the peer about to be. */
static void
node_is_removable_when_it_is_down(void)
{
	static const struct {
		enum dpt_node_state state;
		bool is_removable;
	} rows[] = {
		{DPT_NODE_DOWN_DOWN, true},    {DPT_NODE_UP_COMING, false},
		{DPT_NODE_COMING_UP, false},   {DPT_NODE_UP_UP, false},
		{DPT_NODE_DOWN_LEAVING, true}, {DPT_NODE_LEAVING_DOWN, false},
		{DPT_NODE_FAILINGOVER, false}, {DPT_NODE_SYNCHING, false},
	};
	struct dpt_node *node;

	net_init(1);
	net_setup(0);
	net_setup(1);
	node = net.sides[0].node;
	CU_TRUE(dpt_node_is_removable(node));
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		uint8_t before = node->state;

		node->state = rows[i].state;
		CU_EQ_U64(dpt_node_is_removable(node), rows[i].is_removable);
		node->state = before;
	}
	net_establish();
	CU_FALSE(dpt_node_is_removable(node));
	/* Whatever the state says: a link carries messages. */
	node->state = DPT_NODE_DOWN_DOWN;
	CU_FALSE(dpt_node_is_removable(node));
	node->state = DPT_NODE_UP_UP;
	net_end();
}

static void
statistics_of_links_and_of_the_broadcast_stream_are_cleared(void)
{
	struct dpt_link_info info;
	struct dpt_node *node;

	net_init(2);
	net_setup(0);
	net_setup(1);
	net_establish();
	node = net.sides[0].node;
	net_run(2 * DPT_NS_PER_S);
	CU_EQ_I64(dpt_node_link_info(node, 0, &info), 0);
	CU_TRUE(info.is_active);
	CU_TRUE(info.counters.recv_states > 0);
	CU_EQ_I64(dpt_node_link_stats_reset(node, 1), -ENOENT);
	CU_EQ_I64(dpt_node_link_stats_reset(node, 0), 0);
	CU_EQ_I64(dpt_node_link_info(node, 0, &info), 0);
	CU_EQ_U64(info.counters.recv_states, 0);
	CU_TRUE(net.sides[0].link.recv_states > 0);
	node->bcast.stats.rx_pkts = 5;
	CU_EQ_U64(dpt_node_bcast_stats(node)->rx_pkts, 5);
	dpt_node_bcast_stats_reset(node);
	CU_EQ_U64(dpt_node_bcast_stats(node)->rx_pkts, 0);
	net_end();
}

static const struct cu_test tests[] = {
	CU_TEST(every_state_and_event_as_in_15_2),
	CU_TEST(scenario_24_1_first_establishment),
	CU_TEST(both_begin_at_once_and_come_up),
	CU_TEST(scenario_24_2_graceful_stop),
	CU_TEST(scenario_24_3_silent_loss_and_recovery),
	CU_TEST(scenario_24_4_peer_resets_while_own_side_is_up),
	CU_TEST(messages_are_refused_before_the_contact_is_open),
	CU_TEST(example_01_18_10_broadcast_init),
	CU_TEST(renewal_changes_the_destination_and_reset_takes_the_link_down),
	CU_TEST(record_expires_once),
	CU_TEST(idle_contact_lasts),
	CU_TEST(congested_sender_is_told_when_there_is_room),
	CU_TEST(link_down_counts_what_is_lost_and_wakes_the_blocked),
	CU_TEST(message_over_66060_octets_is_refused),
	CU_TEST(refused_system_message_takes_the_link_down),
	CU_TEST(hazard_09_10_returned_messages_leave_room_for_others),
	CU_TEST(frames_that_the_filter_refuses_are_counted),
	CU_TEST(hazard_03_18_failover_from_a_peer_with_one_link),
	CU_TEST(exactly_once_in_order_under_loss_duplication_and_disorder),
	CU_TEST(node_is_removable_when_it_is_down),
	CU_TEST(statistics_of_links_and_of_the_broadcast_stream_are_cleared),
	CU_TEST(conservation_holds_through_resets),
};

const struct cu_suite node_suite = {"node", tests, CU_CNT(tests)};

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {
		node_suite, dual_suite, failover_suite, synch_suite, limit_suite,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
