/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Netlink for the `tipc` and `ss` tools. 13-netlink.md, 2.
 *
 *   socket, bind, getsockname, setsockopt --> the kernel's socket (NL_NEW)
 *   first send: TIPC's, and dptipcd answers --> a connection to dptipcd under the same number (NL)
 *               another family, or no dptipcd --> the kernel's for ever (FOREIGN)
 *
 * The connection is a Unix socket that keeps the bounds of datagrams; what is added here is the
 * sender's address, the port id, and that an end is an error. An epoll set that had the number
 * before the first send has lost it then.
 */

#include "preload_netlink.h"
#include "preload_fd.h"
#include "preload_real.h"

#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "dpt_client.h"

/* Longest request. Ours: libmnl's buffers have 8192 octets. */
#define REQUEST_BYTES_MAX 65536
#define FAMILY_NAME	  "TIPCv2"
#define FAMILY_TIPC	  30

/* A number that is NL_NEW or NL. */
struct nl_sock {
	struct nl_sock *next;
	int fd;
	int protocol;
	uint32_t options; /* DPT_CLIENT_NL_* */
	uint32_t port;	  /* the kernel's port id */
};

static struct nl_sock *socks;
static pthread_mutex_t socks_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the list, under socks_lock ---- */

static struct nl_sock *
sock_find(int fd)
{
	struct nl_sock *sock;

	for (sock = socks; sock && sock->fd != fd; sock = sock->next)
		;
	return sock;
}

static void
sock_drop(int fd)
{
	struct nl_sock **at = &socks, *sock;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	sock = *at;
	if (!sock)
		return;
	*at = sock->next;
	free(sock);
}

static struct nl_sock *
sock_add(int fd, int protocol)
{
	struct nl_sock *sock;

	/* The number may have been closed behind our back. */
	sock_drop(fd);
	sock = calloc(1, sizeof(*sock));
	if (!sock)
		return NULL;
	sock->fd = fd;
	sock->protocol = protocol;
	sock->next = socks;
	socks = sock;
	return sock;
}

void
nl_child(void)
{
	pthread_mutex_init(&socks_lock, NULL);
}

/* A copy of what is known; false: nothing. */
static bool
sock_get(int fd, struct nl_sock *copy)
{
	struct nl_sock *sock;

	pthread_mutex_lock(&socks_lock);
	sock = sock_find(fd);
	if (sock)
		*copy = *sock;
	pthread_mutex_unlock(&socks_lock);
	return sock != NULL;
}

bool
nl_is_candidate(int family, int protocol)
{
	return family == AF_NETLINK &&
	       (protocol == NETLINK_GENERIC || protocol == NETLINK_SOCK_DIAG);
}

int
nl_made(int fd, int protocol)
{
	struct nl_sock *sock;

	if (fd < 0)
		return fd;
	pthread_mutex_lock(&socks_lock);
	sock = sock_add(fd, protocol);
	pthread_mutex_unlock(&socks_lock);
	return fd_made(fd, sock ? FD_NL_NEW : FD_FOREIGN);
}

void
nl_forget(int fd)
{
	fd_note(fd, FD_FOREIGN);
	pthread_mutex_lock(&socks_lock);
	sock_drop(fd);
	pthread_mutex_unlock(&socks_lock);
}

void
nl_copied(int fd, int copy)
{
	struct nl_sock *from, *to;

	pthread_mutex_lock(&socks_lock);
	from = sock_find(fd);
	to = from ? sock_add(copy, from->protocol) : NULL;
	if (to) {
		to->options = from->options;
		to->port = from->port;
	}
	pthread_mutex_unlock(&socks_lock);
}

/* ---- whose is it? ---- */

/* A request for the number of the family: 3. */
static bool
is_family_request(const uint8_t *data, size_t bytes)
{
	size_t at = NLMSG_HDRLEN + GENL_HDRLEN;

	if (bytes < at || data[NLMSG_HDRLEN] != CTRL_CMD_GETFAMILY)
		return false;
	while (at + NLA_HDRLEN <= bytes) {
		struct nlattr attr;
		size_t payload;

		memcpy(&attr, data + at, sizeof(attr));
		if (attr.nla_len < NLA_HDRLEN || attr.nla_len > bytes - at)
			return false;
		payload = attr.nla_len - NLA_HDRLEN;
		if ((attr.nla_type & NLA_TYPE_MASK) == CTRL_ATTR_FAMILY_NAME)
			return payload >= sizeof(FAMILY_NAME) - 1 &&
			       strnlen((const char *)data + at + NLA_HDRLEN, payload) ==
				       sizeof(FAMILY_NAME) - 1 &&
			       memcmp(data + at + NLA_HDRLEN, FAMILY_NAME,
				      sizeof(FAMILY_NAME) - 1) == 0;
		at += NLA_ALIGN(attr.nla_len);
	}
	return false;
}

static bool
is_tipc(int protocol, const uint8_t *data, size_t bytes)
{
	struct nlmsghdr hdr;

	if (bytes <= sizeof(hdr))
		return false;
	memcpy(&hdr, data, sizeof(hdr));
	if (protocol == NETLINK_SOCK_DIAG)
		return hdr.nlmsg_type == SOCK_DIAG_BY_FAMILY && data[NLMSG_HDRLEN] == FAMILY_TIPC;
	return hdr.nlmsg_type == GENL_ID_CTRL && is_family_request(data, bytes);
}

/* To the kernel's end of the protocol, rather than to another process? */
static bool
is_to_kernel(const struct msghdr *msg)
{
	struct sockaddr_nl addr;

	if (!msg->msg_name || msg->msg_namelen < sizeof(addr))
		return true;
	memcpy(&addr, msg->msg_name, sizeof(addr));
	return addr.nl_pid == 0 && addr.nl_groups == 0;
}

/* ---- the change ---- */

/* The kernel chooses one at the first send, if not before. */
static bool
port_get(int fd, uint32_t *port)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK};
	socklen_t len = sizeof(addr);

	if (dpt_real.getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		return false;
	if (!addr.nl_pid) {
		(void)dpt_real.bind(fd, (struct sockaddr *)&addr, sizeof(addr));
		len = sizeof(addr);
		(void)dpt_real.getsockname(fd, (struct sockaddr *)&addr, &len);
	}
	*port = addr.nl_pid;
	return true;
}

/* What was set on the old one. */
static void
settings_copy(int from, int to)
{
	static const int names[] = {SO_RCVTIMEO, SO_SNDTIMEO};
	struct timeval tv;
	unsigned int i;
	int flags;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		socklen_t len = sizeof(tv);

		if (dpt_real.getsockopt(from, SOL_SOCKET, names[i], &tv, &len) == 0)
			(void)dpt_real.setsockopt(to, SOL_SOCKET, names[i], &tv, len);
	}
	flags = dpt_real.fcntl(from, F_GETFL);
	if (flags >= 0)
		(void)dpt_real.fcntl(to, F_SETFL, flags & O_NONBLOCK);
}

/* Under socks_lock. true: fd leads to dptipcd now. */
static bool
redirect(struct nl_sock *sock)
{
	int fd, flags, rc;

	if (!port_get(sock->fd, &sock->port))
		return false;
	fd = dpt_client_netlink((uint32_t)sock->protocol, sock->options);
	if (fd < 0) {
		preload_say_why();
		return false;
	}
	settings_copy(sock->fd, fd);
	flags = dpt_real.fcntl(sock->fd, F_GETFD);
	rc = dpt_real.dup3(fd, sock->fd, flags >= 0 && (flags & FD_CLOEXEC) ? O_CLOEXEC : 0);
	dpt_real.close(fd);
	return rc >= 0;
}

/* Decide, once. */
static enum fd_kind
first_send(int fd, const struct msghdr *msg, const uint8_t *data, size_t bytes)
{
	int error = errno;
	struct nl_sock *sock;
	enum fd_kind kind;

	pthread_mutex_lock(&socks_lock);
	sock = sock_find(fd);
	kind = fd_noted(fd);
	if (sock && kind == FD_NL_NEW) {
		bool is_ours =
			is_to_kernel(msg) && is_tipc(sock->protocol, data, bytes) && redirect(sock);

		kind = is_ours ? FD_NL : FD_FOREIGN;
		fd_note(fd, kind);
		if (!is_ours)
			sock_drop(fd);
	}
	pthread_mutex_unlock(&socks_lock);
	errno = error;
	return kind;
}

/* ---- messages ---- */

/* The octets of a vector in one piece, to be freed. NULL: too long, or no memory. */
static uint8_t *
gather(const struct msghdr *msg, size_t *bytes)
{
	size_t i, at = 0;
	uint8_t *data;

	*bytes = 0;
	for (i = 0; i < msg->msg_iovlen; i++) {
		if (msg->msg_iov[i].iov_len > REQUEST_BYTES_MAX - *bytes)
			return NULL;
		*bytes += msg->msg_iov[i].iov_len;
	}
	data = malloc(*bytes + 1);
	for (i = 0; data && i < msg->msg_iovlen; i++) {
		memcpy(data + at, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
		at += msg->msg_iov[i].iov_len;
	}
	return data;
}

/* dptipcd returns it; `ss` looks for it: 2.3. */
static void
port_put(uint8_t *data, size_t bytes, uint32_t port)
{
	size_t at = 0;

	while (bytes - at >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr hdr;

		memcpy(&hdr, data + at, sizeof(hdr));
		hdr.nlmsg_pid = port;
		memcpy(data + at, &hdr, sizeof(hdr));
		if (hdr.nlmsg_len < sizeof(hdr) || NLMSG_ALIGN(hdr.nlmsg_len) >= bytes - at)
			return;
		at += NLMSG_ALIGN(hdr.nlmsg_len);
	}
}

/* An end must not look like an empty answer: 2.3. */
static ssize_t
refused(void)
{
	errno = ECONNREFUSED;
	return -1;
}

static ssize_t
result_of(ssize_t result)
{
	if (result < 0 && (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN))
		return refused();
	return result;
}

ssize_t
nl_send(int fd, const struct msghdr *msg, int flags, bool *is_ours)
{
	struct nl_sock sock = {0};
	uint8_t *data = NULL;
	size_t bytes = 0;
	ssize_t sent = -1;

	*is_ours = false;
	if (!msg || (msg->msg_iovlen && !msg->msg_iov))
		return -1;
	data = gather(msg, &bytes);
	/* Too long for a request of TIPC: the kernel's, until somebody says otherwise. */
	*is_ours = data && first_send(fd, msg, data, bytes) == FD_NL && sock_get(fd, &sock);
	if (*is_ours) {
		port_put(data, bytes, sock.port);
		sent = result_of(
			dpt_real.send(fd, data, bytes, (flags & MSG_DONTWAIT) | MSG_NOSIGNAL));
	}
	free(data);
	if (!*is_ours && fd_noted(fd) == FD_NL) {
		*is_ours = true;
		errno = EMSGSIZE;
	}
	return sent;
}

static void
address_put(struct sockaddr *addr, socklen_t *len, uint32_t port)
{
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_pid = port};

	memcpy(addr, &nl, *len < sizeof(nl) ? *len : sizeof(nl));
	*len = sizeof(nl);
}

ssize_t
nl_recv(int fd, struct msghdr *msg, int flags)
{
	socklen_t len = msg && msg->msg_name ? msg->msg_namelen : 0;
	ssize_t got = result_of(dpt_real.recvmsg(fd, msg, flags));

	if (got < 0)
		return -1;
	if (got == 0)
		return refused();
	if (msg->msg_name) {
		address_put(msg->msg_name, &len, 0);
		msg->msg_namelen = len;
	}
	return got;
}

/* ---- names, options ---- */

static int
name_get(int fd, struct sockaddr *addr, socklen_t *len, bool is_own)
{
	struct nl_sock sock = {0};

	if (!addr || !len) {
		errno = EFAULT;
		return -1;
	}
	(void)sock_get(fd, &sock);
	address_put(addr, len, is_own ? sock.port : 0);
	return 0;
}

int
nl_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	return name_get(fd, addr, len, true);
}

int
nl_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return name_get(fd, addr, len, false);
}

static uint32_t
option_of(int name)
{
	return name == NETLINK_CAP_ACK	 ? DPT_CLIENT_NL_CAP_ACK
	       : name == NETLINK_EXT_ACK ? DPT_CLIENT_NL_EXT_ACK
					 : 0;
}

int
nl_setsockopt(int fd, int name, const void *val, socklen_t len)
{
	struct nl_sock *sock;
	int on;

	if (!val || len < sizeof(on) || !option_of(name))
		return 0;
	memcpy(&on, val, sizeof(on));
	pthread_mutex_lock(&socks_lock);
	sock = sock_find(fd);
	if (sock)
		sock->options =
			on ? sock->options | option_of(name) : sock->options & ~option_of(name);
	pthread_mutex_unlock(&socks_lock);
	return 0;
}

int
nl_getsockopt(int fd, int level, int name, void *val, socklen_t *len, bool *is_ours)
{
	struct nl_sock sock = {0};
	int value = 0;

	*is_ours = sock_get(fd, &sock) && val && len && *len >= sizeof(value);
	if (level == SOL_SOCKET && name == SO_DOMAIN)
		value = AF_NETLINK;
	else if (level == SOL_SOCKET && name == SO_PROTOCOL)
		value = sock.protocol;
	else if (level == SOL_SOCKET && name == SO_TYPE)
		value = SOCK_RAW;
	else if (level == SOL_NETLINK && option_of(name))
		value = (sock.options & option_of(name)) != 0;
	else
		*is_ours = false;
	if (!*is_ours)
		return -1;
	memcpy(val, &value, sizeof(value));
	*len = sizeof(value);
	return 0;
}
