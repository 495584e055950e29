/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Media addresses on the wire, 32 octets. Contract: dpt_maddr.h.
 *
 *   octet   0   1   2   3      4    5    6    7    8 ..
 *   ETH     0   0   0   1      MAC address, 6 octets
 *   IB      hardware address, 20 octets, from octet 0 on
 *   UDP     0   0   0   3      protocol  UDP port  address, 4 or 16 octets
 *
 * Src: 02-discovery.md, 6.
 */
#include "dpt_maddr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "wire_priv.h"

#define MADDR_ETH_BYTES	 6
#define MADDR_IB_BYTES	 20
#define MADDR_IPV4_BYTES 4
#define MADDR_IPV6_BYTES 16
#define MADDR_TYPE_AT	 3
#define MADDR_BYTES_AT	 4
#define MADDR_UDP_IP_AT	 8
/* First octet of an InfiniBand group's GID, behind 4 octets of queue pair number. */
#define MADDR_IB_GID_AT 4

static bool
is_zero(const uint8_t *bytes, unsigned int cnt)
{
	uint8_t any = 0;

	for (unsigned int i = 0; i < cnt; i++)
		any |= bytes[i];
	return any == 0;
}

/* Octets of an IP address of that protocol, 0 for an unknown one. */
static unsigned int
maddr_ip_bytes(uint16_t proto)
{
	if (proto == DPT_MADDR_PROTO_IPV4)
		return MADDR_IPV4_BYTES;
	if (proto == DPT_MADDR_PROTO_IPV6)
		return MADDR_IPV6_BYTES;
	return 0;
}

void
dpt_maddr_encode(const struct dpt_maddr *maddr, uint8_t info[DPT_MADDR_INFO_BYTES])
{
	memset(info, 0, DPT_MADDR_INFO_BYTES);
	switch (maddr->media) {
	case DPT_MEDIA_ETH:
		info[MADDR_TYPE_AT] = DPT_MEDIA_ETH;
		memcpy(info + MADDR_BYTES_AT, maddr->bytes, MADDR_ETH_BYTES);
		break;
	case DPT_MEDIA_IB:
		memcpy(info, maddr->bytes, MADDR_IB_BYTES);
		break;
	case DPT_MEDIA_UDP:
		info[MADDR_TYPE_AT] = DPT_MEDIA_UDP;
		put_be16(info + 4, maddr->proto);
		put_be16(info + 6, maddr->udp_port);
		memcpy(info + MADDR_UDP_IP_AT, maddr->bytes, maddr_ip_bytes(maddr->proto));
		break;
	default:
		break;
	}
}

static int
maddr_decode_eth(struct dpt_maddr *maddr, const uint8_t *info)
{
	const uint8_t *mac = info + MADDR_BYTES_AT;

	if (info[MADDR_TYPE_AT] != DPT_MEDIA_ETH || (mac[0] & 1) != 0 ||
	    is_zero(mac, MADDR_ETH_BYTES))
		return -EINVAL;
	memcpy(maddr->bytes, mac, MADDR_ETH_BYTES);
	return 0;
}

static int
maddr_decode_ib(struct dpt_maddr *maddr, const uint8_t *info)
{
	if (is_zero(info, MADDR_IB_BYTES) || info[MADDR_IB_GID_AT] == 0xff)
		return -EINVAL;
	memcpy(maddr->bytes, info, MADDR_IB_BYTES);
	return 0;
}

/* One host can have this address: not unspecified, loopback, group or broadcast. */
static bool
maddr_is_ip_host(const uint8_t *ip, uint16_t proto)
{
	if (proto == DPT_MADDR_PROTO_IPV4)
		return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
	if (ip[0] == 0xff)
		return false;
	return !is_zero(ip, MADDR_IPV6_BYTES - 1) || ip[MADDR_IPV6_BYTES - 1] > 1;
}

static int
maddr_decode_udp(struct dpt_maddr *maddr, const uint8_t *info)
{
	uint16_t proto = get_be16(info + 4);
	const uint8_t *ip = info + MADDR_UDP_IP_AT;

	if (info[MADDR_TYPE_AT] != DPT_MEDIA_UDP || maddr_ip_bytes(proto) == 0 ||
	    get_be16(info + 6) == 0 || !maddr_is_ip_host(ip, proto))
		return -EINVAL;
	maddr->proto = proto;
	maddr->udp_port = get_be16(info + 6);
	memcpy(maddr->bytes, ip, maddr_ip_bytes(proto));
	return 0;
}

int
dpt_maddr_decode(struct dpt_maddr *maddr, enum dpt_media media,
		 const uint8_t info[DPT_MADDR_INFO_BYTES])
{
	memset(maddr, 0, sizeof(*maddr));
	maddr->media = (uint8_t)media;
	switch (media) {
	case DPT_MEDIA_ETH:
		return maddr_decode_eth(maddr, info);
	case DPT_MEDIA_IB:
		return maddr_decode_ib(maddr, info);
	case DPT_MEDIA_UDP:
		return maddr_decode_udp(maddr, info);
	default:
		return -EINVAL;
	}
}

/* Groups of four digits without abbreviation: two texts are alike iff the addresses are. */
static int
maddr_print_udp(const struct dpt_maddr *maddr, char *text, size_t text_size)
{
	const uint8_t *b = maddr->bytes;

	if (maddr->proto == DPT_MADDR_PROTO_IPV4)
		return snprintf(text, text_size, "%u.%u.%u.%u:%u", b[0], b[1], b[2], b[3],
				maddr->udp_port);
	return snprintf(text, text_size, "[%x:%x:%x:%x:%x:%x:%x:%x]:%u", get_be16(b),
			get_be16(b + 2), get_be16(b + 4), get_be16(b + 6), get_be16(b + 8),
			get_be16(b + 10), get_be16(b + 12), get_be16(b + 14), maddr->udp_port);
}

int
dpt_maddr_print(const struct dpt_maddr *maddr, char *text, size_t text_size)
{
	const uint8_t *b = maddr->bytes;

	if (maddr->is_bcast)
		return snprintf(text, text_size, "broadcast");
	switch (maddr->media) {
	case DPT_MEDIA_ETH:
		return snprintf(text, text_size, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2],
				b[3], b[4], b[5]);
	case DPT_MEDIA_IB:
		return snprintf(text, text_size,
				"%02x%02x%02x%02x:%02x%02x%02x%02x%02x%02x%02x%02x"
				"%02x%02x%02x%02x%02x%02x%02x%02x",
				b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
				b[11], b[12], b[13], b[14], b[15], b[16], b[17], b[18], b[19]);
	case DPT_MEDIA_UDP:
		return maddr_print_udp(maddr, text, text_size);
	default:
		return snprintf(text, text_size, "none");
	}
}
