/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends of all kinds, opened in the ways that programs have. */
#include "mixed.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICE_TYPE   18900
#define GENERATION_MIN 20
#define GENERATION_MAX 400

static struct end *listeners[KINDS];
static struct sockaddr_in tcp_addr;

static struct end *
end_new(enum role role, enum kind kind, int fd, struct channel *channel)
{
	struct end *end = calloc(1, sizeof(*end));
	const char *folder = getenv("TMPDIR");

	if (end == NULL)
		mixed_die("calloc", __FILE__, __LINE__);
	MUST(fd);
	end->role = role;
	end->kind = kind;
	end->fd = fd;
	end->channel = channel;
	end->file = -1;
	if (role == ROLE_RECV)
		MUST(end->file =
			     open(folder ? folder : "/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
	return end;
}

static struct sockaddr_tipc
service(enum kind kind)
{
	struct sockaddr_tipc addr = {.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR};

	addr.addr.name.name.type = SERVICE_TYPE;
	addr.addr.name.name.instance = kind;
	return addr;
}

static int
tipc_type(enum kind kind)
{
	return kind == KIND_STREAM ? SOCK_STREAM : SOCK_SEQPACKET;
}

static void
listen_one(enum kind kind, int fd, const void *addr, socklen_t len)
{
	MUST(fd);
	MUST(bind(fd, addr, len));
	MUST(listen(fd, 64));
	listeners[kind] = end_new(ROLE_LISTEN, kind, fd, NULL);
	mixed_arm(listeners[kind], EPOLLIN, true);
}

void
mixed_listen(void)
{
	static const enum kind tipc[] = {KIND_SEQPACKET, KIND_STREAM};
	socklen_t len = sizeof(tcp_addr);

	tcp_addr = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listen_one(KIND_TCP, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), &tcp_addr, len);
	MUST(getsockname(listeners[KIND_TCP]->fd, (struct sockaddr *)&tcp_addr, &len));
	for (int i = 0; i < 2; i++) {
		struct sockaddr_tipc addr = service(tipc[i]);

		listen_one(tipc[i], socket(AF_TIPC, tipc_type(tipc[i]) | SOCK_NONBLOCK, 0), &addr,
			   sizeof(addr));
	}
}

void
mixed_unlisten(void)
{
	for (int kind = 0; kind < KINDS; kind++) {
		if (listeners[kind] == NULL)
			continue;
		MUST(close(listeners[kind]->fd));
		free(listeners[kind]);
		listeners[kind] = NULL;
	}
}

void
mixed_accept(struct end *listener)
{
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		mixed_arm(end_new(ROLE_RECV, listener->kind, fd, NULL), EPOLLIN, true);
	if (errno != EAGAIN && errno != EINTR)
		mixed_die("accept4", __FILE__, __LINE__);
	mixed_arm(listener, EPOLLIN, false);
}

/* Connect without blocking; the end is writable when it is done. */
static void
dial(struct channel *channel)
{
	struct sockaddr_tipc tipc = service(channel->kind);
	bool is_tcp = channel->kind == KIND_TCP;
	const void *addr = is_tcp ? (const void *)&tcp_addr : &tipc;
	int fd = socket(is_tcp ? AF_INET : AF_TIPC, is_tcp ? SOCK_STREAM : tipc_type(channel->kind),
			0);
	struct end *end = end_new(ROLE_SEND, channel->kind, fd, channel);
	int on = 1;

	/* (another way to say O_NONBLOCK) */
	MUST(ioctl(fd, FIONBIO, &on));
	if (connect(fd, addr, is_tcp ? sizeof(tcp_addr) : sizeof(tipc)) != 0 &&
	    errno != EINPROGRESS)
		mixed_die("connect", __FILE__, __LINE__);
	mixed_arm(end, EPOLLOUT, true);
}

static void
non_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	MUST(flags);
	MUST(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

static void
both(struct channel *channel, int sender, int receiver)
{
	struct end *s = end_new(ROLE_SEND, channel->kind, sender, channel);
	struct end *r = end_new(ROLE_RECV, channel->kind, receiver, channel);

	s->is_connected = true;
	mixed_arm(r, EPOLLIN, true);
	mixed_arm(s, EPOLLOUT, true);
}

static void
pair(struct channel *channel)
{
	int fds[2], swap;

	if (channel->kind == KIND_PIPE) {
		MUST(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
		swap = fds[0];
		fds[0] = fds[1];
		fds[1] = swap;
	} else if (channel->kind == KIND_UNIX) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	} else {
		MUST(socketpair(AF_TIPC, SOCK_STREAM, 0, fds));
		non_blocking(fds[0]);
		non_blocking(fds[1]);
	}
	/* A copy under another number takes over. */
	MUST(swap = fcntl(fds[0], F_DUPFD_CLOEXEC, 100));
	MUST(close(fds[0]));
	both(channel, swap, fds[1]);
}

static void
messages(struct channel *channel)
{
	socklen_t len = sizeof(channel->rdm);
	int receiver, sender;

	MUST(receiver = socket(AF_TIPC, SOCK_RDM | SOCK_NONBLOCK, 0));
	MUST(getsockname(receiver, (struct sockaddr *)&channel->rdm, &len));
	MUST(sender = socket(AF_TIPC, SOCK_RDM | SOCK_NONBLOCK, 0));
	both(channel, sender, receiver);
}

void
mixed_open(struct channel *channel)
{
	channel->generation++;
	channel->limit =
		GENERATION_MIN + (channel->generation * 2654435761u + channel->id * 40503u) %
					 (GENERATION_MAX - GENERATION_MIN);
	atomic_store(&channel->ends_left, 2);
	switch (channel->kind) {
	case KIND_TCP:
	case KIND_SEQPACKET:
	case KIND_STREAM:
		dial(channel);
		break;
	case KIND_RDM:
		messages(channel);
		break;
	default:
		pair(channel);
		break;
	}
}
