/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Repair of a link that loses packets. The protocol has no retransmission timer: what is
 * lost is asked for at the 3rd, 19th... packet that comes early, else at a timer expiry, up
 * to 500 ms later; and so is an order that got lost itself. Decision 0014.
 *
 *   a gap is seen, or a packet sent again -> for 2 s: a look every 16th of an interval
 *   nothing has moved since the last look, and something is missing or not confirmed
 *       -> a probe: it says what is missing here, and its reply says what is missing there
 */

#include <rte_common.h>

#include "link_priv.h"

static uint64_t
repair_step_ns(const struct dpt_link *link)
{
	uint64_t interval_ns = dpt_link_interval_ms(link) * DPT_NS_PER_MS;

	return RTE_MAX(interval_ns / LINK_REPAIR_STEPS, LINK_REPAIR_NS_MIN);
}

static void
repair_look(struct dpt_link *link, uint64_t now_ns)
{
	link->repair_ns = now_ns + repair_step_ns(link);
	link->repair_una = link->snd_una;
	link->repair_rcv = link->rcv_nxt;
}

void
link_repair_note(struct dpt_link *link, uint64_t now_ns)
{
	link->lossy_until_ns = now_ns + LINK_LOSSY_NS;
	if (link->repair_ns == DPT_NEVER_NS)
		repair_look(link, now_ns);
}

uint32_t
link_repair(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	static const struct link_state_args args = {.is_probe = true};
	bool has_moved = link->snd_una != link->repair_una || link->rcv_nxt != link->repair_rcv;
	bool is_missing = link->snd_cnt > 0 || link->defer.cnt > 0;

	if (now_ns >= link->lossy_until_ns) {
		link->repair_ns = DPT_NEVER_NS;
		return 0;
	}
	repair_look(link, now_ns);
	/* What a link keeps while it synchronises is not missing. */
	if (has_moved || !is_missing || link->state != DPT_LINK_ESTABLISHED)
		return 0;
	LINK_COUNT(link, sent_repairs);
	return link_state_send(link, &args, out);
}
