/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --arcs: how often each event met each state. "." is an event that the table ignores, which
 * leaves no trace; a cell with "!" is one that must not happen, and was not seen to.
 */
#include "work.h"

static const char *const link_events[DPT_LINK_EVENT_CNT] = {
	"ESTABLISH",	  "PEER_RESET",	  "FAILURE",	 "RESET",
	"FAILOVER_BEGIN", "FAILOVER_END", "SYNCH_BEGIN", "SYNCH_END"};
static const char *const node_events[SIM_NODE_EVENTS] = {
	"SELF_ESTABL",	  "SELF_LOST",	  "PEER_ESTABL", "PEER_LOST",
	"FAILOVER_BEGIN", "FAILOVER_END", "SYNCH_BEGIN", "SYNCH_END"};

static void
arcs_head(const char *what, const char *const *events)
{
	uint32_t e;

	printf("arcs of %s:\n%-13s", what, "");
	for (e = 0; e < 8; e++)
		printf(" %14s", events[e]);
	printf("\n");
}

static void
arcs_row(const char *state, const uint64_t *row)
{
	uint32_t e;

	printf("%-13s", state);
	for (e = 0; e < 8; e++)
		printf(" %14llu", (unsigned long long)row[e]);
	printf("\n");
}

void
sim_arcs_print(const struct sim_stats *stats)
{
	uint32_t i;

	arcs_head("links", link_events);
	for (i = 0; i < DPT_LINK_STATE_CNT; i++)
		arcs_row(dpt_link_state_name((enum dpt_link_state)i), stats->link_arcs[i]);
	arcs_head("nodes", node_events);
	for (i = 0; i < SIM_NODE_STATES; i++)
		arcs_row(dpt_node_state_name((enum dpt_node_state)i), stats->node_arcs[i]);
}
