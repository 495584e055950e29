/* SPDX-License-Identifier: BSD-3-Clause */
/* Registry and counters of bearer drivers. Contract: dpt_bearer.h. */
#include "dpt_bearer.h"

#include <string.h>

#include "bearer_counters.h"

DPT_COUNTER_DESCS(dpt_bearer_counter_descs, DPT_BEARER_COUNTERS);

const struct dpt_bearer_ops *
dpt_bearer_find(const struct dpt_bearer_ops *const *table, uint32_t cnt, const char *name,
		const char **device)
{
	const char *colon = strchr(name, ':');

	if (colon == NULL || colon[1] == '\0')
		return NULL;
	for (uint32_t i = 0; i < cnt; i++) {
		size_t len = strlen(table[i]->media_name);

		if ((size_t)(colon - name) != len || memcmp(name, table[i]->media_name, len) != 0)
			continue;
		*device = colon + 1;
		return table[i];
	}
	return NULL;
}

void
dpt_bearer_counters_add(const struct dpt_bearer_counters *counters, uint64_t *values, uint32_t cnt)
{
	const uint64_t *from = (const uint64_t *)counters;

	for (uint32_t i = 0; i < cnt && i < DPT_BEARER_COUNTERS_CNT; i++)
		values[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}
