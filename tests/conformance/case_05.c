/* SPDX-License-Identifier: BSD-3-Clause */
/* 05-topology-service.md: subscriptions and events, in one node. */
#include "conform.h"

#define PORTS	  TIPC_SUB_PORTS
#define SERVICE	  TIPC_SUB_SERVICE
#define CLUSTER	  0x20u
#define NODE	  0x40u
#define NO_STATUS 0x80u
#define FOREVER	  ((uint32_t)TIPC_WAIT_FOREVER)

static uint32_t
swap32(uint32_t x, bool is_swapped)
{
	return is_swapped ? __builtin_bswap32(x) : x;
}

static const char *
event_name(uint32_t event)
{
	static const char *const names[] = {"?", "PUBLISHED", "WITHDRAWN", "TIMEOUT"};

	return event <= 3 ? names[event] : "?";
}

static void
say_event(const char *who, const struct tipc_event *e)
{
	bool is_swapped = e->event > 0xffff;
	struct sockaddr_tipc a = {.family = AF_TIPC, .addrtype = TIPC_SOCKET_ADDR};
	uint32_t type = swap32(e->s.seq.type, is_swapped);
	char name[16];

	a.addr.id.ref = swap32(e->port.ref, is_swapped);
	a.addr.id.node = swap32(e->port.node, is_swapped);
	snprintf(name, sizeof(name), type - T < 10 ? "T+%u" : "%u",
		 type - T < 10 ? type - T : type);
	say("event(%s)%s: %s %u..%u %s of {%s, %u, %u} timeout %u filter %#x %.8s", who,
	    is_swapped ? " swapped" : "", event_name(swap32(e->event, is_swapped)),
	    swap32(e->found_lower, is_swapped), swap32(e->found_upper, is_swapped),
	    addr_text(&a, ALEN), name, swap32(e->s.seq.lower, is_swapped),
	    swap32(e->s.seq.upper, is_swapped), swap32(e->s.timeout, is_swapped),
	    swap32(e->s.filter, is_swapped), e->s.usr_handle);
}

long
event(const char *who, int fd, bool is_waiting)
{
	struct tipc_event e;
	ssize_t n;

	errno = 0;
	n = recv(fd, &e, sizeof(e), is_waiting ? 0 : MSG_DONTWAIT);
	if (n == sizeof(e))
		say_event(who, &e);
	else if (n >= 0)
		say("event(%s): %zd octets", who, n);
	else
		say("event(%s) = -1 %s", who, errno_name(errno));
	return n;
}

static void
subscribe_as(int fd, struct tipc_subscr s, bool is_swapped)
{
	s.seq.type = swap32(s.seq.type, is_swapped);
	s.seq.lower = swap32(s.seq.lower, is_swapped);
	s.seq.upper = swap32(s.seq.upper, is_swapped);
	s.timeout = swap32(s.timeout, is_swapped);
	s.filter = swap32(s.filter, is_swapped);
	MUST(send(fd, &s, sizeof(s), 0));
}

/* The server handles what was sent at some time: what is asked last is answered last. */
static void
handled(int fd)
{
	struct tipc_subscr s = subscription(T + 9, 0, 0, 0, SERVICE);
	struct tipc_event e;

	settle();
	MUST(send(fd, &s, sizeof(s), 0));
	for (;;) {
		if (recv(fd, &e, sizeof(e), 0) != sizeof(e)) {
			say("(the connection has ended)");
			return;
		}
		if (e.event == TIPC_SUBSCR_TIMEOUT && e.s.seq.type == T + 9)
			return;
		say_event("handled", &e);
	}
}

/* ---- 1 ---- */

CASE(05_1_nobody_else_binds_type_1)
{
	int s = sk(SOCK_RDM);

	DO(bind(s, rng(TIPC_TOP_SRV, 1, 1), ALEN));
	DO(bind(s, rng(TIPC_TOP_SRV, 7, 7), ALEN));
	DO(bind(s, rng(0, 1, 1), ALEN));
	DO(bind(s, rng(63, 1, 1), ALEN));
}

static const struct client_type {
	const char *name;
	int type;
} client_types[] = {{"seqpacket", SOCK_SEQPACKET}, {"stream", SOCK_STREAM}};

CASE_ROWS(05_1_server_accepts_, client_types)
{
	int c = sk(client_types[row].type), r;

	DO(connect(c, svc(1, 1), ALEN));
	BITS(c);
	subscribe(c, T, 0, 10, PORTS);
	handled(c);
	r = bound(SOCK_RDM, 3);
	KNOW(r);
	EVENT(c);
	DO(close(r));
	EVENT(c);
	DO(shutdown(c, SHUT_RDWR));
}

CASE(05_1_domain_of_the_own_node)
{
	int c = sk(SOCK_SEQPACKET), r = bound(SOCK_RDM, 3);

	KNOW(r);
	DO(connect(c, svc_at(1, 1, own_node()), ALEN));
	subscribe(c, T, 3, 3, PORTS);
	EVENT(c);
}

/* ---- 2.1: every filter ---- */

static const struct filter_row {
	const char *name;
	uint32_t filter;
} filter_rows[] = {
	{"PORTS", PORTS},
	{"SERVICE", SERVICE},
	{"PORTS_CLUSTER", PORTS | CLUSTER},
	{"PORTS_NODE", PORTS | NODE},
	{"PORTS_NO_STATUS", PORTS | NO_STATUS},
	{"SERVICE_CLUSTER", SERVICE | CLUSTER},
	{"SERVICE_NODE", SERVICE | NODE},
	{"SERVICE_NO_STATUS", SERVICE | NO_STATUS},
	{"PORTS_CLUSTER_NODE", PORTS | CLUSTER | NODE},
	{"SERVICE_CLUSTER_NODE", SERVICE | CLUSTER | NODE},
	{"PORTS_ALL", PORTS | CLUSTER | NO_STATUS},
	{"PORTS_UNDEFINED_8", PORTS | 8},
	{"SERVICE_UNDEFINED_10", SERVICE | 0x10},
};

static void
bindings_come_and_go(int c, const int *r)
{
	MUST(bind(r[2], rng(T, 1, 5), ALEN));
	MUST(bind(r[2], rng_scope(T, 2, 2, 3), ALEN));
	MUST(bind(r[2], rng_scope(T, 1, 5, -2), ALEN));
	MUST(bind(r[0], rng_scope(T, 1, 5, -2), ALEN));
	MUST(bind(r[1], rng_scope(T, 7, 7, -3), ALEN));
	handled(c);
}

CASE_ROWS(05_2_1_filter_, filter_rows)
{
	int c = topology(SOCK_SEQPACKET), r[3] = {sk(SOCK_RDM), sk(SOCK_RDM), sk(SOCK_RDM)};

	know(r[0], "r0");
	know(r[1], "r1");
	know(r[2], "r2");
	MUST(bind(r[0], rng(T, 1, 5), ALEN));
	MUST(bind(r[1], rng_scope(T, 7, 7, 3), ALEN));
	MUST(bind(r[1], rng(T, 20, 30), ALEN));
	subscribe(c, T, 0, 10, filter_rows[row].filter);
	handled(c);
	say("then");
	bindings_come_and_go(c, r);
}

CASE_ROWS(05_2_1_swapped_filter_, filter_rows)
{
	int c = topology(SOCK_SEQPACKET), r[3] = {sk(SOCK_RDM), sk(SOCK_RDM), sk(SOCK_RDM)};

	know(r[0], "r0");
	know(r[1], "r1");
	know(r[2], "r2");
	MUST(bind(r[0], rng(T, 1, 5), ALEN));
	MUST(bind(r[1], rng_scope(T, 7, 7, 3), ALEN));
	subscribe_as(c, subscription(T, 0, 10, FOREVER, filter_rows[row].filter), true);
	handled(c);
	say("then");
	bindings_come_and_go(c, r);
}

/* ---- 3 ---- */

CASE(05_3_1_both_orders_on_one_connection)
{
	int c = topology(SOCK_SEQPACKET), r;

	subscribe_as(c, subscription(T, 1, 1, FOREVER, PORTS), false);
	subscribe_as(c, subscription(T, 2, 2, FOREVER, PORTS), true);
	handled(c);
	r = bound(SOCK_RDM, 2);
	KNOW(r);
	EVENT(c);
	MUST(bind(r, rng(T, 1, 1), ALEN));
	EVENT(c);
	close(r);
	EVENT(c);
	EVENT(c);
}

static const struct odd_filter {
	const char *name;
	uint32_t filter;
	bool is_swapped;
} odd_filters[] = {{"0_native", 0, false},
		   {"0_swapped", 0, true},
		   {"20_native", 0x20, false},
		   {"20_swapped", 0x20, true},
		   {"ports_in_top_octet", 0x01000000, false}};

CASE_ROWS(05_3_1_filter_, odd_filters)
{
	int c = topology(SOCK_SEQPACKET), r = bound(SOCK_RDM, 2), s = topology(SOCK_SEQPACKET);

	KNOW(r);
	subscribe_as(c, subscription(T, 2, 2, FOREVER, odd_filters[row].filter),
		     odd_filters[row].is_swapped);
	/* The second connection tells that the first has been looked at. */
	handled(s);
	NO_EVENT(c);
	BITS(c);
}

CASE(05_3_2_timeout_event_of_a_swapped_subscription)
{
	int c = topology(SOCK_SEQPACKET);

	subscribe_as(c, subscription(T, 0, 30, 50, PORTS), true);
	EVENT(c);
}

/* ---- 4 ---- */

static const struct request_len {
	const char *name;
	size_t len;
} request_lens[] = {{"27", 27}, {"28", 28}, {"29", 29},	   {"100", 100},
		    {"56", 56}, {"1", 1},   {"2000", 2000}};

CASE_ROWS(05_4_request_of_, request_lens)
{
	struct tipc_subscr s[80];
	int c = topology(SOCK_SEQPACKET), r = bound(SOCK_RDM, 3);

	KNOW(r);
	for (int i = 0; i < 80; i++)
		s[i] = subscription(T, (uint32_t)i, 3, FOREVER, PORTS);
	DO(send(c, s, request_lens[row].len, 0));
	EVENT(c);
	NO_EVENT(c);
	BITS(c);
	DO(send(c, s, 28, 0));
}

CASE(05_4_empty_message_does_nothing)
{
	int c = topology(SOCK_SEQPACKET), r = bound(SOCK_RDM, 3);

	KNOW(r);
	DO(send(c, "", 0, 0));
	subscribe(c, T, 3, 3, PORTS);
	EVENT(c);
}

static const struct bad_request {
	const char *name;
	uint32_t lower, upper, filter;
} bad_requests[] = {{"PORTS_and_SERVICE", 1, 2, PORTS | SERVICE},
		    {"lower_above_upper", 2, 1, PORTS},
		    {"both", 2, 1, PORTS | SERVICE}};

CASE_ROWS(05_4_closed_for_, bad_requests)
{
	const struct bad_request *b = &bad_requests[row];
	int c = topology(SOCK_SEQPACKET), r;

	subscribe(c, T, 0, 10, PORTS);
	handled(c);
	subscribe(c, T, b->lower, b->upper, b->filter);
	await(c, POLLHUP);
	BITS(c);
	RX_FULL(c, 100, MSG_PEEK, 0, 4096);
	RD(c, 100, 0);
	DO(send(c, "x", 1, 0));
	/* And the subscription that was there is gone. */
	r = bound(SOCK_RDM, 3);
	(void)r;
	RD(c, 100, MSG_DONTWAIT);
}

CASE(05_4_request_in_the_connection_request)
{
	struct tipc_subscr s = subscription(T, 3, 3, FOREVER, PORTS);
	int c = sk(SOCK_SEQPACKET), d = sk(SOCK_SEQPACKET), r = bound(SOCK_RDM, 3);

	KNOW(r);
	DO(sendto(c, &s, sizeof(s), 0, svc(1, 1), ALEN));
	EVENT(c);
	s.filter = 3;
	DO(sendto(d, &s, sizeof(s), 0, svc(1, 1), ALEN));
	EVENT(d);
}

CASE(05_4_client_closes_and_the_server_goes_on)
{
	int c = topology(SOCK_SEQPACKET), d, r;

	subscribe(c, T, 0, 10, PORTS);
	handled(c);
	close(c);
	d = topology(SOCK_SEQPACKET);
	subscribe(d, T, 0, 10, PORTS);
	handled(d);
	r = bound(SOCK_RDM, 1);
	KNOW(r);
	EVENT(d);
}

CASE(05_4_requests_are_handled_in_order)
{
	int c = topology(SOCK_SEQPACKET), r = sk(SOCK_RDM);

	KNOW(r);
	for (uint32_t i = 0; i < 8; i++)
		MUST(bind(r, rng(T, i, i), ALEN));
	for (uint32_t i = 0; i < 8; i++)
		subscribe(c, T, 7 - i, 7 - i, PORTS);
	for (int i = 0; i < 8; i++)
		EVENT(c);
}

CASE_LIMIT(05_4_limit_of_65535_subscriptions, 60)
{
	int c = topology(SOCK_SEQPACKET), d = topology(SOCK_SEQPACKET);

	for (uint32_t i = 0; i < 65534; i++)
		subscribe(c, T + i % 8, i / 8 + 1000, i / 8 + 1000, PORTS);
	handled(c);
	subscribe(c, T, 5, 5, PORTS);
	subscribe(d, T, 5, 5, PORTS);
	await(d, POLLHUP);
	BITS(d);
}

/* ---- 4.1 ---- */

CASE(05_4_1_existing_bindings_PORTS)
{
	int c = topology(SOCK_SEQPACKET), a = sk(SOCK_RDM), b = sk(SOCK_RDM);

	KNOW(a);
	KNOW(b);
	MUST(bind(a, rng(T, 5, 5), ALEN));
	MUST(bind(b, rng(T, 1, 10), ALEN));
	MUST(bind(a, rng(T, 1, 10), ALEN));
	MUST(bind(b, rng(T, 5, 5), ALEN));
	MUST(bind(b, rng(T, 11, 20), ALEN));
	subscribe(c, T, 3, 8, PORTS);
	handled(c);
}

CASE(05_4_1_existing_bindings_SERVICE)
{
	int c = topology(SOCK_SEQPACKET), a = sk(SOCK_RDM), b = sk(SOCK_RDM);

	KNOW(a);
	KNOW(b);
	MUST(bind(a, rng(T, 5, 5), ALEN));
	MUST(bind(b, rng(T, 1, 10), ALEN));
	MUST(bind(a, rng(T, 1, 10), ALEN));
	MUST(bind(b, rng(T, 5, 5), ALEN));
	MUST(bind(a, rng_scope(T, 5, 5, -2), ALEN));
	subscribe(c, T, 3, 8, SERVICE);
	handled(c);
}

CASE(05_4_1_quirk_the_oldest_is_chosen_before_the_scope_filter)
{
	int c = topology(SOCK_SEQPACKET), a = sk(SOCK_RDM), b = sk(SOCK_RDM);

	KNOW(a);
	KNOW(b);
	MUST(bind(a, rng_scope(T, 5, 5, 3), ALEN));
	MUST(bind(b, rng_scope(T, 5, 5, 2), ALEN));
	subscribe(c, T, 0, 10, SERVICE | CLUSTER);
	subscribe(c, T, 0, 10, SERVICE | NODE);
	handled(c);
	close(a);
	handled(c);
	close(b);
	handled(c);
}

/* ---- 4.2 ---- */

static const struct cancel_row {
	const char *name;
	int change; /* which part of the cancellation is not as in the subscription */
	bool is_swapped;
} cancel_rows[] = {{"identical", 0, false},	 {"identical_swapped", 0, true},
		   {"another_type", 1, false},	 {"another_lower", 2, false},
		   {"another_upper", 3, false},	 {"another_timeout", 4, false},
		   {"another_filter", 5, false}, {"another_handle", 6, false},
		   {"the_other_order", 7, false}};

CASE_ROWS(05_4_2_cancel_, cancel_rows)
{
	const struct cancel_row *k = &cancel_rows[row];
	struct tipc_subscr s = subscription(T, 1, 5, 100000, PORTS);
	int c = topology(SOCK_SEQPACKET), r;

	subscribe_as(c, s, k->is_swapped);
	s.seq.type += k->change == 1;
	s.seq.lower += k->change == 2;
	s.seq.upper += k->change == 3;
	s.timeout += k->change == 4;
	s.filter = (k->change == 5 ? SERVICE : PORTS) | TIPC_SUB_CANCEL;
	if (k->change == 6)
		s.usr_handle[7]++;
	subscribe_as(c, s, k->is_swapped || k->change == 7);
	handled(c);
	r = bound(SOCK_RDM, 3);
	KNOW(r);
	handled(c);
}

CASE(05_4_2_cancel_is_not_tested_for_faults)
{
	int c = topology(SOCK_SEQPACKET);

	subscribe(c, T, 9, 1, PORTS | SERVICE | TIPC_SUB_CANCEL);
	subscribe(c, T, 9, 1, TIPC_SUB_CANCEL);
	handled(c);
	say("open");
}

CASE(05_4_2_one_cancel_removes_one_of_two)
{
	int c = topology(SOCK_SEQPACKET), r;

	subscribe(c, T, 1, 5, PORTS);
	subscribe(c, T, 1, 5, PORTS);
	subscribe(c, T, 1, 5, PORTS | TIPC_SUB_CANCEL);
	handled(c);
	r = bound(SOCK_RDM, 3);
	KNOW(r);
	handled(c);
}

CASE(05_4_2_queued_events_are_delivered_after_a_cancel)
{
	int c = topology(SOCK_SEQPACKET), r = bound(SOCK_RDM, 3);

	KNOW(r);
	subscribe(c, T, 1, 5, PORTS);
	subscribe(c, T, 1, 5, PORTS | TIPC_SUB_CANCEL);
	handled(c);
}

CASE(05_4_2_cancel_of_another_connection)
{
	int c = topology(SOCK_SEQPACKET), d = topology(SOCK_SEQPACKET), r;

	subscribe(c, T, 1, 5, PORTS);
	handled(c);
	subscribe(d, T, 1, 5, PORTS | TIPC_SUB_CANCEL);
	handled(d);
	r = bound(SOCK_RDM, 3);
	KNOW(r);
	handled(c);
}

CASE(05_4_2_cancel_stops_the_timer)
{
	struct tipc_subscr s = subscription(T, 1, 5, 100, PORTS);
	int c = topology(SOCK_SEQPACKET);
	struct tipc_event e;

	MUST(send(c, &s, sizeof(s), 0));
	s.filter |= TIPC_SUB_CANCEL;
	MUST(send(c, &s, sizeof(s), 0));
	handled(c);
	/* A later one comes to its end: the first would have by now. */
	s.filter = PORTS;
	s.timeout = 150;
	MUST(send(c, &s, sizeof(s), 0));
	MUST(recv(c, &e, sizeof(e), 0));
	if (e.event != TIPC_SUBSCR_TIMEOUT || e.s.timeout != s.timeout)
		say("event %u of the wrong subscription", e.event);
	NO_EVENT(c);
}

/* ---- 5 ---- */

CASE(05_5_row1_overlap)
{
	static const struct {
		uint32_t lower, upper;
	} ranges[] = {{0, 9},	{0, 10},  {10, 10},
		      {12, 15}, {20, 20}, {20, 30},
		      {21, 30}, {0, 100}, {0xffffffff, 0xffffffff}};
	int c = topology(SOCK_SEQPACKET), r = sk(SOCK_RDM);

	KNOW(r);
	subscribe(c, T, 10, 20, PORTS);
	handled(c);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		MUST(bind(r, rng(T, ranges[i].lower, ranges[i].upper), ALEN));
	handled(c);
	say("then");
	for (size_t i = sizeof(ranges) / sizeof(ranges[0]); i-- > 0;)
		MUST(bind(r, rng_scope(T, ranges[i].lower, ranges[i].upper, -2), ALEN));
	handled(c);
}

CASE(05_5_row2_first_and_last_of_each_range)
{
	int c = topology(SOCK_SEQPACKET), a = sk(SOCK_RDM), b = sk(SOCK_RDM);

	KNOW(a);
	KNOW(b);
	subscribe(c, T, 0, 0xffffffff, SERVICE);
	handled(c);
	MUST(bind(a, rng(T, 1, 5), ALEN));
	MUST(bind(b, rng(T, 1, 5), ALEN));
	MUST(bind(b, rng(T, 1, 6), ALEN));
	handled(c);
	close(a);
	handled(c);
	/* The one that goes last is named, not the one that came first. */
	close(b);
	handled(c);
}

CASE(05_5_newest_subscription_first)
{
	int c = topology(SOCK_SEQPACKET), r;

	for (uint32_t i = 0; i < 5; i++)
		subscribe(c, T, 0, 10 + i, PORTS);
	handled(c);
	r = bound(SOCK_RDM, 3);
	KNOW(r);
	for (int i = 0; i < 5; i++)
		EVENT(c);
	close(r);
	for (int i = 0; i < 5; i++)
		EVENT(c);
}

CASE(05_5_events_of_close_and_of_unbinding_everything)
{
	int c = topology(SOCK_SEQPACKET), a = sk(SOCK_RDM), b = sk(SOCK_SEQPACKET);

	KNOW(a);
	KNOW(b);
	subscribe(c, T, 0, 10, PORTS);
	MUST(bind(a, rng(T, 1, 1), ALEN));
	handled(c);
	MUST(bind(b, rng_scope(T, 2, 2, 3), ALEN));
	MUST(bind(a, NULL, 0));
	close(b);
	handled(c);
}

CASE(05_5_several_connections)
{
	int c[5], r;

	for (int i = 0; i < 5; i++) {
		c[i] = topology(SOCK_SEQPACKET);
		subscribe(c[i], T, 0, 10, i % 2 ? PORTS : SERVICE);
		handled(c[i]);
	}
	r = bound(SOCK_RDM, 3);
	KNOW(r);
	for (int i = 0; i < 5; i++)
		EVENT(c[i]);
}

/* ---- 5.1 ---- */

static const struct timeout_row {
	const char *name;
	uint32_t timeout;
	bool is_known;
} timeout_rows[] = {{"0_unknown", 0, false},
		    {"0_known", 0, true},
		    {"60_unknown", 60, false},
		    {"60_known", 60, true}};

CASE_ROWS(05_5_1_timeout_, timeout_rows)
{
	struct tipc_subscr s = subscription(T, 1, 5, timeout_rows[row].timeout, PORTS);
	int c = topology(SOCK_SEQPACKET), r = sk(SOCK_RDM);

	KNOW(r);
	if (timeout_rows[row].is_known)
		MUST(bind(r, rng(T, 3, 3), ALEN));
	MUST(send(c, &s, sizeof(s), 0));
	if (timeout_rows[row].is_known)
		EVENT(c);
	EVENT(c);
	/* It was the last one. */
	MUST(bind(r, rng(T, 4, 4), ALEN));
	NO_EVENT(c);
	BITS(c);
}

CASE(05_5_1_of_two_identical_subscriptions)
{
	struct tipc_subscr s = subscription(T, 1, 5, 60, SERVICE);
	int c = topology(SOCK_SEQPACKET);

	MUST(send(c, &s, sizeof(s), 0));
	MUST(send(c, &s, sizeof(s), 0));
	EVENT(c);
	EVENT(c);
	NO_EVENT(c);
}

CASE(05_5_1_timeouts_in_order)
{
	int c = topology(SOCK_SEQPACKET);

	for (uint32_t i = 0; i < 4; i++) {
		struct tipc_subscr s = subscription(T, i, i, 300 - 80 * i, PORTS);

		MUST(send(c, &s, sizeof(s), 0));
	}
	for (int i = 0; i < 4; i++)
		EVENT(c);
}

CASE(05_5_1_timeout_and_an_event_before)
{
	struct tipc_subscr s = subscription(T, 1, 5, 250, PORTS);
	int c = topology(SOCK_SEQPACKET), r;

	MUST(send(c, &s, sizeof(s), 0));
	handled(c);
	r = bound(SOCK_RDM, 2);
	KNOW(r);
	EVENT(c);
	EVENT(c);
}

/* ---- 6 ---- */

CASE_LIMIT(05_6_3000_events_to_a_reader_that_slept, 20)
{
	int c = topology(SOCK_SEQPACKET), r = sk(SOCK_RDM);
	uint32_t wrong = 0;
	struct tipc_event e;

	subscribe(c, T, 0, 0xffffffff, PORTS);
	handled(c);
	for (uint32_t i = 0; i < 3000; i++)
		MUST(bind(r, rng(T, i, i), ALEN));
	settle();
	for (uint32_t i = 0; i < 3000; i++) {
		MUST(recv(c, &e, sizeof(e), 0));
		wrong += e.event != TIPC_PUBLISHED || e.found_lower != i;
	}
	say("%u wrong", wrong);
	NO_EVENT(c);
}

CASE(05_6_importance_of_events_is_that_of_the_client)
{
	int c = sk(SOCK_SEQPACKET), r;

	SETOPT(c, SOL_TIPC, TIPC_IMPORTANCE, 2);
	DO(connect(c, svc(1, 1), ALEN));
	GETOPT(c, SOL_TIPC, TIPC_IMPORTANCE);
	subscribe(c, T, 1, 5, PORTS);
	r = bound(SOCK_RDM, 2);
	KNOW(r);
	EVENT(c);
}

/* ---- 7, 8, 9 ---- */

static const struct own_row {
	const char *name;
	uint32_t filter;
} own_rows[] = {{"PORTS", PORTS}, {"SERVICE", SERVICE}};

CASE_ROWS(05_7_own_node_, own_rows)
{
	int c = topology(SOCK_SEQPACKET);
	struct tipc_event e;

	subscribe(c, 0, own_node(), own_node(), own_rows[row].filter);
	MUST(recv(c, &e, sizeof(e), 0));
	say("%s, own %d %d, port %u of own %d", event_name(e.event), e.found_lower == own_node(),
	    e.found_upper == own_node(), e.port.ref, e.port.node == own_node());
	NO_EVENT(c);
}

CASE_ROWS(05_8_no_links_, own_rows)
{
	int c = topology(SOCK_SEQPACKET);

	subscribe(c, 2, 0, 0xffffffff, own_rows[row].filter);
	handled(c);
	NO_EVENT(c);
}

CASE_ROWS(05_9_the_server_itself_, own_rows)
{
	int c = topology(SOCK_SEQPACKET);
	struct sockaddr_tipc server;
	struct tipc_event e;

	subscribe(c, 1, 1, 1, own_rows[row].filter);
	MUST(recv(c, &e, sizeof(e), 0));
	say("%s %u %u, port is not 0 %d, of own %d", event_name(e.event), e.found_lower,
	    e.found_upper, e.port.ref != 0, e.port.node == own_node());
	NO_EVENT(c);
	/* It can be reached by its socket address. */
	memcpy(&server, at(e.port.ref, e.port.node), ALEN);
	DO(connect(sk(SOCK_SEQPACKET), (struct sockaddr *)&server, ALEN));
}

/* ---- 14 ---- */

CASE(05_14_stream_two_records_in_one_write)
{
	struct tipc_subscr s[2] = {subscription(T, 1, 1, FOREVER, PORTS),
				   subscription(T, 2, 2, FOREVER, PORTS)};
	int c = topology(SOCK_STREAM), r;

	MUST(set_u32(c, SOL_TIPC, TIPC_NODELAY, 1));
	DO(send(c, s, sizeof(s), 0));
	handled(c);
	r = bound(SOCK_RDM, 2);
	KNOW(r);
	NO_EVENT(c);
	MUST(bind(r, rng(T, 1, 1), ALEN));
	EVENT(c);
}

CASE(05_14_stream_half_a_record)
{
	struct tipc_subscr s = subscription(T, 1, 1, FOREVER, PORTS);
	int c = topology(SOCK_STREAM);

	DO(send(c, &s, 14, 0));
	RD(c, 100, 0);
	BITS(c);
}

CASE(05_14_stream_events_in_one_read)
{
	int c = topology(SOCK_STREAM), r;

	subscribe(c, T, 0, 10, PORTS);
	handled(c);
	r = bound(SOCK_RDM, 1);
	MUST(bind(r, rng(T, 2, 2), ALEN));
	settle();
	DO(recv(c, big, 96, MSG_WAITALL));
	say("%u %u", ((uint32_t *)(void *)big)[1], ((uint32_t *)(void *)big)[13]);
}

CASE(05_14_connectionless_message_is_never_answered)
{
	struct tipc_subscr s = subscription(T, 0, 10, 0, PORTS);
	int r = sk(SOCK_RDM);

	DO(sendto(r, &s, sizeof(s), 0, svc(1, 1), ALEN));
	NONE(r);
}

CASE(05_14_events_are_not_clipped)
{
	int c = topology(SOCK_SEQPACKET), r = sk(SOCK_RDM);

	KNOW(r);
	MUST(bind(r, rng(T, 10, 20), ALEN));
	subscribe(c, T, 12, 13, SERVICE);
	EVENT(c);
	subscribe(c, T, 0, 10, PORTS);
	EVENT(c);
	close(r);
	EVENT(c);
	EVENT(c);
}

CASE(05_14_no_event_when_a_connection_closes)
{
	int c = topology(SOCK_SEQPACKET), d = topology(SOCK_SEQPACKET), r = bound(SOCK_RDM, 1);

	KNOW(r);
	subscribe(c, T, 0, 10, PORTS);
	EVENT(c);
	subscribe(d, T, 0, 10, PORTS);
	EVENT(d);
	close(c);
	handled(d);
}

CASE(05_14_200_subscriptions_of_one_client)
{
	int c = topology(SOCK_SEQPACKET), r;
	struct tipc_event e;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 200; i++)
		subscribe(c, T, i, 1000, PORTS);
	handled(c);
	r = bound(SOCK_RDM, 500);
	(void)r;
	for (int i = 0; i < 200; i++) {
		MUST(recv(c, &e, sizeof(e), 0));
		sum += e.s.seq.lower;
	}
	say("sum %u", sum);
	NO_EVENT(c);
}
