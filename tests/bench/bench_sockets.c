/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_sockets [CNT]: the socket layer with many sockets (100,000): memory of each, the time of
 * opening one, and of a datagram from one socket to another within the shard, of few and of many
 * sockets in random order. No dptipcd: an application's own limits on descriptors do not reach so
 * far on every machine (tests/system/test_scale.py has as many as they allow).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "dpt_socket.h"

#define FEW_CNT	   64
#define SENDS_CNT  20000
#define ROUNDS_CNT 21

static struct dpt_socket_counters counters;
static struct dpt_names_counters names_counters;
static struct rte_mempool *pool;
static struct dpt_socks *socks;
static struct dpt_port *ports;
static struct dpt_rng rng;

static void
die(const char *what)
{
	fprintf(stderr, "bench_sockets: %s\n", what);
	exit(1);
}

/* CPU time of the thread. */
static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void *
zeroed(size_t bytes)
{
	void *mem = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (mem == NULL)
		die("no memory");
	return memset(mem, 0, bytes);
}

static void
eal_start(void)
{
	char *argv[] = {"bench_sockets",
			"--no-huge",
			"--no-pci",
			"--no-shconf",
			"-m",
			"64",
			"-l",
			"0",
			"--no-telemetry",
			"--log-level=error",
			NULL};

	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0)
		die(rte_strerror(rte_errno));
	pool = rte_pktmbuf_pool_create("bench", 1023, 0, DPT_BUF_PRIV_BYTES,
				       RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL)
		die(rte_strerror(rte_errno));
}

static void
sockets_open(uint32_t cnt)
{
	struct dpt_names_cfg names_cfg = {.env = {.rng = &rng, .pool = pool},
					  .bindings_max = 1024,
					  .peer_bindings_max = 1024,
					  .peers_max = 16,
					  .counters = &names_counters};
	struct dpt_socks_cfg cfg = {.env = {.rng = &rng, .pool = pool},
				    .sockets_max = cnt,
				    .bindings_max = 1024,
				    .nodes_max = 16,
				    .rcvbuf_bytes = 2097152,
				    .counters = &counters};
	double start_ns;

	cfg.names = zeroed(dpt_names_size(&names_cfg));
	dpt_names_init(cfg.names, &names_cfg);
	socks = zeroed(dpt_socks_size(&cfg));
	dpt_socks_init(socks, &cfg, 1);
	ports = zeroed(cnt * sizeof(*ports));
	start_ns = now_ns();
	for (uint32_t i = 0; i < cnt; i++)
		if (dpt_sock_open(socks, DPT_SOCK_RDM, i, &ports[i]) != 0)
			die("no socket");
	printf("sockets: %u, %.0f octets each, opened in %.0f ns each\n", cnt,
	       (double)dpt_socks_size(&cfg) / cnt, (now_ns() - start_ns) / cnt);
}

/* One datagram of 64 octets, read at once. */
static void
pass_one(struct dpt_port from, struct dpt_port to)
{
	struct dpt_dest dest = {.addrtype = DPT_ADDR_SOCKET, .socket.port = to};
	struct dpt_send send = {.dest = &dest};
	struct dpt_bufq routed = {0};
	struct rte_mbuf *m = dpt_buf_alloc_len(pool, 64);
	struct dpt_port ready;
	uint64_t cookie;

	if (m == NULL || dpt_sock_send(socks, from, &send, m, 1, &routed) != 0 ||
	    !dpt_sock_ready_pop(socks, &ready, &cookie) || ready.ref != to.ref ||
	    dpt_sock_recv_next(socks, to) == NULL)
		die("a datagram did not arrive");
	dpt_sock_recv_done(socks, to, 1, &routed);
}

static double
passes_ns(uint32_t cnt)
{
	double start_ns = now_ns();

	for (uint32_t i = 0; i < SENDS_CNT; i++)
		pass_one(ports[dpt_rng_below(&rng, cnt)], ports[dpt_rng_below(&rng, cnt)]);
	return (now_ns() - start_ns) / SENDS_CNT;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
	uint32_t cnt = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
	double few[ROUNDS_CNT], many[ROUNDS_CNT], ratios[ROUNDS_CNT];

	if (cnt < FEW_CNT || cnt > 1u << 20) {
		fprintf(stderr, "usage: bench_sockets [CNT: %u to 1048576]\n", FEW_CNT);
		return 2;
	}
	dpt_rng_seed(&rng, 1);
	eal_start();
	sockets_open(cnt);
	for (uint32_t i = 0; i < ROUNDS_CNT; i++) {
		few[i] = passes_ns(FEW_CNT);
		many[i] = passes_ns(cnt);
		ratios[i] = many[i] / few[i];
	}
	qsort(few, ROUNDS_CNT, sizeof(*few), by_value);
	qsort(many, ROUNDS_CNT, sizeof(*many), by_value);
	qsort(ratios, ROUNDS_CNT, sizeof(*ratios), by_value);
	printf("send and read 64 octets: among %u sockets %.0f ns, among %u %.0f ns, ratio %.2f\n",
	       FEW_CNT, few[ROUNDS_CNT / 2], cnt, many[ROUNDS_CNT / 2], ratios[ROUNDS_CNT / 2]);
	return 0;
}
