/* SPDX-License-Identifier: BSD-3-Clause */

/* The shard's peers and contacts by address, and their slots. */

#include <string.h>

#include "stack_priv.h"

/* Fibonacci hashing: the high bits of the product are well mixed. */
static uint32_t
addr_hash(struct dpt_node_addr addr)
{
	return (uint32_t)((addr.value * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

uint32_t
stack_map_slots(uint32_t entries)
{
	uint32_t slots = 16;

	while (slots < 2 * entries)
		slots *= 2;
	return slots;
}

void
stack_map_init(struct stack_addr_map *map, uint32_t *slots, uint32_t slots_cnt)
{
	memset(slots, 0, slots_cnt * sizeof(*slots));
	map->slots = slots;
	map->mask = slots_cnt - 1;
}

typedef struct dpt_node_addr (*addr_at_fn)(const struct dpt_stack *stack, uint32_t idx);

/* Slot of the map that holds addr, or the empty one where the search ended. */
static uint32_t
map_seek(const struct dpt_stack *stack, const struct stack_addr_map *map, addr_at_fn addr_at,
	 struct dpt_node_addr addr)
{
	uint32_t i = addr_hash(addr) & map->mask;

	while (map->slots[i] != 0 && !dpt_node_addr_eq(addr_at(stack, map->slots[i] - 1), addr))
		i = (i + 1) & map->mask;
	return i;
}

/* Close the gap at i: move up what would not be found any more. */
static void
map_del(const struct dpt_stack *stack, struct stack_addr_map *map, addr_at_fn addr_at, uint32_t i)
{
	uint32_t j = i;

	for (;;) {
		j = (j + 1) & map->mask;
		if (map->slots[j] == 0)
			break;
		uint32_t home = addr_hash(addr_at(stack, map->slots[j] - 1)) & map->mask;

		if (((j - home) & map->mask) < ((j - i) & map->mask))
			continue;
		map->slots[i] = map->slots[j];
		i = j;
	}
	map->slots[i] = 0;
}

struct stack_node *
stack_node_slot(const struct dpt_stack *stack, uint32_t slot)
{
	return (struct stack_node *)(void *)(stack->nodes + slot * stack->node_stride);
}

struct dpt_node *
stack_node_at(const struct dpt_stack *stack, uint32_t slot)
{
	return (struct dpt_node *)(void *)((uint8_t *)stack_node_slot(stack, slot) +
					   STACK_NODE_OFFSET);
}

struct stack_node *
stack_node_slot_of(struct dpt_node *node)
{
	return (struct stack_node *)(void *)((uint8_t *)node - STACK_NODE_OFFSET);
}

static struct dpt_node_addr
node_addr_at(const struct dpt_stack *stack, uint32_t idx)
{
	return dpt_node_peer(stack_node_at(stack, idx));
}

static struct dpt_node_addr
contact_addr_at(const struct dpt_stack *stack, uint32_t idx)
{
	return stack->contacts[idx].addr;
}

struct dpt_node *
stack_node_find(const struct dpt_stack *stack, struct dpt_node_addr addr)
{
	uint32_t i = map_seek(stack, &stack->node_map, node_addr_at, addr);

	if (stack->node_map.slots[i] == 0)
		return NULL;
	return stack_node_at(stack, stack->node_map.slots[i] - 1);
}

/* Number of known nodes with an address below this one. */
static uint32_t
sorted_pos(const struct dpt_stack *stack, struct dpt_node_addr addr)
{
	uint32_t lo = 0, hi = stack->nodes_cnt;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (node_addr_at(stack, stack->nodes_sorted[mid]).value < addr.value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct dpt_node *
stack_node_add(struct dpt_stack *stack, const struct dpt_node_cfg *cfg, uint64_t now_ns)
{
	uint32_t max = stack->cfg.nodes_max;

	if (stack->nodes_cnt == max)
		return NULL;
	uint32_t slot = stack->nodes_free_hint;

	while (stack_node_slot(stack, slot)->is_used)
		slot = (slot + 1) % max;
	stack->nodes_free_hint = (slot + 1) % max;

	struct stack_node *head = stack_node_slot(stack, slot);
	uint32_t pos = sorted_pos(stack, cfg->peer);
	uint32_t i = map_seek(stack, &stack->node_map, node_addr_at, cfg->peer);

	head->is_used = true;
	head->opens_due = 0;
	head->idx = slot;
	dpt_timer_init(&head->timer, 0);
	dpt_node_init(stack_node_at(stack, slot), cfg, now_ns);
	stack->node_map.slots[i] = slot + 1;
	memmove(&stack->nodes_sorted[pos + 1], &stack->nodes_sorted[pos],
		(stack->nodes_cnt - pos) * sizeof(stack->nodes_sorted[0]));
	stack->nodes_sorted[pos] = (uint16_t)slot;
	stack->nodes_cnt++;
	return stack_node_at(stack, slot);
}

void
stack_node_del(struct dpt_stack *stack, struct dpt_node_addr addr)
{
	uint32_t i = map_seek(stack, &stack->node_map, node_addr_at, addr);

	if (stack->node_map.slots[i] == 0)
		return;
	uint32_t slot = stack->node_map.slots[i] - 1;
	uint32_t pos = sorted_pos(stack, addr);
	struct stack_node *head = stack_node_slot(stack, slot);

	map_del(stack, &stack->node_map, node_addr_at, i);
	stack->nodes_cnt--;
	memmove(&stack->nodes_sorted[pos], &stack->nodes_sorted[pos + 1],
		(stack->nodes_cnt - pos) * sizeof(stack->nodes_sorted[0]));
	dpt_timer_cancel(&stack->wheel, &head->timer);
	dpt_node_fini(stack_node_at(stack, slot));
	head->is_used = false;
}

struct stack_contact *
stack_contact_find(struct dpt_stack *stack, struct dpt_node_addr addr)
{
	uint32_t i = map_seek(stack, &stack->contact_map, contact_addr_at, addr);

	if (stack->contact_map.slots[i] == 0)
		return NULL;
	return &stack->contacts[stack->contact_map.slots[i] - 1];
}

struct stack_contact *
stack_contact_add(struct dpt_stack *stack, struct dpt_node_addr addr)
{
	uint32_t i = map_seek(stack, &stack->contact_map, contact_addr_at, addr);

	if (stack->contact_map.slots[i] != 0)
		return &stack->contacts[stack->contact_map.slots[i] - 1];
	if (stack->contacts_cnt == stack->cfg.nodes_max)
		return NULL;
	/* Contacts are dense: the last one moves into the place of a deleted one. */
	uint32_t idx = stack->contacts_cnt++;

	stack->contacts[idx] = (struct stack_contact){.addr = addr};
	stack->contact_map.slots[i] = idx + 1;
	return &stack->contacts[idx];
}

void
stack_contact_del(struct dpt_stack *stack, struct dpt_node_addr addr)
{
	uint32_t i = map_seek(stack, &stack->contact_map, contact_addr_at, addr);

	if (stack->contact_map.slots[i] == 0)
		return;
	uint32_t idx = stack->contact_map.slots[i] - 1;
	uint32_t last = stack->contacts_cnt - 1;

	map_del(stack, &stack->contact_map, contact_addr_at, i);
	stack->contacts_cnt = last;
	if (idx == last)
		return;
	i = map_seek(stack, &stack->contact_map, contact_addr_at, stack->contacts[last].addr);
	stack->contacts[idx] = stack->contacts[last];
	stack->contact_map.slots[i] = idx + 1;
}

uint8_t
stack_owner(const struct dpt_stack *stack, struct dpt_node_addr addr)
{
	return (uint8_t)(((uint64_t)addr_hash(addr) * stack->cfg.shards_cnt) >> 32);
}
