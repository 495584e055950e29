/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_LINK_H
#define DPT_LINK_H

/*
 * One link endpoint: 03-link-node.md, 3 to 14, 19, 20. Establishment, sessions,
 * supervision, sequence, acknowledgement with gap blocks, retransmission, window, backlog by
 * importance, fragments, bundles, tunnels for another link. Owned by its node.
 *
 * Two rings hold packets by sequence number (index = seqno modulo the ring's size), so
 * neither sending, acknowledging nor deferring walks a list:
 *
 *   send ring   | acked | sent, not acked (may have holes) |  free   |
 *                        ^ first unacked                    ^ snd_nxt
 *   defer ring  | given up | missing / deferred |
 *                           ^ rcv_nxt
 *
 * Not here: which link a message takes, node states (lib/node).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_env.h"
#include "dpt_limits.h"
#include "dpt_records.h"
#include "link_counters.h"

/* Link states. Src: 03-link-node.md, 5. */
enum dpt_link_state {
	DPT_LINK_RESETTING = 0,
	DPT_LINK_RESET = 1,
	DPT_LINK_PEER_RESET = 2,
	DPT_LINK_ESTABLISHING = 3,
	DPT_LINK_ESTABLISHED = 4,
	DPT_LINK_SYNCHING = 5,
	DPT_LINK_FAILINGOVER = 6,
};
const char *dpt_link_state_name(enum dpt_link_state state);

/*
 * What the broadcast layer wants said in this peer's LINK_PROTOCOL messages and packets.
 * One per node; the broadcast receive link and the node write it, links read it.
 */
struct dpt_bcast_view {
	bool is_up;	     /* receive link synchronised: redundant_link, not bc_ack_invalid */
	uint16_t ack;	     /* rcv_nxt - 1 of the peer's stream */
	uint16_t gap;	     /* bc_gap, 0 .. 1023 */
	uint16_t last_bcast; /* last number of our own stream */
	bool is_ack_due;     /* received and not acknowledged: the link timer sends a STATE */
	bool is_unacked;     /* the peer has not acknowledged all of ours: the same */
	uint8_t blocks_cnt;
	struct dpt_gap_block blocks[DPT_GAP_BLOCKS_MAX];
};

/* Reassembly of fragments: 01-wire-format.md, 8.2. Shared with the broadcast receive link. */
struct dpt_reassembly {
	struct rte_mbuf *head; /* chain collected so far, NULL when empty */
	struct rte_mbuf *tail; /* last segment of that chain */
	uint32_t bytes;
	uint32_t size;	    /* size field of the inner message */
	uint16_t piece_no;  /* of a tunnelled packet: the last piece's number ... */
	uint16_t piece_cnt; /* ... of so many */
};

/*
 * Add a fragment (a checked FRAGMENTER message). m is gone: it becomes the context, or
 * part of it. Returns 1 and *msg = the whole, checked message (place REASSEMBLED);
 * 0: more to come; -EPROTO: out of order, malformed or too large: context and fragment
 * are freed, and *drops grows by one for each of them that there was.
 * Cost: no copy, but where a fragment fits behind the previous one, which bounds the
 * number of segments whatever the fragments' size (01-wire-format.md, hazard 6).
 */
int dpt_reassembly_add(struct dpt_reassembly *ra, struct rte_mbuf *m, struct rte_mbuf **msg,
		       uint64_t *drops);
/* Free what was collected. Returns how many buffers (messages) that were: 0 or 1. */
uint32_t dpt_reassembly_reset(struct dpt_reassembly *ra);

/*
 * Cut m into FRAGMENTER packets of at most mss octets (headers included), appended to q:
 * one segment each, as large as mss and one buffer of the pool allow. m is gone. own,
 * dest: for the fragment headers. Returns 0, or -ENOBUFS: nothing was appended, m does
 * not count anywhere yet. Src: 01-wire-format.md, 7.4, 8.2.
 */
int dpt_link_fragment(struct rte_mbuf *m, uint32_t mss, struct dpt_node_addr own,
		      struct dpt_node_addr dest, struct rte_mempool *pool, struct dpt_bufq *q);

/* A link to create or renew: what discovery found and the bearer's properties. */
struct dpt_link_setup {
	uint8_t bearer_id;     /* 0 .. DPT_BEARERS_MAX - 1 */
	uint8_t priority;      /* 1 .. 31 */
	uint16_t tolerance_ms; /* 50 .. 30000; own minimum may be lower between dptipc nodes */
	uint16_t mtu;	       /* the bearer's, octets of TIPC */
	uint16_t window_min;   /* packets */
	uint16_t window_max;   /* packets, at most ring_pkts */
	bool is_reset;	       /* take a link that is there down first (new media address) */
	char if_name[DPT_IF_NAME_BYTES]; /* own interface name, sent to the peer */
	struct dpt_maddr dst;
};

/* New values for a link that is there; 0: as it was. The caller has checked the ranges. */
struct dpt_link_props {
	uint16_t tolerance_ms;
	uint16_t window_max; /* packets, window_min .. ring */
	uint16_t mtu;	     /* octets, DPT_LINK_MTU_MIN .. the bearer's */
	uint8_t priority;    /* 1 .. 31 */
};

/*
 * dpt_buf.flags of a message given to dpt_node_tx: DPT_EVENT_BULK_ACKED follows when the
 * peer has acknowledged it and all before it, with its dpt_buf.cookie. One at a time: the
 * event of an earlier one that is not acknowledged yet does not come any more.
 */
#define DPT_BUF_F_BULK_END 0x02

/*
 * dpt_buf.flags of a message that dpt_link_rx hands over: it came out of a failover tunnel,
 * so it is older than what its own link has received. All others have no flags.
 */
#define DPT_BUF_F_TUNNELLED 0x04

/* Snapshot for dumps. */
struct dpt_link_info {
	char name[DPT_LINK_NAME_BYTES];
	enum dpt_link_state state;
	bool is_up;
	bool is_active; /* set by the node */
	uint8_t bearer_id;
	uint8_t priority;
	char net_plane;
	uint16_t tolerance_ms;
	uint16_t mtu;
	uint16_t window;
	enum dpt_down_reason last_down;
	struct dpt_maddr dst;		 /* the peer's media address */
	const struct dpt_flight *flight; /* its recorder, NULL: none */
	struct dpt_link_counters counters;
};

/* The rest of the link's interface serves lib/node only: dpt_link_ops.h. */

#endif /* DPT_LINK_H */
