/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_BCAST_H
#define DPT_BCAST_H

/*
 * The broadcast link, 06-broadcast.md. Two objects:
 *
 *   dpt_bcast_rcv  receiving end of one peer's stream; lives in the peer's node, owned by
 *                  the peer's shard
 *   dpt_bcast_snd  this node's own stream to all peers; owned by shard 0
 *
 * Reports on our own stream arrive at the peers' shards, inside unicast STATE messages
 * and in the bcast_ack of each packet. The node passes them on, when the receive link is
 * open (peer_open), as out->bcast buffers and DPT_EVENT_BCAST_ACK.
 *
 * Not here: the choice between broadcast and replicast (lib/stack).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bcast_counters.h"
#include "dpt_env.h"
#include "dpt_limits.h"
#include "dpt_link.h" /* struct dpt_bcast_view */
#include "dpt_records.h"

/* Packets that the receive link defers. Src: 06-broadcast.md, 13: a sender never has more
 * than its window of 50 outstanding; a power of two with margin. */
#define DPT_BCAST_DEFER_PKTS 256

/* ---- receiving end ---- */

struct dpt_bcast_rcv {
	struct dpt_env env;
	struct dpt_node_addr own;
	struct dpt_node_addr peer;
	uint32_t net_id;
	uint16_t peer_caps;
	struct dpt_bcast_counters *counters; /* the shard's sums */
	struct dpt_bcast_counters stats; /* the rx_ and drop_ ones of this link; a reset clears */
	/*
	 * What unicast links put into their LINK_PROTOCOL messages and packets: is_up,
	 * ack, gap, blocks, last_bcast. Always current after each call.
	 */
	struct dpt_bcast_view view;
	bool is_up;	   /* synchronised: init or name table message seen */
	bool is_peer_open; /* the peer has confirmed our init: its reports count */
	uint16_t rcv_nxt;
	uint16_t announced_nxt;
	uint16_t rcv_unacked;
	uint16_t defer_cnt;
	uint16_t deferred;	/* buffers in defer[] */
	uint16_t last_ack_seen; /* bcast_ack of the peer that was passed on last */
	struct rte_mbuf *defer[DPT_BCAST_DEFER_PKTS]; /* by seqno modulo */
	struct dpt_reassembly reassembly;
};

void dpt_bcast_rcv_init(struct dpt_bcast_rcv *rcv, const struct dpt_env *env,
			struct dpt_node_addr own, struct dpt_node_addr peer, uint32_t net_id,
			uint16_t peer_caps, struct dpt_bcast_counters *counters);

/* Contact lost: all state as after init; buffers freed. */
void dpt_bcast_rcv_reset(struct dpt_bcast_rcv *rcv);

/* Statistics from 0 on; the sums stay. */
void dpt_bcast_rcv_stats_reset(struct dpt_bcast_rcv *rcv);

/*
 * BCAST_PROTOCOL init arrived as a sequenced packet of an established link. Ignored when
 * up already. Src: 06-broadcast.md, 3.1. hdr stays the caller's.
 */
void dpt_bcast_rcv_sync(struct dpt_bcast_rcv *rcv, const uint8_t *hdr);

/*
 * The own stream's last number: the view announces it, and says is_unacked as long as the
 * peer has not acknowledged it. (Set it with this, not in the view.)
 */
void dpt_bcast_rcv_last_bcast_set(struct dpt_bcast_rcv *rcv, uint16_t last_bcast);

/*
 * A STATE has gone to the peer, for whatever reason: no acknowledgement is due until the
 * next packet. Who sends STATEs must say so, or they go out at each timer tick.
 */
void dpt_bcast_rcv_acked(struct dpt_bcast_rcv *rcv);

/* A NAME_DISTRIBUTOR message came over a unicast link: up, whatever was said before. */
void dpt_bcast_rcv_names_seen(struct dpt_bcast_rcv *rcv);

/*
 * A non_seq frame of the peer (user not LINK_CONFIG). m is gone. In-sequence messages,
 * unbundled and reassembled, go to out->up with non_seq still set in their header or, for
 * inner messages, dpt_buf.flags = DPT_BUF_F_BCAST.
 * Returns true when a STATE should be sent to the peer now (rules 4, 5 of section 5).
 */
bool dpt_bcast_rcv_rx(struct dpt_bcast_rcv *rcv, struct rte_mbuf *m, struct dpt_out *out);

/*
 * A STATE that the unicast link accepted: announcement, 6.3. Returns true when a STATE
 * should be sent back now because of a gap. hdr: the message, whole in one segment.
 */
bool dpt_bcast_rcv_state(struct dpt_bcast_rcv *rcv, const uint8_t *hdr);

/*
 * The bcast_ack of a sequenced unicast packet (not of users 5 and 11 with bc_ack_invalid).
 * Appends DPT_EVENT_BCAST_ACK when it is new and counts.
 */
void dpt_bcast_rcv_ack(struct dpt_bcast_rcv *rcv, uint16_t bcast_ack, struct dpt_out *out);

/* dpt_buf.flags of messages in out->up: came through the peer's broadcast link. */
#define DPT_BUF_F_BCAST 0x01

/* ---- sending end ---- */

/* Unacknowledged packets at most. Src: 06-broadcast.md, 2. */
#define DPT_BCAST_WINDOW_PKTS 50
/* A packet is retransmitted at most once in this time. Src: 06-broadcast.md, 7. */
#define DPT_BCAST_RETRANSMIT_NS (10 * DPT_NS_PER_MS)

struct dpt_bcast_snd;

struct dpt_bcast_snd_cfg {
	struct dpt_env env;
	struct dpt_node_addr own;
	uint32_t net_id;
	uint32_t peers_max;
	struct dpt_bcast_counters *counters;
};

size_t dpt_bcast_snd_size(const struct dpt_bcast_snd_cfg *cfg);
void dpt_bcast_snd_init(struct dpt_bcast_snd *snd, const struct dpt_bcast_snd_cfg *cfg);
void dpt_bcast_snd_fini(struct dpt_bcast_snd *snd);

/* The own address is known (final) now. */
void dpt_bcast_snd_own_set(struct dpt_bcast_snd *snd, struct dpt_node_addr own);

/*
 * The peer's first link is up: from now on each packet needs its acknowledgement.
 * tolerance_ms: for the failure rule. Returns the last number sent, which the init
 * message must carry, -ENOSPC, or -EEXIST (added already).
 */
int32_t dpt_bcast_snd_peer_add(struct dpt_bcast_snd *snd, struct dpt_node_addr peer,
			       uint16_t tolerance_ms, uint64_t now_ns);

/*
 * The peer's capabilities, when they lack GAP_ACK_BLOCK: its reports carry no record then.
 * Until told otherwise a peer is taken to have it. Unknown peers are ignored.
 */
void dpt_bcast_snd_caps_set(struct dpt_bcast_snd *snd, struct dpt_node_addr peer, uint16_t caps);

/* Contact lost: 7.1. Packets that can be sent now go to out->tx. */
void dpt_bcast_snd_peer_del(struct dpt_bcast_snd *snd, struct dpt_node_addr peer, uint64_t now_ns,
			    struct dpt_out *out);

/* Links up over each bearer have changed: choose the bearers to send over, 4.3. */
void dpt_bcast_snd_dest_add(struct dpt_bcast_snd *snd, uint8_t bearer_id, enum dpt_media media,
			    uint16_t mtu, bool has_bcast);
void dpt_bcast_snd_dest_del(struct dpt_bcast_snd *snd, uint8_t bearer_id);

/*
 * Send a message to all peers; fragmented where it does not fit. Returns as dpt_node_tx:
 * 0, 1 (accepted, level full), -ENOBUFS. Without peers it is freed and counts as sent.
 */
int dpt_bcast_snd_tx(struct dpt_bcast_snd *snd, struct rte_mbuf *m, uint64_t now_ns,
		     struct dpt_out *out);

/* A STATE from out->bcast: ack, gap, blocks: 6.4. m is gone. Sends what is due to out->tx. */
void dpt_bcast_snd_report(struct dpt_bcast_snd *snd, struct rte_mbuf *m, uint64_t now_ns,
			  struct dpt_out *out);
/* DPT_EVENT_BCAST_ACK. */
void dpt_bcast_snd_ack(struct dpt_bcast_snd *snd, struct dpt_node_addr peer, uint16_t ack,
		       uint64_t now_ns, struct dpt_out *out);

/*
 * A peer that has not moved its acknowledgement for 10 tolerances although packets are
 * outstanding (section 7), or address 0. The caller resets the links to it and asks again.
 */
struct dpt_node_addr dpt_bcast_snd_stalled(struct dpt_bcast_snd *snd, uint64_t now_ns);
uint64_t dpt_bcast_snd_deadline_ns(const struct dpt_bcast_snd *snd);

uint16_t dpt_bcast_snd_last(const struct dpt_bcast_snd *snd);
/*
 * Packets so far, those that wait included; and of how many, in that order, no peer's
 * acknowledgement is missing: what was given before a call of the first is acknowledged by all
 * that were peers, and still are, when the second has reached it.
 */
uint64_t dpt_bcast_snd_given(const struct dpt_bcast_snd *snd);
uint64_t dpt_bcast_snd_done(const struct dpt_bcast_snd *snd);
uint32_t dpt_bcast_snd_peers_cnt(const struct dpt_bcast_snd *snd);
/* Importance levels that have room (bit mask); for blocked senders. */
uint32_t dpt_bcast_snd_room(const struct dpt_bcast_snd *snd);
/*
 * Statistics of the send link since it was reset last, by dpt_bcast_snd_stats_reset or by the
 * loss of the last peer: the tx_ counters, reports and reports_gap; the others mean nothing.
 */
void dpt_bcast_snd_stats(const struct dpt_bcast_snd *snd, struct dpt_bcast_counters *stats);
void dpt_bcast_snd_stats_reset(struct dpt_bcast_snd *snd);
/* Another network id, while there are no peers. */
void dpt_bcast_snd_net_id_set(struct dpt_bcast_snd *snd, uint32_t net_id);
int dpt_bcast_snd_print(const struct dpt_bcast_snd *snd, char *text, size_t text_size);

#endif /* DPT_BCAST_H */
