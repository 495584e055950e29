/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Properties of links, changed while they live (DPT_ATTACH_LINK_SET). Everything is checked
 * here, so that an error can say what is wrong; worker 0 then has the stack do it.
 *
 *   name --bearer's--> check --------------------> REQUEST_LINK_SET, node 0
 *        --link's----> walk over the links, check -> REQUEST_LINK_SET, its peer
 *
 * A change for a bearer also counts when its carrier comes back: bearer_slot.cfg.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "attach.h"
#include "links.h"

struct link_set {
	struct links_walk walk; /* first */
	struct conn *conn;
	struct bearer_slot *slot;
	struct dpt_node_addr node;
	struct dpt_stack_bearer before; /* slot's, in case of an error */
	struct request req;
};

/* The message's words, with the option that bounds each. */
static const struct {
	const char *name;
	const char *unit;
} words[] = {
	{"tolerance", " ms"},
	{"priority", ""},
	{"window", " packets"},
	{"mtu", " octets"},
};
enum { WORD_TOLERANCE, WORD_PRIORITY, WORD_WINDOW, WORD_MTU };

static void
link_set_end(struct link_set *set, int error, const char *text)
{
	struct conn *conn = set->conn;

	free(set);
	conn_answer_note(conn, error, text);
}

/* Returns 0, or EINVAL with a line in text that says what is possible. */
static int
link_set_check(const struct link_set *set, char text[DPT_ATTACH_NOTE_BYTES])
{
	const uint32_t *arg = set->conn->msg.arg;
	bool is_any = false;

	for (uint32_t i = 0; i < RTE_DIM(words); i++) {
		uint64_t min = 0, max = 0;

		if (arg[i] == 0)
			continue;
		is_any = true;
		args_range(words[i].name, &min, &max);
		if (i == WORD_WINDOW)
			min = set->slot->cfg.window_min;
		if (i == WORD_MTU)
			max = set->slot->info.mtu;
		if (arg[i] >= min && arg[i] <= max)
			continue;
		snprintf(text, DPT_ATTACH_NOTE_BYTES, "%s=%u: expected %u to %u%s", words[i].name,
			 arg[i], (unsigned int)min, (unsigned int)max, words[i].unit);
		return EINVAL;
	}
	if (is_any)
		return 0;
	snprintf(text, DPT_ATTACH_NOTE_BYTES, "nothing to change");
	return EINVAL;
}

static void
link_set_done(struct request *req)
{
	struct link_set *set = req->owner;

	/* Without a carrier there is no bearer in the stack, and no link: it is kept for later. */
	if (req->result == -ENOENT && !set->slot->is_up && set->node.value == 0)
		req->result = 0;
	if (req->result != 0) {
		set->slot->cfg = set->before;
		link_set_end(set, -req->result, strerror(-req->result));
		return;
	}
	set->conn->control->link_sets++;
	link_set_end(set, 0, "");
}

/* slot and node are known. */
static void
link_set_ask(struct link_set *set)
{
	const uint32_t *arg = set->conn->msg.arg;
	char text[DPT_ATTACH_NOTE_BYTES];
	int error = link_set_check(set, text);

	if (error != 0) {
		link_set_end(set, error, text);
		return;
	}
	set->before = set->slot->cfg;
	set->req = (struct request){
		.op = REQUEST_LINK_SET,
		.bearer = set->slot->cfg,
		.node = set->node,
		.props = {.tolerance_ms = (uint16_t)arg[WORD_TOLERANCE],
			  .priority = (uint8_t)arg[WORD_PRIORITY],
			  .window_max = (uint16_t)arg[WORD_WINDOW],
			  .mtu = (uint16_t)arg[WORD_MTU]},
		.done = link_set_done,
		.owner = set,
	};
	/* At once: a carrier that comes back meanwhile brings the new values. */
	if (set->node.value == 0)
		dpt_stack_bearer_props(&set->slot->cfg, &set->req.props);
	control_ask(set->conn->control, 0, &set->req);
}

static void
link_set_each(struct links_walk *walk, const struct chunk_link *link)
{
	struct link_set *set = (struct link_set *)walk;

	if (strcmp(link->info.name, set->conn->note) != 0)
		return;
	set->slot = &walk->control->bearers[link->info.bearer_id];
	set->node = link->peer;
}

static void
link_set_found(struct links_walk *walk)
{
	struct link_set *set = (struct link_set *)walk;
	char text[DPT_ATTACH_NOTE_BYTES];

	if (set->slot != NULL) {
		link_set_ask(set);
		return;
	}
	snprintf(text, sizeof(text), "%.100s: no bearer or link of this name", set->conn->note);
	link_set_end(set, ENOENT, text);
}

void
link_set_begin(struct conn *conn)
{
	struct control *control = conn->control;
	struct link_set *set;

	if (!conn->is_admin) {
		conn_answer_note(conn, EPERM, "only root and dptipcd's own user may do that");
		return;
	}
	set = calloc(1, sizeof(*set));
	if (set == NULL) {
		conn_answer_note(conn, ENOMEM, "no memory");
		return;
	}
	set->conn = conn;
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].bearer != NULL &&
		    strcmp(control->bearers[id].name, conn->note) == 0)
			set->slot = &control->bearers[id];
	if (set->slot != NULL) {
		link_set_ask(set);
		return;
	}
	set->walk.control = control;
	set->walk.each = link_set_each;
	set->walk.done = link_set_found;
	links_walk(&set->walk);
}
