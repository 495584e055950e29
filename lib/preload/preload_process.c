/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Processes. fork(2): libdptipc's own handlers do what is to be done. exec(3): the new image finds
 * out about its descriptors when it uses them. posix_spawn(3) and system(3) make their children
 * inside of the C library, and those do nothing but exec. Left are vfork(2), whose child shares our
 * memory, and the ways that pthread_atfork(3) does not see.
 */

#include "preload_fd.h"
#include "preload_real.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "dpt_client.h"

/* Whose memory this is; 0: before the constructor. */
static pid_t owner_pid;

static void
owner_set(void)
{
	owner_pid = getpid();
}

static void
child_set(void)
{
	owner_set();
	nl_child();
	edges_child();
	streams_child();
}

__attribute__((constructor)) static void
process_init(void)
{
	owner_set();
	pthread_atfork(NULL, NULL, child_set);
}

bool
process_is_guest(void)
{
	return owner_pid && owner_pid != getpid();
}

/* As fork(2) without the handlers. */
pid_t
preload__Fork(void)
{
	pid_t pid;

	dpt_client_share();
	pid = dpt_real._Fork();
	if (pid == 0)
		child_set();
	return pid;
}

struct start {
	int (*run)(void *);
	void *arg;
};

static int
child_run(void *arg)
{
	struct start start = *(struct start *)arg;

	child_set();
	return start.run(start.arg);
}

int
preload_clone(int (*run)(void *), void *stack, int flags, void *arg, ...)
{
	void *parent_tid, *tls, *child_tid;
	struct start start = {run, arg};
	va_list ap;

	va_start(ap, arg);
	parent_tid = va_arg(ap, void *);
	tls = va_arg(ap, void *);
	child_tid = va_arg(ap, void *);
	va_end(ap);
	if (flags & CLONE_VM)
		return dpt_real.clone(run, stack, flags, arg, parent_tid, tls, child_tid);
	/* A process with a copy of the memory, start among it. */
	dpt_client_share();
	return dpt_real.clone(child_run, stack, flags, &start, parent_tid, tls, child_tid);
}
