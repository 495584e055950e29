/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Received REQ and RESP: the table of 02-discovery.md, 4.5, row by row, scope, identity
 * and address, capabilities, the tables of peers.
 */
#include "disc_fx.h"

static uint64_t
start(struct disc_fx *fx, const struct dpt_discovery_cfg *cfg)
{
	disc_fx_init(fx, cfg);
	disc_fx_bearer(fx, 0, 1, 0);
	return disc_fx_settle(fx);
}

/* One row: what a second REQ of peer 2 does, given how it compares with the first. */
struct row {
	bool sign, addr, up;
	bool is_answered, is_setup, is_duplicate;
};

static void
check_row(const struct row *row)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2), msg;
	const struct dpt_event *event;
	struct disc_fx fx;
	uint64_t now_ns;

	cu_context("row sign %d addr %d up %d", row->sign, row->addr, row->up);
	now_ns = start(&fx, &cfg);
	disc_fx_rx(&fx, 0, &req, now_ns);
	if (row->up)
		dpt_discovery_link_up(fx.disc, disc_addr(2), 0);
	if (!row->sign)
		req.signature ^= 0x0100;
	if (!row->addr)
		req.maddr = disc_mac(22);
	disc_fx_rx(&fx, 0, &req, now_ns + 125 * FX_MS);
	CU_EQ_U64(fx.out.tx.cnt, row->is_answered);
	if (disc_fx_pop(&fx, &msg, NULL))
		CU_EQ_U64(msg.type, DPT_TYPE_DSC_RESP);
	event = disc_fx_event(&fx, DPT_EVENT_LINK_SETUP);
	CU_EQ_U64(event != NULL, row->is_setup);
	if (event != NULL) {
		CU_EQ_U64(event->flags, DPT_EVENT_F_RESET);
		CU_TRUE(dpt_maddr_eq(&event->maddr, &req.maddr));
	}
	CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_DUPLICATE) != NULL, row->is_duplicate);
	CU_EQ_U64(fx.counters.drop_duplicate, row->is_duplicate);
	/* The signature was stored where the row says so: the next one finds it equal. */
	if (!row->sign && row->addr && row->up) {
		dpt_discovery_link_down(fx.disc, disc_addr(2), 0, now_ns);
		req.maddr = disc_mac(23);
		disc_fx_rx(&fx, 0, &req, now_ns + 250 * FX_MS);
		CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	}
	disc_fx_fini(&fx);
}

#define ROW_TEST(name, ...)                                                                        \
	static void name(void)                                                                     \
	{                                                                                          \
		const struct row row = {__VA_ARGS__};                                              \
                                                                                                   \
		check_row(&row);                                                                   \
	}

ROW_TEST(row_111_normal_repetition_is_ignored, true, true, true, false, false, false)
ROW_TEST(row_110_link_on_its_way_up_is_answered, true, true, false, true, false, false)
ROW_TEST(row_101_clone_of_a_live_peer_raises_an_alarm, true, false, true, false, false, true)
ROW_TEST(row_100_changed_interface_is_accepted, true, false, false, true, true, false)
ROW_TEST(row_011_reboot_with_the_link_still_up_is_noted, false, true, true, false, false, false)
ROW_TEST(row_010_reboot_is_answered, false, true, false, true, false, false)
ROW_TEST(row_001_other_address_of_a_live_peer_raises_an_alarm, false, false, true, false, false,
	 true)
ROW_TEST(row_000_reboot_with_another_address_is_accepted, false, false, false, true, true, false)

static void
first_request_creates_the_peer(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2), msg;
	const struct dpt_event *event;
	struct dpt_maddr dst;
	struct disc_fx fx;
	uint64_t now_ns;

	now_ns = start(&fx, &cfg);
	disc_fx_rx(&fx, 0, &req, now_ns);
	event = disc_fx_event(&fx, DPT_EVENT_LINK_SETUP);
	CU_NOT_NULL_FATAL(event);
	CU_EQ_U64(event->node.value, req.prevnode.value);
	CU_EQ_MEM(event->id.bytes, req.id.bytes, 16);
	CU_EQ_U64(event->bearer_id, 0);
	CU_EQ_U64(event->value, DPT_CAPS_OWN);
	CU_EQ_U64(event->flags, 0);
	CU_TRUE(dpt_maddr_eq(&event->maddr, &req.maddr));
	CU_TRUE_FATAL(disc_fx_pop(&fx, &msg, &dst));
	CU_EQ_U64(msg.type, DPT_TYPE_DSC_RESP);
	CU_EQ_U64(msg.dest_domain.value, req.prevnode.value);
	CU_TRUE(dpt_maddr_eq(&dst, &req.maddr));
	disc_fx_fini(&fx);
}

static void
response_creates_the_peer_and_is_not_answered(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config resp = disc_msg(DPT_TYPE_DSC_RESP, 2);
	struct disc_fx fx;
	uint64_t now_ns;

	now_ns = start(&fx, &cfg);
	resp.dest_domain = disc_addr(1);
	disc_fx_rx(&fx, 0, &resp, now_ns);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	CU_EQ_U64(fx.out.tx.cnt, 0);
	disc_fx_fini(&fx);
}

static void
third_bearer_gets_an_answer_but_no_link(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct disc_fx fx;
	uint64_t now_ns;

	disc_fx_init(&fx, &cfg);
	for (uint8_t b = 0; b < 3; b++)
		disc_fx_bearer(&fx, b, (uint8_t)(1 + 16 * b), 0);
	now_ns = disc_fx_settle(&fx);
	for (uint8_t b = 0; b < 3; b++) {
		req.maddr = disc_mac((uint8_t)(2 + 16 * b));
		disc_fx_rx(&fx, b, &req, now_ns);
		CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP) != NULL, b < 2);
		CU_EQ_U64(fx.out.tx.cnt, 1);
	}
	CU_EQ_U64(fx.counters.links_max, 1);
	disc_fx_fini(&fx);
}

static void
domain_decides_who_is_heard(void)
{
	static const struct {
		uint32_t dest_domain; /* in the message */
		uint32_t domain;      /* of the bearer */
		bool is_legacy, is_in;
	} cases[] = {
		{0, 0, true, true},
		{0x01001001, 0x01001002, true, true},
		{0x01001000, 0x01001000, true, true},
		{0x01000000, 0x01000000, true, true},
		{0x01002000, 0, true, false},
		{0, 0x01002000, true, false},
		{0, 0x01001003, true, false},
		{0x02010000, 0x01001002, false, true},
		/* Zones and clusters mean nothing on a node without a configured address. */
		{0x02000000, 0, false, false},
		{0, 0x01001000, false, false},
	};

	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
		struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
		struct dpt_maddr mac = disc_mac(1);
		struct dpt_refused_peer refused;
		struct disc_fx fx;

		cu_context("case %u", i);
		if (cases[i].is_legacy)
			cfg.addr = dpt_node_addr(0x01001001);
		disc_fx_init(&fx, &cfg);
		dpt_discovery_bearer_add(fx.disc, 0, &mac, dpt_node_addr(cases[i].domain), 0,
					 &fx.out);
		disc_fx_settle(&fx);
		req.prevnode = dpt_node_addr(0x01001002);
		req.dest_domain = dpt_node_addr(cases[i].dest_domain);
		disc_fx_rx(&fx, 0, &req, 2000 * FX_MS);
		CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP) != NULL, cases[i].is_in);
		CU_EQ_U64(fx.counters.drop_domain, !cases[i].is_in);
		if (!cases[i].is_in) {
			CU_EQ_U64(dpt_discovery_refused(fx.disc, &refused, 1), 1);
			CU_EQ_U64(refused.reason, DPT_REFUSAL_DOMAIN);
		}
		disc_fx_fini(&fx);
	}
}

static void
peer_without_identity_is_known_by_its_address(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct rte_mbuf *m;
	struct disc_fx fx;
	uint64_t now_ns;

	/* 60 octets, no NODE_ID128 (bit 5): 5bf0003c; caps 0xfdf. */
	now_ns = start(&fx, &cfg);
	m = test_buf_hex("5bf0003c 07ef8001 00000000 0100100a"
			 "00001267 00000001 02000000 00090000"
			 "00000000 00000000 00000000 00000000"
			 "00000000 00000000 00000000");
	disc_fx_rx_buf(&fx, 0, m, now_ns);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	CU_EQ_MEM(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP)->id.bytes, "100100a\0\0\0\0\0\0\0\0\0",
		  16);
	CU_EQ_U64(dpt_discovery_cluster_caps(fx.disc), 0x0fdf);
	disc_fx_fini(&fx);
}

static void
cluster_capabilities_are_the_and_of_all(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	const struct dpt_event *event;
	struct disc_fx fx;
	uint64_t now_ns;

	now_ns = start(&fx, &cfg);
	CU_EQ_U64(dpt_discovery_cluster_caps(fx.disc), 0x0fff);
	req.caps = 0x0fff & ~DPT_CAP_NAGLE;
	disc_fx_rx(&fx, 0, &req, now_ns);
	req = disc_msg(DPT_TYPE_DSC_REQ, 3);
	req.caps = 0x0fff & ~DPT_CAP_NAMED_BCAST;
	disc_fx_rx(&fx, 0, &req, now_ns);
	CU_EQ_U64(dpt_discovery_cluster_caps(fx.disc), 0x03ff);
	/* Peer 2 comes back with other software. */
	req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	disc_fx_rx(&fx, 0, &req, now_ns);
	event = disc_fx_event(&fx, DPT_EVENT_CAPS);
	CU_NOT_NULL_FATAL(event);
	CU_EQ_U64(event->node.value, disc_addr(2).value);
	CU_EQ_U64(event->value, 0x0fff);
	CU_EQ_U64(dpt_discovery_cluster_caps(fx.disc), 0x07ff);
	dpt_discovery_peer_del(fx.disc, disc_addr(3));
	CU_EQ_U64(dpt_discovery_cluster_caps(fx.disc), 0x0fff);
	disc_fx_fini(&fx);
}

static void
node_that_returns_with_another_address_is_believed_when_down(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct disc_fx fx;
	uint64_t now_ns;

	now_ns = start(&fx, &cfg);
	disc_fx_rx(&fx, 0, &req, now_ns);
	dpt_discovery_link_up(fx.disc, disc_addr(2), 0);
	req.prevnode = dpt_node_addr(0x4444);
	disc_fx_rx(&fx, 0, &req, now_ns);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_DUPLICATE));
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	dpt_discovery_link_down(fx.disc, disc_addr(2), 0, now_ns);
	disc_fx_rx(&fx, 0, &req, now_ns);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP)->node.value, 0x4444);
	/* The old record is there until the stack forgets it, but not under that identity. */
	dpt_discovery_peer_del(fx.disc, disc_addr(2));
	disc_fx_rx(&fx, 0, &req, now_ns + 125 * FX_MS);
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	CU_EQ_U64(fx.counters.peers_created, 2);
	disc_fx_fini(&fx);
}

static void
address_with_another_identity_is_believed_when_down(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct disc_fx fx;
	uint64_t now_ns;

	now_ns = start(&fx, &cfg);
	disc_fx_rx(&fx, 0, &req, now_ns);
	dpt_discovery_link_up(fx.disc, disc_addr(2), 0);
	req = disc_msg(DPT_TYPE_DSC_REQ, 3);
	req.prevnode = disc_addr(2);
	disc_fx_rx(&fx, 0, &req, now_ns);
	CU_EQ_U64(fx.counters.drop_duplicate, 1);
	dpt_discovery_link_down(fx.disc, disc_addr(2), 0, now_ns);
	disc_fx_rx(&fx, 0, &req, now_ns);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	CU_EQ_MEM(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP)->id.bytes, req.id.bytes, 16);
	CU_EQ_U64(fx.counters.peers_created, 1);
	disc_fx_fini(&fx);
}

/* Create and delete at random, against a plain array: the hash tables lose nobody. */
static void
peer_tables_hold_what_was_put_in(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	bool is_there[64] = {false};
	struct dpt_rng rng;
	struct disc_fx fx;
	uint64_t now_ns;

	cfg.peers_max = 40;
	now_ns = start(&fx, &cfg);
	dpt_rng_seed(&rng, cu_seed());
	for (uint32_t step = 0; step < 20000; step++) {
		uint8_t no = (uint8_t)dpt_rng_below(&rng, 64);
		struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, (uint8_t)(no + 100));
		uint32_t cnt = 0;

		now_ns += 125 * FX_MS;
		for (uint32_t i = 0; i < 64; i++)
			cnt += is_there[i];
		if (dpt_rng_below(&rng, 2) == 0) {
			dpt_discovery_peer_del(fx.disc, req.prevnode);
			is_there[no] = false;
			continue;
		}
		disc_fx_rx(&fx, 0, &req, now_ns);
		/* A link is set up exactly for those that were not there and had room. */
		CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP) != NULL,
			  !is_there[no] && cnt < 40);
		is_there[no] = is_there[no] || cnt < 40;
	}
	disc_fx_fini(&fx);
}

static void
a_thousand_nodes_that_start_at_once_are_all_answered(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	uint32_t setups = 0;
	struct disc_fx fx;
	uint64_t now_ns;

	cfg.peers_max = 1024;
	now_ns = start(&fx, &cfg);
	for (uint32_t round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < 1000; i++) {
			struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

			req.prevnode = dpt_node_addr(0x10000 + i);
			req.maddr.bytes[3] = req.id.bytes[3] = (uint8_t)(i >> 8);
			req.maddr.bytes[4] = req.id.bytes[4] = (uint8_t)i;
			disc_fx_rx(&fx, 0, &req, now_ns);
			setups += disc_fx_event(&fx, DPT_EVENT_LINK_SETUP) != NULL;
		}
		now_ns += (125 << round) * FX_MS;
	}
	CU_EQ_U64(setups, 1000);
	CU_EQ_U64(fx.counters.tx_resp, 4000);
	CU_EQ_U64(fx.counters.tx_limited, 0);
	disc_fx_fini(&fx);
}

static void
refused_list_keeps_the_newest_last(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_refused_peer list[40];
	struct disc_fx fx;
	uint64_t now_ns;

	now_ns = start(&fx, &cfg);
	for (uint8_t no = 0; no < 40; no++) {
		struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, (uint8_t)(no + 10));

		req.net_id = 4712;
		disc_fx_rx(&fx, 0, &req, now_ns + no);
		disc_fx_rx(&fx, 0, &req, now_ns + no);
	}
	CU_EQ_U64_FATAL(dpt_discovery_refused(fx.disc, list, 40), 32);
	for (uint32_t i = 0; i < 32; i++) {
		CU_EQ_U64(list[i].addr.value, disc_addr((uint8_t)(i + 18)).value);
		CU_EQ_U64(list[i].reason, DPT_REFUSAL_NET_ID);
		CU_EQ_U64(list[i].net_id, 4712);
		CU_EQ_U64(list[i].cnt, 2);
		CU_EQ_U64(list[i].last_ns, now_ns + i + 8);
	}
	CU_EQ_U64_FATAL(dpt_discovery_refused(fx.disc, list, 2), 2);
	CU_EQ_U64(list[0].addr.value, disc_addr(48).value);
	CU_EQ_U64(list[1].addr.value, disc_addr(49).value);
	disc_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(row_111_normal_repetition_is_ignored),
	CU_TEST(row_110_link_on_its_way_up_is_answered),
	CU_TEST(row_101_clone_of_a_live_peer_raises_an_alarm),
	CU_TEST(row_100_changed_interface_is_accepted),
	CU_TEST(row_011_reboot_with_the_link_still_up_is_noted),
	CU_TEST(row_010_reboot_is_answered),
	CU_TEST(row_001_other_address_of_a_live_peer_raises_an_alarm),
	CU_TEST(row_000_reboot_with_another_address_is_accepted),
	CU_TEST(first_request_creates_the_peer),
	CU_TEST(response_creates_the_peer_and_is_not_answered),
	CU_TEST(third_bearer_gets_an_answer_but_no_link),
	CU_TEST(domain_decides_who_is_heard),
	CU_TEST(peer_without_identity_is_known_by_its_address),
	CU_TEST(cluster_capabilities_are_the_and_of_all),
	CU_TEST(node_that_returns_with_another_address_is_believed_when_down),
	CU_TEST(address_with_another_identity_is_believed_when_down),
	CU_TEST(peer_tables_hold_what_was_put_in),
	CU_TEST(a_thousand_nodes_that_start_at_once_are_all_answered),
	CU_TEST(refused_list_keeps_the_newest_last),
};

const struct cu_suite disc_suite_peers = CU_TEST_SUITE("peers", tests);
