/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Three kernel nodes, captured at the sender A (broadcast-loss.pcap). A relay lost the
 * 5th, 6th and 20th broadcast frame on the way to B, and the 30th to B and C. Each of our
 * ends stands in for the kernel's: same input, same decisions.
 */
#include "../discovery/pcap_read.h"
#include "bcast_fx.h"

static struct pcap_frame frame;

static bool
is_stream(const struct pcap_frame *f)
{
	return dpt_msg_non_seq(f->msg) && dpt_msg_user(f->msg) != DPT_USER_LINK_CONFIG &&
	       dpt_msg_prevnode(f->msg) == FX_A.value;
}

static bool
is_state_from(const struct pcap_frame *f, struct dpt_node_addr node)
{
	return !dpt_msg_non_seq(f->msg) && dpt_msg_user(f->msg) == DPT_USER_LINK_PROTOCOL &&
	       dpt_msg_type(f->msg) == DPT_TYPE_STATE && dpt_msg_prevnode(f->msg) == node.value;
}

/* The broadcast part of the captured STATE is what our view would make of it. */
static void
check_view(const struct dpt_bcast_view *view, const struct pcap_frame *state)
{
	struct dpt_gap_record rec;

	CU_TRUE_FATAL(dpt_gap_record_decode(&rec, state->msg + DPT_HDR_INTERNAL,
					    dpt_msg_payload_bytes(state->msg)) > 0);
	CU_EQ_U64(view->ack, dpt_msg_bcast_ack(state->msg));
	CU_EQ_U64(view->gap, dpt_msg_bc_gap(state->msg));
	CU_EQ_U64_FATAL(view->blocks_cnt, rec.bcast_cnt);
	for (uint32_t i = 0; i < rec.bcast_cnt; i++) {
		CU_EQ_U64(view->blocks[i].ack, rec.bcast[i].ack);
		CU_EQ_U64(view->blocks[i].gap, rec.bcast[i].gap);
	}
}

/* Receive the stream with its losses; each STATE that is due must be the captured one. */
static void
receive_as(struct dpt_node_addr own, const uint32_t *lost, uint32_t lost_cnt, uint32_t states_want)
{
	FILE *stream = pcap_open("broadcast-loss.pcap"), *states = pcap_open("broadcast-loss.pcap");
	static struct pcap_frame state;
	uint32_t no = 0, states_cnt = 0;
	struct bcast_fx fx;

	CU_NOT_NULL_FATAL(stream);
	CU_NOT_NULL_FATAL(states);
	bcast_fx_init(&fx);
	fx.rcv.own = own;
	bcast_fx_sync(&fx, 1);
	while (states_cnt < states_want && pcap_next(stream, &frame)) {
		bool is_lost = false;
		struct rte_mbuf *m;

		if (!is_stream(&frame))
			continue;
		no++;
		for (uint32_t i = 0; i < lost_cnt; i++)
			is_lost |= lost[i] == no;
		if (is_lost)
			continue;
		m = test_buf(frame.msg, frame.bytes);
		CU_EQ_U64(dpt_msg_check_buf(m, DPT_PLACE_FRAME), DPT_MSG_OK);
		cu_context("frame %u of the stream", no);
		if (!dpt_bcast_rcv_rx(&fx.rcv, m, &fx.out))
			continue;
		do
			CU_TRUE_FATAL(pcap_next(states, &state));
		while (!is_state_from(&state, own));
		check_view(&fx.rcv.view, &state);
		states_cnt++;
	}
	CU_EQ_U64(states_cnt, states_want);
	fclose(stream);
	fclose(states);
	bcast_fx_fini(&fx);
}

static void
receiver_b_reports_as_the_kernel_does(void)
{
	static const uint32_t lost[] = {5, 6, 20, 30};

	receive_as(FX_B, lost, CU_CNT(lost), 7);
}

static void
receiver_c_reports_as_the_kernel_does(void)
{
	static const uint32_t lost[] = {30};

	receive_as(FX_C, lost, CU_CNT(lost), 8);
}

static void
sender_answers_reports_as_the_kernel_does(void)
{
	FILE *file = pcap_open("broadcast-loss.pcap"), *want = pcap_open("broadcast-loss.pcap");
	uint16_t seqnos[128];
	uint32_t checked = 0;
	struct bcast_fx fx;
	uint64_t start_ns;

	CU_NOT_NULL_FATAL(file);
	CU_NOT_NULL_FATAL(want);
	bcast_fx_init(&fx);
	bcast_fx_peer(&fx, FX_B);
	bcast_fx_peer(&fx, FX_C);
	while (pcap_next(file, &frame) && !is_stream(&frame))
		;
	start_ns = frame.time_ns;
	/* The window, and a backlog that never runs dry. Number 1 was sent before. */
	bcast_fx_send(&fx, 50 + 90, start_ns);
	CU_EQ_U64_FATAL(bcast_fx_sent(&fx, seqnos, 128), 50);
	for (uint32_t i = 2; i <= 50; i++) {
		while (pcap_next(want, &frame) && !is_stream(&frame))
			;
		CU_EQ_U64(dpt_msg_seqno(frame.msg), i);
	}
	/* 51 to 89; 6, 7, 21, 31 again; 90 to 121. */
	while (checked < 39 + 4 + 32 && pcap_next(file, &frame)) {
		uint32_t cnt;

		if (!is_state_from(&frame, FX_B) && !is_state_from(&frame, FX_C))
			continue;
		dpt_bcast_snd_report(fx.snd, test_buf(frame.msg, frame.bytes), frame.time_ns,
				     &fx.out);
		cnt = bcast_fx_sent(&fx, seqnos, 128);
		bcast_fx_send(&fx, cnt, frame.time_ns);
		for (uint32_t i = 0; i < cnt && checked < 39 + 4 + 32; i++, checked++) {
			while (pcap_next(want, &frame) && !is_stream(&frame))
				;
			CU_EQ_U64(seqnos[i], dpt_msg_seqno(frame.msg));
		}
	}
	CU_EQ_U64(checked, 39 + 4 + 32);
	fclose(file);
	fclose(want);
	bcast_fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(receiver_b_reports_as_the_kernel_does),
	CU_TEST(receiver_c_reports_as_the_kernel_does),
	CU_TEST(sender_answers_reports_as_the_kernel_does),
};

const struct cu_suite bcast_suite_replay = CU_TEST_SUITE("replay", tests);
