/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits of rate, and the list of peers that were heard and refused. */
#include "discovery_priv.h"

bool
disc_limit_take(uint64_t *state, uint64_t now_ns, uint64_t period_ns, uint64_t burst)
{
	/* state: the time at which everything taken so far would have come at its period. */
	uint64_t from_ns = *state > now_ns ? *state : now_ns;

	if (from_ns - now_ns > (burst - 1) * period_ns)
		return false;
	*state = from_ns + period_ns;
	return true;
}

/* The entry of that peer and reason, or the one to use for it: free, or the oldest. */
static struct disc_refused *
refused_find(struct dpt_discovery *disc, const struct dpt_refused_peer *peer)
{
	struct disc_refused *best = &disc->refused[0];

	for (uint32_t i = 0; i < DISC_REFUSED_CNT; i++) {
		struct disc_refused *entry = &disc->refused[i];

		if (entry->peer.cnt > 0 && dpt_node_addr_eq(entry->peer.addr, peer->addr) &&
		    entry->peer.bearer_id == peer->bearer_id &&
		    entry->peer.reason == peer->reason &&
		    dpt_maddr_eq(&entry->peer.maddr, &peer->maddr))
			return entry;
		if (best->peer.cnt > 0 &&
		    (entry->peer.cnt == 0 || entry->peer.last_ns < best->peer.last_ns))
			best = entry;
	}
	*best = (struct disc_refused){0};
	return best;
}

bool
disc_refused_note(struct dpt_discovery *disc, const struct dpt_refused_peer *peer, uint64_t now_ns)
{
	struct disc_refused *entry = refused_find(disc, peer);
	uint64_t cnt = entry->peer.cnt;

	disc_trace(disc, now_ns, DISC_TRACE_REFUSED, peer->reason, peer->addr, peer->bearer_id);
	entry->peer = *peer;
	entry->peer.cnt = cnt + 1;
	entry->peer.last_ns = now_ns;
	if (entry->is_told && now_ns - entry->event_ns < DISC_ALARM_AGAIN_NS)
		return false;
	if (!disc_limit_take(&disc->alarm_ns, now_ns, DISC_ALARM_PERIOD_NS, DISC_ALARM_BURST))
		return false;
	entry->is_told = true;
	entry->event_ns = now_ns;
	return true;
}

uint32_t
dpt_discovery_refused(const struct dpt_discovery *disc, struct dpt_refused_peer *peers,
		      uint32_t max)
{
	uint32_t cnt = 0;

	/* Insertion by time into the result; when it is full the oldest falls out. */
	for (uint32_t i = 0; i < DISC_REFUSED_CNT; i++) {
		const struct dpt_refused_peer *peer = &disc->refused[i].peer;
		uint32_t pos = 0;

		if (peer->cnt == 0 || max == 0)
			continue;
		while (pos < cnt && peers[pos].last_ns <= peer->last_ns)
			pos++;
		if (cnt < max) {
			for (uint32_t j = cnt; j > pos; j--)
				peers[j] = peers[j - 1];
			peers[pos] = *peer;
			cnt++;
		} else if (pos > 0) {
			for (uint32_t j = 0; j + 1 < pos; j++)
				peers[j] = peers[j + 1];
			peers[pos - 1] = *peer;
		}
	}
	return cnt;
}
