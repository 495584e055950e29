/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TIPCC_PRIV_H
#define TIPCC_PRIV_H

/* What the sources of libdptipc-tipcc share: addresses without an octet left as it was. */

#include "tipcc.h"

void
tipcc_range(struct sockaddr_tipc *sa, uint32_t type, uint32_t lower, uint32_t upper, int scope);
void tipcc_service(struct sockaddr_tipc *sa, uint32_t type, uint32_t instance, uint32_t domain);

#endif /* TIPCC_PRIV_H */
