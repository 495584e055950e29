/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NODE_PRIV_H
#define DPT_NODE_PRIV_H

#include "dpt_link_ops.h"
#include "dpt_node.h"
#include "dpt_time.h"

/* Timer without links. Src: 03-link-node.md, 1. */
#define NODE_IDLE_INTERVAL_MS 10000

#define NODE_LINKS_MAX DPT_LINKS_PER_NODE_MAX
#define NODE_NO_BEARER 0xff

/* A failover or synchronisation ends after so long without progress. Src: 03-link-node.md,
 * hazards 19, 20. */
#define NODE_LIMIT_TOLERANCES 10
/* How far ahead of any series the sync point starts. Src: 03-link-node.md, 19.2 step 2. */
#define NODE_SYNC_FAR 32766
/* Messages held back while older ones are on their way: the receive window of the link
 * that they came on. Our choice, decision 0012. */
#define NODE_HELD_MAX (DPT_LINK_RCV_WINDOW_PKTS + 1)

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
	NODE_TRACE_POINT = DPT_TRACE_KIND(DPT_TRACE_NODE, 7), /* state; sync point; rcv_nxt */
	NODE_TRACE_LIMIT = DPT_TRACE_KIND(DPT_TRACE_NODE, 8), /* state; sync point; rcv_nxt */
};

struct dpt_node {
	struct dpt_node_cfg cfg;
	uint8_t state; /* enum dpt_node_state */
	bool is_open;  /* the broadcast init has been sent in this contact */
	bool is_gone;  /* NODE_GONE has been said */
	/* Bearers of the active links; both the same with one, NODE_NO_BEARER without. */
	uint8_t active[2];
	uint8_t links_cnt;
	struct dpt_link *links[DPT_BEARERS_MAX]; /* by own bearer id */
	uint32_t identity[DPT_BEARERS_MAX];	 /* as said by LINK_UP */

	/* Failover and synchronisation: node_failover.c. */
	bool is_dual;	     /* there have been two links in this contact */
	bool is_holding;     /* keep back what is younger than the series: held */
	bool is_series_seen; /* the peer's series has shown the sync point */
	uint16_t sync_point; /* number of the last packet to wait for */
	uint16_t limit_mark; /* number expected when limit_ns was set */
	uint64_t limit_ns;   /* DPT_NEVER_NS: neither is going on */
	struct dpt_bufq held;

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

/* The other link, or NULL. */
static inline struct dpt_link *
node_other(const struct dpt_node *node, const struct dpt_link *link)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		if (node->links[id] != NULL && node->links[id] != link)
			return node->links[id];
	}
	return NULL;
}

/* node_rx.c. Messages that came out of link with these result bits, in sequence. */
void node_deliver(struct dpt_node *node, struct dpt_link *link, struct dpt_bufq *in,
		  uint32_t result, uint64_t now_ns, struct dpt_out *out);

/* node_rx.c. Deliver what was held back: the failover is over. */
void node_deliver_held(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns,
		       struct dpt_out *out);

/* node_link.c. Link-up procedure. Src: 03-link-node.md, 17.1. */
void
node_link_up(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out);

/*
 * node_link.c. All links down at once, without failover: what one of them has lost is then
 * part of a loss of contact, which the layers above are told.
 */
void node_contact_reset(struct dpt_node *node, enum dpt_down_reason reason, uint64_t now_ns,
			struct dpt_out *out);

/*
 * node_failover.c. failed is down, the active link goes on: 03-link-node.md, 19.2. Returns
 * whether it could: if not, the contact has to be reset.
 */
bool
node_failover(struct dpt_node *node, struct dpt_link *failed, uint64_t now_ns, struct dpt_out *out);

/*
 * node_failover.c. A TUNNEL packet in the window of link, which is up: steps 7 and 10 of the
 * filter. false: it is gone, dropped.
 */
bool node_tunnel_rx(struct dpt_node *node, struct dpt_link *link, struct rte_mbuf *m,
		    uint64_t now_ns, struct dpt_out *out);

/* node_failover.c. After a frame: has what is being waited for arrived? */
void node_settle(struct dpt_node *node, uint64_t now_ns, struct dpt_out *out);

/* node_failover.c. At limit_ns. Src: 03-link-node.md, hazards 19, 20. */
void node_limit(struct dpt_node *node, uint64_t now_ns, struct dpt_out *out);

/* node_failover.c. Contact lost: nothing is waited for. */
void node_failover_clear(struct dpt_node *node, uint64_t now_ns);

/* node_link.c. Do what the bits that a link returned ask for. */
void node_link_result(struct dpt_node *node, struct dpt_link *link, uint32_t result,
		      uint64_t now_ns, struct dpt_out *out);

/* node_link.c. Link-down procedure. Src: 03-link-node.md, 17.2. */
void
node_link_down(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out);

#endif /* DPT_NODE_PRIV_H */
