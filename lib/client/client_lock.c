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

static void
depth_add(struct client_hdr *hdr, uint32_t add)
{
	/* One writer, so no atomic addition: plain stores for an adopter to read. */
	uint32_t depth = atomic_load_explicit(&hdr->unlocked_depth, memory_order_relaxed);

	atomic_store_explicit(&hdr->unlocked_depth, depth + add, memory_order_release);
}

/*
 * Threads and forks are made by threads, and this is the only one, so neither changes while it
 * is inside. Another process may adopt a socket of the region at any time: it sets is_shared and
 * makes all CPUs pass a barrier (membarrier); so it sees the depth, or this sees is_shared.
 */
static bool
lock_is_skipped(struct client_hdr *hdr)
{
	if (!__libc_single_threaded || atomic_load_explicit(&hdr->is_shared, memory_order_relaxed))
		return false;
	depth_add(hdr, 1);
	atomic_signal_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&hdr->is_shared, memory_order_acquire))
		return true;
	depth_add(hdr, (uint32_t)-1);
	return false;
}

enum lock_state
lock_take(const struct attach *att, pthread_mutex_t *mutex)
{
	if (lock_is_skipped(client_hdr(att)))
		return LOCK_SKIPPED;
	if (pthread_mutex_lock(mutex) == EOWNERDEAD) {
		pthread_mutex_consistent(mutex);
		return LOCK_OWNER_DIED;
	}
	return LOCK_TAKEN;
}

void
lock_release(const struct attach *att, pthread_mutex_t *mutex, enum lock_state state)
{
	if (state == LOCK_SKIPPED)
		depth_add(client_hdr(att), (uint32_t)-1);
	else
		pthread_mutex_unlock(mutex);
}
