/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_FLIGHT_H
#define DPT_FLIGHT_H

/*
 * Flight recorder: what a link did last, always on, in memory that observers map. One slot
 * per link: a ring of fixed records of 16 octets, and copies of it (dumps) from the moments
 * when the link went down. One writer, the link's shard; no lock, no hash, no pointer in it.
 *
 *   slot  | head | dump of a down | dump of the one before | ring of records |
 *
 * Packets in sequence share a record (a run): "2031 to 2094, 64 of them, in 41 us". Thus the
 * ring holds a tenth of a second at full load instead of its last 500 packets.
 *
 * Readers copy: the head's `next`, the ring, `next` again; what was overwritten meanwhile is
 * left out, the newest record and runs of the last millisecond may be half written.
 * Decision: doc/decisions/0013-flight-recorder.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dpt_ids.h"

/* Records of a link, a power of two. Our choice: 8 KiB. */
#define DPT_FLIGHT_RECS 512
/* Dumps that are kept: the last down and the one before (of a link that flaps, the first
 * reason is the one that matters). */
#define DPT_FLIGHT_DUMPS 2
/* Ups and downs of all links of a shard that are kept. */
#define DPT_FLIGHT_CHANGES 256
/* Unit of dpt_flight_rec.time: 2^10 ns, thus 73 minutes until it wraps. */
#define DPT_FLIGHT_TIME_SHIFT 10
/* A run spans at most this, in that unit: about 1 ms. */
#define DPT_FLIGHT_RUN_TIME 1000
/* Other records that may stand behind a run that still grows. */
#define DPT_FLIGHT_RUN_NEAR 8

/*
 * X(symbol, number, name, text). In text, {c} is the record's code, {0} to {4} are its
 * arguments, {0:list} a name out of a list: reason, state, event, node_state, node_event,
 * counter, user. Recorder and decoder have this one list in common; dptipc-stat takes it
 * from the mapped file. Numbers below DPT_FLIGHT_RUNS are runs: first, last, count, time
 * between first and last, one argument of the kind's own.
 */
#define DPT_FLIGHT_KINDS(X)                                                                        \
	X(SENT, 1, "sent", "packets {0} to {1} ({2}, in {3} us)")                                  \
	X(RECV, 2, "received", "packets {0} to {1} ({2}, in {3} us)")                              \
	X(ACK_SENT, 3, "ack-sent", "STATE: received up to {1} ({2}, in {3} us), next sent {4}")    \
	X(ACK_RECV, 4, "ack-received", "STATE: peer has up to {1} ({2}, in {3} us), sent {4}")     \
	X(AGAIN, 5, "sent-again", "packets {0} to {1} ({2}, in {3} us), first unconfirmed {4}")    \
	X(DEFERRED, 6, "deferred", "packets {0} to {1} ({2}, in {3} us), expected {4}")            \
	X(WINDOW, 7, "window", "grows from {0} to {1} ({2} steps, in {3} us), threshold {4}")      \
	X(DROP, 8, "drop", "{c:counter}: {2} of them, in {3} us; first {0}, last {1}, {4:user}")   \
	X(NODE_DROP, 9, "node-drop",                                                               \
	  "{c:node_counter}: {2} of them, in {3} us; {4:user}, last type {1}")                     \
	X(WINDOW_CUT, 16, "window-cut", "from {0} to {1}, threshold {2}, {3} sent again")          \
	X(STATE_SENT, 17, "state-sent",                                                            \
	  "flags {c:state_flags}, has up to {0}, gap {1}, next {2}, "                              \
	  "deferred {3}, number {4}")                                                              \
	X(STATE_RECV, 18, "state-received",                                                        \
	  "flags {c:state_flags}, peer has up to {0}, gap {1}, "                                   \
	  "next {2}, number {3}, unconfirmed {4}")                                                 \
	X(RESET_SENT, 19, "reset-sent", "session {0}, stopping {c}, octets {1}")                   \
	X(RESET_RECV, 20, "reset-received",                                                        \
	  "session {0}, stopping {c}, octets {1}, tolerance {2}")                                  \
	X(ACTIVATE_SENT, 21, "activate-sent", "session {0}, for session {1}, octets {2}")          \
	X(ACTIVATE_RECV, 22, "activate-received", "session {0}, for session {1}, octets {2}")      \
	X(STATE, 23, "state", "{0:state} to {1:state} by {c:event}")                               \
	X(ILLEGAL, 24, "illegal", "{c:event} in state {0:state}")                                  \
	X(FAILURE, 25, "failure", "{c:reason}; silent {0}, unconfirmed from {1}, next {2}")        \
	X(DOWN, 26, "down", "{c:reason}; lost to send {0}, deferred {1}, silent {2}")              \
	X(UP, 27, "up", "session {0}, peer {1}, octets {2}, tolerance {3} ms, window {4}")         \
	X(EXPIRY, 28, "timer", "silent {0} of {1}, unconfirmed {2}, waiting {3}, deferred {4}")    \
	X(CONGESTED, 29, "congested", "importance {c}, waiting {0} of {1}, window {2}")            \
	X(ROOM, 30, "room", "importances {c:mask} may send, unconfirmed {0}, window {1}")          \
	X(ERROR, 31, "error", "{c:counter}; {0}, {1}, {2}")                                        \
	X(PROPS, 32, "properties", "tolerance {0} ms, window {1}, octets {2}, priority {c}")       \
	X(TUNNEL, 33, "tunnel", "{c:tunnel}; {0}, {1}, {2}, {3}")                                  \
	X(NODE, 34, "node", "{0:node_state} to {1:node_state} by {c:node_event}")                  \
	X(NODE_ILLEGAL, 35, "node-illegal", "{c:node_event} in state {0:node_state}")              \
	X(RESET, 36, "reset", "session {0} begins")                                                \
	X(CREATED, 37, "created", "bearer {c}, tolerance {0} ms, window {1}, octets {2}")          \
	X(DELETED, 38, "deleted", "")

enum dpt_flight_kind {
	DPT_FLIGHT_NONE = 0,
#define DPT_FLIGHT_ENUM_(symbol, number, name, text) DPT_FLIGHT_##symbol = number,
	DPT_FLIGHT_KINDS(DPT_FLIGHT_ENUM_)
#undef DPT_FLIGHT_ENUM_
};
/* Kinds that are runs are below. */
#define DPT_FLIGHT_RUNS 12

/* Code of STATE_SENT and STATE_RECV, bits. */
#define DPT_FLIGHT_STATE_PROBE 0x01
#define DPT_FLIGHT_STATE_REPLY 0x02 /* received: keep-alive */

/* Steps of failover and synchronisation: code of TUNNEL. */
#define DPT_FLIGHT_TUNNELS(X)                                                                      \
	X(FAILOVER_FROM, 1, "failover: packets go to the other link; unconfirmed, waiting, next")  \
	X(FAILOVER_TO, 2, "failover: takes the other link's packets; sent, drop point")            \
	X(FAILOVER_HALF, 3, "failover: dummy for a link that was not up")                          \
	X(FAILOVER_RECV, 4, "failover: tunnelled packet; inner, expected, own number")             \
	X(FAILOVER_END, 5, "failover: over; drop point, given up")                                 \
	X(SYNCH_SENT, 6, "synchronisation: tells where the other link is; its end")                \
	X(SYNCH_RECV, 7, "synchronisation: the peer tells where its other link is; point")         \
	X(SYNCH_END, 8, "synchronisation: over; held packets")                                     \
	X(HELD, 9, "synchronisation: packet kept; number, expected, kept")                         \
	X(FAILED, 10, "could not be done; errno")

enum dpt_flight_tunnel {
#define DPT_FLIGHT_ENUM_(symbol, number, text) DPT_FLIGHT_TUNNEL_##symbol = number,
	DPT_FLIGHT_TUNNELS(DPT_FLIGHT_ENUM_)
#undef DPT_FLIGHT_ENUM_
};

struct dpt_flight_rec {
	uint32_t time; /* owner's clock, 2^10 ns, lower 32 bits; of a run: its first */
	uint8_t kind;  /* enum dpt_flight_kind */
	uint8_t code;
	uint16_t arg[5];
};

/*
 * Packets in sequence, one way: a packet moves `seen` and `time` alone, the next record of
 * any kind, or the next packet a millisecond later, makes a run of what is not `noted`. So the
 * commonest thing of all costs two stores, and still nothing is lost with the process.
 */
struct dpt_flight_cursor {
	uint32_t time;	/* of seen */
	uint16_t seen;	/* number of the last packet */
	uint16_t noted; /* of the last one that is in a record */
};

enum dpt_flight_way { DPT_FLIGHT_WAY_SENT = 0, DPT_FLIGHT_WAY_RECV = 1 };

/* A link's ring as it was when the link went down. */
struct dpt_flight_dump {
	uint32_t id;	     /* 1, 2, ...: which down of this slot; 0: being written */
	uint32_t next;	     /* as in the slot */
	uint64_t time_ns;    /* of the down, owner's clock */
	uint32_t peer;	     /* node address */
	uint32_t generation; /* as in the slot */
	uint8_t bearer_id;
	uint8_t reason; /* enum dpt_down_reason */
	uint8_t reserved[6];
	char name[72]; /* the link's */
	uint8_t pad[24];
	struct dpt_flight_rec recs[DPT_FLIGHT_RECS];
};

struct dpt_flight {
	/* line 0 [owner w, any r] */
	_Alignas(64) uint32_t next;	    /* records ever begun, modulo 2^32 */
	uint32_t runs[DPT_FLIGHT_RUNS - 1]; /* by kind: number of the run that may grow */
	struct dpt_flight_cursor cursors[2];
	/* lines 1 to 3 */
	uint64_t taken_ns;   /* owner's clock */
	uint64_t changed_ns; /* went up or down */
	uint64_t given_ns;   /* link deleted; 0: it is there */
	uint32_t peer;	     /* node address */
	uint32_t generation; /* links that this slot has had; 0: none yet */
	uint32_t ups;
	uint32_t downs;
	uint8_t bearer_id;
	uint8_t is_used;
	uint8_t is_up;
	uint8_t state;	   /* enum dpt_link_state */
	uint8_t last_down; /* enum dpt_down_reason */
	uint8_t reserved[11];
	char name[72]; /* of the link, as it was when it last came up; NUL-terminated */
	uint8_t pad[64];
	struct dpt_flight_dump dumps[DPT_FLIGHT_DUMPS];
	struct dpt_flight_rec recs[DPT_FLIGHT_RECS];
};

/* A link came up or went down. */
struct dpt_flight_change {
	uint64_t time_ns; /* owner's clock */
	uint32_t slot;
	uint32_t peer;
	uint8_t bearer_id;
	uint8_t is_up;
	uint8_t reason; /* of a down: enum dpt_down_reason */
	uint8_t reserved[5];
	char name[72];
};

/* The last ups and downs of a shard's links. */
struct dpt_flight_log {
	_Alignas(64) uint32_t next; /* changes ever begun, modulo 2^32 */
	uint32_t refused;	    /* links without a recorder: no slot was free */
	uint8_t pad[56];
	struct dpt_flight_change changes[DPT_FLIGHT_CHANGES];
};

_Static_assert(sizeof(struct dpt_flight_rec) == 16, "record");
_Static_assert(offsetof(struct dpt_flight_rec, code) == offsetof(struct dpt_flight_rec, kind) + 1,
	       "kind and code");
_Static_assert(offsetof(struct dpt_flight_rec, arg[1]) == 8, "arguments of a run");
_Static_assert((DPT_FLIGHT_RECS & (DPT_FLIGHT_RECS - 1)) == 0, "ring");
_Static_assert(offsetof(struct dpt_flight_dump, recs) == 128, "dump's head");
_Static_assert(offsetof(struct dpt_flight, taken_ns) == 64, "slot, line 1");
_Static_assert(offsetof(struct dpt_flight, dumps) == 256, "slot's head");
_Static_assert(sizeof(struct dpt_flight_change) == 96, "change");

/* The slots of one shard: its own, not in the shared memory. */
struct dpt_flights {
	struct dpt_flight *slots; /* zeroed at first */
	uint32_t slots_cnt;
	struct dpt_flight_log *log;
};

/*
 * A slot for the link to peer on bearer_id: the one that this link had before, if there is
 * one, so that its past stays readable; else a fresh one, else the one given back longest
 * ago. NULL when flights is NULL or all are in use (counted). owner.
 */
struct dpt_flight *dpt_flights_take(struct dpt_flights *flights, struct dpt_node_addr peer,
				    uint8_t bearer_id, uint64_t now_ns);

/* The link is deleted; its records stay. flight may be NULL, as everywhere below. */
void dpt_flight_give(struct dpt_flight *flight, uint64_t now_ns);

/* The link is called so from now on. */
void dpt_flight_name_set(struct dpt_flight *flight, const char *name);

/* The link came up. */
void dpt_flight_up(struct dpt_flights *flights, struct dpt_flight *flight, uint64_t now_ns);

/*
 * The link went down: keep a copy of the ring, with the reason. Nothing happens when it was
 * not up. Cost: 8 KiB are copied.
 */
void dpt_flight_down(struct dpt_flights *flights, struct dpt_flight *flight, uint8_t reason,
		     uint64_t now_ns);

/* Append a record; its time is set here. */
void dpt_flight_put(struct dpt_flight *flight, uint64_t now_ns, struct dpt_flight_rec rec);

static inline void
dpt_flight_add(struct dpt_flight *flight, uint64_t now_ns, struct dpt_flight_rec rec)
{
	if (flight != NULL)
		dpt_flight_put(flight, now_ns, rec);
}

/* kind and code of a record, as one number. */
#define DPT_FLIGHT_WHAT(kind, code) ((uint16_t)((kind) | (code) << 8))
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "runs are written as one word");

/* Begin a run: what dpt_flight_run does where the last one cannot grow. */
void dpt_flight_run_new(struct dpt_flight *flight, uint64_t now_ns, uint16_t what, uint16_t value,
			uint16_t extra);

/*
 * One more for a run. what: DPT_FLIGHT_WHAT(kind below DPT_FLIGHT_RUNS, code); value: its
 * last argument from now on; extra: the argument of the kind's own. is_sequence: only the
 * number behind the last one continues a run. Twice per packet: the arguments behind the
 * first are one word, read and written at once.
 */
static inline void
dpt_flight_run(struct dpt_flight *flight, uint64_t now_ns, bool is_sequence, uint16_t what,
	       uint16_t value, uint16_t extra)
{
	uint32_t at, took;
	struct dpt_flight_rec *run;
	uint16_t run_what;
	uint64_t word;

	if (flight == NULL)
		return;
	at = flight->runs[(what & 0xff) - 1];
	run = &flight->recs[at & (DPT_FLIGHT_RECS - 1)];
	took = (uint32_t)(now_ns >> DPT_FLIGHT_TIME_SHIFT) - run->time;
	memcpy(&run_what, &run->kind, sizeof(run_what));
	memcpy(&word, &run->arg[1], sizeof(word));
	if (flight->next - at <= DPT_FLIGHT_RUN_NEAR && run_what == what &&
	    took <= DPT_FLIGHT_RUN_TIME &&
	    (is_sequence ? (uint16_t)(word + 1) == value : (uint16_t)(word >> 16) != UINT16_MAX)) {
		word = value | ((word + 0x10000) & 0xffff0000) | (uint64_t)took << 32 |
		       (uint64_t)extra << 48;
		memcpy(&run->arg[1], &word, sizeof(word));
		return;
	}
	dpt_flight_run_new(flight, now_ns, what, value, extra);
}

/* Put what the cursors have seen into records. */
void dpt_flight_flush(struct dpt_flight *flight);

/* A packet in sequence, sent for the first time or received. */
static inline void
dpt_flight_packet(struct dpt_flight *flight, enum dpt_flight_way way, uint64_t now_ns, uint16_t seq)
{
	uint32_t time = (uint32_t)(now_ns >> DPT_FLIGHT_TIME_SHIFT);
	struct dpt_flight_cursor *cursor;

	if (flight == NULL)
		return;
	cursor = &flight->cursors[way];
	if (time - cursor->time > DPT_FLIGHT_RUN_TIME)
		dpt_flight_flush(flight);
	cursor->time = time;
	cursor->seen = seq;
}

/* Numbers begin anew: the next packet is 1. */
void dpt_flight_restart(struct dpt_flight *flight);

/* Name and text of a kind, as in the list; "" for a number that is none. */
const char *dpt_flight_kind_name(unsigned int kind);
const char *dpt_flight_kind_text(unsigned int kind);
const char *dpt_flight_tunnel_name(unsigned int step);

#endif /* DPT_FLIGHT_H */
