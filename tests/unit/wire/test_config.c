/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LINK_CONFIG messages, media addresses, identities. Goal: the examples of
 * 02-discovery.md section 11 are built and read to the octet, and what section 10
 * says must be refused is refused.
 */
#include "wire_suites.h"

#include <errno.h>
#include <string.h>

#include "dpt_records.h"
#include "test_msg.h"
#include "test_pool.h"

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 2};

static struct dpt_node_id
id_of(const uint8_t *bytes, size_t len)
{
	struct dpt_node_id id = {{0}};

	memcpy(id.bytes, bytes, len);
	return id;
}

/* Node A or B of the examples; on UDP the address is the identity. */
static struct dpt_link_config
node_config(char node, enum dpt_disc_type type, uint32_t domain)
{
	const uint8_t *mac = node == 'A' ? mac_a : mac_b;
	uint32_t random = node == 'A' ? 0x8d3f1a2b : 0x5f3a4c5d;

	return (struct dpt_link_config){
		.type = (uint8_t)type,
		.caps = DPT_CAPS_OWN,
		.signature = (uint16_t)(random | 0x8000),
		.dest_domain = dpt_node_addr(domain),
		.prevnode = dpt_node_addr(node == 'A' ? 0x02010000 : 0x02020000),
		.net_id = 4711,
		.maddr = dpt_maddr_eth(mac),
		.id = id_of(mac, 6),
	};
}

/* cfg is built to the octets of the example, and reading them gives cfg again. */
static void
config_is_example(const struct dpt_link_config *cfg, const char *id, enum dpt_media media)
{
	uint8_t expected[DPT_LINK_CONFIG_BYTES];
	struct dpt_link_config again;
	struct rte_mbuf *m;

	cu_context("example %s", id);
	CU_EQ_U64(test_hex(wire_example_hex(id), expected, sizeof(expected)), sizeof(expected));
	m = dpt_link_config_build(cfg, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_buf_bytes(m), sizeof(expected));
	CU_EQ_MEM(dpt_buf_hdr(m), expected, sizeof(expected));
	CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_FRAME), DPT_MSG_OK);
	CU_EQ_I64(dpt_link_config_parse(&again, m, media), 0);
	rte_pktmbuf_free(m);
	CU_EQ_U64(again.type, cfg->type);
	CU_EQ_U64(again.caps, cfg->caps);
	CU_EQ_U64(again.signature, cfg->signature);
	CU_EQ_U64(again.dest_domain.value, cfg->dest_domain.value);
	CU_EQ_U64(again.prevnode.value, cfg->prevnode.value);
	CU_EQ_U64(again.net_id, cfg->net_id);
	CU_EQ_U64(again.suggested.value, cfg->suggested.value);
	CU_TRUE(dpt_maddr_eq(&again.maddr, &cfg->maddr));
	CU_TRUE(dpt_node_id_eq(&again.id, &cfg->id));
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
ethernet_examples_are_built_and_read(void)
{
	struct dpt_link_config trial = node_config('A', DPT_TYPE_DSC_TRIAL, 0);
	struct dpt_link_config fail = node_config('B', DPT_TYPE_DSC_TRIAL_FAIL, 0x02010000);
	struct dpt_link_config req = node_config('A', DPT_TYPE_DSC_REQ, 0);
	struct dpt_link_config resp = node_config('B', DPT_TYPE_DSC_RESP, 0x02010000);

	fail.suggested = dpt_node_addr(0x02010000 ^ 0x5f3a4c5d);
	config_is_example(&trial, "02-11.1", DPT_MEDIA_ETH);
	config_is_example(&fail, "02-11.2", DPT_MEDIA_ETH);
	config_is_example(&req, "02-11.3", DPT_MEDIA_ETH);
	config_is_example(&resp, "02-11.4", DPT_MEDIA_ETH);
}

static void
udp_examples_are_built_and_read(void)
{
	static const uint8_t ipv4[4] = {10, 0, 0, 1};
	static const uint8_t ipv6[16] = {0xfd, [15] = 1};
	struct dpt_link_config cfg = node_config('A', DPT_TYPE_DSC_REQ, 0);

	cfg.maddr = (struct dpt_maddr){
		.media = DPT_MEDIA_UDP, .proto = DPT_MADDR_PROTO_IPV4, .udp_port = 6118};
	memcpy(cfg.maddr.bytes, ipv4, sizeof(ipv4));
	cfg.id = id_of(ipv4, sizeof(ipv4));
	cfg.prevnode = dpt_node_id_to_addr(&cfg.id);
	config_is_example(&cfg, "02-11.5", DPT_MEDIA_UDP);
	cfg.maddr.proto = DPT_MADDR_PROTO_IPV6;
	memcpy(cfg.maddr.bytes, ipv6, sizeof(ipv6));
	cfg.id = id_of(ipv6, sizeof(ipv6));
	cfg.prevnode = dpt_node_id_to_addr(&cfg.id);
	config_is_example(&cfg, "02-11.6", DPT_MEDIA_UDP);
}

static void
signature_bit_15_is_capability_bit_0(void)
{
	struct dpt_link_config cfg = node_config('A', DPT_TYPE_DSC_REQ, 0), again;
	struct rte_mbuf *m;

	cfg.caps = DPT_CAPS_OWN & ~DPT_CAP_SYN;
	cfg.signature = 0xffff;
	m = dpt_link_config_build(&cfg, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_I64(dpt_link_config_parse(&again, m, DPT_MEDIA_ETH), 0);
	CU_EQ_U64(again.caps, cfg.caps);
	CU_EQ_U64(again.signature, 0x7fff);
	rte_pktmbuf_free(m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

/* Example 11.3 after one change, checked and read: what comes out. */
static int
parse_changed(uint32_t at, uint8_t octet, uint32_t len)
{
	struct rte_mbuf *m = test_buf_hex(wire_example_hex("02-11.3"));
	struct dpt_link_config cfg;
	int rc = -ENOMSG;

	if (at < DPT_LINK_CONFIG_BYTES)
		dpt_buf_hdr(m)[at] = octet;
	dpt_msg_set_size(dpt_buf_hdr(m), len);
	if (dpt_msg_check_buf(m, DPT_PLACE_FRAME) == DPT_MSG_OK)
		rc = dpt_link_config_parse(&cfg, m, DPT_MEDIA_ETH);
	rte_pktmbuf_free(m);
	return rc;
}

#define NOTHING UINT32_MAX

static void
hazard_02_1_identity_announced_but_not_there(void)
{
	CU_EQ_I64(parse_changed(NOTHING, 0, 76), 0);
	for (uint32_t len = 60; len < 76; len++)
		CU_EQ_I64(parse_changed(NOTHING, 0, len), -EINVAL);
}

static void
hazard_02_4_node_0(void)
{
	struct rte_mbuf *m = test_buf_hex(wire_example_hex("02-11.3"));

	dpt_msg_set_prevnode(dpt_buf_hdr(m), 0);
	CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_FRAME), DPT_MSG_BAD_NODE);
	rte_pktmbuf_free(m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
hazard_02_5_identity_of_zeros(void)
{
	struct dpt_link_config cfg = node_config('A', DPT_TYPE_DSC_REQ, 0);
	struct rte_mbuf *m;

	memset(&cfg.id, 0, sizeof(cfg.id));
	m = dpt_link_config_build(&cfg, test_pool());
	CU_NOT_NULL_FATAL(m);
	CU_EQ_I64(dpt_link_config_parse(&cfg, m, DPT_MEDIA_ETH), -EINVAL);
	rte_pktmbuf_free(m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
hazard_02_7_ethernet_address_of_a_group_or_of_nobody(void)
{
	CU_EQ_I64(parse_changed(24, 0x03, 76), -EINVAL); /* group bit */
	CU_EQ_I64(parse_changed(24, 0xff, 76), -EINVAL);
	CU_EQ_I64(parse_changed(23, 3, 76), -EINVAL); /* media type UDP */
	CU_EQ_I64(parse_changed(23, 0, 76), -EINVAL);
	CU_EQ_I64(parse_changed(24, 0x06, 76), 0);
}

static void
hazard_02_7_ethernet_address_of_zeros(void)
{
	uint8_t info[DPT_MADDR_INFO_BYTES] = {[3] = 1};
	struct dpt_maddr maddr;

	CU_EQ_I64(dpt_maddr_decode(&maddr, DPT_MEDIA_ETH, info), -EINVAL);
	info[9] = 1;
	CU_EQ_I64(dpt_maddr_decode(&maddr, DPT_MEDIA_ETH, info), 0);
	CU_EQ_U64(maddr.bytes[5], 1);
	CU_EQ_I64(dpt_maddr_decode(&maddr, DPT_MEDIA_NONE, info), -EINVAL);
}

static void
hazard_02_7_udp_addresses_that_are_no_host(void)
{
	static const struct {
		const char *info; /* octets 4 on: protocol, port, address */
		int rc;
	} cases[] = {
		{"0800 17e6 0a000001", 0},
		{"0800 0000 0a000001", -EINVAL}, /* port 0 */
		{"0800 17e6 00000000", -EINVAL}, /* unspecified */
		{"0800 17e6 7f000001", -EINVAL}, /* loopback */
		{"0800 17e6 e4001267", -EINVAL}, /* group */
		{"0800 17e6 ffffffff", -EINVAL}, /* broadcast */
		{"0801 17e6 0a000001", -EINVAL}, /* unknown protocol */
		{"86dd 17e6 fd000000000000000000000000000001", 0},
		{"86dd 17e6 00000000000000000000000000000000", -EINVAL}, /* unspecified */
		{"86dd 17e6 00000000000000000000000000000001", -EINVAL}, /* loopback */
		{"86dd 17e6 ff020000000000000000000000670001", -EINVAL}, /* group */
	};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		uint8_t info[DPT_MADDR_INFO_BYTES] = {[3] = 3};
		struct dpt_maddr maddr;

		cu_context("%s", cases[i].info);
		test_hex(cases[i].info, info + 4, sizeof(info) - 4);
		CU_EQ_I64(dpt_maddr_decode(&maddr, DPT_MEDIA_UDP, info), cases[i].rc);
		info[3] = 1;
		CU_EQ_I64(dpt_maddr_decode(&maddr, DPT_MEDIA_UDP, info), -EINVAL);
	}
}

static void
infiniband_address_is_20_octets_from_the_start(void)
{
	uint8_t info[DPT_MADDR_INFO_BYTES], again[DPT_MADDR_INFO_BYTES];
	struct dpt_maddr maddr;

	memset(info, 0, sizeof(info));
	CU_EQ_I64(dpt_maddr_decode(&maddr, DPT_MEDIA_IB, info), -EINVAL);
	for (unsigned int i = 0; i < 20; i++)
		info[i] = (uint8_t)(i + 1);
	CU_EQ_I64(dpt_maddr_decode(&maddr, DPT_MEDIA_IB, info), 0);
	dpt_maddr_encode(&maddr, again);
	CU_EQ_MEM(again, info, sizeof(info));
	info[4] = 0xff; /* a group */
	CU_EQ_I64(dpt_maddr_decode(&maddr, DPT_MEDIA_IB, info), -EINVAL);
}

static void
media_addresses_have_a_text(void)
{
	static const uint8_t ipv4[4] = {10, 0, 0, 1};
	struct dpt_maddr maddr = dpt_maddr_eth(mac_a);
	char text[80];

	CU_EQ_I64(dpt_maddr_print(&maddr, text, sizeof(text)), 17);
	CU_EQ_STR(text, "02:00:00:00:00:01");
	maddr = (struct dpt_maddr){
		.media = DPT_MEDIA_UDP, .proto = DPT_MADDR_PROTO_IPV4, .udp_port = 6118};
	memcpy(maddr.bytes, ipv4, sizeof(ipv4));
	dpt_maddr_print(&maddr, text, sizeof(text));
	CU_EQ_STR(text, "10.0.0.1:6118");
	maddr.proto = DPT_MADDR_PROTO_IPV6;
	maddr.bytes[15] = 1;
	dpt_maddr_print(&maddr, text, sizeof(text));
	CU_EQ_STR(text, "[a00:1:0:0:0:0:0:1]:6118");
	maddr = dpt_maddr_bcast(DPT_MEDIA_ETH);
	dpt_maddr_print(&maddr, text, sizeof(text));
	CU_EQ_STR(text, "broadcast");
}

static void
peer_without_node_id128_gets_the_identity_of_its_address(void)
{
	struct dpt_link_config cfg = node_config('A', DPT_TYPE_DSC_REQ, 0);
	static const struct dpt_node_id expected = {"100100a"};
	struct rte_mbuf *m;

	cfg.caps &= ~DPT_CAP_NODE_ID128;
	cfg.prevnode = dpt_node_addr(0x0100100a);
	m = dpt_link_config_build(&cfg, test_pool());
	CU_NOT_NULL_FATAL(m);
	/* Its messages end with the header. */
	dpt_msg_set_size(dpt_buf_hdr(m), 60);
	CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_FRAME), DPT_MSG_OK);
	CU_EQ_I64(dpt_link_config_parse(&cfg, m, DPT_MEDIA_ETH), 0);
	CU_EQ_MEM(cfg.id.bytes, expected.bytes, 16);
	rte_pktmbuf_free(m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static void
build_without_buffers_gives_nothing(void)
{
	struct dpt_link_config cfg = node_config('A', DPT_TYPE_DSC_REQ, 0);

	test_pool_exhaust(0);
	CU_IS_NULL(dpt_link_config_build(&cfg, test_pool()));
	test_pool_release();
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

/* The table of 02-discovery.md section 1.3, and an identity whose words cancel out. */
static void
address_follows_from_the_identity(void)
{
	static const struct {
		const char *id;
		uint32_t addr;
	} cases[] = {
		{"02000000000100000000000000000000", 0x02010000},
		{"52540012345600000000000000000000", 0x66020012},
		{"0a000001000000000000000000000000", 0x0a000001},
		{"node7", 0x596f6465},
		{"11111111222222221111111122222222", 0x33333333},
	};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct dpt_node_id id;

		CU_EQ_I64(dpt_node_id_parse(&id, cases[i].id), 0);
		CU_EQ_U64(dpt_node_id_to_addr(&id).value, cases[i].addr);
	}
}

static void
identity_is_printed_as_text_or_digits(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"node-one", "node-one"},
		{"a.b:c_d-e@f12345", "a.b:c_d-e@f12345"},
		{"02000000000100000000000000000000", "020000000001"},
		{"fF00000000000000000000000000000a", "ff00000000000000000000000000000a"},
		{"ff100000000000000000000000000000", "ff1"},
		{"6e6f6465000000000000000000000000", "node"},
	};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		char text[DPT_NODE_ID_TEXT_BYTES];
		struct dpt_node_id id;

		CU_EQ_I64(dpt_node_id_parse(&id, cases[i].in), 0);
		dpt_node_id_print(&id, text);
		CU_EQ_STR(text, cases[i].out);
	}
}

static void
identity_that_is_no_identity_is_refused(void)
{
	static const char *const cases[] = {
		"",
		"seventeen-octets!",
		"two words",
		"12345678901234567",
		"0200000000010000000000000000000",
		"020000000001000000000000000000000",
		"0200000000010000000000000000000g",
		"00000000000000000000000000000000",
	};
	struct dpt_node_id id;

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		cu_context("\"%s\"", cases[i]);
		CU_EQ_I64(dpt_node_id_parse(&id, cases[i]), -EINVAL);
	}
}

static const struct cu_test tests[] = {
	CU_TEST(ethernet_examples_are_built_and_read),
	CU_TEST(udp_examples_are_built_and_read),
	CU_TEST(signature_bit_15_is_capability_bit_0),
	CU_TEST(hazard_02_1_identity_announced_but_not_there),
	CU_TEST(hazard_02_4_node_0),
	CU_TEST(hazard_02_5_identity_of_zeros),
	CU_TEST(hazard_02_7_ethernet_address_of_a_group_or_of_nobody),
	CU_TEST(hazard_02_7_ethernet_address_of_zeros),
	CU_TEST(hazard_02_7_udp_addresses_that_are_no_host),
	CU_TEST(infiniband_address_is_20_octets_from_the_start),
	CU_TEST(media_addresses_have_a_text),
	CU_TEST(peer_without_node_id128_gets_the_identity_of_its_address),
	CU_TEST(build_without_buffers_gives_nothing),
	CU_TEST(address_follows_from_the_identity),
	CU_TEST(identity_is_printed_as_text_or_digits),
	CU_TEST(identity_that_is_no_identity_is_refused),
};

const struct cu_suite wire_config_suite = CU_TEST_SUITE("config", tests);
