/* SPDX-License-Identifier: BSD-3-Clause */

/* Repair of a link that loses packets: decision 0014. */
#include "link_rig.h"

/* A look every 16th of the interval of 375 ms. */
#define STEP_NS (375 * DPT_NS_PER_MS / 16)

/* To the next look. Returns what was sent, which is cleared. */
static uint32_t
look(struct rig *rig)
{
	rig->now_ns = dpt_link_deadline_ns(rig->link);
	dpt_link_supervise(rig->link, rig->now_ns, &rig->out);
	return rig_tx_clear(rig);
}

static void
link_without_loss_is_not_looked_after(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_send(&rig, DPT_USER_LOW, 5);
	rig_rx(&rig, 1, 0);
	rig_tx_clear(&rig);
	CU_EQ_U64(dpt_link_deadline_ns(rig.link), DPT_NEVER_NS);
	rig_end(&rig);
}

/* One packet is too few for the rule of three: the look asks for what is missing. */
static void
gap_of_one_packet_is_reported_at_the_next_look(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_rx(&rig, 1, 0);
	rig_rx(&rig, 3, 0);
	CU_EQ_U64(rig.out.tx.cnt, 0);
	CU_EQ_U64(dpt_link_deadline_ns(rig.link), rig.now_ns + STEP_NS);
	rig.now_ns += STEP_NS;
	CU_EQ_U64(dpt_link_supervise(rig.link, rig.now_ns, &rig.out), DPT_LINK_R_STATE_SENT);
	CU_EQ_U64(dpt_msg_probe(rig_tx_hdr(&rig, 0)), 1);
	CU_EQ_U64(dpt_msg_seq_gap(rig_tx_hdr(&rig, 0)), 1);
	CU_EQ_U64(dpt_msg_ack(rig_tx_hdr(&rig, 0)), 1);
	CU_EQ_U64(rig.sums.sent_repairs, 1);
	rig_end(&rig);
}

/* The last packet of a burst is lost: the probe says that it was sent. */
static void
lost_end_of_a_burst_is_asked_after(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_send_large(&rig, DPT_USER_LOW, 3);
	rig_tx_clear(&rig);
	rig.now_ns += 2 * DPT_NS_PER_MS;
	/* 1 is missing and sent again; 2 arrived; of 3 nothing is said. */
	rig_rx_state(&rig, 0, 1, &(struct dpt_gap_record){.ucast_cnt = 1, .ucast = {{.ack = 2}}});
	CU_EQ_U64(rig.sums.retransmitted, 1);
	rig_tx_clear(&rig);
	rig_rx_state(&rig, 2, 0, NULL);
	rig_tx_clear(&rig);
	/* Something has moved since the last look; then nothing has. */
	CU_EQ_U64(look(&rig), 0);
	CU_EQ_U64(look(&rig), 1);
	CU_EQ_U64(rig.sums.sent_repairs, 1);
	rig_rx_state(&rig, 3, 0, NULL);
	rig_tx_clear(&rig);
	CU_EQ_U64(look(&rig), 0);
	CU_EQ_U64(look(&rig), 0);
	rig_end(&rig);
}

static void
looks_end_some_time_after_the_last_loss(void)
{
	struct rig rig;
	uint64_t end_ns;
	uint32_t looks = 0;

	rig_init_up(&rig);
	rig_rx(&rig, 2, 0);
	rig_rx(&rig, 1, 0);
	rig_tx_clear(&rig);
	end_ns = rig.now_ns + 2 * DPT_NS_PER_S;
	while (dpt_link_deadline_ns(rig.link) != DPT_NEVER_NS && looks < 1000) {
		CU_EQ_U64(look(&rig), 0);
		looks++;
	}
	CU_TRUE(rig.now_ns >= end_ns);
	CU_EQ_U64(looks, 2 * DPT_NS_PER_S / STEP_NS + 1);
	CU_EQ_U64(rig.sums.sent_repairs, 0);
	rig_end(&rig);
}

/* What belonged to the old session is forgotten with it. */
static void
reset_ends_the_looks(void)
{
	struct rig rig;

	rig_init_up(&rig);
	rig_rx(&rig, 2, 0);
	dpt_link_event(rig.link, DPT_LINK_EV_RESET, rig.now_ns);
	dpt_link_reset(rig.link, rig.now_ns, &rig.out);
	CU_EQ_U64(dpt_link_deadline_ns(rig.link), DPT_NEVER_NS);
	rig_end(&rig);
}

static const struct cu_test tests[] = {
	CU_TEST(link_without_loss_is_not_looked_after),
	CU_TEST(gap_of_one_packet_is_reported_at_the_next_look),
	CU_TEST(lost_end_of_a_burst_is_asked_after),
	CU_TEST(looks_end_some_time_after_the_last_loss),
	CU_TEST(reset_ends_the_looks),
};

const struct cu_suite repair_suite = CU_TEST_SUITE("repair", tests);
