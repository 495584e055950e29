/* SPDX-License-Identifier: BSD-3-Clause */

/* The log: writer and reader. Layout and rules are in dpt_shm.h. */

#include "dpt_shm.h"

#include <errno.h>
#include <string.h>

#include "dpt_assert.h"

#define LINE_SHIFT 6

static uint32_t
tag_of(uint64_t pos)
{
	return UINT32_C(0x80000000) | ((uint32_t)(pos + 1) & UINT32_C(0x7fffffff));
}

/* 64 bits: bytes may be anything that an application wrote. */
static uint64_t
lines_of(uint64_t bytes)
{
	return (bytes + DPT_SHM_LINE_BYTES - 1) >> LINE_SHIFT;
}

static struct dpt_rec_hdr *
rec_at(const struct dpt_log *log, uint64_t pos)
{
	return (struct dpt_rec_hdr *)(log->base + ((pos & (log->lines_cnt - 1)) << LINE_SHIFT));
}

/* Lines from pos to the end of the ring. */
static uint64_t
lines_to_end(const struct dpt_log *log, uint64_t pos)
{
	return log->lines_cnt - (pos & (log->lines_cnt - 1));
}

void
dpt_log_init(struct dpt_log *log, void *base, uint32_t bytes, _Atomic uint64_t *consumed)
{
	DPT_ASSERT(((uintptr_t)base & (DPT_SHM_LINE_BYTES - 1)) == 0);
	DPT_ASSERT(bytes >= DPT_SHM_LOG_BYTES_MIN);
	DPT_ASSERT((bytes & (bytes - 1)) == 0);
	log->base = base;
	log->lines_cnt = bytes >> LINE_SHIFT;
	log->pos = 0;
	log->limit = log->lines_cnt;
	log->published = 0;
	log->consumed = consumed;
}

void
dpt_log_reset(struct dpt_log *log)
{
	log->pos = 0;
	log->limit = log->lines_cnt;
	log->published = 0;
	atomic_store_explicit(log->consumed, 0, memory_order_relaxed);
	atomic_store_explicit(&rec_at(log, 0)->state, 0, memory_order_release);
}

/* Read consumed again: within what is outstanding, or it is ignored. */
static void
limit_update(struct dpt_log *log)
{
	/* Pairs with dpt_log_publish: the reader has left the lines before. */
	uint64_t consumed = atomic_load_explicit(log->consumed, memory_order_acquire);
	uint64_t oldest = log->limit - log->lines_cnt;

	if (consumed > oldest && consumed <= log->pos)
		log->limit = consumed + log->lines_cnt;
}

void *
dpt_log_reserve(struct dpt_log *log, uint32_t bytes)
{
	uint64_t lines = lines_of(bytes);
	uint64_t to_end = lines_to_end(log, log->pos);
	uint64_t pad = lines > to_end ? to_end : 0;

	DPT_ASSERT(bytes >= sizeof(struct dpt_rec_hdr));
	DPT_ASSERT(lines <= log->lines_cnt / 8 * 3);
	/* One line more: the word behind the record is zeroed. */
	if (log->pos + pad + lines + 1 > log->limit) {
		limit_update(log);
		if (log->pos + pad + lines + 1 > log->limit)
			return NULL;
	}
	return rec_at(log, log->pos + pad);
}

static void
publish_rec(struct dpt_log *log, uint64_t pos, uint8_t kind, uint32_t bytes)
{
	struct dpt_rec_hdr *hdr = rec_at(log, pos);

	hdr->bytes = bytes;
	hdr->kind = kind;
	/* Pairs with dpt_log_peek: without it the reader could see old octets. */
	atomic_store_explicit(&hdr->state, tag_of(pos), memory_order_release);
}

void
dpt_log_commit(struct dpt_log *log, void *rec, uint8_t kind, uint32_t bytes)
{
	uint64_t pad = rec == rec_at(log, log->pos) ? 0 : lines_to_end(log, log->pos);
	uint64_t start = log->pos + pad;
	uint64_t end = start + lines_of(bytes);

	DPT_DEBUG_ASSERT(rec == rec_at(log, start));
	/* Before the record is seen: the reader looks there next. */
	atomic_store_explicit(&rec_at(log, end)->state, 0, memory_order_relaxed);
	publish_rec(log, start, kind, bytes);
	if (pad)
		publish_rec(log, log->pos, DPT_REC_PAD, (uint32_t)(pad << LINE_SHIFT));
	log->pos = end;
}

/*
 * The record at pos: its size and kind, each read once. Returns 1, 0 (nothing there), or
 * -EPROTO.
 */
static int
rec_look(const struct dpt_log *log, uint64_t pos, uint32_t *bytes, uint8_t *kind)
{
	struct dpt_rec_hdr *hdr = rec_at(log, pos);
	uint32_t state = atomic_load_explicit(&hdr->state, memory_order_acquire);
	uint64_t to_end = lines_to_end(log, pos);

	if (state == 0)
		return 0;
	if (state != tag_of(pos))
		return -EPROTO;
	*bytes = __atomic_load_n(&hdr->bytes, __ATOMIC_RELAXED);
	*kind = __atomic_load_n(&hdr->kind, __ATOMIC_RELAXED);
	if (*bytes < sizeof(*hdr) || lines_of(*bytes) > to_end)
		return -EPROTO;
	/* A PAD reaches exactly to the end, and does not fill the whole ring. */
	if (*kind == DPT_REC_PAD && (lines_of(*bytes) != to_end || to_end == log->lines_cnt))
		return -EPROTO;
	return 1;
}

int
dpt_log_resync(struct dpt_log *log)
{
	uint32_t bytes;
	uint8_t kind;
	int i, rc;

	/* One commit publishes at most a PAD and a record. */
	for (i = 0; i < 2; i++) {
		rc = rec_look(log, log->pos, &bytes, &kind);
		if (rc <= 0)
			return rc;
		log->pos += lines_of(bytes);
	}
	return 0;
}

const void *
dpt_log_peek(struct dpt_log *log, uint32_t min_bytes, uint32_t *bytes, int *error)
{
	uint8_t kind;
	int rc;

	*error = 0;
	rc = rec_look(log, log->pos, bytes, &kind);
	if (rc == 1 && kind == DPT_REC_PAD) {
		/* Line 0 cannot hold another PAD. */
		log->pos += lines_of(*bytes);
		rc = rec_look(log, log->pos, bytes, &kind);
	}
	if (rc == 1 && *bytes < min_bytes)
		rc = -EPROTO;
	if (rc == 1)
		return rec_at(log, log->pos);
	*error = rc;
	return NULL;
}

bool
dpt_log_advance(struct dpt_log *log, uint32_t bytes)
{
	log->pos += lines_of(bytes);
	if (log->pos - log->published < log->lines_cnt / 4)
		return false;
	dpt_log_publish(log);
	return true;
}

void
dpt_log_publish(struct dpt_log *log)
{
	if (log->published == log->pos)
		return;
	log->published = log->pos;
	/* Pairs with limit_update: our reads of the lines come before. */
	atomic_store_explicit(log->consumed, log->pos, memory_order_release);
}

bool
dpt_log_is_empty(const struct dpt_log *log)
{
	return atomic_load_explicit(&rec_at(log, log->pos)->state, memory_order_acquire) == 0;
}
