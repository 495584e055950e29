/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ends in one thread over the loop bearer. Contract: link_bench.h. */
#include "link_bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "dpt_bearers.h"

/* Messages are sent in bursts of at most so many; a burst of 64 KiB messages is a few frames. */
#define LOOP_BURST 32
#define LOOP_BUFS  32767

static struct end ends[2];

/* Sending and receiving apart, so that callgrind can count either alone (--toggle-collect). */
__attribute__((noinline)) static void
link_loop_send(struct end *end, uint32_t bytes, uint32_t cnt)
{
	while (cnt-- > 0 && end_send(end, bytes))
		;
	end_flush(end);
}

__attribute__((noinline)) static void
link_loop_receive(struct end *end)
{
	while (end_poll(end) > 0)
		;
}

static void
turn(uint32_t bytes)
{
	end_timers(&ends[0]);
	link_loop_send(&ends[0], bytes, bytes > 8192 ? 1 : LOOP_BURST);
	link_loop_receive(&ends[1]);
	/* Acknowledgements. */
	end_poll(&ends[0]);
}

static void
slice_link(uint32_t bytes, const struct link_options *options)
{
	struct bench_place place = {0};
	uint64_t frames = end_tx_frames(&ends[0]) + end_tx_frames(&ends[1]);
	uint64_t before = ends[1].received;
	double start_s = bench_now_s(), took_s;

	do {
		for (int i = 0; i < 64; i++)
			turn(bytes);
		took_s = bench_now_s() - start_s;
	} while (took_s < options->slice_s);
	frames = end_tx_frames(&ends[0]) + end_tx_frames(&ends[1]) - frames;
	link_print_rate("link", bytes, &place, ends[1].received - before, took_s, frames);
}

static void
slice_raw(uint32_t bytes, const struct link_options *options)
{
	struct bench_place place = {0};
	uint64_t cnt = 0;
	double start_s = bench_now_s(), took_s;

	do {
		for (int i = 0; i < 64; i++) {
			end_raw_send(&ends[0], &ends[1].info.maddr, bytes, LOOP_BURST);
			cnt += end_raw_poll(&ends[1]);
		}
		took_s = bench_now_s() - start_s;
	} while (took_s < options->slice_s);
	link_print_rate("raw", bytes, &place, cnt, took_s, cnt);
}

static void
run_slices(const struct link_options *options)
{
	double end_s = bench_now_s() + options->seconds;
	uint32_t bytes;

	while (bench_now_s() < end_s) {
		for (uint32_t i = 0; (bytes = link_size_nth(options->sizes, i)) != 0; i++) {
			slice_link(bytes, options);
			/* What one frame holds. */
			if (bytes <= 1380)
				slice_raw(bytes, options);
		}
	}
}

/* A fixed number of messages, for counting instructions. */
static void
run_msgs(const struct link_options *options)
{
	uint32_t bytes = link_size_nth(options->sizes, 0);
	uint64_t before = ends[1].received;

	while (ends[1].received - before < options->msgs)
		turn(bytes);
	printf("MSGS %llu\n", (unsigned long long)(ends[1].received - before));
}

int
link_loop(const struct link_options *options)
{
	struct end_cfg cfg = {.ops = &dpt_bearer_loop,
			      .device = "bench",
			      .mtu_max = 1500,
			      .window = options->window};

	end_eal("dptbenchloop", NULL);
	cfg.pool = end_pool(LOOP_BUFS);
	for (uint32_t i = 0; i < 2; i++) {
		cfg.number = i + 1;
		end_open(&ends[i], &cfg);
	}
	end_connect(&ends[0], &ends[1].info.maddr);
	end_connect(&ends[1], &ends[0].info.maddr);
	for (double limit_s = bench_now_s() + 10;
	     !end_is_open(&ends[0]) || !end_is_open(&ends[1]);) {
		end_poll(&ends[0]);
		end_poll(&ends[1]);
		if (bench_now_s() > limit_s)
			end_die("loop", "the link does not come up");
	}
	if (options->msgs > 0)
		run_msgs(options);
	else
		run_slices(options);
	for (uint32_t i = 0; i < 2; i++) {
		if (ends[i].is_down_seen)
			end_die("loop", "the link went down");
		end_close(&ends[i]);
	}
	return 0;
}
