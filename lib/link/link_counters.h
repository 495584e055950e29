/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_LINK_COUNTERS_H
#define DPT_LINK_COUNTERS_H

/*
 * X(symbol, kind, text). DROP: one per buffer freed without delivery (dpt_counter.h).
 *
 * Received buffers: what came in sequence or not + recv_bundled =
 *     delivered + consumed_* + drop_* + held (both defer rings, three reassemblies).
 * Sent: messages accepted + sent_own - sent_fragmented + sent_fragments
 *     - sent_bundled + sent_bundles =
 *     acked_pkts + drop_link_down - lost_bundled + held packets (send ring, backlog).
 *     A bundle that is lost counts each of its messages in drop_link_down, and all but one
 *     of them in lost_bundled. A packet that moves to another link in a failover stays the
 *     same one, so this is true of the sums of all links; of one link: + sent_tunnelled on
 *     the left (the link that failed has been cleared).
 *
 * Statistics without a word of their own in the text are those of 03-link-node.md, 14.
 */

#include "dpt_counter.h"

#define DPT_LINK_COUNTERS(X)                                                                       \
	X(sent_pkts, INFO, "sequenced packets sent for the first time")                            \
	X(recv_pkts, INFO, "packets accepted in sequence")                                         \
	X(acked_pkts, INFO, "sent packets that the peer has confirmed")                            \
	X(sent_states, INFO, "STATE messages sent")                                                \
	X(recv_states, INFO, "STATE messages accepted")                                            \
	X(sent_probes, INFO, "STATE messages sent that ask for a reply")                           \
	X(recv_probes, INFO, "STATE messages accepted that ask for a reply")                       \
	X(sent_repairs, INFO, "probes sent because a link that loses packets did not get on")      \
	X(sent_nacks, INFO, "messages sent that report a gap")                                     \
	X(recv_nacks, INFO, "STATE messages accepted that report a gap")                           \
	X(sent_acks, INFO, "STATE messages sent only to acknowledge")                              \
	X(sent_resets, INFO, "RESET messages sent")                                                \
	X(recv_resets, INFO, "RESET messages accepted")                                            \
	X(sent_activates, INFO, "ACTIVATE messages sent")                                          \
	X(recv_activates, INFO, "ACTIVATE messages accepted")                                      \
	X(recv_bundles, INFO, "bundles received")                                                  \
	X(recv_bundled, INFO, "messages taken out of bundles")                                     \
	X(sent_bundles, INFO, "bundles made of messages that wait")                                \
	X(sent_bundled, INFO, "messages put into bundles, 2 for a new one")                        \
	X(lost_bundled, INFO, "messages lost in bundles, beside the first of each (P3)")           \
	X(sent_own, INFO, "packets of tunnels that carry no message: dummies, SYNCH")              \
	X(sent_tunnelled, INFO, "packets of the failed link sent again through this one")          \
	X(sent_fragmented, INFO, "messages cut into fragments")                                    \
	X(sent_fragments, INFO, "fragments made of them")                                          \
	X(recv_fragmented, INFO, "messages reassembled")                                           \
	X(recv_fragments, INFO, "fragments received")                                              \
	X(retransmitted, INFO, "packets sent again because the peer asked")                        \
	X(deferred_recv, INFO, "packets that arrived out of sequence and were set aside")          \
	X(duplicates, INFO, "packets outside the receive window or received before")               \
	X(link_congs, INFO, "messages accepted although their level was full")                     \
	X(accu_queue_sz, INFO, "sum of the samples of the send queue's length")                    \
	X(queue_sz_counts, INFO, "samples taken")                                                  \
	X(msg_lengths_total, INFO, "sum of the lengths of sampled messages, octets")               \
	X(msg_length_counts, INFO, "messages sampled")                                             \
	X(msg_length_p0, INFO, "sampled messages of at most 64 octets")                            \
	X(msg_length_p1, INFO, "sampled messages of at most 256 octets")                           \
	X(msg_length_p2, INFO, "sampled messages of at most 1024 octets")                          \
	X(msg_length_p3, INFO, "sampled messages of at most 4096 octets")                          \
	X(msg_length_p4, INFO, "sampled messages of at most 16384 octets")                         \
	X(msg_length_p5, INFO, "sampled messages of at most 32768 octets")                         \
	X(msg_length_p6, INFO, "sampled messages that are larger")                                 \
	X(resets, INFO, "link resets")                                                             \
	X(recv_tunnelled, INFO, "FAILOVER packets received, those of a cut one counted each")      \
	X(held_pkts, INFO, "packets kept because the other link's come first")                     \
	X(failovers, INFO, "failovers that this link served as the tunnel")                        \
	X(consumed_synch, INFO, "SYNCH packets: they say how far the other link was")              \
	X(consumed_dummy, INFO, "dummies that close a failover")                                   \
	X(consumed_bundle, INFO, "bundles unwrapped")                                              \
	X(consumed_fragment, INFO, "fragments merged into a message")                              \
	X(fsm_illegal, ERROR, "event that the link's state does not allow")                        \
	X(ack_invalid, ERROR, "acknowledgement of a packet never sent (hazard 1)")                 \
	X(gap_invalid, ERROR, "gap blocks not ascending or beyond the last packet (hazard 3)")     \
	X(reply_limited, ERROR, "probe not answered, too many in one interval (hazard 28)")        \
	X(prio_limited, ERROR, "priority not taken over, changed too often (hazard 11)")           \
	X(up_delayed, INFO, "peer ready, but the link stays down for a moment (hazard 23)")        \
	X(flaps_damped, ERROR, "link kept down for longer, it resets too often (hazard 29)")       \
	X(proto_no_buffer, ERROR, "LINK_PROTOCOL message not sent, no buffer")                     \
	X(retransmit_no_buffer, ERROR, "retransmission put off, no buffer")                        \
	X(drop_no_buffer, DROP, "no buffer in the pool to send this message")                      \
	X(drop_overflow, DROP, "backlog of system messages full")                                  \
	X(drop_link_down, DROP, "sent but not confirmed, or waiting, when the link went down")     \
	X(drop_deferred_down, DROP,                                                                \
	  "received out of sequence, link went down before the gap closed")                        \
	X(drop_reassembly_down, DROP, "message partly received when the link went down")           \
	X(drop_not_up, DROP, "packet for a link that is not up")                                   \
	X(drop_duplicate, DROP, "packet received before")                                          \
	X(drop_window, DROP, "packet beyond the receive window")                                   \
	X(drop_defer_full, DROP, "packet out of sequence beyond our capacity (hazard 16)")         \
	X(drop_fragment, DROP, "fragment out of order or malformed: the link is reset")            \
	X(drop_bundle, DROP, "bundle with a malformed rest, which is lost")                        \
	X(drop_tunnel, DROP, "FAILOVER packet while no failover is received, or a nested one")     \
	X(drop_tunnel_inner, DROP, "FAILOVER packet whose content is malformed")                   \
	X(drop_tunnel_duplicate, DROP, "tunnelled packet that the failed link had received")       \
	X(drop_tunnel_end, DROP, "tunnelled packet or message, failover over before its gap")      \
	X(drop_user, DROP, "user not allowed in a link's sequence (hazard 24)")                    \
	X(drop_blocked, DROP, "LINK_PROTOCOL message while the link is being cleaned up")          \
	X(drop_session, DROP, "LINK_PROTOCOL message of another session, or an old one")           \
	X(drop_proto_malformed, DROP, "LINK_PROTOCOL message with a bad size, name or record")     \
	X(drop_mtu, DROP, "RESET or ACTIVATE announcing too small a packet size (hazard 9)")

DPT_COUNTER_STRUCT(dpt_link_counters, DPT_LINK_COUNTERS);

/* In the order of the list, closed by a NULL name. */
extern const struct dpt_counter_desc dpt_link_counter_descs[];

#endif /* DPT_LINK_COUNTERS_H */
