/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The start-up file: commands of the tipc tool, one each line, as typed behind "tipc" (or with it).
 * The unmodified tool runs them, one after the other, against this dptipcd, which serves meanwhile:
 *
 *   dptipc-run --name NAME tipc WORDS... --ends, status 0--> next line ... --> ready
 *                                        --anything else---> FILE:LINE: its words, exit status 1
 *
 * startup_file.c reads the file. A child lives in a process group of its own; its end is seen by a
 * pidfd, its output comes by a pipe. Timers here: STARTUP_LINE_S, for each line.
 */
#include "startup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "setup.h"

/* A command takes milliseconds. Our choice. */
#define STARTUP_LINE_S 10

extern char **environ;

static void line_next(struct startup *startup);

static void
ready_say(void)
{
	printf("dptipcd: ready\n");
	fflush(stdout);
	notify_ready();
}

/* The end of dptipcd. */
static void __attribute__((format(printf, 2, 3)))
line_fail(struct startup *startup, const char *fmt, ...)
{
	struct control *control = startup->control;
	va_list args;

	/* Stopped by a signal: what fails now fails for that. */
	if (control->is_stopping)
		return;
	fprintf(stderr, "dptipcd: %s:%u: ", startup->path, startup->lines[startup->line].number);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	control->is_failed = true;
	control->is_stopping = true;
}

/* ---- the child ---- */

static void
fd_drop(struct startup *startup, int *fd)
{
	if (*fd < 0)
		return;
	control_unwatch(startup->control, *fd);
	close(*fd);
	*fd = -1;
}

/* What there is to read of the child's output; what is too much is thrown away. */
static void
output_read(struct startup *startup)
{
	char text[512];
	ssize_t cnt;

	while (startup->out_fd >= 0 && (cnt = read(startup->out_fd, text, sizeof(text))) != -1) {
		size_t room = sizeof(startup->said) - 1 - startup->said_bytes;
		size_t taken = RTE_MIN((size_t)cnt, room);

		if (cnt == 0)
			fd_drop(startup, &startup->out_fd);
		memcpy(startup->said + startup->said_bytes, text, taken);
		startup->said_bytes += taken;
	}
	startup->said[startup->said_bytes] = '\0';
}

static void
output_event(struct source *source, uint32_t events)
{
	(void)events;
	output_read((struct startup *)((char *)source - offsetof(struct startup, output)));
}

/* The group may have others than the child, which is not reaped yet: the number is still its. */
static void
child_kill(struct startup *startup)
{
	if (startup->pid > 0)
		kill(-startup->pid, SIGKILL);
}

static void
timer_event(struct source *source, uint32_t events)
{
	struct startup *startup =
		(struct startup *)((char *)source - offsetof(struct startup, timer));
	uint64_t cnt;

	(void)events;
	if (read(startup->timer_fd, &cnt, sizeof(cnt)) < 0)
		return;
	line_fail(startup, "no end within %u s", STARTUP_LINE_S);
	child_kill(startup);
}

/* The words of the tool on one line, "" for none. */
static const char *
output_line(struct startup *startup)
{
	char *text = startup->said;

	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	while (startup->said_bytes > 0 && text[startup->said_bytes - 1] == ' ')
		text[--startup->said_bytes] = '\0';
	return text;
}

static void
line_over(struct startup *startup, const siginfo_t *info)
{
	struct startup_line *line = &startup->lines[startup->line];

	if (info->si_code == CLD_EXITED && info->si_status == 0) {
		if (startup->said_bytes > 0)
			stat_log(startup->control, "%s:%u: %s", startup->path, line->number,
				 output_line(startup));
		startup->line++;
		line_next(startup);
	} else if (info->si_code == CLD_EXITED) {
		line_fail(startup, "%s (exit status %d)", output_line(startup), info->si_status);
	} else {
		line_fail(startup, "ended by signal %d: %s", info->si_status, output_line(startup));
	}
}

static void
child_event(struct source *source, uint32_t events)
{
	struct startup *startup =
		(struct startup *)((char *)source - offsetof(struct startup, child));
	struct itimerspec never = {0};
	siginfo_t info = {0};

	(void)events;
	if (startup->pid <= 0 ||
	    waitid(P_PID, (id_t)startup->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid == 0)
		return;
	/* Whatever it has left behind ends with it. */
	child_kill(startup);
	waitid(P_PID, (id_t)startup->pid, &info, WEXITED);
	startup->pid = 0;
	timerfd_settime(startup->timer_fd, 0, &never, NULL);
	output_read(startup);
	fd_drop(startup, &startup->out_fd);
	fd_drop(startup, &startup->pid_fd);
	if (!startup->control->is_stopping)
		line_over(startup, &info);
}

/* Returns 0 or errno. out: where its output goes. */
static int
child_spawn(struct startup *startup, char *const *argv, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, pipe;
	int rc;

	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawn_file_actions_init(&files);
	rc = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	/* Devices of DPDK are not all close-on-exec. */
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (rc == 0)
		rc = posix_spawn(&startup->pid, argv[0], &files, &attr, argv, environ);
	if (rc != 0)
		startup->pid = 0;
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return rc;
}

/* Returns 0 or errno. */
static int
child_start(struct startup *startup, char *const *argv)
{
	struct itimerspec limit = {.it_value.tv_sec = STARTUP_LINE_S};
	int fds[2], rc;

	startup->said_bytes = 0;
	startup->said[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) != 0)
		return errno;
	startup->out_fd = fds[0];
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
		rc = errno;
	else
		rc = child_spawn(startup, argv, fds[1]);
	close(fds[1]);
	if (rc != 0)
		return rc;
	startup->pid_fd = pidfd_open(startup->pid, 0);
	if (startup->pid_fd < 0 || timerfd_settime(startup->timer_fd, 0, &limit, NULL) != 0)
		return errno;
	rc = control_watch(startup->control, startup->out_fd, &startup->output, EPOLLIN);
	if (rc == 0)
		rc = control_watch(startup->control, startup->pid_fd, &startup->child, EPOLLIN);
	return -rc;
}

/* ---- the lines ---- */

static void
line_next(struct startup *startup)
{
	const struct startup_line *line = &startup->lines[startup->line];
	char *argv[STARTUP_WORDS_MAX + 5];
	uint32_t argc = 0;
	int rc;

	if (startup->line == startup->lines_cnt) {
		ready_say();
		return;
	}
	argv[argc++] = startup->run;
	argv[argc++] = (char *)"--name";
	argv[argc++] = (char *)startup->control->args->name;
	argv[argc++] = startup->tool;
	for (uint32_t i = 0; i < line->words_cnt; i++)
		argv[argc++] = line->words[i];
	argv[argc] = NULL;
	rc = child_start(startup, argv);
	if (rc != 0)
		line_fail(startup, "%s cannot be run: %s", startup->run, strerror(rc));
}

void
startup_begin(struct control *control)
{
	struct startup *startup = control->startup;
	int rc;

	if (startup == NULL) {
		ready_say();
		return;
	}
	startup->control = control;
	startup->child.event = child_event;
	startup->output.event = output_event;
	startup->timer.event = timer_event;
	startup->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	rc = startup->timer_fd < 0
		     ? -errno
		     : control_watch(control, startup->timer_fd, &startup->timer, EPOLLIN);
	if (rc == 0) {
		line_next(startup);
		return;
	}
	fprintf(stderr, "dptipcd: %s: %s\n", startup->path, strerror(-rc));
	control->is_failed = true;
	control->is_stopping = true;
}

void
startup_end(struct control *control)
{
	struct startup *startup = control->startup;

	if (startup == NULL)
		return;
	if (startup->pid > 0) {
		child_kill(startup);
		waitpid(startup->pid, NULL, 0);
	}
	if (startup->control != NULL) {
		fd_drop(startup, &startup->out_fd);
		fd_drop(startup, &startup->pid_fd);
		fd_drop(startup, &startup->timer_fd);
	}
	startup_free(startup);
	control->startup = NULL;
}
