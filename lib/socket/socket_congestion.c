/* SPDX-License-Identifier: BSD-3-Clause */
/* Which socket may not send to which node until the link has room: 09-socket-api.md, 10.4. */
#include "dpt_mutant.h"
#include "socket_priv.h"

static struct sock_congestions *
bucket(struct dpt_socks *socks, struct dpt_node_addr node)
{
	/* Addresses are 32-bit hashes or <Z.C.N>: fold both into the low octet. */
	uint32_t fold = node.value ^ node.value >> 12 ^ node.value >> 24;

	return &socks->congested[fold % SOCK_CONGESTED_BUCKETS];
}

static struct sock_congested *
congested_find(const struct sock *sock, struct dpt_node_addr node)
{
	struct sock_congested *c;

	TAILQ_FOREACH (c, &sock->congestions, by_sock) {
		if (c->node.value == node.value)
			return c;
	}
	return NULL;
}

static void
congested_del(struct dpt_socks *socks, struct sock_congested *c)
{
	TAILQ_REMOVE(bucket(socks, c->node), c, by_node);
	TAILQ_REMOVE(&c->sock->congestions, c, by_sock);
	TAILQ_INSERT_HEAD(&socks->congestions_free, c, by_node);
}

static void
writable_push(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed)
{
	sock_nagle_push(socks, sock, routed);
	if (sock->is_internal) {
		sock_internal_push(socks, sock);
		return;
	}
	if (sock->is_writable)
		return;
	sock->is_writable = true;
	TAILQ_INSERT_TAIL(&socks->writable, sock, writable);
}

bool
sock_is_blocked_to(const struct sock *sock, struct dpt_node_addr node)
{
	return sock->is_blocked_any || congested_find(sock, node) != NULL;
}

bool
sock_is_blocked(const struct sock *sock)
{
	return sock->is_blocked_any || !TAILQ_EMPTY(&sock->congestions);
}

static void
blocked_any_clear(struct dpt_socks *socks, struct sock *sock)
{
	if (!sock->is_blocked_any)
		return;
	sock->is_blocked_any = false;
	TAILQ_REMOVE(&socks->blocked, sock, blocked);
}

void
sock_congestion_clear(struct dpt_socks *socks, struct sock *sock)
{
	while (!TAILQ_EMPTY(&sock->congestions))
		congested_del(socks, TAILQ_FIRST(&sock->congestions));
	blocked_any_clear(socks, sock);
}

void
dpt_sock_congested(struct dpt_socks *socks, struct dpt_port port, struct dpt_node_addr node,
		   uint8_t importance)
{
	struct sock *sock = sock_find(socks, port);
	struct sock_congested *c;

	if (sock == NULL)
		return;
	c = congested_find(sock, node);
	if (c == NULL) {
		c = TAILQ_FIRST(&socks->congestions_free);
		if (c == NULL) {
			socks->cfg.counters->congested_full++;
			if (!sock->is_blocked_any)
				TAILQ_INSERT_TAIL(&socks->blocked, sock, blocked);
			sock->is_blocked_any = true;
			return;
		}
		TAILQ_REMOVE(&socks->congestions_free, c, by_node);
		c->sock = sock;
		c->node = node;
		c->level_mask = 0;
		TAILQ_INSERT_TAIL(bucket(socks, node), c, by_node);
		TAILQ_INSERT_TAIL(&sock->congestions, c, by_sock);
	}
	c->level_mask |= UINT32_C(1) << importance;
}

void
dpt_sock_room(struct dpt_socks *socks, struct dpt_node_addr node, uint32_t level_mask,
	      struct dpt_bufq *routed)
{
	struct sock_congestions *list = bucket(socks, node);
	struct sock_congested *c = TAILQ_FIRST(list);
	struct sock *sock;

	while (c != NULL) {
		struct sock_congested *next = TAILQ_NEXT(c, by_node);

		if (c->node.value == node.value && (c->level_mask & level_mask) != 0 &&
		    !DPT_MUTANT(room_forgotten)) {
			c->level_mask &= ~level_mask;
			if (c->level_mask == 0) {
				struct sock *sock_now = c->sock;

				congested_del(socks, c);
				writable_push(socks, sock_now, routed);
			}
		}
		c = next;
	}
	/* Of these the node is not known: they try again, and may be blocked again. */
	while ((sock = TAILQ_FIRST(&socks->blocked)) != NULL) {
		blocked_any_clear(socks, sock);
		writable_push(socks, sock, routed);
	}
}

bool
dpt_sock_is_congested(const struct dpt_socks *socks, struct dpt_port port)
{
	const struct sock *sock = sock_find(socks, port);

	return sock != NULL && sock_is_blocked(sock);
}

bool
dpt_sock_writable_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie)
{
	struct sock *sock = TAILQ_FIRST(&socks->writable);

	if (sock == NULL)
		return false;
	TAILQ_REMOVE(&socks->writable, sock, writable);
	sock->is_writable = false;
	*port = sock->port;
	*cookie = sock->cookie;
	return true;
}
