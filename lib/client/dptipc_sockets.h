/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPTIPC_SOCKETS_H
#define DPTIPC_SOCKETS_H

/*
 * For programs written for AF_TIPC: the plain names of the calls become those of libdptipc,
 *
 *     cc -include dptipc_sockets.h program.c -ldptipc
 *
 * and the program need not be changed. Sockets of other families keep working: what is made
 * with another family goes to the C library, and so does every call on a descriptor that is not
 * ours. Not mapped: epoll, which works on the descriptors as they are (dptipc.h says how near),
 * and what the C library calls itself (stdio on a socket, sendfile, splice).
 */

/* Before the names change: the headers that declare them. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dptipc.h"

#define DPTIPC_ANY static inline __attribute__((unused))

DPTIPC_ANY int
dptipc_any_socket(int family, int type, int protocol)
{
	return family == AF_TIPC ? dptipc_socket(family, type, protocol)
				 : socket(family, type, protocol);
}

DPTIPC_ANY int
dptipc_any_socketpair(int family, int type, int protocol, int fds[2])
{
	return family == AF_TIPC ? dptipc_socketpair(family, type, protocol, fds)
				 : socketpair(family, type, protocol, fds);
}

/* One function: its prototype, and the call on a descriptor of ours or another. */
#define DPTIPC_ANY_CALL(result, name, prototype, args)                                             \
	DPTIPC_ANY result dptipc_any_##name prototype                                              \
	{                                                                                          \
		return dptipc_is_socket(fd) ? dptipc_##name args : name args;                      \
	}

DPTIPC_ANY_CALL(int, bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
DPTIPC_ANY_CALL(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
DPTIPC_ANY_CALL(int, listen, (int fd, int backlog), (fd, backlog))
DPTIPC_ANY_CALL(int, accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
DPTIPC_ANY_CALL(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),
		(fd, addr, len, flags))
DPTIPC_ANY_CALL(int, getsockname, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
DPTIPC_ANY_CALL(int, getpeername, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
DPTIPC_ANY_CALL(int, setsockopt, (int fd, int level, int name, const void *val, socklen_t len),
		(fd, level, name, val, len))
DPTIPC_ANY_CALL(int, getsockopt, (int fd, int level, int name, void *val, socklen_t *len),
		(fd, level, name, val, len))
DPTIPC_ANY_CALL(int, shutdown, (int fd, int how), (fd, how))
DPTIPC_ANY_CALL(ssize_t, send, (int fd, const void *buf, size_t len, int flags),
		(fd, buf, len, flags))
DPTIPC_ANY_CALL(ssize_t, sendto,
		(int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,
		 socklen_t addr_len),
		(fd, buf, len, flags, addr, addr_len))
DPTIPC_ANY_CALL(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
DPTIPC_ANY_CALL(int, sendmmsg, (int fd, struct mmsghdr *msgs, unsigned int cnt, int flags),
		(fd, msgs, cnt, flags))
DPTIPC_ANY_CALL(ssize_t, recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags))
DPTIPC_ANY_CALL(ssize_t, recvfrom,
		(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
		 socklen_t *addr_len),
		(fd, buf, len, flags, addr, addr_len))
DPTIPC_ANY_CALL(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
DPTIPC_ANY_CALL(int, recvmmsg,
		(int fd, struct mmsghdr *msgs, unsigned int cnt, int flags,
		 struct timespec *timeout),
		(fd, msgs, cnt, flags, timeout))

#undef DPTIPC_ANY_CALL
#undef DPTIPC_ANY

#define socket	    dptipc_any_socket
#define socketpair  dptipc_any_socketpair
#define bind	    dptipc_any_bind
#define connect	    dptipc_any_connect
#define listen	    dptipc_any_listen
#define accept	    dptipc_any_accept
#define accept4	    dptipc_any_accept4
#define getsockname dptipc_any_getsockname
#define getpeername dptipc_any_getpeername
#define setsockopt  dptipc_any_setsockopt
#define getsockopt  dptipc_any_getsockopt
#define shutdown    dptipc_any_shutdown
#define send	    dptipc_any_send
#define sendto	    dptipc_any_sendto
#define sendmsg	    dptipc_any_sendmsg
#define sendmmsg    dptipc_any_sendmmsg
#define recv	    dptipc_any_recv
#define recvfrom    dptipc_any_recvfrom
#define recvmsg	    dptipc_any_recvmsg
#define recvmmsg    dptipc_any_recvmmsg
/* These pass descriptors of others on by themselves. */
#define close	dptipc_close
#define dup	dptipc_dup
#define dup2	dptipc_dup2
#define dup3	dptipc_dup3
#define fcntl	dptipc_fcntl
#define ioctl	dptipc_ioctl
#define read	dptipc_read
#define write	dptipc_write
#define readv	dptipc_readv
#define writev	dptipc_writev
#define poll	dptipc_poll
#define ppoll	dptipc_ppoll
#define select	dptipc_select
#define pselect dptipc_pselect

#endif /* DPTIPC_SOCKETS_H */
