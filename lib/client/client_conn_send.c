/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Sending on a connection: 09-socket-api.md, 10.5, 10.6, 11.
 *
 *   conn_send_msg -+-> OPEN and an address: SYN with data, its result is waited for
 *                  +-> else pieces of 66000 octets: credit there, no congested link: a record,
 *                      and nobody waits for a result; else wait
 *
 * The state is what the dataplane has published, so a send costs no round trip. What is
 * submitted while the connection breaks is lost, as what lies on a link is.
 */

#include "client_priv.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/uio.h>

/* Header of a connected message. Src: 09-socket-api.md, 11.1. */
#define CONN_HDR_BYTES 24
#define BLOCK_BYTES    1024

uint32_t
conn_cost(const struct sock *s, uint32_t bytes)
{
	uint32_t word = atomic_load_explicit(&s->shm->conn_state, memory_order_acquire);

	return word & DPT_CONN_IS_BLOCK_FLOW ? (CONN_HDR_BYTES + bytes) / BLOCK_BYTES + 1 : 1;
}

void
conn_importance_sync(const struct sock *s)
{
	struct client_opt *opt = client_opt(s);
	uint32_t word = atomic_load_explicit(&s->shm->conn_state, memory_order_acquire);
	uint32_t state = word & DPT_CONN_STATE_MASK;

	if (opt->has_conn_importance || !sock_is_conn_type(s) ||
	    (state != DPT_CONN_ESTABLISHED && state != DPT_CONN_DISCONNECTING))
		return;
	opt->has_conn_importance = 1;
	if (state == DPT_CONN_ESTABLISHED)
		opt->importance = word >> DPT_CONN_IMPORTANCE_SHIFT & 3;
}

int
conn_error_take(const struct sock *s)
{
	/* Looked at first: the exchange takes the line from the dataplane. */
	if (!atomic_load_explicit(&s->shm->so_error, memory_order_relaxed))
		return 0;
	return (int)atomic_exchange(&s->shm->so_error, 0);
}

bool
conn_may_send(const struct sock *s)
{
	return sock_state(s) == DPT_CONN_ESTABLISHED && room_is_there(s);
}

int
conn_why_not(const struct sock *s, bool is_later)
{
	uint32_t state = sock_state(s);
	int error;

	/* The state tells of an end before the error is looked for: it is stored after it. */
	error = is_later ? (int)atomic_load(&s->shm->so_error) : conn_error_take(s);
	if (error)
		return error;
	if (state == DPT_CONN_DISCONNECTING)
		return EPIPE;
	return state == DPT_CONN_ESTABLISHED ? 0 : ENOTCONN;
}

/* One try: 0, EAGAIN (it has to wait, or may not), SEND_LOG_FULL. */
static int
piece_once(const struct sock *s, const struct send_req *req)
{
	static const struct client_dest none;
	struct client_tx *tx = client_tx(s);
	enum lock_state lock = lock_take(s->att, &tx->lock);
	struct record rec = {.kind = DPT_REC_SEND,
			     .dest = &none,
			     .iov = req->iov,
			     .iov_cnt = req->iov_cnt,
			     .skip = req->skip,
			     .bytes = req->bytes};
	int rc = EAGAIN;

	if (conn_may_send(s)) {
		conn_importance_sync(s);
		tx->seq++;
		rc = record_put(s, &rec) ? 0 : SEND_LOG_FULL;
		/* After it: a process that dies between leaves the sum too small by one message,
		 * which the core bears. */
		if (rc == 0)
			__atomic_store_n(&tx->cost, tx->cost + conn_cost(s, req->bytes),
					 __ATOMIC_RELAXED);
	}
	lock_release(s->att, &tx->lock, lock);
	if (rc == 0)
		doorbell_ring(s->att);
	return rc;
}

static int
piece_wait(struct sock *s, const struct send_req *req, int rc, uint32_t full_cnt,
	   int64_t deadline_ns)
{
	int why;

	if (rc == SEND_LOG_FULL)
		return wait_log(s, req->is_nonblock, full_cnt, deadline_ns);
	why = conn_why_not(s, req->skip != 0);
	if (why)
		return why;
	if (req->is_nonblock) {
		room_ask(s);
		return EAGAIN;
	}
	return room_wait(s, deadline_ns);
}

static int
piece_send(struct sock *s, const struct send_req *req, int64_t *deadline_ns)
{
	int64_t timeo_ns = atomic_load_explicit(&client_opt(s)->sndtimeo_ns, memory_order_relaxed);
	uint32_t full_cnt = 0;
	int rc;

	for (;;) {
		if (atomic_load_explicit(&s->att->is_dead, memory_order_relaxed) ||
		    atomic_load_explicit(&s->att->hdr->is_down, memory_order_relaxed) ||
		    atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed))
			return ENETDOWN;
		rc = piece_once(s, req);
		if (rc == 0)
			return 0;
		if (*deadline_ns == 0)
			*deadline_ns = deadline_of(timeo_ns);
		rc = piece_wait(s, req, rc, full_cnt++, *deadline_ns);
		if (rc)
			return rc;
	}
}

int
conn_wait_up(struct sock *s, int64_t deadline_ns)
{
	int64_t left_ns;
	uint32_t word;
	int rc;

	sock_hold(s);
	for (;;) {
		word = atomic_load(&s->shm->conn_state);
		rc = conn_error_take(s);
		if (rc || (word & DPT_CONN_STATE_MASK) == DPT_CONN_ESTABLISHED)
			return rc;
		left_ns = deadline_ns == INT64_MAX ? INT64_MAX : deadline_ns - clock_ns();
		if (left_ns <= 0)
			return ETIMEDOUT;
		if ((word & DPT_CONN_STATE_MASK) != DPT_CONN_CONNECTING)
			return 0;
		if (is_gone(s))
			return ENETDOWN;
		if (word_sleep(s, &s->shm->conn_state, word, left_ns) == EINTR)
			return EINTR;
	}
}

/* 10.6. Returns 0 or errno. */
static int
syn_send(struct sock *s, struct send_req *req, const struct sockaddr *addr, socklen_t addrlen)
{
	int64_t timeo_ns = atomic_load_explicit(&client_opt(s)->sndtimeo_ns, memory_order_relaxed);
	int64_t deadline_ns = deadline_of(timeo_ns);
	struct client_dest dest;
	uint32_t full_cnt = 0;
	int rc;

	if (dest_parse(addr, addrlen, &dest))
		return EINVAL;
	if (dest.addrtype == TIPC_SERVICE_RANGE)
		return EINVAL;
	req->dest = &dest;
	while ((rc = send_asked(s, DPT_REC_SEND, req)) == SEND_LOG_FULL) {
		rc = wait_log(s, req->is_nonblock, full_cnt++, deadline_ns);
		if (rc)
			return rc;
	}
	req->dest = NULL;
	if (rc)
		return rc;
	if (req->bytes && !req->is_nonblock && !fd_is_nonblock(s))
		(void)conn_wait_up(s, deadline_ns);
	else
		room_ask(s);
	return 0;
}

ssize_t
conn_send_msg(struct sock *s, struct send_req *req, size_t total, const struct sockaddr *addr,
	      socklen_t addrlen)
{
	bool is_stream = client_opt(s)->type == SOCK_STREAM;
	bool is_syn = addr && sock_state(s) == DPT_CONN_OPEN;
	int64_t deadline_ns = 0;
	size_t sent = 0, left;
	int rc;

	if (total > (is_stream && !is_syn ? (size_t)INT_MAX : (size_t)DPT_PAYLOAD_BYTES_MAX))
		return fail_errno(EMSGSIZE);
	do {
		left = total - sent;
		req->skip = sent;
		req->bytes = left < DPT_PAYLOAD_BYTES_MAX ? (uint32_t)left : DPT_PAYLOAD_BYTES_MAX;
		rc = is_syn ? syn_send(s, req, addr, addrlen) : piece_send(s, req, &deadline_ns);
		if (rc)
			break;
		sent += req->bytes;
	} while (sent < total);
	if (rc == 0 || sent)
		return (ssize_t)sent;
	return rc == ENETDOWN ? fail_dead(s->att) : fail_errno(rc);
}
