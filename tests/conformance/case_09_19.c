/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 19: options; 20: ioctl; 21: socketpair. */
#include "conform.h"

/* ---- 19.1 ---- */

static const struct set_row {
	const char *name;
	int option;
} set_rows[] = {
	{"IMPORTANCE", TIPC_IMPORTANCE},
	{"SRC_DROPPABLE", TIPC_SRC_DROPPABLE},
	{"DEST_DROPPABLE", TIPC_DEST_DROPPABLE},
	{"CONN_TIMEOUT", TIPC_CONN_TIMEOUT},
	{"NODELAY", TIPC_NODELAY},
	{"MCAST_BROADCAST", TIPC_MCAST_BROADCAST},
	{"MCAST_REPLICAST", TIPC_MCAST_REPLICAST},
	{"NODE_RECVQ_DEPTH", TIPC_NODE_RECVQ_DEPTH},
	{"SOCK_RECVQ_DEPTH", TIPC_SOCK_RECVQ_DEPTH},
	{"SOCK_RECVQ_USED", TIPC_SOCK_RECVQ_USED},
	{"126", 126},
	{"139", 139},
	{"0", 0},
	{"minus_1", -1},
};

CASE_ROWS(09_19_1_values_of_, set_rows)
{
	static const uint32_t values[] = {0, 1, 2, 3, 4, 5, 255, 256, 65535, 65536, 0xffffffff};
	int option = set_rows[row].option;

	for (int k = 0; k < 4; k++) {
		static const int types[] = {SOCK_RDM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
		int s = sk(types[k]);

		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			uint32_t got = 0xdeadbeef;
			socklen_t len = sizeof(got);
			int rc = set_u32(s, SOL_TIPC, option, values[i]);
			int number = errno;
			int rc_get = getsockopt(s, SOL_TIPC, option, &got, &len);

			say("type %d set %u: %s, get %s %u", types[k], values[i],
			    rc ? errno_name(number) : "0", rc_get ? errno_name(errno) : "0", got);
		}
		close(s);
	}
}

CASE_ROWS(09_19_1_lengths_of_, set_rows)
{
	static const socklen_t lens[] = {0, 1, 3, 4, 5, 8, 16, (socklen_t)-1};
	static const uint32_t value[8] = {1, 0, 0, 0, 0, 0, 0, 0};
	int option = set_rows[row].option, s = sk(SOCK_RDM);

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		say("length %d", (int)lens[i]);
		DO(setsockopt(s, SOL_TIPC, option, value, lens[i]));
	}
	DO(setsockopt(s, SOL_TIPC, option, NULL, 0));
	DO(setsockopt(s, SOL_TIPC, option, NULL, 4));
}

CASE_ROWS(09_19_2_lengths_of_, set_rows)
{
	static const socklen_t lens[] = {0, 1, 3, 4, 5, 8, 16, (socklen_t)-1};
	int option = set_rows[row].option, s = sk(SOCK_RDM);

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint32_t value[8] = {0xdeadbeef, 0xdeadbeef};
		socklen_t len = lens[i];

		say("length %d", (int)lens[i]);
		DO(getsockopt(s, SOL_TIPC, option, value, &len));
		say("length %d, value %x %x", (int)len, value[0], value[1]);
	}
	DO(getsockopt(s, SOL_TIPC, option, NULL, &(socklen_t){4}));
	DO(getsockopt(s, SOL_TIPC, option, &(uint32_t){0}, NULL));
}

CASE(09_19_1_IMPORTANCE_of_messages_from_now_on)
{
	int s = returning(SOCK_RDM), r = sk(SOCK_RDM);

	/* Twice the limit at MEDIUM. */
	SETOPT(r, SOL_SOCKET, SO_RCVBUF, 23040);
	for (int i = 0; i < 19; i++)
		MUST(sendto(s, big, 1000, 0, at_fd(r), ALEN));
	SETOPT(s, SOL_TIPC, TIPC_IMPORTANCE, 1);
	MUST(sendto(s, big, 1000, 0, at_fd(r), ALEN));
	settle();
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	SETOPT(s, SOL_TIPC, TIPC_IMPORTANCE, 0);
	MUST(sendto(s, big, 1000, 0, at_fd(r), ALEN));
	settle();
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
}

CASE_CONN(09_19_1_DEST_DROPPABLE_of_an_established_socket)
{
	struct trio t = connected(type);

	GETOPT(t.c, SOL_TIPC, TIPC_DEST_DROPPABLE);
	SETOPT(t.c, SOL_TIPC, TIPC_DEST_DROPPABLE, 1);
	GETOPT(t.c, SOL_TIPC, TIPC_DEST_DROPPABLE);
	SETOPT(t.c, SOL_TIPC, TIPC_DEST_DROPPABLE, 0);
	GETOPT(t.c, SOL_TIPC, TIPC_DEST_DROPPABLE);
	SETOPT(t.c, SOL_TIPC, TIPC_SRC_DROPPABLE, 1);
	GETOPT(t.c, SOL_TIPC, TIPC_SRC_DROPPABLE);
	MUST(send(t.c, "x", 1, 0));
	RX(t.s);
}

/* ---- 19.2 ---- */

CASE(09_19_2_SOCK_RECVQ_DEPTH_and_USED)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1);

	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_USED);
	for (int i = 0; i < 3; i++)
		MUST(sendto(s, big, 1000, 0, svc(T, 1), ALEN));
	settle();
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_USED);
	MUST(recv(r, big, 10, MSG_PEEK));
	MUST(recv(r, big, 10, MSG_EOR));
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	MUST(recv(r, big, 1000, 0));
	settle();
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_USED);
	MUST(recv(r, big, 1000, 0));
	MUST(recv(r, big, 1000, 0));
	settle();
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_USED);
}

static const struct used {
	const char *name;
	size_t len;
} useds[] = {{"1", 1},	     {"100", 100},   {"500", 500},     {"1000", 1000},
	     {"1500", 1500}, {"4000", 4000}, {"10000", 10000}, {"66000", 66000}};

CASE_ROWS(09_19_2_SOCK_RECVQ_USED_of_, useds)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1);

	MUST(sendto(s, big, useds[row].len, 0, svc(T, 1), ALEN));
	settle();
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_USED);
}

CASE(09_19_2_NODE_RECVQ_DEPTH_is_always_0)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1);

	MUST(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	settle();
	GETOPT(r, SOL_TIPC, TIPC_NODE_RECVQ_DEPTH);
	GETOPT(s, SOL_TIPC, TIPC_NODE_RECVQ_DEPTH);
}

/* ---- 19, levels ---- */

static const struct level_row {
	const char *name;
	int level;
} level_rows[] = {
	{"IPPROTO_TCP", 6}, {"IPPROTO_IP", 0}, {"270", 270}, {"272", 272}, {"minus_1", -1}};

CASE_ROWS(09_19_level_, level_rows)
{
	static const int types[] = {SOCK_RDM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
	int level = level_rows[row].level;

	for (int k = 0; k < 4; k++) {
		uint32_t value = 1;
		socklen_t len = sizeof(value);
		int s = sk(types[k]);

		say("type %d", types[k]);
		DO(setsockopt(s, level, 1, &value, sizeof(value)));
		DO(getsockopt(s, level, 1, &value, &len));
		say("length %u value %u", len, value);
		DO(setsockopt(s, level, 1, &value, 0));
	}
}

/* ---- 19.3 ---- */

static const struct generic {
	const char *name;
	int option;
} generics[] = {{"SO_LINGER", SO_LINGER},	{"SO_REUSEADDR", SO_REUSEADDR},
		{"SO_KEEPALIVE", SO_KEEPALIVE}, {"SO_BROADCAST", SO_BROADCAST},
		{"SO_PRIORITY", SO_PRIORITY},	{"SO_SNDBUF", SO_SNDBUF},
		{"SO_RCVLOWAT", SO_RCVLOWAT},	{"SO_TIMESTAMP", SO_TIMESTAMP}};

CASE_ROWS(09_19_3_accepted_without_effect_, generics)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1), option = generics[row].option;
	struct linger on = {1, 1};

	KNOW(s);
	if (option == SO_LINGER)
		DO(setsockopt(s, SOL_SOCKET, option, &on, sizeof(on)));
	else
		SETOPT(s, SOL_SOCKET, option, option == SO_SNDBUF ? 4096 : 1);
	DO(sendto(s, big, 5000, 0, svc(T, 1), ALEN));
	RX(r);
}

CASE_TYPES(09_19_3_SO_TYPE_DOMAIN_PROTOCOL_ACCEPTCONN)
{
	int s = sk(type);

	for (int i = 0; i < 2; i++) {
		GETOPT(s, SOL_SOCKET, SO_TYPE);
		GETOPT(s, SOL_SOCKET, SO_DOMAIN);
		GETOPT(s, SOL_SOCKET, SO_PROTOCOL);
		GETOPT(s, SOL_SOCKET, SO_ACCEPTCONN);
		listen(s, 1);
	}
}

CASE(09_19_3_SO_RCVBUF)
{
	static const uint32_t values[] = {0, 1, 1000, 2304, 10000, 100000};
	int s = sk(SOCK_RDM);

	GETOPT(s, SOL_SOCKET, SO_RCVBUF);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		say("%u", values[i]);
		SETOPT(s, SOL_SOCKET, SO_RCVBUF, values[i]);
		GETOPT(s, SOL_SOCKET, SO_RCVBUF);
	}
	DO(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &values[4], 3));
}

CASE(09_19_3_SO_RCVTIMEO_values)
{
	static const struct timeval values[] = {{0, 0},	 {1, 0},  {0, 500000}, {0, 1000000},
						{-1, 0}, {0, -1}, {5, 20000}};
	int s = sk(SOCK_RDM);

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct timeval tv = {9, 9};
		socklen_t len = sizeof(tv);

		say("%ld %ld", (long)values[i].tv_sec, (long)values[i].tv_usec);
		DO(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &values[i], sizeof(values[i])));
		DO(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
		say("%ld %ld, length %u", (long)tv.tv_sec, (long)tv.tv_usec, len);
		DO(setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &values[i], sizeof(values[i])));
	}
	DO(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &values[1], 4));
}

CASE_CONN(09_19_3_SO_ERROR_after_the_end)
{
	struct trio t = connected(type), u;

	MUST(shutdown(t.s, SHUT_RDWR));
	await(t.c, POLLHUP);
	GETOPT(t.c, SOL_SOCKET, SO_ERROR);
	T++;
	u = connected(type);
	close(u.s);
	await(u.c, POLLHUP);
	GETOPT(u.c, SOL_SOCKET, SO_ERROR);
	GETOPT(u.c, SOL_SOCKET, SO_ERROR);
}

CASE(09_19_generic_errors)
{
	uint32_t value = 1;
	socklen_t len = 4;
	int p[2];

	MUST(pipe(p));
	DO(setsockopt(-1, SOL_TIPC, TIPC_IMPORTANCE, &value, 4));
	DO(setsockopt(p[0], SOL_TIPC, TIPC_IMPORTANCE, &value, 4));
	DO(getsockopt(-1, SOL_TIPC, TIPC_IMPORTANCE, &value, &len));
	DO(getsockopt(p[0], SOL_TIPC, TIPC_IMPORTANCE, &value, &len));
}

/* ---- 20 ---- */

CASE_TYPES(09_20_SIOCGETNODEID)
{
	struct tipc_sioc_nodeid_req r = {.peer = own_node()};
	int s = sk(type);

	DO(ioctl(s, SIOCGETNODEID, &r));
	say("%.16s", r.node_id);
	memset(&r, 'x', sizeof(r));
	r.peer = own_node();
	DO(ioctl(s, SIOCGETNODEID, &r));
	say("zeroes behind %d", r.node_id[15] == 0 && r.node_id[8] == 0);
	r.peer = 0x01003003;
	DO(ioctl(s, SIOCGETNODEID, &r));
	r.peer = 0;
	DO(ioctl(s, SIOCGETNODEID, &r));
	DO(ioctl(s, SIOCGETNODEID, NULL));
}

CASE_TYPES(09_20_SIOCGETLINKNAME)
{
	struct tipc_sioc_ln_req r = {.peer = own_node()};
	int s = sk(type);

	DO(ioctl(s, SIOCGETLINKNAME, &r));
	r.peer = 0x01003003;
	DO(ioctl(s, SIOCGETLINKNAME, &r));
	r.bearer_id = 3;
	DO(ioctl(s, SIOCGETLINKNAME, &r));
	r.bearer_id = 0x10000;
	DO(ioctl(s, SIOCGETLINKNAME, &r));
	DO(ioctl(s, SIOCGETLINKNAME, NULL));
}

CASE_TYPES(09_20_generic_requests)
{
	int s = sk(type), on = 1, off = 0, n = 0;

	DO(ioctl(s, FIONBIO, &on));
	say("nonblocking %d", (fcntl(s, F_GETFL) & O_NONBLOCK) != 0);
	DO(ioctl(s, FIONBIO, &off));
	say("nonblocking %d", (fcntl(s, F_GETFL) & O_NONBLOCK) != 0);
	DO(ioctl(s, FIOCLEX, 0));
	say("close on exec %d", (fcntl(s, F_GETFD) & FD_CLOEXEC) != 0);
	DO(ioctl(s, FIONCLEX, 0));
	say("close on exec %d", (fcntl(s, F_GETFD) & FD_CLOEXEC) != 0);
	DO(ioctl(s, FIONREAD, &n));
	DO(ioctl(s, 0x5411 /* SIOCOUTQ */, &n));
	DO(ioctl(s, 0x8905 /* SIOCATMARK */, &n));
	DO(ioctl(s, 0x89e2, &n));
}

/* ---- 21 ---- */

CASE_TYPES(09_21_both_ways)
{
	int p[2];

	DO(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	know(p[1], "b");
	BITS(p[0]);
	BITS(p[1]);
	DO(send(p[0], "to b", 4, 0));
	RX(p[1]);
	DO(send(p[1], "to a", 4, 0));
	RX(p[0]);
	DO(write(p[0], "w", 1));
	RX(p[1]);
}

CASE_TYPES(09_21_close_of_one_end)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	DO(close(p[0]));
	settle();
	BITS(p[1]);
	RD(p[1], 10, MSG_DONTWAIT);
	DO(send(p[1], "x", 1, 0));
	settle();
	RD(p[1], 10, MSG_DONTWAIT);
}

CASE_TYPES(09_21_shutdown_of_one_end)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	know(p[1], "b");
	DO(shutdown(p[0], SHUT_RDWR));
	settle();
	BITS(p[0]);
	BITS(p[1]);
	RD(p[1], 10, MSG_DONTWAIT);
	DO(send(p[1], "x", 1, 0));
	settle();
	RD(p[0], 10, MSG_DONTWAIT);
}

CASE_TYPES(09_21_bind_listen_connect)
{
	int p[2], r = bound(SOCK_RDM, 2);

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	DO(bind(p[0], rng(T, 1, 1), ALEN));
	DO(listen(p[0], 1));
	DO(accept(p[0], NULL, NULL));
	DO(connect(p[0], svc(T, 2), ALEN));
	DO(send(p[0], "x", 1, 0));
	NONE(r);
	NONE(p[1]);
}

CASE_LESS(09_21_another_destination_may_be_given)
{
	int p[2], r = bound(SOCK_RDM, 2);

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	know(p[1], "b");
	DO(sendto(p[0], "elsewhere", 9, 0, svc(T, 2), ALEN));
	RX(r);
	DO(sendto(r, "back", 4, 0, at_fd(p[0]), ALEN));
	know(r, "r");
	RX(p[0]);
}

CASE_TYPES(09_21_options_and_flags)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p));
	for (int i = 0; i < 2; i++) {
		GETOPT(p[i], SOL_SOCKET, SO_TYPE);
		GETOPT(p[i], SOL_TIPC, TIPC_IMPORTANCE);
		GETOPT(p[i], SOL_TIPC, TIPC_DEST_DROPPABLE);
		say("nonblocking %d", (fcntl(p[i], F_GETFL) & O_NONBLOCK) != 0);
		say("close on exec %d", (fcntl(p[i], F_GETFD) & FD_CLOEXEC) != 0);
	}
	DO(socketpair(AF_TIPC, type, 0, NULL));
}

CASE_CONN(09_21_window)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	SETOPT(p[0], SOL_TIPC, TIPC_NODELAY, 1);
	SETOPT(p[1], SOL_TIPC, TIPC_NODELAY, 1);
	say("a %d", fill_up(p[0], 1000));
	say("b %d", fill_up(p[1], 1000));
	drain(p[0]);
	drain(p[1]);
}
