/* SPDX-License-Identifier: BSD-3-Clause */
/* Connection requests and data: 09-socket-api.md, 7, 9.1, 10.5, 10.6. */
#include <errno.h>

#include "socket_priv.h"

/* Src: 09-socket-api.md, 1. */
#define CONN_TIMEOUT_MS 8000

/* Where a SYN goes. Returns 0 or -EHOSTUNREACH. */
static int
syn_dest(struct dpt_socks *socks, const struct dpt_dest *dest, struct dpt_socket_addr *to)
{
	if (dest->addrtype == DPT_ADDR_SOCKET)
		*to = dest->socket;
	else if (dpt_names_lookup(socks->cfg.names, dest->range.type, dest->range.lower,
				  dest->domain, to) < 0)
		return -EHOSTUNREACH;
	/* Node 0 would not be recognised in the answer. Src: 9.3, quirk. */
	if (sock_is_own(socks, to->node)) {
		to->node = socks->own;
		return 0;
	}
	return sock_node_find(socks, to->node) != NULL ? 0 : -EHOSTUNREACH;
}

/* The SYN's header in front of m. Returns false: no room. */
static bool
syn_hdr(struct dpt_socks *socks, struct sock *sock, const struct dpt_send *send,
	const struct dpt_socket_addr *to, struct rte_mbuf *m)
{
	const struct dpt_dest *dest = send->dest;
	bool is_named = dest->addrtype == DPT_ADDR_SERVICE;
	struct sock_hdr form = {
		.type = is_named ? DPT_TYPE_NAMED : DPT_TYPE_DIRECT,
		.hdr_bytes = is_named ? DPT_HDR_NAMED : DPT_HDR_BASIC,
		.destnode = to->node,
	};
	uint8_t *hdr = sock_hdr_prepend(socks, sock, send, &form, m);

	if (hdr == NULL)
		return false;
	dpt_msg_set_syn(hdr, 1);
	dpt_msg_set_destport(hdr, to->port.ref);
	if (!is_named)
		return true;
	dpt_msg_set_lookup_scope(hdr, dest->domain.value != 0 ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER);
	dpt_msg_set_nametype(hdr, dest->range.type);
	dpt_msg_set_nameinst(hdr, dest->range.lower);
	return true;
}

/* m: the payload, maybe empty. m is gone when 0 is returned. */
static int
syn_send(struct dpt_socks *socks, struct sock *sock, const struct dpt_send *send,
	 struct rte_mbuf *m, struct dpt_bufq *routed)
{
	const struct dpt_dest *dest = send->dest;
	struct sock_conn *conn = &sock->conn;
	uint32_t payload_bytes = rte_pktmbuf_pkt_len(m);
	struct dpt_socket_addr to;
	int rc;

	if (dest->addrtype != DPT_ADDR_SERVICE && dest->addrtype != DPT_ADDR_SOCKET)
		return -EINVAL;
	if (!TAILQ_EMPTY(&sock->bindings))
		return -EOPNOTSUPP;
	rc = syn_dest(socks, dest, &to);
	if (rc != 0)
		return rc;
	if (!syn_hdr(socks, sock, send, &to, m))
		return -ENOBUFS;
	conn->state = DPT_SOCK_STATE_CONNECTING;
	conn->peer = to;
	conn->importance = send->importance;
	conn->is_dest_droppable = send->is_dest_droppable;
	conn->is_by_name = dest->addrtype == DPT_ADDR_SERVICE;
	conn->name_type = dest->range.type;
	conn->name_instance = dest->range.lower;
	conn->conn_timeout_ms =
		send->conn_timeout_ms != 0 ? send->conn_timeout_ms : CONN_TIMEOUT_MS;
	conn->syn_bytes = payload_bytes != 0 ? rte_pktmbuf_pkt_len(m) : 0;
	dpt_timer_init(&conn->timer, SOCK_TIMER_SYN);
	/* Without a copy an overloaded listener is a refusal. */
	conn->syn = dpt_buf_copy(m, socks->cfg.env.pool);
	sock_changed(socks, sock);
	sock_pass(socks, m, &to, routed);
	return 0;
}

void
sock_syn_again(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	struct rte_mbuf *m = conn->syn;

	if (m == NULL)
		return;
	conn->syn = dpt_buf_copy(m, socks->cfg.env.pool);
	dpt_buf(m)->importance = conn->importance;
	socks->cfg.counters->syns_again++;
	sock_pass(socks, m, &conn->peer, routed);
}

int
dpt_sock_connect(struct dpt_socks *socks, struct dpt_port port, const struct dpt_send *send,
		 uint64_t now_ns, struct dpt_bufq *routed)
{
	struct sock *sock = sock_find(socks, port);
	struct rte_mbuf *m;
	int rc;

	socks->now_ns = now_ns;
	if (sock == NULL || !sock_is_conn_type(sock) || send->dest == NULL ||
	    send->dest->addrtype == DPT_ADDR_RANGE)
		return -EINVAL;
	switch ((enum dpt_sock_state)sock->conn.state) {
	case DPT_SOCK_STATE_ESTABLISHED:
		return -EISCONN;
	case DPT_SOCK_STATE_CONNECTING:
		return -EALREADY;
	case DPT_SOCK_STATE_OPEN:
		break;
	default:
		return -EINVAL;
	}
	m = dpt_buf_alloc(socks->cfg.env.pool);
	if (m == NULL)
		return -ENOBUFS;
	rc = syn_send(socks, sock, send, m, routed);
	if (rc != 0)
		rte_pktmbuf_free(m);
	return rc;
}

/* 10.5: why data cannot be sent now; 0: it can. */
static int
data_obstacle(struct sock *sock)
{
	struct sock_conn *conn = &sock->conn;
	int error = conn->error;

	if (error != 0) {
		conn->error = 0;
		return -error;
	}
	if (conn->state == DPT_SOCK_STATE_DISCONNECTING)
		return -EPIPE;
	if (conn->state != DPT_SOCK_STATE_ESTABLISHED)
		return -ENOTCONN;
	return sock_is_blocked(sock) || sock_is_window_used(sock) ? -EAGAIN : 0;
}

int
sock_conn_send(struct dpt_socks *socks, struct sock *sock, const struct dpt_send *send,
	       struct rte_mbuf *m, struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	int rc;

	if (conn->state == DPT_SOCK_STATE_OPEN && send->dest != NULL)
		return syn_send(socks, sock, send, m, routed);
	rc = data_obstacle(sock);
	if (rc != 0)
		return rc;
	conn->importance = send->importance;
	conn->is_dest_droppable = send->is_dest_droppable;
	conn->tx_cost += dpt_sock_cost(conn->is_block_flow, DPT_HDR_SHORT, rte_pktmbuf_pkt_len(m));
	if (sock->type == DPT_SOCK_STREAM && sock_nagle_take(socks, sock, m, routed)) {
		/* Kept or merged: what it costs is known later. */
		sock_changed(socks, sock);
		return 0;
	}
	return sock_data_out(socks, sock, m, routed) ? 0 : -ENOBUFS;
}
