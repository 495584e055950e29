/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which port a device's text means, in this order:
 *
 *   "net_tap0", "0000:01:00.0"   a port that DPDK has already, by its name; or had, until its
 *                                bearer was closed: then the device is plugged in anew
 *   "0"                          one that it has, by its number
 *   "0000:01:00.0"               a PCI device that DPDK may have: it is plugged in
 *   "eth0"                       an interface of the kernel: a port of net_af_packet is made for
 * it, with a queue pair for each worker, and goes with the bearer
 *
 * Hot plugging tells other processes of the same DPDK instance, where there can be some; EAL takes
 * "no such processes" (--in-memory, --no-shconf) for success.
 */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_devargs.h>

#include "eth_priv.h"

#define PLUG_NETDEV "net_af_packet_"
/* Least MTU of an interface. Src: 13-netlink.md, 5.3. */
#define PLUG_MTU_MIN 100
/* Arguments of a device that EAL was given. Our choice. */
#define PLUG_DEVARGS_BYTES 1024

static bool
plug_is_there(const char *device, uint16_t *port)
{
	unsigned long number;
	char *end;

	if (rte_eth_dev_get_port_by_name(device, port) == 0)
		return true;
	number = strtoul(device, &end, 10);
	if (*end != '\0' || end == device || number >= RTE_MAX_ETHPORTS ||
	    !rte_eth_dev_is_valid_port((uint16_t)number))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* Sets the port of what was plugged in. name: as DPDK knows it. */
static int
plug_in(struct eth_bearer *eth, const char *bus, const char *name, const char *devargs)
{
	int rc = rte_eal_hotplug_add(bus, name, devargs);

	if (rc != 0)
		return rc == -ENOMEM ? -ENOMEM : -ENODEV;
	if (rte_eth_dev_get_port_by_name(name, &eth->port) == 0)
		return 0;
	rte_eal_hotplug_remove(bus, name);
	return -ENODEV;
}

/* A closed port is none, but its device is still the driver's: it is taken out, and put in. */
static int
plug_again(struct eth_bearer *eth, const char *bus, const char *device)
{
	struct rte_devargs *found = NULL, *devargs;
	char args[PLUG_DEVARGS_BYTES];

	RTE_EAL_DEVARGS_FOREACH(bus, devargs)
	{
		if (strcmp(devargs->name, device) == 0)
			found = devargs;
	}
	if (found == NULL || (found->args != NULL && strlen(found->args) >= sizeof(args)))
		return -ENODEV;
	snprintf(args, sizeof(args), "%s", found->args != NULL ? found->args : "");
	return rte_eal_hotplug_remove(bus, device) == 0 ? plug_in(eth, bus, device, args) : -ENODEV;
}

static int
plug_pci(struct eth_bearer *eth, const char *device)
{
	unsigned int domain, bus, slot, function;
	int used = 0;

	if (sscanf(device, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &used) != 4 ||
	    device[used] != '\0' || plug_in(eth, "pci", device, "") != 0)
		return -ENODEV;
	eth->bus = "pci";
	return 0;
}

/* The kernel's own checks of a device, in its order. */
static int
netdev_check(int fd, const char *device, char *error, size_t error_bytes)
{
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, device, strlen(device));
	if (ioctl(fd, SIOCGIFMTU, &ifr) != 0)
		return -ENODEV;
	if (ifr.ifr_mtu < PLUG_MTU_MIN) {
		snprintf(error, error_bytes, "eth:%s: its MTU is %d; TIPC needs more", device,
			 ifr.ifr_mtu);
		return -EINVAL;
	}
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) != 0)
		return -ENODEV;
	if ((ifr.ifr_flags & IFF_LOOPBACK) != 0) {
		snprintf(error, error_bytes, "eth:%s: the loopback interface carries no TIPC",
			 device);
		return -EINVAL;
	}
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) != 0)
		return -ENODEV;
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER || strpbrk(device, ",=[]\"'\\") != NULL) {
		snprintf(error, error_bytes, "eth:%s: %s", device,
			 ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER
				 ? "no Ethernet interface"
				 : "DPDK cannot take an interface of such a name");
		return -EINVAL;
	}
	return 0;
}

static int
plug_netdev(struct eth_bearer *eth, const struct dpt_bearer_cfg *cfg, char *error,
	    size_t error_bytes)
{
	char name[sizeof(PLUG_NETDEV) + IF_NAMESIZE], devargs[IF_NAMESIZE + 32];
	int fd, rc;

	if (strlen(cfg->device) >= IF_NAMESIZE || if_nametoindex(cfg->device) == 0)
		return -ENODEV;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		rc = -errno;
		snprintf(error, error_bytes,
			 "eth:%s: %s: an interface of the kernel needs "
			 "CAP_NET_RAW",
			 cfg->device, strerror(-rc));
		return rc;
	}
	rc = netdev_check(fd, cfg->device, error, error_bytes);
	close(fd);
	if (rc != 0)
		return rc;
	snprintf(name, sizeof(name), PLUG_NETDEV "%s", cfg->device);
	snprintf(devargs, sizeof(devargs), "iface=%s,qpairs=%u", cfg->device, cfg->queues_cnt);
	rc = plug_in(eth, "vdev", name, devargs);
	eth->is_interface = rc == 0;
	eth->bus = rc == 0 ? "vdev" : NULL;
	if (rc != 0)
		snprintf(error, error_bytes, "eth:%s: DPDK's net_af_packet does not take it: %s",
			 cfg->device, strerror(-rc));
	return rc;
}

static void
plug_none(const char *device, char *error, size_t error_bytes)
{
	size_t used = (size_t)snprintf(error, error_bytes,
				       "eth:%s: no such port, nor an interface; ", device);
	uint16_t other;

	if (rte_eth_dev_count_avail() == 0)
		snprintf(error + used, error_bytes - used,
			 "ports: none. \"ip link\" shows interfaces; \"-a 0000:01:00.0\" or "
			 "\"--vdev net_tap0\" give EAL a port");
	RTE_ETH_FOREACH_DEV(other)
	{
		char name[RTE_ETH_NAME_MAX_LEN] = "?";

		rte_eth_dev_get_name_by_port(other, name);
		if (used < error_bytes)
			used += (size_t)snprintf(error + used, error_bytes - used, "%s%s",
						 error[used - 1] == ' ' ? "there are: " : ", ",
						 name);
	}
}

int
eth_plug(struct eth_bearer *eth, const struct dpt_bearer_cfg *cfg, char *error, size_t error_bytes)
{
	int rc;

	if (plug_is_there(cfg->device, &eth->port) || plug_again(eth, "vdev", cfg->device) == 0 ||
	    plug_again(eth, "pci", cfg->device) == 0) {
		rte_eth_dev_get_name_by_port(eth->port, eth->device);
		return 0;
	}
	rc = plug_pci(eth, cfg->device);
	if (rc == -ENODEV)
		rc = plug_netdev(eth, cfg, error, error_bytes);
	if (rc == 0)
		snprintf(eth->device, sizeof(eth->device), "%s", cfg->device);
	else if (error[0] == '\0')
		plug_none(cfg->device, error, error_bytes);
	return rc;
}

void
eth_unplug(struct eth_bearer *eth)
{
	char name[sizeof(PLUG_NETDEV) + RTE_ETH_NAME_MAX_LEN];

	if (eth->bus == NULL)
		return;
	snprintf(name, sizeof(name), "%s%s", eth->is_interface ? PLUG_NETDEV : "", eth->device);
	rte_eal_hotplug_remove(eth->bus, name);
}
