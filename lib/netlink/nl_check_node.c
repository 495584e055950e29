/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests about links, the node, its peers, sockets and the monitor. 13-netlink.md, 5.7 to 5.10,
 * 5.15, 5.17, 5.19, 5.20.
 */
#include "nl_priv.h"

#include <errno.h>
#include <string.h>

#define NET_ID_MAX    9999
#define THRESHOLD_MAX 4095
#define RATIO_MAX     100
/* Methods of the broadcast link: broadcast, replicast, automatic. */
#define METHOD_BCAST	 1
#define METHOD_REPLICAST 2
#define METHOD_AUTO	 4

static const struct nl_rules link_rules = {
	.type_max = TIPC_NLA_LINK_MAX,
	.by_type =
		{
			[TIPC_NLA_LINK_NAME] = {NL_NAME, DPT_LINK_NAME_BYTES},
			[TIPC_NLA_LINK_DEST] = {NL_U32, 0},
			[TIPC_NLA_LINK_MTU] = {NL_U32, 0},
			[TIPC_NLA_LINK_BROADCAST] = {NL_FLAG, 0},
			[TIPC_NLA_LINK_UP] = {NL_FLAG, 0},
			[TIPC_NLA_LINK_ACTIVE] = {NL_FLAG, 0},
			[TIPC_NLA_LINK_PROP] = {NL_NEST, 0},
			[TIPC_NLA_LINK_STATS] = {NL_NEST, 0},
			[TIPC_NLA_LINK_RX] = {NL_U32, 0},
			[TIPC_NLA_LINK_TX] = {NL_U32, 0},
		},
};

static const struct nl_rules net_rules = {
	.type_max = TIPC_NLA_NET_MAX,
	.by_type =
		{
			[TIPC_NLA_NET_ID] = {NL_U32, 0},
			[TIPC_NLA_NET_ADDR] = {NL_U32, 0},
			[TIPC_NLA_NET_NODEID] = {NL_U64, 0},
			[TIPC_NLA_NET_NODEID_W1] = {NL_U64, 0},
			[TIPC_NLA_NET_ADDR_LEGACY] = {NL_FLAG, 0},
		},
};

static const struct nl_rules sock_rules = {
	.type_max = TIPC_NLA_SOCK_MAX,
	.by_type =
		{
			[TIPC_NLA_SOCK_ADDR] = {NL_U32, 0},
			[TIPC_NLA_SOCK_REF] = {NL_U32, 0},
			[TIPC_NLA_SOCK_CON] = {NL_NEST, 0},
			[TIPC_NLA_SOCK_HAS_PUBL] = {NL_FLAG, 0},
		},
};

static const struct nl_rules mon_rules = {
	.type_max = TIPC_NLA_MON_MAX,
	.by_type =
		{
			[TIPC_NLA_MON_ACTIVATION_THRESHOLD] = {NL_U32, 0},
			[TIPC_NLA_MON_REF] = {NL_U32, 0},
		},
};

static int
link_read(struct nl_request *r, struct nl_attrs *attrs)
{
	int rc = nl_own_nest_read(r, TIPC_NLA_LINK, &link_rules, attrs);

	if (rc < 0)
		return rc;
	if (attrs->by_type[TIPC_NLA_LINK_NAME] == NULL)
		return -EINVAL;
	nl_name_read(r->req, attrs->by_type[TIPC_NLA_LINK_NAME]);
	return 0;
}

int
nl_link_name_check(struct nl_request *r)
{
	struct nl_attrs attrs;

	return link_read(r, &attrs);
}

/* Without the nest: all links but the receiving broadcast links. */
int
nl_link_dump_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	int rc;

	if (r->top.by_type[TIPC_NLA_LINK] == NULL)
		return 0;
	rc = nl_own_nest_read(r, TIPC_NLA_LINK, &link_rules, &attrs);
	if (rc < 0)
		return rc;
	if (attrs.by_type[TIPC_NLA_LINK_BROADCAST] == NULL)
		return -EINVAL;
	r->req->has |= DPT_NL_HAS_BCAST_LINKS;
	return 0;
}

/* In the order BROADCAST, RATIO, WIN. RATIO's range comes after what the media support. */
static int
bcast_link_set_check(struct dpt_nl_req *req, const struct nlattr *prop)
{
	int rc = prop == NULL ? -EINVAL : nl_props_read(req, prop);

	if (rc < 0)
		return rc;
	if ((req->has & (DPT_NL_HAS_WIN | DPT_NL_HAS_BCAST | DPT_NL_HAS_RATIO)) == 0)
		return -EOPNOTSUPP;
	if ((req->has & DPT_NL_HAS_BCAST) != 0 && req->bcast != METHOD_BCAST &&
	    req->bcast != METHOD_REPLICAST && req->bcast != METHOD_AUTO)
		return -EINVAL;
	if ((req->has & DPT_NL_HAS_RATIO) != 0 && (req->ratio < 1 || req->ratio > RATIO_MAX)) {
		req->has &= ~(uint32_t)DPT_NL_HAS_WIN;
		nl_later(req, -EINVAL, NULL);
	}
	return 0;
}

int
nl_link_set_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	const struct nlattr *prop;
	int rc = link_read(r, &attrs);

	if (rc < 0)
		return rc;
	prop = attrs.by_type[TIPC_NLA_LINK_PROP];
	if (strcmp(r->req->name, NL_BCAST_LINK_NAME) == 0)
		return bcast_link_set_check(r->req, prop);
	if (prop != NULL)
		nl_later(r->req, nl_props_read(r->req, prop), NULL);
	return 0;
}

/* Both halves of an identity, as they lie in memory; they need not be aligned. */
static int
node_id_read(struct dpt_nl_req *req, const struct nl_attrs *attrs)
{
	const struct nlattr *low = attrs->by_type[TIPC_NLA_NET_NODEID];
	const struct nlattr *high = attrs->by_type[TIPC_NLA_NET_NODEID_W1];

	if (high == NULL)
		return -EINVAL;
	memcpy(req->node_id.bytes, mnl_attr_get_payload(low), 8);
	memcpy(req->node_id.bytes + 8, mnl_attr_get_payload(high), 8);
	req->has |= DPT_NL_HAS_NODE_ID;
	return 0;
}

/* All of it comes behind "own address set"; each member is set before the next is looked at. */
int
nl_net_set_check(struct nl_request *r)
{
	struct dpt_nl_req *req = r->req;
	struct nl_attrs attrs;
	int rc = nl_own_nest_read(r, TIPC_NLA_NET, &net_rules, &attrs);

	if (rc < 0)
		return rc;
	if (nl_u32_read(req, DPT_NL_HAS_NET_ID, &attrs, TIPC_NLA_NET_ID, &req->net_id) &&
	    (req->net_id < 1 || req->net_id > NET_ID_MAX)) {
		req->has &= ~(uint32_t)DPT_NL_HAS_NET_ID;
		nl_later(req, -EINVAL, NULL);
		return 0;
	}
	if (nl_u32_read(req, DPT_NL_HAS_ADDR, &attrs, TIPC_NLA_NET_ADDR, &req->addr) &&
	    req->addr == 0) {
		req->has &= ~(uint32_t)DPT_NL_HAS_ADDR;
		nl_later(req, -EINVAL, NULL);
		return 0;
	}
	if (attrs.by_type[TIPC_NLA_NET_NODEID] != NULL)
		nl_later(req, node_id_read(req, &attrs), NULL);
	return 0;
}

/* By address or identity; when there are both, the identity counts. Neither: our choice. */
int
nl_peer_remove_check(struct nl_request *r)
{
	struct dpt_nl_req *req = r->req;
	struct nl_attrs attrs;
	int rc = nl_own_nest_read(r, TIPC_NLA_NET, &net_rules, &attrs);

	if (rc < 0)
		return rc;
	if (nl_u32_read(req, DPT_NL_HAS_ADDR, &attrs, TIPC_NLA_NET_ADDR, &req->addr) &&
	    req->addr == 0)
		return -EINVAL;
	if (attrs.by_type[TIPC_NLA_NET_NODEID] == NULL)
		return (req->has & DPT_NL_HAS_ADDR) != 0 ? 0 : -EINVAL;
	req->has &= ~(uint32_t)DPT_NL_HAS_ADDR;
	return node_id_read(req, &attrs);
}

/* No socket has the port 0. */
int
nl_publ_dump_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	int rc = nl_own_nest_read(r, TIPC_NLA_SOCK, &sock_rules, &attrs);

	if (rc < 0)
		return rc;
	(void)nl_u32_read(r->req, DPT_NL_HAS_REF, &attrs, TIPC_NLA_SOCK_REF, &r->req->ref);
	return r->req->ref == 0 ? -EINVAL : 0;
}

int
nl_mon_set_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	int rc = nl_own_nest_read(r, TIPC_NLA_MON, &mon_rules, &attrs);

	if (rc < 0)
		return rc;
	(void)nl_u32_read(r->req, DPT_NL_HAS_THRESHOLD, &attrs, TIPC_NLA_MON_ACTIVATION_THRESHOLD,
			  &r->req->threshold);
	return r->req->threshold > THRESHOLD_MAX ? -EINVAL : 0;
}

int
nl_mon_peer_dump_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	int rc = nl_own_nest_read(r, TIPC_NLA_MON, &mon_rules, &attrs);

	if (rc < 0)
		return rc;
	if (!nl_u32_read(r->req, DPT_NL_HAS_REF, &attrs, TIPC_NLA_MON_REF, &r->req->ref))
		return -EINVAL;
	return r->req->ref >= DPT_BEARERS_MAX ? -EINVAL : 0;
}
