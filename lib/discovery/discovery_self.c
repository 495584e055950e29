/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who this node is, set by the administrator: address, identity, network id. From a bearer and
 * by trial: discovery.c. Src: 02-discovery.md, 1.
 */
#include "discovery_priv.h"

#include "dpt_assert.h"
#include "dpt_mutant.h"

void
dpt_discovery_addr_set(struct dpt_discovery *disc, struct dpt_node_addr addr, uint64_t now_ns,
		       struct dpt_out *out)
{
	DPT_ASSERT(addr.value != 0);
	disc->is_legacy = true;
	disc->trial = addr;
	if (dpt_node_id_is_zero(&disc->id))
		disc->id = dpt_node_id_from_addr(addr);
	disc_addr_final(disc, now_ns, out);
}

void
dpt_discovery_id_set(struct dpt_discovery *disc, const struct dpt_node_id *id)
{
	DPT_ASSERT(dpt_node_id_is_zero(&disc->id));
	disc->id = *id;
}

void
dpt_discovery_net_id_set(struct dpt_discovery *disc, uint32_t net_id, uint64_t now_ns)
{
	if (disc->net_id == net_id || DPT_MUTANT(net_id_kept))
		return;
	disc->net_id = net_id;
	if (disc->own.value == 0 && disc->trial.value != 0 && disc->pause_end_ns == 0)
		disc->trial_end_ns = now_ns + DISC_TRIAL_NS;
}

bool
dpt_discovery_is_legacy(const struct dpt_discovery *disc)
{
	return disc->is_legacy;
}
