/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TWO_ENDS_H
#define TWO_ENDS_H

/*
 * Two whole nodes on one or two wires, for fuzz targets. The second one plays the peer until
 * contact is open, then it is gone, and the target's frames come in its place.
 *
 *     own ---- bearer 0 ---- peer          what the peer had said last is in link[]
 *         \--- bearer 1 ---/
 */

#include <stdbool.h>
#include <stdint.h>

#include "dpt_stack.h"
#include "ends_conns.h"

#define ENDS_FRAME_BYTES 1500
#define ENDS_BEARERS	 2

/* Options of ends_start. */
#define ENDS_TWO_BEARERS 0x01
#define ENDS_NO_ENHANCED 0x02 /* neither side has TUNNEL_ENHANCED */
#define ENDS_NO_GAP_ACK	 0x04
#define ENDS_NO_SEQNO	 0x08

/* What frames on one bearer said. */
struct ends_link {
	uint16_t session;  /* the peer's */
	uint16_t seqno;	   /* the peer's next packet */
	uint16_t state_no; /* the peer's next STATE */
	uint16_t inner_no; /* what seqno would be without the RESET: goes on in a tunnel */
	uint16_t own_session;
	uint16_t own_seqno; /* our last packet */
};

struct ends {
	struct dpt_stack *own;
	struct dpt_node_addr own_addr;
	struct dpt_node_addr peer_addr;
	struct ends_link link[ENDS_BEARERS];
	struct dpt_port port;	 /* a socket of own, bound to {1000, 0, 99} */
	struct ends_conns conns; /* and those with connections */
	uint64_t now_ns;
};

/* Contact is open, over each bearer, and nothing is on the wire. */
void ends_start(struct ends *ends, uint8_t options);

/* A frame of the peer arrives. m is gone. */
void ends_feed(struct ends *ends, uint8_t bearer_id, struct rte_mbuf *m);

/* Let time pass, with each timer on its way; what own sends is lost. */
void ends_run(struct ends *ends, uint64_t ns);

/* An application of own does something with its connections: ends_conns.h. */
void ends_act(struct ends *ends, uint8_t choice);

/* Own sends bytes of payload to the peer. */
void ends_send(struct ends *ends, uint32_t bytes, uint8_t importance);

/*
 * The end: every frame was counted once, and every buffer in the sequence of a link
 * (dpt_node_counters.h), nothing is left in an output, and the pool is full.
 */
void ends_finish(struct ends *ends);

#endif /* TWO_ENDS_H */
