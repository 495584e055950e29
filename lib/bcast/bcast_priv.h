/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_BCAST_PRIV_H
#define DPT_BCAST_PRIV_H

/*
 * The send link in the caller's memory:
 *
 *   struct dpt_bcast_snd | peers[peers_max] | slots by address | need[ring][words]
 *
 * need is a bit matrix: bit p of row (seqno modulo ring) says that peer p has still to
 * acknowledge that packet, so a peer decreases a packet's count exactly once, however its
 * reports overlap.
 */

#include "dpt_bcast.h"
#include "dpt_time.h"

/*
 * Slots by seqno, a power of two: at most so far does snd_nxt run ahead of the first packet
 * that a peer lacks. As many as our receivers defer; the window counts packets, not
 * this distance (acknowledged packets behind a gap leave it).
 */
#define SND_RING_PKTS DPT_BCAST_DEFER_PKTS
#define SND_RING_MASK (SND_RING_PKTS - 1)

/* MTU before bearers shrink it. Src: 01-wire-format.md, 14: the kernel's, x86-64. */
#define SND_MTU_MAX 3520
/* Room for a tunnel header and for encryption. Src: 06-broadcast.md, 4.2. */
#define SND_OVERHEAD_BYTES (40 + 32)
/* Smallest mtu that leaves a packet worth sending: a bearer's least, 02-discovery.md, 7.1. */
#define SND_MTU_MIN (100 + SND_OVERHEAD_BYTES)

/* Tolerances without a moved acknowledgement: 06-broadcast.md, 7. */
#define SND_STALL_TOLERANCES 10

enum bcast_trace {
	BCAST_TRACE_STALLED = 1,    /* node: peer; arg16: its acked; arg0: last sent */
	BCAST_TRACE_BAD_REPORT = 2, /* node: peer; arg16: bcast_ack; arg0: last sent */
	BCAST_TRACE_RESET = 3,	    /* node: the last peer; arg16: last sent */
};

struct snd_pkt {
	struct rte_mbuf *m; /* our reference; NULL: released */
	uint64_t sent_ns;   /* first transmission */
	uint64_t next_ns;   /* earliest retransmission */
	uint32_t missing;   /* peers that have not acknowledged: bits set in need */
};

struct snd_peer {
	struct dpt_node_addr addr; /* 0: free */
	uint16_t acked;
	uint16_t tolerance_ms;
	bool has_blocks;    /* GAP_ACK_BLOCK: its reports begin with a record */
	uint64_t moved_ns;  /* acked moved, or the last verdict */
	uint32_t next_free; /* index + 1, 0: none */
};

struct snd_slot {
	uint32_t hash;
	uint32_t ref; /* index of the peer + 1, 0: empty */
};

struct snd_dest {
	uint32_t links_cnt;
	uint16_t mtu;
	uint8_t media;
	bool has_bcast;
};

struct dpt_bcast_snd {
	struct dpt_env env;
	struct dpt_bcast_counters *counters;
	struct dpt_bcast_counters stats_base; /* as they were at the last reset */
	struct dpt_node_addr own;
	uint32_t net_id;
	uint16_t snd_nxt;
	uint16_t una;	      /* first packet that is not released */
	uint32_t unacked_cnt; /* packets that are not released */
	uint64_t done_cnt;    /* packets before una, and those that a reset gave up */
	uint32_t mtu;
	uint32_t mtu_max; /* SND_MTU_MAX, or what a buffer of the pool holds */
	uint32_t bearers; /* bit mask: send over these */
	struct snd_dest dests[DPT_BEARERS_MAX];
	struct snd_pkt pkts[SND_RING_PKTS];
	struct dpt_bufq backlog;
	uint32_t backlog_cnt[DPT_IMPORTANCE_CNT];
	uint64_t stall_ns; /* next look for stalled peers */
	uint16_t tolerance_min_ms;
	uint32_t peers_max;
	uint32_t peers_cnt;
	uint32_t peers_free; /* index + 1 */
	uint32_t slots_mask;
	uint32_t words; /* per row of need */
	uint64_t hash_key;
	struct snd_peer *peers;
	struct snd_slot *slots;
	uint64_t *need;	 /* [SND_RING_PKTS][words] */
	uint64_t *added; /* [words]: peers that are there */
};

/* bcast_peers.c */
uint32_t snd_slots_cnt(uint32_t peers_max);
void snd_peers_init(struct dpt_bcast_snd *snd);
struct snd_peer *snd_peer_find(const struct dpt_bcast_snd *snd, struct dpt_node_addr addr);
/* NULL: no room. */
struct snd_peer *snd_peer_create(struct dpt_bcast_snd *snd, struct dpt_node_addr addr);
void snd_peer_free(struct dpt_bcast_snd *snd, struct snd_peer *peer);

static inline uint32_t
snd_peer_idx(const struct dpt_bcast_snd *snd, const struct snd_peer *peer)
{
	return (uint32_t)(peer - snd->peers);
}

static inline uint16_t
snd_last(const struct dpt_bcast_snd *snd)
{
	return (uint16_t)(snd->snd_nxt - 1);
}

/* bcast_snd.c */
/* The peer has packet seqno: counted once. Returns whether it had not before. */
bool snd_pkt_acked(struct dpt_bcast_snd *snd, uint32_t peer_idx, uint16_t seqno);
bool snd_pkt_is_needed(const struct dpt_bcast_snd *snd, uint32_t peer_idx, uint16_t seqno);
void
snd_pkt_retransmit(struct dpt_bcast_snd *snd, uint16_t seqno, uint64_t now_ns, struct dpt_out *out);
/* Move the window over released packets and fill it from the backlog. */
void snd_advance(struct dpt_bcast_snd *snd, uint64_t now_ns, struct dpt_out *out);

static inline void
snd_trace(struct dpt_bcast_snd *snd, uint64_t now_ns, enum bcast_trace rec, uint16_t arg16,
	  struct dpt_node_addr node)
{
	dpt_trace_add(snd->env.trace, now_ns, DPT_TRACE_KIND(DPT_TRACE_BCAST, rec), arg16,
		      node.value, snd_last(snd), 0);
}

#endif /* DPT_BCAST_PRIV_H */
