/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NODE_COUNTERS_H
#define DPT_NODE_COUNTERS_H

/*
 * X(symbol, kind, text). DROP: one per buffer freed without delivery (dpt_counter.h).
 *
 * Buffers given to dpt_node_rx: rx_frames + the link's recv_bundled + the broadcast
 * link's rx_bundled = rx_up + rx_reports + consumed_* + drop_* + held, over the counters of
 * node, link and broadcast receive link.
 */

#include "dpt_counter.h"

#define DPT_NODE_COUNTERS(X)                                                                       \
	X(rx_frames, INFO, "frames of the peer")                                                   \
	X(rx_up, INFO, "messages from a link to the layers above")                                 \
	X(rx_reports, INFO, "STATE messages passed to the broadcast send link")                    \
	X(tx_msgs, INFO, "messages accepted for sending")                                          \
	X(node_ups, INFO, "contacts that came up")                                                 \
	X(node_downs, INFO, "contacts lost")                                                       \
	X(link_ups, INFO, "links that came up")                                                    \
	X(link_downs, INFO, "links that went down")                                                \
	X(down_unknown, INFO, "of them: no reason was given")                                      \
	X(down_tolerance, INFO, "of them: peer silent for longer than the tolerance")              \
	X(down_peer_reset, INFO, "of them: the peer sent RESET")                                   \
	X(down_peer_stopping, INFO, "of them: the peer said that it stops")                        \
	X(down_priority, INFO, "of them: the peer changed the link's priority")                    \
	X(down_reassembly, INFO, "of them: fragments out of sequence")                             \
	X(down_retransmit, INFO, "of them: a packet was asked for during 10 tolerances")           \
	X(down_overflow, INFO, "of them: backlog of system messages full, or no buffer")           \
	X(down_bearer, INFO, "of them: bearer disabled, lost its carrier, or changed")             \
	X(down_new_address, INFO, "of them: the peer has another media address")                   \
	X(down_stopped, INFO, "of them: this node stops")                                          \
	X(down_failover, INFO, "of them: peer uses the other link, or both ends did not agree")    \
	X(failovers, INFO, "links lost whose traffic went on over the other one")                  \
	X(failovers_half, INFO, "peer failed over from a link that was not up here")               \
	X(synchs, INFO, "second links synchronised with the first")                                \
	X(rx_held, INFO, "messages held back until a failover had passed")                         \
	X(failover_failed, ERROR, "series not sent, no buffer or no room: the contact is reset")   \
	X(synch_failed, ERROR, "second link not taken up: no buffer or no room for SYNCH")         \
	X(limit_expired, ERROR, "failover or synchronisation without end (hazards 19, 20)")        \
	X(fsm_illegal, ERROR, "event that the node's state does not allow")                        \
	X(open_no_buffer, ERROR, "contact not opened, no buffer: the link is reset")               \
	X(consumed_proto, INFO, "LINK_PROTOCOL messages")                                          \
	X(consumed_init, INFO, "broadcast synchronisation messages")                               \
	X(drop_no_link, DROP, "no link on the bearer that the frame came in on")                   \
	X(drop_destnode, DROP, "packet addressed to another node")                                 \
	X(drop_session, DROP, "LINK_PROTOCOL message of another session, node not in contact")     \
	X(drop_down_leaving, DROP, "peer has not noticed yet that the contact was lost")           \
	X(drop_other_contact, DROP, "RESET or ACTIVATE of a peer that does not know this contact") \
	X(drop_leaving_down, DROP, "contact lost, clean-up pending")                               \
	X(drop_tunnel_malformed, DROP,                                                             \
	  "tunnel packet without count or inner header (hazards 19, 21)")                          \
	X(drop_tunnel_no_buffer, DROP, "FAILOVER not answered, no buffer: it comes again")         \
	X(drop_held, DROP, "held back until a failover had passed, contact lost before")           \
	X(drop_unreachable, DROP, "message to send without an open contact")                       \
	X(drop_too_long, DROP, "message to send larger than 66060 octets")                         \
	X(drop_return_surplus, DROP, "returned message: half of level SYSTEM is in use")

DPT_COUNTER_STRUCT(dpt_node_counters, DPT_NODE_COUNTERS);

/* In the order of the list, closed by a NULL name. */
extern const struct dpt_counter_desc dpt_node_counter_descs[];

#endif /* DPT_NODE_COUNTERS_H */
