/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CMD_H
#define CMD_H

/* The commands of dptipc-stat: each prints what a snap holds. */

#include "out.h"
#include "snap.h"

/* Without a sign of life for so long a thread hangs: it gives one each second at least. */
#define CMD_HUNG_NS UINT64_C(2500000000)

struct cmd_args {
	const char *what;  /* PREFIX of counters, LINK of flight; NULL: none */
	bool is_all;	   /* counters: also those that are 0 */
	bool is_last_down; /* flight: as it was at the last down */
	bool is_downs;	   /* flight: at all downs that are kept */
};

/* Returns 0, or -1 with a line in error. */
int cmd_show(const struct snap *snap, const struct cmd_args *args, struct out *out,
	     char error[SNAP_ERROR_BYTES]);
int cmd_links(const struct snap *snap, const struct cmd_args *args, struct out *out,
	      char error[SNAP_ERROR_BYTES]);
int cmd_counters(const struct snap *snap, const struct cmd_args *args, struct out *out,
		 char error[SNAP_ERROR_BYTES]);
int cmd_drops(const struct snap *snap, const struct cmd_args *args, struct out *out,
	      char error[SNAP_ERROR_BYTES]);
int cmd_flight(const struct snap *snap, const struct cmd_args *args, struct out *out,
	       char error[SNAP_ERROR_BYTES]);

/* flight_text.c: what a record says, as its kind's text tells. */
void flight_text(const struct snap *snap, const struct dpt_flight_rec *rec, char *text,
		 size_t text_bytes);

/* Seconds, as "12.3 s"; and a moment of a worker's clock as local time of day. */
const char *cmd_seconds(char text[32], uint64_t ns);
void cmd_moment(const struct dpt_stat_worker *worker, uint64_t clock_ns, char text[40]);
/* "-" for none. */
const char *cmd_reason(const struct snap *snap, uint32_t reason);

#endif /* CMD_H */
