/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * libdptipc against a dptipcd that is played by a thread of the test: every call, its
 * errors, and what happens when the other side, or a process that shares the sockets, dies.
 *
 * A test that hangs is ended by SIGALRM.
 */

#include "client_fixture.h"

#include <stdio.h>

const char *
fixture_name(void)
{
	static char name[DPT_ATTACH_NAME_BYTES];
	static unsigned number;

	snprintf(name, sizeof(name), "test-client-%d-%u", (int)getpid(), ++number);
	return name;
}

struct fake *
fixture_open(int type, int *fd)
{
	const char *name = fixture_name();
	struct fake *fake = fake_start(name, NULL);

	CU_EQ_I64_FATAL(dptipc_attach(name), 0);
	*fd = dptipc_socket(AF_TIPC, type, 0);
	CU_TRUE_FATAL(*fd >= 0);
	return fake;
}

void
fixture_close(struct fake *fake, int fd)
{
	CU_EQ_I64(dptipc_close(fd), 0);
	fake_stop(fake);
}

struct sockaddr_tipc
addr_service(uint32_t type, uint32_t instance)
{
	struct sockaddr_tipc addr = {.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR};

	addr.addr.name.name.type = type;
	addr.addr.name.name.instance = instance;
	return addr;
}

struct sockaddr_tipc
addr_range(uint32_t type, uint32_t lower, uint32_t upper)
{
	struct sockaddr_tipc addr = {.family = AF_TIPC, .addrtype = TIPC_SERVICE_RANGE};

	addr.addr.nameseq.type = type;
	addr.addr.nameseq.lower = lower;
	addr.addr.nameseq.upper = upper;
	return addr;
}

struct sockaddr_tipc
addr_socket(uint32_t ref, uint32_t node)
{
	struct sockaddr_tipc addr = {.family = AF_TIPC, .addrtype = TIPC_SOCKET_ADDR};

	addr.addr.id.ref = ref;
	addr.addr.id.node = node;
	return addr;
}

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {suite_attach, suite_send, suite_recv,
					  suite_opts,	suite_conn, suite_tipcc};

	alarm(120);
	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
