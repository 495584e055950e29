/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Statistics and sockets as the tool shows them: 13-netlink.md, 5.6 to 5.9; 11-management.md, C5.
 */

#include <errno.h>
#include <string.h>

#include "cu.h"
#include "stack_net.h"

static struct net net;

static void
formed(uint32_t shards_cnt)
{
	net_init(&net, 2, shards_cnt, true);
	net_bearer_up(&net, 0);
	net_bearer_up(&net, 1);
	CU_TRUE_FATAL(net_form(&net));
}

static struct dpt_stack *
owner(uint32_t node, uint32_t peer)
{
	struct dpt_node_addr addr = net_addr(&net, peer);

	return net_stack(&net, node, dpt_stack_shard_of(net_stack(&net, node, 0), addr));
}

static struct dpt_link_info
link_info(uint32_t node)
{
	struct dpt_link_info info = {0};

	CU_EQ_I64_FATAL(dpt_node_link_info(dpt_stack_node(owner(node, 1 - node), 0), 0, &info), 0);
	return info;
}

/* Each number has its counter. */
static void
every_statistic_has_its_number(void)
{
	static struct dpt_link_info info;
	struct dpt_link_counters *c = &info.counters;
	uint32_t stats[DPT_STACK_LINK_STATS];
	const struct {
		uint32_t nr;
		uint64_t *counter;
	} rows[] = {
		{2, &c->recv_fragments},     {3, &c->recv_fragmented}, {4, &c->recv_bundles},
		{5, &c->recv_bundled},	     {7, &c->sent_fragments},  {8, &c->sent_fragmented},
		{9, &c->sent_bundles},	     {10, &c->sent_bundled},   {12, &c->msg_length_counts},
		{13, &c->msg_lengths_total}, {14, &c->msg_length_p0},  {15, &c->msg_length_p1},
		{16, &c->msg_length_p2},     {17, &c->msg_length_p3},  {18, &c->msg_length_p4},
		{19, &c->msg_length_p5},     {20, &c->msg_length_p6},  {21, &c->recv_states},
		{22, &c->recv_probes},	     {23, &c->recv_nacks},     {24, &c->deferred_recv},
		{25, &c->sent_states},	     {26, &c->sent_probes},    {27, &c->sent_nacks},
		{28, &c->sent_acks},	     {29, &c->retransmitted},  {30, &c->duplicates},
		{31, &c->link_congs},
	};

	dpt_stack_link_stats(&info, stats);
	for (uint32_t i = 1; i < DPT_STACK_LINK_STATS; i++)
		CU_EQ_U64(stats[i], i == 11); /* the tool divides by number 11 */
	for (uint32_t i = 0; i < CU_CNT(rows); i++)
		*rows[i].counter = UINT64_C(0x700000000) + 100 + i;
	c->accu_queue_sz = 70;
	c->queue_sz_counts = 10;
	dpt_stack_link_stats(&info, stats);
	for (uint32_t i = 0; i < CU_CNT(rows); i++)
		CU_EQ_U64(stats[rows[i].nr], 100 + i);
	CU_EQ_U64(stats[11], stats[12]);
	CU_EQ_U64(stats[33], 7);
	CU_EQ_U64(stats[1] + stats[6] + stats[32], 0);
}

static void
link_statistics_are_cleared_and_the_sums_stay(void)
{
	struct dpt_link_counters sums;
	struct dpt_node_addr peer;
	struct dpt_link_info info;

	formed(2);
	peer = net_addr(&net, 1);
	net_run(&net, 2 * DPT_NS_PER_S);
	info = link_info(0);
	CU_TRUE(info.counters.sent_pkts > 0);
	CU_TRUE(info.counters.sent_probes > 0);
	CU_TRUE(info.counters.queue_sz_counts > 0);
	CU_TRUE(info.is_up);
	CU_TRUE(info.is_active);
	CU_TRUE(info.window >= 50);
	sums = dpt_stack_counters(owner(0, 1))->link;
	CU_EQ_I64(dpt_stack_link_stats_reset(owner(0, 1), peer, 1), -ENOENT);
	CU_EQ_I64(dpt_stack_link_stats_reset(owner(0, 1), dpt_node_addr(7), 0), -ENOENT);
	CU_EQ_U64(link_info(0).counters.sent_pkts, info.counters.sent_pkts);
	CU_EQ_I64(dpt_stack_link_stats_reset(owner(0, 1), peer, 0), 0);
	info = link_info(0);
	CU_EQ_U64(info.counters.sent_pkts + info.counters.recv_states, 0);
	CU_EQ_MEM(&sums, &dpt_stack_counters(owner(0, 1))->link, sizeof(sums));

	/* Down: not active, whatever the kernel says then. */
	net.nodes[1].is_connected = false;
	net_run(&net, 4 * DPT_NS_PER_S);
	info = link_info(0);
	CU_FALSE(info.is_up);
	CU_FALSE(info.is_active);
	CU_EQ_STR(info.name, "1001001:eth0-1001002:eth0");
	net_fini(&net);
}

static void
broadcast_link_counts_both_ends(void)
{
	struct dpt_stack_bcast_info info;
	struct dpt_node_addr addr;
	struct dpt_port port;
	uint64_t sum;

	formed(2);
	addr = net_addr(&net, 0);
	port = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	dpt_stack_bcast_info(net_stack(&net, 0, 0), &info);
	uint32_t before = info.stats[6];
	CU_EQ_I64(dpt_stack_bcast_peer_info(owner(1, 0), addr, &info), 0);
	CU_EQ_U64(info.stats[1], before);
	/* Each binding is an update that goes by broadcast. */
	for (uint32_t i = 0; i < 40; i++)
		CU_EQ_I64(net_bind(&net, 0, port, 3000, i, i), 0);
	net_run(&net, DPT_NS_PER_S);
	dpt_stack_bcast_info(net_stack(&net, 0, 0), &info);
	CU_EQ_U64(info.stats[6], before + 40);
	CU_EQ_U64(info.stats[1], 0);
	CU_EQ_I64(dpt_stack_bcast_peer_info(owner(1, 0), addr, &info), 0);
	CU_EQ_U64(info.stats[1], before + 40);
	CU_EQ_U64(info.stats[6], 0);
	CU_TRUE(info.stats[28] > 0);
	CU_EQ_I64(dpt_stack_bcast_peer_info(owner(1, 0), dpt_node_addr(7), &info), -ENOENT);

	sum = dpt_stack_counters(net_stack(&net, 0, 0))->bcast.tx_pkts;
	CU_EQ_I64(dpt_stack_bcast_stats_reset(net_stack(&net, 0, 0), dpt_node_addr(0)), 0);
	dpt_stack_bcast_info(net_stack(&net, 0, 0), &info);
	CU_EQ_U64(info.stats[6], 0);
	CU_EQ_U64(dpt_stack_counters(net_stack(&net, 0, 0))->bcast.tx_pkts, sum);
	CU_EQ_I64(dpt_stack_bcast_stats_reset(owner(1, 0), addr), 0);
	CU_EQ_I64(dpt_stack_bcast_peer_info(owner(1, 0), addr, &info), 0);
	CU_EQ_U64(info.stats[1] + info.stats[28], 0);
	CU_EQ_I64(dpt_stack_bcast_stats_reset(owner(1, 0), dpt_node_addr(7)), -ENOENT);
	net_fini(&net);
}

/* Src: 13-netlink.md, 5.9; 11-management.md, C1. */
static void
broadcast_policy_is_kept_and_bad_values_are_refused(void)
{
	static const struct {
		struct dpt_stack_bcast_set set;
		int rc;
		uint32_t method, ratio, window;
	} rows[] = {
		{{0}, 0, 4, 10, 50},
		{{.method = 2}, 0, 2, 10, 50},
		{{.method = 1}, -ENOPROTOOPT, 2, 10, 50},
		{{.method = 3}, -EINVAL, 2, 10, 50},
		{{.method = 5, .ratio = 20}, -EINVAL, 2, 10, 50},
		{{.method = 0xffffffff}, -EINVAL, 2, 10, 50},
		{{.ratio = 100}, 0, 2, 100, 50},
		{{.ratio = 101}, -EINVAL, 2, 100, 50},
		{{.ratio = 0xffffffff}, -EINVAL, 2, 100, 50},
		/* What came before an error stays. */
		{{.method = 4, .ratio = 1000}, -EINVAL, 4, 100, 50},
		{{.window = 49}, -EINVAL, 4, 100, 50},
		{{.window = 8192}, -EINVAL, 4, 100, 50},
		{{.window = 8191, .ratio = 1}, 0, 4, 1, 8191},
	};
	struct dpt_stack_bcast_info info;

	net_init(&net, 1, 1, true);
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		cu_context("row %u", i);
		CU_EQ_I64(dpt_stack_bcast_set(net_stack(&net, 0, 0), &rows[i].set), rows[i].rc);
		dpt_stack_bcast_info(net_stack(&net, 0, 0), &info);
		CU_EQ_U64(info.method, rows[i].method);
		CU_EQ_U64(info.ratio, rows[i].ratio);
		CU_EQ_U64(info.window, rows[i].window);
	}
	net_fini(&net);
}

/* The listener of the topology service, and its connections while they last. */
static void
sockets_of_the_topology_service_are_shown(void)
{
	struct dpt_dest topology = net_service(1, 1);
	struct dpt_binding bindings[4];
	struct dpt_sock_info info;
	struct dpt_port listener, port, client[3];
	struct dpt_stack *stack;
	uint32_t cursor = 0;

	formed(2);
	stack = net_stack(&net, 0, 0);
	CU_TRUE_FATAL(dpt_stack_internal_sock(stack, 0, &listener, &info));
	CU_EQ_U64(info.type, DPT_SOCK_SEQPACKET);
	CU_EQ_U64(info.state, DPT_SOCK_STATE_LISTEN);
	CU_EQ_U64(info.bindings_cnt, 1);
	CU_FALSE(dpt_stack_internal_sock(stack, 1, &port, &info));
	CU_FALSE(dpt_stack_internal_sock(net_stack(&net, 0, 1), 0, &port, &info));
	CU_EQ_U64(dpt_stack_sock_bindings(stack, listener, &cursor, bindings, 4), 1);
	CU_EQ_U64(bindings[0].range.type, 1);
	CU_EQ_U64(bindings[0].range.lower, 1);
	CU_EQ_U64(bindings[0].key, listener.ref + 1);
	CU_EQ_U64(dpt_stack_sock_bindings(stack, listener, &cursor, bindings, 4), 0);

	for (uint32_t i = 0; i < 3; i++) {
		client[i] = net_socket(&net, 0, 1, DPT_SOCK_SEQPACKET);
		CU_EQ_I64(net_connect(&net, 0, client[i], &topology, 0), 0);
		net_run(&net, DPT_NS_PER_MS);
		CU_TRUE(dpt_stack_internal_sock(stack, 1 + i, &port, &info));
		CU_EQ_U64(info.state, DPT_SOCK_STATE_ESTABLISHED);
		CU_EQ_U64(info.peer.port.ref, client[i].ref);
		CU_TRUE(info.has_conn_name);
		CU_EQ_U64(info.conn_type, 1);
		CU_EQ_U64(info.conn_instance, 1);
		CU_FALSE(info.is_congested);
	}
	/* Applications' are not among them. */
	CU_FALSE(dpt_stack_internal_sock(stack, 4, &port, &info));
	/* One in the middle goes: the others are all shown still. */
	net_close(&net, 0, client[1]);
	net_run(&net, DPT_NS_PER_MS);
	for (uint32_t i = 0; i < 3; i++)
		CU_TRUE(dpt_stack_internal_sock(stack, i, &port, &info));
	CU_FALSE(dpt_stack_internal_sock(stack, 3, &port, &info));
	CU_EQ_I64(dpt_sock_info(dpt_stack_socks(net_stack(&net, 0, 1)), client[0], &info), 0);
	CU_TRUE(info.has_conn_name);
	CU_EQ_U64(info.conn_type, 1);
	net_fini(&net);
}

static const struct cu_test tests[] = {
	CU_TEST(every_statistic_has_its_number),
	CU_TEST(link_statistics_are_cleared_and_the_sums_stay),
	CU_TEST(broadcast_link_counts_both_ends),
	CU_TEST(broadcast_policy_is_kept_and_bad_values_are_refused),
	CU_TEST(sockets_of_the_topology_service_are_shown),
};

const struct cu_suite stats_suite = {"stats", tests, CU_CNT(tests)};
