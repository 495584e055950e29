/* SPDX-License-Identifier: BSD-3-Clause */
/* dptipc-stat: reads the stat file of a dptipcd, also of one that hangs or is dead. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

#define NAME_DEFAULT "default" /* Src: dpt_attach.h */

struct args {
	const char *name;
	const char *file;
	const char *watch;
	const char *command;
	bool is_json;
	bool is_help;
	bool is_version;
	struct cmd_args cmd;
};

struct option {
	const char *name;
	const char *value; /* what it is called in the help; NULL: a flag */
	size_t offset;	   /* in struct args: const char *, or bool */
	const char *text;
};

static const struct option options[] = {
	{"name", "NAME", offsetof(struct args, name), "of the dptipcd (default \"default\")"},
	{"file", "PATH", offsetof(struct args, file), "its stat file, wherever it is"},
	{"json", NULL, offsetof(struct args, is_json), "one JSON object instead of text"},
	{"watch", "SECONDS", offsetof(struct args, watch), "again and again, until stopped"},
	{"all", NULL, offsetof(struct args, cmd.is_all), "counters: also those that are 0"},
	{"last-down", NULL, offsetof(struct args, cmd.is_last_down),
	 "flight: as it was when the link last went down"},
	{"downs", NULL, offsetof(struct args, cmd.is_downs),
	 "flight: as it was at each down that is kept"},
	{"help", NULL, offsetof(struct args, is_help), "this text; also -h"},
	{"version", NULL, offsetof(struct args, is_version), "print the version"},
};
#define OPTIONS_CNT (sizeof(options) / sizeof(options[0]))

static const struct command {
	const char *name;
	const char *value; /* what may stand behind it */
	bool is_needed;	   /* ... or must */
	int (*run)(const struct snap *snap, const struct cmd_args *args, struct out *out,
		   char error[SNAP_ERROR_BYTES]);
	const char *text;
} commands[] = {
	{"show", NULL, false, cmd_show, "the node, its threads, bearers and links, what happened"},
	{"links", NULL, false, cmd_links, "links, their state, why they last went down"},
	{"counters", "PREFIX", false, cmd_counters, "counters that are not 0"},
	{"drops", NULL, false, cmd_drops, "what was dropped, which links went down, and why"},
	{"flight", "LINK", true, cmd_flight,
	 "what a link did last: a part of its name, its peer's address, or \"all\""},
};
#define COMMANDS_CNT (sizeof(commands) / sizeof(commands[0]))

static int
fail(const char *error)
{
	fprintf(stderr, "dptipc-stat: %s\n", error);
	return 1;
}

static void
help(FILE *to)
{
	char left[64];

	fprintf(to, "dptipc-stat: statistics of a dptipcd that runs, hangs or is dead.\n\n"
		    "  dptipc-stat [options] COMMAND\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS_CNT; i++) {
		const struct command *c = &commands[i];

		snprintf(left, sizeof(left),
			 c->value == NULL ? "%s%s"
			 : c->is_needed	  ? "%s %s"
					  : "%s [%s]",
			 c->name, c->value != NULL ? c->value : "");
		fprintf(to, "  %-20s  %s\n", left, c->text);
	}
	fprintf(to, "\nOptions:\n");
	for (size_t i = 0; i < OPTIONS_CNT; i++) {
		snprintf(left, sizeof(left), "--%s %s", options[i].name,
			 options[i].value != NULL ? options[i].value : "");
		fprintf(to, "  %-20s  %s\n", left, options[i].text);
	}
}

/* Returns how many words the option takes, or -1 with a line in error. */
static int
option_take(struct args *args, char *const *words, char error[SNAP_ERROR_BYTES])
{
	const char *name = words[0] + 2;
	size_t len = strcspn(name, "=");

	for (size_t i = 0; i < OPTIONS_CNT; i++) {
		const struct option *o = &options[i];
		void *at = (char *)args + o->offset;

		if (strlen(o->name) != len || strncmp(o->name, name, len) != 0)
			continue;
		if (o->value == NULL && name[len] == '=')
			break;
		if (o->value == NULL) {
			*(bool *)at = true;
			return 1;
		}
		*(const char **)at = name[len] == '=' ? name + len + 1 : words[1];
		if (*(const char **)at != NULL)
			return name[len] == '=' ? 1 : 2;
		snprintf(error, SNAP_ERROR_BYTES, "--%s: expected %s behind it", o->name, o->value);
		return -1;
	}
	snprintf(error, SNAP_ERROR_BYTES,
		 "%.100s: no such option; \"dptipc-stat --help\" lists them", words[0]);
	return -1;
}

static int
args_parse(struct args *args, char *const *words, char error[SNAP_ERROR_BYTES])
{
	while (*words != NULL) {
		int took = 1;

		if (strcmp(*words, "-h") == 0)
			args->is_help = true;
		else if (strncmp(*words, "--", 2) == 0)
			took = option_take(args, words, error);
		else if (args->command == NULL)
			args->command = *words;
		else if (args->cmd.what == NULL)
			args->cmd.what = *words;
		else
			took = -1;
		if (took < 0) {
			if (error[0] == '\0')
				snprintf(error, SNAP_ERROR_BYTES, "%.100s: one word too many",
					 *words);
			return -1;
		}
		words += took;
	}
	return 0;
}

static const struct command *
command_find(const struct args *args, char error[SNAP_ERROR_BYTES])
{
	for (size_t i = 0; args->command != NULL && i < COMMANDS_CNT; i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, args->command) != 0)
			continue;
		if (c->is_needed && args->cmd.what == NULL) {
			snprintf(error, SNAP_ERROR_BYTES, "%s: expected %s behind it, or \"all\"",
				 c->name, c->value);
			return NULL;
		}
		if (c->value == NULL && args->cmd.what != NULL) {
			snprintf(error, SNAP_ERROR_BYTES, "%.100s: one word too many",
				 args->cmd.what);
			return NULL;
		}
		return c;
	}
	snprintf(error, SNAP_ERROR_BYTES,
		 "%.100s: no such command; \"dptipc-stat --help\" lists them",
		 args->command != NULL ? args->command : "nothing");
	return NULL;
}

/* The places where dptipcd may have put it; ours before root's. Returns 0 or -1: nowhere. */
static int
file_find(const char *name, char *path, size_t path_bytes)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (geteuid() != 0 && runtime != NULL) {
		snprintf(path, path_bytes, "%s/dptipc/%s.stat", runtime, name);
		if (access(path, F_OK) == 0)
			return 0;
	}
	if (geteuid() != 0) {
		snprintf(path, path_bytes, "/tmp/dptipc-%u/%s.stat", (unsigned int)geteuid(), name);
		if (access(path, F_OK) == 0)
			return 0;
	}
	snprintf(path, path_bytes, "/run/dptipc/%s.stat", name);
	if (access(path, F_OK) == 0)
		return 0;
	snprintf(path, path_bytes, "/tmp/dptipc-0/%s.stat", name);
	return access(path, F_OK) == 0 ? 0 : -1;
}

static int
run_once(const struct args *args, const struct command *command, const char *path)
{
	char error[SNAP_ERROR_BYTES] = "";
	struct snap snap;
	struct out out;
	int rc = snap_take(&snap, path, error);

	if (rc == 0) {
		out_begin(&out, stdout, args->is_json);
		rc = command->run(&snap, &args->cmd, &out, error);
		if (rc == 0 || args->is_json)
			out_end(&out);
	}
	snap_free(&snap);
	return rc == 0 ? 0 : fail(error);
}

static int
run(const struct args *args, const struct command *command)
{
	const char *name = args->name != NULL ? args->name : NAME_DEFAULT;
	char path[512], *end, error[SNAP_ERROR_BYTES];
	double seconds = 0;

	if (args->watch != NULL) {
		seconds = strtod(args->watch, &end);
		if (*end != '\0' || end == args->watch || !(seconds >= 0.1 && seconds <= 86400))
			return fail("--watch: expected seconds, 0.1 to 86400");
	}
	for (;;) {
		int rc;

		if (args->file != NULL)
			snprintf(path, sizeof(path), "%s", args->file);
		else if (strchr(name, '/') != NULL || file_find(name, path, sizeof(path)) != 0) {
			snprintf(error, sizeof(error),
				 "no stat file of a dptipcd called %.64s: it does not run, or has "
				 "ended in order (dptipcd --name, dptipc-stat --file)",
				 name);
			return fail(error);
		}
		if (seconds > 0 && isatty(STDOUT_FILENO) && !args->is_json)
			printf("\033[H\033[2J");
		rc = run_once(args, command, path);
		if (rc != 0 || seconds == 0)
			return rc;
		fflush(stdout);
		usleep((useconds_t)(seconds * 1e6));
	}
}

int
main(int argc, char **argv)
{
	char error[SNAP_ERROR_BYTES] = "";
	const struct command *command;
	struct args args = {0};

	(void)argc;
	if (args_parse(&args, argv + 1, error) != 0)
		return fail(error);
	if (args.is_help) {
		help(stdout);
		return 0;
	}
	if (args.is_version) {
		printf("dptipc-stat %s\n", DPTIPC_VERSION);
		return 0;
	}
	command = command_find(&args, error);
	return command == NULL ? fail(error) : run(&args, command);
}
