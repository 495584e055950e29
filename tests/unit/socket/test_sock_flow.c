/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: flow control, receive limits, supervision: 09-socket-api.md, 10.7, 11, 13, 14. */
#include <errno.h>

#include "sock_fixture.h"

#define HOUR_NS (UINT64_C(3600) * DPT_NS_PER_S)

/* Next routed message: a CONN_MANAGER of type; freed. Acknowledged blocks, window behind. */
static void
routed_manager(struct sock_fixture *f, uint32_t type, uint32_t acked, uint32_t window)
{
	struct rte_mbuf *m = sock_routed(f);
	const uint8_t *hdr = dpt_buf_hdr(m);

	CU_EQ_U64(dpt_msg_user(hdr), DPT_USER_CONN_MANAGER);
	CU_EQ_U64(dpt_msg_type(hdr), type);
	CU_EQ_U64(dpt_msg_size(hdr), 40);
	CU_EQ_U64(dpt_msg_hdr_bytes(hdr), 40);
	CU_EQ_U64(dpt_msg_destport(hdr), 0x77);
	CU_EQ_U64(dpt_msg_destnode(hdr), PEER_B);
	CU_EQ_U64(dpt_msg_link_importance(hdr), DPT_IMPORTANCE_SYSTEM);
	CU_EQ_U64(dpt_msg_conn_ack(hdr), acked);
	CU_EQ_U64(dpt_msg_adv_win(hdr), window);
	rte_pktmbuf_free(m);
}

static uint32_t
data_feed(struct sock_fixture *f, struct dpt_port port, uint32_t len, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		sock_rx(f, sock_conn_msg(len, port));
	return f->routed.cnt;
}

/* 11.1 */
static void
cost_of_a_message(void)
{
	CU_EQ_U64(dpt_sock_cost(true, 24, 0), 1);
	CU_EQ_U64(dpt_sock_cost(true, 24, 999), 1);
	CU_EQ_U64(dpt_sock_cost(true, 24, 1000), 2);
	CU_EQ_U64(dpt_sock_cost(true, 24, 66000), 65);
	CU_EQ_U64(dpt_sock_cost(false, 24, 66000), 1);
}

/* 11.2, rules 1 and 2: strictly greater, whatever the size of the last. */
static void
window_allows_one_message_too_many(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_U64(sock_conn(&f, port).credit, 128);
	for (uint32_t i = 0; i < 64; i++)
		CU_EQ_I64(sock_write(&f, port, 1000), 0);
	CU_EQ_U64(sock_conn(&f, port).credit, 128); /* sent 128: one more may start */
	CU_EQ_I64(sock_write(&f, port, 66000), 0);
	CU_EQ_I64(sock_write(&f, port, 1), -EAGAIN);
	CU_FALSE(dpt_sock_can_end(f.socks, port));
	sock_teardown(&f);
}

/* 11.2, rule 5: subtract, new window, and the credit says it. */
static void
acknowledgement_gives_credit(void)
{
	struct sock_fixture f;
	struct dpt_port port, popped;
	uint64_t cookie;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	for (uint32_t i = 0; i < 129; i++)
		CU_EQ_I64(sock_write(&f, port, 1), 0);
	CU_EQ_I64(sock_write(&f, port, 1), -EAGAIN);
	while (dpt_sock_changed_pop(f.socks, &popped, &cookie))
		;
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_CONN_ACK, 32, 512, port));
	CU_TRUE(dpt_sock_changed_pop(f.socks, &popped, &cookie));
	CU_EQ_U64(popped.ref, port.ref);
	CU_EQ_U64(sock_conn(&f, port).credit, 32 + 512);
	CU_TRUE(dpt_sock_can_end(f.socks, port));
	CU_EQ_I64(sock_write(&f, port, 1), 0);
	sock_teardown(&f);
}

static void
hazard_09_13_acknowledgements_that_lie(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	for (uint32_t i = 0; i < 10; i++)
		CU_EQ_I64(sock_write(&f, port, 1), 0);
	/* More than is outstanding: ignored, window and all. */
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_CONN_ACK, 11, 400, port));
	CU_EQ_U64(f.counters.acks_beyond, 1);
	CU_EQ_U64(sock_conn(&f, port).credit, 128);
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_CONN_ACK, 65535, 65535, port));
	CU_EQ_U64(f.counters.acks_beyond, 2);
	/* Nothing acknowledged, largest window: as it says, and no counter overflows. */
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_CONN_ACK, 0, 65535, port));
	CU_EQ_U64(sock_conn(&f, port).credit, 65535);
	for (uint32_t i = 0; i < 200; i++) {
		CU_EQ_I64(sock_write(&f, port, 66000), 0);
		dpt_bufq_free(&f.routed);
	}
	/* Window 0: one message at a time. */
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_CONN_ACK, 10 + 200 * 65, 0, port));
	CU_EQ_I64(sock_write(&f, port, 66000), 0);
	CU_EQ_I64(sock_write(&f, port, 1), -EAGAIN);
	sock_teardown(&f);
}

/* 11.1, 11.2 rule 5: a peer without the capability counts messages and tells no window. */
static void
message_mode(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	dpt_socks_node_up(f.socks, dpt_node_addr(PEER_B), DPT_CAPS_OWN & ~DPT_CAP_BLOCK_FLOWCTL,
			  1500);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_FALSE(sock_conn(&f, port).is_block_flow);
	CU_EQ_U64(sock_conn(&f, port).credit, 512);
	for (uint32_t i = 0; i < 513; i++) {
		CU_EQ_I64(sock_write(&f, port, 3000), 0);
		dpt_bufq_free(&f.routed);
	}
	CU_EQ_I64(sock_write(&f, port, 1), -EAGAIN);
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_CONN_ACK, 100, 7, port)); /* hazard 13 */
	CU_EQ_U64(sock_conn(&f, port).credit, 612);
	/* A quarter of 512 read: acknowledged as messages, window 0. */
	for (uint32_t i = 0; i < 127; i++) {
		sock_rx(&f, sock_conn_msg(3000, port));
		CU_EQ_I64(sock_read(&f, port), 3000);
	}
	CU_EQ_U64(f.routed.cnt, 0);
	sock_rx(&f, sock_conn_msg(3000, port));
	CU_EQ_I64(sock_read(&f, port), 3000);
	routed_manager(&f, DPT_TYPE_CONN_ACK, 128, 0);
	sock_teardown(&f);
}

/* 11.2, rules 3 and 4: at 32 blocks, then at 128; partly read does not count. */
static void
reading_acknowledges(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_U64(data_feed(&f, port, 1000, 16), 0);
	for (uint32_t i = 0; i < 15; i++)
		CU_EQ_I64(sock_read(&f, port), 1000);
	CU_NOT_NULL(dpt_sock_recv_next(f.socks, port));
	dpt_sock_partly_read(f.socks, port);
	CU_EQ_U64(f.routed.cnt, 0);
	dpt_sock_recv_done(f.socks, port, 1, &f.routed);
	routed_manager(&f, DPT_TYPE_CONN_ACK, 32, 512);
	CU_EQ_U64(data_feed(&f, port, 1, 127), 0);
	for (uint32_t i = 0; i < 127; i++)
		CU_EQ_I64(sock_read(&f, port), 1);
	CU_EQ_U64(f.routed.cnt, 0);
	data_feed(&f, port, 1, 1);
	CU_EQ_I64(sock_read(&f, port), 1);
	routed_manager(&f, DPT_TYPE_CONN_ACK, 128, 512);
	sock_teardown(&f);
}

/* 11.2: 16 bits for the window, however large the buffer. */
static void
hazard_09_8_window_fits_its_field(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, port, UINT32_MAX), 0);
	data_feed(&f, port, 66000, 1);
	CU_EQ_I64(sock_read(&f, port), 66000);
	routed_manager(&f, DPT_TYPE_CONN_ACK, 65, 65535);
	sock_teardown(&f);
}

/* The peer may use the window that it was told, and one message more, after SO_RCVBUF shrank. */
static void
hazard_09_8_smaller_buffer_keeps_the_promise(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	uint32_t cnt = 0;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, port, 4096), 0);
	/* 128 blocks are out, of the worst kind, then the largest message. */
	for (; cnt < 129; cnt++)
		sock_rx(&f, sock_conn_msg(999, port));
	sock_rx(&f, sock_conn_msg(66000, port));
	CU_EQ_U64(f.counters.returned_overload, 0);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_ESTABLISHED);
	/* From now on it is told the smaller window. */
	for (cnt = 0; cnt < 32; cnt++)
		CU_EQ_I64(sock_read(&f, port), 999);
	routed_manager(&f, DPT_TYPE_CONN_ACK, 32, 1);
	sock_teardown(&f);
}

/* 11.4: over the limit the connection is over, at both ends; memory stays bounded. */
static void
hazard_09_14_peer_that_ignores_the_window(void)
{
	struct sock_fixture f;
	struct dpt_sock_info info;
	struct dpt_port port;
	struct rte_mbuf *m;
	uint32_t cnt = 0;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, port, 10000), 0);
	while (sock_conn(&f, port).state == DPT_SOCK_STATE_ESTABLISHED && cnt++ < 2000)
		sock_rx(&f, sock_conn_msg(1000, port));
	CU_EQ_U64(cnt, 193);
	CU_EQ_I64(dpt_sock_info(f.socks, port, &info), 0);
	CU_TRUE(info.queued_bytes <= 193 * 2304 + 1304);
	m = sock_routed(&f); /* the refused message, for the sender */
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_OVERLOAD);
	CU_EQ_U64(dpt_msg_payload_bytes(dpt_buf_hdr(m)), 1000);
	rte_pktmbuf_free(m);
	CU_EQ_U64(dpt_sock_drops(f.socks, port), 1);
	for (cnt = 0; cnt < 192; cnt++)
		CU_EQ_I64(sock_read(&f, port), 1000);
	CU_EQ_I64(sock_read_err(&f, port), DPT_ERR_OVERLOAD);
	sock_teardown(&f);
}

/* The same where the refused message must not be returned: an end without data says it. */
static void
overload_by_droppable_data_is_told_too(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, port, 10000), 0);
	for (uint32_t i = 0; i < 194; i++) {
		m = sock_conn_msg(1000, port);
		dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
		sock_rx(&f, m);
	}
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_OVERLOAD);
	CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(m)), 24);
	CU_EQ_U64(dpt_msg_user(dpt_buf_hdr(m)), DPT_USER_CRITICAL);
	rte_pktmbuf_free(m);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	sock_teardown(&f);
}

/* 10.7: nobody can read them, so they count as read and take no memory. */
static void
hazard_09_18_empty_messages_are_counted_as_read(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_U64(data_feed(&f, port, 0, 31), 0);
	data_feed(&f, port, 0, 1);
	routed_manager(&f, DPT_TYPE_CONN_ACK, 32, 512);
	CU_EQ_I64(sock_read(&f, port), -1);
	CU_EQ_U64(f.counters.consumed_empty, 32);
	CU_EQ_I64(sock_write(&f, port, 0), 0);
	CU_EQ_U64(sock_conn(&f, port).credit, 128);
	sock_teardown(&f);
}

/* 12.4: each message may ask; one answer each. */
static void
hazard_09_21_acknowledge_requests_are_answered_one_by_one(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	for (uint32_t i = 0; i < 5; i++) {
		m = sock_conn_msg(10, port);
		dpt_msg_set_ack_required(dpt_buf_hdr(m), 1);
		sock_rx(&f, m);
		m = sock_routed(&f);
		CU_EQ_U64(dpt_msg_nagle_ack(dpt_buf_hdr(m)), 1);
		CU_EQ_U64(dpt_msg_conn_ack(dpt_buf_hdr(m)), 0);
		rte_pktmbuf_free(m);
		CU_EQ_U64(f.routed.cnt, 0);
	}
	sock_teardown(&f);
}

/*
 * Without a buffer nothing is forgotten, or the peer would wait for ever. (What is read gives
 * its own buffer back first; an answer to a request has none to give.)
 */
static void
acknowledgement_without_a_buffer_is_sent_later(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *msgs[2];
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	for (uint32_t i = 0; i < 2; i++) {
		msgs[i] = sock_conn_msg(10, port);
		dpt_msg_set_ack_required(dpt_buf_hdr(msgs[i]), 1);
	}
	test_pool_exhaust(0);
	sock_rx(&f, msgs[0]);
	sock_rx(&f, msgs[1]);
	dpt_socks_timeout(f.socks, 20 * DPT_NS_PER_MS, &f.routed);
	test_pool_release();
	CU_EQ_U64(f.routed.cnt, 0);
	CU_EQ_U64(f.counters.conn_msgs_lost, 3);
	dpt_socks_timeout(f.socks, 40 * DPT_NS_PER_MS, &f.routed);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_type(dpt_buf_hdr(m)), DPT_TYPE_CONN_ACK);
	CU_EQ_U64(dpt_msg_nagle_ack(dpt_buf_hdr(m)), 1);
	rte_pktmbuf_free(m);
	CU_EQ_U64(f.routed.cnt, 0);
	CU_TRUE(dpt_socks_deadline_ns(f.socks) > DPT_NS_PER_S);
	sock_teardown(&f);
}

/* 14.2, 11.3: port and node must match, for data, acknowledgements and ends. */
static void
hazard_09_12_others_than_the_peer_change_nothing(void)
{
	static const struct {
		uint32_t port, node;
	} forgers[] = {{0x78, PEER_B}, {0x77, PEER_C}};
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(sock_write(&f, port, 1), 0);
	dpt_bufq_free(&f.routed);
	for (uint32_t i = 0; i < CU_CNT(forgers); i++) {
		struct rte_mbuf *msgs[] = {sock_conn_msg(5, port),
					   sock_conn_err(DPT_ERR_NO_PORT, port),
					   sock_manager_msg(DPT_TYPE_CONN_ACK, 1, 9, port),
					   sock_manager_msg(DPT_TYPE_PROBE, 0, 0, port)};

		cu_context("forger %u", i);
		for (uint32_t k = 0; k < CU_CNT(msgs); k++) {
			uint8_t *hdr = dpt_buf_hdr(msgs[k]);

			dpt_msg_set_origport(hdr, forgers[i].port);
			dpt_msg_set_prevnode(hdr, forgers[i].node);
			if (k < 2) {
				sock_rx(&f, msgs[k]);
				continue;
			}
			dpt_msg_set_orignode(hdr, forgers[i].node);
			sock_manager_rx(&f, msgs[k]);
		}
		CU_EQ_U64(f.routed.cnt, 1); /* the data, returned */
		dpt_bufq_free(&f.routed);
	}
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_U64(sock_conn(&f, port).credit, 128);
	CU_EQ_I64(sock_read(&f, port), -1);
	CU_EQ_U64(f.counters.drop_conn_manager, 4);
	/* A message that was sent on after a lookup elsewhere may name any origin. */
	m = sock_msg(0, DPT_TYPE_NAMED, DPT_HDR_NAMED, 5, port.ref);
	dpt_msg_set_reroute_cnt(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	CU_EQ_I64(sock_read(&f, port), -1);
	sock_teardown(&f);
}

/* 13: after an hour a probe; unanswered for another, the connection is over. */
static void
silent_peer_is_probed_and_given_up(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	dpt_socks_timeout(f.socks, HOUR_NS - DPT_NS_PER_S, &f.routed);
	CU_EQ_U64(f.routed.cnt, 0);
	dpt_socks_timeout(f.socks, HOUR_NS + DPT_NS_PER_S, &f.routed);
	routed_manager(&f, DPT_TYPE_PROBE, 0, 0);
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_PROBE_REPLY, 0, 0, port));
	dpt_socks_timeout(f.socks, 2 * HOUR_NS + 2 * DPT_NS_PER_S, &f.routed);
	routed_manager(&f, DPT_TYPE_PROBE, 0, 0);
	dpt_socks_timeout(f.socks, 3 * HOUR_NS + 3 * DPT_NS_PER_S, &f.routed);
	CU_EQ_U64(f.routed.cnt, 0);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	CU_EQ_I64(sock_conn(&f, port).error, ECONNABORTED);
	CU_EQ_U64(dpt_socks_deadline_ns(f.socks), DPT_NEVER_NS);
	sock_teardown(&f);
}

static void
probe_is_answered_and_a_probe_come_back_ends(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_PROBE, 0, 0, port));
	routed_manager(&f, DPT_TYPE_PROBE_REPLY, 0, 0);
	m = sock_manager_msg(DPT_TYPE_PROBE, 0, 0, port);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	sock_manager_rx(&f, m);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	/* 13, quirk: somebody who waits reads it. */
	CU_EQ_I64(sock_read_err(&f, port), DPT_ERR_NO_PORT);
	sock_teardown(&f);
}

static void
manager_message_to_no_socket_goes_back(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_PROBE, 0, 0, port));
	CU_EQ_U64(f.counters.drop_conn_manager, 1);
	sock_manager_rx(&f, sock_manager_msg(DPT_TYPE_PROBE, 0, 0, dpt_port(5)));
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
	CU_EQ_U64(dpt_msg_user(dpt_buf_hdr(m)), DPT_USER_CONN_MANAGER);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

/* Given out, read in parts, never done: charged all the time, and the limit holds. */
static void
hazard_09_27_message_that_is_never_done_stays_charged(void)
{
	struct sock_fixture f;
	struct dpt_sock_info info;
	struct dpt_port port;
	uint32_t cnt = 0;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, port, 10000), 0);
	while (sock_conn(&f, port).state == DPT_SOCK_STATE_ESTABLISHED && cnt++ < 2000) {
		sock_rx(&f, sock_conn_msg(1000, port));
		(void)dpt_sock_recv_next(f.socks, port);
		dpt_sock_partly_read(f.socks, port);
	}
	CU_EQ_U64(cnt, 193);
	CU_EQ_I64(dpt_sock_info(f.socks, port, &info), 0);
	CU_EQ_U64(info.queued_bytes, 192 * 2304 + 768);
	sock_teardown(&f);
}

/* CRITICAL gets eight times the limit, and no more. */
static void
hazard_09_28_critical_messages_are_bounded_too(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, port, 10000), 0);
	for (uint32_t i = 0; i < 300; i++) {
		sock_rx(&f, sock_msg(3, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1000, port.ref));
		dpt_bufq_free(&f.routed);
	}
	CU_EQ_U64(f.counters.received, 34); /* 34 * 2304 < 80000 */
	CU_EQ_U64(f.counters.returned_overload, 266);
	sock_teardown(&f);
}

/* The send call says that there was no buffer: nothing of it is counted. */
static void
refused_message_is_taken_back(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	for (uint32_t i = 0; i < 100; i++) {
		CU_EQ_I64(sock_write(&f, port, 66000), 0);
		dpt_bufq_free(&f.routed);
		dpt_sock_send_lost(f.socks, port, 66000, &f.routed);
	}
	CU_EQ_U64(sock_conn(&f, port).credit, 128);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

/* Another shard found no buffer for what was said to be sent: no stream with a gap. */
static void
lost_message_ends_the_connection(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_STREAM);
	CU_EQ_I64(sock_write(&f, port, 100), 0);
	dpt_bufq_free(&f.routed);
	dpt_sock_send_lost(f.socks, port, 0, &f.routed);
	CU_EQ_U64(sock_conn(&f, port).state, DPT_SOCK_STATE_DISCONNECTING);
	m = f.routed.head;
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_type(dpt_buf_hdr(m)), DPT_TYPE_CONN);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
	dpt_bufq_free(&f.routed);
	m = dpt_sock_recv_next(f.socks, port);
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_NODE);
	/* Once more, and to sockets that have no connection: nothing. */
	dpt_sock_send_lost(f.socks, port, 0, &f.routed);
	dpt_sock_send_lost(f.socks, sock_new(&f), 0, &f.routed);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(refused_message_is_taken_back),
	CU_TEST(lost_message_ends_the_connection),
	CU_TEST(hazard_09_27_message_that_is_never_done_stays_charged),
	CU_TEST(hazard_09_28_critical_messages_are_bounded_too),
	CU_TEST(cost_of_a_message),
	CU_TEST(window_allows_one_message_too_many),
	CU_TEST(acknowledgement_gives_credit),
	CU_TEST(hazard_09_13_acknowledgements_that_lie),
	CU_TEST(message_mode),
	CU_TEST(reading_acknowledges),
	CU_TEST(hazard_09_8_window_fits_its_field),
	CU_TEST(hazard_09_8_smaller_buffer_keeps_the_promise),
	CU_TEST(hazard_09_14_peer_that_ignores_the_window),
	CU_TEST(overload_by_droppable_data_is_told_too),
	CU_TEST(hazard_09_18_empty_messages_are_counted_as_read),
	CU_TEST(hazard_09_21_acknowledge_requests_are_answered_one_by_one),
	CU_TEST(acknowledgement_without_a_buffer_is_sent_later),
	CU_TEST(hazard_09_12_others_than_the_peer_change_nothing),
	CU_TEST(silent_peer_is_probed_and_given_up),
	CU_TEST(probe_is_answered_and_a_probe_come_back_ends),
	CU_TEST(manager_message_to_no_socket_goes_back),
};

const struct cu_suite sock_flow_suite = CU_TEST_SUITE("flow", tests);
