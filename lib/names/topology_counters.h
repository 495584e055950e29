/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_TOPOLOGY_COUNTERS_H
#define DPT_TOPOLOGY_COUNTERS_H

#include "dpt_counter.h"

/*
 * X(symbol, kind, text). The engine holds no buffers, so nothing here is a DROP. The closed_*
 * lines: connections that the server ended, each in exactly one of them, except
 * closed_peer, which the client ended. connections = closed_* and those that are open.
 */
#define DPT_TOPOLOGY_COUNTERS(X)                                                                   \
	X(connections, INFO, "connections to the topology server accepted")                        \
	X(connections_refused, ERROR, "connections ended at once: more than the server takes")     \
	X(requests, INFO, "records received: subscriptions and cancellations")                     \
	X(subscriptions, INFO, "subscriptions taken")                                              \
	X(cancels, INFO, "subscriptions cancelled")                                                \
	X(cancels_unknown, INFO, "cancellations that match no subscription")                       \
	X(timeouts, INFO, "subscriptions that timed out")                                          \
	X(events, INFO, "events queued for clients")                                               \
	X(events_lost, INFO, "queued events of connections that ended")                            \
	X(send_waits, INFO, "times that events waited for a client or a link")                     \
	X(send_no_buffer, ERROR, "times that an event waited for a buffer of the pool")            \
	X(closed_peer, INFO, "connections that the client or its node ended")                      \
	X(closed_short, ERROR, "connections closed: record shorter than 28 octets")                \
	X(closed_filter, ERROR, "connections closed: PORTS and SERVICE in one filter")             \
	X(closed_range, ERROR, "connections closed: lower > upper")                                \
	X(closed_node_full, ERROR, "connections closed: too many subscriptions on the node")       \
	X(closed_remote_full, ERROR, "connections closed: too many of one client on another node") \
	X(closed_queue_full, ERROR, "connections closed: too many events that were not read")      \
	X(closed_pool_empty, ERROR, "connections closed: no record left for an event")             \
	X(closed_send, ERROR, "connections closed: an event could not be sent")

DPT_COUNTER_STRUCT(dpt_topology_counters, DPT_TOPOLOGY_COUNTERS);

extern const struct dpt_counter_desc dpt_topology_counter_descs[];

#endif /* DPT_TOPOLOGY_COUNTERS_H */
