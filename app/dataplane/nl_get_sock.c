/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Netlink: the name table, sockets and their bindings. 13-netlink.md, 5.6, 5.7, 5.16.
 *
 *   names     worker 0's table, piece by piece from a cursor
 *   sockets   the stack's own (worker 0), then those of each attachment (its worker)
 */
#include <errno.h>

#include "nl.h"

enum { PHASE_BEGIN = 0, PHASE_INTERNAL, PHASE_SOCKS, PHASE_NEXT };

/* ---- names ---- */

static bool
name_put(struct netlink_job *job, const struct dpt_binding *binding)
{
	struct dpt_nl_publ publ = {
		.type = binding->range.type,
		.lower = binding->range.lower,
		.upper = binding->range.upper,
		.scope = binding->scope == DPT_SCOPE_NODE ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER,
		.node = binding->node.value,
		.ref = binding->port.ref,
		.key = binding->key,
	};

	return dpt_nl_put_name(&job->out, &job->req, &publ);
}

static enum netlink_step
names_step(struct netlink_job *job)
{
	if (job->phase != PHASE_BEGIN) {
		for (; job->pos < job->chunk.cnt; job->pos++)
			if (!name_put(job, &job->chunk.names[job->pos]))
				return NETLINK_STEP_FULL;
		if (job->chunk.cnt == 0)
			return NETLINK_STEP_END;
	}
	job->phase = PHASE_NEXT;
	netlink_ask_chunk(job, 0, CHUNK_NAMES, NULL);
	return NETLINK_STEP_ASKED;
}

const struct netlink_dump netlink_dump_names = {.step = names_step};

/* ---- sockets ---- */

void
netlink_sock_fill(const struct netlink_job *job, const struct chunk_socket *copy,
		  struct dpt_nl_sock *sock)
{
	const struct dpt_sock_info *info = &copy->info;

	*sock = (struct dpt_nl_sock){
		.ref = copy->port.ref,
		.own = job->chunk.own.value,
		.is_connected = info->state == DPT_SOCK_STATE_ESTABLISHED,
		.has_bindings = info->bindings_cnt > 0,
		.has_conn_name = info->has_conn_name,
		.peer_node = info->peer.node.value,
		.peer_ref = info->peer.port.ref,
		.conn_type = info->conn_type,
		.conn_instance = info->conn_instance,
	};
}

static bool
sock_put(struct netlink_job *job, const struct chunk_socket *copy)
{
	struct dpt_nl_sock sock;

	netlink_sock_fill(job, copy, &sock);
	return dpt_nl_put_sock(&job->out, &job->req, &sock);
}

/* The next piece: ASKED, or END. */
static enum netlink_step
socks_next(struct netlink_job *job)
{
	uint8_t worker = 0;

	if (job->phase == PHASE_INTERNAL && job->chunk.cnt == 0) {
		job->phase = PHASE_SOCKS;
		sock_walk_begin(job->nl->conn->control, &job->socks);
	}
	if (job->phase == PHASE_SOCKS) {
		if (!sock_walk_next(&job->socks, &job->chunk, &worker))
			return NETLINK_STEP_END;
		netlink_ask_chunk(job, worker, CHUNK_SOCKETS, NULL);
		return NETLINK_STEP_ASKED;
	}
	job->phase = PHASE_INTERNAL;
	netlink_ask_chunk(job, 0, CHUNK_INTERNAL, NULL);
	return NETLINK_STEP_ASKED;
}

enum netlink_step
netlink_socks_step(struct netlink_job *job,
		   bool (*put)(struct netlink_job *job, const struct chunk_socket *copy))
{
	for (; job->phase != PHASE_BEGIN && job->pos < job->chunk.cnt; job->pos++) {
		const struct chunk_socket *copy = &job->chunk.sockets[job->pos];

		if (copy->is_there && !put(job, copy))
			return NETLINK_STEP_FULL;
	}
	return socks_next(job);
}

void
netlink_socks_end(struct netlink_job *job)
{
	if (job->phase == PHASE_SOCKS)
		sock_walk_end(&job->socks);
}

static enum netlink_step
socks_step(struct netlink_job *job)
{
	return netlink_socks_step(job, sock_put);
}

const struct netlink_dump netlink_dump_socks = {.step = socks_step, .end = netlink_socks_end};

/* ---- bindings of a socket ---- */

static bool
publ_put(struct netlink_job *job, const struct dpt_binding *binding)
{
	struct dpt_nl_publ publ = {
		.type = binding->range.type,
		.lower = binding->range.lower,
		.upper = binding->range.upper,
		.key = binding->key,
	};

	return dpt_nl_put_publ(&job->out, &job->req, &publ);
}

static enum netlink_step
publs_step(struct netlink_job *job)
{
	struct dpt_port port = dpt_port(job->req.ref);
	uint8_t worker = dpt_port_shard(port);

	if (job->phase == PHASE_BEGIN && worker >= job->nl->conn->control->workers_cnt) {
		job->rc = -EINVAL;
		return NETLINK_STEP_END;
	}
	if (job->phase != PHASE_BEGIN) {
		if (!job->chunk.is_there)
			job->rc = -EINVAL;
		for (; job->pos < job->chunk.cnt; job->pos++)
			if (!publ_put(job, &job->chunk.names[job->pos]))
				return NETLINK_STEP_FULL;
		if (job->chunk.cnt == 0)
			return NETLINK_STEP_END;
	}
	job->phase = PHASE_NEXT;
	job->chunk.port = port;
	netlink_ask_chunk(job, worker, CHUNK_BINDINGS, NULL);
	return NETLINK_STEP_ASKED;
}

const struct netlink_dump netlink_dump_publs = {.step = publs_step};
