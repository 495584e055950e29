/* SPDX-License-Identifier: BSD-3-Clause */
/* 09-socket-api.md, 10: sending, connectionless: checks, unicast, multicast. */
#include "conform.h"

static const struct flag_row {
	const char *name;
	int flags;
} flag_rows[] = {
	{"OOB", MSG_OOB},
	{"EOR", MSG_EOR},
	{"NOSIGNAL", MSG_NOSIGNAL},
	{"MORE", MSG_MORE},
	{"DONTROUTE", MSG_DONTROUTE},
	{"CONFIRM", MSG_CONFIRM},
	{"DONTWAIT", MSG_DONTWAIT},
	{"PEEK", MSG_PEEK},
	{"WAITALL", MSG_WAITALL},
};

CASE_ROWS(09_10_send_flag_is_ignored_, flag_rows)
{
	int s = sk(SOCK_RDM), r = bound(SOCK_RDM, 1), flags = flag_rows[row].flags;
	struct trio t = connected(SOCK_SEQPACKET);

	KNOW(s);
	DO(sendto(s, "hello", 5, flags, svc(T, 1), ALEN) > 0);
	nonblock(r, true);
	settle();
	while (rx("r", r, 100, 0, 128, 4096) > 0)
		;
	DO(send(t.c, "hello", 5, flags));
	RX(t.s);
	(void)t;
}

CASE_TYPES(09_10_control_data_is_ignored)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(4)];
	} u = {.head = {.cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_TIPC, .cmsg_type = 77}};
	struct iovec iov[3] = {{"con", 3}, {"tro", 3}, {"l", 1}};
	struct msghdr m = {
		.msg_iov = iov, .msg_iovlen = 3, .msg_control = &u, .msg_controllen = sizeof(u)};
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	DO(sendmsg(p[0], &m, 0));
	RX(p[1]);
}

CASE_CONN(09_10_SIGPIPE_is_never_raised)
{
	struct trio t = connected(type);

	MUST(shutdown(t.s, SHUT_RDWR));
	await(t.c, POLLHUP);
	signal(SIGPIPE, SIG_DFL);
	DO(send(t.c, "x", 1, 0));
	DO(write(t.c, "x", 1));
	DO(send(t.c, "x", 1, MSG_NOSIGNAL));
}

CASE_LESS(09_10_no_address)
{
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int s = sk(type);

	DO(send(s, "x", 1, 0));
	DO(write(s, "x", 1));
	DO(sendto(s, "x", 1, 0, NULL, 0));
	DO(sendto(s, "x", 1, 0, NULL, 16));
	DO(sendmsg(s, &m, 0));
	m.msg_name = new_addr(TIPC_SERVICE_ADDR);
	DO(sendmsg(s, &m, 0));
	DO(sendto(s, "x", 1, 0, svc(T, 1), 0));
	DO(sendto(s, "x", 1, 0, svc(T, 1), 15));
	DO(send(s, "", 0, 0));
}

/* ---- 10.1 ---- */

CASE_LESS(09_10_1_row1_EMSGSIZE)
{
	int s = sk(type), r = bound(type, 1);

	KNOW(s);
	fill(big, sizeof(big), 1);
	DO(sendto(s, big, MSG_MAX, 0, svc(T, 1), ALEN));
	RX(r);
	DO(sendto(s, big, MSG_MAX + 1, 0, svc(T, 1), ALEN));
	DO(sendto(s, big, sizeof(big), 0, svc(T, 1), ALEN));
	/* before the address is looked at */
	DO(sendto(s, big, MSG_MAX + 1, 0, svc(T, 1), 3));
	DO(send(s, big, MSG_MAX + 1, 0));
	DO(sendto(s, big, MSG_MAX + 1, 0, rng(T, 2, 1), ALEN));
	NONE(r);
}

CASE_LESS(09_10_1_row2_before_row4)
{
	int s = sk(type);

	DO(sendto(s, "x", 1, 0, svc(T, 1), 12));
	DO(send(s, "x", 1, 0));
}

CASE_LESS(09_10_1_row6_EHOSTUNREACH)
{
	int s = sk(type), r = bound(SOCK_RDM, 5);

	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	DO(sendto(s, "x", 1, 0, svc(T, 4), ALEN));
	DO(sendto(s, "x", 1, 0, svc(T, 6), ALEN));
	DO(sendto(s, "x", 1, 0, svc(T + 1, 5), ALEN));
	DO(sendto(s, "x", 1, 0, svc(0xffffffff, 0xffffffff), ALEN));
	DO(sendto(s, "x", 1, MSG_DONTWAIT, svc(T, 1), ALEN));
	DO(sendto(s, "", 0, 0, svc(T, 1), ALEN));
	NONE(r);
}

CASE_LESS(09_10_1_row8_EFAULT)
{
	int s = sk(type), r = bound(SOCK_RDM, 1);

	DO(sendto(s, NULL, 10, 0, svc(T, 1), ALEN));
	DO(sendto(s, NULL, 10, 0, svc(T, 2), ALEN));
	NONE(r);
}

CASE_LESS(09_10_1_row10_unknown_node)
{
	int s = sk(type);

	DO(sendto(s, "x", 1, 0, at(12345, 0x01003003), ALEN));
	DO(sendto(s, "x", 1, 0, svc_at(T, 1, 0x01003003), ALEN));
	DO(sendto(s, "x", 1, MSG_DONTWAIT, at(12345, 0xffffffff), ALEN));
}

CASE_LESS(09_10_1_order_of_direct_and_named)
{
	int s = sk(type), r = bound(type, 1), wrong = 0;
	uint32_t got;

	for (uint32_t i = 0; i < 400; i++)
		MUST(sendto(s, &i, 4, 0, i % 3 ? svc(T, 1) : at_fd(r), ALEN));
	for (uint32_t i = 0; i < 400; i++) {
		MUST(recv(r, &got, 4, 0));
		wrong += got != i;
	}
	say("%d wrong", wrong);
}

/* ---- 10.2 ---- */

CASE_LESS(09_10_2_1_direct)
{
	int s = sk(type), r = sk(type);

	KNOW(s);
	DO(sendto(s, "own", 3, 0, at_fd(r), ALEN));
	RX(r);
	DO(sendto(s, "zero", 4, 0, at(ref_of(r), 0), ALEN));
	RX(r);
	DO(sendto(s, "self", 4, 0, at_fd(s), ALEN));
	RX(s);
}

CASE_LESS(09_10_2_1_the_port_is_not_checked)
{
	int s = sk(type), r = sk(type);
	uint32_t ref = ref_of(r);

	close(r);
	know_ref(ref, own_node(), "r");
	DO(sendto(s, "gone", 4, 0, at(ref, own_node()), ALEN));
	NONE(s);
	SETOPT(s, SOL_TIPC, TIPC_DEST_DROPPABLE, 0);
	DO(sendto(s, "gone", 4, 0, at(ref, own_node()), ALEN));
	RX(s);
	DO(sendto(s, "gone", 4, 0, at(ref, 0), ALEN));
	RX(s);
	DO(sendto(s, "zero", 4, 0, at(0, own_node()), ALEN));
	RX(s);
}

static const struct domain_row {
	const char *name;
	int scope;
	int kind;
} domain_rows[] = {
	{"0_cluster", 2, 0}, {"0_node", 3, 0}, {"own_cluster", 2, 1},
	{"own_node", 3, 1},  {"zone", 2, 2},   {"cluster", 3, 3},
};

CASE_ROWS(09_10_2_2_domain_, domain_rows)
{
	const struct domain_row *d = &domain_rows[row];
	uint32_t domains[] = {0, own_node(), own_node() & 0xff000000, own_node() & 0xfffff000};
	int s = sk(SOCK_RDM), r = sk(SOCK_RDM);

	KNOW(s);
	MUST(bind(r, rng_scope(T, 1, 5, d->scope), ALEN));
	DO(sendto(s, "there", 5, 0, svc_at(T, 2, domains[d->kind]), ALEN));
	RX(r);
	DO(sendto(s, "not there", 9, 0, svc_at(T, 6, domains[d->kind]), ALEN));
}

CASE_LESS(09_10_2_2_round_robin)
{
	int r[3], s = sk(type), owner;
	char order[40] = "", c;

	for (int i = 0; i < 3; i++)
		r[i] = bound(type, 1);
	for (int i = 0; i < 12; i++) {
		MUST(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
		settle();
		for (owner = 0; owner < 3 && recv(r[owner], &c, 1, MSG_DONTWAIT) != 1; owner++)
			;
		order[i] = (char)('a' + owner);
	}
	/* Which of them begins is not told; then each has its turn. */
	say("the turn is kept %d", memcmp(order, order + 3, 9) == 0);
	say("each has one %d",
	    order[0] != order[1] && order[1] != order[2] && order[0] != order[2]);
}

CASE(09_10_2_2_only_the_first_of_several_ranges)
{
	int a = sk(SOCK_RDM), b = sk(SOCK_RDM), s = sk(SOCK_RDM);
	uint32_t depth[2];
	socklen_t len = 4;

	MUST(bind(a, rng(T, 1, 10), ALEN));
	MUST(bind(b, rng(T, 5, 20), ALEN));
	for (int i = 0; i < 10; i++)
		MUST(sendto(s, "x", 1, 0, svc(T, 7), ALEN));
	settle();
	MUST(getsockopt(a, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH, &depth[0], &len));
	MUST(getsockopt(b, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH, &depth[1], &len));
	say("one has all: %d",
	    (depth[0] == 10 && depth[1] == 0) || (depth[0] == 0 && depth[1] == 10));
}

CASE(09_10_2_2_connection_sockets_are_found_too)
{
	int a = bound(SOCK_SEQPACKET, 1), s = returning(SOCK_RDM);

	KNOW(a);
	DO(sendto(s, "hello", 5, 0, svc(T, 1), ALEN));
	RX(s);
}

/* ---- 10.3 ---- */

CASE_LESS(09_10_3_every_socket_has_one_copy)
{
	int a = bound(type, 1), b = bound(type, 2), c = bound(type, 9), s = bound(type, 3);

	KNOW(s);
	DO(sendto(s, "multi", 5, 0, rng(T, 1, 5), ALEN));
	RX(a);
	RX(b);
	RX(s);
	NONE(c);
	NONE(a);
}

CASE_LESS(09_10_3_row2_nobody)
{
	int s = sk(type), a = bound(type, 10);

	DO(sendto(s, "multi", 5, 0, rng(T, 1, 9), ALEN));
	DO(sendto(s, "multi", 5, 0, rng(T + 1, 0, 0xffffffff), ALEN));
	DO(sendto(s, "multi", 5, 0, rng(T, 10, 10), ALEN));
	RX(a);
	KNOW(s);
}

static const struct sizes {
	const char *name;
	size_t len;
} sizes[] = {{"1", 1},	     {"1400", 1400},   {"1500", 1500},
	     {"9000", 9000}, {"66000", 66000}, {"66001", 66001}};

CASE_ROWS(09_10_3_size_, sizes)
{
	int s = sk(SOCK_RDM), a = bound(SOCK_RDM, 1), b = bound(SOCK_DGRAM, 2);

	KNOW(s);
	fill(big, sizeof(big), 3);
	DO(sendto(s, big, sizes[row].len, 0, rng(T, 1, 5), ALEN));
	if (row == 5)
		return;
	RX(a);
	RX(b);
}

CASE(09_10_3_to_connection_sockets)
{
	int a = bound(SOCK_SEQPACKET, 1), l = listener(SOCK_STREAM, 2), s = returning(SOCK_RDM);
	int r = bound(SOCK_RDM, 3);

	KNOW(s);
	know(a, "refusing");
	know(l, "refusing");
	DO(sendto(s, "multi", 5, 0, rng(T, 1, 5), ALEN));
	RX(r);
	RX(s);
	RX(s);
	NONE(s);
	SETOPT(s, SOL_TIPC, TIPC_DEST_DROPPABLE, 1);
	DO(sendto(s, "multi", 5, 0, rng(T, 1, 2), ALEN));
	NONE(s);
}

static const struct method {
	const char *name;
	int option;
} methods[] = {{"BROADCAST", TIPC_MCAST_BROADCAST}, {"REPLICAST", TIPC_MCAST_REPLICAST}};

CASE_ROWS(09_10_3_method_, methods)
{
	int s = sk(SOCK_RDM), a = bound(SOCK_RDM, 1), option = methods[row].option;

	KNOW(s);
	DO(setsockopt(s, SOL_TIPC, option, NULL, 0));
	for (int i = 0; i < 3; i++)
		MUST(sendto(s, &"012"[i], 1, 0, rng(T, 1, 5), ALEN));
	for (int i = 0; i < 3; i++)
		RX(a);
	DO(setsockopt(s, SOL_TIPC, option, "x", 1));
}

CASE_CONN(09_10_3_quirk_range_on_an_OPEN_connection_socket)
{
	int s = sk(type), r = bound(SOCK_RDM, 1);

	KNOW(s);
	DO(sendto(s, "multi", 5, MSG_DONTWAIT, rng(T, 1, 1), ALEN));
	NONE(r);
	BITS(s);
}

/* ---- 10.7, connectionless ---- */

CASE_LESS(09_10_7_row1_message_without_data)
{
	int s = sk(type), r = bound(type, 1);

	KNOW(s);
	DO(sendto(s, "", 0, 0, svc(T, 1), ALEN));
	DO(sendto(s, "", 0, 0, at_fd(r), ALEN));
	DO(sendto(s, "", 0, 0, rng(T, 1, 2), ALEN));
	NONE(r);
	BITS(r);
	DO(sendto(s, "", 0, 0, svc(T, 1), ALEN));
	DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	RX(r);
	NONE(r);
}

CASE_LESS(09_10_7_row1_message_without_data_makes_poll_say_IN)
{
	int s = sk(type), r = bound(type, 1);

	DO(sendto(s, "", 0, 0, svc(T, 1), ALEN));
	BITS(r);
	GETOPT(r, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	RD(r, 10, MSG_DONTWAIT);
	BITS(r);
}

CASE_TYPES(09_10_7_row3_read_of_length_0)
{
	int p[2];

	MUST(socketpair(AF_TIPC, type, 0, p));
	MUST(send(p[0], "data", 4, 0));
	settle();
	DO(read(p[1], big, 0));
	DO(recv(p[1], big, 0, 0));
	DO(read(p[1], big, 10));
}

/* ---- several messages with one call ---- */

CASE_TYPES(09_10_sendmmsg)
{
	struct iovec iov[4] = {{"one", 3}, {"two", 3}, {"three", 5}, {big, MSG_MAX + 1}};
	struct mmsghdr m[4];
	int p[2];

	memset(m, 0, sizeof(m));
	for (int i = 0; i < 4; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	MUST(socketpair(AF_TIPC, type, 0, p));
	know(p[0], "a");
	/* STREAM has no EMSGSIZE here. */
	DO(sendmmsg(p[0], m, type == SOCK_STREAM ? 3 : 4, 0));
	say("%u %u %u", m[0].msg_len, m[1].msg_len, m[2].msg_len);
	settle();
	for (int i = 0; i < (type == SOCK_STREAM ? 1 : 3); i++)
		RX(p[1]);
	NONE(p[1]);
	if (type != SOCK_STREAM)
		DO(sendmmsg(p[0], m + 3, 1, 0));
}

CASE_LESS(09_10_sendmmsg_with_addresses)
{
	struct iovec iov[3] = {{"one", 3}, {"two", 3}, {"three", 5}};
	struct mmsghdr m[3];
	int s = sk(type), a = bound(type, 1), b = bound(type, 2);

	KNOW(s);
	memset(m, 0, sizeof(m));
	for (uint32_t i = 0; i < 3; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
					       .msg_iovlen = 1,
					       .msg_name = (void *)(uintptr_t)svc(T, 1 + i),
					       .msg_namelen = ALEN};
	/* Nobody has the third. */
	DO(sendmmsg(s, m, 3, 0));
	RX(a);
	RX(b);
	DO(sendmmsg(s, m + 2, 1, 0));
	DO(sendmmsg(s, m, 0, 0));
}
