/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Peers of the send link by address: linear probing, at most half full, with a key
 * drawn at init. A peer keeps its index, which is its column in the matrix of needs.
 */
#include "bcast_priv.h"

static uint32_t
hash_addr(const struct dpt_bcast_snd *snd, struct dpt_node_addr addr)
{
	struct dpt_rng rng;

	dpt_rng_seed(&rng, snd->hash_key ^ addr.value);
	return dpt_rng_u32(&rng);
}

uint32_t
snd_slots_cnt(uint32_t peers_max)
{
	uint32_t cnt = 4;

	while (cnt < 2 * peers_max)
		cnt *= 2;
	return cnt;
}

void
snd_peers_init(struct dpt_bcast_snd *snd)
{
	snd->hash_key = dpt_rng_u64(snd->env.rng);
	snd->slots_mask = snd_slots_cnt(snd->peers_max) - 1;
	for (uint32_t i = 0; i < snd->peers_max; i++)
		snd->peers[i].next_free = i + 1 < snd->peers_max ? i + 2 : 0;
	snd->peers_free = snd->peers_max > 0 ? 1 : 0;
}

struct snd_peer *
snd_peer_find(const struct dpt_bcast_snd *snd, struct dpt_node_addr addr)
{
	uint32_t hash = hash_addr(snd, addr);
	uint32_t i = hash & snd->slots_mask;

	for (; snd->slots[i].ref != 0; i = (i + 1) & snd->slots_mask) {
		struct snd_peer *peer = &snd->peers[snd->slots[i].ref - 1];

		if (snd->slots[i].hash == hash && dpt_node_addr_eq(peer->addr, addr))
			return peer;
	}
	return NULL;
}

struct snd_peer *
snd_peer_create(struct dpt_bcast_snd *snd, struct dpt_node_addr addr)
{
	uint32_t hash = hash_addr(snd, addr);
	uint32_t i = hash & snd->slots_mask;
	struct snd_peer *peer;
	uint32_t idx;

	if (snd->peers_free == 0)
		return NULL;
	idx = snd->peers_free - 1;
	peer = &snd->peers[idx];
	snd->peers_free = peer->next_free;
	*peer = (struct snd_peer){.addr = addr};
	while (snd->slots[i].ref != 0)
		i = (i + 1) & snd->slots_mask;
	snd->slots[i] = (struct snd_slot){.hash = hash, .ref = idx + 1};
	snd->added[idx / 64] |= UINT64_C(1) << idx % 64;
	snd->peers_cnt++;
	return peer;
}

/* Remove, then move up what would not be found any more behind the gap. */
static void
slot_del(struct dpt_bcast_snd *snd, uint32_t hash, uint32_t ref)
{
	uint32_t mask = snd->slots_mask;
	uint32_t gap = hash & mask;
	uint32_t i;

	while (snd->slots[gap].ref != ref)
		gap = (gap + 1) & mask;
	for (i = (gap + 1) & mask; snd->slots[i].ref != 0; i = (i + 1) & mask) {
		uint32_t home_dist = (i - snd->slots[i].hash) & mask;

		if (home_dist >= ((i - gap) & mask)) {
			snd->slots[gap] = snd->slots[i];
			gap = i;
		}
	}
	snd->slots[gap] = (struct snd_slot){0};
}

void
snd_peer_free(struct dpt_bcast_snd *snd, struct snd_peer *peer)
{
	uint32_t idx = snd_peer_idx(snd, peer);

	slot_del(snd, hash_addr(snd, peer->addr), idx + 1);
	snd->added[idx / 64] &= ~(UINT64_C(1) << idx % 64);
	*peer = (struct snd_peer){.next_free = snd->peers_free};
	snd->peers_free = idx + 1;
	snd->peers_cnt--;
}
