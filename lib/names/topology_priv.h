/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_TOPOLOGY_PRIV_H
#define DPT_TOPOLOGY_PRIV_H

/*
 * Layout of the topology engine: one block of memory, cut into pools.
 *
 *   conns[] --> connection --> its subscriptions, newest first; its events, oldest first
 *   subs[]  --> subscription: on its service's list, its connection's, in `raws`
 *   events[] -> queued event, names a timed-out subscription by index and generation
 *   raws[]  --> subscriptions by connection and their 28 octets, newest first: for cancel
 *
 * Pools hand out records that were never used before they touch new memory, so what is not
 * needed is not touched.
 */

#include "dpt_timer.h"
#include "dpt_topology.h"
#include "names_priv.h"

struct topo_conn;

struct topo_sub {
	/* What each change of the service reads. */
	LIST_ENTRY(topo_sub) by_service;
	uint32_t lower;
	uint32_t upper;
	uint32_t filter;
	bool is_swapped; /* the client has the other byte order */
	bool is_expired;
	struct topo_conn *conn; /* NULL: free */
	uint8_t raw[DPT_TOPO_SUB_BYTES];
	uint32_t gen;
	struct names_service *service;
	LIST_ENTRY(topo_sub) by_conn;
	LIST_ENTRY(topo_sub) by_raw;
	struct dpt_timer timer;
	uint64_t expires_ns;
	struct topo_sub *next_free;
};

struct topo_event {
	struct topo_event *next;
	struct topo_sub *expired; /* timeout event: of this subscription */
	uint32_t expired_gen;
	uint32_t id; /* existing bindings: order of insertion */
	uint8_t octets[DPT_TOPO_EVENT_BYTES];
};

struct topo_events {
	struct topo_event *first;
	struct topo_event **last; /* where the next one is put */
	uint32_t cnt;
};

struct topo_conn {
	uint32_t gen; /* 16 bits */
	bool is_open;
	bool is_remote;
	bool is_ready;
	bool is_broken;
	uint64_t cookie;
	uint32_t subs_cnt;
	struct names_subs subs;
	struct topo_events events;
	TAILQ_ENTRY(topo_conn) ready;
	struct topo_conn *next_free;
};
TAILQ_HEAD(topo_conns, topo_conn);

struct dpt_topo {
	struct dpt_topo_cfg cfg;
	uint64_t seed;
	struct dpt_timer_wheel wheel;
	struct topo_conns ready;
	uint32_t subs_cnt;
	uint32_t conns_cnt;

	/* Pools: free records, and how many were ever handed out. */
	struct topo_sub *subs_free;
	struct topo_event *events_free;
	struct topo_conn *conns_free;
	uint32_t subs_touched;
	uint32_t events_touched;
	uint32_t conns_touched;
	struct topo_sub *subs;
	struct topo_event *events;
	struct topo_conn *conns;
	size_t raws_mask;
	struct names_subs *raws;
};

/* topology.c */
struct topo_conn *topo_conn_find(const struct dpt_topo *topo, struct dpt_topo_conn conn);
/* Count why, and let it come out of dpt_topo_ready_pop. */
void topo_conn_break(struct dpt_topo *topo, struct topo_conn *conn, uint64_t *reason);
void topo_conn_ready(struct dpt_topo *topo, struct topo_conn *conn);
/* NULL: the pool is empty. */
struct topo_event *topo_event_new(struct dpt_topo *topo);
void topo_event_free(struct dpt_topo *topo, struct topo_event *event);
/* An empty queue. */
void topo_events_init(struct topo_events *events);
void topo_events_push(struct topo_events *events, struct topo_event *event);

/* topology_request.c */
void topo_sub_free(struct dpt_topo *topo, struct topo_sub *sub);

/* topology_event.c */
/* Write the event about a binding as the subscription's client reads it. */
void topo_event_write(struct topo_event *event, const struct topo_sub *sub,
		      enum dpt_topo_event_type type, const struct dpt_binding *binding);
/* Steps 3 and 4 of section 5. */
bool topo_scope_fits(const struct topo_sub *sub, const struct dpt_binding *binding);
/* A record for one more event of the connection; NULL: it is broken now. */
struct topo_event *topo_conn_event(struct dpt_topo *topo, struct topo_conn *conn);
void topo_sub_expire(struct dpt_topo *topo, struct topo_sub *sub);

#endif /* DPT_TOPOLOGY_PRIV_H */
