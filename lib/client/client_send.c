/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Sending. 09-socket-api.md, 10.
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
#include <unistd.h>

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
/* Tries of send_signal before it leaves the matter to a dptipcd that has not moved since. */
#define SIGNAL_TRIES 1000

/* Results of send_once that are no errno of its own. */
#define SEND_LOG_FULL (-1000)

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

/* Wake the worker if it sleeps. It looks at the log once more before it does. */
static void
doorbell_ring(const struct attach *att)
{
	const uint64_t one = 1;

	/* Our record is stored, then this is loaded; the worker does it the other way round. */
	dpt_shm_fence();
	if (!atomic_load_explicit(&att->hdr->worker_sleeps, memory_order_relaxed))
		return;
	while (write(att->doorbell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* The channel of a socket, opened for writing: see channel_close. */
struct channel {
	struct dpt_shm_channel *shm;
	struct client_channel *mine;
	struct dpt_log log;
	enum lock_state lock;
};

static void
channel_open(const struct sock *s, struct channel *ch)
{
	struct attach *att = s->att;
	uint32_t idx = s->idx % DPT_SHM_CHANNELS;

	ch->shm = dpt_shm_channel_at(att->region, &att->layout, idx);
	ch->mine = (struct client_channel *)ch->shm->client;
	ch->lock = lock_take(att, &ch->mine->lock);
	dpt_log_init(&ch->log, dpt_shm_channel_log_at(att->region, &att->layout, idx),
		     att->layout.channel_bytes, &ch->shm->consumed);
	ch->log.pos = ch->shm->tx_pos;
	ch->log.limit = ch->mine->limit;
	if (ch->lock == LOCK_OWNER_DIED)
		dpt_log_resync(&ch->log);
}

static void
channel_close(struct channel *ch)
{
	ch->shm->tx_pos = ch->log.pos;
	ch->mine->limit = ch->log.limit;
	lock_release(&ch->mine->lock, ch->lock);
}

static void
iov_copy(uint8_t *to, const struct iovec *iov, size_t iov_cnt)
{
	size_t i;

	for (i = 0; i < iov_cnt; i++) {
		if (iov[i].iov_len)
			memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
}

/* A message to send. */
struct send_req {
	const struct iovec *iov;
	size_t iov_cnt;
	uint32_t bytes;
	bool is_nonblock;
	const struct client_dest *dest; /* NULL: the socket's default */
};

/* Write a SEND record. false: the log is full. */
static bool
record_put(const struct sock *s, const struct send_req *req, const struct client_dest *dest,
	   bool want_result)
{
	const uint32_t bytes = (uint32_t)sizeof(struct dpt_rec_send) + req->bytes;
	const struct client_opt *opt = client_opt(s);
	struct dpt_rec_send *rec;
	struct channel ch;
	uint8_t flags = want_result ? DPT_REC_F_WANT_RESULT : 0;

	if (atomic_load_explicit(&opt->is_dest_droppable, memory_order_relaxed))
		flags |= DPT_REC_F_DEST_DROPPABLE;
	if (atomic_load_explicit(&opt->is_src_droppable, memory_order_relaxed))
		flags |= DPT_REC_F_SRC_DROPPABLE;
	channel_open(s, &ch);
	rec = dpt_log_reserve(&ch.log, bytes);
	if (rec) {
		rec->hdr.importance = atomic_load_explicit(&opt->importance, memory_order_relaxed);
		rec->hdr.flags = flags;
		rec->hdr.errcode = 0;
		rec->hdr.sock_idx = s->idx;
		rec->addrtype = (uint8_t)dest->addrtype;
		memcpy(rec->addr, dest->addr, sizeof(rec->addr));
		rec->tx_seq = client_tx(s)->seq;
		iov_copy(rec->payload, req->iov, req->iov_cnt);
		dpt_log_commit(&ch.log, rec, DPT_REC_SEND, bytes);
	}
	channel_close(&ch);
	return rec != NULL;
}

int
send_signal(const struct sock *s)
{
	struct dpt_rec_hdr *rec = NULL;
	struct channel ch;
	int i;

	for (i = 0; i < SIGNAL_TRIES && !rec; i++) {
		channel_open(s, &ch);
		rec = dpt_log_reserve(&ch.log, sizeof(*rec));
		if (rec) {
			rec->importance = rec->flags = rec->errcode = 0;
			rec->sock_idx = s->idx;
			dpt_log_commit(&ch.log, rec, DPT_REC_SIGNAL, sizeof(*rec));
		}
		channel_close(&ch);
		doorbell_ring(s->att);
		if (!rec)
			sched_yield();
	}
	return rec ? 0 : -EAGAIN;
}

static bool
is_done(const struct sock *s, uint32_t seq)
{
	/* Pairs with the dataplane's release: tx_result was stored before. */
	uint32_t done = atomic_load_explicit(&s->shm->tx_done, memory_order_acquire);

	return (int32_t)(done - seq) >= 0;
}

static bool
is_gone(const struct sock *s)
{
	return atomic_load_explicit(&s->shm->is_closed, memory_order_acquire) ||
	       attach_is_dead_cached(s->att);
}

/* Sleep until a word is not `value` any more, somebody wakes us, or a while is over. */
static int
word_sleep(const struct sock *s, _Atomic uint32_t *word, uint32_t value, int64_t max_ns)
{
	int rc = 0;

	/* seq_cst, as is the load: the dataplane stores the word and then loads tx_waiting. */
	atomic_store(&s->shm->tx_waiting, 1);
	if (atomic_load(word) == value)
		rc = futex_wait(word, value, max_ns);
	atomic_store(&s->shm->tx_waiting, 0);
	return rc;
}

/* Wait for send `seq`. Returns its result (0, errno); ENETDOWN. Signals do not end it. */
static int
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
	struct client_dest to;
	bool want_result;
	int rc = 0;

	if (lock == LOCK_OWNER_DIED)
		tx->sent_to.addrtype = 0;
	to = *dest;
	if (to.addrtype == 0) {
		lock_release(&tx->lock, lock);
		return EDESTADDRREQ;
	}
	want_result = tx->gen != gen || memcmp(&to, &tx->sent_to, sizeof(to)) != 0 ||
		      atomic_load_explicit(&s->shm->is_congested, memory_order_relaxed);
	/* Before the record: the number of a process that dies here is not used again. */
	tx->seq++;
	if (!record_put(s, req, &to, want_result)) {
		rc = SEND_LOG_FULL;
	} else {
		doorbell_ring(s->att);
		if (want_result) {
			rc = wait_done(s, tx->seq);
			tx->sent_to = to;
			tx->gen = gen;
			if (rc)
				tx->sent_to.addrtype = 0;
		}
	}
	lock_release(&tx->lock, lock);
	return rc;
}

/* The worker is behind. Returns 0: try again; EAGAIN, ENETDOWN. */
static int
wait_log(const struct sock *s, const struct send_req *req, uint32_t try_no, int64_t deadline_ns)
{
	int64_t sleep_ns = FULL_SLEEP_NS_MIN << (try_no < 8 ? try_no : 8);
	struct timespec ts = {0};

	if (is_gone(s))
		return ENETDOWN;
	if (try_no < 64) {
		sched_yield();
		return 0;
	}
	if (req->is_nonblock || fd_is_nonblock(s) || clock_ns() > deadline_ns)
		return EAGAIN;
	ts.tv_nsec = sleep_ns < FULL_SLEEP_NS_MAX ? sleep_ns : FULL_SLEEP_NS_MAX;
	return nanosleep(&ts, NULL) < 0 ? EINTR : 0;
}

/* A link is congested (10.4). Returns 0: try again; EAGAIN, EINTR, ENETDOWN. */
static int
wait_room(const struct sock *s, const struct send_req *req, int64_t deadline_ns)
{
	if (req->is_nonblock || fd_is_nonblock(s))
		return EAGAIN;
	while (atomic_load_explicit(&s->shm->is_congested, memory_order_acquire)) {
		int64_t left_ns = deadline_ns - clock_ns();

		if (is_gone(s))
			return ENETDOWN;
		if (left_ns <= 0)
			return EAGAIN;
		if (word_sleep(s, &s->shm->is_congested, 1, left_ns) == EINTR)
			return EINTR;
	}
	return 0;
}

static ssize_t
send_req(const struct sock *s, const struct send_req *req)
{
	int64_t timeo_ns = atomic_load_explicit(&client_opt(s)->sndtimeo_ns, memory_order_relaxed);
	int64_t deadline_ns = INT64_MAX;
	uint32_t full_cnt = 0;
	int rc;

	for (;;) {
		/* Set by dptipcd when it stops; its sudden death is seen where we wait. */
		if (atomic_load_explicit(&s->att->is_dead, memory_order_relaxed) ||
		    atomic_load_explicit(&s->att->hdr->is_down, memory_order_relaxed) ||
		    atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed))
			rc = ENETDOWN;
		else
			rc = send_once(s, req);
		if (rc == 0)
			return req->bytes;
		if ((rc == EAGAIN || rc == SEND_LOG_FULL) && timeo_ns && deadline_ns == INT64_MAX)
			deadline_ns = clock_ns() + timeo_ns;
		if (rc == EAGAIN)
			rc = wait_room(s, req, deadline_ns);
		else if (rc == SEND_LOG_FULL)
			rc = wait_log(s, req, full_cnt++, deadline_ns);
		if (rc)
			return rc == ENETDOWN ? fail_dead(s->att) : fail_errno(rc);
	}
}

/* Order of checks: 10.1. addr: NULL for the default destination. */
static ssize_t
send_msg(int fd, const struct iovec *iov, size_t iov_cnt, int flags, const struct sockaddr *addr,
	 socklen_t addrlen)
{
	struct send_req req = {.iov = iov, .iov_cnt = iov_cnt};
	struct client_dest dest;
	uint64_t total = 0;
	struct sock s;
	size_t i;

	if (table_get(fd, &s) < 0)
		return -1;
	for (i = 0; i < iov_cnt; i++) {
		if (iov[i].iov_len > DPT_PAYLOAD_BYTES_MAX)
			return fail_errno(EMSGSIZE);
		total += iov[i].iov_len;
		if (iov[i].iov_len && !iov[i].iov_base)
			return fail_errno(EFAULT);
	}
	if (total > DPT_PAYLOAD_BYTES_MAX)
		return fail_errno(EMSGSIZE);
	if (addr) {
		if (dest_parse(addr, addrlen, &dest))
			return fail_errno(EINVAL);
		req.dest = &dest;
	}
	req.bytes = (uint32_t)total;
	req.is_nonblock = (flags & MSG_DONTWAIT) ||
			  atomic_load_explicit(&client_opt(&s)->is_nonblock, memory_order_relaxed);
	return send_req(&s, &req);
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
