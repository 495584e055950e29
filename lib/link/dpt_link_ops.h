/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_LINK_OPS_H
#define DPT_LINK_OPS_H

/*
 * What a node does with its links. A link changes its own state only by what it
 * receives and by its timer; it reports "up" and "down" to the node in the returned
 * bits, and the node then drives it on with dpt_link_event (03-link-node.md, 17).
 *
 * All functions: caller: owner (the node's shard). No function fails for want of
 * buffers unless it says so: what could not be sent is counted, and the protocol's
 * own timers repeat it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_link.h"

struct dpt_link;

struct dpt_link_cfg {
	struct dpt_env env;
	struct dpt_node_addr own;
	struct dpt_node_addr peer;
	struct dpt_node_id own_id; /* zero: the link's name shows the address */
	struct dpt_node_id peer_id;
	uint16_t caps;			   /* the peer's */
	uint16_t ring_pkts;		   /* capacity of both rings, power of two, at most 8192 */
	const struct dpt_bcast_view *view; /* read whenever something is sent */
	struct dpt_link_counters *sums;	   /* the shard's */
};

/* Largest ring that is of use: the receive window and the packet expected next. */
#define DPT_LINK_RING_PKTS_MAX 8192

/* Events of the link's state machine. Src: 03-link-node.md, 5. */
enum dpt_link_event {
	DPT_LINK_EV_ESTABLISH = 0,
	DPT_LINK_EV_PEER_RESET = 1,
	DPT_LINK_EV_FAILURE = 2,
	DPT_LINK_EV_RESET = 3,
	DPT_LINK_EV_FAILOVER_BEGIN = 4,
	DPT_LINK_EV_FAILOVER_END = 5,
	DPT_LINK_EV_SYNCH_BEGIN = 6,
	DPT_LINK_EV_SYNCH_END = 7,
};
#define DPT_LINK_EVENT_CNT 8
const char *dpt_link_event_name(enum dpt_link_event event);
#define DPT_LINK_STATE_CNT 7

/* Bits returned: what the node has to do next. */
enum dpt_link_result {
	DPT_LINK_R_UP = 1 << 0,		/* perform link up. Src: 03-link-node.md, 17.1 */
	DPT_LINK_R_DOWN = 1 << 1,	/* perform link down. Src: same, 17.2 */
	DPT_LINK_R_ACCEPTED = 1 << 2,	/* the packet was within the window: its bcast_ack counts */
	DPT_LINK_R_STATE_SENT = 1 << 3, /* a STATE was sent already */
};

/* Octets for a link with its three rings (a multiple of 64). init. */
size_t dpt_link_size(uint16_t ring_pkts);

/*
 * A link in state RESET with a random session number. setup: is_reset is not looked at;
 * window_max is clamped to the rings. Src: 03-link-node.md, 3.1.
 */
void dpt_link_init(struct dpt_link *link, const struct dpt_link_cfg *cfg,
		   const struct dpt_link_setup *setup, uint64_t now_ns);

/* Free every buffer held, counted as for a link that goes down. */
void dpt_link_fini(struct dpt_link *link, uint64_t now_ns);

/*
 * Clean up after the contact: 03-link-node.md, 3.4. The state is changed by events, not
 * here. Congested levels are reported free: at most one DPT_EVENT_LINK_ROOM.
 */
void dpt_link_reset(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out);

/* Feed an event to the state machine. Returns DPT_LINK_R_DOWN or 0. */
uint32_t dpt_link_event(struct dpt_link *link, enum dpt_link_event event, uint64_t now_ns);

/* Why the link goes down: remembered for dumps. Called before the event. */
void dpt_link_reason_set(struct dpt_link *link, enum dpt_down_reason reason);

/* New media address of the peer. */
void dpt_link_dst_set(struct dpt_link *link, const struct dpt_maddr *dst);

/* The peer's capabilities: at once while the link is down, else at its next reset (hazard 30). */
void dpt_link_caps_set(struct dpt_link *link, uint16_t caps);

/*
 * A sequenced packet of the peer (any user but LINK_PROTOCOL). m is gone. Messages that
 * are in sequence now are appended to in, unwrapped: users 0 to 3, 5, 8, 9, 11; not more
 * than 1 + what was deferred (here, and of the link that this one is the tunnel for), times
 * what a bundle holds. To out: a STATE per 16 packets
 * accepted, packets of the backlog, at most one DPT_EVENT_LINK_ROOM.
 * Returns bits of enum dpt_link_result. Src: 03-link-node.md, 13.
 */
uint32_t dpt_link_rx(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns,
		     struct dpt_bufq *in, struct dpt_out *out);

/*
 * Would the session check let this LINK_PROTOCOL message pass? Nothing is changed.
 * Src: 03-link-node.md, 4.
 */
bool dpt_link_session_ok(const struct dpt_link *link, const uint8_t *hdr);

/*
 * First look at a LINK_PROTOCOL message: the conditions that make it ignored as a whole
 * (03-link-node.md, 6.3 steps 1 to 5, 7.2 step 1). hdr: the message, head_bytes of it in
 * one segment. false: it is to be dropped, and has been counted as a drop.
 */
bool dpt_link_proto_check(struct dpt_link *link, const uint8_t *hdr, uint32_t head_bytes,
			  uint64_t now_ns);

/*
 * Then, what it says. A STATE is answered, packets are released and sent again, the
 * backlog is drained: at most the send ring's content to out->tx, one DPT_EVENT_LINK_ROOM.
 * hdr stays the caller's. Returns bits of enum dpt_link_result.
 * Src: 03-link-node.md, 6.3, 7.2.
 */
uint32_t
dpt_link_proto_rx(struct dpt_link *link, const uint8_t *hdr, uint64_t now_ns, struct dpt_out *out);

/*
 * Send a plain STATE; nothing happens when the link is not up. Returns
 * DPT_LINK_R_STATE_SENT or 0. Src: 03-link-node.md, 7.1.
 */
uint32_t dpt_link_state_tx(struct dpt_link *link, struct dpt_out *out);

/*
 * The same as an answer to a STATE: not more of them in one interval than replies to probes.
 * Two ends that both miss broadcasts would answer each other's answers without end.
 */
uint32_t dpt_link_state_answer(struct dpt_link *link, struct dpt_out *out);

/*
 * Send what the state calls for: RESET in state RESET, ACTIVATE in ESTABLISHING, else
 * nothing. is_stopping: sets peer_stopping in a RESET. Src: 03-link-node.md, 6.1.
 */
void dpt_link_reset_tx(struct dpt_link *link, bool is_stopping, struct dpt_out *out);

/*
 * Send one message, in fragments where it does not fit; destnode of fragments: the
 * message's own, or the peer. m is gone. Returns 0; 1: accepted, but its level was full
 * already, its source must wait for DPT_EVENT_LINK_ROOM; -ENOBUFS: refused and counted
 * (pool empty; or level SYSTEM full: then the link has to be taken down, and as a lost
 * system message cannot be repeated by anybody, for either cause).
 * Only for a link that is up. Src: 03-link-node.md, 11.2.
 */
int dpt_link_tx(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out);

/*
 * Level SYSTEM is half full: what is left is for messages that must not be lost, so that returned
 * messages cannot take the link down. Src: 09-socket-api.md, hazard 10.
 */
bool dpt_link_is_system_scarce(const struct dpt_link *link);

/*
 * Change properties at once. Tolerance and priority are announced to the peer in one STATE
 * each when the link is up (03-link-node.md, 9: the peer adopts them, and resets the link
 * when the priority is another); a window starts anew from its minimum. Returns
 * DPT_LINK_R_STATE_SENT or 0.
 */
uint32_t
dpt_link_props_set(struct dpt_link *link, const struct dpt_link_props *props, struct dpt_out *out);

/* ---- tunnels: what one link does for the other one to the same peer ----
 *
 * failed, first: the other link. Both belong to one node, so nothing is shared. A tunnelled
 * packet is the original buffer with a header put in front of it where nobody else holds
 * it, else a copy.
 */

/*
 * Send all that failed has sent without confirmation, then its backlog, then a dummy, on
 * tunnel, wrapped; tunnel's own limits by importance do not count. tunnel takes over what
 * failed was about to receive: drop point, deferred packets, reassembly. failed keeps
 * nothing but its state; the caller resets it. Returns 0, or without having sent anything
 * -ENOBUFS (no buffer) or -EMSGSIZE (a packet does not fit into tunnel, and the peer knows
 * no fragments of tunnel packets): what was sent on failed is lost, so the caller takes
 * tunnel down as well. Src: 03-link-node.md, 19.2 step 3.
 */
int dpt_link_failover(struct dpt_link *failed, struct dpt_link *tunnel, uint64_t now_ns,
		      struct dpt_out *out);

/*
 * The peer fails over from a link that was not up here: the one dummy that lets it go on.
 * Drop point 1. Returns 0 or -ENOBUFS. Src: 03-link-node.md, 19.5 steps 3, 4.
 */
int dpt_link_failover_half(struct dpt_link *tunnel, uint64_t now_ns, struct dpt_out *out);

/* The failover that tunnel served is over: free (and count) what still waits for a gap. */
void dpt_link_failover_end(struct dpt_link *tunnel, uint64_t now_ns);

/*
 * link has come up beside first: its first packet tells the peer how far first was. Returns
 * 0, -ENOBUFS or -EMSGSIZE as dpt_link_failover. Src: 03-link-node.md, 20.2 (both forms, by
 * the peer's capability TUNNEL_ENHANCED).
 */
int
dpt_link_synch(struct dpt_link *link, struct dpt_link *first, uint64_t now_ns, struct dpt_out *out);

/*
 * In state SYNCHING: keep a sequenced packet until dpt_link_unhold, instead of dropping it
 * as the kernel does: acknowledged like any packet that waits for a gap, delivered after
 * those of the other link. m is gone. Returns as dpt_link_rx. Src: 03-link-node.md, 20.4.
 */
uint32_t
dpt_link_hold(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out);

/* After SYNCH_END: deliver what was held and is in sequence. As dpt_link_rx. */
uint32_t
dpt_link_unhold(struct dpt_link *link, uint64_t now_ns, struct dpt_bufq *in, struct dpt_out *out);

/* Next number expected; next to be sent, the backlog included. */
uint16_t dpt_link_rcv_nxt(const struct dpt_link *link);
uint16_t dpt_link_snd_end(const struct dpt_link *link);
/* While a failover is received: inner number expected next (drop_point). */
uint16_t dpt_link_drop_point(const struct dpt_link *link);
uint8_t dpt_link_priority(const struct dpt_link *link);
uint16_t dpt_link_tolerance_ms(const struct dpt_link *link);
uint16_t dpt_link_caps(const struct dpt_link *link);

/*
 * Supervision, once per node timer interval. interval_ms: that interval.
 * To out: one LINK_PROTOCOL message. Returns bits DPT_LINK_R_DOWN, _STATE_SENT. Src:
 * 03-link-node.md, 8.
 */
uint32_t
dpt_link_timeout(struct dpt_link *link, uint16_t interval_ms, uint64_t now_ns, struct dpt_out *out);

/*
 * Between two intervals, when the peer is silent: the next urgent probe, or the moment at
 * which it counts as lost; of a link that is down and kept so for a moment (hazards 23, 29):
 * when it may come up, if the peer is ready. DPT_NEVER_NS: nothing.
 */
uint64_t dpt_link_deadline_ns(const struct dpt_link *link);
/* At that time. To out: one STATE or ACTIVATE. Returns bits DPT_LINK_R_DOWN, _UP, _STATE_SENT. */
uint32_t dpt_link_supervise(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out);

/* The interval that this link asks for, ms, at least 1. Src: 03-link-node.md, 8. */
uint16_t dpt_link_interval_ms(const struct dpt_link *link);

/* The link's flight recorder, NULL: none; for what its node has to record. */
struct dpt_flight *dpt_link_flight(const struct dpt_link *link);

enum dpt_link_state dpt_link_state(const struct dpt_link *link);
bool dpt_link_is_up(const struct dpt_link *link);
/* RESET, ESTABLISHING or FAILINGOVER. */
bool dpt_link_is_reset(const struct dpt_link *link);
uint8_t dpt_link_bearer_id(const struct dpt_link *link);
enum dpt_down_reason dpt_link_last_down(const struct dpt_link *link);

/* (peer_bearer_id << 16) | bearer_id. Src: 03-link-node.md, 3.3. */
uint32_t dpt_link_identity(const struct dpt_link *link);

/* Packet size that messages are cut to: link MTU - 72. Src: 01-wire-format.md, 14. */
uint16_t dpt_link_mss(const struct dpt_link *link);

/* Statistics from 0 on, as after a reset; the shard's sums stay. Src: 11-management.md, C5. */
void dpt_link_stats_reset(struct dpt_link *link);

/* Copy out for dumps; is_active is left false. */
void dpt_link_info_get(const struct dpt_link *link, struct dpt_link_info *info);

/* One line of state. Returns length as snprintf. */
int dpt_link_print(const struct dpt_link *link, char *text, size_t text_size);

#endif /* DPT_LINK_OPS_H */
