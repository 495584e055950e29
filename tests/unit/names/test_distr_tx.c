/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: bulks and updates sent: 04-name-table.md, 4, 6, 7.1, 7.2, 9, 12.1. */
#include <errno.h>
#include <string.h>

#include "distr_fixture.h"
#include "dpt_msg.h"
#include "dpt_time.h"

void
distr_setup(struct distr_fixture *f, uint32_t queue_msgs_max)
{
	*f = (struct distr_fixture){0};
	dpt_rng_seed(&f->rng, cu_seed());
	f->cfg = (struct dpt_distr_cfg){
		.env = {.rng = &f->rng, .pool = test_pool()},
		.peers_max = 4,
		.bindings_max = 256,
		.queue_msgs_max = queue_msgs_max,
		.hold_ns_max = HOLD_NS,
		.counters = &f->counters,
	};
	f->distr = malloc(dpt_distr_size(&f->cfg));
	CU_NOT_NULL_FATAL(f->distr);
	dpt_distr_init(f->distr, &f->cfg);
	dpt_distr_own_set(f->distr, dpt_node_addr(OWN));
	dpt_bufq_init(&f->q);
}

void
distr_teardown(struct distr_fixture *f)
{
	dpt_distr_fini(f->distr);
	dpt_bufq_free(&f->q);
	free(f->distr);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

static int
hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

void
distr_check_octets(struct rte_mbuf *m, const char *hex)
{
	uint8_t expected[256], got[256];
	uint32_t len = 0;

	for (; *hex != 0; hex++) {
		if (*hex == ' ')
			continue;
		expected[len++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		hex++;
	}
	CU_EQ_U64_FATAL(dpt_buf_bytes(m), len);
	dpt_buf_read(m, 0, got, len);
	CU_EQ_MEM(got, expected, len);
}

static struct dpt_binding
own_binding(uint32_t type, uint32_t lower, uint32_t upper, uint32_t port, uint32_t key)
{
	struct dpt_binding b = names_binding(type, lower, upper, port, OWN);

	b.key = key;
	return b;
}

static int
publish(struct distr_fixture *f, uint32_t type, uint32_t lower, uint32_t upper, uint32_t port,
	uint32_t key)
{
	struct dpt_binding b = own_binding(type, lower, upper, port, key);

	return dpt_distr_publish(f->distr, &b);
}

static void
withdraw(struct distr_fixture *f, uint32_t type, uint32_t lower, uint32_t upper, uint32_t port,
	 uint32_t key)
{
	struct dpt_binding b = own_binding(type, lower, upper, port, key);

	dpt_distr_withdraw(f->distr, &b);
}

/* Number of the next update; -1: none. */
static int
pop_number(struct distr_fixture *f, uint64_t now_ns)
{
	struct rte_mbuf *m = dpt_distr_tx_pop(f->distr, now_ns);
	int number;

	if (m == NULL)
		return -1;
	number = (int)dpt_msg_named_seqno(dpt_buf_hdr(m));
	rte_pktmbuf_free(m);
	return number;
}

/* Section 9, first dump; ack and seqno words are the link's. */
static void
example_bulk_of_section_9(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	publish(&f, 0, OWN, OWN, 0, OWN);
	publish(&f, 1000, 10, 20, 0xe87cc829, 0xe87cc82a);
	publish(&f, 1000, 10, 20, 0xe87cc829, 0xe87cc82b);
	publish(&f, 1000, 10, 20, 0x16a1d559, 0x16a1d55a);
	CU_EQ_I64(dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q), 0);
	CU_EQ_U64_FATAL(f.q.cnt, 1);
	distr_check_octets(f.q.head, "57400078 1c000000 00000000 01001001"
				     "00000004 00004000 01001001 01001002"
				     "00000000 00000000"
				     "00000000 01001001 01001001 00000000 01001001"
				     "000003e8 0000000a 00000014 e87cc829 e87cc82a"
				     "000003e8 0000000a 00000014 e87cc829 e87cc82b"
				     "000003e8 0000000a 00000014 16a1d559 16a1d55a");
	distr_teardown(&f);
}

/* Second dump: node B; the broadcast link adds non_seq, seqno, network id. */
static void
example_update_of_section_9(void)
{
	struct distr_fixture f;
	struct rte_mbuf *m;

	distr_setup(&f, 100);
	dpt_distr_own_set(f.distr, dpt_node_addr(PEER_B));
	publish(&f, 0, PEER_B, PEER_B, 0, PEER_B);
	publish(&f, 3000, 1, 1, 0xef3b3edc, 0xef3b3edd);
	CU_EQ_I64(pop_number(&f, 0), 0);
	m = dpt_distr_tx_pop(f.distr, 0);
	CU_NOT_NULL_FATAL(m);
	distr_check_octets(m, "5740003c 04000000 00000000 01001002"
			      "00000001 00000000 01001002 00000000"
			      "00000000 00000000"
			      "00000bb8 00000001 00000001 ef3b3edc ef3b3edd");
	rte_pktmbuf_free(m);
	CU_IS_NULL(dpt_distr_tx_pop(f.distr, 0));
	distr_teardown(&f);
}

/* Third dump. */
static void
example_withdrawal_of_section_9(void)
{
	struct distr_fixture f;
	struct rte_mbuf *m;

	distr_setup(&f, 100);
	publish(&f, 2000, 1, 1, 0xb4fd2b62, 0xb4fd2b63);
	for (uint32_t i = 0; i < 4; i++)
		publish(&f, 100, i, i, 1, i);
	withdraw(&f, 2000, 1, 1, 0xb4fd2b62, 0xb4fd2b63);
	for (int i = 0; i < 5; i++)
		CU_EQ_I64(pop_number(&f, 0), i);
	m = dpt_distr_tx_pop(f.distr, 0);
	CU_NOT_NULL_FATAL(m);
	distr_check_octets(m, "5740003c 24000000 00000000 01001001"
			      "00000005 00000000 01001001 00000000"
			      "00000000 00000000"
			      "000007d0 00000001 00000001 b4fd2b62 b4fd2b63");
	rte_pktmbuf_free(m);
	distr_teardown(&f);
}

/* 7.2: mtu 1428 carries 69 items in 1420 octets; only the last message has the number. */
static void
bulk_is_packed_by_size_in_order_of_publication(void)
{
	struct distr_fixture f;
	struct rte_mbuf *m;
	uint32_t next = 0;

	distr_setup(&f, 1000);
	for (uint32_t i = 0; i < 140; i++)
		publish(&f, 1000 + (i * 7) % 140, i, i, 1, i);
	CU_EQ_I64(dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q), 0);
	CU_EQ_U64(f.q.cnt, 3);
	for (uint32_t i = 0; (m = dpt_bufq_pop(&f.q)) != NULL; i++) {
		const uint8_t *hdr = dpt_buf_hdr(m);
		uint32_t items = i < 2 ? 69 : 2;

		CU_EQ_U64(dpt_msg_size(hdr), 40 + 20 * items);
		CU_EQ_U64(dpt_msg_bulk(hdr), 1);
		CU_EQ_U64(dpt_msg_non_legacy(hdr), 1);
		CU_EQ_U64(dpt_msg_bc_ack_invalid(hdr), 1);
		CU_EQ_U64(dpt_msg_last_bulk(hdr), i == 2);
		CU_EQ_U64(dpt_msg_named_seqno(hdr), i == 2 ? 140 : 0);
		CU_EQ_U64(dpt_msg_destnode(hdr), PEER_B);
		for (uint32_t j = 0; j < items; j++, next++) {
			uint8_t raw[20];

			dpt_buf_read(m, 40 + 20 * j, raw, 20);
			CU_EQ_U64(dpt_msg_word(raw, 1), next);
		}
		rte_pktmbuf_free(m);
	}
	CU_EQ_U64(next, 140);
	distr_teardown(&f);
}

static void
withdrawn_binding_is_not_in_the_bulk(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	publish(&f, 1000, 1, 1, 1, 1);
	publish(&f, 1000, 1, 1, 1, 2);
	withdraw(&f, 1000, 1, 1, 1, 1);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q);
	CU_EQ_U64_FATAL(f.q.cnt, 1);
	CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(f.q.head)), 60);
	CU_EQ_U64(dpt_msg_named_seqno(dpt_buf_hdr(f.q.head)), 3);
	distr_teardown(&f);
}

/* The own state is always published before; if it is not, the peer's order opens anyway. */
static void
empty_bulk_is_one_message_without_items(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q);
	CU_EQ_U64_FATAL(f.q.cnt, 1);
	CU_EQ_U64(dpt_msg_size(dpt_buf_hdr(f.q.head)), 40);
	CU_EQ_U64(dpt_msg_last_bulk(dpt_buf_hdr(f.q.head)), 1);
	distr_teardown(&f);
}

static void
numbers_wrap_at_16_bits(void)
{
	struct distr_fixture f;
	int expected = 0;

	distr_setup(&f, 100);
	for (uint32_t i = 0; i < 32770; i++) {
		publish(&f, 1000, 1, 1, 1, 1);
		withdraw(&f, 1000, 1, 1, 1, 1);
		CU_EQ_I64_FATAL(pop_number(&f, 0), expected & 0xffff);
		CU_EQ_I64_FATAL(pop_number(&f, 0), (expected + 1) & 0xffff);
		expected += 2;
	}
	publish(&f, 1000, 1, 1, 1, 1);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q);
	CU_EQ_U64(dpt_msg_named_seqno(dpt_buf_hdr(f.q.head)), 65541 - 65536);
	distr_teardown(&f);
}

static void
updates_are_held_back_until_the_bulk_is_acknowledged(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	publish(&f, 1000, 1, 1, 1, 1);
	CU_EQ_I64(pop_number(&f, 0), 0);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 10, &f.q);
	CU_EQ_U64(dpt_distr_deadline_ns(f.distr), DPT_NEVER_NS); /* nothing to hold */
	publish(&f, 1000, 2, 2, 1, 2);
	publish(&f, 1000, 3, 3, 1, 3);
	CU_EQ_I64(pop_number(&f, 11), -1);
	CU_EQ_U64(dpt_distr_deadline_ns(f.distr), 10 + HOLD_NS);
	dpt_distr_bulk_done(f.distr, dpt_node_addr(PEER_B));
	CU_EQ_I64(pop_number(&f, 12), 1);
	CU_EQ_I64(pop_number(&f, 12), 2);
	CU_EQ_U64(dpt_distr_deadline_ns(f.distr), DPT_NEVER_NS);
	CU_EQ_U64(f.counters.holds_expired, 0);
	distr_teardown(&f);
}

static void
hold_ends_at_its_deadline(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 10, &f.q);
	publish(&f, 1000, 2, 2, 1, 2);
	CU_EQ_I64(pop_number(&f, 9 + HOLD_NS), -1);
	CU_EQ_I64(pop_number(&f, 10 + HOLD_NS), 0);
	CU_EQ_U64(f.counters.holds_expired, 1);
	distr_teardown(&f);
}

static void
hold_lasts_until_all_new_peers_have_their_bulk(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 10, &f.q);
	publish(&f, 1000, 2, 2, 1, 2);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_C), CAPS, 1428, 20, &f.q);
	CU_EQ_I64(pop_number(&f, 21), -1);
	CU_EQ_U64(dpt_distr_deadline_ns(f.distr), 20 + HOLD_NS);
	dpt_distr_bulk_done(f.distr, dpt_node_addr(PEER_B));
	CU_EQ_I64(pop_number(&f, 22), -1);
	dpt_distr_peer_down(f.distr, dpt_node_addr(PEER_C)); /* lost: nothing to wait for */
	CU_EQ_I64(pop_number(&f, 23), 0);
	distr_teardown(&f);
}

/* A peer whose contact comes and goes must not silence us: 4 holds at most. */
static void
flapping_peer_cannot_hold_updates_for_ever(void)
{
	struct distr_fixture f;
	uint64_t now = 0;
	int number = -1;

	distr_setup(&f, 100);
	publish(&f, 1000, 2, 2, 1, 2);
	while (number < 0 && now < 100 * HOLD_NS) {
		dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, now, &f.q);
		number = pop_number(&f, now);
		now += HOLD_NS / 2;
	}
	CU_EQ_I64(number, 0);
	CU_EQ_U64(now, 4 * HOLD_NS + HOLD_NS / 2);
	distr_teardown(&f);
}

static void
legacy_peer_forces_copies_while_it_is_up(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	CU_TRUE(dpt_distr_is_bcast(f.distr));
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q);
	CU_TRUE(dpt_distr_is_bcast(f.distr));
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_C), CAPS & ~DPT_CAP_NAMED_BCAST, 1428, 0,
			  &f.q);
	CU_FALSE(dpt_distr_is_bcast(f.distr));
	/* Renewed contact without a loss seen: not counted twice. */
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_C), CAPS & ~DPT_CAP_NAMED_BCAST, 1428, 0,
			  &f.q);
	dpt_distr_peer_down(f.distr, dpt_node_addr(PEER_C));
	CU_TRUE(dpt_distr_is_bcast(f.distr));
	distr_teardown(&f);
}

static void
pool_empty_changes_nothing(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	for (uint32_t i = 0; i < 100; i++)
		publish(&f, 1000, i, i, 1, i);
	while (pop_number(&f, 0) >= 0)
		;
	test_pool_exhaust(1);
	CU_EQ_I64(dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q), -ENOBUFS);
	CU_EQ_U64(f.q.cnt, 0);
	CU_EQ_U64(f.counters.drop_no_buffer, 1);
	test_pool_exhaust(0);
	CU_EQ_I64(publish(&f, 1000, 200, 200, 1, 200), -ENOBUFS);
	test_pool_release();
	CU_EQ_I64(publish(&f, 1000, 200, 200, 1, 200), 0);
	CU_EQ_I64(pop_number(&f, 0), 100); /* no number was used */
	distr_teardown(&f);
}

/* A name must not stay behind for lack of a buffer: the withdrawal is sent later. */
static void
withdrawal_without_buffer_is_sent_later(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	CU_EQ_I64(publish(&f, 1000, 5, 5, 1, 5), 0);
	CU_EQ_I64(pop_number(&f, 0), 0);
	CU_EQ_U64(dpt_distr_deadline_ns(f.distr), DPT_NEVER_NS);
	test_pool_exhaust(0);
	withdraw(&f, 1000, 5, 5, 1, 5);
	CU_EQ_I64(pop_number(&f, 1000), -1);
	CU_TRUE(dpt_distr_deadline_ns(f.distr) > 1000);
	CU_TRUE(dpt_distr_deadline_ns(f.distr) < DPT_NEVER_NS);
	test_pool_release();
	CU_EQ_I64(pop_number(&f, dpt_distr_deadline_ns(f.distr)), 1);
	CU_EQ_U64(dpt_distr_deadline_ns(f.distr), DPT_NEVER_NS);
	distr_teardown(&f);
}

static void
bounds_are_reported(void)
{
	struct distr_fixture f;

	distr_setup(&f, 1000);
	for (uint32_t i = 0; i < 256; i++)
		CU_EQ_I64(publish(&f, 1000, i, i, 1, i), 0);
	CU_EQ_I64(publish(&f, 1000, 256, 256, 1, 256), -ENOSPC);
	for (uint32_t i = 0; i < 4; i++)
		CU_EQ_I64(
			dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B + i), CAPS, 1428, 0, &f.q),
			0);
	CU_EQ_I64(dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B + 4), CAPS, 1428, 0, &f.q),
		  -ENOSPC);
	distr_teardown(&f);
}

static void
storm_of_held_publications_is_bounded_but_withdrawals_pass(void)
{
	struct distr_fixture f;

	distr_setup(&f, 2);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q);
	CU_EQ_I64(publish(&f, 1000, 1, 1, 1, 1), 0);
	CU_EQ_I64(publish(&f, 1000, 1, 1, 1, 2), 0);
	CU_EQ_I64(publish(&f, 1000, 1, 1, 1, 3), -ENOBUFS);
	withdraw(&f, 1000, 1, 1, 1, 1);
	distr_teardown(&f);
}

static void
updates_made_before_the_address_carry_it_when_sent(void)
{
	struct distr_fixture f;
	struct rte_mbuf *m;

	distr_setup(&f, 100);
	dpt_distr_own_set(f.distr, dpt_node_addr(0));
	publish(&f, 1000, 1, 1, 1, 1);
	dpt_distr_own_set(f.distr, dpt_node_addr(OWN));
	m = dpt_distr_tx_pop(f.distr, 0);
	CU_NOT_NULL_FATAL(m);
	CU_EQ_U64(dpt_msg_orignode(dpt_buf_hdr(m)), OWN);
	CU_EQ_U64(dpt_msg_prevnode(dpt_buf_hdr(m)), OWN);
	rte_pktmbuf_free(m);
	distr_teardown(&f);
}

static void
print_tells_the_state(void)
{
	struct distr_fixture f;
	char text[200];

	distr_setup(&f, 100);
	publish(&f, 1000, 1, 1, 1, 1);
	dpt_distr_peer_up(f.distr, dpt_node_addr(PEER_B), CAPS, 1428, 0, &f.q);
	dpt_distr_print(f.distr, text, sizeof(text));
	CU_EQ_STR(text, "distr own 01001001 next 1 bindings 1 peers 1 legacy 0 tx 1 held waiting 0 "
			"ready 0");
	distr_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(example_bulk_of_section_9),
	CU_TEST(example_update_of_section_9),
	CU_TEST(example_withdrawal_of_section_9),
	CU_TEST(bulk_is_packed_by_size_in_order_of_publication),
	CU_TEST(withdrawn_binding_is_not_in_the_bulk),
	CU_TEST(empty_bulk_is_one_message_without_items),
	CU_TEST(numbers_wrap_at_16_bits),
	CU_TEST(updates_are_held_back_until_the_bulk_is_acknowledged),
	CU_TEST(hold_ends_at_its_deadline),
	CU_TEST(hold_lasts_until_all_new_peers_have_their_bulk),
	CU_TEST(flapping_peer_cannot_hold_updates_for_ever),
	CU_TEST(legacy_peer_forces_copies_while_it_is_up),
	CU_TEST(pool_empty_changes_nothing),
	CU_TEST(withdrawal_without_buffer_is_sent_later),
	CU_TEST(bounds_are_reported),
	CU_TEST(storm_of_held_publications_is_bounded_but_withdrawals_pass),
	CU_TEST(updates_made_before_the_address_carry_it_when_sent),
	CU_TEST(print_tells_the_state),
};

const struct cu_suite distr_tx_suite = CU_TEST_SUITE("distr_tx", tests);
