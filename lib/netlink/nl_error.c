/* SPDX-License-Identifier: BSD-3-Clause */
/* The two ends of an answer: NLMSG_ERROR in its forms, and NLMSG_DONE. 13-netlink.md, 4.3, 4.4. */
#include "nl_priv.h"

#include <string.h>

/* Error and the header of the request. */
#define ERROR_BYTES (uint32_t)sizeof(struct nlmsgerr)

static uint32_t
attrs_bytes(const struct nl_fault *told)
{
	uint32_t bytes = 0;

	if (told->text != NULL)
		bytes += MNL_ATTR_HDRLEN + MNL_ALIGN((uint32_t)strlen(told->text) + 1);
	if (told->attr != NULL)
		bytes += MNL_ATTR_HDRLEN + sizeof(uint32_t);
	return bytes;
}

/* What of the fault the program gets to see. */
static struct nl_fault
told_of(const struct dpt_nl_peer *peer, const struct nl_fault *fault)
{
	return (struct nl_fault){
		.text = peer->has_ext_ack ? fault->text : NULL,
		.attr = peer->has_ext_ack ? fault->attr : NULL,
	};
}

bool
nl_error_put(struct dpt_nl_out *out, const struct dpt_nl_peer *peer, const struct dpt_nl_req *req,
	     int rc, const struct nl_fault *fault)
{
	const struct nl_fault told = told_of(peer, fault);
	uint32_t all = MNL_NLMSG_HDRLEN + ERROR_BYTES + attrs_bytes(&told);
	uint16_t flags = told.text != NULL || told.attr != NULL ? NLM_F_ACK_TLVS : 0;
	uint32_t echo_bytes = sizeof(struct nlmsghdr);
	struct nl_writer w;
	uint8_t *error;

	if (rc == 0 && (req->flags & NLM_F_ACK) == 0)
		return true;
	/* (a request that no datagram could echo is capped all the same) */
	if (rc != 0 && !peer->has_cap_ack && req->msg_bytes <= out->size &&
	    all + MNL_ALIGN(req->msg_bytes) - echo_bytes <= out->size)
		echo_bytes = req->msg_bytes;
	else
		flags |= NLM_F_CAPPED;
	nl_begin(&w, out, req, NLMSG_ERROR, flags);
	error = nl_extra(&w, (uint32_t)sizeof(int32_t) + echo_bytes);
	if (error == NULL)
		return false;
	memcpy(error, &(int32_t){rc}, sizeof(int32_t));
	memcpy(error + sizeof(int32_t), req->msg, echo_bytes);
	if (told.text != NULL)
		nl_put_text(&w, NLMSGERR_ATTR_MSG, told.text);
	if (told.attr != NULL)
		nl_put_u32(&w, NLMSGERR_ATTR_OFFS,
			   (uint32_t)((const uint8_t *)told.attr - (const uint8_t *)req->msg));
	return nl_end(&w);
}

bool
dpt_nl_put_error(struct dpt_nl_out *out, const struct dpt_nl_peer *peer,
		 const struct dpt_nl_req *req, int rc, const char *text)
{
	return nl_error_put(out, peer, req, rc, &(struct nl_fault){.text = text});
}

enum dpt_nl_result
nl_refuse(const struct nl_request *r, struct dpt_nl_out *out, int rc)
{
	(void)nl_error_put(out, r->peer, r->req, rc, &r->fault);
	return DPT_NL_ANSWERED;
}

bool
dpt_nl_put_done(struct dpt_nl_out *out, const struct dpt_nl_req *req, int rc)
{
	struct nl_writer w;
	void *result;

	nl_begin(&w, out, req, NLMSG_DONE, NLM_F_MULTI);
	result = nl_extra(&w, sizeof(int32_t));
	if (result == NULL)
		return false;
	memcpy(result, &(int32_t){rc}, sizeof(int32_t));
	return nl_end(&w);
}
