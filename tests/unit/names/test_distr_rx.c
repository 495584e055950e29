/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: one order out of bulk and updates: 04-name-table.md, 7.3, 7.4, 11.
 * Method: messages that carry their own mark (destport is free here) go in; the marks that
 * come out are compared.
 */
#include <string.h>

#include "distr_fixture.h"
#include "dpt_msg.h"

enum kind { UPDATE, BULK, LAST, LEGACY };

static void
rx_from(struct distr_fixture *f, uint32_t node, enum kind kind, uint32_t number, uint32_t mark)
{
	struct rte_mbuf *m =
		dpt_msg_alloc(test_pool(), DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_PUBLICATION,
			      DPT_HDR_INTERNAL, 0, dpt_node_addr(node), dpt_node_addr(OWN));
	uint8_t *hdr;

	CU_NOT_NULL_FATAL(m);
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_non_legacy(hdr, kind != LEGACY);
	dpt_msg_set_bulk(hdr, kind == BULK || kind == LAST);
	dpt_msg_set_last_bulk(hdr, kind == LAST);
	dpt_msg_set_named_seqno(hdr, number & 0xffff);
	dpt_msg_set_nametype(hdr, mark);
	dpt_distr_rx(f->distr, m);
}

static void
rx(struct distr_fixture *f, enum kind kind, uint32_t number, uint32_t mark)
{
	rx_from(f, PEER_B, kind, number, mark);
}

/* Marks that come out, as text of their last digits. */
static const char *
out(struct distr_fixture *f)
{
	static char text[64];
	struct rte_mbuf *m;
	uint32_t cnt = 0;

	while ((m = dpt_distr_pop(f->distr)) != NULL) {
		if (cnt < sizeof(text) - 1)
			text[cnt++] = (char)('0' + dpt_msg_nametype(dpt_buf_hdr(m)) % 10);
		rte_pktmbuf_free(m);
	}
	text[cnt] = 0;
	return text;
}

static void
peer_up(struct distr_fixture *f, uint32_t node)
{
	CU_EQ_I64(dpt_distr_peer_up(f->distr, dpt_node_addr(node), CAPS, 1428, 0, &f->q), 0);
}

static void
bulk_is_applied_at_once_and_updates_follow(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, BULK, 0, 1);
	CU_EQ_STR(out(&f), "1");
	rx(&f, LAST, 4, 2);
	rx(&f, UPDATE, 4, 3);
	rx(&f, UPDATE, 5, 4);
	CU_EQ_STR(out(&f), "234");
	distr_teardown(&f);
}

static void
update_that_overtakes_the_bulk_waits_for_it(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, BULK, 0, 1);
	rx(&f, UPDATE, 5, 5);
	rx(&f, UPDATE, 4, 4);
	CU_EQ_STR(out(&f), "1");
	rx(&f, LAST, 4, 2);
	CU_EQ_STR(out(&f), "245");
	distr_teardown(&f);
}

/* "Must": the kernel drops these, since it compares with 0 before the order is open. */
static void
early_update_with_a_high_number_is_not_dropped(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, UPDATE, 40000, 3);
	rx(&f, LAST, 40000, 2);
	CU_EQ_STR(out(&f), "23");
	distr_teardown(&f);
}

static void
early_update_that_the_bulk_contains_is_dropped(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, UPDATE, 2, 9);
	rx(&f, UPDATE, 3, 9);
	rx(&f, UPDATE, 4, 4);
	rx(&f, LAST, 4, 2);
	CU_EQ_STR(out(&f), "24");
	CU_EQ_U64(f.counters.drop_before, 2);
	rx(&f, UPDATE, 4, 9);
	CU_EQ_U64(f.counters.drop_before, 3);
	CU_EQ_STR(out(&f), "");
	distr_teardown(&f);
}

static void
gap_holds_later_updates_back(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, LAST, 0, 1);
	rx(&f, UPDATE, 3, 5);
	rx(&f, UPDATE, 2, 4);
	rx(&f, UPDATE, 1, 3);
	CU_EQ_STR(out(&f), "1");
	rx(&f, UPDATE, 0, 2);
	CU_EQ_STR(out(&f), "2345");
	distr_teardown(&f);
}

static void
order_goes_on_across_the_wrap(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, UPDATE, 1, 5);
	rx(&f, UPDATE, 65535, 3);
	rx(&f, LAST, 65534, 1);
	rx(&f, UPDATE, 0, 4);
	rx(&f, UPDATE, 65534, 2);
	CU_EQ_STR(out(&f), "12345");
	CU_EQ_U64(f.counters.drop_before, 0);
	distr_teardown(&f);
}

/* 12.1: contact renewed; the sender published meanwhile, or has restarted. */
static void
renewed_contact_starts_a_new_order(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, LAST, 100, 1);
	rx(&f, UPDATE, 100, 2);
	rx(&f, UPDATE, 105, 9); /* waits; forgotten with the contact */
	CU_EQ_STR(out(&f), "12");
	dpt_distr_peer_down(f.distr, dpt_node_addr(PEER_B));
	CU_EQ_U64(f.counters.drop_peer_down, 1);
	peer_up(&f, PEER_B);
	rx(&f, UPDATE, 101, 9); /* equals the old rcv_nxt: must not be applied before the bulk */
	rx(&f, UPDATE, 3, 4);	/* before the old rcv_nxt: must not be dropped */
	CU_EQ_STR(out(&f), "");
	rx(&f, LAST, 3, 3);
	CU_EQ_STR(out(&f), "34");
	distr_teardown(&f);
}

static void
messages_ready_but_not_applied_go_with_the_contact(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	peer_up(&f, PEER_C);
	rx_from(&f, PEER_B, LAST, 0, 1);
	rx_from(&f, PEER_C, LAST, 0, 2);
	rx_from(&f, PEER_B, UPDATE, 0, 3);
	dpt_distr_peer_down(f.distr, dpt_node_addr(PEER_B));
	CU_EQ_STR(out(&f), "2");
	CU_EQ_U64(f.counters.drop_peer_down, 2);
	distr_teardown(&f);
}

static void
peers_have_orders_of_their_own(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	peer_up(&f, PEER_C);
	rx_from(&f, PEER_B, LAST, 7, 1);
	rx_from(&f, PEER_C, UPDATE, 7, 3);
	rx_from(&f, PEER_B, UPDATE, 7, 2);
	CU_EQ_STR(out(&f), "12");
	rx_from(&f, PEER_C, LAST, 7, 2);
	CU_EQ_STR(out(&f), "23");
	distr_teardown(&f);
}

static void
legacy_messages_are_applied_at_arrival(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, LEGACY, 500, 1);
	rx(&f, LEGACY, 0, 2);
	CU_EQ_STR(out(&f), "12");
	distr_teardown(&f);
}

static void
hazard_04_1_origin_must_be_the_sender(void)
{
	static const struct {
		uint32_t prevnode, orignode;
	} cases[] = {{PEER_B, PEER_C}, {PEER_B, OWN}, {PEER_B, 0}, {OWN, OWN}, {0, 0}};
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	peer_up(&f, PEER_C);
	for (uint32_t i = 0; i < CU_CNT(cases); i++) {
		struct rte_mbuf *m =
			dpt_msg_alloc(test_pool(), DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_PUBLICATION,
				      DPT_HDR_INTERNAL, 0, dpt_node_addr(0), dpt_node_addr(OWN));

		CU_NOT_NULL_FATAL(m);
		dpt_msg_set_prevnode(dpt_buf_hdr(m), cases[i].prevnode);
		dpt_msg_set_orignode(dpt_buf_hdr(m), cases[i].orignode);
		dpt_distr_rx(f.distr, m);
		CU_EQ_U64(f.counters.drop_orignode, i + 1);
	}
	CU_EQ_STR(out(&f), "");
	distr_teardown(&f);
}

static void
node_without_contact_is_not_heard(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	rx(&f, LAST, 0, 1);
	CU_EQ_STR(out(&f), "");
	CU_EQ_U64(f.counters.drop_unknown_peer, 1);
	distr_teardown(&f);
}

static void
hazard_04_6_waiting_updates_are_bounded(void)
{
	struct distr_fixture f;

	distr_setup(&f, 3);
	peer_up(&f, PEER_B);
	peer_up(&f, PEER_C);
	rx(&f, LAST, 0, 1);
	for (uint32_t i = 1; i <= 3; i++)
		rx(&f, UPDATE, i, 9);
	CU_EQ_U64(dpt_distr_overflown(f.distr).value, 0);
	rx(&f, UPDATE, 4, 9);
	CU_EQ_U64(f.counters.drop_queue_full, 1);
	CU_EQ_U64(dpt_distr_overflown(f.distr).value, PEER_B);
	CU_EQ_U64(dpt_distr_overflown(f.distr).value, 0); /* told once */
	rx(&f, UPDATE, 0, 9); /* out of step: nothing more until contact is renewed */
	CU_EQ_U64(f.counters.drop_queue_full, 2);
	CU_EQ_STR(out(&f), "1");
	dpt_distr_peer_down(f.distr, dpt_node_addr(PEER_B));
	peer_up(&f, PEER_B);
	rx(&f, LAST, 0, 2);
	CU_EQ_STR(out(&f), "2");
	distr_teardown(&f);
}

static void
hazard_04_6_contact_lost_before_the_overflow_was_read(void)
{
	struct distr_fixture f;

	distr_setup(&f, 1);
	peer_up(&f, PEER_B);
	rx(&f, UPDATE, 1, 9);
	rx(&f, UPDATE, 2, 9);
	dpt_distr_peer_down(f.distr, dpt_node_addr(PEER_B));
	CU_EQ_U64(dpt_distr_overflown(f.distr).value, 0);
	distr_teardown(&f);
}

static void
hazard_04_6_same_number_twice_waits_once(void)
{
	struct distr_fixture f;

	distr_setup(&f, 3);
	peer_up(&f, PEER_B);
	for (uint32_t i = 0; i < 10; i++)
		rx(&f, UPDATE, 7, 2 + i);
	CU_EQ_U64(f.counters.drop_same_number, 9);
	rx(&f, LAST, 7, 1);
	CU_EQ_STR(out(&f), "12");
	distr_teardown(&f);
}

/* Legal: it concerns that peer's own items only. */
static void
hazard_04_7_last_bulk_again_moves_the_order(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, LAST, 10, 1);
	rx(&f, UPDATE, 12, 9);
	rx(&f, UPDATE, 1000, 5);
	rx(&f, LAST, 1000, 4);
	CU_EQ_STR(out(&f), "145");
	CU_EQ_U64(f.counters.drop_before, 1);
	rx(&f, LAST, 10, 6); /* back */
	rx(&f, UPDATE, 10, 7);
	CU_EQ_STR(out(&f), "67");
	distr_teardown(&f);
}

/* The bit on a numbered message: it sets the order and is taken as its first update. */
static void
hazard_04_7_last_bulk_bit_on_an_update(void)
{
	struct distr_fixture f;
	struct rte_mbuf *m;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, UPDATE, 50, 9);
	rx(&f, UPDATE, 51, 3);
	m = dpt_msg_alloc(test_pool(), DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_PUBLICATION,
			  DPT_HDR_INTERNAL, 0, dpt_node_addr(PEER_B), dpt_node_addr(OWN));
	CU_NOT_NULL_FATAL(m);
	dpt_msg_set_non_legacy(dpt_buf_hdr(m), 1);
	dpt_msg_set_last_bulk(dpt_buf_hdr(m), 1);
	dpt_msg_set_named_seqno(dpt_buf_hdr(m), 50);
	dpt_msg_set_nametype(dpt_buf_hdr(m), 2);
	dpt_distr_rx(f.distr, m);
	CU_EQ_STR(out(&f), "23");
	CU_EQ_U64(f.counters.drop_same_number, 1);
	distr_teardown(&f);
}

/* All numbers before rcv_nxt go, all from it on stay, wherever in the circle it lies. */
static void
bulk_drops_exactly_what_is_before_it(void)
{
	static const uint32_t starts[] = {0, 1, 255, 256, 257, 32767, 32768, 40000, 65535};

	for (uint32_t i = 0; i < CU_CNT(starts); i++) {
		struct distr_fixture f;

		cu_context("rcv_nxt %u", starts[i]);
		distr_setup(&f, 100);
		peer_up(&f, PEER_B);
		rx(&f, UPDATE, starts[i] - 1, 9);
		rx(&f, UPDATE, starts[i] - 300, 9);
		rx(&f, UPDATE, starts[i] - 32767, 9);
		rx(&f, UPDATE, starts[i], 2);
		rx(&f, UPDATE, starts[i] + 300, 9);
		rx(&f, UPDATE, starts[i] + 32767, 9);
		rx(&f, LAST, starts[i], 1);
		CU_EQ_STR(out(&f), "12");
		CU_EQ_U64(f.counters.drop_before, 3);
		dpt_distr_peer_down(f.distr, dpt_node_addr(PEER_B));
		CU_EQ_U64(f.counters.drop_peer_down, 2);
		distr_teardown(&f);
	}
}

static void
stop_frees_what_waits(void)
{
	struct distr_fixture f;

	distr_setup(&f, 100);
	peer_up(&f, PEER_B);
	rx(&f, UPDATE, 5, 9);
	rx(&f, BULK, 0, 9);
	dpt_distr_fini(f.distr);
	CU_EQ_U64(f.counters.drop_stopped, 2);
	distr_teardown(&f);
}

static const struct cu_test tests[] = {
	CU_TEST(bulk_is_applied_at_once_and_updates_follow),
	CU_TEST(update_that_overtakes_the_bulk_waits_for_it),
	CU_TEST(early_update_with_a_high_number_is_not_dropped),
	CU_TEST(early_update_that_the_bulk_contains_is_dropped),
	CU_TEST(gap_holds_later_updates_back),
	CU_TEST(order_goes_on_across_the_wrap),
	CU_TEST(renewed_contact_starts_a_new_order),
	CU_TEST(messages_ready_but_not_applied_go_with_the_contact),
	CU_TEST(peers_have_orders_of_their_own),
	CU_TEST(legacy_messages_are_applied_at_arrival),
	CU_TEST(hazard_04_1_origin_must_be_the_sender),
	CU_TEST(node_without_contact_is_not_heard),
	CU_TEST(hazard_04_6_waiting_updates_are_bounded),
	CU_TEST(hazard_04_6_contact_lost_before_the_overflow_was_read),
	CU_TEST(hazard_04_6_same_number_twice_waits_once),
	CU_TEST(hazard_04_7_last_bulk_again_moves_the_order),
	CU_TEST(hazard_04_7_last_bulk_bit_on_an_update),
	CU_TEST(bulk_drops_exactly_what_is_before_it),
	CU_TEST(stop_frees_what_waits),
};

const struct cu_suite distr_rx_suite = CU_TEST_SUITE("distr_rx", tests);
