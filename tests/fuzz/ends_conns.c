/* SPDX-License-Identifier: BSD-3-Clause */
#include "ends_conns.h"

#include "dpt_msg.h"
#include "test_pool.h"

#define SMALL_WRITES 12 /* enough to begin to aggregate */

static void
conn_new(struct ends_conns *conns, enum ends_conn which)
{
	enum dpt_sock_type type = which == ENDS_ESTABLISHED ? DPT_SOCK_STREAM : DPT_SOCK_SEQPACKET;

	if (dpt_stack_socket(conns->stack, type, 1, &conns->ports[which]) != 0)
		conns->ports[which] = dpt_port(0);
}

static void
conn_connect(struct ends_conns *conns, enum ends_conn which, uint64_t now_ns)
{
	const struct dpt_dest dest = {
		.addrtype = DPT_ADDR_SOCKET,
		.socket = {.port = dpt_port(ENDS_PEER_PORT), .node = conns->peer},
	};
	const struct dpt_send send = {.dest = &dest, .conn_timeout_ms = 100};

	(void)dpt_stack_connect(conns->stack, conns->ports[which], &send, now_ns, conns->out);
}

/* The peer's answer, as its link would give it. */
static void
conn_answer(struct ends_conns *conns, uint64_t now_ns)
{
	struct dpt_bufq routed;
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT,
					   0, conns->peer, dpt_stack_own(conns->stack));

	if (m == NULL)
		return;
	dpt_bufq_init(&routed);
	dpt_msg_set_origport(dpt_buf_hdr(m), ENDS_PEER_PORT);
	dpt_msg_set_destport(dpt_buf_hdr(m), conns->ports[ENDS_ESTABLISHED].ref);
	dpt_sock_rx(dpt_stack_socks(conns->stack), m, now_ns, &routed);
	dpt_bufq_free(&routed);
}

static void
conn_close(struct ends_conns *conns, enum ends_conn which, uint64_t now_ns)
{
	dpt_stack_close(conns->stack, conns->ports[which], now_ns, conns->out);
}

static void
establish(struct ends_conns *conns, uint64_t now_ns)
{
	struct dpt_socks *socks = dpt_stack_socks(conns->stack);

	conn_new(conns, ENDS_ESTABLISHED);
	(void)dpt_sock_nodelay_set(socks, conns->ports[ENDS_ESTABLISHED], false);
	conn_connect(conns, ENDS_ESTABLISHED, now_ns);
	conn_answer(conns, now_ns);
}

static void
pair(struct ends_conns *conns, uint64_t now_ns)
{
	conn_new(conns, ENDS_LOCAL);
	conn_new(conns, ENDS_LOCAL_PEER);
	(void)dpt_sock_pair(dpt_stack_socks(conns->stack), conns->ports[ENDS_LOCAL],
			    conns->ports[ENDS_LOCAL_PEER], now_ns);
}

void
ends_conns_start(struct ends_conns *conns, uint64_t now_ns)
{
	conn_new(conns, ENDS_LISTENING);
	(void)dpt_sock_listen(dpt_stack_socks(conns->stack), conns->ports[ENDS_LISTENING]);
	conn_new(conns, ENDS_CONNECTING);
	conn_connect(conns, ENDS_CONNECTING, now_ns);
	establish(conns, now_ns);
	pair(conns, now_ns);
}

void
ends_conns_serve(struct ends_conns *conns, uint64_t now_ns)
{
	struct dpt_port listener = conns->ports[ENDS_LISTENING], port;

	while (dpt_stack_accept(conns->stack, listener, 2, now_ns, &port, conns->out) == 0) {
		/* The accepted one takes the place of the established. */
		conn_close(conns, ENDS_ESTABLISHED, now_ns);
		conns->ports[ENDS_ESTABLISHED] = port;
	}
}

static void
conn_write(struct ends_conns *conns, enum ends_conn which, uint32_t bytes, uint64_t now_ns)
{
	const struct dpt_send send = {.dest = NULL};
	struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), bytes);

	if (m != NULL)
		(void)dpt_stack_send(conns->stack, conns->ports[which], &send, m, now_ns,
				     conns->out);
}

void
ends_conns_act(struct ends_conns *conns, uint8_t choice, uint64_t now_ns)
{
	struct dpt_socks *socks = dpt_stack_socks(conns->stack);
	uint32_t amount = choice >> 3 & 15;

	switch (choice & 7) {
	case 0:
		conn_write(conns, ENDS_ESTABLISHED, amount * amount * 300, now_ns);
		break;
	case 1:
		for (uint32_t i = 0; i < SMALL_WRITES; i++)
			conn_write(conns, ENDS_ESTABLISHED, amount * 10, now_ns);
		break;
	case 2:
		conn_close(conns, ENDS_CONNECTING, now_ns);
		conn_new(conns, ENDS_CONNECTING);
		conn_connect(conns, ENDS_CONNECTING, now_ns);
		break;
	case 3:
		dpt_stack_shutdown(conns->stack, conns->ports[ENDS_ESTABLISHED], now_ns,
				   conns->out);
		break;
	case 4:
		conn_close(conns, ENDS_ESTABLISHED, now_ns);
		establish(conns, now_ns);
		break;
	case 5:
		conn_write(conns, ENDS_LOCAL, amount * 4000, now_ns);
		conn_write(conns, ENDS_LOCAL_PEER, amount, now_ns);
		break;
	case 6:
		conn_close(conns, ENDS_LOCAL, now_ns);
		conn_close(conns, ENDS_LOCAL_PEER, now_ns);
		pair(conns, now_ns);
		break;
	default:
		dpt_sock_partly_read(socks, conns->ports[ENDS_ESTABLISHED]);
		(void)dpt_sock_rcvbuf_set(socks, conns->ports[ENDS_ESTABLISHED], amount * 1000);
		break;
	}
}
