/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRELOAD_REAL_H
#define PRELOAD_REAL_H

/*
 * The C library's own functions. Each pointer starts at a stub that looks the function up
 * (dlsym, RTLD_NEXT) when it is called for the first time: there is nothing to initialise, so calls
 * that come before any constructor work too.
 */

#include "preload_calls.h"

#define PRELOAD_POINTER(result, name, parameters, arguments) result(*name) parameters;

struct dpt_real {
	PRELOAD_CALLS(PRELOAD_POINTER)
	int (*fcntl)(int fd, int cmd, ...);
	int (*ioctl)(int fd, unsigned long request, ...);
	int (*clone)(int (*run)(void *), void *stack, int flags, void *arg, ...);
};

/* Written only by the stubs, always with the same value. */
extern struct dpt_real dpt_real;

#endif /* PRELOAD_REAL_H */
