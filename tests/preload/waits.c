/* SPDX-License-Identifier: BSD-3-Clause */

/* Waiting: poll, select and epoll with AF_TIPC sockets among others, signals, edges. */

#include "cases.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

#define TYPE 21100

static const struct timespec none = {0};

/* All the ways to ask whether fd is readable now. */
static void
readable(int fd, bool is)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct timeval tv = {0};
	fd_set in;

	EQUAL(poll(&p, 1, is ? -1 : 0), is);
	EQUAL(p.revents & POLLIN, is ? POLLIN : 0);
	EQUAL(ppoll(&p, 1, is ? NULL : &none, NULL), is);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	EQUAL(select(fd + 1, &in, NULL, NULL, is ? NULL : &tv), is);
	EQUAL(FD_ISSET(fd, &in) != 0, is);
	FD_SET(fd, &in);
	EQUAL(pselect(fd + 1, &in, NULL, NULL, is ? NULL : &none, NULL), is);
	EQUAL(FD_ISSET(fd, &in) != 0, is);
}

static void
polls_and_selects(void)
{
	int fd = bound_rdm(TYPE), closed = dup(fd);
	struct timeval tv = {.tv_sec = 3600};
	struct pollfd p = {.events = POLLIN};
	fd_set in, out;

	readable(fd, false);
	send_to(fd, TYPE, "x");
	readable(fd, true);
	expect(fd, "x");
	readable(fd, false);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	EQUAL(select(fd + 1, &in, &out, NULL, &tv), 1);
	CHECK(!FD_ISSET(fd, &in) && FD_ISSET(fd, &out));
	CHECK(tv.tv_sec > 3000);
	close(closed);
	FD_SET(closed, &in);
	FAILS(select(closed + 1, &in, NULL, NULL, &tv), EBADF);
	p.fd = closed;
	EQUAL(poll(&p, 1, -1), 1);
	EQUAL(p.revents, POLLNVAL);
}

/* One of ours and a pipe: whichever is ready, and both. */
static void
among_others(void)
{
	int fd = bound_rdm(TYPE), pipes[2];
	struct pollfd p[2];
	char octet;
	fd_set in;

	EQUAL(pipe(pipes), 0);
	p[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	p[1] = (struct pollfd){.fd = pipes[0], .events = POLLIN};
	EQUAL(write(pipes[1], "p", 1), 1);
	EQUAL(poll(p, 2, -1), 1);
	CHECK(!p[0].revents && p[1].revents == POLLIN);
	send_to(fd, TYPE, "x");
	readable(fd, true);
	EQUAL(poll(p, 2, -1), 2);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	FD_SET(pipes[0], &in);
	EQUAL(select(pipes[0] + 1, &in, NULL, NULL, NULL), 2);
	EQUAL(read(pipes[0], &octet, 1), 1);
	EQUAL(poll(p, 2, -1), 1);
	CHECK(p[0].revents == POLLIN && !p[1].revents);
}

static void
on_alarm(int number)
{
	(void)number;
}

/* Without SA_RESTART a signal ends each call that waits. */
static void
interrupted(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval soon = {{.tv_usec = 20000}, {.tv_usec = 20000}};
	const struct itimerval never = {{0}, {0}};
	int fd = bound_rdm(TYPE);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0), pair[2];
	char buf[16];
	fd_set in;

	EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	EQUAL(socketpair(AF_TIPC, SOCK_STREAM, 0, pair), 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	FAILS(recv(fd, buf, sizeof(buf), 0), EINTR);
	FAILS(read(pair[0], buf, sizeof(buf)), EINTR);
	FAILS(poll(&p, 1, -1), EINTR);
	FAILS(ppoll(&p, 1, NULL, NULL), EINTR);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	FAILS(select(fd + 1, &in, NULL, NULL, NULL), EINTR);
	FD_SET(fd, &in);
	FAILS(pselect(fd + 1, &in, NULL, NULL, NULL, NULL), EINTR);
	FAILS(epoll_wait(epoll, &event, 1, -1), EINTR);
	FAILS(accept(pair[0], NULL, NULL), EINVAL);
	setitimer(ITIMER_REAL, &never, NULL);
	send_to(fd, TYPE, "after");
	expect(fd, "after");
}

/* With the signal mask of ppoll and pselect the signal comes in the wait, not before. */
static void
masks(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	int fd = bound_rdm(TYPE);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	sigset_t blocked, open;
	fd_set in;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&open);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	FAILS(ppoll(&p, 1, NULL, &open), EINTR);
	raise(SIGUSR1);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	FAILS(pselect(fd + 1, &in, NULL, NULL, NULL, &open), EINTR);
}

static int
events_of(int epoll, int timeout_ms)
{
	struct epoll_event event = {0};
	int cnt = epoll_wait(epoll, &event, 1, timeout_ms);

	CHECK(cnt >= 0);
	return cnt ? (int)event.events : 0;
}

static void
epoll_levels(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = bound_rdm(TYPE);

	EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	EQUAL(events_of(epoll, 0), 0);
	send_to(fd, TYPE, "one");
	send_to(fd, TYPE, "two");
	EQUAL(events_of(epoll, -1), EPOLLIN);
	EQUAL(events_of(epoll, -1), EPOLLIN);
	expect(fd, "one");
	/* as long as there is a message */
	EQUAL(events_of(epoll, -1), EPOLLIN);
	expect(fd, "two");
	EQUAL(events_of(epoll, 0), 0);
	event.events = EPOLLIN | EPOLLOUT;
	EQUAL(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), 0);
	EQUAL(events_of(epoll, -1), EPOLLOUT);
	close(fd);
	EQUAL(events_of(epoll, 0), 0);
}

static void
epoll_edges(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = bound_rdm(TYPE), i;
	char buf[16];

	EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	for (i = 0; i < 100; i++) {
		send_to(fd, TYPE, "one");
		send_to(fd, TYPE, "two");
		EQUAL(events_of(epoll, -1), EPOLLIN);
		expect(fd, "one");
		expect(fd, "two");
		/* drained, as epoll(7) asks for: the next one is an edge again */
		FAILS(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	}
	EQUAL(events_of(epoll, 0), 0);
}

/* Not drained: when something was read, a message that comes is an edge all the same. */
static void
epoll_edges_not_drained(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = bound_rdm(TYPE), i;
	char buf[16];

	EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	send_to(fd, TYPE, "one more");
	send_to(fd, TYPE, "m");
	for (i = 0; i < 20; i++) {
		send_to(fd, TYPE, "m");
		EQUAL(events_of(epoll, -1), EPOLLIN);
		CHECK(recv(fd, buf, sizeof(buf), 0) > 0);
	}
	expect(fd, "m");
	expect(fd, "m");
	FAILS(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	EQUAL(events_of(epoll, 0), 0);
	/* And what nobody reads is told once. */
	send_to(fd, TYPE, "m");
	EQUAL(events_of(epoll, -1), EPOLLIN);
	EQUAL(events_of(epoll, 0), 0);
	close(fd);
	fd = bound_rdm(TYPE);
	EQUAL(events_of(epoll, 0), 0);
}

/* A stream whose reader is slow: not writable, then writable, by level and by edge. */
static void
epoll_room(void)
{
	struct epoll_event event = {.events = EPOLLOUT}, edge = {.events = EPOLLOUT | EPOLLET};
	int level = epoll_create1(0), edges = epoll_create1(0), fds[2];
	static char block[60000];
	ssize_t sent, got = 0;
	size_t all = 0;

	EQUAL(socketpair(AF_TIPC, SOCK_STREAM, 0, fds), 0);
	EQUAL(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	EQUAL(epoll_ctl(level, EPOLL_CTL_ADD, fds[0], &event), 0);
	EQUAL(epoll_ctl(edges, EPOLL_CTL_ADD, fds[0], &edge), 0);
	EQUAL(events_of(level, -1), EPOLLOUT);
	EQUAL(events_of(edges, -1), EPOLLOUT);
	while ((sent = send(fds[0], block, sizeof(block), 0)) > 0)
		all += (size_t)sent;
	EQUAL(errno, EAGAIN);
	EQUAL(events_of(level, 0), 0);
	EQUAL(events_of(edges, 0), 0);
	while (all) {
		got = recv(fds[1], block, sizeof(block), 0);
		CHECK(got > 0);
		all -= (size_t)got;
	}
	EQUAL(events_of(edges, -1), EPOLLOUT);
	EQUAL(events_of(level, -1), EPOLLOUT);
	EQUAL(send(fds[0], "x", 1, 0), 1);
}

/* Eight receivers in one socket, each message once; a thread that sleeps is woken. */
#define THREADS	 8
#define MESSAGES 20000
static _Atomic int received[MESSAGES];
static int shared_fd;

static void *
receiver(void *arg)
{
	int number;

	(void)arg;
	for (;;) {
		EQUAL(recv(shared_fd, &number, sizeof(number), 0), sizeof(number));
		if (number < 0)
			return NULL;
		received[number]++;
	}
}

static void
threads(void)
{
	struct sockaddr_tipc to = service(TYPE, 0);
	int sender = socket(AF_TIPC, SOCK_RDM, 0), i, size = 16 << 20, off = 0;
	pthread_t ids[THREADS];

	shared_fd = bound_rdm(TYPE);
	EQUAL(setsockopt(shared_fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	EQUAL(setsockopt(sender, SOL_TIPC, TIPC_DEST_DROPPABLE, &off, sizeof(off)), 0);
	for (i = 0; i < THREADS; i++)
		EQUAL(pthread_create(&ids[i], NULL, receiver, NULL), 0);
	for (i = 0; i < MESSAGES; i++)
		EQUAL(sendto(sender, &i, sizeof(i), 0, (struct sockaddr *)&to, sizeof(to)), 4);
	for (i = -THREADS; i < 0; i++)
		EQUAL(sendto(sender, &i, sizeof(i), 0, (struct sockaddr *)&to, sizeof(to)), 4);
	for (i = 0; i < THREADS; i++)
		EQUAL(pthread_join(ids[i], NULL), 0);
	for (i = 0; i < MESSAGES; i++)
		EQUAL(received[i], 1);
}

static const struct test_case cases[] = {
	CASE(polls_and_selects),
	CASE(among_others),
	CASE(interrupted),
	CASE(masks),
	CASE(epoll_levels),
	CASE(epoll_edges),
	CASE(epoll_edges_not_drained),
	CASE(epoll_room),
	CASE(threads),
};

CASES_MAIN(cases)
