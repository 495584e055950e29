/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * P1 and P3: each message arrives at most once, whole, in order per sender and receiver;
 * what was accepted is delivered, returned, dropped with a counter, or lost with a contact.
 */
#include <stdlib.h>

#include "sim.h"

/* A sender may learn of a lost contact this much later than the node's shard. */
#define CONTACT_SLACK_NS (50 * DPT_NS_PER_MS)

static void
msgs_returned(struct sim *sim, uint32_t s, struct rte_mbuf *m, uint32_t number)
{
	struct sim_msg *msg = &sim->msgs[number];
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t bytes = dpt_msg_payload_bytes(hdr);
	uint32_t whole = RTE_MIN(msg->size, (uint32_t)DPT_RETURN_BYTES_MAX);
	uint32_t err = dpt_msg_errcode(hdr);

	msg->returned++;
	sim->stats.returned++;
	if (msg->sender != s)
		sim_violate(sim, "P1 returned", "message %u of socket %u returned to socket %u",
			    number, msg->sender, s);
	else if (msg->is_droppable)
		sim_violate(sim, "P1 returned", "message %u may not be returned: DEST_DROPPABLE",
			    number);
	else if (bytes != whole)
		sim_violate(sim, "P1 returned", "message %u: %u octets returned instead of %u",
			    number, bytes, whole);
	else if (err > DPT_ERR_CONN_SHUTDOWN)
		sim_violate(sim, "P1 returned", "message %u: error code %u", number, err);
	else if (err == DPT_ERR_NO_NAME && msg->kind != SIM_MSG_NAMED)
		sim_violate(sim, "P1 returned", "message %u has no name but is returned NO_NAME",
			    number);
	else if (msg->kind != SIM_MSG_MCAST && (msg->returned > 1 || msg->delivered > 0))
		sim_violate(sim, "P1 returned", "message %u returned %u times, delivered %u times",
			    number, msg->returned, msg->delivered);
}

/* Remember who has heard a multicast to the static ranges. */
static void
msgs_pair_add(struct sim *sim, uint32_t number, uint32_t s)
{
	if (sim->pairs_cnt == sim->pairs_room) {
		sim->pairs_room = sim->pairs_room == 0 ? 4096 : sim->pairs_room * 2;
		sim->pairs = realloc(sim->pairs, sim->pairs_room * sizeof(sim->pairs[0]));
		DPT_ASSERT(sim->pairs != NULL);
	}
	sim->pairs[sim->pairs_cnt++] = (uint64_t)number << 32 | s;
}

static void
msgs_delivered(struct sim *sim, uint32_t s, struct rte_mbuf *m, uint32_t number)
{
	struct sim_msg *msg = &sim->msgs[number];
	struct sim_sock *sock = &sim->socks[s];
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t *last = msg->kind == SIM_MSG_MCAST ? &sock->last_mcast[msg->sender]
						    : &sock->last_unicast[msg->sender];

	msg->delivered++;
	sim->stats.delivered++;
	if (msg->kind != SIM_MSG_MCAST)
		sim_oracle_stall_delivery(sim, s, number);
	if (dpt_msg_payload_bytes(hdr) != msg->size)
		sim_violate(sim, "P1 whole", "message %u: %u octets instead of %u", number,
			    dpt_msg_payload_bytes(hdr), msg->size);
	else if (msg->kind != SIM_MSG_MCAST && (msg->delivered > 1 || msg->returned > 0))
		sim_violate(sim, "P1 once", "message %u delivered %u times, returned %u times",
			    number, msg->delivered, msg->returned);
	else if (msg->kind == SIM_MSG_DIRECT && msg->dest != s)
		sim_violate(sim, "P1 address", "message %u for socket %d delivered to socket %u",
			    number, (int)msg->dest, s);
	if (msg->is_static)
		msgs_pair_add(sim, number, s);
	/* A second lookup on another node takes another way. */
	if (dpt_msg_reroute_cnt(hdr) != 0)
		return;
	if (*last > number)
		sim_violate(sim, "P1 order", "socket %u: message %u of socket %u after message %u",
			    s, number, msg->sender, *last - 1);
	*last = number + 1;
}

void
sim_oracle_received(struct sim *sim, uint32_t s, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t bytes = dpt_msg_payload_bytes(hdr);
	uint32_t number = sim_msg_number(m, bytes);
	uint32_t err = dpt_msg_errcode(hdr);

	sim_hash_u64(sim, (uint64_t)s << 32 | number);
	sim_hash_u64(sim, sim->now_ns ^ (uint64_t)err << 60);
	sim_trace_line(sim, sim->socks[s].node, "  socket %u %s message %d of %u octets", s,
		       err == 0 ? "receives" : "gets back", (int)number, bytes);
	if (number == SIM_NONE)
		return;
	if (number >= sim->msgs_cnt || !sim_msg_payload_ok(sim, m, number, bytes)) {
		sim_violate(sim, "P1 content", "socket %u: %u octets that nobody sent (number %u)",
			    s, bytes, number);
		return;
	}
	if (!sim->msgs[number].is_accepted && sim->msgs[number].kind != SIM_MSG_MCAST) {
		/* The call may still be on its way back to the application. */
		if (sim->msgs[number].sent_ns != sim->now_ns)
			sim_violate(sim, "P1 refused", "message %u was refused, but delivered",
				    number);
	}
	if (err != 0)
		msgs_returned(sim, s, m, number);
	else
		msgs_delivered(sim, s, m, number);
}

uint32_t
sim_oracle_must_missing(const struct sim *sim)
{
	uint32_t missing = 0;
	uint32_t i;

	for (i = sim->msgs_cnt; i-- > 0 && sim->msgs[i].is_must;)
		missing += sim->msgs[i].delivered == 0;
	return missing;
}

/* Nothing excuses that this message, whose sender and destination are alive, is missing. */
static bool
msgs_is_lost_with_contact(const struct sim *sim, const struct sim_msg *msg)
{
	const struct sim_sock *from = &sim->socks[msg->sender];
	uint64_t slack_ns = CONTACT_SLACK_NS;
	uint64_t since_ns;

	/* Much later, when it stood still. */
	if ((sim->plan.faults & SIM_FAULT_BIT(STALL)) != 0)
		slack_ns += 2 * sim->plan.tolerance_ms * DPT_NS_PER_MS;
	since_ns = msg->sent_ns > slack_ns ? msg->sent_ns - slack_ns : 0;
	if (sim->nodes[from->node].incarnation != from->incarnation)
		return true;
	/*
	 * A second lookup sends it on to a third node, which returns it: in vain, if that node
	 * and the sender's do not see each other. Src: 09-socket-api.md, 10.2.2.
	 */
	if (msg->kind == SIM_MSG_NAMED &&
	    sim_oracle_apart_since(sim, from->node, SIM_NONE, since_ns))
		return true;
	if (msg->dest_node == SIM_NONE || msg->kind == SIM_MSG_MCAST)
		return sim_oracle_any_lost_since(sim, since_ns);
	return sim_oracle_lost_since(sim, from->node, msg->dest_node, since_ns);
}

/* A unicast message of which nobody has heard again. */
static void
msgs_explain(struct sim *sim, uint32_t number, struct sim_msg *msg, uint64_t *unexplained)
{
	struct sim_sock *from = &sim->socks[msg->sender];
	struct sim_sock *to = msg->dest != SIM_NONE ? &sim->socks[msg->dest] : NULL;

	if (msgs_is_lost_with_contact(sim, msg)) {
		sim->stats.lost++;
		return;
	}
	sim->stats.dropped++;
	(*unexplained)++;
	if (sim->drained_until_ns != 0)
		return;
	if (to != NULL && to->closed_ns == 0) {
		/* It was there all the time: only its receive limit can have refused it. */
		if (++to->missing > to->drops)
			sim_violate(sim, "P3 conservation",
				    "message %u (%u octets, sent at %.6f s) of socket %u for "
				    "socket %u is missing; that socket dropped %llu in all",
				    number, msg->size, (double)msg->sent_ns / 1e9, msg->sender,
				    msg->dest, (unsigned long long)to->drops);
	}
	if (!msg->is_droppable && from->closed_ns == 0 && ++from->missing > from->drops)
		sim_violate(sim, "P3 return",
			    "message %u (%u octets, sent at %.6f s) of socket %u is neither "
			    "delivered nor returned",
			    number, msg->size, (double)msg->sent_ns / 1e9, msg->sender);
}

static int
msgs_pair_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
msgs_pair_is_there(const struct sim *sim, uint32_t number, uint32_t s)
{
	uint64_t pair = (uint64_t)number << 32 | s;

	return sim->pairs_cnt > 0 &&
	       bsearch(&pair, sim->pairs, sim->pairs_cnt, sizeof(pair), msgs_pair_cmp) != NULL;
}

/*
 * A multicast to the static ranges. Sockets that were bound to theirs before the first
 * message, and live on, hear each one, unless contact with their node was ever lost.
 */
static void
msgs_mcast(struct sim *sim, uint32_t number, const struct sim_msg *msg)
{
	const struct sim_sock *from = &sim->socks[msg->sender];
	uint32_t s;

	for (s = msg->lower / 10; s <= msg->upper / 10 && s < sim->socks_cnt; s++) {
		struct sim_sock *to = &sim->socks[s];

		if (!to->is_from_start || to->closed_ns != 0 || msgs_pair_is_there(sim, number, s))
			continue;
		if (sim->nodes[from->node].incarnation != from->incarnation ||
		    sim_oracle_lost_since(sim, from->node, to->node, 0))
			continue;
		if (sim->drained_until_ns != 0)
			continue;
		if (++to->missing > to->drops)
			sim_violate(sim, "P3 multicast",
				    "multicast %u (%u octets, sent at %.6f s) of socket %u did not "
				    "reach socket %u, which dropped %llu in all",
				    number, msg->size, (double)msg->sent_ns / 1e9, msg->sender, s,
				    (unsigned long long)to->drops);
	}
}

static void
msgs_take_drops(struct sim *sim)
{
	uint32_t s;

	for (s = 0; s < sim->socks_cnt; s++) {
		struct sim_sock *sock = &sim->socks[s];
		struct dpt_sock_info info;

		sock->missing = 0;
		if (sock->is_open &&
		    dpt_sock_info(dpt_stack_socks(sim->nodes[sock->node].shards[sock->shard].stack),
				  sock->port, &info) == 0)
			sock->drops = info.drops;
	}
}

/* At rest, everything still open. */
void
sim_oracle_msgs_end(struct sim *sim)
{
	uint64_t unexplained = 0;
	uint64_t drops = 0;
	uint32_t i;

	msgs_take_drops(sim);
	if (sim->pairs_cnt > 0)
		qsort(sim->pairs, sim->pairs_cnt, sizeof(sim->pairs[0]), msgs_pair_cmp);
	for (i = 0; i < sim->msgs_cnt && !sim->is_failed; i++) {
		struct sim_msg *msg = &sim->msgs[i];

		if (!msg->is_accepted || msg->size < SIM_MSG_TRACKED_BYTES)
			continue;
		if (msg->kind == SIM_MSG_MCAST && msg->is_static)
			msgs_mcast(sim, i, msg);
		else if (msg->kind != SIM_MSG_MCAST && msg->delivered == 0 && msg->returned == 0)
			msgs_explain(sim, i, msg, &unexplained);
	}
	if (sim->is_failed || sim_oracle_any_lost_since(sim, 0))
		return;
	/*
	 * No contact was lost, no node died: each missing message has its counter. A pool
	 * that runs dry refuses messages in all layers.
	 */
	sim->stats.exact_runs++;
	for (i = 0; i < sim->plan.nodes; i++) {
		drops += sim_node_drops(sim, i, "socket") + sim_node_drops(sim, i, "stack");
		if (sim->drained_until_ns != 0)
			drops += sim_node_drops(sim, i, "link") + sim_node_drops(sim, i, "node");
	}
	if (unexplained > drops)
		sim_violate(sim, "P3 conservation",
			    "%llu messages are missing, the counters explain %llu",
			    (unsigned long long)unexplained, (unsigned long long)drops);
}
