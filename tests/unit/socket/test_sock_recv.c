/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: reading, readiness, close and shutdown: 09-socket-api.md, 16, 17. */
#include <errno.h>

#include "sock_fixture.h"

static void
feed(struct sock_fixture *f, struct dpt_port port, uint32_t len)
{
	sock_rx(f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, len, port.ref));
}

static void
messages_are_read_in_order_and_kept_until_done(void)
{
	struct sock_fixture f;
	struct dpt_sock_info info;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	for (uint32_t i = 1; i <= 3; i++)
		feed(&f, port, i);
	for (uint32_t i = 1; i <= 2; i++) {
		struct rte_mbuf *m = dpt_sock_recv_next(f.socks, port);

		CU_NOT_NULL_FATAL(m);
		CU_EQ_U64(dpt_msg_payload_bytes(dpt_buf_hdr(m)), i);
	}
	dpt_sock_info(f.socks, port, &info);
	CU_EQ_U64(info.queued_msgs, 3);
	dpt_sock_recv_done(f.socks, port, 2, &f.routed);
	feed(&f, port, 4);
	CU_EQ_I64(sock_read(&f, port), 3);
	CU_EQ_I64(sock_read(&f, port), 4);
	CU_EQ_I64(sock_read(&f, port), -1);
	feed(&f, port, 5); /* after everything was given out */
	CU_EQ_I64(sock_read(&f, port), 5);
	sock_teardown(&f);
}

static void
more_done_than_given_frees_what_was_given_only(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	feed(&f, port, 1);
	feed(&f, port, 2);
	dpt_sock_recv_done(f.socks, port, 7, &f.routed);
	CU_NOT_NULL_FATAL(dpt_sock_recv_next(f.socks, port));
	dpt_sock_recv_done(f.socks, port, UINT32_MAX, &f.routed);
	CU_EQ_I64(sock_read(&f, port), 2);
	sock_teardown(&f);
}

static void
ready_socket_is_told_once_until_it_receives_again(void)
{
	struct sock_fixture f;
	struct dpt_port a, b, port;
	uint64_t cookie = 0;

	sock_setup(&f, 4);
	a = sock_new(&f);
	b = sock_new(&f);
	feed(&f, b, 1);
	feed(&f, a, 1);
	feed(&f, b, 1);
	CU_TRUE(dpt_sock_ready_pop(f.socks, &port, &cookie));
	CU_EQ_U64(port.ref, b.ref);
	CU_EQ_U64(cookie, 42);
	CU_TRUE(dpt_sock_ready_pop(f.socks, &port, &cookie));
	CU_EQ_U64(port.ref, a.ref);
	CU_FALSE(dpt_sock_ready_pop(f.socks, &port, &cookie));
	feed(&f, b, 1);
	CU_TRUE(dpt_sock_ready_pop(f.socks, &port, &cookie));
	feed(&f, a, 1);
	dpt_sock_close(f.socks, a, &f.routed);
	CU_FALSE(dpt_sock_ready_pop(f.socks, &port, &cookie));
	sock_teardown(&f);
}

/* Three unread: one asks to be returned, one is droppable, one is a return itself. */
static void
feed_three(struct sock_fixture *f, struct dpt_port port)
{
	struct rte_mbuf *m;

	feed(f, port, 1);
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 2, port.ref);
	dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
	sock_rx(f, m);
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 3, port.ref);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	sock_rx(f, m);
}

static void
close_returns_what_was_not_read(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	feed(&f, port, 9);
	CU_EQ_I64(sock_read(&f, port), 9);
	feed_three(&f, port);
	dpt_sock_close(f.socks, port, &f.routed);
	CU_EQ_U64(f.routed.cnt, 1);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
	CU_EQ_U64(dpt_msg_payload_bytes(dpt_buf_hdr(m)), 1);
	CU_EQ_U64(dpt_msg_origport(dpt_buf_hdr(m)), port.ref);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_B);
	CU_EQ_U64(dpt_buf(m)->arg2, port.ref);
	rte_pktmbuf_free(m);
	CU_EQ_U64(f.counters.returned_closed, 1);
	CU_EQ_U64(f.counters.drop_closed, 2);
	CU_EQ_U64(dpt_socks_cnt(f.socks), 0);
	dpt_sock_close(f.socks, port, &f.routed); /* again: nothing */
	CU_EQ_U64(dpt_socks_cnt(f.socks), 0);
	sock_teardown(&f);
}

static void
shutdown_returns_what_was_not_read_and_keeps_the_socket(void)
{
	struct sock_fixture f;
	struct dpt_sock_info info;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_bind(&f, port, 1000, 1, 1);
	feed_three(&f, port);
	dpt_sock_shutdown(f.socks, port, &f.routed);
	CU_EQ_U64(f.routed.cnt, 1);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_CONN_SHUTDOWN);
	rte_pktmbuf_free(m);
	CU_EQ_U64(f.counters.returned_shutdown, 1);
	CU_EQ_U64(f.counters.drop_shutdown, 2);
	CU_EQ_I64(dpt_sock_info(f.socks, port, &info), 0);
	CU_EQ_U64(info.bindings_cnt, 1);
	CU_EQ_U64(info.queued_bytes, 0);
	feed(&f, port, 5);
	CU_EQ_I64(sock_read(&f, port), 5);
	sock_teardown(&f);
}

static void
close_counts_given_out_but_not_done_as_unread(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	feed(&f, port, 1);
	feed(&f, port, 2);
	CU_NOT_NULL_FATAL(dpt_sock_recv_next(f.socks, port));
	dpt_sock_close(f.socks, port, &f.routed);
	CU_EQ_U64(f.routed.cnt, 2);
	CU_IS_NULL(dpt_sock_recv_next(f.socks, port));
	dpt_sock_recv_done(f.socks, port, 1, &f.routed);
	sock_teardown(&f);
}

static void
close_with_the_pool_empty_still_returns(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	feed(&f, port, 1);
	test_pool_exhaust(0);
	dpt_sock_close(f.socks, port, &f.routed); /* turned round in place */
	test_pool_release();
	CU_EQ_U64(f.routed.cnt, 1);
	sock_teardown(&f);
}

static void
info_of_an_unknown_port(void)
{
	struct sock_fixture f;
	struct dpt_sock_info info;

	sock_setup(&f, 4);
	CU_EQ_I64(dpt_sock_info(f.socks, dpt_port(0), &info), -ENOENT);
	CU_EQ_I64(dpt_sock_info(f.socks, dpt_port(UINT32_MAX), &info), -ENOENT);
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(messages_are_read_in_order_and_kept_until_done),
	CU_TEST(more_done_than_given_frees_what_was_given_only),
	CU_TEST(ready_socket_is_told_once_until_it_receives_again),
	CU_TEST(close_returns_what_was_not_read),
	CU_TEST(shutdown_returns_what_was_not_read_and_keeps_the_socket),
	CU_TEST(close_counts_given_out_but_not_done_as_unread),
	CU_TEST(close_with_the_pool_empty_still_returns),
	CU_TEST(info_of_an_unknown_port),
};

const struct cu_suite sock_recv_suite = CU_TEST_SUITE("recv", tests);
