/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLIENT_HOOKS_H
#define CLIENT_HOOKS_H

/*
 * Where the preload library (lib/preload), which holds a copy of this library, does otherwise. It
 * defines these names before.
 */

#ifndef CLIENT_IS_PRELOAD
/* 1: programs close descriptors without telling, so each look at the table is checked. */
#define CLIENT_IS_PRELOAD 0
/* Is it known that fd is none of ours? Then dptipcd is not asked. */
#define CLIENT_IS_FOREIGN(fd) ((void)(fd), false)
/* fd has been closed behind our back. */
#define CLIENT_FD_STALE(fd) ((void)(fd))
/* A descriptor for ourselves that stays: its number from now on. */
#define CLIENT_FD_KEEP(fd) (fd)
/* Least number of copies for ourselves. */
#define CLIENT_FD_MIN 0
#endif

#endif /* CLIENT_HOOKS_H */
