/* SPDX-License-Identifier: BSD-3-Clause */
/* Time, processes, statistics. Contract: bench.h. */
#include "bench.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Ping-pong medians that part the classes, ns. They have wide gaps on every machine seen: two
 * threads of a core below, two cores of a die between, two dies above. */
#define NEAR_NS 100
#define FAR_NS	260

double bench_ns_per_tick;

double
bench_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

void
bench_calibrate(void)
{
	double start_s = bench_now_s();
	uint64_t start = bench_ticks();

	while (bench_now_s() - start_s < 0.05)
		;
	bench_ns_per_tick = (bench_now_s() - start_s) * 1e9 / (double)(bench_ticks() - start);
}

void
bench_die(const char *what)
{
	fprintf(stderr, "bench_rdm: %s: %s\n", what, strerror(errno));
	exit(1);
}

void
bench_pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		bench_die("sched_setaffinity");
}

void *
bench_shared(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (at == MAP_FAILED)
		bench_die("mmap");
	return at;
}

pid_t
bench_fork(unsigned int limit_s)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		bench_die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(limit_s);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

bool
bench_is_wanted(const struct bench_options *options, const char *item)
{
	const char *at = options->items;
	size_t len = strlen(item);

	while (at != NULL && at[0] != '\0') {
		size_t word = strcspn(at, ",");

		if (word == len && strncmp(at, item, len) == 0)
			return true;
		at += word + (at[word] == ',');
	}
	return options->items == NULL;
}

void
bench_wait(_Atomic uint32_t *word, uint32_t while_value)
{
	while (atomic_load_explicit(word, memory_order_acquire) == while_value)
		syscall(SYS_futex, word, FUTEX_WAIT, while_value, NULL, NULL, 0);
}

void
bench_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int
by_ticks(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static const char *
class_of(double pp_ns)
{
	return pp_ns < NEAR_NS ? "smt" : pp_ns < FAR_NS ? "near" : "far";
}

static void
print_head(const char *item, const char *op, size_t bytes, const struct bench_place *place,
	   uint64_t cnt)
{
	const char *class = "none";

	if (place->pp_before > 0)
		class = class_of(place->pp_before);
	if (place->pp_before > 0 && class != class_of(place->pp_behind))
		class = "moved";
	printf("SAMPLE item=%s op=%s bytes=%zu class=%s pp=%.1f n=%llu ", item, op, bytes, class,
	       (place->pp_before + place->pp_behind) / 2, (unsigned long long)cnt);
}

void
bench_print_rtt(const char *item, size_t bytes, const struct bench_place *place,
		struct bench_times *times)
{
	uint32_t cnt = times->cnt;

	if (cnt == 0)
		return;
	qsort(times->ticks, cnt, sizeof(times->ticks[0]), by_ticks);
	print_head(item, "rtt", bytes, place, cnt);
	printf("p50=%.1f p99=%.1f\n", times->ticks[cnt / 2] * bench_ns_per_tick,
	       times->ticks[cnt - 1 - cnt / 100] * bench_ns_per_tick);
	fflush(stdout);
}

void
bench_print_rate(const char *item, size_t bytes, const struct bench_place *place, uint64_t cnt,
		 double took_s)
{
	print_head(item, "rate", bytes, place, cnt);
	printf("mps=%.4f\n", (double)cnt / took_s * 1e-6);
	fflush(stdout);
}

double
bench_ping(struct bench_pair *pair, uint32_t first)
{
	static uint32_t ticks[BENCH_PINGS];

	for (uint32_t i = 0; i < BENCH_PINGS; i++) {
		uint64_t start = bench_ticks();

		atomic_store_explicit(&pair->ping, first + i, memory_order_release);
		while (atomic_load_explicit(&pair->pong, memory_order_acquire) != first + i)
			;
		ticks[i] = (uint32_t)(bench_ticks() - start);
	}
	qsort(ticks + BENCH_PINGS_WARM, BENCH_PINGS - BENCH_PINGS_WARM, sizeof(ticks[0]), by_ticks);
	return ticks[(BENCH_PINGS + BENCH_PINGS_WARM) / 2] * bench_ns_per_tick;
}

void
bench_pong(struct bench_pair *pair, uint32_t first)
{
	for (uint32_t i = 0; i < BENCH_PINGS; i++) {
		while (atomic_load_explicit(&pair->ping, memory_order_acquire) != first + i)
			;
		atomic_store_explicit(&pair->pong, first + i, memory_order_release);
	}
}
