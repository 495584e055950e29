/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LINK_NOTE_H
#define LINK_NOTE_H

/* Counters, trace and flight record of a link: part of link_priv.h, which includes it. */

#include "link_priv.h"

/* ---- counting: link.c ---- */

/* offset: of the counter in struct dpt_link_counters. */
static inline void
link_count(struct dpt_link *link, size_t offset, uint64_t n)
{
	*(uint64_t *)((uint8_t *)&link->counters + offset) += n;
	*(uint64_t *)((uint8_t *)link->sums + offset) += n;
}

#define LINK_COUNT_N(link, symbol, n)                                                              \
	link_count(link, offsetof(struct dpt_link_counters, symbol), n)
#define LINK_COUNT(link, symbol) LINK_COUNT_N(link, symbol, 1)

/* Count a dropped message in the counter at offset and trace it; m is not freed. */
void link_drop_note(struct dpt_link *link, const uint8_t *hdr, size_t offset, uint64_t now_ns);
/* The same, and free it. */
void link_drop_buf(struct dpt_link *link, struct rte_mbuf *m, size_t offset, uint64_t now_ns);
#define LINK_DROP(link, m, symbol, now_ns)                                                         \
	link_drop_buf(link, m, offsetof(struct dpt_link_counters, symbol), now_ns)
/* A packet of our own that was sent and not confirmed, or waited: each message in it counts. */
void link_drop_sent(struct dpt_link *link, struct rte_mbuf *m, uint64_t now_ns);
#define LINK_DROP_NOTE(link, hdr, symbol, now_ns)                                                  \
	link_drop_note(link, hdr, offsetof(struct dpt_link_counters, symbol), now_ns)

static inline void
link_trace(const struct dpt_link *link, uint64_t now_ns, enum link_trace kind, uint16_t arg16,
	   uint64_t arg0, uint64_t arg1)
{
	dpt_trace_add(link->env.trace, now_ns, (uint16_t)kind, arg16, link->peer.value, arg0, arg1);
}

/*
 * ---- flight recorder (dpt_flight.h): kind without its prefix, code, up to five arguments ----
 * Every function that is given the time stores it in flight_ns first.
 */
#define LINK_REC_(kind_, code_, ...)                                                               \
	((struct dpt_flight_rec){                                                                  \
		.kind = DPT_FLIGHT_##kind_, .code = (uint8_t)(code_), .arg = {__VA_ARGS__}})
#define LINK_NOTE(link, kind_, code_, ...)                                                         \
	dpt_flight_add((link)->flight, (link)->flight_ns, LINK_REC_(kind_, code_, __VA_ARGS__))
/* One more packet of a run of consecutive numbers; extra: the run's argument of its own. */
#define LINK_NOTE_RUN(link, kind_, seq_, extra_)                                                   \
	dpt_flight_run((link)->flight, (link)->flight_ns, true,                                    \
		       DPT_FLIGHT_WHAT(DPT_FLIGHT_##kind_, 0), (uint16_t)(seq_),                   \
		       (uint16_t)(extra_))
/* One more of a run of anything. */
#define LINK_NOTE_MORE(link, kind_, code_, value_, extra_)                                         \
	dpt_flight_run((link)->flight, (link)->flight_ns, false,                                   \
		       DPT_FLIGHT_WHAT(DPT_FLIGHT_##kind_, code_), (uint16_t)(value_),             \
		       (uint16_t)(extra_))
/* Count an ERROR counter and record it with up to three values. */
#define LINK_ERROR(link, symbol, ...)                                                              \
	do {                                                                                       \
		LINK_COUNT(link, symbol);                                                          \
		LINK_NOTE(link, ERROR,                                                             \
			  offsetof(struct dpt_link_counters, symbol) / sizeof(uint64_t),           \
			  __VA_ARGS__);                                                            \
	} while (0)

#endif /* LINK_NOTE_H */
