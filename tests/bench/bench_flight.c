/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the flight recorder costs. Method: two pairs of nodes in memory, one with recorders,
 * one without; messages go from end to end of one pair, then of the other, in short slices
 * by turns, which pair is first changing each time. Thread CPU time per packet; the figure
 * is the median of the ratios of neighbouring slices, so what else the machine does hits
 * both. No device, no system call: the recorder's share is larger here than in dptipcd.
 *
 *   bench_flight [--slices N] [--msgs N] [--bytes N] [--only on|off]
 *
 * --only: one pair, for counting instructions (valgrind --tool=callgrind).
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "dpt_flight.h"
#include "dpt_msg.h"
#include "dpt_node.h"

#define RING_PKTS  1024
#define WINDOW	   512
#define BURST	   32
#define SLOTS_CNT  4
#define TURN_NS	   20000 /* the protocol's time between two bursts: 32 packets in 20 us */
#define SLICES_MAX 10000

struct end {
	struct dpt_node *node;
	struct dpt_out out;
	struct dpt_rng rng;
	struct dpt_link_counters link_counters;
	struct dpt_node_counters node_counters;
	struct dpt_bcast_counters bcast_counters;
	struct dpt_flights flights;
	struct dpt_node_addr own, peer;
	bool is_blocked;
	uint64_t received;
};

struct pair {
	struct end ends[2];
	uint64_t now_ns;
};

static struct rte_mempool *pool;
static const struct dpt_maddr nowhere;

static void
die(const char *what)
{
	fprintf(stderr, "bench_flight: %s\n", what);
	exit(1);
}

static void *
zeroed(size_t bytes)
{
	void *mem = aligned_alloc(64, (bytes + 63) / 64 * 64);

	if (mem == NULL)
		die("no memory");
	return memset(mem, 0, (bytes + 63) / 64 * 64);
}

static void
end_init(struct end *end, uint32_t number, bool is_on, uint64_t now_ns)
{
	struct dpt_node_cfg cfg = {
		.env = {.rng = &end->rng, .pool = pool},
		.own = dpt_node_addr(0x01001000 + number),
		.peer = dpt_node_addr(0x01001000 + 3 - number),
		.net_id = 4711,
		.caps = 0x0fff,
		.ring_pkts = RING_PKTS,
		.expiry_ns = UINT64_C(300000000000),
		.link_counters = &end->link_counters,
		.node_counters = &end->node_counters,
		.bcast_counters = &end->bcast_counters,
	};
	struct dpt_link_setup setup = {.priority = 10,
				       .tolerance_ms = 1500,
				       .mtu = 1500,
				       .window_min = 50,
				       .window_max = WINDOW,
				       .if_name = "mem",
				       .dst = nowhere};

	dpt_rng_seed(&end->rng, number);
	dpt_out_init(&end->out);
	end->own = cfg.own;
	end->peer = cfg.peer;
	if (is_on) {
		end->flights.slots = zeroed(SLOTS_CNT * sizeof(struct dpt_flight));
		end->flights.slots_cnt = SLOTS_CNT;
		end->flights.log = zeroed(sizeof(struct dpt_flight_log));
		cfg.env.flights = &end->flights;
	}
	end->node = zeroed(dpt_node_size(&cfg));
	dpt_node_init(end->node, &cfg, now_ns);
	dpt_node_link_setup(end->node, &setup, now_ns, &end->out);
}

static void
end_events(struct end *end, uint64_t now_ns)
{
	for (uint16_t i = 0; i < end->out.events_cnt; i++) {
		if (end->out.events[i].type == DPT_EVENT_NODE_UP)
			dpt_node_open(end->node, 0, now_ns, &end->out);
		else if (end->out.events[i].type == DPT_EVENT_LINK_ROOM)
			end->is_blocked = false;
		else if (end->out.events[i].type == DPT_EVENT_NODE_DOWN)
			die("the link went down");
	}
	end->out.events_cnt = 0;
}

/* All that `from` has to send reaches `to`. */
static void
carry(struct end *from, struct end *to, uint64_t now_ns)
{
	struct dpt_bufq frames = from->out.tx;
	struct rte_mbuf *m;

	dpt_bufq_init(&from->out.tx);
	while ((m = dpt_bufq_pop(&frames)) != NULL) {
		/* As a device does: the sender's buffer stays the sender's. */
		struct rte_mbuf *copy = dpt_buf_copy(m, pool);

		rte_pktmbuf_free(m);
		if (copy == NULL)
			die("pool empty");
		if (dpt_msg_check_buf(copy, DPT_PLACE_FRAME) != DPT_MSG_OK)
			die("bad frame");
		dpt_node_rx(to->node, 0, copy, now_ns, &to->out);
	}
	end_events(to, now_ns);
	while ((m = dpt_bufq_pop(&to->out.up)) != NULL) {
		to->received++;
		rte_pktmbuf_free(m);
	}
	dpt_bufq_free(&to->out.bcast);
}

static void
turn(struct pair *pair)
{
	pair->now_ns += TURN_NS;
	for (int i = 0; i < 2; i++) {
		carry(&pair->ends[i], &pair->ends[1 - i], pair->now_ns);
		if (dpt_node_deadline_ns(pair->ends[i].node) <= pair->now_ns)
			dpt_node_timeout(pair->ends[i].node, pair->now_ns, &pair->ends[i].out);
		end_events(&pair->ends[i], pair->now_ns);
	}
}

static void
pair_init(struct pair *pair, bool is_on)
{
	memset(pair, 0, sizeof(*pair));
	pair->now_ns = 1000000000;
	for (uint32_t i = 0; i < 2; i++)
		end_init(&pair->ends[i], i + 1, is_on, pair->now_ns);
	for (int i = 0; i < 1000000; i++) {
		turn(pair);
		if (dpt_node_is_open(pair->ends[0].node) && dpt_node_is_open(pair->ends[1].node) &&
		    dpt_node_state(pair->ends[0].node) == DPT_NODE_UP_UP)
			return;
	}
	die("the link does not come up");
}

/* msgs messages from end 0 to end 1; CPU time of it, ns. */
static double
slice(struct pair *pair, uint64_t msgs, uint32_t bytes)
{
	struct end *from = &pair->ends[0];
	uint64_t before = pair->ends[1].received, sent = 0;
	struct timespec a, b;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	while (pair->ends[1].received - before < msgs) {
		for (int i = 0; i < BURST && sent < msgs && !from->is_blocked; i++, sent++) {
			struct rte_mbuf *m =
				dpt_msg_alloc(pool, DPT_USER_LOW, DPT_TYPE_DIRECT, DPT_HDR_BASIC,
					      bytes, from->own, from->peer);

			if (m == NULL)
				die("pool empty");
			from->is_blocked =
				dpt_node_tx(from->node, m, 0, pair->now_ns, &from->out) == 1;
		}
		turn(pair);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
}

static int
order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *values, uint32_t cnt)
{
	qsort(values, cnt, sizeof(*values), order);
	return values[cnt / 2];
}

static void
compare(uint32_t slices, uint64_t msgs, uint32_t bytes)
{
	static double off[SLICES_MAX], on[SLICES_MAX], ratio[SLICES_MAX];
	static struct pair pairs[2];

	pair_init(&pairs[0], false);
	pair_init(&pairs[1], true);
	for (uint32_t i = 0; i < 20; i++)
		slice(&pairs[i & 1], msgs, bytes);
	for (uint32_t i = 0; i < slices; i++) {
		bool is_on_first = i & 1;

		if (is_on_first)
			on[i] = slice(&pairs[1], msgs, bytes);
		off[i] = slice(&pairs[0], msgs, bytes);
		if (!is_on_first)
			on[i] = slice(&pairs[1], msgs, bytes);
		ratio[i] = on[i] / off[i];
	}
	qsort(ratio, slices, sizeof(*ratio), order);
	printf("flight %u octets, %u slices of %llu packets: without %.1f, with %.1f ns/packet "
	       "(both ends), cost %.2f %% (median; quartiles %.2f, %.2f)\n",
	       bytes, slices, (unsigned long long)msgs, median(off, slices) / (double)msgs,
	       median(on, slices) / (double)msgs, (ratio[slices / 2] - 1) * 100,
	       (ratio[slices / 4] - 1) * 100, (ratio[slices * 3 / 4] - 1) * 100);
}

int
main(int argc, char **argv)
{
	char *eal[] = {"bench_flight", "--no-huge",	 "--no-pci",	      "--no-shconf", "-m",
		       "64",	       "--no-telemetry", "--log-level=error", "-l",	     "0"};
	unsigned long slices = 400, msgs = 5000, bytes = 64;
	const char *only = NULL;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--slices") == 0)
			slices = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--msgs") == 0)
			msgs = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--bytes") == 0)
			bytes = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--only") == 0)
			only = argv[i + 1];
		else
			die("usage: --slices N --msgs N --bytes N --only on|off");
	}
	if (slices == 0 || slices > SLICES_MAX || msgs == 0 || bytes > 1400)
		die("--slices 1 to 10000, --msgs from 1, --bytes up to 1400");
	if (rte_eal_init(10, eal) < 0)
		die("EAL does not start");
	pool = rte_pktmbuf_pool_create("bench", 8191, 256, DPT_BUF_PRIV_BYTES,
				       2048 + DPT_BUF_HEADROOM_BYTES, SOCKET_ID_ANY);
	if (pool == NULL)
		die("no pool");
	if (only != NULL) {
		static struct pair pair;

		pair_init(&pair, strcmp(only, "on") == 0);
		for (unsigned long i = 0; i < slices; i++)
			slice(&pair, msgs, (uint32_t)bytes);
		return 0;
	}
	compare((uint32_t)slices, msgs, (uint32_t)bytes);
	return 0;
}
