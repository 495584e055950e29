/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Connections between the shards of one node and between two nodes, on a wire without faults;
 * what a lost node does. 09-socket-api.md, 9, 11, 17, 20, 22.
 */

#include <errno.h>
#include <string.h>

#include "cu.h"
#include "dpt_msg.h"
#include "stack_net.h"
#include "test_pool.h"

static struct net net;

static void
formed(uint32_t nodes, uint32_t shards)
{
	net_init(&net, nodes, shards, false);
	for (uint32_t i = 0; i < nodes; i++)
		net_bearer_up(&net, i);
	CU_TRUE_FATAL(net_form(&net));
	net_run(&net, DPT_NS_PER_S);
}

/* Client of node 0, shard 0, and what node `there`, last shard, has accepted. */
static void
connected(uint32_t there, struct dpt_port *client, struct dpt_port *server)
{
	struct dpt_port listener = net_socket(&net, there, net.shards_cnt - 1, DPT_SOCK_SEQPACKET);
	struct dpt_dest dest = net_service(1000, 5);

	CU_EQ_I64_FATAL(net_bind(&net, there, listener, 1000, 0, 9), 0);
	net_run(&net, 50 * DPT_NS_PER_MS);
	CU_EQ_I64_FATAL(dpt_sock_listen(dpt_stack_socks(net_stack(&net, there, net.shards_cnt - 1)),
					listener),
			0);
	*client = net_socket(&net, 0, 0, DPT_SOCK_SEQPACKET);
	CU_EQ_I64_FATAL(net_connect(&net, 0, *client, &dest, 0), 0);
	CU_EQ_U64(net_conn(&net, 0, *client).state, DPT_SOCK_STATE_CONNECTING);
	net_run(&net, 50 * DPT_NS_PER_MS);
	CU_EQ_I64_FATAL(net_accept(&net, there, listener, server), 0);
	net_run(&net, 50 * DPT_NS_PER_MS);
	CU_EQ_U64_FATAL(net_conn(&net, 0, *client).state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_U64(net_conn(&net, 0, *client).peer.port.ref, server->ref);
	CU_EQ_U64(net_conn(&net, there, *server).peer.port.ref, client->ref);
	CU_TRUE(net_conn(&net, there, *server).is_block_flow);
	net_close(&net, there, listener);
}

static void
expect_msg(uint32_t node, struct dpt_port port, const char *text, uint32_t errcode)
{
	struct net_msg msg;

	if (!CU_TRUE(net_recv(&net, node, port, &msg)))
		return;
	CU_EQ_STR(msg.text, text);
	CU_EQ_U64(msg.errcode, errcode);
}

/* Node 0 to itself and to node 1, in one shard and across shards. */
static void
connection_carries_data_both_ways_and_ends(void)
{
	for (uint32_t shards = 1; shards <= 2; shards++) {
		for (uint32_t there = 0; there < 2; there++) {
			struct dpt_port client, server;

			cu_context("shards %u, node %u", shards, there);
			formed(2, shards);
			connected(there, &client, &server);
			CU_EQ_I64(net_send(&net, 0, client, NULL, "there", false), 0);
			CU_EQ_I64(net_send(&net, there, server, NULL, "back", false), 0);
			net_run(&net, 50 * DPT_NS_PER_MS);
			expect_msg(there, server, "there", DPT_OK);
			expect_msg(0, client, "back", DPT_OK);
			CU_EQ_I64(net_send(&net, 0, client, NULL, "last", false), 0);
			net_close(&net, 0, client);
			net_run(&net, 50 * DPT_NS_PER_MS);
			CU_EQ_U64(net_conn(&net, there, server).state,
				  DPT_SOCK_STATE_DISCONNECTING);
			expect_msg(there, server, "last", DPT_OK);
			expect_msg(there, server, "", DPT_ERR_NO_PORT);
			net_fini(&net);
		}
	}
}

/* A window never stalls while the other end reads. */
static void
stream_of_messages_does_not_stall(void)
{
	struct dpt_port client, server;
	struct net_msg msg;
	uint32_t sent = 0, read = 0;

	formed(2, 1);
	connected(1, &client, &server);
	for (uint32_t turn = 0; turn < 4000 && read < 2000; turn++) {
		if (sent < 2000 && net_send(&net, 0, client, NULL, "abc", false) == 0)
			sent++;
		if (turn % 4 == 0)
			net_run(&net, DPT_NS_PER_MS);
		while (net_recv(&net, 1, server, &msg)) {
			CU_EQ_U64(msg.errcode, DPT_OK);
			read++;
		}
	}
	CU_EQ_U64(sent, 2000);
	CU_EQ_U64(read, 2000);
	CU_EQ_U64(dpt_stack_counters(net_stack(&net, 0, 0))->socket.acks_beyond, 0);
	net_fini(&net);
}

/* 22: at both ends, in every shard; what was read before comes first. */
static void
lost_node_ends_connections_at_both_ends(void)
{
	struct dpt_port client, server;
	struct dpt_dest dest = net_service(1000, 5);

	formed(2, 2);
	connected(1, &client, &server);
	CU_EQ_I64(net_send(&net, 0, client, NULL, "before", false), 0);
	net_run(&net, 50 * DPT_NS_PER_MS);
	net.nodes[1].is_connected = false;
	net_run(&net, 5 * DPT_NS_PER_S);
	CU_EQ_U64(net_conn(&net, 0, client).state, DPT_SOCK_STATE_DISCONNECTING);
	CU_EQ_U64(net_conn(&net, 1, server).state, DPT_SOCK_STATE_DISCONNECTING);
	expect_msg(0, client, "", DPT_ERR_NO_NODE);
	expect_msg(1, server, "before", DPT_OK);
	expect_msg(1, server, "", DPT_ERR_NO_NODE);
	client = net_socket(&net, 0, 0, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(net_connect(&net, 0, client, &dest, 0), -EHOSTUNREACH);
	dest = net_sockaddr(&net, 1, server);
	CU_EQ_I64(net_connect(&net, 0, client, &dest, 0), -EHOSTUNREACH);
	net_fini(&net);
}

/* 20 */
static void
names_of_nodes_and_links(void)
{
	struct dpt_stack *stack;
	struct dpt_node_id id;
	char name[68];

	formed(2, 1);
	stack = net_stack(&net, 0, 0);
	CU_EQ_I64(dpt_stack_node_id(stack, net_addr(&net, 1), &id), 0);
	CU_EQ_MEM(id.bytes, "n1\0\0", 4);
	CU_EQ_I64(dpt_stack_node_id(stack, net_addr(&net, 0), &id), 0);
	CU_EQ_MEM(id.bytes, "n0\0\0", 4);
	CU_EQ_I64(dpt_stack_node_id(stack, dpt_node_addr(0), &id), -EADDRNOTAVAIL);
	CU_EQ_I64(dpt_stack_node_id(stack, dpt_node_addr(0x12345), &id), -EADDRNOTAVAIL);
	CU_EQ_I64(dpt_stack_link_name(stack, net_addr(&net, 1), 0, name, sizeof(name)), 0);
	CU_EQ_STR(name, "n0:eth0-n1:eth0");
	CU_EQ_I64(dpt_stack_link_name(stack, net_addr(&net, 1), 1, name, sizeof(name)),
		  -EADDRNOTAVAIL);
	CU_EQ_I64(dpt_stack_link_name(stack, net_addr(&net, 1), 99, name, sizeof(name)),
		  -EADDRNOTAVAIL);
	CU_EQ_I64(dpt_stack_link_name(stack, net_addr(&net, 0), 0, name, sizeof(name)),
		  -EADDRNOTAVAIL);
	net_fini(&net);
}

static const struct cu_test tests[] = {
	CU_TEST(connection_carries_data_both_ways_and_ends),
	CU_TEST(stream_of_messages_does_not_stall),
	CU_TEST(lost_node_ends_connections_at_both_ends),
	CU_TEST(names_of_nodes_and_links),
};

int
main(int argc, char **argv)
{
	return cu_main(argc, argv, "stack_conn", tests, CU_CNT(tests));
}
