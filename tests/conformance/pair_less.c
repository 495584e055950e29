/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams, multicast and topology services between two nodes: role 0 sends or asks. */
#include "conform.h"

#define PORTS	TIPC_SUB_PORTS
#define SERVICE TIPC_SUB_SERVICE

#define PAIR_ROWS(id, rows)                                                                        \
	CASE_FULL(id, PAIR, 20,                                                                    \
		  for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++)                    \
			  conform_add(name, (rows)[i].name, f, (int)i, limit, k);                  \
		  , row)

/* Role 1 has a socket bound to {T, 1}, role 0 one that is not; each knows the other. */
static int
far_socket(int type, uint32_t *ref)
{
	int s;

	if (role == 1)
		s = bound(type, 1);
	else
		s = returning(type);
	know(s, "near");
	*ref = swap(ref_of(s));
	know_ref(*ref, peer_node, "far");
	if (role == 0)
		await_name(T, 1, true);
	return s;
}

static const struct lens {
	const char *name;
	size_t len;
} lens[] = {{"1", 1},	    {"1000", 1000},   {"1420", 1420},  {"1421", 1421},
	    {"5000", 5000}, {"30000", 30000}, {"66000", 66000}};

PAIR_ROWS(pair_datagram_of_, lens)
{
	uint32_t ref;
	int s = far_socket(SOCK_RDM, &ref);

	fill(big, sizeof(big), (uint32_t)row + 1);
	if (role == 0) {
		DO(sendto(s, big, lens[row].len, 0, svc(T, 1), ALEN));
		DO(sendto(s, big, lens[row].len, 0, at(ref, peer_node), ALEN));
	} else {
		RX(s);
		RX(s);
		DO(sendto(s, big, lens[row].len, 0, at(ref, peer_node), ALEN));
	}
	if (role == 0)
		RX(s);
	swap(0);
}

PAIR_LESS(pair_order_of_datagrams)
{
	uint32_t ref, got, wrong = 0;
	int s = far_socket(type, &ref);

	for (uint32_t i = 0; i < 500; i++) {
		if (role == 0) {
			MUST(sendto(s, &i, 4, 0, i % 3 ? svc(T, 1) : at(ref, peer_node), ALEN));
		} else {
			MUST(recv(s, &got, 4, 0));
			wrong += got != i;
		}
	}
	say("%u wrong", wrong);
	swap(0);
}

PAIR_LESS(pair_domains)
{
	uint32_t ref;
	int s = far_socket(type, &ref);

	if (role == 0) {
		DO(sendto(s, "0", 1, 0, svc(T, 1), ALEN));
		DO(sendto(s, "far", 3, 0, svc_at(T, 1, peer_node), ALEN));
		DO(sendto(s, "own", 3, 0, svc_at(T, 1, own_node()), ALEN));
		DO(sendto(s, "cluster", 7, 0, svc_at(T, 1, own_node() & 0xfffff000), ALEN));
	} else {
		RX(s);
		RX(s);
		RX(s);
	}
	swap(0);
}

PAIR_LESS(pair_local_bindings_are_preferred)
{
	uint32_t ref;
	int s = far_socket(type, &ref), near = -1;

	if (role == 0) {
		near = bound(type, 1);
		for (int i = 0; i < 5; i++)
			DO(sendto(s, "near", 4, 0, svc(T, 1), ALEN));
		nap(50);
		GETOPT(near, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
		swap(0);
	} else {
		swap(0);
		NONE(s);
	}
	swap(0);
}

PAIR_LESS(pair_NO_PORT)
{
	uint32_t ref;
	int s = far_socket(type, &ref);

	if (role == 1) {
		close(s);
		swap(0);
	} else {
		swap(0);
		await_name(T, 1, false);
		fill(big, sizeof(big), 1);
		DO(sendto(s, big, 2000, 0, at(ref, peer_node), ALEN));
		RX(s);
		DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
	}
	swap(0);
}

PAIR_LESS(pair_NO_NAME)
{
	uint32_t ref;
	int s = far_socket(type, &ref);

	if (role == 0) {
		DO(sendto(s, "nobody there", 12, 0, svc_at(T, 7, peer_node), ALEN));
		RX(s);
	}
	swap(0);
}

PAIR_LESS(pair_unread_at_close)
{
	uint32_t ref;
	int s = far_socket(type, &ref);

	if (role == 0) {
		DO(sendto(s, "one", 3, 0, svc(T, 1), ALEN));
		DO(sendto(s, "two", 3, 0, at(ref, peer_node), ALEN));
		SETOPT(s, SOL_TIPC, TIPC_DEST_DROPPABLE, 1);
		DO(sendto(s, "droppable", 9, 0, svc(T, 1), ALEN));
		swap(0);
		RX(s);
		RX(s);
		NONE(s);
	} else {
		swap(0);
		await(s, POLLIN);
		nap(100);
		DO(close(s));
	}
	swap(0);
}

PAIR_LESS(pair_unread_at_shutdown)
{
	uint32_t ref;
	int s = far_socket(type, &ref);

	if (role == 0) {
		DO(sendto(s, "one", 3, 0, svc(T, 1), ALEN));
		swap(0);
		RX(s);
	} else {
		swap(0);
		await(s, POLLIN);
		nap(100);
		DO(shutdown(s, SHUT_RDWR));
	}
	swap(0);
}

PAIR_CONN(pair_datagram_to_a_connection_socket)
{
	int s;

	if (role == 1) {
		s = bound(type, 1);
		swap(ref_of(s));
	} else {
		know_ref(swap(0), peer_node, "far");
		await_name(T, 1, true);
		s = returning(SOCK_RDM);
		DO(sendto(s, "hello", 5, 0, svc(T, 1), ALEN));
		RX(s);
	}
	swap(0);
}

PAIR_CASE(pair_OVERLOAD)
{
	uint32_t ref;
	int s = far_socket(SOCK_RDM, &ref), over = 0;

	if (role == 1) {
		SETOPT(s, SOL_SOCKET, SO_RCVBUF, 20000);
		swap(0);
		swap(0);
		GETOPT(s, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH);
	} else {
		swap(0);
		for (int i = 0; i < 60; i++)
			MUST(sendto(s, big, 1000, 0, svc(T, 1), ALEN));
		nap(200);
		RX(s);
		for (over = 1; recv(s, big, 10, MSG_DONTWAIT) == 0; over++)
			;
		say("some came back %d", over > 10);
		swap(0);
	}
	swap(0);
}

PAIR_CASE(pair_node_scope_is_not_distributed)
{
	int s = sk(SOCK_RDM);

	if (role == 1) {
		MUST(bind(s, rng_scope(T, 1, 1, TIPC_NODE_SCOPE), ALEN));
		MUST(bind(s, rng_scope(T, 2, 2, TIPC_CLUSTER_SCOPE), ALEN));
		swap(0);
		know_ref(swap(0), peer_node, "far");
		RX(s);
	} else {
		swap(0);
		await_name(T, 2, true);
		swap(ref_of(s));
		DO(sendto(s, "x", 1, 0, svc(T, 1), ALEN));
		DO(sendto(s, "x", 1, 0, rng(T, 1, 1), ALEN));
		/* Looked up there, it is found. */
		DO(sendto(s, "there", 5, 0, svc_at(T, 1, peer_node), ALEN));
	}
	swap(0);
}

PAIR_ROWS(pair_multicast_of_, lens)
{
	uint32_t ref;
	int s = far_socket(SOCK_RDM, &ref), near = -1;

	fill(big, sizeof(big), (uint32_t)row + 1);
	if (role == 0) {
		near = bound(SOCK_RDM, 2);
		DO(sendto(s, big, lens[row].len, 0, rng(T, 0, 10), ALEN));
		RX(near);
	} else {
		RX(s);
	}
	swap(0);
}

static const struct method {
	const char *name;
	int option;
} methods[] = {{"BROADCAST", TIPC_MCAST_BROADCAST}, {"REPLICAST", TIPC_MCAST_REPLICAST}};

PAIR_ROWS(pair_multicast_by_, methods)
{
	uint32_t ref, got, wrong = 0;
	int s = far_socket(SOCK_RDM, &ref);

	if (role == 0)
		DO(setsockopt(s, SOL_TIPC, methods[row].option, NULL, 0));
	for (uint32_t i = 0; i < 50; i++) {
		if (role == 0) {
			MUST(sendto(s, &i, 4, 0, rng(T, 1, 5), ALEN));
		} else {
			MUST(recv(s, &got, 4, 0));
			wrong += got != i;
		}
	}
	say("%u wrong", wrong);
	swap(0);
}

PAIR_CASE(pair_multicast_one_copy_per_socket)
{
	uint32_t ref;
	int s = far_socket(SOCK_RDM, &ref), second;

	if (role == 1) {
		MUST(bind(s, rng(T, 1, 1), ALEN));
		MUST(bind(s, rng(T, 0, 5), ALEN));
		MUST(bind(s, rng_scope(T, 8, 8, 3), ALEN));
		second = sk(SOCK_RDM);
		MUST(bind(second, rng_scope(T, 8, 8, 3), ALEN));
		swap(0);
		RX(s);
		swap(0);
		NONE(s);
		/* Of node scope: only the own node's multicast reaches it. */
		NONE(second);
	} else {
		swap(0);
		DO(sendto(s, "multi", 5, 0, rng(T, 0, 10), ALEN));
		swap(0);
	}
	swap(0);
}

PAIR_CASE(pair_multicast_refused)
{
	int s;

	if (role == 1) {
		s = bound(SOCK_SEQPACKET, 1);
		swap(ref_of(s));
	} else {
		know_ref(swap(0), peer_node, "far");
		await_name(T, 1, true);
		s = returning(SOCK_RDM);
		/* A kernel passes over what comes back from another node. */
		DO(setsockopt(s, SOL_TIPC, TIPC_MCAST_REPLICAST, NULL, 0));
		MUST(set_time(s, SO_RCVTIMEO, 1000));
		DO(sendto(s, "multi", 5, 0, rng(T, 0, 10), ALEN));
		RX(s);
	}
	swap(0);
}

/* ---- topology ---- */

static void
names_come_and_go(int s)
{
	MUST(bind(s, rng(T, 1, 5), ALEN));
	MUST(bind(s, rng_scope(T, 7, 7, 3), ALEN));
	MUST(bind(s, rng(T, 1, 5), ALEN));
	MUST(bind(s, rng_scope(T, 1, 5, -2), ALEN));
}

static const struct filters {
	const char *name;
	uint32_t filter;
	int cnt; /* events */
} filters[] = {{"PORTS", PORTS, 5}, {"SERVICE", SERVICE, 3}};

PAIR_ROWS(pair_topology_of_the_far_node_, filters)
{
	int s = sk(SOCK_SEQPACKET), r = sk(SOCK_RDM);

	if (role == 0) {
		know_ref(swap(0), peer_node, "far");
		DO(connect(s, svc_at(1, 1, peer_node), ALEN));
		subscribe(s, T, 0, 10, filters[row].filter);
		subscribe(s, T, 20, 20, PORTS);
		EVENT(s);
		swap(0);
		for (int i = 0; i < filters[row].cnt - 1; i++)
			EVENT(s);
		swap(0);
		EVENT(s);
		EVENT(s);
	} else {
		swap(ref_of(r));
		MUST(bind(r, rng(T, 20, 20), ALEN));
		swap(0);
		names_come_and_go(r);
		swap(0);
		close(r);
	}
	swap(0);
}

PAIR_ROWS(pair_own_topology_tells_of_the_far_node_, filters)
{
	int s, r = sk(SOCK_RDM);

	if (role == 0) {
		know_ref(swap(0), peer_node, "far");
		s = topology(SOCK_SEQPACKET);
		subscribe(s, T, 0, 10, filters[row].filter);
		swap(0);
		for (int i = 0; i < (filters[row].filter == PORTS ? 3 : 1); i++)
			EVENT(s);
		swap(0);
		EVENT(s);
		nap(100);
		NO_EVENT(s);
	} else {
		swap(ref_of(r));
		swap(0);
		names_come_and_go(r);
		swap(0);
		close(r);
	}
	swap(0);
}

PAIR_CASE(pair_topology_bad_request_closes)
{
	if (role == 0) {
		int s = sk(SOCK_SEQPACKET);

		DO(connect(s, svc_at(1, 1, peer_node), ALEN));
		subscribe(s, T, 2, 1, PORTS);
		RD(s, 100, 0);
		BITS(s);
		DO(send(s, "x", 1, 0));
	}
	swap(0);
}

PAIR_CASE(pair_topology_request_in_the_connection_request)
{
	if (role == 0) {
		struct tipc_subscr q = subscription(T, 5, 5, 50, PORTS);
		int s = sk(SOCK_SEQPACKET);

		DO(sendto(s, &q, sizeof(q), 0, svc_at(1, 1, peer_node), ALEN));
		EVENT(s);
		DO(shutdown(s, SHUT_RDWR));
	}
	swap(0);
}

PAIR_CASE(pair_topology_cancel_at_the_far_node)
{
	int s = sk(SOCK_SEQPACKET), r = sk(SOCK_RDM);

	if (role == 0) {
		know_ref(swap(0), peer_node, "far");
		DO(connect(s, svc_at(1, 1, peer_node), ALEN));
		subscribe(s, T, 1, 1, PORTS);
		subscribe(s, T, 1, 1, PORTS | TIPC_SUB_CANCEL);
		subscribe(s, T, 2, 2, PORTS);
		nap(100);
		swap(0);
		EVENT(s);
	} else {
		swap(ref_of(r));
		swap(0);
		MUST(bind(r, rng(T, 1, 1), ALEN));
		MUST(bind(r, rng(T, 2, 2), ALEN));
	}
	swap(0);
}

static void
say_node_event(int s)
{
	struct tipc_event e;

	MUST(recv(s, &e, sizeof(e), 0));
	say("event %u of type %u: %s, port.ref %u, port.node %s", e.event, e.s.seq.type,
	    e.found_lower == own_node()	 ? "own"
	    : e.found_lower == peer_node ? "peer"
					 : "other",
	    e.port.ref,
	    e.port.node == own_node()  ? "own"
	    : e.port.node == peer_node ? "peer"
				       : "other");
}

PAIR_CASE(pair_node_and_link_are_there)
{
	int s = topology(SOCK_SEQPACKET);

	subscribe(s, 0, peer_node, peer_node, SERVICE);
	say_node_event(s);
	subscribe(s, 2, peer_node, peer_node, PORTS);
	say_node_event(s);
	swap(0);
}

CASE_FULL(pair_loss_node_and_link_events, PAIR, 40, ADD_ONE, arg)
{
	int n = topology(SOCK_SEQPACKET), l = topology(SOCK_SEQPACKET),
	    t = topology(SOCK_SEQPACKET);
	int r = bound(SOCK_RDM, role ? 1 : 2), s;

	(void)r;
	await_name(T, role ? 2 : 1, true);
	subscribe(n, 0, peer_node, peer_node, SERVICE);
	subscribe(l, 2, peer_node, peer_node, SERVICE);
	subscribe(t, T, role ? 2 : 1, role ? 2 : 1, PORTS);
	know_ref(swap(ref_of(r)), peer_node, "far");
	say_node_event(n);
	say_node_event(l);
	EVENT(t);
	swap(0);
	runner(role == 0 ? "cut" : "nothing");
	say_node_event(n);
	say_node_event(l);
	EVENT(t);
	s = sk(SOCK_RDM);
	DO(sendto(s, "x", 1, 0, svc(T, role ? 2 : 1), ALEN));
	DO(sendto(s, "x", 1, 0, at(5, peer_node), ALEN));
	swap(0);
	runner(role == 0 ? "heal" : "nothing");
	say_node_event(n);
	say_node_event(l);
	EVENT(t);
	DO(sendto(s, "x", 1, 0, svc(T, role ? 2 : 1), ALEN));
	swap(0);
}

CASE_FULL(pair_loss_ends_a_far_subscription, PAIR, 30, ADD_ONE, arg)
{
	int s = sk(SOCK_SEQPACKET);

	DO(connect(s, svc_at(1, 1, peer_node), ALEN));
	subscribe(s, T, 1, 1, PORTS);
	nap(50);
	swap(0);
	runner(role == 0 ? "cut" : "nothing");
	RD(s, 100, 0);
	RX_FULL(s, 100, 0, 0, 4096);
	swap(0);
	runner(role == 0 ? "heal" : "nothing");
	swap(0);
}

PAIR_CASE(pair_ioctl)
{
	struct tipc_sioc_nodeid_req id = {.peer = peer_node};
	struct tipc_sioc_ln_req ln = {.peer = peer_node};
	char want[16];
	int s = sk(SOCK_RDM);

	snprintf(want, sizeof(want), "%x", peer_node);
	DO(ioctl(s, SIOCGETNODEID, &id));
	say("identity %d", strncmp(id.node_id, want, 16) == 0);
	DO(ioctl(s, SIOCGETLINKNAME, &ln));
	snprintf(want, sizeof(want), "%x:", own_node());
	say("link name begins with the own node %d", strncmp(ln.linkname, want, strlen(want)) == 0);
	snprintf(want, sizeof(want), "-%x:", peer_node);
	say("link name has the far node %d", strstr(ln.linkname, want) != NULL);
	ln.bearer_id = 1;
	DO(ioctl(s, SIOCGETLINKNAME, &ln));
	ln.bearer_id = 0x10000;
	DO(ioctl(s, SIOCGETLINKNAME, &ln));
	swap(0);
}
