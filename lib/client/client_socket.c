/* SPDX-License-Identifier: BSD-3-Clause */

/* Making and naming sockets. 09-socket-api.md, 3, 5, 6, 21. */

#include "client_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Initial values. Src: 09-socket-api.md, 3. */
#define CONN_TIMEOUT_MS 8000
#define RCVBUF_BYTES	2097152
/* About the time that waking a sleeper takes. Our choice, measured. */
#define BUSY_POLL_US 50

void
sock_init(const struct sock *s, int type, bool is_nonblock)
{
	struct client_opt *opt = client_opt(s);

	s->shm->rx_pos = s->shm->rx_read = 0;
	s->shm->rx_offset = s->shm->rx_flags = 0;
	memset(s->shm->tx_client, 0, sizeof(s->shm->tx_client));
	memset(s->shm->opt_client, 0, sizeof(s->shm->opt_client));
	lock_init(client_rx_lock(s));
	lock_init(&client_tx(s)->lock);
	opt->conn_timeout_ms = CONN_TIMEOUT_MS;
	opt->rcvbuf_bytes = RCVBUF_BYTES;
	opt->busy_poll_us = BUSY_POLL_US;
	opt->is_src_droppable = type == SOCK_DGRAM;
	opt->is_dest_droppable = type == SOCK_DGRAM || type == SOCK_RDM;
	opt->rcvlowat = 1;
	opt->type = (uint8_t)type;
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
sock_make(struct attach *att, uint32_t idx, int fd, int type, int flags)
{
	struct sock s = {.fd = fd, .idx = idx, .att = att};

	s.shm = dpt_shm_sock_at(att->region, &att->layout, idx);
	/* It came with close-on-exec, and blocking or not as dptipcd left it. */
	fcntl(fd, F_SETFD, flags & SOCK_CLOEXEC ? FD_CLOEXEC : 0);
	fcntl(fd, F_SETFL, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	sock_init(&s, type, flags & SOCK_NONBLOCK);
	if (table_add(fd, att, idx) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* The checks of socket(2) and socketpair(2). *type loses its flags, which are returned; -1. */
static int
sock_check(int family, int *type, int protocol)
{
	const int flags = *type & (SOCK_NONBLOCK | SOCK_CLOEXEC);

	*type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (family != AF_TIPC)
		return fail_errno(EAFNOSUPPORT);
	/* Above the types: numbers and flags that socket(2) does not know. */
	if (*type < 0 || *type > SOCK_PACKET)
		return fail_errno(EINVAL);
	if (protocol)
		return fail_errno(EPROTONOSUPPORT);
	if (*type != SOCK_RDM && *type != SOCK_DGRAM && *type != SOCK_STREAM &&
	    *type != SOCK_SEQPACKET)
		return fail_errno(EPROTOTYPE);
	return flags;
}

int
dptipc_socket(int family, int type, int protocol)
{
	struct attach *att;
	uint32_t idx = 0;
	int fd, flags;

	flags = sock_check(family, &type, protocol);
	if (flags < 0)
		return -1;
	fd = sock_request(type, &att, &idx);
	return fd < 0 ? -1 : sock_make(att, idx, fd, type, flags);
}

/* Like sock_request, with two ends. */
static int
pair_request(int type, struct attach **att, struct dpt_attach_msg *msg, int fds[2])
{
	int tries;

	for (tries = 0; tries < 2; tries++) {
		*att = attach_current();
		if (!*att)
			return -1;
		memset(msg, 0, sizeof(*msg));
		msg->op = DPT_ATTACH_PAIR;
		msg->arg[0] = (uint32_t)type;
		if (attach_request_fds(*att, msg, fds, 2) == 0)
			break;
		if (errno != ENETDOWN)
			return -1;
	}
	if (tries == 2)
		return -1;
	if (fds[0] >= 0 && fds[1] >= 0 && msg->arg[0] < (*att)->layout.socks_cnt &&
	    msg->arg[2] < (*att)->layout.socks_cnt)
		return 0;
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	return fail_errno(EMFILE);
}

/* Each is the other's default destination: 21. */
static void
pair_dest(const struct attach *att, uint32_t idx)
{
	struct sock s = {.idx = idx};

	s.shm = dpt_shm_sock_at(att->region, &att->layout, idx);
	client_opt(&s)->dest = (struct client_dest){.addrtype = TIPC_SOCKET_ADDR,
						    .addr = {s.shm->peer_port, s.shm->peer_node}};
}

int
dptipc_socketpair(int family, int type, int protocol, int fds[2])
{
	struct dpt_attach_msg msg;
	struct attach *att;
	int flags, ends[2];

	flags = sock_check(family, &type, protocol);
	if (flags < 0)
		return -1;
	if (!fds)
		return fail_errno(EFAULT);
	if (pair_request(type, &att, &msg, ends) < 0)
		return -1;
	if (sock_make(att, msg.arg[0], ends[0], type, flags) < 0) {
		close(ends[1]);
		return -1;
	}
	if (sock_make(att, msg.arg[2], ends[1], type, flags) < 0) {
		dptipc_close(ends[0]);
		return -1;
	}
	pair_dest(att, msg.arg[0]);
	pair_dest(att, msg.arg[2]);
	fds[0] = ends[0];
	fds[1] = ends[1];
	return 0;
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
	else if (sock_state(&s) == DPT_CONN_ESTABLISHED)
		return fail_errno(EINVAL);
	msg.arg[1] = dest.addr[0];
	msg.arg[2] = dest.addr[1];
	msg.arg[3] = dest.addrtype == TIPC_SERVICE_ADDR ? dest.addr[1] : dest.addr[2];
	/* Rules 6 and 7; an int, so that -128 has an absolute value. */
	msg.arg[4] = scope == TIPC_NODE_SCOPE || scope == -TIPC_NODE_SCOPE ? TIPC_NODE_SCOPE
									   : TIPC_CLUSTER_SCOPE;
	if (client_opt(&s)->is_bind_sync)
		msg.arg[4] |= DPT_ATTACH_BIND_SYNC;
	if (attach_request(s.att, &msg, NULL) < 0)
		return -1;
	client_opt(&s)->is_bound = 1;
	return 0;
}

int
sockaddr_out(struct sockaddr *addr, socklen_t *addrlen, uint32_t ref, uint32_t node)
{
	struct sockaddr_tipc t;

	memset(&t, 0, sizeof(t));
	t.family = AF_TIPC;
	t.addrtype = TIPC_SOCKET_ADDR;
	t.addr.id.ref = ref;
	t.addr.id.node = node;
	memcpy(addr, &t, *addrlen < sizeof(t) ? *addrlen : sizeof(t));
	*addrlen = sizeof(t);
	return 0;
}

int
dptipc_getsockname(int fd, struct sockaddr *addr, socklen_t *addrlen)
{
	struct sock s;

	if (table_get(fd, &s) < 0)
		return -1;
	if (!addr || !addrlen)
		return fail_errno(EFAULT);
	if (*addrlen > INT_MAX)
		return fail_errno(EINVAL);
	return sockaddr_out(addr, addrlen, s.shm->port,
			    atomic_load_explicit(&s.att->hdr->own_node, memory_order_relaxed));
}

int
dptipc_getpeername(int fd, struct sockaddr *addr, socklen_t *addrlen)
{
	struct sock s;

	if (table_get(fd, &s) < 0)
		return -1;
	if (sock_state(&s) != DPT_CONN_ESTABLISHED)
		return fail_errno(ENOTCONN);
	if (!addr || !addrlen)
		return fail_errno(EFAULT);
	if (*addrlen > INT_MAX)
		return fail_errno(EINVAL);
	return sockaddr_out(addr, addrlen, s.shm->peer_port, s.shm->peer_node);
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
