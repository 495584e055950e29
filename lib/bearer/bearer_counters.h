/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BEARER_COUNTERS_H
#define BEARER_COUNTERS_H

/* The counters of DPT_BEARER_COUNTERS (dpt_bearer.h) as a struct and as names. */

#include "dpt_bearer.h"
#include "dpt_counter.h"

/* One per queue pair; written by its poller, read by anybody (values may be a little old). */
DPT_COUNTER_STRUCT(dpt_bearer_counters, DPT_BEARER_COUNTERS);

#define DPT_BEARER_COUNTERS_CNT (sizeof(struct dpt_bearer_counters) / sizeof(uint64_t))

extern const struct dpt_counter_desc dpt_bearer_counter_descs[];

/* Add those of one queue pair to values[0 .. cnt - 1], in the order of the list. */
void
dpt_bearer_counters_add(const struct dpt_bearer_counters *counters, uint64_t *values, uint32_t cnt);

#endif /* BEARER_COUNTERS_H */
