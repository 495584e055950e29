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
		LINK_ERROR(link, proto_no_buffer, (uint16_t)type);
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

/* Those that only acknowledge share a record. */
static void
proto_note_state_sent(struct dpt_link *link, const struct link_state_args *args, uint16_t gap)
{
	uint8_t flags = (uint8_t)((args->is_probe ? DPT_FLIGHT_STATE_PROBE : 0) |
				  (args->is_reply ? DPT_FLIGHT_STATE_REPLY : 0));

	if (flags == 0 && gap == 0)
		LINK_NOTE_MORE(link, ACK_SENT, 0, link->rcv_nxt - 1, link->snd_nxt);
	else
		LINK_NOTE(link, STATE_SENT, flags, (uint16_t)(link->rcv_nxt - 1), gap,
			  link->snd_nxt, link->defer.cnt, (uint16_t)(link->snd_nxt_state - 1));
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

	if (link->state == DPT_LINK_SYNCHING)
		gap = 0;
	else if ((args->is_probe || args->is_reply) && link->defer.cnt > 0)
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
	dpt_msg_set_link_tolerance(hdr, args->tolerance_ms);
	dpt_msg_set_linkprio(hdr, args->priority);
	link->rcv_unacked = 0;
	LINK_COUNT(link, sent_states);
	LINK_COUNT_N(link, sent_probes, args->is_probe);
	LINK_COUNT_N(link, sent_nacks, gap != 0);
	proto_note_state_sent(link, args, gap);
	dpt_out_tx(out, m, link->bearer_id, &link->dst);
	return DPT_LINK_R_STATE_SENT;
}

uint32_t
dpt_link_state_tx(struct dpt_link *link, struct dpt_out *out)
{
	static const struct link_state_args args;

	return link_is_up(link) ? link_state_send(link, &args, out) : 0;
}

uint32_t
dpt_link_state_answer(struct dpt_link *link, struct dpt_out *out)
{
	if (link->replies_cnt >= LINK_REPLIES_MAX) {
		LINK_ERROR(link, reply_limited, link->replies_cnt, 0);
		return 0;
	}
	link->replies_cnt++;
	return dpt_link_state_tx(link, out);
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
		LINK_NOTE(link, RESET_SENT, is_stopping, link->session, link->advertised_mtu);
	} else {
		dpt_msg_set_dest_session_valid(hdr, 1);
		dpt_msg_set_dest_session(hdr, link->peer_session);
		LINK_COUNT(link, sent_activates);
		LINK_NOTE(link, ACTIVATE_SENT, 0, link->session, link->peer_session,
			  link->advertised_mtu);
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

static void
proto_note_reset(struct dpt_link *link, const uint8_t *hdr)
{
	uint16_t session = (uint16_t)dpt_msg_session(hdr);
	uint16_t bytes = (uint16_t)(dpt_msg_max_pkt(hdr) * 4);

	if (dpt_msg_type(hdr) == DPT_TYPE_ACTIVATE)
		LINK_NOTE(link, ACTIVATE_RECV, 0, session, (uint16_t)dpt_msg_dest_session(hdr),
			  bytes);
	else
		LINK_NOTE(link, RESET_RECV, dpt_msg_peer_stopping(hdr), session, bytes,
			  (uint16_t)dpt_msg_link_tolerance(hdr));
}

/* Those that only acknowledge share a record. */
static void
proto_note_state(struct dpt_link *link, const uint8_t *hdr)
{
	uint8_t flags = (uint8_t)((dpt_msg_probe(hdr) ? DPT_FLIGHT_STATE_PROBE : 0) |
				  (dpt_msg_is_keepalive(hdr) ? DPT_FLIGHT_STATE_REPLY : 0));
	uint16_t ack = (uint16_t)dpt_msg_ack(hdr), gap = (uint16_t)dpt_msg_seq_gap(hdr);
	uint16_t next = (uint16_t)dpt_msg_next_sent(hdr);

	if (flags == 0 && gap == 0)
		LINK_NOTE_MORE(link, ACK_RECV, 0, ack, (uint16_t)(link->snd_nxt - 1));
	else
		LINK_NOTE(link, STATE_RECV, flags, ack, gap, next, (uint16_t)dpt_msg_seqno(hdr),
			  link->snd_cnt);
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
	proto_note_reset(link, hdr);
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
	link->pending = LINK_PENDING_NONE;
	if (is_activate && link->state == DPT_LINK_ESTABLISHING)
		result |= link_guard_peer_ready(link, now_ns);
	link->peer_session = (uint16_t)dpt_msg_session(hdr);
	link->in_session = true;
	link->peer_bearer_id = (uint8_t)dpt_msg_bearer_id(hdr);
	link->peer_mtu = (uint16_t)RTE_MIN(dpt_msg_max_pkt(hdr) * 4, (uint32_t)UINT16_MAX);
	link->mtu = RTE_MIN(link->mtu, link->peer_mtu);
	/* Our choice: do not wait for the timer to tell the peer that it may come up. */
	if (was_reset && !is_activate && link->state == DPT_LINK_ESTABLISHING) {
		link->pending = LINK_PENDING_ANSWER;
		if (link_guard_is_open(link, now_ns))
			link_guard_expire(link, out);
	}
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
	    link->defer.cnt == 0)
		args.gap = dpt_seq_dist(link->rcv_nxt, next_sent);
	if (args.gap == 0 && !args.is_reply)
		return 0;
	if (link->replies_cnt >= LINK_REPLIES_MAX) {
		LINK_ERROR(link, reply_limited, link->replies_cnt, args.gap);
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
	if (priority != 0 && priority != link->priority && link_guard_priority(link, now_ns)) {
		link->priority = priority;
		result |= link_fail(link, DPT_DOWN_PRIORITY, now_ns);
	}
	link->silent = 0;
	LINK_COUNT(link, recv_states);
	LINK_COUNT_N(link, recv_probes, dpt_msg_probe(hdr));
	LINK_COUNT_N(link, recv_nacks, dpt_msg_seq_gap(hdr) != 0);
	proto_note_state(link, hdr);
	if (!link_is_up(link))
		return link->state == DPT_LINK_ESTABLISHING
			       ? result | link_guard_peer_ready(link, now_ns)
			       : result;
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
	/* A peer that answers with ACTIVATE only is not there: its end does not come up. */
	if (dpt_msg_type(hdr) == DPT_TYPE_STATE || !link_is_up(link))
		link->last_rx_ns = now_ns;
	link->flight_ns = now_ns;
	if (dpt_msg_type(hdr) == DPT_TYPE_STATE)
		return proto_rx_state(link, hdr, now_ns, out);
	return proto_rx_reset(link, hdr, now_ns, out);
}
