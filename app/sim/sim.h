/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_H
#define SIM_H

/*
 * dptipc-sim: a cluster of TIPC nodes in one process, on a virtual clock and a virtual
 * network. Everything that happens follows from the seed: event.c orders the events,
 * net.c carries frames and breaks them, node.c runs the stacks, app.c is their
 * applications, faults.c the misfortunes, run.c the course of a run; the oracle_*.c judge
 * from outside what the stacks did.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dpt_rng.h"
#include "dpt_stack.h"
#include "dpt_timer.h"
#include "dpt_time.h"

#include "plan.h"

#define SIM_NET_ID	 4711
#define SIM_NET_ID_FIRST 1 /* before the administrator says another one */

struct sim_event {
	uint64_t time_ns;
	uint64_t nr; /* running number: order among equals */
	uint8_t type;
	uint8_t shard;
	uint8_t from_shard;
	uint8_t bearer_id;
	uint32_t node;
	uint32_t arg; /* incarnation, socket, fault ... by type */
	uint32_t arg2;
	struct rte_mbuf *m;
};

enum sim_event_type {
	SIM_EV_FRAME = 1,	/* node, m */
	SIM_EV_SHARD = 2,	/* node, shard, arg = incarnation, m */
	SIM_EV_TIMER = 3,	/* node, shard, arg = incarnation */
	SIM_EV_BEARER_UP = 4,	/* node, arg = incarnation, bearer_id */
	SIM_EV_SEND = 5,	/* arg = socket */
	SIM_EV_READ = 6,	/* arg = socket */
	SIM_EV_CHURN = 7,	/* node */
	SIM_EV_FAULT = 8,	/* the next misfortune */
	SIM_EV_FAULT_END = 9,	/* arg = slot in faults[], arg2 = its number */
	SIM_EV_NODE_START = 10, /* node, arg = incarnation that ended */
	SIM_EV_CHECK_DOWN = 11, /* node, arg = slot in checks[] */
	SIM_EV_SCRIPT = 12,	/* arg = step */
	SIM_EV_FLAP = 13,	/* node, bearer_id, arg = how many still */
	SIM_EV_DRAIN_END = 14,
	/* conn*.c */
	SIM_EV_CONN_OPEN = 15,	 /* node */
	SIM_EV_CONN_ACCEPT = 16, /* arg = end; so do all that follow */
	SIM_EV_CONN_SEND = 17,
	SIM_EV_CONN_READ = 18,
	SIM_EV_CONN_END = 19,
};

struct sim_heap {
	struct sim_event *events;
	uint32_t cnt;
	uint32_t room;
	uint32_t bufs; /* events that carry a buffer (its segments are counted) */
	uint64_t nr;
};

void sim_heap_push(struct sim_heap *heap, const struct sim_event *event);
/* Returns false when empty. */
bool sim_heap_pop(struct sim_heap *heap, struct sim_event *event);

/* A path from one node to another on one wire. */
struct sim_path {
	uint64_t delay_ns;
	uint64_t jitter_ns;
	uint32_t loss_ppm;
	uint32_t dup_ppm;
	uint32_t cuts;	       /* faults that cut it now */
	uint64_t cut_since_ns; /* valid while cuts > 0 */
	uint32_t storms;
	uint64_t last_ns; /* arrival of the frame that was sent last */
	uint64_t bad_ns;  /* when a frame was lost, or was late by a fault, last; 0: never */
};

struct sim_shard {
	struct dpt_stack *stack; /* NULL: down */
	struct dpt_rng rng;
	struct dpt_trace *trace;
	uint64_t trace_seen; /* records read */
	uint32_t gen_seen;   /* route_gen when contacts were looked at */
	uint64_t timer_ns;   /* the pending SIM_EV_TIMER */
	uint64_t skew_ns;    /* its clock is ahead by so much */
	uint64_t stalled_ns; /* stands still until then */
	uint32_t socks_own;  /* sockets of the stack itself */
	uint32_t stuck;	     /* timeouts in a row that did not move the deadline */
	uint64_t ring_last_ns[SIM_SHARDS_MAX]; /* arrival of the last message to each shard */
};

/* What is known of the link of one node to another one on one wire. */
struct sim_link {
	bool is_up;
	bool is_synch_due; /* packet 1 must be a SYNCH: the other link was up already */
	bool is_counting;  /* nxt is valid */
	uint16_t session;
	uint16_t nxt; /* sequence number that comes next */
};

/* A wire died under a pair with another one: for the histogram of stalls. */
struct sim_failover {
	uint64_t cut_ns; /* 0: none */
	uint64_t stall_ns;
	bool is_seen;
};

struct sim_node {
	struct sim_shard shards[SIM_SHARDS_MAX];
	bool is_running;
	bool is_stopped; /* for good: phase 4 */
	uint32_t incarnation;
	struct dpt_maddr maddr[SIM_WIRES_MAX];
	bool is_bearer_up[SIM_WIRES_MAX];
	struct dpt_node_addr domain[SIM_WIRES_MAX];	 /* of the bearer, as it shall be */
	struct dpt_node_addr domain_used[SIM_WIRES_MAX]; /* as it is */
	uint64_t started_ns;
	uint64_t bad_until_ns; /* stalls, leaps of the clock, new properties: links may go down */
	/* Contact with each other node, as this node sees it, and when it changed last. */
	bool contact[SIM_NODES_MAX];
	bool is_reported_up[SIM_NODES_MAX]; /* by the last NODE_UP or NODE_DOWN of the peer */
	uint64_t lost_ns[SIM_NODES_MAX];    /* 0: never */
	uint64_t found_ns[SIM_NODES_MAX];   /* when contact was there again */
	uint64_t losses[SIM_NODES_MAX];
	uint8_t owner[SIM_NODES_MAX]; /* shard that has the peer */
	struct sim_link links[SIM_NODES_MAX][SIM_WIRES_MAX];
	struct sim_failover failovers[SIM_NODES_MAX]; /* deliveries from that node */
	struct dpt_node_addr addr; /* last known own address, also of a dead node */
};

struct sim_bind {
	struct dpt_range range;
	uint8_t scope;
	bool is_pending;
	bool is_used;
};

struct sim_sock {
	uint32_t node;
	uint32_t incarnation;
	uint8_t shard;
	bool is_open;
	bool is_blocked;
	bool is_slow;
	bool is_read_due;
	bool is_from_start; /* open with all its first bindings before the faults began */
	struct dpt_port port;
	uint32_t held;	  /* given out and not given back */
	uint64_t drops;	  /* taken over when it was closed */
	uint64_t missing; /* messages that its drops must explain */
	uint64_t closed_ns;
	uint32_t *last_unicast; /* by sender: number + 1 of the last message from it */
	uint32_t *last_mcast;
	struct sim_bind binds[SIM_BINDS_MAX];
};

enum sim_msg_kind { SIM_MSG_DIRECT = 0, SIM_MSG_NAMED = 1, SIM_MSG_MCAST = 2 };

/* One message: all that the oracles know of it. The payload carries only its number. */
struct sim_msg {
	uint64_t sent_ns;
	uint32_t sender;
	uint32_t dest;	    /* socket, SIM_NONE: not known in advance */
	uint32_t dest_node; /* SIM_NONE: not known in advance */
	uint32_t size;
	uint8_t kind;
	bool is_droppable;
	bool is_accepted;
	bool is_must;	/* sent after the heal: nothing excuses its loss */
	bool is_static; /* multicast to the static ranges, lower .. upper */
	uint32_t lower;
	uint32_t upper;
	uint32_t delivered;
	uint32_t returned;
};

struct sim_fault_slot {
	uint32_t nr;
	uint8_t kind;
	bool is_active;
	bool is_both;	/* also from b to a */
	uint32_t wires; /* bit mask */
	uint64_t a;	/* bit masks of nodes: frames from a to b */
	uint64_t b;
};
#define SIM_FAULT_SLOTS 16

/* "node must have lost contact with peer since then". */
struct sim_check {
	uint32_t peer;
	uint32_t incarnation;
	uint64_t losses;
	uint64_t since_ns;
	bool is_crash;
};

struct sim {
	const struct sim_opts *opts;
	uint64_t seed;
	struct sim_plan plan;
	struct rte_mempool *pool;     /* of the stacks */
	struct rte_mempool *net_pool; /* of frames on the wires and new messages */
	uint64_t now_ns;
	struct sim_heap heap;
	struct dpt_rng rng_net;
	struct dpt_rng rng_app;
	struct dpt_rng rng_fault;
	struct sim_node nodes[SIM_NODES_MAX];
	struct sim_path paths[SIM_WIRES_MAX][SIM_NODES_MAX][SIM_NODES_MAX];
	struct sim_mem *mem; /* memory of former stacks */
	struct dpt_bufq drained;
	uint32_t held_max;
	struct dpt_out out;

	struct sim_sock *socks; /* SIM_SOCKS_MAX */
	uint32_t socks_cnt;
	struct sim_msg *msgs;
	uint32_t msgs_cnt;
	uint32_t msgs_room;
	struct sim_end *ends; /* SIM_ENDS_MAX: conn.h */
	uint32_t ends_cnt;
	uint8_t *pattern;
	uint64_t *pairs; /* message << 32 | socket: static multicasts delivered */
	uint32_t pairs_cnt;
	uint32_t pairs_room;

	struct sim_fault_slot faults[SIM_FAULT_SLOTS];
	uint32_t faults_nr;
	struct sim_check *checks;
	uint32_t checks_cnt;
	uint32_t checks_room;
	bool is_faulty;		 /* phase 2 */
	bool is_talking;	 /* applications send */
	bool is_conn_must;	 /* what connections send now must arrive */
	bool is_must;		 /* what is sent now must arrive */
	bool is_quiet;		 /* phase 4: contact losses are not judged */
	bool is_cut_on_up[8][8]; /* scenario: that path of wire 1 dies as its link comes up */
	uint64_t heal_ns;
	uint64_t drained_until_ns; /* the pool was empty until then; 0: never */

	FILE *trace;
	FILE *pcap;

	struct sim_stats stats;
	bool is_failed;
	char failure[SIM_TEXT_BYTES];
};

/* plan.c */
void sim_plan_draw(struct sim_plan *plan, const struct sim_opts *opts, uint64_t seed);
int sim_plan_print(const struct sim_plan *plan, char *text, size_t text_size);
/* -1: an unknown word. */
int sim_faults_parse(const char *text, uint32_t *mask, bool *is_exact);

/* rng helpers, plan.c */
uint64_t sim_seed_mix(uint64_t seed, uint64_t stream);
uint64_t sim_below(struct dpt_rng *rng, uint64_t bound);
bool sim_chance(struct dpt_rng *rng, uint32_t ppm);

/* run.c */
void
sim_at(struct sim *sim, uint64_t time_ns, enum sim_event_type type, uint32_t node, uint32_t arg);
/* The node's bearer comes up then, if it is the same incarnation and the bearer is down. */
void sim_at_wire(struct sim *sim, uint64_t time_ns, uint32_t node, uint32_t wire);
void sim_violate(struct sim *sim, const char *oracle, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sim_hash(struct sim *sim, const void *data, size_t len);
void sim_hash_u64(struct sim *sim, uint64_t value);
/* One seed from beginning to end. Returns 0, or 1 after a violation. */
int sim_run(struct sim *sim, const struct sim_opts *opts, uint64_t seed);
void sim_free(struct sim *sim);

/* dispatch.c */
/* Deal with an event now, or put it off. */
void sim_dispatch(struct sim *sim, struct sim_event *event);

/* net.c */
void sim_net_init(struct sim *sim);
void sim_net_tx(struct sim *sim, uint32_t from, struct rte_mbuf *m);
void sim_net_heal(struct sim *sim);

/* faults.c */
void sim_faults_start(struct sim *sim);
void sim_fault_next(struct sim *sim);
void sim_fault_end(struct sim *sim, uint32_t slot, uint32_t nr);
void sim_faults_heal(struct sim *sim);
/* A wire of node n (SIM_NONE: of all) dies, or is repaired: what scenarios do. */
void sim_fault_wire(struct sim *sim, uint32_t n, uint32_t wire, bool is_dead);

/* faults_node.c: what befalls one node */
void sim_fault_restart(struct sim *sim, uint32_t n, uint64_t down_ns);
void sim_fault_carrier(struct sim *sim, uint32_t n, uint64_t down_ns);
void sim_fault_stall(struct sim *sim, uint32_t n);
void sim_fault_clock(struct sim *sim, uint32_t n);
void sim_fault_props(struct sim *sim, uint32_t n);
void sim_fault_flap(struct sim *sim, uint32_t n, uint32_t wire, uint32_t cnt);
void sim_fault_drain(struct sim *sim, bool is_begin);
/* Whatever links on that wire of n do, this is the cause. */
void sim_fault_wire_bad(struct sim *sim, uint32_t n, uint32_t wire);

/* faults_admin.c: what an administrator does */
static inline bool
sim_is_net_set(const struct sim *sim, uint32_t n)
{
	return (sim->plan.net_set_mask >> n & 1) != 0;
}
void sim_fault_admin(struct sim *sim, uint32_t n);
/* Who the node is, said before its first bearer comes. */
void sim_admin_net_set(struct sim *sim, uint32_t n);

/* node.c */
void sim_node_start(struct sim *sim, uint32_t n);
void sim_node_bearer_up(struct sim *sim, uint32_t n, uint32_t wire);
void sim_node_bearer_down(struct sim *sim, uint32_t n, uint32_t wire);
void sim_node_kill(struct sim *sim, uint32_t n);
void sim_node_frame(struct sim *sim, const struct sim_event *event);
void sim_node_shard_msg(struct sim *sim, const struct sim_event *event);
void sim_node_timer(struct sim *sim, const struct sim_event *event);
/* What time a shard believes it is. */
uint64_t sim_node_now(const struct sim *sim, uint32_t n, uint32_t shard);
/* Carry out what the last call of this shard said; arm its timer. */
void sim_node_pump(struct sim *sim, uint32_t n, uint32_t shard);
uint32_t sim_node_find_any(const struct sim *sim, struct dpt_node_addr addr);
uint32_t sim_node_find(const struct sim *sim, struct dpt_node_addr addr);
/* Sum of the DROP counters of a library (NULL: all) on a running node. */
uint64_t sim_node_drops(const struct sim *sim, uint32_t n, const char *library);

/* mem.c: memory of stacks, used again */
void *sim_mem_take(struct sim *sim, size_t bytes);
void sim_mem_give(struct sim *sim, void *mem);
void sim_mem_free(struct sim *sim);

/* app.c */
void sim_app_node_start(struct sim *sim, uint32_t n);
void sim_app_node_dead(struct sim *sim, uint32_t n);
void sim_app_send(struct sim *sim, uint32_t s);
void sim_app_read(struct sim *sim, uint32_t s);
void sim_app_ready(struct sim *sim, uint32_t s);
void sim_app_churn(struct sim *sim, uint32_t n);
void sim_app_bind_done(struct sim *sim, const struct dpt_event *event);
void sim_app_start_talking(struct sim *sim);
void sim_app_must_round(struct sim *sim);
void sim_app_close(struct sim *sim, uint32_t s);
void sim_app_read_all(struct sim *sim);

/* script.c */
void sim_app_script(struct sim *sim, uint32_t step);
/* What the scenario wants otherwise than a run by chance. false: no such scenario. */
bool sim_script_plan(const char *scenario, struct sim_plan *plan);
void sim_script_names(FILE *to);

/* app_msg.c: messages and their payload */
struct sim_send {
	enum sim_msg_kind kind;
	struct dpt_dest dest;
	uint32_t dest_sock;
	uint32_t dest_node;
	uint32_t size;
	uint8_t importance;
	bool is_droppable;
	bool is_static;
};
/* Returns what dpt_stack_send returned. */
int sim_msg_send(struct sim *sim, uint32_t s, const struct sim_send *send);
/* Compare the payload of m with what message msg carries. */
bool sim_msg_payload_ok(struct sim *sim, struct rte_mbuf *m, uint32_t number, uint32_t bytes);
/* Number that the payload carries, SIM_NONE when it is too short. */
uint32_t sim_msg_number(struct rte_mbuf *m, uint32_t payload_bytes);
#define SIM_MSG_TRACKED_BYTES 8

#include "conn.h"
#include "oracle.h"

#endif /* SIM_H */
