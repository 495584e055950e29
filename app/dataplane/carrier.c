/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carriers come and go: the stack is told, which takes the links of the bearer down, or lets
 * discovery make new ones (03-link-node.md, 22). No hysteresis: a carrier that flaps costs its
 * links each time it is seen gone; the other wire goes on meanwhile.
 *
 *   port --LSC event--> carrier_fd --+--> is_up? --changed--> BEARER_UP, BEARER_DOWN, one at
 *   CONTROL_CARRIER_MS -------------/                         a time for each bearer
 *
 * The device's MTU, where it changes, is that of links made from then on: the bearer goes down and
 * up. A device that has gone takes its bearer along (11-management.md, C3).
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

static void
carrier_told(struct request *req)
{
	struct bearer_slot *slot = req->owner;

	slot->is_asking = false;
	if (req->result != 0)
		stat_log(slot->control, "bearer %s: not taken into use: %s", slot->name,
			 strerror(-req->result));
	bearers_told(slot, req->result);
}

void
carrier_tell(struct control *control, struct bearer_slot *slot, bool is_up)
{
	slot->is_up = is_up;
	slot->is_asking = true;
	slot->req = (struct request){
		.op = is_up ? REQUEST_BEARER_UP : REQUEST_BEARER_DOWN,
		.bearer = slot->cfg,
		.done = carrier_told,
		.owner = slot,
	};
	control_ask(control, 0, &slot->req);
}

/* What is said of the first time is that there is no carrier, if so. */
static void
carrier_note(struct control *control, struct bearer_slot *slot, bool is_up)
{
	bool is_reset = slot->is_resetting;

	slot->is_resetting = false;
	if (!is_up) {
		slot->carrier_losses++;
		stat_log(control, "bearer %s: no carrier", slot->name);
	} else if (slot->carrier_losses > 0 && !is_reset) {
		slot->carrier_returns++;
		stat_log(control, "bearer %s: carrier is back", slot->name);
	}
}

/*
 * The device's MTU is another one. What was set to less than the device's stays, as far as it fits.
 * Returns whether the bearer can go on.
 */
static bool
carrier_mtu(struct control *control, struct bearer_slot *slot, uint16_t mtu)
{
	if (mtu < DPT_LINK_MTU_MIN) {
		stat_log(control, "bearer %s: the MTU is now %u; TIPC needs at least %u",
			 slot->name, mtu, DPT_LINK_MTU_MIN);
		return false;
	}
	stat_log(control, "bearer %s: the MTU is now %u", slot->name, mtu);
	if (slot->cfg.mtu == slot->info.mtu || slot->cfg.mtu > mtu)
		slot->cfg.mtu = mtu;
	slot->cfg.mtu_max = mtu;
	slot->info.mtu = mtu;
	if (slot->is_up) {
		slot->is_resetting = true;
		carrier_tell(control, slot, false);
	}
	return true;
}

/* Returns whether there is more to say of the bearer in this look. */
static bool
carrier_look_device(struct control *control, struct bearer_slot *slot)
{
	const struct dpt_bearer_ops *ops = slot->bearer->ops;
	uint16_t mtu = slot->info.mtu;

	if (ops->look == NULL)
		return true;
	if (ops->look(slot->bearer, &mtu) != 0)
		stat_log(control, "bearer %s: its device has gone", slot->name);
	else if (mtu == slot->info.mtu || carrier_mtu(control, slot, mtu))
		return !slot->is_asking;
	slot->is_gone = true;
	bearers_gone(slot);
	return false;
}

static void
carrier_look_at(struct control *control, struct bearer_slot *slot)
{
	bool is_up;

	if (!slot->is_ready || slot->is_asking || slot->is_gone ||
	    !carrier_look_device(control, slot))
		return;
	is_up = slot->bearer->ops->is_up(slot->bearer);
	if (is_up == slot->is_up && (is_up || slot->carrier_losses > 0))
		return;
	carrier_note(control, slot, is_up);
	if (is_up != slot->is_up)
		carrier_tell(control, slot, is_up);
}

void
carrier_look(struct control *control)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		carrier_look_at(control, &control->bearers[id]);
}

void
carrier_stop(struct control *control)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].is_ready && control->bearers[id].is_up)
			carrier_tell(control, &control->bearers[id], false);
}

/* The loop looks at the carriers after each batch of events. */
static void
carrier_event(struct source *source, uint32_t events)
{
	struct bearer_slot *slot =
		(struct bearer_slot *)((char *)source - offsetof(struct bearer_slot, carrier));
	uint64_t cnt;

	(void)events;
	if (read(slot->carrier_fd, &cnt, sizeof(cnt)) < 0)
		return;
}

/* Whether any bearer has to be looked at in a rhythm. */
static void
carrier_timeout(struct control *control)
{
	control->timeout_ms = -1;
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].is_ready && control->bearers[id].info.has_carrier)
			control->timeout_ms = CONTROL_CARRIER_MS;
}

int
carrier_begin(struct control *control, struct bearer_slot *slot)
{
	int rc = 0;

	slot->carrier_fd = -ENOTSUP;
	slot->carrier.event = carrier_event;
	if (slot->info.has_carrier)
		slot->carrier_fd = slot->bearer->ops->carrier_fd(slot->bearer);
	if (slot->carrier_fd >= 0)
		rc = control_watch(control, slot->carrier_fd, &slot->carrier, EPOLLIN);
	slot->is_ready = rc == 0;
	carrier_timeout(control);
	return rc;
}

void
carrier_end(struct control *control, struct bearer_slot *slot)
{
	slot->is_ready = false;
	if (slot->carrier_fd >= 0)
		control_unwatch(control, slot->carrier_fd);
	slot->carrier_fd = -ENOTSUP;
	carrier_timeout(control);
}

int
carrier_init(struct control *control)
{
	int rc = 0;

	carrier_timeout(control);
	for (uint8_t id = 0; rc == 0 && id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].bearer != NULL)
			rc = carrier_begin(control, &control->bearers[id]);
	return rc;
}
