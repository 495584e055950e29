/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cu.h"
#include "dpt_msg.h"
#include "test_pool.h"

uint16_t net_caps[NET_NODES_MAX];
bool net_is_nameless;
struct dpt_node_addr net_domain;
bool net_is_slow;
bool net_is_held;

static struct dpt_out net_out;

static struct dpt_out *
out_begin(void)
{
	dpt_out_init(&net_out);
	return &net_out;
}

static void
out_take(struct net *net, uint32_t node)
{
	struct net_node *n = &net->nodes[node];
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(&net_out.tx)) != NULL) {
		struct rte_mbuf *copy = dpt_buf_copy(m, test_pool());

		rte_pktmbuf_free(m);
		if (!CU_NOT_NULL(copy))
			continue;
		if (!n->is_connected || n->is_cut[dpt_buf(copy)->bearer_id]) {
			rte_pktmbuf_free(copy);
			continue;
		}
		dpt_buf(copy)->cookie = net->now_ns + NET_DELAY_NS;
		dpt_buf(copy)->arg = node;
		dpt_bufq_push(&net->wire, copy);
		net->frames_cnt++;
	}
	while ((m = dpt_bufq_pop(&net_out.shard)) != NULL)
		dpt_bufq_push(&n->shards[dpt_buf(m)->shard].inbox, m);
	for (uint16_t i = 0; i < net_out.events_cnt; i++) {
		const struct dpt_event *event = &net_out.events[i];

		n->events[event->type]++;
		if (event->type == DPT_EVENT_BIND_DONE) {
			n->bind_result = event->result;
			n->bind_cookie = event->cookie;
		}
	}
}

static void
shards_settle(struct net *net, uint32_t node)
{
	bool has_worked = !net_is_held;

	while (has_worked) {
		has_worked = false;
		for (uint32_t s = 0; s < net->shards_cnt; s++) {
			struct net_shard *shard = &net->nodes[node].shards[s];
			struct rte_mbuf *m = dpt_bufq_pop(&shard->inbox);

			if (m == NULL)
				continue;
			has_worked = !net_is_slow;
			dpt_stack_shard_rx(shard->stack, &m, 1, net->now_ns, out_begin());
			out_take(net, node);
		}
	}
}

static bool
is_for(const struct net_node *n, struct rte_mbuf *m)
{
	const struct dpt_maddr *dst = &dpt_buf(m)->dst;
	uint8_t bearer_id = dpt_buf(m)->bearer_id;

	if (!n->is_connected || n->is_cut[bearer_id])
		return false;
	/* The last but one octet of an address is the bearer. */
	return dst->is_bcast || (memcmp(dst->bytes, n->mac, 4) == 0 && dst->bytes[4] == bearer_id &&
				 dst->bytes[5] == n->mac[5]);
}

static void
deliver(struct net *net, struct rte_mbuf *m)
{
	for (uint32_t i = 0; i < net->nodes_cnt; i++) {
		struct net_node *n = &net->nodes[i];
		struct rte_mbuf *copy;

		if (i == dpt_buf(m)->arg || !is_for(n, m))
			continue;
		copy = dpt_buf_copy(m, test_pool());
		if (!CU_NOT_NULL(copy))
			continue;
		/* Any worker may be the one that polls: take turns. */
		uint32_t s = (uint32_t)(net->frames_cnt % net->shards_cnt);

		dpt_stack_rx_burst(n->shards[s].stack, dpt_buf(m)->bearer_id, &copy, 1, net->now_ns,
				   out_begin());
		out_take(net, i);
		shards_settle(net, i);
	}
	rte_pktmbuf_free(m);
}

static uint64_t
next_deadline(struct net *net)
{
	uint64_t deadline = DPT_NEVER_NS;

	if (net->wire.head != NULL)
		deadline = dpt_buf(net->wire.head)->cookie;
	for (uint32_t i = 0; i < net->nodes_cnt; i++)
		for (uint32_t s = 0; s < net->shards_cnt; s++) {
			uint64_t d = dpt_stack_deadline_ns(net->nodes[i].shards[s].stack);

			deadline = d < deadline ? d : deadline;
		}
	return deadline;
}

static void
timeouts(struct net *net)
{
	for (uint32_t i = 0; i < net->nodes_cnt; i++)
		for (uint32_t s = 0; s < net->shards_cnt; s++) {
			struct dpt_stack *stack = net->nodes[i].shards[s].stack;

			if (dpt_stack_deadline_ns(stack) > net->now_ns)
				continue;
			dpt_stack_timeout(stack, net->now_ns, out_begin());
			out_take(net, i);
			shards_settle(net, i);
		}
}

void
net_run(struct net *net, uint64_t ns)
{
	uint64_t end_ns = net->now_ns + ns;

	for (;;) {
		uint64_t next_ns = next_deadline(net);

		if (next_ns > end_ns)
			break;
		if (next_ns > net->now_ns)
			net->now_ns = next_ns;
		if (net->wire.head != NULL && dpt_buf(net->wire.head)->cookie <= net->now_ns)
			deliver(net, dpt_bufq_pop(&net->wire));
		timeouts(net);
	}
	net->now_ns = end_ns;
}

static bool
is_formed(struct net *net)
{
	for (uint32_t i = 0; i < net->nodes_cnt; i++) {
		uint32_t open_cnt = 0;

		for (uint32_t s = 0; s < net->shards_cnt; s++) {
			const struct dpt_node *node;

			for (uint32_t k = 0;
			     (node = dpt_stack_node(net_stack(net, i, s), k)) != NULL; k++)
				open_cnt += dpt_node_is_open(node);
		}
		/* Each peer's node state binding has come: its bulk was applied. */
		if (open_cnt != net->nodes_cnt - 1 || net_names_cnt(net, i, 0, 0) != net->nodes_cnt)
			return false;
	}
	return true;
}

bool
net_form(struct net *net)
{
	for (int i = 0; i < 1000; i++) {
		if (is_formed(net))
			return true;
		net_run(net, 10 * DPT_NS_PER_MS);
	}
	return false;
}

static void
node_init(struct net *net, uint32_t i, bool is_legacy)
{
	struct net_node *n = &net->nodes[i];
	char text[12];

	n->is_connected = true;
	memcpy(n->mac, "\x02\x00\x00\x00\x00", 5);
	n->mac[5] = (uint8_t)(i + 1);
	for (uint32_t s = 0; s < net->shards_cnt; s++) {
		struct net_shard *shard = &n->shards[s];
		struct dpt_stack_cfg cfg = {
			.env = {.rng = &shard->rng, .pool = test_pool()},
			.shard = (uint8_t)s,
			.shards_cnt = (uint8_t)net->shards_cnt,
			.net_id = 4711,
			.random = 0x1234567 * (i + 1),
			.addr = dpt_node_addr(is_legacy ? 0x01001001 + i : 0),
			.nodes_max = 8,
			.sockets_max = 64,
			.bindings_max = 2048,
			.caps = net_caps[i],
			.link_ring_pkts = 256,
			.rcvbuf_bytes = 2097152,
			.topo_conns_max = NET_TOPO_CONNS_MAX,
			.topo_subs_max = 4096,
			.topo_events_max = 16384,
		};
		const char *what;

		if (net_is_nameless) {
			cfg.addr = dpt_node_addr(0);
		} else if (!is_legacy) {
			snprintf(text, sizeof(text), "n%u", i);
			CU_EQ_I64(dpt_node_id_parse(&cfg.id, text), 0);
		} else {
			cfg.id = dpt_node_id_from_addr(cfg.addr);
		}
		dpt_rng_seed(&shard->rng, cu_seed() + 97 * i + s);
		dpt_bufq_init(&shard->inbox);
		shard->stack = aligned_alloc(64, (dpt_stack_size(&cfg) + 63) / 64 * 64);
		CU_NOT_NULL_FATAL(shard->stack);
		CU_EQ_I64_FATAL(dpt_stack_init(shard->stack, &cfg, net->now_ns, &what), 0);
	}
}

void
net_init(struct net *net, uint32_t nodes_cnt, uint32_t shards_cnt, bool is_legacy)
{
	memset(net, 0, sizeof(*net));
	net->now_ns = 7 * DPT_NS_PER_S;
	net->nodes_cnt = nodes_cnt;
	net->shards_cnt = shards_cnt;
	dpt_bufq_init(&net->wire);
	for (uint32_t i = 0; i < nodes_cnt; i++)
		node_init(net, i, is_legacy);
}

void
net_fini(struct net *net)
{
	dpt_bufq_free(&net->wire);
	for (uint32_t i = 0; i < net->nodes_cnt; i++)
		for (uint32_t s = 0; s < net->shards_cnt; s++) {
			dpt_bufq_free(&net->nodes[i].shards[s].inbox);
			dpt_stack_fini(net->nodes[i].shards[s].stack);
			free(net->nodes[i].shards[s].stack);
		}
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

void
net_bearer_up(struct net *net, uint32_t node)
{
	net_bearer_up_id(net, node, 0);
}

void
net_bearer_up_id(struct net *net, uint32_t node, uint8_t bearer_id)
{
	uint8_t mac[6];

	memcpy(mac, net->nodes[node].mac, sizeof(mac));
	mac[4] = bearer_id;

	struct dpt_stack_bearer bearer = {
		.bearer_id = bearer_id,
		.priority = 10,
		.tolerance_ms = 1500,
		.window_min = 50,
		.window_max = 256,
		.mtu = 1500,
		.has_bcast = true,
		.domain = net_domain,
		.maddr = dpt_maddr_eth(mac),
		.if_name = {'e', 't', 'h', (char)('0' + bearer_id)},
	};

	CU_EQ_I64(dpt_stack_bearer_up(net_stack(net, node, 0), &bearer, net->now_ns, out_begin()),
		  0);
	out_take(net, node);
	shards_settle(net, node);
}

void
net_bearer_down(struct net *net, uint32_t node)
{
	net_bearer_down_id(net, node, 0);
}

void
net_bearer_down_id(struct net *net, uint32_t node, uint8_t bearer_id)
{
	dpt_stack_bearer_down(net_stack(net, node, 0), bearer_id, net->now_ns, out_begin());
	out_take(net, node);
	shards_settle(net, node);
}

int
net_props_set(struct net *net, uint32_t node, uint8_t bearer_id, struct dpt_node_addr peer,
	      const struct dpt_link_props *props)
{
	int rc = dpt_stack_link_props_set(net_stack(net, node, 0), bearer_id, peer, props,
					  net->now_ns, out_begin());

	out_take(net, node);
	shards_settle(net, node);
	return rc;
}

int
net_set(struct net *net, uint32_t node, const struct dpt_stack_net *what)
{
	int rc = dpt_stack_net_set(net_stack(net, node, 0), what, net->now_ns, out_begin());

	out_take(net, node);
	shards_settle(net, node);
	return rc;
}

int
net_peer_remove(struct net *net, uint32_t node, struct dpt_node_addr peer)
{
	uint8_t shard = dpt_stack_shard_of(net_stack(net, node, 0), peer);
	int rc = dpt_stack_peer_remove(net_stack(net, node, shard), peer, net->now_ns, out_begin());

	out_take(net, node);
	shards_settle(net, node);
	return rc;
}

struct dpt_stack *
net_stack(struct net *net, uint32_t node, uint32_t shard)
{
	return net->nodes[node].shards[shard].stack;
}

struct dpt_node_addr
net_addr(struct net *net, uint32_t node)
{
	return dpt_stack_own(net_stack(net, node, 0));
}

struct dpt_port
net_socket(struct net *net, uint32_t node, uint32_t shard, enum dpt_sock_type type)
{
	struct dpt_port port = {0};

	CU_EQ_I64(dpt_stack_socket(net_stack(net, node, shard), type, 0, &port), 0);
	CU_EQ_U64(dpt_port_shard(port), shard);
	return port;
}

static struct dpt_stack *
stack_of(struct net *net, uint32_t node, struct dpt_port port)
{
	return net_stack(net, node, dpt_port_shard(port));
}

int
net_bind(struct net *net, uint32_t node, struct dpt_port port, uint32_t type, uint32_t lower,
	 uint32_t upper)
{
	struct dpt_bind_req req = {.range = {.type = type, .lower = lower, .upper = upper},
				   .scope = DPT_SCOPE_CLUSTER,
				   .cookie = 0xc00c1e + type};
	struct net_node *n = &net->nodes[node];
	uint32_t before = n->events[DPT_EVENT_BIND_DONE];
	int rc = dpt_stack_bind(stack_of(net, node, port), port, &req, net->now_ns, out_begin());

	if (rc != 0)
		return rc;
	out_take(net, node);
	shards_settle(net, node);
	CU_EQ_U64(n->events[DPT_EVENT_BIND_DONE], before + 1);
	CU_EQ_U64(n->bind_cookie, 0xc00c1e + type);
	return n->bind_result;
}

int
net_bind_sync(struct net *net, uint32_t node, struct dpt_port port, uint32_t type,
	      uint32_t instance)
{
	struct dpt_bind_req req = {.range = {.type = type, .lower = instance, .upper = instance},
				   .scope = DPT_SCOPE_CLUSTER,
				   .cookie = instance,
				   .is_sync = true};
	int rc = dpt_stack_bind(stack_of(net, node, port), port, &req, net->now_ns, out_begin());

	out_take(net, node);
	shards_settle(net, node);
	return rc;
}

void
net_close(struct net *net, uint32_t node, struct dpt_port port)
{
	dpt_stack_close(stack_of(net, node, port), port, net->now_ns, out_begin());
	out_take(net, node);
	shards_settle(net, node);
}

int
net_send(struct net *net, uint32_t node, struct dpt_port port, const struct dpt_dest *dest,
	 const char *text, bool is_droppable)
{
	struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), (uint32_t)strlen(text));
	struct dpt_send send = {.dest = dest, .is_dest_droppable = is_droppable};
	int rc;

	CU_NOT_NULL_FATAL(m);
	dpt_buf_write(m, 0, text, (uint32_t)strlen(text));
	rc = dpt_stack_send(stack_of(net, node, port), port, &send, m, net->now_ns, out_begin());
	out_take(net, node);
	shards_settle(net, node);
	return rc;
}

int
net_accept(struct net *net, uint32_t node, struct dpt_port port, struct dpt_port *accepted)
{
	int rc = dpt_stack_accept(stack_of(net, node, port), port, 1, net->now_ns, accepted,
				  out_begin());

	out_take(net, node);
	shards_settle(net, node);
	return rc;
}

int
net_connect(struct net *net, uint32_t node, struct dpt_port port, const struct dpt_dest *dest,
	    uint8_t importance)
{
	struct dpt_send send = {.dest = dest, .importance = importance};
	int rc =
		dpt_stack_connect(stack_of(net, node, port), port, &send, net->now_ns, out_begin());

	out_take(net, node);
	shards_settle(net, node);
	return rc;
}

int
net_data(struct net *net, uint32_t node, struct dpt_port port, const struct dpt_dest *dest,
	 const void *data, uint32_t bytes)
{
	struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), bytes);
	struct dpt_send send = {.dest = dest};
	int rc;

	CU_NOT_NULL_FATAL(m);
	dpt_buf_write(m, 0, data, bytes);
	rc = dpt_stack_send(stack_of(net, node, port), port, &send, m, net->now_ns, out_begin());
	out_take(net, node);
	shards_settle(net, node);
	return rc;
}

struct dpt_sock_conn
net_conn(struct net *net, uint32_t node, struct dpt_port port)
{
	struct dpt_sock_conn conn;

	dpt_sock_conn(dpt_stack_socks(stack_of(net, node, port)), port, &conn);
	return conn;
}

struct dpt_dest
net_service(uint32_t type, uint32_t instance)
{
	return (struct dpt_dest){.addrtype = DPT_ADDR_SERVICE,
				 .range = {.type = type, .lower = instance, .upper = instance}};
}

struct dpt_dest
net_range(uint32_t type, uint32_t lower, uint32_t upper)
{
	return (struct dpt_dest){.addrtype = DPT_ADDR_RANGE,
				 .range = {.type = type, .lower = lower, .upper = upper}};
}

struct dpt_dest
net_sockaddr(struct net *net, uint32_t node, struct dpt_port port)
{
	return (struct dpt_dest){.addrtype = DPT_ADDR_SOCKET,
				 .socket = {.port = port, .node = net_addr(net, node)}};
}

bool
net_recv(struct net *net, uint32_t node, struct dpt_port port, struct net_msg *msg)
{
	struct dpt_socks *socks = dpt_stack_socks(stack_of(net, node, port));
	struct rte_mbuf *m = dpt_sock_recv_next(socks, port);
	const uint8_t *hdr;
	uint32_t len;

	if (m == NULL)
		return false;
	memset(msg, 0, sizeof(*msg));
	hdr = dpt_buf_hdr(m);
	msg->bytes = dpt_msg_payload_bytes(hdr);
	msg->errcode = dpt_msg_errcode(hdr);
	msg->user = dpt_msg_user(hdr);
	msg->from.port = dpt_port(dpt_msg_origport(hdr));
	msg->from.node = dpt_msg_origin(hdr);
	len = msg->bytes < sizeof(msg->text) ? msg->bytes : (uint32_t)sizeof(msg->text) - 1;
	dpt_buf_read(m, dpt_msg_hdr_bytes(hdr), msg->text, len);
	dpt_stack_recv_done(stack_of(net, node, port), port, 1, net->now_ns, out_begin());
	out_take(net, node);
	shards_settle(net, node);
	return true;
}

uint32_t
net_names_cnt(struct net *net, uint32_t node, uint32_t shard, uint32_t type)
{
	const struct dpt_names *names = dpt_stack_names(net_stack(net, node, shard));
	struct dpt_binding bindings[16];
	uint32_t cursor = 0, cnt = 0, n;

	while ((n = dpt_names_dump(names, &cursor, bindings, 16)) != 0)
		for (uint32_t i = 0; i < n; i++)
			cnt += bindings[i].range.type == type;
	return cnt;
}
