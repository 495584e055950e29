/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mixed SECONDS [THREADS]: TCP on the loopback, pipes, Unix sockets, files, a timer and TIPC of
 * every kind in one epoll set, under load, by THREADS (8) threads: see mixed.h. Each message must
 * arrive, once, in its order, unchanged; and in the end there are as many descriptors open as in
 * the beginning.
 */
#include "mixed.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CHANNELS_PER_KIND 3
#define CHANNELS	  (CHANNELS_PER_KIND * KINDS)
#define THREADS_MAX	  64
#define EVENTS		  8

static const char *const kind_names[KINDS] = {
	"tcp", "pipe", "unix", "tipc-seqpacket", "tipc-stream", "tipc-pair", "tipc-rdm"};
static struct channel channels[CHANNELS];
static int epoll_fd, timer_fd, stop_fd;
static _Atomic int is_over;
static _Atomic uint32_t channels_left;

void
mixed_die(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, strerror(errno));
	abort();
}

bool
mixed_is_over(void)
{
	return atomic_load(&is_over);
}

struct channel *
mixed_channel(uint32_t id)
{
	return id < CHANNELS ? &channels[id] : NULL;
}

void
mixed_arm(struct end *end, uint32_t events, bool is_new)
{
	struct epoll_event event = {.events = events | EPOLLONESHOT, .data.ptr = end};

	MUST(epoll_ctl(epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, end->fd, &event));
}

void
mixed_close(struct end *end)
{
	struct channel *channel = end->channel;
	uint64_t one = 1;

	if (end->role == ROLE_RECV) {
		MUST(close(end->file));
		channel->messages += end->next;
		channel->generations++;
	}
	MUST(close(end->fd));
	free(end);
	if (atomic_fetch_sub(&channel->ends_left, 1) > 1)
		return;
	if (!mixed_is_over())
		mixed_open(channel);
	else if (atomic_fetch_sub(&channels_left, 1) == 1)
		MUST(write(stop_fd, &one, sizeof(one)));
}

static void
handle(struct epoll_event *event)
{
	struct end *end = event->data.ptr;

	if (end->role == ROLE_SEND)
		mixed_send(end, event->events);
	else if (end->role == ROLE_RECV)
		mixed_recv(end);
	else
		mixed_accept(end);
}

static void *
work(void *unused)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int cnt = epoll_wait(epoll_fd, events, EVENTS, -1);

		if (cnt < 0 && errno == EINTR)
			continue;
		MUST(cnt);
		for (int i = 0; i < cnt; i++) {
			if (events[i].data.ptr == &stop_fd)
				return unused;
			if (events[i].data.ptr == &timer_fd)
				atomic_store(&is_over, 1);
			else
				handle(&events[i]);
		}
	}
}

static int
fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int cnt = 0;

	if (dir == NULL)
		mixed_die("/proc/self/fd", __FILE__, __LINE__);
	while (readdir(dir) != NULL)
		cnt++;
	closedir(dir);
	return cnt - 3; /* . .. and dir's own */
}

static void
add_plain(int fd, void *ptr, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = ptr};

	MUST(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event));
}

/* All channels at once, until the timer says that it is enough and all generations have ended. */
static void
run(int threads_cnt, double seconds)
{
	struct itimerspec limit = {
		.it_value = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)}};
	pthread_t threads[THREADS_MAX];

	MUST(epoll_fd = epoll_create1(EPOLL_CLOEXEC));
	MUST(stop_fd = eventfd(0, EFD_CLOEXEC));
	MUST(timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	MUST(timerfd_settime(timer_fd, 0, &limit, NULL));
	atomic_store(&is_over, 0);
	atomic_store(&channels_left, CHANNELS);
	add_plain(stop_fd, &stop_fd, EPOLLIN);
	add_plain(timer_fd, &timer_fd, EPOLLIN | EPOLLONESHOT);
	mixed_listen();
	for (uint32_t i = 0; i < CHANNELS; i++) {
		channels[i] = (struct channel){.id = i,
					       .kind = (enum kind)(i % KINDS),
					       .generation = channels[i].generation};
		mixed_open(&channels[i]);
	}
	for (int i = 0; i < threads_cnt; i++)
		MUST(-pthread_create(&threads[i], NULL, work, NULL));
	for (int i = 0; i < threads_cnt; i++)
		pthread_join(threads[i], NULL);
	mixed_unlisten();
	MUST(close(timer_fd));
	MUST(close(stop_fd));
	MUST(close(epoll_fd));
}

static void
print_counts(void)
{
	for (int kind = 0; kind < KINDS; kind++) {
		uint64_t messages = 0, octets = 0, generations = 0;

		for (int i = 0; i < CHANNELS; i++) {
			if (channels[i].kind != (enum kind)kind)
				continue;
			messages += channels[i].messages;
			octets += channels[i].octets;
			generations += channels[i].generations;
		}
		printf("%-14s %10llu messages %12llu octets %7llu generations\n", kind_names[kind],
		       (unsigned long long)messages, (unsigned long long)octets,
		       (unsigned long long)generations);
	}
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 10;
	int threads_cnt = argc > 2 ? atoi(argv[2]) : 8, before, after;

	if (threads_cnt < 1 || threads_cnt > THREADS_MAX)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	/* What the first use of a library opens may stay open. */
	run(threads_cnt, 0.01);
	before = fds_open();
	run(threads_cnt, seconds);
	after = fds_open();
	print_counts();
	printf("descriptors: %d before, %d after\n", before, after);
	return before != after;
}
