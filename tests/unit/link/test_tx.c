/* SPDX-License-Identifier: BSD-3-Clause */

/* Sending: numbering, window, backlog by importance, congestion. Src: 03-link-node.md, 11. */
#include <errno.h>
#include <string.h>

#include "link_rig.h"

static void
packets_are_numbered_stamped_and_addressed(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_rx(&rig, 1, 0);
	rig.view.ack = 7;
	CU_EQ_I64(rig_send(&rig, 1, 2), 0);
	CU_EQ_U64(rig.out.tx.cnt, 2);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_I64(rig_tx_seq(&rig, i), i + 1);
		CU_EQ_U64(dpt_msg_ack(rig_tx_hdr(&rig, i)), 1);
		CU_EQ_U64(dpt_msg_bcast_ack(rig_tx_hdr(&rig, i)), 7);
	}
	CU_TRUE(dpt_maddr_eq(&dpt_buf(rig.out.tx.head)->dst, &rig_setup.dst));
	CU_EQ_U64(rig.link->snd_cnt, 2);
	rig_end(&rig);
}

static void
window_full_queues_and_acknowledgement_drains(void)
{
	struct rig rig;

	rig_init_up(&rig);
	CU_EQ_I64(rig_send_large(&rig, 0, 60), 0);
	CU_EQ_U64(rig_tx_clear(&rig), 50);
	CU_EQ_U64(rig.link->backlog_cnt[0], 10);
	/* 4 released: 46 + 10 are enough to call the window in full use: it grows by 4. */
	rig_rx_state(&rig, 4, 0, NULL);
	CU_EQ_U64(rig.link->window, 54);
	CU_EQ_U64(rig_tx_clear(&rig), 8);
	CU_EQ_U64(rig.link->backlog_cnt[0], 2);
	rig_end(&rig);
}

/* Levels have limits of their own: 2, 4, 6, 8 windows, and a name table for SYSTEM. */
static void
one_message_too_many_is_accepted_and_reported(void)
{
	static const uint16_t limits[] = {100, 200, 300, 400};

	for (unsigned int imp = 0; imp < CU_CNT(limits); imp++) {
		const struct dpt_event *event;
		struct rig rig;

		cu_context("importance %u", imp);
		rig_init_up(&rig);
		CU_EQ_I64(rig_send_large(&rig, imp, 50 + limits[imp]), 0);
		CU_EQ_U64(rig.link->backlog_cnt[imp], limits[imp]);
		CU_EQ_I64(rig_send_large(&rig, imp, 1), 1);
		CU_EQ_U64(rig.link->backlog_cnt[imp], limits[imp] + 1);
		CU_EQ_U64(rig.sums.link_congs, 1);
		CU_EQ_I64(rig_send(&rig, (imp + 1) % 4, 1), 0);
		rig_tx_clear(&rig);
		CU_IS_NULL(rig_event(&rig, DPT_EVENT_LINK_ROOM));
		rig_rx_state(&rig, 1, 0, NULL);
		rig_rx_state(&rig, 3, 0, NULL);
		event = rig_event(&rig, DPT_EVENT_LINK_ROOM);
		CU_NOT_NULL_FATAL(event);
		CU_EQ_U64(event->value, 1U << imp);
		CU_EQ_U64(event->node.value, RIG_B);
		/* Said once. */
		rig.out.events_cnt = 0;
		rig_rx_state(&rig, 5, 0, NULL);
		CU_IS_NULL(rig_event(&rig, DPT_EVENT_LINK_ROOM));
		rig_end(&rig);
	}
}

static void
full_system_level_refuses(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	CU_EQ_U64(rig.link->backlog_limit[DPT_IMPORTANCE_SYSTEM], 873);
	rig.link->backlog_limit[DPT_IMPORTANCE_SYSTEM] = 0;
	m = dpt_msg_alloc(test_pool(), DPT_USER_NAME_DISTRIBUTOR, 0, DPT_HDR_INTERNAL, 20,
			  dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));
	CU_EQ_I64(dpt_link_tx(rig.link, m, rig.now_ns, &rig.out), -ENOBUFS);
	CU_EQ_U64(rig.sums.drop_overflow, 1);
	rig_end(&rig);
}

static void
reset_reports_room_to_everybody_who_waits(void)
{
	const struct dpt_event *event;
	struct rig rig;

	rig_init_up(&rig);
	rig_send_large(&rig, 0, 151);
	rig_send_large(&rig, 2, 301);
	dpt_link_event(rig.link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	event = rig_event(&rig, DPT_EVENT_LINK_ROOM);
	CU_NOT_NULL_FATAL(event);
	CU_EQ_U64(event->value, 1U << 0 | 1U << 2);
	rig_end(&rig);
}

static void
large_message_becomes_consecutive_fragments(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, 0, 1);
	dpt_link_tx(rig.link, rig_msg(1, 66000), rig.now_ns, &rig.out);
	/* 66024 octets in pieces of 1428 - 40. */
	CU_EQ_U64(rig.sums.sent_fragments, 48);
	CU_EQ_U64(rig.out.tx.cnt, 1 + 48);
	for (unsigned int i = 1; i < rig.out.tx.cnt; i++) {
		const uint8_t *hdr = rig_tx_hdr(&rig, i);

		CU_EQ_I64(rig_tx_seq(&rig, i), i + 1);
		CU_EQ_U64(dpt_msg_user(hdr), DPT_USER_FRAGMENTER);
		CU_TRUE(dpt_msg_size(hdr) <= 1500 - 72);
		CU_EQ_U64(dpt_msg_destnode(hdr), RIG_B);
	}
	rig_end(&rig);
}

static void
several_segments_are_sent_as_one(void)
{
	struct rte_mbuf *m = rig_msg(0, 200), *tail = dpt_buf_alloc(test_pool());
	struct rig rig;

	rig_init_up(&rig);
	rte_pktmbuf_append(tail, 100);
	memset(rte_pktmbuf_mtod(tail, uint8_t *), 0x5a, 100);
	rte_pktmbuf_chain(m, tail);
	dpt_msg_set_size(dpt_buf_hdr(m), DPT_HDR_SHORT + 300);
	CU_EQ_I64(dpt_link_tx(rig.link, m, rig.now_ns, &rig.out), 0);
	CU_EQ_U64(rig.out.tx.head->nb_segs, 1);
	CU_EQ_U64(dpt_buf_bytes(rig.out.tx.head), DPT_HDR_SHORT + 300);
	CU_EQ_U64(dpt_buf_hdr(rig.out.tx.head)[DPT_HDR_SHORT + 299], 0x5a);
	rig_end(&rig);
}

static void
pool_empty_refuses_a_large_message(void)
{
	struct rte_mbuf *m;
	struct rig rig;

	rig_init_up(&rig);
	m = rig_msg(0, 20000);
	test_pool_exhaust(2);
	CU_EQ_I64(dpt_link_tx(rig.link, m, rig.now_ns, &rig.out), -ENOBUFS);
	test_pool_release();
	CU_EQ_U64(rig.sums.drop_no_buffer, 1);
	CU_EQ_U64(rig.out.tx.cnt, 0);
	rig_end(&rig);
}

/* Holes take places of the ring: a lost first packet must not be overwritten. */
static void
ring_bounds_the_span_of_unacknowledged_packets(void)
{
	struct dpt_gap_record rec = {.ucast_cnt = 1};
	struct rig rig;

	rig_init_with(&rig, &rig_setup, 64);
	rig_up(&rig);
	for (uint16_t last = 2; last <= 80; last++) {
		rig_send_large(&rig, 0, last == 2 ? 2 : 1);
		rig_tx_clear(&rig);
		rec.ucast[0].ack = (uint16_t)(rig.link->snd_nxt - 1);
		rig_rx_state(&rig, 0, 1, &rec);
		rig_tx_clear(&rig);
	}
	CU_EQ_U64(rig.link->snd_una, 1);
	CU_EQ_U64(rig.link->snd_nxt, 65);
	CU_EQ_U64(rig.link->snd_cnt, 1);
	CU_EQ_U64(rig.link->backlog.cnt, 16);
	rig_rx_state(&rig, 64, 0, NULL);
	CU_EQ_U64(rig.link->backlog.cnt, 0);
	CU_EQ_U64(rig.link->snd_nxt, 81);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(packets_are_numbered_stamped_and_addressed),
	CU_TEST(window_full_queues_and_acknowledgement_drains),
	CU_TEST(one_message_too_many_is_accepted_and_reported),
	CU_TEST(full_system_level_refuses),
	CU_TEST(reset_reports_room_to_everybody_who_waits),
	CU_TEST(large_message_becomes_consecutive_fragments),
	CU_TEST(several_segments_are_sent_as_one),
	CU_TEST(pool_empty_refuses_a_large_message),
	CU_TEST(ring_bounds_the_span_of_unacknowledged_packets),
};
const struct cu_suite tx_suite = CU_TEST_SUITE("tx", tests);
