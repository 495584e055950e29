/* SPDX-License-Identifier: BSD-3-Clause */

/* Connections to dptipcd that carry netlink datagrams. 13-netlink.md, 2.3. */

#include "client_priv.h"
#include "dpt_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

_Static_assert(DPT_CLIENT_NL_CAP_ACK == DPT_ATTACH_NL_CAP_ACK, "options");
_Static_assert(DPT_CLIENT_NL_EXT_ACK == DPT_ATTACH_NL_EXT_ACK, "options");
_Static_assert(sizeof(DPT_CLIENT_ATTACH_PREFIX) == sizeof(DPT_ATTACH_PREFIX), "prefix");

/* The answer of a dptipcd that knows what we want. Returns 0, or -1 and errno. */
static int
netlink_ask(int fd, const char *name, struct dpt_attach_msg *msg)
{
	ssize_t got = send(fd, msg, sizeof(*msg), MSG_NOSIGNAL);

	if (got == sizeof(*msg))
		do
			got = recv(fd, msg, sizeof(*msg), 0);
		while (got < 0 && errno == EINTR);
	if (got != sizeof(*msg))
		return fail(EAFNOSUPPORT, "dptipcd \"%s\" does not answer", name);
	if (msg->op != DPT_ATTACH_NETLINK)
		return fail(EPROTONOSUPPORT, "dptipcd \"%s\" knows no netlink: update it", name);
	if (msg->result)
		return fail(msg->result, "dptipcd \"%s\" refuses netlink: %s", name,
			    strerror(msg->result));
	return 0;
}

int
dpt_client_netlink(uint32_t protocol, uint32_t options)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_NETLINK, .arg = {protocol, options}};
	const struct timeval none = {0};
	struct attach *att;
	int fd = -1, error;

	pthread_mutex_lock(&table_lock);
	att = attach_begin(attach_name());
	pthread_mutex_unlock(&table_lock);
	if (!att)
		return -1;
	if (netlink_ask(att->fd, att->name, &msg) < 0) {
		attach_drop(att);
		return -1;
	}
	fd = fcntl(att->fd, F_DUPFD_CLOEXEC, 0);
	error = errno;
	attach_drop(att);
	if (fd < 0)
		return fail_errno(error);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	return fd;
}
