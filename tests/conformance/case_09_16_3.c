/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 16.3: receiving a stream; 16.4 on connections; 17: shutdown and close. */
#include "conform.h"

static struct trio
stream_with(const char *one, const char *two, const char *three)
{
	struct trio t = connected(SOCK_STREAM);
	const char *all[] = {one, two, three};

	for (int i = 0; i < 3; i++)
		if (all[i] != NULL)
			MUST(send(t.c, all[i], strlen(all[i]), 0));
	settle();
	return t;
}

CASE(09_16_3_messages_are_merged)
{
	struct trio t = stream_with("one", "two", "three");

	RX_FLAGS(t.s, 100, 0);
	NONE(t.s);
}

CASE(09_16_3_until_the_buffer_is_full)
{
	struct trio t = stream_with("one", "two", "three");

	RX_FLAGS(t.s, 4, 0);
	RX_FLAGS(t.s, 2, 0);
	RX_FLAGS(t.s, 3, 0);
	RX_FLAGS(t.s, 100, 0);
}

CASE(09_16_3_MSG_EOR_is_ignored)
{
	struct trio t = stream_with("one", "two", "three");

	RX_FLAGS(t.s, 4, MSG_EOR);
	RX_FLAGS(t.s, 100, MSG_EOR);
}

CASE(09_16_3_MSG_PEEK_looks_at_one_message)
{
	struct trio t = stream_with("one", "two", "three");

	RX_FLAGS(t.s, 100, MSG_PEEK);
	RX_FLAGS(t.s, 2, MSG_PEEK);
	RX_FLAGS(t.s, 1, 0);
	RX_FLAGS(t.s, 100, MSG_PEEK);
	RX_FLAGS(t.s, 2, 0);
	RX_FLAGS(t.s, 100, MSG_PEEK);
	RX_FLAGS(t.s, 100, 0);
}

static void *
send_rest(void *fd)
{
	until_others_sleep();
	MUST(send(*(int *)fd, "late", 4, 0));
	return NULL;
}

CASE(09_16_3_MSG_WAITALL)
{
	struct trio t = stream_with("one", "two", NULL);
	pthread_t thread = begin(send_rest, &t.c);

	RX_FLAGS(t.s, 9, MSG_WAITALL);
	RX_FLAGS(t.s, 9, 0);
	finish(thread);
	RD(t.s, 5, MSG_WAITALL | MSG_DONTWAIT);
}

CASE(09_16_3_MSG_WAITALL_and_a_time_limit)
{
	struct trio t = stream_with("one", NULL, NULL);

	MUST(set_time(t.s, SO_RCVTIMEO, 50));
	RX_FLAGS(t.s, 9, MSG_WAITALL);
	RX_FLAGS(t.s, 9, MSG_WAITALL);
}

CASE(09_16_3_MSG_WAITALL_and_DONTWAIT)
{
	struct trio t = stream_with("one", "two", NULL);

	RX_FLAGS(t.s, 9, MSG_WAITALL | MSG_DONTWAIT);
	RX_FLAGS(t.s, 9, MSG_WAITALL | MSG_DONTWAIT);
}

CASE(09_16_3_MSG_WAITALL_and_the_end)
{
	struct trio t = stream_with("one", "two", NULL);

	MUST(shutdown(t.c, SHUT_RDWR));
	RX_FLAGS(t.s, 100, MSG_WAITALL);
	RX_FLAGS(t.s, 100, MSG_WAITALL);
}

CASE(09_16_3_MSG_WAITALL_and_an_abort)
{
	struct trio t = stream_with("one", "two", NULL);

	close(t.c);
	RD(t.s, 100, MSG_WAITALL);
	RD(t.s, 100, MSG_WAITALL);
	RD(t.s, 100, 0);
}

CASE(09_16_3_MSG_WAITALL_and_a_signal)
{
	struct trio t = stream_with("one", NULL, NULL);

	alarms(0);
	RD(t.s, 100, MSG_WAITALL);
	calm();
	alarms(0);
	RD(t.s, 100, MSG_WAITALL);
}

CASE(09_16_3_SO_RCVLOWAT)
{
	struct trio t = stream_with("one", NULL, NULL);
	pthread_t thread;

	SETOPT(t.s, SOL_SOCKET, SO_RCVLOWAT, 6);
	GETOPT(t.s, SOL_SOCKET, SO_RCVLOWAT);
	thread = begin(send_rest, &t.c);
	RD(t.s, 100, 0);
	finish(thread);
	MUST(send(t.c, "xy", 2, 0));
	RD(t.s, 1, 0);
	MUST(set_time(t.s, SO_RCVTIMEO, 50));
	RD(t.s, 100, 0);
	RD(t.s, 100, MSG_DONTWAIT);
}

CASE(09_16_3_ancillary_data_of_the_first_message)
{
	int l = listener(SOCK_STREAM, 1), c = sk(SOCK_STREAM), s;

	KNOW(c);
	DO(sendto(c, "request", 7, MSG_DONTWAIT, svc(T, 1), ALEN));
	s = FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	MUST(send(c, " more", 5, 0));
	settle();
	RX(s);
}

CASE(09_16_3_a_rest_is_kept_over_the_end)
{
	struct trio t = stream_with("0123456789", NULL, NULL);

	RD(t.s, 3, 0);
	MUST(shutdown(t.c, SHUT_RDWR));
	await(t.s, POLLHUP);
	RD(t.s, 3, 0);
	RD(t.s, 100, 0);
	RD(t.s, 100, 0);
}

CASE(09_16_3_readv_over_messages)
{
	struct trio t = stream_with("one", "two", "three");
	char a[2], b[4], c[20];
	struct iovec iov[3] = {{a, 2}, {b, 4}, {c, 20}};

	DO(readv(t.s, iov, 3));
	say("%s %s %s", data_text(a, 2), data_text(b, 4), data_text(c, 5));
}

/* ---- 16.4 ---- */

CASE_CONN(09_16_4_row3_end_of_file)
{
	struct trio t = connected(type);

	MUST(shutdown(t.s, SHUT_RDWR));
	await(t.c, POLLHUP);
	RD(t.c, 10, MSG_PEEK);
	RD(t.c, 10, 0);
	GETOPT(t.c, SOL_SOCKET, SO_ERROR);
	BITS(t.c);
}

CASE_CONN(09_16_4_row4_end_of_file_with_control_buffer)
{
	struct trio t = connected(type);

	MUST(shutdown(t.s, SHUT_RDWR));
	await(t.c, POLLHUP);
	RX_FLAGS(t.c, 100, MSG_PEEK);
	RX(t.c);
	BITS(t.c);
}

CASE_CONN(09_16_4_row5_reset)
{
	struct trio t = connected(type);

	close(t.s);
	await(t.c, POLLHUP);
	RD(t.c, 10, MSG_PEEK);
	RD(t.c, 10, 0);
	RD(t.c, 10, 0);
	DO(read(t.c, big, 10));
	GETOPT(t.c, SOL_SOCKET, SO_ERROR);
	GETOPT(t.c, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	RX_FLAGS(t.c, 100, MSG_PEEK);
	RX(t.c);
	GETOPT(t.c, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	BITS(t.c);
}

CASE_CONN(09_16_4_row6_unread_data_comes_back)
{
	struct trio t = connected(type);

	MUST(send(t.c, "never read", 10, 0));
	MUST(send(t.c, "nor this", 8, 0));
	settle();
	close(t.s);
	await(t.c, POLLHUP);
	RD(t.c, 10, 0);
	RX(t.c);
	BITS(t.c);
}

CASE_CONN(09_16_4_unread_data_comes_back_after_shutdown)
{
	struct trio t = connected(type);

	fill(big, sizeof(big), 4);
	MUST(send(t.c, big, 3000, 0));
	settle();
	DO(shutdown(t.s, SHUT_RDWR));
	await(t.c, POLLHUP);
	RX_FLAGS(t.c, 100, MSG_PEEK);
	RD(t.c, 10, 0);
}

CASE_CONN(09_16_1_quirk_end_of_file_again)
{
	struct trio t = connected(type);

	MUST(shutdown(t.s, SHUT_RDWR));
	await(t.c, POLLHUP);
	RD(t.c, 10, 0);
	RD(t.c, 10, MSG_DONTWAIT);
	RX_FLAGS(t.c, 100, MSG_DONTWAIT);
}

/* ---- 17 ---- */

static const struct how {
	const char *name;
	int how;
} hows[] = {{"RD", SHUT_RD}, {"WR", SHUT_WR}, {"3", 3}, {"minus_1", -1}};

CASE_ROWS(09_17_2_row1_how_, hows)
{
	struct trio t = connected(SOCK_SEQPACKET);
	int s = sk(SOCK_RDM);

	DO(shutdown(t.c, hows[row].how));
	DO(shutdown(s, hows[row].how));
	BITS(t.c);
	BITS(s);
	DO(send(t.c, "still", 5, 0));
	RX(t.s);
}

CASE_CONN(09_17_2_peer_reads_the_data_then_the_end)
{
	struct trio t = connected(type);

	MUST(send(t.c, "one", 3, 0));
	MUST(send(t.c, "two", 3, 0));
	DO(shutdown(t.c, SHUT_RDWR));
	for (int i = 0; i < (type == SOCK_STREAM ? 1 : 2); i++)
		RD(t.s, 100, 0);
	RD(t.s, 100, 0);
	DO(send(t.s, "x", 1, 0));
	DO(send(t.c, "x", 1, 0));
	DO(shutdown(t.s, SHUT_RDWR));
}

CASE_CONN(09_17_3_peer_reads_the_data_then_ECONNRESET)
{
	struct trio t = connected(type);

	MUST(send(t.c, "one", 3, 0));
	DO(close(t.c));
	await(t.s, POLLHUP);
	RD(t.s, 100, 0);
	RD(t.s, 100, 0);
	DO(send(t.s, "x", 1, 0));
}

CASE_LESS(09_17_2_a_connectionless_socket_goes_on)
{
	int r = bound(type, 1), s = sk(type);

	KNOW(s);
	DO(shutdown(r, SHUT_RDWR));
	DO(sendto(s, "hello", 5, 0, svc(T, 1), ALEN));
	settle();
	RX(r);
	DO(sendto(r, "hello", 5, 0, at_fd(s), ALEN));
	KNOW(r);
	RX(s);
	RD(r, 10, 0);
	RD(r, 10, MSG_DONTWAIT);
}

CASE(09_17_1_step3_a_message_partly_read_is_dropped)
{
	struct trio t = connected(SOCK_SEQPACKET);

	MUST(send(t.c, "0123456789", 10, 0));
	MUST(send(t.c, "second", 6, 0));
	RD(t.s, 3, MSG_EOR);
	settle();
	close(t.s);
	await(t.c, POLLHUP);
	RX(t.c);
}

CASE(09_17_1_step3_the_only_message_partly_read)
{
	struct trio t = connected(SOCK_STREAM);

	MUST(send(t.c, "0123456789", 10, 0));
	RD(t.s, 3, 0);
	settle();
	close(t.s);
	await(t.c, POLLHUP);
	RX(t.c);
}

CASE_LESS(09_17_1_step3_connectionless)
{
	int r = bound(type, 1), s = returning(type);

	KNOW(r);
	MUST(sendto(s, "0123456789", 10, 0, svc(T, 1), ALEN));
	MUST(sendto(s, "second", 6, 0, svc(T, 1), ALEN));
	RD(r, 3, MSG_EOR);
	settle();
	close(r);
	RX(s);
	NONE(s);
}

CASE_CONN(09_17_1_quirk_close_with_a_droppable_message_unread)
{
	struct trio t = connected(type);

	SETOPT(t.c, SOL_TIPC, TIPC_DEST_DROPPABLE, 1);
	MUST(send(t.c, "droppable", 9, 0));
	settle();
	close(t.s);
	settle();
	BITS(t.c);
	RD(t.c, 100, MSG_DONTWAIT);
}

CASE_CONN(09_17_1_both_close_at_once)
{
	struct trio t = connected(type);

	MUST(send(t.c, "one", 3, 0));
	MUST(send(t.s, "two", 3, 0));
	settle();
	DO(close(t.c));
	await(t.s, POLLHUP);
	RX(t.s);
	RX(t.s);
	DO(close(t.s));
}

CASE_CONN(09_17_1_close_while_connecting)
{
	int l = listener(type, 1), c = start_connect(type, svc(T, 1)), s;

	settle();
	DO(close(c));
	s = FD(accept(l, NULL, NULL));
	await(s, POLLHUP);
	RD(s, 100, 0);
}

CASE_CONN_LIMIT(09_17_1_step1_waits_for_the_window, 14)
{
	struct trio t = connected(type);
	struct timespec a, b;
	int cnt = fill_up(t.c, 10000), got = 0;

	say("%d messages", cnt);
	clock_gettime(CLOCK_MONOTONIC, &a);
	DO(shutdown(t.c, SHUT_RDWR));
	clock_gettime(CLOCK_MONOTONIC, &b);
	/* Nobody reads: 8 seconds. */
	say("it waited: %d", b.tv_sec - a.tv_sec >= 7);
	while (recv(t.s, big, 10000, MSG_WAITALL) == 10000)
		got++;
	say("%d read", got);
}

static void *
close_it(void *fd)
{
	until_others_sleep();
	DO(close(*(int *)fd));
	return NULL;
}

static void *
read_until_told(void *arg)
{
	RD(*(int *)arg, 10, 0);
	return NULL;
}

CASE_CONN(09_17_closed_while_another_thread_sleeps_in_recv)
{
	struct trio t = connected(type);
	pthread_t reader = begin(read_until_told, &t.c), closer;
	int copy = t.c;

	closer = begin(close_it, &copy);
	finish(closer);
	/* The sleeper holds the socket: the peer hears of the end when it has come back. */
	MUST(send(t.s, "wake up", 7, 0));
	finish(reader);
	await(t.s, POLLHUP);
	RD(t.s, 10, 0);
}

CASE(09_17_2_listener_wakes_nobody_in_accept)
{
	int l = listener(SOCK_SEQPACKET, 1);

	MUST(set_time(l, SO_RCVTIMEO, 150));
	DO(shutdown(l, SHUT_RDWR));
	DO(accept(l, NULL, NULL));
}
