/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLOCK_H
#define CLOCK_H

/*
 * The dataplane's time: nanoseconds since start, from the time stamp counter, by one
 * multiplication instead of a division. All workers share it.
 */

#include <stdint.h>

#include <rte_cycles.h>

struct clock {
	uint64_t tsc0;
	uint64_t ns_per_tsc; /* times 2^32 */
};

/* 0 means "never" in places, so time begins later. Our choice. */
#define CLOCK_START_NS UINT64_C(1000000000)

static inline void
clock_init(struct clock *clock)
{
	clock->tsc0 = rte_rdtsc();
	clock->ns_per_tsc = (uint64_t)(((__uint128_t)1000000000 << 32) / rte_get_tsc_hz());
}

static inline uint64_t
clock_ns(const struct clock *clock)
{
	uint64_t tsc = rte_rdtsc() - clock->tsc0;

	/* A counter of another core may be a little behind ours at the very start. */
	if ((int64_t)tsc < 0)
		tsc = 0;
	return CLOCK_START_NS + (uint64_t)(((__uint128_t)tsc * clock->ns_per_tsc) >> 32);
}

#endif /* CLOCK_H */
