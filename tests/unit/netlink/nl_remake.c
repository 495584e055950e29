/* SPDX-License-Identifier: BSD-3-Clause */
/* Recorded answers into objects and back. Contract: nl_remake.h. */
#include "nl_remake.h"

#include <string.h>

#include <linux/netlink.h>
#include <linux/tipc_netlink.h>

#include "cu.h"

/* Attributes, one behind the other. */
struct nest {
	const uint8_t *octets;
	uint32_t bytes;
};

/* The first one of that type. octets NULL: there is none. */
static struct nest
find(struct nest nest, uint16_t type)
{
	struct nlattr attr;

	for (uint32_t pos = 0; pos + sizeof(attr) <= nest.bytes; pos += (attr.nla_len + 3u) & ~3u) {
		memcpy(&attr, nest.octets + pos, sizeof(attr));
		CU_TRUE_FATAL(attr.nla_len >= sizeof(attr));
		CU_TRUE_FATAL(pos + attr.nla_len <= nest.bytes);
		if ((attr.nla_type & NLA_TYPE_MASK) == type)
			return (struct nest){nest.octets + pos + 4, attr.nla_len - 4u};
	}
	return (struct nest){NULL, 0};
}

static bool
has(struct nest nest, uint16_t type)
{
	return find(nest, type).octets != NULL;
}

static uint64_t
number(struct nest nest, uint16_t type)
{
	struct nest value = find(nest, type);
	uint64_t number = 0;

	if (value.octets != NULL)
		memcpy(&number, value.octets, value.bytes < 8 ? value.bytes : 8);
	return number;
}

static uint32_t
u32(struct nest nest, uint16_t type)
{
	return (uint32_t)number(nest, type);
}

static const char *
text(struct nest nest, uint16_t type)
{
	return (const char *)find(nest, type).octets;
}

static struct sockaddr_storage
sockaddr_of(struct nest nest, uint16_t type)
{
	struct nest value = find(nest, type);
	struct sockaddr_storage addr = {0};

	if (value.octets != NULL)
		memcpy(&addr, value.octets, value.bytes);
	return addr;
}

static struct dpt_nl_props
props_of(struct nest nest, uint16_t type)
{
	struct nest props = find(nest, type);

	return (struct dpt_nl_props){
		.prio = u32(props, TIPC_NLA_PROP_PRIO),
		.tol = u32(props, TIPC_NLA_PROP_TOL),
		.win = u32(props, TIPC_NLA_PROP_WIN),
		.mtu = u32(props, TIPC_NLA_PROP_MTU),
		.has_mtu = has(props, TIPC_NLA_PROP_MTU),
	};
}

static bool
bearer(struct dpt_nl_out *out, const struct dpt_nl_req *req, struct nest top)
{
	struct nest nest = find(top, TIPC_NLA_BEARER), opts;
	struct sockaddr_storage remote;
	struct dpt_nl_bearer obj;

	if (nest.octets == NULL) {
		remote = sockaddr_of(top, TIPC_NLA_UDP_REMOTE);
		return dpt_nl_put_remote(out, req, &remote);
	}
	opts = find(nest, TIPC_NLA_BEARER_UDP_OPTS);
	obj = (struct dpt_nl_bearer){
		.name = text(nest, TIPC_NLA_BEARER_NAME),
		.props = props_of(nest, TIPC_NLA_BEARER_PROP),
		.is_udp = opts.octets != NULL,
		.is_multi = has(opts, TIPC_NLA_UDP_MULTI_REMOTEIP),
		.local = sockaddr_of(opts, TIPC_NLA_UDP_LOCAL),
		.remote = sockaddr_of(opts, TIPC_NLA_UDP_REMOTE),
	};
	return dpt_nl_put_bearer(out, req, &obj);
}

static bool
bcast_link(struct dpt_nl_out *out, const struct dpt_nl_req *req, struct nest nest)
{
	struct nest props = find(nest, TIPC_NLA_LINK_PROP), stats = find(nest, TIPC_NLA_LINK_STATS);
	struct dpt_nl_bcast_link obj = {
		.name = text(nest, TIPC_NLA_LINK_NAME),
		.win = u32(props, TIPC_NLA_PROP_WIN),
		.method = u32(props, TIPC_NLA_PROP_BROADCAST),
		.ratio = u32(props, TIPC_NLA_PROP_BROADCAST_RATIO),
	};

	for (uint16_t i = 1; i <= DPT_NL_STATS_CNT; i++)
		obj.stats[i] = u32(stats, i);
	return dpt_nl_put_bcast_link(out, req, &obj);
}

static bool
link_of(struct dpt_nl_out *out, const struct dpt_nl_req *req, struct nest nest)
{
	struct nest stats = find(nest, TIPC_NLA_LINK_STATS);
	struct dpt_nl_link obj = {
		.name = text(nest, TIPC_NLA_LINK_NAME),
		/* (of which the low 12 bits are not told) */
		.dest = u32(nest, TIPC_NLA_LINK_DEST) | 0x123,
		.mtu = u32(nest, TIPC_NLA_LINK_MTU),
		.rx = u32(nest, TIPC_NLA_LINK_RX),
		.tx = u32(nest, TIPC_NLA_LINK_TX),
		.is_up = has(nest, TIPC_NLA_LINK_UP),
		.is_active = has(nest, TIPC_NLA_LINK_ACTIVE),
		.props = props_of(nest, TIPC_NLA_LINK_PROP),
	};

	for (uint16_t i = 1; i <= DPT_NL_STATS_CNT; i++)
		obj.stats[i] = u32(stats, i);
	return dpt_nl_put_link(out, req, &obj);
}

/* Of those that the kernel sends, two are not sent by us. */
static bool
is_link_different(struct nest nest)
{
	if (has(nest, TIPC_NLA_LINK_BROADCAST))
		return u32(find(nest, TIPC_NLA_LINK_PROP), TIPC_NLA_PROP_BROADCAST) == 0;
	return has(nest, TIPC_NLA_LINK_ACTIVE) && !has(nest, TIPC_NLA_LINK_UP);
}

static bool
net(struct dpt_nl_out *out, const struct dpt_nl_req *req, struct nest top)
{
	struct nest nest = find(top, TIPC_NLA_NET);
	struct dpt_node_id id;

	memcpy(id.bytes, find(nest, TIPC_NLA_NET_NODEID).octets, 8);
	memcpy(id.bytes + 8, find(nest, TIPC_NLA_NET_NODEID_W1).octets, 8);
	return dpt_nl_put_net(out, req, u32(nest, TIPC_NLA_NET_ID), &id);
}

static struct dpt_nl_publ
publ_of(struct nest nest)
{
	return (struct dpt_nl_publ){
		.type = u32(nest, TIPC_NLA_PUBL_TYPE),
		.lower = u32(nest, TIPC_NLA_PUBL_LOWER),
		.upper = u32(nest, TIPC_NLA_PUBL_UPPER),
		.scope = u32(nest, TIPC_NLA_PUBL_SCOPE),
		.node = u32(nest, TIPC_NLA_PUBL_NODE),
		.ref = u32(nest, TIPC_NLA_PUBL_REF),
		.key = u32(nest, TIPC_NLA_PUBL_KEY),
	};
}

static bool
monitor(struct dpt_nl_out *out, const struct dpt_nl_req *req, struct nest top)
{
	struct nest nest = find(top, TIPC_NLA_MON);
	const struct dpt_nl_monitor obj = {
		.ref = u32(nest, TIPC_NLA_MON_REF),
		.is_active = has(nest, TIPC_NLA_MON_ACTIVE),
		.bearer = text(nest, TIPC_NLA_MON_BEARER_NAME),
		.peers_cnt = u32(nest, TIPC_NLA_MON_PEERCNT),
		.generation = u32(nest, TIPC_NLA_MON_LISTGEN),
	};

	if (has(nest, TIPC_NLA_MON_ACTIVATION_THRESHOLD))
		return dpt_nl_put_threshold(out, req, u32(nest, TIPC_NLA_MON_ACTIVATION_THRESHOLD));
	return dpt_nl_put_monitor(out, req, &obj);
}

static bool
monitor_peer(struct dpt_nl_out *out, const struct dpt_nl_req *req, struct nest top)
{
	struct nest nest = find(top, TIPC_NLA_MON_PEER);
	struct nest members = find(nest, TIPC_NLA_MON_PEER_MEMBERS);
	struct dpt_nl_monitor_peer obj = {
		.addr = u32(nest, TIPC_NLA_MON_PEER_ADDR),
		.is_up = has(nest, TIPC_NLA_MON_PEER_UP),
		.is_local = has(nest, TIPC_NLA_MON_PEER_LOCAL),
		.is_head = has(nest, TIPC_NLA_MON_PEER_HEAD),
		.has_domain = has(nest, TIPC_NLA_MON_PEER_DOMGEN),
		.generation = u32(nest, TIPC_NLA_MON_PEER_DOMGEN),
		.applied_cnt = u32(nest, TIPC_NLA_MON_PEER_APPLIED),
		.members_cnt = members.bytes / 4,
		.up_map = number(nest, TIPC_NLA_MON_PEER_UPMAP),
	};

	if (members.octets != NULL)
		memcpy(obj.members, members.octets, members.bytes);
	return dpt_nl_put_monitor_peer(out, req, &obj);
}

static bool
sock(struct dpt_nl_out *out, const struct dpt_nl_req *req, struct nest top)
{
	struct nest nest = find(top, TIPC_NLA_SOCK), conn = find(nest, TIPC_NLA_SOCK_CON);
	struct nest stat = find(nest, TIPC_NLA_SOCK_STAT), group = find(nest, TIPC_NLA_SOCK_GROUP);
	const struct dpt_nl_group member = {
		.type = u32(group, TIPC_NLA_SOCK_GROUP_ID),
		.instance = u32(group, TIPC_NLA_SOCK_GROUP_INSTANCE),
		.bcast_next = u32(group, TIPC_NLA_SOCK_GROUP_BC_SEND_NEXT),
		.is_node_scope = has(group, TIPC_NLA_SOCK_GROUP_NODE_SCOPE),
		.is_open = has(group, TIPC_NLA_SOCK_GROUP_OPEN),
	};
	const struct dpt_nl_sock obj = {
		.ref = u32(nest, TIPC_NLA_SOCK_REF),
		.own = u32(nest, TIPC_NLA_SOCK_ADDR),
		.is_connected = conn.octets != NULL,
		.has_bindings = has(nest, TIPC_NLA_SOCK_HAS_PUBL),
		.has_conn_name = has(conn, TIPC_NLA_CON_FLAG),
		.peer_node = u32(conn, TIPC_NLA_CON_NODE),
		.peer_ref = u32(conn, TIPC_NLA_CON_SOCK),
		.conn_type = u32(conn, TIPC_NLA_CON_TYPE),
		.conn_instance = u32(conn, TIPC_NLA_CON_INST),
		.sock_type = u32(nest, TIPC_NLA_SOCK_TYPE),
		.state = u32(nest, TIPC_NLA_SOCK_TIPC_STATE),
		.inode = u32(nest, TIPC_NLA_SOCK_INO),
		.uid = u32(nest, TIPC_NLA_SOCK_UID),
		.cookie = number(nest, TIPC_NLA_SOCK_COOKIE),
		.rcvq = u32(stat, TIPC_NLA_SOCK_STAT_RCVQ),
		.sendq = u32(stat, TIPC_NLA_SOCK_STAT_SENDQ),
		.drops = u32(stat, TIPC_NLA_SOCK_STAT_DROP),
		.is_link_congested = has(stat, TIPC_NLA_SOCK_STAT_LINK_CONG),
		.is_conn_congested = has(stat, TIPC_NLA_SOCK_STAT_CONN_CONG),
		.group = group.octets == NULL ? NULL : &member,
	};

	return has(nest, TIPC_NLA_SOCK_TYPE) ? dpt_nl_put_diag(out, req, &obj)
					     : dpt_nl_put_sock(out, req, &obj);
}

static bool
put(struct dpt_nl_out *out, const struct dpt_nl_req *req, uint8_t cmd, struct nest top)
{
	struct nest nest = find(top, TIPC_NLA_NODE);
	struct dpt_nl_publ publ;
	struct dpt_nl_props props;

	switch (cmd) {
	case TIPC_NL_BEARER_GET:
		return bearer(out, req, top);
	case TIPC_NL_LINK_GET:
		nest = find(top, TIPC_NLA_LINK);
		return has(nest, TIPC_NLA_LINK_BROADCAST) ? bcast_link(out, req, nest)
							  : link_of(out, req, nest);
	case TIPC_NL_MEDIA_GET:
		nest = find(top, TIPC_NLA_MEDIA);
		props = props_of(nest, TIPC_NLA_MEDIA_PROP);
		return dpt_nl_put_media(out, req, text(nest, TIPC_NLA_MEDIA_NAME), &props);
	case TIPC_NL_NODE_GET:
		return dpt_nl_put_node(out, req, u32(nest, TIPC_NLA_NODE_ADDR),
				       has(nest, TIPC_NLA_NODE_UP));
	case TIPC_NL_NET_GET:
		return net(out, req, top);
	case TIPC_NL_NAME_TABLE_GET:
		publ = publ_of(find(find(top, TIPC_NLA_NAME_TABLE), TIPC_NLA_NAME_TABLE_PUBL));
		return dpt_nl_put_name(out, req, &publ);
	case TIPC_NL_PUBL_GET:
		publ = publ_of(find(top, TIPC_NLA_PUBL));
		return dpt_nl_put_publ(out, req, &publ);
	case TIPC_NL_MON_GET:
		return monitor(out, req, top);
	case TIPC_NL_MON_PEER_GET:
		return monitor_peer(out, req, top);
	case TIPC_NL_SOCK_GET:
		return sock(out, req, top);
	default:
		return false;
	}
}

enum nl_remade
nl_remake(struct dpt_nl_out *out, const struct dpt_nl_req *req, const uint8_t *msg, uint32_t bytes)
{
	struct nest top = {msg + 20, bytes - 20}, nest;
	uint16_t type;

	memcpy(&type, msg + 4, sizeof(type));
	if (type == 20) {
		top = (struct nest){msg + 16, bytes - 16};
		return sock(out, req, top) ? NL_REMADE : NL_REMADE_UNKNOWN;
	}
	nest = find(top, TIPC_NLA_LINK);
	if (nest.octets != NULL && is_link_different(nest))
		return NL_REMADE_DIFFERENT;
	return put(out, req, msg[16], top) ? NL_REMADE : NL_REMADE_UNKNOWN;
}
