/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * hello_server [--name NAME] TYPE INSTANCE
 *
 * Binds the service address {TYPE, INSTANCE}, prints every message with its sender and
 * sends it back.
 */

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dptipc.h"

static int
failed(const char *what)
{
	fprintf(stderr, "hello_server: %s: %s", what, strerror(errno));
	if (*dptipc_error())
		fprintf(stderr, " (%s)", dptipc_error());
	fputc('\n', stderr);
	return 1;
}

static int
serve(int fd)
{
	static char buf[TIPC_MAX_USER_MSG_SIZE];
	struct sockaddr_tipc from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t got =
			dptipc_recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed("receive");
		printf("from %u:%x: %.*s\n", from.addr.id.ref, from.addr.id.node, (int)got, buf);
		/* A client that is gone by now does not concern us. */
		if (dptipc_sendto(fd, buf, (size_t)got, 0, (struct sockaddr *)&from, len) < 0 &&
		    errno != EHOSTUNREACH)
			return failed("send");
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
						{NULL, 0, NULL, 0}};
	struct sockaddr_tipc addr = {
		.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR, .scope = TIPC_CLUSTER_SCOPE};
	struct sockaddr_tipc self;
	socklen_t len = sizeof(self);
	const char *name = NULL;
	int fd, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'n')
			return 2;
		name = optarg;
	}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: hello_server [--name NAME] TYPE INSTANCE\n");
		return 2;
	}
	addr.addr.name.name.type = (uint32_t)strtoul(argv[optind], NULL, 0);
	addr.addr.name.name.instance = (uint32_t)strtoul(argv[optind + 1], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (dptipc_attach(name) < 0)
		return failed("attach");
	fd = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
	if (fd < 0)
		return failed("socket");
	if (dptipc_bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return failed("bind");
	if (dptipc_getsockname(fd, (struct sockaddr *)&self, &len) < 0)
		return failed("getsockname");
	printf("bound %u:%u at %u:%x\n", addr.addr.name.name.type, addr.addr.name.name.instance,
	       self.addr.id.ref, self.addr.id.node);
	return serve(fd);
}
