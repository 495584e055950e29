/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_BUF_H
#define DPT_BUF_H

/*
 * A buffer is an rte_mbuf whose pool was made with a private area of
 * DPT_BUF_PRIV_BYTES. It holds one TIPC message, its header within the first
 * segment. Buffers wait in intrusive FIFO queues (struct dpt_bufq), so a queue
 * allocates nothing and is bounded by the pool.
 *
 *    mbuf | private area (struct dpt_buf) | headroom | [L2 header] | TIPC message
 *                                                     l2_bytes      ^ dpt_buf_hdr()
 *
 * A buffer has one owner. "A buffer given is a buffer gone" unless a function
 * says otherwise. A link keeps a sent packet for retransmission and hands the
 * bearer a second reference to the same buffer: after the first transmission the
 * bearer's L2 header stays in front of the message (l2_bytes > 0), always the
 * same octets, since a link has one destination. A second reference is taken with
 * rte_pktmbuf_refcnt_update (every segment, as rte_pktmbuf_free gives them back), not
 * with rte_mbuf_refcnt_update (the first one only).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "dpt_assert.h"
#include "dpt_ids.h"
#include "dpt_maddr.h"

struct dpt_buf {
	struct rte_mbuf *next; /* in a dpt_bufq */
	/* Link transmit queue: 03-link-node.md, 10.2. */
	uint64_t retransmit_next_ns;
	uint64_t retransmit_first_ns;
	/* Shard message: the requester's mark, returned with the answer. */
	uint64_t cookie;
	/* Where the frame goes: read by the bearer. */
	struct dpt_maddr dst; /* 26 octets */
	uint8_t bearer_id;
	uint8_t l2_bytes; /* L2 header in front of the message, 0 when none was put there */
	uint16_t seqno;	  /* link: sequence number */
	uint8_t importance;
	uint8_t flags; /* the present owner's */
	/* Shard message: where it goes, what it is, two arguments. */
	uint8_t shard;
	uint8_t msg_type;
	uint32_t arg;
	uint32_t arg2;
	/* Socket receive queue: octets charged. 09-socket-api.md, 14.4. */
	uint32_t charge;
};

#define DPT_BUF_PRIV_BYTES 128
DPT_STATIC_ASSERT(sizeof(struct dpt_buf) <= DPT_BUF_PRIV_BYTES, "private area of a buffer");

/* Headroom that every pool must give, for the L2 headers of all bearers. */
#define DPT_BUF_HEADROOM_BYTES RTE_PKTMBUF_HEADROOM

static inline struct dpt_buf *
dpt_buf(struct rte_mbuf *m)
{
	return (struct dpt_buf *)rte_mbuf_to_priv(m);
}

/* First octet of the TIPC message. */
static inline uint8_t *
dpt_buf_hdr(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, uint8_t *) + dpt_buf(m)->l2_bytes;
}

/* Octets of the TIPC message that the buffer holds, all segments. */
static inline uint32_t
dpt_buf_bytes(struct rte_mbuf *m)
{
	return rte_pktmbuf_pkt_len(m) - dpt_buf(m)->l2_bytes;
}

/* Contiguous octets of the message in the first segment. */
static inline uint32_t
dpt_buf_head_bytes(struct rte_mbuf *m)
{
	return rte_pktmbuf_data_len(m) - dpt_buf(m)->l2_bytes;
}

/* A fresh, empty buffer with a zeroed private area; NULL when the pool is empty. */
struct rte_mbuf *dpt_buf_alloc(struct rte_mempool *pool);

/*
 * A buffer of len octets, several segments when one does not hold them; the
 * octets are not initialised. NULL when the pool is empty or len > DPT_MSG_BYTES_MAX.
 */
struct rte_mbuf *dpt_buf_alloc_len(struct rte_mempool *pool, uint32_t len);

/*
 * A copy of the message in m (without its L2 header) with a private area of its
 * own: dst, bearer_id, importance are taken over. NULL when the pool is empty.
 */
struct rte_mbuf *dpt_buf_copy(struct rte_mbuf *m, struct rte_mempool *pool);

/* Copy len octets from src into the message from offset on; all segments. */
void dpt_buf_write(struct rte_mbuf *m, uint32_t offset, const void *src, uint32_t len);

/* Copy len octets of the message from offset on to dst; all segments. The caller checked bounds. */
void dpt_buf_read(struct rte_mbuf *m, uint32_t offset, void *dst, uint32_t len);

/*
 * Cut the message to len octets from its start, and give back the segments that are
 * not needed any more; nothing happens if it is not longer. Not for a shared buffer.
 */
void dpt_buf_trim(struct rte_mbuf *m, uint32_t len);

struct dpt_bufq {
	struct rte_mbuf *head;
	struct rte_mbuf *tail;
	uint32_t cnt;
};

static inline void
dpt_bufq_init(struct dpt_bufq *q)
{
	*q = (struct dpt_bufq){0};
}

static inline void
dpt_bufq_push(struct dpt_bufq *q, struct rte_mbuf *m)
{
	dpt_buf(m)->next = NULL;
	if (q->tail != NULL)
		dpt_buf(q->tail)->next = m;
	else
		q->head = m;
	q->tail = m;
	q->cnt++;
}

static inline void
dpt_bufq_push_head(struct dpt_bufq *q, struct rte_mbuf *m)
{
	dpt_buf(m)->next = q->head;
	if (q->head == NULL)
		q->tail = m;
	q->head = m;
	q->cnt++;
}

static inline struct rte_mbuf *
dpt_bufq_pop(struct dpt_bufq *q)
{
	struct rte_mbuf *m = q->head;

	if (m == NULL)
		return NULL;
	q->head = dpt_buf(m)->next;
	if (q->head == NULL)
		q->tail = NULL;
	q->cnt--;
	dpt_buf(m)->next = NULL;
	return m;
}

static inline struct rte_mbuf *
dpt_bufq_next(struct rte_mbuf *m)
{
	return dpt_buf(m)->next;
}

/* Append all of src to dst; src is empty afterwards. */
static inline void
dpt_bufq_splice(struct dpt_bufq *dst, struct dpt_bufq *src)
{
	if (src->head == NULL)
		return;
	if (dst->tail != NULL)
		dpt_buf(dst->tail)->next = src->head;
	else
		dst->head = src->head;
	dst->tail = src->tail;
	dst->cnt += src->cnt;
	dpt_bufq_init(src);
}

/* Free every buffer of the queue. Returns how many. */
uint32_t dpt_bufq_free(struct dpt_bufq *q);

#endif /* DPT_BUF_H */
