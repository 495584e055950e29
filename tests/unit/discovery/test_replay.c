/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel nodes on the wire, from captures: our node stands in for the first one, hears
 * what the others sent, and must answer octet by octet as the kernel did.
 */
#include "disc_fx.h"
#include "pcap_read.h"

static const uint8_t mac_first[6] = {0x02, 0x4b, 0, 0, 0x01, 0x01};

/* w13, peer_net_hash, is a secret of that kernel; we send 0. Octets 52 to 55. */
static void
check_answer(struct disc_fx *fx, const struct pcap_frame *want)
{
	struct rte_mbuf *m = dpt_bufq_pop(&fx->out.tx);

	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_buf_bytes(m), 76);
	CU_EQ_MEM(dpt_buf_hdr(m), want->msg, 52);
	CU_EQ_MEM(dpt_buf_hdr(m) + 56, want->msg + 56, 20);
	CU_EQ_MEM(dpt_buf(m)->dst.bytes, want->dst, 6);
	rte_pktmbuf_free(m);
}

/*
 * Feed the LINK_CONFIG frames of the others; compare our answers with the answers_cnt
 * first unicast frames that the first node sent. setups: links that came of it.
 */
static void
replay(const char *name, const struct dpt_discovery_cfg *cfg, uint32_t answers_cnt,
       struct disc_fx *fx, uint32_t *setups)
{
	struct dpt_maddr mac = dpt_maddr_eth(mac_first);
	FILE *heard = pcap_open(name), *said = pcap_open(name);
	uint64_t start_ns = 0, base_ns;
	struct pcap_frame frame, want;
	uint32_t answered = 0;

	*setups = 0;
	CU_NOT_NULL_FATAL(heard);
	CU_NOT_NULL_FATAL(said);
	disc_fx_init(fx, cfg);
	dpt_discovery_bearer_add(fx->disc, 0, &mac, dpt_node_addr(0), 0, &fx->out);
	base_ns = disc_fx_settle(fx);
	while (answered < answers_cnt && pcap_next(heard, &frame)) {
		if (dpt_msg_user(frame.msg) != DPT_USER_LINK_CONFIG ||
		    memcmp(frame.src, mac_first, 6) == 0)
			continue;
		if (start_ns == 0)
			start_ns = frame.time_ns;
		disc_fx_rx_buf(fx, 0, test_buf(frame.msg, frame.bytes),
			       base_ns + frame.time_ns - start_ns);
		*setups += disc_fx_event(fx, DPT_EVENT_LINK_SETUP) != NULL;
		if (fx->out.tx.cnt == 0)
			continue;
		do
			CU_TRUE_FATAL(pcap_next(said, &want));
		while (dpt_msg_user(want.msg) != DPT_USER_LINK_CONFIG || want.dst[0] == 0xff ||
		       memcmp(want.src, mac_first, 6) != 0);
		check_answer(fx, &want);
		answered++;
	}
	CU_EQ_U64(answered, answers_cnt);
	fclose(heard);
	fclose(said);
}

static void
trial_conflict_is_answered_as_the_kernel_does(void)
{
	/* TRIAL_FAIL with the suggestion, then RESPs to the address that was taken. */
	struct dpt_discovery_cfg cfg = disc_fx_cfg(0x3225aa9e);
	struct disc_fx fx;
	uint32_t setups;

	memcpy(cfg.id.bytes, "abcdEFGH", 8);
	replay("discovery-trial-conflict.pcap", &cfg, 3, &fx, &setups);
	CU_EQ_U64(setups, 1);
	CU_EQ_U64(fx.counters.tx_trial_fail, 1);
	disc_fx_fini(&fx);
}

static void
configured_addresses_are_answered_as_the_kernel_does(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(0x0856da93);
	struct disc_fx fx;
	uint32_t setups;

	cfg.addr = dpt_node_addr(0x01001001);
	replay("discovery-set-address.pcap", &cfg, 2, &fx, &setups);
	CU_EQ_U64(setups, 1);
	disc_fx_fini(&fx);
}

static void
derived_identities_are_answered_as_the_kernel_does(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(0x0ea2c9c8);
	struct disc_fx fx;
	uint32_t setups;

	replay("discovery-trial.pcap", &cfg, 2, &fx, &setups);
	CU_EQ_U64(setups, 1);
	CU_EQ_U64(dpt_discovery_addr(fx.disc).value, 0x034a0000);
	disc_fx_fini(&fx);
}

static void
strangers_with_another_net_id_are_refused(void)
{
	struct dpt_discovery_cfg cfg = disc_fx_cfg(0xbef00965);
	struct dpt_refused_peer refused;
	struct disc_fx fx;
	uint32_t setups;

	memcpy(cfg.id.bytes, "node-one", 8);
	cfg.net_id = 1234;
	replay("discovery-identity.pcap", &cfg, 2, &fx, &setups);
	CU_EQ_U64(setups, 1);
	CU_TRUE(fx.counters.drop_net_id > 0);
	CU_EQ_U64(dpt_discovery_refused(fx.disc, &refused, 1), 1);
	CU_EQ_U64(refused.net_id, 4711);
	CU_EQ_MEM(refused.id.bytes, "stranger", 8);
	disc_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(trial_conflict_is_answered_as_the_kernel_does),
	CU_TEST(configured_addresses_are_answered_as_the_kernel_does),
	CU_TEST(derived_identities_are_answered_as_the_kernel_does),
	CU_TEST(strangers_with_another_net_id_are_refused),
};

const struct cu_suite disc_suite_replay = CU_TEST_SUITE("replay", tests);
