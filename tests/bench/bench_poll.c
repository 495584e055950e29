/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One node, everybody polls, on two CPUs:
 *
 *   CPU of the worker: dptipcd's worker, polling      own CPU: this thread
 *                      helper, real-time, asleep               client and server of RDM;
 *                      most of the time                        one end of Unix sockets
 *
 * Client and server in one thread ping-pong over the worker: so three pollers need two CPUs. The
 * helper takes the CPU from the worker for the cache-line ping-pong around each slice, and
 * while Unix sockets are measured, whose other end it is.
 */
#include "bench.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dptipc.h"

#define RATE_BURST 32
/* Longer than any wait here: the receive call never sleeps. */
#define BUSY_POLL_US 1000000

enum job { JOB_PONG = 1, JOB_ECHO, JOB_FLOOD };

/* Shared with the helper. */
struct shared {
	struct bench_pair pair;
	/* This thread writes: number of the job, raised to start one; what it is. */
	_Alignas(128) _Atomic uint32_t job_cnt;
	enum job job;
	uint32_t bytes;
	uint32_t first; /* of the ping-pong */
	/* Set to end ECHO and FLOOD. */
	_Alignas(128) _Atomic uint32_t is_over;
	/* Helper writes. */
	_Alignas(128) _Atomic uint32_t started_cnt;
	_Alignas(128) _Atomic uint32_t done_cnt;
};

struct poll {
	const struct bench_options *options;
	struct shared *shared;
	struct conn unix_own, unix_helper; /* Unix SEQPACKET */
	struct conn client, server;	   /* RDM */
	uint32_t pings;
	struct bench_times times;
	uint8_t buf[BENCH_BYTES_MAX];
};

static struct poll two;

/* ---- the helper ---- */

static bool
is_over(void)
{
	return atomic_load_explicit(&two.shared->is_over, memory_order_acquire) != 0;
}

static void
helper_echo(int fd)
{
	while (!is_over()) {
		ssize_t got = recv(fd, two.buf, sizeof(two.buf), MSG_DONTWAIT);

		if (got > 0)
			conn_send(&two.unix_helper, two.buf, (size_t)got);
	}
}

static void
helper_flood(int fd, uint32_t bytes)
{
	while (!is_over())
		(void)!send(fd, two.buf, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
helper_main(void)
{
	struct shared *shared = two.shared;
	struct sched_param param = {.sched_priority = 1};
	int fd = two.unix_helper.fd;

	bench_pin(two.options->worker_cpu);
	/* Without the right to it: the highest weight, which takes nearly all of the CPU. */
	if (sched_setscheduler(0, SCHED_FIFO, &param) != 0 &&
	    setpriority(PRIO_PROCESS, 0, -20) != 0)
		bench_die("no right to a high priority");
	for (uint32_t job_cnt = 0;;) {
		bench_wait(&shared->job_cnt, job_cnt++);
		atomic_store_explicit(&shared->started_cnt, job_cnt, memory_order_release);
		switch (shared->job) {
		case JOB_PONG:
			bench_pong(&shared->pair, shared->first);
			break;
		case JOB_ECHO:
			helper_echo(fd);
			break;
		case JOB_FLOOD:
			helper_flood(fd, shared->bytes);
			break;
		}
		atomic_store_explicit(&shared->done_cnt, job_cnt, memory_order_release);
	}
}

static void
helper_start(enum job job, uint32_t bytes)
{
	struct shared *shared = two.shared;
	uint32_t job_cnt = atomic_load_explicit(&shared->job_cnt, memory_order_relaxed) + 1;

	shared->job = job;
	shared->bytes = bytes;
	shared->first = two.pings;
	atomic_store_explicit(&shared->is_over, 0, memory_order_relaxed);
	atomic_store_explicit(&shared->job_cnt, job_cnt, memory_order_release);
	bench_wake(&shared->job_cnt);
	while (atomic_load_explicit(&shared->started_cnt, memory_order_acquire) != job_cnt)
		;
}

static bool
helper_is_done(void)
{
	struct shared *shared = two.shared;

	return atomic_load_explicit(&shared->done_cnt, memory_order_acquire) ==
	       atomic_load_explicit(&shared->job_cnt, memory_order_relaxed);
}

static double
ping(void)
{
	double pp;

	helper_start(JOB_PONG, 0);
	pp = bench_ping(&two.shared->pair, two.pings);
	two.pings += BENCH_PINGS;
	while (!helper_is_done())
		;
	return pp;
}

/* ---- slices ---- */

static void
rdm_rtt(uint32_t bytes, double end_s, const char *item, struct bench_place *place)
{
	for (uint64_t start = bench_ticks(), now; bench_now_s() < end_s; start = now) {
		/* A look at the clock per 16: it costs as much as a message. */
		for (int i = 0; i < 16; i++) {
			conn_send(&two.client, two.buf, bytes);
			conn_recv(&two.server, two.buf);
			conn_reply(&two.server, two.buf, bytes);
			conn_recv(&two.client, two.buf);
			now = bench_ticks();
			if (!bench_times_add(&two.times, now - start))
				break;
			start = now;
		}
		if (two.times.cnt == BENCH_TIMES_MAX)
			break;
		now = bench_ticks();
	}
	place->pp_behind = ping();
	bench_print_rtt(item, bytes, place, &two.times);
}

static void
unix_rtt(uint32_t bytes, double end_s, const char *item, struct bench_place *place)
{
	uint64_t start, now;

	helper_start(JOB_ECHO, bytes);
	start = bench_ticks();
	do {
		conn_send(&two.unix_own, two.buf, bytes);
		conn_recv(&two.unix_own, two.buf);
		now = bench_ticks();
		if (!bench_times_add(&two.times, now - start))
			break;
		start = now;
	} while ((two.times.cnt & 15) != 0 || bench_now_s() < end_s);
	atomic_store_explicit(&two.shared->is_over, 1, memory_order_release);
	while (!helper_is_done())
		;
	place->pp_behind = ping();
	bench_print_rtt(item, bytes, place, &two.times);
}

static void
rdm_rate(uint32_t bytes, double end_s, const char *item, struct bench_place *place)
{
	double start_s = bench_now_s(), now_s;
	uint64_t cnt = 0;

	do {
		for (int i = 0; i < RATE_BURST; i++)
			conn_send(&two.client, two.buf, bytes);
		for (int i = 0; i < RATE_BURST; i++)
			conn_recv(&two.server, two.buf);
		cnt += RATE_BURST;
		now_s = bench_now_s();
	} while (now_s < end_s);
	place->pp_behind = ping();
	bench_print_rate(item, bytes, place, cnt, now_s - start_s);
}

static void
unix_rate(uint32_t bytes, double end_s, const char *item, struct bench_place *place)
{
	double start_s, now_s;
	uint64_t cnt = 0;

	helper_start(JOB_FLOOD, bytes);
	start_s = bench_now_s();
	do {
		for (int i = 0; i < RATE_BURST; i++)
			conn_recv(&two.unix_own, two.buf);
		cnt += RATE_BURST;
		now_s = bench_now_s();
	} while (now_s < end_s);
	atomic_store_explicit(&two.shared->is_over, 1, memory_order_release);
	while (!helper_is_done())
		;
	while (recv(two.unix_own.fd, two.buf, sizeof(two.buf), MSG_DONTWAIT) > 0)
		;
	place->pp_behind = ping();
	bench_print_rate(item, bytes, place, cnt, now_s - start_s);
}

static const struct {
	const char *item;
	uint32_t bytes;
	void (*run)(uint32_t bytes, double end_s, const char *item, struct bench_place *place);
} slices[] = {
	/* 16: the whole record in one cache line, both ways. */
	{"rdm", 16, rdm_rtt},	 {"rdm", 64, rdm_rtt},	   {"unix", 64, unix_rtt},
	{"rdm", 1024, rdm_rtt},	 {"unix", 1024, unix_rtt}, {"rdm", 64, rdm_rate},
	{"unix", 64, unix_rate},
};

int
bench_poll(const struct bench_options *options)
{
	struct bench_place place = {0};
	double end_s;
	int pair[2];
	pid_t pid;

	two.options = options;
	two.shared = bench_shared(sizeof(*two.shared));
	two.pings = 1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		bench_die("socketpair");
	two.unix_own = (struct conn){.kind = CONN_FD, .fd = pair[0], .flags = MSG_DONTWAIT};
	two.unix_helper = (struct conn){.kind = CONN_FD, .fd = pair[1], .flags = MSG_DONTWAIT};
	pid = bench_fork((unsigned int)options->seconds + 30);
	if (pid == 0)
		helper_main();
	bench_pin(options->own_cpu);
	if (dptipc_attach(options->name) != 0)
		bench_die(dptipc_error());
	conn_open_rdm(&two.client, BUSY_POLL_US);
	conn_open_rdm(&two.server, BUSY_POLL_US);
	conn_bind_rdm(&two.server, 0);
	conn_service(&two.client, 0);
	conn_wait_rdm(&two.client, 5);
	conn_recv(&two.server, two.buf);
	end_s = bench_now_s() + options->seconds;
	place.pp_before = ping();
	while (bench_now_s() < end_s) {
		for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
			if (!bench_is_wanted(options, slices[i].item))
				continue;
			two.times.cnt = 0;
			slices[i].run(slices[i].bytes, bench_now_s() + options->slice_s,
				      slices[i].item, &place);
			place.pp_before = place.pp_behind;
		}
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
