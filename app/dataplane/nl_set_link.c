/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Netlink: changes of bearers and links. 13-netlink.md, 5.2, 5.3, 5.5, 5.9, 5.10, 5.21. Bearers
 * come and go by bearers.c, properties change by link_set.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "nl.h"

#define BEARER_UNKNOWN "Bearer not found"
/* Lowest priority of a link: with 0 a node counts as down although its link is up. So 0, which the
 * kernel takes, becomes 1. Src: 03-link-node.md, hazard 12. */
#define LINK_PRIORITY_MIN 1

/* ---- enable, disable: 5.2, 5.3 ---- */

/* A media without a driver says so last: what was wrong with its own options comes before. */
static void
bearer_changed(struct bearer_change *change, int rc, const char *text)
{
	struct netlink_job *job = change->owner;

	if (rc == -EOPNOTSUPP && job->req.later_rc != 0)
		netlink_answer(job, job->req.later_rc, job->req.later_text);
	else
		netlink_answer(job, rc, text);
}

static void
bearer_change(struct netlink_job *job, bool is_disable)
{
	struct bearer_change *change = &job->bearer;

	change->is_disable = is_disable;
	change->done = bearer_changed;
	change->owner = job;
	snprintf(change->bearer.name, sizeof(change->bearer.name), "%s", job->req.name);
	netlink_wait(job);
	bearers_change(job->nl->conn->control, change);
}

void
netlink_set_bearer_disable(struct netlink_job *job)
{
	bearer_change(job, true);
}

void
netlink_set_bearer_enable(struct netlink_job *job)
{
	const struct dpt_nl_req *req = &job->req;

	if (req->has & DPT_NL_HAS_PRIO)
		job->bearer.bearer.priority = RTE_MAX(req->prio, (uint32_t)LINK_PRIORITY_MIN);
	job->bearer.bearer.domain = req->domain;
	bearer_change(job, false);
}

/* ---- properties: 5.5, 5.9 ---- */

/* The window of a link ends where its rings do. */
static uint32_t
window_of(const struct dpt_nl_req *req)
{
	uint64_t min, max = UINT32_MAX;

	args_range("window", &min, &max);
	return (uint32_t)RTE_MIN(req->win, max);
}

static void
link_words(struct netlink_job *job)
{
	const struct dpt_nl_req *req = &job->req;
	uint32_t *words = job->link.words;

	if (req->has & DPT_NL_HAS_TOL)
		words[LINK_TOLERANCE] = req->tol;
	if (req->has & DPT_NL_HAS_PRIO)
		words[LINK_PRIORITY] = RTE_MAX(req->prio, (uint32_t)LINK_PRIORITY_MIN);
	if (req->has & DPT_NL_HAS_WIN)
		words[LINK_WINDOW] = window_of(req);
}

static void
link_change_begin(struct netlink_job *job,
		  void (*done)(struct link_change *change, int rc, const char *text))
{
	struct link_change *change = &job->link;

	change->control = job->nl->conn->control;
	change->name = job->req.name;
	change->is_empty = true;
	change->done = done;
	change->owner = job;
	link_words(job);
	netlink_wait(job);
	link_change(change);
}

/* What was applied before an error stays. */
static void
bearer_set_done(struct link_change *change, int rc, const char *text)
{
	struct netlink_job *job = change->owner;

	(void)text;
	if (rc == -ENOENT)
		netlink_answer(job, -EINVAL, BEARER_UNKNOWN);
	else if (rc != 0)
		netlink_answer(job, rc, NULL);
	else
		netlink_answer(job, job->req.later_rc, job->req.later_text);
}

void
netlink_set_bearer(struct netlink_job *job)
{
	job->link.is_bearer = true;
	job->link.is_later = true;
	link_change_begin(job, bearer_set_done);
}

static void
link_set_done(struct link_change *change, int rc, const char *text)
{
	struct netlink_job *job = change->owner;

	(void)text;
	if (rc == -ENOENT)
		rc = -EINVAL;
	netlink_answer(job, rc != 0 ? rc : job->req.later_rc, NULL);
}

static void
bcast_set_done(struct netlink_job *job)
{
	int rc = job->ask.result;

	netlink_answer(job, rc != 0 ? rc : job->req.later_rc, NULL);
}

static void
set_bcast_link(struct netlink_job *job)
{
	const struct dpt_nl_req *req = &job->req;

	job->ask = (struct request){.op = REQUEST_BCAST_SET};
	if (req->has & DPT_NL_HAS_BCAST)
		job->ask.bcast.method = req->bcast;
	if (req->has & DPT_NL_HAS_RATIO)
		job->ask.bcast.ratio = req->ratio;
	if (req->has & DPT_NL_HAS_WIN)
		job->ask.bcast.window = req->win;
	netlink_ask(job, 0, bcast_set_done);
}

void
netlink_set_link(struct netlink_job *job)
{
	if (strcmp(job->req.name, NETLINK_BCAST_LINK) == 0) {
		set_bcast_link(job);
		return;
	}
	job->link.is_link = true;
	link_change_begin(job, link_set_done);
}

/* ---- remotes: 5.21 ---- */

void
netlink_set_bearer_add(struct netlink_job *job)
{
	const char *text = "UDP option is unsupported";

	if (netlink_bearer(job->nl->conn->control, job->req.name) == NULL)
		text = BEARER_UNKNOWN;
	else if ((job->req.has & DPT_NL_HAS_UDP_OPTS) == 0)
		text = NULL;
	netlink_answer(job, text != NULL ? -EINVAL : 0, text);
}

/* ---- statistics: 5.10 ---- */

static void
reset_done(struct netlink_job *job)
{
	netlink_answer(job, job->ask.result == -ENOENT ? -EINVAL : job->ask.result, NULL);
}

static void
reset_link_found(struct netlink_job *job, const struct chunk_link *link)
{
	job->ask = (struct request){.op = REQUEST_LINK_STATS_RESET,
				    .node = link->peer,
				    .bearer.bearer_id = link->info.bearer_id};
	netlink_ask(job, job->worker, reset_done);
}

/* A piece of all peers of all workers. */
static void
reset_bcast_answered(struct netlink_job *job)
{
	const struct chunk *chunk = &job->chunk;

	for (uint32_t i = 0; i < chunk->cnt; i++) {
		char name[DPT_LINK_NAME_BYTES];

		netlink_bcast_name(chunk->peers[i].addr, &chunk->peers[i].id, name);
		if (strcmp(name, job->req.name) != 0)
			continue;
		job->ask = (struct request){.op = REQUEST_BCAST_STATS_RESET,
					    .node = chunk->peers[i].addr};
		netlink_ask(job, job->worker, reset_done);
		return;
	}
	if (!netlink_ask_next(job, netlink_peers_is_more(chunk), CHUNK_PEERS, reset_bcast_answered))
		netlink_answer(job, -EINVAL, NULL);
}

void
netlink_set_stats_reset(struct netlink_job *job)
{
	if (strcmp(job->req.name, NETLINK_BCAST_LINK) == 0) {
		job->ask = (struct request){.op = REQUEST_BCAST_STATS_RESET};
		netlink_ask(job, 0, reset_done);
	} else if (strstr(job->req.name, NETLINK_BCAST_LINK) != NULL) {
		netlink_ask_chunk(job, 0, CHUNK_PEERS, reset_bcast_answered);
	} else {
		netlink_find_link(job, reset_link_found);
	}
}
