/* SPDX-License-Identifier: BSD-3-Clause */

/* What went wrong, in words; and the clock. */

#include "client_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static _Thread_local char error_text[256];

const char *
dptipc_error(void)
{
	return error_text;
}

int
fail(int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error_text, sizeof(error_text), fmt, ap);
	va_end(ap);
	errno = error;
	return -1;
}

int
fail_errno(int error)
{
	error_text[0] = '\0';
	errno = error;
	return -1;
}

int
fail_dead(struct attach *att)
{
	atomic_store(&att->is_dead, true);
	return fail(ENETDOWN, "dptipcd \"%s\" has ended or has detached this process", att->name);
}

int64_t
clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
