/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRELOAD_FD_H
#define PRELOAD_FD_H

/*
 * What each descriptor number is. One octet each: a call on a file or a TCP socket costs one load
 * and a jump. A number is FOREIGN once that is known, and stays so when it is closed and used
 * again: only calls that are taken over can make it ours.
 *
 *              first use: asked                      socket, accept, dup ...
 *     UNKNOWN ----------------> FOREIGN  <---------------------+-->  OURS, NL_NEW
 *        ^  \-----------------> OURS        close, dup2: by way of LEAVING
 *        '--- received with SCM_RIGHTS                 NL_NEW -- first send --> NL or FOREIGN
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* As many as the kernel's fs.nr_open allows by default; numbers beyond are foreign. */
#define PRELOAD_FDS (1 << 20)

enum fd_kind {
	FD_UNKNOWN = 0,	 /* at the start: it may have come over exec(3) */
	FD_FOREIGN = 1,	 /* the kernel's */
	FD_OURS = 2,	 /* a socket of dptipcd */
	FD_LEAVING = 3,	 /* ours, inside of the system call that closes it */
	FD_NL_NEW = 4,	 /* a netlink socket of the kernel that has sent nothing yet */
	FD_NL = 5,	 /* a netlink socket that leads to dptipcd */
	FD_INTERNAL = 6, /* libdptipc's own: the program does not know of it */
	/* The program's own connection to dptipcd: it is linked with libdptipc, and what it
	 * receives there is for that copy. Otherwise foreign. */
	FD_ATTACH = 7,
};

extern _Atomic uint8_t preload_kinds[PRELOAD_FDS];

static inline bool
fd_is_foreign(int fd)
{
	return (unsigned int)fd >= PRELOAD_FDS ||
	       atomic_load_explicit(&preload_kinds[fd], memory_order_relaxed) == FD_FOREIGN;
}

/* preload_fd.c */
/* UNKNOWN is found out: never UNKNOWN or LEAVING. errno untouched. */
enum fd_kind fd_kind(int fd);
/* As it is noted. */
enum fd_kind fd_noted(int fd);
void fd_note(int fd, enum fd_kind kind);
/* A result of a call that makes descriptors; returned as it is. */
int fd_made(int fd, enum fd_kind kind);
/* After a failed call on a number that was ours: it has been closed behind our back and is
 * something else now. Then the call is to be made again, on the C library. */
static inline bool
fd_was_stale(int fd)
{
	return errno == ENOTSOCK && fd_kind(fd) != FD_OURS;
}

/* For libdptipc inside (preload_client.h). */
bool preload_is_foreign(int fd);
void preload_fd_stale(int fd);
int preload_fd_keep(int fd);
int preload_fd_min(void);
int preload_fd_close(int fd);
int preload_fd_dup2(int fd, int copy);
int preload_fd_dup3(int fd, int copy, int flags);

/* preload_process.c */
/* A child of vfork(2): it shares the memory with its parent, but not the descriptors. What it
 * closes or copies says nothing of the numbers here. */
bool process_is_guest(void);

/* In a fork's child: locks that other threads of the parent held. */
void nl_child(void);
void edges_child(void);
void streams_child(void);

/* preload_socket.c: with DPTIPC_VERBOSE a line that says why dptipcd gave no socket. */
void preload_say_why(void);

#endif /* PRELOAD_FD_H */
