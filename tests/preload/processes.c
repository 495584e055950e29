/* SPDX-License-Identifier: BSD-3-Clause */

/* Descriptors that are copied, inherited, handed over and closed in all the ways there are. */

#include "cases.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define TYPE	    21200
#define STACK_BYTES (256 << 10)

extern char **environ;
pid_t _Fork(void);

static void
copies(void)
{
	int fd = bound_rdm(TYPE), file = open("/dev/zero", O_RDONLY), copies[5], i;
	char octet = 1;

	copies[0] = dup(fd);
	copies[1] = dup2(fd, 50);
	copies[2] = dup3(fd, 51, O_CLOEXEC);
	copies[3] = fcntl(fd, F_DUPFD, 60);
	/* onto another socket, which ends with it */
	copies[4] = dup2(fd, bound_rdm(TYPE + 1));
	EQUAL(close(fd), 0);
	for (i = 0; i < 5; i++) {
		CHECK(copies[i] >= 0);
		send_to(copies[i], TYPE, "x");
		expect(copies[(i + 1) % 5], "x");
	}
	EQUAL(dup2(copies[0], copies[0]), copies[0]);
	FAILS(dup3(copies[0], copies[0], 0), EINVAL);
	FAILS(dup2(fd, 52), EBADF);
	/* A file takes the number of a socket, and back. */
	EQUAL(dup2(file, 50), 50);
	EQUAL(read(50, &octet, 1), 1);
	EQUAL(octet, 0);
	EQUAL(dup2(copies[0], file), file);
	send_to(file, TYPE, "y");
	expect(51, "y");
}

static void
numbers_come_back(void)
{
	int fd = bound_rdm(TYPE), again, pipes[2];
	char octet;

	EQUAL(close(fd), 0);
	EQUAL(pipe(pipes), 0);
	EQUAL(pipes[0], fd);
	EQUAL(write(pipes[1], "p", 1), 1);
	EQUAL(read(pipes[0], &octet, 1), 1);
	EQUAL(close(pipes[0]), 0);
	again = bound_rdm(TYPE);
	EQUAL(again, fd);
	send_to(again, TYPE, "x");
	expect(again, "x");
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
ranges(void)
{
	int low = bound_rdm(TYPE), file, high, fds[2];

	EQUAL(dup2(low, 100), 100);
	file = open("/dev/null", O_RDONLY);
	high = dup2(file, 101);
	EQUAL(close_range(100, 101, 0), 0);
	CHECK(is_open(low) && is_open(file) && !is_open(100) && !is_open(high));
	EQUAL(dup2(low, 100), 100);
	EQUAL(close_range(3, ~0u, CLOSE_RANGE_CLOEXEC), 0);
	EQUAL(fcntl(100, F_GETFD), FD_CLOEXEC);
	send_to(100, TYPE, "x");
	expect(low, "x");
	/* A daemon closes everything: the way to dptipcd stays. */
	closefrom(3);
	CHECK(!is_open(low) && !is_open(file) && !is_open(100));
	FAILS(send(100, "x", 1, 0), EBADF);
	EQUAL(socketpair(AF_TIPC, SOCK_STREAM, 0, fds), 0);
	EQUAL(write(fds[0], "x", 1), 1);
	expect(fds[1], "x");
}

/* What the program closes without the C library is not taken for a socket any more. */
static void
closed_behind_our_back(void)
{
	int fd = bound_rdm(TYPE), other = bound_rdm(TYPE + 1), pair[2], tries = 0;
	char buf[8];

	EQUAL(syscall(SYS_close, fd), 0);
	/* Its end is known when its name is gone. */
	while (tries++ < 100000) {
		struct sockaddr_tipc to = service(TYPE, 0);

		if (sendto(other, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			break;
		sched_yield();
	}
	EQUAL(errno, EHOSTUNREACH);
	/* (answered by whoever has closed it, after that) */
	EQUAL(bind(other, NULL, 0), 0);
	EQUAL(syscall(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	EQUAL(pair[0], fd);
	EQUAL(send(pair[0], "file", 4, 0), 4);
	EQUAL(recv(pair[1], buf, 8, 0), 4);
	EQUAL(write(pair[1], "back", 4), 4);
	EQUAL(read(pair[0], buf, 8), 4);
	EQUAL(close(pair[0]), 0);
	/* Another socket in its place in the memory, under another number. */
	EQUAL(dup2(bound_rdm(TYPE), 70), 70);
	send_to(other, TYPE, "x");
	expect(70, "x");
}

static void
forked(void)
{
	int fd = bound_rdm(TYPE), fds[2], i;
	pid_t pids[4];

	connected(SOCK_SEQPACKET, TYPE + 1, fds);
	for (i = 0; i < 4; i++) {
		pids[i] = i % 2 ? fork() : _Fork();
		if (pids[i] == 0) {
			send_to(fd, TYPE, "child");
			EQUAL(write(fds[0], "s", 1), 1);
			EQUAL(close(fd), 0);
			_exit(0);
		}
	}
	for (i = 0; i < 4; i++) {
		expect(fd, "child");
		expect(fds[1], "s");
		reap(pids[i]);
	}
	EQUAL(write(fds[1], "p", 1), 1);
	expect(fds[0], "p");
}

static int
child_main(void *arg)
{
	int fd = *(int *)arg;

	/* A process of its own: what it closes is closed here only. */
	send_to(fd, TYPE, "clone");
	EQUAL(close(fd), 0);
	EQUAL(open("/dev/null", O_RDWR), fd);
	EQUAL(write(fd, "x", 1), 1);
	return 0;
}

static void
cloned(void)
{
	char *stack =
		mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = bound_rdm(TYPE);

	CHECK(stack != MAP_FAILED);
	reap(clone(child_main, stack + STACK_BYTES, SIGCHLD, &fd));
	expect(fd, "clone");
}

/* exec of ourselves with one more word: see main. */
static char number_word[16];
static char *child_words[] = {NULL, "as_child", number_word, NULL};

static char **
words_for(int fd)
{
	child_words[0] = cases_argv[0];
	snprintf(number_word, sizeof(number_word), "%d", fd);
	return child_words;
}

/* What the new image does with the descriptor that it has inherited. */
static int
as_child(int fd)
{
	struct sockaddr_tipc own;
	socklen_t len = sizeof(own);
	int domain = 0;

	EQUAL(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	EQUAL(own.family, AF_TIPC);
	len = sizeof(domain);
	EQUAL(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len), 0);
	EQUAL(domain, AF_TIPC);
	expect(fd, "to the child");
	send_to(fd, TYPE + 5, "from the child");
	return 0;
}

static void
answer_of_child(int fd, pid_t pid)
{
	CHECK(pid > 0);
	expect(fd, "from the child");
	reap(pid);
}

static void
executed(void)
{
	int fd = bound_rdm(TYPE), back = bound_rdm(TYPE + 5);
	char **words = words_for(fd);
	pid_t pid;

	send_to(back, TYPE, "to the child");
	pid = fork();
	if (pid == 0) {
		execv("/proc/self/exe", words);
		_exit(1);
	}
	answer_of_child(back, pid);
	send_to(back, TYPE, "still here");
	expect(fd, "still here");
}

/* The child of vfork copies and closes before it becomes another program. None of that is ours. */
static void
vforked(void)
{
	int fd = bound_rdm(TYPE), back = bound_rdm(TYPE + 5), other = bound_rdm(TYPE + 6);
	char **words = words_for(40);
	pid_t pid;

	send_to(back, TYPE, "to the child");
	pid = vfork();
	if (pid == 0) {
		if (dup2(fd, 40) != 40 || dup2(fd, back) < 0 || close(fd) < 0 || close(other) < 0)
			_exit(2);
		closefrom(41);
		execv("/proc/self/exe", words);
		_exit(1);
	}
	answer_of_child(back, pid);
	send_to(other, TYPE + 6, "here");
	expect(other, "here");
	send_to(back, TYPE, "still here");
	expect(fd, "still here");
	CHECK(!is_open(40));
	EQUAL(open("/dev/null", O_RDONLY), back + 2);
}

static void
spawned(void)
{
	int fd = bound_rdm(TYPE), back = bound_rdm(TYPE + 5);
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	EQUAL(posix_spawn_file_actions_adddup2(&actions, fd, 0), 0);
	EQUAL(posix_spawn_file_actions_addclose(&actions, fd), 0);
	send_to(back, TYPE, "to the child");
	EQUAL(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, words_for(0), environ), 0);
	answer_of_child(back, pid);
	posix_spawn_file_actions_destroy(&actions);
}

static void
fd_send(int over, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec iov = {"f", 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	EQUAL(sendmsg(over, &msg, 0), 1);
}

static int
fd_receive(int over)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))), octet;
	struct iovec iov = {&octet, 1};
	struct mmsghdr msg = {.msg_hdr = {.msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control)}};
	int fd = -1;

	EQUAL(recvmmsg(over, &msg, 1, 0, NULL), 1);
	CHECK(CMSG_FIRSTHDR(&msg.msg_hdr));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg.msg_hdr)), sizeof(fd));
	CHECK(fd >= 0);
	return fd;
}

/* To a process that has an attachment of its own, and under a number that was something else. */
static void
handed_over(void)
{
	int over[2], fd, back, got, file;
	pid_t pid;

	EQUAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, over), 0);
	pid = fork();
	if (pid == 0) {
		back = bound_rdm(TYPE + 5);
		file = open("/dev/null", O_RDWR);
		EQUAL(write(file, "x", 1), 1);
		EQUAL(close(file), 0);
		got = fd_receive(over[1]);
		EQUAL(got, file);
		expect(got, "to the child");
		send_to(got, TYPE + 5, "across");
		expect(back, "across");
		EQUAL(close(got), 0);
		fd_send(over[1], back);
		_exit(0);
	}
	fd = bound_rdm(TYPE);
	send_to(fd, TYPE, "to the child");
	fd_send(over[0], fd);
	got = fd_receive(over[0]);
	send_to(fd, TYPE + 5, "both");
	expect(got, "both");
	reap(pid);
	/* A file that is handed over is a file. */
	EQUAL(close(got), 0);
	fd_send(over[0], open("/dev/zero", O_RDONLY));
	got = fd_receive(over[1]);
	file = 1;
	EQUAL(read(got, &file, sizeof(file)), sizeof(file));
	EQUAL(file, 0);
}

static void
not_leaked(void)
{
	int open, i, fds[2];

	EQUAL(close(bound_rdm(TYPE)), 0);
	open = fds_open();
	for (i = 0; i < 200; i++) {
		EQUAL(close(bound_rdm(TYPE)), 0);
		connected(SOCK_STREAM, TYPE, fds);
		EQUAL(close(fds[0]), 0);
		EQUAL(close(fds[1]), 0);
		FAILS(socket(AF_TIPC, SOCK_RAW, 0), EPROTOTYPE);
	}
	EQUAL(fds_open(), open);
}

/* Sockets come and go in some threads while others use files under the same numbers. */
#define LOOPS 400
static void *
files_loop(void *arg)
{
	int i;

	for (i = 0; i < LOOPS; i++) {
		int pipes[2], number = i;

		EQUAL(pipe(pipes), 0);
		EQUAL(write(pipes[1], &number, sizeof(number)), sizeof(number));
		number = -1;
		EQUAL(read(pipes[0], &number, sizeof(number)), sizeof(number));
		EQUAL(number, i);
		EQUAL(close(pipes[0]), 0);
		EQUAL(close(pipes[1]), 0);
	}
	return arg;
}

static void *
sockets_loop(void *arg)
{
	int i;

	for (i = 0; i < LOOPS; i++) {
		int fds[2], number = i;

		EQUAL(socketpair(AF_TIPC, SOCK_SEQPACKET, 0, fds), 0);
		EQUAL(write(fds[1], &number, sizeof(number)), sizeof(number));
		number = -1;
		EQUAL(read(fds[0], &number, sizeof(number)), sizeof(number));
		EQUAL(number, i);
		EQUAL(close(fds[0]), 0);
		EQUAL(close(fds[1]), 0);
	}
	return arg;
}

static void
numbers_among_threads(void)
{
	pthread_t ids[6];
	int i, open;

	EQUAL(close(bound_rdm(TYPE)), 0);
	open = fds_open();
	for (i = 0; i < 6; i++)
		EQUAL(pthread_create(&ids[i], NULL, i % 2 ? files_loop : sockets_loop, NULL), 0);
	for (i = 0; i < 6; i++)
		EQUAL(pthread_join(ids[i], NULL), 0);
	EQUAL(fds_open(), open);
}

static const struct test_case cases[] = {
	CASE(copies),	  CASE(numbers_come_back),
	CASE(ranges),	  CASE(closed_behind_our_back),
	CASE(forked),	  CASE(cloned),
	CASE(executed),	  CASE(vforked),
	CASE(spawned),	  CASE(handed_over),
	CASE(not_leaked), CASE(numbers_among_threads),
};

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "as_child") == 0)
		return as_child(atoi(argv[2]));
	return cases_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
