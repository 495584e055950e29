/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Calls that programs make on descriptors of any kind: ours, or passed on to the C library.
 * 09-socket-api.md, 20, 25.
 */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- copies and the end ---- */

/* The number ceases to be ours; no byte is taken from it meanwhile, see byte_take. */
static int
fd_leave(int fd, int (*leave)(int fd, int arg, int flags), int arg, int flags)
{
	enum lock_state lock;
	struct sock s;
	bool is_bound;
	int rc;

	if (table_find(fd, &s) < 0) {
		table_del(fd);
		return leave(fd, arg, flags);
	}
	lock = lock_take(s.att, client_rx_lock(&s));
	table_del(fd);
	is_bound = client_opt(&s)->is_bound;
	rc = leave(fd, arg, flags);
	lock_release(s.att, client_rx_lock(&s), lock);
	/* If that was the last copy its names have gone when the call returns: 17.3. */
	if (rc >= 0 && is_bound) {
		int error = errno;

		(void)attach_sync(s.att);
		errno = error;
	}
	return rc;
}

static int
leave_close(int fd, int arg, int flags)
{
	(void)arg;
	(void)flags;
	return close(fd);
}

static int
leave_dup(int fd, int from, int flags)
{
	return flags < 0 ? dup2(from, fd) : dup3(from, fd, flags);
}

int
dptipc_close(int fd)
{
	return fd_leave(fd, leave_close, 0, 0) < 0 ? fail_errno(errno) : 0;
}

/* A copy of a descriptor came into being. */
static int
copied(int fd, int copy)
{
	struct sock s;

	if (copy < 0)
		return fail_errno(errno);
	if (table_find(fd, &s) == 0 && table_add(copy, s.att, s.idx) < 0) {
		int error = errno;

		close(copy);
		errno = error;
		return -1;
	}
	return copy;
}

int
dptipc_dup(int fd)
{
	return copied(fd, dup(fd));
}

static int
dup_to(int fd, int copy, int flags)
{
	if (fcntl(fd, F_GETFD) < 0)
		return fail_errno(EBADF);
	/* Nothing happens, and nothing is closed. */
	if (fd == copy)
		return flags < 0 ? fd : fail_errno(EINVAL);
	return copied(fd, fd_leave(copy, leave_dup, fd, flags));
}

int
dptipc_dup2(int fd, int copy)
{
	return dup_to(fd, copy, -1);
}

int
dptipc_dup3(int fd, int copy, int flags)
{
	if (flags & ~O_CLOEXEC)
		return fail_errno(EINVAL);
	return dup_to(fd, copy, flags);
}

int
dptipc_fcntl(int fd, int cmd, ...)
{
	struct sock s;
	va_list ap;
	void *arg;
	int rc;

	/* All of fcntl's arguments are an int or a pointer: passed on as they are. */
	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		return copied(fd, fcntl(fd, cmd, arg));
	rc = fcntl(fd, cmd, arg);
	if (rc < 0)
		return fail_errno(errno);
	if (cmd == F_SETFL && table_find(fd, &s) == 0)
		fd_is_nonblock(&s);
	return rc;
}

int
dptipc_is_socket(int fd)
{
	struct sock s;

	return table_find(fd, &s) == 0;
}

/* ---- ioctl: 20 ---- */

static int
ioctl_link_name(const struct sock *s, struct tipc_sioc_ln_req *req)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_LINK_NAME,
				     .arg = {req->peer, req->bearer_id & 0xffff}};
	char text[DPT_ATTACH_NOTE_BYTES];

	if (attach_request_text(s->att, &msg, text, sizeof(text)) < 0)
		return -1;
	memset(req->linkname, 0, sizeof(req->linkname));
	memcpy(req->linkname, text, strnlen(text, sizeof(req->linkname) - 1));
	return 0;
}

static int
ioctl_node_id(const struct sock *s, struct tipc_sioc_nodeid_req *req)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_NODE_ID, .arg = {req->peer}};

	if (attach_request(s->att, &msg, NULL) < 0)
		return -1;
	/* Zeros: the node has no identity yet. Then what is there stays (13-netlink.md, 2.1). */
	if ((msg.arg[0] | msg.arg[1] | msg.arg[2] | msg.arg[3]) != 0)
		memcpy(req->node_id, msg.arg, sizeof(req->node_id));
	return 0;
}

static int
ioctl_ours(const struct sock *s, unsigned long request, void *arg)
{
	int rc;

	switch (request) {
	case SIOCGETLINKNAME:
		return arg ? ioctl_link_name(s, arg) : fail_errno(EFAULT);
	case SIOCGETNODEID:
		return arg ? ioctl_node_id(s, arg) : fail_errno(EFAULT);
	case FIONBIO:
	case FIOASYNC:
	case FIOCLEX:
	case FIONCLEX:
		rc = ioctl(s->fd, request, arg);
		if (rc < 0)
			return fail_errno(errno);
		fd_is_nonblock(s);
		return rc;
	default:
		return fail_errno(ENOTTY);
	}
}

int
dptipc_ioctl(int fd, unsigned long request, ...)
{
	struct sock s;
	va_list ap;
	void *arg;
	int rc;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (table_find(fd, &s) == 0)
		return ioctl_ours(&s, request, arg);
	rc = ioctl(fd, request, arg);
	return rc < 0 ? fail_errno(errno) : rc;
}

/* ---- read, write ---- */

static ssize_t
passed(ssize_t result)
{
	return result < 0 ? fail_errno(errno) : result;
}

ssize_t
dptipc_read(int fd, void *buf, size_t len)
{
	struct sock s;

	if (table_find(fd, &s) < 0)
		return passed(read(fd, buf, len));
	return len ? dptipc_recv(fd, buf, len, 0) : 0;
}

ssize_t
dptipc_write(int fd, const void *buf, size_t len)
{
	struct sock s;

	if (table_find(fd, &s) < 0)
		return passed(write(fd, buf, len));
	return dptipc_send(fd, buf, len, 0);
}

ssize_t
dptipc_readv(int fd, const struct iovec *iov, int iov_cnt)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov};
	struct sock s;
	size_t total = 0;
	int i;

	if (table_find(fd, &s) < 0)
		return passed(readv(fd, iov, iov_cnt));
	if (iov_cnt < 0 || iov_cnt > IOV_MAX)
		return fail_errno(EINVAL);
	if (iov_cnt && !iov)
		return fail_errno(EFAULT);
	for (i = 0; i < iov_cnt; i++)
		total |= iov[i].iov_len;
	if (!total)
		return 0;
	msg.msg_iovlen = (size_t)iov_cnt;
	return dptipc_recvmsg(fd, &msg, 0);
}

ssize_t
dptipc_writev(int fd, const struct iovec *iov, int iov_cnt)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov};
	struct sock s;

	if (table_find(fd, &s) < 0)
		return passed(writev(fd, iov, iov_cnt));
	if (iov_cnt < 0 || iov_cnt > IOV_MAX)
		return fail_errno(EINVAL);
	if (iov_cnt && !iov)
		return fail_errno(EFAULT);
	msg.msg_iovlen = (size_t)iov_cnt;
	return dptipc_sendmsg(fd, &msg, 0);
}

/* ---- several messages ---- */

int
dptipc_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int cnt, int flags)
{
	unsigned int i;

	if (cnt > IOV_MAX)
		cnt = IOV_MAX;
	for (i = 0; i < cnt; i++) {
		ssize_t sent = dptipc_sendmsg(fd, &msgs[i].msg_hdr, flags);

		if (sent < 0)
			return i ? (int)i : -1;
		msgs[i].msg_len = (unsigned int)sent;
	}
	return (int)cnt;
}

int
dptipc_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int cnt, int flags, struct timespec *timeout)
{
	int64_t left_ns = 0, start_ns = 0;
	unsigned int i;

	if (timeout) {
		if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
			return fail_errno(EINVAL);
		start_ns = clock_ns();
	}
	for (i = 0; i < cnt; i++) {
		ssize_t got = dptipc_recvmsg(fd, &msgs[i].msg_hdr, flags & ~MSG_WAITFORONE);

		if (got < 0)
			return i ? (int)i : -1;
		msgs[i].msg_len = (unsigned int)got;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (!timeout)
			continue;
		/* As the kernel: looked at behind each message. */
		left_ns = (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_nsec -
			  (clock_ns() - start_ns);
		if (left_ns <= 0) {
			i++;
			break;
		}
	}
	if (timeout) {
		timeout->tv_sec = left_ns > 0 ? left_ns / 1000000000 : 0;
		timeout->tv_nsec = left_ns > 0 ? left_ns % 1000000000 : 0;
	}
	return (int)i;
}
