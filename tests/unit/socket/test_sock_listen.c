/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: listen, accept, socketpair: 09-socket-api.md, 8, 14.2, 21. */
#include <errno.h>

#include "sock_fixture.h"

/* A SYN of PEER_B's port 0x77. */
static struct rte_mbuf *
syn_msg(uint32_t importance, uint32_t len, struct dpt_port port)
{
	struct rte_mbuf *m = sock_msg(importance, DPT_TYPE_DIRECT, DPT_HDR_BASIC, len, port.ref);

	dpt_msg_set_syn(dpt_buf_hdr(m), 1);
	return m;
}

static struct dpt_port
listener_new(struct sock_fixture *f)
{
	struct dpt_port port = sock_new_type(f, DPT_SOCK_SEQPACKET);

	CU_EQ_I64_FATAL(dpt_sock_listen(f->socks, port), 0);
	return port;
}

static int
accept_from(struct sock_fixture *f, struct dpt_port listener, struct dpt_port *accepted)
{
	return dpt_sock_accept(f->socks, listener, 7, 0, accepted, &f->routed);
}

/* 8.1 and the table of 4. */
static void
listen_and_accept_say_why_not(void)
{
	struct sock_fixture f;
	struct dpt_port port, rdm, accepted;

	sock_setup(&f, 4);
	rdm = sock_new(&f);
	CU_EQ_I64(dpt_sock_listen(f.socks, rdm), -EOPNOTSUPP);
	CU_EQ_I64(accept_from(&f, rdm, &accepted), -EOPNOTSUPP);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(accept_from(&f, port, &accepted), -EINVAL);
	CU_EQ_I64(dpt_sock_listen(f.socks, port), 0);
	CU_EQ_I64(dpt_sock_listen(f.socks, port), -EINVAL);
	CU_EQ_I64(accept_from(&f, port, &accepted), -EAGAIN);
	CU_EQ_I64(sock_write(&f, port, 1), -ENOTCONN);
	port = sock_established(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(dpt_sock_listen(f.socks, port), -EINVAL);
	CU_EQ_I64(dpt_sock_listen(f.socks, dpt_port(1)), -EINVAL);
	CU_EQ_I64(accept_from(&f, dpt_port(1), &accepted), -EINVAL);
	sock_teardown(&f);
}

/* 8.2: type of the listener, peer, importance and name of the SYN, an empty ACK. */
static void
accepted_socket_field_by_field(void)
{
	struct sock_fixture f;
	struct dpt_port listener, accepted;
	struct dpt_sock_conn conn;
	struct dpt_sock_info info;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	listener = listener_new(&f);
	m = sock_msg(2, DPT_TYPE_NAMED, DPT_HDR_NAMED, 0, listener.ref);
	dpt_msg_set_syn(dpt_buf_hdr(m), 1);
	dpt_msg_set_nametype(dpt_buf_hdr(m), 1000);
	dpt_msg_set_nameinst(dpt_buf_hdr(m), 5);
	sock_rx(&f, m);
	CU_EQ_I64(accept_from(&f, listener, &accepted), 0);
	conn = sock_conn(&f, accepted);
	CU_EQ_U64(conn.state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_U64(conn.peer.port.ref, 0x77);
	CU_EQ_U64(conn.peer.node.value, PEER_B);
	CU_EQ_U64(conn.importance, 2);
	CU_TRUE(conn.has_name);
	CU_EQ_U64(conn.name_type, 1000);
	CU_EQ_U64(conn.name_instance, 5);
	CU_EQ_U64(conn.credit, 127); /* the ACK costs one: 11.2 rule 2 */
	CU_EQ_I64(dpt_sock_info(f.socks, accepted, &info), 0);
	CU_EQ_U64(info.type, DPT_SOCK_SEQPACKET);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_user(dpt_buf_hdr(m)), 2);
	CU_EQ_U64(dpt_msg_type(dpt_buf_hdr(m)), DPT_TYPE_CONN);
	CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(m)), 24);
	CU_EQ_U64(dpt_msg_syn(dpt_buf_hdr(m)), 0);
	CU_EQ_U64(dpt_msg_origport(dpt_buf_hdr(m)), accepted.ref);
	CU_EQ_U64(dpt_msg_destport(dpt_buf_hdr(m)), 0x77);
	rte_pktmbuf_free(m);
	CU_EQ_I64(accept_from(&f, listener, &accepted), -EAGAIN);
	CU_EQ_U64(f.counters.consumed_syn, 1);
	sock_teardown(&f);
}

/* 8.2, step 4; one message is received once, whoever reads it. */
static void
data_of_a_syn_is_read_first(void)
{
	struct sock_fixture f;
	struct dpt_port listener, accepted;

	sock_setup(&f, 4);
	listener = listener_new(&f);
	sock_rx(&f, syn_msg(0, 11, listener));
	CU_EQ_I64(accept_from(&f, listener, &accepted), 0);
	sock_rx(&f, sock_conn_msg(12, accepted));
	CU_EQ_I64(sock_read(&f, accepted), 11);
	CU_EQ_I64(sock_read(&f, accepted), 12);
	CU_EQ_U64(f.counters.received, 2);
	sock_teardown(&f);
}

/* Requests are shown one by one and taken by accept only, oldest first. */
static void
syns_are_shown_and_stay_until_accepted(void)
{
	struct sock_fixture f;
	struct dpt_port listener, accepted;
	struct dpt_sock_info info;

	sock_setup(&f, 8);
	listener = listener_new(&f);
	for (uint32_t i = 0; i < 3; i++) {
		struct rte_mbuf *m = syn_msg(0, 0, listener);

		dpt_msg_set_origport(dpt_buf_hdr(m), 0x100 + i);
		sock_rx(&f, m);
	}
	CU_NOT_NULL(dpt_sock_recv_next(f.socks, listener));
	CU_NOT_NULL(dpt_sock_recv_next(f.socks, listener));
	dpt_sock_recv_done(f.socks, listener, 2, &f.routed); /* no effect */
	for (uint32_t i = 0; i < 3; i++) {
		CU_EQ_I64(accept_from(&f, listener, &accepted), 0);
		CU_EQ_U64(sock_conn(&f, accepted).peer.port.ref, 0x100 + i);
		if (i == 0)
			CU_NOT_NULL(dpt_sock_recv_next(f.socks, listener));
	}
	CU_IS_NULL(dpt_sock_recv_next(f.socks, listener));
	CU_EQ_I64(dpt_sock_info(f.socks, listener, &info), 0);
	CU_EQ_U64(info.queued_msgs, 0);
	CU_EQ_U64(info.queued_bytes, 0);
	sock_teardown(&f);
}

/* 8.2, row 5: the request stays for the next try. */
static void
accept_without_a_slot_keeps_the_request(void)
{
	struct sock_fixture f;
	struct dpt_port listener, other, accepted;

	sock_setup(&f, 2);
	listener = listener_new(&f);
	other = sock_new(&f);
	sock_rx(&f, syn_msg(0, 0, listener));
	CU_EQ_I64(accept_from(&f, listener, &accepted), -ENFILE);
	dpt_sock_close(f.socks, other, &f.routed);
	CU_EQ_I64(accept_from(&f, listener, &accepted), 0);
	sock_teardown(&f);
}

/* The client waits for it: said as soon as there is a buffer. */
static void
ack_without_a_buffer_is_sent_later(void)
{
	struct sock_fixture f;
	struct dpt_port listener, accepted;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	listener = listener_new(&f);
	sock_rx(&f, syn_msg(0, 5, listener));
	test_pool_exhaust(0);
	CU_EQ_I64(accept_from(&f, listener, &accepted), 0);
	dpt_socks_timeout(f.socks, 20 * DPT_NS_PER_MS, &f.routed);
	test_pool_release();
	CU_EQ_U64(f.routed.cnt, 0);
	CU_EQ_U64(f.counters.conn_msgs_lost, 2);
	dpt_socks_timeout(f.socks, 40 * DPT_NS_PER_MS, &f.routed);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_type(dpt_buf_hdr(m)), DPT_TYPE_CONN);
	rte_pktmbuf_free(m);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* 8.2: a peer that vanished shows on the new socket. */
static void
accept_of_a_lost_node(void)
{
	struct sock_fixture f;
	struct dpt_port listener, accepted;

	sock_setup(&f, 4);
	listener = listener_new(&f);
	sock_rx(&f, syn_msg(0, 5, listener));
	dpt_socks_node_down(f.socks, dpt_node_addr(PEER_B), &f.routed);
	CU_EQ_I64(accept_from(&f, listener, &accepted), 0);
	CU_EQ_U64(sock_conn(&f, accepted).state, DPT_SOCK_STATE_DISCONNECTING);
	CU_EQ_I64(sock_read(&f, accepted), 5);
	CU_EQ_I64(sock_read_err(&f, accepted), DPT_ERR_NO_NODE);
	sock_teardown(&f);
}

/* 14.2, the rows of LISTEN; 2: a node without the capability SYN. */
static void
listener_takes_syns_only(void)
{
	struct sock_fixture f;
	struct dpt_port listener;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	dpt_socks_node_up(f.socks, dpt_node_addr(PEER_C), DPT_CAPS_OWN & ~DPT_CAP_SYN, 1500);
	listener = listener_new(&f);
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 4, listener.ref));
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 4, listener.ref);
	dpt_msg_set_prevnode(dpt_buf_hdr(m), PEER_C);
	dpt_msg_set_orignode(dpt_buf_hdr(m), PEER_C);
	sock_rx(&f, m);
	CU_EQ_U64(f.counters.received, 1);
	m = sock_conn_msg(4, listener);
	dpt_msg_set_syn(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	m = sock_msg(0, DPT_TYPE_MCAST, DPT_HDR_MCAST, 4, listener.ref);
	dpt_msg_set_syn(dpt_buf_hdr(m), 1);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	sock_rx(&f, m);
	m = syn_msg(0, 4, listener);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	sock_rx(&f, m);
	CU_EQ_U64(f.counters.received, 1);
	CU_EQ_U64(f.counters.returned_wrong_type, 2);
	CU_EQ_U64(f.counters.drop_wrong_type, 2); /* they had an error code */
	sock_teardown(&f);
}

/* Memory for requests is bounded by importance, and an overloaded listener says so. */
static void
hazard_09_19_flood_of_syns_is_bounded(void)
{
	struct sock_fixture f;
	struct dpt_port listener;
	uint32_t taken[4] = {0};
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	listener = listener_new(&f);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, listener, 20000), 0);
	for (uint32_t importance = 0; importance < 4; importance++) {
		for (uint32_t i = 0; i < 200; i++)
			sock_rx(&f, syn_msg(importance, 100, listener));
		taken[importance] = (uint32_t)f.counters.received;
		m = sock_routed(&f);
		CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_OVERLOAD);
		CU_EQ_U64(dpt_msg_payload_bytes(dpt_buf_hdr(m)), 0); /* 15.2 */
		rte_pktmbuf_free(m);
		dpt_bufq_free(&f.routed);
	}
	CU_EQ_U64(taken[0], 15); /* 14 * 1404 < 20000 */
	CU_EQ_U64(taken[1], 31);
	CU_EQ_U64(taken[2], 62);
	CU_EQ_U64(taken[3], 124);
	CU_EQ_U64(dpt_sock_drops(f.socks, listener), 800 - 124);
	sock_teardown(&f);
}

/* 21 */
static void
pair_of_connection_type_is_a_connection(void)
{
	struct sock_fixture f;
	struct dpt_port a, b;

	sock_setup(&f, 4);
	a = sock_new_type(&f, DPT_SOCK_STREAM);
	b = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(dpt_sock_pair(f.socks, a, a, 0), -EINVAL);
	CU_EQ_I64(dpt_sock_pair(f.socks, a, b, 0), 0);
	CU_EQ_I64(dpt_sock_pair(f.socks, a, b, 0), -EINVAL);
	CU_EQ_U64(sock_conn(&f, a).peer.port.ref, b.ref);
	CU_EQ_U64(sock_conn(&f, b).peer.port.ref, a.ref);
	CU_EQ_U64(sock_conn(&f, a).credit, 128);
	CU_EQ_I64(sock_write(&f, a, 9), 0);
	sock_pump(&f);
	CU_EQ_I64(sock_read(&f, b), 9);
	dpt_sock_close(f.socks, a, &f.routed);
	sock_pump(&f);
	CU_EQ_I64(sock_read_err(&f, b), DPT_ERR_NO_PORT);
	sock_teardown(&f);
}

static void
pair_of_connectionless_type_cannot_bind(void)
{
	struct sock_fixture f;
	struct dpt_range range = {.type = 1000, .lower = 1, .upper = 1};
	struct dpt_port a, b, seq;
	struct dpt_binding binding;
	struct dpt_dest dest;

	sock_setup(&f, 4);
	a = sock_new(&f);
	b = sock_new(&f);
	seq = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_pair(f.socks, a, seq, 0), -EINVAL);
	CU_EQ_I64(dpt_sock_pair(f.socks, a, b, 0), 0);
	CU_EQ_U64(sock_conn(&f, a).state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_I64(dpt_sock_bind(f.socks, a, &range, DPT_SCOPE_CLUSTER, &binding), -EINVAL);
	dest = sock_dest_socket(b.ref, OWN);
	CU_EQ_I64(sock_send(&f, a, &dest, 3), 0);
	CU_EQ_I64(sock_read(&f, b), 3);
	dpt_sock_close(f.socks, a, &f.routed);
	CU_EQ_U64(f.routed.cnt, 0); /* closing one end tells the other nothing */
	sock_teardown(&f);
}

/* The stack's own sockets come out of their own list only, whatever happens to them. */
static void
internal_sockets_come_out_apart(void)
{
	struct sock_fixture f;
	struct dpt_port listener, accepted, port;
	uint64_t cookie;

	sock_setup(&f, 4);
	listener = listener_new(&f); /* changed already */
	dpt_sock_internal_set(f.socks, listener);
	CU_EQ_U64(dpt_socks_cnt(f.socks), 0);
	sock_rx(&f, syn_msg(0, 5, listener));
	CU_TRUE(dpt_sock_internal_pop(f.socks, &port, &cookie));
	CU_EQ_U64(port.ref, listener.ref);
	CU_EQ_I64(accept_from(&f, listener, &accepted), 0);
	CU_TRUE(dpt_sock_internal_pop(f.socks, &port, &cookie));
	CU_EQ_U64(port.ref, accepted.ref);
	CU_EQ_U64(cookie, 7);
	dpt_sock_congested(f.socks, accepted, dpt_node_addr(PEER_B), 0);
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1, &f.routed);
	sock_rx(&f, sock_conn_err(DPT_ERR_CONN_SHUTDOWN, accepted));
	CU_TRUE(dpt_sock_internal_pop(f.socks, &port, &cookie));
	CU_FALSE(dpt_sock_internal_pop(f.socks, &port, &cookie));
	CU_FALSE(dpt_sock_changed_pop(f.socks, &port, &cookie));
	CU_FALSE(dpt_sock_ready_pop(f.socks, &port, &cookie));
	CU_FALSE(dpt_sock_writable_pop(f.socks, &port, &cookie));
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(listen_and_accept_say_why_not),
	CU_TEST(accepted_socket_field_by_field),
	CU_TEST(data_of_a_syn_is_read_first),
	CU_TEST(syns_are_shown_and_stay_until_accepted),
	CU_TEST(accept_without_a_slot_keeps_the_request),
	CU_TEST(ack_without_a_buffer_is_sent_later),
	CU_TEST(accept_of_a_lost_node),
	CU_TEST(listener_takes_syns_only),
	CU_TEST(hazard_09_19_flood_of_syns_is_bounded),
	CU_TEST(pair_of_connection_type_is_a_connection),
	CU_TEST(pair_of_connectionless_type_cannot_bind),
	CU_TEST(internal_sockets_come_out_apart),
};

const struct cu_suite sock_listen_suite = CU_TEST_SUITE("listen", tests);
