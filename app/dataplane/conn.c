/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection to the attach socket: requests in, answers out. Contract: attach.h. */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the end ---- */

void
conn_close(struct conn *conn)
{
	if (conn->fd < 0)
		return;
	control_unwatch(conn->control, conn->fd);
	close(conn->fd);
	conn->fd = -1;
	/* An answer that waits for room is not needed any more; one that a worker owes comes. */
	if (conn->has_answer)
		conn->is_asking = false;
	conn->has_answer = false;
	free(conn->text);
	conn->text = NULL;
}

static void
conn_msg_fd_drop(struct conn *conn)
{
	if (conn->msg_fd >= 0)
		close(conn->msg_fd);
	conn->msg_fd = -1;
}

static void
conn_free(struct conn *conn)
{
	TAILQ_REMOVE(&conn->control->conns, conn, link);
	conn->control->conns_cnt--;
	conn_msg_fd_drop(conn);
	if (conn->nl != NULL)
		netlink_free(conn->nl);
	control_free_later(conn->control, &conn->garbage, conn);
}

void
conn_check_end(struct conn *conn)
{
	struct attach *a = conn->attach;

	if (conn->fd >= 0 || conn->is_asking)
		return;
	conn_free(conn);
	if (a == NULL)
		return;
	a->conns_cnt--;
	attach_check_end(a);
}

/* ---- answers ---- */

/* Returns false when the connection is full. A broken one is noticed by its hang-up. */
static bool
conn_send(struct conn *conn, const struct iovec *iov, uint32_t iov_cnt, const int *fds,
	  uint32_t fds_cnt)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = iov_cnt};

	if (fds_cnt > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(fds_cnt * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fds_cnt * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, fds_cnt * sizeof(int));
	}
	return sendmsg(conn->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN;
}

/* The next piece of an INFO answer; the last one is empty. Returns false: full. */
static bool
conn_send_text(struct conn *conn)
{
	for (;;) {
		size_t left = conn->text_bytes - conn->text_sent;
		size_t part = left < DPT_ATTACH_TEXT_BYTES ? left : DPT_ATTACH_TEXT_BYTES;
		struct iovec iov[2] = {
			{.iov_base = &conn->msg, .iov_len = sizeof(conn->msg)},
			{.iov_base = conn->text + conn->text_sent, .iov_len = part},
		};

		conn->msg.arg[0] = (uint32_t)part;
		if (!conn_send(conn, iov, 2, NULL, 0))
			return false;
		conn->text_sent += part;
		if (part == 0)
			break;
	}
	free(conn->text);
	conn->text = NULL;
	return true;
}

/* The answer is out: the next request may come. */
static void
conn_answered(struct conn *conn)
{
	conn->is_asking = false;
	conn->has_answer = false;
	conn_msg_fd_drop(conn);
	control_watch_mod(conn->control, conn->fd, &conn->source, EPOLLIN);
}

static void
conn_answer_iov(struct conn *conn, const struct iovec *iov, uint32_t iov_cnt, const int *fds,
		uint32_t fds_cnt)
{
	if (conn->fd < 0) {
		conn->is_asking = false;
		conn_check_end(conn);
		return;
	}
	/*
	 * One small answer per question: the connection is full only when the application sent
	 * many questions and reads no answer. Then it has broken the rule of dpt_attach.h.
	 */
	if (!conn_send(conn, iov, iov_cnt, fds, fds_cnt))
		shutdown(conn->fd, SHUT_RDWR);
	conn_answered(conn);
}

void
conn_answer(struct conn *conn, int result, const int *fds, uint32_t fds_cnt)
{
	struct iovec iov = {.iov_base = &conn->msg, .iov_len = sizeof(conn->msg)};

	conn->msg.result = result;
	conn_answer_iov(conn, &iov, 1, fds, fds_cnt);
}

void
conn_answer_note(struct conn *conn, int result, const char *text)
{
	struct iovec iov[2] = {
		{.iov_base = &conn->msg, .iov_len = sizeof(conn->msg)},
		{.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)},
	};

	conn->msg.result = result;
	conn->msg.arg[4] = (uint32_t)iov[1].iov_len;
	conn_answer_iov(conn, iov, 2, NULL, 0);
}

void
conn_answer_text(struct conn *conn)
{
	conn->msg.result = conn->text != NULL ? 0 : ENOMEM;
	if (conn->fd < 0 || conn->text == NULL) {
		free(conn->text);
		conn->text = NULL;
		conn->msg.arg[0] = 0;
		conn_answer(conn, conn->msg.result, NULL, 0);
		return;
	}
	conn->text_sent = 0;
	if (conn_send_text(conn)) {
		conn_answered(conn);
		return;
	}
	conn->has_answer = true;
	control_watch_mod(conn->control, conn->fd, &conn->source, EPOLLOUT);
}

/* ---- requests ---- */

/* Descriptors that came along: the first is kept. */
static void
conn_recv_fds(struct conn *conn, struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t cnt = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < cnt; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			if (conn->msg_fd < 0)
				conn->msg_fd = fd;
			else
				close(fd);
		}
	}
}

/* The next message: 1, nothing yet: 0, or the end, also for one of a wrong size: -1. */
static int
conn_recv(struct conn *conn)
{
	struct iovec iov[2] = {
		{.iov_base = &conn->msg, .iov_len = sizeof(conn->msg)},
		{.iov_base = conn->note, .iov_len = sizeof(conn->note)},
	};
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {.msg_iov = iov,
			     .msg_iovlen = 2,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(conn->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	size_t note_bytes;

	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0)
		return -1;
	conn_recv_fds(conn, &msg);
	if (got < (ssize_t)sizeof(conn->msg) || (msg.msg_flags & MSG_TRUNC) != 0)
		return -1;
	note_bytes = (size_t)got - sizeof(conn->msg);
	if (note_bytes != (conn->msg.op == DPT_ATTACH_LINK_SET ? conn->msg.arg[4] : 0) ||
	    note_bytes == sizeof(conn->note))
		return -1;
	conn->note[note_bytes] = '\0';
	return 1;
}

static void
conn_event(struct source *source, uint32_t events)
{
	struct conn *conn = (struct conn *)source;
	int got;

	if (conn->fd < 0)
		return;
	if ((events & EPOLLOUT) && conn->has_answer) {
		if (conn_send_text(conn))
			conn_answered(conn);
		return;
	}
	if (conn->is_asking) {
		if (events & (EPOLLHUP | EPOLLERR)) {
			conn_close(conn);
			conn_check_end(conn);
		}
		return;
	}
	got = conn_recv(conn);
	if (got == 0)
		return;
	if (got < 0) {
		conn_close(conn);
		conn_check_end(conn);
		return;
	}
	conn->is_asking = true;
	control_watch_mod(conn->control, conn->fd, &conn->source, 0);
	attach_request(conn);
}

/* ---- the beginning ---- */

static void
conn_program(struct conn *conn)
{
	char path[32];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", conn->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd >= 0 ? read(fd, conn->program, sizeof(conn->program) - 1) : 0;
	if (fd >= 0)
		close(fd);
	conn->program[got > 0 ? got - 1 : 0] = '\0';
	/* A process names itself as it likes: nothing that moves a terminal's cursor. */
	for (char *c = conn->program; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

void
conn_new(struct control *control, int fd, const struct ucred *peer, int refusal)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		close(fd);
		return;
	}
	conn->source.event = conn_event;
	conn->control = control;
	conn->uid = peer->uid;
	conn->pid = (uint32_t)peer->pid;
	conn->is_admin = peer->uid == 0 || peer->uid == geteuid();
	conn->refusal = refusal;
	conn->fd = fd;
	conn->msg_fd = -1;
	conn_program(conn);
	TAILQ_INSERT_TAIL(&control->conns, conn, link);
	control->conns_cnt++;
	if (control_watch(control, fd, &conn->source, EPOLLIN) != 0) {
		close(fd);
		conn->fd = -1;
		conn_check_end(conn);
	}
}
