/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: requests about bearers and media are checked in the kernel's order, up to the first check
 * that needs state. 13-netlink.md, 5.2 to 5.5, 5.11, 5.12, 5.21, 5.22.
 */
#include <netinet/in.h>

#include "netlink_suites.h"
#include "nl_fx.h"

#define FAILED	  "Failed to enable media"
#define NOT_UDP	  "MTU property is unsupported"
#define MTU_RANGE "MTU value is out-of-range"

static struct nl_fx fx;

/* What a request about a bearer may hold; members that are not set are left out. */
struct bearer_req {
	const char *name;
	uint32_t prop, value; /* one property */
	uint32_t prop2, value2;
	bool has_opts;
	const void *local, *remote;
	uint32_t local_bytes, remote_bytes;
};

static void
opts_put(const struct bearer_req *b)
{
	uint32_t opts = fx_nest(&fx, TIPC_NLA_BEARER_UDP_OPTS);

	if (b->local != NULL)
		fx_attr(&fx, TIPC_NLA_UDP_LOCAL, b->local, b->local_bytes);
	if (b->remote != NULL)
		fx_attr(&fx, TIPC_NLA_UDP_REMOTE, b->remote, b->remote_bytes);
	fx_nest_end(&fx, opts);
}

static void
props_put(uint16_t type, const struct bearer_req *b)
{
	uint32_t props = fx_nest(&fx, type);

	fx_u32(&fx, (uint16_t)b->prop, b->value);
	if (b->prop2 != 0)
		fx_u32(&fx, (uint16_t)b->prop2, b->value2);
	fx_nest_end(&fx, props);
}

static void
bearer(uint8_t cmd, struct bearer_req b)
{
	uint32_t nest;

	fx_begin(&fx, cmd, cmd == TIPC_NL_UDP_GET_REMOTEIP ? DUMP_FLAGS : DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_BEARER);
	if (b.prop != 0)
		props_put(TIPC_NLA_BEARER_PROP, &b);
	if (b.name != NULL)
		fx_text(&fx, TIPC_NLA_BEARER_NAME, b.name);
	if (b.has_opts)
		opts_put(&b);
	fx_nest_end(&fx, nest);
}

static void
media(uint8_t cmd, struct bearer_req b)
{
	uint32_t nest;

	fx_begin(&fx, cmd, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_MEDIA);
	if (b.name != NULL)
		fx_text(&fx, TIPC_NLA_MEDIA_NAME, b.name);
	if (b.prop != 0)
		props_put(TIPC_NLA_MEDIA_PROP, &b);
	fx_nest_end(&fx, nest);
}

static void
nest_and_name_must_be_there(void)
{
	static const uint8_t bearer_cmds[] = {TIPC_NL_BEARER_DISABLE, TIPC_NL_BEARER_ENABLE,
					      TIPC_NL_BEARER_GET, TIPC_NL_BEARER_SET,
					      TIPC_NL_BEARER_ADD};
	static const uint8_t media_cmds[] = {TIPC_NL_MEDIA_GET, TIPC_NL_MEDIA_SET};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(bearer_cmds); i++) {
		fx_begin(&fx, bearer_cmds[i], DO_FLAGS);
		fx_refuses(&fx, -EINVAL, NULL);
		bearer(bearer_cmds[i], (struct bearer_req){.name = NULL});
		fx_refuses(&fx, -EINVAL, NULL);
		/* (another nest does not count) */
		fx_begin(&fx, bearer_cmds[i], DO_FLAGS);
		fx_nest_text(&fx, TIPC_NLA_MEDIA, 1, "eth:eth0");
		fx_refuses(&fx, -EINVAL, NULL);
		bearer(bearer_cmds[i], (struct bearer_req){.name = "eth:eth0"});
		fx_executes(&fx);
		CU_EQ_STR(fx.req.name, "eth:eth0");
	}
	for (uint32_t i = 0; i < CU_CNT(media_cmds); i++) {
		fx_begin(&fx, media_cmds[i], DO_FLAGS);
		fx_refuses(&fx, -EINVAL, NULL);
		media(media_cmds[i], (struct bearer_req){.name = NULL});
		fx_refuses(&fx, -EINVAL, NULL);
	}
	fx_begin(&fx, TIPC_NL_UDP_GET_REMOTEIP, DUMP_FLAGS);
	fx_ends_dump(&fx, -EINVAL);
	bearer(TIPC_NL_UDP_GET_REMOTEIP, (struct bearer_req){.name = NULL});
	fx_ends_dump(&fx, -EINVAL);
	fx_fini(&fx);
}

/* Any name goes to the caller but with ENABLE. */
static void
names_of_bearers_are_media_and_interface(void)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"eth:eth0", NULL},
		{"ib:ib0", NULL},
		{"eth:0000:01:00.0", NULL},
		{"eth:123456789012345", NULL},
		{"unix:wire1", NULL},
		{"uni:wire1", "Media not registered"},
		{"eth:1234567890123456", "Illegal name"},
		{"eth:", "Illegal name"},
		{":eth0", "Illegal name"},
		{"eth0", "Illegal name"},
		{"", "Illegal name"},
		{":", "Illegal name"},
		{"123456789012345:123456789012345", "Media not registered"},
		{"1234567890123456:1", "Illegal name"},
		{"123456789012345:1234567890123456", "Illegal name"},
		{"et:eth0", "Media not registered"},
		{"ethe:eth0", "Media not registered"},
		{"ETH:eth0", "Media not registered"},
	};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		cu_context("%s", rows[i].name);
		bearer(TIPC_NL_BEARER_ENABLE, (struct bearer_req){.name = rows[i].name});
		if (rows[i].text == NULL)
			fx_executes(&fx);
		else
			fx_refuses(&fx, -EINVAL, rows[i].text);
		bearer(TIPC_NL_BEARER_DISABLE, (struct bearer_req){.name = rows[i].name});
		fx_executes(&fx);
	}
	fx_fini(&fx);
}

/* Each PROP member in range or not, whatever the command. */
static const struct {
	uint16_t prop;
	uint32_t value;
	int rc;
} ranges[] = {
	{TIPC_NLA_PROP_PRIO, 0, 0},
	{TIPC_NLA_PROP_PRIO, 31, 0},
	{TIPC_NLA_PROP_PRIO, 32, -EINVAL},
	{TIPC_NLA_PROP_PRIO, UINT32_MAX, -EINVAL},
	{TIPC_NLA_PROP_TOL, 49, -EINVAL},
	{TIPC_NLA_PROP_TOL, 50, 0},
	{TIPC_NLA_PROP_TOL, 30000, 0},
	{TIPC_NLA_PROP_TOL, 30001, -EINVAL},
	{TIPC_NLA_PROP_TOL, UINT32_MAX, -EINVAL},
	{TIPC_NLA_PROP_WIN, 49, -EINVAL},
	{TIPC_NLA_PROP_WIN, 50, 0},
	{TIPC_NLA_PROP_WIN, 8191, 0},
	{TIPC_NLA_PROP_WIN, 8192, -EINVAL},
	{TIPC_NLA_PROP_WIN, UINT32_MAX, -EINVAL},
	{TIPC_NLA_PROP_MTU, 65535, 0},
	{TIPC_NLA_PROP_MTU, 65536, -ERANGE},
	{TIPC_NLA_PROP_MTU, UINT32_MAX, -ERANGE},
};

static const uint32_t any_prop =
	DPT_NL_HAS_PROP | DPT_NL_HAS_PRIO | DPT_NL_HAS_TOL | DPT_NL_HAS_WIN | DPT_NL_HAS_MTU;

static void
ranges_of_properties(void)
{
	const char *name = "udp:a";

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(ranges); i++) {
		const struct bearer_req b = {
			.name = name, .prop = ranges[i].prop, .value = ranges[i].value};
		const struct bearer_req eth = {
			.name = "eth:a", .prop = ranges[i].prop, .value = ranges[i].value};

		cu_context("property %u of %" PRIu32, ranges[i].prop, ranges[i].value);
		/* Behind "Bearer not found", and nothing of it is done. */
		bearer(TIPC_NL_BEARER_SET, b);
		fx_executes_later(&fx, ranges[i].rc, NULL);
		if (ranges[i].rc != 0)
			CU_EQ_U64(fx.req.has & any_prop, 0);
		/* Before the name is looked at; also of what the command does not use. */
		bearer(TIPC_NL_BEARER_ENABLE, eth);
		if (ranges[i].rc == 0)
			fx_executes(&fx);
		else
			fx_refuses(&fx, ranges[i].rc, NULL);
		media(TIPC_NL_MEDIA_SET, (struct bearer_req){.name = "udp",
							     .prop = ranges[i].prop,
							     .value = ranges[i].value});
		if (ranges[i].rc == 0)
			fx_executes(&fx);
		else
			fx_refuses(&fx, ranges[i].rc, NULL);
	}
	bearer(TIPC_NL_BEARER_ENABLE,
	       (struct bearer_req){.name = "nonsense", .prop = TIPC_NLA_PROP_PRIO, .value = 32});
	fx_refuses(&fx, -EINVAL, NULL);
	fx_fini(&fx);
}

/* One member is bad: none is taken over. */
static void
properties_are_all_in_range_or_none_is_set(void)
{
	fx_init(&fx);
	bearer(TIPC_NL_BEARER_SET, (struct bearer_req){.name = "eth:eth0",
						       .prop = TIPC_NLA_PROP_PRIO,
						       .value = 5,
						       .prop2 = TIPC_NLA_PROP_WIN,
						       .value2 = 1});
	fx_executes_later(&fx, -EINVAL, NULL);
	CU_EQ_U64(fx.req.has, DPT_NL_HAS_NEST | DPT_NL_HAS_NAME);
	fx_fini(&fx);
}

/* Behind TOL, PRIO and WIN, which stay. */
static void
mtu_is_for_udp_and_has_a_least_value(void)
{
	struct bearer_req b = {.name = "eth:eth0",
			       .prop = TIPC_NLA_PROP_TOL,
			       .value = 800,
			       .prop2 = TIPC_NLA_PROP_MTU,
			       .value2 = 1400};
	const uint32_t has = DPT_NL_HAS_NEST | DPT_NL_HAS_NAME | DPT_NL_HAS_PROP | DPT_NL_HAS_TOL;

	fx_init(&fx);
	bearer(TIPC_NL_BEARER_SET, b);
	fx_executes_later(&fx, -EINVAL, NOT_UDP);
	CU_EQ_U64(fx.req.has, has);
	b.name = "udp:a";
	bearer(TIPC_NL_BEARER_SET, b);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, has | DPT_NL_HAS_MTU);
	CU_EQ_U64(fx.req.mtu, 1400);
	b.value2 = 128;
	bearer(TIPC_NL_BEARER_SET, b);
	fx_executes(&fx);
	b.value2 = 127;
	bearer(TIPC_NL_BEARER_SET, b);
	fx_executes_later(&fx, -EINVAL, MTU_RANGE);
	CU_EQ_U64(fx.req.has, has);

	b.name = "udp";
	media(TIPC_NL_MEDIA_SET, b);
	fx_executes_later(&fx, -EINVAL, MTU_RANGE);
	CU_EQ_U64(fx.req.has, has);
	b.value2 = 128;
	media(TIPC_NL_MEDIA_SET, b);
	fx_executes(&fx);
	b.name = "ib";
	media(TIPC_NL_MEDIA_SET, b);
	fx_executes_later(&fx, -EINVAL, NOT_UDP);
	fx_fini(&fx);
}

static void
media_are_known(void)
{
	static const char *const known[] = {"eth", "ib", "udp"};
	static const char *const unknown[] = {"", "et", "eths", "UDP", "udp:a"};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(known); i++) {
		media(TIPC_NL_MEDIA_GET, (struct bearer_req){.name = known[i]});
		fx_executes(&fx);
		CU_EQ_STR(fx.req.name, known[i]);
		media(TIPC_NL_MEDIA_SET, (struct bearer_req){.name = known[i]});
		fx_executes(&fx);
		CU_EQ_U64(fx.req.has, DPT_NL_HAS_NEST | DPT_NL_HAS_NAME);
	}
	for (uint32_t i = 0; i < CU_CNT(unknown); i++) {
		media(TIPC_NL_MEDIA_GET, (struct bearer_req){.name = unknown[i]});
		fx_refuses(&fx, -EINVAL, "Media not found");
		/* Before its properties are looked at. */
		media(TIPC_NL_MEDIA_SET, (struct bearer_req){.name = unknown[i],
							     .prop = TIPC_NLA_PROP_PRIO,
							     .value = 32});
		fx_refuses(&fx, -EINVAL, "Media not found");
	}
	fx_fini(&fx);
}

static void
udp_bearers_need_two_addresses(void)
{
	const struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(6118)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6}, link_local = in6, scoped;
	const uint16_t unix_family = AF_UNIX;
	struct bearer_req b = {.name = "udp:a"};

	link_local.sin6_addr.s6_addr[0] = 0xfe;
	link_local.sin6_addr.s6_addr[1] = 0x80;
	scoped = link_local;
	scoped.sin6_scope_id = 2;
	const struct {
		const void *local, *remote;
		uint32_t local_bytes, remote_bytes;
		int rc;
	} rows[] = {
		{NULL, NULL, 0, 0, -EINVAL},
		{&in, NULL, sizeof(in), 0, -EINVAL},
		{NULL, &in, 0, sizeof(in), -EINVAL},
		{&in, &in, sizeof(in), sizeof(in), 0},
		{&in6, &in6, sizeof(in6), sizeof(in6), 0},
		{&in, &in6, sizeof(in), sizeof(in6), -EINVAL},
		{&unix_family, &in, 2, sizeof(in), -EADDRNOTAVAIL},
		{&in, &unix_family, sizeof(in), 2, -EADDRNOTAVAIL},
		{&in, "", sizeof(in), 0, -EADDRNOTAVAIL},
		{&link_local, &in6, sizeof(in6), sizeof(in6), -EINVAL},
		{&scoped, &in6, sizeof(in6), sizeof(in6), 0},
		{&in6, &link_local, sizeof(in6), sizeof(in6), 0},
	};

	fx_init(&fx);
	bearer(TIPC_NL_BEARER_ENABLE, b);
	fx_executes_later(&fx, -EINVAL, FAILED);
	b.has_opts = true;
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		cu_context("row %" PRIu32, i);
		b.local = rows[i].local;
		b.remote = rows[i].remote;
		b.local_bytes = rows[i].local_bytes;
		b.remote_bytes = rows[i].remote_bytes;
		bearer(TIPC_NL_BEARER_ENABLE, b);
		fx_executes_later(&fx, rows[i].rc, rows[i].rc == 0 ? NULL : FAILED);
		CU_TRUE(((fx.req.has & DPT_NL_HAS_LOCAL) != 0) == (rows[i].rc == 0));
		CU_TRUE(((fx.req.has & DPT_NL_HAS_REMOTE) != 0) == (rows[i].rc == 0));
	}
	/* Another media does not look at them. */
	b = (struct bearer_req){.name = "eth:eth0", .has_opts = true};
	bearer(TIPC_NL_BEARER_ENABLE, b);
	fx_executes(&fx);
	fx_fini(&fx);
}

static void
a_remote_is_added_to_udp_bearers(void)
{
	const struct sockaddr_in in = {.sin_family = AF_INET};
	const uint16_t unix_family = AF_UNIX;
	const uint32_t has = DPT_NL_HAS_NEST | DPT_NL_HAS_NAME;
	struct bearer_req b = {.name = "udp:a"};

	fx_init(&fx);
	/* Without options: nothing to do. */
	bearer(TIPC_NL_BEARER_ADD, b);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, has);
	b.has_opts = true;
	bearer(TIPC_NL_BEARER_ADD, b);
	fx_executes_later(&fx, -EINVAL, NULL);
	b.remote = &unix_family;
	b.remote_bytes = 2;
	bearer(TIPC_NL_BEARER_ADD, b);
	fx_executes_later(&fx, -EADDRNOTAVAIL, NULL);
	b.remote = &in;
	b.remote_bytes = sizeof(in);
	bearer(TIPC_NL_BEARER_ADD, b);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, has | DPT_NL_HAS_UDP_OPTS | DPT_NL_HAS_REMOTE);
	/* The first reason counts. */
	b.name = "eth:eth0";
	b.remote = &unix_family;
	b.remote_bytes = 2;
	bearer(TIPC_NL_BEARER_ADD, b);
	fx_executes_later(&fx, -EINVAL, "UDP option is unsupported");
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(nest_and_name_must_be_there),
	CU_TEST(names_of_bearers_are_media_and_interface),
	CU_TEST(ranges_of_properties),
	CU_TEST(properties_are_all_in_range_or_none_is_set),
	CU_TEST(mtu_is_for_udp_and_has_a_least_value),
	CU_TEST(media_are_known),
	CU_TEST(udp_bearers_need_two_addresses),
	CU_TEST(a_remote_is_added_to_udp_bearers),
};

const struct cu_suite check_bearer_suite = CU_TEST_SUITE("check bearers", tests);
