/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Two bearers: what an application sees of a cut cable is nothing.
 *
 *     node 0 ==== bearer 0 ==== node 1, node 2
 *            ==== bearer 1 ====
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cu.h"
#include "dpt_msg.h"
#include "stack_net.h"

static struct net net;

static const struct dpt_node *
node_of(uint32_t node, uint32_t peer)
{
	for (uint32_t s = 0; s < net.shards_cnt; s++) {
		const struct dpt_node *found;

		for (uint32_t k = 0; (found = dpt_stack_node(net_stack(&net, node, s), k)); k++) {
			if (dpt_node_peer(found).value == net_addr(&net, peer).value)
				return found;
		}
	}
	CU_TRUE_FATAL(!"node is known");
	return NULL;
}

static bool
link_is_up(uint32_t node, uint32_t peer, uint8_t bearer_id)
{
	struct dpt_link_info info;

	return dpt_node_link_info(node_of(node, peer), bearer_id, &info) == 0 && info.is_up;
}

/* A cluster with two links between each two nodes. */
static void
formed_dual(uint32_t nodes, uint32_t shards)
{
	net_init(&net, nodes, shards, false);
	for (uint32_t i = 0; i < nodes; i++)
		for (uint8_t b = 0; b < 2; b++)
			net_bearer_up_id(&net, i, b);
	CU_TRUE_FATAL(net_form(&net));
	net_run(&net, 2 * DPT_NS_PER_S);
	for (uint32_t i = 0; i < nodes; i++) {
		for (uint32_t k = 0; k < nodes; k++) {
			if (k == i)
				continue;
			CU_TRUE(link_is_up(i, k, 0));
			CU_TRUE(link_is_up(i, k, 1));
		}
		memset(net.nodes[i].events, 0, sizeof(net.nodes[i].events));
	}
}

static void
cut(uint8_t bearer_id, bool is_cut)
{
	for (uint32_t i = 0; i < net.nodes_cnt; i++)
		net.nodes[i].is_cut[bearer_id] = is_cut;
}

static uint64_t
counter(uint32_t node, uint32_t shard, const char *library, const char *name)
{
	struct dpt_counter_value value;

	for (uint32_t i = 0; dpt_stack_counter(net_stack(&net, node, shard), i, &value); i++)
		if (strcmp(value.library, library) == 0 && strcmp(value.desc->name, name) == 0)
			return value.value;
	CU_TRUE_FATAL(!"counter exists");
	return 0;
}

/* Each link has its own publication of type 2. Src: 03-link-node.md, 17.1 step 6. */
static void
each_link_is_published(void)
{
	formed_dual(3, 2);
	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t s = 0; s < 2; s++)
			CU_EQ_U64(net_names_cnt(&net, i, s, 2), 4);
	cut(1, true);
	net_run(&net, 3 * DPT_NS_PER_S);
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t s = 0; s < 2; s++)
			CU_EQ_U64(net_names_cnt(&net, i, s, 2), 2);
		CU_EQ_U64(net.nodes[i].events[DPT_EVENT_LINK_DOWN], 2);
		CU_EQ_U64(net.nodes[i].events[DPT_EVENT_NODE_DOWN], 0);
	}
	cut(1, false);
	net_run(&net, 3 * DPT_NS_PER_S);
	for (uint32_t i = 0; i < 3; i++) {
		CU_EQ_U64(net_names_cnt(&net, i, 0, 2), 4);
		CU_EQ_U64(net.nodes[i].events[DPT_EVENT_LINK_UP], 2);
		CU_EQ_U64(net.nodes[i].events[DPT_EVENT_NODE_UP], 0);
	}
	net_fini(&net);
}

/* Sockets of even and odd ports, names from both ends, while either cable is cut. */
static void
cut_cable(uint8_t bearer_id, uint32_t shards)
{
	struct dpt_port servers[3], clients[4];
	uint32_t sent = 0, received[4] = {0};
	struct dpt_dest service = net_service(18888, 0);
	struct net_msg msg;
	char text[16];

	cu_context("bearer %u shards %u", bearer_id, shards);
	formed_dual(3, shards);
	servers[0] = net_socket(&net, 0, shards - 1, DPT_SOCK_RDM);
	CU_EQ_I64(net_bind(&net, 0, servers[0], 18888, 0, 9), 0);
	for (uint32_t c = 0; c < 4; c++)
		clients[c] = net_socket(&net, 1, c % shards, DPT_SOCK_RDM);
	net_run(&net, 10 * DPT_NS_PER_MS);
	for (uint32_t step = 0; step < 200; step++) {
		if (step == 50)
			cut(bearer_id, true);
		if (step == 60) {
			/* Names over the broadcast link while the cable is cut. */
			servers[1] = net_socket(&net, 2, 0, DPT_SOCK_RDM);
			CU_EQ_I64(net_bind(&net, 2, servers[1], 5000, 1, 1), 0);
		}
		for (uint32_t c = 0; c < 4; c++) {
			snprintf(text, sizeof(text), "%u %u", c, step);
			CU_EQ_I64(net_send(&net, 1, clients[c], &service, text, false), 0);
		}
		sent++;
		net_run(&net, 20 * DPT_NS_PER_MS);
		while (net_recv(&net, 0, servers[0], &msg)) {
			unsigned int c = 0, no = 0;

			CU_EQ_U64(sscanf(msg.text, "%u %u", &c, &no), 2);
			CU_EQ_U64_FATAL(c < 4, true);
			CU_EQ_U64(no, received[c]);
			received[c] = no + 1;
		}
	}
	for (uint32_t c = 0; c < 4; c++)
		CU_EQ_U64(received[c], sent);
	for (uint32_t i = 0; i < 3; i++) {
		CU_EQ_U64(net.nodes[i].events[DPT_EVENT_NODE_DOWN], 0);
		CU_EQ_U64(net.nodes[i].events[DPT_EVENT_LINK_DOWN], 2);
		for (uint32_t s = 0; s < shards; s++) {
			CU_EQ_U64(net_names_cnt(&net, i, s, 5000), 1);
			CU_EQ_U64(net_names_cnt(&net, i, s, 18888), 1);
			CU_EQ_U64(counter(i, s, "stack", "events_lost"), 0);
		}
	}
	cut(bearer_id, false);
	net_run(&net, 3 * DPT_NS_PER_S);
	CU_TRUE(link_is_up(0, 1, bearer_id));
	net_fini(&net);
}

static void
names_and_messages_survive_a_cut_cable(void)
{
	for (uint8_t bearer_id = 0; bearer_id < 2; bearer_id++)
		for (uint32_t shards = 1; shards <= 2; shards++)
			cut_cable(bearer_id, shards);
}

static void
bearer_down_with_two_is_no_loss_of_contact(void)
{
	for (uint32_t shards = 1; shards <= 2; shards++) {
		cu_context("shards %u", shards);
		formed_dual(2, shards);
		net_bearer_down_id(&net, 0, 0);
		net_run(&net, DPT_NS_PER_S);
		for (uint32_t i = 0; i < 2; i++) {
			CU_EQ_U64(net.nodes[i].events[DPT_EVENT_NODE_DOWN], 0);
			CU_EQ_U64(net.nodes[i].events[DPT_EVENT_LINK_DOWN], 1);
			CU_EQ_U64(net_names_cnt(&net, i, 0, 0), 2);
		}
		net_bearer_up_id(&net, 0, 0);
		net_run(&net, 3 * DPT_NS_PER_S);
		CU_TRUE(link_is_up(0, 1, 0));
		CU_TRUE(link_is_up(1, 0, 0));
		net_bearer_down_id(&net, 0, 0);
		net_bearer_down_id(&net, 0, 1);
		net_run(&net, DPT_NS_PER_S);
		CU_EQ_U64(net.nodes[1].events[DPT_EVENT_NODE_DOWN], 1);
		CU_EQ_U64(net_names_cnt(&net, 1, 0, 0), 1);
		CU_EQ_U64(net_names_cnt(&net, 1, 0, 2), 0);
		net_fini(&net);
	}
}

static void
third_bearer_carries_no_link(void)
{
	formed_dual(2, 1);
	net_bearer_up_id(&net, 0, 2);
	net_bearer_up_id(&net, 1, 2);
	net_run(&net, 3 * DPT_NS_PER_S);
	CU_FALSE(dpt_node_has_link(node_of(0, 1), 2));
	CU_FALSE(dpt_node_has_link(node_of(1, 0), 2));
	CU_TRUE(counter(0, 0, "discovery", "links_max") > 0);
	net_fini(&net);
}

/* 03-link-node.md, hazard 12, and the other ranges. */
static void
hazard_03_12_priority_0_and_other_values_out_of_range(void)
{
	static const struct dpt_link_props bad[] = {
		{.priority = 32},   {.tolerance_ms = 4}, {.tolerance_ms = 30001},
		{.window_max = 49}, {.window_max = 257}, {.mtu = 575},
		{.mtu = 1501},
	};
	struct dpt_stack_bearer bearer = {
		.bearer_id = 2,
		.priority = 0,
		.tolerance_ms = 1500,
		.window_min = 50,
		.window_max = 50,
		.mtu = 1500,
	};
	struct dpt_link_props good = {.tolerance_ms = 5, .window_max = 256, .mtu = 576};
	struct dpt_out out;

	formed_dual(2, 1);
	dpt_out_init(&out);
	CU_EQ_I64(dpt_stack_bearer_up(net_stack(&net, 0, 0), &bearer, net.now_ns, &out), -EINVAL);
	bearer.priority = 1;
	bearer.tolerance_ms = 4;
	CU_EQ_I64(dpt_stack_bearer_up(net_stack(&net, 0, 0), &bearer, net.now_ns, &out), -EINVAL);
	for (size_t i = 0; i < CU_CNT(bad); i++) {
		cu_context("case %zu", i);
		CU_EQ_I64(net_props_set(&net, 0, 0, dpt_node_addr(0), &bad[i]), -EINVAL);
	}
	CU_EQ_I64(net_props_set(&net, 0, 2, dpt_node_addr(0), &good), -ENOENT);
	CU_EQ_I64(net_props_set(&net, 0, 200, dpt_node_addr(0), &good), -ENOENT);
	CU_EQ_I64(net_props_set(&net, 0, 0, dpt_node_addr(0), &good), 0);
	/* What was made smaller may be as large as the bearer again. */
	good.mtu = 1500;
	CU_EQ_I64(net_props_set(&net, 0, 0, dpt_node_addr(0), &good), 0);
	net_fini(&net);
}

static void
properties_change_live_at_all_shards(void)
{
	struct dpt_link_props props = {.tolerance_ms = 800, .window_max = 100, .mtu = 1000};
	struct dpt_link_info info;

	formed_dual(3, 2);
	CU_EQ_I64(net_props_set(&net, 0, 1, dpt_node_addr(0), &props), 0);
	net_run(&net, DPT_NS_PER_S);
	for (uint32_t peer = 1; peer < 3; peer++) {
		CU_EQ_I64(dpt_node_link_info(node_of(0, peer), 1, &info), 0);
		CU_EQ_U64(info.tolerance_ms, 800);
		CU_EQ_U64(info.mtu, 1000);
		CU_TRUE(info.is_up);
		CU_EQ_I64(dpt_node_link_info(node_of(peer, 0), 1, &info), 0);
		/* The peer adopts it, for this link. */
		CU_EQ_U64(info.tolerance_ms, 800);
		CU_EQ_I64(dpt_node_link_info(node_of(0, peer), 0, &info), 0);
		CU_EQ_U64(info.tolerance_ms, 1500);
	}
	/* One link only. */
	props = (struct dpt_link_props){.priority = 15};
	CU_EQ_I64(net_props_set(&net, 0, 1, net_addr(&net, 1), &props), 0);
	net_run(&net, 3 * DPT_NS_PER_S);
	CU_EQ_I64(dpt_node_link_info(node_of(1, 0), 1, &info), 0);
	CU_EQ_U64(info.priority, 15);
	CU_TRUE(info.is_up);
	CU_EQ_I64(dpt_node_link_info(node_of(1, 0), 0, &info), 0);
	CU_FALSE(info.is_active);
	CU_EQ_I64(dpt_node_link_info(node_of(0, 2), 1, &info), 0);
	CU_EQ_U64(info.priority, 10);
	/* A link that is made now has the bearer's new values. */
	for (uint32_t i = 0; i < 3; i++)
		CU_EQ_U64(net.nodes[i].events[DPT_EVENT_NODE_DOWN], 0);
	net_fini(&net);
}

/* Whatever the instant at which the second bearer comes: names are complete, no loss. */
static void
second_bearer_comes_and_goes_while_names_are_exchanged(void)
{
	for (uint32_t delay = 0; delay < 40; delay++) {
		struct dpt_port port;

		cu_context("delay %u", delay);
		net_init(&net, 2, 1 + delay % 2, false);
		for (uint32_t i = 0; i < 2; i++) {
			port = net_socket(&net, i, 0, DPT_SOCK_RDM);
			for (uint32_t b = 0; b < 60; b++)
				CU_EQ_I64(net_bind(&net, i, port, 2000 + b, i, i), 0);
			net_bearer_up_id(&net, i, 0);
			net_bearer_up_id(&net, i, 1);
		}
		/* Contact comes at about 1125 ms. */
		net_run(&net, 1100 * DPT_NS_PER_MS + delay * 70 * DPT_NS_PER_MS / 10);
		net_bearer_down_id(&net, delay / 2 % 2, (uint8_t)(delay % 2));
		net_run(&net, 2 * DPT_NS_PER_S);
		CU_TRUE(net_form(&net));
		for (uint32_t i = 0; i < 2; i++) {
			CU_EQ_U64(net_names_cnt(&net, i, 0, 2000), 2);
			CU_EQ_U64(net_names_cnt(&net, i, 0, 2059), 2);
			/* The bulk has been acknowledged: an update goes out at once. */
			port = net_socket(&net, i, 0, DPT_SOCK_RDM);
			CU_EQ_I64(net_bind(&net, i, port, 3000, i, i), 0);
		}
		net_run(&net, 10 * DPT_NS_PER_MS);
		CU_EQ_U64(net_names_cnt(&net, 0, 0, 3000), 2);
		CU_EQ_U64(net_names_cnt(&net, 1, 0, 3000), 2);
		net_fini(&net);
	}
}

static const struct cu_test tests[] = {
	CU_TEST(each_link_is_published),
	CU_TEST(names_and_messages_survive_a_cut_cable),
	CU_TEST(bearer_down_with_two_is_no_loss_of_contact),
	CU_TEST(third_bearer_carries_no_link),
	CU_TEST(hazard_03_12_priority_0_and_other_values_out_of_range),
	CU_TEST(properties_change_live_at_all_shards),
	CU_TEST(second_bearer_comes_and_goes_while_names_are_exchanged),
};

const struct cu_suite dual_suite = {"stack_dual", tests, CU_CNT(tests)};
