/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Attaching to a dptipcd, and requests on the attach socket. The messages are drawn in
 * dpt_attach.h.
 */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* How long a dptipcd may take for the first answer, seconds. Our choice. */
#define HELLO_TIMEOUT_S 10

/* All of this process, the newest first; under table_lock, as is current. */
static struct attach *attachments;
static struct attach *current;

static const char *
name_or_default(const char *name)
{
	if (!name)
		name = getenv("DPTIPC_NAME");
	return name && *name ? name : DPT_ATTACH_NAME_DEFAULT;
}

/* The socket address of a name. Returns its length, 0: no such name. */
static socklen_t
name_to_addr(const char *name, struct sockaddr_un *un)
{
	bool is_path = strchr(name, '/') != NULL;
	size_t len = strlen(name);
	size_t prefix = is_path ? 0 : 1 + strlen(DPT_ATTACH_PREFIX);

	if (len >= (is_path ? sizeof(un->sun_path) : DPT_ATTACH_NAME_BYTES))
		return 0;
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	if (!is_path)
		memcpy(un->sun_path + 1, DPT_ATTACH_PREFIX, prefix - 1);
	memcpy(un->sun_path + prefix, name, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + prefix + len + is_path);
}

static void
timeouts_set(int fd, time_t seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static int
attach_connect(const char *name)
{
	struct sockaddr_un un;
	socklen_t len = name_to_addr(name, &un);
	int fd, error;

	if (!len)
		return fail(EINVAL, "\"%s\" is too long for the name of a dptipcd", name);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(errno);
	timeouts_set(fd, HELLO_TIMEOUT_S);
	if (connect(fd, (struct sockaddr *)&un, len) == 0)
		return fd;
	error = errno;
	close(fd);
	if (error == EACCES || error == EPERM)
		return fail(EACCES, "no permission for the socket of dptipcd \"%s\"", name);
	return fail(EAFNOSUPPORT,
		    "no dptipcd runs under the name \"%s\" (%s); start one, or set DPTIPC_NAME",
		    name, strerror(error));
}

/*
 * Receive one message with up to fds_max descriptors (*fds_cnt of them came). Returns its
 * size, 0 at end-of-file, -1 and errno.
 */
static ssize_t
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

/* Map the region and check it. att->fd, doorbell are set. Returns 0, or -1 and errno. */
static int
region_map(struct attach *att, int memfd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW;
	struct stat st;
	int has = fcntl(memfd, F_GET_SEALS);
	int rc;

	/* Without the seals dptipcd could make us die of SIGBUS. */
	if (has < 0 || (has & seals) != seals || fstat(memfd, &st) < 0 ||
	    st.st_size < (off_t)sizeof(struct dpt_shm_hdr))
		return fail(EPROTONOSUPPORT, "dptipcd \"%s\" gave no sealed memory", att->name);
	att->region = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (att->region == MAP_FAILED)
		return fail(ENOMEM, "cannot map %lld octets shared with dptipcd \"%s\"",
			    (long long)st.st_size, att->name);
	rc = dpt_shm_region_check(att->region, (uint64_t)st.st_size, &att->layout);
	if (rc) {
		munmap(att->region, (size_t)st.st_size);
		return fail(EPROTONOSUPPORT,
			    "the memory of dptipcd \"%s\" is not laid out as this library "
			    "(ABI %d) expects: %s",
			    att->name, DPT_SHM_ABI_VERSION, strerror(-rc));
	}
	att->hdr = att->region;
	return 0;
}

/* What the answer to HELLO says, if it is no success. */
static int
hello_refused(const struct attach *att, ssize_t got, const struct dpt_attach_msg *msg)
{
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return fail(EAFNOSUPPORT, "dptipcd \"%s\" does not answer within %d s", att->name,
			    HELLO_TIMEOUT_S);
	if (got <= 0)
		return fail(EAFNOSUPPORT, "dptipcd \"%s\" has closed the connection", att->name);
	if (got < (ssize_t)sizeof(*msg) || msg->op != DPT_ATTACH_HELLO)
		return fail(EPROTONOSUPPORT, "\"%s\" answers, but is no dptipcd", att->name);
	if (msg->result == EPROTONOSUPPORT || msg->arg[0] != DPT_SHM_ABI_VERSION)
		return fail(EPROTONOSUPPORT,
			    "dptipcd \"%s\" has ABI version %u, this library %d: update the older",
			    att->name, msg->arg[0], DPT_SHM_ABI_VERSION);
	if (msg->result == EACCES || msg->result == EPERM)
		return fail(EACCES, "dptipcd \"%s\" does not admit user %u", att->name,
			    (unsigned)geteuid());
	if (msg->result)
		return fail(msg->result, "dptipcd \"%s\" refuses: %s", att->name,
			    strerror(msg->result));
	return 0;
}

static int
attach_hello(struct attach *att)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_HELLO, .arg = {DPT_SHM_ABI_VERSION}};
	struct iovec iov = {&msg, sizeof(msg)};
	uint32_t fds_cnt = 0, i;
	int fds[2], rc;
	ssize_t got;

	got = send(att->fd, &msg, sizeof(msg), MSG_NOSIGNAL);
	if (got > 0)
		got = recv_fds(att->fd, &iov, fds, 2, &fds_cnt);
	rc = hello_refused(att, got, &msg);
	if (rc == 0 && fds_cnt != 2)
		rc = fail(EPROTONOSUPPORT, "dptipcd \"%s\" gave no memory", att->name);
	if (rc == 0)
		rc = region_map(att, fds[0]);
	if (rc) {
		for (i = 0; i < fds_cnt; i++)
			close(fds[i]);
		return -1;
	}
	close(fds[0]);
	att->doorbell = fds[1];
	timeouts_set(att->fd, 0);
	return 0;
}

/* Locks that the sockets' own calls do not make. */
static void
attach_locks_init(struct attach *att)
{
	uint32_t i;

	lock_init(&client_hdr(att)->ctl);
	for (i = 0; i < DPT_SHM_CHANNELS; i++) {
		struct dpt_shm_channel *ch = dpt_shm_channel_at(att->region, &att->layout, i);
		struct client_channel *mine = (struct client_channel *)ch->client;

		lock_init(&mine->lock);
		mine->limit = att->layout.channel_bytes / DPT_SHM_LINE_BYTES;
	}
}

/* Under table_lock. */
static struct attach *
attach_new(const char *name)
{
	static bool is_fork_watched;
	struct attach *att = calloc(1, sizeof(*att));

	if (!att) {
		fail_errno(ENOMEM);
		return NULL;
	}
	snprintf(att->name, sizeof(att->name), "%s", name);
	att->fd = attach_connect(name);
	if (att->fd < 0 || attach_hello(att) < 0) {
		int error = errno;

		if (att->fd >= 0)
			close(att->fd);
		free(att);
		errno = error;
		return NULL;
	}
	attach_locks_init(att);
	if (!is_fork_watched) {
		attach_fork_prepare();
		is_fork_watched = true;
	}
	att->next = attachments;
	attachments = att;
	return att;
}

/*
 * Give back the memory of dead attachments without descriptors. Another thread may still be
 * inside a call on such a socket, closed behind its back, so the addresses stay valid:
 * empty pages take the place of the region, and the struct stays.
 */
static void
attach_retire(void)
{
	struct attach *att;

	for (att = attachments; att; att = att->next) {
		if (att->fds_cnt || !atomic_load(&att->is_dead) || att->fd < 0)
			continue;
		if (mmap(att->region, att->layout.region_bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
			 0) == MAP_FAILED)
			continue;
		atomic_store(&att->hdr->is_down, 1);
		close(att->fd);
		close(att->doorbell);
		att->fd = att->doorbell = -1;
	}
}

/* Under table_lock. */
static int
attach_to(const char *name)
{
	struct attach *att;

	for (att = attachments; att; att = att->next)
		if (strcmp(att->name, name) == 0 && !attach_is_dead(att)) {
			current = att;
			return 0;
		}
	attach_retire();
	att = attach_new(name);
	if (!att)
		return -1;
	current = att;
	return 0;
}

int
dptipc_attach(const char *name)
{
	int rc;

	pthread_mutex_lock(&table_lock);
	rc = attach_to(name_or_default(name));
	pthread_mutex_unlock(&table_lock);
	return rc;
}

struct attach *
attach_current(void)
{
	struct attach *att = NULL;

	pthread_mutex_lock(&table_lock);
	if ((current && !attach_is_dead_cached(current)) ||
	    attach_to(current ? current->name : name_or_default(NULL)) == 0)
		att = current;
	pthread_mutex_unlock(&table_lock);
	return att;
}

bool
attach_is_dead(struct attach *att)
{
	struct pollfd pfd = {.fd = att->fd, .events = 0};

	if (atomic_load_explicit(&att->is_dead, memory_order_relaxed))
		return true;
	if (!atomic_load_explicit(&att->hdr->is_down, memory_order_acquire) &&
	    (poll(&pfd, 1, 0) <= 0 || !(pfd.revents & (POLLHUP | POLLERR | POLLNVAL))))
		return false;
	atomic_store(&att->is_dead, true);
	return true;
}

bool
attach_is_dead_cached(struct attach *att)
{
	struct timespec ts;
	int64_t now_ns;

	if (atomic_load_explicit(&att->is_dead, memory_order_relaxed) ||
	    atomic_load_explicit(&att->hdr->is_down, memory_order_acquire))
		return attach_is_dead(att);
	/* Its grain is that of the kernel's tick, 1 to 10 ms; it costs a few nanoseconds. */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	now_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (now_ns - atomic_load_explicit(&att->alive_ns, memory_order_relaxed) < 4000000)
		return false;
	atomic_store_explicit(&att->alive_ns, now_ns, memory_order_relaxed);
	return attach_is_dead(att);
}

/* Before a fork: from now on the regions have two users. */
static void
fork_before(void)
{
	struct attach *att;

	pthread_mutex_lock(&table_lock);
	for (att = attachments; att; att = att->next)
		atomic_store(&client_hdr(att)->is_shared, 1);
}

static void
fork_after(void)
{
	pthread_mutex_unlock(&table_lock);
}

void
attach_fork_prepare(void)
{
	pthread_atfork(fork_before, fork_after, fork_after);
}

/* Receive answers until ours comes; those to a process that died meanwhile are dropped. */
static ssize_t
answer_recv(struct attach *att, uint32_t cookie, struct iovec *iov, int *fd)
{
	struct dpt_attach_msg *msg = iov->iov_base;
	uint32_t fds_cnt;
	ssize_t got;
	int got_fd;

	for (;;) {
		got = recv_fds(att->fd, iov, &got_fd, 1, &fds_cnt);
		if (got <= 0)
			return -1;
		if (got >= (ssize_t)sizeof(*msg) && msg->cookie == cookie) {
			if (fd)
				*fd = fds_cnt ? got_fd : -1;
			else if (fds_cnt)
				close(got_fd);
			return got;
		}
		if (fds_cnt)
			close(got_fd);
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

int
attach_request(struct attach *att, struct dpt_attach_msg *msg, int *fd)
{
	struct iovec iov = {msg, sizeof(*msg)};
	pthread_mutex_t *ctl = &client_hdr(att)->ctl;
	enum lock_state lock;
	ssize_t got = -1;

	if (atomic_load_explicit(&att->is_dead, memory_order_relaxed))
		return fail_dead(att);
	lock = lock_take(att, ctl);
	if (request_send(att, msg) == 0)
		got = answer_recv(att, msg->cookie, &iov, fd);
	lock_release(ctl, lock);
	if (got < 0)
		return fail_dead(att);
	return msg->result ? fail_errno(msg->result) : 0;
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
		while ((got = answer_recv(att, cookie, &iov, NULL)) > 0 && !answer.msg.result) {
			size_t bytes = (size_t)got - sizeof(answer.msg);

			if (answer.msg.arg[0] == 0)
				break;
			if (answer.msg.arg[0] < bytes)
				bytes = answer.msg.arg[0];
			fwrite(answer.text, 1, bytes, to);
		}
	}
	lock_release(ctl, lock);
	if (got < 0)
		return fail_dead(att);
	if (answer.msg.result)
		return fail_errno(answer.msg.result);
	return ferror(to) ? fail_errno(EIO) : 0;
}
