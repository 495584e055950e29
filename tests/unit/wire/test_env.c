/* SPDX-License-Identifier: BSD-3-Clause */
/* Outputs: events come zeroed and in order, frames keep their destination, names exist. */
#include "wire_suites.h"

#include <string.h>

#include "dpt_env.h"
#include "test_pool.h"

static struct dpt_out out;

static void
event_is_zeroed_and_appended(void)
{
	static const struct dpt_event zero = {.type = DPT_EVENT_CAPS};
	struct dpt_event *event;

	memset(&out, 0xff, sizeof(out));
	dpt_out_init(&out);
	event = dpt_out_event(&out, DPT_EVENT_CAPS);
	CU_EQ_U64(event->type, DPT_EVENT_CAPS);
	CU_EQ_U64(event->node.value, 0);
	CU_EQ_U64(event->cookie, 0);
	CU_TRUE(dpt_maddr_eq(&event->maddr, &zero.maddr));
	CU_TRUE(dpt_node_id_is_zero(&event->id));
	CU_EQ_PTR(dpt_out_event(&out, DPT_EVENT_LINK_UP), &out.events[1]);
	CU_EQ_U64(out.events_cnt, 2);
}

static void
tx_notes_bearer_and_destination(void)
{
	struct dpt_maddr dst = dpt_maddr_bcast(DPT_MEDIA_UDP);
	struct rte_mbuf *m = dpt_buf_alloc(test_pool());

	dpt_out_init(&out);
	dpt_out_tx(&out, m, 2, &dst);
	CU_EQ_U64(out.tx.cnt, 1);
	CU_EQ_U64(dpt_buf(m)->bearer_id, 2);
	CU_TRUE(dpt_maddr_eq(&dpt_buf(m)->dst, &dst));
	dpt_bufq_free(&out.tx);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

/* No two values share a name, and values outside the enum have one. */
static void
names_are_distinct(void)
{
	for (int i = 0; i <= DPT_EVENT_BIND_DONE; i++) {
		for (int j = 0; j < i; j++)
			CU_TRUE(strcmp(dpt_event_name(i), dpt_event_name(j)) != 0);
	}
	for (int i = 0; i <= DPT_DOWN_FAILOVER; i++) {
		for (int j = 0; j < i; j++)
			CU_TRUE(strcmp(dpt_down_reason_name(i), dpt_down_reason_name(j)) != 0);
	}
	for (int i = 0; i <= DPT_REFUSAL_CAPS; i++) {
		for (int j = 0; j < i; j++)
			CU_TRUE(strcmp(dpt_refusal_name(i), dpt_refusal_name(j)) != 0);
	}
	CU_EQ_STR(dpt_event_name(200), "UNKNOWN");
	CU_EQ_STR(dpt_down_reason_name(200), "unknown");
	CU_EQ_STR(dpt_refusal_name(200), "unknown");
}

static const struct cu_test tests[] = {
	CU_TEST(event_is_zeroed_and_appended),
	CU_TEST(tx_notes_bearer_and_destination),
	CU_TEST(names_are_distinct),
};

const struct cu_suite wire_env_suite = CU_TEST_SUITE("env", tests);
