/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets of an attachment: socket pairs. The application's end is its descriptor; the
 * kernel counts its copies, so our end's hang-up says that the last holder is gone.
 *
 *   slot taken, pair made --> worker opens (accepts, pairs) it --> end sent, ours watched
 *                                   \--> refused: slot free
 *
 * A descriptor that has to show hang-up gets one from us (deliver.c). From then on the level
 * of our end says nothing, so it is watched edge-triggered from the beginning: the first
 * event is ours, the next one the application's. Should both be reported as one, the octets
 * that were left in the pair tell: closed with unread octets is an error at the other end. Gone
 * without an error, somebody has read what is not his, and nobody could say when he
 * closes: the socket, which has ended, goes now.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"

/* ---- the end ---- */

static void
sockets_free(struct attach_sock *sock)
{
	struct attach *a = sock->attach;
	const struct dpt_shm_layout *layout = &a->served.layout;

	close(sock->fd);
	if (sock->is_open)
		LIST_REMOVE(sock, by_cookie);
	sock->is_used = false;
	sock->is_open = false;
	sock->is_closing = false;
	/* The log's memory goes back to the system; it reads as zeroes afterwards. */
	fallocate(a->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)(layout->rx_logs_offset + (uint64_t)sock->idx * layout->rx_log_bytes),
		  layout->rx_log_bytes);
	a->socks_cnt--;
	a->control->socks_cnt--;
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

	if (!sock->is_open || sock->is_closing)
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
	for (uint32_t i = 0; a->socks_cnt > 0 && i < a->served.layout.socks_cnt; i++)
		sockets_close(&a->socks[i]);
}

/* Only hang-up and error are watched: what the application writes into the pair is nothing. */
static void
sockets_event(struct source *source, uint32_t events)
{
	struct attach_sock *sock = (struct attach_sock *)source;
	struct pollfd now = {.fd = sock->fd};
	struct served_sock *served;
	int unread;

	/* (an event of the slot's last life may still be in the present batch) */
	if (!sock->is_open || !(events & (EPOLLHUP | EPOLLERR)) || poll(&now, 1, 0) != 1)
		return;
	served = &sock->attach->served.socks[sock->idx];
	/* Pairs with the store before shutdown(2) in deliver.c. */
	if (!(events & EPOLLERR) && !sock->is_hung_seen &&
	    atomic_load_explicit(&served->is_hung, memory_order_acquire) &&
	    ioctl(sock->fd, SIOCOUTQ, &unread) == 0 && unread > 0) {
		sock->is_hung_seen = true;
		return;
	}
	sockets_close(sock);
}

/* ---- the beginning ---- */

/* A free slot, oldest use first: stragglers of an old life do not meet a new one. NULL: none. */
static struct attach_sock *
sockets_slot(struct attach *a)
{
	uint32_t cnt = a->served.layout.socks_cnt;

	for (uint32_t i = 0; a->socks_cnt < cnt && i < cnt; i++) {
		uint32_t idx = (a->idx_next + i) % cnt;

		if (a->socks[idx].is_used)
			continue;
		a->idx_next = idx + 1 < cnt ? idx + 1 : 0;
		return &a->socks[idx];
	}
	return NULL;
}

static struct cookie_bucket *
sockets_bucket(struct control *control, uint64_t cookie)
{
	return &control->cookies[cookie % CONTROL_COOKIE_BUCKETS];
}

static bool
sockets_cookie(int fd, uint64_t *cookie)
{
	socklen_t bytes = sizeof(*cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &bytes) == 0;
}

struct attach_sock *
sockets_of_fd(struct control *control, int fd)
{
	struct attach_sock *sock;
	uint64_t cookie;

	if (!sockets_cookie(fd, &cookie))
		return NULL;
	LIST_FOREACH (sock, sockets_bucket(control, cookie), by_cookie)
		if (sock->cookie == cookie && !sock->is_closing)
			return sock;
	return NULL;
}

/* Take a slot and make a pair. *end: the application's. Returns 0 or an errno. */
static int
sockets_take(struct attach *a, struct attach_sock **sock, int *end)
{
	struct attach_sock *slot = sockets_slot(a);
	struct stat end_stat;
	uint64_t cookie;
	int pair[2];

	if (slot == NULL) {
		a->control->refused_sockets++;
		return ENFILE;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return errno;
	if (!sockets_cookie(pair[1], &cookie) || fstat(pair[1], &end_stat) != 0) {
		close(pair[0]);
		close(pair[1]);
		return ENOSYS;
	}
	/* Blocking or not is a property of each end: the application's is its own business. */
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*slot = (struct attach_sock){.source.event = sockets_event,
				     .attach = a,
				     .cookie = cookie,
				     .inode = (uint32_t)end_stat.st_ino,
				     .idx = (uint32_t)(slot - a->socks),
				     .fd = pair[0],
				     .is_used = true};
	a->socks_cnt++;
	a->control->socks_cnt++;
	*sock = slot;
	*end = pair[1];
	return 0;
}

static void
sockets_end_close(struct conn *conn)
{
	for (int i = 0; i < 2; i++) {
		if (conn->ends[i] >= 0)
			close(conn->ends[i]);
		conn->ends[i] = -1;
	}
}

/* The worker has it. Returns false when it has to go again. */
static bool
sockets_start(struct attach_sock *sock, struct dpt_port port)
{
	struct attach *a = sock->attach;

	sock->is_open = true;
	sock->port = port;
	LIST_INSERT_HEAD(sockets_bucket(a->control, sock->cookie), sock, by_cookie);
	if (control_watch(a->control, sock->fd, &sock->source, EPOLLET) == 0 && !a->is_thrown_out)
		return true;
	sockets_close(sock);
	return false;
}

/* Ends that did not arrive nobody holds now: hang-up, the sockets go. */
static void
sockets_answer(struct conn *conn, bool is_ok, uint32_t ends_cnt)
{
	conn_answer(conn, is_ok ? 0 : ENOMEM, conn->ends, is_ok ? ends_cnt : 0);
}

static void
sockets_refused(struct conn *conn, struct request *req)
{
	struct attach *a = conn->attach;

	sockets_end_close(conn);
	if (req->op == REQUEST_PAIR || req->op == REQUEST_ACCEPT)
		sockets_free(&a->socks[req->other.sock_idx]);
	if (req->op != REQUEST_ACCEPT)
		sockets_free(&a->socks[req->sock_idx]);
	if (req->result == -ENFILE)
		a->control->refused_sockets++;
	conn_answer(conn, -req->result, NULL, 0);
}

static void
sockets_opened(struct request *req)
{
	struct conn *conn = req->owner;
	struct attach *a = conn->attach;
	int ends[2] = {conn->ends[0], conn->ends[1]};
	uint32_t *arg = conn->msg.arg;
	bool is_ok = true;

	if (req->result != 0) {
		sockets_refused(conn, req);
		return;
	}
	if (req->op == REQUEST_ACCEPT) {
		is_ok = sockets_start(&a->socks[req->other.sock_idx], req->other.port);
		arg[0] = req->other.sock_idx;
		arg[1] = req->other.port.ref;
		arg[2] = req->conn.peer.port.ref;
		arg[3] = req->conn.peer.node.value;
		arg[4] = req->conn.importance;
	} else {
		is_ok = sockets_start(&a->socks[req->sock_idx], req->port);
		arg[0] = req->sock_idx;
		arg[1] = req->port.ref;
	}
	if (req->op == REQUEST_PAIR) {
		is_ok = sockets_start(&a->socks[req->other.sock_idx], req->other.port) && is_ok;
		arg[2] = req->other.sock_idx;
		arg[3] = req->other.port.ref;
	}
	/* (conn may be gone after the answer) */
	sockets_answer(conn, is_ok, req->op == REQUEST_PAIR ? 2 : 1);
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

/* May the connection's process open a socket of that type? Else that was the answer. */
static bool
sockets_may(struct conn *conn, uint32_t type)
{
	int rc = 0;

	conn->ends[0] = -1;
	conn->ends[1] = -1;
	if (conn->attach == NULL || conn->attach->state != ATTACH_SERVED)
		rc = ENOTCONN;
	else if (type != SOCK_RDM && type != SOCK_DGRAM && type != SOCK_SEQPACKET &&
		 type != SOCK_STREAM)
		rc = EPROTOTYPE;
	if (rc != 0)
		conn_answer(conn, rc, NULL, 0);
	return rc == 0;
}

static void
sockets_ask(struct conn *conn, enum request_op op, struct attach_sock *sock,
	    const struct attach_sock *other)
{
	struct attach *a = conn->attach;

	conn->req = (struct request){.op = op,
				     .served = &a->served,
				     .sock_idx = sock->idx,
				     .type = (enum dpt_sock_type)conn->msg.arg[0],
				     .fd = sock->fd,
				     .done = sockets_opened,
				     .owner = conn};
	if (other != NULL) {
		conn->req.other.sock_idx = other->idx;
		conn->req.other.fd = other->fd;
	}
	control_ask(a->control, a->worker, &conn->req);
}

void
sockets_open(struct conn *conn)
{
	struct attach_sock *sock;
	int rc;

	if (!sockets_may(conn, conn->msg.arg[0]))
		return;
	rc = sockets_take(conn->attach, &sock, &conn->ends[0]);
	if (rc != 0)
		conn_answer(conn, rc, NULL, 0);
	else
		sockets_ask(conn, REQUEST_OPEN, sock, NULL);
}

void
sockets_accept(struct conn *conn)
{
	struct attach *a = conn->attach;
	struct attach_sock *sock;
	int rc;

	conn->ends[0] = -1;
	conn->ends[1] = -1;
	rc = sockets_take(a, &sock, &conn->ends[0]);
	if (rc != 0)
		conn_answer(conn, rc, NULL, 0);
	else
		sockets_ask(conn, REQUEST_ACCEPT, &a->socks[conn->msg.arg[0]], sock);
}

void
sockets_pair(struct conn *conn)
{
	struct attach_sock *sock, *other;
	int rc;

	if (!sockets_may(conn, conn->msg.arg[0]))
		return;
	rc = sockets_take(conn->attach, &sock, &conn->ends[0]);
	if (rc == 0) {
		rc = sockets_take(conn->attach, &other, &conn->ends[1]);
		if (rc != 0)
			sockets_free(sock);
	}
	if (rc != 0) {
		sockets_end_close(conn);
		conn_answer(conn, rc, NULL, 0);
		return;
	}
	sockets_ask(conn, REQUEST_PAIR, sock, other);
}
