/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: connections are set up as 09-socket-api.md, 4, 7, 9 and 10.6 say. */
#include <errno.h>

#include "sock_fixture.h"

#define LISTENER 0x99

/* 9.1: a SYN by service address. */
static void
syn_by_name_field_by_field(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_service(1000, 5, 0);
	struct dpt_port port;
	const uint8_t *hdr;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 0, 9, LISTENER, PEER_B);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	f.opts.importance = 2;
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	m = sock_routed(&f);
	hdr = dpt_buf_hdr(m);
	CU_EQ_U64(dpt_msg_user(hdr), 2);
	CU_EQ_U64(dpt_msg_type(hdr), DPT_TYPE_NAMED);
	CU_EQ_U64(dpt_msg_hdr_bytes(hdr), 40);
	CU_EQ_U64(dpt_msg_size(hdr), 40);
	CU_EQ_U64(dpt_msg_syn(hdr), 1);
	CU_EQ_U64(dpt_msg_dest_droppable(hdr), 0);
	CU_EQ_U64(dpt_msg_lookup_scope(hdr), DPT_SCOPE_CLUSTER);
	CU_EQ_U64(dpt_msg_nametype(hdr), 1000);
	CU_EQ_U64(dpt_msg_nameinst(hdr), 5);
	CU_EQ_U64(dpt_msg_origport(hdr), port.ref);
	CU_EQ_U64(dpt_msg_destport(hdr), LISTENER);
	CU_EQ_U64(dpt_msg_destnode(hdr), PEER_B);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_B);
	rte_pktmbuf_free(m);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_CONNECTING);
	sock_teardown(&f);
}

static void
syn_by_socket_address_has_no_scope_and_no_node_0(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(LISTENER, 0);
	struct dpt_port port;
	const uint8_t *hdr;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	m = sock_routed(&f);
	hdr = dpt_buf_hdr(m);
	CU_EQ_U64(dpt_msg_type(hdr), DPT_TYPE_DIRECT);
	CU_EQ_U64(dpt_msg_hdr_bytes(hdr), 32);
	CU_EQ_U64(dpt_msg_syn(hdr), 1);
	CU_EQ_U64(dpt_msg_lookup_scope(hdr), 0);
	CU_EQ_U64(dpt_msg_destnode(hdr), OWN); /* 9.3, quirk: the answer would not match */
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

/* A lookup domain that is another node: the lookup is left to it. */
static void
syn_to_a_domain_goes_there_with_port_0(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_service(1000, 5, PEER_B);
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_destport(dpt_buf_hdr(m)), 0);
	CU_EQ_U64(dpt_msg_lookup_scope(dpt_buf_hdr(m)), DPT_SCOPE_NODE);
	rte_pktmbuf_free(m);
	/* NO_NAME comes back with origin port 0, and matches: 9.3. */
	m = sock_msg(0, DPT_TYPE_NAMED, DPT_HDR_NAMED, 0, port.ref);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_NAME);
	dpt_msg_set_origport(dpt_buf_hdr(m), 0);
	sock_rx(&f, m);
	CU_EQ_I64(sock_conn(&f, port).error, ECONNREFUSED);
	sock_teardown(&f);
}

/* 7.1, 7.2: what connect refuses leaves the socket OPEN. */
static void
connect_says_why_not(void)
{
	struct sock_fixture f;
	struct dpt_dest range = sock_dest_range(1000, 1, 2);
	struct dpt_dest nobody = sock_dest_service(1000, 1, 0);
	struct dpt_dest far = sock_dest_socket(1, PEER_C);
	struct dpt_dest direct = sock_dest_socket(1, PEER_B);
	struct dpt_port port, rdm;
	struct dpt_binding b;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	rdm = sock_new(&f);
	CU_EQ_I64(sock_connect(&f, port, &range), -EINVAL);
	CU_EQ_I64(sock_connect(&f, port, &nobody), -EHOSTUNREACH);
	CU_EQ_I64(sock_connect(&f, port, &far), -EHOSTUNREACH);
	CU_EQ_I64(sock_connect(&f, rdm, &direct), -EINVAL);
	sock_bind(&f, port, 1000, 1, 1);
	CU_EQ_I64(sock_connect(&f, port, &direct), -EOPNOTSUPP);
	CU_TRUE(dpt_sock_binding_pop(f.socks, port, &b));
	test_pool_exhaust(0);
	CU_EQ_I64(sock_connect(&f, port, &direct), -ENOBUFS);
	test_pool_release();
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_OPEN);
	CU_EQ_U64(f.routed.cnt, 0);
	/* When its last binding is gone it can: 5.2. */
	CU_EQ_I64(sock_connect(&f, port, &direct), 0);
	sock_teardown(&f);
}

/* 7.1, table of states. */
static void
connect_in_other_states(void)
{
	struct sock_fixture f;
	struct dpt_dest direct = sock_dest_socket(0x77, PEER_B);
	struct dpt_port port, listener;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_connect(&f, port, &direct), 0);
	CU_EQ_I64(sock_connect(&f, port, &direct), -EALREADY);
	sock_rx(&f, sock_conn_msg(0, port));
	CU_EQ_I64(sock_connect(&f, port, &direct), -EISCONN);
	sock_rx(&f, sock_conn_err(DPT_ERR_NO_PORT, port));
	CU_EQ_I64(sock_connect(&f, port, &direct), -EINVAL);
	listener = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_listen(f.socks, listener), 0);
	CU_EQ_I64(sock_connect(&f, listener, &direct), -EINVAL);
	CU_EQ_U64(f.routed.cnt, 1); /* one SYN */
	sock_teardown(&f);
}

/* 9.2: any origin of the node completes it; importance and peer come from the ACK. */
static void
ack_completes_the_connection(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_service(1000, 5, 0);
	struct dpt_sock_conn conn;
	struct dpt_port port, popped;
	struct rte_mbuf *m;
	uint64_t cookie;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 0, 9, LISTENER, PEER_B);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	CU_TRUE(dpt_sock_changed_pop(f.socks, &popped, &cookie));
	m = sock_msg(2, DPT_TYPE_CONN, DPT_HDR_SHORT, 0, port.ref);
	sock_rx(&f, m);
	CU_TRUE(dpt_sock_changed_pop(f.socks, &popped, &cookie));
	CU_EQ_U64(popped.ref, port.ref);
	CU_EQ_U64(cookie, 42);
	CU_FALSE(dpt_sock_changed_pop(f.socks, &popped, &cookie));
	conn = sock_conn(&f, port);
	CU_EQ_U64(conn.state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_U64(conn.peer.port.ref, 0x77);
	CU_EQ_U64(conn.peer.node.value, PEER_B);
	CU_EQ_U64(conn.importance, 2);
	CU_TRUE(conn.has_name && conn.is_block_flow);
	CU_EQ_U64(conn.name_type, 1000);
	CU_EQ_U64(conn.name_instance, 5);
	CU_EQ_U64(conn.credit, 128);
	CU_EQ_I64(sock_read(&f, port), -1); /* an empty ACK is consumed */
	CU_EQ_U64(f.counters.consumed_ack, 1);
	sock_teardown(&f);
}

static void
ack_with_data_is_the_first_message(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(LISTENER, PEER_B);
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	sock_rx(&f, sock_conn_msg(7, port));
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_I64(sock_read(&f, port), 7);
	sock_teardown(&f);
}

/* A node by direct address leaves no doubt; any of its ports may answer. */
static void
hazard_09_11_ack_from_another_node_is_refused(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(LISTENER, PEER_B);
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	dpt_socks_node_up(f.socks, dpt_node_addr(PEER_C), DPT_CAPS_OWN, 1500);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	rte_pktmbuf_free(sock_routed(&f));
	m = sock_conn_msg(0, port);
	dpt_msg_set_prevnode(dpt_buf_hdr(m), PEER_C);
	sock_rx(&f, m);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_CONNECTING);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
	rte_pktmbuf_free(m);
	sock_rx(&f, sock_conn_msg(0, port));
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_ESTABLISHED);
	sock_teardown(&f);
}

/* 9.3, row by row: what arrives at a CONNECTING socket of PEER_B's port LISTENER. */
static void
connecting_row_by_row(void)
{
	static const struct {
		uint32_t type, hdr_bytes, origport, err;
		enum dpt_sock_state state;
	} rows[] = {
		{DPT_TYPE_CONN, DPT_HDR_SHORT, 0x123, DPT_ERR_NO_PORT,
		 DPT_SOCK_STATE_DISCONNECTING},
		{DPT_TYPE_DIRECT, DPT_HDR_BASIC, 0x123, DPT_OK, DPT_SOCK_STATE_CONNECTING},
		{DPT_TYPE_DIRECT, DPT_HDR_BASIC, 0x123, DPT_ERR_NO_PORT, DPT_SOCK_STATE_CONNECTING},
		{DPT_TYPE_DIRECT, DPT_HDR_BASIC, LISTENER, DPT_ERR_NO_PORT,
		 DPT_SOCK_STATE_DISCONNECTING},
		{DPT_TYPE_DIRECT, DPT_HDR_BASIC, LISTENER, DPT_ERR_CONN_SHUTDOWN,
		 DPT_SOCK_STATE_DISCONNECTING},
		{DPT_TYPE_DIRECT, DPT_HDR_BASIC, LISTENER, DPT_ERR_OVERLOAD,
		 DPT_SOCK_STATE_CONNECTING},
	};
	struct dpt_dest dest = sock_dest_socket(LISTENER, PEER_B);

	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		struct sock_fixture f;
		struct dpt_port port;
		struct rte_mbuf *m;

		cu_context("row %u", i);
		sock_setup(&f, 4);
		port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
		CU_EQ_I64(sock_connect(&f, port, &dest), 0);
		m = sock_msg(0, rows[i].type, rows[i].hdr_bytes, 0, port.ref);
		dpt_msg_set_origport(dpt_buf_hdr(m), rows[i].origport);
		dpt_msg_set_errcode(dpt_buf_hdr(m), rows[i].err);
		sock_rx(&f, m);
		CU_EQ_U64(sock_conn(&f, port).state, rows[i].state);
		if (rows[i].state == DPT_SOCK_STATE_DISCONNECTING) {
			CU_EQ_I64(sock_conn(&f, port).error, ECONNREFUSED);
			dpt_sock_error_clear(f.socks, port);
			CU_EQ_I64(sock_conn(&f, port).error, 0);
			CU_EQ_I64(sock_read_err(&f, port), (int)rows[i].err);
		}
		sock_teardown(&f);
	}
}

/* 9.3, quirk: the peer's own lookup may have found a socket that the client does not know. */
static void
refusal_by_a_socket_found_there_is_taken(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_service(1000, 5, 0);
	struct dpt_port port;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 0, 9, LISTENER, PEER_B);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	for (uint32_t instance = 6; instance >= 5; instance--) {
		struct rte_mbuf *m = sock_msg(0, DPT_TYPE_NAMED, DPT_HDR_NAMED, 0, port.ref);

		CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_CONNECTING);
		dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
		dpt_msg_set_nametype(dpt_buf_hdr(m), 1000);
		dpt_msg_set_nameinst(dpt_buf_hdr(m), instance);
		sock_rx(&f, m);
	}
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	CU_EQ_I64(sock_conn(&f, port).error, ECONNREFUSED);
	sock_teardown(&f);
}

static void
overload_feed(struct sock_fixture *f, struct dpt_port port)
{
	struct rte_mbuf *m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 0, port.ref);

	dpt_msg_set_origport(dpt_buf_hdr(m), LISTENER);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_OVERLOAD);
	sock_rx(f, m);
}

/* 7.6: after 100 ms and at most a quarter of the timeout, data and all. */
static void
overloaded_listener_is_asked_again(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(LISTENER, PEER_B);
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	f.opts.conn_timeout_ms = 400;
	CU_EQ_I64(sock_send(&f, port, &dest, 33), 0);
	rte_pktmbuf_free(sock_routed(&f));
	overload_feed(&f, port);
	CU_TRUE(dpt_socks_deadline_ns(f.socks) != DPT_NEVER_NS);
	dpt_socks_timeout(f.socks, 99 * DPT_NS_PER_MS, &f.routed);
	CU_EQ_U64(f.routed.cnt, 0);
	dpt_socks_timeout(f.socks, 202 * DPT_NS_PER_MS, &f.routed);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_syn(dpt_buf_hdr(m)), 1);
	CU_EQ_U64(dpt_msg_payload_bytes(dpt_buf_hdr(m)), 33);
	rte_pktmbuf_free(m);
	CU_EQ_U64(f.counters.syns_again, 1);
	/* And again, as often as it says so. */
	overload_feed(&f, port);
	dpt_socks_timeout(f.socks, 404 * DPT_NS_PER_MS, &f.routed);
	CU_EQ_U64(f.counters.syns_again, 2);
	rte_pktmbuf_free(sock_routed(&f));
	/* The connection is made: the copy is gone. */
	sock_rx(&f, sock_conn_msg(0, port));
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_ESTABLISHED);
	sock_teardown(&f);
}

/* 7.6: a congested link puts it off, and without a copy it is a refusal. */
static void
repeated_syn_waits_for_the_link_or_is_a_refusal(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(LISTENER, PEER_B);
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 0);
	overload_feed(&f, port);
	dpt_socks_timeout(f.socks, 3 * DPT_NS_PER_S, &f.routed);
	CU_EQ_U64(f.counters.syns_again, 0);
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1, &f.routed);
	test_pool_exhaust(0);
	dpt_socks_timeout(f.socks, 4 * DPT_NS_PER_S, &f.routed);
	test_pool_release();
	CU_EQ_U64(f.counters.syns_again, 1);
	overload_feed(&f, port); /* there was no buffer for another copy */
	CU_EQ_I64(sock_conn(&f, port).error, ECONNREFUSED);
	sock_teardown(&f);
}

/* 10.6, errors in order. */
static void
implicit_connect_says_why_not(void)
{
	struct sock_fixture f;
	struct dpt_dest range = sock_dest_range(1000, 1, 1);
	struct dpt_dest nobody = sock_dest_service(1000, 1, 0);
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	sock_bind(&f, port, 1000, 7, 7);
	CU_EQ_I64(sock_send(&f, port, &nobody, 66001), -EMSGSIZE);
	CU_EQ_I64(sock_send(&f, port, &range, 1), -EINVAL); /* 10.3, quirk */
	CU_EQ_I64(sock_send(&f, port, &nobody, 1), -EOPNOTSUPP);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_send(&f, port, &nobody, 1), -EHOSTUNREACH);
	CU_EQ_I64(sock_send(&f, port, NULL, 1), -ENOTCONN);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* 10.6: its data counts as sent, header as it was: (40 + 66000) / 1024 + 1 = 65 blocks. */
static void
implicit_connect_counts_its_data(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_service(1000, 5, 0);
	struct dpt_port port;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 0, 9, LISTENER, PEER_B);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_send(&f, port, &dest, 66000), 0);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_CONNECTING);
	CU_EQ_U64(sock_conn(&f, port).credit, 0);
	CU_EQ_I64(sock_send(&f, port, NULL, 1), -ENOTCONN);
	sock_rx(&f, sock_conn_msg(0, port));
	CU_EQ_U64(sock_conn(&f, port).credit, 128 - 65);
	sock_teardown(&f);
}

/* 10.5, in order; a destination is ignored once there is a connection. */
static void
data_in_each_state(void)
{
	struct sock_fixture f;
	struct dpt_dest other = sock_dest_socket(1, PEER_C);
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_write(&f, port, 66001), -EMSGSIZE);
	f.opts.is_src_droppable = true; /* 12.5: it would ask for an acknowledgement */
	CU_EQ_I64(sock_send(&f, port, &other, 5), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_type(dpt_buf_hdr(m)), DPT_TYPE_CONN);
	CU_EQ_U64(dpt_msg_hdr_bytes(dpt_buf_hdr(m)), 24);
	CU_EQ_U64(dpt_msg_destport(dpt_buf_hdr(m)), 0x77);
	CU_EQ_U64(dpt_msg_ack_required(dpt_buf_hdr(m)), 0);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_B);
	rte_pktmbuf_free(m);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 0);
	CU_EQ_I64(sock_write(&f, port, 5), -EAGAIN);
	CU_FALSE(dpt_sock_can_end(f.socks, port));
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1, &f.routed);
	CU_EQ_I64(sock_write(&f, port, 5), 0);
	sock_rx(&f, sock_conn_err(DPT_ERR_NO_PORT, port));
	CU_EQ_I64(sock_write(&f, port, 5), -EPIPE);
	sock_teardown(&f);
}

/* 10.5: a pending error comes first, once. */
static void
pending_error_is_told_once(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(0x77, PEER_B);
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	sock_rx(&f, sock_conn_err(DPT_ERR_NO_PORT, port));
	CU_EQ_I64(sock_write(&f, port, 1), -ECONNREFUSED);
	CU_EQ_I64(sock_write(&f, port, 1), -EPIPE);
	sock_teardown(&f);
}

/* An application that goes on sending is held at one over the limit, whatever it was told. */
static void
hazard_09_5_window_is_enforced_here(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	for (int i = 0; i < 129; i++) {
		CU_EQ_I64(sock_write(&f, port, 100), 0);
		rte_pktmbuf_free(sock_routed(&f));
	}
	for (int i = 0; i < 10; i++)
		CU_EQ_I64(sock_write(&f, port, 100), -EAGAIN);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(syn_by_name_field_by_field),
	CU_TEST(syn_by_socket_address_has_no_scope_and_no_node_0),
	CU_TEST(syn_to_a_domain_goes_there_with_port_0),
	CU_TEST(connect_says_why_not),
	CU_TEST(connect_in_other_states),
	CU_TEST(ack_completes_the_connection),
	CU_TEST(ack_with_data_is_the_first_message),
	CU_TEST(hazard_09_11_ack_from_another_node_is_refused),
	CU_TEST(connecting_row_by_row),
	CU_TEST(refusal_by_a_socket_found_there_is_taken),
	CU_TEST(overloaded_listener_is_asked_again),
	CU_TEST(repeated_syn_waits_for_the_link_or_is_a_refusal),
	CU_TEST(implicit_connect_says_why_not),
	CU_TEST(implicit_connect_counts_its_data),
	CU_TEST(data_in_each_state),
	CU_TEST(pending_error_is_told_once),
	CU_TEST(hazard_09_5_window_is_enforced_here),
};

const struct cu_suite sock_conn_suite = CU_TEST_SUITE("conn", tests);
