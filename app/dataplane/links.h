/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LINKS_H
#define LINKS_H

/*
 * What control does with links: look at those of all workers, piece by piece (links.c), change
 * their properties (link_set.c), have devices put their frames into the right queue (steer.c).
 */

#include "control.h"

/* A walk over the links of all workers. Lives, with its struct, until done is called. */
struct links_walk {
	struct control *control;
	void (*each)(struct links_walk *walk, const struct chunk_link *link);
	void (*done)(struct links_walk *walk);
	void *owner;
	uint8_t worker; /* that the present link belongs to */
	struct request req;
	struct chunk chunk;
};
void links_walk(struct links_walk *walk);

/* What of a link can be changed while it lives, in the order of DPT_ATTACH_LINK_SET. */
enum link_word { LINK_TOLERANCE, LINK_PRIORITY, LINK_WINDOW, LINK_MTU, LINK_WORDS_CNT };

/*
 * A change of a bearer and all its links, or of one link, by name. Those of a priority, after
 * which the peer resets the link, have LINK_CHANGE_GAP_MS between them. Lives until done is
 * called, maybe at once, with 0 or negative errno (-ENOENT: no such name) and a text.
 */
#define LINK_CHANGE_GAP_MS 50
struct link_change {
	struct control *control;
	const char *name;
	bool is_bearer; /* the name may be a bearer's */
	bool is_link;	/* ... a link's */
	bool is_empty;	/* a change of nothing is right */
	bool is_later;	/* a bearer's priority and window: of links made from now on */
	uint32_t words[LINK_WORDS_CNT]; /* 0: stays */
	void (*done)(struct link_change *change, int rc, const char *text);
	void *owner;
	/* link_set.c's own */
	STAILQ_ENTRY(link_change) link;
	struct links_walk *walk;
	struct bearer_slot *slot;
	struct dpt_bearer *bearer; /* slot's: it may get another one meanwhile */
	struct dpt_node_addr node;
	struct dpt_stack_bearer before; /* slot's, in case of an error */
	struct request req;
};
void link_change(struct link_change *change);
int link_changes_init(struct control *control);
void link_changes_fini(struct control *control);

/* Peers of a bearer that are steered at most; more come by worker 0. Our choice. */
#define STEER_RULES_MAX 256

struct steer_rule {
	struct dpt_maddr peer;
	void *rule; /* NULL: the device refused it; not tried again while the link lives */
	bool is_seen;
};

/* Of one bearer. */
struct steer {
	uint32_t rules_cnt;
	bool is_refused; /* the device cannot steer at all */
	uint64_t made;
	uint64_t refused;
	struct steer_rule rules[STEER_RULES_MAX];
};

/* Look whether links have come or gone, and if so, walk. After each batch of events. */
void steer_look(struct control *control);
void steer_fini(struct control *control);
/* The bearer is about to be closed: its rules go first. */
void steer_drop(struct bearer_slot *slot);
/* Rules that the device has now. */
uint32_t steer_rules_cnt(const struct steer *steer);

#endif /* LINKS_H */
