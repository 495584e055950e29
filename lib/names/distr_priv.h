/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_DISTR_PRIV_H
#define DPT_DISTR_PRIV_H

#include <sys/queue.h>

#include "dpt_name_distr.h"
#include "names_priv.h"

/* Waiting updates of a peer are found by the high octet of their number. */
#define DISTR_BUCKETS 256

/*
 * Own bindings of cluster scope, in order of publication, hashed for withdrawal.
 */
struct distr_own {
	struct dpt_range range;
	struct dpt_port port;
	uint32_t key;
	TAILQ_ENTRY(distr_own) entry;
	struct distr_own *next; /* hash chain, free list */
};
TAILQ_HEAD(distr_owns, distr_own);

/*
 * What is known of a peer with contact.
 *
 *   closed --(last_bulk: rcv_nxt = its number)--> open --(contact lost)--> record freed
 *
 * closed: numbered updates wait, whatever their number. open: rcv_nxt is applied, what is
 * before it is dropped, what is ahead of it waits. Bulk and legacy messages never wait.
 */
struct distr_peer {
	struct dpt_node_addr addr;
	uint16_t rcv_nxt;
	bool is_open;
	bool is_legacy;	     /* lacks TIPC_NAMED_BCAST */
	bool is_held;	     /* has a bulk on its way: in the list of holds */
	bool is_out_of_step; /* queue overflown: drops until contact is lost */
	bool is_reported;    /* given out by dpt_distr_overflown */
	uint32_t waiting_cnt;
	struct rte_mbuf *waiting[DISTR_BUCKETS];
	uint64_t hold_until_ns;
	TAILQ_ENTRY(distr_peer) hold;
	TAILQ_ENTRY(distr_peer) up;
	struct distr_peer *next; /* hash chain, free list */
};
TAILQ_HEAD(distr_peers, distr_peer);

struct dpt_distr {
	struct dpt_distr_cfg cfg;
	struct dpt_node_addr own;
	uint64_t seed;
	uint32_t snd_nxt; /* low 16 bits go on the wire */
	uint32_t legacy_cnt;
	uint32_t overflown_cnt; /* not reported yet */
	uint32_t peers_cnt;
	uint32_t owns_cnt;
	uint32_t waiting_cnt;
	uint64_t held_since_ns; /* DPT_NEVER_NS: no update is held back */
	struct dpt_bufq tx;	/* numbered updates, not given out yet */
	struct dpt_bufq ready;	/* received, in the order to apply */
	struct distr_owns owns;
	struct distr_owns late;	  /* withdrawn, but there was no buffer to say so */
	uint64_t retry_ns;	  /* when to try those again */
	struct distr_peers holds; /* earliest end first: all holds are equally long */
	struct distr_peers ups;

	struct distr_own *owns_free;
	struct distr_peer *peers_free;
	size_t owns_mask;
	size_t peers_mask;
	struct distr_own **owns_hash;
	struct distr_peer **peers_hash;
};

struct distr_peer *distr_peer_find(const struct dpt_distr *distr, struct dpt_node_addr addr);
/* Free all updates that wait, counted in *counter. */
void distr_waiting_free(struct dpt_distr *distr, struct distr_peer *peer, uint64_t *counter);

#endif /* DPT_DISTR_PRIV_H */
