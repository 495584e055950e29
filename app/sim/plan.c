/* SPDX-License-Identifier: BSD-3-Clause */
/* What the seed decides about a run, before it begins. */
#include <string.h>

#include "sim.h"

#define SIM_FAULT_NAME_(symbol, name, text) #name,
#define SIM_FAULT_TEXT_(symbol, name, text) text,
const char *const sim_fault_names[SIM_FAULT_CNT] = {SIM_FAULTS(SIM_FAULT_NAME_)};
const char *const sim_fault_texts[SIM_FAULT_CNT] = {SIM_FAULTS(SIM_FAULT_TEXT_)};

uint64_t
sim_seed_mix(uint64_t seed, uint64_t stream)
{
	struct dpt_rng rng;

	dpt_rng_seed(&rng, seed ^ (stream * UINT64_C(0xd1342543de82ef95)));
	(void)dpt_rng_u64(&rng);
	return dpt_rng_u64(&rng);
}

/* 0 .. bound - 1, also for bounds beyond 32 bits; 0 for bound 0. */
uint64_t
sim_below(struct dpt_rng *rng, uint64_t bound)
{
	if (bound == 0)
		return 0;
	return (uint64_t)(((unsigned __int128)dpt_rng_u64(rng) * bound) >> 64);
}

bool
sim_chance(struct dpt_rng *rng, uint32_t ppm)
{
	return dpt_rng_below(rng, 1000000) < ppm;
}

#define PICK(rng, ...)                                                                             \
	((const uint32_t[]){__VA_ARGS__}[dpt_rng_below(                                            \
		rng, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))])

static void
plan_faults(struct sim_plan *plan, const struct sim_opts *opts, struct dpt_rng *rng)
{
	/* A run with everything at once would show little: four in ten are drawn. */
	const uint32_t share_ppm = sim_chance(rng, 800000) ? 400000 : 120000;
	uint32_t f;

	plan->faults = 0;
	for (f = 0; f < SIM_FAULT_ADMIN; f++) {
		bool is_drawn = sim_chance(rng, share_ppm);

		if ((opts->faults >> f & 1) != 0 && (is_drawn || opts->is_faults_exact))
			plan->faults |= 1u << f;
	}
	plan->loss_ppm = PICK(rng, 500, 2000, 10000, 50000, 150000);
	plan->dup_ppm = PICK(rng, 1000, 10000, 100000);
	plan->corrupt_ppm = PICK(rng, 500, 5000, 30000);
	plan->truncate_ppm = PICK(rng, 500, 5000, 30000);
	plan->jitter_ns = PICK(rng, 50000, 500000, 3000000);
	plan->shard_delay_ns = PICK(rng, 20000, 200000, 2000000);
	plan->timer_slack_ns = PICK(rng, 1000000, 5000000, 20000000);
	plan->fault_gap_ns = PICK(rng, 150, 400, 1000) * DPT_NS_PER_MS;
	plan->is_hostile = sim_chance(rng, 250000) &&
			   (plan->faults & (SIM_FAULT_BIT(CORRUPT) | SIM_FAULT_BIT(TRUNCATE))) != 0;
	if ((plan->faults & SIM_FAULT_BIT(LOSS)) == 0)
		plan->loss_ppm = 0;
	if ((plan->faults & SIM_FAULT_BIT(DUP)) == 0)
		plan->dup_ppm = 0;
	if ((plan->faults & SIM_FAULT_BIT(CORRUPT)) == 0)
		plan->corrupt_ppm = 0;
	if ((plan->faults & SIM_FAULT_BIT(TRUNCATE)) == 0)
		plan->truncate_ppm = 0;
	if ((plan->faults & SIM_FAULT_BIT(REORDER)) == 0)
		plan->jitter_ns = 0;
	if ((plan->faults & SIM_FAULT_BIT(SHARD)) == 0)
		plan->shard_delay_ns = 1000;
	if ((plan->faults & SIM_FAULT_BIT(TIMER)) == 0)
		plan->timer_slack_ns = 0;
}

static void
plan_wires(struct sim_plan *plan, struct dpt_rng *rng)
{
	uint32_t kind = dpt_rng_below(rng, 10);

	/* Three in ten: one wire; as many: two alike; the rest: two that differ. */
	plan->wires = kind < 3 ? 1 : 2;
	plan->priority[0] = plan->priority[1] = 10;
	if (kind >= 6)
		plan->priority[dpt_rng_below(rng, SIM_WIRES_MAX)] = 20;
	plan->mtu[0] = (uint16_t)PICK(rng, 1500, 1500, 1500, 600, 9000);
	plan->mtu[1] =
		sim_chance(rng, 750000) ? plan->mtu[0] : (uint16_t)PICK(rng, 1500, 600, 9000);
}

/* Without the first two a peer is refused: 02-discovery.md, 3. */
static void
plan_caps(struct sim_plan *plan, struct dpt_rng *rng)
{
	const uint32_t optional = DPT_CAPS_OWN & ~(DPT_CAP_BCAST_SYNCH | DPT_CAP_BCAST_STATE_NACK);
	uint32_t n;

	for (n = 0; n < SIM_NODES_MAX; n++) {
		uint32_t without = (uint32_t)dpt_rng_u64(rng) & (uint32_t)dpt_rng_u64(rng);
		bool is_drawn = sim_chance(rng, 400000);

		if ((plan->faults & SIM_FAULT_BIT(CAPS)) != 0 && is_drawn)
			plan->caps[n] = (uint16_t)(DPT_CAPS_OWN & ~(without & optional));
	}
}

static void
plan_load(struct sim_plan *plan, struct dpt_rng *rng)
{
	plan->socks = PICK(rng, 2, 3, 4);
	plan->rcvbuf_bytes = PICK(rng, 2097152, 2097152, 200000, 30000);
	plan->send_gap_ns = PICK(rng, 30, 100, 300, 1000) * DPT_NS_PER_MS;
	plan->burst = PICK(rng, 1, 3, 10);
	plan->big_ppm = PICK(rng, 0, 10000, 40000);
	plan->slow_ppm = PICK(rng, 0, 200000, 500000);
	plan->is_mcast = sim_chance(rng, 600000);
	plan->is_churn = sim_chance(rng, 700000);
	/* A long fast run would cost more than it finds. */
	if (plan->send_gap_ns < 100 * DPT_NS_PER_MS && plan->burst > 3)
		plan->burst = 3;
}

/* Drawn last: the rest of a plan is the same with connections and without. */
static void
plan_conns(struct sim_plan *plan, const struct sim_opts *opts, struct dpt_rng *rng)
{
	plan->conns = PICK(rng, 0, 0, 0, 1, 2, 4);
	plan->conn_gap_ns = PICK(rng, 60, 150, 400) * DPT_NS_PER_MS;
	plan->conn_life_ns = PICK(rng, 100, 400, 1500) * DPT_NS_PER_MS;
	plan->conn_slow_ppm = PICK(rng, 0, 200000, 500000);
	if (opts->conns != 0)
		plan->conns = opts->conns;
	/* Each may fill a window: the pool must not run dry by that. */
	if (plan->conns * plan->nodes > 12)
		plan->conns = RTE_MAX(1u, 12 / plan->nodes);
}

/* After all others, for the same reason. */
static void
plan_admin(struct sim_plan *plan, const struct sim_opts *opts, struct dpt_rng *rng)
{
	bool is_drawn = sim_chance(rng, 400000);
	uint64_t net_set_mask = dpt_rng_u64(rng);

	if ((opts->faults & SIM_FAULT_BIT(ADMIN)) == 0 || (!is_drawn && !opts->is_faults_exact))
		return;
	plan->faults |= SIM_FAULT_BIT(ADMIN);
	plan->net_set_mask = net_set_mask;
}

void
sim_plan_draw(struct sim_plan *plan, const struct sim_opts *opts, uint64_t seed)
{
	struct dpt_rng rng;

	dpt_rng_seed(&rng, sim_seed_mix(seed, 1));
	memset(plan, 0, sizeof(*plan));
	/* What happens between two or three nodes is most of what can happen. */
	plan->nodes = PICK(&rng, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6, 8);
	plan->shards = PICK(&rng, 1, 1, 2);
	plan->seconds = PICK(&rng, 2, 3, 3, 4, 5);
	plan->tolerance_ms = (uint16_t)PICK(&rng, 1500, 400, 400, 800);
	plan->ring_pkts = (uint16_t)PICK(&rng, 256, 512, 1024);
	plan->window_max = (uint16_t)PICK(&rng, 50, 100, 256);
	plan->is_legacy_addr = sim_chance(&rng, 250000);
	plan->is_padded = sim_chance(&rng, 500000);
	plan->rx_mode = (uint8_t)PICK(&rng, SIM_RX_FIRST, SIM_RX_BY_SOURCE, SIM_RX_RANDOM);
	plan->delay_ns = PICK(&rng, 5000, 50000, 500000);
	plan_wires(plan, &rng);
	plan_load(plan, &rng);
	plan_faults(plan, opts, &rng);
	plan_caps(plan, &rng);
	plan_conns(plan, opts, &rng);
	plan_admin(plan, opts, &rng);
	if (opts->scenario != NULL)
		(void)sim_script_plan(opts->scenario, plan);
	if (opts->nodes != 0)
		plan->nodes = opts->nodes;
	if (opts->wires != 0)
		plan->wires = opts->wires;
	if (opts->gap_ms != 0)
		plan->send_gap_ns = opts->gap_ms * DPT_NS_PER_MS;
	if (opts->shards != 0)
		plan->shards = opts->shards;
	if (opts->seconds != 0)
		plan->seconds = opts->seconds;
}

static void
plan_faults_print(const struct sim_plan *plan, char *text, size_t text_size)
{
	size_t len = 0;
	uint32_t f;

	text[0] = '\0';
	for (f = 0; f < SIM_FAULT_CNT; f++) {
		if ((plan->faults >> f & 1) != 0)
			len += (size_t)snprintf(text + len, text_size - len, "%s%s",
						len == 0 ? "" : ",", sim_fault_names[f]);
	}
	if (len == 0)
		snprintf(text, text_size, "none");
}

static void
plan_caps_print(const struct sim_plan *plan, char *text, size_t text_size)
{
	size_t len = 0;
	uint32_t n;

	text[0] = '\0';
	for (n = 0; n < plan->nodes && len + 16 < text_size; n++) {
		if (plan->caps[n] != 0)
			len += (size_t)snprintf(text + len, text_size - len, "%s%u:%03x",
						len == 0 ? "" : ",", n, plan->caps[n]);
	}
	if (len == 0)
		snprintf(text, text_size, "all");
}

int
sim_plan_print(const struct sim_plan *plan, char *text, size_t text_size)
{
	char faults[256], caps[128];
	int len;

	plan_faults_print(plan, faults, sizeof(faults));
	plan_caps_print(plan, caps, sizeof(caps));
	len = snprintf(text, text_size,
		       "nodes=%u shards=%u seconds=%u wires=%u mtu=%u,%u priority=%u,%u "
		       "tolerance_ms=%u window=%u ring=%u caps=%s ",
		       plan->nodes, plan->shards, plan->seconds, plan->wires, plan->mtu[0],
		       plan->mtu[1], plan->priority[0], plan->priority[1], plan->tolerance_ms,
		       plan->window_max, plan->ring_pkts, caps);
	len += snprintf(text + len, text_size - (size_t)len,
			"socks=%u rcvbuf=%u gap_ms=%u burst=%u big_ppm=%u slow_ppm=%u mcast=%d "
			"churn=%d legacy=%d net_set=%llx pad=%d rx=%u ",
			plan->socks, plan->rcvbuf_bytes,
			(unsigned int)(plan->send_gap_ns / DPT_NS_PER_MS), plan->burst,
			plan->big_ppm, plan->slow_ppm, plan->is_mcast, plan->is_churn,
			plan->is_legacy_addr, (unsigned long long)plan->net_set_mask,
			plan->is_padded, plan->rx_mode);
	len += snprintf(text + len, text_size - (size_t)len,
			"conns=%u conn_gap_ms=%u conn_life_ms=%u conn_slow_ppm=%u ", plan->conns,
			(unsigned int)(plan->conn_gap_ns / DPT_NS_PER_MS),
			(unsigned int)(plan->conn_life_ns / DPT_NS_PER_MS), plan->conn_slow_ppm);
	return len + snprintf(text + len, text_size - (size_t)len,
			      "loss_ppm=%u dup_ppm=%u corrupt_ppm=%u truncate_ppm=%u hostile=%d "
			      "jitter_us=%u delay_us=%u timer_us=%u shard_us=%u gap_fault_ms=%u "
			      "faults=%s",
			      plan->loss_ppm, plan->dup_ppm, plan->corrupt_ppm, plan->truncate_ppm,
			      plan->is_hostile, (unsigned int)(plan->jitter_ns / 1000),
			      (unsigned int)(plan->delay_ns / 1000),
			      (unsigned int)(plan->timer_slack_ns / 1000),
			      (unsigned int)(plan->shard_delay_ns / 1000),
			      (unsigned int)(plan->fault_gap_ns / DPT_NS_PER_MS), faults);
}

int
sim_faults_parse(const char *text, uint32_t *mask, bool *is_exact)
{
	*is_exact = false;
	*mask = 0;
	if (strcmp(text, "all") == 0) {
		*mask = SIM_FAULTS_ALL;
		return 0;
	}
	if (strcmp(text, "none") == 0)
		return 0;
	*is_exact = true;
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		uint32_t f;

		for (f = 0; f < SIM_FAULT_CNT; f++) {
			if (strlen(sim_fault_names[f]) == len &&
			    strncmp(sim_fault_names[f], text, len) == 0)
				break;
		}
		if (f == SIM_FAULT_CNT)
			return -1;
		*mask |= 1u << f;
		text += len;
		if (*text == ',')
			text++;
	}
	return 0;
}
