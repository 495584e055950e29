/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NODE_H
#define DPT_NODE_H

/*
 * A peer node: its state, its one or two links, its end of the peer's broadcast stream.
 * 03-link-node.md, 15 to 22. Owned by one shard, which alone calls these functions.
 *
 *   frames of the peer --> dpt_node_rx --> filter by node state --> link --> out->up
 *                                                \--> broadcast receive link --/
 *   dpt_node_tx --> link (window, backlog, fragments) --> out->tx
 *
 * Opening of contact. When the first link is up the node says DPT_EVENT_NODE_UP and
 * sends a STATE, but takes no messages yet: dpt_node_tx says -EHOSTUNREACH. The stack
 * adds the peer to the broadcast send link and answers with dpt_node_open(), whose
 * broadcast init is the first sequenced packet, then hands in the name table bulk
 * through dpt_node_tx like any message.
 *
 * Not here: discovery (lib/discovery), the broadcast send link (lib/bcast), who is
 * told what of a node that went down (lib/stack).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_bcast.h"
#include "dpt_env.h"
#include "dpt_link.h"
#include "node_counters.h"

struct dpt_node_cfg {
	struct dpt_env env;
	struct dpt_node_addr own;
	struct dpt_node_addr peer;
	struct dpt_node_id id;	   /* the peer's */
	struct dpt_node_id own_id; /* for link names; zero: named by the address */
	uint32_t net_id;
	uint16_t caps;	    /* the peer's, enum dpt_caps */
	uint16_t ring_pkts; /* capacity of a link's send and receive rings, power of two */
	uint64_t expiry_ns; /* life after loss of contact. Src: 03-link-node.md, 1: 300 s */
	struct dpt_link_counters *link_counters; /* the shard's sums, written by its owner */
	struct dpt_node_counters *node_counters;
	struct dpt_bcast_counters *bcast_counters;
};

/* Node states. Src: 03-link-node.md, 15.2. */
enum dpt_node_state {
	DPT_NODE_DOWN_DOWN = 0,
	DPT_NODE_UP_COMING = 1,
	DPT_NODE_COMING_UP = 2,
	DPT_NODE_UP_UP = 3,
	DPT_NODE_DOWN_LEAVING = 4,
	DPT_NODE_LEAVING_DOWN = 5,
	DPT_NODE_FAILINGOVER = 6,
	DPT_NODE_SYNCHING = 7,
};
const char *dpt_node_state_name(enum dpt_node_state state);
/* Name of an event of the node's state machine, by number; "unknown" past the last. */
const char *dpt_node_event_name(unsigned int event);

struct dpt_node;

/* Octets that a node needs with this configuration (64-octet alignment). init. */
size_t dpt_node_size(const struct dpt_node_cfg *cfg);

/* A record in state DOWN_LEAVING without links, expiring at now_ns + expiry_ns. */
void dpt_node_init(struct dpt_node *node, const struct dpt_node_cfg *cfg, uint64_t now_ns);

/* Free every buffer that the node holds. Says nothing to the peer. */
void dpt_node_fini(struct dpt_node *node);

/*
 * Discovery accepted the peer on a bearer (DPT_EVENT_LINK_SETUP): 02-discovery.md, 4.5
 * "accept" and "reset". Creates the link or renews its destination. Returns 0, or
 * -ENOSPC: the node has its two links already.
 * The first RESET goes out at once (03-link-node.md, 6.4).
 */
int dpt_node_link_setup(struct dpt_node *node, const struct dpt_link_setup *setup, uint64_t now_ns,
			struct dpt_out *out);

/* The peer announced other capabilities. Taken into use at the next reset of a link. */
void dpt_node_caps_set(struct dpt_node *node, uint16_t caps);

/*
 * One frame from the peer (prevnode = peer), accepted by dpt_msg_check_buf, which came
 * in on bearer_id. Sequenced, LINK_PROTOCOL, or non_seq (broadcast stream). m is gone.
 * Appends: up to 2 + deferred and held packets to out->up, replies and drained backlog to
 * out->tx, a STATE to out->bcast, at most 10 events (a frame that takes both links down).
 */
void dpt_node_rx(struct dpt_node *node, uint8_t bearer_id, struct rte_mbuf *m, uint64_t now_ns,
		 struct dpt_out *out);

/*
 * Open the contact after NODE_UP: send the BCAST_PROTOCOL init with last_bcast as packet 1.
 * Ignored if the node has gone down meanwhile or is open.
 */
void
dpt_node_open(struct dpt_node *node, uint16_t last_bcast, uint64_t now_ns, struct dpt_out *out);

/* The broadcast send link's last number now; goes into LINK_PROTOCOL messages. */
void dpt_node_last_bcast_set(struct dpt_node *node, uint16_t last_bcast);

/*
 * Send one message (complete header, up to DPT_MSG_BYTES_MAX, any number of segments);
 * fragmented where it does not fit. selector chooses between two active links.
 * Returns
 *   0               accepted
 *   1               accepted, but its importance level is full now: its source must not
 *                   send to this node again before DPT_EVENT_LINK_ROOM names the level
 *   -EHOSTUNREACH   no link, or contact not open
 *   -EMSGSIZE       larger than DPT_MSG_BYTES_MAX
 *   -ENOBUFS        no buffers for fragments, or system backlog full (a system message: the
 *                   contact is reset)
 * m is gone in every case; a refused one is counted.
 */
int dpt_node_tx(struct dpt_node *node, struct rte_mbuf *m, uint32_t selector, uint64_t now_ns,
		struct dpt_out *out);

/*
 * The bearer was disabled, lost its carrier or changed: 03-link-node.md, 17.2, 22. Takes
 * its link down and deletes it. RESET with peer_stopping goes out if it was the last, else
 * its traffic goes on over the other one.
 */
void dpt_node_bearer_down(struct dpt_node *node, uint8_t bearer_id, enum dpt_down_reason reason,
			  uint64_t now_ns, struct dpt_out *out);

/*
 * New properties of the link on bearer_id (dpt_link_props_set). Links are chosen anew by
 * priority when it comes up again. Returns 0 or -ENOENT.
 */
int
dpt_node_link_props_set(struct dpt_node *node, uint8_t bearer_id,
			const struct dpt_link_props *props, uint64_t now_ns, struct dpt_out *out);

/* Take all links down with this reason; they are established again. For the broadcast
 * send link's verdict (06-broadcast.md, 7) and administration. */
void dpt_node_reset(struct dpt_node *node, enum dpt_down_reason reason, uint64_t now_ns,
		    struct dpt_out *out);

/* Node timer, 03-link-node.md, 18.1. At most 10 events. */
void dpt_node_timeout(struct dpt_node *node, uint64_t now_ns, struct dpt_out *out);
uint64_t dpt_node_deadline_ns(const struct dpt_node *node);

struct dpt_node_addr dpt_node_peer(const struct dpt_node *node);
const struct dpt_node_id *dpt_node_id_get(const struct dpt_node *node);
uint16_t dpt_node_caps(const struct dpt_node *node);
enum dpt_node_state dpt_node_state(const struct dpt_node *node);

/* There is an active link and the contact is open: messages are accepted. */
bool dpt_node_is_open(const struct dpt_node *node);

/* The node has a link on this bearer (any state). */
bool dpt_node_has_link(const struct dpt_node *node, uint8_t bearer_id);

/*
 * Copy the link on bearer_id out for dumps: name, state, counters. is_active: messages take it,
 * which is never so while it is down. Returns 0 or -ENOENT.
 */
int dpt_node_link_info(const struct dpt_node *node, uint8_t bearer_id, struct dpt_link_info *info);

/*
 * Administration: node_admin.c. Statistics of a link from 0 on. Returns 0 or -ENOENT.
 */
int dpt_node_link_stats_reset(struct dpt_node *node, uint8_t bearer_id);
/* Statistics of the peer's broadcast stream: rx_ and drop_ counters of one contact, or since the
 * reset. */
const struct dpt_bcast_counters *dpt_node_bcast_stats(const struct dpt_node *node);
void dpt_node_bcast_stats_reset(struct dpt_node *node);
/* The peer is down at both ends, or leaving: the record may go. Src: 13-netlink.md, 5.20. */
bool dpt_node_is_removable(const struct dpt_node *node);

/* One line of state, for logs and tests. Returns length as snprintf. */
int dpt_node_print(const struct dpt_node *node, char *text, size_t text_size);

#endif /* DPT_NODE_H */
