/* SPDX-License-Identifier: BSD-3-Clause */
/* Netlink: what control knows itself, or one worker in one piece. 13-netlink.md, 5. */
#include <errno.h>
#include <linux/tipc_netlink.h>
#include <string.h>

#include "nl.h"

/* ---- bearers and media: 5.4, 5.11, 5.22 ---- */

static const char *const media_names[MEDIA_CNT] = {
	[MEDIA_ETH] = "eth", [MEDIA_IB] = "ib", [MEDIA_UDP] = "udp"};

struct bearer_slot *
netlink_bearer(struct control *control, const char *name)
{
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++)
		if (control->bearers[id].is_ready && strcmp(control->bearers[id].name, name) == 0)
			return &control->bearers[id];
	return NULL;
}

enum media
netlink_media(const char *name)
{
	uint32_t i = 0;

	while (i < MEDIA_CNT && strcmp(media_names[i], name) != 0)
		i++;
	return (enum media)i;
}

static bool
bearer_put(struct dpt_nl_out *out, const struct dpt_nl_req *req, const struct bearer_slot *slot)
{
	struct dpt_nl_bearer bearer = {
		.name = slot->name,
		.props = {.prio = slot->cfg.priority,
			  .tol = slot->cfg.tolerance_ms,
			  .win = slot->cfg.window_max},
	};

	return dpt_nl_put_bearer(out, req, &bearer);
}

static bool
media_put(struct dpt_nl_out *out, const struct dpt_nl_req *req, const struct control *control,
	  enum media media)
{
	const struct media_defaults *defaults = &control->media[media];
	struct dpt_nl_props props = {
		.prio = defaults->priority,
		.tol = defaults->tolerance_ms,
		.win = defaults->window_pkts,
		.mtu = defaults->mtu_bytes,
		.has_mtu = media == MEDIA_UDP,
	};

	return dpt_nl_put_media(out, req, media_names[media], &props);
}

static enum netlink_step
bearers_step(struct netlink_job *job)
{
	const struct control *control = job->nl->conn->control;

	for (; job->idx < DPT_BEARERS_MAX; job->idx++)
		if (control->bearers[job->idx].is_ready &&
		    !bearer_put(&job->out, &job->req, &control->bearers[job->idx]))
			return NETLINK_STEP_FULL;
	return NETLINK_STEP_END;
}

static enum netlink_step
media_step(struct netlink_job *job)
{
	for (; job->idx < MEDIA_CNT; job->idx++)
		if (!media_put(&job->out, &job->req, job->nl->conn->control, (enum media)job->idx))
			return NETLINK_STEP_FULL;
	return NETLINK_STEP_END;
}

/* No bearer has remotes yet: unknown, or not udp. */
static enum netlink_step
remotes_step(struct netlink_job *job)
{
	job->rc = -EINVAL;
	return NETLINK_STEP_END;
}

static void
get_bearer(struct netlink_job *job)
{
	struct bearer_slot *slot = netlink_bearer(job->nl->conn->control, job->req.name);

	if (slot == NULL) {
		netlink_answer(job, -EINVAL, "Bearer not found");
		return;
	}
	(void)bearer_put(&job->nl->out, &job->req, slot);
	netlink_answer(job, 0, NULL);
}

static void
get_media(struct netlink_job *job)
{
	enum media media = netlink_media(job->req.name);

	if (media == MEDIA_CNT) {
		netlink_answer(job, -EINVAL, "Media not found");
		return;
	}
	(void)media_put(&job->nl->out, &job->req, job->nl->conn->control, media);
	netlink_answer(job, 0, NULL);
}

/* ---- the node: 5.14, 5.25 ---- */

static enum netlink_step
net_step(struct netlink_job *job)
{
	if (job->phase == 0) {
		job->phase = 1;
		netlink_ask_chunk(job, 0, CHUNK_NODE, NULL);
		return NETLINK_STEP_ASKED;
	}
	return dpt_nl_put_net(&job->out, &job->req, job->chunk.net_id, &job->chunk.id)
		       ? NETLINK_STEP_END
		       : NETLINK_STEP_FULL;
}

static void
legacy_answered(struct netlink_job *job)
{
	(void)dpt_nl_put_addr_legacy(&job->nl->out, &job->req, job->chunk.is_legacy);
	netlink_answer(job, 0, NULL);
}

/* ---- the tables ---- */

static const struct netlink_dump dump_bearers = {.step = bearers_step};
static const struct netlink_dump dump_media = {.step = media_step};
static const struct netlink_dump dump_net = {.step = net_step};
static const struct netlink_dump dump_remotes = {.step = remotes_step};

const struct netlink_dump *
netlink_dump_of(uint8_t cmd)
{
	switch (cmd) {
	case TIPC_NL_BEARER_GET:
		return &dump_bearers;
	case TIPC_NL_SOCK_GET:
		return &netlink_dump_socks;
	case TIPC_NL_PUBL_GET:
		return &netlink_dump_publs;
	case TIPC_NL_LINK_GET:
		return &netlink_dump_links;
	case TIPC_NL_MEDIA_GET:
		return &dump_media;
	case TIPC_NL_NODE_GET:
		return &netlink_dump_nodes;
	case TIPC_NL_NET_GET:
		return &dump_net;
	case TIPC_NL_NAME_TABLE_GET:
		return &netlink_dump_names;
	case TIPC_NL_MON_GET:
		return &netlink_dump_monitors;
	case TIPC_NL_MON_PEER_GET:
		return &netlink_dump_monitor_peers;
	case TIPC_NL_UDP_GET_REMOTEIP:
		return &dump_remotes;
	default:
		return NULL;
	}
}

bool
netlink_get(struct netlink_job *job)
{
	switch (job->req.cmd) {
	case TIPC_NL_BEARER_GET:
		get_bearer(job);
		return true;
	case TIPC_NL_MEDIA_GET:
		get_media(job);
		return true;
	case TIPC_NL_LINK_GET:
		netlink_get_link(job);
		return true;
	case TIPC_NL_MON_GET:
		(void)dpt_nl_put_threshold(&job->nl->out, &job->req,
					   job->nl->conn->control->monitor_threshold);
		netlink_answer(job, 0, NULL);
		return true;
	case TIPC_NL_ADDR_LEGACY_GET:
		netlink_ask_chunk(job, 0, CHUNK_NODE, legacy_answered);
		return true;
	default:
		return false;
	}
}
