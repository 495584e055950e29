/* SPDX-License-Identifier: BSD-3-Clause */
#include "link_rig.h"

#include <string.h>

const struct dpt_link_setup rig_setup = {
	.bearer_id = 0,
	.priority = 10,
	.tolerance_ms = 1500,
	.mtu = 1500,
	.window_min = 50,
	.window_max = 1000,
	.if_name = "eth0",
	.dst = {.media = DPT_MEDIA_ETH, .bytes = {2, 0, 0, 0, 0, 2}},
};

void
rig_init_with(struct rig *rig, const struct dpt_link_setup *setup, uint16_t ring_pkts)
{
	struct dpt_link_cfg cfg;

	memset(rig, 0, sizeof(*rig));
	dpt_rng_seed(&rig->rng, cu_seed());
	dpt_out_init(&rig->out);
	dpt_bufq_init(&rig->in);
	rig->now_ns = RIG_START_NS;
	rig->state_seq = 1;
	cfg = (struct dpt_link_cfg){
		.env = {.rng = &rig->rng, .pool = test_pool()},
		.own = {.value = RIG_A},
		.peer = {.value = RIG_B},
		.caps = DPT_CAPS_OWN,
		.ring_pkts = ring_pkts,
		.view = &rig->view,
		.sums = &rig->sums,
	};
	CU_TRUE_FATAL(dpt_link_size(ring_pkts) <= sizeof(rig->mem));
	rig->link = (struct dpt_link *)(void *)rig->mem;
	dpt_link_init(rig->link, &cfg, setup, rig->now_ns);
}

void
rig_init(struct rig *rig)
{
	rig_init_with(rig, &rig_setup, RIG_RING_PKTS);
}

void
rig_up(struct rig *rig)
{
	struct dpt_link *link = rig->link;

	link->session = RIG_SESSION_A;
	rig_rx_proto(rig, rig_reset_msg(DPT_TYPE_RESET, RIG_SESSION_B));
	dpt_link_event(link, DPT_LINK_EV_ESTABLISH, rig->now_ns);
	rig_tx_clear(rig);
	CU_EQ_U64_FATAL(link->state, DPT_LINK_ESTABLISHED);
}

void
rig_init_up(struct rig *rig)
{
	rig_init(rig);
	rig_up(rig);
}

void
rig_end(struct rig *rig)
{
	dpt_link_fini(rig->link, rig->now_ns);
	rig_tx_clear(rig);
	rig_in_clear(rig);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

uint32_t
rig_tx_clear(struct rig *rig)
{
	return dpt_bufq_free(&rig->out.tx);
}

uint32_t
rig_in_clear(struct rig *rig)
{
	return dpt_bufq_free(&rig->in);
}

const uint8_t *
rig_tx_hdr(const struct rig *rig, unsigned int n)
{
	struct rte_mbuf *m = rig->out.tx.head;

	while (m != NULL && n-- > 0)
		m = dpt_bufq_next(m);
	return m != NULL ? dpt_buf_hdr(m) : NULL;
}

int
rig_tx_seq(const struct rig *rig, unsigned int n)
{
	const uint8_t *hdr = rig_tx_hdr(rig, n);

	return hdr != NULL ? (int)dpt_msg_seqno(hdr) : -1;
}

const struct dpt_event *
rig_event(const struct rig *rig, enum dpt_event_type type)
{
	for (int i = rig->out.events_cnt - 1; i >= 0; i--) {
		if (rig->out.events[i].type == type)
			return &rig->out.events[i];
	}
	return NULL;
}

struct rte_mbuf *
rig_msg(unsigned int imp, uint32_t payload_bytes)
{
	struct rte_mbuf *m =
		dpt_msg_alloc(test_pool(), imp, DPT_TYPE_CONN, DPT_HDR_SHORT, payload_bytes,
			      dpt_node_addr(RIG_A), dpt_node_addr(RIG_B));
	uint8_t octet;

	CU_NOT_NULL_FATAL(m);
	for (uint32_t i = 0; i < payload_bytes; i++) {
		octet = (uint8_t)(i * 7 + i / 256);
		dpt_buf_write(m, DPT_HDR_SHORT + i, &octet, 1);
	}
	return m;
}

int
rig_send(struct rig *rig, unsigned int imp, unsigned int n)
{
	int rc = 0;

	while (n-- > 0)
		rc = dpt_link_tx(rig->link, rig_msg(imp, 4), rig->now_ns, &rig->out);
	return rc;
}

int
rig_send_large(struct rig *rig, unsigned int imp, unsigned int n)
{
	int rc = 0;

	while (n-- > 0)
		rc = dpt_link_tx(rig->link, rig_msg(imp, 800), rig->now_ns, &rig->out);
	return rc;
}

struct rte_mbuf *
rig_pkt(uint16_t seq, uint16_t ack)
{
	struct rte_mbuf *m = dpt_msg_alloc(test_pool(), DPT_USER_LOW, DPT_TYPE_CONN, DPT_HDR_SHORT,
					   4, dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));

	CU_NOT_NULL_FATAL(m);
	dpt_msg_set_seqno(dpt_buf_hdr(m), seq);
	dpt_msg_set_ack(dpt_buf_hdr(m), ack);
	return m;
}

uint32_t
rig_rx_buf(struct rig *rig, struct rte_mbuf *m)
{
	return dpt_link_rx(rig->link, m, rig->now_ns, &rig->in, &rig->out);
}

uint32_t
rig_rx(struct rig *rig, uint16_t seq, uint16_t ack)
{
	return rig_rx_buf(rig, rig_pkt(seq, ack));
}

struct rte_mbuf *
rig_proto(enum dpt_link_protocol_type type, const void *payload, uint32_t bytes)
{
	struct rte_mbuf *m =
		dpt_msg_alloc(test_pool(), DPT_USER_LINK_PROTOCOL, type, DPT_HDR_INTERNAL, bytes,
			      dpt_node_addr(RIG_B), dpt_node_addr(RIG_A));

	CU_NOT_NULL_FATAL(m);
	dpt_msg_set_session(dpt_buf_hdr(m), RIG_SESSION_B);
	memcpy(dpt_buf_hdr(m) + DPT_HDR_INTERNAL, payload, bytes);
	return m;
}

uint32_t
rig_rx_proto(struct rig *rig, struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	uint32_t result = UINT32_MAX;

	if (dpt_link_proto_check(rig->link, hdr, dpt_buf_head_bytes(m), rig->now_ns))
		result = dpt_link_proto_rx(rig->link, hdr, rig->now_ns, &rig->out);
	rte_pktmbuf_free(m);
	return result;
}

struct rte_mbuf *
rig_reset_msg(enum dpt_link_protocol_type type, uint16_t session)
{
	static const char name[DPT_IF_NAME_BYTES] = "ens5";
	struct rte_mbuf *m = rig_proto(type, name, sizeof(name));

	dpt_msg_set_session(dpt_buf_hdr(m), session);
	dpt_msg_set_max_pkt(dpt_buf_hdr(m), 375);
	dpt_msg_set_bc_ack_invalid(dpt_buf_hdr(m), 1);
	return m;
}

struct rte_mbuf *
rig_state_msg(struct rig *rig, uint16_t ack, uint16_t gap, const struct dpt_gap_record *rec)
{
	static const struct dpt_gap_record none;
	uint8_t payload[DPT_GAP_RECORD_BYTES_MAX];
	uint32_t bytes = dpt_gap_record_encode(rec != NULL ? rec : &none, payload);
	struct rte_mbuf *m = rig_proto(DPT_TYPE_STATE, payload, bytes);

	dpt_msg_set_ack(dpt_buf_hdr(m), ack);
	dpt_msg_set_seq_gap(dpt_buf_hdr(m), gap);
	dpt_msg_set_seqno(dpt_buf_hdr(m), rig->state_seq++);
	dpt_msg_set_next_sent(dpt_buf_hdr(m), rig->link->rcv_nxt);
	return m;
}

uint32_t
rig_rx_state(struct rig *rig, uint16_t ack, uint16_t gap, const struct dpt_gap_record *rec)
{
	return rig_rx_proto(rig, rig_state_msg(rig, ack, gap, rec));
}
