/* SPDX-License-Identifier: BSD-3-Clause */
/* An attachment: its region, its requests. Contract: attach.h. */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dpt_msg.h"

/* Submission log. Our choice: a quarter of it is what a worker leaves unreported, and eight
 * of the largest messages fit. */
#define ATTACH_CHANNEL_BYTES (512u << 10)

/* ---- the end ---- */

/* What a region holds beside the struct. It may be half made. */
static void
attach_region_free(struct attach *a)
{
	struct control *control = a->control;

	if (a->served.region != NULL) {
		/* The application may hold a copy, which would keep it watched. */
		epoll_ctl(control->workers[a->worker].epoll_fd, EPOLL_CTL_DEL, a->doorbell, NULL);
		munmap(a->served.region, a->region_bytes);
	}
	if (a->memfd >= 0)
		close(a->memfd);
	if (a->doorbell >= 0)
		close(a->doorbell);
	control_free_later(control, &a->socks_garbage, a->socks);
	free(a->served.socks);
}

static void
attach_free(struct attach *a)
{
	struct control *control = a->control;

	sock_walk_attach_gone(control, a);
	TAILQ_REMOVE(&control->attaches, a, link);
	control->attaches_cnt--;
	control->of[a->worker].attaches_cnt--;
	attach_region_free(a);
	control_free_later(control, &a->garbage, a);
}

static void
attach_detached(struct request *req)
{
	attach_free(req->owner);
}

void
attach_check_end(struct attach *a)
{
	if (a->conns_cnt > 0 || a->socks_cnt > 0 || a->state != ATTACH_SERVED)
		return;
	a->state = ATTACH_LEAVING;
	a->req = (struct request){
		.op = REQUEST_DETACH, .served = &a->served, .done = attach_detached, .owner = a};
	control_ask(a->control, a->worker, &a->req);
}

static void
attach_conns_close(struct attach *a)
{
	struct conn *conn, *next;

	for (conn = TAILQ_FIRST(&a->control->conns); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, link);
		if (conn->attach != a)
			continue;
		conn_close(conn);
		conn_check_end(conn);
	}
}

/* The worker's word: this process broke a rule of the region. */
static void
attach_hostile(struct request *req)
{
	struct attach *a = req->served->attach;

	a->control->hostile_attaches++;
	a->is_thrown_out = true;
	sockets_close_all(a);
	attach_conns_close(a);
}

/* ---- HELLO ---- */

static void
attach_hello_done(struct request *req)
{
	struct conn *conn = req->owner;
	struct attach *a = conn->attach;
	int fds[2] = {a->memfd, a->doorbell};

	a->state = ATTACH_SERVED;
	conn->msg.arg[0] = DPT_SHM_ABI_VERSION;
	conn->msg.arg[1] = (uint32_t)a->region_bytes;
	conn->msg.arg[3] = (uint32_t)(a->region_bytes >> 32);
	conn_answer(conn, 0, fds, 2);
}

static int
attach_region(struct attach *a)
{
	const struct args *args = a->control->args;
	struct served *s = &a->served;
	int rc = dpt_shm_layout_init(&s->layout, (uint32_t)args->region_sockets,
				     ATTACH_CHANNEL_BYTES, (uint32_t)args->rx_log_kib * 1024);

	if (rc != 0)
		return rc;
	a->region_bytes = s->layout.region_bytes;
	a->memfd = memfd_create("dptipc-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (a->memfd < 0 || ftruncate(a->memfd, (off_t)a->region_bytes) != 0 ||
	    fcntl(a->memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return -errno;
	a->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* Untouched until used: what a process may open costs nothing. */
	a->socks = calloc(s->layout.socks_cnt, sizeof(*a->socks));
	s->socks = calloc(s->layout.socks_cnt, sizeof(*s->socks));
	if (a->doorbell < 0 || a->socks == NULL || s->socks == NULL)
		return -ENOMEM;
	s->region = mmap(NULL, a->region_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, a->memfd, 0);
	if (s->region == MAP_FAILED) {
		s->region = NULL;
		return -errno;
	}
	dpt_shm_region_init(s->region, &s->layout);
	s->hdr = s->region;
	return 0;
}

/* Half of the pool by default: one process that reads nothing leaves the others as much. */
static uint64_t
attach_memory_max(const struct args *args)
{
	if (args->process_kib != 0)
		return args->process_kib * 1024;
	return args->mbufs / 2 * dpt_sock_charge_min();
}

static struct attach *
attach_new(struct conn *conn, int *rc)
{
	struct control *control = conn->control;
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	struct attach *a = calloc(1, sizeof(*a));

	*rc = -ENOMEM;
	if (a == NULL)
		return NULL;
	a->control = control;
	a->uid = conn->uid;
	a->pid = conn->pid;
	memcpy(a->program, conn->program, sizeof(a->program));
	a->memfd = -1;
	a->doorbell = -1;
	for (uint8_t i = 1; i < control->workers_cnt; i++)
		if (control->of[i].attaches_cnt < control->of[a->worker].attaches_cnt)
			a->worker = i;
	*rc = attach_region(a);
	if (*rc == 0 && epoll_ctl(control->workers[a->worker].epoll_fd, EPOLL_CTL_ADD, a->doorbell,
				  &event) != 0)
		*rc = -errno;
	if (*rc != 0) {
		attach_region_free(a);
		control_free_later(control, &a->garbage, a);
		return NULL;
	}
	a->served.attach = a;
	a->served.bindings_max = (uint32_t)control->args->process_bindings;
	a->served.account.charge_max = attach_memory_max(control->args);
	a->served.hostile.done = attach_hostile;
	TAILQ_INSERT_TAIL(&control->attaches, a, link);
	control->attaches_cnt++;
	control->of[a->worker].attaches_cnt++;
	return a;
}

/* What HELLO and ADOPT have in common. Returns false when that was the answer. */
static bool
attach_may(struct conn *conn)
{
	if (conn->attach != NULL) {
		conn_answer(conn, EISCONN, NULL, 0);
		return false;
	}
	if (conn->msg.arg[0] != DPT_SHM_ABI_VERSION) {
		conn->msg.arg[0] = DPT_SHM_ABI_VERSION;
		conn_answer(conn, EPROTONOSUPPORT, NULL, 0);
		return false;
	}
	if (conn->refusal == 0)
		return true;
	conn->control->refused_attaches++;
	conn_answer(conn, conn->refusal, NULL, 0);
	if (conn->fd >= 0)
		shutdown(conn->fd, SHUT_RDWR);
	return false;
}

static void
attach_hello(struct conn *conn)
{
	struct control *control = conn->control;
	int rc = -EUSERS;

	if (!attach_may(conn))
		return;
	if (control->attaches_cnt < CONTROL_ATTACHES_MAX)
		conn->attach = attach_new(conn, &rc);
	if (conn->attach == NULL) {
		control->refused_attaches += rc == -EUSERS;
		conn_answer(conn, -rc, NULL, 0);
		if (conn->fd >= 0)
			shutdown(conn->fd, SHUT_RDWR);
		return;
	}
	conn->attach->conns_cnt++;
	conn->req = (struct request){.op = REQUEST_ATTACH,
				     .served = &conn->attach->served,
				     .done = attach_hello_done,
				     .owner = conn};
	control_ask(control, conn->attach->worker, &conn->req);
}

/* ---- ADOPT: doc/decisions/0016-adopted-sockets.md ---- */

static void
attach_adopt(struct conn *conn)
{
	struct attach_sock *sock;
	struct attach *a;
	int fds[2];

	if (!attach_may(conn))
		return;
	sock = conn->msg_fd >= 0 ? sockets_of_fd(conn->control, conn->msg_fd) : NULL;
	if (sock == NULL || sock->attach->is_thrown_out) {
		conn_answer(conn, ENOENT, NULL, 0);
		return;
	}
	a = sock->attach;
	if (conn->uid != a->uid) {
		conn->control->refused_attaches++;
		conn_answer(conn, EACCES, NULL, 0);
		return;
	}
	if (a->conns_cnt == 0) {
		a->pid = conn->pid;
		memcpy(a->program, conn->program, sizeof(a->program));
	}
	conn->attach = a;
	a->conns_cnt++;
	conn->control->adoptions++;
	conn->msg.arg[0] = DPT_SHM_ABI_VERSION;
	conn->msg.arg[1] = (uint32_t)a->region_bytes;
	conn->msg.arg[2] = sock->idx;
	conn->msg.arg[3] = (uint32_t)(a->region_bytes >> 32);
	fds[0] = a->memfd;
	fds[1] = a->doorbell;
	conn_answer(conn, 0, fds, 2);
}

/* ---- requests that concern a socket ---- */

static void
attach_sock_done(struct request *req)
{
	struct conn *conn = req->owner;

	if (req->op == REQUEST_SHUTDOWN) {
		conn->msg.arg[1] = (uint32_t)req->position;
		conn->msg.arg[2] = (uint32_t)(req->position >> 32);
	} else if (req->op == REQUEST_RECVQ) {
		conn->msg.arg[0] = req->info.queued_msgs;
		conn->msg.arg[1] = req->info.queued_bytes;
	}
	conn_answer(conn, -req->result, NULL, 0);
}

static bool
attach_has_sock(const struct attach *a, uint32_t idx)
{
	return a != NULL && a->state == ATTACH_SERVED && idx < a->served.layout.socks_cnt &&
	       a->socks[idx].is_open && !a->socks[idx].is_closing;
}

static void
attach_sock_ask(struct conn *conn, enum request_op op)
{
	struct attach *a = conn->attach;
	const uint32_t *arg = conn->msg.arg;

	if (!attach_has_sock(a, arg[0])) {
		conn_answer(conn, EBADF, NULL, 0);
		return;
	}
	conn->req = (struct request){
		.op = op,
		.served = &a->served,
		.sock_idx = arg[0],
		.range = {.type = arg[1], .lower = arg[2], .upper = arg[3]},
		/* Src: 09-socket-api.md, 1: 0 and the old zone scope mean cluster. */
		.scope = (arg[4] & ~DPT_ATTACH_BIND_SYNC) == DPT_SCOPE_NODE ? DPT_SCOPE_NODE
									    : DPT_SCOPE_CLUSTER,
		.is_sync = op == REQUEST_BIND && (arg[4] & DPT_ATTACH_BIND_SYNC) != 0,
		.bytes = arg[1],
		.done = attach_sock_done,
		.owner = conn,
	};
	control_ask(a->control, a->worker, &conn->req);
}

/*
 * A descriptor that was closed before the request was sent hung up before it: epoll gives both
 * in that order, and the worker's ring keeps it.
 */
static void
attach_sync(struct conn *conn)
{
	if (conn->attach == NULL || conn->attach->state != ATTACH_SERVED) {
		conn_answer(conn, ENOTCONN, NULL, 0);
		return;
	}
	conn->req = (struct request){
		.op = REQUEST_SYNC,
		.served = &conn->attach->served,
		.done = attach_sock_done,
		.owner = conn,
	};
	control_ask(conn->control, conn->attach->worker, &conn->req);
}

/* ---- what the node knows of another ---- */

static void
attach_link_name_done(struct request *req)
{
	struct conn *conn = req->owner;

	conn_answer_note(conn, -req->result, req->result == 0 ? conn->note : "");
}

static void
attach_node_id_done(struct request *req)
{
	struct conn *conn = req->owner;

	if (req->result == 0)
		memcpy(conn->msg.arg, &req->node_id, sizeof(req->node_id));
	conn_answer(conn, -req->result, NULL, 0);
}

/* Src: 09-socket-api.md, 20. */
static void
attach_node_ask(struct conn *conn, enum request_op op, void (*done)(struct request *req))
{
	struct control *control = conn->control;
	struct dpt_node_addr node = dpt_node_addr(conn->msg.arg[0]);

	if (conn->attach == NULL) {
		conn_answer(conn, ENOTCONN, NULL, 0);
		return;
	}
	if (op == REQUEST_LINK_NAME && conn->msg.arg[1] >= DPT_BEARERS_MAX) {
		conn_answer_note(conn, EADDRNOTAVAIL, "");
		return;
	}
	conn->req = (struct request){.op = op,
				     .node = node,
				     .bearer.bearer_id = (uint8_t)conn->msg.arg[1],
				     .text = conn->note,
				     .bytes = sizeof(conn->note),
				     .done = done,
				     .owner = conn};
	/* (a node's shard follows from its address and what does not change) */
	control_ask(control, dpt_stack_shard_of(control->workers[0].stack, node), &conn->req);
}

void
attach_request(struct conn *conn)
{
	static const enum request_op of_sock[] = {
		[DPT_ATTACH_BIND] = REQUEST_BIND,
		[DPT_ATTACH_UNBIND] = REQUEST_UNBIND,
		[DPT_ATTACH_UNBIND_ALL] = REQUEST_UNBIND_ALL,
		[DPT_ATTACH_SHUTDOWN] = REQUEST_SHUTDOWN,
		[DPT_ATTACH_RCVBUF] = REQUEST_RCVBUF,
		[DPT_ATTACH_LISTEN] = REQUEST_LISTEN,
		[DPT_ATTACH_NODELAY] = REQUEST_NODELAY,
		[DPT_ATTACH_RECVQ] = REQUEST_RECVQ,
	};
	uint32_t op = conn->msg.op;

	if (op < sizeof(of_sock) / sizeof(of_sock[0]) && of_sock[op] != 0) {
		attach_sock_ask(conn, of_sock[op]);
		return;
	}
	switch ((enum dpt_attach_op)op) {
	case DPT_ATTACH_HELLO:
		attach_hello(conn);
		return;
	case DPT_ATTACH_ADOPT:
		attach_adopt(conn);
		return;
	case DPT_ATTACH_SOCKET:
		sockets_open(conn);
		return;
	case DPT_ATTACH_ACCEPT:
		if (attach_has_sock(conn->attach, conn->msg.arg[0]))
			sockets_accept(conn);
		else
			conn_answer(conn, EBADF, NULL, 0);
		return;
	case DPT_ATTACH_PAIR:
		sockets_pair(conn);
		return;
	case DPT_ATTACH_INFO:
		mgmt_begin(conn);
		return;
	case DPT_ATTACH_LINK_SET:
		link_set_begin(conn);
		return;
	case DPT_ATTACH_LINK_NAME:
		attach_node_ask(conn, REQUEST_LINK_NAME, attach_link_name_done);
		return;
	case DPT_ATTACH_SYNC:
		attach_sync(conn);
		return;
	case DPT_ATTACH_NETLINK:
		netlink_begin(conn);
		return;
	case DPT_ATTACH_NODE_ID:
		attach_node_ask(conn, REQUEST_NODE_ID, attach_node_id_done);
		return;
	default:
		conn_answer(conn, EOPNOTSUPP, NULL, 0);
	}
}

/* ---- the end of dptipcd ---- */

void
attach_stop_all(struct control *control)
{
	struct attach *a, *next;
	struct conn *conn, *conn_next;

	for (conn = TAILQ_FIRST(&control->conns); conn != NULL; conn = conn_next) {
		conn_next = TAILQ_NEXT(conn, link);
		if (conn->attach != NULL)
			atomic_store_explicit(&conn->attach->served.hdr->is_down, 1,
					      memory_order_seq_cst);
		conn_close(conn);
		conn_check_end(conn);
	}
	for (a = TAILQ_FIRST(&control->attaches); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		atomic_store_explicit(&a->served.hdr->is_down, 1, memory_order_seq_cst);
		sockets_close_all(a);
	}
}

void
attach_free_all(struct control *control)
{
	struct attach *a;
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&control->conns)) != NULL) {
		conn_close(conn);
		conn->is_asking = false;
		conn_check_end(conn);
	}
	while ((a = TAILQ_FIRST(&control->attaches)) != NULL)
		attach_free(a);
}
