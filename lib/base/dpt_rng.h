/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_RNG_H
#define DPT_RNG_H

/*
 * Seeded generator. Randomness is an argument: the caller seeds it, from the
 * kernel in the dataplane, from the run's seed in the simulator. Not for keys.
 * Algorithm: splitmix64 (public domain, Steele, Lea, Flood 2014).
 */

#include <stdint.h>

struct dpt_rng {
	uint64_t state;
};

static inline void
dpt_rng_seed(struct dpt_rng *rng, uint64_t seed)
{
	rng->state = seed;
}

static inline uint64_t
dpt_rng_u64(struct dpt_rng *rng)
{
	uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint32_t
dpt_rng_u32(struct dpt_rng *rng)
{
	return (uint32_t)(dpt_rng_u64(rng) >> 32);
}

/* A number in 0 .. bound - 1; bound > 0. The bias is below 2^-32. */
static inline uint32_t
dpt_rng_below(struct dpt_rng *rng, uint32_t bound)
{
	return (uint32_t)(((uint64_t)dpt_rng_u32(rng) * bound) >> 32);
}

#endif /* DPT_RNG_H */
