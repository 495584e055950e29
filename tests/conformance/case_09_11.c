/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 11: flow control of connections; 12: small writes. */
#include "conform.h"

/* How many messages of a length fit into the window of 128 blocks: as long as the blocks of
 * (length + 24) / 1024 + 1 each do not exceed it. */
static const struct cost {
	const char *name;
	size_t len;
} costs[] = {
	{"1", 1},	{"999", 999},	{"1000", 1000}, {"1999", 1999},	  {"2023", 2023},
	{"2024", 2024}, {"5000", 5000}, {"9000", 9000}, {"20000", 20000}, {"66000", 66000},
};

CASE_ROWS(09_11_1_cost_seqpacket_, costs)
{
	struct trio t = connected(SOCK_SEQPACKET);

	say("client %d", fill_up(t.c, costs[row].len));
	/* The empty acknowledgement of accept counts. */
	say("server %d", fill_up(t.s, costs[row].len));
	drain(t.c);
	drain(t.s);
}

CASE_ROWS(09_11_1_cost_stream_, costs)
{
	struct trio t = connected(SOCK_STREAM);

	say("client %d", fill_up(t.c, costs[row].len));
	say("server %d", fill_up(t.s, costs[row].len));
	drain(t.c);
	drain(t.s);
}

static int
read_some(int fd, size_t len, int cnt)
{
	int i;

	settle();
	for (i = 0; i < cnt; i++)
		if (recv(fd, big, len, MSG_DONTWAIT) != (ssize_t)len)
			break;
	settle();
	return i;
}

CASE_CONN(09_11_2_rule3_acknowledged_at_32_blocks)
{
	struct trio t = connected(type);

	say("sent %d", fill_up(t.c, 100));
	say("read %d", read_some(t.s, 100, 31));
	say("sent %d", fill_up(t.c, 100));
	say("read %d", read_some(t.s, 100, 1));
	/* The window is 512 now. */
	say("sent %d", fill_up(t.c, 100));
	say("read %d", read_some(t.s, 100, 127));
	say("sent %d", fill_up(t.c, 100));
	say("read %d", read_some(t.s, 100, 1));
	say("sent %d", fill_up(t.c, 100));
	say("read %d", read_some(t.s, 100, 10000));
	say("sent %d", fill_up(t.c, 100));
}

CASE(09_11_2_rule1_one_message_of_any_size_beyond)
{
	struct trio t = connected(SOCK_SEQPACKET);

	say("sent %d", fill_up_to(t.c, 1, NULL, 128));
	DO(send(t.c, big, MSG_MAX, MSG_DONTWAIT));
	DO(send(t.c, big, 1, MSG_DONTWAIT));
}

CASE(09_11_2_rule6_peek_does_not_count)
{
	struct trio t = connected(SOCK_SEQPACKET);

	say("sent %d", fill_up(t.c, 10000));
	for (int i = 0; i < 50; i++)
		MUST(recv(t.s, big, 10000, MSG_PEEK));
	settle();
	say("sent %d", fill_up(t.c, 10000));
}

CASE(09_11_2_rule6_a_part_does_not_count)
{
	struct trio t = connected(SOCK_SEQPACKET);

	say("sent %d", fill_up(t.c, MSG_MAX));
	for (int i = 0; i < 65; i++)
		MUST(recv(t.s, big, 1000, MSG_EOR));
	settle();
	say("sent %d", fill_up(t.c, MSG_MAX));
	RD(t.s, 1000, MSG_EOR);
	settle();
	say("sent %d", fill_up(t.c, MSG_MAX));
}

CASE(09_11_2_rule6_a_part_of_a_stream_message_does_not_count)
{
	struct trio t = connected(SOCK_STREAM);

	say("sent %d", fill_up(t.c, MSG_MAX));
	for (int i = 0; i < 65; i++)
		MUST(recv(t.s, big, 1000, 0));
	settle();
	say("sent %d", fill_up(t.c, MSG_MAX));
	MUST(recv(t.s, big, 1000, 0));
	settle();
	say("sent %d", fill_up(t.c, MSG_MAX));
}

CASE(09_11_2_the_rest_that_is_cut_off_counts)
{
	struct trio t = connected(SOCK_SEQPACKET);

	say("sent %d", fill_up(t.c, MSG_MAX));
	MUST(recv(t.s, big, 1, 0));
	settle();
	say("sent %d", fill_up(t.c, MSG_MAX));
}

CASE_CONN(09_11_2_rule4_window_of_a_small_SO_RCVBUF)
{
	struct trio t = connected(type);

	/* 81920, doubled: a window of 40. Nothing is in flight yet. */
	SETOPT(t.s, SOL_SOCKET, SO_RCVBUF, 81920);
	GETOPT(t.s, SOL_SOCKET, SO_RCVBUF);
	for (int i = 0; i < 32; i++)
		MUST(send(t.c, big, 100, 0));
	settle();
	say("read %d", read_some(t.s, 100, 32));
	say("sent %d", fill_up(t.c, 100));
	say("read %d", read_some(t.s, 100, 9));
	say("sent %d", fill_up(t.c, 100));
	say("read %d", read_some(t.s, 100, 1));
	say("sent %d", fill_up(t.c, 100));
}

CASE_CONN(09_11_both_directions_are_independent)
{
	struct trio t = connected(type);

	say("client %d", fill_up(t.c, 5000));
	say("server %d", fill_up(t.s, 5000));
	for (int i = 0; i < 7; i++)
		MUST(recv(t.s, big, 5000, MSG_WAITALL));
	settle();
	BITS(t.c);
	BITS(t.s);
	drain(t.c);
	drain(t.s);
}

CASE_CONN(09_11_request_data_counts)
{
	int l = listener(type, 1), c = sk(type), s;

	DO(sendto(c, big, MSG_MAX, MSG_DONTWAIT, svc(T, 1), ALEN));
	s = FD(accept(l, NULL, NULL));
	await(c, POLLOUT);
	SETOPT(c, SOL_TIPC, TIPC_NODELAY, 1);
	say("more %d", fill_up(c, 1000));
	MUST(recv(s, big, MSG_MAX, MSG_WAITALL));
	settle();
	say("more %d", fill_up(c, 1000));
}

struct stream {
	int from, to;
	size_t len;
};

static void *
pump(void *arg)
{
	struct stream *s = arg;
	uint32_t sent = 0;

	while (sent < s->len) {
		size_t n = 1 + (sent * 7919u) % 9000;
		ssize_t k;

		for (size_t i = 0; i < n; i++)
			big[i] = (uint8_t)((sent + i) * 31 + ((sent + i) >> 8));
		k = send(s->from, big, n < s->len - sent ? n : s->len - sent, 0);
		if (k <= 0) {
			say("send: %s", errno_name(errno));
			break;
		}
		sent += (uint32_t)k;
	}
	return NULL;
}

CASE_CONN(09_11_2_MB_through_the_window)
{
	static uint8_t got[9000];
	struct trio t = connected(type);
	struct stream s = {t.c, t.s, 2000000};
	pthread_t thread = begin(pump, &s);
	size_t have = 0, wrong = 0;

	while (have < s.len) {
		ssize_t n = MUST(recv(t.s, got, sizeof(got), 0));

		for (ssize_t i = 0; i < n; i++)
			wrong += got[i] !=
				 (uint8_t)((have + (size_t)i) * 31 + ((have + (size_t)i) >> 8));
		have += (size_t)n;
	}
	finish(thread);
	say("%zu octets, %zu wrong", have, wrong);
}

/* ---- 12 ---- */

static const struct delays {
	const char *name;
	uint32_t nodelay;
} delays[] = {{"nodelay_0", 0}, {"nodelay_1", 1}};

CASE_ROWS(09_12_small_writes_arrive_in_order_, delays)
{
	struct trio t = connected(SOCK_STREAM);

	SETOPT(t.c, SOL_TIPC, TIPC_NODELAY, delays[row].nodelay);
	for (int i = 0; i < 100; i++) {
		char text[12];

		snprintf(text, sizeof(text), "%04d ", i);
		MUST(send(t.c, text, 5, 0));
	}
	RD(t.s, 500, MSG_WAITALL);
	NONE(t.s);
}

CASE_ROWS(09_12_3_shutdown_pushes_what_waits_, delays)
{
	struct trio t = connected(SOCK_STREAM);

	SETOPT(t.c, SOL_TIPC, TIPC_NODELAY, delays[row].nodelay);
	for (int i = 0; i < 50; i++)
		MUST(send(t.c, "0123456789", 10, 0));
	DO(shutdown(t.c, SHUT_RDWR));
	RD(t.s, 500, MSG_WAITALL);
	RD(t.s, 500, 0);
}

CASE_ROWS(09_12_requests_and_answers_, delays)
{
	struct trio t = connected(SOCK_STREAM);
	char c;

	SETOPT(t.c, SOL_TIPC, TIPC_NODELAY, delays[row].nodelay);
	SETOPT(t.s, SOL_TIPC, TIPC_NODELAY, delays[row].nodelay);
	for (int i = 0; i < 100; i++) {
		MUST(send(t.c, "q", 1, 0));
		MUST(recv(t.s, &c, 1, 0));
		MUST(send(t.s, "a", 1, 0));
		MUST(recv(t.c, &c, 1, 0));
	}
	say("done");
}

CASE(09_12_NODELAY_set_pushes_nothing_away)
{
	struct trio t = connected(SOCK_STREAM);

	SETOPT(t.c, SOL_TIPC, TIPC_NODELAY, 0);
	for (int i = 0; i < 40; i++)
		MUST(send(t.c, "0123456789", 10, 0));
	SETOPT(t.c, SOL_TIPC, TIPC_NODELAY, 1);
	MUST(send(t.c, "end", 3, 0));
	RD(t.s, 403, MSG_WAITALL);
}

CASE_TYPES(09_12_every_type_accepts_NODELAY)
{
	int s = sk(type);

	SETOPT(s, SOL_TIPC, TIPC_NODELAY, 1);
	SETOPT(s, SOL_TIPC, TIPC_NODELAY, 0);
	SETOPT(s, SOL_TIPC, TIPC_NODELAY, 77);
	GETOPT(s, SOL_TIPC, TIPC_NODELAY);
}
