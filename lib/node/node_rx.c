/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reception: the filter by node state, then the link, then whom its messages are for.
 * Src: 03-link-node.md, 16; 06-broadcast.md, 5, 6.3, 6.4.
 */

#include "dpt_msg.h"
#include "dpt_mutant.h"
#include "dpt_seq.h"
#include "node_priv.h"

/* The message can only come from a peer whose end of the link is up. */
static bool
shows_link_up(const uint8_t *hdr)
{
	return dpt_msg_user(hdr) != DPT_USER_LINK_PROTOCOL || dpt_msg_type(hdr) == DPT_TYPE_STATE;
}

static bool
shows_node_up(const uint8_t *hdr)
{
	return shows_link_up(hdr) || dpt_msg_redundant_link(hdr);
}

/* Steps 1 to 5 of the filter. false: the message has been dropped. */
static bool
rx_filter(struct dpt_node *node, struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	if (dpt_msg_user(hdr) == DPT_USER_LINK_PROTOCOL && !dpt_link_session_ok(link, hdr)) {
		NODE_DROP(node, m, drop_session, now_ns);
		return false;
	}
	switch (node->state) {
	case DPT_NODE_UP_COMING:
		if (dpt_link_is_up(link) && shows_link_up(hdr))
			node_event(node, NODE_EV_PEER_ESTABL, now_ns);
		return true;
	case DPT_NODE_DOWN_LEAVING:
		if (shows_node_up(hdr) && !DPT_MUTANT(leaving_reopened)) {
			NODE_DROP(node, m, drop_down_leaving, now_ns);
			return false;
		}
		node_event(node, NODE_EV_PEER_LOST, now_ns);
		return true;
	case DPT_NODE_LEAVING_DOWN:
		NODE_DROP(node, m, drop_leaving_down, now_ns);
		return false;
	default:
		return true;
	}
}

/*
 * Steps 6 to 12: a tunnel packet, or one in state SYNCHING or FAILINGOVER. Only what the
 * link will take changes anything. false: the message has been dropped. 20.3 step 2 is left
 * out: a link that is not up comes up by the packet, which the peer then sends again.
 */
static bool
rx_filter_dual(struct dpt_node *node, struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns,
	       struct dpt_out *out)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint16_t ahead;

	if (dpt_msg_user(hdr) != DPT_USER_TUNNEL || !dpt_link_is_up(link))
		return true;
	ahead = dpt_seq_dist(dpt_link_rcv_nxt(link), (uint16_t)dpt_msg_seqno(hdr));
	if (ahead > DPT_LINK_RCV_WINDOW_PKTS)
		return true;
	return node_tunnel_rx(node, link, m, now_ns, out);
}

/*
 * A message in sequence: our own business, or for the layers above. Returns true when it
 * ought to be acknowledged at once: the peer holds its updates back until its bulk is
 * (04-name-table.md, 12.1).
 */
static bool
rx_deliver(struct dpt_node *node, struct rte_mbuf *m, struct dpt_out *out)
{
	bool is_ack_urgent = false;

	switch (dpt_msg_user(dpt_buf_hdr(m))) {
	case DPT_USER_BCAST_PROTOCOL:
		dpt_bcast_rcv_sync(&node->bcast, dpt_buf_hdr(m));
		node->cfg.node_counters->consumed_init++;
		rte_pktmbuf_free(m);
		return false;
	case DPT_USER_NAME_DISTRIBUTOR:
		dpt_bcast_rcv_names_seen(&node->bcast);
		is_ack_urgent = dpt_msg_last_bulk(dpt_buf_hdr(m));
		break;
	default:
		break;
	}
	node->cfg.node_counters->rx_up++;
	dpt_buf(m)->flags = 0;
	dpt_bufq_push(&out->up, m);
	return is_ack_urgent;
}

/* Younger than a series that is under way. Too many of them: the peer does not mean well. */
static void
rx_hold(struct dpt_node *node, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out)
{
	if (node->held.cnt < NODE_HELD_MAX) {
		node->cfg.node_counters->rx_held++;
		dpt_bufq_push(&node->held, m);
		return;
	}
	NODE_DROP(node, m, drop_held, now_ns);
	node_contact_reset(node, DPT_DOWN_OVERFLOW, now_ns, out);
}

void
node_deliver(struct dpt_node *node, struct dpt_link *link, struct dpt_bufq *in, uint32_t result,
	     uint64_t now_ns, struct dpt_out *out)
{
	bool is_ack_urgent = false;
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(in)) != NULL) {
		if (!node_is_up(node))
			NODE_DROP(node, m, drop_held, now_ns);
		else if (node->is_holding && !(dpt_buf(m)->flags & DPT_BUF_F_TUNNELLED))
			rx_hold(node, m, now_ns, out);
		else
			is_ack_urgent |= rx_deliver(node, m, out);
	}
	if (is_ack_urgent && !(result & DPT_LINK_R_STATE_SENT))
		result |= dpt_link_state_tx(link, out);
	if (result & ~(uint32_t)DPT_LINK_R_ACCEPTED)
		node_link_result(node, link, result, now_ns, out);
}

void
node_deliver_held(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns,
		  struct dpt_out *out)
{
	struct dpt_bufq in;

	dpt_bufq_init(&in);
	dpt_bufq_splice(&in, &node->held);
	node_deliver(node, link, &in, 0, now_ns, out);
}

static void
rx_sequenced(struct dpt_node *node, struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns,
	     struct dpt_out *out)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t user = dpt_msg_user(hdr);
	uint16_t bcast_ack = (uint16_t)dpt_msg_bcast_ack(hdr);
	bool has_flag = user == DPT_USER_BCAST_PROTOCOL || user == DPT_USER_NAME_DISTRIBUTOR;
	bool is_ack_valid = !has_flag || !dpt_msg_bc_ack_invalid(hdr);
	struct dpt_bufq in;
	uint32_t result;

	dpt_bufq_init(&in);
	/* Filter step 11: the other link comes first. */
	if (dpt_link_state(link) == DPT_LINK_SYNCHING && user != DPT_USER_TUNNEL &&
	    !DPT_MUTANT(hold_skipped))
		result = dpt_link_hold(link, m, now_ns, out);
	else
		result = dpt_link_rx(link, m, now_ns, &in, out);
	if ((result & DPT_LINK_R_ACCEPTED) && is_ack_valid)
		dpt_bcast_rcv_ack(&node->bcast, bcast_ack, out);
	node_deliver(node, link, &in, result, now_ns, out);
}

/*
 * The peer has our contact, so it would say so in redundant_link; this RESET or ACTIVATE is of a
 * new life of it, or from before. A link that came up by it would carry what the old contact
 * left (failover), and nobody would be told that it is lost. Either the message comes again, or
 * the links of the old contact go down first. The kernel does not look.
 */
static bool
is_other_contact(const struct dpt_node *node, const struct dpt_link *link, const uint8_t *hdr)
{
	return dpt_msg_type(hdr) != DPT_TYPE_STATE && !dpt_msg_redundant_link(hdr) &&
	       node_is_up(node) && node->bcast.is_peer_open && !dpt_link_is_up(link);
}

static void
rx_proto(struct dpt_node *node, struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns,
	 struct dpt_out *out)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	bool is_report = false, is_state_due = false;
	uint32_t result;

	if (!dpt_link_proto_check(link, hdr, dpt_buf_head_bytes(m), now_ns)) {
		rte_pktmbuf_free(m);
		return;
	}
	if (is_other_contact(node, link, hdr)) {
		NODE_DROP(node, m, drop_other_contact, now_ns);
		return;
	}
	/* First the broadcast part: what the link answers shows what it changed. */
	if (dpt_msg_type(hdr) == DPT_TYPE_STATE) {
		is_state_due = dpt_bcast_rcv_state(&node->bcast, hdr);
		is_report = node->bcast.is_peer_open && !dpt_msg_bc_ack_invalid(hdr);
	}
	result = dpt_link_proto_rx(link, hdr, now_ns, out);
	if (is_report) {
		node->cfg.node_counters->rx_reports++;
		dpt_bufq_push(&out->bcast, m);
	} else {
		node->cfg.node_counters->consumed_proto++;
		rte_pktmbuf_free(m);
	}
	if (is_state_due && !(result & DPT_LINK_R_STATE_SENT))
		result |= dpt_link_state_answer(link, out);
	node_link_result(node, link, result, now_ns, out);
}

void
dpt_node_rx(struct dpt_node *node, uint8_t bearer_id, struct rte_mbuf *m, uint64_t now_ns,
	    struct dpt_out *out)
{
	struct dpt_link *link = bearer_id < DPT_BEARERS_MAX ? node->links[bearer_id] : NULL;
	const uint8_t *hdr = dpt_buf_hdr(m);

	node->cfg.node_counters->rx_frames++;
	if (dpt_msg_non_seq(hdr)) {
		/* Any bearer, with or without a link on it. Src: 06-broadcast.md, 4.3. */
		if (dpt_bcast_rcv_rx(&node->bcast, m, out) && link != NULL)
			node_link_result(node, link, dpt_link_state_tx(link, out), now_ns, out);
		return;
	}
	if (link == NULL) {
		NODE_DROP(node, m, drop_no_link, now_ns);
		return;
	}
	if (dpt_msg_hdr_bytes(hdr) > DPT_HDR_SHORT &&
	    dpt_msg_destnode(hdr) != node->cfg.own.value) {
		NODE_DROP(node, m, drop_destnode, now_ns);
		return;
	}
	if (node->state != DPT_NODE_UP_UP && !rx_filter(node, link, m, now_ns))
		return;
	if (dpt_msg_user(hdr) == DPT_USER_LINK_PROTOCOL)
		rx_proto(node, link, m, now_ns, out);
	else if (rx_filter_dual(node, link, m, now_ns, out))
		rx_sequenced(node, link, m, now_ns, out);
	if (node->state != DPT_NODE_UP_UP)
		node_settle(node, now_ns, out);
}
