/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * poll: 09-socket-api.md, 18. The bits of our sockets come from the shared memory; the sleep is a
 * real one on the real descriptors, so others may be mixed in.
 *
 *   bits of ours -> some: done, after a look at the others
 *                -> none: ppoll(2), with those that wait for room filled --> again
 */

#include "client_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IN (POLLIN | POLLRDNORM)
/* Sets up to this size cost no allocation. Our choice. */
#define STACK_CNT 64
/* A descriptor that goes on being readable without cause: somebody is just about to take its
 * byte. Then this pause. Our choice. */
#define SPURIOUS_NS 200000

struct poll_call {
	struct pollfd *fds;
	struct pollfd *real; /* what is slept on */
	nfds_t cnt;
	const sigset_t *mask;
	int64_t deadline_ns; /* INT64_MAX: none */
};

/*
 * A connection that has ended. Between the published state and the last message in the log there
 * is nothing to read for a moment; dptipcd hangs up when that has come.
 */
static short
bits_disconnecting(bool has, short real)
{
	return has || (real & POLLHUP) ? IN | POLLHUP : 0;
}

static short
bits_state(const struct sock *s, short real)
{
	bool has = rx_has(s);
	short bits = (short)((has ? IN : 0) | (room_is_there(s) ? POLLOUT : 0));

	if (!sock_is_conn_type(s))
		return bits;
	switch (sock_state(s)) {
	case DPT_CONN_OPEN:
		return bits & POLLOUT;
	case DPT_CONN_DISCONNECTING:
		return bits_disconnecting(has, real);
	default:
		return bits;
	}
}

/* All bits that hold. real: what poll(2) said of the descriptor, 0 when it was not asked. */
static short
bits_of(const struct sock *s, short real)
{
	short bits;

	if (real & POLLNVAL)
		return POLLNVAL;
	if (atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed) ||
	    attach_is_dead_cached(s->att))
		return real ? real : POLLIN | POLLHUP;
	bits = bits_state(s, real);
	if (atomic_load_explicit(&client_opt(s)->is_shut, memory_order_relaxed)) {
		bits |= IN | POLLHUP;
		if (sock_state(s) != DPT_CONN_DISCONNECTING)
			bits |= POLLRDHUP;
	}
	return bits;
}

static short
wanted(const struct pollfd *pfd)
{
	return pfd->events | POLLHUP | POLLERR | POLLNVAL;
}

/* What to sleep for. */
static short
sleep_events(const struct sock *s, short events)
{
	uint32_t state = sock_state(s);
	bool is_conn = sock_is_conn_type(s);
	short want = 0;

	if (events & (IN | POLLRDHUP))
		want |= POLLIN;
	if (!(events & POLLOUT) || (is_conn && state != DPT_CONN_OPEN &&
				    state != DPT_CONN_CONNECTING && state != DPT_CONN_ESTABLISHED))
		return want;
	room_ask(s);
	return want | POLLOUT;
}

static int64_t
left_ns(const struct poll_call *call)
{
	int64_t left;

	if (call->deadline_ns == INT64_MAX)
		return INT64_MAX;
	left = call->deadline_ns - clock_ns();
	return left > 0 ? left : 0;
}

static int
real_poll(struct poll_call *call, int64_t max_ns)
{
	struct timespec ts = {.tv_sec = max_ns / 1000000000, .tv_nsec = max_ns % 1000000000};

	return ppoll(call->real, call->cnt, max_ns == INT64_MAX ? NULL : &ts, call->mask);
}

/* Bits without a sleep. Returns how many descriptors have some; *others: there are foreign ones. */
static int
look(struct poll_call *call, bool *others)
{
	int ready = 0;
	nfds_t i;

	*others = false;
	for (i = 0; i < call->cnt; i++) {
		struct pollfd *pfd = &call->fds[i];
		struct sock s;

		call->real[i] = *pfd;
		call->real[i].revents = pfd->revents = 0;
		if (pfd->fd < 0)
			continue;
		if (table_find(pfd->fd, &s) < 0) {
			*others = true;
			continue;
		}
		pfd->revents = bits_of(&s, 0) & wanted(pfd);
		call->real[i].events = 0;
		ready += pfd->revents != 0;
		/* How it ended only the descriptor knows. */
		*others |= sock_state(&s) == DPT_CONN_DISCONNECTING;
	}
	return ready;
}

/* Before a sleep. */
static void
arm(struct poll_call *call)
{
	nfds_t i;

	for (i = 0; i < call->cnt; i++) {
		struct sock s;

		if (call->fds[i].fd >= 0 && table_find(call->fds[i].fd, &s) == 0)
			call->real[i].events = sleep_events(&s, call->fds[i].events);
	}
}

/* A byte lies in the pair though all is read: its reader died, or is about to take it. */
static void
quieten(const struct sock *s)
{
	struct rx rx;

	rx_open(s, &rx);
	if (dpt_log_is_empty(&rx.log))
		rx_settle(&rx);
	rx_close(&rx);
}

/* After poll(2). *is_spurious: one of ours woke us for nothing. */
static int
merge(struct poll_call *call, bool *is_spurious)
{
	int ready = 0;
	nfds_t i;

	*is_spurious = false;
	for (i = 0; i < call->cnt; i++) {
		struct pollfd *pfd = &call->fds[i];
		short real = call->real[i].revents;
		struct sock s;

		pfd->revents = 0;
		if (pfd->fd < 0)
			continue;
		if (table_find(pfd->fd, &s) < 0) {
			pfd->revents = real;
		} else {
			pfd->revents = bits_of(&s, real) & wanted(pfd);
			if (real && !pfd->revents) {
				*is_spurious = true;
				quieten(&s);
			}
		}
		ready += pfd->revents != 0;
	}
	return ready;
}

static int
poll_loop(struct poll_call *call)
{
	const struct timespec pause = {.tv_nsec = SPURIOUS_NS};
	bool others, is_spurious = false;
	int ready;

	for (;;) {
		int64_t sleep_ns;

		ready = look(call, &others);
		if (ready && !others)
			return ready;
		sleep_ns = ready ? 0 : left_ns(call);
		if (sleep_ns) {
			arm(call);
			/* What came before that would not wake us. */
			ready = look(call, &others);
			arm(call);
			if (ready)
				sleep_ns = 0;
		}
		if (is_spurious && sleep_ns)
			nanosleep(&pause, NULL);
		if (real_poll(call, sleep_ns) < 0)
			return fail_errno(errno);
		ready = merge(call, &is_spurious);
		if (ready || sleep_ns == 0 || left_ns(call) == 0)
			return ready;
	}
}

static int
poll_any(struct pollfd *fds, nfds_t cnt, int64_t timeout_ns, const sigset_t *mask)
{
	struct poll_call call = {.fds = fds, .cnt = cnt, .mask = mask};
	struct pollfd few[STACK_CNT];
	int rc;

	if (cnt && !fds)
		return fail_errno(EFAULT);
	call.real = few;
	if (cnt > STACK_CNT) {
		call.real = calloc(cnt, sizeof(*call.real));
		if (!call.real)
			return fail_errno(ENOMEM);
	}
	call.deadline_ns = timeout_ns < 0 ? INT64_MAX : clock_ns() + timeout_ns;
	rc = poll_loop(&call);
	if (call.real != few) {
		int error = errno;

		free(call.real);
		errno = error;
	}
	return rc;
}

int
dptipc_poll(struct pollfd *fds, nfds_t cnt, int timeout_ms)
{
	return poll_any(fds, cnt, timeout_ms < 0 ? -1 : (int64_t)timeout_ms * 1000000, NULL);
}

int
dptipc_ppoll(struct pollfd *fds, nfds_t cnt, const struct timespec *timeout, const sigset_t *mask)
{
	int64_t timeout_ns = -1;

	if (timeout) {
		if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
			return fail_errno(EINVAL);
		/* Longer than a century is for ever. */
		if (timeout->tv_sec < INT64_C(4000000000))
			timeout_ns = (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_nsec;
	}
	return poll_any(fds, cnt, timeout_ns, mask);
}
