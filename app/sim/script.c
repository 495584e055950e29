/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --scenario cluster3: no chance, a fixed course of a few events, short enough to be read
 * as a transcript. Socket i of the first incarnation is on node i.
 */
#include "sim.h"

static void
script_send(struct sim *sim, uint32_t from, uint32_t to, enum sim_msg_kind kind, uint32_t size)
{
	struct sim_sock *sock = &sim->socks[to];
	struct sim_send send = {
		.kind = kind, .dest_sock = SIM_NONE, .dest_node = sock->node, .size = size};

	if (kind == SIM_MSG_DIRECT) {
		send.dest_sock = to;
		send.dest.addrtype = DPT_ADDR_SOCKET;
		send.dest.socket.port = sock->port;
		send.dest.socket.node = sim->nodes[sock->node].addr;
	} else {
		send.dest.addrtype = kind == SIM_MSG_MCAST ? DPT_ADDR_RANGE : DPT_ADDR_SERVICE;
		send.dest.range.type = 1000;
		send.dest.range.lower = kind == SIM_MSG_MCAST ? 0 : to * 10;
		send.dest.range.upper = kind == SIM_MSG_MCAST ? 100 : to * 10;
	}
	(void)sim_msg_send(sim, from, &send);
}

void
sim_app_script(struct sim *sim, uint32_t step)
{
	const uint64_t next_ns = sim->now_ns + 100 * DPT_NS_PER_MS;

	switch (step) {
	case 0: /* by service address */
		script_send(sim, 0, 1, SIM_MSG_NAMED, 20);
		break;
	case 1: /* the answer, by socket address; in fragments */
		script_send(sim, 1, 0, SIM_MSG_DIRECT, 4000);
		break;
	case 2: /* to everybody */
		script_send(sim, 2, 2, SIM_MSG_MCAST, 30);
		break;
	case 3: /* one crashes, and comes back half a second later */
		sim_node_kill(sim, 2);
		sim_at(sim, sim->now_ns + 500 * DPT_NS_PER_MS, SIM_EV_NODE_START, 2,
		       sim->nodes[2].incarnation);
		break;
	case 4: /* into the gap: lost with the contact */
		script_send(sim, 0, 2, SIM_MSG_DIRECT, 50);
		break;
	default:
		return;
	}
	sim_at(sim, next_ns, SIM_EV_SCRIPT, 0, step + 1);
}
