/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Aggregation of small writes on streams, where TIPC_NODELAY was set to 0: 09-socket-api.md, 12.
 * A packet of the backlog is a payload without header; it gets one when it goes out.
 */
#include <errno.h>
#include <string.h>

#include "socket_priv.h"

#define CONN_HDR DPT_HDR_SHORT

static uint32_t
nagle_bytes(struct dpt_socks *socks, const struct sock *sock)
{
	const struct sock_conn *conn = &sock->conn;

	if (sock->type != DPT_SOCK_STREAM || !conn->is_nagle_on)
		return 0;
	if (sock_is_own(socks, conn->peer.node))
		return SOCK_NAGLE_LOCAL_BYTES;
	if (conn->node == NULL || (conn->node->caps & DPT_CAP_NAGLE) == 0)
		return 0;
	return conn->node->mss;
}

void
sock_nagle_init(struct dpt_socks *socks, struct sock *sock)
{
	sock->conn.nagle_bytes = (uint16_t)nagle_bytes(socks, sock);
	sock->conn.nagle_start = SOCK_NAGLE_START_MIN;
}

int
dpt_sock_nodelay_set(struct dpt_socks *socks, struct dpt_port port, bool is_nodelay)
{
	struct sock *sock = sock_find(socks, port);

	if (sock == NULL)
		return -EINVAL;
	sock->conn.is_nagle_on = !is_nodelay;
	if (sock_is_established(sock) && sock_is_conn_type(sock))
		sock->conn.nagle_bytes = (uint16_t)nagle_bytes(socks, sock);
	return 0;
}

bool
sock_data_out(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
	      struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	uint32_t size = rte_pktmbuf_pkt_len(m) + CONN_HDR;
	uint8_t *hdr = (uint8_t *)rte_pktmbuf_prepend(m, CONN_HDR);

	if (hdr == NULL)
		return false;
	dpt_buf(m)->l2_bytes = 0;
	dpt_buf(m)->importance = conn->importance;
	dpt_msg_init(hdr, (enum dpt_user)conn->importance, DPT_TYPE_CONN, CONN_HDR, socks->own,
		     conn->peer.node);
	dpt_msg_set_size(hdr, size);
	dpt_msg_set_dest_droppable(hdr, conn->is_dest_droppable);
	dpt_msg_set_ack_required(hdr, (dpt_buf(m)->flags & SOCK_BUF_F_ACK) != 0);
	dpt_buf(m)->flags = 0;
	dpt_msg_set_origport(hdr, sock->port.ref);
	dpt_msg_set_destport(hdr, conn->peer.port.ref);
	conn->snt_unacked += dpt_sock_cost(conn->is_block_flow, 0, size);
	sock_pass(socks, m, &conn->peer, routed);
	return true;
}

void
sock_nagle_push(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	struct rte_mbuf *m;

	if (conn->backlog.head == NULL || sock_is_blocked(sock))
		return;
	while ((m = dpt_bufq_pop(&conn->backlog)) != NULL)
		/* Room for the header was asked for when it was taken. */
		(void)sock_data_out(socks, sock, m, routed);
	/* The packets cost less than the writes would have: more may be sent. */
	conn->backlog_blocks = 0;
	sock_changed(socks, sock);
}

void
sock_nagle_answer(struct dpt_socks *socks, struct sock *sock, struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;

	conn->pkt_cnt += conn->backlog.cnt;
	conn->is_ack_due = false;
	if (conn->pkt_cnt == 0 || conn->msg_acc / conn->pkt_cnt < 2) {
		conn->oneway = 0;
		conn->nagle_start = (uint16_t)RTE_MIN(conn->nagle_start * 2, SOCK_NAGLE_START_MAX);
	} else {
		conn->nagle_start = SOCK_NAGLE_START_MIN;
		if (conn->backlog.tail != NULL) {
			dpt_buf(conn->backlog.tail)->flags |= SOCK_BUF_F_ACK;
			conn->is_ack_due = true;
		}
	}
	conn->msg_acc = 0;
	conn->pkt_cnt = 0;
	sock_nagle_push(socks, sock, routed);
}

static uint32_t
packet_blocks(uint32_t payload_bytes)
{
	return (payload_bytes + CONN_HDR) / 1024 + 1;
}

/* Append m to the last packet, as far as it is a single segment with room. */
static bool
packet_extend(struct sock_conn *conn, struct rte_mbuf *m)
{
	struct rte_mbuf *last = conn->backlog.tail;
	uint32_t bytes = rte_pktmbuf_pkt_len(m);
	uint32_t before;
	char *at;

	if (last == NULL || rte_pktmbuf_pkt_len(last) + bytes + CONN_HDR > conn->nagle_bytes ||
	    last->nb_segs > 1 || rte_pktmbuf_tailroom(last) < bytes)
		return false;
	before = packet_blocks(rte_pktmbuf_pkt_len(last));
	at = rte_pktmbuf_append(last, (uint16_t)bytes);
	memcpy(at, rte_pktmbuf_read(m, 0, bytes, at), bytes);
	conn->backlog_blocks += packet_blocks(rte_pktmbuf_pkt_len(last)) - before;
	rte_pktmbuf_free(m);
	return true;
}

bool
sock_nagle_take(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
		struct dpt_bufq *routed)
{
	struct sock_conn *conn = &sock->conn;
	uint32_t bytes = rte_pktmbuf_pkt_len(m);

	if (conn->oneway++ < conn->nagle_start || conn->nagle_bytes == 0 ||
	    bytes + CONN_HDR > conn->nagle_bytes || m->nb_segs > 1 ||
	    rte_pktmbuf_headroom(m) < CONN_HDR) {
		/* What waits goes first. */
		sock_nagle_push(socks, sock, routed);
		return false;
	}
	conn->msg_acc++;
	if (packet_extend(conn, m)) {
		socks->cfg.counters->aggregated++;
	} else {
		dpt_buf(m)->flags = 0;
		dpt_bufq_push(&conn->backlog, m);
		conn->backlog_blocks += packet_blocks(bytes);
	}
	if (conn->backlog_blocks <= SOCK_NAGLE_BLOCKS_MAX && conn->is_ack_due)
		return true;
	if (conn->backlog_blocks > SOCK_NAGLE_BLOCKS_MAX) {
		conn->pkt_cnt += conn->backlog.cnt;
	} else {
		dpt_buf(conn->backlog.tail)->flags |= SOCK_BUF_F_ACK;
		conn->is_ack_due = true;
		conn->msg_acc = 0;
		conn->pkt_cnt = 0;
	}
	sock_nagle_push(socks, sock, routed);
	return true;
}
