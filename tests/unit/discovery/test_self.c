/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: address, identity and network id as the administrator sets them: 02-discovery.md, 1. */
#include "disc_fx.h"

#define RANDOM 0x1a2b

static struct disc_fx fx;

static void
address_needs_no_bearer_and_no_trial(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM);
	struct dpt_link_config msg;

	disc_fx_init(&fx, &cfg);
	CU_FALSE(dpt_discovery_is_legacy(fx.disc));
	dpt_discovery_addr_set(fx.disc, dpt_node_addr(0x0100100a), 0, &fx.out);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, 0x0100100a);
	CU_TRUE(dpt_discovery_is_legacy(fx.disc));
	CU_EQ_MEM(dpt_discovery_id(fx.disc)->bytes, "100100a\0\0\0\0\0\0\0\0\0", 16);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_ADDR_FINAL));
	CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_ADDR_FINAL)->node.value, 0x0100100a);
	CU_EQ_U64(dpt_discovery_deadline_ns(fx.disc), DPT_NEVER_NS);
	disc_fx_bearer(&fx, 0, 1, FX_MS);
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_ADDR_FINAL));
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, NULL));
	CU_EQ_U64(msg.type, DPT_TYPE_DSC_REQ);
	CU_EQ_U64(msg.prevnode.value, 0x0100100a);
	disc_fx_fini(&fx);
}

static void
address_leaves_an_identity_that_was_configured(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM);

	CU_EQ_I64(dpt_node_id_parse(&cfg.id, "name"), 0);
	disc_fx_init(&fx, &cfg);
	dpt_discovery_addr_set(fx.disc, dpt_node_addr(0x0100100a), 0, &fx.out);
	CU_TRUE(dpt_node_id_eq(dpt_discovery_id(fx.disc), &cfg.id));
	disc_fx_fini(&fx);
}

static void
identity_is_what_the_trial_is_about(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM);
	struct dpt_link_config msg;
	struct dpt_node_id id;

	CU_EQ_I64(dpt_node_id_parse(&id, "node7"), 0);
	disc_fx_init(&fx, &cfg);
	dpt_discovery_id_set(fx.disc, &id);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, 0);
	disc_fx_bearer(&fx, 0, 1, 0);
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, NULL));
	CU_EQ_U64(msg.type, DPT_TYPE_DSC_TRIAL);
	CU_EQ_U64(msg.prevnode.value, 0x596f6465);
	CU_TRUE(dpt_node_id_eq(&msg.id, &id));
	disc_fx_fini(&fx);
}

static void
network_id_begins_the_trial_anew(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM);
	struct dpt_link_config msg;

	disc_fx_init(&fx, &cfg);
	/* Before the first bearer there is nothing to begin. */
	dpt_discovery_net_id_set(fx.disc, 55, 0);
	disc_fx_bearer(&fx, 0, 1, 0);
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, NULL));
	CU_EQ_U64(msg.net_id, 55);
	dpt_discovery_net_id_set(fx.disc, 55, 600 * FX_MS);
	dpt_discovery_net_id_set(fx.disc, 66, 700 * FX_MS);
	for (uint64_t ms = 125; ms <= 1625; ms += 125) {
		disc_fx_timeout(&fx, ms * FX_MS);
		CU_EQ_U64(dpt_discovery_addr(fx.disc).value, 0);
	}
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, NULL));
	CU_EQ_U64(msg.net_id, 66);
	disc_fx_timeout(&fx, 1750 * FX_MS);
	CU_TRUE(dpt_discovery_addr(fx.disc).value != 0);
	disc_fx_fini(&fx);
}

/* Whoever says so is not taken in, so no node is ever shown with one. */
static void
hazard_11_12_identity_of_zeros_is_refused(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM);
	struct dpt_link_config msg = disc_msg(DPT_TYPE_DSC_REQ, 2);
	uint64_t now_ns;

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	now_ns = disc_fx_settle(&fx);
	memset(&msg.id, 0, sizeof(msg.id));
	disc_fx_rx(&fx, 0, &msg, now_ns);
	CU_EQ_U64(fx.counters.drop_malformed, 1);
	CU_EQ_U64(fx.counters.peers_created, 0);
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	/* A trial with it is no conflict that anybody has to know of. */
	msg.type = DPT_TYPE_DSC_TRIAL;
	disc_fx_rx(&fx, 0, &msg, now_ns);
	CU_EQ_U64(fx.counters.drop_malformed, 2);
	CU_EQ_U64(fx.out.tx.cnt, 0);
	disc_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(address_needs_no_bearer_and_no_trial),
	CU_TEST(address_leaves_an_identity_that_was_configured),
	CU_TEST(identity_is_what_the_trial_is_about),
	CU_TEST(network_id_begins_the_trial_anew),
	CU_TEST(hazard_11_12_identity_of_zeros_is_refused),
};

const struct cu_suite disc_suite_self = CU_TEST_SUITE("self", tests);
