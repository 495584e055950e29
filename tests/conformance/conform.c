/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The runner of the suite: each case in a child process of its own group, whose transcript is
 * printed behind a line "== NAME". A case that does not end is killed and says HANG, one that
 * dies says CRASH; the others go on.
 *
 *   conform [--list] [--pair ROLE PEER_NODE] [--only REGEX] [--slow FACTOR] [--times]
 */
#include "conform.h"

#include <regex.h>

struct conform_case {
	char name[160];
	void (*function)(int);
	int arg, limit_s;
	enum case_kind kind;
};

#define CASES_MAX 2000
static struct conform_case cases[CASES_MAX];
static int cases_cnt;
static bool is_timed;

const char *case_name;
int role = -1;
uint32_t peer_node;
uint32_t T;

void
conform_add(const char *name, const char *suffix, void (*function)(int), int arg, int limit_s,
	    enum case_kind kind)
{
	struct conform_case *c = &cases[cases_cnt++];

	if (cases_cnt == CASES_MAX)
		abort();
	snprintf(c->name, sizeof(c->name), "%s%s", name, suffix);
	c->function = function;
	c->arg = arg;
	c->limit_s = limit_s;
	c->kind = kind;
}

static int
by_name(const void *a, const void *b)
{
	return strverscmp(((const struct conform_case *)a)->name,
			  ((const struct conform_case *)b)->name);
}

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The child's output until it ends or its time is over. Whether it was in time. */
static bool
pass_on(int from, pid_t child, double limit_s, int *status)
{
	double end = now_s() + limit_s;
	char text[4096];
	bool is_open = true, is_ended = false;

	while (is_open || !is_ended) {
		struct pollfd p = {.fd = is_open ? from : -1, .events = POLLIN};
		ssize_t n;

		if (now_s() > end)
			return false;
		if (poll(&p, 1, is_open ? 20 : 1) > 0) {
			n = read(from, text, sizeof(text));
			is_open = n > 0;
			fwrite(text, 1, n > 0 ? (size_t)n : 0, stdout);
		}
		if (!is_ended && waitpid(child, status, WNOHANG) == child) {
			is_ended = true;
			/* What it has left behind would keep the pipe open. */
			kill(-child, SIGKILL);
		}
	}
	return true;
}

static void
run_case(const struct conform_case *c, int index, double slow)
{
	double start = now_s();
	int out[2], status = 0;
	pid_t child;

	printf("== %s\n", c->name);
	fflush(stdout);
	case_name = c->name;
	T = 100000 + 10 * (uint32_t)index;
	if (pipe(out) != 0 || (child = fork()) < 0)
		abort();
	if (child == 0) {
		setpgid(0, 0);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		if (c->kind == PAIR)
			swap(0);
		c->function(c->arg);
		_exit(0);
	}
	setpgid(child, child);
	close(out[1]);
	if (!pass_on(out[0], child, c->limit_s * slow, &status)) {
		kill(-child, SIGKILL);
		waitpid(child, &status, 0);
		printf("HANG\n");
	} else if (WIFSIGNALED(status)) {
		printf("CRASH %s\n", sigabbrev_np(WTERMSIG(status)));
	}
	close(out[0]);
	fflush(stdout);
	if (is_timed)
		fprintf(stderr, "%8.3f %s\n", now_s() - start, c->name);
}

int
main(int argc, char **argv)
{
	const char *only = "";
	double slow = 1;
	bool is_list = false;
	regex_t rx_only;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--exec") == 0)
			return conform_exec(argc - i - 1, argv + i + 1);
		if (strcmp(argv[i], "--list") == 0)
			is_list = true;
		else if (strcmp(argv[i], "--times") == 0)
			is_timed = true;
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			only = argv[++i];
		else if (strcmp(argv[i], "--slow") == 0 && i + 1 < argc)
			slow = atof(argv[++i]);
		else if (strcmp(argv[i], "--pair") == 0 && i + 2 < argc) {
			role = atoi(argv[++i]);
			peer_node = (uint32_t)strtoul(argv[++i], NULL, 0);
		}
	}
	if (regcomp(&rx_only, only, REG_EXTENDED | REG_NOSUB) != 0)
		return 2;
	qsort(cases, (size_t)cases_cnt, sizeof(cases[0]), by_name);
	for (int i = 0; i < cases_cnt; i++) {
		if (cases[i].kind != (role < 0 ? ALONE : PAIR) ||
		    regexec(&rx_only, cases[i].name, 0, NULL, 0) != 0)
			continue;
		if (is_list)
			printf("%s\n", cases[i].name);
		else
			run_case(&cases[i], i, slow);
	}
	return 0;
}
