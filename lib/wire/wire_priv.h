/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_PRIV_H
#define WIRE_PRIV_H

#include <stdint.h>

/* 16-bit fields in network order, anywhere. */
static inline void
put_be16(uint8_t *dst, uint16_t value)
{
	dst[0] = (uint8_t)(value >> 8);
	dst[1] = (uint8_t)value;
}

static inline uint16_t
get_be16(const uint8_t *src)
{
	return (uint16_t)(src[0] << 8 | src[1]);
}

#endif /* WIRE_PRIV_H */
