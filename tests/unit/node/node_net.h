/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NODE_NET_H
#define NODE_NET_H

/*
 * Two nodes, A and B, wired back to back through a network in virtual time that loses,
 * doubles and reorders by seed, or is cut per direction. The "stack" above each opens
 * the contact when told NODE_UP, and checks what is delivered: CONN messages carrying a
 * running number and a pattern, expected once and in order.
 */

#include "cu.h"
#include "dpt_node.h"
#include "node_priv.h"
#include "test_pool.h"

#define NET_FRAMES_MAX 4096
#define NET_RING_PKTS  512
#define NET_LOG_MAX    256

struct net_frame {
	struct rte_mbuf *m;
	uint64_t at_ns;
	uint8_t to;
};

struct net_side {
	struct dpt_node *node;
	struct dpt_node_cfg cfg;
	struct dpt_link_counters link;
	struct dpt_node_counters counters;
	struct dpt_bcast_counters bcast;
	struct dpt_rng rng;
	struct dpt_out out;
	bool is_cut;	  /* what it sends is lost */
	bool is_blocked;  /* waits for LINK_ROOM */
	bool is_passive;  /* does not open the contact */
	uint32_t next_tx; /* number of the next message */
	uint32_t next_rx; /* number expected */
	uint32_t resumed; /* LINK_ROOM events */
	uint32_t node_ups;
	uint32_t node_downs;
	uint32_t gone;
	uint8_t last_down;
	uint64_t reports; /* STATE messages passed on */
	uint64_t wrong;	  /* messages out of order or damaged */
	uint8_t mem[512 * 1024] __attribute__((aligned(64)));
};

struct net {
	struct net_side sides[2];
	struct dpt_rng rng;
	uint64_t now_ns;
	uint32_t loss_pct, dup_pct, reorder_pct;
	struct net_frame frames[NET_FRAMES_MAX];
	uint32_t frames_cnt;
	/* What was put on the wire: "A RESET", "B pkt 1 user 5"... */
	char log[NET_LOG_MAX][32];
	uint32_t log_cnt;
};

extern struct net net;

void net_init(uint64_t seed);
/* Free all; checks conservation on both sides and that the pool is full. */
void net_end(void);
/* Give side its link; the peer's media address is that of the other side. */
int net_setup(unsigned int side);
/* Both links up and both nodes UP_UP. */
void net_establish(void);
/* Run for so long. */
void net_run(uint64_t ns);
/* One message with payload_bytes (at least 8) from side to the other. Returns as dpt_node_tx. */
int net_send(unsigned int side, uint32_t payload_bytes);
/* Take up what the node has put into its outputs. */
void net_flush(unsigned int side);
/* Position of the first log entry with this text from position on, or -1. */
int net_log_find(const char *text, int from);

#endif /* NODE_NET_H */
