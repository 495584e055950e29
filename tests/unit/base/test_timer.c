/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timer wheel. Goal: every timer fires exactly once, never before its time, and at
 * the first pop at or after it; the deadline is never late and always moves on.
 * Method: small cases, and a model that keeps the timers in an array and searches it.
 */
#include "base_suites.h"

#include "dpt_rng.h"
#include "dpt_time.h"
#include "dpt_timer.h"

#define HORIZON_NS ((UINT64_C(1) << 24) * DPT_TIMER_TICK_NS)
#define TIMERS_CNT 200
#define OPS_CNT	   60000

static struct dpt_timer_wheel wheel;

static void
pop_gives_a_timer_at_its_time_and_not_before(void)
{
	struct dpt_timer timer;

	dpt_timer_wheel_init(&wheel, 5 * DPT_NS_PER_MS);
	dpt_timer_init(&timer, 7);
	dpt_timer_set(&wheel, &timer, 12345678);
	CU_IS_NULL(dpt_timer_pop(&wheel, 12345677));
	CU_EQ_PTR(dpt_timer_pop(&wheel, 12345678), &timer);
	CU_EQ_U64(timer.kind, 7);
	CU_EQ_U64(timer.is_armed, 0);
	CU_IS_NULL(dpt_timer_pop(&wheel, HORIZON_NS));
}

static void
time_that_has_passed_fires_at_once(void)
{
	struct dpt_timer timer;

	dpt_timer_wheel_init(&wheel, 10 * DPT_NS_PER_S);
	dpt_timer_init(&timer, 0);
	dpt_timer_set(&wheel, &timer, 1);
	CU_TRUE(dpt_timer_wheel_deadline_ns(&wheel) <= 10 * DPT_NS_PER_S);
	CU_EQ_PTR(dpt_timer_pop(&wheel, 10 * DPT_NS_PER_S), &timer);
}

static void
time_beyond_the_horizon_fires_at_the_horizon(void)
{
	struct dpt_timer timer;

	dpt_timer_wheel_init(&wheel, 0);
	dpt_timer_init(&timer, 0);
	dpt_timer_set(&wheel, &timer, UINT64_MAX);
	CU_IS_NULL(dpt_timer_pop(&wheel, HORIZON_NS - 2 * DPT_TIMER_TICK_NS));
	CU_EQ_PTR(dpt_timer_pop(&wheel, HORIZON_NS), &timer);
}

static void
cancelled_timer_does_not_fire(void)
{
	struct dpt_timer a, b;

	dpt_timer_wheel_init(&wheel, 0);
	dpt_timer_init(&a, 0);
	dpt_timer_init(&b, 0);
	dpt_timer_set(&wheel, &a, DPT_NS_PER_S);
	dpt_timer_set(&wheel, &b, DPT_NS_PER_S);
	dpt_timer_cancel(&wheel, &a);
	dpt_timer_cancel(&wheel, &a);
	CU_EQ_U64(wheel.armed_cnt, 1);
	CU_EQ_PTR(dpt_timer_pop(&wheel, DPT_NS_PER_S), &b);
	CU_IS_NULL(dpt_timer_pop(&wheel, DPT_NS_PER_S));
}

/* a pops b's turn: the wheel has put both in the list of expired ones by then. */
static void
expired_timer_can_be_cancelled_and_armed_anew_before_its_pop(void)
{
	struct dpt_timer timers[3];

	dpt_timer_wheel_init(&wheel, 0);
	for (unsigned int i = 0; i < 3; i++) {
		dpt_timer_init(&timers[i], 0);
		dpt_timer_set(&wheel, &timers[i], DPT_NS_PER_MS + i);
	}
	CU_EQ_PTR(dpt_timer_pop(&wheel, 10 * DPT_NS_PER_MS), &timers[0]);
	dpt_timer_cancel(&wheel, &timers[1]);
	dpt_timer_set(&wheel, &timers[2], 20 * DPT_NS_PER_MS);
	CU_IS_NULL(dpt_timer_pop(&wheel, 10 * DPT_NS_PER_MS));
	CU_EQ_PTR(dpt_timer_pop(&wheel, 20 * DPT_NS_PER_MS), &timers[2]);
	CU_EQ_U64(wheel.armed_cnt, 0);
}

static void
arming_anew_moves_the_timer(void)
{
	struct dpt_timer timer;

	dpt_timer_wheel_init(&wheel, 0);
	dpt_timer_init(&timer, 0);
	dpt_timer_set(&wheel, &timer, DPT_NS_PER_MS);
	dpt_timer_set(&wheel, &timer, 5 * DPT_NS_PER_S);
	CU_EQ_U64(wheel.armed_cnt, 1);
	CU_IS_NULL(dpt_timer_pop(&wheel, 4 * DPT_NS_PER_S));
	CU_EQ_PTR(dpt_timer_pop(&wheel, 5 * DPT_NS_PER_S), &timer);
}

static void
deadline_is_never_without_timers(void)
{
	struct dpt_timer timer;

	dpt_timer_wheel_init(&wheel, 123);
	CU_EQ_U64(dpt_timer_wheel_deadline_ns(&wheel), DPT_NEVER_NS);
	dpt_timer_init(&timer, 0);
	dpt_timer_set(&wheel, &timer, DPT_NS_PER_S);
	CU_TRUE(dpt_timer_wheel_deadline_ns(&wheel) <= DPT_NS_PER_S);
	dpt_timer_cancel(&wheel, &timer);
	CU_EQ_U64(dpt_timer_wheel_deadline_ns(&wheel), DPT_NEVER_NS);
}

/* A timer in every distance class: sleeping until the deadline reaches it in few steps. */
static void
following_the_deadline_reaches_each_timer_exactly(void)
{
	static const uint64_t delays[] = {
		0,	    1,		999999,	      1000000,	    63999999,	   64000000,
		4096000000, 4096000001, 262144000000, 262144000001, 16777215000000};

	for (size_t i = 0; i < CU_CNT(delays); i++) {
		uint64_t now = 777 * DPT_NS_PER_MS + 4321, due = now + delays[i];
		struct dpt_timer timer, *popped = NULL;
		unsigned int steps = 0;

		cu_context("delay %" PRIu64, delays[i]);
		dpt_timer_wheel_init(&wheel, now);
		dpt_timer_init(&timer, 0);
		dpt_timer_set(&wheel, &timer, due);
		while (popped == NULL && steps++ < 2 * DPT_TIMER_LEVELS) {
			uint64_t deadline = dpt_timer_wheel_deadline_ns(&wheel);

			CU_TRUE(deadline <= due);
			if (deadline > now)
				now = deadline;
			popped = dpt_timer_pop(&wheel, now);
		}
		CU_EQ_PTR(popped, &timer);
		CU_EQ_U64(now, timer.expires_ns);
	}
}

struct model {
	struct dpt_timer timers[TIMERS_CNT];
	uint64_t due_ns[TIMERS_CNT]; /* UINT64_MAX: not armed */
	uint64_t now_ns;
	struct dpt_rng rng;
	unsigned int fired_cnt;
};

static struct model model;

/* A delay from nanoseconds to beyond the horizon: first its magnitude, then the value. */
static uint64_t
model_delay(void)
{
	unsigned int bits = dpt_rng_below(&model.rng, 46);

	return dpt_rng_u64(&model.rng) & ((UINT64_C(1) << bits) - 1);
}

static uint64_t
model_earliest(void)
{
	uint64_t earliest = UINT64_MAX;

	for (unsigned int i = 0; i < TIMERS_CNT; i++) {
		if (model.due_ns[i] < earliest)
			earliest = model.due_ns[i];
	}
	return earliest;
}

/* Pop all that is due; the model must agree with each one and have none left. */
static void
model_advance(uint64_t now_ns)
{
	struct dpt_timer *timer;

	model.now_ns = now_ns;
	while ((timer = dpt_timer_pop(&wheel, now_ns)) != NULL) {
		unsigned int idx = (unsigned int)(timer - model.timers);

		CU_TRUE_FATAL(model.due_ns[idx] <= now_ns);
		model.due_ns[idx] = UINT64_MAX;
		model.fired_cnt++;
	}
	CU_TRUE_FATAL(model_earliest() > now_ns);
}

static void
model_set(unsigned int idx)
{
	uint64_t due_ns = model.now_ns + model_delay();

	if (dpt_rng_below(&model.rng, 10) == 0 && model.now_ns > DPT_NS_PER_S)
		due_ns = model.now_ns - dpt_rng_below(&model.rng, (uint32_t)DPT_NS_PER_S);
	dpt_timer_set(&wheel, &model.timers[idx], due_ns);
	/* Times out of range are moved: within one tick of now, within one tick of the horizon. */
	if (due_ns < model.now_ns) {
		CU_TRUE_FATAL(model.timers[idx].expires_ns <= model.now_ns);
	} else if (due_ns - model.now_ns < HORIZON_NS - DPT_TIMER_TICK_NS) {
		CU_EQ_U64_FATAL(model.timers[idx].expires_ns, due_ns);
	} else {
		CU_TRUE_FATAL(model.timers[idx].expires_ns <= due_ns);
		CU_TRUE_FATAL(model.timers[idx].expires_ns + 2 * DPT_TIMER_TICK_NS >=
			      model.now_ns + HORIZON_NS);
	}
	model.due_ns[idx] = model.timers[idx].expires_ns;
}

static void
wheel_agrees_with_a_model_under_random_operations(void)
{
	model.now_ns = 987654321;
	model.fired_cnt = 0;
	dpt_rng_seed(&model.rng, cu_seed());
	dpt_timer_wheel_init(&wheel, model.now_ns);
	for (unsigned int i = 0; i < TIMERS_CNT; i++) {
		dpt_timer_init(&model.timers[i], 0);
		model.due_ns[i] = UINT64_MAX;
	}
	for (unsigned int op = 0; op < OPS_CNT; op++) {
		unsigned int idx = dpt_rng_below(&model.rng, TIMERS_CNT);

		switch (dpt_rng_below(&model.rng, 4)) {
		case 0:
			dpt_timer_cancel(&wheel, &model.timers[idx]);
			model.due_ns[idx] = UINT64_MAX;
			break;
		case 1:
			model_advance(model.now_ns + model_delay() / 64);
			break;
		case 2:
			CU_TRUE_FATAL(dpt_timer_wheel_deadline_ns(&wheel) <= model_earliest());
			break;
		default:
			model_set(idx);
			break;
		}
	}
	model_advance(model.now_ns + 2 * HORIZON_NS);
	CU_EQ_U64(wheel.armed_cnt, 0);
	CU_EQ_U64(dpt_timer_wheel_deadline_ns(&wheel), DPT_NEVER_NS);
	CU_TRUE(model.fired_cnt > OPS_CNT / 100);
}

static const struct cu_test tests[] = {
	CU_TEST(pop_gives_a_timer_at_its_time_and_not_before),
	CU_TEST(time_that_has_passed_fires_at_once),
	CU_TEST(time_beyond_the_horizon_fires_at_the_horizon),
	CU_TEST(cancelled_timer_does_not_fire),
	CU_TEST(expired_timer_can_be_cancelled_and_armed_anew_before_its_pop),
	CU_TEST(arming_anew_moves_the_timer),
	CU_TEST(deadline_is_never_without_timers),
	CU_TEST(following_the_deadline_reaches_each_timer_exactly),
	CU_TEST(wheel_agrees_with_a_model_under_random_operations),
};

const struct cu_suite base_timer_suite = CU_TEST_SUITE("timer", tests);
