/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: filter, receive limit, return, reroute, multicast: 09-socket-api.md, 14, 15. */
#include <errno.h>

#include "sock_fixture.h"

#define NO_SUCH_PORT 0x1fffff01

static void
socket_takes_named_direct_and_returned_multicast(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_rx(&f, sock_msg(0, DPT_TYPE_NAMED, DPT_HDR_NAMED, 1, port.ref));
	sock_rx(&f, sock_msg(3, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 2, port.ref));
	m = sock_msg(0, DPT_TYPE_MCAST, DPT_HDR_MCAST, 3, port.ref);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_OVERLOAD);
	sock_rx(&f, m);
	for (int i = 1; i <= 3; i++)
		CU_EQ_I64(sock_read(&f, port), i);
	CU_EQ_U64(f.counters.received, 3);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

static void
socket_refuses_connection_and_group_messages(void)
{
	static const struct {
		uint32_t type, hdr_bytes;
	} cases[] = {
		{DPT_TYPE_CONN, DPT_HDR_SHORT},
		{DPT_TYPE_GRP_BCAST, DPT_HDR_MCAST},
		{DPT_TYPE_GRP_MCAST, DPT_HDR_MCAST},
		{DPT_TYPE_GRP_UCAST, DPT_HDR_MCAST},
	};
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		struct rte_mbuf *m = sock_msg(0, cases[i].type, cases[i].hdr_bytes, 4, port.ref);

		cu_context("case %u", i);
		sock_rx(&f, m);
		m = sock_routed(&f);
		CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
		rte_pktmbuf_free(m);
		m = sock_msg(0, cases[i].type, cases[i].hdr_bytes, 4, port.ref);
		dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
		sock_rx(&f, m);
		CU_EQ_U64(f.routed.cnt, 0);
		CU_EQ_U64(f.counters.drop_wrong_type, i + 1);
	}
	CU_EQ_I64(sock_read(&f, port), -1);
	sock_teardown(&f);
}

static void
hazard_09_16_membership_event_and_other_users_are_dropped(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_rx(&f, sock_msg(0, DPT_TYPE_GRP_MEMBER_EVT, DPT_HDR_MCAST, 4, port.ref));
	CU_EQ_U64(f.counters.drop_member_event, 1);
	sock_rx(&f, sock_msg(DPT_USER_CRYPTO, 0, DPT_HDR_INTERNAL, 4, port.ref));
	sock_rx(&f, sock_msg(15, 0, DPT_HDR_INTERNAL, 4, port.ref));
	CU_EQ_U64(f.counters.drop_not_data, 2);
	CU_EQ_I64(sock_read(&f, port), -1);
	sock_teardown(&f);
}

/* 15.2, field by field. */
static void
returned_message_field_by_field(void)
{
	struct sock_fixture f;
	const uint8_t *hdr;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	m = sock_msg(1, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1500, NO_SUCH_PORT);
	dpt_msg_set_src_droppable(dpt_buf_hdr(m), 1);
	dpt_msg_set_non_seq(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	m = sock_routed(&f);
	hdr = dpt_buf_hdr(m);
	CU_EQ_U64(dpt_msg_user(hdr), 1);
	CU_EQ_U64(dpt_msg_type(hdr), DPT_TYPE_DIRECT);
	CU_EQ_U64(dpt_msg_hdr_bytes(hdr), 32);
	CU_EQ_U64(dpt_msg_size(hdr), 32 + 1024);
	CU_EQ_U64(dpt_buf_bytes(m), 32 + 1024);
	CU_EQ_U64(dpt_msg_errcode(hdr), DPT_ERR_NO_PORT);
	CU_EQ_U64(dpt_msg_non_seq(hdr), 0);
	CU_EQ_U64(dpt_msg_origport(hdr), NO_SUCH_PORT);
	CU_EQ_U64(dpt_msg_destport(hdr), 0x77);
	CU_EQ_U64(dpt_msg_destnode(hdr), PEER_B);
	CU_EQ_U64(dpt_msg_prevnode(hdr), OWN);
	CU_EQ_U64(dpt_msg_orignode(hdr), OWN);
	CU_EQ_U64(dpt_msg_src_droppable(hdr), 1);
	CU_EQ_U64(dpt_msg_link_importance(hdr), DPT_IMPORTANCE_SYSTEM);
	CU_EQ_U64(dpt_buf(m)->importance, DPT_IMPORTANCE_SYSTEM);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_B);
	CU_EQ_U64(dpt_buf(m)->arg2, NO_SUCH_PORT);
	CU_EQ_U64(f.counters.returned_no_port, 1);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
returned_connection_message_has_a_longer_header(void)
{
	struct sock_fixture f;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	sock_rx(&f, sock_msg(0, DPT_TYPE_CONN, DPT_HDR_SHORT, 4, NO_SUCH_PORT));
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_hdr_bytes(dpt_buf_hdr(m)), 32);
	CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(m)), 36);
	CU_EQ_U64(dpt_msg_destnode(dpt_buf_hdr(m)), PEER_B);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
return_for_an_own_socket_is_routed_to_the_own_node(void)
{
	struct sock_fixture f;
	struct dpt_dest dest = sock_dest_socket(NO_SUCH_PORT, OWN);
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	f.opts.is_dest_droppable = false;
	CU_EQ_I64(sock_send(&f, port, &dest, 7), 0);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, OWN);
	sock_rx(&f, m);
	m = dpt_sock_recv_next(f.socks, port);
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
	sock_teardown(&f);
}

static void
hazard_01_20_error_and_droppable_messages_are_never_returned(void)
{
	struct sock_fixture f;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 4, NO_SUCH_PORT);
	dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 4, NO_SUCH_PORT);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	sock_rx(&f, m);
	/* An error code on a NAMED message: no second lookup either. */
	sock_peer_bind(&f, 1000, 1, 1, 5, PEER_C);
	m = sock_msg(0, DPT_TYPE_NAMED, DPT_HDR_NAMED, 4, NO_SUCH_PORT);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_NAME);
	dpt_msg_set_nametype(dpt_buf_hdr(m), 1000);
	dpt_msg_set_nameinst(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	CU_EQ_U64(f.routed.cnt, 0);
	CU_EQ_U64(f.counters.drop_no_port, 3);
	sock_teardown(&f);
}

/* FAILOVER dummies: DIRECT, ports 0, error code NO_PORT. */
static void
hazard_01_19_port_0_does_not_exist(void)
{
	struct sock_fixture f;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	sock_new(&f);
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 0, 0);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	sock_rx(&f, m);
	CU_EQ_U64(f.counters.drop_no_port, 1);
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 4, 0));
	CU_EQ_U64(f.counters.returned_no_port, 1);
	sock_teardown(&f);
}

static struct rte_mbuf *
named_msg(uint32_t instance, uint32_t scope)
{
	struct rte_mbuf *m = sock_msg(0, DPT_TYPE_NAMED, DPT_HDR_NAMED, 4, 0);

	dpt_msg_set_nametype(dpt_buf_hdr(m), 1000);
	dpt_msg_set_nameinst(dpt_buf_hdr(m), instance);
	dpt_msg_set_lookup_scope(dpt_buf_hdr(m), scope);
	return m;
}

static void
secondary_lookup_finds_an_own_socket(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_peer_bind(&f, 1000, 1, 5, 5, PEER_C);
	sock_bind(&f, port, 1000, 1, 5);
	sock_rx(&f, named_msg(3, DPT_SCOPE_NODE));
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, OWN);
	CU_EQ_U64(dpt_msg_destport(dpt_buf_hdr(m)), port.ref);
	CU_EQ_U64(dpt_msg_destnode(dpt_buf_hdr(m)), OWN);
	CU_EQ_U64(dpt_msg_reroute_cnt(dpt_buf_hdr(m)), 1);
	CU_EQ_U64(dpt_msg_prevnode(dpt_buf_hdr(m)), PEER_B); /* stays: not sent on to a node */
	sock_rx(&f, m);
	CU_EQ_I64(sock_read(&f, port), 4);
	sock_teardown(&f);
}

/* Node scope is no security boundary: the topology service is reached like this. */
static void
hazard_04_12_node_lookup_of_a_peer_reaches_node_scope(void)
{
	struct sock_fixture f;
	struct dpt_range range = {.type = 1000, .lower = 1, .upper = 1};
	struct dpt_binding b;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	dpt_sock_bind(f.socks, port, &range, DPT_SCOPE_NODE, &b);
	dpt_names_insert(f.names, &b);
	sock_rx(&f, named_msg(1, DPT_SCOPE_NODE));
	sock_rx(&f, sock_routed(&f));
	CU_EQ_I64(sock_read(&f, port), 4);
	sock_teardown(&f);
}

static void
secondary_lookup_may_send_on_to_a_third_node(void)
{
	struct sock_fixture f;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 1, 5, 0x55, PEER_C);
	sock_rx(&f, named_msg(3, DPT_SCOPE_CLUSTER));
	m = sock_routed(&f);
	CU_EQ_U64(dpt_buf(m)->arg, PEER_C);
	CU_EQ_U64(dpt_buf(m)->arg2, 0x77);
	CU_EQ_U64(dpt_msg_destport(dpt_buf_hdr(m)), 0x55);
	CU_EQ_U64(dpt_msg_destnode(dpt_buf_hdr(m)), PEER_C);
	CU_EQ_U64(dpt_msg_prevnode(dpt_buf_hdr(m)), OWN);
	CU_EQ_U64(dpt_msg_orignode(dpt_buf_hdr(m)), PEER_B);
	CU_EQ_U64(dpt_msg_reroute_cnt(dpt_buf_hdr(m)), 1);
	CU_EQ_U64(f.counters.rerouted, 1);
	rte_pktmbuf_free(m);
	/* Restricted to own sockets: nothing. */
	sock_rx(&f, named_msg(3, DPT_SCOPE_NODE));
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_NAME);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

static void
unbound_name_is_returned_with_no_name(void)
{
	struct sock_fixture f;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	sock_rx(&f, named_msg(3, DPT_SCOPE_NODE));
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_NAME);
	CU_EQ_U64(dpt_msg_origport(dpt_buf_hdr(m)), 0);
	rte_pktmbuf_free(m);
	CU_EQ_U64(f.counters.returned_no_name, 1);
	m = named_msg(3, DPT_SCOPE_NODE);
	dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	CU_EQ_U64(f.counters.drop_no_name, 1);
	sock_teardown(&f);
}

static void
hazard_04_11_and_09_22_message_is_rerouted_once(void)
{
	struct sock_fixture f;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 1, 5, 0x55, PEER_C);
	for (uint32_t cnt = 1; cnt < 16; cnt++) {
		struct rte_mbuf *m = named_msg(3, DPT_SCOPE_CLUSTER);

		dpt_msg_set_reroute_cnt(dpt_buf_hdr(m), cnt);
		sock_rx(&f, m);
		m = sock_routed(&f);
		CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_NAME);
		CU_EQ_U64(dpt_msg_reroute_cnt(dpt_buf_hdr(m)), cnt);
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(f.counters.rerouted, 0);
	sock_teardown(&f);
}

static void
hazard_09_23_lookup_scopes_0_and_1_are_cluster(void)
{
	struct sock_fixture f;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 1, 5, 0x55, PEER_C);
	for (uint32_t scope = 0; scope < 2; scope++) {
		struct rte_mbuf *m;

		sock_rx(&f, named_msg(3, scope));
		m = sock_routed(&f);
		CU_EQ_U64(dpt_buf(m)->arg, PEER_C);
		rte_pktmbuf_free(m);
	}
	sock_teardown(&f);
}

/* Messages of 1000 octets that fit at each importance: as measured on 6.1 (14.4). */
static void
receive_limit_grows_with_importance(void)
{
	static const uint32_t fit[] = {910, 1820, 3640, 7281};
	struct sock_fixture f;
	struct dpt_sock_info info;
	struct dpt_port port;

	sock_setup(&f, 4);
	for (uint32_t importance = 0; importance < 4; importance++) {
		uint32_t cnt = 0;

		port = sock_new(&f);
		while (f.counters.returned_overload == importance && cnt < 10000) {
			sock_rx(&f, sock_msg(importance, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1000,
					     port.ref));
			cnt++;
		}
		CU_EQ_U64(cnt - 1, fit[importance]);
		CU_EQ_I64(dpt_sock_info(f.socks, port, &info), 0);
		CU_EQ_U64(info.queued_msgs, fit[importance]);
		CU_EQ_U64(info.drops, 1);
		dpt_sock_close(f.socks, port, &f.routed);
		dpt_bufq_free(&f.routed);
	}
	sock_teardown(&f);
}

static void
overload_is_returned_or_dropped(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, port, 3000), 0);
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1000, port.ref));
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1001, port.ref));
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_OVERLOAD);
	rte_pktmbuf_free(m);
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1002, port.ref);
	dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	CU_EQ_U64(f.counters.drop_overload, 1);
	CU_EQ_I64(sock_read(&f, port), 1000);
	/* Reading makes room. */
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1003, port.ref));
	CU_EQ_I64(sock_read(&f, port), 1003);
	sock_teardown(&f);
}

static void
overloaded_syn_is_returned_without_data(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	dpt_sock_rcvbuf_set(f.socks, port, 1);
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 100, port.ref);
	dpt_msg_set_syn(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(m)), 32);
	rte_pktmbuf_free(m);
	sock_teardown(&f);
}

/* 16 times SO_RCVBUF, whatever the user field says. */
static void
error_messages_are_admitted_at_importance_4(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	uint32_t cnt = 0;

	sock_setup(&f, 4);
	port = sock_new(&f);
	dpt_sock_rcvbuf_set(f.socks, port, 2304);
	while (f.counters.drop_overload == 0 && cnt < 100) {
		struct rte_mbuf *m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 1000, port.ref);

		dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
		sock_rx(&f, m);
		cnt++;
	}
	CU_EQ_U64(cnt, 16);
	sock_teardown(&f);
}

static void
hazard_09_6_long_messages_are_charged_for_their_buffers(void)
{
	struct sock_fixture f;
	struct dpt_sock_info info;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 66000, port.ref));
	dpt_sock_info(f.socks, port, &info);
	CU_TRUE(info.queued_bytes > 100000);
	CU_EQ_I64(sock_read(&f, port), 66000);
	dpt_sock_info(f.socks, port, &info);
	CU_EQ_U64(info.queued_bytes, 0);
	sock_teardown(&f);
}

static void
hazard_09_17_unknown_error_codes_are_passed_on(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	for (uint32_t code = 6; code < 16; code++) {
		struct rte_mbuf *m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 2000, port.ref);

		dpt_msg_set_errcode(dpt_buf_hdr(m), code);
		sock_rx(&f, m);
		m = dpt_sock_recv_next(f.socks, port);
		CU_NOT_NULL_FATAL(m);
		CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), code);
		dpt_sock_recv_done(f.socks, port, 1, &f.routed);
	}
	sock_teardown(&f);
}

static void
hazard_09_18_empty_messages_are_dropped_but_not_returned_ones(void)
{
	struct sock_fixture f;
	struct dpt_port port, ready;
	struct rte_mbuf *m;
	uint64_t cookie;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 0, port.ref));
	CU_EQ_U64(f.counters.drop_empty, 1);
	CU_FALSE(dpt_sock_ready_pop(f.socks, &ready, &cookie));
	m = sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 0, port.ref);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	sock_rx(&f, m);
	CU_TRUE(dpt_sock_ready_pop(f.socks, &ready, &cookie));
	CU_EQ_I64(sock_read(&f, port), 0);
	sock_teardown(&f);
}

static struct rte_mbuf *
mcast_msg(uint32_t lower, uint32_t upper, uint32_t len)
{
	struct rte_mbuf *m = sock_msg(0, DPT_TYPE_MCAST, DPT_HDR_MCAST, len, 0);

	dpt_msg_set_destnode(dpt_buf_hdr(m), 0);
	dpt_msg_set_nametype(dpt_buf_hdr(m), 1000);
	dpt_msg_set_namelower(dpt_buf_hdr(m), lower);
	dpt_msg_set_nameupper(dpt_buf_hdr(m), upper);
	return m;
}

static void
multicast_reaches_each_socket_once(void)
{
	struct sock_fixture f;
	struct dpt_port ports[100];
	struct rte_mbuf *m;

	sock_setup(&f, 101);
	for (uint32_t i = 0; i < 100; i++) {
		ports[i] = sock_new(&f);
		sock_bind(&f, ports[i], 1000, i, i + 1);
		sock_bind(&f, ports[i], 1000, i, i + 5);
	}
	sock_peer_bind(&f, 1000, 10, 20, 7, PEER_B);
	m = mcast_msg(0, 90, 9);
	dpt_msg_set_destport(dpt_buf_hdr(m), 4711); /* as from the broadcast link */
	dpt_msg_set_non_seq(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	for (uint32_t i = 0; i < 100; i++) {
		cu_context("socket %u", i);
		m = dpt_sock_recv_next(f.socks, ports[i]);
		if (i > 90) {
			CU_IS_NULL(m);
			continue;
		}
		CU_NOT_NULL_FATAL(m);
		CU_EQ_U64(dpt_msg_destport(dpt_buf_hdr(m)), ports[i].ref);
		CU_EQ_U64(dpt_msg_payload_bytes(dpt_buf_hdr(m)), 9);
		CU_IS_NULL(dpt_sock_recv_next(f.socks, ports[i]));
	}
	sock_teardown(&f);
}

static void
multicast_from_a_peer_does_not_reach_node_scope(void)
{
	struct sock_fixture f;
	struct dpt_range range = {.type = 1000, .lower = 1, .upper = 1};
	struct dpt_binding b;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	dpt_sock_bind(f.socks, port, &range, DPT_SCOPE_NODE, &b);
	dpt_names_insert(f.names, &b);
	sock_rx(&f, mcast_msg(0, 9, 4));
	CU_EQ_U64(f.counters.drop_mcast_no_socket, 1);
	m = mcast_msg(0, 9, 4);
	dpt_msg_set_orignode(dpt_buf_hdr(m), OWN);
	sock_rx(&f, m);
	CU_EQ_I64(sock_read(&f, port), 4);
	sock_teardown(&f);
}

static void
multicast_without_a_socket_is_never_returned(void)
{
	struct sock_fixture f;

	sock_setup(&f, 4);
	sock_rx(&f, mcast_msg(0, 9, 4));
	CU_EQ_U64(f.routed.cnt, 0);
	CU_EQ_U64(f.counters.drop_mcast_no_socket, 1);
	sock_teardown(&f);
}

static void
multicast_passes_by_sockets_of_other_shards(void)
{
	struct sock_fixture f;

	sock_setup(&f, 4);
	sock_peer_bind(&f, 1000, 1, 1, 0x20000001, OWN); /* own node, shard 2 */
	sock_rx(&f, mcast_msg(0, 9, 4));
	CU_EQ_U64(f.counters.drop_mcast_no_socket, 1);
	sock_teardown(&f);
}

static void
refused_multicast_comes_back_once_per_socket(void)
{
	struct sock_fixture f;
	struct dpt_port ports[2];

	sock_setup(&f, 4);
	for (uint32_t i = 0; i < 2; i++) {
		ports[i] = sock_new(&f);
		sock_bind(&f, ports[i], 1000, 1, 1);
		dpt_sock_rcvbuf_set(f.socks, ports[i], 1);
	}
	sock_rx(&f, mcast_msg(0, 9, 4));
	CU_EQ_U64(f.routed.cnt, 2);
	for (uint32_t i = 0; i < 2; i++) {
		struct rte_mbuf *m = sock_routed(&f);

		CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_OVERLOAD);
		CU_EQ_U64(dpt_msg_destport(dpt_buf_hdr(m)), 0x77);
		CU_EQ_U64(dpt_msg_type(dpt_buf_hdr(m)), DPT_TYPE_MCAST);
		rte_pktmbuf_free(m);
	}
	sock_teardown(&f);
}

static void
multicast_with_the_pool_empty_reaches_one(void)
{
	struct sock_fixture f;
	struct dpt_port a, b;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	a = sock_new(&f);
	b = sock_new(&f);
	sock_bind(&f, a, 1000, 1, 1);
	sock_bind(&f, b, 1000, 1, 1);
	m = mcast_msg(0, 9, 4);
	test_pool_exhaust(0);
	sock_rx(&f, m);
	test_pool_release();
	CU_EQ_U64(f.counters.mcast_copies_lost, 1);
	CU_EQ_I64(sock_read(&f, a) + sock_read(&f, b), 4 - 1);
	sock_teardown(&f);
}

static void
hazard_04_13_multicast_with_lower_above_upper_is_dropped(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_bind(&f, port, 1000, 0, 100);
	sock_rx(&f, mcast_msg(9, 8, 4));
	CU_EQ_U64(f.counters.drop_mcast_range, 1);
	CU_EQ_I64(sock_read(&f, port), -1);
	sock_teardown(&f);
}

/* The captured dummy of 06-broadcast.md, 8.3, over both methods. */
static void
hazard_09_20_marker_of_a_method_switch_is_dropped(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_bind(&f, port, 1000, 0, 5);
	for (uint32_t is_rcast = 0; is_rcast < 2; is_rcast++) {
		m = mcast_msg(0, 5, 0);
		dpt_msg_set_syn(dpt_buf_hdr(m), 1);
		dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
		dpt_msg_set_dest_droppable(dpt_buf_hdr(m), 1);
		dpt_msg_set_is_rcast(dpt_buf_hdr(m), is_rcast);
		dpt_msg_set_non_seq(dpt_buf_hdr(m), !is_rcast);
		dpt_msg_set_destport(dpt_buf_hdr(m), is_rcast ? 0 : 4711);
		sock_rx(&f, m);
		CU_EQ_U64(f.counters.drop_marker, is_rcast + 1);
	}
	m = mcast_msg(0, 5, 3); /* its twin has data: delivered */
	dpt_msg_set_syn(dpt_buf_hdr(m), 1);
	sock_rx(&f, m);
	CU_EQ_I64(sock_read(&f, port), 3);
	CU_EQ_I64(sock_read(&f, port), -1);
	sock_teardown(&f);
}

static void
multicast_with_an_error_code_that_is_no_return_is_dropped(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	sock_bind(&f, port, 1000, 0, 5);
	m = mcast_msg(0, 5, 4);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	sock_rx(&f, m);
	CU_EQ_U64(f.counters.drop_mcast_errcode, 1);
	CU_EQ_I64(sock_read(&f, port), -1);
	sock_teardown(&f);
}

static void
connection_manager_messages_are_answered_for_missing_ports_only(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct rte_mbuf *m;

	sock_setup(&f, 4);
	port = sock_new(&f);
	m = sock_msg(DPT_USER_CONN_MANAGER, DPT_TYPE_PROBE, DPT_HDR_INTERNAL, 0, NO_SUCH_PORT);
	dpt_sock_rx_conn_manager(f.socks, m, 0, &f.routed);
	m = sock_routed(&f);
	CU_EQ_U64(dpt_msg_errcode(dpt_buf_hdr(m)), DPT_ERR_NO_PORT);
	rte_pktmbuf_free(m);
	m = sock_msg(DPT_USER_CONN_MANAGER, DPT_TYPE_PROBE, DPT_HDR_INTERNAL, 0, NO_SUCH_PORT);
	dpt_msg_set_errcode(dpt_buf_hdr(m), DPT_ERR_NO_PORT);
	dpt_sock_rx_conn_manager(f.socks, m, 0, &f.routed);
	CU_EQ_U64(f.counters.drop_no_port, 1);
	m = sock_msg(DPT_USER_CONN_MANAGER, DPT_TYPE_PROBE, DPT_HDR_INTERNAL, 0, port.ref);
	dpt_sock_rx_conn_manager(f.socks, m, 0, &f.routed);
	CU_EQ_U64(f.counters.drop_conn_manager, 1);
	CU_EQ_U64(f.routed.cnt, 0);
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(socket_takes_named_direct_and_returned_multicast),
	CU_TEST(socket_refuses_connection_and_group_messages),
	CU_TEST(hazard_09_16_membership_event_and_other_users_are_dropped),
	CU_TEST(returned_message_field_by_field),
	CU_TEST(returned_connection_message_has_a_longer_header),
	CU_TEST(return_for_an_own_socket_is_routed_to_the_own_node),
	CU_TEST(hazard_01_20_error_and_droppable_messages_are_never_returned),
	CU_TEST(hazard_01_19_port_0_does_not_exist),
	CU_TEST(secondary_lookup_finds_an_own_socket),
	CU_TEST(hazard_04_12_node_lookup_of_a_peer_reaches_node_scope),
	CU_TEST(secondary_lookup_may_send_on_to_a_third_node),
	CU_TEST(unbound_name_is_returned_with_no_name),
	CU_TEST(hazard_04_11_and_09_22_message_is_rerouted_once),
	CU_TEST(hazard_09_23_lookup_scopes_0_and_1_are_cluster),
	CU_TEST(receive_limit_grows_with_importance),
	CU_TEST(overload_is_returned_or_dropped),
	CU_TEST(overloaded_syn_is_returned_without_data),
	CU_TEST(error_messages_are_admitted_at_importance_4),
	CU_TEST(hazard_09_6_long_messages_are_charged_for_their_buffers),
	CU_TEST(hazard_09_17_unknown_error_codes_are_passed_on),
	CU_TEST(hazard_09_18_empty_messages_are_dropped_but_not_returned_ones),
	CU_TEST(multicast_reaches_each_socket_once),
	CU_TEST(multicast_from_a_peer_does_not_reach_node_scope),
	CU_TEST(multicast_without_a_socket_is_never_returned),
	CU_TEST(multicast_passes_by_sockets_of_other_shards),
	CU_TEST(refused_multicast_comes_back_once_per_socket),
	CU_TEST(multicast_with_the_pool_empty_reaches_one),
	CU_TEST(hazard_04_13_multicast_with_lower_above_upper_is_dropped),
	CU_TEST(hazard_09_20_marker_of_a_method_switch_is_dropped),
	CU_TEST(multicast_with_an_error_code_that_is_no_return_is_dropped),
	CU_TEST(connection_manager_messages_are_answered_for_missing_ports_only),
};

const struct cu_suite sock_rx_suite = CU_TEST_SUITE("rx", tests);
