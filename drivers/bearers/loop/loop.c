/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A wire inside one process, for tests: every loop bearer that was opened with the same name
 * hears the others. Frames are copied, as a real wire does: the sender may keep its buffer for
 * retransmission. Device text: name of the wire. One queue pair. Contract: dpt_bearer.h.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_ring.h>

#include "../dpt_bearers.h"
#include "../l2.h"

/* Ends of all loop wires of a process. Our choice: more than any test needs. */
#define LOOP_ENDS_MAX 16
/* Frames that wait at one end. Our choice. */
#define LOOP_RING_FRAMES 1024

struct loop_bearer {
	struct dpt_bearer bearer;
	struct dpt_bearer_counters counters;
	struct rte_ring *rx; /* senders put copies in */
	struct rte_mempool *pool;
	uint32_t idx;
	uint16_t mtu;
	uint8_t mac[L2_MAC_BYTES];
	char wire[DPT_IF_NAME_BYTES];
};

/* Opened and closed by control, before and after the pollers run. */
static struct loop_bearer *ends[LOOP_ENDS_MAX];

static int
loop_open(const struct dpt_bearer_cfg *cfg, struct dpt_bearer **bearer, char *error,
	  size_t error_bytes)
{
	struct loop_bearer *loop;
	uint32_t idx = 0;
	char name[32];

	while (idx < LOOP_ENDS_MAX && ends[idx] != NULL)
		idx++;
	if (idx == LOOP_ENDS_MAX) {
		snprintf(error, error_bytes, "loop:%s: no more than %d ends in a process",
			 cfg->device, LOOP_ENDS_MAX);
		return -ENOSPC;
	}
	loop = calloc(1, sizeof(*loop));
	if (loop == NULL)
		return -ENOMEM;
	snprintf(name, sizeof(name), "dptipc_loop_%u", idx);
	loop->rx = rte_ring_create(name, LOOP_RING_FRAMES, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (loop->rx == NULL) {
		snprintf(error, error_bytes, "loop:%s: no memory for its ring: %s", cfg->device,
			 rte_strerror(rte_errno));
		free(loop);
		return -ENOMEM;
	}
	loop->bearer.ops = &dpt_bearer_loop;
	loop->pool = cfg->pool;
	loop->idx = idx;
	loop->mtu = cfg->mtu_max < 1500 ? cfg->mtu_max : 1500;
	l2_if_name(loop->wire, cfg->device);
	memcpy(loop->mac, (uint8_t[]){0x02, 0, 0, 0, 0x10, (uint8_t)idx}, L2_MAC_BYTES);
	ends[idx] = loop;
	*bearer = &loop->bearer;
	return 0;
}

static void
loop_info(const struct dpt_bearer *bearer, struct dpt_bearer_info *info)
{
	const struct loop_bearer *loop = (const struct loop_bearer *)bearer;

	*info = (struct dpt_bearer_info){
		.media = DPT_MEDIA_ETH,
		.maddr = dpt_maddr_eth(loop->mac),
		.mtu = loop->mtu,
		.queues_cnt = 1,
		.has_bcast = true,
	};
	l2_if_name(info->if_name, loop->wire);
}

static void
loop_close(struct dpt_bearer *bearer)
{
	struct loop_bearer *loop = (struct loop_bearer *)bearer;
	void *m;

	ends[loop->idx] = NULL;
	while (rte_ring_dequeue(loop->rx, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(loop->rx);
	free(loop);
}

static uint16_t
loop_rx_burst(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs, uint16_t cnt)
{
	struct loop_bearer *loop = (struct loop_bearer *)bearer;
	unsigned int got = rte_ring_dequeue_burst(loop->rx, (void **)bufs, cnt, NULL);
	uint16_t taken = 0;

	(void)queue;
	for (unsigned int i = 0; i < got; i++)
		if (l2_take(bufs[i], loop->mac, &loop->counters))
			bufs[taken++] = bufs[i];
	return taken;
}

/* A copy with its L2 header as received data; NULL when the pool is empty. */
static struct rte_mbuf *
loop_copy(struct loop_bearer *loop, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = dpt_buf_copy(m, loop->pool);

	if (copy == NULL)
		return NULL;
	memcpy(rte_pktmbuf_prepend(copy, L2_BYTES), rte_pktmbuf_mtod(m, void *), L2_BYTES);
	return copy;
}

static void
loop_tx_one(struct loop_bearer *loop, struct rte_mbuf *m)
{
	struct dpt_bearer_counters *counters = &loop->counters;

	if (!l2_put(m, loop->mac)) {
		counters->drop_tx_no_buffer++;
		return;
	}
	for (uint32_t i = 0; i < LOOP_ENDS_MAX; i++) {
		struct rte_mbuf *copy;

		if (ends[i] == NULL || ends[i] == loop || strcmp(ends[i]->wire, loop->wire) != 0)
			continue;
		copy = loop_copy(loop, m);
		if (copy == NULL) {
			counters->drop_tx_no_buffer++;
			return;
		}
		if (rte_ring_enqueue(ends[i]->rx, copy) != 0) {
			rte_pktmbuf_free(copy);
			counters->drop_tx_full++;
			return;
		}
	}
	counters->tx_frames++;
	counters->tx_bytes += rte_pktmbuf_pkt_len(m);
}

static void
loop_tx_burst(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs, uint16_t cnt)
{
	(void)queue;
	for (uint16_t i = 0; i < cnt; i++) {
		loop_tx_one((struct loop_bearer *)bearer, bufs[i]);
		rte_pktmbuf_free(bufs[i]);
	}
}

static int
loop_wait_fd(struct dpt_bearer *bearer, uint16_t queue)
{
	(void)bearer;
	(void)queue;
	return -ENOTSUP;
}

static bool
loop_wait_arm(struct dpt_bearer *bearer, uint16_t queue)
{
	(void)queue;
	return rte_ring_empty(((struct loop_bearer *)bearer)->rx) != 0;
}

static void
loop_wait_disarm(struct dpt_bearer *bearer, uint16_t queue)
{
	(void)bearer;
	(void)queue;
}

static bool
loop_is_up(struct dpt_bearer *bearer)
{
	(void)bearer;
	return true;
}

static void
loop_counters(const struct dpt_bearer *bearer, uint64_t *values, uint32_t cnt)
{
	dpt_bearer_counters_add(&((const struct loop_bearer *)bearer)->counters, values, cnt);
}

const struct dpt_bearer_ops dpt_bearer_loop = {
	.media_name = "loop",
	.open = loop_open,
	.info = loop_info,
	.close = loop_close,
	.rx_burst = loop_rx_burst,
	.tx_burst = loop_tx_burst,
	.wait_fd = loop_wait_fd,
	.wait_arm = loop_wait_arm,
	.wait_disarm = loop_wait_disarm,
	.is_up = loop_is_up,
	.counters = loop_counters,
};
