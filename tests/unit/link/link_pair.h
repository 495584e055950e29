/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LINK_PAIR_H
#define LINK_PAIR_H

/*
 * Two nodes, A and B, with two links between them, all four ends real. What a node does with
 * its links in a failover and a synchronisation (03-link-node.md, 19, 20) is done here as
 * far as the links need it.
 *
 *   A  link[0] ==== wire 0 ==== link[0]  B       a wire loses pct of its frames, or all
 *      link[1] ==== wire 1 ==== link[1]
 *
 * Messages carry a number and are checked to arrive once each and in order, in either
 * direction, whatever link and whatever level they took.
 */

#include "cu.h"
#include "link_priv.h"
#include "test_pool.h"

#define PAIR_RING_PKTS 256

struct pair_end {
	struct dpt_link *link;
	_Alignas(
		64) uint8_t mem[sizeof(struct dpt_link) + 3 * PAIR_RING_PKTS * sizeof(void *) + 64];
};

struct pair_side {
	struct pair_end ends[2]; /* by wire */
	struct dpt_link_counters sums;
	struct dpt_bcast_view view;
	struct dpt_rng rng;
	struct dpt_out out;
	struct dpt_bufq wire[2]; /* frames on their way to this side, by wire */
	uint8_t active;		 /* wire that new messages take */
	bool is_failover;	 /* node state FAILINGOVER */
	bool is_synch;		 /* node state SYNCHING: link 1 waits for link 0 */
	uint16_t sync_point;
	uint32_t sent, received; /* numbers of messages */
	uint32_t rx_frames;	 /* sequenced ones given to a link */
	uint32_t wrong;		 /* messages out of order or damaged */
	uint32_t foreign;	 /* delivered, but not one of ours */
};

struct pair {
	struct pair_side sides[2];
	struct dpt_rng rng;
	uint64_t now_ns;
	uint8_t loss_pct[2];	/* by wire; 100: it is cut */
	uint32_t cut_before[2]; /* by wire: it is cut before the n-th frame from now; 0: not */
	uint16_t caps;
};

extern struct pair pair;

/* Links 0 (mtu0) and, unless mtu1 is 0, 1 are established. */
void pair_init(uint64_t seed, uint16_t mtu0, uint16_t mtu1);
/* Free everything; checks conservation and that the pool is full. */
void pair_end(void);
/* Bring up the link on that wire, as both nodes do. */
void pair_up(unsigned int wire, uint16_t mtu);

/* A message of that level and size; < 0 when the link refuses it. */
int pair_send(unsigned int side, unsigned int imp, uint32_t bytes);
/* All that has been sent arrives, or is lost, with what follows of it. */
void pair_run(void);
/* n times: an interval of time passes, and pair_run. */
void pair_ticks(unsigned int n);
/* Tick until all has arrived that was sent, at most n times. */
void pair_settle(unsigned int n);

/* Side has lost its link on that wire: failover to the other one. Returns as the link's. */
int pair_failover(unsigned int side, unsigned int wire);

#endif /* LINK_PAIR_H */
