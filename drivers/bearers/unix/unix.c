/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TIPC frames over Unix datagram sockets: several dptipcd on one machine without root or
 * NIC. Device text: the wire's name; all that name the same wire hear each other. Anybody in
 * the same network namespace may join. Contract: dpt_bearer.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "../dpt_bearers.h"
#include "unix_priv.h"

/* Octets that may be under way; the kernel cuts it to its own limit. Our choice. */
#define UNIX_SNDBUF_BYTES (4 << 20)

static int
unix_socket(struct unix_bearer *unx, char *error, size_t error_bytes)
{
	struct sockaddr_un addr;
	socklen_t addr_len;
	int bytes = UNIX_SNDBUF_BYTES;

	unx->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (unx->fd < 0) {
		snprintf(error, error_bytes, "unix:%s: socket: %s", unx->wire, strerror(errno));
		return -errno;
	}
	setsockopt(unx->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	addr_len = unix_addr(&addr, unx->wire, unx->mac);
	if (bind(unx->fd, (struct sockaddr *)&addr, addr_len) != 0) {
		int rc = -errno;

		snprintf(error, error_bytes, "unix:%s: bind: %s", unx->wire, strerror(errno));
		close(unx->fd);
		return rc;
	}
	return 0;
}

static int
unix_open(const struct dpt_bearer_cfg *cfg, struct dpt_bearer **bearer, char *error,
	  size_t error_bytes)
{
	struct unix_bearer *unx;
	int rc;

	if (strlen(cfg->device) >= UNIX_WIRE_BYTES || strpbrk(cfg->device, "/@ ") != NULL) {
		snprintf(error, error_bytes,
			 "unix:%s: a wire's name has 1 to %d characters, no '/', '@' or space",
			 cfg->device, UNIX_WIRE_BYTES - 1);
		return -EINVAL;
	}
	unx = calloc(1, sizeof(*unx));
	if (unx == NULL)
		return -ENOMEM;
	unx->bearer.ops = &dpt_bearer_unix;
	unx->pool = cfg->pool;
	unx->mtu = RTE_MIN(cfg->mtu_max, (uint16_t)1500);
	unx->tsc_per_ms = rte_get_tsc_hz() / 1000;
	memcpy(unx->wire, cfg->device, strlen(cfg->device));
	if (getrandom(unx->mac, sizeof(unx->mac), 0) != (ssize_t)sizeof(unx->mac)) {
		free(unx);
		return -EIO;
	}
	unx->mac[0] = (uint8_t)((unx->mac[0] & 0xfc) | 0x02); /* locally administered, unicast */
	rc = unix_socket(unx, error, error_bytes);
	if (rc != 0) {
		free(unx);
		return rc;
	}
	*bearer = &unx->bearer;
	return 0;
}

static void
unix_info(const struct dpt_bearer *bearer, struct dpt_bearer_info *info)
{
	const struct unix_bearer *unx = (const struct unix_bearer *)bearer;

	*info = (struct dpt_bearer_info){
		.media = DPT_MEDIA_ETH,
		.maddr = dpt_maddr_eth(unx->mac),
		.mtu = unx->mtu,
		.queues_cnt = 1,
		.has_bcast = true,
	};
	l2_if_name(info->if_name, unx->wire);
}

static void
unix_close(struct dpt_bearer *bearer)
{
	struct unix_bearer *unx = (struct unix_bearer *)bearer;

	unix_tx_flush(unx);
	for (uint32_t i = 0; i < unx->backlog_cnt; i++)
		rte_pktmbuf_free(unx->backlog[i].m);
	for (uint32_t i = 0; i < unx->fresh_cnt; i++)
		rte_pktmbuf_free(unx->fresh[i]);
	close(unx->fd);
	free(unx);
}

/* Buffers for the next receive are kept between polls: most polls find nothing. */
static void
unix_refill(struct unix_bearer *unx, uint32_t cnt)
{
	while (unx->fresh_cnt < cnt) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(unx->pool);

		if (m == NULL)
			return;
		unx->fresh[unx->fresh_cnt++] = m;
	}
}

/* A frame of bytes octets is in m, its L2 header in the headroom. */
static bool
unix_take(struct unix_bearer *unx, struct rte_mbuf *m, const struct mmsghdr *msg)
{
	if (msg->msg_hdr.msg_flags & MSG_TRUNC) {
		rte_pktmbuf_free(m);
		unx->counters.drop_rx_no_buffer++;
		return false;
	}
	rte_pktmbuf_prepend(m, L2_BYTES);
	m->data_len = (uint16_t)msg->msg_len;
	m->pkt_len = msg->msg_len;
	return l2_take(m, unx->mac, &unx->counters);
}

static uint16_t
unix_rx_burst(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs, uint16_t cnt)
{
	struct unix_bearer *unx = (struct unix_bearer *)bearer;
	struct mmsghdr msgs[UNIX_BURST] = {0};
	struct iovec iov[UNIX_BURST];
	uint16_t taken = 0;
	int got;

	(void)queue;
	if (unx->backlog_cnt > 0)
		unix_tx_flush(unx);
	unix_refill(unx, RTE_MIN(cnt, UNIX_BURST));
	cnt = (uint16_t)RTE_MIN(cnt, unx->fresh_cnt);
	for (uint16_t i = 0; i < cnt; i++) {
		struct rte_mbuf *m = unx->fresh[unx->fresh_cnt - 1 - i];

		iov[i].iov_base = rte_pktmbuf_mtod(m, uint8_t *) - L2_BYTES;
		iov[i].iov_len = rte_pktmbuf_tailroom(m) + (size_t)L2_BYTES;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	got = cnt > 0 ? recvmmsg(unx->fd, msgs, cnt, MSG_DONTWAIT, NULL) : 0;
	for (int i = 0; i < got; i++) {
		struct rte_mbuf *m = unx->fresh[--unx->fresh_cnt];

		if (unix_take(unx, m, &msgs[i]))
			bufs[taken++] = m;
	}
	return taken;
}

static int
unix_wait_fd(struct dpt_bearer *bearer, uint16_t queue)
{
	(void)queue;
	return ((struct unix_bearer *)bearer)->fd;
}

static bool
unix_wait_arm(struct dpt_bearer *bearer, uint16_t queue)
{
	(void)queue;
	/* The descriptor does not tell when a full receiver has room: then poll on. */
	return ((struct unix_bearer *)bearer)->backlog_cnt == 0;
}

static void
unix_wait_disarm(struct dpt_bearer *bearer, uint16_t queue)
{
	(void)bearer;
	(void)queue;
}

static bool
unix_is_up(struct dpt_bearer *bearer)
{
	(void)bearer;
	return true;
}

static void
unix_counters(const struct dpt_bearer *bearer, uint64_t *values, uint32_t cnt)
{
	dpt_bearer_counters_add(&((const struct unix_bearer *)bearer)->counters, values, cnt);
}

const struct dpt_bearer_ops dpt_bearer_unix = {
	.media_name = "unix",
	.open = unix_open,
	.info = unix_info,
	.close = unix_close,
	.rx_burst = unix_rx_burst,
	.tx_burst = unix_tx_burst,
	.wait_fd = unix_wait_fd,
	.wait_arm = unix_wait_arm,
	.wait_disarm = unix_wait_disarm,
	.is_up = unix_is_up,
	.counters = unix_counters,
};
