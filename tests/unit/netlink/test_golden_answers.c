/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: programs get what a kernel would send. Method: from the objects of 13-netlink.md, 9 its
 * recorded answers are made anew, and compared octet by octet, but for port ids.
 */
#include <netinet/in.h>

#include "netlink_suites.h"
#include "nl_fx.h"
#include "nl_golden.h"

static struct nl_fx fx;

static void
asked(const char *exchange, uint32_t n)
{
	CU_EQ_I64(fx_golden_send(&fx, exchange, n), DPT_NL_EXECUTE);
}

/* The ends of all exchanges: NLMSG_ERROR and NLMSG_DONE, with the results recorded in them. */
static void
ends_are_recorded_ones(void)
{
	const char *exchange = "";
	uint32_t requests_cnt = 0, answers_cnt = 0, compared_cnt = 0;

	fx_init(&fx);
	for (size_t i = 0; i < nl_goldens_cnt; i++) {
		const struct nl_golden *golden = &nl_goldens[i];
		uint8_t octets[NL_FX_BYTES];
		struct nlmsghdr head;
		int32_t rc;

		if (strcmp(golden->exchange, exchange) != 0)
			requests_cnt = answers_cnt = 0;
		exchange = golden->exchange;
		if (golden->way == '>') {
			fx.peer.protocol =
				strcmp(exchange, "G44") == 0 ? NETLINK_SOCK_DIAG : NETLINK_GENERIC;
			fx_golden_send(&fx, exchange, requests_cnt++);
			fx.out.used = 0;
			continue;
		}
		fx_golden_octets(exchange, '<', answers_cnt++, octets);
		memcpy(&head, octets, sizeof(head));
		memcpy(&rc, octets + sizeof(head), sizeof(rc));
		if (head.nlmsg_type == NLMSG_ERROR)
			CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, rc,
						 strcmp(exchange, "G11") == 0 ? "Bearer not found"
									      : NULL));
		else if (head.nlmsg_type == NLMSG_DONE)
			CU_TRUE(dpt_nl_put_done(&fx.out, &fx.req, rc));
		else
			continue;
		fx_golden_expect(&fx, exchange, answers_cnt - 1);
		compared_cnt++;
	}
	CU_EQ_U64(compared_cnt, 47);
	fx_fini(&fx);
}

/* G1, with the privileges of later kernels: 13-netlink.md, 5.0. */
static void
family_is_resolved(void)
{
	static const uint8_t admin[] = {2, 3, 5, 9, 10, 12, 15, 17, 20, 21, 23, 24};
	uint8_t octets[NL_FX_BYTES];
	uint32_t bytes = fx_golden_octets("G1", '<', 0, octets);
	uint32_t ops_at = bytes - 24 * 20, admin_cnt = 0;

	fx_init(&fx);
	CU_EQ_I64(fx_golden_send(&fx, "G1", 0), DPT_NL_ANSWERED);
	for (uint32_t at = ops_at; at < bytes; at += 20) {
		if (memchr(admin, octets[at + 8], sizeof(admin)) == NULL)
			continue;
		CU_EQ_U64(octets[at + 16], 0xa);
		octets[at + 16] = 0x1a;
		admin_cnt++;
	}
	CU_EQ_U64(admin_cnt, sizeof(admin));
	memset(octets + 12, 0, 4);
	/* The answer and its ACK, in one datagram. */
	CU_EQ_U64(fx.out.used, bytes + 36);
	CU_EQ_MEM(fx.out.data, octets, bytes);
	memmove(fx.out.data, fx.out.data + bytes, 36);
	fx.out.used = 36;
	fx_golden_expect(&fx, "G1", 1);
	fx_fini(&fx);
}

static struct sockaddr_storage
in_of(uint32_t ip, uint16_t port)
{
	const struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(ip),
		/* Not to be seen in an answer. */
		.sin_zero = {1, 2, 3, 4, 5, 6, 7, 8},
	};
	struct sockaddr_storage addr = {0};

	memcpy(&addr, &in, sizeof(in));
	return addr;
}

static struct sockaddr_storage
in6_of(uint16_t first, uint16_t last, uint16_t port)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_flowinfo = 1,
		.sin6_scope_id = 2,
	};
	struct sockaddr_storage addr = {0};

	in6.sin6_addr.s6_addr16[0] = htons(first);
	in6.sin6_addr.s6_addr16[7] = htons(last);
	memcpy(&addr, &in6, sizeof(in6));
	return addr;
}

static void
network(void)
{
	const struct dpt_node_id node1 = {.bytes = "node1"};

	fx_init(&fx);
	asked("G2", 0);
	CU_TRUE(dpt_nl_put_net(&fx.out, &fx.req, 4711, &node1));
	fx_golden_expect(&fx, "G2", 0);
	asked("G10", 0);
	CU_TRUE(dpt_nl_put_net(&fx.out, &fx.req, 4711, &node1));
	fx_golden_expect(&fx, "G10", 0);
	asked("G42", 0);
	CU_TRUE(dpt_nl_put_addr_legacy(&fx.out, &fx.req, true));
	fx_golden_expect(&fx, "G42", 0);
	fx_fini(&fx);
}

static struct dpt_nl_bearer
udp_bearer(const char *name, uint32_t mtu)
{
	return (struct dpt_nl_bearer){
		.name = name,
		.props = {.prio = 10, .tol = 1500, .win = 50, .mtu = mtu, .has_mtu = true},
		.is_udp = true,
	};
}

static void
bearers(void)
{
	struct dpt_nl_bearer eth = {"eth:eth0", {10, 1500, 8191, 0, false}, false, false, {0}, {0}};
	struct dpt_nl_bearer udp = udp_bearer("udp:UDP1", 14000);

	fx_init(&fx);
	asked("G12", 0);
	udp.local = in_of(0x0a000001, 6118);
	udp.remote = in_of(0xe4001267, 6118);
	CU_TRUE(dpt_nl_put_bearer(&fx.out, &fx.req, &eth));
	CU_TRUE(dpt_nl_put_bearer(&fx.out, &fx.req, &udp));
	fx_golden_expect(&fx, "G12", 0);

	asked("G13", 0);
	udp = udp_bearer("udp:UDP2", 14000);
	udp.local = in_of(0x0a000001, 6200);
	udp.remote = in_of(0x0a000002, 6200);
	udp.is_multi = true;
	CU_TRUE(dpt_nl_put_bearer(&fx.out, &fx.req, &udp));
	fx_golden_expect(&fx, "G13", 0);

	asked("G14", 0);
	udp = udp_bearer("udp:UDP6", 1280);
	udp.local = in6_of(0xfd00, 1, 6118);
	udp.remote = in6_of(0xff02, 0x4711, 6118);
	CU_TRUE(dpt_nl_put_bearer(&fx.out, &fx.req, &udp));
	fx_golden_expect(&fx, "G14", 0);
	fx_fini(&fx);
}

static void
remotes(void)
{
	const struct sockaddr_storage list[] = {in_of(0x0a000004, 6300), in_of(0x0a000003, 6118),
						in_of(0x0a000002, 6200)};

	fx_init(&fx);
	asked("G13", 1);
	for (uint32_t i = 0; i < CU_CNT(list); i++)
		CU_TRUE(dpt_nl_put_remote(&fx.out, &fx.req, &list[i]));
	fx_golden_expect(&fx, "G13", 1);
	fx_fini(&fx);
}

static void
media(void)
{
	const struct dpt_nl_props eth = {10, 1500, 8191, 0, false};
	const struct dpt_nl_props ib = {10, 1500, 500, 0, false};
	const struct dpt_nl_props udp = {10, 1500, 50, 14000, true};

	fx_init(&fx);
	asked("G18", 0);
	CU_TRUE(dpt_nl_put_media(&fx.out, &fx.req, "eth", &eth));
	CU_TRUE(dpt_nl_put_media(&fx.out, &fx.req, "ib", &ib));
	CU_TRUE(dpt_nl_put_media(&fx.out, &fx.req, "udp", &udp));
	fx_golden_expect(&fx, "G18", 0);
	asked("G19", 0);
	CU_TRUE(dpt_nl_put_media(&fx.out, &fx.req, "udp", &udp));
	fx_golden_expect(&fx, "G19", 0);
	fx_fini(&fx);
}

static void
links(void)
{
	struct dpt_nl_bcast_link bcast = {"broadcast-link", 50, 4, 10, {0}};
	struct dpt_nl_link link = {
		.name = "node1:eth0-node2:eth0",
		.dest = 0x5f6f6465,
		.mtu = 1500,
		.rx = 81,
		.tx = 31,
		.is_up = true,
		.is_active = true,
		.props = {.prio = 10, .tol = 1500, .win = 50},
		/* (of 1, 6 and 11 it is the function that knows better) */
		.stats = {[1] = 99,
			  [2] = 60,
			  [3] = 8,
			  [6] = 99,
			  [11] = 99,
			  [12] = 1,
			  [13] = 40,
			  [14] = 1,
			  [21] = 79,
			  [22] = 37,
			  [25] = 81,
			  [26] = 37,
			  [28] = 5},
	};

	fx_init(&fx);
	asked("G21", 0);
	CU_TRUE(dpt_nl_put_bcast_link(&fx.out, &fx.req, &bcast));
	CU_TRUE(dpt_nl_put_link(&fx.out, &fx.req, &link));
	fx_golden_expect(&fx, "G21", 0);

	asked("G23", 0);
	bcast.ratio = 25;
	CU_TRUE(dpt_nl_put_bcast_link(&fx.out, &fx.req, &bcast));
	fx_golden_expect(&fx, "G23", 0);
	fx_fini(&fx);
}

static void
nodes(void)
{
	fx_init(&fx);
	asked("G28", 0);
	CU_TRUE(dpt_nl_put_node(&fx.out, &fx.req, 0x5c6f6465, true));
	fx_golden_expect(&fx, "G28", 0);
	asked("G29", 0);
	CU_TRUE(dpt_nl_put_node(&fx.out, &fx.req, 0x10, false));
	fx_golden_expect(&fx, "G29", 0);
	fx_fini(&fx);
}

static void
names(void)
{
	const struct dpt_nl_publ own = {0, 0x5f6f6465, 0x5f6f6465, 2, 0x5f6f6465, 0, 0x5f6f6465};
	const struct dpt_nl_publ server = {1, 1, 1, 3, 0x5f6f6465, 3560444281, 3560444282};

	fx_init(&fx);
	asked("G30", 0);
	CU_TRUE(dpt_nl_put_name(&fx.out, &fx.req, &own));
	CU_TRUE(dpt_nl_put_name(&fx.out, &fx.req, &server));
	fx_golden_expect(&fx, "G30", 0);
	asked("G31", 1);
	CU_TRUE(dpt_nl_put_publ(&fx.out, &fx.req, &server));
	fx_golden_expect(&fx, "G31", 1);
	fx_fini(&fx);
}

static void
monitor(void)
{
	const struct dpt_nl_monitor eth0 = {0, true, "eth:eth0", 8, 26};

	fx_init(&fx);
	asked("G32", 0);
	CU_TRUE(dpt_nl_put_threshold(&fx.out, &fx.req, 32));
	fx_golden_expect(&fx, "G32", 0);
	asked("G34", 0);
	CU_TRUE(dpt_nl_put_monitor(&fx.out, &fx.req, &eth0));
	fx_golden_expect(&fx, "G34", 0);
	fx_fini(&fx);
}

static void
monitored_peers(void)
{
	static const struct {
		uint32_t letter, is_local, is_head, generation, up_map, members_cnt, members[2];
	} ring[] = {
		{0x5f, 0, 1, 12, 3, 2, {0x56, 0x58}}, {0x56, 1, 0, 4, 3, 2, {0x58, 0x59}},
		{0x58, 1, 0, 5, 3, 2, {0x59, 0x5a}},  {0x59, 0, 1, 4, 3, 2, {0x5a, 0x5b}},
		{0x5a, 0, 0, 5, 3, 2, {0x5b, 0x5c}},  {0x5b, 0, 0, 3, 3, 2, {0x5c, 0x5d}},
		{0x5c, 0, 1, 13, 1, 1, {0x5d, 0}},    {0x5d, 0, 0, 4, 3, 2, {0x5f, 0x56}},
	};

	fx_init(&fx);
	asked("G34", 1);
	for (uint32_t i = 0; i < CU_CNT(ring); i++) {
		struct dpt_nl_monitor_peer peer = {
			.addr = ring[i].letter << 24 | 0x6f6465,
			.is_up = true,
			.is_local = ring[i].is_local,
			.is_head = ring[i].is_head,
			.has_domain = true,
			.generation = ring[i].generation,
			.applied_cnt = ring[i].members_cnt,
			.members_cnt = ring[i].members_cnt,
			.up_map = ring[i].up_map,
		};

		for (uint32_t k = 0; k < ring[i].members_cnt; k++)
			peer.members[k] = ring[i].members[k] << 24 | 0x6f6465;
		CU_TRUE(dpt_nl_put_monitor_peer(&fx.out, &fx.req, &peer));
	}
	fx_golden_expect(&fx, "G34", 1);
	fx_fini(&fx);
}

static void
sockets(void)
{
	const struct dpt_nl_sock server = {.ref = 3560444281, .has_bindings = true};

	fx_init(&fx);
	asked("G31", 0);
	CU_TRUE(dpt_nl_put_sock(&fx.out, &fx.req, &server));
	fx_golden_expect(&fx, "G31", 0);
	fx_fini(&fx);
}

static void
sockets_for_ss(void)
{
	const struct dpt_nl_group group = {.type = 3000, .instance = 1, .is_open = true};
	struct dpt_nl_sock sock = {
		.ref = 3560444281,
		.has_bindings = true,
		.sock_type = 5,
		.state = 10,
		.inode = 10369,
		.cookie = 1,
	};

	fx_init(&fx);
	fx.peer.protocol = NETLINK_SOCK_DIAG;
	asked("G44", 0);
	CU_TRUE(dpt_nl_put_diag(&fx.out, &fx.req, &sock));
	fx_golden_expect(&fx, "G44", 0);

	sock = (struct dpt_nl_sock){
		.ref = 3997307431,
		.own = 0x5f6f6465,
		.has_bindings = true,
		.sock_type = 4,
		.state = 7,
		.inode = 11027,
		.cookie = 0xa,
		.group = &group,
	};
	/* (recorded without its request) */
	fx.req.seq = 1001;
	CU_TRUE(dpt_nl_put_diag(&fx.out, &fx.req, &sock));
	fx_golden_expect(&fx, "G45", 0);
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(ends_are_recorded_ones),
	CU_TEST(family_is_resolved),
	CU_TEST(network),
	CU_TEST(bearers),
	CU_TEST(remotes),
	CU_TEST(media),
	CU_TEST(links),
	CU_TEST(nodes),
	CU_TEST(names),
	CU_TEST(monitor),
	CU_TEST(monitored_peers),
	CU_TEST(sockets),
	CU_TEST(sockets_for_ss),
};

const struct cu_suite golden_answers_suite = CU_TEST_SUITE("golden answers", tests);
