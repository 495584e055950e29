/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The link's state machine: one table. Src: 03-link-node.md, 5. Drawn without the
 * events that change nothing:
 *
 *                 PEER_RESET                ESTABLISH
 *      RESET ------------------> ESTABLISHING -----> ESTABLISHED <--SYNCH--> SYNCHING
 *       ^  ^ <--- RESET ---------   ^                  |     |   (both go down alike)
 *       |  |                        | RESET    PEER_   |     | FAILURE
 *       |  |                        |          RESET   v     v
 *       |  |                    PEER_RESET <-----------'   RESETTING
 *       |  '------------------------------ RESET -------------'
 *       '---- FAILOVER_END -- FAILINGOVER <-- FAILOVER_BEGIN -- RESET, ESTABLISHING
 */

#include "link_priv.h"

#define FSM_KEEP    0x10 /* event ignored */
#define FSM_ILLEGAL 0x20 /* event ignored and counted */
#define FSM_DOWN    0x40 /* link-down is reported */
#define FSM_STATE   0x0f

/* Short names, so that the table reads like the one of the specification. */
enum {
	GOING = DPT_LINK_RESETTING,
	RESET = DPT_LINK_RESET,
	PEERR = DPT_LINK_PEER_RESET,
	ESTNG = DPT_LINK_ESTABLISHING,
	ESTED = DPT_LINK_ESTABLISHED,
	SYNCH = DPT_LINK_SYNCHING,
	FAILO = DPT_LINK_FAILINGOVER,
	PDOWN = DPT_LINK_PEER_RESET | FSM_DOWN,
	GDOWN = DPT_LINK_RESETTING | FSM_DOWN,
	o____ = FSM_KEEP,
	X____ = FSM_ILLEGAL,
};

/* clang-format off */
static const uint8_t link_fsm[DPT_LINK_STATE_CNT][DPT_LINK_EVENT_CNT] = {
	/*                          ESTABL PEER_R FAILUR RESET  FO_BEG FO_END SY_BEG SY_END */
	[DPT_LINK_RESETTING]    = { X____, PEERR, X____, RESET, X____, X____, X____, X____ },
	[DPT_LINK_RESET]        = { o____, ESTNG, o____, o____, FAILO, o____, X____, X____ },
	[DPT_LINK_PEER_RESET]   = { o____, o____, o____, ESTNG, X____, X____, X____, X____ },
	[DPT_LINK_ESTABLISHING] = { ESTED, o____, o____, RESET, FAILO, o____, o____, X____ },
	[DPT_LINK_ESTABLISHED]  = { o____, PDOWN, GDOWN, RESET, X____, X____, SYNCH, o____ },
	[DPT_LINK_SYNCHING]     = { o____, PDOWN, GDOWN, RESET, X____, X____, o____, ESTED },
	[DPT_LINK_FAILINGOVER]  = { o____, o____, o____, o____, X____, RESET, X____, X____ },
};
/* clang-format on */

/* Record a new state; a link that has come up has its whole name now. */
static void
fsm_flight(struct dpt_link *link, enum dpt_link_event event, uint8_t old, uint64_t now_ns)
{
	struct dpt_link_info info;

	link->flight->state = link->state;
	LINK_NOTE(link, STATE, event, old, link->state);
	if (link->flight->is_up || !link_is_up(link))
		return;
	dpt_link_info_get(link, &info);
	dpt_flight_name_set(link->flight, info.name);
	dpt_flight_up(link->env.flights, link->flight, now_ns);
	LINK_NOTE(link, UP, 0, link->session, link->peer_session, link->mtu, link->tolerance_ms,
		  link->window);
}

uint32_t
dpt_link_event(struct dpt_link *link, enum dpt_link_event event, uint64_t now_ns)
{
	uint8_t entry = link_fsm[link->state][event];
	uint8_t old = link->state;

	link->flight_ns = now_ns;
	if (entry & FSM_KEEP)
		return 0;
	if (entry & FSM_ILLEGAL) {
		LINK_COUNT(link, fsm_illegal);
		LINK_NOTE(link, ILLEGAL, event, old);
		link_trace(link, now_ns, LINK_TRACE_ILLEGAL, (uint16_t)event, old, 0);
		return 0;
	}
	link->state = entry & FSM_STATE;
	if (old == DPT_LINK_ESTABLISHING && link->state == DPT_LINK_ESTABLISHED)
		link_guard_up(link, now_ns);
	link_trace(link, now_ns, LINK_TRACE_STATE, (uint16_t)event, old, link->state);
	if (link->flight != NULL)
		fsm_flight(link, event, old, now_ns);
	return entry & FSM_DOWN ? DPT_LINK_R_DOWN : 0;
}

uint32_t
link_fail(struct dpt_link *link, enum dpt_down_reason reason, uint64_t now_ns)
{
	uint32_t result = dpt_link_event(link, DPT_LINK_EV_FAILURE, now_ns);

	if (result & DPT_LINK_R_DOWN) {
		link->last_down = (uint8_t)reason;
		link_trace(link, now_ns, LINK_TRACE_FAILURE, (uint16_t)reason, link->silent,
			   link->snd_una);
		LINK_NOTE(link, FAILURE, reason, link->silent, link->snd_una, link->snd_nxt);
	}
	return result;
}

const char *
dpt_link_state_name(enum dpt_link_state state)
{
	static const char *const names[DPT_LINK_STATE_CNT] = {
		[DPT_LINK_RESETTING] = "resetting",	 [DPT_LINK_RESET] = "reset",
		[DPT_LINK_PEER_RESET] = "peer-reset",	 [DPT_LINK_ESTABLISHING] = "establishing",
		[DPT_LINK_ESTABLISHED] = "established",	 [DPT_LINK_SYNCHING] = "synching",
		[DPT_LINK_FAILINGOVER] = "failing-over",
	};

	return (unsigned int)state < DPT_LINK_STATE_CNT ? names[state] : "unknown";
}

const char *
dpt_link_event_name(enum dpt_link_event event)
{
	static const char *const names[DPT_LINK_EVENT_CNT] = {
		[DPT_LINK_EV_ESTABLISH] = "establish",
		[DPT_LINK_EV_PEER_RESET] = "peer-reset",
		[DPT_LINK_EV_FAILURE] = "failure",
		[DPT_LINK_EV_RESET] = "reset",
		[DPT_LINK_EV_FAILOVER_BEGIN] = "failover-begin",
		[DPT_LINK_EV_FAILOVER_END] = "failover-end",
		[DPT_LINK_EV_SYNCH_BEGIN] = "synch-begin",
		[DPT_LINK_EV_SYNCH_END] = "synch-end",
	};

	return (unsigned int)event < DPT_LINK_EVENT_CNT ? names[event] : "unknown";
}
