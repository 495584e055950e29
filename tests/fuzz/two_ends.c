/* SPDX-License-Identifier: BSD-3-Clause */
#include "two_ends.h"

#include <stdlib.h>
#include <string.h>

#include "dpt_msg.h"
#include "test_pool.h"

#define STEP_NS	     (20 * DPT_NS_PER_MS)
#define HANDSHAKE_NS (10 * DPT_NS_PER_S)
#define STEPS_MAX    64 /* timers run in one ends_run */

struct end {
	struct dpt_stack *stack;
	struct dpt_rng rng;
};

static struct end own, peer;
static struct ends *state; /* the caller's, in the handshake */
static struct dpt_out out;
static uint64_t fed_cnt; /* frames given to own */
static uint8_t options;

static struct dpt_node_addr
end_addr(uint8_t nr)
{
	return dpt_node_addr(0x01001000u | nr);
}

static void
end_cfg(struct end *end, struct dpt_stack_cfg *cfg, uint8_t nr)
{
	memset(cfg, 0, sizeof(*cfg));
	dpt_rng_seed(&end->rng, nr);
	cfg->env.rng = &end->rng;
	cfg->env.pool = test_pool();
	cfg->shards_cnt = 1;
	cfg->net_id = 4711;
	cfg->random = 0x1234u * nr;
	cfg->addr = end_addr(nr);
	cfg->nodes_max = 4;
	cfg->sockets_max = 12;
	cfg->bindings_max = 128;
	cfg->link_ring_pkts = 64;
	cfg->rcvbuf_bytes = 100000;
	/* Small, since it is set up for each input. */
	cfg->topo_subs_max = 16;
	cfg->topo_remote_subs_max = 16;
	cfg->topo_conns_max = 4;
	cfg->topo_events_max = 64;
}

static void
end_bearer_up(struct end *end, uint8_t nr, uint8_t bearer_id)
{
	const uint8_t mac[6] = {0x02, 0, 0, 0, bearer_id, nr};
	struct dpt_stack_bearer bearer = {.bearer_id = bearer_id,
					  .priority = 10,
					  .tolerance_ms = 1500,
					  .window_min = 50,
					  .window_max = 50,
					  .mtu = ENDS_FRAME_BYTES,
					  .has_bcast = true,
					  .maddr = dpt_maddr_eth(mac),
					  .if_name = "fuzz"};

	bearer.if_name[4] = (char)('0' + bearer_id);
	DPT_ASSERT(dpt_stack_bearer_up(end->stack, &bearer, state->now_ns, &out) == 0);
}

static void
end_start(struct end *end, uint8_t nr)
{
	struct dpt_stack_cfg cfg;
	const char *what = "";
	size_t size;

	end_cfg(end, &cfg, nr);
	size = (dpt_stack_size(&cfg) + 63) & ~(size_t)63;
	/* Of its own size each time, so that a sanitizer sees the first octet too many. */
	end->stack = aligned_alloc(64, size);
	DPT_ASSERT(end->stack != NULL);
	memset(end->stack, 0, size);
	DPT_ASSERT(dpt_stack_init(end->stack, &cfg, state->now_ns, &what) == 0);
	end_bearer_up(end, nr, 0);
	if (options & ENDS_TWO_BEARERS)
		end_bearer_up(end, nr, 1);
}

static void
end_stop(struct end *end)
{
	free(end->stack);
	end->stack = NULL;
}

/* Remember what a frame says of its sender's side of the link. */
static void
learn(const uint8_t *hdr, uint8_t bearer_id, bool is_own)
{
	struct ends_link *link = &state->link[bearer_id];

	if (dpt_msg_user(hdr) == DPT_USER_LINK_CONFIG || dpt_msg_non_seq(hdr))
		return;
	if (dpt_msg_user(hdr) != DPT_USER_LINK_PROTOCOL) {
		if (is_own)
			link->own_seqno = (uint16_t)dpt_msg_seqno(hdr);
		else
			link->seqno = link->inner_no = (uint16_t)(dpt_msg_seqno(hdr) + 1);
		return;
	}
	if (is_own) {
		link->own_session = (uint16_t)dpt_msg_session(hdr);
		return;
	}
	link->session = (uint16_t)dpt_msg_session(hdr);
	if (dpt_msg_type(hdr) == DPT_TYPE_STATE)
		link->state_no = (uint16_t)(dpt_msg_seqno(hdr) + 1);
}

/* Both ends lack what the options say, or one would use what the other does not read. */
static void
caps_mask(uint8_t *hdr)
{
	uint32_t caps = dpt_msg_caps(hdr);

	if (dpt_msg_user(hdr) != DPT_USER_LINK_CONFIG)
		return;
	if (options & ENDS_NO_ENHANCED)
		caps &= ~(uint32_t)DPT_CAP_TUNNEL_ENHANCED;
	if (options & ENDS_NO_GAP_ACK)
		caps &= ~(uint32_t)DPT_CAP_GAP_ACK_BLOCK;
	if (options & ENDS_NO_SEQNO)
		caps &= ~(uint32_t)DPT_CAP_LINK_PROTO_SEQNO;
	dpt_msg_set_caps(hdr, caps);
}

/* Frames of out go to the other end, as copies; without one they are lost. */
static void
carry(struct end *from, struct end *to)
{
	struct dpt_bufq frames = out.tx;
	struct rte_mbuf *m;

	dpt_bufq_init(&out.tx);
	out.events_cnt = 0;
	while ((m = dpt_bufq_pop(&frames)) != NULL) {
		struct rte_mbuf *copy = to->stack != NULL ? dpt_buf_copy(m, test_pool()) : NULL;
		uint8_t bearer_id = dpt_buf(m)->bearer_id;

		DPT_ASSERT(bearer_id < ENDS_BEARERS);
		learn(dpt_buf_hdr(m), bearer_id, from == &own);
		rte_pktmbuf_free(m);
		if (copy == NULL)
			continue;
		caps_mask(dpt_buf_hdr(copy));
		fed_cnt += to == &own;
		dpt_stack_rx_burst(to->stack, bearer_id, &copy, 1, state->now_ns, &out);
		carry(to, from);
	}
}

static bool
is_open(const struct end *end)
{
	const struct dpt_node *node = dpt_stack_node(end->stack, 0);
	struct dpt_link_info info;

	if (node == NULL || !dpt_node_is_open(node))
		return false;
	for (uint8_t id = 0; id < 1 + (options & ENDS_TWO_BEARERS); id++) {
		if (dpt_node_link_info(node, id, &info) != 0 || !info.is_up)
			return false;
	}
	return true;
}

static void
handshake(struct ends *ends)
{
	uint64_t end_ns = ends->now_ns + HANDSHAKE_NS;

	end_start(&own, 1);
	carry(&own, &peer);
	end_start(&peer, 2);
	carry(&peer, &own);
	for (; ends->now_ns < end_ns && !(is_open(&own) && is_open(&peer));
	     ends->now_ns += STEP_NS) {
		dpt_stack_timeout(own.stack, ends->now_ns, &out);
		carry(&own, &peer);
		dpt_stack_timeout(peer.stack, ends->now_ns, &out);
		carry(&peer, &own);
	}
	DPT_ASSERT(is_open(&own) && is_open(&peer));
	dpt_stack_fini(peer.stack);
	end_stop(&peer);
}

static void
bind_socket(struct ends *ends)
{
	const struct dpt_bind_req req = {
		.range = {.type = 1000, .lower = 0, .upper = 99},
		.scope = DPT_SCOPE_CLUSTER,
		.cookie = 1,
	};

	DPT_ASSERT(dpt_stack_socket(own.stack, DPT_SOCK_RDM, 1, &ends->port) == 0);
	DPT_ASSERT(dpt_stack_bind(own.stack, ends->port, &req, ends->now_ns, &out) == 0);
	carry(&own, &peer);
}

void
ends_start(struct ends *ends, uint8_t start_options)
{
	memset(ends, 0, sizeof(*ends));
	state = ends;
	options = start_options;
	fed_cnt = 0;
	dpt_out_init(&out);
	ends->now_ns = DPT_NS_PER_S;
	handshake(ends);
	bind_socket(ends);
	ends->own = own.stack;
	ends->own_addr = end_addr(1);
	ends->peer_addr = end_addr(2);
	ends->conns = (struct ends_conns){.stack = own.stack, .peer = ends->peer_addr, .out = &out};
	ends_conns_start(&ends->conns, ends->now_ns);
	carry(&own, &peer);
}

/* The application reads at once; events are of no interest here. */
static void
own_done(void)
{
	struct dpt_socks *socks = dpt_stack_socks(own.stack);
	struct dpt_port ready;
	uint64_t cookie;

	ends_conns_serve(&state->conns, state->now_ns);
	carry(&own, &peer);
	while (dpt_sock_ready_pop(socks, &ready, &cookie)) {
		while (dpt_sock_recv_next(socks, ready) != NULL)
			dpt_stack_recv_done(own.stack, ready, 1, state->now_ns, &out);
	}
	carry(&own, &peer);
	out.events_cnt = 0;
}

void
ends_feed(struct ends *ends, uint8_t bearer_id, struct rte_mbuf *m)
{
	fed_cnt++;
	dpt_stack_rx_burst(own.stack, bearer_id, &m, 1, ends->now_ns, &out);
	own_done();
}

void
ends_run(struct ends *ends, uint64_t ns)
{
	uint64_t end_ns = ends->now_ns + ns;

	for (int i = 0; i < STEPS_MAX && dpt_stack_deadline_ns(own.stack) <= end_ns; i++) {
		ends->now_ns = RTE_MAX(ends->now_ns, dpt_stack_deadline_ns(own.stack));
		dpt_stack_timeout(own.stack, ends->now_ns, &out);
		own_done();
	}
	ends->now_ns = end_ns;
}

void
ends_act(struct ends *ends, uint8_t choice)
{
	ends_conns_act(&ends->conns, choice, ends->now_ns);
	own_done();
}

void
ends_send(struct ends *ends, uint32_t bytes, uint8_t importance)
{
	const struct dpt_dest dest = {
		.addrtype = DPT_ADDR_SOCKET,
		.socket = {.port = dpt_port(1), .node = ends->peer_addr},
	};
	const struct dpt_send send = {.dest = &dest, .importance = importance};
	struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), bytes);

	if (m == NULL)
		return;
	dpt_stack_send(own.stack, ends->port, &send, m, ends->now_ns, &out);
	own_done();
}

/* In which way a counter of node or link is part of the identity of received buffers. */
static bool
is_rx_end(const struct dpt_counter_value *value)
{
	static const char *const tx_drops[] = {"drop_unreachable", "drop_too_long",
					       "drop_no_buffer",   "drop_overflow",
					       "drop_link_down",   "drop_return_surplus"};

	if (strcmp(value->library, "node") != 0 && strcmp(value->library, "link") != 0)
		return false;
	if (strncmp(value->desc->name, "consumed_", 9) == 0)
		return true;
	for (uint32_t i = 0; i < RTE_DIM(tx_drops); i++) {
		if (strcmp(value->desc->name, tx_drops[i]) == 0)
			return false;
	}
	return value->desc->kind == DPT_COUNTER_DROP;
}

/* Promise P3, after dpt_stack_fini: nothing is held. Src: dpt_node_counters.h. */
static void
check_conservation(void)
{
	const struct dpt_stack_counters_all *c = dpt_stack_counters(own.stack);
	struct dpt_counter_value value;
	uint64_t begun = c->node.rx_frames - c->bcast.rx_frames + c->link.recv_bundled;
	uint64_t ended = c->node.rx_up + c->node.rx_reports;

	for (uint32_t i = 0; dpt_stack_counter(own.stack, i, &value); i++)
		ended += is_rx_end(&value) ? value.value : 0;
	DPT_ASSERT(c->stack.rx_frames == fed_cnt);
	DPT_ASSERT(begun == ended);
}

void
ends_finish(struct ends *ends)
{
	DPT_ASSERT(out.up.cnt == 0 && out.bcast.cnt == 0 && out.shard.cnt == 0);
	dpt_stack_fini(own.stack);
	check_conservation();
	end_stop(&own);
	ends->own = NULL;
	DPT_ASSERT(test_pool_is_full());
}
