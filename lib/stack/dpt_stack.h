/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_STACK_H
#define DPT_STACK_H

/*
 * One TIPC node, as one value per shard. The only protocol interface that dptipcd, the
 * simulator and the fuzzers use. Sans-I/O: frames, requests and the time come in; frames,
 * messages to other shards and events go out.
 *
 *        frames ---------> dpt_stack_rx_burst ---+
 *        other shards ---> dpt_stack_shard_rx ---+--> out->tx      frames to send
 *        applications ---> dpt_stack_send ... ---+    out->shard   messages to other shards
 *        time -----------> dpt_stack_timeout ----+    out->events  for control
 *                                                     ready sockets: dpt_stack_recv_*
 *
 * Shard 0 also owns what is cluster-wide: discovery, the own address, the broadcast send
 * link, name table decisions. Peers are spread over the shards by address, sockets by who
 * opens them. Shards of one node share nothing; they exchange out->shard buffers, which the
 * caller carries in order between each two shards, losing none (a full ring is back-pressure:
 * keep the buffer and try again).
 *
 * Every function here is called by the shard's owner only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_bcast.h"
#include "dpt_discovery.h"
#include "dpt_env.h"
#include "dpt_name_distr.h"
#include "dpt_names.h"
#include "dpt_node.h"
#include "dpt_socket.h"
#include "dpt_time.h"
#include "dpt_topology.h"
#include "stack_counters.h"

/* Capabilities that we announce: all of 02-discovery.md, 3. */
#define DPT_STACK_CAPS 0x0fff

struct dpt_stack_cfg {
	struct dpt_env env;
	uint8_t shard;	    /* this one's number */
	uint8_t shards_cnt; /* 1 .. DPT_SHARDS_MAX */
	uint32_t net_id;
	uint32_t random;	   /* node random, the same in all shards of the node */
	struct dpt_node_id id;	   /* zero: from the first bearer */
	struct dpt_node_addr addr; /* 0: from the identity */
	uint32_t nodes_max;
	uint32_t sockets_max;	 /* per shard */
	uint32_t bindings_max;	 /* entries of the name table, all nodes */
	uint16_t link_ring_pkts; /* power of two */
	uint16_t caps;		 /* announced and made use of; 0: DPT_STACK_CAPS */
	uint32_t rcvbuf_bytes;
	/* Topology server of shard 0: struct dpt_topo_cfg; 0: the default. */
	uint32_t topo_subs_max;
	uint32_t topo_remote_subs_max;
	uint32_t topo_conns_max;
	uint32_t topo_events_max;
};

/* Properties of a bearer for links made on it. */
struct dpt_stack_bearer {
	uint8_t bearer_id;
	uint8_t priority;
	uint16_t tolerance_ms;
	uint16_t window_min;
	uint16_t window_max;
	uint16_t mtu;
	uint16_t mtu_max; /* up to which mtu can be set later; 0: mtu */
	bool has_bcast;
	struct dpt_node_addr domain; /* peers that are looked for; 0: all. 02-discovery.md */
	struct dpt_maddr maddr;
	char if_name[DPT_IF_NAME_BYTES];
};

struct dpt_stack;

size_t dpt_stack_size(const struct dpt_stack_cfg *cfg);
/* Returns 0 or -EINVAL (a value out of range: *what names it). mem: 64-octet aligned, zeroed. */
int dpt_stack_init(struct dpt_stack *stack, const struct dpt_stack_cfg *cfg, uint64_t now_ns,
		   const char **what);
/* Free all buffers. */
void dpt_stack_fini(struct dpt_stack *stack);

/*
 * Frames from a bearer: mtod is the TIPC message. All are gone. out must be empty or hold
 * outputs that the caller still wants: they are appended to. DPT_OUT_EVENTS_MAX holds for
 * the events to control that one call may append; half of it is for answers to bind, and what
 * does not fit is counted as events_lost (many links that go down with their bearer).
 */
void dpt_stack_rx_burst(struct dpt_stack *stack, uint8_t bearer_id, struct rte_mbuf **bufs,
			uint16_t bufs_cnt, uint64_t now_ns, struct dpt_out *out);

/* Messages that other shards of this node put into their out->shard for this one. */
void dpt_stack_shard_rx(struct dpt_stack *stack, struct rte_mbuf **bufs, uint16_t bufs_cnt,
			uint64_t now_ns, struct dpt_out *out);

void dpt_stack_timeout(struct dpt_stack *stack, uint64_t now_ns, struct dpt_out *out);
uint64_t dpt_stack_deadline_ns(const struct dpt_stack *stack);

/*
 * Bearers. Shard 0 is asked; it tells the others by message. Returns 0, -EEXIST, -EINVAL.
 */
int dpt_stack_bearer_up(struct dpt_stack *stack, const struct dpt_stack_bearer *bearer,
			uint64_t now_ns, struct dpt_out *out);
void dpt_stack_bearer_down(struct dpt_stack *stack, uint8_t bearer_id, uint64_t now_ns,
			   struct dpt_out *out);

/* Lay new properties over a bearer's; those that are 0 stay as they were. */
void dpt_stack_bearer_props(struct dpt_stack_bearer *bearer, const struct dpt_link_props *props);

/*
 * Change properties live: of the bearer, thus of the links made from now on, and of the
 * links that are there: of all peers (node: 0) or of one. Fields that are 0 stay. Shard 0 is
 * asked; it tells the others. Returns 0, -EINVAL (out of range), -ENOENT (no such bearer).
 */
int
dpt_stack_link_props_set(struct dpt_stack *stack, uint8_t bearer_id, struct dpt_node_addr node,
			 const struct dpt_link_props *props, uint64_t now_ns, struct dpt_out *out);
/* The same of links made from now on alone: what `tipc bearer set` does with priority and window.
 * Src: 11-management.md, C1. */
int dpt_stack_bearer_props_set(struct dpt_stack *stack, uint8_t bearer_id,
			       const struct dpt_link_props *props, uint64_t now_ns,
			       struct dpt_out *out);

/*
 * Who this node is, while its own address is 0: fields that are 0 stay. Shard 0 is asked; it tells
 * the others. An address counts at once (bearer or not), makes the identity its hex text and
 * switches to legacy lookup; an identity makes the address by trial on the first bearer. What is
 * set once stays: a second identity or address is ignored, result 0 (13-netlink.md, 5.15). Returns
 * 0, -EPERM (own address set), -EINVAL (network id not 1 .. 9999).
 */
struct dpt_stack_net {
	uint32_t net_id;
	struct dpt_node_addr addr;
	struct dpt_node_id id;
};
int dpt_stack_net_set(struct dpt_stack *stack, const struct dpt_stack_net *net, uint64_t now_ns,
		      struct dpt_out *out);
uint32_t dpt_stack_net_id(const struct dpt_stack *stack);
/* The address was configured, not made from the identity. */
bool dpt_stack_is_legacy(const struct dpt_stack *stack);

/*
 * Forget a peer that is down (13-netlink.md, 5.20). Asked of its shard (dpt_stack_shard_of); the
 * others are told. Returns 0, -EINVAL (address 0), -ENXIO (none), -EBUSY (not down, or the shards
 * have not settled its last contact yet), -524 (own node).
 */
int dpt_stack_peer_remove(struct dpt_stack *stack, struct dpt_node_addr peer, uint64_t now_ns,
			  struct dpt_out *out);

/* Statistics of a link from 0 on: asked of the peer's shard. Returns 0 or -ENOENT. */
int
dpt_stack_link_stats_reset(struct dpt_stack *stack, struct dpt_node_addr peer, uint8_t bearer_id);

/*
 * The broadcast link as the tool shows it. stats: by attribute number of 13-netlink.md, 5.8;
 * index 0 is unused. Policy: DPT_BCAST_METHOD_*; what is sent now is replicast in any case
 * (decision 0008), so BROADCAST is refused.
 */
#define DPT_STACK_LINK_STATS 34
enum dpt_bcast_method {
	DPT_BCAST_METHOD_BROADCAST = 1,
	DPT_BCAST_METHOD_REPLICAST = 2,
	DPT_BCAST_METHOD_AUTO = 4,
};
struct dpt_stack_bcast_info {
	enum dpt_bcast_method method;
	uint32_t ratio;	 /* percent */
	uint32_t window; /* packets, the maximum */
	uint32_t stats[DPT_STACK_LINK_STATS];
};
/*
 * Shard 0: the sending link. Of a peer (asked of its shard): the receiving one; 0 or -ENOENT; its
 * method and ratio are the defaults, what was set is with the sending link.
 */
void dpt_stack_bcast_info(const struct dpt_stack *stack, struct dpt_stack_bcast_info *info);
int dpt_stack_bcast_peer_info(const struct dpt_stack *stack, struct dpt_node_addr peer,
			      struct dpt_stack_bcast_info *info);
int
dpt_stack_bcast_stats_reset(struct dpt_stack *stack, struct dpt_node_addr peer); /* 0: sending */
/*
 * Members that are 0 stay. Returns 0, -EINVAL (13-netlink.md, 5.9), -ENOPROTOOPT. Shard 0. The
 * window is shown, but not more than 50 packets are ever unacknowledged: no receiver believes an
 * announcement beyond (06-broadcast.md, hazard 9).
 */
struct dpt_stack_bcast_set {
	uint32_t method;
	uint32_t ratio;
	uint32_t window;
};
int dpt_stack_bcast_set(struct dpt_stack *stack, const struct dpt_stack_bcast_set *set);

/* A link's statistics in the numbers of 13-netlink.md, 5.8, from its counters: RX and TX not among
 * them, they are counters.recv_pkts and sent_pkts. */
void dpt_stack_link_stats(const struct dpt_link_info *info, uint32_t stats[DPT_STACK_LINK_STATS]);

/* The idx-th of the sockets that the stack itself has (topology service): shard 0. false: the end.
 */
bool dpt_stack_internal_sock(const struct dpt_stack *stack, uint32_t idx, struct dpt_port *port,
			     struct dpt_sock_info *info);
/* Bindings of one of the node's sockets, newest first; *cursor 0 to begin with. Returns how many
 * were stored; 0: the end. Asked of the socket's shard. */
uint32_t dpt_stack_sock_bindings(const struct dpt_stack *stack, struct dpt_port port,
				 uint32_t *cursor, struct dpt_binding *bindings, uint32_t max);

/* Sockets of this shard: as in dpt_socket.h. */
int dpt_stack_socket(struct dpt_stack *stack, enum dpt_sock_type type, uint64_t cookie,
		     struct dpt_port *port);
void dpt_stack_close(struct dpt_stack *stack, struct dpt_port port, uint64_t now_ns,
		     struct dpt_out *out);
void dpt_stack_shutdown(struct dpt_stack *stack, struct dpt_port port, uint64_t now_ns,
			struct dpt_out *out);
int dpt_stack_connect(struct dpt_stack *stack, struct dpt_port port, const struct dpt_send *send,
		      uint64_t now_ns, struct dpt_out *out);
int dpt_stack_accept(struct dpt_stack *stack, struct dpt_port port, uint64_t cookie,
		     uint64_t now_ns, struct dpt_port *accepted, struct dpt_out *out);
void dpt_stack_recv_done(struct dpt_stack *stack, struct dpt_port port, uint32_t cnt,
			 uint64_t now_ns, struct dpt_out *out);

/* Identity of a known node, own one too (20). Any shard that owns it or has the contact. While this
 * node has none: zeros, for any. Returns 0 or -EADDRNOTAVAIL. */
int dpt_stack_node_id(struct dpt_stack *stack, struct dpt_node_addr node, struct dpt_node_id *id);
/* Name of the link to a peer on a bearer. Returns 0 or -EADDRNOTAVAIL; asked of the peer's
 * shard: dpt_stack_shard_of. */
int dpt_stack_link_name(struct dpt_stack *stack, struct dpt_node_addr peer, uint32_t bearer_id,
			char *name, size_t name_size);
uint8_t dpt_stack_shard_of(const struct dpt_stack *stack, struct dpt_node_addr node);

/*
 * bind, unbind. Returns 0: DPT_EVENT_BIND_DONE with this cookie follows, in this call or a
 * later one, when every shard of the node sees the change; else the error at once.
 */
struct dpt_bind_req {
	struct dpt_range range;
	uint64_t cookie; /* the caller's, given back */
	uint8_t scope;	 /* enum dpt_scope */
	/*
	 * Barrier: BIND_DONE comes when all nodes that are up have acknowledged the publication too
	 * (their links have; a kernel peer does no more). A node that goes down is not waited for.
	 */
	bool is_sync;
};
int dpt_stack_bind(struct dpt_stack *stack, struct dpt_port port, const struct dpt_bind_req *req,
		   uint64_t now_ns, struct dpt_out *out);
int dpt_stack_unbind(struct dpt_stack *stack, struct dpt_port port, const struct dpt_bind_req *req,
		     uint64_t now_ns, struct dpt_out *out);
int dpt_stack_unbind_all(struct dpt_stack *stack, struct dpt_port port, uint64_t cookie,
			 uint64_t now_ns, struct dpt_out *out);

/*
 * Send one message; m: payload without header (dpt_sock_send). m is gone. Returns 0 or the
 * errors of dpt_sock_send; -EHOSTUNREACH also when the node is not in contact.
 */
int dpt_stack_send(struct dpt_stack *stack, struct dpt_port port, const struct dpt_send *send,
		   struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out);

/* Receiving: dpt_sock_ready_pop, dpt_sock_recv_next, dpt_sock_recv_done, ... on this. */
struct dpt_socks *dpt_stack_socks(struct dpt_stack *stack);

/* Grows before any change that can make a send fail or go elsewhere (dpt_shm.h, route_gen). */
uint32_t dpt_stack_route_gen(const struct dpt_stack *stack);

struct dpt_node_addr dpt_stack_own(const struct dpt_stack *stack);
const struct dpt_node_id *dpt_stack_id(const struct dpt_stack *stack);

/* Dumps, for control and oracles. */
const struct dpt_names *dpt_stack_names(const struct dpt_stack *stack);
const struct dpt_discovery *dpt_stack_discovery(const struct dpt_stack *stack); /* shard 0 */
const struct dpt_topo *dpt_stack_topology(const struct dpt_stack *stack);	/* shard 0 */
/* The idx-th node of this shard in order of address, NULL at the end. */
const struct dpt_node *dpt_stack_node(const struct dpt_stack *stack, uint32_t idx);

struct dpt_stack_counters_all {
	struct dpt_stack_counters stack;
	struct dpt_link_counters link;
	struct dpt_node_counters node;
	struct dpt_bcast_counters bcast;
	struct dpt_discovery_counters discovery;
	struct dpt_names_counters names;
	struct dpt_socket_counters socket;
	struct dpt_topology_counters topology;
};
const struct dpt_stack_counters_all *dpt_stack_counters(const struct dpt_stack *stack);

/*
 * All counters as one list, for dumps: name "library.symbol", in the order in which their
 * values lie in struct dpt_stack_counters_all. Returns false past the end. stack NULL: the
 * names alone, all values 0.
 */
struct dpt_counter_value {
	const char *library;
	const struct dpt_counter_desc *desc;
	uint64_t value;
};
bool
dpt_stack_counter(const struct dpt_stack *stack, uint32_t idx, struct dpt_counter_value *value);

/* Buffers that the stack holds now: queues, rings. For the oracle "buffers return". */
int dpt_stack_print(const struct dpt_stack *stack, char *text, size_t text_size);

#endif /* DPT_STACK_H */
