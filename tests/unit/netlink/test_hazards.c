/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: what a program can do to who reads its messages and to itself. 13-netlink.md, 11 and
 * 11-management.md, "Hazards", line by line, as far as octets decide.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include <linux/tipc.h>

#include "netlink_suites.h"
#include "nl_fx.h"
#include "nl_golden.h"

static struct nl_fx fx;
static const uint8_t zeros[256];

/* Reads all requests of a datagram that lies in exactly as many octets. */
static void
read_all(const uint8_t *octets, uint32_t bytes)
{
	uint8_t *datagram = malloc(bytes + (bytes == 0));
	uint32_t pos = 0, before;
	enum dpt_nl_result result;

	CU_NOT_NULL_FATAL(datagram);
	memcpy(datagram, octets, bytes);
	do {
		before = pos;
		fx.out.used = 0;
		result = dpt_nl_next(&fx.peer, datagram, bytes, &pos, &fx.req, &fx.out);
		CU_TRUE(pos <= bytes);
		CU_TRUE(fx.out.used <= fx.out.size);
		if (result == DPT_NL_END)
			break;
		CU_TRUE(pos > before);
		CU_TRUE(strnlen(fx.req.name, DPT_NL_NAME_BYTES) < DPT_NL_NAME_BYTES);
		CU_TRUE(fx.req.key_bytes <= DPT_NL_KEY_BYTES);
		CU_TRUE(fx.req.msg_bytes <= bytes - before);
		CU_TRUE(result != DPT_NL_EXECUTE || fx.out.used == 0);
	} while (result != DPT_NL_END);
	CU_EQ_U64(pos, bytes);
	free(datagram);
}

static const uint32_t lengths[] = {0,	 1,	 2,	 3,	     4,		 5,	    7,	8,
				   12,	 15,	 16,	 17,	     19,	 20,	    33, 255,
				   4096, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, UINT32_MAX};

/* Each recorded request, cut short everywhere, and with each length in it replaced. */
static void
hazard_13_1_and_11_1_every_length_is_hostile(void)
{
	uint8_t octets[NL_FX_BYTES], changed[NL_FX_BYTES];
	uint32_t bytes, requests_cnt = 0;

	fx_init(&fx);
	for (size_t i = 0; i < nl_goldens_cnt; i++) {
		const char *exchange = nl_goldens[i].exchange;

		for (uint32_t n = 0; n < 2; n++) {
			if (i > 0 && strcmp(nl_goldens[i - 1].exchange, exchange) == 0)
				continue;
			bytes = fx_golden_octets(exchange, '>', n, octets);
			if (bytes == 0)
				continue;
			requests_cnt++;
			cu_context("exchange %s, request %" PRIu32, exchange, n);
			fx.peer.protocol = octets[4] == 20 ? NETLINK_SOCK_DIAG : NETLINK_GENERIC;
			for (uint32_t cut = 0; cut <= bytes; cut++)
				read_all(octets, cut);
			for (uint32_t k = 0; k < CU_CNT(lengths); k++) {
				memcpy(changed, octets, bytes);
				memcpy(changed, &lengths[k], 4);
				read_all(changed, bytes);
				for (uint32_t at = 20; at + 4 <= bytes; at += 4) {
					memcpy(changed, octets, bytes);
					memcpy(changed + at, &lengths[k], 2);
					read_all(changed, bytes);
				}
			}
		}
	}
	CU_EQ_U64(requests_cnt, 48);
	fx_fini(&fx);
}

/* mnl_nlmsg_ok() takes them for good. */
static void
hazard_13_1_message_lengths_from_2_to_the_31st_on(void)
{
	const struct nlmsghdr msg = {
		.nlmsg_len = 0xfffffff0u, .nlmsg_type = DPT_NL_FAMILY_ID, .nlmsg_flags = DO_FLAGS};

	fx_init(&fx);
	memcpy(fx.words, &msg, sizeof(msg));
	fx.bytes = 20;
	CU_EQ_I64(fx_send(&fx), DPT_NL_END);
	CU_EQ_U64(fx.pos, 20);
	CU_EQ_U64(fx.out.used, 0);
	fx_fini(&fx);
}

/* An attribute that ends beyond its nest is not there, though the message is long enough. */
static void
hazard_13_1_and_11_1_nests_end_where_they_say(void)
{
	static const struct nlattr nest = {8, TIPC_NLA_NET}, outer = {0xfffc, TIPC_NLA_NET};

	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	fx_octets(&fx, &nest, sizeof(nest));
	fx_u32(&fx, TIPC_NLA_NET_ID, 17);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, DPT_NL_HAS_NEST);
	/* Nor is a nest that ends beyond the message. */
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	fx_octets(&fx, &outer, sizeof(outer));
	fx_u32(&fx, TIPC_NLA_NET_ID, 17);
	fx_refuses(&fx, -EINVAL, NULL);
	fx_fini(&fx);
}

static void
hazard_11_1_names_that_are_long_or_lack_their_nul(void)
{
	static char name[200];
	uint32_t nest;

	fx_init(&fx);
	memset(name, 'a', sizeof(name));
	for (uint32_t bytes = 0; bytes < sizeof(name); bytes++) {
		fx_begin(&fx, TIPC_NL_BEARER_ENABLE, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_BEARER);
		fx_attr(&fx, TIPC_NLA_BEARER_NAME, name, bytes);
		fx_nest_end(&fx, nest);
		fx_refuses_at(&fx, -EINVAL, "Attribute failed policy validation", 24);
		fx_begin(&fx, TIPC_NL_LINK_SET, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_LINK);
		fx_attr(&fx, TIPC_NLA_LINK_NAME, name, bytes);
		fx_nest_end(&fx, nest);
		fx_refuses_at(&fx, -EINVAL, "Attribute failed policy validation", 24);
	}
	fx_fini(&fx);
}

/* Depth costs nothing: no nest is entered that is not known. */
static void
hazard_11_1_deep_nesting(void)
{
	uint32_t nests[1000];

	fx_init(&fx);
	for (uint16_t type = 1; type <= TIPC_NLA_MON_PEER; type++) {
		fx_begin(&fx, TIPC_NL_MON_GET, DO_FLAGS);
		for (uint32_t i = 0; i < CU_CNT(nests); i++)
			nests[i] = fx_nest(&fx, type);
		for (uint32_t i = 0; i < CU_CNT(nests); i++)
			fx_nest_end(&fx, nests[i]);
		fx_executes(&fx);
	}
	fx_fini(&fx);
}

static void
hazard_11_1_of_duplicates_the_last_one_counts(void)
{
	uint32_t nest;

	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_BEARER_GET, DO_FLAGS);
	fx_nest_text(&fx, TIPC_NLA_BEARER, TIPC_NLA_BEARER_NAME, "eth:first");
	nest = fx_nest(&fx, TIPC_NLA_BEARER);
	fx_text(&fx, TIPC_NLA_BEARER_NAME, "eth:second");
	fx_text(&fx, TIPC_NLA_BEARER_NAME, "eth:third");
	fx_nest_end(&fx, nest);
	fx_executes(&fx);
	CU_EQ_STR(fx.req.name, "eth:third");
	fx_fini(&fx);
}

static void
key_set(const uint8_t alg_name[32], uint32_t key_bytes, uint32_t bytes)
{
	uint8_t key[256] = {0};
	uint32_t nest;

	memcpy(key, alg_name, 32);
	memcpy(key + 32, &key_bytes, 4);
	memset(key + 36, 'k', 36);
	fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_NODE);
	fx_attr(&fx, TIPC_NLA_NODE_KEY, key, bytes);
	fx_nest_end(&fx, nest);
}

static void
hazard_13_2_and_11_3_alg_name_without_nul(void)
{
	static const char unknown[] = "unable to load the algorithm (module existed?)";
	uint8_t name[32];

	fx_init(&fx);
	memset(name, 'a', sizeof(name));
	key_set(name, 20, 56);
	fx_executes_later(&fx, -ENODEV, unknown);
	/* Filled up behind the right one. */
	memcpy(name, "gcm(aes)", 8);
	key_set(name, 20, 56);
	fx_executes_later(&fx, -ENODEV, unknown);
	/* The octets behind the NUL do not count. */
	name[8] = '\0';
	key_set(name, 20, 56);
	fx_executes(&fx);
	fx_fini(&fx);
}

static void
hazard_11_3_and_13_1_keylen_against_the_attribute(void)
{
	static const uint8_t name[32] = "gcm(aes)";
	static const uint32_t keylens[] = {0,  4,  19,	       20,	   28,
					   36, 37, 0x7fffffff, 0xffffffdc, UINT32_MAX};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(keylens); i++) {
		const uint32_t keylen = keylens[i];

		for (uint32_t bytes = 0; bytes <= 72; bytes++) {
			cu_context("keylen %" PRIu32 " in %" PRIu32 " octets", keylen, bytes);
			key_set(name, keylen, bytes);
			if (bytes < 36 || keylen > 36 || 36 + keylen > bytes) {
				fx_executes_later(&fx, -EINVAL, NULL);
				CU_EQ_U64(fx.req.key_bytes, 0);
			} else if (keylen == 20 || keylen == 28 || keylen == 36) {
				fx_executes(&fx);
				CU_EQ_U64(fx.req.key_bytes, keylen);
			} else {
				fx_executes_later(&fx, -EKEYREJECTED,
						  "incorrect key length (20, 28 or 36 octets?)");
				CU_EQ_U64(fx.req.key_bytes, 0);
			}
		}
	}
	fx_fini(&fx);
}

static void
hazard_13_4_several_requests_in_one_datagram(void)
{
	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_NET_GET, DUMP_FLAGS);
	/* Its length is no multiple of 4: the next one begins at one. */
	fx_begin(&fx, TIPC_NL_MON_GET, DO_FLAGS);
	fx_octets(&fx, "", 1);
	fx_begin(&fx, 99, DO_FLAGS);
	fx_begin_type(&fx, NLMSG_NOOP, 0);
	fx_begin(&fx, TIPC_NL_KEY_FLUSH, DO_FLAGS);
	CU_EQ_I64(fx_send(&fx), DPT_NL_EXECUTE);
	CU_EQ_U64(fx.req.cmd, TIPC_NL_NET_GET);
	CU_TRUE(fx.req.is_dump);
	CU_EQ_I64(fx_next(&fx), DPT_NL_EXECUTE);
	CU_EQ_U64(fx.req.cmd, TIPC_NL_MON_GET);
	CU_TRUE(!fx.req.is_dump);
	CU_EQ_U64(fx.req.msg_bytes, 21);
	CU_EQ_I64(fx_next(&fx), DPT_NL_ANSWERED);
	CU_EQ_U64(fx.out.used, 36);
	CU_EQ_I64(fx_next(&fx), DPT_NL_ANSWERED);
	CU_EQ_U64(fx.out.used, 0);
	CU_EQ_I64(fx_next(&fx), DPT_NL_EXECUTE);
	CU_EQ_U64(fx.req.cmd, TIPC_NL_KEY_FLUSH);
	CU_EQ_I64(fx_next(&fx), DPT_NL_END);
	CU_EQ_I64(fx_next(&fx), DPT_NL_END);
	fx_fini(&fx);
}

/* A length below 16 or beyond the datagram ends it: what is behind is not read. */
static void
hazard_13_4_a_bad_length_ends_the_datagram(void)
{
	static const uint32_t bad[] = {0, 15, 41, UINT32_MAX};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(bad); i++) {
		fx_begin(&fx, TIPC_NL_MON_GET, DO_FLAGS);
		fx_begin(&fx, TIPC_NL_MON_GET, DO_FLAGS);
		fx_begin(&fx, TIPC_NL_KEY_FLUSH, DO_FLAGS);
		fx.words[5] = bad[i];
		CU_EQ_I64(fx_send(&fx), DPT_NL_EXECUTE);
		CU_EQ_I64(fx_next(&fx), DPT_NL_END);
		CU_EQ_U64(fx.pos, 60);
		CU_EQ_U64(fx.out.used, 0);
		fx.bytes = 0;
	}
	fx_fini(&fx);
}

static void
hazard_13_5_only_the_first_colon_divides(void)
{
	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_BEARER_ENABLE, DO_FLAGS);
	fx_nest_text(&fx, TIPC_NLA_BEARER, TIPC_NLA_BEARER_NAME, "eth:0000:3b:00.1");
	fx_executes(&fx);
	CU_EQ_STR(fx.req.name, "eth:0000:3b:00.1");
	/* The media is what is before it: nothing, here. */
	fx_begin(&fx, TIPC_NL_BEARER_ENABLE, DO_FLAGS);
	fx_nest_text(&fx, TIPC_NLA_BEARER, TIPC_NLA_BEARER_NAME, "::eth");
	fx_refuses(&fx, -EINVAL, "Illegal name");
	fx_begin(&fx, TIPC_NL_BEARER_ENABLE, DO_FLAGS);
	fx_nest_text(&fx, TIPC_NLA_BEARER, TIPC_NLA_BEARER_NAME, "x:udp:a");
	fx_refuses(&fx, -EINVAL, "Media not registered");
	fx_fini(&fx);
}

/* Messages of all padded lengths, as many as there is room for: never more than 4096 octets. */
static void
hazard_13_7_a_datagram_has_4096_octets(void)
{
	char name[DPT_LINK_NAME_BYTES];
	struct dpt_nl_link link = {.name = name, .is_up = true, .is_active = true};
	uint32_t cnt, bytes;

	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_executes(&fx);
	for (uint32_t chars = 0; chars < sizeof(name); chars++) {
		memset(name, 'a', sizeof(name));
		name[chars] = '\0';
		fx.out.used = 0;
		for (cnt = 0; dpt_nl_put_link(&fx.out, &fx.req, &link); cnt++)
			CU_TRUE_FATAL(fx.out.used <= 4096);
		/* 368 octets and the attribute of the name with its NUL, padded. */
		bytes = 368 + 4 + (chars + 1 + 3) / 4 * 4;
		CU_EQ_U64(cnt, 4096 / bytes);
		CU_EQ_U64(fx.out.used, cnt * bytes);
	}
	fx_fini(&fx);
}

/* Zero-extended, and not read beyond their end. */
static void
hazard_11_2_and_13_1_sockaddr_of_any_length(void)
{
	uint8_t addr[132];
	uint32_t nest, opts;

	memset(addr, 0xff, sizeof(addr));
	addr[0] = AF_INET6;
	addr[1] = 0;
	fx_init(&fx);
	for (uint32_t bytes = 0; bytes < sizeof(addr); bytes++) {
		cu_context("%" PRIu32 " octets", bytes);
		fx_begin(&fx, TIPC_NL_BEARER_ENABLE, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_BEARER);
		fx_text(&fx, TIPC_NLA_BEARER_NAME, "udp:a");
		opts = fx_nest(&fx, TIPC_NLA_BEARER_UDP_OPTS);
		fx_attr(&fx, TIPC_NLA_UDP_REMOTE, addr, bytes);
		fx_attr(&fx, TIPC_NLA_UDP_LOCAL, addr, bytes);
		fx_nest_end(&fx, opts);
		fx_nest_end(&fx, nest);
		if (bytes == 0) {
			fx_executes_later(&fx, -EADDRNOTAVAIL, "Failed to enable media");
			continue;
		}
		if (bytes > 128) {
			fx_executes_later(&fx, -EINVAL, "Failed to enable media");
			continue;
		}
		fx_executes(&fx);
		CU_EQ_MEM(&fx.req.local, addr, bytes);
		CU_EQ_MEM((uint8_t *)&fx.req.local + bytes, zeros, sizeof(fx.req.local) - bytes);
	}
	fx_fini(&fx);
}

static void
hazard_11_4_peer_remove_without_address(void)
{
	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_PEER_REMOVE, DO_FLAGS);
	fx_nest_empty(&fx, TIPC_NLA_NET);
	fx_refuses(&fx, -EINVAL, NULL);
	fx_begin(&fx, TIPC_NL_PEER_REMOVE, DO_FLAGS);
	fx_nest_u32(&fx, TIPC_NLA_NET, TIPC_NLA_NET_ID, 4711);
	fx_refuses(&fx, -EINVAL, NULL);
	fx_fini(&fx);
}

/* The first octet of the number is at 28, then at 32: a sanitizer sees a read that needs 8. */
static void
hazard_11_5_identity_halves_are_not_aligned(void)
{
	uint32_t nest;

	fx_init(&fx);
	for (uint32_t shift = 0; shift < 2; shift++) {
		fx_begin(&fx, TIPC_NL_PEER_REMOVE, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_NET);
		if (shift > 0)
			fx_attr(&fx, TIPC_NLA_NET_ADDR_LEGACY, "", 0);
		fx_attr(&fx, TIPC_NLA_NET_NODEID, "01234567", 8);
		fx_attr(&fx, TIPC_NLA_NET_NODEID_W1, "89abcdef", 8);
		fx_nest_end(&fx, nest);
		fx_executes(&fx);
		CU_EQ_MEM(fx.req.node_id.bytes, "0123456789abcdef", 16);
	}
	fx_fini(&fx);
}

/* What `-1` on the command line becomes. */
static void
hazard_11_6_numbers_of_all_ones(void)
{
	static const struct {
		uint16_t prop;
		int rc;
	} rows[] = {{TIPC_NLA_PROP_PRIO, -EINVAL},
		    {TIPC_NLA_PROP_TOL, -EINVAL},
		    {TIPC_NLA_PROP_WIN, -EINVAL},
		    {TIPC_NLA_PROP_MTU, -ERANGE},
		    {TIPC_NLA_PROP_BROADCAST, -EINVAL}};
	uint32_t nest, props;

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(rows) + 1; i++) {
		fx_begin(&fx, TIPC_NL_LINK_SET, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_LINK);
		fx_text(&fx, TIPC_NLA_LINK_NAME, "broadcast-link");
		props = fx_nest(&fx, TIPC_NLA_LINK_PROP);
		fx_u32(&fx, i < CU_CNT(rows) ? rows[i].prop : TIPC_NLA_PROP_BROADCAST_RATIO,
		       UINT32_MAX);
		fx_nest_end(&fx, props);
		fx_nest_end(&fx, nest);
		if (i < CU_CNT(rows))
			fx_refuses(&fx, rows[i].rc, NULL);
		else
			fx_executes_later(&fx, -EINVAL, NULL);
	}
	fx_begin(&fx, TIPC_NL_MON_SET, DO_FLAGS);
	fx_nest_u32(&fx, TIPC_NLA_MON, TIPC_NLA_MON_ACTIVATION_THRESHOLD, UINT32_MAX);
	fx_refuses(&fx, -EINVAL, NULL);
	/* Every domain is one. */
	fx_begin(&fx, TIPC_NL_BEARER_ENABLE, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_BEARER);
	fx_u32(&fx, TIPC_NLA_BEARER_DOMAIN, UINT32_MAX);
	fx_text(&fx, TIPC_NLA_BEARER_NAME, "eth:eth0");
	fx_nest_end(&fx, nest);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.domain, UINT32_MAX);
	fx_fini(&fx);
}

static uint32_t
u32_at(uint32_t offset)
{
	uint32_t value;

	memcpy(&value, fx.out.data + offset, sizeof(value));
	return value;
}

static void
dump_begins(uint8_t cmd)
{
	fx_init(&fx);
	fx_begin(&fx, cmd, DUMP_FLAGS);
	if (cmd == TIPC_NL_MON_PEER_GET)
		fx_nest_u32(&fx, TIPC_NLA_MON, TIPC_NLA_MON_REF, 0);
	fx_executes(&fx);
}

static void
hazard_11_13_applied_is_at_most_the_members(void)
{
	static const struct {
		bool has_domain;
		uint32_t applied_cnt, members_cnt, applied_is, members_are;
	} rows[] = {
		{true, 2, 2, 2, 2},	{true, 3, 2, 2, 2},	{true, UINT32_MAX, 0, 0, 0},
		{true, 70, 70, 64, 64}, {true, 64, 64, 64, 64}, {false, 5, 5, 0, 0},
	};

	dump_begins(TIPC_NL_MON_PEER_GET);
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		struct dpt_nl_monitor_peer peer = {
			.has_domain = rows[i].has_domain,
			.applied_cnt = rows[i].applied_cnt,
			.members_cnt = rows[i].members_cnt,
		};

		cu_context("row %" PRIu32, i);
		fx.out.used = 0;
		CU_TRUE(dpt_nl_put_monitor_peer(&fx.out, &fx.req, &peer));
		/* ADDR is at 24, APPLIED at 32. */
		CU_EQ_U64(u32_at(36), rows[i].applied_is);
		CU_EQ_U64(fx.out.used,
			  rows[i].has_domain ? 40 + 8 + 12 + 4 + 4 * rows[i].members_are : 40u);
	}
	fx_fini(&fx);
}

static void
hazard_11_14_nothing_that_crashes_the_tool(void)
{
	struct dpt_nl_link link = {.name = "a:x-b:y"};
	struct dpt_nl_bcast_link bcast = {.name = "broadcast-link", .ratio = 10};
	struct dpt_nl_publ publ = {.scope = 0};

	dump_begins(TIPC_NL_LINK_GET);
	/* It divides by MSG_PROF_TOT, number 11 of 33. */
	for (uint32_t cnt = 0; cnt < 3; cnt++) {
		fx.out.used = 0;
		link.stats[TIPC_NLA_STATS_MSG_LEN_CNT] = cnt;
		CU_TRUE(dpt_nl_put_link(&fx.out, &fx.req, &link));
		CU_EQ_U64(u32_at(fx.out.used - (33 - 10) * 8 + 4), cnt == 0 ? 1 : cnt);
	}
	/* It knows the methods 1, 2 and 4; with 4 it wants a ratio. */
	for (uint32_t method = 0; method < 9; method++) {
		const bool is_forced = method == 1 || method == 2;

		fx.out.used = 0;
		bcast.method = method;
		CU_TRUE(dpt_nl_put_bcast_link(&fx.out, &fx.req, &bcast));
		CU_EQ_U64(fx.out.used, is_forced ? 244 : 252);
		CU_EQ_U64(u32_at(84), is_forced ? method : 4);
	}
	/* It looks up the word of a scope. */
	for (uint32_t scope = 0; scope < 6; scope++) {
		fx.out.used = 0;
		publ.scope = scope;
		CU_TRUE(dpt_nl_put_name(&fx.out, &fx.req, &publ));
		CU_EQ_U64(u32_at(56), scope >= 1 && scope <= 3 ? scope : 2);
	}
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_13_1_and_11_1_every_length_is_hostile),
	CU_TEST(hazard_13_1_message_lengths_from_2_to_the_31st_on),
	CU_TEST(hazard_13_1_and_11_1_nests_end_where_they_say),
	CU_TEST(hazard_11_1_names_that_are_long_or_lack_their_nul),
	CU_TEST(hazard_11_1_deep_nesting),
	CU_TEST(hazard_11_1_of_duplicates_the_last_one_counts),
	CU_TEST(hazard_13_2_and_11_3_alg_name_without_nul),
	CU_TEST(hazard_11_3_and_13_1_keylen_against_the_attribute),
	CU_TEST(hazard_13_4_several_requests_in_one_datagram),
	CU_TEST(hazard_13_4_a_bad_length_ends_the_datagram),
	CU_TEST(hazard_13_5_only_the_first_colon_divides),
	CU_TEST(hazard_13_7_a_datagram_has_4096_octets),
	CU_TEST(hazard_11_2_and_13_1_sockaddr_of_any_length),
	CU_TEST(hazard_11_4_peer_remove_without_address),
	CU_TEST(hazard_11_5_identity_halves_are_not_aligned),
	CU_TEST(hazard_11_6_numbers_of_all_ones),
	CU_TEST(hazard_11_13_applied_is_at_most_the_members),
	CU_TEST(hazard_11_14_nothing_that_crashes_the_tool),
};

const struct cu_suite hazards_suite = CU_TEST_SUITE("hazards", tests);
