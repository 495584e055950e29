/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_SUITES_H
#define BASE_SUITES_H

/* The suites of this test program; one file each. */

#include "cu.h"

extern const struct cu_suite base_flight_suite;
extern const struct cu_suite base_num_suite;
extern const struct cu_suite base_timer_suite;
extern const struct cu_suite base_trace_suite;

#endif /* BASE_SUITES_H */
