/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NL_GOLDEN_H
#define NL_GOLDEN_H

/* Exchanges recorded between iproute2 and a kernel. Src: 13-netlink.md, 9. */

#include <stddef.h>

/* One datagram. */
struct nl_golden {
	const char *exchange; /* "G1" */
	char way;	      /* '>' request, '<' answer */
	const char *hex;
};

extern const struct nl_golden nl_goldens[];
extern const size_t nl_goldens_cnt;

#endif /* NL_GOLDEN_H */
