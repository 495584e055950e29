/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the applications. A payload carries its number and a check of it, then a
 * piece of a table of random octets that the number chooses; all else is in sim->msgs.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static uint32_t
msg_check_word(const struct sim *sim, uint32_t number)
{
	return (uint32_t)sim_seed_mix(sim->seed, UINT64_C(0x5a5a00000000) + number);
}

static const uint8_t *
msg_pattern(const struct sim *sim, uint32_t number)
{
	return sim->pattern + (number * 61u & SIM_PATTERN_MASK);
}

static struct rte_mbuf *
msg_build(struct sim *sim, uint32_t number, uint32_t size)
{
	/* Built by the application: what the dataplane does with a copy from shared memory. */
	struct rte_mbuf *m = dpt_buf_alloc_len(sim->net_pool, size);
	uint32_t head[2] = {number, msg_check_word(sim, number)};

	if (m == NULL)
		return NULL;
	if (size >= SIM_MSG_TRACKED_BYTES) {
		dpt_buf_write(m, 0, head, sizeof(head));
		dpt_buf_write(m, sizeof(head), msg_pattern(sim, number),
			      size - (uint32_t)sizeof(head));
	} else if (size > 0) {
		dpt_buf_write(m, 0, msg_pattern(sim, 0), size);
	}
	return m;
}

static struct sim_msg *
msg_new(struct sim *sim)
{
	if (sim->msgs_cnt == sim->msgs_room) {
		sim->msgs_room = sim->msgs_room == 0 ? 16384 : sim->msgs_room * 2;
		sim->msgs = realloc(sim->msgs, sim->msgs_room * sizeof(sim->msgs[0]));
		DPT_ASSERT(sim->msgs != NULL);
	}
	memset(&sim->msgs[sim->msgs_cnt], 0, sizeof(sim->msgs[0]));
	return &sim->msgs[sim->msgs_cnt++];
}

int
sim_msg_send(struct sim *sim, uint32_t s, const struct sim_send *send)
{
	struct sim_sock *sock = &sim->socks[s];
	struct dpt_send call = {.dest = &send->dest,
				.importance = send->importance,
				.is_dest_droppable = send->is_droppable};
	struct sim_msg *msg = msg_new(sim);
	uint32_t number = sim->msgs_cnt - 1;
	struct rte_mbuf *m = msg_build(sim, number, send->size);
	int ret;

	if (m == NULL) {
		sim->msgs_cnt--;
		sim_violate(sim, "pool", "no buffer for a message: %u are held",
			    rte_mempool_in_use_count(sim->net_pool));
		return -ENOBUFS;
	}
	msg->sent_ns = sim->now_ns;
	msg->sender = s;
	msg->dest = send->dest_sock;
	msg->dest_node = send->dest_node;
	msg->size = send->size;
	msg->kind = (uint8_t)send->kind;
	msg->is_droppable = send->is_droppable;
	msg->is_static = send->is_static;
	msg->lower = send->dest.range.lower;
	msg->upper = send->dest.range.upper;
	msg->is_must = sim->is_must && send->dest_sock != SIM_NONE;
	ret = dpt_stack_send(sim->nodes[sock->node].shards[sock->shard].stack, sock->port, &call, m,
			     sim_node_now(sim, sock->node, sock->shard), &sim->out);
	sim->msgs[number].is_accepted = ret == 0;
	if (ret == 0)
		sim->stats.sent++;
	else
		sim->stats.refused++;
	sim_trace_line(sim, sock->node, "socket %u sends message %u of %u octets: %d", s, number,
		       send->size, ret);
	sim_node_pump(sim, sock->node, sock->shard);
	if (ret == -EAGAIN)
		sock->is_blocked = true;
	else if (ret != 0 && ret != -EHOSTUNREACH && ret != -ENOBUFS)
		sim_violate(sim, "send", "socket %u: send of %u octets returns %d", s, send->size,
			    ret);
	return ret;
}

uint32_t
sim_msg_number(struct rte_mbuf *m, uint32_t payload_bytes)
{
	uint32_t number;

	if (payload_bytes < SIM_MSG_TRACKED_BYTES)
		return SIM_NONE;
	dpt_buf_read(m, dpt_msg_hdr_bytes(dpt_buf_hdr(m)), &number, sizeof(number));
	return number;
}

bool
sim_msg_payload_ok(struct sim *sim, struct rte_mbuf *m, uint32_t number, uint32_t bytes)
{
	static uint8_t got[DPT_PAYLOAD_BYTES_MAX];
	uint32_t head[2] = {number, msg_check_word(sim, number)};

	if (bytes > sizeof(got) || bytes < sizeof(head))
		return false;
	dpt_buf_read(m, dpt_msg_hdr_bytes(dpt_buf_hdr(m)), got, bytes);
	return memcmp(got, head, sizeof(head)) == 0 &&
	       memcmp(got + sizeof(head), msg_pattern(sim, number), bytes - sizeof(head)) == 0;
}
