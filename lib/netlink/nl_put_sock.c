/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers about sockets: to the tool (13-netlink.md, 5.6) and to ss (6). */
#include "nl_priv.h"

/* What both begin with. */
static void
sock_put(struct nl_writer *w, const struct dpt_nl_sock *sock)
{
	struct nlattr *conn;

	nl_put_u32(w, TIPC_NLA_SOCK_REF, sock->ref);
	nl_put_u32(w, TIPC_NLA_SOCK_ADDR, sock->own);
	if (!sock->is_connected) {
		nl_put_flag(w, TIPC_NLA_SOCK_HAS_PUBL, sock->has_bindings);
		return;
	}
	conn = nl_nest(w, TIPC_NLA_SOCK_CON);
	nl_put_u32(w, TIPC_NLA_CON_NODE, sock->peer_node);
	nl_put_u32(w, TIPC_NLA_CON_SOCK, sock->peer_ref);
	if (sock->has_conn_name) {
		nl_put_flag(w, TIPC_NLA_CON_FLAG, true);
		nl_put_u32(w, TIPC_NLA_CON_TYPE, sock->conn_type);
		nl_put_u32(w, TIPC_NLA_CON_INST, sock->conn_instance);
	}
	nl_nest_end(w, conn);
}

bool
dpt_nl_put_sock(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		const struct dpt_nl_sock *sock)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_SOCK_GET);
	nest = nl_nest(&w, TIPC_NLA_SOCK);
	sock_put(&w, sock);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

static void
diag_stat_put(struct nl_writer *w, const struct dpt_nl_sock *sock)
{
	struct nlattr *nest = nl_nest(w, TIPC_NLA_SOCK_STAT);

	nl_put_u32(w, TIPC_NLA_SOCK_STAT_RCVQ, sock->rcvq);
	nl_put_u32(w, TIPC_NLA_SOCK_STAT_SENDQ, sock->sendq);
	nl_put_u32(w, TIPC_NLA_SOCK_STAT_DROP, sock->drops);
	nl_put_flag(w, TIPC_NLA_SOCK_STAT_LINK_CONG, sock->is_link_congested);
	nl_put_flag(w, TIPC_NLA_SOCK_STAT_CONN_CONG, sock->is_conn_congested);
	nl_nest_end(w, nest);
}

static void
diag_group_put(struct nl_writer *w, const struct dpt_nl_group *group)
{
	struct nlattr *nest = nl_nest(w, TIPC_NLA_SOCK_GROUP);

	nl_put_u32(w, TIPC_NLA_SOCK_GROUP_ID, group->type);
	nl_put_u32(w, TIPC_NLA_SOCK_GROUP_INSTANCE, group->instance);
	nl_put_u32(w, TIPC_NLA_SOCK_GROUP_BC_SEND_NEXT, group->bcast_next);
	nl_put_flag(w, TIPC_NLA_SOCK_GROUP_NODE_SCOPE, group->is_node_scope);
	nl_put_flag(w, TIPC_NLA_SOCK_GROUP_CLUSTER_SCOPE, !group->is_node_scope);
	nl_put_flag(w, TIPC_NLA_SOCK_GROUP_OPEN, group->is_open);
	nl_nest_end(w, nest);
}

bool
dpt_nl_put_diag(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		const struct dpt_nl_sock *sock)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin(&w, out, req, NL_DIAG_BY_FAMILY, NLM_F_MULTI);
	nest = nl_nest(&w, TIPC_NLA_SOCK);
	sock_put(&w, sock);
	nl_put_u32(&w, TIPC_NLA_SOCK_TYPE, sock->sock_type);
	nl_put_u32(&w, TIPC_NLA_SOCK_TIPC_STATE, sock->state);
	nl_put_u32(&w, TIPC_NLA_SOCK_INO, sock->inode);
	nl_put_u32(&w, TIPC_NLA_SOCK_UID, sock->uid);
	nl_put_u64(&w, TIPC_NLA_SOCK_COOKIE, sock->cookie);
	diag_stat_put(&w, sock);
	if (sock->group != NULL)
		diag_group_put(&w, sock->group);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}
