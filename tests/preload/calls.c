/* SPDX-License-Identifier: BSD-3-Clause */

/* Each family of calls on an AF_TIPC socket, once. What they mean is the conformance suite's. */

#include "cases.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define TYPE 21000

ssize_t __read_chk(int fd, void *buf, size_t len, size_t size);
ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t size, int flags, struct sockaddr *addr,
		       socklen_t *addr_len);
int __poll_chk(struct pollfd *fds, nfds_t cnt, int timeout_ms, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t cnt, const struct timespec *timeout,
		const sigset_t *mask, size_t size);

static void
pair_of(int type, int fds[2])
{
	EQUAL(socketpair(AF_TIPC, type, 0, fds), 0);
}

static void
names_and_options(void)
{
	struct sockaddr_tipc own, peer;
	socklen_t len = sizeof(own);
	uint32_t value = TIPC_HIGH_IMPORTANCE;
	int fds[2], type = 0, domain = 0;

	connected(SOCK_SEQPACKET, TYPE, fds);
	EQUAL(getsockname(fds[0], (struct sockaddr *)&own, &len), 0);
	EQUAL(len, sizeof(own));
	len = sizeof(peer);
	EQUAL(getpeername(fds[1], (struct sockaddr *)&peer, &len), 0);
	EQUAL(own.addr.id.ref, peer.addr.id.ref);
	EQUAL(setsockopt(fds[0], SOL_TIPC, TIPC_IMPORTANCE, &value, sizeof(value)), 0);
	value = 0;
	len = sizeof(value);
	EQUAL(getsockopt(fds[0], SOL_TIPC, TIPC_IMPORTANCE, &value, &len), 0);
	EQUAL(value, TIPC_HIGH_IMPORTANCE);
	len = sizeof(type);
	EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &type, &len), 0);
	EQUAL(type, SOCK_SEQPACKET);
	EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_DOMAIN, &domain, &len), 0);
	EQUAL(domain, AF_TIPC);
	FAILS(setsockopt(fds[0], SOL_SOCKET, 9999, &value, sizeof(value)), ENOPROTOOPT);
	FAILS(socket(AF_TIPC, SOCK_RAW, 0), EPROTOTYPE);
}

static void
send_and_recv(void)
{
	struct sockaddr_tipc from = {0}, to = service(TYPE, 0);
	struct iovec iov[2] = {{"ab", 2}, {"cde", 3}}, in = {0};
	struct msghdr out = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov, .msg_iovlen = 2};
	struct mmsghdr many[2] = {{.msg_hdr = out}, {.msg_hdr = out}};
	int fd = bound_rdm(TYPE);
	socklen_t len = sizeof(from);
	char buf[2][16];

	send_to(fd, TYPE, "one");
	EQUAL(recvfrom(fd, buf[0], 16, 0, (struct sockaddr *)&from, &len), 3);
	EQUAL(len, sizeof(from));
	EQUAL(from.addrtype, TIPC_SOCKET_ADDR);
	EQUAL(sendmsg(fd, &out, 0), 5);
	in = (struct iovec){buf[0], 16};
	out = (struct msghdr){.msg_iov = &in, .msg_iovlen = 1};
	EQUAL(recvmsg(fd, &out, 0), 5);
	CHECK(memcmp(buf[0], "abcde", 5) == 0);
	EQUAL(sendmmsg(fd, many, 2, 0), 2);
	memset(many, 0, sizeof(many));
	iov[0] = (struct iovec){buf[0], 16};
	iov[1] = (struct iovec){buf[1], 16};
	many[0].msg_hdr = (struct msghdr){.msg_iov = &iov[0], .msg_iovlen = 1};
	many[1].msg_hdr = (struct msghdr){.msg_iov = &iov[1], .msg_iovlen = 1};
	EQUAL(recvmmsg(fd, many, 2, 0, NULL), 2);
	EQUAL(many[1].msg_len, 5);
	FAILS(recv(fd, buf[0], 16, MSG_DONTWAIT), EAGAIN);
	EQUAL(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	EQUAL(send(fd, "two", 3, 0), 3);
	expect(fd, "two");
}

static void
read_and_write(void)
{
	struct iovec iov[2] = {{"ab", 2}, {"cde", 3}}, in[2];
	char a[2], b[8];
	int fds[2];

	in[0] = (struct iovec){a, 2};
	in[1] = (struct iovec){b, 8};
	pair_of(SOCK_STREAM, fds);
	EQUAL(write(fds[0], "abc", 3), 3);
	EQUAL(read(fds[1], b, 8), 3);
	EQUAL(writev(fds[0], iov, 2), 5);
	EQUAL(readv(fds[1], in, 2), 5);
	CHECK(memcmp(a, "ab", 2) == 0 && memcmp(b, "cde", 3) == 0);
	EQUAL(pwritev2(fds[0], iov, 2, -1, 0), 5);
	EQUAL(preadv2(fds[1], in, 2, -1, 0), 5);
	FAILS(preadv2(fds[1], in, 2, -1, RWF_NOWAIT), EAGAIN);
	FAILS(preadv2(fds[1], in, 2, 0, 0), ESPIPE);
	FAILS(pread(fds[1], b, 8, 0), ESPIPE);
	FAILS(pwrite(fds[1], b, 8, 0), ESPIPE);
	FAILS(preadv(fds[1], in, 2, 0), ESPIPE);
	FAILS(lseek(fds[1], 0, SEEK_CUR), ESPIPE);
	EQUAL(dprintf(fds[0], "%d %s", 7, "up"), 4);
	expect(fds[1], "7 up");
}

static void
fortified(void)
{
	struct timespec none = {0};
	struct pollfd p = {.events = POLLIN};
	char buf[16];
	int fds[2];

	pair_of(SOCK_SEQPACKET, fds);
	p.fd = fds[1];
	EQUAL(write(fds[0], "a", 1), 1);
	EQUAL(__poll_chk(&p, 1, -1, sizeof(p)), 1);
	EQUAL(__read_chk(fds[1], buf, 16, 16), 1);
	EQUAL(__ppoll_chk(&p, 1, &none, NULL, sizeof(p)), 0);
	EQUAL(write(fds[0], "ab", 2), 2);
	EQUAL(__recv_chk(fds[1], buf, 16, 16, 0), 2);
	EQUAL(write(fds[0], "abc", 3), 3);
	EQUAL(__recvfrom_chk(fds[1], buf, 16, 16, 0, NULL, NULL), 3);
}

static void
from_a_file(void)
{
	char block[3000], got[3000], name[] = "/tmp/dptipc-preload-XXXXXX";
	int fds[2], pipes[2], file = mkstemp(name);
	off_t offset = 1000;
	size_t have = 0;

	CHECK(file >= 0);
	unlink(name);
	memset(block, 'f', sizeof(block));
	block[0] = 'F';
	EQUAL(write(file, block, sizeof(block)), sizeof(block));
	EQUAL(lseek(file, 0, SEEK_SET), 0);
	pair_of(SOCK_STREAM, fds);
	EQUAL(sendfile(fds[0], file, NULL, 5000), 3000);
	EQUAL(lseek(file, 0, SEEK_CUR), 3000);
	while (have < sizeof(got)) {
		ssize_t n = read(fds[1], got + have, sizeof(got) - have);

		CHECK(n > 0);
		have += (size_t)n;
	}
	CHECK(memcmp(block, got, sizeof(got)) == 0);
	EQUAL(sendfile(fds[0], file, &offset, 500), 500);
	EQUAL(offset, 1500);
	EQUAL(lseek(file, 0, SEEK_CUR), 3000);
	EQUAL(read(fds[1], got, sizeof(got)), 500);
	EQUAL(pipe(pipes), 0);
	FAILS(sendfile(pipes[1], fds[1], NULL, 10), EINVAL);
	EQUAL(write(pipes[1], "spliced", 7), 7);
	EQUAL(splice(pipes[0], NULL, fds[0], NULL, 100, 0), 7);
	EQUAL(splice(fds[1], NULL, pipes[1], NULL, 4, 0), 4);
	EQUAL(splice(fds[1], NULL, pipes[1], NULL, 100, 0), 3);
	EQUAL(read(pipes[0], got, 10), 7);
	CHECK(memcmp(got, "spliced", 7) == 0);
	FAILS(splice(pipes[0], NULL, fds[0], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	FAILS(splice(fds[1], NULL, pipes[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	FAILS(splice(fds[1], &offset, pipes[1], NULL, 1, 0), ESPIPE);
	FAILS(splice(fds[1], NULL, file, NULL, 1, 0), EINVAL);
}

static void
stdio_streams(void)
{
	char line[64];
	FILE *in, *out;
	int fds[2], open = fds_open();

	pair_of(SOCK_STREAM, fds);
	in = fdopen(fds[0], "r");
	out = fdopen(fds[1], "w");
	CHECK(in && out);
	EQUAL(fileno(in), fds[0]);
	EQUAL(fileno_unlocked(out), fds[1]);
	CHECK(fprintf(out, "line %d\nand more\n", 1) > 0);
	EQUAL(fflush(out), 0);
	CHECK(fgets(line, sizeof(line), in));
	CHECK(strcmp(line, "line 1\n") == 0);
	CHECK(fgets(line, sizeof(line), in));
	CHECK(strcmp(line, "and more\n") == 0);
	EQUAL(fclose(out), 0);
	/* (a close without shutdown is a reset) */
	CHECK(!fgets(line, sizeof(line), in));
	EQUAL(fclose(in), 0);
	FAILS(fcntl(fds[0], F_GETFD), EBADF);
	FAILS(fcntl(fds[1], F_GETFD), EBADF);
	/* What dptipcd is spoken to with may have come. */
	CHECK(fds_open() <= open + 2);
}

static void
fcntl_and_ioctl(void)
{
	struct tipc_sioc_nodeid_req req = {0};
	struct sockaddr_tipc own;
	socklen_t len = sizeof(own);
	int fd = bound_rdm(TYPE), one = 1, copy;
	char buf[8];

	EQUAL(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	EQUAL(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	FAILS(recv(fd, buf, 8, 0), EAGAIN);
	EQUAL(fcntl(fd, F_SETFL, 0), 0);
	EQUAL(ioctl(fd, FIONBIO, &one), 0);
	FAILS(read(fd, buf, 8), EAGAIN);
	EQUAL(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 40);
	CHECK(copy >= 40);
	EQUAL(fcntl(copy, F_GETFD), FD_CLOEXEC);
	send_to(copy, TYPE, "x");
	FAILS(ioctl(fd, 0x8901 /* FIOSETOWN */, &one), ENOTTY);
	EQUAL(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	req.peer = own.addr.id.node;
	EQUAL(ioctl(fd, SIOCGETNODEID, &req), 0);
	CHECK(req.node_id[0]);
	req.peer = 0x7654321;
	FAILS(ioctl(fd, SIOCGETNODEID, &req), EADDRNOTAVAIL);
}

static void
shut_down(void)
{
	char buf[8];
	int fds[2];

	pair_of(SOCK_STREAM, fds);
	EQUAL(shutdown(fds[0], SHUT_RDWR), 0);
	EQUAL(recv(fds[1], buf, 8, 0), 0);
	/* (never a signal) */
	FAILS(send(fds[1], "x", 1, 0), EPIPE);
	FAILS(shutdown(fds[1], SHUT_RD), EINVAL);
	EQUAL(close(fds[0]), 0);
	EQUAL(close(fds[1]), 0);
	FAILS(close(fds[1]), EBADF);
	FAILS(send(fds[1], "x", 1, 0), EBADF);
	FAILS(recv(fds[1], buf, 1, 0), EBADF);
}

static const struct test_case cases[] = {
	CASE(names_and_options), CASE(send_and_recv), CASE(read_and_write),  CASE(fortified),
	CASE(from_a_file),	 CASE(stdio_streams), CASE(fcntl_and_ioctl), CASE(shut_down),
};

CASES_MAIN(cases)
