/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections between two nodes. Role 0 is the client on one node, role 1 the server on the
 * other; each has its transcript. */
#include "conform.h"

/* The far end's socket, for both: it is called "far". */
static void
tell_socket(int fd)
{
	know_ref(swap(ref_of(fd)), peer_node, "far");
}

/* A connection: role 0 has its client's end, role 1 its server's. */
static int
far_connection(int type, bool is_by_name)
{
	int s, l = -1;
	uint32_t ref;

	if (role == 1) {
		l = listener(type, 1);
		swap(ref_of(l));
		s = MUST(accept(l, NULL, NULL));
		close(l);
	} else {
		ref = swap(0);
		await_name(T, 1, true);
		s = sk(type);
		MUST(connect(s, is_by_name ? svc(T, 1) : at(ref, peer_node), ALEN));
	}
	know(s, "near");
	tell_socket(s);
	MUST(set_u32(s, SOL_TIPC, TIPC_NODELAY, 1));
	return s;
}

static void
say_peer(int fd)
{
	struct sockaddr_tipc a;
	socklen_t len = sizeof(a);

	if (DO(getpeername(fd, (struct sockaddr *)&a, &len)) == 0)
		say("%s", addr_text(&a, len));
}

PAIR_CONN(pair_connect_by_name)
{
	int s = far_connection(type, true);

	say_peer(s);
	BITS(s);
	swap(0);
	DO(send(s, role ? "from server" : "from client", 11, 0));
	RX(s);
	swap(0);
}

PAIR_CONN(pair_connect_by_socket_address)
{
	int s = far_connection(type, false);

	say_peer(s);
	DO(send(s, role ? "from server" : "from client", 11, 0));
	RX(s);
	swap(0);
}

PAIR_CONN(pair_connect_with_domain_of_the_far_node)
{
	int s;

	if (role == 1) {
		int l = listener(type, 1);

		swap(0);
		s = FD(accept(l, NULL, NULL));
		RD(s, 100, 0);
	} else {
		swap(0);
		await_name(T, 1, true);
		s = sk(type);
		DO(connect(s, svc_at(T, 1, peer_node), ALEN));
		DO(send(s, "hello", 5, 0));
	}
	swap(0);
}

PAIR_CONN(pair_accept_tells_the_client)
{
	int l = -1, s;
	struct sockaddr_tipc a;
	socklen_t len = sizeof(a);

	if (role == 1) {
		l = listener(type, 1);
		swap(0);
		know_ref(swap(0), peer_node, "client");
		s = FD(accept(l, (struct sockaddr *)&a, &len));
		say("%s", addr_text(&a, len));
		GETOPT(s, SOL_TIPC, TIPC_IMPORTANCE);
	} else {
		swap(0);
		await_name(T, 1, true);
		s = sk(type);
		swap(ref_of(s));
		SETOPT(s, SOL_TIPC, TIPC_IMPORTANCE, 2);
		DO(connect(s, svc(T, 1), ALEN));
		GETOPT(s, SOL_TIPC, TIPC_IMPORTANCE);
	}
	swap(0);
}

PAIR_CASE(pair_types_may_differ)
{
	int s;

	if (role == 1) {
		int l = listener(SOCK_STREAM, 1);

		swap(0);
		s = FD(accept(l, NULL, NULL));
		RD(s, 6, MSG_WAITALL);
		DO(send(s, "to seqpacket", 12, 0));
	} else {
		swap(0);
		await_name(T, 1, true);
		s = sk(SOCK_SEQPACKET);
		DO(connect(s, svc(T, 1), ALEN));
		DO(send(s, "one", 3, 0));
		DO(send(s, "two", 3, 0));
		RD(s, 100, 0);
	}
	swap(0);
}

/* ---- refused ---- */

PAIR_CONN(pair_refused_by_a_name_that_does_not_listen)
{
	int s;

	if (role == 1) {
		s = bound(type, 1);
		swap(ref_of(s));
	} else {
		know_ref(swap(0), peer_node, "far");
		await_name(T, 1, true);
		s = sk(type);
		DO(connect(s, svc(T, 1), ALEN));
		BITS(s);
		RX(s);
		BITS(s);
	}
	swap(0);
}

PAIR_CONN(pair_refused_by_a_free_port)
{
	int s;

	if (role == 1) {
		uint32_t ref;

		s = sk(type);
		ref = ref_of(s);
		close(s);
		swap(ref);
	} else {
		uint32_t ref = swap(0);

		s = sk(type);
		DO(connect(s, at(ref, peer_node), ALEN));
		GETOPT(s, SOL_SOCKET, SO_ERROR);
		RD(s, 10, MSG_DONTWAIT);
	}
	swap(0);
}

PAIR_CONN(pair_refused_no_such_name)
{
	if (role == 0) {
		int s = sk(type);

		DO(connect(s, svc(T, 1), ALEN));
		/* The far node is asked, and knows none. */
		DO(connect(s, svc_at(T, 1, peer_node), ALEN));
		RX(s);
	}
	swap(0);
}

PAIR_CONN(pair_refused_data_of_the_request_comes_back)
{
	int s;

	if (role == 1) {
		s = bound(type, 1);
		swap(ref_of(s));
	} else {
		know_ref(swap(0), peer_node, "far");
		await_name(T, 1, true);
		s = sk(type);
		fill(big, sizeof(big), 3);
		DO(sendto(s, big, 3000, 0, svc(T, 1), ALEN));
		RX(s);
	}
	swap(0);
}

PAIR_CONN(pair_refused_by_the_close_of_a_listener)
{
	int s;

	if (role == 1) {
		s = listener(type, 1);
		swap(0);
		await(s, POLLIN);
		DO(close(s));
	} else {
		swap(0);
		await_name(T, 1, true);
		s = sk(type);
		DO(connect(s, svc(T, 1), ALEN));
	}
	swap(0);
}

PAIR_CONN(pair_connect_to_a_connectionless_name)
{
	int s;

	if (role == 1) {
		s = bound(SOCK_RDM, 1);
		swap(0);
		swap(0);
		NONE(s);
	} else {
		swap(0);
		await_name(T, 1, true);
		s = sk(type);
		SETOPT(s, SOL_TIPC, TIPC_CONN_TIMEOUT, 150);
		DO(connect(s, svc(T, 1), ALEN));
		swap(0);
	}
	swap(0);
}

PAIR_CONN(pair_client_closes_before_accept)
{
	int s;

	if (role == 1) {
		int l = listener(type, 1);

		swap(0);
		swap(0);
		s = FD(accept(l, NULL, NULL));
		await(s, POLLHUP);
		RD(s, 10, 0);
	} else {
		swap(0);
		await_name(T, 1, true);
		s = start_connect(type, svc(T, 1));
		nap(100);
		DO(close(s));
		nap(100);
		swap(0);
	}
	swap(0);
}

PAIR_CONN(pair_implied_connect)
{
	int s;

	fill(big, sizeof(big), 8);
	if (role == 1) {
		int l = listener(type, 1);

		swap(0);
		s = FD(accept(l, NULL, NULL));
		MUST(recv(s, big, MSG_MAX, MSG_WAITALL));
		say("sum %08x", sum_of(big, MSG_MAX));
		DO(send(s, "answer", 6, 0));
	} else {
		swap(0);
		await_name(T, 1, true);
		s = sk(type);
		DO(sendto(s, big, MSG_MAX, 0, svc(T, 1), ALEN));
		say("sum %08x", sum_of(big, MSG_MAX));
		RD(s, 100, 0);
	}
	swap(0);
}

/* ---- ends ---- */

static const struct end_row {
	const char *name;
	int who; /* role that ends it */
	int how; /* 0 shutdown, 1 close, 2 the process is killed */
	bool is_unread;
} end_rows[] = {
	{"shutdown_by_server", 1, 0, false},
	{"shutdown_by_client", 0, 0, false},
	{"close_by_server", 1, 1, false},
	{"close_by_client", 0, 1, false},
	{"kill_of_server", 1, 2, false},
	{"kill_of_client", 0, 2, false},
	{"shutdown_with_unread", 1, 0, true},
	{"close_with_unread", 1, 1, true},
	{"close_with_unread_by_client", 0, 1, true},
	{"kill_with_unread", 1, 2, true},
};

static void
end_connection(int s, int how)
{
	pid_t child;
	int status;

	if (how == 0)
		DO(shutdown(s, SHUT_RDWR));
	if (how == 1)
		DO(close(s));
	if (how != 2)
		return;
	/* The child has the only descriptor then, and is killed with it. */
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	close(s);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

static void
ended(int s)
{
	await(s, POLLHUP);
	RD(s, 100, 0);
	RD(s, 100, MSG_DONTWAIT | MSG_PEEK);
	BITS(s);
	DO(send(s, "x", 1, 0));
	GETOPT(s, SOL_SOCKET, SO_ERROR);
}

static void
end_case(const struct end_row *e, int type)
{
	int s = far_connection(type, true);

	fill(big, sizeof(big), 5);
	if (e->is_unread && e->who != role) {
		DO(send(s, big, 2000, 0));
		DO(send(s, "second", 6, 0));
	}
	if (!e->is_unread && e->who == role)
		DO(send(s, "last words", 10, 0));
	swap(0);
	if (e->is_unread && e->who == role) {
		await(s, POLLIN);
		nap(50);
	}
	if (e->who == role) {
		end_connection(s, e->how);
	} else if (e->is_unread) {
		await(s, POLLHUP);
		RD(s, 100, 0);
		RX_FLAGS(s, 100, MSG_DONTWAIT);
	} else {
		ended(s);
		RX_FLAGS(s, 100, MSG_DONTWAIT);
	}
	swap(0);
}

#define PAIR_ROWS(id, rows)                                                                        \
	CASE_FULL(id, PAIR, 20,                                                                    \
		  for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++)                    \
			  conform_add(name, (rows)[i].name, f, (int)i, limit, k);                  \
		  , row)

PAIR_ROWS(pair_end_seqpacket_, end_rows)
{
	end_case(&end_rows[row], SOCK_SEQPACKET);
}

PAIR_ROWS(pair_end_stream_, end_rows)
{
	end_case(&end_rows[row], SOCK_STREAM);
}

/* ---- data ---- */

static const struct message_len {
	const char *name;
	size_t len;
} message_lens[] = {{"1", 1},	    {"1399", 1399},   {"1436", 1436},	{"1437", 1437},
		    {"1500", 1500}, {"10000", 10000}, {"65999", 65999}, {"66000", 66000}};

PAIR_ROWS(pair_messages_of_, message_lens)
{
	int s = far_connection(SOCK_SEQPACKET, true);
	size_t len = message_lens[row].len;

	for (uint32_t i = 0; i < 3; i++) {
		fill(big, len, i + 10 * (uint32_t)role);
		MUST(send(s, big, len, 0));
		RX(s);
	}
	swap(0);
}

struct flow {
	int fd;
	size_t len, most;
	uint32_t seed;
};

static uint8_t
octet(uint32_t seed, size_t i)
{
	return (uint8_t)(seed + i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void *
pour(void *arg)
{
	struct flow *f = arg;
	uint8_t *data = malloc(f->most);
	size_t sent = 0;

	while (sent < f->len) {
		size_t n = 1 + (sent * 7919) % f->most;

		n = n < f->len - sent ? n : f->len - sent;
		for (size_t i = 0; i < n; i++)
			data[i] = octet(f->seed, sent + i);
		if (send(f->fd, data, n, 0) != (ssize_t)n) {
			say("send: %s", errno_name(errno));
			break;
		}
		sent += n;
	}
	free(data);
	return NULL;
}

static void
take(int fd, size_t len, uint32_t seed)
{
	size_t have = 0, wrong = 0;

	while (have < len) {
		ssize_t n = recv(fd, big, sizeof(big), 0);

		if (n <= 0) {
			say("recv %zd %s", n, errno_name(errno));
			break;
		}
		for (ssize_t i = 0; i < n; i++)
			wrong += big[i] != octet(seed, have + (size_t)i);
		have += (size_t)n;
	}
	say("%zu octets, %zu wrong", have, wrong);
}

static const struct flow_row {
	const char *name;
	int type, ways; /* 1: client to server, 2: server to client, 3: both */
	size_t len, most;
} flow_rows[] = {
	{"stream_to_server", SOCK_STREAM, 1, 2000000, 9000},
	{"stream_to_client", SOCK_STREAM, 2, 2000000, 9000},
	{"stream_both_ways", SOCK_STREAM, 3, 1000000, 66000},
	{"stream_small_writes", SOCK_STREAM, 3, 100000, 300},
	{"seqpacket_to_server", SOCK_SEQPACKET, 1, 2000000, 66000},
	{"seqpacket_to_client", SOCK_SEQPACKET, 2, 2000000, 66000},
	{"seqpacket_both_ways", SOCK_SEQPACKET, 3, 1000000, 9000},
	{"seqpacket_small_messages", SOCK_SEQPACKET, 3, 100000, 300},
};

CASE_FULL(pair_flow_, PAIR, 60,
	  for (size_t i = 0; i < sizeof(flow_rows) / sizeof(flow_rows[0]); i++)
		  conform_add(name, flow_rows[i].name, f, (int)i, limit, k);
	  , row)
{
	const struct flow_row *r = &flow_rows[row];
	int s = far_connection(r->type, true);
	struct flow f = {s, r->len, r->most, (uint32_t)role};
	bool is_sending = r->ways & (role == 0 ? 1 : 2), is_taking = r->ways & (role == 0 ? 2 : 1);
	pthread_t t = 0;

	if (is_sending)
		t = begin(pour, &f);
	if (is_taking)
		take(s, r->len, (uint32_t)!role);
	if (is_sending)
		finish(t);
	swap(0);
}

static const struct message_len window_lens[] = {
	{"100", 100}, {"1000", 1000}, {"1100", 1100}, {"10000", 10000}, {"66000", 66000}};

PAIR_ROWS(pair_window_, window_lens)
{
	int s = far_connection(SOCK_SEQPACKET, true), cnt;
	size_t len = window_lens[row].len;

	if (role == 0) {
		cnt = fill_window(s, len);
		say("sent %d", cnt);
		BITS(s);
		swap((uint32_t)cnt);
		swap(0);
		BITS(s);
		DO(send(s, "more", 4, MSG_DONTWAIT));
	} else {
		cnt = (int)swap(0);
		for (int i = 0; i < cnt; i++)
			MUST(recv(s, big, len, 0));
		nap(100);
		swap(0);
		RX(s);
	}
	swap(0);
}

PAIR_CASE(pair_window_server_sends)
{
	int s = far_connection(SOCK_STREAM, true);

	if (role == 1) {
		say("sent %d", fill_window(s, 1000));
		swap(0);
	} else {
		swap(0);
		for (int i = 0; i < 32; i++)
			MUST(recv(s, big, 1000, MSG_WAITALL));
		nap(50);
	}
	swap(0);
	if (role == 1)
		say("sent %d", fill_window(s, 1000));
	swap(0);
	drain(s);
	swap(0);
}

PAIR_CONN(pair_a_sleeping_sender_is_woken)
{
	int s = far_connection(type, true), cnt;

	if (role == 0) {
		cnt = fill_window(s, 5000);
		swap((uint32_t)cnt);
		DO(send(s, "late", 4, 0));
	} else {
		cnt = (int)swap(0);
		nap(50);
		for (int i = 0; i < cnt; i++)
			MUST(recv(s, big, 5000, MSG_WAITALL));
		RX(s);
	}
	swap(0);
}

/* ---- node loss ---- */

CASE_FULL(pair_loss_of_the_node, PAIR, 30, ADD_CONN, type)
{
	int s = far_connection(type, true);

	MUST(send(s, "before", 6, 0));
	await(s, POLLIN);
	swap(0);
	if (role == 0)
		runner("cut");
	else
		runner("nothing");
	await(s, POLLHUP);
	await(s, POLLHUP);
	await(s, POLLHUP);
	RD(s, 100, 0);
	RD(s, 100, 0);
	RX_FULL(s, 100, 0, 0, 4096);
	DO(send(s, "x", 1, 0));
	BITS(s);
	swap(0);
	if (role == 0)
		runner("heal");
	swap(0);
	/* A new life: the connection stays ended. */
	BITS(s);
	s = far_connection(type, true);
	DO(send(s, "after", 5, 0));
	RD(s, 100, 0);
	swap(0);
}

CASE_FULL(pair_loss_of_the_node_wakes_a_reader, PAIR, 30, ADD_ONE, arg)
{
	int s = far_connection(SOCK_SEQPACKET, true);

	swap(0);
	if (role == 0)
		runner("cut");
	RD(s, 100, 0);
	swap(0);
	if (role == 0)
		runner("heal");
	swap(0);
}
