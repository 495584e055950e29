/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 8: listen, accept. */
#include "conform.h"

CASE_LESS(09_8_1_listen_connectionless)
{
	int s = sk(type);

	DO(listen(s, 1));
	MUST(bind(s, rng(T, 1, 1), ALEN));
	DO(listen(s, 1));
	GETOPT(s, SOL_SOCKET, SO_ACCEPTCONN);
}

CASE_LESS(09_8_2_row1_accept_connectionless)
{
	int s = sk(type);

	DO(accept(s, NULL, NULL));
	DO(accept4(s, NULL, NULL, SOCK_NONBLOCK));
}

static const struct backlog {
	const char *name;
	int backlog;
} backlogs[] = {{"0", 0}, {"minus_1", -1}, {"1", 1}, {"100000", 100000}};

CASE_ROWS(09_8_1_backlog_is_ignored_, backlogs)
{
	int l = bound(SOCK_SEQPACKET, 1);

	DO(listen(l, backlogs[row].backlog));
	for (int i = 0; i < 20; i++)
		start_connect(SOCK_SEQPACKET, svc(T, 1));
	settle();
	GETOPT(l, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	for (int i = 0; i < 20; i++)
		MUST(accept(l, NULL, NULL));
	nonblock(l, true);
	DO(accept(l, NULL, NULL));
}

CASE_CONN(09_8_1_unbound_listener)
{
	int l = sk(type), c;

	DO(listen(l, 0));
	GETOPT(l, SOL_SOCKET, SO_ACCEPTCONN);
	c = start_connect(type, at_fd(l));
	FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	BITS(c);
}

CASE_CONN(09_8_1_bind_after_listen)
{
	int l = sk(type), c;

	DO(listen(l, 0));
	DO(bind(l, rng(T, 1, 1), ALEN));
	c = start_connect(type, svc(T, 1));
	FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	DO(bind(l, NULL, 0));
	nonblock(c, true);
	DO(connect(sk(type), svc(T, 1), ALEN));
}

CASE_CONN(09_8_2_row3_EAGAIN)
{
	int l = listener(type, 1);

	nonblock(l, true);
	DO(accept(l, NULL, NULL));
	nonblock(l, false);
	MUST(set_time(l, SO_RCVTIMEO, 50));
	DO(accept(l, NULL, NULL));
	DO(accept4(l, NULL, NULL, SOCK_NONBLOCK));
}

static void *
connect_later(void *type)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	until_signalled();
	until_others_sleep();
	start_connect(*(int *)type, svc(T, 1));
	return NULL;
}

CASE_CONN(09_8_2_row4_signal)
{
	int l = listener(type, 1);
	pthread_t t;

	alarms(0);
	DO(accept(l, NULL, NULL));
	/* Restarted when the wait has no limit. */
	alarms(SA_RESTART);
	t = begin(connect_later, &type);
	FD(accept(l, NULL, NULL));
	finish(t);
	calm();
	MUST(set_time(l, SO_RCVTIMEO, 3000));
	alarms(SA_RESTART);
	DO(accept(l, NULL, NULL));
}

CASE_CONN(09_8_2_row5_EMFILE_comes_first)
{
	struct rlimit r = {20, 20};
	int l = listener(type, 1), n = 0, o = sk(SOCK_RDM);

	start_connect(type, svc(T, 1));
	settle();
	MUST(setrlimit(RLIMIT_NOFILE, &r));
	while (dup(0) >= 0)
		n++;
	DO(accept(l, NULL, NULL));
	DO(accept(o, NULL, NULL));
	close(o);
	FD(accept(l, NULL, NULL));
}

CASE_CONN(09_8_2_oldest_first)
{
	int l = listener(type, 1), a = start_connect(type, svc(T, 1)), b, c;
	struct sockaddr_tipc from;
	socklen_t len;

	settle();
	b = start_connect(type, svc(T, 1));
	settle();
	c = start_connect(type, svc(T, 1));
	KNOW(a);
	KNOW(b);
	KNOW(c);
	for (int i = 0; i < 3; i++) {
		len = sizeof(from);
		FD(accept(l, (struct sockaddr *)&from, &len));
		say("%s", addr_text(&from, len));
	}
}

CASE(09_8_2_stream_to_seqpacket_listener)
{
	struct trio t = connected_types(SOCK_SEQPACKET, SOCK_STREAM, true);

	GETOPT(t.s, SOL_SOCKET, SO_TYPE);
	GETOPT(t.c, SOL_SOCKET, SO_TYPE);
	MUST(send(t.s, "one", 3, 0));
	MUST(send(t.s, "two", 3, 0));
	settle();
	RD(t.c, 100, 0);
	MUST(send(t.c, "three", 5, 0));
	MUST(send(t.c, "four", 4, 0));
	settle();
	RD(t.s, 100, 0);
	RD(t.s, 2, 0);
	NONE(t.s);
}

CASE(09_8_2_seqpacket_to_stream_listener)
{
	struct trio t = connected_types(SOCK_STREAM, SOCK_SEQPACKET, true);

	GETOPT(t.s, SOL_SOCKET, SO_TYPE);
	MUST(send(t.c, "one", 3, 0));
	MUST(send(t.c, "two", 3, 0));
	settle();
	RD(t.s, 100, 0);
	MUST(send(t.s, "three", 5, 0));
	MUST(send(t.s, "four", 4, 0));
	settle();
	RD(t.c, 2, 0);
	RD(t.c, 100, 0);
}

CASE_CONN(09_8_2_nothing_is_inherited)
{
	int l = bound(type, 1), c, s;

	MUST(listen(l, 1));
	SETOPT(l, SOL_TIPC, TIPC_IMPORTANCE, 3);
	SETOPT(l, SOL_TIPC, TIPC_DEST_DROPPABLE, 1);
	SETOPT(l, SOL_TIPC, TIPC_CONN_TIMEOUT, 1234);
	SETOPT(l, SOL_SOCKET, SO_RCVBUF, 50000);
	MUST(set_time(l, SO_RCVTIMEO, 3000));
	c = start_connect(type, svc(T, 1));
	(void)c;
	await(l, POLLIN);
	nonblock(l, true);
	s = FD(accept(l, NULL, NULL));
	GETOPT(s, SOL_TIPC, TIPC_IMPORTANCE);
	GETOPT(s, SOL_TIPC, TIPC_DEST_DROPPABLE);
	GETOPT(s, SOL_TIPC, TIPC_SRC_DROPPABLE);
	GETOPT(s, SOL_TIPC, TIPC_CONN_TIMEOUT);
	GETOPT(s, SOL_SOCKET, SO_RCVBUF);
	GETOPT(s, SOL_SOCKET, SO_ACCEPTCONN);
	GETOPT(s, SOL_SOCKET, SO_TYPE);
	say("nonblocking %d", (fcntl(s, F_GETFL) & O_NONBLOCK) != 0);
	say("close on exec %d", (fcntl(s, F_GETFD) & FD_CLOEXEC) != 0);
}

CASE_CONN(09_8_2_importance_of_the_request)
{
	int l = listener(type, 1), c, s;

	for (int i = 0; i < 4; i++) {
		c = sk(type);
		SETOPT(c, SOL_TIPC, TIPC_IMPORTANCE, (uint32_t)i);
		nonblock(c, true);
		connect(c, svc(T, 1), ALEN);
		s = FD(accept(l, NULL, NULL));
		GETOPT(s, SOL_TIPC, TIPC_IMPORTANCE);
	}
}

CASE_CONN(09_8_2_accept4_flags)
{
	int l = listener(type, 1), s;

	start_connect(type, svc(T, 1));
	s = FD(accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
	say("nonblocking %d", (fcntl(s, F_GETFL) & O_NONBLOCK) != 0);
	say("close on exec %d", (fcntl(s, F_GETFD) & FD_CLOEXEC) != 0);
	DO(accept4(l, NULL, NULL, 0x10000));
}

CASE_CONN(09_8_2_peer_address)
{
	int l = listener(type, 1);
	union {
		struct sockaddr_tipc a;
		uint8_t room[64];
	} u;
	socklen_t len;

	for (int i = 0; i < 4; i++) {
		int c = start_connect(type, svc(T, 1));

		len = (socklen_t[]){16, 64, 4, 0}[i];
		know(c, "c");
		memset(&u, 0xee, sizeof(u));
		FD(accept(l, (struct sockaddr *)u.room, &len));
		say("length %u, octet 16 %02x", len, u.room[16]);
		if (i < 2)
			say("%s", addr_text(&u.a, len));
	}
}

CASE_CONN(09_8_2_service_address_is_told_at_both_ends)
{
	struct trio t = connected_types(type, type, true);

	MUST(send(t.c, "to server", 9, 0));
	RX(t.s);
	MUST(send(t.s, "to client", 9, 0));
	RX(t.c);
}

CASE_CONN(09_8_2_no_service_address_by_socket_address)
{
	struct trio t = connected_types(type, type, false);

	MUST(send(t.c, "to server", 9, 0));
	RX(t.s);
	MUST(send(t.s, "to client", 9, 0));
	RX(t.c);
}

CASE_CONN(09_8_2_request_with_data)
{
	int l = listener(type, 1), c = sk(type), s;

	KNOW(c);
	DO(sendto(c, "first", 5, MSG_DONTWAIT, svc(T, 1), ALEN));
	BITS(l);
	s = FD(accept(l, NULL, NULL));
	KNOW(s);
	BITS(s);
	await(c, POLLOUT);
	DO(send(c, "second", 6, 0));
	RX_FLAGS(s, 5, 0);
	RX(s);
	DO(send(s, "answer", 6, 0));
	RX(c);
}

CASE_CONN(09_8_2_quirk_recv_on_a_listener)
{
	int l = listener(type, 1), c = sk(type);

	KNOW(c);
	DO(sendto(c, "first", 5, MSG_DONTWAIT, svc(T, 1), ALEN));
	NONE(l);
	RD(l, 100, MSG_DONTWAIT);
}

CASE_CONN(09_8_2_shutdown_of_a_listener)
{
	int l = listener(type, 1), c = start_connect(type, svc(T, 1)), d = sk(type), s;

	KNOW(l);
	DO(sendto(d, "data", 4, MSG_DONTWAIT, svc(T, 1), ALEN));
	settle();
	DO(shutdown(l, SHUT_RDWR));
	await(c, POLLHUP);
	GETOPT(c, SOL_SOCKET, SO_ERROR);
	RX(c);
	await(d, POLLHUP);
	RD(d, 100, 0);
	RX(d);
	BITS(l);
	/* It listens still. */
	c = start_connect(type, svc(T, 1));
	BITS(l);
	s = FD(accept(l, NULL, NULL));
	(void)s;
	await(c, POLLOUT);
	BITS(c);
	nonblock(l, true);
	DO(accept(l, NULL, NULL));
}

CASE_CONN(09_8_2_close_of_a_listener_refuses)
{
	int l = listener(type, 1), c = start_connect(type, svc(T, 1)), d = sk(type);

	DO(sendto(d, "data", 4, MSG_DONTWAIT, at_fd(l), ALEN));
	KNOW(l);
	settle();
	close(l);
	await(c, POLLHUP);
	GETOPT(c, SOL_SOCKET, SO_ERROR);
	RX(c);
	await(d, POLLHUP);
	GETOPT(d, SOL_SOCKET, SO_ERROR);
	RX(d);
}

CASE_CONN(09_8_accepted_connection_outlives_the_listener)
{
	struct trio t = connected(type);

	close(t.l);
	DO(send(t.c, "still", 5, 0));
	RX(t.s);
}

static void *
accept_one(void *l)
{
	int s = accept(*(int *)l, NULL, NULL);

	return (void *)(intptr_t)(s >= 0);
}

CASE_CONN(09_27_5_each_request_to_one_of_several_threads)
{
	int l = listener(type, 1), got = 0;
	pthread_t t[4];
	void *result;

	for (int i = 0; i < 4; i++)
		t[i] = begin(accept_one, &l);
	until_others_sleep();
	for (int i = 0; i < 4; i++)
		start_connect(type, svc(T, 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		got += (int)(intptr_t)result;
	}
	say("%d accepted", got);
	nonblock(l, true);
	DO(accept(l, NULL, NULL));
}

CASE(09_8_generic_errors)
{
	int p[2];

	MUST(pipe(p));
	DO(accept(-1, NULL, NULL));
	DO(accept(p[0], NULL, NULL));
	DO(listen(-1, 1));
	DO(listen(p[0], 1));
}
