/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The topology server: sockets for the engine of lib/names. 05-topology-service.md, 1, 4, 6
 * and 11. Shard 0 only; clients of other shards and nodes come by ordinary connections.
 *
 *   listener, bound to {1, 1, 1} --accept--> connection <--> struct dpt_topo_conn (its cookie)
 *   message of a client --> dpt_topo_request
 *   dpt_topo_event --> sent, as far as the window and the links have room; then it waits
 *   fault, or the client is gone --> dpt_topo_close, shutdown, close
 *
 * Timers: those of subscriptions, and the retry when the pool had no buffer for an event.
 */

#include <errno.h>

#include "stack_priv.h"

/* Connections of the server at a time, events of all of them. Our choice. */
#define TOPOLOGY_CONNS_MAX  4096
#define TOPOLOGY_EVENTS_MAX (2 * DPT_TOPO_CONN_EVENTS_MAX)

/* An event without a buffer is tried again after this time. Our choice. */
#define TOPOLOGY_RETRY_NS (10 * DPT_NS_PER_MS)

static uint32_t
or_default(uint32_t value, uint32_t otherwise)
{
	return value != 0 ? value : otherwise;
}

uint32_t
stack_topology_subs_max(const struct dpt_stack_cfg *cfg)
{
	return cfg->shard == 0 ? or_default(cfg->topo_subs_max, DPT_TOPO_SUBS_MAX) : 0;
}

static struct dpt_topo_cfg
topology_cfg(const struct dpt_stack_cfg *cfg)
{
	return (struct dpt_topo_cfg){
		.rng = cfg->env.rng,
		.subs_max = stack_topology_subs_max(cfg),
		.remote_subs_max = or_default(cfg->topo_remote_subs_max, DPT_TOPO_REMOTE_SUBS_MAX),
		.conns_max = or_default(cfg->topo_conns_max, TOPOLOGY_CONNS_MAX),
		.events_max = or_default(cfg->topo_events_max, TOPOLOGY_EVENTS_MAX),
		.conn_events_max = DPT_TOPO_CONN_EVENTS_MAX,
	};
}

size_t
stack_topology_size(const struct dpt_stack_cfg *cfg)
{
	struct dpt_topo_cfg topo = topology_cfg(cfg);

	return dpt_topo_size(&topo);
}

void
stack_topology_init(struct dpt_stack *stack, struct dpt_topo *topo, uint64_t now_ns)
{
	struct dpt_topo_cfg cfg = topology_cfg(&stack->cfg);

	cfg.names = stack->names;
	cfg.counters = &stack->counters.topology;
	stack->topo = topo;
	stack->topo_retry_ns = DPT_NEVER_NS;
	dpt_topo_init(topo, &cfg, now_ns);
}

/* Before the node has an address: the table and the sockets fill it in later. */
void
stack_topology_start(struct dpt_stack *stack, uint64_t now_ns)
{
	const struct dpt_range range = {.type = DPT_NAME_TYPE_TOPOLOGY, .lower = 1, .upper = 1};
	struct dpt_binding binding;

	if (dpt_sock_open(stack->socks, DPT_SOCK_SEQPACKET, 0, &stack->topo_port) != 0)
		return; /* sockets_max has room for this one, bindings_max for its binding */
	dpt_sock_internal_set(stack->socks, stack->topo_port);
	(void)dpt_sock_listen(stack->socks, stack->topo_port);
	if (dpt_sock_bind(stack->socks, stack->topo_port, &range, DPT_SCOPE_NODE, &binding) == 0)
		stack_names_binding(stack, &binding, false, now_ns);
}

/* ---- a connection ---- */

static void
conn_end(struct dpt_stack *stack, struct dpt_port port, struct dpt_topo_conn conn, uint64_t now_ns)
{
	dpt_topo_close(stack->topo, conn);
	dpt_sock_shutdown(stack->socks, port, &stack->routed);
	dpt_sock_close(stack->socks, port, &stack->routed);
	stack_route(stack, dpt_port(0), now_ns);
}

/* One message of a client. false: it was the end of the connection. */
static bool
conn_message(struct dpt_stack *stack, struct dpt_topo_conn conn, struct rte_mbuf *m,
	     uint64_t now_ns)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t bytes = dpt_msg_payload_bytes(hdr);
	uint8_t rec[DPT_TOPO_SUB_BYTES] = {0};

	if (dpt_msg_errcode(hdr) != DPT_OK)
		return false;
	/* Src: 05-topology-service.md, 4: does nothing. */
	if (bytes == 0)
		return true;
	dpt_buf_read(m, dpt_msg_hdr_bytes(hdr), rec, RTE_MIN(bytes, (uint32_t)sizeof(rec)));
	dpt_topo_request(stack->topo, conn, rec, bytes, now_ns);
	return true;
}

/* false: the connection is at its end. */
static bool
conn_receive(struct dpt_stack *stack, struct dpt_port port, struct dpt_topo_conn conn,
	     uint64_t now_ns)
{
	struct rte_mbuf *m;
	bool is_alive = true;

	while (is_alive && (m = dpt_sock_recv_next(stack->socks, port)) != NULL) {
		is_alive = conn_message(stack, conn, m, now_ns) &&
			   !dpt_topo_is_broken(stack->topo, conn);
		dpt_sock_recv_done(stack->socks, port, 1, &stack->routed);
		stack_route(stack, dpt_port(0), now_ns);
	}
	return is_alive;
}

/* Events, as long as they can go. Returns 0, or the error that ends the connection. */
static int
conn_send(struct dpt_stack *stack, struct dpt_port port, struct dpt_topo_conn conn,
	  uint8_t importance, uint64_t now_ns)
{
	struct dpt_topology_counters *counters = &stack->counters.topology;
	struct dpt_send send = {.importance = importance};
	const uint8_t *rec;

	while ((rec = dpt_topo_event(stack->topo, conn)) != NULL) {
		struct rte_mbuf *m = dpt_buf_alloc_len(stack->cfg.env.pool, DPT_TOPO_EVENT_BYTES);
		int rc, tx;

		if (m == NULL) {
			counters->send_no_buffer++;
			stack->topo_retry_ns = now_ns + TOPOLOGY_RETRY_NS;
			dpt_topo_ready_again(stack->topo, conn);
			return 0;
		}
		dpt_buf_write(m, 0, rec, DPT_TOPO_EVENT_BYTES);
		rc = dpt_sock_send(stack->socks, port, &send, m, now_ns, &stack->routed);
		tx = stack_route(stack, port, now_ns);
		/* The socket comes out of dpt_sock_internal_pop when there is room. */
		if (rc == -EAGAIN) {
			counters->send_waits++;
			return 0;
		}
		if (rc != 0 || tx < 0)
			return rc != 0 ? rc : tx;
		dpt_topo_event_done(stack->topo, conn);
	}
	return 0;
}

static void
conn_serve(struct dpt_stack *stack, struct dpt_port port, struct dpt_topo_conn conn,
	   uint64_t now_ns)
{
	struct dpt_sock_conn state;
	bool is_alive = conn_receive(stack, port, conn, now_ns);

	dpt_sock_conn(stack->socks, port, &state);
	if (!is_alive || state.state != DPT_SOCK_STATE_ESTABLISHED ||
	    dpt_topo_is_broken(stack->topo, conn)) {
		conn_end(stack, port, conn, now_ns);
		return;
	}
	if (conn_send(stack, port, conn, state.importance, now_ns) == 0)
		return;
	dpt_topo_fail(stack->topo, conn);
	conn_end(stack, port, conn, now_ns);
}

/* Take the connection that waits first. false: none does. */
static bool
accept_one(struct dpt_stack *stack, uint64_t now_ns)
{
	struct dpt_topo_conn conn = {0};
	bool is_refused = dpt_topo_open(stack->topo, &conn) != 0;
	struct dpt_sock_conn state;
	struct dpt_port port;

	if (dpt_sock_accept(stack->socks, stack->topo_port, conn.value, now_ns, &port,
			    &stack->routed) != 0) {
		dpt_topo_abandon(stack->topo, conn);
		return false;
	}
	dpt_sock_internal_set(stack->socks, port);
	stack_route(stack, dpt_port(0), now_ns);
	if (is_refused) {
		stack->counters.topology.connections_refused++;
		conn_end(stack, port, conn, now_ns);
		return true;
	}
	dpt_sock_conn(stack->socks, port, &state);
	dpt_topo_client_set(stack->topo, conn, port.ref,
			    state.peer.node.value != 0 &&
				    state.peer.node.value != stack->own.value);
	/* The connection request may have carried the first record: 4. */
	conn_serve(stack, port, conn, now_ns);
	return true;
}

bool
stack_topology_run(struct dpt_stack *stack, uint64_t now_ns)
{
	struct dpt_topo_conn conn;
	struct dpt_port port;
	bool has_worked = false;
	uint64_t cookie;

	if (stack->topo == NULL)
		return false;
	while (dpt_sock_internal_pop(stack->socks, &port, &cookie)) {
		has_worked = true;
		conn.value = (uint32_t)cookie;
		if (port.ref != stack->topo_port.ref)
			conn_serve(stack, port, conn, now_ns);
		else
			while (accept_one(stack, now_ns))
				;
	}
	while (stack->topo_retry_ns == DPT_NEVER_NS &&
	       dpt_topo_ready_pop(stack->topo, &conn, &cookie)) {
		has_worked = true;
		conn_serve(stack, dpt_port((uint32_t)cookie), conn, now_ns);
	}
	return has_worked;
}

void
stack_topology_timeout(struct dpt_stack *stack, uint64_t now_ns)
{
	dpt_topo_timeout(stack->topo, now_ns);
	if (stack->topo_retry_ns <= now_ns)
		stack->topo_retry_ns = DPT_NEVER_NS;
}

uint64_t
stack_topology_deadline_ns(const struct dpt_stack *stack)
{
	return RTE_MIN(stack->topo_retry_ns, dpt_topo_deadline_ns(stack->topo));
}
