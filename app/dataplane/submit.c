/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From applications: records of the submission logs become sends. Everything in a region may
 * change while we look: a record's head is copied once, the copy is checked (dpt_shm.h).
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dpt_stack.h"
#include "worker.h"

/* A record that had to wait is tried again after this. Our choice. */
#define SUBMIT_RETRY_NS 5000

/* Pairs with the client's store of tx_waiting before it looks at the words once more. */
void
submit_wake(struct dpt_shm_sock *shm, _Atomic uint32_t *a, _Atomic uint32_t *b)
{
	dpt_shm_fence();
	if (atomic_load_explicit(&shm->tx_waiting, memory_order_relaxed) == 0)
		return;
	syscall(SYS_futex, a, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	syscall(SYS_futex, b, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void
submit_result(struct served_sock *sock, uint32_t seq, int rc)
{
	struct dpt_shm_sock *shm = sock->shm;

	atomic_store_explicit(&shm->tx_result, -rc, memory_order_relaxed);
	/* Pairs with the client's acquire load: it reads tx_result then. */
	atomic_store_explicit(&shm->tx_done, seq, memory_order_release);
	submit_wake(shm, &shm->tx_done, &shm->is_congested);
}

static bool
submit_dest(const struct dpt_rec_send *rec, struct dpt_dest *dest)
{
	*dest = (struct dpt_dest){.addrtype = rec->addrtype};
	switch (rec->addrtype) {
	case DPT_ADDR_RANGE:
		dest->range.type = rec->addr[0];
		dest->range.lower = rec->addr[1];
		dest->range.upper = rec->addr[2];
		return rec->addr[1] <= rec->addr[2];
	case DPT_ADDR_SERVICE:
		dest->range.type = rec->addr[0];
		dest->range.lower = rec->addr[1];
		dest->range.upper = rec->addr[1];
		dest->domain = dpt_node_addr(rec->addr[2]);
		return true;
	case DPT_ADDR_SOCKET:
		dest->socket.port = dpt_port(rec->addr[0]);
		dest->socket.node = dpt_node_addr(rec->addr[1]);
		return true;
	default:
		return false;
	}
}

/* What the record asks for, checked. Returns 0 or a negative errno. */
static int
submit_check(const struct dpt_rec_send *rec, struct dpt_dest *dest, struct dpt_send *send)
{
	*send = (struct dpt_send){
		.dest = dest,
		.importance = rec->hdr.importance,
		.is_dest_droppable = rec->hdr.flags & DPT_REC_F_DEST_DROPPABLE,
		.is_src_droppable = rec->hdr.flags & DPT_REC_F_SRC_DROPPABLE,
		.conn_timeout_ms = RTE_MIN(rec->conn_timeout_ms, (uint32_t)UINT16_MAX),
	};
	if (rec->hdr.bytes - (uint32_t)sizeof(*rec) > DPT_PAYLOAD_BYTES_MAX)
		return -EMSGSIZE;
	if (send->importance > DPT_USER_CRITICAL)
		return -EINVAL;
	if (rec->addrtype == 0 && rec->hdr.kind == DPT_REC_SEND) {
		send->dest = NULL;
		return 0;
	}
	return submit_dest(rec, dest) ? 0 : -EINVAL;
}

static int
submit_to_stack(struct worker *w, struct served_sock *sock, const struct dpt_send *send,
		const struct dpt_rec_send *rec, const uint8_t *payload)
{
	uint32_t payload_bytes = rec->hdr.bytes - (uint32_t)sizeof(*rec);
	struct rte_mbuf *m;
	int rc;

	if (rec->hdr.kind == DPT_REC_CONNECT) {
		rc = dpt_stack_connect(w->stack, sock->port, send, w->now_ns, &w->out);
	} else {
		m = dpt_buf_alloc_len(w->pool, payload_bytes);
		if (m == NULL)
			return -ENOBUFS;
		dpt_buf_write(m, 0, payload, payload_bytes);
		rc = dpt_stack_send(w->stack, sock->port, send, m, w->now_ns, &w->out);
	}
	worker_events(w);
	return rc;
}

/*
 * The peer's window is used up, and nobody waits for the result: an application that keeps
 * within the credit that it was shown does not get here, unless the peer has made its window
 * smaller in the same moment. Src: 09-socket-api.md, 28, line 5.
 */
static bool
submit_is_over_credit(const struct served_sock *sock)
{
	return sock->state == DPT_SOCK_STATE_ESTABLISHED &&
	       (int32_t)(sock->tx_cost - sock->credit_max) > 0;
}

/*
 * One SEND or CONNECT. Returns true when the record is done with, false when it has to wait:
 * congestion or no buffer, and nobody waits for its result.
 */
static bool
submit_send(struct worker *w, struct served_sock *sock, const struct dpt_rec_send *rec,
	    const uint8_t *payload)
{
	struct dpt_dest dest;
	struct dpt_send send;
	bool is_asked = rec->hdr.flags & DPT_REC_F_WANT_RESULT;
	bool is_conn = served_sock_is_conn(sock), is_congested;
	int rc = submit_check(rec, &dest, &send);

	if (rc != 0)
		w->counters.app_bad_address++;
	else
		rc = submit_to_stack(w, sock, &send, rec, payload);
	is_congested = dpt_sock_is_congested(w->socks, sock->port);
	if (!is_asked && rc == -EAGAIN && is_conn && !is_congested && submit_is_over_credit(sock)) {
		w->counters.app_bad_credit++;
		answer_hostile(w, sock->served);
		return true;
	}
	if (!is_asked && (rc == -EAGAIN || rc == -ENOBUFS))
		return false;
	/* Told before the answer, so who gets the answer sees why. */
	if (is_congested)
		atomic_store_explicit(&sock->shm->is_congested, 1, memory_order_relaxed);
	if (rc == 0 && send.dest == NULL)
		sock->tx_cost += dpt_sock_cost(sock->is_block_flow, DPT_HDR_SHORT,
					       rec->hdr.bytes - (uint32_t)sizeof(*rec));
	if (is_conn && send.dest != NULL)
		publish_sock(w, sock);
	if (is_asked)
		submit_result(sock, rec->tx_seq, rc);
	else if (rc != 0)
		w->counters.app_send_late++;
	w->counters.app_sends++;
	return true;
}

/* One record. Returns false when it has to wait. */
static bool
submit_record(struct worker *w, struct served *s, const void *rec, uint32_t bytes)
{
	struct dpt_rec_send copy = {0};
	struct served_sock *sock;

	memcpy((void *)&copy, rec, RTE_MIN(bytes, sizeof(copy)));
	copy.hdr.bytes = bytes;
	if (copy.hdr.sock_idx >= s->layout.socks_cnt || !s->socks[copy.hdr.sock_idx].is_open) {
		w->counters.app_bad_socket++;
		return true;
	}
	sock = &s->socks[copy.hdr.sock_idx];
	if (copy.hdr.kind == DPT_REC_SIGNAL) {
		deliver_signal_now(w, sock);
		return true;
	}
	if (copy.hdr.kind == DPT_REC_ROOM) {
		sock->is_room_asked = true;
		submit_room(w, sock);
		return true;
	}
	if ((copy.hdr.kind != DPT_REC_SEND && copy.hdr.kind != DPT_REC_CONNECT) ||
	    bytes < sizeof(copy)) {
		w->counters.app_bad_record++;
		answer_hostile(w, s);
		return true;
	}
	return submit_send(w, sock, &copy, (const uint8_t *)rec + sizeof(copy));
}

/* Up to cnt records of one channel. Returns how many were taken. */
static uint32_t
submit_channel(struct worker *w, struct served *s, struct served_channel *channel, uint32_t cnt)
{
	uint32_t taken = 0;

	while (taken < cnt && !s->is_hostile) {
		uint32_t bytes;
		int error;
		const void *rec =
			dpt_log_peek(&channel->log, sizeof(struct dpt_rec_hdr), &bytes, &error);

		if (rec == NULL) {
			if (error != 0) {
				w->counters.app_bad_record++;
				answer_hostile(w, s);
			}
			/* The log is empty: a writer that waits for room sees all of it. */
			if (taken > 0)
				dpt_log_publish(&channel->log);
			break;
		}
		if (!submit_record(w, s, rec, bytes)) {
			if (!channel->is_blocked)
				w->counters.app_tx_blocked++;
			channel->is_blocked = true;
			channel->retry_ns = w->now_ns + SUBMIT_RETRY_NS;
			dpt_log_publish(&channel->log);
			break;
		}
		channel->is_blocked = false;
		dpt_log_advance(&channel->log, bytes);
		taken++;
	}
	return taken;
}

/* Something to take, and not only what has just been found to wait. */
static bool
submit_is_due(const struct served_channel *channel, uint64_t now_ns)
{
	return channel->socks_cnt > 0 && !dpt_log_is_empty(&channel->log) &&
	       (!channel->is_blocked || now_ns >= channel->retry_ns);
}

uint32_t
submit_poll(struct worker *w)
{
	uint32_t work = 0;
	struct served *s;

	TAILQ_FOREACH (s, &w->served, link) {
		if (s->is_hostile)
			continue;
		for (uint32_t i = 0; i < DPT_SHM_CHANNELS; i++)
			if (submit_is_due(&s->channels[i], w->now_ns))
				work += submit_channel(w, s, &s->channels[i], WORKER_BURST);
	}
	return work;
}

void
submit_take(struct worker *w, struct served *s)
{
	/* No more than fit into the logs at one time: a hostile writer may go on for ever. */
	for (uint32_t i = 0; i < DPT_SHM_CHANNELS && !s->is_hostile; i++)
		if (submit_is_due(&s->channels[i], w->now_ns))
			submit_channel(w, s, &s->channels[i], s->channels[i].log.lines_cnt);
}

static struct served_channel *
submit_channel_of(const struct served_sock *sock)
{
	return &sock->served->channels[sock->idx % DPT_SHM_CHANNELS];
}

uint64_t
submit_mark(const struct served_sock *sock)
{
	const struct dpt_log *log = &submit_channel_of(sock)->log;

	return log->pos + log->lines_cnt;
}

bool
submit_drain(struct worker *w, struct served_sock *sock, uint64_t mark)
{
	struct served_channel *channel = submit_channel_of(sock);

	if (channel->is_blocked && w->now_ns < channel->retry_ns)
		return false;
	/* No more than fit into the log at one time: a hostile writer may go on for ever. */
	submit_channel(w, sock->served, channel, channel->log.lines_cnt);
	return !channel->is_blocked || channel->log.pos >= mark;
}

static void
submit_pair_empty(struct served_sock *sock)
{
	char octets[4096];

	for (int i = 0; i < 64; i++)
		if (recv(sock->fd, octets, sizeof(octets), MSG_DONTWAIT) < (ssize_t)sizeof(octets))
			return;
}

/* Src: 09-socket-api.md, 18, column OUT. */
static bool
submit_may_send(const struct worker *w, const struct served_sock *sock)
{
	if (sock->state == DPT_SOCK_STATE_ESTABLISHED && served_sock_is_conn(sock))
		return dpt_sock_can_end(w->socks, sock->port);
	return (sock->state == DPT_SOCK_STATE_OPEN || !served_sock_is_conn(sock)) &&
	       !dpt_sock_is_congested(w->socks, sock->port);
}

void
submit_room(struct worker *w, struct served_sock *sock)
{
	if (likely(!sock->is_room_asked) || !submit_may_send(w, sock))
		return;
	sock->is_room_asked = false;
	/* First: who fills it again after this asks again, too. */
	atomic_store_explicit(&sock->shm->is_filled, 0, memory_order_seq_cst);
	submit_pair_empty(sock);
}

void
submit_writable(struct worker *w)
{
	struct dpt_port port;
	uint64_t cookie;

	while (dpt_sock_writable_pop(w->socks, &port, &cookie)) {
		struct served_sock *sock = (struct served_sock *)(uintptr_t)cookie;

		if (dpt_sock_is_congested(w->socks, port))
			continue;
		atomic_store_explicit(&sock->shm->is_congested, 0, memory_order_release);
		submit_wake(sock->shm, &sock->shm->is_congested, &sock->shm->tx_done);
		submit_room(w, sock);
	}
}

bool
submit_is_pending(const struct worker *w)
{
	const struct served *s;

	TAILQ_FOREACH (s, &w->served, link)
		for (uint32_t i = 0; !s->is_hostile && i < DPT_SHM_CHANNELS; i++)
			if (s->channels[i].socks_cnt > 0 && !s->channels[i].is_blocked &&
			    !dpt_log_is_empty(&s->channels[i].log))
				return true;
	return false;
}

bool
submit_is_blocked(const struct worker *w)
{
	const struct served *s;

	TAILQ_FOREACH (s, &w->served, link)
		for (uint32_t i = 0; !s->is_hostile && i < DPT_SHM_CHANNELS; i++)
			if (s->channels[i].socks_cnt > 0 && s->channels[i].is_blocked)
				return true;
	return false;
}
