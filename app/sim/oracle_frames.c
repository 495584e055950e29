/* SPDX-License-Identifier: BSD-3-Clause */
/* Each frame that a node sends is legal and fits; the trace hash is over all of them. */
#include <string.h>

#include "sim.h"

#define HASH_PRIME UINT64_C(0x9e3779b97f4a7c15)

void
sim_hash_u64(struct sim *sim, uint64_t value)
{
	uint64_t h = (sim->stats.hash ^ value) * HASH_PRIME;

	sim->stats.hash = h ^ h >> 29;
}

void
sim_hash(struct sim *sim, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sim_hash_u64(sim, word);
	}
	word = 0;
	memcpy(&word, p, len);
	sim_hash_u64(sim, word ^ (uint64_t)len << 56);
}

void
sim_oracle_frame(struct sim *sim, uint32_t from, uint32_t to, struct rte_mbuf *m)
{
	enum dpt_msg_verdict verdict;
	struct rte_mbuf *seg = m->next;
	uint32_t bytes = dpt_buf_bytes(m);
	uint32_t wire = dpt_buf(m)->bearer_id;

	sim_hash_u64(sim, sim->now_ns);
	sim_hash_u64(sim, (uint64_t)from << 32 | wire << 16 | to);
	sim_hash(sim, dpt_buf_hdr(m), dpt_buf_head_bytes(m));
	for (; seg != NULL; seg = seg->next)
		sim_hash(sim, rte_pktmbuf_mtod(seg, void *), rte_pktmbuf_data_len(seg));
	verdict = dpt_msg_check(dpt_buf_hdr(m), dpt_buf_head_bytes(m), bytes, DPT_PLACE_FRAME);
	if (verdict != DPT_MSG_OK)
		sim_violate(sim, "P10 frame", "node %u sends a frame that is not legal: %s", from,
			    dpt_msg_verdict_name(verdict));
	else if (bytes != dpt_msg_size(dpt_buf_hdr(m)))
		sim_violate(sim, "P10 frame", "node %u sends %u octets, the header says %u", from,
			    bytes, dpt_msg_size(dpt_buf_hdr(m)));
	else if (bytes > sim->plan.mtu[wire])
		sim_violate(sim, "P10 frame", "node %u sends %u octets, the MTU is %u", from, bytes,
			    sim->plan.mtu[wire]);
	else if (!dpt_buf(m)->dst.is_bcast)
		sim_oracle_packet(sim, from, to, m);
}
