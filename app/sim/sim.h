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

#define SIM_NODES_MAX	 64
#define SIM_SHARDS_MAX	 2
#define SIM_SOCKS_MAX	 2048 /* in all incarnations of all nodes together */
#define SIM_BINDS_MAX	 12   /* per socket */
#define SIM_POOL_BUFS	 24575
#define SIM_NONE	 UINT32_MAX
#define SIM_MTU_MAX	 9000
#define SIM_ETH_PAD	 46 /* smallest payload of an Ethernet frame */
#define SIM_TEXT_BYTES	 1024
#define SIM_PATTERN_MASK 0xffff

/* Kinds of faults: --faults. */
#define SIM_FAULTS(X)                                                                              \
	X(LOSS, loss, "frames vanish, now and then most of them")                                  \
	X(DUP, dup, "frames arrive twice")                                                         \
	X(REORDER, reorder, "frames overtake each other")                                          \
	X(DELAY, delay, "some paths are slow")                                                     \
	X(PARTITION, partition, "two groups of nodes do not hear each other for a while")          \
	X(ONEWAY, oneway, "a node does not hear another one for a while")                          \
	X(RESTART, restart, "a node crashes and comes back")                                       \
	X(SHARD, shard, "messages between the shards of a node are slow")                          \
	X(TIMER, timer, "timers are served late")

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
	uint32_t faults;      /* bit mask of enum sim_fault: what may be drawn */
	bool is_faults_exact; /* all of the mask, nothing drawn */
	bool is_single;	      /* --seed: in this process */
	bool is_verbose;
	bool is_first_only;	 /* stop at the first violation */
	bool is_scripted;	 /* --scenario cluster3 */
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
	uint16_t mtu;
	uint16_t tolerance_ms;
	uint16_t window_max;
	uint16_t ring_pkts;
	uint32_t socks; /* per node */
	uint32_t rcvbuf_bytes;
	uint64_t send_gap_ns; /* between bursts of one socket, mean */
	uint32_t burst;
	uint32_t big_ppm;
	uint32_t slow_ppm; /* share of the sockets that read slowly */
	bool is_mcast;
	bool is_churn;
	bool is_legacy_addr;
	bool is_padded;
	uint8_t rx_mode; /* enum sim_rx_mode */
	uint64_t delay_ns;
	uint64_t jitter_ns;
	uint32_t loss_ppm;
	uint32_t dup_ppm;
	uint64_t shard_delay_ns;
	uint64_t timer_slack_ns;
	uint64_t fault_gap_ns;
};

/* Which shard the bearer gives a frame to. */
enum sim_rx_mode { SIM_RX_FIRST = 0, SIM_RX_BY_SOURCE = 1, SIM_RX_RANDOM = 2 };

/* What a run counts; sent from worker to parent, so it is plain data. */
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
	uint64_t binds;
	uint64_t exact_runs; /* runs in which nothing at all could be lost */
};

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
	SIM_EV_BEARER_UP = 4,	/* node, arg = incarnation */
	SIM_EV_SEND = 5,	/* arg = socket */
	SIM_EV_READ = 6,	/* arg = socket */
	SIM_EV_CHURN = 7,	/* node */
	SIM_EV_FAULT = 8,	/* the next misfortune */
	SIM_EV_FAULT_END = 9,	/* arg = slot in faults[], arg2 = its number */
	SIM_EV_NODE_START = 10, /* node, arg = incarnation that ended */
	SIM_EV_CHECK_DOWN = 11, /* node, arg = slot in checks[] */
	SIM_EV_SCRIPT = 12,	/* arg = step */
};

struct sim_heap {
	struct sim_event *events;
	uint32_t cnt;
	uint32_t room;
	uint64_t nr;
};

void sim_heap_push(struct sim_heap *heap, const struct sim_event *event);
/* Returns false when empty. */
bool sim_heap_pop(struct sim_heap *heap, struct sim_event *event);

/* A path from one node to another. */
struct sim_path {
	uint64_t delay_ns;
	uint64_t jitter_ns;
	uint32_t loss_ppm;
	uint32_t dup_ppm;
	uint32_t cuts;	       /* faults that cut it now */
	uint64_t cut_since_ns; /* valid while cuts > 0 */
	uint32_t storms;
	uint64_t last_ns; /* arrival of the frame that was sent last */
};

struct sim_shard {
	struct dpt_stack *stack; /* NULL: down */
	struct dpt_rng rng;
	struct dpt_trace *trace;
	uint64_t timer_ns; /* the pending SIM_EV_TIMER */
	uint32_t stuck;	   /* timeouts in a row that did not move the deadline */
	uint64_t ring_last_ns[SIM_SHARDS_MAX]; /* arrival of the last message to each shard */
};

struct sim_node {
	struct sim_shard shards[SIM_SHARDS_MAX];
	bool is_running;
	bool is_stopped; /* for good: phase 4 */
	uint32_t incarnation;
	struct dpt_maddr maddr;
	uint64_t started_ns;
	/* Contact with each other node, as this node sees it, and when it changed last. */
	bool contact[SIM_NODES_MAX];
	bool is_reported_up[SIM_NODES_MAX]; /* by the last NODE_UP or NODE_DOWN of the peer */
	uint64_t lost_ns[SIM_NODES_MAX];    /* 0: never */
	uint64_t losses[SIM_NODES_MAX];
	uint8_t owner[SIM_NODES_MAX]; /* shard that has the peer */
	struct dpt_node_addr addr;    /* last known own address, also of a dead node */
	uint64_t dead_drops;	      /* data DROP counters of former incarnations */
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
	uint64_t a; /* bit masks of nodes: frames from a to b ... */
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
	struct rte_mempool *pool;
	uint64_t now_ns;
	struct sim_heap heap;
	struct dpt_rng rng_net;
	struct dpt_rng rng_app;
	struct dpt_rng rng_fault;
	struct sim_node nodes[SIM_NODES_MAX];
	struct sim_path paths[SIM_NODES_MAX][SIM_NODES_MAX];
	size_t stack_bytes;
	struct dpt_out out;

	struct sim_sock *socks; /* SIM_SOCKS_MAX */
	uint32_t socks_cnt;
	struct sim_msg *msgs;
	uint32_t msgs_cnt;
	uint32_t msgs_room;
	uint8_t *pattern;
	uint64_t *pairs; /* message << 32 | socket: static multicasts delivered */
	uint32_t pairs_cnt;
	uint32_t pairs_room;

	struct sim_fault_slot faults[SIM_FAULT_SLOTS];
	uint32_t faults_nr;
	struct sim_check *checks;
	uint32_t checks_cnt;
	uint32_t checks_room;
	bool is_faulty;	 /* phase 2 */
	bool is_talking; /* applications send */
	bool is_must;	 /* what is sent now must arrive */
	bool is_quiet;	 /* phase 4: contact losses are not judged */
	uint64_t heal_ns;

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
void sim_violate(struct sim *sim, const char *oracle, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sim_hash(struct sim *sim, const void *data, size_t len);
void sim_hash_u64(struct sim *sim, uint64_t value);
/* One seed from beginning to end. Returns 0, or 1 after a violation. */
int sim_run(struct sim *sim, const struct sim_opts *opts, uint64_t seed, struct rte_mempool *pool);
void sim_free(struct sim *sim);

/* net.c */
void sim_net_init(struct sim *sim);
void sim_net_tx(struct sim *sim, uint32_t from, struct rte_mbuf *m);
void sim_net_heal(struct sim *sim);

/* faults.c */
void sim_faults_start(struct sim *sim);
void sim_fault_next(struct sim *sim);
void sim_fault_end(struct sim *sim, uint32_t slot, uint32_t nr);
void sim_faults_heal(struct sim *sim);

/* node.c */
void sim_node_start(struct sim *sim, uint32_t n);
void sim_node_bearer_up(struct sim *sim, uint32_t n);
void sim_node_kill(struct sim *sim, uint32_t n);
void sim_node_frame(struct sim *sim, const struct sim_event *event);
void sim_node_shard_msg(struct sim *sim, const struct sim_event *event);
void sim_node_timer(struct sim *sim, const struct sim_event *event);
/* Carry out what the last call of this shard said; arm its timer. */
void sim_node_pump(struct sim *sim, uint32_t n, uint32_t shard);
uint32_t sim_node_find_any(const struct sim *sim, struct dpt_node_addr addr);
uint32_t sim_node_find(const struct sim *sim, struct dpt_node_addr addr);
struct dpt_stack *sim_sock_stack(struct sim *sim, uint32_t s);
/* Sum of the DROP counters of a library (NULL: all) on a running node. */
uint64_t sim_node_drops(const struct sim *sim, uint32_t n, const char *library);

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
void sim_app_script(struct sim *sim, uint32_t step);

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

#include "oracle.h"

#endif /* SIM_H */
