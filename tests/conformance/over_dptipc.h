/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OVER_DPTIPC_H
#define OVER_DPTIPC_H

/* -include over_dptipc.h: a program for AF_TIPC runs on libdptipc instead, unmodified. */
#include "dptipc_sockets.h"

#endif /* OVER_DPTIPC_H */
