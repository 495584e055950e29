/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers about the node, other nodes, names and the monitor. 13-netlink.md, 5.7, 5.13 to 5.19. */
#include "nl_priv.h"

/* Scopes that the tool has a word for. */
#define SCOPE_CLUSTER 2
#define SCOPE_MAX     3
/* UPMAP has a bit for each. */
#define MEMBERS_MAX 64

bool
dpt_nl_put_node(struct dpt_nl_out *out, const struct dpt_nl_req *req, uint32_t addr, bool is_up)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_NODE_GET);
	nest = nl_nest(&w, TIPC_NLA_NODE);
	nl_put_u32(&w, TIPC_NLA_NODE_ADDR, addr);
	nl_put_flag(&w, TIPC_NLA_NODE_UP, is_up);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

bool
dpt_nl_put_net(struct dpt_nl_out *out, const struct dpt_nl_req *req, uint32_t net_id,
	       const struct dpt_node_id *id)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_NET_GET);
	nest = nl_nest(&w, TIPC_NLA_NET);
	nl_put_u32(&w, TIPC_NLA_NET_ID, net_id);
	nl_put(&w, TIPC_NLA_NET_NODEID, id->bytes, 8);
	nl_put(&w, TIPC_NLA_NET_NODEID_W1, id->bytes + 8, 8);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

/* The only answer that marks its nest. */
bool
dpt_nl_put_addr_legacy(struct dpt_nl_out *out, const struct dpt_nl_req *req, bool is_legacy)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_ADDR_LEGACY_GET);
	nest = nl_nest(&w, TIPC_NLA_NET | NLA_F_NESTED);
	nl_put_flag(&w, TIPC_NLA_NET_ADDR_LEGACY, is_legacy);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

bool
dpt_nl_put_name(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		const struct dpt_nl_publ *publ)
{
	/* The tool looks its word up without a check. */
	const bool is_named = publ->scope >= 1 && publ->scope <= SCOPE_MAX;
	struct nl_writer w;
	struct nlattr *table, *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_NAME_TABLE_GET);
	table = nl_nest(&w, TIPC_NLA_NAME_TABLE);
	nest = nl_nest(&w, TIPC_NLA_NAME_TABLE_PUBL);
	nl_put_u32(&w, TIPC_NLA_PUBL_TYPE, publ->type);
	nl_put_u32(&w, TIPC_NLA_PUBL_LOWER, publ->lower);
	nl_put_u32(&w, TIPC_NLA_PUBL_UPPER, publ->upper);
	nl_put_u32(&w, TIPC_NLA_PUBL_SCOPE, is_named ? publ->scope : SCOPE_CLUSTER);
	nl_put_u32(&w, TIPC_NLA_PUBL_NODE, publ->node);
	nl_put_u32(&w, TIPC_NLA_PUBL_REF, publ->ref);
	nl_put_u32(&w, TIPC_NLA_PUBL_KEY, publ->key);
	nl_nest_end(&w, nest);
	nl_nest_end(&w, table);
	return nl_end(&w);
}

bool
dpt_nl_put_publ(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		const struct dpt_nl_publ *publ)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_PUBL_GET);
	nest = nl_nest(&w, TIPC_NLA_PUBL);
	nl_put_u32(&w, TIPC_NLA_PUBL_KEY, publ->key);
	nl_put_u32(&w, TIPC_NLA_PUBL_TYPE, publ->type);
	nl_put_u32(&w, TIPC_NLA_PUBL_LOWER, publ->lower);
	nl_put_u32(&w, TIPC_NLA_PUBL_UPPER, publ->upper);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

bool
dpt_nl_put_threshold(struct dpt_nl_out *out, const struct dpt_nl_req *req, uint32_t threshold)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_MON_GET);
	nest = nl_nest(&w, TIPC_NLA_MON);
	nl_put_u32(&w, TIPC_NLA_MON_ACTIVATION_THRESHOLD, threshold);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

bool
dpt_nl_put_monitor(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		   const struct dpt_nl_monitor *monitor)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_MON_GET);
	nest = nl_nest(&w, TIPC_NLA_MON);
	nl_put_u32(&w, TIPC_NLA_MON_REF, monitor->ref);
	nl_put_flag(&w, TIPC_NLA_MON_ACTIVE, monitor->is_active);
	nl_put_text(&w, TIPC_NLA_MON_BEARER_NAME, monitor->bearer);
	nl_put_u32(&w, TIPC_NLA_MON_PEERCNT, monitor->peers_cnt);
	nl_put_u32(&w, TIPC_NLA_MON_LISTGEN, monitor->generation);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

/* The tool believes APPLIED: it reads so many members. */
bool
dpt_nl_put_monitor_peer(struct dpt_nl_out *out, const struct dpt_nl_req *req,
			const struct dpt_nl_monitor_peer *peer)
{
	uint32_t members_cnt = peer->has_domain ? peer->members_cnt : 0;
	uint32_t applied_cnt;
	struct nl_writer w;
	struct nlattr *nest;

	if (members_cnt > MEMBERS_MAX)
		members_cnt = MEMBERS_MAX;
	applied_cnt = peer->applied_cnt < members_cnt ? peer->applied_cnt : members_cnt;
	nl_begin_answer(&w, out, req, TIPC_NL_MON_PEER_GET);
	nest = nl_nest(&w, TIPC_NLA_MON_PEER);
	nl_put_u32(&w, TIPC_NLA_MON_PEER_ADDR, peer->addr);
	nl_put_u32(&w, TIPC_NLA_MON_PEER_APPLIED, applied_cnt);
	nl_put_flag(&w, TIPC_NLA_MON_PEER_UP, peer->is_up);
	nl_put_flag(&w, TIPC_NLA_MON_PEER_LOCAL, peer->is_local);
	nl_put_flag(&w, TIPC_NLA_MON_PEER_HEAD, peer->is_head);
	if (peer->has_domain) {
		nl_put_u32(&w, TIPC_NLA_MON_PEER_DOMGEN, peer->generation);
		nl_put_u64(&w, TIPC_NLA_MON_PEER_UPMAP, peer->up_map);
		nl_put(&w, TIPC_NLA_MON_PEER_MEMBERS, peer->members,
		       members_cnt * (uint32_t)sizeof(uint32_t));
	}
	nl_nest_end(&w, nest);
	return nl_end(&w);
}
