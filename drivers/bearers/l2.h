/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef L2_H
#define L2_H

/*
 * The 14 octets in front of a TIPC message on Ethernet, which the unix and loop bearers use
 * too. Src: 02-discovery.md, 6; ethertype 0x88CA.
 *
 *   0          6          12      14
 *   | dst MAC  | src MAC  | 88 CA | TIPC message
 */

#include <string.h>

#include "bearer_counters.h"

#define L2_BYTES     14
#define L2_MAC_BYTES 6
#define L2_TYPE_HI   0x88
#define L2_TYPE_LO   0xca

/* Longest interface name that fits a link name. Src: 02-discovery.md, 7.1. */
static inline void
l2_if_name(char if_name[DPT_IF_NAME_BYTES], const char *device)
{
	size_t len = strnlen(device, DPT_IF_NAME_BYTES - 1);

	memcpy(if_name, device, len);
	memset(if_name + len, 0, DPT_IF_NAME_BYTES - len);
}

/*
 * Put the header in front of a message that has none yet. Returns false when the buffer has
 * no headroom. m may be shared: all holders see it, which is what retransmission needs.
 */
static inline bool
l2_put(struct rte_mbuf *m, const uint8_t src[L2_MAC_BYTES])
{
	struct dpt_buf *buf = dpt_buf(m);
	uint8_t *hdr;

	if (buf->l2_bytes != 0)
		return true;
	hdr = (uint8_t *)rte_pktmbuf_prepend(m, L2_BYTES);
	if (hdr == NULL)
		return false;
	if (buf->dst.is_bcast)
		memset(hdr, 0xff, L2_MAC_BYTES);
	else
		memcpy(hdr, buf->dst.bytes, L2_MAC_BYTES);
	memcpy(hdr + 6, src, L2_MAC_BYTES);
	hdr[12] = L2_TYPE_HI;
	hdr[13] = L2_TYPE_LO;
	buf->l2_bytes = L2_BYTES;
	return true;
}

/*
 * A frame that came in, header at mtod: strip it and clear the private area, or count why
 * not and free it. Returns whether m is a message for us. own: our MAC.
 */
static inline bool
l2_take(struct rte_mbuf *m, const uint8_t own[L2_MAC_BYTES], struct dpt_bearer_counters *counters)
{
	const uint8_t *hdr = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t bytes = rte_pktmbuf_pkt_len(m);

	if (unlikely(rte_pktmbuf_data_len(m) < L2_BYTES)) {
		counters->drop_rx_short++;
	} else if (unlikely(hdr[12] != L2_TYPE_HI || hdr[13] != L2_TYPE_LO)) {
		counters->drop_rx_not_tipc++;
	} else if (unlikely((hdr[0] & 1) == 0 && memcmp(hdr, own, L2_MAC_BYTES) != 0)) {
		counters->drop_rx_other_host++;
	} else {
		rte_pktmbuf_adj(m, L2_BYTES);
		memset(dpt_buf(m), 0, sizeof(struct dpt_buf));
		counters->rx_frames++;
		counters->rx_bytes += bytes;
		return true;
	}
	rte_pktmbuf_free(m);
	return false;
}

#endif /* L2_H */
