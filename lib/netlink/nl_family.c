/* SPDX-License-Identifier: BSD-3-Clause */
/* The controller: which family "TIPCv2" is, and what it can do. 13-netlink.md, 3. */
#include "nl_priv.h"

#include <errno.h>
#include <string.h>

#define FAMILY_NAME    "TIPCv2"
#define FAMILY_VERSION 1
/* Of the controller's answers. */
#define CTRL_VERSION 2

static const struct nl_rules ctrl_rules = {
	.type_max = CTRL_ATTR_FAMILY_NAME,
	.by_type =
		{
			[CTRL_ATTR_FAMILY_ID] = {NL_ANY, 0},
			[CTRL_ATTR_FAMILY_NAME] = {NL_NAME, GENL_NAMSIZ - 1},
		},
};

/* 0: the request means our family. */
static int
family_find(struct nl_request *r)
{
	const uint8_t *attrs = (const uint8_t *)r->req->msg + NLMSG_HDRLEN + GENL_HDRLEN;
	const struct nlattr *id, *name;
	struct nl_attrs top;
	int rc = nl_attrs_read(attrs, r->req->msg_bytes - NLMSG_HDRLEN - GENL_HDRLEN, &ctrl_rules,
			       &top, &r->fault);

	if (rc < 0)
		return rc;
	id = top.by_type[CTRL_ATTR_FAMILY_ID];
	name = top.by_type[CTRL_ATTR_FAMILY_NAME];
	if (id != NULL && mnl_attr_get_payload_len(id) < sizeof(uint16_t))
		return -ERANGE;
	/* When there are both, the name counts. */
	if (name != NULL)
		return strcmp(mnl_attr_get_payload(name), FAMILY_NAME) == 0 ? 0 : -ENOENT;
	if (id != NULL)
		return mnl_attr_get_u16(id) == DPT_NL_FAMILY_ID ? 0 : -ENOENT;
	return -EINVAL;
}

static void
commands_put(struct nl_writer *w)
{
	struct nlattr *all = nl_nest(w, CTRL_ATTR_OPS);

	for (uint16_t i = 0; i < NL_COMMANDS_CNT; i++) {
		struct nlattr *one = nl_nest(w, i + 1);

		nl_put_u32(w, CTRL_ATTR_OP_ID, nl_commands[i].cmd);
		nl_put_u32(w, CTRL_ATTR_OP_FLAGS, nl_commands[i].flags | GENL_CMD_CAP_HASPOL);
		nl_nest_end(w, one);
	}
	nl_nest_end(w, all);
}

static void
family_put(struct dpt_nl_out *out, const struct dpt_nl_req *req)
{
	const uint16_t id = DPT_NL_FAMILY_ID;
	struct nl_writer w;
	struct genlmsghdr *head;

	nl_begin(&w, out, req, GENL_ID_CTRL, req->is_dump ? NLM_F_MULTI : 0);
	head = nl_extra(&w, GENL_HDRLEN);
	if (head == NULL)
		return;
	head->cmd = CTRL_CMD_NEWFAMILY;
	head->version = CTRL_VERSION;
	nl_put_text(&w, CTRL_ATTR_FAMILY_NAME, FAMILY_NAME);
	nl_put(&w, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
	nl_put_u32(&w, CTRL_ATTR_VERSION, FAMILY_VERSION);
	nl_put_u32(&w, CTRL_ATTR_HDRSIZE, 0);
	nl_put_u32(&w, CTRL_ATTR_MAXATTR, TIPC_NLA_MAX);
	commands_put(&w);
	(void)nl_end(&w);
}

enum dpt_nl_result
nl_family_answer(struct nl_request *r, struct dpt_nl_out *out)
{
	int rc;

	if (r->req->cmd != CTRL_CMD_GETFAMILY)
		return nl_refuse(r, out, -EOPNOTSUPP);
	if (r->req->is_dump) {
		family_put(out, r->req);
		(void)dpt_nl_put_done(out, r->req, 0);
		return DPT_NL_ANSWERED;
	}
	rc = family_find(r);
	if (rc == 0)
		family_put(out, r->req);
	return nl_refuse(r, out, rc);
}
