/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands: who may, which kind there is, the top level of the attributes. 13-netlink.md, 4.6,
 * 4.7, 5.0. What the attributes of a command must be is in nl_check_*.c.
 */
#include "nl_priv.h"

#include <errno.h>

#define DO    GENL_CMD_CAP_DO
#define DUMP  GENL_CMD_CAP_DUMP
#define ADMIN GENL_UNS_ADMIN_PERM

const struct nl_command nl_commands[NL_COMMANDS_CNT] = {
	{TIPC_NL_BEARER_DISABLE, DO | ADMIN, .check_do = nl_bearer_name_check},
	{TIPC_NL_BEARER_ENABLE, DO | ADMIN, .check_do = nl_bearer_enable_check},
	{TIPC_NL_BEARER_GET, DO | DUMP, .check_do = nl_bearer_name_check},
	{TIPC_NL_BEARER_ADD, DO | ADMIN, .check_do = nl_bearer_add_check},
	{TIPC_NL_BEARER_SET, DO | ADMIN, .check_do = nl_bearer_set_check},
	{TIPC_NL_SOCK_GET, DUMP, .check_do = NULL},
	{TIPC_NL_PUBL_GET, DUMP, .check_dump = nl_publ_dump_check},
	{TIPC_NL_LINK_GET, DO | DUMP, true, nl_link_name_check, nl_link_dump_check},
	{TIPC_NL_LINK_SET, DO | ADMIN, .check_do = nl_link_set_check},
	{TIPC_NL_LINK_RESET_STATS, DO | ADMIN, .check_do = nl_link_name_check},
	{TIPC_NL_MEDIA_GET, DO | DUMP, .check_do = nl_media_get_check},
	{TIPC_NL_MEDIA_SET, DO | ADMIN, .check_do = nl_media_set_check},
	{TIPC_NL_NODE_GET, DUMP, .check_do = NULL},
	{TIPC_NL_NET_GET, DUMP, .check_do = NULL},
	{TIPC_NL_NET_SET, DO | ADMIN, .check_do = nl_net_set_check},
	{TIPC_NL_NAME_TABLE_GET, DUMP, .check_do = NULL},
	{TIPC_NL_MON_SET, DO | ADMIN, .check_do = nl_mon_set_check},
	{TIPC_NL_MON_GET, DO | DUMP, .check_do = NULL},
	{TIPC_NL_MON_PEER_GET, DUMP, .check_dump = nl_mon_peer_dump_check},
	{TIPC_NL_PEER_REMOVE, DO | ADMIN, .check_do = nl_peer_remove_check},
	{TIPC_NL_UDP_GET_REMOTEIP, DUMP, .check_dump = nl_bearer_name_check},
	{TIPC_NL_KEY_SET, DO | ADMIN, .check_do = nl_key_set_check},
	{TIPC_NL_KEY_FLUSH, DO | ADMIN, .check_do = NULL},
	{TIPC_NL_ADDR_LEGACY_GET, DO, .check_do = NULL},
};

#define TOP_NESTS                                                                                  \
	{                                                                                          \
		[TIPC_NLA_BEARER] = {NL_NEST, 0}, [TIPC_NLA_SOCK] = {NL_NEST, 0},                  \
		[TIPC_NLA_PUBL] = {NL_NEST, 0}, [TIPC_NLA_LINK] = {NL_NEST, 0},                    \
		[TIPC_NLA_MEDIA] = {NL_NEST, 0}, [TIPC_NLA_NODE] = {NL_NEST, 0},                   \
		[TIPC_NLA_NET] = {NL_NEST, 0}, [TIPC_NLA_NAME_TABLE] = {NL_NEST, 0},               \
		[TIPC_NLA_MON] = {NL_NEST, 0}, [TIPC_NLA_MON_PEER] = {NL_ANY, 0},                  \
	}

static const struct nl_rules top_rules = {.type_max = TIPC_NLA_MAX, .by_type = TOP_NESTS};
static const struct nl_rules top_rules_strict = {
	.type_max = TIPC_NLA_MAX, .is_strict = true, .by_type = TOP_NESTS};

static const struct nl_command *
command_find(uint8_t cmd)
{
	for (uint32_t i = 0; i < NL_COMMANDS_CNT; i++) {
		if (nl_commands[i].cmd == cmd)
			return &nl_commands[i];
	}
	return NULL;
}

static int
top_read(struct nl_request *r, bool is_strict)
{
	const uint8_t *attrs = (const uint8_t *)r->req->msg + NLMSG_HDRLEN + GENL_HDRLEN;

	return nl_attrs_read(attrs, r->req->msg_bytes - NLMSG_HDRLEN - GENL_HDRLEN,
			     is_strict ? &top_rules_strict : &top_rules, &r->top, &r->fault);
}

/* What is wrong at the top is told before the dump begins, the rest is its end. */
static enum dpt_nl_result
dump_read(struct nl_request *r, const struct nl_command *command, struct dpt_nl_out *out)
{
	int rc;

	if (command->check_dump == NULL)
		return DPT_NL_EXECUTE;
	rc = top_read(r, command->is_dump_strict);
	if (rc < 0)
		return nl_refuse(r, out, rc);
	rc = command->check_dump(r);
	if (rc == 0)
		return DPT_NL_EXECUTE;
	(void)dpt_nl_put_done(out, r->req, rc);
	return DPT_NL_ANSWERED;
}

enum dpt_nl_result
nl_command_read(struct nl_request *r, struct dpt_nl_out *out)
{
	const struct nl_command *command = command_find(r->req->cmd);
	int rc;

	if (command == NULL)
		return nl_refuse(r, out, -EOPNOTSUPP);
	if ((command->flags & ADMIN) != 0 && !r->peer->is_admin)
		return nl_refuse(r, out, -EPERM);
	if ((command->flags & (r->req->is_dump ? DUMP : DO)) == 0)
		return nl_refuse(r, out, -EOPNOTSUPP);
	if (r->req->is_dump)
		return dump_read(r, command, out);
	rc = top_read(r, false);
	if (rc == 0 && command->check_do != NULL)
		rc = command->check_do(r);
	return rc < 0 ? nl_refuse(r, out, rc) : DPT_NL_EXECUTE;
}

void
nl_later(struct dpt_nl_req *req, int rc, const char *text)
{
	if (req->later_rc != 0 || rc == 0)
		return;
	req->later_rc = rc;
	req->later_text = text;
}
