/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_COUNTER_H
#define DPT_COUNTER_H

/*
 * Counters come from one list per library: an X-list X(symbol, kind, text) in
 * <lib>_counters.h. From it come the struct of counters, the names and the
 * reference page.
 *
 *     #define DPT_LINK_COUNTERS(X) \
 *             X(drop_window, DROP, "packet outside the receive window")
 *     DPT_COUNTER_STRUCT(dpt_link_counters, DPT_LINK_COUNTERS);
 *
 * A counter has one writer, its owner shard. DROP counters count buffers that
 * were freed without being delivered or forwarded: each such buffer counts in
 * exactly one of them.
 */

#include <stddef.h>
#include <stdint.h>

enum dpt_counter_kind {
	DPT_COUNTER_INFO = 0,
	DPT_COUNTER_DROP = 1,
	DPT_COUNTER_ERROR = 2,
};

struct dpt_counter_desc {
	const char *name;
	const char *text;
	enum dpt_counter_kind kind;
};

#define DPT_COUNTER_FIELD_(symbol, kind, text) uint64_t symbol;
#define DPT_COUNTER_DESC_(symbol, kind, text)  {#symbol, text, DPT_COUNTER_##kind},

#define DPT_COUNTER_STRUCT(name, LIST)                                                             \
	struct name {                                                                              \
		LIST(DPT_COUNTER_FIELD_)                                                           \
	}

#define DPT_COUNTER_DESCS(array, LIST)                                                             \
	const struct dpt_counter_desc array[] = {LIST(DPT_COUNTER_DESC_){NULL, NULL, 0}}

#endif /* DPT_COUNTER_H */
