/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where applications connect, and who may. Without --allow-uid and --allow-gid any user may,
 * as with kernel TIPC sockets; else root, dptipcd's own user, and those that are named. What
 * counts are the kernel's words about the peer: SO_PEERCRED, SO_PEERGROUPS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

/* Connections that wait for accept. Our choice: a burst of starting processes. */
#define LISTEN_BACKLOG 256
/* Supplementary groups of a peer that are looked at. Our choice. */
#define LISTEN_GROUPS_MAX 1024

static bool
ids_have(const uint32_t *ids, uint32_t cnt, uint32_t id)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static bool
listen_is_allowed(const struct args *args, int fd, const struct ucred *peer)
{
	gid_t groups[LISTEN_GROUPS_MAX];
	socklen_t bytes = sizeof(groups);

	if (args->allow_uids_cnt == 0 && args->allow_gids_cnt == 0)
		return true;
	if (peer->uid == 0 || peer->uid == geteuid() ||
	    ids_have(args->allow_uids, args->allow_uids_cnt, peer->uid) ||
	    ids_have(args->allow_gids, args->allow_gids_cnt, peer->gid))
		return true;
	if (args->allow_gids_cnt == 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) != 0)
		return false;
	for (uint32_t i = 0; i < bytes / sizeof(groups[0]); i++)
		if (ids_have(args->allow_gids, args->allow_gids_cnt, groups[i]))
			return true;
	return false;
}

/* Say why, in the form of an answer to HELLO, and hang up. */
static void
listen_refuse(struct control *control, int fd, int error)
{
	struct dpt_attach_msg msg = {
		.op = DPT_ATTACH_HELLO, .result = error, .arg = {DPT_SHM_ABI_VERSION}};

	control->refused_attaches++;
	send(fd, &msg, sizeof(msg), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

/* No descriptor left: give the spare one up for a moment, so that the peer is not left
 * waiting and we do not turn in circles. */
static void
listen_no_fd(struct control *control, int listen_fd)
{
	int fd;

	close(control->spare_fd);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		listen_refuse(control, fd, EMFILE);
	control->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
listen_event(struct source *source, uint32_t events)
{
	struct listener *listener = (struct listener *)source;
	struct control *control = listener->control;
	struct ucred peer;
	socklen_t bytes = sizeof(peer);
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			listen_no_fd(control, listener->fd);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0)
		listen_refuse(control, fd, errno);
	else if (control->conns_cnt == CONTROL_CONNS_MAX)
		listen_refuse(control, fd, EUSERS);
	else
		conn_new(control, fd, &peer,
			 listen_is_allowed(control->args, fd, &peer) ? 0 : EACCES);
}

static int
listen_add(struct control *control, const struct sockaddr_un *addr, socklen_t bytes)
{
	struct listener *listener = &control->listeners[control->listeners_cnt];
	int rc;

	listener->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	listener->source.event = listen_event;
	listener->control = control;
	if (bind(listener->fd, (const struct sockaddr *)addr, bytes) != 0 ||
	    listen(listener->fd, LISTEN_BACKLOG) != 0) {
		rc = -errno;
		close(listener->fd);
		return rc;
	}
	rc = control_watch(control, listener->fd, &listener->source, EPOLLIN);
	if (rc != 0) {
		close(listener->fd);
		return rc;
	}
	control->listeners_cnt++;
	return 0;
}

static int
listen_abstract(struct control *control, char *error, size_t error_bytes)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int len = snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, DPT_ATTACH_PREFIX "%s",
			   control->args->name);
	int rc = listen_add(control, &addr,
			    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len));

	if (rc == -EADDRINUSE)
		snprintf(error, error_bytes,
			 "--name: %s: another dptipcd has this name; stop it or choose another "
			 "name with --name",
			 control->args->name);
	else if (rc != 0)
		snprintf(error, error_bytes, "--name: %s: %s", control->args->name, strerror(-rc));
	return rc;
}

/* Nobody listens behind a socket file that a crash has left. */
static bool
listen_is_stale(const struct sockaddr_un *addr)
{
	struct stat info;
	int fd, rc;

	if (stat(addr->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	rc = rc != 0 && errno == ECONNREFUSED;
	close(fd);
	return rc != 0;
}

static int
listen_path(struct control *control, char *error, size_t error_bytes)
{
	const struct args *args = control->args;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int rc;

	if (args->socket_path[0] == '\0')
		return 0;
	memcpy(addr.sun_path, args->socket_path, sizeof(addr.sun_path));
	if (listen_is_stale(&addr))
		unlink(addr.sun_path);
	rc = listen_add(control, &addr, sizeof(addr));
	if (rc == 0 && chmod(addr.sun_path, (mode_t)args->socket_mode) != 0)
		rc = -errno;
	if (rc != 0)
		snprintf(error, error_bytes, "--socket: %s: %s", args->socket_path,
			 rc == -EADDRINUSE ? "something is there: another dptipcd, or a file; "
					     "choose another path"
					   : strerror(-rc));
	return rc;
}

int
listen_open(struct control *control, char *error, size_t error_bytes)
{
	if (listen_abstract(control, error, error_bytes) != 0)
		return -1;
	return listen_path(control, error, error_bytes) == 0 ? 0 : -1;
}

void
listen_close(struct control *control)
{
	if (control->listeners_cnt > 1)
		unlink(control->args->socket_path);
	while (control->listeners_cnt > 0)
		close(control->listeners[--control->listeners_cnt].fd);
}
