/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ours said against what the real node said in the capture.
 *
 * Times, and how often something is repeated, differ: the timers of the two do not tick
 * together. So the frames are compared as sets: every frame of the real node has an equal
 * among ours, and every frame of ours has an equal among the real node's. Equal: destination
 * MAC address, size, and all octets (session numbers, signatures, names and their keys
 * included) but these:
 *
 *   LINK_CONFIG           w13, peer_net_hash: a secret of the kernel's; ours is 0
 *   RESET, ACTIVATE       octets behind the NUL of the interface name: the kernel's are stray
 *   STATE                 w1 bits 15-0 bcast_ack, w2: ack, and the number of the STATE itself
 *   sequenced packets     w1 bits 15-0 bcast_ack, w2 bits 31-16 ack
 *
 * The last STATE of both must agree in what they acknowledge.
 *
 * Ours may say some things that the real node did not, by our own choice:
 *
 *   a RESET as soon as a link is made (03-link-node.md, 6.4): equal to the peer's RESET with
 *   the addresses exchanged, but for the session
 *   a STATE as soon as the peer's bulk has come (04-name-table.md, 12.1): equal to one of the
 *   real node's but for the bits keepalive and probe
 */
#include "replay.h"

#include <string.h>

/* Behind the name's end the kernel sends what was in memory. */
static void
mask_if_name(struct replay_frame *f)
{
	char *name = (char *)f->msg + DPT_HDR_INTERNAL;
	size_t len = strnlen(name, DPT_IF_NAME_BYTES);

	memset(name + len, 0, DPT_IF_NAME_BYTES - len);
}

static void
mask(struct replay_frame *f)
{
	switch (dpt_msg_user(f->msg)) {
	case DPT_USER_LINK_CONFIG:
		dpt_msg_set_word(f->msg, 13, 0);
		break;
	case DPT_USER_LINK_PROTOCOL:
		if (dpt_msg_type(f->msg) == DPT_TYPE_STATE) {
			dpt_msg_set_bcast_ack(f->msg, 0);
			dpt_msg_set_word(f->msg, 2, 0);
		} else {
			mask_if_name(f);
		}
		break;
	default:
		dpt_msg_set_bcast_ack(f->msg, 0);
		dpt_msg_set_ack(f->msg, 0);
		break;
	}
}

static bool
is_equal(const struct replay_frame *a, const struct replay_frame *b)
{
	struct replay_frame x, y;

	if (a->bytes != b->bytes || memcmp(a->dst, b->dst, sizeof(a->dst)) != 0 ||
	    replay_kind(a) != replay_kind(b))
		return false;
	x = *a;
	y = *b;
	mask(&x);
	mask(&y);
	return memcmp(x.msg, y.msg, x.bytes) == 0;
}

static bool
real_said(const struct replay *rp, const struct replay_frame *f)
{
	uint32_t i;

	for (i = 0; i < rp->frames_cnt; i++) {
		if (replay_is_own(rp, &rp->frames[i]) && is_equal(&rp->frames[i], f))
			return true;
	}
	return false;
}

/*
 * Said by our own choice although the real node did not: see the head of the file. Each must
 * equal something real but for what makes the difference.
 */
static bool
is_choice(const struct replay *rp, const struct replay_frame *f)
{
	struct replay_frame want = *f;
	uint32_t i;

	if (dpt_msg_user(f->msg) != DPT_USER_LINK_PROTOCOL)
		return false;
	if (dpt_msg_type(f->msg) == DPT_TYPE_STATE) {
		if (dpt_msg_is_keepalive(f->msg))
			return false;
		dpt_msg_set_is_keepalive(want.msg, 1);
		if (real_said(rp, &want))
			return true;
		dpt_msg_set_probe(want.msg, 1);
		return real_said(rp, &want);
	}
	if (dpt_msg_type(f->msg) != DPT_TYPE_RESET)
		return false;
	/* As the peer would say it. */
	want.dst[4] = rp->cfg->place;
	dpt_msg_set_prevnode(want.msg, rp->peer.value);
	dpt_msg_set_orignode(want.msg, rp->peer.value);
	dpt_msg_set_destnode(want.msg, rp->own.value);
	for (i = 0; i < rp->frames_cnt; i++) {
		const struct replay_frame *real = &rp->frames[i];

		if (dpt_msg_user(real->msg) != DPT_USER_LINK_PROTOCOL)
			continue;
		dpt_msg_set_session(want.msg, dpt_msg_session(real->msg));
		if (is_equal(real, &want))
			return true;
	}
	return false;
}

static bool
ours_said(const struct replay *rp, const struct replay_frame *f)
{
	uint32_t i;

	for (i = 0; i < rp->said_cnt; i++) {
		if (is_equal(&rp->said[i], f))
			return true;
	}
	return false;
}

static void
context(const char *who, const struct replay_frame *f)
{
	char text[512];

	dpt_msg_print(f->msg, f->bytes, text, sizeof(text));
	cu_context("%s, %u ms: %s", who, (unsigned int)(f->time_ns / DPT_NS_PER_MS), text);
}

/* The capture does not hold what was said before it, or lost on its way to it. */
static bool
is_lost(const struct replay *rp, const struct replay_frame *f)
{
	const struct replay_cfg *cfg = rp->cfg;

	return f->time_ns == DPT_NEVER_NS ||
	       (cfg->own_lost_to > 0 && f->time_ns >= rp->frames[cfg->own_lost_from].time_ns &&
		f->time_ns < rp->frames[cfg->own_lost_to].time_ns);
}

static void
check_frames(const struct replay *rp)
{
	uint32_t i;

	for (i = 0; i < rp->frames_cnt; i++) {
		if (!replay_is_own(rp, &rp->frames[i]) || (i == rp->cfg->timer_frame && i > 0))
			continue;
		context("only the real node", &rp->frames[i]);
		CU_TRUE(ours_said(rp, &rp->frames[i]));
	}
	for (i = 0; i < rp->said_cnt; i++) {
		context("only ours", &rp->said[i]);
		if (!is_lost(rp, &rp->said[i]))
			CU_TRUE(real_said(rp, &rp->said[i]) || is_choice(rp, &rp->said[i]));
	}
	cu_context("%s", "");
}

static const struct replay_frame *
last_state(const struct replay *rp, const struct replay_frame *frames, uint32_t cnt, bool is_real)
{
	for (; cnt > 0; cnt--) {
		const struct replay_frame *f = &frames[cnt - 1];

		if ((!is_real || replay_is_own(rp, f)) &&
		    replay_kind(f) == (DPT_USER_LINK_PROTOCOL << 3 | DPT_TYPE_STATE))
			return f;
	}
	return NULL;
}

/* In the end the two have sent and received the same packets, link and broadcast link. */
static void
check_last_state(const struct replay *rp)
{
	const struct replay_frame *real = last_state(rp, rp->frames, rp->frames_cnt, true);
	const struct replay_frame *ours = last_state(rp, rp->said, rp->said_cnt, false);

	CU_TRUE(real != NULL || rp->cfg->frames_max > 0);
	CU_NOT_NULL(ours);
	if (real == NULL || ours == NULL)
		return;
	CU_EQ_U64(dpt_msg_ack(ours->msg), dpt_msg_ack(real->msg));
	CU_EQ_U64(dpt_msg_next_sent(ours->msg), dpt_msg_next_sent(real->msg));
	CU_EQ_U64(dpt_msg_bcast_ack(ours->msg), dpt_msg_bcast_ack(real->msg));
	CU_EQ_U64(dpt_msg_last_bcast(ours->msg), dpt_msg_last_bcast(real->msg));
	CU_EQ_U64(dpt_msg_session(ours->msg), dpt_msg_session(real->msg));
}

void
replay_counters_add(struct replay *rp)
{
	struct dpt_counter_value value;
	uint32_t i;

	for (i = 0; i < REPLAY_CNTRS_MAX && dpt_stack_counter(rp->stack, i, &value); i++)
		rp->counters[i] += value.value;
	CU_TRUE(i < REPLAY_CNTRS_MAX);
}

static uint64_t
drops_expected(const struct replay *rp, const char *name)
{
	const struct replay_cfg *cfg = rp->cfg;
	uint32_t i;

	if (strcmp(name, "bcast.drop_no_peers") == 0)
		return rp->starts;
	for (i = 0; i < REPLAY_DROPS_MAX && cfg->drops[i].counter != NULL; i++) {
		if (strcmp(cfg->drops[i].counter, name) == 0)
			return cfg->drops[i].cnt;
	}
	return 0;
}

static void
check_counters(struct replay *rp)
{
	struct dpt_counter_value value;
	char name[64];
	uint32_t i;

	for (i = 0; i < REPLAY_CNTRS_MAX && dpt_stack_counter(rp->stack, i, &value); i++) {
		if (value.desc->kind == DPT_COUNTER_INFO)
			continue;
		snprintf(name, sizeof(name), "%s.%s", value.library, value.desc->name);
		cu_context("%s", name);
		CU_EQ_U64(rp->counters[i] + value.value, drops_expected(rp, name));
	}
	cu_context("%s", "");
}

static void
check_contacts(const struct replay *rp)
{
	uint32_t i;

	CU_EQ_U64(rp->ups, rp->cfg->ups);
	for (i = 0; i < rp->downs_cnt; i++) {
		CU_EQ_STR(dpt_down_reason_name(rp->downs[i]),
			  dpt_down_reason_name(rp->cfg->downs[i]));
		if (rp->downs[i] != DPT_DOWN_TOLERANCE)
			continue;
		/* The kernel's rule: some more intervals, at a quarter of the tolerance each. */
		CU_TRUE(rp->silent_ns[i] >= REPLAY_TOLERANCE_MS * DPT_NS_PER_MS);
		CU_TRUE(rp->silent_ns[i] <= REPLAY_TOLERANCE_MS * DPT_NS_PER_MS * 7 / 4);
	}
	CU_TRUE(rp->downs_cnt == REPLAY_DOWNS_MAX || rp->cfg->downs[rp->downs_cnt] == 0);
}

void
replay_check(struct replay *rp)
{
	check_frames(rp);
	check_last_state(rp);
	check_contacts(rp);
	CU_TRUE(rp->names_most > 0);
	replay_names_check(rp);
	check_counters(rp);
	CU_EQ_U64(dpt_stack_own(rp->stack).value, rp->own.value);
	replay_end(rp);
	CU_TRUE(test_pool_is_full());
}
