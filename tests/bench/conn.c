/* SPDX-License-Identifier: BSD-3-Clause */
/* One end of a transport. Contract: bench.h. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dptipc.h"

/* Our choice, as any from 64 on would be. */
#define SERVICE_TYPE 18889

_Static_assert(sizeof(struct sockaddr_tipc) == sizeof(((struct conn *)0)->to), "address");

static void
die_rdm(const char *what)
{
	fprintf(stderr, "bench_rdm: %s: %s (%s)\n", what, strerror(errno), dptipc_error());
	exit(1);
}

static struct sockaddr_tipc
service(uint32_t instance)
{
	struct sockaddr_tipc addr = {
		.family = AF_TIPC,
		.addrtype = TIPC_SERVICE_ADDR,
		.scope = TIPC_CLUSTER_SCOPE,
	};

	addr.addr.name.name.type = SERVICE_TYPE;
	addr.addr.name.name.instance = instance;
	return addr;
}

void
conn_service(struct conn *conn, uint32_t instance)
{
	struct sockaddr_tipc addr = service(instance);

	memcpy(conn->to, &addr, sizeof(addr));
}

void
conn_open_rdm(struct conn *conn, uint32_t busy_poll_us)
{
	conn->kind = CONN_RDM;
	conn->fd = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
	if (conn->fd < 0)
		die_rdm("socket");
	if (dptipc_setsockopt(conn->fd, SOL_DPTIPC, DPTIPC_BUSY_POLL_US, &busy_poll_us,
			      sizeof(busy_poll_us)) != 0)
		die_rdm("setsockopt");
}

void
conn_bind_rdm(struct conn *conn, uint32_t instance)
{
	struct sockaddr_tipc addr = service(instance);

	if (dptipc_bind(conn->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		die_rdm("bind");
}

void
conn_wait_rdm(struct conn *conn, double limit_s)
{
	double end_s = bench_now_s() + limit_s;
	uint8_t buf[1] = {0};

	while (dptipc_sendto(conn->fd, buf, 1, 0, (struct sockaddr *)conn->to, sizeof(conn->to)) <
	       0) {
		if (errno != EHOSTUNREACH || bench_now_s() > end_s)
			die_rdm("first send");
		usleep(10000);
	}
}

void
conn_open_udp(struct conn *conn, const char *address, uint16_t port, bool is_server)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t bytes = sizeof(addr);
	char octet = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	conn->kind = CONN_FD;
	conn->fd = fd;
	if (fd < 0 || inet_pton(AF_INET, address, &addr.sin_addr) != 1)
		bench_die("UDP socket");
	if (!is_server) {
		if (connect(fd, (struct sockaddr *)&addr, bytes) != 0 || send(fd, &octet, 1, 0) < 0)
			bench_die("UDP connect");
		return;
	}
	if (bind(fd, (struct sockaddr *)&addr, bytes) != 0)
		bench_die("UDP bind");
}

static void
fd_send(const struct conn *conn, const void *buf, size_t bytes)
{
	while (send(conn->fd, buf, bytes, MSG_NOSIGNAL | conn->flags) < 0)
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			bench_die("send");
}

static size_t
fd_recv(const struct conn *conn, void *buf)
{
	ssize_t got;

	while ((got = recv(conn->fd, buf, BENCH_BYTES_MAX, conn->flags)) < 0)
		if (errno != EAGAIN && errno != EINTR)
			bench_die("recv");
	if (got == 0)
		exit(0);
	return (size_t)got;
}

static void
rdm_send(const struct conn *conn, const void *buf, size_t bytes, const uint8_t *to)
{
	if (dptipc_sendto(conn->fd, buf, bytes, 0, (const struct sockaddr *)to, sizeof(conn->to)) <
	    0)
		die_rdm("send");
}

void
conn_send(struct conn *conn, const void *buf, size_t bytes)
{
	_Atomic uint32_t *word;

	switch (conn->kind) {
	case CONN_RDM:
		rdm_send(conn, buf, bytes, conn->to);
		break;
	case CONN_FD:
		fd_send(conn, buf, bytes);
		break;
	case CONN_FUTEX:
		word = conn->is_server ? &conn->pair->pong : &conn->pair->ping;
		atomic_store_explicit(word, conn->is_server ? conn->turn : ++conn->turn,
				      memory_order_release);
		bench_wake(word);
		break;
	}
}

size_t
conn_recv(struct conn *conn, void *buf)
{
	socklen_t addr_bytes = sizeof(conn->from);
	ssize_t got;

	switch (conn->kind) {
	case CONN_RDM:
		got = dptipc_recvfrom(conn->fd, buf, BENCH_BYTES_MAX, 0,
				      (struct sockaddr *)conn->from, &addr_bytes);
		if (got <= 0)
			die_rdm(got == 0 ? "a message came back" : "receive");
		return (size_t)got;
	case CONN_FD:
		return fd_recv(conn, buf);
	case CONN_FUTEX:
		if (conn->is_server)
			bench_wait(&conn->pair->ping, conn->turn++);
		else
			bench_wait(&conn->pair->pong, conn->turn - 1);
		break;
	}
	return 0;
}

void
conn_reply(struct conn *conn, const void *buf, size_t bytes)
{
	if (conn->kind == CONN_RDM)
		rdm_send(conn, buf, bytes, conn->from);
	else
		conn_send(conn, buf, bytes);
}
