/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_SOCKET_H
#define DPT_SOCKET_H

/*
 * The sockets of one shard: 09-socket-api.md. Types RDM and DGRAM; connections come with
 * their own issue. Owned by the shard.
 *
 *   dpt_sock_send --> header, lookup --> routed: messages with a destination node
 *   message for an own port --> dpt_sock_rx --> filter, admission --> receive queue
 *                                    \--> no such port, refused --> routed: return, reroute
 *   dpt_sock_recv_next --> to the application (the socket keeps the buffer)
 *   dpt_sock_recv_done --> the application has read it: freed, charge given back
 *
 * Outputs go to a queue `routed`: buffers whose dpt_buf.arg is the destination node (own
 * or 0: here; the shard follows from destport) and dpt_buf.arg2 the link selector.
 *
 * A port reference holds the owner: shard, slot, generation, so a message finds its socket
 * by index:   31..28 shard | 27..8 slot | 7..0 generation.
 * Generations start at random and grow with each reuse, slots are reused oldest first, so
 * bit 0, the link selector, is spread and a number does not come back soon
 * (09-socket-api.md, 3.1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_env.h"
#include "dpt_names.h"
#include "socket_counters.h"

/* Socket types, as in AF_TIPC. */
enum dpt_sock_type { DPT_SOCK_DGRAM = 2, DPT_SOCK_RDM = 4 };

struct dpt_socks;

struct dpt_socks_cfg {
	struct dpt_env env;
	uint8_t shard;
	uint32_t sockets_max;	 /* of this shard, at most 2^20 */
	uint32_t bindings_max;	 /* of all sockets of this shard */
	uint32_t rcvbuf_bytes;	 /* default receive limit. Src: 09-socket-api.md, 1: 2097152 */
	struct dpt_names *names; /* the shard's table */
	/* Scratch for the nodes of a multicast. */
	struct dpt_node_addr *mcast_nodes;
	uint32_t mcast_nodes_max;
	struct dpt_socket_counters *counters;
};

size_t dpt_socks_size(const struct dpt_socks_cfg *cfg);
void dpt_socks_init(struct dpt_socks *socks, const struct dpt_socks_cfg *cfg);
void dpt_socks_fini(struct dpt_socks *socks);
void dpt_socks_own_set(struct dpt_socks *socks, struct dpt_node_addr own);

/* Shard that owns a port. */
static inline uint8_t
dpt_port_shard(struct dpt_port port)
{
	return (uint8_t)(port.ref >> 28);
}

/*
 * A new socket. cookie: the caller's, given back with dpt_sock_ready_pop. Returns 0,
 * -EPROTOTYPE (type), -ENFILE (no slot left).
 */
int dpt_sock_open(struct dpt_socks *socks, enum dpt_sock_type type, uint64_t cookie,
		  struct dpt_port *port);

/*
 * Close: every message that the application has not read is returned where its sender asked
 * for it, NO_PORT (17.1). Bindings: take them first with dpt_sock_binding_pop.
 */
void dpt_sock_close(struct dpt_socks *socks, struct dpt_port port, struct dpt_bufq *routed);

/*
 * shutdown(): the same with CONN_SHUTDOWN; the socket stays. What was given out and not
 * reported as read counts as unread: the caller takes it back from the application, and
 * reports nothing of it with dpt_sock_recv_done afterwards.
 */
void dpt_sock_shutdown(struct dpt_socks *socks, struct dpt_port port, struct dpt_bufq *routed);

/*
 * bind, first half: 5.1 (rules 4 to 10; addresses were checked for shape). *binding is
 * what shard 0 has to insert. It counts as the socket's at once; if shard 0 refuses it,
 * dpt_sock_bind_undo. Returns 0, -EACCES (type < 64), -EINVAL (lower > upper, no such
 * socket), -EADDRINUSE (keys used up), -ENOMEM.
 */
int dpt_sock_bind(struct dpt_socks *socks, struct dpt_port port, const struct dpt_range *range,
		  uint8_t scope, struct dpt_binding *binding);
void dpt_sock_bind_undo(struct dpt_socks *socks, const struct dpt_binding *binding);

/*
 * unbind one: 5.2. Returns 0 and *binding to withdraw; 1: nothing bound at all, success;
 * -EINVAL: no match; -EACCES.
 */
int dpt_sock_unbind(struct dpt_socks *socks, struct dpt_port port, const struct dpt_range *range,
		    uint8_t scope, struct dpt_binding *binding);

/* Take the newest binding off the socket. Returns false when there is none. */
bool
dpt_sock_binding_pop(struct dpt_socks *socks, struct dpt_port port, struct dpt_binding *binding);

/* Destination as in sockaddr_tipc; shape was checked by the caller (2.3). */
enum dpt_addrtype { DPT_ADDR_RANGE = 1, DPT_ADDR_SERVICE = 2, DPT_ADDR_SOCKET = 3 };
struct dpt_dest {
	uint8_t addrtype;
	struct dpt_range range;	       /* RANGE; SERVICE: lower = upper = instance */
	struct dpt_node_addr domain;   /* SERVICE: lookup domain */
	struct dpt_socket_addr socket; /* SOCKET */
};

/* One send call. */
struct dpt_send {
	const struct dpt_dest *dest;
	uint8_t importance; /* 0 .. 3 */
	bool is_dest_droppable;
	bool is_src_droppable;
};

/*
 * Send one message. m: the payload only (no header), 0 .. 66000 octets, headroom of at
 * least DPT_HDR_BYTES_MAX beyond what bearers need. m is gone. Order of checks as 10.1.
 * Appends the message(s) to routed: unicast one; multicast one local (if own sockets are
 * bound) and one copy per remote node, is_rcast = 1 (06-broadcast.md, 8).
 * Returns 0, -EMSGSIZE, -EHOSTUNREACH, -EAGAIN (this socket may not send there before
 * room is reported), -ENOBUFS, -EINVAL (no such socket).
 */
int dpt_sock_send(struct dpt_socks *socks, struct dpt_port port, const struct dpt_send *send,
		  struct rte_mbuf *m, struct dpt_bufq *routed);

/* The link said 1 (level full) to a message of this port to node: 10.4. */
void dpt_sock_congested(struct dpt_socks *socks, struct dpt_port port, struct dpt_node_addr node,
			uint8_t importance);
/*
 * The node's levels in the mask have room, or the node is gone (mask 0x1f): sockets blocked
 * on them may send again and come out of dpt_sock_writable_pop.
 */
void dpt_sock_room(struct dpt_socks *socks, struct dpt_node_addr node, uint32_t level_mask);
bool dpt_sock_is_congested(const struct dpt_socks *socks, struct dpt_port port);

/*
 * A data message (users 0 to 3) for this node: unicast to a port of this shard (or to
 * none: port 0 and ports of closed sockets), or multicast for this shard's sockets (MCAST_MSG).
 * m, checked, is gone: queued, or returned or rerouted through routed (01-wire-format.md,
 * 11, 12), or dropped and counted. names: for secondary and multicast lookup.
 */
void dpt_sock_rx(struct dpt_socks *socks, struct rte_mbuf *m, struct dpt_bufq *routed);

/* CONN_MANAGER and others that concern only connections: answered as for a missing port. */
void dpt_sock_rx_conn_manager(struct dpt_socks *socks, struct rte_mbuf *m, struct dpt_bufq *routed);

/* A socket that has received since it was popped last. Returns false when none. */
bool dpt_sock_ready_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie);
bool dpt_sock_writable_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie);

/* The next message that was not given out yet, or NULL. The socket keeps it. */
struct rte_mbuf *dpt_sock_recv_next(struct dpt_socks *socks, struct dpt_port port);
/* The oldest cnt messages that were given out have been read: free them. */
void dpt_sock_recv_done(struct dpt_socks *socks, struct dpt_port port, uint32_t cnt);

int dpt_sock_rcvbuf_set(struct dpt_socks *socks, struct dpt_port port, uint32_t bytes);

/* For dumps: the port's queue length, charge, drops. -ENOENT. */
struct dpt_sock_info {
	enum dpt_sock_type type;
	uint32_t queued_msgs;
	uint32_t queued_bytes;
	uint32_t bindings_cnt;
	uint64_t drops;
	bool is_congested;
};
int dpt_sock_info(const struct dpt_socks *socks, struct dpt_port port, struct dpt_sock_info *info);
/* Messages that the port refused with OVERLOAD; 0 for no such port. */
uint64_t dpt_sock_drops(const struct dpt_socks *socks, struct dpt_port port);
uint32_t dpt_socks_cnt(const struct dpt_socks *socks);

#endif /* DPT_SOCKET_H */
