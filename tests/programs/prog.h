/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROG_H
#define PROG_H

/* What the programs of this folder share: plain AF_TIPC, nothing of dptipc. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/tipc.h>

#ifndef AF_TIPC
#define AF_TIPC 30
#endif
#ifndef SOL_TIPC
#define SOL_TIPC 271
#endif

#define SERVICE_TYPE 18888
#define MSG_MAX	     66000

#define NEED(call)                                                                                 \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			prog_die(#call, __LINE__);                                                 \
	} while (0)

static inline __attribute__((noreturn)) void
prog_die(const char *what, int line)
{
	fprintf(stderr, "line %d: %s: %s\n", line, what, strerror(errno));
	exit(1);
}

static inline struct sockaddr_tipc
prog_service(uint32_t type, uint32_t instance)
{
	struct sockaddr_tipc addr = {.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR};

	addr.addr.name.name.type = type;
	addr.addr.name.name.instance = instance;
	return addr;
}

static inline struct sockaddr_tipc
prog_range(uint32_t type, uint32_t lower, uint32_t upper)
{
	struct sockaddr_tipc addr = {
		.family = AF_TIPC, .addrtype = TIPC_SERVICE_RANGE, .scope = TIPC_CLUSTER_SCOPE};

	addr.addr.nameseq.type = type;
	addr.addr.nameseq.lower = lower;
	addr.addr.nameseq.upper = upper;
	return addr;
}

static inline int
prog_bound(int kind, uint32_t type, uint32_t lower, uint32_t upper)
{
	struct sockaddr_tipc addr = prog_range(type, lower, upper);
	int fd = socket(AF_TIPC, kind, 0);

	NEED(fd);
	NEED(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	return fd;
}

/* A stream that answers small messages with small ones: they are not to wait for each other. */
static inline void
prog_no_delay(int fd)
{
	uint32_t on = 1;

	NEED(setsockopt(fd, SOL_TIPC, TIPC_NODELAY, &on, sizeof(on)));
}

/* Waits until somebody has bound the service, as the topology service tells it; at most 20 s. */
static inline void
prog_await(uint32_t type, uint32_t instance)
{
	struct sockaddr_tipc addr = prog_service(TIPC_TOP_SRV, TIPC_TOP_SRV);
	struct tipc_subscr subscr = {
		.seq = {type, instance, instance}, .timeout = 20000, .filter = TIPC_SUB_SERVICE};
	struct tipc_event event;
	int fd = socket(AF_TIPC, SOCK_SEQPACKET, 0);

	NEED(fd);
	NEED(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	NEED(send(fd, &subscr, sizeof(subscr), 0) - (ssize_t)sizeof(subscr));
	NEED(recv(fd, &event, sizeof(event), 0) - (ssize_t)sizeof(event));
	if (event.event != TIPC_PUBLISHED) {
		errno = ETIMEDOUT;
		prog_die("wait for the service", __LINE__);
	}
	shutdown(fd, SHUT_RDWR);
}

#endif /* PROG_H */
