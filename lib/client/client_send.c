/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Sending without a connection. 09-socket-api.md, 10.
 *
 *   send_msg -+-> send_once: record into the channel's log, doorbell if the worker sleeps
 *             |     same destination and route_gen as the last success: done
 *             |     else: wait for tx_done
 *             +-> congested: wait for room, once more
 *
 * Cache lines of an asynchronous send: the record's, and reads of lines that dptipcd rarely
 * writes (route_gen, is_congested, worker_sleeps).
 */

#include "client_priv.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

/*
 * Waiting for dptipcd's answer: first a look after look, then the CPU is offered to others
 * between looks (a machine with fewer CPUs than pollers), then sleep. Our choice: the
 * answer takes about a microsecond, a wake-up 50.
 */
#define DONE_SPIN_NS  4000
#define DONE_YIELD_NS 50000
/* Sleeps while the channel's log is full, at first and at most. Our choice. */
#define FULL_SLEEP_NS_MIN 20000
#define FULL_SLEEP_NS_MAX 1000000

int
dest_parse(const struct sockaddr *addr, socklen_t addrlen, struct client_dest *dest)
{
	struct sockaddr_tipc t;

	if (addrlen < sizeof(t))
		return EINVAL;
	memcpy(&t, addr, sizeof(t));
	if (t.family != AF_TIPC)
		return EINVAL;
	if (t.addrtype < TIPC_SERVICE_RANGE || t.addrtype > TIPC_SOCKET_ADDR)
		return EINVAL;
	if (t.addrtype == TIPC_SERVICE_RANGE && t.addr.nameseq.lower > t.addr.nameseq.upper)
		return EINVAL;
	dest->addrtype = t.addrtype;
	memcpy(dest->addr, &t.addr, sizeof(dest->addr));
	if (t.addrtype == TIPC_SOCKET_ADDR)
		dest->addr[2] = 0;
	return 0;
}

static bool
is_done(const struct sock *s, uint32_t seq)
{
	/* Pairs with the dataplane's release: tx_result was stored before. */
	uint32_t done = atomic_load_explicit(&s->shm->tx_done, memory_order_acquire);

	return (int32_t)(done - seq) >= 0;
}

/* Wait for send `seq`. Returns its result (0, errno); ENETDOWN. Signals do not end it. */
int
wait_done(const struct sock *s, uint32_t seq)
{
	int64_t start = clock_ns(), waited = 0;
	uint32_t done;
	int i;

	while (waited < DONE_YIELD_NS) {
		for (i = 0; i < 8; i++) {
			if (is_done(s, seq))
				return atomic_load_explicit(&s->shm->tx_result,
							    memory_order_relaxed);
			cpu_pause();
		}
		if (waited > DONE_SPIN_NS)
			sched_yield();
		waited = clock_ns() - start;
	}
	while (!is_done(s, seq)) {
		if (is_gone(s))
			return ENETDOWN;
		done = atomic_load(&s->shm->tx_done);
		if ((int32_t)(done - seq) < 0)
			word_sleep(s, &s->shm->tx_done, done, INT64_MAX);
	}
	return atomic_load_explicit(&s->shm->tx_result, memory_order_relaxed);
}

/*
 * One try. Returns 0, an errno of dptipcd, ENETDOWN, EDESTADDRREQ, SEND_LOG_FULL. Holds tx
 * until the answer is there: tx_result has one place per socket.
 */
static int
send_once(const struct sock *s, const struct send_req *req)
{
	struct client_tx *tx = client_tx(s);
	enum lock_state lock = lock_take(s->att, &tx->lock);
	const struct client_dest *dest = req->dest ? req->dest : &client_opt(s)->dest;
	/* Loaded before the send: a change during it makes the next one ask again. */
	uint32_t gen = atomic_load_explicit(&s->att->hdr->route_gen, memory_order_acquire);
	struct client_dest to = *dest;
	struct record rec = {.kind = DPT_REC_SEND,
			     .dest = &to,
			     .iov = req->iov,
			     .iov_cnt = req->iov_cnt,
			     .skip = req->skip,
			     .bytes = req->bytes};
	int rc = 0;

	if (lock == LOCK_OWNER_DIED)
		tx->sent_to.addrtype = 0;
	if (to.addrtype == 0) {
		lock_release(s->att, &tx->lock, lock);
		return EDESTADDRREQ;
	}
	if (tx->gen != gen || memcmp(&to, &tx->sent_to, sizeof(to)) != 0 ||
	    atomic_load_explicit(&s->shm->is_congested, memory_order_relaxed))
		rec.flags = DPT_REC_F_WANT_RESULT;
	/* Before the record: the number of a process that dies here is not used again. */
	tx->seq++;
	if (!record_put(s, &rec)) {
		rc = SEND_LOG_FULL;
	} else {
		doorbell_ring(s->att);
		if (rec.flags) {
			rc = wait_done(s, tx->seq);
			tx->sent_to = to;
			tx->gen = gen;
			if (rc)
				tx->sent_to.addrtype = 0;
		}
	}
	lock_release(s->att, &tx->lock, lock);
	return rc;
}

int
send_asked(const struct sock *s, uint8_t kind, const struct send_req *req)
{
	struct client_tx *tx = client_tx(s);
	enum lock_state lock = lock_take(s->att, &tx->lock);
	struct record rec = {.kind = kind,
			     .flags = DPT_REC_F_WANT_RESULT,
			     .dest = req->dest,
			     .iov = req->iov,
			     .iov_cnt = req->iov_cnt,
			     .bytes = req->bytes};
	int rc = SEND_LOG_FULL;

	tx->seq++;
	if (record_put(s, &rec)) {
		doorbell_ring(s->att);
		rc = wait_done(s, tx->seq);
	}
	lock_release(s->att, &tx->lock, lock);
	return rc;
}

int
wait_log(const struct sock *s, bool is_nonblock, uint32_t try_no, int64_t deadline_ns)
{
	int64_t sleep_ns = FULL_SLEEP_NS_MIN << (try_no < 8 ? try_no : 8);
	struct timespec ts = {0};

	if (is_gone(s))
		return ENETDOWN;
	if (try_no < 64) {
		sched_yield();
		return 0;
	}
	if (is_nonblock || fd_is_nonblock(s) || clock_ns() > deadline_ns)
		return EAGAIN;
	ts.tv_nsec = sleep_ns < FULL_SLEEP_NS_MAX ? sleep_ns : FULL_SLEEP_NS_MAX;
	return nanosleep(&ts, NULL) < 0 ? EINTR : 0;
}

/* A link is congested (10.4). */
static int
wait_uncongested(const struct sock *s, const struct send_req *req, int64_t deadline_ns)
{
	struct sock mine = *s;
	int rc = EAGAIN;

	if (req->is_nonblock)
		room_ask(s);
	else
		rc = room_wait(&mine, deadline_ns);
	sock_release(&mine);
	return rc;
}

int
send_req(const struct sock *s, const struct send_req *req, int64_t timeo_ns)
{
	int64_t deadline_ns = INT64_MAX;
	uint32_t full_cnt = 0;
	int rc;

	for (;;) {
		/* Set by dptipcd when it stops; its sudden death is seen where we wait. */
		if (atomic_load_explicit(&s->att->is_dead, memory_order_relaxed) ||
		    atomic_load_explicit(&s->att->hdr->is_down, memory_order_relaxed) ||
		    atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed))
			return ENETDOWN;
		rc = send_once(s, req);
		if (rc != EAGAIN && rc != SEND_LOG_FULL)
			return rc;
		if (timeo_ns && deadline_ns == INT64_MAX)
			deadline_ns = deadline_of(timeo_ns);
		if (rc == EAGAIN)
			rc = wait_uncongested(s, req, deadline_ns);
		else
			rc = wait_log(s, req->is_nonblock, full_cnt++, deadline_ns);
		if (rc)
			return rc;
	}
}

static ssize_t
send_result(const struct sock *s, int rc, ssize_t sent)
{
	if (rc == 0)
		return sent;
	return rc == ENETDOWN ? fail_dead(s->att) : fail_errno(rc);
}

/* Order of checks: 10.1. addr: NULL for the default destination. */
static ssize_t
send_less(const struct sock *s, struct send_req *req, size_t total, const struct sockaddr *addr,
	  socklen_t addrlen)
{
	int64_t timeo_ns = atomic_load_explicit(&client_opt(s)->sndtimeo_ns, memory_order_relaxed);
	struct client_dest dest;

	if (total > DPT_PAYLOAD_BYTES_MAX)
		return fail_errno(EMSGSIZE);
	if (addr) {
		if (dest_parse(addr, addrlen, &dest))
			return fail_errno(EINVAL);
		req->dest = &dest;
	}
	req->bytes = (uint32_t)total;
	return send_result(s, send_req(s, req, timeo_ns), (ssize_t)total);
}

static ssize_t
send_msg(int fd, const struct iovec *iov, size_t iov_cnt, int flags, const struct sockaddr *addr,
	 socklen_t addrlen)
{
	struct send_req req = {.iov = iov, .iov_cnt = iov_cnt};
	size_t i, total = 0;
	struct sock s;

	if (table_get(fd, &s) < 0)
		return -1;
	/* A negative length too. */
	if (addr && addrlen > sizeof(struct sockaddr_storage))
		return fail_errno(EINVAL);
	for (i = 0; i < iov_cnt; i++) {
		if (iov[i].iov_len > SSIZE_MAX - total)
			return fail_errno(EMSGSIZE);
		total += iov[i].iov_len;
		if (iov[i].iov_len && !iov[i].iov_base)
			return fail_errno(EFAULT);
	}
	req.is_nonblock = (flags & MSG_DONTWAIT) ||
			  atomic_load_explicit(&client_opt(&s)->is_nonblock, memory_order_relaxed);
	if (sock_is_conn_type(&s)) {
		ssize_t sent = conn_send_msg(&s, &req, total, addr, addrlen);

		sock_release(&s);
		return sent;
	}
	return send_less(&s, &req, total, addr, addrlen);
}

ssize_t
dptipc_sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr,
	      socklen_t addrlen)
{
	/* The vector is only read. */
	const struct iovec iov = {(void *)(uintptr_t)buf, len};

	return send_msg(fd, &iov, 1, flags, addr, addrlen);
}

ssize_t
dptipc_send(int fd, const void *buf, size_t len, int flags)
{
	return dptipc_sendto(fd, buf, len, flags, NULL, 0);
}

ssize_t
dptipc_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct sock s;

	if (!msg)
		return fail_errno(EFAULT);
	if (msg->msg_iovlen > IOV_MAX)
		return table_get(fd, &s) < 0 ? -1 : fail_errno(EMSGSIZE);
	return send_msg(fd, msg->msg_iov, msg->msg_iovlen, flags,
			msg->msg_namelen ? msg->msg_name : NULL, msg->msg_namelen);
}
