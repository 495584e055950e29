/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Writing records into submission logs.
 *
 * Cache lines of a record that nobody waits for: the record's, and reads of lines that dptipcd
 * rarely writes (worker_sleeps; the caller's is_congested, route_gen).
 */

#include "client_priv.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Tries of record_put_word before it leaves the matter to a dptipcd that has not moved since. */
#define WORD_TRIES 1000

void
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

void
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

void
channel_close(const struct sock *s, struct channel *ch)
{
	ch->shm->tx_pos = ch->log.pos;
	ch->mine->limit = ch->log.limit;
	lock_release(s->att, &ch->mine->lock, ch->lock);
}

static void
iov_copy(uint8_t *to, const struct record *rec)
{
	size_t i, skip = rec->skip, left = rec->bytes;

	for (i = 0; i < rec->iov_cnt && left; i++) {
		const uint8_t *from = rec->iov[i].iov_base;
		size_t part = rec->iov[i].iov_len;

		if (part <= skip) {
			skip -= part;
			continue;
		}
		part -= skip;
		if (part > left)
			part = left;
		memcpy(to, from + skip, part);
		skip = 0;
		to += part;
		left -= part;
	}
}

/* What the record says of TIPC_CONN_TIMEOUT: 0 would be the default there. */
static uint32_t
conn_timeout_ms(const struct client_opt *opt)
{
	uint32_t ms = atomic_load_explicit(&opt->conn_timeout_ms, memory_order_relaxed);

	return ms ? ms : 1;
}

void
record_head(const struct sock *s, struct dpt_rec_send *to, const struct record *rec)
{
	const struct client_opt *opt = client_opt(s);
	uint8_t flags = rec->flags;

	if (atomic_load_explicit(&opt->is_dest_droppable, memory_order_relaxed))
		flags |= DPT_REC_F_DEST_DROPPABLE;
	if (atomic_load_explicit(&opt->is_src_droppable, memory_order_relaxed))
		flags |= DPT_REC_F_SRC_DROPPABLE;
	to->hdr.importance = atomic_load_explicit(&opt->importance, memory_order_relaxed);
	to->hdr.flags = flags;
	to->hdr.errcode = 0;
	to->hdr.sock_idx = s->idx;
	to->addrtype = (uint8_t)rec->dest->addrtype;
	memcpy(to->addr, rec->dest->addr, sizeof(to->addr));
	to->tx_seq = client_tx(s)->seq;
	to->conn_timeout_ms = 0;
	if (rec->dest->addrtype)
		to->conn_timeout_ms = conn_timeout_ms(opt);
}

bool
record_put(const struct sock *s, const struct record *rec)
{
	const uint32_t bytes = (uint32_t)sizeof(struct dpt_rec_send) + rec->bytes;
	struct dpt_rec_send *to;
	struct channel ch;

	channel_open(s, &ch);
	to = dpt_log_reserve(&ch.log, bytes);
	if (to) {
		record_head(s, to, rec);
		iov_copy(to->payload, rec);
		dpt_log_commit(&ch.log, to, rec->kind, bytes);
	}
	channel_close(s, &ch);
	return to != NULL;
}

int
record_put_word(const struct sock *s, uint8_t kind)
{
	struct dpt_rec_hdr *rec = NULL;
	struct channel ch;
	int i;

	for (i = 0; i < WORD_TRIES && !rec; i++) {
		channel_open(s, &ch);
		rec = dpt_log_reserve(&ch.log, sizeof(*rec));
		if (rec) {
			rec->importance = rec->flags = rec->errcode = 0;
			rec->sock_idx = s->idx;
			dpt_log_commit(&ch.log, rec, kind, sizeof(*rec));
		}
		channel_close(s, &ch);
		doorbell_ring(s->att);
		if (!rec)
			sched_yield();
	}
	return rec ? 0 : -EAGAIN;
}
