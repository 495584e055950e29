/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers about links. 13-netlink.md, 5.8. */
#include "nl_priv.h"

/* Zone and cluster of an address: what LINK_DEST shows of our own. */
#define DEST_MASK 0xfffff000u
/* Of the broadcast link, in PROP. */
#define METHOD_BCAST	 1
#define METHOD_REPLICAST 2
#define METHOD_AUTO	 4

static void
link_stats_put(struct nl_writer *w, const uint32_t stats[DPT_NL_STATS_CNT + 1])
{
	struct nlattr *nest = nl_nest(w, TIPC_NLA_LINK_STATS);

	for (uint16_t i = 1; i <= DPT_NL_STATS_CNT; i++) {
		uint32_t value = stats[i];

		/* Packets are in LINK_RX and LINK_TX; the tool divides by PROF_TOT. */
		if (i == TIPC_NLA_STATS_RX_INFO || i == TIPC_NLA_STATS_TX_INFO)
			value = 0;
		else if (i == TIPC_NLA_STATS_MSG_PROF_TOT)
			value = stats[TIPC_NLA_STATS_MSG_LEN_CNT] == 0
					? 1
					: stats[TIPC_NLA_STATS_MSG_LEN_CNT];
		nl_put_u32(w, i, value);
	}
	nl_nest_end(w, nest);
}

bool
dpt_nl_put_link(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		const struct dpt_nl_link *link)
{
	struct nl_writer w;
	struct nlattr *nest, *props;

	nl_begin_answer(&w, out, req, TIPC_NL_LINK_GET);
	nest = nl_nest(&w, TIPC_NLA_LINK);
	nl_put_text(&w, TIPC_NLA_LINK_NAME, link->name);
	nl_put_u32(&w, TIPC_NLA_LINK_DEST, link->dest & DEST_MASK);
	nl_put_u32(&w, TIPC_NLA_LINK_MTU, link->mtu);
	nl_put_u32(&w, TIPC_NLA_LINK_RX, link->rx);
	nl_put_u32(&w, TIPC_NLA_LINK_TX, link->tx);
	nl_put_flag(&w, TIPC_NLA_LINK_UP, link->is_up);
	/* (the kernel says ACTIVE of a link that is down, too) */
	nl_put_flag(&w, TIPC_NLA_LINK_ACTIVE, link->is_up && link->is_active);
	props = nl_nest(&w, TIPC_NLA_LINK_PROP);
	nl_put_u32(&w, TIPC_NLA_PROP_PRIO, link->props.prio);
	nl_put_u32(&w, TIPC_NLA_PROP_TOL, link->props.tol);
	nl_put_u32(&w, TIPC_NLA_PROP_WIN, link->props.win);
	/* Twice, as the kernel has it. */
	nl_put_u32(&w, TIPC_NLA_PROP_PRIO, link->props.prio);
	nl_nest_end(&w, props);
	link_stats_put(&w, link->stats);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}

static void
bcast_stats_put(struct nl_writer *w, const uint32_t stats[DPT_NL_STATS_CNT + 1])
{
	struct nlattr *nest = nl_nest(w, TIPC_NLA_LINK_STATS);

	for (uint16_t i = 1; i <= DPT_NL_STATS_CNT; i++) {
		if (i <= TIPC_NLA_STATS_TX_BUNDLED || i == TIPC_NLA_STATS_RX_NACKS ||
		    i == TIPC_NLA_STATS_RX_DEFERRED || i >= TIPC_NLA_STATS_TX_NACKS)
			nl_put_u32(w, i, stats[i]);
	}
	nl_nest_end(w, nest);
}

bool
dpt_nl_put_bcast_link(struct dpt_nl_out *out, const struct dpt_nl_req *req,
		      const struct dpt_nl_bcast_link *link)
{
	const bool is_forced = link->method == METHOD_BCAST || link->method == METHOD_REPLICAST;
	struct nl_writer w;
	struct nlattr *nest, *props;

	nl_begin_answer(&w, out, req, TIPC_NL_LINK_GET);
	/* Even in the answer to a DO, behind which no DONE comes. */
	if (!w.is_full)
		w.msg->nlmsg_flags |= NLM_F_MULTI;
	nest = nl_nest(&w, TIPC_NLA_LINK);
	nl_put_flag(&w, TIPC_NLA_LINK_UP, true);
	nl_put_flag(&w, TIPC_NLA_LINK_BROADCAST, true);
	nl_put_text(&w, TIPC_NLA_LINK_NAME, link->name);
	nl_put_u32(&w, TIPC_NLA_LINK_RX, 0);
	nl_put_u32(&w, TIPC_NLA_LINK_TX, 0);
	props = nl_nest(&w, TIPC_NLA_LINK_PROP);
	nl_put_u32(&w, TIPC_NLA_PROP_WIN, link->win);
	/* The tool crashes at another one. */
	nl_put_u32(&w, TIPC_NLA_PROP_BROADCAST, is_forced ? link->method : METHOD_AUTO);
	if (!is_forced)
		nl_put_u32(&w, TIPC_NLA_PROP_BROADCAST_RATIO, link->ratio);
	nl_nest_end(&w, props);
	bcast_stats_put(&w, link->stats);
	nl_nest_end(&w, nest);
	return nl_end(&w);
}
