/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pingpong rdm|seqpacket ROUNDS: two sockets of one thread, a message there, its answer back,
 * ROUNDS times. Receives without blocking, again and again: nothing sleeps, so nothing needs to
 * be woken (tests/system/test_strace.py counts the system calls).
 */
#include "prog.h"

#include <unistd.h>

struct message {
	uint32_t seq;
	unsigned char octets[60];
};

static void
take(int fd, uint32_t seq, struct sockaddr_tipc *from)
{
	struct message m;
	ssize_t got;

	do {
		socklen_t len = sizeof(*from);

		got = recvfrom(fd, &m, sizeof(m), MSG_DONTWAIT, (struct sockaddr *)from, &len);
	} while (got < 0 && errno == EAGAIN);
	if (got != sizeof(m) || m.seq != seq)
		prog_die("recvfrom", __LINE__);
}

static void
give(int fd, uint32_t seq, const struct sockaddr_tipc *to)
{
	struct message m = {.seq = seq};

	NEED(sendto(fd, &m, sizeof(m), 0, (const struct sockaddr *)to, to ? sizeof(*to) : 0) -
	     (ssize_t)sizeof(m));
}

static void
connect_pair(int fds[2])
{
	struct sockaddr_tipc to = prog_service(SERVICE_TYPE, 60);
	int l = prog_bound(SOCK_SEQPACKET, SERVICE_TYPE, 60, 60);

	NEED(listen(l, 1));
	NEED(fds[0] = socket(AF_TIPC, SOCK_SEQPACKET | SOCK_NONBLOCK, 0));
	if (connect(fds[0], (struct sockaddr *)&to, sizeof(to)) != -1 || errno != EINPROGRESS)
		prog_die("connect", __LINE__);
	NEED(fds[1] = accept(l, NULL, NULL));
	/* (connected, as far as both ends know) */
	give(fds[1], 0, NULL);
	take(fds[0], 0, &to);
	close(l);
}

int
main(int argc, char **argv)
{
	struct sockaddr_tipc to = prog_service(SERVICE_TYPE, 61), from;
	int fds[2], is_conn;
	uint32_t rounds;

	if (argc != 3)
		return 2;
	is_conn = strcmp(argv[1], "seqpacket") == 0;
	rounds = (uint32_t)atoi(argv[2]);
	if (is_conn) {
		connect_pair(fds);
	} else {
		fds[1] = prog_bound(SOCK_RDM, SERVICE_TYPE, 61, 61);
		NEED(fds[0] = socket(AF_TIPC, SOCK_RDM, 0));
	}
	for (uint32_t i = 0; i < rounds; i++) {
		give(fds[0], i, is_conn ? NULL : &to);
		take(fds[1], i, &from);
		give(fds[1], i, is_conn ? NULL : &from);
		take(fds[0], i, &from);
	}
	printf("pingpong: %u rounds\n", rounds);
	return 0;
}
