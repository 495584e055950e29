/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 4: each call in each state of a connection-type socket, and 18: poll. */
#include "conform.h"

static const struct state {
	const char *name;
} states[] = {
	{"OPEN"},
	{"BOUND"},
	{"LISTEN"},
	{"CONNECTING"},
	{"ESTABLISHED"},
	{"ACCEPTED"},
	{"REFUSED"},
	{"PEER_SHUT_DOWN"},
	{"PEER_CLOSED"},
	{"SHUT_DOWN"},
	{"CONNECTING_SHUT_DOWN"},
	{"END_READ"},
	{"LISTEN_SHUT_DOWN"},
	{"OPEN_SHUT_DOWN"},
};
enum {
	OPEN,
	BOUND,
	LISTEN,
	CONNECTING,
	ESTABLISHED,
	ACCEPTED,
	REFUSED,
	PEER_SHUT_DOWN,
	PEER_CLOSED,
	SHUT_DOWN,
	CONNECTING_SHUT_DOWN,
	END_READ,
	LISTEN_SHUT_DOWN,
	OPEN_SHUT_DOWN
};

/* A socket in a state. What belongs to it stays open. */
static int
in_unconnected(int state, int type)
{
	int s = sk(type);

	if (state == BOUND)
		MUST(bind(s, rng(T, 9, 9), ALEN));
	if (state == LISTEN || state == LISTEN_SHUT_DOWN)
		MUST(listen(s, 5));
	if (state == LISTEN_SHUT_DOWN || state == OPEN_SHUT_DOWN)
		shutdown(s, SHUT_RDWR);
	return s;
}

static int
in_setup(int state, int type)
{
	int l = state == REFUSED ? bound(type, 1) : listener(type, 1);
	int c = start_connect(type, svc(T, 1));

	if (state == REFUSED)
		await(c, POLLHUP);
	if (state == CONNECTING_SHUT_DOWN)
		MUST(shutdown(c, SHUT_RDWR));
	(void)l;
	return c;
}

static int
in_connected(int state, int type)
{
	struct trio t = connected(type);
	char text[8];

	switch (state) {
	case ACCEPTED:
		return t.s;
	case PEER_SHUT_DOWN:
	case END_READ:
		MUST(shutdown(t.s, SHUT_RDWR));
		await(t.c, POLLHUP);
		if (state == END_READ)
			MUST(recv(t.c, text, sizeof(text), 0));
		break;
	case PEER_CLOSED:
		MUST(close(t.s));
		await(t.c, POLLHUP);
		break;
	case SHUT_DOWN:
		MUST(shutdown(t.c, SHUT_RDWR));
		break;
	}
	return t.c;
}

static int
in_state(int state, int type)
{
	int s;

	if (state == OPEN || state == BOUND || state == LISTEN || state == LISTEN_SHUT_DOWN ||
	    state == OPEN_SHUT_DOWN)
		s = in_unconnected(state, type);
	else if (state == CONNECTING || state == REFUSED || state == CONNECTING_SHUT_DOWN)
		s = in_setup(state, type);
	else
		s = in_connected(state, type);
	settle();
	return s;
}

/* Each case: one kind of call, in both connection types, the socket in that state. */
#define IN_EACH_STATE(id)                                                                          \
	static void each_##id(int s);                                                              \
	CASE_ROWS(id, states)                                                                      \
	{                                                                                          \
		say("seqpacket");                                                                  \
		each_##id(in_state(row, SOCK_SEQPACKET));                                          \
		T++;                                                                               \
		say("stream");                                                                     \
		each_##id(in_state(row, SOCK_STREAM));                                             \
	}                                                                                          \
	static void each_##id(int s)

IN_EACH_STATE(09_18_poll_in_state_)
{
	BITS(s);
}

IN_EACH_STATE(09_4_listen_in_state_)
{
	DO(listen(s, 1));
	BITS(s);
	DO(listen(s, 1));
}

IN_EACH_STATE(09_8_2_accept_in_state_)
{
	nonblock(s, true);
	DO(accept(s, NULL, NULL));
}

IN_EACH_STATE(09_5_1_bind_in_state_)
{
	DO(bind(s, rng(T, 9, 9), ALEN));
	DO(bind(s, rng_scope(T, 9, 9, -TIPC_CLUSTER_SCOPE), ALEN));
	DO(bind(s, NULL, 0));
}

IN_EACH_STATE(09_7_1_connect_in_state_)
{
	int other = listener(SOCK_SEQPACKET, 5);

	(void)other;
	nonblock(s, true);
	DO(connect(s, svc(T, 5), ALEN));
	DO(connect(s, rng(T, 5, 5), ALEN));
}

IN_EACH_STATE(09_10_5_send_in_state_)
{
	DO(send(s, "hello", 5, MSG_DONTWAIT));
	DO(send(s, "again", 5, MSG_DONTWAIT));
	GETOPT(s, SOL_SOCKET, SO_ERROR);
}

IN_EACH_STATE(09_10_5_send_of_66001_in_state_)
{
	DO(send(s, big, MSG_MAX + 1, MSG_DONTWAIT));
}

IN_EACH_STATE(09_10_5_sendto_in_state_)
{
	/* Only in OPEN the address means anything: there nobody has that name. */
	DO(sendto(s, "hello", 5, MSG_DONTWAIT, svc(T, 8), ALEN));
}

IN_EACH_STATE(09_16_1_recv_in_state_)
{
	RD(s, 100, MSG_DONTWAIT);
	RD(s, 100, MSG_DONTWAIT | MSG_PEEK);
	GETOPT(s, SOL_SOCKET, SO_ERROR);
	RD(s, 0, MSG_DONTWAIT);
	BITS(s);
}

IN_EACH_STATE(09_16_4_recvmsg_in_state_)
{
	NONE(s);
	BITS(s);
}

IN_EACH_STATE(09_6_getpeername_in_state_)
{
	struct sockaddr_tipc a;
	socklen_t len = sizeof(a);

	DO(getpeername(s, (struct sockaddr *)&a, &len));
	DO(getsockname(s, (struct sockaddr *)&a, &len));
}

IN_EACH_STATE(09_17_2_shutdown_in_state_)
{
	DO(shutdown(s, SHUT_RDWR));
	BITS(s);
	DO(shutdown(s, SHUT_RDWR));
	GETOPT(s, SOL_SOCKET, SO_ERROR);
	RD(s, 100, MSG_DONTWAIT);
}

IN_EACH_STATE(09_19_1_options_in_state_)
{
	SETOPT(s, SOL_TIPC, TIPC_IMPORTANCE, 2);
	SETOPT(s, SOL_TIPC, TIPC_DEST_DROPPABLE, 1);
	SETOPT(s, SOL_TIPC, TIPC_CONN_TIMEOUT, 100);
	SETOPT(s, SOL_TIPC, TIPC_NODELAY, 1);
	GETOPT(s, SOL_TIPC, TIPC_IMPORTANCE);
	GETOPT(s, SOL_TIPC, TIPC_DEST_DROPPABLE);
	GETOPT(s, SOL_TIPC, TIPC_CONN_TIMEOUT);
	GETOPT(s, SOL_SOCKET, SO_ACCEPTCONN);
	GETOPT(s, SOL_SOCKET, SO_TYPE);
}

IN_EACH_STATE(09_17_3_close_in_state_)
{
	DO(close(s));
	DO(close(s));
}

/* ---- 18, connectionless ---- */

CASE_LESS(09_18_poll_connectionless)
{
	int s = bound(type, 1), from = sk(SOCK_RDM);

	KNOW(from);
	BITS(s);
	MUST(sendto(from, "x", 1, 0, svc(T, 1), ALEN));
	BITS(s);
	RX(s);
	BITS(s);
	DO(shutdown(s, SHUT_RDWR));
	BITS(s);
	MUST(sendto(from, "x", 1, 0, svc(T, 1), ALEN));
	BITS(s);
	RX(s);
	BITS(s);
}

CASE_CONN(09_18_poll_listener_with_a_request)
{
	int l = listener(type, 1);

	BITS(l);
	start_connect(type, svc(T, 1));
	BITS(l);
	FD(accept(l, NULL, NULL));
	BITS(l);
}

CASE_CONN(09_18_poll_established_with_data)
{
	struct trio t = connected(type);

	MUST(send(t.c, "data", 4, 0));
	BITS(t.s);
	MUST(shutdown(t.c, SHUT_RDWR));
	BITS(t.s);
	RX(t.s);
	BITS(t.s);
	RX(t.s);
	BITS(t.s);
}

CASE_CONN(09_18_poll_full_window)
{
	struct trio t = connected(type);

	say("%d messages", fill_up(t.c, 10000));
	BITS(t.c);
	BITS(t.s);
	for (int i = 0; i < 6; i++)
		MUST(recv(t.s, big, 10000, MSG_WAITALL));
	BITS(t.c);
}

CASE(09_18_poll_of_many)
{
	struct pollfd p[5];

	for (int i = 0; i < 5; i++)
		p[i] = (struct pollfd){.fd = bound(SOCK_RDM, (uint32_t)i), .events = POLLIN};
	MUST(sendto(p[0].fd, "x", 1, 0, svc(T, 3), ALEN));
	MUST(sendto(p[0].fd, "x", 1, 0, svc(T, 1), ALEN));
	settle();
	p[4].fd = -1;
	DO(poll(p, 5, 1000));
	for (int i = 0; i < 5; i++)
		say("%d: %s", i, poll_text(p[i].revents));
	close(p[2].fd);
	DO(poll(p, 5, 1000));
	say("closed: %s", poll_text(p[2].revents));
	p[1].fd = p[3].fd = p[2].fd = -1;
	DO(poll(p, 5, 30));
	DO(poll(NULL, 0, 10));
}

static void *
send_later(void *to)
{
	int s = sk(SOCK_RDM);

	until_others_sleep();
	MUST(sendto(s, "x", 1, 0, to, ALEN));
	return NULL;
}

CASE(09_18_poll_waits)
{
	int s = bound(SOCK_RDM, 1);
	struct pollfd p = {.fd = s, .events = POLLIN};
	struct sockaddr_tipc to;
	pthread_t t;

	memcpy(&to, svc(T, 1), ALEN);
	t = begin(send_later, &to);
	DO(poll(&p, 1, 4000));
	say("%s", poll_text(p.revents));
	finish(t);
}
