/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: what the tool sends is understood. 13-netlink.md, 9: each recorded request, unaltered,
 * padding included, and the values that were in it.
 */
#include <netinet/in.h>

#include "netlink_suites.h"
#include "nl_fx.h"

static struct nl_fx fx;
static const uint8_t node1[16] = "node1", node2[16] = "node2";

/* A request that is to be done, with these members. */
static void
sent(const char *exchange, uint32_t n, uint8_t cmd, bool is_dump, uint32_t has)
{
	CU_EQ_I64(fx_golden_send(&fx, exchange, n), DPT_NL_EXECUTE);
	CU_EQ_U64(fx.req.type, DPT_NL_FAMILY_ID);
	CU_EQ_U64(fx.req.cmd, cmd);
	CU_EQ_U64(fx.req.is_dump, is_dump);
	CU_EQ_U64(fx.req.has, has);
	CU_EQ_I64(fx.req.later_rc, 0);
	CU_EQ_U64(fx.out.used, 0);
}

static void
dump(const char *exchange, uint32_t n, uint8_t cmd)
{
	sent(exchange, n, cmd, true, 0);
}

static void
sockaddr_in_is(const struct sockaddr_storage *addr, uint32_t ip, uint16_t port)
{
	struct sockaddr_in in;

	memcpy(&in, addr, sizeof(in));
	CU_EQ_U64(in.sin_family, AF_INET);
	CU_EQ_U64(ntohl(in.sin_addr.s_addr), ip);
	CU_EQ_U64(ntohs(in.sin_port), port);
}

static void
dumps_without_attributes(void)
{
	fx_init(&fx);
	dump("G2", 0, TIPC_NL_NET_GET);
	CU_EQ_U64(fx.req.seq, 0x6b02e295);
	CU_EQ_U64(fx.req.flags, DUMP_FLAGS);
	CU_EQ_U64(fx.req.msg_bytes, 20);
	CU_EQ_PTR(fx.req.msg, fx.datagram);
	/* (the version octet there is not initialised) */
	dump("G10", 0, TIPC_NL_NET_GET);
	dump("G12", 0, TIPC_NL_BEARER_GET);
	dump("G18", 0, TIPC_NL_MEDIA_GET);
	dump("G21", 0, TIPC_NL_LINK_GET);
	dump("G28", 0, TIPC_NL_NODE_GET);
	dump("G29", 0, TIPC_NL_NODE_GET);
	dump("G30", 0, TIPC_NL_NAME_TABLE_GET);
	dump("G31", 0, TIPC_NL_SOCK_GET);
	dump("G34", 0, TIPC_NL_MON_GET);
	fx_fini(&fx);
}

static void
dumps_with_attributes(void)
{
	fx_init(&fx);
	sent("G13", 1, TIPC_NL_UDP_GET_REMOTEIP, true, DPT_NL_HAS_NEST | DPT_NL_HAS_NAME);
	CU_EQ_STR(fx.req.name, "udp:UDP2");
	sent("G22", 0, TIPC_NL_LINK_GET, true, DPT_NL_HAS_NEST | DPT_NL_HAS_BCAST_LINKS);
	sent("G31", 1, TIPC_NL_PUBL_GET, true, DPT_NL_HAS_NEST | DPT_NL_HAS_REF);
	CU_EQ_U64(fx.req.ref, 3560444281);
	sent("G34", 1, TIPC_NL_MON_PEER_GET, true, DPT_NL_HAS_NEST | DPT_NL_HAS_REF);
	CU_EQ_U64(fx.req.ref, 0);
	fx_fini(&fx);
}

static void
network_id_address_and_identity_are_set(void)
{
	fx_init(&fx);
	sent("G3", 0, TIPC_NL_NET_SET, false, DPT_NL_HAS_NEST | DPT_NL_HAS_NODE_ID);
	CU_EQ_MEM(fx.req.node_id.bytes, node1, sizeof(node1));
	sent("G4", 0, TIPC_NL_NET_SET, false, DPT_NL_HAS_NEST | DPT_NL_HAS_NET_ID);
	CU_EQ_U64(fx.req.net_id, 4712);
	sent("G5", 0, TIPC_NL_NET_SET, false, DPT_NL_HAS_NEST | DPT_NL_HAS_ADDR);
	CU_EQ_U64(fx.req.addr, 0x01001001);
	sent("G6", 0, TIPC_NL_NET_SET, false, DPT_NL_HAS_NEST | DPT_NL_HAS_NET_ID);
	CU_EQ_U64(fx.req.net_id, 4711);
	fx_fini(&fx);
}

static void
bearers_are_enabled(void)
{
	const uint32_t named = DPT_NL_HAS_NEST | DPT_NL_HAS_NAME;

	fx_init(&fx);
	sent("G7", 0, TIPC_NL_BEARER_ENABLE, false, named);
	CU_EQ_STR(fx.req.name, "eth:eth0");
	sent("G8", 0, TIPC_NL_BEARER_ENABLE, false, named | DPT_NL_HAS_DOMAIN);
	CU_EQ_U64(fx.req.domain, 0x01001000);
	CU_EQ_STR(fx.req.name, "eth:eth0");
	sent("G10", 1, TIPC_NL_BEARER_ENABLE, false,
	     named | DPT_NL_HAS_UDP_OPTS | DPT_NL_HAS_LOCAL | DPT_NL_HAS_REMOTE);
	CU_EQ_STR(fx.req.name, "udp:UDP1");
	sockaddr_in_is(&fx.req.local, 0x0a000001, 6118);
	sockaddr_in_is(&fx.req.remote, 0xe4001267, 6118);
	/* Priority 33: refused without a text. */
	CU_EQ_I64(fx_golden_send(&fx, "G9", 0), DPT_NL_ANSWERED);
	fx_golden_expect(&fx, "G9", 0);
	fx_fini(&fx);
}

static void
bearers_are_asked_for_and_changed(void)
{
	const uint32_t named = DPT_NL_HAS_NEST | DPT_NL_HAS_NAME;

	fx_init(&fx);
	sent("G11", 0, TIPC_NL_BEARER_GET, false, named);
	CU_EQ_STR(fx.req.name, "eth:eth0");
	sent("G13", 0, TIPC_NL_BEARER_GET, false, named);
	sent("G14", 0, TIPC_NL_BEARER_GET, false, named);
	CU_EQ_STR(fx.req.name, "udp:UDP6");
	sent("G15", 0, TIPC_NL_BEARER_SET, false, named | DPT_NL_HAS_PROP | DPT_NL_HAS_MTU);
	CU_EQ_U64(fx.req.mtu, 9000);
	CU_EQ_STR(fx.req.name, "udp:UDP1");
	sent("G16", 0, TIPC_NL_BEARER_ADD, false, named | DPT_NL_HAS_UDP_OPTS | DPT_NL_HAS_REMOTE);
	sockaddr_in_is(&fx.req.remote, 0x0a000004, 6300);
	sent("G17", 0, TIPC_NL_BEARER_DISABLE, false, named);
	sent("G19", 0, TIPC_NL_MEDIA_GET, false, named);
	CU_EQ_STR(fx.req.name, "udp");
	sent("G20", 0, TIPC_NL_MEDIA_SET, false, named | DPT_NL_HAS_PROP | DPT_NL_HAS_MTU);
	CU_EQ_STR(fx.req.name, "udp");
	CU_EQ_U64(fx.req.mtu, 9000);
	fx_fini(&fx);
}

static void
links_are_asked_for_and_changed(void)
{
	const uint32_t named = DPT_NL_HAS_NEST | DPT_NL_HAS_NAME;

	fx_init(&fx);
	sent("G23", 0, TIPC_NL_LINK_GET, false, named);
	CU_EQ_STR(fx.req.name, "broadcast-link");
	sent("G24", 0, TIPC_NL_LINK_SET, false,
	     named | DPT_NL_HAS_PROP | DPT_NL_HAS_BCAST | DPT_NL_HAS_RATIO);
	CU_EQ_U64(fx.req.bcast, 4);
	CU_EQ_U64(fx.req.ratio, 10);
	sent("G25", 0, TIPC_NL_LINK_SET, false, named | DPT_NL_HAS_PROP | DPT_NL_HAS_TOL);
	CU_EQ_STR(fx.req.name, "node1:eth0-node2:eth0");
	CU_EQ_U64(fx.req.tol, 800);
	sent("G27", 0, TIPC_NL_LINK_RESET_STATS, false, named);
	CU_EQ_STR(fx.req.name, "broadcast-link:node2");
	/* A priority is none of the broadcast link's. */
	CU_EQ_I64(fx_golden_send(&fx, "G26", 0), DPT_NL_ANSWERED);
	fx_golden_expect(&fx, "G26", 0);
	fx_fini(&fx);
}

static void
monitor_and_peers(void)
{
	fx_init(&fx);
	sent("G32", 0, TIPC_NL_MON_GET, false, 0);
	sent("G33", 0, TIPC_NL_MON_SET, false, DPT_NL_HAS_NEST | DPT_NL_HAS_THRESHOLD);
	CU_EQ_U64(fx.req.threshold, 33);
	sent("G35", 0, TIPC_NL_PEER_REMOVE, false, DPT_NL_HAS_NEST | DPT_NL_HAS_NODE_ID);
	CU_EQ_MEM(fx.req.node_id.bytes, node2, sizeof(node2));
	sent("G36", 0, TIPC_NL_PEER_REMOVE, false, DPT_NL_HAS_NEST | DPT_NL_HAS_NODE_ID);
	CU_EQ_MEM(fx.req.node_id.bytes, node1, sizeof(node1));
	sent("G42", 0, TIPC_NL_ADDR_LEGACY_GET, false, 0);
	fx_fini(&fx);
}

static void
keys_are_set(void)
{
	const uint32_t key = DPT_NL_HAS_NEST | DPT_NL_HAS_KEY;

	fx_init(&fx);
	sent("G37", 0, TIPC_NL_KEY_SET, false, key);
	CU_EQ_U64(fx.req.key_bytes, 20);
	CU_EQ_MEM(fx.req.key, "this_is_a_key16_salt", 20);
	sent("G38", 0, TIPC_NL_KEY_SET, false, key | DPT_NL_HAS_NODE_ID);
	CU_EQ_MEM(fx.req.node_id.bytes, node2, sizeof(node2));
	sent("G39", 0, TIPC_NL_KEY_SET, false, key | DPT_NL_HAS_KEY_MASTER);
	CU_EQ_MEM(fx.req.key, "this_is_a_master_key", 20);
	sent("G40", 0, TIPC_NL_KEY_SET, false, DPT_NL_HAS_NEST | DPT_NL_HAS_REKEYING);
	CU_EQ_U64(fx.req.rekeying, UINT32_MAX);
	sent("G41", 0, TIPC_NL_KEY_FLUSH, false, 0);
	fx_fini(&fx);
}

static void
sockets_of_ss(void)
{
	fx_init(&fx);
	fx.peer.protocol = NETLINK_SOCK_DIAG;
	fx.peer.has_cap_ack = false;
	CU_EQ_I64(fx_golden_send(&fx, "G44", 0), DPT_NL_EXECUTE);
	CU_EQ_U64(fx.req.type, 20);
	CU_EQ_U64(fx.req.cmd, 0);
	CU_TRUE(fx.req.is_dump);
	CU_EQ_U64(fx.req.seq, 123456);
	CU_EQ_U64(fx.req.states, 0x482);
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(dumps_without_attributes),
	CU_TEST(dumps_with_attributes),
	CU_TEST(network_id_address_and_identity_are_set),
	CU_TEST(bearers_are_enabled),
	CU_TEST(bearers_are_asked_for_and_changed),
	CU_TEST(links_are_asked_for_and_changed),
	CU_TEST(monitor_and_peers),
	CU_TEST(keys_are_set),
	CU_TEST(sockets_of_ss),
};

const struct cu_suite golden_requests_suite = CU_TEST_SUITE("golden requests", tests);
