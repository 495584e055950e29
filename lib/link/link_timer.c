/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Periodic supervision. The link has no timer of its own: its node has one, which
 * expires at the smallest interval that a link asks for. Src: 03-link-node.md, 8, 14.
 *
 *   up            probe when silent or idle, STATE when something is unacknowledged; more
 *                 probes after two silent expiries; failure: nothing for a tolerance, of
 *                 which abort_limit expiries saw nothing (decision 0010: the kernel waits
 *                 one to two intervals longer)
 *   RESET         RESET at each interval for some seconds, then at each 16th
 *   ESTABLISHING  ACTIVATE at each interval, once the link may come up (link_guard.c)
 */

#include <rte_mbuf.h>

#include "dpt_mutant.h"
#include "link_priv.h"

uint16_t
dpt_link_interval_ms(const struct dpt_link *link)
{
	uint16_t interval_ms = RTE_MIN(link->tolerance_ms / 4, LINK_INTERVAL_MAX_MS);

	return RTE_MAX(interval_ms, 1);
}

/* Length of the message whose packet is first in the send queue; 0: none to sample. */
static uint32_t
timer_msg_bytes(const struct dpt_link *link)
{
	struct rte_mbuf *m = link->snd_ring[link->snd_una & link->ring_mask];
	const uint8_t *hdr;

	if (link->snd_cnt == 0)
		return 0;
	hdr = dpt_buf_hdr(m);
	if (dpt_msg_user(hdr) != DPT_USER_FRAGMENTER)
		return dpt_msg_size(hdr);
	if (dpt_msg_type(hdr) != DPT_TYPE_FIRST_FRAGMENT)
		return 0;
	return dpt_msg_size(hdr + DPT_HDR_INTERNAL);
}

static void
timer_sample(struct dpt_link *link)
{
	static const uint16_t classes[] = {64, 256, 1024, 4096, 16384, 32768};
	uint32_t bytes = timer_msg_bytes(link);
	size_t i = 0;

	LINK_COUNT_N(link, accu_queue_sz, link->snd_cnt);
	LINK_COUNT(link, queue_sz_counts);
	if (bytes == 0)
		return;
	LINK_COUNT_N(link, msg_lengths_total, bytes);
	LINK_COUNT(link, msg_length_counts);
	while (i < RTE_DIM(classes) && bytes > classes[i])
		i++;
	link_count(link, offsetof(struct dpt_link_counters, msg_length_p0) + i * sizeof(uint64_t),
		   1);
}

/*
 * The count of silent expiries guards against our own stalls: a worker that was held up
 * for longer than the tolerance has seen one expiry, and finds the peer's frames waiting.
 */
static uint64_t
lost_ns(const struct dpt_link *link)
{
	if (!link_is_up(link) || link->silent == 0 || link->silent < link->abort_limit ||
	    DPT_MUTANT(silence_unnoticed))
		return DPT_NEVER_NS;
	return link->last_rx_ns + link->tolerance_ms * DPT_NS_PER_MS;
}

static uint64_t
urgent_ns(const struct dpt_link *link)
{
	if (!link_is_up(link) || link->silent < LINK_URGENT_SILENT)
		return DPT_NEVER_NS;
	return link->probe_ns;
}

uint64_t
dpt_link_deadline_ns(const struct dpt_link *link)
{
	uint64_t supervise_ns;

	if (!link_is_up(link))
		return link->pending != LINK_PENDING_NONE ? link->up_after_ns : DPT_NEVER_NS;
	supervise_ns = RTE_MIN(lost_ns(link), urgent_ns(link));
	return RTE_MIN(supervise_ns, link->repair_ns);
}

static uint64_t
urgent_step_ns(const struct dpt_link *link)
{
	return dpt_link_interval_ms(link) * DPT_NS_PER_MS / LINK_URGENT_PROBES;
}

uint32_t
dpt_link_supervise(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	const struct link_state_args args = {.is_probe = true};

	link->flight_ns = now_ns;
	if (!link_is_up(link) && link->pending != LINK_PENDING_NONE)
		return link_guard_is_open(link, now_ns) ? link_guard_expire(link, out) : 0;
	if (now_ns >= lost_ns(link))
		return link_fail(link, DPT_DOWN_TOLERANCE, now_ns);
	if (now_ns >= link->repair_ns)
		return link_repair(link, now_ns, out);
	if (now_ns < urgent_ns(link))
		return 0;
	link->probe_ns = now_ns + urgent_step_ns(link);
	return link_state_send(link, &args, out);
}

/* Steps (a) to (j). Src: 03-link-node.md, 8. All peers are supervised: "monitoring" is 1. */
static uint32_t
timer_up(struct dpt_link *link, uint64_t now_ns, struct dpt_out *out)
{
	const struct dpt_bcast_view *view = link->view;
	struct link_state_args args = {0};
	bool is_due;

	timer_sample(link);
	if (now_ns >= lost_ns(link))
		return link_fail(link, DPT_DOWN_TOLERANCE, now_ns);
	is_due = view->is_unacked || view->is_ack_due || link->rcv_unacked > 0 || link->snd_cnt > 0;
	args.is_probe = link->silent > 0 || link->defer.cnt > 0;
	link->silent++;
	link->probe_ns = now_ns + urgent_step_ns(link);
	if (link->snd_nxt == link->checkpoint) {
		link_window_update(link, 0, 0);
		args.is_probe = true;
	}
	link->checkpoint = link->snd_nxt;
	if (is_due || args.is_probe)
		return link_state_send(link, &args, out);
	return 0;
}

uint32_t
dpt_link_timeout(struct dpt_link *link, uint16_t interval_ms, uint64_t now_ns, struct dpt_out *out)
{
	link->abort_limit = (uint16_t)RTE_MAX(link->tolerance_ms / interval_ms, 1);
	link->replies_cnt = 0;
	link->flight_ns = now_ns;
	LINK_NOTE(link, EXPIRY, 0, link->silent, link->abort_limit, link->snd_cnt,
		  (uint16_t)link->backlog.cnt, link->defer.cnt);
	if (link_is_up(link))
		return timer_up(link, now_ns, out);
	/* Locked: the time in which RESET is sent often begins later. */
	if (link->state == DPT_LINK_FAILINGOVER)
		return 0;
	link->rst_cnt++;
	if (link->state == DPT_LINK_RESET && link->rst_cnt * interval_ms > LINK_RESET_EVERY_MS &&
	    link->rst_cnt % LINK_RESET_SLOW != 0)
		return 0;
	if (link->state == DPT_LINK_ESTABLISHING && !link_guard_is_open(link, now_ns))
		return 0;
	dpt_link_reset_tx(link, false, out);
	return 0;
}
