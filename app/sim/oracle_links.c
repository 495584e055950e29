/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Links: what their state machines did (read from the shards' traces), that none goes down
 * without a cause on its own wire, and that packets are numbered without holes.
 */
#include "dpt_msg.h"
#include "dpt_seq.h"
#include "sim.h"

/*
 * Records of the shards' traces that are read here: link_priv.h, node_priv.h. A test demands
 * that all arcs are seen, so it notices when these numbers are not right any more.
 */
#define REC_LINK_STATE	 DPT_TRACE_KIND(DPT_TRACE_LINK, 1) /* event; old; new */
#define REC_LINK_ILLEGAL DPT_TRACE_KIND(DPT_TRACE_LINK, 6) /* event; state */
#define REC_NODE_STATE	 DPT_TRACE_KIND(DPT_TRACE_NODE, 1) /* event; old; new */
#define REC_NODE_ILLEGAL DPT_TRACE_KIND(DPT_TRACE_NODE, 2) /* event; state */
#define REC_NODE_UP	 DPT_TRACE_KIND(DPT_TRACE_NODE, 3) /* bearer */
#define REC_NODE_DOWN	 DPT_TRACE_KIND(DPT_TRACE_NODE, 4) /* bearer; ; reason */

/*
 * A cause reaches the other end late: it is found out there after two tolerances, and what
 * that end then does is heard here after as many. A retransmission fails after ten.
 */
static uint64_t
links_window_ns(const struct sim *sim)
{
	const uint32_t lossy = SIM_FAULT_BIT(LOSS) | SIM_FAULT_BIT(BURST) | SIM_FAULT_BIT(CORRUPT) |
			       SIM_FAULT_BIT(TRUNCATE);
	uint64_t tolerances = (sim->plan.faults & lossy) != 0 ? 15 : 5;

	return tolerances * sim->plan.tolerance_ms * DPT_NS_PER_MS + DPT_NS_PER_S;
}

static bool
links_is_recent(const struct sim *sim, uint64_t ns)
{
	return ns != 0 && ns + links_window_ns(sim) >= sim->now_ns;
}

static bool
links_node_is_excused(const struct sim *sim, uint32_t n)
{
	const struct sim_node *node = &sim->nodes[n];

	return !node->is_running || links_is_recent(sim, node->bad_until_ns) ||
	       (node->incarnation > 0 && links_is_recent(sim, node->started_ns));
}

static bool
links_wire_is_excused(const struct sim *sim, uint32_t n, uint32_t p, uint32_t wire)
{
	return links_is_recent(sim, sim->paths[wire][n][p].bad_ns) ||
	       links_is_recent(sim, sim->paths[wire][p][n].bad_ns);
}

static bool
links_has_cause(const struct sim *sim, uint32_t n, uint32_t p, uint32_t wire)
{
	uint32_t other = 1 - wire;

	if (sim->opts->scenario != NULL || sim->is_quiet)
		return true;
	if (links_node_is_excused(sim, n) || links_node_is_excused(sim, p) ||
	    links_wire_is_excused(sim, n, p, wire))
		return true;
	/* A packet of a link that failed does not fit the other one: that goes down as well. */
	return sim->plan.wires == 2 && sim->plan.mtu[0] != sim->plan.mtu[1] &&
	       (sim->plan.faults & SIM_FAULT_BIT(CAPS)) != 0 &&
	       links_wire_is_excused(sim, n, p, other);
}

/* Src: 02-discovery.md, 4.4 step 7. */
static bool
links_is_in_domain(const struct sim *sim, uint32_t n, uint32_t p, uint32_t wire)
{
	uint32_t domain = sim->nodes[n].domain_used[wire].value, addr = sim->nodes[p].addr.value;

	if (domain == 0 || domain == addr)
		return true;
	return sim->plan.is_legacy_addr &&
	       (domain == (addr & 0xfffff000) || domain == (addr & 0xff000000));
}

static void
links_up(struct sim *sim, uint32_t n, uint32_t p, uint32_t wire)
{
	struct sim_link *links = sim->nodes[n].links[p];

	if (!links_is_in_domain(sim, n, p, wire))
		sim_violate(sim, "domain", "node %u: link to node %u on wire %u, domain %08x", n, p,
			    wire, sim->nodes[n].domain_used[wire].value);

	links[wire].is_up = true;
	if (wire == 1 && sim->opts->scenario != NULL && sim->is_cut_on_up[n][p]) {
		sim->is_cut_on_up[n][p] = false;
		sim->paths[wire][n][p].cuts++;
		sim_trace_line(sim, n, "  from now on nothing reaches n%u on wire 1", p);
	}
	links[wire].is_synch_due = sim->plan.wires == 2 && links[1 - wire].is_up;
}

static void
links_down(struct sim *sim, uint32_t n, uint32_t p, uint32_t wire, uint32_t reason)
{
	struct sim_link *links = sim->nodes[n].links[p];

	links[wire].is_up = false;
	sim->stats.links_lost++;
	if (sim->plan.wires == 2 && links[1 - wire].is_up)
		sim->stats.failovers++;
	if (!links_has_cause(sim, n, p, wire))
		sim_violate(sim, "link",
			    "node %u: the link to node %u on wire %u goes down (%s) "
			    "although nothing befell that wire",
			    n, p, wire, dpt_down_reason_name((enum dpt_down_reason)reason));
}

static void
links_record(struct sim *sim, uint32_t n, const struct dpt_trace_rec *rec)
{
	struct dpt_node_addr addr = {.value = rec->node};
	uint32_t p;

	switch (rec->kind) {
	case REC_LINK_STATE:
	case REC_LINK_ILLEGAL:
		sim->stats.link_arcs[rec->arg0][rec->arg16]++;
		break;
	case REC_NODE_STATE:
	case REC_NODE_ILLEGAL:
		sim->stats.node_arcs[rec->arg0][rec->arg16]++;
		break;
	case REC_NODE_UP:
	case REC_NODE_DOWN:
		p = sim_node_find_any(sim, addr);
		if (p == SIM_NONE || p == n || rec->arg16 >= sim->plan.wires)
			break;
		if (rec->kind == REC_NODE_UP)
			links_up(sim, n, p, rec->arg16);
		else
			links_down(sim, n, p, rec->arg16, (uint32_t)rec->arg1);
		break;
	default:
		break;
	}
	if (rec->kind == REC_LINK_ILLEGAL || rec->kind == REC_NODE_ILLEGAL)
		sim_violate(sim, "arcs",
			    "node %u: event %u is illegal in state %u of the %s to %08x", n,
			    rec->arg16, (unsigned int)rec->arg0,
			    rec->kind == REC_LINK_ILLEGAL ? "link" : "node", rec->node);
}

void
sim_oracle_links(struct sim *sim, uint32_t n, uint32_t shard)
{
	struct sim_shard *sh = &sim->nodes[n].shards[shard];
	const struct dpt_trace *trace = sh->trace;

	if (trace->next - sh->trace_seen > trace->recs_cnt)
		sh->trace_seen = trace->next - trace->recs_cnt;
	for (; sh->trace_seen < trace->next; sh->trace_seen++)
		links_record(sim, n, &trace->recs[sh->trace_seen & (trace->recs_cnt - 1)]);
}

/* The first packet of a link that has come up beside another one. Src: 03-link-node.md, 20.2 */
static bool
packet_is_synch(const uint8_t *hdr)
{
	return dpt_msg_user(hdr) == DPT_USER_TUNNEL && dpt_msg_type(hdr) == DPT_TYPE_SYNCH;
}

/* Sequenced packets of one session: 1, 2, 3 ...; those below are sent once more. */
void
sim_oracle_packet(struct sim *sim, uint32_t from, uint32_t to, struct rte_mbuf *m)
{
	struct sim_link *link = &sim->nodes[from].links[to][dpt_buf(m)->bearer_id];
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t user = dpt_msg_user(hdr);
	uint16_t seq;

	if (user == DPT_USER_LINK_CONFIG || dpt_msg_non_seq(hdr))
		return;
	if (user == DPT_USER_LINK_PROTOCOL) {
		uint16_t session = (uint16_t)dpt_msg_session(hdr);

		if (!link->is_counting || session != link->session)
			*link = (struct sim_link){.is_up = link->is_up,
						  .is_synch_due = link->is_synch_due,
						  .is_counting = true,
						  .session = session,
						  .nxt = 1};
		return;
	}
	seq = (uint16_t)dpt_msg_seqno(hdr);
	if (!link->is_counting || dpt_seq_lt(seq, link->nxt))
		return;
	if (seq != link->nxt)
		sim_violate(sim, "P10 sequence",
			    "node %u sends packet %u to node %u on wire %u, "
			    "the next one is %u",
			    from, seq, to, dpt_buf(m)->bearer_id, link->nxt);
	if (link->is_synch_due && !packet_is_synch(hdr))
		sim_violate(sim, "P10 synch",
			    "node %u: packet %u to node %u on its second link "
			    "(wire %u) is no SYNCH",
			    from, seq, to, dpt_buf(m)->bearer_id);
	link->is_synch_due = false;
	link->nxt = (uint16_t)(seq + 1);
}
