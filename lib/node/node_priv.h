/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NODE_PRIV_H
#define DPT_NODE_PRIV_H

#include "dpt_link_ops.h"
#include "dpt_node.h"
#include "dpt_time.h"

/* Timer without links. Src: 03-link-node.md, 1. */
#define NODE_IDLE_INTERVAL_MS 10000

/*
 * Links that a node takes. Two need failover and synchronisation (03-link-node.md, 19,
 * 20); until both are there a second one would lose packets, so it is refused.
 */
#define NODE_LINKS_MAX 1

#define NODE_NO_BEARER 0xff

/* Events of the node's state machine. Src: 03-link-node.md, 15.2. */
enum node_event {
	NODE_EV_SELF_ESTABL = 0,
	NODE_EV_SELF_LOST = 1,
	NODE_EV_PEER_ESTABL = 2,
	NODE_EV_PEER_LOST = 3,
	NODE_EV_FAILOVER_BEGIN = 4,
	NODE_EV_FAILOVER_END = 5,
	NODE_EV_SYNCH_BEGIN = 6,
	NODE_EV_SYNCH_END = 7,
};
#define NODE_EVENT_CNT 8
#define NODE_STATE_CNT 8

/* Trace records. arg16, arg0, arg1. */
enum node_trace {
	NODE_TRACE_STATE = DPT_TRACE_KIND(DPT_TRACE_NODE, 1),	  /* event; old; new */
	NODE_TRACE_ILLEGAL = DPT_TRACE_KIND(DPT_TRACE_NODE, 2),	  /* event; state; 0 */
	NODE_TRACE_LINK_UP = DPT_TRACE_KIND(DPT_TRACE_NODE, 3),	  /* bearer; identity; mss */
	NODE_TRACE_LINK_DOWN = DPT_TRACE_KIND(DPT_TRACE_NODE, 4), /* bearer; identity; reason */
	NODE_TRACE_DROP = DPT_TRACE_KIND(DPT_TRACE_NODE, 5),	  /* counter's index; w0; w2 */
	NODE_TRACE_GONE = DPT_TRACE_KIND(DPT_TRACE_NODE, 6),
};

struct dpt_node {
	struct dpt_node_cfg cfg;
	uint8_t state; /* enum dpt_node_state */
	bool is_open;  /* the broadcast init has been sent in this contact */
	bool is_gone;  /* NODE_GONE has been said */
	/* Bearers of the active links; both the same, or NODE_NO_BEARER, with less than two. */
	uint8_t active[2];
	uint8_t links_cnt;
	struct dpt_link *links[DPT_BEARERS_MAX]; /* by own bearer id */
	uint64_t timer_ns;
	uint64_t expires_ns; /* while there is no contact */
	struct dpt_bcast_rcv bcast;
	uint8_t link_mem[] __attribute__((aligned(64))); /* NODE_LINKS_MAX links */
};

static inline bool
node_is_up(const struct dpt_node *node)
{
	return node->active[0] != NODE_NO_BEARER;
}

/* node_fsm.c. Feed an event to the node's state machine. */
void node_event(struct dpt_node *node, enum node_event event, uint64_t now_ns);

/* node.c. Count a dropped message in the counter at offset, trace it and free it. */
void node_drop_buf(struct dpt_node *node, struct rte_mbuf *m, size_t offset, uint64_t now_ns);
#define NODE_DROP(node, m, symbol, now_ns)                                                         \
	node_drop_buf(node, m, offsetof(struct dpt_node_counters, symbol), now_ns)

/* node_link.c. Do what the bits that a link returned ask for. */
void node_link_result(struct dpt_node *node, struct dpt_link *link, uint32_t result,
		      uint64_t now_ns, struct dpt_out *out);

/* node_link.c. Link-down procedure. Src: 03-link-node.md, 17.2. */
void
node_link_down(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out);

#endif /* DPT_NODE_PRIV_H */
