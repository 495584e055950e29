/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing one message behind others: what does not fit, leaves the datagram as it was. libmnl
 * writes the attributes, but does not clear their padding (1.0.4) and marks all nests, so both is
 * seen to here: what a client gets holds no octet of our memory.
 */
#include "nl_priv.h"

#include <string.h>

void
nl_begin(struct nl_writer *w, struct dpt_nl_out *out, const struct dpt_nl_req *req, uint16_t type,
	 uint16_t flags)
{
	*w = (struct nl_writer){.out = out, .room = out->size - out->used};
	if (w->room < MNL_NLMSG_HDRLEN) {
		w->is_full = true;
		return;
	}
	w->msg = mnl_nlmsg_put_header(out->data + out->used);
	w->msg->nlmsg_type = type;
	w->msg->nlmsg_flags = flags;
	w->msg->nlmsg_seq = req->seq;
	w->msg->nlmsg_pid = req->pid;
}

void
nl_begin_answer(struct nl_writer *w, struct dpt_nl_out *out, const struct dpt_nl_req *req,
		uint8_t cmd)
{
	struct genlmsghdr *head;

	nl_begin(w, out, req, DPT_NL_FAMILY_ID, req->is_dump ? NLM_F_MULTI : 0);
	head = nl_extra(w, GENL_HDRLEN);
	if (head == NULL)
		return;
	head->cmd = cmd;
	head->version = 1;
}

static bool
has_room(struct nl_writer *w, uint32_t bytes)
{
	if (!w->is_full && w->room - w->msg->nlmsg_len < MNL_ALIGN(bytes))
		w->is_full = true;
	return !w->is_full;
}

void *
nl_extra(struct nl_writer *w, uint32_t bytes)
{
	return has_room(w, bytes) ? mnl_nlmsg_put_extra_header(w->msg, bytes) : NULL;
}

void
nl_put(struct nl_writer *w, uint16_t type, const void *data, uint32_t bytes)
{
	const uint32_t all = MNL_ATTR_HDRLEN + MNL_ALIGN(bytes);

	if (!has_room(w, all))
		return;
	memset((uint8_t *)mnl_nlmsg_get_payload_tail(w->msg) + all - MNL_ALIGNTO, 0, MNL_ALIGNTO);
	mnl_attr_put(w->msg, type, bytes, data);
}

void
nl_put_u32(struct nl_writer *w, uint16_t type, uint32_t value)
{
	nl_put(w, type, &value, sizeof(value));
}

void
nl_put_u64(struct nl_writer *w, uint16_t type, uint64_t value)
{
	nl_put(w, type, &value, sizeof(value));
}

void
nl_put_text(struct nl_writer *w, uint16_t type, const char *text)
{
	nl_put(w, type, text, (uint32_t)strlen(text) + 1);
}

void
nl_put_flag(struct nl_writer *w, uint16_t type, bool is_set)
{
	if (is_set)
		nl_put(w, type, "", 0);
}

struct nlattr *
nl_nest(struct nl_writer *w, uint16_t type)
{
	struct nlattr *nest;

	if (!has_room(w, MNL_ATTR_HDRLEN))
		return NULL;
	nest = mnl_attr_nest_start(w->msg, type);
	nest->nla_type = type;
	return nest;
}

void
nl_nest_end(struct nl_writer *w, struct nlattr *nest)
{
	if (!w->is_full)
		mnl_attr_nest_end(w->msg, nest);
}

bool
nl_end(struct nl_writer *w)
{
	if (w->is_full)
		return false;
	w->out->used += MNL_ALIGN(w->msg->nlmsg_len);
	return true;
}
