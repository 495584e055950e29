/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 10.5: sending on connections; 10.6: the connect that a send implies;
 * 10.7: messages without data. */
#include "conform.h"

CASE_CONN(09_10_5_an_address_is_ignored_when_connected)
{
	struct trio t = connected(type);

	DO(sendto(t.c, "hello", 5, 0, svc(T, 77), ALEN));
	RX(t.s);
	DO(sendto(t.c, "hello", 5, 0, rng(T, 1, 77), ALEN));
	RX(t.s);
	DO(sendto(t.c, "hello", 5, 0, rng(T, 2, 1), ALEN));
	DO(sendto(t.c, "hello", 5, 0, svc(T, 1), 3));
	NONE(t.s);
}

static const struct lengths {
	const char *name;
	size_t len;
} lengths[] = {{"1", 1},	 {"1000", 1000},   {"1476", 1476},  {"1477", 1477},
	       {"10000", 10000}, {"66000", 66000}, {"66001", 66001}};

CASE_ROWS(09_10_5_seqpacket_message_of_, lengths)
{
	struct trio t = connected(SOCK_SEQPACKET);
	size_t len = lengths[row].len;

	fill(big, sizeof(big), (uint32_t)len);
	DO(send(t.c, big, len, 0));
	DO(send(t.c, "next", 4, 0));
	if (len <= MSG_MAX)
		RX(t.s);
	RX(t.s);
	DO(send(t.s, big, len, 0));
	DO(send(t.s, "next", 4, 0));
	if (len <= MSG_MAX)
		RX(t.c);
	RX(t.c);
}

CASE(09_10_5_seqpacket_keeps_boundaries)
{
	struct trio t = connected(SOCK_SEQPACKET);

	for (size_t i = 1; i <= 5; i++)
		MUST(send(t.c, "abcde", i, 0));
	for (size_t i = 1; i <= 5; i++)
		RX(t.s);
}

struct job {
	int fd;
	size_t len;
};

static void *
send_all(void *arg)
{
	struct job *j = arg;

	say("sent %zd", send(j->fd, big, j->len, 0));
	return NULL;
}

static const struct lengths stream_lengths[] = {{"65999", 65999},   {"66000", 66000},
						{"66001", 66001},   {"132000", 132000},
						{"200000", 200000}, {"1048576", 1048576}};

CASE_ROWS(09_10_5_stream_write_of_, stream_lengths)
{
	static uint8_t got[1 << 20];
	struct trio t = connected(SOCK_STREAM);
	struct job j = {t.c, stream_lengths[row].len};
	pthread_t thread;
	ssize_t n;

	fill(big, sizeof(big), 5);
	thread = begin(send_all, &j);
	n = recv(t.s, got, j.len, MSG_WAITALL);
	finish(thread);
	say("received %zd, the same %d", n, memcmp(got, big, j.len) == 0);
	NONE(t.s);
}

CASE(09_10_5_stream_partial_send)
{
	struct trio t = connected(SOCK_STREAM);

	/* Two pieces of 66000 cost 65 blocks each: then the window of 128 is exceeded. */
	DO(send(t.c, big, 400000, MSG_DONTWAIT));
	DO(send(t.c, big, 400000, MSG_DONTWAIT));
	BITS(t.c);
	RD(t.s, 66000, MSG_WAITALL);
	settle();
	DO(send(t.c, big, 400000, MSG_DONTWAIT));
}

CASE_CONN(09_10_5_SO_SNDTIMEO)
{
	struct trio t = connected(type);

	MUST(set_time(t.c, SO_SNDTIMEO, 50));
	say("%d messages", fill_up(t.c, 10000));
	DO(send(t.c, "x", 1, 0));
	DO(send(t.c, "x", 1, MSG_DONTWAIT));
	MUST(set_time(t.c, SO_SNDTIMEO, 0));
	nonblock(t.c, true);
	DO(send(t.c, "x", 1, 0));
}

static void *
send_one(void *arg)
{
	int fd = *(int *)arg;

	DO(send(fd, "late", 4, 0));
	return NULL;
}

CASE_CONN(09_10_5_a_sleeping_sender_is_woken)
{
	struct trio t = connected(type);
	pthread_t thread;
	int cnt = fill_up(t.c, 10000);

	say("%d messages", cnt);
	thread = begin(send_one, &t.c);
	until_others_sleep();
	for (int i = 0; i < cnt; i++)
		MUST(recv(t.s, big, 10000, MSG_WAITALL));
	finish(thread);
	RX(t.s);
}

CASE_CONN(09_10_5_a_sleeping_sender_and_the_peer_closes)
{
	struct trio t = connected(type);
	pthread_t thread;

	say("%d messages", fill_up(t.c, 10000));
	thread = begin(send_one, &t.c);
	until_others_sleep();
	close(t.s);
	finish(thread);
	RD(t.c, 10, 0);
}

CASE_CONN(09_10_5_signal_while_sending)
{
	struct trio t = connected(type);

	say("%d messages", fill_up(t.c, 10000));
	alarms(0);
	DO(send(t.c, "x", 1, 0));
	calm();
	MUST(set_time(t.c, SO_SNDTIMEO, 2000));
	alarms(SA_RESTART);
	DO(send(t.c, "x", 1, 0));
}

CASE(09_10_5_stream_signal_after_a_part)
{
	struct trio t = connected(SOCK_STREAM);

	alarms(0);
	DO(send(t.c, big, 400000, 0));
}

/* ---- 10.6 ---- */

CASE_CONN(09_10_6_row1_size)
{
	int l = listener(type, 1), c = sk(type), s;

	KNOW(c);
	DO(sendto(c, big, MSG_MAX + 1, 0, svc(T, 1), ALEN));
	BITS(c);
	fill(big, sizeof(big), 9);
	DO(sendto(c, big, MSG_MAX, MSG_DONTWAIT, svc(T, 1), ALEN));
	s = FD(accept(l, NULL, NULL));
	RX(s);
	know(s, "s");
}

CASE_CONN(09_10_6_row2_invalid_address)
{
	int c = sk(type);

	DO(sendto(c, "x", 1, 0, svc(T, 1), 15));
	DO(sendto(c, "x", 1, 0, rng(T, 2, 1), ALEN));
	BITS(c);
}

CASE_CONN(09_10_6_row3_socket_with_bindings)
{
	int l = listener(type, 1), c = bound(type, 2);

	DO(sendto(c, "x", 1, MSG_DONTWAIT, svc(T, 1), ALEN));
	BITS(c);
	(void)l;
}

CASE_CONN(09_10_6_row4_unreachable)
{
	int c = sk(type), l;

	DO(sendto(c, "x", 1, 0, svc(T, 1), ALEN));
	DO(sendto(c, "x", 1, 0, at(1234, 0x01003003), ALEN));
	l = listener(type, 1);
	/* Not harmed. */
	DO(sendto(c, "x", 1, MSG_DONTWAIT, svc(T, 1), ALEN));
	FD(accept(l, NULL, NULL));
}

CASE_CONN(09_10_6_row7_no_data)
{
	int l = listener(type, 1), c = sk(type), s;

	DO(sendto(c, "", 0, 0, svc(T, 1), ALEN));
	BITS(c);
	DO(send(c, "x", 1, MSG_DONTWAIT));
	s = FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	NONE(s);
	DO(send(c, "x", 1, 0));
	KNOW(c);
	RX(s);
}

CASE_CONN(09_10_6_row7_nonblocking)
{
	int l = listener(type, 1), c = sk(type), s;

	KNOW(c);
	nonblock(c, true);
	DO(sendto(c, "first", 5, 0, svc(T, 1), ALEN));
	DO(sendto(c, "again", 5, 0, svc(T, 1), ALEN));
	DO(connect(c, svc(T, 1), ALEN));
	s = FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	RX(s);
	DO(sendto(c, "second", 6, 0, svc(T, 1), ALEN));
	RX(s);
}

static void *
accept_later(void *l)
{
	until_others_sleep();
	MUST(accept(*(int *)l, NULL, NULL));
	return NULL;
}

CASE_CONN(09_10_6_row8_waits_until_established)
{
	int l = listener(type, 1), c = sk(type);
	pthread_t t = begin(accept_later, &l);
	long n = sendto(c, "first", 5, 0, svc(T, 1), ALEN);

	finish(t);
	say("sendto = %ld", n);
	BITS(c);
}

CASE_CONN(09_10_6_row8_refused_while_waiting)
{
	int l = bound(type, 1), c = sk(type);

	KNOW(l);
	DO(sendto(c, "first", 5, 0, svc(T, 1), ALEN));
	GETOPT(c, SOL_SOCKET, SO_ERROR);
	DO(send(c, "second", 6, 0));
	RD(c, 100, 0);
	RX(c);
	BITS(c);
}

CASE_CONN(09_10_6_refused_without_waiting)
{
	int l = bound(type, 1), c = sk(type), d = sk(type);

	KNOW(l);
	DO(sendto(c, "first", 5, MSG_DONTWAIT, svc(T, 1), ALEN));
	await(c, POLLHUP);
	RD(c, 100, 0);
	RD(c, 100, 0);
	RX(c);
	DO(sendto(d, "first", 5, MSG_DONTWAIT, svc(T, 1), ALEN));
	await(d, POLLHUP);
	DO(send(d, "x", 1, 0));
	DO(send(d, "x", 1, 0));
	RX(d);
}

CASE_CONN(09_10_6_refused_data_is_cut_to_1024)
{
	int l = bound(type, 1), c = sk(type);

	KNOW(l);
	fill(big, sizeof(big), 2);
	DO(sendto(c, big, 5000, 0, svc(T, 1), ALEN));
	RX(c);
}

CASE_CONN(09_10_6_by_socket_address)
{
	int l = listener(type, 1), c = sk(type), s;

	KNOW(c);
	DO(sendto(c, "first", 5, MSG_DONTWAIT, at_fd(l), ALEN));
	s = FD(accept(l, NULL, NULL));
	RX(s);
	await(c, POLLOUT);
	DO(send(s, "answer", 6, 0));
	KNOW(s);
	RX(c);
}

/* ---- 10.7 ---- */

CASE_CONN(09_10_7_row2_empty_send)
{
	struct trio t = connected(type);

	DO(send(t.c, "", 0, 0));
	DO(write(t.c, "", 0));
	NONE(t.s);
	DO(send(t.c, "data", 4, 0));
	RX(t.s);
	GETOPT(t.s, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
}

CASE(09_10_7_row2_quirk_empty_sends_do_not_shrink_the_window)
{
	struct trio t = connected(SOCK_SEQPACKET);

	/* Many times the window; what is skipped is read. */
	for (int i = 0; i < 500; i++) {
		if (send(t.c, "", 0, MSG_DONTWAIT) != 0) {
			say("empty send: %s", errno_name(errno));
			break;
		}
		if (i % 20 == 19) {
			settle();
			recv(t.s, big, 10, MSG_DONTWAIT);
			settle();
		}
	}
	settle();
	DO(send(t.c, "data", 4, MSG_DONTWAIT));
}
