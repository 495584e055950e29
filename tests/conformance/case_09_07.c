/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 7: connect; 9.2, 9.3: what completes or ends it. */
#include "conform.h"

static void *
accept_later(void *l)
{
	until_others_sleep();
	MUST(accept(*(int *)l, NULL, NULL));
	return NULL;
}

static int
connect_to(int fd, const struct sockaddr *to)
{
	return connect(fd, to, ALEN);
}

CASE_CONN(09_7_3_blocking_connect_by_name)
{
	int l = listener(type, 1), c = sk(type);
	pthread_t t = begin(accept_later, &l);
	struct sockaddr_tipc a;
	socklen_t len = sizeof(a);

	DO(connect_to(c, svc(T, 1)));
	finish(t);
	DO(getpeername(c, (struct sockaddr *)&a, &len));
	BITS(c);
}

CASE_CONN(09_7_3_blocking_connect_by_socket_address)
{
	int l = listener(type, 1), c = sk(type);
	pthread_t t = begin(accept_later, &l);

	DO(connect_to(c, at_fd(l)));
	finish(t);
	BITS(c);
}

CASE_CONN(09_7_3_refused_blocking)
{
	int l = bound(type, 1), c = sk(type);

	DO(connect_to(c, svc(T, 1)));
	GETOPT(c, SOL_SOCKET, SO_ERROR);
	DO(connect_to(c, svc(T, 1)));
	BITS(c);
	RD(c, 100, 0);
	DO(send(c, "x", 1, 0));
	RX(c);
	BITS(c);
	(void)l;
}

CASE_CONN(09_7_3_refused_by_a_free_port)
{
	int l = sk(type), c = sk(type);
	uint32_t ref = ref_of(l);

	close(l);
	DO(connect_to(c, at(ref, own_node())));
	RX(c);
}

static const struct taker {
	const char *name;
} takers[] = {{"SO_ERROR"}, {"send"}, {"recv"}, {"recvmsg"}, {"connect"}, {"poll_only"}};

CASE_ROWS(09_7_3_pending_refusal_taken_by_, takers)
{
	for (int i = 0; i < 2; i++) {
		int type = i ? SOCK_STREAM : SOCK_SEQPACKET;
		int l = bound(type, 1), c = start_connect(type, svc(T, 1));

		await(c, POLLHUP);
		switch (row) {
		case 0:
			GETOPT(c, SOL_SOCKET, SO_ERROR);
			break;
		case 1:
			DO(send(c, "x", 1, 0));
			break;
		case 2:
			RD(c, 10, 0);
			break;
		case 3:
			RX(c);
			break;
		case 4:
			DO(connect_to(c, svc(T, 1)));
			break;
		}
		BITS(c);
		DO(send(c, "x", 1, 0));
		RD(c, 10, 0);
		RX(c);
		GETOPT(c, SOL_SOCKET, SO_ERROR);
		BITS(c);
		close(l);
		T++;
	}
}

CASE_CONN(09_7_3_timeout)
{
	int l = listener(type, 1), c = sk(type), s;

	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 80);
	DO(connect_to(c, svc(T, 1)));
	BITS(c);
	GETOPT(c, SOL_SOCKET, SO_ERROR);
	/* It goes on waiting. */
	DO(connect_to(c, svc(T, 1)));
	nonblock(c, true);
	DO(connect_to(c, svc(T, 1)));
	s = FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	DO(connect_to(c, svc(T, 1)));
	DO(send(c, "hello", 5, 0));
	RD(s, 100, 0);
}

CASE_CONN(09_7_4_continued_after_a_timeout)
{
	int l = listener(type, 1), c = sk(type);
	pthread_t t;

	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 30);
	DO(connect_to(c, svc(T, 1)));
	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 4000);
	t = begin(accept_later, &l);
	/* Another address: it is ignored. */
	DO(connect_to(c, svc(T, 7)));
	finish(t);
	BITS(c);
}

CASE_CONN(09_7_4_closed_after_a_timeout)
{
	int l = listener(type, 1), c = sk(type), s;

	KNOW(c);
	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 30);
	DO(connect_to(c, svc(T, 1)));
	DO(close(c));
	s = FD(accept(l, NULL, NULL));
	await(s, POLLHUP);
	BITS(s);
	RD(s, 100, 0);
	RX(s);
}

CASE_CONN(09_7_3_CONN_TIMEOUT_0_never_waits)
{
	int l = listener(type, 1), c = sk(type);

	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 0);
	DO(connect_to(c, svc(T, 1)));
	DO(connect_to(c, svc(T, 1)));
	FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	DO(connect_to(c, svc(T, 1)));
}

CASE_CONN(09_7_3_nonblocking)
{
	int l = listener(type, 1), c = sk(type);

	nonblock(c, true);
	DO(connect_to(c, svc(T, 1)));
	BITS(c);
	DO(connect_to(c, svc(T, 1)));
	FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	BITS(c);
	GETOPT(c, SOL_SOCKET, SO_ERROR);
	DO(connect_to(c, svc(T, 1)));
	DO(connect_to(c, svc(T, 9)));
}

CASE_CONN(09_7_3_signal_EINTR)
{
	int l = listener(type, 1), c = sk(type);

	alarms(0);
	DO(connect_to(c, svc(T, 1)));
	calm();
	BITS(c);
	FD(accept(l, NULL, NULL));
	DO(connect_to(c, svc(T, 1)));
}

CASE_CONN(09_7_3_signal_with_SA_RESTART)
{
	int l = listener(type, 1), c = sk(type);

	alarms(SA_RESTART);
	DO(connect_to(c, svc(T, 1)));
	(void)l;
}

static void *
shut_later(void *fd)
{
	until_others_sleep();
	DO(shutdown(*(int *)fd, SHUT_RDWR));
	return NULL;
}

CASE_CONN(09_7_3_shutdown_by_another_thread)
{
	int l = listener(type, 1), c = sk(type);
	pthread_t t = begin(shut_later, &c);
	int result = connect_to(c, svc(T, 1)), number = errno;

	finish(t);
	say("connect = %d %s", result, result ? errno_name(number) : "");
	BITS(c);
	(void)l;
}

/* ---- 7.2 ---- */

CASE_CONN(09_7_2_EHOSTUNREACH)
{
	int l, c = sk(type);

	DO(connect_to(c, svc(T, 1)));
	BITS(c);
	GETOPT(c, SOL_SOCKET, SO_ERROR);
	DO(connect_to(c, at(77777, 0x01003003)));
	DO(connect_to(c, svc_at(T, 1, 0x01003003)));
	DO(connect_to(c, svc_at(T, 1, own_node())));
	nonblock(c, true);
	DO(connect_to(c, svc(T, 1)));
	/* The socket is still OPEN. */
	l = listener(type, 1);
	DO(connect_to(c, svc(T, 1)));
	FD(accept(l, NULL, NULL));
}

CASE_CONN(09_7_2_domain_own_node)
{
	int l = listener(type, 1), c = sk(type);

	nonblock(c, true);
	DO(connect_to(c, svc_at(T, 1, own_node())));
	FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	BITS(c);
}

/* ---- 7.6 ---- */

static void
fill_listener(int type, int cnt)
{
	for (int i = 0; i < cnt; i++) {
		int c = sk(type);

		if (sendto(c, big, MSG_MAX, MSG_DONTWAIT, svc(T, 1), ALEN) != MSG_MAX)
			say("only %d requests", i);
	}
}

CASE_CONN(09_7_6_overloaded_listener_until_the_time_is_over)
{
	int l = listener(type, 1), c = sk(type);

	fill_listener(type, 15);
	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 150);
	DO(sendto(c, big, MSG_MAX, MSG_DONTWAIT, svc(T, 1), ALEN));
	BITS(c);
	DO(connect_to(c, svc(T, 1)));
	GETOPT(l, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
}

CASE_CONN(09_7_6_overloaded_listener_tried_again)
{
	int l = listener(type, 1), c = sk(type), s = -1;

	fill_listener(type, 15);
	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 4000);
	fill(big, MSG_MAX, 7);
	DO(sendto(c, big, MSG_MAX, MSG_DONTWAIT, svc(T, 1), ALEN));
	settle();
	GETOPT(l, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	for (int i = 0; i < 15; i++)
		MUST(close(MUST(accept(l, NULL, NULL))));
	DO(connect_to(c, svc(T, 1)) == -1 ? errno : 0);
	s = FD(accept(l, NULL, NULL));
	DO(connect_to(c, svc(T, 1)));
	RX(s);
}

/* ---- 9.2, 9.3 ---- */

CASE_CONN(09_9_2_importance_of_the_acknowledgement_is_taken_over)
{
	int l = listener(type, 1), c = sk(type), s;

	SETOPT(c, SOL_TIPC, TIPC_IMPORTANCE, 2);
	nonblock(c, true);
	DO(connect_to(c, svc(T, 1)));
	SETOPT(c, SOL_TIPC, TIPC_IMPORTANCE, 3);
	GETOPT(c, SOL_TIPC, TIPC_IMPORTANCE);
	s = FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	GETOPT(c, SOL_TIPC, TIPC_IMPORTANCE);
	GETOPT(s, SOL_TIPC, TIPC_IMPORTANCE);
}

CASE_CONN(09_9_3_row2_a_message_from_elsewhere_is_rejected)
{
	int l = listener(type, 1), c = start_connect(type, svc(T, 1)), other = returning(SOCK_RDM);

	KNOW(c);
	DO(sendto(other, "hello", 5, 0, at_fd(c), ALEN));
	RX(other);
	BITS(c);
	FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	BITS(c);
}

static const struct connectionless {
	const char *name;
	int type;
} less[] = {{"rdm", SOCK_RDM}, {"dgram", SOCK_DGRAM}};

CASE_ROWS(09_9_3_connect_to_connectionless_, less)
{
	int r = bound(less[row].type, 1), c = sk(SOCK_SEQPACKET), d = sk(SOCK_STREAM);

	KNOW(c);
	KNOW(d);
	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 60);
	DO(connect_to(c, svc(T, 1)));
	NONE(r);
	/* With data it is an ordinary message there. */
	DO(sendto(d, "request", 7, MSG_DONTWAIT, svc(T, 1), ALEN));
	RX(r);
	BITS(d);
}

CASE_CONN(09_9_3_quirk_refusal_of_a_socket_address_with_node_0)
{
	int l = sk(type), c = sk(type);

	SETOPT(c, SOL_TIPC, TIPC_CONN_TIMEOUT, 100);
	DO(connect_to(c, at(ref_of(l), 0)));
}

CASE_CONN(09_9_2_socket_address_with_node_0)
{
	int l = listener(type, 1), c = sk(type), s;
	struct sockaddr_tipc a;
	socklen_t len = sizeof(a);

	nonblock(c, true);
	DO(connect_to(c, at(ref_of(l), 0)));
	s = FD(accept(l, NULL, NULL));
	KNOW(s);
	await(c, POLLOUT);
	DO(getpeername(c, (struct sockaddr *)&a, &len));
	say("%s", addr_text(&a, len));
}

CASE_CONN(09_7_1_row6_range)
{
	int l = listener(type, 1), c = sk(type);

	DO(connect_to(c, rng(T, 1, 1)));
	DO(connect_to(c, rng(T, 2, 1)));
	BITS(l);
}

CASE_CONN(09_7_1_row3_AF_UNSPEC)
{
	struct sockaddr_tipc a = {.family = AF_UNSPEC};
	int c = sk(type);

	DO(connect(c, (struct sockaddr *)&a, ALEN));
	DO(connect(c, (struct sockaddr *)&a, 2));
}

CASE_LESS(09_7_1_row3_AF_UNSPEC_clears)
{
	struct sockaddr_tipc a = {.family = AF_UNSPEC};
	int s = sk(type), r = bound(SOCK_RDM, 1);

	KNOW(s);
	DO(connect_to(s, svc(T, 1)));
	DO(send(s, "one", 3, 0));
	RX(r);
	DO(connect(s, (struct sockaddr *)&a, 2));
	DO(connect(s, (struct sockaddr *)&a, ALEN));
	DO(send(s, "two", 3, 0));
}

CASE_LESS(09_7_1_row5_default_destination)
{
	int s = sk(type), a = bound(SOCK_RDM, 1), b = bound(SOCK_RDM, 2);

	KNOW(s);
	KNOW(a);
	DO(connect_to(s, svc(T, 8)));
	DO(send(s, "nobody", 6, 0));
	DO(connect_to(s, at_fd(a)));
	DO(send(s, "direct", 6, 0));
	RX(a);
	DO(connect_to(s, rng(T, 1, 2)));
	DO(send(s, "all", 3, 0));
	RX(a);
	RX(b);
	DO(connect_to(s, svc(T, 2)));
	DO(write(s, "write", 5));
	RX(b);
	DO(sendto(s, "elsewhere", 9, 0, svc(T, 1), ALEN));
	RX(a);
	/* It filters nothing. */
	DO(sendto(a, "unasked", 7, 0, at_fd(s), ALEN));
	RX(s);
}

CASE_TYPES(09_7_generic_errors)
{
	int s = sk(type), p[2];

	MUST(pipe(p));
	DO(connect_to(-1, svc(T, 1)));
	DO(connect_to(p[0], svc(T, 1)));
	DO(connect(s, NULL, ALEN));
	DO(connect(s, svc(T, 1), 0));
}
