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
#define LINK_REPLIES_MAX 24
/*
 * A link on which something was lost is looked after in these steps for some time: decision
 * 0014. Fewer steps in an interval than replies.
 */
#define LINK_REPAIR_STEPS  16
#define LINK_REPAIR_NS_MIN DPT_NS_PER_MS
#define LINK_LOSSY_NS	   (2 * DPT_NS_PER_S)
/* Level of tunnel packets in the backlog, which another link had accepted: without a limit. */
#define LINK_LEVEL_TUNNEL DPT_IMPORTANCE_CNT
#define LINK_LEVEL_CNT	  (DPT_IMPORTANCE_CNT + 1)
/* Octets that packets out of sequence may take, for each place of the ring (hazard 16). */
#define LINK_DEFER_PLACE_BYTES 2048
/* Room in front of a packet for what bearers put there: the largest is UDP over IPv6. */
#define LINK_L2_ROOM_BYTES 64
/* A link that was up stays down for an interval, or for this long (hazard 23). Our choice. */
#define LINK_QUIET_MAX_MS 10
/* It comes up again this many times in a row, then once in this time (hazard 29). Same. */
#define LINK_FLAP_BURST 8
#define LINK_FLAP_NS	DPT_NS_PER_S
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
	LINK_TRACE_TUNNEL = DPT_TRACE_KIND(DPT_TRACE_LINK, 8),	   /* type; packets; drop point */
	LINK_TRACE_TAKEOVER = DPT_TRACE_KIND(DPT_TRACE_LINK, 9),   /* bearer; point; deferred */
};

/* What waits at the end of the time that a link stays down. */
enum link_pending {
	LINK_PENDING_NONE = 0,
	LINK_PENDING_ANSWER = 1, /* the peer's RESET has not been answered */
	LINK_PENDING_UP = 2,	 /* the peer is ready: nothing but the time is missing */
};

/* Packets received out of sequence: link_defer.c. */
struct link_defer {
	struct rte_mbuf **ring; /* by seqno, as large as the send ring */
	uint32_t bytes;
	uint16_t cnt;
	uint16_t first; /* lowest and highest number held, if any */
	uint16_t last;
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
	uint16_t backlog_cnt[LINK_LEVEL_CNT];
	uint16_t backlog_limit[DPT_IMPORTANCE_CNT];
	uint8_t congested; /* levels whose senders wait, bit mask */
	bool has_bulk_end; /* bulk_end is the number of a packet marked DPT_BUF_F_BULK_END */
	uint16_t bulk_end;
	uint64_t bulk_cookie; /* dpt_buf.cookie of that packet, for the event */
	struct dpt_bufq backlog;

	/* Receiving. */
	uint8_t state; /* enum dpt_link_state */
	uint16_t rcv_nxt;
	uint16_t rcv_unacked;
	uint16_t silent; /* timer intervals without reception */
	struct link_defer defer;
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
	struct dpt_flight *flight; /* recorder, NULL: none */
	uint64_t flight_ns;	   /* time of the present call, for records */

	/* What follows is not looked at while one link carries packets in sequence. */

	/* Repair: link_repair.c. */
	uint64_t lossy_until_ns;
	uint64_t repair_ns;  /* next look; DPT_NEVER_NS: nothing has been lost lately */
	uint16_t repair_una; /* snd_una and rcv_nxt at the last look */
	uint16_t repair_rcv;

	/* The packet of the backlog that takes more messages, by level; NULL: none. */
	struct rte_mbuf *bundles[LINK_LEVEL_CNT];

	/* What the peer tunnels here of the other link, which has failed. */
	bool is_failover;
	uint16_t drop_point;		      /* inner number expected next */
	struct link_defer fo_defer;	      /* inner packets out of sequence */
	struct dpt_reassembly fo_reassembly;  /* of inner fragments */
	struct dpt_reassembly tnl_reassembly; /* of inner packets that were cut */

	/* Guards: link_guard.c. */
	uint8_t pending; /* enum link_pending */
	bool was_up;	 /* since the last reset */
	uint16_t peer_mtu;
	uint64_t up_after_ns;	/* not up before */
	uint64_t flap_ns;	/* when the ups so far would have been due, one each LINK_FLAP_NS */
	uint64_t prio_after_ns; /* the peer may not change the priority before */

	struct rte_mbuf *rings[]; /* snd_ring, defer.ring, fo_defer.ring */
};

#include "link_note.h"

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
	uint16_t tolerance_ms; /* 0: no change */
	uint8_t priority;      /* 0: no change */
};

/* Returns DPT_LINK_R_STATE_SENT, or 0: no buffer. */
uint32_t
link_state_send(struct dpt_link *link, const struct link_state_args *args, struct dpt_out *out);

/* ---- link_repair.c ---- */

/* Something has been lost on the way. */
void link_repair_note(struct dpt_link *link, uint64_t now_ns);
/* At link->repair_ns, link up. Returns DPT_LINK_R_STATE_SENT or 0. */
uint32_t link_repair(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out);

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

/* Start anew with another largest window; the limits follow. Src: 03-link-node.md, 11.3, 12. */
void link_window_set(struct dpt_link *link, uint16_t window_max);

/* Window adaptation. Src: 03-link-node.md, 12. */
void link_window_update(struct dpt_link *link, uint32_t released, uint32_t retransmitted);

/* ---- link_defer.c ---- */

/* Why link_defer_put refuses. */
enum link_defer_verdict { LINK_DEFER_OK, LINK_DEFER_DUPLICATE, LINK_DEFER_FULL };

/*
 * Keep m, number seq; next: the number expected. Only after LINK_DEFER_OK is m gone: what
 * does not fit is the packet that arrives, never one that may have been reported.
 */
enum link_defer_verdict link_defer_put(struct dpt_link *link, struct link_defer *defer,
				       struct rte_mbuf *m, uint16_t seq, uint16_t next);

/* The packet number next, or NULL. */
struct rte_mbuf *link_defer_take(struct dpt_link *link, struct link_defer *defer, uint16_t next);

/* Free all, each a drop in the counter at offset. Returns how many. */
uint32_t
link_defer_free(struct dpt_link *link, struct link_defer *defer, size_t offset, uint64_t now_ns);

/* First deferred number - rcv_nxt, 0 when nothing is deferred. */
uint16_t link_defer_gap(const struct dpt_link *link);

/* Blocks of what is deferred. Src: 03-link-node.md, 10.3. */
void link_gap_blocks(const struct dpt_link *link, struct dpt_gap_record *rec);

/* ---- link_guard.c ---- */

/* The link has come up; is being reset. Src: 03-link-node.md, hazards 23, 29. */
void link_guard_up(struct dpt_link *link, uint64_t now_ns);
void link_guard_reset(struct dpt_link *link, uint64_t now_ns);

/* May the link come up, or say that it is ready to? */
static inline bool
link_guard_is_open(const struct dpt_link *link, uint64_t now_ns)
{
	return now_ns >= link->up_after_ns;
}

/* The peer is ready: DPT_LINK_R_UP, or 0 and it is remembered until the link may come up. */
uint32_t link_guard_peer_ready(struct dpt_link *link, uint64_t now_ns);

/* At up_after_ns: do what waits. Returns as dpt_link_supervise. */
uint32_t link_guard_expire(struct dpt_link *link, struct dpt_out *out);

/* May the peer change the priority now? Counts if not. Src: 03-link-node.md, hazard 11. */
bool link_guard_priority(struct dpt_link *link, uint64_t now_ns);

/* ---- link_rx.c ---- */

/* A message to the node if its user may be here. m is gone. Src: 01-wire-format.md, 4.1. */
void
link_deliver_msg(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in);
/* Unwrap. m is gone. */
void link_deliver_bundle(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns,
			 struct dpt_bufq *in);
/* A fragment for ra, one of the link's. m is gone. Returns DPT_LINK_R_DOWN or 0. */
uint32_t link_deliver_fragment(struct dpt_link *link, struct dpt_reassembly *ra, struct rte_mbuf *m,
			       uint64_t now_ns, struct dpt_bufq *in);

/* ---- link_frag.c ---- */

/* As dpt_reassembly_add for a fragment of a tunnel packet. Src: 01-wire-format.md, 8.3. */
int link_reassembly_tunnel(struct dpt_reassembly *ra, struct rte_mbuf *m, struct rte_mbuf **msg,
			   uint64_t *drops);

/* ---- link_tunnel_rx.c ---- */

/* A TUNNEL packet in sequence. m is gone. Returns DPT_LINK_R_DOWN or 0. */
uint32_t
link_tunnel_rx(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in);

/* A new failover: forget a former one, expect inner number point. */
void link_tunnel_expect(struct dpt_link *tunnel, uint16_t point, uint64_t now_ns);

/* Take over what failed was about to receive. Src: 03-link-node.md, 19.2 step 3 (g). */
void link_tunnel_takeover(struct dpt_link *tunnel, struct dpt_link *failed, uint64_t now_ns);

/* ---- link_bundle.c ---- */

/* Put a packet of one segment into the backlog, or into one that waits there. m is gone. */
void link_backlog_add(struct dpt_link *link, struct rte_mbuf *m, uint8_t level);

/* Messages that a packet of our own carries: those of a bundle, else 1. */
uint32_t link_msgs_cnt(struct rte_mbuf *m);

/* ---- link_tx.c ---- */

/* Move packets from the backlog into the window. */
void link_drain(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out);

/*
 * After a release: report the levels that senders wait for and that have room now
 * (03-link-node.md, 11.5), and that the marked packet has been acknowledged.
 */
void link_release_report(struct dpt_link *link, struct dpt_out *out);

/* Send packets, or let them wait at that level, whatever waits there. q is empty then. */
void link_tx_list(struct dpt_link *link, struct dpt_bufq *q, uint8_t level, uint64_t now_ns,
		  struct dpt_out *out);

/* Cut off the L2 header that a former bearer has left in front of the message. */
static inline void
link_l2_strip(struct rte_mbuf *m)
{
	struct dpt_buf *buf = dpt_buf(m);

	if (buf->l2_bytes == 0)
		return;
	rte_pktmbuf_adj(m, buf->l2_bytes);
	buf->l2_bytes = 0;
}

/* Send a packet of the send ring once more. Returns whether it was. */
bool
link_retransmit(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out);

#endif /* DPT_LINK_PRIV_H */
