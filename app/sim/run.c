/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The course of a run:
 *
 *   1. the cluster forms                      all see each other, tables are alike
 *   2. safety: applications talk, faults      nothing doubled, reordered, made up
 *   3. heal: faults stop, then the talk       liveness: everything converges in time
 *   4. the end: sockets close, stacks stop    tables empty, every buffer is back
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define RUN_STEP_NS    (50 * DPT_NS_PER_MS)
#define RUN_FORM_NS    (15 * DPT_NS_PER_S)
#define RUN_TALK_ON_NS (300 * DPT_NS_PER_MS)
/* A node that knows some peers asks for others once a minute. Src: 02-discovery.md, 4.3. */
#define RUN_CONVERGE_NS (100 * DPT_NS_PER_S)
#define RUN_DRAIN_NS	(500 * DPT_NS_PER_MS)
#define RUN_MUST_NS	(5 * DPT_NS_PER_S)
#define RUN_REST_NS	(2 * DPT_NS_PER_S)
#define RUN_CLOSE_NS	(5 * DPT_NS_PER_S)
/* All bearers are up by then. */
#define RUN_SCRIPT_NS (700 * DPT_NS_PER_MS)
/* Whoever waits for room before he ends, waits 8 s; refused SYNs are repeated within 2.1 s. */
#define RUN_CONNS_NS   (20 * DPT_NS_PER_S)
#define RUN_HOSTILE_NS (2 * DPT_NS_PER_S)

void
sim_at(struct sim *sim, uint64_t time_ns, enum sim_event_type type, uint32_t node, uint32_t arg)
{
	struct sim_event event = {.time_ns = time_ns, .type = type, .node = node, .arg = arg};

	sim_heap_push(&sim->heap, &event);
}

void
sim_at_wire(struct sim *sim, uint64_t time_ns, uint32_t node, uint32_t wire)
{
	struct sim_event event = {.time_ns = time_ns,
				  .type = SIM_EV_BEARER_UP,
				  .node = node,
				  .bearer_id = (uint8_t)wire,
				  .arg = sim->nodes[node].incarnation};

	sim_heap_push(&sim->heap, &event);
}

/*
 * A shard had no buffer left for a message to another one, its reserve included. The stack
 * counts that as an error, and does not repair it: what the node knows is not consistent.
 */
static bool
run_has_lost_shard_msgs(const struct sim *sim)
{
	uint32_t n, s;

	for (n = 0; sim->drained_until_ns != 0 && n < sim->plan.nodes; n++) {
		for (s = 0; sim->nodes[n].is_running && s < sim->plan.shards; s++) {
			const struct dpt_stack *stack = sim->nodes[n].shards[s].stack;

			if (stack != NULL && dpt_stack_counters(stack)->stack.shard_msgs_lost != 0)
				return true;
		}
	}
	return false;
}

/*
 * When broken frames pass, messages may say anything: nobody can be blamed for what they
 * carry, for whom they name, or for how long a link takes to recover. What must hold is
 * that nothing crashes, hangs or leaks.
 */
static bool
run_is_judged(const struct sim *sim, const char *oracle)
{
	static const char *const safety[] = {"buffers", "init",	  "pool", "shard",  "stack",
					     "timer",	"bearer", "wire", "socket", "P7 memory"};
	uint32_t i;

	for (i = 0; i < RTE_DIM(safety); i++) {
		if (strcmp(oracle, safety[i]) == 0)
			return true;
	}
	return !sim->plan.is_hostile && !run_has_lost_shard_msgs(sim);
}

void
sim_violate(struct sim *sim, const char *oracle, const char *fmt, ...)
{
	va_list args;
	int len;

	if (sim->is_failed || !run_is_judged(sim, oracle))
		return;
	sim->is_failed = true;
	len = snprintf(sim->failure, sizeof(sim->failure), "%s, at %.6f s: ", oracle,
		       (double)sim->now_ns / 1e9);
	va_start(args, fmt);
	vsnprintf(sim->failure + len, sizeof(sim->failure) - (size_t)len, fmt, args);
	va_end(args);
	sim_trace_line(sim, SIM_NONE, "VIOLATION of %s", sim->failure);
	sim_trace_counters(sim);
}

static void
run_for(struct sim *sim, uint64_t ns)
{
	uint64_t end_ns = sim->now_ns + ns;
	struct sim_event event;

	while (!sim->is_failed && sim->heap.cnt > 0 && sim->heap.events[0].time_ns <= end_ns) {
		sim_heap_pop(&sim->heap, &event);
		sim->now_ns = event.time_ns;
		sim_dispatch(sim, &event);
	}
	if (sim->is_failed)
		return;
	sim->now_ns = end_ns;
	sim_oracle_memory(sim);
}

/* As run_for, with a look at the memory now and then. */
static void
run_on(struct sim *sim, uint64_t ns)
{
	uint64_t end_ns = sim->now_ns + ns;

	while (!sim->is_failed && sim->now_ns < end_ns)
		run_for(sim, RTE_MIN(RUN_STEP_NS, end_ns - sim->now_ns));
}

static uint32_t
run_blocked(const struct sim *sim)
{
	uint32_t s;

	for (s = 0; s < sim->socks_cnt; s++) {
		if (sim->socks[s].is_open && sim->socks[s].is_blocked)
			return s;
	}
	return SIM_NONE;
}

static bool
run_has_converged(struct sim *sim, char *text, size_t text_size)
{
	uint32_t blocked = run_blocked(sim);

	if (blocked != SIM_NONE && text != NULL)
		snprintf(text, text_size, "socket %u is still blocked", blocked);
	return sim_oracle_all_up(sim, text, text_size) && blocked == SIM_NONE &&
	       sim_oracle_names_ok(sim, text, text_size);
}

static void
run_until_converged(struct sim *sim, uint64_t budget_ns, const char *phase)
{
	char text[256] = "";
	uint64_t end_ns = sim->now_ns + budget_ns;

	while (!sim->is_failed && sim->now_ns < end_ns) {
		run_for(sim, RUN_STEP_NS);
		if (run_has_converged(sim, NULL, 0))
			return;
	}
	if (!sim->is_failed && !run_has_converged(sim, text, sizeof(text)))
		sim_violate(sim, "liveness", "%s: not within %u s: %s", phase,
			    (uint32_t)(budget_ns / DPT_NS_PER_S), text);
}

static void
run_must_arrive(struct sim *sim)
{
	uint64_t end_ns = sim->now_ns + RUN_MUST_NS;

	sim_app_must_round(sim);
	while (!sim->is_failed && sim_oracle_must_missing(sim) > 0 && sim->now_ns < end_ns)
		run_for(sim, RUN_STEP_NS);
	if (!sim->is_failed && sim_oracle_must_missing(sim) > 0)
		sim_violate(sim, "liveness", "%u messages sent after the heal do not arrive",
			    sim_oracle_must_missing(sim));
	/* Those that the flood of lower messages has blocked are woken. */
	run_on(sim, RUN_STEP_NS * 4);
	if (!sim->is_failed && run_blocked(sim) != SIM_NONE)
		sim_violate(sim, "P8 wake-up", "socket %u is still blocked", run_blocked(sim));
}

/* Connections: what was begun is made or refused, what was sent is read, both ends agree. */
static void
run_until_conns_agree(struct sim *sim, const char *phase)
{
	char text[256] = "";
	uint64_t end_ns = sim->now_ns + RUN_CONNS_NS;

	while (!sim->is_failed && sim->now_ns < end_ns) {
		if (sim_oracle_conns_ok(sim, text, sizeof(text)))
			return;
		run_for(sim, RUN_STEP_NS);
	}
	if (!sim->is_failed && !sim_oracle_conns_ok(sim, text, sizeof(text)))
		sim_violate(sim, "conn liveness", "%s: not within %u s: %s", phase,
			    (uint32_t)(RUN_CONNS_NS / DPT_NS_PER_S), text);
}

static void
run_close(struct sim *sim)
{
	uint32_t s, n, m;

	sim->is_quiet = true;
	sim_conn_close_some(sim, false);
	if (sim->plan.conns > 0 && !sim->plan.is_hostile)
		run_until_conns_agree(sim, "after one end of each connection was closed");
	sim_conn_close_some(sim, true);
	for (s = 0; s < sim->socks_cnt && !sim->is_failed; s++) {
		if (sim->socks[s].is_open)
			sim_app_close(sim, s);
	}
	run_until_converged(sim, RUN_CLOSE_NS, "after all sockets were closed");
	for (n = 0; n < sim->plan.nodes && !sim->is_failed; n++) {
		for (s = 0; s < sim->plan.shards; s++) {
			const struct sim_shard *sh = &sim->nodes[n].shards[s];

			m = dpt_socks_cnt(dpt_stack_socks(sh->stack)) - sh->socks_own;
			if (m != 0)
				sim_violate(sim, "sockets", "node %u shard %u still has %u", n, s,
					    m);
		}
	}
}

/* Also after a violation, so that the next run finds its pools full, if it can. */
static void
run_stop(struct sim *sim)
{
	struct sim_event event;
	uint32_t n, held;

	sim->is_quiet = true;
	sim_fault_drain(sim, false);
	for (n = 0; n < sim->plan.nodes; n++) {
		if (sim->nodes[n].is_running)
			sim_node_kill(sim, n);
	}
	while (sim_heap_pop(&sim->heap, &event))
		rte_pktmbuf_free(event.m);
	held = rte_mempool_in_use_count(sim->pool) + rte_mempool_in_use_count(sim->net_pool);
	if (held != 0)
		sim_violate(sim, "buffers", "%u buffers are not back in the pool", held);
}

static void
run_liveness(struct sim *sim)
{
	/* What was lost before the heal may be noticed after it. */
	run_on(sim, sim_oracle_late_ns(sim));
	run_until_converged(sim, RUN_CONVERGE_NS, "after the heal");
	/* What waits in backlogs comes first; small receive buffers must not refuse the rest. */
	run_on(sim, RUN_DRAIN_NS);
	run_until_conns_agree(sim, "after the heal");
	if (!sim->is_failed)
		run_must_arrive(sim);
	if (!sim->is_failed)
		sim_conn_must_round(sim);
	run_until_conns_agree(sim, "what was begun after the heal");
	run_on(sim, RUN_REST_NS);
	if (!sim->is_failed)
		sim_oracle_memory_rest(sim);
	if (!sim->is_failed)
		sim_oracle_msgs_end(sim);
}

static void
run_phases(struct sim *sim)
{
	uint32_t n;

	sim_net_init(sim);
	for (n = 0; n < sim->plan.nodes && !sim->is_failed; n++)
		sim_node_start(sim, n);
	run_until_converged(sim, RUN_FORM_NS, "the cluster does not form");
	if (sim->opts->scenario != NULL) {
		sim_at(sim, sim->now_ns + RUN_SCRIPT_NS, SIM_EV_SCRIPT, 0, 0);
	} else {
		sim_app_start_talking(sim);
		sim_faults_start(sim);
	}
	run_on(sim, sim->plan.seconds * DPT_NS_PER_S);
	if (sim->is_failed)
		return;
	sim_faults_heal(sim);
	run_on(sim, RUN_TALK_ON_NS);
	sim->is_talking = false;
	if (!sim->is_failed)
		sim_app_read_all(sim);
	if (!sim->is_failed)
		sim_conn_read_all(sim);
	if (sim->plan.is_hostile)
		run_on(sim, RUN_HOSTILE_NS);
	else
		run_liveness(sim);
	if (!sim->is_failed && sim->opts->scenario == NULL)
		run_close(sim);
}

static void
run_reset(struct sim *sim, const struct sim_opts *opts, uint64_t seed)
{
	struct sim keep = {.heap = sim->heap,
			   .socks = sim->socks,
			   .ends = sim->ends,
			   .msgs = sim->msgs,
			   .msgs_room = sim->msgs_room,
			   .pattern = sim->pattern,
			   .pairs = sim->pairs,
			   .pairs_room = sim->pairs_room,
			   .checks = sim->checks,
			   .checks_room = sim->checks_room,
			   .pool = sim->pool,
			   .net_pool = sim->net_pool,
			   .mem = sim->mem,
			   .trace = sim->trace,
			   .pcap = sim->pcap};
	uint32_t i;

	*sim = keep;
	sim->heap.cnt = 0;
	sim->heap.nr = 0;
	sim->opts = opts;
	sim->seed = seed;
	dpt_out_init(&sim->out);
	sim_plan_draw(&sim->plan, opts, seed);
	dpt_rng_seed(&sim->rng_net, sim_seed_mix(seed, 2));
	dpt_rng_seed(&sim->rng_app, sim_seed_mix(seed, 3));
	dpt_rng_seed(&sim->rng_fault, sim_seed_mix(seed, 4));
	if (sim->socks != NULL)
		return;
	sim->socks = calloc(SIM_SOCKS_MAX, sizeof(sim->socks[0]));
	sim->ends = calloc(SIM_ENDS_MAX + 1, sizeof(sim->ends[0]));
	sim->pattern = malloc(SIM_PATTERN_MASK + 1 + DPT_PAYLOAD_BYTES_MAX);
	DPT_ASSERT(sim->socks != NULL && sim->ends != NULL && sim->pattern != NULL);
	for (i = 0; i < SIM_PATTERN_MASK + 1 + DPT_PAYLOAD_BYTES_MAX; i++)
		sim->pattern[i] = (uint8_t)sim_seed_mix(7, i);
}

static void
run_free_socks(struct sim *sim)
{
	uint32_t s;

	for (s = 0; s < sim->socks_cnt; s++) {
		free(sim->socks[s].last_unicast);
		free(sim->socks[s].last_mcast);
	}
	sim->socks_cnt = 0;
}

int
sim_run(struct sim *sim, const struct sim_opts *opts, uint64_t seed)
{
	run_reset(sim, opts, seed);
	run_phases(sim);
	sim_oracle_stall_end(sim);
	sim->stats.void_runs = run_has_lost_shard_msgs(sim);
	run_stop(sim);
	sim->stats.hostile_runs = sim->plan.is_hostile;
	sim->stats.two_wire_runs = sim->plan.wires == 2;
	sim->stats.held_sum = sim->held_max;
	sim->stats.virtual_ns = sim->now_ns;
	run_free_socks(sim);
	sim_conn_free(sim);
	return sim->is_failed ? 1 : 0;
}

void
sim_free(struct sim *sim)
{
	free(sim->socks);
	free(sim->ends);
	free(sim->msgs);
	free(sim->pattern);
	free(sim->pairs);
	free(sim->checks);
	free(sim->heap.events);
	sim_mem_free(sim);
}
