/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_STACK_PRIV_H
#define DPT_STACK_PRIV_H

/*
 * One shard of a node, as laid out in the caller's memory:
 *
 *   struct dpt_stack | stack_node[nodes_max] | hash tables | names | socks
 *                    | discovery, broadcast send link, distribution, topology (shard 0 only)
 *
 * A public call collects outputs in `work`, drains what concerns this shard (events of
 * nodes and discovery, messages from peers) until nothing is left, then moves frames and
 * shard messages to the caller's out. So no function here recurses into another through
 * outputs, and the order in which things were said is the order in which they are done.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_assert.h"
#include "dpt_msg.h"
#include "dpt_stack.h"
#include "dpt_timer.h"

/*
 * What shards of one node say to each other: dpt_buf.msg_type. The first group carries a
 * TIPC message, the second a struct in the buffer's data.
 */
enum stack_msg_type {
	STACK_MSG_FRAME = 1,	    /* frame from bearer dpt_buf.bearer_id, for its peer's shard */
	STACK_MSG_TX = 2,	    /* message to node arg, selector arg2, for that node's shard */
	STACK_MSG_LOCAL = 3,	    /* data message for a port of the shard, or multicast */
	STACK_MSG_NAMES_RX = 4,	    /* NAME_DISTRIBUTOR message of a peer, to shard 0 */
	STACK_MSG_NAMES_APPLY = 5,  /* the same, its turn has come, from shard 0 */
	STACK_MSG_BCAST_REPORT = 6, /* STATE of a peer, to shard 0 */

	STACK_MSG_EVENT = 16,	  /* struct dpt_event: nodes to shard 0, discovery to nodes */
	STACK_MSG_BEARER_UP = 17, /* struct dpt_stack_bearer, from shard 0 */
	STACK_MSG_PEER = 18,	  /* struct stack_peer_msg, from shard 0 */
	STACK_MSG_BIND = 19,	  /* struct stack_bind_msg: request to shard 0, or its way on */
	STACK_MSG_SENDER = 20,	  /* struct stack_sender_msg: congestion, to a socket's shard */
	STACK_MSG_PROPS = 21,	  /* struct stack_props_msg, from shard 0 */
	STACK_MSG_NET = 22,	  /* struct stack_net_msg, from shard 0 */
};

enum stack_peer_op {
	STACK_PEER_OWN = 1,	    /* node: the own address is final */
	STACK_PEER_OPEN = 2,	    /* value: last_bcast: open the contact (node's shard) */
	STACK_PEER_UP = 3,	    /* messages may be sent to node; value: mss (all shards) */
	STACK_PEER_DOWN = 4,	    /* contact lost: purge (all shards) */
	STACK_PEER_LAST_BCAST = 5,  /* value: last number of our broadcasts (all shards) */
	STACK_PEER_NOT_OPEN = 9,    /* the answer instead of OPEN: start again (node's shard) */
	STACK_PEER_RESET = 6,	    /* value: enum dpt_down_reason (node's shard) */
	STACK_PEER_BEARER_DOWN = 7, /* value: bearer_id (all shards) */
	STACK_PEER_GONE = 8,	    /* the record has expired (all shards) */
};

/* Reserved service types that the stack binds itself. Src: 04-name-table.md, 1.1. */
#define DPT_NAME_TYPE_NODE_STATE 0
#define DPT_NAME_TYPE_TOPOLOGY	 1
#define DPT_NAME_TYPE_LINK_STATE 2

/*
 * Bounds of a link's tolerance. Src: 03-link-node.md, 1: 50 to 30000; our own minimum is
 * lower, for peers that are set alike (others do not adopt less than 50).
 */
#define DPT_STACK_TOLERANCE_MS_MIN 5
#define DPT_STACK_TOLERANCE_MS_MAX 30000
/* Src: 03-link-node.md, hazard 11. */
#define DPT_STACK_PRIORITY_MAX 31

struct stack_peer_msg {
	struct dpt_node_addr node;
	uint32_t value;
	uint16_t caps;	       /* STACK_PEER_UP: what both nodes have */
	struct dpt_node_id id; /* STACK_PEER_OWN: own identity */
	uint8_t op;	       /* enum stack_peer_op */
};

enum stack_bind_step {
	STACK_BIND_REQUEST = 1, /* to shard 0 */
	STACK_BIND_APPLY = 2,	/* from shard to shard, each applies it and hands it on */
	STACK_BIND_RESULT = 3,	/* back at the requester */
	STACK_BIND_SYNC = 4,	/* at shard 0: every shard has it, now the other nodes */
};

struct stack_bind_msg {
	struct dpt_binding binding;
	uint64_t cookie;
	int32_t result;
	uint32_t update;   /* is_sync: number of the publication */
	uint8_t step;	   /* enum stack_bind_step */
	uint8_t requester; /* shard */
	bool is_withdrawal;
	bool is_reported; /* DPT_EVENT_BIND_DONE is wanted */
	bool is_sync;	  /* not before the other nodes have it: stack_barrier.c */
};

struct stack_props_msg {
	struct dpt_node_addr node; /* 0: all peers, and the bearer */
	struct dpt_link_props props;
	uint8_t bearer_id;
	bool is_later; /* links that are there stay as they are */
};

/* Who this node is, as configured; the address itself is told as STACK_PEER_OWN. */
struct stack_net_msg {
	uint32_t net_id;
	struct dpt_node_id id;
	bool is_legacy;
};

struct stack_sender_msg {
	struct dpt_node_addr node;
	struct dpt_port port; /* congested: the sender */
	uint32_t level_mask;  /* room: the levels; 0: this tells congestion, or a loss */
	uint8_t importance;
	bool is_lost; /* a message of port's connection found no buffer */
};

/* A peer node of this shard. The node object follows at STACK_NODE_OFFSET. */
struct stack_node {
	struct dpt_timer timer;
	uint32_t idx;
	bool is_used;
	/* NODE_UPs that shard 0 has not answered: only the last answer is for this contact. */
	uint8_t opens_due;
};
#define STACK_NODE_OFFSET 64
DPT_STATIC_ASSERT(sizeof(struct stack_node) <= STACK_NODE_OFFSET, "head of a node slot");

/* What every shard knows of every peer; shard 0 more than the others. */
struct stack_contact {
	struct dpt_node_addr addr; /* 0: free */
	uint16_t caps;		   /* shard 0 */
	uint16_t mss;		   /* packet size of the first link, which the bulk is made for */
	bool is_open;		   /* messages may be sent to it */
	bool is_opening;	   /* shard 0: node up, its first link's event is to come */
	bool is_marked;		   /* shard 0: update `mark` is not acknowledged yet */
	bool is_leaving; /* node's shard: deleted here, shard 0 has not forgotten it yet */
	uint32_t mark;
};

/* A bind that waits for the other nodes. Shard 0. */
struct stack_barrier {
	struct stack_bind_msg msg; /* if is_applied */
	uint64_t bcast_given;	   /* how far the broadcast link has to be acknowledged */
	uint32_t update;
	bool is_sent;	 /* the update, to all nodes that are up */
	bool is_applied; /* by every shard */
};
/* At a time; beyond, such a bind is refused. Our choice. */
#define STACK_BARRIERS_MAX 1024

/* Open-addressing table address -> index; linear probing, backward-shift deletion. */
struct stack_addr_map {
	uint32_t *slots; /* index + 1, 0: empty */
	uint32_t mask;
};

struct stack_bearer {
	struct dpt_stack_bearer cfg; /* as changed since */
	uint16_t mtu_max;	     /* as it came up */
	bool is_up;
};

/* Buffers kept for messages between shards, so that an empty pool loses none of them. */
#define STACK_RESERVE_BUFS 64

struct dpt_stack {
	struct dpt_stack_cfg cfg;
	struct dpt_node_addr own;
	struct dpt_node_id own_id;
	bool is_legacy; /* the address was configured */
	uint32_t route_gen;
	uint16_t last_bcast; /* as told to the nodes */
	struct dpt_out work;
	uint16_t work_event; /* next of work.events to handle */
	struct dpt_bufq routed;
	/* Events for control of this call. */
	struct dpt_event ctl[DPT_OUT_EVENTS_MAX];
	uint16_t ctl_cnt;

	struct stack_bearer bearers[DPT_BEARERS_MAX];
	struct dpt_timer_wheel wheel;
	struct dpt_bufq reserve;

	uint8_t *nodes; /* nodes_max slots of node_stride octets */
	size_t node_stride;
	uint32_t nodes_cnt;
	uint16_t *nodes_sorted; /* slot indexes in order of address */
	uint32_t nodes_free_hint;
	struct stack_addr_map node_map;

	struct stack_contact *contacts;
	uint32_t contacts_cnt;
	struct stack_addr_map contact_map;
	struct dpt_node_addr *mcast_nodes; /* scratch, nodes_max */

	struct dpt_names *names;
	struct dpt_socks *socks;
	/* Shard 0, else NULL. */
	struct dpt_discovery *discovery;
	struct dpt_bcast_snd *bcast_snd;
	struct dpt_distr *distr;
	struct dpt_topo *topo;
	struct dpt_port topo_port;	/* the server's listener */
	uint64_t topo_retry_ns;		/* when events that found no buffer are sent */
	struct stack_barrier *barriers; /* ring, oldest first */
	uint32_t barriers_first;
	uint32_t barriers_cnt;
	uint32_t barriers_done_cnt; /* in this call */
	struct dpt_stack_bcast_set bcast_set;

	struct dpt_stack_counters_all counters;
};

/* Capabilities that we announce, and that we make use of with a peer that has them too. */
static inline uint16_t
stack_caps(const struct dpt_stack_cfg *cfg)
{
	return cfg->caps != 0 ? cfg->caps : DPT_STACK_CAPS;
}

/* ---- stack_map.c ---- */
void stack_map_init(struct stack_addr_map *map, uint32_t *slots, uint32_t slots_cnt);
uint32_t stack_map_slots(uint32_t entries);

/* The peer's record in this shard; NULL when unknown or owned by another shard. */
struct dpt_node *stack_node_find(const struct dpt_stack *stack, struct dpt_node_addr addr);
struct dpt_node *
stack_node_add(struct dpt_stack *stack, const struct dpt_node_cfg *cfg, uint64_t now_ns);
void stack_node_del(struct dpt_stack *stack, struct dpt_node_addr addr);
struct dpt_node *stack_node_at(const struct dpt_stack *stack, uint32_t slot);
struct stack_node *stack_node_slot(const struct dpt_stack *stack, uint32_t slot);
struct stack_node *stack_node_slot_of(struct dpt_node *node);

struct stack_contact *stack_contact_find(struct dpt_stack *stack, struct dpt_node_addr addr);
struct stack_contact *stack_contact_add(struct dpt_stack *stack, struct dpt_node_addr addr);
void stack_contact_del(struct dpt_stack *stack, struct dpt_node_addr addr);

/* Shard that owns a peer. */
uint8_t stack_owner(const struct dpt_stack *stack, struct dpt_node_addr addr);

/* ---- stack_shard.c ---- */
/* A struct to a shard, this one included (handled at once). */
void stack_post(struct dpt_stack *stack, uint8_t shard, enum stack_msg_type type, const void *body,
		uint32_t body_bytes, uint64_t now_ns);
void stack_post_all(struct dpt_stack *stack, enum stack_msg_type type, const void *body,
		    uint32_t body_bytes, uint64_t now_ns);
/* A buffer with a TIPC message to a shard, this one included. m is gone. */
void stack_post_buf(struct dpt_stack *stack, uint8_t shard, enum stack_msg_type type,
		    struct rte_mbuf *m, uint64_t now_ns);
void stack_reserve_fill(struct dpt_stack *stack);

/* ---- stack_rx.c ---- */
void stack_frame(struct dpt_stack *stack, uint8_t bearer_id, struct rte_mbuf *m, uint64_t now_ns);

/* A message from a peer, in sequence, unwrapped and checked. m is gone. */
void stack_up(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns);

/* ---- stack_route.c ---- */
/* Message for a port of this node (destport's shard; multicast: all shards). m is gone. */
void stack_local(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns);
/* Data message at the shard that it is meant for. */
void stack_local_here(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns);
/* To a remote node; returns as dpt_node_tx. m is gone. */
int stack_tx(struct dpt_stack *stack, struct rte_mbuf *m, struct dpt_node_addr node,
	     uint32_t selector, uint64_t now_ns);
/* The same for another shard, which is told of the loss of a connection's message. */
void stack_tx_for(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns);
/* At the node's shard: send, and tell the sender of congestion. */
int stack_tx_here(struct dpt_stack *stack, struct rte_mbuf *m, struct dpt_node_addr node,
		  uint32_t selector, uint64_t now_ns);
/* Send on what sockets have routed. Returns the result of the first remote message of port. */
int stack_route(struct dpt_stack *stack, struct dpt_port port, uint64_t now_ns);

/* ---- stack_sock.c ---- */
/* Levels of node have room again: who waited for it may send. */
void stack_sender_lost(struct dpt_stack *stack, struct dpt_port port, uint64_t now_ns);
void stack_room(struct dpt_stack *stack, struct dpt_node_addr node, uint32_t level_mask,
		uint64_t now_ns);

/* ---- stack_peer.c ---- */
void stack_event(struct dpt_stack *stack, const struct dpt_event *event, uint64_t now_ns);
void stack_peer_msg(struct dpt_stack *stack, const struct stack_peer_msg *msg, uint64_t now_ns);
/* The own address, at this shard. */
void stack_own_set(struct dpt_stack *stack, struct dpt_node_addr own, const struct dpt_node_id *id);
/* Delete a peer of this shard; shard 0 has to be told (DPT_EVENT_NODE_GONE). */
void stack_node_forget(struct dpt_stack *stack, struct dpt_node_addr addr);
/* Arm the node's timer anew after a call on it. */
void stack_node_rearm(struct dpt_stack *stack, struct dpt_node *node);

/* ---- stack_bearer.c ---- */
void stack_bearer_msg(struct dpt_stack *stack, const struct dpt_stack_bearer *bearer);
void stack_props_msg(struct dpt_stack *stack, const struct stack_props_msg *msg, uint64_t now_ns);

/* ---- stack_admin.c ---- */
/* At the start of every shard: what the configuration says of address and identity. */
void stack_net_init(struct dpt_stack *stack, uint64_t now_ns);
void stack_net_msg(struct dpt_stack *stack, const struct stack_net_msg *msg);

/* ---- stack_stats.c ---- */
void stack_bcast_init(struct dpt_stack *stack);

/* ---- stack_names.c ---- */
void stack_bind_msg(struct dpt_stack *stack, const struct stack_bind_msg *msg, uint64_t now_ns);
/* Own binding of the stack itself (node state, link state). Shard 0. */
void stack_names_own(struct dpt_stack *stack, uint32_t type, uint32_t instance, uint32_t key,
		     bool is_withdrawal, uint64_t now_ns);
/* The same for any binding. */
void stack_names_binding(struct dpt_stack *stack, const struct dpt_binding *binding,
			 bool is_withdrawal, uint64_t now_ns);
void stack_names_rx(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns);
void stack_names_apply(struct dpt_stack *stack, struct rte_mbuf *m);
/* Send the updates that may go. Shard 0. */
void stack_names_tx(struct dpt_stack *stack, uint64_t now_ns);

/* ---- stack_topology.c: shard 0 ---- */
/* Subscriptions that the shard's table makes room for; 0 but for shard 0. */
uint32_t stack_topology_subs_max(const struct dpt_stack_cfg *cfg);
size_t stack_topology_size(const struct dpt_stack_cfg *cfg);
void stack_topology_init(struct dpt_stack *stack, struct dpt_topo *topo, uint64_t now_ns);
void stack_topology_start(struct dpt_stack *stack, uint64_t now_ns);
/* Serve the connections that have something to do. Any shard; false: none had. */
bool stack_topology_run(struct dpt_stack *stack, uint64_t now_ns);
void stack_topology_timeout(struct dpt_stack *stack, uint64_t now_ns);
uint64_t stack_topology_deadline_ns(const struct dpt_stack *stack);

/* ---- stack_barrier.c: shard 0 ---- */
bool stack_barrier_has_room(const struct dpt_stack *stack);
/* A bind waits for this update. */
void stack_barrier_add(struct dpt_stack *stack, uint32_t update);
/* The update was given to the broadcast link. */
void stack_barrier_bcast(struct dpt_stack *stack, uint32_t update);
/* It goes by unicast: are its copies to be marked? */
bool stack_barrier_unicast(struct dpt_stack *stack, uint32_t update);
void stack_barrier_mark(struct stack_contact *contact, struct rte_mbuf *copy, uint32_t update);
/* DPT_EVENT_BULK_ACKED with this cookie. */
void stack_barrier_acked(struct stack_contact *contact, uint64_t cookie);
void stack_barrier_applied(struct dpt_stack *stack, const struct stack_bind_msg *msg);
/* Answer what is done. false: nothing was. */
bool stack_barrier_run(struct dpt_stack *stack, uint64_t now_ns);
/* Something is done that was not answered for lack of room. */
bool stack_barrier_is_due(const struct dpt_stack *stack);

/* ---- stack.c ---- */
/* Handle everything in work until nothing is left for this shard. */
void stack_drain(struct dpt_stack *stack, uint64_t now_ns);
/* Hand outputs to the caller: the end of each public call. */
void stack_flush(struct dpt_stack *stack, struct dpt_out *out);
/* An event for control. */
void stack_ctl(struct dpt_stack *stack, const struct dpt_event *event);

#endif /* DPT_STACK_PRIV_H */
