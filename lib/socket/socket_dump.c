/* SPDX-License-Identifier: BSD-3-Clause */
/* What dumps show of sockets. Src: 13-netlink.md, 5.6, 5.7, 6. */
#include <errno.h>

#include "socket_priv.h"

int
dpt_sock_info(const struct dpt_socks *socks, struct dpt_port port, struct dpt_sock_info *info)
{
	const struct sock *sock = sock_find(socks, port);

	if (sock == NULL)
		return -ENOENT;
	info->type = (enum dpt_sock_type)sock->type;
	info->state = (enum dpt_sock_state)sock->conn.state;
	info->peer = sock->conn.peer;
	info->queued_msgs = sock->rxq.cnt;
	info->queued_bytes = sock->charge > UINT32_MAX ? UINT32_MAX : (uint32_t)sock->charge;
	info->bindings_cnt = sock->bindings_cnt;
	info->drops = sock->drops;
	info->is_link_congested = sock_is_blocked(sock);
	info->is_conn_congested =
		sock_is_conn_type(sock) && sock_is_established(sock) && sock_is_window_used(sock);
	info->is_congested = info->is_link_congested || info->is_conn_congested;
	/* Both ends of a connection have it. */
	info->has_conn_name = sock->conn.has_name;
	info->conn_type = sock->conn.name_type;
	info->conn_instance = sock->conn.name_instance;
	return 0;
}

uint64_t
dpt_sock_drops(const struct dpt_socks *socks, struct dpt_port port)
{
	const struct sock *sock = sock_find(socks, port);

	return sock != NULL ? sock->drops : 0;
}

/* ---- internal sockets ---- */

void
sock_internal_note(struct dpt_socks *socks, struct sock *sock)
{
	sock->internal_idx = socks->internals_cnt;
	socks->internals[socks->internals_cnt++] = sock;
}

/* The last one takes the place of the one that goes. */
void
sock_internal_forget(struct dpt_socks *socks, struct sock *sock)
{
	struct sock *last = socks->internals[--socks->internals_cnt];

	socks->internals[sock->internal_idx] = last;
	last->internal_idx = sock->internal_idx;
}

bool
dpt_sock_internal_at(const struct dpt_socks *socks, uint32_t idx, struct dpt_port *port)
{
	if (idx >= socks->internals_cnt)
		return false;
	*port = socks->internals[idx]->port;
	return true;
}

/* ---- bindings ----
 *
 *   newest                        oldest
 *     [9] [8] [7] [6] ... [2] [1]           numbers: how many binds the socket had made
 *              ^ cursor 7: given out so far
 *
 * The socket remembers the record where the last dump stopped, so that going on needs no search.
 * When that one goes, its newer neighbour is as good: what is not below the cursor is skipped.
 */

static uint32_t
binding_nr(const struct sock_binding *b)
{
	return b->binding.key - b->binding.port.ref;
}

void
sock_dump_unbound(struct sock *sock, struct sock_binding *b)
{
	if (sock->dump_at == b)
		sock->dump_at = TAILQ_PREV(b, sock_bindings, entry);
}

uint32_t
dpt_sock_bindings(struct dpt_socks *socks, struct dpt_port port, uint32_t *cursor,
		  struct dpt_binding *bindings, uint32_t max)
{
	struct sock *sock = sock_find(socks, port);
	struct sock_binding *b;
	uint32_t cnt = 0;

	if (sock == NULL)
		return 0;
	b = TAILQ_FIRST(&sock->bindings);
	if (*cursor != 0 && sock->dump_nr == *cursor && sock->dump_at != NULL)
		b = sock->dump_at;
	for (; b != NULL && cnt < max; b = TAILQ_NEXT(b, entry)) {
		if (*cursor != 0 && binding_nr(b) >= *cursor)
			continue;
		bindings[cnt++] = b->binding;
		*cursor = binding_nr(b);
		sock->dump_at = b;
		sock->dump_nr = *cursor;
	}
	return cnt;
}
