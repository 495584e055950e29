/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Whole nodes, one to three shards each, on a wire without faults.
 *
 *     node 0 ---+--- node 1        each with shards 0 .. n - 1; frames arrive at
 *               +--- node 2        any shard in turn
 */

#include <errno.h>
#include <string.h>

#include "cu.h"
#include "dpt_msg.h"
#include "stack_net.h"
#include "test_pool.h"

static struct net net;

/* A formed cluster. */
static void
formed(uint32_t nodes, uint32_t shards)
{
	net_init(&net, nodes, shards, false);
	for (uint32_t i = 0; i < nodes; i++)
		net_bearer_up(&net, i);
	CU_TRUE_FATAL(net_form(&net));
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

static void
cluster_forms_after_address_trial(void)
{
	for (uint32_t shards = 1; shards <= NET_SHARDS_MAX; shards++) {
		cu_context("shards %u", shards);
		formed(3, shards);
		/* Trial of 1 s, request, link: about 2 s. Src: 02-discovery.md, 8. */
		CU_TRUE(net.now_ns - 7 * DPT_NS_PER_S < 3 * DPT_NS_PER_S);
		for (uint32_t i = 0; i < 3; i++) {
			CU_EQ_U64(net.nodes[i].events[DPT_EVENT_NODE_UP], 2);
			CU_EQ_U64(net.nodes[i].events[DPT_EVENT_NODE_DOWN], 0);
			for (uint32_t s = 0; s < shards; s++)
				CU_EQ_U64(net_names_cnt(&net, i, s, 0), 3);
		}
		net_fini(&net);
	}
}

static void
configured_address_needs_no_trial(void)
{
	net_init(&net, 2, 1, true);
	net_bearer_up(&net, 0);
	net_bearer_up(&net, 1);
	CU_EQ_U64(net_addr(&net, 0).value, 0x01001001);
	CU_TRUE(net_form(&net));
	CU_TRUE(net.now_ns - 7 * DPT_NS_PER_S < DPT_NS_PER_S);
	net_fini(&net);
}

static void
binding_is_seen_by_all_shards_and_nodes(void)
{
	formed(3, 2);
	struct dpt_port port = net_socket(&net, 1, 1, DPT_SOCK_RDM);

	CU_EQ_I64(net_bind(&net, 1, port, 1000, 5, 9), 0);
	/* Own node: at once. */
	CU_EQ_U64(net_names_cnt(&net, 1, 0, 1000), 1);
	CU_EQ_U64(net_names_cnt(&net, 1, 1, 1000), 1);
	net_run(&net, 10 * DPT_NS_PER_MS);
	for (uint32_t s = 0; s < 2; s++) {
		CU_EQ_U64(net_names_cnt(&net, 0, s, 1000), 1);
		CU_EQ_U64(net_names_cnt(&net, 2, s, 1000), 1);
	}
	net_close(&net, 1, port);
	CU_EQ_U64(net_names_cnt(&net, 1, 0, 1000), 0);
	net_run(&net, 10 * DPT_NS_PER_MS);
	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t s = 0; s < 2; s++)
			CU_EQ_U64(net_names_cnt(&net, i, s, 1000), 0);
	net_fini(&net);
}

static void
binding_made_before_contact_is_in_the_bulk(void)
{
	net_init(&net, 2, 1, false);
	struct dpt_port port = net_socket(&net, 0, 0, DPT_SOCK_RDM);

	CU_EQ_I64(net_bind(&net, 0, port, 2000, 1, 1), 0);
	net_bearer_up(&net, 0);
	net_bearer_up(&net, 1);
	CU_TRUE(net_form(&net));
	CU_EQ_U64(net_names_cnt(&net, 1, 0, 2000), 1);
	net_fini(&net);
}

static void
messages_by_service_and_socket_address(void)
{
	for (uint32_t shards = 1; shards <= 2; shards++) {
		cu_context("shards %u", shards);
		formed(2, shards);
		struct dpt_port server = net_socket(&net, 0, shards - 1, DPT_SOCK_RDM);
		struct dpt_port client = net_socket(&net, 1, 0, DPT_SOCK_RDM);
		struct dpt_port local = net_socket(&net, 0, 0, DPT_SOCK_RDM);
		struct dpt_dest service = net_service(18888, 17);
		struct dpt_dest back;

		CU_EQ_I64(net_send(&net, 1, client, &service, "early", true), -EHOSTUNREACH);
		CU_EQ_I64(net_bind(&net, 0, server, 18888, 10, 20), 0);
		CU_EQ_I64(net_send(&net, 0, local, &service, "from here", true), 0);
		expect_msg(0, server, "from here", 0);
		net_run(&net, 10 * DPT_NS_PER_MS);
		CU_EQ_I64(net_send(&net, 1, client, &service, "from there", true), 0);
		net_run(&net, DPT_NS_PER_MS);
		expect_msg(0, server, "from there", 0);
		back = net_sockaddr(&net, 1, client);
		CU_EQ_I64(net_send(&net, 0, server, &back, "answer", true), 0);
		net_run(&net, DPT_NS_PER_MS);
		expect_msg(1, client, "answer", 0);
		net_fini(&net);
	}
}

static void
message_to_a_closed_port_comes_back_if_asked_for(void)
{
	formed(2, 2);
	struct dpt_port gone = net_socket(&net, 0, 1, DPT_SOCK_RDM);
	struct dpt_port client = net_socket(&net, 1, 1, DPT_SOCK_RDM);
	struct dpt_dest dest = net_sockaddr(&net, 0, gone);
	struct net_msg msg;

	net_close(&net, 0, gone);
	CU_EQ_I64(net_send(&net, 1, client, &dest, "return me", false), 0);
	CU_EQ_I64(net_send(&net, 1, client, &dest, "drop me", true), 0);
	net_run(&net, 10 * DPT_NS_PER_MS);
	expect_msg(1, client, "return me", DPT_ERR_NO_PORT);
	CU_FALSE(net_recv(&net, 1, client, &msg));
	net_fini(&net);
}

static void
multicast_reaches_each_bound_socket_once(void)
{
	formed(3, 2);
	struct dpt_port sender = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	struct dpt_port receivers[3][2];
	struct dpt_dest range = net_range(3000, 0, 100);
	struct net_msg msg;

	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t s = 0; s < 2; s++) {
			receivers[i][s] = net_socket(&net, i, s, DPT_SOCK_RDM);
			CU_EQ_I64(net_bind(&net, i, receivers[i][s], 3000, 5, 5), 0);
			CU_EQ_I64(net_bind(&net, i, receivers[i][s], 3000, 7, 70), 0);
		}
	net_run(&net, 10 * DPT_NS_PER_MS);
	CU_EQ_I64(net_send(&net, 0, sender, &range, "to all", true), 0);
	net_run(&net, 10 * DPT_NS_PER_MS);
	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t s = 0; s < 2; s++) {
			cu_context("node %u shard %u", i, s);
			expect_msg(i, receivers[i][s], "to all", 0);
			CU_FALSE(net_recv(&net, i, receivers[i][s], &msg));
		}
	net_fini(&net);
}

/* Names of the lost node vanish within 2 tolerances, and sending to it fails at once. */
static void
lost_node_is_purged_and_told(void)
{
	formed(2, 2);
	struct dpt_port server = net_socket(&net, 0, 1, DPT_SOCK_RDM);
	struct dpt_port client = net_socket(&net, 1, 0, DPT_SOCK_RDM);
	struct dpt_dest service = net_service(18888, 1);
	struct dpt_dest direct = net_sockaddr(&net, 0, server);

	CU_EQ_I64(net_bind(&net, 0, server, 18888, 1, 1), 0);
	net_run(&net, 10 * DPT_NS_PER_MS);
	net.nodes[0].is_connected = false;
	net_run(&net, 3 * DPT_NS_PER_S);
	CU_EQ_U64(net.nodes[1].events[DPT_EVENT_NODE_DOWN], 1);
	for (uint32_t s = 0; s < 2; s++) {
		CU_EQ_U64(net_names_cnt(&net, 1, s, 18888), 0);
		CU_EQ_U64(net_names_cnt(&net, 1, s, 0), 1);
		CU_EQ_U64(net_names_cnt(&net, 1, s, 2), 0);
	}
	CU_EQ_I64(net_send(&net, 1, client, &service, "lost", true), -EHOSTUNREACH);
	CU_EQ_I64(net_send(&net, 1, client, &direct, "lost", true), -EHOSTUNREACH);

	net.nodes[0].is_connected = true;
	CU_TRUE(net_form(&net));
	net_run(&net, 10 * DPT_NS_PER_MS);
	CU_EQ_U64(net_names_cnt(&net, 1, 1, 18888), 1);
	CU_EQ_I64(net_send(&net, 1, client, &service, "again", true), 0);
	net_run(&net, 10 * DPT_NS_PER_MS);
	expect_msg(0, server, "again", 0);
	net_fini(&net);
}

static void
bearer_down_tells_the_peer_at_once(void)
{
	formed(2, 1);
	net_bearer_down(&net, 0);
	net_run(&net, 10 * DPT_NS_PER_MS);
	CU_EQ_U64(net.nodes[1].events[DPT_EVENT_NODE_DOWN], 1);
	CU_EQ_U64(net_names_cnt(&net, 1, 0, 0), 1);
	net_bearer_up(&net, 0);
	CU_TRUE(net_form(&net));
	net_fini(&net);
}

static void
route_gen_grows_before_a_send_can_fail(void)
{
	formed(2, 1);
	struct dpt_port server = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	uint32_t before = dpt_stack_route_gen(net_stack(&net, 0, 0));

	CU_EQ_I64(net_bind(&net, 0, server, 500, 1, 1), 0);
	CU_TRUE(dpt_stack_route_gen(net_stack(&net, 0, 0)) != before);
	net_run(&net, 10 * DPT_NS_PER_MS);
	before = dpt_stack_route_gen(net_stack(&net, 1, 0));
	net_close(&net, 0, server);
	net_run(&net, 10 * DPT_NS_PER_MS);
	CU_TRUE(dpt_stack_route_gen(net_stack(&net, 1, 0)) != before);
	net_fini(&net);
}

static uint64_t
counter(uint32_t node, const char *name)
{
	struct dpt_counter_value value;

	for (uint32_t i = 0; dpt_stack_counter(net_stack(&net, node, 0), i, &value); i++)
		if (strcmp(value.library, "stack") == 0 && strcmp(value.desc->name, name) == 0)
			return value.value;
	CU_TRUE_FATAL(!"counter exists");
	return 0;
}

static void
inject(const uint8_t *frame, uint32_t len)
{
	struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), len);
	struct dpt_out out;

	CU_NOT_NULL_FATAL(m);
	dpt_buf_write(m, 0, frame, len);
	dpt_out_init(&out);
	dpt_stack_rx_burst(net_stack(&net, 0, 0), 0, &m, 1, net.now_ns, &out);
	CU_EQ_U64(out.tx.cnt, 0);
	CU_EQ_U64(out.events_cnt, 0);
	dpt_bufq_free(&out.tx);
}

/* 01-wire-format.md, 15 and 17: each refused frame moves exactly its counter. */
static void
refused_frames_are_counted_by_reason(void)
{
	static const struct {
		const char *counter;
		uint32_t word;
		uint32_t value;
	} cases[] = {
		{"drop_version", 0, 0x60e8002c},      /* version 3 */
		{"drop_version", 0, 0xe0e8002c},      /* version 7: encrypted */
		{"drop_user", 0, 0x5ec8002c},	      /* user 15 */
		{"drop_user", 0, 0x48c8002c},	      /* user 4 */
		{"drop_short", 0, 0x4f410000},	      /* size beyond the frame */
		{"drop_hdr_size", 0, 0x4ec0002c},     /* LINK_PROTOCOL with 24 octets */
		{"drop_node", 3, 0},		      /* no previous node */
		{"drop_user", 0, 0x4f58002c},	      /* LINK_PROTOCOL with non_seq */
		{"drop_not_ours", 7, 0x0badcafe},     /* another destination */
		{"drop_unknown_node", 3, 0x0badcafe}, /* nobody that discovery knows */
	};
	uint8_t frame[60];

	formed(2, 1);
	for (size_t i = 0; i < CU_CNT(cases); i++) {
		uint64_t before = counter(0, cases[i].counter);

		cu_context("case %zu", i);
		memset(frame, 0, sizeof(frame));
		/* A STATE message from node 1, padded as a short Ethernet frame is. */
		dpt_msg_init(frame, DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, 40, net_addr(&net, 1),
			     net_addr(&net, 0));
		dpt_msg_set_size(frame, 44);
		dpt_msg_set_word(frame, cases[i].word, cases[i].value);
		if (cases[i].word == 3)
			dpt_msg_set_orignode(frame, cases[i].value);
		inject(frame, sizeof(frame));
		CU_EQ_U64(counter(0, cases[i].counter), before + 1);
	}
	net_fini(&net);
}

/* In sequence, from a peer with contact, but in somebody else's name. */
static void
hazard_01_17_origin_is_the_peer(void)
{
	uint8_t frame[60] = {0};
	struct dpt_link_info info;
	struct dpt_port port;
	struct net_msg msg;

	formed(2, 1);
	port = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	for (int is_forged = 1; is_forged >= 0; is_forged--) {
		CU_EQ_I64_FATAL(
			dpt_node_link_info(dpt_stack_node(net_stack(&net, 0, 0), 0), 0, &info), 0);
		dpt_msg_init(frame, DPT_USER_LOW, DPT_TYPE_DIRECT, DPT_HDR_BASIC, net_addr(&net, 1),
			     net_addr(&net, 0));
		if (is_forged)
			dpt_msg_set_orignode(frame, 0x0badcafe);
		dpt_msg_set_seqno(frame, (uint32_t)info.counters.recv_pkts + 1);
		dpt_msg_set_size(frame, DPT_HDR_BASIC + 4);
		dpt_msg_set_destport(frame, port.ref);
		inject(frame, sizeof(frame));
		CU_EQ_U64(counter(0, "drop_origin"), 1);
		/* The same in its own name arrives: the number was the right one. */
		CU_TRUE(net_recv(&net, 0, port, &msg) == !is_forged);
	}
	net_fini(&net);
}

/* 03-link-node.md, hazard 26: a node is not its own peer, nor is nobody. */
static void
hazard_03_26_own_address_or_none_as_previous_node(void)
{
	uint8_t frame[60] = {0};

	formed(2, 1);
	for (uint32_t i = 0; i < 2; i++) {
		dpt_msg_init(frame, DPT_USER_LINK_PROTOCOL, DPT_TYPE_RESET, 40,
			     i == 0 ? net_addr(&net, 0) : dpt_node_addr(0), net_addr(&net, 0));
		dpt_msg_set_size(frame, 56);
		inject(frame, sizeof(frame));
		CU_EQ_U64(counter(0, "drop_node"), i + 1);
	}
	CU_TRUE(dpt_stack_node(net_stack(&net, 0, 0), 1) == NULL);
	net_fini(&net);
}

static void
frame_on_a_bearer_that_is_down_is_dropped(void)
{
	uint8_t frame[60] = {0};

	net_init(&net, 1, 1, true);
	net_run(&net, 1); /* the own address has been told */
	dpt_msg_init(frame, DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, 40, dpt_node_addr(5),
		     dpt_node_addr(6));
	dpt_msg_set_size(frame, 44);
	inject(frame, sizeof(frame));
	CU_EQ_U64(counter(0, "drop_bearer_down"), 1);
	net_fini(&net);
}

static void
configuration_out_of_range_is_named(void)
{
	struct dpt_rng rng;
	struct dpt_stack_cfg good = {
		.env = {.rng = &rng, .pool = test_pool()},
		.shards_cnt = 1,
		.nodes_max = 1,
		.sockets_max = 1,
		.bindings_max = 16,
		.link_ring_pkts = 64,
	};
	static uint8_t mem[64];
	const char *what = NULL;
	struct dpt_stack_cfg bad = good;

	bad.link_ring_pkts = 100;
	CU_EQ_I64(dpt_stack_init((struct dpt_stack *)(void *)mem, &bad, 0, &what), -EINVAL);
	CU_EQ_STR(what, "link_ring_pkts");
	bad = good;
	bad.shard = 1;
	CU_EQ_I64(dpt_stack_init((struct dpt_stack *)(void *)mem, &bad, 0, &what), -EINVAL);
	CU_EQ_STR(what, "shard");
	bad = good;
	bad.nodes_max = 0;
	CU_EQ_I64(dpt_stack_init((struct dpt_stack *)(void *)mem, &bad, 0, &what), -EINVAL);
	CU_EQ_STR(what, "nodes_max");
}

static const struct cu_test tests[] = {
	CU_TEST(cluster_forms_after_address_trial),
	CU_TEST(configured_address_needs_no_trial),
	CU_TEST(binding_is_seen_by_all_shards_and_nodes),
	CU_TEST(binding_made_before_contact_is_in_the_bulk),
	CU_TEST(messages_by_service_and_socket_address),
	CU_TEST(message_to_a_closed_port_comes_back_if_asked_for),
	CU_TEST(multicast_reaches_each_bound_socket_once),
	CU_TEST(lost_node_is_purged_and_told),
	CU_TEST(bearer_down_tells_the_peer_at_once),
	CU_TEST(route_gen_grows_before_a_send_can_fail),
	CU_TEST(refused_frames_are_counted_by_reason),
	CU_TEST(hazard_01_17_origin_is_the_peer),
	CU_TEST(hazard_03_26_own_address_or_none_as_previous_node),
	CU_TEST(frame_on_a_bearer_that_is_down_is_dropped),
	CU_TEST(configuration_out_of_range_is_named),
};

extern const struct cu_suite dual_suite;

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {{"stack", tests, CU_CNT(tests)}, dual_suite};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
