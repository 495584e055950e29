/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Two links to one peer: what one of them leaves behind when it fails, and the order between
 * them when the second one comes up. Src: 03-link-node.md, 16 steps 6 to 12, 19, 20.
 *
 *               SYNCH came on the new link             the first has delivered what SYNCH says
 *      UP_UP -----------------------------> SYNCHING ---------------------------> UP_UP
 *        |       the new link's packets are kept in it  |
 *        | a link lost       a link lost, the other up  |
 *        v                                              v
 *   FAILINGOVER: the lost link is locked; both ends send on the other one, wrapped, what
 *        |       the lost one has not delivered: a series
 *        | the peer's series has been received, up to sync_point
 *        v
 *      UP_UP: the lost link may be established again
 *
 * When the first link is lost while the new one is not synchronised, the series comes behind
 * packets that are younger: these are held back (node->held). Decision 0012.
 *
 * Timer: limit_ns, after which neither state lasts without progress.
 * Not here: wrapping and unwrapping (lib/link), choice of links (node_link.c).
 */

#include "dpt_msg.h"
#include "dpt_mutant.h"
#include "dpt_seq.h"
#include "node_priv.h"

static void
limit_set(struct dpt_node *node, uint16_t mark, uint64_t now_ns)
{
	uint16_t tolerance_ms = 0;

	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		if (node->links[id] != NULL)
			tolerance_ms =
				RTE_MAX(tolerance_ms, dpt_link_tolerance_ms(node->links[id]));
	}
	node->limit_mark = mark;
	node->limit_ns = now_ns + (uint64_t)NODE_LIMIT_TOLERANCES * tolerance_ms * DPT_NS_PER_MS;
}

/* The link that carries packets while node and lost link are FAILINGOVER. */
static struct dpt_link *
tunnel_of(struct dpt_node *node)
{
	return node_is_up(node) ? node->links[node->active[0]] : NULL;
}

/* The link in state SYNCHING, or NULL. */
static struct dpt_link *
synching_of(struct dpt_node *node)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct dpt_link *link = node->links[id];

		if (link != NULL && dpt_link_state(link) == DPT_LINK_SYNCHING)
			return link;
	}
	return NULL;
}

static void
locks_open(struct dpt_node *node, uint64_t now_ns)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct dpt_link *link = node->links[id];

		if (link != NULL && dpt_link_state(link) == DPT_LINK_FAILINGOVER)
			dpt_link_event(link, DPT_LINK_EV_FAILOVER_END, now_ns);
	}
}

void
node_failover_clear(struct dpt_node *node, uint64_t now_ns)
{
	struct rte_mbuf *m;

	locks_open(node, now_ns);
	node->limit_ns = DPT_NEVER_NS;
	node->is_holding = false;
	node->is_series_seen = false;
	node->is_dual = node->links_cnt == NODE_LINKS_MAX;
	while ((m = dpt_bufq_pop(&node->held)) != NULL)
		NODE_DROP(node, m, drop_held, now_ns);
}

/* ---- failover ---- */

/* tunnel alone goes on: what both forms of failover have in common. */
static void
failover_begin(struct dpt_node *node, struct dpt_link *tunnel, uint64_t now_ns)
{
	uint16_t rcv_nxt = dpt_link_rcv_nxt(tunnel);

	dpt_link_event(tunnel, DPT_LINK_EV_SYNCH_END, now_ns);
	node_event(node, NODE_EV_SYNCH_END, now_ns);
	node->sync_point = (uint16_t)(rcv_nxt + NODE_SYNC_FAR);
	node->is_series_seen = false;
	limit_set(node, rcv_nxt, now_ns);
}

/* Deliver what the link in state SYNCHING has kept; it is not in that state any more. */
static void
unhold(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_bufq in;
	uint32_t result;

	dpt_bufq_init(&in);
	result = dpt_link_unhold(link, now_ns, &in, out);
	node_deliver(node, link, &in, result, now_ns, out);
}

bool
node_failover(struct dpt_node *node, struct dpt_link *failed, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_link *tunnel = tunnel_of(node);
	bool was_synching = dpt_link_state(tunnel) == DPT_LINK_SYNCHING;
	int rc;

	failover_begin(node, tunnel, now_ns);
	rc = dpt_link_failover(failed, tunnel, now_ns, out);
	dpt_link_event(failed, DPT_LINK_EV_RESET, now_ns);
	dpt_link_reset(failed, now_ns, out);
	if (rc != 0) {
		node->cfg.node_counters->failover_failed++;
		return false;
	}
	node->cfg.node_counters->failovers++;
	if (!DPT_MUTANT(failover_unlocked))
		dpt_link_event(failed, DPT_LINK_EV_FAILOVER_BEGIN, now_ns);
	node_event(node, NODE_EV_FAILOVER_BEGIN, now_ns);
	/* The first link was lost: its packets, which are older, come in the series. */
	node->is_holding = was_synching;
	if (was_synching)
		unhold(node, tunnel, now_ns, out);
	return true;
}

/* Src: 03-link-node.md, 19.5. Returns 0 or -ENOBUFS. */
static int
failover_half(struct dpt_node *node, struct dpt_link *link, struct dpt_link *other, uint64_t now_ns,
	      struct dpt_out *out)
{
	int rc = dpt_link_failover_half(link, now_ns, out);

	if (rc != 0)
		return rc;
	node->cfg.node_counters->failovers_half++;
	failover_begin(node, link, now_ns);
	/* It is locked already if it failed before the peer had shown its end. */
	if (other != NULL && dpt_link_state(other) != DPT_LINK_FAILINGOVER)
		dpt_link_event(other, DPT_LINK_EV_FAILOVER_BEGIN, now_ns);
	node_event(node, NODE_EV_FAILOVER_BEGIN, now_ns);
	return 0;
}

/* Src: 03-link-node.md, 19.3; hazards 18, 19. false: m is gone, dropped. */
static bool
failover_rx(struct dpt_node *node, struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns,
	    struct dpt_out *out)
{
	struct dpt_link *other = node_other(node, link);
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint16_t msgcnt = (uint16_t)dpt_msg_msgcnt(hdr);
	uint16_t point = (uint16_t)(dpt_msg_seqno(hdr) + msgcnt - 1);

	/* One link is all that there ever was: lib/link takes nothing out of the packet. */
	if (!node->is_dual)
		return true;
	if (msgcnt == 0) {
		NODE_DROP(node, m, drop_tunnel_malformed, now_ns);
		return false;
	}
	if (other != NULL && !dpt_link_is_reset(other)) {
		dpt_link_reason_set(other, DPT_DOWN_FAILOVER);
		node_link_down(node, other, now_ns, out);
	}
	/* Both are lost: there was no room for our series. */
	if (!dpt_link_is_up(link))
		return true;
	if (node->state != DPT_NODE_FAILINGOVER &&
	    failover_half(node, link, other, now_ns, out) != 0) {
		NODE_DROP(node, m, drop_tunnel_no_buffer, now_ns);
		return false;
	}
	if (dpt_seq_lt(point, node->sync_point)) {
		node->sync_point = point;
		node->is_series_seen = true;
		dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_POINT, node->state,
			      node->cfg.peer.value, point, dpt_link_rcv_nxt(link));
	}
	return true;
}

static void
failover_end(struct dpt_node *node, struct dpt_link *tunnel, uint64_t now_ns, struct dpt_out *out)
{
	node_event(node, NODE_EV_FAILOVER_END, now_ns);
	locks_open(node, now_ns);
	dpt_link_failover_end(tunnel, now_ns);
	node->limit_ns = DPT_NEVER_NS;
	node->is_series_seen = false;
	node->is_holding = false;
	node_deliver_held(node, tunnel, now_ns, out);
}

/* ---- synchronisation ---- */

/*
 * Number of the last packet that the peer had given to its first link. false: too short.
 * Src: 03-link-node.md, 20.3 step 1; hazard 21.
 */
static bool
synch_point(const struct dpt_link *link, struct rte_mbuf *m, uint16_t *point)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t hdr_bytes = dpt_msg_hdr_bytes(hdr);
	uint8_t inner[DPT_HDR_SHORT];

	if (dpt_link_caps(link) & DPT_CAP_TUNNEL_ENHANCED) {
		*point = (uint16_t)dpt_msg_syncpt(hdr);
		return true;
	}
	if (dpt_msg_size(hdr) < hdr_bytes + DPT_HDR_SHORT || dpt_msg_msgcnt(hdr) == 0)
		return false;
	dpt_buf_read(m, hdr_bytes, inner, sizeof(inner));
	*point = (uint16_t)(dpt_msg_seqno(inner) + dpt_msg_msgcnt(hdr) - 1);
	return true;
}

/* Src: 03-link-node.md, 20.3. false: m is gone, dropped. */
static bool
synch_rx(struct dpt_node *node, struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns,
	 struct dpt_out *out)
{
	struct dpt_link *base = node_other(node, link);
	uint16_t point;

	if (base == NULL)
		return true;
	if (!synch_point(link, m, &point)) {
		NODE_DROP(node, m, drop_tunnel_malformed, now_ns);
		return false;
	}
	/*
	 * Only a second link is synchronised: the peer's end of the first is up, so ours may
	 * be. It has to be, for what was sent on it is older than what comes here.
	 */
	if (dpt_link_state(base) == DPT_LINK_ESTABLISHING)
		node_link_up(node, base, now_ns, out);
	if (node->state == DPT_NODE_FAILINGOVER && link == tunnel_of(node))
		node->is_holding = true;
	if (node->state != DPT_NODE_UP_UP || !dpt_link_is_up(base))
		return true;
	node->cfg.node_counters->synchs++;
	node->sync_point = point;
	dpt_link_event(link, DPT_LINK_EV_SYNCH_BEGIN, now_ns);
	node_event(node, NODE_EV_SYNCH_BEGIN, now_ns);
	limit_set(node, dpt_link_rcv_nxt(base), now_ns);
	dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_POINT, node->state,
		      node->cfg.peer.value, point, dpt_link_rcv_nxt(base));
	return true;
}

static void
synch_end(struct dpt_node *node, struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	dpt_link_event(link, DPT_LINK_EV_SYNCH_END, now_ns);
	node_event(node, NODE_EV_SYNCH_END, now_ns);
	node->limit_ns = DPT_NEVER_NS;
	unhold(node, link, now_ns, out);
}

/* ---- both ---- */

bool
node_tunnel_rx(struct dpt_node *node, struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns,
	       struct dpt_out *out)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	if (dpt_msg_type(hdr) == DPT_TYPE_FAILOVER)
		return failover_rx(node, link, m, now_ns, out);
	if (dpt_msg_type(hdr) == DPT_TYPE_SYNCH && dpt_msg_seqno(hdr) == 1)
		return synch_rx(node, link, m, now_ns, out);
	return true;
}

/*
 * Delivery goes with reception here, so what has been received has been delivered
 * (03-link-node.md, 20.4: "delivered" is the number expected next).
 */
void
node_settle(struct dpt_node *node, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_link *link;

	if (node->state == DPT_NODE_SYNCHING) {
		struct dpt_link *base;

		link = synching_of(node);
		base = node_other(node, link);
		if (dpt_seq_lt(node->sync_point, dpt_link_rcv_nxt(base)))
			synch_end(node, link, now_ns, out);
		return;
	}
	link = tunnel_of(node);
	if (node->state == DPT_NODE_FAILINGOVER && !DPT_MUTANT(failover_endless) &&
	    dpt_seq_lt(node->sync_point, dpt_link_rcv_nxt(link)))
		failover_end(node, link, now_ns, out);
}

/*
 * What was promised does not come, or never existed. The contact cannot go on over a gap:
 * it is lost, and that is told. The new link alone may go: what came on it is then sent
 * again on the first, behind all that is missing there.
 */
void
node_limit(struct dpt_node *node, uint64_t now_ns, struct dpt_out *out)
{
	bool is_synching = node->state == DPT_NODE_SYNCHING;
	struct dpt_link *link, *source;
	uint16_t rcv_nxt;

	if (now_ns < node->limit_ns)
		return;
	link = is_synching ? synching_of(node) : tunnel_of(node);
	source = is_synching ? node_other(node, link) : link;
	rcv_nxt = dpt_link_rcv_nxt(source);
	if ((is_synching || node->is_series_seen) && rcv_nxt != node->limit_mark) {
		limit_set(node, rcv_nxt, now_ns);
		return;
	}
	node->limit_ns = DPT_NEVER_NS;
	node->cfg.node_counters->limit_expired++;
	dpt_trace_add(node->cfg.env.trace, now_ns, NODE_TRACE_LIMIT, node->state,
		      node->cfg.peer.value, node->sync_point, rcv_nxt);
	if (!is_synching) {
		node_contact_reset(node, DPT_DOWN_FAILOVER, now_ns, out);
		return;
	}
	dpt_link_reason_set(link, DPT_DOWN_FAILOVER);
	node_link_down(node, link, now_ns, out);
}
