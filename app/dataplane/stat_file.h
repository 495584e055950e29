/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STAT_FILE_H
#define STAT_FILE_H

/*
 * The stat file (dpt_stat.h): made before the workers, named when all is well, removed at an
 * orderly stop. Flight recorders lie in it; counters and links are copied into it.
 *
 * Files: stat.c the file; stat_names.c names and texts; stat_worker.c a worker's copies;
 * stat_control.c control's copies, and the log.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_limits.h"
#include "dpt_stat.h"

struct control;
struct worker;
struct args;

/* A worker's part of it. [owner] */
struct stat_worker {
	struct dpt_flights flights;
	struct dpt_stat_worker *entry;
	struct dpt_stat_link *links; /* by slot, as flights.slots */
	uint64_t *values;	     /* the worker's counters */
	uint64_t *stack_values;
	uint8_t *link_values; /* of slot 0; links_values_bytes from one to the next */
	uint64_t next_ns;     /* next refresh */
	uint32_t node_cursor; /* next node whose links are copied */
	uint32_t changes_seen;
};

/* Control's. */
struct stat_file {
	struct dpt_stat_hdr *hdr; /* the mapping */
	int fd;			  /* -1: no file, memory only */
	char path[128];		  /* "": not named yet, or no file */
	char tmp_path[160];
	uint64_t values_used; /* entries of VALUES that are given out */
	uint64_t refresh_ns;  /* CLOCK_MONOTONIC: next copies of control */
	uint32_t changes_seen[DPT_SHARDS_MAX];
	uint64_t lines_ns; /* begin of the second in which lines are counted */
	uint32_t lines_cnt;
};

/* A turn of the control thread at least so often. Our choice. */
#define STAT_CONTROL_MS 1000

/* The part's idx-th entry. */
void *stat_at(const struct dpt_stat_hdr *hdr, enum dpt_stat_part_id part, uint32_t idx);
/* Copy text, cut to what there is room for; the rest is zeroed. */
void stat_text(char *to, size_t to_bytes, const char *text);

/*
 * Make the mapping for control->workers_cnt workers, fill in what stays. It never fails
 * because of the file: without one the memory is there all the same, and why says what is the
 * matter ("" else). Returns 0, or -1: no memory.
 */
int stat_open(struct control *control, char *why, size_t why_bytes);
/* Give the file its name. Problems are logged. */
void stat_publish(struct control *control);
/* Remove the file, if it is still ours. */
void stat_close(struct control *control);

/* stat_names.c: contents of NAMES and DESCS; with hdr NULL only how many there are. */
uint32_t stat_names_fill(struct dpt_stat_hdr *hdr);
uint32_t stat_descs_fill(struct dpt_stat_hdr *hdr);
/* First description of a library's counters and how many. */
uint32_t stat_descs_find(const struct dpt_stat_hdr *hdr, const char *library, uint32_t *cnt);

/* stat_worker.c */
void stat_worker_init(struct control *control, struct worker *w);
/* Copies are due, or a link went up or down. */
void stat_refresh(struct worker *w);

/* stat_control.c */
/* Log what links did; copy what control knows. Each turn of the control thread. */
void stat_control(struct control *control);
/* A line on standard output, with "dptipcd: " before it, and in the file. */
void stat_log(struct control *control, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* STAT_FILE_H */
