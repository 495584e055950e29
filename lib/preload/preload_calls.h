/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRELOAD_CALLS_H
#define PRELOAD_CALLS_H

/*
 * The calls that the library takes over, one line each: CALL(result, name, parameters, arguments).
 * From this list come the pointers to the C library's own functions (preload_real.h) and the
 * prototypes of ours, which are named preload_NAME here and NAME for the linker: the headers'
 * declarations, macros and fortified inline functions of the same name do not get in the way.
 * libdptipc-preload.map exports the same names (tests/system/test_preload.py compares).
 */

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#define PRELOAD_SOCKET_CALLS(CALL)                                                                 \
	CALL(int, socket, (int family, int type, int protocol), (family, type, protocol))          \
	CALL(int, socketpair, (int family, int type, int protocol, int *fds),                      \
	     (family, type, protocol, fds))                                                        \
	CALL(int, bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))     \
	CALL(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))  \
	CALL(int, listen, (int fd, int backlog), (fd, backlog))                                    \
	CALL(int, accept, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))        \
	CALL(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),             \
	     (fd, addr, len, flags))                                                               \
	CALL(int, getsockname, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))   \
	CALL(int, getpeername, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))   \
	CALL(int, setsockopt, (int fd, int level, int name, const void *val, socklen_t len),       \
	     (fd, level, name, val, len))                                                          \
	CALL(int, getsockopt, (int fd, int level, int name, void *val, socklen_t *len),            \
	     (fd, level, name, val, len))                                                          \
	CALL(int, shutdown, (int fd, int how), (fd, how))

#define PRELOAD_MESSAGE_CALLS(CALL)                                                                \
	CALL(ssize_t, send, (int fd, const void *buf, size_t len, int flags),                      \
	     (fd, buf, len, flags))                                                                \
	CALL(ssize_t, sendto,                                                                      \
	     (int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,         \
	      socklen_t addr_len),                                                                 \
	     (fd, buf, len, flags, addr, addr_len))                                                \
	CALL(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))    \
	CALL(int, sendmmsg, (int fd, struct mmsghdr *msgs, unsigned int cnt, int flags),           \
	     (fd, msgs, cnt, flags))                                                               \
	CALL(ssize_t, recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags))     \
	CALL(ssize_t, recvfrom,                                                                    \
	     (int fd, void *buf, size_t len, int flags, struct sockaddr *addr,                     \
	      socklen_t *addr_len),                                                                \
	     (fd, buf, len, flags, addr, addr_len))                                                \
	CALL(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))          \
	CALL(int, recvmmsg,                                                                        \
	     (int fd, struct mmsghdr *msgs, unsigned int cnt, int flags,                           \
	      struct timespec *timeout),                                                           \
	     (fd, msgs, cnt, flags, timeout))                                                      \
	CALL(ssize_t, __recv_chk, (int fd, void *buf, size_t len, size_t size, int flags),         \
	     (fd, buf, len, size, flags))                                                          \
	CALL(ssize_t, __recvfrom_chk,                                                              \
	     (int fd, void *buf, size_t len, size_t size, int flags, struct sockaddr *addr,        \
	      socklen_t *addr_len),                                                                \
	     (fd, buf, len, size, flags, addr, addr_len))

#define PRELOAD_IO_CALLS(CALL)                                                                     \
	CALL(ssize_t, read, (int fd, void *buf, size_t len), (fd, buf, len))                       \
	CALL(ssize_t, __read_chk, (int fd, void *buf, size_t len, size_t size),                    \
	     (fd, buf, len, size))                                                                 \
	CALL(ssize_t, write, (int fd, const void *buf, size_t len), (fd, buf, len))                \
	CALL(ssize_t, readv, (int fd, const struct iovec *iov, int cnt), (fd, iov, cnt))           \
	CALL(ssize_t, writev, (int fd, const struct iovec *iov, int cnt), (fd, iov, cnt))          \
	CALL(ssize_t, preadv2,                                                                     \
	     (int fd, const struct iovec *iov, int cnt, off_t offset, int flags),                  \
	     (fd, iov, cnt, offset, flags))                                                        \
	CALL(ssize_t, pwritev2,                                                                    \
	     (int fd, const struct iovec *iov, int cnt, off_t offset, int flags),                  \
	     (fd, iov, cnt, offset, flags))                                                        \
	CALL(ssize_t, preadv64v2,                                                                  \
	     (int fd, const struct iovec *iov, int cnt, off64_t offset, int flags),                \
	     (fd, iov, cnt, offset, flags))                                                        \
	CALL(ssize_t, pwritev64v2,                                                                 \
	     (int fd, const struct iovec *iov, int cnt, off64_t offset, int flags),                \
	     (fd, iov, cnt, offset, flags))                                                        \
	CALL(ssize_t, sendfile, (int to, int from, off_t *offset, size_t len),                     \
	     (to, from, offset, len))                                                              \
	CALL(ssize_t, sendfile64, (int to, int from, off64_t *offset, size_t len),                 \
	     (to, from, offset, len))                                                              \
	CALL(ssize_t, splice,                                                                      \
	     (int from, off64_t *from_offset, int to, off64_t *to_offset, size_t len,              \
	      unsigned int flags),                                                                 \
	     (from, from_offset, to, to_offset, len, flags))                                       \
	CALL(FILE *, fdopen, (int fd, const char *mode), (fd, mode))                               \
	CALL(int, fileno, (FILE * stream), (stream))                                               \
	CALL(int, fileno_unlocked, (FILE * stream), (stream))                                      \
	CALL(int, vdprintf, (int fd, const char *format, va_list ap), (fd, format, ap))            \
	CALL(int, __vdprintf_chk, (int fd, int flag, const char *format, va_list ap),              \
	     (fd, flag, format, ap))

#define PRELOAD_FD_CALLS(CALL)                                                                     \
	CALL(int, close, (int fd), (fd))                                                           \
	CALL(void, closefrom, (int first), (first))                                                \
	CALL(int, close_range, (unsigned int first, unsigned int last, int flags),                 \
	     (first, last, flags))                                                                 \
	CALL(int, dup, (int fd), (fd))                                                             \
	CALL(int, dup2, (int fd, int copy), (fd, copy))                                            \
	CALL(int, dup3, (int fd, int copy, int flags), (fd, copy, flags))

#define PRELOAD_POLL_CALLS(CALL)                                                                   \
	CALL(int, poll, (struct pollfd * fds, nfds_t cnt, int timeout_ms), (fds, cnt, timeout_ms)) \
	CALL(int, __poll_chk, (struct pollfd * fds, nfds_t cnt, int timeout_ms, size_t size),      \
	     (fds, cnt, timeout_ms, size))                                                         \
	CALL(int, ppoll,                                                                           \
	     (struct pollfd * fds, nfds_t cnt, const struct timespec *timeout,                     \
	      const sigset_t *mask),                                                               \
	     (fds, cnt, timeout, mask))                                                            \
	CALL(int, __ppoll_chk,                                                                     \
	     (struct pollfd * fds, nfds_t cnt, const struct timespec *timeout,                     \
	      const sigset_t *mask, size_t size),                                                  \
	     (fds, cnt, timeout, mask, size))                                                      \
	CALL(int, select,                                                                          \
	     (int cnt, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout),          \
	     (cnt, in, out, except, timeout))                                                      \
	CALL(int, pselect,                                                                         \
	     (int cnt, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,    \
	      const sigset_t *mask),                                                               \
	     (cnt, in, out, except, timeout, mask))                                                \
	CALL(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event),               \
	     (epoll, op, fd, event))                                                               \
	CALL(int, epoll_wait, (int epoll, struct epoll_event *events, int max, int timeout_ms),    \
	     (epoll, events, max, timeout_ms))                                                     \
	CALL(int, epoll_pwait,                                                                     \
	     (int epoll, struct epoll_event *events, int max, int timeout_ms,                      \
	      const sigset_t *mask),                                                               \
	     (epoll, events, max, timeout_ms, mask))                                               \
	CALL(int, epoll_pwait2,                                                                    \
	     (int epoll, struct epoll_event *events, int max, const struct timespec *timeout,      \
	      const sigset_t *mask),                                                               \
	     (epoll, events, max, timeout, mask))

#define PRELOAD_PROCESS_CALLS(CALL) CALL(pid_t, _Fork, (void), ())

#define PRELOAD_CALLS(CALL)                                                                        \
	PRELOAD_SOCKET_CALLS(CALL)                                                                 \
	PRELOAD_MESSAGE_CALLS(CALL)                                                                \
	PRELOAD_IO_CALLS(CALL)                                                                     \
	PRELOAD_FD_CALLS(CALL)                                                                     \
	PRELOAD_POLL_CALLS(CALL)                                                                   \
	PRELOAD_PROCESS_CALLS(CALL)

#define PRELOAD_PROTOTYPE(result, name, parameters, arguments)                                     \
	result preload_##name parameters __asm__(#name);

PRELOAD_CALLS(PRELOAD_PROTOTYPE)

/* For tests: dptipc_sync of the library inside. */
int dptipc_preload_sync(void);

/* Those whose arguments vary. */
int preload_fcntl(int fd, int cmd, ...) __asm__("fcntl");
int preload_fcntl64(int fd, int cmd, ...) __asm__("fcntl64");
int preload_ioctl(int fd, unsigned long request, ...) __asm__("ioctl");
int preload_dprintf(int fd, const char *format, ...) __asm__("dprintf");
int preload___dprintf_chk(int fd, int flag, const char *format, ...) __asm__("__dprintf_chk");
int preload_clone(int (*run)(void *), void *stack, int flags, void *arg, ...) __asm__("clone");

#endif /* PRELOAD_CALLS_H */
