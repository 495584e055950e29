/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers: allocation, copies, octets across segments. Contract: dpt_buf.h. */
#include "dpt_buf.h"

#include <string.h>

#include "dpt_limits.h"

struct rte_mbuf *
dpt_buf_alloc(struct rte_mempool *pool)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m != NULL)
		memset(dpt_buf(m), 0, sizeof(struct dpt_buf));
	return m;
}

struct rte_mbuf *
dpt_buf_alloc_len(struct rte_mempool *pool, uint32_t len)
{
	struct rte_mbuf *head, *tail;
	uint32_t left = len;

	if (len > DPT_MSG_BYTES_MAX)
		return NULL;
	head = dpt_buf_alloc(pool);
	if (head == NULL)
		return NULL;
	for (tail = head;;) {
		uint16_t room = rte_pktmbuf_tailroom(tail);
		uint16_t part = left < room ? (uint16_t)left : room;

		tail->data_len = part;
		left -= part;
		if (left == 0)
			break;
		tail->next = dpt_buf_alloc(pool);
		if (tail->next == NULL) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		tail = tail->next;
		head->nb_segs++;
	}
	head->pkt_len = len;
	return head;
}

struct rte_mbuf *
dpt_buf_copy(struct rte_mbuf *m, struct rte_mempool *pool)
{
	struct rte_mbuf *copy = dpt_buf_alloc_len(pool, dpt_buf_bytes(m));
	uint32_t offset = 0;
	uint32_t skip = dpt_buf(m)->l2_bytes;

	if (copy == NULL)
		return NULL;
	for (struct rte_mbuf *seg = m; seg != NULL; seg = seg->next) {
		uint32_t part = seg->data_len - skip;

		dpt_buf_write(copy, offset, rte_pktmbuf_mtod(seg, uint8_t *) + skip, part);
		offset += part;
		skip = 0;
	}
	dpt_buf(copy)->dst = dpt_buf(m)->dst;
	dpt_buf(copy)->bearer_id = dpt_buf(m)->bearer_id;
	dpt_buf(copy)->importance = dpt_buf(m)->importance;
	return copy;
}

/* The segment that holds the octet at *offset of the frame; *offset becomes its place there. */
static struct rte_mbuf *
buf_seek(struct rte_mbuf *m, uint32_t *offset)
{
	while (m != NULL && *offset >= m->data_len) {
		*offset -= m->data_len;
		m = m->next;
	}
	return m;
}

void
dpt_buf_write(struct rte_mbuf *m, uint32_t offset, const void *src, uint32_t len)
{
	const uint8_t *from = src;

	DPT_ASSERT(offset <= dpt_buf_bytes(m));
	DPT_ASSERT(len <= dpt_buf_bytes(m) - offset);
	offset += dpt_buf(m)->l2_bytes;
	m = buf_seek(m, &offset);
	while (len > 0) {
		uint32_t part = m->data_len - offset;

		if (part > len)
			part = len;
		memcpy(rte_pktmbuf_mtod(m, uint8_t *) + offset, from, part);
		from += part;
		len -= part;
		offset = 0;
		m = m->next;
	}
}

void
dpt_buf_read(struct rte_mbuf *m, uint32_t offset, void *dst, uint32_t len)
{
	uint8_t *to = dst;

	DPT_ASSERT(offset <= dpt_buf_bytes(m));
	DPT_ASSERT(len <= dpt_buf_bytes(m) - offset);
	offset += dpt_buf(m)->l2_bytes;
	m = buf_seek(m, &offset);
	while (len > 0) {
		uint32_t part = m->data_len - offset;

		if (part > len)
			part = len;
		memcpy(to, rte_pktmbuf_mtod(m, const uint8_t *) + offset, part);
		to += part;
		len -= part;
		offset = 0;
		m = m->next;
	}
}

void
dpt_buf_trim(struct rte_mbuf *m, uint32_t len)
{
	uint32_t left = len + dpt_buf(m)->l2_bytes;
	struct rte_mbuf *seg = m;
	uint16_t segs_cnt = 1;

	if (len >= dpt_buf_bytes(m))
		return;
	m->pkt_len = left;
	while (left > seg->data_len) {
		left -= seg->data_len;
		seg = seg->next;
		segs_cnt++;
	}
	seg->data_len = (uint16_t)left;
	m->nb_segs = segs_cnt;
	rte_pktmbuf_free(seg->next);
	seg->next = NULL;
}

uint32_t
dpt_bufq_free(struct dpt_bufq *q)
{
	struct rte_mbuf *m;
	uint32_t cnt = 0;

	while ((m = dpt_bufq_pop(q)) != NULL) {
		rte_pktmbuf_free(m);
		cnt++;
	}
	return cnt;
}
