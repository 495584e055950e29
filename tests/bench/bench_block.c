/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocking calls, two processes for each transport, unpinned: one node (bench_block), two nodes
 * (bench_net). The servers echo until they are killed; a server that is not asked sleeps.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dptipc.h"

#define ITEMS_MAX 16
/* libdptipc's default, and no looking at all. */
#define BUSY_POLL_DEFAULT_US 50
/* This part of a slice, at its start, does not count: everything was asleep. */
#define WARM_PART 0.1
/* One-way rate: messages under way at most, and how often the receiver tells. Ours: 512
 * of 64 octets are far below the receive limit of a socket. */
#define RATE_WINDOW 512
#define RATE_TELL   64
/* UDP ports; each socket is in a network namespace of the bench's own. */
#define UDP_PORT 18889

struct sink {
	_Alignas(128) _Atomic uint32_t cnt; /* messages received */
};

/* One transport with its server. */
struct item {
	const char *name;
	const char *udp; /* address, if it is one */
	bool is_rate;	 /* the server counts instead of answering */
	bool is_spin;	 /* descriptor transports: busy-polling */
	uint32_t busy_poll_us;
	struct conn own, server;
	struct sink *sink;
	_Atomic uint32_t *is_ready;
	pid_t pid;
};

static struct item items[ITEMS_MAX];
static uint32_t items_cnt;
static struct bench_times times;
static uint8_t buf[BENCH_BYTES_MAX];

/* ---- servers ---- */

static void
serve_rate(struct item *item)
{
	_Atomic uint32_t *told = &item->sink->cnt;

	for (uint32_t cnt = 1;; cnt++) {
		conn_recv(&item->server, buf);
		if (cnt % RATE_TELL != 0)
			continue;
		atomic_store_explicit(told, cnt, memory_order_release);
		bench_wake(told);
	}
}

static void
serve(struct item *item, uint32_t instance, const struct bench_options *options)
{
	if (options->peer_netns != NULL) {
		int fd = open(options->peer_netns, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
			bench_die(options->peer_netns);
		close(fd);
	}
	if (item->server.kind == CONN_RDM) {
		if (dptipc_attach(options->peer_name) != 0)
			bench_die(dptipc_error());
		conn_open_rdm(&item->server, item->busy_poll_us);
		conn_bind_rdm(&item->server, instance);
	} else if (item->udp != NULL) {
		struct sockaddr_storage from;
		socklen_t bytes = sizeof(from);

		conn_open_udp(&item->server, item->udp, (uint16_t)(UDP_PORT + instance), true);
		atomic_store(item->is_ready, 1);
		bench_wake(item->is_ready);
		if (recvfrom(item->server.fd, buf, 1, 0, (struct sockaddr *)&from, &bytes) < 0 ||
		    connect(item->server.fd, (struct sockaddr *)&from, bytes) != 0)
			bench_die("UDP accept");
		conn_reply(&item->server, buf, 1);
	}
	atomic_store(item->is_ready, 1);
	bench_wake(item->is_ready);
	if (item->is_rate)
		serve_rate(item);
	for (;;)
		conn_reply(&item->server, buf, conn_recv(&item->server, buf));
}

/* ---- the client ---- */

static void
item_start(const struct bench_options *options, const struct item *what)
{
	struct item *item = &items[items_cnt];
	int pair[2];

	if (!bench_is_wanted(options, what->name))
		return;
	*item = *what;
	item->sink = bench_shared(sizeof(*item->sink));
	item->is_ready = bench_shared(sizeof(*item->is_ready));
	item->own.flags = item->server.flags = item->is_spin ? MSG_DONTWAIT : 0;
	if (item->own.kind == CONN_FUTEX) {
		item->own.pair = item->server.pair = bench_shared(sizeof(struct bench_pair));
		item->server.is_server = true;
	} else if (item->own.kind == CONN_FD && item->udp == NULL) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
			bench_die("socketpair");
		item->own.fd = pair[0];
		item->server.fd = pair[1];
	}
	item->pid = bench_fork((unsigned int)options->seconds + 60);
	if (item->pid == 0) {
		serve(item, items_cnt, options);
		_exit(0);
	}
	items_cnt++;
}

/* Ends of ours; after all forks, so that no process has another's attachment. */
static void
item_connect(struct item *item, uint32_t instance)
{
	bench_wait(item->is_ready, 0);
	if (item->own.kind == CONN_RDM) {
		conn_open_rdm(&item->own, item->busy_poll_us);
		conn_service(&item->own, instance);
		conn_wait_rdm(&item->own, 10);
		if (item->is_rate) /* that was one message; a whole lot, for counting */
			for (int i = 1; i < RATE_TELL; i++)
				conn_send(&item->own, buf, 1);
		else
			conn_recv(&item->own, buf);
	} else if (item->udp != NULL) {
		conn_open_udp(&item->own, item->udp, (uint16_t)(UDP_PORT + instance), false);
		conn_recv(&item->own, buf);
	} else if (item->is_rate) {
		for (int i = 0; i < RATE_TELL; i++)
			conn_send(&item->own, buf, 1);
	}
}

static void
slice_rtt(struct item *item, uint32_t bytes, double slice_s)
{
	struct bench_place place = {0};
	double start_s = bench_now_s(), now_s;

	times.cnt = 0;
	do {
		uint64_t start = bench_ticks();

		conn_send(&item->own, buf, bytes);
		conn_recv(&item->own, buf);
		if (!bench_times_add(&times, bench_ticks() - start))
			break;
		now_s = bench_now_s();
		if (now_s < start_s + slice_s * WARM_PART)
			times.cnt = 0;
	} while (now_s < start_s + slice_s);
	bench_print_rtt(item->name, bytes, &place, &times);
}

/* Until no more than `left` messages are under way. */
static void
rate_wait(struct item *item, uint32_t sent, uint32_t left)
{
	uint32_t cnt;

	while (sent - (cnt = atomic_load_explicit(&item->sink->cnt, memory_order_acquire)) > left)
		bench_wait(&item->sink->cnt, cnt);
}

static void
slice_rate(struct item *item, uint32_t bytes, double slice_s)
{
	struct bench_place place = {0};
	uint32_t before, sent;
	double start_s, end_s;

	sent = atomic_load_explicit(&item->sink->cnt, memory_order_acquire);
	while (sent == 0) {
		bench_wait(&item->sink->cnt, 0);
		sent = atomic_load_explicit(&item->sink->cnt, memory_order_acquire);
	}
	before = sent;
	start_s = bench_now_s();
	end_s = start_s + slice_s;
	while (bench_now_s() < end_s) {
		for (int i = 0; i < RATE_TELL; i++)
			conn_send(&item->own, buf, bytes);
		sent += RATE_TELL;
		rate_wait(item, sent, RATE_WINDOW - RATE_TELL);
	}
	rate_wait(item, sent, 0);
	bench_print_rate(item->name, bytes, &place, sent - before, bench_now_s() - start_s);
}

/* Kernel transports are measured without dptipcd's workers, which may be polling. */
static void
dptipcd_signal(const struct bench_options *options, const struct item *item, int signal)
{
	for (int i = 0; item->own.kind != CONN_RDM && i < 2; i++)
		if (options->stop_pids[i] != 0 && kill(options->stop_pids[i], signal) != 0)
			bench_die("kill");
}

static int
run(const struct bench_options *options, const uint32_t *sizes, uint32_t sizes_cnt)
{
	double end_s;

	if (dptipc_attach(options->name) != 0)
		bench_die(dptipc_error());
	for (uint32_t i = 0; i < items_cnt; i++)
		item_connect(&items[i], i);
	end_s = bench_now_s() + options->seconds;
	while (bench_now_s() < end_s) {
		for (uint32_t i = 0; i < items_cnt; i++) {
			struct item *item = &items[i];

			dptipcd_signal(options, item, SIGSTOP);
			for (uint32_t size = 0; size < sizes_cnt && !item->is_rate; size++)
				slice_rtt(item, sizes[size], options->slice_s);
			if (item->is_rate)
				slice_rate(item, sizes[0], options->slice_s);
			dptipcd_signal(options, item, SIGCONT);
		}
	}
	for (uint32_t i = 0; i < items_cnt; i++)
		kill(items[i].pid, SIGKILL);
	for (uint32_t i = 0; i < items_cnt; i++)
		waitpid(items[i].pid, NULL, 0);
	return 0;
}

static const struct conn rdm = {.kind = CONN_RDM}, by_fd = {.kind = CONN_FD},
			 by_futex = {.kind = CONN_FUTEX};

int
bench_block(const struct bench_options *options)
{
	static const uint32_t sizes[] = {64, 1024};
	struct bench_options here = *options;
	struct item what[] = {
		{.name = "rdm", .own = rdm, .busy_poll_us = BUSY_POLL_DEFAULT_US},
		{.name = "rdm-sleep", .own = rdm},
		{.name = "unix", .own = by_fd},
		{.name = "futex", .own = by_futex},
		{.name = "rdm", .own = rdm, .busy_poll_us = BUSY_POLL_DEFAULT_US, .is_rate = true},
		{.name = "unix", .own = by_fd, .is_rate = true},
	};

	here.peer_name = options->name;
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		what[i].server = what[i].own;
		item_start(&here, &what[i]);
	}
	return run(&here, sizes, 2);
}

int
bench_net(const struct bench_options *options)
{
	static const uint32_t sizes[] = {64};
	struct item what[] = {
		{.name = "rdm", .own = rdm, .busy_poll_us = BUSY_POLL_DEFAULT_US},
		{.name = "rdm-sleep", .own = rdm},
		{.name = "udp", .own = by_fd, .udp = options->udp[0]},
		{.name = "udp-tapped", .own = by_fd, .udp = options->udp[1]},
		{.name = "udp-poll", .own = by_fd, .udp = options->udp[0], .is_spin = true},
	};

	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		what[i].server = what[i].own;
		item_start(options, &what[i]);
	}
	return run(options, sizes, 1);
}
