/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets of one shard: life cycle, bindings. Sending: socket_tx.c; receiving: socket_rx.c; who
 * may not send: socket_congestion.c; queries: socket_dump.c.
 */
#include "dpt_socket.h"

#include <errno.h>
#include <string.h>

#include "dpt_limits.h"
#include "dpt_msg.h"
#include "socket_priv.h"

DPT_STATIC_ASSERT(sizeof(size_t) == 8, "sizes of pools are computed in 64 bits");
DPT_STATIC_ASSERT(DPT_SHARDS_MAX <= 1 << (32 - SOCK_SHARD_SHIFT), "shard in a port reference");

DPT_COUNTER_DESCS(dpt_socket_counter_descs, DPT_SOCKET_COUNTERS);

struct socks_layout {
	size_t slots;
	size_t bindings;
	size_t congestions;
	size_t nodes;
	size_t internals;
	size_t bytes;
};

static size_t
align64(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static struct socks_layout
socks_layout(const struct dpt_socks_cfg *cfg)
{
	struct socks_layout l;
	size_t congestions_cnt = (size_t)cfg->sockets_max * SOCK_CONGESTED_PER_SOCKET;

	l.slots = align64(sizeof(struct dpt_socks));
	l.bindings = align64(l.slots + (size_t)cfg->sockets_max * sizeof(struct sock));
	l.congestions =
		align64(l.bindings + (size_t)cfg->bindings_max * sizeof(struct sock_binding));
	l.nodes = align64(l.congestions + congestions_cnt * sizeof(struct sock_congested));
	l.internals = align64(l.nodes + (size_t)cfg->nodes_max * sizeof(struct sock_node));
	l.bytes = align64(l.internals + (size_t)cfg->sockets_max * sizeof(struct sock *));
	return l;
}

size_t
dpt_socks_size(const struct dpt_socks_cfg *cfg)
{
	return socks_layout(cfg).bytes;
}

void
dpt_socks_init(struct dpt_socks *socks, const struct dpt_socks_cfg *cfg, uint64_t now_ns)
{
	struct socks_layout l = socks_layout(cfg);
	struct sock_binding *bindings = (struct sock_binding *)((uint8_t *)socks + l.bindings);
	struct sock_congested *congestions =
		(struct sock_congested *)((uint8_t *)socks + l.congestions);
	struct sock_node *nodes = (struct sock_node *)((uint8_t *)socks + l.nodes);
	uint32_t i;

	DPT_ASSERT(cfg->sockets_max <= SOCK_SLOT_MASK + 1);
	DPT_ASSERT(cfg->shard < DPT_SHARDS_MAX);
	memset(socks, 0, l.bindings);
	socks->cfg = *cfg;
	socks->slots = (struct sock *)((uint8_t *)socks + l.slots);
	socks->internals = (struct sock **)((uint8_t *)socks + l.internals);
	TAILQ_INIT(&socks->free);
	TAILQ_INIT(&socks->ready);
	TAILQ_INIT(&socks->writable);
	TAILQ_INIT(&socks->blocked);
	TAILQ_INIT(&socks->changed);
	TAILQ_INIT(&socks->internal);
	dpt_timer_wheel_init(&socks->wheel, now_ns);
	socks->now_ns = now_ns;
	TAILQ_INIT(&socks->bindings_free);
	TAILQ_INIT(&socks->congestions_free);
	for (i = 0; i < SOCK_CONGESTED_BUCKETS; i++)
		TAILQ_INIT(&socks->congested[i]);
	for (i = 0; i < cfg->sockets_max; i++) {
		socks->slots[i].generation = (uint8_t)dpt_rng_u32(cfg->env.rng);
		TAILQ_INSERT_TAIL(&socks->free, &socks->slots[i], free);
	}
	for (i = 0; i < cfg->bindings_max; i++)
		TAILQ_INSERT_TAIL(&socks->bindings_free, &bindings[i], entry);
	for (i = 0; i < cfg->nodes_max; i++) {
		nodes[i].addr = dpt_node_addr(0);
		nodes[i].next = socks->nodes_free;
		socks->nodes_free = &nodes[i];
	}
	for (i = 0; i < cfg->sockets_max * SOCK_CONGESTED_PER_SOCKET; i++)
		TAILQ_INSERT_TAIL(&socks->congestions_free, &congestions[i], by_node);
}

void
dpt_socks_fini(struct dpt_socks *socks)
{
	for (uint32_t i = 0; i < socks->cfg.sockets_max; i++) {
		struct sock *sock = &socks->slots[i];

		socks->cfg.counters->drop_stopped += dpt_bufq_free(&sock->rxq);
		socks->cfg.counters->drop_stopped += dpt_bufq_free(&sock->conn.backlog);
		rte_pktmbuf_free(sock->conn.syn);
		sock->conn.syn = NULL;
	}
}

void
dpt_socks_own_set(struct dpt_socks *socks, struct dpt_node_addr own)
{
	struct sock_binding *b;

	socks->own = own;
	for (uint32_t i = 0; i < socks->cfg.sockets_max; i++) {
		if (!socks->slots[i].is_open)
			continue;
		TAILQ_FOREACH (b, &socks->slots[i].bindings, entry)
			b->binding.node = own;
	}
}

struct sock *
sock_find(const struct dpt_socks *socks, struct dpt_port port)
{
	uint32_t slot = (port.ref >> SOCK_SLOT_SHIFT) & SOCK_SLOT_MASK;
	struct sock *sock;

	if (slot >= socks->cfg.sockets_max)
		return NULL;
	sock = &socks->slots[slot];
	/* The whole number: shard and generation too. */
	return sock->is_open && sock->port.ref == port.ref ? sock : NULL;
}

int
dpt_sock_open(struct dpt_socks *socks, enum dpt_sock_type type, uint64_t cookie,
	      struct dpt_port *port)
{
	struct sock *sock = TAILQ_FIRST(&socks->free);
	uint8_t generation;
	uint32_t ref;

	if (type != DPT_SOCK_DGRAM && type != DPT_SOCK_RDM && type != DPT_SOCK_STREAM &&
	    type != DPT_SOCK_SEQPACKET)
		return -EPROTOTYPE;
	if (sock == NULL)
		return -ENFILE;
	TAILQ_REMOVE(&socks->free, sock, free);
	generation = (uint8_t)(sock->generation + 1);
	ref = (uint32_t)socks->cfg.shard << SOCK_SHARD_SHIFT | (uint32_t)(sock - socks->slots)
								       << SOCK_SLOT_SHIFT;
	if ((ref | generation) == 0)
		generation = 1; /* 0 is no port */
	memset(sock, 0, sizeof(*sock));
	sock->generation = generation;
	sock->port = dpt_port(ref | generation);
	sock->is_open = true;
	sock->type = (uint8_t)type;
	sock->cookie = cookie;
	sock->rcvbuf_bytes = socks->cfg.rcvbuf_bytes;
	sock->conn.win_promised = SOCK_WINDOW_BLOCKS;
	sock->conn.state = DPT_SOCK_STATE_OPEN;
	TAILQ_INIT(&sock->bindings);
	TAILQ_INIT(&sock->congestions);
	socks->cnt++;
	*port = sock->port;
	return 0;
}

/* Src: 09-socket-api.md, 17.1. */
void
sock_queue_return(struct dpt_socks *socks, struct sock *sock, enum dpt_err err,
		  struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;
	bool is_close = err == DPT_ERR_NO_PORT;
	uint64_t *returned = is_close ? &c->returned_closed : &c->returned_shutdown;
	uint64_t *dropped = is_close ? &c->drop_closed : &c->drop_shutdown;
	struct rte_mbuf *m;

	if (sock->conn.is_part_read && (m = dpt_bufq_pop(&sock->rxq)) != NULL) {
		(*dropped)++;
		rte_pktmbuf_free(m);
	}
	while ((m = dpt_bufq_pop(&sock->rxq)) != NULL)
		sock_return(socks, m, err, returned, dropped, routed);
	sock_emptied(sock);
}

void
dpt_sock_close(struct dpt_socks *socks, struct dpt_port port, struct dpt_bufq *routed)
{
	struct sock *sock = sock_find(socks, port);
	struct sock_binding *b;

	if (sock == NULL)
		return;
	if (sock_is_conn_type(sock))
		sock_conn_finish(socks, sock, DPT_ERR_NO_PORT, routed);
	else
		sock_queue_return(socks, sock, DPT_ERR_NO_PORT, routed);
	while ((b = TAILQ_FIRST(&sock->bindings)) != NULL) {
		TAILQ_REMOVE(&sock->bindings, b, entry);
		TAILQ_INSERT_HEAD(&socks->bindings_free, b, entry);
	}
	sock_congestion_clear(socks, sock);
	if (sock->is_ready)
		TAILQ_REMOVE(&socks->ready, sock, ready);
	if (sock->is_writable)
		TAILQ_REMOVE(&socks->writable, sock, writable);
	if (sock->is_changed)
		TAILQ_REMOVE(&socks->changed, sock, changed);
	if (sock->is_internal_due)
		TAILQ_REMOVE(&socks->internal, sock, changed);
	sock->is_open = false;
	if (sock->is_internal)
		sock_internal_forget(socks, sock);
	else
		socks->cnt--;
	TAILQ_INSERT_TAIL(&socks->free, sock, free);
}

void
dpt_sock_shutdown(struct dpt_socks *socks, struct dpt_port port, struct dpt_bufq *routed)
{
	struct sock *sock = sock_find(socks, port);

	if (sock == NULL)
		return;
	if (sock_is_conn_type(sock))
		sock_conn_finish(socks, sock, DPT_ERR_CONN_SHUTDOWN, routed);
	else
		sock_queue_return(socks, sock, DPT_ERR_CONN_SHUTDOWN, routed);
}

/* Src: 09-socket-api.md, 5.1, row 7. */
static uint8_t
scope_norm(uint8_t scope)
{
	return scope == DPT_SCOPE_NODE ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER;
}

static bool
range_eq(const struct dpt_range *a, const struct dpt_range *b)
{
	return a->type == b->type && a->lower == b->lower && a->upper == b->upper;
}

int
dpt_sock_bind(struct dpt_socks *socks, struct dpt_port port, const struct dpt_range *range,
	      uint8_t scope, struct dpt_binding *binding)
{
	struct sock *sock = sock_find(socks, port);
	struct sock_binding *b;

	if (sock == NULL || range->lower > range->upper)
		return -EINVAL;
	if (range->type < DPT_TYPE_USER_MIN && !sock->is_internal)
		return -EACCES;
	if (sock_is_established(sock))
		return -EINVAL;
	/* The next key would be the port number itself. */
	if (sock->binds_cnt == UINT32_MAX)
		return -EADDRINUSE;
	b = TAILQ_FIRST(&socks->bindings_free);
	if (b == NULL)
		return -ENOMEM;
	TAILQ_REMOVE(&socks->bindings_free, b, entry);
	sock->binds_cnt++;
	sock->bindings_cnt++;
	b->binding.range = *range;
	b->binding.port = port;
	b->binding.node = socks->own;
	b->binding.key = port.ref + sock->binds_cnt;
	b->binding.scope = scope_norm(scope);
	TAILQ_INSERT_HEAD(&sock->bindings, b, entry);
	*binding = b->binding;
	return 0;
}

static void
binding_take(struct dpt_socks *socks, struct sock *sock, struct sock_binding *b,
	     struct dpt_binding *binding)
{
	*binding = b->binding;
	sock_dump_unbound(sock, b);
	TAILQ_REMOVE(&sock->bindings, b, entry);
	TAILQ_INSERT_HEAD(&socks->bindings_free, b, entry);
	sock->bindings_cnt--;
}

void
dpt_sock_bind_undo(struct dpt_socks *socks, const struct dpt_binding *binding)
{
	struct sock *sock = sock_find(socks, binding->port);
	struct dpt_binding taken;
	struct sock_binding *b;

	if (sock == NULL)
		return;
	TAILQ_FOREACH (b, &sock->bindings, entry) {
		if (b->binding.key == binding->key && range_eq(&b->binding.range, &binding->range))
			break;
	}
	if (b == NULL)
		return;
	binding_take(socks, sock, b, &taken);
	/* A key counts from successful binds only, but one that is in use must not come again. */
	if (taken.key == taken.port.ref + sock->binds_cnt)
		sock->binds_cnt--;
}

int
dpt_sock_unbind(struct dpt_socks *socks, struct dpt_port port, const struct dpt_range *range,
		uint8_t scope, struct dpt_binding *binding)
{
	struct sock *sock = sock_find(socks, port);
	struct sock_binding *b;

	if (sock == NULL || range->lower > range->upper)
		return -EINVAL;
	if (range->type < DPT_TYPE_USER_MIN)
		return -EACCES;
	if (TAILQ_EMPTY(&sock->bindings))
		return 1;
	TAILQ_FOREACH (b, &sock->bindings, entry) {
		if (b->binding.scope == scope_norm(scope) && range_eq(&b->binding.range, range)) {
			binding_take(socks, sock, b, binding);
			return 0;
		}
	}
	return -EINVAL;
}

bool
dpt_sock_binding_pop(struct dpt_socks *socks, struct dpt_port port, struct dpt_binding *binding)
{
	struct sock *sock = sock_find(socks, port);

	if (sock == NULL || TAILQ_EMPTY(&sock->bindings))
		return false;
	binding_take(socks, sock, TAILQ_FIRST(&sock->bindings), binding);
	return true;
}

void
dpt_sock_account_set(struct dpt_socks *socks, struct dpt_port port,
		     struct dpt_sock_account *account)
{
	struct sock *sock = sock_find(socks, port);

	if (sock == NULL)
		return;
	sock->account = account;
	account->charge += sock->memory;
}

int
dpt_sock_rcvbuf_set(struct dpt_socks *socks, struct dpt_port port, uint32_t bytes)
{
	struct sock *sock = sock_find(socks, port);

	if (sock == NULL)
		return -EINVAL;
	sock->rcvbuf_bytes = bytes;
	return 0;
}

uint32_t
dpt_socks_cnt(const struct dpt_socks *socks)
{
	return socks->cnt;
}
