/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers about bearers and media. 13-netlink.md, 5.4, 5.11, 5.22. */
#include "nl_priv.h"

#include <netinet/in.h>
#include <string.h>

static void
props_put(struct nl_writer *w, uint16_t type, const struct dpt_nl_props *props)
{
	struct nlattr *nest = nl_nest(w, type);

	nl_put_u32(w, TIPC_NLA_PROP_PRIO, props->prio);
	nl_put_u32(w, TIPC_NLA_PROP_TOL, props->tol);
	nl_put_u32(w, TIPC_NLA_PROP_WIN, props->win);
	if (props->has_mtu)
		nl_put_u32(w, TIPC_NLA_PROP_MTU, props->mtu);
	nl_nest_end(w, nest);
}

/* Address and port only: flow info and scope are 0, so is the rest of an IPv4 address. */
static void
sockaddr_put(struct nl_writer *w, uint16_t type, const struct sockaddr_storage *addr)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in from;
	struct sockaddr_in6 from6;

	if (addr->ss_family == AF_INET6) {
		memcpy(&from6, addr, sizeof(from6));
		in6.sin6_port = from6.sin6_port;
		in6.sin6_addr = from6.sin6_addr;
		nl_put(w, type, &in6, sizeof(in6));
		return;
	}
	memcpy(&from, addr, sizeof(from));
	in.sin_port = from.sin_port;
	in.sin_addr = from.sin_addr;
	nl_put(w, type, &in, sizeof(in));
}

bool
dpt_nl_put_bearer(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		  const struct dpt_nl_bearer *bearer)
{
	struct nl_writer w;
	struct nlattr *nest, *opts;

	nl_begin_answer(&w, out, req, TIPC_NL_BEARER_GET);
	nest = nl_nest(&w, TIPC_NLA_BEARER);
	nl_put_text(&w, TIPC_NLA_BEARER_NAME, bearer->name);
	props_put(&w, TIPC_NLA_BEARER_PROP, &bearer->props);
	if (bearer->is_udp) {
		opts = nl_nest(&w, TIPC_NLA_BEARER_UDP_OPTS);
		sockaddr_put(&w, TIPC_NLA_UDP_LOCAL, &bearer->local);
		sockaddr_put(&w, TIPC_NLA_UDP_REMOTE, &bearer->remote);
		nl_put_flag(&w, TIPC_NLA_UDP_MULTI_REMOTEIP, bearer->is_multi);
		nl_nest_end(&w, opts);
	}
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

/* An attribute of UDP_OPTS without its nest, in an answer that calls itself BEARER_GET. */
bool
dpt_nl_put_remote(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		  const struct sockaddr_storage *remote)
{
	struct nl_writer w;

	nl_begin_answer(&w, out, req, TIPC_NL_BEARER_GET);
	sockaddr_put(&w, TIPC_NLA_UDP_REMOTE, remote);
	return nl_end(&w);
}

bool
dpt_nl_put_media(struct dpt_nl_out *out, const struct dpt_nl_req *req, const char *name,
		 const struct dpt_nl_props *props)
{
	struct nl_writer w;
	struct nlattr *nest;

	nl_begin_answer(&w, out, req, TIPC_NL_MEDIA_GET);
	nest = nl_nest(&w, TIPC_NLA_MEDIA);
	nl_put_text(&w, TIPC_NLA_MEDIA_NAME, name);
	props_put(&w, TIPC_NLA_MEDIA_PROP, props);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}
