/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When requests and trials go out, in virtual time, and what they look like: the worked
 * examples of 02-discovery.md, 11, octet by octet.
 */
#include "disc_fx.h"

#define RANDOM_A 0x8d3f1a2b
#define RANDOM_B 0x5f3a4c5d

/* Run the timers until end; note the time and the type of each frame sent. */
static uint32_t
run(struct disc_fx *fx, uint64_t end_ns, uint64_t *times_ms, uint8_t *types, uint32_t max)
{
	uint32_t cnt = 0;

	while (dpt_discovery_deadline_ns(fx->disc) <= end_ns && cnt < max) {
		uint64_t now_ns = dpt_discovery_deadline_ns(fx->disc);
		struct dpt_link_config msg;

		disc_fx_timeout(fx, now_ns);
		while (cnt < max && disc_fx_pop(fx, &msg, NULL)) {
			times_ms[cnt] = now_ns / FX_MS;
			types[cnt++] = msg.type;
		}
	}
	return cnt;
}

static void
check_frame(struct disc_fx *fx, const char *hex)
{
	uint8_t want[DPT_LINK_CONFIG_BYTES];
	struct rte_mbuf *m = dpt_bufq_pop(&fx->out.tx);

	CU_EQ_U64_FATAL(test_hex(hex, want, sizeof(want)), sizeof(want));
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64_FATAL(dpt_buf_bytes(m), sizeof(want));
	CU_EQ_MEM(test_flat(m), want, sizeof(want));
	rte_pktmbuf_free(m);
}

static const char trial_of_a[] = "5bf0004c 47ff9a2b 00000000 02010000"
				 "00001267 00000001 02000000 00010000"
				 "00000000 00000000 00000000 00000000"
				 "00000000 00000000 00000000 02000000"
				 "00010000 00000000 00000000";

static const char req_of_a[] = "5bf0004c 07ff9a2b 00000000 02010000"
			       "00001267 00000001 02000000 00010000"
			       "00000000 00000000 00000000 00000000"
			       "00000000 00000000 00000000 02000000"
			       "00010000 00000000 00000000";

static void
trial_as_in_the_worked_example(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct disc_fx fx;

	disc_fx_init(&fx, &cfg);
	CU_EQ_I64(disc_fx_bearer(&fx, 0, 1, 0), 0);
	CU_TRUE(dpt_buf(fx.out.tx.head)->dst.is_bcast);
	check_frame(&fx, trial_of_a);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, 0);
	disc_fx_fini(&fx);
}

static void
trial_fail_as_in_the_worked_example(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_B);
	struct dpt_link_config other = disc_msg(DPT_TYPE_DSC_REQ, 9);
	uint64_t now_ns;
	struct disc_fx fx;

	/* B knows a node with A's address but another identity. */
	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 2, 0);
	now_ns = disc_fx_settle(&fx);
	other.prevnode = dpt_node_addr(0x02010000);
	disc_fx_rx(&fx, 0, &other, now_ns);
	disc_fx_rx_buf(&fx, 0, test_buf_hex(trial_of_a), now_ns);
	check_frame(&fx, "5bf0004c 67ffcc5d 02010000 02020000"
			 "00001267 00000001 02000000 00020000"
			 "00000000 00000000 00000000 00000000"
			 "00000000 00000000 5d3b4c5d 02000000"
			 "00020000 00000000 00000000");
	disc_fx_fini(&fx);
}

static void
req_and_resp_as_in_the_worked_example(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct disc_fx a, b;
	uint64_t now_ns;

	disc_fx_init(&a, &cfg);
	disc_fx_bearer(&a, 0, 1, 0);
	disc_fx_settle(&a);
	disc_fx_timeout(&a, dpt_discovery_deadline_ns(a.disc));
	check_frame(&a, req_of_a);
	cfg.random = RANDOM_B;
	disc_fx_init(&b, &cfg);
	disc_fx_bearer(&b, 0, 2, 0);
	now_ns = disc_fx_settle(&b);
	disc_fx_rx_buf(&b, 0, test_buf_hex(req_of_a), now_ns);
	CU_NOT_NULL_FATAL(b.out.tx.head);
	CU_TRUE(dpt_maddr_eq(
		&dpt_buf(b.out.tx.head)->dst,
		&(struct dpt_maddr){.media = DPT_MEDIA_ETH, .bytes = {2, 0, 0, 0, 0, 1}}));
	check_frame(&b, "5bf0004c 27ffcc5d 02010000 02020000"
			"00001267 00000001 02000000 00020000"
			"00000000 00000000 00000000 00000000"
			"00000000 00000000 00000000 02000000"
			"00020000 00000000 00000000");
	disc_fx_fini(&b);
	disc_fx_fini(&a);
}

/* A REQ on a UDP bearer with that media address, the identity made from it. */
static void
check_udp(const struct dpt_maddr *maddr, const char *hex)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct disc_fx fx;

	disc_fx_init(&fx, &cfg);
	CU_EQ_I64(dpt_discovery_bearer_add(fx.disc, 0, maddr, dpt_node_addr(0), 0, &fx.out), 0);
	disc_fx_settle(&fx);
	disc_fx_timeout(&fx, dpt_discovery_deadline_ns(fx.disc));
	check_frame(&fx, hex);
	disc_fx_fini(&fx);
}

static void
udp_requests_as_in_the_worked_examples(void)
{
	struct dpt_maddr ipv4 = {.media = DPT_MEDIA_UDP,
				 .proto = DPT_MADDR_PROTO_IPV4,
				 .udp_port = 6118,
				 .bytes = {10, 0, 0, 1}};
	struct dpt_maddr ipv6 = {.media = DPT_MEDIA_UDP,
				 .proto = DPT_MADDR_PROTO_IPV6,
				 .udp_port = 6118,
				 .bytes = {0xfd, [15] = 1}};

	check_udp(&ipv4, "5bf0004c 07ff9a2b 00000000 0a000001"
			 "00001267 00000003 080017e6 0a000001"
			 "00000000 00000000 00000000 00000000"
			 "00000000 00000000 00000000 0a000001"
			 "00000000 00000000 00000000");
	check_udp(&ipv6, "5bf0004c 07ff9a2b 00000000 fd000001"
			 "00001267 00000003 86dd17e6 fd000000"
			 "00000000 00000000 00000001 00000000"
			 "00000000 00000000 00000000 fd000000"
			 "00000000 00000000 00000001");
}

static void
trial_schedule(void)
{
	static const uint64_t want[] = {125,  250,  375,  500,	625,  750, 875,
					1125, 1375, 1875, 2875, 3875, 4875};
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	uint64_t times[CU_CNT(want) + 4];
	uint8_t types[CU_CNT(want) + 4];
	struct disc_fx fx;
	uint32_t cnt;

	/* TRIALs for a second, nothing at 1000 ms, REQs with doubling gaps after it. */
	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	cnt = run(&fx, 5000 * FX_MS, times, types, CU_CNT(times));
	CU_EQ_U64_FATAL(cnt, CU_CNT(want));
	for (uint32_t i = 0; i < cnt; i++) {
		CU_EQ_U64(times[i], want[i]);
		CU_EQ_U64(types[i], want[i] < 1000 ? DPT_TYPE_DSC_TRIAL : DPT_TYPE_DSC_REQ);
	}
	disc_fx_fini(&fx);
}

static void
configured_address_schedule(void)
{
	static const uint64_t want[] = {125, 375, 875, 1875, 2875};
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	uint64_t times[16];
	uint8_t types[16];
	struct disc_fx fx;
	uint32_t cnt;

	cfg.addr = dpt_node_addr(0x0100100a);
	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_ADDR_FINAL));
	CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_ADDR_FINAL)->node.value, 0x0100100a);
	CU_EQ_MEM(dpt_discovery_id(fx.disc)->bytes, "100100a\0\0\0\0\0\0\0\0\0", 16);
	CU_EQ_U64(fx.counters.tx_req, 1);
	cnt = run(&fx, 3000 * FX_MS, times, types, 16);
	CU_EQ_U64_FATAL(cnt, CU_CNT(want));
	for (uint32_t i = 0; i < cnt; i++)
		CU_EQ_U64(times[i], want[i]);
	disc_fx_fini(&fx);
}

static void
interval_grows_to_a_minute_with_a_link_up(void)
{
	static const uint64_t want[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	uint64_t times[CU_CNT(want)], base_ms;
	uint8_t types[CU_CNT(want)];
	struct disc_fx fx;

	cfg.addr = dpt_node_addr(0x0100100a);
	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	CU_EQ_U64(run(&fx, 1875 * FX_MS, times, types, CU_CNT(want)), 4);
	disc_fx_rx(&fx, 0, &req, 1900 * FX_MS);
	dpt_discovery_link_up(fx.disc, disc_addr(2), 0);
	disc_fx_timeout(&fx, 2875 * FX_MS);
	base_ms = 2875;
	CU_EQ_U64_FATAL(run(&fx, 400000 * FX_MS, times, types, CU_CNT(want)), CU_CNT(want));
	for (uint32_t i = 0; i < CU_CNT(want); i++) {
		CU_EQ_U64(times[i] - base_ms, i == 0 ? 2000 : want[i]);
		base_ms = times[i];
	}
	/* The last link goes: fast again at once. */
	dpt_discovery_link_down(fx.disc, disc_addr(2), 0, 500000 * FX_MS);
	CU_EQ_U64(dpt_discovery_deadline_ns(fx.disc), 500125 * FX_MS);
	disc_fx_fini(&fx);
}

static void
requests_stop_when_the_one_wanted_node_is_up(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct dpt_maddr mac = disc_mac(1);
	struct disc_fx fx;

	cfg.addr = dpt_node_addr(0x01001001);
	disc_fx_init(&fx, &cfg);
	dpt_discovery_bearer_add(fx.disc, 0, &mac, dpt_node_addr(0x01001002), 0, &fx.out);
	req.prevnode = dpt_node_addr(0x01001002);
	disc_fx_rx(&fx, 0, &req, 1);
	dpt_discovery_link_up(fx.disc, req.prevnode, 0);
	disc_fx_timeout(&fx, 125 * FX_MS);
	CU_EQ_U64(fx.out.tx.cnt, 0);
	CU_EQ_U64(dpt_discovery_deadline_ns(fx.disc), DPT_NEVER_NS);
	dpt_discovery_link_down(fx.disc, req.prevnode, 0, 7000 * FX_MS);
	CU_EQ_U64(dpt_discovery_deadline_ns(fx.disc), 7125 * FX_MS);
	disc_fx_fini(&fx);
}

static void
bearer_reset_announces_the_new_address_at_once(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2), msg;
	struct dpt_maddr mac = disc_mac(7);
	struct disc_fx fx;
	uint64_t now_ns;

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	now_ns = disc_fx_settle(&fx);
	disc_fx_rx(&fx, 0, &req, now_ns);
	dpt_discovery_link_up(fx.disc, disc_addr(2), 0);
	disc_fx_timeout(&fx, now_ns);
	dpt_discovery_bearer_reset(fx.disc, 0, &mac, now_ns, &fx.out);
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, NULL));
	CU_EQ_U64(msg.type, DPT_TYPE_DSC_REQ);
	CU_TRUE(dpt_maddr_eq(&msg.maddr, &mac));
	CU_EQ_U64(msg.prevnode.value, 0x02010000);
	CU_EQ_U64(dpt_discovery_deadline_ns(fx.disc), now_ns + 125 * FX_MS);
	/* The link is gone with the reset: the same request creates one, without "reset". */
	disc_fx_rx(&fx, 0, &req, now_ns + 200 * FX_MS);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP)->flags, 0);
	disc_fx_fini(&fx);
}

static void
bearer_that_is_deleted_is_silent_and_deaf(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct disc_fx fx;

	disc_fx_init(&fx, &cfg);
	CU_EQ_I64(disc_fx_bearer(&fx, 0, 1, 0), 0);
	CU_EQ_I64(disc_fx_bearer(&fx, 0, 1, 0), -EEXIST);
	dpt_discovery_bearer_del(fx.disc, 0);
	CU_EQ_U64(dpt_discovery_deadline_ns(fx.disc), DPT_NEVER_NS);
	disc_fx_rx(&fx, 0, &req, 5);
	CU_EQ_U64(fx.counters.drop_no_bearer, 1);
	CU_EQ_I64(disc_fx_bearer(&fx, 0, 1, 10), 0);
	disc_fx_fini(&fx);
}

static void
bearer_without_an_identity_is_refused(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct dpt_maddr ib = {.media = DPT_MEDIA_IB, .bytes = {1, 2, 3}};
	struct disc_fx fx;

	disc_fx_init(&fx, &cfg);
	CU_EQ_I64(dpt_discovery_bearer_add(fx.disc, 0, &ib, dpt_node_addr(0), 0, &fx.out), -EINVAL);
	disc_fx_fini(&fx);
	cfg.id = (struct dpt_node_id){.bytes = "node7"};
	disc_fx_init(&fx, &cfg);
	CU_EQ_I64(disc_fx_bearer(&fx, 0, 1, 0), 0);
	disc_fx_settle(&fx);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, 0x596f6465);
	disc_fx_fini(&fx);
}

static void
empty_pool_skips_a_request_and_goes_on(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct disc_fx fx;

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	disc_fx_timeout(&fx, 0);
	test_pool_exhaust(0);
	disc_fx_timeout(&fx, 125 * FX_MS);
	CU_EQ_U64(fx.counters.tx_no_buffer, 1);
	test_pool_release();
	disc_fx_timeout(&fx, 250 * FX_MS);
	CU_EQ_U64(fx.out.tx.cnt, 1);
	disc_fx_fini(&fx);
}

static void
print_names_state_and_identity(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(RANDOM_A);
	struct disc_fx fx;
	char text[200];

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	dpt_discovery_print(fx.disc, text, sizeof(text));
	CU_EQ_STR(text, "discovery addr 02010000 (trial, 0 restarts) id 020000000001 net 4711 "
			"peers 0/64 caps 0fff");
	disc_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(trial_as_in_the_worked_example),
	CU_TEST(trial_fail_as_in_the_worked_example),
	CU_TEST(req_and_resp_as_in_the_worked_example),
	CU_TEST(udp_requests_as_in_the_worked_examples),
	CU_TEST(trial_schedule),
	CU_TEST(configured_address_schedule),
	CU_TEST(interval_grows_to_a_minute_with_a_link_up),
	CU_TEST(requests_stop_when_the_one_wanted_node_is_up),
	CU_TEST(bearer_reset_announces_the_new_address_at_once),
	CU_TEST(bearer_that_is_deleted_is_silent_and_deaf),
	CU_TEST(bearer_without_an_identity_is_refused),
	CU_TEST(empty_pool_skips_a_request_and_goes_on),
	CU_TEST(print_names_state_and_identity),
};

const struct cu_suite disc_suite_schedule = CU_TEST_SUITE("schedule", tests);
