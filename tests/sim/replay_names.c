/* SPDX-License-Identifier: BSD-3-Clause */
/* The name table against the peer's NAME_DISTRIBUTOR messages. See replay.h. */
#include "replay.h"

#include <string.h>

static void
model_remove(struct replay *rp, const struct dpt_name_item *item)
{
	uint32_t i;

	for (i = 0; i < rp->names_cnt; i++) {
		if (memcmp(&rp->names[i], item, sizeof(*item)) == 0) {
			rp->names[i] = rp->names[--rp->names_cnt];
			return;
		}
	}
}

static bool
model_has(const struct replay *rp, const struct dpt_binding *b)
{
	uint32_t i;

	for (i = 0; i < rp->names_cnt; i++) {
		const struct dpt_name_item *item = &rp->names[i];

		if (item->type == b->range.type && item->lower == b->range.lower &&
		    item->upper == b->range.upper && item->port.ref == b->port.ref &&
		    item->key == b->key)
			return true;
	}
	return false;
}

void
replay_names_check(struct replay *rp)
{
	struct dpt_binding bindings[32];
	uint32_t cursor = 0;
	uint32_t cnt = 0;
	uint32_t got, i;

	while ((got = dpt_names_dump(dpt_stack_names(rp->stack), &cursor, bindings, 32)) > 0) {
		for (i = 0; i < got; i++) {
			if (bindings[i].node.value != rp->peer.value)
				continue;
			cnt++;
			cu_context("{%u, %u, %u}", bindings[i].range.type, bindings[i].range.lower,
				   bindings[i].range.upper);
			CU_TRUE(model_has(rp, &bindings[i]));
		}
	}
	cu_context("%s", "the peer's names");
	CU_EQ_U64(cnt, rp->names_cnt);
	cu_context("%s", "");
}

void
replay_names_heard(struct replay *rp, const struct replay_frame *f)
{
	uint32_t at = dpt_msg_hdr_bytes(f->msg);

	for (; at + DPT_NAME_ITEM_BYTES <= dpt_msg_size(f->msg); at += DPT_NAME_ITEM_BYTES) {
		struct dpt_name_item item;

		memset(&item, 0, sizeof(item));
		dpt_name_item_decode(&item, f->msg + at);
		if (dpt_msg_type(f->msg) == DPT_TYPE_WITHDRAWAL)
			model_remove(rp, &item);
		else if (rp->names_cnt < REPLAY_NAMES_MAX)
			rp->names[rp->names_cnt++] = item;
	}
	rp->names_most = RTE_MAX(rp->names_most, rp->names_cnt);
	replay_names_check(rp);
}
