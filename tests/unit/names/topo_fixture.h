/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOPO_FIXTURE_H
#define TOPO_FIXTURE_H

/* A table with a topology engine, and short forms of what clients say and hear. */

#include <stdbool.h>

#include "dpt_time.h"
#include "dpt_topology.h"
#include "names_fixture.h"

#define FOREVER UINT32_MAX

struct topo_fixture {
	struct names_fixture f;
	struct dpt_topology_counters counters;
	struct dpt_topo_cfg cfg;
	struct dpt_topo *topo;
	uint64_t now_ns;
};

/* Bounds: 0 takes a default that no test reaches. */
struct topo_bounds {
	uint32_t subs_max;
	uint32_t remote_subs_max;
	uint32_t conns_max;
	uint32_t events_max;
	uint32_t conn_events_max;
};

void topo_setup(struct topo_fixture *t, const struct topo_bounds *bounds);
/* Checks that every connection counted is closed for one reason or open. */
void topo_teardown(struct topo_fixture *t);

struct dpt_topo_conn topo_conn(struct topo_fixture *t);

/* A record of a client; is_swapped: of the other byte order. */
struct topo_record {
	uint32_t type, lower, upper, timeout, filter;
	char handle;
	bool is_swapped;
};
void topo_encode(const struct topo_record *rec, uint8_t octets[DPT_TOPO_SUB_BYTES]);
void topo_ask(struct topo_fixture *t, struct dpt_topo_conn conn, const struct topo_record *rec);
/* {type, lower, upper}, for ever, in native order. */
void topo_sub(struct topo_fixture *t, struct dpt_topo_conn conn, uint32_t type, uint32_t lower,
	      uint32_t upper, uint32_t filter);

/* The oldest event, taken and decoded by the client's order. false: none. */
struct topo_seen {
	uint32_t event, lower, upper, ref, node;
	uint8_t raw[DPT_TOPO_SUB_BYTES];
};
bool topo_take(struct topo_fixture *t, struct dpt_topo_conn conn, bool is_swapped,
	       struct topo_seen *seen);
/* Checks that the next event is this one. */
void topo_expect(struct topo_fixture *t, struct dpt_topo_conn conn, uint32_t event, uint32_t lower,
		 uint32_t upper, uint32_t ref);
void topo_expect_none(struct topo_fixture *t, struct dpt_topo_conn conn);
void topo_pass(struct topo_fixture *t, uint64_t ns);

extern const struct cu_suite topo_events_suite;
extern const struct cu_suite topo_hazards_suite;
extern const struct cu_suite topo_requests_suite;

#endif /* TOPO_FIXTURE_H */
