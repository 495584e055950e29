/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What Linux 6.1 puts on the wire (tests/data/captures). Goal: all of it is accepted,
 * and what we can build we build to the same octets. How many messages of each user
 * and type there are was counted by the tool that made the captures.
 */
#include "wire_suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "dpt_records.h"
#include "test_msg.h"
#include "test_pool.h"

#define ETH_HDR_BYTES  14
#define ETH_TYPE_AT    12
#define ETH_TYPE_TIPC  0x88ca
#define FRAMES_CNT_MAX 4096

/* user/type:count, in the order of users and types. */
static const struct {
	const char *name;
	const char *counts;
} captures[] = {
	{"broadcast-loss", "0/1:90 6/0:57 7/0:45 11/1:3 13/0:5"},
	{"bundling", "0/2:800 7/0:54 11/1:1 13/0:2"},
	{"discovery-identity", "5/0:2 7/0:8 7/1:1 7/2:1 11/0:2 13/0:9 13/1:4 13/2:24"},
	{"discovery-set-address", "5/0:2 7/0:12 7/1:1 7/2:1 11/0:2 13/0:9 13/1:3"},
	{"discovery-trial", "5/0:2 7/0:12 7/1:1 7/2:1 11/0:2 13/0:7 13/1:3 13/2:16"},
	{"discovery-trial-conflict", "5/0:2 7/0:8 7/1:1 7/2:1 11/0:2 13/0:8 13/1:3 13/2:16 13/3:1"},
	{"duplicates-and-disorder", "0/0:71 0/2:1 3/0:1 6/0:143 7/0:41 8/2:3 13/0:4"},
	{"failover-synch", "0/0:1496 0/2:653 7/0:86 7/1:5 7/2:1 8/2:14 10/0:2 10/1:105 13/0:8"},
	{"fragmentation", "7/0:12 12/0:16 12/1:92 12/2:16 13/0:2"},
	{"group", "0/5:22 0/6:5 0/7:15 7/0:37 9/0:10 9/1:5 9/2:11 9/3:6 11/0:4 11/1:4 12/0:4 "
		  "12/1:8 12/2:4 13/0:5"},
	{"keepalive-idle", "7/0:193 13/0:6"},
	{"link-loss-of-contact", "5/0:2 7/0:19 7/1:7 7/2:1 11/0:2 13/0:16 13/1:8"},
	{"link-one-way", "5/0:2 7/0:17 7/1:4 7/2:1 11/0:2 13/0:8"},
	{"link-properties", "5/0:2 7/0:36 7/1:3 7/2:1 11/0:2 13/0:8"},
	{"multicast", "0/1:4 7/0:29 11/1:3 12/0:4 12/1:8 12/2:4 13/0:3"},
	{"names-bulk-and-update", "5/0:2 7/0:8 7/1:1 7/2:1 11/0:13 11/1:8 13/0:8 13/1:3"},
	{"node-restart", "5/0:4 7/0:21 7/1:6 7/2:2 11/0:4 13/0:13 13/1:6"},
	{"rdm-messages", "0/2:9 0/3:17 1/2:3 2/2:3 3/2:3 7/0:6 12/0:4 12/2:4 13/0:2"},
	{"rejects", "0/2:48 0/3:7 7/0:7 12/0:2 12/1:2 12/2:2 13/0:2"},
};

/* A TIPC message as captured; some captures hold the first 160 or 200 octets only. */
struct capture_msg {
	struct rte_mbuf *m;
	bool is_whole;
};

/* Hand every TIPC message of a capture to fn; fn does not own it. Returns how many. */
static unsigned int
capture_walk(const char *name, void (*fn)(struct capture_msg *msg))
{
	char path[512], error[PCAP_ERRBUF_SIZE];
	const uint8_t *frame;
	struct pcap_pkthdr *rec;
	unsigned int cnt = 0;
	pcap_t *pcap;

	cu_context("%s", name);
	snprintf(path, sizeof(path), "%s/%s.pcap", TEST_CAPTURES, name);
	pcap = pcap_open_offline(path, error);
	if (!cu_check(pcap != NULL, true, __FILE__, __LINE__, "%s: %s", path, error))
		return 0;
	while (pcap_next_ex(pcap, &rec, &frame) == 1) {
		struct capture_msg msg = {.is_whole = rec->caplen == rec->len};

		if (rec->caplen < ETH_HDR_BYTES + DPT_HDR_BYTES_MIN ||
		    (frame[ETH_TYPE_AT] << 8 | frame[ETH_TYPE_AT + 1]) != ETH_TYPE_TIPC)
			continue;
		cnt++;
		cu_context("%s, TIPC frame %u", name, cnt);
		msg.m = test_buf(frame + ETH_HDR_BYTES, rec->caplen - ETH_HDR_BYTES);
		if (msg.is_whole)
			CU_EQ_U64(dpt_msg_check_buf(msg.m, DPT_PLACE_FRAME), DPT_MSG_OK);
		else
			CU_EQ_U64(dpt_msg_check(dpt_buf_hdr(msg.m), dpt_buf_bytes(msg.m),
						rec->len - ETH_HDR_BYTES, DPT_PLACE_FRAME),
				  DPT_MSG_OK);
		fn(&msg);
		rte_pktmbuf_free(msg.m);
	}
	pcap_close(pcap);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
	return cnt;
}

static void
captures_walk(void (*fn)(struct capture_msg *msg))
{
	for (size_t i = 0; i < CU_CNT(captures); i++)
		capture_walk(captures[i].name, fn);
	cu_context("all captures");
}

static bool
msg_is(struct capture_msg *msg, enum dpt_user user)
{
	return msg->is_whole && dpt_msg_user(dpt_buf_hdr(msg->m)) == user;
}

static unsigned int counts[16][8];
static unsigned int seen_cnt; /* messages that the test was about */

static void
count_msg(struct capture_msg *msg)
{
	const uint8_t *hdr = dpt_buf_hdr(msg->m);
	char line[256];

	counts[dpt_msg_user(hdr)][dpt_msg_type(hdr)]++;
	CU_TRUE(dpt_msg_print(hdr, dpt_buf_bytes(msg->m), line, sizeof(line)) > 0);
	CU_TRUE(line[0] != '(');
}

static void
every_kernel_message_is_accepted_and_counted(void)
{
	for (size_t i = 0; i < CU_CNT(captures); i++) {
		char text[512] = "";
		size_t used = 0;

		memset(counts, 0, sizeof(counts));
		CU_TRUE(capture_walk(captures[i].name, count_msg) > 0);
		for (unsigned int user = 0; user < 16; user++) {
			for (unsigned int type = 0; type < 8; type++) {
				if (counts[user][type] == 0)
					continue;
				used += (size_t)snprintf(text + used, sizeof(text) - used,
							 "%s%u/%u:%u", used == 0 ? "" : " ", user,
							 type, counts[user][type]);
			}
		}
		CU_EQ_STR(text, captures[i].counts);
	}
}

/* w13 is the kernel's own affair (02-discovery.md, 2.1): we send 0 there. */
static void
rebuild_config(struct capture_msg *msg)
{
	struct dpt_link_config cfg;
	struct rte_mbuf *again;

	if (!msg_is(msg, DPT_USER_LINK_CONFIG))
		return;
	seen_cnt++;
	CU_EQ_I64(dpt_link_config_parse(&cfg, msg->m, DPT_MEDIA_ETH), 0);
	again = dpt_link_config_build(&cfg, test_pool());
	CU_NOT_NULL_FATAL(again);
	dpt_msg_set_peer_net_hash(dpt_buf_hdr(msg->m), 0);
	CU_EQ_U64(dpt_buf_bytes(again), dpt_buf_bytes(msg->m));
	CU_EQ_MEM(dpt_buf_hdr(again), dpt_buf_hdr(msg->m), DPT_LINK_CONFIG_BYTES);
	rte_pktmbuf_free(again);
}

static void
link_config_of_the_kernel_is_parsed_and_rebuilt(void)
{
	seen_cnt = 0;
	captures_walk(rebuild_config);
	CU_EQ_U64(seen_cnt, 212);
}

/* The address that a kernel chose is that of its identity, unless it was configured. */
static void
check_trial(struct capture_msg *msg)
{
	struct dpt_link_config cfg;

	if (!msg_is(msg, DPT_USER_LINK_CONFIG) ||
	    dpt_msg_type(dpt_buf_hdr(msg->m)) != DPT_TYPE_DSC_TRIAL)
		return;
	CU_EQ_I64(dpt_link_config_parse(&cfg, msg->m, DPT_MEDIA_ETH), 0);
	CU_EQ_U64(dpt_node_id_to_addr(&cfg.id).value, cfg.prevnode.value);
	seen_cnt++;
}

static void
first_trial_addresses_follow_from_identities(void)
{
	seen_cnt = 0;
	capture_walk("discovery-trial", check_trial);
	capture_walk("discovery-identity", check_trial);
	CU_EQ_U64(seen_cnt, 16 + 24);
}

static void
rebuild_gap_record(struct capture_msg *msg)
{
	const uint8_t *hdr = dpt_buf_hdr(msg->m), *payload = hdr + dpt_msg_hdr_bytes(hdr);
	uint8_t bytes[DPT_GAP_RECORD_BYTES_MAX];
	struct dpt_gap_record rec;
	int len;

	if (!msg_is(msg, DPT_USER_LINK_PROTOCOL) || dpt_msg_type(hdr) != DPT_TYPE_STATE)
		return;
	len = dpt_gap_record_decode(&rec, payload, dpt_msg_payload_bytes(hdr));
	CU_TRUE_FATAL(len >= 4);
	CU_EQ_U64(dpt_gap_record_encode(&rec, bytes), (uint32_t)len);
	CU_EQ_MEM(bytes, payload, (size_t)len);
	if (rec.ucast_cnt + rec.bcast_cnt != 0)
		seen_cnt++;
}

static void
gap_records_of_the_kernel_are_decoded_and_encoded(void)
{
	seen_cnt = 0;
	captures_walk(rebuild_gap_record);
	/* So many reported a gap: counted apart from this program, by octets 42 and 43. */
	CU_EQ_U64(seen_cnt, 23);
}

static void
rebuild_names(struct capture_msg *msg)
{
	const uint8_t *hdr = dpt_buf_hdr(msg->m), *payload = hdr + dpt_msg_hdr_bytes(hdr);
	uint32_t cnt;

	if (!msg_is(msg, DPT_USER_NAME_DISTRIBUTOR))
		return;
	cnt = dpt_msg_payload_bytes(hdr) / DPT_NAME_ITEM_BYTES;
	CU_EQ_U64(dpt_msg_payload_bytes(hdr) % DPT_NAME_ITEM_BYTES, 0);
	CU_EQ_U64(dpt_msg_non_legacy(hdr), 1);
	for (uint32_t i = 0; i < cnt; i++, payload += DPT_NAME_ITEM_BYTES) {
		uint8_t bytes[DPT_NAME_ITEM_BYTES];
		struct dpt_name_item item;

		dpt_name_item_decode(&item, payload);
		dpt_name_item_encode(&item, bytes);
		CU_EQ_MEM(bytes, payload, sizeof(bytes));
		CU_TRUE(item.lower <= item.upper);
		/* The node's own state, or a binding whose key counts on from the port. */
		if (item.type == 0)
			CU_EQ_U64(item.key, dpt_msg_orignode(hdr));
		else
			CU_TRUE(item.key > item.port.ref && item.key - item.port.ref < 1000);
	}
	seen_cnt += cnt;
}

/* 250 names of node a before the link, the two node states, 8 bound and withdrawn. */
static void
name_items_of_the_kernel_are_decoded_and_encoded(void)
{
	captures_walk(rebuild_names);
	seen_cnt = 0;
	capture_walk("names-bulk-and-update", rebuild_names);
	CU_EQ_U64(seen_cnt, 250 + 2 + 8 + 8);
}

static void
unpack_bundle(struct capture_msg *msg)
{
	uint32_t offset = 0, cnt = 0;
	struct rte_mbuf *m;
	bool malformed;

	if (!msg_is(msg, DPT_USER_BUNDLER))
		return;
	while ((m = dpt_msg_unbundle(msg->m, &offset, &malformed, test_pool())) != NULL) {
		CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_BUNDLE), DPT_MSG_OK);
		rte_pktmbuf_free(m);
		cnt++;
	}
	CU_FALSE(malformed);
	CU_EQ_U64(cnt, dpt_msg_msgcnt(dpt_buf_hdr(msg->m)));
	seen_cnt++;
}

static void
bundles_of_the_kernel_hold_as_many_messages_as_they_say(void)
{
	seen_cnt = 0;
	captures_walk(unpack_bundle);
	CU_EQ_U64(seen_cnt, 57 + 143);
}

/* One assembly per sender; fragments of a message follow each other on a link. */
static struct {
	uint32_t prevnode;
	uint32_t len;
	uint8_t bytes[DPT_MSG_BYTES_MAX];
} assemblies[2];

static void
assemble(struct capture_msg *msg)
{
	const uint8_t *hdr = dpt_buf_hdr(msg->m);
	uint32_t len, node, type = dpt_msg_type(hdr);
	unsigned int i = 0;

	if (!msg_is(msg, DPT_USER_FRAGMENTER))
		return;
	node = dpt_msg_prevnode(hdr);
	if (assemblies[0].prevnode != 0 && assemblies[0].prevnode != node)
		i = 1;
	assemblies[i].prevnode = node;
	if (type == DPT_TYPE_FIRST_FRAGMENT)
		assemblies[i].len = 0;
	len = dpt_msg_payload_bytes(hdr);
	CU_TRUE_FATAL(assemblies[i].len + len <= DPT_MSG_BYTES_MAX);
	dpt_buf_read(msg->m, 40, assemblies[i].bytes + assemblies[i].len, len);
	assemblies[i].len += len;
	if (type != DPT_TYPE_LAST_FRAGMENT)
		return;
	len = assemblies[i].len;
	CU_EQ_U64(dpt_msg_check(assemblies[i].bytes, len, len, DPT_PLACE_REASSEMBLED), DPT_MSG_OK);
	CU_EQ_U64(dpt_msg_size(assemblies[i].bytes), len);
	seen_cnt++;
}

static void
fragments_of_the_kernel_make_messages_of_the_size_they_say(void)
{
	memset(assemblies, 0, sizeof(assemblies));
	seen_cnt = 0;
	capture_walk("fragmentation", assemble);
	CU_EQ_U64(seen_cnt, 16);
}

static void
check_tunnelled(struct capture_msg *msg)
{
	const uint8_t *hdr = dpt_buf_hdr(msg->m);
	uint32_t head_bytes = dpt_buf_bytes(msg->m) - dpt_msg_hdr_bytes(hdr);

	if (dpt_msg_user(hdr) != DPT_USER_TUNNEL || dpt_msg_type(hdr) != DPT_TYPE_FAILOVER)
		return;
	CU_EQ_U64(dpt_msg_fragm_no(hdr), 0);
	CU_EQ_U64(dpt_msg_check(hdr + 40, head_bytes, dpt_msg_payload_bytes(hdr), DPT_PLACE_TUNNEL),
		  DPT_MSG_OK);
	seen_cnt++;
}

static void
packets_inside_tunnels_of_the_kernel_are_accepted(void)
{
	seen_cnt = 0;
	capture_walk("failover-synch", check_tunnelled);
	CU_EQ_U64(seen_cnt, 105);
}

static const struct cu_test tests[] = {
	CU_TEST(every_kernel_message_is_accepted_and_counted),
	CU_TEST(link_config_of_the_kernel_is_parsed_and_rebuilt),
	CU_TEST(first_trial_addresses_follow_from_identities),
	CU_TEST(gap_records_of_the_kernel_are_decoded_and_encoded),
	CU_TEST(name_items_of_the_kernel_are_decoded_and_encoded),
	CU_TEST(bundles_of_the_kernel_hold_as_many_messages_as_they_say),
	CU_TEST(fragments_of_the_kernel_make_messages_of_the_size_they_say),
	CU_TEST(packets_inside_tunnels_of_the_kernel_are_accepted),
};

const struct cu_suite wire_capture_suite = CU_TEST_SUITE("capture", tests);
