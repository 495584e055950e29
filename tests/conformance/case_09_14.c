/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 14: which messages a socket takes, receive limits; 15: what comes back. */
#include "conform.h"

/* ---- 14.2 ---- */

CASE_LESS(09_14_2_connectionless_takes_named_direct_multicast)
{
	int r = bound(type, 1), s = returning(SOCK_RDM);

	KNOW(s);
	DO(sendto(s, "named", 5, 0, svc(T, 1), ALEN));
	DO(sendto(s, "direct", 6, 0, at_fd(r), ALEN));
	DO(sendto(s, "multicast", 9, 0, rng(T, 0, 9), ALEN));
	RX(r);
	RX(r);
	RX(r);
	NONE(s);
}

static const struct refuser {
	const char *name;
	int kind;
} refusers[] = {{"OPEN", 0},	 {"LISTEN", 1},	       {"CONNECTING", 2}, {"ESTABLISHED", 3},
		{"ACCEPTED", 4}, {"DISCONNECTING", 5}, {"SHUT_DOWN", 6}};

static int
refuser(int kind, int type)
{
	struct trio t;

	if (kind == 0)
		return sk(type);
	if (kind == 1)
		return listener(type, 1);
	if (kind == 2) {
		listener(type, 1);
		return start_connect(type, svc(T, 1));
	}
	t = connected(type);
	if (kind == 5) {
		close(t.s);
		await(t.c, POLLHUP);
	}
	if (kind == 6)
		MUST(shutdown(t.c, SHUT_RDWR));
	return kind == 4 ? t.s : t.c;
}

CASE_ROWS(09_14_2_datagram_is_refused_by_, refusers)
{
	for (int i = 0; i < 2; i++) {
		int r = refuser(refusers[row].kind, i ? SOCK_STREAM : SOCK_SEQPACKET);
		int s = returning(SOCK_RDM);

		KNOW(r);
		DO(sendto(s, "hello", 5, 0, at_fd(r), ALEN));
		RX(s);
		T++;
	}
}

CASE_ROWS(09_14_2_request_to_, refusers)
{
	int r = refuser(refusers[row].kind, SOCK_SEQPACKET), c = sk(SOCK_SEQPACKET);

	KNOW(r);
	nonblock(c, true);
	DO(connect(c, at_fd(r), ALEN));
	if (refusers[row].kind == 1) {
		BITS(r);
		return;
	}
	await(c, POLLHUP);
	GETOPT(c, SOL_SOCKET, SO_ERROR);
	RX(c);
}

CASE_CONN(09_14_2_multicast_to_an_established_socket)
{
	struct trio t = connected(type);
	int s = returning(SOCK_RDM);

	/* The listener and not the connections have the name. */
	DO(sendto(s, "multi", 5, 0, rng(T, 1, 1), ALEN));
	RX(s);
	NONE(t.s);
	NONE(t.c);
}

CASE_CONN(09_14_3_data_before_the_end_is_read_first)
{
	struct trio t = connected(type);

	MUST(send(t.c, "one", 3, 0));
	MUST(send(t.c, "two", 3, 0));
	close(t.c);
	await(t.s, POLLHUP);
	RX(t.s);
	if (type == SOCK_SEQPACKET)
		RX(t.s);
	RD(t.s, 100, 0);
	RX(t.s);
}

/* ---- 14.4 ---- */

static const struct level {
	const char *name;
	uint32_t importance;
} levels[] = {{"LOW", 0}, {"MEDIUM", 1}, {"HIGH", 2}, {"CRITICAL", 3}};

/* What is over the limit comes back with TIPC_ERR_OVERLOAD. */
static void
fill_receiver(int r, uint32_t importance, size_t len, int cnt)
{
	int s = returning(SOCK_RDM), over = 0;
	uint32_t depth;
	socklen_t dlen = sizeof(depth);

	KNOW(r);
	MUST(set_u32(s, SOL_TIPC, TIPC_IMPORTANCE, importance));
	for (int i = 0; i < cnt; i++) {
		MUST(sendto(s, big, len, 0, at_fd(r), ALEN));
		if (i % 256 == 255)
			settle();
	}
	for (int i = 0; i < 100; i++) {
		settle();
		if (recv(s, big, 10, MSG_DONTWAIT | MSG_PEEK) == 0)
			break;
	}
	settle();
	MUST(getsockopt(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH, &depth, &dlen));
	RX(s);
	for (over = 1; recv(s, big, 10, MSG_DONTWAIT) == 0; over++)
		settle();
	say("taken %u, came back %d", depth, over);
}

CASE_ROWS_LIMIT(09_14_4_messages_of_1000_at_, levels, 20)
{
	uint32_t i = levels[row].importance;

	fill_receiver(sk(SOCK_RDM), i, 1000, (910 << i) + 5);
}

static const struct limit_size {
	const char *name;
	size_t len;
	int cnt;
} limit_sizes[] = {{"10", 10, 2740},	{"100", 100, 2740},  {"500", 500, 1650},
		   {"2000", 2000, 500}, {"4000", 4000, 300}, {"10000", 10000, 130},
		   {"66000", 66000, 18}};

CASE_ROWS_LIMIT(09_14_4_messages_at_LOW_of_, limit_sizes, 20)
{
	fill_receiver(sk(SOCK_RDM), 0, limit_sizes[row].len, limit_sizes[row].cnt);
}

CASE(09_14_4_small_SO_RCVBUF)
{
	int r = sk(SOCK_RDM);

	SETOPT(r, SOL_SOCKET, SO_RCVBUF, 23040);
	GETOPT(r, SOL_SOCKET, SO_RCVBUF);
	/* 46080 is 20 times 2304. */
	fill_receiver(r, 0, 1000, 25);
}

CASE(09_14_4_what_is_droppable_is_lost)
{
	int r = sk(SOCK_RDM), s = sk(SOCK_RDM);

	SETOPT(r, SOL_SOCKET, SO_RCVBUF, 23040);
	for (int i = 0; i < 25; i++)
		MUST(sendto(s, big, 1000, 0, at_fd(r), ALEN));
	NONE(s);
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
}

CASE(09_14_4_room_again_after_reading)
{
	int r = sk(SOCK_RDM), s = returning(SOCK_RDM);

	KNOW(s);
	KNOW(r);
	SETOPT(r, SOL_SOCKET, SO_RCVBUF, 23040);
	for (int i = 0; i < 19; i++)
		MUST(sendto(s, big, 1000, 0, at_fd(r), ALEN));
	DO(sendto(s, "over", 4, 0, at_fd(r), ALEN));
	DO(sendto(s, big, 1000, 0, at_fd(r), ALEN));
	DO(sendto(s, big, 1000, 0, at_fd(r), ALEN));
	RX(s);
	settle();
	for (int i = 0; i < 3; i++)
		MUST(recv(r, big, 1000, 0));
	settle();
	DO(sendto(s, "again", 5, 0, at_fd(r), ALEN));
	NONE(s);
}

CASE_CONN(09_14_4_15_requests_of_66000)
{
	int l = listener(type, 1), cnt = 0;

	for (int i = 0; i < 20; i++) {
		int c = sk(type);

		cnt += sendto(c, big, MSG_MAX, MSG_DONTWAIT, svc(T, 1), ALEN) == MSG_MAX;
	}
	settle();
	say("%d sent", cnt);
	GETOPT(l, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
}

/* ---- 15 ---- */

static const struct return_size {
	const char *name;
	size_t len;
} return_sizes[] = {{"1", 1},	    {"1023", 1023}, {"1024", 1024},
		    {"1025", 1025}, {"5000", 5000}, {"66000", 66000}};

CASE_ROWS(09_15_2_returned_data_of_direct_, return_sizes)
{
	int s = returning(SOCK_RDM), r = sk(SOCK_RDM);
	uint32_t ref = ref_of(r);

	KNOW(r);
	close(r);
	fill(big, sizeof(big), 3);
	DO(sendto(s, big, return_sizes[row].len, 0, at(ref, own_node()), ALEN));
	RX(s);
}

CASE_ROWS(09_15_2_returned_data_of_named_, return_sizes)
{
	int s = returning(SOCK_DGRAM), r = bound(SOCK_SEQPACKET, 1);

	KNOW(r);
	fill(big, sizeof(big), 3);
	DO(sendto(s, big, return_sizes[row].len, 0, svc(T, 1), ALEN));
	RX(s);
}

static const struct return_case {
	const char *name;
	int how; /* 0 direct, 1 named, 2 multicast */
} return_cases[] = {{"direct", 0}, {"named", 1}, {"multicast", 2}};

static const struct sockaddr *
to_receiver(int how, int r)
{
	return how == 0 ? at_fd(r) : how == 1 ? svc(T, 1) : rng(T, 0, 9);
}

CASE_ROWS(09_15_1_closed_with_it_unread_, return_cases)
{
	int s = returning(SOCK_RDM), r = bound(SOCK_RDM, 1);

	KNOW(r);
	DO(sendto(s, "one", 3, 0, to_receiver(return_cases[row].how, r), ALEN));
	DO(sendto(s, "two", 3, 0, to_receiver(return_cases[row].how, r), ALEN));
	settle();
	close(r);
	RX(s);
	RX(s);
	NONE(s);
}

CASE_ROWS(09_15_1_shut_down_with_it_unread_, return_cases)
{
	int s = returning(SOCK_DGRAM), r = bound(SOCK_DGRAM, 1);

	KNOW(r);
	DO(sendto(s, "one", 3, 0, to_receiver(return_cases[row].how, r), ALEN));
	DO(sendto(s, "two", 3, 0, to_receiver(return_cases[row].how, r), ALEN));
	settle();
	DO(shutdown(r, SHUT_RDWR));
	RX(s);
	RX(s);
	NONE(s);
}

CASE_ROWS(09_15_2_droppable_does_not_come_back_, return_cases)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1);

	DO(sendto(s, "one", 3, 0, to_receiver(return_cases[row].how, r), ALEN));
	settle();
	close(r);
	NONE(s);
}

CASE(09_15_2_the_flag_of_the_message_counts)
{
	int s = returning(SOCK_RDM), r = bound(SOCK_RDM, 1);

	KNOW(r);
	DO(sendto(s, "returned", 8, 0, svc(T, 1), ALEN));
	SETOPT(s, SOL_TIPC, TIPC_DEST_DROPPABLE, 1);
	DO(sendto(s, "dropped", 7, 0, svc(T, 1), ALEN));
	settle();
	close(r);
	RX(s);
	NONE(s);
}

CASE(09_15_3_sender_that_is_gone)
{
	int s = returning(SOCK_RDM), r = bound(SOCK_RDM, 1), other = sk(SOCK_RDM);

	KNOW(other);
	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	settle();
	close(s);
	/* It is rejected to nobody, and not a second time. */
	DO(shutdown(r, SHUT_RDWR));
	NONE(r);
	DO(sendto(other, "alive", 5, 0, svc(T, 1), ALEN));
	settle();
	RX(r);
}
