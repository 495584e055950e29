/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_TRACE_H
#define DPT_TRACE_H

/*
 * Always-on trace: a ring of fixed 32-octet records in the caller's memory, one
 * writer (the owner shard), overwriting the oldest. A running hash over all
 * records identifies a run of the simulator (promise P12).
 */

#include <stddef.h>
#include <stdint.h>

struct dpt_trace_rec {
	uint64_t time_ns;
	uint32_t node; /* peer concerned, 0 when none */
	uint16_t kind; /* enum of the library: high octet library, low octet record */
	uint16_t arg16;
	uint64_t arg0;
	uint64_t arg1;
};

struct dpt_trace {
	uint64_t next;	   /* records ever written */
	uint64_t hash;	   /* FNV-1a over all records in order */
	uint32_t recs_cnt; /* power of two */
	uint32_t reserved;
	struct dpt_trace_rec recs[];
};

/* Libraries, the high octet of a record's kind. */
enum dpt_trace_lib {
	DPT_TRACE_LINK = 1,
	DPT_TRACE_NODE = 2,
	DPT_TRACE_BCAST = 3,
	DPT_TRACE_DISC = 4,
	DPT_TRACE_NAMES = 5,
	DPT_TRACE_SOCK = 6,
	DPT_TRACE_STACK = 7,
};

#define DPT_TRACE_KIND(lib, rec) ((uint16_t)((lib) << 8 | (rec)))

/* Octets that a trace with recs_cnt records (a power of two) needs. */
size_t dpt_trace_size(uint32_t recs_cnt);
void dpt_trace_init(struct dpt_trace *trace, uint32_t recs_cnt);

/* Append a record. trace may be NULL: nothing is recorded. */
void dpt_trace_add(struct dpt_trace *trace, uint64_t time_ns, uint16_t kind, uint16_t arg16,
		   uint32_t node, uint64_t arg0, uint64_t arg1);

#endif /* DPT_TRACE_H */
