/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ARGS_H
#define ARGS_H

/*
 * dptipcd's own options. One table (args.c) gives the parser, --help and every check.
 * Not here: EAL's options (eal_args.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dpt_ids.h"
#include "dpt_limits.h"

#define ARGS_NAME_BYTES	  64  /* Src: dpt_attach.h, DPT_ATTACH_NAME_BYTES */
#define ARGS_PATH_BYTES	  108 /* Src: unix(7), sun_path */
#define ARGS_BEARER_BYTES 128
#define ARGS_IDS_MAX	  32
#define ARGS_ERROR_BYTES  512

enum args_idle { ARGS_IDLE_POLL = 0, ARGS_IDLE_ADAPTIVE = 1 };

/* A bearer as given: "eth:net_tap0,priority=12". Numbers not given are the general ones. */
struct args_bearer {
	char name[ARGS_BEARER_BYTES]; /* "media:device" */
	uint64_t priority;
	uint64_t tolerance_ms;
	uint64_t window_pkts;
	uint64_t mtu_bytes; /* 0: the device's */
	uint64_t domain;    /* peers that are looked for, 0: all */
};

struct args {
	char name[ARGS_NAME_BYTES];
	char socket_path[ARGS_PATH_BYTES]; /* "": none */
	uint64_t socket_mode;
	uint64_t net_id;
	struct dpt_node_id node_id;	/* zero: from the first bearer */
	struct dpt_node_addr node_addr; /* 0: from the identity */
	struct args_bearer bearers[DPT_BEARERS_MAX];
	uint32_t bearers_cnt;
	uint64_t priority;
	uint64_t tolerance_ms;
	uint64_t window_pkts;
	uint64_t mtu_bytes; /* 0: the device's */
	uint64_t idle;	    /* enum args_idle */
	uint64_t workers;   /* 0: as many as EAL has worker lcores */
	uint64_t sockets;
	uint64_t bindings;
	uint64_t nodes;
	uint64_t mbufs;
	uint64_t recorders;
	char stat_file[ARGS_PATH_BYTES];    /* "": the default; "none" */
	char startup_file[ARGS_PATH_BYTES]; /* "": none */
	uint64_t region_sockets;
	uint64_t process_bindings;
	uint64_t process_kib; /* 0: half of the buffers */
	uint64_t rx_log_kib;
	uint32_t allow_uids[ARGS_IDS_MAX];
	uint32_t allow_uids_cnt;
	uint32_t allow_gids[ARGS_IDS_MAX];
	uint32_t allow_gids_cnt;
	bool is_help;
	bool is_version;
};

/*
 * Parse argv[0 .. argc - 1] (no program name). Returns 0, or -EINVAL with a line in error
 * that says what to type. args is set to the defaults first. init.
 */
int args_parse(struct args *args, int argc, char *const *argv, char error[ARGS_ERROR_BYTES]);

/* The range of a number's option, as in --NAME. Returns false when there is none. */
bool args_range(const char *name, uint64_t *min, uint64_t *max);

/* --help. */
void args_help(FILE *to);

#endif /* ARGS_H */
