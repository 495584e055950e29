/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SOCK_FIXTURE_H
#define SOCK_FIXTURE_H

/* What the tests of the sockets share: one shard's sockets, a name table, short forms. */

#include <stdlib.h>

#include "cu.h"
#include "dpt_msg.h"
#include "dpt_socket.h"
#include "dpt_time.h"
#include "test_pool.h"

#define OWN    0x01001001u
#define PEER_B 0x01001002u
#define PEER_C 0x01001003u
#define SHARD  1

#define RCVBUF 2097152

struct sock_fixture {
	struct dpt_rng rng;
	struct dpt_socket_counters counters;
	struct dpt_names_counters names_counters;
	struct dpt_socks_cfg cfg;
	struct dpt_names_cfg names_cfg;
	struct dpt_socks *socks;
	struct dpt_names *names;
	struct dpt_bufq routed;
	struct dpt_node_addr nodes[8];
	struct dpt_send opts;
};

void sock_setup(struct sock_fixture *f, uint32_t sockets_max);
/* Frees what is routed and queued, and checks that no buffer has leaked. */
void sock_teardown(struct sock_fixture *f);

/* A new RDM socket. */
struct dpt_port sock_new(struct sock_fixture *f);
/* Bind and insert in the table. */
void sock_bind(struct sock_fixture *f, struct dpt_port port, uint32_t type, uint32_t lower,
	       uint32_t upper);
/* A binding of a peer in the table. */
void sock_peer_bind(struct sock_fixture *f, uint32_t type, uint32_t lower, uint32_t upper,
		    uint32_t port, uint32_t node);

struct dpt_dest sock_dest_socket(uint32_t port, uint32_t node);
struct dpt_dest sock_dest_service(uint32_t type, uint32_t instance, uint32_t domain);
struct dpt_dest sock_dest_range(uint32_t type, uint32_t lower, uint32_t upper);

/* Send len octets "0123456789012..." with f->opts. */
int
sock_send(struct sock_fixture *f, struct dpt_port port, const struct dpt_dest *dest, uint32_t len);

/* A message from PEER_B, port 0x77, for port of this node. */
struct rte_mbuf *
sock_msg(uint32_t user, uint32_t type, uint32_t hdr_bytes, uint32_t len, uint32_t destport);
void sock_rx(struct sock_fixture *f, struct rte_mbuf *m);

/* Take and free the next message of the socket. Returns its payload length; -1: none. */
int sock_read(struct sock_fixture *f, struct dpt_port port);

/* Next routed message; fatal when there is none. */
struct rte_mbuf *sock_routed(struct sock_fixture *f);

/* ---- connections ---- */

struct dpt_port sock_new_type(struct sock_fixture *f, enum dpt_sock_type type);
struct dpt_sock_conn sock_conn(struct sock_fixture *f, struct dpt_port port);
/* Messages for this node go to their sockets, until none is left; the others stay routed. */
void sock_pump(struct sock_fixture *f);
/* connect(); routed has the SYN. */
int sock_connect(struct sock_fixture *f, struct dpt_port port, const struct dpt_dest *dest);
/* An open connection with PEER_B's port 0x77. Nothing is routed. */
struct dpt_port sock_established(struct sock_fixture *f, enum dpt_sock_type type);
/* An open connection between two sockets of this shard. */
void sock_two(struct sock_fixture *f, enum dpt_sock_type type, struct dpt_port *client,
	      struct dpt_port *server);
/* A CONN message of PEER_B's port 0x77. */
struct rte_mbuf *sock_conn_msg(uint32_t len, struct dpt_port port);
struct rte_mbuf *sock_conn_err(uint32_t err, struct dpt_port port);
/* CONN_MANAGER from there: with type CONN_ACK acked and window. */
struct rte_mbuf *
sock_manager_msg(uint32_t type, uint32_t acked, uint32_t window, struct dpt_port port);
void sock_manager_rx(struct sock_fixture *f, struct rte_mbuf *m);
/* Send len octets on the connection. */
int sock_write(struct sock_fixture *f, struct dpt_port port, uint32_t len);
/* Error code of the next message of the socket, which is read; -1: none. */
int sock_read_err(struct sock_fixture *f, struct dpt_port port);

extern const struct cu_suite sock_bind_suite;
extern const struct cu_suite sock_conn_suite;
extern const struct cu_suite sock_flow_suite;
extern const struct cu_suite sock_end_suite;
extern const struct cu_suite sock_listen_suite;
extern const struct cu_suite sock_nagle_suite;
extern const struct cu_suite sock_send_suite;
extern const struct cu_suite sock_rx_suite;
extern const struct cu_suite sock_recv_suite;
extern const struct cu_suite sock_dump_suite;

#endif /* SOCK_FIXTURE_H */
