/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Netlink: peer nodes, their links, the monitors. 13-netlink.md, 5.8, 5.13, 5.18, 5.19.
 *
 * What goes by ascending address over all workers begins with a snapshot of the peers, small
 * pieces of each worker sorted here. Links are then asked for peer by peer, of its worker: one
 * that has gone meanwhile has none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpt_records.h"
#include "nl.h"

/* Identities longer than that are named by the address. Src: 11-management.md, C2. */
#define LINK_ID_TEXT_MAX 16

/* Phases of a dump, in order. The first ones are those of the snapshot. */
enum {
	PHASE_BEGIN = 0,
	PHASE_NODES, /* a piece of the snapshot has come */
	PHASE_READY, /* all of it */
	PHASE_BCAST, /* the sending broadcast link has come */
	PHASE_NEXT,  /* ask for a peer */
	PHASE_LINKS, /* its links have come */
};

/* ---- the snapshot ---- */

static int
node_cmp(const void *a, const void *b)
{
	uint32_t left = ((const struct netlink_node *)a)->addr;
	uint32_t right = ((const struct netlink_node *)b)->addr;

	return left < right ? -1 : left > right;
}

/* Returns 0 or -ENOMEM. At most --nodes of each worker. */
static int
nodes_add(struct netlink_job *job)
{
	const struct chunk *chunk = &job->chunk;
	struct netlink_node *nodes =
		realloc(job->nodes, (job->nodes_cnt + chunk->cnt + 1) * sizeof(*nodes));

	if (nodes == NULL)
		return -ENOMEM;
	job->nodes = nodes;
	for (uint32_t i = 0; i < chunk->cnt; i++)
		nodes[job->nodes_cnt++] = (struct netlink_node){
			.addr = chunk->peers[i].addr.value,
			.links_mask = chunk->peers[i].links_mask,
			.up_mask = chunk->peers[i].up_mask,
		};
	return 0;
}

bool
netlink_peers_is_more(const struct chunk *chunk)
{
	/* (the address behind the last one is 0) */
	return chunk->cnt == CHUNK_PEERS_CNT && chunk->cursor != 0;
}

/* END: the snapshot is there. */
static enum netlink_step
nodes_step(struct netlink_job *job)
{
	if (job->phase == PHASE_BEGIN) {
		job->phase = PHASE_NODES;
		job->chunk.cursor = 0;
		netlink_ask_chunk(job, 0, CHUNK_PEERS, NULL);
		return NETLINK_STEP_ASKED;
	}
	if (job->phase != PHASE_NODES)
		return NETLINK_STEP_END;
	job->rc = nodes_add(job);
	if (job->rc == 0 &&
	    netlink_ask_next(job, netlink_peers_is_more(&job->chunk), CHUNK_PEERS, NULL))
		return NETLINK_STEP_ASKED;
	qsort(job->nodes, job->nodes_cnt, sizeof(*job->nodes), node_cmp);
	job->phase = PHASE_READY;
	return NETLINK_STEP_END;
}

/* ---- nodes ---- */

static enum netlink_step
node_list_step(struct netlink_job *job)
{
	if (nodes_step(job) == NETLINK_STEP_ASKED)
		return NETLINK_STEP_ASKED;
	for (; job->idx < job->nodes_cnt; job->idx++)
		if (!dpt_nl_put_node(&job->out, &job->req, job->nodes[job->idx].addr,
				     job->nodes[job->idx].up_mask != 0))
			return NETLINK_STEP_FULL;
	return NETLINK_STEP_END;
}

const struct netlink_dump netlink_dump_nodes = {.step = node_list_step};

/* ---- links ---- */

void
netlink_bcast_name(struct dpt_node_addr peer, const struct dpt_node_id *id,
		   char name[DPT_LINK_NAME_BYTES])
{
	char text[DPT_NODE_ID_TEXT_BYTES];

	dpt_node_id_print(id, text);
	if (text[0] == '\0' || strlen(text) > LINK_ID_TEXT_MAX)
		snprintf(text, sizeof(text), "%x", peer.value);
	snprintf(name, DPT_LINK_NAME_BYTES, NETLINK_BCAST_LINK ":%s", text);
}

static bool
link_put(struct dpt_nl_out *out, const struct netlink_job *job, const struct chunk_link *link)
{
	const struct dpt_link_info *info = &link->info;
	struct dpt_nl_link msg = {
		.name = info->name,
		.dest = job->chunk.own.value,
		.mtu = info->mtu,
		.rx = (uint32_t)info->counters.recv_pkts,
		.tx = (uint32_t)info->counters.sent_pkts,
		.is_up = info->is_up,
		.is_active = info->is_active,
		.props = {.prio = info->priority, .tol = info->tolerance_ms, .win = info->window},
	};

	_Static_assert(DPT_STACK_LINK_STATS == DPT_NL_STATS_CNT + 1, "numbers of a link");
	dpt_stack_link_stats(info, msg.stats);
	return dpt_nl_put_link(out, &job->req, &msg);
}

static bool
bcast_put(struct dpt_nl_out *out, const struct netlink_job *job, const char *name)
{
	const struct dpt_stack_bcast_info *info = &job->chunk.bcast;
	struct dpt_nl_bcast_link msg = {
		.name = name,
		.win = info->window,
		.method = info->method,
		.ratio = info->ratio,
	};

	memcpy(msg.stats, info->stats, sizeof(msg.stats));
	return dpt_nl_put_bcast_link(out, &job->req, &msg);
}

/* The links of one peer, then what is received of its broadcasts. false: does not fit. */
static bool
peer_put(struct netlink_job *job)
{
	const struct chunk *chunk = &job->chunk;
	char name[DPT_LINK_NAME_BYTES];

	for (; job->pos < chunk->cnt; job->pos++)
		if (!link_put(&job->out, job, &chunk->links[job->pos]))
			return false;
	if (!chunk->has_bcast || (job->req.has & DPT_NL_HAS_BCAST_LINKS) == 0)
		return true;
	netlink_bcast_name(chunk->node, &chunk->id, name);
	return bcast_put(&job->out, job, name);
}

static enum netlink_step
link_list_step(struct netlink_job *job)
{
	const struct control *control = job->nl->conn->control;

	if (nodes_step(job) == NETLINK_STEP_ASKED)
		return NETLINK_STEP_ASKED;
	if (job->phase == PHASE_READY) {
		job->phase = PHASE_BCAST;
		netlink_ask_chunk(job, 0, CHUNK_BCAST, NULL);
		return NETLINK_STEP_ASKED;
	}
	if (job->phase == PHASE_BCAST) {
		if (!bcast_put(&job->out, job, NETLINK_BCAST_LINK))
			return NETLINK_STEP_FULL;
		job->phase = PHASE_NEXT;
	}
	if (job->phase == PHASE_LINKS) {
		if (!peer_put(job))
			return NETLINK_STEP_FULL;
		job->phase = PHASE_NEXT;
	}
	if (job->idx == job->nodes_cnt)
		return NETLINK_STEP_END;
	job->chunk.node = dpt_node_addr(job->nodes[job->idx++].addr);
	job->phase = PHASE_LINKS;
	/* (a node's shard follows from its address and what does not change) */
	netlink_ask_chunk(job, dpt_stack_shard_of(control->workers[0].stack, job->chunk.node),
			  CHUNK_PEER, NULL);
	return NETLINK_STEP_ASKED;
}

const struct netlink_dump netlink_dump_links = {.step = link_list_step};

/* ---- one link ---- */

static void
bcast_answered(struct netlink_job *job)
{
	(void)bcast_put(&job->nl->out, job, NETLINK_BCAST_LINK);
	netlink_answer(job, 0, NULL);
}

/* A piece of all links of all workers. */
static void
links_answered(struct netlink_job *job)
{
	for (uint32_t i = 0; i < job->chunk.cnt; i++) {
		if (strcmp(job->chunk.links[i].info.name, job->req.name) != 0)
			continue;
		job->found(job, &job->chunk.links[i]);
		return;
	}
	if (!netlink_ask_next(job, job->chunk.cursor != UINT32_MAX, CHUNK_LINKS, links_answered))
		netlink_answer(job, -EINVAL, NULL);
}

void
netlink_find_link(struct netlink_job *job,
		  void (*found)(struct netlink_job *job, const struct chunk_link *link))
{
	job->found = found;
	job->chunk.cursor = 0;
	netlink_ask_chunk(job, 0, CHUNK_LINKS, links_answered);
}

static void
link_found(struct netlink_job *job, const struct chunk_link *link)
{
	(void)link_put(&job->nl->out, job, link);
	netlink_answer(job, 0, NULL);
}

void
netlink_get_link(struct netlink_job *job)
{
	if (strcmp(job->req.name, NETLINK_BCAST_LINK) == 0)
		netlink_ask_chunk(job, 0, CHUNK_BCAST, bcast_answered);
	else
		netlink_find_link(job, link_found);
}

/* ---- monitors ---- */

/*
 * There is no overlapping ring: every node watches every peer itself. So a monitor is never
 * active, and each peer that has a link on the bearer is in the own domain. Domain records, which
 * only a ring needs, there are none.
 */
static enum netlink_step
monitor_list_step(struct netlink_job *job)
{
	const struct control *control = job->nl->conn->control;
	uint32_t generation =
		atomic_load_explicit(&control->workers[0].links_gen, memory_order_relaxed);

	if (nodes_step(job) == NETLINK_STEP_ASKED)
		return NETLINK_STEP_ASKED;
	for (; job->idx < DPT_BEARERS_MAX; job->idx++) {
		const struct bearer_slot *slot = &control->bearers[job->idx];
		struct dpt_nl_monitor monitor = {
			.ref = job->idx,
			.bearer = slot->name,
			.peers_cnt = 1,
			.generation = (uint16_t)generation,
		};

		for (uint32_t i = 0; i < job->nodes_cnt; i++)
			monitor.peers_cnt += (job->nodes[i].links_mask >> job->idx) & 1;
		if (slot->is_ready && !dpt_nl_put_monitor(&job->out, &job->req, &monitor))
			return NETLINK_STEP_FULL;
	}
	return NETLINK_STEP_END;
}

const struct netlink_dump netlink_dump_monitors = {.step = monitor_list_step};

/* Place of the first peer behind the own address: there the round begins. */
static uint32_t
round_begin(const struct netlink_job *job)
{
	uint32_t i = 0;

	while (i < job->nodes_cnt && job->nodes[i].addr < job->chunk.own.value)
		i++;
	return i;
}

static enum netlink_step
monitor_peers_step(struct netlink_job *job)
{
	const struct control *control = job->nl->conn->control;
	uint32_t first;

	if (nodes_step(job) == NETLINK_STEP_ASKED)
		return NETLINK_STEP_ASKED;
	if (job->req.ref >= DPT_BEARERS_MAX)
		job->rc = -EINVAL;
	if (job->rc != 0 || !control->bearers[job->req.ref].is_ready)
		return NETLINK_STEP_END;
	first = round_begin(job);
	for (; job->idx <= job->nodes_cnt; job->idx++) {
		struct dpt_nl_monitor_peer peer = {
			.addr = job->chunk.own.value, .is_up = true, .is_head = true};

		if (job->idx > 0) {
			const struct netlink_node *node =
				&job->nodes[(first + job->idx - 1) % job->nodes_cnt];

			if (((node->links_mask >> job->req.ref) & 1) == 0)
				continue;
			peer.addr = node->addr;
			peer.is_up = (node->up_mask >> job->req.ref) & 1;
			peer.is_head = false;
			peer.is_local = true;
		}
		if (!dpt_nl_put_monitor_peer(&job->out, &job->req, &peer))
			return NETLINK_STEP_FULL;
	}
	return NETLINK_STEP_END;
}

const struct netlink_dump netlink_dump_monitor_peers = {.step = monitor_peers_step};
