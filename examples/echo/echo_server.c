/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * echo_server [--name NAME] TYPE INSTANCE
 *
 * Listens at the service address {TYPE, INSTANCE} and sends back what each client sends, message
 * by message, any number of clients at a time in one thread.
 */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dptipc.h"

#define CLIENTS_MAX 64

static int
failed(const char *what)
{
	fprintf(stderr, "echo_server: %s: %s", what, strerror(errno));
	if (*dptipc_error())
		fprintf(stderr, " (%s)", dptipc_error());
	fputc('\n', stderr);
	return 1;
}

/* One message there and back. Returns false when the connection has ended. */
static bool
echo(int fd)
{
	static char buf[TIPC_MAX_USER_MSG_SIZE];
	ssize_t got = dptipc_recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	/* 0: the client has closed or shut down. An empty message does not come. */
	if (got == 0)
		return false;
	/* Waits while the client does not read: its window is full. */
	return dptipc_send(fd, buf, (size_t)got, 0) == got;
}

/* pfds[0] is the listener; returns how many there are now. */
static nfds_t
client_accept(struct pollfd *pfds, nfds_t cnt)
{
	struct sockaddr_tipc peer;
	socklen_t len = sizeof(peer);
	int fd = dptipc_accept(pfds[0].fd, (struct sockaddr *)&peer, &len);

	if (fd < 0)
		return cnt;
	printf("connected: %u:%x\n", peer.addr.id.ref, peer.addr.id.node);
	pfds[cnt] = (struct pollfd){.fd = fd, .events = POLLIN};
	return cnt + 1;
}

static int
serve(int listener)
{
	struct pollfd pfds[1 + CLIENTS_MAX] = {{.fd = listener, .events = POLLIN}};
	nfds_t cnt = 1, i;

	for (;;) {
		/* The descriptors are real ones: poll(2) knows them. No more clients than places:
		 * the others wait in the listener's queue. */
		pfds[0].events = cnt <= CLIENTS_MAX ? POLLIN : 0;
		if (poll(pfds, cnt, -1) < 0 && errno != EINTR)
			return failed("poll");
		if (pfds[0].revents & (POLLERR | POLLHUP))
			return failed("listener");
		for (i = 1; i < cnt; i++) {
			if (!pfds[i].revents || echo(pfds[i].fd))
				continue;
			dptipc_close(pfds[i].fd);
			pfds[i--] = pfds[--cnt];
		}
		if (pfds[0].revents & POLLIN && cnt <= CLIENTS_MAX)
			cnt = client_accept(pfds, cnt);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
						{NULL, 0, NULL, 0}};
	struct sockaddr_tipc addr = {
		.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR, .scope = TIPC_CLUSTER_SCOPE};
	const char *name = NULL;
	int fd, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'n')
			return 2;
		name = optarg;
	}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: echo_server [--name NAME] TYPE INSTANCE\n");
		return 2;
	}
	addr.addr.name.name.type = (uint32_t)strtoul(argv[optind], NULL, 0);
	addr.addr.name.name.instance = (uint32_t)strtoul(argv[optind + 1], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (dptipc_attach(name) < 0)
		return failed("attach");
	/* Non-blocking, as poll may wake us for a client that gives up before we accept. */
	fd = dptipc_socket(AF_TIPC, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed("socket");
	if (dptipc_bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return failed("bind");
	if (dptipc_listen(fd, 0) < 0)
		return failed("listen");
	printf("listening at %u:%u\n", addr.addr.name.name.type, addr.addr.name.name.instance);
	return serve(fd);
}
