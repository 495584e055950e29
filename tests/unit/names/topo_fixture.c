/* SPDX-License-Identifier: BSD-3-Clause */
#include "topo_fixture.h"

#include <string.h>

#include <rte_byteorder.h>

static uint32_t
or_default(uint32_t value, uint32_t otherwise)
{
	return value != 0 ? value : otherwise;
}

void
topo_setup(struct topo_fixture *t, const struct topo_bounds *bounds)
{
	static const struct topo_bounds none;
	const struct topo_bounds *b = bounds != NULL ? bounds : &none;

	memset(t, 0, sizeof(*t));
	names_setup(&t->f, 256, OWN, false);
	t->now_ns = 5 * DPT_NS_PER_S;
	t->cfg = (struct dpt_topo_cfg){
		.rng = &t->f.rng,
		.subs_max = or_default(b->subs_max, 64),
		.remote_subs_max = or_default(b->remote_subs_max, 64),
		.conns_max = or_default(b->conns_max, 16),
		.events_max = or_default(b->events_max, 1024),
		.conn_events_max = or_default(b->conn_events_max, 512),
		.counters = &t->counters,
	};
	/* The table anew, with room for the services of subscriptions. */
	free(t->f.names);
	t->f.cfg.subs_max = t->cfg.subs_max;
	t->topo = malloc(dpt_topo_size(&t->cfg));
	CU_NOT_NULL_FATAL(t->topo);
	memset((void *)t->topo, 0xa5, dpt_topo_size(&t->cfg));
	t->f.cfg.topology = t->topo;
	t->f.names = malloc(dpt_names_size(&t->f.cfg));
	CU_NOT_NULL_FATAL(t->f.names);
	dpt_names_init(t->f.names, &t->f.cfg);
	t->cfg.names = t->f.names;
	dpt_topo_init(t->topo, &t->cfg, t->now_ns);
	dpt_names_own_set(t->f.names, dpt_node_addr(OWN));
}

void
topo_teardown(struct topo_fixture *t)
{
	const struct dpt_topology_counters *c = &t->counters;
	struct dpt_topo_conn conn;
	uint64_t cookie, closed;

	while (dpt_topo_ready_pop(t->topo, &conn, &cookie))
		if (dpt_topo_is_broken(t->topo, conn))
			dpt_topo_close(t->topo, conn);
	closed = c->closed_peer + c->closed_short + c->closed_filter + c->closed_range +
		 c->closed_node_full + c->closed_remote_full + c->closed_queue_full +
		 c->closed_pool_empty + c->closed_send;
	CU_EQ_U64(c->connections, closed + dpt_topo_conns_cnt(t->topo));
	free(t->topo);
	names_teardown(&t->f);
}

struct dpt_topo_conn
topo_conn(struct topo_fixture *t)
{
	struct dpt_topo_conn conn = {0};

	CU_EQ_I64(dpt_topo_open(t->topo, &conn), 0);
	dpt_topo_client_set(t->topo, conn, conn.value, false);
	return conn;
}

static uint32_t
ordered(uint32_t value, bool is_swapped)
{
	return is_swapped ? rte_bswap32(value) : value;
}

void
topo_encode(const struct topo_record *rec, uint8_t octets[DPT_TOPO_SUB_BYTES])
{
	const uint32_t words[5] = {rec->type, rec->lower, rec->upper, rec->timeout, rec->filter};

	for (uint32_t i = 0; i < 5; i++) {
		uint32_t word = ordered(words[i], rec->is_swapped);

		memcpy(octets + 4 * i, &word, sizeof(word));
	}
	memset(octets + 20, rec->handle, 8);
}

void
topo_ask(struct topo_fixture *t, struct dpt_topo_conn conn, const struct topo_record *rec)
{
	uint8_t octets[DPT_TOPO_SUB_BYTES];

	topo_encode(rec, octets);
	dpt_topo_request(t->topo, conn, octets, sizeof(octets), t->now_ns);
}

void
topo_sub(struct topo_fixture *t, struct dpt_topo_conn conn, uint32_t type, uint32_t lower,
	 uint32_t upper, uint32_t filter)
{
	const struct topo_record rec = {type, lower, upper, FOREVER, filter, 'h', false};

	topo_ask(t, conn, &rec);
}

bool
topo_take(struct topo_fixture *t, struct dpt_topo_conn conn, bool is_swapped,
	  struct topo_seen *seen)
{
	const uint8_t *octets = dpt_topo_event(t->topo, conn);
	uint32_t words[5];

	memset(seen, 0, sizeof(*seen));
	if (octets == NULL)
		return false;
	memcpy(words, octets, sizeof(words));
	seen->event = ordered(words[0], is_swapped);
	seen->lower = ordered(words[1], is_swapped);
	seen->upper = ordered(words[2], is_swapped);
	seen->ref = ordered(words[3], is_swapped);
	seen->node = ordered(words[4], is_swapped);
	memcpy(seen->raw, octets + 20, sizeof(seen->raw));
	dpt_topo_event_done(t->topo, conn);
	return true;
}

void
topo_expect(struct topo_fixture *t, struct dpt_topo_conn conn, uint32_t event, uint32_t lower,
	    uint32_t upper, uint32_t ref)
{
	struct topo_seen seen;

	CU_TRUE(topo_take(t, conn, false, &seen));
	CU_EQ_U64(seen.event, event);
	CU_EQ_U64(seen.lower, lower);
	CU_EQ_U64(seen.upper, upper);
	CU_EQ_U64(seen.ref, ref);
}

void
topo_expect_none(struct topo_fixture *t, struct dpt_topo_conn conn)
{
	CU_TRUE(dpt_topo_event(t->topo, conn) == NULL);
}

void
topo_pass(struct topo_fixture *t, uint64_t ns)
{
	t->now_ns += ns;
	dpt_topo_timeout(t->topo, t->now_ns);
}
