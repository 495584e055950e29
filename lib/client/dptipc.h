/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPTIPC_H
#define DPTIPC_H

/*
 * libdptipc: the AF_TIPC socket calls over a dptipcd of this host. Same arguments, same
 * results, same errno as the calls without the prefix; messages go through shared memory
 * instead of system calls.
 *
 *     struct sockaddr_tipc to = { .family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR,
 *                                 .addr.name.name = { .type = 1000, .instance = 1 } };
 *     int fd = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
 *
 *     dptipc_sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to));
 *
 * A socket is a real file descriptor. poll(2), select(2), epoll(7) and event libraries work
 * on it: readable when a message waits. Data calls, names, options and close need the
 * prefix; read(2), write(2), send(2), recv(2) on the descriptor do not transfer messages.
 *
 * What differs from the kernel's sockets
 *   - SOCK_SEQPACKET and SOCK_STREAM are not there yet: EPROTONOSUPPORT.
 *   - Communication groups are not there yet: TIPC_GROUP_JOIN gives ENOPROTOOPT.
 *   - A bad pointer ends in SIGSEGV rather than EFAULT (null pointers: EFAULT).
 *   - ENETDOWN, from every call: dptipcd has ended, or has thrown this process out. Such a
 *     socket does not come back: close it and make another one. poll(2) says POLLHUP.
 *   - A congested socket is writable for poll(2); the send says EAGAIN.
 *   - A wait for room that a signal handler interrupts gives EINTR, whatever SA_RESTART says.
 *   - Close with dptipc_close. A descriptor that was closed with close(2) is forgotten when
 *     its number comes back from dptipc_socket.
 *   - After exec(3), or in a process that got a descriptor over a Unix socket, a descriptor is
 *     dead weight: the shared memory is not there.
 *
 * Threads: every call may be made by any thread, also on the same socket. Processes: after
 * fork(2) both may use the sockets. Signal handlers: no call may be made in one.
 *
 * Errors: -1 and errno. Where errno is not enough, dptipc_error() has a sentence.
 */

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <linux/tipc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Level and options of our own for dptipc_setsockopt, dptipc_getsockopt. */
#define SOL_DPTIPC 0x647074
/*
 * uint32_t, microseconds, 0 .. 1000000, default 50: how long a receive call looks at the
 * memory before it sleeps. 0: it sleeps at once. The default is about the time that waking
 * a sleeper takes.
 */
#define DPTIPC_BUSY_POLL_US 1
/*
 * uint32_t, read only: messages that this socket has refused since it was opened because its
 * receive limit was reached (TIPC_ERR_OVERLOAD), modulo 2^32.
 */
#define DPTIPC_RX_DROPS 2

/*
 * Choose the dptipcd that later dptipc_socket calls of this process use. Not needed for
 * the usual one: the first dptipc_socket attaches by itself.
 *
 * name: as given to dptipcd, at most 63 characters; with a '/': path of its Unix socket,
 * for containers that do not share the network namespace. NULL: $DPTIPC_NAME, else
 * "default". Sockets of an earlier attachment stay as they are. Attaching anew to the same
 * live dptipcd does nothing.
 *
 * Returns 0. Errors, each with a dptipc_error() text: EAFNOSUPPORT (no dptipcd runs under
 * that name: what a program sees where the kernel has no TIPC), EACCES (not allowed),
 * EPROTONOSUPPORT (dptipcd and library do not fit: other ABI version), ENOBUFS (dptipcd
 * has no place left), EINVAL (name), EMFILE, ENFILE, ENOMEM.
 */
int dptipc_attach(const char *name);

/*
 * What went wrong last in a call of this thread, one line without line feed; "" when there
 * was nothing to say beyond errno. Valid until the thread's next call.
 */
const char *dptipc_error(void);

/*
 * As socket(2). family AF_TIPC; type SOCK_RDM or SOCK_DGRAM, with SOCK_NONBLOCK and
 * SOCK_CLOEXEC as wanted; protocol 0. Attaches when there is no live attachment: after a
 * restart of dptipcd new sockets just work.
 * Errors: as dptipc_attach; EPROTONOSUPPORT (protocol; SOCK_STREAM, SOCK_SEQPACKET),
 * EPROTOTYPE (other types), EINVAL (flags), ENFILE, EMFILE, ENOMEM.
 */
int dptipc_socket(int family, int type, int protocol);

/*
 * As bind(2) of AF_TIPC: adds a binding; negative scope: removes it; addrlen 0: removes all.
 * Errors: EINVAL, EAFNOSUPPORT (socket address), EACCES (type below 64), EADDRINUSE,
 * ENETDOWN.
 */
int dptipc_bind(int fd, const struct sockaddr *addr, socklen_t addrlen);

/*
 * As connect(2) on connectionless types: default destination of sends without an address;
 * family AF_UNSPEC clears it. Filters nothing. Errors: EINVAL.
 */
int dptipc_connect(int fd, const struct sockaddr *addr, socklen_t addrlen);

/*
 * Send one message of up to 66000 octets; addr as bind's, of any addrtype; a service range
 * is a multicast. The octets may be reused on return. flags: MSG_DONTWAIT, others ignored.
 * Returns the length: the message is on its way, nothing is said of its arrival (TIPC, see
 * TIPC_DEST_DROPPABLE).
 * Errors: EMSGSIZE, EINVAL (address), EDESTADDRREQ, EHOSTUNREACH, EAGAIN (congested, or
 * dptipcd is behind), EINTR, ENOBUFS, ENETDOWN.
 * Cost: the first send to a destination waits for dptipcd's answer; those that follow
 * return at once until the name table or the network changes.
 */
ssize_t dptipc_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,
		      socklen_t addrlen);
ssize_t dptipc_send(int fd, const void *buf, size_t len, int flags);
ssize_t dptipc_sendmsg(int fd, const struct msghdr *msg, int flags);

/*
 * Receive one message, or with MSG_EOR in flags a part of one. flags: MSG_DONTWAIT, MSG_PEEK,
 * MSG_EOR. addr: the sender's socket address (16 octets). dptipc_recvmsg gives TIPC_ERRINFO,
 * TIPC_RETDATA, TIPC_DESTNAME at level SOL_TIPC.
 * Returns octets stored; 0: a message of our own came back undelivered.
 * Errors: EINVAL (no room at all), EAGAIN (non-blocking, or SO_RCVTIMEO is over), ENOTCONN
 * (shut down, nothing there), EINTR, ENETDOWN.
 * Cost: without system call while messages are there, or come within DPTIPC_BUSY_POLL_US.
 */
ssize_t dptipc_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
			socklen_t *addrlen);
ssize_t dptipc_recv(int fd, void *buf, size_t len, int flags);
ssize_t dptipc_recvmsg(int fd, struct msghdr *msg, int flags);

/* As getsockname(2): port number and own node. dptipc_getpeername: always ENOTCONN. */
int dptipc_getsockname(int fd, struct sockaddr *addr, socklen_t *addrlen);
int dptipc_getpeername(int fd, struct sockaddr *addr, socklen_t *addrlen);

/*
 * As setsockopt(2), getsockopt(2). SOL_TIPC: IMPORTANCE, SRC_DROPPABLE, DEST_DROPPABLE,
 * CONN_TIMEOUT, NODELAY, MCAST_BROADCAST, MCAST_REPLICAST (the last two: accepted, the
 * node chooses); get: IMPORTANCE, the droppable flags, CONN_TIMEOUT, NODE_RECVQ_DEPTH,
 * SOCK_RECVQ_DEPTH, SOCK_RECVQ_USED. SOL_SOCKET: SO_RCVBUF (doubled, as everywhere, but not
 * limited by net.core.rmem_max: at most 32 MiB), SO_RCVTIMEO, SO_SNDTIMEO, SO_TYPE,
 * SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN, SO_ERROR; SO_SNDBUF, SO_LINGER, SO_REUSEADDR,
 * SO_KEEPALIVE, SO_BROADCAST, SO_PRIORITY: accepted, no effect. SOL_DPTIPC: see above.
 * Errors: ENOPROTOOPT, EINVAL, EDOM (time), EFAULT (null), ENETDOWN.
 */
int dptipc_setsockopt(int fd, int level, int name, const void *val, socklen_t len);
int dptipc_getsockopt(int fd, int level, int name, void *val, socklen_t *len);

/*
 * As shutdown(2) on connectionless types: unread messages are returned to senders that
 * asked for it, sleeping receivers get ENOTCONN, poll(2) says POLLIN|POLLRDHUP|POLLHUP;
 * result: ENOTCONN. how other than SHUT_RDWR: EINVAL, nothing done.
 */
int dptipc_shutdown(int fd, int how);

/* As close(2), on any descriptor. The last close withdraws the bindings. */
int dptipc_close(int fd);

/* As dup(2): another descriptor of the same socket. */
int dptipc_dup(int fd);

/* As fcntl(2), on any descriptor; F_SETFL with O_NONBLOCK, F_DUPFD, F_DUPFD_CLOEXEC. */
int dptipc_fcntl(int fd, int cmd, ...);

/* poll(2): the descriptors are real. */
int dptipc_poll(struct pollfd *fds, nfds_t cnt, int timeout_ms);

/* What dptipc_info prints. */
enum dptipc_info_what {
	DPTIPC_INFO_NODE = 0,
	DPTIPC_INFO_NAMES = 1,
	DPTIPC_INFO_LINKS = 2,
	DPTIPC_INFO_SOCKETS = 3,
	DPTIPC_INFO_COUNTERS = 4,
	DPTIPC_INFO_REFUSED = 5, /* peers that are heard but refused, and why */
};

/*
 * For tools: dptipcd's own words on a subject, as text. Attaches if needed.
 * Returns 0. Errors: as dptipc_attach; EINVAL (what), ENETDOWN, EIO (to).
 */
int dptipc_info(enum dptipc_info_what what, FILE *to);

#ifdef __cplusplus
}
#endif

#endif /* DPTIPC_H */
