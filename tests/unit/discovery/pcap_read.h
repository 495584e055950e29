/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PCAP_READ_H
#define PCAP_READ_H

/* Captures of kernel nodes, tests/data/captures: TIPC frames on Ethernet, in order. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct pcap_frame {
	uint64_t time_ns;
	uint8_t dst[6];
	uint8_t src[6];
	uint32_t bytes; /* of the TIPC message */
	uint8_t msg[16384];
};

/* NULL, with a message, when the capture is not there. */
FILE *pcap_open(const char *name);
/* The next TIPC frame; false at the end. */
bool pcap_next(FILE *file, struct pcap_frame *frame);

#endif /* PCAP_READ_H */
