/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: sending: 09-socket-api.md, 10.1 to 10.4; headers: 01-wire-format.md, 7.1. */
#include <errno.h>

#include "sock_fixture.h"

/* The first cnt words of the header. */
static void
check_words(struct rte_mbuf *m, const uint32_t *words, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++) {
		cu_context("word %u", i);
		CU_EQ_U64(dpt_msg_word(dpt_buf_hdr(m), i), words[i]);
	}
	cu_context("after word %u", cnt);
}

static void
check_payload(struct rte_mbuf *m, const char *text, uint32_t len)
{
	uint8_t got[16];

	CU_EQ_U64_FATAL(dpt_msg_payload_bytes(dpt_buf_hdr(m)), len);
	dpt_buf_read(m, dpt_msg_hdr_bytes(dpt_buf_hdr(m)), got, len);
	CU_EQ_MEM(got, text, len);
}

static void
direct_message_to_a_peer(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(0x1234, PEER_B);
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	f.opts.importance = 2;
	CU_EQ_I64(sock_send(&f, port, &dest, 4), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_B);
	CU_EQ_U64(dpt_buf(m)->arg2, port.ref);
	CU_EQ_U64(dpt_buf(m)->importance, 2);
	check_words(
		m,
		(const uint32_t[]){0x45080024, 0x60000000, 0, OWN, port.ref, 0x1234, OWN, PEER_B},
		8);
	check_payload(m, "0123", 4);
	CU_EQ_I64(dpt_msg_check_buf(m, DPT_PLACE_BUNDLE), DPT_MSG_OK);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
droppable_flags_are_those_of_the_call(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(0x1234, PEER_B);
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	for (uint32_t i = 0; i < 4; i++) {
		struct rte_mbuf *m;

		f.opts.is_dest_droppable = i & 1;
		f.opts.is_src_droppable = i >> 1;
		CU_EQ_I64(sock_send(&f, port, &dest, 1), 0);
		m = sock_routed(&f);
		CU_EQ_U64(dpt_msg_dest_droppable(dpt_buf_hdr(m)), i & 1);
		CU_EQ_U64(dpt_msg_src_droppable(dpt_buf_hdr(m)), i >> 1);
		rte_pktmbuf_free(m);
	}
	sock_teardown(&f);
}

static void
named_message_carries_the_looked_up_socket(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_service(1000, 17, 0);
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_peer_bind(&f, 1000, 17, 17, 0x99, PEER_B);
	CU_EQ_I64(sock_send(&f, port, &dest, 3), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_B);
	check_words(m,
		    (const uint32_t[]){0x4148002b, 0x40100000, 0, OWN, port.ref, 0x99, OWN, PEER_B,
				       1000, 17},
		    10);
	check_payload(m, "012", 3);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
named_message_for_another_domain_is_looked_up_there(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_service(1, 1, PEER_C);
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_I64(sock_send(&f, port, &dest, 3), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_C);
	CU_EQ_U64(dpt_msg_lookup_scope(dpt_buf_hdr(m)), DPT_SCOPE_NODE);
	CU_EQ_U64(dpt_msg_destport(dpt_buf_hdr(m)), 0);
	CU_EQ_U64(dpt_msg_destnode(dpt_buf_hdr(m)), PEER_C);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
local_message_is_delivered_at_once(void)
{
	struct sock_fixture f;
	struct dpt_port from, to;
	struct dpt_dest dest;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	from = sock_new(&f);
	to = sock_new(&f);
	sock_bind(&f, to, 1000, 1, 9);
	dest = sock_dest_service(1000, 5, OWN);
	CU_EQ_I64(sock_send(&f, from, &dest, 4), 0);
	dest = sock_dest_socket(to.ref, 0); /* node 0 is the own node */
	CU_EQ_I64(sock_send(&f, from, &dest, 5), 0);
	dest = sock_dest_socket(to.ref, OWN);
	CU_EQ_I64(sock_send(&f, from, &dest, 6), 0);
	CU_EQ_U64(f.routed.cnt, 0);
	m = dpt_sock_recv_next(f.socks, to);
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_lookup_scope(dpt_buf_hdr(m)), DPT_SCOPE_NODE);
	CU_EQ_U64(dpt_msg_origport(dpt_buf_hdr(m)), from.ref);
	CU_EQ_U64(dpt_msg_orignode(dpt_buf_hdr(m)), OWN);
	dpt_sock_recv_done(f.socks, to, 1, &f.routed);
	CU_EQ_I64(sock_read(&f, to), 5);
	CU_EQ_I64(sock_read(&f, to), 6);
	sock_teardown(&f);
}

static void
local_message_for_another_shard_is_routed(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(0x20000101, OWN);
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	CU_EQ_I64(sock_send(&f, sock_new(&f), &dest, 4), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, OWN);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
sender_without_address_reaches_local_sockets(void)
{
	struct sock_fixture f;
	struct dpt_port from, to;
	struct dpt_dest dest;

	sock_setup(&f, 4);
	dpt_socks_own_set(f.socks, dpt_node_addr(0));
	dpt_names_own_set(f.names, dpt_node_addr(0));
	from = sock_new(&f);
	to = sock_new(&f);
	sock_bind(&f, to, 1000, 1, 1);
	dest = sock_dest_service(1000, 1, 0);
	CU_EQ_I64(sock_send(&f, from, &dest, 4), 0);
	CU_EQ_I64(sock_read(&f, to), 4);
	sock_teardown(&f);
}

static void
refused_send_returns_its_errno_and_frees(void)
{
	struct sock_fixture f;
	struct dpt_dest service = sock_dest_service(1000, 1, 0);
	struct dpt_dest range = sock_dest_range(1000, 1, 1);
	struct dpt_dest direct = sock_dest_socket(1, PEER_B);
	struct dpt_port port, gone = {0x10000001};

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_I64(sock_send(&f, port, &service, 1), -EHOSTUNREACH);
	CU_EQ_I64(sock_send(&f, port, &range, 1), -EHOSTUNREACH);
	CU_EQ_I64(sock_send(&f, port, &service, 66001), -EMSGSIZE); /* before the lookup */
	gone.ref = port.ref ^ 0xff;
	CU_EQ_I64(sock_send(&f, gone, &direct, 1), -EINVAL);
	f.opts.importance = 4;
	CU_EQ_I64(sock_send(&f, port, &direct, 1), -EINVAL);
	f.opts.importance = 0;
	direct.addrtype = 4;
	CU_EQ_I64(sock_send(&f, port, &direct, 1), -EINVAL);
	CU_EQ_U64(f.counters.drop_send_refused, 6);
	CU_EQ_U64(f.counters.sent, 0);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

static void
largest_message_is_sent(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(1, PEER_B);
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	CU_EQ_I64(sock_send(&f, sock_new(&f), &dest, 66000), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(m)), 66032);
	CU_EQ_U64(dpt_buf_bytes(m), 66032);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
payload_without_headroom_is_refused(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(1, PEER_B);
	struct rte_mbuf *m;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	m = dpt_buf_alloc_len(test_pool(), 10);
	CU_NOT_NULL_FATAL(m);
	CU_NOT_NULL_FATAL(rte_pktmbuf_prepend(m, rte_pktmbuf_headroom(m)));
	f.opts.dest = &dest;
	CU_EQ_I64(dpt_sock_send(f.socks, port, &f.opts, m, 0, &f.routed), -ENOBUFS);
	sock_teardown(&f);
}

/* Two remote nodes and own sockets: three messages, headers by 10.3. */
static void
multicast_makes_a_copy_per_node(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_range(1000, 10, 20);
	struct dpt_port port;
	uint32_t seen = 0;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_bind(&f, port, 1000, 15, 15);
	sock_peer_bind(&f, 1000, 1, 10, 5, PEER_B);
	sock_peer_bind(&f, 1000, 11, 11, 6, PEER_B);
	sock_peer_bind(&f, 1000, 20, 30, 7, PEER_C);
	f.opts.importance = 3;
	CU_EQ_I64(sock_send(&f, port, &dest, 4), 0);
	CU_EQ_U64(f.routed.cnt, 3);
	for (uint32_t i = 0; i < 3; i++) {
		struct rte_mbuf *m = sock_routed(&f);
		uint32_t node = dpt_buf(m)->arg;

		seen |= 1u << (node & 0xf);
		check_words(m,
			    (const uint32_t[]){0x476c0030, 0x20100000, 0, OWN, port.ref, 0, OWN,
					       node == OWN ? 0 : node, 1000, 10, 20},
			    11);
		check_payload(m, "0123", 4);
		CU_EQ_U64(dpt_buf(m)->arg2, port.ref);
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(seen, 0xe);
	sock_teardown(&f);
}

static void
multicast_to_remote_nodes_only(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_range(1000, 10, 20);
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 1, 10, 5, PEER_B);
	CU_EQ_I64(sock_send(&f, sock_new(&f), &dest, 4), 0);
	CU_EQ_U64(f.routed.cnt, 1);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_B);
	CU_EQ_U64(dpt_msg_destnode(dpt_buf_hdr(m)), PEER_B);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
multicast_is_never_half_sent(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_range(1000, 10, 20);
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	for (uint32_t i = 0; i < 4; i++)
		sock_peer_bind(&f, 1000, 1, 10, 5, PEER_B + i);
	test_pool_exhaust(3); /* the message and two copies of three */
	CU_EQ_I64(sock_send(&f, port, &dest, 4), -ENOBUFS);
	CU_EQ_U64(f.routed.cnt, 0);
	CU_EQ_U64(f.counters.drop_no_buffer, 2);
	CU_EQ_U64(f.counters.drop_send_refused, 1);
	test_pool_release();
	sock_teardown(&f);
}

static void
hazard_09_5_congested_node_blocks_sends_to_it_only(void)
{
	struct sock_fixture f;
	struct dpt_dest to_b = sock_dest_socket(1, PEER_B);
	struct dpt_dest to_c = sock_dest_socket(1, PEER_C);
	struct dpt_dest named_b = sock_dest_service(1000, 1, 0);
	struct dpt_dest mcast = sock_dest_range(2000, 1, 1);
	struct dpt_port port, other;

	sock_setup(&f, 4);
	port = sock_new(&f);
	other = sock_new(&f);
	sock_peer_bind(&f, 1000, 1, 1, 5, PEER_B);
	sock_peer_bind(&f, 2000, 1, 1, 5, PEER_C);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 0);
	CU_TRUE(dpt_sock_is_congested(f.socks, port));
	CU_FALSE(dpt_sock_is_congested(f.socks, other));
	CU_EQ_I64(sock_send(&f, port, &to_b, 1), -EAGAIN);
	CU_EQ_I64(sock_send(&f, port, &named_b, 1), -EAGAIN);
	CU_EQ_I64(sock_send(&f, port, &mcast, 1), -EAGAIN); /* waits for all links */
	CU_EQ_I64(sock_send(&f, port, &to_c, 1), 0);
	to_c = sock_dest_socket(other.ref, OWN); /* no congestion inside the node */
	CU_EQ_I64(sock_send(&f, port, &to_c, 1), 0);
	CU_EQ_I64(sock_send(&f, other, &to_b, 1), 0);
	sock_teardown(&f);
}

static void
room_wakes_the_sockets_of_its_levels_in_order(void)
{
	struct sock_fixture f;
	struct dpt_port ports[3], port;
	uint64_t cookie;

	sock_setup(&f, 4);
	for (uint32_t i = 0; i < 3; i++)
		ports[i] = sock_new(&f);
	dpt_sock_congested(f.socks, ports[2], dpt_node_addr(PEER_B), 1);
	dpt_sock_congested(f.socks, ports[0], dpt_node_addr(PEER_B), 0);
	dpt_sock_congested(f.socks, ports[1], dpt_node_addr(PEER_B), 1);
	CU_FALSE(dpt_sock_writable_pop(f.socks, &port, &cookie));
	dpt_sock_room(f.socks, dpt_node_addr(PEER_C), 0x1f, &f.routed); /* another node */
	CU_FALSE(dpt_sock_writable_pop(f.socks, &port, &cookie));
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1 << 1, &f.routed);
	CU_TRUE(dpt_sock_writable_pop(f.socks, &port, &cookie));
	CU_EQ_U64(port.ref, ports[2].ref);
	CU_EQ_U64(cookie, 42);
	CU_TRUE(dpt_sock_writable_pop(f.socks, &port, &cookie));
	CU_EQ_U64(port.ref, ports[1].ref);
	CU_FALSE(dpt_sock_writable_pop(f.socks, &port, &cookie));
	CU_TRUE(dpt_sock_is_congested(f.socks, ports[0]));
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 0x1f, &f.routed); /* link reset */
	CU_TRUE(dpt_sock_writable_pop(f.socks, &port, &cookie));
	CU_EQ_U64(port.ref, ports[0].ref);
	CU_FALSE(dpt_sock_is_congested(f.socks, ports[0]));
	sock_teardown(&f);
}

static void
socket_blocked_at_two_levels_waits_for_both(void)
{
	struct sock_fixture f;
	struct dpt_port port, woken;
	uint64_t cookie;

	sock_setup(&f, 4);
	port = sock_new(&f);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 0);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 2);
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1 << 0, &f.routed);
	CU_TRUE(dpt_sock_is_congested(f.socks, port));
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1 << 2, &f.routed);
	CU_FALSE(dpt_sock_is_congested(f.socks, port));
	CU_TRUE(dpt_sock_writable_pop(f.socks, &woken, &cookie));
	CU_FALSE(dpt_sock_writable_pop(f.socks, &woken, &cookie));
	sock_teardown(&f);
}

/* One socket, four records: the fifth node blocks it towards all. */
static void
without_a_record_the_socket_is_blocked_towards_all(void)
{
	struct sock_fixture f;
	struct dpt_dest far = sock_dest_socket(1, PEER_B + 9);
	struct dpt_port port, woken;
	uint64_t cookie;

	sock_setup(&f, 1);
	port = sock_new(&f);
	for (uint32_t i = 0; i < 4; i++)
		dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B + i), 0);
	CU_EQ_I64(sock_send(&f, port, &far, 1), 0);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B + 4), 0);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B + 5), 0);
	CU_EQ_I64(sock_send(&f, port, &far, 1), -EAGAIN);
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B + 4), 1, &f.routed);
	CU_TRUE(dpt_sock_writable_pop(f.socks, &woken, &cookie));
	CU_EQ_I64(sock_send(&f, port, &far, 1), 0);
	CU_TRUE(dpt_sock_is_congested(f.socks, port));
	dpt_sock_close(f.socks, port, &f.routed);
	port = sock_new(&f); /* the records have come back */
	for (uint32_t i = 0; i < 4; i++)
		dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B + i), 0);
	CU_EQ_U64(f.counters.congested_full, 2);
	sock_teardown(&f);
}

static void
closed_socket_is_not_woken(void)
{
	struct sock_fixture f;
	struct dpt_port port, woken;
	uint64_t cookie;

	sock_setup(&f, 4);
	port = sock_new(&f);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 0);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_C), 0);
	dpt_sock_room(f.socks, dpt_node_addr(PEER_C), 1, &f.routed);
	dpt_sock_close(f.socks, port, &f.routed);
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1, &f.routed);
	CU_FALSE(dpt_sock_writable_pop(f.socks, &woken, &cookie));
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 0); /* late answer of a link */
	CU_FALSE(dpt_sock_is_congested(f.socks, port));
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(direct_message_to_a_peer),
	CU_TEST(droppable_flags_are_those_of_the_call),
	CU_TEST(named_message_carries_the_looked_up_socket),
	CU_TEST(named_message_for_another_domain_is_looked_up_there),
	CU_TEST(local_message_is_delivered_at_once),
	CU_TEST(local_message_for_another_shard_is_routed),
	CU_TEST(sender_without_address_reaches_local_sockets),
	CU_TEST(refused_send_returns_its_errno_and_frees),
	CU_TEST(largest_message_is_sent),
	CU_TEST(payload_without_headroom_is_refused),
	CU_TEST(multicast_makes_a_copy_per_node),
	CU_TEST(multicast_to_remote_nodes_only),
	CU_TEST(multicast_is_never_half_sent),
	CU_TEST(hazard_09_5_congested_node_blocks_sends_to_it_only),
	CU_TEST(room_wakes_the_sockets_of_its_levels_in_order),
	CU_TEST(socket_blocked_at_two_levels_waits_for_both),
	CU_TEST(without_a_record_the_socket_is_blocked_towards_all),
	CU_TEST(closed_socket_is_not_woken),
};

const struct cu_suite sock_send_suite = CU_TEST_SUITE("send", tests);
