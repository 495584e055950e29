/* SPDX-License-Identifier: BSD-3-Clause */
/* How ends end: 09-socket-api.md, 17, with and without unread data. */
#include "sim.h"

/* Src: 09-socket-api.md, 17.1 step 1. */
#define END_LINGER_NS (8 * DPT_NS_PER_S)
#define END_POLL_NS   (10 * DPT_NS_PER_MS)

/* What the application had in hand when it ended. */
static void
end_forget(struct sim *sim, struct sim_end *end)
{
	end->held = 0;
	end->costs_held = 0;
	end->is_blocked = end->is_starving = end->is_leaving = false;
	end->is_own_end = true;
	end->own_end_ns = sim->now_ns;
}

/* The application reads a few octets of the next message, and no more. */
static void
end_partly(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];
	struct dpt_socks *socks = dpt_stack_socks(sim_end_stack(sim, e));

	if (end->held == 0 || end->role == SIM_END_LISTENER || !sim_chance(&sim->rng_app, 300000))
		return;
	dpt_sock_partly_read(socks, end->port);
}

void
sim_conn_close(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];
	uint32_t b;

	if (end->role == SIM_END_CLIENT && end->made_ns == 0 &&
	    end->state == DPT_SOCK_STATE_CONNECTING)
		sim->stats.conns_unfinished++;
	sim_trace_line(sim, end->node, "end %u closes, with %u messages in hand", e, end->held);
	end_partly(sim, e);
	end_forget(sim, end);
	for (b = 0; b < SIM_END_BINDS; b++)
		end->binds[b].is_used = false;
	end->is_open = false;
	dpt_stack_close(sim_end_stack(sim, e), end->port, sim_end_now(sim, e), &sim->out);
	sim_node_pump(sim, end->node, end->shard);
}

static void
end_shutdown(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];

	sim_trace_line(sim, end->node, "end %u shuts down, with %u messages in hand", e, end->held);
	end_partly(sim, e);
	if (end->role != SIM_END_LISTENER)
		end_forget(sim, end);
	end->is_shut = true;
	dpt_stack_shutdown(sim_end_stack(sim, e), end->port, sim_end_now(sim, e), &sim->out);
	sim_node_pump(sim, end->node, end->shard);
	if (end->role == SIM_END_LISTENER)
		return;
	if (dpt_sock_recv_next(dpt_stack_socks(sim_end_stack(sim, e)), end->port) != NULL)
		sim_violate(sim, "conn shutdown", "end %u has something to read afterwards", e);
}

/* Listeners come and go; some refuse what waits first, and listen on. */
static void
end_listener(struct sim *sim, uint32_t e)
{
	if (!sim->is_talking)
		return;
	if (!sim->ends[e].is_shut && sim_chance(&sim->rng_app, 300000)) {
		end_shutdown(sim, e);
		sim_conn_at(sim, e, SIM_EV_CONN_END, sim_below(&sim->rng_app, DPT_NS_PER_S));
		return;
	}
	sim_conn_close(sim, e);
}

/* 17.1 step 1: as long as the data is not on its way, but not for ever. */
static bool
end_may_leave(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];

	if (dpt_sock_can_end(dpt_stack_socks(sim_end_stack(sim, e)), end->port) ||
	    sim->now_ns >= end->leave_by_ns)
		return true;
	sim->stats.conn_lingering++;
	sim_conn_at(sim, e, SIM_EV_CONN_END, END_POLL_NS);
	return false;
}

/* The application wants to end the connection. */
void
sim_conn_leave(struct sim *sim, uint32_t e, bool is_shutting)
{
	struct sim_end *end = &sim->ends[e];

	end->is_leaving = true;
	end->is_shutting = is_shutting;
	end->leave_by_ns = sim->now_ns + END_LINGER_NS;
	sim_trace_line(sim, end->node, "end %u wants to %s", e,
		       is_shutting ? "shut down" : "close");
}

void
sim_conn_end(struct sim *sim, uint32_t e)
{
	struct sim_end *end = &sim->ends[e];

	if (!end->is_open)
		return;
	if (end->role == SIM_END_LISTENER) {
		end_listener(sim, e);
		return;
	}
	if (end->state == DPT_SOCK_STATE_DISCONNECTING) {
		/* What came before the end of the peer is read first. */
		if (end->is_own_end || end->is_end_read)
			sim_conn_close(sim, e);
		return;
	}
	if (!sim->is_talking && !end->is_leaving)
		return;
	if (end->state != DPT_SOCK_STATE_ESTABLISHED) {
		sim_conn_close(sim, e);
		return;
	}
	if (!end->is_leaving)
		sim_conn_leave(sim, e, sim_chance(&sim->rng_app, 500000));
	if (!end_may_leave(sim, e))
		return;
	if (!end->is_shutting) {
		sim_conn_close(sim, e);
		return;
	}
	end_shutdown(sim, e);
	sim_conn_at(sim, e, SIM_EV_CONN_END, sim_below(&sim->rng_app, 300 * DPT_NS_PER_MS));
}

/* Phase 4: each second end closes, and the listeners; then what is left. */
void
sim_conn_close_some(struct sim *sim, bool is_all)
{
	uint32_t e;

	for (e = 0; e < sim->ends_cnt && !sim->is_failed; e++) {
		const struct sim_end *end = &sim->ends[e];

		if (end->is_open && (is_all || end->role != SIM_END_ACCEPTED))
			sim_conn_close(sim, e);
	}
}
