/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Goal: all that was recorded from the tool, ss and a kernel, not only what 13-netlink.md, 9 shows.
 * Method: each request of tests/data/tipc-tool-golden is read; what the kernel refused and we
 * refuse must be the same octets; what it did must not be refused; each of its answers is decoded,
 * made anew and compared octet by octet, but for port ids.
 */
#include <stdio.h>
#include <stdlib.h>

#include "netlink_suites.h"
#include "nl_fx.h"
#include "nl_remake.h"

#define SOCKETS_MAX 10
#define LINE_BYTES  20000

enum kind { KIND_OTHER, KIND_GENERIC, KIND_DIAG };

/* A socket of the run being replayed. */
struct sock {
	enum kind kind;
	uint8_t octets[512]; /* its last request */
	uint32_t bytes;
};

static struct nl_fx fx;
static struct sock socks[SOCKETS_MAX];
static uint32_t requests_cnt, messages_cnt, different_cnt;

static uint32_t
hex_read(const char *text, uint8_t *octets, uint32_t max)
{
	uint32_t bytes = 0;
	unsigned int octet;

	for (; bytes < max && sscanf(text + (size_t)2 * bytes, "%2x", &octet) == 1; bytes++)
		octets[bytes] = (uint8_t)octet;
	return bytes;
}

/* The kernel's number of the family, which differs after a reload of its module, becomes ours. */
static void
family_patch(uint8_t *msg)
{
	uint16_t type;

	memcpy(&type, msg + 4, sizeof(type));
	if (type >= DPT_NL_FAMILY_ID)
		memcpy(msg + 4, &(uint16_t){DPT_NL_FAMILY_ID}, sizeof(type));
	if (type == NLMSG_ERROR)
		family_patch(msg + 20);
}

static enum dpt_nl_result
request_read(struct sock *s)
{
	fx.peer.protocol = s->kind == KIND_DIAG ? NETLINK_SOCK_DIAG : NETLINK_GENERIC;
	fx.peer.has_cap_ack = s->kind != KIND_DIAG;
	family_patch(s->octets);
	memcpy(fx.words, s->octets, s->bytes);
	fx.bytes = s->bytes;
	return fx_send(&fx);
}

/* The text of a recorded error. */
static const char *
error_text(const uint8_t *msg, uint32_t bytes)
{
	const uint16_t text_type = NLMSGERR_ATTR_MSG;

	return bytes > 40 && memcmp(msg + 38, &text_type, 2) == 0 ? (const char *)msg + 40 : NULL;
}

/* The end of an answer. What we have refused is in `out` already. */
static void
end_remake(enum dpt_nl_result result, const uint8_t *msg, uint32_t bytes)
{
	int32_t rc;

	memcpy(&rc, msg + NLMSG_HDRLEN, sizeof(rc));
	if (result == DPT_NL_ANSWERED)
		return;
	/* The check that comes later has failed, or one before it. */
	if (fx.req.later_rc != 0)
		CU_TRUE(rc != 0);
	if (msg[4] == NLMSG_DONE)
		CU_TRUE(dpt_nl_put_done(&fx.out, &fx.req, rc));
	else
		CU_TRUE(dpt_nl_put_error(&fx.out, &fx.peer, &fx.req, rc, error_text(msg, bytes)));
}

/* One message of an answer, made anew into an empty `out`; or ours is another one on purpose. */
static void
message_compare(enum dpt_nl_result result, uint8_t *msg, uint32_t bytes)
{
	enum nl_remade made = NL_REMADE;
	uint16_t type;

	messages_cnt++;
	family_patch(msg);
	memcpy(&type, msg + 4, sizeof(type));
	if (type == NLMSG_ERROR || type == NLMSG_DONE)
		end_remake(result, msg, bytes);
	else if (bytes == NLMSG_HDRLEN) /* of sock_diag, for a socket that was not asked for */
		made = NL_REMADE_DIFFERENT;
	else
		made = nl_remake(&fx.out, &fx.req, msg, bytes);
	/* (port ids) */
	memset(msg + 12, 0, 4);
	CU_TRUE(made != NL_REMADE_UNKNOWN);
	if (made == NL_REMADE_DIFFERENT)
		different_cnt++;
	else if (CU_EQ_U64(fx.out.used, bytes))
		CU_EQ_MEM(fx.out.data, msg, bytes);
	fx.out.used = 0;
}

static void
answer_compare(struct sock *s, uint8_t *octets, uint32_t bytes)
{
	enum dpt_nl_result result = request_read(s);
	uint32_t len;

	for (uint32_t pos = 0; pos < bytes; pos += NLMSG_ALIGN(len)) {
		memcpy(&len, octets + pos, sizeof(len));
		CU_TRUE_FATAL(len >= NLMSG_HDRLEN);
		message_compare(result, octets + pos, len);
	}
}

/* An MTU above 65535: this kernel took it, later ones refuse it. 13-netlink.md, 1, [192]. */
static bool
is_of_192(const char *run)
{
	return strcmp(run, "029-media-set-mtu-udp-high") == 0;
}

static void
line_read(const char *line)
{
	static uint8_t octets[LINE_BYTES / 2];
	char word[32];
	uint32_t n;
	int skip = 0;

	if (sscanf(line, "s%" SCNu32 " open AF_NETLINK %31s", &n, word) == 2 && n < SOCKETS_MAX) {
		socks[n].kind = strcmp(word, "GENERIC") == 0	 ? KIND_GENERIC
				: strcmp(word, "SOCK_DIAG") == 0 ? KIND_DIAG
								 : KIND_OTHER;
		return;
	}
	if (sscanf(line, "s%" SCNu32 " %1[<>] %n", &n, word, &skip) != 2 || n >= SOCKETS_MAX ||
	    skip == 0 || socks[n].kind == KIND_OTHER)
		return;
	if (word[0] == '>') {
		socks[n].bytes = hex_read(line + skip, socks[n].octets, sizeof(socks[n].octets));
		requests_cnt++;
	} else {
		answer_compare(&socks[n], octets, hex_read(line + skip, octets, sizeof(octets)));
	}
}

static void
file_replay(const char *name)
{
	static char line[LINE_BYTES];
	char path[512], run[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.txt", TEST_GOLDEN_DIR, name);
	file = fopen(path, "r");
	CU_NOT_NULL_FATAL(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "=== %63s", run) == 1)
			memset(socks, 0, sizeof(socks));
		cu_context("%s, run %s", name, run);
		if (!is_of_192(run))
			line_read(line);
	}
	fclose(file);
}

static void
all_that_was_recorded(void)
{
	static const char *const names[] = {
		"00-fresh",
		"01-config",
		"02-onenode",
		"03-cluster",
		"03b-cluster-other-node",
		"04-set",
		"05-udp",
		"06-two-bearers",
		"07-key",
		"08-eight-nodes",
		"09-legacy-address",
		"10-auto-identity",
		"11-hex-identity",
		"12-peer-lost",
		"13-bearer-limits",
	};

	fx_init(&fx);
	for (uint32_t i = 0; i < CU_CNT(names); i++)
		file_replay(names[i]);
	printf("     %" PRIu32 " requests, %" PRIu32 " messages, %" PRIu32
	       " of them different on purpose\n",
	       requests_cnt, messages_cnt, different_cnt);
	CU_EQ_U64(requests_cnt, 451);
	fx_fini(&fx);
}

static const struct cu_test tests[] = {
	CU_TEST(all_that_was_recorded),
};

const struct cu_suite recorded_suite = CU_TEST_SUITE("recorded", tests);
