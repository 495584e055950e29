/* SPDX-License-Identifier: BSD-3-Clause */
/* See pcap_read.h. Classic format, little endian, microseconds. */
#include "pcap_read.h"

#include <string.h>

#define PCAP_HDR_BYTES 24
#define ETH_HDR_BYTES  14

FILE *
pcap_open(const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", TEST_CAPTURES_DIR, name);
	file = fopen(path, "rb");
	if (file == NULL)
		perror(path);
	else if (fseek(file, PCAP_HDR_BYTES, SEEK_SET) != 0)
		perror(path);
	return file;
}

bool
pcap_next(FILE *file, struct pcap_frame *frame)
{
	uint8_t eth[ETH_HDR_BYTES];
	uint32_t rec[4]; /* seconds, microseconds, octets stored, octets on the wire */

	while (fread(rec, sizeof(rec), 1, file) == 1 && rec[2] >= ETH_HDR_BYTES &&
	       rec[2] - ETH_HDR_BYTES <= sizeof(frame->msg)) {
		frame->bytes = rec[2] - ETH_HDR_BYTES;
		if (fread(eth, sizeof(eth), 1, file) != 1 ||
		    fread(frame->msg, 1, frame->bytes, file) != frame->bytes)
			return false;
		if (eth[12] != 0x88 || eth[13] != 0xca)
			continue;
		frame->time_ns = (uint64_t)rec[0] * 1000000000 + (uint64_t)rec[1] * 1000;
		memcpy(frame->dst, eth, 6);
		memcpy(frame->src, eth + 6, 6);
		return true;
	}
	return false;
}
