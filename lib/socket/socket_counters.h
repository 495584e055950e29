/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_SOCKET_COUNTERS_H
#define DPT_SOCKET_COUNTERS_H

#include "dpt_counter.h"

/*
 * X(symbol, kind, text). DROP: one per buffer freed without delivery (dpt_counter.h).
 * returned_* count messages that went back to their sender: those are not dropped. The drop_*
 * of the same name are those that must not be returned.
 */
#define DPT_SOCKET_COUNTERS(X)                                                                     \
	X(drop_no_buffer, DROP, "message lost: no buffer in the pool")                             \
	X(drop_send_refused, DROP, "message not sent: the send call returned an error")            \
	X(drop_not_data, DROP, "message of a user that no socket takes")                           \
	X(drop_member_event, DROP, "group membership event from the wire")                         \
	X(drop_marker, DROP, "multicast without data that marks a change of method")               \
	X(drop_empty, DROP, "message without data")                                                \
	X(drop_mcast_errcode, DROP, "multicast with an error code that is no return")              \
	X(drop_mcast_range, DROP, "multicast with lower > upper")                                  \
	X(drop_mcast_no_socket, DROP, "multicast for which no socket of this shard is bound")      \
	X(drop_no_name, DROP, "no socket bound to the service address, not returnable")            \
	X(drop_no_port, DROP, "no such port, not returnable")                                      \
	X(drop_wrong_type, DROP, "socket does not take this type of message, not returnable")      \
	X(drop_overload, DROP, "receive limit of the socket reached, not returnable")              \
	X(drop_closed, DROP, "unread when the socket was closed, not returnable")                  \
	X(drop_shutdown, DROP, "unread when the socket was shut down, not returnable")             \
	X(drop_conn_manager, DROP, "connection message that no connection takes")                  \
	X(drop_conn_ended, DROP, "aggregated data that was not sent when its connection ended")    \
	X(drop_stopped, DROP, "unread when the stack stopped")                                     \
	X(returned_no_name, INFO, "returned: no socket bound to the service address")              \
	X(returned_no_port, INFO, "returned: no such port")                                        \
	X(returned_wrong_type, INFO, "returned: socket does not take this type of message")        \
	X(returned_overload, INFO, "returned: receive limit of the socket reached")                \
	X(returned_closed, INFO, "returned: unread when the socket was closed")                    \
	X(returned_shutdown, INFO, "returned: unread when the socket was shut down")               \
	X(consumed_syn, INFO, "connection requests without data that were accepted")               \
	X(consumed_ack, INFO, "answers to connection requests, without data")                      \
	X(consumed_overload, INFO, "connection requests refused for overload, to be sent again")   \
	X(consumed_empty, INFO, "messages without data on connections")                            \
	X(consumed_conn_manager, INFO, "acknowledgements and probes of connections")               \
	X(acks_beyond, ERROR, "acknowledgements of more than was sent")                            \
	X(probes_unanswered, ERROR, "connections ended because the peer did not answer a probe")   \
	X(ends_made, INFO, "ends of connections made here: node lost, limit reached")              \
	X(syns_again, INFO, "connection requests sent again")                                      \
	X(aggregated, INFO, "writes that share a packet with the one before")                      \
	X(conn_msgs_lost, ERROR, "acknowledgements and ends not sent: no buffer in the pool")      \
	X(rerouted, INFO, "sent on to another binding of the same name")                           \
	X(sent, INFO, "messages that applications sent")                                           \
	X(received, INFO, "messages put into a receive queue")                                     \
	X(mcast_copies_lost, ERROR, "copies of a multicast not made: no buffer in the pool")       \
	X(congested_full, ERROR, "sockets blocked towards all nodes: no record left")

DPT_COUNTER_STRUCT(dpt_socket_counters, DPT_SOCKET_COUNTERS);

extern const struct dpt_counter_desc dpt_socket_counter_descs[];

#endif /* DPT_SOCKET_COUNTERS_H */
