/* SPDX-License-Identifier: BSD-3-Clause */
/* Items of NAME_DISTRIBUTOR messages into the table: 04-name-table.md, 7.3 and 11. */
#include <errno.h>

#include "dpt_limits.h"
#include "dpt_msg.h"
#include "dpt_records.h"
#include "dpt_mutant.h"
#include "names_priv.h"

/*
 * A peer may announce itself, {0, node, node} with port 0, and what applications may bind.
 * {1, 1, 1} or {2, x, x} from the network would intercept topology connections or forge
 * link states.
 */
static bool
is_type_allowed(const struct dpt_name_item *item, struct dpt_node_addr orignode)
{
	if (item->type >= DPT_TYPE_USER_MIN)
		return true;
	return item->type == 0 && item->lower == orignode.value && item->upper == orignode.value &&
	       item->port.ref == 0;
}

/* Returns whether the table changed. */
static bool
item_apply(struct dpt_names *names, const struct dpt_name_item *item, struct dpt_node_addr orignode,
	   bool is_publication)
{
	struct dpt_names_counters *counters = names->cfg.counters;
	struct dpt_binding b = {
		.range = {.type = item->type, .lower = item->lower, .upper = item->upper},
		.port = item->port,
		.node = orignode,
		.key = item->key,
		.scope = DPT_SCOPE_CLUSTER,
	};

	if (item->lower > item->upper) {
		counters->item_bad_range++;
		return false;
	}
	if (!is_type_allowed(item, orignode)) {
		counters->item_reserved_type++;
		return false;
	}
	if (!is_publication) {
		if (DPT_MUTANT(withdraw_lost) || dpt_names_remove(names, &b) == 0)
			return true;
		counters->item_unknown++;
		return false;
	}
	switch (dpt_names_insert(names, &b)) {
	case 0:
		return true;
	case -EEXIST:
		counters->item_duplicate++;
		return false;
	default:
		counters->item_table_full++;
		return false;
	}
}

uint32_t
dpt_names_apply(struct dpt_names *names, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	struct dpt_node_addr orignode = dpt_node_addr(dpt_msg_orignode(hdr));
	uint32_t offset = dpt_msg_hdr_bytes(hdr);
	uint32_t items = dpt_msg_payload_bytes(hdr) / DPT_NAME_ITEM_BYTES;
	uint32_t type = dpt_msg_type(hdr);
	uint32_t changes = 0;

	if (type != DPT_TYPE_PUBLICATION && type != DPT_TYPE_WITHDRAWAL) {
		names->cfg.counters->item_bad_type += items;
		return 0;
	}
	/* Node 0 would stand for ourselves or, in a removal, for any node. */
	if (names_is_own(names, orignode)) {
		names->cfg.counters->item_reserved_type += items;
		return 0;
	}
	for (uint32_t i = 0; i < items; i++, offset += DPT_NAME_ITEM_BYTES) {
		uint8_t raw[DPT_NAME_ITEM_BYTES];
		struct dpt_name_item item;

		dpt_buf_read(m, offset, raw, sizeof(raw));
		dpt_name_item_decode(&item, raw);
		if (item_apply(names, &item, orignode, type == DPT_TYPE_PUBLICATION))
			changes++;
	}
	return changes;
}
