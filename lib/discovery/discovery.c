/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Life cycle, bearers, and the timers:
 *
 *   bearer timer   125 ms doubling to 1 s, or 60 s with a link up; 125 ms in the trial.
 *                  It also ends the trial. Src: 02-discovery.md, 4.3
 *   trial end      1 s after the last bearer was enabled or the address changed
 *   trial pause    60 s after a trial was given up
 *
 * Received messages are in discovery_rx.c, records in discovery_peers.c.
 */
#include "discovery_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "dpt_assert.h"

#define DISC_ALIGN(bytes) RTE_ALIGN_CEIL((bytes), (size_t)RTE_CACHE_LINE_SIZE)

size_t
dpt_discovery_size(const struct dpt_discovery_cfg *cfg)
{
	size_t slots_bytes = disc_slots_cnt(cfg->peers_max) * sizeof(struct disc_slot);

	return DISC_ALIGN(sizeof(struct dpt_discovery)) +
	       DISC_ALIGN(cfg->peers_max * sizeof(struct disc_peer)) + DISC_ALIGN(slots_bytes) +
	       DISC_ALIGN(slots_bytes);
}

void
dpt_discovery_init(struct dpt_discovery *disc, const struct dpt_discovery_cfg *cfg)
{
	size_t slots_bytes = disc_slots_cnt(cfg->peers_max) * sizeof(struct disc_slot);
	uint8_t *at = (uint8_t *)disc + DISC_ALIGN(sizeof(*disc));

	memset(disc, 0, dpt_discovery_size(cfg));
	disc->peers = (struct disc_peer *)at;
	at += DISC_ALIGN(cfg->peers_max * sizeof(struct disc_peer));
	disc->by_addr = (struct disc_slot *)at;
	at += DISC_ALIGN(slots_bytes);
	disc->by_id = (struct disc_slot *)at;

	disc->env = cfg->env;
	disc->counters = cfg->counters;
	disc->net_id = cfg->net_id;
	disc->caps = cfg->caps;
	disc->random = cfg->random;
	disc->id = cfg->id;
	disc->peers_max = cfg->peers_max;
	disc->is_legacy = cfg->addr.value != 0;
	if (disc->is_legacy) {
		disc->own = cfg->addr;
		disc->trial = cfg->addr;
		if (dpt_node_id_is_zero(&disc->id))
			disc->id = dpt_node_id_from_addr(cfg->addr);
	}
	for (uint32_t i = 0; i < DPT_BEARERS_MAX; i++)
		disc->bearers[i].timer_ns = DPT_NEVER_NS;
	disc_peers_init(disc);
}

static void
tx_count(struct dpt_discovery *disc, uint8_t type)
{
	switch (type) {
	case DPT_TYPE_DSC_REQ:
		disc->counters->tx_req++;
		break;
	case DPT_TYPE_DSC_RESP:
		disc->counters->tx_resp++;
		break;
	case DPT_TYPE_DSC_TRIAL:
		disc->counters->tx_trial++;
		break;
	default:
		disc->counters->tx_trial_fail++;
		break;
	}
}

void
disc_send(struct dpt_discovery *disc, uint8_t bearer_id, struct dpt_link_config *msg,
	  const struct dpt_maddr *dst, struct dpt_out *out)
{
	const struct disc_bearer *bearer = &disc->bearers[bearer_id];
	struct dpt_maddr bcast = dpt_maddr_bcast(bearer->maddr.media);
	struct rte_mbuf *m;

	msg->caps = disc->caps;
	/* The capabilities are written after the signature: bit 15 is their bit 0. */
	msg->signature = (uint16_t)((disc->random & 0x7fff) | (uint32_t)(disc->caps & 1) << 15);
	msg->prevnode = disc->trial;
	msg->net_id = disc->net_id;
	msg->maddr = bearer->maddr;
	msg->id = disc->id;
	m = dpt_link_config_build(msg, disc->env.pool);
	if (m == NULL) {
		disc->counters->tx_no_buffer++;
		return;
	}
	tx_count(disc, msg->type);
	dpt_out_tx(out, m, bearer_id, dst != NULL ? dst : &bcast);
}

/* "Template": always made from what is known now, so a changed address is announced. */
static void
send_template(struct dpt_discovery *disc, uint8_t bearer_id, struct dpt_out *out)
{
	struct dpt_link_config msg = {
		.type = disc->own.value != 0 ? DPT_TYPE_DSC_REQ : DPT_TYPE_DSC_TRIAL,
		.dest_domain = disc->bearers[bearer_id].domain,
	};

	disc_send(disc, bearer_id, &msg, NULL, out);
}

void
disc_addr_final(struct dpt_discovery *disc, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_event *event;

	disc->own = disc->trial;
	disc->trial_end_ns = 0;
	disc->is_final_told = true;
	disc_trace(disc, now_ns, DISC_TRACE_ADDR_FINAL, 0, disc->own, 0);
	event = dpt_out_event(out, DPT_EVENT_ADDR_FINAL);
	event->node = disc->own;
	event->id = disc->id;
}

static void
trial_start(struct dpt_discovery *disc, uint64_t now_ns)
{
	disc->trial = dpt_node_id_to_addr(&disc->id);
	disc->trial_restarts = 0;
	disc->pause_end_ns = 0;
	disc->trial_end_ns = now_ns + DISC_TRIAL_NS;
}

static void
trial_give_up(struct dpt_discovery *disc, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_event *event = dpt_out_event(out, DPT_EVENT_DUPLICATE);

	disc->counters->trial_given_up++;
	disc_trace(disc, now_ns, DISC_TRACE_TRIAL_GIVEN_UP, 0, disc->trial, 0);
	event->node = disc->trial;
	event->id = disc->id;
	event->reason = DPT_REFUSAL_DUPLICATE;
	event->result = -EADDRNOTAVAIL;
	disc->pause_end_ns = now_ns + DISC_TRIAL_PAUSE_NS;
	for (uint32_t i = 0; i < DPT_BEARERS_MAX; i++)
		if (disc->bearers[i].is_there)
			disc->bearers[i].timer_ns = disc->pause_end_ns;
}

void
disc_trial_restart(struct dpt_discovery *disc, struct dpt_node_addr suggested, uint64_t now_ns,
		   struct dpt_out *out)
{
	if (disc->trial_restarts == DISC_TRIAL_RESTARTS_MAX) {
		trial_give_up(disc, now_ns, out);
		return;
	}
	disc->trial_restarts++;
	disc->counters->trial_restarts++;
	disc->trial = suggested;
	disc->trial_end_ns = now_ns + DISC_TRIAL_NS;
	disc_trace(disc, now_ns, DISC_TRACE_TRIAL_RESTART, (uint16_t)disc->trial_restarts,
		   suggested, 0);
}

/* Identity from the first bearer's media address. Src: 02-discovery.md, 1.1, items 3 to 5. */
static int
id_from_maddr(struct dpt_node_id *id, const struct dpt_maddr *maddr)
{
	size_t bytes;

	if (maddr->media == DPT_MEDIA_ETH)
		bytes = 6;
	else if (maddr->media == DPT_MEDIA_UDP && maddr->proto == DPT_MADDR_PROTO_IPV4)
		bytes = 4;
	else if (maddr->media == DPT_MEDIA_UDP && maddr->proto == DPT_MADDR_PROTO_IPV6)
		bytes = 16;
	else
		return -EINVAL;
	memset(id, 0, sizeof(*id));
	memcpy(id->bytes, maddr->bytes, bytes);
	return dpt_node_id_is_zero(id) ? -EINVAL : 0;
}

static void
timer_restart(struct disc_bearer *bearer, uint64_t interval_ns, uint64_t now_ns)
{
	bearer->interval_ns = interval_ns;
	bearer->timer_ns = now_ns + interval_ns;
}

int
dpt_discovery_bearer_add(struct dpt_discovery *disc, uint8_t bearer_id,
			 const struct dpt_maddr *maddr, struct dpt_node_addr domain,
			 uint64_t now_ns, struct dpt_out *out)
{
	struct disc_bearer *bearer;

	if (bearer_id >= DPT_BEARERS_MAX)
		return -EINVAL;
	bearer = &disc->bearers[bearer_id];
	if (bearer->is_there)
		return -EEXIST;
	if (dpt_node_id_is_zero(&disc->id) && id_from_maddr(&disc->id, maddr) != 0)
		return -EINVAL;
	if (disc->own.value != 0) {
		if (!disc->is_final_told)
			disc_addr_final(disc, now_ns, out);
	} else if (disc->trial.value == 0 || disc->pause_end_ns != 0) {
		trial_start(disc, now_ns);
	} else {
		disc->trial_end_ns = now_ns + DISC_TRIAL_NS;
	}
	memset(bearer, 0, sizeof(*bearer));
	bearer->is_there = true;
	bearer->maddr = *maddr;
	bearer->domain = domain;
	timer_restart(bearer, DISC_INIT_NS, now_ns);
	send_template(disc, bearer_id, out);
	return 0;
}

/* The links on the bearer are deleted: nothing is known there any more. */
static void
links_forget(struct dpt_discovery *disc, uint8_t bearer_id)
{
	for (uint32_t i = 0; i < disc->peers_max; i++)
		disc->peers[i].links[bearer_id] = (struct disc_link){0};
	disc->bearers[bearer_id].links_up = 0;
}

void
dpt_discovery_bearer_del(struct dpt_discovery *disc, uint8_t bearer_id)
{
	if (bearer_id >= DPT_BEARERS_MAX)
		return;
	links_forget(disc, bearer_id);
	disc->bearers[bearer_id].is_there = false;
	disc->bearers[bearer_id].timer_ns = DPT_NEVER_NS;
}

void
dpt_discovery_bearer_reset(struct dpt_discovery *disc, uint8_t bearer_id,
			   const struct dpt_maddr *maddr, uint64_t now_ns, struct dpt_out *out)
{
	struct disc_bearer *bearer;

	if (bearer_id >= DPT_BEARERS_MAX || !disc->bearers[bearer_id].is_there)
		return;
	bearer = &disc->bearers[bearer_id];
	links_forget(disc, bearer_id);
	bearer->maddr = *maddr;
	if (disc->pause_end_ns != 0)
		trial_start(disc, now_ns);
	timer_restart(bearer, DISC_INIT_NS, now_ns);
	send_template(disc, bearer_id, out);
}

void
dpt_discovery_link_up(struct dpt_discovery *disc, struct dpt_node_addr peer, uint8_t bearer_id)
{
	struct disc_peer *rec = disc_peer_by_addr(disc, peer);

	if (rec == NULL || bearer_id >= DPT_BEARERS_MAX || !rec->links[bearer_id].is_there ||
	    rec->links[bearer_id].is_up)
		return;
	rec->links[bearer_id].is_up = true;
	disc->bearers[bearer_id].links_up++;
}

static void
link_is_down(struct dpt_discovery *disc, struct disc_peer *rec, uint8_t bearer_id)
{
	rec->links[bearer_id].is_up = false;
	DPT_ASSERT(disc->bearers[bearer_id].links_up > 0);
	disc->bearers[bearer_id].links_up--;
}

void
dpt_discovery_link_down(struct dpt_discovery *disc, struct dpt_node_addr peer, uint8_t bearer_id,
			uint64_t now_ns)
{
	struct disc_peer *rec = disc_peer_by_addr(disc, peer);
	struct disc_bearer *bearer;

	if (rec == NULL || bearer_id >= DPT_BEARERS_MAX || !rec->links[bearer_id].is_up)
		return;
	link_is_down(disc, rec, bearer_id);
	bearer = &disc->bearers[bearer_id];
	if (bearer->links_up == 0 &&
	    (bearer->interval_ns == 0 || bearer->interval_ns > DISC_FAST_NS))
		timer_restart(bearer, DISC_INIT_NS, now_ns);
}

void
dpt_discovery_peer_del(struct dpt_discovery *disc, struct dpt_node_addr peer)
{
	struct disc_peer *rec = disc_peer_by_addr(disc, peer);

	if (rec == NULL)
		return;
	for (uint8_t i = 0; i < DPT_BEARERS_MAX; i++)
		if (rec->links[i].is_up)
			link_is_down(disc, rec, i);
	disc_peer_del(disc, rec);
}

/* Src: 02-discovery.md, 4.3, "timer expiry", in this order. */
static void
bearer_timeout(struct dpt_discovery *disc, uint8_t bearer_id, uint64_t now_ns, struct dpt_out *out)
{
	struct disc_bearer *bearer = &disc->bearers[bearer_id];
	uint64_t longest_ns = bearer->links_up > 0 ? DISC_SLOW_NS : DISC_FAST_NS;

	if ((bearer->domain.value & 0xfff) != 0 && bearer->links_up > 0) {
		bearer->interval_ns = 0;
		bearer->timer_ns = DPT_NEVER_NS;
		return;
	}
	if (disc->pause_end_ns != 0)
		trial_start(disc, now_ns);
	if (disc->own.value == 0 && now_ns >= disc->trial_end_ns) {
		timer_restart(bearer, DISC_INIT_NS, now_ns);
		disc_addr_final(disc, now_ns, out);
		return;
	}
	if (disc->own.value == 0)
		timer_restart(bearer, DISC_INIT_NS, now_ns);
	else
		timer_restart(bearer, RTE_MIN(2 * bearer->interval_ns, longest_ns), now_ns);
	send_template(disc, bearer_id, out);
}

void
dpt_discovery_timeout(struct dpt_discovery *disc, uint64_t now_ns, struct dpt_out *out)
{
	for (uint8_t i = 0; i < DPT_BEARERS_MAX; i++)
		if (disc->bearers[i].timer_ns <= now_ns)
			bearer_timeout(disc, i, now_ns, out);
}

uint64_t
dpt_discovery_deadline_ns(const struct dpt_discovery *disc)
{
	uint64_t deadline_ns = DPT_NEVER_NS;

	for (uint32_t i = 0; i < DPT_BEARERS_MAX; i++)
		deadline_ns = RTE_MIN(deadline_ns, disc->bearers[i].timer_ns);
	return deadline_ns;
}

struct dpt_node_addr
dpt_discovery_addr(const struct dpt_discovery *disc)
{
	return disc->own;
}

const struct dpt_node_id *
dpt_discovery_id(const struct dpt_discovery *disc)
{
	return &disc->id;
}

uint16_t
dpt_discovery_cluster_caps(const struct dpt_discovery *disc)
{
	uint16_t caps = disc->caps;

	for (uint32_t i = 0; i < DISC_CAPS_CNT; i++)
		if (disc->caps_lack[i] > 0)
			caps &= (uint16_t) ~(1u << i);
	return caps;
}

int
dpt_discovery_print(const struct dpt_discovery *disc, char *text, size_t text_size)
{
	char id[DPT_NODE_ID_TEXT_BYTES];
	const char *state = "final";

	dpt_node_id_print(&disc->id, id);
	if (disc->pause_end_ns != 0)
		state = "given-up";
	else if (disc->own.value == 0)
		state = disc->trial.value != 0 ? "trial" : "none";
	return snprintf(text, text_size,
			"discovery addr %08x (%s, %u restarts) id %s net %u peers %u/%u caps %04x",
			disc->trial.value, state, disc->trial_restarts, id, disc->net_id,
			disc->peers_cnt, disc->peers_max, dpt_discovery_cluster_caps(disc));
}
