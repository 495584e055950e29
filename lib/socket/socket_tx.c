/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending from connectionless sockets: 09-socket-api.md, 10.1 to 10.4; headers:
 * 01-wire-format.md, 7.1.
 */
#include <errno.h>
#include <string.h>

#include "dpt_msg.h"
#include "socket_priv.h"

/* What one send call works with. */
struct send_ctx {
	struct dpt_socks *socks;
	const struct sock *sock;
	const struct dpt_dest *dest;
	const struct dpt_send *send;
	struct dpt_bufq *routed;
};

uint8_t *
sock_hdr_prepend(const struct dpt_socks *socks, const struct sock *sock,
		 const struct dpt_send *send, const struct sock_hdr *form, struct rte_mbuf *m)
{
	uint32_t size = rte_pktmbuf_pkt_len(m) + form->hdr_bytes;
	uint8_t *hdr = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)form->hdr_bytes);

	if (hdr == NULL)
		return NULL;
	dpt_buf(m)->l2_bytes = 0;
	dpt_buf(m)->importance = send->importance;
	dpt_msg_init(hdr, (enum dpt_user)send->importance, form->type, form->hdr_bytes, socks->own,
		     form->destnode);
	dpt_msg_set_size(hdr, size);
	dpt_msg_set_dest_droppable(hdr, send->is_dest_droppable);
	dpt_msg_set_src_droppable(hdr, send->is_src_droppable);
	dpt_msg_set_origport(hdr, sock->port.ref);
	return hdr;
}

static uint8_t *
hdr_prepend(const struct send_ctx *ctx, struct rte_mbuf *m, enum dpt_data_type type,
	    uint32_t hdr_bytes, struct dpt_node_addr destnode)
{
	struct sock_hdr form = {.type = type, .hdr_bytes = hdr_bytes, .destnode = destnode};

	return sock_hdr_prepend(ctx->socks, ctx->sock, ctx->send, &form, m);
}

/* Hand the finished message over: to this shard's sockets at once, else through routed. */
static void
unicast_pass(const struct send_ctx *ctx, struct rte_mbuf *m, const struct dpt_socket_addr *to)
{
	struct dpt_socks *socks = ctx->socks;

	if (!sock_is_own(socks, to->node))
		sock_route(ctx->routed, m, to->node.value, ctx->sock->port.ref);
	else if (dpt_port_shard(to->port) == socks->cfg.shard)
		dpt_sock_rx(socks, m, socks->now_ns, ctx->routed);
	else
		sock_route(ctx->routed, m, socks->own.value, ctx->sock->port.ref);
}

static int
send_direct(const struct send_ctx *ctx, struct rte_mbuf *m)
{
	struct dpt_socket_addr to = ctx->dest->socket;
	uint8_t *hdr;

	if (sock_is_own(ctx->socks, to.node))
		to.node = ctx->socks->own;
	else if (sock_is_blocked_to(ctx->sock, to.node))
		return -EAGAIN;
	hdr = hdr_prepend(ctx, m, DPT_TYPE_DIRECT, DPT_HDR_BASIC, to.node);
	if (hdr == NULL)
		return -ENOBUFS;
	dpt_msg_set_destport(hdr, to.port.ref);
	unicast_pass(ctx, m, &to);
	return 0;
}

static int
send_anycast(const struct send_ctx *ctx, struct rte_mbuf *m)
{
	const struct dpt_dest *dest = ctx->dest;
	struct dpt_socket_addr to;
	uint8_t *hdr;

	if (dpt_names_lookup(ctx->socks->cfg.names, dest->range.type, dest->range.lower,
			     dest->domain, &to) < 0)
		return -EHOSTUNREACH;
	if (!sock_is_own(ctx->socks, to.node) && sock_is_blocked_to(ctx->sock, to.node))
		return -EAGAIN;
	hdr = hdr_prepend(ctx, m, DPT_TYPE_NAMED, DPT_HDR_NAMED, to.node);
	if (hdr == NULL)
		return -ENOBUFS;
	dpt_msg_set_lookup_scope(hdr, dest->domain.value != 0 ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER);
	dpt_msg_set_destport(hdr, to.port.ref);
	dpt_msg_set_nametype(hdr, dest->range.type);
	dpt_msg_set_nameinst(hdr, dest->range.lower);
	unicast_pass(ctx, m, &to);
	return 0;
}

/*
 * Copies of m for nodes[0 .. cnt - 1] into copies; the node in dpt_buf.arg. Returns 0, or
 * -ENOBUFS: copies is empty.
 */
static int
mcast_copy(const struct send_ctx *ctx, struct rte_mbuf *m, const struct dpt_node_addr *nodes,
	   uint32_t cnt, struct dpt_bufq *copies)
{
	struct dpt_socks *socks = ctx->socks;

	for (uint32_t i = 0; i < cnt; i++) {
		struct rte_mbuf *copy = dpt_buf_copy(m, socks->cfg.env.pool);

		if (copy == NULL) {
			socks->cfg.counters->drop_no_buffer += dpt_bufq_free(copies);
			return -ENOBUFS;
		}
		dpt_msg_set_destnode(dpt_buf_hdr(copy), nodes[i].value);
		sock_route(copies, copy, nodes[i].value, ctx->sock->port.ref);
	}
	return 0;
}

/* All copies are made before any is passed on: a multicast is never half sent. */
static int
send_mcast(const struct send_ctx *ctx, struct rte_mbuf *m)
{
	const struct dpt_range *range = &ctx->dest->range;
	const struct dpt_socks_cfg *cfg = &ctx->socks->cfg;
	struct dpt_node_addr *nodes = cfg->mcast_nodes;
	struct dpt_bufq copies;
	bool is_local;
	uint32_t cnt;
	uint8_t *hdr;

	if (sock_is_blocked(ctx->sock))
		return -EAGAIN;
	cnt = dpt_names_mcast_nodes(cfg->names, range, nodes, cfg->mcast_nodes_max, &is_local);
	if (cnt == 0 && !is_local)
		return -EHOSTUNREACH;
	hdr = hdr_prepend(ctx, m, DPT_TYPE_MCAST, DPT_HDR_MCAST, dpt_node_addr(0));
	if (hdr == NULL)
		return -ENOBUFS;
	dpt_msg_set_is_rcast(hdr, 1);
	dpt_msg_set_lookup_scope(hdr, DPT_SCOPE_CLUSTER);
	dpt_msg_set_nametype(hdr, range->type);
	dpt_msg_set_namelower(hdr, range->lower);
	dpt_msg_set_nameupper(hdr, range->upper);
	dpt_bufq_init(&copies);
	/* The last destination gets m itself. */
	if (!is_local)
		cnt--;
	if (mcast_copy(ctx, m, nodes, cnt, &copies) < 0)
		return -ENOBUFS;
	dpt_bufq_splice(ctx->routed, &copies);
	if (is_local) {
		sock_route(ctx->routed, m, ctx->socks->own.value, ctx->sock->port.ref);
	} else {
		dpt_msg_set_destnode(hdr, nodes[cnt].value);
		sock_route(ctx->routed, m, nodes[cnt].value, ctx->sock->port.ref);
	}
	return 0;
}

static int
send_connectionless(const struct send_ctx *ctx, struct rte_mbuf *m)
{
	if (ctx->dest == NULL)
		return -EDESTADDRREQ;
	switch (ctx->dest->addrtype) {
	case DPT_ADDR_SOCKET:
		return send_direct(ctx, m);
	case DPT_ADDR_SERVICE:
		return send_anycast(ctx, m);
	case DPT_ADDR_RANGE:
		return send_mcast(ctx, m);
	default:
		return -EINVAL;
	}
}

int
dpt_sock_send(struct dpt_socks *socks, struct dpt_port port, const struct dpt_send *send,
	      struct rte_mbuf *m, uint64_t now_ns, struct dpt_bufq *routed)
{
	struct sock *sock = sock_find(socks, port);
	const struct send_ctx ctx = {
		.socks = socks,
		.sock = sock,
		.dest = send->dest,
		.send = send,
		.routed = routed,
	};
	int rc = -EINVAL;

	socks->now_ns = now_ns;
	if (sock != NULL && send->importance <= DPT_USER_CRITICAL) {
		if (rte_pktmbuf_pkt_len(m) > DPT_PAYLOAD_BYTES_MAX)
			rc = -EMSGSIZE;
		else if (sock_is_conn_type(sock))
			rc = sock_conn_send(socks, sock, send, m, routed);
		else
			rc = send_connectionless(&ctx, m);
	}
	if (rc < 0) {
		socks->cfg.counters->drop_send_refused++;
		rte_pktmbuf_free(m);
		return rc;
	}
	socks->cfg.counters->sent++;
	return 0;
}
