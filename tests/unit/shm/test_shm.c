/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Layout of a region, and the log between a writer and a reader that each believe only
 * their own positions.
 *
 * Method: writer and reader in one thread, on a log of the smallest size, so that it wraps
 * often. A record's contents follow from its number. Hostile words come from a seed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cu.h"
#include "dpt_rng.h"
#include "dpt_shm.h"

#define LOG_BYTES     DPT_SHM_LOG_BYTES_MIN
#define LINES_CNT     (LOG_BYTES / DPT_SHM_LINE_BYTES)
#define REC_BYTES_MAX (DPT_PAYLOAD_BYTES_MAX + sizeof(struct dpt_rec_send))
/* The region's neighbourhood, which nobody may touch. */
#define FENCE_BYTES 4096

static uint8_t *area;
static _Atomic uint64_t consumed;
static struct dpt_log wr, rd;

static uint8_t *
log_base(void)
{
	return area + FENCE_BYTES;
}

static void
setup(void)
{
	if (!area)
		area = aligned_alloc(4096, LOG_BYTES + 2 * FENCE_BYTES);
	CU_TRUE_FATAL(area != NULL);
	memset(area, 0xa5, LOG_BYTES + 2 * FENCE_BYTES);
	memset(log_base(), 0, LOG_BYTES);
	consumed = 0;
	dpt_log_init(&wr, log_base(), LOG_BYTES, &consumed);
	dpt_log_init(&rd, log_base(), LOG_BYTES, &consumed);
}

static bool
fences_are_whole(void)
{
	uint32_t i;

	for (i = 0; i < FENCE_BYTES; i++)
		if (area[i] != 0xa5 || area[FENCE_BYTES + LOG_BYTES + i] != 0xa5)
			return false;
	return true;
}

static void
fill(void *rec, uint32_t bytes, uint32_t number)
{
	struct dpt_rec_hdr *hdr = rec;
	uint8_t *p = rec;
	uint32_t i;

	hdr->sock_idx = number;
	hdr->flags = 0;
	hdr->importance = 0;
	hdr->errcode = 0;
	for (i = sizeof(*hdr); i < bytes; i++)
		p[i] = (uint8_t)(number * 31 + i);
}

static bool
is_filled(const void *rec, uint32_t bytes, uint32_t number)
{
	const struct dpt_rec_hdr *hdr = rec;
	const uint8_t *p = rec;
	uint32_t i;

	if (hdr->sock_idx != number)
		return false;
	for (i = sizeof(*hdr); i < bytes; i++)
		if (p[i] != (uint8_t)(number * 31 + i))
			return false;
	return true;
}

static bool
put(uint32_t bytes, uint32_t number)
{
	void *rec = dpt_log_reserve(&wr, bytes);

	if (!rec)
		return false;
	fill(rec, bytes, number);
	dpt_log_commit(&wr, rec, DPT_REC_SEND, bytes);
	return true;
}

/* The next record has this number and size. */
static void
take(uint32_t bytes, uint32_t number)
{
	uint32_t got = 0;
	int error = -1;
	const void *rec = dpt_log_peek(&rd, sizeof(struct dpt_rec_hdr), &got, &error);

	CU_EQ_I64_FATAL(error, 0);
	CU_TRUE_FATAL(rec != NULL);
	CU_EQ_U64_FATAL(got, bytes);
	CU_TRUE_FATAL(is_filled(rec, bytes, number));
	dpt_log_advance(&rd, got);
}

static void
layout_parts_do_not_overlap(void)
{
	static const uint32_t socks[] = {1, 7, 64, 1024, 65536};
	struct dpt_shm_layout l;
	size_t i;

	for (i = 0; i < CU_CNT(socks); i++) {
		CU_EQ_I64_FATAL(dpt_shm_layout_init(&l, socks[i], 1u << 20, LOG_BYTES), 0);
		CU_TRUE(l.socks_offset >= sizeof(struct dpt_shm_hdr));
		CU_TRUE(l.channels_offset >=
			l.socks_offset + socks[i] * sizeof(struct dpt_shm_sock));
		CU_TRUE(l.channel_logs_offset >=
			l.channels_offset + DPT_SHM_CHANNELS * sizeof(struct dpt_shm_channel));
		CU_TRUE(l.rx_logs_offset >= l.channel_logs_offset + DPT_SHM_CHANNELS * (1u << 20));
		CU_EQ_U64(l.region_bytes, l.rx_logs_offset + (uint64_t)socks[i] * LOG_BYTES);
		CU_EQ_U64(l.socks_offset % 64, 0);
		CU_EQ_U64(l.rx_logs_offset % 64, 0);
	}
}

static void
layout_refuses_sizes_that_are_no_power_of_two_or_too_small(void)
{
	struct dpt_shm_layout l;

	CU_EQ_I64(dpt_shm_layout_init(&l, 0, LOG_BYTES, LOG_BYTES), -EINVAL);
	CU_EQ_I64(dpt_shm_layout_init(&l, 65537, LOG_BYTES, LOG_BYTES), -EINVAL);
	CU_EQ_I64(dpt_shm_layout_init(&l, 1, LOG_BYTES / 2, LOG_BYTES), -EINVAL);
	CU_EQ_I64(dpt_shm_layout_init(&l, 1, LOG_BYTES, LOG_BYTES + 64), -EINVAL);
	CU_EQ_I64(dpt_shm_layout_init(&l, 1, LOG_BYTES, 0), -EINVAL);
}

static void
region_check_takes_what_region_init_wrote(void)
{
	struct dpt_shm_layout l, seen;
	struct dpt_shm_hdr *hdr = aligned_alloc(64, sizeof(*hdr));

	CU_TRUE_FATAL(hdr != NULL);
	memset(hdr, 0, sizeof(*hdr));
	CU_EQ_I64_FATAL(dpt_shm_layout_init(&l, 8, LOG_BYTES, LOG_BYTES), 0);
	dpt_shm_region_init(hdr, &l);
	CU_EQ_I64(dpt_shm_region_check(hdr, l.region_bytes, &seen), 0);
	CU_EQ_MEM(&l, &seen, sizeof(l));
	CU_EQ_I64(dpt_shm_region_check(hdr, l.region_bytes - 1, &seen), -EINVAL);
	CU_EQ_I64(dpt_shm_region_check(hdr, 100, &seen), -EPROTO);
	hdr->abi_version++;
	CU_EQ_I64(dpt_shm_region_check(hdr, l.region_bytes, &seen), -EPROTONOSUPPORT);
	hdr->abi_version--;
	hdr->rx_logs_offset += 64;
	CU_EQ_I64(dpt_shm_region_check(hdr, l.region_bytes, &seen), -EINVAL);
	hdr->rx_logs_offset -= 64;
	hdr->magic ^= 1;
	CU_EQ_I64(dpt_shm_region_check(hdr, l.region_bytes, &seen), -EPROTO);
	free(hdr);
}

static void
empty_log_has_nothing(void)
{
	uint32_t bytes;
	int error = -1;

	setup();
	CU_TRUE(dpt_log_is_empty(&rd));
	CU_IS_NULL(dpt_log_peek(&rd, 16, &bytes, &error));
	CU_EQ_I64(error, 0);
}

static void
records_come_in_order_and_whole(void)
{
	uint32_t i;

	setup();
	for (i = 0; i < 100; i++)
		CU_TRUE_FATAL(put(16 + i * 7, i));
	CU_FALSE(dpt_log_is_empty(&rd));
	for (i = 0; i < 100; i++)
		take(16 + i * 7, i);
	CU_TRUE(dpt_log_is_empty(&rd));
}

static void
reserved_record_may_be_abandoned(void)
{
	setup();
	CU_TRUE(dpt_log_reserve(&wr, 500) != NULL);
	CU_TRUE(dpt_log_is_empty(&rd));
	CU_TRUE(put(40, 1));
	take(40, 1);
}

/* Any mix of sizes, many laps, the reader a varying way behind: every record arrives. */
static void
wraps_with_any_sizes(void)
{
	static uint32_t sizes[8192];
	struct dpt_rng rng;
	uint32_t head = 0, tail = 0, wraps = 0;

	setup();
	dpt_rng_seed(&rng, cu_seed());
	while (wr.pos < 40 * LINES_CNT) {
		uint32_t bytes =
			16 + dpt_rng_below(&rng, dpt_rng_below(&rng, 3) ? 200 : REC_BYTES_MAX - 16);

		if (head - tail < 8192 && dpt_rng_below(&rng, 2) && put(bytes, head)) {
			sizes[head++ % 8192] = bytes;
		} else if (tail != head) {
			take(sizes[tail % 8192], tail);
			tail++;
		} else {
			wraps++;
		}
	}
	while (tail != head) {
		take(sizes[tail % 8192], tail);
		tail++;
	}
	CU_TRUE(dpt_log_is_empty(&rd));
	CU_TRUE(head > 100);
	CU_TRUE(fences_are_whole());
}

/* Octets of old payloads that look like tags are never taken for a record. */
static void
payload_that_looks_like_a_tag_is_no_record(void)
{
	uint32_t lap, i, bytes, word;
	int error;
	uint8_t *rec;

	setup();
	for (lap = 0; lap < 3; lap++) {
		uint64_t end = (wr.pos / LINES_CNT + 1) * LINES_CNT;

		while (wr.pos < end) {
			bytes = 64 * 11;
			rec = dpt_log_reserve(&wr, bytes);
			CU_TRUE_FATAL(rec != NULL);
			/* Each line begins with the tag that it would have on the next lap. */
			for (i = 1; i < 11; i++) {
				word = 0x80000000u |
				       ((uint32_t)((rec - log_base()) / 64 + i + 1 + end) &
					0x7fffffff);
				memcpy(rec + 64 * i, &word, 4);
			}
			dpt_log_commit(&wr, rec, DPT_REC_SEND, bytes);
			CU_TRUE_FATAL(dpt_log_peek(&rd, 16, &bytes, &error) != NULL);
			dpt_log_advance(&rd, bytes);
			CU_IS_NULL(dpt_log_peek(&rd, 16, &bytes, &error));
			CU_EQ_I64_FATAL(error, 0);
		}
	}
}

static void
full_log_refuses_and_goes_on_after_publication(void)
{
	uint32_t n = 0, i;

	setup();
	while (put(64, n))
		n++;
	/* One line stays free: the word behind the last record is zeroed. */
	CU_EQ_U64(n, LINES_CNT - 1);
	take(64, 0);
	CU_FALSE(put(64, n));
	dpt_log_publish(&rd);
	CU_TRUE(put(64, n));
	CU_FALSE(put(64, n + 1));
	for (i = 1; i <= n; i++)
		take(64, i);
}

static void
reader_publishes_once_per_quarter(void)
{
	uint32_t i, published = 0, bytes;
	int error;

	setup();
	for (i = 0; i < LINES_CNT - 1; i++)
		CU_TRUE_FATAL(put(64, i));
	for (i = 0; i < LINES_CNT - 1; i++) {
		CU_TRUE_FATAL(dpt_log_peek(&rd, 16, &bytes, &error) != NULL);
		published += dpt_log_advance(&rd, bytes);
	}
	CU_EQ_U64(published, 3);
	CU_EQ_U64(consumed, 3 * (LINES_CNT / 4));
	dpt_log_publish(&rd);
	CU_EQ_U64(consumed, LINES_CNT - 1);
}

/* A reader that stops without publishing never keeps out the largest record. */
static void
largest_record_fits_with_a_quarter_unpublished(void)
{
	uint32_t start, i;

	for (start = 0; start < LINES_CNT; start += 61) {
		setup();
		for (i = 0; i < start; i++) {
			CU_TRUE_FATAL(put(64, i));
			take(64, i);
		}
		dpt_log_publish(&rd);
		for (i = 0; i < LINES_CNT / 4 - 1; i++) {
			CU_TRUE_FATAL(put(64, i));
			take(64, i);
		}
		CU_TRUE_FATAL(put(REC_BYTES_MAX, 5));
		take(REC_BYTES_MAX, 5);
	}
}

static void
consumed_beyond_what_was_written_is_ignored(void)
{
	static const uint64_t lies[] = {UINT64_MAX, UINT64_MAX / 2, LINES_CNT * 2, LINES_CNT};
	uint32_t n = 0;
	size_t i;

	setup();
	while (put(64, n))
		n++;
	for (i = 0; i < CU_CNT(lies); i++) {
		consumed = lies[i];
		CU_FALSE(put(64, n));
	}
	/* Going back is not believed either. */
	consumed = 100;
	CU_TRUE(put(64, n));
	consumed = 5;
	for (i = 0; i < 99; i++)
		CU_TRUE(put(64, n + 1 + i));
	CU_FALSE(put(64, 0));
}

static void
record_with_a_false_size_is_refused(void)
{
	static const uint32_t lies[] = {0, 1, 15, LOG_BYTES + 1, UINT32_MAX, UINT32_MAX - 62};
	struct dpt_rec_hdr *hdr;
	uint32_t bytes;
	int error;
	size_t i;

	for (i = 0; i < CU_CNT(lies); i++) {
		setup();
		CU_TRUE_FATAL(put(64, 1));
		hdr = (struct dpt_rec_hdr *)log_base();
		hdr->bytes = lies[i];
		error = 0;
		CU_IS_NULL(dpt_log_peek(&rd, 16, &bytes, &error));
		CU_EQ_I64(error, -EPROTO);
	}
	setup();
	CU_TRUE_FATAL(put(20, 1));
	CU_IS_NULL(dpt_log_peek(&rd, 28, &bytes, &error));
	CU_EQ_I64(error, -EPROTO);
}

/* A PAD that fills the ring would let the reader run in circles. */
static void
pad_of_a_whole_ring_is_refused(void)
{
	struct dpt_rec_hdr *hdr;
	uint32_t bytes;
	int error = 0;

	setup();
	CU_TRUE_FATAL(put(64, 1));
	hdr = (struct dpt_rec_hdr *)log_base();
	hdr->kind = DPT_REC_PAD;
	hdr->bytes = LOG_BYTES;
	CU_IS_NULL(dpt_log_peek(&rd, 16, &bytes, &error));
	CU_EQ_I64(error, -EPROTO);
	CU_EQ_U64(rd.pos, 0);
}

static void
word_that_is_neither_zero_nor_the_tag_is_refused(void)
{
	struct dpt_rec_hdr *hdr;
	uint32_t bytes;
	int error = 0;

	setup();
	hdr = (struct dpt_rec_hdr *)log_base();
	hdr->state = 0x80000002;
	CU_FALSE(dpt_log_is_empty(&rd));
	CU_IS_NULL(dpt_log_peek(&rd, 16, &bytes, &error));
	CU_EQ_I64(error, -EPROTO);
}

/* Every word of the log and consumed scribbled over by seed: both sides stay inside. */
static void
scribbling_keeps_both_sides_inside(void)
{
	uint32_t *words, i, n, bytes, seed;
	struct dpt_rng rng;
	const uint8_t *rec;
	int error;

	for (seed = 0; seed < 200; seed++) {
		setup();
		words = (uint32_t *)log_base();
		dpt_rng_seed(&rng, cu_seed() + seed);
		for (i = 0; i < 400; i++) {
			bytes = 16 + dpt_rng_below(&rng, REC_BYTES_MAX - 16);
			if (dpt_rng_below(&rng, 2))
				put(bytes, i);
			for (n = dpt_rng_below(&rng, 64); n > 0; n--)
				words[dpt_rng_below(&rng, LOG_BYTES / 4)] = dpt_rng_u32(&rng);
			/* Likely places: where the reader looks, and the sizes behind. */
			words[(rd.pos % LINES_CNT) * 16 + 1 + dpt_rng_below(&rng, 3)] =
				dpt_rng_below(&rng, 2) ? dpt_rng_u32(&rng) : dpt_rng_below(&rng, 5);
			consumed = dpt_rng_below(&rng, 2) ? dpt_rng_u64(&rng)
							  : wr.pos + 5 - dpt_rng_below(&rng, 10);
			rec = dpt_log_peek(&rd, 16, &bytes, &error);
			if (!rec)
				continue;
			CU_TRUE_FATAL(rec >= log_base());
			CU_TRUE_FATAL(rec + bytes <= log_base() + LOG_BYTES);
			dpt_log_advance(&rd, bytes);
		}
		CU_TRUE_FATAL(fences_are_whole());
	}
}

/*
 * The writer's process died after publication, before it stored its position: the next
 * writer steps over the record, with the PAD before it too.
 */
static void
resync_steps_over_what_was_published(void)
{
	struct dpt_log before;
	uint32_t i;

	setup();
	before = wr;
	CU_TRUE_FATAL(put(300, 1));
	wr = before;
	CU_EQ_I64(dpt_log_resync(&wr), 0);
	CU_EQ_U64(wr.pos, 5);
	take(300, 1);
	for (i = 0; wr.pos < LINES_CNT - 10; i++) {
		CU_TRUE_FATAL(put(64, i));
		take(64, i);
	}
	before = wr;
	CU_TRUE_FATAL(put(64 * 20, 7));
	wr = before;
	CU_EQ_I64(dpt_log_resync(&wr), 0);
	CU_EQ_U64(wr.pos, LINES_CNT + 20);
	CU_TRUE_FATAL(put(100, 8));
	take(64 * 20, 7);
	take(100, 8);
	CU_EQ_I64(dpt_log_resync(&wr), 0);
	CU_EQ_U64(wr.pos, LINES_CNT + 22);
}

static void
reset_log_starts_anew(void)
{
	uint32_t i;

	setup();
	for (i = 0; i < 77; i++)
		CU_TRUE_FATAL(put(64, i));
	dpt_log_reset(&wr);
	dpt_log_init(&rd, log_base(), LOG_BYTES, &consumed);
	CU_TRUE(dpt_log_is_empty(&rd));
	for (i = 0; i < LINES_CNT - 1; i++)
		CU_TRUE_FATAL(put(64, i + 500));
	for (i = 0; i < LINES_CNT - 1; i++)
		take(64, i + 500);
	CU_TRUE(dpt_log_is_empty(&rd));
}

static const struct cu_test tests[] = {
	CU_TEST(layout_parts_do_not_overlap),
	CU_TEST(layout_refuses_sizes_that_are_no_power_of_two_or_too_small),
	CU_TEST(region_check_takes_what_region_init_wrote),
	CU_TEST(empty_log_has_nothing),
	CU_TEST(records_come_in_order_and_whole),
	CU_TEST(reserved_record_may_be_abandoned),
	CU_TEST(wraps_with_any_sizes),
	CU_TEST(payload_that_looks_like_a_tag_is_no_record),
	CU_TEST(full_log_refuses_and_goes_on_after_publication),
	CU_TEST(reader_publishes_once_per_quarter),
	CU_TEST(largest_record_fits_with_a_quarter_unpublished),
	CU_TEST(consumed_beyond_what_was_written_is_ignored),
	CU_TEST(record_with_a_false_size_is_refused),
	CU_TEST(pad_of_a_whole_ring_is_refused),
	CU_TEST(word_that_is_neither_zero_nor_the_tag_is_refused),
	CU_TEST(scribbling_keeps_both_sides_inside),
	CU_TEST(resync_steps_over_what_was_published),
	CU_TEST(reset_log_starts_anew),
};

int
main(int argc, char **argv)
{
	int rc = cu_main(argc, argv, "shm", tests, CU_CNT(tests));

	free(area);
	return rc;
}
