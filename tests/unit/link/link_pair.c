/* SPDX-License-Identifier: BSD-3-Clause */
#include "link_pair.h"

#include <string.h>

#define PAIR_INTERVAL_MS 375
#define PAIR_HDR_BYTES	 DPT_HDR_SHORT

struct pair pair;

static const uint32_t pair_addrs[2] = {0x02010000, 0x02020000};

static void
pair_link_init(unsigned int side, unsigned int wire, uint16_t mtu)
{
	struct pair_side *s = &pair.sides[side];
	const struct dpt_link_cfg cfg = {
		.env = {.rng = &s->rng, .pool = test_pool()},
		.own = {.value = pair_addrs[side]},
		.peer = {.value = pair_addrs[1 - side]},
		.caps = pair.caps,
		.ring_pkts = PAIR_RING_PKTS,
		.view = &s->view,
		.sums = &s->sums,
	};
	const struct dpt_link_setup setup = {
		.bearer_id = (uint8_t)wire,
		.priority = 10,
		.tolerance_ms = 1500,
		.mtu = mtu,
		.window_min = 20,
		.window_max = PAIR_RING_PKTS,
		.if_name = "eth0",
		.dst = {.media = DPT_MEDIA_ETH, .bytes = {2, 0, 0, 0, (uint8_t)wire, 1}},
	};

	CU_TRUE_FATAL(dpt_link_size(PAIR_RING_PKTS) <= sizeof(s->ends[wire].mem));
	s->ends[wire].link = (struct dpt_link *)(void *)s->ends[wire].mem;
	dpt_link_init(s->ends[wire].link, &cfg, &setup, pair.now_ns);
}

/* What side has sent goes onto the wires. The bearer lets go of it at once. */
static void
pair_flush(unsigned int side)
{
	struct pair_side *s = &pair.sides[side];
	struct rte_mbuf *m, *copy;

	while ((m = dpt_bufq_pop(&s->out.tx)) != NULL) {
		uint8_t wire = dpt_buf(m)->bearer_id;

		if (pair.cut_before[wire] > 0 && --pair.cut_before[wire] == 0)
			pair.loss_pct[wire] = 100;
		if (dpt_rng_below(&pair.rng, 100) < pair.loss_pct[wire]) {
			rte_pktmbuf_free(m);
			continue;
		}
		copy = dpt_buf_copy(m, test_pool());
		CU_NOT_NULL_FATAL(copy);
		rte_pktmbuf_free(m);
		CU_EQ_U64(dpt_msg_check_buf(copy, DPT_PLACE_FRAME), DPT_MSG_OK);
		CU_TRUE(dpt_buf_bytes(copy) <= s->ends[wire].link->mtu);
		dpt_bufq_push(&pair.sides[1 - side].wire[wire], copy);
	}
	s->out.events_cnt = 0;
}

static void
pair_deliver(unsigned int side, struct dpt_bufq *in)
{
	struct pair_side *s = &pair.sides[side];
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(in)) != NULL) {
		uint32_t bytes = dpt_buf_bytes(m) - PAIR_HDR_BYTES, no;
		uint8_t last;

		/* The dummy that a link sends itself, in an old synchronisation. */
		if (dpt_msg_errcode(dpt_buf_hdr(m)) != 0) {
			s->foreign++;
			rte_pktmbuf_free(m);
			continue;
		}
		dpt_buf_read(m, PAIR_HDR_BYTES, &no, sizeof(no));
		dpt_buf_read(m, PAIR_HDR_BYTES + bytes - 1, &last, 1);
		s->wrong += no != s->received || last != (uint8_t)(bytes * 7);
		s->received++;
		rte_pktmbuf_free(m);
	}
}

static void
pair_result(unsigned int side, unsigned int wire, uint32_t result)
{
	struct pair_side *s = &pair.sides[side];
	struct dpt_link *link = s->ends[wire].link;

	CU_FALSE(result & DPT_LINK_R_DOWN);
	if ((result & DPT_LINK_R_UP) && !dpt_link_is_up(link)) {
		dpt_link_event(link, DPT_LINK_EV_ESTABLISH, pair.now_ns);
		dpt_link_state_tx(link, &s->out);
	}
}

int
pair_failover(unsigned int side, unsigned int wire)
{
	struct pair_side *s = &pair.sides[side];
	struct dpt_link *failed = s->ends[wire].link, *tunnel = s->ends[1 - wire].link;
	int rc;

	dpt_link_event(failed, DPT_LINK_EV_FAILURE, pair.now_ns);
	if (s->is_synch) {
		struct dpt_bufq in;

		s->is_synch = false;
		dpt_bufq_init(&in);
		dpt_link_event(tunnel, DPT_LINK_EV_SYNCH_END, pair.now_ns);
		dpt_link_unhold(tunnel, pair.now_ns, &in, &s->out);
		pair_deliver(side, &in);
	}
	rc = dpt_link_failover(failed, tunnel, pair.now_ns, &s->out);
	dpt_link_event(failed, DPT_LINK_EV_RESET, pair.now_ns);
	dpt_link_reset(failed, pair.now_ns, &s->out);
	dpt_link_event(failed, DPT_LINK_EV_FAILOVER_BEGIN, pair.now_ns);
	s->is_failover = true;
	s->sync_point = (uint16_t)(dpt_link_rcv_nxt(tunnel) + 32766);
	s->active = (uint8_t)(1 - wire);
	return rc;
}

/* Steps 7 and 8 of the node's filter. Src: 03-link-node.md, 16, 19.3. */
static void
pair_filter_failover(unsigned int side, unsigned int wire, const uint8_t *hdr)
{
	struct pair_side *s = &pair.sides[side];
	struct dpt_link *link = s->ends[wire].link, *other = s->ends[1 - wire].link;

	if (dpt_msg_user(hdr) == DPT_USER_TUNNEL && dpt_msg_type(hdr) == DPT_TYPE_FAILOVER &&
	    !dpt_seq_lt((uint16_t)dpt_msg_seqno(hdr), dpt_link_rcv_nxt(link))) {
		uint16_t syncpt = (uint16_t)(dpt_msg_seqno(hdr) + dpt_msg_msgcnt(hdr) - 1);

		if (dpt_link_is_up(other))
			CU_EQ_I64(pair_failover(side, 1 - wire), 0);
		if (dpt_seq_lt(syncpt, s->sync_point))
			s->sync_point = syncpt;
	}
	if (!s->is_failover || dpt_seq_le(dpt_link_rcv_nxt(link), s->sync_point))
		return;
	s->is_failover = false;
	dpt_link_failover_end(link, pair.now_ns);
	dpt_link_event(other, DPT_LINK_EV_FAILOVER_END, pair.now_ns);
}

static void
pair_rx_proto(unsigned int side, unsigned int wire, struct rte_mbuf *m)
{
	struct pair_side *s = &pair.sides[side];
	struct dpt_link *link = s->ends[wire].link;
	const uint8_t *hdr = dpt_buf_hdr(m);

	if (dpt_link_proto_check(link, hdr, dpt_buf_head_bytes(m), pair.now_ns))
		pair_result(side, wire, dpt_link_proto_rx(link, hdr, pair.now_ns, &s->out));
	rte_pktmbuf_free(m);
}

static void
pair_rx(unsigned int side, unsigned int wire, struct rte_mbuf *m)
{
	struct pair_side *s = &pair.sides[side];
	struct dpt_link *link = s->ends[wire].link;
	bool is_synch_pkt = dpt_msg_user(dpt_buf_hdr(m)) == DPT_USER_TUNNEL &&
			    dpt_msg_type(dpt_buf_hdr(m)) == DPT_TYPE_SYNCH;
	struct dpt_bufq in;
	uint32_t result;

	pair_filter_failover(side, wire, dpt_buf_hdr(m));
	if (dpt_msg_user(dpt_buf_hdr(m)) == DPT_USER_LINK_PROTOCOL) {
		pair_rx_proto(side, wire, m);
		return;
	}
	s->rx_frames++;
	dpt_bufq_init(&in);
	if (is_synch_pkt && dpt_msg_seqno(dpt_buf_hdr(m)) == 1 && dpt_link_is_up(link)) {
		bool is_number = (pair.caps & DPT_CAP_TUNNEL_ENHANCED) != 0;

		s->sync_point = (uint16_t)dpt_msg_syncpt(dpt_buf_hdr(m));
		if (!is_number)
			s->sync_point =
				(uint16_t)(s->sync_point - 1 + dpt_msg_seqno(dpt_buf_hdr(m) + 40));
		dpt_link_event(link, DPT_LINK_EV_SYNCH_BEGIN, pair.now_ns);
		s->is_synch = true;
	}
	if (s->is_synch && wire == 1 && !is_synch_pkt)
		result = dpt_link_hold(link, m, pair.now_ns, &s->out);
	else
		result = dpt_link_rx(link, m, pair.now_ns, &in, &s->out);
	pair_result(side, wire, result);
	pair_deliver(side, &in);
	if (s->is_synch && dpt_seq_lt(s->sync_point, dpt_link_rcv_nxt(s->ends[0].link))) {
		s->is_synch = false;
		dpt_link_event(s->ends[1].link, DPT_LINK_EV_SYNCH_END, pair.now_ns);
		pair_result(side, 1, dpt_link_unhold(s->ends[1].link, pair.now_ns, &in, &s->out));
		pair_deliver(side, &in);
	}
}

void
pair_run(void)
{
	bool is_busy = true;
	struct rte_mbuf *m;

	while (is_busy) {
		is_busy = false;
		for (unsigned int i = 0; i < 4; i++) {
			unsigned int side = i / 2, wire = i % 2;

			pair_flush(0);
			pair_flush(1);
			m = dpt_bufq_pop(&pair.sides[side].wire[wire]);
			if (m == NULL)
				continue;
			is_busy = true;
			/* 20 us a frame: what is asked for again is sent again. */
			pair.now_ns += 20000;
			pair_rx(side, wire, m);
		}
	}
}

void
pair_ticks(unsigned int n)
{
	while (n-- > 0) {
		pair.now_ns += PAIR_INTERVAL_MS * DPT_NS_PER_MS;
		for (unsigned int i = 0; i < 4; i++) {
			struct pair_side *s = &pair.sides[i / 2];
			struct dpt_link *link = s->ends[i % 2].link;

			/* A wire that the test has cut is the test's to notice. */
			if (link == NULL || (pair.loss_pct[i % 2] == 100 && link_is_up(link)))
				continue;
			pair_result(i / 2, i % 2,
				    dpt_link_timeout(link, PAIR_INTERVAL_MS, pair.now_ns, &s->out));
		}
		pair_run();
	}
}

void
pair_settle(unsigned int n)
{
	while (n-- > 0 && (pair.sides[0].received < pair.sides[1].sent ||
			   pair.sides[1].received < pair.sides[0].sent))
		pair_ticks(1);
	CU_EQ_U64(pair.sides[0].received, pair.sides[1].sent);
	CU_EQ_U64(pair.sides[1].received, pair.sides[0].sent);
}

int
pair_send(unsigned int side, unsigned int imp, uint32_t bytes)
{
	struct pair_side *s = &pair.sides[side];
	struct rte_mbuf *m =
		dpt_msg_alloc(test_pool(), imp, DPT_TYPE_CONN, PAIR_HDR_BYTES, bytes,
			      dpt_node_addr(pair_addrs[side]), dpt_node_addr(pair_addrs[1 - side]));
	uint8_t last = (uint8_t)(bytes * 7);
	uint32_t no = s->sent++;

	CU_NOT_NULL_FATAL(m);
	CU_TRUE_FATAL(bytes > sizeof(no));
	dpt_buf_write(m, PAIR_HDR_BYTES, &no, sizeof(no));
	dpt_buf_write(m, PAIR_HDR_BYTES + bytes - 1, &last, 1);
	return dpt_link_tx(s->ends[s->active].link, m, pair.now_ns, &s->out);
}

void
pair_up(unsigned int wire, uint16_t mtu)
{
	for (unsigned int side = 0; side < 2; side++) {
		if (pair.sides[side].ends[wire].link == NULL)
			pair_link_init(side, wire, mtu);
	}
	dpt_link_reset_tx(pair.sides[0].ends[wire].link, false, &pair.sides[0].out);
	pair_run();
	for (unsigned int side = 0; side < 2; side++)
		CU_TRUE_FATAL(dpt_link_is_up(pair.sides[side].ends[wire].link));
}

void
pair_init(uint64_t seed, uint16_t mtu0, uint16_t mtu1)
{
	uint16_t caps = pair.caps;

	memset(&pair, 0, sizeof(pair));
	pair.caps = caps != 0 ? caps : DPT_CAPS_OWN;
	pair.now_ns = 100 * DPT_NS_PER_S;
	dpt_rng_seed(&pair.rng, seed);
	for (unsigned int side = 0; side < 2; side++) {
		dpt_rng_seed(&pair.sides[side].rng, seed * 2 + side);
		dpt_out_init(&pair.sides[side].out);
	}
	pair_up(0, mtu0);
	if (mtu1 != 0)
		pair_up(1, mtu1);
}

static void
pair_conserved(const struct pair_side *s)
{
	const struct dpt_link_counters *c = &s->sums;
	const uint64_t *values = (const uint64_t *)(const void *)c;
	uint64_t drops = 0;

	for (size_t i = 0; dpt_link_counter_descs[i].name != NULL; i++) {
		if (dpt_link_counter_descs[i].kind == DPT_COUNTER_DROP)
			drops += values[i];
	}
	drops -= c->drop_no_buffer + c->drop_overflow + c->drop_link_down + c->drop_blocked +
		 c->drop_session;
	CU_EQ_U64(s->rx_frames + c->recv_bundled, s->received + s->foreign + c->consumed_bundle +
							  c->consumed_fragment + c->consumed_synch +
							  c->consumed_dummy + drops);
	CU_EQ_U64(s->sent + c->sent_own - c->drop_no_buffer - c->drop_overflow -
			  c->sent_fragmented + c->sent_fragments - c->sent_bundled +
			  c->sent_bundles,
		  c->acked_pkts + c->drop_link_down - c->lost_bundled);
}

void
pair_end(void)
{
	for (unsigned int side = 0; side < 2; side++) {
		struct pair_side *s = &pair.sides[side];

		for (unsigned int wire = 0; wire < 2; wire++) {
			if (s->ends[wire].link != NULL)
				dpt_link_fini(s->ends[wire].link, pair.now_ns);
			dpt_bufq_free(&s->wire[wire]);
		}
		dpt_bufq_free(&s->out.tx);
		pair_conserved(s);
		CU_EQ_U64(s->wrong, 0);
	}
	pair.caps = 0;
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}
