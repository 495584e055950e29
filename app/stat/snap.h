/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SNAP_H
#define SNAP_H

/*
 * A copy of a stat file (dpt_stat.h), taken at one moment, checked. The file may be anything
 * and may change meanwhile: all that is read here is bounded by the copy, texts end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_counter.h"
#include "dpt_stat.h"

#define SNAP_ERROR_BYTES 256
/* Larger files are refused. Our choice: 16 workers with 8190 recorders take half of it. */
#define SNAP_BYTES_MAX (UINT64_C(8) << 30)

struct snap {
	uint8_t *data;
	struct dpt_stat_hdr hdr;
	int fd;		  /* for fresh looks at recorders */
	uint64_t mono_ns; /* when it was taken */
	bool is_alive;	  /* dptipcd holds its lock */
};

/* Returns 0, or -1 with a line in error. snap_free in either case. */
int snap_take(struct snap *snap, const char *path, char error[SNAP_ERROR_BYTES]);
void snap_free(struct snap *snap);

uint32_t snap_cnt(const struct snap *snap, enum dpt_stat_part_id part);
/* Copy entry idx; zeroed when there is none. to: as large as the part's struct. */
bool snap_get(const struct snap *snap, enum dpt_stat_part_id part, uint32_t idx, void *to);

/* A text of the file, made fit to be shown: no control characters, always ended. */
const char *snap_text(char *text, size_t bytes);

/* Name of value in a list, "" when there is none. The text lives as long as the snap. */
const char *snap_name(const struct snap *snap, enum dpt_stat_list list, uint32_t value);

/*
 * A recorder as it is now, without what was written over while it was copied: *first is the
 * number of the oldest record. Falls back to the snap's copy. Returns false when there is none.
 */
bool
snap_flight(const struct snap *snap, uint32_t slot, struct dpt_flight *flight, uint32_t *first);

/* The worker that owns a slot; zeroed when there is none. */
void snap_owner(const struct snap *snap, uint32_t slot, struct dpt_stat_worker *worker,
		uint32_t *worker_idx);

/* One counter: of a set, its library's or its writer's name before the dot. */
struct snap_counter {
	char name[64];
	char text[DPT_STAT_TEXT_BYTES];
	uint32_t kind; /* enum dpt_counter_kind */
	uint64_t value;
};

/*
 * All counters, those of several workers with one name added up. Returns an array to be
 * freed, *cnt entries; NULL when there are none or no memory.
 */
struct snap_counter *snap_counters(const struct snap *snap, uint32_t *cnt);

/* The idx-th counter of a link; false past the end. */
bool snap_link_counter(const struct snap *snap, const struct dpt_stat_link *link, uint32_t idx,
		       struct snap_counter *counter);

#endif /* SNAP_H */
