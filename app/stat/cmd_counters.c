/* SPDX-License-Identifier: BSD-3-Clause */
/* dptipc-stat counters, drops. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static const struct out_column columns[] = {
	{"Counter", false}, {"Value", true}, {"Kind", false}, {"Meaning", false}};

static const char *
kind_name(uint32_t kind)
{
	return kind == DPT_COUNTER_DROP ? "drop" : kind == DPT_COUNTER_ERROR ? "error" : "";
}

static void
counter_row(const struct snap_counter *counter, struct out *out)
{
	out_cell(out, "%s", counter->name);
	out_cell(out, "%" PRIu64, counter->value);
	out_cell(out, "%s", kind_name(counter->kind));
	out_cell(out, "%s", counter->text);
}

int
cmd_counters(const struct snap *snap, const struct cmd_args *args, struct out *out,
	     char error[SNAP_ERROR_BYTES])
{
	const char *prefix = args->what != NULL ? args->what : "";
	uint32_t cnt;
	struct snap_counter *list = snap_counters(snap, &cnt);

	(void)error;
	out_table(out, "counters", NULL, columns, 4);
	for (uint32_t i = 0; i < cnt; i++)
		if (strncmp(list[i].name, prefix, strlen(prefix)) == 0 &&
		    (args->is_all || list[i].value != 0))
			counter_row(&list[i], out);
	out_table_end(out, args->is_all ? "no such counter" : "all are 0");
	free(list);
	return 0;
}

static bool
is_drop(const struct snap_counter *counter)
{
	return counter->value != 0 &&
	       (counter->kind == DPT_COUNTER_DROP || counter->kind == DPT_COUNTER_ERROR);
}

/* "node.down_peer_reset" and its like: why links went down. */
static bool
is_down(const struct snap_counter *counter)
{
	return counter->value != 0 && strncmp(counter->name, "node.down_", 10) == 0;
}

static void
link_drops(const struct snap *snap, struct out *out)
{
	static const struct out_column link_columns[] = {
		{"Link", false}, {"Counter", false}, {"Value", true}, {"Meaning", false}};

	out_table(out, "link_drops", "Links that are there, since they were last reset",
		  link_columns, 4);
	for (uint32_t slot = 0; slot < snap_cnt(snap, DPT_STAT_LINKS); slot++) {
		struct dpt_stat_link link;
		struct snap_counter counter;
		struct dpt_flight flight;

		snap_get(snap, DPT_STAT_LINKS, slot, &link);
		snap_get(snap, DPT_STAT_FLIGHTS, slot, &flight);
		if (!flight.is_used || link.clock_ns == 0)
			continue;
		for (uint32_t i = 0; i < 4096 && snap_link_counter(snap, &link, i, &counter); i++) {
			if (!is_drop(&counter))
				continue;
			out_cell(out, "%s", snap_text(flight.name, sizeof(flight.name)));
			out_cell(out, "%s", counter.name);
			out_cell(out, "%" PRIu64, counter.value);
			out_cell(out, "%s", counter.text);
		}
	}
	out_table_end(out, "no drops");
}

int
cmd_drops(const struct snap *snap, const struct cmd_args *args, struct out *out,
	  char error[SNAP_ERROR_BYTES])
{
	uint32_t cnt;
	struct snap_counter *list = snap_counters(snap, &cnt);

	(void)args;
	(void)error;
	out_table(out, "drops", "Dropped or refused, since the start", columns, 4);
	for (uint32_t i = 0; i < cnt; i++)
		if (is_drop(&list[i]))
			counter_row(&list[i], out);
	out_table_end(out, "nothing");
	out_table(out, "downs", "Links that went down, since the start", columns, 4);
	for (uint32_t i = 0; i < cnt; i++)
		if (is_down(&list[i]))
			counter_row(&list[i], out);
	out_table_end(out, "none");
	free(list);
	link_drops(snap, out);
	return 0;
}
