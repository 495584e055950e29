/* SPDX-License-Identifier: BSD-3-Clause */

/* All counters of a shard as one list. */

#include <string.h>

#include <rte_common.h>

#include "stack_priv.h"

static DPT_COUNTER_DESCS(stack_descs, DPT_STACK_COUNTERS);
static DPT_COUNTER_DESCS(link_descs, DPT_LINK_COUNTERS);
static DPT_COUNTER_DESCS(node_descs, DPT_NODE_COUNTERS);
static DPT_COUNTER_DESCS(bcast_descs, DPT_BCAST_COUNTERS);
static DPT_COUNTER_DESCS(discovery_descs, DPT_DISCOVERY_COUNTERS);
static DPT_COUNTER_DESCS(names_descs, DPT_NAMES_COUNTERS);
static DPT_COUNTER_DESCS(socket_descs, DPT_SOCKET_COUNTERS);
static DPT_COUNTER_DESCS(topology_descs, DPT_TOPOLOGY_COUNTERS);

#define PART(library)                                                                              \
	{                                                                                          \
#library, library##_descs, RTE_DIM(library##_descs) - 1,                           \
			offsetof(struct dpt_stack_counters_all, library)                           \
	}

static const struct {
	const char *library;
	const struct dpt_counter_desc *descs;
	uint32_t cnt;
	size_t offset;
} parts[] = {PART(stack),     PART(link),  PART(node),	 PART(bcast),
	     PART(discovery), PART(names), PART(socket), PART(topology)};

bool
dpt_stack_counter(const struct dpt_stack *stack, uint32_t idx, struct dpt_counter_value *value)
{
	for (uint32_t i = 0; i < RTE_DIM(parts); i++) {
		if (idx >= parts[i].cnt) {
			idx -= parts[i].cnt;
			continue;
		}
		value->library = parts[i].library;
		value->desc = &parts[i].descs[idx];
		value->value = 0;
		if (stack != NULL)
			memcpy(&value->value,
			       (const uint8_t *)&stack->counters + parts[i].offset +
				       idx * sizeof(uint64_t),
			       sizeof(uint64_t));
		return true;
	}
	return false;
}
