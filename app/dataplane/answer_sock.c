/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control's requests on sockets, on the worker's side. Contract: request.h.
 *
 *   request --> held until what was submitted before has gone out; CLOSE and SHUTDOWN of a
 *               connection also until the peer's window has room --> done --> answer
 *           bind, unbind: answered with BIND_DONE
 *
 * Timers here: ANSWER_LINGER_NS.
 */
#include <errno.h>

#include "dpt_stack.h"
#include "worker.h"

/* Src: 09-socket-api.md, 1, "shutdown/close wait for congestion". */
#define ANSWER_LINGER_NS UINT64_C(8000000000)

/* ---- the beginning of a socket ---- */

static struct served_sock *
answer_new(const struct request *req, uint32_t idx)
{
	return &req->served->socks[idx];
}

/* The stack knows the socket, with this struct as its cookie; now the application may. */
static void
answer_start(struct worker *w, struct served *s, const struct served_sock *init)
{
	struct served_sock *sock = &s->socks[init->idx];

	*sock = *init;
	sock->served = s;
	sock->shm = dpt_shm_sock_at(s->region, &s->layout, sock->idx);
	sock->is_open = true;
	memset((void *)sock->shm, 0, sizeof(*sock->shm));
	sock->shm->port = sock->port.ref;
	sock->shm->type = sock->type;
	/* The log's memory reads as zeroes (sockets.c): an unused one costs none. */
	dpt_log_init(&sock->log, dpt_shm_rx_log_at(s->region, &s->layout, sock->idx),
		     s->layout.rx_log_bytes, &sock->shm->rx_consumed);
	s->channels[sock->idx % DPT_SHM_CHANNELS].socks_cnt++;
	dpt_sock_account_set(w->socks, sock->port, &s->account);
	publish_sock(w, sock);
}

static int
answer_open(struct worker *w, struct request *req)
{
	struct served_sock init = {.idx = req->sock_idx, .fd = req->fd, .type = req->type};
	int rc = dpt_stack_socket(w->stack, req->type,
				  (uint64_t)(uintptr_t)answer_new(req, init.idx), &req->port);

	if (rc != 0)
		return rc;
	init.port = req->port;
	answer_start(w, req->served, &init);
	return 0;
}

static int
answer_pair(struct worker *w, struct request *req)
{
	struct served_sock a = {.idx = req->sock_idx, .fd = req->fd, .type = req->type};
	struct served_sock b = {.idx = req->other.sock_idx, .fd = req->other.fd, .type = req->type};
	int rc = dpt_stack_socket(w->stack, req->type, (uint64_t)(uintptr_t)answer_new(req, a.idx),
				  &a.port);

	if (rc != 0)
		return rc;
	rc = dpt_stack_socket(w->stack, req->type, (uint64_t)(uintptr_t)answer_new(req, b.idx),
			      &b.port);
	if (rc == 0) {
		rc = dpt_sock_pair(w->socks, a.port, b.port, w->now_ns);
		if (rc != 0)
			dpt_stack_close(w->stack, b.port, w->now_ns, &w->out);
	}
	if (rc != 0) {
		dpt_stack_close(w->stack, a.port, w->now_ns, &w->out);
		worker_events(w);
		return rc;
	}
	req->port = a.port;
	req->other.port = b.port;
	answer_start(w, req->served, &a);
	answer_start(w, req->served, &b);
	return 0;
}

static int
answer_accept(struct worker *w, struct request *req, const struct served_sock *listener)
{
	struct served_sock init = {
		.idx = req->other.sock_idx, .fd = req->other.fd, .type = listener->type};
	int rc = dpt_stack_accept(w->stack, listener->port,
				  (uint64_t)(uintptr_t)answer_new(req, init.idx), w->now_ns,
				  &init.port, &w->out);

	worker_events(w);
	if (rc != 0)
		return rc;
	req->other.port = init.port;
	dpt_sock_conn(w->socks, init.port, &req->conn);
	answer_start(w, req->served, &init);
	return 0;
}

/* ---- waiting for what came before ---- */

/* An earlier request for the same socket waits: this one comes behind it. */
static bool
answer_is_behind(const struct worker *w, const struct request *req, const struct served_sock *sock)
{
	return req->is_held ? sock->held_pass == w->held_pass : sock->held_cnt > 0;
}

/* Src: 09-socket-api.md, 17.1, step 1, and 28, line 9. */
static bool
answer_is_lingering(struct worker *w, struct request *req, struct served_sock *sock)
{
	if ((req->op != REQUEST_CLOSE && req->op != REQUEST_SHUTDOWN) ||
	    !served_sock_is_conn(sock) || dpt_sock_can_end(w->socks, sock->port))
		return false;
	/* The application has waited itself. */
	if (req->op == REQUEST_SHUTDOWN && req->bytes != 0)
		return false;
	/* The library has waited already. */
	if (req->op == REQUEST_SHUTDOWN && req->bytes != 0)
		return false;
	if (req->linger_ns == 0) {
		if (w->lingering_cnt == WORKER_LINGER_MAX) {
			w->counters.linger_refused++;
			return false;
		}
		req->linger_ns = w->now_ns + ANSWER_LINGER_NS;
		w->lingering_cnt++;
	}
	if (w->now_ns < req->linger_ns)
		return true;
	w->counters.linger_timeouts++;
	return false;
}

static bool
answer_has_to_wait(struct worker *w, struct request *req, struct served_sock *sock)
{
	if (sock->served->is_hostile)
		return false;
	if (!req->is_held)
		req->mark = submit_mark(sock);
	if (answer_is_behind(w, req, sock))
		return true;
	req->is_drained = req->is_drained || submit_drain(w, sock, req->mark);
	return !req->is_drained || answer_is_lingering(w, req, sock);
}

/*
 * What was submitted before the request goes out before it is done, however long a link is
 * congested: it was accepted. true: req is held. The names of a socket that closes go at once.
 */
static bool
answer_hold(struct worker *w, struct request *req, struct served_sock *sock)
{
	if (!answer_has_to_wait(w, req, sock)) {
		sock->held_cnt -= req->is_held;
		w->lingering_cnt -= req->linger_ns != 0;
		return false;
	}
	if (!req->is_held) {
		if (req->op == REQUEST_CLOSE)
			(void)dpt_stack_unbind_all(w->stack, sock->port, 0, w->now_ns, &w->out);
		sock->held_cnt++;
	}
	req->is_held = true;
	sock->held_pass = w->held_pass;
	STAILQ_INSERT_TAIL(&w->held, req, link);
	worker_events(w);
	return true;
}

void
answer_held(struct worker *w)
{
	struct request_list list = STAILQ_HEAD_INITIALIZER(list);
	struct request *req;

	w->held_pass++;
	STAILQ_CONCAT(&list, &w->held);
	while ((req = STAILQ_FIRST(&list)) != NULL) {
		int rc;

		STAILQ_REMOVE_HEAD(&list, link);
		rc = answer_sock(w, req);
		if (rc <= 0)
			answer_give(w, req, rc);
	}
}

/* ---- names ---- */

/* What the socket has bound, in the sum of its process. */
static void
answer_bindings(struct worker *w, struct served_sock *sock)
{
	struct dpt_sock_info info = {0};

	(void)dpt_sock_info(w->socks, sock->port, &info);
	sock->served->bindings_cnt += info.bindings_cnt - sock->bindings_cnt;
	sock->bindings_cnt = info.bindings_cnt;
}

void
answer_bind_done(struct worker *w, const struct dpt_event *event)
{
	struct request *req;

	STAILQ_FOREACH (req, &w->waiting, link) {
		if (req->id != event->cookie)
			continue;
		STAILQ_REMOVE(&w->waiting, req, request, link);
		answer_bindings(w, &req->served->socks[req->sock_idx]);
		answer_give(w, req, event->result);
		return;
	}
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

/* bind and unbind: 0 when the answer comes with BIND_DONE. */
static int
answer_bind(struct worker *w, struct request *req, struct served_sock *sock)
{
	struct dpt_bind_req bind;
	int rc;

	if (req->op == REQUEST_BIND && sock->served->bindings_cnt >= sock->served->bindings_max) {
		w->counters.app_bind_quota++;
		/* As for the node's own limit. Src: 09-socket-api.md, 5.1, row 11. */
		return -EINVAL;
	}
	req->id = ++w->request_id;
	bind = (struct dpt_bind_req){.range = req->range,
				     .scope = req->scope,
				     .cookie = req->id,
				     .is_sync = req->is_sync};
	STAILQ_INSERT_TAIL(&w->waiting, req, link);
	if (req->op == REQUEST_BIND)
		rc = dpt_stack_bind(w->stack, sock->port, &bind, w->now_ns, &w->out);
	else if (req->op == REQUEST_UNBIND)
		rc = dpt_stack_unbind(w->stack, sock->port, &bind, w->now_ns, &w->out);
	else
		rc = dpt_stack_unbind_all(w->stack, sock->port, req->id, w->now_ns, &w->out);
	if (rc != 0)
		STAILQ_REMOVE(&w->waiting, req, request, link);
	/* Counted at once: a barrier may take its time. */
	answer_bindings(w, sock);
	worker_events(w);
	return rc;
}

/* ---- the end ---- */

static void
answer_close(struct worker *w, struct served_sock *sock)
{
	deliver_close(w, sock);
	dpt_stack_close(w->stack, sock->port, w->now_ns, &w->out);
	worker_events(w);
	answer_close_waiting(w, sock);
	sock->served->bindings_cnt -= sock->bindings_cnt;
	atomic_store_explicit(&sock->shm->is_closed, 1, memory_order_release);
	sock->is_open = false;
	sock->served->channels[sock->idx % DPT_SHM_CHANNELS].socks_cnt--;
}

static int
answer_shutdown(struct worker *w, struct request *req, struct served_sock *sock)
{
	/* What was read is not returned. */
	(void)deliver_poll(w);
	if (!deliver_receipts(w, sock))
		return -EPROTO; /* found hostile at the next look */
	deliver_last(w, sock);
	dpt_stack_shutdown(w->stack, sock->port, w->now_ns, &w->out);
	req->position = deliver_shut(sock);
	worker_events(w);
	publish_sock(w, sock);
	deliver_hang_up(w, sock);
	return 0;
}

static int
answer_listen(struct worker *w, struct served_sock *sock)
{
	int rc = dpt_sock_listen(w->socks, sock->port);

	if (rc == 0)
		publish_sock(w, sock);
	return rc;
}

static int
answer_in_order(struct worker *w, struct request *req, struct served_sock *sock)
{
	int rc;

	switch (req->op) {
	case REQUEST_CLOSE:
		answer_close(w, sock);
		return 0;
	case REQUEST_SHUTDOWN:
		return answer_shutdown(w, req, sock);
	case REQUEST_LISTEN:
		return answer_listen(w, sock);
	case REQUEST_ACCEPT:
		return answer_accept(w, req, sock);
	case REQUEST_NODELAY:
		rc = dpt_sock_nodelay_set(w->socks, sock->port, req->bytes != 0);
		publish_sock(w, sock);
		return rc;
	default:
		rc = answer_bind(w, req, sock);
		return rc == 0 ? 1 : rc;
	}
}

int
answer_sock(struct worker *w, struct request *req)
{
	struct served_sock *sock = &req->served->socks[req->sock_idx];

	if (req->op == REQUEST_OPEN)
		return answer_open(w, req);
	if (req->op == REQUEST_PAIR)
		return answer_pair(w, req);
	if (!sock->is_open)
		return -EBADF;
	if (req->op == REQUEST_RCVBUF)
		return dpt_sock_rcvbuf_set(w->socks, sock->port, req->bytes);
	if (req->op == REQUEST_RECVQ) {
		if (!deliver_receipts(w, sock))
			return -EPROTO; /* found hostile at the next look */
		return dpt_sock_info(w->socks, sock->port, &req->info);
	}
	if (answer_hold(w, req, sock))
		return 1;
	return answer_in_order(w, req, sock);
}
