/* SPDX-License-Identifier: BSD-3-Clause */

/* Layout of a region and the check of one. The logs are in dpt_log.c. */

#include "dpt_shm.h"

#include <errno.h>
#include <string.h>

static uint64_t
line_up(uint64_t bytes)
{
	return (bytes + DPT_SHM_LINE_BYTES - 1) & ~(uint64_t)(DPT_SHM_LINE_BYTES - 1);
}

static bool
is_log_size(uint32_t bytes)
{
	return bytes >= DPT_SHM_LOG_BYTES_MIN && bytes <= DPT_SHM_LOG_BYTES_MAX &&
	       (bytes & (bytes - 1)) == 0;
}

int
dpt_shm_layout_init(struct dpt_shm_layout *layout, uint32_t socks_cnt, uint32_t channel_bytes,
		    uint32_t rx_log_bytes)
{
	uint64_t at = line_up(sizeof(struct dpt_shm_hdr));

	if (socks_cnt < 1 || socks_cnt > DPT_SHM_SOCKS_MAX || !is_log_size(channel_bytes) ||
	    !is_log_size(rx_log_bytes))
		return -EINVAL;
	memset(layout, 0, sizeof(*layout));
	layout->socks_cnt = socks_cnt;
	layout->channel_bytes = channel_bytes;
	layout->rx_log_bytes = rx_log_bytes;
	layout->socks_offset = (uint32_t)at;
	at += (uint64_t)socks_cnt * sizeof(struct dpt_shm_sock);
	layout->channels_offset = (uint32_t)at;
	at += DPT_SHM_CHANNELS * sizeof(struct dpt_shm_channel);
	/* Logs on pages: the first of them may be huge pages of their own later. */
	at = (at + 4095) & ~UINT64_C(4095);
	layout->channel_logs_offset = (uint32_t)at;
	at += (uint64_t)DPT_SHM_CHANNELS * channel_bytes;
	if (at > UINT32_MAX)
		return -EINVAL;
	layout->rx_logs_offset = (uint32_t)at;
	layout->region_bytes = at + (uint64_t)socks_cnt * rx_log_bytes;
	return 0;
}

void
dpt_shm_region_init(void *region, const struct dpt_shm_layout *layout)
{
	struct dpt_shm_hdr *hdr = region;

	hdr->abi_version = DPT_SHM_ABI_VERSION;
	hdr->region_bytes = layout->region_bytes;
	hdr->socks_cnt = layout->socks_cnt;
	hdr->channel_bytes = layout->channel_bytes;
	hdr->rx_log_bytes = layout->rx_log_bytes;
	hdr->socks_offset = layout->socks_offset;
	hdr->channels_offset = layout->channels_offset;
	hdr->channel_logs_offset = layout->channel_logs_offset;
	hdr->rx_logs_offset = layout->rx_logs_offset;
	hdr->magic = DPT_SHM_MAGIC;
}

int
dpt_shm_region_check(const void *region, uint64_t region_bytes, struct dpt_shm_layout *layout)
{
	const struct dpt_shm_hdr *hdr = region;

	if (region_bytes < sizeof(*hdr) || hdr->magic != DPT_SHM_MAGIC)
		return -EPROTO;
	if (hdr->abi_version != DPT_SHM_ABI_VERSION)
		return -EPROTONOSUPPORT;
	if (dpt_shm_layout_init(layout, hdr->socks_cnt, hdr->channel_bytes, hdr->rx_log_bytes))
		return -EINVAL;
	if (layout->region_bytes != hdr->region_bytes || layout->region_bytes > region_bytes ||
	    layout->socks_offset != hdr->socks_offset ||
	    layout->channels_offset != hdr->channels_offset ||
	    layout->channel_logs_offset != hdr->channel_logs_offset ||
	    layout->rx_logs_offset != hdr->rx_logs_offset)
		return -EINVAL;
	return 0;
}
