/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * epoll works on the descriptors themselves: readable as long as a message is unread, not writable
 * after a send has said EAGAIN until there is room (decision 0006). So level-triggered sets are
 * right as they are, and edge-triggered ones as long as the program reads until EAGAIN, as epoll(7)
 * asks.
 *
 * One that does not, and goes back to wait, would get no further edge, since the descriptor stays
 * readable; the kernel's socket gives one with each message that comes. So a socket of which
 * something was read since its edge, and that has more, gets another edge when the program waits:
 * EPOLL_CTL_MOD. No edge comes by a message while the program has read nothing at all since the
 * last one.
 *
 *     epoll_ctl(EPOLLET) -> IDLE -- recv, accept --> READ, in the list -- epoll_wait --> IDLE
 */

#include "preload_epoll.h"
#include "preload_fd.h"
#include "preload_real.h"

#include <pthread.h>
#include <stdlib.h>

#include "dpt_client.h"

/* An edge-triggered entry of an epoll set. */
struct edge {
	struct edge *next;	/* of the same number */
	struct edge *next_read; /* in the list of those that were read */
	int epoll;
	int fd;
	struct epoll_event event;
	bool is_read;
};

/* EDGE_READ: all of the number's are in the list. */
_Atomic uint8_t preload_edge_states[PRELOAD_FDS];
_Atomic int preload_edges_cnt;

/* Under edges_lock, as all of the following functions. Pages that are not touched cost nothing. */
static struct edge *edges_of[PRELOAD_FDS];
static struct edge *edges_read;
static pthread_mutex_t edges_lock = PTHREAD_MUTEX_INITIALIZER;

static void
edge_read_remove(struct edge *edge)
{
	struct edge **at = &edges_read;

	while (*at && *at != edge)
		at = &(*at)->next_read;
	if (*at)
		*at = edge->next_read;
	edge->is_read = false;
	preload_edge_states[edge->fd] = EDGE_IDLE;
}

static void
edge_drop(struct edge *edge)
{
	struct edge **at = &edges_of[edge->fd];

	if (edge->is_read)
		edge_read_remove(edge);
	while (*at != edge)
		at = &(*at)->next;
	*at = edge->next;
	if (!edges_of[edge->fd])
		preload_edge_states[edge->fd] = EDGE_NONE;
	preload_edges_cnt--;
	free(edge);
}

/* Without memory it is as if it had not been seen. */
static void
edge_add(int epoll, int fd, const struct epoll_event *event)
{
	struct edge *edge = calloc(1, sizeof(*edge));

	if (!edge)
		return;
	edge->epoll = epoll;
	edge->fd = fd;
	edge->event = *event;
	edge->next = edges_of[fd];
	edges_of[fd] = edge;
	preload_edge_states[fd] = EDGE_IDLE;
	preload_edges_cnt++;
}

void
edges_child(void)
{
	pthread_mutex_init(&edges_lock, NULL);
}

/* ---- what the program does ---- */

static void
edge_note(int epoll, int op, int fd, const struct epoll_event *event)
{
	bool is_edge =
		op != EPOLL_CTL_DEL && (event->events & EPOLLET) && !(event->events & EPOLLONESHOT);
	struct edge *edge;

	if (!is_edge && !preload_edges_cnt)
		return;
	pthread_mutex_lock(&edges_lock);
	for (edge = edges_of[fd]; edge && edge->epoll != epoll; edge = edge->next)
		;
	if (edge && is_edge)
		edge->event = *event;
	else if (edge)
		edge_drop(edge);
	else if (is_edge)
		edge_add(epoll, fd, event);
	pthread_mutex_unlock(&edges_lock);
}

void
preload_edges_read(int fd)
{
	struct edge *edge;

	pthread_mutex_lock(&edges_lock);
	for (edge = edges_of[fd]; edge; edge = edge->next) {
		if (edge->is_read)
			continue;
		edge->is_read = true;
		edge->next_read = edges_read;
		edges_read = edge;
		preload_edge_states[fd] = EDGE_READ;
	}
	pthread_mutex_unlock(&edges_lock);
}

void
preload_edges_forget(int fd)
{
	pthread_mutex_lock(&edges_lock);
	while (edges_of[fd])
		edge_drop(edges_of[fd]);
	pthread_mutex_unlock(&edges_lock);
}

/* Before a wait. */
static void
edges_renew(int epoll)
{
	struct edge *edge, *next;
	int error = errno;

	pthread_mutex_lock(&edges_lock);
	for (edge = edges_read; edge; edge = next) {
		next = edge->next_read;
		if (edge->epoll != epoll)
			continue;
		edge_read_remove(edge);
		/* (of a number that was closed the kernel knows nothing) */
		if (dpt_client_has_unread(edge->fd) &&
		    dpt_real.epoll_ctl(epoll, EPOLL_CTL_MOD, edge->fd, &edge->event) < 0)
			edge_drop(edge);
	}
	pthread_mutex_unlock(&edges_lock);
	errno = error;
}

int
preload_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	/* A socket that came over exec(3) is made known, so that its descriptor behaves. */
	bool is_ours = !fd_is_foreign(fd) && fd_kind(fd) == FD_OURS;
	int rc = dpt_real.epoll_ctl(epoll, op, fd, event);

	if (rc == 0 && is_ours)
		edge_note(epoll, op, fd, event);
	return rc;
}

int
preload_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
	if (atomic_load_explicit(&preload_edges_cnt, memory_order_relaxed))
		edges_renew(epoll);
	return dpt_real.epoll_wait(epoll, events, max, timeout_ms);
}

int
preload_epoll_pwait(int epoll, struct epoll_event *events, int max, int timeout_ms,
		    const sigset_t *mask)
{
	if (atomic_load_explicit(&preload_edges_cnt, memory_order_relaxed))
		edges_renew(epoll);
	return dpt_real.epoll_pwait(epoll, events, max, timeout_ms, mask);
}

int
preload_epoll_pwait2(int epoll, struct epoll_event *events, int max, const struct timespec *timeout,
		     const sigset_t *mask)
{
	if (atomic_load_explicit(&preload_edges_cnt, memory_order_relaxed))
		edges_renew(epoll);
	return dpt_real.epoll_pwait2(epoll, events, max, timeout, mask);
}
