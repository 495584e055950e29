/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: attributes are checked as the kernel does. 13-netlink.md, 4.6, row by row. The nest of a
 * command is at offset 20 of its message, the first attribute in it at 24.
 */
#include "netlink_suites.h"
#include "nl_fx.h"

#define POLICY "Attribute failed policy validation"

static struct nl_fx fx;
static const uint8_t zeros[4096];

static void
unknown_types_are_ignored(void)
{
	uint32_t nest;

	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	fx_u32(&fx, 11, 1);
	fx_u32(&fx, 0x3fff, 1);
	fx_u32(&fx, 0, 1);
	nest = fx_nest(&fx, TIPC_NLA_NET);
	fx_u32(&fx, TIPC_NLA_NET_MAX + 1, 1);
	fx_u32(&fx, TIPC_NLA_NET_ID, 17);
	fx_attr(&fx, 0, "", 0);
	fx_nest_end(&fx, nest);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.net_id, 17);
	CU_EQ_U64(fx.req.has, DPT_NL_HAS_NEST | DPT_NL_HAS_NET_ID);
	fx_fini(&fx);
}

static void
the_last_of_two_counts(void)
{
	uint32_t nest;

	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	fx_nest_u32(&fx, TIPC_NLA_NET, TIPC_NLA_NET_ADDR, 5);
	nest = fx_nest(&fx, TIPC_NLA_NET);
	fx_u32(&fx, TIPC_NLA_NET_ID, 17);
	fx_u32(&fx, TIPC_NLA_NET_ID, 18);
	fx_nest_end(&fx, nest);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.net_id, 18);
	CU_EQ_U64(fx.req.has, DPT_NL_HAS_NEST | DPT_NL_HAS_NET_ID);
	/* Each is checked, also one that does not count. */
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_NET);
	fx_attr(&fx, TIPC_NLA_NET_ID, zeros, 2);
	fx_u32(&fx, TIPC_NLA_NET_ID, 18);
	fx_nest_end(&fx, nest);
	fx_refuses_at(&fx, -ERANGE, POLICY, 24);
	fx_fini(&fx);
}

static void
flags_of_the_type_do_not_matter(void)
{
	const struct nlattr nest = {12, TIPC_NLA_NET};

	fx_init(&fx);
	/* A nest that is not marked; a number that is. */
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	fx_octets(&fx, &nest, sizeof(nest));
	fx_u32(&fx, TIPC_NLA_NET_ID | NLA_F_NESTED | NLA_F_NET_BYTEORDER, 17);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.net_id, 17);
	fx_fini(&fx);
}

/* One attribute of so many zero octets in the nest of NET_SET. */
static void
net_attr(uint16_t type, uint32_t bytes)
{
	uint32_t nest;

	cu_context("attribute %u, %" PRIu32 " octets", type, bytes);
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_NET);
	fx_attr(&fx, type, zeros, bytes);
	fx_nest_end(&fx, nest);
}

static void
numbers_may_be_longer_but_not_shorter(void)
{
	uint32_t nest;

	fx_init(&fx);
	for (uint32_t bytes = 0; bytes < 12; bytes++) {
		net_attr(TIPC_NLA_NET_NODEID_W1, bytes);
		if (bytes < 8)
			fx_refuses_at(&fx, -ERANGE, POLICY, 24);
		else
			fx_executes(&fx);
		net_attr(TIPC_NLA_NET_ID, bytes);
		if (bytes < 4)
			fx_refuses_at(&fx, -ERANGE, POLICY, 24);
		else /* it is 0, which is out of range */
			fx_executes_later(&fx, -EINVAL, NULL);
	}
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_NET);
	fx_attr(&fx, TIPC_NLA_NET_ID, "\1\2\0\0\377", 5);
	fx_nest_end(&fx, nest);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.net_id, 0x201);
	fx_fini(&fx);
}

static void
a_flag_has_no_payload(void)
{
	fx_init(&fx);
	net_attr(TIPC_NLA_NET_ADDR_LEGACY, 0);
	fx_executes(&fx);
	net_attr(TIPC_NLA_NET_ADDR_LEGACY, 1);
	fx_refuses_at(&fx, -ERANGE, POLICY, 24);
	fx_fini(&fx);
}

static void
a_nest_is_empty_or_holds_an_attribute(void)
{
	uint32_t nest;

	fx_init(&fx);
	for (uint32_t bytes = 0; bytes < 6; bytes++) {
		const bool is_bad = bytes > 0 && bytes < 4;

		cu_context("%" PRIu32 " octets", bytes);
		/* At the top, also where nobody needs it. */
		fx_begin(&fx, TIPC_NL_MON_GET, DO_FLAGS);
		fx_attr(&fx, TIPC_NLA_BEARER, zeros, bytes);
		if (is_bad)
			fx_refuses_at(&fx, -ERANGE, POLICY, 20);
		else
			fx_executes(&fx);
		/* In a nest. */
		fx_begin(&fx, TIPC_NL_BEARER_SET, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_BEARER);
		fx_text(&fx, TIPC_NLA_BEARER_NAME, "eth:eth0");
		fx_attr(&fx, TIPC_NLA_BEARER_PROP, zeros, bytes);
		fx_nest_end(&fx, nest);
		if (is_bad)
			fx_refuses_at(&fx, -ERANGE, POLICY, 40);
		else
			fx_executes(&fx);
	}
	fx_fini(&fx);
}

/* A name of `chars` letters, `nuls` NULs behind it, in `cmd`'s nest. */
static void
name_attr(uint8_t cmd, uint16_t nest_type, uint32_t chars, uint32_t nuls)
{
	uint8_t name[256] = {0};
	uint32_t nest;

	cu_context("command %u, %" PRIu32 " letters, %" PRIu32 " NULs", cmd, chars, nuls);
	memset(name, 'a', chars);
	fx_begin(&fx, cmd, DO_FLAGS);
	nest = fx_nest(&fx, nest_type);
	fx_attr(&fx, 1, name, chars + nuls);
	fx_nest_end(&fx, nest);
}

/* max: letters that the check lets through. */
static void
names_of(uint8_t cmd, uint16_t nest_type, uint32_t max)
{
	for (uint32_t chars = 0; chars <= max + 4; chars++) {
		name_attr(cmd, nest_type, chars, 0);
		fx_refuses_at(&fx, -EINVAL, POLICY, 24);
		name_attr(cmd, nest_type, chars, 1);
		if (chars > max) {
			fx_refuses_at(&fx, -EINVAL, POLICY, 24);
			continue;
		}
		fx_executes(&fx);
		CU_EQ_U64(strlen(fx.req.name), chars);
	}
	/* A NUL early in one that is too long. */
	name_attr(cmd, nest_type, 3, max - 2);
	fx_executes(&fx);
	CU_EQ_STR(fx.req.name, "aaa");
	name_attr(cmd, nest_type, 3, max - 1);
	fx_refuses_at(&fx, -ERANGE, POLICY, 24);
}

static void
names_end_with_nul_in_time(void)
{
	fx_init(&fx);
	names_of(TIPC_NL_BEARER_GET, TIPC_NLA_BEARER, 32);
	names_of(TIPC_NL_LINK_GET, TIPC_NLA_LINK, 68);
	fx_fini(&fx);
}

static void
a_media_name_needs_no_nul(void)
{
	uint32_t nest;

	fx_init(&fx);
	for (uint32_t bytes = 3; bytes < 6; bytes++) {
		fx_begin(&fx, TIPC_NL_MEDIA_GET, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_MEDIA);
		fx_attr(&fx, TIPC_NLA_MEDIA_NAME, "udp\0\0", bytes);
		fx_nest_end(&fx, nest);
		fx_executes(&fx);
		CU_EQ_STR(fx.req.name, "udp");
	}
	name_attr(TIPC_NL_MEDIA_GET, TIPC_NLA_MEDIA, 0, 0);
	fx_refuses_at(&fx, -ERANGE, POLICY, 24);
	name_attr(TIPC_NL_MEDIA_GET, TIPC_NLA_MEDIA, 200, 0);
	fx_refuses(&fx, -EINVAL, "Media not found");
	/* (cut, and nothing behind it is touched) */
	CU_TRUE(memchr(fx.req.name, '\0', sizeof(fx.req.name)) != NULL);
	CU_EQ_U64(fx.req.prio, 0);
	name_attr(TIPC_NL_MEDIA_GET, TIPC_NLA_MEDIA, 0, 1);
	fx_refuses(&fx, -EINVAL, "Media not found");
	fx_fini(&fx);
}

static void
binaries_have_a_largest_size(void)
{
	static const struct {
		uint16_t type;
		uint32_t max;
	} rows[] = {{TIPC_NLA_NODE_ID, 16}, {TIPC_NLA_NODE_KEY, 72}};
	uint32_t nest;

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_NODE);
		fx_attr(&fx, rows[i].type, zeros, rows[i].max);
		fx_nest_end(&fx, nest);
		CU_EQ_I64(fx_send(&fx), DPT_NL_EXECUTE);
		fx.bytes = 0;
		fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_NODE);
		fx_attr(&fx, rows[i].type, zeros, rows[i].max + 1);
		fx_nest_end(&fx, nest);
		fx_refuses_at(&fx, -ERANGE, POLICY, 24);
	}
	fx_fini(&fx);
}

static void
trailing_octets_are_ignored(void)
{
	static const struct nlattr too_long = {200, TIPC_NLA_NET}, too_short = {3, TIPC_NLA_NET};

	fx_init(&fx);
	for (uint32_t bytes = 1; bytes < 4; bytes++) {
		fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
		fx_nest_u32(&fx, TIPC_NLA_NET, TIPC_NLA_NET_ID, 17);
		fx_octets(&fx, zeros, bytes);
		fx_executes(&fx);
		CU_EQ_U64(fx.req.net_id, 17);
	}
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	fx_nest_u32(&fx, TIPC_NLA_NET, TIPC_NLA_NET_ID, 17);
	fx_octets(&fx, &too_long, sizeof(too_long));
	fx_executes(&fx);
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	fx_nest_u32(&fx, TIPC_NLA_NET, TIPC_NLA_NET_ID, 17);
	fx_octets(&fx, &too_short, sizeof(too_short));
	fx_nest_u32(&fx, TIPC_NLA_NET, TIPC_NLA_NET_ID, 18);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.net_id, 17);
	fx_fini(&fx);
}

/* A PROP or UDP_OPTS nest with one attribute, behind the name, in BEARER_ENABLE. */
static void
enable_with(const char *name, uint16_t nest_type, uint16_t type, uint32_t bytes)
{
	uint32_t nest, inner;

	fx_begin(&fx, TIPC_NL_BEARER_ENABLE, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_BEARER);
	fx_text(&fx, TIPC_NLA_BEARER_NAME, name);
	inner = fx_nest(&fx, nest_type);
	fx_attr(&fx, type, zeros, bytes);
	fx_nest_end(&fx, inner);
	fx_nest_end(&fx, nest);
}

static void
errors_in_the_second_nest_have_no_text(void)
{
	fx_init(&fx);
	enable_with("eth:eth0", TIPC_NLA_BEARER_PROP, TIPC_NLA_PROP_PRIO, 3);
	fx_refuses(&fx, -ERANGE, NULL);
	enable_with("udp:a", TIPC_NLA_BEARER_UDP_OPTS, TIPC_NLA_UDP_LOCAL, 129);
	fx_executes_later(&fx, -EINVAL, "Failed to enable media");
	fx_fini(&fx);
}

static void
link_dump_is_strict_at_the_top(void)
{
	static const uint8_t plain[] = {8, 0, TIPC_NLA_LINK, 0, 4, 0, TIPC_NLA_LINK_BROADCAST, 0};
	uint32_t nest;

	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_u32(&fx, 11, 0);
	fx_refuses_at(&fx, -EINVAL, "Unknown attribute type", 20);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_u32(&fx, 0, 0);
	fx_refuses_at(&fx, -EINVAL, "Unknown attribute type", 20);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_nest_empty(&fx, TIPC_NLA_MON_PEER);
	fx_refuses_at(&fx, -EINVAL, "Unsupported attribute", 20);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_octets(&fx, plain, sizeof(plain));
	fx_refuses_at(&fx, -EINVAL, "NLA_F_NESTED is missing", 20);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_attr(&fx, TIPC_NLA_LINK | NLA_F_NESTED, zeros, 2);
	fx_refuses_at(&fx, -ERANGE, POLICY, 20);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_octets(&fx, zeros, 2);
	fx_refuses(&fx, -EINVAL, "bytes leftover after parsing attributes");

	/* Inside it is liberal. What is wrong there comes at the end of the dump. */
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_LINK);
	fx_u32(&fx, TIPC_NLA_LINK_MAX + 1, 0);
	fx_attr(&fx, TIPC_NLA_LINK_BROADCAST, zeros, 0);
	fx_octets(&fx, zeros, 2);
	fx_nest_end(&fx, nest);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, DPT_NL_HAS_NEST | DPT_NL_HAS_BCAST_LINKS);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_LINK);
	fx_attr(&fx, TIPC_NLA_LINK_BROADCAST, zeros, 1);
	fx_nest_end(&fx, nest);
	fx_ends_dump(&fx, -ERANGE);
	fx_fini(&fx);
}

static void
key_set_is_strict_in_its_nest(void)
{
	static const struct nlattr plain = {12, TIPC_NLA_NODE};
	uint32_t nest;

	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
	fx_octets(&fx, &plain, sizeof(plain));
	fx_u32(&fx, TIPC_NLA_NODE_REKEYING, 1);
	fx_refuses_at(&fx, -EINVAL, "NLA_F_NESTED is missing", 20);
	fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
	fx_nest_u32(&fx, TIPC_NLA_NODE, TIPC_NLA_NODE_MAX + 1, 1);
	fx_refuses_at(&fx, -EINVAL, "Unknown attribute type", 24);
	for (uint32_t bytes = 0; bytes < 8; bytes++) {
		fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
		nest = fx_nest(&fx, TIPC_NLA_NODE);
		fx_attr(&fx, TIPC_NLA_NODE_REKEYING, zeros, bytes);
		fx_nest_end(&fx, nest);
		if (bytes == 4)
			fx_executes(&fx);
		else
			fx_refuses_at(&fx, -EINVAL, "invalid attribute length", 24);
	}
	fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
	fx_nest_u32(&fx, TIPC_NLA_NODE, TIPC_NLA_NODE_REKEYING | NLA_F_NESTED, 1);
	fx_refuses_at(&fx, -EINVAL, "NLA_F_NESTED not expected", 24);
	/* At the top it is liberal. */
	fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
	fx_u32(&fx, 11, 1);
	fx_nest_u32(&fx, TIPC_NLA_NODE, TIPC_NLA_NODE_REKEYING, 1);
	fx_executes(&fx);
	fx_fini(&fx);
}

static void
most_dumps_do_not_look_at_attributes(void)
{
	static const uint8_t cmds[] = {TIPC_NL_BEARER_GET, TIPC_NL_SOCK_GET, TIPC_NL_MEDIA_GET,
				       TIPC_NL_NODE_GET,   TIPC_NL_NET_GET,  TIPC_NL_NAME_TABLE_GET,
				       TIPC_NL_MON_GET};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(cmds); i++) {
		fx_begin(&fx, cmds[i], DUMP_FLAGS);
		fx_attr(&fx, TIPC_NLA_BEARER, zeros, 2);
		fx_u32(&fx, 99, 0);
		fx_octets(&fx, zeros, 3);
		fx_executes(&fx);
		CU_EQ_U64(fx.req.has, 0);
	}
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(unknown_types_are_ignored),
	CU_TEST(the_last_of_two_counts),
	CU_TEST(flags_of_the_type_do_not_matter),
	CU_TEST(numbers_may_be_longer_but_not_shorter),
	CU_TEST(a_flag_has_no_payload),
	CU_TEST(a_nest_is_empty_or_holds_an_attribute),
	CU_TEST(names_end_with_nul_in_time),
	CU_TEST(a_media_name_needs_no_nul),
	CU_TEST(binaries_have_a_largest_size),
	CU_TEST(trailing_octets_are_ignored),
	CU_TEST(errors_in_the_second_nest_have_no_text),
	CU_TEST(link_dump_is_strict_at_the_top),
	CU_TEST(key_set_is_strict_in_its_nest),
	CU_TEST(most_dumps_do_not_look_at_attributes),
};

const struct cu_suite attr_suite = CU_TEST_SUITE("attributes", tests);
