/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_BCAST_COUNTERS_H
#define DPT_BCAST_COUNTERS_H

#include "dpt_counter.h"

/* X(symbol, kind, text). DROP: one per buffer freed without delivery (dpt_counter.h).
 * Hazards: 06-broadcast.md, 13, by line of its table. */
#define DPT_BCAST_COUNTERS(X)                                                                      \
	X(rx_frames, INFO, "non_seq frames received")                                              \
	X(rx_pkts, INFO, "packets received in sequence")                                           \
	X(rx_delivered, INFO, "messages delivered, unbundled and reassembled")                     \
	X(rx_bundles, INFO, "bundles received")                                                    \
	X(rx_bundled, INFO, "messages out of bundles")                                             \
	X(rx_fragments, INFO, "fragments received")                                                \
	X(rx_fragmented, INFO, "messages reassembled")                                             \
	X(rx_deferred, INFO, "packets received out of order")                                      \
	X(rx_acks, INFO, "acknowledgements asked of the unicast links: each 16th packet")          \
	X(rx_naks, INFO, "gap reports asked of them")                                              \
	X(rx_announce_far, ERROR, "announcement more than 50 packets ahead, ignored (06-9)")       \
	X(drop_net_id, DROP, "another network id (06-2)")                                          \
	X(drop_not_up, DROP, "receive link is not synchronised")                                   \
	X(drop_user, DROP, "user or type that has no place in a broadcast stream (06-4, 11)")      \
	X(drop_duplicate, DROP, "packet received already, or outside the window")                  \
	X(drop_defer_far, DROP, "packet too far ahead to be deferred (06-3)")                      \
	X(drop_bundle, DROP, "bundle with a malformed rest")                                       \
	X(drop_fragment, DROP, "fragment or reassembly in error (06-13)")                          \
	X(drop_reset, DROP, "waiting when contact was lost")                                       \
	X(tx_pkts, INFO, "packets sent, first transmission")                                       \
	X(tx_fragments, INFO, "fragments made")                                                    \
	X(tx_fragmented, INFO, "messages fragmented")                                              \
	X(tx_retransmits, INFO, "packets retransmitted")                                           \
	X(tx_congested, INFO, "senders blocked")                                                   \
	X(tx_released, INFO, "packets acknowledged by all peers, or given up with the last")       \
	X(tx_no_buffer, ERROR, "transmission skipped: no buffer in the pool")                      \
	X(tx_stalled, ERROR, "peers that stopped acknowledging (06-12)")                           \
	X(reports, INFO, "reports of peers used")                                                  \
	X(reports_gap, INFO, "reports with a gap")                                                 \
	X(acks_bad, ERROR, "bcast_ack beyond what was sent (06-5)")                                \
	X(drop_report_peer, DROP, "report of a peer that is not added")                            \
	X(drop_report_bad, DROP,                                                                   \
	  "report with numbers out of order or beyond what was sent (06-5, 8)")                    \
	X(drop_no_peers, DROP, "message without a peer to send it to: counts as sent")             \
	X(drop_tx_size, DROP, "message larger than a message may be")                              \
	X(drop_tx_backlog, DROP, "backlog full: system message, or a source that does not stop")   \
	X(drop_tx_no_buffer, DROP, "message not sent: no buffer in the pool")                      \
	X(drop_tx_reset, DROP, "waiting when the last peer was lost")

DPT_COUNTER_STRUCT(dpt_bcast_counters, DPT_BCAST_COUNTERS);

#endif /* DPT_BCAST_COUNTERS_H */
