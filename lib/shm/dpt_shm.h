/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_SHM_H
#define DPT_SHM_H

/*
 * The shared memory between one application process (and its forks) and the dataplane:
 * layout of a region and its rings. Included by both sides; knows nothing of TIPC's state
 * and nothing of DPDK.
 *
 *   region (sealed memfd)
 *   +--------------------+ 0
 *   | dpt_shm_hdr        | magic, ABI version, offsets; what the dataplane tells everybody
 *   +--------------------+
 *   | dpt_shm_sock[]     | per socket: completion of sends, wake-up state, congestion
 *   +--------------------+
 *   | submission logs    | DPT_SHM_CHANNELS of them, application -> worker
 *   +--------------------+
 *   | receive logs       | one per socket, worker -> application
 *   +--------------------+
 *
 * A log (struct dpt_log) is a ring of 64-octet lines. A record starts on a line with a
 * header of 16 octets, the rest follows at once, records do not wrap: a PAD record fills
 * the end. The header's `state` word is the publication: the writer stores it last, with
 * release; the reader polls that very line, so no head or tail index bounces:
 *
 *   cache-line transfers per message, steady state, one direction
 *     payload <= 36 octets (receive), <= 24 (receive, with name), <= 16 (submission): 1
 *     64 octets of payload: 2;  n octets: 1 + ceil((n - first line) / 64)
 *     plus 1 per `consumed` publication, which the reader does once per quarter of the
 *     ring or when it finds the log empty, off the critical path
 *
 * Positions count lines ever written or read; the line of a position is its remainder by
 * the number of lines. `state` is 0 (nothing there yet) or the position's tag: the low 31
 * bits of (position + 1) with bit 31 = 1. Before a record is published the writer zeroes
 * the state word of the line behind it, for which it keeps one line free. So the line that
 * the reader polls holds 0 or the tag, never old octets of a payload; a word that is
 * neither means that somebody has scribbled.
 *
 *     line       n              n+1           n+2            n+3
 *          | tag(n)  rec | ...rest of rec | 0  <- reader | old octets |
 *                                           ^ writer's next record
 *
 * At the end of the ring: PAD is published after the record behind it, at line 0, so the
 * reader sees both or none.
 *
 * Being readable. The socket's descriptor is readable when is_signalled = 1 and a byte is in
 * the pair. Exact without a lock, as each side stores before it loads (seq_cst):
 *
 *   dataplane, unread messages            application, has read the last message
 *   -------------------------             ---------------------------------------
 *   S1 is_signalled = 1                   A1 rx_consumed = position
 *   S2 load rx_consumed: all read?        A2 load is_signalled: 0? done
 *        yes: is_signalled = 0, done      A3 take the byte; not there yet: while
 *   S3 write one byte into the pair            is_signalled stays 1, try again
 *                                         A4 is_signalled = 0
 *                                         A5 log not empty? submit SIGNAL
 *
 * If S2 misses A1, A2 sees S1 and the byte is waited for. A message that the dataplane
 * writes between A3 and A4, believing that the byte is there, is seen by A5.
 *
 * Trust. The application may scribble over the whole region at any time. The dataplane
 * keeps its own copy of every position and size, reads each shared value once, into a
 * local, then checks the local. What is wrong is counted and the process detached; nothing
 * that it writes makes the dataplane read or write outside the region.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_limits.h"

#define DPT_SHM_MAGIC	    UINT64_C(0x637069747064) /* "dptipc" */
#define DPT_SHM_ABI_VERSION 2
#define DPT_SHM_LINE_BYTES  64

/* Submission logs of a region: a socket always uses the same one (its index modulo), so the
 * order of one socket's calls is kept whatever thread makes them. Our choice. */
#define DPT_SHM_CHANNELS 4

/* Record kinds. Submission: SEND, SIGNAL, CONNECT, ROOM; receive: DATA, SYN; both: PAD. */
enum dpt_rec_kind {
	DPT_REC_PAD = 1,
	DPT_REC_SEND = 2,
	DPT_REC_SIGNAL =
		3, /* the socket's descriptor must become readable if its log is not empty */
	DPT_REC_DATA = 4,
	/* struct dpt_rec_send without payload, always with WANT_RESULT: send a SYN. The result says
	 * whether it is on its way, conn_state what becomes of it. */
	DPT_REC_CONNECT = 5,
	/* The application has filled its end of the pair, so that the descriptor is not writable:
	 * empty it as soon as the socket may send (now, if it may). */
	DPT_REC_ROOM = 6,
	/* A connection request waits in the listening socket's queue: one record each, a
	 * struct dpt_rec_data without payload. It is taken with DPT_ATTACH_ACCEPT, which answers
	 * EAGAIN when somebody else has; after either the record is read. */
	DPT_REC_SYN = 7,
};

/* First 16 octets of each record. */
struct dpt_rec_hdr {
	_Atomic uint32_t state;
	uint32_t bytes; /* of the record, this header included, before rounding up to lines */
	uint8_t kind;	/* enum dpt_rec_kind */
	uint8_t importance;
	uint8_t flags;	   /* DPT_REC_F_* */
	uint8_t errcode;   /* DATA: error code of a returned message */
	uint32_t sock_idx; /* index in dpt_shm_sock[] */
};

#define DPT_REC_F_DEST_DROPPABLE 0x01
#define DPT_REC_F_SRC_DROPPABLE	 0x02
#define DPT_REC_F_WANT_RESULT	 0x04 /* SEND: the application waits for dpt_shm_sock.tx_done */

/* SEND: header and this, 48 octets, then payload. */
struct dpt_rec_send {
	struct dpt_rec_hdr hdr;
	uint8_t addrtype; /* 0 none: on the connection; 1 range, 2 service, 3 socket */
	uint8_t reserved[3];
	uint32_t addr[3];	  /* as in sockaddr_tipc; host byte order */
	uint32_t tx_seq;	  /* number of this send on its socket */
	uint32_t conn_timeout_ms; /* of a SYN: dpt_send */
	uint32_t reserved2[2];
	uint8_t payload[];
};

/*
 * DATA: header, then this, then payload: from octet 28 on, or from octet 40 on when there
 * is a name (DPT_REC_DATA_HAS_NAME).
 */
struct dpt_rec_data {
	struct dpt_rec_hdr hdr;
	uint32_t orig_port;
	uint32_t orig_node;
	uint32_t msg_type; /* bits 7..0 data type (enum dpt_data_type); bit 8: has name; bits 31..9:
			      0 */
	uint32_t name[3];  /* only if bit 8: type, lower, upper */
};
#define DPT_REC_DATA_BYTES	28 /* without name */
#define DPT_REC_DATA_NAME_BYTES 40
#define DPT_REC_DATA_HAS_NAME	0x100u

/*
 * Per socket. Lines grouped by writer. Before the dataplane answers SOCKET it zeroes the
 * entry and sets port and type; the receive log reads as zeroes: both sides start at
 * position 0. Then lines 3 to 5 are the application's.
 */
struct dpt_shm_sock {
	/* line 0: dataplane writes, application reads */
	_Alignas(64) _Atomic uint32_t tx_done; /* tx_seq of the last send that was processed */
	_Atomic int32_t
		tx_result; /* of the last send with WANT_RESULT: 0 or errno; before tx_done */
	_Atomic uint32_t is_congested; /* 1: sends wait (10.4) */
	_Atomic uint32_t is_closed;    /* 1: the dataplane has taken the socket away */
	_Atomic uint64_t rx_drops;     /* messages refused with OVERLOAD */
	uint32_t port;		       /* fixed while the socket lives */
	uint32_t type;
	/*
	 * Connection. conn_state: DPT_CONN_* below, 0 for connectionless sockets out of a pair;
	 * stored last (release), so who sees ESTABLISHED sees peer and name. It changes when the
	 * cause reaches the dataplane: DISCONNECTING is seen while data and the end lie in the
	 * receive log, or are still to come there (a DATA record with an error code is the end).
	 */
	_Atomic uint32_t conn_state;
	/* Sends may start while cost of all sent (modulo 2^32) is not beyond it: dpt_sock_cost. */
	_Atomic uint32_t tx_credit;
	uint32_t peer_port;
	uint32_t peer_node;
	uint32_t name_type;
	uint32_t name_instance;
	/* line 1: both write: wake-up, see above */
	_Alignas(64) _Atomic uint32_t is_signalled; /* a byte is in the socket pair */
	/*
	 * 1: an application thread sleeps in futex(2) on tx_done or is_congested, with a bound.
	 * The dataplane loads it (seq_cst) after it has changed one of them, and then wakes all
	 * sleepers of that word; not FUTEX_PRIVATE_FLAG. A hint: it may be 1 without a sleeper.
	 */
	_Atomic uint32_t tx_waiting; /* conn_state and tx_credit too */
	/*
	 * Pending error (positive errno): the dataplane stores it before conn_state, whoever
	 * reports it takes it with an atomic exchange for 0.
	 */
	_Atomic uint32_t so_error;
	/* The pair was filled by the application (before its ROOM record); the dataplane stores 0
	 * and empties it when the socket may send. */
	_Atomic uint32_t is_filled;
	/* line 2: application writes, dataplane reads: positions of the receive log */
	_Alignas(64) _Atomic uint64_t rx_consumed; /* lines of the log ever read */
	_Atomic uint64_t rx_msgs; /* messages ever read; stored before rx_consumed */
	/* line 3: application only, shared by its forks, under the receive lock */
	_Alignas(64) uint64_t rx_pos; /* line that is read next */
	/* Messages ever read, not yet all in rx_msgs; the dataplane looks at it at close. */
	uint64_t rx_read;
	uint32_t rx_offset;    /* payload octets of the present record already taken; the
				* dataplane looks at close whether it is 0 */
	uint32_t rx_flags;     /* the client's own */
	uint8_t rx_client[40]; /* the lock */
	/* line 4: application only, under the send lock */
	_Alignas(64) uint8_t tx_client[64];
	/* line 5: application only: options, default destination */
	_Alignas(64) uint8_t opt_client[64];
};

/* Bits of conn_state. 7..0: enum dpt_sock_state (09-socket-api.md, 4). */
#define DPT_CONN_STATE_MASK	  0xffu
#define DPT_CONN_HAS_NAME	  0x100u
#define DPT_CONN_IS_BLOCK_FLOW	  0x200u
#define DPT_CONN_IMPORTANCE_SHIFT 16 /* 17..16 */
#define DPT_CONN_ESTABLISHED	  1u
#define DPT_CONN_CONNECTING	  2u
#define DPT_CONN_OPEN		  7u
#define DPT_CONN_DISCONNECTING	  8u
#define DPT_CONN_LISTEN		  10u

/* Positions of one submission log. */
struct dpt_shm_channel {
	/* line 0: application, under the channel's lock */
	_Alignas(64) uint64_t tx_pos;
	uint8_t client[56];
	/* line 1: dataplane writes */
	_Alignas(64) _Atomic uint64_t consumed; /* lines ever read */
};

struct dpt_shm_hdr {
	uint64_t magic;
	uint32_t abi_version;
	uint32_t reserved;
	uint64_t region_bytes;
	uint32_t socks_cnt;	/* entries of dpt_shm_sock[] */
	uint32_t channel_bytes; /* octets of a submission log, power of two */
	uint32_t rx_log_bytes;	/* octets of a receive log, power of two */
	uint32_t socks_offset;
	uint32_t channels_offset; /* struct dpt_shm_channel[DPT_SHM_CHANNELS] */
	uint32_t channel_logs_offset;
	uint32_t rx_logs_offset;
	/* dataplane writes */
	_Alignas(64) _Atomic uint32_t own_node;
	/*
	 * Grows before any change that can make a send fail or go elsewhere: name table,
	 * nodes, congestion. A send to a destination that succeeded under the same number
	 * needs no answer: 09-socket-api.md, 10.1 gives the same result.
	 */
	_Atomic uint32_t route_gen;
	_Atomic uint32_t is_down;		     /* the dataplane has stopped */
	_Alignas(64) _Atomic uint32_t worker_sleeps; /* 1: ring the doorbell after publishing */
	/* client only: process-shared robust locks and the like */
	_Alignas(64) uint8_t client[1024];
};

/* What a region looks like; computed by both sides from the same numbers. */
struct dpt_shm_layout {
	uint32_t socks_cnt;
	uint32_t channel_bytes;
	uint32_t rx_log_bytes;
	uint32_t socks_offset;
	uint32_t channels_offset;
	uint32_t channel_logs_offset;
	uint32_t rx_logs_offset;
	uint64_t region_bytes;
};

/* Sockets of a region at most. Our choice. */
#define DPT_SHM_SOCKS_MAX 65536
/*
 * Octets of a log, a power of two: the largest record (1033 lines), a PAD before it (less
 * than 1033 lines) and a quarter of read lines that are not yet published fit at any time,
 * so a reader that stops after its last message never blocks the writer.
 */
#define DPT_SHM_LOG_BYTES_MIN (256u << 10)
#define DPT_SHM_LOG_BYTES_MAX (1u << 30)

/*
 * Compute the layout. socks_cnt 1 .. DPT_SHM_SOCKS_MAX; channel_bytes, rx_log_bytes: powers
 * of two, DPT_SHM_LOG_BYTES_MIN .. _MAX. Returns 0 or -EINVAL.
 */
int dpt_shm_layout_init(struct dpt_shm_layout *layout, uint32_t socks_cnt, uint32_t channel_bytes,
			uint32_t rx_log_bytes);

/* Dataplane: write the header of a fresh, zeroed region. */
void dpt_shm_region_init(void *region, const struct dpt_shm_layout *layout);

/*
 * Application: check a region that it was given against its size. Returns 0, -EPROTO
 * (no region of ours), -EPROTONOSUPPORT (another ABI version), -EINVAL (sizes).
 */
int dpt_shm_region_check(const void *region, uint64_t region_bytes, struct dpt_shm_layout *layout);

/* Parts of a region. idx: less than socks_cnt, DPT_SHM_CHANNELS; checked by the caller. */
static inline struct dpt_shm_sock *
dpt_shm_sock_at(void *region, const struct dpt_shm_layout *layout, uint32_t idx)
{
	return (struct dpt_shm_sock *)((uint8_t *)region + layout->socks_offset) + idx;
}

static inline struct dpt_shm_channel *
dpt_shm_channel_at(void *region, const struct dpt_shm_layout *layout, uint32_t idx)
{
	return (struct dpt_shm_channel *)((uint8_t *)region + layout->channels_offset) + idx;
}

static inline void *
dpt_shm_channel_log_at(void *region, const struct dpt_shm_layout *layout, uint32_t idx)
{
	return (uint8_t *)region + layout->channel_logs_offset +
	       (uint64_t)idx * layout->channel_bytes;
}

static inline void *
dpt_shm_rx_log_at(void *region, const struct dpt_shm_layout *layout, uint32_t idx)
{
	return (uint8_t *)region + layout->rx_logs_offset + (uint64_t)idx * layout->rx_log_bytes;
}

/*
 * Full barrier between a store and a later load of another variable (is the worker asleep,
 * is somebody waiting?). The thread sanitizer does not know fences.
 */
static inline void
dpt_shm_fence(void)
{
#if defined(__SANITIZE_THREAD__)
	static _Atomic int word;

	atomic_fetch_add(&word, 0);
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

/*
 * A log as one side sees it: its own copies of everything but the octets. One writer, one
 * reader, each with its own struct. A side that is shared (forks) keeps pos in the region
 * and works under a lock.
 */
struct dpt_log {
	uint8_t *base;		    /* line aligned */
	uint32_t lines_cnt;	    /* power of two */
	uint64_t pos;		    /* line that is written, or read, next */
	uint64_t limit;		    /* writer: first line that may not be written yet */
	uint64_t published;	    /* reader: what consumed holds */
	_Atomic uint64_t *consumed; /* reader's published position */
};

/*
 * Both sides, on a zeroed log or one that was reset. bytes: a power of two, at least
 * DPT_SHM_LOG_BYTES_MIN; asserted, as it comes from a checked layout. The struct starts at
 * position 0; a side that goes on elsewhere sets pos, limit and published itself.
 */
void dpt_log_init(struct dpt_log *log, void *base, uint32_t bytes, _Atomic uint64_t *consumed);

/*
 * Writer of a log that is used again: position 0, nothing in it, consumed 0. Only while
 * there is no reader.
 */
void dpt_log_reset(struct dpt_log *log);

/*
 * Writer: room for a record of `bytes` octets (16 up to 3/8 of the log); NULL when
 * the log is full (consumed is read again then, once, and never believed beyond what was
 * written). Nothing is changed before the commit, so a reserved record may be abandoned.
 * Fill the record, its header too (importance, flags, errcode, sock_idx), then
 * dpt_log_commit, with the same `bytes`, which writes bytes, kind and state, and a PAD
 * record where needed. Stores: release, the record's state last.
 */
void *dpt_log_reserve(struct dpt_log *log, uint32_t bytes);
void dpt_log_commit(struct dpt_log *log, void *rec, uint8_t kind, uint32_t bytes);

/*
 * Writer, after another process died in the middle: step over what it had published
 * beyond pos. Returns 0 or -EPROTO (pos was not a record boundary).
 */
int dpt_log_resync(struct dpt_log *log);

/*
 * Reader: the next record, PADs skipped, or NULL. *bytes: its size, read once and checked:
 * at least min_bytes (16 or more), within the log. A record that fails is -EPROTO through
 * *error (0 otherwise) and NULL; the log is unusable then. The record's octets, kind too, stay
 * the writer's to change: copy, then check. Loads: state acquire, pairs with the commit.
 */
const void *dpt_log_peek(struct dpt_log *log, uint32_t min_bytes, uint32_t *bytes, int *error);
/*
 * Reader: go past the record; bytes as dpt_log_peek told. Publishes consumed when a quarter
 * of the ring is unpublished; true: it did.
 */
bool dpt_log_advance(struct dpt_log *log, uint32_t bytes);
/* Reader: publish consumed now (release); no store when nothing was read since. */
void dpt_log_publish(struct dpt_log *log);
/* Reader: is there nothing? One load. False also when what is there is wrong. */
bool dpt_log_is_empty(const struct dpt_log *log);

_Static_assert(sizeof(struct dpt_rec_hdr) == 16, "record header");
_Static_assert(sizeof(struct dpt_rec_send) == 48, "send record");
_Static_assert(offsetof(struct dpt_rec_data, name) == DPT_REC_DATA_BYTES, "data record");
_Static_assert(sizeof(struct dpt_shm_sock) == 384, "socket lines");
_Static_assert(sizeof(struct dpt_shm_channel) == 128, "channel lines");

#endif /* DPT_SHM_H */
