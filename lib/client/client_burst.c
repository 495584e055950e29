/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Messages in bursts, and without a copy. dptipc.h says who may call what when.
 *
 *   recv_peek: a cursor of its own walks over the log --> recv_release: the log moves on
 *   send_alloc: tx and channel taken, a record reserved --> commit or abort: given
 */

#include "client_priv.h"

#include <errno.h>
#include <string.h>

/* A record that a thread has reserved. */
struct pending {
	struct sock s;
	struct channel ch;
	struct dpt_rec_send *rec; /* NULL: none */
	uint32_t bytes;
	enum lock_state tx_lock;
};

static _Thread_local struct pending pending;

static int
burst_sock(int fd, struct sock *s)
{
	if (table_get(fd, s) < 0)
		return -1;
	return client_opt(s)->type == SOCK_STREAM ? fail_errno(EOPNOTSUPP) : 0;
}

/* ---- receive ---- */

static void
describe(const struct sock *s, const struct message *m, struct dptipc_msg *msg)
{
	msg->errcode = m->rec->hdr.errcode;
	msg->flags = message_name(s, m, msg->name) ? DPTIPC_MSG_HAS_NAME : 0;
	message_from(m, &msg->addr);
	msg->reserved = 0;
}

/* Wait as a receive call does until there is a message. Returns 0 or -1. */
static int
burst_wait(struct sock *s, int flags)
{
	bool no_wait = (flags & MSG_DONTWAIT) ||
		       atomic_load_explicit(&client_opt(s)->is_nonblock, memory_order_relaxed);
	int64_t deadline_ns = 0;
	struct rx rx;
	bool is_empty;
	int rc;

	for (;;) {
		rc = recv_conn_check(s);
		if (rc)
			return fail_errno(rc);
		rx_open(s, &rx);
		is_empty = dpt_log_is_empty(&rx.log);
		if (is_empty)
			rx_settle(&rx);
		rx_close(&rx);
		if (!is_empty)
			return 0;
		rc = wait_message(s, &rx.log, no_wait, &deadline_ns);
		if (rc == WAIT_END)
			return fail_errno(ECONNRESET);
		if (rc)
			return rc == ENETDOWN ? fail_dead(s->att) : fail_errno(rc);
	}
}

/* Up to cnt messages, each given to `each`, which may stop; consumed if is_consuming. */
static int
burst_walk(const struct sock *s, struct dptipc_msg *msgs, unsigned int cnt, bool is_consuming)
{
	_Atomic uint64_t unused = 0;
	struct message m;
	unsigned int i = 0;
	struct rx rx, look;

	rx_open(s, &rx);
	look = rx;
	look.log.consumed = &unused;
	while (i < cnt && rx_look(is_consuming ? &rx : &look, &m) == RX_DATA) {
		struct dptipc_msg *msg = &msgs[i];

		if (is_consuming && !m.bytes && !m.rec->hdr.errcode) {
			rx_consume(&rx, m.rec_bytes);
			continue;
		}
		i++;
		describe(s, &m, msg);
		if (!is_consuming) {
			msg->buf = (void *)(uintptr_t)m.payload;
			msg->len = m.bytes;
			msg->result = m.rec->hdr.errcode ? 0 : (ssize_t)m.bytes;
			dpt_log_advance(&look.log, m.rec_bytes);
			continue;
		}
		msg->result = (ssize_t)(m.bytes < msg->len ? m.bytes : msg->len);
		memcpy(msg->buf, m.payload, (size_t)msg->result);
		if ((size_t)msg->result < m.bytes)
			msg->flags |= DPTIPC_MSG_TRUNC;
		if (m.is_end)
			s->shm->rx_flags |= CLIENT_RX_END;
		rx_consume(&rx, m.rec_bytes);
	}
	rx_close(&rx);
	return (int)i;
}

static int
burst_recv(int fd, struct dptipc_msg *msgs, unsigned int cnt, int flags, bool is_consuming)
{
	struct sock s;
	int got = 0;

	if (burst_sock(fd, &s) < 0)
		return -1;
	if (!msgs || !cnt)
		return fail_errno(msgs ? EINVAL : EFAULT);
	/* Another thread may be faster, or all that was there was empty. */
	while (got == 0) {
		if (burst_wait(&s, flags) < 0) {
			got = -1;
			break;
		}
		got = burst_walk(&s, msgs, cnt, is_consuming);
	}
	sock_release(&s);
	return got;
}

int
dptipc_recv_burst(int fd, struct dptipc_msg *msgs, unsigned int cnt, int flags)
{
	return burst_recv(fd, msgs, cnt, flags, true);
}

int
dptipc_recv_peek(int fd, struct dptipc_msg *msgs, unsigned int cnt, int flags)
{
	return burst_recv(fd, msgs, cnt, flags, false);
}

int
dptipc_recv_release(int fd, unsigned int cnt)
{
	unsigned int i;
	struct message m;
	struct sock s;
	struct rx rx;

	if (burst_sock(fd, &s) < 0)
		return -1;
	rx_open(&s, &rx);
	for (i = 0; i < cnt && rx_look(&rx, &m) == RX_DATA; i++) {
		if (m.is_end)
			s.shm->rx_flags |= CLIENT_RX_END;
		rx_consume(&rx, m.rec_bytes);
	}
	rx_close(&rx);
	return i == cnt ? 0 : fail_errno(EINVAL);
}

/* ---- send ---- */

int
dptipc_send_burst(int fd, struct dptipc_msg *msgs, unsigned int cnt, int flags)
{
	unsigned int i;
	struct sock s;

	if (burst_sock(fd, &s) < 0)
		return -1;
	if (!msgs && cnt)
		return fail_errno(EFAULT);
	for (i = 0; i < cnt; i++) {
		struct dptipc_msg *msg = &msgs[i];
		const struct sockaddr *to =
			msg->addr.family ? (const struct sockaddr *)&msg->addr : NULL;

		msg->result = dptipc_sendto(fd, msg->buf, msg->len, flags, to,
					    to ? sizeof(msg->addr) : 0);
		if (msg->result < 0)
			return i ? (int)i : -1;
	}
	return (int)cnt;
}

/* Why nothing may be sent now, before the octets are written. 0 or errno. */
static int
alloc_check(struct sock *s, int flags)
{
	bool no_wait = (flags & MSG_DONTWAIT) ||
		       atomic_load_explicit(&client_opt(s)->is_nonblock, memory_order_relaxed);
	int64_t timeo_ns = atomic_load_explicit(&client_opt(s)->sndtimeo_ns, memory_order_relaxed);
	int64_t deadline_ns = deadline_of(timeo_ns);
	int rc;

	while (!room_is_there(s)) {
		rc = sock_is_conn_type(s) ? conn_why_not(s, false) : 0;
		if (rc)
			return rc;
		if (no_wait) {
			room_ask(s);
			return EAGAIN;
		}
		rc = room_wait(s, deadline_ns);
		if (rc)
			return rc;
	}
	if (sock_is_conn_type(s) && sock_state(s) != DPT_CONN_ESTABLISHED)
		return ENOTCONN;
	return is_gone(s) ? ENETDOWN : 0;
}

void *
dptipc_send_alloc(int fd, size_t len, int flags)
{
	struct pending *p = &pending;
	uint32_t full_cnt = 0;
	int rc;

	if (p->rec) {
		fail_errno(EBUSY);
		return NULL;
	}
	if (burst_sock(fd, &p->s) < 0)
		return NULL;
	if (len > DPT_PAYLOAD_BYTES_MAX) {
		fail_errno(EMSGSIZE);
		return NULL;
	}
	p->bytes = (uint32_t)len;
	for (;;) {
		rc = alloc_check(&p->s, flags);
		sock_release(&p->s);
		if (rc)
			break;
		p->tx_lock = lock_take(p->s.att, &client_tx(&p->s)->lock);
		channel_open(&p->s, &p->ch);
		p->rec = dpt_log_reserve(&p->ch.log, (uint32_t)sizeof(*p->rec) + p->bytes);
		if (p->rec)
			return p->rec->payload;
		channel_close(&p->s, &p->ch);
		lock_release(p->s.att, &client_tx(&p->s)->lock, p->tx_lock);
		rc = wait_log(&p->s, flags & MSG_DONTWAIT, full_cnt++, INT64_MAX);
		if (rc)
			break;
	}
	if (rc == ENETDOWN)
		fail_dead(p->s.att);
	else
		fail_errno(rc);
	return NULL;
}

static void
pending_close(struct pending *p)
{
	channel_close(&p->s, &p->ch);
	lock_release(p->s.att, &client_tx(&p->s)->lock, p->tx_lock);
	p->rec = NULL;
}

/* Where it goes: on the connection, to addr, to the default. 0 or errno. */
static int
commit_dest(const struct sock *s, const struct sockaddr *addr, socklen_t addrlen,
	    struct client_dest *dest)
{
	memset(dest, 0, sizeof(*dest));
	if (sock_is_conn_type(s))
		return 0;
	if (addr)
		return dest_parse(addr, addrlen, dest);
	*dest = client_opt(s)->dest;
	return dest->addrtype ? 0 : EDESTADDRREQ;
}

ssize_t
dptipc_send_commit(int fd, size_t len, const struct sockaddr *addr, socklen_t addrlen)
{
	struct pending *p = &pending;
	struct client_tx *tx = client_tx(&p->s);
	struct client_dest dest;
	struct record rec = {.kind = DPT_REC_SEND, .dest = &dest};
	uint32_t seq, bytes = (uint32_t)len;
	bool is_conn;
	int rc;

	if (!p->rec || p->s.fd != fd || len > p->bytes)
		return fail_errno(EINVAL);
	is_conn = sock_is_conn_type(&p->s);
	rc = commit_dest(&p->s, addr, addrlen, &dest);
	if (rc) {
		pending_close(p);
		return fail_errno(rc);
	}
	/* To be told of errors now: who saves a copy can afford to wait a microsecond. */
	if (!is_conn)
		rec.flags = DPT_REC_F_WANT_RESULT;
	else
		conn_importance_sync(&p->s);
	seq = ++tx->seq;
	record_head(&p->s, p->rec, &rec);
	dpt_log_commit(&p->ch.log, p->rec, DPT_REC_SEND, (uint32_t)sizeof(*p->rec) + bytes);
	channel_close(&p->s, &p->ch);
	doorbell_ring(p->s.att);
	if (is_conn)
		__atomic_store_n(&tx->cost, tx->cost + conn_cost(&p->s, bytes), __ATOMIC_RELAXED);
	else
		rc = wait_done(&p->s, seq);
	lock_release(p->s.att, &tx->lock, p->tx_lock);
	p->rec = NULL;
	if (rc)
		return rc == ENETDOWN ? fail_dead(p->s.att) : fail_errno(rc);
	return (ssize_t)len;
}

int
dptipc_send_abort(int fd)
{
	struct pending *p = &pending;

	if (!p->rec || p->s.fd != fd)
		return fail_errno(EINVAL);
	pending_close(p);
	return 0;
}
