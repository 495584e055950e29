/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carriers come and go: the stack is told, which takes the links of the bearer down, or lets
 * discovery make new ones (03-link-node.md, 22). No hysteresis: a carrier that flaps costs its
 * links each time it is seen gone; the other wire goes on meanwhile.
 *
 *   port --LSC event--> carrier_fd --+--> is_up? --changed--> BEARER_UP, BEARER_DOWN, one at
 *   CONTROL_CARRIER_MS -------------/                         a time for each bearer
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
}

static void
carrier_tell(struct control *control, struct bearer_slot *slot, bool is_up)
{
	slot->control = control;
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
	if (is_up && slot->carrier_losses > 0) {
		slot->carrier_returns++;
		stat_log(control, "bearer %s: carrier is back", slot->name);
	} else if (!is_up) {
		slot->carrier_losses++;
		stat_log(control, "bearer %s: no carrier", slot->name);
	}
}

void
carrier_look(struct control *control)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct bearer_slot *slot = &control->bearers[id];
		bool is_up;

		if (slot->bearer == NULL || slot->is_asking)
			continue;
		is_up = slot->bearer->ops->is_up(slot->bearer);
		if (is_up == slot->is_up && (is_up || slot->carrier_losses > 0))
			continue;
		carrier_note(control, slot, is_up);
		if (is_up != slot->is_up)
			carrier_tell(control, slot, is_up);
	}
}

void
carrier_stop(struct control *control)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].bearer != NULL && control->bearers[id].is_up)
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

int
carrier_init(struct control *control)
{
	control->timeout_ms = -1;
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		struct bearer_slot *slot = &control->bearers[id];
		int rc;

		if (slot->bearer == NULL || !slot->info.has_carrier)
			continue;
		control->timeout_ms = CONTROL_CARRIER_MS;
		slot->carrier_fd = slot->bearer->ops->carrier_fd(slot->bearer);
		slot->carrier.event = carrier_event;
		if (slot->carrier_fd < 0)
			continue;
		rc = control_watch(control, slot->carrier_fd, &slot->carrier, EPOLLIN);
		if (rc != 0)
			return rc;
	}
	return 0;
}
