/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: requests about links, the node, peers, sockets, the monitor and keys are checked in the
 * kernel's order. 13-netlink.md, 5.7 to 5.10, 5.15, 5.17, 5.19, 5.20, 5.23.
 */
#include <linux/tipc.h>

#include "netlink_suites.h"
#include "nl_fx.h"

static struct nl_fx fx;

/* One number in the nest of a command. */
static void
number(uint8_t cmd, uint16_t nest_type, uint16_t type, uint32_t value)
{
	bool is_dump = cmd == TIPC_NL_PUBL_GET || cmd == TIPC_NL_MON_PEER_GET;

	cu_context("command %u, attribute %u of %" PRIu32, cmd, type, value);
	fx_begin(&fx, cmd, is_dump ? DUMP_FLAGS : DO_FLAGS);
	fx_nest_u32(&fx, nest_type, type, value);
}

static void
nests_and_link_names_must_be_there(void)
{
	static const struct {
		uint8_t cmd;
		uint16_t nest;
		bool is_empty_ok;
	} rows[] = {
		{TIPC_NL_LINK_GET, TIPC_NLA_LINK, false},
		{TIPC_NL_LINK_SET, TIPC_NLA_LINK, false},
		{TIPC_NL_LINK_RESET_STATS, TIPC_NLA_LINK, false},
		{TIPC_NL_NET_SET, TIPC_NLA_NET, true},
		{TIPC_NL_MON_SET, TIPC_NLA_MON, true},
		{TIPC_NL_PEER_REMOVE, TIPC_NLA_NET, false},
		{TIPC_NL_KEY_SET, TIPC_NLA_NODE, true},
	};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		cu_context("command %u", rows[i].cmd);
		fx_begin(&fx, rows[i].cmd, DO_FLAGS);
		fx_refuses(&fx, -EINVAL, NULL);
		fx_begin(&fx, rows[i].cmd, DO_FLAGS);
		fx_nest_empty(&fx, rows[i].nest);
		if (!rows[i].is_empty_ok)
			fx_refuses(&fx, -EINVAL, NULL);
		else if (rows[i].cmd == TIPC_NL_KEY_SET)
			fx_executes_later(&fx, -ENODATA, NULL);
		else
			fx_executes(&fx);
	}
	fx_fini(&fx);
}

/* Two PROP members at most, in LINK_SET. */
static void
link_set(const char *name, uint32_t prop, uint32_t value, uint32_t prop2, uint32_t value2)
{
	uint32_t nest, props;

	cu_context("%s: %" PRIu32 " = %" PRIu32, name, prop, value);
	fx_begin(&fx, TIPC_NL_LINK_SET, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_LINK);
	fx_text(&fx, TIPC_NLA_LINK_NAME, name);
	props = fx_nest(&fx, TIPC_NLA_LINK_PROP);
	if (prop != 0)
		fx_u32(&fx, (uint16_t)prop, value);
	if (prop2 != 0)
		fx_u32(&fx, (uint16_t)prop2, value2);
	fx_nest_end(&fx, props);
	fx_nest_end(&fx, nest);
}

static void
properties_of_a_link(void)
{
	const uint32_t has = DPT_NL_HAS_NEST | DPT_NL_HAS_NAME;

	fx_init(&fx);
	/* Behind "unknown link". */
	link_set("a:x-b:y", TIPC_NLA_PROP_PRIO, 32, TIPC_NLA_PROP_TOL, 800);
	fx_executes_later(&fx, -EINVAL, NULL);
	CU_EQ_U64(fx.req.has, has);
	link_set("a:x-b:y", TIPC_NLA_PROP_MTU, 65536, 0, 0);
	fx_executes_later(&fx, -ERANGE, NULL);
	link_set("a:x-b:y", TIPC_NLA_PROP_PRIO, 31, TIPC_NLA_PROP_WIN, 50);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, has | DPT_NL_HAS_PROP | DPT_NL_HAS_PRIO | DPT_NL_HAS_WIN);
	link_set("a:x-b:y", 0, 0, 0, 0);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, has | DPT_NL_HAS_PROP);
	fx_begin(&fx, TIPC_NL_LINK_SET, DO_FLAGS);
	fx_nest_text(&fx, TIPC_NLA_LINK, TIPC_NLA_LINK_NAME, "a:x-b:y");
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, has);
	fx_fini(&fx);
}

static void
properties_of_the_broadcast_link(void)
{
	static const char name[] = "broadcast-link";
	const uint32_t has = DPT_NL_HAS_NEST | DPT_NL_HAS_NAME | DPT_NL_HAS_PROP;

	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_LINK_SET, DO_FLAGS);
	fx_nest_text(&fx, TIPC_NLA_LINK, TIPC_NLA_LINK_NAME, name);
	fx_refuses(&fx, -EINVAL, NULL);
	link_set(name, 0, 0, 0, 0);
	fx_refuses(&fx, -EOPNOTSUPP, NULL);
	link_set(name, TIPC_NLA_PROP_PRIO, 5, TIPC_NLA_PROP_TOL, 800);
	fx_refuses(&fx, -EOPNOTSUPP, NULL);
	/* (a range comes first) */
	link_set(name, TIPC_NLA_PROP_PRIO, 32, 0, 0);
	fx_refuses(&fx, -EINVAL, NULL);
	link_set(name, TIPC_NLA_PROP_WIN, 49, 0, 0);
	fx_refuses(&fx, -EINVAL, NULL);
	link_set(name, TIPC_NLA_PROP_WIN, 50, 0, 0);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, has | DPT_NL_HAS_WIN);
	for (uint32_t method = 0; method < 10; method++) {
		link_set(name, TIPC_NLA_PROP_BROADCAST, method, 0, 0);
		if (method == 1 || method == 2 || method == 4)
			fx_executes(&fx);
		else
			fx_refuses(&fx, -EINVAL, NULL);
	}
	for (uint32_t ratio = 0; ratio < 103; ratio++) {
		const bool is_ok = ratio >= 1 && ratio <= 100;

		link_set(name, TIPC_NLA_PROP_BROADCAST_RATIO, ratio, TIPC_NLA_PROP_WIN, 60);
		fx_executes_later(&fx, is_ok ? 0 : -EINVAL, NULL);
		CU_EQ_U64(fx.req.has, has | DPT_NL_HAS_RATIO | (is_ok ? DPT_NL_HAS_WIN : 0u));
	}
	/* The receiving ones are links like others here: their names are not known. */
	link_set("broadcast-link:node2", TIPC_NLA_PROP_WIN, 49, 0, 0);
	fx_executes_later(&fx, -EINVAL, NULL);
	fx_fini(&fx);
}

static void
link_dump_with_a_nest_wants_the_flag(void)
{
	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, 0);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_nest_empty(&fx, TIPC_NLA_LINK);
	fx_ends_dump(&fx, -EINVAL);
	fx_begin(&fx, TIPC_NL_LINK_GET, DUMP_FLAGS);
	fx_nest_text(&fx, TIPC_NLA_LINK, TIPC_NLA_LINK_NAME, "broadcast-link");
	fx_ends_dump(&fx, -EINVAL);
	fx_fini(&fx);
}

/* NET_SET or PEER_REMOVE with what is not 0. */
static void
net(uint8_t cmd, uint32_t *net_id, uint32_t *addr, uint32_t id_halves)
{
	uint32_t nest;

	fx_begin(&fx, cmd, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_NET);
	if (id_halves >= 1)
		fx_attr(&fx, TIPC_NLA_NET_NODEID, "01234567", 8);
	if (id_halves >= 2)
		fx_attr(&fx, TIPC_NLA_NET_NODEID_W1, "89abcdef", 8);
	if (net_id != NULL)
		fx_u32(&fx, TIPC_NLA_NET_ID, *net_id);
	if (addr != NULL)
		fx_u32(&fx, TIPC_NLA_NET_ADDR, *addr);
	fx_nest_end(&fx, nest);
}

/* All behind "own address set"; what comes before the bad one is done. */
static void
network_settings_in_their_order(void)
{
	const uint32_t nest = DPT_NL_HAS_NEST;
	uint32_t bad_ids[] = {0, 10000, UINT32_MAX}, good_ids[] = {1, 4711, 9999};
	uint32_t zero = 0, addr = 0x01001001;

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(bad_ids); i++) {
		net(TIPC_NL_NET_SET, &bad_ids[i], &addr, 2);
		fx_executes_later(&fx, -EINVAL, NULL);
		CU_EQ_U64(fx.req.has, nest);
	}
	for (uint32_t i = 0; i < CU_CNT(good_ids); i++) {
		net(TIPC_NL_NET_SET, &good_ids[i], NULL, 0);
		fx_executes(&fx);
		CU_EQ_U64(fx.req.has, nest | DPT_NL_HAS_NET_ID);
		CU_EQ_U64(fx.req.net_id, good_ids[i]);
	}
	net(TIPC_NL_NET_SET, &good_ids[0], &zero, 2);
	fx_executes_later(&fx, -EINVAL, NULL);
	CU_EQ_U64(fx.req.has, nest | DPT_NL_HAS_NET_ID);
	net(TIPC_NL_NET_SET, &good_ids[0], &addr, 1);
	fx_executes_later(&fx, -EINVAL, NULL);
	CU_EQ_U64(fx.req.has, nest | DPT_NL_HAS_NET_ID | DPT_NL_HAS_ADDR);
	net(TIPC_NL_NET_SET, &good_ids[0], &addr, 2);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, nest | DPT_NL_HAS_NET_ID | DPT_NL_HAS_ADDR | DPT_NL_HAS_NODE_ID);
	CU_EQ_MEM(fx.req.node_id.bytes, "0123456789abcdef", 16);
	fx_fini(&fx);
}

static void
a_peer_is_named_by_address_or_identity(void)
{
	const uint32_t nest = DPT_NL_HAS_NEST;
	uint32_t zero = 0, addr = 0x01001002;

	fx_init(&fx);
	net(TIPC_NL_PEER_REMOVE, NULL, &addr, 0);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, nest | DPT_NL_HAS_ADDR);
	CU_EQ_U64(fx.req.addr, addr);
	net(TIPC_NL_PEER_REMOVE, NULL, &addr, 2);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, nest | DPT_NL_HAS_NODE_ID);
	net(TIPC_NL_PEER_REMOVE, NULL, &zero, 0);
	fx_refuses(&fx, -EINVAL, NULL);
	net(TIPC_NL_PEER_REMOVE, NULL, &zero, 2);
	fx_refuses(&fx, -EINVAL, NULL);
	net(TIPC_NL_PEER_REMOVE, NULL, NULL, 1);
	fx_refuses(&fx, -EINVAL, NULL);
	fx_fini(&fx);
}

static void
monitor_and_socket_references(void)
{
	fx_init(&fx);
	number(TIPC_NL_MON_SET, TIPC_NLA_MON, TIPC_NLA_MON_ACTIVATION_THRESHOLD, 4095);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.has, DPT_NL_HAS_NEST | DPT_NL_HAS_THRESHOLD);
	number(TIPC_NL_MON_SET, TIPC_NLA_MON, TIPC_NLA_MON_ACTIVATION_THRESHOLD, 4096);
	fx_refuses(&fx, -EINVAL, NULL);
	number(TIPC_NL_MON_PEER_GET, TIPC_NLA_MON, TIPC_NLA_MON_REF, 2);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.ref, 2);
	number(TIPC_NL_MON_PEER_GET, TIPC_NLA_MON, TIPC_NLA_MON_REF, 3);
	fx_ends_dump(&fx, -EINVAL);
	number(TIPC_NL_MON_PEER_GET, TIPC_NLA_MON, TIPC_NLA_MON_REF, UINT32_MAX);
	fx_ends_dump(&fx, -EINVAL);
	number(TIPC_NL_MON_PEER_GET, TIPC_NLA_MON, TIPC_NLA_MON_ACTIVATION_THRESHOLD, 1);
	fx_ends_dump(&fx, -EINVAL);
	number(TIPC_NL_PUBL_GET, TIPC_NLA_SOCK, TIPC_NLA_SOCK_REF, 17);
	fx_executes(&fx);
	CU_EQ_U64(fx.req.ref, 17);
	number(TIPC_NL_PUBL_GET, TIPC_NLA_SOCK, TIPC_NLA_SOCK_REF, 0);
	fx_ends_dump(&fx, -EINVAL);
	number(TIPC_NL_PUBL_GET, TIPC_NLA_SOCK, TIPC_NLA_SOCK_ADDR, 17);
	fx_ends_dump(&fx, -EINVAL);
	/* G43, to the octet. */
	CU_EQ_I64(fx_golden_send(&fx, "G43", 0), DPT_NL_ANSWERED);
	fx_golden_expect(&fx, "G43", 0);
	/* What is wrong at the top is told before the dump begins. */
	fx_begin(&fx, TIPC_NL_PUBL_GET, DUMP_FLAGS);
	fx_attr(&fx, TIPC_NLA_SOCK, "\0", 1);
	fx_refuses_at(&fx, -ERANGE, "Attribute failed policy validation", 20);
	fx_begin(&fx, TIPC_NL_PUBL_GET, DUMP_FLAGS);
	uint32_t nest = fx_nest(&fx, TIPC_NLA_SOCK);

	fx_attr(&fx, TIPC_NLA_SOCK_REF, "\0\0", 2);
	fx_nest_end(&fx, nest);
	fx_ends_dump(&fx, -ERANGE);
	fx_fini(&fx);
}

/* bytes: of the attribute, head included. */
static void
key_set(const char *algorithm, uint32_t key_bytes, uint32_t bytes, uint32_t id_bytes)
{
	uint8_t key[80] = {0};
	uint32_t nest;

	cu_context("%s, key of %" PRIu32 ", attribute of %" PRIu32, algorithm, key_bytes, bytes);
	memcpy(key, algorithm, strlen(algorithm));
	memcpy(key + TIPC_AEAD_ALG_NAME, &key_bytes, sizeof(key_bytes));
	memcpy(key + sizeof(struct tipc_aead_key), "this_is_a_key_of_36_octets_with_salt", 36);
	fx_begin(&fx, TIPC_NL_KEY_SET, DO_FLAGS);
	nest = fx_nest(&fx, TIPC_NLA_NODE);
	fx_attr(&fx, TIPC_NLA_NODE_KEY, key, bytes);
	if (id_bytes > 0)
		fx_attr(&fx, TIPC_NLA_NODE_ID, "0123456789abcdef", id_bytes);
	fx_attr(&fx, TIPC_NLA_NODE_KEY_MASTER, "", 0);
	fx_nest_end(&fx, nest);
}

static void
keys_are_checked_in_order(void)
{
	static const struct {
		const char *algorithm;
		uint32_t key_bytes, bytes, id_bytes;
		int rc;
		const char *text;
	} rows[] = {
		{"gcm(aes)", 20, 56, 0, 0, NULL},
		{"gcm(aes)", 28, 64, 16, 0, NULL},
		{"gcm(aes)", 36, 72, 16, 0, NULL},
		{"gcm(aes)", 20, 72, 16, 0, NULL},
		{"gcm(aes)", 0, 35, 0, -EINVAL, NULL},
		{"gcm(aes)", 37, 72, 0, -EINVAL, NULL},
		{"gcm(aes)", UINT32_MAX, 72, 0, -EINVAL, NULL},
		{"gcm(aes)", 20, 55, 0, -EINVAL, NULL},
		{"nosuchalg", 20, 56, 0, -ENODEV, "unable to load the algorithm (module existed?)"},
		{"", 20, 56, 0, -ENODEV, "unable to load the algorithm (module existed?)"},
		{"sha256", 20, 56, 0, -DPT_NL_ENOTSUPP, "not supported yet the algorithm"},
		{"nosuchalg", 20, 55, 0, -EINVAL, NULL},
		{"gcm(aes)", 19, 72, 0, -EKEYREJECTED,
		 "incorrect key length (20, 28 or 36 octets?)"},
		{"gcm(aes)", 0, 36, 0, -EKEYREJECTED,
		 "incorrect key length (20, 28 or 36 octets?)"},
		{"gcm(aes)", 20, 56, 15, -EINVAL, NULL},
		{"gcm(aes)", 19, 56, 15, -EKEYREJECTED,
		 "incorrect key length (20, 28 or 36 octets?)"},
	};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		key_set(rows[i].algorithm, rows[i].key_bytes, rows[i].bytes, rows[i].id_bytes);
		fx_executes_later(&fx, rows[i].rc, rows[i].text);
		if (rows[i].rc != 0)
			continue;
		CU_TRUE((fx.req.has & DPT_NL_HAS_KEY) != 0);
		CU_EQ_U64(fx.req.key_bytes, rows[i].key_bytes);
		CU_EQ_MEM(fx.req.key, "this_is_a_key_of_36_octets_with_salt", fx.req.key_bytes);
		/* A key of a node is no master key. */
		CU_TRUE(((fx.req.has & DPT_NL_HAS_NODE_ID) != 0) == (rows[i].id_bytes == 16));
		CU_TRUE(((fx.req.has & DPT_NL_HAS_KEY_MASTER) != 0) == (rows[i].id_bytes == 0));
	}
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(nests_and_link_names_must_be_there),
	CU_TEST(properties_of_a_link),
	CU_TEST(properties_of_the_broadcast_link),
	CU_TEST(link_dump_with_a_nest_wants_the_flag),
	CU_TEST(network_settings_in_their_order),
	CU_TEST(a_peer_is_named_by_address_or_identity),
	CU_TEST(monitor_and_socket_references),
	CU_TEST(keys_are_checked_in_order),
};

const struct cu_suite check_node_suite = CU_TEST_SUITE("check nodes", tests);
