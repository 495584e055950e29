/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timer wheel. Contract: dpt_timer.h.
 *
 * Time in ticks: t = expires_ns / TICK. A timer whose t lies d ticks ahead of the
 * wheel waits at level
 *
 *      0: d < 64       slot t & 63            one slot = 1 tick
 *      1: d < 64^2     slot (t >> 6) & 63     one slot = 64 ticks
 *      2: d < 64^3     slot (t >> 12) & 63
 *      3: d < 64^4     slot (t >> 18) & 63
 *
 * When the wheel comes to a tick that begins a slot of a coarser level, the timers
 * of that slot are placed anew, on a finer level. When it leaves a tick, what waits
 * there has expired. In the tick at which the wheel stands only times up to now_ns
 * have: that slot is looked through.
 */
#include "dpt_timer.h"

#include "dpt_assert.h"
#include "dpt_time.h"

#define TIMER_SLOT_BITS 6
#define TIMER_SLOT_MASK (DPT_TIMER_SLOTS - 1)
/* The value of dpt_timer.slot while the timer is in the list of expired ones. */
#define TIMER_SLOT_EXPIRED (DPT_TIMER_LEVELS * DPT_TIMER_SLOTS)
/* Ticks that the wheel can look ahead. */
#define TIMER_HORIZON_TICKS ((UINT64_C(1) << (TIMER_SLOT_BITS * DPT_TIMER_LEVELS)) - 1)

DPT_STATIC_ASSERT(DPT_TIMER_SLOTS == 1 << TIMER_SLOT_BITS, "a bitmap is one word");

void
dpt_timer_wheel_init(struct dpt_timer_wheel *wheel, uint64_t now_ns)
{
	for (unsigned int i = 0; i < DPT_TIMER_LEVELS * DPT_TIMER_SLOTS; i++)
		TAILQ_INIT(&wheel->slots[i]);
	for (unsigned int i = 0; i < DPT_TIMER_LEVELS; i++)
		wheel->bitmap[i] = 0;
	TAILQ_INIT(&wheel->expired);
	wheel->tick = now_ns / DPT_TIMER_TICK_NS;
	wheel->armed_cnt = 0;
}

void
dpt_timer_init(struct dpt_timer *timer, uint8_t kind)
{
	*timer = (struct dpt_timer){.kind = kind};
}

/* Put a timer, whose time lies within the horizon, where it has to wait. */
static void
timer_place(struct dpt_timer_wheel *wheel, struct dpt_timer *timer)
{
	uint64_t tick = timer->expires_ns / DPT_TIMER_TICK_NS;
	uint64_t ahead = tick - wheel->tick;
	unsigned int level = 0, idx;

	while (ahead >> (TIMER_SLOT_BITS * (level + 1)) != 0)
		level++;
	DPT_DEBUG_ASSERT(level < DPT_TIMER_LEVELS);
	idx = (unsigned int)(tick >> (TIMER_SLOT_BITS * level)) & TIMER_SLOT_MASK;
	timer->slot = (uint16_t)(level * DPT_TIMER_SLOTS + idx);
	wheel->bitmap[level] |= UINT64_C(1) << idx;
	TAILQ_INSERT_TAIL(&wheel->slots[timer->slot], timer, entry);
}

/* Take a timer out of its slot, or out of the list of expired ones. */
static void
timer_unplace(struct dpt_timer_wheel *wheel, struct dpt_timer *timer)
{
	if (timer->slot == TIMER_SLOT_EXPIRED) {
		TAILQ_REMOVE(&wheel->expired, timer, entry);
		return;
	}
	TAILQ_REMOVE(&wheel->slots[timer->slot], timer, entry);
	if (TAILQ_EMPTY(&wheel->slots[timer->slot]))
		wheel->bitmap[timer->slot / DPT_TIMER_SLOTS] &=
			~(UINT64_C(1) << (timer->slot & TIMER_SLOT_MASK));
}

void
dpt_timer_set(struct dpt_timer_wheel *wheel, struct dpt_timer *timer, uint64_t expires_ns)
{
	uint64_t tick = expires_ns / DPT_TIMER_TICK_NS;

	if (timer->is_armed) {
		timer_unplace(wheel, timer);
	} else {
		timer->is_armed = 1;
		wheel->armed_cnt++;
	}
	if (tick < wheel->tick)
		expires_ns = wheel->tick * DPT_TIMER_TICK_NS;
	else if (tick - wheel->tick > TIMER_HORIZON_TICKS)
		expires_ns = (wheel->tick + TIMER_HORIZON_TICKS) * DPT_TIMER_TICK_NS;
	timer->expires_ns = expires_ns;
	timer_place(wheel, timer);
}

void
dpt_timer_cancel(struct dpt_timer_wheel *wheel, struct dpt_timer *timer)
{
	if (!timer->is_armed)
		return;
	timer_unplace(wheel, timer);
	timer->is_armed = 0;
	wheel->armed_cnt--;
}

/* Slots from `from` on to the first that is not empty, 0 to 63. bitmap != 0. */
static unsigned int
timer_slots_ahead(uint64_t bitmap, unsigned int from)
{
	uint64_t turned = bitmap >> from;

	if (from != 0)
		turned |= bitmap << (DPT_TIMER_SLOTS - from);
	return (unsigned int)__builtin_ctzll(turned);
}

/*
 * The tick at which the first timers of a coarser level have to be placed anew,
 * UINT64_MAX when there are none. It lies after the wheel's tick: the slot in which
 * the wheel stands was emptied on entry, what is in it belongs to the next round.
 */
static uint64_t
timer_cascade_tick(const struct dpt_timer_wheel *wheel, unsigned int level)
{
	unsigned int shift = TIMER_SLOT_BITS * level;
	uint64_t here = wheel->tick >> shift;
	unsigned int from = (unsigned int)(here + 1) & TIMER_SLOT_MASK;

	if (wheel->bitmap[level] == 0)
		return UINT64_MAX;
	return (here + 1 + timer_slots_ahead(wheel->bitmap[level], from)) << shift;
}

static uint64_t
timer_first_cascade_tick(const struct dpt_timer_wheel *wheel)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int level = 1; level < DPT_TIMER_LEVELS; level++) {
		uint64_t tick = timer_cascade_tick(wheel, level);

		if (tick < first)
			first = tick;
	}
	return first;
}

/* All timers of a slot of level 0 have expired. */
static void
timer_expire_slot(struct dpt_timer_wheel *wheel, unsigned int idx)
{
	struct dpt_timer_list *list = &wheel->slots[idx];
	struct dpt_timer *timer;

	TAILQ_FOREACH (timer, list, entry)
		timer->slot = TIMER_SLOT_EXPIRED;
	TAILQ_CONCAT(&wheel->expired, list, entry);
	wheel->bitmap[0] &= ~(UINT64_C(1) << idx);
}

/* The wheel has come to a new tick: place the timers of the slots that begin here. */
static void
timer_cascade(struct dpt_timer_wheel *wheel)
{
	for (unsigned int level = DPT_TIMER_LEVELS - 1; level > 0; level--) {
		unsigned int shift = TIMER_SLOT_BITS * level;
		unsigned int idx = (unsigned int)(wheel->tick >> shift) & TIMER_SLOT_MASK;
		struct dpt_timer_list list = TAILQ_HEAD_INITIALIZER(list);
		struct dpt_timer *timer;

		if ((wheel->tick & ((UINT64_C(1) << shift) - 1)) != 0)
			continue;
		TAILQ_CONCAT(&list, &wheel->slots[level * DPT_TIMER_SLOTS + idx], entry);
		wheel->bitmap[level] &= ~(UINT64_C(1) << idx);
		while ((timer = TAILQ_FIRST(&list)) != NULL) {
			TAILQ_REMOVE(&list, timer, entry);
			timer_place(wheel, timer);
		}
	}
}

/*
 * Turn the wheel to now_tick, from one tick where something waits to the next.
 * Bound: each step empties at least one slot or is the last one.
 */
static void
timer_turn(struct dpt_timer_wheel *wheel, uint64_t now_tick)
{
	while (wheel->tick < now_tick) {
		unsigned int idx = (unsigned int)wheel->tick & TIMER_SLOT_MASK;
		uint64_t next = timer_first_cascade_tick(wheel);

		timer_expire_slot(wheel, idx);
		if (wheel->bitmap[0] != 0) {
			uint64_t tick = wheel->tick + timer_slots_ahead(wheel->bitmap[0], idx);

			if (tick < next)
				next = tick;
		}
		wheel->tick = next < now_tick ? next : now_tick;
		timer_cascade(wheel);
	}
}

/* Of the tick at which the wheel stands: what has expired up to now_ns. */
static void
timer_expire_partly(struct dpt_timer_wheel *wheel, uint64_t now_ns)
{
	unsigned int idx = (unsigned int)wheel->tick & TIMER_SLOT_MASK;
	struct dpt_timer *timer, *next;

	for (timer = TAILQ_FIRST(&wheel->slots[idx]); timer != NULL; timer = next) {
		next = TAILQ_NEXT(timer, entry);
		if (timer->expires_ns > now_ns)
			continue;
		timer_unplace(wheel, timer);
		timer->slot = TIMER_SLOT_EXPIRED;
		TAILQ_INSERT_TAIL(&wheel->expired, timer, entry);
	}
}

struct dpt_timer *
dpt_timer_pop(struct dpt_timer_wheel *wheel, uint64_t now_ns)
{
	struct dpt_timer *timer;

	if (wheel->armed_cnt == 0) {
		if (now_ns / DPT_TIMER_TICK_NS > wheel->tick)
			wheel->tick = now_ns / DPT_TIMER_TICK_NS;
		return NULL;
	}
	timer_turn(wheel, now_ns / DPT_TIMER_TICK_NS);
	if (TAILQ_EMPTY(&wheel->expired))
		timer_expire_partly(wheel, now_ns);
	timer = TAILQ_FIRST(&wheel->expired);
	if (timer != NULL)
		dpt_timer_cancel(wheel, timer);
	return timer;
}

uint64_t
dpt_timer_wheel_deadline_ns(const struct dpt_timer_wheel *wheel)
{
	const struct dpt_timer *timer = TAILQ_FIRST(&wheel->expired);
	uint64_t cascade_tick, deadline_ns = DPT_NEVER_NS;
	unsigned int idx = (unsigned int)wheel->tick & TIMER_SLOT_MASK;

	/* The list of expired timers is in the order of ticks, not of times within one. */
	if (timer != NULL)
		return timer->expires_ns / DPT_TIMER_TICK_NS * DPT_TIMER_TICK_NS;
	if (wheel->bitmap[0] != 0) {
		idx = (idx + timer_slots_ahead(wheel->bitmap[0], idx)) & TIMER_SLOT_MASK;
		/*
		 * Exact here: the start of the present tick would be a deadline at which
		 * nothing can be popped and which does not move.
		 */
		TAILQ_FOREACH (timer, &wheel->slots[idx], entry) {
			if (timer->expires_ns < deadline_ns)
				deadline_ns = timer->expires_ns;
		}
	}
	cascade_tick = timer_first_cascade_tick(wheel);
	if (cascade_tick != UINT64_MAX && cascade_tick * DPT_TIMER_TICK_NS < deadline_ns)
		deadline_ns = cascade_tick * DPT_TIMER_TICK_NS;
	return deadline_ns;
}
