/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CASES_H
#define CASES_H

/*
 * The frame of the programs here: written for AF_TIPC, they know nothing of dptipc, and run on a
 * kernel with TIPC as well as under dptipc-run. Each case is a function; main() runs each in a
 * process of its own, or the one that is named. A failed CHECK ends its case.
 */

#include <errno.h>
#include <linux/tipc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("%s:%d: %s (errno %d, %s)\n", __FILE__, __LINE__, #condition,       \
			       errno, strerror(errno));                                            \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Both values are shown. */
#define EQUAL(got, wanted)                                                                         \
	do {                                                                                       \
		long long got_ = (long long)(got), wanted_ = (long long)(wanted);                  \
                                                                                                   \
		if (got_ != wanted_) {                                                             \
			printf("%s:%d: %s is %lld, wanted %lld (errno %d, %s)\n", __FILE__,        \
			       __LINE__, #got, got_, wanted_, errno, strerror(errno));             \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* The call must fail so. */
#define FAILS(call, error)                                                                         \
	do {                                                                                       \
		errno = 0;                                                                         \
		EQUAL(call, -1);                                                                   \
		EQUAL(errno, error);                                                               \
	} while (0)

struct test_case {
	const char *name;
	void (*run)(void);
};

int cases_main(int argc, char **argv, const struct test_case *cases, size_t cases_cnt);
#define CASE(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}
#define CASES_MAIN(cases)                                                                          \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return cases_main(argc, argv, cases, sizeof(cases) / sizeof((cases)[0]));          \
	}

/* How this program was started, for those that start it again. */
extern char **cases_argv;

struct sockaddr_tipc service(uint32_t type, uint32_t instance);
/* An RDM socket that is bound to {type, 0, 0}. */
int bound_rdm(uint32_t type);
void send_to(int fd, uint32_t type, const char *text);
/* The next message must be that. */
void expect(int fd, const char *text);
/* A connected pair of that type, by way of a listener. */
void connected(int type, uint32_t service_type, int fds[2]);
/* The child must exit with 0. */
void reap(pid_t pid);
int fds_open(void);

#endif /* CASES_H */
