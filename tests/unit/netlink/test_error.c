/* SPDX-License-Identifier: BSD-3-Clause */
/* Goal: NLMSG_ERROR in each of its forms. 13-netlink.md, 4.4: rows of its table, octet by octet. */
#include "netlink_suites.h"
#include "nl_fx.h"

static struct nl_fx fx;

/* A request of 40 octets: BEARER_GET of "eth:eth0". */
static void
asked(uint16_t flags, bool has_cap_ack, bool has_ext_ack)
{
	fx_init(&fx);
	fx.peer.has_cap_ack = has_cap_ack;
	fx.peer.has_ext_ack = has_ext_ack;
	fx_begin(&fx, TIPC_NL_BEARER_GET, flags);
	fx_nest_text(&fx, TIPC_NLA_BEARER, TIPC_NLA_BEARER_NAME, "eth:eth0");
	fx_executes(&fx);
	CU_EQ_U64(fx.req.msg_bytes, 40);
}

/* The message is: header, error, echo_bytes of the request, the rest. */
static void
is(uint16_t flags, int32_t rc, uint32_t echo_bytes, const void *rest, uint32_t rest_bytes)
{
	struct {
		struct nlmsghdr head;
		int32_t rc;
	} expected = {
		.head =
			{
				.nlmsg_len = 20 + echo_bytes + rest_bytes,
				.nlmsg_type = NLMSG_ERROR,
				.nlmsg_flags = flags,
				.nlmsg_seq = NL_FX_SEQ,
				.nlmsg_pid = NL_FX_PID,
			},
		.rc = rc,
	};

	if (CU_EQ_U64(fx.out.used, expected.head.nlmsg_len)) {
		CU_EQ_MEM(fx.out.data, &expected, sizeof(expected));
		CU_EQ_MEM(fx.out.data + 20, fx.datagram, echo_bytes);
		CU_EQ_MEM(fx.out.data + 20 + echo_bytes, rest, rest_bytes);
	}
	fx_fini(&fx);
}

static const struct {
	bool has_cap_ack, has_ext_ack;
} rows[] = {{true, true}, {false, true}, {true, false}, {false, false}};

static void
success_is_36_octets(void)
{
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		asked(DO_FLAGS, rows[i].has_cap_ack, rows[i].has_ext_ack);
		CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, 0, NULL));
		is(0x100, 0, 16, "", 0);
	}
}

static void
failure_without_text(void)
{
	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		const bool is_capped = rows[i].has_cap_ack;

		asked(DO_FLAGS, rows[i].has_cap_ack, rows[i].has_ext_ack);
		CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, -EINVAL, NULL));
		is(is_capped ? 0x100 : 0, -EINVAL, is_capped ? 16 : 40, "", 0);
	}
}

static void
failure_with_text(void)
{
	/* "Bearer not found" with its NUL is 17 octets, and 3 of padding, which is zero. */
	static const uint8_t text[24] = "\x15\0\1\0Bearer not found";

	for (uint32_t i = 0; i < CU_CNT(rows); i++) {
		const bool is_capped = rows[i].has_cap_ack, is_told = rows[i].has_ext_ack;

		asked(DO_FLAGS, rows[i].has_cap_ack, rows[i].has_ext_ack);
		CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, -EINVAL, "Bearer not found"));
		is((uint16_t)((is_capped ? 0x100 : 0) | (is_told ? 0x200 : 0)), -EINVAL,
		   is_capped ? 16 : 40, text, is_told ? sizeof(text) : 0);
	}
}

static void
a_warning_comes_with_success(void)
{
	static const uint8_t text[12] = "\x9\0\1\0note";

	asked(DO_FLAGS, true, true);
	CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, 0, "note"));
	is(0x300, 0, 16, text, sizeof(text));
}

/* The offset too, and the padding of what is echoed. */
static void
a_bad_attribute_is_pointed_at(void)
{
	static const uint8_t attrs[] = "\x27\0\1\0"
				       "Attribute failed policy validation\0\0"
				       "\x8\0\2\0\x18\0\0\0";

	fx_init(&fx);
	fx.peer.has_cap_ack = false;
	fx_begin(&fx, TIPC_NL_BEARER_GET, DO_FLAGS);
	uint32_t nest = fx_nest(&fx, TIPC_NLA_BEARER);

	fx_attr(&fx, TIPC_NLA_BEARER_NAME, "eth:eth0", 8);
	fx_nest_end(&fx, nest);
	CU_EQ_I64(fx_send(&fx), DPT_NL_ANSWERED);
	CU_EQ_U64(fx.req.msg_bytes, 36);
	is(0x200, -EINVAL, 36, attrs, sizeof(attrs) - 1);
}

static void
without_ack_only_failure_is_told(void)
{
	asked(NLM_F_REQUEST, true, true);
	CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, 0, NULL));
	CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, 0, "a warning"));
	CU_EQ_U64(fx.out.used, 0);
	CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, -ENXIO, NULL));
	is(0x100, -ENXIO, 16, "", 0);
}

static void
what_does_not_fit_leaves_the_datagram_alone(void)
{
	asked(DO_FLAGS, true, true);
	fx.out.size = 35;
	CU_TRUE(!dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, 0, NULL));
	CU_EQ_U64(fx.out.used, 0);
	fx.out.size = 40;
	CU_TRUE(!dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, -EINVAL, "text"));
	CU_EQ_U64(fx.out.used, 0);
	CU_TRUE(dpt_nl_put_done(&fx.out, &fx.req, 0));
	CU_TRUE(dpt_nl_put_done(&fx.out, &fx.req, 0));
	CU_TRUE(!dpt_nl_put_done(&fx.out, &fx.req, 0));
	CU_EQ_U64(fx.out.used, 40);
	fx.out.size = 43;
	CU_TRUE(!dpt_nl_put_done(&fx.out, &fx.req, 0));
	CU_EQ_U64(fx.out.used, 40);
	fx_fini(&fx);
}

/* No datagram could hold its echo: it is capped, though the program did not ask for that. */
static void
a_huge_request_is_capped(void)
{
	static const uint8_t zeros[5000];

	fx_init(&fx);
	fx.peer.has_cap_ack = fx.peer.has_ext_ack = false;
	for (uint32_t bytes = 4036; bytes <= 5000; bytes += 4) {
		fx_begin(&fx, 99, DO_FLAGS);
		fx_octets(&fx, zeros, bytes);
		CU_EQ_I64(fx_send(&fx), DPT_NL_ANSWERED);
		fx.bytes = 0;
		/* 20 octets, and the whole request. */
		CU_EQ_U64(fx.out.used, 20 + 20 + bytes <= 4096 ? 20 + 20 + bytes : 36);
		CU_EQ_U64(fx.out.data[7], fx.out.used == 36 ? 1 : 0);
	}
	fx_fini(&fx);
}

/* A request of 21 octets is echoed in 24; there is room for all of them, or nothing is written. */
static void
an_odd_request_needs_its_padding(void)
{
	fx_init(&fx);
	fx.peer.has_cap_ack = fx.peer.has_ext_ack = false;
	fx_begin(&fx, TIPC_NL_MON_GET, DO_FLAGS);
	fx_octets(&fx, "", 1);
	fx_executes(&fx);
	for (fx.out.size = 41; fx.out.size < 44; fx.out.size++) {
		CU_TRUE(!dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, -EINVAL, NULL) ||
			fx.out.used == 36);
		CU_EQ_U64(fx.out.data[fx.out.size], 0xa5);
		fx.out.used = 0;
	}
	/* Behind something else. */
	fx.out = (struct dpt_nl_out){.data = fx.out.data, .size = 8 + 43, .used = 8};
	CU_TRUE(!dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, -EINVAL, NULL));
	CU_EQ_U64(fx.out.data[8 + 43], 0xa5);
	fx.out = (struct dpt_nl_out){.data = fx.out.data, .size = 44, .used = 0};
	CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, -EINVAL, NULL));
	CU_EQ_U64(fx.out.used, 44);
	CU_EQ_MEM(fx.out.data + 41, "\0\0\0", 3);
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(success_is_36_octets),
	CU_TEST(failure_without_text),
	CU_TEST(failure_with_text),
	CU_TEST(a_warning_comes_with_success),
	CU_TEST(a_bad_attribute_is_pointed_at),
	CU_TEST(without_ack_only_failure_is_told),
	CU_TEST(what_does_not_fit_leaves_the_datagram_alone),
	CU_TEST(a_huge_request_is_capped),
	CU_TEST(an_odd_request_needs_its_padding),
};

const struct cu_suite error_suite = CU_TEST_SUITE("error", tests);
