/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Netlink connections: records in, datagrams out. Contract: nl.h.
 *
 *   record --> requests, one by one --> job --worker--> answer --> datagram --> the next one
 *
 * The connection is watched edge-triggered, for both directions: each event tries all that can be
 * done. A dump goes on when the client has read what was sent (SIOCOUTQ), as the kernel's does: so
 * a dump that nobody reads stays open, and costs no more.
 *
 * Who may change something: both who opened the connection and who sent the record (the kernel's
 * word about each, SO_PEERCRED and SCM_CREDENTIALS) are root or dptipcd's own user. So neither a
 * process that has given up its rights nor one that was handed the descriptor may
 * (11-management.md, hazard 8).
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nl.h"

/* What the kernel keeps for a client that does not read. Our choice: a few datagrams; it doubles
 * the value. */
#define CONN_SEND_BYTES (4 * DPT_NL_DATAGRAM_BYTES)
/* Requests and pieces of dumps in a row. Our choice: then it is the others' turn. */
#define CONN_TURNS_MAX 16
/* SIOCOUTQ counts one octet while the reader is just done. */
#define CONN_UNREAD_MIN 64

static void netlink_run(struct netlink *nl);

/* ---- jobs ---- */

static struct netlink_job *
job_new(struct netlink *nl, const struct dpt_nl_req *req)
{
	struct netlink_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->nl = nl;
	job->req = *req;
	job->out = (struct dpt_nl_out){.data = job->data, .size = sizeof(job->data)};
	nl->job = job;
	return job;
}

static void
job_free(struct netlink_job *job)
{
	if (job->dump != NULL && job->dump->end != NULL)
		job->dump->end(job);
	free(job->nodes);
	job->nl->job = NULL;
	free(job);
}

void
netlink_free(struct netlink *nl)
{
	struct control *control = nl->conn->control;

	if (nl->job != NULL)
		job_free(nl->job);
	control->netlink.conns--;
	control_free_later(control, &nl->garbage, nl);
}

void
netlink_wait(struct netlink_job *job)
{
	job->nl->conn->is_asking = true;
}

static void
job_answered(struct request *req)
{
	struct netlink_job *job = req->owner;
	struct netlink *nl = job->nl;
	struct conn *conn = nl->conn;

	if (job->dump == NULL) {
		job->answered(job);
		return;
	}
	conn->is_asking = false;
	if (conn->fd < 0)
		conn_check_end(conn);
	else
		netlink_run(nl);
}

void
netlink_ask(struct netlink_job *job, uint8_t worker, void (*answered)(struct netlink_job *job))
{
	netlink_wait(job);
	job->worker = worker;
	job->answered = answered;
	job->ask.done = job_answered;
	job->ask.owner = job;
	control_ask(job->nl->conn->control, worker, &job->ask);
}

void
netlink_ask_chunk(struct netlink_job *job, uint8_t worker, enum chunk_kind kind,
		  void (*answered)(struct netlink_job *job))
{
	job->chunk.kind = kind;
	job->pos = 0;
	job->ask = (struct request){.op = REQUEST_DUMP, .chunk = &job->chunk};
	netlink_ask(job, worker, answered);
}

bool
netlink_ask_next(struct netlink_job *job, bool is_more, enum chunk_kind kind,
		 void (*answered)(struct netlink_job *job))
{
	uint8_t worker = job->worker;

	if (!is_more) {
		worker++;
		job->chunk.cursor = 0;
	}
	if (worker == job->nl->conn->control->workers_cnt)
		return false;
	netlink_ask_chunk(job, worker, kind, answered);
	return true;
}

/* ---- out ---- */

/* false: no room, it stays. What nobody can receive any more is dropped. */
static bool
out_send(struct netlink *nl, struct dpt_nl_out *out)
{
	if (out->used == 0)
		return true;
	if (send(nl->conn->fd, out->data, out->used, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
			return false;
		nl->is_deaf = true;
	}
	out->used = 0;
	return true;
}

/* The client has read all that was sent. */
static bool
out_is_read(const struct netlink *nl)
{
	int unread = 0;

	return ioctl(nl->conn->fd, SIOCOUTQ, &unread) != 0 || unread < CONN_UNREAD_MIN;
}

static void
out_error(struct netlink *nl, const struct dpt_nl_req *req, int rc, const char *text)
{
	if (rc != 0)
		nl->conn->control->netlink.refused++;
	(void)dpt_nl_put_error(&nl->out, &nl->peer, req, rc, text);
}

void
netlink_answer(struct netlink_job *job, int rc, const char *text)
{
	struct netlink *nl = job->nl;
	struct conn *conn = nl->conn;

	conn->is_asking = false;
	if (conn->fd >= 0) {
		/* The data in a datagram of its own; without room for it, both in one. */
		(void)out_send(nl, &nl->out);
		out_error(nl, &job->req, rc, text);
	}
	job_free(job);
	if (conn->fd < 0)
		conn_check_end(conn);
	else if (!nl->is_running)
		netlink_run(nl);
}

/* ---- in ---- */

static bool
is_admin(const struct conn *conn, struct msghdr *msg)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	struct ucred sender;

	if (cmsg == NULL || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(&sender, CMSG_DATA(cmsg), sizeof(sender));
	return conn->is_admin && (sender.uid == 0 || sender.uid == geteuid());
}

/* The next record: 1, nothing yet: 0, the end, also of our patience: -1. */
static int
record_next(struct netlink *nl)
{
	struct conn *conn = nl->conn;
	struct iovec iov = {.iov_base = nl->record, .iov_len = sizeof(nl->record)};
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(conn->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got <= 0)
		return -1;
	/* (there is no room for descriptors: the kernel has closed them) */
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		conn->control->netlink.hostile++;
		return -1;
	}
	nl->peer.is_admin = is_admin(conn, &msg);
	nl->record_bytes = (uint32_t)got;
	nl->record_pos = 0;
	return 1;
}

static void
dump_begin(struct netlink *nl, const struct dpt_nl_req *req)
{
	const struct netlink_dump *dump = nl->peer.protocol == NETLINK_SOCK_DIAG
						  ? &netlink_dump_diag
						  : netlink_dump_of(req->cmd);
	struct netlink_job *job;

	if (nl->job != NULL || dump == NULL) {
		out_error(nl, req, nl->job != NULL ? -EBUSY : -EOPNOTSUPP, NULL);
		return;
	}
	job = job_new(nl, req);
	if (job == NULL) {
		out_error(nl, req, -ENOMEM, NULL);
		return;
	}
	nl->conn->control->netlink.dumps++;
	job->dump = dump;
	job->rc = req->later_rc;
	job->is_over = req->later_rc != 0;
}

/* What lib/netlink has answered itself. */
static void
count_refusal(struct netlink *nl)
{
	const struct nlmsghdr *msg = (const struct nlmsghdr *)(const void *)nl->data;
	const struct nlmsgerr *error = (const struct nlmsgerr *)(const void *)(msg + 1);

	if (nl->out.used >= sizeof(*msg) + sizeof(int) &&
	    (msg->nlmsg_type == NLMSG_ERROR || msg->nlmsg_type == NLMSG_DONE) && error->error != 0)
		nl->conn->control->netlink.refused++;
}

/* Returns as record_next. nl->out is empty. */
static int
request_next(struct netlink *nl)
{
	struct netlink_counters *counters = &nl->conn->control->netlink;

	if (nl->record_pos >= nl->record_bytes) {
		int rc = record_next(nl);

		if (rc <= 0)
			return rc;
	}
	switch (dpt_nl_next(&nl->peer, nl->record, nl->record_bytes, &nl->record_pos, &nl->req,
			    &nl->out)) {
	case DPT_NL_END:
		nl->record_pos = nl->record_bytes;
		break;
	case DPT_NL_ANSWERED:
		counters->requests++;
		count_refusal(nl);
		break;
	case DPT_NL_EXECUTE:
		counters->requests++;
		if (nl->req.is_dump)
			dump_begin(nl, &nl->req);
		else
			nl->has_req = true;
		break;
	}
	return 1;
}

/* ---- a turn ---- */

static void
request_do(struct netlink *nl)
{
	struct netlink_job *job = job_new(nl, &nl->req);

	nl->has_req = false;
	if (job == NULL)
		out_error(nl, &nl->req, -ENOMEM, NULL);
	else if (!netlink_get(job))
		netlink_set(job);
}

/* Returns false when it waits: for the client, or for a worker. */
static bool
dump_turn(struct netlink_job *job)
{
	struct netlink *nl = job->nl;

	if (nl->is_deaf) {
		job_free(job);
		return true;
	}
	if (!out_is_read(nl))
		return false;
	if (job->is_over) {
		if (!dpt_nl_put_done(&job->out, &job->req, job->rc))
			return out_send(nl, &job->out);
		if (!out_send(nl, &nl->job->out))
			nl->is_deaf = true; /* not even an empty buffer takes it */
		job_free(job);
		return true;
	}
	switch (job->dump->step(job)) {
	case NETLINK_STEP_ASKED:
		return false;
	case NETLINK_STEP_FULL:
		if (job->out.used > 0)
			return out_send(nl, &job->out);
		job->rc = -EMSGSIZE;
		job->is_over = true;
		return true;
	case NETLINK_STEP_END:
		break;
	}
	job->is_over = true;
	return out_send(nl, &job->out);
}

/* One thing. Returns false when nothing can be done before the next event. */
static bool
netlink_turn(struct netlink *nl)
{
	struct conn *conn = nl->conn;
	int rc = 0;

	if (conn->fd < 0 || conn->is_asking || !out_send(nl, &nl->out))
		return false;
	if (nl->has_req && nl->job == NULL) {
		request_do(nl);
		return true;
	}
	if (!nl->has_req)
		rc = request_next(nl);
	if (rc < 0) {
		conn_close(conn);
		conn_check_end(conn);
		return false;
	}
	return rc > 0 || (nl->job != NULL && dump_turn(nl->job));
}

static void
conn_watch(struct conn *conn)
{
	control_watch_mod(conn->control, conn->fd, &conn->source, EPOLLIN | EPOLLOUT | EPOLLET);
}

static void
netlink_run(struct netlink *nl)
{
	uint32_t turns = 0;

	nl->is_running = true;
	while (turns < CONN_TURNS_MAX && netlink_turn(nl))
		turns++;
	nl->is_running = false;
	/* Watched anew, it says at once that there is more. */
	if (turns == CONN_TURNS_MAX && nl->conn->fd >= 0)
		conn_watch(nl->conn);
}

static void
netlink_event(struct source *source, uint32_t events)
{
	struct conn *conn = (struct conn *)source;

	if (conn->fd < 0)
		return;
	/* What it has asked for before it went is done all the same. */
	if (events & (EPOLLHUP | EPOLLERR))
		conn->nl->is_deaf = true;
	netlink_run(conn->nl);
}

/* ---- the beginning ---- */

static int
netlink_open(struct conn *conn)
{
	uint32_t protocol = conn->msg.arg[0];
	int on = 1, bytes = CONN_SEND_BYTES;
	struct netlink *nl;

	if (protocol != NETLINK_GENERIC && protocol != NETLINK_SOCK_DIAG)
		return EPROTONOSUPPORT;
	if (setsockopt(conn->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0 ||
	    setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) != 0)
		return errno;
	nl = calloc(1, sizeof(*nl));
	if (nl == NULL)
		return ENOMEM;
	nl->conn = conn;
	nl->peer.protocol = (int)protocol;
	nl->peer.has_cap_ack = (conn->msg.arg[1] & DPT_ATTACH_NL_CAP_ACK) != 0;
	nl->peer.has_ext_ack = (conn->msg.arg[1] & DPT_ATTACH_NL_EXT_ACK) != 0;
	nl->out = (struct dpt_nl_out){.data = nl->data, .size = sizeof(nl->data)};
	conn->nl = nl;
	conn->source.event = netlink_event;
	conn->control->netlink.conns++;
	return 0;
}

void
netlink_begin(struct conn *conn)
{
	int rc = conn->refusal;

	if (rc != 0)
		conn->control->refused_attaches++;
	else
		rc = conn->attach != NULL ? EISCONN : netlink_open(conn);
	conn_answer(conn, rc, NULL, 0);
	if (rc == 0)
		conn_watch(conn);
	else if (conn->fd >= 0 && conn->refusal != 0)
		shutdown(conn->fd, SHUT_RDWR);
}
