/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_DISCOVERY_PRIV_H
#define DPT_DISCOVERY_PRIV_H

/*
 * Layout of the object in the caller's memory:
 *
 *   struct dpt_discovery | peers[peers_max] | slots by address | slots by identity
 *
 * The hash tables use linear probing, at most half full, with a key drawn at init, so
 * that nobody outside can choose addresses that collide.
 */

#include "dpt_discovery.h"
#include "dpt_time.h"

/* Src: 02-discovery.md, 4.2. */
#define DISC_INIT_NS  (125 * DPT_NS_PER_MS)
#define DISC_FAST_NS  (1000 * DPT_NS_PER_MS)
#define DISC_SLOW_NS  (60000 * DPT_NS_PER_MS)
#define DISC_TRIAL_NS (1000 * DPT_NS_PER_MS)

/* Trial restarts until the trial is given up. Src: 02-discovery.md, hazard 8. */
#define DISC_TRIAL_RESTARTS_MAX 64
/* Pause before a given-up trial begins anew. Our choice: the slowest request interval. */
#define DISC_TRIAL_PAUSE_NS DISC_SLOW_NS

/*
 * Answers (RESP, TRIAL_FAIL) of one bearer: a burst, then one per period. Src: hazard 11;
 * our numbers: 1000 nodes that start at once send 4 requests each in the first second.
 */
#define DISC_ANSWER_PERIOD_NS (DPT_NS_PER_S / 4096)
#define DISC_ANSWER_BURST     4096
/* Time between two answers of a kind to one media address: half the shortest interval. */
#define DISC_ANSWER_GAP_NS (DISC_INIT_NS / 2)
#define DISC_ANSWERED_CNT  256 /* remembered destinations of a bearer, power of two */

/* New records: a burst, then one per period. Src: hazard 10; 1000 honest nodes at once. */
#define DISC_CREATE_PERIOD_NS (DPT_NS_PER_S / 256)
#define DISC_CREATE_BURST     1024

/* DUPLICATE and REFUSED events: a burst, then one a second; the same peer each 10 s. */
#define DISC_ALARM_PERIOD_NS DPT_NS_PER_S
#define DISC_ALARM_BURST     16
#define DISC_ALARM_AGAIN_NS  (10 * DPT_NS_PER_S)

#define DISC_REFUSED_CNT 32

/* Capabilities that a neighbour must have: 06-broadcast.md, 10.2, last paragraph. */
#define DISC_CAPS_NEEDED (DPT_CAP_BCAST_SYNCH | DPT_CAP_BCAST_STATE_NACK)
#define DISC_CAPS_CNT	 13

/* Trace records. */
enum disc_trace {
	DISC_TRACE_ADDR_FINAL = 1,     /* node: own address */
	DISC_TRACE_TRIAL_RESTART = 2,  /* node: new trial address; arg16: restarts */
	DISC_TRACE_TRIAL_GIVEN_UP = 3, /* node: last trial address */
	DISC_TRACE_TRIAL_CONFLICT = 4, /* node: wanted address; arg0: suggested */
	DISC_TRACE_REFUSED = 5,	       /* node: peer; arg16: reason; arg0: bearer */
	DISC_TRACE_PEER_NEW = 6,       /* node: peer; arg16: capabilities */
	DISC_TRACE_LINK_SETUP = 7,     /* node: peer; arg16: bearer; arg0: link existed */
};

/* Link of a peer on one bearer, as far as the table of 4.5 needs it. */
struct disc_link {
	struct dpt_maddr maddr;
	bool is_there;
	bool is_up;
};

struct disc_peer {
	struct dpt_node_addr addr; /* 0: free */
	struct dpt_node_id id;	   /* zero: another record has taken it over */
	uint16_t caps;
	uint16_t signature;
	bool has_signature;
	uint32_t next_free; /* index + 1, 0: none */
	struct disc_link links[DPT_BEARERS_MAX];
};

struct disc_slot {
	uint32_t hash;
	uint32_t ref; /* index of the peer + 1, 0: empty */
};

struct disc_answered {
	uint32_t hash;
	uint64_t last_ns;
};

struct disc_bearer {
	bool is_there;
	struct dpt_maddr maddr;
	struct dpt_node_addr domain;
	uint32_t links_up;
	uint64_t interval_ns; /* 0: inactive */
	uint64_t timer_ns;    /* DPT_NEVER_NS: not armed */
	uint64_t answers_ns;  /* state of the limit of answers */
	struct disc_answered answered[DISC_ANSWERED_CNT];
};

struct disc_refused {
	struct dpt_refused_peer peer; /* cnt 0: free */
	bool is_told;		      /* an event was given out, at event_ns last */
	uint64_t event_ns;
};

struct dpt_discovery {
	struct dpt_env env;
	struct dpt_discovery_counters *counters;
	uint32_t net_id;
	uint16_t caps;
	uint32_t random;
	bool is_legacy; /* address was configured: domains by <Z.C.N> */
	struct dpt_node_id id;
	struct dpt_node_addr own;   /* 0 until final */
	bool is_final_told;	    /* ADDR_FINAL was given out */
	struct dpt_node_addr trial; /* = own once final */
	uint64_t trial_end_ns;
	uint64_t pause_end_ns; /* given up until then, 0: not */
	uint32_t trial_restarts;
	uint64_t create_ns; /* state of the limit of new records */
	uint64_t alarm_ns;
	uint64_t hash_key;
	struct disc_bearer bearers[DPT_BEARERS_MAX];
	struct disc_refused refused[DISC_REFUSED_CNT];
	uint32_t caps_lack[DISC_CAPS_CNT]; /* peers without the capability */
	uint32_t peers_max;
	uint32_t peers_cnt;
	uint32_t peers_free; /* index + 1 of the first free record */
	uint32_t slots_mask;
	struct disc_peer *peers;
	struct disc_slot *by_addr;
	struct disc_slot *by_id;
};

/* discovery_peers.c */
uint32_t disc_slots_cnt(uint32_t peers_max);
void disc_peers_init(struct dpt_discovery *disc);
struct disc_peer *disc_peer_by_addr(const struct dpt_discovery *disc, struct dpt_node_addr addr);
struct disc_peer *disc_peer_by_id(const struct dpt_discovery *disc, const struct dpt_node_id *id);
/* A record without links; NULL: table full. The identity is taken from a record that has it. */
struct disc_peer *disc_peer_create(struct dpt_discovery *disc, struct dpt_node_addr addr,
				   const struct dpt_node_id *id, uint16_t caps);
void disc_peer_del(struct dpt_discovery *disc, struct disc_peer *peer);
/* Give the record an identity; the record that had it loses it. */
void
disc_peer_id_set(struct dpt_discovery *disc, struct disc_peer *peer, const struct dpt_node_id *id);
void disc_peer_caps_set(struct dpt_discovery *disc, struct disc_peer *peer, uint16_t caps);
bool disc_peer_is_up(const struct disc_peer *peer);
uint32_t disc_peer_links_cnt(const struct disc_peer *peer);
uint32_t
disc_hash_maddr(const struct dpt_discovery *disc, const struct dpt_maddr *maddr, uint32_t salt);

/* discovery_refused.c */
/*
 * Take one from a limit: burst at once, then one per period. state is its memory, 0 at
 * first. Returns false when nothing is left.
 */
bool disc_limit_take(uint64_t *state, uint64_t now_ns, uint64_t period_ns, uint64_t burst);
/* Note a refused peer. Returns true when an event about it is due. */
bool
disc_refused_note(struct dpt_discovery *disc, const struct dpt_refused_peer *peer, uint64_t now_ns);

/* discovery.c */
/* Send a message on the bearer; dst: where to, NULL: broadcast. */
void disc_send(struct dpt_discovery *disc, uint8_t bearer_id, struct dpt_link_config *msg,
	       const struct dpt_maddr *dst, struct dpt_out *out);
void disc_addr_final(struct dpt_discovery *disc, uint64_t now_ns, struct dpt_out *out);
/* A TRIAL_FAIL told of a conflict: begin anew with the suggested address, or give up. */
void disc_trial_restart(struct dpt_discovery *disc, struct dpt_node_addr suggested, uint64_t now_ns,
			struct dpt_out *out);

static inline void
disc_trace(struct dpt_discovery *disc, uint64_t now_ns, enum disc_trace rec, uint16_t arg16,
	   struct dpt_node_addr node, uint64_t arg0)
{
	dpt_trace_add(disc->env.trace, now_ns, DPT_TRACE_KIND(DPT_TRACE_DISC, rec), arg16,
		      node.value, arg0, 0);
}

#endif /* DPT_DISCOVERY_PRIV_H */
