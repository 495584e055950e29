/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_SOCKET_CHARGE_H
#define DPT_SOCKET_CHARGE_H

/*
 * What queued messages are charged: of the receive limit of their socket as the kernel charges
 * them, of an account what they really take. Part of socket_priv.h.
 */

#include "socket_priv.h"

/*
 * What a message is charged of its socket's receive limit, as Linux 6.1 does, so that as many fit:
 * a descriptor, and the power of two that holds header, payload and what the kernel keeps around
 * them. Measured: 1 octet 768, 1000 octets 2304, 66000 octets 131328 (09-socket-api.md, 14.4).
 */
#define SOCK_CHARGE_DESCRIPTOR_BYTES 256
#define SOCK_CHARGE_AROUND_BYTES     420
/* What a message takes of our memory beyond its octets, per segment: the limit of an account. */
#define SOCK_SEGMENT_BYTES 1304

/* Memory that a queued message takes. */
static inline uint32_t
sock_memory_of(struct rte_mbuf *m)
{
	return m->nb_segs * SOCK_SEGMENT_BYTES + rte_pktmbuf_pkt_len(m);
}

static inline void
sock_charge(struct sock *sock, struct rte_mbuf *m)
{
	uint32_t memory = sock_memory_of(m);

	sock->charge += dpt_buf(m)->charge;
	sock->memory += memory;
	if (sock->account != NULL)
		sock->account->charge += memory;
}

static inline void
sock_discharge(struct sock *sock, struct rte_mbuf *m)
{
	uint32_t memory = sock_memory_of(m);

	sock->charge -= dpt_buf(m)->charge;
	sock->memory -= memory;
	if (sock->account != NULL)
		sock->account->charge -= memory;
}

/* The queue was emptied: nothing is given out or charged. */
static inline void
sock_emptied(struct sock *sock)
{
	sock->next_given = NULL;
	sock->given_cnt = 0;
	sock->conn.is_part_read = false;
	if (sock->account != NULL)
		sock->account->charge -= sock->memory;
	sock->charge = 0;
	sock->memory = 0;
}

#endif /* DPT_SOCKET_CHARGE_H */
