/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OVER_PRELOAD_H
#define OVER_PRELOAD_H

/*
 * -include over_preload.h: nothing but the plain calls, which libdptipc-preload takes when the
 * program runs under dptipc-run. It also has what only a test wants to know: when dptipcd has done
 * what was asked for (over_dptipc.h says why several times).
 */
#include <stdlib.h>

/* dptipc_preload_sync of the library inside libdptipc-preload. */
extern int dptipc_preload_sync(void) __attribute__((weak));

#define CONFORM_SETTLE()                                                                           \
	do {                                                                                       \
		if (!dptipc_preload_sync)                                                          \
			abort();                                                                   \
		for (int i_ = 0; i_ < 4; i_++)                                                     \
			(void)dptipc_preload_sync();                                               \
	} while (0)

#endif /* OVER_PRELOAD_H */
