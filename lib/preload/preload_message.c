/* SPDX-License-Identifier: BSD-3-Clause */

/* send and recv, in all their forms. */

#include "preload_fd.h"
#include "preload_epoll.h"
#include "preload_message.h"
#include "preload_netlink.h"
#include "preload_real.h"

#include <limits.h>
#include <string.h>

#include "dptipc.h"

/* ---- sending ---- */

ssize_t
message_send_nl(int fd, const void *buf, size_t len, int flags, bool *is_ours)
{
	struct iovec iov = {(void *)(uintptr_t)buf, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	return nl_send(fd, &msg, flags, is_ours);
}

ssize_t
preload_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,
	       socklen_t addr_len)
{
	struct iovec iov = {(void *)(uintptr_t)buf, len};
	struct msghdr msg = {.msg_name = (void *)(uintptr_t)addr,
			     .msg_namelen = addr_len,
			     .msg_iov = &iov,
			     .msg_iovlen = 1};
	bool is_ours;
	ssize_t sent;

	if (fd_is_foreign(fd))
		return dpt_real.sendto(fd, buf, len, flags, addr, addr_len);
	switch (fd_kind(fd)) {
	case FD_OURS:
		sent = dptipc_sendto(fd, buf, len, flags, addr, addr_len);
		if (sent >= 0 || !fd_was_stale(fd))
			return sent;
		break;
	case FD_NL:
	case FD_NL_NEW:
		sent = nl_send(fd, &msg, flags, &is_ours);
		if (is_ours)
			return sent;
		break;
	default:
		break;
	}
	return dpt_real.sendto(fd, buf, len, flags, addr, addr_len);
}

ssize_t
preload_send(int fd, const void *buf, size_t len, int flags)
{
	bool is_ours;
	ssize_t sent;

	if (fd_is_foreign(fd))
		return dpt_real.send(fd, buf, len, flags);
	switch (fd_kind(fd)) {
	case FD_OURS:
		sent = dptipc_send(fd, buf, len, flags);
		if (sent >= 0 || !fd_was_stale(fd))
			return sent;
		break;
	case FD_NL:
	case FD_NL_NEW:
		sent = message_send_nl(fd, buf, len, flags, &is_ours);
		if (is_ours)
			return sent;
		break;
	default:
		break;
	}
	return dpt_real.send(fd, buf, len, flags);
}

ssize_t
preload_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	bool is_ours;
	ssize_t sent;

	if (fd_is_foreign(fd))
		return dpt_real.sendmsg(fd, msg, flags);
	switch (fd_kind(fd)) {
	case FD_OURS:
		sent = dptipc_sendmsg(fd, msg, flags);
		if (sent >= 0 || !fd_was_stale(fd))
			return sent;
		break;
	case FD_NL:
	case FD_NL_NEW:
		sent = nl_send(fd, msg, flags, &is_ours);
		if (is_ours)
			return sent;
		break;
	default:
		break;
	}
	return dpt_real.sendmsg(fd, msg, flags);
}

int
preload_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int cnt, int flags)
{
	enum fd_kind kind = fd_is_foreign(fd) ? FD_FOREIGN : fd_kind(fd);
	unsigned int i;
	int sent;

	if (kind == FD_OURS) {
		sent = dptipc_sendmmsg(fd, msgs, cnt, flags);
		if (sent >= 0 || !fd_was_stale(fd))
			return sent;
	}
	if (kind != FD_NL && kind != FD_NL_NEW)
		return dpt_real.sendmmsg(fd, msgs, cnt, flags);
	for (i = 0; i < cnt && i < IOV_MAX; i++) {
		ssize_t bytes = preload_sendmsg(fd, &msgs[i].msg_hdr, flags);

		if (bytes < 0)
			return i ? (int)i : -1;
		msgs[i].msg_len = (unsigned int)bytes;
	}
	return (int)i;
}

/* ---- receiving ---- */

/* Descriptors came along: what they are is found out when they are used. */
static void
rights_note(int from, const struct msghdr *msg)
{
	enum fd_kind kind = fd_noted(from) == FD_ATTACH ? FD_FOREIGN : FD_UNKNOWN;
	struct msghdr *hdr = (struct msghdr *)(uintptr_t)msg;
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(hdr); cmsg; cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		size_t i, cnt = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < cnt; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			fd_made(fd, kind);
		}
	}
}

static ssize_t
recvmsg_foreign(int fd, struct msghdr *msg, int flags)
{
	ssize_t got = dpt_real.recvmsg(fd, msg, flags);

	if (got >= 0 && msg->msg_controllen >= sizeof(struct cmsghdr))
		rights_note(fd, msg);
	return got;
}

ssize_t
preload_recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t got;

	if (fd_is_foreign(fd))
		return recvmsg_foreign(fd, msg, flags);
	switch (fd_kind(fd)) {
	case FD_OURS:
		got = edge_was_read(fd, dptipc_recvmsg(fd, msg, flags));
		if (got >= 0 || !fd_was_stale(fd))
			return got;
		break;
	case FD_NL:
		return nl_recv(fd, msg, flags);
	default:
		break;
	}
	return recvmsg_foreign(fd, msg, flags);
}

static ssize_t
recvfrom_nl(int fd, struct iovec iov, int flags, struct sockaddr *addr, socklen_t *addr_len)
{
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t got;

	if (addr && addr_len) {
		msg.msg_name = addr;
		msg.msg_namelen = *addr_len;
	}
	got = nl_recv(fd, &msg, flags);
	if (got >= 0 && addr && addr_len)
		*addr_len = msg.msg_namelen;
	return got;
}

ssize_t
message_recv_nl(int fd, void *buf, size_t len, int flags)
{
	return recvfrom_nl(fd, (struct iovec){buf, len}, flags, NULL, NULL);
}

ssize_t
preload_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
		 socklen_t *addr_len)
{
	ssize_t got;

	if (fd_is_foreign(fd))
		return dpt_real.recvfrom(fd, buf, len, flags, addr, addr_len);
	switch (fd_kind(fd)) {
	case FD_OURS:
		got = edge_was_read(fd, dptipc_recvfrom(fd, buf, len, flags, addr, addr_len));
		if (got >= 0 || !fd_was_stale(fd))
			return got;
		break;
	case FD_NL:
		return recvfrom_nl(fd, (struct iovec){buf, len}, flags, addr, addr_len);
	default:
		break;
	}
	return dpt_real.recvfrom(fd, buf, len, flags, addr, addr_len);
}

ssize_t
preload_recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t got;

	if (fd_is_foreign(fd))
		return dpt_real.recv(fd, buf, len, flags);
	switch (fd_kind(fd)) {
	case FD_OURS:
		got = edge_was_read(fd, dptipc_recv(fd, buf, len, flags));
		if (got >= 0 || !fd_was_stale(fd))
			return got;
		break;
	case FD_NL:
		return message_recv_nl(fd, buf, len, flags);
	default:
		break;
	}
	return dpt_real.recv(fd, buf, len, flags);
}

/* The first may wait, the others come if they are there. */
static int
recvmmsg_nl(int fd, struct mmsghdr *msgs, unsigned int cnt, int flags)
{
	unsigned int i;

	for (i = 0; i < cnt; i++) {
		ssize_t got = nl_recv(fd, &msgs[i].msg_hdr,
				      (flags & ~MSG_WAITFORONE) | (i ? MSG_DONTWAIT : 0));

		if (got < 0)
			return i ? (int)i : -1;
		msgs[i].msg_len = (unsigned int)got;
	}
	return (int)i;
}

int
preload_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int cnt, int flags,
		 struct timespec *timeout)
{
	enum fd_kind kind = fd_is_foreign(fd) ? FD_FOREIGN : fd_kind(fd);
	int got, i;

	if (kind == FD_OURS) {
		got = (int)edge_was_read(fd, dptipc_recvmmsg(fd, msgs, cnt, flags, timeout));
		if (got >= 0 || !fd_was_stale(fd))
			return got;
	}
	if (kind == FD_NL)
		return recvmmsg_nl(fd, msgs, cnt, flags);
	got = dpt_real.recvmmsg(fd, msgs, cnt, flags, timeout);
	for (i = 0; i < got; i++)
		if (msgs[i].msg_hdr.msg_controllen >= sizeof(struct cmsghdr))
			rights_note(fd, &msgs[i].msg_hdr);
	return got;
}

/* ---- fortified ---- */

ssize_t
preload___recv_chk(int fd, void *buf, size_t len, size_t size, int flags)
{
	/* (the C library ends the program, with its own words) */
	if (len > size)
		return dpt_real.__recv_chk(fd, buf, len, size, flags);
	return preload_recv(fd, buf, len, flags);
}

/* (its parameters are those of the C library) */
ssize_t
preload___recvfrom_chk(int fd, void *buf, size_t len, size_t size, int flags, struct sockaddr *addr,
		       socklen_t *addr_len)
{
	if (len > size)
		return dpt_real.__recvfrom_chk(fd, buf, len, size, flags, addr, addr_len);
	return preload_recvfrom(fd, buf, len, flags, addr, addr_len);
}
