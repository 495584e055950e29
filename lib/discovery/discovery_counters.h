/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_DISCOVERY_COUNTERS_H
#define DPT_DISCOVERY_COUNTERS_H

#include "dpt_counter.h"

/*
 * X(symbol, kind, text). DROP: one per buffer freed without delivery (dpt_counter.h), so
 * rx_msgs = rx_used + the sum of all DROP counters. Hazards: 02-discovery.md, 10.
 */
#define DPT_DISCOVERY_COUNTERS(X)                                                                  \
	X(rx_msgs, INFO, "LINK_CONFIG messages received")                                          \
	X(rx_used, INFO, "messages that were used")                                                \
	X(tx_req, INFO, "REQ sent")                                                                \
	X(tx_resp, INFO, "RESP sent")                                                              \
	X(tx_trial, INFO, "TRIAL sent")                                                            \
	X(tx_trial_fail, INFO, "TRIAL_FAIL sent")                                                  \
	X(trial_restarts, INFO, "trials restarted with a suggested address")                       \
	X(trial_given_up, ERROR, "trials given up after 64 restarts (hazard 02-8)")                \
	X(peers_created, INFO, "records of peers created")                                         \
	X(links_max, INFO, "peer accepted without a link: it has two already")                     \
	X(tx_no_buffer, ERROR, "message not sent: no buffer in the pool")                          \
	X(tx_limited, ERROR,                                                                       \
	  "answer not sent: rate limit of the bearer or address (hazard 02-11)")                   \
	X(drop_no_bearer, DROP, "bearer is not enabled")                                           \
	X(drop_malformed, DROP,                                                                    \
	  "size, type, identity or media address (hazards 02-1, 2, 3, 5, 7, 15)")                  \
	X(drop_own, DROP, "own message heard (hazard 02-6)")                                       \
	X(drop_net_id, DROP, "another network id (hazard 02-17)")                                  \
	X(drop_in_trial, DROP, "REQ or RESP while the own address is not final")                   \
	X(drop_trial_fail, DROP, "TRIAL_FAIL that is not about our trial (hazard 02-9)")           \
	X(drop_suggestion, DROP, "TRIAL_FAIL with an unusable suggestion (hazard 02-8)")           \
	X(drop_own_addr, DROP, "somebody else uses the own address (hazard 02-4)")                 \
	X(drop_domain, DROP, "outside the discovery domain")                                       \
	X(drop_caps, DROP, "lacks BCAST_SYNCH or BCAST_STATE_NACK")                                \
	X(drop_duplicate, DROP, "address or identity of a peer that is up (hazard 02-12)")         \
	X(drop_table_full, DROP, "as many peers as there may be (hazard 02-10)")                   \
	X(drop_create_rate, DROP, "too many new peers at a time (hazard 02-10)")

DPT_COUNTER_STRUCT(dpt_discovery_counters, DPT_DISCOVERY_COUNTERS);

#endif /* DPT_DISCOVERY_COUNTERS_H */
