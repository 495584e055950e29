/* SPDX-License-Identifier: BSD-3-Clause */
/* tipcpeer: one program with a role for each kind of TIPC traffic.
 *
 * It uses nothing but the socket interface of <linux/tipc.h>, so it runs on
 * kernel TIPC and, the same binary, over any library that stands in for the
 * socket calls.  Every event is one line on standard output, written at once;
 * exit code 0 means that all went as asked.
 *
 * Addresses:   TYPE:INST[@NODE]     service address
 *              TYPE:LO:HI           service range (multicast)
 *              =REF:NODE            socket address
 * numbers as in C (0x.. allowed); NODE 0 or none: look up everywhere.
 *
 *  tipcpeer server -t seqpacket|stream|rdm|dgram -s TYPE:LO[:HI] [-S node]
 *           [-m echo|sink|slow|source|idle] [-n N] [-l LEN] [-k] [-R RCVBUF]
 *      echo: send back what comes; sink: only count it; slow: sink that
 *      sleeps 20 ms between reads; idle: never reads; source: on accept send N messages of LEN,
 *      then shut down. -n: end after N messages (connectionless) or
 *      connections. -k: close a connection after its first message.
 *  tipcpeer client -t TYPE -d ADDR [-n N] [-l LEN] [-w] [-i] [-H SEC] [-m sink|echo|source]
 *      N exchanges of LEN octets, contents verified. -w: wait for the service
 *      first. -i: connect implicitly, with the first sendto. -H: hold the
 *      connection that long before the shutdown. sink: do not await answers.
 *      source: only read, until the other side shuts down.
 *  tipcpeer send -t rdm|dgram -d ADDR [-n N] [-l LEN] [-I IMPORTANCE] [-e]
 *           [-b|-r] [-g USEC]
 *      -e: refuse loss and wait for each message to come back rejected.
 *      -b / -r: multicast by broadcast / by replication. -g: gap between.
 *  tipcpeer subscribe -s TYPE:LO:HI [-f ports|service] [-T MS] [-n N]
 *  tipcpeer wait -d TYPE:INST [-T MS] [-c COUNT]
 *  tipcpeer group -s TYPE:INST [-L] [-E] [-S node]
 *      reads commands from standard input:  bcast N LEN | mcast INST N LEN |
 *      anycast INST N LEN | ucast REF NODE N LEN | sleep MS | leave | quit
 *  tipcpeer names -s TYPE:LO -n COUNT [-H SEC]     bind COUNT instances
 *  tipcpeer pair                                   socketpair test
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tipc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_TIPC
#define SOL_TIPC 271
#endif
#ifndef AF_TIPC
#define AF_TIPC 30
#endif

static int type = SOCK_RDM, count = 1, len = 64, scope = TIPC_CLUSTER_SCOPE;
static int do_wait, implied, kill_first, want_errors, by_bcast, by_repl, events, loopback;
static int importance = -1, gap_us, timeout_ms = 10000;
static int rcvbuf, wait_count = 1;
static double hold_s;
static uint32_t filter = TIPC_SUB_PORTS;
static struct sockaddr_tipc addr;
static const char *mode = "echo";
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
	out("FAIL %s errno=%d %s", what, errno, strerror(errno));
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
	int s = socket(AF_TIPC, t, 0);

	if (s < 0)
		die("socket");
	if (importance >= 0 &&
	    setsockopt(s, SOL_TIPC, TIPC_IMPORTANCE, &importance, sizeof(importance)))
		die("TIPC_IMPORTANCE");
	if (rcvbuf && setsockopt(s, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)))
		die("SO_RCVBUF");
	return s;
}

static void
say_self(int s, const char *word)
{
	struct sockaddr_tipc a;
	socklen_t l = sizeof(a);

	if (getsockname(s, (void *)&a, &l))
		die("getsockname");
	out("%s %s pid=%d", word, show(&a), (int)getpid());
}

static int
subscribe(uint32_t t, uint32_t lo, uint32_t hi, uint32_t f, int ms)
{
	struct sockaddr_tipc top = {.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR};
	struct tipc_subscr sub = {.seq = {t, lo, hi},
				  .timeout = ms < 0 ? (uint32_t)TIPC_WAIT_FOREVER : (uint32_t)ms,
				  .filter = f,
				  .usr_handle = "peer"};
	int s = socket(AF_TIPC, SOCK_SEQPACKET, 0);

	top.addr.name.name.type = TIPC_TOP_SRV;
	top.addr.name.name.instance = TIPC_TOP_SRV;
	if (s < 0 || connect(s, (void *)&top, sizeof(top)))
		die("connect to the topology server");
	if (send(s, &sub, sizeof(sub), 0) != sizeof(sub))
		die("subscribe");
	return s;
}

static int
wait_for(uint32_t t, uint32_t lo, uint32_t hi, int n, int ms)
{
	int s = subscribe(t, lo, hi, TIPC_SUB_PORTS, ms), up = 0;
	struct tipc_event e;

	while (up < n && recv(s, &e, sizeof(e), 0) == sizeof(e)) {
		if (e.event == TIPC_PUBLISHED)
			up++;
		else if (e.event == TIPC_WITHDRAWN)
			up--;
		else
			break;
	}
	close(s);
	return up >= n;
}

static void
wait_dest(void)
{
	int ok = 1;

	if (addr.addrtype == TIPC_SERVICE_ADDR)
		ok = wait_for(addr.addr.name.name.type, addr.addr.name.name.instance,
			      addr.addr.name.name.instance, 1, timeout_ms);
	else if (addr.addrtype == TIPC_SERVICE_RANGE)
		ok = wait_for(addr.addr.nameseq.type, addr.addr.nameseq.lower,
			      addr.addr.nameseq.upper, 1, timeout_ms);
	if (!ok) {
		out("FAIL service not found");
		exit(1);
	}
}

/* ---------------------------------------------------------------- server */

static int
serve_conn(int c, int id)
{
	long msgs = 0, bytes = 0;
	ssize_t n;
	int i;

	if (!strcmp(mode, "source")) {
		for (i = 0; i < count; i++) {
			fill(i, len);
			for (n = 0; n < len;) {
				ssize_t k = send(c, pat + n, len - n, 0);
				if (k < 0)
					die("send");
				n += k;
			}
			bytes += n;
			msgs++;
		}
		shutdown(c, SHUT_RDWR);
	} else if (!strcmp(mode, "idle")) {
		nap(3600);
		n = 0;
	} else
		while ((n = recv(c, buf, sizeof(buf), 0)) > 0) {
			msgs++;
			bytes += n;
			if (!strcmp(mode, "slow"))
				nap(0.02);
			if (!strcmp(mode, "echo") && send(c, buf, n, 0) != n) {
				out("SENDERR conn=%d errno=%d", id, errno);
				break;
			}
			if (kill_first)
				break;
		}
	out("CLOSE conn=%d msgs=%ld bytes=%ld errno=%d", id, msgs, bytes, n < 0 ? errno : 0);
	close(c);
	return 0;
}

static int
server(void)
{
	int s = open_sock(type), n, id = 0, c;
	struct sockaddr_tipc from;
	struct tipc_service_addr *dn;
	char ctl[256];
	struct iovec iov = {buf, sizeof(buf)};
	struct cmsghdr *cm;

	if (bind(s, (void *)&addr, sizeof(addr)))
		die("bind");
	if (type == SOCK_SEQPACKET || type == SOCK_STREAM) {
		if (listen(s, 64))
			die("listen");
		say_self(s, "READY");
		while (id < count || !strcmp(mode, "source") || count <= 1) {
			socklen_t l = sizeof(from);

			c = accept(s, (void *)&from, &l);
			if (c < 0)
				die("accept");
			out("ACCEPT conn=%d from=%s", ++id, show(&from));
			signal(SIGCHLD, SIG_IGN);
			if (fork() == 0) {
				close(s);
				exit(serve_conn(c, id));
			}
			close(c);
		}
		return 0;
	}
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
		ssize_t k = recvmsg(s, &m, 0);
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
		if (!strcmp(mode, "echo") && sendto(s, buf, k, 0, (void *)&from, sizeof(from)) != k)
			out("SENDERR errno=%d", errno);
	}
	return 0;
}

/* ---------------------------------------------------------------- client */

/* message i out; 0 or the exit code */
static int
client_send(int s, int conn, int i)
{
	ssize_t k, n;

	fill(i, len);
	for (n = 0; n < len || len == 0; n += k) {
		k = conn && (!implied || i || n)
			    ? send(s, pat + n, len - n, 0)
			    : sendto(s, pat + n, len - n, 0, (void *)&addr, sizeof(addr));
		if (k < 0) {
			out("SENDERR n=%d errno=%d %s", i, errno, strerror(errno));
			return 3;
		}
		if (len == 0)
			break;
	}
	return 0;
}

/* the answer to message i, into buf; 0 or the exit code */
static int
client_receive(int s, int i)
{
	struct pollfd pf = {s, POLLIN, 0};
	struct sockaddr_tipc from;
	socklen_t fl;
	ssize_t k, n;

	for (n = 0; n < len; n += k) {
		if (poll(&pf, 1, timeout_ms) != 1) {
			out("FAIL no answer to %d", i);
			return 4;
		}
		fl = sizeof(from);
		k = recvfrom(s, buf + n, sizeof(buf) - n, 0, (void *)&from, &fl);
		if (k <= 0) {
			out("FAIL answer %d: %zd errno=%d %s", i, k, errno, strerror(errno));
			return 5;
		}
	}
	return 0;
}

static int
client(void)
{
	int s = open_sock(type), conn = type == SOCK_SEQPACKET || type == SOCK_STREAM, i, rc;
	double t0, t, lo = 1e9, hi = 0, sum = 0;
	struct sockaddr_tipc from;
	long bytes = 0;
	socklen_t fl;

	if (do_wait)
		wait_dest();
	t0 = now();
	if (conn && !implied) {
		if (connect(s, (void *)&addr, sizeof(addr))) {
			out("REFUSED errno=%d %s", errno, strerror(errno));
			return 2;
		}
		fl = sizeof(from);
		if (getpeername(s, (void *)&from, &fl))
			die("getpeername");
		out("CONNECTED %s in %.0f us", show(&from), (now() - t0) * 1e6);
	}
	if (!strcmp(mode, "source")) {
		ssize_t n;

		while ((n = recv(s, buf, sizeof(buf), 0)) > 0)
			bytes += n;
		out("OK read=%ld errno=%d", bytes, n < 0 ? errno : 0);
		return 0;
	}
	for (i = 0; i < count; i++) {
		t = now();
		rc = client_send(s, conn, i);
		if (rc)
			return rc;
		bytes += len;
		if (gap_us)
			nap(gap_us / 1e6);
		if (!strcmp(mode, "sink"))
			continue;
		rc = client_receive(s, i);
		if (rc)
			return rc;
		t = now() - t;
		sum += t;
		lo = t < lo ? t : lo;
		hi = t > hi ? t : hi;
		if (!good(buf, i, len)) {
			out("FAIL answer %d differs", i);
			return 6;
		}
	}
	out("OK n=%d bytes=%ld time=%.6f rtt_us min=%.1f avg=%.1f max=%.1f", count, bytes,
	    now() - t0, sum ? lo * 1e6 : 0, sum / count * 1e6, hi * 1e6);
	if (hold_s)
		nap(hold_s);
	if (conn)
		shutdown(s, SHUT_RDWR);
	close(s);
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
	k = recvmsg(s, &m, 0);
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
	if (want_errors && setsockopt(s, SOL_TIPC, TIPC_DEST_DROPPABLE, &zero, sizeof(zero)))
		die("TIPC_DEST_DROPPABLE");
	if (by_bcast && setsockopt(s, SOL_TIPC, TIPC_MCAST_BROADCAST, NULL, 0))
		die("TIPC_MCAST_BROADCAST");
	if (by_repl && setsockopt(s, SOL_TIPC, TIPC_MCAST_REPLICAST, NULL, 0))
		die("TIPC_MCAST_REPLICAST");
	t0 = now();
	for (i = 0; i < count; i++) {
		fill(i, len);
		if (sendto(s, pat, len, 0, (void *)&addr, sizeof(addr)) != len) {
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

/* -------------------------------------------------------------- topology */

static int
subscriber(void)
{
	int s = subscribe(addr.addr.nameseq.type, addr.addr.nameseq.lower, addr.addr.nameseq.upper,
			  filter, timeout_ms);
	static const char *ev[] = {"?", "PUBLISHED", "WITHDRAWN", "TIMEOUT"};
	struct tipc_event e;
	int n = 0;

	out("SUBSCRIBED %s filter=%u", show(&addr), filter);
	while (count <= 1 || n < count) {
		ssize_t k = recv(s, &e, sizeof(e), 0);

		if (k != sizeof(e)) {
			out("END recv=%zd errno=%d", k, errno);
			return 1;
		}
		n++;
		out("%s %u:%u:%u port=%u node=0x%x handle=%.8s", e.event < 4 ? ev[e.event] : "?",
		    e.s.seq.type, e.found_lower, e.found_upper, e.port.ref, e.port.node,
		    e.s.usr_handle);
		if (e.event == TIPC_SUBSCR_TIMEOUT)
			break;
	}
	return 0;
}

static int
names(void)
{
	int s = open_sock(SOCK_RDM), i;
	uint32_t lo = addr.addr.nameseq.lower;

	for (i = 0; i < count; i++) {
		addr.addr.nameseq.lower = addr.addr.nameseq.upper = lo + i;
		if (bind(s, (void *)&addr, sizeof(addr)))
			die("bind");
	}
	say_self(s, "READY");
	nap(hold_s ? hold_s : 3600);
	out("OK");
	return 0;
}

/* ----------------------------------------------------------------- group */

static int
group_in(int s)
{
	struct sockaddr_tipc from[2];
	struct iovec iov = {buf, sizeof(buf)};
	char ctl[256];
	struct msghdr m = {.msg_name = from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = ctl,
			   .msg_controllen = sizeof(ctl)};
	uint32_t num = 0;
	ssize_t k;

	memset(from, 0, sizeof(from));
	k = recvmsg(s, &m, MSG_DONTWAIT);
	if (k < 0)
		return errno != EAGAIN;
	if (m.msg_flags & MSG_OOB) {
		out("%s %s member=%s", m.msg_flags & MSG_EOR ? "DOWN" : "UP", show(&from[0]),
		    show(&from[1]));
		return 0;
	}
	memcpy(&num, buf, k < 4 ? k : 4);
	num = ntohl(num);
	out("GOT num=%u len=%zd %s from=%s member=%s", num, k,
	    k < 4 || good(buf, num, k) ? "good" : "other", show(&from[0]), show(&from[1]));
	return 0;
}

/*
 * One line of standard input: how many messages it orders (-1: it was another
 * command, which is done; -2: it was quit), of length *l, to *d or (*to 0) to all.
 */
static int
group_command(int s, const char *line, struct sockaddr_tipc *d, int *l, int *to)
{
	uint32_t group_type = addr.addr.nameseq.type, a, b;
	int n;

	*to = 1;
	if (sscanf(line, "bcast %d %d", &n, l) == 2) {
		*to = 0;
	} else if (sscanf(line, "mcast %u %d %d", &a, &n, l) == 3) {
		d->addrtype = TIPC_SERVICE_RANGE;
		d->addr.nameseq.type = group_type;
		d->addr.nameseq.lower = d->addr.nameseq.upper = a;
	} else if (sscanf(line, "anycast %u %d %d", &a, &n, l) == 3) {
		d->addrtype = TIPC_SERVICE_ADDR;
		d->addr.name.name.type = group_type;
		d->addr.name.name.instance = a;
	} else if (sscanf(line, "ucast %u %x %d %d", &a, &b, &n, l) == 4) {
		d->addrtype = TIPC_SOCKET_ADDR;
		d->addr.id.ref = a;
		d->addr.id.node = b;
	} else if (sscanf(line, "sleep %d", &n) == 1) {
		nap(n / 1e3);
		return -1;
	} else if (!strcmp(line, "leave")) {
		if (setsockopt(s, SOL_TIPC, TIPC_GROUP_LEAVE, NULL, 0))
			die("TIPC_GROUP_LEAVE");
		out("LEFT");
		return -1;
	} else if (!strcmp(line, "quit")) {
		out("OK");
		return -2;
	} else {
		out("FAIL command %s", line);
		return -1;
	}
	return n;
}

static void
group_send(int s, const struct sockaddr_tipc *d, int n, int l, int to)
{
	int i;

	for (i = 0; i < n; i++) {
		fill(i, l);
		if ((to ? sendto(s, pat, l, 0, (const void *)d, sizeof(*d)) : send(s, pat, l, 0)) !=
		    l) {
			out("SENDERR n=%d errno=%d %s", i, errno, strerror(errno));
			break;
		}
		/* keep reading, as members wait for each other */
		while (group_in(s) == 0) {
			struct pollfd p = {s, POLLIN, 0};
			if (poll(&p, 1, 0) != 1)
				break;
		}
	}
	if (n >= 0)
		out("SENT %d", i);
}

static int
group(void)
{
	struct tipc_group_req req = {.type = addr.addr.nameseq.type,
				     .instance = addr.addr.nameseq.lower,
				     .scope = scope,
				     .flags = (loopback ? TIPC_GROUP_LOOPBACK : 0) |
					      (events ? TIPC_GROUP_MEMBER_EVTS : 0)};
	int s = open_sock(type), in = 1;
	char line[256];
	size_t have = 0;

	if (setsockopt(s, SOL_TIPC, TIPC_GROUP_JOIN, &req, sizeof(req)))
		die("TIPC_GROUP_JOIN");
	say_self(s, "JOINED");
	for (;;) {
		struct pollfd pf[2] = {{s, POLLIN, 0}, {in ? 0 : -1, POLLIN, 0}};
		struct sockaddr_tipc d = {.family = AF_TIPC};
		int n, l, to;
		char *nl;

		if (poll(pf, 2, -1) < 0)
			die("poll");
		if (pf[0].revents && group_in(s))
			die("recvmsg");
		if (!pf[1].revents)
			continue;
		n = read(0, line + have, sizeof(line) - 1 - have);
		if (n <= 0) {
			in = 0;
			continue;
		}
		have += n;
		line[have] = 0;
		while ((nl = strchr(line, '\n'))) {
			*nl = 0;
			n = group_command(s, line, &d, &l, &to);
			if (n == -2)
				return 0;
			if (n >= 0)
				group_send(s, &d, n, l, to);
			have -= nl + 1 - line;
			memmove(line, nl + 1, have + 1);
		}
	}
}

static int
pair(void)
{
	int v[2], t[] = {SOCK_SEQPACKET, SOCK_STREAM, SOCK_RDM}, i;

	for (i = 0; i < 3; i++) {
		if (socketpair(AF_TIPC, t[i], 0, v)) {
			out("socketpair type=%d errno=%d %s", t[i], errno, strerror(errno));
			continue;
		}
		if (send(v[0], "hello", 5, 0) != 5 || recv(v[1], buf, 100, 0) != 5 ||
		    memcmp(buf, "hello", 5))
			die("socketpair data");
		out("socketpair type=%d good", t[i]);
		close(v[0]);
		close(v[1]);
	}
	return 0;
}

static int
sock_type(const char *s)
{
	return !strcmp(s, "seqpacket") ? SOCK_SEQPACKET
	       : !strcmp(s, "stream")  ? SOCK_STREAM
	       : !strcmp(s, "dgram")   ? SOCK_DGRAM
				       : SOCK_RDM;
}

/* letters whose value is a number, and letters that only switch something on */
static const struct {
	char letter;
	int *to;
} number_options[] = {{'n', &count},	  {'l', &len},	      {'I', &importance}, {'g', &gap_us},
		      {'T', &timeout_ms}, {'c', &wait_count}, {'R', &rcvbuf}},
  flag_options[] = {{'k', &kill_first}, {'w', &do_wait}, {'i', &implied},  {'e', &want_errors},
		    {'b', &by_bcast},	{'r', &by_repl}, {'L', &loopback}, {'E', &events}};

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
		type = sock_type(value);
	else if (o == 'S')
		scope = !strcmp(value, "node") ? TIPC_NODE_SCOPE : TIPC_CLUSTER_SCOPE;
	else if (o == 'm')
		mode = value;
	else if (o == 'H')
		hold_s = atof(value);
	else if (o == 'f')
		filter = !strcmp(value, "service") ? TIPC_SUB_SERVICE : TIPC_SUB_PORTS;
	else
		return 0;
	return 1;
}

static int
wait_role(void)
{
	int ok = wait_for(addr.addr.nameseq.type, addr.addr.nameseq.lower, addr.addr.nameseq.upper,
			  wait_count, timeout_ms);

	out(ok ? "OK" : "FAIL service not found");
	return !ok;
}

/* binds: the address is a service range even if it is written as one instance */
static const struct {
	const char *name;
	int (*run)(void);
	int binds;
} roles[] = {{"server", server, 1},	   {"client", client, 0}, {"send", send_msgs, 0},
	     {"subscribe", subscriber, 1}, {"names", names, 1},	  {"group", group, 1},
	     {"wait", wait_role, 1},	   {"pair", pair, 0}};

int
main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "", *a = NULL;
	size_t i;
	int o;

	if (!strcmp(role, "subscribe"))
		timeout_ms = -1;
	while ((o = getopt(argc - 1, argv + 1, "t:s:d:S:m:n:l:kwiH:I:ebrg:f:T:c:LER:")) != -1) {
		if (o == 's' || o == 'd')
			a = optarg;
		else if (!set_option(o, optarg))
			return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(role, roles[i].name) && (a || roles[i].run == pair)) {
			if (a)
				parse(a, roles[i].binds);
			return roles[i].run();
		}
	fprintf(stderr, "tipcpeer: see the head of tipcpeer.c\n");
	return 64;
}
