/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NODE_NET_H
#define NODE_NET_H

/*
 * Two nodes, A and B, with up to three wires between them, in virtual time: they lose, double
 * and reorder by seed, or are cut per wire and direction. The "stack" above each opens the
 * contact when told NODE_UP, and checks what is delivered: CONN messages of some ports, each
 * carrying a running number of its port and a pattern, expected once and in order.
 */

#include "cu.h"
#include "dpt_node.h"
#include "node_priv.h"
#include "test_pool.h"

#define NET_FRAMES_MAX 4096
#define NET_RING_PKTS  512
#define NET_LOG_MAX    256
#define NET_WIRES      DPT_BEARERS_MAX
#define NET_PORTS      4
#define NET_EVENTS_MAX 32

struct net_frame {
	struct rte_mbuf *m;
	uint64_t at_ns;
	uint8_t to;
	uint8_t wire;
};

/* One link of a side to be. */
struct net_wire {
	uint8_t priority;
	uint16_t mtu;
	uint16_t tolerance_ms;
	uint64_t delay_ns;
};

struct net_side {
	struct dpt_node *node;
	struct dpt_node_cfg cfg;
	struct dpt_link_counters link;
	struct dpt_node_counters counters;
	struct dpt_bcast_counters bcast;
	struct dpt_rng rng;
	struct dpt_out out;
	bool is_cut;		     /* what it sends is lost */
	bool cut[NET_WIRES];	     /* on this wire */
	bool is_blocked;	     /* waits for LINK_ROOM */
	bool is_passive;	     /* does not open the contact */
	uint32_t next_tx[NET_PORTS]; /* number of the next message */
	uint32_t next_rx[NET_PORTS]; /* number expected */
	uint32_t resumed;	     /* LINK_ROOM events */
	uint32_t node_ups;
	uint32_t node_downs;
	uint32_t gone;
	uint8_t last_down; /* reason of the last NODE_DOWN */
	uint8_t last_link_down;
	/* "NODE_UP", "LINK_UP 0"... in order. */
	char events[NET_EVENTS_MAX][16];
	uint32_t events_cnt;
	uint32_t bulk_acked;
	uint64_t reports; /* STATE messages passed on */
	uint64_t wrong;	  /* messages out of order or damaged */
	uint8_t mem[512 * 1024] __attribute__((aligned(64)));
};

struct net {
	struct net_side sides[2];
	struct dpt_rng rng;
	uint64_t now_ns;
	uint32_t loss_pct, dup_pct, reorder_pct;
	struct net_wire wires[NET_WIRES];
	/* May look at, change and refuse (false) what goes onto the wire. */
	bool (*tap)(unsigned int side, unsigned int wire, struct rte_mbuf *m);
	struct net_frame frames[NET_FRAMES_MAX];
	uint32_t frames_cnt;
	/* What was put on the wires: "A RESET", "B pkt 1 user 5"; on wire 1 "A1 pkt"... */
	char log[NET_LOG_MAX][32];
	uint32_t log_cnt;
};

extern struct net net;

void net_init(uint64_t seed);
/* With peers that have these capabilities. */
void net_init_caps(uint64_t seed, uint16_t caps);
/* Free all; checks conservation on both sides and that the pool is full. */
void net_end(void);
/* Give side its link; the peer's media address is that of the other side. */
int net_setup(unsigned int side);
int net_setup_wire(unsigned int side, unsigned int wire);
/* Both links up and both nodes UP_UP. */
void net_establish(void);
/* The same with two links each. */
void net_establish_dual(void);
/* Cut or mend one wire, both directions. */
void net_cut(unsigned int wire, bool is_cut);
/* Run for so long. */
void net_run(uint64_t ns);
/* One message with payload_bytes (at least 8) from side to the other. Returns as dpt_node_tx. */
int net_send(unsigned int side, uint32_t payload_bytes);
int net_send_port(unsigned int side, uint32_t port, uint32_t payload_bytes);
/*
 * The law: nothing doubled, nothing out of order; and what was accepted has been delivered,
 * unless a loss of contact was reported.
 */
void net_check_law(void);

extern const struct cu_suite node_suite, dual_suite, failover_suite, synch_suite, limit_suite;
/* Take up what the node has put into its outputs. */
void net_flush(unsigned int side);
/* Position of the first log entry with this text from position on, or -1. */
int net_log_find(const char *text, int from);

#endif /* NODE_NET_H */
