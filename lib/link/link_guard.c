/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What keeps a peer, or a stranger on the wire, from making a link change its state too
 * often. Src: 03-link-node.md, hazards 11, 23, 29. The times are our choice:
 *
 *   hazard 23   a link that was up stays down for min(interval, 10 ms). Packets carry no
 *               session: those of the old one that are still under way would be taken for
 *               new ones. A local wire keeps no frame that long. Not longer: a kernel peer
 *               comes up at once, and what it sends before us is lost and sent again.
 *   hazard 29   it comes up 8 times in a row as fast as that, after that once in a second:
 *               an ordinary loss of contact is over within a second, a stream of forged
 *               RESET and ACTIVATE costs the layers above one change in a second.
 *   hazard 11   a priority of the peer's, which resets the link, counts once in a tolerance.
 *
 * What arrives in the meantime is not lost: link->pending remembers it, and the link's
 * deadline is the end of the wait.
 */

#include "link_priv.h"

void
link_guard_up(struct dpt_link *link, uint64_t now_ns)
{
	link->was_up = true;
	link->pending = LINK_PENDING_NONE;
	link->flap_ns = RTE_MAX(link->flap_ns, now_ns) + LINK_FLAP_NS;
}

void
link_guard_reset(struct dpt_link *link, uint64_t now_ns)
{
	uint64_t quiet_ms = RTE_MIN(dpt_link_interval_ms(link), LINK_QUIET_MAX_MS);

	link->pending = LINK_PENDING_NONE;
	if (!link->was_up)
		return;
	link->was_up = false;
	link->up_after_ns = now_ns + quiet_ms * DPT_NS_PER_MS;
	if (link->flap_ns <= link->up_after_ns + LINK_FLAP_BURST * LINK_FLAP_NS)
		return;
	link->up_after_ns = link->flap_ns - LINK_FLAP_BURST * LINK_FLAP_NS;
	LINK_COUNT(link, flaps_damped);
}

uint32_t
link_guard_peer_ready(struct dpt_link *link, uint64_t now_ns)
{
	if (link_guard_is_open(link, now_ns))
		return DPT_LINK_R_UP;
	if (link->pending != LINK_PENDING_UP)
		LINK_COUNT(link, up_delayed);
	link->pending = LINK_PENDING_UP;
	return 0;
}

uint32_t
link_guard_expire(struct dpt_link *link, struct dpt_out *out)
{
	uint8_t pending = link->pending;

	link->pending = LINK_PENDING_NONE;
	if (link->state != DPT_LINK_ESTABLISHING)
		return 0;
	if (pending == LINK_PENDING_UP)
		return DPT_LINK_R_UP;
	dpt_link_reset_tx(link, false, out);
	return 0;
}

bool
link_guard_priority(struct dpt_link *link, uint64_t now_ns)
{
	if (now_ns < link->prio_after_ns) {
		LINK_ERROR(link, prio_limited, link->priority);
		return false;
	}
	link->prio_after_ns = now_ns + link->tolerance_ms * DPT_NS_PER_MS;
	return true;
}
