/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * dptipc-run: runs a command whose AF_TIPC sockets, and netlink of TIPC, are those of a dptipcd. It
 * puts libdptipc-preload.so into LD_PRELOAD and DPTIPC_NAME into the environment, and becomes the
 * command. What the library does and does not is at the head of lib/preload/preload_socket.c.
 */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target.h"

#define LIBRARY "libdptipc-preload.so"
/* Our own failures, as env(1) and others have it. */
#define STATUS_USAGE 125

static const char help_text[] =
	"dptipc-run: runs a program with AF_TIPC sockets of a dptipcd.\n"
	"\n"
	"  dptipc-run [options] COMMAND [ARGUMENT ...]\n"
	"\n"
	"Options:\n"
	"  --name NAME  of the dptipcd, or the path of its socket (default: $DPTIPC_NAME, else\n"
	"               \"default\")\n"
	"  --verbose    a line on standard error when there is no socket, and why\n"
	"  --help       this text; also -h\n"
	"  --version    print the version\n"
	"\n"
	"The management tool is the usual one: dptipc-run tipc link list\n"
	"\n"
	"Exit status: the command's; 127: there is no such command; 126: it cannot be run so; "
	"125:\n"
	"wrong use, or " LIBRARY " is not found.\n";

struct args {
	const char *name;
	bool is_verbose;
	char **command;
};

static int
fail(int status, const char *text)
{
	fprintf(stderr, "dptipc-run: %s\n", text);
	return status;
}

/* ---- options ---- */

static int
wrong(const char *what, const char *which)
{
	fprintf(stderr, "dptipc-run: %s \"%s\"; dptipc-run --help lists what there is\n", what,
		which);
	return STATUS_USAGE;
}

/* Returns -1: go on; or the exit status. */
static int
args_parse(int argc, char **argv, struct args *args)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *arg = argv[i];

		if (strcmp(arg, "--") == 0) {
			i++;
			break;
		}
		if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
			return fputs(help_text, stdout) < 0;
		if (strcmp(arg, "--version") == 0)
			return printf("dptipc-run %s\n", DPTIPC_VERSION) < 0;
		if (strcmp(arg, "--verbose") == 0)
			args->is_verbose = true;
		else if (strncmp(arg, "--name=", 7) == 0)
			args->name = arg + 7;
		else if (strcmp(arg, "--name") == 0 && i + 1 < argc)
			args->name = argv[++i];
		else
			return wrong(strcmp(arg, "--name") == 0 ? "no name behind"
								: "no such option",
				     arg);
	}
	args->command = argv + i;
	if (i == argc)
		return fail(STATUS_USAGE, "no command; dptipc-run --help says how to use it");
	if (args->name && !*args->name)
		return fail(STATUS_USAGE, "--name: empty");
	return -1;
}

/* ---- the library ---- */

/* Beside this program; in the build tree; in the library folder that belongs to it. */
static bool
library_find(char path[PATH_MAX])
{
	static const char *const places[] = {"", "../../lib/preload/", DPTIPC_LIB_FROM_BIN "/",
					     DPTIPC_LIB_FROM_BIN "/dptipc/"};
	char own[PATH_MAX], at[PATH_MAX + sizeof(DPTIPC_LIB_FROM_BIN) + 64];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	size_t i;
	char *slash;

	own[len > 0 ? len : 0] = '\0';
	slash = strrchr(own, '/');
	if (slash)
		slash[1] = '\0';
	for (i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(at, sizeof(at), "%s%s" LIBRARY, own, places[i]);
		if (access(at, R_OK) == 0 && realpath(at, path))
			return true;
	}
	return access(DPTIPC_LIBDIR "/" LIBRARY, R_OK) == 0 &&
	       realpath(DPTIPC_LIBDIR "/" LIBRARY, path) != NULL;
}

/* In front of what is in LD_PRELOAD already. */
static int
preload_set(const char *library)
{
	const char *old = getenv("LD_PRELOAD");
	size_t len = strlen(library);
	char *value;
	int rc;

	if (old && strncmp(old, library, len) == 0 && strchr(": ", old[len]))
		return 0;
	if (!old || !*old)
		return setenv("LD_PRELOAD", library, 1);
	if (asprintf(&value, "%s:%s", library, old) < 0)
		return -1;
	rc = setenv("LD_PRELOAD", value, 1);
	free(value);
	return rc;
}

static int
environment_set(const struct args *args)
{
	char library[PATH_MAX];

	if (!library_find(library))
		return fail(STATUS_USAGE,
			    LIBRARY " is not found: neither beside this program, nor in "
				    "its library folder");
	if (strpbrk(library, ": "))
		return fail(STATUS_USAGE, "the path of " LIBRARY
					  " has a space or colon, which LD_PRELOAD cannot hold");
	if (preload_set(library) < 0 || (args->name && setenv("DPTIPC_NAME", args->name, 1) < 0) ||
	    (args->is_verbose && setenv("DPTIPC_VERBOSE", "1", 1) < 0))
		return fail(STATUS_USAGE, strerror(errno));
	return 0;
}

int
main(int argc, char **argv)
{
	struct args args = {0};
	char path[PATH_MAX], text[TARGET_TEXT_BYTES];
	int status = args_parse(argc, argv, &args);

	if (status >= 0)
		return status;
	status = target_find(args.command[0], path, text);
	if (!status)
		status = target_check(path, text);
	if (status)
		return fail(status, text);
	status = environment_set(&args);
	if (status)
		return status;
	/* (as the shell does, also for scripts without a first line) */
	execvp(args.command[0], args.command);
	snprintf(text, sizeof(text), "%s: %s", args.command[0], strerror(errno));
	return fail(errno == ENOENT ? 127 : 126, text);
}
