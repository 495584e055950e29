/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORKER_COUNTERS_H
#define WORKER_COUNTERS_H

#include "dpt_counter.h"

/* X(symbol, kind, text). The worker writes, control reads copies. */
#define WORKER_COUNTERS(X)                                                                         \
	X(loops, INFO, "turns of the loop")                                                        \
	X(loops_slow, INFO, "turns longer than 100 us")                                            \
	X(loop_worst_ns, INFO, "longest turn, ns")                                                 \
	X(sleeps, INFO, "times gone to sleep")                                                     \
	X(slept_ns, INFO, "time asleep, ns")                                                       \
	X(idle_ns, INFO, "time awake without work, ns")                                            \
	X(doorbells, INFO, "wake-ups by applications")                                             \
	X(app_sends, INFO, "messages taken from applications")                                     \
	X(app_deliveries, INFO, "messages written to applications")                                \
	X(app_signals, INFO, "descriptors made readable")                                          \
	X(app_rx_full, INFO, "deliveries that waited for room in a receive log")                   \
	X(app_tx_blocked, INFO, "sends that waited: congestion, no buffer")                        \
	X(app_bad_record, ERROR, "malformed submissions: the process was detached")                \
	X(app_bad_position, ERROR, "impossible receive positions: the process was detached")       \
	X(app_bad_socket, ERROR, "submissions for a socket that is not open")                      \
	X(app_bad_address, ERROR, "submissions with an illegal address or importance")             \
	X(app_bad_credit, ERROR, "sends beyond the peer's window: the process was detached")       \
	X(app_send_late, ERROR, "unanswered sends that failed: their destination had just gone")   \
	X(app_bind_quota, ERROR, "bindings refused: the process has as many as it may")            \
	X(app_memory_quota, ERROR, "messages refused: the process has as many unread as it may")   \
	X(linger_timeouts, INFO, "closed connections whose peer left its window shut for 8 s")     \
	X(linger_refused, INFO, "closed connections that did not wait: too many others did")       \
	X(shard_ring_full, INFO, "messages between workers that waited for a ring")                \
	X(tx_forwarded, INFO, "frames handed to the worker that owns the device's queue")          \
	X(drop_tx_ring_full, DROP, "frame for another worker's queue: ring full")                  \
	X(drop_tx_no_bearer, DROP, "frame for a bearer that is not open")

DPT_COUNTER_STRUCT(worker_counters, WORKER_COUNTERS);

#define WORKER_COUNTERS_CNT (sizeof(struct worker_counters) / sizeof(uint64_t))

extern const struct dpt_counter_desc worker_counter_descs[];

#endif /* WORKER_COUNTERS_H */
