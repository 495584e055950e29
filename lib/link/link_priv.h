/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_LINK_PRIV_H
#define DPT_LINK_PRIV_H

#include <stddef.h>

#include "dpt_link_ops.h"
#include "dpt_msg.h"
#include "dpt_seq.h"
#include "dpt_time.h"

/* Explicit acknowledgement after this many packets. Src: 03-link-node.md, 1. */
#define LINK_ACK_PKTS 16
/* NACK at deferred packets 3, 19, 35... Src: same. */
#define LINK_NACK_FIRST 3
#define LINK_NACK_EVERY 16
/* Shortest time between two transmissions of one packet. Src: same. */
#define LINK_RETRANSMIT_NS DPT_NS_PER_MS
/* A packet asked for during this many tolerances is a failure. Src: same. */
#define LINK_FAIL_TOLERANCES 10
/* Floor of the slow start threshold, packets. Src: same. */
#define LINK_SSTHRESH_MIN 300
/* Offset of the number in RESET and ACTIVATE. Src: same. */
#define LINK_PROTO_SEQ_OFFSET 32767
/* Tolerance that a peer may set, ms. Src: same. */
#define LINK_TOLERANCE_MIN_MS 50
#define LINK_TOLERANCE_MAX_MS 30000
#define LINK_INTERVAL_MAX_MS  500
/* RESET at every interval for so long, then at each 16th: 6.1 asks for 5, 6.4 for seconds. */
#define LINK_RESET_EVERY_MS 5000
#define LINK_RESET_SLOW	    16
/* Room for a tunnel or bundle header (40) and encryption (32). Src: 01-wire-format.md, 14. */
#define LINK_MSS_OVERHEAD 72
/*
 * After this many silent expiries probes are sent this often in each interval: under heavy
 * loss four probes in a tolerance are too few to tell a lossy wire from a dead peer. Our choice.
 */
#define LINK_URGENT_SILENT 2
#define LINK_URGENT_PROBES 4
/* Replies to probes and gaps in one timer interval; a correct peer asks once or twice. */
#define LINK_REPLIES_MAX 8
/* Largest seq_gap that is reported: the receive window; the field has 13 bits. */
#define LINK_GAP_MAX DPT_LINK_RCV_WINDOW_PKTS

/* Trace records. arg16, arg0, arg1. */
enum link_trace {
	LINK_TRACE_STATE = DPT_TRACE_KIND(DPT_TRACE_LINK, 1),	   /* event; old; new */
	LINK_TRACE_FAILURE = DPT_TRACE_KIND(DPT_TRACE_LINK, 2),	   /* reason; silent; snd_una */
	LINK_TRACE_RESET = DPT_TRACE_KIND(DPT_TRACE_LINK, 3),	   /* reason; session; lost */
	LINK_TRACE_DROP = DPT_TRACE_KIND(DPT_TRACE_LINK, 4),	   /* counter's index; w0; w2 */
	LINK_TRACE_RETRANSMIT = DPT_TRACE_KIND(DPT_TRACE_LINK, 5), /* seqno; snd_una; snd_nxt */
	LINK_TRACE_ILLEGAL = DPT_TRACE_KIND(DPT_TRACE_LINK, 6),	   /* event; state; 0 */
	LINK_TRACE_NO_BUFFER = DPT_TRACE_KIND(DPT_TRACE_LINK, 7),  /* level; snd_nxt; backlog */
};

struct dpt_link {
	/* Sending. */
	struct rte_mbuf **snd_ring; /* by seqno; NULL: acknowledged, or free */
	uint16_t ring_mask;
	uint16_t snd_nxt;
	uint16_t snd_una; /* first not acknowledged; snd_nxt when there is none */
	uint16_t snd_cnt; /* packets in snd_ring: the length of "transmq" */
	uint16_t window;
	uint16_t window_min;
	uint16_t window_max;
	uint16_t ssthresh;
	uint32_t cong_acks;
	uint16_t backlog_cnt[DPT_IMPORTANCE_CNT];
	uint16_t backlog_limit[DPT_IMPORTANCE_CNT];
	struct dpt_bufq backlog;
	uint8_t congested; /* levels whose senders wait, bit mask */
	bool has_bulk_end; /* bulk_end is the number of a packet marked DPT_BUF_F_BULK_END */
	uint16_t bulk_end;

	/* Receiving. */
	uint8_t state; /* enum dpt_link_state */
	uint16_t rcv_nxt;
	uint16_t rcv_unacked;
	struct rte_mbuf **defer_ring; /* by seqno */
	uint16_t defer_cnt;
	uint16_t defer_first; /* lowest and highest number deferred, if any */
	uint16_t defer_last;
	uint16_t silent;     /* timer intervals without reception */
	uint64_t last_rx_ns; /* of what clears silent */
	uint64_t probe_ns;   /* next probe between two expiries, from LINK_URGENT_SILENT on */
	struct dpt_reassembly reassembly;

	/* Sessions and properties. */
	uint16_t session;
	uint16_t peer_session;
	uint16_t snd_nxt_state;
	uint16_t rcv_nxt_state;
	uint16_t checkpoint;  /* snd_nxt at the last timer expiry */
	uint32_t rst_cnt;     /* timer intervals since the last reset */
	uint16_t replies_cnt; /* replies in this timer interval */
	uint16_t abort_limit;
	uint16_t tolerance_ms;
	uint16_t advertised_mtu;
	uint16_t mtu;
	uint16_t seg_bytes; /* largest packet that one buffer holds */
	uint16_t caps;
	uint16_t caps_next; /* from the next reset on */
	bool in_session;
	uint8_t bearer_id;
	uint8_t peer_bearer_id;
	uint8_t priority;
	uint8_t net_plane; /* 0: 'A' */
	uint8_t last_down; /* enum dpt_down_reason */

	struct dpt_env env;
	struct dpt_node_addr own;
	struct dpt_node_addr peer;
	const struct dpt_bcast_view *view;
	struct dpt_maddr dst;
	char if_name[DPT_IF_NAME_BYTES];
	char peer_if_name[DPT_IF_NAME_BYTES];
	struct dpt_node_id own_id;
	struct dpt_node_id peer_id;

	struct dpt_link_counters counters; /* cleared by a reset */
	struct dpt_link_counters *sums;
	struct rte_mbuf *rings[]; /* snd_ring, defer_ring */
};

/* ---- counting: link.c ---- */

/* offset: of the counter in struct dpt_link_counters. */
static inline void
link_count(struct dpt_link *link, size_t offset, uint64_t n)
{
	*(uint64_t *)((uint8_t *)&link->counters + offset) += n;
	*(uint64_t *)((uint8_t *)link->sums + offset) += n;
}

#define LINK_COUNT_N(link, symbol, n)                                                              \
	link_count(link, offsetof(struct dpt_link_counters, symbol), n)
#define LINK_COUNT(link, symbol) LINK_COUNT_N(link, symbol, 1)

/* Count a dropped message in the counter at offset and trace it; m is not freed. */
void link_drop_note(struct dpt_link *link, const uint8_t *hdr, size_t offset, uint64_t now_ns);
/* The same, and free it. */
void link_drop_buf(struct dpt_link *link, struct rte_mbuf *m, size_t offset, uint64_t now_ns);
#define LINK_DROP(link, m, symbol, now_ns)                                                         \
	link_drop_buf(link, m, offsetof(struct dpt_link_counters, symbol), now_ns)
#define LINK_DROP_NOTE(link, hdr, symbol, now_ns)                                                  \
	link_drop_note(link, hdr, offsetof(struct dpt_link_counters, symbol), now_ns)

static inline void
link_trace(const struct dpt_link *link, uint64_t now_ns, enum link_trace kind, uint16_t arg16,
	   uint64_t arg0, uint64_t arg1)
{
	dpt_trace_add(link->env.trace, now_ns, (uint16_t)kind, arg16, link->peer.value, arg0, arg1);
}

/* ---- link_fsm.c ---- */

static inline bool
link_is_up(const struct dpt_link *link)
{
	return link->state == DPT_LINK_ESTABLISHED || link->state == DPT_LINK_SYNCHING;
}

/* Event FAILURE, with its reason if it takes the link down. */
uint32_t link_fail(struct dpt_link *link, enum dpt_down_reason reason, uint64_t now_ns);

/* ---- link_proto.c ---- */

/* What a STATE is to say beyond the link's state: 03-link-node.md, 7.1. */
struct link_state_args {
	bool is_probe;
	bool is_reply;
	uint16_t gap;
};

/* Returns DPT_LINK_R_STATE_SENT, or 0: no buffer. */
uint32_t
link_state_send(struct dpt_link *link, const struct link_state_args *args, struct dpt_out *out);

/* ---- link_ack.c ---- */

/* What an acknowledgement did. */
struct link_acked {
	uint32_t released;
	uint32_t retransmitted;
	bool is_failed; /* retransmission failure */
};

/* Plain acknowledgement, of a sequenced packet. Returns how many packets it released. */
uint32_t link_ack(struct dpt_link *link, uint16_t ack);

/* ack, gap and blocks of a STATE. Src: 03-link-node.md, 10.2. */
void link_ack_state(struct dpt_link *link, const uint8_t *hdr, const struct dpt_gap_record *rec,
		    uint64_t now_ns, struct dpt_out *out, struct link_acked *acked);

/* Window adaptation. Src: 03-link-node.md, 12. */
void link_window_update(struct dpt_link *link, uint32_t released, uint32_t retransmitted);

/* First deferred number - rcv_nxt, 0 when nothing is deferred. */
uint16_t link_defer_gap(const struct dpt_link *link);

/* Blocks of what is deferred. Src: 03-link-node.md, 10.3. */
void link_gap_blocks(const struct dpt_link *link, struct dpt_gap_record *rec);

/* ---- link_tx.c ---- */

/* Move packets from the backlog into the window. */
void link_drain(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out);

/*
 * After a release: report the levels that senders wait for and that have room now
 * (03-link-node.md, 11.5), and that the marked packet has been acknowledged.
 */
void link_release_report(struct dpt_link *link, struct dpt_out *out);

/* Send a packet of the send ring once more. Returns whether it was. */
bool
link_retransmit(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out);

#endif /* DPT_LINK_PRIV_H */
