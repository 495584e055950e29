/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENDS_CONNS_H
#define ENDS_CONNS_H

/*
 * Sockets of the connection types of one stack, one in each state, and an application that
 * goes on with them: accepts, reads, sends, ends, begins anew. The peer's ports are PEER_PORT.
 */

#include "dpt_stack.h"

#define ENDS_PEER_PORT 0x77

enum ends_conn {
	ENDS_LISTENING,
	ENDS_CONNECTING,  /* to the peer */
	ENDS_ESTABLISHED, /* with the peer; aggregates */
	ENDS_LOCAL,	  /* with ENDS_LOCAL_PEER */
	ENDS_LOCAL_PEER,
	ENDS_CONNS_CNT,
};

struct ends_conns {
	struct dpt_stack *stack;
	struct dpt_node_addr peer;
	struct dpt_out *out;
	struct dpt_port ports[ENDS_CONNS_CNT];
};

/* All sockets, in their states. out gets what they say. */
void ends_conns_start(struct ends_conns *conns, uint64_t now_ns);
/* What the application does at once: it accepts, and closes what it accepted before. */
void ends_conns_serve(struct ends_conns *conns, uint64_t now_ns);
/* One step of the application. choice: any octet. */
void ends_conns_act(struct ends_conns *conns, uint8_t choice, uint64_t now_ns);

#endif /* ENDS_CONNS_H */
