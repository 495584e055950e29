/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DISC_FX_H
#define DISC_FX_H

/*
 * A discovery object in a test, and messages for it. Each call into the object starts
 * with empty outputs, so what is in fx.out is what the last call appended.
 */

#include "cu.h"
#include "dpt_discovery.h"
#include "dpt_time.h"
#include "test_msg.h"
#include "test_pool.h"

#define FX_NET_ID 4711
#define FX_MS	  DPT_NS_PER_MS

struct disc_fx {
	struct dpt_discovery *disc;
	struct dpt_discovery_counters counters;
	struct dpt_rng rng;
	struct dpt_trace *trace;
	struct dpt_out out;
};

/* A: MAC 02:00:00:00:00:<no>; random as in 02-discovery.md, 11. */
struct dpt_discovery_cfg disc_fx_cfg(uint32_t random);
void disc_fx_init(struct disc_fx *fx, const struct dpt_discovery_cfg *cfg);
/* Frees everything; checks that no buffer has leaked and each message was counted once. */
void disc_fx_fini(struct disc_fx *fx);

struct dpt_maddr disc_mac(uint8_t no);

int disc_fx_bearer(struct disc_fx *fx, uint8_t bearer_id, uint8_t mac_no, uint64_t now_ns);
/* To the end of the trial: address final, no frame pending. Returns the time. */
uint64_t disc_fx_settle(struct disc_fx *fx);
void disc_fx_timeout(struct disc_fx *fx, uint64_t now_ns);
void disc_fx_rx(struct disc_fx *fx, uint8_t bearer_id, const struct dpt_link_config *msg,
		uint64_t now_ns);
void disc_fx_rx_buf(struct disc_fx *fx, uint8_t bearer_id, struct rte_mbuf *m, uint64_t now_ns);

/* The frame sent first by the last call, decoded; false: none. dst may be NULL. */
bool disc_fx_pop(struct disc_fx *fx, struct dpt_link_config *msg, struct dpt_maddr *dst);

/* The n-th event of that type in fx->out, NULL: there is none. */
const struct dpt_event *disc_fx_event(const struct disc_fx *fx, enum dpt_event_type type);

/* A message of a peer with MAC and identity ...:<no>, address as derived, signature 0x8000+no. */
struct dpt_link_config disc_msg(enum dpt_disc_type type, uint8_t no);
struct dpt_node_addr disc_addr(uint8_t no);

extern const struct cu_suite disc_suite_schedule;
extern const struct cu_suite disc_suite_trial;
extern const struct cu_suite disc_suite_peers;
extern const struct cu_suite disc_suite_hazards;
extern const struct cu_suite disc_suite_replay;
extern const struct cu_suite disc_suite_self;

#endif /* DISC_FX_H */
