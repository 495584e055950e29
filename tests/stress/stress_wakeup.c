/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * stress_wakeup [--count N] [--seed N]
 *
 * Does a sleeper always wake? A dptipcd played by a thread (tests/unit/client) delivers
 * messages at random moments; the reader sleeps in one of three ways: in a blocking receive, in
 * poll(2) and then reads until EAGAIN, in poll(2) and then reads one with a blocking
 * receive. A wake-up that is lost shows as a hang, which SIGALRM ends; a
 * descriptor that is readable with nothing to read, in a blocking receive after poll(2), does
 * as well. Order and number of the messages are checked.
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "dpt_rng.h"
#include "dptipc.h"
#include "fake_dptipcd.h"

/* Well above what the slowest sanitizer build needs. */
#define HANG_S 100

static uint32_t count = 20000;
static uint64_t seed = 1;
static struct fake *fake;
static _Atomic uint32_t taken_cnt;

static int
fail_with(const char *what)
{
	printf("FAIL %s after %" PRIu32 " messages (--seed %" PRIu64 "): %s\n", what, taken_cnt,
	       seed, strerror(errno));
	return 1;
}

static void *
sender(void *arg)
{
	struct dpt_rng rng;
	uint32_t i, n;

	(void)arg;
	dpt_rng_seed(&rng, seed);
	for (i = 0; i < count; i++) {
		struct fake_msg msg = {.port = 1, .type = 3, .payload = &i, .bytes = sizeof(i)};
		bool is_quiet = dpt_rng_below(&rng, 4) == 0 && i + 1 < count;

		while (!(is_quiet ? fake_deliver_quietly(fake, 0, &msg)
				  : fake_deliver(fake, 0, &msg)))
			sched_yield();
		/* A quiet one is followed at once by one that signals. Mostly wait for the reader
		 * to have read all, for a moment that differs each time. */
		if (is_quiet)
			continue;
		if (dpt_rng_below(&rng, 3))
			while (taken_cnt <= i)
				sched_yield();
		for (n = dpt_rng_below(&rng, 300); n > 0; n--)
			__asm__ volatile("" ::: "memory");
	}
	return NULL;
}

/* Returns 0; 1: wrong number; -1: errno. */
static int
take(int fd, int flags)
{
	uint32_t number;
	ssize_t got = dptipc_recv(fd, &number, sizeof(number), flags);

	if (got < 0)
		return -1;
	if (got != sizeof(number) || number != taken_cnt)
		return 1;
	taken_cnt++;
	return 0;
}

static int
read_some(int fd, uint32_t how)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int rc;

	if (how == 0)
		return take(fd, 0);
	if (poll(&pfd, 1, -1) != 1)
		return -1;
	if (how == 1)
		return take(fd, 0);
	while ((rc = take(fd, MSG_DONTWAIT)) == 0)
		;
	return rc < 0 && errno == EAGAIN ? 0 : rc;
}

static int
run(int fd)
{
	struct dpt_rng rng;
	pthread_t thread;
	uint32_t busy_poll_us;

	dpt_rng_seed(&rng, seed + 1);
	if (pthread_create(&thread, NULL, sender, NULL))
		return fail_with("pthread_create");
	while (taken_cnt < count) {
		busy_poll_us = dpt_rng_below(&rng, 2) ? 0 : dpt_rng_below(&rng, 20);
		dptipc_setsockopt(fd, SOL_DPTIPC, DPTIPC_BUSY_POLL_US, &busy_poll_us,
				  sizeof(busy_poll_us));
		if (read_some(fd, dpt_rng_below(&rng, 3)))
			return fail_with("receive");
	}
	pthread_join(thread, NULL);
	return 0;
}

int
main(int argc, char **argv)
{
	struct pollfd pfd = {.events = POLLIN};
	char name[DPT_ATTACH_NAME_BYTES];
	int i, fd, rc;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--count"))
			count = (uint32_t)strtoul(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
		else
			return 2;
	}
	alarm(HANG_S);
	snprintf(name, sizeof(name), "stress-wakeup-%d", (int)getpid());
	fake = fake_start(name, NULL);
	if (dptipc_attach(name) < 0)
		return fail_with("attach");
	fd = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
	if (fd < 0)
		return fail_with("socket");
	rc = run(fd);
	pfd.fd = fd;
	if (!rc && poll(&pfd, 1, 0) != 0)
		rc = fail_with("readable with nothing to read");
	if (!rc)
		printf("OK %" PRIu32 " messages, %" PRIu32 " signals asked for\n", taken_cnt,
		       fake_signals_cnt(fake));
	fake_stop(fake);
	return rc;
}
