/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tipcload: a load of messages of known numbers, lengths and contents, and its checker.
 *
 * One source for both sides: as it is on AF_TIPC sockets of the kernel, with WITH_DPTIPC on
 * libdptipc (then it is called dpt_load). Connectionless reliable sockets, by service address,
 * TIPC_DEST_DROPPABLE off: what cannot be delivered comes back and is a failure.
 *
 *  tipcload flood -d TYPE:INST -z SEED [-n OCTETS] [-w WINDOW] [-P 0|1] [-T MS]
 *      send numbered messages until OCTETS are sent, or (0) until SIGTERM. -P: on a port of
 *      that parity, which decides the link of two (03-link-node.md, 15). -w: what may be
 *      unacknowledged, as octets of receive buffer (see cost()). -T: fail after that long
 *      without an acknowledgement or without room to send.
 *  tipcload sink -s TYPE:INST -c SENDERS [-T MS]
 *      until the last message of that many senders; acknowledge, check, report.
 *  tipcload watch -d TYPE:INST [-T MS]
 *      say when the service is reached for the first time, and when it no longer is: SEEN and
 *      GONE with the time of CLOCK_MONOTONIC. It asks every 200 us.
 *
 * A datagram receiver that is slower than its sender overflows, and messages come back
 * (TIPC_ERR_OVERLOAD); nothing in the protocol holds the sender up. So the sink acknowledges
 * and the sender keeps a window: what is lost then, a link has lost.
 *
 * Length and contents of message N of a sender are functions of the seed and of N: 1 octet to
 * 66000, half below 200. From 32 octets on a message begins with a head (number, seed,
 * checksum), so that a wrong one can be named; a shorter one is compared with what it should be.
 *
 * Lines, one per event: READY (bound), AT OCTETS (the sink, each MiB), SENT, and at the end of a
 * sink, per sender:
 *      FROM =REF:NODE got=.. octets=.. lost=.. doubled=.. reordered=.. odd=.. complete=0|1
 *      GAPS =REF:NODE longest_ms=.. BELOW_MS:COUNT ...       between two arrivals
 * Exit status 0: everything was sent and acknowledged; everything came, once, in order.
 */

#include <errno.h>
#include <linux/tipc.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifdef WITH_DPTIPC
#include "dptipc.h"
#define CALL(name) dptipc_##name
#else
#define CALL(name) name
#endif
#ifndef SOL_TIPC
#define SOL_TIPC 271
#endif
#ifndef AF_TIPC
#define AF_TIPC 30
#endif

#define LEN_MAX	    66000
#define SENDERS_MAX 16
#define RANGES_MAX  64
#define ACK_MAGIC   0x4b434121u
#define DATA_MAGIC  0x4c4f4144u
/* Receive buffer that the kernel charges for a frame, at least (its truesize). */
#define FRAME_COST   2560
#define FRAME_OCTETS 1400
/* The sink acknowledges after so much cost. */
#define ACK_COST (64 * 1024)
/* How often a sink that has all looks for what should not come any more, receive time limits. */
#define LINGER_CNT 3
#define TICK_MS	   100

enum kind { HELLO = 1, DATA = 2, FIN = 3 };

/* host's byte order: both ends run on one machine */
struct head {
	uint32_t magic;
	uint32_t kind;
	uint32_t number;
	uint32_t len;
	uint64_t seed;
	uint64_t sum; /* of all octets, this field being 0 */
};

struct ack {
	uint32_t magic;
	uint32_t number; /* all below it have come */
};

/* what is missing of a sender: [first, end) */
struct range {
	uint32_t first, end;
};

static const int gap_ms[] = {1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
#define GAPS (sizeof(gap_ms) / sizeof(gap_ms[0]) + 1)

struct sender {
	uint32_t ref, node;
	uint64_t seed;
	uint32_t expected;
	uint64_t got, octets, lost, doubled, reordered, odd;
	uint64_t unacked_cost;
	int complete;
	double last, longest;
	uint64_t gaps[GAPS];
	struct range missing[RANGES_MAX];
};

static struct sockaddr_tipc addr;
static uint64_t seed = 1, octets_max;
static long window = 256 * 1024;
static int parity = -1, senders_cnt = 1, timeout_ms = 30000;
static volatile sig_atomic_t stopped;
static uint64_t buf64[LEN_MAX / 8 + 2], want64[LEN_MAX / 8 + 2];
static uint8_t *const buf = (uint8_t *)buf64, *const want = (uint8_t *)want64;

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
on_stop(int number)
{
	(void)number;
	stopped = 1;
}

/* ------------------------------------------------------ the load's contents */

static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* length of a sender's message: HELLO is number 0, and the extremes are always there */
static uint32_t
length(uint64_t of_seed, uint32_t number)
{
	uint64_t r = mix(of_seed + number * 0x9e3779b97f4a7c15u);
	static const uint32_t most[16] = {200,	200,  200,  200,  200,	200,  200,  200,
					  1500, 1500, 1500, 1500, 9000, 9000, 9000, LEN_MAX};

	if (number == 0)
		return sizeof(struct head);
	if (number == 1)
		return LEN_MAX;
	if (number == 2)
		return 1;
	return 1 + (uint32_t)((r >> 8) % most[r & 15]);
}

/* of the receive buffer, for a message */
static long
cost(uint32_t len)
{
	return (long)(len / FRAME_OCTETS + 1) * FRAME_COST;
}

static uint64_t
sum_of(const uint64_t *p, uint32_t len, uint64_t of_seed)
{
	uint64_t h = of_seed ^ len, w;
	uint32_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		h = (h ^ p[i / 8]) * 0x9fb21c651e98df25u;
		h ^= h >> 32;
	}
	if (i < len) {
		w = 0;
		memcpy(&w, p + i / 8, len - i);
		h = (h ^ w) * 0x9fb21c651e98df25u;
	}
	return h ^ (h >> 29);
}

static void
compose(uint64_t *to, uint64_t of_seed, uint32_t number, uint32_t len, enum kind kind)
{
	struct head h = {DATA_MAGIC, kind, number, len, of_seed, 0};
	uint64_t x = mix(of_seed ^ ((uint64_t)number << 32)) | 1;
	uint32_t i;

	for (i = 0; i < (len + 7) / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		to[i] = x;
	}
	if (len < sizeof(h))
		return;
	memcpy(to, &h, sizeof(h));
	h.sum = sum_of(to, len, of_seed);
	memcpy(to, &h, sizeof(h));
}

/* the head of what is in buf, if it has one and its checksum is right */
static int
take_head(struct head *h, uint32_t len)
{
	uint64_t sum;

	if (len < sizeof(*h))
		return 0;
	memcpy(h, buf, sizeof(*h));
	if (h->magic != DATA_MAGIC || h->len != len)
		return 0;
	sum = h->sum;
	memset(buf + offsetof(struct head, sum), 0, sizeof(sum));
	return sum_of(buf64, len, h->seed) == sum;
}

/* ---------------------------------------------------------------- sockets */

static int
open_sock(int receive_ms)
{
	struct timeval rcv = {receive_ms / 1000, receive_ms % 1000 * 1000};
	struct timeval snd = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	int s = CALL(socket)(AF_TIPC, SOCK_RDM, 0), zero = 0;

	if (s < 0)
		die("socket");
	if (CALL(setsockopt)(s, SOL_TIPC, TIPC_DEST_DROPPABLE, &zero, sizeof(zero)) ||
	    CALL(setsockopt)(s, SOL_SOCKET, SO_RCVTIMEO, &rcv, sizeof(rcv)) ||
	    CALL(setsockopt)(s, SOL_SOCKET, SO_SNDTIMEO, &snd, sizeof(snd)))
		die("setsockopt");
	return s;
}

static struct tipc_socket_addr
own_address(int s)
{
	struct sockaddr_tipc a;
	socklen_t l = sizeof(a);

	if (CALL(getsockname)(s, (void *)&a, &l))
		die("getsockname");
	return a.addr.id;
}

/* a socket whose port is of the wanted parity; the others stay open, or it would not end */
static int
open_parity(int receive_ms)
{
	int s = open_sock(receive_ms), i;

	for (i = 0; parity >= 0 && (own_address(s).ref & 1) != (uint32_t)parity; i++) {
		if (i == 200) {
			out("FAIL no port of parity %d", parity);
			exit(1);
		}
		s = open_sock(receive_ms);
	}
	return s;
}

/* ------------------------------------------------------------------ flood */

struct flood {
	int s;
	uint32_t next, acked; /* message numbers */
	long unacked_cost;
	uint64_t octets, returned;
	double longest_wait;
};

/* one acknowledgement, or a message of ours that came back; waits for it */
static void
take_ack(struct flood *f)
{
	struct ack a = {0, 0};
	struct iovec iov = {&a, sizeof(a)};
	char ctl[70000];
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = ctl,
			   .msg_controllen = sizeof(ctl)};
	ssize_t n = CALL(recvmsg)(f->s, &m, 0);
	struct cmsghdr *c;

	if (n < 0 && errno == EINTR)
		return;
	if (n < 0) {
		out("FAIL no acknowledgement: sent %u, acknowledged %u, errno=%d", f->next,
		    f->acked, errno);
		exit(1);
	}
	if (n != sizeof(a) || a.magic != ACK_MAGIC) {
		uint32_t why = 0;

		for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if (c->cmsg_level == SOL_TIPC && c->cmsg_type == TIPC_ERRINFO)
				memcpy(&why, CMSG_DATA(c), sizeof(why));
		if (f->returned++ == 0)
			out("RETURNED error=%u after %u sent, %u acknowledged", why, f->next,
			    f->acked);
		return;
	}
	while (f->acked != a.number && f->acked != f->next)
		f->unacked_cost -= cost(length(seed, f->acked++));
}

/* message f->next; the time in the call counts as waiting */
static void
send_next(struct flood *f, uint32_t len, enum kind kind)
{
	double t = now();

	compose(buf64, seed, f->next, len, kind);
	while (CALL(sendto)(f->s, buf, len, 0, (void *)&addr, sizeof(addr)) != (ssize_t)len) {
		if (errno == EHOSTUNREACH && kind == HELLO && now() - t < timeout_ms / 1e3)
			usleep(20000);
		else if (errno != EINTR)
			die("sendto");
	}
	t = now() - t;
	if (t > f->longest_wait && kind != HELLO)
		f->longest_wait = t;
	f->next++;
	f->octets += len;
	f->unacked_cost += cost(length(seed, f->next - 1));
}

static void
await_room(struct flood *f, long room)
{
	double t = now();

	while (f->unacked_cost > room && !f->returned)
		take_ack(f);
	t = now() - t;
	if (t > f->longest_wait)
		f->longest_wait = t;
}

static int
flood(void)
{
	struct flood f = {.s = open_parity(timeout_ms)};
	struct tipc_socket_addr me = own_address(f.s);
	double t0;

	out("FLOOD =%u:0x%x pid=%d", me.ref, me.node, (int)getpid());
	send_next(&f, sizeof(struct head), HELLO);
	t0 = now();
	while (!stopped && !f.returned && (octets_max == 0 || f.octets < octets_max)) {
		uint32_t len = length(seed, f.next);

		await_room(&f, window - cost(len) > 0 ? window - cost(len) : 0);
		send_next(&f, len, DATA);
	}
	send_next(&f, sizeof(struct head), FIN);
	await_room(&f, 0);
	out("SENT n=%u octets=%llu time=%.3f longest_wait_ms=%.0f returned=%llu", f.next,
	    (unsigned long long)f.octets, now() - t0, f.longest_wait * 1e3,
	    (unsigned long long)f.returned);
	return f.returned != 0;
}

/* ------------------------------------------------------------------- sink */

/* number came late: whether it was counted as lost, and is now only out of order */
static int
was_missing(struct sender *f, uint32_t number)
{
	int i;

	for (i = 0; i < RANGES_MAX; i++) {
		struct range *r = &f->missing[i];

		if (number < r->first || number >= r->end)
			continue;
		/* (what lies before it in the range stays lost and can no longer be named) */
		r->first = number + 1;
		return 1;
	}
	return 0;
}

/* one message of a sender that is known */
static void
judge(struct sender *f, uint32_t len)
{
	uint32_t len_wanted = length(f->seed, f->expected);
	struct head h;

	f->got++;
	f->octets += len;
	if (len < sizeof(h)) {
		compose(want64, f->seed, f->expected, len, DATA);
		if (len != len_wanted || memcmp(buf, want, len) != 0)
			f->odd++;
		else
			f->expected++;
		return;
	}
	if (!take_head(&h, len) || h.seed != f->seed) {
		f->odd++;
		return;
	}
	if (h.number < f->expected) {
		if (was_missing(f, h.number)) {
			f->reordered++;
			f->lost--;
		} else {
			f->doubled++;
		}
		return;
	}
	if (h.number > f->expected) {
		f->missing[f->lost % RANGES_MAX] = (struct range){f->expected, h.number};
		f->lost += h.number - f->expected;
	}
	if (h.kind == DATA && len != length(f->seed, h.number))
		f->odd++;
	f->expected = h.number + 1;
	if (h.kind == FIN)
		f->complete = 1;
}

static void
note_gap(struct sender *f)
{
	double t = now(), gap = t - f->last;
	size_t i = 0;

	if (f->last != 0) {
		while (i < GAPS - 1 && gap * 1e3 >= gap_ms[i])
			i++;
		f->gaps[i]++;
		if (gap > f->longest)
			f->longest = gap;
	}
	f->last = t;
}

static void
acknowledge(int s, struct sender *f, const struct sockaddr_tipc *to, uint32_t len)
{
	struct ack a = {ACK_MAGIC, f->expected};

	f->unacked_cost += (uint64_t)cost(len);
	if (f->unacked_cost < ACK_COST && !f->complete)
		return;
	f->unacked_cost = 0;
	while (CALL(sendto)(s, &a, sizeof(a), 0, (const void *)to, sizeof(*to)) !=
	       (ssize_t)sizeof(a)) {
		if (errno == EINTR)
			continue;
		out("FAIL acknowledgement to =%u errno=%d", f->ref, errno);
		return;
	}
}

static int
report(const struct sender *f)
{
	size_t i;

	out("FROM =%u:0x%x got=%llu octets=%llu lost=%llu doubled=%llu reordered=%llu odd=%llu "
	    "complete=%d",
	    f->ref, f->node, (unsigned long long)f->got, (unsigned long long)f->octets,
	    (unsigned long long)f->lost, (unsigned long long)f->doubled,
	    (unsigned long long)f->reordered, (unsigned long long)f->odd, f->complete);
	printf("GAPS =%u:0x%x longest_ms=%.0f", f->ref, f->node, f->longest * 1e3);
	for (i = 0; i < GAPS; i++)
		if (i < GAPS - 1)
			printf(" %d:%llu", gap_ms[i], (unsigned long long)f->gaps[i]);
		else
			printf(" more:%llu\n", (unsigned long long)f->gaps[i]);
	fflush(stdout);
	return f->lost || f->doubled || f->reordered || f->odd || !f->complete;
}

/* the sender of a message; made by its HELLO, NULL: it has none */
static struct sender *
sender_of(struct sender *senders, int *cnt, const struct tipc_socket_addr *from, uint32_t len)
{
	struct head h;
	int i;

	for (i = 0; i < *cnt; i++)
		if (senders[i].ref == from->ref && senders[i].node == from->node)
			return &senders[i];
	if (*cnt == SENDERS_MAX || !take_head(&h, len) || h.kind != HELLO)
		return NULL;
	memcpy(buf, &h, sizeof(h)); /* as it came: it is judged like the others */
	senders[*cnt].ref = from->ref;
	senders[*cnt].node = from->node;
	senders[*cnt].seed = h.seed;
	return &senders[(*cnt)++];
}

static int
sink(void)
{
	static struct sender senders[SENDERS_MAX];
	struct sockaddr_tipc from;
	int s = open_sock(TICK_MS), cnt = 0, complete = 0, idle = 0, strays = 0, bad = 0, i;
	uint64_t octets = 0, told = 0;

	if (CALL(bind)(s, (void *)&addr, sizeof(addr)))
		die("bind");
	out("READY pid=%d", (int)getpid());
	while (!stopped && !(complete >= senders_cnt && idle >= LINGER_CNT) &&
	       idle * TICK_MS < timeout_ms) {
		socklen_t l = sizeof(from);
		ssize_t n = CALL(recvfrom)(s, buf, LEN_MAX + 8, 0, (void *)&from, &l);
		struct sender *f;

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			die("recvfrom");
		idle = n < 0 ? idle + 1 : 0;
		if (n <= 0)
			continue;
		f = sender_of(senders, &cnt, &from.addr.id, (uint32_t)n);
		if (f == NULL) {
			strays++;
			continue;
		}
		note_gap(f);
		complete -= f->complete;
		judge(f, (uint32_t)n);
		complete += f->complete;
		acknowledge(s, f, &from, (uint32_t)n);
		octets += (uint64_t)n;
		if (octets >> 20 != told) {
			told = octets >> 20;
			out("AT %llu", (unsigned long long)octets);
		}
	}
	for (i = 0; i < cnt; i++)
		bad |= report(&senders[i]);
	out("END senders=%d strays=%d octets=%llu", cnt, strays, (unsigned long long)octets);
	return bad || strays || complete != senders_cnt;
}

/* ------------------------------------------------------------------ watch */

/* An empty message is none for its receiver (09-socket-api.md, 10.7). */
static int
is_reached(int s)
{
	if (CALL(sendto)(s, "", 0, MSG_DONTWAIT, (void *)&addr, sizeof(addr)) == 0)
		return 1;
	if (errno != EHOSTUNREACH && errno != EAGAIN && errno != EINTR)
		die("sendto");
	return errno != EHOSTUNREACH;
}

static int
watch(void)
{
	int s = open_sock(timeout_ms);

	while (!stopped && !is_reached(s))
		usleep(200);
	out("SEEN %.6f", now());
	while (!stopped && is_reached(s))
		usleep(200);
	out("GONE %.6f", now());
	return stopped;
}

/* ------------------------------------------------------------------- main */

static int
set_option(int o, const char *value)
{
	char *e;

	switch (o) {
	case 'd':
	case 's':
		addr.family = AF_TIPC;
		addr.scope = TIPC_CLUSTER_SCOPE;
		addr.addrtype = o == 's' ? TIPC_SERVICE_RANGE : TIPC_SERVICE_ADDR;
		addr.addr.nameseq.type = (uint32_t)strtoul(value, &e, 0);
		addr.addr.nameseq.lower = *e == ':' ? (uint32_t)strtoul(e + 1, NULL, 0) : 0;
		/* (of a service address, this is the domain: everywhere) */
		addr.addr.nameseq.upper = o == 's' ? addr.addr.nameseq.lower : 0;
		return 1;
	case 'z':
		seed = strtoull(value, NULL, 0);
		return 1;
	case 'n':
		octets_max = strtoull(value, NULL, 0);
		return 1;
	case 'w':
		window = atol(value);
		return 1;
	case 'P':
		parity = atoi(value);
		return 1;
	case 'c':
		senders_cnt = atoi(value);
		return 1;
	case 'T':
		timeout_ms = atoi(value);
		return 1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_stop};
	const char *role = argc > 1 ? argv[1] : "", *name = NULL;
	int o;

	sigaction(SIGTERM, &sa, NULL);
	while ((o = getopt(argc - 1, argv + 1, "d:s:z:n:w:P:c:T:A:")) != -1) {
		if (o == 'A')
			name = optarg;
		else if (!set_option(o, optarg))
			return 64;
	}
#ifdef WITH_DPTIPC
	if (dptipc_attach(name))
		die("attach");
#else
	(void)name;
#endif
	if (addr.family && strcmp(role, "flood") == 0)
		return flood();
	if (addr.family && strcmp(role, "sink") == 0)
		return sink();
	if (addr.family && strcmp(role, "watch") == 0)
		return watch();
	fprintf(stderr, "tipcload: see the head of tipcload.c\n");
	return 64;
}
