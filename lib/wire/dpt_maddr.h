/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_MADDR_H
#define DPT_MADDR_H

/*
 * Media addresses: where a frame goes on a bearer. Compared and copied whole,
 * so unused octets are always zero. The 32-octet form of LINK_CONFIG messages is
 * made and read by dpt_maddr_encode/decode (02-discovery.md, 6).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum dpt_media {
	DPT_MEDIA_NONE = 0,
	DPT_MEDIA_ETH = 1, /* values on the wire: 02-discovery.md, 6 */
	DPT_MEDIA_IB = 2,
	DPT_MEDIA_UDP = 3,
};

/* Protocol of a UDP media address, as on the wire. */
#define DPT_MADDR_PROTO_IPV4 0x0800
#define DPT_MADDR_PROTO_IPV6 0x86dd

#define DPT_MADDR_INFO_BYTES 32

struct dpt_maddr {
	uint8_t media;	   /* enum dpt_media */
	uint8_t is_bcast;  /* the bearer's broadcast address; bytes are ignored then */
	uint16_t proto;	   /* UDP: DPT_MADDR_PROTO_*; else 0 */
	uint16_t udp_port; /* UDP: host byte order; else 0 */
	uint8_t bytes[20]; /* Ethernet: 6, IPv4: 4, IPv6: 16, InfiniBand: 20 octets */
};

static inline bool
dpt_maddr_eq(const struct dpt_maddr *a, const struct dpt_maddr *b)
{
	return a->media == b->media && a->is_bcast == b->is_bcast && a->proto == b->proto &&
	       a->udp_port == b->udp_port && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* An Ethernet address. mac: 6 octets. */
static inline struct dpt_maddr
dpt_maddr_eth(const uint8_t mac[6])
{
	struct dpt_maddr maddr = {.media = DPT_MEDIA_ETH};

	memcpy(maddr.bytes, mac, 6);
	return maddr;
}

/* "Everybody on the bearer", for any media. */
static inline struct dpt_maddr
dpt_maddr_bcast(enum dpt_media media)
{
	return (struct dpt_maddr){.media = (uint8_t)media, .is_bcast = 1};
}

/* Write the 32 octets of a LINK_CONFIG message's media info field. */
void dpt_maddr_encode(const struct dpt_maddr *maddr, uint8_t info[DPT_MADDR_INFO_BYTES]);

/*
 * Read such a field that came over a bearer of the given media.
 * Returns 0, or -EINVAL: wrong media type, group, broadcast, zero, loopback
 * address or port 0 (02-discovery.md, 6, "additional checks" and hazard 7).
 */
int dpt_maddr_decode(struct dpt_maddr *maddr, enum dpt_media media,
		     const uint8_t info[DPT_MADDR_INFO_BYTES]);

/* Text for logs: "02:00:00:00:00:01", "10.0.0.1:6118". Returns length as snprintf. */
int dpt_maddr_print(const struct dpt_maddr *maddr, char *text, size_t text_size);

#endif /* DPT_MADDR_H */
