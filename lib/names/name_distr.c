/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Distribution of the name table, sender's side and peers: 04-name-table.md, 4, 7.1, 7.2,
 * 12.1. Receiver's side: name_distr_rx.c.
 *
 * Timers: one deadline, when updates that are held back for a bulk go anyway, or when a
 * withdrawal that found the pool empty is tried again.
 */
#include "dpt_name_distr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "distr_priv.h"
#include "dpt_msg.h"
#include "dpt_records.h"
#include "dpt_time.h"

/*
 * An update waits at most this many times hold_ns_max, whoever joins meanwhile: a peer whose
 * link flaps must not silence us for good. Our choice.
 */
#define DISTR_HOLDS_MAX 4

/* A withdrawal without a buffer is tried again after this time. Our choice. */
#define DISTR_RETRY_NS (10 * DPT_NS_PER_MS)

struct distr_layout {
	size_t owns_hash_cnt;
	size_t peers_hash_cnt;
	size_t owns_hash;
	size_t peers_hash;
	size_t owns;
	size_t peers;
	size_t bytes;
};

static struct distr_layout
distr_layout(const struct dpt_distr_cfg *cfg)
{
	struct distr_layout l = {0};

	l.owns_hash_cnt = names_pow2(cfg->bindings_max);
	l.peers_hash_cnt = names_pow2(cfg->peers_max);
	l.owns_hash = names_align(sizeof(struct dpt_distr));
	l.peers_hash = names_align(l.owns_hash + l.owns_hash_cnt * sizeof(void *));
	l.owns = names_align(l.peers_hash + l.peers_hash_cnt * sizeof(void *));
	l.peers = names_align(l.owns + (size_t)cfg->bindings_max * sizeof(struct distr_own));
	l.bytes = names_align(l.peers + (size_t)cfg->peers_max * sizeof(struct distr_peer));
	return l;
}

size_t
dpt_distr_size(const struct dpt_distr_cfg *cfg)
{
	return distr_layout(cfg).bytes;
}

void
dpt_distr_init(struct dpt_distr *distr, const struct dpt_distr_cfg *cfg)
{
	struct distr_layout l = distr_layout(cfg);
	uint8_t *base = (uint8_t *)distr;
	struct distr_own *owns = (struct distr_own *)(base + l.owns);
	struct distr_peer *peers = (struct distr_peer *)(base + l.peers);
	uint32_t i;

	memset(distr, 0, l.owns);
	distr->cfg = *cfg;
	distr->seed = dpt_rng_u64(cfg->env.rng);
	distr->held_since_ns = DPT_NEVER_NS;
	distr->owns_mask = l.owns_hash_cnt - 1;
	distr->peers_mask = l.peers_hash_cnt - 1;
	distr->owns_hash = (struct distr_own **)(base + l.owns_hash);
	distr->peers_hash = (struct distr_peer **)(base + l.peers_hash);
	distr->retry_ns = DPT_NEVER_NS;
	TAILQ_INIT(&distr->owns);
	TAILQ_INIT(&distr->late);
	TAILQ_INIT(&distr->holds);
	TAILQ_INIT(&distr->ups);
	for (i = cfg->bindings_max; i-- > 0;) {
		owns[i].next = distr->owns_free;
		distr->owns_free = &owns[i];
	}
	for (i = cfg->peers_max; i-- > 0;) {
		peers[i].next = distr->peers_free;
		distr->peers_free = &peers[i];
	}
}

void
dpt_distr_fini(struct dpt_distr *distr)
{
	struct dpt_names_counters *counters = distr->cfg.counters;
	struct distr_peer *peer;

	TAILQ_FOREACH (peer, &distr->ups, up)
		distr_waiting_free(distr, peer, &counters->drop_stopped);
	counters->drop_stopped += dpt_bufq_free(&distr->tx);
	counters->drop_stopped += dpt_bufq_free(&distr->ready);
}

void
dpt_distr_own_set(struct dpt_distr *distr, struct dpt_node_addr own)
{
	distr->own = own;
}

static struct distr_own **
own_slot(const struct dpt_distr *distr, const struct dpt_binding *b)
{
	uint64_t h = names_hash(distr->seed, b->range.type, b->range.lower, b->range.upper);

	return &distr->owns_hash[names_hash(h, b->port.ref, b->key, 5) & distr->owns_mask];
}

static struct distr_own *
own_find(const struct dpt_distr *distr, const struct dpt_binding *b)
{
	struct distr_own *own = *own_slot(distr, b);

	while (own != NULL &&
	       (own->range.type != b->range.type || own->range.lower != b->range.lower ||
		own->range.upper != b->range.upper || own->port.ref != b->port.ref ||
		own->key != b->key))
		own = own->next;
	return own;
}

static void
item_write(struct rte_mbuf *m, uint32_t offset, const struct distr_own *own)
{
	struct dpt_name_item item = {
		.type = own->range.type,
		.lower = own->range.lower,
		.upper = own->range.upper,
		.port = own->port,
		.key = own->key,
	};
	uint8_t raw[DPT_NAME_ITEM_BYTES];

	dpt_name_item_encode(&item, raw);
	dpt_buf_write(m, offset, raw, sizeof(raw));
}

/* A message with room for items_cnt items. NULL when the pool is empty. */
static struct rte_mbuf *
msg_new(struct dpt_distr *distr, uint32_t type, uint32_t items_cnt, struct dpt_node_addr dest)
{
	struct rte_mbuf *m =
		dpt_msg_alloc(distr->cfg.env.pool, DPT_USER_NAME_DISTRIBUTOR, type,
			      DPT_HDR_INTERNAL, items_cnt * DPT_NAME_ITEM_BYTES, distr->own, dest);

	if (m != NULL) {
		dpt_buf(m)->importance = DPT_IMPORTANCE_SYSTEM;
		dpt_msg_set_non_legacy(dpt_buf_hdr(m), 1);
	}
	return m;
}

/* Draw a number and append the update about own to the queue. Returns 0 or -ENOBUFS. */
static int
update_add(struct dpt_distr *distr, uint32_t type, const struct distr_own *own)
{
	struct rte_mbuf *m = msg_new(distr, type, 1, dpt_node_addr(0));

	if (m == NULL)
		return -ENOBUFS;
	dpt_msg_set_named_seqno(dpt_buf_hdr(m), distr->snd_nxt & UINT16_MAX);
	item_write(m, DPT_HDR_INTERNAL, own);
	distr->snd_nxt++;
	dpt_bufq_push(&distr->tx, m);
	return 0;
}

int
dpt_distr_publish(struct dpt_distr *distr, const struct dpt_binding *binding)
{
	struct distr_own *own = distr->owns_free;
	struct distr_own **slot;

	if (own == NULL)
		return -ENOSPC;
	/* Withdrawals are bounded by the bindings; only storms of new ones need a bound. */
	if (distr->tx.cnt >= distr->cfg.queue_msgs_max)
		return -ENOBUFS;
	distr->owns_free = own->next;
	own->range = binding->range;
	own->port = binding->port;
	own->key = binding->key;
	if (update_add(distr, DPT_TYPE_PUBLICATION, own) < 0) {
		own->next = distr->owns_free;
		distr->owns_free = own;
		return -ENOBUFS;
	}
	slot = own_slot(distr, binding);
	own->next = *slot;
	*slot = own;
	TAILQ_INSERT_TAIL(&distr->owns, own, entry);
	distr->owns_cnt++;
	return 0;
}

static void
own_free(struct dpt_distr *distr, struct distr_own *own)
{
	own->next = distr->owns_free;
	distr->owns_free = own;
}

void
dpt_distr_withdraw(struct dpt_distr *distr, const struct dpt_binding *binding)
{
	struct distr_own *own = own_find(distr, binding);
	struct distr_own **slot = own_slot(distr, binding);

	DPT_ASSERT(own != NULL); /* the caller took it out of the table just now */
	while (*slot != own)
		slot = &(*slot)->next;
	*slot = own->next;
	TAILQ_REMOVE(&distr->owns, own, entry);
	distr->owns_cnt--;
	if (update_add(distr, DPT_TYPE_WITHDRAWAL, own) == 0) {
		own_free(distr, own);
		return;
	}
	/* The record keeps its place until there is a buffer: a name must not stay behind. */
	TAILQ_INSERT_TAIL(&distr->late, own, entry);
}

/* Queue the withdrawals that found the pool empty. They commute with all other updates. */
static void
late_add(struct dpt_distr *distr, uint64_t now_ns)
{
	struct distr_own *own;

	distr->retry_ns = DPT_NEVER_NS;
	while ((own = TAILQ_FIRST(&distr->late)) != NULL) {
		if (update_add(distr, DPT_TYPE_WITHDRAWAL, own) < 0) {
			distr->retry_ns = now_ns + DISTR_RETRY_NS;
			return;
		}
		TAILQ_REMOVE(&distr->late, own, entry);
		own_free(distr, own);
	}
}

static void
hold_end(struct dpt_distr *distr, struct distr_peer *peer)
{
	if (!peer->is_held)
		return;
	peer->is_held = false;
	TAILQ_REMOVE(&distr->holds, peer, hold);
}

/* End of the time for which the present updates may be held back. */
static uint64_t
hold_limit_ns(const struct dpt_distr *distr)
{
	if (distr->held_since_ns == DPT_NEVER_NS)
		return DPT_NEVER_NS;
	return distr->held_since_ns + DISTR_HOLDS_MAX * distr->cfg.hold_ns_max;
}

static bool
is_holding(struct dpt_distr *distr, uint64_t now_ns)
{
	struct distr_peer *peer = TAILQ_FIRST(&distr->holds);

	while (peer != NULL && (peer->hold_until_ns <= now_ns || hold_limit_ns(distr) <= now_ns)) {
		hold_end(distr, peer);
		distr->cfg.counters->holds_expired++;
		peer = TAILQ_FIRST(&distr->holds);
	}
	return peer != NULL;
}

struct rte_mbuf *
dpt_distr_tx_pop(struct dpt_distr *distr, uint64_t now_ns)
{
	struct rte_mbuf *m;
	uint8_t *hdr;

	late_add(distr, now_ns);
	if (distr->tx.cnt == 0)
		return NULL;
	if (is_holding(distr, now_ns)) {
		if (distr->held_since_ns == DPT_NEVER_NS)
			distr->held_since_ns = now_ns;
		return NULL;
	}
	distr->held_since_ns = DPT_NEVER_NS;
	m = dpt_bufq_pop(&distr->tx);
	/* The own address may have become known since the number was drawn. */
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_prevnode(hdr, distr->own.value);
	dpt_msg_set_orignode(hdr, distr->own.value);
	distr->cfg.counters->updates_sent++;
	return m;
}

uint32_t
dpt_distr_drawn(const struct dpt_distr *distr)
{
	return distr->snd_nxt - 1;
}

uint32_t
dpt_distr_popped(const struct dpt_distr *distr)
{
	return distr->snd_nxt - 1 - distr->tx.cnt;
}

bool
dpt_distr_is_bcast(const struct dpt_distr *distr)
{
	return distr->legacy_cnt == 0;
}

uint64_t
dpt_distr_deadline_ns(const struct dpt_distr *distr)
{
	const struct distr_peer *last = TAILQ_LAST(&distr->holds, distr_peers);
	uint64_t limit_ns = hold_limit_ns(distr);

	if (distr->tx.cnt == 0 || last == NULL)
		return distr->retry_ns;
	if (last->hold_until_ns < limit_ns)
		limit_ns = last->hold_until_ns;
	return distr->retry_ns < limit_ns ? distr->retry_ns : limit_ns;
}

/* The bulk for peer: 7.2. Returns 0; -ENOBUFS: q is empty. */
static int
bulk_build(struct dpt_distr *distr, struct dpt_node_addr peer, uint32_t items_max,
	   struct dpt_bufq *q)
{
	const struct distr_own *own = TAILQ_FIRST(&distr->owns);
	uint32_t left = distr->owns_cnt;

	do {
		uint32_t cnt = left < items_max ? left : items_max;
		struct rte_mbuf *m = msg_new(distr, DPT_TYPE_PUBLICATION, cnt, peer);
		uint8_t *hdr;

		if (m == NULL) {
			distr->cfg.counters->drop_no_buffer += dpt_bufq_free(q);
			return -ENOBUFS;
		}
		hdr = dpt_buf_hdr(m);
		dpt_msg_set_bulk(hdr, 1);
		dpt_msg_set_bc_ack_invalid(hdr, 1);
		for (uint32_t i = 0; i < cnt; i++, own = TAILQ_NEXT(own, entry))
			item_write(m, DPT_HDR_INTERNAL + i * DPT_NAME_ITEM_BYTES, own);
		left -= cnt;
		if (left == 0) {
			dpt_msg_set_last_bulk(hdr, 1);
			dpt_msg_set_named_seqno(hdr, distr->snd_nxt & UINT16_MAX);
		}
		dpt_bufq_push(q, m);
	} while (left > 0);
	return 0;
}

static struct distr_peer **
peer_slot(const struct dpt_distr *distr, struct dpt_node_addr addr)
{
	return &distr->peers_hash[names_hash(distr->seed, addr.value, 0, 6) & distr->peers_mask];
}

struct distr_peer *
distr_peer_find(const struct dpt_distr *distr, struct dpt_node_addr addr)
{
	struct distr_peer *peer = *peer_slot(distr, addr);

	while (peer != NULL && peer->addr.value != addr.value)
		peer = peer->next;
	return peer;
}

static struct distr_peer *
peer_new(struct dpt_distr *distr, struct dpt_node_addr addr, uint16_t caps)
{
	struct distr_peer **slot = peer_slot(distr, addr);
	struct distr_peer *peer = distr->peers_free;

	distr->peers_free = peer->next;
	memset(peer, 0, sizeof(*peer));
	peer->addr = addr;
	peer->is_legacy = (caps & DPT_CAP_NAMED_BCAST) == 0;
	distr->legacy_cnt += peer->is_legacy;
	peer->next = *slot;
	*slot = peer;
	TAILQ_INSERT_TAIL(&distr->ups, peer, up);
	distr->peers_cnt++;
	return peer;
}

int
dpt_distr_peer_up(struct dpt_distr *distr, struct dpt_node_addr peer, uint16_t caps, uint32_t mss,
		  uint64_t now_ns, struct dpt_bufq *q)
{
	uint32_t items_max;
	struct distr_peer *rec;
	struct dpt_bufq bulk;

	/* The smallest link MTU holds many items. */
	DPT_ASSERT(mss >= DPT_HDR_INTERNAL + DPT_NAME_ITEM_BYTES);
	items_max = (mss - DPT_HDR_INTERNAL) / DPT_NAME_ITEM_BYTES;
	if (items_max > DPT_PAYLOAD_BYTES_MAX / DPT_NAME_ITEM_BYTES)
		items_max = DPT_PAYLOAD_BYTES_MAX / DPT_NAME_ITEM_BYTES;
	dpt_distr_peer_down(distr, peer);
	if (distr->peers_free == NULL)
		return -ENOSPC;
	dpt_bufq_init(&bulk);
	if (bulk_build(distr, peer, items_max, &bulk) < 0)
		return -ENOBUFS;
	dpt_bufq_splice(q, &bulk);
	rec = peer_new(distr, peer, caps);
	rec->is_held = true;
	rec->hold_until_ns = now_ns + distr->cfg.hold_ns_max;
	TAILQ_INSERT_TAIL(&distr->holds, rec, hold);
	distr->cfg.counters->bulks_sent++;
	return 0;
}

void
dpt_distr_bulk_done(struct dpt_distr *distr, struct dpt_node_addr peer)
{
	struct distr_peer *rec = distr_peer_find(distr, peer);

	if (rec != NULL)
		hold_end(distr, rec);
}

void
dpt_distr_peer_down(struct dpt_distr *distr, struct dpt_node_addr peer)
{
	struct distr_peer *rec = distr_peer_find(distr, peer);
	uint64_t *counter = &distr->cfg.counters->drop_peer_down;
	struct distr_peer **slot;
	struct dpt_bufq keep;
	struct rte_mbuf *m;

	if (rec == NULL)
		return;
	distr_waiting_free(distr, rec, counter);
	/* What is in order but not applied yet would come after the purge of its node. */
	dpt_bufq_init(&keep);
	while ((m = dpt_bufq_pop(&distr->ready)) != NULL) {
		if (dpt_msg_orignode(dpt_buf_hdr(m)) != peer.value) {
			dpt_bufq_push(&keep, m);
			continue;
		}
		rte_pktmbuf_free(m);
		(*counter)++;
	}
	distr->ready = keep;
	hold_end(distr, rec);
	distr->legacy_cnt -= rec->is_legacy;
	distr->overflown_cnt -= rec->is_out_of_step && !rec->is_reported;
	TAILQ_REMOVE(&distr->ups, rec, up);
	distr->peers_cnt--;
	slot = peer_slot(distr, peer);
	while (*slot != rec)
		slot = &(*slot)->next;
	*slot = rec->next;
	rec->next = distr->peers_free;
	distr->peers_free = rec;
}

int
dpt_distr_print(const struct dpt_distr *distr, char *text, size_t text_size)
{
	return snprintf(text, text_size,
			"distr own %08x next %u bindings %u peers %u legacy %u tx %u%s waiting %u "
			"ready %u",
			distr->own.value, distr->snd_nxt, distr->owns_cnt, distr->peers_cnt,
			distr->legacy_cnt, distr->tx.cnt, TAILQ_EMPTY(&distr->holds) ? "" : " held",
			distr->waiting_cnt, distr->ready.cnt);
}
