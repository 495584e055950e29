/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_BEARERS_H
#define DPT_BEARERS_H

/* The drivers of this folder. A program puts those that it wants into its table. */

#include "dpt_bearer.h"

extern const struct dpt_bearer_ops dpt_bearer_eth;  /* eth/eth.c */
extern const struct dpt_bearer_ops dpt_bearer_unix; /* unix/unix.c */
extern const struct dpt_bearer_ops dpt_bearer_loop; /* loop/loop.c */

#endif /* DPT_BEARERS_H */
