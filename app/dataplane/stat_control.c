/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control's part of the stat file: bearers, processes, the pool; and the log, on standard
 * output and in the file. Contract: stat_file.h.
 *
 * Timers here: STAT_CONTROL_NS.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bearer_counters.h"
#include "control.h"
#include "dpt_env.h"
#include "stat_file.h"

#define STAT_CONTROL_NS 100000000
/* Lines on links in a second. Our choice: what a person can read of a cluster that flaps. */
#define STAT_LINES_MAX 20

static uint64_t
mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- log ---- */

static void
line_keep(struct dpt_stat_hdr *hdr, const char *text)
{
	struct dpt_stat_node *node = stat_at(hdr, DPT_STAT_NODE, 0);
	struct dpt_stat_line *line =
		stat_at(hdr, DPT_STAT_LOG, node->log_next % DPT_STAT_LOG_LINES);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	__atomic_store_n(&line->number, 0, __ATOMIC_RELEASE);
	line->real_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	stat_text(line->text, sizeof(line->text), text);
	__atomic_store_n(&line->number, node->log_next + 1, __ATOMIC_RELEASE);
	node->log_next++;
}

void
stat_log(struct control *control, const char *fmt, ...)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	char text[DPT_STAT_LOG_TEXT_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (control->stat.hdr != NULL)
		line_keep(control->stat.hdr, text);
	/* A reader that does not read must not stop control. */
	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
		printf("dptipcd: %s\n", text);
		fflush(stdout);
	}
}

/* May one more line on links be written in this second? */
static bool
line_may(struct control *control, uint64_t now_ns)
{
	struct stat_file *file = &control->stat;
	uint32_t more = file->lines_cnt > STAT_LINES_MAX ? file->lines_cnt - STAT_LINES_MAX : 0;

	if (now_ns - file->lines_ns > 1000000000) {
		file->lines_ns = now_ns;
		file->lines_cnt = 0;
		if (more > 0)
			stat_log(control, "%u more lines on links were left out: dptipc-stat show",
				 more);
	}
	if (file->lines_cnt++ < STAT_LINES_MAX)
		return true;
	((struct dpt_stat_node *)stat_at(file->hdr, DPT_STAT_NODE, 0))->log_dropped++;
	return false;
}

static void
change_log(struct control *control, const struct dpt_flight_change *change)
{
	const char *name = control->args->name;
	bool is_default = strcmp(name, DPT_ATTACH_NAME_DEFAULT) == 0;

	if (change->is_up)
		stat_log(control, "link %s up", change->name);
	else
		stat_log(
			control,
			"link %s down: %s; its last records: dptipc-stat%s%s flight %s --last-down",
			change->name, dpt_down_reason_name((enum dpt_down_reason)change->reason),
			is_default ? "" : " --name ", is_default ? "" : name, change->name);
}

static void
changes_log(struct control *control, uint8_t idx, uint64_t now_ns)
{
	const struct dpt_flight_log *log = control->workers[idx].stat.flights.log;
	uint32_t *seen = &control->stat.changes_seen[idx];
	/* Pairs with the store in dpt_flight.c: the change is whole. */
	uint32_t next = __atomic_load_n(&log->next, __ATOMIC_ACQUIRE);

	if (next - *seen > DPT_FLIGHT_CHANGES / 2) {
		stat_log(control, "%u ups and downs of links were left out",
			 next - *seen - DPT_FLIGHT_CHANGES / 2);
		*seen = next - DPT_FLIGHT_CHANGES / 2;
	}
	for (; *seen != next; ++*seen)
		if (line_may(control, now_ns))
			change_log(control, &log->changes[*seen % DPT_FLIGHT_CHANGES]);
}

/* ---- copies ---- */

static void
refresh_bearers(struct control *control)
{
	const struct dpt_stat_hdr *hdr = control->stat.hdr;

	for (uint32_t i = 0; i < DPT_BEARERS_MAX; i++) {
		const struct bearer_slot *slot = &control->bearers[i];
		struct dpt_stat_bearer *to = stat_at(hdr, DPT_STAT_BEARERS, i);
		const struct dpt_stat_set *set =
			stat_at(hdr, DPT_STAT_SETS, 2u * control->workers_cnt + i);
		uint64_t values[DPT_BEARER_COUNTERS_CNT] = {0};

		if (slot->bearer == NULL) {
			memset(to, 0, sizeof(*to));
			memset(stat_at(hdr, DPT_STAT_VALUES, set->values_first), 0, sizeof(values));
			continue;
		}
		stat_text(to->name, sizeof(to->name), slot->name);
		dpt_maddr_print(&slot->info.maddr, to->maddr, sizeof(to->maddr));
		to->is_up = slot->is_up;
		to->mtu = slot->info.mtu;
		slot->bearer->ops->counters(slot->bearer, values, DPT_BEARER_COUNTERS_CNT);
		memcpy(stat_at(hdr, DPT_STAT_VALUES, set->values_first), values, sizeof(values));
	}
}

static void
refresh_control(struct control *control)
{
	const struct dpt_stat_hdr *hdr = control->stat.hdr;
	const struct dpt_stat_set *set =
		stat_at(hdr, DPT_STAT_SETS, 2u * control->workers_cnt + DPT_BEARERS_MAX);
	struct control_values values;

	control_values_get(control, &values);
	memcpy(stat_at(hdr, DPT_STAT_VALUES, set->values_first), &values, sizeof(values));
	((struct dpt_stat_node *)stat_at(hdr, DPT_STAT_NODE, 0))->net_id = control->net_id;
}

void
stat_control(struct control *control)
{
	struct dpt_stat_node *node = stat_at(control->stat.hdr, DPT_STAT_NODE, 0);
	uint64_t now_ns = mono_ns();

	__atomic_store_n(&node->control_mono_ns, now_ns, __ATOMIC_RELEASE);
	node->is_stopping = control->is_stopping;
	for (uint8_t i = 0; i < control->workers_cnt; i++)
		changes_log(control, i, now_ns);
	if (now_ns < control->stat.refresh_ns)
		return;
	control->stat.refresh_ns = now_ns + STAT_CONTROL_NS;
	refresh_bearers(control);
	refresh_control(control);
}
