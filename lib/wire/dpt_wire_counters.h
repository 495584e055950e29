/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_WIRE_COUNTERS_H
#define DPT_WIRE_COUNTERS_H

/*
 * Why messages were refused: one counter per dpt_msg_verdict that is not OK. The
 * shard that received the message owns them.
 */

#include "dpt_counter.h"
#include "dpt_msg.h"

#define DPT_WIRE_COUNTERS(X)                                                                       \
	X(drop_encrypted, DROP, "encrypted frame, no key for it")                                  \
	X(drop_short, DROP, "fewer octets than the header or the size field says")                 \
	X(drop_bad_version, DROP, "version is neither 2 nor 7")                                    \
	X(drop_bad_hdr_size, DROP, "header length illegal, or too short for user and type")        \
	X(drop_bad_size, DROP, "size below the header length, or payload over 66000 octets")       \
	X(drop_bad_user, DROP, "user is not legal at this place")                                  \
	X(drop_bad_type, DROP, "type is not defined for the user, or not legal at this place")     \
	X(drop_bad_node, DROP, "previous node or origin node is 0")

DPT_COUNTER_STRUCT(dpt_wire_counters, DPT_WIRE_COUNTERS);

extern const struct dpt_counter_desc dpt_wire_counter_descs[];

/* Count a verdict of dpt_msg_check; nothing for DPT_MSG_OK. Caller: owner. */
void dpt_wire_count(struct dpt_wire_counters *counters, enum dpt_msg_verdict verdict);

#endif /* DPT_WIRE_COUNTERS_H */
