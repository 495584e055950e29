/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TARGET_H
#define TARGET_H

/* The command that is to be run: where it is, and whether the library can get into it. */

#include <limits.h>
#include <stddef.h>

#define TARGET_TEXT_BYTES (PATH_MAX + 256)

/*
 * Find a command as execvp(3) does. path: where it is. Returns 0; 127: there is none; 126: it is
 * not executable; text says so.
 */
int target_find(const char *command, char path[PATH_MAX], char text[TARGET_TEXT_BYTES]);

/*
 * Can the dynamic linker put a library in front of it? Returns 0; 126: it cannot, as far as it can
 * be seen from outside, and text says why.
 */
int target_check(const char *path, char text[TARGET_TEXT_BYTES]);

#endif /* TARGET_H */
