/* SPDX-License-Identifier: BSD-3-Clause */

/* The command: found as execvp does, and looked at as the dynamic linker will. */

#include "target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOT_FOUND  127
#define NOT_USABLE 126
/* A script may name a script. Src: the kernel's limit, BINPRM_MAX_RECURSION. */
#define SCRIPTS_MAX	  5
#define SCRIPT_LINE_BYTES 256
#define PROGRAM_HDRS_MAX  512

static int
no(int status, char text[TARGET_TEXT_BYTES], const char *path, const char *why)
{
	snprintf(text, TARGET_TEXT_BYTES, "%s: %s", path, why);
	return status;
}

/* ---- where it is ---- */

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int
usable(const char *path, char text[TARGET_TEXT_BYTES])
{
	if (access(path, X_OK) == 0 && is_file(path))
		return 0;
	if (access(path, F_OK) < 0)
		return no(NOT_FOUND, text, path, "no such command");
	return no(NOT_USABLE, text, path, is_file(path) ? strerror(errno) : "not a program");
}

int
target_find(const char *command, char path[PATH_MAX], char text[TARGET_TEXT_BYTES])
{
	const char *list = getenv("PATH"), *end;
	char found[PATH_MAX] = "";

	if (strchr(command, '/')) {
		if (snprintf(path, PATH_MAX, "%s", command) >= PATH_MAX)
			return no(NOT_FOUND, text, command, "no such command");
		return usable(path, text);
	}
	for (list = list ? list : "/usr/bin:/bin"; *command && list; list = end ? end + 1 : NULL) {
		int len;

		end = strchr(list, ':');
		len = end ? (int)(end - list) : (int)strlen(list);
		if (snprintf(path, PATH_MAX, "%.*s/%s", len, len ? list : ".", command) >= PATH_MAX)
			continue;
		if (!is_file(path))
			continue;
		if (access(path, X_OK) == 0)
			return 0;
		memcpy(found, path, sizeof(found));
	}
	if (*found)
		return no(NOT_USABLE, text, found, strerror(EACCES));
	return no(NOT_FOUND, text, command, "no such command");
}

/* ---- whether the library gets in ---- */

/* At exec the user, the group or the capabilities grow: LD_PRELOAD is ignored then. */
static bool
is_secure(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	return (st.st_mode & S_ISUID && st.st_uid != geteuid()) ||
	       (st.st_mode & S_ISGID && st.st_mode & S_IXGRP && st.st_gid != getegid()) ||
	       (geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0);
}

/* The class and machine of this program are those of the library beside it. */
static bool
is_native(const ElfW(Ehdr) * hdr)
{
	static const unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	ElfW(Ehdr) own;
	bool is = false;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return true;
	if (read(fd, &own, sizeof(own)) == sizeof(own))
		is = hdr->e_ident[EI_CLASS] == class && hdr->e_machine == own.e_machine;
	close(fd);
	return is;
}

static bool
has_interpreter(int fd, const ElfW(Ehdr) * hdr)
{
	unsigned int i;

	for (i = 0; i < hdr->e_phnum && i < PROGRAM_HDRS_MAX; i++) {
		ElfW(Phdr) segment;

		if (pread(fd, &segment, sizeof(segment),
			  (off_t)(hdr->e_phoff + (ElfW(Off))i * hdr->e_phentsize)) !=
		    sizeof(segment))
			return false;
		if (segment.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static int
elf_check(int fd, const ElfW(Ehdr) * hdr, const char *path, char text[TARGET_TEXT_BYTES])
{
	if (!is_native(hdr))
		return no(NOT_USABLE, text, path,
			  "of another machine than the library, which cannot be loaded into it");
	if (!has_interpreter(fd, hdr))
		return no(NOT_USABLE, text, path,
			  "statically linked: its calls cannot be redirected");
	return 0;
}

/* The interpreter of a script: into path. */
static bool
script_next(const char *line, char path[PATH_MAX])
{
	size_t len;

	line += 2;
	line += strspn(line, " \t");
	len = strcspn(line, " \t\n");
	if (!len || len >= PATH_MAX)
		return false;
	memcpy(path, line, len);
	path[len] = '\0';
	return true;
}

int
target_check(const char *path, char text[TARGET_TEXT_BYTES])
{
	char at[PATH_MAX];
	int tries;

	snprintf(at, sizeof(at), "%s", path);
	for (tries = 0; tries < SCRIPTS_MAX; tries++) {
		union {
			ElfW(Ehdr) elf;
			char line[SCRIPT_LINE_BYTES + 1];
		} head = {0};
		int fd = open(at, O_RDONLY | O_CLOEXEC), rc = 0;
		ssize_t got;

		if (is_secure(at)) {
			if (fd >= 0)
				close(fd);
			return no(NOT_USABLE, text, at,
				  "gains rights when it starts: libraries are not loaded into it");
		}
		/* (executable, but not readable) */
		if (fd < 0)
			return 0;
		got = read(fd, &head, SCRIPT_LINE_BYTES);
		if (got >= (ssize_t)sizeof(head.elf) && memcmp(&head, ELFMAG, SELFMAG) == 0) {
			rc = elf_check(fd, &head.elf, at, text);
			close(fd);
			return rc;
		}
		close(fd);
		if (got < 3 || memcmp(&head, "#!", 2) != 0 || !script_next(head.line, at))
			return 0;
	}
	return 0;
}
