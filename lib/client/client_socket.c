/* SPDX-License-Identifier: BSD-3-Clause */

/* Making, naming and ending sockets. 09-socket-api.md, 3, 5, 6, 7, 17. */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* Initial values. Src: 09-socket-api.md, 3. */
#define CONN_TIMEOUT_MS 8000
#define RCVBUF_BYTES	2097152
/* About the time that waking a sleeper takes. Our choice, measured. */
#define BUSY_POLL_US 50

static void
sock_init(const struct sock *s, int type, bool is_nonblock)
{
	struct client_opt *opt = client_opt(s);

	s->shm->rx_pos = s->shm->rx_read = 0;
	s->shm->rx_offset = 0;
	memset(s->shm->tx_client, 0, sizeof(s->shm->tx_client));
	memset(s->shm->opt_client, 0, sizeof(s->shm->opt_client));
	lock_init(client_rx_lock(s));
	lock_init(&client_tx(s)->lock);
	opt->conn_timeout_ms = CONN_TIMEOUT_MS;
	opt->rcvbuf_bytes = RCVBUF_BYTES;
	opt->busy_poll_us = BUSY_POLL_US;
	opt->is_src_droppable = type == SOCK_DGRAM;
	opt->is_dest_droppable = 1;
	opt->is_nonblock = is_nonblock;
}

/* Ask for a socket; once more after a restart of dptipcd. *att: whose it is. */
static int
sock_request(int type, struct attach **att, uint32_t *idx)
{
	struct dpt_attach_msg msg;
	int fd = -1, tries;

	for (tries = 0; tries < 2; tries++) {
		*att = attach_current();
		if (!*att)
			return -1;
		memset(&msg, 0, sizeof(msg));
		msg.op = DPT_ATTACH_SOCKET;
		msg.arg[0] = (uint32_t)type;
		if (attach_request(*att, &msg, &fd) == 0)
			break;
		if (errno != ENETDOWN)
			return -1;
	}
	if (tries == 2)
		return -1;
	if (fd < 0 || msg.arg[0] >= (*att)->layout.socks_cnt) {
		if (fd >= 0)
			close(fd);
		/* No descriptor came: this process has none left. */
		return fail_errno(EMFILE);
	}
	*idx = msg.arg[0];
	return fd;
}

int
dptipc_socket(int family, int type, int protocol)
{
	const int flags = type & (SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct attach *att;
	struct sock s = {0};
	int fd;

	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (family != AF_TIPC)
		return fail_errno(EAFNOSUPPORT);
	/* Above the types: flags that we do not know, as socket(2). */
	if (type & ~0xf)
		return fail_errno(EINVAL);
	if (protocol)
		return fail_errno(EPROTONOSUPPORT);
	if (type == SOCK_STREAM || type == SOCK_SEQPACKET)
		return fail(EPROTONOSUPPORT, "connections (SOCK_STREAM, SOCK_SEQPACKET) are not "
					     "supported by this version of libdptipc");
	if (type != SOCK_RDM && type != SOCK_DGRAM)
		return fail_errno(EPROTOTYPE);
	fd = sock_request(type, &att, &s.idx);
	if (fd < 0)
		return -1;
	s.fd = fd;
	s.att = att;
	s.shm = dpt_shm_sock_at(att->region, &att->layout, s.idx);
	/* It came with close-on-exec, and blocking or not as dptipcd left it. */
	fcntl(fd, F_SETFD, flags & SOCK_CLOEXEC ? FD_CLOEXEC : 0);
	fcntl(fd, F_SETFL, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	sock_init(&s, type, flags & SOCK_NONBLOCK);
	if (table_add(fd, att, s.idx) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int
dptipc_bind(int fd, const struct sockaddr *addr, socklen_t addrlen)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_BIND};
	struct client_dest dest;
	struct sock s;
	int scope;

	if (table_get(fd, &s) < 0)
		return -1;
	msg.arg[0] = s.idx;
	if (addrlen == 0) {
		msg.op = DPT_ATTACH_UNBIND_ALL;
		return attach_request(s.att, &msg, NULL);
	}
	if (addrlen > sizeof(struct sockaddr_storage))
		return fail_errno(EINVAL);
	if (!addr)
		return fail_errno(EFAULT);
	if (dest_parse(addr, addrlen, &dest))
		return fail_errno(EINVAL);
	if (dest.addrtype == TIPC_SOCKET_ADDR)
		return fail_errno(EAFNOSUPPORT);
	if (dest.addr[0] < DPT_TYPE_USER_MIN)
		return fail_errno(EACCES);
	scope = ((const struct sockaddr_tipc *)(const void *)addr)->scope;
	if (scope < 0)
		msg.op = DPT_ATTACH_UNBIND;
	msg.arg[1] = dest.addr[0];
	msg.arg[2] = dest.addr[1];
	msg.arg[3] = dest.addrtype == TIPC_SERVICE_ADDR ? dest.addr[1] : dest.addr[2];
	/* Rules 6 and 7; an int, so that -128 has an absolute value. */
	msg.arg[4] = scope == TIPC_NODE_SCOPE || scope == -TIPC_NODE_SCOPE ? TIPC_NODE_SCOPE
									   : TIPC_CLUSTER_SCOPE;
	return attach_request(s.att, &msg, NULL);
}

int
dptipc_connect(int fd, const struct sockaddr *addr, socklen_t addrlen)
{
	struct client_dest dest = {0};
	enum lock_state lock;
	struct sock s;

	if (table_get(fd, &s) < 0)
		return -1;
	if (addrlen != sizeof(struct sockaddr_tipc))
		return fail_errno(EINVAL);
	if (!addr)
		return fail_errno(EFAULT);
	if (addr->sa_family != AF_UNSPEC && dest_parse(addr, addrlen, &dest))
		return fail_errno(EINVAL);
	lock = lock_take(s.att, &client_tx(&s)->lock);
	client_opt(&s)->dest = dest;
	lock_release(&client_tx(&s)->lock, lock);
	return 0;
}

int
dptipc_getsockname(int fd, struct sockaddr *addr, socklen_t *addrlen)
{
	struct sockaddr_tipc self;
	struct sock s;

	if (table_get(fd, &s) < 0)
		return -1;
	if (!addr || !addrlen)
		return fail_errno(EFAULT);
	if (*addrlen > INT_MAX)
		return fail_errno(EINVAL);
	memset(&self, 0, sizeof(self));
	self.family = AF_TIPC;
	self.addrtype = TIPC_SOCKET_ADDR;
	self.addr.id.ref = s.shm->port;
	self.addr.id.node = atomic_load_explicit(&s.att->hdr->own_node, memory_order_relaxed);
	memcpy(addr, &self, *addrlen < sizeof(self) ? *addrlen : sizeof(self));
	*addrlen = sizeof(self);
	return 0;
}

int
dptipc_getpeername(int fd, struct sockaddr *addr, socklen_t *addrlen)
{
	struct sock s;

	(void)addr;
	(void)addrlen;
	return table_get(fd, &s) < 0 ? -1 : fail_errno(ENOTCONN);
}

int
dptipc_shutdown(int fd, int how)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_SHUTDOWN};
	enum lock_state lock;
	struct sock s;
	int rc;

	if (table_get(fd, &s) < 0)
		return -1;
	if (how != SHUT_RDWR)
		return fail_errno(EINVAL);
	msg.arg[0] = s.idx;
	/* Before the request, so that a sleeper whom the hang-up wakes knows why. */
	atomic_store(&client_opt(&s)->is_shut, 1);
	/* Nobody reads meanwhile: what dptipcd returns must not be read as well. */
	lock = lock_take(s.att, client_rx_lock(&s));
	recv_publish(&s);
	rc = attach_request(s.att, &msg, NULL);
	if (rc == 0)
		recv_skip(&s, (uint64_t)msg.arg[2] << 32 | msg.arg[1]);
	lock_release(client_rx_lock(&s), lock);
	if (rc < 0)
		return -1;
	/* 17.2: the work is done, and a connectionless socket was never connected. */
	return fail_errno(ENOTCONN);
}

int
dptipc_close(int fd)
{
	table_del(fd);
	return close(fd) < 0 ? fail_errno(errno) : 0;
}

/* A copy of a descriptor came into being. */
static int
copied(int fd, int copy)
{
	struct sock s;

	if (copy < 0)
		return fail_errno(errno);
	if (table_get(fd, &s) == 0 && table_add(copy, s.att, s.idx) < 0) {
		int error = errno;

		close(copy);
		errno = error;
		return -1;
	}
	return copy;
}

int
dptipc_dup(int fd)
{
	return copied(fd, dup(fd));
}

int
dptipc_fcntl(int fd, int cmd, ...)
{
	struct sock s;
	va_list ap;
	void *arg;
	int rc;

	/* All of fcntl's arguments are an int or a pointer: passed on as they are. */
	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		return copied(fd, fcntl(fd, cmd, arg));
	rc = fcntl(fd, cmd, arg);
	if (rc < 0)
		return fail_errno(errno);
	if (cmd == F_SETFL && table_get(fd, &s) == 0)
		fd_is_nonblock(&s);
	return rc;
}

int
dptipc_poll(struct pollfd *fds, nfds_t cnt, int timeout_ms)
{
	return poll(fds, cnt, timeout_ms);
}

int
dptipc_info(enum dptipc_info_what what, FILE *to)
{
	struct attach *att = attach_current();
	int tries;

	for (tries = 0; att && tries < 2; tries++) {
		if (attach_info(att, (uint32_t)what, to) == 0)
			return 0;
		if (errno != ENETDOWN)
			return -1;
		att = attach_current();
	}
	return -1;
}
