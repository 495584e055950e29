/* SPDX-License-Identifier: BSD-3-Clause */
/* What is printed: one line for each run, the sum of all, how often each arc was taken. */
#include <string.h>

#include "work.h"

#define SIM_SHOWN_MAX 10

void
sim_print_run(const struct sim_report *report, const struct sim_opts *opts)
{
	struct sim_plan plan;
	char text[1024];

	sim_plan_draw(&plan, opts, report->seed);
	sim_plan_print(&plan, text, sizeof(text));
	printf("seed=%llu %s\n", (unsigned long long)report->seed, text);
	printf("seed=%llu virtual_s=%.3f frames=%llu sent=%llu delivered=%llu returned=%llu "
	       "dropped=%llu lost=%llu contacts_lost=%llu hash=%016llx\n",
	       (unsigned long long)report->seed, (double)report->stats.virtual_ns / 1e9,
	       (unsigned long long)report->stats.frames, (unsigned long long)report->stats.sent,
	       (unsigned long long)report->stats.delivered,
	       (unsigned long long)report->stats.returned,
	       (unsigned long long)report->stats.dropped, (unsigned long long)report->stats.lost,
	       (unsigned long long)report->stats.contacts_lost,
	       (unsigned long long)report->stats.hash);
}

static void
sim_print_repeat(const struct sim_opts *opts, uint64_t seed)
{
	printf("  repeat: ./build%s/app/sim/dptipc-sim --seed %llu",
	       opts->mutant != NULL ? "-mutants" : "", (unsigned long long)seed);
	if (opts->nodes != 0)
		printf(" --nodes %u", opts->nodes);
	if (opts->wires != 0)
		printf(" --wires %u", opts->wires);
	if (opts->shards != 0)
		printf(" --shards %u", opts->shards);
	if (opts->seconds != 0)
		printf(" --seconds %u", opts->seconds);
	if (opts->gap_ms != 0)
		printf(" --gap %u", opts->gap_ms);
	if (opts->conns != 0)
		printf(" --conns %u", opts->conns);
	if (opts->faults_text != NULL)
		printf(" --faults %s", opts->faults_text);
	if (opts->scenario != NULL)
		printf(" --scenario %s", opts->scenario);
	if (opts->mutant != NULL)
		printf(" --mutant %s", opts->mutant);
	printf("\n");
}

void
sim_total_add(struct sim_total *total, const struct sim_report *report, const struct sim_opts *opts)
{
	const uint64_t *from = (const uint64_t *)&report->stats;
	uint64_t *to = (uint64_t *)&total->stats;
	size_t i;

	/* All fields are uint64_t; the sum of the hashes does not depend on the order. */
	for (i = 0; i < sizeof(report->stats) / sizeof(uint64_t); i++)
		to[i] += from[i];
	total->runs++;
	if (opts->is_verbose)
		sim_print_run(report, opts);
	if (!report->is_failed)
		return;
	if (total->failed++ < SIM_SHOWN_MAX) {
		printf("VIOLATION seed %llu: %s\n", (unsigned long long)report->seed,
		       report->failure);
		sim_print_repeat(opts, report->seed);
	}
	fflush(stdout);
}

static void
sim_print_conns(const struct sim_stats *s)
{
	printf("connections: %llu runs, %llu tried, %llu made (%llu within a node, %llu of them "
	       "between shards; %llu by their first message), %llu refused, %llu unfinished\n",
	       (unsigned long long)s->conn_runs, (unsigned long long)s->conns_tried,
	       (unsigned long long)s->conns_made, (unsigned long long)s->conns_own,
	       (unsigned long long)s->conns_cross, (unsigned long long)s->conns_with_data,
	       (unsigned long long)s->conns_refused, (unsigned long long)s->conns_unfinished);
	printf("ends that read: shutdown %llu, no port %llu, no node %llu, other %llu; that waited "
	       "to end: %llu; windows exhausted: %llu; %llu messages of %.1f MB; both ways whole "
	       "to the end: %llu\n",
	       (unsigned long long)s->ends_shutdown, (unsigned long long)s->ends_port,
	       (unsigned long long)s->ends_node, (unsigned long long)s->ends_other,
	       (unsigned long long)s->conn_lingering, (unsigned long long)s->conn_windows,
	       (unsigned long long)s->conn_msgs, (double)s->conn_bytes / 1e6,
	       (unsigned long long)s->conn_exact);
}

void
sim_print_total(const struct sim_total *total, const struct sim_opts *opts)
{
	const struct sim_stats *s = &total->stats;
	uint32_t f;

	printf("%llu seeds, %.2f virtual hours, %llu frames (%.1f MB), %llu lost, "
	       "%llu shard messages\n",
	       (unsigned long long)total->runs, (double)s->virtual_ns / 3.6e12,
	       (unsigned long long)s->frames, (double)s->frame_bytes / 1e6,
	       (unsigned long long)s->frames_lost, (unsigned long long)s->shard_msgs);
	printf("faults, %u kinds:", SIM_FAULT_CNT);
	for (f = 0; f < SIM_FAULT_CNT; f++)
		printf(" %s %llu", sim_fault_names[f], (unsigned long long)s->faults[f]);
	printf("\nmessages: %llu accepted, %llu refused, %llu delivered, %llu returned, "
	       "%llu dropped and counted, %llu lost with a contact\n",
	       (unsigned long long)s->sent, (unsigned long long)s->refused,
	       (unsigned long long)s->delivered, (unsigned long long)s->returned,
	       (unsigned long long)s->dropped, (unsigned long long)s->lost);
	printf("contacts lost: %llu; links lost: %llu, of them with another one left: %llu; "
	       "binds: %llu\n",
	       (unsigned long long)s->contacts_lost, (unsigned long long)s->links_lost,
	       (unsigned long long)s->failovers, (unsigned long long)s->binds);
	printf("runs with two wires: %llu, in which nothing could be lost: %llu, in which broken "
	       "frames passed: %llu, in which shards lost messages: %llu; buffers held at most, "
	       "mean: %llu\n",
	       (unsigned long long)s->two_wire_runs, (unsigned long long)s->exact_runs,
	       (unsigned long long)s->hostile_runs, (unsigned long long)s->void_runs,
	       (unsigned long long)(total->runs == 0 ? 0 : s->held_sum / total->runs));
	sim_print_conns(s);
	sim_stalls_print(s);
	if (opts->is_arcs)
		sim_arcs_print(s);
	printf("hash=%016llx\n", (unsigned long long)s->hash);
	printf("%llu passed, %llu failed\n", (unsigned long long)(total->runs - total->failed),
	       (unsigned long long)total->failed);
}
