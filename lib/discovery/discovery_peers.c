/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of peers, found by address and by identity. Free records are a list through
 * next_free; the two hash tables hold indices, and the hash, so that removal can close
 * the gap without looking at the records.
 */
#include "discovery_priv.h"

#include <string.h>

static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint32_t
hash_addr(const struct dpt_discovery *disc, struct dpt_node_addr addr)
{
	return (uint32_t)(mix(disc->hash_key ^ addr.value) >> 32);
}

static uint32_t
hash_id(const struct dpt_discovery *disc, const struct dpt_node_id *id)
{
	uint64_t words[2];

	memcpy(words, id->bytes, sizeof(words));
	return (uint32_t)(mix(mix(disc->hash_key ^ words[0]) ^ words[1]) >> 32);
}

uint32_t
disc_hash_maddr(const struct dpt_discovery *disc, const struct dpt_maddr *maddr, uint32_t salt)
{
	uint64_t words[3] = {0};

	memcpy(words, maddr->bytes, sizeof(maddr->bytes));
	words[2] ^= (uint64_t)maddr->udp_port << 48 ^ (uint64_t)salt << 40;
	return (uint32_t)(mix(mix(mix(disc->hash_key ^ words[0]) ^ words[1]) ^ words[2]) >> 32);
}

/* At most half full, so that a search ends soon. */
uint32_t
disc_slots_cnt(uint32_t peers_max)
{
	uint32_t cnt = 4;

	while (cnt < 2 * peers_max)
		cnt *= 2;
	return cnt;
}

void
disc_peers_init(struct dpt_discovery *disc)
{
	disc->hash_key = dpt_rng_u64(disc->env.rng);
	disc->slots_mask = disc_slots_cnt(disc->peers_max) - 1;
	for (uint32_t i = 0; i < disc->peers_max; i++)
		disc->peers[i].next_free = i + 1 < disc->peers_max ? i + 2 : 0;
	disc->peers_free = disc->peers_max > 0 ? 1 : 0;
}

static void
slot_add(struct disc_slot *slots, uint32_t mask, uint32_t hash, uint32_t ref)
{
	uint32_t i = hash & mask;

	while (slots[i].ref != 0)
		i = (i + 1) & mask;
	slots[i] = (struct disc_slot){.hash = hash, .ref = ref};
}

/* Remove, then move up what would not be found any more behind the gap. */
static void
slot_del(struct disc_slot *slots, uint32_t mask, uint32_t hash, uint32_t ref)
{
	uint32_t gap = hash & mask;
	uint32_t i;

	while (slots[gap].ref != ref)
		gap = (gap + 1) & mask;
	for (i = (gap + 1) & mask; slots[i].ref != 0; i = (i + 1) & mask) {
		uint32_t home_dist = (i - slots[i].hash) & mask;

		if (home_dist >= ((i - gap) & mask)) {
			slots[gap] = slots[i];
			gap = i;
		}
	}
	slots[gap] = (struct disc_slot){0};
}

struct disc_peer *
disc_peer_by_addr(const struct dpt_discovery *disc, struct dpt_node_addr addr)
{
	uint32_t hash = hash_addr(disc, addr);
	uint32_t i = hash & disc->slots_mask;

	for (; disc->by_addr[i].ref != 0; i = (i + 1) & disc->slots_mask) {
		struct disc_peer *peer = &disc->peers[disc->by_addr[i].ref - 1];

		if (disc->by_addr[i].hash == hash && dpt_node_addr_eq(peer->addr, addr))
			return peer;
	}
	return NULL;
}

struct disc_peer *
disc_peer_by_id(const struct dpt_discovery *disc, const struct dpt_node_id *id)
{
	uint32_t hash = hash_id(disc, id);
	uint32_t i = hash & disc->slots_mask;

	for (; disc->by_id[i].ref != 0; i = (i + 1) & disc->slots_mask) {
		struct disc_peer *peer = &disc->peers[disc->by_id[i].ref - 1];

		if (disc->by_id[i].hash == hash && dpt_node_id_eq(&peer->id, id))
			return peer;
	}
	return NULL;
}

static uint32_t
peer_ref(const struct dpt_discovery *disc, const struct disc_peer *peer)
{
	return (uint32_t)(peer - disc->peers) + 1;
}

static void
id_drop(struct dpt_discovery *disc, struct disc_peer *peer)
{
	if (dpt_node_id_is_zero(&peer->id))
		return;
	slot_del(disc->by_id, disc->slots_mask, hash_id(disc, &peer->id), peer_ref(disc, peer));
	memset(&peer->id, 0, sizeof(peer->id));
}

void
disc_peer_id_set(struct dpt_discovery *disc, struct disc_peer *peer, const struct dpt_node_id *id)
{
	struct disc_peer *other = disc_peer_by_id(disc, id);

	if (other == peer)
		return;
	if (other != NULL)
		id_drop(disc, other);
	id_drop(disc, peer);
	peer->id = *id;
	slot_add(disc->by_id, disc->slots_mask, hash_id(disc, id), peer_ref(disc, peer));
}

static void
caps_count(struct dpt_discovery *disc, uint16_t caps, int step)
{
	for (uint32_t i = 0; i < DISC_CAPS_CNT; i++)
		if ((caps & 1u << i) == 0)
			disc->caps_lack[i] += (uint32_t)step;
}

void
disc_peer_caps_set(struct dpt_discovery *disc, struct disc_peer *peer, uint16_t caps)
{
	caps_count(disc, peer->caps, -1);
	peer->caps = caps;
	caps_count(disc, peer->caps, 1);
}

struct disc_peer *
disc_peer_create(struct dpt_discovery *disc, struct dpt_node_addr addr,
		 const struct dpt_node_id *id, uint16_t caps)
{
	struct disc_peer *peer;

	if (disc->peers_free == 0)
		return NULL;
	peer = &disc->peers[disc->peers_free - 1];
	disc->peers_free = peer->next_free;
	*peer = (struct disc_peer){.addr = addr, .caps = caps};
	caps_count(disc, caps, 1);
	slot_add(disc->by_addr, disc->slots_mask, hash_addr(disc, addr), peer_ref(disc, peer));
	disc_peer_id_set(disc, peer, id);
	disc->peers_cnt++;
	return peer;
}

void
disc_peer_del(struct dpt_discovery *disc, struct disc_peer *peer)
{
	uint32_t ref = peer_ref(disc, peer);

	id_drop(disc, peer);
	slot_del(disc->by_addr, disc->slots_mask, hash_addr(disc, peer->addr), ref);
	caps_count(disc, peer->caps, -1);
	*peer = (struct disc_peer){.next_free = disc->peers_free};
	disc->peers_free = ref;
	disc->peers_cnt--;
}

bool
disc_peer_is_up(const struct disc_peer *peer)
{
	for (uint32_t i = 0; i < DPT_BEARERS_MAX; i++)
		if (peer->links[i].is_up)
			return true;
	return false;
}

uint32_t
disc_peer_links_cnt(const struct disc_peer *peer)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < DPT_BEARERS_MAX; i++)
		cnt += peer->links[i].is_there;
	return cnt;
}
