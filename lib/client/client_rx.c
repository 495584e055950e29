/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reading a receive log. How the descriptor becomes readable and quiet again is drawn in
 * dpt_shm.h; what is read of a connection is told soon, as the peer waits for it.
 */

#include "client_priv.h"
#include "dpt_client.h"

#include <errno.h>
#include <sched.h>

/* Looks for a byte that dptipcd is just writing. */
#define BYTE_TRIES 1000
/*
 * What was read of a connection is told after so many messages or lines, and when the log is
 * empty. Our choice: a small part of the window that a socket has by default, 128 blocks or more.
 */
#define TELL_MSGS  8
#define TELL_LINES 16

static void
rx_log(const struct sock *s, struct dpt_log *log)
{
	dpt_log_init(log, dpt_shm_rx_log_at(s->att->region, &s->att->layout, s->idx),
		     s->att->layout.rx_log_bytes, &s->shm->rx_consumed);
	log->pos = s->shm->rx_pos;
	log->published = atomic_load_explicit(&s->shm->rx_consumed, memory_order_relaxed);
}

void
rx_open(const struct sock *s, struct rx *rx)
{
	rx->s = s;
	/* A process that died inside has at worst taken a message without telling: read again. */
	rx->lock = lock_take(s->att, client_rx_lock(s));
	rx_log(s, &rx->log);
}

void
rx_close(struct rx *rx)
{
	rx->s->shm->rx_pos = rx->log.pos;
	lock_release(rx->s->att, client_rx_lock(rx->s), rx->lock);
}

static void
publish(struct rx *rx)
{
	struct dpt_shm_sock *shm = rx->s->shm;

	if (rx->log.published == rx->log.pos)
		return;
	atomic_store_explicit(&shm->rx_msgs, shm->rx_read, memory_order_release);
	dpt_log_publish(&rx->log);
	/* A worker that sleeps does not see receipts, and the peer may wait for them. */
	if (sock_is_conn_type(rx->s))
		doorbell_ring(rx->s->att);
}

/* A2 to A4 of dpt_shm.h. A descriptor that was closed meanwhile is left alone. */
static void
byte_take(const struct sock *s)
{
	_Atomic uint32_t *is_signalled = &s->shm->is_signalled;
	ssize_t got;
	uint8_t byte;
	int i;

	/* seq_cst: S1 and S2 of the dataplane are as well. */
	for (i = 0; i < BYTE_TRIES && atomic_load(is_signalled); i++) {
		if (!table_is_current(s))
			return;
		got = recv(s->fd, &byte, 1, MSG_DONTWAIT);
		if (got == 1)
			atomic_store(is_signalled, 0);
		if (got >= 0)
			return;
		sched_yield();
	}
}

void
rx_settle(struct rx *rx)
{
	publish(rx);
	dpt_shm_fence();
	if (!atomic_load_explicit(&rx->s->shm->is_signalled, memory_order_relaxed))
		return;
	byte_take(rx->s);
	dpt_shm_fence();
	if (!dpt_log_is_empty(&rx->log))
		record_put_word(rx->s, DPT_REC_SIGNAL);
}

/* A window that the application has chosen may be small: each message counts. */
static bool
is_time_to_tell(const struct rx *rx)
{
	return sock_is_conn_type(rx->s) &&
	       (rx->s->shm->rx_read % TELL_MSGS == 0 ||
		rx->log.pos - rx->log.published >= TELL_LINES ||
		atomic_load_explicit(&client_opt(rx->s)->is_rcvbuf_set, memory_order_relaxed));
}

void
rx_consume(struct rx *rx, uint32_t bytes)
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
		rx_settle(rx);
	else if (is_time_to_tell(rx))
		publish(rx);
}

enum rx_look
rx_look(struct rx *rx, struct message *m)
{
	uint32_t head = DPT_REC_DATA_BYTES;
	int error;

	m->rec = dpt_log_peek(&rx->log, DPT_REC_DATA_BYTES, &m->rec_bytes, &error);
	if (!m->rec)
		return error ? RX_BROKEN : RX_NONE;
	if (m->rec->hdr.kind == DPT_REC_SYN)
		return RX_SYN;
	m->has_name = m->rec->msg_type & DPT_REC_DATA_HAS_NAME;
	if (m->has_name)
		head = DPT_REC_DATA_NAME_BYTES;
	if (m->rec->hdr.kind != DPT_REC_DATA || m->rec_bytes < head)
		return RX_BROKEN;
	m->payload = (const uint8_t *)m->rec + head;
	m->bytes = m->rec_bytes - head;
	m->is_end = m->rec->hdr.errcode && sock_is_conn_type(rx->s);
	return RX_DATA;
}

bool
rx_has(const struct sock *s)
{
	struct rx rx;
	bool has;

	rx_open(s, &rx);
	has = !dpt_log_is_empty(&rx.log);
	rx_close(&rx);
	return has;
}

int
dpt_client_has_unread(int fd)
{
	struct sock s;

	return table_find(fd, &s) == 0 && rx_has(&s);
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

int
recv_queue(const struct sock *s, uint32_t *msgs, uint32_t *charge)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_RECVQ, .arg = {s->idx}};
	enum lock_state lock = lock_take(s->att, client_rx_lock(s));
	int rc;

	/* What was read is not queued any more, so dptipcd has to know of it first. */
	recv_publish(s);
	rc = attach_request(s->att, &msg, NULL) < 0 ? errno : 0;
	lock_release(s->att, client_rx_lock(s), lock);
	*msgs = msg.arg[0];
	*charge = msg.arg[1];
	return rc;
}
