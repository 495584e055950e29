/* SPDX-License-Identifier: BSD-3-Clause */
/* Flow control and supervision of connections: 09-socket-api.md, 11, 13. */
#include "socket_priv.h"

/* Largest window that the header's field holds. */
#define ADV_WIN_MAX 65535

/* A CONN_MANAGER message to the peer; NULL and counted: no buffer. */
static struct rte_mbuf *
manager_alloc(struct dpt_socks *socks, struct sock *sock, enum dpt_conn_manager_type type)
{
	const struct sock_conn *conn = &sock->conn;
	struct rte_mbuf *m = dpt_msg_alloc(socks->cfg.env.pool, DPT_USER_CONN_MANAGER, type,
					   DPT_HDR_INTERNAL, 0, socks->own, conn->peer.node);

	if (m == NULL) {
		socks->cfg.counters->conn_msgs_lost++;
		return NULL;
	}
	dpt_buf(m)->importance = DPT_IMPORTANCE_SYSTEM;
	dpt_msg_set_origport(dpt_buf_hdr(m), sock->port.ref);
	dpt_msg_set_destport(dpt_buf_hdr(m), conn->peer.port.ref);
	return m;
}

void
sock_owe(struct dpt_socks *socks, struct sock *sock, enum sock_owed owed)
{
	/* The one that says most: an answer to a request acknowledges too. */
	sock->conn.owed = (uint8_t)RTE_MAX((uint32_t)sock->conn.owed, (uint32_t)owed);
	dpt_timer_set(&socks->wheel, &sock->conn.timer, socks->now_ns + SOCK_OWED_NS);
}

void
sock_owed_pay(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed)
{
	uint8_t owed = sock->conn.owed;

	sock->conn.owed = SOCK_OWES_NOTHING;
	if (owed != SOCK_OWES_SETUP)
		sock_flow_ack(socks, sock, owed == SOCK_OWES_NAGLE_ACK, routed);
	else if (!sock_conn_say(socks, sock, DPT_OK, routed))
		sock_owe(socks, sock, SOCK_OWES_SETUP);
}

void
sock_flow_ack(struct dpt_socks *socks, struct sock *sock, bool is_nagle, struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	struct rte_mbuf *m = manager_alloc(socks, sock, DPT_TYPE_CONN_ACK);
	uint8_t *hdr;

	if (m == NULL) {
		sock_owe(socks, sock, is_nagle ? SOCK_OWES_NAGLE_ACK : SOCK_OWES_ACK);
		return;
	}
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_conn_ack(hdr, conn->rcv_unacked);
	conn->rcv_unacked = 0;
	if (conn->is_block_flow) {
		conn->rcv_win =
			RTE_MIN(sock->rcvbuf_bytes / SOCK_BLOCK_MEMORY, (uint32_t)ADV_WIN_MAX);
		conn->win_promised = RTE_MAX(conn->win_promised, conn->rcv_win);
		dpt_msg_set_adv_win(hdr, conn->rcv_win);
	}
	dpt_msg_set_nagle_ack(hdr, is_nagle);
	sock_pass(socks, m, &conn->peer, routed);
}

void
sock_flow_read(struct dpt_socks *socks, struct sock *sock, uint32_t cost, struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;

	if (!sock_is_established(sock))
		return;
	conn->rcv_unacked = RTE_MIN(conn->rcv_unacked + cost, (uint32_t)ADV_WIN_MAX);
	if (DPT_MUTANT(ack_unsaid) && conn->rcv_unacked >= conn->rcv_win / 4)
		conn->rcv_unacked = 0;
	if (conn->rcv_unacked >= conn->rcv_win / 4)
		sock_flow_ack(socks, sock, false, routed);
}

void
sock_flow_probe(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed)
{
	struct rte_mbuf *m = manager_alloc(socks, sock, DPT_TYPE_PROBE);

	if (m == NULL)
		return;
	sock->conn.is_probing = true;
	sock_pass(socks, m, &sock->conn.peer, routed);
}

static void
rx_conn_ack(struct dpt_socks *socks, struct sock *sock, const uint8_t *hdr, struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	uint32_t acked = dpt_msg_conn_ack(hdr);

	if (acked > conn->snt_unacked) {
		socks->cfg.counters->acks_beyond++;
		return;
	}
	if (dpt_msg_nagle_ack(hdr))
		sock_nagle_answer(socks, sock, routed);
	else
		sock_nagle_push(socks, sock, routed);
	conn->snt_unacked -= acked;
	if (DPT_MUTANT(ack_twice))
		conn->snt_unacked -= RTE_MIN(acked, conn->snt_unacked);
	if (conn->is_block_flow)
		conn->snd_win = dpt_msg_adv_win(hdr);
	sock_changed(socks, sock);
}

/* The same message turned round. m is gone. */
static void
probe_answer(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed)
{
	struct rte_mbuf *m = manager_alloc(socks, sock, DPT_TYPE_PROBE_REPLY);

	if (m != NULL)
		sock_pass(socks, m, &sock->conn.peer, routed);
}

void
dpt_sock_rx_conn_manager(struct dpt_socks *socks, struct rte_mbuf *m, uint64_t now_ns,
			 struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;
	const uint8_t *hdr = dpt_buf_hdr(m);
	struct sock *sock = sock_find(socks, dpt_port(dpt_msg_destport(hdr)));

	socks->now_ns = now_ns;
	if (sock == NULL) {
		sock_return(socks, m, DPT_ERR_NO_PORT, &c->returned_no_port, &c->drop_no_port,
			    routed);
		return;
	}
	/* Others than the peer, and sockets without a connection: ignored. Src: 11.3. */
	if (!sock_is_conn_type(sock) || !sock_is_established(sock) ||
	    !sock_is_from_peer(socks, sock, hdr)) {
		c->drop_conn_manager++;
		rte_pktmbuf_free(m);
		return;
	}
	c->consumed_conn_manager++;
	sock->conn.is_probing = false;
	if (dpt_msg_errcode(hdr) != DPT_OK)
		sock_conn_lost(socks, sock, (enum dpt_err)dpt_msg_errcode(hdr));
	else if (dpt_msg_type(hdr) == DPT_TYPE_CONN_ACK)
		rx_conn_ack(socks, sock, hdr, routed);
	else if (dpt_msg_type(hdr) == DPT_TYPE_PROBE)
		probe_answer(socks, sock, routed);
	rte_pktmbuf_free(m);
}
