/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_POOL_H
#define TEST_POOL_H

/*
 * Buffers for tests: EAL without hugepages, devices and configuration files, and
 * one pool of mbufs with the private area that dpt_buf.h asks for. Needs no root.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

/* Below the 8191 that its ring could hold, so that a buffer freed twice can be seen. */
#define TEST_POOL_BUFS_CNT 8000

/*
 * The pool; the first call initialises the EAL. Data room of a buffer: 2048 octets
 * behind the headroom. No cache, so that counts are exact. Ends the program when
 * the EAL cannot be initialised.
 */
struct rte_mempool *test_pool(void);

/* No buffer of the pool is in use, and none has been freed twice. */
bool test_pool_is_full(void);

/*
 * Buffers in use: what has leaked, at the end of a test. UINT32_MAX - n when n buffers
 * more than there are have been given back: something was freed twice.
 */
uint32_t test_pool_leak_cnt(void);

/*
 * Take buffers out of the pool until left_cnt are left, to see what happens when it
 * runs dry; test_pool_release gives all of them back.
 */
void test_pool_exhaust(uint32_t left_cnt);
void test_pool_release(void);

#endif /* TEST_POOL_H */
