/* SPDX-License-Identifier: BSD-3-Clause */

/* Sleeping on a word of the region, what the descriptor says of blocking, and copies of it that
 * sleepers hold. */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* After this long a sleeper asks whether dptipcd lives. Our choice: P4, well below 1 s. */
#define FUTEX_WAIT_NS_MAX 100000000
/* Sleepers at a time that hold copies; more of them go without. Our choice. */
#define HOLDS_MAX 256

/* Descriptor + 1 of each copy; under table_lock, which a fork waits for. */
static int holds[HOLDS_MAX];

int
futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t max_ns)
{
	struct timespec ts = {0};

	if (max_ns > FUTEX_WAIT_NS_MAX)
		max_ns = FUTEX_WAIT_NS_MAX;
	if (max_ns <= 0)
		return 0;
	ts.tv_nsec = max_ns;
	/* Not private: the other side maps the memory elsewhere. */
	if (syscall(SYS_futex, word, FUTEX_WAIT, value, &ts, NULL, 0) < 0 && errno == EINTR)
		return EINTR;
	return 0;
}

int
word_sleep(const struct sock *s, _Atomic uint32_t *word, uint32_t value, int64_t max_ns)
{
	int rc = 0;

	/* seq_cst, as is the load: the dataplane stores the word and then loads tx_waiting. */
	atomic_store(&s->shm->tx_waiting, 1);
	if (atomic_load(word) == value)
		rc = futex_wait(word, value, max_ns);
	atomic_store(&s->shm->tx_waiting, 0);
	return rc;
}

bool
fd_is_nonblock(const struct sock *s)
{
	int flags = fcntl(s->fd, F_GETFL);
	bool is = flags >= 0 && (flags & O_NONBLOCK);

	atomic_store_explicit(&client_opt(s)->is_nonblock, is, memory_order_relaxed);
	return is;
}

bool
is_gone(const struct sock *s)
{
	return atomic_load_explicit(&s->shm->is_closed, memory_order_acquire) ||
	       attach_is_dead_cached(s->att);
}

void
sock_hold(struct sock *s)
{
	int i, fd;

	if (__libc_single_threaded || s->is_held)
		return;
	pthread_mutex_lock(&table_lock);
	for (i = 0; i < HOLDS_MAX && holds[i]; i++)
		;
	if (i < HOLDS_MAX && table_is_current(s)) {
		fd = fcntl(s->fd, F_DUPFD_CLOEXEC, CLIENT_FD_MIN);
		if (fd >= 0) {
			holds[i] = fd + 1;
			s->fd = fd;
			s->is_held = true;
		}
	}
	pthread_mutex_unlock(&table_lock);
}

void
sock_release(struct sock *s)
{
	int i;

	if (!s->is_held)
		return;
	pthread_mutex_lock(&table_lock);
	for (i = 0; i < HOLDS_MAX; i++)
		if (holds[i] == s->fd + 1)
			holds[i] = 0;
	close(s->fd);
	pthread_mutex_unlock(&table_lock);
	s->is_held = false;
}

void
holds_drop(void)
{
	int i;

	for (i = 0; i < HOLDS_MAX; i++) {
		if (holds[i])
			close(holds[i] - 1);
		holds[i] = 0;
	}
}

int64_t
deadline_of(int64_t timeo_ns)
{
	return timeo_ns ? clock_ns() + timeo_ns : INT64_MAX;
}
