/* SPDX-License-Identifier: BSD-3-Clause */
/* Control's requests, on the worker's side. Contract: request.h. */
#include <errno.h>
#include <sys/socket.h>

#include "dpt_stack.h"
#include "worker.h"

static void
answer_give(struct worker *w, struct request *req, int rc)
{
	req->result = rc;
	/* Never full: control bounds what is under way (control.c). */
	rte_ring_sp_enqueue(w->answers, req);
	w->has_answers = true;
}

void
answer_hostile(struct worker *w, struct served *s)
{
	if (s->is_hostile)
		return;
	s->is_hostile = true;
	s->hostile.op = REQUEST_HOSTILE;
	s->hostile.served = s;
	answer_give(w, &s->hostile, 0);
}

void
answer_bind_done(struct worker *w, const struct dpt_event *event)
{
	struct request *req;

	STAILQ_FOREACH (req, &w->waiting, link) {
		if (req->id != event->cookie)
			continue;
		STAILQ_REMOVE(&w->waiting, req, request, link);
		answer_give(w, req, event->result);
		return;
	}
}

static void
answer_attach(struct worker *w, struct served *s)
{
	for (uint32_t i = 0; i < DPT_SHM_CHANNELS; i++)
		dpt_log_init(&s->channels[i].log, dpt_shm_channel_log_at(s->region, &s->layout, i),
			     s->layout.channel_bytes,
			     &dpt_shm_channel_at(s->region, &s->layout, i)->consumed);
	atomic_store_explicit(&s->hdr->own_node, dpt_stack_own(w->stack).value,
			      memory_order_relaxed);
	atomic_store_explicit(&s->hdr->route_gen, dpt_stack_route_gen(w->stack),
			      memory_order_release);
	s->is_attached = true;
	TAILQ_INSERT_TAIL(&w->served, s, link);
}

static int
answer_open(struct worker *w, struct request *req)
{
	struct served *s = req->served;
	struct served_sock *sock = &s->socks[req->sock_idx];
	int rc = dpt_stack_socket(w->stack, req->type, (uint64_t)(uintptr_t)sock, &req->port);

	if (rc != 0)
		return rc;
	*sock = (struct served_sock){
		.served = s,
		.shm = dpt_shm_sock_at(s->region, &s->layout, req->sock_idx),
		.port = req->port,
		.idx = req->sock_idx,
		.fd = req->fd,
		.is_open = true,
	};
	memset((void *)sock->shm, 0, sizeof(*sock->shm));
	sock->shm->port = req->port.ref;
	sock->shm->type = req->type;
	dpt_log_init(&sock->log, dpt_shm_rx_log_at(s->region, &s->layout, sock->idx),
		     s->layout.rx_log_bytes, &sock->shm->rx_consumed);
	dpt_log_reset(&sock->log);
	s->channels[sock->idx % DPT_SHM_CHANNELS].socks_cnt++;
	return 0;
}

/* Requests that wait for the socket's BIND_DONE: it may never come now. */
static void
answer_close_waiting(struct worker *w, const struct served_sock *sock)
{
	struct request *req, *next;

	for (req = STAILQ_FIRST(&w->waiting); req != NULL; req = next) {
		next = STAILQ_NEXT(req, link);
		if (req->served != sock->served || req->sock_idx != sock->idx)
			continue;
		STAILQ_REMOVE(&w->waiting, req, request, link);
		answer_give(w, req, -EBADF);
	}
}

/* An earlier request for the same socket waits: this one comes behind it. */
static bool
answer_is_behind(const struct worker *w, const struct request *req)
{
	const struct request *held;

	STAILQ_FOREACH (held, &w->held, link)
		if (held->served == req->served && held->sock_idx == req->sock_idx)
			return true;
	return false;
}

/*
 * What was submitted before the request goes out before it is done, however long a link is
 * congested: it was accepted. true: req is held. The names of a socket that closes go at once.
 */
static bool
answer_hold(struct worker *w, struct request *req, struct served_sock *sock)
{
	if (sock->served->is_hostile)
		return false;
	if (!req->is_held)
		req->mark = submit_mark(sock);
	if (!answer_is_behind(w, req) && submit_drain(w, sock, req->mark))
		return false;
	if (!req->is_held && req->op == REQUEST_CLOSE)
		(void)dpt_stack_unbind_all(w->stack, sock->port, 0, w->now_ns, &w->out);
	req->is_held = true;
	STAILQ_INSERT_TAIL(&w->held, req, link);
	worker_events(w);
	return true;
}

static void
answer_close(struct worker *w, struct served_sock *sock)
{
	deliver_close(w, sock);
	dpt_stack_close(w->stack, sock->port, w->now_ns, &w->out);
	worker_events(w);
	answer_close_waiting(w, sock);
	atomic_store_explicit(&sock->shm->is_closed, 1, memory_order_release);
	sock->is_open = false;
	sock->served->channels[sock->idx % DPT_SHM_CHANNELS].socks_cnt--;
}

/* bind and unbind: 0 when the answer comes with BIND_DONE. */
static int
answer_bind(struct worker *w, struct request *req, struct dpt_port port)
{
	struct dpt_bind_req bind;
	int rc;

	req->id = ++w->request_id;
	bind = (struct dpt_bind_req){.range = req->range, .scope = req->scope, .cookie = req->id};
	STAILQ_INSERT_TAIL(&w->waiting, req, link);
	if (req->op == REQUEST_BIND)
		rc = dpt_stack_bind(w->stack, port, &bind, w->now_ns, &w->out);
	else if (req->op == REQUEST_UNBIND)
		rc = dpt_stack_unbind(w->stack, port, &bind, w->now_ns, &w->out);
	else
		rc = dpt_stack_unbind_all(w->stack, port, req->id, w->now_ns, &w->out);
	if (rc != 0)
		STAILQ_REMOVE(&w->waiting, req, request, link);
	worker_events(w);
	return rc;
}

/* Requests that concern an open socket. Returns 1: answered later. */
static int
answer_sock(struct worker *w, struct request *req)
{
	struct served_sock *sock = &req->served->socks[req->sock_idx];
	int rc;

	if (!sock->is_open)
		return -EBADF;
	if (req->op == REQUEST_RCVBUF)
		return dpt_sock_rcvbuf_set(w->socks, sock->port, req->bytes);
	if (answer_hold(w, req, sock))
		return 1;
	switch (req->op) {
	case REQUEST_CLOSE:
		answer_close(w, sock);
		return 0;
	case REQUEST_SHUTDOWN:
		/* What was read is not returned. */
		(void)deliver_poll(w);
		if (!deliver_receipts(w, sock))
			return -EPROTO; /* found hostile at the next look */
		dpt_stack_shutdown(w->stack, sock->port, w->now_ns, &w->out);
		req->position = deliver_shut(sock);
		/* For ever readable; our end goes on to tell when the last copy is closed. */
		shutdown(sock->fd, SHUT_WR);
		worker_events(w);
		return 0;
	default:
		rc = answer_bind(w, req, sock->port);
		return rc == 0 ? 1 : rc;
	}
}

static int
answer_bearer(struct worker *w, const struct request *req)
{
	int rc = 0;

	if (req->op == REQUEST_BEARER_UP)
		rc = dpt_stack_bearer_up(w->stack, &req->bearer, w->now_ns, &w->out);
	else
		dpt_stack_bearer_down(w->stack, req->bearer.bearer_id, w->now_ns, &w->out);
	worker_events(w);
	return rc;
}

static int
answer_link_set(struct worker *w, const struct request *req)
{
	int rc = dpt_stack_link_props_set(w->stack, req->bearer.bearer_id, req->node, &req->props,
					  w->now_ns, &w->out);

	worker_events(w);
	return rc;
}

static int
answer_one(struct worker *w, struct request *req)
{
	switch (req->op) {
	case REQUEST_ATTACH:
		answer_attach(w, req->served);
		return 0;
	case REQUEST_DETACH:
		TAILQ_REMOVE(&w->served, req->served, link);
		return 0;
	case REQUEST_OPEN:
		return answer_open(w, req);
	case REQUEST_BEARER_UP:
	case REQUEST_BEARER_DOWN:
		return answer_bearer(w, req);
	case REQUEST_LINK_SET:
		return answer_link_set(w, req);
	case REQUEST_DUMP:
		dump_chunk(w, req->chunk);
		return 0;
	case REQUEST_STOP:
		w->is_stopped = true;
		return 0;
	case REQUEST_HOSTILE:
		return 0;
	default:
		return answer_sock(w, req);
	}
}

/* Those that wait for what was submitted before, once more. */
static void
answer_held(struct worker *w)
{
	struct request_list list = STAILQ_HEAD_INITIALIZER(list);
	struct request *req;

	STAILQ_CONCAT(&list, &w->held);
	while ((req = STAILQ_FIRST(&list)) != NULL) {
		int rc;

		STAILQ_REMOVE_HEAD(&list, link);
		rc = answer_sock(w, req);
		if (rc <= 0)
			answer_give(w, req, rc);
	}
}

uint32_t
answer_poll(struct worker *w)
{
	void *reqs[WORKER_BURST];
	unsigned int cnt;

	if (unlikely(!STAILQ_EMPTY(&w->held)))
		answer_held(w);
	cnt = rte_ring_sc_dequeue_burst(w->requests, reqs, WORKER_BURST, NULL);
	for (unsigned int i = 0; i < cnt; i++) {
		int rc = answer_one(w, reqs[i]);

		if (rc <= 0)
			answer_give(w, reqs[i], rc);
	}
	return cnt;
}
