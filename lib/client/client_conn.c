/* SPDX-License-Identifier: BSD-3-Clause */

/* Connections begin and end: connect, listen, accept, shutdown. 09-socket-api.md, 7, 8, 17. */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Src: 09-socket-api.md, 1, "shutdown/close wait for congestion". */
#define SHUTDOWN_WAIT_NS INT64_C(8000000000)

static bool
is_nonblock(const struct sock *s)
{
	return atomic_load_explicit(&client_opt(s)->is_nonblock, memory_order_relaxed) ||
	       fd_is_nonblock(s);
}

/* ---- connect ---- */

/* The SYN without data: 7.2. Returns 0 or errno. */
static int
syn_send(const struct sock *s, const struct client_dest *dest)
{
	struct send_req req = {.dest = dest};
	uint32_t full_cnt = 0;
	int rc;

	client_opt(s)->has_conn_importance = 0;
	while ((rc = send_asked(s, DPT_REC_CONNECT, &req)) == SEND_LOG_FULL) {
		rc = wait_log(s, false, full_cnt++, INT64_MAX);
		if (rc)
			return rc;
	}
	return rc;
}

/* 7.1, row 7, and 7.3. */
static int
conn_connect(struct sock *s, const struct client_dest *dest)
{
	uint32_t timeout_ms = is_nonblock(s) ? 0
					     : atomic_load_explicit(&client_opt(s)->conn_timeout_ms,
								    memory_order_relaxed);
	int rc = EALREADY;

	switch (sock_state(s)) {
	case DPT_CONN_OPEN:
		rc = syn_send(s, dest);
		if (rc)
			return rc;
		rc = EINPROGRESS;
		break;
	case DPT_CONN_CONNECTING:
		break;
	case DPT_CONN_ESTABLISHED:
		return EISCONN;
	default:
		return EINVAL;
	}
	if (timeout_ms == 0) {
		room_ask(s);
		return rc;
	}
	return conn_wait_up(s, deadline_of((int64_t)timeout_ms * 1000000));
}

int
dptipc_connect(int fd, const struct sockaddr *addr, socklen_t addrlen)
{
	struct client_dest dest = {0};
	enum lock_state lock;
	struct sock s;
	int rc;

	if (table_get(fd, &s) < 0)
		return -1;
	if (addrlen != sizeof(struct sockaddr_tipc))
		return fail_errno(EINVAL);
	if (!addr)
		return fail_errno(EFAULT);
	if (addr->sa_family == AF_UNSPEC) {
		if (sock_is_conn_type(&s))
			return fail_errno(EINVAL);
	} else if (dest_parse(addr, addrlen, &dest)) {
		return fail_errno(EINVAL);
	}
	if (sock_is_conn_type(&s)) {
		if (dest.addrtype == TIPC_SERVICE_RANGE)
			return fail_errno(EINVAL);
		rc = conn_connect(&s, &dest);
		sock_release(&s);
		return rc == ENETDOWN ? fail_dead(s.att) : rc ? fail_errno(rc) : 0;
	}
	lock = lock_take(s.att, &client_tx(&s)->lock);
	client_opt(&s)->dest = dest;
	lock_release(s.att, &client_tx(&s)->lock, lock);
	return 0;
}

/* ---- listen, accept ---- */

int
dptipc_listen(int fd, int backlog)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_LISTEN};
	struct sock s;

	(void)backlog;
	if (table_get(fd, &s) < 0)
		return -1;
	if (!sock_is_conn_type(&s))
		return fail_errno(EOPNOTSUPP);
	if (sock_state(&s) != DPT_CONN_OPEN)
		return fail_errno(EINVAL);
	msg.arg[0] = s.idx;
	if (attach_request(s.att, &msg, NULL) < 0)
		return -1;
	/* Never writable: 18. Nobody empties it. */
	room_ask(&s);
	return 0;
}

/* The oldest request becomes a socket: 8.2. Returns 0 and the answer; EAGAIN: none is there. */
static int
accept_once(const struct sock *s, struct dpt_attach_msg *msg, int *fd, struct dpt_log *log)
{
	struct message m;
	struct rx rx;
	int rc = EAGAIN;

	rx_open(s, &rx);
	for (;;) {
		enum rx_look kind = rx_look(&rx, &m);

		if (kind == RX_NONE)
			rx_settle(&rx);
		if (kind != RX_SYN) {
			rc = kind == RX_NONE ? EAGAIN : ENETDOWN;
			break;
		}
		memset(msg, 0, sizeof(*msg));
		msg->op = DPT_ATTACH_ACCEPT;
		msg->arg[0] = s->idx;
		rc = attach_request(s->att, msg, fd) < 0 ? errno : 0;
		if (rc == 0 || rc == EAGAIN)
			rx_consume(&rx, m.rec_bytes);
		/* EAGAIN: somebody else has accepted it. */
		if (rc != EAGAIN)
			break;
	}
	rx_close(&rx);
	*log = rx.log;
	return rc;
}

static int
accept_wait(struct sock *s, struct dpt_attach_msg *msg, int *fd)
{
	bool no_wait = atomic_load_explicit(&client_opt(s)->is_nonblock, memory_order_relaxed);
	int64_t deadline_ns = 0;
	struct dpt_log log;
	int rc;

	for (;;) {
		rc = accept_once(s, msg, fd, &log);
		if (rc != EAGAIN)
			return rc;
		rc = wait_message(s, &log, no_wait, &deadline_ns);
		if (rc)
			return rc == WAIT_END ? EINVAL : rc;
	}
}

/* The kernel looks for a free descriptor first. */
static bool
has_free_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy >= 0)
		close(copy);
	return copy >= 0;
}

static int
accepted(const struct sock *listener, const struct dpt_attach_msg *msg, int fd, int flags)
{
	struct attach *att = listener->att;
	struct sock s = {.idx = msg->arg[0], .att = att};

	if (fd < 0 || s.idx >= att->layout.socks_cnt) {
		if (fd >= 0)
			close(fd);
		return fail_errno(EMFILE);
	}
	fd = sock_make(att, s.idx, fd, client_opt(listener)->type, flags);
	if (fd < 0)
		return -1;
	s.shm = dpt_shm_sock_at(att->region, &att->layout, s.idx);
	client_opt(&s)->importance = msg->arg[4] & 3;
	client_opt(&s)->has_conn_importance = 1;
	return fd;
}

int
dptipc_accept4(int fd, struct sockaddr *addr, socklen_t *addrlen, int flags)
{
	struct dpt_attach_msg msg;
	struct sock s;
	int new_fd = -1, rc;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return fail_errno(EINVAL);
	if (table_get(fd, &s) < 0)
		return -1;
	if (!has_free_fd(fd))
		return fail_errno(EMFILE);
	if (!sock_is_conn_type(&s))
		return fail_errno(EOPNOTSUPP);
	if (sock_state(&s) != DPT_CONN_LISTEN)
		return fail_errno(EINVAL);
	if (addr && !addrlen)
		return fail_errno(EFAULT);
	if (addr && *addrlen > INT_MAX)
		return fail_errno(EINVAL);
	rc = accept_wait(&s, &msg, &new_fd);
	sock_release(&s);
	if (rc)
		return rc == ENETDOWN ? fail_dead(s.att) : fail_errno(rc);
	new_fd = accepted(&s, &msg, new_fd, flags);
	if (new_fd >= 0 && addr)
		sockaddr_out(addr, addrlen, msg.arg[2], msg.arg[3]);
	return new_fd;
}

int
dptipc_accept(int fd, struct sockaddr *addr, socklen_t *addrlen)
{
	return dptipc_accept4(fd, addr, addrlen, 0);
}

/* ---- shutdown ---- */

/*
 * 17.1, step 1, for a connection. Here, so that dptipcd has nothing to wait for while other
 * requests of this process stand behind ours. false: in vain.
 */
static bool
shutdown_wait(struct sock *s)
{
	int64_t deadline_ns = clock_ns() + SHUTDOWN_WAIT_NS;

	sock_hold(s);
	while (sock_state(s) == DPT_CONN_ESTABLISHED && !room_is_there(s)) {
		uint32_t credit = atomic_load(&s->shm->tx_credit);
		int64_t left_ns = deadline_ns - clock_ns();
		bool is_congested = atomic_load(&s->shm->is_congested);

		if (left_ns <= 0 || is_gone(s))
			return false;
		if (word_sleep(s, is_congested ? &s->shm->is_congested : &s->shm->tx_credit,
			       is_congested ? 1 : credit, left_ns) == EINTR)
			return false;
	}
	return true;
}

int
dptipc_shutdown(int fd, int how)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_SHUTDOWN};
	enum lock_state lock;
	uint32_t state;
	struct sock s;
	int rc;

	if (table_get(fd, &s) < 0)
		return -1;
	if (how != SHUT_RDWR)
		return fail_errno(EINVAL);
	msg.arg[0] = s.idx;
	if (sock_is_conn_type(&s))
		msg.arg[1] = !shutdown_wait(&s);
	state = sock_state(&s);
	/* Before the request, so that a sleeper whom the hang-up wakes knows why. */
	atomic_store(&client_opt(&s)->is_shut, 1);
	/* Nobody reads meanwhile: what dptipcd returns must not be read as well. */
	lock = lock_take(s.att, client_rx_lock(&s));
	recv_publish(&s);
	rc = attach_request(s.att, &msg, NULL);
	if (rc == 0)
		recv_skip(&s, (uint64_t)msg.arg[2] << 32 | msg.arg[1]);
	lock_release(s.att, client_rx_lock(&s), lock);
	sock_release(&s);
	if (rc < 0)
		return -1;
	/* 17.2: the work is done; what was never connected hears so. */
	if (!sock_is_conn_type(&s) || state == DPT_CONN_OPEN || state == DPT_CONN_LISTEN)
		return fail_errno(ENOTCONN);
	return 0;
}
