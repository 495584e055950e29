/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * echo_client [--name NAME] TYPE INSTANCE TEXT...
 *
 * Connects to the service {TYPE, INSTANCE}, wherever it is, sends each TEXT as a message and prints
 * what comes back.
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
	fprintf(stderr, "echo_client: %s: %s", what, strerror(errno));
	if (*dptipc_error())
		fprintf(stderr, " (%s)", dptipc_error());
	fputc('\n', stderr);
	return 1;
}

static int
exchange(int fd, char **texts, int cnt)
{
	static char buf[TIPC_MAX_USER_MSG_SIZE];
	int i;

	for (i = 0; i < cnt; i++) {
		ssize_t got;

		if (dptipc_send(fd, texts[i], strlen(texts[i]), 0) < 0)
			return failed("send");
		got = dptipc_recv(fd, buf, sizeof(buf), 0);
		if (got < 0)
			return failed("receive");
		if (got == 0) {
			fprintf(stderr, "echo_client: the server has ended the connection\n");
			return 1;
		}
		printf("reply: %.*s\n", (int)got, buf);
	}
	return dptipc_close(fd) < 0 ? failed("close") : 0;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
						{NULL, 0, NULL, 0}};
	struct sockaddr_tipc to = {.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR};
	const char *name = NULL;
	int fd, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'n')
			return 2;
		name = optarg;
	}
	if (argc - optind < 3) {
		fprintf(stderr, "usage: echo_client [--name NAME] TYPE INSTANCE TEXT...\n");
		return 2;
	}
	to.addr.name.name.type = (uint32_t)strtoul(argv[optind], NULL, 0);
	to.addr.name.name.instance = (uint32_t)strtoul(argv[optind + 1], NULL, 0);
	if (dptipc_attach(name) < 0)
		return failed("attach");
	fd = dptipc_socket(AF_TIPC, SOCK_SEQPACKET, 0);
	if (fd < 0)
		return failed("socket");
	if (dptipc_connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return failed("connect");
	return exchange(fd, argv + optind + 2, argc - optind - 2);
}
