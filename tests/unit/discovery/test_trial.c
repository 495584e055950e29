/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Address trial, 02-discovery.md, 5: nodes back to back on a network in the test. A frame
 * is delivered at once; broadcasts reach everybody else, also the sender's other bearers.
 */
#include "disc_fx.h"

#define NODES_MAX 4

struct net {
	struct disc_fx fx[NODES_MAX];
	uint32_t bearers[NODES_MAX]; /* bearer b of node n has MAC number n + 1 + 16 * b */
	uint32_t cnt;
	uint64_t now_ns;
	uint32_t events[NODES_MAX][DPT_EVENT_BIND_DONE + 1];
};

static struct net net;

static void
net_node(const struct dpt_discovery_cfg *cfg, uint32_t bearers)
{
	disc_fx_init(&net.fx[net.cnt], cfg);
	net.bearers[net.cnt++] = bearers;
}

static void
net_events(uint32_t n)
{
	struct dpt_out *out = &net.fx[n].out;

	for (uint32_t i = 0; i < out->events_cnt; i++)
		net.events[n][out->events[i].type]++;
	out->events_cnt = 0;
}

/* Take the frames of node n and give each one to whom it is for; answers in turn. */
static void
net_deliver(uint32_t n)
{
	struct dpt_bufq frames = net.fx[n].out.tx;
	struct rte_mbuf *m;

	net_events(n);
	dpt_bufq_init(&net.fx[n].out.tx);
	while ((m = dpt_bufq_pop(&frames)) != NULL) {
		uint32_t from = dpt_buf(m)->bearer_id;

		for (uint32_t i = 0; i < net.cnt; i++) {
			for (uint8_t b = 0; b < net.bearers[i]; b++) {
				struct dpt_maddr mac = disc_mac((uint8_t)(i + 1 + 16 * b));
				struct rte_mbuf *copy;

				if (i == n && b == from)
					continue;
				if (!dpt_buf(m)->dst.is_bcast &&
				    !dpt_maddr_eq(&dpt_buf(m)->dst, &mac))
					continue;
				copy = dpt_buf_copy(m, test_pool());
				CU_NOT_NULL_FATAL(copy);
				disc_fx_rx_buf(&net.fx[i], b, copy, net.now_ns);
				net_deliver(i);
			}
		}
		rte_pktmbuf_free(m);
	}
}

static void
net_start(void)
{
	for (uint32_t n = 0; n < net.cnt; n++)
		for (uint8_t b = 0; b < net.bearers[n]; b++) {
			disc_fx_bearer(&net.fx[n], b, (uint8_t)(n + 1 + 16 * b), net.now_ns);
			net_deliver(n);
		}
}

static void
net_run(uint64_t end_ns)
{
	for (;;) {
		uint64_t next_ns = DPT_NEVER_NS;
		uint32_t who = 0;

		for (uint32_t n = 0; n < net.cnt; n++)
			if (dpt_discovery_deadline_ns(net.fx[n].disc) < next_ns) {
				next_ns = dpt_discovery_deadline_ns(net.fx[n].disc);
				who = n;
			}
		if (next_ns > end_ns)
			break;
		net.now_ns = next_ns;
		disc_fx_timeout(&net.fx[who], next_ns);
		net_deliver(who);
	}
	net.now_ns = end_ns;
}

static void
net_fini(void)
{
	for (uint32_t n = 0; n < net.cnt; n++)
		disc_fx_fini(&net.fx[n]);
	memset(&net, 0, sizeof(net));
}

static uint32_t
net_addr(uint32_t n)
{
	return dpt_discovery_addr(net.fx[n].disc).value;
}

/* Identities whose words XOR to the same address. */
static struct dpt_discovery_cfg
twin_cfg(uint32_t n)
{
	static const char *const ids[NODES_MAX] = {"abcdEFGH", "EFGHabcd", "abcdEFGHxxxxxxxx",
						   "EFGHabcdxxxxxxxx"};
	struct dpt_discovery_cfg cfg = disc_fx_cfg(0x12340000 + n * 0x01010101);

	memcpy(cfg.id.bytes, ids[n], strlen(ids[n]));
	return cfg;
}

static void
two_nodes_find_each_other(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);

	net_node(&cfg, 1);
	cfg.random = 2;
	net_node(&cfg, 1);
	net_start();
	net_run(1500 * FX_MS);
	for (uint32_t n = 0; n < 2; n++) {
		CU_EQ_U64(net_addr(n), disc_addr((uint8_t)(n + 1)).value);
		CU_EQ_U64(net.events[n][DPT_EVENT_ADDR_FINAL], 1);
		CU_EQ_U64(net.events[n][DPT_EVENT_LINK_SETUP], 1);
		CU_EQ_U64(net.events[n][DPT_EVENT_DUPLICATE], 0);
		CU_TRUE(net.fx[n].counters.tx_resp > 0);
	}
	net_fini();
}

static void
running_node_defends_its_address(void)
{
	struct dpt_discovery_cfg cfg = twin_cfg(0);

	net_node(&cfg, 1);
	net_start();
	net_run(3000 * FX_MS);
	CU_EQ_U64(net_addr(0), 0x2424242c);
	cfg = twin_cfg(1);
	net_node(&cfg, 1);
	disc_fx_bearer(&net.fx[1], 0, 2, net.now_ns);
	net_deliver(1);
	net_run(4500 * FX_MS);
	CU_EQ_U64(net_addr(0), 0x2424242c);
	CU_EQ_U64(net_addr(1), 0x2424242c ^ twin_cfg(0).random);
	CU_EQ_U64(net.fx[1].counters.trial_restarts, 1);
	CU_EQ_U64(net.fx[0].counters.tx_trial_fail, 1);
	CU_EQ_U64(net.events[0][DPT_EVENT_DUPLICATE], 0);
	net_fini();
}

static void
three_nodes_with_the_same_trial_address_end_apart(void)
{
	for (uint32_t n = 0; n < 3; n++) {
		struct dpt_discovery_cfg cfg = twin_cfg(n);

		CU_EQ_U64(dpt_node_id_to_addr(&cfg.id).value, 0x2424242c);
		net_node(&cfg, 1);
	}
	net_start();
	net_run(10000 * FX_MS);
	for (uint32_t n = 0; n < 3; n++) {
		CU_TRUE(net_addr(n) != 0);
		CU_EQ_U64(net.events[n][DPT_EVENT_ADDR_FINAL], 1);
		CU_EQ_U64(net.events[n][DPT_EVENT_LINK_SETUP], 2);
		for (uint32_t i = 0; i < n; i++)
			CU_TRUE(net_addr(n) != net_addr(i));
	}
	net_fini();
}

static void
two_bearers_in_one_domain_do_not_conflict_with_themselves(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);

	net_node(&cfg, 2);
	cfg.random = 2;
	net_node(&cfg, 2);
	net_start();
	net_run(3000 * FX_MS);
	for (uint32_t n = 0; n < 2; n++) {
		CU_EQ_U64(net_addr(n), disc_addr((uint8_t)(n + 1)).value);
		CU_EQ_U64(net.fx[n].counters.trial_restarts, 0);
		CU_TRUE(net.fx[n].counters.drop_own > 0);
	}
	net_fini();
}

static void
later_bearer_restarts_the_trial_period(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);

	net_node(&cfg, 1);
	net_start();
	net_run(900 * FX_MS);
	disc_fx_bearer(&net.fx[0], 1, 33, net.now_ns);
	net_run(1899 * FX_MS);
	CU_EQ_U64(net_addr(0), 0);
	net_run(2025 * FX_MS);
	CU_EQ_U64(net_addr(0), 0x02010000);
	net_fini();
}

static void
restarted_node_is_offered_its_old_address(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(0x55);
	struct dpt_link_config trial = disc_msg(DPT_TYPE_DSC_TRIAL, 2), msg;
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct disc_fx fx;
	uint64_t now_ns;

	/* 5.3, rule 2; and rule 1 for the address itself. */
	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	now_ns = disc_fx_settle(&fx);
	req.prevnode = dpt_node_addr(0x77777777);
	disc_fx_rx(&fx, 0, &req, now_ns);
	disc_fx_rx(&fx, 0, &trial, now_ns);
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, NULL));
	CU_EQ_U64(msg.type, DPT_TYPE_DSC_TRIAL_FAIL);
	CU_EQ_U64(msg.suggested.value, 0x77777777);
	CU_EQ_U64(msg.dest_domain.value, trial.prevnode.value);
	trial.prevnode = req.prevnode;
	disc_fx_rx(&fx, 0, &trial, now_ns + 200 * FX_MS);
	CU_EQ_U64(fx.out.tx.cnt, 0);
	disc_fx_fini(&fx);
}

static void
suggestion_skips_known_addresses(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(0x55);
	struct dpt_link_config trial = disc_msg(DPT_TYPE_DSC_TRIAL, 3), msg;
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct disc_fx fx;
	uint64_t now_ns;

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	now_ns = disc_fx_settle(&fx);
	req.prevnode = dpt_node_addr(disc_addr(1).value ^ 0x55);
	disc_fx_rx(&fx, 0, &req, now_ns);
	trial.prevnode = disc_addr(1);
	disc_fx_rx(&fx, 0, &trial, now_ns);
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, NULL));
	CU_EQ_U64(msg.suggested.value, (disc_addr(1).value ^ 0x55) + 1);
	disc_fx_fini(&fx);
}

static void
requests_do_not_count_during_the_trial(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct disc_fx fx;

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	disc_fx_rx(&fx, 0, &req, 500 * FX_MS);
	CU_EQ_U64(fx.counters.drop_in_trial, 1);
	CU_EQ_U64(fx.out.tx.cnt + fx.out.events_cnt, 0);
	/* The period is over but no timer has run: the message makes the address final. */
	disc_fx_rx(&fx, 0, &req, 1000 * FX_MS);
	CU_EQ_U64(fx.counters.drop_in_trial, 2);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_ADDR_FINAL));
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	disc_fx_rx(&fx, 0, &req, 1001 * FX_MS);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_ADDR_FINAL));
	disc_fx_fini(&fx);
}

static void
first_of_several_failures_decides(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config fail = disc_msg(DPT_TYPE_DSC_TRIAL_FAIL, 2), msg;
	struct disc_fx fx;

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	fail.dest_domain = disc_addr(1);
	fail.suggested = dpt_node_addr(0x1111);
	disc_fx_rx(&fx, 0, &fail, 300 * FX_MS);
	fail.suggested = dpt_node_addr(0x2222);
	disc_fx_rx(&fx, 0, &fail, 301 * FX_MS);
	CU_EQ_U64(fx.counters.drop_trial_fail, 1);
	disc_fx_timeout(&fx, 375 * FX_MS);
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, NULL));
	CU_EQ_U64(msg.prevnode.value, 0x1111);
	/* A new second began. */
	disc_fx_timeout(&fx, 1299 * FX_MS);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, 0);
	disc_fx_settle(&fx);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, 0x1111);
	disc_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(two_nodes_find_each_other),
	CU_TEST(running_node_defends_its_address),
	CU_TEST(three_nodes_with_the_same_trial_address_end_apart),
	CU_TEST(two_bearers_in_one_domain_do_not_conflict_with_themselves),
	CU_TEST(later_bearer_restarts_the_trial_period),
	CU_TEST(restarted_node_is_offered_its_old_address),
	CU_TEST(suggestion_skips_known_addresses),
	CU_TEST(requests_do_not_count_during_the_trial),
	CU_TEST(first_of_several_failures_decides),
};

const struct cu_suite disc_suite_trial = CU_TEST_SUITE("trial", tests);
