/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Receiving. 09-socket-api.md, 16. How the descriptor becomes readable and quiet again is
 * drawn in dpt_shm.h.
 *
 *   recv_msg -> take: a record is there: copy, advance, settle when it was the last
 *            -> none: settle, then spin, then sleep on the descriptor
 */

#include "client_priv.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/uio.h>

/* A spinning receiver offers the CPU to others after this long. Our choice. */
#define SPIN_PURE_NS 4000
/* Looks for a byte that dptipcd is just writing. */
#define BYTE_TRIES 1000

/* What take found. */
enum take { TAKE_NONE, TAKE_DONE, TAKE_SKIPPED, TAKE_BROKEN };

/* The receive log of a socket, opened for reading, with rx taken. */
struct rx {
	const struct sock *s;
	struct dpt_log log;
	enum lock_state lock;
};

static void
rx_log(const struct sock *s, struct dpt_log *log)
{
	dpt_log_init(log, dpt_shm_rx_log_at(s->att->region, &s->att->layout, s->idx),
		     s->att->layout.rx_log_bytes, &s->shm->rx_consumed);
	log->pos = s->shm->rx_pos;
	log->published = atomic_load_explicit(&s->shm->rx_consumed, memory_order_relaxed);
}

static void
rx_open(const struct sock *s, struct rx *rx)
{
	rx->s = s;
	/* A process that died inside has at worst taken a message without telling: read again. */
	rx->lock = lock_take(s->att, client_rx_lock(s));
	rx_log(s, &rx->log);
}

static void
rx_close(struct rx *rx)
{
	rx->s->shm->rx_pos = rx->log.pos;
	lock_release(client_rx_lock(rx->s), rx->lock);
}

static void
publish(struct rx *rx)
{
	struct dpt_shm_sock *shm = rx->s->shm;

	if (rx->log.published == rx->log.pos)
		return;
	atomic_store_explicit(&shm->rx_msgs, shm->rx_read, memory_order_release);
	dpt_log_publish(&rx->log);
}

/* A2 to A4 of dpt_shm.h. Returns true at end-of-file. */
static bool
byte_take(const struct sock *s)
{
	_Atomic uint32_t *is_signalled = &s->shm->is_signalled;
	ssize_t got;
	uint8_t byte;
	int i;

	/* seq_cst: S1 and S2 of the dataplane are as well. */
	for (i = 0; i < BYTE_TRIES && atomic_load(is_signalled); i++) {
		got = recv(s->fd, &byte, 1, MSG_DONTWAIT);
		if (got == 1)
			atomic_store(is_signalled, 0);
		if (got >= 0)
			return got == 0;
		sched_yield();
	}
	return false;
}

/* All that is there has been read: tell, and let the descriptor be quiet. */
static void
settle(struct rx *rx)
{
	publish(rx);
	dpt_shm_fence();
	if (!atomic_load_explicit(&rx->s->shm->is_signalled, memory_order_relaxed))
		return;
	byte_take(rx->s);
	dpt_shm_fence();
	if (!dpt_log_is_empty(&rx->log))
		send_signal(rx->s);
}

/* Go past a record of that size. */
static void
consume(struct rx *rx, uint32_t bytes)
{
	struct dpt_shm_sock *shm = rx->s->shm;
	uint64_t lines = (bytes + DPT_SHM_LINE_BYTES - 1) / DPT_SHM_LINE_BYTES;

	shm->rx_offset = 0;
	shm->rx_read++;
	/* rx_msgs goes first: dpt_log_advance may publish. */
	if (rx->log.pos + lines - rx->log.published >= rx->log.lines_cnt / 4)
		atomic_store_explicit(&shm->rx_msgs, shm->rx_read, memory_order_release);
	dpt_log_advance(&rx->log, bytes);
	shm->rx_pos = rx->log.pos;
	if (dpt_log_is_empty(&rx->log))
		settle(rx);
}

/* Append control data as the kernel does: what fits, MSG_CTRUNC for what does not. */
static void
cmsg_put(struct msghdr *msg, size_t *used, int type, const void *data, size_t bytes)
{
	size_t room = msg->msg_controllen - *used;
	size_t len = CMSG_LEN(bytes);
	struct cmsghdr cmsg = {.cmsg_level = SOL_TIPC, .cmsg_type = type};
	uint8_t *at = (uint8_t *)msg->msg_control + *used;

	if (room < sizeof(cmsg)) {
		msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	if (len > room) {
		msg->msg_flags |= MSG_CTRUNC;
		len = room;
	}
	cmsg.cmsg_len = len;
	memcpy(at, &cmsg, sizeof(cmsg));
	memcpy(at + CMSG_LEN(0), data, len - CMSG_LEN(0));
	*used += CMSG_SPACE(bytes) < room ? CMSG_SPACE(bytes) : room;
}

/* A message as it lies in the log. */
struct message {
	const struct dpt_rec_data *rec;
	const uint8_t *payload;
	uint32_t bytes; /* of payload */
	bool has_name;
};

/* 16.6 */
static void
cmsgs_put(struct msghdr *msg, const struct message *m)
{
	uint32_t errinfo[2] = {m->rec->hdr.errcode, m->bytes};
	size_t used = 0;

	if (!msg->msg_control || !msg->msg_controllen) {
		msg->msg_controllen = 0;
		return;
	}
	if (errinfo[0])
		cmsg_put(msg, &used, TIPC_ERRINFO, errinfo, sizeof(errinfo));
	if (errinfo[0] && m->bytes)
		cmsg_put(msg, &used, TIPC_RETDATA, m->payload, m->bytes);
	if (m->has_name && !(errinfo[0] && !m->bytes))
		cmsg_put(msg, &used, TIPC_DESTNAME, m->rec->name, sizeof(m->rec->name));
	msg->msg_controllen = used;
}

/* 16.5 */
static void
name_put(struct msghdr *msg, const struct message *m)
{
	struct sockaddr_tipc from;

	if (!msg->msg_name)
		return;
	memset(&from, 0, sizeof(from));
	from.family = AF_TIPC;
	from.addrtype = TIPC_SOCKET_ADDR;
	from.addr.id.ref = m->rec->orig_port;
	from.addr.id.node = m->rec->orig_node;
	memcpy(msg->msg_name, &from,
	       msg->msg_namelen < sizeof(from) ? msg->msg_namelen : sizeof(from));
	msg->msg_namelen = sizeof(from);
}

static uint32_t
iov_fill(const struct msghdr *msg, const uint8_t *from, uint32_t bytes)
{
	uint32_t left = bytes;
	size_t i;

	for (i = 0; i < msg->msg_iovlen && left; i++) {
		const struct iovec *iov = &msg->msg_iov[i];
		uint32_t part = iov->iov_len < left ? (uint32_t)iov->iov_len : left;

		if (part)
			memcpy(iov->iov_base, from, part);
		from += part;
		left -= part;
	}
	return bytes - left;
}

/* Copy out: 16.2. Returns true when the message is finished. */
static bool
data_put(struct msghdr *msg, const struct message *m, int flags, uint32_t *offset, ssize_t *got)
{
	uint32_t at = *offset <= m->bytes ? *offset : m->bytes;
	uint32_t rest = m->bytes - at;
	uint32_t copied = iov_fill(msg, m->payload + at, rest);

	*got = copied;
	if (copied < rest && (flags & MSG_EOR)) {
		*offset = at + copied;
		return false;
	}
	if (copied < rest)
		msg->msg_flags |= MSG_TRUNC;
	else if (flags & MSG_EOR)
		msg->msg_flags |= MSG_EOR;
	return true;
}

/* The next message, if there is one. */
static enum take
take(struct rx *rx, struct msghdr *msg, int flags, ssize_t *got)
{
	struct dpt_shm_sock *shm = rx->s->shm;
	uint32_t bytes, offset = shm->rx_offset, head = DPT_REC_DATA_BYTES;
	struct message m = {0};
	bool is_finished = true;
	int error;

	m.rec = dpt_log_peek(&rx->log, DPT_REC_DATA_BYTES, &bytes, &error);
	if (!m.rec)
		return error ? TAKE_BROKEN : TAKE_NONE;
	m.has_name = m.rec->msg_type & DPT_REC_DATA_HAS_NAME;
	if (m.has_name)
		head = DPT_REC_DATA_NAME_BYTES;
	if (m.rec->hdr.kind != DPT_REC_DATA || bytes < head)
		return TAKE_BROKEN;
	m.payload = (const uint8_t *)m.rec + head;
	m.bytes = bytes - head;
	if (!m.bytes && !m.rec->hdr.errcode) {
		/* Never delivered: 10.7. */
		consume(rx, bytes);
		return TAKE_SKIPPED;
	}
	*got = 0;
	if (!m.rec->hdr.errcode)
		is_finished = data_put(msg, &m, flags, &offset, got);
	name_put(msg, &m);
	cmsgs_put(msg, &m);
	if (flags & MSG_PEEK)
		return TAKE_DONE;
	if (is_finished)
		consume(rx, bytes);
	else
		shm->rx_offset = offset;
	return TAKE_DONE;
}

/* Look at the word where the next message will appear. true: something is there. */
static bool
spin(const struct sock *s, const struct dpt_log *log, int64_t max_ns)
{
	int64_t start, waited = 0;
	int i;

	if (max_ns == 0)
		return !dpt_log_is_empty(log);
	start = clock_ns();
	while (waited < max_ns) {
		for (i = 0; i < 8; i++) {
			if (!dpt_log_is_empty(log))
				return true;
			cpu_pause();
		}
		if (waited > SPIN_PURE_NS)
			sched_yield();
		if (atomic_load_explicit(&s->att->hdr->is_down, memory_order_relaxed))
			return false;
		waited = clock_ns() - start;
	}
	return false;
}

/*
 * Sleep until the descriptor is readable. Without a deadline that is a recv(2) which takes
 * nothing: signals then do what they do to any receive call, and O_NONBLOCK set behind our
 * back is honoured. Returns 0, EAGAIN, EINTR, ENOTCONN, ENETDOWN.
 */
static int
sleep_readable(const struct sock *s, int64_t deadline_ns)
{
	struct pollfd pfd = {.fd = s->fd, .events = POLLIN};
	int64_t left_ns;
	uint8_t byte;
	ssize_t got;

	if (deadline_ns != INT64_MAX) {
		struct timespec ts;

		left_ns = deadline_ns - clock_ns();
		if (left_ns <= 0)
			return EAGAIN;
		ts.tv_sec = left_ns / 1000000000;
		ts.tv_nsec = left_ns % 1000000000;
		if (ppoll(&pfd, 1, &ts, NULL) < 0)
			return errno;
		if (pfd.revents == 0)
			return EAGAIN;
	}
	got = recv(s->fd, &byte, 1, MSG_PEEK | (deadline_ns != INT64_MAX ? MSG_DONTWAIT : 0));
	if (got == 1)
		return 0;
	if (got == 0)
		return atomic_load(&client_opt(s)->is_shut) ? ENOTCONN : ENETDOWN;
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		/* Taken by another thread meanwhile, or the descriptor does not block. */
		return deadline_ns == INT64_MAX && fd_is_nonblock(s) ? EAGAIN : 0;
	}
	return errno == EINTR ? EINTR : ENETDOWN;
}

/* Nothing there and the call does not block. */
static int
empty_nonblock(const struct sock *s)
{
	if (atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed) ||
	    attach_is_dead_cached(s->att))
		return ENETDOWN;
	return EAGAIN;
}

/* Nothing there: wait. deadline_ns: 0 on the first call. Returns 0: look again; or errno. */
static int
wait_message(const struct sock *s, const struct dpt_log *log, bool is_nonblock,
	     int64_t *deadline_ns)
{
	const struct client_opt *opt = client_opt(s);
	int64_t timeo_ns = atomic_load_explicit(&opt->rcvtimeo_ns, memory_order_relaxed);
	int64_t spin_ns =
		(int64_t)atomic_load_explicit(&opt->busy_poll_us, memory_order_relaxed) * 1000;
	int rc;

	if (is_nonblock)
		return empty_nonblock(s);
	if (atomic_load_explicit(&s->shm->is_closed, memory_order_relaxed) ||
	    atomic_load_explicit(&s->att->is_dead, memory_order_relaxed))
		return ENETDOWN;
	if (atomic_load_explicit(&opt->is_shut, memory_order_relaxed))
		return ENOTCONN;
	if (*deadline_ns == 0)
		*deadline_ns = timeo_ns ? clock_ns() + timeo_ns : INT64_MAX;
	if (timeo_ns && timeo_ns < spin_ns)
		spin_ns = timeo_ns;
	if (spin(s, log, spin_ns))
		return 0;
	rc = sleep_readable(s, *deadline_ns);
	/* Last words may have come with the end. */
	if ((rc == ENETDOWN || rc == ENOTCONN) && !dpt_log_is_empty(log))
		return 0;
	return rc;
}

static ssize_t
recv_msg(const struct sock *s, struct msghdr *msg, int flags)
{
	bool is_nonblock = (flags & MSG_DONTWAIT) ||
			   atomic_load_explicit(&client_opt(s)->is_nonblock, memory_order_relaxed);
	int64_t deadline_ns = 0;
	enum take found;
	ssize_t got;
	struct rx rx;
	int rc;

	msg->msg_flags = 0;
	for (;;) {
		rx_open(s, &rx);
		do
			found = take(&rx, msg, flags, &got);
		while (found == TAKE_SKIPPED);
		if (found == TAKE_NONE)
			settle(&rx);
		rx_close(&rx);
		if (found == TAKE_DONE)
			return got;
		if (found == TAKE_BROKEN)
			return fail_dead(s->att);
		rc = wait_message(s, &rx.log, is_nonblock, &deadline_ns);
		if (rc)
			return rc == ENETDOWN ? fail_dead(s->att) : fail_errno(rc);
	}
}

/* 16.1, row 1. */
static int
recv_check(const struct msghdr *msg)
{
	uint64_t total = 0;
	size_t i;

	if (msg->msg_iovlen > IOV_MAX)
		return EMSGSIZE;
	for (i = 0; i < msg->msg_iovlen; i++) {
		if (msg->msg_iov[i].iov_len > SSIZE_MAX - total)
			return EINVAL;
		total += msg->msg_iov[i].iov_len;
		if (msg->msg_iov[i].iov_len && !msg->msg_iov[i].iov_base)
			return EFAULT;
	}
	return total ? 0 : EINVAL;
}

ssize_t
dptipc_recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sock s;
	int rc;

	if (table_get(fd, &s) < 0)
		return -1;
	if (!msg)
		return fail_errno(EFAULT);
	rc = recv_check(msg);
	if (rc)
		return fail_errno(rc);
	return recv_msg(&s, msg, flags);
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

void
recv_publish(const struct sock *s)
{
	struct rx rx = {.s = s};

	rx_log(s, &rx.log);
	publish(&rx);
}

void
recv_skip(const struct sock *s, uint64_t pos)
{
	struct rx rx = {.s = s};
	uint32_t bytes;
	int error;

	rx_log(s, &rx.log);
	while (rx.log.pos < pos &&
	       dpt_log_peek(&rx.log, sizeof(struct dpt_rec_hdr), &bytes, &error)) {
		s->shm->rx_read++;
		dpt_log_advance(&rx.log, bytes);
	}
	s->shm->rx_offset = 0;
	s->shm->rx_pos = rx.log.pos;
	publish(&rx);
}

void
recv_queue(const struct sock *s, uint32_t *msgs, uint32_t *bytes)
{
	_Atomic uint64_t unused = 0;
	struct rx rx;
	struct dpt_log log;
	uint32_t rec_bytes;
	int error;

	*msgs = *bytes = 0;
	rx_open(s, &rx);
	log = rx.log;
	log.consumed = &unused;
	while (log.pos - rx.log.pos < log.lines_cnt &&
	       dpt_log_peek(&log, sizeof(struct dpt_rec_hdr), &rec_bytes, &error)) {
		dpt_log_advance(&log, rec_bytes);
		(*msgs)++;
	}
	*bytes = (uint32_t)(log.pos - rx.log.pos) * DPT_SHM_LINE_BYTES;
	rx_close(&rx);
}
