/* SPDX-License-Identifier: BSD-3-Clause */

/* Life cycle, the drain loop, timers, views. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "stack_priv.h"

/* ---- memory ---- */

/* Where the parts lie behind struct dpt_stack. */
struct stack_parts {
	size_t nodes, nodes_sorted, node_slots, contacts, contact_slots, mcast_nodes;
	size_t names, socks, discovery, bcast_snd, distr, topo, barriers;
	size_t node_stride;
	size_t total;
};

static size_t
take(size_t *offset, size_t bytes)
{
	size_t at = *offset;

	*offset = RTE_ALIGN_CEIL(at + bytes, (size_t)RTE_CACHE_LINE_SIZE);
	return at;
}

static struct dpt_node_cfg
node_size_cfg(const struct dpt_stack_cfg *cfg)
{
	return (struct dpt_node_cfg){.env = cfg->env, .ring_pkts = cfg->link_ring_pkts};
}

static struct dpt_names_cfg
names_cfg(const struct dpt_stack_cfg *cfg)
{
	return (struct dpt_names_cfg){
		.env = cfg->env,
		.bindings_max = cfg->bindings_max,
		.peer_bindings_max = cfg->bindings_max,
		.peers_max = cfg->nodes_max,
		.subs_max = stack_topology_subs_max(cfg),
		.is_legacy = cfg->addr.value != 0,
	};
}

static struct dpt_socks_cfg
socks_cfg(const struct dpt_stack_cfg *cfg)
{
	return (struct dpt_socks_cfg){
		.env = cfg->env,
		.shard = cfg->shard,
		/* And the topology server's listener, with its binding. */
		.sockets_max = RTE_MIN(cfg->sockets_max + (cfg->shard == 0), 1u << 20),
		.bindings_max = RTE_MIN(cfg->bindings_max, (uint32_t)DPT_OWN_BINDINGS_MAX) +
				(cfg->shard == 0),
		.rcvbuf_bytes = cfg->rcvbuf_bytes,
		.nodes_max = cfg->nodes_max,
	};
}

static struct dpt_discovery_cfg
discovery_cfg(const struct dpt_stack_cfg *cfg)
{
	return (struct dpt_discovery_cfg){
		.env = cfg->env,
		.net_id = cfg->net_id,
		.caps = stack_caps(cfg),
		.random = cfg->random,
		.id = cfg->id,
		.addr = cfg->addr,
		.peers_max = cfg->nodes_max,
	};
}

static struct dpt_bcast_snd_cfg
bcast_cfg(const struct dpt_stack_cfg *cfg)
{
	return (struct dpt_bcast_snd_cfg){
		.env = cfg->env, .net_id = cfg->net_id, .peers_max = cfg->nodes_max};
}

static struct dpt_distr_cfg
distr_cfg(const struct dpt_stack_cfg *cfg)
{
	return (struct dpt_distr_cfg){
		.env = cfg->env,
		.peers_max = cfg->nodes_max,
		.bindings_max = RTE_MIN(cfg->bindings_max, (uint32_t)DPT_OWN_BINDINGS_MAX),
		/* Src: 04-name-table.md, 11, "for instance 65536 messages". */
		.queue_msgs_max = 65536,
		/* Src: 04-name-table.md, 12.1 rule 1: the tolerance; its default. */
		.hold_ns_max = 1500 * DPT_NS_PER_MS,
	};
}

static void
parts_of(const struct dpt_stack_cfg *cfg, struct stack_parts *parts)
{
	struct dpt_node_cfg node = node_size_cfg(cfg);
	struct dpt_names_cfg names = names_cfg(cfg);
	struct dpt_socks_cfg socks = socks_cfg(cfg);
	size_t at = 0;

	take(&at, sizeof(struct dpt_stack));
	parts->node_stride = RTE_ALIGN_CEIL(STACK_NODE_OFFSET + dpt_node_size(&node),
					    (size_t)RTE_CACHE_LINE_SIZE);
	parts->nodes = take(&at, cfg->nodes_max * parts->node_stride);
	parts->nodes_sorted = take(&at, cfg->nodes_max * sizeof(uint16_t));
	parts->node_slots = take(&at, stack_map_slots(cfg->nodes_max) * sizeof(uint32_t));
	parts->contacts = take(&at, cfg->nodes_max * sizeof(struct stack_contact));
	parts->contact_slots = take(&at, stack_map_slots(cfg->nodes_max) * sizeof(uint32_t));
	parts->mcast_nodes = take(&at, cfg->nodes_max * sizeof(struct dpt_node_addr));
	parts->names = take(&at, dpt_names_size(&names));
	parts->socks = take(&at, dpt_socks_size(&socks));
	if (cfg->shard == 0) {
		struct dpt_discovery_cfg discovery = discovery_cfg(cfg);
		struct dpt_bcast_snd_cfg bcast = bcast_cfg(cfg);
		struct dpt_distr_cfg distr = distr_cfg(cfg);

		parts->discovery = take(&at, dpt_discovery_size(&discovery));
		parts->bcast_snd = take(&at, dpt_bcast_snd_size(&bcast));
		parts->distr = take(&at, dpt_distr_size(&distr));
		parts->topo = take(&at, stack_topology_size(cfg));
		parts->barriers = take(&at, STACK_BARRIERS_MAX * sizeof(struct stack_barrier));
	}
	parts->total = at;
}

size_t
dpt_stack_size(const struct dpt_stack_cfg *cfg)
{
	struct stack_parts parts = {0};

	parts_of(cfg, &parts);
	return parts.total;
}

/* ---- life cycle ---- */

static const char *
cfg_fault(const struct dpt_stack_cfg *cfg)
{
	uint32_t ring = cfg->link_ring_pkts;

	if (cfg->env.rng == NULL || cfg->env.pool == NULL)
		return "env";
	if (cfg->shards_cnt == 0 || cfg->shards_cnt > DPT_SHARDS_MAX)
		return "shards_cnt";
	if (cfg->shard >= cfg->shards_cnt)
		return "shard";
	if (cfg->nodes_max == 0 || cfg->nodes_max > UINT16_MAX)
		return "nodes_max";
	if (cfg->sockets_max == 0 || cfg->sockets_max > 1u << 20)
		return "sockets_max";
	if (cfg->bindings_max == 0)
		return "bindings_max";
	if (ring < 64 || ring > 8192 || !rte_is_power_of_2(ring))
		return "link_ring_pkts";
	return NULL;
}

static void
init_shard_zero(struct dpt_stack *stack, uint8_t *mem, const struct stack_parts *parts,
		uint64_t now_ns)
{
	struct dpt_discovery_cfg discovery = discovery_cfg(&stack->cfg);
	struct dpt_bcast_snd_cfg bcast = bcast_cfg(&stack->cfg);
	struct dpt_distr_cfg distr = distr_cfg(&stack->cfg);

	discovery.counters = &stack->counters.discovery;
	bcast.counters = &stack->counters.bcast;
	distr.counters = &stack->counters.names;
	stack->discovery = (struct dpt_discovery *)(void *)(mem + parts->discovery);
	stack->bcast_snd = (struct dpt_bcast_snd *)(void *)(mem + parts->bcast_snd);
	stack->distr = (struct dpt_distr *)(void *)(mem + parts->distr);
	dpt_discovery_init(stack->discovery, &discovery);
	dpt_bcast_snd_init(stack->bcast_snd, &bcast);
	dpt_distr_init(stack->distr, &distr);
	stack->barriers = (struct stack_barrier *)(void *)(mem + parts->barriers);
	stack_bcast_init(stack);
	stack_topology_init(stack, (struct dpt_topo *)(void *)(mem + parts->topo), now_ns);
}

int
dpt_stack_init(struct dpt_stack *stack, const struct dpt_stack_cfg *cfg, uint64_t now_ns,
	       const char **what)
{
	uint8_t *mem = (uint8_t *)stack;
	struct stack_parts parts = {0};
	struct dpt_names_cfg names = names_cfg(cfg);
	struct dpt_socks_cfg socks = socks_cfg(cfg);

	*what = cfg_fault(cfg);
	if (*what != NULL)
		return -EINVAL;
	parts_of(cfg, &parts);
	memset(stack, 0, sizeof(*stack));
	stack->cfg = *cfg;
	dpt_out_init(&stack->work);
	dpt_bufq_init(&stack->routed);
	dpt_bufq_init(&stack->reserve);
	dpt_timer_wheel_init(&stack->wheel, now_ns);

	stack->nodes = mem + parts.nodes;
	stack->node_stride = parts.node_stride;
	for (uint32_t i = 0; i < cfg->nodes_max; i++)
		stack_node_slot(stack, i)->is_used = false;
	stack->nodes_sorted = (uint16_t *)(void *)(mem + parts.nodes_sorted);
	stack_map_init(&stack->node_map, (uint32_t *)(void *)(mem + parts.node_slots),
		       stack_map_slots(cfg->nodes_max));
	stack->contacts = (struct stack_contact *)(void *)(mem + parts.contacts);
	stack_map_init(&stack->contact_map, (uint32_t *)(void *)(mem + parts.contact_slots),
		       stack_map_slots(cfg->nodes_max));
	stack->mcast_nodes = (struct dpt_node_addr *)(void *)(mem + parts.mcast_nodes);

	names.counters = &stack->counters.names;
	if (cfg->shard == 0)
		names.topology = (struct dpt_topo *)(void *)(mem + parts.topo);
	stack->names = (struct dpt_names *)(void *)(mem + parts.names);
	socks.counters = &stack->counters.socket;
	socks.names = stack->names;
	socks.mcast_nodes = stack->mcast_nodes;
	socks.mcast_nodes_max = cfg->nodes_max;
	stack->socks = (struct dpt_socks *)(void *)(mem + parts.socks);
	dpt_names_init(stack->names, &names);
	dpt_socks_init(stack->socks, &socks, now_ns);
	if (cfg->shard == 0)
		init_shard_zero(stack, mem, &parts, now_ns);
	stack_reserve_fill(stack);
	if (cfg->shard == 0)
		stack_topology_start(stack, now_ns);
	stack_net_init(stack, now_ns);
	return 0;
}

void
dpt_stack_fini(struct dpt_stack *stack)
{
	for (uint32_t i = 0; i < stack->nodes_cnt; i++)
		dpt_node_fini(stack_node_at(stack, stack->nodes_sorted[i]));
	stack->nodes_cnt = 0;
	dpt_socks_fini(stack->socks);
	if (stack->cfg.shard == 0) {
		dpt_bcast_snd_fini(stack->bcast_snd);
		dpt_distr_fini(stack->distr);
	}
	dpt_bufq_free(&stack->work.shard);
	dpt_bufq_free(&stack->reserve);
}

/* ---- the drain loop ---- */

void
stack_ctl(struct dpt_stack *stack, const struct dpt_event *event)
{
	/* Half of the room is for answers, which must not be lost. */
	uint16_t room =
		event->type == DPT_EVENT_BIND_DONE ? DPT_OUT_EVENTS_MAX : DPT_OUT_EVENTS_MAX / 2;

	if (stack->ctl_cnt >= room) {
		stack->counters.stack.events_lost++;
		return;
	}
	stack->ctl[stack->ctl_cnt++] = *event;
}

static void
drain_events(struct dpt_stack *stack, uint64_t now_ns)
{
	while (stack->work_event < stack->work.events_cnt) {
		/* A copy: the handler may append. */
		struct dpt_event event = stack->work.events[stack->work_event++];

		if (stack->work_event == stack->work.events_cnt) {
			stack->work_event = 0;
			stack->work.events_cnt = 0;
		}
		stack_event(stack, &event, now_ns);
	}
}

/* Tell the nodes how far our broadcasts have come. Shard 0. */
static void
drain_last_bcast(struct dpt_stack *stack, uint64_t now_ns)
{
	struct stack_peer_msg msg = {.op = STACK_PEER_LAST_BCAST};

	if (stack->cfg.shard != 0 || dpt_bcast_snd_last(stack->bcast_snd) == stack->last_bcast)
		return;
	msg.value = dpt_bcast_snd_last(stack->bcast_snd);
	stack_post_all(stack, STACK_MSG_PEER, &msg, sizeof(msg), now_ns);
}

void
stack_drain(struct dpt_stack *stack, uint64_t now_ns)
{
	struct dpt_out *work = &stack->work;
	struct rte_mbuf *m;

	for (;;) {
		drain_events(stack, now_ns);
		if ((m = dpt_bufq_pop(&work->up)) != NULL) {
			stack_up(stack, m, now_ns);
			continue;
		}
		if ((m = dpt_bufq_pop(&work->bcast)) != NULL) {
			stack_post_buf(stack, 0, STACK_MSG_BCAST_REPORT, m, now_ns);
			continue;
		}
		if (work->events_cnt == 0 && !stack_topology_run(stack, now_ns) &&
		    !stack_barrier_run(stack, now_ns))
			break;
	}
	drain_last_bcast(stack, now_ns);
}

void
stack_flush(struct dpt_stack *stack, struct dpt_out *out)
{
	dpt_bufq_splice(&out->tx, &stack->work.tx);
	dpt_bufq_splice(&out->shard, &stack->work.shard);
	for (uint16_t i = 0; i < stack->ctl_cnt; i++) {
		if (out->events_cnt == DPT_OUT_EVENTS_MAX) {
			stack->counters.stack.events_lost++;
			continue;
		}
		out->events[out->events_cnt++] = stack->ctl[i];
	}
	stack->ctl_cnt = 0;
	stack->barriers_done_cnt = 0;
	stack_reserve_fill(stack);
}

/* ---- time ---- */

static void
timeout_shard_zero(struct dpt_stack *stack, uint64_t now_ns)
{
	struct stack_peer_msg reset = {.op = STACK_PEER_RESET, .value = DPT_DOWN_RETRANSMIT};

	if (dpt_discovery_deadline_ns(stack->discovery) <= now_ns) {
		dpt_discovery_timeout(stack->discovery, now_ns, &stack->work);
		stack_drain(stack, now_ns);
	}
	if (dpt_distr_deadline_ns(stack->distr) <= now_ns)
		stack_names_tx(stack, now_ns);
	stack_topology_timeout(stack, now_ns);
	while (dpt_bcast_snd_deadline_ns(stack->bcast_snd) <= now_ns) {
		reset.node = dpt_bcast_snd_stalled(stack->bcast_snd, now_ns);
		if (reset.node.value == 0)
			break;
		stack_post(stack, stack_owner(stack, reset.node), STACK_MSG_PEER, &reset,
			   sizeof(reset), now_ns);
		stack_drain(stack, now_ns);
	}
}

void
dpt_stack_timeout(struct dpt_stack *stack, uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_timer *timer;

	while ((timer = dpt_timer_pop(&stack->wheel, now_ns)) != NULL) {
		struct stack_node *head =
			(struct stack_node *)(void *)((uint8_t *)timer -
						      offsetof(struct stack_node, timer));
		struct dpt_node *node = stack_node_at(stack, head->idx);

		dpt_node_timeout(node, now_ns, &stack->work);
		stack_node_rearm(stack, node);
		stack_drain(stack, now_ns);
	}
	if (stack->cfg.shard == 0)
		timeout_shard_zero(stack, now_ns);
	if (dpt_socks_deadline_ns(stack->socks) <= now_ns) {
		dpt_socks_timeout(stack->socks, now_ns, &stack->routed);
		(void)stack_route(stack, dpt_port(0), now_ns);
	}
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
}

uint64_t
dpt_stack_deadline_ns(const struct dpt_stack *stack)
{
	uint64_t deadline_ns = RTE_MIN(dpt_timer_wheel_deadline_ns(&stack->wheel),
				       dpt_socks_deadline_ns(stack->socks));

	if (stack->cfg.shard != 0)
		return deadline_ns;
	/*
	 * What initialisation had to say to the other shards and to control has not been taken
	 * yet; answers to more binds than one call gives.
	 */
	if (stack->work.shard.cnt != 0 || stack->ctl_cnt != 0 || stack_barrier_is_due(stack))
		return 0;
	deadline_ns = RTE_MIN(deadline_ns, dpt_discovery_deadline_ns(stack->discovery));
	deadline_ns = RTE_MIN(deadline_ns, dpt_distr_deadline_ns(stack->distr));
	deadline_ns = RTE_MIN(deadline_ns, stack_topology_deadline_ns(stack));
	return RTE_MIN(deadline_ns, dpt_bcast_snd_deadline_ns(stack->bcast_snd));
}

/* ---- sockets and views ---- */

int
dpt_stack_socket(struct dpt_stack *stack, enum dpt_sock_type type, uint64_t cookie,
		 struct dpt_port *port)
{
	return dpt_sock_open(stack->socks, type, cookie, port);
}

struct dpt_socks *
dpt_stack_socks(struct dpt_stack *stack)
{
	return stack->socks;
}

uint32_t
dpt_stack_route_gen(const struct dpt_stack *stack)
{
	return stack->route_gen;
}

struct dpt_node_addr
dpt_stack_own(const struct dpt_stack *stack)
{
	return stack->own;
}

const struct dpt_node_id *
dpt_stack_id(const struct dpt_stack *stack)
{
	return stack->discovery != NULL ? dpt_discovery_id(stack->discovery) : &stack->own_id;
}

const struct dpt_names *
dpt_stack_names(const struct dpt_stack *stack)
{
	return stack->names;
}

const struct dpt_discovery *
dpt_stack_discovery(const struct dpt_stack *stack)
{
	return stack->discovery;
}

const struct dpt_topo *
dpt_stack_topology(const struct dpt_stack *stack)
{
	return stack->topo;
}

const struct dpt_node *
dpt_stack_node(const struct dpt_stack *stack, uint32_t idx)
{
	if (idx >= stack->nodes_cnt)
		return NULL;
	return stack_node_at(stack, stack->nodes_sorted[idx]);
}

const struct dpt_stack_counters_all *
dpt_stack_counters(const struct dpt_stack *stack)
{
	return &stack->counters;
}

int
dpt_stack_print(const struct dpt_stack *stack, char *text, size_t text_size)
{
	return snprintf(
		text, text_size,
		"shard %u/%u own %x nodes %u contacts %u bindings %u sockets %u route_gen %u",
		stack->cfg.shard, stack->cfg.shards_cnt, stack->own.value, stack->nodes_cnt,
		stack->contacts_cnt, dpt_names_cnt(stack->names), dpt_socks_cnt(stack->socks),
		stack->route_gen);
}
