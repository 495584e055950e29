/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ETH_PRIV_H
#define ETH_PRIV_H

/*
 * A port as a bearer. Files: eth.c start, frames, sleeping; eth_carrier.c is there a wire;
 * eth_steer.c which queue a peer's frames come in.
 */

#include <rte_ethdev.h>

#include "../dpt_bearers.h"
#include "eth_rule.h"

struct eth_queue {
	_Alignas(RTE_CACHE_LINE_SIZE) struct dpt_bearer_counters counters;
	int wait_fd; /* negative: none */
};

struct eth_bearer {
	struct dpt_bearer bearer;
	struct rte_mempool *pool;
	uint16_t port;
	uint16_t queues_cnt;
	uint16_t mtu;
	bool is_multi_seg;   /* the device sends chains */
	bool is_netdev_told; /* the carrier is the kernel interface's: the driver does not know */
	bool has_rules;	     /* a rule was made */
	uint32_t if_index;   /* kernel's interface below; 0: none */
	int carrier_fd;	     /* negative: none */
	int netdev_fd;	     /* for questions about if_index; negative: none */
	uint8_t mac[L2_MAC_BYTES];
	char device[RTE_ETH_NAME_MAX_LEN];
	struct eth_queue queues[DPT_SHARDS_MAX];
};

/* ---- eth_carrier.c ---- */
/* The port tells of changes. */
bool eth_carrier_has_event(const struct rte_eth_dev_info *info);
/* The port has started. is_event: it was asked to tell of changes. */
void eth_carrier_init(struct eth_bearer *eth, const struct rte_eth_dev_info *info, bool is_event);
void eth_carrier_fini(struct eth_bearer *eth);
bool eth_carrier_is_up(struct dpt_bearer *bearer);
int eth_carrier_fd(struct dpt_bearer *bearer);

/* ---- eth_steer.c ---- */
int eth_steer(struct dpt_bearer *bearer, const struct dpt_maddr *peer, uint16_t queue, void **rule);
void eth_unsteer(struct dpt_bearer *bearer, void *rule);
/* Before the port stops: no rule may be left. */
void eth_steer_fini(struct eth_bearer *eth);

#endif /* ETH_PRIV_H */
