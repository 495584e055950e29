/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_NAME_DISTR_H
#define DPT_NAME_DISTR_H

/*
 * Distribution of the name table: 04-name-table.md, 4, 6, 7, 12.1. Owned by shard 0.
 *
 * Sending: the ordered list of own cluster-scope bindings (bulk list), the running number of
 * updates, and the rule that keeps kernel receivers from getting stuck: updates are held
 * back while a bulk is on its way (12.1).
 * Receiving: per peer, the queue that puts bulk and updates, which come over two links
 * without order between them, into one order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_env.h"
#include "dpt_names.h"

struct dpt_distr;

struct dpt_distr_cfg {
	struct dpt_env env;
	uint32_t peers_max;
	uint32_t bindings_max;	 /* own, 65535 at most */
	uint32_t queue_msgs_max; /* per peer, of the receiving queue. Src: 11 */
	/*
	 * Longest time that updates are held back for one bulk; four times that for several
	 * peers one after another, so that a flapping one cannot silence us.
	 */
	uint64_t hold_ns_max;
	struct dpt_names_counters *counters;
};

size_t dpt_distr_size(const struct dpt_distr_cfg *cfg);
void dpt_distr_init(struct dpt_distr *distr, const struct dpt_distr_cfg *cfg);
void dpt_distr_fini(struct dpt_distr *distr);
void dpt_distr_own_set(struct dpt_distr *distr, struct dpt_node_addr own);

/*
 * An own cluster-scope binding was inserted into / removed from the table. Appends the
 * update (or keeps it back) to an own queue; see dpt_distr_tx_pop. publish returns 0, -ENOSPC,
 * -ENOBUFS (pool empty, or queue_msgs_max updates wait): nothing has changed. A withdrawal is
 * never refused: without a buffer it keeps its record and is sent as soon as there is one.
 */
int dpt_distr_publish(struct dpt_distr *distr, const struct dpt_binding *binding);
void dpt_distr_withdraw(struct dpt_distr *distr, const struct dpt_binding *binding);

/*
 * Next update to send, numbered, complete but for what link and broadcast link set
 * (destnode 0); NULL: none, or held back. It goes over the broadcast link if
 * dpt_distr_is_bcast, else as a copy to each peer.
 */
struct rte_mbuf *dpt_distr_tx_pop(struct dpt_distr *distr, uint64_t now_ns);
bool dpt_distr_is_bcast(const struct dpt_distr *distr);
/*
 * Numbers of updates, as they count up (the wire has the low 16 bits): of the last one that was
 * drawn, and of the last one that dpt_distr_tx_pop gave out.
 */
uint32_t dpt_distr_drawn(const struct dpt_distr *distr);
uint32_t dpt_distr_popped(const struct dpt_distr *distr);

/*
 * Contact with a peer is opened: append its bulk (7.2) to q, for packets of mss octets.
 * Holds updates back until dpt_distr_bulk_done or hold_ns_max. Returns 0; -ENOBUFS: pool
 * empty, nothing appended (the caller resets the node: a bulk is never left out);
 * -ENOSPC: more peers than peers_max. mss >= 60 (a link has 576 at least). A bulk is never
 * empty: without own bindings it is one message without items.
 */
int dpt_distr_peer_up(struct dpt_distr *distr, struct dpt_node_addr peer, uint16_t caps,
		      uint32_t mss, uint64_t now_ns, struct dpt_bufq *q);

/* The peer has acknowledged the last bulk message. */
void dpt_distr_bulk_done(struct dpt_distr *distr, struct dpt_node_addr peer);

/* Contact lost: empty the queue, forget its order (7.3, "must"). */
void dpt_distr_peer_down(struct dpt_distr *distr, struct dpt_node_addr peer);

/*
 * A NAME_DISTRIBUTOR message of a peer, from its unicast or broadcast link. m is gone
 * (queued, or dropped and counted).
 */
void dpt_distr_rx(struct dpt_distr *distr, struct rte_mbuf *m);

/* Next message to apply, in order, to every shard's table; NULL: none. The caller's. */
struct rte_mbuf *dpt_distr_pop(struct dpt_distr *distr);

/* A peer is out of step (its queue overflowed): reset it; address 0: none. */
struct dpt_node_addr dpt_distr_overflown(struct dpt_distr *distr);

/* When held-back updates go anyway; DPT_NEVER_NS: nothing held. */
uint64_t dpt_distr_deadline_ns(const struct dpt_distr *distr);
int dpt_distr_print(const struct dpt_distr *distr, char *text, size_t text_size);

#endif /* DPT_NAME_DISTR_H */
