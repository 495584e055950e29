/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: which messages are requests, and who may make which. 13-netlink.md, 3, 4.1, 4.2, 4.7, 5.0
 * and 6.
 */
#include <linux/tipc.h>

#include "netlink_suites.h"
#include "nl_fx.h"

static struct nl_fx fx;

/* 13-netlink.md, 5.0. */
static const struct {
	uint8_t cmd;
	bool has_do, has_dump, is_admin;
} commands[] = {
	{0, false, false, false},
	{1, false, false, false},
	{TIPC_NL_BEARER_DISABLE, true, false, true},
	{TIPC_NL_BEARER_ENABLE, true, false, true},
	{TIPC_NL_BEARER_GET, true, true, false},
	{TIPC_NL_BEARER_SET, true, false, true},
	{TIPC_NL_SOCK_GET, false, true, false},
	{TIPC_NL_PUBL_GET, false, true, false},
	{TIPC_NL_LINK_GET, true, true, false},
	{TIPC_NL_LINK_SET, true, false, true},
	{TIPC_NL_LINK_RESET_STATS, true, false, true},
	{TIPC_NL_MEDIA_GET, true, true, false},
	{TIPC_NL_MEDIA_SET, true, false, true},
	{TIPC_NL_NODE_GET, false, true, false},
	{TIPC_NL_NET_GET, false, true, false},
	{TIPC_NL_NET_SET, true, false, true},
	{TIPC_NL_NAME_TABLE_GET, false, true, false},
	{TIPC_NL_MON_SET, true, false, true},
	{TIPC_NL_MON_GET, true, true, false},
	{TIPC_NL_MON_PEER_GET, false, true, false},
	{TIPC_NL_PEER_REMOVE, true, false, true},
	{TIPC_NL_BEARER_ADD, true, false, true},
	{TIPC_NL_UDP_GET_REMOTEIP, false, true, false},
	{TIPC_NL_KEY_SET, true, false, true},
	{TIPC_NL_KEY_FLUSH, true, false, true},
	{TIPC_NL_ADDR_LEGACY_GET, true, false, false},
	{26, false, false, false},
	{255, false, false, false},
};

/* Whether the command was taken up: done, or refused for what it holds, not for what it is. */
static int
kind_rc(uint8_t cmd, uint16_t flags)
{
	int32_t rc;

	fx_begin(&fx, cmd, flags);
	if (fx_send(&fx) == DPT_NL_EXECUTE || fx.out.data[4] == NLMSG_DONE) {
		fx.bytes = 0;
		return 0;
	}
	fx.bytes = 0;
	memcpy(&rc, fx.out.data + NLMSG_HDRLEN, sizeof(rc));
	return rc == -EINVAL ? 0 : rc;
}

static void
each_command_has_its_kinds(void)
{
	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(commands); i++) {
		cu_context("command %u", commands[i].cmd);
		CU_EQ_I64(kind_rc(commands[i].cmd, DO_FLAGS), commands[i].has_do ? 0 : -EOPNOTSUPP);
		CU_EQ_I64(kind_rc(commands[i].cmd, DUMP_FLAGS),
			  commands[i].has_dump ? 0 : -EOPNOTSUPP);
	}
	fx_fini(&fx);
}

/* EPERM is told before "no such kind", and after "no such command". */
static void
commands_that_change_something_want_an_admin(void)
{
	fx_init(&fx);
	fx.peer.is_admin = false;
	for (uint32_t i = 0; i < CU_CNT(commands); i++) {
		const bool is_there = commands[i].has_do || commands[i].has_dump;
		int rc = commands[i].is_admin ? -EPERM : is_there ? 0 : -EOPNOTSUPP;

		cu_context("command %u", commands[i].cmd);
		CU_EQ_I64(kind_rc(commands[i].cmd, DO_FLAGS),
			  rc == 0 && !commands[i].has_do ? -EOPNOTSUPP : rc);
		CU_EQ_I64(kind_rc(commands[i].cmd, DUMP_FLAGS),
			  rc == 0 && !commands[i].has_dump ? -EOPNOTSUPP : rc);
	}
	fx_begin(&fx, TIPC_NL_NET_SET, DO_FLAGS);
	fx_refuses(&fx, -EPERM, NULL);
	fx_fini(&fx);
}

static void
one_dump_flag_is_a_do(void)
{
	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_MON_GET, DO_FLAGS | NLM_F_ROOT);
	fx_executes(&fx);
	CU_TRUE(!fx.req.is_dump);
	fx_begin(&fx, TIPC_NL_MON_GET, DO_FLAGS | NLM_F_MATCH | 0x400);
	fx_executes(&fx);
	CU_TRUE(!fx.req.is_dump);
	fx_fini(&fx);
}

static void
what_is_no_request_is_acknowledged_if_it_asks(void)
{
	fx_init(&fx);
	fx_begin(&fx, TIPC_NL_NET_SET, NLM_F_ACK);
	fx_refuses(&fx, 0, NULL);
	fx_begin(&fx, TIPC_NL_NET_SET, 0);
	fx_says_nothing(&fx);
	for (uint16_t type = 0; type < NLMSG_MIN_TYPE; type++) {
		fx_begin_type(&fx, type, NLM_F_REQUEST | NLM_F_ACK);
		fx_refuses(&fx, 0, NULL);
		fx_begin_type(&fx, type, NLM_F_REQUEST);
		fx_says_nothing(&fx);
	}
	fx_fini(&fx);
}

static void
another_type_is_unknown(void)
{
	fx_init(&fx);
	fx_begin_type(&fx, DPT_NL_FAMILY_ID + 1, DO_FLAGS);
	fx_refuses(&fx, -ENOENT, NULL);
	fx_begin_type(&fx, 17, NLM_F_REQUEST);
	fx_refuses(&fx, -ENOENT, NULL);
	fx_begin_type(&fx, 0xffff, DUMP_FLAGS);
	fx_refuses(&fx, -ENOENT, NULL);
	fx_fini(&fx);
}

static void
a_message_without_its_second_header_is_invalid(void)
{
	fx_init(&fx);
	for (uint32_t bytes = 0; bytes < GENL_HDRLEN; bytes++) {
		fx_begin_type(&fx, DPT_NL_FAMILY_ID, DO_FLAGS);
		fx_octets(&fx, "\3\0\0", bytes);
		fx_refuses(&fx, -EINVAL, NULL);
		fx_begin_type(&fx, GENL_ID_CTRL, DO_FLAGS);
		fx_octets(&fx, "\3\0\0", bytes);
		fx_refuses(&fx, -EINVAL, NULL);
	}
	fx_fini(&fx);
}

static void
family_begin(uint16_t flags)
{
	const struct genlmsghdr head = {.cmd = CTRL_CMD_GETFAMILY, .version = 2};

	fx_begin_type(&fx, GENL_ID_CTRL, flags);
	fx_octets(&fx, &head, sizeof(head));
}

/* The family came: 548 octets, and what follows it. */
static void
family_came(uint32_t end_bytes)
{
	uint16_t id;

	CU_EQ_I64(fx_send(&fx), DPT_NL_ANSWERED);
	fx.bytes = 0;
	CU_EQ_U64(fx.out.used, 548 + end_bytes);
	CU_EQ_U64(fx.out.data[NLMSG_HDRLEN], CTRL_CMD_NEWFAMILY);
	memcpy(&id, fx.out.data + 36, sizeof(id));
	CU_EQ_U64(id, DPT_NL_FAMILY_ID);
}

static void
family_is_found_by_name_and_by_number(void)
{
	const uint16_t ours = DPT_NL_FAMILY_ID, other = DPT_NL_FAMILY_ID + 1;

	fx_init(&fx);
	family_begin(DO_FLAGS);
	fx_text(&fx, CTRL_ATTR_FAMILY_NAME, "TIPCv2");
	family_came(36);
	/* Without ACK only the answer. */
	family_begin(NLM_F_REQUEST);
	fx_text(&fx, CTRL_ATTR_FAMILY_NAME, "TIPCv2");
	family_came(0);
	family_begin(DO_FLAGS);
	fx_attr(&fx, CTRL_ATTR_FAMILY_ID, &ours, sizeof(ours));
	family_came(36);
	family_begin(DO_FLAGS);
	fx_attr(&fx, CTRL_ATTR_FAMILY_ID, &other, sizeof(other));
	fx_refuses(&fx, -ENOENT, NULL);
	family_begin(DO_FLAGS);
	fx_text(&fx, CTRL_ATTR_FAMILY_NAME, "TIPC");
	fx_refuses(&fx, -ENOENT, NULL);
	/* Of both the name counts. */
	family_begin(DO_FLAGS);
	fx_attr(&fx, CTRL_ATTR_FAMILY_ID, &other, sizeof(other));
	fx_text(&fx, CTRL_ATTR_FAMILY_NAME, "TIPCv2");
	family_came(36);
	family_begin(DO_FLAGS);
	fx_attr(&fx, CTRL_ATTR_FAMILY_ID, &ours, sizeof(ours));
	fx_text(&fx, CTRL_ATTR_FAMILY_NAME, "TIPC");
	fx_refuses(&fx, -ENOENT, NULL);
	family_begin(DO_FLAGS);
	fx_refuses(&fx, -EINVAL, NULL);
	family_begin(DUMP_FLAGS);
	family_came(20);
	CU_EQ_U64(fx.out.data[6], NLM_F_MULTI);
	fx_fini(&fx);
}

static void
family_attributes_are_checked(void)
{
	fx_init(&fx);
	family_begin(DO_FLAGS);
	fx_attr(&fx, CTRL_ATTR_FAMILY_NAME, "TIPCv2", 6);
	fx_refuses_at(&fx, -EINVAL, "Attribute failed policy validation", 20);
	family_begin(DO_FLAGS);
	fx_text(&fx, CTRL_ATTR_FAMILY_NAME, "a name of 16 oct");
	fx_refuses_at(&fx, -EINVAL, "Attribute failed policy validation", 20);
	family_begin(DO_FLAGS);
	fx_attr(&fx, CTRL_ATTR_FAMILY_ID, "\40", 1);
	fx_refuses(&fx, -ERANGE, NULL);
	fx_begin_type(&fx, GENL_ID_CTRL, DUMP_FLAGS);
	fx_octets(&fx, "\12\1\0\0", 4);
	fx_refuses(&fx, -EOPNOTSUPP, NULL);
	fx_fini(&fx);
}

static void
diag_begin(uint16_t type, uint16_t flags, uint8_t family, uint32_t bytes)
{
	uint8_t octets[12] = {family, 77, 1, 2, 0x82, 4, 0, 0, 9, 9, 9, 9};

	fx_begin_type(&fx, type, flags);
	fx_octets(&fx, octets, bytes);
}

static void
socket_diagnostics_are_asked_for(void)
{
	static const struct {
		uint16_t type, flags;
		uint8_t family;
		uint32_t bytes;
		int rc;
	} cases[] = {
		{20, DUMP_FLAGS, AF_TIPC, 7, -EINVAL},
		{20, DUMP_FLAGS, AF_TIPC, 2, -EINVAL},
		{20, DUMP_FLAGS, AF_TIPC, 1, -EINVAL},
		{20, DUMP_FLAGS, AF_TIPC, 0, -EINVAL},
		{20, DO_FLAGS, AF_TIPC, 8, -EOPNOTSUPP},
		{20, DUMP_FLAGS, AF_INET, 8, -ENOENT},
		{20, DUMP_FLAGS, 45, 8, -ENOENT},
		{20, DUMP_FLAGS, 46, 8, -EINVAL},
		{20, DUMP_FLAGS, 255, 8, -EINVAL},
		{18, DUMP_FLAGS, AF_TIPC, 8, -EOPNOTSUPP},
		{19, DUMP_FLAGS, AF_TIPC, 8, -EOPNOTSUPP},
		{21, DUMP_FLAGS, AF_TIPC, 8, -EOPNOTSUPP},
		{16, DUMP_FLAGS, AF_TIPC, 8, -EINVAL},
		{22, DUMP_FLAGS, AF_TIPC, 8, -EINVAL},
		{DPT_NL_FAMILY_ID, DUMP_FLAGS, AF_TIPC, 8, -EINVAL},
	};

	fx_init(&fx);
	fx.peer.protocol = NETLINK_SOCK_DIAG;
	/* Open to everybody. */
	fx.peer.is_admin = false;
	diag_begin(20, DUMP_FLAGS, AF_TIPC, 8);
	fx_executes(&fx);
	CU_TRUE(fx.req.is_dump);
	CU_EQ_U64(fx.req.states, 0x482);
	/* A longer one will do. */
	diag_begin(20, DUMP_FLAGS, AF_TIPC, 12);
	fx_executes(&fx);
	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		cu_context("row %" PRIu32, i);
		diag_begin(cases[i].type, cases[i].flags, cases[i].family, cases[i].bytes);
		fx_refuses(&fx, cases[i].rc, NULL);
	}
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(each_command_has_its_kinds),
	CU_TEST(commands_that_change_something_want_an_admin),
	CU_TEST(one_dump_flag_is_a_do),
	CU_TEST(what_is_no_request_is_acknowledged_if_it_asks),
	CU_TEST(another_type_is_unknown),
	CU_TEST(a_message_without_its_second_header_is_invalid),
	CU_TEST(family_is_found_by_name_and_by_number),
	CU_TEST(family_attributes_are_checked),
	CU_TEST(socket_diagnostics_are_asked_for),
};

const struct cu_suite framing_suite = CU_TEST_SUITE("framing", tests);
