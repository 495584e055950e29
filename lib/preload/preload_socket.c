/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * libdptipc-preload: AF_TIPC for programs that know nothing of dptipc.
 *
 *     dptipc-run [--name NAME] COMMAND ...     or LD_PRELOAD=libdptipc-preload.so COMMAND ...
 *
 * The names of the calls in preload_calls.h resolve to ours; those on our sockets go to the copy of
 * libdptipc inside, all others to the C library. Without a dptipcd socket(AF_TIPC) gives
 * EAFNOSUPPORT, as a kernel without TIPC does (with DPTIPC_VERBOSE set, a line on standard error
 * says why), and netlink goes to the kernel.
 *
 * Not covered
 *   - programs that are linked statically, that change the user at exec (set-user-id, file
 *     capabilities: the dynamic linker ignores LD_PRELOAD), or that clear their environment at
 * exec;
 *   - system calls that do not go through the C library's functions: syscall(2), Go, io_uring, and
 *     what the C library does inside: aio_read(3), freopen(3) on one of our sockets, popen(3);
 *     fdopen(3) works, by a stream of our own;
 *   - splice(2) with one of our sockets: EINVAL. sendfile(2) to one is a loop of reads and sends;
 *   - calls on our sockets in signal handlers, which may wait for ever for what they interrupted;
 *     calls on other descriptors may be made there, as ever;
 *   - what dptipc.h says of our sockets: poll(2) and select(2) are exact, epoll(7) works on the
 *     descriptor itself (preload_poll.c);
 *   - a program that is linked with libdptipc and makes its sockets there needs no dptipc-run.
 */

#include "preload_fd.h"
#include "preload_epoll.h"
#include "preload_netlink.h"
#include "preload_real.h"

#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <sys/un.h>

#include "dpt_client.h"
#include "dptipc.h"

/* ---- making sockets ---- */

/* Why there is no socket, for those who want to know. */
void
preload_say_why(void)
{
	int error = errno;
	char line[320];
	int len;

	if (getenv("DPTIPC_VERBOSE")) {
		len = snprintf(line, sizeof(line), "dptipc: %s\n",
			       *dptipc_error() ? dptipc_error() : strerror(error));
		if (len > 0)
			(void)dpt_real.write(2, line, (size_t)len);
	}
	errno = error;
}

int
preload_socket(int family, int type, int protocol)
{
	int fd;

	if (family != AF_TIPC) {
		fd = dpt_real.socket(family, type, protocol);
		return nl_is_candidate(family, protocol) ? nl_made(fd, protocol)
							 : fd_made(fd, FD_FOREIGN);
	}
	fd = dptipc_socket(family, type, protocol);
	if (fd < 0)
		preload_say_why();
	return fd_made(fd, FD_OURS);
}

int
preload_socketpair(int family, int type, int protocol, int *fds)
{
	enum fd_kind kind = family == AF_TIPC ? FD_OURS : FD_FOREIGN;
	int rc = kind == FD_OURS ? dptipc_socketpair(family, type, protocol, fds)
				 : dpt_real.socketpair(family, type, protocol, fds);

	if (rc < 0) {
		if (kind == FD_OURS)
			preload_say_why();
		return rc;
	}
	fd_made(fds[0], kind);
	fd_made(fds[1], kind);
	return rc;
}

int
preload_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	int made;

	if (!fd_is_foreign(fd) && fd_kind(fd) == FD_OURS) {
		made = (int)edge_was_read(fd, dptipc_accept4(fd, addr, len, flags));
		if (made >= 0 || !fd_was_stale(fd))
			return fd_made(made, FD_OURS);
	}
	return fd_made(dpt_real.accept4(fd, addr, len, flags), FD_FOREIGN);
}

int
preload_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	int made;

	if (!fd_is_foreign(fd) && fd_kind(fd) == FD_OURS) {
		made = (int)edge_was_read(fd, dptipc_accept(fd, addr, len));
		if (made >= 0 || !fd_was_stale(fd))
			return fd_made(made, FD_OURS);
	}
	return fd_made(dpt_real.accept(fd, addr, len), FD_FOREIGN);
}

int
dptipc_preload_sync(void)
{
	return dptipc_sync();
}

/* ---- names, state ---- */

/* netlink: what a netlink socket of ours does. */
#define SOCKET_CALL(name, parameters, arguments, netlink)                                          \
	int preload_##name parameters                                                              \
	{                                                                                          \
		enum fd_kind kind = FD_FOREIGN;                                                    \
		int rc;                                                                            \
                                                                                                   \
		if (!fd_is_foreign(fd))                                                            \
			kind = fd_kind(fd);                                                        \
		if (kind == FD_OURS) {                                                             \
			rc = dptipc_##name arguments;                                              \
			if (rc >= 0 || !fd_was_stale(fd))                                          \
				return rc;                                                         \
		}                                                                                  \
		if (kind == FD_NL)                                                                 \
			return netlink;                                                            \
		return dpt_real.name arguments;                                                    \
	}

SOCKET_CALL(bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len), 0)
SOCKET_CALL(listen, (int fd, int backlog), (fd, backlog), (errno = EOPNOTSUPP, -1))
SOCKET_CALL(getsockname, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len),
	    nl_getsockname(fd, addr, len))
SOCKET_CALL(getpeername, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len),
	    nl_getpeername(fd, addr, len))
SOCKET_CALL(shutdown, (int fd, int how), (fd, how), (errno = EOPNOTSUPP, -1))

/* The address that libdptipc connects to: a name, or a path as in DPTIPC_NAME. */
static bool
is_attach_address(const struct sockaddr *addr, socklen_t len)
{
	static const char prefix[] = "\0" DPT_CLIENT_ATTACH_PREFIX;
	const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)addr;
	const char *name = getenv("DPTIPC_NAME");
	socklen_t path_bytes;

	if (!addr || len <= offsetof(struct sockaddr_un, sun_path) || un->sun_family != AF_UNIX)
		return false;
	path_bytes = len - (socklen_t)offsetof(struct sockaddr_un, sun_path);
	if (path_bytes >= sizeof(prefix) - 1 &&
	    memcmp(un->sun_path, prefix, sizeof(prefix) - 1) == 0)
		return true;
	return name && strchr(name, '/') && strlen(name) <= path_bytes &&
	       memcmp(un->sun_path, name, strlen(name)) == 0;
}

int
preload_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	enum fd_kind kind = fd_is_foreign(fd) ? FD_FOREIGN : fd_kind(fd);
	int rc;

	if (kind == FD_OURS) {
		rc = dptipc_connect(fd, addr, len);
		if (rc >= 0 || !fd_was_stale(fd))
			return rc;
	}
	if (kind == FD_NL)
		return 0;
	rc = dpt_real.connect(fd, addr, len);
	if (rc == 0 && is_attach_address(addr, len))
		fd_made(fd, FD_ATTACH);
	return rc;
}

int
preload_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	enum fd_kind kind = fd_is_foreign(fd) ? FD_FOREIGN : fd_kind(fd);
	int rc;

	if (kind == FD_OURS) {
		rc = dptipc_setsockopt(fd, level, name, val, len);
		if (rc >= 0 || !fd_was_stale(fd))
			return rc;
	}
	if (level == SOL_NETLINK && (kind == FD_NL || kind == FD_NL_NEW)) {
		rc = nl_setsockopt(fd, name, val, len);
		if (kind == FD_NL)
			return rc;
	}
	return dpt_real.setsockopt(fd, level, name, val, len);
}

int
preload_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	enum fd_kind kind = fd_is_foreign(fd) ? FD_FOREIGN : fd_kind(fd);
	bool is_ours;
	int rc;

	if (kind == FD_OURS) {
		rc = dptipc_getsockopt(fd, level, name, val, len);
		if (rc >= 0 || !fd_was_stale(fd))
			return rc;
	}
	if (kind == FD_NL) {
		rc = nl_getsockopt(fd, level, name, val, len, &is_ours);
		if (is_ours)
			return rc;
	}
	return dpt_real.getsockopt(fd, level, name, val, len);
}
