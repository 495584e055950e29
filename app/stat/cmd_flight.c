/* SPDX-License-Identifier: BSD-3-Clause */
/* dptipc-stat flight: the recorders. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static const struct out_column columns[] = {{"Seconds", true}, {"Record", false}, {"What", false}};

/* Which ring is printed, and what its times are relative to. */
struct ring {
	const struct dpt_flight_rec *recs;
	uint32_t first, next; /* numbers of records */
	uint64_t zero_ns;     /* owner's clock */
};

/*
 * The clock's lower bits tell the distance from one record to the one behind it; the newest
 * is within half a turn (36 minutes) of zero_ns.
 */
static void
ring_print(const struct snap *snap, const struct ring *ring, struct out *out)
{
	static double seconds[DPT_FLIGHT_RECS];
	uint32_t cnt = ring->next - ring->first, time;
	double at = 0;

	cnt = cnt < DPT_FLIGHT_RECS ? cnt : DPT_FLIGHT_RECS;
	time = (uint32_t)(ring->zero_ns >> DPT_FLIGHT_TIME_SHIFT);
	for (uint32_t i = cnt; i-- > 0;) {
		uint32_t number = ring->next - cnt + i;
		uint32_t own = ring->recs[number & (DPT_FLIGHT_RECS - 1)].time;

		at += (int32_t)(own - time) * ((1 << DPT_FLIGHT_TIME_SHIFT) / 1e9);
		time = own;
		seconds[i] = at;
	}
	for (uint32_t i = 0; i < cnt; i++) {
		struct dpt_flight_rec rec =
			ring->recs[(ring->next - cnt + i) & (DPT_FLIGHT_RECS - 1)];
		const char *name = snap_name(snap, DPT_STAT_L_KIND, rec.kind);
		char text[256];

		if (rec.kind == DPT_FLIGHT_NONE)
			continue;
		/* Runs count in 1.024 us. */
		if (rec.kind < DPT_FLIGHT_RUNS)
			rec.arg[3] = (uint16_t)((uint32_t)rec.arg[3] * 1024 / 1000);
		flight_text(snap, &rec, text, sizeof(text));
		out_cell(out, "%.6f", seconds[i]);
		if (name[0] != '\0')
			out_cell(out, "%s", name);
		else
			out_cell(out, "kind %u", rec.kind);
		out_cell(out, "%s", text);
	}
}

/* The slot is the link that was asked for: all, its number, peer or a part of its name. */
static bool
is_wanted(const char *what, uint32_t slot, const struct dpt_flight *flight)
{
	char number[16];

	if (flight->generation == 0)
		return false;
	if (strcmp(what, "all") == 0)
		return true;
	snprintf(number, sizeof(number), "%u", slot);
	if (strcmp(what, number) == 0)
		return true;
	snprintf(number, sizeof(number), "%x", flight->peer);
	return strcmp(what, number) == 0 || strstr(flight->name, what) != NULL;
}

static void
live_print(const struct snap *snap, uint32_t slot, struct dpt_flight *flight, uint32_t first,
	   struct out *out)
{
	char name[112], since[32];
	struct dpt_stat_worker worker;
	uint32_t idx;
	struct ring ring = {.recs = flight->recs, .first = first, .next = flight->next};

	/* The copy is ours: what its cursors have seen becomes records, as its owner would do. */
	dpt_flight_flush(flight);
	ring.next = flight->next;
	if (ring.next - ring.first > DPT_FLIGHT_RECS)
		ring.first = ring.next - DPT_FLIGHT_RECS;
	snap_owner(snap, slot, &worker, &idx);
	ring.zero_ns = flight->is_used ? worker.clock_ns : flight->given_ns;
	snprintf(name, sizeof(name), "link %s", flight->name);
	out_line(out, "%s: %s, %s for %s; %u ups, %u downs; seconds before %s", name,
		 flight->is_used ? snap_name(snap, DPT_STAT_L_STATE, flight->state) : "deleted",
		 flight->is_up ? "up" : "down",
		 cmd_seconds(since, ring.zero_ns - flight->changed_ns), flight->ups, flight->downs,
		 flight->is_used ? "its worker's last sign" : "its end");
	out_table(out, name, NULL, columns, 3);
	ring_print(snap, &ring, out);
	out_table_end(out, "  nothing recorded");
}

static void
dump_print(const struct snap *snap, uint32_t slot, struct dpt_flight_dump *dump, struct out *out)
{
	char name[128], when[40];
	struct dpt_stat_worker worker;
	uint32_t idx;
	struct ring ring = {
		.recs = dump->recs,
		.first = dump->next < DPT_FLIGHT_RECS ? 0 : dump->next - DPT_FLIGHT_RECS,
		.next = dump->next,
		.zero_ns = dump->time_ns,
	};

	snap_owner(snap, slot, &worker, &idx);
	cmd_moment(&worker, dump->time_ns, when);
	snap_text(dump->name, sizeof(dump->name));
	snprintf(name, sizeof(name), "link %s down %u", dump->name, dump->id);
	out_line(out, "%s: %s at %s; seconds before that", name, cmd_reason(snap, dump->reason),
		 when);
	out_table(out, name, NULL, columns, 3);
	ring_print(snap, &ring, out);
	out_table_end(out, "  nothing recorded");
}

/* The dumps that are asked for, oldest first. Returns how many. */
static uint32_t
dumps_print(const struct snap *snap, uint32_t slot, struct dpt_flight *flight, bool is_last,
	    struct out *out)
{
	uint32_t printed = 0;

	for (uint32_t back = is_last ? 1 : DPT_FLIGHT_DUMPS; back > 0; back--) {
		uint32_t id = flight->downs - back + 1;
		struct dpt_flight_dump *dump = &flight->dumps[(id - 1) & (DPT_FLIGHT_DUMPS - 1)];

		if (flight->downs < back || dump->id != id)
			continue;
		dump_print(snap, slot, dump, out);
		printed++;
	}
	return printed;
}

int
cmd_flight(const struct snap *snap, const struct cmd_args *args, struct out *out,
	   char error[SNAP_ERROR_BYTES])
{
	struct dpt_flight *flight = aligned_alloc(64, sizeof(*flight));
	uint32_t first, found = 0, dumps = 0;

	if (flight == NULL) {
		snprintf(error, SNAP_ERROR_BYTES, "no memory");
		return -1;
	}
	for (uint32_t slot = 0; slot < snap_cnt(snap, DPT_STAT_FLIGHTS); slot++) {
		if (!snap_flight(snap, slot, flight, &first) ||
		    !is_wanted(args->what, slot, flight))
			continue;
		found++;
		if (args->is_last_down || args->is_downs)
			dumps += dumps_print(snap, slot, flight, args->is_last_down, out);
		else
			live_print(snap, slot, flight, first, out);
	}
	free(flight);
	if (found == 0)
		snprintf(error, SNAP_ERROR_BYTES,
			 "flight: %.100s: no such link; \"dptipc-stat links\" lists them",
			 args->what);
	else if (dumps == 0 && (args->is_last_down || args->is_downs))
		out_line(out, "no link of these has gone down");
	return found == 0 && strcmp(args->what, "all") != 0 ? -1 : 0;
}
