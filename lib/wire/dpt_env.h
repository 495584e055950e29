/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_ENV_H
#define DPT_ENV_H

/*
 * What is injected once into every protocol object, and the outputs that it
 * gives back. The core never calls back and never fetches time, randomness or
 * I/O: see house rules in doc/architecture.md.
 */

#include <stdint.h>

#include "dpt_buf.h"
#include "dpt_flight.h"
#include "dpt_ids.h"
#include "dpt_rng.h"
#include "dpt_trace.h"

struct rte_mempool;

struct dpt_env {
	struct dpt_rng *rng;	     /* owner's generator */
	struct rte_mempool *pool;    /* buffers; private area of DPT_BUF_PRIV_BYTES */
	struct dpt_trace *trace;     /* may be NULL */
	struct dpt_flights *flights; /* recorders of links; may be NULL */
};

/* Things that the layer above, or control, has to know. */
enum dpt_event_type {
	DPT_EVENT_NONE = 0,
	/*
	 * node -> stack. A link of node is up / down. bearer_id; value: link identity
	 * (peer_bearer_id << 16 | bearer_id); LINK_UP value2: usable packet size (mss);
	 * LINK_DOWN reason: enum dpt_down_reason.
	 */
	DPT_EVENT_LINK_UP = 1,
	DPT_EVENT_LINK_DOWN = 2,
	/* node -> stack. First link up / last link down. Comes before LINK_UP / LINK_DOWN. */
	DPT_EVENT_NODE_UP = 3,
	DPT_EVENT_NODE_DOWN = 4,
	/* node -> stack. value: bit mask of the importance levels that have room again */
	DPT_EVENT_LINK_ROOM = 5,
	/* node -> stack. The record has expired and can be deleted. */
	DPT_EVENT_NODE_GONE = 6,
	/* node -> broadcast send link. The node has acknowledged our broadcasts up to value. */
	DPT_EVENT_BCAST_ACK = 7,
	/* discovery -> stack. node: own address, final now. */
	DPT_EVENT_ADDR_FINAL = 8,
	/*
	 * discovery -> stack. Create the node where it is unknown (id, value: its
	 * capabilities), then create or renew its link on bearer_id towards maddr.
	 * DPT_EVENT_F_RESET: take a link that is there down first.
	 */
	DPT_EVENT_LINK_SETUP = 9,
	/* discovery -> stack. The known node's capabilities are now value. */
	DPT_EVENT_CAPS = 10,
	/* discovery -> control. Somebody else uses our, or a live peer's, address: node, maddr. */
	DPT_EVENT_DUPLICATE = 11,
	/* discovery -> control. A peer was heard and refused: node, maddr, id, reason: dpt_refusal.
	 */
	DPT_EVENT_REFUSED = 12,
	/* node -> stack. The peer has acknowledged the packet marked DPT_BUF_F_BULK_END. */
	DPT_EVENT_BULK_ACKED = 14,
	/* stack -> control. Answer to bind or unbind. port, cookie; result: 0, negative errno */
	DPT_EVENT_BIND_DONE = 13,
};

#define DPT_EVENT_F_RESET 0x01

/* Why a link went down: shown to people, counted. */
enum dpt_down_reason {
	DPT_DOWN_NONE = 0,
	DPT_DOWN_TOLERANCE = 1,	    /* peer silent for longer than the tolerance */
	DPT_DOWN_PEER_RESET = 2,    /* peer sent RESET */
	DPT_DOWN_PEER_STOPPING = 3, /* peer said that it stops */
	DPT_DOWN_PRIORITY = 4,	    /* peer changed the link's priority */
	DPT_DOWN_REASSEMBLY = 5,    /* fragments out of sequence */
	DPT_DOWN_RETRANSMIT = 6,    /* one packet asked for during 10 tolerances */
	DPT_DOWN_OVERFLOW = 7,	    /* backlog of system messages full */
	DPT_DOWN_BEARER = 8,	    /* bearer disabled, lost its carrier, or changed */
	DPT_DOWN_NEW_ADDRESS = 9,   /* discovery: peer has another media address */
	DPT_DOWN_STOPPED = 10,	    /* this node stops */
	DPT_DOWN_FAILOVER = 11,	    /* peer uses the other link, or two links did not agree */
};
/* Each has a name, and a counter node.down_*. */
#define DPT_DOWN_REASON_CNT 12

/* Why a peer that was heard is not taken as a neighbour: shown to people, counted. */
enum dpt_refusal {
	DPT_REFUSAL_NONE = 0,
	DPT_REFUSAL_NET_ID = 1,	    /* another network id */
	DPT_REFUSAL_DOMAIN = 2,	    /* outside its or our discovery domain */
	DPT_REFUSAL_DUPLICATE = 3,  /* its address is taken */
	DPT_REFUSAL_MALFORMED = 4,  /* bad media address, identity, size or type */
	DPT_REFUSAL_TABLE_FULL = 5, /* too many nodes, or too many new ones at a time */
	DPT_REFUSAL_CAPS = 6,	    /* lacks a capability that we need */
};

const char *dpt_refusal_name(enum dpt_refusal reason);
const char *dpt_down_reason_name(enum dpt_down_reason reason);
const char *dpt_event_name(enum dpt_event_type type);

struct dpt_event {
	uint8_t type; /* enum dpt_event_type */
	uint8_t bearer_id;
	uint8_t flags;
	uint8_t reason;
	struct dpt_node_addr node;
	struct dpt_port port;
	uint32_t value;
	uint32_t value2;
	int32_t result;
	uint64_t cookie;
	struct dpt_node_id id;
	struct dpt_maddr maddr;
};

/*
 * Outputs of one call, in the caller's memory. Queues are intrusive and bounded
 * by the pool; the array of events is bounded by what one call may append, which
 * the function's comment says (8 where it says nothing).
 * Decision: doc/decisions/0002-intrusive-outputs.md.
 */
#define DPT_OUT_EVENTS_MAX 64

struct dpt_out {
	/* Frames to send: dpt_buf: bearer_id, dst. The TIPC message without L2 header. */
	struct dpt_bufq tx;
	/* Messages from a peer, in sequence, unwrapped: the stack's dispatcher takes them. */
	struct dpt_bufq up;
	/*
	 * STATE messages of peers, accepted by their link and broadcast receive link, that
	 * carry a report on our broadcasts: the broadcast send link takes them.
	 */
	struct dpt_bufq bcast;
	/* Messages to other shards: dpt_buf: shard. The stack's only. */
	struct dpt_bufq shard;
	struct dpt_event events[DPT_OUT_EVENTS_MAX];
	uint16_t events_cnt;
};

static inline void
dpt_out_init(struct dpt_out *out)
{
	dpt_bufq_init(&out->tx);
	dpt_bufq_init(&out->up);
	dpt_bufq_init(&out->bcast);
	dpt_bufq_init(&out->shard);
	out->events_cnt = 0;
}

/* A new, zeroed event at the end; asserts that there is room. */
struct dpt_event *dpt_out_event(struct dpt_out *out, enum dpt_event_type type);

/* Append m to out->tx for that bearer and destination. m is gone. */
static inline void
dpt_out_tx(struct dpt_out *out, struct rte_mbuf *m, uint8_t bearer_id, const struct dpt_maddr *dst)
{
	struct dpt_buf *buf = dpt_buf(m);

	buf->bearer_id = bearer_id;
	buf->dst = *dst;
	dpt_bufq_push(&out->tx, m);
}

#endif /* DPT_ENV_H */
