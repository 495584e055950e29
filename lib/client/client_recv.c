/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Receiving. 09-socket-api.md, 16.
 *
 *   recv_msg -> take_msg, or for streams take_stream again and again: a record is there:
 *               copy, consume
 *            -> none: settle, then wait (client_recv_wait.c)
 */

#include "client_priv.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>

/* What take found. */
enum take { TAKE_NONE, TAKE_DONE, TAKE_MORE, TAKE_RESET, TAKE_BROKEN };

/* One call. */
struct recv_call {
	struct msghdr *msg;
	int flags;
	size_t len;    /* octets of the caller's vector */
	size_t copied; /* of a stream, so far */
	ssize_t got;   /* the result, when it is TAKE_DONE */
	bool is_stream;
	bool has_beside; /* sender and ancillary data were given */
};

/* Copy out: 16.2. Returns true when the message is finished. */
static bool
data_put(struct recv_call *call, const struct message *m, uint32_t *offset)
{
	uint32_t at = *offset <= m->bytes ? *offset : m->bytes;
	uint32_t rest = m->bytes - at;
	uint32_t copied = iov_fill(call->msg, 0, m->payload + at, rest);

	call->got = copied;
	if (copied < rest && (call->flags & MSG_EOR)) {
		*offset = at + copied;
		return false;
	}
	if (copied < rest)
		call->msg->msg_flags |= MSG_TRUNC;
	else if (call->flags & MSG_EOR)
		call->msg->msg_flags |= MSG_EOR;
	return true;
}

static void
beside_put(struct rx *rx, struct recv_call *call, const struct message *m)
{
	name_put(call->msg, m);
	cmsgs_put(rx->s, call->msg, m);
	call->has_beside = true;
}

static void
consume_end(struct rx *rx, const struct message *m)
{
	if (m->is_end)
		rx->s->shm->rx_flags |= CLIENT_RX_END;
	rx_consume(rx, m->rec_bytes);
}

/* The end of a connection that a call without a control buffer may not pass: 16.4. */
static bool
is_reset(const struct recv_call *call, const struct message *m)
{
	return m->is_end && m->rec->hdr.errcode != TIPC_CONN_SHUTDOWN && !call->msg->msg_control;
}

static enum take
take_msg(struct rx *rx, struct recv_call *call, const struct message *m)
{
	struct dpt_shm_sock *shm = rx->s->shm;
	uint32_t offset = shm->rx_offset;
	bool is_finished = true;

	if (is_reset(call, m))
		return TAKE_RESET;
	call->got = 0;
	if (!m->rec->hdr.errcode)
		is_finished = data_put(call, m, &offset);
	beside_put(rx, call, m);
	if (call->flags & MSG_PEEK)
		return TAKE_DONE;
	if (is_finished)
		consume_end(rx, m);
	else
		shm->rx_offset = offset;
	return TAKE_DONE;
}

/* 16.3 */
static enum take
take_stream(struct rx *rx, struct recv_call *call, const struct message *m)
{
	struct dpt_shm_sock *shm = rx->s->shm;
	uint32_t at = shm->rx_offset <= m->bytes ? shm->rx_offset : m->bytes;
	bool is_peek = call->flags & MSG_PEEK;
	uint32_t copied;

	if (m->is_end) {
		if (call->copied)
			return TAKE_DONE;
		if (is_reset(call, m))
			return TAKE_RESET;
	}
	if (!call->copied)
		beside_put(rx, call, m);
	if (!m->is_end) {
		copied = iov_fill(call->msg, call->copied, m->payload + at, m->bytes - at);
		call->copied += copied;
		if (at + copied < m->bytes) {
			if (!is_peek)
				shm->rx_offset = at + copied;
			return TAKE_DONE;
		}
	}
	if (is_peek)
		return TAKE_DONE;
	consume_end(rx, m);
	return m->is_end || call->copied == call->len ? TAKE_DONE : TAKE_MORE;
}

/* Messages until the call has what it wants. */
static enum take
take(struct rx *rx, struct recv_call *call)
{
	enum take found = TAKE_MORE;
	struct message m;

	while (found == TAKE_MORE) {
		switch (rx_look(rx, &m)) {
		case RX_NONE:
			return TAKE_NONE;
		case RX_DATA:
			break;
		default:
			return TAKE_BROKEN;
		}
		if (!m.bytes && !m.rec->hdr.errcode)
			/* Never delivered: 10.7. */
			rx_consume(rx, m.rec_bytes);
		else if (call->is_stream)
			found = take_stream(rx, call, &m);
		else
			found = take_msg(rx, call, &m);
	}
	return found;
}

int
recv_conn_check(const struct sock *s)
{
	uint32_t state;

	if (!sock_is_conn_type(s))
		return 0;
	state = sock_state(s);
	/* LISTEN too: 27, item 8. */
	if (state == DPT_CONN_OPEN || state == DPT_CONN_LISTEN)
		return ENOTCONN;
	return conn_error_take(s);
}

/* Octets without which a stream goes on waiting. */
static size_t
call_required(const struct sock *s, const struct recv_call *call)
{
	size_t low = atomic_load_explicit(&client_opt(s)->rcvlowat, memory_order_relaxed);

	if (call->flags & MSG_WAITALL)
		return call->len;
	return low < call->len ? low : call->len;
}

/* One look. Returns 0: wait; 1: call->got; or -errno. */
static int
recv_once(const struct sock *s, struct recv_call *call, struct dpt_log *log)
{
	enum take found;
	struct rx rx;

	rx_open(s, &rx);
	found = take(&rx, call);
	if (found == TAKE_NONE)
		rx_settle(&rx);
	rx_close(&rx);
	*log = rx.log;
	if (call->is_stream)
		call->got = (ssize_t)call->copied;
	switch (found) {
	case TAKE_DONE:
		return 1;
	case TAKE_RESET:
		return -ECONNRESET;
	case TAKE_BROKEN:
		return -ENETDOWN;
	default:
		return call->copied && call->copied >= call_required(s, call);
	}
}

static int
recv_loop(struct sock *s, struct recv_call *call)
{
	bool is_nonblock = (call->flags & MSG_DONTWAIT) ||
			   atomic_load_explicit(&client_opt(s)->is_nonblock, memory_order_relaxed);
	bool is_conn = sock_is_conn_type(s);
	int64_t deadline_ns = 0;
	struct dpt_log log;
	int rc;

	for (;;) {
		/* An error that is met behind some octets stays for the next call. */
		if (is_conn && !call->copied) {
			rc = recv_conn_check(s);
			if (rc)
				return rc;
		} else if (is_conn && atomic_load(&s->shm->so_error)) {
			return 0;
		}
		rc = recv_once(s, call, &log);
		if (rc)
			return rc < 0 ? -rc : 0;
		rc = wait_message(s, &log, is_nonblock, &deadline_ns);
		if (rc == WAIT_END) {
			call->got = (ssize_t)call->copied;
			return 0;
		}
		if (rc)
			return call->copied ? 0 : rc;
	}
}

static ssize_t
recv_msg(struct sock *s, struct msghdr *msg, int flags, size_t len)
{
	struct recv_call call = {.msg = msg,
				 .flags = flags,
				 .len = len,
				 .is_stream = client_opt(s)->type == SOCK_STREAM};
	int rc;

	msg->msg_flags = 0;
	rc = recv_loop(s, &call);
	sock_release(s);
	if (rc)
		return rc == ENETDOWN ? fail_dead(s->att) : fail_errno(rc);
	/* End of file once more: there is no message that tells a sender. */
	if (!call.has_beside) {
		msg->msg_controllen = 0;
		msg->msg_namelen = 0;
	}
	return call.got;
}

/* 16.1, row 1. */
static int
recv_check(const struct msghdr *msg, size_t *total)
{
	size_t i;

	*total = 0;
	if (msg->msg_iovlen > IOV_MAX)
		return EMSGSIZE;
	for (i = 0; i < msg->msg_iovlen; i++) {
		if (msg->msg_iov[i].iov_len > SSIZE_MAX - *total)
			return EINVAL;
		*total += msg->msg_iov[i].iov_len;
		if (msg->msg_iov[i].iov_len && !msg->msg_iov[i].iov_base)
			return EFAULT;
	}
	return *total ? 0 : EINVAL;
}

ssize_t
dptipc_recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sock s;
	size_t len;
	int rc;

	if (table_get(fd, &s) < 0)
		return -1;
	if (!msg)
		return fail_errno(EFAULT);
	rc = recv_check(msg, &len);
	if (rc)
		return fail_errno(rc);
	return recv_msg(&s, msg, flags, len);
}

ssize_t
dptipc_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr, socklen_t *addrlen)
{
	struct iovec iov = {buf, len < SSIZE_MAX ? len : SSIZE_MAX};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t got;

	if (addr) {
		if (!addrlen)
			return fail_errno(EFAULT);
		if (*addrlen > INT_MAX)
			return fail_errno(EINVAL);
		msg.msg_name = addr;
		msg.msg_namelen = *addrlen;
	}
	got = dptipc_recvmsg(fd, &msg, flags);
	if (got >= 0 && addr)
		*addrlen = msg.msg_namelen;
	return got;
}

ssize_t
dptipc_recv(int fd, void *buf, size_t len, int flags)
{
	return dptipc_recvfrom(fd, buf, len, flags, NULL, NULL);
}
