/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_SOCKET_PRIV_H
#define DPT_SOCKET_PRIV_H

/*
 * Layout of the sockets of a shard: one block of memory with the slots, records for
 * bindings and records for congestion (socket, node).
 */

#include <sys/queue.h>

#include "dpt_assert.h"
#include "dpt_msg.h"
#include "dpt_socket.h"

#define SOCK_SLOT_SHIFT	 8
#define SOCK_SLOT_MASK	 UINT32_C(0xfffff)
#define SOCK_SHARD_SHIFT 28

/*
 * What a message costs beyond its payload, per segment: chosen such that a message of 1000
 * octets costs 2304, as in the kernel, so 910, 1820, 3640, 7281 of them fit by importance
 * (measured, 09-socket-api.md, 14.4), while a long one is charged for each of its buffers.
 */
#define SOCK_CHARGE_SEGMENT_BYTES 1304

/* A returned message is admitted as if of this importance. Src: 09-socket-api.md, 14.4. */
#define SOCK_IMPORTANCE_ERROR 4

/*
 * Records of congestion, per socket on average: a multicast may block a socket towards
 * several nodes. Without a record the socket is blocked towards all nodes instead.
 */
#define SOCK_CONGESTED_PER_SOCKET 4
#define SOCK_CONGESTED_BUCKETS	  256

struct sock_binding {
	struct dpt_binding binding;
	TAILQ_ENTRY(sock_binding) entry; /* of the socket, newest first; or free */
};
TAILQ_HEAD(sock_bindings, sock_binding);

struct sock;

/* A socket may not send to node until all levels of the mask have room there. */
struct sock_congested {
	struct sock *sock;
	struct dpt_node_addr node;
	uint32_t level_mask;
	TAILQ_ENTRY(sock_congested) by_node; /* bucket, in order of congestion; or free */
	TAILQ_ENTRY(sock_congested) by_sock;
};
TAILQ_HEAD(sock_congestions, sock_congested);

struct sock {
	struct dpt_port port;
	uint8_t generation;
	bool is_open;
	bool is_ready;	     /* in the list of ready sockets */
	bool is_writable;    /* in the list of writable sockets */
	bool is_blocked_any; /* blocked, without a record of the node */
	uint8_t type;
	uint32_t rcvbuf_bytes;
	uint32_t binds_cnt;    /* in its life: gives the keys */
	uint32_t bindings_cnt; /* now */
	uint32_t given_cnt;    /* head of the queue: given out, not read yet */
	uint64_t charge;
	uint64_t drops;
	uint64_t cookie;
	struct dpt_bufq rxq;
	struct rte_mbuf *next_given; /* first that was not given out */
	struct sock_bindings bindings;
	struct sock_congestions congestions;
	TAILQ_ENTRY(sock) free;
	TAILQ_ENTRY(sock) ready;
	TAILQ_ENTRY(sock) writable;
	TAILQ_ENTRY(sock) blocked; /* is_blocked_any */
};
TAILQ_HEAD(sock_list, sock);

struct dpt_socks {
	struct dpt_socks_cfg cfg;
	struct dpt_node_addr own;
	uint32_t cnt;
	struct sock_list free; /* oldest first */
	struct sock_list ready;
	struct sock_list writable;
	struct sock_list blocked;
	struct sock_bindings bindings_free;
	struct sock_congestions congestions_free;
	struct sock_congestions congested[SOCK_CONGESTED_BUCKETS];
	struct sock *slots;
};

static inline bool
sock_is_own(const struct dpt_socks *socks, struct dpt_node_addr node)
{
	return node.value == 0 || node.value == socks->own.value;
}

/* Append m to routed for a node: data for the link or shard that has the destination. */
static inline void
sock_route(struct dpt_bufq *routed, struct rte_mbuf *m, uint32_t node, uint32_t selector)
{
	dpt_buf(m)->arg = node;
	dpt_buf(m)->arg2 = selector;
	dpt_bufq_push(routed, m);
}

/* The open socket with that number, or NULL. */
struct sock *sock_find(const struct dpt_socks *socks, struct dpt_port port);

/*
 * Return m to its sender with err: appended to routed and counted in *returned; or, when it
 * must not be returned, freed and counted in *dropped. m is gone.
 */
void sock_return(struct dpt_socks *socks, struct rte_mbuf *m, enum dpt_err err, uint64_t *returned,
		 uint64_t *dropped, struct dpt_bufq *routed);

/* socket_congestion.c */
bool sock_is_blocked_to(const struct sock *sock, struct dpt_node_addr node);
bool sock_is_blocked(const struct sock *sock);
/* Forget all congestion of a socket that is closed. */
void sock_congestion_clear(struct dpt_socks *socks, struct sock *sock);

#endif /* DPT_SOCKET_PRIV_H */
