/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NETLINK_SUITES_H
#define NETLINK_SUITES_H

#include "cu.h"

extern const struct cu_suite golden_requests_suite;
extern const struct cu_suite golden_answers_suite;
extern const struct cu_suite recorded_suite;
extern const struct cu_suite framing_suite;
extern const struct cu_suite error_suite;
extern const struct cu_suite attr_suite;
extern const struct cu_suite check_bearer_suite;
extern const struct cu_suite check_node_suite;
extern const struct cu_suite put_suite;
extern const struct cu_suite hazards_suite;

#endif /* NETLINK_SUITES_H */
