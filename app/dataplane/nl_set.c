/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Netlink: what changes the node; bearers and links: nl_set_link.c. 13-netlink.md, 5. The order of
 * checks is the kernel's: what lib/netlink has found wrong behind a check that needs the node's
 * state (req.later_rc) counts at its place. What comes before it has been done then, and stays.
 */
#include <errno.h>
#include <linux/tipc_netlink.h>
#include <string.h>

#include "dpt_records.h"
#include "nl.h"

static void
set_answered(struct netlink_job *job)
{
	netlink_answer(job, job->ask.result, NULL);
}

/* ---- media: 5.12 ---- */

static void
set_media(struct netlink_job *job)
{
	const struct dpt_nl_req *req = &job->req;
	enum media media = netlink_media(req->name);
	struct media_defaults *defaults;

	if (media == MEDIA_CNT) {
		netlink_answer(job, -EINVAL, "Media not found");
		return;
	}
	defaults = &job->nl->conn->control->media[media];
	if (req->has & DPT_NL_HAS_TOL)
		defaults->tolerance_ms = req->tol;
	if (req->has & DPT_NL_HAS_PRIO)
		defaults->priority = req->prio;
	if (req->has & DPT_NL_HAS_WIN)
		defaults->window_pkts = req->win;
	/* (lib/netlink has taken an MTU that is wrong out) */
	if (req->has & DPT_NL_HAS_MTU)
		defaults->mtu_bytes = req->mtu;
	netlink_answer(job, req->later_rc, req->later_text);
}

/* ---- the node: 5.15 ---- */

static void
net_done(struct netlink_job *job)
{
	int rc = job->ask.result;

	if (rc == 0 && job->ask.net.net_id != 0)
		job->nl->conn->control->net_id = job->ask.net.net_id;
	netlink_answer(job, rc != 0 ? rc : job->req.later_rc, NULL);
}

static void
net_known(struct netlink_job *job)
{
	const struct dpt_nl_req *req = &job->req;

	if (job->chunk.own.value != 0) {
		netlink_answer(job, -EPERM, NULL);
		return;
	}
	job->ask = (struct request){.op = REQUEST_NET_SET};
	if (req->has & DPT_NL_HAS_NET_ID)
		job->ask.net.net_id = req->net_id;
	if (req->has & DPT_NL_HAS_ADDR)
		job->ask.net.addr = dpt_node_addr(req->addr);
	if (req->has & DPT_NL_HAS_NODE_ID)
		job->ask.net.id = req->node_id;
	netlink_ask(job, 0, net_done);
}

/* ---- a peer: 5.20 ---- */

static void
set_peer_remove(struct netlink_job *job)
{
	const struct control *control = job->nl->conn->control;
	const struct dpt_nl_req *req = &job->req;
	struct dpt_node_addr peer = dpt_node_addr(req->addr);

	if (req->has & DPT_NL_HAS_NODE_ID)
		peer = dpt_node_id_to_addr(&req->node_id);
	if (req->later_rc != 0 || peer.value == 0) {
		netlink_answer(job, req->later_rc != 0 ? req->later_rc : -EINVAL, NULL);
		return;
	}
	job->ask = (struct request){.op = REQUEST_PEER_REMOVE, .node = peer};
	/* (a node's shard follows from its address and what does not change) */
	netlink_ask(job, dpt_stack_shard_of(control->workers[0].stack, peer), set_answered);
}

/* ---- the monitor: 5.17 ---- */

static void
set_monitor(struct netlink_job *job)
{
	const struct dpt_nl_req *req = &job->req;

	if (req->has & DPT_NL_HAS_THRESHOLD)
		job->nl->conn->control->monitor_threshold = req->threshold;
	netlink_answer(job, 0, NULL);
}

/* ---- keys: 5.23 ---- */

static void
key_known(struct netlink_job *job)
{
	const struct dpt_nl_req *req = &job->req;

	if (dpt_node_id_is_zero(&job->chunk.id))
		netlink_answer(job, -EPERM, "not found own node identity (set id?)");
	else if (req->later_rc != 0)
		netlink_answer(job, req->later_rc, req->later_text);
	else
		netlink_answer(job, -EOPNOTSUPP, "no encryption yet");
}

/* ---- which it is ---- */

void
netlink_set(struct netlink_job *job)
{
	switch (job->req.cmd) {
	case TIPC_NL_BEARER_ENABLE:
		netlink_set_bearer_enable(job);
		return;
	case TIPC_NL_BEARER_DISABLE:
		netlink_set_bearer_disable(job);
		return;
	case TIPC_NL_BEARER_SET:
		netlink_set_bearer(job);
		return;
	case TIPC_NL_BEARER_ADD:
		netlink_set_bearer_add(job);
		return;
	case TIPC_NL_LINK_SET:
		netlink_set_link(job);
		return;
	case TIPC_NL_LINK_RESET_STATS:
		netlink_set_stats_reset(job);
		return;
	case TIPC_NL_MEDIA_SET:
		set_media(job);
		return;
	case TIPC_NL_NET_SET:
		netlink_ask_chunk(job, 0, CHUNK_NODE, net_known);
		return;
	case TIPC_NL_MON_SET:
		set_monitor(job);
		return;
	case TIPC_NL_PEER_REMOVE:
		set_peer_remove(job);
		return;
	case TIPC_NL_KEY_SET:
		netlink_ask_chunk(job, 0, CHUNK_NODE, key_known);
		return;
	case TIPC_NL_KEY_FLUSH: /* there is none */
		netlink_answer(job, 0, NULL);
		return;
	default:
		netlink_answer(job, -EOPNOTSUPP, NULL);
	}
}
