/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Properties of a link that is there, changed while it works. Tolerance and priority are
 * told to the peer, once: a lost announcement is not repeated, as with the kernel. The rest
 * is local. Src: 03-link-node.md, 9, 11.3, 12 (last paragraph), 22.
 */

#include <rte_common.h>

#include "link_priv.h"

/* System messages are at most a name table dump of 20-octet items. Src: 03-link-node.md, 11.3. */
#define LINK_SYSTEM_ITEMS      65535
#define LINK_SYSTEM_ITEM_BYTES 20

void
link_window_set(struct dpt_link *link, uint16_t window_max)
{
	link->window_max = RTE_MIN(window_max, link->ring_mask + 1);
	link->window_min = RTE_MIN(link->window_min, link->window_max);
	link->window = link->window_min;
	link->ssthresh = link->window_max;
	for (unsigned int imp = 0; imp < DPT_IMPORTANCE_SYSTEM; imp++)
		link->backlog_limit[imp] = (uint16_t)(2 * (imp + 1) * link->window_min);
	link->backlog_limit[DPT_IMPORTANCE_SYSTEM] =
		(uint16_t)(LINK_SYSTEM_ITEMS / (link->advertised_mtu / LINK_SYSTEM_ITEM_BYTES));
}

uint32_t
dpt_link_props_set(struct dpt_link *link, const struct dpt_link_props *props, struct dpt_out *out)
{
	const struct link_state_args tolerance = {.tolerance_ms = props->tolerance_ms};
	const struct link_state_args priority = {.priority = props->priority};
	uint32_t result = 0;

	if (props->window_max != 0)
		link_window_set(link, props->window_max);
	/* Not more than the peer takes; the next establishment begins with the bearer's again. */
	if (props->mtu != 0)
		link->mtu = link->in_session ? RTE_MIN(props->mtu, link->peer_mtu) : props->mtu;
	if (props->tolerance_ms != 0) {
		link->tolerance_ms = props->tolerance_ms;
		if (link_is_up(link))
			result |= link_state_send(link, &tolerance, out);
	}
	if (props->priority != 0) {
		link->priority = props->priority;
		if (link_is_up(link))
			result |= link_state_send(link, &priority, out);
	}
	return result;
}
