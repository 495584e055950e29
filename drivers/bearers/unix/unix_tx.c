/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending: a frame is one datagram to its MAC's end, a broadcast one to every end. What a
 * full receiver does not take waits in a backlog that each later poll tries again, in order.
 */
#include <errno.h>

#include <rte_cycles.h>

#include "unix_priv.h"

/* Segments of a frame: an MTU's worth in buffers of the smallest sensible size. */
#define TX_SEGS_MAX 16

/* 0: gone; -EAGAIN: receiver full; other negative errno: no such end. */
static int
tx_send(struct unix_bearer *unx, struct rte_mbuf *m, const uint8_t mac[L2_MAC_BYTES])
{
	struct iovec iov[TX_SEGS_MAX];
	struct sockaddr_un addr;
	struct msghdr msg = {.msg_name = &addr, .msg_iov = iov};

	msg.msg_namelen = unix_addr(&addr, unx->wire, mac);
	for (struct rte_mbuf *seg = m; seg != NULL && msg.msg_iovlen < TX_SEGS_MAX;
	     seg = seg->next) {
		iov[msg.msg_iovlen].iov_base = rte_pktmbuf_mtod(seg, void *);
		iov[msg.msg_iovlen++].iov_len = seg->data_len;
	}
	if (sendmsg(unx->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EAGAIN || errno == ENOBUFS ? -EAGAIN : -errno;
}

static void
tx_wait(struct unix_bearer *unx, struct rte_mbuf *m, const uint8_t *mac, uint64_t tsc)
{
	struct unix_waiting *waiting;

	if (unx->backlog_cnt == UNIX_BACKLOG_FRAMES) {
		unx->counters.drop_tx_full++;
		return;
	}
	waiting = &unx->backlog[unx->backlog_cnt++];
	*waiting = (struct unix_waiting){.m = m, .tsc = tsc};
	memcpy(waiting->mac, mac, L2_MAC_BYTES);
	rte_pktmbuf_refcnt_update(m, 1);
}

/* One receiver; earlier frames for anybody go first, so that order is kept. */
static void
tx_to(struct unix_bearer *unx, struct rte_mbuf *m, const uint8_t *mac, uint64_t tsc)
{
	int rc = unx->backlog_cnt > 0 ? -EAGAIN : tx_send(unx, m, mac);

	if (rc == -EAGAIN) {
		tx_wait(unx, m, mac, tsc);
	} else if (rc != 0) {
		/* Nobody is there (any more): as on a wire, the frame is simply not heard. */
		unix_peer_del(unx, mac);
	}
}

static bool
tx_is_blocked(uint8_t (*blocked)[L2_MAC_BYTES], uint32_t cnt, const uint8_t *mac)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (memcmp(blocked[i], mac, L2_MAC_BYTES) == 0)
			return true;
	return false;
}

void
unix_tx_flush(struct unix_bearer *unx)
{
	uint8_t blocked[UNIX_PEERS_MAX][L2_MAC_BYTES];
	uint32_t blocked_cnt = 0, kept = 0;
	uint64_t tsc = rte_rdtsc();

	for (uint32_t i = 0; i < unx->backlog_cnt; i++) {
		struct unix_waiting waiting = unx->backlog[i];
		int rc = -EAGAIN;

		if (!tx_is_blocked(blocked, blocked_cnt, waiting.mac)) {
			rc = tx_send(unx, waiting.m, waiting.mac);
			if (rc == -EAGAIN && blocked_cnt < UNIX_PEERS_MAX)
				memcpy(blocked[blocked_cnt++], waiting.mac, L2_MAC_BYTES);
		}
		if (rc == -EAGAIN && tsc - waiting.tsc < UNIX_BACKLOG_MS * unx->tsc_per_ms) {
			unx->backlog[kept++] = waiting;
			continue;
		}
		if (rc == -EAGAIN)
			unx->counters.drop_tx_full++;
		rte_pktmbuf_free(waiting.m);
	}
	unx->backlog_cnt = kept;
}

void
unix_tx_burst(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs, uint16_t cnt)
{
	struct unix_bearer *unx = (struct unix_bearer *)bearer;
	uint64_t tsc = rte_rdtsc();

	(void)queue;
	if (unx->backlog_cnt > 0)
		unix_tx_flush(unx);
	for (uint16_t i = 0; i < cnt; i++) {
		struct rte_mbuf *m = bufs[i];

		if (!l2_put(m, unx->mac) || m->nb_segs > TX_SEGS_MAX) {
			unx->counters.drop_tx_no_buffer++;
			rte_pktmbuf_free(m);
			continue;
		}
		unx->counters.tx_frames++;
		unx->counters.tx_bytes += rte_pktmbuf_pkt_len(m);
		if (dpt_buf(m)->dst.is_bcast) {
			unix_peers_refresh(unx, tsc);
			/* Backwards: an end that is gone is taken out on the way. */
			for (uint32_t p = unx->peers_cnt; p-- > 0;) {
				struct unix_peer peer = unx->peers[p];

				tx_to(unx, m, peer.mac, tsc);
			}
		} else {
			tx_to(unx, m, dpt_buf(m)->dst.bytes, tsc);
		}
		rte_pktmbuf_free(m);
	}
}
