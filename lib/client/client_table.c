/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Descriptor -> socket, for this process. Two levels, made as needed, never given back:
 * a call looks up without a lock. Written under table_lock.
 */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FDS  1024
#define CHUNKS_CNT 1024 /* a million descriptors: the kernel's fs.nr_open */

struct entry {
	/* A look-up reads one line. */
	_Alignas(32) _Atomic(struct attach *) att; /* NULL: not ours; stored last */
	_Atomic uint32_t idx;	 /* without att: the cookie of a foreign Unix socket */
	_Atomic uint32_t gen;	 /* grows whenever the number ceases to be a socket */
	_Atomic uint32_t port;	 /* of the socket: tells it from a later one in its place */
	_Atomic uint32_t cookie; /* SO_COOKIE of the descriptor; the preload library's only */
};

_Static_assert(sizeof(struct entry) == 32, "two entries a line");

pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct entry *) chunks[CHUNKS_CNT];

static struct entry *
entry_of(int fd)
{
	struct entry *chunk;

	if (fd < 0 || fd >= CHUNK_FDS * CHUNKS_CNT)
		return NULL;
	chunk = atomic_load_explicit(&chunks[fd / CHUNK_FDS], memory_order_acquire);
	return chunk ? &chunk[fd % CHUNK_FDS] : NULL;
}

/*
 * The number was closed with a system call of the program's own, and may be something else by now:
 * its socket's place has been given to another one, or dptipcd has seen the last close.
 */
static bool
entry_is_stale(const struct entry *entry, const struct sock *s)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (s->shm->port != atomic_load_explicit(&entry->port, memory_order_relaxed))
		return true;
	if (!atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed))
		return false;
	/* (or dptipcd has taken it away: then it goes on being one of ours) */
	return getsockopt(s->fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0 ||
	       (uint32_t)cookie != atomic_load_explicit(&entry->cookie, memory_order_relaxed);
}

static inline bool
entry_read(int fd, struct sock *s)
{
	struct entry *entry = entry_of(fd);
	/* Pairs with table_add: idx is there. */
	struct attach *att = entry ? atomic_load_explicit(&entry->att, memory_order_acquire) : NULL;

	if (!att)
		return false;
	s->fd = fd;
	s->idx = atomic_load_explicit(&entry->idx, memory_order_relaxed);
	s->gen = atomic_load_explicit(&entry->gen, memory_order_relaxed);
	s->is_held = false;
	s->att = att;
	s->shm = dpt_shm_sock_at(att->region, &att->layout, s->idx);
	if (CLIENT_IS_PRELOAD && __builtin_expect(entry_is_stale(entry, s), 0)) {
		table_del(fd);
		CLIENT_FD_STALE(fd);
		return false;
	}
	return true;
}

int
table_find(int fd, struct sock *s)
{
	return entry_read(fd, s) ? 0 : adopt(fd, s);
}

int
table_get(int fd, struct sock *s)
{
	if (entry_read(fd, s) || adopt(fd, s) == 0)
		return 0;
	return fail_errno(fcntl(fd, F_GETFD) < 0 ? EBADF : ENOTSOCK);
}

bool
table_is_current(const struct sock *s)
{
	struct entry *entry = entry_of(s->fd);

	return s->is_held || (atomic_load_explicit(&entry->att, memory_order_acquire) == s->att &&
			      atomic_load_explicit(&entry->gen, memory_order_relaxed) == s->gen);
}

static void
entry_clear(struct entry *entry)
{
	struct attach *att = atomic_load_explicit(&entry->att, memory_order_relaxed);
	uint32_t gen = atomic_load_explicit(&entry->gen, memory_order_relaxed);

	if (att)
		att->fds_cnt--;
	atomic_store_explicit(&entry->gen, gen + 1, memory_order_relaxed);
	atomic_store_explicit(&entry->att, NULL, memory_order_release);
	atomic_store_explicit(&entry->idx, 0, memory_order_relaxed);
}

/* Under table_lock. NULL: no memory, or the number is too large. */
static struct entry *
entry_make(int fd)
{
	struct entry *chunk;

	if (fd < 0 || fd >= CHUNK_FDS * CHUNKS_CNT)
		return NULL;
	if (!entry_of(fd)) {
		chunk = aligned_alloc(sizeof(*chunk), CHUNK_FDS * sizeof(*chunk));
		if (chunk) {
			memset(chunk, 0, CHUNK_FDS * sizeof(*chunk));
			atomic_store_explicit(&chunks[fd / CHUNK_FDS], chunk, memory_order_release);
		}
	}
	return entry_of(fd);
}

int
table_add(int fd, struct attach *att, uint32_t idx)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	struct entry *entry;

	if (CLIENT_IS_PRELOAD)
		(void)getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);
	pthread_mutex_lock(&table_lock);
	entry = entry_make(fd);
	if (entry) {
		/* The number may be that of a socket closed with close(2). */
		entry_clear(entry);
		att->fds_cnt++;
		atomic_store_explicit(&entry->idx, idx, memory_order_relaxed);
		atomic_store_explicit(&entry->port,
				      dpt_shm_sock_at(att->region, &att->layout, idx)->port,
				      memory_order_relaxed);
		atomic_store_explicit(&entry->cookie, (uint32_t)cookie, memory_order_relaxed);
		atomic_store_explicit(&entry->att, att, memory_order_release);
	}
	pthread_mutex_unlock(&table_lock);
	if (!entry)
		return fail_errno(fd < CHUNK_FDS * CHUNKS_CNT ? ENOMEM : EMFILE);
	return 0;
}

void
table_del(int fd)
{
	struct entry *entry = entry_of(fd);

	if (!entry)
		return;
	pthread_mutex_lock(&table_lock);
	entry_clear(entry);
	pthread_mutex_unlock(&table_lock);
}

/* The kernel counts cookies up from small numbers: 32 bits tell them apart. */
void
table_foreign_set(int fd, uint64_t cookie)
{
	struct entry *entry;

	pthread_mutex_lock(&table_lock);
	entry = entry_make(fd);
	if (entry && !atomic_load_explicit(&entry->att, memory_order_relaxed))
		atomic_store_explicit(&entry->idx, (uint32_t)cookie, memory_order_relaxed);
	pthread_mutex_unlock(&table_lock);
}

bool
table_is_foreign(int fd, uint64_t cookie)
{
	struct entry *entry = entry_of(fd);

	return entry && !atomic_load_explicit(&entry->att, memory_order_acquire) &&
	       atomic_load_explicit(&entry->idx, memory_order_relaxed) == (uint32_t)cookie;
}
