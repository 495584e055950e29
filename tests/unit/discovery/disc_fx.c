/* SPDX-License-Identifier: BSD-3-Clause */
/* See disc_fx.h. */
#include "disc_fx.h"

#include <stdlib.h>

#define FX_TRACE_RECS 256

struct dpt_maddr
disc_mac(uint8_t no)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 0, no};

	return dpt_maddr_eth(mac);
}

struct dpt_node_addr
disc_addr(uint8_t no)
{
	return dpt_node_addr(0x02000000u ^ (uint32_t)no << 16);
}

struct dpt_discovery_cfg
disc_fx_cfg(uint32_t random)
{
	return (struct dpt_discovery_cfg){
		.net_id = FX_NET_ID,
		.caps = DPT_CAPS_OWN,
		.random = random,
		.peers_max = 64,
	};
}

void
disc_fx_init(struct disc_fx *fx, const struct dpt_discovery_cfg *cfg)
{
	struct dpt_discovery_cfg full = *cfg;

	memset(fx, 0, sizeof(*fx));
	dpt_rng_seed(&fx->rng, cu_seed());
	fx->trace = malloc(dpt_trace_size(FX_TRACE_RECS));
	dpt_trace_init(fx->trace, FX_TRACE_RECS);
	full.env = (struct dpt_env){.rng = &fx->rng, .pool = test_pool(), .trace = fx->trace};
	full.counters = &fx->counters;
	fx->disc = aligned_alloc(64, dpt_discovery_size(&full));
	dpt_discovery_init(fx->disc, &full);
	dpt_out_init(&fx->out);
}

static void
out_clear(struct disc_fx *fx)
{
	dpt_bufq_free(&fx->out.tx);
	dpt_out_init(&fx->out);
}

void
disc_fx_fini(struct disc_fx *fx)
{
	uint64_t drops = 0;

#define ADD_DROP_DROP(symbol) drops += fx->counters.symbol;
#define ADD_DROP_INFO(symbol)
#define ADD_DROP_ERROR(symbol)
#define ADD_DROP(symbol, kind, text) ADD_DROP_##kind(symbol)
	DPT_DISCOVERY_COUNTERS(ADD_DROP)
	CU_EQ_U64(fx->counters.rx_msgs, fx->counters.rx_used + drops);
	out_clear(fx);
	free(fx->disc);
	free(fx->trace);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

int
disc_fx_bearer(struct disc_fx *fx, uint8_t bearer_id, uint8_t mac_no, uint64_t now_ns)
{
	struct dpt_maddr mac = disc_mac(mac_no);

	out_clear(fx);
	return dpt_discovery_bearer_add(fx->disc, bearer_id, &mac, dpt_node_addr(0), now_ns,
					&fx->out);
}

void
disc_fx_timeout(struct disc_fx *fx, uint64_t now_ns)
{
	out_clear(fx);
	dpt_discovery_timeout(fx->disc, now_ns, &fx->out);
}

uint64_t
disc_fx_settle(struct disc_fx *fx)
{
	uint64_t now_ns = 0;

	while (dpt_discovery_addr(fx->disc).value == 0) {
		now_ns = dpt_discovery_deadline_ns(fx->disc);
		disc_fx_timeout(fx, now_ns);
	}
	out_clear(fx);
	return now_ns;
}

void
disc_fx_rx_buf(struct disc_fx *fx, uint8_t bearer_id, struct rte_mbuf *m, uint64_t now_ns)
{
	out_clear(fx);
	dpt_discovery_rx(fx->disc, bearer_id, m, now_ns, &fx->out);
}

void
disc_fx_rx(struct disc_fx *fx, uint8_t bearer_id, const struct dpt_link_config *msg,
	   uint64_t now_ns)
{
	struct rte_mbuf *m = dpt_link_config_build(msg, test_pool());

	CU_NOT_NULL_FATAL(m);
	disc_fx_rx_buf(fx, bearer_id, m, now_ns);
}

bool
disc_fx_pop(struct disc_fx *fx, struct dpt_link_config *msg, struct dpt_maddr *dst)
{
	struct rte_mbuf *m = dpt_bufq_pop(&fx->out.tx);

	if (m == NULL)
		return false;
	if (dst != NULL)
		*dst = dpt_buf(m)->dst;
	CU_EQ_I64(dpt_link_config_parse(msg, m, (enum dpt_media)dpt_buf(m)->dst.media), 0);
	rte_pktmbuf_free(m);
	return true;
}

const struct dpt_event *
disc_fx_event(const struct disc_fx *fx, enum dpt_event_type type)
{
	for (uint32_t i = 0; i < fx->out.events_cnt; i++)
		if (fx->out.events[i].type == type)
			return &fx->out.events[i];
	return NULL;
}

struct dpt_link_config
disc_msg(enum dpt_disc_type type, uint8_t no)
{
	return (struct dpt_link_config){
		.type = (uint8_t)type,
		.caps = DPT_CAPS_OWN,
		.signature = (uint16_t)(0x8000 + no),
		.prevnode = disc_addr(no),
		.net_id = FX_NET_ID,
		.maddr = disc_mac(no),
		.id = {.bytes = {2, 0, 0, 0, 0, no}},
	};
}
