/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Descriptor -> socket, for this process. Two levels, made as needed, never given back:
 * a call looks up without a lock. Written under table_lock.
 */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define CHUNK_FDS  1024
#define CHUNKS_CNT 1024 /* a million descriptors: the kernel's fs.nr_open */

struct entry {
	_Atomic(struct attach *) att; /* NULL: not ours; stored last */
	_Atomic uint32_t idx;
};

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

int
table_get(int fd, struct sock *s)
{
	struct entry *entry = entry_of(fd);
	/* Pairs with table_add: idx is there. */
	struct attach *att = entry ? atomic_load_explicit(&entry->att, memory_order_acquire) : NULL;

	if (!att)
		return fail_errno(fcntl(fd, F_GETFD) < 0 ? EBADF : ENOTSOCK);
	s->fd = fd;
	s->idx = atomic_load_explicit(&entry->idx, memory_order_relaxed);
	s->att = att;
	s->shm = dpt_shm_sock_at(att->region, &att->layout, s->idx);
	return 0;
}

static void
entry_clear(struct entry *entry)
{
	struct attach *att = atomic_load_explicit(&entry->att, memory_order_relaxed);

	if (att)
		att->fds_cnt--;
	atomic_store_explicit(&entry->att, NULL, memory_order_release);
}

int
table_add(int fd, struct attach *att, uint32_t idx)
{
	struct entry *chunk;
	int rc = 0;

	if (fd >= CHUNK_FDS * CHUNKS_CNT)
		return fail_errno(EMFILE);
	pthread_mutex_lock(&table_lock);
	if (!entry_of(fd)) {
		chunk = calloc(CHUNK_FDS, sizeof(*chunk));
		if (chunk)
			atomic_store_explicit(&chunks[fd / CHUNK_FDS], chunk, memory_order_release);
		else
			rc = fail_errno(ENOMEM);
	}
	if (rc == 0) {
		struct entry *entry = entry_of(fd);

		/* The number may be that of a socket closed with close(2). */
		entry_clear(entry);
		att->fds_cnt++;
		atomic_store_explicit(&entry->idx, idx, memory_order_relaxed);
		atomic_store_explicit(&entry->att, att, memory_order_release);
	}
	pthread_mutex_unlock(&table_lock);
	return rc;
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
