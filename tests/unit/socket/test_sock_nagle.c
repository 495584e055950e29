/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: small writes of a stream share packets where asked for: 09-socket-api.md, 12. */
#include <errno.h>

#include "sock_fixture.h"

static struct dpt_port
stream_new(struct sock_fixture *f)
{
	struct dpt_port port = sock_established(f, DPT_SOCK_STREAM);

	CU_EQ_I64(dpt_sock_nodelay_set(f->socks, port, false), 0);
	return port;
}

/* The answer to an acknowledge request. */
static void
answer(struct sock_fixture *f, struct dpt_port port)
{
	struct rte_mbuf *m = sock_manager_msg(DPT_TYPE_CONN_ACK, 0, 512, port);

	dpt_msg_set_nagle_ack(dpt_buf_hdr(m), 1);
	sock_manager_rx(f, m);
}

/* Payload of the next routed message; is_asking: it has the acknowledge request. */
static uint32_t
routed_data(struct sock_fixture *f, bool is_asking)
{
	struct rte_mbuf *m = sock_routed(f);
	uint32_t bytes = dpt_msg_payload_bytes(dpt_buf_hdr(m));

	CU_EQ_U64(dpt_msg_type(dpt_buf_hdr(m)), DPT_TYPE_CONN);
	CU_EQ_U64(dpt_msg_ack_required(dpt_buf_hdr(m)), is_asking);
	CU_EQ_U64(dpt_buf_bytes(m), 24 + bytes);
	rte_pktmbuf_free(m);
	return bytes;
}

static void
off_unless_asked_for(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_STREAM);
	for (uint32_t i = 0; i < 50; i++) {
		CU_EQ_I64(sock_write(&f, port, 10), 0);
		CU_EQ_U64(routed_data(&f, false), 10);
	}
	sock_teardown(&f);
}

/* A peer without the capability is never asked, nor a SEQPACKET aggregated. */
static void
off_where_it_does_not_work(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	dpt_socks_node_up(f.socks, dpt_node_addr(PEER_B), DPT_CAPS_OWN & ~DPT_CAP_NAGLE, 1500);
	port = stream_new(&f);
	for (uint32_t i = 0; i < 10; i++) {
		CU_EQ_I64(sock_write(&f, port, 10), 0);
		CU_EQ_U64(routed_data(&f, false), 10);
	}
	dpt_socks_node_up(f.socks, dpt_node_addr(PEER_B), DPT_CAPS_OWN, 1500);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_nodelay_set(f.socks, port, false), 0);
	for (uint32_t i = 0; i < 10; i++) {
		CU_EQ_I64(sock_write(&f, port, 10), 0);
		CU_EQ_U64(routed_data(&f, false), 10);
	}
	CU_EQ_I64(dpt_sock_nodelay_set(f.socks, dpt_port(1), false), -EINVAL);
	sock_teardown(&f);
}

/* 12.2: four plainly, the fifth asks, what follows shares a packet until the answer. */
static void
writes_share_a_packet_until_the_answer(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = stream_new(&f);
	for (uint32_t i = 0; i < 4; i++) {
		CU_EQ_I64(sock_write(&f, port, 10), 0);
		CU_EQ_U64(routed_data(&f, false), 10);
	}
	CU_EQ_I64(sock_write(&f, port, 10), 0);
	CU_EQ_U64(routed_data(&f, true), 10);
	for (uint32_t i = 0; i < 20; i++)
		CU_EQ_I64(sock_write(&f, port, 10), 0);
	CU_EQ_U64(f.routed.cnt, 0);
	CU_EQ_U64(f.counters.aggregated, 19);
	/* Twenty writes cost one block: the credit says so. */
	CU_EQ_U64(sock_conn(&f, port).credit, 128 + 20);
	answer(&f, port);
	CU_EQ_U64(routed_data(&f, true), 200); /* it paid: asked again, 12.4 */
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* 12.4, 2: where it did not pay it takes twice as many writes to begin. */
static void
aggregation_that_does_not_pay_begins_later(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = stream_new(&f);
	for (uint32_t i = 0; i < 5; i++) {
		CU_EQ_I64(sock_write(&f, port, 10), 0);
		CU_EQ_U64(routed_data(&f, i == 4), 10);
	}
	answer(&f, port);
	for (uint32_t i = 0; i < 9; i++) {
		CU_EQ_I64(sock_write(&f, port, 10), 0);
		CU_EQ_U64(routed_data(&f, i == 8), 10);
	}
	sock_teardown(&f);
}

/* 12.2, 4: 64 blocks at most wait. */
static void
backlog_is_bounded(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	uint32_t bytes = 0, cnt = 0;

	sock_setup(&f, 4);
	port = stream_new(&f);
	for (uint32_t i = 0; i < 5; i++)
		CU_EQ_I64(sock_write(&f, port, 700), 0);
	dpt_bufq_free(&f.routed);
	while (f.routed.cnt == 0 && cnt++ < 1000)
		CU_EQ_I64(sock_write(&f, port, 700), 0);
	CU_EQ_U64(cnt, 65); /* two do not fit with their header into 1500 - 24: wait, they do */
	while (f.routed.cnt > 0)
		bytes += routed_data(&f, false);
	CU_EQ_U64(bytes, cnt * 700);
	sock_teardown(&f);
}

/* 12.3: each event that pushes what waits; order is kept. */
static void
events_that_push(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	for (uint32_t event = 0; event < 6; event++) {
		cu_context("event %u", event);
		sock_setup(&f, 4);
		port = stream_new(&f);
		for (uint32_t i = 0; i < 6; i++)
			CU_EQ_I64(sock_write(&f, port, 10), 0);
		dpt_bufq_free(&f.routed);
		switch (event) {
		case 0:
			sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_CONN_ACK, 1, 512, port));
			break;
		case 1:
			sock_rx(&f, sock_conn_msg(5, port));
			break;
		case 2:
			dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 0);
			sock_rx(&f, sock_conn_msg(5, port));
			CU_EQ_U64(f.routed.cnt, 0); /* the link is congested */
			dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1, &f.routed);
			break;
		case 3:
			dpt_sock_shutdown(f.socks, port, &f.routed);
			break;
		case 4:
			CU_EQ_I64(sock_write(&f, port, 3000), 0);
			break;
		default:
			dpt_sock_close(f.socks, port, &f.routed);
			break;
		}
		CU_EQ_U64(routed_data(&f, false), 10);
		if (event == 4)
			CU_EQ_U64(routed_data(&f, false), 3000);
		sock_teardown(&f);
	}
}

/* What could not be sent when the connection ended is counted and freed. */
static void
backlog_of_a_connection_that_ends_is_dropped(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = stream_new(&f);
	for (uint32_t i = 0; i < 6; i++)
		CU_EQ_I64(sock_write(&f, port, 10), 0);
	sock_rx(&f, sock_conn_err(DPT_ERR_NO_PORT, port));
	CU_EQ_U64(f.counters.drop_conn_ended, 1);
	sock_teardown(&f);
}

/* 12: TIPC_NODELAY set during the connection: what waits goes with the next write. */
static void
switched_off_again(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = stream_new(&f);
	for (uint32_t i = 0; i < 6; i++)
		CU_EQ_I64(sock_write(&f, port, 10), 0);
	dpt_bufq_free(&f.routed);
	CU_EQ_I64(dpt_sock_nodelay_set(f.socks, port, true), 0);
	CU_EQ_I64(sock_write(&f, port, 11), 0);
	CU_EQ_U64(routed_data(&f, false), 10);
	CU_EQ_U64(routed_data(&f, false), 11);
	sock_teardown(&f);
}

/* Both ends here: bytes arrive in order, whatever is aggregated. */
static void
stream_inside_the_shard_keeps_order(void)
{
	struct sock_fixture f;
	struct dpt_port a, b;
	uint32_t sent = 0, read = 0;

	sock_setup(&f, 4);
	sock_two(&f, DPT_SOCK_STREAM, &a, &b);
	CU_EQ_I64(dpt_sock_nodelay_set(f.socks, a, false), 0);
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t len = 1 + dpt_rng_below(&f.rng, i % 50 == 0 ? 3000 : 60);
		int got;

		if (sock_write(&f, a, len) == 0)
			sent += len;
		if (i % 7 == 0)
			sock_pump(&f);
		while (i % 11 == 0 && (got = sock_read(&f, b)) >= 0)
			read += (uint32_t)got;
	}
	for (uint32_t i = 0; i < 10; i++) {
		int got;

		sock_pump(&f);
		while ((got = sock_read(&f, b)) >= 0)
			read += (uint32_t)got;
	}
	CU_EQ_U64(read, sent);
	CU_TRUE(f.counters.aggregated > 0);
	CU_EQ_U64(f.counters.acks_beyond, 0);
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(off_unless_asked_for),
	CU_TEST(off_where_it_does_not_work),
	CU_TEST(writes_share_a_packet_until_the_answer),
	CU_TEST(aggregation_that_does_not_pay_begins_later),
	CU_TEST(backlog_is_bounded),
	CU_TEST(events_that_push),
	CU_TEST(backlog_of_a_connection_that_ends_is_dropped),
	CU_TEST(switched_off_again),
	CU_TEST(stream_inside_the_shard_keeps_order),
};

const struct cu_suite sock_nagle_suite = CU_TEST_SUITE("nagle", tests);
