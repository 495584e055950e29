/* SPDX-License-Identifier: BSD-3-Clause */
/* Layout of the stat file, made and checked. Contract: dpt_stat.h. */
#include "dpt_stat.h"

#include <errno.h>

#define LINE 64

uint32_t
dpt_stat_entry_bytes(enum dpt_stat_part_id part)
{
	static const uint32_t bytes[DPT_STAT_PARTS_CNT] = {
		[DPT_STAT_NODE] = sizeof(struct dpt_stat_node),
		[DPT_STAT_WORKERS] = sizeof(struct dpt_stat_worker),
		[DPT_STAT_BEARERS] = sizeof(struct dpt_stat_bearer),
		[DPT_STAT_DESCS] = sizeof(struct dpt_stat_desc),
		[DPT_STAT_SETS] = sizeof(struct dpt_stat_set),
		[DPT_STAT_VALUES] = sizeof(uint64_t),
		[DPT_STAT_NAMES] = sizeof(struct dpt_stat_text),
		[DPT_STAT_LINKS] = sizeof(struct dpt_stat_link),
		[DPT_STAT_FLIGHTS] = sizeof(struct dpt_flight),
		[DPT_STAT_CHANGES] = sizeof(struct dpt_flight_log),
		[DPT_STAT_LOG] = sizeof(struct dpt_stat_line),
	};

	return bytes[part];
}

void
dpt_stat_layout(struct dpt_stat_hdr *hdr)
{
	uint64_t offset = (sizeof(*hdr) + LINE - 1) / LINE * LINE;

	for (uint32_t i = 0; i < DPT_STAT_PARTS_CNT; i++) {
		struct dpt_stat_part *part = &hdr->parts[i];

		part->offset = offset;
		part->stride = dpt_stat_entry_bytes((enum dpt_stat_part_id)i);
		offset += (uint64_t)part->cnt * part->stride;
		offset = (offset + LINE - 1) / LINE * LINE;
	}
	hdr->total_bytes = offset;
}

int
dpt_stat_check(const struct dpt_stat_hdr *hdr, uint64_t file_bytes)
{
	if (file_bytes < sizeof(*hdr) || hdr->magic != DPT_STAT_MAGIC)
		return -EPROTO;
	if (hdr->version != DPT_STAT_VERSION)
		return -EPROTONOSUPPORT;
	if (hdr->total_bytes > file_bytes)
		return -EINVAL;
	for (uint32_t i = 0; i < DPT_STAT_PARTS_CNT; i++) {
		const struct dpt_stat_part *part = &hdr->parts[i];
		/* Both below 2^32: the product fits. */
		uint64_t bytes = (uint64_t)part->cnt * part->stride;

		if (part->stride < dpt_stat_entry_bytes((enum dpt_stat_part_id)i) ||
		    part->offset % 8 != 0 || part->stride % 8 != 0)
			return -EINVAL;
		if (part->offset > hdr->total_bytes || bytes > hdr->total_bytes - part->offset)
			return -EINVAL;
	}
	if (hdr->parts[DPT_STAT_NODE].cnt != 1)
		return -EINVAL;
	return 0;
}
