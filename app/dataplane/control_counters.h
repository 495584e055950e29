/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_COUNTERS_H
#define CONTROL_COUNTERS_H

/* Control's own numbers, for dumps and for the stat file. */

#include "dpt_counter.h"

struct control;

/* X(symbol, kind, text) */
#define CONTROL_COUNTERS(X)                                                                        \
	X(processes, INFO, "application processes that are attached")                              \
	X(processes_refused, ERROR, "processes that might not attach, or found no room")           \
	X(processes_hostile, ERROR, "processes detached for breaking a rule of the region")        \
	X(sockets, INFO, "sockets of all processes")                                               \
	X(sockets_refused, ERROR,                                                                  \
	  "sockets refused: the process or the node has as many as it may")                        \
	X(adoptions, INFO, "sockets that a process was handed and took over")                      \
	X(link_sets, INFO, "changes of properties of links")                                       \
	X(netlink_conns, INFO, "netlink connections now")                                          \
	X(netlink_requests, INFO, "netlink requests")                                              \
	X(netlink_refused, INFO, "netlink requests that were answered with an error")              \
	X(netlink_dumps, INFO, "netlink dumps that were begun")                                    \
	X(netlink_hostile, ERROR, "netlink connections ended for a record that may not be")

#define POOL_COUNTERS(X)                                                                           \
	X(buffers, INFO, "packet buffers in the pool")                                             \
	X(buffers_used, INFO, "packet buffers in use")

DPT_COUNTER_STRUCT(control_counters, CONTROL_COUNTERS);
DPT_COUNTER_STRUCT(pool_counters, POOL_COUNTERS);

/* Both, one behind the other. */
struct control_values {
	struct control_counters control;
	struct pool_counters pool;
};

#define CONTROL_VALUES_CNT (sizeof(struct control_values) / sizeof(uint64_t))

extern const struct dpt_counter_desc control_counter_descs[];
extern const struct dpt_counter_desc pool_counter_descs[];

void control_values_get(const struct control *control, struct control_values *values);

#endif /* CONTROL_COUNTERS_H */
