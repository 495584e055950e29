/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

/* What a run is asked for, what its seed decides, and what it counts. Part of sim.h. */

#include <stdbool.h>
#include <stdint.h>

#include "dpt_link_ops.h"

#define SIM_NODES_MAX	  64
#define SIM_SHARDS_MAX	  2
#define SIM_WIRES_MAX	  2
#define SIM_NODE_STATES	  8 /* of 03-link-node.md, 15.2 */
#define SIM_NODE_EVENTS	  8
#define SIM_SOCKS_MAX	  2048 /* in all incarnations of all nodes together */
#define SIM_BINDS_MAX	  12   /* per socket */
#define SIM_ENDS_MAX	  4096 /* sockets of connection types, as SIM_SOCKS_MAX */
#define SIM_POOL_BUFS	  16383
#define SIM_NET_POOL_BUFS 24575
#define SIM_NONE	  UINT32_MAX
#define SIM_MTU_MAX	  9000
#define SIM_ETH_PAD	  46 /* smallest payload of an Ethernet frame */
#define SIM_TEXT_BYTES	  1024
#define SIM_PATTERN_MASK  0xffff

/* Kinds of faults: --faults. */
#define SIM_FAULTS(X)                                                                              \
	X(LOSS, loss, "frames vanish, at a fixed rate")                                            \
	X(BURST, burst, "most frames of a path vanish for a while")                                \
	X(DUP, dup, "frames arrive twice")                                                         \
	X(REORDER, reorder, "frames overtake each other")                                          \
	X(DELAY, delay, "some paths are slow")                                                     \
	X(CORRUPT, corrupt, "octets are flipped; mostly the frame check finds it")                 \
	X(TRUNCATE, truncate, "frames are cut short; mostly the frame check finds it")             \
	X(PARTITION, partition, "two groups of nodes do not hear each other for a while")          \
	X(ONEWAY, oneway, "a node does not hear another one for a while")                          \
	X(WIRE, wire, "one wire, of a node or of all, is dead for a while")                        \
	X(FLAP, flap, "the same, several times, each shorter than the tolerance")                  \
	X(CARRIER, carrier, "a node's bearer goes down and comes up again")                        \
	X(PROPS, props, "tolerance, priority or window of a bearer change live")                   \
	X(RESTART, restart, "a node crashes and comes back")                                       \
	X(STALL, stall, "a worker stands still, then does everything at once")                     \
	X(CLOCK, clock, "the clock of a shard leaps by up to a second")                            \
	X(DRAIN, drain, "the buffer pool is empty for a while")                                    \
	X(CAPS, caps, "some nodes lack capabilities")                                              \
	X(SHARD, shard, "messages between the shards of a node are slow")                          \
	X(TIMER, timer, "timers are served late")                                                  \
	X(ADMIN, admin, "peers are removed, statistics cleared; domains, who a node is, set live")

#define SIM_FAULT_ENUM_(symbol, name, text) SIM_FAULT_##symbol,
enum sim_fault { SIM_FAULTS(SIM_FAULT_ENUM_) SIM_FAULT_CNT };
#define SIM_FAULT_BIT(symbol) (1u << SIM_FAULT_##symbol)
#define SIM_FAULTS_ALL	      ((1u << SIM_FAULT_CNT) - 1)

extern const char *const sim_fault_names[SIM_FAULT_CNT];
extern const char *const sim_fault_texts[SIM_FAULT_CNT];

/* What the command line says. 0: drawn from the seed, where a plan has the value. */
struct sim_opts {
	uint64_t seed_first;
	uint64_t seed_cnt;
	uint32_t nodes;
	uint32_t shards;
	uint32_t seconds;
	uint32_t jobs;
	uint32_t wires;
	uint32_t gap_ms;
	uint32_t conns;
	uint32_t faults;      /* bit mask of enum sim_fault: what may be drawn */
	bool is_faults_exact; /* all of the mask, nothing drawn */
	bool is_single;	      /* --seed: in this process */
	bool is_verbose;
	bool is_first_only;	 /* stop at the first violation */
	bool is_arcs;		 /* print the table of state changes */
	const char *scenario;	 /* --scenario: NULL or a name */
	const char *faults_text; /* as given, for the command that repeats a run */
	const char *mutant;
	const char *trace_path;
	const char *pcap_path;
};

/* What the seed decides. Times in ns, rates in parts per million. */
struct sim_plan {
	uint32_t nodes;
	uint32_t shards;
	uint32_t seconds;
	uint32_t faults;
	uint32_t wires;
	uint16_t mtu[SIM_WIRES_MAX];
	uint8_t priority[SIM_WIRES_MAX];
	uint16_t caps[SIM_NODES_MAX]; /* 0: all */
	bool is_hostile;	      /* broken frames pass: only safety is judged */
	uint16_t tolerance_ms;
	uint16_t window_max;
	uint16_t ring_pkts;
	uint32_t socks; /* per node */
	uint32_t rcvbuf_bytes;
	uint64_t send_gap_ns; /* between bursts of one socket, mean */
	uint32_t burst;
	uint32_t big_ppm;
	uint32_t slow_ppm; /* share of the sockets that read slowly */
	/* Connections: how many a node tries to have at once, 0: none; how they are used. */
	uint32_t conns;
	uint64_t conn_gap_ns;  /* between bursts of one end, mean */
	uint64_t conn_life_ns; /* of a connection, mean */
	uint32_t conn_slow_ppm;
	bool is_mcast;
	bool is_churn;
	bool is_legacy_addr;
	/* Nodes that are told network id, address or identity before their first bearer; the others
	 * are configured. */
	uint64_t net_set_mask;
	bool is_padded;
	uint8_t rx_mode; /* enum sim_rx_mode */
	uint64_t delay_ns;
	uint64_t jitter_ns;
	uint32_t loss_ppm;
	uint32_t dup_ppm;
	uint32_t corrupt_ppm;
	uint32_t truncate_ppm;
	uint64_t shard_delay_ns;
	uint64_t timer_slack_ns;
	uint64_t fault_gap_ns;
};

/* Which shard the bearer gives a frame to. */
enum sim_rx_mode { SIM_RX_FIRST = 0, SIM_RX_BY_SOURCE = 1, SIM_RX_RANDOM = 2 };

/* Stalls of deliveries at a failover: upper bounds in ms, the last one without bound. */
#define SIM_STALL_BUCKETS 10

/* What a run counts; sent from worker to parent, so it is plain data, all uint64_t. */
struct sim_stats {
	uint64_t hash;
	uint64_t virtual_ns;
	uint64_t frames;
	uint64_t frame_bytes;
	uint64_t shard_msgs;
	uint64_t faults[SIM_FAULT_CNT];
	uint64_t frames_lost; /* by loss, cuts and dead receivers */
	uint64_t sent;	      /* messages accepted, unicast and multicast */
	uint64_t refused;
	uint64_t delivered;
	uint64_t returned;
	uint64_t dropped; /* explained by a DROP counter of the receiver */
	uint64_t lost;	  /* with a contact, or with a node */
	uint64_t contacts_lost;
	uint64_t links_lost;
	uint64_t failovers; /* links lost while the contact lived */
	uint64_t binds;
	uint64_t exact_runs;   /* runs in which nothing at all could be lost */
	uint64_t hostile_runs; /* runs in which broken frames passed */
	uint64_t void_runs;    /* runs in which an empty pool cost a message between shards */
	uint64_t two_wire_runs;
	uint64_t conn_runs;	   /* with connections */
	uint64_t conns_tried;	   /* SYNs accepted for sending */
	uint64_t conns_made;	   /* both ends ESTABLISHED */
	uint64_t conns_refused;	   /* an error came back */
	uint64_t conns_unfinished; /* given up in CONNECTING, or the node was lost */
	uint64_t conns_own;	   /* of those made: within a node */
	uint64_t conns_cross;	   /* of those made within a node: between its shards */
	uint64_t conns_with_data;  /* of those made: by the first message */
	uint64_t ends_shutdown;	   /* ends that read CONN_SHUTDOWN, NO_PORT, NO_NODE */
	uint64_t ends_port;
	uint64_t ends_node;
	uint64_t ends_other;
	uint64_t conn_msgs;
	uint64_t conn_bytes;
	uint64_t conn_windows;	 /* writers that met an exhausted window */
	uint64_t conn_exact;	 /* connections of which every octet had to arrive, and did */
	uint64_t conn_lingering; /* ends that waited for room before they ended */
	uint64_t held_sum;	 /* largest number of buffers that stacks held, summed up */
	uint64_t stalls[SIM_STALL_BUCKETS];
	/* How often each cell of the two state machines was taken; illegal ones as well. */
	uint64_t link_arcs[DPT_LINK_STATE_CNT][DPT_LINK_EVENT_CNT];
	uint64_t node_arcs[SIM_NODE_STATES][SIM_NODE_EVENTS];
};

#endif /* SIM_PLAN_H */
