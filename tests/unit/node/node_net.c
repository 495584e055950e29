/* SPDX-License-Identifier: BSD-3-Clause */
#include "node_net.h"

#include <stdio.h>
#include <string.h>

#include "dpt_msg.h"

struct net net;

static const uint32_t net_addrs[2] = {0x02010000, 0x02020000};

void
net_init(uint64_t seed)
{
	memset(&net, 0, sizeof(net));
	dpt_rng_seed(&net.rng, seed);
	net.now_ns = 5 * DPT_NS_PER_S;
	for (unsigned int i = 0; i < 2; i++) {
		struct net_side *s = &net.sides[i];

		dpt_rng_seed(&s->rng, seed * 2 + i);
		dpt_out_init(&s->out);
		s->cfg = (struct dpt_node_cfg){
			.env = {.rng = &s->rng, .pool = test_pool()},
			.own = {.value = net_addrs[i]},
			.peer = {.value = net_addrs[1 - i]},
			.net_id = 4711,
			.caps = DPT_CAPS_OWN,
			.ring_pkts = NET_RING_PKTS,
			.expiry_ns = 300 * DPT_NS_PER_S,
			.link_counters = &s->link,
			.node_counters = &s->counters,
			.bcast_counters = &s->bcast,
		};
		CU_TRUE_FATAL(dpt_node_size(&s->cfg) <= sizeof(s->mem));
		s->node = (struct dpt_node *)(void *)s->mem;
		dpt_node_init(s->node, &s->cfg, net.now_ns);
	}
}

/* Sum of the counters of one kind. */
static uint64_t
sum_drops(const struct dpt_counter_desc *descs, const void *counters)
{
	const uint64_t *values = counters;
	uint64_t sum = 0;

	for (size_t i = 0; descs[i].name != NULL; i++)
		sum += descs[i].kind == DPT_COUNTER_DROP ? values[i] : 0;
	return sum;
}

/* Promise P3, after dpt_node_fini: nothing is held. Side has seen no broadcast frames. */
static void
check_conservation(const struct net_side *s)
{
	const struct dpt_link_counters *link = &s->link;
	const struct dpt_node_counters *node = &s->counters;
	uint64_t rx_drops = sum_drops(dpt_node_counter_descs, node) - node->drop_unreachable -
			    node->drop_too_long;

	rx_drops += sum_drops(dpt_link_counter_descs, link) - link->drop_no_buffer -
		    link->drop_overflow - link->drop_link_down;
	CU_EQ_U64(node->rx_frames + link->recv_bundled,
		  node->rx_up + node->rx_reports + node->consumed_proto + node->consumed_init +
			  link->consumed_bundle + link->consumed_fragment + rx_drops);
	/* Each contact opened adds its init message to those of the user. */
	CU_EQ_U64(node->tx_msgs + s->node_ups * !s->is_passive - link->sent_fragmented +
			  link->sent_fragments,
		  link->acked_pkts + link->drop_link_down);
}

void
net_end(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		cu_context("side %c", 'A' + i);
		dpt_node_fini(net.sides[i].node);
		check_conservation(&net.sides[i]);
		CU_EQ_U64(net.sides[i].wrong, 0);
	}
	while (net.frames_cnt > 0)
		rte_pktmbuf_free(net.frames[--net.frames_cnt].m);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

int
net_setup(unsigned int side)
{
	struct dpt_link_setup setup = {
		.bearer_id = 0,
		.priority = 10,
		.tolerance_ms = 1500,
		.mtu = 1500,
		.window_min = 50,
		.window_max = 400,
		.if_name = "eth0",
		.dst = {.media = DPT_MEDIA_ETH, .bytes = {2, 0, 0, 0, 0, (uint8_t)(2 - side)}},
	};
	int rc =
		dpt_node_link_setup(net.sides[side].node, &setup, net.now_ns, &net.sides[side].out);

	net_flush(side);
	return rc;
}

static bool
net_chance(uint32_t pct)
{
	return pct > 0 && dpt_rng_below(&net.rng, 100) < pct;
}

/* 100 us of latency; a reordered frame takes up to 2 ms longer. */
static void
net_wire(unsigned int to, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = dpt_buf_copy(m, test_pool());
	uint64_t delay_ns = 100000;

	CU_NOT_NULL_FATAL(copy);
	CU_TRUE_FATAL(net.frames_cnt < NET_FRAMES_MAX);
	if (net_chance(net.reorder_pct))
		delay_ns += dpt_rng_below(&net.rng, 2000000);
	net.frames[net.frames_cnt++] = (struct net_frame){copy, net.now_ns + delay_ns, (uint8_t)to};
}

static void
net_log(unsigned int side, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	char *text = net.log[net.log_cnt % NET_LOG_MAX];

	if (net.log_cnt == NET_LOG_MAX)
		return;
	net.log_cnt++;
	if (dpt_msg_user(hdr) != DPT_USER_LINK_PROTOCOL)
		snprintf(text, 32, "%c pkt %u user %u", 'A' + side, dpt_msg_seqno(hdr),
			 dpt_msg_user(hdr));
	else if (dpt_msg_type(hdr) == DPT_TYPE_STATE)
		snprintf(text, 32, "%c STATE %u ack %u", 'A' + side, dpt_msg_seqno(hdr),
			 dpt_msg_ack(hdr));
	else
		snprintf(text, 32, "%c %s red %u stop %u", 'A' + side,
			 dpt_msg_type(hdr) == DPT_TYPE_RESET ? "RESET" : "ACTIVATE",
			 dpt_msg_redundant_link(hdr), dpt_msg_peer_stopping(hdr));
}

int
net_log_find(const char *text, int from)
{
	for (uint32_t i = (uint32_t)from; i < net.log_cnt; i++) {
		if (strcmp(net.log[i], text) == 0)
			return (int)i;
	}
	return -1;
}

static void
net_event(unsigned int side, const struct dpt_event *event)
{
	struct net_side *s = &net.sides[side];

	switch (event->type) {
	case DPT_EVENT_NODE_UP:
		s->node_ups++;
		if (!s->is_passive)
			dpt_node_open(s->node, 0, net.now_ns, &s->out);
		break;
	case DPT_EVENT_NODE_DOWN:
		s->node_downs++;
		s->last_down = event->reason;
		break;
	case DPT_EVENT_LINK_ROOM:
		s->resumed++;
		s->is_blocked = false;
		break;
	case DPT_EVENT_NODE_GONE:
		s->gone++;
		break;
	default:
		break;
	}
}

static uint8_t
pattern(uint32_t no, uint32_t i)
{
	return (uint8_t)(no * 31 + i * 7 + (i >> 8));
}

static void
net_deliver(struct net_side *s, struct rte_mbuf *m)
{
	static uint8_t data[DPT_MSG_BYTES_MAX];
	uint32_t bytes = dpt_buf_bytes(m) - DPT_HDR_SHORT;
	uint32_t no;

	dpt_buf_read(m, DPT_HDR_SHORT, data, bytes);
	memcpy(&no, data, sizeof(no));
	if (no != s->next_rx)
		s->wrong++;
	s->next_rx = no + 1;
	for (uint32_t i = 4; i < bytes; i++) {
		if (data[i] != pattern(no, i)) {
			s->wrong++;
			break;
		}
	}
	rte_pktmbuf_free(m);
}

void
net_flush(unsigned int side)
{
	struct net_side *s = &net.sides[side];
	struct rte_mbuf *m;

	for (uint16_t i = 0; i < s->out.events_cnt; i++)
		net_event(side, &s->out.events[i]);
	s->out.events_cnt = 0;
	while ((m = dpt_bufq_pop(&s->out.tx)) != NULL) {
		CU_EQ_U64(m->nb_segs, 1);
		net_log(side, m);
		if (!s->is_cut && !net_chance(net.loss_pct)) {
			net_wire(1 - side, m);
			if (net_chance(net.dup_pct))
				net_wire(1 - side, m);
		}
		rte_pktmbuf_free(m);
	}
	while ((m = dpt_bufq_pop(&s->out.up)) != NULL)
		net_deliver(s, m);
	s->reports += dpt_bufq_free(&s->out.bcast);
}

int
net_send(unsigned int side, uint32_t payload_bytes)
{
	struct net_side *s = &net.sides[side];
	static uint8_t data[DPT_MSG_BYTES_MAX];
	struct rte_mbuf *m;
	int rc;

	m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT, payload_bytes,
			  s->cfg.own, s->cfg.peer);
	CU_NOT_NULL_FATAL(m);
	memcpy(data, &s->next_tx, sizeof(s->next_tx));
	for (uint32_t i = 4; i < payload_bytes; i++)
		data[i] = pattern(s->next_tx, i);
	dpt_buf_write(m, DPT_HDR_SHORT, data, payload_bytes);
	rc = dpt_node_tx(s->node, m, 0, net.now_ns, &s->out);
	if (rc >= 0)
		s->next_tx++;
	s->is_blocked |= rc == 1;
	net_flush(side);
	return rc;
}

/* The next frame or timer not later than end_ns. false: there is none. */
static bool
net_step(uint64_t end_ns)
{
	uint64_t at_ns = UINT64_MAX;
	uint32_t best = 0;
	int timer = -1;

	for (uint32_t i = 0; i < net.frames_cnt; i++) {
		if (net.frames[i].at_ns < at_ns) {
			at_ns = net.frames[i].at_ns;
			best = i;
		}
	}
	for (int i = 0; i < 2; i++) {
		if (dpt_node_deadline_ns(net.sides[i].node) < at_ns) {
			at_ns = dpt_node_deadline_ns(net.sides[i].node);
			timer = i;
		}
	}
	if (at_ns > end_ns)
		return false;
	net.now_ns = at_ns;
	if (timer >= 0) {
		dpt_node_timeout(net.sides[timer].node, net.now_ns, &net.sides[timer].out);
		net_flush((unsigned int)timer);
	} else {
		struct net_frame f = net.frames[best];

		/* Frames of one instant keep their order. */
		memmove(&net.frames[best], &net.frames[best + 1],
			(--net.frames_cnt - best) * sizeof(f));
		CU_EQ_U64(dpt_msg_check_buf(f.m, DPT_PLACE_FRAME), DPT_MSG_OK);
		dpt_node_rx(net.sides[f.to].node, 0, f.m, net.now_ns, &net.sides[f.to].out);
		net_flush(f.to);
	}
	return true;
}

void
net_run(uint64_t ns)
{
	uint64_t end_ns = net.now_ns + ns;

	while (net_step(end_ns))
		;
	net.now_ns = end_ns;
}

void
net_establish(void)
{
	CU_EQ_I64(net_setup(0), 0);
	CU_EQ_I64(net_setup(1), 0);
	net_run(DPT_NS_PER_S);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64_FATAL(dpt_node_state(net.sides[i].node), DPT_NODE_UP_UP);
		CU_TRUE_FATAL(dpt_node_is_open(net.sides[i].node));
	}
}
