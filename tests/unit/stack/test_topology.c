/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The topology server of whole nodes: clients on the same shard, on other shards and on other
 * nodes connect to {1, 1}, subscribe and read. 05-topology-service.md, 1, 4, 6 to 9, 11.
 */

#include <errno.h>
#include <string.h>

#include "cu.h"
#include "dpt_msg.h"
#include "stack_net.h"
#include "test_msg.h"
#include "test_pool.h"

#define TYPE_NODE 0
#define TYPE_TOPO 1
#define TYPE_LINK 2

static struct net net;

static void
formed(uint32_t nodes_cnt, uint32_t shards_cnt)
{
	net_init(&net, nodes_cnt, shards_cnt, false);
	for (uint32_t i = 0; i < nodes_cnt; i++)
		net_bearer_up(&net, i);
	CU_TRUE_FATAL(net_form(&net));
	net_run(&net, DPT_NS_PER_S);
}

static const struct dpt_topology_counters *
counters(uint32_t node)
{
	return &dpt_stack_counters(net_stack(&net, node, 0))->topology;
}

/* A client of the server of node `server`, connected. */
static struct dpt_port
client_of(uint32_t node, uint32_t shard, uint32_t server)
{
	struct dpt_port port = net_socket(&net, node, shard, DPT_SOCK_SEQPACKET);
	struct dpt_dest dest = net_service(TYPE_TOPO, 1);

	dest.domain = node == server ? dpt_node_addr(0) : net_addr(&net, server);
	CU_EQ_I64_FATAL(net_connect(&net, node, port, &dest, 0), 0);
	net_run(&net, 10 * DPT_NS_PER_MS);
	CU_EQ_U64(net_conn(&net, node, port).state, DPT_SOCK_STATE_ESTABLISHED);
	return port;
}

static struct dpt_port
client(uint32_t node, uint32_t shard)
{
	return client_of(node, shard, node);
}

static int
subscribe(uint32_t node, struct dpt_port port, uint32_t type, uint32_t lower, uint32_t upper,
	  uint32_t filter)
{
	const uint32_t rec[7] = {type, lower, upper, UINT32_MAX, filter, 0x11111111, 0x22222222};
	int rc = net_data(&net, node, port, NULL, rec, sizeof(rec));

	net_run(&net, 10 * DPT_NS_PER_MS);
	return rc;
}

/* The next event of a client; false: none. */
struct event {
	uint32_t event, lower, upper, ref, node;
};

static bool
event_take(uint32_t node, struct dpt_port port, struct event *event)
{
	struct net_msg msg;

	memset(event, 0, sizeof(*event));
	if (!net_recv(&net, node, port, &msg))
		return false;
	CU_EQ_U64(msg.errcode, 0);
	CU_EQ_U64(msg.bytes, DPT_TOPO_EVENT_BYTES);
	memcpy(event, msg.text, sizeof(*event));
	return true;
}

static void
expect(uint32_t node, struct dpt_port port, const struct event *wanted)
{
	struct event event;

	CU_TRUE(event_take(node, port, &event));
	CU_EQ_U64(event.event, wanted->event);
	CU_EQ_U64(event.lower, wanted->lower);
	CU_EQ_U64(event.upper, wanted->upper);
	CU_EQ_U64(event.ref, wanted->ref);
	CU_EQ_U64(event.node, wanted->node);
}

static void
expect_none(uint32_t node, struct dpt_port port)
{
	struct event event;

	CU_TRUE(!event_take(node, port, &event));
}

/* The client has read the end: in a message of importance 3, after which nothing comes. */
static void
expect_end(uint32_t node, struct dpt_port port)
{
	struct net_msg msg;

	CU_TRUE(net_recv(&net, node, port, &msg));
	CU_EQ_U64(msg.errcode, DPT_ERR_CONN_SHUTDOWN);
	CU_EQ_U64(msg.user, DPT_USER_CRITICAL);
	CU_EQ_U64(msg.bytes, 0);
	CU_EQ_U64(net_conn(&net, node, port).state, DPT_SOCK_STATE_DISCONNECTING);
	CU_EQ_I64(net_data(&net, node, port, NULL, "x", 1), -EPIPE);
}

/* 1, 9: bound in node scope when the stack starts; every shard sees it. */
static void
server_is_bound_before_the_node_has_an_address(void)
{
	struct dpt_binding bindings[4];
	struct dpt_port port;
	struct event event;
	uint32_t cursor = 0;

	net_init(&net, 1, 3, false);
	net_run(&net, DPT_NS_PER_MS);
	for (uint32_t s = 0; s < 3; s++)
		CU_EQ_U64(net_names_cnt(&net, 0, s, TYPE_TOPO), 1);
	CU_EQ_U64(dpt_names_dump(dpt_stack_names(net_stack(&net, 0, 0)), &cursor, bindings, 4), 1);
	CU_EQ_U64(bindings[0].scope, DPT_SCOPE_NODE);
	CU_EQ_U64(bindings[0].range.lower, 1);
	CU_EQ_U64(bindings[0].range.upper, 1);
	port = client(0, 0);
	CU_EQ_I64(subscribe(0, port, TYPE_TOPO, 0, UINT32_MAX, DPT_TOPO_PORTS), 0);
	CU_TRUE(event_take(0, port, &event));
	CU_EQ_U64(event.node, 0);
	CU_EQ_U64(event.ref, bindings[0].port.ref);
	/* Then its address is there, and the node state is heard by those who were before. */
	CU_EQ_I64(subscribe(0, port, TYPE_NODE, 0, UINT32_MAX, DPT_TOPO_PORTS), 0);
	net_bearer_up(&net, 0);
	net_run(&net, 3 * DPT_NS_PER_S);
	expect(0, port,
	       &(struct event){DPT_TOPO_PUBLISHED, net_addr(&net, 0).value, net_addr(&net, 0).value,
			       0, net_addr(&net, 0).value});
	CU_EQ_I64(subscribe(0, port, TYPE_TOPO, 1, 1, DPT_TOPO_PORTS), 0);
	expect(0, port,
	       &(struct event){DPT_TOPO_PUBLISHED, 1, 1, bindings[0].port.ref,
			       net_addr(&net, 0).value});
	net_fini(&net);
}

static void
clients_of_all_shards_hear_bindings(void)
{
	struct dpt_port ports[3], bound;

	net_init(&net, 1, 3, true);
	net_bearer_up(&net, 0);
	net_run(&net, DPT_NS_PER_S);
	for (uint32_t s = 0; s < 3; s++) {
		ports[s] = client(0, s);
		CU_EQ_I64(subscribe(0, ports[s], 500, 0, 9, DPT_TOPO_PORTS), 0);
	}
	bound = net_socket(&net, 0, 2, DPT_SOCK_RDM);
	CU_EQ_I64(net_bind(&net, 0, bound, 500, 1, 2), 0);
	for (uint32_t s = 0; s < 3; s++)
		expect(0, ports[s],
		       &(struct event){DPT_TOPO_PUBLISHED, 1, 2, bound.ref,
				       net_addr(&net, 0).value});
	net_close(&net, 0, bound);
	for (uint32_t s = 0; s < 3; s++) {
		expect(0, ports[s],
		       &(struct event){DPT_TOPO_WITHDRAWN, 1, 2, bound.ref,
				       net_addr(&net, 0).value});
		net_close(&net, 0, ports[s]);
	}
	/* Gone with their sockets. */
	CU_EQ_U64(dpt_topo_conns_cnt(dpt_stack_topology(net_stack(&net, 0, 0))), 0);
	CU_EQ_U64(dpt_topo_subs_cnt(dpt_stack_topology(net_stack(&net, 0, 0))), 0);
	CU_EQ_U64(counters(0)->closed_peer, 3);
	net_fini(&net);
}

/* 7: a node comes and goes. The own node is there from the start. */
static void
node_state_comes_and_goes(void)
{
	struct dpt_port port, bound;
	uint32_t own, peer;

	net_init(&net, 2, 2, true);
	net_bearer_up(&net, 0);
	net_run(&net, DPT_NS_PER_S);
	own = net_addr(&net, 0).value;
	peer = 0x01001002;
	port = client(0, 1);
	CU_EQ_I64(subscribe(0, port, TYPE_NODE, 0, UINT32_MAX, DPT_TOPO_SERVICE), 0);
	CU_EQ_I64(subscribe(0, port, 500, 0, 9, DPT_TOPO_PORTS), 0);
	expect(0, port, &(struct event){DPT_TOPO_PUBLISHED, own, own, 0, own});
	expect_none(0, port);

	bound = net_socket(&net, 1, 0, DPT_SOCK_RDM);
	net_bearer_up(&net, 1);
	CU_EQ_I64(net_bind(&net, 1, bound, 500, 1, 1), 0);
	CU_TRUE_FATAL(net_form(&net));
	net_run(&net, DPT_NS_PER_S);
	expect(0, port, &(struct event){DPT_TOPO_PUBLISHED, peer, peer, 0, peer});
	expect(0, port, &(struct event){DPT_TOPO_PUBLISHED, 1, 1, bound.ref, peer});
	expect_none(0, port);

	net.nodes[1].is_connected = false;
	net_run(&net, 5 * DPT_NS_PER_S);
	expect(0, port, &(struct event){DPT_TOPO_WITHDRAWN, peer, peer, 0, peer});
	expect(0, port, &(struct event){DPT_TOPO_WITHDRAWN, 1, 1, bound.ref, peer});
	expect_none(0, port);
	net_fini(&net);
}

/* 8: port.ref holds the bearers' identities of both sides, port.node is the own node. */
static void
link_state_names_the_bearers_of_both_sides(void)
{
	struct dpt_port ports, service;
	uint32_t own, peer;

	net_init(&net, 2, 2, true);
	for (uint32_t i = 0; i < 2; i++)
		net_bearer_up(&net, i);
	CU_TRUE_FATAL(net_form(&net));
	own = net_addr(&net, 0).value;
	peer = net_addr(&net, 1).value;
	ports = client(0, 0);
	service = client(0, 1);
	CU_EQ_I64(subscribe(0, ports, TYPE_LINK, 0, UINT32_MAX, DPT_TOPO_PORTS), 0);
	CU_EQ_I64(subscribe(0, service, TYPE_LINK, 0, UINT32_MAX, DPT_TOPO_SERVICE), 0);
	expect(0, ports, &(struct event){DPT_TOPO_PUBLISHED, peer, peer, 0, own});
	expect(0, service, &(struct event){DPT_TOPO_PUBLISHED, peer, peer, 0, own});

	net_bearer_up_id(&net, 0, 1);
	net_bearer_up_id(&net, 1, 1);
	net_run(&net, 3 * DPT_NS_PER_S);
	expect(0, ports, &(struct event){DPT_TOPO_PUBLISHED, peer, peer, 0x10001, own});
	net_bearer_down_id(&net, 0, 0);
	net_run(&net, DPT_NS_PER_S);
	expect(0, ports, &(struct event){DPT_TOPO_WITHDRAWN, peer, peer, 0, own});
	expect_none(0, service);
	net_bearer_down_id(&net, 0, 1);
	net_run(&net, DPT_NS_PER_S);
	expect(0, ports, &(struct event){DPT_TOPO_WITHDRAWN, peer, peer, 0x10001, own});
	expect(0, service, &(struct event){DPT_TOPO_WITHDRAWN, peer, peer, 0x10001, own});
	expect_none(0, ports);
	net_fini(&net);
}

/* 11: the server of another node, reached by the lookup domain, tells of that node's table. */
static void
remote_client_hears_the_other_nodes_table(void)
{
	struct dpt_binding binding[2];
	struct dpt_port port, bound;
	uint32_t cursor = 0;

	formed(2, 2);
	for (uint32_t s = 0; s < 2; s++) {
		port = client_of(0, s, 1);
		CU_EQ_U64(net_conn(&net, 0, port).peer.node.value, net_addr(&net, 1).value);
		CU_EQ_I64(subscribe(0, port, TYPE_LINK, 0, UINT32_MAX, DPT_TOPO_PORTS), 0);
		expect(0, port,
		       &(struct event){DPT_TOPO_PUBLISHED, net_addr(&net, 0).value,
				       net_addr(&net, 0).value, 0, net_addr(&net, 1).value});
	}
	/* A binding of node scope over there. */
	bound = net_socket(&net, 1, 1, DPT_SOCK_RDM);
	CU_EQ_I64(subscribe(0, port, 700, 0, 9, DPT_TOPO_PORTS), 0);
	CU_EQ_I64(net_bind(&net, 1, bound, 700, 3, 3), 0);
	net_run(&net, 10 * DPT_NS_PER_MS);
	expect(0, port,
	       &(struct event){DPT_TOPO_PUBLISHED, 3, 3, bound.ref, net_addr(&net, 1).value});
	CU_TRUE(dpt_names_dump(dpt_stack_names(net_stack(&net, 0, 0)), &cursor, binding, 1) == 1);

	/* Its node is lost: the server forgets the client. */
	CU_EQ_U64(dpt_topo_conns_cnt(dpt_stack_topology(net_stack(&net, 1, 0))), 2);
	net.nodes[0].is_connected = false;
	net_run(&net, 5 * DPT_NS_PER_S);
	CU_EQ_U64(dpt_topo_conns_cnt(dpt_stack_topology(net_stack(&net, 1, 0))), 0);
	CU_EQ_U64(counters(1)->closed_peer, 2);
	CU_EQ_U64(net_conn(&net, 0, port).state, DPT_SOCK_STATE_DISCONNECTING);
	net_fini(&net);
}

/* 13, 2: a client of another node has fewer. */
static void
hazard_05_2_remote_client_is_closed_at_its_bound(void)
{
	struct dpt_port port;

	formed(2, 1);
	port = client_of(0, 0, 1);
	for (uint32_t i = 0; i < DPT_TOPO_REMOTE_SUBS_MAX; i++)
		CU_EQ_I64_FATAL(subscribe(0, port, 5000 + i, 0, 0, DPT_TOPO_PORTS), 0);
	CU_EQ_U64(dpt_topo_subs_cnt(dpt_stack_topology(net_stack(&net, 1, 0))),
		  DPT_TOPO_REMOTE_SUBS_MAX);
	CU_EQ_I64(subscribe(0, port, 1, 0, 0, DPT_TOPO_PORTS), 0);
	CU_EQ_U64(counters(1)->closed_remote_full, 1);
	expect_end(0, port);
	net_fini(&net);
}

/* 4: a fault closes, in both directions. */
static void
hazard_05_1_short_record_ends_the_connection(void)
{
	const uint32_t rec[7] = {500, 0, 9, UINT32_MAX, DPT_TOPO_PORTS, 1, 2};

	formed(2, 2);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t server = i % 2;
		struct dpt_port port = client_of(0, i / 2, server);

		cu_context("client %u", i);
		CU_EQ_I64(net_data(&net, 0, port, NULL, rec, 27), 0);
		net_run(&net, 10 * DPT_NS_PER_MS);
		expect_end(0, port);
		CU_EQ_U64(counters(server)->closed_short, i / 2 + 1);
		CU_EQ_U64(dpt_topo_conns_cnt(dpt_stack_topology(net_stack(&net, server, 0))), 0);
		net_close(&net, 0, port);
	}
	net_fini(&net);
}

/* 4: longer than 28 octets, empty, and another record behind them. */
static void
long_and_empty_messages_do_no_harm(void)
{
	uint32_t rec[512] = {500, 0, 9, UINT32_MAX, DPT_TOPO_PORTS, 1, 2};
	struct dpt_port port, bound;

	formed(1, 1);
	port = client(0, 0);
	CU_EQ_I64(net_data(&net, 0, port, NULL, rec, sizeof(rec)), 0);
	CU_EQ_I64(net_data(&net, 0, port, NULL, rec, 0), 0);
	bound = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	CU_EQ_I64(net_bind(&net, 0, bound, 500, 1, 1), 0);
	expect(0, port,
	       &(struct event){DPT_TOPO_PUBLISHED, 1, 1, bound.ref, net_addr(&net, 0).value});
	expect_none(0, port);
	net_fini(&net);
}

/* 4: the connection request carries the first record. 1: its importance is taken over. */
static void
request_in_the_connection_request(void)
{
	const uint32_t rec[7] = {TYPE_TOPO, 1, 1, 0, DPT_TOPO_PORTS, 1, 2};

	formed(2, 2);
	for (uint32_t server = 0; server < 2; server++) {
		struct dpt_port port = net_socket(&net, 0, 1, DPT_SOCK_SEQPACKET);
		struct dpt_dest dest = net_service(TYPE_TOPO, 1);
		struct event event;

		dest.domain = net_addr(&net, server);
		CU_EQ_I64(net_data(&net, 0, port, &dest, rec, sizeof(rec)), 0);
		net_run(&net, 10 * DPT_NS_PER_MS);
		CU_TRUE(event_take(0, port, &event));
		CU_EQ_U64(event.event, DPT_TOPO_PUBLISHED);
		CU_EQ_U64(event.node, net_addr(&net, server).value);
		CU_TRUE(event_take(0, port, &event));
		CU_EQ_U64(event.event, DPT_TOPO_TIMEOUT);
		expect_none(0, port);
	}
	net_fini(&net);
}

static void
events_have_the_importance_of_the_client(void)
{
	struct dpt_port port;
	struct net_msg msg;
	struct dpt_dest dest = net_service(TYPE_TOPO, 1);

	formed(1, 2);
	port = net_socket(&net, 0, 1, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(net_connect(&net, 0, port, &dest, 2), 0);
	CU_EQ_I64(subscribe(0, port, TYPE_TOPO, 1, 1, DPT_TOPO_PORTS), 0);
	CU_TRUE(net_recv(&net, 0, port, &msg));
	CU_EQ_U64(msg.user, 2);
	net_fini(&net);
}

/* 6: the client does not read: events wait, none is lost, the order stays. */
static void
hazard_05_7_slow_reader_gets_all_events_in_order(void)
{
	struct dpt_port port, bound;
	struct event event;
	uint32_t seen = 0;

	formed(2, 2);
	for (uint32_t server = 0; server < 2; server++) {
		cu_context("server on node %u", server);
		port = client_of(0, 1, server);
		CU_EQ_I64(subscribe(0, port, 500, 0, UINT32_MAX, DPT_TOPO_PORTS), 0);
		bound = net_socket(&net, server, 0, DPT_SOCK_RDM);
		for (uint32_t i = 0; i < 800; i++)
			CU_EQ_I64(net_bind(&net, server, bound, 500, i, i), 0);
		net_run(&net, 100 * DPT_NS_PER_MS);
		CU_TRUE(counters(server)->send_waits > 0);
		for (seen = 0; event_take(0, port, &event); seen++) {
			CU_EQ_U64_FATAL(event.event, DPT_TOPO_PUBLISHED);
			CU_EQ_U64_FATAL(event.lower, seen);
			if (seen % 100 == 0)
				net_run(&net, 10 * DPT_NS_PER_MS);
		}
		while (seen < 800) {
			uint32_t before = seen;

			net_run(&net, 100 * DPT_NS_PER_MS);
			for (; event_take(0, port, &event); seen++)
				CU_EQ_U64_FATAL(event.lower, seen);
			CU_TRUE_FATAL(seen > before);
		}
		CU_EQ_U64(seen, 800);
		net_close(&net, 0, port);
		net_close(&net, server, bound);
		net_run(&net, DPT_NS_PER_S);
	}
	net_fini(&net);
}

/* 13: more connections than the server takes: each one beyond is ended at once. */
static void
hazard_05_6_connection_beyond_the_bound_is_ended(void)
{
	struct dpt_port ports[NET_TOPO_CONNS_MAX + 1];
	struct dpt_dest dest = net_service(TYPE_TOPO, 1);

	formed(1, 2);
	for (uint32_t i = 0; i < NET_TOPO_CONNS_MAX; i++)
		ports[i] = client(0, i % 2);
	ports[NET_TOPO_CONNS_MAX] = net_socket(&net, 0, 1, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(net_connect(&net, 0, ports[NET_TOPO_CONNS_MAX], &dest, 0), 0);
	expect_end(0, ports[NET_TOPO_CONNS_MAX]);
	CU_EQ_U64(counters(0)->connections_refused, 1);
	net_close(&net, 0, ports[3]);
	ports[3] = client(0, 1);
	CU_EQ_I64(subscribe(0, ports[3], TYPE_TOPO, 1, 1, DPT_TOPO_PORTS), 0);
	CU_EQ_U64(dpt_topo_conns_cnt(dpt_stack_topology(net_stack(&net, 0, 0))),
		  NET_TOPO_CONNS_MAX);
	net_fini(&net);
}

static void
timeout_comes_by_the_stacks_timers(void)
{
	const uint32_t rec[7] = {500, 0, 9, 1500, DPT_TOPO_PORTS, 1, 2};
	struct dpt_port port;

	formed(1, 2);
	port = client(0, 1);
	CU_EQ_I64(net_data(&net, 0, port, NULL, rec, sizeof(rec)), 0);
	net_run(&net, 1490 * DPT_NS_PER_MS);
	expect_none(0, port);
	net_run(&net, 20 * DPT_NS_PER_MS);
	expect(0, port, &(struct event){DPT_TOPO_TIMEOUT, 0, 9, 0, 0});
	expect_none(0, port);
	CU_EQ_U64(net_conn(&net, 0, port).state, DPT_SOCK_STATE_ESTABLISHED);
	net_fini(&net);
}

/* The pool is empty when an event has to go: it goes when there is a buffer again. */
static void
event_without_a_buffer_goes_later(void)
{
	const uint32_t rec[7] = {TYPE_TOPO, 0, 9, 100, DPT_TOPO_PORTS, 1, 2};
	struct dpt_port port;
	struct event event;

	formed(1, 1);
	port = client(0, 0);
	CU_EQ_I64(net_data(&net, 0, port, NULL, rec, sizeof(rec)), 0);
	CU_TRUE(event_take(0, port, &event));
	test_pool_exhaust(0);
	net_run(&net, 150 * DPT_NS_PER_MS);
	CU_TRUE(counters(0)->send_no_buffer > 0);
	expect_none(0, port);
	test_pool_release();
	net_run(&net, 20 * DPT_NS_PER_MS);
	expect(0, port, &(struct event){DPT_TOPO_TIMEOUT, 0, 9, 0, 0});
	net_fini(&net);
}

/* 14: no answer to a message without connection; the server lives on. */
static void
connectionless_message_is_not_answered(void)
{
	struct dpt_port port;
	struct dpt_dest dest = net_service(TYPE_TOPO, 1);
	struct net_msg msg;

	formed(1, 2);
	port = net_socket(&net, 0, 1, DPT_SOCK_RDM);
	CU_EQ_I64(net_send(&net, 0, port, &dest, "0123456789012345678901234567", true), 0);
	net_run(&net, DPT_NS_PER_S);
	CU_TRUE(!net_recv(&net, 0, port, &msg));
	CU_EQ_U64(counters(0)->requests, 0);
	port = client(0, 1);
	net_fini(&net);
}

/* Internal messages of the kernel's stack do not come from a wire. */
static void
hazard_05_13_forged_internal_messages_are_dropped(void)
{
	static const struct {
		uint32_t user, type;
	} cases[] = {{14, 0}, {14, DPT_TYPE_DIRECT}, {15, 0}, {15, DPT_TYPE_DIRECT}};
	const struct dpt_stack_counters_all *all;
	uint8_t frame[100] = {0};
	struct dpt_port port;
	struct dpt_link_info info;
	struct dpt_out out;
	struct net_msg msg;

	formed(2, 1);
	all = dpt_stack_counters(net_stack(&net, 0, 0));
	port = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		uint64_t before = all->stack.drop_user + all->stack.drop_type + all->link.drop_user;
		struct rte_mbuf *m;

		CU_EQ_I64_FATAL(
			dpt_node_link_info(dpt_stack_node(net_stack(&net, 0, 0), 0), 0, &info), 0);
		dpt_msg_init(frame, DPT_USER_LOW, cases[i].type, DPT_HDR_INTERNAL,
			     net_addr(&net, 1), net_addr(&net, 0));
		dpt_msg_set_user(frame, cases[i].user);
		dpt_msg_set_seqno(frame, (uint32_t)info.counters.recv_pkts + 1);
		dpt_msg_set_size(frame, DPT_HDR_INTERNAL + DPT_TOPO_EVENT_BYTES);
		dpt_msg_set_destport(frame, port.ref);
		m = test_buf(frame, DPT_HDR_INTERNAL + DPT_TOPO_EVENT_BYTES);
		dpt_out_init(&out);
		dpt_stack_rx_burst(net_stack(&net, 0, 0), 0, &m, 1, net.now_ns, &out);
		dpt_bufq_free(&out.tx);
		CU_EQ_U64(all->stack.drop_user + all->stack.drop_type + all->link.drop_user,
			  before + 1);
		CU_TRUE(!net_recv(&net, 0, port, &msg));
	}
	net_fini(&net);
}

static const struct cu_test tests[] = {
	CU_TEST(server_is_bound_before_the_node_has_an_address),
	CU_TEST(clients_of_all_shards_hear_bindings),
	CU_TEST(node_state_comes_and_goes),
	CU_TEST(link_state_names_the_bearers_of_both_sides),
	CU_TEST(remote_client_hears_the_other_nodes_table),
	CU_TEST(hazard_05_2_remote_client_is_closed_at_its_bound),
	CU_TEST(hazard_05_1_short_record_ends_the_connection),
	CU_TEST(long_and_empty_messages_do_no_harm),
	CU_TEST(request_in_the_connection_request),
	CU_TEST(events_have_the_importance_of_the_client),
	CU_TEST(hazard_05_7_slow_reader_gets_all_events_in_order),
	CU_TEST(hazard_05_6_connection_beyond_the_bound_is_ended),
	CU_TEST(timeout_comes_by_the_stacks_timers),
	CU_TEST(event_without_a_buffer_goes_later),
	CU_TEST(connectionless_message_is_not_answered),
	CU_TEST(hazard_05_13_forged_internal_messages_are_dropped),
};

int
main(int argc, char **argv)
{
	return cu_main(argc, argv, "topology", tests, CU_CNT(tests));
}
