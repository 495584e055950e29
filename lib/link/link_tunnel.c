/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Tunnels, the sending side: what one link has not had confirmed goes through another one;
 * a link that comes up second says how far the first one was.
 * Src: 03-link-node.md, 19.2, 19.5, 20.2; 01-wire-format.md, 7.5, 8.3.
 *
 *   failed   | 55 | 56 | holes | 58 |  backlog  | dummy |
 *               |    |            |       |         |
 *   tunnel   [T 55][T 56]      [T 58]  [T 59] .. [T dummy]   msgcnt: all of them
 *
 * The whole series is made before any of it is sent: it is sent whole or not at all.
 */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "dpt_assert.h"
#include "dpt_mutant.h"
#include "link_priv.h"

/* A series of tunnel packets being made. */
struct tunnel_series {
	struct dpt_link *from; /* the link whose packets are wrapped */
	struct dpt_link *to;   /* the link that they take */
	enum dpt_tunnel_type type;
	uint32_t cut_cnt;   /* packets that were cut */
	uint32_t piece_cnt; /* pieces made of them */
	struct dpt_bufq q;
};

static void
tunnel_hdr(const struct tunnel_series *series, uint8_t *hdr, uint32_t payload_bytes)
{
	dpt_msg_init(hdr, DPT_USER_TUNNEL, series->type, DPT_HDR_INTERNAL, series->to->own,
		     series->to->peer);
	dpt_msg_set_size(hdr, DPT_HDR_INTERNAL + payload_bytes);
	dpt_msg_set_bearer_id(hdr, series->from->peer_bearer_id);
}

static struct rte_mbuf *
tunnel_alloc(const struct tunnel_series *series, uint32_t payload_bytes)
{
	uint32_t bytes = DPT_HDR_INTERNAL + payload_bytes;
	struct rte_mbuf *m = dpt_buf_alloc_len(series->to->env.pool, bytes);

	if (m != NULL)
		tunnel_hdr(series, dpt_buf_hdr(m), payload_bytes);
	return m;
}

/* The header goes in front of the packet itself: nobody else holds it, and there is room. */
static bool
tunnel_wrap_in_place(struct tunnel_series *series, struct rte_mbuf *m)
{
	uint32_t bytes = dpt_buf_bytes(m);
	uint32_t room = rte_pktmbuf_headroom(m) + dpt_buf(m)->l2_bytes;

	if (rte_mbuf_refcnt_read(m) > 1 || room < DPT_HDR_INTERNAL + LINK_L2_ROOM_BYTES)
		return false;
	link_l2_strip(m);
	tunnel_hdr(series, (uint8_t *)rte_pktmbuf_prepend(m, DPT_HDR_INTERNAL), bytes);
	dpt_buf(m)->flags = 0;
	dpt_bufq_push(&series->q, m);
	return true;
}

/*
 * As many pieces as the kernel makes: one more than full ones fit, so that the last one may
 * be empty. m stays the caller's.
 */
static int
tunnel_wrap_pieces(struct tunnel_series *series, struct rte_mbuf *m, uint32_t piece_bytes)
{
	uint32_t bytes = dpt_buf_bytes(m), offset = 0;
	uint32_t cnt = bytes / piece_bytes + 1;
	struct dpt_bufq pieces;

	if ((series->to->caps & DPT_CAP_TUNNEL_ENHANCED) == 0)
		return -EMSGSIZE;
	dpt_bufq_init(&pieces);
	for (uint32_t no = 1; no <= cnt; no++) {
		uint32_t len = RTE_MIN(piece_bytes, bytes - offset);
		struct rte_mbuf *piece = tunnel_alloc(series, len);
		uint8_t *hdr;

		if (piece == NULL) {
			dpt_bufq_free(&pieces);
			return -ENOBUFS;
		}
		hdr = dpt_buf_hdr(piece);
		dpt_msg_set_fragm_no(hdr, no);
		dpt_msg_set_nof_fragms(hdr, cnt);
		dpt_buf_read(m, offset, hdr + DPT_HDR_INTERNAL, len);
		dpt_bufq_push(&pieces, piece);
		offset += len;
	}
	dpt_bufq_splice(&series->q, &pieces);
	series->cut_cnt++;
	series->piece_cnt += cnt;
	return 0;
}

/* m as it is stays the caller's. Returns 0, -ENOBUFS, -EMSGSIZE. */
static int
tunnel_wrap_copy(struct tunnel_series *series, struct rte_mbuf *m, uint16_t seq)
{
	uint32_t limit = RTE_MIN(series->to->mtu, series->to->seg_bytes) - DPT_HDR_INTERNAL;
	uint32_t bytes = dpt_buf_bytes(m);
	struct rte_mbuf *copy;

	/* The bearer may be at it still, so the number is put into copies only. */
	if (bytes > limit)
		return tunnel_wrap_pieces(series, m, limit);
	copy = tunnel_alloc(series, bytes);
	if (copy == NULL)
		return -ENOBUFS;
	dpt_buf_read(m, 0, dpt_buf_hdr(copy) + DPT_HDR_INTERNAL, bytes);
	dpt_msg_set_seqno(dpt_buf_hdr(copy) + DPT_HDR_INTERNAL, seq);
	dpt_msg_set_non_seq(dpt_buf_hdr(copy) + DPT_HDR_INTERNAL, 0);
	dpt_bufq_push(&series->q, copy);
	return 0;
}

/* m, numbered, into the series. m is gone, whatever is returned. */
static int
tunnel_wrap(struct tunnel_series *series, struct rte_mbuf *m, uint16_t seq, uint64_t now_ns)
{
	int rc = 0;

	if (dpt_buf_bytes(m) + DPT_HDR_INTERNAL > series->to->mtu ||
	    !tunnel_wrap_in_place(series, m)) {
		rc = tunnel_wrap_copy(series, m, seq);
		if (rc == 0)
			rte_pktmbuf_free(m);
		else
			link_drop_sent(series->from, m, now_ns);
	}
	return rc;
}

/* A packet that takes a number and says nothing. Src: 03-link-node.md, 19.2 step 3 (a). */
static struct rte_mbuf *
tunnel_dummy(struct dpt_link *link, uint16_t seq)
{
	struct rte_mbuf *m = dpt_msg_alloc(link->env.pool, DPT_USER_LOW, DPT_TYPE_DIRECT,
					   DPT_HDR_BASIC, 0, link->own, link->peer);

	if (m == NULL)
		return NULL;
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	dpt_msg_set_ack(dpt_buf_hdr(m), (uint16_t)(link->rcv_nxt - 1));
	dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
	return m;
}

static void
tunnel_count_cuts(const struct tunnel_series *series, struct dpt_link *link)
{
	LINK_COUNT_N(link, sent_fragmented, series->cut_cnt);
	LINK_COUNT_N(link, sent_fragments, series->piece_cnt);
}

/* All of it has been made: count the packets in each, and off they go. */
static void
tunnel_send(struct tunnel_series *series, uint32_t msgcnt, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_link *to = series->to;

	if (series->cut_cnt > 0)
		msgcnt = series->q.cnt;
	if (DPT_MUTANT(msgcnt_long) && series->type == DPT_TYPE_FAILOVER)
		msgcnt += 40;
	for (struct rte_mbuf *m = series->q.head; m != NULL; m = dpt_bufq_next(m))
		dpt_msg_set_msgcnt(dpt_buf_hdr(m), msgcnt);
	tunnel_count_cuts(series, to);
	link_trace(to, now_ns, LINK_TRACE_TUNNEL, (uint16_t)series->type, series->q.cnt,
		   to->drop_point);
	link_tx_list(to, &series->q, LINK_LEVEL_TUNNEL, now_ns, out);
}

/* What failed has sent and not had confirmed, then what waits, then the dummy. */
static int
failover_series(struct tunnel_series *series, uint64_t now_ns)
{
	struct dpt_link *failed = series->from;
	uint16_t seq = failed->snd_una;
	struct rte_mbuf *m;
	int rc = 0;

	for (; failed->snd_cnt > 0 && rc == 0; seq++) {
		struct rte_mbuf **slot = &failed->snd_ring[seq & failed->ring_mask];

		m = *slot;
		if (m == NULL)
			continue;
		*slot = NULL;
		failed->snd_cnt--;
		rc = tunnel_wrap(series, m, seq, now_ns);
	}
	while (DPT_MUTANT(failover_backlog_lost) && (m = dpt_bufq_pop(&failed->backlog)) != NULL)
		rte_pktmbuf_free(m);
	while (rc == 0 && (m = dpt_bufq_pop(&failed->backlog)) != NULL) {
		link_l2_strip(m);
		seq = failed->snd_nxt++;
		if ((dpt_buf(m)->flags & DPT_BUF_F_BULK_END) != 0) {
			failed->has_bulk_end = true;
			failed->bulk_cookie = dpt_buf(m)->cookie;
		}
		dpt_msg_set_non_seq(dpt_buf_hdr(m), 0);
		dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
		rc = tunnel_wrap(series, m, seq, now_ns);
	}
	if (rc < 0 || DPT_MUTANT(failover_no_dummy))
		return rc;
	m = tunnel_dummy(failed, failed->snd_nxt);
	if (m == NULL)
		return -ENOBUFS;
	LINK_COUNT(series->to, sent_own);
	rc = tunnel_wrap(series, m, failed->snd_nxt++, now_ns);
	if (rc == 0 && failed->has_bulk_end) {
		dpt_buf(series->q.tail)->flags |= DPT_BUF_F_BULK_END;
		dpt_buf(series->q.tail)->cookie = failed->bulk_cookie;
	}
	failed->has_bulk_end = false;
	return rc;
}

int
dpt_link_failover(struct dpt_link *failed, struct dpt_link *tunnel, uint64_t now_ns,
		  struct dpt_out *out)
{
	struct tunnel_series series = {.from = failed, .to = tunnel, .type = DPT_TYPE_FAILOVER};
	uint32_t msgcnt = failed->snd_cnt + failed->backlog.cnt + 1U;
	struct rte_mbuf *m;
	int rc;

	DPT_ASSERT(failed != tunnel);
	DPT_ASSERT(failed->ring_mask == tunnel->ring_mask);
	failed->flight_ns = tunnel->flight_ns = now_ns;
	memset(failed->backlog_cnt, 0, sizeof(failed->backlog_cnt));
	memset(failed->bundles, 0, sizeof(failed->bundles));
	LINK_NOTE(failed, TUNNEL, DPT_FLIGHT_TUNNEL_FAILOVER_FROM, failed->snd_cnt,
		  (uint16_t)failed->backlog.cnt, failed->snd_nxt);
	rc = failover_series(&series, now_ns);
	if (rc < 0) {
		LINK_NOTE(tunnel, TUNNEL, DPT_FLIGHT_TUNNEL_FAILED, (uint16_t)-rc);
		tunnel_count_cuts(&series, failed);
		while ((m = dpt_bufq_pop(&series.q)) != NULL)
			link_drop_sent(failed, m, now_ns);
		return rc;
	}
	LINK_COUNT_N(tunnel, sent_tunnelled, msgcnt - 1);
	link_tunnel_takeover(tunnel, failed, now_ns);
	LINK_NOTE(tunnel, TUNNEL, DPT_FLIGHT_TUNNEL_FAILOVER_TO, (uint16_t)series.q.cnt,
		  tunnel->drop_point);
	tunnel_send(&series, msgcnt, now_ns, out);
	return 0;
}

int
dpt_link_failover_half(struct dpt_link *tunnel, uint64_t now_ns, struct dpt_out *out)
{
	struct tunnel_series series = {.from = tunnel, .to = tunnel, .type = DPT_TYPE_FAILOVER};
	/* Number 0: below any drop point, so the peer drops it. */
	struct rte_mbuf *m = tunnel_dummy(tunnel, 0);
	int rc;

	tunnel->flight_ns = now_ns;
	if (m == NULL)
		return -ENOBUFS;
	rc = tunnel_wrap_copy(&series, m, 0);
	rte_pktmbuf_free(m);
	if (rc < 0)
		return rc;
	LINK_COUNT(tunnel, sent_own);
	LINK_NOTE(tunnel, TUNNEL, DPT_FLIGHT_TUNNEL_FAILOVER_HALF, 0);
	link_tunnel_expect(tunnel, 1, now_ns);
	tunnel_send(&series, 1, now_ns, out);
	return 0;
}

/* The form that says it in a number. */
static int
synch_enhanced(struct tunnel_series *series, uint64_t now_ns, struct dpt_out *out)
{
	struct rte_mbuf *m = tunnel_alloc(series, 0);

	if (m == NULL)
		return -ENOBUFS;
	LINK_COUNT(series->to, sent_own);
	dpt_bufq_push(&series->q, m);
	/* syncpt has the place of msgcnt. */
	tunnel_send(
		series,
		(uint16_t)(dpt_link_snd_end(series->from) - 1 - 2 * DPT_MUTANT(synch_point_early)),
		now_ns, out);
	return 0;
}

/* Copies of all that first has under way, and of the dummy that it sends as well. */
static int
synch_copies(struct tunnel_series *series, struct rte_mbuf *dummy)
{
	struct dpt_link *first = series->from;
	uint16_t seq = first->snd_una;
	int rc = 0;

	for (; seq != first->snd_nxt && rc == 0; seq++) {
		struct rte_mbuf *m = first->snd_ring[seq & first->ring_mask];

		if (m != NULL)
			rc = tunnel_wrap_copy(series, m, seq);
	}
	for (struct rte_mbuf *m = first->backlog.head; m != NULL && rc == 0; m = dpt_bufq_next(m))
		rc = tunnel_wrap_copy(series, m, seq++);
	return rc < 0 ? rc : tunnel_wrap_copy(series, dummy, seq);
}

int
dpt_link_synch(struct dpt_link *link, struct dpt_link *first, uint64_t now_ns, struct dpt_out *out)
{
	struct tunnel_series series = {.from = first, .to = link, .type = DPT_TYPE_SYNCH};
	uint16_t msgcnt = (uint16_t)(dpt_link_snd_end(first) + 1 - first->snd_una);
	struct rte_mbuf *dummy;
	struct dpt_bufq list;
	int rc;

	link->flight_ns = first->flight_ns = now_ns;
	LINK_NOTE(link, TUNNEL, DPT_FLIGHT_TUNNEL_SYNCH_SENT,
		  (uint16_t)(dpt_link_snd_end(first) - 1));
	if (link->caps & DPT_CAP_TUNNEL_ENHANCED)
		return synch_enhanced(&series, now_ns, out);
	dummy = tunnel_dummy(first, dpt_link_snd_end(first));
	if (dummy == NULL)
		return -ENOBUFS;
	rc = synch_copies(&series, dummy);
	if (rc < 0) {
		dpt_bufq_free(&series.q);
		rte_pktmbuf_free(dummy);
		return rc;
	}
	LINK_COUNT_N(link, sent_own, series.q.cnt + 1U);
	dpt_bufq_init(&list);
	dpt_bufq_push(&list, dummy);
	link_tx_list(first, &list, LINK_LEVEL_TUNNEL, now_ns, out);
	tunnel_send(&series, msgcnt, now_ns, out);
	return 0;
}
