/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The requests of a datagram, one by one: framing, and who answers. 13-netlink.md, 4.1 and 6.
 * Lengths of messages are compared here and not by mnl_nlmsg_ok(), which takes those from 2^31 on
 * for good.
 */
#include "nl_priv.h"

#include <errno.h>
#include <string.h>

/* Message types of NETLINK_SOCK_DIAG. Src: 13-netlink.md, 6. */
#define DIAG_GETSOCK_TCP  18
#define DIAG_GETSOCK_DCCP 19
#define DIAG_DESTROY	  21
/* Largest address family of Linux 6.1. */
#define DIAG_FAMILY_MAX 45

struct diag_req {
	uint8_t family;
	uint8_t protocol;
	uint16_t pad;
	uint32_t states;
};

static enum dpt_nl_result
diag_read(struct nl_request *r, struct dpt_nl_out *out)
{
	struct dpt_nl_req *req = r->req;
	struct diag_req diag = {.family = 0};
	uint32_t bytes = req->msg_bytes - NLMSG_HDRLEN;

	if (req->type == DIAG_GETSOCK_TCP || req->type == DIAG_GETSOCK_DCCP ||
	    req->type == DIAG_DESTROY)
		return nl_refuse(r, out, -EOPNOTSUPP);
	if (req->type != NL_DIAG_BY_FAMILY)
		return nl_refuse(r, out, -EINVAL);
	memcpy(&diag, (const uint8_t *)req->msg + NLMSG_HDRLEN,
	       bytes < sizeof(diag) ? bytes : sizeof(diag));
	/* Family and protocol, that is what any family's request begins with. */
	if (bytes < 2 || diag.family > DIAG_FAMILY_MAX)
		return nl_refuse(r, out, -EINVAL);
	if (diag.family != AF_TIPC)
		return nl_refuse(r, out, -ENOENT);
	if (bytes < sizeof(diag))
		return nl_refuse(r, out, -EINVAL);
	/* (one of the two dump flags will do here) */
	if ((req->flags & NLM_F_DUMP) == 0)
		return nl_refuse(r, out, -EOPNOTSUPP);
	req->is_dump = true;
	req->states = diag.states;
	return DPT_NL_EXECUTE;
}

static enum dpt_nl_result
generic_read(struct nl_request *r, struct dpt_nl_out *out)
{
	struct dpt_nl_req *req = r->req;
	const struct genlmsghdr *head = mnl_nlmsg_get_payload(req->msg);

	if (req->type != GENL_ID_CTRL && req->type != DPT_NL_FAMILY_ID)
		return nl_refuse(r, out, -ENOENT);
	if (req->msg_bytes < NLMSG_HDRLEN + GENL_HDRLEN)
		return nl_refuse(r, out, -EINVAL);
	req->cmd = head->cmd;
	req->is_dump = (req->flags & NLM_F_DUMP) == NLM_F_DUMP;
	if (req->type == GENL_ID_CTRL)
		return nl_family_answer(r, out);
	return nl_command_read(r, out);
}

/* The message at *pos; NULL: none, or what is there is none and ends the datagram. */
static const struct nlmsghdr *
message_next(const uint8_t *datagram, uint32_t bytes, uint32_t *pos)
{
	const struct nlmsghdr *msg = (const void *)(datagram + *pos);
	const uint32_t left = bytes - *pos;

	if (left < NLMSG_HDRLEN || msg->nlmsg_len < NLMSG_HDRLEN || msg->nlmsg_len > left) {
		*pos = bytes;
		return NULL;
	}
	*pos += left - msg->nlmsg_len < NLMSG_ALIGNTO ? left : NLMSG_ALIGN(msg->nlmsg_len);
	return msg;
}

enum dpt_nl_result
dpt_nl_next(const struct dpt_nl_peer *peer, const void *datagram, uint32_t bytes, uint32_t *pos,
	    struct dpt_nl_req *req, struct dpt_nl_out *out)
{
	struct nl_request r = {.peer = peer, .req = req};
	const struct nlmsghdr *msg = message_next(datagram, bytes, pos);

	if (msg == NULL)
		return DPT_NL_END;
	*req = (struct dpt_nl_req){
		.seq = msg->nlmsg_seq,
		.pid = msg->nlmsg_pid,
		.type = msg->nlmsg_type,
		.flags = msg->nlmsg_flags,
		.msg = msg,
		.msg_bytes = msg->nlmsg_len,
	};
	if ((req->flags & NLM_F_REQUEST) == 0 || req->type < NLMSG_MIN_TYPE)
		return nl_refuse(&r, out, 0);
	if (peer->protocol == NETLINK_SOCK_DIAG)
		return diag_read(&r, out);
	return generic_read(&r, out);
}
