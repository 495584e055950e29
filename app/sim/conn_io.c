/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an end sends and reads. Octet i of what end e sends is octet (e * 7919 + i) of a
 * table of random octets that repeats; sizes[] has the lengths of its messages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define IO_BURST	4
#define IO_BURST_FLOOD	50
#define IO_SLOW_READ_NS (120 * DPT_NS_PER_MS)
/* A message counted window is 512 of any length: small ones, for the pool's sake. */
#define IO_BYTES_MSG_MODE 1000

/* The table beginning at an offset of the stream of an end; *run: up to where it repeats. */
static const uint8_t *
io_pattern(const struct sim *sim, uint32_t e, uint64_t offset, uint32_t *run)
{
	uint32_t at = (uint32_t)(e * UINT64_C(7919) + offset) & SIM_PATTERN_MASK;

	*run = SIM_PATTERN_MASK + 1 - at;
	return sim->pattern + at;
}

bool
sim_conn_octets_are(const struct sim *sim, uint32_t from, uint64_t offset, const uint8_t *octets,
		    uint32_t bytes)
{
	uint32_t done = 0;

	while (done < bytes) {
		uint32_t run;
		const uint8_t *pattern = io_pattern(sim, from, offset + done, &run);

		run = RTE_MIN(run, bytes - done);
		if (memcmp(octets + done, pattern, run) != 0)
			return false;
		done += run;
	}
	return true;
}

static struct rte_mbuf *
io_build(struct sim *sim, uint32_t e, uint32_t bytes)
{
	struct rte_mbuf *m = dpt_buf_alloc_len(sim->net_pool, bytes);
	uint32_t done = 0;

	while (m != NULL && done < bytes) {
		uint32_t run;
		const uint8_t *pattern = io_pattern(sim, e, sim->ends[e].sent_bytes + done, &run);

		run = RTE_MIN(run, bytes - done);
		dpt_buf_write(m, done, pattern, run);
		done += run;
	}
	return m;
}

uint32_t
sim_conn_size(struct sim *sim, const struct sim_end *end)
{
	struct dpt_rng *rng = &sim->rng_app;
	uint32_t kind = dpt_rng_below(rng, 100);

	if (!end->is_block_flow)
		return 1 + dpt_rng_below(rng, IO_BYTES_MSG_MODE);
	if (kind < 1)
		return 1 + dpt_rng_below(rng, DPT_PAYLOAD_BYTES_MAX);
	if (kind < 70)
		return 1 + dpt_rng_below(rng, 120);
	return 1 + dpt_rng_below(rng, 3000);
}

static void
io_sent(struct sim *sim, uint32_t e, uint32_t bytes, const struct dpt_dest *dest)
{
	struct sim_end *end = &sim->ends[e];

	/* What a SYN carries counts for the peer, but not for the credit. */
	if (dest != NULL)
		end->syn_bytes = bytes + (dest->addrtype == DPT_ADDR_SERVICE ? DPT_HDR_NAMED
									     : DPT_HDR_BASIC);
	else
		end->cost_sent += dpt_sock_cost(end->is_block_flow, DPT_HDR_SHORT, bytes);
	if (bytes == 0) {
		end->empty_cnt++;
		return;
	}
	if (end->sizes_cnt == end->sizes_room) {
		end->sizes_room = end->sizes_room == 0 ? 64 : end->sizes_room * 2;
		end->sizes = realloc(end->sizes, end->sizes_room * sizeof(end->sizes[0]));
		DPT_ASSERT(end->sizes != NULL);
	}
	end->sizes[end->sizes_cnt++] = bytes;
	end->sent_bytes += bytes;
	sim->stats.conn_msgs++;
	sim->stats.conn_bytes += bytes;
}

/* Why a send on a connection may be refused. */
static void
io_refused(struct sim *sim, uint32_t e, int ret, bool is_credit)
{
	struct sim_end *end = &sim->ends[e];
	bool is_congested =
		dpt_sock_is_congested(dpt_stack_socks(sim_end_stack(sim, e)), end->port);

	if (ret == -EAGAIN && !is_credit)
		return;
	if (ret == -EAGAIN && is_congested) {
		end->is_blocked = true;
		return;
	}
	if ((ret == -ENOBUFS || ret == -EAGAIN) && sim->drained_until_ns != 0)
		return;
	/*
	 * The link may go down before the shard of this end hears of it; also some time after the
	 * heal, for what was lost before it.
	 */
	if (ret == -EHOSTUNREACH && end->peer != SIM_NONE &&
	    sim->ends[end->peer].node != end->node &&
	    (sim->is_faulty || sim->now_ns < sim->heal_ns + sim_oracle_late_ns(sim)))
		return;
	sim_violate(sim, "conn send", "end %u: a send %s credit returns %d", e,
		    is_credit ? "within" : "beyond", ret);
}

int
sim_conn_send_one(struct sim *sim, uint32_t e, uint32_t bytes, const struct dpt_dest *dest)
{
	struct sim_end *end = &sim->ends[e];
	struct dpt_send send = {.dest = dest, .importance = end->importance};
	struct rte_mbuf *m;
	struct dpt_sock_conn conn;
	bool is_credit;
	int ret;

	dpt_sock_conn(dpt_stack_socks(sim_end_stack(sim, e)), end->port, &conn);
	is_credit = dest != NULL || (int32_t)(conn.credit - end->cost_sent) >= 0;
	if (!is_credit) {
		end->is_starving = true;
		sim->stats.conn_windows++;
		/* Some do not care. */
		if (!sim_chance(&sim->rng_app, 100000))
			return -EAGAIN;
	}
	m = io_build(sim, e, bytes);
	if (m == NULL) {
		sim_violate(sim, "pool", "no buffer for a message of an end");
		return -ENOBUFS;
	}
	ret = dpt_stack_send(sim_end_stack(sim, e), end->port, &send, m, sim_end_now(sim, e),
			     &sim->out);
	sim_trace_line(sim, end->node, "end %u sends %u octets from %llu on: %d", e, bytes,
		       (unsigned long long)end->sent_bytes, ret);
	if (ret == 0 && !is_credit)
		sim_violate(sim, "conn credit", "end %u may send beyond its credit", e);
	if (ret == 0 && dest == NULL)
		sim_oracle_conn_sent(sim, e);
	if (ret == 0) {
		io_sent(sim, e, bytes, dest);
		if (dest != NULL)
			end->state = DPT_SOCK_STATE_CONNECTING;
	} else if (dest == NULL) {
		io_refused(sim, e, ret, is_credit);
	}
	sim_node_pump(sim, end->node, end->shard);
	return ret;
}

void
sim_conn_send(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];
	uint32_t burst =
		1 + dpt_rng_below(&sim->rng_app, end->is_flooding ? IO_BURST_FLOOD : IO_BURST);
	uint64_t gap_ns = 2 * sim->plan.conn_gap_ns;

	if (sim->now_ns < end->send_due_ns && end->send_due_ns != 0)
		return;
	end->send_due_ns = 0;
	while (burst-- > 0 && !sim->is_failed) {
		if (!end->is_open || !sim->is_talking || end->is_own_end || end->is_leaving ||
		    end->state != DPT_SOCK_STATE_ESTABLISHED)
			return;
		/* What wakes it calls again. */
		if (end->is_blocked || end->is_starving)
			return;
		(void)sim_conn_send_one(
			sim, e, sim_chance(&sim->rng_app, 5000) ? 0 : sim_conn_size(sim, end),
			NULL);
	}
	end->send_due_ns = sim->now_ns + 1 + sim_below(&sim->rng_app, gap_ns);
	sim_at(sim, end->send_due_ns, SIM_EV_CONN_SEND, end->node, e);
}

static void
io_done(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];

	if (end->held == 0)
		return;
	dpt_stack_recv_done(sim_end_stack(sim, e), end->port, end->held, sim_end_now(sim, e),
			    &sim->out);
	end->cost_read += end->costs_held;
	end->held = 0;
	end->costs_held = 0;
}

static void
io_read(struct sim *sim, uint32_t e, uint32_t max)
{
	struct sim_end *end = &sim->ends[e];
	struct dpt_socks *socks = dpt_stack_socks(sim_end_stack(sim, e));
	struct rte_mbuf *m;

	io_done(sim, e);
	while (end->held < max && !sim->is_failed &&
	       (m = dpt_sock_recv_next(socks, end->port)) != NULL) {
		const uint8_t *hdr = dpt_buf_hdr(m);

		end->held++;
		if (dpt_msg_errcode(hdr) != DPT_OK) {
			sim_oracle_conn_ended(sim, e, m);
			continue;
		}
		end->costs_held += dpt_sock_cost(end->is_block_flow, dpt_msg_hdr_bytes(hdr),
						 dpt_msg_payload_bytes(hdr));
		sim_oracle_conn_data(sim, e, m);
	}
	if (!end->is_slow || !sim->is_talking)
		io_done(sim, e);
}

void
sim_conn_read(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];

	end->is_read_due = false;
	if (!end->is_open || end->is_own_end || end->role == SIM_END_LISTENER)
		return;
	io_read(sim, e,
		end->is_slow && sim->is_talking ? 1 + dpt_rng_below(&sim->rng_app, 40)
						: UINT32_MAX);
	if (end->held > 0) {
		end->is_read_due = true;
		sim_conn_at(sim, e, SIM_EV_CONN_READ, sim_below(&sim->rng_app, IO_SLOW_READ_NS));
	}
	if (end->is_end_read && end->state == DPT_SOCK_STATE_DISCONNECTING)
		sim_conn_at(sim, e, SIM_EV_CONN_END, sim_below(&sim->rng_app, 100 * DPT_NS_PER_MS));
	sim_node_pump(sim, end->node, end->shard);
}

/* Nobody is slow any more. */
void
sim_conn_read_all(struct sim *sim)
{
	uint32_t e;

	for (e = 0; e < sim->ends_cnt && !sim->is_failed; e++) {
		if (!sim->ends[e].is_open)
			continue;
		if (sim->ends[e].role == SIM_END_LISTENER)
			sim_conn_accept(sim, e);
		else
			sim_conn_read(sim, e);
	}
}
