/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What an administrator sees and changes while a node runs: who it is, which peers it knows, the
 * domain of a bearer. 13-netlink.md, 5.15, 5.20; 02-discovery.md, 1, 4.4.
 */

#include <errno.h>
#include <string.h>

#include "cu.h"
#include "stack_net.h"
#include "stack_priv.h"

#define ADDR dpt_node_addr(0x01001001)

static struct net net;

static void
nameless(uint32_t nodes_cnt, uint32_t shards_cnt)
{
	net_is_nameless = true;
	net_init(&net, nodes_cnt, shards_cnt, false);
	net_is_nameless = false;
}

static void
formed(uint32_t nodes_cnt, uint32_t shards_cnt)
{
	net_init(&net, nodes_cnt, shards_cnt, true);
	for (uint32_t i = 0; i < nodes_cnt; i++)
		net_bearer_up(&net, i);
	CU_TRUE_FATAL(net_form(&net));
}

/* The binding of that type in a shard's table; fatal unless there is one. */
static struct dpt_binding
the_binding(uint32_t node, uint32_t shard, uint32_t type)
{
	struct dpt_binding all[16], found = {0};
	uint32_t cursor = 0, cnt, hits = 0;

	cnt = dpt_names_dump(dpt_stack_names(net_stack(&net, node, shard)), &cursor, all, 16);
	for (uint32_t i = 0; i < cnt; i++) {
		if (all[i].range.type == type) {
			found = all[i];
			hits++;
		}
	}
	CU_EQ_U64_FATAL(hits, 1);
	CU_EQ_U64(found.range.lower, found.range.upper);
	return found;
}

/* Src: 02-discovery.md, 1.5: it does not wait for a bearer. */
static void
configured_address_counts_without_a_bearer(void)
{
	for (uint32_t shards_cnt = 1; shards_cnt <= 3; shards_cnt++) {
		net_init(&net, 1, shards_cnt, true);
		for (uint32_t s = 0; s < shards_cnt; s++) {
			CU_EQ_U64(dpt_stack_own(net_stack(&net, 0, s)).value, ADDR.value);
			CU_TRUE(dpt_stack_is_legacy(net_stack(&net, 0, s)));
		}
		net_run(&net, 1);
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_ADDR_FINAL], 1);
		for (uint32_t s = 0; s < shards_cnt; s++)
			CU_EQ_U64(net_names_cnt(&net, 0, s, 0), 1);
		/* And the bearer does not say it again. */
		net_bearer_up(&net, 0);
		net_run(&net, 2 * DPT_NS_PER_S);
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_ADDR_FINAL], 1);
		net_fini(&net);
	}
}

/* Src: 13-netlink.md, 5.16: scope, port and key of each. */
static void
standing_names_are_those_of_the_kernel(void)
{
	struct dpt_binding b;
	struct dpt_link_info info;

	nameless(1, 1);
	b = the_binding(0, 0, 1);
	CU_EQ_U64(b.range.lower, 1);
	CU_EQ_U64(b.scope, DPT_SCOPE_NODE);
	CU_EQ_U64(b.key, b.port.ref + 1);
	CU_EQ_U64(b.node.value, 0);
	CU_EQ_U64(net_names_cnt(&net, 0, 0, 0), 0);
	net_fini(&net);

	formed(2, 1);
	b = the_binding(0, 0, 1);
	CU_EQ_U64(b.node.value, net_addr(&net, 0).value);
	b = the_binding(0, 0, 2);
	CU_EQ_U64(b.range.lower, net_addr(&net, 1).value);
	CU_EQ_U64(b.scope, DPT_SCOPE_NODE);
	CU_EQ_U64(b.port.ref, 0); /* own bearer 0, the peer's 0 */
	CU_EQ_I64(dpt_node_link_info(dpt_stack_node(net_stack(&net, 0, 0), 0), 0, &info), 0);
	CU_EQ_STR(info.name, "1001001:eth0-1001002:eth0");
	CU_EQ_U64(net_names_cnt(&net, 0, 0, 0), 2);
	net_fini(&net);
}

static void
address_is_set_at_once_and_once(void)
{
	struct dpt_stack_net set = {.addr = ADDR, .net_id = 99};
	struct dpt_stack_net id = {0};

	for (uint32_t shards_cnt = 1; shards_cnt <= 3; shards_cnt++) {
		nameless(1, shards_cnt);
		CU_EQ_U64(dpt_stack_own(net_stack(&net, 0, 0)).value, 0);
		CU_EQ_I64(net_set(&net, 0, &(struct dpt_stack_net){.net_id = 10000}), -EINVAL);
		CU_EQ_U64(dpt_stack_net_id(net_stack(&net, 0, 0)), 4711);
		CU_EQ_I64(net_set(&net, 0, &(struct dpt_stack_net){0}), 0);
		CU_EQ_I64(net_set(&net, 0, &set), 0);
		for (uint32_t s = 0; s < shards_cnt; s++) {
			struct dpt_stack *stack = net_stack(&net, 0, s);

			CU_EQ_U64(dpt_stack_own(stack).value, ADDR.value);
			CU_EQ_MEM(dpt_stack_id(stack)->bytes, "1001001\0\0\0\0\0\0\0\0\0", 16);
			CU_TRUE(dpt_stack_is_legacy(stack));
			CU_EQ_U64(dpt_stack_net_id(stack), 99);
			CU_EQ_U64(net_names_cnt(&net, 0, s, 0), 1);
		}
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_ADDR_FINAL], 1);
		/* Whatever is asked from now on. */
		CU_EQ_I64(dpt_node_id_parse(&id.id, "late"), 0);
		CU_EQ_I64(net_set(&net, 0, &id), -EPERM);
		CU_EQ_I64(net_set(&net, 0, &(struct dpt_stack_net){.net_id = 5}), -EPERM);
		CU_EQ_I64(net_set(&net, 0, &(struct dpt_stack_net){0}), -EPERM);
		CU_EQ_U64(dpt_stack_net_id(net_stack(&net, 0, 0)), 99);
		net_fini(&net);
	}
}

static void
identity_is_set_once_and_the_address_follows_by_trial(void)
{
	struct dpt_stack_net first = {0}, second = {.addr = ADDR, .net_id = 1234};

	nameless(1, 2);
	CU_EQ_I64(dpt_node_id_parse(&first.id, "node7"), 0);
	CU_EQ_I64(dpt_node_id_parse(&second.id, "node8"), 0);
	CU_EQ_I64(net_set(&net, 0, &first), 0);
	CU_EQ_I64(net_set(&net, 0, &second), 0);
	for (uint32_t s = 0; s < 2; s++) {
		CU_TRUE(dpt_node_id_eq(dpt_stack_id(net_stack(&net, 0, s)), &first.id));
		CU_FALSE(dpt_stack_is_legacy(net_stack(&net, 0, s)));
		CU_EQ_U64(dpt_stack_net_id(net_stack(&net, 0, s)), 1234);
	}
	CU_EQ_U64(net_addr(&net, 0).value, 0);
	net_bearer_up(&net, 0);
	net_run(&net, 500 * DPT_NS_PER_MS);
	/* In the trial: ignored as before. */
	CU_EQ_I64(net_set(&net, 0, &second), 0);
	CU_EQ_U64(net_addr(&net, 0).value, 0);
	net_run(&net, 2 * DPT_NS_PER_S);
	CU_EQ_U64(net_addr(&net, 0).value, 0x596f6465);
	CU_EQ_I64(net_set(&net, 0, &first), -EPERM);
	net_fini(&net);
}

static void
nodes_meet_when_their_network_ids_are_the_same(void)
{
	const struct dpt_stack_net other = {.net_id = 99};

	net_init(&net, 2, 2, false);
	CU_EQ_I64(net_set(&net, 1, &other), 0);
	net_bearer_up(&net, 0);
	net_bearer_up(&net, 1);
	net_run(&net, 3 * DPT_NS_PER_S);
	CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_UP], 0);
	CU_TRUE(net.nodes[0].events[DPT_EVENT_REFUSED] > 0);
	net_fini(&net);

	/* In the middle of the trial: it begins anew, among the right nodes. */
	net_init(&net, 2, 2, false);
	CU_EQ_I64(net_set(&net, 1, &other), 0);
	net_bearer_up(&net, 0);
	net_bearer_up(&net, 1);
	net_run(&net, 700 * DPT_NS_PER_MS);
	CU_EQ_I64(net_set(&net, 1, &(struct dpt_stack_net){.net_id = 4711}), 0);
	net_run(&net, 600 * DPT_NS_PER_MS);
	CU_EQ_U64(net_addr(&net, 1).value, 0);
	CU_TRUE(net_form(&net));
	net_fini(&net);
}

/* Src: 04-name-table.md, 5.1; 11-management.md, C6. */
static void
lookup_is_closest_first_once_the_address_is_set(void)
{
	struct dpt_port here[2], sender;
	struct dpt_dest service = net_service(3000, 1);
	struct net_msg msg;

	nameless(2, 2);
	for (uint32_t i = 0; i < 2; i++) {
		CU_EQ_I64(net_set(&net, i,
				  &(struct dpt_stack_net){.addr = dpt_node_addr(ADDR.value + i)}),
			  0);
		net_bearer_up(&net, i);
	}
	CU_TRUE_FATAL(net_form(&net));
	for (uint32_t i = 0; i < 2; i++) {
		here[i] = net_socket(&net, i, 1, DPT_SOCK_RDM);
		CU_EQ_I64(net_bind(&net, i, here[i], 3000, 1, 1), 0);
	}
	net_run(&net, 10 * DPT_NS_PER_MS);
	for (uint32_t s = 0; s < 2; s++) {
		sender = net_socket(&net, 0, s, DPT_SOCK_RDM);
		for (uint32_t i = 0; i < 4; i++)
			CU_EQ_I64(net_send(&net, 0, sender, &service, "near", true), 0);
	}
	net_run(&net, 10 * DPT_NS_PER_MS);
	for (uint32_t i = 0; i < 8; i++)
		CU_TRUE(net_recv(&net, 0, here[0], &msg));
	CU_FALSE(net_recv(&net, 1, here[1], &msg));
	net_fini(&net);
}

/* Src: 02-discovery.md, 4.4 step 7. */
static void
domain_of_a_bearer_is_sent_and_honoured(void)
{
	const struct dpt_stack_counters_all *all;

	net_init(&net, 3, 2, true);
	net_domain = dpt_node_addr(0x01001002);
	net_bearer_up(&net, 0);
	net_domain = dpt_node_addr(0x01001000);
	net_bearer_up(&net, 1);
	net_domain = dpt_node_addr(0);
	net_bearer_up(&net, 2);
	net_run(&net, 5 * DPT_NS_PER_S);
	/* 1.1.1 wants 1.1.2 only; 1.1.2 anybody in the cluster. */
	CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_UP], 1);
	CU_EQ_U64(net.nodes[1].events[DPT_EVENT_NODE_UP], 2);
	CU_EQ_U64(net.nodes[2].events[DPT_EVENT_NODE_UP], 1);
	all = dpt_stack_counters(net_stack(&net, 0, 0));
	CU_TRUE(all->discovery.drop_domain > 0);
	/* Enabled again with another one. */
	net_bearer_down(&net, 0);
	net_bearer_up(&net, 0);
	CU_TRUE(net_form(&net));
	net_fini(&net);
}

/* Src: 11-management.md, C1: priority and window of a bearer are for links made later. */
static void
bearer_properties_are_for_links_made_later(void)
{
	const struct dpt_link_props props = {.priority = 20, .window_max = 100};
	struct dpt_link_info info;
	struct dpt_out out;

	formed(2, 1);
	dpt_out_init(&out);
	CU_EQ_I64(dpt_stack_bearer_props_set(net_stack(&net, 0, 0), 1, &props, net.now_ns, &out),
		  -ENOENT);
	CU_EQ_I64(dpt_stack_bearer_props_set(net_stack(&net, 0, 0), 0, &props, net.now_ns, &out),
		  0);
	CU_EQ_U64(out.tx.cnt, 0);
	CU_EQ_I64(dpt_node_link_info(dpt_stack_node(net_stack(&net, 0, 0), 0), 0, &info), 0);
	CU_EQ_U64(info.priority, 10);
	net_fini(&net);
	/* Set before there is a link. */
	net_init(&net, 2, 1, true);
	net_bearer_up(&net, 0);
	CU_EQ_I64(dpt_stack_bearer_props_set(net_stack(&net, 0, 0), 0, &props, net.now_ns, &out),
		  0);
	net_bearer_up(&net, 1);
	CU_TRUE(net_form(&net));
	CU_EQ_I64(dpt_node_link_info(dpt_stack_node(net_stack(&net, 0, 0), 0), 0, &info), 0);
	CU_EQ_U64(info.priority, 20);
	net_fini(&net);
}

/* ---- peers ---- */

static uint32_t
nodes_cnt(uint32_t node)
{
	uint32_t cnt = 0;

	for (uint32_t s = 0; s < net.shards_cnt; s++)
		for (uint32_t i = 0; dpt_stack_node(net_stack(&net, node, s), i) != NULL; i++)
			cnt++;
	return cnt;
}

static void
hazard_11_4_peer_without_address_is_refused(void)
{
	formed(2, 1);
	CU_EQ_I64(net_peer_remove(&net, 0, dpt_node_addr(0)), -EINVAL);
	net_fini(&net);
	nameless(1, 1);
	CU_EQ_I64(net_peer_remove(&net, 0, dpt_node_addr(0)), -EINVAL);
	net_fini(&net);
}

/* Src: 13-netlink.md, 5.20. */
static void
peer_is_removed_when_it_is_down(void)
{
	struct dpt_node_addr peer;
	struct dpt_node_id id;
	char text[128];

	for (uint32_t shards_cnt = 1; shards_cnt <= 3; shards_cnt++) {
		formed(3, shards_cnt);
		peer = net_addr(&net, 1);
		CU_EQ_I64(net_peer_remove(&net, 0, net_addr(&net, 0)), -524);
		CU_EQ_I64(net_peer_remove(&net, 0, dpt_node_addr(77)), -ENXIO);
		CU_EQ_I64(net_peer_remove(&net, 0, peer), -EBUSY);
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_DOWN], 0);

		net.nodes[1].is_connected = false;
		net_run(&net, 4 * DPT_NS_PER_S);
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_DOWN], 1);
		CU_EQ_U64(nodes_cnt(0), 2);
		CU_EQ_I64(net_peer_remove(&net, 0, peer), 0);
		CU_EQ_U64(nodes_cnt(0), 1);
		CU_EQ_I64(net_peer_remove(&net, 0, peer), -ENXIO);
		dpt_discovery_print(dpt_stack_discovery(net_stack(&net, 0, 0)), text, sizeof(text));
		CU_NOT_NULL(strstr(text, "peers 1/8"));
		for (uint32_t s = 0; s < shards_cnt; s++)
			CU_EQ_I64(dpt_stack_node_id(net_stack(&net, 0, s), peer, &id),
				  -EADDRNOTAVAIL);

		/* It is found again like a new one, and nothing of the old one is in its way. */
		net.nodes[1].is_connected = true;
		net_run(&net, 130 * DPT_NS_PER_S);
		CU_TRUE(net_form(&net));
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_UP], 3);
		net_fini(&net);
	}
}

/* What discovery has said, among the messages that the shard has not taken yet. */
static bool
is_event_waiting(uint32_t node, uint32_t shard)
{
	struct rte_mbuf *m = net.nodes[node].shards[shard].inbox.head;

	while (m != NULL && dpt_buf(m)->msg_type != STACK_MSG_EVENT)
		m = dpt_bufq_next(m);
	return m != NULL;
}

/*
 * What discovery said before shard 0 heard of the removal must not bring the record back: shard 0
 * forgets the peer afterwards, and would never open the contact.
 *
 *   shard 0  --LINK_SETUP--> | on its way |           NODE_GONE arrives: forgotten
 *   shard A                  | removed, NODE_GONE --> | LINK_SETUP arrives: not taken
 */
static void
removal_crosses_a_new_link_on_its_way_between_shards(void)
{
	uint32_t peer;
	uint8_t shard = 0;

	formed(4, 3);
	for (peer = 1; peer < 4; peer++) {
		shard = dpt_stack_shard_of(net_stack(&net, 0, 0), net_addr(&net, peer));
		if (shard != 0)
			break;
	}
	CU_TRUE_FATAL(shard != 0);
	net.nodes[peer].is_connected = false;
	/* The bearer anew: whatever discovery hears of the peer is a new link. */
	net_bearer_down(&net, 0);
	net_bearer_up(&net, 0);
	net_run(&net, 4 * DPT_NS_PER_S);
	CU_EQ_U64(nodes_cnt(0), 3);
	net_is_held = true;
	net.nodes[peer].is_connected = true;
	for (uint32_t i = 0; i < 130000 && !is_event_waiting(0, shard); i++)
		net_run(&net, DPT_NS_PER_MS);
	CU_TRUE_FATAL(is_event_waiting(0, shard));
	CU_EQ_I64(net_peer_remove(&net, 0, net_addr(&net, peer)), 0);
	CU_EQ_U64(nodes_cnt(0), 2);
	net_is_held = false;
	net_run(&net, 130 * DPT_NS_PER_S);
	CU_TRUE(net_form(&net));
	net_fini(&net);
}

/*
 * Bearers go and come, peers are removed, properties change, in no order, while messages are on
 * the wire and between shards: in the end all is as if nothing had been.
 */
static void
hazard_11_10_commands_while_frames_are_in_flight(void)
{
	const struct dpt_link_props props = {.tolerance_ms = 800, .window_max = 100};
	struct dpt_port to, from;
	struct dpt_dest dest;
	struct dpt_rng rng;
	struct net_msg msg;
	bool is_up = true;

	dpt_rng_seed(&rng, cu_seed());
	formed(2, 3);
	to = net_socket(&net, 1, 1, DPT_SOCK_RDM);
	from = net_socket(&net, 0, 2, DPT_SOCK_RDM);
	dest = net_sockaddr(&net, 1, to);
	net_is_slow = true;
	for (uint32_t i = 0; i < 400; i++) {
		(void)net_send(&net, 0, from, &dest, "in flight", true);
		switch (dpt_rng_below(&rng, 5)) {
		case 0:
			if (is_up)
				net_bearer_down(&net, 0);
			else
				net_bearer_up(&net, 0);
			is_up = !is_up;
			break;
		case 1:
			(void)net_peer_remove(&net, 0, net_addr(&net, 1));
			break;
		case 2:
			(void)net_peer_remove(&net, 1, net_addr(&net, 0));
			break;
		case 3:
			(void)dpt_stack_link_stats_reset(net_stack(&net, 0, i % 3),
							 net_addr(&net, 1), 0);
			break;
		default:
			(void)net_props_set(&net, 0, 0, dpt_node_addr(0), &props);
			break;
		}
		net_run(&net, dpt_rng_below(&rng, 100) * DPT_NS_PER_MS);
	}
	net_is_slow = false;
	if (!is_up)
		net_bearer_up(&net, 0);
	net_run(&net, 130 * DPT_NS_PER_S);
	CU_TRUE(net_form(&net));
	while (net_recv(&net, 1, to, &msg))
		CU_EQ_STR(msg.text, "in flight");
	CU_EQ_I64(net_send(&net, 0, from, &dest, "after all", true), 0);
	net_run(&net, DPT_NS_PER_S);
	CU_TRUE(net_recv(&net, 1, to, &msg));
	CU_EQ_STR(msg.text, "after all");
	net_fini(&net);
}

static const struct cu_test tests[] = {
	CU_TEST(configured_address_counts_without_a_bearer),
	CU_TEST(standing_names_are_those_of_the_kernel),
	CU_TEST(address_is_set_at_once_and_once),
	CU_TEST(identity_is_set_once_and_the_address_follows_by_trial),
	CU_TEST(nodes_meet_when_their_network_ids_are_the_same),
	CU_TEST(lookup_is_closest_first_once_the_address_is_set),
	CU_TEST(domain_of_a_bearer_is_sent_and_honoured),
	CU_TEST(bearer_properties_are_for_links_made_later),
	CU_TEST(hazard_11_4_peer_without_address_is_refused),
	CU_TEST(peer_is_removed_when_it_is_down),
	CU_TEST(removal_crosses_a_new_link_on_its_way_between_shards),
	CU_TEST(hazard_11_10_commands_while_frames_are_in_flight),
};

extern const struct cu_suite stats_suite;

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {{"admin", tests, CU_CNT(tests)}, stats_suite};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
