/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRELOAD_EPOLL_H
#define PRELOAD_EPOLL_H

/* What the calls that read and close tell of sockets in edge-triggered epoll sets. */

#include <sys/types.h>

#include "preload_fd.h"

enum edge_state {
	EDGE_NONE = 0, /* in no such set */
	EDGE_IDLE = 1,
	EDGE_READ = 2, /* something was read since the program waited */
};

extern _Atomic uint8_t preload_edge_states[PRELOAD_FDS];
extern _Atomic int preload_edges_cnt;
void preload_edges_read(int fd);
void preload_edges_forget(int fd);

static inline enum edge_state
edge_state(int fd)
{
	return atomic_load_explicit(&preload_edge_states[fd], memory_order_relaxed);
}

/* Something was read from fd, or accepted, if got is not negative. Returns got. */
static inline ssize_t
edge_was_read(int fd, ssize_t got)
{
	if (__builtin_expect(edge_state(fd) == EDGE_IDLE, 0) && got >= 0)
		preload_edges_read(fd);
	return got;
}

static inline void
edge_closes(int fd)
{
	if (__builtin_expect(edge_state(fd) != EDGE_NONE, 0))
		preload_edges_forget(fd);
}

#endif /* PRELOAD_EPOLL_H */
