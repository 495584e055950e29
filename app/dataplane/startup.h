/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STARTUP_H
#define STARTUP_H

/* The start-up file. startup_file.c reads it, startup.c runs it. Control's thread. */

#include <limits.h>

#include "control.h"

/* Our choice: some hundred commands of some words. */
#define STARTUP_FILE_BYTES 65536
#define STARTUP_WORDS_MAX  64
/* Of a command's output that is shown. Our choice: a page of help. */
#define STARTUP_SAID_BYTES 1024

struct startup_line {
	uint32_t number; /* in the file, from 1 */
	uint32_t words_cnt;
	char *words[STARTUP_WORDS_MAX]; /* in text */
};

struct startup {
	const char *path;
	char *text; /* of the file, cut into words */
	struct startup_line *lines;
	uint32_t lines_cnt;
	char run[PATH_MAX];  /* dptipc-run */
	char tool[PATH_MAX]; /* tipc */
	/* startup.c: the line under way */
	struct control *control; /* NULL: not begun */
	uint32_t line;
	pid_t pid; /* 0: none */
	int pid_fd;
	int out_fd;
	int timer_fd;
	struct source child;
	struct source output;
	struct source timer;
	char said[STARTUP_SAID_BYTES];
	size_t said_bytes;
};

/*
 * Cut a line into words, in place: words between spaces; '...' and "..." keep them together; \
 * takes the next character as it is, but not between ''; # begins a comment where a word could.
 * Returns how many words, or negative: *error says why.
 */
int startup_split(char *text, char *words[STARTUP_WORDS_MAX], const char **error);

#endif /* STARTUP_H */
