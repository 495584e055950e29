/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * dpt_peer: tipcpeer for a program linked with libdptipc. Same roles, command line and
 * output lines, so that a test runs one peer on kernel TIPC and the other here; only the
 * connectionless types, and without the topology service.
 *
 * Every event is one line on standard output, written at once; exit code 0 means that all
 * went as asked.
 *
 * Addresses:   TYPE:INST[@NODE]     service address
 *              TYPE:LO:HI           service range (multicast)
 *              =REF:NODE            socket address
 * numbers as in C (0x.. allowed); NODE 0 or none: look up everywhere.
 *
 *  dpt_peer server -t rdm|dgram -s TYPE:LO[:HI] [-S node] [-m echo|sink|slow|idle] [-n N]
 *           [-R RCVBUF]
 *      echo: send back what comes; sink: only count it; slow: sink that sleeps 20 ms between
 *      reads; idle: never reads. -n: end after N messages.
 *  dpt_peer client -t rdm|dgram -d ADDR [-n N] [-l LEN] [-w] [-H SEC] [-m sink|echo]
 *      N exchanges of LEN octets, contents verified. -w: wait for the service first (up to
 *      -T MS). -H: go on that long before the end. sink: do not await answers.
 *  dpt_peer send -t rdm|dgram -d ADDR [-n N] [-l LEN] [-I IMPORTANCE] [-e] [-b|-r] [-g USEC]
 *      -e: refuse loss and wait for each message to come back rejected.
 *      -b / -r: multicast by broadcast / by replication. -g: gap between.
 *  dpt_peer wait -d TYPE:INST [-T MS]
 *      until a message can be sent there.
 *  dpt_peer names -s TYPE:LO -n COUNT [-H SEC]     bind COUNT instances
 *
 * -A NAME, for each role: the dptipcd to attach to.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dptipc.h"

/* Between two looks for a service that is not there yet, seconds. */
#define RETRY_S 0.02

static int type = SOCK_RDM, count = 1, len = 64, scope = TIPC_CLUSTER_SCOPE;
static int do_wait, want_errors, by_bcast, by_repl;
static int importance = -1, gap_us, timeout_ms = 10000;
static int rcvbuf;
static double hold_s;
static struct sockaddr_tipc addr;
static const char *mode = "echo", *attach_name;
static char buf[128 * 1024], pat[128 * 1024];

static void
out(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void
die(const char *what)
{
	out("FAIL %s errno=%d %s%s%s", what, errno, strerror(errno), *dptipc_error() ? ": " : "",
	    dptipc_error());
	exit(1);
}

static double
now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void
nap(double s)
{
	struct timespec ts = {(time_t)s, (long)((s - (time_t)s) * 1e9)};
	nanosleep(&ts, NULL);
}

/* the contents of message number n: a count, then bytes derived from it */
static void
fill(uint32_t n, int l)
{
	uint32_t x = n * 2654435761u + 12345;
	int i;

	for (i = 0; i < l; i++) {
		x = x * 1664525 + 1013904223;
		pat[i] = x >> 24;
	}
	n = htonl(n);
	memcpy(pat, &n, l < 4 ? l : 4);
}

static int
good(const char *p, uint32_t n, int l)
{
	fill(n, l);
	return !memcmp(p, pat, l);
}

static const char *
show(const struct sockaddr_tipc *a)
{
	static char s[4][64];
	static int k;
	char *p = s[k = (k + 1) & 3];

	if (a->addrtype == TIPC_SOCKET_ADDR)
		snprintf(p, 64, "=%u:0x%x", a->addr.id.ref, a->addr.id.node);
	else if (a->addrtype == TIPC_SERVICE_ADDR)
		snprintf(p, 64, "%u:%u", a->addr.name.name.type, a->addr.name.name.instance);
	else
		snprintf(p, 64, "%u:%u:%u", a->addr.nameseq.type, a->addr.nameseq.lower,
			 a->addr.nameseq.upper);
	return p;
}

static void
parse(const char *s, int bind_it)
{
	char *e;
	uint32_t v[3] = {0};
	int n = 0, sock = *s == '=';

	memset(&addr, 0, sizeof(addr));
	addr.family = AF_TIPC;
	s += sock;
	for (;;) {
		v[n++] = strtoul(s, &e, 0);
		if (*e != ':' || n == 3)
			break;
		s = e + 1;
	}
	addr.scope = scope;
	if (sock) {
		addr.addrtype = TIPC_SOCKET_ADDR;
		addr.addr.id.ref = v[0];
		addr.addr.id.node = v[1];
	} else if (n == 3 || bind_it) {
		addr.addrtype = TIPC_SERVICE_RANGE;
		addr.addr.nameseq.type = v[0];
		addr.addr.nameseq.lower = v[1];
		addr.addr.nameseq.upper = n == 3 ? v[2] : v[1];
	} else {
		addr.addrtype = TIPC_SERVICE_ADDR;
		addr.addr.name.name.type = v[0];
		addr.addr.name.name.instance = v[1];
		if (*e == '@')
			addr.addr.name.domain = strtoul(e + 1, NULL, 0);
	}
}

static int
open_sock(int t)
{
	int s = dptipc_socket(AF_TIPC, t, 0);

	if (s < 0)
		die("socket");
	if (importance >= 0 &&
	    dptipc_setsockopt(s, SOL_TIPC, TIPC_IMPORTANCE, &importance, sizeof(importance)))
		die("TIPC_IMPORTANCE");
	if (rcvbuf && dptipc_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)))
		die("SO_RCVBUF");
	return s;
}

static void
say_self(int s, const char *word)
{
	struct sockaddr_tipc a;
	socklen_t l = sizeof(a);

	if (dptipc_getsockname(s, (void *)&a, &l))
		die("getsockname");
	out("%s %s pid=%d", word, show(&a), (int)getpid());
}

/*
 * Until a message can be sent to the destination. An empty one is no message for its
 * receiver (09-socket-api.md, 10.7).
 */
static int
is_there(int ms)
{
	double end = now() + ms / 1e3;
	int s = open_sock(type), ok;

	while (!(ok = dptipc_sendto(s, "", 0, 0, (void *)&addr, sizeof(addr)) == 0) &&
	       now() < end) {
		if (errno != EHOSTUNREACH)
			die("sendto");
		nap(RETRY_S);
	}
	dptipc_close(s);
	return ok;
}

static void
wait_dest(void)
{
	if (is_there(timeout_ms))
		return;
	out("FAIL service not found");
	exit(1);
}

/* ---------------------------------------------------------------- server */

static int
server(void)
{
	int s = open_sock(type), n;
	struct sockaddr_tipc from;
	struct tipc_service_addr *dn;
	char ctl[256];
	struct iovec iov = {buf, sizeof(buf)};
	struct cmsghdr *cm;

	if (dptipc_bind(s, (void *)&addr, sizeof(addr)))
		die("bind");
	say_self(s, "READY");
	if (!strcmp(mode, "idle"))
		nap(3600);
	for (n = 0; count <= 1 || n < count; n++) {
		struct msghdr m = {.msg_name = &from,
				   .msg_namelen = sizeof(from),
				   .msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = ctl,
				   .msg_controllen = sizeof(ctl)};
		ssize_t k = dptipc_recvmsg(s, &m, 0);
		uint32_t num = 0;

		if (k < 0)
			die("recvmsg");
		memcpy(&num, buf, k < 4 ? k : 4);
		num = ntohl(num);
		dn = NULL;
		for (cm = CMSG_FIRSTHDR(&m); cm; cm = CMSG_NXTHDR(&m, cm))
			if (cm->cmsg_level == SOL_TIPC && cm->cmsg_type == TIPC_DESTNAME)
				dn = (void *)CMSG_DATA(cm);
		if (strcmp(mode, "sink") || n < 5 || n == count - 1)
			out("MSG n=%d num=%u len=%zd %s from=%s to=%u:%u", n, num, k,
			    k < 4 || good(buf, num, k) ? "good" : "other", show(&from),
			    dn ? dn->type : 0, dn ? dn->instance : 0);
		if (!strcmp(mode, "slow"))
			nap(0.02);
		if (!strcmp(mode, "echo") &&
		    dptipc_sendto(s, buf, k, 0, (void *)&from, sizeof(from)) != k)
			out("SENDERR errno=%d", errno);
	}
	return 0;
}

/* ---------------------------------------------------------------- client */

/* one exchange: its time in seconds, or -1 after a line that says what is wrong */
static double
exchange(int s, int i)
{
	struct pollfd pf = {s, POLLIN, 0};
	struct sockaddr_tipc from;
	socklen_t fl = sizeof(from);
	double t = now();
	ssize_t k;

	fill(i, len);
	if (dptipc_sendto(s, pat, len, 0, (void *)&addr, sizeof(addr)) != len) {
		out("SENDERR n=%d errno=%d %s", i, errno, strerror(errno));
		return -1;
	}
	if (gap_us)
		nap(gap_us / 1e6);
	if (!strcmp(mode, "sink"))
		return 0;
	if (poll(&pf, 1, timeout_ms) != 1) {
		out("FAIL no answer to %d", i);
		return -1;
	}
	k = dptipc_recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &fl);
	if (k <= 0) {
		out("FAIL answer %d: %zd errno=%d %s", i, k, errno, strerror(errno));
		return -1;
	}
	if (k != len || !good(buf, i, len)) {
		out("FAIL answer %d differs (len %zd)", i, k);
		return -1;
	}
	return now() - t;
}

static int
client(void)
{
	double t0, t, lo = 1e9, hi = 0, sum = 0;
	int s = open_sock(type), i;

	if (do_wait)
		wait_dest();
	t0 = now();
	for (i = 0; i < count; i++) {
		t = exchange(s, i);
		if (t < 0)
			return 4;
		sum += t;
		lo = t < lo ? t : lo;
		hi = t > hi ? t : hi;
	}
	out("OK n=%d bytes=%ld time=%.6f rtt_us min=%.1f avg=%.1f max=%.1f", count,
	    (long)count * len, now() - t0, sum ? lo * 1e6 : 0, sum / count * 1e6, hi * 1e6);
	if (hold_s)
		nap(hold_s);
	dptipc_close(s);
	return 0;
}

/* ------------------------------------------------------------------ send */

static int
await_return(int s, int i)
{
	struct sockaddr_tipc from = {0};
	struct pollfd pf = {s, POLLIN, 0};
	struct iovec iov = {buf, sizeof(buf)};
	char ctl[70000];
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = ctl,
			   .msg_controllen = sizeof(ctl)};
	struct cmsghdr *cm;
	uint32_t *err = NULL;
	size_t ret = 0;
	ssize_t k;

	if (poll(&pf, 1, timeout_ms) != 1) {
		out("NOTRETURNED n=%d", i);
		return 1;
	}
	k = dptipc_recvmsg(s, &m, 0);
	for (cm = CMSG_FIRSTHDR(&m); cm; cm = CMSG_NXTHDR(&m, cm)) {
		if (cm->cmsg_level != SOL_TIPC)
			continue;
		if (cm->cmsg_type == TIPC_ERRINFO)
			err = (void *)CMSG_DATA(cm);
		if (cm->cmsg_type == TIPC_RETDATA)
			ret = cm->cmsg_len - CMSG_LEN(0);
	}
	out("RETURNED n=%d recv=%zd error=%u len=%u data=%zu from=%s flags=0x%x", i, k,
	    err ? err[0] : 0, err ? err[1] : 0, ret, show(&from), m.msg_flags);
	return 0;
}

static int
send_msgs(void)
{
	int s = open_sock(type), i, zero = 0, bad = 0;
	double t0;

	if (do_wait)
		wait_dest();
	if (want_errors && dptipc_setsockopt(s, SOL_TIPC, TIPC_DEST_DROPPABLE, &zero, sizeof(zero)))
		die("TIPC_DEST_DROPPABLE");
	if (by_bcast && dptipc_setsockopt(s, SOL_TIPC, TIPC_MCAST_BROADCAST, NULL, 0))
		die("TIPC_MCAST_BROADCAST");
	if (by_repl && dptipc_setsockopt(s, SOL_TIPC, TIPC_MCAST_REPLICAST, NULL, 0))
		die("TIPC_MCAST_REPLICAST");
	t0 = now();
	for (i = 0; i < count; i++) {
		fill(i, len);
		if (dptipc_sendto(s, pat, len, 0, (void *)&addr, sizeof(addr)) != len) {
			out("SENDERR n=%d errno=%d %s", i, errno, strerror(errno));
			return 3;
		}
		if (want_errors)
			bad |= await_return(s, i);
		if (gap_us)
			nap(gap_us / 1e6);
	}
	out("OK sent=%d len=%d time=%.6f", count, len, now() - t0);
	if (hold_s)
		nap(hold_s);
	return bad;
}

static int
names(void)
{
	int s = open_sock(SOCK_RDM), i;
	uint32_t lo = addr.addr.nameseq.lower;

	for (i = 0; i < count; i++) {
		addr.addr.nameseq.lower = addr.addr.nameseq.upper = lo + i;
		if (dptipc_bind(s, (void *)&addr, sizeof(addr)))
			die("bind");
	}
	say_self(s, "READY");
	nap(hold_s ? hold_s : 3600);
	out("OK");
	return 0;
}

static int
wait_role(void)
{
	int ok = is_there(timeout_ms);

	out(ok ? "OK" : "FAIL service not found");
	return !ok;
}

/* letters whose value is a number, and letters that only switch something on */
static const struct {
	char letter;
	int *to;
} number_options[] = {{'n', &count},  {'l', &len},	  {'I', &importance},
		      {'g', &gap_us}, {'T', &timeout_ms}, {'R', &rcvbuf}},
  flag_options[] = {{'w', &do_wait}, {'e', &want_errors}, {'b', &by_bcast}, {'r', &by_repl}};

/* one option; false: there is none of that letter */
static int
set_option(int o, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(number_options) / sizeof(number_options[0]); i++)
		if (number_options[i].letter == o) {
			*number_options[i].to = atoi(value);
			return 1;
		}
	for (i = 0; i < sizeof(flag_options) / sizeof(flag_options[0]); i++)
		if (flag_options[i].letter == o) {
			*flag_options[i].to = 1;
			return 1;
		}
	if (o == 't')
		type = !strcmp(value, "dgram") ? SOCK_DGRAM : SOCK_RDM;
	else if (o == 'S')
		scope = !strcmp(value, "node") ? TIPC_NODE_SCOPE : TIPC_CLUSTER_SCOPE;
	else if (o == 'm')
		mode = value;
	else if (o == 'H')
		hold_s = atof(value);
	else if (o == 'A')
		attach_name = value;
	else
		return 0;
	return 1;
}

/* binds: the address is a service range even if it is written as one instance */
static const struct {
	const char *name;
	int (*run)(void);
	int binds;
} roles[] = {{"server", server, 1},
	     {"client", client, 0},
	     {"send", send_msgs, 0},
	     {"names", names, 1},
	     {"wait", wait_role, 0}};

int
main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "", *a = NULL;
	size_t i;
	int o;

	while ((o = getopt(argc - 1, argv + 1, "t:s:d:S:m:n:l:wH:I:ebrg:T:R:A:")) != -1) {
		if (o == 's' || o == 'd')
			a = optarg;
		else if (!set_option(o, optarg))
			return 64;
	}
	for (i = 0; a && i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(role, roles[i].name))
			continue;
		if (dptipc_attach(attach_name))
			die("attach");
		parse(a, roles[i].binds);
		return roles[i].run();
	}
	fprintf(stderr, "dpt_peer: see the head of dpt_peer.c\n");
	return 64;
}
