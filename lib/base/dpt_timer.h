/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_TIMER_H
#define DPT_TIMER_H

/*
 * Timers of one shard. No callbacks: the owner of the wheel pops what has
 * expired and looks at its kind. Hierarchical wheel, 4 levels of 64 slots, 1 ms
 * per slot of the lowest level (kernel timers have 1 to 10 ms grain;
 * 03-link-node.md, note 17); a timer never fires before its time, and at most one
 * slot after it. Arming, cancelling: O(1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define DPT_TIMER_LEVELS  4
#define DPT_TIMER_SLOTS	  64
#define DPT_TIMER_TICK_NS UINT64_C(1000000)

struct dpt_timer {
	TAILQ_ENTRY(dpt_timer) entry;
	uint64_t expires_ns;
	uint16_t slot; /* level * SLOTS + index while armed */
	uint8_t kind;  /* the owner's: what this timer is for */
	uint8_t is_armed;
};

TAILQ_HEAD(dpt_timer_list, dpt_timer);

struct dpt_timer_wheel {
	struct dpt_timer_list slots[DPT_TIMER_LEVELS * DPT_TIMER_SLOTS];
	struct dpt_timer_list expired;
	uint64_t bitmap[DPT_TIMER_LEVELS]; /* slots that are not empty */
	uint64_t tick;			   /* time up to which the wheel has been turned */
	uint32_t armed_cnt;
};

/* Empty wheel that stands at now_ns. */
void dpt_timer_wheel_init(struct dpt_timer_wheel *wheel, uint64_t now_ns);

/* A timer that is not armed; kind is kept for the owner. */
void dpt_timer_init(struct dpt_timer *timer, uint8_t kind);

/*
 * Arm, or arm anew, for expires_ns (absolute). A time that has passed already,
 * or lies beyond the wheel's horizon (4.6 hours), is moved to the nearest end.
 */
void dpt_timer_set(struct dpt_timer_wheel *wheel, struct dpt_timer *timer, uint64_t expires_ns);

/* Disarm; nothing happens if it is not armed. */
void dpt_timer_cancel(struct dpt_timer_wheel *wheel, struct dpt_timer *timer);

/* The next timer with expires_ns <= now_ns, disarmed, or NULL when there is none. */
struct dpt_timer *dpt_timer_pop(struct dpt_timer_wheel *wheel, uint64_t now_ns);

/*
 * A time not later than the earliest expiry, DPT_NEVER_NS when nothing is armed.
 * It may be earlier by what the coarser levels round away; popping at that time
 * then yields nothing and moves the deadline on.
 */
uint64_t dpt_timer_wheel_deadline_ns(const struct dpt_timer_wheel *wheel);

#endif /* DPT_TIMER_H */
