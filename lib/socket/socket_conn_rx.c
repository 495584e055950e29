/* SPDX-License-Identifier: BSD-3-Clause */
/* Data messages for sockets of the connection types: 09-socket-api.md, 9.2, 9.3, 14.2. */
#include <errno.h>

#include "socket_priv.h"

void
sock_conn_lost(struct dpt_socks *socks, struct sock *sock, enum dpt_err err)
{
	struct sock_conn *conn = &sock->conn;
	struct rte_mbuf *m = dpt_msg_alloc(socks->cfg.env.pool, DPT_USER_CRITICAL, DPT_TYPE_CONN,
					   DPT_HDR_BASIC, 0, socks->own, socks->own);
	uint8_t *hdr;

	/* Without a buffer the application is told by a pending error. */
	sock_conn_end(socks, sock, m == NULL ? ECONNABORTED : 0);
	if (m == NULL)
		return;
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_errcode(hdr, err);
	dpt_msg_set_origport(hdr, conn->peer.port.ref);
	dpt_msg_set_orignode(hdr, conn->peer.node.value);
	dpt_msg_set_destport(hdr, sock->port.ref);
	socks->cfg.counters->ends_made++;
	sock_enqueue(socks, sock, m);
}

static void
refused(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m)
{
	sock_conn_end(socks, sock, ECONNREFUSED);
	sock_enqueue(socks, sock, m);
}

/* A node without the capability sends connection requests without the bit. */
static bool
is_syn(const struct dpt_socks *socks, const uint8_t *hdr)
{
	const struct sock_node *node;

	if (dpt_msg_type(hdr) == DPT_TYPE_CONN || dpt_msg_errcode(hdr) != DPT_OK)
		return false;
	if (dpt_msg_syn(hdr))
		return true;
	if (sock_is_own(socks, dpt_msg_origin(hdr)))
		return false;
	node = sock_node_find(socks, dpt_msg_origin(hdr));
	return node != NULL && (node->caps & DPT_CAP_SYN) == 0;
}

static void
rx_listen(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m, struct dpt_bufq *routed)
{
	if (!is_syn(socks, dpt_buf_hdr(m))) {
		sock_refuse(socks, m, routed);
		return;
	}
	if (!sock_has_room(sock, m)) {
		sock_overload(socks, sock, m, routed);
		return;
	}
	sock_enqueue(socks, sock, m);
}

/*
 * A message that is no ACK comes from whom the SYN went to, as far as that is known: a lookup at
 * the destination may have found another port, then name and error code tell. Src: 9.3, quirk.
 */
static bool
is_from_syn_dest(const struct dpt_socks *socks, const struct sock *sock, const uint8_t *hdr)
{
	const struct sock_conn *conn = &sock->conn;

	if (sock_is_from_peer(socks, sock, hdr))
		return true;
	return conn->is_by_name && dpt_msg_errcode(hdr) != DPT_OK &&
	       dpt_msg_type(hdr) == DPT_TYPE_NAMED && dpt_msg_nametype(hdr) == conn->name_type &&
	       dpt_msg_nameinst(hdr) == conn->name_instance;
}

/* 9.2: the ACK; with data it is the first message too. */
static void
rx_ack(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	struct dpt_socket_addr peer = {
		.port = dpt_port(dpt_msg_origport(hdr)),
		.node = dpt_msg_origin(hdr),
	};

	sock->conn.importance = (uint8_t)dpt_msg_user(hdr);
	sock->conn.has_name = sock->conn.is_by_name;
	sock_conn_establish(socks, sock, &peer);
	if (dpt_msg_payload_bytes(hdr) != 0) {
		sock_enqueue(socks, sock, m);
	} else {
		socks->cfg.counters->consumed_ack++;
		rte_pktmbuf_free(m);
	}
	if (sock_is_adrift(socks, sock))
		sock_conn_lost(socks, sock, DPT_ERR_NO_NODE);
}

/* Hazard 11: a direct address leaves no doubt which node answers. */
static bool
is_ack_plausible(const struct dpt_socks *socks, const struct sock *sock, const uint8_t *hdr)
{
	struct dpt_node_addr origin = dpt_msg_origin(hdr);
	struct dpt_node_addr dest = sock->conn.peer.node;

	if (sock->conn.is_by_name || origin.value == dest.value)
		return true;
	return sock_is_own(socks, origin) && sock_is_own(socks, dest);
}

static void
rx_connecting(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
	      struct dpt_bufq *routed)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	struct sock_conn *conn = &sock->conn;
	uint32_t err = dpt_msg_errcode(hdr);
	uint32_t spread_ms = RTE_MAX(conn->conn_timeout_ms, 4u) / 4;

	if (dpt_msg_type(hdr) == DPT_TYPE_CONN) {
		if (err != DPT_OK)
			refused(socks, sock, m);
		else if (is_ack_plausible(socks, sock, hdr))
			rx_ack(socks, sock, m);
		else
			sock_refuse(socks, m, routed);
		return;
	}
	if (!is_from_syn_dest(socks, sock, hdr)) {
		sock_refuse(socks, m, routed);
		return;
	}
	if (err != DPT_ERR_OVERLOAD || conn->syn == NULL) {
		refused(socks, sock, m);
		return;
	}
	/* 7.6: later once more. */
	if (!DPT_MUTANT(syn_forgotten))
		dpt_timer_set(&socks->wheel, &conn->timer,
			      socks->now_ns + SOCK_SYN_WAIT_NS +
				      dpt_rng_below(socks->cfg.env.rng, spread_ms + 1) *
					      DPT_NS_PER_MS);
	socks->cfg.counters->consumed_overload++;
	rte_pktmbuf_free(m);
}

/* The peer ignores the window, or the limit was made smaller: it is over for both. Src: 11.4. */
static void
rx_overload(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m, struct dpt_bufq *routed)
{
	uint64_t before = socks->cfg.counters->returned_overload;

	sock_overload(socks, sock, m, routed);
	if (socks->cfg.counters->returned_overload == before)
		(void)sock_conn_say(socks, sock, DPT_ERR_OVERLOAD, routed);
	sock_conn_lost(socks, sock, DPT_ERR_OVERLOAD);
}

/* Data of the connection. */
static void
rx_data(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m, struct dpt_bufq *routed)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	bool is_ack_asked = dpt_msg_type(hdr) == DPT_TYPE_CONN && dpt_msg_ack_required(hdr);
	uint32_t cost = dpt_sock_cost(sock->conn.is_block_flow, dpt_msg_hdr_bytes(hdr),
				      dpt_msg_payload_bytes(hdr));

	if (dpt_msg_payload_bytes(hdr) == 0) {
		/* 10.7: nobody reads it, so it counts as read. */
		socks->cfg.counters->consumed_empty++;
		rte_pktmbuf_free(m);
		sock_flow_read(socks, sock, cost, routed);
	} else if (sock_has_room(sock, m)) {
		sock_enqueue(socks, sock, m);
	} else {
		rx_overload(socks, sock, m, routed);
		return;
	}
	if (is_ack_asked)
		sock_flow_ack(socks, sock, true, routed);
	sock_nagle_push(socks, sock, routed);
}

static bool
is_sent_on(const uint8_t *hdr)
{
	return dpt_msg_type(hdr) == DPT_TYPE_NAMED && dpt_msg_reroute_cnt(hdr) != 0;
}

static void
rx_established(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
	       struct dpt_bufq *routed)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	/* Who sends on after a second lookup vouches for no origin: hazard 12. */
	if (!sock_is_from_peer(socks, sock, hdr) || is_sent_on(hdr)) {
		sock_refuse(socks, m, routed);
		return;
	}
	if (dpt_msg_errcode(hdr) != DPT_OK) {
		/* 14.3; whatever the receive limit says, the end is read. */
		sock_conn_end(socks, sock, 0);
		/* As if it had overtaken what was not read yet. */
		if (DPT_MUTANT(end_before_data))
			sock->next_given = NULL;
		sock_enqueue(socks, sock, m);
		return;
	}
	rx_data(socks, sock, m, routed);
}

void
sock_conn_rx(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
	     struct dpt_bufq *routed)
{
	uint32_t type = dpt_msg_type(dpt_buf_hdr(m));

	if (type != DPT_TYPE_NAMED && type != DPT_TYPE_DIRECT && type != DPT_TYPE_CONN) {
		sock_refuse(socks, m, routed);
		return;
	}
	sock->conn.oneway = 0;
	switch ((enum dpt_sock_state)sock->conn.state) {
	case DPT_SOCK_STATE_LISTEN:
		rx_listen(socks, sock, m, routed);
		return;
	case DPT_SOCK_STATE_CONNECTING:
		rx_connecting(socks, sock, m, routed);
		return;
	case DPT_SOCK_STATE_ESTABLISHED:
		rx_established(socks, sock, m, routed);
		return;
	case DPT_SOCK_STATE_OPEN:
	case DPT_SOCK_STATE_DISCONNECTING:
		sock_refuse(socks, m, routed);
		return;
	}
}
