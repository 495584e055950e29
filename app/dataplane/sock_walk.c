/* SPDX-License-Identifier: BSD-3-Clause */
/* Walk over the sockets of all attachments, for dumps. Contract: attach.h. */
#include <string.h>

#include "attach.h"

void
sock_walk_begin(struct control *control, struct sock_walk *walk)
{
	walk->at = TAILQ_FIRST(&control->attaches);
	walk->last = TAILQ_LAST(&control->attaches, attach_list);
	walk->idx = 0;
	LIST_INSERT_HEAD(&control->sock_walks, walk, link);
}

void
sock_walk_end(struct sock_walk *walk)
{
	LIST_REMOVE(walk, link);
}

/* To the attachment behind the present one; those that came after the beginning are left out. */
static void
sock_walk_step(struct sock_walk *walk)
{
	walk->at = walk->at != walk->last ? TAILQ_NEXT(walk->at, link) : NULL;
	walk->idx = 0;
}

static void
sock_walk_copy(const struct attach *at, const struct attach_sock *sock, struct chunk_socket *copy)
{
	*copy = (struct chunk_socket){
		.port = sock->port,
		.pid = at->pid,
		.cookie = sock->cookie,
		.inode = sock->inode,
		.uid = at->uid,
	};
	memcpy(copy->program, at->program, sizeof(copy->program));
}

bool
sock_walk_next(struct sock_walk *walk, struct chunk *chunk, uint8_t *worker)
{
	chunk->cnt = 0;
	for (; walk->at != NULL; sock_walk_step(walk)) {
		const struct attach *at = walk->at;

		while (at->state == ATTACH_SERVED && chunk->cnt < CHUNK_SOCKETS_CNT &&
		       walk->idx < at->served.layout.socks_cnt) {
			const struct attach_sock *sock = &at->socks[walk->idx++];

			if (sock->is_open && !sock->is_closing)
				sock_walk_copy(at, sock, &chunk->sockets[chunk->cnt++]);
		}
		if (chunk->cnt > 0) {
			*worker = at->worker;
			return true;
		}
	}
	return false;
}

void
sock_walk_attach_gone(struct control *control, struct attach *a)
{
	struct sock_walk *walk;

	LIST_FOREACH (walk, &control->sock_walks, link) {
		if (walk->at == a)
			sock_walk_step(walk);
		if (walk->last == a)
			walk->last = TAILQ_PREV(a, attach_list, link);
	}
}
