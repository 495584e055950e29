/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_TOPOLOGY_H
#define DPT_TOPOLOGY_H

/*
 * The topology service: subscriptions to changes of the name table, and their events.
 * 05-topology-service.md. Owned by shard 0, whose table it watches.
 *
 *   record of a client --> dpt_topo_request --> subscription, hangs on a service of the table
 *   insert, remove, purge of the table ---------> event records, queued per connection
 *   time --> dpt_topo_timeout ------------------> timeout events
 *   dpt_topo_ready_pop --> dpt_topo_event, dpt_topo_event_done --> the connection sends it
 *
 * A connection that breaks a rule or a bound becomes broken: it gives no events any more and
 * comes out of dpt_topo_ready_pop, and the caller ends it. Nothing is freed before
 * dpt_topo_close, so a change of the table may break a connection while it walks its
 * subscriptions. Connections and subscriptions are known by handles with a generation.
 *
 * Not here: sockets (lib/stack/stack_topology.c).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_env.h"
#include "dpt_names.h"
#include "topology_counters.h"

/* Octets of the two records. Src: 05-topology-service.md, 2. */
#define DPT_TOPO_SUB_BYTES   28
#define DPT_TOPO_EVENT_BYTES 48

/* Subscriptions of a node. Src: 05-topology-service.md, 4. */
#define DPT_TOPO_SUBS_MAX 65535
/* Events that a connection may have waiting. Src: 05-topology-service.md, 6. */
#define DPT_TOPO_CONN_EVENTS_MAX 65536
/* Subscriptions of one client on another node. Src: 05-topology-service.md, 13. */
#define DPT_TOPO_REMOTE_SUBS_MAX 1024

/* Bits of a filter. Src: 05-topology-service.md, 2.1. */
enum dpt_topo_filter {
	DPT_TOPO_PORTS = 0x01,
	DPT_TOPO_SERVICE = 0x02,
	DPT_TOPO_CANCEL = 0x04,
	DPT_TOPO_CLUSTER_SCOPE = 0x20,
	DPT_TOPO_NODE_SCOPE = 0x40,
	DPT_TOPO_NO_STATUS = 0x80,
};

/* Kinds of event. Src: 05-topology-service.md, 2.2. */
enum dpt_topo_event_type {
	DPT_TOPO_PUBLISHED = 1,
	DPT_TOPO_WITHDRAWN = 2,
	DPT_TOPO_TIMEOUT = 3,
};

struct dpt_topo;

struct dpt_topo_cfg {
	struct dpt_rng *rng;
	struct dpt_names *names; /* its cfg.topology is this object */
	uint32_t subs_max;
	uint32_t remote_subs_max; /* of one connection from another node */
	uint32_t conns_max;	  /* at most 65535 */
	uint32_t events_max;	  /* of all connections together */
	uint32_t conn_events_max; /* of one connection */
	struct dpt_topology_counters *counters;
};

/* A connection; 0: none. */
struct dpt_topo_conn {
	uint32_t value;
};

size_t dpt_topo_size(const struct dpt_topo_cfg *cfg);
void dpt_topo_init(struct dpt_topo *topo, const struct dpt_topo_cfg *cfg, uint64_t now_ns);

/* A new connection. Returns 0 and *conn, or -ENOSPC. */
int dpt_topo_open(struct dpt_topo *topo, struct dpt_topo_conn *conn);
/* Who it is. cookie: given back by dpt_topo_ready_pop. Before its first request. */
void dpt_topo_client_set(struct dpt_topo *topo, struct dpt_topo_conn conn, uint64_t cookie,
			 bool is_remote);
/*
 * The connection is gone: its subscriptions and events too, without further events. An
 * unknown or old handle does nothing.
 */
void dpt_topo_close(struct dpt_topo *topo, struct dpt_topo_conn conn);
/* The same for a connection that never came to be: it is not counted. */
void dpt_topo_abandon(struct dpt_topo *topo, struct dpt_topo_conn conn);
/* Its events cannot be sent: broken. */
void dpt_topo_fail(struct dpt_topo *topo, struct dpt_topo_conn conn);

/*
 * One message of the client: its first octets, at most DPT_TOPO_SUB_BYTES of them at rec;
 * bytes: how many octets it had. Section 4. The connection may be broken afterwards.
 */
void dpt_topo_request(struct dpt_topo *topo, struct dpt_topo_conn conn, const uint8_t *rec,
		      uint32_t bytes, uint64_t now_ns);

/* Has the connection to be ended? True for an unknown handle too. */
bool dpt_topo_is_broken(const struct dpt_topo *topo, struct dpt_topo_conn conn);

/* A connection with events, or broken, that was not popped since that began. */
bool dpt_topo_ready_pop(struct dpt_topo *topo, struct dpt_topo_conn *conn, uint64_t *cookie);
/* Let it come out once more, last. */
void dpt_topo_ready_again(struct dpt_topo *topo, struct dpt_topo_conn conn);

/* The oldest event, DPT_TOPO_EVENT_BYTES in the client's byte order; NULL: none. */
const uint8_t *dpt_topo_event(const struct dpt_topo *topo, struct dpt_topo_conn conn);
/* It was sent: forget it, and the subscription if this was its timeout (5.1). */
void dpt_topo_event_done(struct dpt_topo *topo, struct dpt_topo_conn conn);

void dpt_topo_timeout(struct dpt_topo *topo, uint64_t now_ns);
uint64_t dpt_topo_deadline_ns(const struct dpt_topo *topo);

uint32_t dpt_topo_subs_cnt(const struct dpt_topo *topo);
uint32_t dpt_topo_conns_cnt(const struct dpt_topo *topo);

#endif /* DPT_TOPOLOGY_H */
