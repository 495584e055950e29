/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * hello_client [--name NAME] [--count N] [--rtt] [--wait S] [--timeout S] TYPE INSTANCE TEXT
 *
 * Sends TEXT to the service {TYPE, INSTANCE}, wherever it is, and waits for the echo.
 */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "dptipc.h"

/* Between two looks for a service that is not there yet. */
#define RETRY_NS 20000000

struct options {
	const char *name;
	unsigned long count;
	bool want_rtt;
	double wait_s;
	double timeout_s;
};

static int
failed(const char *what)
{
	fprintf(stderr, "hello_client: %s: %s", what, strerror(errno));
	if (*dptipc_error())
		fprintf(stderr, " (%s)", dptipc_error());
	fputc('\n', stderr);
	return 1;
}

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Send, as long as the service is waited for. */
static ssize_t
send_patient(int fd, const char *text, const struct sockaddr_tipc *to, double until_us)
{
	const struct timespec pause = {.tv_nsec = RETRY_NS};
	ssize_t sent;

	for (;;) {
		sent = dptipc_sendto(fd, text, strlen(text), 0, (const struct sockaddr *)to,
				     sizeof(*to));
		if (sent >= 0 || errno != EHOSTUNREACH || now_us() > until_us)
			return sent;
		nanosleep(&pause, NULL);
	}
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int
exchange(int fd, const char *text, const struct sockaddr_tipc *to, const struct options *o)
{
	static char buf[TIPC_MAX_USER_MSG_SIZE];
	double *rtts = calloc(o->count, sizeof(*rtts));
	double wait_until_us = now_us() + o->wait_s * 1e6;
	unsigned long i;

	if (!rtts)
		return failed("memory");
	for (i = 0; i < o->count; i++) {
		double start = now_us();
		ssize_t got;

		if (send_patient(fd, text, to, wait_until_us) < 0)
			break;
		got = dptipc_recv(fd, buf, sizeof(buf), 0);
		if (got < 0)
			break;
		rtts[i] = now_us() - start;
		if (!o->want_rtt)
			printf("reply: %.*s\n", (int)got, buf);
	}
	if (i < o->count) {
		free(rtts);
		return failed(errno == EAGAIN ? "no reply" : "exchange");
	}
	qsort(rtts, o->count, sizeof(*rtts), by_value);
	if (o->want_rtt)
		printf("rtt min/p50/p99 us: %.2f/%.2f/%.2f\n", rtts[0], rtts[o->count / 2],
		       rtts[o->count - 1 - o->count / 100]);
	free(rtts);
	return 0;
}

/* Returns false when an option is wrong. */
static bool
options_get(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"name", required_argument, NULL, 'n'},	   {"count", required_argument, NULL, 'c'},
		{"rtt", no_argument, NULL, 'r'},	   {"wait", required_argument, NULL, 'w'},
		{"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'n':
			o->name = optarg;
			break;
		case 'c':
			o->count = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			o->want_rtt = true;
			break;
		case 'w':
			o->wait_s = strtod(optarg, NULL);
			break;
		case 't':
			o->timeout_s = strtod(optarg, NULL);
			break;
		default:
			return false;
		}
	}
	return argc - optind == 3 && o->count > 0;
}

int
main(int argc, char **argv)
{
	struct options o = {.count = 1, .timeout_s = 5};
	struct sockaddr_tipc to = {.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR};
	struct timeval tv;
	int fd;

	if (!options_get(argc, argv, &o)) {
		fprintf(stderr, "usage: hello_client [--name NAME] [--count N] [--rtt] [--wait S] "
				"[--timeout S] TYPE INSTANCE TEXT\n");
		return 2;
	}
	to.addr.name.name.type = (uint32_t)strtoul(argv[optind], NULL, 0);
	to.addr.name.name.instance = (uint32_t)strtoul(argv[optind + 1], NULL, 0);
	if (dptipc_attach(o.name) < 0)
		return failed("attach");
	fd = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
	if (fd < 0)
		return failed("socket");
	tv.tv_sec = (time_t)o.timeout_s;
	tv.tv_usec = (suseconds_t)((o.timeout_s - (double)tv.tv_sec) * 1e6);
	if (dptipc_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0)
		return failed("SO_RCVTIMEO");
	return exchange(fd, argv[optind + 2], &to, &o);
}
