/* SPDX-License-Identifier: BSD-3-Clause */
/* Outputs of protocol objects and their names. Contract: dpt_env.h. */
#include "dpt_env.h"

#define ENV_CNT(array) (sizeof(array) / sizeof((array)[0]))

const char *
dpt_refusal_name(enum dpt_refusal reason)
{
	static const char *const names[] = {
		[DPT_REFUSAL_NONE] = "none",
		[DPT_REFUSAL_NET_ID] = "other network id",
		[DPT_REFUSAL_DOMAIN] = "outside the discovery domain",
		[DPT_REFUSAL_DUPLICATE] = "duplicate address",
		[DPT_REFUSAL_MALFORMED] = "malformed",
		[DPT_REFUSAL_TABLE_FULL] = "too many nodes",
		[DPT_REFUSAL_CAPS] = "capability missing",
	};

	return (unsigned int)reason < ENV_CNT(names) ? names[reason] : "unknown";
}

const char *
dpt_down_reason_name(enum dpt_down_reason reason)
{
	static const char *const names[] = {
		[DPT_DOWN_NONE] = "none",
		[DPT_DOWN_TOLERANCE] = "peer silent",
		[DPT_DOWN_PEER_RESET] = "peer reset",
		[DPT_DOWN_PEER_STOPPING] = "peer stops",
		[DPT_DOWN_PRIORITY] = "priority changed",
		[DPT_DOWN_REASSEMBLY] = "fragments out of sequence",
		[DPT_DOWN_RETRANSMIT] = "retransmission failed",
		[DPT_DOWN_OVERFLOW] = "backlog overflow",
		[DPT_DOWN_BEARER] = "bearer down",
		[DPT_DOWN_NEW_ADDRESS] = "new media address",
		[DPT_DOWN_STOPPED] = "stopped",
		[DPT_DOWN_FAILOVER] = "failover",
	};

	return (unsigned int)reason < ENV_CNT(names) ? names[reason] : "unknown";
}

const char *
dpt_event_name(enum dpt_event_type type)
{
	static const char *const names[] = {
		[DPT_EVENT_NONE] = "NONE",
		[DPT_EVENT_LINK_UP] = "LINK_UP",
		[DPT_EVENT_LINK_DOWN] = "LINK_DOWN",
		[DPT_EVENT_NODE_UP] = "NODE_UP",
		[DPT_EVENT_NODE_DOWN] = "NODE_DOWN",
		[DPT_EVENT_LINK_ROOM] = "LINK_ROOM",
		[DPT_EVENT_NODE_GONE] = "NODE_GONE",
		[DPT_EVENT_BCAST_ACK] = "BCAST_ACK",
		[DPT_EVENT_ADDR_FINAL] = "ADDR_FINAL",
		[DPT_EVENT_LINK_SETUP] = "LINK_SETUP",
		[DPT_EVENT_CAPS] = "CAPS",
		[DPT_EVENT_DUPLICATE] = "DUPLICATE",
		[DPT_EVENT_REFUSED] = "REFUSED",
		[DPT_EVENT_BIND_DONE] = "BIND_DONE",
	};

	return (unsigned int)type < ENV_CNT(names) ? names[type] : "UNKNOWN";
}

struct dpt_event *
dpt_out_event(struct dpt_out *out, enum dpt_event_type type)
{
	struct dpt_event *event;

	DPT_ASSERT(out->events_cnt < DPT_OUT_EVENTS_MAX);
	event = &out->events[out->events_cnt++];
	*event = (struct dpt_event){.type = (uint8_t)type};
	return event;
}
