/* SPDX-License-Identifier: BSD-3-Clause */
/* LINK_CONFIG messages. Contract: dpt_records.h. Src: 02-discovery.md, 2. */
#include "dpt_records.h"

#include <errno.h>

/* w5: the first octet of the media information. */
#define CONFIG_MEDIA_AT 20

DPT_STATIC_ASSERT(DPT_HDR_CONFIG + sizeof(struct dpt_node_id) == DPT_LINK_CONFIG_BYTES,
		  "header and identity");

struct rte_mbuf *
dpt_link_config_build(const struct dpt_link_config *cfg, struct rte_mempool *pool)
{
	struct rte_mbuf *m;
	uint8_t *hdr;

	m = dpt_msg_alloc(pool, DPT_USER_LINK_CONFIG, cfg->type, DPT_HDR_CONFIG,
			  sizeof(cfg->id.bytes), cfg->prevnode, dpt_node_addr(0));
	if (m == NULL)
		return NULL;
	hdr = dpt_buf_hdr(m);
	dpt_msg_set_non_seq(hdr, 1);
	/* In this order: bit 15 belongs to both and is capability bit 0. */
	dpt_msg_set_node_sig(hdr, cfg->signature);
	dpt_msg_set_caps(hdr, cfg->caps);
	dpt_msg_set_dest_domain(hdr, cfg->dest_domain.value);
	dpt_msg_set_net_id(hdr, cfg->net_id);
	dpt_maddr_encode(&cfg->maddr, hdr + CONFIG_MEDIA_AT);
	dpt_msg_set_suggested_addr(hdr, cfg->suggested.value);
	dpt_buf_write(m, DPT_HDR_CONFIG, cfg->id.bytes, sizeof(cfg->id.bytes));
	return m;
}

int
dpt_link_config_parse(struct dpt_link_config *cfg, struct rte_mbuf *m, enum dpt_media media)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	*cfg = (struct dpt_link_config){
		.type = (uint8_t)dpt_msg_type(hdr),
		.caps = (uint16_t)dpt_msg_caps(hdr),
		.signature = (uint16_t)dpt_msg_node_sig(hdr),
		.dest_domain = dpt_node_addr(dpt_msg_dest_domain(hdr)),
		.prevnode = dpt_node_addr(dpt_msg_prevnode(hdr)),
		.net_id = dpt_msg_net_id(hdr),
		.suggested = dpt_node_addr(dpt_msg_suggested_addr(hdr)),
	};
	if (cfg->type > DPT_TYPE_DSC_TRIAL_FAIL)
		return -EINVAL;
	if ((cfg->caps & DPT_CAP_NODE_ID128) == 0) {
		cfg->id = dpt_node_id_from_addr(cfg->prevnode);
	} else {
		if (dpt_msg_payload_bytes(hdr) < sizeof(cfg->id.bytes))
			return -EINVAL;
		dpt_buf_read(m, dpt_msg_hdr_bytes(hdr), cfg->id.bytes, sizeof(cfg->id.bytes));
	}
	if (dpt_node_id_is_zero(&cfg->id))
		return -EINVAL;
	return dpt_maddr_decode(&cfg->maddr, media, hdr + CONFIG_MEDIA_AT);
}
