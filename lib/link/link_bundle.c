/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The backlog, and bundling: small messages that have to wait share a packet.
 * Src: 03-link-node.md, 11.2 step 5; 01-wire-format.md, 8.1.
 *
 *   backlog   | H | L L  | C | L L L |  <- C, another level's, does not end L's packet
 *                                ^ bundles[LOW]: takes what still fits
 *
 * Each level has one packet that takes more messages. Stricter than the kernel: a message
 * never gets in front of one of another level, unless one of the two is a CONN_MANAGER's,
 * which may come at any time. The end of a connection has a higher level than its data, and
 * so have the messages of a group and a binding: in front of data they would be wrong.
 */

#include <string.h>

#include <rte_mbuf.h>

#include "dpt_mutant.h"
#include "link_priv.h"

/* Users that may be inside a bundle. Src: 01-wire-format.md, 8.1. */
#define BUNDLE_USERS                                                                               \
	(UINT32_C(0xf) | UINT32_C(1) << DPT_USER_CONN_MANAGER |                                    \
	 UINT32_C(1) << DPT_USER_GROUP_PROTOCOL | UINT32_C(1) << DPT_USER_NAME_DISTRIBUTOR)

static uint32_t
align4(uint32_t bytes)
{
	return (bytes + 3) & ~UINT32_C(3);
}

static bool
bundle_may_take(const struct dpt_link *link, const uint8_t *hdr)
{
	return (BUNDLE_USERS & UINT32_C(1) << dpt_msg_user(hdr)) != 0 &&
	       dpt_link_mss(link) > DPT_HDR_INTERNAL + dpt_msg_size(hdr);
}

/* Room for bytes more at the end of a buffer that is ours alone. */
static bool
bundle_has_tailroom(struct rte_mbuf *m, uint32_t bytes)
{
	return rte_mbuf_refcnt_read(m) == 1 && m->nb_segs == 1 && bytes <= rte_pktmbuf_tailroom(m);
}

/*
 * Make a bundle of the one message that target holds; its place in the backlog stays. Where
 * there is no room for the header in front of it, and for what bearers add, it moves back.
 */
static void
bundle_begin(struct dpt_link *link, struct rte_mbuf *target, uint8_t level)
{
	uint32_t bytes = dpt_buf_bytes(target);
	uint8_t *hdr;

	link_l2_strip(target);
	dpt_msg_set_non_seq(dpt_buf_hdr(target), 0);
	if (rte_pktmbuf_headroom(target) >= DPT_HDR_INTERNAL + LINK_L2_ROOM_BYTES) {
		hdr = (uint8_t *)rte_pktmbuf_prepend(target, DPT_HDR_INTERNAL);
	} else {
		hdr = dpt_buf_hdr(target);
		rte_pktmbuf_append(target, DPT_HDR_INTERNAL);
		memmove(hdr + DPT_HDR_INTERNAL, hdr, bytes);
	}
	dpt_msg_init(hdr, DPT_USER_BUNDLER, 0, DPT_HDR_INTERNAL, link->own, link->peer);
	dpt_msg_set_size(hdr, DPT_HDR_INTERNAL + bytes);
	dpt_msg_set_importance(hdr, level);
	dpt_msg_set_msgcnt(hdr, 1);
	LINK_COUNT(link, sent_bundles);
	LINK_COUNT(link, sent_bundled);
}

/* Append m to the bundle. m is gone. */
static void
bundle_append(struct dpt_link *link, struct rte_mbuf *bundle, struct rte_mbuf *m)
{
	uint8_t *hdr = dpt_buf_hdr(bundle);
	uint32_t size = dpt_msg_size(hdr), at = align4(size), bytes = dpt_buf_bytes(m);

	rte_pktmbuf_append(bundle, (uint16_t)(at - size + bytes));
	memset(hdr + size, 0, at - size);
	dpt_buf_read(m, 0, hdr + at, bytes);
	dpt_msg_set_non_seq(hdr + at, 0);
	dpt_msg_set_size(hdr, at + bytes);
	dpt_msg_set_msgcnt(hdr, dpt_msg_msgcnt(hdr) + 1);
	if ((dpt_buf(m)->flags & DPT_BUF_F_BULK_END) != 0) {
		dpt_buf(bundle)->flags |= DPT_BUF_F_BULK_END;
		dpt_buf(bundle)->cookie = dpt_buf(m)->cookie;
	}
	LINK_COUNT(link, sent_bundled);
	rte_pktmbuf_free(m);
}

/* Rules 3 and 4. false: m stays the caller's. */
static bool
bundle_absorb(struct dpt_link *link, struct rte_mbuf *target, struct rte_mbuf *m, uint8_t level)
{
	uint32_t held = dpt_buf_bytes(target), bytes = dpt_buf_bytes(m);
	bool is_bundle = dpt_msg_user(dpt_buf_hdr(target)) == DPT_USER_BUNDLER;
	uint32_t at = align4(held + (is_bundle ? 0 : DPT_HDR_INTERNAL));

	if (at + bytes > dpt_link_mss(link) || !bundle_has_tailroom(target, at + bytes - held))
		return false;
	if (!is_bundle)
		bundle_begin(link, target, level);
	bundle_append(link, target, m);
	return true;
}

/* What waits of other levels is not to be overtaken by what comes now. */
static void
bundle_end_others(struct dpt_link *link, uint8_t level)
{
	for (unsigned int i = 0; i < LINK_LEVEL_CNT; i++) {
		if (i != level)
			link->bundles[i] = NULL;
	}
}

void
link_backlog_add(struct dpt_link *link, struct rte_mbuf *m, uint8_t level)
{
	struct rte_mbuf **target = &link->bundles[level];
	bool is_free = dpt_msg_user(dpt_buf_hdr(m)) == DPT_USER_CONN_MANAGER;
	bool may_take = level != LINK_LEVEL_TUNNEL && bundle_may_take(link, dpt_buf_hdr(m));

	if (!is_free)
		bundle_end_others(link, level);
	if (may_take && *target != NULL && bundle_absorb(link, *target, m, level))
		return;
	*target = may_take ? m : NULL;
	dpt_buf(m)->importance = level;
	link->backlog_cnt[level]++;
	if (DPT_MUTANT(backlog_reversed))
		dpt_bufq_push_head(&link->backlog, m);
	else
		dpt_bufq_push(&link->backlog, m);
}

uint32_t
link_msgs_cnt(struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	if (dpt_msg_user(hdr) == DPT_USER_TUNNEL && dpt_msg_payload_bytes(hdr) > 0 &&
	    dpt_msg_nof_fragms(hdr) == 0)
		hdr += DPT_HDR_INTERNAL;
	return dpt_msg_user(hdr) == DPT_USER_BUNDLER ? dpt_msg_msgcnt(hdr) : 1;
}
