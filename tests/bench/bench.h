/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_H
#define BENCH_H

/*
 * bench_rdm: what its sources share. How measurements are made: doc/performance.md.
 *
 * Every measurement is a slice: many operations of one kind in some 20 ms (polling) or more
 * (blocking). It becomes one line, which run.py collects:
 *
 *     SAMPLE item=rdm op=rtt bytes=64 class=near pp=131.2 n=26000 p50=812.0 p99=1102.4
 *     SAMPLE item=rdm op=rate bytes=64 class=none pp=0.0 n=20480 mps=1.211
 *
 * Times in ns, rates in million messages per second. class: placement of the two CPUs during
 * the slice (smt, near, far), by the median pp of the cache-line ping-pong before and behind it;
 * "moved" when the two differ; "none" when it was not looked at.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <x86intrin.h>

#define BENCH_BYTES_MAX 65536
/* Round trips of a slice at most; a longer slice ends early. */
#define BENCH_TIMES_MAX 400000
/* Round trips of one ping-pong, and those at its beginning that do not count. */
#define BENCH_PINGS	 1500
#define BENCH_PINGS_WARM 500

struct bench_options {
	const char *name;	/* dptipcd's; NULL: default */
	const char *peer_name;	/* net: dptipcd's of the other node */
	const char *peer_netns; /* net: path, where the other node is */
	const char *udp[2];	/* net: the other node's addresses: own wire, dptipcd's wire */
	const char *items;	/* NULL: all; else their names, comma between */
	pid_t stop_pids[2];	/* stopped while kernel transports are measured; 0: none */
	int own_cpu;		/* poll: of this thread */
	int worker_cpu;		/* poll: of dptipcd's worker, and of the helper */
	double seconds;		/* of the whole run, start not included */
	double slice_s;
};

/* Modes. Each returns an exit status. */
int bench_poll(const struct bench_options *options);
int bench_block(const struct bench_options *options);
int bench_net(const struct bench_options *options);

/* ---- bench_util.c ---- */

extern double bench_ns_per_tick;

static inline uint64_t
bench_ticks(void)
{
	unsigned int aux;

	return __rdtscp(&aux);
}

/* Seconds of CLOCK_MONOTONIC. */
double bench_now_s(void);
/* Sets bench_ns_per_tick; 50 ms. */
void bench_calibrate(void);
/* Print and end the program. */
void bench_die(const char *what) __attribute__((noreturn));
void bench_pin(int cpu);
/* Zeroed memory that forks share. */
void *bench_shared(size_t bytes);
/* A process that dies with its parent, and by itself after limit_s. */
pid_t bench_fork(unsigned int limit_s);
bool bench_is_wanted(const struct bench_options *options, const char *item);

/* Futexes in shared memory. */
void bench_wait(_Atomic uint32_t *word, uint32_t while_value);
void bench_wake(_Atomic uint32_t *word);

/* One slice's round trips. */
struct bench_times {
	uint32_t cnt;
	uint32_t ticks[BENCH_TIMES_MAX];
};

static inline bool
bench_times_add(struct bench_times *times, uint64_t ticks)
{
	times->ticks[times->cnt++] = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
	return times->cnt < BENCH_TIMES_MAX;
}

/* Where a slice was. */
struct bench_place {
	double pp_before; /* 0: not looked at */
	double pp_behind;
};

/* Sorts times. */
void bench_print_rtt(const char *item, size_t bytes, const struct bench_place *place,
		     struct bench_times *times);
void bench_print_rate(const char *item, size_t bytes, const struct bench_place *place, uint64_t cnt,
		      double took_s);

/* The cache-line ping-pong: a flag each way, nothing else. In shared memory. */
struct bench_pair {
	_Alignas(128) _Atomic uint32_t ping;
	_Alignas(128) _Atomic uint32_t pong;
};

/* Median round trip in ns. first: values go on from here; both sides give the same. */
double bench_ping(struct bench_pair *pair, uint32_t first);
void bench_pong(struct bench_pair *pair, uint32_t first);

/* ---- conn.c: one end of a transport ---- */

enum conn_kind {
	CONN_RDM,   /* libdptipc */
	CONN_FD,    /* Unix SEQPACKET, connected UDP */
	CONN_FUTEX, /* a flag each way in shared memory, sleeping: nothing is transferred */
};

struct conn {
	enum conn_kind kind;
	int fd;
	int flags;		  /* CONN_FD: MSG_DONTWAIT, which means busy-polling; or 0 */
	uint32_t turn;		  /* CONN_FUTEX */
	struct bench_pair *pair;  /* CONN_FUTEX */
	bool is_server;		  /* CONN_FUTEX */
	uint8_t to[16], from[16]; /* CONN_RDM: struct sockaddr_tipc */
};

/* A service address of the bench's, into conn->to: instance 0 and up. */
void conn_service(struct conn *conn, uint32_t instance);
/* A socket of SOCK_RDM; busy_poll_us: DPTIPC_BUSY_POLL_US. */
void conn_open_rdm(struct conn *conn, uint32_t busy_poll_us);
void conn_bind_rdm(struct conn *conn, uint32_t instance);
/* Wait until messages to the address get away, at most limit_s; one empty round trip. */
void conn_wait_rdm(struct conn *conn, double limit_s);
/* UDP: the server's end is bound to address, and connected by conn_udp_accept. */
void conn_open_udp(struct conn *conn, const char *address, uint16_t port, bool is_server);

void conn_send(struct conn *conn, const void *buf, size_t bytes);
/* Returns octets. The sender's address goes into conn->from. */
size_t conn_recv(struct conn *conn, void *buf);
/* To where the last message came from. */
void conn_reply(struct conn *conn, const void *buf, size_t bytes);

#endif /* BENCH_H */
