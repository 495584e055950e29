/* SPDX-License-Identifier: BSD-3-Clause */
/* Flight recorder. Contract: dpt_flight.h. */
#include "dpt_flight.h"

#include <string.h>

#include "dpt_assert.h"

/*
 * Stores to memory that a reader may be copying: the compiler keeps them behind those of the
 * record. Pairs with the reader's two looks at `next` (app/stat).
 */
#define FLIGHT_PUBLISH(at, value) __atomic_store_n(at, value, __ATOMIC_RELEASE)

/* A reader that sees later stores sees the earlier ones too. TSan does not know fences. */
static inline void
store_fence(void)
{
#if !defined(__SANITIZE_THREAD__)
	__atomic_thread_fence(__ATOMIC_RELEASE);
#endif
}

static void
put_at(struct dpt_flight *flight, uint32_t time, struct dpt_flight_rec rec)
{
	uint32_t next = flight->next;

	rec.time = time;
	flight->recs[next & (DPT_FLIGHT_RECS - 1)] = rec;
	FLIGHT_PUBLISH(&flight->next, next + 1);
}

/* A cursor's packets: the run that they continue grows, or a new one begins. */
static void
cursor_flush(struct dpt_flight *flight, enum dpt_flight_way way)
{
	struct dpt_flight_cursor *cursor = &flight->cursors[way];
	uint8_t kind = way == DPT_FLIGHT_WAY_SENT ? DPT_FLIGHT_SENT : DPT_FLIGHT_RECV;
	uint32_t at = flight->runs[kind - 1];
	struct dpt_flight_rec *run = &flight->recs[at & (DPT_FLIGHT_RECS - 1)];
	uint16_t cnt = (uint16_t)(cursor->seen - cursor->noted);

	if (cnt == 0)
		return;
	if (flight->next - at <= DPT_FLIGHT_RUN_NEAR && run->kind == kind &&
	    cursor->time - run->time <= DPT_FLIGHT_RUN_TIME && run->arg[1] == cursor->noted) {
		run->arg[1] = cursor->seen;
		run->arg[2] = (uint16_t)(run->arg[2] + cnt);
		run->arg[3] = (uint16_t)(cursor->time - run->time);
	} else {
		flight->runs[kind - 1] = flight->next;
		put_at(flight, cursor->time,
		       (struct dpt_flight_rec){
			       .kind = kind,
			       .arg = {(uint16_t)(cursor->noted + 1), cursor->seen, cnt}});
	}
	cursor->noted = cursor->seen;
}

void
dpt_flight_flush(struct dpt_flight *flight)
{
	cursor_flush(flight, DPT_FLIGHT_WAY_RECV);
	cursor_flush(flight, DPT_FLIGHT_WAY_SENT);
}

void
dpt_flight_put(struct dpt_flight *flight, uint64_t now_ns, struct dpt_flight_rec rec)
{
	dpt_flight_flush(flight);
	put_at(flight, (uint32_t)(now_ns >> DPT_FLIGHT_TIME_SHIFT), rec);
}

void
dpt_flight_restart(struct dpt_flight *flight)
{
	if (flight == NULL)
		return;
	dpt_flight_flush(flight);
	memset(flight->cursors, 0, sizeof(flight->cursors));
}

void
dpt_flight_run_new(struct dpt_flight *flight, uint64_t now_ns, uint16_t what, uint16_t value,
		   uint16_t extra)
{
	/* What comes first in time comes first in the ring. */
	dpt_flight_flush(flight);
	flight->runs[(what & 0xff) - 1] = flight->next;
	dpt_flight_put(flight, now_ns,
		       (struct dpt_flight_rec){.kind = (uint8_t)what,
					       .code = (uint8_t)(what >> 8),
					       .arg = {value, value, 1, 0, extra}});
}

/* Between two free slots, which is to be used first? */
static bool
slot_is_better(const struct dpt_flight *a, const struct dpt_flight *b)
{
	if (a->generation == 0 || b->generation == 0)
		return a->generation == 0 && b->generation != 0;
	return a->given_ns < b->given_ns;
}

struct dpt_flight *
dpt_flights_take(struct dpt_flights *flights, struct dpt_node_addr peer, uint8_t bearer_id,
		 uint64_t now_ns)
{
	struct dpt_flight *best = NULL;

	if (flights == NULL || flights->slots == NULL)
		return NULL;
	for (uint32_t i = 0; i < flights->slots_cnt; i++) {
		struct dpt_flight *slot = &flights->slots[i];

		if (slot->is_used)
			continue;
		if (slot->generation != 0 && slot->peer == peer.value &&
		    slot->bearer_id == bearer_id) {
			best = slot;
			break;
		}
		if (best == NULL || slot_is_better(slot, best))
			best = slot;
	}
	if (best == NULL) {
		flights->log->refused++;
		return NULL;
	}
	if (best->peer != peer.value || best->bearer_id != bearer_id) {
		/* Another link's past: its dumps carry their own names, its records go. */
		memset(best, 0, offsetof(struct dpt_flight, taken_ns));
		memset(best->recs, 0, sizeof(best->recs));
		best->ups = 0;
		best->last_down = 0;
		best->name[0] = '\0';
	}
	best->peer = peer.value;
	best->bearer_id = bearer_id;
	best->is_up = 0;
	memset(best->cursors, 0, sizeof(best->cursors));
	best->taken_ns = now_ns;
	best->changed_ns = now_ns;
	best->given_ns = 0;
	best->generation++;
	best->is_used = 1;
	return best;
}

void
dpt_flight_give(struct dpt_flight *flight, uint64_t now_ns)
{
	if (flight == NULL)
		return;
	dpt_flight_put(flight, now_ns, (struct dpt_flight_rec){.kind = DPT_FLIGHT_DELETED});
	flight->given_ns = now_ns;
	flight->is_used = 0;
}

void
dpt_flight_name_set(struct dpt_flight *flight, const char *name)
{
	size_t bytes = strnlen(name, sizeof(flight->name) - 1);

	if (flight == NULL)
		return;
	memcpy(flight->name, name, bytes);
	memset(flight->name + bytes, 0, sizeof(flight->name) - bytes);
}

static void
log_change(struct dpt_flights *flights, const struct dpt_flight *flight, uint64_t now_ns,
	   uint8_t reason)
{
	struct dpt_flight_log *log = flights->log;
	uint32_t next = log->next;
	struct dpt_flight_change *change = &log->changes[next & (DPT_FLIGHT_CHANGES - 1)];

	*change = (struct dpt_flight_change){
		.time_ns = now_ns,
		.slot = (uint32_t)(flight - flights->slots),
		.peer = flight->peer,
		.bearer_id = flight->bearer_id,
		.is_up = flight->is_up,
		.reason = reason,
	};
	memcpy(change->name, flight->name, sizeof(change->name));
	FLIGHT_PUBLISH(&log->next, next + 1);
}

void
dpt_flight_up(struct dpt_flights *flights, struct dpt_flight *flight, uint64_t now_ns)
{
	if (flight == NULL || flight->is_up)
		return;
	flight->is_up = 1;
	flight->ups++;
	flight->changed_ns = now_ns;
	log_change(flights, flight, now_ns, 0);
}

void
dpt_flight_down(struct dpt_flights *flights, struct dpt_flight *flight, uint8_t reason,
		uint64_t now_ns)
{
	struct dpt_flight_dump *dump;

	if (flight == NULL || !flight->is_up)
		return;
	dump = &flight->dumps[flight->downs & (DPT_FLIGHT_DUMPS - 1)];
	FLIGHT_PUBLISH(&dump->id, 0);
	store_fence();
	dump->next = flight->next;
	dump->time_ns = now_ns;
	dump->peer = flight->peer;
	dump->generation = flight->generation;
	dump->bearer_id = flight->bearer_id;
	dump->reason = reason;
	memcpy(dump->name, flight->name, sizeof(dump->name));
	memcpy(dump->recs, flight->recs, sizeof(dump->recs));
	FLIGHT_PUBLISH(&dump->id, flight->downs + 1);
	flight->downs++;
	flight->is_up = 0;
	flight->last_down = reason;
	flight->changed_ns = now_ns;
	log_change(flights, flight, now_ns, reason);
}

static const struct {
	const char *name;
	const char *text;
} kinds[] = {
#define FLIGHT_KIND_(symbol, number, name, text) [number] = {name, text},
	DPT_FLIGHT_KINDS(FLIGHT_KIND_)
#undef FLIGHT_KIND_
};

#define KINDS_CNT (sizeof(kinds) / sizeof(kinds[0]))

const char *
dpt_flight_kind_name(unsigned int kind)
{
	return kind < KINDS_CNT && kinds[kind].name != NULL ? kinds[kind].name : "";
}

const char *
dpt_flight_kind_text(unsigned int kind)
{
	return kind < KINDS_CNT && kinds[kind].text != NULL ? kinds[kind].text : "";
}

const char *
dpt_flight_tunnel_name(unsigned int step)
{
	static const char *const names[] = {
#define FLIGHT_TUNNEL_(symbol, number, text) [number] = (text),
		DPT_FLIGHT_TUNNELS(FLIGHT_TUNNEL_)
#undef FLIGHT_TUNNEL_
	};

	return step < sizeof(names) / sizeof(names[0]) && names[step] != NULL ? names[step] : "";
}
