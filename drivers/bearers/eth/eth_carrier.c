/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is there a wire? And a device? The port's link status, where the port tells of it. af_packet and
 * af_xdp say "up" for ever: there the flags of the kernel's interface count. Without either a dead
 * wire is found by the link's tolerance (03-link-node.md, 8).
 */
#include <errno.h>
#include <net/if.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_pause.h>

#include "eth_priv.h"

/* Drivers whose link status never changes, with an interface of the kernel below. */
static const char *const netdev_drivers[] = {"net_af_packet", "net_af_xdp"};

bool
eth_carrier_has_event(const struct rte_eth_dev_info *info)
{
	return (*info->dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
}

/* In EAL's interrupt thread. The status is asked for by control. */
static int
carrier_event(uint16_t port, enum rte_eth_event_type type, void *arg, void *ret)
{
	static const uint64_t one = 1;
	struct eth_bearer *eth = arg;

	(void)port;
	(void)ret;
	if (type == RTE_ETH_EVENT_INTR_RMV)
		atomic_store_explicit(&eth->is_removed, true, memory_order_relaxed);
	/* A counter that is full is readable all the same. */
	return write(eth->carrier_fd, &one, sizeof(one)) < 0 ? -errno : 0;
}

void
eth_carrier_init(struct eth_bearer *eth, const struct rte_eth_dev_info *info, bool is_event)
{
	eth->carrier_fd = -ENOTSUP;
	eth->netdev_fd = -1;
	eth->if_index = info->if_index;
	for (uint32_t i = 0; i < RTE_DIM(netdev_drivers); i++)
		if (strcmp(info->driver_name, netdev_drivers[i]) == 0)
			eth->is_netdev_told = eth->if_index != 0;
	if (eth->is_netdev_told)
		eth->netdev_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* -ENOTSUP without it: control looks at intervals. */
	rte_eth_dev_callback_register(eth->port, RTE_ETH_EVENT_INTR_RMV, carrier_event, eth);
	if (!is_event)
		return;
	eth->carrier_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (eth->carrier_fd < 0 || rte_eth_dev_callback_register(eth->port, RTE_ETH_EVENT_INTR_LSC,
								 carrier_event, eth) == 0)
		return;
	close(eth->carrier_fd);
	eth->carrier_fd = -ENOTSUP;
}

/* -EAGAIN: it runs at this moment. */
static void
carrier_forget(struct eth_bearer *eth, enum rte_eth_event_type type)
{
	while (rte_eth_dev_callback_unregister(eth->port, type, carrier_event, eth) == -EAGAIN)
		rte_pause();
}

void
eth_carrier_fini(struct eth_bearer *eth)
{
	if (eth->netdev_fd >= 0)
		close(eth->netdev_fd);
	carrier_forget(eth, RTE_ETH_EVENT_INTR_RMV);
	if (eth->carrier_fd < 0)
		return;
	carrier_forget(eth, RTE_ETH_EVENT_INTR_LSC);
	close(eth->carrier_fd);
}

/* The interface's present name; false: it has gone. */
static bool
netdev_name(const struct eth_bearer *eth, struct ifreq *ifr)
{
	*ifr = (struct ifreq){.ifr_ifindex = (int)eth->if_index};
	return ioctl(eth->netdev_fd, SIOCGIFNAME, ifr) == 0;
}

/* An interface that is gone has no carrier either. */
static bool
netdev_is_up(const struct eth_bearer *eth)
{
	const short wanted = IFF_UP | IFF_RUNNING;
	struct ifreq ifr;

	if (eth->netdev_fd < 0)
		return true;
	return netdev_name(eth, &ifr) && ioctl(eth->netdev_fd, SIOCGIFFLAGS, &ifr) == 0 &&
	       (ifr.ifr_flags & wanted) == wanted;
}

uint16_t
eth_carrier_mtu(const struct eth_bearer *eth)
{
	struct ifreq ifr;

	if (!eth->is_netdev_told || eth->netdev_fd < 0 || !netdev_name(eth, &ifr) ||
	    ioctl(eth->netdev_fd, SIOCGIFMTU, &ifr) != 0)
		return eth->mtu;
	return ifr.ifr_mtu < eth->mtu ? (uint16_t)RTE_MAX(ifr.ifr_mtu, 0) : eth->mtu;
}

int
eth_carrier_look(struct dpt_bearer *bearer, uint16_t *mtu)
{
	const struct eth_bearer *eth = (const struct eth_bearer *)bearer;
	struct ifreq ifr;

	if (atomic_load_explicit(&eth->is_removed, memory_order_relaxed))
		return -ENODEV;
	if (!eth->is_netdev_told || eth->netdev_fd < 0)
		return 0;
	/* Where the bearer has the interface's name, it goes with that. */
	if (!netdev_name(eth, &ifr) ||
	    (eth->is_interface && strcmp(ifr.ifr_name, eth->device) != 0))
		return -ENODEV;
	*mtu = eth_carrier_mtu(eth);
	return 0;
}

bool
eth_carrier_is_up(struct dpt_bearer *bearer)
{
	const struct eth_bearer *eth = (const struct eth_bearer *)bearer;
	struct rte_eth_link link = {0};

	if (eth->is_netdev_told)
		return netdev_is_up(eth);
	if (rte_eth_link_get_nowait(eth->port, &link) != 0)
		return true;
	return link.link_status == RTE_ETH_LINK_UP;
}

int
eth_carrier_fd(struct dpt_bearer *bearer)
{
	return ((struct eth_bearer *)bearer)->carrier_fd;
}
