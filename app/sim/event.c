/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The queue of events: a binary heap ordered by time, then by the running number, so that
 * events of one instant happen in the order in which they were made.
 */
#include <stdlib.h>

#include "sim.h"

static bool
event_is_before(const struct sim_event *a, const struct sim_event *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	return a->nr < b->nr;
}

void
sim_heap_push(struct sim_heap *heap, const struct sim_event *event)
{
	struct sim_event e = *event;
	uint32_t i;

	if (heap->cnt == heap->room) {
		heap->room = heap->room == 0 ? 4096 : heap->room * 2;
		heap->events = realloc(heap->events, heap->room * sizeof(heap->events[0]));
		DPT_ASSERT(heap->events != NULL);
	}
	e.nr = heap->nr++;
	heap->bufs += e.m != NULL ? e.m->nb_segs : 0;
	for (i = heap->cnt++; i > 0; i = (i - 1) / 2) {
		if (event_is_before(&heap->events[(i - 1) / 2], &e))
			break;
		heap->events[i] = heap->events[(i - 1) / 2];
	}
	heap->events[i] = e;
}

bool
sim_heap_pop(struct sim_heap *heap, struct sim_event *event)
{
	const struct sim_event *last;
	uint32_t i = 0;

	if (heap->cnt == 0)
		return false;
	*event = heap->events[0];
	heap->bufs -= event->m != NULL ? event->m->nb_segs : 0;
	last = &heap->events[--heap->cnt];
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= heap->cnt)
			break;
		if (child + 1 < heap->cnt &&
		    event_is_before(&heap->events[child + 1], &heap->events[child]))
			child++;
		if (event_is_before(last, &heap->events[child]))
			break;
		heap->events[i] = heap->events[child];
		i = child;
	}
	heap->events[i] = *last;
	return true;
}
