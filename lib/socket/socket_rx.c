/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages for sockets of this shard: lookup of the socket, filter, receive limit, return
 * to the sender, reroute (09-socket-api.md, 14, 15; 01-wire-format.md, 11, 12), and reading.
 */
#include "dpt_msg.h"
#include "socket_priv.h"

/* Ports of a multicast that are found at a time. */
#define MCAST_PORTS 64

void
sock_return(struct dpt_socks *socks, struct rte_mbuf *m, enum dpt_err err, uint64_t *returned,
	    uint64_t *dropped, struct dpt_bufq *routed)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	/* Neither amplification nor ping-pong: 01-wire-format.md, hazard 20. */
	if (dpt_msg_dest_droppable(hdr) || dpt_msg_errcode(hdr) != DPT_OK) {
		(*dropped)++;
		rte_pktmbuf_free(m);
		return;
	}
	m = dpt_msg_reverse(m, err, socks->own, socks->cfg.env.pool);
	if (m == NULL) {
		socks->cfg.counters->drop_no_buffer++;
		return;
	}
	(*returned)++;
	hdr = dpt_buf_hdr(m);
	dpt_buf(m)->importance = DPT_IMPORTANCE_SYSTEM;
	sock_route(routed, m, dpt_msg_destnode(hdr), dpt_msg_origport(hdr));
}

/* The port does not exist: one more lookup, or back. Src: 04-name-table.md, 5.2. */
static void
rx_no_port(struct dpt_socks *socks, struct rte_mbuf *m, struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;
	struct dpt_node_addr domain = {0};
	uint8_t *hdr = dpt_buf_hdr(m);
	struct dpt_socket_addr to;

	if (dpt_msg_type(hdr) != DPT_TYPE_NAMED || dpt_msg_errcode(hdr) != DPT_OK) {
		sock_return(socks, m, DPT_ERR_NO_PORT, &c->returned_no_port, &c->drop_no_port,
			    routed);
		return;
	}
	if (dpt_msg_lookup_scope(hdr) == DPT_SCOPE_NODE)
		domain = socks->own;
	if (dpt_msg_reroute_cnt(hdr) != 0 ||
	    dpt_names_lookup(socks->cfg.names, dpt_msg_nametype(hdr), dpt_msg_nameinst(hdr), domain,
			     &to) != 0) {
		sock_return(socks, m, DPT_ERR_NO_NAME, &c->returned_no_name, &c->drop_no_name,
			    routed);
		return;
	}
	dpt_msg_set_reroute_cnt(hdr, 1);
	if (!sock_is_own(socks, to.node))
		dpt_msg_set_prevnode(hdr, socks->own.value);
	dpt_msg_set_destnode(hdr, to.node.value);
	dpt_msg_set_destport(hdr, to.port.ref);
	c->rerouted++;
	sock_route(routed, m, to.node.value, dpt_msg_origport(hdr));
}

static uint32_t
charge_of(struct rte_mbuf *m)
{
	return SOCK_CHARGE_DESCRIPTOR_BYTES +
	       rte_align32pow2(dpt_msg_size(dpt_buf_hdr(m)) + SOCK_CHARGE_AROUND_BYTES);
}

uint32_t
dpt_sock_charge_min(void)
{
	return SOCK_SEGMENT_BYTES;
}

/*
 * Of the data of a connection. What the peer was told it may send is taken, however small the
 * buffer has been made since. Src: 11.2, 11.4, hazard 8.
 */
static uint64_t
conn_limit(const struct sock *sock)
{
	uint64_t blocks = (uint64_t)sock->conn.win_promised + SOCK_WINDOW_EXCESS_BLOCKS;

	if (!sock->conn.is_block_flow)
		return SOCK_MSG_MODE_LIMIT_BYTES;
	return RTE_MAX((uint64_t)sock->rcvbuf_bytes, blocks * SOCK_BLOCK_CHARGE_BYTES);
}

bool
sock_has_room(const struct sock *sock, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t importance = dpt_msg_user(hdr);
	uint64_t limit = (uint64_t)sock->rcvbuf_bytes << importance;

	if (dpt_msg_errcode(hdr) != DPT_OK)
		limit = (uint64_t)sock->rcvbuf_bytes << SOCK_IMPORTANCE_ERROR;
	else if (dpt_msg_type(hdr) == DPT_TYPE_CONN)
		limit = conn_limit(sock);
	if (sock->charge + charge_of(m) >= limit)
		return false;
	/* The end of a connection, and what comes back, is bounded by what was sent. */
	if (sock->account == NULL || dpt_msg_errcode(hdr) != DPT_OK ||
	    sock->account->charge + sock_memory_of(m) <= sock->account->charge_max)
		return true;
	sock->account->refused++;
	return false;
}

void
sock_queue(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m)
{
	dpt_buf(m)->charge = charge_of(m);
	sock_charge(sock, m);
	dpt_bufq_push(&sock->rxq, m);
	if (sock->next_given == NULL)
		sock->next_given = m;
	if (sock->is_internal) {
		sock_internal_push(socks, sock);
	} else if (!sock->is_ready) {
		sock->is_ready = true;
		TAILQ_INSERT_TAIL(&socks->ready, sock, ready);
	}
}

void
sock_enqueue(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m)
{
	socks->cfg.counters->received++;
	sock_queue(socks, sock, m);
}

void
sock_refuse(struct dpt_socks *socks, struct rte_mbuf *m, struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;

	sock_return(socks, m, DPT_ERR_NO_PORT, &c->returned_wrong_type, &c->drop_wrong_type,
		    routed);
}

void
sock_overload(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m,
	      struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;

	sock->drops++;
	sock_return(socks, m, DPT_ERR_OVERLOAD, &c->returned_overload, &c->drop_overload, routed);
}

/* Filter and receive limit of a socket: 14.2, 14.4. */
static void
rx_socket(struct dpt_socks *socks, struct sock *sock, struct rte_mbuf *m, struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t type = dpt_msg_type(hdr);

	if (sock_is_conn_type(sock)) {
		sock_conn_rx(socks, sock, m, routed);
		return;
	}
	if (type != DPT_TYPE_NAMED && type != DPT_TYPE_DIRECT && type != DPT_TYPE_MCAST) {
		sock_refuse(socks, m, routed);
		return;
	}
	/* No recv call would return it: 09-socket-api.md, 10.7 and hazard 18. */
	if (dpt_msg_payload_bytes(hdr) == 0 && dpt_msg_errcode(hdr) == DPT_OK) {
		c->drop_empty++;
		rte_pktmbuf_free(m);
		return;
	}
	if (sock_has_room(sock, m))
		sock_enqueue(socks, sock, m);
	else
		sock_overload(socks, sock, m, routed);
}

/* A copy of m for port, or m itself if it is the last one. */
static void
mcast_deliver(struct dpt_socks *socks, struct dpt_port port, struct rte_mbuf *m, bool is_last,
	      struct dpt_bufq *routed)
{
	struct sock *sock = sock_find(socks, port);
	struct rte_mbuf *copy = is_last ? m : dpt_buf_copy(m, socks->cfg.env.pool);

	if (copy == NULL) {
		socks->cfg.counters->mcast_copies_lost++;
		return;
	}
	dpt_msg_set_destport(dpt_buf_hdr(copy), port.ref);
	rx_socket(socks, sock, copy, routed);
}

/* One copy for each socket of this shard that has a matching binding: 04-name-table.md, 5.5. */
static void
rx_mcast(struct dpt_socks *socks, struct rte_mbuf *m, struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;
	const uint8_t *hdr = dpt_buf_hdr(m);
	struct dpt_range range = {
		.type = dpt_msg_nametype(hdr),
		.lower = dpt_msg_namelower(hdr),
		.upper = dpt_msg_nameupper(hdr),
	};
	bool is_own = sock_is_own(socks, dpt_node_addr(dpt_msg_orignode(hdr)));
	struct dpt_port ports[MCAST_PORTS];
	struct dpt_port last = {0};
	uint32_t cursor = 0;
	uint32_t cnt;

	if (range.lower > range.upper) {
		c->drop_mcast_range++;
		rte_pktmbuf_free(m);
		return;
	}
	do {
		cnt = dpt_names_mcast_ports(socks->cfg.names, &range, is_own, ports, MCAST_PORTS,
					    &cursor);
		for (uint32_t i = 0; i < cnt; i++) {
			/* Sockets of other shards get theirs there; the table may lag behind a
			 * close. */
			if (sock_find(socks, ports[i]) == NULL)
				continue;
			if (last.ref != 0)
				mcast_deliver(socks, last, m, false, routed);
			last = ports[i];
		}
	} while (cnt == MCAST_PORTS);
	if (last.ref != 0) {
		mcast_deliver(socks, last, m, true, routed);
		return;
	}
	c->drop_mcast_no_socket++;
	rte_pktmbuf_free(m);
}

/*
 * What to do with a multicast before it is looked up. Returns a counter: drop; NULL: go on.
 * Markers of a change of method: 06-broadcast.md, 8.3.
 */
static uint64_t *
mcast_drop_reason(struct dpt_socket_counters *c, const uint8_t *hdr)
{
	if (dpt_msg_syn(hdr) && dpt_msg_payload_bytes(hdr) == 0)
		return &c->drop_marker;
	if (dpt_msg_errcode(hdr) != DPT_OK)
		return &c->drop_mcast_errcode;
	if (dpt_msg_payload_bytes(hdr) == 0)
		return &c->drop_empty;
	return NULL;
}

/*
 * A multicast that some socket refused and returned: it goes to a port. What comes over the
 * broadcast link has the network id in place of the port, and what is droppable is never
 * returned.
 */
static bool
is_mcast_return(const uint8_t *hdr)
{
	return dpt_msg_errcode(hdr) != DPT_OK && !dpt_msg_dest_droppable(hdr) &&
	       !dpt_msg_non_seq(hdr) && dpt_msg_destport(hdr) != 0;
}

void
dpt_sock_rx(struct dpt_socks *socks, struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *routed)
{
	struct dpt_socket_counters *c = socks->cfg.counters;
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint64_t *reason = NULL;
	struct sock *sock;

	socks->now_ns = now_ns;
	if (!dpt_msg_is_data(hdr))
		reason = &c->drop_not_data;
	else if (dpt_msg_type(hdr) == DPT_TYPE_GRP_MEMBER_EVT)
		reason = &c->drop_member_event;
	else if (dpt_msg_type(hdr) == DPT_TYPE_MCAST && !is_mcast_return(hdr)) {
		reason = mcast_drop_reason(c, hdr);
		if (reason == NULL) {
			rx_mcast(socks, m, routed);
			return;
		}
	}
	if (reason != NULL) {
		(*reason)++;
		rte_pktmbuf_free(m);
		return;
	}
	sock = sock_find(socks, dpt_port(dpt_msg_destport(hdr)));
	if (sock != NULL)
		rx_socket(socks, sock, m, routed);
	else
		rx_no_port(socks, m, routed);
}

bool
dpt_sock_ready_pop(struct dpt_socks *socks, struct dpt_port *port, uint64_t *cookie)
{
	struct sock *sock = TAILQ_FIRST(&socks->ready);

	if (sock == NULL)
		return false;
	TAILQ_REMOVE(&socks->ready, sock, ready);
	sock->is_ready = false;
	*port = sock->port;
	*cookie = sock->cookie;
	return true;
}

struct rte_mbuf *
dpt_sock_recv_next(struct dpt_socks *socks, struct dpt_port port)
{
	struct sock *sock = sock_find(socks, port);
	struct rte_mbuf *m;

	if (sock == NULL || sock->next_given == NULL)
		return NULL;
	m = sock->next_given;
	sock->next_given = dpt_bufq_next(m);
	sock->given_cnt++;
	return m;
}

void
dpt_sock_recv_done(struct dpt_socks *socks, struct dpt_port port, uint32_t cnt,
		   struct dpt_bufq *routed)
{
	struct sock *sock = sock_find(socks, port);

	/* Connection requests are taken by accept. */
	if (sock == NULL || sock->conn.state == DPT_SOCK_STATE_LISTEN)
		return;
	/* The count may come from an application. */
	for (; cnt > 0 && sock->given_cnt > 0; cnt--) {
		struct rte_mbuf *m = dpt_bufq_pop(&sock->rxq);
		uint32_t cost = 0;

		if (sock_is_conn_type(sock))
			cost = dpt_sock_cost(sock->conn.is_block_flow, 0,
					     dpt_msg_size(dpt_buf_hdr(m)));
		sock->given_cnt--;
		sock->conn.is_part_read = false;
		sock_discharge(sock, m);
		rte_pktmbuf_free(m);
		if (cost != 0)
			sock_flow_read(socks, sock, cost, routed);
	}
}
