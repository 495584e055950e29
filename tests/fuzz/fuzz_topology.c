/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target "topology": requests of clients and changes of the name table, in any order. The
 * input is a row of operations of 8 octets and what follows them:
 *
 *     op client a b c d e length    then `length` octets of a request (op REQUEST)
 *
 * Beyond memory errors, these must hold for any input:
 *
 *   - each event names a range that overlaps its record's, or says that the time is up;
 *   - bounds hold, every connection is closed for one reason;
 *   - at the end all bindings, subscriptions and events are gone.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "dpt_assert.h"
#include "dpt_msg.h"
#include "dpt_time.h"
#include "dpt_topology.h"

#define OWN	    0x01001001u
#define CLIENTS_CNT 4
#define SUBS_MAX    40
#define EVENTS_MAX  200
#define OP_BYTES    8

enum op { OP_INSERT, OP_REMOVE, OP_PURGE, OP_REQUEST, OP_READ, OP_TIME, OP_CLOSE, OP_CNT };

struct fuzz {
	struct dpt_rng rng;
	struct dpt_names_counters names_counters;
	struct dpt_topology_counters counters;
	struct dpt_names_cfg names_cfg;
	struct dpt_topo_cfg cfg;
	struct dpt_names *names;
	struct dpt_topo *topo;
	struct dpt_topo_conn clients[CLIENTS_CNT];
	uint64_t now_ns;
};

static void
client_open(struct fuzz *f, uint32_t i)
{
	DPT_ASSERT(dpt_topo_open(f->topo, &f->clients[i]) == 0);
	dpt_topo_client_set(f->topo, f->clients[i], i, i % 2 != 0);
}

static void
init(struct fuzz *f)
{
	memset(f, 0, sizeof(*f));
	dpt_rng_seed(&f->rng, 1);
	f->now_ns = DPT_NS_PER_S;
	f->cfg = (struct dpt_topo_cfg){
		.rng = &f->rng,
		.subs_max = SUBS_MAX,
		.remote_subs_max = SUBS_MAX / 4,
		.conns_max = CLIENTS_CNT,
		.events_max = EVENTS_MAX,
		.conn_events_max = EVENTS_MAX / 3,
		.counters = &f->counters,
	};
	f->topo = malloc(dpt_topo_size(&f->cfg));
	f->names_cfg = (struct dpt_names_cfg){
		.env = {.rng = &f->rng},
		.bindings_max = 64,
		.peer_bindings_max = 32,
		.peers_max = 4,
		.topology = f->topo,
		.subs_max = SUBS_MAX,
		.counters = &f->names_counters,
	};
	f->names = malloc(dpt_names_size(&f->names_cfg));
	DPT_ASSERT(f->topo != NULL);
	DPT_ASSERT(f->names != NULL);
	f->cfg.names = f->names;
	dpt_names_init(f->names, &f->names_cfg);
	dpt_topo_init(f->topo, &f->cfg, f->now_ns);
	dpt_names_own_set(f->names, dpt_node_addr(OWN));
	for (uint32_t i = 0; i < CLIENTS_CNT; i++)
		client_open(f, i);
}

static void
event_check(const uint8_t event[DPT_TOPO_EVENT_BYTES])
{
	uint32_t w[DPT_TOPO_EVENT_BYTES / 4];
	bool is_swapped;

	memcpy(w, event, sizeof(w));
	/* Words 5 to 9 are the subscription: type, lower, upper, timeout, filter. */
	is_swapped = (w[9] & (DPT_TOPO_PORTS | DPT_TOPO_SERVICE | DPT_TOPO_CANCEL)) == 0;
	for (uint32_t i = 0; i < 10 && is_swapped; i++)
		w[i] = rte_bswap32(w[i]);
	DPT_ASSERT((w[9] & DPT_TOPO_CANCEL) == 0);
	DPT_ASSERT(w[6] <= w[7]);
	DPT_ASSERT(w[1] <= w[2]);
	if (w[0] == DPT_TOPO_TIMEOUT) {
		DPT_ASSERT(w[8] != UINT32_MAX);
		DPT_ASSERT(w[1] == w[6]);
		DPT_ASSERT(w[2] == w[7]);
		DPT_ASSERT((w[3] | w[4]) == 0);
		return;
	}
	DPT_ASSERT(w[0] == DPT_TOPO_PUBLISHED || w[0] == DPT_TOPO_WITHDRAWN);
	DPT_ASSERT(w[1] <= w[7]);
	DPT_ASSERT(w[2] >= w[6]);
	DPT_ASSERT((w[9] & DPT_TOPO_CLUSTER_SCOPE) == 0 || (w[9] & DPT_TOPO_NODE_SCOPE) == 0);
}

static void
client_read(struct fuzz *f, uint32_t i, uint32_t max)
{
	const uint8_t *event;

	for (; max > 0 && (event = dpt_topo_event(f->topo, f->clients[i])) != NULL; max--) {
		event_check(event);
		dpt_topo_event_done(f->topo, f->clients[i]);
	}
}

/* What the stack does: those that broke are closed, and come again. */
static void
clients_serve(struct fuzz *f)
{
	struct dpt_topo_conn conn;
	uint64_t cookie;

	while (dpt_topo_ready_pop(f->topo, &conn, &cookie)) {
		DPT_ASSERT(cookie < CLIENTS_CNT);
		DPT_ASSERT(f->clients[cookie].value == conn.value);
		if (!dpt_topo_is_broken(f->topo, conn))
			continue;
		dpt_topo_close(f->topo, conn);
		client_open(f, (uint32_t)cookie);
	}
}

static struct dpt_binding
binding_of(const uint8_t *op)
{
	uint32_t lower = op[3] % 8, node = OWN + op[2] % 4;

	return (struct dpt_binding){
		.range = {.type = 100 + op[4] % 4, .lower = lower, .upper = lower + op[5] % 4},
		.port = {op[6] % 4},
		.node = {node},
		.key = op[6] / 4 % 4,
		.scope = node == OWN && op[6] > 127 ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER,
	};
}

/* One operation; bytes: what may follow it. Returns how much of that it has used. */
static size_t
step(struct fuzz *f, const uint8_t *op, size_t bytes)
{
	struct dpt_binding b = binding_of(op);
	uint32_t i = op[1] % CLIENTS_CNT;
	size_t len = op[7] < bytes ? op[7] : bytes;
	uint8_t *rec;

	switch ((enum op)(op[0] % OP_CNT)) {
	case OP_INSERT:
		(void)dpt_names_insert(f->names, &b);
		return 0;
	case OP_REMOVE:
		(void)dpt_names_remove(f->names, &b);
		return 0;
	case OP_PURGE:
		(void)dpt_names_purge(f->names, b.node);
		return 0;
	case OP_REQUEST:
		/* Exactly as long as it is, so that a sanitizer sees the first octet too many. */
		rec = malloc(len + (len == 0));
		DPT_ASSERT(rec != NULL);
		memcpy(rec, op + OP_BYTES, len);
		dpt_topo_request(f->topo, f->clients[i], rec, (uint32_t)len, f->now_ns);
		free(rec);
		return len;
	case OP_READ:
		client_read(f, i, op[2]);
		return 0;
	case OP_TIME:
		f->now_ns += ((uint64_t)op[2] << 8 | op[3]) * DPT_NS_PER_MS;
		dpt_topo_timeout(f->topo, f->now_ns);
		DPT_ASSERT(dpt_topo_deadline_ns(f->topo) > f->now_ns - f->now_ns % DPT_NS_PER_MS);
		return 0;
	default:
		dpt_topo_close(f->topo, f->clients[i]);
		client_open(f, i);
		return 0;
	}
}

static void
fini(struct fuzz *f)
{
	const struct dpt_topology_counters *c = &f->counters;
	struct dpt_binding b;
	uint32_t cursor = 0;

	for (uint32_t i = 0; i < CLIENTS_CNT; i++) {
		client_read(f, i, UINT32_MAX);
		dpt_topo_close(f->topo, f->clients[i]);
	}
	DPT_ASSERT(dpt_topo_subs_cnt(f->topo) == 0);
	DPT_ASSERT(dpt_topo_conns_cnt(f->topo) == 0);
	DPT_ASSERT(dpt_topo_deadline_ns(f->topo) == DPT_NEVER_NS);
	DPT_ASSERT(c->connections == c->closed_peer + c->closed_short + c->closed_filter +
					     c->closed_range + c->closed_node_full +
					     c->closed_remote_full + c->closed_queue_full +
					     c->closed_pool_empty + c->closed_send);
	while (dpt_names_dump(f->names, &cursor, &b, 1) == 1) {
		DPT_ASSERT(dpt_names_remove(f->names, &b) == 0);
		cursor = 0;
	}
	DPT_ASSERT(dpt_names_cnt(f->names) == 0);
	free(f->names);
	free(f->topo);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f;

	init(&f);
	while (size >= OP_BYTES) {
		size_t used = OP_BYTES + step(&f, data, size - OP_BYTES);

		DPT_ASSERT(dpt_topo_subs_cnt(f.topo) <= SUBS_MAX);
		clients_serve(&f);
		data += used;
		size -= used;
	}
	fini(&f);
	return 0;
}
