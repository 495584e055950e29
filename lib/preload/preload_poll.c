/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Waiting for several descriptors. poll and select are exact: libdptipc looks at the shared memory
 * for our sockets. For epoll see preload_epoll.c.
 */

#include "preload_fd.h"
#include "preload_real.h"

#include "dptipc.h"

/* ---- poll ---- */

static bool
poll_has_ours(const struct pollfd *fds, nfds_t cnt)
{
	bool has = false;
	nfds_t i;

	if (!fds)
		return false;
	for (i = 0; i < cnt; i++)
		if (!fd_is_foreign(fds[i].fd) && fd_kind(fds[i].fd) == FD_OURS)
			has = true;
	return has;
}

int
preload_poll(struct pollfd *fds, nfds_t cnt, int timeout_ms)
{
	return poll_has_ours(fds, cnt) ? dptipc_poll(fds, cnt, timeout_ms)
				       : dpt_real.poll(fds, cnt, timeout_ms);
}

int
preload_ppoll(struct pollfd *fds, nfds_t cnt, const struct timespec *timeout, const sigset_t *mask)
{
	return poll_has_ours(fds, cnt) ? dptipc_ppoll(fds, cnt, timeout, mask)
				       : dpt_real.ppoll(fds, cnt, timeout, mask);
}

int
preload___poll_chk(struct pollfd *fds, nfds_t cnt, int timeout_ms, size_t size)
{
	/* (the C library ends the program, with its own words) */
	if (size / sizeof(*fds) < cnt)
		return dpt_real.__poll_chk(fds, cnt, timeout_ms, size);
	return preload_poll(fds, cnt, timeout_ms);
}

int
preload___ppoll_chk(struct pollfd *fds, nfds_t cnt, const struct timespec *timeout,
		    const sigset_t *mask, size_t size)
{
	if (size / sizeof(*fds) < cnt)
		return dpt_real.__ppoll_chk(fds, cnt, timeout, mask, size);
	return preload_ppoll(fds, cnt, timeout, mask);
}

/* ---- select ---- */

/* Sets may be larger than fd_set: programs allocate their own. */
static bool
set_has_ours(const fd_set *set, int cnt)
{
	const unsigned long *words = (const unsigned long *)set;
	const int bits = 8 * (int)sizeof(*words);
	bool has = false;
	int fd;

	for (fd = 0; set && fd < cnt; fd++) {
		if (fd % bits == 0 && !words[fd / bits])
			fd += bits - 1;
		else if ((words[fd / bits] >> (fd % bits) & 1) && !fd_is_foreign(fd) &&
			 fd_kind(fd) == FD_OURS)
			has = true;
	}
	return has;
}

static bool
select_has_ours(int cnt, const fd_set *in, const fd_set *out, const fd_set *except)
{
	bool has = set_has_ours(in, cnt);

	/* (each number is to be found out, so all three) */
	has |= set_has_ours(out, cnt);
	has |= set_has_ours(except, cnt);
	return has;
}

int
preload_select(int cnt, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
	return select_has_ours(cnt, in, out, except)
		       ? dptipc_select(cnt, in, out, except, timeout)
		       : dpt_real.select(cnt, in, out, except, timeout);
}

int
preload_pselect(int cnt, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
		const sigset_t *mask)
{
	return select_has_ours(cnt, in, out, except)
		       ? dptipc_pselect(cnt, in, out, except, timeout, mask)
		       : dpt_real.pselect(cnt, in, out, except, timeout, mask);
}
