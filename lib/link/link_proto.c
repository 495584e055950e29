/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * LINK_PROTOCOL messages: RESET, ACTIVATE, STATE, sent and received; sessions.
 * Src: 03-link-node.md, 4, 6, 7; 01-wire-format.md, 7.2.
 */

#include <string.h>

#include <rte_mbuf.h>

#include "dpt_mutant.h"
#include "link_priv.h"

/* ---- sending ---- */

/* What all three have in common. NULL: no buffer, counted. */
static struct rte_mbuf *
proto_alloc(struct dpt_link *link, uint32_t type, uint32_t payload_bytes)
{
	const struct dpt_bcast_view *view = link->view;
	struct rte_mbuf *m = dpt_msg_alloc(link->env.pool, DPT_USER_LINK_PROTOCOL, type,
					   DPT_HDR_INTERNAL, payload_bytes, link->own, link->peer);
	uint8_t *hdr;

	if (m == NULL) {
		LINK_COUNT(link, proto_no_buffer);
		return NULL;
	}
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_bcast_ack(hdr, view->ack);
	dpt_msg_set_ack(hdr, (uint16_t)(link->rcv_nxt - !DPT_MUTANT(ack_off_by_one)));
	dpt_msg_set_seqno(hdr, (uint16_t)(link->snd_nxt + LINK_PROTO_SEQ_OFFSET));
	dpt_msg_set_last_bcast(hdr, view->last_bcast);
	dpt_msg_set_next_sent(hdr, link->snd_nxt);
	dpt_msg_set_session(hdr, link->session);
	dpt_msg_set_bc_ack_invalid(hdr, !view->is_up);
	dpt_msg_set_redundant_link(hdr, view->is_up);
	dpt_msg_set_bearer_id(hdr, link->bearer_id);
	dpt_msg_set_net_plane(hdr, link->net_plane);
	return m;
}

uint32_t
link_state_send(struct dpt_link *link, const struct link_state_args *args, struct dpt_out *out)
{
	const struct dpt_bcast_view *view = link->view;
	uint16_t gap = RTE_MIN(args->gap, LINK_GAP_MAX);
	bool has_record = (link->caps & DPT_CAP_GAP_ACK_BLOCK) != 0;
	uint8_t payload[DPT_GAP_RECORD_BYTES_MAX];
	uint32_t payload_bytes = 0;
	struct dpt_gap_record rec;
	struct rte_mbuf *m;
	uint8_t *hdr;

	if ((args->is_probe || args->is_reply) && link->defer_cnt > 0)
		gap = link_defer_gap(link);
	if (has_record) {
		rec.ucast_cnt = 0;
		if (gap != 0)
			link_gap_blocks(link, &rec);
		rec.bcast_cnt = view->blocks_cnt;
		memcpy(rec.bcast, view->blocks, sizeof(rec.bcast[0]) * view->blocks_cnt);
		payload_bytes = dpt_gap_record_encode(&rec, payload);
	}
	m = proto_alloc(link, DPT_TYPE_STATE, payload_bytes);
	if (m == NULL)
		return 0;
	hdr = dpt_buf_hdr(m);
	memcpy(hdr + DPT_HDR_INTERNAL, payload, payload_bytes);
	if (link->caps & DPT_CAP_LINK_PROTO_SEQNO)
		dpt_msg_set_seqno(hdr, link->snd_nxt_state++);
	dpt_msg_set_seq_gap(hdr, gap);
	dpt_msg_set_bc_gap(hdr, view->gap);
	dpt_msg_set_probe(hdr, args->is_probe);
	dpt_msg_set_is_keepalive(hdr, args->is_probe || args->is_reply);
	link->rcv_unacked = 0;
	LINK_COUNT(link, sent_states);
	LINK_COUNT_N(link, sent_probes, args->is_probe);
	LINK_COUNT_N(link, sent_nacks, gap != 0);
	dpt_out_tx(out, m, link->bearer_id, &link->dst);
	return DPT_LINK_R_STATE_SENT;
}

uint32_t
dpt_link_state_tx(struct dpt_link *link, struct dpt_out *out)
{
	static const struct link_state_args args;

	return link_is_up(link) ? link_state_send(link, &args, out) : 0;
}

void
dpt_link_reset_tx(struct dpt_link *link, bool is_stopping, struct dpt_out *out)
{
	bool is_reset = link->state == DPT_LINK_RESET;
	struct rte_mbuf *m;
	uint8_t *hdr;

	if (!is_reset && link->state != DPT_LINK_ESTABLISHING)
		return;
	m = proto_alloc(link, is_reset ? DPT_TYPE_RESET : DPT_TYPE_ACTIVATE, DPT_IF_NAME_BYTES);
	if (m == NULL)
		return;
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_max_pkt(hdr, link->advertised_mtu / 4);
	memset(hdr + DPT_HDR_INTERNAL, 0, DPT_IF_NAME_BYTES);
	memcpy(hdr + DPT_HDR_INTERNAL, link->if_name, strlen(link->if_name));
	if (is_reset) {
		dpt_msg_set_peer_stopping(hdr, is_stopping);
		LINK_COUNT(link, sent_resets);
	} else {
		dpt_msg_set_dest_session_valid(hdr, 1);
		dpt_msg_set_dest_session(hdr, link->peer_session);
		LINK_COUNT(link, sent_activates);
	}
	dpt_out_tx(out, m, link->bearer_id, &link->dst);
}

/* ---- receiving ---- */

bool
dpt_link_session_ok(const struct dpt_link *link, const uint8_t *hdr)
{
	uint16_t session = (uint16_t)dpt_msg_session(hdr);

	switch (dpt_msg_type(hdr)) {
	case DPT_TYPE_RESET:
		return !link->in_session || dpt_seq_lt(link->peer_session, session);
	case DPT_TYPE_ACTIVATE:
		return !link->in_session || dpt_seq_le(link->peer_session, session);
	case DPT_TYPE_STATE:
		if (!link->in_session || session != link->peer_session)
			return false;
		if (!link_is_up(link) && dpt_msg_ack(hdr) != 0)
			return false;
		return (link->caps & DPT_CAP_LINK_PROTO_SEQNO) == 0 ||
		       dpt_seq_le(link->rcv_nxt_state, (uint16_t)dpt_msg_seqno(hdr));
	default:
		return false;
	}
}

/* The gap record of a STATE; empty where the peer sends none. 0, or -EINVAL. */
static int
proto_gap_record(const struct dpt_link *link, const uint8_t *hdr, struct dpt_gap_record *rec)
{
	int bytes;

	rec->ucast_cnt = 0;
	if ((link->caps & DPT_CAP_GAP_ACK_BLOCK) == 0)
		return 0;
	bytes = dpt_gap_record_decode(rec, hdr + dpt_msg_hdr_bytes(hdr),
				      dpt_msg_payload_bytes(hdr));
	return bytes < 0 ? bytes : 0;
}

bool
dpt_link_proto_check(struct dpt_link *link, const uint8_t *hdr, uint32_t head_bytes,
		     uint64_t now_ns)
{
	bool is_state = dpt_msg_type(hdr) == DPT_TYPE_STATE;
	struct dpt_gap_record rec;

	if (head_bytes < dpt_msg_size(hdr)) {
		LINK_DROP_NOTE(link, hdr, drop_proto_malformed, now_ns);
		return false;
	}
	if (link->state == DPT_LINK_RESETTING || link->state == DPT_LINK_PEER_RESET ||
	    link->state == DPT_LINK_FAILINGOVER) {
		LINK_DROP_NOTE(link, hdr, drop_blocked, now_ns);
		return false;
	}
	if (link->own.value > dpt_msg_prevnode(hdr))
		link->net_plane = (uint8_t)dpt_msg_net_plane(hdr);
	if (!dpt_link_session_ok(link, hdr)) {
		LINK_DROP_NOTE(link, hdr, drop_session, now_ns);
		return false;
	}
	if (!is_state && dpt_msg_max_pkt(hdr) * 4 < DPT_LINK_MTU_MIN) {
		LINK_DROP_NOTE(link, hdr, drop_mtu, now_ns);
		return false;
	}
	if (is_state ? proto_gap_record(link, hdr, &rec) < 0
		     : dpt_msg_payload_bytes(hdr) < DPT_IF_NAME_BYTES) {
		LINK_DROP_NOTE(link, hdr, drop_proto_malformed, now_ns);
		return false;
	}
	return true;
}

/* The peer's interface name, made safe for link names and terminals; hazard 14. */
static void
proto_peer_name(struct dpt_link *link, const uint8_t *hdr)
{
	const char *name = (const char *)hdr + dpt_msg_hdr_bytes(hdr);
	unsigned int i;

	for (i = 0; i < DPT_IF_NAME_BYTES - 1 && name[i] != '\0'; i++) {
		char c = name[i];

		link->peer_if_name[i] = c > ' ' && c < 0x7f && c != ':' ? c : '_';
	}
	link->peer_if_name[i] = '\0';
}

static void
proto_tolerance(struct dpt_link *link, const uint8_t *hdr)
{
	uint32_t tolerance_ms = dpt_msg_link_tolerance(hdr);

	if (tolerance_ms >= LINK_TOLERANCE_MIN_MS && tolerance_ms <= LINK_TOLERANCE_MAX_MS)
		link->tolerance_ms = (uint16_t)tolerance_ms;
}

/* Steps 5 to 12. Src: 03-link-node.md, 6.3. */
static uint32_t
proto_rx_reset(struct dpt_link *link, const uint8_t *hdr, uint64_t now_ns, struct dpt_out *out)
{
	bool is_activate = dpt_msg_type(hdr) == DPT_TYPE_ACTIVATE;
	bool was_reset = link->state == DPT_LINK_RESET;
	uint32_t result = 0;

	if (is_activate)
		LINK_COUNT(link, recv_activates);
	else
		LINK_COUNT(link, recv_resets);
	proto_peer_name(link, hdr);
	proto_tolerance(link, hdr);
	if (dpt_msg_linkprio(hdr) > link->priority)
		link->priority = (uint8_t)dpt_msg_linkprio(hdr);
	if (dpt_msg_peer_stopping(hdr))
		return link_fail(link, DPT_DOWN_PEER_STOPPING, now_ns);
	if (is_activate && dpt_msg_dest_session_valid(hdr) &&
	    dpt_msg_dest_session(hdr) != link->session) {
		uint16_t dest_session = (uint16_t)dpt_msg_dest_session(hdr);

		if (dpt_seq_lt(link->session, dest_session))
			link->session = (uint16_t)(dest_session + 1);
		return 0;
	}
	if (!is_activate || !link_is_up(link))
		result = dpt_link_event(link, DPT_LINK_EV_PEER_RESET, now_ns);
	if (result & DPT_LINK_R_DOWN)
		link->last_down = DPT_DOWN_PEER_RESET;
	if (is_activate && link->state == DPT_LINK_ESTABLISHING)
		result |= DPT_LINK_R_UP;
	link->peer_session = (uint16_t)dpt_msg_session(hdr);
	link->in_session = true;
	link->peer_bearer_id = (uint8_t)dpt_msg_bearer_id(hdr);
	link->mtu = (uint16_t)RTE_MIN(link->mtu, dpt_msg_max_pkt(hdr) * 4);
	/* Our choice: do not wait for the timer to tell the peer that it may come up. */
	if (was_reset && link->state == DPT_LINK_ESTABLISHING && !(result & DPT_LINK_R_UP))
		dpt_link_reset_tx(link, false, out);
	return result;
}

/* Steps 8 and 9: report what the peer has sent and we have not seen. Src: 03-link-node.md, 7.2. */
static uint32_t
proto_reply(struct dpt_link *link, const uint8_t *hdr, struct dpt_out *out)
{
	struct link_state_args args = {.is_reply = dpt_msg_probe(hdr)};
	uint16_t next_sent = (uint16_t)dpt_msg_next_sent(hdr);

	if ((dpt_msg_probe(hdr) || dpt_msg_is_keepalive(hdr)) &&
	    dpt_seq_lt(link->rcv_nxt, next_sent) && link->state != DPT_LINK_SYNCHING &&
	    link->defer_cnt == 0)
		args.gap = dpt_seq_dist(link->rcv_nxt, next_sent);
	if (args.gap == 0 && !args.is_reply)
		return 0;
	if (link->replies_cnt >= LINK_REPLIES_MAX) {
		LINK_COUNT(link, reply_limited);
		return 0;
	}
	link->replies_cnt++;
	return link_state_send(link, &args, out);
}

/* Steps 2 to 11. Src: 03-link-node.md, 7.2. */
static uint32_t
proto_rx_state(struct dpt_link *link, const uint8_t *hdr, uint64_t now_ns, struct dpt_out *out)
{
	uint8_t priority = (uint8_t)dpt_msg_linkprio(hdr);
	struct dpt_gap_record rec;
	struct link_acked acked;
	uint32_t result = 0;

	proto_gap_record(link, hdr, &rec);
	link->rcv_nxt_state = (uint16_t)(dpt_msg_seqno(hdr) + 1);
	proto_tolerance(link, hdr);
	if (priority != 0 && priority != link->priority) {
		link->priority = priority;
		result |= link_fail(link, DPT_DOWN_PRIORITY, now_ns);
	}
	link->silent = 0;
	LINK_COUNT(link, recv_states);
	LINK_COUNT_N(link, recv_probes, dpt_msg_probe(hdr));
	LINK_COUNT_N(link, recv_nacks, dpt_msg_seq_gap(hdr) != 0);
	if (!link_is_up(link))
		return link->state == DPT_LINK_ESTABLISHING ? result | DPT_LINK_R_UP : result;
	result |= proto_reply(link, hdr, out);
	link_ack_state(link, hdr, &rec, now_ns, out, &acked);
	if (acked.is_failed)
		return result | link_fail(link, DPT_DOWN_RETRANSMIT, now_ns);
	if (acked.released > 0 || acked.retransmitted > 0)
		link_window_update(link, acked.released, acked.retransmitted);
	if (acked.released > 0)
		link_drain(link, now_ns, out);
	link_release_report(link, out);
	return result;
}

uint32_t
dpt_link_proto_rx(struct dpt_link *link, const uint8_t *hdr, uint64_t now_ns, struct dpt_out *out)
{
	link->last_rx_ns = now_ns;
	if (dpt_msg_type(hdr) == DPT_TYPE_STATE)
		return proto_rx_state(link, hdr, now_ns, out);
	return proto_rx_reset(link, hdr, now_ns, out);
}
