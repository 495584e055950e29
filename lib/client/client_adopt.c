/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Sockets that came into this process by exec(3) or over a Unix socket: dptipcd is asked for the
 * region that they live in. doc/decisions/0016-adopted-sockets.md.
 */

#include "client_priv.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
/* How long the first owner may be inside a call that skips the locks: some memory accesses and a
 * short wait for an answer. Our choice; then it is taken for stopped. */
#define SETTLE_NS_MAX INT64_C(1000000000)

/* Ends of dptipcd's pairs are Unix stream sockets. */
static bool
may_be_ours(int fd, uint64_t *cookie)
{
	socklen_t len = sizeof(int), cookie_len = sizeof(*cookie);
	int domain = 0, type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 || domain != AF_UNIX)
		return false;
	len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM)
		return false;
	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &cookie_len) == 0 &&
	       !table_is_foreign(fd, *cookie);
}

/* Logs as a process left them that died without a lock. */
static void
channels_repair(struct attach *att)
{
	uint32_t i;

	for (i = 0; i < DPT_SHM_CHANNELS; i++) {
		struct sock s = {.idx = i, .att = att};
		struct channel ch;

		s.shm = dpt_shm_sock_at(att->region, &att->layout, 0);
		channel_open(&s, &ch);
		dpt_log_resync(&ch.log);
		channel_close(&s, &ch);
	}
}

/*
 * The region has a second user from now on. Its first may be inside a section without locks:
 * after the barrier either it sees is_shared, or we see its depth; then we wait until it is out.
 * The image before our own exec is not inside anything any more.
 */
static void
adopt_settle(struct attach *att)
{
	struct client_hdr *hdr = client_hdr(att);
	int64_t end_ns = clock_ns() + SETTLE_NS_MAX;
	bool is_alive = hdr->owner_pid != (uint32_t)getpid();

	if (atomic_exchange(&hdr->is_shared, 1))
		return;
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	while (atomic_load_explicit(&hdr->unlocked_depth, memory_order_acquire)) {
		is_alive = is_alive && (kill((pid_t)hdr->owner_pid, 0) == 0 || errno != ESRCH);
		if (!is_alive || clock_ns() > end_ns) {
			channels_repair(att);
			return;
		}
		sched_yield();
	}
}

/* Under table_lock. Returns the attachment that fd lives in, and its index; NULL: none. */
static struct attach *
adopt_ask(int fd, uint32_t *idx)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_ADOPT, .arg = {DPT_SHM_ABI_VERSION}};
	struct attach *att = attach_begin(attach_name()), *known;

	if (!att)
		return NULL;
	if (attach_first(att, &msg, fd) < 0 || msg.arg[2] >= att->layout.socks_cnt) {
		attach_drop(att);
		return NULL;
	}
	*idx = msg.arg[2];
	/* A socket of a region that we have anyway. */
	known = attach_of_region(att->region_ino, att);
	if (known) {
		attach_drop(att);
		return known;
	}
	adopt_settle(att);
	attach_keep(att);
	return att;
}

int
adopt(int fd, struct sock *s)
{
	int error = errno;
	struct attach *att;
	uint64_t cookie;
	uint32_t idx;

	if (fd < 0 || CLIENT_IS_FOREIGN(fd) || !may_be_ours(fd, &cookie)) {
		errno = error;
		return -1;
	}
	pthread_mutex_lock(&table_lock);
	att = adopt_ask(fd, &idx);
	pthread_mutex_unlock(&table_lock);
	if (!att || table_add(fd, att, idx) < 0) {
		table_foreign_set(fd, cookie);
		errno = error;
		return -1;
	}
	errno = error;
	return table_get(fd, s);
}
