/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One suite that every bearer driver passes: a wire with two or three ends, frames in at one
 * and out at another. Each test ends with all buffers back in their pool.
 */
#include <errno.h>
#include <string.h>

#include "bearer_test.h"
#include "dpt_buf.h"
#include "eth/eth_rule.h"
#include "test_pool.h"

/* Polls of both ends before a frame is given up. A poll takes microseconds. */
#define POLLS_MAX 200000

static void
send_to(struct wire *wire, uint32_t from, struct rte_mbuf *m, const struct dpt_maddr *dst)
{
	dpt_buf(m)->dst = *dst;
	wire->ends[from]->ops->tx_burst(wire->ends[from], 0, &m, 1);
}

/* A message of len octets that tell their place. */
static struct rte_mbuf *
message(uint32_t len, uint8_t seed)
{
	struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), len);

	CU_NOT_NULL_FATAL(m);
	for (uint32_t i = 0; i < len; i++)
		dpt_buf_write(m, i, &(uint8_t){(uint8_t)(seed + i)}, 1);
	return m;
}

/* The next message at an end; the sender is polled too, it may have a backlog. */
static struct rte_mbuf *
receive(struct wire *wire, uint32_t from, uint32_t at)
{
	struct rte_mbuf *m = NULL, *other;

	for (int i = 0; i < POLLS_MAX; i++) {
		if (wire->ends[at]->ops->rx_burst(wire->ends[at], 0, &m, 1) == 1)
			return m;
		if (wire->ends[from]->ops->rx_burst(wire->ends[from], 0, &other, 1) == 1)
			rte_pktmbuf_free(other);
	}
	return NULL;
}

/* Receive a message and compare it with message(len, seed). */
static void
expect(struct wire *wire, uint32_t from, uint32_t at, uint32_t len, uint8_t seed)
{
	struct rte_mbuf *m = receive(wire, from, at);
	uint32_t wrong_cnt = 0;

	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_buf_bytes(m), len);
	CU_EQ_U64(dpt_buf(m)->l2_bytes, 0);
	CU_IS_NULL(dpt_buf(m)->next);
	for (uint32_t i = 0; i < len && i < dpt_buf_bytes(m); i++) {
		uint8_t octet;

		dpt_buf_read(m, i, &octet, 1);
		wrong_cnt += octet != (uint8_t)(seed + i);
	}
	CU_EQ_U64(wrong_cnt, 0);
	rte_pktmbuf_free(m);
}

static void
frame_in_is_frame_out_up_to_the_mtu(const char *media)
{
	struct wire wire;

	wire_open(&wire, media);
	uint32_t lens[] = {24, 60, 576, 1000, wire.info[0].mtu};

	for (uint32_t i = 0; i < CU_CNT(lens); i++) {
		cu_context("%s, %u octets", media, lens[i]);
		send_to(&wire, 0, message(lens[i], (uint8_t)i), &wire.info[1].maddr);
		expect(&wire, 0, 1, lens[i], (uint8_t)i);
		send_to(&wire, 1, message(lens[i], 7), &wire.info[0].maddr);
		expect(&wire, 1, 0, lens[i], 7);
	}
	CU_EQ_U64(wire_counter(&wire, 0, "tx_frames"), CU_CNT(lens));
	CU_EQ_U64(wire_counter(&wire, 0, "rx_frames"), CU_CNT(lens));
	wire_close(&wire);
}

static void
broadcast_reaches_every_other_end(const char *media)
{
	struct dpt_maddr everybody = dpt_maddr_bcast(DPT_MEDIA_ETH);
	struct wire wire;

	wire_open(&wire, media);
	CU_TRUE(wire.info[0].has_bcast);
	send_to(&wire, 0, message(100, 3), &everybody);
	for (uint32_t at = 1; at < wire.ends_cnt; at++)
		expect(&wire, 0, at, 100, 3);
	wire_close(&wire);
}

/* Send a frame whose header is ours to choose: one that has its L2 header goes as it is. */
static void
send_raw(struct wire *wire, const uint8_t dst[6], uint16_t ethertype)
{
	struct rte_mbuf *m = message(60, 9);
	uint8_t *hdr;

	CU_NOT_NULL_FATAL(rte_pktmbuf_prepend(m, 14));
	hdr = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(hdr, dst, 6);
	memcpy(hdr + 6, wire->info[0].maddr.bytes, 6);
	hdr[12] = (uint8_t)(ethertype >> 8);
	hdr[13] = (uint8_t)ethertype;
	dpt_buf(m)->l2_bytes = 14;
	send_to(wire, 0, m, &wire->info[1].maddr);
}

static void
foreign_frame_is_dropped_and_counted(const char *media)
{
	static const uint8_t stranger[6] = {0x02, 0xff, 0, 0, 0, 0x99};
	struct wire wire;

	wire_open(&wire, media);
	send_raw(&wire, stranger, 0x88ca);
	send_raw(&wire, wire.info[1].maddr.bytes, 0x0800);
	/* Behind them one that is good: what came before has been seen then. */
	send_to(&wire, 0, message(60, 1), &wire.info[1].maddr);
	expect(&wire, 0, 1, 60, 1);
	CU_EQ_U64(wire_counter(&wire, 1, "drop_rx_other_host"), 1);
	CU_EQ_U64(wire_counter(&wire, 1, "drop_rx_not_tipc"), 1);
	CU_EQ_U64(wire_counter(&wire, 1, "rx_frames"), 1);
	wire_close(&wire);
}

static void
buffer_is_sent_again_with_the_header_it_has(const char *media)
{
	struct wire wire;
	struct rte_mbuf *m;

	wire_open(&wire, media);
	m = message(200, 5);
	for (int i = 0; i < 3; i++) {
		rte_mbuf_refcnt_update(m, 1);
		send_to(&wire, 0, m, &wire.info[1].maddr);
		expect(&wire, 0, 1, 200, 5);
		CU_EQ_U64(dpt_buf(m)->l2_bytes, 14);
		CU_EQ_U64(dpt_buf_bytes(m), 200);
	}
	rte_pktmbuf_free(m);
	wire_close(&wire);
}

static void
chain_is_sent_whole(const char *media)
{
	struct wire wire;
	struct rte_mbuf *m, *tail;

	wire_open(&wire, media);
	m = message(700, 0);
	tail = message(300, (uint8_t)700);
	m->next = tail;
	m->nb_segs = 2;
	m->pkt_len = 1000;
	send_to(&wire, 0, m, &wire.info[1].maddr);
	expect(&wire, 0, 1, 1000, 0);
	wire_close(&wire);
}

/* More frames than a Unix socket queues: they wait, in order. */
static void
burst_arrives_in_order(const char *media)
{
	struct wire wire;

	wire_open(&wire, media);
	for (uint32_t i = 0; i < 200; i++)
		send_to(&wire, 0, message(64, (uint8_t)i), &wire.info[1].maddr);
	for (uint32_t i = 0; i < 200; i++)
		expect(&wire, 0, 1, 64, (uint8_t)i);
	CU_EQ_U64(wire_counter(&wire, 0, "drop_tx_full"), 0);
	wire_close(&wire);
}

static void
empty_pool_loses_no_more_than_the_frame(const char *media)
{
	struct wire wire;
	struct rte_mbuf *m, *got = NULL;

	wire_open(&wire, media);
	m = message(64, 1);
	test_pool_exhaust(0);
	send_to(&wire, 0, m, &wire.info[1].maddr);
	for (int i = 0; i < 100; i++)
		if (wire.ends[1]->ops->rx_burst(wire.ends[1], 0, &got, 1) == 1)
			rte_pktmbuf_free(got);
	test_pool_release();
	send_to(&wire, 0, message(64, 2), &wire.info[1].maddr);
	got = receive(&wire, 0, 1);
	CU_NOT_NULL_FATAL(got);
	rte_pktmbuf_free(got);
	/* The first frame, where it waited for a buffer, came before the second. */
	while (wire.ends[1]->ops->rx_burst(wire.ends[1], 0, &got, 1) == 1)
		rte_pktmbuf_free(got);
	wire_close(&wire);
}

static void
end_that_has_gone_is_no_error(const char *media)
{
	struct dpt_maddr gone = dpt_maddr_eth((const uint8_t[]){0x02, 1, 2, 3, 4, 5});
	struct wire wire;

	wire_open(&wire, media);
	send_to(&wire, 0, message(64, 1), &gone);
	send_to(&wire, 0, message(64, 2), &wire.info[1].maddr);
	expect(&wire, 0, 1, 64, 2);
	wire_close(&wire);
}

/* Each test once per medium. ("unix" is a macro of gnu11: hence a prefix.) */
#define SUITE(X, prefix, media)                                                                    \
	X(prefix, media, frame_in_is_frame_out_up_to_the_mtu)                                      \
	X(prefix, media, broadcast_reaches_every_other_end)                                        \
	X(prefix, media, foreign_frame_is_dropped_and_counted)                                     \
	X(prefix, media, buffer_is_sent_again_with_the_header_it_has)                              \
	X(prefix, media, chain_is_sent_whole)                                                      \
	X(prefix, media, burst_arrives_in_order)                                                   \
	X(prefix, media, empty_pool_loses_no_more_than_the_frame)                                  \
	X(prefix, media, end_that_has_gone_is_no_error)

#define FUNCTION(prefix, media, fn)                                                                \
	static void prefix##fn(void)                                                               \
	{                                                                                          \
		fn(media);                                                                         \
	}
#define ENTRY(prefix, media, fn) {#fn, prefix##fn},

SUITE(FUNCTION, eth_, "eth")
SUITE(FUNCTION, unix_, "unix")
SUITE(FUNCTION, loop_, "loop")

static const struct cu_test eth_tests[] = {SUITE(ENTRY, eth_, "eth")};
static const struct cu_test unix_tests[] = {SUITE(ENTRY, unix_, "unix")};
static const struct cu_test loop_tests[] = {SUITE(ENTRY, loop_, "loop")};

static void
missing_port_is_named_with_those_that_exist(void)
{
	struct dpt_bearer_cfg cfg = {.device = "net_nowhere", .queues_cnt = 1, .mtu_max = 1500};
	struct dpt_bearer *bearer;
	char error[256] = "";

	cfg.pool = test_pool();
	CU_TRUE(dpt_bearer_eth.open(&cfg, &bearer, error, sizeof(error)) < 0);
	CU_NOT_NULL(strstr(error, "net_nowhere: no such port"));
}

static void
wire_name_with_a_slash_is_refused(void)
{
	struct dpt_bearer_cfg cfg = {.device = "a/b", .queues_cnt = 1, .mtu_max = 1500};
	struct dpt_bearer *bearer;
	char error[256] = "";

	cfg.pool = test_pool();
	CU_TRUE(dpt_bearer_unix.open(&cfg, &bearer, error, sizeof(error)) < 0);
	CU_NOT_NULL(strstr(error, "a/b"));
}

static const struct cu_test open_tests[] = {
	CU_TEST(missing_port_is_named_with_those_that_exist),
	CU_TEST(wire_name_with_a_slash_is_refused),
};

/* ---- which queue a peer's frames come in ---- */

static void
rule_names_type_and_source_and_nothing_else(void)
{
	static const uint8_t peer[6] = {0x02, 1, 2, 3, 4, 5}, any[6] = {0};
	const struct rte_flow_item_eth *spec, *mask;
	const struct rte_flow_action_queue *to;
	struct eth_rule rule;

	eth_rule_build(&rule, peer, 3);
	CU_EQ_U64(rule.attr.ingress, 1);
	CU_EQ_U64(rule.attr.egress + rule.attr.transfer + rule.attr.group, 0);
	CU_EQ_U64(rule.items[0].type, RTE_FLOW_ITEM_TYPE_ETH);
	CU_EQ_U64(rule.items[1].type, RTE_FLOW_ITEM_TYPE_END);
	CU_IS_NULL(rule.items[0].last);
	spec = rule.items[0].spec;
	mask = rule.items[0].mask;
	CU_EQ_I64(memcmp(&spec->hdr.src_addr, peer, 6), 0);
	CU_EQ_U64(spec->hdr.ether_type, rte_cpu_to_be_16(0x88ca));
	CU_EQ_U64(mask->hdr.ether_type, 0xffff);
	CU_EQ_I64(memcmp(&mask->hdr.src_addr, "\xff\xff\xff\xff\xff\xff", 6), 0);
	/* Broadcasts of the peer as well. */
	CU_EQ_I64(memcmp(&mask->hdr.dst_addr, any, 6), 0);
	CU_EQ_U64(mask->has_vlan, 0);
	CU_EQ_U64(rule.actions[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
	CU_EQ_U64(rule.actions[1].type, RTE_FLOW_ACTION_TYPE_END);
	to = rule.actions[0].conf;
	CU_EQ_U64(to->index, 3);
}

/* DPDK reads the rule as a driver does: it copies every part, following all pointers. */
static void
rule_is_one_that_dpdk_can_read(void)
{
	_Alignas(16) uint8_t copy[1024];
	const struct rte_flow_conv_rule *to = (const void *)copy;
	struct rte_flow_error error;
	struct eth_rule rule;

	eth_rule_build(&rule, (const uint8_t[]){0x02, 1, 2, 3, 4, 5}, 1);
	const struct rte_flow_conv_rule from = {
		.attr_ro = &rule.attr, .pattern_ro = rule.items, .actions_ro = rule.actions};
	int bytes = rte_flow_conv(RTE_FLOW_CONV_OP_RULE, copy, sizeof(copy), &from, &error);

	CU_TRUE_FATAL(bytes > 0 && bytes <= (int)sizeof(copy));
	CU_EQ_U64(to->pattern[0].type, RTE_FLOW_ITEM_TYPE_ETH);
	CU_EQ_I64(memcmp(to->pattern[0].spec, &rule.spec, sizeof(rule.spec)), 0);
	CU_EQ_I64(memcmp(to->pattern[0].mask, &rule.mask, sizeof(rule.mask)), 0);
	CU_EQ_U64(((const struct rte_flow_action_queue *)to->actions[0].conf)->index, 1);
}

static void
port_without_rules_says_so_and_works_on(void)
{
	struct wire wire;
	void *rule = NULL;

	wire_open(&wire, "eth");
	CU_EQ_I64(wire.ends[1]->ops->steer(wire.ends[1], &wire.info[0].maddr, 0, &rule), -ENOTSUP);
	CU_EQ_I64(wire.ends[1]->ops->steer(wire.ends[1], &wire.info[0].maddr, 1, &rule), -EINVAL);
	CU_IS_NULL(rule);
	send_to(&wire, 0, message(64, 1), &wire.info[1].maddr);
	expect(&wire, 0, 1, 64, 1);
	wire_close(&wire);
}

static const struct cu_test steer_tests[] = {
	CU_TEST(rule_names_type_and_source_and_nothing_else),
	CU_TEST(rule_is_one_that_dpdk_can_read),
	CU_TEST(port_without_rules_says_so_and_works_on),
};

static const struct cu_suite suites[] = {
	CU_TEST_SUITE("eth", eth_tests),     CU_TEST_SUITE("unix", unix_tests),
	CU_TEST_SUITE("loop", loop_tests),   CU_TEST_SUITE("open", open_tests),
	CU_TEST_SUITE("steer", steer_tests),
};

int
main(int argc, char **argv)
{
	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
