/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LINK_BENCH_H
#define LINK_BENCH_H

/*
 * bench_link: the link layer without sockets, names and dptipcd. An end is a node with one
 * link on one bearer; the program's own thread runs it (engine mode).
 *
 *   loop    both ends in one thread, over the loop bearer: what the protocol costs
 *   pair    one end a process, each on its CPU, over a DPDK port: the whole way
 *
 * Beside each link measurement stands one of raw frames: the same buffers of the same size
 * through the same bearer, without a link.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"
#include "dpt_bearer.h"
#include "dpt_node.h"

#define END_BURST 32

struct end {
	struct dpt_bearer *bearer;
	struct rte_mempool *pool;
	struct dpt_node *node;
	struct dpt_node_addr own, peer;
	struct dpt_bearer_info info;
	struct dpt_out out;
	struct dpt_rng rng;
	struct dpt_link_counters link_counters;
	struct dpt_node_counters node_counters;
	struct dpt_bcast_counters bcast_counters;
	bool is_blocked;   /* the level is full: no send before LINK_ROOM */
	bool is_echo;	   /* messages received are sent back */
	bool is_down_seen; /* the link went down: nothing that was measured holds */
	uint64_t received; /* messages */
	uint64_t raws;	   /* raw frames received */
	uint64_t now_ns;
	uint16_t window;
};

struct end_cfg {
	const struct dpt_bearer_ops *ops;
	const char *device;
	struct rte_mempool *pool;
	uint32_t number; /* 1 or 2: the node's address */
	uint16_t mtu_max;
	uint16_t window; /* packets */
};

/* Say why and end the program. */
void end_die(const char *what, const char *why) __attribute__((noreturn));
/* EAL with these arguments behind the ones that every mode has; ends the program on failure. */
void end_eal(const char *prefix, const char *vdev);
struct rte_mempool *end_pool(uint32_t bufs);

void end_open(struct end *end, const struct end_cfg *cfg);
/* Tell end how to reach its peer: the first RESET goes out. */
void end_connect(struct end *end, const struct dpt_maddr *peer_maddr);
/* Receive, serve timers, send. Returns frames and messages that there were. */
uint32_t end_poll(struct end *end);
/* Timers only: not needed at each turn. */
void end_timers(struct end *end);
/* Send what the node has put out. */
void end_flush(struct end *end);
bool end_is_open(const struct end *end);
/* One message with bytes of payload to the peer; false: the link's level is full. */
bool end_send(struct end *end, uint32_t bytes);
/* cnt raw frames with bytes of payload behind a header of 32. */
void end_raw_send(struct end *end, const struct dpt_maddr *to, uint32_t bytes, uint32_t cnt);
/* Receive raw frames; anything else goes to the node. Returns how many raw ones. */
uint32_t end_raw_poll(struct end *end);
uint64_t end_tx_frames(const struct end *end);
void end_close(struct end *end);

struct link_options {
	double seconds;
	double slice_s;
	int cpus[2];
	const char *sizes; /* octets, comma between */
	uint16_t window;
	uint64_t msgs; /* loop: so many messages of the first size, and then the end; 0: by time */
};

/* The n-th number of a list with commas, 0 past its end. */
uint32_t link_size_nth(const char *list, uint32_t n);
/* A SAMPLE line of a rate, with frames sent (both ways) per message. */
void link_print_rate(const char *item, uint32_t bytes, const struct bench_place *place,
		     uint64_t cnt, double took_s, uint64_t frames);

int link_loop(const struct link_options *options);
int link_pair(const struct link_options *options);

#endif /* LINK_BENCH_H */
