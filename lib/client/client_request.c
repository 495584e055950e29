/* SPDX-License-Identifier: BSD-3-Clause */

/* Requests on the attach socket, one at a time. The messages are drawn in dpt_attach.h. */

#include "client_priv.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

ssize_t
recv_fds(int sock, struct iovec *iov, int *fds, uint32_t fds_max, uint32_t *fds_cnt)
{
	char control[CMSG_SPACE(4 * sizeof(int))] __attribute__((aligned(8)));
	struct msghdr msg = {.msg_iov = iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg;
	ssize_t got;

	*fds_cnt = 0;
	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		size_t i, cnt = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < cnt; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			if (*fds_cnt < fds_max)
				fds[(*fds_cnt)++] = fd;
			else
				close(fd);
		}
	}
	return got;
}

/* Receive answers until ours comes; those to a process that died meanwhile are dropped. */
static ssize_t
answer_recv(struct attach *att, uint32_t cookie, struct iovec *iov, int *fds, uint32_t fds_max)
{
	struct dpt_attach_msg *msg = iov->iov_base;
	uint32_t fds_cnt, i;
	ssize_t got;

	for (i = 0; i < fds_max; i++)
		fds[i] = -1;
	for (;;) {
		got = recv_fds(att->fd, iov, fds, fds_max, &fds_cnt);
		if (got <= 0)
			return -1;
		if (got >= (ssize_t)sizeof(*msg) && msg->cookie == cookie)
			return got;
		for (i = 0; i < fds_cnt; i++) {
			close(fds[i]);
			fds[i] = -1;
		}
	}
}

/* The request is sent, under ctl. Returns 0 and its cookie, or -1. */
static int
request_send(struct attach *att, struct dpt_attach_msg *msg)
{
	ssize_t sent;

	msg->cookie = ++client_hdr(att)->cookie;
	msg->result = 0;
	do
		sent = send(att->fd, msg, sizeof(*msg), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == sizeof(*msg) ? 0 : -1;
}

/* iov: where the answer goes, struct dpt_attach_msg first. Returns its size, or -1 and errno. */
static ssize_t
request(struct attach *att, struct iovec *iov, int *fds, uint32_t fds_cnt)
{
	struct dpt_attach_msg *msg = iov->iov_base;
	pthread_mutex_t *ctl = &client_hdr(att)->ctl;
	enum lock_state lock;
	ssize_t got = -1;

	if (atomic_load_explicit(&att->is_dead, memory_order_relaxed))
		return fail_dead(att);
	lock = lock_take(att, ctl);
	if (request_send(att, msg) == 0)
		got = answer_recv(att, msg->cookie, iov, fds, fds_cnt);
	lock_release(att, ctl, lock);
	if (got < 0)
		return fail_dead(att);
	return msg->result ? fail_errno(msg->result) : got;
}

int
attach_request_fds(struct attach *att, struct dpt_attach_msg *msg, int *fds, uint32_t fds_cnt)
{
	struct iovec iov = {msg, sizeof(*msg)};

	return request(att, &iov, fds, fds_cnt) < 0 ? -1 : 0;
}

int
attach_request(struct attach *att, struct dpt_attach_msg *msg, int *fd)
{
	return attach_request_fds(att, msg, fd, fd != NULL);
}

int
attach_sync(struct attach *att)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_SYNC};

	return attach_request(att, &msg, NULL);
}

int
dptipc_sync(void)
{
	struct attach *att = attach_current();

	return att ? attach_sync(att) : -1;
}

int
attach_request_text(struct attach *att, struct dpt_attach_msg *msg, char *text, size_t text_size)
{
	struct {
		struct dpt_attach_msg msg;
		char text[DPT_ATTACH_NOTE_BYTES];
	} answer = {.msg = *msg};
	struct iovec iov = {&answer, sizeof(answer)};
	ssize_t got = request(att, &iov, NULL, 0);
	size_t bytes;

	if (got < 0)
		return -1;
	bytes = (size_t)got - sizeof(answer.msg);
	if (bytes > text_size - 1)
		bytes = text_size - 1;
	memcpy(text, answer.text, bytes);
	text[bytes] = '\0';
	return 0;
}

int
attach_info(struct attach *att, uint32_t what, FILE *to)
{
	struct {
		struct dpt_attach_msg msg;
		char text[DPT_ATTACH_TEXT_BYTES];
	} answer = {.msg = {.op = DPT_ATTACH_INFO, .arg = {what}}};
	struct iovec iov = {&answer, sizeof(answer)};
	pthread_mutex_t *ctl = &client_hdr(att)->ctl;
	enum lock_state lock = lock_take(att, ctl);
	uint32_t cookie;
	ssize_t got = -1;

	if (request_send(att, &answer.msg) == 0) {
		cookie = answer.msg.cookie;
		while ((got = answer_recv(att, cookie, &iov, NULL, 0)) > 0 && !answer.msg.result) {
			size_t bytes = (size_t)got - sizeof(answer.msg);

			if (answer.msg.arg[0] == 0)
				break;
			if (answer.msg.arg[0] < bytes)
				bytes = answer.msg.arg[0];
			fwrite(answer.text, 1, bytes, to);
		}
	}
	lock_release(att, ctl, lock);
	if (got < 0)
		return fail_dead(att);
	if (answer.msg.result)
		return fail_errno(answer.msg.result);
	return ferror(to) ? fail_errno(EIO) : 0;
}
