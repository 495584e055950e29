/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of clients: subscribe, cancel. 05-topology-service.md, 3 and 4. */
#include <string.h>

#include <rte_byteorder.h>

#include "dpt_time.h"
#include "topology_priv.h"

/* Fields of a subscription, in words. */
enum sub_word { SUB_TYPE, SUB_LOWER, SUB_UPPER, SUB_TIMEOUT, SUB_FILTER, SUB_WORDS };

#define SUB_WAIT_FOREVER UINT32_MAX
/* Of these one must be there, read in the right byte order: 3.1. */
#define SUB_FILTER_KNOWN (DPT_TOPO_PORTS | DPT_TOPO_SERVICE | DPT_TOPO_CANCEL)

struct request {
	uint32_t words[SUB_WORDS];
	bool is_swapped;
};

static void
request_decode(struct request *req, const uint8_t raw[DPT_TOPO_SUB_BYTES])
{
	memcpy(req->words, raw, sizeof(req->words));
	req->is_swapped = (req->words[SUB_FILTER] & SUB_FILTER_KNOWN) == 0;
	for (uint32_t i = 0; i < SUB_WORDS && req->is_swapped; i++)
		req->words[i] = rte_bswap32(req->words[i]);
}

static struct names_subs *
raw_slot(const struct dpt_topo *topo, const struct topo_conn *conn,
	 const uint8_t raw[DPT_TOPO_SUB_BYTES])
{
	uint32_t w[DPT_TOPO_SUB_BYTES / 4];
	uint64_t h;

	memcpy(w, raw, sizeof(w));
	h = names_hash(topo->seed, w[0], w[1], w[2]);
	h = names_hash(h, w[3], w[4], w[5]);
	h = names_hash(h, w[6], (uint32_t)(conn - topo->conns), 7);
	return &topo->raws[h & topo->raws_mask];
}

void
topo_sub_free(struct dpt_topo *topo, struct topo_sub *sub)
{
	struct names_service *service = sub->service;

	dpt_timer_cancel(&topo->wheel, &sub->timer);
	LIST_REMOVE(sub, by_service);
	LIST_REMOVE(sub, by_conn);
	LIST_REMOVE(sub, by_raw);
	sub->conn->subs_cnt--;
	sub->conn = NULL;
	sub->gen++;
	sub->next_free = topo->subs_free;
	topo->subs_free = sub;
	topo->subs_cnt--;
	names_service_release(topo->cfg.names, service);
}

/* The newest subscription of the connection with these octets: 4.2. */
static void
request_cancel(struct dpt_topo *topo, struct topo_conn *conn, const struct request *req,
	       const uint8_t rec[DPT_TOPO_SUB_BYTES])
{
	uint32_t filter = req->words[SUB_FILTER] & ~(uint32_t)DPT_TOPO_CANCEL;
	uint8_t raw[DPT_TOPO_SUB_BYTES];
	struct topo_sub *sub;

	if (req->is_swapped)
		filter = rte_bswap32(filter);
	memcpy(raw, rec, sizeof(raw));
	memcpy(raw + 4 * SUB_FILTER, &filter, sizeof(filter));
	LIST_FOREACH (sub, raw_slot(topo, conn, raw), by_raw) {
		if (sub->conn != conn || memcmp(sub->raw, raw, sizeof(raw)) != 0)
			continue;
		topo_sub_free(topo, sub);
		topo->cfg.counters->cancels++;
		return;
	}
	topo->cfg.counters->cancels_unknown++;
}

static struct topo_sub *
sub_new(struct dpt_topo *topo)
{
	struct topo_sub *sub = topo->subs_free;
	uint32_t gen = 0;

	if (sub != NULL) {
		topo->subs_free = sub->next_free;
		gen = sub->gen;
	} else {
		DPT_ASSERT(topo->subs_touched < topo->cfg.subs_max); /* the caller has counted */
		sub = &topo->subs[topo->subs_touched++];
	}
	memset(sub, 0, sizeof(*sub));
	sub->gen = gen;
	return sub;
}

static struct topo_sub *
sub_add(struct dpt_topo *topo, struct topo_conn *conn, const struct request *req,
	const uint8_t raw[DPT_TOPO_SUB_BYTES])
{
	struct topo_sub *sub = sub_new(topo);

	memcpy(sub->raw, raw, sizeof(sub->raw));
	sub->lower = req->words[SUB_LOWER];
	sub->upper = req->words[SUB_UPPER];
	sub->filter = req->words[SUB_FILTER];
	sub->is_swapped = req->is_swapped;
	sub->conn = conn;
	sub->service = names_service_hold(topo->cfg.names, req->words[SUB_TYPE]);
	dpt_timer_init(&sub->timer, 0);
	LIST_INSERT_HEAD(&sub->service->subs, sub, by_service);
	LIST_INSERT_HEAD(&conn->subs, sub, by_conn);
	LIST_INSERT_HEAD(raw_slot(topo, conn, raw), sub, by_raw);
	conn->subs_cnt++;
	topo->subs_cnt++;
	topo->cfg.counters->subscriptions++;
	return sub;
}

/* ---- existing bindings: 4.1 ---- */

static const struct names_entry *
range_oldest(const struct names_range *range)
{
	const struct names_entry *entry = range->first[NAMES_ALL], *oldest = entry;

	for (; entry != NULL; entry = names_ring_next(range, entry, NAMES_ALL))
		if ((int32_t)(entry->id - oldest->id) < 0)
			oldest = entry;
	return oldest;
}

/* Append the event about an existing binding. false: the connection is broken. */
static bool
status_add(struct dpt_topo *topo, const struct topo_sub *sub, const struct names_entry *entry,
	   struct topo_events *status)
{
	struct topo_event *event;

	if (!topo_scope_fits(sub, &entry->binding))
		return true;
	/* Bounded now: the records are not in the connection's queue yet. */
	if (sub->conn->events.cnt + status->cnt >= topo->cfg.conn_events_max) {
		topo_conn_break(topo, sub->conn, &topo->cfg.counters->closed_queue_full);
		return false;
	}
	event = topo_conn_event(topo, sub->conn);
	if (event == NULL)
		return false;
	topo_event_write(event, sub, DPT_TOPO_PUBLISHED, &entry->binding);
	event->id = entry->id;
	topo_events_push(status, event);
	return true;
}

static bool
status_collect(struct dpt_topo *topo, const struct topo_sub *sub, struct topo_events *status)
{
	const struct names_range *r = names_tree_first(sub->service, sub->lower, sub->upper);
	const struct names_entry *entry;

	for (; r != NULL; r = names_tree_next(r, sub->lower, sub->upper)) {
		/* The oldest one is chosen before its scope is looked at: 4.1, quirk. */
		if ((sub->filter & DPT_TOPO_PORTS) == 0) {
			if (!status_add(topo, sub, range_oldest(r), status))
				return false;
			continue;
		}
		for (entry = r->first[NAMES_ALL]; entry != NULL;
		     entry = names_ring_next(r, entry, NAMES_ALL))
			if (!status_add(topo, sub, entry, status))
				return false;
	}
	return true;
}

/* Two sorted lists into one. */
static struct topo_event *
status_merge(struct topo_event *a, struct topo_event *b)
{
	struct topo_event *first = NULL, **last = &first;

	while (a != NULL && b != NULL) {
		struct topo_event **from = (int32_t)(b->id - a->id) < 0 ? &b : &a;

		*last = *from;
		last = &(*from)->next;
		*from = *last;
	}
	*last = a != NULL ? a : b;
	return first;
}

/* By id. Merge sort of a list, bottom up: runs[i] is sorted, of 2^i events, or empty. */
static struct topo_event *
status_sort(struct topo_event *list)
{
	struct topo_event *runs[32] = {NULL};
	struct topo_event *sorted = NULL;

	while (list != NULL) {
		struct topo_event *run = list;
		uint32_t i;

		list = run->next;
		run->next = NULL;
		for (i = 0; runs[i] != NULL; i++) {
			run = status_merge(runs[i], run);
			runs[i] = NULL;
		}
		runs[i] = run;
	}
	for (uint32_t i = 0; i < 32; i++)
		sorted = status_merge(runs[i], sorted);
	return sorted;
}

/* Report what is there. What was collected when the connection broke is freed with it. */
static void
status_report(struct dpt_topo *topo, const struct topo_sub *sub)
{
	struct topo_events status;
	struct topo_event *event, *next;

	topo_events_init(&status);
	(void)status_collect(topo, sub, &status);
	for (event = status_sort(status.first); event != NULL; event = next) {
		next = event->next;
		topo_events_push(&sub->conn->events, event);
	}
	if (status.cnt > 0)
		topo_conn_ready(topo, sub->conn);
}

/* ---- the request ---- */

/* Counter of the reason to close, or NULL. */
static uint64_t *
request_fault(struct dpt_topo *topo, const struct topo_conn *conn, const struct request *req)
{
	struct dpt_topology_counters *counters = topo->cfg.counters;
	uint32_t filter = req->words[SUB_FILTER];

	if (topo->subs_cnt >= topo->cfg.subs_max)
		return &counters->closed_node_full;
	if (conn->is_remote && conn->subs_cnt >= topo->cfg.remote_subs_max)
		return &counters->closed_remote_full;
	if ((filter & DPT_TOPO_PORTS) != 0 && (filter & DPT_TOPO_SERVICE) != 0)
		return &counters->closed_filter;
	if (req->words[SUB_LOWER] > req->words[SUB_UPPER])
		return &counters->closed_range;
	return NULL;
}

static void
request_subscribe(struct dpt_topo *topo, struct topo_conn *conn, const struct request *req,
		  const uint8_t rec[DPT_TOPO_SUB_BYTES], uint64_t now_ns)
{
	uint32_t timeout_ms = req->words[SUB_TIMEOUT];
	uint64_t *fault = request_fault(topo, conn, req);
	struct topo_sub *sub;

	if (fault != NULL) {
		topo_conn_break(topo, conn, fault);
		return;
	}
	sub = sub_add(topo, conn, req, rec);
	if ((sub->filter & DPT_TOPO_NO_STATUS) == 0)
		status_report(topo, sub);
	if (timeout_ms == SUB_WAIT_FOREVER || conn->is_broken)
		return;
	/* 0: what is there now, and that was it. */
	if (timeout_ms == 0) {
		topo_sub_expire(topo, sub);
		return;
	}
	sub->expires_ns = now_ns + timeout_ms * DPT_NS_PER_MS;
	dpt_timer_set(&topo->wheel, &sub->timer, sub->expires_ns);
}

void
dpt_topo_request(struct dpt_topo *topo, struct dpt_topo_conn handle, const uint8_t *rec,
		 uint32_t bytes, uint64_t now_ns)
{
	struct topo_conn *conn = topo_conn_find(topo, handle);
	struct request req;

	if (conn == NULL || conn->is_broken)
		return;
	topo->cfg.counters->requests++;
	if (bytes < DPT_TOPO_SUB_BYTES) {
		topo_conn_break(topo, conn, &topo->cfg.counters->closed_short);
		return;
	}
	request_decode(&req, rec);
	if ((req.words[SUB_FILTER] & DPT_TOPO_CANCEL) != 0)
		request_cancel(topo, conn, &req, rec);
	else
		request_subscribe(topo, conn, &req, rec, now_ns);
}
