/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a call costs. Built twice: bench_calls_plain makes the plain calls, which a preloaded
 * library may take; bench_calls_direct (BENCH_DIRECT) those of libdptipc. callbench.py has several
 * of them open at once and lets them take turns, a line of standard input for each slice:
 *
 *     ITEM MILLISECONDS     rdm | seqpacket | empty | pipe
 *     SAMPLE item=rdm n=8192 ns=1830.2
 *
 *   rdm, seqpacket   a message of 64 octets there and back, two sockets of this thread, over the
 *                    worker: four calls that succeed, and those that find nothing yet
 *   empty            a receive call that finds nothing: what is not the message
 *   pipe             64 octets into a pipe and out again: a descriptor of somebody else's
 *
 * ns: of one round trip, one call (empty), one write and one read (pipe); the median of batches.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef BENCH_DIRECT
#include "dptipc.h"
#define sk_socket   dptipc_socket
#define sk_bind	    dptipc_bind
#define sk_pair	    dptipc_socketpair
#define sk_sendto   dptipc_sendto
#define sk_recvfrom dptipc_recvfrom
#define sk_send	    dptipc_send
#define sk_recv	    dptipc_recv
#else
#include <linux/tipc.h>
#define sk_socket   socket
#define sk_bind	    bind
#define sk_pair	    socketpair
#define sk_sendto   sendto
#define sk_recvfrom recvfrom
#define sk_send	    send
#define sk_recv	    recv
#endif

#define BYTES	     64
#define BATCH	     32
#define BATCHES_MAX  100000
#define SERVICE_TYPE 18890

static int rdm[2] = {-1, -1}, seqpacket[2] = {-1, -1}, pipe_fds[2];
static struct sockaddr_tipc service;
static double batches[BATCHES_MAX];

static void
open_rdm(uint32_t instance)
{
	service.family = AF_TIPC;
	service.addrtype = TIPC_SERVICE_ADDR;
	service.scope = TIPC_CLUSTER_SCOPE;
	service.addr.name.name.type = SERVICE_TYPE;
	service.addr.name.name.instance = instance;
	rdm[0] = sk_socket(AF_TIPC, SOCK_RDM, 0);
	rdm[1] = sk_socket(AF_TIPC, SOCK_RDM, 0);
	if (rdm[0] < 0 || rdm[1] < 0 ||
	    sk_bind(rdm[1], (struct sockaddr *)&service, sizeof(service)) != 0)
		bench_die("RDM sockets");
	if (sk_pair(AF_TIPC, SOCK_SEQPACKET, 0, seqpacket) != 0)
		bench_die("SEQPACKET sockets");
}

static void
take(int fd, struct sockaddr_tipc *from)
{
	uint8_t buf[BYTES];
	socklen_t len = sizeof(*from);
	ssize_t got;

	do {
		got = from != NULL ? sk_recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
						 (struct sockaddr *)from, &len)
				   : sk_recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	} while (got < 0 && errno == EAGAIN);
	if (got != BYTES)
		bench_die("receive");
}

static void
turn_rdm(void)
{
	static const uint8_t buf[BYTES];
	struct sockaddr_tipc from;

	if (sk_sendto(rdm[0], buf, BYTES, 0, (struct sockaddr *)&service, sizeof(service)) != BYTES)
		bench_die("sendto");
	take(rdm[1], &from);
	if (sk_sendto(rdm[1], buf, BYTES, 0, (struct sockaddr *)&from, sizeof(from)) != BYTES)
		bench_die("sendto");
	take(rdm[0], &from);
}

static void
turn_seqpacket(void)
{
	static const uint8_t buf[BYTES];

	if (sk_send(seqpacket[0], buf, BYTES, 0) != BYTES)
		bench_die("send");
	take(seqpacket[1], NULL);
	if (sk_send(seqpacket[1], buf, BYTES, 0) != BYTES)
		bench_die("send");
	take(seqpacket[0], NULL);
}

static void
turn_empty(void)
{
	uint8_t buf[BYTES];

	if (sk_recv(rdm[1], buf, sizeof(buf), MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		bench_die("a socket that should be empty");
}

static void
turn_pipe(void)
{
	uint8_t buf[BYTES] = {0};

	if (write(pipe_fds[1], buf, BYTES) != BYTES || read(pipe_fds[0], buf, BYTES) != BYTES)
		bench_die("pipe");
}

static const struct {
	const char *name;
	void (*turn)(void);
} items[] = {{"rdm", turn_rdm},
	     {"seqpacket", turn_seqpacket},
	     {"empty", turn_empty},
	     {"pipe", turn_pipe}};

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
slice(const char *name, void (*turn)(void), double ms)
{
	double end_s = bench_now_s() + ms / 1e3;
	uint32_t cnt = 0;

	turn();
	/* (at least one, on a machine that does something else) */
	do {
		uint64_t start = bench_ticks();

		for (int i = 0; i < BATCH; i++)
			turn();
		batches[cnt++] = (double)(bench_ticks() - start) * bench_ns_per_tick / BATCH;
	} while (cnt < BATCHES_MAX && bench_now_s() < end_s);
	qsort(batches, cnt, sizeof(*batches), by_value);
	printf("SAMPLE item=%s n=%u ns=%.1f\n", name, cnt * BATCH, batches[cnt / 2]);
	fflush(stdout);
}

/* bench_calls CPU INSTANCE: -1 without TIPC; standard input says what to do. */
int
main(int argc, char **argv)
{
	char line[64], name[32];
	double ms;

	if (argc != 3)
		return 2;
	bench_pin(atoi(argv[1]));
	bench_calibrate();
	if (atoi(argv[2]) >= 0)
		open_rdm((uint32_t)atoi(argv[2]));
	if (pipe(pipe_fds) != 0)
		bench_die("pipe");
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "%31s %lf", name, &ms) != 2)
			return 2;
		for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
			if (strcmp(name, items[i].name) == 0)
				slice(name, items[i].turn, ms);
	}
	return 0;
}
