/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LINK_RIG_H
#define LINK_RIG_H

/*
 * One link, A's end towards B, fed with hand-made messages of B. What it sends stays in
 * rig->out.tx until the test looks at it, which stands for a bearer that has not let go.
 */

#include "cu.h"
#include "link_priv.h"
#include "test_pool.h"

#define RIG_A	      0x02010000
#define RIG_B	      0x02020000
#define RIG_SESSION_A 0x7001
#define RIG_SESSION_B 0x3001
#define RIG_RING_PKTS 1024
#define RIG_START_NS  (100 * DPT_NS_PER_S)

struct rig {
	struct dpt_link *link;
	struct dpt_link_counters sums;
	struct dpt_bcast_view view;
	struct dpt_rng rng;
	struct dpt_out out;
	struct dpt_bufq in;
	uint64_t now_ns;
	uint16_t state_seq; /* B's next STATE number */
	_Alignas(64) uint8_t mem[sizeof(struct dpt_link) + 3 * RIG_RING_PKTS * sizeof(void *) + 64];
};

/* Default set-up: eth0, bearer 0, MTU 1500, window 50 to 1000, tolerance 1500. */
extern const struct dpt_link_setup rig_setup;

void rig_init_with(struct rig *rig, const struct dpt_link_setup *setup, uint16_t ring_pkts);
void rig_init(struct rig *rig);
/* As rig_init, and established with sessions RIG_SESSION_A and _B. */
void rig_init_up(struct rig *rig);
/* Take the link up as its node does. */
void rig_up(struct rig *rig);
/* Free everything; checks that the pool is full again. */
void rig_end(struct rig *rig);

/* The bearer lets go of all that was sent. Returns how many packets. */
uint32_t rig_tx_clear(struct rig *rig);
/* Free what was delivered. Returns how many messages. */
uint32_t rig_in_clear(struct rig *rig);
/* Sequence number of the n-th frame sent and not cleared, -1: there is none. */
int rig_tx_seq(const struct rig *rig, unsigned int n);
const uint8_t *rig_tx_hdr(const struct rig *rig, unsigned int n);
/* The last event of that type, or NULL. */
const struct dpt_event *rig_event(const struct rig *rig, enum dpt_event_type type);

/* A CONN_MSG of user imp with payload_bytes, as an application's, to be sent. */
struct rte_mbuf *rig_msg(unsigned int imp, uint32_t payload_bytes);
/* Send n small messages of that importance. Returns the last result. */
int rig_send(struct rig *rig, unsigned int imp, unsigned int n);
/* The same with messages of which no two fit into one packet: not bundled. */
int rig_send_large(struct rig *rig, unsigned int imp, unsigned int n);

/* B's packet seq with ack arrives. */
struct rte_mbuf *rig_pkt(uint16_t seq, uint16_t ack);
uint32_t rig_rx(struct rig *rig, uint16_t seq, uint16_t ack);
uint32_t rig_rx_buf(struct rig *rig, struct rte_mbuf *m);

/* A LINK_PROTOCOL message of B; payload: octets behind the header. Session RIG_SESSION_B. */
struct rte_mbuf *rig_proto(enum dpt_link_protocol_type type, const void *payload, uint32_t bytes);
/* It arrives: check, then processing. m is gone. UINT32_MAX: refused by the check. */
uint32_t rig_rx_proto(struct rig *rig, struct rte_mbuf *m);
/* A RESET or ACTIVATE of B with a proper name and MTU 1500. */
struct rte_mbuf *rig_reset_msg(enum dpt_link_protocol_type type, uint16_t session);
/* B's next STATE. rec may be NULL: no blocks. */
struct rte_mbuf *
rig_state_msg(struct rig *rig, uint16_t ack, uint16_t gap, const struct dpt_gap_record *rec);
uint32_t
rig_rx_state(struct rig *rig, uint16_t ack, uint16_t gap, const struct dpt_gap_record *rec);

extern const struct cu_suite frag_suite;
extern const struct cu_suite fsm_suite;
extern const struct cu_suite proto_suite;
extern const struct cu_suite ack_suite;
extern const struct cu_suite rx_suite;
extern const struct cu_suite tx_suite;
extern const struct cu_suite timer_suite;
extern const struct cu_suite bundle_suite;
extern const struct cu_suite tunnel_suite;
extern const struct cu_suite failover_suite;
extern const struct cu_suite synch_suite;
extern const struct cu_suite props_suite;
extern const struct cu_suite guard_suite;
extern const struct cu_suite repair_suite;
extern const struct cu_suite link_stats_suite;

#endif /* LINK_RIG_H */
