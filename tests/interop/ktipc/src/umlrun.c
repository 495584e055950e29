/* SPDX-License-Identifier: BSD-3-Clause */
/* umlrun: run one program so that nothing of it can be left behind.
 *
 *   umlrun [--netns PATH] [--lifeline FD] [--no-pidns] -- PROGRAM ARGS...
 *   umlrun --lifeline FD --hold
 *
 * The program runs in a pid namespace of its own (so that the helper
 * processes of User-Mode Linux die with it), without address space
 * randomisation, in the network namespace PATH.  Everything is killed when
 * the other end of FD is closed, in whatever way its owner ended.
 *
 * --hold makes a new network namespace, sets its loopback up, prints
 * "ready" and keeps the namespace until the lifeline closes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
die(const char *what)
{
	fprintf(stderr, "umlrun: %s: %s\n", what, strerror(errno));
	exit(126);
}

static void
hold(int lifeline)
{
	struct ifreq ifr = {0};
	char c;
	int s;

	if (unshare(CLONE_NEWNET))
		die("unshare(CLONE_NEWNET)");
	s = socket(AF_INET, SOCK_DGRAM, 0);
	strcpy(ifr.ifr_name, "lo");
	if (s >= 0 && !ioctl(s, SIOCGIFFLAGS, &ifr)) {
		ifr.ifr_flags |= IFF_UP;
		ioctl(s, SIOCSIFFLAGS, &ifr);
	}
	close(s);
	puts("ready");
	fflush(stdout);
	signal(SIGINT, SIG_IGN); /* a Ctrl-C is the owner's to handle */
	while (read(lifeline, &c, 1) != 0)
		;
	exit(0);
}

static int
status_to_rc(int st)
{
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

/* pid 1 of the new namespace: starts the program, reaps, ends with it */
static void
first_process(char **argv, int lifeline, const sigset_t *set)
{
	pid_t prog, p;
	int st;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (lifeline >= 0)
		close(lifeline);
	prog = fork();
	if (prog == 0) {
		sigprocmask(SIG_UNBLOCK, set, NULL);
		signal(SIGINT, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		personality(ADDR_NO_RANDOMIZE);
		setsid();
		execvp(argv[0], argv);
		die(argv[0]);
	}
	while ((p = wait(&st)) != prog)
		if (p < 0 && errno != EINTR)
			_exit(125);
	_exit(status_to_rc(st));
}

/* until the program ends, SIGTERM comes or the lifeline is closed */
static int
watch(pid_t pid, int sfd, int lifeline)
{
	int st;

	for (;;) {
		struct pollfd pf[2] = {{sfd, POLLIN, 0}, {lifeline, POLLIN, 0}};
		struct signalfd_siginfo si;
		char c;

		if (poll(pf, lifeline >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
			break;
		if (pf[0].revents & POLLIN && read(sfd, &si, sizeof(si)) == sizeof(si)) {
			if (si.ssi_signo == SIGTERM)
				kill(pid, SIGKILL);
			if (waitpid(pid, &st, WNOHANG) == pid)
				return status_to_rc(st);
		}
		if (lifeline >= 0 && pf[1].revents && read(lifeline, &c, 1) <= 0) {
			kill(pid, SIGKILL);
			waitpid(pid, &st, 0);
			return 137;
		}
	}
	kill(pid, SIGKILL);
	return 125;
}

int
main(int argc, char **argv)
{
	int lifeline = -1, pidns = 1, do_hold = 0, i, nsfd, sfd;
	const char *netns = NULL;
	sigset_t set;
	pid_t pid;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--netns") && i + 1 < argc)
			netns = argv[++i];
		else if (!strcmp(argv[i], "--lifeline") && i + 1 < argc)
			lifeline = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--no-pidns"))
			pidns = 0;
		else if (!strcmp(argv[i], "--hold"))
			do_hold = 1;
		else if (!strcmp(argv[i], "--")) {
			i++;
			break;
		} else
			break;
	}
	if (do_hold)
		hold(lifeline);
	if (i >= argc) {
		fprintf(stderr, "umlrun: no program\n");
		return 125;
	}
	if (netns) {
		nsfd = open(netns, O_RDONLY | O_CLOEXEC);
		if (nsfd < 0 || setns(nsfd, CLONE_NEWNET))
			die(netns);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGINT, SIG_IGN);
	sfd = signalfd(-1, &set, SFD_CLOEXEC);
	if (pidns && unshare(CLONE_NEWPID))
		die("unshare(CLONE_NEWPID)");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		first_process(argv + i, lifeline, &set);
	return watch(pid, sfd, lifeline);
}
