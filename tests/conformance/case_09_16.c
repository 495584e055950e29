/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 16.1, 16.2, 16.5, 16.6: receiving messages. */
#include "conform.h"

/* ---- 16.1 ---- */

CASE_TYPES(09_16_1_row1_no_room_at_all)
{
	struct iovec iov[2] = {{big, 0}, {big, 0}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	DO(recv(p[1], big, 0, MSG_DONTWAIT));
	MUST(send(p[0], "data", 4, 0));
	settle();
	DO(recv(p[1], big, 0, 0));
	DO(recvmsg(p[1], &m, 0));
	m.msg_iovlen = 0;
	DO(recvmsg(p[1], &m, 0));
	DO(read(p[1], big, 0));
	RD(p[1], 10, 0);
}

CASE_LESS(09_16_1_row5_EAGAIN)
{
	int s = sk(type);

	RD(s, 10, MSG_DONTWAIT);
	MUST(set_time(s, SO_RCVTIMEO, 50));
	RD(s, 10, 0);
	RD(s, 10, MSG_WAITALL);
	MUST(set_time(s, SO_RCVTIMEO, 0));
	nonblock(s, true);
	RD(s, 10, 0);
	DO(read(s, big, 10));
}

CASE_CONN(09_16_1_row5_EAGAIN_of_a_connection)
{
	struct trio t = connected(type);

	RD(t.c, 10, MSG_DONTWAIT);
	MUST(set_time(t.c, SO_RCVTIMEO, 50));
	RD(t.c, 10, 0);
	RD(t.c, 10, MSG_WAITALL);
	RD(t.c, 10, MSG_PEEK);
	MUST(set_time(t.c, SO_RCVTIMEO, 0));
	nonblock(t.c, true);
	RD(t.c, 10, 0);
}

static void *
shut_later(void *fd)
{
	until_others_sleep();
	shutdown(*(int *)fd, SHUT_RDWR);
	return NULL;
}

CASE_LESS(09_16_1_row6_shut_down_while_it_waits)
{
	int s = sk(type);
	pthread_t t = begin(shut_later, &s);

	RD(s, 10, 0);
	finish(t);
	RD(s, 10, 0);
	RD(s, 10, MSG_DONTWAIT);
}

CASE_CONN(09_16_1_row6_connection_shut_down_while_it_waits)
{
	struct trio c = connected(type);
	pthread_t t = begin(shut_later, &c.c);

	RD(c.c, 10, 0);
	finish(t);
	RD(c.c, 10, 0);
	RD(c.c, 10, MSG_DONTWAIT);
}

CASE_TYPES(09_16_1_row7_signal)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	alarms(0);
	RD(p[0], 10, 0);
	calm();
	MUST(set_time(p[0], SO_RCVTIMEO, 2000));
	alarms(SA_RESTART);
	RD(p[0], 10, 0);
}

static void *
send_later(void *fd)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	until_signalled();
	until_others_sleep();
	MUST(send(*(int *)fd, "late", 4, 0));
	return NULL;
}

CASE_TYPES(09_16_1_row7_signal_with_SA_RESTART)
{
	int p[2];
	pthread_t t;

	MUST(socketpair(AF_TIPC, type, 0, p));
	alarms(SA_RESTART);
	t = begin(send_later, &p[1]);
	RD(p[0], 10, 0);
	finish(t);
	calm();
}

CASE_CONN(09_16_1_row3_pending_error_comes_first)
{
	int l = bound(type, 1), c = start_connect(type, svc(T, 1));

	await(c, POLLHUP);
	RX(c);
	RX(c);
	(void)l;
}

static const struct ignored {
	const char *name;
	int flags;
} ignored[] = {{"OOB", MSG_OOB},
	       {"TRUNC", MSG_TRUNC},
	       {"CMSG_CLOEXEC", MSG_CMSG_CLOEXEC},
	       {"WAITALL", MSG_WAITALL},
	       {"NOSIGNAL", MSG_NOSIGNAL}};

CASE_ROWS(09_16_1_flag_is_ignored_, ignored)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1);

	KNOW(s);
	MUST(sendto(s, "a long message", 14, 0, svc(T, 1), ALEN));
	MUST(sendto(s, "another", 7, 0, svc(T, 1), ALEN));
	settle();
	RX_FLAGS(r, 5, ignored[row].flags);
	RX_FLAGS(r, 100, ignored[row].flags);
}

/* ---- 16.2 ---- */

static void
message_pair(int type, int *from, int *to)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	know(p[1], "b");
	*from = p[0];
	*to = p[1];
	MUST(send(p[0], "0123456789", 10, 0));
	MUST(send(p[0], "next", 4, 0));
	settle();
}

#define CASE_MESSAGE(id)                                                                           \
	static void message_##id(int from, int s);                                                 \
	CASE_FULL(id, ALONE, 6,                                                                    \
		  ADD_LESS conform_add(name, "_seqpacket", f, SOCK_SEQPACKET, limit, k);           \
		  , type)                                                                          \
	{                                                                                          \
		int from, to;                                                                      \
                                                                                                   \
		message_pair(type, &from, &to);                                                    \
		message_##id(from, to);                                                            \
	}                                                                                          \
	static void message_##id(__attribute__((unused)) int from, int s)

CASE_MESSAGE(09_16_2_row1_whole)
{
	RX_FLAGS(s, 10, 0);
	RX_FLAGS(s, 100, MSG_EOR);
}

CASE_MESSAGE(09_16_2_row2_too_small)
{
	RX_FLAGS(s, 4, 0);
	RX_FLAGS(s, 100, 0);
	NONE(s);
}

CASE_MESSAGE(09_16_2_row3_too_small_with_MSG_EOR)
{
	RX_FLAGS(s, 4, MSG_EOR);
	RX_FLAGS(s, 4, MSG_EOR);
	RX_FLAGS(s, 4, MSG_EOR);
	RX_FLAGS(s, 4, MSG_EOR);
	NONE(s);
}

CASE_MESSAGE(09_16_2_row5_parts_and_the_rest)
{
	RX_FLAGS(s, 3, MSG_EOR);
	RX_FLAGS(s, 3, 0);
	RX_FLAGS(s, 3, MSG_EOR);
	RX_FLAGS(s, 1, 0);
	NONE(s);
}

CASE_MESSAGE(09_16_2_row6_MSG_PEEK)
{
	RX_FLAGS(s, 4, MSG_PEEK);
	RX_FLAGS(s, 100, MSG_PEEK);
	RX_FLAGS(s, 4, MSG_PEEK | MSG_EOR);
	RX_FLAGS(s, 4, MSG_PEEK | MSG_EOR);
	RX_FLAGS(s, 10, MSG_PEEK | MSG_EOR);
	RX_FLAGS(s, 100, 0);
	RX_FLAGS(s, 100, 0);
}

CASE_MESSAGE(09_16_2_row6_peek_within_a_message)
{
	RX_FLAGS(s, 4, MSG_EOR);
	RX_FLAGS(s, 4, MSG_EOR | MSG_PEEK);
	RX_FLAGS(s, 4, MSG_EOR);
	RX_FLAGS(s, 100, 0);
}

CASE_MESSAGE(09_16_2_row6_quirk_peek_without_EOR_keeps_the_place)
{
	RX_FLAGS(s, 4, MSG_EOR);
	RX_FLAGS(s, 2, MSG_PEEK);
	RX_FLAGS(s, 4, MSG_EOR);
}

CASE_MESSAGE(09_16_2_readv)
{
	char a[3] = "", b[4] = "", c[10] = "";
	struct iovec iov[3] = {{a, 3}, {b, 4}, {c, 10}};

	DO(readv(s, iov, 3));
	say("%s %s %s", data_text(a, 3), data_text(b, 4), data_text(c, 3));
	DO(readv(s, iov, 1));
	say("%s", data_text(a, 3));
}

CASE_MESSAGE(09_16_2_writev)
{
	struct iovec iov[4] = {{"on", 2}, {"", 0}, {"e messa", 7}, {"ge", 2}};

	DO(writev(from, iov, 4));
	RD(s, 100, 0);
	RD(s, 100, 0);
	RD(s, 100, 0);
}

CASE_MESSAGE(09_16_2_recvmmsg)
{
	char data[3][20];
	struct iovec iov[3] = {{data[0], 20}, {data[1], 3}, {data[2], 20}};
	struct mmsghdr m[3];
	int n;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < 3; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	n = (int)DO(recvmmsg(s, m, 3, MSG_DONTWAIT, NULL));
	for (int i = 0; i < n; i++)
		say("%u %s%s", m[i].msg_len, data_text(data[i], m[i].msg_len),
		    flags_text(m[i].msg_hdr.msg_flags));
	DO(recvmmsg(s, m, 3, MSG_DONTWAIT, NULL));
	MUST(send(from, "1", 1, 0));
	DO(recvmmsg(s, m, 3, MSG_WAITFORONE, NULL));
	struct timespec ts = {0, 30000000};

	MUST(send(from, "2", 1, 0));
	MUST(set_time(s, SO_RCVTIMEO, 40));
	DO(recvmmsg(s, m, 3, 0, &ts));
}

/* ---- 16.5, 16.6 ---- */

static const struct name_row {
	const char *name;
	socklen_t len;
} name_rows[] = {{"0", 0}, {"4", 4}, {"15", 15}, {"16", 16}, {"32", 32}, {"128", 128}};

CASE_ROWS(09_16_5_address_room_of_, name_rows)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1);
	uint8_t room[160];
	socklen_t len = name_rows[row].len;
	char c;

	KNOW(s);
	MUST(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	memset(room, 0xee, sizeof(room));
	DO(recvfrom(r, &c, 1, 0, (struct sockaddr *)room, &len));
	say("length %u, octet behind %02x", len,
	    room[name_rows[row].len < 16 ? name_rows[row].len : 16]);
	if (name_rows[row].len >= 16)
		say("%s", addr_text((void *)room, len));
}

CASE_TYPES(09_16_5_sender_of_every_type)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	know(p[1], "b");
	MUST(send(p[0], "x", 1, 0));
	RX_FULL(p[1], 10, 0, 128, 0);
	MUST(send(p[1], "y", 1, 0));
	RX_FULL(p[0], 10, 0, 16, 100);
}

CASE(09_16_5_every_part_has_the_address)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1);

	KNOW(s);
	MUST(sendto(s, "0123456789", 10, 0, svc(T, 1), ALEN));
	RX_FLAGS(r, 4, MSG_EOR);
	RX_FLAGS(r, 4, MSG_EOR);
	RX_FLAGS(r, 4, MSG_EOR);
}

static const struct control_row {
	const char *name;
	size_t len;
} control_rows[] = {{"0", 0},	{"1", 1},   {"15", 15}, {"16", 16},    {"20", 20},
		    {"24", 24}, {"28", 28}, {"32", 32}, {"50", 50},    {"56", 56},
		    {"60", 60}, {"80", 80}, {"88", 88}, {"1000", 1000}};

CASE_ROWS(09_16_6_control_room_for_DESTNAME_, control_rows)
{
	int s = sk(SOCK_RDM), r = sk(SOCK_RDM);

	KNOW(s);
	MUST(bind(r, rng(T, 3, 9), ALEN));
	MUST(sendto(s, "x", 1, 0, svc(T, 5), ALEN));
	RX_FULL(r, 10, 0, 16, control_rows[row].len);
	MUST(sendto(s, "x", 1, 0, rng(T, 5, 12), ALEN));
	RX_FULL(r, 10, 0, 16, control_rows[row].len);
	MUST(sendto(s, "x", 1, 0, at_fd(r), ALEN));
	RX_FULL(r, 10, 0, 16, control_rows[row].len);
}

CASE_ROWS(09_16_6_control_room_for_a_returned_message_, control_rows)
{
	int s = returning(SOCK_RDM), l = bound(SOCK_SEQPACKET, 1);

	KNOW(l);
	MUST(sendto(s, "0123456789abcdefghijklmnopqrst", 30, 0, svc(T, 1), ALEN));
	RX_FULL(s, 10, 0, 16, control_rows[row].len);
	NONE(s);
}

CASE(09_16_6_order_ERRINFO_RETDATA_DESTNAME)
{
	int s = returning(SOCK_RDM), l = bound(SOCK_SEQPACKET, 7);

	KNOW(l);
	MUST(sendto(s, "data", 4, 0, svc(T, 7), ALEN));
	RX(s);
	MUST(sendto(s, "data", 4, 0, rng(T, 5, 9), ALEN));
	RX(s);
	MUST(sendto(s, "data", 4, 0, at_fd(l), ALEN));
	RX(s);
	MUST(sendto(s, "", 0, 0, svc(T, 7), ALEN));
	RX(s);
	MUST(sendto(s, "", 0, 0, at_fd(l), ALEN));
	RX(s);
}

/* ---- 16.4, connectionless ---- */

CASE_LESS(09_16_4_row1_without_control_buffer)
{
	int s = returning(type), l = bound(SOCK_SEQPACKET, 1);

	MUST(sendto(s, "one", 3, 0, svc(T, 1), ALEN));
	MUST(sendto(s, "two", 3, 0, svc(T, 1), ALEN));
	settle();
	BITS(s);
	RD(s, 100, MSG_PEEK);
	RD(s, 100, 0);
	know(l, "l");
	RX_FLAGS(s, 100, MSG_PEEK);
	RX_FLAGS(s, 100, MSG_EOR);
	NONE(s);
	BITS(s);
}

CASE_LESS(09_16_4_a_small_buffer_does_not_matter)
{
	int s = returning(type), l = bound(SOCK_SEQPACKET, 1);

	KNOW(l);
	MUST(sendto(s, "0123456789", 10, 0, svc(T, 1), ALEN));
	RX_FLAGS(s, 3, 0);
	MUST(sendto(s, "0123456789", 10, 0, svc(T, 1), ALEN));
	RX_FLAGS(s, 3, MSG_EOR);
	NONE(s);
}

/* ---- several threads, one socket ---- */

static void *
receive_some(void *arg)
{
	intptr_t cnt = 0;
	char c;

	while (recv(*(int *)arg, &c, 1, 0) == 1 && c == 'x')
		cnt++;
	return (void *)cnt;
}

CASE_LESS(09_27_5_each_message_to_one_of_several_threads)
{
	int r = bound(type, 1), s = sk(type);
	pthread_t t[4];
	intptr_t all = 0;
	void *cnt;

	for (int i = 0; i < 4; i++)
		t[i] = begin(receive_some, &r);
	for (int i = 0; i < 300; i++)
		MUST(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	for (int i = 0; i < 4; i++)
		MUST(sendto(s, "e", 1, 0, svc(T, 1), ALEN));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &cnt);
		all += (intptr_t)cnt;
	}
	say("%ld messages", (long)all);
}

CASE(09_16_generic_errors)
{
	int p[2];
	char c;

	MUST(pipe(p));
	DO(recv(-1, &c, 1, 0));
	DO(recv(p[0], &c, 1, 0));
	DO(send(-1, &c, 1, 0));
	DO(send(p[1], &c, 1, 0));
	DO(sendmsg(p[1], &(struct msghdr){.msg_iovlen = 0}, 0));
	DO(recvmsg(p[0], &(struct msghdr){.msg_iovlen = 0}, 0));
	DO(shutdown(-1, SHUT_RDWR));
	DO(shutdown(p[0], SHUT_RDWR));
}
