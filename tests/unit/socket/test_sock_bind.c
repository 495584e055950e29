/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: creation, port numbers, binding and unbinding: 09-socket-api.md, 3, 5. */
#include <errno.h>

#include "sock_fixture.h"
#include "socket_priv.h"

static int
bind_to(struct sock_fixture *f, struct dpt_port port, uint32_t type, uint32_t lower, uint32_t upper,
	uint8_t scope)
{
	struct dpt_range range = {.type = type, .lower = lower, .upper = upper};
	struct dpt_binding b;

	return dpt_sock_bind(f->socks, port, &range, scope, &b);
}

static int
unbind(struct sock_fixture *f, struct dpt_port port, uint32_t type, uint32_t lower, uint32_t upper,
       uint8_t scope)
{
	struct dpt_range range = {.type = type, .lower = lower, .upper = upper};
	struct dpt_binding b;

	return dpt_sock_unbind(f->socks, port, &range, scope, &b);
}

static void
types_of_the_family_open(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	CU_EQ_I64(dpt_sock_open(f.socks, DPT_SOCK_RDM, 0, &port), 0);
	CU_EQ_I64(dpt_sock_open(f.socks, DPT_SOCK_DGRAM, 0, &port), 0);
	CU_EQ_I64(dpt_sock_open(f.socks, DPT_SOCK_STREAM, 0, &port), 0);
	CU_EQ_I64(dpt_sock_open(f.socks, DPT_SOCK_SEQPACKET, 0, &port), 0);
	CU_EQ_I64(dpt_sock_open(f.socks, (enum dpt_sock_type)3, 0, &port), -EPROTOTYPE);
	CU_EQ_U64(dpt_socks_cnt(f.socks), 4);
	sock_teardown(&f);
}

static void
slots_are_bounded(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 2);
	sock_new(&f);
	port = sock_new(&f);
	CU_EQ_I64(dpt_sock_open(f.socks, DPT_SOCK_RDM, 0, &port), -ENFILE);
	dpt_sock_close(f.socks, port, &f.routed);
	CU_EQ_I64(dpt_sock_open(f.socks, DPT_SOCK_RDM, 0, &port), 0);
	sock_teardown(&f);
}

static void
port_number_names_its_shard(void)
{
	struct sock_fixture f;

	sock_setup(&f, 4);
	CU_EQ_U64(dpt_port_shard(sock_new(&f)), SHARD);
	sock_teardown(&f);
}

static void
no_port_is_0(void)
{
	struct sock_fixture f;

	sock_setup(&f, 1);
	f.cfg.shard = 0;
	dpt_socks_init(f.socks, &f.cfg, 0);
	for (uint32_t i = 0; i < 600; i++) {
		struct dpt_port port = sock_new(&f);

		CU_TRUE(port.ref != 0);
		dpt_sock_close(f.socks, port, &f.routed);
	}
	sock_teardown(&f);
}

/* Link selector: 09-socket-api.md, 3.1. 1000 sockets, fair bits: 400..600 by far. */
static void
bit_0_of_ports_is_spread(void)
{
	struct sock_fixture f;
	uint32_t ones = 0;

	sock_setup(&f, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		ones += sock_new(&f).ref & 1;
	CU_TRUE(ones > 400);
	CU_TRUE(ones < 600);
	sock_teardown(&f);
}

static void
hazard_09_25_port_does_not_come_back_soon(void)
{
	struct sock_fixture f;
	struct dpt_port first, port;

	sock_setup(&f, 4);
	first = sock_new(&f);
	dpt_sock_close(f.socks, first, &f.routed);
	/* Slots go round, oldest first; each comes back 256 times before a number does. */
	for (uint32_t i = 0; i < 4 * 256 - 1; i++) {
		port = sock_new(&f);
		CU_TRUE(port.ref != first.ref);
		dpt_sock_close(f.socks, port, &f.routed);
	}
	CU_EQ_U64(sock_new(&f).ref, first.ref);
	sock_teardown(&f);
}

static void
hazard_09_25_late_message_does_not_reach_the_next_socket_of_the_slot(void)
{
	struct sock_fixture f;
	struct dpt_port old, port;

	sock_setup(&f, 1);
	old = sock_new(&f);
	dpt_sock_close(f.socks, old, &f.routed);
	port = sock_new(&f);
	sock_rx(&f, sock_msg(0, DPT_TYPE_DIRECT, DPT_HDR_BASIC, 4, old.ref));
	CU_EQ_U64(f.counters.returned_no_port, 1);
	CU_EQ_I64(sock_read(&f, port), -1);
	CU_EQ_I64(dpt_sock_rcvbuf_set(f.socks, old, 1), -EINVAL);
	CU_EQ_I64(bind_to(&f, old, 100, 1, 1, 2), -EINVAL);
	sock_teardown(&f);
}

/* 5.1, rows 2, 4, 7, 10; rows 1, 3, 5, 6, 8, 9, 11 are the caller's. */
static void
bind_rules_row_by_row(void)
{
	struct sock_fixture f;
	struct dpt_port port;
	struct dpt_range range = {.type = 64, .lower = 0, .upper = UINT32_MAX};
	struct dpt_binding b;

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_I64(bind_to(&f, port, 1000, 2, 1, 2), -EINVAL);
	CU_EQ_I64(bind_to(&f, port, 5, 2, 1, 2), -EINVAL); /* row 2 is before row 4 */
	CU_EQ_I64(bind_to(&f, port, 63, 1, 1, 2), -EACCES);
	CU_EQ_I64(bind_to(&f, port, 0, 1, 1, 2), -EACCES);
	for (uint32_t scope = 0; scope < 128; scope++) {
		CU_EQ_I64(dpt_sock_bind(f.socks, port, &range, (uint8_t)scope, &b), 0);
		CU_EQ_U64(b.scope, scope == 3 ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER);
	}
	f.socks->slots[0].binds_cnt = UINT32_MAX; /* 2^32 - 1 bindings made in its life */
	CU_EQ_I64(bind_to(&f, port, 1000, 1, 1, 2), -EADDRINUSE);
	sock_teardown(&f);
}

static void
bind_gives_keys_that_are_not_reused(void)
{
	struct sock_fixture f;
	struct dpt_range range = {.type = 1000, .lower = 1, .upper = 2};
	struct dpt_binding a, b, c;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_I64(dpt_sock_bind(f.socks, port, &range, 2, &a), 0);
	CU_EQ_U64(a.key, port.ref + 1);
	CU_EQ_U64(a.port.ref, port.ref);
	CU_EQ_U64(a.node.value, OWN);
	CU_EQ_U64(a.range.type, 1000);
	CU_EQ_I64(dpt_sock_bind(f.socks, port, &range, 2, &b), 0);
	CU_EQ_U64(b.key, port.ref + 2);
	CU_EQ_I64(unbind(&f, port, 1000, 1, 2, 2), 0);
	CU_EQ_I64(dpt_sock_bind(f.socks, port, &range, 2, &c), 0);
	CU_EQ_U64(c.key, port.ref + 3);
	sock_teardown(&f);
}

static void
refused_bind_does_not_count(void)
{
	struct sock_fixture f;
	struct dpt_range range = {.type = 1000, .lower = 1, .upper = 2};
	struct dpt_binding a, b;
	struct dpt_sock_info info;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	dpt_sock_bind(f.socks, port, &range, 2, &a);
	dpt_sock_bind_undo(f.socks, &a);
	CU_EQ_I64(dpt_sock_info(f.socks, port, &info), 0);
	CU_EQ_U64(info.bindings_cnt, 0);
	dpt_sock_bind(f.socks, port, &range, 2, &b);
	CU_EQ_U64(b.key, port.ref + 1);
	/* Two on their way; the older one is refused: the newer one's key stays unique. */
	dpt_sock_bind(f.socks, port, &range, 2, &a);
	dpt_sock_bind_undo(f.socks, &b);
	dpt_sock_bind(f.socks, port, &range, 2, &b);
	CU_EQ_U64(b.key, port.ref + 3);
	sock_teardown(&f);
}

static void
hazard_09_4_bindings_of_a_shard_are_bounded(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	for (uint32_t i = 0; i < f.cfg.bindings_max; i++)
		CU_EQ_I64(bind_to(&f, port, 1000, i, i, 2), 0);
	CU_EQ_I64(bind_to(&f, port, 1000, 0, 0, 2), -ENOMEM);
	dpt_sock_close(f.socks, port, &f.routed); /* gives them back */
	CU_EQ_I64(bind_to(&f, sock_new(&f), 1000, 0, 0, 2), 0);
	sock_teardown(&f);
}

static void
unbind_rules(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	CU_EQ_I64(unbind(&f, port, 1000, 1, 1, 2), 1); /* nothing bound: success */
	CU_EQ_I64(unbind(&f, port, 63, 1, 1, 2), -EACCES);
	CU_EQ_I64(unbind(&f, port, 1000, 2, 1, 2), -EINVAL);
	CU_EQ_I64(bind_to(&f, port, 1000, 1, 5, 2), 0);
	CU_EQ_I64(unbind(&f, port, 1000, 1, 5, 3), -EINVAL);
	CU_EQ_I64(unbind(&f, port, 1000, 1, 6, 2), -EINVAL);
	CU_EQ_I64(unbind(&f, port, 1000, 2, 5, 2), -EINVAL);
	CU_EQ_I64(unbind(&f, port, 1001, 1, 5, 2), -EINVAL);
	CU_EQ_I64(unbind(&f, port, 1000, 1, 5, 1), 0); /* 1 is cluster too */
	CU_EQ_I64(unbind(&f, port, 1000, 1, 5, 2), 1);
	sock_teardown(&f);
}

static void
unbind_takes_the_newest_of_equal_bindings(void)
{
	struct sock_fixture f;
	struct dpt_range range = {.type = 1000, .lower = 1, .upper = 2};
	struct dpt_binding b;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	bind_to(&f, port, 1000, 1, 2, 2);
	bind_to(&f, port, 1000, 1, 2, 2);
	CU_EQ_I64(dpt_sock_unbind(f.socks, port, &range, 2, &b), 0);
	CU_EQ_U64(b.key, port.ref + 2);
	sock_teardown(&f);
}

/* The kernel stops at {300, 1, 9}; we are told not to. */
static void
unbind_goes_on_after_another_upper_bound(void)
{
	struct sock_fixture f;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	bind_to(&f, port, 300, 1, 5, 2);
	bind_to(&f, port, 300, 1, 9, 2);
	CU_EQ_I64(unbind(&f, port, 300, 1, 5, 2), 0);
	CU_EQ_I64(unbind(&f, port, 300, 1, 9, 2), 0);
	sock_teardown(&f);
}

static void
bindings_are_taken_newest_first(void)
{
	struct sock_fixture f;
	struct dpt_binding b;
	struct dpt_port port;

	sock_setup(&f, 4);
	port = sock_new(&f);
	for (uint32_t i = 0; i < 3; i++)
		bind_to(&f, port, 1000, i, i, 2);
	for (uint32_t i = 3; i-- > 0;) {
		CU_TRUE(dpt_sock_binding_pop(f.socks, port, &b));
		CU_EQ_U64(b.range.lower, i);
	}
	CU_FALSE(dpt_sock_binding_pop(f.socks, port, &b));
	sock_teardown(&f);
}

static void
bindings_made_before_the_address_take_it(void)
{
	struct sock_fixture f;
	struct dpt_binding b;
	struct dpt_port port;

	sock_setup(&f, 4);
	dpt_socks_own_set(f.socks, dpt_node_addr(0));
	port = sock_new(&f);
	bind_to(&f, port, 1000, 1, 1, 2);
	dpt_socks_own_set(f.socks, dpt_node_addr(OWN));
	CU_TRUE(dpt_sock_binding_pop(f.socks, port, &b));
	CU_EQ_U64(b.node.value, OWN);
	sock_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(types_of_the_family_open),
	CU_TEST(slots_are_bounded),
	CU_TEST(port_number_names_its_shard),
	CU_TEST(no_port_is_0),
	CU_TEST(bit_0_of_ports_is_spread),
	CU_TEST(hazard_09_25_port_does_not_come_back_soon),
	CU_TEST(hazard_09_25_late_message_does_not_reach_the_next_socket_of_the_slot),
	CU_TEST(bind_rules_row_by_row),
	CU_TEST(bind_gives_keys_that_are_not_reused),
	CU_TEST(refused_bind_does_not_count),
	CU_TEST(hazard_09_4_bindings_of_a_shard_are_bounded),
	CU_TEST(unbind_rules),
	CU_TEST(unbind_takes_the_newest_of_equal_bindings),
	CU_TEST(unbind_goes_on_after_another_upper_bound),
	CU_TEST(bindings_are_taken_newest_first),
	CU_TEST(bindings_made_before_the_address_take_it),
};

const struct cu_suite sock_bind_suite = CU_TEST_SUITE("bind", tests);
