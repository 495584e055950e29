/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NAMES_H
#define DPT_NAMES_H

/*
 * The name table (binding table): 04-name-table.md, 1 to 5. Each shard has a table of its
 * own and applies the same changes in the same order; shard 0 decides them
 * (decision 0003: a table per shard instead of one under RCU). So lookups, which rotate
 * the lists, write only the shard's own memory.
 *
 *   service {type}  --> ranges sorted by (lower, newest first) with the largest upper of
 *                       each subtree --> bindings: `all` and `local`, rotating lists
 *
 * A lookup costs: one hash of the type, the path to the first matching range (direct index
 * through a second hash where the range is a single instance), the binding.
 *
 * Not here: messages and their order (dpt_name_distr.h), subscriptions (dpt_topology.h): they
 * hang on the services, and each change tells them in order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_env.h"
#include "dpt_ids.h"
#include "names_counters.h"

struct dpt_range {
	uint32_t type;
	uint32_t lower;
	uint32_t upper; /* inclusive, >= lower */
};

struct dpt_binding {
	struct dpt_range range;
	struct dpt_port port;
	struct dpt_node_addr node; /* own node or 0: one of ours */
	uint32_t key;
	uint8_t scope; /* enum dpt_scope */
};

struct dpt_names;
struct dpt_topo;

struct dpt_names_cfg {
	struct dpt_env env;
	uint32_t bindings_max;	    /* entries of all nodes; also bounds services and ranges */
	uint32_t peer_bindings_max; /* entries of one peer. Src: 04-name-table.md, 11 */
	uint32_t peers_max;
	struct dpt_topo *topology; /* shard 0: hears of each change; else NULL */
	uint32_t subs_max;	   /* of the topology service: each may need a service */
	bool is_legacy;		   /* own address was configured: closest first. 5.1 */
	struct dpt_names_counters *counters;
};

size_t dpt_names_size(const struct dpt_names_cfg *cfg);
void dpt_names_init(struct dpt_names *names, const struct dpt_names_cfg *cfg);

/* The own address is final: bindings of node 0 take it. Src: 04-name-table.md, 4. */
void dpt_names_own_set(struct dpt_names *names, struct dpt_node_addr own);

/* The own address has been configured: lookups are closest first from now on. 5.1. */
void dpt_names_legacy_set(struct dpt_names *names);

/*
 * Insert: 2.1. Returns 0, -EEXIST (duplicate), -ENOSPC (table or that peer's share full),
 * -EINVAL (lower > upper).
 */
int dpt_names_insert(struct dpt_names *names, const struct dpt_binding *binding);

/* Remove: 2.2. Matches range, port, node, key. Returns 0 or -ENOENT. */
int dpt_names_remove(struct dpt_names *names, const struct dpt_binding *binding);

/*
 * Remove every binding of a peer, in the order in which they came. Returns how many; the own
 * node's bindings are never purged.
 */
uint32_t dpt_names_purge(struct dpt_names *names, struct dpt_node_addr node);

/*
 * Apply all items of a NAME_DISTRIBUTOR message that dpt_distr_pop gave out, from
 * orignode: 7.3 "apply", with the checks of 11. m stays the caller's. Returns the number
 * of table changes.
 */
uint32_t dpt_names_apply(struct dpt_names *names, struct rte_mbuf *m);

struct dpt_socket_addr {
	struct dpt_port port;
	struct dpt_node_addr node;
};

/*
 * Anycast lookup: 5.1. domain 0, own node, or another node. Returns
 * 0: *addr is the socket; 1: deferred: addr->node = domain, port 0; -EHOSTUNREACH.
 */
int dpt_names_lookup(struct dpt_names *names, uint32_t type, uint32_t instance,
		     struct dpt_node_addr domain, struct dpt_socket_addr *addr);

/*
 * Multicast, sender side: 5.4. The remote nodes with an overlapping binding, each once,
 * into nodes[max]; *is_local: own node too. Returns how many nodes (at most max).
 */
uint32_t dpt_names_mcast_nodes(struct dpt_names *names, const struct dpt_range *range,
			       struct dpt_node_addr *nodes, uint32_t max, bool *is_local);

/*
 * Multicast, receiver side: 5.5. Ports of own bindings that overlap and whose scope is
 * cluster (or any, if is_any_scope), each once. Continue with *cursor (0 at first) until it
 * returns fewer than max; nothing else may be called on names meanwhile.
 */
uint32_t
dpt_names_mcast_ports(struct dpt_names *names, const struct dpt_range *range, bool is_any_scope,
		      struct dpt_port *ports, uint32_t max, uint32_t *cursor);

/* Own bindings (node own or 0) now, all scopes. For the limit of 65535. */
uint32_t dpt_names_own_cnt(const struct dpt_names *names);
uint32_t dpt_names_cnt(const struct dpt_names *names);

/*
 * Dump: up to max bindings from *cursor (0 at first), in the order of the tool's dump where
 * nothing changes meanwhile. Returns how many; 0 at the end. Costs no walk over the whole table:
 * the cursor is a bucket (type modulo 1024) and how many of its bindings are out, so a binding is
 * missed, or comes twice, only when its own bucket changes between two calls.
 */
uint32_t dpt_names_dump(const struct dpt_names *names, uint32_t *cursor,
			struct dpt_binding *bindings, uint32_t max);

#endif /* DPT_NAMES_H */
