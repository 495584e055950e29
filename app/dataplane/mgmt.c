/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text dumps (DPT_ATTACH_INFO): aligned columns, as the `tipc` tool prints them. Workers give
 * copies in pieces (request.h); the text is made here, so no worker waits for a printf.
 *
 *   begin -> piece of worker 0 -> print -> ... next piece, next worker ... -> send
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "bearer_counters.h"
#include "dpt_msg.h"
#include "dpt_records.h"
#include "links.h"

/* Largest dump. Our choice: a name table of 65536 entries takes a tenth of it. */
#define MGMT_TEXT_MAX (64u << 20)

struct mgmt {
	struct conn *conn;
	struct request req;
	FILE *text;
	enum chunk_kind kind;
	uint8_t worker;
	struct sock_walk socks;
	/* COUNTERS: sums over the workers, in the order of dpt_stack_counter. */
	struct dpt_counter_value sums[CHUNK_COUNTERS_CNT];
	uint32_t sums_cnt;
	struct chunk chunk;
};

static void mgmt_ask(struct mgmt *mgmt);

/* ---- one kind each: head, piece ---- */

static void
print_node(const struct mgmt *mgmt)
{
	const struct control *control = mgmt->conn->control;
	const struct chunk *chunk = &mgmt->chunk;
	char id[DPT_NODE_ID_TEXT_BYTES];
	uint64_t up_s = (chunk->now_ns - CLOCK_START_NS) / 1000000000;

	dpt_node_id_print(&chunk->id, id);
	fprintf(mgmt->text, "%-16s %s\n", "Name", control->args->name);
	fprintf(mgmt->text, "%-16s %s\n", "Identity", id[0] != '\0' ? id : "(none yet)");
	fprintf(mgmt->text, "%-16s %x\n", "Address", chunk->own.value);
	fprintf(mgmt->text, "%-16s %u\n", "Network id", chunk->net_id);
	fprintf(mgmt->text, "%-16s %llu s\n", "Up", (unsigned long long)up_s);
	fprintf(mgmt->text, "%-16s %u\n", "Workers", control->workers_cnt);
	fprintf(mgmt->text, "%-16s %u\n", "Processes", control->conns_cnt);
	for (uint8_t i = 0; i < DPT_BEARERS_MAX; i++) {
		const struct bearer_slot *slot = &control->bearers[i];
		char maddr[64];

		if (slot->bearer == NULL)
			continue;
		dpt_maddr_print(&slot->info.maddr, maddr, sizeof(maddr));
		fprintf(mgmt->text, "%-16s %s %s mtu %u %s, %u queue(s), %u peer(s) steered\n",
			"Bearer", slot->name, maddr, slot->cfg.mtu, slot->is_up ? "up" : "down",
			slot->info.queues_cnt, steer_rules_cnt(slot->steer));
	}
}

static void
print_names(const struct mgmt *mgmt)
{
	for (uint32_t i = 0; i < mgmt->chunk.cnt; i++) {
		const struct dpt_binding *b = &mgmt->chunk.names[i];

		fprintf(mgmt->text, "%-10u %-10u %-10u %-8s %-10u %x\n", b->range.type,
			b->range.lower, b->range.upper,
			b->scope == DPT_SCOPE_NODE ? "node" : "cluster", b->port.ref,
			b->node.value);
	}
}

static void
print_links(const struct mgmt *mgmt)
{
	for (uint32_t i = 0; i < mgmt->chunk.cnt; i++) {
		const struct chunk_link *link = &mgmt->chunk.links[i];
		const struct dpt_link_info *info = &link->info;

		fprintf(mgmt->text,
			"%-44s %-12s %-8x %-4u %-6u %-6u %-6u %-12llu %-12llu %-8llu %-20s %s\n",
			info->name, info->is_up ? "up" : dpt_link_state_name(info->state),
			link->peer.value, info->priority, info->tolerance_ms, info->window,
			info->mtu, (unsigned long long)info->counters.sent_pkts,
			(unsigned long long)info->counters.recv_pkts,
			(unsigned long long)info->counters.retransmitted,
			dpt_down_reason_name(info->last_down),
			!info->is_up	  ? "-"
			: info->is_active ? "active"
					  : "standby");
	}
}

static const char *
type_name(enum dpt_sock_type type)
{
	switch (type) {
	case DPT_SOCK_STREAM:
		return "stream";
	case DPT_SOCK_DGRAM:
		return "dgram";
	case DPT_SOCK_RDM:
		return "rdm";
	case DPT_SOCK_SEQPACKET:
		return "seqpkt";
	}
	return "?";
}

static const char *
state_name(enum dpt_sock_state state)
{
	switch (state) {
	case DPT_SOCK_STATE_ESTABLISHED:
		return "connected";
	case DPT_SOCK_STATE_CONNECTING:
		return "connecting";
	case DPT_SOCK_STATE_OPEN:
		return "open";
	case DPT_SOCK_STATE_DISCONNECTING:
		return "ended";
	case DPT_SOCK_STATE_LISTEN:
		return "listen";
	}
	return "?";
}

static void
print_sockets(const struct mgmt *mgmt)
{
	for (uint32_t i = 0; i < mgmt->chunk.cnt; i++) {
		const struct chunk_socket *s = &mgmt->chunk.sockets[i];
		char peer[32] = "-";

		if (!s->is_there)
			continue;
		if (s->info.state == DPT_SOCK_STATE_ESTABLISHED)
			snprintf(peer, sizeof(peer), "%u@%x", s->info.peer.port.ref,
				 s->info.peer.node.value);
		fprintf(mgmt->text,
			"%-10u %-6s %-10s %-20s %-8u %-10u %-8u %-8llu %-10s %-8llu %s\n",
			s->port.ref, type_name(s->info.type), state_name(s->info.state), peer,
			s->info.queued_msgs, s->info.queued_bytes, s->info.bindings_cnt,
			(unsigned long long)s->info.drops, s->info.is_congested ? "yes" : "no",
			(unsigned long long)s->pid, s->program);
	}
}

static void
print_refused(const struct mgmt *mgmt)
{
	for (uint32_t i = 0; i < mgmt->chunk.cnt; i++) {
		const struct dpt_refused_peer *peer = &mgmt->chunk.refused[i];
		char id[DPT_NODE_ID_TEXT_BYTES], maddr[64];

		dpt_node_id_print(&peer->id, id);
		dpt_maddr_print(&peer->maddr, maddr, sizeof(maddr));
		fprintf(mgmt->text, "%-8x %-32s %-18s %-8u %-16s %-8llu %llu\n", peer->addr.value,
			id, maddr, peer->net_id, dpt_refusal_name(peer->reason),
			(unsigned long long)peer->cnt,
			(unsigned long long)((mgmt->chunk.now_ns - peer->last_ns) / 1000000000));
	}
}

static void
print_counter(const struct mgmt *mgmt, const char *group, const char *name, uint64_t value)
{
	char whole[64];

	snprintf(whole, sizeof(whole), "%s.%s", group, name);
	fprintf(mgmt->text, "%-40s %llu\n", whole, (unsigned long long)value);
}

/* descs: closed by a NULL name. */
static void
print_list(const struct mgmt *mgmt, const char *group, const struct dpt_counter_desc *descs,
	   const void *values)
{
	const uint64_t *value = values;

	for (; descs->name != NULL; descs++)
		print_counter(mgmt, group, descs->name, *value++);
}

static void
print_worker(struct mgmt *mgmt)
{
	char group[16];

	snprintf(group, sizeof(group), "worker%u", mgmt->worker);
	print_list(mgmt, group, worker_counter_descs, &mgmt->chunk.counters.worker);
	for (uint32_t i = 0; i < mgmt->chunk.cnt; i++) {
		uint64_t before = i < mgmt->sums_cnt ? mgmt->sums[i].value : 0;

		mgmt->sums[i] = mgmt->chunk.counters.stack[i];
		mgmt->sums[i].value += before;
	}
	mgmt->sums_cnt = mgmt->chunk.cnt;
}

/* What is the same for all workers, behind them. */
static void
print_counters_end(const struct mgmt *mgmt)
{
	const struct control *control = mgmt->conn->control;
	struct control_values values;

	for (uint32_t i = 0; i < mgmt->sums_cnt; i++)
		print_counter(mgmt, mgmt->sums[i].library, mgmt->sums[i].desc->name,
			      mgmt->sums[i].value);
	for (uint8_t id = 0; id < DPT_BEARERS_MAX; id++) {
		const struct bearer_slot *slot = &control->bearers[id];
		const struct dpt_bearer *bearer = slot->bearer;
		uint64_t counters[DPT_BEARER_COUNTERS_CNT] = {0};
		char group[16];

		if (bearer == NULL)
			continue;
		snprintf(group, sizeof(group), "bearer%u", id);
		bearer->ops->counters(bearer, counters, DPT_BEARER_COUNTERS_CNT);
		print_list(mgmt, group, dpt_bearer_counter_descs, counters);
		print_counter(mgmt, group, "carrier_losses", slot->carrier_losses);
		print_counter(mgmt, group, "carrier_returns", slot->carrier_returns);
		print_counter(mgmt, group, "peers_steered", steer_rules_cnt(slot->steer));
		print_counter(mgmt, group, "steer_refused",
			      slot->steer != NULL ? slot->steer->refused : 0);
	}
	control_values_get(control, &values);
	print_list(mgmt, "control", control_counter_descs, &values.control);
	print_list(mgmt, "pool", pool_counter_descs, &values.pool);
}

/* ---- the walk ---- */

/* What a kind is: workers that are asked, head line, how a piece is printed. */
static const struct {
	bool is_all_workers;
	const char *head;
} kinds[] = {
	[CHUNK_NODE] = {false, ""},
	[CHUNK_NAMES] = {false, "Type       Lower      Upper      Scope    Port       Node\n"},
	[CHUNK_LINKS] = {true, "Link                                         State        Peer     "
			       "Prio Tol/ms Window MTU    Sent         Received     Resent   "
			       "Last down            Use\n"},
	[CHUNK_SOCKETS] = {false,
			   "Port       Type   State      Peer                 Queued   Octets     "
			   "Bindings Drops    Congested  Pid      Program\n"},
	[CHUNK_COUNTERS] = {true, ""},
	[CHUNK_REFUSED] = {false, "Address  Identity                         Media address      "
				  "Network  Reason           Times    Seconds ago\n"},
};

static void
mgmt_end(struct mgmt *mgmt)
{
	struct conn *conn = mgmt->conn;

	if (mgmt->kind == CHUNK_COUNTERS)
		print_counters_end(mgmt);
	if (mgmt->kind == CHUNK_SOCKETS)
		sock_walk_end(&mgmt->socks);
	if (fclose(mgmt->text) != 0) {
		free(conn->text);
		conn->text = NULL;
	}
	free(mgmt);
	conn_answer_text(conn);
}

static void
mgmt_answer(struct request *req)
{
	struct mgmt *mgmt = req->owner;
	bool is_more = false;

	switch (mgmt->kind) {
	case CHUNK_NODE:
		print_node(mgmt);
		break;
	case CHUNK_NAMES:
		print_names(mgmt);
		is_more = mgmt->chunk.cnt > 0;
		break;
	case CHUNK_LINKS:
		print_links(mgmt);
		is_more = mgmt->chunk.cursor != UINT32_MAX;
		break;
	case CHUNK_SOCKETS:
		print_sockets(mgmt);
		is_more = sock_walk_next(&mgmt->socks, &mgmt->chunk, &mgmt->worker);
		break;
	case CHUNK_COUNTERS:
		print_worker(mgmt);
		break;
	case CHUNK_REFUSED:
		print_refused(mgmt);
		break;
	default: /* netlink's */
		break;
	}
	if (ftello(mgmt->text) > (off_t)MGMT_TEXT_MAX) {
		mgmt_end(mgmt);
		return;
	}
	if (!is_more && kinds[mgmt->kind].is_all_workers &&
	    mgmt->worker + 1 < mgmt->conn->control->workers_cnt) {
		mgmt->worker++;
		mgmt->chunk.cursor = 0;
		is_more = true;
	}
	if (is_more)
		mgmt_ask(mgmt);
	else
		mgmt_end(mgmt);
}

static void
mgmt_ask(struct mgmt *mgmt)
{
	mgmt->chunk.kind = mgmt->kind;
	mgmt->req = (struct request){
		.op = REQUEST_DUMP, .chunk = &mgmt->chunk, .done = mgmt_answer, .owner = mgmt};
	control_ask(mgmt->conn->control, mgmt->worker, &mgmt->req);
}

void
mgmt_begin(struct conn *conn)
{
	static const enum chunk_kind of_info[] = {
		[DPT_INFO_NODE] = CHUNK_NODE,	      [DPT_INFO_NAMES] = CHUNK_NAMES,
		[DPT_INFO_LINKS] = CHUNK_LINKS,	      [DPT_INFO_SOCKETS] = CHUNK_SOCKETS,
		[DPT_INFO_COUNTERS] = CHUNK_COUNTERS, [DPT_INFO_REFUSED] = CHUNK_REFUSED,
	};
	struct mgmt *mgmt;

	if (conn->msg.arg[0] >= sizeof(of_info) / sizeof(of_info[0])) {
		conn->msg.arg[0] = 0;
		conn_answer(conn, EINVAL, NULL, 0);
		return;
	}
	mgmt = calloc(1, sizeof(*mgmt));
	if (mgmt != NULL)
		mgmt->text = open_memstream(&conn->text, &conn->text_bytes);
	if (mgmt == NULL || mgmt->text == NULL) {
		free(mgmt);
		conn->msg.arg[0] = 0;
		conn_answer(conn, ENOMEM, NULL, 0);
		return;
	}
	mgmt->conn = conn;
	mgmt->kind = of_info[conn->msg.arg[0]];
	fputs(kinds[mgmt->kind].head, mgmt->text);
	if (mgmt->kind == CHUNK_SOCKETS) {
		sock_walk_begin(conn->control, &mgmt->socks);
		if (!sock_walk_next(&mgmt->socks, &mgmt->chunk, &mgmt->worker)) {
			mgmt_end(mgmt);
			return;
		}
	}
	mgmt_ask(mgmt);
}
