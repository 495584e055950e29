/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the statistics of a link count, as a tool shows them: 11-management.md, C5. Sampling:
 * test_timer.c. And its name.
 */
#include <string.h>

#include "link_rig.h"

static void
reset_clears_the_link_and_not_the_sums(void)
{
	static const struct dpt_link_counters none;
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, 0, 3);
	rig_rx(&rig, 1, 2);
	CU_EQ_U64(rig.link->counters.sent_pkts, 3);
	dpt_link_stats_reset(rig.link);
	CU_EQ_MEM(&rig.link->counters, &none, sizeof(none));
	CU_EQ_U64(rig.sums.sent_pkts, 3);
	CU_EQ_U64(rig.sums.recv_pkts, 1);
	/* Both go on. */
	rig_send(&rig, 0, 1);
	CU_EQ_U64(rig.link->counters.sent_pkts, 1);
	CU_EQ_U64(rig.sums.sent_pkts, 4);
	rig_end(&rig);
}

/* A packet that was set aside once and comes again is a duplicate. */
static void
deferred_and_duplicate_packets_are_told_apart(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_rx(&rig, 5, 0);
	rig_rx(&rig, 6, 0);
	rig_rx(&rig, 5, 0);
	CU_EQ_U64(rig.link->counters.deferred_recv, 2);
	CU_EQ_U64(rig.link->counters.duplicates, 1);
	/* Outside the window. */
	rig_rx(&rig, 0, 0);
	CU_EQ_U64(rig.link->counters.deferred_recv, 2);
	CU_EQ_U64(rig.link->counters.duplicates, 2);
	rig_end(&rig);
}

static void
gaps_are_counted_on_both_ways(void)
{
	struct rig rig;

	rig_init_up(&rig);
	for (uint16_t seq = 3; seq <= 5; seq++)
		rig_rx(&rig, seq, 0);
	CU_EQ_U64(rig.link->counters.sent_nacks, 1);
	CU_EQ_U64(rig.link->counters.sent_states, 1);
	CU_EQ_U64(rig.link->counters.sent_acks, 0);
	rig_send(&rig, 0, 2);
	rig_rx_state(&rig, 0, 1, NULL);
	rig_rx_state(&rig, 2, 0, NULL);
	CU_EQ_U64(rig.link->counters.recv_nacks, 1);
	CU_EQ_U64(rig.link->counters.recv_states, 2);
	rig_end(&rig);
}

/* Src: 11-management.md, C1: what is shown is what the link may send at the moment. */
static void
window_shown_is_the_present_one(void)
{
	struct dpt_link_info info;
	struct rig rig;

	rig_init_up(&rig);
	dpt_link_info_get(rig.link, &info);
	CU_EQ_U64(info.window, 50);
	rig.link->window = 77;
	dpt_link_info_get(rig.link, &info);
	CU_EQ_U64(info.window, 77);
	rig_end(&rig);
}

/* What a peer calls its interface goes into a name that terminals show. */
static void
hazard_11_11_names_from_peers_are_made_safe(void)
{
	static const struct {
		char said[17];
		const char *shown;
	} rows[] = {
		{"eth1", "eth1"},
		{"0123456789abcdef", "0123456789abcde"}, /* no NUL in its 16 octets */
		{"\x1b[2J\x07", "_[2J_"},
		{"a b\tc\nd", "a_b_c_d"},
		{"\xc3\xa4\x80\xff", "____"},
		{"a:b-c:d", "a_b-c_d"},
		{"", ""},
	};
	struct dpt_link_info info;
	struct rig rig;

	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		struct rte_mbuf *m;
		char name[64];

		cu_context("row %u", i);
		rig_init(&rig);
		dpt_link_info_get(rig.link, &info);
		CU_EQ_STR(info.name, "2010000:eth0-2020000:unknown");
		m = rig_proto(DPT_TYPE_RESET, rows[i].said, 16);
		dpt_msg_set_max_pkt(dpt_buf_hdr(m), 1500 / 4);
		rig_rx_proto(&rig, m);
		dpt_link_info_get(rig.link, &info);
		snprintf(name, sizeof(name), "2010000:eth0-2020000:%s", rows[i].shown);
		CU_EQ_STR(info.name, name);
		CU_TRUE(strlen(info.name) < DPT_LINK_NAME_BYTES);
		rig_end(&rig);
	}
}

static const struct cu_test tests[] = {
	CU_TEST(reset_clears_the_link_and_not_the_sums),
	CU_TEST(deferred_and_duplicate_packets_are_told_apart),
	CU_TEST(gaps_are_counted_on_both_ways),
	CU_TEST(window_shown_is_the_present_one),
	CU_TEST(hazard_11_11_names_from_peers_are_made_safe),
};

const struct cu_suite link_stats_suite = CU_TEST_SUITE("stats", tests);
