/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Changes of the name table: decided by shard 0, applied by each shard in that order.
 *
 *   a shard's bind --REQUEST--> shard 0: insert, number, update to the cluster
 *        shard 0 --APPLY--> shard 1 --APPLY--> ... last shard --RESULT--> the requester
 *
 * The way from shard to shard ends when every table has the change, so the requester may
 * say "done" without counting answers (decision 0003).
 */

#include <errno.h>
#include <string.h>

#include "stack_priv.h"

/*
 * No buffer for an update of names: a peer (0: each one) would wait for its number, or a
 * shard of ours would never hear of it. The contact begins anew, with all names.
 */
static void
update_lost(struct dpt_stack *stack, struct dpt_node_addr addr, uint64_t now_ns)
{
	struct stack_peer_msg msg = {.op = STACK_PEER_RESET, .value = DPT_DOWN_OVERFLOW};

	for (uint32_t i = 0; i < stack->contacts_cnt; i++) {
		msg.node = stack->contacts[i].addr;
		if (addr.value == 0 || addr.value == msg.node.value)
			stack_post(stack, stack_owner(stack, msg.node), STACK_MSG_PEER, &msg,
				   sizeof(msg), now_ns);
	}
}

/* Send the updates that may go now: 04-name-table.md, 7.1. */
void
stack_names_tx(struct dpt_stack *stack, uint64_t now_ns)
{
	struct rte_mbuf *m;

	while ((m = dpt_distr_tx_pop(stack->distr, now_ns)) != NULL) {
		uint32_t update = dpt_distr_popped(stack->distr);

		if (dpt_distr_is_bcast(stack->distr)) {
			if (dpt_bcast_snd_tx(stack->bcast_snd, m, now_ns, &stack->work) == -ENOBUFS)
				update_lost(stack, dpt_node_addr(0), now_ns);
			stack_barrier_bcast(stack, update);
			continue;
		}
		bool is_marked = stack_barrier_unicast(stack, update);

		for (uint32_t i = 0; i < stack->contacts_cnt; i++) {
			struct stack_contact *contact = &stack->contacts[i];
			struct rte_mbuf *copy;

			if (!contact->is_open)
				continue;
			copy = dpt_buf_copy(m, stack->cfg.env.pool);
			if (copy == NULL) {
				stack->counters.stack.copies_lost++;
				update_lost(stack, contact->addr, now_ns);
				continue;
			}
			dpt_msg_set_destnode(dpt_buf_hdr(copy), contact->addr.value);
			if (is_marked)
				stack_barrier_mark(contact, copy, update);
			(void)stack_tx(stack, copy, contact->addr, 0, now_ns);
		}
		rte_pktmbuf_free(m);
	}
}

static int
table_change(struct dpt_stack *stack, const struct dpt_binding *binding, bool is_withdrawal)
{
	stack->route_gen++;
	if (is_withdrawal)
		return dpt_names_remove(stack->names, binding);
	return dpt_names_insert(stack->names, binding);
}

/* Shard 0: insert or remove, and tell the cluster. All or nothing. */
static int
decide(struct dpt_stack *stack, struct stack_bind_msg *msg, uint64_t now_ns)
{
	const struct dpt_binding *binding = &msg->binding;
	bool is_withdrawal = msg->is_withdrawal;
	int rc;

	/* Only a publication is waited for. */
	msg->is_sync = msg->is_sync && !is_withdrawal && binding->scope == DPT_SCOPE_CLUSTER;
	if (msg->is_sync && !stack_barrier_has_room(stack))
		return -ENOBUFS;

	/* Src: 04-name-table.md, 3; reserved types are never refused. */
	if (!is_withdrawal && binding->range.type >= DPT_TYPE_USER_MIN &&
	    dpt_names_own_cnt(stack->names) >= DPT_OWN_BINDINGS_MAX)
		return -EINVAL;
	rc = table_change(stack, binding, is_withdrawal);
	if (rc != 0)
		return rc == -ENOSPC ? -EINVAL : rc;
	if (binding->scope != DPT_SCOPE_CLUSTER)
		return 0;
	if (is_withdrawal) {
		dpt_distr_withdraw(stack->distr, binding);
	} else if (dpt_distr_publish(stack->distr, binding) != 0) {
		table_change(stack, binding, true);
		return -ENOMEM;
	}
	if (msg->is_sync) {
		msg->update = dpt_distr_drawn(stack->distr);
		stack_barrier_add(stack, msg->update);
	}
	stack_names_tx(stack, now_ns);
	return 0;
}

static void
bind_result(struct dpt_stack *stack, const struct stack_bind_msg *msg)
{
	struct dpt_event event = {
		.type = DPT_EVENT_BIND_DONE,
		.port = msg->binding.port,
		.result = msg->result,
		.cookie = msg->cookie,
	};

	if (msg->result != 0 && !msg->is_withdrawal)
		dpt_sock_bind_undo(stack->socks, &msg->binding);
	if (msg->is_reported)
		stack_ctl(stack, &event);
}

/* Hand the change to the next shard, after the last one to the requester. */
static void
bind_pass_on(struct dpt_stack *stack, struct stack_bind_msg msg, uint64_t now_ns)
{
	uint8_t next = stack->cfg.shard + 1;

	if (msg.result == 0 && msg.is_sync && next == stack->cfg.shards_cnt) {
		msg.step = STACK_BIND_SYNC;
		next = 0;
	} else if (msg.result != 0 || next == stack->cfg.shards_cnt) {
		msg.step = STACK_BIND_RESULT;
		next = msg.requester;
	} else {
		msg.step = STACK_BIND_APPLY;
	}
	stack_post(stack, next, STACK_MSG_BIND, &msg, sizeof(msg), now_ns);
}

void
stack_bind_msg(struct dpt_stack *stack, const struct stack_bind_msg *msg, uint64_t now_ns)
{
	struct stack_bind_msg on = *msg;

	switch ((enum stack_bind_step)msg->step) {
	case STACK_BIND_REQUEST:
		on.result = decide(stack, &on, now_ns);
		bind_pass_on(stack, on, now_ns);
		return;
	case STACK_BIND_APPLY:
		/* Shard 0 had room, so have we: the tables are of one size and content. */
		table_change(stack, &msg->binding, msg->is_withdrawal);
		bind_pass_on(stack, on, now_ns);
		return;
	case STACK_BIND_SYNC:
		stack_barrier_applied(stack, msg);
		(void)stack_barrier_run(stack, now_ns);
		return;
	case STACK_BIND_RESULT:
		bind_result(stack, msg);
		return;
	}
}

/* req NULL: nobody asked, nobody is answered. */
static void
bind_request(struct dpt_stack *stack, const struct dpt_binding *binding, bool is_withdrawal,
	     const struct dpt_bind_req *req, uint64_t now_ns)
{
	struct stack_bind_msg msg = {
		.binding = *binding,
		.step = STACK_BIND_REQUEST,
		.requester = stack->cfg.shard,
		.is_withdrawal = is_withdrawal,
		.is_reported = req != NULL,
	};

	if (req != NULL) {
		msg.cookie = req->cookie;
		msg.is_sync = req->is_sync;
	}
	stack_post(stack, 0, STACK_MSG_BIND, &msg, sizeof(msg), now_ns);
}

void
stack_names_own(struct dpt_stack *stack, uint32_t type, uint32_t instance, uint32_t key,
		bool is_withdrawal, uint64_t now_ns)
{
	bool is_link = type == DPT_NAME_TYPE_LINK_STATE;
	struct dpt_binding binding = {
		.range = {.type = type, .lower = instance, .upper = instance},
		.port = dpt_port(is_link ? key : 0),
		.node = stack->own,
		.key = key,
		.scope = is_link ? DPT_SCOPE_NODE : DPT_SCOPE_CLUSTER,
	};

	bind_request(stack, &binding, is_withdrawal, NULL, now_ns);
}

void
stack_names_binding(struct dpt_stack *stack, const struct dpt_binding *binding, bool is_withdrawal,
		    uint64_t now_ns)
{
	bind_request(stack, binding, is_withdrawal, NULL, now_ns);
}

int
dpt_stack_bind(struct dpt_stack *stack, struct dpt_port port, const struct dpt_bind_req *req,
	       uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_binding binding;
	int rc = dpt_sock_bind(stack->socks, port, &req->range, req->scope, &binding);

	if (rc != 0)
		return rc;
	bind_request(stack, &binding, false, req, now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return 0;
}

static void
nothing_to_withdraw(struct dpt_stack *stack, struct dpt_port port, uint64_t cookie)
{
	struct dpt_event event = {.type = DPT_EVENT_BIND_DONE, .port = port, .cookie = cookie};

	stack_ctl(stack, &event);
}

int
dpt_stack_unbind(struct dpt_stack *stack, struct dpt_port port, const struct dpt_bind_req *req,
		 uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_binding binding;
	int rc = dpt_sock_unbind(stack->socks, port, &req->range, req->scope, &binding);

	if (rc < 0)
		return rc;
	if (rc == 0)
		bind_request(stack, &binding, true, req, now_ns);
	else
		nothing_to_withdraw(stack, port, req->cookie);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return 0;
}

/* Newest first; the last one, the oldest, carries the cookie. */
static void
withdraw_all(struct dpt_stack *stack, struct dpt_port port, const struct dpt_bind_req *req,
	     uint64_t now_ns)
{
	struct dpt_binding binding, next;
	bool has = dpt_sock_binding_pop(stack->socks, port, &binding);

	if (!has && req != NULL)
		nothing_to_withdraw(stack, port, req->cookie);
	while (has) {
		has = dpt_sock_binding_pop(stack->socks, port, &next);
		bind_request(stack, &binding, true, has ? NULL : req, now_ns);
		stack_drain(stack, now_ns);
		binding = next;
	}
}

int
dpt_stack_unbind_all(struct dpt_stack *stack, struct dpt_port port, uint64_t cookie,
		     uint64_t now_ns, struct dpt_out *out)
{
	struct dpt_bind_req req = {.cookie = cookie};

	withdraw_all(stack, port, &req, now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
	return 0;
}

void
dpt_stack_close(struct dpt_stack *stack, struct dpt_port port, uint64_t now_ns, struct dpt_out *out)
{
	withdraw_all(stack, port, NULL, now_ns);
	stack->route_gen++;
	dpt_sock_close(stack->socks, port, &stack->routed);
	stack_route(stack, dpt_port(0), now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
}

void
dpt_stack_shutdown(struct dpt_stack *stack, struct dpt_port port, uint64_t now_ns,
		   struct dpt_out *out)
{
	dpt_sock_shutdown(stack->socks, port, &stack->routed);
	stack_route(stack, dpt_port(0), now_ns);
	stack_drain(stack, now_ns);
	stack_flush(stack, out);
}

/* ---- what peers publish ---- */

void
stack_names_apply(struct dpt_stack *stack, struct rte_mbuf *m)
{
	stack->route_gen++;
	dpt_names_apply(stack->names, m);
	rte_pktmbuf_free(m);
}

void
stack_names_rx(struct dpt_stack *stack, struct rte_mbuf *m, uint64_t now_ns)
{
	struct stack_peer_msg reset = {.op = STACK_PEER_RESET, .value = DPT_DOWN_OVERFLOW};

	dpt_distr_rx(stack->distr, m);
	while ((m = dpt_distr_pop(stack->distr)) != NULL) {
		for (uint8_t shard = 1; shard < stack->cfg.shards_cnt; shard++) {
			struct rte_mbuf *copy = dpt_buf_copy(m, stack->cfg.env.pool);

			if (copy != NULL) {
				stack_post_buf(stack, shard, STACK_MSG_NAMES_APPLY, copy, now_ns);
				continue;
			}
			stack->counters.stack.copies_lost++;
			update_lost(stack, dpt_node_addr(dpt_msg_orignode(dpt_buf_hdr(m))), now_ns);
		}
		stack_names_apply(stack, m);
	}
	for (;;) {
		reset.node = dpt_distr_overflown(stack->distr);
		if (reset.node.value == 0)
			break;
		stack_post(stack, stack_owner(stack, reset.node), STACK_MSG_PEER, &reset,
			   sizeof(reset), now_ns);
	}
}
