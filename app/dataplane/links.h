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
	uint8_t worker; /* that the present link belongs to */
	struct request req;
	struct chunk chunk;
};
void links_walk(struct links_walk *walk);

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
/* Rules that the device has now. */
uint32_t steer_rules_cnt(const struct steer *steer);

#endif /* LINKS_H */
