/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OVER_DPTIPC_H
#define OVER_DPTIPC_H

/* -include over_dptipc.h: a program for AF_TIPC runs on libdptipc instead, unmodified. */
#include "dptipc_sockets.h"

/*
 * The kernel has delivered when a send returns, here somebody else does. Several times: what an
 * answer brings about (an acknowledgement, the end of a connection) is there after the next one.
 */
#define CONFORM_SETTLE()                                                                           \
	do {                                                                                       \
		for (int i_ = 0; i_ < 4; i_++)                                                     \
			(void)dptipc_sync();                                                       \
	} while (0)

#endif /* OVER_DPTIPC_H */
