/* SPDX-License-Identifier: BSD-3-Clause */

/* Waiting for a message: spin, then sleep on the descriptor. 09-socket-api.md, 16.1. */

#include "client_priv.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <time.h>

/* A spinning receiver offers the CPU to others after this long. Our choice. */
#define SPIN_PURE_NS 4000
/* A listener that was shut down still accepts, but its descriptor is readable for ever: it looks
 * in this rhythm. Our choice. */
#define SHUT_LISTENER_NS 5000000

/* Look at the word where the next message will appear. true: something is there. */
static bool
spin(const struct sock *s, const struct dpt_log *log, int64_t max_ns)
{
	int64_t start, waited = 0;
	int i;

	if (max_ns == 0)
		return !dpt_log_is_empty(log);
	start = clock_ns();
	while (waited < max_ns) {
		for (i = 0; i < 8; i++) {
			if (!dpt_log_is_empty(log))
				return true;
			cpu_pause();
		}
		if (waited > SPIN_PURE_NS)
			sched_yield();
		if (atomic_load_explicit(&s->att->hdr->is_down, memory_order_relaxed))
			return false;
		waited = clock_ns() - start;
	}
	return false;
}

static int
sleep_shut_listener(int64_t deadline_ns)
{
	struct timespec ts = {.tv_nsec = SHUT_LISTENER_NS};

	if (clock_ns() >= deadline_ns)
		return EAGAIN;
	return nanosleep(&ts, NULL) < 0 ? EINTR : 0;
}

/*
 * Sleep until the descriptor is readable. Without a deadline that is a recv(2) which takes
 * nothing: signals then do what they do to any receive call, and O_NONBLOCK set behind our
 * back is honoured. Returns 0, EAGAIN, EINTR, ENOTCONN, ENETDOWN.
 */
static int
sleep_readable(const struct sock *s, int64_t deadline_ns)
{
	struct pollfd pfd = {.fd = s->fd, .events = POLLIN};
	int64_t left_ns;
	uint8_t byte;
	ssize_t got;

	if (deadline_ns != INT64_MAX) {
		struct timespec ts;

		left_ns = deadline_ns - clock_ns();
		if (left_ns <= 0)
			return EAGAIN;
		ts.tv_sec = left_ns / 1000000000;
		ts.tv_nsec = left_ns % 1000000000;
		if (ppoll(&pfd, 1, &ts, NULL) < 0)
			return errno;
		if (pfd.revents == 0)
			return EAGAIN;
	}
	got = recv(s->fd, &byte, 1, MSG_PEEK | (deadline_ns != INT64_MAX ? MSG_DONTWAIT : 0));
	if (got == 1)
		return 0;
	if (got == 0)
		return atomic_load(&client_opt(s)->is_shut) ? ENOTCONN : ENETDOWN;
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		/* Taken by another thread meanwhile, or the descriptor does not block. */
		return deadline_ns == INT64_MAX && fd_is_nonblock(s) ? EAGAIN : 0;
	}
	return errno == EINTR ? EINTR : ENETDOWN;
}

/* Nothing there and the call does not block. */
static int
empty_nonblock(const struct sock *s)
{
	if (atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed) ||
	    attach_is_dead_cached(s->att))
		return ENETDOWN;
	return EAGAIN;
}

/*
 * dptipcd hangs up when the last message of a connection that has ended lies in the log. Asked
 * where no end was read: there was no buffer for it.
 */
static bool
is_hung_up(const struct sock *s)
{
	struct pollfd pfd = {.fd = s->fd};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP);
}

/* The connection has ended, and all of it was read: end of file again (27, item 8). */
static bool
is_at_end(const struct sock *s, const struct dpt_log *log)
{
	return sock_is_conn_type(s) && sock_state(s) == DPT_CONN_DISCONNECTING &&
	       !atomic_load_explicit(&client_opt(s)->is_shut, memory_order_relaxed) &&
	       ((__atomic_load_n(&s->shm->rx_flags, __ATOMIC_RELAXED) & CLIENT_RX_END) != 0 ||
		is_hung_up(s)) &&
	       dpt_log_is_empty(log) && !attach_is_dead(s->att);
}

int
wait_message(struct sock *s, const struct dpt_log *log, bool is_nonblock, int64_t *deadline_ns)
{
	const struct client_opt *opt = client_opt(s);
	int64_t timeo_ns = atomic_load_explicit(&opt->rcvtimeo_ns, memory_order_relaxed);
	int64_t spin_ns =
		(int64_t)atomic_load_explicit(&opt->busy_poll_us, memory_order_relaxed) * 1000;
	bool is_shut = atomic_load_explicit(&opt->is_shut, memory_order_relaxed);
	bool is_listener = sock_state(s) == DPT_CONN_LISTEN;
	int rc;

	if (is_at_end(s, log))
		return WAIT_END;
	if (is_nonblock)
		return empty_nonblock(s);
	if (atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed) ||
	    atomic_load_explicit(&s->att->is_dead, memory_order_relaxed))
		return ENETDOWN;
	if (is_shut && !is_listener)
		return ENOTCONN;
	if (*deadline_ns == 0)
		*deadline_ns = deadline_of(timeo_ns);
	if (timeo_ns && timeo_ns < spin_ns)
		spin_ns = timeo_ns;
	if (spin(s, log, spin_ns))
		return 0;
	if (is_shut) {
		if (is_gone(s))
			return ENETDOWN;
		return fd_is_nonblock(s) ? EAGAIN : sleep_shut_listener(*deadline_ns);
	}
	sock_hold(s);
	rc = sleep_readable(s, *deadline_ns);
	/* Last words may have come with the end. */
	if ((rc == ENETDOWN || rc == ENOTCONN) && !dpt_log_is_empty(log))
		return 0;
	/* (a listener that another thread shuts down goes on) */
	return rc == ENOTCONN && is_listener && !is_gone(s) ? 0 : rc;
}
