/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the name table costs at scale: 1,000,000 bindings of 200,000 services of 20 nodes, a
 * service of 10,000 members, 10,000 subscriptions.
 *
 *   bench_names [--bindings N] [--services N] [--slices N] [--lookups N]
 *               [--only single|wide|big|reference]
 *
 * Method: keys in random order, looked up in short slices by turns in the name table and in an
 * open-addressing hash table of as many entries of 16 octets (linear probing, half full, the
 * same hash function), which is about the least that such a lookup can cost. The figure is the
 * median of the ratios of neighbouring slices, so what else the machine does hits both. Last
 * level cache misses are printed where the machine counts them.
 *
 * Of 5 bindings of a service: in services with an even number 5 single instances, in the others
 * one range of 100 instances with 5 members.
 *
 * --only: one kind of lookup and no table of figures, for counting (valgrind --tool=callgrind).
 */
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "dpt_msg.h"
#include "dpt_names.h"
#include "dpt_topology.h"

#define OWN	    0x01001001u
#define NODES_CNT   20
#define MEMBERS_CNT 5
#define WIDE_CNT    100
#define BIG_TYPE    64
#define BIG_CNT	    10000
#define SUBS_CNT    10000
#define TYPE_FIRST  1000
#define SLICES_MAX  1000
#define CHANGES_CNT 20000
#define NO_COUNTER  (-1)
#define HUGE_BYTES  ((size_t)2 << 20)

enum kind { KIND_SINGLE, KIND_WIDE, KIND_BIG, KIND_REFERENCE, KIND_CNT };
static const char *const kind_names[KIND_CNT] = {"single", "wide", "big", "reference"};

struct slot {
	uint32_t type;
	uint32_t instance;
	uint32_t port; /* 0: empty */
	uint32_t node;
};

struct key {
	uint32_t type;
	uint32_t instance;
};

static struct dpt_rng rng;
static struct dpt_names *names;
static struct dpt_topo *topo;
static struct slot *slots;
static uint64_t slots_mask;
static uint32_t bindings_cnt = 1000000, services_cnt = 200000, slices_cnt = 100;
static uint32_t lookups_cnt = 20000;
static int only = -1;
static int misses_fd = NO_COUNTER;
static uint64_t found_cnt;

static void
die(const char *what)
{
	fprintf(stderr, "bench_names: %s\n", what);
	exit(1);
}

/* On huge pages where there are some, as dptipcd's memory is. */
static void *
zeroed(size_t bytes)
{
	size_t size = (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
	void *mem = aligned_alloc(HUGE_BYTES, size);

	if (mem == NULL)
		die("no memory");
	(void)madvise(mem, size, MADV_HUGEPAGE);
	return memset(mem, 0, size);
}

/* CPU time of the thread. */
static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void
misses_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CACHE_MISSES,
		.exclude_kernel = 1,
	};

	misses_fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t
misses(void)
{
	uint64_t cnt = 0;

	if (misses_fd == NO_COUNTER || read(misses_fd, &cnt, sizeof(cnt)) != sizeof(cnt))
		return 0;
	return cnt;
}

/* ---- the two tables ---- */

static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static struct slot *
slot_seek(uint32_t type, uint32_t instance)
{
	uint64_t i = mix(mix((uint64_t)type << 32 | instance) + 1);

	while (slots[i & slots_mask].port != 0 &&
	       (slots[i & slots_mask].type != type || slots[i & slots_mask].instance != instance))
		i++;
	return &slots[i & slots_mask];
}

static struct dpt_binding
binding_of(uint32_t i)
{
	uint32_t service = i / MEMBERS_CNT % services_cnt, member = i % MEMBERS_CNT;
	bool is_wide = (service & 1) != 0;

	return (struct dpt_binding){
		.range = {.type = TYPE_FIRST + service,
			  .lower = is_wide ? 0 : member,
			  .upper = is_wide ? WIDE_CNT - 1 : member},
		.port = {i + 1},
		.node = {OWN + i % NODES_CNT},
		.key = i + 2,
		.scope = DPT_SCOPE_CLUSTER,
	};
}

static struct dpt_names_cfg
names_cfg(bool has_topology)
{
	static struct dpt_names_counters counters;

	return (struct dpt_names_cfg){
		.env = {.rng = &rng},
		.bindings_max = bindings_cnt + BIG_CNT + CHANGES_CNT,
		.peer_bindings_max = bindings_cnt + BIG_CNT + CHANGES_CNT,
		.peers_max = NODES_CNT + 2,
		.topology = has_topology ? topo : NULL,
		.subs_max = DPT_TOPO_SUBS_MAX,
		.counters = &counters,
	};
}

static void
tables_init(void)
{
	static struct dpt_topology_counters counters;
	struct dpt_topo_cfg cfg = {
		.rng = &rng,
		.subs_max = DPT_TOPO_SUBS_MAX,
		.remote_subs_max = DPT_TOPO_REMOTE_SUBS_MAX,
		.conns_max = 16,
		.events_max = 1 << 17,
		.conn_events_max = 1 << 16,
		.counters = &counters,
	};
	struct dpt_names_cfg names_with;
	uint64_t slots_cnt = 1;

	topo = zeroed(dpt_topo_size(&cfg));
	names_with = names_cfg(true);
	names = zeroed(dpt_names_size(&names_with));
	dpt_names_init(names, &names_with);
	dpt_names_own_set(names, dpt_node_addr(OWN));
	cfg.names = names;
	dpt_topo_init(topo, &cfg, 0);
	while (slots_cnt < 2 * (uint64_t)bindings_cnt)
		slots_cnt *= 2;
	slots = zeroed(slots_cnt * sizeof(*slots));
	slots_mask = slots_cnt - 1;
	printf("memory: table %.1f MB, %.0f octets for each binding; reference %.1f MB, %.0f\n",
	       (double)dpt_names_size(&names_with) / 1e6,
	       (double)dpt_names_size(&names_with) / names_with.bindings_max,
	       (double)(slots_cnt * sizeof(*slots)) / 1e6,
	       (double)(slots_cnt * sizeof(*slots)) / bindings_cnt);
	printf("memory: topology %.1f MB for %u subscriptions and %u events\n",
	       (double)dpt_topo_size(&cfg) / 1e6, cfg.subs_max, cfg.events_max);
}

static void
tables_fill(void)
{
	double start_ns = now_ns();

	for (uint32_t i = 0; i < bindings_cnt; i++) {
		struct dpt_binding b = binding_of(i);

		if (dpt_names_insert(names, &b) != 0)
			die("insert");
	}
	for (uint32_t i = 0; i < BIG_CNT; i++) {
		struct dpt_binding b = binding_of(i);

		b.range = (struct dpt_range){.type = BIG_TYPE, .lower = 7, .upper = 7};
		if (dpt_names_insert(names, &b) != 0)
			die("insert");
	}
	printf("fill: %u bindings, %.0f ns each\n", dpt_names_cnt(names),
	       (now_ns() - start_ns) / dpt_names_cnt(names));
	for (uint32_t i = 0; i < bindings_cnt; i++) {
		struct dpt_binding b = binding_of(i);
		struct slot *slot = slot_seek(b.range.type, i % MEMBERS_CNT);

		*slot = (struct slot){b.range.type, i % MEMBERS_CNT, b.port.ref, b.node.value};
	}
}

/* ---- lookups ---- */

static void
keys_make(enum kind kind, struct key *keys)
{
	for (uint32_t i = 0; i < lookups_cnt; i++) {
		uint32_t service = (uint32_t)(dpt_rng_u64(&rng) % services_cnt);

		if (kind == KIND_SINGLE)
			service &= ~1u;
		if (kind == KIND_WIDE)
			service |= 1;
		keys[i].type = kind == KIND_BIG ? BIG_TYPE : TYPE_FIRST + service;
		keys[i].instance = (uint32_t)(dpt_rng_u64(&rng) % MEMBERS_CNT);
		if (kind == KIND_BIG)
			keys[i].instance = 7;
	}
}

static void
lookups(enum kind kind, const struct key *keys)
{
	struct dpt_socket_addr addr;

	for (uint32_t i = 0; i < lookups_cnt && kind == KIND_REFERENCE; i++)
		found_cnt += slot_seek(keys[i].type, keys[i].instance)->port != 0;
	for (uint32_t i = 0; i < lookups_cnt && kind != KIND_REFERENCE; i++)
		found_cnt += dpt_names_lookup(names, keys[i].type, keys[i].instance,
					      dpt_node_addr(0), &addr) == 0;
}

struct figure {
	double ns, misses;
};

static struct figure
slice(enum kind kind, const struct key *keys)
{
	uint64_t misses_before = misses();
	double start_ns = now_ns();
	struct figure f;

	lookups(kind, keys);
	f.ns = (now_ns() - start_ns) / lookups_cnt;
	f.misses = (double)(misses() - misses_before) / lookups_cnt;
	return f;
}

static int
double_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values, uint32_t cnt)
{
	qsort(values, cnt, sizeof(*values), double_cmp);
	return values[cnt / 2];
}

static void
compare(enum kind kind, struct key *keys)
{
	static double ours[SLICES_MAX], theirs[SLICES_MAX], ratios[SLICES_MAX];
	static double ours_misses[SLICES_MAX], theirs_misses[SLICES_MAX];
	uint64_t before = found_cnt;

	for (uint32_t i = 0; i < slices_cnt; i++) {
		struct figure a, b;

		/* Other keys for the second table, so that it finds none in the cache. */
		keys_make(kind, keys);
		a = slice(i % 2 == 0 ? kind : KIND_REFERENCE, keys);
		keys_make(kind, keys);
		b = slice(i % 2 == 0 ? KIND_REFERENCE : kind, keys);
		ours[i] = i % 2 == 0 ? a.ns : b.ns;
		theirs[i] = i % 2 == 0 ? b.ns : a.ns;
		ours_misses[i] = i % 2 == 0 ? a.misses : b.misses;
		theirs_misses[i] = i % 2 == 0 ? b.misses : a.misses;
		ratios[i] = ours[i] / theirs[i];
	}
	/* The members of the big service are no entry of the reference. */
	if (kind != KIND_BIG && found_cnt - before != 2 * (uint64_t)slices_cnt * lookups_cnt)
		die("a lookup found nothing");
	printf("lookup %-7s %6.1f ns, reference %6.1f ns, ratio %.2f", kind_names[kind],
	       median(ours, slices_cnt), median(theirs, slices_cnt), median(ratios, slices_cnt));
	if (misses_fd == NO_COUNTER)
		printf("; cache misses: not counted on this machine\n");
	else
		printf("; cache misses %.1f, reference %.1f\n", median(ours_misses, slices_cnt),
		       median(theirs_misses, slices_cnt));
}

/* ---- changes ---- */

/* Insert and remove bindings of random services, or of the big one. */
static void
changes(const char *what, bool is_big)
{
	static struct dpt_binding list[CHANGES_CNT];
	double start_ns, insert_ns, remove_ns;

	for (uint32_t i = 0; i < CHANGES_CNT; i++) {
		list[i] = binding_of((uint32_t)(dpt_rng_u64(&rng) % bindings_cnt));
		if (is_big)
			list[i].range =
				(struct dpt_range){.type = BIG_TYPE, .lower = i, .upper = i};
		list[i].port.ref = 0x40000000 + i;
	}
	start_ns = now_ns();
	for (uint32_t i = 0; i < CHANGES_CNT; i++)
		if (dpt_names_insert(names, &list[i]) != 0)
			die("insert");
	insert_ns = now_ns() - start_ns;
	start_ns = now_ns();
	for (uint32_t i = 0; i < CHANGES_CNT; i++)
		if (dpt_names_remove(names, &list[i]) != 0)
			die("remove");
	remove_ns = now_ns() - start_ns;
	printf("change %-44s insert %7.0f ns, remove %7.0f ns\n", what, insert_ns / CHANGES_CNT,
	       remove_ns / CHANGES_CNT);
}

static void
purge(const char *what, uint32_t node)
{
	double start_ns = now_ns();
	uint32_t cnt = dpt_names_purge(names, dpt_node_addr(node));

	printf("purge  %-44s %u bindings, %.0f ns each\n", what, cnt, (now_ns() - start_ns) / cnt);
}

static struct dpt_topo_conn
subscribe(uint32_t cnt, bool is_one_type)
{
	struct dpt_topo_conn conn;
	double start_ns;

	if (dpt_topo_open(topo, &conn) != 0)
		die("connection");
	dpt_topo_client_set(topo, conn, 0, false);
	start_ns = now_ns();
	for (uint32_t i = 0; i < cnt; i++) {
		uint32_t rec[7] = {TYPE_FIRST + i * (services_cnt / cnt), 0, UINT32_MAX, UINT32_MAX,
				   DPT_TOPO_PORTS | DPT_TOPO_NO_STATUS,	  i, 0};

		if (is_one_type) {
			rec[0] = BIG_TYPE;
			rec[1] = 1000000 + i;
			rec[2] = rec[1];
		}
		dpt_topo_request(topo, conn, (const uint8_t *)rec, sizeof(rec), 0);
	}
	if (dpt_topo_subs_cnt(topo) != cnt)
		die("subscribe");
	printf("subscribe %u: %.0f ns each\n", cnt, (now_ns() - start_ns) / cnt);
	return conn;
}

static void
changes_all(void)
{
	struct dpt_topo_conn conn;

	changes("no subscriptions", false);
	conn = subscribe(SUBS_CNT, false);
	changes("10,000 subscriptions of as many services", false);
	purge("the same", OWN + 1);
	dpt_topo_close(topo, conn);
	conn = subscribe(SUBS_CNT, true);
	changes("10,000 of one service, none matches", true);
	dpt_topo_close(topo, conn);
	purge("no subscriptions", OWN + 2);
}

static uint32_t
number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

static bool
options_get(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--bindings") == 0)
			bindings_cnt = number(argv[i + 1]);
		else if (strcmp(argv[i], "--services") == 0)
			services_cnt = number(argv[i + 1]);
		else if (strcmp(argv[i], "--slices") == 0)
			slices_cnt = number(argv[i + 1]);
		else if (strcmp(argv[i], "--lookups") == 0)
			lookups_cnt = number(argv[i + 1]);
		else if (strcmp(argv[i], "--only") == 0)
			for (only = 0;
			     only < KIND_CNT && strcmp(kind_names[only], argv[i + 1]) != 0;)
				only++;
		else
			return false;
	}
	return argc % 2 == 1 && only < KIND_CNT && slices_cnt > 0 && slices_cnt <= SLICES_MAX &&
	       lookups_cnt > 0 && services_cnt >= 2 * SUBS_CNT &&
	       bindings_cnt == services_cnt * MEMBERS_CNT;
}

int
main(int argc, char **argv)
{
	struct key *keys;

	if (!options_get(argc, argv)) {
		fprintf(stderr, "usage: bench_names [--bindings N] [--services N / 5] [--slices N] "
				"[--lookups N] [--only single|wide|big|reference]\n");
		return 2;
	}
	dpt_rng_seed(&rng, 1);
	misses_open();
	tables_init();
	tables_fill();
	keys = zeroed(lookups_cnt * sizeof(*keys));
	if (only >= 0) {
		keys_make((enum kind)only, keys);
		lookups((enum kind)only, keys);
		return 0;
	}
	for (enum kind kind = KIND_SINGLE; kind <= KIND_BIG; kind++)
		compare(kind, keys);
	changes_all();
	return 0;
}
