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
	dpt_socks_init(f->socks, &f->cfg);
	dpt_socks_own_set(f->socks, dpt_node_addr(OWN));
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
	return dpt_sock_send(f->socks, port, &f->opts, m, &f->routed);
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
	dpt_sock_rx(f->socks, m, &f->routed);
}

int
sock_read(struct sock_fixture *f, struct dpt_port port)
{
	struct rte_mbuf *m = dpt_sock_recv_next(f->socks, port);
	int len;

	if (m == NULL)
		return -1;
	len = (int)dpt_msg_payload_bytes(dpt_buf_hdr(m));
	dpt_sock_recv_done(f->socks, port, 1);
	return len;
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
		sock_bind_suite,
		sock_send_suite,
		sock_rx_suite,
		sock_recv_suite,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
