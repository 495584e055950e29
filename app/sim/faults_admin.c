/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an administrator does while the cluster works: peers are removed, statistics cleared,
 * bearers taken down and enabled again with another domain; and, before the first bearer of a
 * node, who it is. What each call must answer is known from outside.
 */
#include <errno.h>
#include <string.h>

#include "sim.h"

/* A shard of n that does what it is told, NULL: it stands still. */
static struct sim_shard *
admin_shard(struct sim *sim, uint32_t n, uint32_t shard)
{
	struct sim_shard *sh = &sim->nodes[n].shards[shard];

	return sim->nodes[n].is_running && sh->stalled_ns <= sim->now_ns ? sh : NULL;
}

static const struct dpt_node *
admin_find(const struct dpt_stack *stack, struct dpt_node_addr addr)
{
	const struct dpt_node *node;

	for (uint32_t i = 0; (node = dpt_stack_node(stack, i)) != NULL; i++) {
		if (dpt_node_peer(node).value == addr.value)
			return node;
	}
	return NULL;
}

/* Another node, as often as there is one without contact; or itself. */
static uint32_t
admin_peer(struct sim *sim, uint32_t n)
{
	uint32_t first = dpt_rng_below(&sim->rng_fault, sim->plan.nodes);

	for (uint32_t i = 0; i < sim->plan.nodes; i++) {
		uint32_t p = (first + i) % sim->plan.nodes;

		if (p != n && !sim->nodes[n].contact[p])
			return p;
	}
	return first;
}

/* What the call has to say; -EAGAIN: 0 or, with more than one shard, -EBUSY. 13-netlink.md, 5.20.
 */
static int
admin_wanted(const struct dpt_stack *stack, struct dpt_node_addr addr)
{
	const struct dpt_node *node = admin_find(stack, addr);
	enum dpt_node_state state;

	if (addr.value == dpt_stack_own(stack).value)
		return -524;
	if (node == NULL)
		return -ENXIO;
	state = dpt_node_state(node);
	/* The end of a contact may be on its way between shards. */
	return state == DPT_NODE_DOWN_DOWN || state == DPT_NODE_DOWN_LEAVING ? -EAGAIN : -EBUSY;
}

static void
admin_peer_remove(struct sim *sim, uint32_t n)
{
	uint32_t p = admin_peer(sim, n);
	struct dpt_node_addr addr = sim->nodes[p].addr;
	uint8_t shard = dpt_stack_shard_of(sim->nodes[n].shards[0].stack, addr);
	struct sim_shard *sh = admin_shard(sim, n, shard);
	bool is_right;
	int wanted, ret;

	if (sh == NULL || addr.value == 0 || dpt_stack_own(sh->stack).value == 0)
		return;
	wanted = admin_wanted(sh->stack, addr);
	ret = dpt_stack_peer_remove(sh->stack, addr, sim_node_now(sim, n, shard), &sim->out);
	sim_trace_line(sim, n, "peer n%u is removed: %d", p, ret);
	is_right = wanted == -EAGAIN ? ret == 0 || (ret == -EBUSY && sim->plan.shards > 1)
				     : ret == wanted;
	if (!is_right)
		sim_violate(sim, "admin", "node %u: peer_remove of node %u returns %d, not %d", n,
			    p, ret, wanted);
	if (ret == 0 && admin_find(sh->stack, addr) != NULL)
		sim_violate(sim, "admin", "node %u: node %u was removed and is there", n, p);
	sim_node_pump(sim, n, shard);
}

static void
admin_stats_reset(struct sim *sim, uint32_t n)
{
	uint32_t p = dpt_rng_below(&sim->rng_fault, sim->plan.nodes);
	uint8_t wire = (uint8_t)dpt_rng_below(&sim->rng_fault, sim->plan.wires);
	struct dpt_node_addr addr = sim->nodes[p].addr;
	struct sim_shard *sh =
		admin_shard(sim, n, dpt_stack_shard_of(sim->nodes[n].shards[0].stack, addr));
	static const struct dpt_link_counters none;
	struct dpt_link_info info;
	const struct dpt_node *node;

	if (sh == NULL || p == n)
		return;
	sim_trace_line(sim, n, "statistics of the link to n%u on bearer %u are cleared", p, wire);
	(void)dpt_stack_bcast_stats_reset(sh->stack, addr);
	node = admin_find(sh->stack, addr);
	if (dpt_stack_link_stats_reset(sh->stack, addr, wire) != 0) {
		if (node != NULL && dpt_node_has_link(node, wire))
			sim_violate(sim, "admin", "node %u: no statistics of node %u", n, p);
		return;
	}
	if (node == NULL || dpt_node_link_info(node, wire, &info) != 0 ||
	    memcmp(&info.counters, &none, sizeof(none)) != 0)
		sim_violate(sim, "admin", "node %u: statistics of node %u are not 0", n, p);
}

/* Of the broadcast link: what is refused changes nothing. */
static void
admin_bcast_set(struct sim *sim, uint32_t n)
{
	static const struct {
		struct dpt_stack_bcast_set set;
		int rc;
	} cases[] = {
		{{.method = DPT_BCAST_METHOD_REPLICAST}, 0},
		{{.method = DPT_BCAST_METHOD_AUTO, .ratio = 30}, 0},
		{{.method = DPT_BCAST_METHOD_BROADCAST}, -ENOPROTOOPT},
		{{.ratio = 101}, -EINVAL},
		{{.window = 100}, 0},
	};
	uint32_t i = dpt_rng_below(&sim->rng_fault, RTE_DIM(cases));
	struct sim_shard *sh = admin_shard(sim, n, 0);
	struct dpt_stack_bcast_info before, after;
	int ret;

	if (sh == NULL)
		return;
	dpt_stack_bcast_info(sh->stack, &before);
	ret = dpt_stack_bcast_set(sh->stack, &cases[i].set);
	dpt_stack_bcast_info(sh->stack, &after);
	sim_trace_line(sim, n, "broadcast link, setting %u: %d", i, ret);
	if (ret != cases[i].rc || (ret != 0 && memcmp(&before, &after, sizeof(before)) != 0))
		sim_violate(sim, "admin", "node %u: bcast_set %u returns %d", n, i, ret);
}

/* Peers that are looked for: all, one of them, none; until the heal. Src: 02-discovery.md, 4.4. */
static void
admin_domain(struct sim *sim, uint32_t n)
{
	struct sim_node *node = &sim->nodes[n];
	uint32_t wire = dpt_rng_below(&sim->rng_fault, sim->plan.wires);
	const uint32_t domains[] = {
		0,	    sim->nodes[dpt_rng_below(&sim->rng_fault, sim->plan.nodes)].addr.value,
		0x01001000, 0x01000000,
		0x02002000,
	};
	uint32_t domain = domains[dpt_rng_below(&sim->rng_fault, RTE_DIM(domains))];

	if (admin_shard(sim, n, 0) == NULL || !node->is_bearer_up[wire])
		return;
	sim_trace_line(sim, n, "bearer %u gets domain %08x", wire, domain);
	node->domain[wire] = dpt_node_addr(domain);
	sim_node_bearer_up(sim, n, wire);
}

void
sim_fault_admin(struct sim *sim, uint32_t n)
{
	uint32_t what = dpt_rng_below(&sim->rng_fault, 10);

	if (!sim->nodes[n].is_running)
		return;
	sim->stats.faults[SIM_FAULT_ADMIN]++;
	if (what < 6)
		admin_peer_remove(sim, n);
	else if (what < 7)
		admin_stats_reset(sim, n);
	else if (what < 8)
		admin_bcast_set(sim, n);
	else
		admin_domain(sim, n);
}

/* ---- who a node is ---- */

static void
admin_net(struct sim *sim, uint32_t n, const struct dpt_stack_net *net, int wanted)
{
	struct dpt_stack *stack = sim->nodes[n].shards[0].stack;
	int ret = dpt_stack_net_set(stack, net, sim_node_now(sim, n, 0), &sim->out);

	if (ret != wanted)
		sim_violate(sim, "admin", "node %u: net_set of %u, %08x returns %d, not %d", n,
			    net->net_id, net->addr.value, ret, wanted);
	sim_node_pump(sim, n, 0);
}

void
sim_admin_net_set(struct sim *sim, uint32_t n)
{
	struct dpt_stack *stack = sim->nodes[n].shards[0].stack;
	struct dpt_stack_net net = {.net_id = SIM_NET_ID}, second = {0};
	uint32_t addr = 1u << 24 | 1u << 12 | (n + 1);
	bool is_legacy = sim->plan.is_legacy_addr;
	char text[16];

	admin_net(sim, n, &(struct dpt_stack_net){.net_id = 10000}, -EINVAL);
	/* The same in each incarnation: others know the node by it. */
	snprintf(text, sizeof(text), "admin%u", n);
	if (is_legacy)
		net.addr = dpt_node_addr(addr);
	else if (n % 2 == 0)
		(void)dpt_node_id_parse(&net.id, text);
	admin_net(sim, n, &net, 0);
	(void)dpt_node_id_parse(&second.id, "second");
	second.addr = dpt_node_addr(addr + 100);
	if (is_legacy || n % 2 == 0)
		admin_net(sim, n, &second, is_legacy ? -EPERM : 0);
	if (dpt_stack_net_id(stack) != SIM_NET_ID || dpt_stack_is_legacy(stack) != is_legacy ||
	    dpt_stack_own(stack).value != (is_legacy ? addr : 0) ||
	    (n % 2 == 0 && !is_legacy && !dpt_node_id_eq(dpt_stack_id(stack), &net.id)))
		sim_violate(sim, "admin", "node %u is not who it was told to be", n);
}
