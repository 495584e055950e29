/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TIPC on Ethernet, over any DPDK ethdev port. Device text: eth_plug.c. Contract: dpt_bearer.h.
 *
 * Queue pairs: as many as wanted and there are. RSS does not spread TIPC (it is no IP), so
 * nearly all devices receive everything in queue 0; the others serve for sending.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_ethdev.h>

#include "eth_priv.h"

/* Descriptors of a queue, before the device rounds them. Our choice: the window of a link
 * (dpt_limits.h) rarely passes some hundred packets, and small rings stay in the cache. */
#define ETH_RX_DESCS 1024
#define ETH_TX_DESCS 1024

/* What the port is asked to interrupt for. */
struct eth_intr {
	bool is_rx;
	bool is_link;
};

/* Configure queues and start. */
static int
eth_start(struct eth_bearer *eth, const struct rte_eth_dev_info *info, struct eth_intr intr,
	  int numa)
{
	uint16_t rx_descs = ETH_RX_DESCS, tx_descs = ETH_TX_DESCS;
	struct rte_eth_conf conf = {
		.rxmode.mtu = eth->mtu,
		.intr_conf.rxq = intr.is_rx,
		.intr_conf.lsc = intr.is_link,
		.intr_conf.rmv = (*info->dev_flags & RTE_ETH_DEV_INTR_RMV) != 0,
	};
	int rc;

	if (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) {
		conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
		eth->is_multi_seg = true;
	}
	rc = rte_eth_dev_configure(eth->port, eth->queues_cnt, eth->queues_cnt, &conf);
	if (rc == 0)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(eth->port, &rx_descs, &tx_descs);
	for (uint16_t q = 0; rc == 0 && q < eth->queues_cnt; q++) {
		rc = rte_eth_rx_queue_setup(eth->port, q, rx_descs, (unsigned int)numa, NULL,
					    eth->pool);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(eth->port, q, tx_descs, (unsigned int)numa,
						    NULL);
	}
	return rc == 0 ? rte_eth_dev_start(eth->port) : rc;
}

static uint16_t
eth_mtu(const struct dpt_bearer_cfg *cfg, uint16_t port, const struct rte_eth_dev_info *info)
{
	uint16_t mtu = RTE_ETHER_MTU;

	rte_eth_dev_get_mtu(port, &mtu);
	if (info->max_mtu != 0)
		mtu = RTE_MIN(mtu, info->max_mtu);
	return RTE_MIN(mtu, cfg->mtu_max);
}

/* Which queues can wake a sleeping worker: asked once, the answer does not change. */
static void
eth_wait_init(struct eth_bearer *eth, bool is_intr)
{
	for (uint16_t q = 0; q < eth->queues_cnt; q++) {
		eth->queues[q].wait_fd = -ENOTSUP;
		if (!is_intr || rte_eth_dev_rx_intr_enable(eth->port, q) != 0)
			continue;
		rte_eth_dev_rx_intr_disable(eth->port, q);
		eth->queues[q].wait_fd = rte_eth_dev_rx_intr_ctl_q_get_fd(eth->port, q);
		if (eth->queues[q].wait_fd < 0)
			eth->queues[q].wait_fd = -ENOTSUP;
	}
}

/* With as many interrupts as the port takes. */
static int
eth_start_most(struct eth_bearer *eth, const struct rte_eth_dev_info *info, int numa)
{
	bool has_link = eth_carrier_has_event(info);
	const struct eth_intr tries[] = {
		{.is_rx = true, .is_link = has_link},
		{.is_rx = false, .is_link = has_link},
		{.is_rx = true},
		{.is_rx = false},
	};
	int rc = -EINVAL;

	for (uint32_t i = 0; rc != 0 && rc != -EBUSY && i < RTE_DIM(tries); i++) {
		rc = eth_start(eth, info, tries[i], numa);
		if (rc != 0)
			continue;
		eth_wait_init(eth, tries[i].is_rx);
		eth_carrier_init(eth, info, tries[i].is_link);
	}
	return rc;
}

static int
eth_start_any(struct eth_bearer *eth, const struct dpt_bearer_cfg *cfg, char *error,
	      size_t error_bytes)
{
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int rc = rte_eth_dev_info_get(eth->port, &info);

	if (rc != 0) {
		snprintf(error, error_bytes, "eth:%s: the port does not answer: %s", cfg->device,
			 rte_strerror(-rc));
		return rc;
	}
	eth->mtu = eth_mtu(cfg, eth->port, &info);
	eth->queues_cnt = RTE_MIN(cfg->queues_cnt, (uint16_t)DPT_SHARDS_MAX);
	eth->queues_cnt = RTE_MIN(eth->queues_cnt, info.max_rx_queues);
	eth->queues_cnt = RTE_MIN(eth->queues_cnt, info.max_tx_queues);
	rc = rte_eth_macaddr_get(eth->port, &mac);
	if (rc == 0)
		rc = eth_start_most(eth, &info, cfg->numa_socket);
	if (rc != 0) {
		snprintf(error, error_bytes, "eth:%s: %s%s", cfg->device,
			 rc == -EBUSY ? "already in use, by another --bearer?"
				      : "the port does not start: ",
			 rc == -EBUSY ? "" : rte_strerror(-rc));
		return rc;
	}
	memcpy(eth->mac, mac.addr_bytes, L2_MAC_BYTES);
	rte_eth_promiscuous_disable(eth->port);
	return 0;
}

static int
eth_open(const struct dpt_bearer_cfg *cfg, struct dpt_bearer **bearer, char *error,
	 size_t error_bytes)
{
	struct eth_bearer *eth = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*eth));
	int rc;

	if (eth == NULL)
		return -ENOMEM;
	memset(eth, 0, sizeof(*eth));
	eth->bearer.ops = &dpt_bearer_eth;
	eth->pool = cfg->pool;
	rc = eth_plug(eth, cfg, error, error_bytes);
	if (rc == 0) {
		rc = eth_start_any(eth, cfg, error, error_bytes);
		if (rc != 0)
			eth_unplug(eth);
	}
	if (rc != 0) {
		free(eth);
		return rc;
	}
	*bearer = &eth->bearer;
	return 0;
}

static void
eth_info(const struct dpt_bearer *bearer, struct dpt_bearer_info *info)
{
	const struct eth_bearer *eth = (const struct eth_bearer *)bearer;

	*info = (struct dpt_bearer_info){
		.media = DPT_MEDIA_ETH,
		.maddr = dpt_maddr_eth(eth->mac),
		.mtu = eth_carrier_mtu(eth),
		.queues_cnt = eth->queues_cnt,
		.has_bcast = true,
		.has_carrier = true,
		.if_index = eth->if_index,
	};
	l2_if_name(info->if_name, eth->device);
	/* ':' stands between the parts of a link's name: 03-link-node.md, 1. */
	for (char *c = info->if_name; *c != '\0'; c++)
		if (*c == ':')
			*c = '.';
}

static void
eth_close(struct dpt_bearer *bearer)
{
	struct eth_bearer *eth = (struct eth_bearer *)bearer;

	eth_carrier_fini(eth);
	eth_steer_fini(eth);
	rte_eth_dev_stop(eth->port);
	rte_eth_dev_close(eth->port);
	eth_unplug(eth);
	free(eth);
}

static uint16_t
eth_rx_burst(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs, uint16_t cnt)
{
	struct eth_bearer *eth = (struct eth_bearer *)bearer;
	uint16_t got = rte_eth_rx_burst(eth->port, queue, bufs, cnt);
	uint16_t taken = 0;

	for (uint16_t i = 0; i < got; i++)
		if (l2_take(bufs[i], eth->mac, &eth->queues[queue].counters))
			bufs[taken++] = bufs[i];
	return taken;
}

/* One segment for a device that sends no chains. m is gone; NULL: no buffer, or too long. */
static struct rte_mbuf *
eth_linear(struct eth_bearer *eth, struct rte_mbuf *m)
{
	uint32_t bytes = rte_pktmbuf_pkt_len(m);
	struct rte_mbuf *copy = dpt_buf_alloc(eth->pool);
	char *to = copy != NULL ? rte_pktmbuf_append(copy, (uint16_t)bytes) : NULL;

	if (to == NULL) {
		rte_pktmbuf_free(copy);
		rte_pktmbuf_free(m);
		return NULL;
	}
	for (struct rte_mbuf *seg = m; seg != NULL; seg = seg->next) {
		memcpy(to, rte_pktmbuf_mtod(seg, void *), seg->data_len);
		to += seg->data_len;
	}
	rte_pktmbuf_free(m);
	return copy;
}

static void
eth_tx_burst(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs, uint16_t cnt)
{
	struct eth_bearer *eth = (struct eth_bearer *)bearer;
	struct dpt_bearer_counters *counters = &eth->queues[queue].counters;
	uint16_t ready = 0, sent;
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < cnt; i++) {
		struct rte_mbuf *m = bufs[i];

		if (unlikely(!l2_put(m, eth->mac))) {
			rte_pktmbuf_free(m);
			counters->drop_tx_no_buffer++;
			continue;
		}
		if (unlikely(m->nb_segs > 1 && !eth->is_multi_seg)) {
			m = eth_linear(eth, m);
			if (m == NULL) {
				counters->drop_tx_no_buffer++;
				continue;
			}
		}
		bytes += rte_pktmbuf_pkt_len(m);
		bufs[ready++] = m;
	}
	sent = rte_eth_tx_burst(eth->port, queue, bufs, ready);
	for (uint16_t i = sent; i < ready; i++) {
		bytes -= rte_pktmbuf_pkt_len(bufs[i]);
		rte_pktmbuf_free(bufs[i]);
		counters->drop_tx_full++;
	}
	counters->tx_frames += sent;
	counters->tx_bytes += bytes;
}

static int
eth_wait_fd(struct dpt_bearer *bearer, uint16_t queue)
{
	return ((struct eth_bearer *)bearer)->queues[queue].wait_fd;
}

static bool
eth_wait_arm(struct dpt_bearer *bearer, uint16_t queue)
{
	struct eth_bearer *eth = (struct eth_bearer *)bearer;

	if (eth->queues[queue].wait_fd >= 0)
		rte_eth_dev_rx_intr_enable(eth->port, queue);
	/* A device that cannot tell gets its burst from the caller's last look. */
	return rte_eth_rx_queue_count(eth->port, queue) <= 0;
}

static void
eth_wait_disarm(struct dpt_bearer *bearer, uint16_t queue)
{
	struct eth_bearer *eth = (struct eth_bearer *)bearer;

	if (eth->queues[queue].wait_fd >= 0)
		rte_eth_dev_rx_intr_disable(eth->port, queue);
}

static void
eth_counters(const struct dpt_bearer *bearer, uint64_t *values, uint32_t cnt)
{
	const struct eth_bearer *eth = (const struct eth_bearer *)bearer;
	struct dpt_bearer_counters device = {0};
	struct rte_eth_stats stats;

	for (uint16_t q = 0; q < eth->queues_cnt; q++)
		dpt_bearer_counters_add(&eth->queues[q].counters, values, cnt);
	if (rte_eth_stats_get(eth->port, &stats) == 0)
		device.drop_rx_no_buffer = stats.rx_nombuf + stats.imissed;
	dpt_bearer_counters_add(&device, values, cnt);
}

const struct dpt_bearer_ops dpt_bearer_eth = {
	.media_name = "eth",
	.open = eth_open,
	.info = eth_info,
	.close = eth_close,
	.rx_burst = eth_rx_burst,
	.tx_burst = eth_tx_burst,
	.wait_fd = eth_wait_fd,
	.wait_arm = eth_wait_arm,
	.wait_disarm = eth_wait_disarm,
	.is_up = eth_carrier_is_up,
	.carrier_fd = eth_carrier_fd,
	.look = eth_carrier_look,
	.steer = eth_steer,
	.unsteer = eth_unsteer,
	.counters = eth_counters,
};
