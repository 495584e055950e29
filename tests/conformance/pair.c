/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cases for two programs on two nodes. They meet through whoever runs them: each writes
 *
 *     @ CASE NUMBER VALUE     on standard error, and gets the other's value on standard input;
 *     ! CASE NUMBER WHAT      asks for something to be done, and gets 0 when it is.
 *
 * Answers are CASE NUMBER VALUE; those of a case that was given up are passed over.
 */
#include "conform.h"

static unsigned int number;

static uint32_t
answer(unsigned int to)
{
	char line[256], name[200];
	unsigned int n, value;
	size_t have;

	for (;;) {
		for (have = 0; have < sizeof(line) - 1; have++) {
			if (read(STDIN_FILENO, &line[have], 1) != 1)
				_exit(4);
			if (line[have] == '\n')
				break;
		}
		line[have] = '\0';
		if (sscanf(line, "%199s %u %u", name, &n, &value) == 3 && n == to &&
		    strcmp(name, case_name) == 0)
			return value;
	}
}

uint32_t
swap(uint32_t mine)
{
	dprintf(STDERR_FILENO, "@ %s %u %u\n", case_name, ++number, mine);
	return answer(number);
}

void
runner(const char *what)
{
	/* Numbers of their own: only one of the two may ask. */
	static unsigned int asked = 1000;

	dprintf(STDERR_FILENO, "! %s %u %s\n", case_name, ++asked, what);
	answer(asked);
}

/* Whether our node's table has it now: what there is, then a time-out. */
static bool
has_name(int fd, uint32_t type, uint32_t instance)
{
	struct tipc_subscr s = subscription(type, instance, instance, 0, TIPC_SUB_PORTS);
	struct tipc_event e;
	bool is_there = false;

	MUST(send(fd, &s, sizeof(s), 0));
	for (;;) {
		if (MUST(recv(fd, &e, sizeof(e), 0)) != sizeof(e))
			must("topology server", -1);
		if (e.event == TIPC_SUBSCR_TIMEOUT)
			return is_there;
		is_there |= e.event == TIPC_PUBLISHED;
	}
}

void
await_name(uint32_t type, uint32_t instance, bool is_wanted)
{
	int fd = topology(SOCK_SEQPACKET);

	for (int i = 0; i < 500 && has_name(fd, type, instance) != is_wanted; i++)
		nap(10);
	close(fd);
}

int
fill_window(int fd, size_t len)
{
	int cnt = 0, pause = 0;

	/* EAGAIN may be the link's, which passes. */
	while (pause < 25) {
		if (send(fd, big, len, MSG_DONTWAIT) == (ssize_t)len) {
			cnt++;
			pause = 0;
			continue;
		}
		if (errno != EAGAIN)
			break;
		pause++;
		nap(20);
	}
	return cnt;
}
