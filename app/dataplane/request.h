/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REQUEST_H
#define REQUEST_H

/*
 * What control asks a worker, and the answers: pointers in two rings per worker, no locks.
 *
 *   control --requests--> worker: does it within its loop
 *           <--answers---         the same struct, result filled in
 *
 * The struct is control's memory. Between request and answer only the worker touches it.
 * REQUEST_HOSTILE is the worker's own word: no question came before.
 */

#include <stdint.h>
#include <sys/queue.h>

#include "bearer_counters.h"
#include "dpt_discovery.h"
#include "dpt_names.h"
#include "dpt_node.h"
#include "dpt_socket.h"
#include "dpt_stack.h"
#include "worker_counters.h"

enum request_op {
	REQUEST_ATTACH = 1,  /* served */
	REQUEST_DETACH,	     /* served */
	REQUEST_OPEN,	     /* served, sock_idx, type, fd; answer: port */
	REQUEST_CLOSE,	     /* served, sock_idx */
	REQUEST_BIND,	     /* served, sock_idx, range, scope */
	REQUEST_UNBIND,	     /* the same */
	REQUEST_UNBIND_ALL,  /* served, sock_idx */
	REQUEST_SHUTDOWN,    /* served, sock_idx, bytes: not 0: do not wait for the window */
	REQUEST_RCVBUF,	     /* served, sock_idx, bytes */
	REQUEST_SYNC,	     /* served: what it has submitted is taken, then answered */
	REQUEST_RECVQ,	     /* served, sock_idx; answer: info */
	REQUEST_NODELAY,     /* served, sock_idx, bytes: 0 or 1 */
	REQUEST_LISTEN,	     /* served, sock_idx */
	REQUEST_ACCEPT,	     /* served, sock_idx of the listener, other; answer: other.port, conn */
	REQUEST_PAIR,	     /* served, sock_idx, type, fd, other; answer: port, other.port */
	REQUEST_LINK_NAME,   /* node, bearer.bearer_id, text, bytes: of it; answer: text */
	REQUEST_NODE_ID,     /* node; answer: node_id */
	REQUEST_BEARER_ADD,  /* bearer.bearer_id, device, queues_cnt: poll it from now on */
	REQUEST_BEARER_DEL,  /* bearer.bearer_id: send what waits for it, then let go of it */
	REQUEST_BEARER_UP,   /* bearer */
	REQUEST_BEARER_DOWN, /* bearer */
	/* bearer.bearer_id, node (0: all of the bearer), props, is_later */
	REQUEST_LINK_SET,
	REQUEST_DUMP,		   /* chunk */
	REQUEST_NET_SET,	   /* net */
	REQUEST_PEER_REMOVE,	   /* node */
	REQUEST_BCAST_SET,	   /* bcast */
	REQUEST_LINK_STATS_RESET,  /* node, bearer.bearer_id */
	REQUEST_BCAST_STATS_RESET, /* node; 0: the sending link */
	REQUEST_STOP,
	REQUEST_HOSTILE, /* served */
};

/* Copies for dumps, in pieces that do not hold a worker up. */
enum chunk_kind {
	CHUNK_NODE,
	CHUNK_NAMES,
	CHUNK_LINKS,
	CHUNK_SOCKETS,
	CHUNK_COUNTERS,
	CHUNK_REFUSED,
	CHUNK_PEERS,	/* peer nodes, by ascending address; cursor: the lowest one wanted */
	CHUNK_PEER,	/* in: node; its links */
	CHUNK_BCAST,	/* the sending broadcast link: worker 0 */
	CHUNK_INTERNAL, /* the stack's own sockets: worker 0 */
	CHUNK_BINDINGS, /* in: port; of that socket: the worker of the port */
};

#define CHUNK_NAMES_CNT	   256
#define CHUNK_LINKS_CNT	   8
#define CHUNK_SOCKETS_CNT  128
#define CHUNK_REFUSED_CNT  64
#define CHUNK_COUNTERS_CNT 512
#define CHUNK_PEERS_CNT	   64

struct chunk_link {
	struct dpt_link_info info;
	struct dpt_node_addr peer;
	struct dpt_node_id id;
};

struct chunk_socket {
	struct dpt_port port; /* in: which */
	struct dpt_sock_info info;
	uint64_t pid; /* control's own, as are the next */
	char program[16];
	uint64_t cookie;
	uint32_t inode;
	uint32_t uid;
	bool is_there;
};

struct chunk_peer {
	struct dpt_node_addr addr;
	struct dpt_node_id id;
	uint8_t links_mask; /* bearers on which it has a link */
	uint8_t up_mask;    /* of them, those on which it is up */
};

struct chunk {
	enum chunk_kind kind;
	uint32_t cursor; /* in: where to go on; out: where the next chunk begins */
	uint32_t cnt;	 /* entries; 0: the end */
	struct dpt_node_addr own;
	struct dpt_node_id id;
	uint32_t net_id;
	bool is_legacy; /* own address was configured */
	uint64_t now_ns;
	struct dpt_node_addr node;	   /* in: PEER */
	struct dpt_port port;		   /* in: BINDINGS */
	bool is_there;			   /* PEER: the node; BINDINGS: the socket */
	struct dpt_stack_bcast_info bcast; /* PEER: what is received of it; BCAST */
	bool has_bcast;
	union {
		struct dpt_binding names[CHUNK_NAMES_CNT];
		struct chunk_link links[CHUNK_LINKS_CNT];
		struct chunk_socket sockets[CHUNK_SOCKETS_CNT];
		struct dpt_refused_peer refused[CHUNK_REFUSED_CNT];
		struct chunk_peer peers[CHUNK_PEERS_CNT];
		struct {
			struct dpt_counter_value stack[CHUNK_COUNTERS_CNT];
			struct worker_counters worker;
		} counters;
	};
};

struct served;

struct request {
	STAILQ_ENTRY(request) link; /* holder's: waiting for a ring or for an event */
	enum request_op op;
	int result;	    /* 0 or negative errno */
	uint64_t id;	    /* worker: cookie of an answer that comes later */
	uint64_t mark;	    /* worker: submit_mark at the time of the request */
	uint64_t linger_ns; /* worker: until then it waits for the peer's window; 0: it does not */
	bool is_held;	    /* worker: it waits for what was submitted before */
	bool is_drained;    /* worker: that has gone out */
	bool is_sync;	    /* BIND: answer when all nodes have it */
	struct served *served;
	uint32_t sock_idx;
	enum dpt_sock_type type;
	int fd; /* dataplane's end of the socket pair */
	struct dpt_port port;
	struct {
		uint32_t sock_idx;
		int fd;
		struct dpt_port port;
	} other; /* ACCEPT: the new socket; PAIR: the second one */
	struct dpt_sock_conn conn;
	struct dpt_sock_info info;
	struct dpt_range range;
	uint8_t scope;
	uint32_t bytes;
	uint64_t position; /* answer to SHUTDOWN: of the receive log */
	struct dpt_stack_bearer bearer;
	struct dpt_bearer *device; /* BEARER_ADD */
	uint16_t queues_cnt;	   /* of it */
	struct dpt_node_addr node;
	struct dpt_link_props props;
	bool is_later; /* priority and window: of links made from now on */
	struct dpt_node_id node_id;
	struct dpt_stack_net net;
	struct dpt_stack_bcast_set bcast;
	char *text;
	struct chunk *chunk;
	/* control: what to do with the answer */
	void (*done)(struct request *req);
	void *owner;
};

STAILQ_HEAD(request_list, request);

#endif /* REQUEST_H */
