/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: how connections end: 09-socket-api.md, 14.2, 14.3, 15.2, 17, 22. */
#include <errno.h>

#include "sock_fixture.h"

/* Next routed message is an end without data: 24 octets, CRITICAL, err. */
static void
routed_end(struct sock_fixture *f, uint32_t err, uint32_t destport)
{
	struct rte_mbuf *m = sock_routed(f);
	const uint8_t *hdr = dpt_buf_hdr(m);

	CU_EQ_U64(dpt_msg_user(hdr), DPT_USER_CRITICAL);
	CU_EQ_U64(dpt_msg_type(hdr), DPT_TYPE_CONN);
	CU_EQ_U64(dpt_msg_hdr_bytes(hdr), 24);
	CU_EQ_U64(dpt_msg_size(hdr), 24);
	CU_EQ_U64(dpt_msg_errcode(hdr), err);
	CU_EQ_U64(dpt_msg_destport(hdr), destport);
	rte_pktmbuf_free(m);
}

/* Next routed message is one of the peer's that goes back. */
static void
routed_return(struct sock_fixture *f, uint32_t err, uint32_t payload_bytes)
{
	struct rte_mbuf *m = sock_routed(f);
	const uint8_t *hdr = dpt_buf_hdr(m);

	CU_EQ_U64(dpt_msg_hdr_bytes(hdr), 32);
	CU_EQ_U64(dpt_msg_errcode(hdr), err);
	CU_EQ_U64(dpt_msg_payload_bytes(hdr), payload_bytes);
	CU_EQ_U64(dpt_msg_destport(hdr), 0x77);
	CU_EQ_U64(dpt_msg_destnode(hdr), PEER_B);
	rte_pktmbuf_free(m);
}

static void
shutdown_sends_an_end(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	dpt_sock_shutdown(f.socks, port, &f.routed);
	routed_end(&f, DPT_ERR_CONN_SHUTDOWN, 0x77);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	CU_EQ_I64(sock_conn(&f, port).error, 0);
	/* What the peer had sent meanwhile is refused; nothing more is said. */
	sock_rx(&f, sock_conn_msg(4, port));
	routed_return(&f, DPT_ERR_NO_PORT, 4);
	dpt_sock_shutdown(f.socks, port, &f.routed);
	dpt_sock_close(f.socks, port, &f.routed);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* 17.1, step 4: the first goes back and tells the peer, the others are dropped. */
static void
close_with_unread_data_returns_the_first(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	for (uint32_t i = 1; i <= 3; i++)
		sock_rx(&f, sock_conn_msg(1000 * i, port));
	dpt_sock_close(f.socks, port, &f.routed);
	routed_return(&f, DPT_ERR_NO_PORT, 1000);
	CU_EQ_U64(f.routed.cnt, 0);
	CU_EQ_U64(f.counters.returned_closed, 1);
	CU_EQ_U64(f.counters.drop_closed, 2);
	sock_teardown(&f);
}

/* 17.1, step 3. */
static void
partly_read_message_does_not_go_back(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_STREAM);
	sock_rx(&f, sock_conn_msg(10, port));
	sock_rx(&f, sock_conn_msg(20, port));
	CU_NOT_NULL(dpt_sock_recv_next(f.socks, port));
	dpt_sock_partly_read(f.socks, port);
	dpt_sock_shutdown(f.socks, port, &f.routed);
	routed_return(&f, DPT_ERR_CONN_SHUTDOWN, 20);
	CU_EQ_U64(f.routed.cnt, 0);
	/* The only one: then the end is empty. */
	port = sock_established(&f, DPT_SOCK_STREAM);
	sock_rx(&f, sock_conn_msg(10, port));
	CU_NOT_NULL(dpt_sock_recv_next(f.socks, port));
	dpt_sock_partly_read(f.socks, port);
	dpt_sock_close(f.socks, port, &f.routed);
	routed_end(&f, DPT_ERR_NO_PORT, 0x77);
	sock_teardown(&f);
}

/* The mark belongs to one message: read to its end, the next one is whole. */
static void
fully_read_message_takes_its_mark_along(void)
{
	struct sock_fixture f;
	struct dpt_port port, rdm;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_STREAM);
	sock_rx(&f, sock_conn_msg(10, port));
	sock_rx(&f, sock_conn_msg(20, port));
	CU_NOT_NULL(dpt_sock_recv_next(f.socks, port));
	dpt_sock_partly_read(f.socks, port);
	dpt_sock_recv_done(f.socks, port, 1, &f.routed);
	dpt_sock_close(f.socks, port, &f.routed);
	routed_return(&f, DPT_ERR_NO_PORT, 20);
	/* Connectionless sockets too: 17.1, step 3. */
	rdm = sock_new(&f);
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 10, rdm.ref));
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 20, rdm.ref));
	CU_NOT_NULL(dpt_sock_recv_next(f.socks, rdm));
	dpt_sock_partly_read(f.socks, rdm);
	dpt_sock_close(f.socks, rdm, &f.routed);
	routed_return(&f, DPT_ERR_NO_PORT, 20);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* 17.1, quirk: what must not go back would leave the peer without a word. */
static void
droppable_first_message_is_replaced_by_an_end(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	m = sock_conn_msg(10, port);
	dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	dpt_sock_close(f.socks, port, &f.routed);
	routed_end(&f, DPT_ERR_NO_PORT, 0x77);
	CU_EQ_U64(f.counters.drop_closed, 1);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* 17.1: in state CONNECTING the peer is the SYN's destination. */
static void
close_while_connecting_tells_the_destination(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(0x99, PEER_B);
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	rte_pktmbuf_free(sock_routed(&f));
	dpt_sock_close(f.socks, port, &f.routed);
	routed_end(&f, DPT_ERR_NO_PORT, 0x99);
	sock_teardown(&f);
}

/* 7.4: an ACK that comes after the client has gone finds no port. */
static void
late_ack_finds_no_port(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct dpt_dest dest = sock_dest_socket(0x77, PEER_B);
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	dpt_sock_close(f.socks, port, &f.routed);
	dpt_bufq_free(&f.routed);
	sock_rx(&f, sock_conn_msg(0, port));
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

/* 8: the socket stays in LISTEN after a shutdown; requests are refused with its code. */
static void
shutdown_and_close_of_a_listener_refuse_requests(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_listen(f.socks, port), 0);
	for (uint32_t round = 0; round < 2; round++) {
		uint32_t err = round == 0 ? DPT_ERR_CONN_SHUTDOWN : DPT_ERR_NO_PORT;

		for (uint32_t i = 0; i < 2; i++) {
			struct rte_mbuf *m =
				sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 4, port.ref);

			dpt_msg_set_syn(dpt_buf_hdr(m), 1);
			sock_rx(&f, m);
		}
		CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_LISTEN);
		if (round == 0)
			dpt_sock_shutdown(f.socks, port, &f.routed);
		else
			dpt_sock_close(f.socks, port, &f.routed);
		routed_return(&f, err, 4);
		routed_return(&f, err, 4);
		CU_EQ_U64(f.routed.cnt, 0);
	}
	sock_teardown(&f);
}

static void
open_socket_of_a_connection_type_says_nothing(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	dpt_sock_shutdown(f.socks, port, &f.routed);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_OPEN);
	dpt_sock_close(f.socks, port, &f.routed);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* 14.3: what came before the end is read first. */
static void
end_of_the_peer_is_read_behind_the_data(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	sock_rx(&f, sock_conn_msg(5, port));
	sock_rx(&f, sock_conn_err(DPT_ERR_CONN_SHUTDOWN, port));
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	CU_EQ_U64(sock_conn(&f, port).credit, 0);
	CU_EQ_I64(sock_read(&f, port), 5);
	CU_EQ_I64(sock_read_err(&f, port), DPT_ERR_CONN_SHUTDOWN);
	CU_EQ_I64(sock_read_err(&f, port), -1);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* 14.4, quirk: the end is queued whatever is there. */
static void
end_is_queued_over_the_limit(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	sock_rx(&f, sock_conn_msg(66000, port));
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, port, 1), 0);
	sock_rx(&f, sock_conn_err(DPT_ERR_NO_PORT, port));
	CU_EQ_I64(sock_read(&f, port), 66000);
	CU_EQ_I64(sock_read_err(&f, port), DPT_ERR_NO_PORT);
	sock_teardown(&f);
}

/* Unknown codes, and data longer than any return has, are given on as they are. */
static void
hazard_09_17_returns_that_nobody_sent(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	m = sock_conn_msg(3000, port);
	dpt_msg_set_errcode(dpt_buf_hdr(m), 15);
	sock_rx(&f, m);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	m = dpt_sock_recv_next(f.socks, port);
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), 15);
	CU_EQ_U64(dpt_msg_payload_bytes(dpt_buf_hdr(m)), 3000);
	dpt_sock_close(f.socks, port, &f.routed);
	CU_EQ_U64(f.routed.cnt, 0); /* no answer to an error */
	sock_teardown(&f);
}

/* 14.2: what the states and the other types of message are refused. */
static void
filter_of_the_other_states(void)
{
	static const struct {
		uint32_t type, hdr_bytes;
	} msgs[] = {
		{DPT_TYPE_CONN, DPT_HDR_SHORT},	     {DPT_TYPE_NAMED, DPT_HDR_NAMED},
		{DPT_TYPE_DIRECT, DPT_HDR_BASIC},    {DPT_TYPE_GRP_BCAST, DPT_HDR_MCAST},
		{DPT_TYPE_GRP_MCAST, DPT_HDR_MCAST}, {DPT_TYPE_GRP_UCAST, DPT_HDR_MCAST},
	};
	struct sock_fixture f;
	struct dpt_port ports[3];

	sock_setup(&f, 4);
	ports[0] = sock_new_type(&f, DPT_SOCK_STREAM);
	ports[1] = sock_established(&f, DPT_SOCK_STREAM);
	dpt_sock_shutdown(f.socks, ports[1], &f.routed);
	dpt_bufq_free(&f.routed);
	ports[2] = sock_established(&f, DPT_SOCK_SEQPACKET);
	for (uint32_t s = 0; s < CU_CNT(ports); s++) {
		for (uint32_t i = 0; i < CU_CNT(msgs); i++) {
			struct rte_mbuf *m =
				sock_msg(0, msgs[i].type, msgs[i].hdr_bytes, 4, ports[s].ref);

			cu_context("socket %u, message %u", s, i);
			dpt_msg_set_origport(dpt_buf_hdr(m), 0x78);
			sock_rx(&f, m);
			m = sock_routed(&f);
			CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
			rte_pktmbuf_free(m);
		}
	}
	CU_EQ_U64(sock_conn(&f, ports[2]).state, DPT_SOCK_STATE_ESTABLISHED);
	sock_teardown(&f);
}

/* 14.2: a multicast reaches sockets of connection types by their bindings, and is refused. */
static void
multicast_to_a_connection_type_is_refused(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	sock_bind(&f, port, 1000, 1, 5);
	m = sock_msg(0, DPT_TYPE_MCAST, DPT_HDR_MCAST, 4, 0);
	dpt_msg_set_nametype(dpt_buf_hdr(m), 1000);
	dpt_msg_set_namelower(dpt_buf_hdr(m), 1);
	dpt_msg_set_nameupper(dpt_buf_hdr(m), 5);
	sock_rx(&f, m);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

/* 22: all connections with the node, and no other socket; CONNECTING ones wait on. */
static void
lost_node_ends_its_connections(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(0x99, PEER_B);
	struct dpt_port conns[3], connecting, a, b;

	sock_setup(&f, 16);
	for (uint32_t i = 0; i < 3; i++)
		conns[i] = sock_established(&f, DPT_SOCK_STREAM);
	sock_two(&f, DPT_SOCK_SEQPACKET, &a, &b);
	connecting = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_connect(&f, connecting, &dest), 0);
	sock_rx(&f, sock_conn_msg(4, conns[1]));
	dpt_sock_close(f.socks, conns[2], &f.routed);
	dpt_sock_congested(f.socks, conns[0], dpt_node_addr(PEER_B), 0);
	dpt_socks_node_down(f.socks, dpt_node_addr(PEER_B), &f.routed);
	CU_EQ_U64(f.counters.ends_made, 2);
	CU_EQ_I64(sock_read_err(&f, conns[0]), DPT_ERR_NO_NODE);
	CU_EQ_I64(sock_read(&f, conns[1]), 4);
	CU_EQ_I64(sock_read_err(&f, conns[1]), DPT_ERR_NO_NODE);
	CU_FALSE(dpt_sock_is_congested(f.socks, conns[0]));
	CU_EQ_U64(sock_conn(&f, connecting).state, DPT_SOCK_STATE_CONNECTING);
	CU_EQ_U64(sock_conn(&f, a).state, DPT_SOCK_STATE_ESTABLISHED);
	/* A node that came up again is a new life. */
	dpt_socks_node_up(f.socks, dpt_node_addr(PEER_B), DPT_CAPS_OWN, 1500);
	dpt_socks_node_down(f.socks, dpt_node_addr(PEER_B), &f.routed);
	CU_EQ_U64(f.counters.ends_made, 2);
	sock_teardown(&f);
}

/* Without a buffer for the message the application learns by the pending error. */
static void
lost_node_without_a_buffer_is_a_pending_error(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_STREAM);
	test_pool_exhaust(0);
	dpt_socks_node_down(f.socks, dpt_node_addr(PEER_B), &f.routed);
	test_pool_release();
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	CU_EQ_I64(sock_conn(&f, port).error, ECONNABORTED);
	sock_teardown(&f);
}

/* Nodes come and go, also more than the table holds. */
static void
table_of_nodes_is_bounded(void)
{
	struct sock_fixture f;
	struct dpt_dest dest;
	struct dpt_port port;

	sock_setup(&f, 4);
	for (uint32_t i = 0; i < 100; i++) {
		dpt_socks_node_up(f.socks, dpt_node_addr(0x02000000 + i), DPT_CAPS_OWN, 1500);
		dpt_socks_node_down(f.socks, dpt_node_addr(0x02000000 + i), &f.routed);
	}
	for (uint32_t i = 0; i < 100; i++)
		dpt_socks_node_up(f.socks, dpt_node_addr(0x02000000 + i), DPT_CAPS_OWN, 1500);
	dest = sock_dest_socket(1, 0x02000002);
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_connect(&f, port, &dest), 0);
	dest = sock_dest_socket(1, 0x02000003); /* four places, PEER_B has one */
	port = sock_new_type(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_connect(&f, port, &dest), -EHOSTUNREACH);
	sock_teardown(&f);
}

/* A late message for a socket that is gone does not reach the one in its slot. */
static void
hazard_09_25_number_of_a_closed_connection_finds_nothing(void)
{
	struct sock_fixture f;
	struct dpt_port port, next;

	sock_setup(&f, 1);
	port = sock_established(&f, DPT_SOCK_STREAM);
	dpt_sock_close(f.socks, port, &f.routed);
	dpt_bufq_free(&f.routed);
	next = sock_established(&f, DPT_SOCK_STREAM);
	CU_TRUE(next.ref != port.ref);
	sock_rx(&f, sock_conn_msg(4, port));
	sock_rx(&f, sock_conn_err(DPT_ERR_NO_PORT, port));
	CU_EQ_U64(sock_conn(&f, next).state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_I64(sock_read(&f, next), -1);
	sock_teardown(&f);
}

/* Two sockets of one shard: data both ways, then the end, as an application sees it. */
static void
connection_inside_the_shard(void)
{
	struct sock_fixture f;
	struct dpt_port a, b;

	sock_setup(&f, 4);
	sock_two(&f, DPT_SOCK_SEQPACKET, &a, &b);
	for (uint32_t i = 0; i < 1000; i++) {
		CU_EQ_I64(sock_write(&f, a, 900), 0);
		CU_EQ_I64(sock_write(&f, b, 1100), 0);
		sock_pump(&f);
		CU_EQ_I64(sock_read(&f, b), 900);
		CU_EQ_I64(sock_read(&f, a), 1100);
		sock_pump(&f);
	}
	CU_EQ_U64(f.counters.acks_beyond, 0);
	CU_EQ_I64(sock_write(&f, a, 7), 0);
	dpt_sock_shutdown(f.socks, a, &f.routed);
	sock_pump(&f);
	CU_EQ_I64(sock_read(&f, b), 7);
	CU_EQ_I64(sock_read_err(&f, b), DPT_ERR_CONN_SHUTDOWN);
	sock_teardown(&f);
}

/* 22: the own address comes later; connections inside the node go on. */
static void
connection_older_than_the_own_address(void)
{
	struct sock_fixture f;
	struct dpt_port a, b;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	dpt_socks_own_set(f.socks, dpt_node_addr(0));
	a = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	b = sock_new_type(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_pair(f.socks, a, b, 0), 0);
	dpt_socks_own_set(f.socks, dpt_node_addr(OWN));
	CU_EQ_I64(sock_write(&f, a, 9), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, OWN);
	sock_rx(&f, m);
	CU_EQ_I64(sock_read(&f, b), 9);
	CU_EQ_U64(sock_conn(&f, a).peer.node.value, 0);
	dpt_sock_close(f.socks, a, &f.routed);
	sock_rx(&f, sock_routed(&f));
	CU_EQ_I64(sock_read_err(&f, b), DPT_ERR_NO_PORT);
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(shutdown_sends_an_end),
	CU_TEST(close_with_unread_data_returns_the_first),
	CU_TEST(partly_read_message_does_not_go_back),
	CU_TEST(fully_read_message_takes_its_mark_along),
	CU_TEST(droppable_first_message_is_replaced_by_an_end),
	CU_TEST(close_while_connecting_tells_the_destination),
	CU_TEST(late_ack_finds_no_port),
	CU_TEST(shutdown_and_close_of_a_listener_refuse_requests),
	CU_TEST(open_socket_of_a_connection_type_says_nothing),
	CU_TEST(end_of_the_peer_is_read_behind_the_data),
	CU_TEST(end_is_queued_over_the_limit),
	CU_TEST(hazard_09_17_returns_that_nobody_sent),
	CU_TEST(filter_of_the_other_states),
	CU_TEST(multicast_to_a_connection_type_is_refused),
	CU_TEST(lost_node_ends_its_connections),
	CU_TEST(lost_node_without_a_buffer_is_a_pending_error),
	CU_TEST(table_of_nodes_is_bounded),
	CU_TEST(hazard_09_25_number_of_a_closed_connection_finds_nothing),
	CU_TEST(connection_inside_the_shard),
	CU_TEST(connection_older_than_the_own_address),
};

const struct cu_suite sock_end_suite = CU_TEST_SUITE("end", tests);
