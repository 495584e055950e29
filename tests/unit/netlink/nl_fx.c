/* SPDX-License-Identifier: BSD-3-Clause */
/* The fixture of the netlink tests. Contract: nl_fx.h. */
#include "nl_fx.h"

#include <stdlib.h>

#include "nl_golden.h"

#define PADDING 0xa5

void
fx_init(struct nl_fx *fx)
{
	memset(fx, 0, sizeof(*fx));
	fx->peer = (struct dpt_nl_peer){
		.protocol = NETLINK_GENERIC,
		.has_cap_ack = true,
		.has_ext_ack = true,
		.is_admin = true,
	};
	fx->out = (struct dpt_nl_out){
		.data = (uint8_t *)fx->out_words,
		.size = sizeof(fx->out_words),
	};
}

void
fx_fini(struct nl_fx *fx)
{
	free(fx->datagram);
}

static uint8_t *
at(struct nl_fx *fx, uint32_t offset)
{
	return (uint8_t *)fx->words + offset;
}

static void
lengthen(struct nl_fx *fx, uint32_t bytes)
{
	struct nlmsghdr *msg = (struct nlmsghdr *)(void *)at(fx, fx->msg_at);

	fx->bytes += bytes;
	msg->nlmsg_len = fx->bytes - fx->msg_at;
}

void
fx_begin_type(struct nl_fx *fx, uint16_t type, uint16_t flags)
{
	struct nlmsghdr msg = {
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = NL_FX_SEQ,
		.nlmsg_pid = NL_FX_PID,
	};

	while (fx->bytes % 4 != 0)
		*at(fx, fx->bytes++) = PADDING;
	fx->msg_at = fx->bytes;
	memcpy(at(fx, fx->msg_at), &msg, sizeof(msg));
	lengthen(fx, sizeof(msg));
}

void
fx_begin(struct nl_fx *fx, uint8_t cmd, uint16_t flags)
{
	/* (the version means nothing) */
	const struct genlmsghdr head = {.cmd = cmd, .version = 0x76};

	fx_begin_type(fx, DPT_NL_FAMILY_ID, flags);
	fx_octets(fx, &head, sizeof(head));
}

void
fx_octets(struct nl_fx *fx, const void *data, uint32_t bytes)
{
	CU_TRUE_FATAL(fx->bytes + bytes <= sizeof(fx->words));
	memcpy(at(fx, fx->bytes), data, bytes);
	lengthen(fx, bytes);
}

void
fx_attr(struct nl_fx *fx, uint16_t type, const void *data, uint32_t bytes)
{
	const struct nlattr attr = {.nla_len = (uint16_t)(4 + bytes), .nla_type = type};
	const uint8_t padding[3] = {PADDING, PADDING, PADDING};

	fx_octets(fx, &attr, sizeof(attr));
	fx_octets(fx, data, bytes);
	fx_octets(fx, padding, (4 - bytes % 4) % 4);
}

void
fx_u32(struct nl_fx *fx, uint16_t type, uint32_t value)
{
	fx_attr(fx, type, &value, sizeof(value));
}

void
fx_text(struct nl_fx *fx, uint16_t type, const char *text)
{
	fx_attr(fx, type, text, (uint32_t)strlen(text) + 1);
}

uint32_t
fx_nest(struct nl_fx *fx, uint16_t type)
{
	uint32_t nest = fx->bytes;

	fx_attr(fx, type | NLA_F_NESTED, "", 0);
	return nest;
}

void
fx_nest_end(struct nl_fx *fx, uint32_t nest)
{
	const uint16_t len = (uint16_t)(fx->bytes - nest);

	memcpy(at(fx, nest), &len, sizeof(len));
}

void
fx_nest_u32(struct nl_fx *fx, uint16_t nest_type, uint16_t type, uint32_t value)
{
	uint32_t nest = fx_nest(fx, nest_type);

	fx_u32(fx, type, value);
	fx_nest_end(fx, nest);
}

void
fx_nest_text(struct nl_fx *fx, uint16_t nest_type, uint16_t type, const char *text)
{
	uint32_t nest = fx_nest(fx, nest_type);

	fx_text(fx, type, text);
	fx_nest_end(fx, nest);
}

void
fx_nest_empty(struct nl_fx *fx, uint16_t nest_type)
{
	fx_nest_end(fx, fx_nest(fx, nest_type));
}

enum dpt_nl_result
fx_next(struct nl_fx *fx)
{
	fx->out.used = 0;
	/* Whatever was there: it must not come out. */
	memset(fx->out_words, PADDING, sizeof(fx->out_words));
	return dpt_nl_next(&fx->peer, fx->datagram, fx->bytes, &fx->pos, &fx->req, &fx->out);
}

enum dpt_nl_result
fx_send(struct nl_fx *fx)
{
	enum dpt_nl_result result;

	free(fx->datagram);
	fx->datagram = malloc(fx->bytes + (fx->bytes == 0));
	CU_NOT_NULL_FATAL(fx->datagram);
	memcpy(fx->datagram, fx->words, fx->bytes);
	fx->pos = 0;
	result = fx_next(fx);
	return result;
}

/* Sends it; the next message begins a new datagram. */
static enum dpt_nl_result
send_and_forget(struct nl_fx *fx)
{
	enum dpt_nl_result result = fx_send(fx);

	fx->bytes = 0;
	return result;
}

void
fx_executes_later(struct nl_fx *fx, int rc, const char *text)
{
	CU_EQ_I64(send_and_forget(fx), DPT_NL_EXECUTE);
	CU_EQ_U64(fx->out.used, 0);
	CU_EQ_I64(fx->req.later_rc, rc);
	if (text == NULL)
		CU_IS_NULL(fx->req.later_text);
	else if (CU_NOT_NULL(fx->req.later_text))
		CU_EQ_STR(fx->req.later_text, text);
}

void
fx_executes(struct nl_fx *fx)
{
	fx_executes_later(fx, 0, NULL);
}

struct error_answer {
	struct nlmsghdr head;
	int32_t rc;
	struct nlmsghdr echo;
};

/* The attributes of an answer that is capped. UINT32_MAX: no offset. */
static void
error_attrs(struct nl_fx *fx, const char **text, uint32_t *offs)
{
	uint32_t pos = sizeof(struct error_answer);

	*text = NULL;
	*offs = UINT32_MAX;
	while (pos + 4 <= fx->out.used) {
		const uint8_t *octets = fx->out.data + pos;
		struct nlattr attr;

		memcpy(&attr, octets, sizeof(attr));
		CU_TRUE_FATAL(attr.nla_len >= 4);
		CU_TRUE_FATAL(pos + attr.nla_len <= fx->out.used);
		if (attr.nla_type == NLMSGERR_ATTR_MSG)
			*text = (const char *)octets + 4;
		else if (CU_EQ_U64(attr.nla_type, NLMSGERR_ATTR_OFFS))
			memcpy(offs, octets + 4, sizeof(*offs));
		pos += (attr.nla_len + 3u) & ~3u;
	}
	CU_EQ_U64(pos, fx->out.used);
}

void
fx_refuses_at(struct nl_fx *fx, int rc, const char *text, uint32_t offs)
{
	struct error_answer answer = {.rc = 1};
	const char *text_is;
	uint32_t offs_is;

	CU_EQ_I64(send_and_forget(fx), DPT_NL_ANSWERED);
	if (!CU_TRUE(fx->out.used >= sizeof(answer)))
		return;
	memcpy(&answer, fx->out.data, sizeof(answer));
	CU_EQ_U64(answer.head.nlmsg_type, NLMSG_ERROR);
	CU_EQ_U64(answer.head.nlmsg_len, fx->out.used);
	CU_EQ_U64(answer.head.nlmsg_seq, fx->req.seq);
	CU_EQ_U64(answer.head.nlmsg_pid, fx->req.pid);
	CU_EQ_I64(answer.rc, rc);
	CU_EQ_MEM(&answer.echo, fx->datagram, sizeof(answer.echo));
	error_attrs(fx, &text_is, &offs_is);
	CU_EQ_U64(answer.head.nlmsg_flags, text != NULL || offs != UINT32_MAX ? 0x300 : 0x100);
	CU_EQ_U64(offs_is, offs);
	if (text == NULL)
		CU_IS_NULL(text_is);
	else if (CU_NOT_NULL(text_is))
		CU_EQ_STR(text_is, text);
}

void
fx_refuses(struct nl_fx *fx, int rc, const char *text)
{
	fx_refuses_at(fx, rc, text, UINT32_MAX);
}

void
fx_ends_dump(struct nl_fx *fx, int rc)
{
	struct {
		struct nlmsghdr head;
		int32_t rc;
	} done = {.rc = 1};

	CU_EQ_I64(send_and_forget(fx), DPT_NL_ANSWERED);
	if (!CU_EQ_U64(fx->out.used, sizeof(done)))
		return;
	memcpy(&done, fx->out.data, sizeof(done));
	CU_EQ_U64(done.head.nlmsg_type, NLMSG_DONE);
	CU_EQ_U64(done.head.nlmsg_flags, NLM_F_MULTI);
	CU_EQ_U64(done.head.nlmsg_len, sizeof(done));
	CU_EQ_I64(done.rc, rc);
}

void
fx_says_nothing(struct nl_fx *fx)
{
	CU_EQ_I64(send_and_forget(fx), DPT_NL_ANSWERED);
	CU_EQ_U64(fx->out.used, 0);
}

static uint8_t
digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

uint32_t
fx_golden_octets(const char *exchange, char way, uint32_t n, uint8_t octets[NL_FX_BYTES])
{
	for (size_t i = 0; i < nl_goldens_cnt; i++) {
		const struct nl_golden *golden = &nl_goldens[i];
		uint32_t bytes = (uint32_t)strlen(golden->hex) / 2;

		if (strcmp(golden->exchange, exchange) != 0 || golden->way != way || n-- > 0)
			continue;
		for (uint32_t k = 0; k < bytes; k++)
			octets[k] = (uint8_t)(digit(golden->hex[2 * k]) << 4 |
					      digit(golden->hex[2 * k + 1]));
		return bytes;
	}
	return 0;
}

enum dpt_nl_result
fx_golden_send(struct nl_fx *fx, const char *exchange, uint32_t n)
{
	uint8_t octets[NL_FX_BYTES];

	cu_context("exchange %s, request %" PRIu32, exchange, n);
	fx->bytes = fx_golden_octets(exchange, '>', n, octets);
	CU_TRUE_FATAL(fx->bytes > 0);
	memcpy(fx->words, octets, fx->bytes);
	return send_and_forget(fx);
}

/* Requests were recorded with port id 0, answers with the kernel's. */
static void
pids_clear(uint8_t *octets, uint32_t bytes)
{
	for (uint32_t pos = 0; pos + NLMSG_HDRLEN <= bytes;) {
		uint32_t len;

		memcpy(&len, octets + pos, sizeof(len));
		CU_TRUE_FATAL(len >= NLMSG_HDRLEN);
		memset(octets + pos + 12, 0, 4);
		pos += NLMSG_ALIGN(len);
	}
}

void
fx_golden_expect(struct nl_fx *fx, const char *exchange, uint32_t n)
{
	uint8_t octets[NL_FX_BYTES];
	uint32_t bytes = fx_golden_octets(exchange, '<', n, octets);

	cu_context("exchange %s, answer %" PRIu32, exchange, n);
	CU_TRUE_FATAL(bytes > 0);
	pids_clear(octets, bytes);
	CU_EQ_U64(fx->out.used, bytes);
	if (fx->out.used == bytes)
		CU_EQ_MEM(fx->out.data, octets, bytes);
	fx->out.used = 0;
}
