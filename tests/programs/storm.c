/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * storm THREADS CONNECTIONS: as many connections as can be made. Each of THREADS clients connects
 * CONNECTIONS times, says something, hears the answer and goes: with shutdown, with a plain close,
 * or with unread data behind it. One thread accepts and serves from a poll set. Nothing may be
 * refused, and no descriptor may be left.
 */
#include "prog.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS_MAX 32
#define CONNS_MAX   (THREADS_MAX + 64)

static const int kinds[2] = {SOCK_SEQPACKET, SOCK_STREAM};
static int threads_cnt, conns_cnt;
static _Atomic int served_cnt;

static int
fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int cnt = 0;

	if (dir == NULL)
		prog_die("/proc/self/fd", __LINE__);
	while (readdir(dir) != NULL)
		cnt++;
	closedir(dir);
	return cnt;
}

/* One client's life. */
static void
visit(uint32_t thread, uint32_t turn)
{
	struct sockaddr_tipc to = prog_service(SERVICE_TYPE, 40 + turn % 2);
	uint32_t said[2] = {thread, turn}, heard[2];
	int fd = socket(AF_TIPC, kinds[turn % 2], 0);

	NEED(fd);
	NEED(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	NEED(send(fd, said, sizeof(said), 0) - (ssize_t)sizeof(said));
	if (turn % 3 != 2) {
		NEED(recv(fd, heard, sizeof(heard), MSG_WAITALL) - (ssize_t)sizeof(heard));
		if (heard[0] != ~thread || heard[1] != ~turn)
			prog_die("answer", __LINE__);
	}
	if (turn % 3 == 0)
		shutdown(fd, SHUT_RDWR);
	NEED(close(fd));
}

static void *
client(void *arg)
{
	uint32_t thread = (uint32_t)(uintptr_t)arg;

	for (int i = 0; i < conns_cnt; i++)
		visit(thread, (uint32_t)i);
	return NULL;
}

/* What a connection has to say. Whether it goes on. */
static int
serve(int fd)
{
	uint32_t said[2];
	ssize_t got = recv(fd, said, sizeof(said), MSG_WAITALL);

	if (got != sizeof(said)) {
		if (got > 0 || (got < 0 && errno != ECONNRESET))
			prog_die("recv", __LINE__);
		return 0;
	}
	said[0] = ~said[0];
	said[1] = ~said[1];
	atomic_fetch_add(&served_cnt, 1);
	/* (a client that does not wait for the answer may be gone) */
	if (send(fd, said, sizeof(said), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		prog_die("send", __LINE__);
	return 1;
}

static void *
server(void *arg)
{
	struct pollfd fds[CONNS_MAX];
	int *listeners = arg, cnt = 2, ended = 0;

	fds[0] = (struct pollfd){.fd = listeners[0], .events = POLLIN};
	fds[1] = (struct pollfd){.fd = listeners[1], .events = POLLIN};
	while (ended < threads_cnt * conns_cnt) {
		int ready = poll(fds, (nfds_t)cnt, 20000);

		if (ready == 0)
			errno = ETIMEDOUT;
		NEED(ready - 1);
		for (int i = cnt - 1; i >= 2; i--) {
			if (fds[i].revents == 0 || serve(fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i] = fds[--cnt];
			ended++;
		}
		for (int i = 0; i < 2; i++) {
			if (!(fds[i].revents & POLLIN) || cnt == CONNS_MAX)
				continue;
			fds[cnt].fd = accept(fds[i].fd, NULL, NULL);
			NEED(fds[cnt].fd);
			fds[cnt].revents = 0;
			fds[cnt++].events = POLLIN;
		}
	}
	return NULL;
}

static void
storm(void)
{
	int listeners[2];
	pthread_t threads[THREADS_MAX + 1];

	for (int i = 0; i < 2; i++) {
		listeners[i] =
			prog_bound(kinds[i], SERVICE_TYPE, 40 + (uint32_t)i, 40 + (uint32_t)i);
		NEED(listen(listeners[i], 100));
	}
	NEED(-pthread_create(&threads[0], NULL, server, listeners));
	for (int i = 1; i <= threads_cnt; i++)
		NEED(-pthread_create(&threads[i], NULL, client, (void *)(uintptr_t)i));
	for (int i = 0; i <= threads_cnt; i++)
		pthread_join(threads[i], NULL);
	close(listeners[0]);
	close(listeners[1]);
}

int
main(int argc, char **argv)
{
	int before, after, total;

	if (argc != 3 || (threads_cnt = atoi(argv[1])) > THREADS_MAX)
		return 2;
	/* What the first use of TIPC opens may stay. */
	conns_cnt = 1;
	storm();
	before = fds_open();
	conns_cnt = atoi(argv[2]);
	atomic_store(&served_cnt, 0);
	storm();
	after = fds_open();
	total = threads_cnt * conns_cnt;
	printf("storm: %d connections, %d served, descriptors before %d, after %d\n", total,
	       atomic_load(&served_cnt), before, after);
	return atomic_load(&served_cnt) != total || before != after;
}
