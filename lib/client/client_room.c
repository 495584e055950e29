/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Room to send: 09-socket-api.md, 10.4, 11.2, 18. The descriptor is not writable for poll(2) while
 * its end of the pair is full: we fill it, and the dataplane empties it when the socket may send.
 *
 *   room_ask:  fill with octets --> is_filled = 1 --> ROOM
 *   room_wait: without a time limit send(2) of one octet more, so that signals do what they do
 *              to any send call; with one a futex
 */

#include "client_priv.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

/* Before a sleep: about what a wake-up costs. Our choice. */
#define ROOM_SPIN_NS  4000
#define ROOM_YIELD_NS 50000
/* More octets than the smallest buffer holds. */
#define FILL_MAX 4096

bool
room_is_there(const struct sock *s)
{
	bool is_congested = atomic_load_explicit(&s->shm->is_congested, memory_order_acquire);

	if (!sock_is_conn_type(s))
		return !is_congested;
	switch (sock_state(s)) {
	case DPT_CONN_OPEN:
		return !is_congested;
	case DPT_CONN_ESTABLISHED:
		return !is_congested &&
		       (int32_t)(atomic_load_explicit(&s->shm->tx_credit, memory_order_relaxed) -
				 __atomic_load_n(&client_tx(s)->cost, __ATOMIC_RELAXED)) >= 0;
	default:
		return false;
	}
}

static void
pair_fill(const struct sock *s)
{
	int size = 1, i;

	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (i = 0; i < FILL_MAX; i++)
		if (send(s->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
			break;
}

void
room_ask(const struct sock *s)
{
	if (atomic_load(&s->shm->is_filled) || !table_is_current(s))
		return;
	pair_fill(s);
	atomic_store(&s->shm->is_filled, 1);
	if (record_put_word(s, DPT_REC_ROOM) < 0)
		atomic_store(&s->shm->is_filled, 0);
}

/* A connection that has ended has no room, but nothing to wait for either. */
static bool
room_is_decided(const struct sock *s)
{
	return room_is_there(s) || (sock_is_conn_type(s) && sock_state(s) != DPT_CONN_ESTABLISHED);
}

static bool
room_spin(const struct sock *s)
{
	int64_t start = clock_ns(), waited = 0;
	int i;

	while (waited < ROOM_YIELD_NS) {
		for (i = 0; i < 8; i++) {
			if (room_is_decided(s))
				return true;
			cpu_pause();
		}
		if (waited > ROOM_SPIN_NS)
			sched_yield();
		waited = clock_ns() - start;
	}
	return false;
}

static int
room_sleep_fd(const struct sock *s)
{
	ssize_t sent;

	room_ask(s);
	if (room_is_decided(s))
		return 0;
	sent = send(s->fd, "", 1, MSG_NOSIGNAL);
	if (sent == 1) {
		/* Our octet lies there: have it taken away. */
		atomic_store(&s->shm->is_filled, 1);
		record_put_word(s, DPT_REC_ROOM);
		return 0;
	}
	if (errno == EINTR)
		return EINTR;
	/* Hung up: the connection's state says why. */
	if (errno == EPIPE || errno == ECONNRESET)
		return is_gone(s) || attach_is_dead(s->att) ? ENETDOWN : 0;
	return errno == EAGAIN ? EAGAIN : ENETDOWN;
}

static int
room_sleep_futex(const struct sock *s, int64_t deadline_ns)
{
	uint32_t credit = atomic_load(&s->shm->tx_credit);
	int64_t left_ns = deadline_ns - clock_ns();
	_Atomic uint32_t *word = &s->shm->tx_credit;
	uint32_t value = credit;

	if (left_ns <= 0)
		return EAGAIN;
	if (atomic_load_explicit(&s->shm->is_congested, memory_order_acquire)) {
		word = &s->shm->is_congested;
		value = 1;
	} else if (room_is_decided(s)) {
		return 0;
	}
	return word_sleep(s, word, value, left_ns);
}

int
room_wait(struct sock *s, int64_t deadline_ns)
{
	int rc;

	if (fd_is_nonblock(s)) {
		room_ask(s);
		return EAGAIN;
	}
	if (is_gone(s))
		return ENETDOWN;
	if (deadline_ns != INT64_MAX && clock_ns() >= deadline_ns)
		return EAGAIN;
	if (room_spin(s))
		return 0;
	sock_hold(s);
	do
		rc = deadline_ns == INT64_MAX ? room_sleep_fd(s) : room_sleep_futex(s, deadline_ns);
	while (rc == 0 && !room_is_decided(s) && !is_gone(s));
	return rc == 0 && is_gone(s) ? ENETDOWN : rc;
}
