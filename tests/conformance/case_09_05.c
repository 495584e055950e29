/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 5: binding and unbinding. */
#include "conform.h"

/* Who gets what is sent to {type, instance}, sent `cnt` times. */
static void
reach(uint32_t type, uint32_t instance)
{
	int s = sk(SOCK_RDM);

	say_result("reach", (errno = 0, sendto(s, "r", 1, 0, svc(type, instance), ALEN)));
	close(s);
}

CASE_TYPES(09_5_1_row1_length_0_unbinds_everything)
{
	int s = sk(type);

	DO(bind(s, rng(T, 1, 2), ALEN));
	DO(bind(s, rng(T, 5, 6), ALEN));
	DO(bind(s, rng_scope(T, 7, 7, TIPC_NODE_SCOPE), ALEN));
	reach(T, 1);
	reach(T, 6);
	DO(bind(s, NULL, 0));
	reach(T, 1);
	reach(T, 6);
	reach(T, 7);
	DO(bind(s, NULL, 0));
	DO(bind(s, rng(T, 1, 2), 0));
}

CASE_TYPES(09_5_1_row3_bind_socket_addr)
{
	int s = sk(type);

	DO(bind(s, at_fd(s), ALEN));
	DO(bind(s, at(5, 0), ALEN));
	/* row 2 comes first, row 4 later */
	DO(bind(s, at_fd(s), 15));
}

static const struct type_row {
	const char *name;
	uint32_t type;
} type_rows[] = {{"type_0", 0},	  {"type_1_topology", 1}, {"type_2", 2},
		 {"type_63", 63}, {"type_64", 64},	  {"type_4294967295", 0xffffffff}};

CASE_ROWS(09_5_1_row4_, type_rows)
{
	int s = sk(SOCK_RDM);
	uint32_t type = type_rows[row].type;

	DO(bind(s, rng(type, 10001, 10002), ALEN));
	DO(bind(s, svc(type, 10001), ALEN));
	DO(bind(s, rng_scope(type, 10001, 10002, -TIPC_CLUSTER_SCOPE), ALEN));
	DO(bind(s, svc_scope(type, 10001, -1), ALEN));
}

CASE_TYPES(09_5_1_row5_service_address_is_a_range_of_one)
{
	int s = sk(type);

	DO(bind(s, svc(T, 7), ALEN));
	reach(T, 7);
	reach(T, 8);
	DO(bind(s, rng_scope(T, 7, 7, -2), ALEN));
	reach(T, 7);
	/* The domain is ignored. */
	DO(bind(s, svc_at(T, 9, 0xffffffff), ALEN));
	reach(T, 9);
	DO(bind(s, svc_scope(T, 9, -1), ALEN));
	reach(T, 9);
}

static const struct scope_row {
	const char *name;
	int scope;
} scope_rows[] = {{"0", 0}, {"1", 1}, {"2", 2}, {"3", 3}, {"4", 4}, {"100", 100}, {"127", 127}};

CASE_ROWS(09_5_1_row7_scope_, scope_rows)
{
	int s = sk(SOCK_RDM), scope = scope_rows[row].scope;

	/* A second binding, so that a miss is told. */
	MUST(bind(s, rng(T, 50, 50), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, scope), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, -3), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, -2), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, scope), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, -1), ALEN));
	reach(T, 1);
}

static const struct scope_row unbind_rows[] = {
	{"minus_1", -1}, {"minus_2", -2},     {"minus_3", -3},	   {"minus_4", -4},
	{"minus_5", -5}, {"minus_127", -127}, {"minus_128", -128},
};

CASE_ROWS(09_5_1_row6_unbind_scope_, unbind_rows)
{
	int s = sk(SOCK_RDM), scope = unbind_rows[row].scope;

	MUST(bind(s, rng(T, 50, 50), ALEN));
	MUST(bind(s, rng_scope(T, 1, 1, TIPC_CLUSTER_SCOPE), ALEN));
	MUST(bind(s, rng_scope(T, 2, 2, TIPC_NODE_SCOPE), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, scope), ALEN));
	DO(bind(s, rng_scope(T, 2, 2, scope), ALEN));
	reach(T, 1);
	reach(T, 2);
}

CASE_TYPES(09_5_1_the_same_range_many_times)
{
	int s = sk(type), other = sk(type);

	for (int i = 0; i < 3; i++)
		DO(bind(s, rng(T, 1, 10), ALEN));
	DO(bind(other, rng(T, 1, 10), ALEN));
	DO(bind(other, rng(T, 5, 20), ALEN));
	for (int i = 0; i < 4; i++)
		DO(bind(s, rng_scope(T, 1, 10, -2), ALEN));
	reach(T, 3);
	close(other);
	reach(T, 3);
}

CASE(09_5_1_shares_of_round_robin)
{
	int a = bound(SOCK_RDM, 1), b = bound(SOCK_RDM, 1), s = sk(SOCK_RDM);
	uint32_t depth[2];
	socklen_t len = 4;

	/* a has three bindings, b one. */
	MUST(bind(a, rng(T, 1, 1), ALEN));
	MUST(bind(a, rng(T, 1, 1), ALEN));
	for (int i = 0; i < 40; i++)
		MUST(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	settle();
	MUST(getsockopt(a, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH, &depth[0], &len));
	MUST(getsockopt(b, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH, &depth[1], &len));
	say("a %u, b %u", depth[0], depth[1]);
}

CASE(09_5_1_one_copy_of_a_multicast)
{
	int a = bound(SOCK_RDM, 1), s = sk(SOCK_RDM);

	KNOW(s);
	MUST(bind(a, rng(T, 1, 1), ALEN));
	MUST(bind(a, rng(T, 0, 9), ALEN));
	DO(sendto(s, "multi", 5, 0, rng(T, 0, 100), ALEN));
	RX(a);
	NONE(a);
}

static void *
null_addr(void)
{
	return NULL;
}

CASE_TYPES(09_5_1_generic_errors)
{
	int s = sk(type), p[2];

	DO(bind(s, null_addr(), 16));
	DO(bind(-1, rng(T, 1, 1), ALEN));
	DO(bind(9999, rng(T, 1, 1), ALEN));
	MUST(pipe(p));
	DO(bind(p[0], rng(T, 1, 1), ALEN));
	close(s);
	DO(bind(s, rng(T, 1, 1), ALEN));
}

CASE_LIMIT(09_5_1_row11_65535_publications, 60)
{
	int s = sk(SOCK_RDM), cnt = 0;

	/* {0, own node} and {1, 1} are the node's own. */
	while (cnt < 70000 && bind(s,
				   rng_scope(T + (uint32_t)cnt % 256, 1 + (uint32_t)cnt / 256,
					     1 + (uint32_t)cnt / 256, 3),
				   ALEN) == 0)
		cnt++;
	say("%d bindings, then %s", cnt, errno_name(errno));
	DO(bind(s, rng_scope(T, 1, 1, -3), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, 3), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, 3), ALEN));
	DO(bind(s, NULL, 0));
}

/* ---- 5.2 ---- */

CASE(09_5_2_match_is_on_all_four)
{
	int s = sk(SOCK_RDM);

	MUST(bind(s, rng(T, 10, 20), ALEN));
	DO(bind(s, rng_scope(T, 10, 21, -2), ALEN));
	DO(bind(s, rng_scope(T, 9, 20, -2), ALEN));
	DO(bind(s, rng_scope(T + 1, 10, 20, -2), ALEN));
	DO(bind(s, rng_scope(T, 10, 20, -3), ALEN));
	reach(T, 15);
	DO(bind(s, rng_scope(T, 10, 20, -2), ALEN));
	reach(T, 15);
}

CASE_TYPES(09_5_2_no_binding_at_all_is_no_error)
{
	int s = sk(type);

	DO(bind(s, rng_scope(T, 10, 20, -2), ALEN));
	DO(bind(s, svc_scope(T, 1, -3), ALEN));
	MUST(bind(s, rng(T, 1, 1), ALEN));
	DO(bind(s, rng_scope(T, 10, 20, -2), ALEN));
	DO(bind(s, rng_scope(T, 1, 1, -2), ALEN));
	DO(bind(s, rng_scope(T, 10, 20, -2), ALEN));
}

CASE(09_5_2_binding_of_another_socket_stays)
{
	int a = bound(SOCK_RDM, 1), b = bound(SOCK_RDM, 2);

	DO(bind(b, rng_scope(T, 1, 1, -2), ALEN));
	reach(T, 1);
	DO(bind(a, rng_scope(T, 1, 1, -2), ALEN));
	reach(T, 1);
}

CASE(09_5_2_quirk_search_goes_on)
{
	int s = sk(SOCK_RDM);

	/* Newest first: {1, 20} is met before {1, 10}. */
	MUST(bind(s, rng(T, 1, 10), ALEN));
	MUST(bind(s, rng(T, 1, 20), ALEN));
	DO(bind(s, rng_scope(T, 1, 10, -2), ALEN));
}

CASE_CONN(09_5_2_a_published_socket_cannot_connect)
{
	int l = listener(type, 1), c = sk(type);

	MUST(bind(c, rng(T, 2, 2), ALEN));
	nonblock(c, true);
	DO(connect(c, svc(T, 1), ALEN));
	DO(sendto(c, "x", 1, 0, svc(T, 1), ALEN));
	BITS(l);
	DO(bind(c, rng_scope(T, 2, 2, -2), ALEN));
	DO(connect(c, svc(T, 1), ALEN));
	BITS(l);
}

/* ---- 5.3 ---- */

CASE(09_5_3_a_binding_is_visible_at_once)
{
	int s = sk(SOCK_RDM), r = sk(SOCK_RDM), bad = 0;

	for (uint32_t i = 0; i < 300; i++) {
		if (bind(r, rng_scope(T, i, i, i % 2 ? 2 : 3), ALEN) != 0)
			bad++;
		if (sendto(s, "x", 1, 0, svc(T, i), ALEN) != 1)
			bad++;
		if (bind(r, NULL, 0) != 0)
			bad++;
		if (sendto(s, "x", 1, 0, svc(T, i), ALEN) != -1 || errno != EHOSTUNREACH)
			bad++;
	}
	say("%d wrong", bad);
}

CASE(09_5_3_node_scope_is_seen_on_the_own_node)
{
	int r = sk(SOCK_RDM), s = sk(SOCK_RDM);

	KNOW(s);
	MUST(bind(r, rng_scope(T, 1, 5, TIPC_NODE_SCOPE), ALEN));
	DO(sendto(s, "anycast", 7, 0, svc(T, 3), ALEN));
	RX(r);
	DO(sendto(s, "multicast", 9, 0, rng(T, 5, 9), ALEN));
	RX(r);
	DO(sendto(s, "domain", 6, 0, svc_at(T, 3, own_node()), ALEN));
	RX(r);
}

CASE_TYPES(09_5_close_unbinds)
{
	int s = sk(type);

	MUST(bind(s, rng(T, 1, 3), ALEN));
	reach(T, 2);
	close(s);
	reach(T, 2);
}
