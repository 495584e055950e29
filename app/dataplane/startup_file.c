/* SPDX-License-Identifier: BSD-3-Clause */
/* The start-up file: read, cut into words, and the programs that run it. Contract: startup.h. */
#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where administrators' tools are when PATH is a user's, or a service's. */
#define STARTUP_PATH_MORE "/usr/sbin:/sbin:/usr/bin:/bin"

/* ---- words ---- */

/* From *from to the end of the word, which is written from *to on. Returns NULL, or the error. */
static const char *
word_take(char **from, char **to)
{
	char quote = '\0', *in = *from, *out = *to;

	for (; *in != '\0' && (quote != '\0' || strchr(" \t\r", *in) == NULL); in++) {
		if (quote == '\0' && (*in == '\'' || *in == '"')) {
			quote = *in;
		} else if (*in == quote) {
			quote = '\0';
		} else if (*in == '\\' && quote != '\'') {
			if (*++in == '\0')
				return "nothing behind the last \\";
			*out++ = *in;
		} else {
			*out++ = *in;
		}
	}
	*from = in;
	*to = out;
	return quote == '\0' ? NULL : quote == '"' ? "\" is not closed" : "' is not closed";
}

int
startup_split(char *text, char *words[STARTUP_WORDS_MAX], const char **error)
{
	char *in = text, *out = text;
	int cnt = 0;

	for (;;) {
		bool is_last;

		in += strspn(in, " \t\r");
		if (*in == '\0' || *in == '#')
			return cnt;
		*error = "too many words";
		if (cnt == STARTUP_WORDS_MAX)
			return -EINVAL;
		words[cnt++] = out;
		*error = word_take(&in, &out);
		if (*error != NULL)
			return -EINVAL;
		is_last = *in == '\0';
		*out++ = '\0';
		if (is_last)
			return cnt;
		in++;
	}
}

/* ---- programs ---- */

static bool
is_program(char path[PATH_MAX], size_t dir_bytes, const char *dir, const char *name)
{
	int len = snprintf(path, PATH_MAX, "%.*s/%s", (int)dir_bytes, dir, name);

	return len < PATH_MAX && access(path, X_OK) == 0;
}

static bool
path_find(char path[PATH_MAX], const char *dirs, const char *name)
{
	while (dirs != NULL && *dirs != '\0') {
		size_t len = strcspn(dirs, ":");

		if (len > 0 && is_program(path, len, dirs, name))
			return true;
		dirs += len + (dirs[len] == ':');
	}
	return false;
}

/* Beside dptipcd, in bin beside its sbin, in the build tree's place, or in PATH. */
static bool
run_find(char path[PATH_MAX])
{
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (len > 0) {
		own[len] = '\0';
		*strrchr(own, '/') = '\0';
		if (is_program(path, strlen(own), own, "dptipc-run") ||
		    is_program(path, strlen(own), own, "../bin/dptipc-run") ||
		    is_program(path, strlen(own), own, "../run/dptipc-run"))
			return true;
	}
	return path_find(path, getenv("PATH"), "dptipc-run") ||
	       path_find(path, STARTUP_PATH_MORE, "dptipc-run");
}

static int
programs_find(struct startup *startup, char *error, size_t error_bytes)
{
	const char *missing = NULL;

	if (!path_find(startup->tool, getenv("PATH"), "tipc") &&
	    !path_find(startup->tool, STARTUP_PATH_MORE, "tipc"))
		missing = "the tool tipc, which is not here: install iproute2";
	else if (!run_find(startup->run))
		missing = "dptipc-run, which is neither beside dptipcd nor in PATH";
	if (missing == NULL)
		return 0;
	snprintf(error, error_bytes, "--startup-file: it needs %s", missing);
	return -1;
}

/* ---- the file ---- */

static int
text_read(struct startup *startup, char *error, size_t error_bytes)
{
	int fd = open(startup->path, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0;
	ssize_t cnt = fd < 0 ? -1 : 1;

	startup->text = calloc(1, STARTUP_FILE_BYTES + 1);
	while (fd >= 0 && startup->text != NULL && cnt > 0 && bytes < STARTUP_FILE_BYTES) {
		cnt = read(fd, startup->text + bytes, STARTUP_FILE_BYTES - bytes);
		bytes += cnt > 0 ? (size_t)cnt : 0;
	}
	if (startup->text == NULL)
		snprintf(error, error_bytes, "no memory for the start-up file");
	else if (cnt < 0)
		snprintf(error, error_bytes, "--startup-file: %s: %s", startup->path,
			 strerror(errno));
	else if (bytes == STARTUP_FILE_BYTES)
		snprintf(error, error_bytes, "--startup-file: %s: too large (%u octets at most)",
			 startup->path, STARTUP_FILE_BYTES - 1);
	else if (memchr(startup->text, '\0', bytes) != NULL)
		snprintf(error, error_bytes, "--startup-file: %s: this is no text", startup->path);
	if (fd >= 0)
		close(fd);
	return error[0] == '\0' ? 0 : -1;
}

static int
line_add(struct startup *startup, uint32_t number, char *text, const char **error)
{
	struct startup_line *line = &startup->lines[startup->lines_cnt];
	int cnt = startup_split(text, line->words, error);

	if (cnt <= 0)
		return cnt;
	line->number = number;
	line->words_cnt = (uint32_t)cnt;
	/* "tipc bearer list" as well as "bearer list". */
	if (strcmp(line->words[0], "tipc") == 0) {
		line->words_cnt--;
		memmove(line->words, line->words + 1, line->words_cnt * sizeof(line->words[0]));
	}
	startup->lines_cnt += line->words_cnt > 0;
	return 0;
}

static int
lines_cut(struct startup *startup, char *error, size_t error_bytes)
{
	uint32_t number = 1;
	const char *why;
	char *text, *next;

	for (const char *c = startup->text; *c != '\0'; c++)
		number += *c == '\n';
	startup->lines = calloc(number, sizeof(startup->lines[0]));
	if (startup->lines == NULL) {
		snprintf(error, error_bytes, "no memory for the start-up file");
		return -1;
	}
	number = 1;
	for (text = startup->text; text != NULL; text = next, number++) {
		next = strchr(text, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (line_add(startup, number, text, &why) == 0)
			continue;
		snprintf(error, error_bytes, "%s:%u: %s", startup->path, number, why);
		return -1;
	}
	return 0;
}

int
startup_load(struct startup **startup, const struct args *args, char *error, size_t error_bytes)
{
	struct startup *new;

	*startup = NULL;
	if (args->startup_file[0] == '\0')
		return 0;
	new = calloc(1, sizeof(*new));
	if (new == NULL) {
		snprintf(error, error_bytes, "no memory for the start-up file");
		return -1;
	}
	new->path = args->startup_file;
	new->pid_fd = new->out_fd = new->timer_fd = -1;
	if (text_read(new, error, error_bytes) != 0 || lines_cut(new, error, error_bytes) != 0 ||
	    (new->lines_cnt > 0 && programs_find(new, error, error_bytes) != 0)) {
		startup_free(new);
		return -1;
	}
	*startup = new;
	return 0;
}

void
startup_free(struct startup *startup)
{
	if (startup == NULL)
		return;
	free(startup->lines);
	free(startup->text);
	free(startup);
}
