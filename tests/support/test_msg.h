/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_MSG_H
#define TEST_MSG_H

/* Messages for tests, from octets or from the hexadecimal dumps of doc/protocol. */

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

/*
 * Octets from hexadecimal digits; white space is skipped. Returns how many.
 * Ends the program on other characters, half an octet, or when dst is too small.
 */
size_t test_hex(const char *text, uint8_t *dst, size_t dst_size);

/* A buffer of test_pool() with these octets. Owned by the caller. */
struct rte_mbuf *test_buf(const void *bytes, size_t len);
struct rte_mbuf *test_buf_hex(const char *text);

/* The same in segments of at most seg_bytes octets, so that nothing is contiguous. */
struct rte_mbuf *test_buf_segs(const void *bytes, size_t len, uint16_t seg_bytes);

/* The octets of the message, made contiguous, in memory that the next call overwrites. */
const uint8_t *test_flat(struct rte_mbuf *m);

#endif /* TEST_MSG_H */
