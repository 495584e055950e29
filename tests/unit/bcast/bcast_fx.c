/* SPDX-License-Identifier: BSD-3-Clause */
/* See bcast_fx.h. */
#include "bcast_fx.h"

#include <stdlib.h>

#define FX_TRACE_RECS 64
#define FX_PEERS_MAX  100

void
bcast_fx_init(struct bcast_fx *fx)
{
	struct dpt_bcast_snd_cfg cfg = {
		.own = FX_A,
		.net_id = FX_NET_ID,
		.peers_max = FX_PEERS_MAX,
		.counters = &fx->counters,
	};

	memset(fx, 0, sizeof(*fx));
	dpt_rng_seed(&fx->rng, cu_seed());
	fx->trace = malloc(dpt_trace_size(FX_TRACE_RECS));
	dpt_trace_init(fx->trace, FX_TRACE_RECS);
	fx->env = (struct dpt_env){.rng = &fx->rng, .pool = test_pool(), .trace = fx->trace};
	dpt_bcast_rcv_init(&fx->rcv, &fx->env, FX_B, FX_A, FX_NET_ID, DPT_CAPS_OWN, &fx->counters);
	cfg.env = fx->env;
	fx->snd = aligned_alloc(64, dpt_bcast_snd_size(&cfg));
	dpt_bcast_snd_init(fx->snd, &cfg);
	dpt_out_init(&fx->out);
}

void
bcast_fx_clear(struct bcast_fx *fx)
{
	dpt_bufq_free(&fx->out.tx);
	dpt_bufq_free(&fx->out.up);
	dpt_out_init(&fx->out);
}

void
bcast_fx_fini(struct bcast_fx *fx)
{
	bcast_fx_clear(fx);
	dpt_bcast_rcv_reset(&fx->rcv);
	dpt_bcast_snd_fini(fx->snd);
	free(fx->snd);
	free(fx->trace);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

void
bcast_fx_peer(struct bcast_fx *fx, struct dpt_node_addr peer)
{
	dpt_bcast_snd_dest_add(fx->snd, 0, DPT_MEDIA_ETH, 1500, true);
	CU_TRUE(dpt_bcast_snd_peer_add(fx->snd, peer, 1500, 0) >= 0);
}

void
bcast_fx_send(struct bcast_fx *fx, uint32_t cnt, uint64_t now_ns)
{
	for (uint32_t i = 0; i < cnt; i++)
		CU_TRUE(dpt_bcast_snd_tx(fx->snd, bcast_msg(i, 48), now_ns, &fx->out) >= 0);
}

uint32_t
bcast_fx_sent(struct bcast_fx *fx, uint16_t *seqnos, uint32_t max)
{
	uint32_t cnt = 0;
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(&fx->out.tx)) != NULL) {
		CU_TRUE_FATAL(cnt < max);
		seqnos[cnt++] = (uint16_t)dpt_msg_seqno(dpt_buf_hdr(m));
		rte_pktmbuf_free(m);
	}
	return cnt;
}

void
bcast_fx_sync(struct bcast_fx *fx, uint16_t last_bcast)
{
	uint8_t hdr[DPT_HDR_INTERNAL];

	dpt_msg_init(hdr, DPT_USER_BCAST_PROTOCOL, 0, sizeof(hdr), FX_A, FX_B);
	dpt_msg_set_bc_ack_invalid(hdr, 1);
	dpt_msg_set_last_bcast(hdr, last_bcast);
	dpt_bcast_rcv_sync(&fx->rcv, hdr);
}

bool
bcast_fx_rx(struct bcast_fx *fx, uint16_t seqno)
{
	return dpt_bcast_rcv_rx(&fx->rcv, bcast_pkt(seqno), &fx->out);
}

uint32_t
bcast_fx_got(struct bcast_fx *fx, uint32_t *nos, uint32_t max)
{
	uint32_t cnt = 0;
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(&fx->out.up)) != NULL) {
		CU_TRUE_FATAL(cnt < max);
		CU_EQ_U64(dpt_buf(m)->flags, DPT_BUF_F_BCAST);
		dpt_buf_read(m, DPT_HDR_MCAST, &nos[cnt++], sizeof(*nos));
		rte_pktmbuf_free(m);
	}
	return cnt;
}

struct rte_mbuf *
bcast_msg(uint32_t no, uint32_t bytes)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_MCAST, DPT_HDR_MCAST,
					   bytes - DPT_HDR_MCAST, FX_A, dpt_node_addr(0));
	const uint8_t fill[256] = {0};

	CU_NOT_NULL_FATAL(m);
	for (uint32_t at = DPT_HDR_MCAST; at < bytes; at += sizeof(fill))
		dpt_buf_write(m, at, fill, RTE_MIN((uint32_t)sizeof(fill), bytes - at));
	dpt_buf_write(m, DPT_HDR_MCAST, &no, sizeof(no));
	return m;
}

struct rte_mbuf *
bcast_pkt(uint16_t seqno)
{
	struct rte_mbuf *m = bcast_msg(seqno, 48);

	dpt_msg_set_non_seq(dpt_buf_hdr(m), 1);
	dpt_msg_set_seqno(dpt_buf_hdr(m), seqno);
	dpt_msg_set_bcast_net_id(dpt_buf_hdr(m), FX_NET_ID);
	return m;
}

struct rte_mbuf *
bcast_state(struct dpt_node_addr peer, uint16_t ack, uint16_t gap,
	    const struct dpt_gap_block *blocks, uint8_t blocks_cnt)
{
	struct dpt_gap_record rec = {.bcast_cnt = blocks_cnt};
	uint8_t bytes[DPT_GAP_RECORD_BYTES_MAX];
	struct rte_mbuf *m;
	uint32_t len;

	if (blocks_cnt > 0)
		memcpy(rec.bcast, blocks, blocks_cnt * sizeof(*blocks));
	len = dpt_gap_record_encode(&rec, bytes);
	m = dpt_msg_alloc(test_pool(), DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, DPT_HDR_INTERNAL,
			  len, peer, FX_A);
	CU_NOT_NULL_FATAL(m);
	dpt_buf_write(m, DPT_HDR_INTERNAL, bytes, len);
	dpt_msg_set_bcast_ack(dpt_buf_hdr(m), ack);
	dpt_msg_set_ack(dpt_buf_hdr(m), 1);
	dpt_msg_set_bc_gap(dpt_buf_hdr(m), gap);
	dpt_msg_set_redundant_link(dpt_buf_hdr(m), 1);
	return m;
}

struct rte_mbuf *
bcast_state_of(const struct dpt_bcast_rcv *rcv)
{
	return bcast_state(rcv->own, rcv->view.ack, rcv->view.gap, rcv->view.blocks,
			   rcv->view.blocks_cnt);
}
