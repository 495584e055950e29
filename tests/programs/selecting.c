/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * selecting seqpacket|stream CONNECTIONS ROUNDS: a client of forkserver with all its connections,
 * a pipe and a timeout in one select(2): connects without blocking, sends when there is room,
 * compares what comes back.
 */
#include "prog.h"

#include <fcntl.h>
#include <sys/select.h>
#include <unistd.h>

#define CONNS_MAX  64
#define TEXT_BYTES 24

static struct conn {
	int fd;
	int sent, got; /* rounds */
	size_t part;   /* octets of the next answer */
	char text[TEXT_BYTES];
} conns[CONNS_MAX];
static int conns_cnt, rounds, ticks[2];

static void
text_of(char *text, int conn, int round, const char *word)
{
	char line[64];

	snprintf(line, sizeof(line), "%s %06d of %06d......", word, round, conn);
	memcpy(text, line, TEXT_BYTES);
}

static void
begin(struct conn *c, int kind, uint32_t instance)
{
	struct sockaddr_tipc to = prog_service(SERVICE_TYPE, instance);

	NEED(c->fd = socket(AF_TIPC, kind, 0));
	prog_no_delay(c->fd);
	NEED(fcntl(c->fd, F_SETFL, O_NONBLOCK));
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != -1 || errno != EINPROGRESS)
		prog_die("connect without blocking", __LINE__);
}

static void
send_one(struct conn *c)
{
	int error;
	socklen_t len = sizeof(error);
	char text[TEXT_BYTES];

	if (c->sent == 0) {
		NEED(getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len));
		errno = error;
		NEED(-error);
	}
	text_of(text, (int)(c - conns), c->sent++, "hello");
	NEED(send(c->fd, text, TEXT_BYTES, 0) - TEXT_BYTES);
}

static void
receive(struct conn *c)
{
	char text[TEXT_BYTES];
	ssize_t got = recv(c->fd, c->text + c->part, TEXT_BYTES - c->part, 0);

	NEED(got - 1);
	c->part += (size_t)got;
	if (c->part < TEXT_BYTES)
		return;
	c->part = 0;
	text_of(text, (int)(c - conns), c->got++, "HELLO");
	for (int i = 0; i < TEXT_BYTES; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 'a' + 'A');
	if (memcmp(text, c->text, TEXT_BYTES) != 0) {
		fprintf(stderr, "got '%.*s', wanted '%.*s'\n", TEXT_BYTES, c->text, TEXT_BYTES,
			text);
		exit(1);
	}
	/* (the pipe is for what has nothing to do with sockets) */
	if (c->got == rounds)
		NEED(write(ticks[1], "x", 1) - 1);
}

static int
wait_for(fd_set *in, fd_set *out)
{
	struct timeval limit = {20, 0};
	int most = ticks[0], cnt;

	FD_ZERO(in);
	FD_ZERO(out);
	FD_SET(ticks[0], in);
	for (int i = 0; i < conns_cnt; i++) {
		struct conn *c = &conns[i];

		/* a few on their way at a time */
		if (c->sent < rounds && c->sent - c->got < 4)
			FD_SET(c->fd, out);
		if (c->sent > 0)
			FD_SET(c->fd, in);
		most = c->fd > most ? c->fd : most;
	}
	cnt = select(most + 1, in, out, NULL, &limit);
	if (cnt == 0)
		errno = ETIMEDOUT;
	NEED(cnt - 1);
	return cnt;
}

int
main(int argc, char **argv)
{
	int kind = argc > 1 && strcmp(argv[1], "stream") == 0 ? SOCK_STREAM : SOCK_SEQPACKET;
	int ready_cnt = 0;
	fd_set in, out;
	char tick;

	if (argc != 4 || (conns_cnt = atoi(argv[2])) > CONNS_MAX)
		return 2;
	rounds = atoi(argv[3]);
	NEED(pipe(ticks));
	prog_await(SERVICE_TYPE, 20);
	for (int i = 0; i < conns_cnt; i++)
		begin(&conns[i], kind, 20 + (uint32_t)i % 10);
	for (int done = 0; done < conns_cnt;) {
		ready_cnt += wait_for(&in, &out);
		for (int i = 0; i < conns_cnt; i++) {
			if (FD_ISSET(conns[i].fd, &out))
				send_one(&conns[i]);
			if (FD_ISSET(conns[i].fd, &in))
				receive(&conns[i]);
		}
		if (FD_ISSET(ticks[0], &in)) {
			NEED(read(ticks[0], &tick, 1) - 1);
			done++;
		}
	}
	for (int i = 0; i < conns_cnt; i++) {
		/* half of them say good-bye, the others just go */
		if (i % 2)
			shutdown(conns[i].fd, SHUT_RDWR);
		close(conns[i].fd);
	}
	printf("selecting: %d connections, %d rounds each, %d times ready\n", conns_cnt, rounds,
	       ready_cnt);
	return 0;
}
