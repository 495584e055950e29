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
 * on it: readable when a message or a connection request waits, hung up when a connection has
 * ended. Data calls, names, options and close need the prefix; read(2), write(2), send(2), recv(2)
 * on the descriptor do not transfer messages. <dptipc_sockets.h> gives the plain names the
 * prefix, for programs that are compiled for it unmodified.
 *
 * What differs from the kernel's sockets (beside 09-socket-api.md, 27, item 8)
 *   - Small writes on a stream are aggregated only after TIPC_NODELAY was set to 0.
 *   - Communication groups are not there yet: TIPC_GROUP_JOIN gives ENOPROTOOPT.
 *   - A bad pointer ends in SIGSEGV rather than EFAULT (null pointers: EFAULT).
 *   - ENETDOWN, from every call: dptipcd has ended, or has thrown this process out. Such a
 *     socket does not come back: close it and make another one. poll(2) says POLLHUP.
 *   - poll(2) on the descriptor itself: a socket without room to send is writable until a
 *     send has said EAGAIN (or connect EINPROGRESS), then exactly when it has room again; a
 *     connection that has ended is writable too. dptipc_poll tells it exactly.
 *   - SO_RCVBUF is not limited by net.core.rmem_max.
 *   - A wait for a dptipcd that is behind (its log is full), interrupted by a signal handler, gives
 *     EINTR, whatever SA_RESTART says.
 *   - A close takes effect when dptipcd sees it, some microseconds after dptipc_close returned: a
 *     send to its name just then may still be accepted.
 *   - Close with dptipc_close. A descriptor that was closed with close(2) is forgotten when
 *     its number comes back from dptipc_socket.
 *   - After exec(3), or in a process that got a descriptor over a Unix socket, the first call finds
 *     out by asking dptipcd; that works for processes of the user who made the socket. Such a
 *     process can see all sockets of the one that made it. In poll sets with event
 *     libraries a descriptor must have been used by one call before.
 *
 * Threads: every call may be made by any thread, also on the same socket. Processes: after
 * fork(2) both may use the sockets. Signal handlers: no call may be made in one.
 *
 * Errors: -1 and errno. Where errno is not enough, dptipc_error() has a sentence.
 */

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include <linux/tipc.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mmsghdr; /* of <sys/socket.h>, where _GNU_SOURCE is defined */

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
 * uint32_t, 0 or 1, default 0: dptipc_bind returns when every node that is up has the binding, so
 * that a send from there finds it. Costs a round trip to the slowest of them.
 */
#define DPTIPC_BIND_SYNC 3

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
 * As socket(2). family AF_TIPC; type SOCK_RDM, SOCK_DGRAM, SOCK_SEQPACKET or SOCK_STREAM, with
 * SOCK_NONBLOCK and SOCK_CLOEXEC as wanted; protocol 0. Attaches when there is no live attachment:
 * after a restart of dptipcd new sockets just work.
 * Errors: as dptipc_attach; EPROTONOSUPPORT (protocol), EPROTOTYPE (other types), EINVAL
 * (flags), ENFILE, EMFILE, ENOMEM.
 */
int dptipc_socket(int family, int type, int protocol);

/* As socketpair(2): all four types; each end is connected with the other. */
int dptipc_socketpair(int family, int type, int protocol, int fds[2]);

/*
 * As bind(2) of AF_TIPC: adds a binding; negative scope: removes it; addrlen 0: removes all.
 * Errors: EINVAL, EAFNOSUPPORT (socket address), EACCES (type below 64), EADDRINUSE,
 * ENETDOWN.
 */
int dptipc_bind(int fd, const struct sockaddr *addr, socklen_t addrlen);

/*
 * As connect(2). Connectionless types: default destination of sends without an address;
 * family AF_UNSPEC clears it; filters nothing. Connection types: waits at most
 * TIPC_CONN_TIMEOUT milliseconds for the listener's accept.
 * Errors: EINVAL (address, state, range), EOPNOTSUPP (has bindings), EHOSTUNREACH, ECONNREFUSED,
 * ETIMEDOUT (goes on by itself), EINPROGRESS, EALREADY, EISCONN, EINTR, ENETDOWN.
 */
int dptipc_connect(int fd, const struct sockaddr *addr, socklen_t addrlen);

/* As listen(2); backlog is ignored. Errors: EOPNOTSUPP (type), EINVAL (state). */
int dptipc_listen(int fd, int backlog);

/*
 * As accept(2), accept4(2). The new socket inherits nothing but type and importance of the
 * request. Errors: EOPNOTSUPP, EINVAL (not listening; flags), EAGAIN, EINTR, EMFILE, ENFILE.
 */
int dptipc_accept(int fd, struct sockaddr *addr, socklen_t *addrlen);
int dptipc_accept4(int fd, struct sockaddr *addr, socklen_t *addrlen, int flags);

/*
 * Send one message of up to 66000 octets; addr as bind's, of any addrtype; a service range
 * is a multicast. The octets may be reused on return. flags: MSG_DONTWAIT, others ignored.
 * Returns the length: the message is on its way, nothing is said of its arrival (TIPC, see
 * TIPC_DEST_DROPPABLE).
 * On a connection: addr is ignored; SOCK_STREAM takes any length and may send a part. In a socket
 * of a connection type that is fresh an address makes the message a connection request.
 * Errors: EMSGSIZE, EINVAL (address), EDESTADDRREQ, EHOSTUNREACH, EAGAIN (congested, the peer's
 * window is used up, or dptipcd is behind), EINTR, ENOBUFS, ENETDOWN; connections: ENOTCONN, EPIPE
 * (never a signal), ECONNREFUSED, ECONNABORTED, EOPNOTSUPP (has bindings).
 * Cost: the first send to a destination waits for dptipcd's answer; those that follow
 * return at once until the name table or the network changes; on a connection all do. One message
 * of up to 16 octets writes one cache line, and reads lines that dptipcd seldom writes.
 */
ssize_t dptipc_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,
		      socklen_t addrlen);
ssize_t dptipc_send(int fd, const void *buf, size_t len, int flags);
ssize_t dptipc_sendmsg(int fd, const struct msghdr *msg, int flags);
int dptipc_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int cnt, int flags);

/*
 * Receive one message, or with MSG_EOR in flags a part of one; of a stream what is there, at least
 * SO_RCVLOWAT octets, with MSG_WAITALL all. flags: MSG_DONTWAIT, MSG_PEEK, MSG_EOR. addr: the
 * sender's socket address (16 octets). dptipc_recvmsg gives TIPC_ERRINFO, TIPC_RETDATA,
 * TIPC_DESTNAME at level SOL_TIPC. Returns octets stored; 0: a message of our own came back
 * undelivered; the peer of the connection has shut down, again and again. Errors: EINVAL (no room
 * at all), EAGAIN (non-blocking, or SO_RCVTIMEO is over), ENOTCONN (shut down, nothing there; no
 * connection), ECONNRESET (the peer is gone; until it was read with a control buffer),
 * ECONNREFUSED, ECONNABORTED, EINTR, ENETDOWN. Cost: without system call while messages are there,
 * or come within DPTIPC_BUSY_POLL_US.
 */
ssize_t dptipc_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
			socklen_t *addrlen);
ssize_t dptipc_recv(int fd, void *buf, size_t len, int flags);
ssize_t dptipc_recvmsg(int fd, struct msghdr *msg, int flags);
int dptipc_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int cnt, int flags,
		    struct timespec *timeout);

/* As getsockname(2), getpeername(2): port number and node. ENOTCONN: not connected. */
int dptipc_getsockname(int fd, struct sockaddr *addr, socklen_t *addrlen);
int dptipc_getpeername(int fd, struct sockaddr *addr, socklen_t *addrlen);

/*
 * As setsockopt(2), getsockopt(2). SOL_TIPC: IMPORTANCE, SRC_DROPPABLE, DEST_DROPPABLE,
 * CONN_TIMEOUT, NODELAY, MCAST_BROADCAST, MCAST_REPLICAST (the last two: accepted, the
 * node chooses); get: IMPORTANCE, the droppable flags, CONN_TIMEOUT, NODE_RECVQ_DEPTH,
 * SOCK_RECVQ_DEPTH, SOCK_RECVQ_USED. SOL_SOCKET: SO_RCVBUF (doubled, as everywhere, but not
 * limited by net.core.rmem_max: at most 32 MiB), SO_RCVTIMEO, SO_SNDTIMEO, SO_TYPE,
 * SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN, SO_ERROR, SO_RCVLOWAT; SO_SNDBUF, SO_LINGER, SO_REUSEADDR,
 * SO_KEEPALIVE, SO_BROADCAST, SO_PRIORITY: accepted, no effect. SOL_DPTIPC: see above.
 * Errors: ENOPROTOOPT, EINVAL, EDOM (time), EFAULT (null), ENETDOWN.
 */
int dptipc_setsockopt(int fd, int level, int name, const void *val, socklen_t len);
int dptipc_getsockopt(int fd, int level, int name, void *val, socklen_t *len);

/*
 * As shutdown(2). Connections: the peer reads what is on its way, then 0. In all cases unread
 * messages are returned to senders that asked for it, sleeping receivers get ENOTCONN, and
 * poll says POLLIN|POLLHUP; ENOTCONN: done, but there was no connection. how other than
 * SHUT_RDWR: EINVAL, nothing done. Waits up to 8 s for a peer that does not read.
 */
int dptipc_shutdown(int fd, int how);

/*
 * The following take descriptors of any kind, and pass those that are not ours on to the C
 * library. Of a Unix stream socket that it has not seen before the library asks dptipcd, once,
 * whether it is one of its sockets.
 */

/* 1: fd is a socket of ours; 0: it is not. Changes errno for nobody. */
int dptipc_is_socket(int fd);

/* As close(2). The last close withdraws the bindings and ends the connection. */
int dptipc_close(int fd);
int dptipc_dup(int fd);
int dptipc_dup2(int fd, int copy);
int dptipc_dup3(int fd, int copy, int flags);
/* As fcntl(2); F_SETFL with O_NONBLOCK, F_DUPFD, F_DUPFD_CLOEXEC. */
int dptipc_fcntl(int fd, int cmd, ...);
/* As ioctl(2): SIOCGETLINKNAME, SIOCGETNODEID (EADDRNOTAVAIL), FIONBIO, FIOASYNC, FIOCLEX,
 * FIONCLEX; ENOTTY for others on our sockets. */
int dptipc_ioctl(int fd, unsigned long request, ...);
ssize_t dptipc_read(int fd, void *buf, size_t len);
ssize_t dptipc_write(int fd, const void *buf, size_t len);
ssize_t dptipc_readv(int fd, const struct iovec *iov, int iov_cnt);
ssize_t dptipc_writev(int fd, const struct iovec *iov, int iov_cnt);
/* As poll(2), ppoll(2), exact for our sockets. Sleeps in the kernel. */
int dptipc_poll(struct pollfd *fds, nfds_t cnt, int timeout_ms);
int
dptipc_ppoll(struct pollfd *fds, nfds_t cnt, const struct timespec *timeout, const sigset_t *mask);
/* As select(2), pselect(2), exact for our sockets; timeout is counted down. */
int dptipc_select(int cnt, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout);
int dptipc_pselect(int cnt, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
		   const sigset_t *mask);

/* A number of the attachment that new sockets come from, another one after each restart of dptipcd;
 * 0: none is alive. For libraries that remember what they were told. Costs what a look costs. */
uint32_t dptipc_life(void);

/*
 * Bursts and messages without a copy, on sockets that carry messages (RDM, DGRAM, SEQPACKET;
 * EOPNOTSUPP for streams). Semantics, errors and flow control are those of the calls above.
 *
 * Threads: the burst calls may be made by any thread. Between recv_peek and recv_release, and
 * between send_alloc and send_commit or send_abort, a socket belongs to one thread: what it
 * was given is not there any more after another one's receive call. send_alloc holds a
 * lock that sends on other sockets of the process wait for: fill in and commit at once.
 *
 * Cost: dptipc_recv_burst takes the lock once for all; dptipc_send_burst is the loop that a program
 * would write itself. peek and alloc save the copy: the octets are written, or read, where the
 * dataplane reads, or has written, them; a commit without a connection waits for its result.
 */
struct dptipc_msg {
	void *buf;
	size_t len;		   /* of buf; recv_peek: of the message */
	ssize_t result;		   /* octets sent or stored; received: as dptipc_recv's */
	struct sockaddr_tipc addr; /* sender; destination, if it has a family */
	uint32_t name[3];	   /* received: TIPC_DESTNAME */
	uint16_t errcode;	   /* received: TIPC_ERRINFO; its data (RETDATA) is in buf */
	uint16_t flags;		   /* received: DPTIPC_MSG_* */
	uint32_t reserved;
};
#define DPTIPC_MSG_HAS_NAME 1 /* name is valid */
#define DPTIPC_MSG_TRUNC    2 /* buf was too small, the rest is gone */

/*
 * Send cnt messages, in order. Returns how many were accepted (their result is set), which is
 * less than cnt where one could not be sent now or at all; -1 and errno if that was the first.
 */
int dptipc_send_burst(int fd, struct dptipc_msg *msgs, unsigned int cnt, int flags);
/* Receive up to cnt messages: waits for the first as dptipc_recv does, then takes what is there.
 * A returned message has errcode set and its data in buf. -1 and errno: none. */
int dptipc_recv_burst(int fd, struct dptipc_msg *msgs, unsigned int cnt, int flags);

/*
 * Look at up to cnt messages where they lie; waits for the first as dptipc_recv does. buf and len
 * are set, and readable until the message is released. Empty messages are among them. Returns
 * their number. dptipc_recv_release: the oldest cnt of them are read; EINVAL: not so many.
 */
int dptipc_recv_peek(int fd, struct dptipc_msg *msgs, unsigned int cnt, int flags);
int dptipc_recv_release(int fd, unsigned int cnt);

/*
 * Room for a message of up to len octets in the submission log; NULL and errno as dptipc_send, also
 * EBUSY: this thread has one already. Then either commit (len at most what was asked for; addr
 * as dptipc_sendto's) or abort, on the same socket. A commit that fails has used up the room: -1
 * and errno, and the octets are gone.
 */
void *dptipc_send_alloc(int fd, size_t len, int flags);
ssize_t dptipc_send_commit(int fd, size_t len, const struct sockaddr *addr, socklen_t addrlen);
int dptipc_send_abort(int fd);

/*
 * Returns when dptipcd has done what this process did before: messages sent to sockets of the
 * node lie there, closed sockets and their names are gone. Nothing that AF_TIPC has or programs
 * need; tests that look at the order of things do. What a congested link holds up is not waited
 * for. Returns 0; errors: as dptipc_attach, ENETDOWN.
 */
int dptipc_sync(void);

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
