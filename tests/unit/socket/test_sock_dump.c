/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: what dumps show of sockets: 13-netlink.md, 5.6, 5.7, 6. */
#include <errno.h>

#include "sock_fixture.h"
#include "socket_priv.h"

/* Instances 1 .. cnt of type 1000, in this order. */
static void
bind_many(struct sock_fixture *f, struct dpt_port port, uint32_t cnt)
{
	for (uint32_t i = 1; i <= cnt; i++)
		sock_bind(f, port, 1000, i, i);
}

static void
unbind(struct sock_fixture *f, struct dpt_port port, uint32_t instance)
{
	struct dpt_range range = {.type = 1000, .lower = instance, .upper = instance};
	struct dpt_binding b;

	CU_EQ_I64(dpt_sock_unbind(f->socks, port, &range, DPT_SCOPE_CLUSTER, &b), 0);
}

static void
bindings_come_newest_first_in_pieces(void)
{
	struct dpt_binding got[8];
	struct sock_fixture f;
	struct dpt_port port;
	uint32_t want = 20, cursor = 0, cnt;

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_U64(dpt_sock_bindings(f.socks, port, &cursor, got, 8), 0);
	CU_EQ_U64(dpt_sock_bindings(f.socks, dpt_port(1), &cursor, got, 8), 0);
	bind_many(&f, port, 20);
	while ((cnt = dpt_sock_bindings(f.socks, port, &cursor, got, 3)) > 0) {
		for (uint32_t i = 0; i < cnt; i++, want--) {
			CU_EQ_U64(got[i].range.lower, want);
			CU_EQ_U64(got[i].key, port.ref + want);
		}
	}
	CU_EQ_U64(want, 0);
	sock_teardown(&f);
}

/* Whatever is bound and unbound between two pieces: nothing comes twice, nothing is left out. */
static void
bindings_change_while_they_are_shown(void)
{
	static const struct {
		uint32_t unbound[4]; /* after 18, 17, 16 of 18 were shown */
		uint32_t next;
	} rows[] = {
		{{0}, 15},	    {{16}, 15}, /* where it stopped */
		{{15}, 14},			/* what would be next */
		{{16, 17, 18}, 15},		/* all that was shown */
		{{16, 15, 14}, 13}, {{17, 16, 15, 18}, 14},
	};
	struct dpt_binding got[3];
	struct sock_fixture f;

	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		for (uint32_t is_bound = 0; is_bound < 2; is_bound++) {
			struct dpt_port port;
			uint32_t cursor = 0;

			cu_context("row %u bound %u", i, is_bound);
			sock_setup(&f, 4);
			port = sock_new(&f);
			bind_many(&f, port, 18);
			CU_EQ_U64(dpt_sock_bindings(f.socks, port, &cursor, got, 3), 3);
			CU_EQ_U64(got[2].range.lower, 16);
			for (uint32_t u = 0; u < 4 && rows[i].unbound[u] != 0; u++)
				unbind(&f, port, rows[i].unbound[u]);
			/* Younger than the dump. */
			if (is_bound != 0)
				sock_bind(&f, port, 1000, 99, 99);
			CU_EQ_U64(dpt_sock_bindings(f.socks, port, &cursor, got, 3), 3);
			CU_EQ_U64(got[0].range.lower, rows[i].next);
			sock_teardown(&f);
		}
	}
}

static void
two_dumps_of_one_socket_do_not_disturb_each_other(void)
{
	uint32_t cursors[2] = {0}, want[2] = {20, 20};
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	bind_many(&f, port, 20);
	for (uint32_t i = 0; i < 30; i++) {
		struct dpt_binding got;
		uint32_t d = i % 3 == 0;

		if (dpt_sock_bindings(f.socks, port, &cursors[d], &got, 1) == 1)
			CU_EQ_U64(got.range.lower, want[d]--);
	}
	CU_EQ_U64(want[1], 10);
	CU_EQ_U64(want[0], 0);
	sock_teardown(&f);
}

/* As dpt_stack_internal_sock needs it: each one, also after others have gone. */
static void
internal_sockets_are_listed(void)
{
	struct dpt_port ports[4], got;
	struct sock_fixture f;

	sock_setup(&f, 8);
	for (uint32_t i = 0; i < 4; i++) {
		ports[i] = sock_new_type(&f, DPT_SOCK_SEQPACKET);
		(void)sock_new(&f);
		dpt_sock_internal_set(f.socks, ports[i]);
		dpt_sock_internal_set(f.socks, ports[i]);
	}
	CU_EQ_U64(dpt_socks_cnt(f.socks), 4);
	CU_TRUE(dpt_sock_internal_at(f.socks, 3, &got));
	CU_FALSE(dpt_sock_internal_at(f.socks, 4, &got));
	dpt_sock_close(f.socks, ports[1], &f.routed);
	dpt_sock_close(f.socks, ports[3], &f.routed);
	CU_TRUE(dpt_sock_internal_at(f.socks, 0, &got));
	CU_EQ_U64(got.ref, ports[0].ref);
	CU_TRUE(dpt_sock_internal_at(f.socks, 1, &got));
	CU_EQ_U64(got.ref, ports[2].ref);
	CU_FALSE(dpt_sock_internal_at(f.socks, 2, &got));
	sock_teardown(&f);
}

/* Reserved types are the stack's own. */
static void
only_internal_sockets_bind_reserved_types(void)
{
	struct dpt_range range = {.type = 1, .lower = 1, .upper = 1};
	struct dpt_binding b;
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_I64(dpt_sock_bind(f.socks, port, &range, DPT_SCOPE_NODE, &b), -EACCES);
	dpt_sock_internal_set(f.socks, port);
	CU_EQ_I64(dpt_sock_bind(f.socks, port, &range, DPT_SCOPE_NODE, &b), 0);
	CU_EQ_U64(b.key, port.ref + 1);
	sock_teardown(&f);
}

static void
info_tells_who_blocks_a_connection(void)
{
	struct dpt_sock_info info;
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_established(&f, DPT_SOCK_SEQPACKET);
	CU_EQ_I64(dpt_sock_info(f.socks, port, &info), 0);
	CU_EQ_U64(info.state, DPT_SOCK_STATE_ESTABLISHED);
	CU_FALSE(info.is_congested);
	dpt_sock_congested(f.socks, port, dpt_node_addr(PEER_B), 0);
	CU_EQ_I64(dpt_sock_info(f.socks, port, &info), 0);
	CU_TRUE(info.is_congested);
	CU_TRUE(info.is_link_congested);
	CU_FALSE(info.is_conn_congested);
	dpt_sock_room(f.socks, dpt_node_addr(PEER_B), 1, &f.routed);
	/* The peer reads nothing: 128 blocks and one message. */
	for (uint32_t i = 0; i < 1000 && sock_write(&f, port, 1000) == 0; i++)
		;
	CU_EQ_I64(dpt_sock_info(f.socks, port, &info), 0);
	CU_TRUE(info.is_congested);
	CU_FALSE(info.is_link_congested);
	CU_TRUE(info.is_conn_congested);
	CU_EQ_I64(dpt_sock_info(f.socks, dpt_port(1), &info), -ENOENT);
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(bindings_come_newest_first_in_pieces),
	CU_TEST(bindings_change_while_they_are_shown),
	CU_TEST(two_dumps_of_one_socket_do_not_disturb_each_other),
	CU_TEST(internal_sockets_are_listed),
	CU_TEST(only_internal_sockets_bind_reserved_types),
	CU_TEST(info_tells_who_blocks_a_connection),
};

const struct cu_suite sock_dump_suite = CU_TEST_SUITE("dump", tests);
