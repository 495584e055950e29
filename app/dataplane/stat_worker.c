/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's copies in the stat file. Nothing is waited for, nothing is locked: a reader that
 * copies at the same moment may see old and new numbers side by side. Contract: stat_file.h.
 *
 * Timer here: STAT_REFRESH_NS.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "dpt_stack.h"
#include "stat_file.h"

/* Our choice: fresh for a person who watches; costs some microseconds each time. */
#define STAT_REFRESH_NS 100000000
/* Nodes whose links are copied each time, in turn. Our choice: below 50 us. */
#define STAT_NODES 16

_Static_assert(sizeof(struct dpt_stack_counters_all) % sizeof(uint64_t) == 0, "all are numbers");

void
stat_worker_init(struct control *control, struct worker *w)
{
	const struct dpt_stat_hdr *hdr = control->stat.hdr;
	const struct dpt_stat_set *set = stat_at(hdr, DPT_STAT_SETS, 2u * w->idx);
	uint32_t slots = hdr->parts[DPT_STAT_LINKS].cnt / control->workers_cnt;
	uint32_t cnt, descs = stat_descs_find(hdr, "link", &cnt);
	uint32_t values = (uint32_t)control->stat.values_used + w->idx * slots * cnt;
	struct stat_worker *s = &w->stat;

	s->values = stat_at(hdr, DPT_STAT_VALUES, set[0].values_first);
	s->stack_values = stat_at(hdr, DPT_STAT_VALUES, set[1].values_first);
	s->entry = stat_at(hdr, DPT_STAT_WORKERS, w->idx);
	s->entry->lcore = w->lcore;
	s->entry->links_first = w->idx * slots;
	s->entry->links_cnt = slots;
	s->links = stat_at(hdr, DPT_STAT_LINKS, w->idx * slots);
	s->link_values = stat_at(hdr, DPT_STAT_VALUES, values);
	for (uint32_t i = 0; i < slots; i++) {
		s->links[i].descs_first = descs;
		s->links[i].values_first = values + i * cnt;
		s->links[i].values_cnt = cnt;
	}
	s->flights = (struct dpt_flights){
		.slots = stat_at(hdr, DPT_STAT_FLIGHTS, w->idx * slots),
		.slots_cnt = slots,
		.log = stat_at(hdr, DPT_STAT_CHANGES, w->idx),
	};
}

static void
refresh_link(struct stat_worker *s, const struct dpt_node *node, const struct dpt_link_info *info,
	     uint64_t now_ns)
{
	uint32_t slot;
	struct dpt_stat_link *to;
	char id[DPT_NODE_ID_TEXT_BYTES];

	if (info->flight == NULL)
		return;
	slot = (uint32_t)(info->flight - s->flights.slots);
	to = &s->links[slot];
	dpt_node_id_print(dpt_node_id_get(node), id);
	stat_text(to->peer_id, sizeof(to->peer_id), id);
	to->priority = info->priority;
	to->net_plane = info->net_plane;
	to->is_active = info->is_active;
	to->tolerance_ms = info->tolerance_ms;
	to->mtu = info->mtu;
	to->window = info->window;
	memcpy(s->link_values + (size_t)slot * sizeof(info->counters), &info->counters,
	       sizeof(info->counters));
	to->clock_ns = now_ns;
}

/* Some nodes at a time, so that a large cluster makes no turn long. */
static void
refresh_links(struct worker *w)
{
	struct stat_worker *s = &w->stat;

	for (uint32_t i = 0; i < STAT_NODES; i++) {
		const struct dpt_node *node = dpt_stack_node(w->stack, s->node_cursor);
		struct dpt_link_info info;

		if (node == NULL) {
			s->node_cursor = 0;
			return;
		}
		s->node_cursor++;
		for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
			if (dpt_node_link_info(node, id, &info) == 0)
				refresh_link(s, node, &info, w->now_ns);
	}
}

static uint64_t
now_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
stat_refresh(struct worker *w)
{
	struct stat_worker *s = &w->stat;
	struct dpt_stat_worker *entry = s->entry;
	char id[DPT_NODE_ID_TEXT_BYTES];

	/* Control logs what links did: it is woken at the end of the turn. Copies are due. */
	if (s->changes_seen != s->flights.log->next) {
		s->changes_seen = s->flights.log->next;
		w->has_answers = true;
		s->next_ns = 0;
	}
	if (w->now_ns < s->next_ns)
		return;
	if (entry->tid == 0)
		entry->tid = (uint32_t)gettid();
	s->next_ns = w->now_ns + STAT_REFRESH_NS;
	entry->clock_ns = w->now_ns;
	entry->real_ns = now_of(CLOCK_REALTIME);
	entry->loops = w->counters.loops;
	entry->loop_worst_ns = w->counters.loop_worst_ns;
	entry->loops_slow = w->counters.loops_slow;
	entry->own_node = dpt_stack_own(w->stack).value;
	dpt_node_id_print(dpt_stack_id(w->stack), id);
	stat_text(entry->own_id, sizeof(entry->own_id), id);
	memcpy(s->values, &w->counters, sizeof(w->counters));
	memcpy(s->stack_values, dpt_stack_counters(w->stack),
	       sizeof(struct dpt_stack_counters_all));
	refresh_links(w);
	__atomic_store_n(&entry->mono_ns, now_of(CLOCK_MONOTONIC), __ATOMIC_RELEASE);
}
