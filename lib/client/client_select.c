/* SPDX-License-Identifier: BSD-3-Clause */

/* select(2) and pselect(2), by way of poll: 09-socket-api.md, 18. */

#include "client_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>

/* Sets up to this size cost no allocation. Our choice. */
#define STACK_CNT 64
/* What belongs to which set. Src: the kernel's POLLIN_SET, POLLOUT_SET, POLLEX_SET. */
#define SELECT_IN     (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_OUT    (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define SELECT_EXCEPT POLLPRI

struct select_call {
	fd_set *sets[3];      /* in, out, except */
	struct pollfd *polls; /* of each number that is in a set */
	nfds_t cnt;
};

static const short select_events[3] = {POLLIN, POLLOUT, POLLPRI};
static const short select_bits[3] = {SELECT_IN, SELECT_OUT, SELECT_EXCEPT};

/* Sets may be larger than fd_set: programs allocate their own. */
static bool
set_has(const fd_set *set, int fd)
{
	const unsigned long *words = (const unsigned long *)set;
	const int bits = 8 * (int)sizeof(*words);

	return set && (words[fd / bits] >> (fd % bits) & 1);
}

static void
set_put(fd_set *set, int fd, bool on)
{
	unsigned long *words = (unsigned long *)set;
	const int bits = 8 * (int)sizeof(*words);
	unsigned long bit = 1ul << (fd % bits);

	words[fd / bits] = on ? words[fd / bits] | bit : words[fd / bits] & ~bit;
}

static short
select_wants(const struct select_call *call, int fd)
{
	short events = 0;
	int i;

	for (i = 0; i < 3; i++)
		if (set_has(call->sets[i], fd))
			events |= select_events[i];
	return events;
}

/* Results into the sets. Returns how many bits are there, or -1: a number is not open. */
static int
select_result(const struct select_call *call)
{
	int ready = 0, i;
	nfds_t n;

	for (n = 0; n < call->cnt; n++)
		if (call->polls[n].revents & POLLNVAL) {
			return fail_errno(EBADF);
		}
	for (n = 0; n < call->cnt; n++) {
		const struct pollfd *p = &call->polls[n];

		for (i = 0; i < 3; i++) {
			bool on = p->events & select_events[i] && p->revents & select_bits[i];

			if (p->events & select_events[i])
				set_put(call->sets[i], p->fd, on);
			ready += on;
		}
	}
	return ready;
}

static int
select_polls(struct select_call *call, int cnt, const struct timespec *timeout,
	     const sigset_t *mask)
{
	struct pollfd few[STACK_CNT];
	nfds_t n = 0;
	int fd, rc;

	for (fd = 0; fd < cnt; fd++)
		call->cnt += select_wants(call, fd) != 0;
	call->polls = call->cnt <= STACK_CNT ? few : calloc(call->cnt, sizeof(*call->polls));
	if (!call->polls)
		return fail_errno(ENOMEM);
	for (fd = 0; fd < cnt && n < call->cnt; fd++)
		if (select_wants(call, fd))
			call->polls[n++] =
				(struct pollfd){.fd = fd, .events = select_wants(call, fd)};
	rc = dptipc_ppoll(call->polls, call->cnt, timeout, mask);
	if (rc >= 0)
		rc = select_result(call);
	if (call->polls != few) {
		int error = errno;

		free(call->polls);
		errno = error;
	}
	return rc;
}

/* As the kernel: what is left of the time. */
static void
left_put(struct timeval *timeout, const struct timespec *begin)
{
	struct timespec now;
	int64_t left_us;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left_us = (int64_t)timeout->tv_sec * 1000000 + timeout->tv_usec -
		  ((int64_t)(now.tv_sec - begin->tv_sec) * 1000000 +
		   (now.tv_nsec - begin->tv_nsec) / 1000);
	if (left_us < 0)
		left_us = 0;
	timeout->tv_sec = left_us / 1000000;
	timeout->tv_usec = left_us % 1000000;
}

int
dptipc_pselect(int cnt, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
	       const sigset_t *mask)
{
	struct select_call call = {.sets = {in, out, except}};

	if (cnt < 0)
		return fail_errno(EINVAL);
	return select_polls(&call, cnt, timeout, mask);
}

int
dptipc_select(int cnt, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
	struct timespec ts, begin;
	int rc;

	if (!timeout)
		return dptipc_pselect(cnt, in, out, except, NULL, NULL);
	if (timeout->tv_sec < 0 || timeout->tv_usec < 0)
		return fail_errno(EINVAL);
	ts.tv_sec = timeout->tv_sec + timeout->tv_usec / 1000000;
	ts.tv_nsec = timeout->tv_usec % 1000000 * 1000;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	rc = dptipc_pselect(cnt, in, out, except, &ts, NULL);
	left_put(timeout, &begin);
	return rc;
}
