/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_SOCKET_PRIV_H
#define DPT_SOCKET_PRIV_H

/*
 * Layout of the sockets of a shard: one block of memory with the slots, records for
 * bindings, records for congestion (socket, node) and the nodes that connections reach.
 *
 *   socket.c             life cycle, bindings
 *   socket_tx.c          connectionless sends, headers, SYNs
 *   socket_rx.c          lookup, filter, receive limits, returns, reading
 *   socket_conn.c        states of a connection, what an application sees of it
 *   socket_conn_rx.c     messages for connection types
 *   socket_conn_tx.c     SYN, data
 *   socket_flow.c        windows, CONN_MANAGER messages
 *   socket_nagle.c       aggregation
 *   socket_dump.c        queries
 *   socket_node.c        nodes: capabilities, loss
 *   socket_timer.c       probes, repeated SYNs
 */

#include <sys/queue.h>

#include "dpt_assert.h"
#include "dpt_msg.h"
#include "dpt_mutant.h"
#include "dpt_socket.h"
#include "dpt_time.h"
#include "dpt_timer.h"

#define SOCK_SLOT_SHIFT	 8
#define SOCK_SLOT_MASK	 UINT32_C(0xfffff)
#define SOCK_SHARD_SHIFT 28

/* A returned message is admitted as if of this importance. Src: 09-socket-api.md, 14.4. */
#define SOCK_IMPORTANCE_ERROR 4

/*
 * Records of congestion, per socket on average: a multicast may block a socket towards
 * several nodes. Without a record the socket is blocked towards all nodes instead.
 */
#define SOCK_CONGESTED_PER_SOCKET 4
#define SOCK_CONGESTED_BUCKETS	  256

/* Windows at set-up: blocks, or messages. Src: 09-socket-api.md, 11.1. */
#define SOCK_WINDOW_BLOCKS 128
#define SOCK_WINDOW_MSGS   512
/* Octets of receive buffer behind one advertised block. Src: 09-socket-api.md, 11.2 rule 4. */
#define SOCK_BLOCK_MEMORY 4096
/* A peer may have its window and one largest message outstanding. Src: 11.2 rule 1. */
#define SOCK_WINDOW_EXCESS_BLOCKS 65
/* Most that a block is charged: messages of just below 1000 octets, one buffer each. */
#define SOCK_BLOCK_CHARGE_BYTES 2304
/*
 * Receive limit in message mode: 1025 of the largest messages, each charged as measured with
 * the kernel. Src: 11.4, 14.4.
 */
#define SOCK_MSG_MODE_LIMIT_BYTES (UINT64_C(1025) * 131328)
/* Pause before what is owed is tried again. Our choice. */
#define SOCK_OWED_NS (UINT64_C(10) * DPT_NS_PER_MS)
/*
 * Interval of probes, and grain of CONN_TIMEOUT. Src: 09-socket-api.md, 1, 13.
 */
#define SOCK_PROBE_NS	 (UINT64_C(3600) * DPT_NS_PER_S)
#define SOCK_SYN_WAIT_NS (UINT64_C(100) * DPT_NS_PER_MS)
/* Aggregation: 12.1, 12.2. */
#define SOCK_NAGLE_START_MIN   4
#define SOCK_NAGLE_START_MAX   1024
#define SOCK_NAGLE_BLOCKS_MAX  64
#define SOCK_NAGLE_LOCAL_BYTES 1500
/* Nodes by address. Our choice: a thousand nodes make chains of one or two. */
#define SOCK_NODE_BUCKETS 1024

/* dpt_buf.flags of a packet in the backlog: ask for an acknowledgement. */
#define SOCK_BUF_F_ACK 0x01

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

TAILQ_HEAD(sock_list, sock);

/* A node in contact, with the connections to it. */
struct sock_node {
	struct dpt_node_addr addr; /* 0: free */
	uint16_t caps;
	uint16_t mss;
	struct sock_list conns;
	struct sock_node *next; /* chain, free list */
};

enum sock_timer_kind { SOCK_TIMER_PROBE = 1, SOCK_TIMER_SYN = 2 };

/* What found no buffer, and is said as soon as there is one: the peer may wait for it. */
enum sock_owed { SOCK_OWES_NOTHING = 0, SOCK_OWES_ACK, SOCK_OWES_NAGLE_ACK, SOCK_OWES_SETUP };

/* What a connection type has beside. */
struct sock_conn {
	uint8_t state;		  /* enum dpt_sock_state */
	uint8_t importance;	  /* of what is sent next */
	uint8_t setup_importance; /* taken over from the peer's message at set-up */
	uint8_t owed;		  /* enum sock_owed */
	bool has_name;
	bool is_block_flow;
	bool is_by_name;	/* the SYN was addressed by service address */
	bool is_probing;	/* the last probe was not answered yet */
	bool is_part_read;	/* of the first message that was given out */
	bool is_nagle_on;	/* TIPC_NODELAY was set to 0 */
	bool is_dest_droppable; /* of what is sent next */
	bool is_ack_due;	/* an acknowledge request is outstanding */
	int error;
	struct dpt_socket_addr peer; /* CONNECTING: the SYN's destination */
	uint32_t name_type;
	uint32_t name_instance;
	uint32_t conn_timeout_ms;
	uint32_t syn_bytes;	/* of a SYN with data, which counts as sent; 0: without */
	struct rte_mbuf *syn;	/* kept copy: 7.6 */
	struct sock_node *node; /* remote peer, while ESTABLISHED */
	struct dpt_timer timer;
	TAILQ_ENTRY(sock) by_node;
	/* flow control: 11 */
	uint32_t tx_cost; /* of all that was sent, modulo 2^32 */
	uint32_t snt_unacked;
	uint32_t snd_win;
	uint32_t rcv_unacked;
	uint32_t rcv_win;
	uint32_t win_promised; /* largest window that the peer was ever told */
	/* aggregation: 12 */
	struct dpt_bufq backlog;
	uint32_t backlog_blocks;
	uint16_t nagle_bytes; /* maxnagle; 0: off */
	uint16_t nagle_start;
	uint32_t oneway;
	uint32_t msg_acc;
	uint32_t pkt_cnt;
};

struct sock {
	struct dpt_port port;
	uint8_t generation;
	bool is_open;
	bool is_ready;	     /* in the list of ready sockets */
	bool is_writable;    /* in the list of writable sockets */
	bool is_blocked_any; /* blocked, without a record of the node */
	bool is_changed;     /* in the list of changed sockets */
	bool is_internal;    /* the stack's own */
	bool is_internal_due;
	uint8_t type;
	uint32_t rcvbuf_bytes;
	uint32_t binds_cnt;    /* in its life: gives the keys */
	uint32_t bindings_cnt; /* now */
	uint32_t internal_idx; /* is_internal: place in internals */
	uint32_t dump_nr;      /* cursor of the last dump of bindings, and where it is */
	struct sock_binding *dump_at;
	uint32_t given_cnt;		  /* head of the queue: given out, not read yet */
	uint64_t charge;		  /* of the receive limit */
	uint64_t memory;		  /* of the account */
	struct dpt_sock_account *account; /* which has it too; NULL: none */
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
	TAILQ_ENTRY(sock) changed; /* also: internal sockets that have something to do */
	struct sock_conn conn;
};

struct dpt_socks {
	struct dpt_socks_cfg cfg;
	struct dpt_node_addr own;
	uint32_t cnt;
	struct sock_list free; /* oldest first */
	struct sock_list ready;
	struct sock_list writable;
	struct sock_list blocked;
	struct sock_list changed;
	struct sock_list internal; /* those that have something to do */
	struct sock **internals;   /* all of them, in no order */
	uint32_t internals_cnt;
	struct dpt_timer_wheel wheel;
	uint64_t now_ns; /* of the last call that told it */
	struct sock_node *nodes_free;
	struct sock_node *nodes[SOCK_NODE_BUCKETS];
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

static inline bool
sock_is_conn_type(const struct sock *sock)
{
	return sock->type == DPT_SOCK_STREAM || sock->type == DPT_SOCK_SEQPACKET;
}

static inline bool
sock_is_established(const struct sock *sock)
{
	return sock->conn.state == DPT_SOCK_STATE_ESTABLISHED;
}

#include "socket_charge.h"

/* socket_dump.c */
void sock_internal_note(struct dpt_socks *socks, struct sock *sock);
void sock_internal_forget(struct dpt_socks *socks, struct sock *sock);
/* The binding is about to be taken off the socket. */
void sock_dump_unbound(struct sock *sock, struct sock_binding *b);

/* socket_congestion.c */
bool sock_is_blocked_to(const struct sock *sock, struct dpt_node_addr node);
bool sock_is_blocked(const struct sock *sock);
/* Forget all congestion of a socket that is closed. */
void sock_congestion_clear(struct dpt_socks *socks, struct sock *sock);

/* socket_rx.c */
/* Return everything that is queued with err, or drop what must not be returned. */
void sock_queue_return(struct dpt_socks *socks, struct sock *sock, enum dpt_err err,
		       struct dpt_bufq *routed);
/* Append m to the receive queue, charged; sock_enqueue counts it as received. */
void sock_queue(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m);
void sock_enqueue(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m);
/* The receive limit has room for m. Src: 14.4. */
bool sock_has_room(const struct sock *sock, struct rte_mbuf *m);
/* The socket refuses m. */
void sock_refuse(struct dpt_socks *socks, struct rte_mbuf *m, struct dpt_bufq *routed);
void sock_overload(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
		   struct dpt_bufq *routed);

/* socket_tx.c */
/* Put a data header in front of the payload m. Returns it, or NULL: no room in front. */
struct sock_hdr {
	enum dpt_data_type type;
	uint32_t hdr_bytes;
	struct dpt_node_addr destnode;
};
uint8_t *
sock_hdr_prepend(const struct dpt_socks *socks, const struct sock *sock,
		 const struct dpt_send *send, const struct sock_hdr *form, struct rte_mbuf *m);
/*
 * A finished message of a connection on its way: always through routed, so that what two ends on
 * one node say to each other takes turns instead of nesting, and stays in order.
 */
static inline void
sock_pass(struct dpt_socks *socks, struct rte_mbuf *m, const struct dpt_socket_addr *to,
	  struct dpt_bufq *routed)
{
	uint32_t node = sock_is_own(socks, to->node) ? socks->own.value : to->node.value;

	sock_route(routed, m, node, dpt_msg_origport(dpt_buf_hdr(m)));
}

/* socket_conn.c */
/* What the application can see has changed. */
void sock_changed(struct dpt_socks *socks, struct sock *sock);
/* An internal socket has something to do. */
void sock_internal_push(struct dpt_socks *socks, struct sock *sock);
void
sock_conn_establish(struct dpt_socks *socks, struct sock *sock, const struct dpt_socket_addr *peer);
/* Nobody would tell of the loss of the peer's node: it is lost already. */
static inline bool
sock_is_adrift(const struct dpt_socks *socks, const struct sock *sock)
{
	return sock->conn.node == NULL && !sock_is_own(socks, sock->conn.peer.node);
}
/* To DISCONNECTING: nothing is sent or expected any more. error: pending, 0: none. */
void sock_conn_end(struct dpt_socks *socks, struct sock *sock, int error);
/* A message without data to the peer; err: DPT_OK, or the end. false: no buffer, counted. */
bool sock_conn_say(struct dpt_socks *socks, struct sock *sock, enum dpt_err err,
		   struct dpt_bufq *routed);
/* close, shutdown: 17.1 from step 2 on. */
void sock_conn_finish(struct dpt_socks *socks, struct sock *sock, enum dpt_err err,
		      struct dpt_bufq *routed);
/* Is m from the connection's peer? Node 0 equals the own node. Src: 11.3. */
bool sock_is_from_peer(const struct dpt_socks *socks, const struct sock *sock, const uint8_t *hdr);

/* socket_conn_rx.c */
/* The connection ends without the peer's word: the application reads err behind the data. */
void sock_conn_lost(struct dpt_socks *socks, struct sock *sock, enum dpt_err err);
void sock_conn_rx(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
		  struct dpt_bufq *routed);

/* socket_conn_tx.c */
/* m is gone when 0 is returned. */
int sock_conn_send(struct dpt_socks *socks, struct sock *sock, const struct dpt_send *send,
		   struct rte_mbuf *m, struct dpt_bufq *routed);
/* Send the kept SYN once more. */
void sock_syn_again(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed);

/* socket_flow.c */
static inline bool
sock_is_window_used(const struct sock *sock)
{
	return sock->conn.snt_unacked > sock->conn.snd_win + DPT_MUTANT(credit_long);
}
/* A message of the connection was read. */
void
sock_flow_read(struct dpt_socks *socks, struct sock *sock, uint32_t cost, struct dpt_bufq *routed);
/* What found no buffer is to be said later. */
void sock_owe(struct dpt_socks *socks, struct sock *sock, enum sock_owed owed);
void sock_owed_pay(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed);
/* Acknowledge now; is_nagle: as the answer to a request. */
void
sock_flow_ack(struct dpt_socks *socks, struct sock *sock, bool is_nagle, struct dpt_bufq *routed);
void sock_flow_probe(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed);

/* socket_nagle.c */
void sock_nagle_init(struct dpt_socks *socks, struct sock *sock);
/* Take the payload m: true: kept or sent from here (m is gone); false: send it plainly. */
bool sock_nagle_take(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
		     struct dpt_bufq *routed);
/* Send the backlog. */
void sock_nagle_push(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed);
/* The answer to an acknowledge request has come. */
void sock_nagle_answer(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed);
/* Give a data packet (payload) its header, count it and pass it on; false: no room. */
bool sock_data_out(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
		   struct dpt_bufq *routed);

/* socket_node.c */
struct sock_node *sock_node_find(const struct dpt_socks *socks, struct dpt_node_addr addr);

#endif /* DPT_SOCKET_PRIV_H */
