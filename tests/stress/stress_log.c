/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * stress_log [--count N] [--seed N] [--threads|--processes]
 *
 * One writer and one reader of a log, really at the same time: first two threads (the
 * thread sanitizer looks on), then two processes over a sealed memfd. Every record must
 * arrive once, in order, with its octets, though both sides run around the ring as fast as
 * they can and fall asleep at random. Sizes and contents follow from the seed and the
 * record's number.
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dpt_rng.h"
#include "dpt_shm.h"

#define LOG_BYTES DPT_SHM_LOG_BYTES_MIN

struct arena {
	_Alignas(64) _Atomic uint64_t consumed;
	_Alignas(64) uint8_t log[LOG_BYTES];
};

static uint32_t count = 1000000;
static uint64_t seed = 1;

/* Mostly small records, some of the largest size. */
static uint32_t
rec_bytes(uint32_t number)
{
	struct dpt_rng rng;
	uint32_t kind;

	dpt_rng_seed(&rng, seed + number);
	kind = dpt_rng_below(&rng, 1000);
	if (kind == 0)
		return (uint32_t)sizeof(struct dpt_rec_send) + DPT_PAYLOAD_BYTES_MAX;
	return 16 + dpt_rng_below(&rng, kind < 50 ? 3000 : 120);
}

/* Now and then one side stops, so that the log runs full and empty. */
static void
linger(uint32_t number)
{
	if ((number * 2654435761u) >> 20 == 7)
		sched_yield();
}

static void *
writer(void *arg)
{
	struct arena *arena = arg;
	struct dpt_log log;
	uint32_t number;

	dpt_log_init(&log, arena->log, LOG_BYTES, &arena->consumed);
	for (number = 0; number < count; number++) {
		uint32_t bytes = rec_bytes(number);
		struct dpt_rec_hdr *hdr;

		while (!(hdr = dpt_log_reserve(&log, bytes)))
			sched_yield();
		hdr->sock_idx = number;
		memset(hdr + 1, (uint8_t)(number * 7), bytes - sizeof(*hdr));
		dpt_log_commit(&log, hdr, DPT_REC_SEND, bytes);
		linger(number);
	}
	return NULL;
}

static const char *
check_rec(const struct dpt_rec_hdr *hdr, uint32_t bytes, uint32_t number)
{
	const uint8_t *p = (const uint8_t *)(hdr + 1);
	uint32_t i;

	if (bytes != rec_bytes(number))
		return "size";
	if (hdr->kind != DPT_REC_SEND || hdr->sock_idx != number)
		return "order";
	for (i = 0; i < bytes - sizeof(*hdr); i++)
		if (p[i] != (uint8_t)(number * 7))
			return "contents";
	return NULL;
}

static int
reader(struct arena *arena)
{
	struct dpt_log log;
	uint32_t number = 0, bytes;
	const char *wrong = NULL;
	const void *rec;
	int error;

	dpt_log_init(&log, arena->log, LOG_BYTES, &arena->consumed);
	while (number < count && !wrong) {
		rec = dpt_log_peek(&log, sizeof(struct dpt_rec_hdr), &bytes, &error);
		if (!rec && error) {
			wrong = "log";
		} else if (!rec) {
			dpt_log_publish(&log);
			sched_yield();
		} else {
			wrong = check_rec(rec, bytes, number);
			dpt_log_advance(&log, bytes);
			linger(number + 77);
			number++;
		}
	}
	if (!wrong && !dpt_log_is_empty(&log))
		wrong = "record too many";
	if (wrong)
		printf("FAIL record %" PRIu32 ": wrong %s (--seed %" PRIu64 ")\n", number, wrong,
		       seed);
	return wrong != NULL;
}

static int
run_threads(struct arena *arena)
{
	pthread_t thread;
	int rc;

	if (pthread_create(&thread, NULL, writer, arena)) {
		perror("pthread_create");
		return 1;
	}
	rc = reader(arena);
	if (rc)
		exit(rc); /* the writer would wait for ever */
	pthread_join(thread, NULL);
	return 0;
}

static int
run_processes(struct arena *arena)
{
	int status = 0;
	pid_t pid = fork();
	int rc;

	if (pid < 0) {
		perror("fork");
		return 1;
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		writer(arena);
		_exit(0);
	}
	rc = reader(arena);
	if (rc)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return rc || status != 0;
}

static struct arena *
arena_new(void)
{
	int fd = memfd_create("stress_log", MFD_CLOEXEC);
	struct arena *arena;

	if (fd < 0 || ftruncate(fd, sizeof(*arena)) < 0) {
		perror("memfd");
		exit(1);
	}
	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (arena == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	close(fd);
	return arena;
}

int
main(int argc, char **argv)
{
	bool threads = true, processes = true;
	int i, rc = 0;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--threads"))
			processes = false;
		else if (!strcmp(argv[i], "--processes"))
			threads = false;
		else if (!strcmp(argv[i], "--count") && i + 1 < argc)
			count = (uint32_t)strtoul(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 0);
		else
			return 2;
	}
	if (threads)
		rc |= run_threads(arena_new());
	if (processes)
		rc |= run_processes(arena_new());
	if (!rc)
		printf("OK %" PRIu32 " records%s%s\n", count, threads ? ", threads" : "",
		       processes ? ", processes" : "");
	return rc;
}
