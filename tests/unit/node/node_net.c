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
	net_init_caps(seed, DPT_CAPS_OWN);
}

void
net_init_caps(uint64_t seed, uint16_t caps)
{
	memset(&net, 0, sizeof(net));
	for (unsigned int w = 0; w < NET_WIRES; w++)
		net.wires[w] = (struct net_wire){
			.priority = 10, .mtu = 1500, .tolerance_ms = 1500, .delay_ns = 100000};
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
			.caps = caps,
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
			    node->drop_too_long - node->drop_return_surplus;
	uint64_t sent = node->tx_msgs + s->node_ups * !s->is_passive + link->sent_own +
			link->sent_fragments + link->sent_bundles;

	rx_drops += sum_drops(dpt_link_counter_descs, link) - link->drop_no_buffer -
		    link->drop_overflow - link->drop_link_down;
	CU_EQ_U64(node->rx_frames + link->recv_bundled,
		  node->rx_up + node->rx_reports + node->consumed_proto + node->consumed_init +
			  link->consumed_bundle + link->consumed_fragment + link->consumed_synch +
			  link->consumed_dummy + rx_drops);
	/* Each contact opened adds its init message to those of the user. */
	CU_EQ_U64(sent - link->sent_fragmented - link->sent_bundled,
		  link->acked_pkts + link->drop_link_down - link->lost_bundled);
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
	return net_setup_wire(side, 0);
}

int
net_setup_wire(unsigned int side, unsigned int wire)
{
	struct dpt_link_setup setup = {
		.bearer_id = (uint8_t)wire,
		.priority = net.wires[wire].priority,
		.tolerance_ms = net.wires[wire].tolerance_ms,
		.mtu = net.wires[wire].mtu,
		.window_min = 50,
		.window_max = 400,
		.if_name = {'e', 't', 'h', (char)('0' + wire)},
		.dst = {.media = DPT_MEDIA_ETH,
			.bytes = {2, 0, 0, 0, (uint8_t)wire, (uint8_t)(2 - side)}},
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

/* A reordered frame takes up to 2 ms longer. */
static void
net_wire(unsigned int to, unsigned int wire, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = dpt_buf_copy(m, test_pool());
	uint64_t delay_ns = net.wires[wire].delay_ns;

	CU_NOT_NULL_FATAL(copy);
	CU_TRUE_FATAL(net.frames_cnt < NET_FRAMES_MAX);
	if (net_chance(net.reorder_pct))
		delay_ns += dpt_rng_below(&net.rng, 2000000);
	net.frames[net.frames_cnt++] =
		(struct net_frame){copy, net.now_ns + delay_ns, (uint8_t)to, (uint8_t)wire};
}

static void
net_log(unsigned int side, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	char *text = net.log[net.log_cnt % NET_LOG_MAX];
	char who[3] = {(char)('A' + side), 0, 0};

	if (net.log_cnt == NET_LOG_MAX)
		return;
	net.log_cnt++;
	if (dpt_buf(m)->bearer_id > 0)
		who[1] = (char)('0' + dpt_buf(m)->bearer_id);
	if (dpt_msg_user(hdr) != DPT_USER_LINK_PROTOCOL)
		snprintf(text, 32, "%s pkt %u user %u", who, dpt_msg_seqno(hdr), dpt_msg_user(hdr));
	else if (dpt_msg_type(hdr) == DPT_TYPE_STATE)
		snprintf(text, 32, "%s STATE %u ack %u", who, dpt_msg_seqno(hdr), dpt_msg_ack(hdr));
	else
		snprintf(text, 32, "%s %s red %u stop %u", who,
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
net_event_log(struct net_side *s, const char *name, int bearer_id)
{
	char *text = s->events[s->events_cnt % NET_EVENTS_MAX];

	s->events_cnt++;
	if (bearer_id < 0)
		snprintf(text, sizeof(s->events[0]), "%s", name);
	else
		snprintf(text, sizeof(s->events[0]), "%s %d", name, bearer_id);
}

static void
net_event(unsigned int side, const struct dpt_event *event)
{
	struct net_side *s = &net.sides[side];

	switch (event->type) {
	case DPT_EVENT_LINK_UP:
		net_event_log(s, "LINK_UP", event->bearer_id);
		break;
	case DPT_EVENT_LINK_DOWN:
		net_event_log(s, "LINK_DOWN", event->bearer_id);
		s->last_link_down = event->reason;
		break;
	case DPT_EVENT_BULK_ACKED:
		s->bulk_acked++;
		break;
	case DPT_EVENT_NODE_UP:
		net_event_log(s, "NODE_UP", -1);
		s->node_ups++;
		if (!s->is_passive)
			dpt_node_open(s->node, 0, net.now_ns, &s->out);
		break;
	case DPT_EVENT_NODE_DOWN:
		net_event_log(s, "NODE_DOWN", -1);
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
	uint32_t port = dpt_msg_origport(dpt_buf_hdr(m)) % NET_PORTS;
	uint32_t no;

	/* Names, and the dummy of an old SYNCH, which is a message for nobody. */
	if (dpt_msg_user(dpt_buf_hdr(m)) == DPT_USER_NAME_DISTRIBUTOR ||
	    dpt_msg_errcode(dpt_buf_hdr(m)) == DPT_ERR_NO_PORT) {
		rte_pktmbuf_free(m);
		return;
	}
	dpt_buf_read(m, DPT_HDR_SHORT, data, bytes);
	memcpy(&no, data, sizeof(no));
	/* Messages are missing only where a loss of contact has been reported. */
	if (no < s->next_rx[port] ||
	    (no > s->next_rx[port] && net.sides[0].node_downs + net.sides[1].node_downs == 0))
		s->wrong++;
	s->next_rx[port] = no + 1;
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
		unsigned int wire = dpt_buf(m)->bearer_id;
		bool is_lost = s->is_cut || s->cut[wire] || net_chance(net.loss_pct);

		if (!is_lost && (net.tap == NULL || net.tap(side, wire, m))) {
			net_wire(1 - side, wire, m);
			if (net_chance(net.dup_pct))
				net_wire(1 - side, wire, m);
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
	return net_send_port(side, 0, payload_bytes);
}

int
net_send_port(unsigned int side, uint32_t port, uint32_t payload_bytes)
{
	struct net_side *s = &net.sides[side];
	static uint8_t data[DPT_MSG_BYTES_MAX];
	struct rte_mbuf *m;
	int rc;

	m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT, payload_bytes,
			  s->cfg.own, s->cfg.peer);
	CU_NOT_NULL_FATAL(m);
	dpt_msg_set_origport(dpt_buf_hdr(m), port);
	memcpy(data, &s->next_tx[port], sizeof(s->next_tx[port]));
	for (uint32_t i = 4; i < payload_bytes; i++)
		data[i] = pattern(s->next_tx[port], i);
	dpt_buf_write(m, DPT_HDR_SHORT, data, payload_bytes);
	rc = dpt_node_tx(s->node, m, port, net.now_ns, &s->out);
	if (rc >= 0)
		s->next_tx[port]++;
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
		dpt_node_rx(net.sides[f.to].node, f.wire, f.m, net.now_ns, &net.sides[f.to].out);
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

void
net_establish_dual(void)
{
	net_establish();
	CU_EQ_I64(net_setup_wire(0, 1), 0);
	CU_EQ_I64(net_setup_wire(1, 1), 0);
	net_run(DPT_NS_PER_S);
	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64_FATAL(dpt_node_state(net.sides[i].node), DPT_NODE_UP_UP);
		for (unsigned int w = 0; w < 2; w++)
			CU_TRUE_FATAL(dpt_link_is_up(net.sides[i].node->links[w]));
		net.sides[i].events_cnt = 0;
	}
	net.log_cnt = 0;
}

void
net_cut(unsigned int wire, bool is_cut)
{
	net.sides[0].cut[wire] = net.sides[1].cut[wire] = is_cut;
}

void
net_check_law(void)
{
	bool is_lost = net.sides[0].node_downs > 0 && net.sides[1].node_downs > 0;

	for (unsigned int i = 0; i < 2; i++) {
		CU_EQ_U64(net.sides[i].wrong, 0);
		for (unsigned int port = 0; port < NET_PORTS && !is_lost; port++)
			CU_EQ_U64(net.sides[1 - i].next_rx[port], net.sides[i].next_tx[port]);
	}
}
