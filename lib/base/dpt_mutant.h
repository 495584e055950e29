/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_MUTANT_H
#define DPT_MUTANT_H

/*
 * Planted bugs: the simulation must find each of them, or it would not find the real ones
 * either. DPT_MUTANT(name) is the constant false in every build but those with
 * -Dmutants=true, where it says whether the run asked for this bug
 * (dptipc-sim --mutant NAME). One line of this list is one bug.
 */

#include <stdbool.h>

/* X(name, text) */
#define DPT_MUTANTS_LIST(X)                                                                        \
	X(ack_off_by_one, "link: a STATE acknowledges one packet more than was received")          \
	X(retransmit_next, "link: asked for a packet, it sends the one after it again")            \
	X(duplicate_accepted, "link: a packet received before is delivered once more")             \
	X(bundle_last_lost, "link: the last message of a bundle is not delivered")                 \
	X(synch_undeferred, "link: what is held while it synchronises is delivered early")         \
	X(gap_block_long, "link: a block of acknowledgements covers one packet too many")          \
	X(backlog_reversed, "link: what waits is sent in the wrong order")                         \
	X(failover_no_dummy, "link: a failover without the packet that closes the series")         \
	X(msgcnt_long, "link: a failover announces more packets than it sends")                    \
	X(failover_backlog_lost,                                                                   \
	  "link: what waited on a failed link is not sent on the other one")                       \
	X(synch_point_early, "link: the synchronisation point is one packet too early")            \
	X(drop_point_late, "link: after a failover the next packet counts as received")            \
	X(drop_point_early, "link: after a failover the last packet is delivered once more")       \
	X(takeover_forgotten, "link: what a failed link had received early is forgotten")          \
	X(session_kept, "link: a reset does not begin a new session")                              \
	X(silence_unnoticed, "link: a silent peer is never given up")                              \
	X(number_skipped, "link: now and then a number is left out")                               \
	X(leaving_reopened,                                                                        \
	  "node: a contact is opened anew before the peer has given up the old one")               \
	X(hold_skipped, "node: packets of a link that synchronises are taken at once")             \
	X(selector_ignored, "node: messages of one socket take both links in turn")                \
	X(failover_unlocked,                                                                       \
	  "node: a failed link is not locked while its packets are on their way")                  \
	X(failover_endless, "node: the end of a failover is not noticed")                          \
	X(bcast_gap_skipped, "bcast: a gap in the stream is passed over")                          \
	X(down_untold, "stack: control is not told that a node is down")                           \
	X(domain_ignored, "discovery: the domain of a bearer is not looked at")                    \
	X(net_id_kept, "discovery: a network id that is set later is not used")                    \
	X(removed_remembered, "stack: discovery is not told that a peer was removed")              \
	X(purge_skipped, "names: the bindings of a lost node stay")                                \
	X(withdraw_lost, "names: a withdrawal of a peer is not applied")                           \
	X(room_forgotten, "socket: senders blocked on a link are not woken")                       \
	X(ack_twice, "socket: what the peer of a connection acknowledges counts twice")            \
	X(ack_unsaid, "socket: a connection acknowledges nothing that was read")                   \
	X(credit_long, "socket: a connection may send when one block too much is unread")          \
	X(loss_untold, "socket: a connection does not hear that its node is lost")                 \
	X(end_before_data, "socket: the end of a connection is read before the data")              \
	X(importance_lost, "socket: an accepted connection has the importance LOW")                \
	X(syn_forgotten, "socket: a listener was overloaded, its client does not try again")       \
	X(nagle_lost, "socket: aggregated data is not sent before the end")

enum dpt_mutant {
	DPT_MUTANT_none = 0,
#define DPT_MUTANT_ENUM_(name, text) DPT_MUTANT_##name,
	DPT_MUTANTS_LIST(DPT_MUTANT_ENUM_)
#undef DPT_MUTANT_ENUM_
		DPT_MUTANT_CNT,
};

extern const char *const dpt_mutant_names[DPT_MUTANT_CNT];
extern const char *const dpt_mutant_texts[DPT_MUTANT_CNT];

#ifdef DPT_MUTANTS
/* Set once by the simulator, before the first stack. */
extern enum dpt_mutant dpt_mutant_on;
#define DPT_MUTANT(name) (dpt_mutant_on == DPT_MUTANT_##name)
#else
#define DPT_MUTANT(name) (false)
#endif

#endif /* DPT_MUTANT_H */
