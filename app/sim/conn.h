/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CONN_H
#define SIM_CONN_H

/*
 * Sockets of connection types in the simulator. Part of sim.h.
 *
 *   conn.c       listeners, accepting, what the stack says
 *   conn_open.c  clients: connecting
 *   conn_io.c    sending as far as credit reaches, reading at all speeds
 *   conn_end.c   shutdown, close, what remains when the run ends
 *   oracle_conn.c   what must hold
 *
 * An end sends one stream of octets, a function of its index and of the offset; the
 * lengths of its messages are kept, so the other end knows what it must read.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dpt_names.h"
#include "dpt_socket.h"

struct sim;

/* Sockets' cookies from here on are ends. */
#define SIM_COOKIE_END	   0x10000u
#define SIM_END_BINDS	   2
#define SIM_CONN_LISTENERS 2 /* of each node */
#define SIM_CONN_RETRY_NS  (20 * DPT_NS_PER_MS)
#define SIM_END_SOCKS	   256 /* of a shard at once, at most */
/* A listener with index e has the instance e of this type. The second one: all of them. */
#define SIM_TYPE_LISTEN 3000
#define SIM_TYPE_SHARED 3001

enum sim_end_role { SIM_END_LISTENER, SIM_END_CLIENT, SIM_END_ACCEPTED };

struct sim_end_bind {
	struct dpt_range range;
	bool is_used;
	bool is_pending;
};

struct sim_end {
	uint32_t node;
	uint32_t incarnation;
	uint8_t shard;
	uint8_t type; /* enum dpt_sock_type */
	uint8_t role; /* enum sim_end_role */
	uint8_t importance;
	struct dpt_port port;
	enum dpt_sock_state state; /* as it was told last */
	bool is_open;
	bool is_slow;	  /* reads late and little */
	bool is_flooding; /* sends until the window is used up */
	bool is_nagle;	  /* TIPC_NODELAY 0: message boundaries go */
	bool is_by_name;  /* the listener was named by its service address */
	bool is_blocked;  /* by a link */
	bool is_starving; /* no credit */
	bool is_read_due; /* an event is pending */
	bool is_own_end;  /* has ended the connection itself: shutdown or close */
	bool is_shut;	  /* ... by shutdown */
	bool is_leaving;  /* will end it, as soon as it may */
	bool is_shutting; /* ... by shutdown */
	bool is_void;	  /* an empty pool has cost something it should read */
	bool is_end_read; /* has read how the other end ended */
	bool is_dead;	  /* its node crashed */
	bool is_block_flow;
	bool is_stillborn; /* accepted, and ended at once */
	uint8_t end_err;   /* is_end_read */
	uint64_t begun_ns; /* connect or accept */
	uint64_t made_ns;
	uint64_t own_end_ns;
	uint64_t leave_by_ns;
	uint64_t send_due_ns; /* 0: no event is pending */
	uint32_t target;      /* client: listener; SIM_NONE: nobody, or not known in advance */
	uint32_t target_node;
	uint32_t instance; /* is_by_name */
	uint32_t name_type;
	uint32_t peer; /* the other end; SIM_NONE: not known */
	uint32_t held; /* messages given out and not reported as read */
	uint32_t costs_held;

	uint32_t *sizes; /* of the messages sent */
	uint32_t sizes_cnt;
	uint32_t sizes_room;
	uint64_t sent_bytes;
	uint32_t cost_sent; /* dpt_sock_cost, modulo 2^32: compared with the credit */
	uint32_t syn_bytes; /* with header, of a SYN with data */
	uint32_t empty_cnt; /* messages without data: they count as read when they arrive */
	uint64_t read_bytes;
	uint32_t read_msgs;
	uint64_t cost_read; /* reported as read */
	struct sim_end_bind binds[SIM_END_BINDS];
};

/* conn.c */
/* On node n: a listener; a socket that connects to it. */
void sim_conn_listen(struct sim *sim, uint32_t n);
void sim_conn_try(struct sim *sim, uint32_t n, uint32_t listener);
/* An open socket of that role, SIM_NONE: there is no room, or the shard stands still. */
uint32_t sim_conn_socket(struct sim *sim, uint32_t n, enum sim_end_role role);
void sim_conn_node_start(struct sim *sim, uint32_t n);
void sim_conn_node_dead(struct sim *sim, uint32_t n);
void sim_conn_start_talking(struct sim *sim);
void sim_conn_open(struct sim *sim, uint32_t n);
void sim_conn_must_round(struct sim *sim);
void sim_conn_accept(struct sim *sim, uint32_t e);
void sim_conn_bind_done(struct sim *sim, uint32_t e, uint32_t b, int result);
/* What sim_node_pump pops. */
void sim_conn_ready(struct sim *sim, uint32_t e);
void sim_conn_writable(struct sim *sim, uint32_t e);
void sim_conn_changed(struct sim *sim, uint32_t e);
void sim_conn_free(struct sim *sim);

/* conn_io.c */
void sim_conn_send(struct sim *sim, uint32_t e);
void sim_conn_read(struct sim *sim, uint32_t e);
/* One message of bytes octets, if the end may send. Returns what dpt_stack_send returned. */
int sim_conn_send_one(struct sim *sim, uint32_t e, uint32_t bytes, const struct dpt_dest *dest);
void sim_conn_read_all(struct sim *sim);
void sim_conn_at(struct sim *sim, uint32_t e, uint32_t type, uint64_t in_ns);
uint32_t sim_conn_size(struct sim *sim, const struct sim_end *end);
bool sim_conn_octets_are(const struct sim *sim, uint32_t from, uint64_t offset,
			 const uint8_t *octets, uint32_t bytes);

/* conn_end.c */
void sim_conn_end(struct sim *sim, uint32_t e);
void sim_conn_leave(struct sim *sim, uint32_t e, bool is_shutting);
void sim_conn_close(struct sim *sim, uint32_t e);
void sim_conn_close_some(struct sim *sim, bool is_all);

struct dpt_stack *sim_end_stack(const struct sim *sim, uint32_t e);
uint64_t sim_end_now(const struct sim *sim, uint32_t e);

/* oracle_conn.c */
void sim_oracle_conn_made(struct sim *sim, uint32_t e, const struct dpt_sock_conn *conn);
void sim_oracle_conn_data(struct sim *sim, uint32_t e, struct rte_mbuf *m);
void sim_oracle_conn_ended(struct sim *sim, uint32_t e, struct rte_mbuf *m);
/* ECONNABORTED: there is no message that tells how it ended. */
void sim_oracle_conn_aborted(struct sim *sim, uint32_t e);
void sim_oracle_conn_sent(struct sim *sim, uint32_t e);
void sim_oracle_conn_listener(struct sim *sim, uint32_t e);
/* Nothing moves any more, all have read: do both ends agree? */
bool sim_oracle_conns_ok(struct sim *sim, char *text, size_t text_size);

#endif /* SIM_CONN_H */
