/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 22: what failures do; 25: dup, fork, exec, descriptors that are passed on;
 * 26: the worked exchanges, in one node. */
#include "conform.h"

#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/un.h>

static void
reap(pid_t child)
{
	int status;

	MUST(waitpid(child, &status, 0));
	if (WIFSIGNALED(status))
		say("killed by %s", sigabbrev_np(WTERMSIG(status)));
}

/* ---- 22 ---- */

static const struct death {
	const char *name;
	int how; /* 0 exit, 1 kill, 2 abort of a thread's process in the middle of a read */
} deaths[] = {{"exit", 0}, {"kill", 1}};

CASE_ROWS(09_22_peer_process_dies_by_, deaths)
{
	for (int i = 0; i < 2; i++) {
		int type = i ? SOCK_STREAM : SOCK_SEQPACKET, l = listener(type, 1), s;
		pid_t child = fork();

		if (child == 0) {
			int c = sk(type);

			close(l);
			MUST(connect(c, svc(T, 1), ALEN));
			MUST(send(c, "last words", 10, 0));
			settle();
			if (deaths[row].how == 0)
				_exit(0);
			raise(SIGKILL);
		}
		s = FD(accept(l, NULL, NULL));
		reap(child);
		await(s, POLLHUP);
		BITS(s);
		RD(s, 100, 0);
		RD(s, 100, 0);
		RX_FULL(s, 100, 0, 0, 4096);
		close(l);
		T++;
	}
}

CASE_ROWS(09_22_bindings_of_a_process_that_dies_by_, deaths)
{
	int s = sk(SOCK_RDM), ready[2];
	pid_t child;
	char c;

	MUST(pipe(ready));
	child = fork();
	if (child == 0) {
		bound(SOCK_RDM, 1);
		listener(SOCK_STREAM, 2);
		MUST(write(ready[1], "r", 1));
		if (deaths[row].how == 0)
			_exit(0);
		raise(SIGKILL);
	}
	MUST(read(ready[0], &c, 1));
	reap(child);
	for (int i = 0; i < 500 && sendto(s, "x", 1, 0, svc(T, 1), ALEN) == 1; i++)
		nap(10);
	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	DO(sendto(s, "x", 1, 0, svc(T, 2), ALEN));
}

CASE(09_22_unread_messages_of_a_process_that_dies)
{
	int s = returning(SOCK_RDM), ready[2];
	pid_t child;
	char c;

	MUST(pipe(ready));
	child = fork();
	if (child == 0) {
		int r = bound(SOCK_RDM, 1);

		(void)r;
		MUST(write(ready[1], "r", 1));
		pause();
	}
	MUST(read(ready[0], &c, 1));
	DO(sendto(s, "never read", 10, 0, svc(T, 1), ALEN));
	settle();
	kill(child, SIGKILL);
	reap(child);
	RX_FULL(s, 100, 0, 0, 4096);
}

CASE_CONN(09_22_both_ends_in_the_process_that_dies)
{
	int l, probe = sk(SOCK_RDM);
	pid_t child = fork();

	if (child == 0) {
		struct trio t = connected(type);

		MUST(send(t.c, "x", 1, 0));
		raise(SIGKILL);
	}
	reap(child);
	for (int i = 0; i < 500 && sendto(probe, "x", 1, 0, svc(T, 1), ALEN) == 1; i++)
		nap(10);
	l = listener(type, 1);
	start_connect(type, svc(T, 1));
	FD(accept(l, NULL, NULL));
}

/* ---- 25: dup, fork, exec, SCM_RIGHTS ---- */

CASE_TYPES(09_25_dup)
{
	int p[2], copy;

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	copy = FD(dup(p[0]));
	DO(close(p[0]));
	BITS(p[1]);
	DO(send(copy, "from the copy", 13, 0));
	RX(p[1]);
	DO(send(p[1], "to the copy", 11, 0));
	RD(copy, 100, 0);
	DO(fcntl(copy, F_SETFL, O_NONBLOCK));
	RD(copy, 100, 0);
	DO(close(copy));
	settle();
	BITS(p[1]);
}

CASE(09_25_dup2_dup3_F_DUPFD)
{
	int r = bound(SOCK_RDM, 1), s = sk(SOCK_RDM), c;

	KNOW(s);
	DO(dup2(r, 200));
	DO(dup3(r, 201, O_CLOEXEC));
	say("close on exec %d", (fcntl(201, F_GETFD) & FD_CLOEXEC) != 0);
	DO(fcntl(r, F_DUPFD, 210));
	DO(fcntl(r, F_DUPFD_CLOEXEC, 220));
	say("close on exec %d", (fcntl(220, F_GETFD) & FD_CLOEXEC) != 0);
	close(r);
	for (c = 0; c < 4; c++) {
		static const int fds[] = {200, 201, 210, 220};

		DO(sendto(s, "hello", 5, 0, svc(T, 1), ALEN));
		RX(fds[c]);
		close(fds[c]);
	}
	DO(sendto(s, "hello", 5, 0, svc(T, 1), ALEN));
}

CASE(09_25_dup2_over_a_socket_closes_it)
{
	int r = bound(SOCK_RDM, 1), q = bound(SOCK_RDM, 2), s = sk(SOCK_RDM);

	DO(dup2(q, r) == r);
	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	DO(sendto(s, "x", 1, 0, svc(T, 2), ALEN));
	close(q);
	DO(sendto(s, "x", 1, 0, svc(T, 2), ALEN));
	close(r);
	DO(sendto(s, "x", 1, 0, svc(T, 2), ALEN));
}

CASE_TYPES(09_25_fork_shares_the_socket)
{
	int p[2];
	pid_t child;

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	child = fork();
	if (child == 0) {
		DO(send(p[0], "from the child", 14, 0));
		_exit(0);
	}
	reap(child);
	/* The child's copies are closed: nothing happens to the connection. */
	settle();
	BITS(p[0]);
	RX(p[1]);
	DO(send(p[0], "from the parent", 15, 0));
	RX(p[1]);
}

CASE_CONN(09_25_fork_the_last_close_ends_it)
{
	struct trio t = connected(type);
	int go[2];
	pid_t child;
	char c;

	MUST(pipe(go));
	child = fork();
	if (child == 0) {
		MUST(read(go[0], &c, 1));
		DO(send(t.c, "child", 5, 0));
		_exit(0);
	}
	DO(close(t.c));
	settle();
	BITS(t.s);
	MUST(write(go[1], "g", 1));
	reap(child);
	await(t.s, POLLHUP);
	RD(t.s, 100, 0);
	RD(t.s, 100, 0);
}

CASE_CONN(09_25_fork_server_in_a_child)
{
	int l = listener(type, 1), c = sk(type);
	pid_t child = fork();

	if (child == 0) {
		int s = MUST(accept(l, NULL, NULL));
		ssize_t n = recv(s, big, 100, 0);

		MUST(send(s, big, (size_t)n, 0));
		MUST(shutdown(s, SHUT_RDWR));
		_exit(0);
	}
	DO(connect(c, svc(T, 1), ALEN));
	DO(send(c, "echo", 4, 0));
	RD(c, 100, 0);
	RD(c, 100, 0);
	reap(child);
}

CASE_LESS(09_25_fork_both_receive)
{
	int r = bound(type, 1), s = sk(type), mine = 0, theirs[2], n;
	pid_t child;

	MUST(pipe(theirs));
	MUST(set_time(r, SO_RCVTIMEO, 300));
	child = fork();
	for (n = 0; child != 0 && n < 50; n++)
		MUST(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	while (recv(r, big, 10, 0) == 1)
		mine++;
	if (child == 0) {
		MUST(write(theirs[1], &mine, sizeof(mine)));
		_exit(0);
	}
	MUST(read(theirs[0], &n, sizeof(n)));
	reap(child);
	say("together %d", mine + n);
}

/* What the executed program does with the descriptor it is told of. */
int
conform_exec(int argc, char **argv)
{
	int fd;

	if (argc != 3)
		return 2;
	fd = atoi(argv[1]);
	T = (uint32_t)strtoul(argv[2], NULL, 0);
	if (strcmp(argv[0], "listener") == 0) {
		int s = FD(accept(fd, NULL, NULL));

		RD(s, 100, 0);
		DO(send(s, "served", 6, 0));
		DO(shutdown(s, SHUT_RDWR));
		return 0;
	}
	GETOPT(fd, SOL_SOCKET, SO_TYPE);
	GETOPT(fd, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	RD(fd, 100, 0);
	DO(send(fd, "from exec", 9, 0));
	return 0;
}

static pid_t
exec_with(const char *what, int fd)
{
	char number[12], type[12];
	pid_t child = fork();

	if (child != 0)
		return child;
	snprintf(number, sizeof(number), "%d", fd);
	snprintf(type, sizeof(type), "%u", T);
	execl("/proc/self/exe", "conform", "--exec", what, number, type, (char *)NULL);
	_exit(127);
}

CASE_TYPES(09_25_exec_keeps_the_socket)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	MUST(send(p[0], "before", 6, 0));
	settle();
	reap(exec_with("socket", p[1]));
	RD(p[0], 100, 0);
	DO(send(p[1], "after", 5, 0));
	RD(p[0], 100, 0);
}

CASE_CONN(09_25_exec_of_a_server_with_its_listener)
{
	int l = listener(type, 1), c = sk(type);
	pid_t child = exec_with("listener", l);

	MUST(connect(c, svc(T, 1), ALEN));
	MUST(send(c, "request", 7, 0));
	reap(child);
	RD(c, 100, 0);
	RD(c, 100, 0);
}

CASE(09_25_exec_closes_what_is_marked)
{
	int r = bound(SOCK_RDM, 1), s = sk(SOCK_RDM), p[2];
	pid_t child;

	MUST(fcntl(r, F_SETFD, FD_CLOEXEC));
	MUST(socketpair(AF_TIPC, SOCK_RDM, 0, p));
	MUST(send(p[0], "x", 1, 0));
	settle();
	child = exec_with("socket", p[1]);
	reap(child);
	/* Ours is still open. */
	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	close(r);
	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
}

static void
pass(int over, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} u;
	struct iovec iov = {"f", 1};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)};

	memset(&u, 0, sizeof(u));
	u.head.cmsg_len = CMSG_LEN(sizeof(int));
	u.head.cmsg_level = SOL_SOCKET;
	u.head.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&u.head), &fd, sizeof(fd));
	MUST(sendmsg(over, &m, 0));
}

static int
passed(int over)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} u;
	char c;
	struct iovec iov = {&c, 1};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)};
	int fd;

	MUST(recvmsg(over, &m, 0));
	memcpy(&fd, CMSG_DATA(&u.head), sizeof(fd));
	return fd;
}

CASE_TYPES(09_25_SCM_RIGHTS_to_a_process)
{
	int u[2], p[2];
	pid_t child;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	/* The child has no AF_TIPC socket of its own before. */
	child = fork();
	if (child == 0) {
		int fd = passed(u[1]);

		RD(fd, 100, 0);
		DO(send(fd, "from the other process", 22, 0));
		_exit(0);
	}
	MUST(socketpair(AF_TIPC, type, 0, p));
	MUST(send(p[0], "passed on", 9, 0));
	settle();
	pass(u[0], p[1]);
	close(p[1]);
	reap(child);
	RD(p[0], 100, 0);
	settle();
	BITS(p[0]);
}

CASE(09_25_SCM_RIGHTS_in_flight_keeps_it_open)
{
	int u[2], r = bound(SOCK_RDM, 1), s = sk(SOCK_RDM);

	KNOW(s);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	pass(u[0], r);
	close(r);
	DO(sendto(s, "in flight", 9, 0, svc(T, 1), ALEN));
	r = passed(u[1]);
	RX(r);
	close(r);
	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
}

CASE_CONN(09_25_SCM_RIGHTS_of_a_listener)
{
	int u[2], l, c;
	pid_t child;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	child = fork();
	if (child == 0) {
		int fd = passed(u[1]), s = FD(accept(fd, NULL, NULL));

		RD(s, 100, 0);
		DO(send(s, "served", 6, 0));
		_exit(0);
	}
	l = listener(type, 1);
	pass(u[0], l);
	close(l);
	c = sk(type);
	MUST(connect(c, svc(T, 1), ALEN));
	MUST(send(c, "request", 7, 0));
	reap(child);
	RD(c, 100, 0);
	RD(c, 100, 0);
}

/* ---- 25: readiness ---- */

CASE_TYPES(09_25_epoll)
{
	int e = MUST(epoll_create1(0)), p[2];
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.u32 = 7}, got;

	MUST(socketpair(AF_TIPC, type, 0, p));
	DO(epoll_ctl(e, EPOLL_CTL_ADD, p[1], &ev));
	DO(epoll_wait(e, &got, 1, 0));
	MUST(send(p[0], "x", 1, 0));
	DO(epoll_wait(e, &got, 1, 2000));
	say("%s %u", poll_text((short)got.events), got.data.u32);
	RD(p[1], 10, 0);
	DO(epoll_wait(e, &got, 1, 30));
	DO(epoll_ctl(e, EPOLL_CTL_DEL, p[1], NULL));
}

CASE_CONN(09_25_epoll_sees_the_end)
{
	int e = MUST(epoll_create1(0));
	struct epoll_event ev = {.events = EPOLLIN}, got;
	struct trio t = connected(type);

	MUST(epoll_ctl(e, EPOLL_CTL_ADD, t.c, &ev));
	close(t.s);
	await(t.c, POLLHUP);
	settle();
	DO(epoll_wait(e, &got, 1, 2000));
	say("IN %d HUP %d", (got.events & EPOLLIN) != 0, (got.events & EPOLLHUP) != 0);
}

CASE_CONN(09_25_epoll_listener)
{
	int e = MUST(epoll_create1(0)), l = listener(type, 1);
	struct epoll_event ev = {.events = EPOLLIN}, got;

	MUST(epoll_ctl(e, EPOLL_CTL_ADD, l, &ev));
	DO(epoll_wait(e, &got, 1, 0));
	start_connect(type, svc(T, 1));
	DO(epoll_wait(e, &got, 1, 2000));
	FD(accept(l, NULL, NULL));
	DO(epoll_wait(e, &got, 1, 30));
}

CASE_TYPES(09_25_epoll_edge_triggered)
{
	int e = MUST(epoll_create1(0)), p[2];
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET}, got;

	MUST(socketpair(AF_TIPC, type, 0, p));
	MUST(epoll_ctl(e, EPOLL_CTL_ADD, p[1], &ev));
	MUST(send(p[0], "x", 1, 0));
	DO(epoll_wait(e, &got, 1, 2000));
	DO(epoll_wait(e, &got, 1, 30));
	RD(p[1], 10, 0);
	MUST(send(p[0], "y", 1, 0));
	DO(epoll_wait(e, &got, 1, 2000));
	RD(p[1], 10, 0);
}

CASE_TYPES(09_25_select)
{
	int p[2];
	fd_set in, out;
	struct timeval tv = {2, 0};

	MUST(socketpair(AF_TIPC, type, 0, p));
	MUST(send(p[0], "x", 1, 0));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p[1], &in);
	DO(select(p[1] + 1, &in, NULL, NULL, &tv));
	say("in %d", FD_ISSET(p[1], &in) != 0);
	FD_SET(p[0], &out);
	DO(select(p[0] + 1, NULL, &out, NULL, &tv));
	say("out %d", FD_ISSET(p[0], &out) != 0);
}

/* ---- 26 ---- */

CASE_CONN(09_26_explicit_connect_by_name_graceful_end)
{
	int l = bound(type, 5), c, s;

	MUST(listen(l, 5));
	c = start_connect(type, svc(T, 5));
	KNOW(c);
	s = FD(accept(l, NULL, NULL));
	KNOW(s);
	await(c, POLLOUT);
	DO(send(c, "request", 7, 0));
	RX(s);
	DO(send(s, "answer", 6, 0));
	RX(c);
	/* 33 blocks read: an acknowledgement. */
	for (int i = 0; i < 33; i++)
		MUST(send(c, big, 100, 0));
	for (int i = 0; i < 33; i++)
		MUST(recv(s, big, 100, MSG_WAITALL));
	DO(shutdown(c, SHUT_RDWR));
	RD(s, 100, 0);
	DO(close(s));
	DO(close(c));
}

CASE(09_26_request_to_a_name_whose_owner_has_gone)
{
	int r = bound(SOCK_RDM, 1), s = returning(SOCK_RDM);
	uint32_t ref = ref_of(r);

	KNOW(r);
	close(r);
	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	DO(sendto(s, "x", 1, 0, at(ref, own_node()), ALEN));
	RX(s);
}
