/* SPDX-License-Identifier: BSD-3-Clause */

/* Attaching to a dptipcd. The messages are drawn in dpt_attach.h. */

#include "client_priv.h"
#include "dpt_client.h"

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
	if (att->region == MAP_FAILED) {
		att->region = NULL;
		return fail(ENOMEM, "cannot map %lld octets shared with dptipcd \"%s\"",
			    (long long)st.st_size, att->name);
	}
	rc = dpt_shm_region_check(att->region, (uint64_t)st.st_size, &att->layout);
	if (rc) {
		munmap(att->region, (size_t)st.st_size);
		att->region = NULL;
		return fail(EPROTONOSUPPORT,
			    "the memory of dptipcd \"%s\" is not laid out as this library "
			    "(ABI %d) expects: %s",
			    att->name, DPT_SHM_ABI_VERSION, strerror(-rc));
	}
	att->hdr = att->region;
	att->region_ino = st.st_ino;
	return 0;
}

/* What the answer to HELLO says, if it is no success. */
static int
first_refused(const struct attach *att, ssize_t got, const struct dpt_attach_msg *msg)
{
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return fail(EAFNOSUPPORT, "dptipcd \"%s\" does not answer within %d s", att->name,
			    HELLO_TIMEOUT_S);
	if (got <= 0)
		return fail(EAFNOSUPPORT, "dptipcd \"%s\" has closed the connection", att->name);
	if (got < (ssize_t)sizeof(*msg) ||
	    (msg->op != DPT_ATTACH_HELLO && msg->op != DPT_ATTACH_ADOPT))
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

/* A message, with a descriptor along if that is not -1. */
static ssize_t
first_send(int sock, const struct dpt_attach_msg *msg, int send_fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec iov = {(void *)(uintptr_t)msg, sizeof(*msg)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};

	if (send_fd >= 0) {
		struct cmsghdr *cmsg = (struct cmsghdr *)(void *)control;

		hdr.msg_control = control;
		hdr.msg_controllen = sizeof(control);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &send_fd, sizeof(int));
	}
	return sendmsg(sock, &hdr, MSG_NOSIGNAL);
}

int
attach_first(struct attach *att, struct dpt_attach_msg *msg, int send_fd)
{
	struct iovec iov = {msg, sizeof(*msg)};
	uint32_t fds_cnt = 0, i;
	int fds[2], rc;
	ssize_t got;

	got = first_send(att->fd, msg, send_fd);
	if (got > 0)
		got = recv_fds(att->fd, &iov, fds, 2, &fds_cnt);
	rc = first_refused(att, got, msg);
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
	att->fd = CLIENT_FD_KEEP(att->fd);
	att->doorbell = CLIENT_FD_KEEP(fds[1]);
	timeouts_set(att->fd, 0);
	return 0;
}

void
dpt_client_share(void)
{
	struct attach *att;

	for (att = attachments; att; att = att->next)
		atomic_store(&client_hdr(att)->is_shared, 1);
}

/* Locks that the sockets' own calls do not make. */
static void
attach_locks_init(struct attach *att)
{
	uint32_t i;

	lock_init(&client_hdr(att)->ctl);
	client_hdr(att)->owner_pid = (uint32_t)getpid();
	for (i = 0; i < DPT_SHM_CHANNELS; i++) {
		struct dpt_shm_channel *ch = dpt_shm_channel_at(att->region, &att->layout, i);
		struct client_channel *mine = (struct client_channel *)ch->client;

		lock_init(&mine->lock);
		mine->limit = att->layout.channel_bytes / DPT_SHM_LINE_BYTES;
	}
}

/* Before a fork: from now on the regions have two users. */
static void
fork_before(void)
{
	pthread_mutex_lock(&table_lock);
	dpt_client_share();
}

static void
fork_after(void)
{
	pthread_mutex_unlock(&table_lock);
}

static void
fork_child(void)
{
	holds_drop();
	pthread_mutex_unlock(&table_lock);
}

struct attach *
attach_begin(const char *name)
{
	struct attach *att = calloc(1, sizeof(*att));

	if (!att) {
		fail_errno(ENOMEM);
		return NULL;
	}
	snprintf(att->name, sizeof(att->name), "%s", name);
	att->fd = attach_connect(name);
	if (att->fd < 0) {
		free(att);
		return NULL;
	}
	return att;
}

void
attach_drop(struct attach *att)
{
	int error = errno;

	if (att->region) {
		munmap(att->region, att->layout.region_bytes);
		close(att->doorbell);
	}
	close(att->fd);
	free(att);
	errno = error;
}

void
attach_keep(struct attach *att)
{
	static bool is_fork_watched;
	static uint32_t lives;

	if (!is_fork_watched) {
		pthread_atfork(fork_before, fork_after, fork_child);
		is_fork_watched = true;
	}
	att->life = ++lives;
	att->next = attachments;
	attachments = att;
}

/* Under table_lock. */
static struct attach *
attach_new(const char *name)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_HELLO, .arg = {DPT_SHM_ABI_VERSION}};
	struct attach *att = attach_begin(name);

	if (!att)
		return NULL;
	if (attach_first(att, &msg, -1) < 0) {
		attach_drop(att);
		return NULL;
	}
	attach_locks_init(att);
	attach_keep(att);
	return att;
}

struct attach *
attach_of_region(uint64_t ino, const struct attach *not_this)
{
	struct attach *att;

	for (att = attachments; att; att = att->next)
		if (att != not_this && att->region_ino == ino && !attach_is_dead(att))
			return att;
	return NULL;
}

uint32_t
dptipc_life(void)
{
	uint32_t life = 0;

	pthread_mutex_lock(&table_lock);
	if (current && !attach_is_dead_cached(current))
		life = current->life;
	pthread_mutex_unlock(&table_lock);
	return life;
}

const char *
attach_name(void)
{
	return current ? current->name : name_or_default(NULL);
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
	if ((current && !attach_is_dead_cached(current)) || attach_to(attach_name()) == 0)
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
