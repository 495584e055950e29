/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_STAT_H
#define DPT_STAT_H

/*
 * The stat file: what dptipcd shows of itself, mapped by dptipcd, read by dptipc-stat, also
 * while dptipcd hangs or when it is dead. dptipcd alone writes; nobody waits for anybody.
 *
 *   header | parts: node, workers, bearers, descriptions of counters, sets of counters,
 *          | values, names, links, flight recorders, ups and downs, log lines
 *
 * A part is an array: offset, number of entries, octets from one entry to the next. It holds
 * the names of counters, reasons, states and record kinds as well, so a reader needs nothing
 * of the build that wrote it but this header (DPT_STAT_VERSION).
 *
 * The file is new at each start and takes its name by rename, so a mapping that a reader has
 * never shrinks. dptipcd holds flock(2) exclusively: who gets a lock knows that it is dead.
 * Removed at an orderly stop, left behind by a crash. A reader checks every offset and number:
 * the file may be anything.
 *
 * Times: "clock": nanoseconds of dptipcd's own clock; "mono": CLOCK_MONOTONIC; "real":
 * CLOCK_REALTIME. A worker's entry holds all three of one moment.
 */

#include <stdint.h>

#include "dpt_flight.h"

#define DPT_STAT_MAGIC	 UINT64_C(0x7461747374706964) /* "diptstat" */
#define DPT_STAT_VERSION 1

#define DPT_STAT_NAME_BYTES	64
#define DPT_STAT_TEXT_BYTES	128
#define DPT_STAT_LOG_LINES	256
#define DPT_STAT_LOG_TEXT_BYTES 240

enum dpt_stat_part_id {
	DPT_STAT_NODE = 0,    /* struct dpt_stat_node, one */
	DPT_STAT_WORKERS = 1, /* struct dpt_stat_worker */
	DPT_STAT_BEARERS = 2, /* struct dpt_stat_bearer */
	DPT_STAT_DESCS = 3,   /* struct dpt_stat_desc */
	DPT_STAT_SETS = 4,    /* struct dpt_stat_set */
	DPT_STAT_VALUES = 5,  /* uint64_t */
	DPT_STAT_NAMES = 6,   /* struct dpt_stat_text */
	DPT_STAT_LINKS = 7,   /* struct dpt_stat_link, by slot of the flight recorder */
	DPT_STAT_FLIGHTS = 8, /* struct dpt_flight */
	DPT_STAT_CHANGES = 9, /* struct dpt_flight_log, by worker */
	DPT_STAT_LOG = 10,    /* struct dpt_stat_line */
	DPT_STAT_PARTS_CNT = 11,
};

struct dpt_stat_part {
	uint64_t offset;
	uint32_t cnt;
	uint32_t stride;
};

struct dpt_stat_hdr {
	uint64_t magic;
	uint32_t version;
	uint32_t pid;
	uint64_t total_bytes;
	uint64_t start_real_ns;
	uint64_t start_mono_ns;
	char name[DPT_STAT_NAME_BYTES];
	char version_text[32];
	struct dpt_stat_part parts[DPT_STAT_PARTS_CNT];
};

/* The control thread writes. */
struct dpt_stat_node {
	uint64_t control_mono_ns; /* its last turn */
	uint32_t net_id;
	uint32_t is_stopping;
	uint32_t log_next;    /* lines ever written, modulo 2^32 */
	uint32_t log_dropped; /* lines that the rate limit swallowed */
	uint8_t pad[40];
};

/* The worker writes. Refreshed every 100 ms, when idle every second. */
struct dpt_stat_worker {
	uint64_t mono_ns;
	uint64_t clock_ns;
	uint64_t real_ns;
	uint64_t loops;
	uint64_t loop_worst_ns; /* longest turn since start */
	uint64_t loops_slow;	/* turns longer than 100 us */
	uint32_t lcore;
	uint32_t tid;
	uint32_t own_node;    /* address, 0: none yet */
	uint32_t links_first; /* its slots in LINKS and FLIGHTS */
	uint32_t links_cnt;
	uint32_t reserved;
	char own_id[40]; /* identity as text */
	uint8_t pad[16];
};

struct dpt_stat_bearer {
	char name[64];
	char maddr[64];
	uint32_t is_up;
	uint32_t mtu;
	uint8_t pad[56];
};

struct dpt_stat_desc {
	char library[16];
	char name[32];
	char text[DPT_STAT_TEXT_BYTES];
	uint32_t kind; /* enum dpt_counter_kind */
	uint32_t reserved[3];
};

/*
 * Values of descs_cnt counters from one writer. name "": those of all sets with the same
 * descriptions are added up, and called by their library.
 */
struct dpt_stat_set {
	char name[24];
	uint32_t descs_first;
	uint32_t descs_cnt;
	uint32_t values_first;
	uint32_t reserved[7];
};

/* Lists of names. */
enum dpt_stat_list {
	DPT_STAT_L_REASON = 1,	   /* enum dpt_down_reason */
	DPT_STAT_L_STATE = 2,	   /* enum dpt_link_state */
	DPT_STAT_L_EVENT = 3,	   /* enum dpt_link_event */
	DPT_STAT_L_NODE_STATE = 4, /* enum dpt_node_state */
	DPT_STAT_L_NODE_EVENT = 5,
	DPT_STAT_L_USER = 6,	  /* enum dpt_user */
	DPT_STAT_L_TUNNEL = 7,	  /* enum dpt_flight_tunnel */
	DPT_STAT_L_KIND = 8,	  /* enum dpt_flight_kind: name */
	DPT_STAT_L_KIND_TEXT = 9, /* the same: text of dpt_flight.h */
	DPT_STAT_L_COUNTER = 10,  /* link counters, by index */
	DPT_STAT_L_NODE_COUNTER = 11,
};

struct dpt_stat_text {
	uint16_t list;
	uint16_t value;
	uint32_t reserved;
	char text[DPT_STAT_TEXT_BYTES + 24];
};

/* A link; its worker writes, a few links each time. Copies: state and ups are in FLIGHTS. */
struct dpt_stat_link {
	uint64_t clock_ns; /* of this copy; 0: none yet */
	char peer_id[40];
	char maddr[64]; /* of the peer, when known */
	uint8_t priority;
	char net_plane;
	uint8_t is_active;
	uint8_t reserved;
	uint16_t tolerance_ms;
	uint16_t mtu;
	uint16_t window;
	uint16_t reserved2;
	uint32_t descs_first; /* its counters: descriptions, values, how many */
	uint32_t values_first;
	uint32_t values_cnt;
	uint8_t pad[56];
};

struct dpt_stat_line {
	uint64_t real_ns;
	uint32_t number; /* as log_next when it was written, plus 1; 0: being written */
	uint32_t reserved;
	char text[DPT_STAT_LOG_TEXT_BYTES];
};

_Static_assert(sizeof(struct dpt_stat_hdr) == 312, "header");
_Static_assert(sizeof(struct dpt_stat_node) == 64, "node");
_Static_assert(sizeof(struct dpt_stat_worker) == 128, "worker");
_Static_assert(sizeof(struct dpt_stat_bearer) == 192, "bearer");
_Static_assert(sizeof(struct dpt_stat_desc) == 192, "description");
_Static_assert(sizeof(struct dpt_stat_set) == 64, "set");
_Static_assert(sizeof(struct dpt_stat_text) == 160, "name");
_Static_assert(sizeof(struct dpt_stat_link) == 192, "link");
_Static_assert(sizeof(struct dpt_stat_line) == 256, "line");

/* Octets of an entry of a part, as this header has it. */
uint32_t dpt_stat_entry_bytes(enum dpt_stat_part_id part);

/*
 * Fill hdr->parts' offsets and strides, and total_bytes; hdr->parts[].cnt is given. Parts
 * begin on lines of 64 octets.
 */
void dpt_stat_layout(struct dpt_stat_hdr *hdr);

/*
 * Is this the header of a stat file of file_bytes? Every part lies inside, entries are at
 * least as large as here. Returns 0, -EPROTO (not a stat file), -EPROTONOSUPPORT (another
 * version), -EINVAL (numbers).
 */
int dpt_stat_check(const struct dpt_stat_hdr *hdr, uint64_t file_bytes);

#endif /* DPT_STAT_H */
