/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BCAST_FX_H
#define BCAST_FX_H

/* Both ends of a broadcast stream in a test, and messages for them. */

#include "cu.h"
#include "dpt_bcast.h"
#include "dpt_seq.h"
#include "dpt_time.h"
#include "test_msg.h"
#include "test_pool.h"

#define FX_NET_ID 4711
#define FX_MS	  DPT_NS_PER_MS
/* Src: the captured examples: A sends, B receives. */
#define FX_A dpt_node_addr(0x01001001)
#define FX_B dpt_node_addr(0x01001002)
#define FX_C dpt_node_addr(0x01001003)

struct bcast_fx {
	struct dpt_rng rng;
	struct dpt_trace *trace;
	struct dpt_env env;
	struct dpt_bcast_counters counters;
	struct dpt_bcast_rcv rcv;  /* B's end of A's stream */
	struct dpt_bcast_snd *snd; /* A's stream; bearer 0 is Ethernet, MTU 1500 */
	struct dpt_out out;
};

void bcast_fx_init(struct bcast_fx *fx);
/* Frees everything that is left; the pool must be full then. */
void bcast_fx_fini(struct bcast_fx *fx);
void bcast_fx_clear(struct bcast_fx *fx);

/* Peers of the send link: a link over bearer 0 each, tolerance 1500 ms. */
void bcast_fx_peer(struct bcast_fx *fx, struct dpt_node_addr peer);
/* Send cnt small multicast messages, numbered from fx's first on. */
void bcast_fx_send(struct bcast_fx *fx, uint32_t cnt, uint64_t now_ns);
/* Numbers of the frames in out.tx, which is emptied. Returns how many. */
uint32_t bcast_fx_sent(struct bcast_fx *fx, uint16_t *seqnos, uint32_t max);

/* The init message: the stream of A begins after last_bcast. */
void bcast_fx_sync(struct bcast_fx *fx, uint16_t last_bcast);
/* Packet seqno of A reaches B. Returns what dpt_bcast_rcv_rx does. */
bool bcast_fx_rx(struct bcast_fx *fx, uint16_t seqno);
/* Messages delivered by the calls so far: their numbers; out.up is emptied. */
uint32_t bcast_fx_got(struct bcast_fx *fx, uint32_t *nos, uint32_t max);

/* A multicast message of A with a number as payload and bytes octets in all, >= 48. */
struct rte_mbuf *bcast_msg(uint32_t no, uint32_t bytes);
/* The same as a packet of A's stream: seqno, also its number. */
struct rte_mbuf *bcast_pkt(uint16_t seqno);
/* STATE from peer to A, with blocks. */
struct rte_mbuf *bcast_state(struct dpt_node_addr peer, uint16_t ack, uint16_t gap,
			     const struct dpt_gap_block *blocks, uint8_t blocks_cnt);
/* The STATE that the view makes B send. */
struct rte_mbuf *bcast_state_of(const struct dpt_bcast_rcv *rcv);

extern const struct cu_suite bcast_suite_rcv;
extern const struct cu_suite bcast_suite_snd;
extern const struct cu_suite bcast_suite_report;
extern const struct cu_suite bcast_suite_hazards;
extern const struct cu_suite bcast_suite_replay;
extern const struct cu_suite bcast_suite_lossy;

#endif /* BCAST_FX_H */
