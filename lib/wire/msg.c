/* SPDX-License-Identifier: BSD-3-Clause */
/* Building of headers, bundles taken apart. Contract: dpt_msg.h. */
#include "dpt_msg.h"

DPT_STATIC_ASSERT((DPT_MSG_VERSION & ~7) == 0, "three bits");

uint8_t
dpt_msg_link_importance(const uint8_t *hdr)
{
	uint32_t user = dpt_msg_user(hdr);
	uint32_t level;

	if (user <= DPT_USER_CRITICAL)
		return dpt_msg_errcode(hdr) == 0 ? (uint8_t)user : DPT_IMPORTANCE_SYSTEM;
	if (user != DPT_USER_BUNDLER && user != DPT_USER_FRAGMENTER)
		return DPT_IMPORTANCE_SYSTEM;
	level = dpt_msg_importance(hdr);
	return level < DPT_IMPORTANCE_SYSTEM ? (uint8_t)level : DPT_IMPORTANCE_SYSTEM;
}

void
dpt_msg_init(uint8_t *hdr, enum dpt_user user, uint32_t type, uint32_t hdr_bytes,
	     struct dpt_node_addr own, struct dpt_node_addr dest)
{
	DPT_DEBUG_ASSERT(hdr_bytes >= DPT_HDR_BYTES_MIN && hdr_bytes <= DPT_HDR_BYTES_MAX);
	DPT_DEBUG_ASSERT(hdr_bytes % 4 == 0);
	memset(hdr, 0, hdr_bytes);
	dpt_msg_set_version(hdr, DPT_MSG_VERSION);
	dpt_msg_set_user(hdr, user);
	dpt_msg_set_type(hdr, type);
	dpt_msg_set_hdr_words(hdr, hdr_bytes / 4);
	dpt_msg_set_size(hdr, hdr_bytes);
	dpt_msg_set_prevnode(hdr, own.value);
	if (hdr_bytes > DPT_HDR_SHORT && user != DPT_USER_LINK_CONFIG) {
		dpt_msg_set_orignode(hdr, own.value);
		dpt_msg_set_destnode(hdr, dest.value);
	}
}

struct rte_mbuf *
dpt_msg_alloc(struct rte_mempool *pool, enum dpt_user user, uint32_t type, uint32_t hdr_bytes,
	      uint32_t payload_bytes, struct dpt_node_addr own, struct dpt_node_addr dest)
{
	struct rte_mbuf *m;

	if (payload_bytes > DPT_PAYLOAD_BYTES_MAX)
		return NULL;
	m = dpt_buf_alloc_len(pool, hdr_bytes + payload_bytes);
	if (m == NULL)
		return NULL;
	dpt_msg_init(dpt_buf_hdr(m), user, type, hdr_bytes, own, dest);
	dpt_msg_set_size(dpt_buf_hdr(m), hdr_bytes + payload_bytes);
	return m;
}

/* Header and size of the message at offset of the bundle; false: it is malformed. */
static bool
unbundle_check(struct rte_mbuf *bundle, uint32_t offset, uint32_t left, uint32_t *size)
{
	uint8_t hdr[DPT_HDR_BYTES_MAX];
	uint32_t head_bytes = left < sizeof(hdr) ? left : (uint32_t)sizeof(hdr);

	dpt_buf_read(bundle, offset, hdr, head_bytes);
	if (dpt_msg_check(hdr, head_bytes, left, DPT_PLACE_BUNDLE) != DPT_MSG_OK)
		return false;
	*size = dpt_msg_size(hdr);
	return true;
}

struct rte_mbuf *
dpt_msg_unbundle(struct rte_mbuf *bundle, uint32_t *offset, bool *malformed,
		 struct rte_mempool *pool)
{
	uint32_t hdr_bytes = dpt_msg_hdr_bytes(dpt_buf_hdr(bundle));
	uint32_t payload_bytes = dpt_buf_bytes(bundle) - hdr_bytes;
	uint32_t size, copied = 0;
	struct rte_mbuf *m;

	*malformed = false;
	/* The padding of the last message, which its sender should not have put there. */
	if (*offset >= payload_bytes)
		return NULL;
	if (!unbundle_check(bundle, hdr_bytes + *offset, payload_bytes - *offset, &size) ||
	    (m = dpt_buf_alloc_len(pool, size)) == NULL) {
		*malformed = true;
		return NULL;
	}
	for (struct rte_mbuf *seg = m; seg != NULL; seg = seg->next) {
		dpt_buf_read(bundle, hdr_bytes + *offset + copied, rte_pktmbuf_mtod(seg, uint8_t *),
			     seg->data_len);
		copied += seg->data_len;
	}
	dpt_buf(m)->bearer_id = dpt_buf(bundle)->bearer_id;
	/* size >= 24, so the walk ends. */
	*offset += (size + 3) & ~UINT32_C(3);
	return m;
}
