/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The node's state machine: one table. Src: 03-link-node.md, 15.2. Names are own view,
 * then the peer's view, of the contact:
 *
 *   DOWN_LEAVING --PEER_LOST--> DOWN_DOWN --SELF_ESTABL--> UP_COMING --PEER_ESTABL--> UP_UP
 *    ^ (initial)                 ^    ^                       | SELF_LOST             |   |
 *    |                           |    '-----------------------'                       |   |
 *    |                           '-- SELF_LOST -- LEAVING_DOWN <-------- PEER_LOST ---'   |
 *    '------------------------------------------------------- SELF_LOST ------------------'
 */

#include "node_priv.h"

#define FSM_KEEP    0x10 /* event ignored */
#define FSM_ILLEGAL 0x20 /* event ignored and counted */

/* Short names, so that the table reads like the one of the specification. */
enum {
	DN_DN = DPT_NODE_DOWN_DOWN,
	UP_CO = DPT_NODE_UP_COMING,
	CO_UP = DPT_NODE_COMING_UP,
	UP_UP = DPT_NODE_UP_UP,
	DN_LE = DPT_NODE_DOWN_LEAVING,
	LE_DN = DPT_NODE_LEAVING_DOWN,
	FAILO = DPT_NODE_FAILINGOVER,
	SYNCH = DPT_NODE_SYNCHING,
	o____ = FSM_KEEP,
	X____ = FSM_ILLEGAL,
};

/* clang-format off */
static const uint8_t node_fsm[NODE_STATE_CNT][NODE_EVENT_CNT] = {
	/*                          SELF_E SELF_L PEER_E PEER_L FO_BEG FO_END SY_BEG SY_END */
	[DPT_NODE_DOWN_DOWN]    = { UP_CO, o____, CO_UP, o____, X____, X____, X____, X____ },
	[DPT_NODE_UP_COMING]    = { o____, DN_DN, UP_UP, o____, o____, X____, X____, o____ },
	[DPT_NODE_COMING_UP]    = { UP_UP, o____, o____, DN_DN, X____, X____, X____, X____ },
	[DPT_NODE_UP_UP]        = { o____, DN_LE, o____, LE_DN, FAILO, o____, SYNCH, o____ },
	[DPT_NODE_DOWN_LEAVING] = { o____, o____, o____, DN_DN, X____, X____, X____, X____ },
	[DPT_NODE_LEAVING_DOWN] = { o____, DN_DN, o____, o____, X____, X____, X____, X____ },
	[DPT_NODE_FAILINGOVER]  = { o____, DN_LE, o____, LE_DN, o____, UP_UP, X____, X____ },
	[DPT_NODE_SYNCHING]     = { o____, DN_LE, o____, LE_DN, FAILO, X____, o____, UP_UP },
};
/* clang-format on */

void
node_event(struct dpt_node *node, enum node_event event, uint64_t now_ns)
{
	uint8_t entry = node_fsm[node->state][event];
	uint16_t kind = NODE_TRACE_STATE;
	uint8_t old = node->state;

	if (entry & FSM_KEEP)
		return;
	if (entry & FSM_ILLEGAL) {
		node->cfg.node_counters->fsm_illegal++;
		kind = NODE_TRACE_ILLEGAL;
	} else {
		node->state = entry;
	}
	dpt_trace_add(node->cfg.env.trace, now_ns, kind, (uint16_t)event, node->cfg.peer.value, old,
		      node->state);
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		if (node->links[id] != NULL)
			dpt_flight_add(
				dpt_link_flight(node->links[id]), now_ns,
				(struct dpt_flight_rec){.kind = kind == NODE_TRACE_STATE
									? DPT_FLIGHT_NODE
									: DPT_FLIGHT_NODE_ILLEGAL,
							.code = (uint8_t)event,
							.arg = {old, node->state}});
	}
}

const char *
dpt_node_event_name(unsigned int event)
{
	static const char *const names[NODE_EVENT_CNT] = {
		[NODE_EV_SELF_ESTABL] = "self-established",
		[NODE_EV_SELF_LOST] = "self-lost",
		[NODE_EV_PEER_ESTABL] = "peer-established",
		[NODE_EV_PEER_LOST] = "peer-lost",
		[NODE_EV_FAILOVER_BEGIN] = "failover-begin",
		[NODE_EV_FAILOVER_END] = "failover-end",
		[NODE_EV_SYNCH_BEGIN] = "synch-begin",
		[NODE_EV_SYNCH_END] = "synch-end",
	};

	return event < NODE_EVENT_CNT ? names[event] : "unknown";
}

const char *
dpt_node_state_name(enum dpt_node_state state)
{
	static const char *const names[NODE_STATE_CNT] = {
		[DPT_NODE_DOWN_DOWN] = "down-down",	  [DPT_NODE_UP_COMING] = "up-coming",
		[DPT_NODE_COMING_UP] = "coming-up",	  [DPT_NODE_UP_UP] = "up-up",
		[DPT_NODE_DOWN_LEAVING] = "down-leaving", [DPT_NODE_LEAVING_DOWN] = "leaving-down",
		[DPT_NODE_FAILINGOVER] = "failing-over",  [DPT_NODE_SYNCHING] = "synching",
	};

	return (unsigned int)state < NODE_STATE_CNT ? names[state] : "unknown";
}
