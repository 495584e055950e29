/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIX_PRIV_H
#define UNIX_PRIV_H

/*
 * A wire of Unix datagram sockets: one abstract socket per end, a datagram is a frame.
 *
 *     "\0dptipc/wire/<wire>/<own MAC, 12 hexadecimal digits>"
 */

#include <sys/socket.h>
#include <sys/un.h>

#include "../l2.h"

#define UNIX_NAME_PREFIX "dptipc/wire/"
/* Longest name of a wire. Our choice. */
#define UNIX_WIRE_BYTES 40
/* Ends of a wire that a broadcast reaches. Our choice. */
#define UNIX_PEERS_MAX 64
/* Frames of one system call. Our choice: the dataplane's burst. */
#define UNIX_BURST 32
/*
 * Frames that wait because the receiver's queue is full. The kernel takes only
 * net.unix.max_dgram_qlen (often 10) datagrams per receiver, far below a link's window.
 */
#define UNIX_BACKLOG_FRAMES 1024
/* How long they wait: a receiver that takes nothing for so long is hung. Our choice. */
#define UNIX_BACKLOG_MS 500
/* Age at which the list of ends is read anew before a broadcast. Our choice. */
#define UNIX_PEERS_MS 100

struct unix_peer {
	uint8_t mac[L2_MAC_BYTES];
};

struct unix_waiting {
	struct rte_mbuf *m; /* header in front; a reference of its own */
	uint64_t tsc;	    /* since when */
	uint8_t mac[L2_MAC_BYTES];
};

struct unix_bearer {
	struct dpt_bearer bearer;
	struct dpt_bearer_counters counters;
	struct rte_mempool *pool;
	int fd;
	uint16_t mtu;
	uint8_t mac[L2_MAC_BYTES];
	char wire[UNIX_WIRE_BYTES];
	uint64_t tsc_per_ms;

	struct unix_peer peers[UNIX_PEERS_MAX]; /* what a broadcast goes to */
	uint32_t peers_cnt;
	uint64_t peers_tsc; /* when they were read; 0: never */

	struct rte_mbuf *fresh[UNIX_BURST]; /* allocated, empty: for the next receive */
	uint32_t fresh_cnt;

	struct unix_waiting backlog[UNIX_BACKLOG_FRAMES]; /* oldest first */
	uint32_t backlog_cnt;
};

/* Address of the end with this MAC. Returns its length. */
socklen_t unix_addr(struct sockaddr_un *addr, const char *wire, const uint8_t mac[L2_MAC_BYTES]);

/* Read the ends of the wire other than our own from /proc/net/unix, when the list is old. */
void unix_peers_refresh(struct unix_bearer *unx, uint64_t tsc);
void unix_peer_del(struct unix_bearer *unx, const uint8_t mac[L2_MAC_BYTES]);

/* unix_tx.c */
void unix_tx_burst(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs, uint16_t cnt);
/* Try what waits once more. */
void unix_tx_flush(struct unix_bearer *unx);

#endif /* UNIX_PRIV_H */
