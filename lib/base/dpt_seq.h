/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_SEQ_H
#define DPT_SEQ_H

/*
 * Serial numbers of 16 bits, modulo 2^16: packet, STATE and session numbers.
 * a <= b iff (b - a) mod 2^16 < 2^15. Src: 03-link-node.md, 2.
 */

#include <stdbool.h>
#include <stdint.h>

static inline bool
dpt_seq_le(uint16_t a, uint16_t b)
{
	return (uint16_t)(b - a) < 0x8000;
}

static inline bool
dpt_seq_lt(uint16_t a, uint16_t b)
{
	return a != b && dpt_seq_le(a, b);
}

static inline bool
dpt_seq_in(uint16_t first, uint16_t n, uint16_t last)
{
	return dpt_seq_le(first, n) && dpt_seq_le(n, last);
}

/* Distance from a to b going forward, 0 to 65535. */
static inline uint16_t
dpt_seq_dist(uint16_t a, uint16_t b)
{
	return (uint16_t)(b - a);
}

#endif /* DPT_SEQ_H */
