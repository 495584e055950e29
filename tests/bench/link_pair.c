/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two processes, each with an EAL and an end of its own, joined by net_memif. The parent says
 * what is done next, in memory that both share:
 *
 *   parent   kind, bytes, then phase + 1 ----> child: does its part until the next phase
 *   parent   measures; the child's counts are in the same memory
 */
#include "link_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dpt_bearers.h"

#define PAIR_BUFS  32767
#define PAIR_BURST 32
/* Raw frames under way at most: a port drops what its ring does not hold. */
#define PAIR_RAWS    512
#define PAIR_START_S 30
/* A round trip that takes longer is lost. */
#define PAIR_LOST_S 1.0

enum pair_kind {
	PAIR_PING,
	PAIR_LINK_COUNT,
	PAIR_LINK_ECHO,
	PAIR_RAW_COUNT,
	PAIR_RAW_ECHO,
	PAIR_END,
};

struct pair {
	struct bench_pair flags;
	_Alignas(128) _Atomic uint32_t phase;
	uint32_t kind;
	uint32_t bytes;
	uint32_t first;			     /* PAIR_PING */
	_Alignas(128) _Atomic uint32_t done; /* phase that the child has taken up */
	_Atomic uint32_t is_open;
	_Atomic uint32_t has_maddr[2];
	struct dpt_maddr maddr[2];
	_Alignas(128) _Atomic uint64_t received;
	_Alignas(128) _Atomic uint64_t tx_frames;
};

static struct pair *pair;
static struct end end;
static struct bench_times times;

/* The other process is far enough; a bound, in case that it is dead. */
static void
wait_maddr(uint32_t who)
{
	double limit_s = bench_now_s() + PAIR_START_S;

	while (!atomic_load(&pair->has_maddr[who])) {
		if (bench_now_s() > limit_s)
			end_die("pair", "the other process does not start");
		usleep(1000);
	}
}

static void
start(uint32_t who, const struct link_options *options)
{
	struct end_cfg cfg = {.ops = &dpt_bearer_eth,
			      .device = "net_memif0",
			      .mtu_max = 1500,
			      .number = who + 1,
			      .window = options->window};
	char prefix[32], vdev[160];

	bench_pin(options->cpus[who]);
	snprintf(prefix, sizeof(prefix), "dptbench%d_%u", who == 0 ? getpid() : getppid(), who);
	snprintf(vdev, sizeof(vdev),
		 "net_memif0,role=%s,id=0,rsize=11,socket-abstract=yes,socket=dptbench%d,"
		 "mac=02:00:00:00:00:%02x",
		 who == 0 ? "server" : "client", who == 0 ? getpid() : getppid(), who + 1);
	/* The server of a memif pair has to be there first. */
	if (who == 1)
		wait_maddr(0);
	end_eal(prefix, vdev);
	bench_pin(options->cpus[who]);
	cfg.pool = end_pool(PAIR_BUFS);
	end_open(&end, &cfg);
	pair->maddr[who] = end.info.maddr;
	atomic_store(&pair->has_maddr[who], 1);
	wait_maddr(1 - who);
	end_connect(&end, &pair->maddr[1 - who]);
}

/* ---- the child ---- */

static void
child_serve(uint32_t phase)
{
	uint32_t kind = pair->kind, bytes = pair->bytes;

	end.is_echo = kind == PAIR_LINK_ECHO;
	while (atomic_load_explicit(&pair->phase, memory_order_acquire) == phase) {
		if (kind == PAIR_RAW_COUNT || kind == PAIR_RAW_ECHO) {
			uint32_t got = end_raw_poll(&end);

			if (got > 0 && kind == PAIR_RAW_ECHO)
				end_raw_send(&end, &pair->maddr[0], bytes, got);
			if (got > 0)
				atomic_store_explicit(&pair->received, end.raws,
						      memory_order_release);
			continue;
		}
		if (end_poll(&end) > 0) {
			atomic_store_explicit(&pair->received, end.received, memory_order_release);
			atomic_store_explicit(&pair->tx_frames, end_tx_frames(&end),
					      memory_order_relaxed);
		}
	}
}

static void
child_run(void)
{
	uint32_t phase = 0;

	for (;;) {
		uint32_t next = atomic_load_explicit(&pair->phase, memory_order_acquire);

		if (next == phase) {
			end_poll(&end);
			atomic_store(&pair->is_open, end_is_open(&end));
			continue;
		}
		phase = next;
		if (pair->kind == PAIR_END)
			return;
		if (pair->kind == PAIR_PING) {
			atomic_store(&pair->done, phase);
			bench_pong(&pair->flags, pair->first);
			continue;
		}
		atomic_store(&pair->received,
			     pair->kind == PAIR_RAW_COUNT || pair->kind == PAIR_RAW_ECHO
				     ? end.raws
				     : end.received);
		atomic_store(&pair->tx_frames, end_tx_frames(&end));
		atomic_store(&pair->done, phase);
		child_serve(phase);
	}
}

/* ---- the parent ---- */

static void
begin(enum pair_kind kind, uint32_t bytes)
{
	uint32_t phase = atomic_load(&pair->phase) + 1;

	pair->kind = kind;
	pair->bytes = bytes;
	atomic_store(&pair->phase, phase);
	while (kind != PAIR_END && atomic_load(&pair->done) != phase) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			end_die("pair", "the other process has ended");
		end_poll(&end);
	}
}

static double
ping(void)
{
	static uint32_t first = 1;

	pair->first = first;
	begin(PAIR_PING, 0);
	first += BENCH_PINGS;
	return bench_ping(&pair->flags, pair->first);
}

/* Let what is under way arrive, and be acknowledged. */
static void
settle(void)
{
	double end_s = bench_now_s() + 0.002;

	while (bench_now_s() < end_s)
		end_poll(&end);
}

static void
rate_link(uint32_t bytes, const struct link_options *options)
{
	struct bench_place place = {.pp_before = ping()};
	uint64_t frames, cnt;
	double start_s, took_s;

	begin(PAIR_LINK_COUNT, bytes);
	cnt = atomic_load(&pair->received);
	frames = end_tx_frames(&end) + atomic_load(&pair->tx_frames);
	start_s = bench_now_s();
	do {
		for (int i = 0; i < 16; i++) {
			for (int n = 0; n < PAIR_BURST && end_send(&end, bytes); n++)
				;
			end_poll(&end);
		}
		took_s = bench_now_s() - start_s;
	} while (took_s < options->slice_s);
	cnt = atomic_load(&pair->received) - cnt;
	frames = end_tx_frames(&end) + atomic_load(&pair->tx_frames) - frames;
	settle();
	place.pp_behind = ping();
	link_print_rate("link", bytes, &place, cnt, took_s, frames);
}

static void
rate_raw(uint32_t bytes, const struct link_options *options)
{
	struct bench_place place = {.pp_before = ping()};
	uint64_t first, sent = 0, cnt = 0;
	double start_s, took_s;

	begin(PAIR_RAW_COUNT, bytes);
	first = atomic_load(&pair->received);
	start_s = bench_now_s();
	do {
		for (int i = 0; i < 64; i++) {
			cnt = atomic_load_explicit(&pair->received, memory_order_acquire) - first;
			if (sent - cnt > PAIR_RAWS - PAIR_BURST)
				continue;
			end_raw_send(&end, &pair->maddr[1], bytes, PAIR_BURST);
			sent += PAIR_BURST;
		}
		took_s = bench_now_s() - start_s;
		end_raw_poll(&end);
		end_timers(&end);
	} while (took_s < options->slice_s);
	settle();
	place.pp_behind = ping();
	link_print_rate("raw", bytes, &place, cnt, took_s, cnt);
}

/* One message there and back; false: lost, or the slice is over. */
static bool
round_trip(bool is_raw, uint32_t bytes)
{
	uint64_t before = is_raw ? end.raws : end.received;
	uint64_t start = bench_ticks();
	double limit_s = 0;

	if (is_raw) {
		end_raw_send(&end, &pair->maddr[1], bytes, 1);
	} else {
		if (!end_send(&end, bytes))
			return false;
		end_flush(&end);
	}
	for (uint32_t i = 1; (is_raw ? end.raws : end.received) == before; i++) {
		if (is_raw)
			end_raw_poll(&end);
		else
			end_poll(&end);
		if (i % 100000 != 0)
			continue;
		if (limit_s == 0)
			limit_s = bench_now_s() + PAIR_LOST_S;
		else if (bench_now_s() > limit_s)
			return false;
	}
	return bench_times_add(&times, bench_ticks() - start);
}

static void
rtt(bool is_raw, uint32_t bytes, const struct link_options *options)
{
	struct bench_place place = {.pp_before = ping()};
	double end_s;

	begin(is_raw ? PAIR_RAW_ECHO : PAIR_LINK_ECHO, bytes);
	times.cnt = 0;
	end_s = bench_now_s() + options->slice_s;
	while (round_trip(is_raw, bytes) && bench_now_s() < end_s)
		;
	end_timers(&end);
	settle();
	place.pp_behind = ping();
	bench_print_rtt(is_raw ? "raw" : "link", bytes, &place, &times);
}

static void
parent_run(const struct link_options *options)
{
	double end_s = bench_now_s() + 20;
	uint32_t bytes;

	while (!end_is_open(&end) || !atomic_load(&pair->is_open)) {
		end_poll(&end);
		if (bench_now_s() > end_s)
			end_die("pair", "the link does not come up");
	}
	end_s = bench_now_s() + options->seconds;
	while (bench_now_s() < end_s && !end.is_down_seen) {
		for (uint32_t i = 0; (bytes = link_size_nth(options->sizes, i)) != 0; i++) {
			rate_link(bytes, options);
			/* What one frame holds. */
			if (bytes > 1380)
				continue;
			rate_raw(bytes, options);
			rtt(false, bytes, options);
			rtt(true, bytes, options);
		}
	}
	begin(PAIR_END, 0);
	if (end.is_down_seen)
		end_die("pair", "the link went down");
}

int
link_pair(const struct link_options *options)
{
	pid_t child;
	int status = 0;

	pair = bench_shared(sizeof(*pair));
	child = bench_fork((unsigned int)options->seconds + 60);
	start(child == 0, options);
	if (child == 0) {
		child_run();
		_exit(0);
	}
	parent_run(options);
	waitpid(child, &status, 0);
	end_close(&end);
	return status == 0 ? 0 : 1;
}
