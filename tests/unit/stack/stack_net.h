/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STACK_NET_H
#define STACK_NET_H

/*
 * A cluster of stacks for tests: nodes of some shards each, broadcast domains with a fixed
 * delay, one for each bearer, virtual time. No faults but cut cables: the others are the
 * simulator's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dpt_stack.h"

#define NET_NODES_MAX  4
#define NET_SHARDS_MAX 3
/* Connections that each topology server takes. */
#define NET_TOPO_CONNS_MAX 8
#define NET_DELAY_NS	   (50 * DPT_NS_PER_MS / 1000)

struct net_shard {
	struct dpt_stack *stack;
	struct dpt_rng rng;
	struct dpt_bufq inbox; /* messages of the other shards */
};

struct net_node {
	struct net_shard shards[NET_SHARDS_MAX];
	uint8_t mac[6];
	bool is_connected;	      /* its cables are plugged in */
	bool is_cut[DPT_BEARERS_MAX]; /* but not this one */
	/* Events for control, by type. */
	uint32_t events[32];
	int32_t bind_result;
	uint64_t bind_cookie;
};

struct net {
	uint64_t now_ns;
	uint32_t nodes_cnt;
	uint32_t shards_cnt;
	struct net_node nodes[NET_NODES_MAX];
	struct dpt_bufq wire; /* in order of arrival; dpt_buf.cookie: time, arg: sender */
	uint64_t frames_cnt;
};

/* Capabilities of the nodes that net_init makes; 0: all. */
extern uint16_t net_caps[NET_NODES_MAX];
/* Nodes are made without address and identity. */
extern bool net_is_nameless;
/* Of bearers that come up from now on. */
extern struct dpt_node_addr net_domain;
/* Messages between shards wait: one more is taken with each thing that happens. */
extern bool net_is_slow;
/* They wait, all of them. */
extern bool net_is_held;

/* Nodes 0.. with text identities "n0", "n1", ... or, if is_legacy, addresses 1.1.1, 1.1.2. */
void net_init(struct net *net, uint32_t nodes_cnt, uint32_t shards_cnt, bool is_legacy);
void net_fini(struct net *net);
void net_bearer_up(struct net *net, uint32_t node);
void net_bearer_down(struct net *net, uint32_t node);
/* The same for another bearer than 0. */
void net_bearer_up_id(struct net *net, uint32_t node, uint8_t bearer_id);
void net_bearer_down_id(struct net *net, uint32_t node, uint8_t bearer_id);
int net_props_set(struct net *net, uint32_t node, uint8_t bearer_id, struct dpt_node_addr peer,
		  const struct dpt_link_props *props);

/* dpt_stack_net_set, dpt_stack_peer_remove at the shard that they are for. */
int net_set(struct net *net, uint32_t node, const struct dpt_stack_net *what);
int net_peer_remove(struct net *net, uint32_t node, struct dpt_node_addr peer);

/* Let time pass: frames, shard messages, timers. */
void net_run(struct net *net, uint64_t ns);
/* Until every node is in contact with every other; false after 10 s. */
bool net_form(struct net *net);

struct dpt_stack *net_stack(struct net *net, uint32_t node, uint32_t shard);
struct dpt_node_addr net_addr(struct net *net, uint32_t node);

struct dpt_port net_socket(struct net *net, uint32_t node, uint32_t shard, enum dpt_sock_type type);
/* bind and wait for the answer; returns it. */
int net_bind(struct net *net, uint32_t node, struct dpt_port port, uint32_t type, uint32_t lower,
	     uint32_t upper);
/* bind with the barrier; cookie: instance. The answer counts in events, when it comes. */
int net_bind_sync(struct net *net, uint32_t node, struct dpt_port port, uint32_t type,
		  uint32_t instance);
void net_close(struct net *net, uint32_t node, struct dpt_port port);
/* Send text by dest; returns dpt_stack_send's result. */
int net_send(struct net *net, uint32_t node, struct dpt_port port, const struct dpt_dest *dest,
	     const char *text, bool is_droppable);
/* connect; its result. Across nodes the answer needs net_run. */
int net_connect(struct net *net, uint32_t node, struct dpt_port port, const struct dpt_dest *dest,
		uint8_t importance);
/* accept on a LISTEN socket; its result. */
int net_accept(struct net *net, uint32_t node, struct dpt_port port, struct dpt_port *accepted);
/* Octets: on the connection (dest NULL), or with its request. */
int net_data(struct net *net, uint32_t node, struct dpt_port port, const struct dpt_dest *dest,
	     const void *data, uint32_t bytes);
struct dpt_sock_conn net_conn(struct net *net, uint32_t node, struct dpt_port port);
struct dpt_dest net_service(uint32_t type, uint32_t instance);
struct dpt_dest net_range(uint32_t type, uint32_t lower, uint32_t upper);
struct dpt_dest net_sockaddr(struct net *net, uint32_t node, struct dpt_port port);

/*
 * Take the oldest message of a socket: its payload as text, error code. false: none.
 */
struct net_msg {
	char text[64];
	uint32_t errcode;
	uint32_t user;
	struct dpt_socket_addr from;
	uint32_t bytes;
};
bool net_recv(struct net *net, uint32_t node, struct dpt_port port, struct net_msg *msg);

/* Bindings of a type that the shard's table holds. */
uint32_t net_names_cnt(struct net *net, uint32_t node, uint32_t shard, uint32_t type);

#endif /* STACK_NET_H */
