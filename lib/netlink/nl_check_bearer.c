/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about bearers and media. 13-netlink.md, 5.2 to 5.5, 5.11, 5.12, 5.21, 5.22. */
#include "nl_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* Src: 11-management.md, C1. */
#define PRIO_MAX    31
#define TOL_MS_MIN  50
#define TOL_MS_MAX  30000
#define WIN_MIN	    50
#define WIN_MAX	    8191
#define MTU_MAX	    65535
#define UDP_MTU_MIN 128

#define TEXT_MEDIA_FAILED  "Failed to enable media"
#define TEXT_MTU_NOT_UDP   "MTU property is unsupported"
#define TEXT_MTU_RANGE	   "MTU value is out-of-range"
#define TEXT_NAME	   "Illegal name"
#define TEXT_NO_MEDIA	   "Media not registered"
#define TEXT_MEDIA_UNKNOWN "Media not found"
#define TEXT_NOT_UDP	   "UDP option is unsupported"

static const struct nl_rules bearer_rules = {
	.type_max = TIPC_NLA_BEARER_MAX,
	.by_type =
		{
			[TIPC_NLA_BEARER_NAME] = {NL_NAME, DPT_BEARER_NAME_BYTES},
			[TIPC_NLA_BEARER_PROP] = {NL_NEST, 0},
			[TIPC_NLA_BEARER_DOMAIN] = {NL_U32, 0},
			[TIPC_NLA_BEARER_UDP_OPTS] = {NL_NEST, 0},
		},
};

static const struct nl_rules media_rules = {
	.type_max = TIPC_NLA_MEDIA_MAX,
	.by_type =
		{
			[TIPC_NLA_MEDIA_NAME] = {NL_STRING, 0},
			[TIPC_NLA_MEDIA_PROP] = {NL_NEST, 0},
		},
};

static const struct nl_rules udp_rules = {
	.type_max = TIPC_NLA_UDP_MAX,
	.by_type =
		{
			[TIPC_NLA_UDP_LOCAL] = {NL_BINARY, sizeof(struct sockaddr_storage)},
			[TIPC_NLA_UDP_REMOTE] = {NL_BINARY, sizeof(struct sockaddr_storage)},
			[TIPC_NLA_UDP_MULTI_REMOTEIP] = {NL_FLAG, 0},
		},
};

static const struct nl_rules prop_rules = {
	.type_max = TIPC_NLA_PROP_MAX,
	.by_type =
		{
			[TIPC_NLA_PROP_PRIO] = {NL_U32, 0},
			[TIPC_NLA_PROP_TOL] = {NL_U32, 0},
			[TIPC_NLA_PROP_WIN] = {NL_U32, 0},
			[TIPC_NLA_PROP_MTU] = {NL_U32, MTU_MAX},
			[TIPC_NLA_PROP_BROADCAST] = {NL_U32, 0},
			[TIPC_NLA_PROP_BROADCAST_RATIO] = {NL_U32, 0},
		},
};

static bool
is_udp(const char *bearer)
{
	return strncmp(bearer, "udp:", 4) == 0;
}

static bool
is_media(const char *name, size_t bytes)
{
	static const char *const media[] = {"eth", "ib", "udp"};

	for (uint32_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
		if (strlen(media[i]) == bytes && memcmp(media[i], name, bytes) == 0)
			return true;
	}
	return false;
}

int
nl_props_read(struct dpt_nl_req *req, const struct nlattr *nest)
{
	struct nl_attrs attrs;
	const uint32_t had = req->has;
	int rc = nl_nest_read(nest, &prop_rules, &attrs, NULL);

	if (rc < 0)
		return rc;
	req->has |= DPT_NL_HAS_PROP;
	if ((nl_u32_read(req, DPT_NL_HAS_PRIO, &attrs, TIPC_NLA_PROP_PRIO, &req->prio) &&
	     req->prio > PRIO_MAX) ||
	    (nl_u32_read(req, DPT_NL_HAS_TOL, &attrs, TIPC_NLA_PROP_TOL, &req->tol) &&
	     (req->tol < TOL_MS_MIN || req->tol > TOL_MS_MAX)) ||
	    (nl_u32_read(req, DPT_NL_HAS_WIN, &attrs, TIPC_NLA_PROP_WIN, &req->win) &&
	     (req->win < WIN_MIN || req->win > WIN_MAX))) {
		req->has = had;
		return -EINVAL;
	}
	(void)nl_u32_read(req, DPT_NL_HAS_MTU, &attrs, TIPC_NLA_PROP_MTU, &req->mtu);
	(void)nl_u32_read(req, DPT_NL_HAS_BCAST, &attrs, TIPC_NLA_PROP_BROADCAST, &req->bcast);
	(void)nl_u32_read(req, DPT_NL_HAS_RATIO, &attrs, TIPC_NLA_PROP_BROADCAST_RATIO,
			  &req->ratio);
	return 0;
}

/* TOL, PRIO and WIN are set before the MTU is looked at. */
static void
mtu_check(struct dpt_nl_req *req, bool has_mtu_prop)
{
	if ((req->has & DPT_NL_HAS_MTU) == 0 || (has_mtu_prop && req->mtu >= UDP_MTU_MIN))
		return;
	req->has &= ~(uint32_t)DPT_NL_HAS_MTU;
	nl_later(req, -EINVAL, has_mtu_prop ? TEXT_MTU_RANGE : TEXT_MTU_NOT_UDP);
}

/* The nest BEARER with its name. */
static int
bearer_read(struct nl_request *r, struct nl_attrs *attrs)
{
	int rc = nl_own_nest_read(r, TIPC_NLA_BEARER, &bearer_rules, attrs);

	if (rc < 0)
		return rc;
	if (attrs->by_type[TIPC_NLA_BEARER_NAME] == NULL)
		return -EINVAL;
	nl_name_read(r->req, attrs->by_type[TIPC_NLA_BEARER_NAME]);
	return 0;
}

int
nl_bearer_name_check(struct nl_request *r)
{
	struct nl_attrs attrs;

	return bearer_read(r, &attrs);
}

/* Media that the kernel has not, but dptipcd: a raw request may name them. */
static bool
is_own_media(const char *name, size_t bytes)
{
	return bytes == strlen("unix") && memcmp(name, "unix", bytes) == 0;
}

/* "media:name"; the first colon divides. 13-netlink.md, 5.3, checks 3 and 4. */
static int
name_check(struct nl_request *r)
{
	const char *name = r->req->name, *colon = strchr(name, ':');
	size_t media_bytes = colon == NULL ? 0 : (size_t)(colon - name);
	size_t if_bytes = colon == NULL ? 0 : strlen(colon + 1);

	/* (so the whole has at most 31 letters) */
	if (media_bytes < 1 || if_bytes < 1 || media_bytes >= DPT_IF_NAME_BYTES ||
	    if_bytes >= DPT_IF_NAME_BYTES) {
		r->fault.text = TEXT_NAME;
		return -EINVAL;
	}
	if (!is_media(name, media_bytes) && !is_own_media(name, media_bytes)) {
		r->fault.text = TEXT_NO_MEDIA;
		return -EINVAL;
	}
	return 0;
}

/* Shorter ones count as extended by zeros. */
static int
sockaddr_read(const struct nlattr *attr, struct sockaddr_storage *addr)
{
	memcpy(addr, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return addr->ss_family == AF_INET || addr->ss_family == AF_INET6 ? 0 : -EADDRNOTAVAIL;
}

static bool
lacks_scope(const struct sockaddr_storage *addr)
{
	struct sockaddr_in6 in6;

	memcpy(&in6, addr, sizeof(in6));
	return addr->ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) &&
	       in6.sin6_scope_id == 0;
}

/* LOCAL and REMOTE of a bearer that is to be enabled. */
static int
udp_opts_read(struct dpt_nl_req *req, const struct nlattr *nest)
{
	struct nl_attrs opts;
	int rc;

	if (nest == NULL)
		return -EINVAL;
	req->has |= DPT_NL_HAS_UDP_OPTS;
	if (nl_nest_read(nest, &udp_rules, &opts, NULL) < 0)
		return -EINVAL;
	if (opts.by_type[TIPC_NLA_UDP_LOCAL] == NULL || opts.by_type[TIPC_NLA_UDP_REMOTE] == NULL)
		return -EINVAL;
	rc = sockaddr_read(opts.by_type[TIPC_NLA_UDP_LOCAL], &req->local);
	if (rc < 0)
		return rc;
	if (lacks_scope(&req->local))
		return -EINVAL;
	rc = sockaddr_read(opts.by_type[TIPC_NLA_UDP_REMOTE], &req->remote);
	if (rc < 0)
		return rc;
	if (req->local.ss_family != req->remote.ss_family)
		return -EINVAL;
	req->has |= DPT_NL_HAS_LOCAL | DPT_NL_HAS_REMOTE;
	return 0;
}

int
nl_bearer_enable_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	int rc = bearer_read(r, &attrs);

	if (rc < 0)
		return rc;
	(void)nl_u32_read(r->req, DPT_NL_HAS_DOMAIN, &attrs, TIPC_NLA_BEARER_DOMAIN,
			  &r->req->domain);
	if (attrs.by_type[TIPC_NLA_BEARER_PROP] != NULL) {
		rc = nl_props_read(r->req, attrs.by_type[TIPC_NLA_BEARER_PROP]);
		if (rc < 0)
			return rc;
	}
	rc = name_check(r);
	if (rc == 0 && is_udp(r->req->name))
		nl_later(r->req, udp_opts_read(r->req, attrs.by_type[TIPC_NLA_BEARER_UDP_OPTS]),
			 TEXT_MEDIA_FAILED);
	return rc;
}

int
nl_bearer_set_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	int rc = bearer_read(r, &attrs);

	if (rc < 0 || attrs.by_type[TIPC_NLA_BEARER_PROP] == NULL)
		return rc;
	nl_later(r->req, nl_props_read(r->req, attrs.by_type[TIPC_NLA_BEARER_PROP]), NULL);
	mtu_check(r->req, is_udp(r->req->name));
	return 0;
}

static int
udp_remote_read(struct dpt_nl_req *req, const struct nlattr *nest)
{
	struct nl_attrs opts;
	int rc;

	if (nl_nest_read(nest, &udp_rules, &opts, NULL) < 0 ||
	    opts.by_type[TIPC_NLA_UDP_REMOTE] == NULL)
		return -EINVAL;
	rc = sockaddr_read(opts.by_type[TIPC_NLA_UDP_REMOTE], &req->remote);
	if (rc == 0)
		req->has |= DPT_NL_HAS_REMOTE;
	return rc;
}

int
nl_bearer_add_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	int rc = bearer_read(r, &attrs);

	if (rc < 0 || attrs.by_type[TIPC_NLA_BEARER_UDP_OPTS] == NULL)
		return rc;
	r->req->has |= DPT_NL_HAS_UDP_OPTS;
	if (!is_udp(r->req->name))
		nl_later(r->req, -EINVAL, TEXT_NOT_UDP);
	nl_later(r->req, udp_remote_read(r->req, attrs.by_type[TIPC_NLA_BEARER_UDP_OPTS]), NULL);
	return 0;
}

static int
media_read(struct nl_request *r, struct nl_attrs *attrs)
{
	int rc = nl_own_nest_read(r, TIPC_NLA_MEDIA, &media_rules, attrs);

	if (rc < 0)
		return rc;
	if (attrs->by_type[TIPC_NLA_MEDIA_NAME] == NULL)
		return -EINVAL;
	nl_name_read(r->req, attrs->by_type[TIPC_NLA_MEDIA_NAME]);
	if (is_media(r->req->name, strlen(r->req->name)))
		return 0;
	r->fault.text = TEXT_MEDIA_UNKNOWN;
	return -EINVAL;
}

int
nl_media_get_check(struct nl_request *r)
{
	struct nl_attrs attrs;

	return media_read(r, &attrs);
}

int
nl_media_set_check(struct nl_request *r)
{
	struct nl_attrs attrs;
	int rc = media_read(r, &attrs);

	if (rc < 0 || attrs.by_type[TIPC_NLA_MEDIA_PROP] == NULL)
		return rc;
	rc = nl_props_read(r->req, attrs.by_type[TIPC_NLA_MEDIA_PROP]);
	if (rc < 0)
		return rc;
	mtu_check(r->req, strcmp(r->req->name, "udp") == 0);
	return 0;
}
