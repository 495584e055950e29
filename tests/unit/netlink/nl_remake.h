/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NL_REMAKE_H
#define NL_REMAKE_H

/* Makes a recorded answer anew: decodes it into the object it tells of, and writes that. */

#include <stdbool.h>
#include <stdint.h>

#include "dpt_nl.h"

enum nl_remade {
	NL_REMADE = 0,
	NL_REMADE_UNKNOWN = 1,	 /* no kind of answer that we send */
	NL_REMADE_DIFFERENT = 2, /* ours is another one on purpose: 13-netlink.md, 11 */
};

/* msg: one message, with its header; req: what it answers. */
enum nl_remade
nl_remake(struct dpt_nl_out *out, const struct dpt_nl_req *req, const uint8_t *msg, uint32_t bytes);

#endif /* NL_REMAKE_H */
