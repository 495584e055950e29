/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an application sees of a connection: struct dpt_sock_conn goes into its line of the
 * region whenever it has changed, and sleepers are woken.
 *
 *   so_error, peer, name --> tx_credit --> conn_state (release) --> futexes
 *                                      \--> ended: the descriptor hangs up, filled: it is emptied
 */
#include "dpt_stack.h"
#include "worker.h"

static uint32_t
publish_word(const struct served_sock *sock, const struct dpt_sock_conn *conn)
{
	if (!served_sock_is_conn(sock) && conn->state == DPT_SOCK_STATE_OPEN)
		return 0;
	return (uint32_t)conn->state | (conn->has_name ? DPT_CONN_HAS_NAME : 0) |
	       (conn->is_block_flow ? DPT_CONN_IS_BLOCK_FLOW : 0) |
	       (uint32_t)conn->importance << DPT_CONN_IMPORTANCE_SHIFT;
}

void
publish_sock(struct worker *w, struct served_sock *sock)
{
	struct dpt_shm_sock *shm = sock->shm;
	struct dpt_sock_conn conn;

	dpt_sock_conn(w->socks, sock->port, &conn);
	if (conn.error != 0) {
		atomic_store_explicit(&shm->so_error, (uint32_t)conn.error, memory_order_relaxed);
		dpt_sock_error_clear(w->socks, sock->port);
	}
	shm->peer_port = conn.peer.port.ref;
	shm->peer_node = conn.peer.node.value;
	shm->name_type = conn.name_type;
	shm->name_instance = conn.name_instance;
	if (sock->state != DPT_SOCK_STATE_ESTABLISHED ||
	    (int32_t)(conn.credit - sock->credit_max) > 0)
		sock->credit_max = conn.credit;
	sock->state = conn.state;
	sock->is_block_flow = conn.is_block_flow;
	atomic_store_explicit(&shm->tx_credit, conn.credit, memory_order_relaxed);
	/* Pairs with the client's acquire load: it sees all of the above then. */
	atomic_store_explicit(&shm->conn_state, publish_word(sock, &conn), memory_order_release);
	submit_wake(shm, &shm->tx_credit, &shm->conn_state);
	if (conn.state == DPT_SOCK_STATE_DISCONNECTING)
		deliver_hang_up(w, sock);
	submit_room(w, sock);
}

void
publish_poll(struct worker *w)
{
	struct dpt_port port;
	uint64_t cookie;

	while (dpt_sock_changed_pop(w->socks, &port, &cookie)) {
		struct served_sock *sock = (struct served_sock *)(uintptr_t)cookie;

		if (!sock->served->is_hostile)
			publish_sock(w, sock);
	}
}
