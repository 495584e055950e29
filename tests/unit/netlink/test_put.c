/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: what the recorded answers do not show: connected sockets, flags, the edge of a datagram.
 * 13-netlink.md, 4.5, 5.6, 5.8, 6.
 */
#include "netlink_suites.h"
#include "nl_fx.h"

static struct nl_fx fx;

static void
asked(uint8_t cmd, uint16_t flags)
{
	fx_init(&fx);
	fx_begin(&fx, cmd, flags);
	if (cmd == TIPC_NL_LINK_GET && flags == DO_FLAGS)
		fx_nest_text(&fx, TIPC_NLA_LINK, TIPC_NLA_LINK_NAME, "broadcast-link");
	fx_executes(&fx);
}

/* What is behind the first `skip` octets of the only message. */
static void
payload_is(uint32_t skip, const uint8_t *octets, uint32_t bytes)
{
	if (CU_EQ_U64(fx.out.used, skip + bytes))
		CU_EQ_MEM(fx.out.data + skip, octets, bytes);
	fx_fini(&fx);
}

static void
a_connected_socket_names_its_peer(void)
{
	static const uint8_t plain[] = {40, 0, 2, 0,			   /* SOCK */
					8,  0, 2, 0, 0xde, 0, 0,    0,	   /* REF */
					8,  0, 1, 0, 1,	   2, 3,    4,	   /* ADDR */
					20, 0, 3, 0,			   /* CON */
					8,  0, 2, 0, 5,	   6, 7,    8,	   /* NODE */
					8,  0, 3, 0, 9,	   0, 0xfe, 0xff}; /* SOCK */
	static const uint8_t named[] = {60, 0, 2, 0,			   /* SOCK */
					8,  0, 2, 0, 0xde, 0, 0,    0,	   /* REF */
					8,  0, 1, 0, 1,	   2, 3,    4,	   /* ADDR */
					40, 0, 3, 0,			   /* CON */
					8,  0, 2, 0, 5,	   6, 7,    8,	   /* NODE */
					8,  0, 3, 0, 9,	   0, 0xfe, 0xff,  /* SOCK */
					4,  0, 1, 0,			   /* FLAG */
					8,  0, 4, 0, 0xe8, 3, 0,    0,	   /* TYPE */
					8,  0, 5, 0, 7,	   0, 0,    0};	   /* INST */
	struct dpt_nl_sock sock = {
		.ref = 222,
		.own = 0x04030201,
		.is_connected = true,
		.has_bindings = true, /* (is not said of a connected one) */
		.peer_node = 0x08070605,
		.peer_ref = 0xfffe0009,
		.conn_type = 1000,
		.conn_instance = 7,
	};

	asked(TIPC_NL_SOCK_GET, DUMP_FLAGS);
	CU_TRUE(dpt_nl_put_sock(&fx.out, &fx.req, &sock));
	payload_is(20, plain, sizeof(plain));
	asked(TIPC_NL_SOCK_GET, DUMP_FLAGS);
	sock.has_conn_name = true;
	CU_TRUE(dpt_nl_put_sock(&fx.out, &fx.req, &sock));
	payload_is(20, named, sizeof(named));
}

static void
congestion_is_told_to_ss(void)
{
	static const uint8_t stat[] = {36, 0, 5, 0, 8, 0, 0, 0, 3, 0, 0, 0, 8, 0, 1, 0, 4, 0,
				       0,  0, 8, 0, 4, 0, 5, 0, 0, 0, 4, 0, 2, 0, 4, 0, 3, 0};
	const struct dpt_nl_sock sock = {.rcvq = 3,
					 .sendq = 4,
					 .drops = 5,
					 .is_link_congested = true,
					 .is_conn_congested = true};

	asked(TIPC_NL_SOCK_GET, DUMP_FLAGS);
	CU_TRUE(dpt_nl_put_diag(&fx.out, &fx.req, &sock));
	payload_is(16 + 4 + 16 + 32 + 12, stat, sizeof(stat));
}

static void
a_group_has_one_scope(void)
{
	static const uint8_t nest[] = {36, 0, 12, 0, 8, 0, 0, 0, 0xb8, 0x0b, 0, 0,
				       8,  0, 4,  0, 2, 0, 0, 0, 8,    0,    5, 0,
				       9,  0, 0,  0, 4, 0, 2, 0, 4,    0,    1, 0};
	const struct dpt_nl_group group = {3000, 2, 9, .is_node_scope = true, .is_open = true};
	const struct dpt_nl_sock sock = {.group = &group};

	asked(TIPC_NL_SOCK_GET, DUMP_FLAGS);
	CU_TRUE(dpt_nl_put_diag(&fx.out, &fx.req, &sock));
	/* Behind REF, ADDR, four numbers, COOKIE and STAT. */
	payload_is(16 + 4 + 16 + 32 + 12 + 28, nest, sizeof(nest));
}

static void
broadcast_link_is_multi_even_in_a_do(void)
{
	const struct dpt_nl_bcast_link bcast = {"broadcast-link", 50, 2, 10, {0}};
	const struct dpt_nl_link link = {.name = "a:x-b:y"};
	struct nlmsghdr head;

	asked(TIPC_NL_LINK_GET, DO_FLAGS);
	CU_TRUE(dpt_nl_put_bcast_link(&fx.out, &fx.req, &bcast));
	memcpy(&head, fx.out.data, sizeof(head));
	CU_EQ_U64(head.nlmsg_flags, NLM_F_MULTI);
	/* A forced method has no ratio: 232 octets and the name. */
	CU_EQ_U64(fx.out.used, 232 + 16 - 4);
	fx.out.used = 0;
	CU_TRUE(dpt_nl_put_link(&fx.out, &fx.req, &link));
	memcpy(&head, fx.out.data, sizeof(head));
	CU_EQ_U64(head.nlmsg_flags, 0);
	fx_fini(&fx);
}

static void
a_link_that_is_down_is_not_active(void)
{
	struct dpt_nl_link link = {.name = "a:x-b:y", .is_active = true};
	uint32_t down_bytes;

	asked(TIPC_NL_LINK_GET, DUMP_FLAGS);
	CU_TRUE(dpt_nl_put_link(&fx.out, &fx.req, &link));
	down_bytes = fx.out.used;
	fx.out.used = 0;
	link.is_up = true;
	CU_TRUE(dpt_nl_put_link(&fx.out, &fx.req, &link));
	CU_EQ_U64(fx.out.used, down_bytes + 8);
	fx_fini(&fx);
}

static void
largest_messages(void)
{
	char name[DPT_LINK_NAME_BYTES];
	struct dpt_nl_link link = {.name = name, .is_up = true, .is_active = true};
	struct dpt_nl_monitor_peer peer = {.is_up = true,
					   .is_local = true,
					   .is_head = true,
					   .has_domain = true,
					   .applied_cnt = 64,
					   .members_cnt = 64};

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	asked(TIPC_NL_LINK_GET, DUMP_FLAGS);
	CU_TRUE(dpt_nl_put_link(&fx.out, &fx.req, &link));
	CU_EQ_U64(fx.out.used, 440);
	fx.out.used = 0;
	CU_TRUE(dpt_nl_put_monitor_peer(&fx.out, &fx.req, &peer));
	CU_EQ_U64(fx.out.used, 332);
	fx_fini(&fx);
}

/* One message of each kind, through one function, so that all can be tried in a row. */
static bool
put_kind(uint32_t kind)
{
	static const struct dpt_nl_bearer bearer = {.name = "udp:a", .is_udp = true};
	static const struct sockaddr_storage addr = {.ss_family = AF_INET6};
	static const struct dpt_nl_props props = {.has_mtu = true};
	static const struct dpt_nl_link link = {.name = "a:x-b:y"};
	static const struct dpt_nl_bcast_link bcast = {.name = "broadcast-link"};
	static const struct dpt_node_id id = {.bytes = "node1"};
	static const struct dpt_nl_publ publ = {.scope = 2};
	static const struct dpt_nl_group group = {.type = 1};
	static const struct dpt_nl_sock sock = {.has_bindings = true, .group = &group};
	static const struct dpt_nl_monitor monitor = {.bearer = "eth:eth0"};
	static const struct dpt_nl_monitor_peer peer = {.has_domain = true, .members_cnt = 3};

	switch (kind) {
	case 0:
		return dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, -EINVAL, "a text");
	case 1:
		return dpt_nl_put_done(&fx.out, &fx.req, 0);
	case 2:
		return dpt_nl_put_bearer(&fx.out, &fx.req, &bearer);
	case 3:
		return dpt_nl_put_remote(&fx.out, &fx.req, &addr);
	case 4:
		return dpt_nl_put_media(&fx.out, &fx.req, "udp", &props);
	case 5:
		return dpt_nl_put_link(&fx.out, &fx.req, &link);
	case 6:
		return dpt_nl_put_bcast_link(&fx.out, &fx.req, &bcast);
	case 7:
		return dpt_nl_put_node(&fx.out, &fx.req, 1, true);
	case 8:
		return dpt_nl_put_net(&fx.out, &fx.req, 4711, &id);
	case 9:
		return dpt_nl_put_addr_legacy(&fx.out, &fx.req, false);
	case 10:
		return dpt_nl_put_name(&fx.out, &fx.req, &publ);
	case 11:
		return dpt_nl_put_publ(&fx.out, &fx.req, &publ);
	case 12:
		return dpt_nl_put_sock(&fx.out, &fx.req, &sock);
	case 13:
		return dpt_nl_put_diag(&fx.out, &fx.req, &sock);
	case 14:
		return dpt_nl_put_threshold(&fx.out, &fx.req, 32);
	case 15:
		return dpt_nl_put_monitor(&fx.out, &fx.req, &monitor);
	default:
		return dpt_nl_put_monitor_peer(&fx.out, &fx.req, &peer);
	}
}

#define KINDS_CNT 17

/* With every size up to one that is enough: all of a message is there, or nothing of it. */
static void
a_message_fits_or_leaves_no_trace(void)
{
	asked(TIPC_NL_NET_GET, DUMP_FLAGS);
	for (uint32_t kind = 0; kind < KINDS_CNT; kind++) {
		uint32_t bytes;

		cu_context("kind %" PRIu32, kind);
		fx.out.used = 0;
		fx.out.size = sizeof(fx.out_words);
		CU_TRUE(put_kind(kind));
		bytes = fx.out.used;
		CU_EQ_U64(bytes % 4, 0);
		for (uint32_t size = 0; size < 8 + bytes; size++) {
			/* (behind 8 octets of something else) */
			memset(fx.out_words, 0x5a, sizeof(fx.out_words));
			fx.out.used = 8;
			fx.out.size = size < 8 ? 8 : size;
			CU_TRUE(!put_kind(kind));
			CU_EQ_U64(fx.out.used, 8);
			CU_EQ_U64(fx.out.data[fx.out.size], 0x5a);
		}
		fx.out.size = 8 + bytes;
		CU_TRUE(put_kind(kind));
		CU_EQ_U64(fx.out.used, 8 + bytes);
		CU_EQ_U64(fx.out.data[8 + bytes], 0x5a);
	}
	fx_fini(&fx);
}

/* The last attribute of a nest ends with it, and there is nothing but attributes. */
static void
attrs_are_whole(const uint8_t *octets, uint32_t bytes)
{
	uint32_t pos = 0;

	while (pos < bytes) {
		struct nlattr attr;

		if (!CU_TRUE(bytes - pos >= sizeof(attr)))
			return;
		memcpy(&attr, octets + pos, sizeof(attr));
		if (!CU_TRUE(attr.nla_len >= 4) || !CU_TRUE(attr.nla_len <= bytes - pos))
			return;
		for (uint32_t i = attr.nla_len; i % 4 != 0; i++)
			CU_EQ_U64(octets[pos + i], 0);
		pos += (attr.nla_len + 3u) & ~3u;
	}
	CU_EQ_U64(pos, bytes);
}

static void
messages_are_whole_and_padded_with_zeros(void)
{
	asked(TIPC_NL_NET_GET, DUMP_FLAGS);
	for (uint32_t kind = 2; kind < KINDS_CNT; kind++) {
		const uint32_t skip = kind == 13 ? 16 : 20;
		struct nlmsghdr head;

		cu_context("kind %" PRIu32, kind);
		memset(fx.out_words, 0xa5, sizeof(fx.out_words));
		fx.out.used = 0;
		CU_TRUE(put_kind(kind));
		memcpy(&head, fx.out.data, sizeof(head));
		CU_EQ_U64(head.nlmsg_len, fx.out.used);
		CU_EQ_U64(head.nlmsg_seq, NL_FX_SEQ);
		CU_EQ_U64(head.nlmsg_pid, NL_FX_PID);
		CU_EQ_U64(head.nlmsg_flags, NLM_F_MULTI);
		attrs_are_whole(fx.out.data + skip, fx.out.used - skip);
		/* Of all there is one nest, and in it again attributes. */
		attrs_are_whole(fx.out.data + skip + 4, kind == 3 ? 0 : fx.out.used - skip - 4);
	}
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(a_connected_socket_names_its_peer),
	CU_TEST(congestion_is_told_to_ss),
	CU_TEST(a_group_has_one_scope),
	CU_TEST(broadcast_link_is_multi_even_in_a_do),
	CU_TEST(a_link_that_is_down_is_not_active),
	CU_TEST(largest_messages),
	CU_TEST(a_message_fits_or_leaves_no_trace),
	CU_TEST(messages_are_whole_and_padded_with_zeros),
};

const struct cu_suite put_suite = CU_TEST_SUITE("put", tests);
