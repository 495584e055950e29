/* SPDX-License-Identifier: BSD-3-Clause */

/* Descriptor numbers: what each is, and the calls that copy and close them. */

#include "preload_fd.h"
#include "preload_epoll.h"
#include "preload_netlink.h"
#include "preload_real.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dptipc.h"

/* libdptipc's own descriptors start here, where programs that count on low numbers, and select(2),
 * do not mind. Our choice: the end of the usual limit of 1024. */
#define INTERNAL_FD_MIN 960

/* Pages that are never touched cost nothing. */
_Atomic uint8_t preload_kinds[PRELOAD_FDS];
/* No number above is of a kind that needs care. Only grows. */
static _Atomic int special_max = -1;

/* ---- what a number is ---- */

enum fd_kind
fd_noted(int fd)
{
	if ((unsigned int)fd >= PRELOAD_FDS)
		return FD_FOREIGN;
	return atomic_load_explicit(&preload_kinds[fd], memory_order_acquire);
}

void
fd_note(int fd, enum fd_kind kind)
{
	int max = atomic_load_explicit(&special_max, memory_order_relaxed);

	if ((unsigned int)fd >= PRELOAD_FDS)
		return;
	while (kind > FD_FOREIGN && fd > max &&
	       !atomic_compare_exchange_weak(&special_max, &max, fd))
		;
	atomic_store_explicit(&preload_kinds[fd], (uint8_t)kind, memory_order_release);
}

int
fd_made(int fd, enum fd_kind kind)
{
	if (fd >= 0 && fd_noted(fd) != kind && !process_is_guest())
		fd_note(fd, kind);
	return fd;
}

/* A number that no call has made here: inherited, or received. */
static enum fd_kind
fd_find_out(int fd)
{
	int error = errno;
	enum fd_kind kind;

	if (process_is_guest())
		return FD_FOREIGN;
	kind = dptipc_is_socket(fd) ? FD_OURS : FD_FOREIGN;
	fd_note(fd, kind);
	errno = error;
	return kind;
}

enum fd_kind
fd_kind(int fd)
{
	for (;;) {
		enum fd_kind kind = fd_noted(fd);

		if (kind == FD_UNKNOWN)
			return fd_find_out(fd);
		if (kind != FD_LEAVING)
			return kind;
		sched_yield();
	}
}

/* ---- for libdptipc inside ---- */

bool
preload_is_foreign(int fd)
{
	enum fd_kind kind = fd_noted(fd);

	return kind != FD_UNKNOWN && kind != FD_OURS;
}

void
preload_fd_stale(int fd)
{
	fd_note(fd, FD_UNKNOWN);
}

int
preload_fd_min(void)
{
	static _Atomic int min;
	struct rlimit limit;

	if (!min) {
		min = INTERNAL_FD_MIN;
		if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1024)
			min = (int)(limit.rlim_cur * 3 / 4);
	}
	return min;
}

int
preload_fd_keep(int fd)
{
	int copy = dpt_real.fcntl(fd, F_DUPFD_CLOEXEC, preload_fd_min());

	if (copy >= 0) {
		dpt_real.close(fd);
		fd = copy;
	}
	fd_note(fd, FD_INTERNAL);
	return fd;
}

/* Whoever looks between waits, rather than taking an octet from the pair. */
static bool
leave_begin(int fd)
{
	enum fd_kind kind = fd_noted(fd);

	if (kind == FD_INTERNAL)
		fd_note(fd, FD_FOREIGN);
	if (kind != FD_OURS)
		return false;
	fd_note(fd, FD_LEAVING);
	return true;
}

static void
leave_end(int fd, enum fd_kind kind)
{
	uint8_t expected = FD_LEAVING;

	/* Another thread may have got the number, and made it ours, already. */
	atomic_compare_exchange_strong(&preload_kinds[fd], &expected, (uint8_t)kind);
}

int
preload_fd_close(int fd)
{
	bool is_ours = leave_begin(fd);
	int rc = dpt_real.close(fd);

	if (is_ours)
		leave_end(fd, FD_FOREIGN);
	return rc;
}

int
preload_fd_dup2(int fd, int copy)
{
	bool is_ours = leave_begin(copy);
	int rc = dpt_real.dup2(fd, copy);

	if (is_ours)
		leave_end(copy, rc < 0 ? FD_UNKNOWN : FD_FOREIGN);
	return rc;
}

int
preload_fd_dup3(int fd, int copy, int flags)
{
	bool is_ours = leave_begin(copy);
	int rc = dpt_real.dup3(fd, copy, flags);

	if (is_ours)
		leave_end(copy, rc < 0 ? FD_UNKNOWN : FD_FOREIGN);
	return rc;
}

/* ---- close ---- */

int
preload_close(int fd)
{
	if (fd_is_foreign(fd) || process_is_guest())
		return dpt_real.close(fd);
	switch (fd_noted(fd)) {
	case FD_OURS:
		edge_closes(fd);
		return dptipc_close(fd);
	case FD_INTERNAL:
		/* The program has no such descriptor. */
		errno = EBADF;
		return -1;
	case FD_NL:
	case FD_NL_NEW:
		nl_forget(fd);
		break;
	default:
		break;
	}
	return dpt_real.close(fd);
}

/* Close a range but for what is libdptipc's own. Returns 0, or -1 and errno. */
static int
range_close(unsigned int first, unsigned int last)
{
	int max = atomic_load_explicit(&special_max, memory_order_relaxed);
	unsigned int from = first, fd;
	int rc = 0;

	for (fd = first; fd <= last && max >= 0 && fd <= (unsigned int)max; fd++) {
		enum fd_kind kind = fd_noted((int)fd);

		if (kind <= FD_FOREIGN)
			continue;
		if (fd > from)
			rc |= dpt_real.close_range(from, fd - 1, 0);
		from = fd + 1;
		if (kind != FD_INTERNAL)
			(void)preload_close((int)fd);
	}
	if (from <= last && from >= first)
		rc |= dpt_real.close_range(from, last, 0);
	return rc;
}

int
preload_close_range(unsigned int first, unsigned int last, int flags)
{
	/* CLOSE_RANGE_CLOEXEC closes nothing now; CLOSE_RANGE_UNSHARE leaves the others theirs. */
	if (first > last || flags || process_is_guest())
		return dpt_real.close_range(first, last, flags);
	return range_close(first, last);
}

void
preload_closefrom(int first)
{
	if (process_is_guest())
		dpt_real.closefrom(first);
	else
		(void)range_close(first > 0 ? (unsigned int)first : 0, UINT_MAX);
}

/* ---- copies ---- */

/* A copy of fd came into being elsewhere. */
static int
copy_made(int fd, enum fd_kind kind, int copy)
{
	if (copy < 0)
		return copy;
	if (kind == FD_NL || kind == FD_NL_NEW)
		nl_copied(fd, copy);
	return fd_made(copy, kind);
}

int
preload_dup(int fd)
{
	enum fd_kind kind = FD_FOREIGN;

	if (!fd_is_foreign(fd) && !process_is_guest())
		kind = fd_kind(fd);
	if (kind == FD_OURS) {
		int copy = dptipc_dup(fd);

		return copy_made(fd, fd_kind(fd), copy);
	}
	return copy_made(fd, kind, dpt_real.dup(fd));
}

/* flags: -1 for dup2 */
static int
dup_to(int fd, int copy, int flags)
{
	enum fd_kind kind = fd_kind(fd), old = fd_noted(copy);
	int rc;

	if (old == FD_INTERNAL && fd != copy) {
		errno = EBADF;
		return -1;
	}
	if (old == FD_OURS && fd != copy)
		edge_closes(copy);
	if (kind == FD_OURS || old == FD_OURS) {
		rc = flags < 0 ? dptipc_dup2(fd, copy) : dptipc_dup3(fd, copy, flags);
		kind = fd_kind(fd);
	} else {
		rc = flags < 0 ? dpt_real.dup2(fd, copy) : dpt_real.dup3(fd, copy, flags);
	}
	if (rc < 0 || fd == copy)
		return rc;
	if (old == FD_NL || old == FD_NL_NEW)
		nl_forget(copy);
	return copy_made(fd, kind, rc);
}

int
preload_dup2(int fd, int copy)
{
	if ((fd_is_foreign(fd) && fd_is_foreign(copy)) || process_is_guest())
		return dpt_real.dup2(fd, copy);
	return dup_to(fd, copy, -1);
}

int
preload_dup3(int fd, int copy, int flags)
{
	if ((fd_is_foreign(fd) && fd_is_foreign(copy)) || process_is_guest())
		return dpt_real.dup3(fd, copy, flags);
	if (flags & ~O_CLOEXEC) {
		errno = EINVAL;
		return -1;
	}
	return dup_to(fd, copy, flags);
}

/* ---- fcntl, ioctl ---- */

static int
fcntl_any(int fd, int cmd, void *arg)
{
	enum fd_kind kind;

	if (fd_is_foreign(fd))
		return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC
			       ? copy_made(fd, FD_FOREIGN, dpt_real.fcntl(fd, cmd, arg))
			       : dpt_real.fcntl(fd, cmd, arg);
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC) {
		kind = process_is_guest() ? FD_FOREIGN : fd_kind(fd);
		if (kind == FD_OURS)
			return copy_made(fd, FD_OURS, dptipc_fcntl(fd, cmd, arg));
		return copy_made(fd, kind, dpt_real.fcntl(fd, cmd, arg));
	}
	/* The rest needs to know no more than that. */
	if (cmd == F_SETFL && fd_kind(fd) == FD_OURS)
		return dptipc_fcntl(fd, cmd, arg);
	return dpt_real.fcntl(fd, cmd, arg);
}

int
preload_fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fcntl_any(fd, cmd, arg);
}

int
preload_fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fcntl_any(fd, cmd, arg);
}

int
preload_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!fd_is_foreign(fd) && fd_kind(fd) == FD_OURS)
		return dptipc_ioctl(fd, request, arg);
	return dpt_real.ioctl(fd, request, arg);
}
