/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Properties of links, changed while they live (DPT_ATTACH_LINK_SET, netlink). Everything is
 * checked here, so that an error can say what is wrong; worker 0 then has the stack do it.
 *
 *   name --bearer's--> check --> wait for the gap ---> REQUEST_LINK_SET, node 0
 *        --link's----> walk over the links, check ...  REQUEST_LINK_SET, its peer
 *
 * A change for a bearer also counts when its carrier comes back: bearer_slot.cfg. A peer resets
 * a link whose priority is changed: a program that does it in a loop gets through one after the
 * other, with a gap between (11-management.md, hazard 16).
 *
 * Timers here: LINK_CHANGE_GAP_MS, from one change of a priority to the next.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "attach.h"
#include "links.h"

/* The message's words, with the option that bounds each. */
static const struct {
	const char *name;
	const char *unit;
} words[LINK_WORDS_CNT] = {
	{"tolerance", " ms"},
	{"priority", ""},
	{"window", " packets"},
	{"mtu", " octets"},
};

static void
change_end(struct link_change *change, int rc, const char *text)
{
	free(change->walk);
	change->walk = NULL;
	change->done(change, rc, text);
}

static void
change_unknown(struct link_change *change)
{
	char text[DPT_ATTACH_NOTE_BYTES];

	snprintf(text, sizeof(text), "%.100s: no bearer or link of this name", change->name);
	change_end(change, -ENOENT, text);
}

/* Returns 0, or -EINVAL with a line in text that says what is possible. */
static int
change_check(const struct link_change *change, char text[DPT_ATTACH_NOTE_BYTES])
{
	bool is_any = change->is_empty;

	for (uint32_t i = 0; i < LINK_WORDS_CNT; i++) {
		uint32_t value = change->words[i];
		uint64_t min = 0, max = 0;

		if (value == 0)
			continue;
		is_any = true;
		args_range(words[i].name, &min, &max);
		if (i == LINK_WINDOW)
			min = change->slot->cfg.window_min;
		if (i == LINK_MTU)
			max = change->slot->info.mtu;
		if (value >= min && value <= max)
			continue;
		snprintf(text, DPT_ATTACH_NOTE_BYTES, "%s=%u: expected %u to %u%s", words[i].name,
			 value, (unsigned int)min, (unsigned int)max, words[i].unit);
		return -EINVAL;
	}
	if (is_any)
		return 0;
	snprintf(text, DPT_ATTACH_NOTE_BYTES, "nothing to change");
	return -EINVAL;
}

static void
change_answered(struct request *req)
{
	struct link_change *change = req->owner;
	struct bearer_slot *slot = change->slot;
	bool is_same = slot->bearer == change->bearer;

	/* Without a carrier there is no bearer in the stack, and no link: it is kept for later. */
	if (req->result == -ENOENT && is_same && !slot->is_up && change->node.value == 0)
		req->result = 0;
	if (req->result != 0) {
		if (is_same)
			slot->cfg = change->before;
		change_end(change, req->result, strerror(-req->result));
		return;
	}
	change->control->link_sets++;
	change_end(change, 0, "");
}

/* Everything is checked, and it is its turn. */
static void
change_ask(struct link_change *change)
{
	struct bearer_slot *slot = change->slot;
	const uint32_t *value = change->words;

	if (slot->bearer != change->bearer) {
		change_unknown(change);
		return;
	}
	change->before = slot->cfg;
	change->req = (struct request){
		.op = REQUEST_LINK_SET,
		.bearer = slot->cfg,
		.node = change->node,
		.is_later = change->is_later,
		.props = {.tolerance_ms = (uint16_t)value[LINK_TOLERANCE],
			  .priority = (uint8_t)value[LINK_PRIORITY],
			  .window_max = (uint16_t)value[LINK_WINDOW],
			  .mtu = (uint16_t)value[LINK_MTU]},
		.done = change_answered,
		.owner = change,
	};
	/* At once: a carrier that comes back meanwhile brings the new values. */
	if (change->node.value == 0)
		dpt_stack_bearer_props(&slot->cfg, &change->req.props);
	control_ask(change->control, 0, &change->req);
}

/* ---- the gap ---- */

static void
gap_begin(struct link_changes *changes, uint64_t now_ns)
{
	struct itimerspec after = {.it_value.tv_nsec = LINK_CHANGE_GAP_MS * 1000000};

	changes->next_ns = now_ns + after.it_value.tv_nsec;
	timerfd_settime(changes->timer_fd, 0, &after, NULL);
}

static void
gap_over(struct source *source, uint32_t events)
{
	struct link_changes *changes =
		(struct link_changes *)((char *)source - offsetof(struct link_changes, timer));
	struct link_change *change = STAILQ_FIRST(&changes->list);
	uint64_t cnt;

	(void)events;
	if (read(changes->timer_fd, &cnt, sizeof(cnt)) < 0 || change == NULL)
		return;
	STAILQ_REMOVE_HEAD(&changes->list, link);
	gap_begin(changes, clock_ns(change->control->clock));
	change_ask(change);
}

int
link_changes_init(struct control *control)
{
	struct link_changes *changes = &control->link_changes;

	STAILQ_INIT(&changes->list);
	changes->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	changes->timer.event = gap_over;
	if (changes->timer_fd < 0)
		return -errno;
	return control_watch(control, changes->timer_fd, &changes->timer, EPOLLIN);
}

void
link_changes_fini(struct control *control)
{
	if (control->link_changes.timer_fd >= 0)
		close(control->link_changes.timer_fd);
}

/* ---- from the name to the bearer ---- */

/* slot and node are known. */
static void
change_found(struct link_change *change)
{
	struct link_changes *changes = &change->control->link_changes;
	uint64_t now_ns = clock_ns(change->control->clock);
	char text[DPT_ATTACH_NOTE_BYTES];
	int rc;

	text[0] = '\0';
	rc = change_check(change, text);
	if (rc != 0 || (change->words[LINK_TOLERANCE] | change->words[LINK_PRIORITY] |
			change->words[LINK_WINDOW] | change->words[LINK_MTU]) == 0) {
		change_end(change, rc, text);
		return;
	}
	change->bearer = change->slot->bearer;
	if (change->words[LINK_PRIORITY] == 0 || change->is_later) {
		change_ask(change);
	} else if (now_ns < changes->next_ns || !STAILQ_EMPTY(&changes->list)) {
		STAILQ_INSERT_TAIL(&changes->list, change, link);
	} else {
		gap_begin(changes, now_ns);
		change_ask(change);
	}
}

static void
change_each(struct links_walk *walk, const struct chunk_link *link)
{
	struct link_change *change = walk->owner;

	if (strcmp(link->info.name, change->name) != 0)
		return;
	change->slot = &walk->control->bearers[link->info.bearer_id];
	change->node = link->peer;
}

static void
change_walked(struct links_walk *walk)
{
	struct link_change *change = walk->owner;

	/* (the bearer may have been disabled meanwhile) */
	if (change->slot != NULL && change->slot->is_ready)
		change_found(change);
	else
		change_unknown(change);
}

static void
change_walk(struct link_change *change)
{
	change->walk = malloc(sizeof(*change->walk));
	if (change->walk == NULL) {
		change_end(change, -ENOMEM, "no memory");
		return;
	}
	change->walk->control = change->control;
	change->walk->each = change_each;
	change->walk->done = change_walked;
	change->walk->owner = change;
	links_walk(change->walk);
}

void
link_change(struct link_change *change)
{
	struct control *control = change->control;

	change->walk = NULL;
	change->slot = NULL;
	change->node = dpt_node_addr(0);
	for (uint8_t id = 0; change->is_bearer && id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].is_ready &&
		    strcmp(control->bearers[id].name, change->name) == 0)
			change->slot = &control->bearers[id];
	if (change->slot != NULL)
		change_found(change);
	else if (change->is_link)
		change_walk(change);
	else
		change_unknown(change);
}

/* ---- DPT_ATTACH_LINK_SET ---- */

static void
link_set_done(struct link_change *change, int rc, const char *text)
{
	struct conn *conn = change->owner;

	conn_answer_note(conn, -rc, text);
	free(change);
}

void
link_set_begin(struct conn *conn)
{
	struct link_change *change;

	if (!conn->is_admin) {
		conn_answer_note(conn, EPERM, "only root and dptipcd's own user may do that");
		return;
	}
	change = calloc(1, sizeof(*change));
	if (change == NULL) {
		conn_answer_note(conn, ENOMEM, "no memory");
		return;
	}
	change->control = conn->control;
	change->name = conn->note;
	change->is_bearer = true;
	change->is_link = true;
	memcpy(change->words, conn->msg.arg, sizeof(change->words));
	change->done = link_set_done;
	change->owner = conn;
	link_change(change);
}
