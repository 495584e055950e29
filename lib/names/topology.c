/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Topology service: life cycle, connections, the queues of events. Requests:
 * topology_request.c; what the table's changes do: topology_event.c.
 *
 * Timers: one for each subscription with a timeout, in the engine's own wheel.
 */
#include "dpt_topology.h"

#include <errno.h>
#include <string.h>

#include "dpt_time.h"
#include "topology_priv.h"

DPT_COUNTER_DESCS(dpt_topology_counter_descs, DPT_TOPOLOGY_COUNTERS);

/* Where the parts of the object lie, octets from its start. */
struct topo_layout {
	size_t raws_cnt;
	size_t raws;
	size_t conns;
	size_t subs;
	size_t events;
	size_t bytes;
};

static struct topo_layout
topo_layout(const struct dpt_topo_cfg *cfg)
{
	struct topo_layout l = {0};

	l.raws_cnt = names_pow2(cfg->subs_max);
	l.raws = names_align(sizeof(struct dpt_topo));
	l.conns = names_align(l.raws + l.raws_cnt * sizeof(struct names_subs));
	l.subs = names_align(l.conns + (size_t)cfg->conns_max * sizeof(struct topo_conn));
	l.events = names_align(l.subs + (size_t)cfg->subs_max * sizeof(struct topo_sub));
	l.bytes = names_align(l.events + (size_t)cfg->events_max * sizeof(struct topo_event));
	return l;
}

size_t
dpt_topo_size(const struct dpt_topo_cfg *cfg)
{
	return topo_layout(cfg).bytes;
}

void
dpt_topo_init(struct dpt_topo *topo, const struct dpt_topo_cfg *cfg, uint64_t now_ns)
{
	struct topo_layout l = topo_layout(cfg);
	uint8_t *base = (uint8_t *)topo;

	DPT_ASSERT(cfg->conns_max <= UINT16_MAX); /* half of a handle */
	memset(topo, 0, l.conns);
	topo->cfg = *cfg;
	topo->seed = dpt_rng_u64(cfg->rng);
	topo->raws_mask = l.raws_cnt - 1;
	topo->raws = (struct names_subs *)(base + l.raws);
	topo->conns = (struct topo_conn *)(base + l.conns);
	topo->subs = (struct topo_sub *)(base + l.subs);
	topo->events = (struct topo_event *)(base + l.events);
	TAILQ_INIT(&topo->ready);
	dpt_timer_wheel_init(&topo->wheel, now_ns);
}

/* ---- events ---- */

struct topo_event *
topo_event_new(struct dpt_topo *topo)
{
	struct topo_event *event = topo->events_free;

	if (event != NULL)
		topo->events_free = event->next;
	else if (topo->events_touched < topo->cfg.events_max)
		event = &topo->events[topo->events_touched++];
	else
		return NULL;
	/* Whole: what is not filled in must not carry what was there. 05, 13. */
	memset(event, 0, sizeof(*event));
	return event;
}

void
topo_event_free(struct dpt_topo *topo, struct topo_event *event)
{
	event->next = topo->events_free;
	topo->events_free = event;
}

void
topo_events_init(struct topo_events *events)
{
	events->first = NULL;
	events->last = &events->first;
	events->cnt = 0;
}

void
topo_events_push(struct topo_events *events, struct topo_event *event)
{
	event->next = NULL;
	*events->last = event;
	events->last = &event->next;
	events->cnt++;
}

/* ---- connections ---- */

struct topo_conn *
topo_conn_find(const struct dpt_topo *topo, struct dpt_topo_conn conn)
{
	uint32_t slot = conn.value & UINT16_MAX;

	if (slot == 0 || slot > topo->conns_touched)
		return NULL;
	struct topo_conn *rec = &topo->conns[slot - 1];

	return rec->is_open && rec->gen == conn.value >> 16 ? rec : NULL;
}

int
dpt_topo_open(struct dpt_topo *topo, struct dpt_topo_conn *conn)
{
	struct topo_conn *rec = topo->conns_free;

	if (rec != NULL) {
		topo->conns_free = rec->next_free;
	} else if (topo->conns_touched < topo->cfg.conns_max) {
		rec = &topo->conns[topo->conns_touched++];
		memset(rec, 0, sizeof(*rec));
	} else {
		return -ENOSPC;
	}
	rec->is_open = true;
	rec->is_remote = false;
	rec->is_ready = false;
	rec->is_broken = false;
	rec->cookie = 0;
	rec->subs_cnt = 0;
	LIST_INIT(&rec->subs);
	topo_events_init(&rec->events);
	topo->conns_cnt++;
	conn->value = rec->gen << 16 | (uint32_t)(rec - topo->conns + 1);
	return 0;
}

void
dpt_topo_client_set(struct dpt_topo *topo, struct dpt_topo_conn conn, uint64_t cookie,
		    bool is_remote)
{
	struct topo_conn *rec = topo_conn_find(topo, conn);

	if (rec == NULL)
		return;
	rec->cookie = cookie;
	rec->is_remote = is_remote;
	topo->cfg.counters->connections++;
}

void
topo_conn_ready(struct dpt_topo *topo, struct topo_conn *conn)
{
	if (conn->is_ready)
		return;
	conn->is_ready = true;
	TAILQ_INSERT_TAIL(&topo->ready, conn, ready);
}

void
topo_conn_break(struct dpt_topo *topo, struct topo_conn *conn, uint64_t *reason)
{
	if (conn->is_broken)
		return;
	conn->is_broken = true;
	(*reason)++;
	topo_conn_ready(topo, conn);
}

bool
dpt_topo_is_broken(const struct dpt_topo *topo, struct dpt_topo_conn conn)
{
	const struct topo_conn *rec = topo_conn_find(topo, conn);

	return rec == NULL || rec->is_broken;
}

static void
conn_free(struct dpt_topo *topo, struct topo_conn *rec)
{
	struct topo_event *event;

	while (!LIST_EMPTY(&rec->subs))
		topo_sub_free(topo, LIST_FIRST(&rec->subs));
	topo->cfg.counters->events_lost += rec->events.cnt;
	while ((event = rec->events.first) != NULL) {
		rec->events.first = event->next;
		topo_event_free(topo, event);
	}
	if (rec->is_ready)
		TAILQ_REMOVE(&topo->ready, rec, ready);
	rec->is_open = false;
	rec->gen = (rec->gen + 1) & UINT16_MAX;
	rec->next_free = topo->conns_free;
	topo->conns_free = rec;
	topo->conns_cnt--;
}

void
dpt_topo_close(struct dpt_topo *topo, struct dpt_topo_conn conn)
{
	struct topo_conn *rec = topo_conn_find(topo, conn);

	if (rec == NULL)
		return;
	if (!rec->is_broken)
		topo->cfg.counters->closed_peer++;
	conn_free(topo, rec);
}

void
dpt_topo_abandon(struct dpt_topo *topo, struct dpt_topo_conn conn)
{
	struct topo_conn *rec = topo_conn_find(topo, conn);

	if (rec != NULL)
		conn_free(topo, rec);
}

void
dpt_topo_fail(struct dpt_topo *topo, struct dpt_topo_conn conn)
{
	struct topo_conn *rec = topo_conn_find(topo, conn);

	if (rec != NULL)
		topo_conn_break(topo, rec, &topo->cfg.counters->closed_send);
}

void
dpt_topo_ready_again(struct dpt_topo *topo, struct dpt_topo_conn conn)
{
	struct topo_conn *rec = topo_conn_find(topo, conn);

	if (rec != NULL)
		topo_conn_ready(topo, rec);
}

bool
dpt_topo_ready_pop(struct dpt_topo *topo, struct dpt_topo_conn *conn, uint64_t *cookie)
{
	struct topo_conn *rec = TAILQ_FIRST(&topo->ready);

	if (rec == NULL)
		return false;
	TAILQ_REMOVE(&topo->ready, rec, ready);
	rec->is_ready = false;
	conn->value = rec->gen << 16 | (uint32_t)(rec - topo->conns + 1);
	*cookie = rec->cookie;
	return true;
}

const uint8_t *
dpt_topo_event(const struct dpt_topo *topo, struct dpt_topo_conn conn)
{
	const struct topo_conn *rec = topo_conn_find(topo, conn);

	if (rec == NULL || rec->is_broken || rec->events.first == NULL)
		return NULL;
	return rec->events.first->octets;
}

void
dpt_topo_event_done(struct dpt_topo *topo, struct dpt_topo_conn conn)
{
	struct topo_conn *rec = topo_conn_find(topo, conn);
	struct topo_event *event = rec != NULL ? rec->events.first : NULL;

	if (event == NULL)
		return;
	rec->events.first = event->next;
	if (event->next == NULL)
		rec->events.last = &rec->events.first;
	rec->events.cnt--;
	/* Found by generation: it may have been cancelled since, and its record used again. */
	if (event->expired != NULL && event->expired->conn == rec &&
	    event->expired->gen == event->expired_gen)
		topo_sub_free(topo, event->expired);
	topo_event_free(topo, event);
}

uint32_t
dpt_topo_subs_cnt(const struct dpt_topo *topo)
{
	return topo->subs_cnt;
}

uint32_t
dpt_topo_conns_cnt(const struct dpt_topo *topo)
{
	return topo->conns_cnt;
}
