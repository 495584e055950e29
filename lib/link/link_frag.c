/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Fragmentation and reassembly, for unicast links and for the broadcast link.
 * Src: 01-wire-format.md, 7.4, 8.2, hazards 6 to 8 of its section 17.
 */

#include <errno.h>

#include <rte_mbuf.h>

#include "dpt_assert.h"
#include "link_priv.h"

/* A context is one message under way: what the counters of drops count. */
uint32_t
dpt_reassembly_reset(struct dpt_reassembly *ra)
{
	uint32_t cnt = ra->head != NULL;

	rte_pktmbuf_free(ra->head);
	*ra = (struct dpt_reassembly){0};
	return cnt;
}

static int
reassembly_fail(struct dpt_reassembly *ra, struct rte_mbuf *m, uint64_t *drops)
{
	*drops += dpt_reassembly_reset(ra) + 1;
	rte_pktmbuf_free(m);
	return -EPROTO;
}

/* Cut the fragment header off: what remains is a piece of the inner message. */
static void
fragment_strip(struct rte_mbuf *m)
{
	uint16_t hdr_bytes = (uint16_t)dpt_msg_hdr_bytes(dpt_buf_hdr(m));

	rte_pktmbuf_adj(m, (uint16_t)(dpt_buf(m)->l2_bytes + hdr_bytes));
	dpt_buf(m)->l2_bytes = 0;
}

/*
 * The first piece must hold the inner header whole: senders fill it to their packet
 * limit, and the checks at the end need it in one segment.
 */
static bool
reassembly_begin(struct dpt_reassembly *ra, struct rte_mbuf *m, uint32_t bytes)
{
	const uint8_t *inner;
	uint32_t size;

	fragment_strip(m);
	if (bytes < DPT_HDR_BYTES_MIN || rte_pktmbuf_data_len(m) < DPT_HDR_BYTES_MIN)
		return false;
	inner = dpt_buf_hdr(m);
	size = dpt_msg_size(inner);
	if (dpt_msg_hdr_bytes(inner) > rte_pktmbuf_data_len(m))
		return false;
	if (size <= bytes || size > DPT_MSG_BYTES_MAX)
		return false;
	ra->head = m;
	ra->tail = rte_pktmbuf_lastseg(m);
	ra->bytes = bytes;
	ra->size = size;
	return true;
}

/* Append a piece: copied when it fits into the last segment, chained otherwise. */
static void
reassembly_append(struct dpt_reassembly *ra, struct rte_mbuf *m, uint32_t bytes)
{
	fragment_strip(m);
	ra->bytes += bytes;
	if (bytes <= rte_pktmbuf_tailroom(ra->tail) && rte_mbuf_refcnt_read(ra->tail) == 1) {
		uint8_t *end = rte_pktmbuf_mtod_offset(ra->tail, uint8_t *, ra->tail->data_len);

		dpt_buf_read(m, 0, end, bytes);
		ra->tail->data_len = (uint16_t)(ra->tail->data_len + bytes);
		ra->head->pkt_len += bytes;
		rte_pktmbuf_free(m);
		return;
	}
	ra->tail->next = m;
	ra->tail = rte_pktmbuf_lastseg(m);
	ra->head->nb_segs = (uint16_t)(ra->head->nb_segs + m->nb_segs);
	ra->head->pkt_len += bytes;
	m->nb_segs = 1;
	m->pkt_len = m->data_len;
}

/*
 * m: a piece of that type of a message that is legal at place. A tunnel packet may be cut so
 * that its last piece is empty. Src: 01-wire-format.md, 8.2, 8.3.
 */
static int
reassembly_piece(struct dpt_reassembly *ra, struct rte_mbuf *m, uint32_t type,
		 enum dpt_msg_place place, uint64_t *drops)
{
	uint32_t bytes = dpt_msg_payload_bytes(dpt_buf_hdr(m));
	bool is_last = type == DPT_TYPE_LAST_FRAGMENT;
	bool is_tunnel = place == DPT_PLACE_TUNNEL;

	if (type > DPT_TYPE_LAST_FRAGMENT || (bytes == 0 && !(is_tunnel && is_last)))
		return reassembly_fail(ra, m, drops);
	if (type == DPT_TYPE_FIRST_FRAGMENT) {
		if (ra->head != NULL || !reassembly_begin(ra, m, bytes))
			return reassembly_fail(ra, m, drops);
		return 0;
	}
	if (ra->head == NULL || bytes > ra->size - ra->bytes)
		return reassembly_fail(ra, m, drops);
	if (is_last != (bytes == ra->size - ra->bytes) && (is_last || !is_tunnel))
		return reassembly_fail(ra, m, drops);
	reassembly_append(ra, m, bytes);
	if (!is_last)
		return 0;
	if (dpt_msg_check_buf(ra->head, place) == DPT_MSG_OK)
		return 1;
	/* The last fragment is inside the context already: it counts beside it. */
	*drops += dpt_reassembly_reset(ra) + 1;
	return -EPROTO;
}

/* A whole message leaves the context. rc: of reassembly_piece. */
static int
reassembly_end(struct dpt_reassembly *ra, int rc, struct rte_mbuf **msg)
{
	*msg = NULL;
	if (rc <= 0)
		return rc;
	*msg = ra->head;
	*ra = (struct dpt_reassembly){0};
	return rc;
}

int
dpt_reassembly_add(struct dpt_reassembly *ra, struct rte_mbuf *m, struct rte_mbuf **msg,
		   uint64_t *drops)
{
	uint32_t type = dpt_msg_type(dpt_buf_hdr(m));

	return reassembly_end(ra, reassembly_piece(ra, m, type, DPT_PLACE_REASSEMBLED, drops), msg);
}

int
link_reassembly_tunnel(struct dpt_reassembly *ra, struct rte_mbuf *m, struct rte_mbuf **msg,
		       uint64_t *drops)
{
	uint32_t no = dpt_msg_fragm_no(dpt_buf_hdr(m)), cnt = dpt_msg_nof_fragms(dpt_buf_hdr(m));
	uint32_t type = no == 1	   ? DPT_TYPE_FIRST_FRAGMENT
			: no < cnt ? DPT_TYPE_FRAGMENT
				   : DPT_TYPE_LAST_FRAGMENT;

	/* Consecutive, of a constant number. Src: 01-wire-format.md, hazard 9. */
	*msg = NULL;
	if (no > cnt || (no != 1 && (no != ra->piece_no + 1U || cnt != ra->piece_cnt)))
		return reassembly_fail(ra, m, drops);
	ra->piece_no = (uint16_t)no;
	ra->piece_cnt = (uint16_t)cnt;
	return reassembly_end(ra, reassembly_piece(ra, m, type, DPT_PLACE_TUNNEL, drops), msg);
}

int
dpt_link_fragment(struct rte_mbuf *m, uint32_t mss, struct dpt_node_addr own,
		  struct dpt_node_addr dest, struct rte_mempool *pool, struct dpt_bufq *q)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool) - DPT_BUF_HEADROOM_BYTES;
	uint32_t piece = RTE_MIN(mss, room) - DPT_HDR_INTERNAL;
	uint8_t importance = dpt_msg_link_importance(dpt_buf_hdr(m));
	uint32_t bytes = dpt_buf_bytes(m);
	uint32_t base = dpt_buf(m)->l2_bytes;
	uint32_t offset = 0, no = 0;
	struct dpt_bufq list;

	DPT_ASSERT(mss > DPT_HDR_INTERNAL);
	DPT_ASSERT(bytes > piece);
	dpt_bufq_init(&list);
	while (offset < bytes) {
		uint32_t len = RTE_MIN(piece, bytes - offset);
		uint32_t type = offset == 0	       ? DPT_TYPE_FIRST_FRAGMENT
				: offset + len < bytes ? DPT_TYPE_FRAGMENT
						       : DPT_TYPE_LAST_FRAGMENT;
		struct rte_mbuf *f = dpt_msg_alloc(pool, DPT_USER_FRAGMENTER, type,
						   DPT_HDR_INTERNAL, len, own, dest);
		uint8_t *hdr;
		const uint8_t *src;

		if (f == NULL) {
			dpt_bufq_free(&list);
			rte_pktmbuf_free(m);
			return -ENOBUFS;
		}
		hdr = dpt_buf_hdr(f);
		dpt_msg_set_fragm_no(hdr, ++no);
		dpt_msg_set_importance(hdr, importance);
		src = rte_pktmbuf_read(m, base + offset, len, hdr + DPT_HDR_INTERNAL);
		DPT_ASSERT(src != NULL);
		if (src != hdr + DPT_HDR_INTERNAL)
			memcpy(hdr + DPT_HDR_INTERNAL, src, len);
		dpt_bufq_push(&list, f);
		offset += len;
	}
	rte_pktmbuf_free(m);
	dpt_bufq_splice(q, &list);
	return 0;
}
