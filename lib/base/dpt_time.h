/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_TIME_H
#define DPT_TIME_H

#include <stdint.h>

/* Time is an argument: nanoseconds of the caller's monotonic clock. */
#define DPT_NS_PER_MS UINT64_C(1000000)
#define DPT_NS_PER_S  UINT64_C(1000000000)

/* "No deadline": what a deadline function returns when nothing is armed. */
#define DPT_NEVER_NS UINT64_MAX

#endif /* DPT_TIME_H */
