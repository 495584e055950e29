/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To applications: messages that the stack gives out go into receive logs; receipts come
 * back; descriptors are made readable when an application does not look by itself.
 *
 *   ready in the stack --> written (given) --> read: rx_msgs --> stack frees (done)
 *                    \--> log full: is_more, tried again
 *
 * A socket is on the busy list while it has unread messages or more to come.
 */
#include <errno.h>
#include <sys/socket.h>

#include "dpt_msg.h"
#include "dpt_stack.h"
#include "worker.h"

/* Receipts and signals are looked at in this rhythm; unread messages of this age are
 * signalled. Our choice: a polling reader takes them in well below a microsecond, and a
 * wake-up costs several. */
#define DELIVER_SCAN_NS	  1000
#define DELIVER_SIGNAL_NS 2000

static void
deliver_busy(struct worker *w, struct served_sock *sock)
{
	if (sock->is_busy)
		return;
	sock->is_busy = true;
	TAILQ_INSERT_TAIL(&w->busy, sock, busy_link);
}

static void
deliver_head(const struct served_sock *sock, struct dpt_rec_data *rec, const uint8_t *hdr)
{
	rec->hdr.importance = (uint8_t)dpt_msg_user(hdr);
	rec->hdr.flags = (uint8_t)((dpt_msg_dest_droppable(hdr) ? DPT_REC_F_DEST_DROPPABLE : 0) |
				   (dpt_msg_src_droppable(hdr) ? DPT_REC_F_SRC_DROPPABLE : 0));
	rec->hdr.errcode = (uint8_t)dpt_msg_errcode(hdr);
	rec->hdr.sock_idx = sock->idx;
	rec->orig_port = dpt_msg_origport(hdr);
	rec->orig_node = dpt_msg_origin(hdr).value;
	rec->msg_type = dpt_msg_type(hdr);
}

static void
deliver_commit(struct worker *w, struct served_sock *sock, struct dpt_rec_data *rec, uint8_t kind,
	       uint32_t bytes)
{
	dpt_log_commit(&sock->log, rec, kind, bytes);
	sock->given++;
	if (sock->unread_ns == 0)
		sock->unread_ns = w->now_ns;
	w->counters.app_deliveries++;
}

/* Write one message. Returns false when the log has no room for it. */
static bool
deliver_write(struct worker *w, struct served_sock *sock, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t type = dpt_msg_type(hdr);
	bool has_name = type == DPT_TYPE_NAMED || type == DPT_TYPE_MCAST;
	uint32_t head = has_name ? DPT_REC_DATA_NAME_BYTES : DPT_REC_DATA_BYTES;
	uint32_t hdr_bytes = dpt_msg_hdr_bytes(hdr);
	uint32_t payload_bytes = dpt_buf_bytes(m) - hdr_bytes;
	struct dpt_rec_data *rec = dpt_log_reserve(&sock->log, head + payload_bytes);
	uint8_t *payload;

	if (rec == NULL)
		return false;
	deliver_head(sock, rec, hdr);
	if (has_name) {
		rec->msg_type |= DPT_REC_DATA_HAS_NAME;
		rec->name[0] = dpt_msg_nametype(hdr);
		rec->name[1] = dpt_msg_namelower(hdr);
		/* A service address has one instance. Src: 09-socket-api.md, 16. */
		rec->name[2] = type == DPT_TYPE_MCAST ? dpt_msg_nameupper(hdr) : rec->name[1];
	}
	payload = (uint8_t *)rec + head;
	dpt_buf_read(m, hdr_bytes, payload, payload_bytes);
	deliver_commit(w, sock, rec, DPT_REC_DATA, head + payload_bytes);
	return true;
}

/* Room is looked for first: a request that the stack has given out may be accepted, and gone,
 * at any time. */
static uint32_t
deliver_syns(struct worker *w, struct served_sock *sock)
{
	uint32_t cnt = 0;

	while (cnt < WORKER_BURST) {
		struct dpt_rec_data *rec = dpt_log_reserve(&sock->log, DPT_REC_DATA_BYTES);
		struct rte_mbuf *m;

		if (rec == NULL) {
			sock->is_more = true;
			return cnt;
		}
		m = dpt_sock_recv_next(w->socks, sock->port);
		if (m == NULL)
			return cnt;
		deliver_head(sock, rec, dpt_buf_hdr(m));
		deliver_commit(w, sock, rec, DPT_REC_SYN, DPT_REC_DATA_BYTES);
		cnt++;
	}
	sock->is_more = true;
	w->is_more = true;
	return cnt;
}

/* All that the stack has for the socket, as far as log and burst reach. */
static uint32_t
deliver_sock(struct worker *w, struct served_sock *sock)
{
	uint32_t cnt = 0;

	sock->is_more = false;
	if (unlikely(sock->state == DPT_SOCK_STATE_LISTEN))
		return deliver_syns(w, sock);
	while (cnt < WORKER_BURST) {
		struct rte_mbuf *m =
			sock->held != NULL ? sock->held : dpt_sock_recv_next(w->socks, sock->port);

		if (m == NULL)
			return cnt;
		if (!deliver_write(w, sock, m)) {
			if (sock->held == NULL)
				w->counters.app_rx_full++;
			sock->held = m;
			sock->is_more = true;
			return cnt;
		}
		sock->held = NULL;
		cnt++;
	}
	sock->is_more = true;
	w->is_more = true;
	return cnt;
}

/* The application has read that many. Returns false when it cannot be true. */
static bool
deliver_read(struct worker *w, struct served_sock *sock, uint64_t read)
{
	uint64_t from = RTE_MAX(sock->done, sock->returned);

	if (read == sock->done)
		return true;
	if (read < sock->done || read > sock->given)
		return false;
	if (read > from && sock->state != DPT_SOCK_STATE_LISTEN) {
		dpt_stack_recv_done(w->stack, sock->port, (uint32_t)(read - from), w->now_ns,
				    &w->out);
		worker_events(w);
	}
	sock->done = read;
	return true;
}

bool
deliver_receipts(struct worker *w, struct served_sock *sock)
{
	/* Pairs with the client's release: it has read the messages' lines. */
	return deliver_read(w, sock,
			    atomic_load_explicit(&sock->shm->rx_msgs, memory_order_acquire));
}

static uint64_t
deliver_consumed(const struct served_sock *sock)
{
	return atomic_load_explicit(&sock->shm->rx_consumed, memory_order_seq_cst);
}

static bool
deliver_is_read(const struct served_sock *sock)
{
	return deliver_consumed(sock) == sock->log.pos;
}

/*
 * All is read; else *is_stuck: the reader has not moved for so long that it may be asleep.
 * One that moves is awake, however far behind it is.
 */
static bool
deliver_look(struct worker *w, struct served_sock *sock, bool *is_stuck)
{
	uint64_t consumed = deliver_consumed(sock);

	if (consumed != sock->consumed) {
		sock->consumed = consumed;
		sock->unread_ns = w->now_ns;
	}
	*is_stuck = w->now_ns - sock->unread_ns >= DELIVER_SIGNAL_NS;
	return consumed == sock->log.pos;
}

/* S1 to S3 of dpt_shm.h: make the descriptor readable unless it is, or all is read. */
static void
deliver_signal(struct worker *w, struct served_sock *sock)
{
	/* Hung up: readable for ever. */
	if (sock->is_hung ||
	    atomic_load_explicit(&sock->shm->is_signalled, memory_order_seq_cst) != 0)
		return;
	atomic_store_explicit(&sock->shm->is_signalled, 1, memory_order_seq_cst);
	dpt_shm_fence();
	if (deliver_is_read(sock)) {
		atomic_store_explicit(&sock->shm->is_signalled, 0, memory_order_seq_cst);
		return;
	}
	/* A full pair is readable already; one that was closed is noticed by control. */
	send(sock->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	w->counters.app_signals++;
}

void
deliver_signal_now(struct worker *w, struct served_sock *sock)
{
	dpt_shm_fence();
	if (!deliver_is_read(sock))
		deliver_signal(w, sock);
}

/* Show the application what it has lost; the line is written only when that has changed. */
static void
deliver_drops(struct worker *w, struct served_sock *sock)
{
	uint64_t drops = dpt_sock_drops(w->socks, sock->port);
	struct served *s = sock->served;

	w->counters.app_memory_quota += s->account.refused - s->refused_seen;
	s->refused_seen = s->account.refused;
	if (likely(drops == sock->drops))
		return;
	sock->drops = drops;
	atomic_store_explicit(&sock->shm->rx_drops, drops, memory_order_relaxed);
}

/*
 * Hang up, once. Our end goes on to tell when the last copy of the application's is closed:
 * by the next change (it is watched edge-triggered), or, if that comes so soon that control
 * sees both as one, by the error that the kernel reports for octets which were never read. Two:
 * an application that was just about to take the octet of a signal may get one of them.
 */
static void
deliver_hang(struct served_sock *sock)
{
	static const char octets[2];

	/* Fails when the application has closed it already: control sees that as it stands. */
	if (sock->is_hung ||
	    (send(sock->fd, octets, sizeof(octets), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	     errno != EAGAIN))
		return;
	atomic_store_explicit(&sock->is_hung, true, memory_order_release);
	shutdown(sock->fd, SHUT_RDWR);
}

/* Only after the last message, so that who is woken by it finds that. */
static void
deliver_end(struct served_sock *sock)
{
	if (unlikely(sock->is_ended) && !sock->is_more)
		deliver_hang(sock);
}

void
deliver_hang_up(struct worker *w, struct served_sock *sock)
{
	sock->is_ended = true;
	if (!sock->is_hung)
		deliver_busy(w, sock);
}

/* One socket of the busy list. Returns messages written. */
static uint32_t
deliver_scan(struct worker *w, struct served_sock *sock)
{
	uint32_t cnt = 0;
	bool is_stuck;

	if (sock->served->is_hostile || !deliver_receipts(w, sock)) {
		if (!sock->served->is_hostile) {
			w->counters.app_bad_position++;
			answer_hostile(w, sock->served);
		}
		return 0;
	}
	if (sock->is_more)
		cnt = deliver_sock(w, sock);
	deliver_drops(w, sock);
	deliver_end(sock);
	if (deliver_look(w, sock, &is_stuck)) {
		sock->unread_ns = 0;
		if (!sock->is_more && sock->done == sock->given) {
			sock->is_busy = false;
			TAILQ_REMOVE(&w->busy, sock, busy_link);
		}
	} else if (is_stuck) {
		/* Messages are visible before is_signalled is looked at. */
		dpt_shm_fence();
		deliver_signal(w, sock);
	}
	return cnt;
}

uint32_t
deliver_poll(struct worker *w)
{
	struct served_sock *sock, *next;
	struct dpt_port port;
	uint64_t cookie;
	uint32_t cnt = 0;

	while (dpt_sock_ready_pop(w->socks, &port, &cookie)) {
		sock = (struct served_sock *)(uintptr_t)cookie;
		if (sock->served->is_hostile)
			continue;
		/* Earlier ones still wait: they go first, at the next look. */
		if (sock->is_more)
			continue;
		cnt += deliver_sock(w, sock);
		deliver_busy(w, sock);
	}
	if (w->now_ns < w->scan_ns && !w->is_more)
		return cnt;
	w->is_more = false;
	w->scan_ns = w->now_ns + DELIVER_SCAN_NS;
	for (sock = TAILQ_FIRST(&w->busy); sock != NULL; sock = next) {
		next = TAILQ_NEXT(sock, busy_link);
		cnt += deliver_scan(w, sock);
	}
	return cnt;
}

void
deliver_settle(struct worker *w)
{
	struct served_sock *sock;

	dpt_shm_fence();
	TAILQ_FOREACH (sock, &w->busy, busy_link) {
		if (sock->served->is_hostile)
			continue;
		deliver_end(sock);
		if (!deliver_is_read(sock))
			deliver_signal(w, sock);
	}
}

uint64_t
deliver_shut(struct served_sock *sock)
{
	sock->returned = sock->given;
	sock->held = NULL;
	sock->is_more = false;
	return sock->log.pos;
}

/*
 * What was read is not returned to its sender, told or not, and no message of which a part
 * was read (09-socket-api.md, 17.1, step 3). A lie changes only that.
 */
void
deliver_last(struct worker *w, struct served_sock *sock)
{
	uint64_t read = __atomic_load_n(&sock->shm->rx_read, __ATOMIC_ACQUIRE);

	(void)deliver_receipts(w, sock);
	(void)deliver_read(w, sock, read);
	if (__atomic_load_n(&sock->shm->rx_offset, __ATOMIC_RELAXED) != 0 &&
	    sock->given > RTE_MAX(sock->done, sock->returned))
		dpt_sock_partly_read(w->socks, sock->port);
}

void
deliver_close(struct worker *w, struct served_sock *sock)
{
	deliver_last(w, sock);
	if (sock->is_busy)
		TAILQ_REMOVE(&w->busy, sock, busy_link);
	sock->is_busy = false;
	sock->is_more = false;
	sock->held = NULL;
}

bool
deliver_is_blocked(const struct worker *w)
{
	const struct served_sock *sock;

	TAILQ_FOREACH (sock, &w->busy, busy_link)
		if (sock->is_more && !sock->served->is_hostile)
			return true;
	return false;
}
