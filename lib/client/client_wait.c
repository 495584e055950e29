/* SPDX-License-Identifier: BSD-3-Clause */

/* Sleeping on a word of the region, and what the descriptor says of blocking. */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* After this long a sleeper asks whether dptipcd lives. Our choice: P4, well below 1 s. */
#define FUTEX_WAIT_NS_MAX 100000000

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

bool
fd_is_nonblock(const struct sock *s)
{
	int flags = fcntl(s->fd, F_GETFL);
	bool is = flags >= 0 && (flags & O_NONBLOCK);

	atomic_store_explicit(&client_opt(s)->is_nonblock, is, memory_order_relaxed);
	return is;
}
