/* SPDX-License-Identifier: BSD-3-Clause */
/* An attached process: its connection, its region, its requests. Contract: attach.h. */
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

/* ---- the connection ---- */

static void
attach_conn_close(struct attach *a)
{
	if (a->fd < 0)
		return;
	control_unwatch(a->control, a->fd);
	close(a->fd);
	a->fd = -1;
	/* An answer that waits for room is not needed any more; one that a worker owes comes. */
	if (a->has_answer)
		a->is_asking = false;
	a->has_answer = false;
	free(a->text);
	a->text = NULL;
}

/* Returns false when the connection is full. A broken one is noticed by its hang-up. */
static bool
attach_send(struct attach *a, const struct iovec *iov, uint32_t iov_cnt, const int *fds,
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
	return sendmsg(a->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN;
}

/* The next piece of an INFO answer; the last one is empty. Returns false: full. */
static bool
attach_send_text(struct attach *a)
{
	for (;;) {
		size_t left = a->text_bytes - a->text_sent;
		size_t part = left < DPT_ATTACH_TEXT_BYTES ? left : DPT_ATTACH_TEXT_BYTES;
		struct iovec iov[2] = {
			{.iov_base = &a->msg, .iov_len = sizeof(a->msg)},
			{.iov_base = a->text + a->text_sent, .iov_len = part},
		};

		a->msg.arg[0] = (uint32_t)part;
		if (!attach_send(a, iov, 2, NULL, 0))
			return false;
		a->text_sent += part;
		if (part == 0)
			break;
	}
	free(a->text);
	a->text = NULL;
	return true;
}

/* The answer is out: the next request may come. */
static void
attach_answered(struct attach *a)
{
	a->is_asking = false;
	a->has_answer = false;
	control_watch_mod(a->control, a->fd, &a->source, EPOLLIN);
}

static void
attach_answer_iov(struct attach *a, const struct iovec *iov, uint32_t iov_cnt, const int *fds,
		  uint32_t fds_cnt)
{
	if (a->fd < 0) {
		a->is_asking = false;
		attach_check_end(a);
		return;
	}
	/*
	 * One small answer per question: the connection is full only when the application sent
	 * many questions and reads no answer. Then it has broken the rule of dpt_attach.h.
	 */
	if (!attach_send(a, iov, iov_cnt, fds, fds_cnt))
		shutdown(a->fd, SHUT_RDWR);
	attach_answered(a);
}

void
attach_answer(struct attach *a, int result, const int *fds, uint32_t fds_cnt)
{
	struct iovec iov = {.iov_base = &a->msg, .iov_len = sizeof(a->msg)};

	a->msg.result = result;
	attach_answer_iov(a, &iov, 1, fds, fds_cnt);
}

void
attach_answer_note(struct attach *a, int result, const char *text)
{
	struct iovec iov[2] = {
		{.iov_base = &a->msg, .iov_len = sizeof(a->msg)},
		{.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)},
	};

	a->msg.result = result;
	a->msg.arg[4] = (uint32_t)iov[1].iov_len;
	attach_answer_iov(a, iov, 2, NULL, 0);
}

void
attach_answer_text(struct attach *a)
{
	a->msg.result = a->text != NULL ? 0 : ENOMEM;
	if (a->fd < 0 || a->text == NULL) {
		free(a->text);
		a->text = NULL;
		a->msg.arg[0] = 0;
		attach_answer(a, a->msg.result, NULL, 0);
		return;
	}
	a->text_sent = 0;
	if (attach_send_text(a)) {
		attach_answered(a);
		return;
	}
	a->has_answer = true;
	control_watch_mod(a->control, a->fd, &a->source, EPOLLOUT);
}

/* ---- the end ---- */

static void
attach_free(struct attach *a)
{
	struct control *control = a->control;

	TAILQ_REMOVE(&control->attaches, a, link);
	control->attaches_cnt--;
	if (a->served.region != NULL) {
		/* The application may hold a copy, which would keep it watched. */
		epoll_ctl(control->workers[a->worker].epoll_fd, EPOLL_CTL_DEL, a->doorbell, NULL);
		munmap(a->served.region, a->region_bytes);
		control->of[a->worker].attaches_cnt--;
	}
	if (a->memfd >= 0)
		close(a->memfd);
	if (a->doorbell >= 0)
		close(a->doorbell);
	control_free_later(control, &a->socks_garbage, a->socks);
	free(a->served.socks);
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
	if (a->fd >= 0 || a->socks_cnt > 0 || a->is_asking || a->state == ATTACH_LEAVING)
		return;
	if (a->state == ATTACH_CONNECTED) {
		attach_free(a);
		return;
	}
	a->state = ATTACH_LEAVING;
	a->req = (struct request){
		.op = REQUEST_DETACH, .served = &a->served, .done = attach_detached, .owner = a};
	control_ask(a->control, a->worker, &a->req);
}

/* The worker's word: this process broke a rule of the region. */
static void
attach_hostile(struct request *req)
{
	struct attach *a = req->served->attach;

	a->control->hostile_attaches++;
	a->is_thrown_out = true;
	attach_conn_close(a);
	sockets_close_all(a);
	attach_check_end(a);
}

/* ---- HELLO ---- */

static void
attach_hello_done(struct request *req)
{
	struct attach *a = req->owner;
	int fds[2] = {a->memfd, a->doorbell};

	a->state = ATTACH_SERVED;
	a->msg.arg[0] = DPT_SHM_ABI_VERSION;
	a->msg.arg[1] = (uint32_t)a->region_bytes;
	attach_answer(a, 0, fds, 2);
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
	for (uint32_t i = 0; i < s->layout.socks_cnt; i++)
		a->socks[i] = (struct attach_sock){.attach = a, .idx = i, .fd = -1};
	return 0;
}

static void
attach_hello(struct attach *a)
{
	struct control *control = a->control;
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int rc;

	if (a->state != ATTACH_CONNECTED || a->served.region != NULL) {
		attach_answer(a, EISCONN, NULL, 0);
		return;
	}
	if (a->msg.arg[0] != DPT_SHM_ABI_VERSION) {
		a->msg.arg[0] = DPT_SHM_ABI_VERSION;
		attach_answer(a, EPROTONOSUPPORT, NULL, 0);
		return;
	}
	if (a->refusal != 0) {
		control->refused_attaches++;
		attach_answer(a, a->refusal, NULL, 0);
		if (a->fd >= 0)
			shutdown(a->fd, SHUT_RDWR);
		return;
	}
	for (uint8_t i = 1; i < control->workers_cnt; i++)
		if (control->of[i].attaches_cnt < control->of[a->worker].attaches_cnt)
			a->worker = i;
	rc = attach_region(a);
	if (rc == 0 && epoll_ctl(control->workers[a->worker].epoll_fd, EPOLL_CTL_ADD, a->doorbell,
				 &event) != 0)
		rc = -errno;
	if (a->served.region != NULL)
		control->of[a->worker].attaches_cnt++;
	if (rc != 0) {
		attach_answer(a, -rc, NULL, 0);
		if (a->fd >= 0)
			shutdown(a->fd, SHUT_RDWR);
		return;
	}
	a->served.attach = a;
	a->served.hostile.done = attach_hostile;
	a->req = (struct request){
		.op = REQUEST_ATTACH, .served = &a->served, .done = attach_hello_done, .owner = a};
	control_ask(control, a->worker, &a->req);
}

/* ---- requests that concern a socket ---- */

static void
attach_sock_done(struct request *req)
{
	struct attach *a = req->owner;

	if (req->op == REQUEST_SHUTDOWN) {
		a->msg.arg[1] = (uint32_t)req->position;
		a->msg.arg[2] = (uint32_t)(req->position >> 32);
	}
	attach_answer(a, -req->result, NULL, 0);
}

static bool
attach_has_sock(const struct attach *a, uint32_t idx)
{
	return a->state == ATTACH_SERVED && idx < a->served.layout.socks_cnt &&
	       a->socks[idx].is_open && !a->socks[idx].is_closing;
}

static void
attach_sock_ask(struct attach *a, enum request_op op)
{
	const uint32_t *arg = a->msg.arg;

	if (!attach_has_sock(a, arg[0])) {
		attach_answer(a, EBADF, NULL, 0);
		return;
	}
	a->req = (struct request){
		.op = op,
		.served = &a->served,
		.sock_idx = arg[0],
		.range = {.type = arg[1], .lower = arg[2], .upper = arg[3]},
		/* Src: 09-socket-api.md, 1: 0 and the old zone scope mean cluster. */
		.scope = arg[4] == DPT_SCOPE_NODE ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER,
		.bytes = arg[1],
		.done = attach_sock_done,
		.owner = a,
	};
	control_ask(a->control, a->worker, &a->req);
}

static void
attach_request(struct attach *a)
{
	switch ((enum dpt_attach_op)a->msg.op) {
	case DPT_ATTACH_HELLO:
		attach_hello(a);
		return;
	case DPT_ATTACH_SOCKET:
		sockets_open(a);
		return;
	case DPT_ATTACH_BIND:
		attach_sock_ask(a, REQUEST_BIND);
		return;
	case DPT_ATTACH_UNBIND:
		attach_sock_ask(a, REQUEST_UNBIND);
		return;
	case DPT_ATTACH_UNBIND_ALL:
		attach_sock_ask(a, REQUEST_UNBIND_ALL);
		return;
	case DPT_ATTACH_SHUTDOWN:
		attach_sock_ask(a, REQUEST_SHUTDOWN);
		return;
	case DPT_ATTACH_RCVBUF:
		attach_sock_ask(a, REQUEST_RCVBUF);
		return;
	case DPT_ATTACH_INFO:
		mgmt_begin(a);
		return;
	case DPT_ATTACH_LINK_SET:
		link_set_begin(a);
		return;
	}
	attach_answer(a, EOPNOTSUPP, NULL, 0);
}

/* The next message: 1, nothing yet: 0, or the end, also for one of a wrong size: -1. */
static int
attach_recv(struct attach *a)
{
	struct iovec iov[2] = {
		{.iov_base = &a->msg, .iov_len = sizeof(a->msg)},
		{.iov_base = a->note, .iov_len = sizeof(a->note)},
	};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t got = recvmsg(a->fd, &msg, MSG_DONTWAIT);
	size_t note_bytes;

	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < (ssize_t)sizeof(a->msg) || (msg.msg_flags & MSG_TRUNC) != 0)
		return -1;
	note_bytes = (size_t)got - sizeof(a->msg);
	if (note_bytes != (a->msg.op == DPT_ATTACH_LINK_SET ? a->msg.arg[4] : 0) ||
	    note_bytes == sizeof(a->note))
		return -1;
	a->note[note_bytes] = '\0';
	return 1;
}

static void
attach_event(struct source *source, uint32_t events)
{
	struct attach *a = (struct attach *)source;
	int got;

	if (a->fd < 0)
		return;
	if ((events & EPOLLOUT) && a->has_answer) {
		if (attach_send_text(a))
			attach_answered(a);
		return;
	}
	if (a->is_asking) {
		if (events & (EPOLLHUP | EPOLLERR)) {
			attach_conn_close(a);
			attach_check_end(a);
		}
		return;
	}
	got = attach_recv(a);
	if (got == 0)
		return;
	if (got < 0) {
		attach_conn_close(a);
		attach_check_end(a);
		return;
	}
	a->is_asking = true;
	control_watch_mod(a->control, a->fd, &a->source, 0);
	attach_request(a);
}

/* ---- beginning and end ---- */

static void
attach_program(struct attach *a)
{
	char path[32];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", a->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd >= 0 ? read(fd, a->program, sizeof(a->program) - 1) : 0;
	if (fd >= 0)
		close(fd);
	a->program[got > 0 ? got - 1 : 0] = '\0';
	/* A process names itself as it likes: nothing that moves a terminal's cursor. */
	for (char *c = a->program; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

void
attach_new(struct control *control, int fd, const struct ucred *peer, int refusal)
{
	struct attach *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		close(fd);
		return;
	}
	a->source.event = attach_event;
	a->control = control;
	a->pid = (uint32_t)peer->pid;
	a->is_admin = peer->uid == 0 || peer->uid == geteuid();
	a->refusal = refusal;
	a->fd = fd;
	a->memfd = -1;
	a->doorbell = -1;
	a->peer_end = -1;
	attach_program(a);
	TAILQ_INSERT_TAIL(&control->attaches, a, link);
	control->attaches_cnt++;
	if (control_watch(control, fd, &a->source, EPOLLIN) != 0) {
		close(fd);
		a->fd = -1;
		attach_check_end(a);
	}
}

void
attach_stop_all(struct control *control)
{
	struct attach *a, *next;

	for (a = TAILQ_FIRST(&control->attaches); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		if (a->served.hdr != NULL)
			atomic_store_explicit(&a->served.hdr->is_down, 1, memory_order_seq_cst);
		attach_conn_close(a);
		if (a->socks != NULL)
			sockets_close_all(a);
		attach_check_end(a);
	}
}

void
attach_free_all(struct control *control)
{
	struct attach *a;

	while ((a = TAILQ_FIRST(&control->attaches)) != NULL) {
		attach_conn_close(a);
		attach_free(a);
	}
}
