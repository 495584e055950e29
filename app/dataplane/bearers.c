/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bearers are opened and closed: at the start, and while the node runs (13-netlink.md, 5.2, 5.3).
 *
 *   enable   check, open -> BEARER_ADD to all workers -> carrier.c: BEARER_UP -> done
 *                                                          | refused
 *   disable  check ----------------------------------------+-> carrier.c: BEARER_DOWN, if it is
 *            up -> BEARER_DEL to workers 1.. -> to worker 0 -> steering rules, close -> done
 *
 * Each arrow is a question to workers and its answers. Worker 0 is the last to let go, since it
 * sends for those that have no queue. No change overtakes another.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>

#include "dpt_bearers.h"
#include "links.h"
#include "setup.h"

/* Smallest window of a link. Src: 03-link-node.md, 1. */
#define BEARER_WINDOW_MIN 50
/* Bearers of one priority. Src: 11-management.md, C3. */
#define BEARER_SAME_PRIORITY_MAX 2
/* Lowest priority of a link: with 0 a node counts as down although its link is up. */
#define BEARER_PRIORITY_MIN 1

#define BEARER_REFUSED_BY_MEDIA "Failed to enable media"

static const struct dpt_bearer_ops *const drivers[] = {&dpt_bearer_eth, &dpt_bearer_unix};
#define DRIVERS_CNT (sizeof(drivers) / sizeof(drivers[0]))

/* Media as kernel TIPC has them. Ours beside them (unix) go by the numbers of eth. */
static const char *const media_names[MEDIA_CNT] = {
	[MEDIA_ETH] = "eth", [MEDIA_IB] = "ib", [MEDIA_UDP] = "udp"};

static void bearers_run(struct control *control);

void
bearers_init(struct control *control)
{
	const struct args *args = control->args;
	struct media_defaults common = {.priority = (uint32_t)args->priority,
					.tolerance_ms = (uint32_t)args->tolerance_ms,
					.window_pkts = (uint32_t)args->window_pkts};

	STAILQ_INIT(&control->changes.list);
	for (uint32_t i = 0; i < MEDIA_CNT; i++)
		control->media[i] = common;
	/* Src: 13-netlink.md, 5.11. */
	control->media[MEDIA_IB].window_pkts = 500;
	control->media[MEDIA_UDP].window_pkts = 50;
	control->media[MEDIA_UDP].mtu_bytes = 14000;
}

/* ---- checks ---- */

/* The media of "media:device", MEDIA_CNT: none of the kernel's. */
static enum media
media_of(const char *name)
{
	size_t len = strcspn(name, ":");
	uint32_t i = 0;

	while (i < MEDIA_CNT &&
	       (strlen(media_names[i]) != len || memcmp(media_names[i], name, len) != 0))
		i++;
	return (enum media)i;
}

/*
 * Where a bearer can go, and with which priority: checks 5 to 7 of 13-netlink.md, 5.3 (those before
 * need no state: lib/netlink has made them), in the kernel's order, which looks at the slots from
 * the last to the first. Returns NULL, or why not.
 */
static const char *
slot_check(const struct control *control, const char *name, uint64_t *priority, uint8_t *id)
{
	uint32_t same_cnt = 0;

	*id = DPT_BEARERS_MAX;
	for (uint8_t i = DPT_BEARERS_MAX; i-- > 0;) {
		const struct bearer_slot *slot = &control->bearers[i];

		if (slot->bearer == NULL) {
			*id = i;
			continue;
		}
		if (strcmp(slot->name, name) == 0)
			return "Already enabled";
		if (slot->cfg.priority != *priority || ++same_cnt < BEARER_SAME_PRIORITY_MAX)
			continue;
		if (*priority == BEARER_PRIORITY_MIN)
			return "Cannot adjust to lower";
		--*priority;
		same_cnt = 0;
		i = DPT_BEARERS_MAX;
	}
	return *id == DPT_BEARERS_MAX ? "Max 3 bearers permitted" : NULL;
}

/* What only the open device tells. Returns 0, or -EINVAL with a line in why. */
static int
device_check(const struct control *control, const struct bearer_slot *slot,
	     const struct args_bearer *arg, char *why, size_t why_bytes)
{
	const struct dpt_bearer_info *info = &slot->info;

	if (info->mtu < DPT_LINK_MTU_MIN) {
		snprintf(why, why_bytes, "%s: its MTU is %u; TIPC needs at least %u", arg->name,
			 info->mtu, DPT_LINK_MTU_MIN);
		return -EINVAL;
	}
	if (arg->mtu_bytes > info->mtu) {
		snprintf(why, why_bytes,
			 "%s: mtu=%llu is more than the device carries: expected %u to %u",
			 arg->name, (unsigned long long)arg->mtu_bytes, DPT_LINK_MTU_MIN,
			 info->mtu);
		return -EINVAL;
	}
	for (uint8_t i = 0; i < DPT_BEARERS_MAX; i++) {
		const struct bearer_slot *other = &control->bearers[i];

		if (other == slot || other->bearer == NULL || info->if_index == 0 ||
		    other->info.if_index != info->if_index)
			continue;
		snprintf(why, why_bytes, "%s: the same interface as %s: one bearer for each",
			 arg->name, other->name);
		return -EINVAL;
	}
	return 0;
}

/* ---- open and close ---- */

/* Names of links tell bearers apart, but only 15 characters of the device's go into them. */
static void
if_name_set(const struct control *control, struct bearer_slot *slot)
{
	char *name = slot->cfg.if_name;
	size_t len;

	memcpy(name, slot->info.if_name, sizeof(slot->cfg.if_name));
	len = strnlen(name, DPT_IF_NAME_BYTES - 1);
	for (uint8_t i = 0; i < DPT_BEARERS_MAX; i++)
		if (&control->bearers[i] != slot && control->bearers[i].bearer != NULL &&
		    strcmp(control->bearers[i].cfg.if_name, name) == 0 && len > 0)
			name[len - 1] = (char)('0' + slot->cfg.bearer_id);
}

/* Empty, but for what an event of the present batch may still look at. */
static void
slot_clear(struct control *control, uint8_t id)
{
	struct bearer_slot *slot = &control->bearers[id];
	struct source carrier = slot->carrier;

	*slot = (struct bearer_slot){
		.control = control,
		.carrier = carrier,
		.carrier_fd = -ENOTSUP,
		.cfg.bearer_id = id,
	};
}

static void
slot_close(struct control *control, struct bearer_slot *slot)
{
	steer_drop(slot);
	slot->bearer->ops->close(slot->bearer);
	slot_clear(control, slot->cfg.bearer_id);
}

/* Check 8. Returns 0, or negative errno with a line in why; then the slot is as before. */
static int
slot_open(struct control *control, uint8_t id, const struct args_bearer *arg, char *why,
	  size_t why_bytes)
{
	struct bearer_slot *slot = &control->bearers[id];
	struct dpt_bearer_cfg cfg = {
		.bearer_id = id,
		.queues_cnt = control->workers_cnt,
		.numa_socket = (int)rte_socket_id(),
		.pool = control->pool,
		/* A VLAN tag's worth of room is left. */
		.mtu_max = SETUP_BUF_ROOM_BYTES - 18,
		.net_id = control->net_id,
	};
	const struct dpt_bearer_ops *ops =
		dpt_bearer_find(drivers, DRIVERS_CNT, arg->name, &cfg.device);
	uint64_t window = RTE_MIN(arg->window_pkts, (uint64_t)SETUP_LINK_RING_PKTS);
	int rc;

	slot_clear(control, id);
	if (ops == NULL) {
		snprintf(why, why_bytes, "%s: no such media; there are: eth, unix", arg->name);
		return media_of(arg->name) == MEDIA_UDP ? -EOPNOTSUPP : -ENODEV;
	}
	rc = ops->open(&cfg, &slot->bearer, why, why_bytes);
	if (rc != 0) {
		slot->bearer = NULL;
		if (why[0] == '\0')
			snprintf(why, why_bytes, "%s: %s", arg->name, strerror(-rc));
		return rc;
	}
	ops->info(slot->bearer, &slot->info);
	memcpy(slot->name, arg->name, sizeof(slot->name));
	slot->cfg = (struct dpt_stack_bearer){
		.bearer_id = id,
		.priority = (uint8_t)arg->priority,
		.tolerance_ms = (uint16_t)arg->tolerance_ms,
		.window_min = (uint16_t)RTE_MIN(window, (uint64_t)BEARER_WINDOW_MIN),
		.window_max = (uint16_t)window,
		.mtu = arg->mtu_bytes != 0 ? (uint16_t)arg->mtu_bytes : slot->info.mtu,
		.mtu_max = slot->info.mtu,
		.has_bcast = slot->info.has_bcast,
		.domain = dpt_node_addr((uint32_t)arg->domain),
		.maddr = slot->info.maddr,
	};
	if_name_set(control, slot);
	rc = device_check(control, slot, arg, why, why_bytes);
	if (rc != 0)
		slot_close(control, slot);
	return rc;
}

int
bearers_start(struct control *control, const struct args_bearer *arg, char *error,
	      size_t error_bytes)
{
	struct args_bearer bearer = *arg;
	char why[256] = "";
	const char *text;
	uint8_t id;

	text = slot_check(control, bearer.name, &bearer.priority, &id);
	if (text == NULL && slot_open(control, id, &bearer, why, sizeof(why)) == 0)
		return 0;
	if (text == NULL)
		snprintf(error, error_bytes, "--bearer: %s", why);
	else
		snprintf(error, error_bytes, "--bearer: %s: %s", bearer.name, text);
	return -1;
}

void
bearers_give(const struct control *control, struct worker *w)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].bearer != NULL)
			worker_bearer_add(w, id, control->bearers[id].bearer,
					  control->bearers[id].info.queues_cnt);
}

void
bearers_close(struct control *control)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].bearer != NULL)
			slot_close(control, &control->bearers[id]);
}

/* ---- changes while the node runs ---- */

/* The change is over. */
static void
change_end(struct control *control, int rc, const char *text)
{
	struct bearer_change *change = STAILQ_FIRST(&control->changes.list);

	STAILQ_REMOVE_HEAD(&control->changes.list, link);
	control->changes.slot = NULL;
	control->changes.is_leaving = false;
	change->done(change, rc, text);
}

/* The same, behind the last answer: the next one begins. */
static void
change_over(struct control *control, int rc, const char *text)
{
	change_end(control, rc, text);
	bearers_run(control);
}

static void
changes_ask(struct control *control, uint8_t worker, enum request_op op,
	    void (*done)(struct request *))
{
	struct bearer_slot *slot = control->changes.slot;
	struct request *req = &control->changes.reqs[worker];

	*req = (struct request){
		.op = op,
		.bearer = slot->cfg,
		.device = slot->bearer,
		.queues_cnt = slot->info.queues_cnt,
		.done = done,
		.owner = control,
	};
	control->changes.left++;
	control_ask(control, worker, req);
}

static void
leave_close(struct control *control)
{
	struct bearer_changes *changes = &control->changes;

	if (changes->rc == 0)
		stat_log(control, "bearer %s disabled", changes->slot->name);
	slot_close(control, changes->slot);
	change_over(control, changes->rc, changes->text);
}

static void
leave_last(struct request *req)
{
	struct control *control = req->owner;

	control->changes.left--;
	leave_close(control);
}

static void
leave_others(struct request *req)
{
	struct control *control = req->owner;

	if (--control->changes.left == 0)
		changes_ask(control, 0, REQUEST_BEARER_DEL, leave_last);
}

/* The stack has no links on it any more. */
static void
leave_workers(struct control *control)
{
	for (uint8_t i = 1; i < control->workers_cnt; i++)
		changes_ask(control, i, REQUEST_BEARER_DEL, leave_others);
	if (control->workers_cnt == 1)
		changes_ask(control, 0, REQUEST_BEARER_DEL, leave_last);
}

/* The carrier's request is not with worker 0. */
static void
leave_down(struct control *control)
{
	struct bearer_slot *slot = control->changes.slot;

	if (slot->is_up)
		carrier_tell(control, slot, false);
	else
		leave_workers(control);
}

/* Empty the slot; then the change ends with rc and text. */
static void
leave(struct control *control, int rc, const char *text)
{
	struct bearer_changes *changes = &control->changes;

	changes->is_leaving = true;
	changes->rc = rc;
	changes->text = text;
	carrier_end(control, changes->slot);
	if (!changes->slot->is_asking)
		leave_down(control);
}

void
bearers_told(struct bearer_slot *slot, int result)
{
	struct control *control = slot->control;

	/* Nobody changes this one: a carrier has come or gone. */
	if (control->changes.slot != slot)
		return;
	if (control->changes.is_leaving) {
		leave_down(control);
	} else if (result == 0) {
		change_over(control, 0, NULL);
	} else {
		slot->is_up = false;
		leave(control, result == -EINVAL ? -EINVAL : -ENOMEM,
		      "Failed to create discoverer");
	}
}

static void
enable_added(struct request *req)
{
	struct control *control = req->owner;
	struct bearer_changes *changes = &control->changes;
	struct bearer_slot *slot = changes->slot;
	char maddr[64];
	int rc;

	if (--changes->left > 0)
		return;
	rc = carrier_begin(control, slot);
	if (rc != 0) {
		leave(control, rc, BEARER_REFUSED_BY_MEDIA);
		return;
	}
	dpt_maddr_print(&slot->info.maddr, maddr, sizeof(maddr));
	stat_log(control, "bearer %s enabled, %s, mtu %u, %u queue(s)", slot->name, maddr,
		 slot->info.mtu, slot->info.queues_cnt);
	carrier_look(control);
	/* Without a carrier it is enabled all the same. */
	if (!slot->is_asking && changes->slot == slot && !changes->is_leaving)
		change_over(control, 0, NULL);
}

/* Numbers that were not given. */
static void
enable_defaults(const struct control *control, struct args_bearer *bearer)
{
	enum media media = media_of(bearer->name);
	const struct media_defaults *defaults =
		&control->media[media != MEDIA_CNT ? media : MEDIA_ETH];

	if (bearer->priority == 0)
		bearer->priority = RTE_MAX(defaults->priority, (uint32_t)BEARER_PRIORITY_MIN);
	if (bearer->tolerance_ms == 0)
		bearer->tolerance_ms = defaults->tolerance_ms;
	if (bearer->window_pkts == 0)
		bearer->window_pkts = defaults->window_pkts;
}

/* Returns true when workers have been asked; else the change has ended. */
static bool
enable_begin(struct control *control, struct bearer_change *change)
{
	struct bearer_changes *changes = &control->changes;
	char why[256] = "";
	const char *text;
	uint8_t id;
	int rc;

	enable_defaults(control, &change->bearer);
	text = slot_check(control, change->bearer.name, &change->bearer.priority, &id);
	if (text != NULL) {
		change_end(control, -EINVAL, text);
		return false;
	}
	rc = slot_open(control, id, &change->bearer, why, sizeof(why));
	if (rc != 0) {
		stat_log(control, "not enabled: %s", why);
		change_end(control, rc, BEARER_REFUSED_BY_MEDIA);
		return false;
	}
	changes->slot = &control->bearers[id];
	for (uint8_t i = 0; i < control->workers_cnt; i++)
		changes_ask(control, i, REQUEST_BEARER_ADD, enable_added);
	return true;
}

static void
gone_done(struct bearer_change *change, int rc, const char *text)
{
	(void)rc;
	(void)text;
	free(change);
}

static bool
disable_begin(struct control *control, struct bearer_change *change)
{
	struct bearer_slot *slot = NULL;

	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].bearer != NULL &&
		    strcmp(control->bearers[id].name, change->bearer.name) == 0)
			slot = &control->bearers[id];
	/* What has gone may have been disabled, and enabled anew, by others meanwhile. */
	if (slot == NULL || (change->done == gone_done && !slot->is_gone)) {
		change_end(control, -EINVAL, "Bearer not found");
		return false;
	}
	control->changes.slot = slot;
	leave(control, 0, NULL);
	return true;
}

static void
bearers_run(struct control *control)
{
	struct bearer_change *change;
	bool is_asked = false;

	control->changes.is_busy = true;
	while (!is_asked && (change = STAILQ_FIRST(&control->changes.list)) != NULL) {
		if (control->is_stopping)
			change_end(control, -ESHUTDOWN, NULL);
		else
			is_asked = change->is_disable ? disable_begin(control, change)
						      : enable_begin(control, change);
	}
	if (!is_asked)
		control->changes.is_busy = false;
}

void
bearers_change(struct control *control, struct bearer_change *change)
{
	change->control = control;
	if (control->is_stopping) {
		change->done(change, -ESHUTDOWN, NULL);
		return;
	}
	STAILQ_INSERT_TAIL(&control->changes.list, change, link);
	if (!control->changes.is_busy)
		bearers_run(control);
}

void
bearers_gone(struct bearer_slot *slot)
{
	struct bearer_change *change = calloc(1, sizeof(*change));

	/* Without memory: again with the next look. */
	slot->is_gone = change != NULL;
	if (change == NULL)
		return;
	change->is_disable = true;
	change->done = gone_done;
	memcpy(change->bearer.name, slot->name, sizeof(change->bearer.name));
	bearers_change(slot->control, change);
}
