/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One sender and seven receivers over a network that loses, doubles and reorders, in both
 * directions, drawn from a seed. Safety: each message comes out once and in order.
 * Liveness: after the losses everything is delivered and released.
 */
#include "bcast_fx.h"

#define RCVS_CNT  7
#define MSGS_CNT  400
#define STEP_NS	  (5 * FX_MS)
#define STEPS_MAX 20000
/* Frames that wait in the network, to be overtaken. */
#define HELD_MAX 256

struct held {
	struct rte_mbuf *m;
	uint32_t to; /* receiver; RCVS_CNT: the sender */
};

struct run {
	struct bcast_fx fx; /* its send link, pool, generator */
	struct dpt_bcast_rcv rcvs[RCVS_CNT];
	uint32_t next[RCVS_CNT]; /* message expected */
	struct held held[HELD_MAX];
	uint32_t held_cnt;
	uint32_t loss_percent;
	uint64_t now_ns;
};

static struct run run;

static struct dpt_node_addr
rcv_addr(uint32_t i)
{
	return dpt_node_addr(FX_B.value + i);
}

/* Messages that receiver i has got: number and order. */
static void
check_up(uint32_t i)
{
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(&run.fx.out.up)) != NULL) {
		uint32_t no;

		dpt_buf_read(m, DPT_HDR_MCAST, &no, sizeof(no));
		CU_EQ_U64_FATAL(no, run.next[i]);
		run.next[i]++;
		rte_pktmbuf_free(m);
	}
}

static void net_put(struct rte_mbuf *m, uint32_t to);

static void
deliver(struct held held)
{
	struct dpt_bcast_rcv *rcv = &run.rcvs[held.to];
	bool is_state_due;

	if (held.to == RCVS_CNT) {
		dpt_bcast_snd_report(run.fx.snd, held.m, run.now_ns, &run.fx.out);
		return;
	}
	if (dpt_msg_user(dpt_buf_hdr(held.m)) != DPT_USER_LINK_PROTOCOL) {
		is_state_due = dpt_bcast_rcv_rx(rcv, held.m, &run.fx.out);
		check_up(held.to);
	} else {
		is_state_due = dpt_bcast_rcv_state(rcv, dpt_buf_hdr(held.m));
		rte_pktmbuf_free(held.m);
	}
	if (!is_state_due)
		return;
	dpt_bcast_rcv_acked(rcv);
	net_put(bcast_state_of(rcv), RCVS_CNT);
}

static void
net_put(struct rte_mbuf *m, uint32_t to)
{
	struct dpt_rng *rng = &run.fx.rng;
	struct held held = {.m = m, .to = to};
	uint32_t i;

	if (dpt_rng_below(rng, 100) < run.loss_percent) {
		rte_pktmbuf_free(m);
		return;
	}
	if (run.held_cnt < HELD_MAX) {
		run.held[run.held_cnt++] = held;
		return;
	}
	i = dpt_rng_below(rng, HELD_MAX);
	deliver(run.held[i]);
	run.held[i] = held;
}

/* A copy, so that the sender's buffer and what the receivers keep are apart. */
static void
net_broadcast(void)
{
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(&run.fx.out.tx)) != NULL) {
		for (uint32_t i = 0; i < RCVS_CNT; i++) {
			uint32_t copies = 1 + (dpt_rng_below(&run.fx.rng, 20) == 0);

			for (uint32_t j = 0; j < copies; j++) {
				struct rte_mbuf *copy = dpt_buf_copy(m, test_pool());

				CU_NOT_NULL_FATAL(copy);
				net_put(copy, i);
			}
		}
		rte_pktmbuf_free(m);
	}
}

/* Most of what is in the network arrives, out of order. */
static void
net_arrive(void)
{
	for (uint32_t j = 0; j < run.held_cnt;) {
		struct held held = run.held[j];

		if (dpt_rng_below(&run.fx.rng, 4) == 0) {
			j++;
			continue;
		}
		run.held[j] = run.held[--run.held_cnt];
		deliver(held);
	}
}

/*
 * What the unicast links say on their timers: the sender what it has sent, the receiver
 * its report when one is due, and now and then (in answer to a probe) when not.
 */
static void
step_links(uint32_t i)
{
	struct rte_mbuf *m = bcast_state(FX_A, 0, 0, NULL, 0);

	dpt_msg_set_last_bcast(dpt_buf_hdr(m), dpt_bcast_snd_last(run.fx.snd));
	net_put(m, i);
	if (!run.rcvs[i].view.is_ack_due && dpt_rng_below(&run.fx.rng, 10) != 0)
		return;
	dpt_bcast_rcv_acked(&run.rcvs[i]);
	net_put(bcast_state_of(&run.rcvs[i]), RCVS_CNT);
}

static bool
is_done(void)
{
	uint32_t done = dpt_bcast_snd_deadline_ns(run.fx.snd) == DPT_NEVER_NS;

	for (uint32_t i = 0; i < RCVS_CNT; i++)
		done &= run.next[i] == MSGS_CNT;
	return done;
}

static void
start(uint64_t seed)
{
	memset(&run, 0, sizeof(run));
	bcast_fx_init(&run.fx);
	dpt_rng_seed(&run.fx.rng, seed);
	run.loss_percent = dpt_rng_below(&run.fx.rng, 40);
	for (uint32_t i = 0; i < RCVS_CNT; i++) {
		struct dpt_node_addr addr = rcv_addr(i);
		uint8_t init[DPT_HDR_INTERNAL];

		bcast_fx_peer(&run.fx, addr);
		dpt_bcast_rcv_init(&run.rcvs[i], &run.fx.env, addr, FX_A, FX_NET_ID, DPT_CAPS_OWN,
				   &run.fx.counters);
		dpt_msg_init(init, DPT_USER_BCAST_PROTOCOL, 0, sizeof(init), FX_A, addr);
		dpt_bcast_rcv_sync(&run.rcvs[i], init);
	}
}

static void
finish(void)
{
	for (uint32_t i = 0; i < run.held_cnt; i++)
		rte_pktmbuf_free(run.held[i].m);
	for (uint32_t i = 0; i < RCVS_CNT; i++)
		dpt_bcast_rcv_reset(&run.rcvs[i]);
	CU_EQ_U64(run.fx.counters.tx_released, run.fx.counters.tx_pkts);
	CU_EQ_U64(run.fx.counters.drop_report_bad, 0);
	bcast_fx_fini(&run.fx);
}

static void
run_seed(uint64_t seed)
{
	uint32_t sent = 0, steps;

	cu_context("seed %" PRIu64, seed);
	start(seed);
	for (steps = 0; steps < STEPS_MAX && !is_done(); steps++) {
		uint32_t bytes = 48 + dpt_rng_below(&run.fx.rng, 100) * 40;

		run.now_ns += STEP_NS;
		while (sent < MSGS_CNT && (dpt_bcast_snd_room(run.fx.snd) & 1) != 0 &&
		       dpt_rng_below(&run.fx.rng, 3) != 0) {
			struct rte_mbuf *m = bcast_msg(sent++, bytes);

			CU_TRUE(dpt_bcast_snd_tx(run.fx.snd, m, run.now_ns, &run.fx.out) >= 0);
		}
		net_broadcast();
		net_arrive();
		for (uint32_t i = 0; i < RCVS_CNT; i++)
			step_links(i);
	}
	CU_TRUE(is_done());
	CU_TRUE(run.loss_percent == 0 || run.fx.counters.tx_retransmits > 0);
	finish();
}

static void
lossy_broadcast_is_exactly_once_in_order(void)
{
	for (uint64_t i = 0; i < 20; i++)
		run_seed(cu_seed() + i);
}

static const struct cu_test tests[] = {
	CU_TEST(lossy_broadcast_is_exactly_once_in_order),
};

const struct cu_suite bcast_suite_lossy = CU_TEST_SUITE("lossy", tests);
