/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

/*
 * The oracles: they see what the applications did and what the stacks said, never the
 * stacks' insides. Each reports with sim_violate(). And the witness: trace.c. Part of sim.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "dpt_env.h"

struct sim;
struct sim_stats;

/* oracle_msgs.c: P1, P3 */
void sim_oracle_received(struct sim *sim, uint32_t s, struct rte_mbuf *m);
void sim_oracle_msgs_end(struct sim *sim);
/* Messages that must arrive and have not yet. */
uint32_t sim_oracle_must_missing(const struct sim *sim);

/* oracle_names.c: tables converge */
/* Returns true when every table is as it should be; else why, in text, where wanted. */
bool sim_oracle_names_ok(struct sim *sim, char *text, size_t text_size);

/* oracle_contact.c: P4 for nodes, detection in time */
void sim_oracle_contacts(struct sim *sim, uint32_t n, uint32_t shard);
void sim_oracle_node_event(struct sim *sim, uint32_t n, const struct dpt_event *event);
bool sim_oracle_all_up(const struct sim *sim, char *text, size_t text_size);
void sim_oracle_expect_down(struct sim *sim, uint32_t n, uint32_t peer, bool is_crash);
uint64_t sim_oracle_late_ns(const struct sim *sim);
void sim_oracle_check_down(struct sim *sim, uint32_t n, uint32_t slot);
bool sim_oracle_lost_since(const struct sim *sim, uint32_t a, uint32_t b, uint64_t since_ns);
bool sim_oracle_any_lost_since(const struct sim *sim, uint64_t since_ns);
/* Did node n and that peer (SIM_NONE: any) not see each other, at some time since then? */
bool sim_oracle_apart_since(const struct sim *sim, uint32_t n, uint32_t peer, uint64_t since_ns);

/* oracle_frames.c: what is sent is legal; the trace hash */
void sim_oracle_frame(struct sim *sim, uint32_t from, uint32_t to, struct rte_mbuf *m);

/* oracle_links.c: links go down for a cause only; arcs; numbers of packets */
/* Read what this shard has traced since the last time. */
void sim_oracle_links(struct sim *sim, uint32_t n, uint32_t shard);
void sim_oracle_packet(struct sim *sim, uint32_t from, uint32_t to, struct rte_mbuf *m);

/* oracle_stall.c: P2, how long deliveries stand still at a failover */
void sim_oracle_wire_cut(struct sim *sim, uint32_t from, uint32_t to);
void sim_oracle_stall_delivery(struct sim *sim, uint32_t s, uint32_t number);
void sim_oracle_stall_end(struct sim *sim);
void sim_stalls_print(const struct sim_stats *stats);

/* oracle_memory.c: P7 */
void sim_oracle_memory(struct sim *sim);
void sim_oracle_memory_rest(struct sim *sim);

/* trace.c */
int sim_trace_open(struct sim *sim, const struct sim_opts *opts);
void sim_trace_close(struct sim *sim);
void sim_trace_rx(struct sim *sim, uint32_t n, struct rte_mbuf *m);
void sim_trace_tx(struct sim *sim, uint32_t n, uint32_t to, struct rte_mbuf *m);
void sim_trace_line(struct sim *sim, uint32_t n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Counters of drops and errors that are not 0. */
void sim_trace_counters(struct sim *sim);
void sim_pcap_frame(struct sim *sim, uint32_t from, struct rte_mbuf *m);

#endif /* SIM_ORACLE_H */
