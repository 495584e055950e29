/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Received LINK_CONFIG messages: 02-discovery.md, 4.4, 4.5 and 5. Each step returns the
 * counter that tells what became of the message, or NULL to go on.
 */
#include "discovery_priv.h"

#include "dpt_assert.h"
#include "dpt_mutant.h"

/* What the table of 4.5 orders. "Reset" comes with "accept" in each row that has it. */
#define ROW_STORE   0x01 /* store signature */
#define ROW_ACCEPT  0x02
#define ROW_RESPOND 0x04
#define ROW_DUP	    0x08 /* duplicate alarm */

/* Index: signature equal 4, address equal 2, link up 1. */
static const uint8_t rows[8] = {
	[0] = ROW_STORE | ROW_ACCEPT | ROW_RESPOND, /* new, or rebooted with another address */
	[1] = ROW_DUP,			/* rebooted with other address, or a duplicate */
	[2] = ROW_STORE | ROW_RESPOND,	/* rebooted */
	[3] = ROW_STORE,		/* rebooted */
	[4] = ROW_ACCEPT | ROW_RESPOND, /* address changed, or first on this bearer */
	[5] = ROW_DUP,			/* address changed, or a clone */
	[6] = ROW_RESPOND,		/* link on its way up */
	[7] = 0,			/* normal repetition */
};

/* One received message on its way through the steps. */
struct rx {
	struct dpt_discovery *disc;
	uint8_t bearer_id;
	struct disc_bearer *bearer;
	struct dpt_link_config msg;
	uint64_t now_ns;
	struct dpt_out *out;
};

static void
refuse(struct rx *rx, enum dpt_refusal reason)
{
	struct dpt_refused_peer peer = {
		.addr = rx->msg.prevnode,
		.id = rx->msg.id,
		.maddr = rx->msg.maddr,
		.net_id = rx->msg.net_id,
		.bearer_id = rx->bearer_id,
		.reason = (uint8_t)reason,
	};
	struct dpt_event *event;

	if (!disc_refused_note(rx->disc, &peer, rx->now_ns))
		return;
	event = dpt_out_event(rx->out, reason == DPT_REFUSAL_DUPLICATE ? DPT_EVENT_DUPLICATE
								       : DPT_EVENT_REFUSED);
	event->bearer_id = rx->bearer_id;
	event->reason = (uint8_t)reason;
	event->node = peer.addr;
	event->id = peer.id;
	event->maddr = peer.maddr;
	event->value = peer.net_id;
}

/* An answer to the media address in the message, if the limits allow it. */
static void
answer(struct rx *rx, enum dpt_disc_type type, struct dpt_node_addr suggested)
{
	struct dpt_discovery *disc = rx->disc;
	uint32_t hash = disc_hash_maddr(disc, &rx->msg.maddr, type) | 1;
	struct disc_answered *last = &rx->bearer->answered[(hash >> 1) % DISC_ANSWERED_CNT];
	struct dpt_link_config msg = {
		.type = (uint8_t)type,
		.dest_domain = rx->msg.prevnode,
		.suggested = suggested,
	};

	if ((last->hash == hash && rx->now_ns - last->last_ns < DISC_ANSWER_GAP_NS) ||
	    !disc_limit_take(&rx->bearer->answers_ns, rx->now_ns, DISC_ANSWER_PERIOD_NS,
			     DISC_ANSWER_BURST)) {
		disc->counters->tx_limited++;
		return;
	}
	*last = (struct disc_answered){.hash = hash, .last_ns = rx->now_ns};
	disc_send(disc, rx->bearer_id, &msg, &rx->msg.maddr, rx->out);
}

/*
 * S(X) of 5.3: wanted address XOR own random, moved on while it is in use. Ends: no more
 * than peers_max addresses are known.
 */
static struct dpt_node_addr
suggestion(const struct dpt_discovery *disc, struct dpt_node_addr wanted)
{
	struct dpt_node_addr addr = dpt_node_addr(wanted.value ^ disc->random);

	while (addr.value == 0 || dpt_node_addr_eq(addr, disc->trial) ||
	       disc_peer_by_addr(disc, addr) != NULL)
		addr.value++;
	return addr;
}

/* Somebody asks whether an address is in use: 5.3. */
static void
trial_answer(struct rx *rx)
{
	struct dpt_discovery *disc = rx->disc;
	struct dpt_node_addr wanted = rx->msg.prevnode;
	const struct disc_peer *peer = disc_peer_by_addr(disc, wanted);
	struct dpt_node_addr suggested;

	if (peer != NULL) {
		if (dpt_node_id_eq(&peer->id, &rx->msg.id))
			return;
		suggested = suggestion(disc, wanted);
	} else if ((peer = disc_peer_by_id(disc, &rx->msg.id)) != NULL) {
		suggested = peer->addr;
	} else if (dpt_node_addr_eq(wanted, disc->trial)) {
		suggested = suggestion(disc, wanted);
	} else {
		return;
	}
	disc_trace(disc, rx->now_ns, DISC_TRACE_TRIAL_CONFLICT, 0, wanted, suggested.value);
	answer(rx, DPT_TYPE_DSC_TRIAL_FAIL, suggested);
}

static uint64_t *
trial_fail(struct rx *rx)
{
	struct dpt_discovery *disc = rx->disc;
	struct dpt_node_addr suggested = rx->msg.suggested;

	if (disc->own.value != 0 || !dpt_node_addr_eq(rx->msg.dest_domain, disc->trial))
		return &disc->counters->drop_trial_fail;
	if (suggested.value == 0 || dpt_node_addr_eq(suggested, disc->trial) ||
	    disc_peer_by_addr(disc, suggested) != NULL)
		return &disc->counters->drop_suggestion;
	disc_trial_restart(disc, suggested, rx->now_ns, rx->out);
	return &disc->counters->rx_used;
}

/* Step 5 of 4.4 with the table of 5.2. */
static uint64_t *
rx_trial(struct rx *rx)
{
	struct dpt_discovery *disc = rx->disc;
	bool was_final = disc->own.value != 0;

	/* Given up: no address is claimed and nothing is answered. */
	if (disc->pause_end_ns != 0)
		return &disc->counters->drop_in_trial;
	if (!was_final && rx->now_ns >= disc->trial_end_ns)
		disc_addr_final(disc, rx->now_ns, rx->out);
	if (rx->msg.type == DPT_TYPE_DSC_TRIAL_FAIL)
		return trial_fail(rx);
	if (rx->msg.type == DPT_TYPE_DSC_TRIAL) {
		trial_answer(rx);
		return &disc->counters->rx_used;
	}
	return was_final ? NULL : &disc->counters->drop_in_trial;
}

/* "Domain includes address": 4.4, step 7. */
static bool
domain_includes(const struct dpt_discovery *disc, struct dpt_node_addr domain,
		struct dpt_node_addr addr)
{
	if (domain.value == 0 || dpt_node_addr_eq(domain, addr))
		return true;
	return disc->is_legacy && (domain.value == (addr.value & 0xfffff000) ||
				   domain.value == (addr.value & 0xff000000));
}

/* Steps 3 and 4 and hazard 6: is the message for us at all? */
static uint64_t *
rx_own(struct rx *rx)
{
	struct dpt_discovery *disc = rx->disc;

	if (dpt_maddr_eq(&rx->msg.maddr, &rx->bearer->maddr))
		return &disc->counters->drop_own;
	if (rx->msg.net_id != disc->net_id) {
		refuse(rx, DPT_REFUSAL_NET_ID);
		return &disc->counters->drop_net_id;
	}
	if (dpt_node_id_eq(&rx->msg.id, &disc->id)) {
		/* Our own message over another bearer, or a clone with another address. */
		if (disc->own.value != 0 && rx->msg.type <= DPT_TYPE_DSC_RESP &&
		    !dpt_node_addr_eq(rx->msg.prevnode, disc->own))
			refuse(rx, DPT_REFUSAL_DUPLICATE);
		return &disc->counters->drop_own;
	}
	return NULL;
}

/* Steps 6 and 7, and the capabilities without which broadcast does not work. */
static uint64_t *
rx_scope(struct rx *rx)
{
	struct dpt_discovery *disc = rx->disc;

	if (dpt_node_addr_eq(rx->msg.prevnode, disc->own)) {
		refuse(rx, DPT_REFUSAL_DUPLICATE);
		return &disc->counters->drop_own_addr;
	}
	if (!domain_includes(disc, rx->msg.dest_domain, disc->own) ||
	    (!domain_includes(disc, rx->bearer->domain, rx->msg.prevnode) &&
	     !DPT_MUTANT(domain_ignored))) {
		refuse(rx, DPT_REFUSAL_DOMAIN);
		return &disc->counters->drop_domain;
	}
	if ((rx->msg.caps & DISC_CAPS_NEEDED) != DISC_CAPS_NEEDED) {
		refuse(rx, DPT_REFUSAL_CAPS);
		return &disc->counters->drop_caps;
	}
	return NULL;
}

static uint64_t *
peer_new(struct rx *rx, struct disc_peer **peer)
{
	struct dpt_discovery *disc = rx->disc;

	if (disc->peers_cnt == disc->peers_max) {
		refuse(rx, DPT_REFUSAL_TABLE_FULL);
		return &disc->counters->drop_table_full;
	}
	if (!disc_limit_take(&disc->create_ns, rx->now_ns, DISC_CREATE_PERIOD_NS,
			     DISC_CREATE_BURST)) {
		refuse(rx, DPT_REFUSAL_TABLE_FULL);
		return &disc->counters->drop_create_rate;
	}
	*peer = disc_peer_create(disc, rx->msg.prevnode, &rx->msg.id, rx->msg.caps);
	DPT_ASSERT(*peer != NULL);
	disc->counters->peers_created++;
	disc_trace(disc, rx->now_ns, DISC_TRACE_PEER_NEW, rx->msg.caps, rx->msg.prevnode, 0);
	return NULL;
}

/*
 * The record of the sender. Address and identity that belong to different records, or
 * that are half known, are an impostor while one of those records has a link up; else a
 * node that came back with another address or identity, which is believed.
 */
static uint64_t *
peer_find(struct rx *rx, struct disc_peer **peer)
{
	struct dpt_discovery *disc = rx->disc;
	struct disc_peer *by_addr = disc_peer_by_addr(disc, rx->msg.prevnode);
	struct disc_peer *by_id = disc_peer_by_id(disc, &rx->msg.id);

	*peer = by_addr;
	if (by_addr != NULL && by_addr == by_id)
		return NULL;
	if ((by_addr != NULL && disc_peer_is_up(by_addr)) ||
	    (by_id != NULL && disc_peer_is_up(by_id))) {
		refuse(rx, DPT_REFUSAL_DUPLICATE);
		return &disc->counters->drop_duplicate;
	}
	if (by_addr == NULL)
		return peer_new(rx, peer);
	disc_peer_id_set(disc, by_addr, &rx->msg.id);
	return NULL;
}

/* "accept" of 4.5. A peer has two links at most; the answer is sent nevertheless. */
static void
accept_link(struct rx *rx, struct disc_peer *peer)
{
	struct disc_link *link = &peer->links[rx->bearer_id];
	struct dpt_event *event;

	if (!link->is_there && disc_peer_links_cnt(peer) >= DPT_LINKS_PER_NODE_MAX) {
		rx->disc->counters->links_max++;
		return;
	}
	disc_trace(rx->disc, rx->now_ns, DISC_TRACE_LINK_SETUP, rx->bearer_id, peer->addr,
		   link->is_there);
	event = dpt_out_event(rx->out, DPT_EVENT_LINK_SETUP);
	event->node = peer->addr;
	event->id = peer->id;
	event->bearer_id = rx->bearer_id;
	event->maddr = rx->msg.maddr;
	event->value = peer->caps;
	event->flags = link->is_there ? DPT_EVENT_F_RESET : 0;
	link->is_there = true;
	link->maddr = rx->msg.maddr;
}

/* Step 8: the table of 4.5. */
static uint64_t *
rx_peer(struct rx *rx, struct disc_peer *peer)
{
	struct dpt_discovery *disc = rx->disc;
	const struct disc_link *link = &peer->links[rx->bearer_id];
	bool sign = peer->has_signature && peer->signature == rx->msg.signature;
	bool addr = link->is_there && dpt_maddr_eq(&link->maddr, &rx->msg.maddr);
	uint8_t row = rows[(uint32_t)sign << 2 | (uint32_t)addr << 1 | (uint32_t)link->is_up];

	if ((row & ROW_DUP) != 0) {
		refuse(rx, DPT_REFUSAL_DUPLICATE);
		return &disc->counters->drop_duplicate;
	}
	if (peer->caps != rx->msg.caps) {
		struct dpt_event *event = dpt_out_event(rx->out, DPT_EVENT_CAPS);

		disc_peer_caps_set(disc, peer, rx->msg.caps);
		event->node = peer->addr;
		event->value = peer->caps;
	}
	if ((row & ROW_STORE) != 0) {
		peer->signature = rx->msg.signature;
		peer->has_signature = true;
	}
	if ((row & ROW_ACCEPT) != 0)
		accept_link(rx, peer);
	if ((row & ROW_RESPOND) != 0 && rx->msg.type == DPT_TYPE_DSC_REQ)
		answer(rx, DPT_TYPE_DSC_RESP, dpt_node_addr(0));
	return &disc->counters->rx_used;
}

static uint64_t *
rx_msg(struct rx *rx, struct rte_mbuf *m)
{
	struct dpt_discovery *disc = rx->disc;
	struct disc_peer *peer = NULL;
	uint64_t *verdict;

	/* UDP: a bearer speaks IPv4 or IPv6, never both. Src: 02-discovery.md, 6. */
	if (dpt_link_config_parse(&rx->msg, m, rx->bearer->maddr.media) != 0 ||
	    rx->msg.maddr.proto != rx->bearer->maddr.proto || rx->msg.prevnode.value == 0) {
		rx->msg = (struct dpt_link_config){
			.prevnode = dpt_node_addr(dpt_msg_prevnode(dpt_buf_hdr(m))),
			.net_id = dpt_msg_net_id(dpt_buf_hdr(m)),
		};
		refuse(rx, DPT_REFUSAL_MALFORMED);
		return &disc->counters->drop_malformed;
	}
	verdict = rx_own(rx);
	if (verdict == NULL)
		verdict = rx_trial(rx);
	if (verdict == NULL)
		verdict = rx_scope(rx);
	if (verdict == NULL)
		verdict = peer_find(rx, &peer);
	return verdict != NULL ? verdict : rx_peer(rx, peer);
}

void
dpt_discovery_rx(struct dpt_discovery *disc, uint8_t bearer_id, struct rte_mbuf *m, uint64_t now_ns,
		 struct dpt_out *out)
{
	struct rx rx = {
		.disc = disc,
		.bearer_id = bearer_id,
		.now_ns = now_ns,
		.out = out,
	};

	disc->counters->rx_msgs++;
	if (bearer_id >= DPT_BEARERS_MAX || !disc->bearers[bearer_id].is_there) {
		disc->counters->drop_no_bearer++;
	} else {
		rx.bearer = &disc->bearers[bearer_id];
		(*rx_msg(&rx, m))++;
	}
	rte_pktmbuf_free(m);
}
