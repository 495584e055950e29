/* SPDX-License-Identifier: BSD-3-Clause */
/* Each line of 02-discovery.md, 10: what a hostile or broken sender can do, and cannot. */
#include "disc_fx.h"

#include <stddef.h>

static struct disc_fx fx;
static uint64_t now_ns;

static void
start(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(0x1a2b);

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	now_ns = disc_fx_settle(&fx);
}

/* The message is dropped under that counter and has no other effect. */
static void
check_dropped(struct rte_mbuf *m, const uint64_t *counter)
{
	uint64_t before = *counter;

	disc_fx_rx_buf(&fx, 0, m, now_ns);
	CU_EQ_U64(*counter, before + 1);
	CU_EQ_U64(fx.out.tx.cnt, 0);
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
}

static void
check_msg_dropped(const struct dpt_link_config *msg, const uint64_t *counter)
{
	struct rte_mbuf *m = dpt_link_config_build(msg, test_pool());

	CU_NOT_NULL_FATAL(m);
	check_dropped(m, counter);
}

/* A REQ of peer 2 with its header words patched. */
static struct rte_mbuf *
patched(unsigned int word, uint32_t value)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct rte_mbuf *m = dpt_link_config_build(&req, test_pool());

	CU_NOT_NULL_FATAL(m);
	dpt_msg_set_word(dpt_buf_hdr(m), word, value);
	return m;
}

static void
hazard_02_1_identity_beyond_the_message(void)
{
	struct rte_mbuf *m;

	start();
	m = patched(0, 0x5bf0003c);
	rte_pktmbuf_trim(m, 16);
	check_dropped(m, &fx.counters.drop_malformed);
	disc_fx_fini(&fx);
}

static void
hazard_02_2_short_header(void)
{
	start();
	check_dropped(patched(0, 0x5b50004c), &fx.counters.drop_malformed);
	disc_fx_fini(&fx);
}

static void
hazard_02_3_unknown_type(void)
{
	start();
	for (uint32_t type = 4; type < 8; type++)
		check_dropped(patched(1, type << 29 | 0x07ff8002), &fx.counters.drop_malformed);
	disc_fx_fini(&fx);
}

static void
hazard_02_4_own_address_used_by_another(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	const struct dpt_event *event;

	start();
	req.prevnode = disc_addr(1);
	check_msg_dropped(&req, &fx.counters.drop_own_addr);
	event = disc_fx_event(&fx, DPT_EVENT_DUPLICATE);
	CU_NOT_NULL_FATAL(event);
	CU_EQ_U64(event->node.value, disc_addr(1).value);
	CU_TRUE(dpt_maddr_eq(&event->maddr, &req.maddr));
	/* Rate limited: repeated, no second alarm before 10 s. */
	check_msg_dropped(&req, &fx.counters.drop_own_addr);
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_DUPLICATE));
	now_ns += 10 * DPT_NS_PER_S;
	check_msg_dropped(&req, &fx.counters.drop_own_addr);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_DUPLICATE));
	disc_fx_fini(&fx);
}

static void
hazard_02_4_address_zero(void)
{
	start();
	check_dropped(patched(3, 0), &fx.counters.drop_malformed);
	disc_fx_fini(&fx);
}

static void
hazard_02_5_identity_of_zeros(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	start();
	memset(&req.id, 0, sizeof(req.id));
	check_msg_dropped(&req, &fx.counters.drop_malformed);
	disc_fx_fini(&fx);
}

static void
hazard_02_6_own_identity(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 1);

	start();
	req.maddr = disc_mac(17);
	check_msg_dropped(&req, &fx.counters.drop_own);
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_DUPLICATE));
	/* With another address it is a clone. */
	req.prevnode = disc_addr(2);
	check_msg_dropped(&req, &fx.counters.drop_own);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_DUPLICATE));
	disc_fx_fini(&fx);
}

static void
hazard_02_7_media_address(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	start();
	check_dropped(patched(6, 0xffffffff), &fx.counters.drop_malformed);
	check_dropped(patched(6, 0x01005e00), &fx.counters.drop_malformed);
	check_dropped(patched(5, 3), &fx.counters.drop_malformed);
	memset(req.maddr.bytes, 0, sizeof(req.maddr.bytes));
	check_msg_dropped(&req, &fx.counters.drop_malformed);
	req.maddr = disc_mac(1);
	check_msg_dropped(&req, &fx.counters.drop_own);
	disc_fx_fini(&fx);
}

static void
hazard_02_8_suggestions(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config fail = disc_msg(DPT_TYPE_DSC_TRIAL_FAIL, 2);

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	now_ns = 10 * FX_MS;
	fail.dest_domain = disc_addr(1);
	check_msg_dropped(&fail, &fx.counters.drop_suggestion);
	fail.suggested = disc_addr(1);
	check_msg_dropped(&fail, &fx.counters.drop_suggestion);
	CU_EQ_U64(fx.counters.trial_restarts, 0);
	disc_fx_fini(&fx);
}

static void
hazard_02_8_trial_for_ever(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config fail = disc_msg(DPT_TYPE_DSC_TRIAL_FAIL, 2);
	const struct dpt_event *event = NULL;
	uint32_t cnt;

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	fail.dest_domain = disc_addr(1);
	for (cnt = 0; cnt < 100 && event == NULL; cnt++) {
		fail.suggested = dpt_node_addr(0x5000 + cnt);
		now_ns = (cnt + 1) * 125 * FX_MS;
		disc_fx_rx(&fx, 0, &fail, now_ns);
		event = disc_fx_event(&fx, DPT_EVENT_DUPLICATE);
		fail.dest_domain = fail.suggested;
	}
	CU_EQ_U64(cnt, 65);
	CU_EQ_U64(fx.counters.trial_given_up, 1);
	CU_NOT_NULL_FATAL(event);
	CU_EQ_I64(event->result, -EADDRNOTAVAIL);
	/* Silent for a minute, then a fresh attempt with the address of its identity. */
	CU_EQ_U64(dpt_discovery_deadline_ns(fx.disc), now_ns + 60 * DPT_NS_PER_S);
	disc_fx_rx(&fx, 0, &fail, now_ns + 1);
	CU_EQ_U64(fx.counters.drop_in_trial, 1);
	disc_fx_settle(&fx);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, disc_addr(1).value);
	disc_fx_fini(&fx);
}

static void
hazard_02_9_forged_trial_fail(void)
{
	struct dpt_link_config fail = disc_msg(DPT_TYPE_DSC_TRIAL_FAIL, 2);

	start();
	/* The address is final. */
	fail.dest_domain = disc_addr(1);
	fail.suggested = dpt_node_addr(0x3333);
	check_msg_dropped(&fail, &fx.counters.drop_trial_fail);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, disc_addr(1).value);
	disc_fx_fini(&fx);
}

static void
hazard_02_9_trial_fail_for_another(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	struct dpt_link_config fail = disc_msg(DPT_TYPE_DSC_TRIAL_FAIL, 2);

	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	fail.dest_domain = disc_addr(3);
	fail.suggested = dpt_node_addr(0x3333);
	check_msg_dropped(&fail, &fx.counters.drop_trial_fail);
	disc_fx_settle(&fx);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, disc_addr(1).value);
	disc_fx_fini(&fx);
}

/* REQ number i of a flood with invented senders. */
static struct dpt_link_config
flood(uint32_t i)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	req.prevnode = dpt_node_addr(0x30000000 + i);
	memcpy(req.id.bytes + 8, &i, sizeof(i));
	memcpy(req.maddr.bytes + 1, &i, sizeof(i));
	return req;
}

static void
hazard_02_10_flood_of_new_peers(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(1);
	uint32_t setups = 0, events = 0;

	/* The rate is limited ... */
	cfg.peers_max = 5000;
	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	now_ns = disc_fx_settle(&fx);
	for (uint32_t i = 0; i < 3000; i++) {
		struct dpt_link_config req = flood(i);

		disc_fx_rx(&fx, 0, &req, now_ns);
		setups += disc_fx_event(&fx, DPT_EVENT_LINK_SETUP) != NULL;
		events += disc_fx_event(&fx, DPT_EVENT_REFUSED) != NULL;
	}
	CU_EQ_U64(setups, 1024);
	CU_EQ_U64(fx.counters.drop_create_rate, 3000 - 1024);
	CU_EQ_U64(events, 16);
	disc_fx_fini(&fx);
	/* ... and so is the number. */
	cfg.peers_max = 10;
	disc_fx_init(&fx, &cfg);
	disc_fx_bearer(&fx, 0, 1, 0);
	now_ns = disc_fx_settle(&fx);
	for (uint32_t i = 0; i < 15; i++) {
		struct dpt_link_config req = flood(i);

		disc_fx_rx(&fx, 0, &req, now_ns);
	}
	CU_EQ_U64(fx.counters.drop_table_full, 5);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_REFUSED));
	disc_fx_fini(&fx);
}

static void
hazard_02_11_answers_as_reflection(void)
{
	struct dpt_link_config trial = disc_msg(DPT_TYPE_DSC_TRIAL, 2);
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	/* One victim: an answer per 62.5 ms. */
	start();
	for (uint32_t i = 0; i < 100; i++)
		disc_fx_rx(&fx, 0, &req, now_ns + i * FX_MS);
	CU_EQ_U64(fx.counters.tx_resp, 2);
	CU_EQ_U64(fx.counters.tx_limited, 98);
	/* Many victims: what the bearer may answer. */
	trial.prevnode = disc_addr(1);
	for (uint32_t i = 0; i < 10000; i++) {
		memcpy(trial.maddr.bytes + 1, &i, sizeof(i));
		disc_fx_rx(&fx, 0, &trial, now_ns + 100 * FX_MS);
	}
	CU_TRUE(fx.counters.tx_trial_fail <= 4096);
	CU_TRUE(fx.counters.tx_trial_fail >= 4000);
	disc_fx_fini(&fx);
}

static void
hazard_02_12_other_media_address_while_up(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	start();
	disc_fx_rx(&fx, 0, &req, now_ns);
	dpt_discovery_link_up(fx.disc, disc_addr(2), 0);
	req.maddr = disc_mac(66);
	req.caps = 0x0007 | DPT_CAP_NODE_ID128;
	check_msg_dropped(&req, &fx.counters.drop_duplicate);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_DUPLICATE));
	/* Nor do its capabilities count. */
	CU_IS_NULL(disc_fx_event(&fx, DPT_EVENT_CAPS));
	CU_EQ_U64(dpt_discovery_cluster_caps(fx.disc), DPT_CAPS_OWN);
	disc_fx_fini(&fx);
}

static void
hazard_02_13_other_media_address_while_down(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	start();
	disc_fx_rx(&fx, 0, &req, now_ns);
	req.maddr = disc_mac(66);
	disc_fx_rx(&fx, 0, &req, now_ns);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	CU_TRUE(dpt_maddr_eq(&disc_fx_event(&fx, DPT_EVENT_LINK_SETUP)->maddr, &req.maddr));
	disc_fx_fini(&fx);
}

static void
hazard_02_14_capabilities_change_while_up(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	/* One event with the new value; the link is not touched. */
	start();
	disc_fx_rx(&fx, 0, &req, now_ns);
	dpt_discovery_link_up(fx.disc, disc_addr(2), 0);
	req.caps = 0x0fff & ~DPT_CAP_GAP_ACK_BLOCK;
	disc_fx_rx(&fx, 0, &req, now_ns);
	CU_EQ_U64(fx.out.events_cnt, 1);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_CAPS));
	CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_CAPS)->value, req.caps);
	disc_fx_fini(&fx);
}

static void
hazard_02_17_other_cluster(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	start();
	req.net_id = 4712;
	check_msg_dropped(&req, &fx.counters.drop_net_id);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_REFUSED));
	CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_REFUSED)->reason, DPT_REFUSAL_NET_ID);
	req.type = DPT_TYPE_DSC_TRIAL;
	req.prevnode = disc_addr(1);
	check_msg_dropped(&req, &fx.counters.drop_net_id);
	disc_fx_fini(&fx);
}

/* A host on the network of bearer 1, which is UDP over IPv4. */
static struct dpt_maddr
udp(uint8_t host)
{
	return (struct dpt_maddr){.media = DPT_MEDIA_UDP,
				  .proto = DPT_MADDR_PROTO_IPV4,
				  .udp_port = 6118,
				  .bytes = {10, 0, 0, host}};
}

/*
 * No list of remotes is kept, so none can be filled: whatever was heard, the next request
 * goes out once, to the bearer. Senders of another cluster or protocol leave no trace.
 */
static void
hazard_02_15_replicast_learning(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	struct dpt_maddr own = udp(1), dst;
	struct dpt_link_config sent;
	uint64_t bad_cnt;

	start();
	dpt_bufq_free(&fx.out.tx);
	CU_EQ_I64(dpt_discovery_bearer_add(fx.disc, 1, &own, dpt_node_addr(0), now_ns, &fx.out), 0);
	for (uint8_t host = 2; host < 200; host++) {
		req = disc_msg(DPT_TYPE_DSC_REQ, host);
		req.maddr = udp(host);
		req.net_id = host < 50 ? FX_NET_ID : FX_NET_ID + 1;
		disc_fx_rx(&fx, 1, &req, now_ns);
		CU_TRUE(fx.out.tx.cnt <= 1);
	}
	CU_EQ_U64(fx.counters.peers_created, 48);
	CU_EQ_U64(fx.counters.drop_net_id, 150);
	/* IPv6 on an IPv4 bearer, an Ethernet address on UDP: 02-discovery.md, 6. */
	bad_cnt = fx.counters.drop_malformed;
	req.net_id = FX_NET_ID;
	req.maddr = (struct dpt_maddr){.media = DPT_MEDIA_UDP,
				       .proto = DPT_MADDR_PROTO_IPV6,
				       .udp_port = 6118,
				       .bytes = {0x20, 1, 0xd, 0xb8, [15] = 9}};
	disc_fx_rx(&fx, 1, &req, now_ns);
	req.maddr = disc_mac(9);
	disc_fx_rx(&fx, 1, &req, now_ns);
	CU_EQ_U64(fx.counters.drop_malformed, bad_cnt + 2);
	CU_EQ_U64(fx.counters.peers_created, 48);
	/* The request of bearer 1; that of bearer 0 may be due as well. */
	now_ns += 2 * DPT_NS_PER_S;
	disc_fx_timeout(&fx, now_ns);
	CU_TRUE(fx.out.tx.cnt == 1 || fx.out.tx.cnt == 2);
	while (disc_fx_pop(&fx, &sent, &dst))
		CU_TRUE(dst.is_bcast);
	disc_fx_fini(&fx);
}

/* What control prints of a peer: digits, letters and ".:_-@" only, whatever it calls itself. */
static void
hazard_02_16_identity_of_control_characters(void)
{
	static const uint8_t hostile[16] = "\x1b[2J%n%s\r\n<&;'";
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);
	const struct dpt_event *event;
	char text[512];

	start();
	memcpy(req.id.bytes, hostile, sizeof(hostile));
	disc_fx_rx(&fx, 0, &req, now_ns);
	event = disc_fx_event(&fx, DPT_EVENT_LINK_SETUP);
	CU_NOT_NULL_FATAL(event);
	dpt_node_id_print(&event->id, text);
	CU_EQ_STR(text, "1b5b324a256e25730d0a3c263b27");
	CU_TRUE(dpt_discovery_print(fx.disc, text, sizeof(text)) > 0);
	for (const char *c = text; *c != '\0'; c++)
		CU_TRUE(*c >= ' ' && *c < 0x7f);
	disc_fx_fini(&fx);
}

/* Each domain is compared, whole, with the own address; none makes a record or an answer. */
static void
hazard_02_18_many_domains(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	start();
	for (uint32_t bit = 0; bit < 32; bit++) {
		req.dest_domain = dpt_node_addr(disc_addr(1).value ^ UINT32_C(1) << bit);
		cu_context("domain %x", req.dest_domain.value);
		check_msg_dropped(&req, &fx.counters.drop_domain);
	}
	CU_EQ_U64(fx.counters.peers_created, 0);
	req.dest_domain = disc_addr(1);
	disc_fx_rx(&fx, 0, &req, now_ns);
	CU_NOT_NULL(disc_fx_event(&fx, DPT_EVENT_LINK_SETUP));
	disc_fx_fini(&fx);
}

static void
peer_without_broadcast_capabilities_is_refused(void)
{
	struct dpt_link_config req = disc_msg(DPT_TYPE_DSC_REQ, 2);

	start();
	req.caps = 0x0fff & ~DPT_CAP_BCAST_STATE_NACK;
	check_msg_dropped(&req, &fx.counters.drop_caps);
	CU_NOT_NULL_FATAL(disc_fx_event(&fx, DPT_EVENT_REFUSED));
	CU_EQ_U64(disc_fx_event(&fx, DPT_EVENT_REFUSED)->reason, DPT_REFUSAL_CAPS);
	req.caps = 0x0fff & ~DPT_CAP_BCAST_SYNCH;
	check_msg_dropped(&req, &fx.counters.drop_caps);
	disc_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_02_1_identity_beyond_the_message),
	CU_TEST(hazard_02_2_short_header),
	CU_TEST(hazard_02_3_unknown_type),
	CU_TEST(hazard_02_4_own_address_used_by_another),
	CU_TEST(hazard_02_4_address_zero),
	CU_TEST(hazard_02_5_identity_of_zeros),
	CU_TEST(hazard_02_6_own_identity),
	CU_TEST(hazard_02_7_media_address),
	CU_TEST(hazard_02_8_suggestions),
	CU_TEST(hazard_02_8_trial_for_ever),
	CU_TEST(hazard_02_9_forged_trial_fail),
	CU_TEST(hazard_02_9_trial_fail_for_another),
	CU_TEST(hazard_02_10_flood_of_new_peers),
	CU_TEST(hazard_02_11_answers_as_reflection),
	CU_TEST(hazard_02_12_other_media_address_while_up),
	CU_TEST(hazard_02_13_other_media_address_while_down),
	CU_TEST(hazard_02_14_capabilities_change_while_up),
	CU_TEST(hazard_02_15_replicast_learning),
	CU_TEST(hazard_02_16_identity_of_control_characters),
	CU_TEST(hazard_02_17_other_cluster),
	CU_TEST(hazard_02_18_many_domains),
	CU_TEST(peer_without_broadcast_capabilities_is_refused),
};

const struct cu_suite disc_suite_hazards = CU_TEST_SUITE("hazards", tests);
