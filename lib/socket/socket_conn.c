/* SPDX-License-Identifier: BSD-3-Clause */
/* States of connections, and what an application sees of them: 09-socket-api.md, 4, 17, 21. */
#include <errno.h>
#include <string.h>

#include "socket_priv.h"

void
sock_internal_push(struct dpt_socks *socks, struct sock *sock)
{
	if (sock->is_internal_due)
		return;
	sock->is_internal_due = true;
	TAILQ_INSERT_TAIL(&socks->internal, sock, changed);
}

void
sock_changed(struct dpt_socks *socks, struct sock *sock)
{
	if (sock->is_internal) {
		sock_internal_push(socks, sock);
		return;
	}
	if (sock->is_changed)
		return;
	sock->is_changed = true;
	TAILQ_INSERT_TAIL(&socks->changed, sock, changed);
}

bool
sock_is_from_peer(const struct dpt_socks *socks, const struct sock *sock, const uint8_t *hdr)
{
	struct dpt_node_addr origin = dpt_msg_origin(hdr);
	struct dpt_node_addr peer = sock->conn.peer.node;

	if (dpt_msg_origport(hdr) != sock->conn.peer.port.ref)
		return false;
	if (origin.value == peer.value)
		return true;
	return sock_is_own(socks, origin) && sock_is_own(socks, peer);
}

/* The node of a connection's peer, which tells of its loss; NULL: the own node. */
static void
conn_register(struct dpt_socks *socks, struct sock *sock)
{
	struct sock_conn *conn = &sock->conn;

	conn->node =
		sock_is_own(socks, conn->peer.node) ? NULL : sock_node_find(socks, conn->peer.node);
	if (conn->node != NULL)
		TAILQ_INSERT_TAIL(&conn->node->conns, sock, conn.by_node);
}

static void
conn_unregister(struct sock *sock)
{
	if (sock->conn.node == NULL)
		return;
	TAILQ_REMOVE(&sock->conn.node->conns, sock, conn.by_node);
	sock->conn.node = NULL;
}

static void
syn_drop(struct sock *sock)
{
	rte_pktmbuf_free(sock->conn.syn);
	sock->conn.syn = NULL;
}

void
sock_conn_establish(struct dpt_socks *socks, struct sock *sock, const struct dpt_socket_addr *peer)
{
	struct sock_conn *conn = &sock->conn;
	uint16_t caps = DPT_CAPS_OWN;

	conn->state = DPT_SOCK_STATE_ESTABLISHED;
	conn->peer = *peer;
	syn_drop(sock);
	conn_register(socks, sock);
	if (!sock_is_own(socks, peer->node))
		caps = conn->node != NULL ? conn->node->caps : 0;
	conn->is_block_flow = (caps & DPT_CAP_BLOCK_FLOWCTL) != 0;
	conn->snd_win = conn->is_block_flow ? SOCK_WINDOW_BLOCKS : SOCK_WINDOW_MSGS;
	conn->rcv_win = conn->snd_win;
	if (conn->syn_bytes != 0)
		conn->snt_unacked += dpt_sock_cost(conn->is_block_flow, 0, conn->syn_bytes);
	sock_nagle_init(socks, sock);
	conn->setup_importance = conn->importance;
	dpt_timer_cancel(&socks->wheel, &conn->timer);
	dpt_timer_init(&conn->timer, SOCK_TIMER_PROBE);
	dpt_timer_set(&socks->wheel, &conn->timer, socks->now_ns + SOCK_PROBE_NS);
	sock_changed(socks, sock);
}

void
sock_conn_end(struct dpt_socks *socks, struct sock *sock, int error)
{
	struct sock_conn *conn = &sock->conn;

	conn->state = DPT_SOCK_STATE_DISCONNECTING;
	conn->error = error;
	conn->owed = SOCK_OWES_NOTHING;
	syn_drop(sock);
	conn_unregister(sock);
	dpt_timer_cancel(&socks->wheel, &conn->timer);
	socks->cfg.counters->drop_conn_ended += dpt_bufq_free(&conn->backlog);
	conn->backlog_blocks = 0;
	sock_changed(socks, sock);
}

bool
sock_conn_say(struct dpt_socks *socks, struct sock *sock, enum dpt_err err, struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	/* Src: 09-socket-api.md, 9.1: the end is CRITICAL. */
	uint8_t user = err != DPT_OK ? DPT_USER_CRITICAL : conn->importance;
	struct rte_mbuf *m = dpt_msg_alloc(socks->cfg.env.pool, (enum dpt_user)user, DPT_TYPE_CONN,
					   DPT_HDR_SHORT, 0, socks->own, conn->peer.node);

	if (m == NULL) {
		socks->cfg.counters->conn_msgs_lost++;
		return false;
	}
	dpt_buf(m)->importance = err != DPT_OK ? DPT_IMPORTANCE_SYSTEM : user;
	dpt_msg_set_errcode(dpt_buf_hdr(m), err);
	dpt_msg_set_origport(dpt_buf_hdr(m), sock->port.ref);
	dpt_msg_set_destport(dpt_buf_hdr(m), conn->peer.port.ref);
	sock_pass(socks, m, &conn->peer, routed);
	return true;
}

/*
 * The first queued message goes back and tells the peer how the connection ended, the others are
 * dropped; true: it does. One that must not be returned tells nothing: 17.1, the quirk.
 */
static bool
conn_return_first(struct dpt_socks *socks, struct sock *sock, enum dpt_err err,
		  struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;
	bool is_close = err == DPT_ERR_NO_PORT;
	uint64_t *dropped = is_close ? &c->drop_closed : &c->drop_shutdown;
	uint64_t *returned = is_close ? &c->returned_closed : &c->returned_shutdown;
	struct rte_mbuf *m = dpt_bufq_pop(&sock->rxq);
	bool is_told = false;

	if (m != NULL && sock->conn.is_part_read) {
		(*dropped)++;
		rte_pktmbuf_free(m);
		m = dpt_bufq_pop(&sock->rxq);
	}
	if (m != NULL && dpt_msg_type(dpt_buf_hdr(m)) != DPT_TYPE_CONN) {
		/* The SYN's data: it would come back as from the listener's port, which the peer
		 * does not know any more. */
		(*dropped)++;
		rte_pktmbuf_free(m);
	} else if (m != NULL) {
		uint64_t before = *returned;

		sock_return(socks, m, err, returned, dropped, routed);
		is_told = *returned != before;
	}
	*dropped += dpt_bufq_free(&sock->rxq);
	sock_emptied(sock);
	return is_told;
}

void
sock_conn_finish(struct dpt_socks *socks, struct sock *sock, enum dpt_err err,
		 struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	uint64_t *dropped = err == DPT_ERR_NO_PORT ? &socks->cfg.counters->drop_closed
						   : &socks->cfg.counters->drop_shutdown;

	if (conn->state == DPT_SOCK_STATE_LISTEN) {
		sock_queue_return(socks, sock, err, routed);
		return;
	}
	if (conn->state == DPT_SOCK_STATE_ESTABLISHED || conn->state == DPT_SOCK_STATE_CONNECTING) {
		if (!DPT_MUTANT(nagle_lost))
			sock_nagle_push(socks, sock, routed);
		/* In state CONNECTING the peer is the SYN's destination. */
		if (!conn_return_first(socks, sock, err, routed))
			(void)sock_conn_say(socks, sock, err, routed);
		sock_conn_end(socks, sock, 0);
		return;
	}
	*dropped += dpt_bufq_free(&sock->rxq);
	sock_emptied(sock);
}

void
dpt_sock_send_lost(struct dpt_socks *socks, struct dpt_port port, uint32_t payload_bytes,
		   struct dpt_bufq *routed)
{
	struct sock *sock = sock_find(socks, port);

	if (sock == NULL || !sock_is_conn_type(sock) || !sock_is_established(sock))
		return;
	if (payload_bytes != 0 && sock->conn.nagle_bytes == 0) {
		uint32_t cost =
			dpt_sock_cost(sock->conn.is_block_flow, DPT_HDR_SHORT, payload_bytes);

		/* Nothing of it went out, and the sender is told. */
		sock->conn.tx_cost -= cost;
		sock->conn.snt_unacked -= RTE_MIN(cost, sock->conn.snt_unacked);
		return;
	}
	(void)sock_conn_say(socks, sock, DPT_ERR_NO_PORT, routed);
	sock_conn_lost(socks, sock, DPT_ERR_NO_NODE);
}

bool
dpt_sock_can_end(const struct dpt_socks *socks, struct dpt_port port)
{
	const struct sock *sock = sock_find(socks, port);

	if (sock == NULL)
		return true;
	if (sock_is_blocked(sock))
		return false;
	return !sock_is_conn_type(sock) || !sock_is_established(sock) || !sock_is_window_used(sock);
}

void
dpt_sock_partly_read(struct dpt_socks *socks, struct dpt_port port)
{
	struct sock *sock = sock_find(socks, port);

	if (sock != NULL && sock->given_cnt > 0)
		sock->conn.is_part_read = true;
}

int
dpt_sock_pair(struct dpt_socks *socks, struct dpt_port a, struct dpt_port b, uint64_t now_ns)
{
	struct sock *first = sock_find(socks, a);
	struct sock *second = sock_find(socks, b);
	struct dpt_socket_addr to_first = {.port = a, .node = socks->own};
	struct dpt_socket_addr to_second = {.port = b, .node = socks->own};

	socks->now_ns = now_ns;
	if (first == NULL || second == NULL || first == second || first->type != second->type ||
	    first->conn.state != DPT_SOCK_STATE_OPEN || second->conn.state != DPT_SOCK_STATE_OPEN)
		return -EINVAL;
	if (!sock_is_conn_type(first)) {
		/* Messages go as DIRECT ones; only the state says that they are a pair. Src: 21. */
		first->conn.state = DPT_SOCK_STATE_ESTABLISHED;
		second->conn.state = DPT_SOCK_STATE_ESTABLISHED;
		first->conn.peer = to_second;
		second->conn.peer = to_first;
		sock_changed(socks, first);
		sock_changed(socks, second);
		return 0;
	}
	sock_conn_establish(socks, first, &to_second);
	sock_conn_establish(socks, second, &to_first);
	return 0;
}

void
dpt_sock_conn(const struct dpt_socks *socks, struct dpt_port port, struct dpt_sock_conn *view)
{
	const struct sock *sock = sock_find(socks, port);
	const struct sock_conn *conn;

	*view = (struct dpt_sock_conn){.state = DPT_SOCK_STATE_OPEN};
	if (sock == NULL)
		return;
	conn = &sock->conn;
	view->state = (enum dpt_sock_state)conn->state;
	view->error = conn->error;
	view->peer = conn->peer;
	view->name_type = conn->name_type;
	view->name_instance = conn->name_instance;
	view->importance = conn->setup_importance;
	view->has_name = conn->has_name;
	view->is_block_flow = conn->is_block_flow;
	if (sock_is_conn_type(sock) && sock_is_established(sock))
		/* Aggregated data counts when it is sent. */
		view->credit =
			conn->tx_cost + conn->snd_win - conn->snt_unacked + DPT_MUTANT(credit_long);
}

void
dpt_sock_error_clear(struct dpt_socks *socks, struct dpt_port port)
{
	struct sock *sock = sock_find(socks, port);

	if (sock != NULL)
		sock->conn.error = 0;
}

bool
dpt_sock_changed_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie)
{
	struct sock *sock = TAILQ_FIRST(&socks->changed);

	if (sock == NULL)
		return false;
	TAILQ_REMOVE(&socks->changed, sock, changed);
	sock->is_changed = false;
	*port = sock->port;
	*cookie = sock->cookie;
	return true;
}

void
dpt_sock_internal_set(struct dpt_socks *socks, struct dpt_port port)
{
	struct sock *sock = sock_find(socks, port);

	if (sock == NULL || sock->is_internal)
		return;
	if (sock->is_changed) {
		TAILQ_REMOVE(&socks->changed, sock, changed);
		sock->is_changed = false;
	}
	/* No socket of an application: not counted as one. */
	sock->is_internal = true;
	socks->cnt--;
	sock_internal_note(socks, sock);
}

bool
dpt_sock_internal_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie)
{
	struct sock *sock = TAILQ_FIRST(&socks->internal);

	if (sock == NULL)
		return false;
	TAILQ_REMOVE(&socks->internal, sock, changed);
	sock->is_internal_due = false;
	*port = sock->port;
	*cookie = sock->cookie;
	return true;
}

int
dpt_sock_listen(struct dpt_socks *socks, struct dpt_port port)
{
	struct sock *sock = sock_find(socks, port);

	if (sock == NULL)
		return -EINVAL;
	if (!sock_is_conn_type(sock))
		return -EOPNOTSUPP;
	if (sock->conn.state != DPT_SOCK_STATE_OPEN)
		return -EINVAL;
	sock->conn.state = DPT_SOCK_STATE_LISTEN;
	sock_changed(socks, sock);
	return 0;
}

/* The oldest queued SYN. */
static struct rte_mbuf *
listen_take(struct sock *sock)
{
	struct rte_mbuf *m = sock->rxq.head;

	if (m == NULL)
		return NULL;
	if (sock->given_cnt > 0)
		sock->given_cnt--;
	else
		sock->next_given = dpt_bufq_next(m);
	sock_discharge(sock, m);
	return dpt_bufq_pop(&sock->rxq);
}

int
dpt_sock_accept(struct dpt_socks *socks, struct dpt_port port, uint64_t cookie, uint64_t now_ns,
		struct dpt_port *accepted, struct dpt_bufq *routed)
{
	struct sock *listener = sock_find(socks, port);
	struct dpt_socket_addr peer;
	const uint8_t *hdr;
	struct sock *sock;
	struct rte_mbuf *m;
	int rc;

	socks->now_ns = now_ns;
	if (listener == NULL)
		return -EINVAL;
	if (!sock_is_conn_type(listener))
		return -EOPNOTSUPP;
	if (listener->conn.state != DPT_SOCK_STATE_LISTEN)
		return -EINVAL;
	if (listener->rxq.head == NULL)
		return -EAGAIN;
	rc = dpt_sock_open(socks, (enum dpt_sock_type)listener->type, cookie, accepted);
	if (rc != 0)
		return rc;
	m = listen_take(listener);
	hdr = dpt_buf_hdr(m);
	sock = sock_find(socks, *accepted);
	if (listener->is_internal)
		dpt_sock_internal_set(socks, *accepted);
	peer.port = dpt_port(dpt_msg_origport(hdr));
	peer.node = dpt_msg_origin(hdr);
	sock->conn.importance =
		DPT_MUTANT(importance_lost) ? DPT_USER_LOW : (uint8_t)dpt_msg_user(hdr);
	if (dpt_msg_type(hdr) == DPT_TYPE_NAMED) {
		sock->conn.has_name = true;
		sock->conn.name_type = dpt_msg_nametype(hdr);
		sock->conn.name_instance = dpt_msg_nameinst(hdr);
	}
	sock_conn_establish(socks, sock, &peer);
	if (dpt_msg_payload_bytes(hdr) != 0) {
		sock_queue(socks, sock, m);
	} else {
		socks->cfg.counters->consumed_syn++;
		rte_pktmbuf_free(m);
	}
	/* The empty ACK costs one and is never acknowledged. Src: 11.2 rule 2. */
	sock->conn.snt_unacked = 1;
	if (sock_is_adrift(socks, sock)) {
		/* The peer's node was lost while its request waited. */
		sock_conn_lost(socks, sock, DPT_ERR_NO_NODE);
		return 0;
	}
	if (!sock_conn_say(socks, sock, DPT_OK, routed))
		sock_owe(socks, sock, SOCK_OWES_SETUP);
	return 0;
}
