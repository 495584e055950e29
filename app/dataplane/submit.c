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

/* Sleepers of either word of the socket. Pairs with the client's store of tx_waiting before
 * it looks at the words once more. */
static void
submit_wake(struct dpt_shm_sock *shm)
{
	dpt_shm_fence();
	if (atomic_load_explicit(&shm->tx_waiting, memory_order_relaxed) == 0)
		return;
	syscall(SYS_futex, &shm->tx_done, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	syscall(SYS_futex, &shm->is_congested, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void
submit_result(struct served_sock *sock, uint32_t seq, int rc)
{
	struct dpt_shm_sock *shm = sock->shm;

	/* -EAGAIN: told before the answer, so who gets the answer sees why. */
	if (rc == -EAGAIN)
		atomic_store_explicit(&shm->is_congested, 1, memory_order_relaxed);
	atomic_store_explicit(&shm->tx_result, -rc, memory_order_relaxed);
	/* Pairs with the client's acquire load: it reads tx_result then. */
	atomic_store_explicit(&shm->tx_done, seq, memory_order_release);
	submit_wake(shm);
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

/*
 * One SEND. Returns true when the record is done with, false when it has to wait:
 * congestion or no buffer, and nobody waits for its result.
 */
static bool
submit_send(struct worker *w, struct served_sock *sock, const struct dpt_rec_send *rec,
	    const uint8_t *payload)
{
	struct dpt_dest dest;
	struct dpt_send send = {
		.dest = &dest,
		.importance = rec->hdr.importance,
		.is_dest_droppable = rec->hdr.flags & DPT_REC_F_DEST_DROPPABLE,
		.is_src_droppable = rec->hdr.flags & DPT_REC_F_SRC_DROPPABLE,
	};
	uint32_t payload_bytes = rec->hdr.bytes - (uint32_t)sizeof(*rec);
	bool is_asked = rec->hdr.flags & DPT_REC_F_WANT_RESULT;
	int rc = 0;

	if (payload_bytes > DPT_PAYLOAD_BYTES_MAX)
		rc = -EMSGSIZE;
	else if (send.importance > DPT_USER_CRITICAL || !submit_dest(rec, &dest))
		rc = -EINVAL;
	if (rc != 0)
		w->counters.app_bad_address++;
	if (rc == 0) {
		struct rte_mbuf *m = dpt_buf_alloc_len(w->pool, payload_bytes);

		if (m != NULL) {
			dpt_buf_write(m, 0, payload, payload_bytes);
			rc = dpt_stack_send(w->stack, sock->port, &send, m, w->now_ns, &w->out);
			worker_events(w);
		} else {
			rc = -ENOBUFS;
		}
	}
	if (!is_asked && (rc == -EAGAIN || rc == -ENOBUFS))
		return false;
	if (is_asked)
		submit_result(sock, rec->tx_seq, rc);
	else if (rc != 0)
		w->counters.app_send_late++;
	if (dpt_sock_is_congested(w->socks, sock->port))
		atomic_store_explicit(&sock->shm->is_congested, 1, memory_order_relaxed);
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
	if (copy.hdr.kind != DPT_REC_SEND || bytes < sizeof(copy)) {
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

/* Who fills the pair so that the descriptor is not writable is helped by emptying it. */
static void
submit_pair_empty(struct served_sock *sock)
{
	char octets[4096];

	for (int i = 0; i < 64; i++)
		if (recv(sock->fd, octets, sizeof(octets), MSG_DONTWAIT) < (ssize_t)sizeof(octets))
			return;
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
		submit_pair_empty(sock);
		submit_wake(sock->shm);
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
