/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NAMES_COUNTERS_H
#define DPT_NAMES_COUNTERS_H

#include "dpt_counter.h"

/*
 * X(symbol, kind, text). DROP: one per buffer freed without delivery (dpt_counter.h).
 * The item_* lines count records inside a message, which is not dropped for them.
 */
#define DPT_NAMES_COUNTERS(X)                                                                      \
	X(drop_no_buffer, DROP, "part of a bulk freed again: no buffer in the pool for the rest")  \
	X(drop_orignode, DROP, "distribution message whose origin is not its sender")              \
	X(drop_unknown_peer, DROP, "distribution message of a node without contact")               \
	X(drop_before, DROP, "update with a number before the next expected")                      \
	X(drop_same_number, DROP, "update with a number that waits in the queue already")          \
	X(drop_queue_full, DROP, "update beyond the bound of the peer's queue")                    \
	X(drop_peer_down, DROP, "distribution message not applied when contact was lost")          \
	X(drop_stopped, DROP, "distribution message not applied or sent when the stack stopped")   \
	X(item_bad_range, ERROR, "item with lower > upper ignored")                                \
	X(item_reserved_type, ERROR, "item of a reserved type ignored")                            \
	X(item_bad_type, ERROR, "items of an unknown message type ignored")                        \
	X(item_duplicate, INFO, "published item that is in the table already")                     \
	X(item_unknown, INFO, "withdrawn item that is not in the table")                           \
	X(item_table_full, ERROR, "published item beyond the peer's or the table's bound")         \
	X(bulks_sent, INFO, "bulks given to new peers")                                            \
	X(updates_sent, INFO, "numbered updates given out")                                        \
	X(updates_received, INFO, "distribution messages received")                                \
	X(holds_expired, INFO, "updates sent though a peer had not acknowledged its bulk")

DPT_COUNTER_STRUCT(dpt_names_counters, DPT_NAMES_COUNTERS);

extern const struct dpt_counter_desc dpt_names_counter_descs[];

#endif /* DPT_NAMES_COUNTERS_H */
