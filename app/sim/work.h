/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_WORK_H
#define SIM_WORK_H

/* Many seeds: what workers report, and what becomes of it. */

#include "sim.h"

#define SIM_JOBS_MAX 16

/* What a worker tells its parent; smaller than PIPE_BUF, so written in one piece. */
struct sim_report {
	uint64_t seed;
	bool is_start; /* the seed begins; the rest is not set */
	bool is_failed;
	struct sim_stats stats;
	char failure[SIM_TEXT_BYTES];
};

struct sim_total {
	struct sim_stats stats;
	uint64_t runs;
	uint64_t failed;
};

/* workers.c. Return the exit status. */
int sim_single(const struct sim_opts *opts);
int sim_many(const struct sim_opts *opts);

/* summary.c */
void sim_print_run(const struct sim_report *report, const struct sim_opts *opts);
void sim_total_add(struct sim_total *total, const struct sim_report *report,
		   const struct sim_opts *opts);
void sim_print_total(const struct sim_total *total, const struct sim_opts *opts);

/* arcs.c */
void sim_arcs_print(const struct sim_stats *stats);

#endif /* SIM_WORK_H */
