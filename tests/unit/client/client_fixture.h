/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLIENT_FIXTURE_H
#define CLIENT_FIXTURE_H

/* What the client's tests share: a fake dptipcd, one socket of index 0, addresses. */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cu.h"
#include "dptipc.h"
#include "fake_dptipcd.h"

/* A name that no other run uses. Each call makes a new one. */
const char *fixture_name(void);
/* Start a fake, attach, make a socket of that type. */
struct fake *fixture_open(int type, int *fd);
void fixture_close(struct fake *fake, int fd);

struct sockaddr_tipc addr_service(uint32_t type, uint32_t instance);
struct sockaddr_tipc addr_range(uint32_t type, uint32_t lower, uint32_t upper);
struct sockaddr_tipc addr_socket(uint32_t ref, uint32_t node);

/* The call failed with this errno. */
#define FAILS(call, error)                                                                         \
	do {                                                                                       \
		errno = 0;                                                                         \
		CU_EQ_I64(call, -1);                                                               \
		CU_EQ_I64(errno, error);                                                           \
	} while (0)

static inline const struct sockaddr *
sa(const struct sockaddr_tipc *addr)
{
	return (const struct sockaddr *)addr;
}

static inline bool
is_readable(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN);
}

extern const struct cu_suite suite_attach, suite_send, suite_recv, suite_opts, suite_conn,
	suite_tipcc;

#endif /* CLIENT_FIXTURE_H */
