/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_SOCKET_H
#define DPT_SOCKET_H

/*
 * The sockets of one shard: 09-socket-api.md. Owned by the shard.
 *
 *   dpt_sock_send --> header, lookup --> routed: messages with a destination node
 *   message for an own port --> dpt_sock_rx --> filter, admission --> receive queue
 *                                    \--> no such port, refused --> routed: return, reroute
 *   dpt_sock_recv_next --> to the application (the socket keeps the buffer)
 *   dpt_sock_recv_done --> the application has read it: freed, charge given back; connections:
 *                          what was read is acknowledged (11.2)
 *
 * Connections (SEQPACKET, STREAM):
 *
 *   dpt_sock_connect, dpt_sock_send with dest --> SYN      dpt_sock_listen --> queue of SYNs
 *   dpt_sock_rx --> ACK: ESTABLISHED                       dpt_sock_accept --> new socket, ACK
 *   dpt_sock_send without dest --> data, as far as credit reaches
 *   what an application can see of a connection has changed --> dpt_sock_changed_pop
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
enum dpt_sock_type {
	DPT_SOCK_STREAM = 1,
	DPT_SOCK_DGRAM = 2,
	DPT_SOCK_RDM = 4,
	DPT_SOCK_SEQPACKET = 5,
};

/* Numbers as diagnostics show them. Src: 09-socket-api.md, 4. */
enum dpt_sock_state {
	DPT_SOCK_STATE_ESTABLISHED = 1,
	DPT_SOCK_STATE_CONNECTING = 2,
	DPT_SOCK_STATE_OPEN = 7,
	DPT_SOCK_STATE_DISCONNECTING = 8,
	DPT_SOCK_STATE_LISTEN = 10,
};

struct dpt_socks;

struct dpt_socks_cfg {
	struct dpt_env env;
	uint8_t shard;
	uint32_t sockets_max;	 /* of this shard, at most 2^20 */
	uint32_t bindings_max;	 /* of all sockets of this shard */
	uint32_t nodes_max;	 /* in contact at a time */
	uint32_t rcvbuf_bytes;	 /* default receive limit. Src: 09-socket-api.md, 1: 2097152 */
	struct dpt_names *names; /* the shard's table */
	/* Scratch for the nodes of a multicast. */
	struct dpt_node_addr *mcast_nodes;
	uint32_t mcast_nodes_max;
	struct dpt_socket_counters *counters;
};

size_t dpt_socks_size(const struct dpt_socks_cfg *cfg);
void dpt_socks_init(struct dpt_socks *socks, const struct dpt_socks_cfg *cfg, uint64_t now_ns);
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
	const struct dpt_dest *dest; /* NULL: on the connection */
	uint8_t importance;	     /* 0 .. 3 */
	bool is_dest_droppable;
	bool is_src_droppable;
	uint32_t conn_timeout_ms; /* SYN: bounds the pause before it is repeated, 7.6; 0: default */
};

/*
 * Make room for the destination's node in the table that connections take their properties
 * from. caps: what both nodes have (BLOCK_FLOWCTL, NAGLE, SYN bits: 02-discovery.md, 3); mss:
 * largest packet of its link. Until told so a node has none. node_down: each connection with
 * it ends, NO_NODE (22); what it is congested towards has room.
 */
void
dpt_socks_node_up(struct dpt_socks *socks, struct dpt_node_addr node, uint16_t caps, uint16_t mss);
void
dpt_socks_node_down(struct dpt_socks *socks, struct dpt_node_addr node, struct dpt_bufq *routed);

/* listen(): 8.1. Returns 0, -EOPNOTSUPP (type), -EINVAL (state, no such socket). */
int dpt_sock_listen(struct dpt_socks *socks, struct dpt_port port);

/*
 * connect() of a connection type in state OPEN: the SYN without data, 7.2. Returns 0: it is on
 * its way, state CONNECTING; -EOPNOTSUPP (has bindings), -EHOSTUNREACH, -ENOBUFS, -EINVAL (range,
 * state, type), -EISCONN, -EALREADY (CONNECTING). A SYN that meets congestion stays queued here.
 */
int dpt_sock_connect(struct dpt_socks *socks, struct dpt_port port, const struct dpt_send *send,
		     uint64_t now_ns, struct dpt_bufq *routed);

/*
 * accept(): 8.2. The oldest queued SYN becomes a new socket, ESTABLISHED, with its peer's ACK in
 * routed. Returns 0 and *accepted; -EAGAIN (none queued), -EINVAL (not LISTEN), -EOPNOTSUPP,
 * -ENFILE.
 */
int dpt_sock_accept(struct dpt_socks *socks, struct dpt_port port, uint64_t cookie, uint64_t now_ns,
		    struct dpt_port *accepted, struct dpt_bufq *routed);

/* socketpair(): 21. Both open, of one type, fresh. Returns 0 or -EINVAL. */
int dpt_sock_pair(struct dpt_socks *socks, struct dpt_port a, struct dpt_port b, uint64_t now_ns);

/*
 * What an application can see of a socket's connection. credit: may send as long as the cost of
 * all that it has sent since ESTABLISHED (a SYN's data does not count), summed up modulo 2^32 with
 * dpt_sock_cost, is not beyond it; 0 without a connection.
 */
struct dpt_sock_conn {
	enum dpt_sock_state state;
	int error; /* pending, positive errno: ECONNREFUSED, ECONNABORTED; 0: none */
	struct dpt_socket_addr peer; /* ESTABLISHED and after */
	uint32_t name_type;	     /* of the set-up, if has_name: 16.6 */
	uint32_t name_instance;
	uint32_t credit;
	uint8_t importance; /* taken over at set-up: 8.2, 9.2 */
	bool has_name;
	bool is_block_flow; /* costs are blocks; else 1 a message */
};
void dpt_sock_conn(const struct dpt_socks *socks, struct dpt_port port, struct dpt_sock_conn *conn);

/* What one message costs of the window. Src: 09-socket-api.md, 11.1. hdr_bytes: 24; SYN 40, 32. */
static inline uint32_t
dpt_sock_cost(bool is_block_flow, uint32_t hdr_bytes, uint32_t payload_bytes)
{
	return is_block_flow ? (hdr_bytes + payload_bytes) / 1024 + 1 : 1;
}

/* The pending error was handed to the application: forget it. */
void dpt_sock_error_clear(struct dpt_socks *socks, struct dpt_port port);

/* A socket whose struct dpt_sock_conn is another than at the last pop. false: none. */
bool dpt_sock_changed_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie);

/* TIPC_NODELAY of a stream: is_nodelay false switches aggregation on (12). On by default: off
 * unless asked for, decision 0015. */
int dpt_sock_nodelay_set(struct dpt_socks *socks, struct dpt_port port, bool is_nodelay);

/* The application has read a part of the first message that was given out (17.1, step 3). */
void dpt_sock_partly_read(struct dpt_socks *socks, struct dpt_port port);

/*
 * A message of the connection could not go on its way: no buffer. payload_bytes: the present send
 * call returns the error, so its message is taken back; 0: somebody was told already that it was
 * sent: the connection ends, at both ends, rather than go on with a gap.
 */
void dpt_sock_send_lost(struct dpt_socks *socks, struct dpt_port port, uint32_t payload_bytes,
			struct dpt_bufq *routed);

/*
 * 17.1, step 1: false while close or shutdown should wait: a link is congested, the window is
 * used up, aggregated data is unsent. The caller bounds the wait by 8 s.
 */
bool dpt_sock_can_end(const struct dpt_socks *socks, struct dpt_port port);

/* Timers of connections: probes, repeated SYNs. */
void dpt_socks_timeout(struct dpt_socks *socks, uint64_t now_ns, struct dpt_bufq *routed);
uint64_t dpt_socks_deadline_ns(const struct dpt_socks *socks);

/*
 * Sockets of the stack itself (topology service): they come out here and not from the pops for
 * applications, whenever they are ready, writable or changed.
 */
void dpt_sock_internal_set(struct dpt_socks *socks, struct dpt_port port);
bool dpt_sock_internal_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie);
/* The idx-th of them; in no order, which a close changes. false: there are not so many. */
bool dpt_sock_internal_at(const struct dpt_socks *socks, uint32_t idx, struct dpt_port *port);

/*
 * Send one message. m: the payload only (no header), 0 .. 66000 octets, headroom of at
 * least DPT_HDR_BYTES_MAX beyond what bearers need. m is gone. Order of checks as 10.1.
 * Appends the message(s) to routed: unicast one; multicast one local (if own sockets are
 * bound) and one copy per remote node, is_rcast = 1 (06-broadcast.md, 8).
 * Connection types: with dest in state OPEN a SYN with data (10.6), in other states dest is
 * ignored; without it data (10.5).
 * Returns 0, -EMSGSIZE, -EHOSTUNREACH, -EAGAIN (this socket may not send there before
 * room is reported, or the peer's window is used up), -ENOBUFS, -EINVAL (no such socket; SYN
 * to a range), -EPIPE, -ENOTCONN, -EOPNOTSUPP, -EDESTADDRREQ.
 */
int dpt_sock_send(struct dpt_socks *socks, struct dpt_port port, const struct dpt_send *send,
		  struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *routed);

/* The link said 1 (level full) to a message of this port to node: 10.4. */
void dpt_sock_congested(struct dpt_socks *socks, struct dpt_port port, struct dpt_node_addr node,
			uint8_t importance);
/*
 * The node's levels in the mask have room, or the node is gone (mask 0x1f): sockets blocked
 * on them may send again and come out of dpt_sock_writable_pop.
 */
void dpt_sock_room(struct dpt_socks *socks, struct dpt_node_addr node, uint32_t level_mask,
		   struct dpt_bufq *routed);
bool dpt_sock_is_congested(const struct dpt_socks *socks, struct dpt_port port);

/*
 * A data message (users 0 to 3) for this node: unicast to a port of this shard (or to
 * none: port 0 and ports of closed sockets), or multicast for this shard's sockets (MCAST_MSG).
 * m, checked, is gone: queued, or returned or rerouted through routed (01-wire-format.md,
 * 11, 12), or dropped and counted. names: for secondary and multicast lookup.
 */
void
dpt_sock_rx(struct dpt_socks *socks, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *routed);

/* CONN_MANAGER: acknowledgements, probes (11.3, 13). */
void dpt_sock_rx_conn_manager(struct dpt_socks *socks, struct rte_mbuf *m, uint64_t now_ns,
			      struct dpt_bufq *routed);

/* A socket that has received since it was popped last. Returns false when none. */
bool dpt_sock_ready_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie);
bool dpt_sock_writable_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie);

/*
 * The next message that was not given out yet, or NULL. The socket keeps it. Of a LISTEN socket:
 * the next SYN; it stays queued until dpt_sock_accept takes it.
 */
struct rte_mbuf *dpt_sock_recv_next(struct dpt_socks *socks, struct dpt_port port);
/*
 * The oldest cnt messages that were given out have been read: free them; acknowledgements of
 * connections go to routed. Nothing for a LISTEN socket.
 */
void dpt_sock_recv_done(struct dpt_socks *socks, struct dpt_port port, uint32_t cnt,
			struct dpt_bufq *routed);

int dpt_sock_rcvbuf_set(struct dpt_socks *socks, struct dpt_port port, uint32_t bytes);

/*
 * Sockets that share a limit: what is queued at all of them, those of one process, takes no
 * more than charge_max octets of memory, or is refused with OVERLOAD. The caller's memory,
 * until the last of the sockets is closed; one shard's. Src: 09-socket-api.md, 28, line 6.
 */
struct dpt_sock_account {
	uint64_t charge;
	uint64_t charge_max;
	uint64_t refused; /* messages */
};
void dpt_sock_account_set(struct dpt_socks *socks, struct dpt_port port,
			  struct dpt_sock_account *account);
/* What each buffer of a message is charged at least, octets. */
uint32_t dpt_sock_charge_min(void);

/* For dumps: the port's queue length, charge, drops. -ENOENT. */
struct dpt_sock_info {
	enum dpt_sock_type type;
	enum dpt_sock_state state;
	struct dpt_socket_addr peer; /* ESTABLISHED */
	uint32_t queued_msgs;
	uint32_t queued_bytes;
	uint32_t bindings_cnt;
	uint64_t drops;
	bool is_congested; /* one of the next two */
	bool is_link_congested;
	bool is_conn_congested; /* the peer's window is used up */
	bool has_conn_name;	/* connected by a service address: type and instance */
	uint32_t conn_type;
	uint32_t conn_instance;
};
int dpt_sock_info(const struct dpt_socks *socks, struct dpt_port port, struct dpt_sock_info *info);
/*
 * The port's bindings, newest first, from *cursor on (0 at first; then as it was left). Returns how
 * many were stored, at most max; 0: the end, or no such port. What is bound meanwhile does not
 * come, what is unbound does not stop it. Cost: one dump at a time of a socket goes on where it
 * stopped; others look for their place.
 */
uint32_t dpt_sock_bindings(struct dpt_socks *socks, struct dpt_port port, uint32_t *cursor,
			   struct dpt_binding *bindings, uint32_t max);
/* Messages that the port refused with OVERLOAD; 0 for no such port. */
uint64_t dpt_sock_drops(const struct dpt_socks *socks, struct dpt_port port);
/* Open sockets, without internal ones. */
uint32_t dpt_socks_cnt(const struct dpt_socks *socks);

#endif /* DPT_SOCKET_H */
