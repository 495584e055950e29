/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serial numbers, ids and the generator. Goal: the comparison is that of
 * 03-link-node.md section 2 also across the wrap; a seed gives one known sequence.
 */
#include "base_suites.h"

#include "dpt_ids.h"
#include "dpt_rng.h"
#include "dpt_seq.h"

static void
seq_compares_modulo_2_to_the_16(void)
{
	CU_TRUE(dpt_seq_lt(0xffff, 0));
	CU_FALSE(dpt_seq_lt(0, 0xffff));
	CU_TRUE(dpt_seq_le(7, 7));
	CU_FALSE(dpt_seq_lt(7, 7));
	CU_TRUE(dpt_seq_lt(0, 0x7fff));
	CU_FALSE(dpt_seq_le(0, 0x8000));
	CU_TRUE(dpt_seq_le(0xfff0, 0x7fef));
	CU_FALSE(dpt_seq_le(0xfff0, 0x7ff0));
}

static void
seq_range_spans_the_wrap(void)
{
	CU_TRUE(dpt_seq_in(0xfffe, 0xfffe, 2));
	CU_TRUE(dpt_seq_in(0xfffe, 1, 2));
	CU_TRUE(dpt_seq_in(0xfffe, 2, 2));
	CU_FALSE(dpt_seq_in(0xfffe, 3, 2));
	CU_FALSE(dpt_seq_in(0xfffe, 0xfffd, 2));
	CU_EQ_U64(dpt_seq_dist(0xfffe, 2), 4);
	CU_EQ_U64(dpt_seq_dist(2, 0xfffe), 65532);
}

static void
node_ids_compare_all_16_octets(void)
{
	struct dpt_node_id a = {{0}}, b = {{0}};

	CU_TRUE(dpt_node_id_is_zero(&a));
	b.bytes[15] = 1;
	CU_FALSE(dpt_node_id_eq(&a, &b));
	CU_FALSE(dpt_node_id_is_zero(&b));
	CU_TRUE(dpt_node_addr_eq(dpt_node_addr(5), dpt_node_addr(5)));
}

/* The published reference values of splitmix64 for seed 1234567. */
static void
rng_is_splitmix64(void)
{
	static const uint64_t expected[] = {
		UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
		UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
		UINT64_C(16408922859458223821)};
	struct dpt_rng rng;

	dpt_rng_seed(&rng, 1234567);
	for (size_t i = 0; i < CU_CNT(expected); i++)
		CU_EQ_U64(dpt_rng_u64(&rng), expected[i]);
}

static void
rng_below_stays_below_and_reaches_every_value(void)
{
	unsigned int seen = 0;
	struct dpt_rng rng;

	dpt_rng_seed(&rng, cu_seed());
	for (unsigned int i = 0; i < 1000; i++) {
		uint32_t value = dpt_rng_below(&rng, 7);

		CU_TRUE_FATAL(value < 7);
		seen |= 1u << value;
	}
	CU_EQ_U64(seen, 0x7f);
	CU_EQ_U64(dpt_rng_below(&rng, 1), 0);
}

static const struct cu_test tests[] = {
	CU_TEST(seq_compares_modulo_2_to_the_16),
	CU_TEST(seq_range_spans_the_wrap),
	CU_TEST(node_ids_compare_all_16_octets),
	CU_TEST(rng_is_splitmix64),
	CU_TEST(rng_below_stays_below_and_reaches_every_value),
};

const struct cu_suite base_num_suite = CU_TEST_SUITE("num", tests);
