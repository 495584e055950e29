/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trace ring. Goal: the last records are there in order, older ones are gone; the
 * hash tells two runs apart by any field and by the order of records.
 */
#include "base_suites.h"

#include <stdlib.h>

#include "dpt_trace.h"

static struct dpt_trace *
trace_new(uint32_t recs_cnt)
{
	struct dpt_trace *trace = malloc(dpt_trace_size(recs_cnt));

	CU_NOT_NULL_FATAL(trace);
	dpt_trace_init(trace, recs_cnt);
	return trace;
}

static void
trace_keeps_every_field(void)
{
	struct dpt_trace *trace = trace_new(2);
	const struct dpt_trace_rec *rec = &trace->recs[0];

	dpt_trace_add(trace, 1000, DPT_TRACE_KIND(DPT_TRACE_NODE, 3), 4, 5, 6, 7);
	CU_EQ_U64(trace->next, 1);
	CU_EQ_U64(rec->time_ns, 1000);
	CU_EQ_U64(rec->kind, 0x0203);
	CU_EQ_U64(rec->arg16, 4);
	CU_EQ_U64(rec->node, 5);
	CU_EQ_U64(rec->arg0, 6);
	CU_EQ_U64(rec->arg1, 7);
	free(trace);
}

static void
trace_overwrites_the_oldest(void)
{
	struct dpt_trace *trace = trace_new(4);

	for (uint64_t i = 0; i < 6; i++)
		dpt_trace_add(trace, i, 1, 0, 0, 0, 0);
	CU_EQ_U64(trace->next, 6);
	CU_EQ_U64(trace->recs[0].time_ns, 4);
	CU_EQ_U64(trace->recs[1].time_ns, 5);
	CU_EQ_U64(trace->recs[2].time_ns, 2);
	CU_EQ_U64(trace->recs[3].time_ns, 3);
	free(trace);
}

/* Six traces of one record, each with one field that differs, and one that is the same. */
static void
trace_hash_depends_on_every_field(void)
{
	uint64_t hashes[8];

	for (unsigned int i = 0; i < CU_CNT(hashes); i++) {
		struct dpt_trace *trace = trace_new(4);

		dpt_trace_add(trace, i == 1, i == 2, i == 3, i == 4, i == 5, i == 6);
		hashes[i] = trace->hash;
		free(trace);
	}
	for (unsigned int i = 1; i < 7; i++) {
		for (unsigned int j = 0; j < i; j++)
			CU_TRUE(hashes[i] != hashes[j]);
	}
	CU_EQ_U64(hashes[7], hashes[0]);
}

/* In a product alone, the highest bits of two words cancel each other out. */
static void
trace_hash_depends_on_the_highest_bits(void)
{
	struct dpt_trace *a = trace_new(4), *b = trace_new(4);

	dpt_trace_add(a, 0, 1, 0, 0, UINT64_C(1) << 63, UINT64_C(1) << 63);
	dpt_trace_add(b, 0, 1, 0, 0, 0, 0);
	CU_TRUE(a->hash != b->hash);
	free(a);
	free(b);
}

static void
trace_hash_depends_on_the_order(void)
{
	struct dpt_trace *a = trace_new(4), *b = trace_new(4);

	dpt_trace_add(a, 0, 1, 0, 0, 0, 0);
	dpt_trace_add(a, 0, 2, 0, 0, 0, 0);
	dpt_trace_add(b, 0, 2, 0, 0, 0, 0);
	dpt_trace_add(b, 0, 1, 0, 0, 0, 0);
	CU_TRUE(a->hash != b->hash);
	free(a);
	free(b);
}

static void
trace_add_to_no_trace_is_ignored(void)
{
	struct dpt_trace *trace = trace_new(1);
	uint64_t hash = trace->hash;

	dpt_trace_add(NULL, 1, 1, 1, 1, 1, 1);
	CU_EQ_U64(trace->next, 0);
	CU_EQ_U64(trace->hash, hash);
	free(trace);
}

static const struct cu_test tests[] = {
	CU_TEST(trace_keeps_every_field),	    CU_TEST(trace_overwrites_the_oldest),
	CU_TEST(trace_hash_depends_on_every_field), CU_TEST(trace_hash_depends_on_the_highest_bits),
	CU_TEST(trace_hash_depends_on_the_order),   CU_TEST(trace_add_to_no_trace_is_ignored),
};

const struct cu_suite base_trace_suite = CU_TEST_SUITE("trace", tests);
