/* SPDX-License-Identifier: BSD-3-Clause */

/* Finding the functions that ours stand in front of. */

#include "preload_real.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library lacks a function that a program could not have called without it. */
static void
missing(const char *name)
{
	static const char text[] = "dptipc-preload: the C library has no ";

	syscall(SYS_write, 2, text, sizeof(text) - 1);
	syscall(SYS_write, 2, name, strlen(name));
	syscall(SYS_write, 2, "\n", 1);
	abort();
}

/* slot: a pointer of dpt_real. ISO C has no conversion to a function pointer, POSIX has. */
static void
find(const char *name, void *slot)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		missing(name);
	/* One word: another thread reads the stub or the function. */
	__atomic_store_n((void **)slot, function, __ATOMIC_RELAXED);
}

#define PRELOAD_STUB(result, name, parameters, arguments)                                          \
	static result first_##name parameters                                                      \
	{                                                                                          \
		find(#name, &dpt_real.name);                                                       \
		return dpt_real.name arguments;                                                    \
	}

PRELOAD_CALLS(PRELOAD_STUB)

/* Their further arguments are words: passed on as they are. */
static int
first_fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	find("fcntl64", &dpt_real.fcntl);
	return dpt_real.fcntl(fd, cmd, arg);
}

static int
first_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	find("ioctl", &dpt_real.ioctl);
	return dpt_real.ioctl(fd, request, arg);
}

static int
first_clone(int (*run)(void *), void *stack, int flags, void *arg, ...)
{
	void *parent_tid, *tls, *child_tid;
	va_list ap;

	va_start(ap, arg);
	parent_tid = va_arg(ap, void *);
	tls = va_arg(ap, void *);
	child_tid = va_arg(ap, void *);
	va_end(ap);
	find("clone", &dpt_real.clone);
	return dpt_real.clone(run, stack, flags, arg, parent_tid, tls, child_tid);
}

#define PRELOAD_FIRST(result, name, parameters, arguments) .name = first_##name,

struct dpt_real dpt_real = {
	PRELOAD_CALLS(PRELOAD_FIRST).fcntl = first_fcntl,
	.ioctl = first_ioctl,
	.clone = first_clone,
};
