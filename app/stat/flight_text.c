/* SPDX-License-Identifier: BSD-3-Clause */
/* Decoder of flight records: the kind's text with its numbers and names put in (dpt_flight.h). */
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const struct {
	const char *name;
	enum dpt_stat_list list;
} lists[] = {
	{"reason", DPT_STAT_L_REASON},
	{"state", DPT_STAT_L_STATE},
	{"event", DPT_STAT_L_EVENT},
	{"node_state", DPT_STAT_L_NODE_STATE},
	{"node_event", DPT_STAT_L_NODE_EVENT},
	{"user", DPT_STAT_L_USER},
	{"tunnel", DPT_STAT_L_TUNNEL},
	{"counter", DPT_STAT_L_COUNTER},
	{"node_counter", DPT_STAT_L_NODE_COUNTER},
};

struct line {
	char *text;
	size_t bytes;
	size_t used;
};

static void
line_add(struct line *line, const char *text)
{
	size_t bytes = strlen(text), room = line->bytes - 1 - line->used;

	bytes = bytes < room ? bytes : room;
	memcpy(line->text + line->used, text, bytes);
	line->used += bytes;
	line->text[line->used] = '\0';
}

/* A value as the list has it; a number where there is none of that name. */
static void
value_add(struct line *line, const struct snap *snap, const char *list, uint32_t value)
{
	char number[24];

	if (strcmp(list, "state_flags") == 0) {
		line_add(line, value == 0 ? "-" : "");
		line_add(line, value & DPT_FLIGHT_STATE_PROBE ? "P" : "");
		line_add(line, value & DPT_FLIGHT_STATE_REPLY ? "R" : "");
		return;
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const char *name;

		if (strcmp(lists[i].name, list) != 0)
			continue;
		name = snap_name(snap, lists[i].list, value);
		if (name[0] != '\0') {
			line_add(line, name);
			return;
		}
	}
	snprintf(number, sizeof(number), strcmp(list, "mask") == 0 ? "0x%x" : "%u",
		 (unsigned int)value);
	line_add(line, number);
}

/* "{N}", "{N:list}" or "{c:list}" at text. Returns the octets it takes, 0: none. */
static size_t
place_add(struct line *line, const struct snap *snap, const struct dpt_flight_rec *rec,
	  const char *text)
{
	const char *end = strchr(text, '}');
	char list[32] = "";
	uint32_t value;

	if (text[0] != '{' || end == NULL || end - text < 2 || end - text >= (int)sizeof(list))
		return 0;
	if (text[1] == 'c')
		value = rec->code;
	else if (text[1] >= '0' && text[1] <= '4')
		value = rec->arg[text[1] - '0'];
	else
		return 0;
	if (text[2] == ':') {
		memcpy(list, text + 3, (size_t)(end - text - 3));
		list[end - text - 3] = '\0';
	} else if (text[2] != '}') {
		return 0;
	}
	value_add(line, snap, list, value);
	return (size_t)(end - text) + 1;
}

void
flight_text(const struct snap *snap, const struct dpt_flight_rec *rec, char *text,
	    size_t text_bytes)
{
	struct line line = {text, text_bytes, 0};
	const char *at = snap_name(snap, DPT_STAT_L_KIND_TEXT, rec->kind);

	text[0] = '\0';
	while (*at != '\0') {
		size_t place = place_add(&line, snap, rec, at);
		const char one[2] = {*at, '\0'};

		if (place == 0)
			line_add(&line, one);
		at += place == 0 ? 1 : place;
	}
}
