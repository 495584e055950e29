/* SPDX-License-Identifier: BSD-3-Clause */
/* Return of a message to its sender. Contract: dpt_msg.h. Src: 01-wire-format.md, 11. */
#include "dpt_msg.h"

/* What the message is, before anything is changed. */
struct reverse_plan {
	uint32_t old_hdr_bytes;
	uint32_t new_hdr_bytes;
	uint32_t payload_bytes;
	struct dpt_node_addr sender; /* the node that it goes back to */
};

static bool
reverse_is_allowed(const uint8_t *hdr)
{
	/* Only these have an error code; elsewhere its bits mean something else. */
	if (!dpt_msg_is_data(hdr) && dpt_msg_user(hdr) != DPT_USER_CONN_MANAGER)
		return false;
	return !dpt_msg_dest_droppable(hdr) && dpt_msg_errcode(hdr) == 0;
}

static struct reverse_plan
reverse_plan(const uint8_t *hdr, enum dpt_err err)
{
	struct reverse_plan plan = {
		.old_hdr_bytes = dpt_msg_hdr_bytes(hdr),
		.payload_bytes = dpt_msg_payload_bytes(hdr),
		/*
		 * The origin: the previous node may only have sent it on after a second
		 * lookup. Decision 0009.
		 */
		.sender = dpt_msg_origin(hdr),
	};

	plan.new_hdr_bytes = plan.old_hdr_bytes;
	if (plan.old_hdr_bytes < DPT_HDR_BASIC)
		plan.new_hdr_bytes = DPT_HDR_BASIC;
	if (plan.payload_bytes > DPT_RETURN_BYTES_MAX)
		plan.payload_bytes = DPT_RETURN_BYTES_MAX;
	if (dpt_msg_syn(hdr) && err == DPT_ERR_OVERLOAD)
		plan.payload_bytes = 0;
	return plan;
}

/* The octets may be changed: no second reference, and nobody else's memory. */
static bool
reverse_is_sole_owner(const struct rte_mbuf *m)
{
	for (; m != NULL; m = m->next) {
		if (rte_mbuf_refcnt_read(m) != 1 || !RTE_MBUF_DIRECT(m))
			return false;
	}
	return true;
}

/* In place: cut what is too much, make room for the two words that a short header lacks. */
static bool
reverse_in_place(struct rte_mbuf *m, const struct reverse_plan *plan)
{
	uint32_t grow = plan->new_hdr_bytes - plan->old_hdr_bytes;
	uint8_t *hdr;

	if (!reverse_is_sole_owner(m) || rte_pktmbuf_headroom(m) + dpt_buf(m)->l2_bytes < grow)
		return false;
	dpt_buf_trim(m, plan->old_hdr_bytes + plan->payload_bytes);
	rte_pktmbuf_adj(m, dpt_buf(m)->l2_bytes);
	hdr = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)grow);
	if (grow != 0) {
		memmove(hdr, hdr + grow, plan->old_hdr_bytes);
		memset(hdr + plan->old_hdr_bytes, 0, grow);
	}
	/* What the former owner of the buffer kept there is over. */
	memset(dpt_buf(m), 0, sizeof(struct dpt_buf));
	return true;
}

static struct rte_mbuf *
reverse_copy(struct rte_mbuf *m, const struct reverse_plan *plan, struct rte_mempool *pool)
{
	uint8_t payload[DPT_RETURN_BYTES_MAX];
	struct rte_mbuf *copy;

	copy = dpt_buf_alloc_len(pool, plan->new_hdr_bytes + plan->payload_bytes);
	if (copy == NULL)
		return NULL;
	memset(dpt_buf_hdr(copy), 0, plan->new_hdr_bytes);
	memcpy(dpt_buf_hdr(copy), dpt_buf_hdr(m), plan->old_hdr_bytes);
	dpt_buf_read(m, plan->old_hdr_bytes, payload, plan->payload_bytes);
	dpt_buf_write(copy, plan->new_hdr_bytes, payload, plan->payload_bytes);
	return copy;
}

static void
reverse_hdr(uint8_t *hdr, const struct reverse_plan *plan, enum dpt_err err,
	    struct dpt_node_addr own)
{
	uint32_t origport = dpt_msg_origport(hdr);

	dpt_msg_set_hdr_words(hdr, plan->new_hdr_bytes / 4);
	dpt_msg_set_size(hdr, plan->new_hdr_bytes + plan->payload_bytes);
	dpt_msg_set_errcode(hdr, err);
	dpt_msg_set_non_seq(hdr, 0);
	dpt_msg_set_origport(hdr, dpt_msg_destport(hdr));
	dpt_msg_set_destport(hdr, origport);
	dpt_msg_set_destnode(hdr, plan->sender.value);
	dpt_msg_set_prevnode(hdr, own.value);
	dpt_msg_set_orignode(hdr, own.value);
}

struct rte_mbuf *
dpt_msg_reverse(struct rte_mbuf *m, enum dpt_err err, struct dpt_node_addr own,
		struct rte_mempool *pool)
{
	struct rte_mbuf *reply = m;
	struct reverse_plan plan;

	if (!reverse_is_allowed(dpt_buf_hdr(m))) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	plan = reverse_plan(dpt_buf_hdr(m), err);
	if (!reverse_in_place(m, &plan)) {
		reply = reverse_copy(m, &plan, pool);
		rte_pktmbuf_free(m);
	}
	if (reply != NULL)
		reverse_hdr(dpt_buf_hdr(reply), &plan, err, own);
	return reply;
}
