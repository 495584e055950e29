/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ETH_PRIV_H
#define ETH_PRIV_H

/*
 * A port as a bearer. Files: eth.c start, frames, sleeping; eth_plug.c which port it is;
 * eth_carrier.c is there a wire, is there a device; eth_steer.c which queue a peer's frames come
 * in.
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
	uint16_t mtu;	     /* what the port and our buffers carry */
	const char *bus;     /* the port was plugged in by us, there; NULL: it was there before */
	bool is_interface;   /* the device's text names an interface of the kernel */
	bool is_multi_seg;   /* the device sends chains */
	bool is_netdev_told; /* the carrier is the kernel interface's: the driver does not know */
	bool has_rules;	     /* a rule was made */
	uint32_t if_index;   /* kernel's interface below; 0: none */
	int carrier_fd;	     /* negative: none */
	int netdev_fd;	     /* for questions about if_index; negative: none */
	uint8_t mac[L2_MAC_BYTES];
	_Atomic bool is_removed;	   /* [EAL's interrupt thread writes] */
	char device[RTE_ETH_NAME_MAX_LEN]; /* as the bearer's name has it */
	struct eth_queue queues[DPT_SHARDS_MAX];
};

/* ---- eth_plug.c ---- */
/*
 * The port that a device's text means: the name or number of one that is there; the PCI address of
 * one that is plugged in now; an interface of the kernel, for which a port is made. Sets port, bus,
 * device, is_interface. Returns 0, or negative errno with a line in error.
 */
int
eth_plug(struct eth_bearer *eth, const struct dpt_bearer_cfg *cfg, char *error, size_t error_bytes);
/* The port is stopped and closed: take away what was plugged in. */
void eth_unplug(struct eth_bearer *eth);

/* ---- eth_carrier.c ---- */
/* The port tells of changes. */
bool eth_carrier_has_event(const struct rte_eth_dev_info *info);
/* MTU of the interface of the kernel below, if there is one whose MTU counts; else the port's. */
uint16_t eth_carrier_mtu(const struct eth_bearer *eth);
int eth_carrier_look(struct dpt_bearer *bearer, uint16_t *mtu);
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
