/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NL_H
#define DPT_NL_H

/*
 * The netlink messages of the management protocol (13-netlink.md): requests of iproute2's `tipc`
 * and `ss` read and checked, answers written. Knows octets and rules, no state of a node: what a
 * command does is the caller's. Pure: no fd, no clock, no allocation.
 *
 *   datagram --> dpt_nl_next --> DPT_NL_EXECUTE: the caller does it, and answers with dpt_nl_put_*
 *                            \-> DPT_NL_ANSWERED: refused, or the family resolution: in `out`
 * already
 *
 * Messages are appended to a datagram (struct dpt_nl_out) as long as they fit; the caller sends it
 * when it is full, and at the end. libmnl writes and walks attributes (decision 0018).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "dpt_ids.h"
#include "dpt_limits.h"

/* Family number that we resolve "TIPCv2" to. Any from 16 on works: 13-netlink.md, 3. */
#define DPT_NL_FAMILY_ID 32
/* No datagram of a generic netlink answer is larger: 13-netlink.md, 4.5. */
#define DPT_NL_DATAGRAM_BYTES 4096
/* Names with their NUL. Src: 13-netlink.md, 4.6. */
#define DPT_NL_NAME_BYTES 80
#define DPT_NL_KEY_BYTES  36
/* Not in errno.h: 13-netlink.md, 1. */
#define DPT_NL_ENOTSUPP 524

/* What was opened: one per connection. */
struct dpt_nl_peer {
	int protocol;	  /* NETLINK_GENERIC or NETLINK_SOCK_DIAG */
	bool has_cap_ack; /* socket option NETLINK_CAP_ACK */
	bool has_ext_ack; /* socket option NETLINK_EXT_ACK */
	bool is_admin;	  /* may change things */
};

/* Bits of dpt_nl_req.has: which members were in the request. */
enum dpt_nl_has {
	DPT_NL_HAS_NAME = 1u << 0,
	DPT_NL_HAS_PROP = 1u << 1, /* the nest */
	DPT_NL_HAS_PRIO = 1u << 2,
	DPT_NL_HAS_TOL = 1u << 3,
	DPT_NL_HAS_WIN = 1u << 4,
	DPT_NL_HAS_MTU = 1u << 5,
	DPT_NL_HAS_BCAST = 1u << 6,
	DPT_NL_HAS_RATIO = 1u << 7,
	DPT_NL_HAS_DOMAIN = 1u << 8,
	DPT_NL_HAS_UDP_OPTS = 1u << 9,
	DPT_NL_HAS_LOCAL = 1u << 10,
	DPT_NL_HAS_REMOTE = 1u << 11,
	DPT_NL_HAS_REF = 1u << 12,
	DPT_NL_HAS_NET_ID = 1u << 13,
	DPT_NL_HAS_ADDR = 1u << 14,
	DPT_NL_HAS_NODE_ID = 1u << 15,
	DPT_NL_HAS_THRESHOLD = 1u << 16,
	DPT_NL_HAS_BCAST_LINKS = 1u << 17, /* LINK_GET dump: the flag LINK_BROADCAST */
	DPT_NL_HAS_KEY = 1u << 18,
	DPT_NL_HAS_KEY_MASTER = 1u << 19,
	DPT_NL_HAS_REKEYING = 1u << 20,
	DPT_NL_HAS_NEST = 1u << 21, /* the command's own top level nest */
};

/*
 * One request, its values read. Everything that needs no state has been checked in the order of
 * 13-netlink.md, 5 up to the first check that needs some; later_rc is the outcome of those that
 * come after it (ranges of PROP behind "Bearer not found"): the caller gives it at its place.
 *
 * `has` bears only what may be done before later_rc, so: find the object, do what `has` says, in
 * the order of 13-netlink.md, and answer later_rc with later_text. Two stand elsewhere:
 *   BEARER_ENABLE   later_rc is check 8, "Failed to enable media": nothing is done then;
 *   LINK_SET of the broadcast link: it is the range of RATIO, which comes after what the media
 *                   support (ENOPROTOOPT) and after BROADCAST, which stays.
 * Left to the caller although the value is here: whether a name is known; an MTU under the least
 * of an IPv6 bearer (148); NODE_ID of PEER_REMOVE into an address.
 */
struct dpt_nl_req {
	uint32_t seq;
	uint32_t pid;		      /* copied into all answers */
	uint16_t type;		      /* of the message */
	uint16_t flags;		      /* NLM_F_* */
	uint8_t cmd;		      /* TIPC_NL_*; sock_diag: 0 */
	bool is_dump;		      /* else do */
	uint32_t has;		      /* enum dpt_nl_has */
	int later_rc;		      /* 0 or negative errno */
	const char *later_text;	      /* NULL: none */
	char name[DPT_NL_NAME_BYTES]; /* of bearer, link or media */
	uint32_t prio, tol, win, mtu, bcast, ratio;
	uint32_t domain;
	struct sockaddr_storage local, remote; /* zero-extended */
	uint32_t ref;			       /* SOCK_REF, MON_REF */
	uint32_t net_id;
	uint32_t addr;
	struct dpt_node_id node_id; /* NET_NODEID and W1, or NODE_ID */
	uint32_t threshold;
	uint32_t rekeying;
	uint8_t key[DPT_NL_KEY_BYTES];
	uint32_t key_bytes;
	uint32_t states; /* sock_diag: bit mask of socket states */
	const void *msg; /* the request as it lies in the datagram, for NLMSG_ERROR */
	uint32_t msg_bytes;
};

/* A datagram of answers being written. */
struct dpt_nl_out {
	uint8_t *data; /* 4-octet aligned, the caller's */
	uint32_t size;
	uint32_t used;
};

enum dpt_nl_result {
	DPT_NL_END = 0,	     /* nothing more in the datagram */
	DPT_NL_EXECUTE = 1,  /* req is to be done */
	DPT_NL_ANSWERED = 2, /* it needed nothing: the answer, if any, is in out */
};

/*
 * The next request of a datagram; *pos: 0 at its beginning. out: empty, DPT_NL_DATAGRAM_BYTES at
 * least; after the family resolution it holds two messages that go out as one datagram.
 * datagram: 4-octet aligned, any octets at all.
 */
enum dpt_nl_result dpt_nl_next(const struct dpt_nl_peer *peer, const void *datagram, uint32_t bytes,
			       uint32_t *pos, struct dpt_nl_req *req, struct dpt_nl_out *out);

/*
 * Ends of an answer. dpt_nl_put_error: rc 0 or negative errno, text may be NULL (with rc 0: a
 * warning); writes nothing for rc 0 when the request did not ask for an ACK.
 * dpt_nl_put_done: the end of a dump. All dpt_nl_put_*: true, or false: does not fit, nothing was
 * written. Padding is zeroed.
 */
bool dpt_nl_put_error(struct dpt_nl_out *out, const struct dpt_nl_peer *peer,
		      const struct dpt_nl_req *req, int rc, const char *text);
bool dpt_nl_put_done(struct dpt_nl_out *out, const struct dpt_nl_req *req, int rc);

/* ---- what answers are made of: one struct and one function for each kind ---- */

struct dpt_nl_props {
	uint32_t prio, tol, win, mtu;
	bool has_mtu; /* udp */
};
struct dpt_nl_bearer {
	const char *name;
	struct dpt_nl_props props;
	bool is_udp;
	bool is_multi; /* UDP_MULTI_REMOTEIP */
	struct sockaddr_storage local, remote;
};
bool dpt_nl_put_bearer(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		       const struct dpt_nl_bearer *bearer);
bool dpt_nl_put_remote(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		       const struct sockaddr_storage *remote);
bool dpt_nl_put_media(struct dpt_nl_out *out, const struct dpt_nl_req *req, const char *name,
		      const struct dpt_nl_props *props);

/* Numbers of STATS. Src: 13-netlink.md, 5.8. */
#define DPT_NL_STATS_CNT 33
struct dpt_nl_link {
	const char *name;
	uint32_t dest; /* own address: cut by the function as the kernel does */
	uint32_t mtu, rx, tx;
	bool is_up, is_active;
	struct dpt_nl_props props;
	uint32_t stats[DPT_NL_STATS_CNT + 1]; /* by attribute number */
};
bool dpt_nl_put_link(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		     const struct dpt_nl_link *link);
/* "broadcast-link", "broadcast-link:PEER": of stats those that it has. */
struct dpt_nl_bcast_link {
	const char *name;
	uint32_t win;
	uint32_t method; /* 1, 2 or 4: never another, the tool crashes */
	uint32_t ratio;
	uint32_t stats[DPT_NL_STATS_CNT + 1];
};
bool dpt_nl_put_bcast_link(struct dpt_nl_out *out, const struct dpt_nl_req *req,
			   const struct dpt_nl_bcast_link *link);

bool
dpt_nl_put_node(struct dpt_nl_out *out, const struct dpt_nl_req *req, uint32_t addr, bool is_up);
bool dpt_nl_put_net(struct dpt_nl_out *out, const struct dpt_nl_req *req, uint32_t net_id,
		    const struct dpt_node_id *id);
bool dpt_nl_put_addr_legacy(struct dpt_nl_out *out, const struct dpt_nl_req *req, bool is_legacy);

/* A row of the name table; of PUBL_GET only key, type, lower, upper are used. */
struct dpt_nl_publ {
	uint32_t type, lower, upper, scope, node, ref, key;
};
bool dpt_nl_put_name(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		     const struct dpt_nl_publ *publ);
bool dpt_nl_put_publ(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		     const struct dpt_nl_publ *publ);

/* Of a group member. */
struct dpt_nl_group {
	uint32_t type, instance;
	uint32_t bcast_next; /* number of its next broadcast */
	bool is_node_scope, is_open;
};
struct dpt_nl_sock {
	uint32_t ref;
	uint32_t own; /* own address */
	bool is_connected;
	bool has_bindings;
	bool has_conn_name; /* the connection was made with a service address */
	uint32_t peer_node, peer_ref, conn_type, conn_instance;
	/* sock_diag only */
	uint32_t sock_type, state, inode, uid;
	uint64_t cookie;
	uint32_t rcvq, sendq, drops;
	bool is_link_congested, is_conn_congested;
	const struct dpt_nl_group *group; /* NULL: none */
};
bool dpt_nl_put_sock(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		     const struct dpt_nl_sock *sock);
bool dpt_nl_put_diag(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		     const struct dpt_nl_sock *sock);

bool dpt_nl_put_threshold(struct dpt_nl_out *out, const struct dpt_nl_req *req, uint32_t threshold);
struct dpt_nl_monitor {
	uint32_t ref; /* bearer's slot */
	bool is_active;
	const char *bearer;
	uint32_t peers_cnt, generation;
};
bool dpt_nl_put_monitor(struct dpt_nl_out *out, const struct dpt_nl_req *req,
			const struct dpt_nl_monitor *monitor);
struct dpt_nl_monitor_peer {
	uint32_t addr;
	bool is_up, is_local, is_head;
	bool has_domain; /* the rest is valid */
	uint32_t generation, applied_cnt, members_cnt;
	uint64_t up_map;
	uint32_t members[64];
};
bool dpt_nl_put_monitor_peer(struct dpt_nl_out *out, const struct dpt_nl_req *req,
			     const struct dpt_nl_monitor_peer *peer);

#endif /* DPT_NL_H */
