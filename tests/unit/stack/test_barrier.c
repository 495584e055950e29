/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The barrier of bind: the answer comes when the links of all nodes that are up have
 * acknowledged the publication, whichever way it went. dpt_stack.h, is_sync.
 */

#include <errno.h>
#include <string.h>

#include "cu.h"
#include "dpt_msg.h"
#include "stack_net.h"

#define TYPE 900
/* As stack_priv.h has it. */
#define BARRIERS_MAX 1024

static struct net net;

static void
formed(uint32_t nodes_cnt, uint32_t shards_cnt, bool is_legacy_peer)
{
	memset(net_caps, 0, sizeof(net_caps));
	if (is_legacy_peer)
		net_caps[1] = DPT_STACK_CAPS & ~DPT_CAP_NAMED_BCAST;
	net_init(&net, nodes_cnt, shards_cnt, false);
	for (uint32_t i = 0; i < nodes_cnt; i++)
		net_bearer_up(&net, i);
	CU_TRUE_FATAL(net_form(&net));
	net_run(&net, DPT_NS_PER_S);
}

static void
done(void)
{
	net_fini(&net);
	memset(net_caps, 0, sizeof(net_caps));
}

static uint32_t
answers(void)
{
	return net.nodes[0].events[DPT_EVENT_BIND_DONE];
}

static void
answer_comes_at_once_without_other_nodes(void)
{
	struct dpt_port port;

	for (uint32_t shards = 1; shards <= 3; shards++) {
		net_init(&net, 1, shards, true);
		net_bearer_up(&net, 0);
		net_run(&net, DPT_NS_PER_S);
		port = net_socket(&net, 0, shards - 1, DPT_SOCK_RDM);
		CU_EQ_I64(net_bind_sync(&net, 0, port, TYPE, 7), 0);
		CU_EQ_U64(answers(), 1);
		CU_EQ_U64(net.nodes[0].bind_cookie, 7);
		CU_EQ_I64(net.nodes[0].bind_result, 0);
		done();
	}
}

/* Two or three nodes, by broadcast and by unicast: not before they have it, and soon after. */
static void
answer_comes_when_the_nodes_have_it(void)
{
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t nodes_cnt = 2 + (i & 1), shards = i & 2 ? 3 : 1;
		struct dpt_port port;

		cu_context("%u nodes, %u shards, legacy %u", nodes_cnt, shards, i / 4);
		formed(nodes_cnt, shards, i / 4 != 0);
		port = net_socket(&net, 0, shards - 1, DPT_SOCK_RDM);
		CU_EQ_I64(net_bind_sync(&net, 0, port, TYPE, 7), 0);
		CU_EQ_U64(answers(), 0);
		/* On its way; nobody has acknowledged it. */
		net_run(&net, NET_DELAY_NS / 2);
		CU_EQ_U64(answers(), 0);
		for (uint32_t step = 0; step < 2000 && answers() == 0; step++)
			net_run(&net, DPT_NS_PER_MS);
		CU_EQ_U64(answers(), 1);
		CU_EQ_U64(net.nodes[0].bind_cookie, 7);
		CU_EQ_I64(net.nodes[0].bind_result, 0);
		for (uint32_t n = 1; n < nodes_cnt; n++)
			CU_EQ_U64(net_names_cnt(&net, n, 0, TYPE), 1);
		done();
	}
}

/* A node that goes down is not waited for; until that is known it is. */
static void
node_that_goes_down_is_not_waited_for(void)
{
	for (uint32_t is_legacy = 0; is_legacy < 2; is_legacy++) {
		struct dpt_port port;

		cu_context("legacy %u", is_legacy);
		formed(3, 2, is_legacy != 0);
		net.nodes[2].is_connected = false;
		port = net_socket(&net, 0, 1, DPT_SOCK_RDM);
		CU_EQ_I64(net_bind_sync(&net, 0, port, TYPE, 7), 0);
		net_run(&net, DPT_NS_PER_S);
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_DOWN], 0);
		CU_EQ_U64(net_names_cnt(&net, 1, 0, TYPE), 1);
		CU_EQ_U64(answers(), 0);
		net_run(&net, 5 * DPT_NS_PER_S);
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_DOWN], 1);
		CU_EQ_U64(answers(), 1);
		done();
	}
}

/* Nodes 0 and 1 in contact, and node 2 as well, but its bulk is on its way. */
static void
third_node_comes_up(void)
{
	net_init(&net, 3, 2, false);
	net_bearer_up(&net, 0);
	net_bearer_up(&net, 1);
	net_run(&net, 5 * DPT_NS_PER_S);
	CU_EQ_U64_FATAL(net.nodes[0].events[DPT_EVENT_NODE_UP], 1);
	net_bearer_up(&net, 2);
	for (uint32_t i = 0; i < 100000 && net.nodes[0].events[DPT_EVENT_NODE_UP] == 1; i++)
		net_run(&net, NET_DELAY_NS / 2);
	CU_EQ_U64_FATAL(net.nodes[0].events[DPT_EVENT_NODE_UP], 2);
}

/* 04-name-table.md, 12.1: the update waits until the new peer has its bulk. */
static void
held_update_is_waited_for(void)
{
	struct dpt_port port;

	third_node_comes_up();
	port = net_socket(&net, 0, 1, DPT_SOCK_RDM);
	/* Nothing goes to node 1 either. */
	CU_EQ_I64(net_bind_sync(&net, 0, port, TYPE, 7), 0);
	CU_EQ_U64(answers(), 0);
	for (uint32_t step = 0; step < 100000 && answers() == 0; step++)
		net_run(&net, NET_DELAY_NS);
	CU_EQ_U64(answers(), 1);
	CU_EQ_U64(net_names_cnt(&net, 1, 0, TYPE), 1);
	CU_EQ_U64(net_names_cnt(&net, 2, 0, TYPE), 1);
	done();
}

/* More than one call answers, in order; plain binds overtake. */
static void
many_are_answered_in_order(void)
{
	struct dpt_port port;

	formed(2, 2, false);
	port = net_socket(&net, 0, 1, DPT_SOCK_RDM);
	for (uint32_t i = 0; i < 100; i++)
		CU_EQ_I64(net_bind_sync(&net, 0, port, TYPE, i), 0);
	CU_EQ_U64(answers(), 0);
	CU_EQ_I64(net_bind(&net, 0, port, TYPE + 1, 1, 1), 0);
	CU_EQ_U64(answers(), 1);
	for (uint32_t step = 0; step < 2000 && answers() < 101; step++) {
		uint32_t before = answers();

		net_run(&net, DPT_NS_PER_MS);
		if (answers() > before)
			CU_EQ_U64(net.nodes[0].bind_cookie, answers() - 2);
	}
	CU_EQ_U64(answers(), 101);
	CU_EQ_U64(dpt_stack_counters(net_stack(&net, 0, 1))->stack.events_lost, 0);
	CU_EQ_U64(net_names_cnt(&net, 1, 1, TYPE), 100);
	done();
}

/* Beyond what can wait a bind is refused, and nothing is bound. */
static void
too_many_are_refused(void)
{
	struct dpt_port port;

	third_node_comes_up();
	net.nodes[0].is_connected = false;
	port = net_socket(&net, 0, 1, DPT_SOCK_RDM);
	for (uint32_t i = 0; i < BARRIERS_MAX; i++)
		CU_EQ_I64(net_bind_sync(&net, 0, port, TYPE, i), 0);
	CU_EQ_U64(answers(), 0);
	CU_EQ_I64(net_bind_sync(&net, 0, port, TYPE, BARRIERS_MAX), 0);
	CU_EQ_U64(answers(), 1);
	CU_EQ_I64(net.nodes[0].bind_result, -ENOBUFS);
	CU_EQ_U64(net_names_cnt(&net, 0, 0, TYPE), BARRIERS_MAX);
	/* Both nodes go down: nobody is left to wait for. */
	net_run(&net, 30 * DPT_NS_PER_S);
	CU_EQ_U64(answers(), BARRIERS_MAX + 1);
	CU_EQ_I64(net_bind_sync(&net, 0, port, TYPE, BARRIERS_MAX), 0);
	CU_EQ_U64(answers(), BARRIERS_MAX + 2);
	done();
}

/* Node scope goes to nobody; a withdrawal is not waited for. */
static void
nothing_to_wait_for(void)
{
	struct dpt_bind_req req = {.range = {.type = TYPE, .lower = 1, .upper = 1},
				   .scope = DPT_SCOPE_NODE,
				   .is_sync = true};
	struct dpt_port port;
	struct dpt_out out;

	formed(2, 1, false);
	port = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	for (uint32_t i = 0; i < 2; i++) {
		dpt_out_init(&out);
		CU_EQ_I64(
			i == 0 ? dpt_stack_bind(net_stack(&net, 0, 0), port, &req, net.now_ns, &out)
			       : dpt_stack_unbind(net_stack(&net, 0, 0), port, &req, net.now_ns,
						  &out),
			0);
		CU_EQ_U64(out.events_cnt, 1);
		CU_EQ_U64(out.events[0].type, DPT_EVENT_BIND_DONE);
		CU_EQ_I64(out.events[0].result, 0);
	}
	done();
}

static const struct cu_test tests[] = {
	CU_TEST(answer_comes_at_once_without_other_nodes),
	CU_TEST(answer_comes_when_the_nodes_have_it),
	CU_TEST(node_that_goes_down_is_not_waited_for),
	CU_TEST(held_update_is_waited_for),
	CU_TEST(many_are_answered_in_order),
	CU_TEST(too_many_are_refused),
	CU_TEST(nothing_to_wait_for),
};

int
main(int argc, char **argv)
{
	return cu_main(argc, argv, "barrier", tests, CU_CNT(tests));
}
