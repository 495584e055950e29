/* SPDX-License-Identifier: BSD-3-Clause */
/* dptipc-stat show, links. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"

/* Last ups and downs, and lines of the log, that `show` prints. */
#define SHOW_LAST 10

const char *
cmd_seconds(char text[32], uint64_t ns)
{
	/* Signs of life may come from a moment that is a little later than ours. */
	if (ns > UINT64_MAX / 2)
		ns = 0;
	snprintf(text, 32, "%.1f s", (double)ns / 1e9);
	return text;
}

void
cmd_moment(const struct dpt_stat_worker *worker, uint64_t clock_ns, char text[40])
{
	uint64_t real_ns = worker->real_ns - (worker->clock_ns - clock_ns);
	time_t seconds = (time_t)(real_ns / 1000000000);
	struct tm tm;
	char day[24];

	if (localtime_r(&seconds, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(day, sizeof(day), "?");
	snprintf(text, 40, "%s.%06u", day, (unsigned int)(real_ns / 1000 % 1000000));
}

const char *
cmd_reason(const struct snap *snap, uint32_t reason)
{
	const char *name = snap_name(snap, DPT_STAT_L_REASON, reason);

	return reason == 0 ? "-" : name[0] != '\0' ? name : "unknown";
}

/* ---- how it is ---- */

static uint64_t
age_ns(const struct snap *snap, uint64_t sign_ns)
{
	return snap->mono_ns > sign_ns ? snap->mono_ns - sign_ns : 0;
}

static const char *
thread_state(const struct snap *snap, uint64_t sign_ns)
{
	if (!snap->is_alive)
		return "dead";
	if (sign_ns == 0)
		return "starting";
	return age_ns(snap, sign_ns) > CMD_HUNG_NS ? "HUNG" : "runs";
}

/* What the first line says. */
static void
state_text(const struct snap *snap, const struct dpt_stat_node *node, char *text, size_t bytes)
{
	uint64_t newest_ns = node->control_mono_ns, oldest_ns = UINT64_MAX;
	char seconds[32];
	int hung = -1;

	for (uint32_t i = 0; i < snap_cnt(snap, DPT_STAT_WORKERS); i++) {
		struct dpt_stat_worker w;

		snap_get(snap, DPT_STAT_WORKERS, i, &w);
		newest_ns = w.mono_ns > newest_ns ? w.mono_ns : newest_ns;
		if (w.mono_ns != 0 && w.mono_ns < oldest_ns) {
			oldest_ns = w.mono_ns;
			hung = (int)i;
		}
	}
	if (!snap->is_alive)
		snprintf(text, bytes, "DEAD: it ended without an orderly stop, last sign %s ago",
			 cmd_seconds(seconds, age_ns(snap, newest_ns)));
	else if (hung >= 0 && age_ns(snap, oldest_ns) > CMD_HUNG_NS)
		snprintf(text, bytes, "HUNG: no sign of worker %d for %s", hung,
			 cmd_seconds(seconds, age_ns(snap, oldest_ns)));
	else if (node->control_mono_ns != 0 && age_ns(snap, node->control_mono_ns) > CMD_HUNG_NS)
		snprintf(text, bytes, "HUNG: no sign of the control thread for %s",
			 cmd_seconds(seconds, age_ns(snap, node->control_mono_ns)));
	else
		snprintf(text, bytes, node->is_stopping ? "stopping" : "runs");
}

static void
show_node(const struct snap *snap, const struct dpt_stat_node *node, struct out *out)
{
	static const struct out_column columns[] = {
		{"Name", false},    {"Pid", true},	 {"Version", false}, {"State", false},
		{"Address", false}, {"Identity", false}, {"Network", true},  {"Up", false}};
	struct dpt_stat_hdr hdr = snap->hdr;
	struct dpt_stat_worker w;
	char state[128], up[32];

	snap_get(snap, DPT_STAT_WORKERS, 0, &w);
	state_text(snap, node, state, sizeof(state));
	snap_text(hdr.name, sizeof(hdr.name));
	snap_text(hdr.version_text, sizeof(hdr.version_text));
	cmd_seconds(up, (snap->is_alive ? snap->mono_ns : w.mono_ns) - hdr.start_mono_ns);
	out_line(out, "dptipcd %s, pid %u, version %s: %s", hdr.name, hdr.pid, hdr.version_text,
		 state);
	if (!out->is_json) {
		out_line(out, "address %x, identity %s, network %u, up %s\n", w.own_node,
			 snap_text(w.own_id, sizeof(w.own_id)), node->net_id, up);
		return;
	}
	out_table(out, "node", NULL, columns, 8);
	out_cell(out, "%s", hdr.name);
	out_cell(out, "%u", hdr.pid);
	out_cell(out, "%s", hdr.version_text);
	out_cell(out, "%s", state);
	out_cell(out, "%x", w.own_node);
	out_cell(out, "%s", snap_text(w.own_id, sizeof(w.own_id)));
	out_cell(out, "%u", node->net_id);
	out_cell(out, "%s", up);
	out_table_end(out, NULL);
}

static void
show_threads(const struct snap *snap, const struct dpt_stat_node *node, struct out *out)
{
	static const struct out_column columns[] = {
		{"Thread", false}, {"Lcore", true},	    {"Tid", true},	  {"State", false},
		{"Sign ms", true}, {"Worst turn us", true}, {"Slow turns", true}, {"Turns", true}};

	out_table(out, "threads", NULL, columns, 8);
	for (uint32_t i = 0; i < snap_cnt(snap, DPT_STAT_WORKERS); i++) {
		struct dpt_stat_worker w;

		snap_get(snap, DPT_STAT_WORKERS, i, &w);
		out_cell(out, "worker %u", i);
		out_cell(out, "%u", w.lcore);
		out_cell(out, "%u", w.tid);
		out_cell(out, "%s", thread_state(snap, w.mono_ns));
		out_cell(out, "%" PRIu64, age_ns(snap, w.mono_ns) / 1000000);
		out_cell(out, "%" PRIu64, w.loop_worst_ns / 1000);
		out_cell(out, "%" PRIu64, w.loops_slow);
		out_cell(out, "%" PRIu64, w.loops);
	}
	out_cell(out, "control");
	out_cell(out, "%s", "");
	out_cell(out, "%u", snap->hdr.pid);
	out_cell(out, "%s", thread_state(snap, node->control_mono_ns));
	out_cell(out, "%" PRIu64, age_ns(snap, node->control_mono_ns) / 1000000);
	for (int i = 0; i < 3; i++)
		out_cell(out, "%s", "");
	out_table_end(out, NULL);
}

static void
show_bearers(const struct snap *snap, struct out *out)
{
	static const struct out_column columns[] = {
		{"Bearer", false}, {"State", false}, {"Mtu", true}, {"Media address", false}};

	out_table(out, "bearers", "Bearers", columns, 4);
	for (uint32_t i = 0; i < snap_cnt(snap, DPT_STAT_BEARERS); i++) {
		struct dpt_stat_bearer b;

		snap_get(snap, DPT_STAT_BEARERS, i, &b);
		if (b.name[0] == '\0')
			continue;
		out_cell(out, "%s", snap_text(b.name, sizeof(b.name)));
		out_cell(out, "%s", b.is_up ? "up" : "down");
		out_cell(out, "%u", b.mtu);
		out_cell(out, "%s", snap_text(b.maddr, sizeof(b.maddr)));
	}
	out_table_end(out, "none");
}

/* ---- what happened ---- */

struct change {
	uint32_t worker;
	struct dpt_flight_change change;
};

static int
change_order(const void *a, const void *b)
{
	uint64_t x = ((const struct change *)a)->change.time_ns;
	uint64_t y = ((const struct change *)b)->change.time_ns;

	return x < y ? -1 : x > y;
}

/* The last changes of each worker: those of all are among them. Returns how many. */
static uint32_t
changes_get(const struct snap *snap, struct change *list, uint32_t max)
{
	static struct dpt_flight_log log;
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < snap_cnt(snap, DPT_STAT_CHANGES); i++) {
		uint32_t have;

		snap_get(snap, DPT_STAT_CHANGES, i, &log);
		have = log.next < SHOW_LAST ? log.next : SHOW_LAST;
		for (uint32_t n = log.next - have; n != log.next && cnt < max; n++)
			list[cnt++] = (struct change){i, log.changes[n % DPT_FLIGHT_CHANGES]};
	}
	qsort(list, cnt, sizeof(*list), change_order);
	return cnt;
}

static void
show_changes(const struct snap *snap, struct out *out)
{
	static const struct out_column columns[] = {
		{"When", false}, {"Link", false}, {"What", false}, {"Reason", false}};
	static struct change list[16 * SHOW_LAST];
	uint32_t cnt = changes_get(snap, list, sizeof(list) / sizeof(list[0]));

	out_table(out, "changes", "Last ups and downs of links", columns, 4);
	for (uint32_t i = cnt > SHOW_LAST ? cnt - SHOW_LAST : 0; i < cnt; i++) {
		struct dpt_flight_change *c = &list[i].change;
		struct dpt_stat_worker w;
		char when[40];

		snap_get(snap, DPT_STAT_WORKERS, list[i].worker, &w);
		cmd_moment(&w, c->time_ns, when);
		out_cell(out, "%s", when);
		out_cell(out, "%s", snap_text(c->name, sizeof(c->name)));
		out_cell(out, "%s", c->is_up ? "up" : "down");
		out_cell(out, "%s", cmd_reason(snap, c->is_up ? 0 : c->reason));
	}
	out_table_end(out, "none");
}

static void
show_log(const struct snap *snap, const struct dpt_stat_node *node, struct out *out)
{
	static const struct out_column columns[] = {{"When", false}, {"Line", false}};
	uint32_t all = snap_cnt(snap, DPT_STAT_LOG);
	uint32_t have = node->log_next < SHOW_LAST ? node->log_next : SHOW_LAST;

	out_table(out, "log", "Last lines of the log", columns, 2);
	for (uint32_t n = node->log_next - have; all > 0 && n != node->log_next; n++) {
		struct dpt_stat_worker real = {0};
		struct dpt_stat_line line;
		char when[40];

		snap_get(snap, DPT_STAT_LOG, n % all, &line);
		if (line.number != n + 1)
			continue;
		real.real_ns = line.real_ns;
		cmd_moment(&real, 0, when);
		out_cell(out, "%s", when);
		out_cell(out, "%s", snap_text(line.text, sizeof(line.text)));
	}
	out_table_end(out, "none");
}

/* ---- links ---- */

static uint64_t
link_value(const struct snap *snap, const struct dpt_stat_link *link, const char *name)
{
	struct snap_counter counter;

	for (uint32_t i = 0; i < 4096 && snap_link_counter(snap, link, i, &counter); i++)
		if (strcmp(counter.name, name) == 0)
			return counter.value;
	return 0;
}

static void
link_row(const struct snap *snap, uint32_t slot, struct dpt_flight *flight, struct out *out)
{
	struct dpt_stat_worker worker;
	struct dpt_stat_link link;
	char since[32];
	uint32_t idx;

	snap_owner(snap, slot, &worker, &idx);
	snap_get(snap, DPT_STAT_LINKS, slot, &link);
	out_cell(out, "%s", snap_text(flight->name, sizeof(flight->name)));
	out_cell(out, "%s", snap_name(snap, DPT_STAT_L_STATE, flight->state));
	out_cell(out, "%s", flight->is_up ? link.is_active ? "up" : "standby" : "down");
	out_cell(out, "%s", cmd_seconds(since, worker.clock_ns - flight->changed_ns));
	out_cell(out, "%u", flight->ups);
	out_cell(out, "%u", flight->downs);
	out_cell(out, "%s", cmd_reason(snap, flight->last_down));
	out_cell(out, "%x", flight->peer);
	out_cell(out, "%u", link.priority);
	out_cell(out, "%u", link.tolerance_ms);
	out_cell(out, "%u", link.window);
	out_cell(out, "%u", link.mtu);
	out_cell(out, "%" PRIu64, link_value(snap, &link, "link.sent_pkts"));
	out_cell(out, "%" PRIu64, link_value(snap, &link, "link.recv_pkts"));
	out_cell(out, "%" PRIu64, link_value(snap, &link, "link.retransmitted"));
}

int
cmd_links(const struct snap *snap, const struct cmd_args *args, struct out *out,
	  char error[SNAP_ERROR_BYTES])
{
	static const struct out_column columns[] = {
		{"Link", false},    {"State", false},	 {"Is", false},	       {"Since", false},
		{"Ups", true},	    {"Downs", true},	 {"Last down", false}, {"Peer", false},
		{"Priority", true}, {"Tolerance", true}, {"Window", true},     {"Mtu", true},
		{"Sent", true},	    {"Received", true},	 {"Resent", true}};
	uint32_t refused = 0;

	(void)args;
	(void)error;
	out_table(out, "links", NULL, columns, 15);
	for (uint32_t slot = 0; slot < snap_cnt(snap, DPT_STAT_FLIGHTS); slot++) {
		struct dpt_flight flight;

		snap_get(snap, DPT_STAT_FLIGHTS, slot, &flight);
		if (flight.is_used)
			link_row(snap, slot, &flight, out);
	}
	out_table_end(out, "no links");
	for (uint32_t i = 0; i < snap_cnt(snap, DPT_STAT_CHANGES); i++) {
		static struct dpt_flight_log log;

		snap_get(snap, DPT_STAT_CHANGES, i, &log);
		refused += log.refused;
	}
	if (refused > 0)
		out_line(out, "%u times a link found no free recorder: dptipcd --recorders",
			 refused);
	return 0;
}

int
cmd_show(const struct snap *snap, const struct cmd_args *args, struct out *out,
	 char error[SNAP_ERROR_BYTES])
{
	struct dpt_stat_node node;

	snap_get(snap, DPT_STAT_NODE, 0, &node);
	show_node(snap, &node, out);
	show_threads(snap, &node, out);
	show_bearers(snap, out);
	out_line(out, "\nLinks");
	cmd_links(snap, args, out, error);
	show_changes(snap, out);
	show_log(snap, &node, out);
	return 0;
}
