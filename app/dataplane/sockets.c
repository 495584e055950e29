/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets of an attached process: socket pairs. The application's end is its descriptor; the
 * kernel counts its copies, so our end's hang-up says that the last holder is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach.h"

static void
sockets_free(struct attach_sock *sock)
{
	struct attach *a = sock->attach;
	const struct dpt_shm_layout *layout = &a->served.layout;

	close(sock->fd);
	sock->fd = -1;
	sock->is_open = false;
	sock->is_closing = false;
	/* The log's memory goes back to the system; it reads as zeroes afterwards. */
	fallocate(a->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)(layout->rx_logs_offset + (uint64_t)sock->idx * layout->rx_log_bytes),
		  layout->rx_log_bytes);
	a->socks_cnt--;
	attach_check_end(a);
}

static void
sockets_closed(struct request *req)
{
	sockets_free(req->owner);
}

void
sockets_close(struct attach_sock *sock)
{
	struct attach *a = sock->attach;

	if (sock->fd < 0 || sock->is_closing || !sock->is_open)
		return;
	sock->is_closing = true;
	control_unwatch(a->control, sock->fd);
	/* Whoever still holds the other end (hostile, stopping) sees the hang-up at once. */
	shutdown(sock->fd, SHUT_RDWR);
	sock->req = (struct request){.op = REQUEST_CLOSE,
				     .served = &a->served,
				     .sock_idx = sock->idx,
				     .done = sockets_closed,
				     .owner = sock};
	control_ask(a->control, a->worker, &sock->req);
}

void
sockets_close_all(struct attach *a)
{
	for (uint32_t i = 0; i < a->served.layout.socks_cnt; i++)
		sockets_close(&a->socks[i]);
}

/* Only hang-up and error are watched: what the application writes into the pair is nothing. */
static void
sockets_event(struct source *source, uint32_t events)
{
	if (events & (EPOLLHUP | EPOLLERR))
		sockets_close((struct attach_sock *)source);
}

static void
sockets_opened(struct request *req)
{
	struct attach *a = req->owner;
	struct attach_sock *sock = &a->socks[req->sock_idx];
	int peer_end = a->peer_end;

	a->peer_end = -1;
	if (req->result != 0) {
		close(peer_end);
		sockets_free(sock);
		attach_answer(a, -req->result, NULL, 0);
		return;
	}
	sock->is_open = true;
	sock->port = req->port;
	sock->source.event = sockets_event;
	a->msg.arg[0] = sock->idx;
	a->msg.arg[1] = req->port.ref;
	if (control_watch(a->control, sock->fd, &sock->source, 0) != 0 || a->is_thrown_out) {
		close(peer_end);
		sockets_close(sock);
		attach_answer(a, ENOMEM, NULL, 0);
		return;
	}
	attach_answer(a, 0, &peer_end, 1);
	/* If it did not arrive, nobody holds it now: hang-up, the socket goes. */
	close(peer_end);
}

/* A free index, oldest use first: stragglers of an old life do not meet a new one. Returns false
 * when there is none. */
static bool
sockets_idx(struct attach *a, uint32_t *idx)
{
	uint32_t cnt = a->served.layout.socks_cnt;

	for (uint32_t i = 0; i < cnt; i++) {
		*idx = (a->idx_next + i) % cnt;
		if (a->socks[*idx].fd < 0) {
			a->idx_next = *idx + 1 < cnt ? *idx + 1 : 0;
			return true;
		}
	}
	return false;
}

void
sockets_open(struct attach *a)
{
	int pair[2];
	uint32_t idx;

	if (a->state != ATTACH_SERVED) {
		attach_answer(a, ENOTCONN, NULL, 0);
		return;
	}
	if (a->msg.arg[0] != SOCK_RDM && a->msg.arg[0] != SOCK_DGRAM) {
		attach_answer(a, EPROTOTYPE, NULL, 0);
		return;
	}
	if (!sockets_idx(a, &idx)) {
		attach_answer(a, ENFILE, NULL, 0);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		attach_answer(a, errno, NULL, 0);
		return;
	}
	/* Blocking or not is a property of each end: the application's is its own business. */
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	a->socks[idx].fd = pair[0];
	a->socks_cnt++;
	a->peer_end = pair[1];
	a->req = (struct request){.op = REQUEST_OPEN,
				  .served = &a->served,
				  .sock_idx = idx,
				  .type = (enum dpt_sock_type)a->msg.arg[0],
				  .fd = pair[0],
				  .done = sockets_opened,
				  .owner = a};
	control_ask(a->control, a->worker, &a->req);
}
