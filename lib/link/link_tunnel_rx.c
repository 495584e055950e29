/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the peer sends again, through this link, of another one that has failed.
 * Src: 03-link-node.md, 19.4; 01-wire-format.md, 8.3; hazards 17, 19, 22.
 *
 *   TUNNEL | inner packet, with its number on the failed link
 *            number < drop_point   received before: dropped
 *                   > drop_point   kept in fo_defer: packets that the peer knows to have
 *                                  arrived are not in the series, they were taken over
 *                   = drop_point   delivered, with all that follows it
 *
 * The failed link's unfinished message continues in fo_reassembly; packets that had to be
 * cut for this link are joined in tnl_reassembly. Acknowledgements inside are not read.
 */

#include <rte_mbuf.h>

#include "dpt_mutant.h"
#include "link_priv.h"

/* What closes a series: a message for nobody. Src: 03-link-node.md, 19.2 step 3 (a). */
static bool
tunnel_is_dummy(const uint8_t *hdr)
{
	return dpt_msg_is_data(hdr) && dpt_msg_type(hdr) == DPT_TYPE_DIRECT &&
	       dpt_msg_errcode(hdr) == DPT_ERR_NO_PORT && dpt_msg_origport(hdr) == 0 &&
	       dpt_msg_destport(hdr) == 0;
}

static uint32_t
tunnel_deliver(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	link->drop_point++;
	switch (dpt_msg_user(hdr)) {
	case DPT_USER_BUNDLER:
		link_deliver_bundle(link, m, now_ns, in);
		return 0;
	case DPT_USER_FRAGMENTER:
		return link_deliver_fragment(link, &link->fo_reassembly, m, now_ns, in);
	case DPT_USER_TUNNEL:
		LINK_DROP(link, m, drop_tunnel, now_ns);
		return 0;
	default:
		break;
	}
	if (!tunnel_is_dummy(hdr)) {
		link_deliver_msg(link, m, now_ns, in);
		return 0;
	}
	LINK_COUNT(link, consumed_dummy);
	rte_pktmbuf_free(m);
	return 0;
}

/* An inner packet, checked. Src: 03-link-node.md, 19.4 step 3. */
static uint32_t
tunnel_rx_inner(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	uint16_t seq = (uint16_t)dpt_msg_seqno(dpt_buf_hdr(m));
	struct rte_mbuf *last;
	uint32_t result = 0;

	if (DPT_MUTANT(drop_point_early) && (uint16_t)(seq + 1) == link->drop_point)
		link->drop_point = seq;
	LINK_NOTE(link, TUNNEL, DPT_FLIGHT_TUNNEL_FAILOVER_RECV, seq, link->drop_point,
		  link->rcv_nxt);
	if (dpt_seq_lt(seq, link->drop_point)) {
		LINK_DROP(link, m, drop_tunnel_duplicate, now_ns);
		return 0;
	}
	switch (link_defer_put(link, &link->fo_defer, m, seq, link->drop_point)) {
	case LINK_DEFER_OK:
		break;
	case LINK_DEFER_DUPLICATE:
		LINK_DROP(link, m, drop_tunnel_duplicate, now_ns);
		break;
	case LINK_DEFER_FULL:
		LINK_DROP(link, m, drop_defer_full, now_ns);
		break;
	}
	last = in->tail;
	while ((result & DPT_LINK_R_DOWN) == 0 &&
	       (m = link_defer_take(link, &link->fo_defer, link->drop_point)) != NULL)
		result |= tunnel_deliver(link, m, now_ns, in);
	/* The node has to tell them from what came on this link itself. */
	for (m = last != NULL ? dpt_bufq_next(last) : in->head; m != NULL; m = dpt_bufq_next(m))
		dpt_buf(m)->flags = DPT_BUF_F_TUNNELLED;
	return result;
}

/* A piece of an inner packet. An error is a failure of this link. */
static uint32_t
tunnel_rx_piece(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	bool is_first = link->tnl_reassembly.head == NULL;
	uint64_t drops = 0;
	int rc = link_reassembly_tunnel(&link->tnl_reassembly, m, &m, &drops);

	if (rc < 0) {
		LINK_COUNT_N(link, drop_fragment, drops);
		return link_fail(link, DPT_DOWN_REASSEMBLY, now_ns);
	}
	if (!is_first)
		LINK_COUNT(link, consumed_fragment);
	return rc > 0 ? tunnel_rx_inner(link, m, now_ns, in) : 0;
}

uint32_t
link_tunnel_rx(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *in)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	if (dpt_msg_type(hdr) == DPT_TYPE_SYNCH) {
		LINK_NOTE(link, TUNNEL, DPT_FLIGHT_TUNNEL_SYNCH_RECV,
			  (uint16_t)dpt_msg_syncpt(hdr));
		LINK_COUNT(link, consumed_synch);
		rte_pktmbuf_free(m);
		return 0;
	}
	if (!link->is_failover) {
		LINK_DROP(link, m, drop_tunnel, now_ns);
		return 0;
	}
	LINK_COUNT(link, recv_tunnelled);
	if (dpt_msg_nof_fragms(hdr) > 0)
		return tunnel_rx_piece(link, m, now_ns, in);
	rte_pktmbuf_adj(m, (uint16_t)(dpt_buf(m)->l2_bytes + dpt_msg_hdr_bytes(hdr)));
	dpt_buf(m)->l2_bytes = 0;
	if (dpt_msg_check_buf(m, DPT_PLACE_TUNNEL) == DPT_MSG_OK)
		return tunnel_rx_inner(link, m, now_ns, in);
	LINK_COUNT(link, drop_tunnel_inner);
	rte_pktmbuf_free(m);
	return 0;
}

void
dpt_link_failover_end(struct dpt_link *tunnel, uint64_t now_ns)
{
	tunnel->flight_ns = now_ns;
	if (tunnel->is_failover)
		LINK_NOTE(tunnel, TUNNEL, DPT_FLIGHT_TUNNEL_FAILOVER_END, tunnel->drop_point,
			  tunnel->fo_defer.cnt);
	tunnel->is_failover = false;
	link_defer_free(tunnel, &tunnel->fo_defer,
			offsetof(struct dpt_link_counters, drop_tunnel_end), now_ns);
	LINK_COUNT_N(tunnel, drop_tunnel_end, dpt_reassembly_reset(&tunnel->fo_reassembly));
	LINK_COUNT_N(tunnel, drop_tunnel_end, dpt_reassembly_reset(&tunnel->tnl_reassembly));
}

void
link_tunnel_expect(struct dpt_link *tunnel, uint16_t point, uint64_t now_ns)
{
	dpt_link_failover_end(tunnel, now_ns);
	tunnel->is_failover = true;
	tunnel->drop_point = point;
	LINK_COUNT(tunnel, failovers);
}

void
link_tunnel_takeover(struct dpt_link *tunnel, struct dpt_link *failed, uint64_t now_ns)
{
	struct rte_mbuf *m;

	link_tunnel_expect(tunnel, (uint16_t)(failed->rcv_nxt + DPT_MUTANT(drop_point_late)),
			   now_ns);
	tunnel->fo_reassembly = failed->reassembly;
	failed->reassembly = (struct dpt_reassembly){0};
	while (failed->defer.cnt > 0 && !DPT_MUTANT(takeover_forgotten)) {
		uint16_t seq = failed->defer.first;

		m = link_defer_take(failed, &failed->defer, seq);
		/* The rings are alike, and this one is empty: all of it fits. */
		link_defer_put(tunnel, &tunnel->fo_defer, m, seq, tunnel->drop_point);
	}
	link_trace(tunnel, now_ns, LINK_TRACE_TAKEOVER, failed->bearer_id, tunnel->drop_point,
		   tunnel->fo_defer.cnt);
}
