/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and texts in the stat file, from the lists of the libraries. Contract: stat_file.h. */
#include <string.h>

#include "bearer_counters.h"
#include "control.h"
#include "dpt_link_ops.h"
#include "dpt_msg.h"
#include "dpt_stack.h"
#include "stat_file.h"

/* ---- counters ---- */

static void
desc_put(struct dpt_stat_hdr *hdr, uint32_t idx, const char *library,
	 const struct dpt_counter_desc *desc)
{
	struct dpt_stat_desc *to;

	if (hdr == NULL)
		return;
	to = stat_at(hdr, DPT_STAT_DESCS, idx);
	stat_text(to->library, sizeof(to->library), library);
	stat_text(to->name, sizeof(to->name), desc->name);
	stat_text(to->text, sizeof(to->text), desc->text);
	to->kind = (uint32_t)desc->kind;
}

static uint32_t
descs_put(struct dpt_stat_hdr *hdr, uint32_t idx, const char *library,
	  const struct dpt_counter_desc *descs)
{
	for (; descs->name != NULL; descs++)
		desc_put(hdr, idx++, library, descs);
	return idx;
}

uint32_t
stat_descs_fill(struct dpt_stat_hdr *hdr)
{
	struct dpt_counter_value value;
	uint32_t cnt = descs_put(hdr, 0, "worker", worker_counter_descs);

	for (uint32_t i = 0; dpt_stack_counter(NULL, i, &value); i++)
		desc_put(hdr, cnt++, value.library, value.desc);
	cnt = descs_put(hdr, cnt, "bearer", dpt_bearer_counter_descs);
	cnt = descs_put(hdr, cnt, "control", control_counter_descs);
	return descs_put(hdr, cnt, "pool", pool_counter_descs);
}

uint32_t
stat_descs_find(const struct dpt_stat_hdr *hdr, const char *library, uint32_t *cnt)
{
	uint32_t all = hdr->parts[DPT_STAT_DESCS].cnt, first = all;

	*cnt = 0;
	for (uint32_t i = 0; i < all; i++) {
		const struct dpt_stat_desc *desc = stat_at(hdr, DPT_STAT_DESCS, i);

		if (strcmp(desc->library, library) != 0)
			continue;
		if (first == all)
			first = i;
		++*cnt;
	}
	return first;
}

/* ---- names ---- */

static uint32_t
name_put(struct dpt_stat_hdr *hdr, uint32_t idx, enum dpt_stat_list list, uint32_t value,
	 const char *text)
{
	struct dpt_stat_text *to;

	if (hdr != NULL) {
		to = stat_at(hdr, DPT_STAT_NAMES, idx);
		to->list = (uint16_t)list;
		to->value = (uint16_t)value;
		stat_text(to->text, sizeof(to->text), text);
	}
	return idx + 1;
}

static uint32_t
names_of_flight(struct dpt_stat_hdr *hdr, uint32_t idx)
{
	for (uint32_t i = 0; i <= UINT8_MAX; i++) {
		if (dpt_flight_kind_name(i)[0] != '\0') {
			idx = name_put(hdr, idx, DPT_STAT_L_KIND, i, dpt_flight_kind_name(i));
			idx = name_put(hdr, idx, DPT_STAT_L_KIND_TEXT, i, dpt_flight_kind_text(i));
		}
		if (dpt_flight_tunnel_name(i)[0] != '\0')
			idx = name_put(hdr, idx, DPT_STAT_L_TUNNEL, i, dpt_flight_tunnel_name(i));
	}
	return idx;
}

/* All numbers up to the first that has no name. */
#define NAMES(list, call)                                                                          \
	for (uint32_t i = 0; strcmp(call, "unknown") != 0; i++)                                    \
	idx = name_put(hdr, idx, list, i, call)

uint32_t
stat_names_fill(struct dpt_stat_hdr *hdr)
{
	uint32_t idx = 0;

	NAMES(DPT_STAT_L_REASON, dpt_down_reason_name((enum dpt_down_reason)i));
	NAMES(DPT_STAT_L_STATE, dpt_link_state_name((enum dpt_link_state)i));
	NAMES(DPT_STAT_L_EVENT, dpt_link_event_name((enum dpt_link_event)i));
	NAMES(DPT_STAT_L_NODE_STATE, dpt_node_state_name((enum dpt_node_state)i));
	NAMES(DPT_STAT_L_NODE_EVENT, dpt_node_event_name(i));
	for (uint32_t i = 0; i <= DPT_USER_CRYPTO; i++)
		idx = name_put(hdr, idx, DPT_STAT_L_USER, i, dpt_user_name(i));
	for (uint32_t i = 0; dpt_link_counter_descs[i].name != NULL; i++)
		idx = name_put(hdr, idx, DPT_STAT_L_COUNTER, i, dpt_link_counter_descs[i].name);
	for (uint32_t i = 0; dpt_node_counter_descs[i].name != NULL; i++)
		idx = name_put(hdr, idx, DPT_STAT_L_NODE_COUNTER, i,
			       dpt_node_counter_descs[i].name);
	return names_of_flight(hdr, idx);
}
