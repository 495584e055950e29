/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target "netlink": a datagram of requests. The input is one octet that says who sends (bits
 * as below), then the datagram. Each request is read; what is to be done is answered with the
 * values that it had. Beyond memory errors, these must hold for any input:
 *
 *   - a datagram ends, and every message moves it on;
 *   - what `has` says is in its range, names end, what is refused leaves no request;
 *   - answers are whole messages, at most 4096 octets, with seq and port id of the request;
 *   - an answer is either there or has left the datagram alone.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/tipc_netlink.h>

#include "dpt_assert.h"
#include "dpt_nl.h"

#define PEER_DIAG	1u
#define PEER_CAP_ACK	2u
#define PEER_EXT_ACK	4u
#define PEER_ADMIN	8u
#define SMALL_OUT	16u /* a datagram that is soon full */
#define SMALL_OUT_BYTES 200

struct fuzz {
	struct dpt_nl_peer peer;
	struct dpt_nl_req req;
	uint32_t words[DPT_NL_DATAGRAM_BYTES / 4 + 1];
	struct dpt_nl_out out;
};

static void
attrs_check(const uint8_t *octets, uint32_t bytes)
{
	struct nlattr attr;

	while (bytes > 0) {
		DPT_ASSERT(bytes >= sizeof(attr));
		memcpy(&attr, octets, sizeof(attr));
		DPT_ASSERT(attr.nla_len >= sizeof(attr));
		DPT_ASSERT(attr.nla_len <= bytes);
		octets += NLMSG_ALIGN((uint32_t)attr.nla_len);
		bytes -= NLMSG_ALIGN((uint32_t)attr.nla_len);
	}
}

static void
error_check(const struct fuzz *f, const uint8_t *octets, uint32_t bytes)
{
	struct nlmsghdr head;
	int32_t rc;

	memcpy(&head, octets, sizeof(head));
	memcpy(&rc, octets + sizeof(head), sizeof(rc));
	DPT_ASSERT(bytes >= 36);
	DPT_ASSERT(rc <= 0);
	DPT_ASSERT(rc >= -4095);
	DPT_ASSERT(memcmp(octets + 20, f->req.msg, 16) == 0);
	DPT_ASSERT((head.nlmsg_flags & ~(NLM_F_CAPPED | NLM_F_ACK_TLVS)) == 0);
	if ((head.nlmsg_flags & NLM_F_CAPPED) != 0)
		attrs_check(octets + 36, bytes - 36);
	DPT_ASSERT((head.nlmsg_flags & NLM_F_ACK_TLVS) == 0 || f->peer.has_ext_ack);
}

/* All that is in `out`, and empties it. */
static void
answers_check(struct fuzz *f)
{
	struct nlmsghdr head;

	DPT_ASSERT(f->out.used <= f->out.size);
	for (uint32_t pos = 0; pos < f->out.used; pos += NLMSG_ALIGN(head.nlmsg_len)) {
		const uint8_t *octets = f->out.data + pos;

		DPT_ASSERT(f->out.used - pos >= sizeof(head));
		memcpy(&head, octets, sizeof(head));
		DPT_ASSERT(head.nlmsg_len >= 20);
		DPT_ASSERT(head.nlmsg_len <= f->out.used - pos);
		DPT_ASSERT(head.nlmsg_seq == f->req.seq);
		DPT_ASSERT(head.nlmsg_pid == f->req.pid);
		if (head.nlmsg_type == NLMSG_ERROR)
			error_check(f, octets, head.nlmsg_len);
		else if (head.nlmsg_type == NLMSG_DONE)
			DPT_ASSERT(head.nlmsg_len == 20);
		else if (head.nlmsg_type == 20)
			attrs_check(octets + 16, head.nlmsg_len - 16);
		else
			attrs_check(octets + 20, head.nlmsg_len - 20);
	}
	f->out.used = 0;
}

static void
has_check(const struct dpt_nl_req *req)
{
	DPT_ASSERT(memchr(req->name, '\0', sizeof(req->name)) != NULL);
	DPT_ASSERT(req->later_rc <= 0);
	DPT_ASSERT(req->later_text == NULL || req->later_rc < 0);
	DPT_ASSERT(req->key_bytes <= DPT_NL_KEY_BYTES);
	DPT_ASSERT((req->has & DPT_NL_HAS_KEY) == 0 || req->key_bytes >= 20);
	DPT_ASSERT((req->has & DPT_NL_HAS_PRIO) == 0 || req->prio <= 31);
	DPT_ASSERT((req->has & DPT_NL_HAS_TOL) == 0 || (req->tol >= 50 && req->tol <= 30000));
	DPT_ASSERT((req->has & DPT_NL_HAS_WIN) == 0 || (req->win >= 50 && req->win <= 8191));
	DPT_ASSERT((req->has & DPT_NL_HAS_MTU) == 0 || req->mtu <= 65535);
	DPT_ASSERT((req->has & DPT_NL_HAS_NET_ID) == 0 ||
		   (req->net_id >= 1 && req->net_id <= 9999));
	DPT_ASSERT((req->has & DPT_NL_HAS_ADDR) == 0 || req->addr != 0);
	DPT_ASSERT((req->has & DPT_NL_HAS_THRESHOLD) == 0 || req->threshold <= 4095);
	DPT_ASSERT((req->has & DPT_NL_HAS_LOCAL) == 0 || req->local.ss_family == AF_INET ||
		   req->local.ss_family == AF_INET6);
	DPT_ASSERT((req->has & DPT_NL_HAS_REMOTE) == 0 || req->remote.ss_family == AF_INET ||
		   req->remote.ss_family == AF_INET6);
	if (req->cmd == TIPC_NL_MON_PEER_GET)
		DPT_ASSERT(req->ref < 3);
	if (req->cmd == TIPC_NL_BEARER_ENABLE)
		DPT_ASSERT(strchr(req->name, ':') != NULL);
}

/* Whether it fitted: a whole message, or nothing. */
static void
put_check(struct fuzz *f, uint32_t used, bool is_put)
{
	DPT_ASSERT(f->out.used % 4 == 0);
	DPT_ASSERT(is_put ? f->out.used > used : f->out.used == used);
}

/* Answers made of what the request had: names of any letters, numbers of any value. */
static void
answer(struct fuzz *f)
{
	const struct dpt_nl_req *req = &f->req;
	const struct dpt_nl_props props = {req->prio, req->tol, req->win, req->mtu, true};
	const struct dpt_nl_bearer bearer = {req->name, props, true, true, req->local, req->remote};
	const struct dpt_nl_link link = {.name = req->name, .dest = req->addr, .props = props};
	const struct dpt_nl_bcast_link bcast = {.name = req->name, .method = req->bcast};
	const struct dpt_nl_sock sock = {.ref = req->ref, .is_connected = (req->states & 1) != 0};
	const struct dpt_nl_publ publ = {.type = req->ref, .scope = req->threshold};
	const struct dpt_nl_monitor_peer peer = {
		.has_domain = true, .applied_cnt = req->net_id, .members_cnt = req->ratio};
	uint32_t used = 0;

	put_check(f, used, dpt_nl_put_bearer(&f->out, req, &bearer));
	used = f->out.used;
	put_check(f, used, dpt_nl_put_link(&f->out, req, &link));
	used = f->out.used;
	put_check(f, used, dpt_nl_put_bcast_link(&f->out, req, &bcast));
	used = f->out.used;
	put_check(f, used, dpt_nl_put_name(&f->out, req, &publ));
	used = f->out.used;
	put_check(f, used, dpt_nl_put_monitor_peer(&f->out, req, &peer));
	used = f->out.used;
	put_check(f, used, dpt_nl_put_net(&f->out, req, req->net_id, &req->node_id));
	used = f->out.used;
	put_check(f, used, dpt_nl_put_diag(&f->out, req, &sock));
	used = f->out.used;
	put_check(f, used, dpt_nl_put_done(&f->out, req, req->later_rc));
	answers_check(f);
	(void)dpt_nl_put_error(&f->out, &f->peer, req, req->later_rc, req->later_text);
	answers_check(f);
}

static void
requests_read(struct fuzz *f, const uint8_t *datagram, uint32_t bytes, uint32_t small_bytes)
{
	uint32_t pos = 0, before = 0;
	enum dpt_nl_result result;

	for (;;) {
		f->out.size = DPT_NL_DATAGRAM_BYTES;
		result = dpt_nl_next(&f->peer, datagram, bytes, &pos, &f->req, &f->out);
		DPT_ASSERT(pos <= bytes);
		if (result == DPT_NL_END)
			break;
		DPT_ASSERT(pos > before);
		before = pos;
		DPT_ASSERT(f->req.msg_bytes >= NLMSG_HDRLEN);
		DPT_ASSERT((const uint8_t *)f->req.msg + f->req.msg_bytes <= datagram + bytes);
		if (result == DPT_NL_ANSWERED) {
			answers_check(f);
			continue;
		}
		DPT_ASSERT(f->out.used == 0);
		has_check(&f->req);
		f->out.size = small_bytes;
		answer(f);
	}
	DPT_ASSERT(f->out.used == 0);
	DPT_ASSERT(pos == bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	uint8_t *datagram;
	uint8_t who;

	if (size < 1)
		return 0;
	who = data[0];
	memset(&f, 0xa5, sizeof(f));
	f.peer = (struct dpt_nl_peer){
		.protocol = (who & PEER_DIAG) != 0 ? NETLINK_SOCK_DIAG : NETLINK_GENERIC,
		.has_cap_ack = (who & PEER_CAP_ACK) != 0,
		.has_ext_ack = (who & PEER_EXT_ACK) != 0,
		.is_admin = (who & PEER_ADMIN) != 0,
	};
	f.out = (struct dpt_nl_out){.data = (uint8_t *)f.words};
	/* Aligned, and exactly as long as it is. */
	datagram = malloc(size);
	DPT_ASSERT(datagram != NULL);
	memcpy(datagram, data + 1, size - 1);
	datagram = realloc(datagram, size > 1 ? size - 1 : 1);
	DPT_ASSERT(datagram != NULL);
	requests_read(&f, datagram, (uint32_t)size - 1,
		      (who & SMALL_OUT) != 0 ? SMALL_OUT_BYTES : DPT_NL_DATAGRAM_BYTES);
	free(datagram);
	return 0;
}
