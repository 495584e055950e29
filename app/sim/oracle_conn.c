/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections, judged by what applications saw: each end reads a prefix of what the other
 * one sent, message by message; all of it, and then how it ended, unless contact was lost;
 * nobody is left with half a connection; nobody sends beyond the window of its peer, and
 * whoever may send again can. Src: 09-socket-api.md, 9, 11, 14.3, 17, 22.
 */
#include "sim.h"

/* A shard may learn of a lost contact this much later than the one that has the peer. */
#define CONN_SLACK_NS (50 * DPT_NS_PER_MS)
/* Windows. Src: 09-socket-api.md, 11. */
#define CONN_WINDOW_FIRST 128
#define CONN_WINDOW_MSGS  512
#define CONN_BLOCK_RCVBUF 4096

/*
 * A SYN to a name may come by way of a third node, which looked the name up once more, to one
 * that does not see the client's node. Src: 09-socket-api.md, 10.2.2.
 */
static bool
conn_is_named(const struct sim *sim, const struct sim_end *end)
{
	return end->is_by_name || (end->peer != SIM_NONE && sim->ends[end->peer].is_by_name);
}

/* Nothing excuses what is missing between these two ends, or is excused here. */
static bool
conn_is_excused(const struct sim *sim, const struct sim_end *end, uint32_t other_node)
{
	uint64_t slack_ns = CONN_SLACK_NS;
	uint64_t since_ns;

	if ((sim->plan.faults & SIM_FAULT_BIT(STALL)) != 0)
		slack_ns += 2 * sim->plan.tolerance_ms * DPT_NS_PER_MS;
	if (sim->drained_until_ns != 0)
		return true;
	since_ns = end->begun_ns > slack_ns ? end->begun_ns - slack_ns : 0;
	if (conn_is_named(sim, end) &&
	    sim_oracle_apart_since(sim, end->node, end->made_ns == 0 ? SIM_NONE : other_node,
				   since_ns))
		return true;
	if (other_node == SIM_NONE)
		return sim_oracle_any_lost_since(sim, since_ns);
	/* Control may be told before the shard that has the peer shows it. */
	if (end->node != other_node && (!sim->nodes[end->node].is_reported_up[other_node] ||
					!sim->nodes[other_node].is_reported_up[end->node]))
		return true;
	return sim_oracle_lost_since(sim, end->node, other_node, since_ns);
}

/*
 * The newest end that has this address. A listener is given only by target: a node that
 * has crashed may give the same number once more.
 */
static uint32_t
conn_find(const struct sim *sim, uint32_t from, const struct dpt_socket_addr *addr,
	  enum sim_end_role role, uint32_t target)
{
	uint32_t n = addr->node.value == 0 ? from : sim_node_find_any(sim, addr->node);
	uint32_t e;

	for (e = sim->ends_cnt; e-- > 0;) {
		const struct sim_end *end = &sim->ends[e];

		if (end->node != n || end->port.ref != addr->port.ref || end->role != role)
			continue;
		if (target == SIM_NONE || end->target == SIM_NONE || end->target == target)
			return e;
	}
	return SIM_NONE;
}

/* How the connection was asked for is how it is seen: 8.2. */
static void
conn_check_taken(struct sim *sim, uint32_t e, const struct sim_end *client,
		 const struct dpt_sock_conn *conn)
{
	if (conn->importance != client->importance)
		sim_violate(sim, "conn importance", "end %u has importance %u instead of %u", e,
			    conn->importance, client->importance);
	if (conn->has_name != client->is_by_name ||
	    (conn->has_name &&
	     (conn->name_type != client->name_type || conn->name_instance != client->instance)))
		sim_violate(sim, "conn name", "end %u has the name {%u, %u} (%d), wanted {%u, %u}",
			    e, conn->name_type, conn->name_instance, conn->has_name,
			    client->name_type, client->instance);
}

static void
conn_made_accepted(struct sim *sim, uint32_t e, const struct dpt_sock_conn *conn)
{
	struct sim_end *end = &sim->ends[e];
	uint32_t c = conn_find(sim, end->node, &conn->peer, SIM_END_CLIENT, end->target);
	struct sim_end *client = &sim->ends[c];

	if (c == SIM_NONE) {
		sim_violate(sim, "conn made up", "end %u: nobody has connected from %08x:%08x", e,
			    conn->peer.node.value, conn->peer.port.ref);
		return;
	}
	if (client->peer != SIM_NONE)
		sim_violate(sim, "conn once", "ends %u and %u have both accepted end %u",
			    client->peer, e, c);
	client->peer = e;
	end->peer = c;
	/* What has befallen the SYN has befallen the connection. */
	end->begun_ns = client->begun_ns;
	conn_check_taken(sim, e, client, conn);
}

static void
conn_made_client(struct sim *sim, uint32_t e, const struct dpt_sock_conn *conn)
{
	struct sim_end *end = &sim->ends[e];
	uint32_t a = conn_find(sim, end->node, &conn->peer, SIM_END_ACCEPTED, SIM_NONE);

	if (a == SIM_NONE || end->peer != a) {
		sim_violate(sim, "conn made up", "end %u is connected with end %d, accepted by %d",
			    e, (int)a, (int)end->peer);
		return;
	}
	sim->stats.conns_made++;
	sim->stats.conns_with_data += end->sizes_cnt > 0;
	if (end->node == sim->ends[a].node) {
		sim->stats.conns_own++;
		sim->stats.conns_cross += end->shard != sim->ends[a].shard;
	}
	if (conn->importance != end->importance)
		sim_violate(sim, "conn importance", "end %u has importance %u instead of %u", e,
			    conn->importance, end->importance);
	/* Without contact there is no connection, nor a mode. */
	if (conn->state == DPT_SOCK_STATE_ESTABLISHED && !sim->ends[a].is_stillborn &&
	    conn->is_block_flow != sim->ends[a].is_block_flow)
		sim_violate(sim, "conn mode", "ends %u and %u count differently", e, a);
}

void
sim_oracle_conn_made(struct sim *sim, uint32_t e, const struct dpt_sock_conn *conn)
{
	sim->ends[e].made_ns = sim->now_ns;
	sim_hash_u64(sim, (uint64_t)e << 32 | conn->state);
	if (sim->ends[e].role == SIM_END_ACCEPTED)
		conn_made_accepted(sim, e, conn);
	else
		conn_made_client(sim, e, conn);
}

static const uint8_t *
conn_octets(struct rte_mbuf *m, uint32_t bytes)
{
	static uint8_t octets[DPT_PAYLOAD_BYTES_MAX];

	dpt_buf_read(m, dpt_msg_hdr_bytes(dpt_buf_hdr(m)), octets, bytes);
	return octets;
}

void
sim_oracle_conn_data(struct sim *sim, uint32_t e, struct rte_mbuf *m)
{
	struct sim_end *end = &sim->ends[e];
	const struct sim_end *peer = end->peer == SIM_NONE ? NULL : &sim->ends[end->peer];
	uint32_t bytes = dpt_msg_payload_bytes(dpt_buf_hdr(m));

	sim_hash_u64(sim, (uint64_t)e << 40 | bytes);
	sim_hash_u64(sim, sim->now_ns);
	sim_trace_line(sim, end->node, "  end %u reads %u octets at %llu", e, bytes,
		       (unsigned long long)end->read_bytes);
	if (bytes == 0 || end->is_void)
		return;
	if (peer == NULL || end->is_end_read) {
		sim_violate(sim, "conn data", "end %u reads %u octets %s", e, bytes,
			    peer == NULL ? "from nobody" : "after the end");
		return;
	}
	if (bytes > DPT_PAYLOAD_BYTES_MAX || end->read_bytes + bytes > peer->sent_bytes ||
	    !sim_conn_octets_are(sim, end->peer, end->read_bytes, conn_octets(m, bytes), bytes)) {
		/* Messages are lost in any layer then: README.md. */
		end->is_void = sim->drained_until_ns != 0;
		if (end->is_void)
			return;
		sim_violate(sim, "P1 order",
			    "end %u: not the octets %llu to %llu of the %llu that "
			    "end %u has sent",
			    e, (unsigned long long)end->read_bytes,
			    (unsigned long long)(end->read_bytes + bytes),
			    (unsigned long long)peer->sent_bytes, end->peer);
		return;
	}
	if (!peer->is_nagle && peer->sizes[end->read_msgs] != bytes)
		sim_violate(sim, "P1 whole", "end %u: %u octets instead of %u", e, bytes,
			    peer->sizes[end->read_msgs]);
	if (dpt_msg_user(dpt_buf_hdr(m)) != peer->importance)
		sim_violate(sim, "conn importance",
			    "end %u reads a message of importance %u, "
			    "sent with %u",
			    e, dpt_msg_user(dpt_buf_hdr(m)), peer->importance);
	end->read_msgs++;
	end->read_bytes += bytes;
}

/* The connection was not made. */
static void
conn_refused(struct sim *sim, uint32_t e, uint32_t err)
{
	const struct sim_end *end = &sim->ends[e];
	const struct sim_end *to = end->target == SIM_NONE ? NULL : &sim->ends[end->target];

	sim->stats.conns_refused++;
	if (err == DPT_ERR_OVERLOAD)
		sim_violate(sim, "conn refused", "end %u: OVERLOAD ends an attempt", e);
	if (to == NULL || !to->is_open || to->is_shut || to->binds[0].is_pending ||
	    conn_is_excused(sim, end, end->target_node))
		return;
	/* The remote table may not have had the name yet. */
	if (err == DPT_ERR_NO_NAME && end->begun_ns < to->begun_ns + DPT_NS_PER_S)
		return;
	sim_violate(sim, "conn refused", "end %u: code %u, although end %u listens", e, err,
		    end->target);
}

/* Is this how the other end has ended? */
static bool
conn_is_true(const struct sim *sim, const struct sim_end *end, const struct sim_end *peer,
	     uint32_t err)
{
	bool is_lost = conn_is_excused(sim, end, peer->node);

	switch (err) {
	case DPT_ERR_CONN_SHUTDOWN:
		return peer->is_shut && peer->is_own_end;
	case DPT_ERR_NO_PORT:
		return peer->is_own_end || is_lost;
	case DPT_ERR_NO_NODE:
		return peer->node != end->node && is_lost;
	default:
		return false;
	}
}

static void
conn_count(struct sim *sim, uint32_t err)
{
	switch (err) {
	case DPT_ERR_CONN_SHUTDOWN:
		sim->stats.ends_shutdown++;
		break;
	case DPT_ERR_NO_PORT:
		sim->stats.ends_port++;
		break;
	case DPT_ERR_NO_NODE:
		sim->stats.ends_node++;
		break;
	default:
		sim->stats.ends_other++;
		break;
	}
}

/* End e reads how its connection, or its attempt, has ended. */
void
sim_oracle_conn_ended(struct sim *sim, uint32_t e, struct rte_mbuf *m)
{
	struct sim_end *end = &sim->ends[e];
	const struct sim_end *peer = end->peer == SIM_NONE ? NULL : &sim->ends[end->peer];
	uint32_t err = dpt_msg_errcode(dpt_buf_hdr(m));
	uint32_t bytes = dpt_msg_payload_bytes(dpt_buf_hdr(m));

	sim_hash_u64(sim, (uint64_t)e << 40 | err << 8 | 1);
	sim_trace_line(sim, end->node, "  end %u reads the end, code %u, %u octets", e, err, bytes);
	if (end->is_end_read || end->state != DPT_SOCK_STATE_DISCONNECTING ||
	    bytes > DPT_RETURN_BYTES_MAX)
		sim_violate(sim, "conn end", "end %u, state %u: code %u with %u octets%s", e,
			    end->state, err, bytes, end->is_end_read ? " once more" : "");
	end->is_end_read = true;
	end->end_err = (uint8_t)err;
	if (end->made_ns == 0) {
		conn_refused(sim, e, err);
		return;
	}
	conn_count(sim, err);
	if (peer == NULL || !conn_is_true(sim, end, peer, err)) {
		sim_violate(sim, "conn end", "end %u: code %u is not how end %d has ended", e, err,
			    (int)end->peer);
		return;
	}
	if (conn_is_excused(sim, end, peer->node))
		return;
	if (end->read_bytes != peer->sent_bytes)
		sim_violate(sim, "conn whole",
			    "end %u reads the end, code %u, after %llu octets; "
			    "end %u has sent %llu",
			    e, err, (unsigned long long)end->read_bytes, end->peer,
			    (unsigned long long)peer->sent_bytes);
	sim->stats.conn_exact++;
}

void
sim_oracle_conn_aborted(struct sim *sim, uint32_t e)
{
	if (sim->drained_until_ns == 0)
		sim_violate(sim, "conn end", "end %u: aborted", e);
	/* What is queued may be read, or be missing in part. */
	sim->ends[e].is_void = true;
	sim->ends[e].is_end_read = true;
	sim->stats.ends_other++;
}

/* A message was accepted: before it, no more than the window may have been unread. */
void
sim_oracle_conn_sent(struct sim *sim, uint32_t e)
{
	const struct sim_end *end = &sim->ends[e];
	const struct sim_end *peer = end->peer == SIM_NONE ? NULL : &sim->ends[end->peer];
	uint64_t window = CONN_WINDOW_MSGS;
	uint64_t unread;

	if (peer == NULL || end->is_nagle || peer->is_dead)
		return;
	if (end->is_block_flow) {
		window = CONN_WINDOW_FIRST;
		if (peer->cost_read > 0)
			window = RTE_MAX(window,
					 (uint64_t)sim->plan.rcvbuf_bytes / CONN_BLOCK_RCVBUF);
	}
	unread = end->cost_sent - end->empty_cnt - peer->cost_read;
	if (end->syn_bytes > 0)
		unread += dpt_sock_cost(end->is_block_flow, 0, end->syn_bytes);
	if (unread > window)
		sim_violate(sim, "conn window", "end %u sends while %llu of %llu are unread", e,
			    (unsigned long long)unread, (unsigned long long)window);
}

/* SYNs that wait are bounded as all that is received: 14.4. */
void
sim_oracle_conn_listener(struct sim *sim, uint32_t e)
{
	const struct sim_end *end = &sim->ends[e];
	struct dpt_sock_info info;

	if (dpt_sock_info(dpt_stack_socks(sim_end_stack(sim, e)), end->port, &info) != 0)
		return;
	if (info.queued_bytes > (uint64_t)sim->plan.rcvbuf_bytes << DPT_USER_CRITICAL)
		sim_violate(sim, "P7 memory", "end %u: %u SYNs of %u octets wait", e,
			    info.queued_msgs, info.queued_bytes);
}

static bool
conn_say(char *text, size_t text_size, uint32_t e, const struct sim_end *end, const char *what)
{
	snprintf(text, text_size, "end %u, state %u, with end %d: %s", e, end->state,
		 (int)end->peer, what);
	return false;
}

static bool
conn_ok(const struct sim *sim, uint32_t e, char *text, size_t text_size)
{
	const struct sim_end *end = &sim->ends[e];
	const struct sim_end *peer = end->peer == SIM_NONE ? NULL : &sim->ends[end->peer];
	bool is_drained = sim->drained_until_ns != 0;

	if (end->state == DPT_SOCK_STATE_CONNECTING) {
		/* Its node was lost: only its own patience ends that. Src: 22. */
		if (conn_is_excused(sim, end, end->target_node))
			return true;
		return conn_say(text, text_size, e, end, "neither made nor refused");
	}
	if (end->is_leaving)
		return conn_say(text, text_size, e, end, "still wants to end");
	if (end->state == DPT_SOCK_STATE_DISCONNECTING) {
		if (end->is_own_end || end->is_end_read)
			return true;
		return conn_say(text, text_size, e, end, "was not told why");
	}
	if (is_drained)
		return true;
	if (peer == NULL || !peer->is_open || peer->state != DPT_SOCK_STATE_ESTABLISHED)
		return conn_say(text, text_size, e, end, "is connected with nobody");
	if (end->read_bytes != peer->sent_bytes)
		return conn_say(text, text_size, e, end, "has not read all that was sent");
	if (end->is_blocked || end->is_starving)
		return conn_say(text, text_size, e, end,
				end->is_blocked ? "is still blocked" : "has no credit (P8)");
	return true;
}

bool
sim_oracle_conns_ok(struct sim *sim, char *text, size_t text_size)
{
	uint32_t e;

	for (e = 0; e < sim->ends_cnt; e++) {
		if (sim->ends[e].is_open && sim->ends[e].role != SIM_END_LISTENER &&
		    !conn_ok(sim, e, text, text_size))
			return false;
	}
	return true;
}
