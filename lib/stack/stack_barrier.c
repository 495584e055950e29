/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The barrier of bind (struct dpt_bind_req.is_sync): BIND_DONE waits until the links of all
 * nodes that are up have acknowledged the publication. Shard 0.
 *
 *   decide ------> record: number of the update         held updates (04-name-table.md, 12.1):
 *   update goes -> broadcast: how far that link was       the record waits for its update
 *                  unicast: each copy marked, contact remembers the number
 *   every shard has applied it -> the message waits in the record
 *   acknowledgements, lost nodes -> oldest record done: RESULT to the requester
 *
 * Updates go in the order of their numbers, so records are done in that order too.
 */

#include "stack_priv.h"

/* Answers that one public call gives: control's events are bounded (dpt_out). Our choice. */
#define BARRIER_DONE_MAX 16

static struct stack_barrier *
barrier_at(const struct dpt_stack *stack, uint32_t i)
{
	return &stack->barriers[(stack->barriers_first + i) % STACK_BARRIERS_MAX];
}

bool
stack_barrier_has_room(const struct dpt_stack *stack)
{
	return stack->barriers_cnt < STACK_BARRIERS_MAX;
}

void
stack_barrier_add(struct dpt_stack *stack, uint32_t update)
{
	struct stack_barrier *barrier = barrier_at(stack, stack->barriers_cnt);

	DPT_ASSERT(stack_barrier_has_room(stack));
	*barrier = (struct stack_barrier){.update = update};
	stack->barriers_cnt++;
}

/* The record of an update that goes now; NULL: nobody waits for it. */
static struct stack_barrier *
barrier_of(const struct dpt_stack *stack, uint32_t update)
{
	for (uint32_t i = 0; i < stack->barriers_cnt; i++) {
		struct stack_barrier *barrier = barrier_at(stack, i);

		if (!barrier->is_sent)
			return barrier->update == update ? barrier : NULL;
	}
	return NULL;
}

void
stack_barrier_bcast(struct dpt_stack *stack, uint32_t update)
{
	struct stack_barrier *barrier = barrier_of(stack, update);

	if (barrier == NULL)
		return;
	barrier->is_sent = true;
	barrier->bcast_given = dpt_bcast_snd_given(stack->bcast_snd);
}

bool
stack_barrier_unicast(struct dpt_stack *stack, uint32_t update)
{
	struct stack_barrier *barrier = barrier_of(stack, update);

	if (barrier == NULL)
		return false;
	barrier->is_sent = true;
	return true;
}

void
stack_barrier_mark(struct stack_contact *contact, struct rte_mbuf *copy, uint32_t update)
{
	dpt_buf(copy)->flags |= DPT_BUF_F_BULK_END;
	/* 0 is a bulk's. */
	dpt_buf(copy)->cookie = (uint64_t)update + 1;
	contact->is_marked = true;
	contact->mark = update;
}

void
stack_barrier_acked(struct stack_contact *contact, uint64_t cookie)
{
	if (cookie != 0 && contact->mark == (uint32_t)(cookie - 1))
		contact->is_marked = false;
}

void
stack_barrier_applied(struct dpt_stack *stack, const struct stack_bind_msg *msg)
{
	for (uint32_t i = 0; i < stack->barriers_cnt; i++) {
		struct stack_barrier *barrier = barrier_at(stack, i);

		if (barrier->is_applied)
			continue;
		/* Messages between shards keep their order. */
		DPT_ASSERT(barrier->update == msg->update);
		barrier->is_applied = true;
		barrier->msg = *msg;
		return;
	}
}

static bool
barrier_is_done(const struct dpt_stack *stack, const struct stack_barrier *barrier)
{
	if (!barrier->is_applied || !barrier->is_sent ||
	    dpt_bcast_snd_done(stack->bcast_snd) < barrier->bcast_given)
		return false;
	/* A later mark that is outstanding stands for the earlier ones before it. */
	for (uint32_t i = 0; i < stack->contacts_cnt; i++) {
		const struct stack_contact *contact = &stack->contacts[i];

		if (contact->is_open && contact->is_marked)
			return false;
	}
	return true;
}

static bool
is_first_done(const struct dpt_stack *stack)
{
	return stack->barriers_cnt > 0 && barrier_is_done(stack, barrier_at(stack, 0));
}

bool
stack_barrier_run(struct dpt_stack *stack, uint64_t now_ns)
{
	bool has_worked = false;

	while (stack->barriers_done_cnt < BARRIER_DONE_MAX && is_first_done(stack)) {
		struct stack_bind_msg msg = barrier_at(stack, 0)->msg;

		stack->barriers_first = (stack->barriers_first + 1) % STACK_BARRIERS_MAX;
		stack->barriers_cnt--;
		stack->barriers_done_cnt++;
		msg.step = STACK_BIND_RESULT;
		stack_post(stack, msg.requester, STACK_MSG_BIND, &msg, sizeof(msg), now_ns);
		has_worked = true;
	}
	return has_worked;
}

bool
stack_barrier_is_due(const struct dpt_stack *stack)
{
	return is_first_done(stack);
}
