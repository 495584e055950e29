/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bundles. Goal: what a sender put in comes out, and whatever the offsets and sizes
 * inside say, the walk ends, stays in the bundle and keeps what was good before.
 */
#include "wire_suites.h"

#include <string.h>

#include "dpt_msg.h"
#include "test_msg.h"
#include "test_pool.h"

#define A dpt_node_addr(0x02010000)
#define B dpt_node_addr(0x02020000)

static uint8_t bytes[DPT_MSG_BYTES_MAX];
static uint32_t len;

static void
bundle_start(void)
{
	len = 40;
	dpt_msg_init(bytes, DPT_USER_BUNDLER, 0, 40, A, B);
}

/* Put a message at the next multiple of 4; returns its header. */
static uint8_t *
bundle_add(enum dpt_user user, uint32_t type, uint32_t hdr_bytes, uint32_t payload_bytes)
{
	uint8_t *hdr = bytes + ((len + 3) & ~3u);

	memset(bytes + len, 0, 3);
	dpt_msg_init(hdr, user, type, hdr_bytes, A, B);
	dpt_msg_set_size(hdr, hdr_bytes + payload_bytes);
	memset(hdr + hdr_bytes, 0x40 + (int)payload_bytes, payload_bytes);
	len = (uint32_t)(hdr - bytes) + hdr_bytes + payload_bytes;
	dpt_msg_set_size(bytes, len);
	return hdr;
}

/* Walk; check that each message is one of a kind that may be inside. Returns how many. */
static unsigned int
bundle_walk(struct rte_mbuf *bundle, bool *malformed)
{
	struct rte_mbuf *m;
	uint32_t offset = 0;
	unsigned int cnt = 0;

	while ((m = dpt_msg_unbundle(bundle, &offset, malformed, test_pool())) != NULL) {
		CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_BUNDLE), DPT_MSG_OK);
		CU_EQ_U64(dpt_buf_bytes(m), dpt_msg_size(dpt_buf_hdr(m)));
		rte_pktmbuf_free(m);
		cnt++;
	}
	rte_pktmbuf_free(bundle);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
	return cnt;
}

static void
example_bundle_gives_both_messages_to_the_octet(void)
{
	struct rte_mbuf *bundle = test_buf_hex(wire_example_hex("01-18.6")), *m;
	uint32_t offset = 0;
	bool malformed = true;

	dpt_buf(bundle)->bearer_id = 1;
	m = dpt_msg_unbundle(bundle, &offset, &malformed, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_buf_bytes(m), 29);
	CU_EQ_MEM(dpt_buf_hdr(m), dpt_buf_hdr(bundle) + 40, 29);
	CU_EQ_U64(dpt_buf(m)->bearer_id, 1);
	rte_pktmbuf_free(m);
	m = dpt_msg_unbundle(bundle, &offset, &malformed, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_buf_bytes(m), 36);
	CU_EQ_MEM(dpt_buf_hdr(m), dpt_buf_hdr(bundle) + 72, 36);
	rte_pktmbuf_free(m);
	CU_IS_NULL(dpt_msg_unbundle(bundle, &offset, &malformed, test_pool()));
	CU_FALSE(malformed);
	rte_pktmbuf_free(bundle);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
bundle_in_segments_gives_the_same_octets(void)
{
	struct rte_mbuf *bundle, *m;
	uint32_t offset = 0;
	bool malformed;

	bundle_start();
	bundle_add(DPT_USER_LOW, DPT_TYPE_DIRECT, 32, 3000);
	bundle_add(DPT_USER_LOW, DPT_TYPE_CONN, 24, 1);
	bundle = test_buf_segs(bytes, len, 50);
	m = dpt_msg_unbundle(bundle, &offset, &malformed, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_buf_bytes(m), 3032);
	CU_EQ_MEM(test_flat(m), bytes + 40, 3032);
	rte_pktmbuf_free(m);
	m = dpt_msg_unbundle(bundle, &offset, &malformed, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_MEM(test_flat(m), bytes + 40 + 3032, 25);
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(bundle);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
empty_bundle_is_legal(void)
{
	bool malformed = true;

	bundle_start();
	CU_EQ_U64(bundle_walk(test_buf(bytes, len), &malformed), 0);
	CU_FALSE(malformed);
}

static void
padding_behind_the_last_message_is_ignored(void)
{
	bool malformed = true;

	bundle_start();
	bundle_add(DPT_USER_LOW, DPT_TYPE_CONN, 24, 1);
	dpt_msg_set_size(bytes, len + 3);
	CU_EQ_U64(bundle_walk(test_buf(bytes, len + 3), &malformed), 1);
	CU_FALSE(malformed);
}

static void
hazard_01_4_bundle_offsets(void)
{
	bool malformed = false;

	/* A rest of 1 to 23 octets: payload - 24 must not wrap. */
	for (uint32_t rest = 1; rest < 24; rest++) {
		bundle_start();
		memset(bytes + 40, 0x40, rest);
		dpt_msg_set_size(bytes, 40 + rest);
		CU_EQ_U64(bundle_walk(test_buf(bytes, 40 + rest), &malformed), 0);
		CU_TRUE(malformed);
	}
	/* The second message says that it is one octet longer than what is left. */
	bundle_start();
	bundle_add(DPT_USER_LOW, DPT_TYPE_CONN, 24, 5);
	dpt_msg_set_size(bundle_add(DPT_USER_LOW, DPT_TYPE_CONN, 24, 8), 33);
	CU_EQ_U64(bundle_walk(test_buf(bytes, len), &malformed), 1);
	CU_TRUE(malformed);
	/* A size of 0 would never move on. */
	bundle_start();
	dpt_msg_set_size(bundle_add(DPT_USER_LOW, DPT_TYPE_CONN, 24, 8), 0);
	CU_EQ_U64(bundle_walk(test_buf(bytes, len), &malformed), 0);
	CU_TRUE(malformed);
}

static void
hazard_01_5_bundle_of_link_messages(void)
{
	static const uint8_t users[] = {4, 5, 6, 7, 10, 12, 13, 15};

	for (size_t i = 0; i < CU_CNT(users); i++) {
		bool malformed = false;

		cu_context("user %u", users[i]);
		bundle_start();
		bundle_add(DPT_USER_LOW, DPT_TYPE_CONN, 24, 5);
		bundle_add((enum dpt_user)users[i], 0, users[i] == 13 ? 60 : 40, 0);
		bundle_add(DPT_USER_LOW, DPT_TYPE_CONN, 24, 5);
		CU_EQ_U64(bundle_walk(test_buf(bytes, len), &malformed), 1);
		CU_TRUE(malformed);
	}
}

static void
users_that_may_be_bundled_come_out(void)
{
	bool malformed = true;

	bundle_start();
	for (uint32_t user = 0; user < 4; user++)
		bundle_add((enum dpt_user)user, DPT_TYPE_NAMED, 40, user);
	bundle_add(DPT_USER_CONN_MANAGER, DPT_TYPE_CONN_ACK, 40, 0);
	bundle_add(DPT_USER_GROUP_PROTOCOL, DPT_TYPE_GRP_REMIT, 40, 0);
	bundle_add(DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_WITHDRAWAL, 40, 20);
	bundle_add(DPT_USER_CRYPTO, 0, 40, 0);
	CU_EQ_U64(bundle_walk(test_buf(bytes, len), &malformed), 8);
	CU_FALSE(malformed);
}

static void
empty_pool_ends_the_walk(void)
{
	struct rte_mbuf *bundle;
	uint32_t offset = 0;
	bool malformed = false;

	bundle_start();
	bundle_add(DPT_USER_LOW, DPT_TYPE_CONN, 24, 5);
	bundle = test_buf(bytes, len);
	test_pool_exhaust(0);
	CU_IS_NULL(dpt_msg_unbundle(bundle, &offset, &malformed, test_pool()));
	CU_TRUE(malformed);
	test_pool_release();
	rte_pktmbuf_free(bundle);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static const struct cu_test tests[] = {
	CU_TEST(example_bundle_gives_both_messages_to_the_octet),
	CU_TEST(bundle_in_segments_gives_the_same_octets),
	CU_TEST(empty_bundle_is_legal),
	CU_TEST(padding_behind_the_last_message_is_ignored),
	CU_TEST(hazard_01_4_bundle_offsets),
	CU_TEST(hazard_01_5_bundle_of_link_messages),
	CU_TEST(users_that_may_be_bundled_come_out),
	CU_TEST(empty_pool_ends_the_walk),
};

const struct cu_suite wire_bundle_suite = CU_TEST_SUITE("bundle", tests);
