/* SPDX-License-Identifier: BSD-3-Clause */
/* Records in payloads: gap ack blocks, domains, names. Contract: dpt_records.h. */
#include "dpt_records.h"

#include <errno.h>

#include "wire_priv.h"

#define GAP_FIXED_BYTES	   4
#define GAP_BLOCK_BYTES	   4
#define DOMAIN_FIXED_BYTES 16

static uint8_t *
gap_blocks_encode(const struct dpt_gap_block *blocks, unsigned int cnt, uint8_t *dst)
{
	for (unsigned int i = 0; i < cnt; i++, dst += GAP_BLOCK_BYTES) {
		put_be16(dst, blocks[i].ack);
		put_be16(dst + 2, blocks[i].gap);
	}
	return dst;
}

uint32_t
dpt_gap_record_encode(const struct dpt_gap_record *rec, uint8_t *dst)
{
	uint8_t *end;

	DPT_ASSERT(rec->ucast_cnt <= DPT_GAP_BLOCKS_MAX);
	DPT_ASSERT(rec->bcast_cnt <= DPT_GAP_BLOCKS_MAX);
	/* The counts come unicast first, the blocks broadcast first. */
	dst[2] = rec->ucast_cnt;
	dst[3] = rec->bcast_cnt;
	end = gap_blocks_encode(rec->bcast, rec->bcast_cnt, dst + GAP_FIXED_BYTES);
	end = gap_blocks_encode(rec->ucast, rec->ucast_cnt, end);
	put_be16(dst, (uint16_t)(end - dst));
	return (uint32_t)(end - dst);
}

/* Read cnt blocks, keep the first ones. Returns how many are kept. */
static uint8_t
gap_blocks_decode(struct dpt_gap_block *blocks, const uint8_t *src, unsigned int cnt)
{
	if (cnt > DPT_GAP_BLOCKS_MAX)
		cnt = DPT_GAP_BLOCKS_MAX;
	for (unsigned int i = 0; i < cnt; i++, src += GAP_BLOCK_BYTES) {
		blocks[i].ack = get_be16(src);
		blocks[i].gap = get_be16(src + 2);
	}
	return (uint8_t)cnt;
}

int
dpt_gap_record_decode(struct dpt_gap_record *rec, const uint8_t *src, uint32_t bytes)
{
	unsigned int len, ucast_cnt, bcast_cnt;
	const uint8_t *blocks = src + GAP_FIXED_BYTES;

	rec->ucast_cnt = 0;
	rec->bcast_cnt = 0;
	if (bytes < GAP_FIXED_BYTES)
		return -EINVAL;
	len = get_be16(src);
	ucast_cnt = src[2];
	bcast_cnt = src[3];
	if (len > bytes)
		return -EINVAL;
	if (len == GAP_FIXED_BYTES + GAP_BLOCK_BYTES * (ucast_cnt + bcast_cnt)) {
		rec->bcast_cnt = gap_blocks_decode(rec->bcast, blocks, bcast_cnt);
		rec->ucast_cnt = gap_blocks_decode(rec->ucast, blocks + GAP_BLOCK_BYTES * bcast_cnt,
						   ucast_cnt);
	} else if (len == GAP_FIXED_BYTES + GAP_BLOCK_BYTES * ucast_cnt) {
		/* A peer that knows unicast blocks only. */
		rec->ucast_cnt = gap_blocks_decode(rec->ucast, blocks, ucast_cnt);
	}
	return (int)len;
}

uint32_t
dpt_domain_record_encode(const struct dpt_domain_record *rec, uint8_t *dst)
{
	uint32_t len = DOMAIN_FIXED_BYTES + 4 * (uint32_t)rec->member_cnt;

	DPT_ASSERT(rec->member_cnt <= DPT_DOMAIN_MEMBERS_MAX);
	put_be16(dst, (uint16_t)len);
	put_be16(dst + 2, rec->gen);
	put_be16(dst + 4, rec->ack_gen);
	put_be16(dst + 6, rec->member_cnt);
	dpt_msg_set_word(dst, 2, (uint32_t)(rec->up_map >> 32));
	dpt_msg_set_word(dst, 3, (uint32_t)rec->up_map);
	for (unsigned int i = 0; i < rec->member_cnt; i++)
		dpt_msg_set_word(dst, 4 + i, rec->members[i].value);
	return len;
}

int
dpt_domain_record_decode(struct dpt_domain_record *rec, const uint8_t *src, uint32_t bytes)
{
	*rec = (struct dpt_domain_record){0};
	if (bytes < DOMAIN_FIXED_BYTES)
		return -EINVAL;
	rec->member_cnt = get_be16(src + 6);
	if (rec->member_cnt > DPT_DOMAIN_MEMBERS_MAX ||
	    bytes != DOMAIN_FIXED_BYTES + 4 * (uint32_t)rec->member_cnt || get_be16(src) != bytes) {
		rec->member_cnt = 0;
		return -EINVAL;
	}
	rec->gen = get_be16(src + 2);
	rec->ack_gen = get_be16(src + 4);
	/* Without members kernels send memory that nobody has written. */
	if (rec->member_cnt != 0)
		rec->up_map = (uint64_t)dpt_msg_word(src, 2) << 32 | dpt_msg_word(src, 3);
	for (unsigned int i = 0; i < rec->member_cnt; i++)
		rec->members[i] = dpt_node_addr(dpt_msg_word(src, 4 + i));
	return 0;
}

void
dpt_name_item_encode(const struct dpt_name_item *item, uint8_t dst[DPT_NAME_ITEM_BYTES])
{
	dpt_msg_set_word(dst, 0, item->type);
	dpt_msg_set_word(dst, 1, item->lower);
	dpt_msg_set_word(dst, 2, item->upper);
	dpt_msg_set_word(dst, 3, item->port.ref);
	dpt_msg_set_word(dst, 4, item->key);
}

void
dpt_name_item_decode(struct dpt_name_item *item, const uint8_t src[DPT_NAME_ITEM_BYTES])
{
	item->type = dpt_msg_word(src, 0);
	item->lower = dpt_msg_word(src, 1);
	item->upper = dpt_msg_word(src, 2);
	item->port = dpt_port(dpt_msg_word(src, 3));
	item->key = dpt_msg_word(src, 4);
}
