/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is on the wire: names of ends, and the kernel's list of them. */
#include "unix_priv.h"

#include <stddef.h>
#include <stdio.h>

socklen_t
unix_addr(struct sockaddr_un *addr, const char *wire, const uint8_t mac[L2_MAC_BYTES])
{
	int len;

	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	len = snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1,
		       UNIX_NAME_PREFIX "%s/%02x%02x%02x%02x%02x%02x", wire, mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* "@dptipc/wire/<wire>/<mac>" at the end of a line: the MAC. */
static bool
peer_parse(const char *line, const char *wire, uint8_t mac[L2_MAC_BYTES])
{
	const char *name = strchr(line, '@');
	size_t wire_len = strlen(wire);
	unsigned int v[L2_MAC_BYTES];

	if (name == NULL || strncmp(name + 1, UNIX_NAME_PREFIX, strlen(UNIX_NAME_PREFIX)) != 0)
		return false;
	name += 1 + strlen(UNIX_NAME_PREFIX);
	if (strncmp(name, wire, wire_len) != 0 || name[wire_len] != '/')
		return false;
	if (sscanf(name + wire_len + 1, "%2x%2x%2x%2x%2x%2x", &v[0], &v[1], &v[2], &v[3], &v[4],
		   &v[5]) != L2_MAC_BYTES)
		return false;
	for (unsigned int i = 0; i < L2_MAC_BYTES; i++)
		mac[i] = (uint8_t)v[i];
	return true;
}

void
unix_peers_refresh(struct unix_bearer *unx, uint64_t tsc)
{
	char line[256];
	FILE *list;

	if (unx->peers_tsc != 0 && tsc - unx->peers_tsc < UNIX_PEERS_MS * unx->tsc_per_ms)
		return;
	unx->peers_tsc = tsc;
	list = fopen("/proc/net/unix", "re");
	if (list == NULL)
		return;
	unx->peers_cnt = 0;
	while (unx->peers_cnt < UNIX_PEERS_MAX && fgets(line, sizeof(line), list) != NULL) {
		uint8_t *mac = unx->peers[unx->peers_cnt].mac;

		if (peer_parse(line, unx->wire, mac) && memcmp(mac, unx->mac, L2_MAC_BYTES) != 0)
			unx->peers_cnt++;
	}
	fclose(list);
}

void
unix_peer_del(struct unix_bearer *unx, const uint8_t mac[L2_MAC_BYTES])
{
	for (uint32_t i = 0; i < unx->peers_cnt; i++) {
		if (memcmp(unx->peers[i].mac, mac, L2_MAC_BYTES) != 0)
			continue;
		unx->peers[i] = unx->peers[--unx->peers_cnt];
		return;
	}
}
