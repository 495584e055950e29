/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * read, write and their kin. Those with an offset (pread and so on) fail on the descriptor as they
 * fail on every socket, so they are the C library's.
 */

#include "preload_fd.h"
#include "preload_epoll.h"
#include "preload_message.h"
#include "preload_netlink.h"
#include "preload_real.h"

#include <limits.h>
#include <unistd.h>

#include "dptipc.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif
/* What a sendfile puts into one message: the kernel does it page by page. */
#define FILE_PIECE_BYTES 4096

ssize_t
preload_read(int fd, void *buf, size_t len)
{
	if (fd_is_foreign(fd))
		return dpt_real.read(fd, buf, len);
	switch (fd_kind(fd)) {
	case FD_OURS:
		/* (of a number that was closed behind our back it makes the C library's call) */
		return edge_was_read(fd, dptipc_read(fd, buf, len));
	case FD_NL:
		return message_recv_nl(fd, buf, len, 0);
	default:
		return dpt_real.read(fd, buf, len);
	}
}

ssize_t
preload___read_chk(int fd, void *buf, size_t len, size_t size)
{
	/* (the C library ends the program, with its own words) */
	if (len > size)
		return dpt_real.__read_chk(fd, buf, len, size);
	return preload_read(fd, buf, len);
}

ssize_t
preload_write(int fd, const void *buf, size_t len)
{
	bool is_ours;
	ssize_t sent;

	if (fd_is_foreign(fd))
		return dpt_real.write(fd, buf, len);
	switch (fd_kind(fd)) {
	case FD_OURS:
		return dptipc_write(fd, buf, len);
	case FD_NL:
	case FD_NL_NEW:
		sent = message_send_nl(fd, buf, len, 0, &is_ours);
		if (is_ours)
			return sent;
		break;
	default:
		break;
	}
	return dpt_real.write(fd, buf, len);
}

/* ---- vectors ---- */

static struct msghdr
msg_of(const struct iovec *iov, int cnt)
{
	return (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)iov,
			       .msg_iovlen = cnt > 0 ? (size_t)cnt : 0};
}

ssize_t
preload_readv(int fd, const struct iovec *iov, int cnt)
{
	struct msghdr msg;

	if (fd_is_foreign(fd))
		return dpt_real.readv(fd, iov, cnt);
	switch (fd_kind(fd)) {
	case FD_OURS:
		return edge_was_read(fd, dptipc_readv(fd, iov, cnt));
	case FD_NL:
		msg = msg_of(iov, cnt);
		return nl_recv(fd, &msg, 0);
	default:
		return dpt_real.readv(fd, iov, cnt);
	}
}

ssize_t
preload_writev(int fd, const struct iovec *iov, int cnt)
{
	struct msghdr msg;
	bool is_ours;
	ssize_t sent;

	if (fd_is_foreign(fd))
		return dpt_real.writev(fd, iov, cnt);
	switch (fd_kind(fd)) {
	case FD_OURS:
		return dptipc_writev(fd, iov, cnt);
	case FD_NL:
	case FD_NL_NEW:
		msg = msg_of(iov, cnt);
		sent = nl_send(fd, &msg, 0, &is_ours);
		if (is_ours)
			return sent;
		break;
	default:
		break;
	}
	return dpt_real.writev(fd, iov, cnt);
}

/* Offset -1: as readv and writev; others do not go with sockets. Returns the flags of a message. */
static int
offset_check(const struct iovec *iov, int cnt, off64_t offset, int flags)
{
	if (offset != -1)
		errno = offset < -1 ? EINVAL : ESPIPE;
	else if (flags & ~RWF_NOWAIT)
		errno = EOPNOTSUPP;
	else if (cnt < 0 || cnt > IOV_MAX)
		errno = EINVAL;
	else if (cnt && !iov)
		errno = EFAULT;
	else
		return flags & RWF_NOWAIT ? MSG_DONTWAIT : 0;
	return -1;
}

ssize_t
preload_preadv64v2(int fd, const struct iovec *iov, int cnt, off64_t offset, int flags)
{
	struct msghdr msg;
	int msg_flags;

	if (fd_is_foreign(fd) || fd_kind(fd) != FD_OURS)
		return dpt_real.preadv64v2(fd, iov, cnt, offset, flags);
	msg_flags = offset_check(iov, cnt, offset, flags);
	if (msg_flags < 0)
		return -1;
	msg = msg_of(iov, cnt);
	return edge_was_read(fd, msg_flags ? dptipc_recvmsg(fd, &msg, msg_flags)
					   : dptipc_readv(fd, iov, cnt));
}

ssize_t
preload_pwritev64v2(int fd, const struct iovec *iov, int cnt, off64_t offset, int flags)
{
	struct msghdr msg;
	int msg_flags;

	if (fd_is_foreign(fd) || fd_kind(fd) != FD_OURS)
		return dpt_real.pwritev64v2(fd, iov, cnt, offset, flags);
	msg_flags = offset_check(iov, cnt, offset, flags);
	if (msg_flags < 0)
		return -1;
	msg = msg_of(iov, cnt);
	return dptipc_sendmsg(fd, &msg, msg_flags);
}

ssize_t
preload_preadv2(int fd, const struct iovec *iov, int cnt, off_t offset, int flags)
{
	return preload_preadv64v2(fd, iov, cnt, offset, flags);
}

ssize_t
preload_pwritev2(int fd, const struct iovec *iov, int cnt, off_t offset, int flags)
{
	return preload_pwritev64v2(fd, iov, cnt, offset, flags);
}

/* ---- from file to socket ---- */

/* What was read and could not be sent goes back: the file's own position is as if not read. */
static ssize_t
sendfile_end(int from, const off64_t *offset, ssize_t unsent, size_t total)
{
	int error = errno;

	if (unsent > 0 && !offset)
		(void)lseek64(from, -unsent, SEEK_CUR);
	errno = error;
	return total ? (ssize_t)total : -1;
}

static ssize_t
sendfile_ours(int to, int from, off64_t *offset, size_t len)
{
	char piece[FILE_PIECE_BYTES];
	size_t total = 0;

	while (total < len) {
		size_t want = len - total > sizeof(piece) ? sizeof(piece) : len - total;
		ssize_t got = offset ? pread64(from, piece, want, *offset)
				     : dpt_real.read(from, piece, want);
		ssize_t sent;

		if (got < 0)
			return total ? (ssize_t)total : -1;
		if (got == 0)
			break;
		sent = dptipc_send(to, piece, (size_t)got, 0);
		if (sent < 0)
			return sendfile_end(from, offset, got, total);
		total += (size_t)sent;
		if (offset)
			*offset += sent;
		if (sent < got)
			return sendfile_end(from, offset, got - sent, total);
	}
	return (ssize_t)total;
}

ssize_t
preload_sendfile64(int to, int from, off64_t *offset, size_t len)
{
	/* The kernel asks for pages there: nothing is sent from a socket. */
	if (!fd_is_foreign(from) && fd_kind(from) == FD_OURS) {
		errno = EINVAL;
		return -1;
	}
	if (fd_is_foreign(to) || fd_kind(to) != FD_OURS)
		return dpt_real.sendfile64(to, from, offset, len);
	return sendfile_ours(to, from, offset, len);
}

ssize_t
preload_sendfile(int to, int from, off_t *offset, size_t len)
{
	_Static_assert(sizeof(off_t) == sizeof(off64_t), "one sendfile");
	return preload_sendfile64(to, from, offset, len);
}
