/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --scenario: no chance, a fixed course of a few events, short enough to be read as a
 * transcript. Socket i of the first incarnation is on node i.
 */
#include <string.h>

#include "sim.h"

enum script_op {
	OP_END = 0,
	OP_NAMED,     /* node a sends size octets to the service of node b */
	OP_DIRECT,    /* the same to its socket */
	OP_MCAST,     /* to all */
	OP_CRASH,     /* node a; it comes back after size ms */
	OP_DIE,	      /* wire a */
	OP_MEND,      /* wire a */
	OP_CUT_ON_UP, /* when node a's link to b on wire 1 is up, nothing goes that way */
	OP_MEND_PATH, /* ... any more */
	OP_PRIORITY,  /* node a: of its bearer b, to size */
	OP_TOLERANCE, /* node a: of its bearer b, to size ms */
	OP_LISTEN,    /* node a; the listener is end b */
	OP_CONNECT,   /* node a, to listener b */
	OP_TELL,      /* end a sends size octets */
	OP_SHUT,      /* end a shuts down */
};

struct script_step {
	uint8_t op;
	uint8_t a;
	uint8_t b;
	uint16_t size;
	uint16_t wait_ms; /* until the next step */
};

struct script {
	const char *name;
	uint8_t nodes;
	uint8_t wires;
	uint8_t seconds;
	uint8_t priority[SIM_WIRES_MAX];
	uint16_t tolerance_ms;
	struct script_step steps[16];
};

static const struct script scripts[] = {
	{.name = "cluster3",
	 .nodes = 3,
	 .wires = 1,
	 .seconds = 4,
	 .priority = {10, 10},
	 .tolerance_ms = 1500,
	 .steps = {{OP_NAMED, 0, 1, 20, 100},	 /* by service address */
		   {OP_DIRECT, 1, 0, 4000, 100}, /* the answer; in fragments */
		   {OP_MCAST, 2, 2, 30, 100},
		   {OP_CRASH, 2, 0, 500, 100},
		   {OP_DIRECT, 0, 2, 50, 0}}}, /* into the gap: lost with the contact */
	{.name = "two-links",
	 .nodes = 2,
	 .wires = 2,
	 .seconds = 1,
	 .priority = {10, 10},
	 .tolerance_ms = 400,
	 .steps = {{OP_DIRECT, 0, 1, 100, 100}, {OP_DIRECT, 1, 0, 3000, 100}}},
	{.name = "failover",
	 .nodes = 2,
	 .wires = 2,
	 .seconds = 4,
	 .priority = {10, 10},
	 .tolerance_ms = 400,
	 .steps = {{OP_DIRECT, 0, 1, 3000, 20},
		   {OP_DIE, 0, 0, 0, 1},
		   {OP_DIRECT, 0, 1, 100, 1}, /* one of these two goes over the dead wire */
		   {OP_DIRECT, 1, 0, 100, 800},
		   {OP_MEND, 0, 0, 0, 900},
		   {OP_DIE, 1, 0, 0, 1},
		   {OP_DIRECT, 0, 1, 100, 1},
		   {OP_DIRECT, 1, 0, 100, 800},
		   {OP_MEND, 1, 0, 0, 0}}},
	{.name = "standby",
	 .nodes = 2,
	 .wires = 2,
	 .seconds = 3,
	 .priority = {20, 10},
	 .tolerance_ms = 400,
	 .steps = {{OP_DIRECT, 0, 1, 100, 20},
		   {OP_DIE, 0, 0, 0, 1},
		   {OP_DIRECT, 0, 1, 3000, 1},
		   {OP_DIRECT, 1, 0, 100, 800},
		   {OP_MEND, 0, 0, 0, 900}, /* it takes over again, behind a SYNCH */
		   {OP_DIRECT, 0, 1, 100, 0}}},
	{.name = "half-failover",
	 .nodes = 2,
	 .wires = 2,
	 .seconds = 5,
	 .priority = {10, 10},
	 .tolerance_ms = 400,
	 .steps = {{OP_DIE, 1, 0, 0, 900},
		   {OP_CUT_ON_UP, 0, 1, 0, 10},
		   {OP_MEND, 1, 0, 0, 1000},
		   {OP_DIRECT, 0, 1, 100, 1}, /* on a link that is up at one end only */
		   {OP_DIRECT, 1, 0, 100, 900},
		   {OP_MEND_PATH, 0, 1, 0, 0}}},
	{.name = "connection",
	 .nodes = 2,
	 .wires = 1,
	 .seconds = 2,
	 .priority = {10, 10},
	 .tolerance_ms = 1500,
	 .steps = {{OP_LISTEN, 1, 0, 0, 100},
		   {OP_CONNECT, 0, 0, 0, 100},
		   {OP_TELL, 1, 0, 100, 50},
		   {OP_TELL, 2, 0, 40000, 50}, /* acknowledged when it has been read */
		   {OP_TELL, 1, 0, 1, 0},
		   {OP_SHUT, 1, 0, 0, 0}}},
	{.name = "priority",
	 .nodes = 2,
	 .wires = 2,
	 .seconds = 2,
	 .priority = {10, 10},
	 .tolerance_ms = 400,
	 .steps = {{OP_DIRECT, 0, 1, 100, 20},
		   {OP_PRIORITY, 0, 1, 20, 500},
		   {OP_DIRECT, 0, 1, 100, 0}}},
	{.name = "tolerance",
	 .nodes = 2,
	 .wires = 1,
	 .seconds = 2,
	 .priority = {10, 10},
	 .tolerance_ms = 400,
	 .steps = {{OP_TOLERANCE, 1, 0, 200, 300}, {OP_DIE, 0, 0, 0, 700}, {OP_MEND, 0, 0, 0, 0}}},
	{.name = "restart",
	 .nodes = 2,
	 .wires = 2,
	 .seconds = 3,
	 .priority = {10, 10},
	 .tolerance_ms = 400,
	 .steps = {{OP_DIRECT, 0, 1, 100, 20},
		   {OP_CRASH, 1, 0, 200, 0}}}, /* back before its death has been noticed */
};

static const struct script *
script_find(const char *name)
{
	uint32_t i;

	for (i = 0; i < RTE_DIM(scripts); i++) {
		if (strcmp(scripts[i].name, name) == 0)
			return &scripts[i];
	}
	return NULL;
}

void
sim_script_names(FILE *to)
{
	uint32_t i;

	for (i = 0; i < RTE_DIM(scripts); i++)
		fprintf(to, "%s\n", scripts[i].name);
}

/* What is left to chance is only what the stacks draw themselves. */
bool
sim_script_plan(const char *scenario, struct sim_plan *plan)
{
	const struct script *script = script_find(scenario);

	if (script == NULL || plan == NULL)
		return script != NULL;
	memset(plan, 0, sizeof(*plan));
	plan->nodes = script->nodes;
	plan->wires = script->wires;
	plan->shards = 1;
	plan->seconds = script->seconds;
	plan->mtu[0] = plan->mtu[1] = 1500;
	memcpy(plan->priority, script->priority, sizeof(plan->priority));
	plan->tolerance_ms = script->tolerance_ms;
	plan->window_max = 100;
	plan->ring_pkts = 256;
	plan->socks = 1;
	plan->rcvbuf_bytes = 2097152;
	plan->send_gap_ns = DPT_NS_PER_S;
	plan->delay_ns = 50000;
	plan->is_legacy_addr = true;
	plan->is_padded = true;
	plan->faults = SIM_FAULT_BIT(RESTART) | SIM_FAULT_BIT(WIRE);
	return true;
}

static void
script_send(struct sim *sim, const struct script_step *step)
{
	struct sim_sock *sock = &sim->socks[step->b];
	struct sim_send send = {.dest_sock = SIM_NONE, .dest_node = sock->node, .size = step->size};

	if (step->op == OP_DIRECT) {
		send.kind = SIM_MSG_DIRECT;
		send.dest_sock = step->b;
		send.dest.addrtype = DPT_ADDR_SOCKET;
		send.dest.socket.port = sock->port;
		send.dest.socket.node = sim->nodes[sock->node].addr;
	} else {
		send.kind = step->op == OP_MCAST ? SIM_MSG_MCAST : SIM_MSG_NAMED;
		send.dest.addrtype = step->op == OP_MCAST ? DPT_ADDR_RANGE : DPT_ADDR_SERVICE;
		send.dest.range.type = 1000;
		send.dest.range.lower = step->op == OP_MCAST ? 0 : step->b * 10u;
		send.dest.range.upper = step->op == OP_MCAST ? 100 : step->b * 10u;
	}
	(void)sim_msg_send(sim, step->a, &send);
}

static void
script_props(struct sim *sim, const struct script_step *step)
{
	struct dpt_link_props props = {0};
	struct dpt_node_addr all = {0};
	int ret;

	if (step->op == OP_PRIORITY)
		props.priority = (uint8_t)step->size;
	else
		props.tolerance_ms = step->size;
	sim_trace_line(sim, step->a, "%s of bearer %u becomes %u",
		       step->op == OP_PRIORITY ? "priority" : "tolerance", step->b, step->size);
	ret = dpt_stack_link_props_set(sim->nodes[step->a].shards[0].stack, step->b, all, &props,
				       sim_node_now(sim, step->a, 0), &sim->out);
	sim_node_pump(sim, step->a, 0);
	if (ret != 0)
		sim_violate(sim, "props", "link_props_set returns %d", ret);
}

static void
script_conn(struct sim *sim, const struct script_step *step)
{
	switch ((enum script_op)step->op) {
	case OP_LISTEN:
		sim_conn_listen(sim, step->a);
		break;
	case OP_CONNECT:
		/* By socket address, as after the heal. */
		sim->is_conn_must = true;
		sim_conn_try(sim, step->a, step->b);
		break;
	case OP_TELL:
		(void)sim_conn_send_one(sim, step->a, step->size, NULL);
		break;
	default:
		sim_conn_leave(sim, step->a, true);
		sim_conn_end(sim, step->a);
		break;
	}
}

static void
script_step(struct sim *sim, const struct script_step *step)
{
	switch ((enum script_op)step->op) {
	case OP_NAMED:
	case OP_DIRECT:
	case OP_MCAST:
		script_send(sim, step);
		break;
	case OP_CRASH:
		sim_fault_restart(sim, step->a, step->size * DPT_NS_PER_MS);
		break;
	case OP_DIE:
	case OP_MEND:
		sim_fault_wire(sim, SIM_NONE, step->a, step->op == OP_DIE);
		break;
	case OP_CUT_ON_UP:
		sim->is_cut_on_up[step->a][step->b] = true;
		break;
	case OP_MEND_PATH:
		sim->paths[1][step->a][step->b].cuts = 0;
		sim_trace_line(sim, SIM_NONE, "the path is repaired");
		break;
	case OP_PRIORITY:
	case OP_TOLERANCE:
		script_props(sim, step);
		break;
	case OP_LISTEN:
	case OP_CONNECT:
	case OP_TELL:
	case OP_SHUT:
		script_conn(sim, step);
		break;
	case OP_END:
		break;
	}
}

void
sim_app_script(struct sim *sim, uint32_t nr)
{
	const struct script *script = script_find(sim->opts->scenario);
	const struct script_step *step = &script->steps[nr];

	script_step(sim, step);
	if (step->op != OP_END)
		sim_at(sim, sim->now_ns + step->wait_ms * DPT_NS_PER_MS, SIM_EV_SCRIPT, 0, nr + 1);
}
