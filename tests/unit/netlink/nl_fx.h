/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NL_FX_H
#define NL_FX_H

/*
 * One program at the other end of a connection: its requests, made by hand or recorded, and what
 * comes back. Requests are written here octet by octet, not with the library's own functions.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/tipc_netlink.h>

#include "cu.h"
#include "dpt_nl.h"

#define NL_FX_BYTES 8192
#define NL_FX_SEQ   0x12345678u
#define NL_FX_PID   4711u
#define DO_FLAGS    (NLM_F_REQUEST | NLM_F_ACK)
#define DUMP_FLAGS  (NLM_F_REQUEST | NLM_F_DUMP)

struct nl_fx {
	struct dpt_nl_peer peer;
	/* The datagram being made. */
	uint32_t words[NL_FX_BYTES / 4];
	uint32_t bytes, msg_at;
	/* The one being read: exactly as long, so that a sanitizer sees a read beyond it. */
	uint8_t *datagram;
	uint32_t pos;
	struct dpt_nl_req req;
	uint32_t out_words[DPT_NL_DATAGRAM_BYTES / 4];
	struct dpt_nl_out out;
};

/* As `tipc`, run by root, is. */
void fx_init(struct nl_fx *fx);
void fx_fini(struct nl_fx *fx);

/* A message of the family behind those that are there. */
void fx_begin(struct nl_fx *fx, uint8_t cmd, uint16_t flags);
void fx_begin_type(struct nl_fx *fx, uint16_t type, uint16_t flags);
void fx_octets(struct nl_fx *fx, const void *data, uint32_t bytes);
/* Padding is not zero: programs do not clear it. */
void fx_attr(struct nl_fx *fx, uint16_t type, const void *data, uint32_t bytes);
void fx_u32(struct nl_fx *fx, uint16_t type, uint32_t value);
void fx_text(struct nl_fx *fx, uint16_t type, const char *text);
/* With NLA_F_NESTED. Returns what fx_nest_end() wants. */
uint32_t fx_nest(struct nl_fx *fx, uint16_t type);
void fx_nest_end(struct nl_fx *fx, uint32_t nest);
/* The common ones: a nest with one attribute, with text, empty. */
void fx_nest_u32(struct nl_fx *fx, uint16_t nest_type, uint16_t type, uint32_t value);
void fx_nest_text(struct nl_fx *fx, uint16_t nest_type, uint16_t type, const char *text);
void fx_nest_empty(struct nl_fx *fx, uint16_t nest_type);

/* Gives the datagram to dpt_nl_next(), from its beginning, and begins a new one. */
enum dpt_nl_result fx_send(struct nl_fx *fx);
/* The next request of it. */
enum dpt_nl_result fx_next(struct nl_fx *fx);

/* What must come of it. */
void fx_executes(struct nl_fx *fx);
/* later: what dpt_nl_req.later_rc and later_text must be. */
void fx_executes_later(struct nl_fx *fx, int rc, const char *text);
void fx_refuses(struct nl_fx *fx, int rc, const char *text);
/* Refused because of the attribute at `offs`. */
void fx_refuses_at(struct nl_fx *fx, int rc, const char *text, uint32_t offs);
void fx_ends_dump(struct nl_fx *fx, int rc);
void fx_says_nothing(struct nl_fx *fx);

/* The n-th request (from 0) of an exchange, unaltered, through dpt_nl_next(). */
enum dpt_nl_result fx_golden_send(struct nl_fx *fx, const char *exchange, uint32_t n);
/* What was written is the n-th answer, but for the port id. Empties `out`. */
void fx_golden_expect(struct nl_fx *fx, const char *exchange, uint32_t n);
/* Octets of the n-th datagram of that way; 0: there is none. */
uint32_t fx_golden_octets(const char *exchange, char way, uint32_t n, uint8_t octets[NL_FX_BYTES]);

#endif /* NL_FX_H */
