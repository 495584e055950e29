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
	X(purge_skipped, "names: the bindings of a lost node stay")                                \
	X(withdraw_lost, "names: a withdrawal of a peer is not applied")                           \
	X(room_forgotten, "socket: senders blocked on a link are not woken")

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
