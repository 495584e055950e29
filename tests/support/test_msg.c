/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages for tests. Contract: test_msg.h. */
#include "test_msg.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dpt_buf.h"
#include "dpt_limits.h"
#include "test_pool.h"

#define TEST_HEX_BYTES_MAX 4096

static void
test_msg_fail(const char *what, const char *text)
{
	fprintf(stderr, "test_msg: %s: %s\n", what, text);
	exit(2);
}

size_t
test_hex(const char *text, uint8_t *dst, size_t dst_size)
{
	char octet[3] = "";
	size_t len = 0;

	for (const char *p = text; *p != '\0';) {
		if (isspace((unsigned char)*p)) {
			p++;
			continue;
		}
		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]))
			test_msg_fail("not hexadecimal", text);
		if (len == dst_size)
			test_msg_fail("too long", text);
		memcpy(octet, p, 2);
		dst[len++] = (uint8_t)strtoul(octet, NULL, 16);
		p += 2;
	}
	return len;
}

struct rte_mbuf *
test_buf(const void *bytes, size_t len)
{
	struct rte_mbuf *m;

	if (len > DPT_MSG_BYTES_MAX)
		test_msg_fail("too long", "");
	m = dpt_buf_alloc_len(test_pool(), (uint32_t)len);
	if (m == NULL)
		test_msg_fail("pool", "empty");
	dpt_buf_write(m, 0, bytes, (uint32_t)len);
	return m;
}

struct rte_mbuf *
test_buf_hex(const char *text)
{
	uint8_t bytes[TEST_HEX_BYTES_MAX];

	return test_buf(bytes, test_hex(text, bytes, sizeof(bytes)));
}

struct rte_mbuf *
test_buf_segs(const void *bytes, size_t len, uint16_t seg_bytes)
{
	struct rte_mbuf *m = dpt_buf_alloc(test_pool()), *tail = m;
	const uint8_t *from = bytes;

	for (size_t left = len; m != NULL && tail != NULL;) {
		uint16_t part = left < seg_bytes ? (uint16_t)left : seg_bytes;

		memcpy(rte_pktmbuf_mtod(tail, uint8_t *), from, part);
		tail->data_len = part;
		m->pkt_len += part;
		from += part;
		left -= part;
		if (left == 0)
			return m;
		tail = tail->next = dpt_buf_alloc(test_pool());
		m->nb_segs++;
	}
	test_msg_fail("pool", "empty");
	return NULL;
}

const uint8_t *
test_flat(struct rte_mbuf *m)
{
	static uint8_t flat[DPT_MSG_BYTES_MAX + 4096];

	if (dpt_buf_bytes(m) > sizeof(flat))
		test_msg_fail("too long", "");
	dpt_buf_read(m, 0, flat, dpt_buf_bytes(m));
	return flat;
}
