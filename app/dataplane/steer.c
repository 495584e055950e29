/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of a peer into the queue of the worker that owns it, where the device can do that
 * (dpt_bearer.h, steer). Worker 0 says only that something has changed; control walks over
 * the links and makes rules and links agree. So a word that was lost does no harm, and no
 * worker waits for a device.
 *
 *   worker 0 --links_gen--> walk --+-- link without rule: steer
 *                                  +-- rule without link: unsteer
 */
#include <errno.h>
#include <stdlib.h>

#include "links.h"

static bool
steer_is_possible(const struct bearer_slot *slot)
{
	return slot->is_ready && slot->info.queues_cnt > 1 && slot->bearer->ops->steer != NULL &&
	       (slot->steer == NULL || !slot->steer->is_refused);
}

static struct steer_rule *
steer_find(struct steer *steer, const struct dpt_maddr *peer)
{
	for (uint32_t i = 0; i < steer->rules_cnt; i++)
		if (dpt_maddr_eq(&steer->rules[i].peer, peer))
			return &steer->rules[i];
	return NULL;
}

static void
steer_make(struct bearer_slot *slot, const struct dpt_maddr *peer, uint16_t queue)
{
	struct steer *steer = slot->steer;
	struct steer_rule *rule;
	int rc;

	if (steer->rules_cnt == STEER_RULES_MAX)
		return;
	rule = &steer->rules[steer->rules_cnt++];
	*rule = (struct steer_rule){.peer = *peer, .is_seen = true};
	rc = slot->bearer->ops->steer(slot->bearer, peer, queue, &rule->rule);
	if (rc == 0) {
		steer->made++;
		return;
	}
	rule->rule = NULL;
	steer->refused++;
	steer->is_refused = rc == -ENOTSUP;
}

static void
steer_each(struct links_walk *walk, const struct chunk_link *link)
{
	struct bearer_slot *slot = &walk->control->bearers[link->info.bearer_id];
	uint16_t queue = walk->worker;
	struct steer_rule *rule;

	/* Queue 0 is where everything comes without a rule. */
	if (!link->info.is_up || queue == 0 || !steer_is_possible(slot) ||
	    queue >= slot->info.queues_cnt)
		return;
	if (slot->steer == NULL)
		slot->steer = calloc(1, sizeof(*slot->steer));
	if (slot->steer == NULL)
		return;
	rule = steer_find(slot->steer, &link->info.dst);
	if (rule != NULL)
		rule->is_seen = true;
	else
		steer_make(slot, &link->info.dst, queue);
}

/* Rules whose link has gone. */
static void
steer_sweep(struct bearer_slot *slot)
{
	struct steer *steer = slot->steer;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < steer->rules_cnt; i++) {
		struct steer_rule *rule = &steer->rules[i];

		if (!rule->is_seen) {
			if (rule->rule != NULL)
				slot->bearer->ops->unsteer(slot->bearer, rule->rule);
			continue;
		}
		rule->is_seen = false;
		steer->rules[kept++] = *rule;
	}
	steer->rules_cnt = kept;
}

static void
steer_done(struct links_walk *walk)
{
	struct control *control = walk->control;

	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].steer != NULL)
			steer_sweep(&control->bearers[id]);
	control->is_steering = false;
}

void
steer_look(struct control *control)
{
	bool is_possible = false;
	uint32_t gen;

	for (uint8_t id = 0; control->workers_cnt > 1 && id < DPT_BEARERS_MAX; id++)
		is_possible |= steer_is_possible(&control->bearers[id]);
	if (!is_possible || control->is_steering)
		return;
	gen = atomic_load_explicit(&control->workers[0].links_gen, memory_order_acquire);
	if (gen == control->steer_gen)
		return;
	control->steer_gen = gen;
	if (control->steer_walk == NULL)
		control->steer_walk = calloc(1, sizeof(*control->steer_walk));
	if (control->steer_walk == NULL)
		return;
	control->is_steering = true;
	control->steer_walk->control = control;
	control->steer_walk->each = steer_each;
	control->steer_walk->done = steer_done;
	links_walk(control->steer_walk);
}

void
steer_drop(struct bearer_slot *slot)
{
	struct steer *steer = slot->steer;

	for (uint32_t i = 0; steer != NULL && i < steer->rules_cnt; i++)
		if (steer->rules[i].rule != NULL)
			slot->bearer->ops->unsteer(slot->bearer, steer->rules[i].rule);
	free(steer);
	slot->steer = NULL;
}

void
steer_fini(struct control *control)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		steer_drop(&control->bearers[id]);
	free(control->steer_walk);
	control->steer_walk = NULL;
}

uint32_t
steer_rules_cnt(const struct steer *steer)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; steer != NULL && i < steer->rules_cnt; i++)
		cnt += steer->rules[i].rule != NULL;
	return cnt;
}
