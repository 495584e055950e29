/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 2: what is an address; 3: creating a socket; 6: names of sockets. */
#include "conform.h"

/* ---- 2.3: the test of an address, by bind, a send and connect ---- */

enum { SOME_RANGE, SOME_SERVICE, SOME_SOCKET };

static const struct address_row {
	const char *name;
	int kind;
	int addrtype;	/* -1: as the kind says */
	int family;	/* -1: AF_TIPC */
	uint32_t lower; /* of a range; upper is 3 */
	socklen_t len;
} address_rows[] = {
	{"range_len_16", SOME_RANGE, -1, -1, 1, 16},
	{"range_len_15", SOME_RANGE, -1, -1, 1, 15},
	{"range_len_17", SOME_RANGE, -1, -1, 1, 17},
	{"range_len_32", SOME_RANGE, -1, -1, 1, 32},
	{"range_len_128", SOME_RANGE, -1, -1, 1, 128},
	{"range_len_129", SOME_RANGE, -1, -1, 1, 129},
	{"range_len_2", SOME_RANGE, -1, -1, 1, 2},
	{"range_len_negative", SOME_RANGE, -1, -1, 1, (socklen_t)-1},
	{"range_of_one", SOME_RANGE, -1, -1, 3, 16},
	{"range_lower_above_upper", SOME_RANGE, -1, -1, 4, 16},
	{"range_lower_4294967295", SOME_RANGE, -1, -1, 0xffffffff, 16},
	{"service_len_16", SOME_SERVICE, -1, -1, 1, 16},
	{"service_len_15", SOME_SERVICE, -1, -1, 1, 15},
	{"service_len_20", SOME_SERVICE, -1, -1, 1, 20},
	{"socket_len_16", SOME_SOCKET, -1, -1, 1, 16},
	{"socket_len_15", SOME_SOCKET, -1, -1, 1, 15},
	{"family_inet", SOME_SERVICE, -1, AF_INET, 1, 16},
	{"family_unspec", SOME_RANGE, -1, AF_UNSPEC, 1, 16},
	{"addrtype_0", SOME_SERVICE, 0, -1, 1, 16},
	{"addrtype_4", SOME_SERVICE, 4, -1, 1, 16},
	{"addrtype_255", SOME_SERVICE, 255, -1, 1, 16},
};

static const void *
address_of_row(const struct address_row *r, int receiver)
{
	static uint8_t room[256];
	struct sockaddr_tipc *a = (void *)room;

	memset(room, 0, sizeof(room));
	if (r->kind == SOME_RANGE)
		memcpy(a, rng(T, r->lower, 3), ALEN);
	else if (r->kind == SOME_SERVICE)
		memcpy(a, svc(T, 3), ALEN);
	else
		memcpy(a, at_fd(receiver), ALEN);
	if (r->addrtype >= 0)
		a->addrtype = (unsigned char)r->addrtype;
	if (r->family >= 0)
		a->family = (unsigned short)r->family;
	return room;
}

CASE_ROWS(09_2_3_bind_, address_rows)
{
	const struct address_row *r = &address_rows[row];
	int s = sk(SOCK_RDM);

	DO(bind(s, address_of_row(r, s), r->len));
}

CASE_ROWS(09_2_3_sendto_, address_rows)
{
	const struct address_row *r = &address_rows[row];
	int s = sk(SOCK_RDM), receiver = bound(SOCK_RDM, 3);

	KNOW(s);
	DO(sendto(s, "hello", 5, 0, address_of_row(r, receiver), r->len));
	NONE(receiver);
}

CASE_ROWS(09_7_1_connect_rdm_, address_rows)
{
	const struct address_row *r = &address_rows[row];
	int s = sk(SOCK_RDM), receiver = bound(SOCK_RDM, 3);

	KNOW(s);
	DO(connect(s, address_of_row(r, receiver), r->len));
	DO(send(s, "hello", 5, 0));
	NONE(receiver);
}

CASE_ROWS(09_7_1_connect_seqpacket_, address_rows)
{
	const struct address_row *r = &address_rows[row];
	int l = listener(SOCK_SEQPACKET, 3), s = sk(SOCK_SEQPACKET);

	nonblock(s, true);
	DO(connect(s, address_of_row(r, l), r->len));
	BITS(l);
}

CASE_TYPES(09_2_3_garbage_in_unused_parts_is_not_checked)
{
	struct sockaddr_tipc a;
	int s = sk(type), r = bound(SOCK_RDM, 3);

	memcpy(&a, svc(T, 7), ALEN);
	a.scope = 77;
	a.addr.name.domain = 0x12345678;
	DO(bind(s, (struct sockaddr *)&a, ALEN));
	memcpy(&a, at_fd(r), ALEN);
	a.scope = -100;
	a.addr.name.domain = 0xffffffff;
	int from = sk(SOCK_RDM);

	KNOW(from);
	DO(sendto(from, "x", 1, 0, (struct sockaddr *)&a, ALEN));
	RX(r);
}

CASE(09_2_1_old_names_work)
{
	int r = sk(SOCK_RDM), s = sk(SOCK_RDM);
	struct sockaddr_tipc a = {
		.family = AF_TIPC, .addrtype = TIPC_ADDR_NAMESEQ, .scope = TIPC_ZONE_SCOPE};
	struct tipc_name_seq seq = {T, 1, 4};

	KNOW(s);
	a.addr.nameseq = seq;
	DO(bind(r, (struct sockaddr *)&a, ALEN));
	a.addrtype = TIPC_ADDR_NAME;
	a.addr.name.name.instance = 2;
	/* <1.1.0> contains the own node, <1.1.1>. */
	a.addr.name.domain = tipc_addr(1, 1, 0);
	DO(sendto(s, "cluster", 7, 0, (struct sockaddr *)&a, ALEN));
	RX(r);
	a.addr.name.domain = tipc_addr(1, 0, 0);
	DO(sendto(s, "zone", 4, 0, (struct sockaddr *)&a, ALEN));
	RX(r);
}

/* ---- 3: creating a socket ---- */

CASE_TYPES(09_3_initial_values)
{
	int s;

	s = FD(socket(AF_TIPC, type, 0));
	GETOPT(s, SOL_SOCKET, SO_TYPE);
	GETOPT(s, SOL_SOCKET, SO_DOMAIN);
	GETOPT(s, SOL_SOCKET, SO_PROTOCOL);
	GETOPT(s, SOL_SOCKET, SO_ACCEPTCONN);
	GETOPT(s, SOL_SOCKET, SO_ERROR);
	GETOPT(s, SOL_TIPC, TIPC_IMPORTANCE);
	GETOPT(s, SOL_TIPC, TIPC_SRC_DROPPABLE);
	GETOPT(s, SOL_TIPC, TIPC_DEST_DROPPABLE);
	GETOPT(s, SOL_TIPC, TIPC_CONN_TIMEOUT);
	GETOPT(s, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	GETOPT(s, SOL_TIPC, TIPC_SOCK_RECVQ_USED);
	GETOPT(s, SOL_SOCKET, SO_RCVBUF);
	BITS(s);
}

static const struct socket_row {
	const char *name;
	int type, protocol;
} socket_rows[] = {
	{"protocol_1", SOCK_RDM, 1}, {"protocol_before_type", SOCK_RAW, 6},
	{"raw", SOCK_RAW, 0},	     {"type_6", 6, 0},
	{"type_10_packet", 10, 0},   {"type_0", 0, 0},
	{"type_11", 11, 0},
};

CASE_ROWS(09_3_errors_, socket_rows)
{
	const struct socket_row *r = &socket_rows[row];
	int fds[2];

	DO(socket(AF_TIPC, r->type, r->protocol));
	DO(socketpair(AF_TIPC, r->type, r->protocol, fds));
}

CASE_TYPES(09_3_flags_of_the_type)
{
	int s;

	s = FD(socket(AF_TIPC, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	say("nonblocking %d", (fcntl(s, F_GETFL) & O_NONBLOCK) != 0);
	say("close on exec %d", (fcntl(s, F_GETFD) & FD_CLOEXEC) != 0);
	s = FD(socket(AF_TIPC, type, 0));
	say("nonblocking %d", (fcntl(s, F_GETFL) & O_NONBLOCK) != 0);
	say("close on exec %d", (fcntl(s, F_GETFD) & FD_CLOEXEC) != 0);
	DO(socket(AF_TIPC, type | 0x1000, 0));
}

CASE(09_3_EMFILE)
{
	struct rlimit r = {20, 20};
	int s;

	sk(SOCK_RDM);
	MUST(setrlimit(RLIMIT_NOFILE, &r));
	while ((s = dup(0)) >= 0)
		;
	DO(socket(AF_TIPC, SOCK_RDM, 0));
}

CASE(09_3_1_ports_are_unique_and_not_0)
{
	uint32_t refs[300];
	int twice = 0, zero = 0;

	for (int i = 0; i < 300; i++) {
		/* Half of them are closed at once: their numbers do not come back. */
		int s = sk(SOCK_RDM);

		refs[i] = ref_of(s);
		zero += refs[i] == 0;
		for (int k = 0; k < i; k++)
			twice += refs[k] == refs[i];
		if (i % 2 != 0)
			close(s);
	}
	say("twice %d, zero %d", twice, zero);
}

CASE(09_3_an_unprivileged_user_may)
{
	int s, r;

	sk(SOCK_RDM); /* attached, where that is needed, before the user changes */
	MUST(setuid(65534));
	r = FD(socket(AF_TIPC, SOCK_RDM, 0));
	DO(bind(r, rng(T, 1, 1), ALEN));
	s = FD(socket(AF_TIPC, SOCK_RDM, 0));
	KNOW(s);
	DO(sendto(s, "hello", 5, 0, svc(T, 1), ALEN));
	RX(r);
	SETOPT(s, SOL_TIPC, TIPC_IMPORTANCE, TIPC_CRITICAL_IMPORTANCE);
}

/* ---- 6: getsockname, getpeername ---- */

static void
say_name(const char *what, int fd, socklen_t len, bool is_peer)
{
	uint8_t room[160];
	socklen_t got = len;
	int n;

	memset(room, 0xee, sizeof(room));
	errno = 0;
	n = is_peer ? getpeername(fd, (struct sockaddr *)room, &got)
		    : getsockname(fd, (struct sockaddr *)room, &got);
	say_result(what, n);
	if (n != 0)
		return;
	say(" length %u, then", got);
	if (len >= ALEN)
		say(" %s, octet behind %02x", addr_text((void *)room, ALEN), room[16]);
	else
		say(" family %u, octet behind %02x", len >= 2 ? *(uint16_t *)(void *)room : 0,
		    room[len]);
}

CASE_TYPES(09_6_getsockname)
{
	int s = sk(type);

	know(s, "s");
	say_name("getsockname", s, 16, false);
	say_name("getsockname with 128", s, 128, false);
	say_name("getsockname with 4", s, 4, false);
	say_name("getsockname with 0", s, 0, false);
	say_name("getsockname with -1", s, (socklen_t)-1, false);
	MUST(bind(s, rng(T, 1, 1), ALEN));
	say_name("getsockname, bound", s, 16, false);
	say_name("getpeername", s, 16, true);
}

CASE_CONN(09_6_getpeername_of_a_connection)
{
	struct trio t = connected(type);

	say_name("client", t.c, 16, true);
	say_name("server", t.s, 16, true);
	say_name("client with 8", t.c, 8, true);
	say_name("client with 128", t.c, 128, true);
	say_name("client with -1", t.c, (socklen_t)-1, true);
	say_name("listener", t.l, 16, true);
	say_name("own name of the client", t.c, 16, false);
	say_name("own name of the server", t.s, 16, false);
}

CASE_CONN(09_6_getpeername_after_the_end)
{
	struct trio t = connected(type);

	MUST(shutdown(t.c, SHUT_RDWR));
	say_name("shut down", t.c, 16, true);
	await(t.s, POLLHUP);
	say_name("its peer", t.s, 16, true);
}

CASE_LESS(09_6_getpeername_after_connect_is_not_there)
{
	int s = sk(type);

	MUST(connect(s, svc(T, 1), ALEN));
	say_name("getpeername", s, 16, true);
}

CASE_TYPES(09_6_getpeername_of_a_socketpair)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	know(p[1], "b");
	say_name("a", p[0], 16, true);
	say_name("b", p[1], 16, true);
}

CASE_CONN(09_6_accept_tells_the_peer_even_when_it_is_gone)
{
	int l = listener(type, 1), c = start_connect(type, svc(T, 1)), s;
	struct sockaddr_tipc a;
	socklen_t len = sizeof(a);

	KNOW(c);
	settle();
	close(c);
	settle();
	s = FD(accept(l, (struct sockaddr *)&a, &len));
	say("from %s", addr_text(&a, len));
	await(s, POLLHUP);
	say_name("getpeername", s, 16, true);
}
