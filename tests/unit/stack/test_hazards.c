/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Lines of 01-wire-format.md, 17, and 03-link-node.md, 26, that need a whole node: a hostile
 * frame in the place of node 1, which is in contact, reaches node 0. Goal: the counter of its
 * reason moves, nothing else happens, and the true peer's next message still arrives.
 */

#include <errno.h>
#include <string.h>

#include "cu.h"
#include "dpt_msg.h"
#include "stack_net.h"
#include "test_msg.h"
#include "test_pool.h"

#define FRAME_BYTES 1500
#define PAD	    0xa5 /* octets that nobody may see */

static struct net net;
static uint8_t frame[FRAME_BYTES];

static void
formed(void)
{
	net_init(&net, 2, 1, false);
	net_bearer_up(&net, 0);
	net_bearer_up(&net, 1);
	CU_TRUE_FATAL(net_form(&net));
	/* To rest: nothing on the wire, everything acknowledged. */
	net_run(&net, DPT_NS_PER_S);
	CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_UP], 1);
}

static const struct dpt_stack_counters_all *
counters(void)
{
	return dpt_stack_counters(net_stack(&net, 0, 0));
}

/* A frame of node 1, filled up with PAD as a careless sender would. */
static void
frame_make(enum dpt_user user, uint32_t type, uint32_t hdr_bytes, uint32_t payload_bytes)
{
	memset(frame, PAD, sizeof(frame));
	dpt_msg_init(frame, user, type, hdr_bytes, net_addr(&net, 1), net_addr(&net, 0));
	dpt_msg_set_size(frame, hdr_bytes + payload_bytes);
}

/* The number that node 0 expects next of node 1. */
static void
frame_number(void)
{
	struct dpt_link_info info;

	CU_EQ_I64_FATAL(dpt_node_link_info(dpt_stack_node(net_stack(&net, 0, 0), 0), 0, &info), 0);
	dpt_msg_set_seqno(frame, (uint32_t)info.counters.recv_pkts + 1);
}

/* It arrives, len octets of it; no event follows, no frame but at most max. */
static void
inject(uint32_t len, uint32_t max)
{
	struct rte_mbuf *m = test_buf(frame, len);
	struct dpt_out out;

	dpt_out_init(&out);
	dpt_stack_rx_burst(net_stack(&net, 0, 0), 0, &m, 1, net.now_ns, &out);
	CU_TRUE(out.tx.cnt <= max);
	CU_EQ_U64(out.events_cnt, 0);
	dpt_bufq_free(&out.tx);
}

/* Contact was never lost, and what node 1 really sends arrives. */
static void
check_contact(void)
{
	struct dpt_port to = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	struct dpt_port from = net_socket(&net, 1, 0, DPT_SOCK_RDM);
	struct dpt_dest dest = net_sockaddr(&net, 0, to);
	struct net_msg msg;

	CU_EQ_I64(net_send(&net, 1, from, &dest, "still here", true), 0);
	/* Injected packets have taken numbers of node 1's: it says so with its next STATE. */
	net_run(&net, DPT_NS_PER_S);
	CU_TRUE(net_recv(&net, 0, to, &msg));
	CU_EQ_STR(msg.text, "still here");
	CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_DOWN], 0);
	CU_EQ_U64(net.nodes[1].events[DPT_EVENT_NODE_DOWN], 0);
}

/* Octets of a key message: name of the algorithm, length of the key, key. */
static void
key_put(uint8_t *payload, uint32_t key_bytes)
{
	memset(payload, 0, 36);
	memcpy(payload, "gcm(aes)", 8);
	dpt_msg_set_word(payload, 8, key_bytes);
}

/*
 * A key counts only out of an encrypted frame, and there are none yet: whatever length it
 * states, nobody reads it.
 */
static void
hazard_01_12_key_message_in_plain(void)
{
	static const struct {
		uint32_t payload_bytes, key_bytes;
	} cases[] = {{56, 20}, {72, 36}, {56, 0xffffffff}, {56, 37}, {36, 20}, {20, 0}, {0, 0}};

	formed();
	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		uint64_t up_cnt = counters()->node.rx_up;

		cu_context("case %u", i);
		frame_make(DPT_USER_CRYPTO, 0, DPT_HDR_INTERNAL, cases[i].payload_bytes);
		key_put(frame + DPT_HDR_INTERNAL, cases[i].key_bytes);
		frame_number();
		inject(DPT_HDR_INTERNAL + cases[i].payload_bytes, 0);
		CU_EQ_U64(counters()->link.drop_user, i + 1);
		/* By broadcast, out of the sequence of any link. */
		dpt_msg_set_non_seq(frame, 1);
		dpt_msg_set_bcast_net_id(frame, 4711);
		dpt_msg_set_seqno(frame, 1);
		inject(DPT_HDR_INTERNAL + cases[i].payload_bytes, 0);
		CU_EQ_U64(counters()->node.rx_up, up_cnt);
		CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_DOWN], 0);
	}
	CU_EQ_U64(counters()->stack.drop_up_user, 0);
	net_fini(&net);
}

/* Own address or none as the sender's, with each user: refused before any node is looked up. */
static void
hazard_01_18_and_03_26_own_address_or_none(void)
{
	static const struct {
		uint8_t user, type, is_non_seq;
	} cases[] = {
		{DPT_USER_LOW, DPT_TYPE_DIRECT, 0},
		{DPT_USER_LOW, DPT_TYPE_MCAST, 1},
		{DPT_USER_BCAST_PROTOCOL, 0, 0},
		{DPT_USER_BUNDLER, 0, 0},
		{DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, 0},
		{DPT_USER_LINK_PROTOCOL, DPT_TYPE_RESET, 0},
		{DPT_USER_LINK_PROTOCOL, DPT_TYPE_ACTIVATE, 0},
		{DPT_USER_TUNNEL, DPT_TYPE_FAILOVER, 0},
		{DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_PUBLICATION, 1},
		{DPT_USER_FRAGMENTER, DPT_TYPE_FIRST_FRAGMENT, 0},
	};
	uint64_t node_frames;

	formed();
	node_frames = counters()->node.rx_frames;
	for (uint32_t i = 0; i < 2 * CU_CNT(cases); i++) {
		uint32_t from = i % 2 ? net_addr(&net, 0).value : 0;

		cu_context("case %u from %x", i / 2, from);
		frame_make(cases[i / 2].user, cases[i / 2].type, DPT_HDR_MCAST, 40);
		dpt_msg_set_non_seq(frame, cases[i / 2].is_non_seq);
		dpt_msg_set_prevnode(frame, from);
		inject(FRAME_BYTES, 0);
		CU_EQ_U64(counters()->stack.drop_node, i + 1);
	}
	CU_EQ_U64(counters()->node.rx_frames, node_frames);
	CU_EQ_U64(counters()->stack.drop_unknown_node, 0);
	CU_IS_NULL(dpt_stack_node(net_stack(&net, 0, 0), 1));
	check_contact();
	net_fini(&net);
}

/*
 * A multicast whose receivers are all here, one without receivers, an empty burst: no frame,
 * and no error but that nobody is there.
 */
static void
hazard_01_21_empty_lists(void)
{
	struct dpt_dest local = net_range(3000, 0, 100), nobody = net_range(3001, 0, 100);
	struct net_msg msg;
	struct dpt_out out;
	struct dpt_port port;
	uint64_t frames, rx_frames;

	formed();
	port = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	CU_EQ_I64(net_bind(&net, 0, port, 3000, 1, 1), 0);
	net_run(&net, DPT_NS_PER_S);
	frames = net.frames_cnt;
	rx_frames = counters()->stack.rx_frames;
	CU_EQ_I64(net_send(&net, 0, port, &local, "to here", true), 0);
	CU_TRUE(net_recv(&net, 0, port, &msg));
	CU_EQ_I64(net_send(&net, 0, port, &nobody, "to nobody", true), -EHOSTUNREACH);
	CU_EQ_U64(net.frames_cnt, frames);
	dpt_out_init(&out);
	dpt_stack_rx_burst(net_stack(&net, 0, 0), 0, NULL, 0, net.now_ns, &out);
	dpt_stack_shard_rx(net_stack(&net, 0, 0), NULL, 0, net.now_ns, &out);
	CU_EQ_U64(out.tx.cnt + out.up.cnt + out.shard.cnt + out.events_cnt, 0);
	CU_EQ_U64(counters()->stack.rx_frames, rx_frames);
	/* A bundle without a message is one packet of the sequence, and no message. */
	frame_make(DPT_USER_BUNDLER, 0, DPT_HDR_INTERNAL, 0);
	frame_number();
	inject(DPT_HDR_INTERNAL, 0);
	CU_EQ_U64(counters()->link.recv_bundles, 1);
	CU_EQ_U64(counters()->link.recv_bundled, 0);
	net_fini(&net);
}

/* The socket's next message is that octet and not one more, in the buffer either. */
static void
check_one_octet(struct dpt_port port, char octet)
{
	struct dpt_socks *socks = dpt_stack_socks(net_stack(&net, 0, 0));
	struct rte_mbuf *m = dpt_sock_recv_next(socks, port);
	struct dpt_bufq unused = {0};
	char got = 0;

	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_payload_bytes(dpt_buf_hdr(m)), 1);
	CU_EQ_U64(dpt_buf_bytes(m), DPT_HDR_BASIC + 1);
	dpt_buf_read(m, DPT_HDR_BASIC, &got, 1);
	CU_EQ_U64(got, octet);
	dpt_sock_recv_done(socks, port, 1, &unused);
}

/* One octet of payload; the rest of the frame, or of the bundle's gaps, stays unseen. */
static void
hazard_01_23_octets_beyond_size(void)
{
	struct dpt_port port;
	uint8_t *inner = frame + DPT_HDR_INTERNAL;

	formed();
	port = net_socket(&net, 0, 0, DPT_SOCK_RDM);
	frame_make(DPT_USER_LOW, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1);
	dpt_msg_set_destport(frame, port.ref);
	frame[DPT_HDR_BASIC] = 'a';
	frame_number();
	inject(FRAME_BYTES, 0);
	check_one_octet(port, 'a');

	frame_make(DPT_USER_BUNDLER, 0, DPT_HDR_INTERNAL, 36 + 36);
	for (uint32_t i = 0; i < 2; i++, inner += 36) {
		dpt_msg_init(inner, DPT_USER_LOW, DPT_TYPE_DIRECT, DPT_HDR_BASIC, net_addr(&net, 1),
			     net_addr(&net, 0));
		dpt_msg_set_size(inner, DPT_HDR_BASIC + 1);
		dpt_msg_set_destport(inner, port.ref);
		inner[DPT_HDR_BASIC] = (uint8_t)('b' + i);
	}
	frame_number();
	inject(FRAME_BYTES, 0);
	check_one_octet(port, 'b');
	check_one_octet(port, 'c');
	net_fini(&net);
}

/* Wait for a STATE of node 1 on the wire and copy it to frame. */
static bool
state_of_peer(void)
{
	for (int i = 0; i < 100000; i++) {
		net_run(&net, NET_DELAY_NS / 2);
		for (struct rte_mbuf *m = net.wire.head; m != NULL; m = dpt_bufq_next(m)) {
			const uint8_t *hdr = dpt_buf_hdr(m);

			if (dpt_msg_user(hdr) != DPT_USER_LINK_PROTOCOL ||
			    dpt_msg_type(hdr) != DPT_TYPE_STATE ||
			    dpt_msg_prevnode(hdr) != net_addr(&net, 1).value)
				continue;
			dpt_buf_read(m, 0, frame, dpt_msg_size(hdr));
			/* That it is answered is no matter here. */
			dpt_msg_set_probe(frame, 0);
			return true;
		}
	}
	return false;
}

/*
 * What a STATE says of broadcasts. Of another session: not looked at. Of this one: numbers
 * that were never sent release and repeat nothing.
 */
static void
hazard_03_5_broadcast_fields(void)
{
	const struct dpt_bcast_counters *bcast;
	uint64_t released, repeated, bad;
	uint32_t session, last;

	formed();
	bcast = &counters()->bcast;
	CU_TRUE_FATAL(state_of_peer());
	last = dpt_msg_bcast_ack(frame);
	session = dpt_msg_session(frame);
	released = bcast->tx_released;
	repeated = bcast->tx_retransmits;
	bad = bcast->drop_report_bad;

	dpt_msg_set_session(frame, session + 1);
	dpt_msg_set_bcast_ack(frame, last + 1);
	dpt_msg_set_last_bcast(frame, 0x7000);
	inject(dpt_msg_size(frame), 0);
	CU_EQ_U64(counters()->link.drop_session + counters()->node.drop_session, 1);
	CU_EQ_U64(bcast->drop_report_bad, bad);
	CU_EQ_U64(bcast->rx_announce_far, 0);

	dpt_msg_set_session(frame, session);
	inject(dpt_msg_size(frame), 0);
	CU_EQ_U64(bcast->drop_report_bad, bad + 1);
	CU_EQ_U64(bcast->rx_announce_far, 1);
	dpt_msg_set_bcast_ack(frame, last);
	dpt_msg_set_bc_gap(frame, 1023);
	dpt_msg_set_seqno(frame, dpt_msg_seqno(frame) + 1);
	inject(dpt_msg_size(frame), 0);
	CU_EQ_U64(bcast->drop_report_bad, bad + 2);
	CU_EQ_U64(bcast->tx_released, released);
	CU_EQ_U64(bcast->tx_retransmits, repeated);
	check_contact();
	net_fini(&net);
}

/*
 * Only what was sent on after a second lookup has another origin than its peer, and that is never
 * nobody, nor something that comes back.
 */
static void
hazard_09_12_and_09_24_origin_that_is_not_the_peer(void)
{
	static const struct {
		uint32_t user, type, hdr_bytes, origin, reroute_cnt, errcode;
	} cases[] = {
		{DPT_USER_LOW, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 0, 0, 0},
		{DPT_USER_LOW, DPT_TYPE_NAMED, DPT_HDR_NAMED, 0, 1, 0},
		{DPT_USER_LOW, DPT_TYPE_NAMED, DPT_HDR_NAMED, 0x1234567, 0, 0},
		{DPT_USER_LOW, DPT_TYPE_NAMED, DPT_HDR_NAMED, 0x1234567, 1, DPT_ERR_NO_PORT},
		{DPT_USER_CONN_MANAGER, DPT_TYPE_CONN_ACK, DPT_HDR_INTERNAL, 0x1234567, 0, 0},
		{DPT_USER_CONN_MANAGER, DPT_TYPE_PROBE, DPT_HDR_INTERNAL, 0x1234567, 1, 0},
	};

	formed();
	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		cu_context("case %u", i);
		frame_make((enum dpt_user)cases[i].user, cases[i].type, cases[i].hdr_bytes, 4);
		dpt_msg_set_orignode(frame, cases[i].origin);
		dpt_msg_set_reroute_cnt(frame, cases[i].reroute_cnt);
		dpt_msg_set_errcode(frame, cases[i].errcode);
		frame_number();
		inject(cases[i].hdr_bytes + 4, 1);
		CU_EQ_U64(counters()->stack.drop_origin + counters()->stack.drop_node, i + 1);
	}
	CU_EQ_U64(counters()->stack.drop_origin, 4);
	CU_EQ_U64(counters()->socket.received, 0);
	CU_EQ_U64(net.nodes[0].events[DPT_EVENT_NODE_DOWN], 0);
	net_fini(&net);
}

/* The header must hold the words that its type has: 1 less, and nobody looks at them. */
static void
hazard_09_15_header_too_short_for_its_type(void)
{
	static const struct {
		uint32_t user, type, hdr_bytes;
	} cases[] = {
		{DPT_USER_LOW, DPT_TYPE_NAMED, DPT_HDR_NAMED - 4},
		{DPT_USER_HIGH, DPT_TYPE_NAMED, DPT_HDR_SHORT},
		{DPT_USER_LOW, DPT_TYPE_MCAST, DPT_HDR_MCAST - 4},
		{DPT_USER_CRITICAL, DPT_TYPE_DIRECT, DPT_HDR_BASIC - 4},
		{DPT_USER_LOW, DPT_TYPE_GRP_UCAST, DPT_HDR_MCAST - 4},
		{DPT_USER_CONN_MANAGER, DPT_TYPE_CONN_ACK, DPT_HDR_INTERNAL - 4},
		{DPT_USER_CONN_MANAGER, DPT_TYPE_PROBE, DPT_HDR_SHORT},
		{DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT - 4},
	};

	formed();
	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		cu_context("case %u", i);
		frame_make((enum dpt_user)cases[i].user, cases[i].type, cases[i].hdr_bytes, 40);
		frame_number();
		inject(cases[i].hdr_bytes + 40, 0);
		CU_EQ_U64(counters()->stack.drop_hdr_size, i + 1);
	}
	check_contact();
	net_fini(&net);
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_09_12_and_09_24_origin_that_is_not_the_peer),
	CU_TEST(hazard_09_15_header_too_short_for_its_type),
	CU_TEST(hazard_01_12_key_message_in_plain),
	CU_TEST(hazard_01_18_and_03_26_own_address_or_none),
	CU_TEST(hazard_01_21_empty_lists),
	CU_TEST(hazard_01_23_octets_beyond_size),
	CU_TEST(hazard_03_5_broadcast_fields),
};

int
main(int argc, char **argv)
{
	return cu_main(argc, argv, "stack_hazards", tests, CU_CNT(tests));
}
