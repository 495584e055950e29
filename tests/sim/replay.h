/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_H
#define REPLAY_H

/*
 * Captures of kernel nodes through lib/wire and lib/stack: ours takes the place of one of them.
 *
 *   capture:  a -------- frames of a -------> b      b is taken out, its frames are kept
 *   replay:   a's frames, at their times ---> ours   to compare with what ours says
 *
 * Ours has that node's identity, address, network and random number, all read from the
 * capture, and its session numbers: the generator is seeded anew before each frame that can
 * make a link. So no frame of the capture is changed. The peer answers the real node and not
 * ours: what ours says goes nowhere.
 */

#include "../unit/discovery/pcap_read.h"
#include "cu.h"
#include "dpt_stack.h"
#include "test_msg.h"
#include "test_pool.h"

#define REPLAY_FRAMES_MAX 512
#define REPLAY_NAMES_MAX  1024
#define REPLAY_STEPS_MAX  4
#define REPLAY_DOWNS_MAX  4
#define REPLAY_DROPS_MAX  4
#define REPLAY_CNTRS_MAX  512

/* What the operator of the node did in the capture. */
enum replay_do {
	REPLAY_BEARER_DOWN = 1,
	REPLAY_BEARER_UP = 2,
	REPLAY_STOP = 3,
	REPLAY_START = 4,
	REPLAY_SET = 5, /* props, of the link */
};

struct replay_step {
	/*
	 * Of the capture, counted from 0: done before this frame, at its time; STOP: at the time
	 * of the frame before.
	 */
	uint32_t frame;
	enum replay_do what;
	struct dpt_link_props props;
};

struct replay_drop {
	const char *counter; /* "library.symbol" */
	uint64_t cnt;
};

struct replay_cfg {
	const char *file;
	uint8_t place;	     /* 1: a, 2: b is ours */
	bool has_addr;	     /* the address was set: take it from the capture */
	const char *id_text; /* the identity that was set; NULL: none */
	/*
	 * The link is up when the capture begins. The contact is made first: the peer's first
	 * REQ of the capture, then frames built with the sessions of the capture's first
	 * LINK_PROTOCOL messages: ACTIVATE, STATE, broadcast synchronisation, bulk.
	 */
	bool is_linked;
	struct replay_step steps[REPLAY_STEPS_MAX]; /* ended by what 0 */
	/* Frames lost_from to lost_to - 1 of the capture never reached the node. */
	uint32_t lost_from;
	uint32_t lost_to;
	/*
	 * From the time of frame own_lost_from to that of own_lost_to the capture lacks what the
	 * real node said; what ours says is not compared. 0: it lacks nothing.
	 */
	uint32_t own_lost_from;
	uint32_t own_lost_to;
	uint32_t timer_frame; /* said by the real node's timer, whose phase ours has not; 0: none */
	uint32_t frames_max;  /* the replay ends before this frame; 0: with the last one */
	uint32_t binds_cnt;   /* names that the node bound, so broadcast, before the capture */
	uint32_t ups;
	/* Contacts lost, in order, ended by 0. */
	enum dpt_down_reason downs[REPLAY_DOWNS_MAX];
	/*
	 * Drops that are to come, besides one bcast.drop_no_peers for each stack started: its
	 * node's name, published before there is a peer. All other drops and errors stay 0.
	 */
	struct replay_drop drops[REPLAY_DROPS_MAX];
};

/* A frame that was said: by the real node or by ours. */
struct replay_frame {
	uint64_t time_ns; /* since the capture's start; DPT_NEVER_NS: before it */
	uint32_t bytes;
	uint8_t dst[6];
	uint8_t src[6];
	uint8_t msg[1536];
};

struct replay {
	const struct replay_cfg *cfg;
	struct replay_frame frames[REPLAY_FRAMES_MAX]; /* the capture */
	uint32_t frames_cnt;
	struct replay_frame said[REPLAY_FRAMES_MAX]; /* by ours */
	uint32_t said_cnt;
	struct dpt_node_addr own;  /* in the end */
	struct dpt_node_addr peer; /* in the end */
	struct dpt_stack *stack;   /* NULL: power is off */
	struct dpt_rng rng;
	struct dpt_out out;
	uint64_t now_ns;
	uint32_t steps_done;
	uint32_t starts;
	uint32_t ups;
	uint32_t downs_cnt;
	enum dpt_down_reason downs[REPLAY_DOWNS_MAX];
	uint64_t silent_ns[REPLAY_DOWNS_MAX]; /* since the peer was heard on the link */
	uint64_t heard_ns;
	/* The peer's names by its own messages. */
	struct dpt_name_item names[REPLAY_NAMES_MAX];
	uint32_t names_cnt;
	uint32_t names_most;
	uint64_t counters[REPLAY_CNTRS_MAX]; /* of stacks that were stopped */
};

/* Of every link: the kernel's default. */
#define REPLAY_TOLERANCE_MS 1500
/* Virtual time of the capture's first frame. */
#define REPLAY_BASE_NS (10 * DPT_NS_PER_S)

/* The capture through our stack. NULL after a check that failed. Valid until the next call. */
struct replay *replay_run(const struct replay_cfg *cfg);
/* Stop the stack. */
void replay_end(struct replay *rp);

static inline bool
replay_is_own(const struct replay *rp, const struct replay_frame *f)
{
	return f->src[4] == rp->cfg->place;
}

static inline uint32_t
replay_kind(const struct replay_frame *f)
{
	return dpt_msg_user(f->msg) << 3 | dpt_msg_type(f->msg);
}

/* ---- replay_names.c ---- */
/* A NAME_DISTRIBUTOR message of the peer: change the model, then compare the table with it. */
void replay_names_heard(struct replay *rp, const struct replay_frame *f);
/* The stack's names of the peer are those of its messages. */
void replay_names_check(struct replay *rp);

/* ---- replay_compare.c ---- */
/* All checks: frames, contacts, names, counters. */
void replay_check(struct replay *rp);
/* Add the stack's counters to rp->counters. */
void replay_counters_add(struct replay *rp);

#endif /* REPLAY_H */
