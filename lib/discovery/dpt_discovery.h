/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_DISCOVERY_H
#define DPT_DISCOVERY_H

/*
 * Neighbour discovery and the own address: 02-discovery.md. Owned by shard 0. Knows
 * every peer by address and by identity, and for each bearer what it needs for the
 * table of section 4.5 (media address, up or not); the links themselves live in nodes.
 *
 * Timers: one per bearer (125 ms doubling to 1 s, or to 60 s with a link up), one for the
 * address trial (1 s).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_env.h"
#include "dpt_limits.h"
#include "dpt_records.h"
#include "discovery_counters.h"

struct dpt_discovery;

struct dpt_discovery_cfg {
	struct dpt_env env;
	uint32_t net_id;	   /* 1 .. 9999 by configuration */
	uint16_t caps;		   /* announced capabilities */
	uint32_t random;	   /* node random: low 16 bits are the signature */
	struct dpt_node_id id;	   /* zero: from the first bearer's media address */
	struct dpt_node_addr addr; /* configured address (legacy mode), 0: from the identity */
	uint32_t peers_max;
	struct dpt_discovery_counters *counters;
};

size_t dpt_discovery_size(const struct dpt_discovery_cfg *cfg);
void dpt_discovery_init(struct dpt_discovery *disc, const struct dpt_discovery_cfg *cfg);

/*
 * A bearer is up. maddr: own media address there; domain: 0 = anybody. Sets the identity
 * if there is none; starts the trial if the own address is not final, else requests.
 * Returns 0, -EEXIST (bearer_id in use) or -EINVAL (no identity can be made).
 * Appends 1 frame; at most 1 event (ADDR_FINAL, when an address is configured).
 */
int dpt_discovery_bearer_add(struct dpt_discovery *disc, uint8_t bearer_id,
			     const struct dpt_maddr *maddr, struct dpt_node_addr domain,
			     uint64_t now_ns, struct dpt_out *out);
void dpt_discovery_bearer_del(struct dpt_discovery *disc, uint8_t bearer_id);
/* Carrier, MTU or address changed: 4.3, last paragraph. */
void
dpt_discovery_bearer_reset(struct dpt_discovery *disc, uint8_t bearer_id,
			   const struct dpt_maddr *maddr, uint64_t now_ns, struct dpt_out *out);

/*
 * A LINK_CONFIG frame that dpt_msg_check_buf accepted (place FRAME). m is gone.
 * Appends at most 1 frame and at most 4 of the events LINK_SETUP, CAPS, DUPLICATE, REFUSED,
 * ADDR_FINAL. LINK_SETUP carries node, id, bearer_id, maddr, value = capabilities, and
 * DPT_EVENT_F_RESET.
 */
void dpt_discovery_rx(struct dpt_discovery *disc, uint8_t bearer_id, struct rte_mbuf *m,
		      uint64_t now_ns, struct dpt_out *out);

/* The stack tells what became of a peer's link, for the table of 4.5 and the timers. */
void
dpt_discovery_link_up(struct dpt_discovery *disc, struct dpt_node_addr peer, uint8_t bearer_id);
void dpt_discovery_link_down(struct dpt_discovery *disc, struct dpt_node_addr peer,
			     uint8_t bearer_id, uint64_t now_ns);
/* The peer's record is gone: forget it. */
void dpt_discovery_peer_del(struct dpt_discovery *disc, struct dpt_node_addr peer);

void dpt_discovery_timeout(struct dpt_discovery *disc, uint64_t now_ns, struct dpt_out *out);
uint64_t dpt_discovery_deadline_ns(const struct dpt_discovery *disc);

/*
 * Who this node is, as the administrator says (discovery_self.c). Only while the own address is 0,
 * and of address and identity only while there is no identity: the caller sees to that.
 *
 * The address counts at once, with or without a bearer: one event, ADDR_FINAL. Identity: its hex
 * text unless there is one; domains are understood as <Z.C.N> from now on. Src: 02-discovery.md,
 * 1.1 item 2, 1.5, 4.4 step 7.
 */
void dpt_discovery_addr_set(struct dpt_discovery *disc, struct dpt_node_addr addr, uint64_t now_ns,
			    struct dpt_out *out);
/* The address follows by trial on the first bearer. */
void dpt_discovery_id_set(struct dpt_discovery *disc, const struct dpt_node_id *id);
/* A trial that is going on has asked other nodes: it begins anew. */
void dpt_discovery_net_id_set(struct dpt_discovery *disc, uint32_t net_id, uint64_t now_ns);
bool dpt_discovery_is_legacy(const struct dpt_discovery *disc);

/* Own address, 0 until final; own identity, zero until known. */
struct dpt_node_addr dpt_discovery_addr(const struct dpt_discovery *disc);
const struct dpt_node_id *dpt_discovery_id(const struct dpt_discovery *disc);
/* AND of the capabilities of all known peers and our own. */
uint16_t dpt_discovery_cluster_caps(const struct dpt_discovery *disc);

/* Peers that were heard and refused, newest last: at most max entries. Returns how many. */
struct dpt_refused_peer {
	struct dpt_node_addr addr;
	struct dpt_node_id id;
	struct dpt_maddr maddr;
	uint32_t net_id;
	uint8_t bearer_id;
	uint8_t reason; /* enum dpt_refusal */
	uint64_t last_ns;
	uint64_t cnt;
};
uint32_t dpt_discovery_refused(const struct dpt_discovery *disc, struct dpt_refused_peer *peers,
			       uint32_t max);
int dpt_discovery_print(const struct dpt_discovery *disc, char *text, size_t text_size);

#endif /* DPT_DISCOVERY_H */
