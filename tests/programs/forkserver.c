/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * forkserver seqpacket|stream CLIENTS: a process for each connection, as servers have done since
 * there is fork: the parent accepts and closes, the child serves and exits, SIGCHLD reaps. What a
 * child receives it sends back with its letters made large. Ends after CLIENTS connections.
 */
#include "prog.h"

#include <ctype.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t reaped_cnt, failed_cnt;

static void
on_child(int number)
{
	int keep = errno, status;

	(void)number;
	while (waitpid(-1, &status, WNOHANG) > 0) {
		reaped_cnt++;
		failed_cnt += status != 0;
	}
	errno = keep;
}

static int
serve(int fd)
{
	static char data[MSG_MAX];
	ssize_t got;

	while ((got = recv(fd, data, sizeof(data), 0)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			data[i] = (char)toupper((unsigned char)data[i]);
		for (ssize_t sent = 0, now; sent < got; sent += now)
			NEED(now = send(fd, data + sent, (size_t)(got - sent), 0));
	}
	/* (a client that closes without shutdown resets its connection) */
	return got == 0 || errno == ECONNRESET ? 0 : 1;
}

int
main(int argc, char **argv)
{
	int kind = argc > 1 && strcmp(argv[1], "stream") == 0 ? SOCK_STREAM : SOCK_SEQPACKET;
	int clients = argc > 2 ? atoi(argv[2]) : 1;
	struct sigaction sa = {.sa_handler = on_child, .sa_flags = SA_RESTART};
	struct sockaddr_tipc addr = prog_range(SERVICE_TYPE, 20, 29);
	sigset_t children, before;
	int l;

	NEED(sigaction(SIGCHLD, &sa, NULL));
	/* In this order: whoever sees the name finds a listener. */
	NEED(l = socket(AF_TIPC, kind, 0));
	NEED(listen(l, 10));
	NEED(bind(l, (struct sockaddr *)&addr, sizeof(addr)));
	printf("forkserver: up\n");
	fflush(stdout);
	for (int i = 0; i < clients; i++) {
		int fd;

		while ((fd = accept(l, NULL, NULL)) < 0 && errno == EINTR)
			;
		NEED(fd);
		prog_no_delay(fd);
		if (fork() == 0) {
			close(l);
			_exit(serve(fd));
		}
		close(fd);
	}
	close(l);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, &before);
	while (reaped_cnt < clients)
		sigsuspend(&before);
	printf("forkserver: %d children, %d failed\n", (int)reaped_cnt, (int)failed_cnt);
	return failed_cnt != 0;
}
