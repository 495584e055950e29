/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * splice(2) with one of our sockets, through a buffer: a piece of a call, as the kernel may also
 * do. What was taken from one side must not be lost, so the other side is waited for before.
 */

#include "preload_fd.h"
#include "preload_real.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "dptipc.h"

/* One message of ours holds it: a connection with room takes a message whole. */
#define PIECE_BYTES 65536

static bool
is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool
is_stream(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return dptipc_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

/* Until the bits hold, or something is wrong that the next call will tell; 0: not now. */
static int
wait_for(int fd, short events, bool is_waiting)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int rc = preload_poll(&pfd, 1, is_waiting ? -1 : 0);

	if (rc == 0)
		errno = EAGAIN;
	return rc;
}

static bool
is_blocking(int fd)
{
	return !(preload_fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static ssize_t
splice_to_ours(int from, int to, size_t len, bool is_waiting)
{
	char piece[PIECE_BYTES];
	size_t sent = 0, got;
	ssize_t rc;

	if (wait_for(to, POLLOUT, is_blocking(to)) <= 0)
		return -1;
	if (!is_waiting && wait_for(from, POLLIN, false) <= 0)
		return -1;
	rc = dpt_real.read(from, piece, len < sizeof(piece) ? len : sizeof(piece));
	if (rc <= 0)
		return rc;
	got = (size_t)rc;
	while (sent < got) {
		rc = dptipc_send(to, piece + sent, got - sent, 0);
		if (rc < 0 && (errno == EAGAIN || errno == EINTR) &&
		    wait_for(to, POLLOUT, true) > 0)
			continue;
		if (rc < 0)
			return sent ? (ssize_t)sent : -1;
		sent += (size_t)rc;
	}
	return (ssize_t)sent;
}

static ssize_t
splice_from_ours(int from, int to, size_t len, bool is_waiting)
{
	char piece[PIECE_BYTES];
	/* A pipe that is writable takes so much at once. */
	size_t most = is_stream(from) ? PIPE_BUF : sizeof(piece), written = 0;
	ssize_t got, rc;

	if (wait_for(to, POLLOUT, is_waiting && is_blocking(to)) <= 0)
		return -1;
	got = dptipc_recv(from, piece, len < most ? len : most, is_waiting ? 0 : MSG_DONTWAIT);
	if (got <= 0)
		return got;
	while (written < (size_t)got) {
		rc = dpt_real.write(to, piece + written, (size_t)got - written);
		if (rc < 0 && (errno == EAGAIN || errno == EINTR) &&
		    wait_for(to, POLLOUT, true) > 0)
			continue;
		if (rc < 0)
			return written ? (ssize_t)written : -1;
		written += (size_t)rc;
	}
	return (ssize_t)written;
}

ssize_t
preload_splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t len,
	       unsigned int flags)
{
	bool is_from_ours = !fd_is_foreign(from) && fd_kind(from) == FD_OURS;
	bool is_to_ours = !fd_is_foreign(to) && fd_kind(to) == FD_OURS;
	bool is_waiting = !(flags & SPLICE_F_NONBLOCK);

	if (!is_from_ours && !is_to_ours)
		return dpt_real.splice(from, from_offset, to, to_offset, len, flags);
	/* The other side is a pipe. */
	if (!is_pipe(is_from_ours ? to : from)) {
		errno = EINVAL;
		return -1;
	}
	if (from_offset || to_offset) {
		errno = ESPIPE;
		return -1;
	}
	if (len == 0)
		return 0;
	return is_to_ours ? splice_to_ours(from, to, len, is_waiting)
			  : splice_from_ours(from, to, len, is_waiting);
}
