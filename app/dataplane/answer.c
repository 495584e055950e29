/* SPDX-License-Identifier: BSD-3-Clause */
/* Control's requests, on the worker's side; those on sockets: answer_sock.c. Contract:
 * request.h. */
#include <errno.h>

#include "dpt_stack.h"
#include "worker.h"

void
answer_give(struct worker *w, struct request *req, int rc)
{
	req->result = rc;
	/* Never full: control bounds what is under way (control.c). */
	rte_ring_sp_enqueue(w->answers, req);
	w->has_answers = true;
}

void
answer_hostile(struct worker *w, struct served *s)
{
	if (s->is_hostile)
		return;
	s->is_hostile = true;
	s->hostile.op = REQUEST_HOSTILE;
	s->hostile.served = s;
	answer_give(w, &s->hostile, 0);
}

static void
answer_attach(struct worker *w, struct served *s)
{
	for (uint32_t i = 0; i < DPT_SHM_CHANNELS; i++)
		dpt_log_init(&s->channels[i].log, dpt_shm_channel_log_at(s->region, &s->layout, i),
			     s->layout.channel_bytes,
			     &dpt_shm_channel_at(s->region, &s->layout, i)->consumed);
	atomic_store_explicit(&s->hdr->own_node, dpt_stack_own(w->stack).value,
			      memory_order_relaxed);
	atomic_store_explicit(&s->hdr->route_gen, dpt_stack_route_gen(w->stack),
			      memory_order_release);
	s->is_attached = true;
	TAILQ_INSERT_TAIL(&w->served, s, link);
}

static int
answer_bearer(struct worker *w, const struct request *req)
{
	int rc = 0;

	if (req->op == REQUEST_BEARER_UP)
		rc = dpt_stack_bearer_up(w->stack, &req->bearer, w->now_ns, &w->out);
	else
		dpt_stack_bearer_down(w->stack, req->bearer.bearer_id, w->now_ns, &w->out);
	worker_events(w);
	/* The other shards have it before this is answered: control tells their workers next. */
	shards_tx(w);
	return rc;
}

static int
answer_link_set(struct worker *w, const struct request *req)
{
	struct dpt_link_props props = req->props, later = {0};
	uint8_t id = req->bearer.bearer_id;
	int rc;

	if (req->is_later) {
		later.priority = props.priority;
		later.window_max = props.window_max;
		props.priority = 0;
		props.window_max = 0;
	}
	rc = dpt_stack_link_props_set(w->stack, id, req->node, &props, w->now_ns, &w->out);
	if (rc == 0 && req->is_later)
		rc = dpt_stack_bearer_props_set(w->stack, id, &later, w->now_ns, &w->out);
	worker_events(w);
	return rc;
}

static int
answer_net_set(struct worker *w, const struct request *req)
{
	int rc = dpt_stack_net_set(w->stack, &req->net, w->now_ns, &w->out);

	worker_events(w);
	return rc;
}

static int
answer_peer_remove(struct worker *w, const struct request *req)
{
	int rc = dpt_stack_peer_remove(w->stack, req->node, w->now_ns, &w->out);

	worker_events(w);
	return rc;
}

static int
answer_one(struct worker *w, struct request *req)
{
	switch (req->op) {
	case REQUEST_ATTACH:
		answer_attach(w, req->served);
		return 0;
	case REQUEST_DETACH:
		TAILQ_REMOVE(&w->served, req->served, link);
		return 0;
	case REQUEST_BEARER_ADD:
		worker_bearer_add(w, req->bearer.bearer_id, req->device, req->queues_cnt);
		return 0;
	case REQUEST_BEARER_DEL:
		worker_bearer_del(w, req->bearer.bearer_id);
		return 0;
	case REQUEST_BEARER_UP:
	case REQUEST_BEARER_DOWN:
		return answer_bearer(w, req);
	case REQUEST_LINK_SET:
		return answer_link_set(w, req);
	case REQUEST_LINK_NAME:
		return dpt_stack_link_name(w->stack, req->node, req->bearer.bearer_id, req->text,
					   req->bytes);
	case REQUEST_NODE_ID:
		return dpt_stack_node_id(w->stack, req->node, &req->node_id);
	case REQUEST_DUMP:
		dump_chunk(w, req->chunk);
		return 0;
	case REQUEST_NET_SET:
		return answer_net_set(w, req);
	case REQUEST_PEER_REMOVE:
		return answer_peer_remove(w, req);
	case REQUEST_BCAST_SET:
		return dpt_stack_bcast_set(w->stack, &req->bcast);
	case REQUEST_LINK_STATS_RESET:
		return dpt_stack_link_stats_reset(w->stack, req->node, req->bearer.bearer_id);
	case REQUEST_BCAST_STATS_RESET:
		return dpt_stack_bcast_stats_reset(w->stack, req->node);
	case REQUEST_STOP:
		w->is_stopped = true;
		return 0;
	case REQUEST_SYNC:
		submit_take(w, req->served);
		(void)deliver_poll(w);
		return 0;
	case REQUEST_HOSTILE:
		return 0;
	default:
		return answer_sock(w, req);
	}
}

uint32_t
answer_poll(struct worker *w)
{
	void *reqs[WORKER_BURST];
	unsigned int cnt;

	if (unlikely(!STAILQ_EMPTY(&w->held)))
		answer_held(w);
	cnt = rte_ring_sc_dequeue_burst(w->requests, reqs, WORKER_BURST, NULL);
	for (unsigned int i = 0; i < cnt; i++) {
		int rc = answer_one(w, reqs[i]);

		if (rc <= 0)
			answer_give(w, reqs[i], rc);
	}
	return cnt;
}
