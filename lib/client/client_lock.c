/* SPDX-License-Identifier: BSD-3-Clause */

/* Locks in the region: robust, shared between processes, skipped when nobody else is there. */

#include "client_priv.h"

#include <errno.h>
#include <sys/single_threaded.h>

void
lock_init(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
}

enum lock_state
lock_take(const struct attach *att, pthread_mutex_t *mutex)
{
	/*
	 * Neither changes while this thread is inside: threads and forks are made by threads,
	 * and this is the only one. (A fork's child is another process that sees is_shared.)
	 */
	if (__libc_single_threaded &&
	    !atomic_load_explicit(&client_hdr(att)->is_shared, memory_order_relaxed))
		return LOCK_SKIPPED;
	if (pthread_mutex_lock(mutex) == EOWNERDEAD) {
		pthread_mutex_consistent(mutex);
		return LOCK_OWNER_DIED;
	}
	return LOCK_TAKEN;
}

void
lock_release(pthread_mutex_t *mutex, enum lock_state state)
{
	if (state != LOCK_SKIPPED)
		pthread_mutex_unlock(mutex);
}
