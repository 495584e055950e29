/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_STACK_COUNTERS_H
#define DPT_STACK_COUNTERS_H

#include "dpt_counter.h"

/* X(symbol, kind, text). DROP: one per buffer freed without delivery (dpt_counter.h). */
#define DPT_STACK_COUNTERS(X)                                                                      \
	X(rx_frames, INFO, "frames from bearers")                                                  \
	X(drop_short, DROP, "frame shorter than its header or its size field")                     \
	X(drop_version, DROP, "not TIPC version 2 (encrypted frames included)")                    \
	X(drop_hdr_size, DROP, "header too short or too long for its user and type")               \
	X(drop_size, DROP, "size field below the header or above the largest message")             \
	X(drop_user, DROP, "user that may not come from a bearer")                                 \
	X(drop_type, DROP, "type that its user does not have")                                     \
	X(drop_node, DROP, "no previous node, or our own")                                         \
	X(drop_not_ours, DROP, "for another node")                                                 \
	X(drop_unknown_node, DROP, "from a node that discovery does not know")                     \
	X(drop_bearer_down, DROP, "on a bearer that is not up")                                    \
	X(drop_origin, DROP, "origin that is neither the peer nor one it may send on for")         \
	X(drop_up_user, DROP, "message of a user that nobody serves")                              \
	X(drop_no_buffer, DROP, "no buffer in the pool")                                           \
	X(drop_unreachable, DROP, "destination node gone when the message reached its shard")      \
	X(nodes_full, ERROR, "node not taken: nodes_max reached")                                  \
	X(consumed_discovery, INFO, "frames that discovery took")                                  \
	X(consumed_shard_msgs, INFO, "messages between shards that carried no TIPC message")       \
	X(copies_lost, ERROR, "copies for other shards or nodes lost for lack of a buffer")        \
	X(shard_msgs_sent, INFO, "messages given to other shards")                                 \
	X(shard_msgs_lost, ERROR, "messages to other shards lost: pool and reserve empty")         \
	X(events_lost, ERROR, "events to control lost: more than a call may give")                 \
	X(nodes_up, INFO, "contacts opened")                                                       \
	X(nodes_down, INFO, "contacts lost")

DPT_COUNTER_STRUCT(dpt_stack_counters, DPT_STACK_COUNTERS);

#endif /* DPT_STACK_COUNTERS_H */
