/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock_fixture.h"

void
sock_setup(struct sock_fixture *f, uint32_t sockets_max)
{
	*f = (struct sock_fixture){0};
	dpt_rng_seed(&f->rng, cu_seed());
	f->names_cfg = (struct dpt_names_cfg){
		.env = {.rng = &f->rng, .pool = test_pool()},
		.bindings_max = 512,
		.peer_bindings_max = 512,
		.peers_max = 16,
		.counters = &f->names_counters,
	};
	f->cfg = (struct dpt_socks_cfg){
		.env = {.rng = &f->rng, .pool = test_pool()},
		.shard = SHARD,
		.sockets_max = sockets_max,
		.bindings_max = 512,
		.nodes_max = 4,
		.rcvbuf_bytes = RCVBUF,
		.counters = &f->counters,
	};
	f->names = malloc(dpt_names_size(&f->names_cfg));
	f->cfg.names = f->names;
	f->cfg.mcast_nodes = f->nodes;
	f->cfg.mcast_nodes_max = 8;
	f->socks = malloc(dpt_socks_size(&f->cfg));
	CU_NOT_NULL_FATAL(f->names);
	CU_NOT_NULL_FATAL(f->socks);
	dpt_names_init(f->names, &f->names_cfg);
	dpt_names_own_set(f->names, dpt_node_addr(OWN));
	dpt_socks_init(f->socks, &f->cfg, 0);
	dpt_socks_own_set(f->socks, dpt_node_addr(OWN));
	dpt_socks_node_up(f->socks, dpt_node_addr(PEER_B), DPT_CAPS_OWN, 1500);
	f->opts.is_dest_droppable = true;
}

void
sock_teardown(struct sock_fixture *f)
{
	dpt_bufq_free(&f->routed);
	dpt_socks_fini(f->socks);
	free(f->socks);
	free(f->names);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

struct dpt_port
sock_new(struct sock_fixture *f)
{
	struct dpt_port port = {0};

	CU_EQ_I64_FATAL(dpt_sock_open(f->socks, DPT_SOCK_RDM, 42, &port), 0);
	return port;
}

void
sock_bind(struct sock_fixture *f, struct dpt_port port, uint32_t type, uint32_t lower,
	  uint32_t upper)
{
	struct dpt_range range = {.type = type, .lower = lower, .upper = upper};
	struct dpt_binding b;

	CU_EQ_I64_FATAL(dpt_sock_bind(f->socks, port, &range, DPT_SCOPE_CLUSTER, &b), 0);
	CU_EQ_I64_FATAL(dpt_names_insert(f->names, &b), 0);
}

void
sock_peer_bind(struct sock_fixture *f, uint32_t type, uint32_t lower, uint32_t upper, uint32_t port,
	       uint32_t node)
{
	struct dpt_binding b = {
		.range = {.type = type, .lower = lower, .upper = upper},
		.port = {port},
		.node = {node},
		.key = port + 1,
		.scope = DPT_SCOPE_CLUSTER,
	};

	CU_EQ_I64_FATAL(dpt_names_insert(f->names, &b), 0);
}

struct dpt_dest
sock_dest_socket(uint32_t port, uint32_t node)
{
	return (struct dpt_dest){.addrtype = DPT_ADDR_SOCKET, .socket = {{port}, {node}}};
}

struct dpt_dest
sock_dest_service(uint32_t type, uint32_t instance, uint32_t domain)
{
	return (struct dpt_dest){
		.addrtype = DPT_ADDR_SERVICE,
		.range = {.type = type, .lower = instance, .upper = instance},
		.domain = {domain},
	};
}

struct dpt_dest
sock_dest_range(uint32_t type, uint32_t lower, uint32_t upper)
{
	return (struct dpt_dest){
		.addrtype = DPT_ADDR_RANGE,
		.range = {.type = type, .lower = lower, .upper = upper},
	};
}

static void
fill(struct rte_mbuf *m, uint32_t offset, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		uint8_t octet = (uint8_t)('0' + i % 10);

		dpt_buf_write(m, offset + i, &octet, 1);
	}
}

int
sock_send(struct sock_fixture *f, struct dpt_port port, const struct dpt_dest *dest, uint32_t len)
{
	struct rte_mbuf *m = dpt_buf_alloc_len(test_pool(), len);

	CU_NOT_NULL_FATAL(m);
	fill(m, 0, len < 2000 ? len : 2000);
	f->opts.dest = dest;
	return dpt_sock_send(f->socks, port, &f->opts, m, 0, &f->routed);
}

struct rte_mbuf *
sock_msg(uint32_t user, uint32_t type, uint32_t hdr_bytes, uint32_t len, uint32_t destport)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), (enum dpt_user)user, type, hdr_bytes, len,
					   dpt_node_addr(PEER_B), dpt_node_addr(OWN));

	CU_NOT_NULL_FATAL(m);
	fill(m, hdr_bytes, len < 2000 ? len : 2000);
	dpt_msg_set_origport(dpt_buf_hdr(m), 0x77);
	dpt_msg_set_destport(dpt_buf_hdr(m), destport);
	return m;
}

void
sock_rx(struct sock_fixture *f, struct rte_mbuf *m)
{
	dpt_sock_rx(f->socks, m, 0, &f->routed);
}

int
sock_read(struct sock_fixture *f, struct dpt_port port)
{
	struct rte_mbuf *m = dpt_sock_recv_next(f->socks, port);
	int len;

	if (m == NULL)
		return -1;
	len = (int)dpt_msg_payload_bytes(dpt_buf_hdr(m));
	dpt_sock_recv_done(f->socks, port, 1, &f->routed);
	return len;
}

struct dpt_port
sock_new_type(struct sock_fixture *f, enum dpt_sock_type type)
{
	struct dpt_port port = {0};

	CU_EQ_I64_FATAL(dpt_sock_open(f->socks, type, 42, &port), 0);
	return port;
}

struct dpt_sock_conn
sock_conn(struct sock_fixture *f, struct dpt_port port)
{
	struct dpt_sock_conn conn;

	dpt_sock_conn(f->socks, port, &conn);
	return conn;
}

void
sock_pump(struct sock_fixture *f)
{
	struct dpt_bufq remote;
	struct rte_mbuf *m;

	dpt_bufq_init(&remote);
	while ((m = dpt_bufq_pop(&f->routed)) != NULL) {
		if (dpt_buf(m)->arg != OWN)
			dpt_bufq_push(&remote, m);
		else if (dpt_msg_user(dpt_buf_hdr(m)) == DPT_USER_CONN_MANAGER)
			dpt_sock_rx_conn_manager(f->socks, m, 0, &f->routed);
		else
			dpt_sock_rx(f->socks, m, 0, &f->routed);
	}
	f->routed = remote;
}

int
sock_connect(struct sock_fixture *f, struct dpt_port port, const struct dpt_dest *dest)
{
	f->opts.dest = dest;
	f->opts.is_dest_droppable = false;
	return dpt_sock_connect(f->socks, port, &f->opts, 0, &f->routed);
}

struct dpt_port
sock_established(struct sock_fixture *f, enum dpt_sock_type type)
{
	struct dpt_dest dest = sock_dest_socket(0x77, PEER_B);
	struct dpt_port port = sock_new_type(f, type);

	CU_EQ_I64_FATAL(sock_connect(f, port, &dest), 0);
	rte_pktmbuf_free(sock_routed(f));
	sock_rx(f, sock_conn_msg(0, port));
	CU_EQ_U64_FATAL(sock_conn(f, port).state, DPT_SOCK_STATE_ESTABLISHED);
	CU_EQ_U64(f->routed.cnt, 0);
	return port;
}

void
sock_two(struct sock_fixture *f, enum dpt_sock_type type, struct dpt_port *client,
	 struct dpt_port *server)
{
	struct dpt_port listener = sock_new_type(f, type);
	struct dpt_dest dest = sock_dest_socket(listener.ref, OWN);

	CU_EQ_I64_FATAL(dpt_sock_listen(f->socks, listener), 0);
	*client = sock_new_type(f, type);
	CU_EQ_I64_FATAL(sock_connect(f, *client, &dest), 0);
	sock_pump(f);
	CU_EQ_I64_FATAL(dpt_sock_accept(f->socks, listener, 43, 0, server, &f->routed), 0);
	sock_pump(f);
	CU_EQ_U64_FATAL(sock_conn(f, *client).state, DPT_SOCK_STATE_ESTABLISHED);
	dpt_sock_close(f->socks, listener, &f->routed);
}

struct rte_mbuf *
sock_conn_msg(uint32_t len, struct dpt_port port)
{
	return sock_msg(0, DPT_TYPE_CONN, DPT_HDR_SHORT, len, port.ref);
}

struct rte_mbuf *
sock_conn_err(uint32_t err, struct dpt_port port)
{
	struct rte_mbuf *m = sock_msg(3, DPT_TYPE_CONN, DPT_HDR_SHORT, 0, port.ref);

	dpt_msg_set_errcode(dpt_buf_hdr(m), err);
	return m;
}

struct rte_mbuf *
sock_manager_msg(uint32_t type, uint32_t acked, uint32_t window, struct dpt_port port)
{
	struct rte_mbuf *m = sock_msg(DPT_USER_CONN_MANAGER, type, DPT_HDR_INTERNAL, 0, port.ref);

	dpt_msg_set_conn_ack(dpt_buf_hdr(m), acked);
	dpt_msg_set_adv_win(dpt_buf_hdr(m), window);
	return m;
}

void
sock_manager_rx(struct sock_fixture *f, struct rte_mbuf *m)
{
	dpt_sock_rx_conn_manager(f->socks, m, 0, &f->routed);
}

int
sock_write(struct sock_fixture *f, struct dpt_port port, uint32_t len)
{
	f->opts.is_dest_droppable = false;
	return sock_send(f, port, NULL, len);
}

int
sock_read_err(struct sock_fixture *f, struct dpt_port port)
{
	struct rte_mbuf *m = dpt_sock_recv_next(f->socks, port);
	int err;

	if (m == NULL)
		return -1;
	err = (int)dpt_msg_errcode(dpt_buf_hdr(m));
	dpt_sock_recv_done(f->socks, port, 1, &f->routed);
	return err;
}

struct rte_mbuf *
sock_routed(struct sock_fixture *f)
{
	struct rte_mbuf *m = dpt_bufq_pop(&f->routed);

	CU_NOT_NULL_FATAL(m);
	return m;
}

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {
		sock_bind_suite,  sock_send_suite, sock_rx_suite,  sock_recv_suite,
		sock_conn_suite,  sock_flow_suite, sock_end_suite, sock_listen_suite,
		sock_nagle_suite, sock_dump_suite,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
