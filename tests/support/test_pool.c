/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers for tests. Contract: test_pool.h. */
#include "test_pool.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_ring.h>

#include "dpt_buf.h"

#define TEST_POOL_ROOM_BYTES (2048 + DPT_BUF_HEADROOM_BYTES)

static struct rte_mempool *pool;
static struct rte_mbuf *taken[TEST_POOL_BUFS_CNT];
static uint32_t taken_cnt;

static void
test_eal_init(void)
{
	/* --no-huge implies legacy memory, which excludes --in-memory; --no-shconf instead: no
	 * files. */
	char *argv[] = {(char *)"test",
			(char *)"--no-huge",
			(char *)"--no-pci",
			(char *)"--no-shconf",
			(char *)"-m",
			(char *)"64",
			(char *)"-l",
			(char *)"0",
			(char *)"--no-telemetry",
			(char *)"--log-level=error",
			NULL};

	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0) {
		fprintf(stderr, "EAL: %s\n", rte_strerror(rte_errno));
		exit(2);
	}
}

struct rte_mempool *
test_pool(void)
{
	if (pool != NULL)
		return pool;
	test_eal_init();
	pool = rte_pktmbuf_pool_create("test_pool", TEST_POOL_BUFS_CNT, 0, DPT_BUF_PRIV_BYTES,
				       TEST_POOL_ROOM_BYTES, SOCKET_ID_ANY);
	if (pool == NULL) {
		fprintf(stderr, "test pool: %s\n", rte_strerror(rte_errno));
		exit(2);
	}
	return pool;
}

bool
test_pool_is_full(void)
{
	return test_pool_leak_cnt() == 0;
}

uint32_t
test_pool_leak_cnt(void)
{
	/*
	 * Not rte_mempool_in_use_count: it hides that there are too many. The pool's
	 * handler is the default one, a ring.
	 */
	uint32_t avail_cnt = rte_ring_count(test_pool()->pool_data);

	if (avail_cnt > TEST_POOL_BUFS_CNT)
		return UINT32_MAX - (avail_cnt - TEST_POOL_BUFS_CNT);
	return TEST_POOL_BUFS_CNT - avail_cnt;
}

void
test_pool_exhaust(uint32_t left_cnt)
{
	while (rte_mempool_avail_count(test_pool()) > left_cnt) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		if (m == NULL)
			return;
		taken[taken_cnt++] = m;
	}
}

void
test_pool_release(void)
{
	while (taken_cnt > 0)
		rte_pktmbuf_free(taken[--taken_cnt]);
}
