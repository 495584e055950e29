/* SPDX-License-Identifier: BSD-3-Clause */
/* Trace ring. Contract: dpt_trace.h. */
#include "dpt_trace.h"

#include <string.h>

#include "dpt_assert.h"

/* FNV-1a, 64 bits. Src: Fowler, Noll, Vo; the offset basis and the prime. */
#define TRACE_HASH_BASIS UINT64_C(0xcbf29ce484222325)
#define TRACE_HASH_PRIME UINT64_C(0x100000001b3)

DPT_STATIC_ASSERT(sizeof(struct dpt_trace_rec) == 32, "records have a fixed size");
DPT_STATIC_ASSERT(offsetof(struct dpt_trace, recs) % 8 == 0, "records are aligned");

size_t
dpt_trace_size(uint32_t recs_cnt)
{
	return sizeof(struct dpt_trace) + (size_t)recs_cnt * sizeof(struct dpt_trace_rec);
}

void
dpt_trace_init(struct dpt_trace *trace, uint32_t recs_cnt)
{
	DPT_ASSERT(recs_cnt != 0);
	DPT_ASSERT((recs_cnt & (recs_cnt - 1)) == 0);
	memset(trace, 0, dpt_trace_size(recs_cnt));
	trace->hash = TRACE_HASH_BASIS;
	trace->recs_cnt = recs_cnt;
}

/*
 * One step per 64-bit word instead of per octet: the trace is always on. The shift
 * lets the upper half of a word reach the lower half of the hash, which the product
 * alone does not.
 */
static inline uint64_t
trace_hash(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * TRACE_HASH_PRIME;
	return hash ^ hash >> 32;
}

void
dpt_trace_add(struct dpt_trace *trace, uint64_t time_ns, uint16_t kind, uint16_t arg16,
	      uint32_t node, uint64_t arg0, uint64_t arg1)
{
	struct dpt_trace_rec *rec;
	uint64_t hash;

	if (trace == NULL)
		return;
	rec = &trace->recs[trace->next & (trace->recs_cnt - 1)];
	*rec = (struct dpt_trace_rec){.time_ns = time_ns,
				      .node = node,
				      .kind = kind,
				      .arg16 = arg16,
				      .arg0 = arg0,
				      .arg1 = arg1};
	hash = trace_hash(trace->hash, time_ns);
	hash = trace_hash(hash, (uint64_t)node << 32 | (uint64_t)kind << 16 | arg16);
	hash = trace_hash(hash, arg0);
	trace->hash = trace_hash(hash, arg1);
	trace->next++;
}
