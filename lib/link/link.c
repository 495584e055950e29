/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Life cycle, reset, dumps of a link. Rules of reception: link_rx.c, link_proto.c;
 * of sending: link_tx.c; acknowledgement and window: link_ack.c; supervision:
 * link_timer.c. Src: 03-link-node.md, 3.
 */

#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_mbuf.h>

#include "dpt_assert.h"
#include "dpt_mutant.h"
#include "link_priv.h"

DPT_COUNTER_DESCS(dpt_link_counter_descs, DPT_LINK_COUNTERS);

size_t
dpt_link_size(uint16_t ring_pkts)
{
	size_t bytes = sizeof(struct dpt_link) + 3 * (size_t)ring_pkts * sizeof(struct rte_mbuf *);

	return RTE_ALIGN_CEIL(bytes, 64);
}

/* Sequence variables as after a reset. Src: 03-link-node.md, 3.3. */
static void
link_vars_reset(struct dpt_link *link)
{
	link->snd_nxt = 1;
	link->snd_una = 1;
	link->rcv_nxt = 1;
	link->snd_nxt_state = 1;
	link->rcv_nxt_state = 1;
	link->rcv_unacked = 0;
	link->silent = 0;
	link->rst_cnt = 0;
	link->replies_cnt = 0;
	link->mtu = link->advertised_mtu;
	link->caps = link->caps_next;
	link->in_session = false;
	link->has_bulk_end = false;
	link->is_failover = false;
	link->drop_point = 0;
	link->repair_ns = DPT_NEVER_NS;
}

static void
link_flight_init(struct dpt_link *link, uint64_t now_ns)
{
	struct dpt_link_info info;

	link->flight_ns = now_ns;
	link->flight = dpt_flights_take(link->env.flights, link->peer, link->bearer_id, now_ns);
	if (link->flight == NULL)
		return;
	dpt_link_info_get(link, &info);
	dpt_flight_name_set(link->flight, info.name);
	LINK_NOTE(link, CREATED, link->bearer_id, link->tolerance_ms, link->window_max,
		  link->advertised_mtu);
}

void
dpt_link_init(struct dpt_link *link, const struct dpt_link_cfg *cfg,
	      const struct dpt_link_setup *setup, uint64_t now_ns)
{
	uint16_t ring_pkts = cfg->ring_pkts;

	DPT_ASSERT(rte_is_power_of_2(ring_pkts));
	DPT_ASSERT(ring_pkts <= DPT_LINK_RING_PKTS_MAX);
	DPT_ASSERT(setup->mtu >= DPT_LINK_MTU_MIN);
	DPT_ASSERT(setup->window_min > 0);
	DPT_ASSERT(setup->window_max > 0);
	memset(link, 0, dpt_link_size(ring_pkts));
	link->env = cfg->env;
	link->own = cfg->own;
	link->peer = cfg->peer;
	link->own_id = cfg->own_id;
	link->peer_id = cfg->peer_id;
	link->view = cfg->view;
	link->sums = cfg->sums;
	link->caps_next = cfg->caps;
	link->snd_ring = &link->rings[0];
	link->defer.ring = &link->rings[ring_pkts];
	link->fo_defer.ring = &link->rings[2 * ring_pkts];
	link->ring_mask = ring_pkts - 1;
	link->bearer_id = setup->bearer_id;
	link->net_plane = setup->bearer_id;
	link->priority = setup->priority;
	link->tolerance_ms = setup->tolerance_ms;
	link->advertised_mtu = setup->mtu;
	link->dst = setup->dst;
	snprintf(link->if_name, sizeof(link->if_name), "%.*s", DPT_IF_NAME_BYTES - 1,
		 setup->if_name);
	snprintf(link->peer_if_name, sizeof(link->peer_if_name), "unknown");
	link->seg_bytes =
		(uint16_t)(rte_pktmbuf_data_room_size(cfg->env.pool) - DPT_BUF_HEADROOM_BYTES);
	link->window_min = setup->window_min;
	link_window_set(link, setup->window_max);
	/* As drawn, plus the reset that every link begins with. Src: 03-link-node.md, 3.1. */
	link->session = (uint16_t)(dpt_rng_u32(cfg->env.rng) + 1);
	link->peer_session = UINT16_MAX;
	link_vars_reset(link);
	link_flight_init(link, now_ns);
	link->state = DPT_LINK_RESETTING;
	dpt_link_event(link, DPT_LINK_EV_RESET, now_ns);
}

/* Free all that the link holds, by ring and queue. Returns how many buffers. */
static uint32_t
link_purge(struct dpt_link *link, uint64_t now_ns)
{
	const size_t deferred_down = offsetof(struct dpt_link_counters, drop_deferred_down);
	uint32_t lost = link->snd_cnt + link->backlog.cnt;
	struct rte_mbuf *m;

	for (uint16_t seq = link->snd_una; link->snd_cnt > 0; seq++) {
		struct rte_mbuf **slot = &link->snd_ring[seq & link->ring_mask];

		if (*slot == NULL)
			continue;
		link_drop_sent(link, *slot, now_ns);
		*slot = NULL;
		link->snd_cnt--;
	}
	while ((m = dpt_bufq_pop(&link->backlog)) != NULL)
		link_drop_sent(link, m, now_ns);
	memset(link->backlog_cnt, 0, sizeof(link->backlog_cnt));
	memset(link->bundles, 0, sizeof(link->bundles));
	lost += link_defer_free(link, &link->defer, deferred_down, now_ns);
	lost += link_defer_free(link, &link->fo_defer, deferred_down, now_ns);
	LINK_COUNT_N(link, drop_reassembly_down, dpt_reassembly_reset(&link->reassembly));
	LINK_COUNT_N(link, drop_reassembly_down, dpt_reassembly_reset(&link->fo_reassembly));
	LINK_COUNT_N(link, drop_reassembly_down, dpt_reassembly_reset(&link->tnl_reassembly));
	return lost;
}

void
dpt_link_fini(struct dpt_link *link, uint64_t now_ns)
{
	link->flight_ns = now_ns;
	dpt_flight_down(link->env.flights, link->flight, link->last_down, now_ns);
	link_purge(link, now_ns);
	dpt_flight_give(link->flight, now_ns);
	link->flight = NULL;
}

void
dpt_link_reset(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	uint32_t lost;

	link->flight_ns = now_ns;
	if (link->flight != NULL && link->flight->is_up) {
		LINK_NOTE(link, DOWN, link->last_down,
			  (uint16_t)(link->snd_cnt + link->backlog.cnt), link->defer.cnt,
			  link->silent);
		dpt_flight_down(link->env.flights, link->flight, link->last_down, now_ns);
	}
	dpt_link_stats_reset(link);
	LINK_COUNT(link, resets);
	lost = link_purge(link, now_ns);
	link_guard_reset(link, now_ns);
	link->session = (uint16_t)(link->session + !DPT_MUTANT(session_kept));
	link->peer_session--;
	link_vars_reset(link);
	link_trace(link, now_ns, LINK_TRACE_RESET, link->last_down, link->session, lost);
	dpt_flight_restart(link->flight);
	LINK_NOTE(link, RESET, 0, link->session);
	link_release_report(link, out);
}

void
dpt_link_stats_reset(struct dpt_link *link)
{
	memset(&link->counters, 0, sizeof(link->counters));
}

void
dpt_link_reason_set(struct dpt_link *link, enum dpt_down_reason reason)
{
	link->last_down = (uint8_t)reason;
}

void
dpt_link_dst_set(struct dpt_link *link, const struct dpt_maddr *dst)
{
	link->dst = *dst;
}

void
dpt_link_caps_set(struct dpt_link *link, uint16_t caps)
{
	link->caps_next = caps;
	if (!link_is_up(link))
		link->caps = caps;
}

struct dpt_flight *
dpt_link_flight(const struct dpt_link *link)
{
	return link->flight;
}

enum dpt_link_state
dpt_link_state(const struct dpt_link *link)
{
	return link->state;
}

bool
dpt_link_is_up(const struct dpt_link *link)
{
	return link_is_up(link);
}

bool
dpt_link_is_reset(const struct dpt_link *link)
{
	return link->state == DPT_LINK_RESET || link->state == DPT_LINK_ESTABLISHING ||
	       link->state == DPT_LINK_FAILINGOVER;
}

uint8_t
dpt_link_bearer_id(const struct dpt_link *link)
{
	return link->bearer_id;
}

enum dpt_down_reason
dpt_link_last_down(const struct dpt_link *link)
{
	return link->last_down;
}

uint32_t
dpt_link_identity(const struct dpt_link *link)
{
	return (uint32_t)link->peer_bearer_id << 16 | link->bearer_id;
}

uint16_t
dpt_link_tolerance_ms(const struct dpt_link *link)
{
	return link->tolerance_ms;
}

uint16_t
dpt_link_rcv_nxt(const struct dpt_link *link)
{
	return link->rcv_nxt;
}

uint16_t
dpt_link_snd_end(const struct dpt_link *link)
{
	return (uint16_t)(link->snd_nxt + link->backlog.cnt);
}

uint16_t
dpt_link_drop_point(const struct dpt_link *link)
{
	return link->drop_point;
}

uint8_t
dpt_link_priority(const struct dpt_link *link)
{
	return link->priority;
}

uint16_t
dpt_link_caps(const struct dpt_link *link)
{
	return link->caps;
}

uint16_t
dpt_link_mss(const struct dpt_link *link)
{
	return RTE_MIN(link->mtu - LINK_MSS_OVERHEAD, link->seg_bytes);
}

void
link_drop_note(struct dpt_link *link, const uint8_t *hdr, size_t offset, uint64_t now_ns)
{
	link_count(link, offset, 1);
	link_trace(link, now_ns, LINK_TRACE_DROP, (uint16_t)(offset / sizeof(uint64_t)),
		   dpt_msg_word(hdr, 0), dpt_msg_word(hdr, 2));
	link->flight_ns = now_ns;
	LINK_NOTE_MORE(link, DROP, offset / sizeof(uint64_t), dpt_msg_seqno(hdr),
		       dpt_msg_user(hdr));
}

void
link_drop_buf(struct dpt_link *link, struct rte_mbuf *m, size_t offset, uint64_t now_ns)
{
	link_drop_note(link, dpt_buf_hdr(m), offset, now_ns);
	rte_pktmbuf_free(m);
}

void
link_drop_sent(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns)
{
	uint32_t more = link_msgs_cnt(m) - 1;

	LINK_COUNT_N(link, drop_link_down, more);
	LINK_COUNT_N(link, lost_bundled, more);
	LINK_DROP(link, m, drop_link_down, now_ns);
}

/* Identity as text if it has at most 16 characters, else the address. Src: 03-link-node.md, 3.2. */
static void
link_end_name(const struct dpt_node_id *id, struct dpt_node_addr addr,
	      char text[DPT_NODE_ID_TEXT_BYTES])
{
	text[0] = '\0';
	if (!dpt_node_id_is_zero(id))
		dpt_node_id_print(id, text);
	if (text[0] == '\0' || strlen(text) > sizeof(id->bytes))
		snprintf(text, DPT_NODE_ID_TEXT_BYTES, "%x", (unsigned int)addr.value);
}

void
dpt_link_info_get(const struct dpt_link *link, struct dpt_link_info *info)
{
	char own[DPT_NODE_ID_TEXT_BYTES], peer[DPT_NODE_ID_TEXT_BYTES];

	*info = (struct dpt_link_info){
		.state = link->state,
		.is_up = link_is_up(link),
		.bearer_id = link->bearer_id,
		.priority = link->priority,
		.net_plane = (char)('A' + link->net_plane),
		.tolerance_ms = link->tolerance_ms,
		.mtu = link->mtu,
		.window = link->window,
		.last_down = link->last_down,
		.dst = link->dst,
		.flight = link->flight,
		.counters = link->counters,
	};
	link_end_name(&link->own_id, link->own, own);
	link_end_name(&link->peer_id, link->peer, peer);
	snprintf(info->name, sizeof(info->name), "%.16s:%s-%.16s:%s", own, link->if_name, peer,
		 link->peer_if_name);
}

int
dpt_link_print(const struct dpt_link *link, char *text, size_t text_size)
{
	return snprintf(text, text_size,
			"link %u %s session %u peer %u snd %u/%u rcv %u deferred %u window %u "
			"backlog %u silent %u",
			link->bearer_id, dpt_link_state_name(link->state), link->session,
			link->peer_session, link->snd_una, link->snd_nxt, link->rcv_nxt,
			link->defer.cnt, link->window, (unsigned int)link->backlog.cnt,
			link->silent);
}
