/* SPDX-License-Identifier: BSD-3-Clause */
/* ktagent: the init program of a kernel-TIPC node.
 *
 * It mounts what a node needs, loads the kernel modules listed by the host,
 * and then runs commands for the host over the first serial line.
 *
 * Kernel command line words it reads (from its environment or /proc/cmdline):
 *   kt.dir=PATH   a host directory, mounted read-write on /run/kt
 * and in that directory:
 *   modules       one module file a line, in loading order, options behind it
 *
 * Frames on the line, both ways: 1 byte type, 4 bytes id, 4 bytes length
 * (little endian), payload.
 *   host -> node
 *     'X' start a program. payload: u8 flags (1: merge stderr into stdout),
 *         u16 number of environment words, u16 number of arguments, then the
 *         NUL-ended strings: directory, environment words, arguments
 *     'I' standard input (empty payload: end of file)
 *     'K' signal to the program's process group. payload: u8 signal
 *     'Q' power off ('R' the same, without sync)
 *     'P' ping
 *   node -> host
 *     'A' so many octets were read from the line (id); the host keeps at most
 *         2048 unread, as the terminal driver stalls when its buffer is full
 *     'B' booted (id: protocol version)     'P' pong
 *     'O' standard output   'E' standard error
 *     'S' the program has ended. payload: i32 exit code, or -signal
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/reboot.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAXJOB	 128
#define MAXFRAME (256 * 1024)

struct job {
	uint32_t id;
	pid_t pid;
	int in, out, err;
};

static struct job jobs[MAXJOB];
static int line = -1;
static sigset_t sigs;

static void
say(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vdprintf(2, fmt, ap);
	va_end(ap);
}

static void
put_all(const void *p, size_t n)
{
	const char *c = p;

	while (n) {
		ssize_t k = write(line, c, n);

		if (k < 0) {
			struct pollfd pf = {line, POLLOUT, 0};

			if (errno == EAGAIN)
				poll(&pf, 1, 1000);
			else if (errno != EINTR)
				return;
			continue;
		}
		c += k;
		n -= k;
	}
}

static void
send_frame(char type, uint32_t id, const void *p, uint32_t n)
{
	char h[9];

	h[0] = type;
	memcpy(h + 1, &id, 4);
	memcpy(h + 5, &n, 4);
	put_all(h, 9);
	if (n)
		put_all(p, n);
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* pass on what a pipe holds; 0 when it is at its end */
static int
drain(struct job *j, int *fd, char type)
{
	char buf[4096];
	ssize_t n;

	while (*fd >= 0) {
		n = read(*fd, buf, sizeof(buf));
		if (n > 0) {
			send_frame(type, j->id, buf, n);
			if (n < (ssize_t)sizeof(buf))
				return 1;
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 1;
		close_fd(fd);
	}
	return 0;
}

static void
finish(struct job *j, int st)
{
	int32_t rc = WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st);

	drain(j, &j->out, 'O');
	drain(j, &j->err, 'E');
	close_fd(&j->in);
	close_fd(&j->out);
	close_fd(&j->err);
	send_frame('S', j->id, &rc, 4);
	j->pid = 0;
}

static void
start(uint32_t id, char *p, uint32_t n)
{
	char *end = p + n, **env, **argv, *dir, msg[256];
	int in[2], out[2], err[2] = {-1, -1}, i, merge;
	uint16_t nenv, narg;
	struct job *j = NULL;
	int32_t rc = 126;

	if (n < 6)
		return;
	merge = p[0] & 1;
	memcpy(&nenv, p + 1, 2);
	memcpy(&narg, p + 3, 2);
	p += 5;
	env = calloc(nenv + 1, sizeof(*env));
	argv = calloc(narg + 1, sizeof(*argv));
	dir = p;
	p += strlen(p) + 1;
	for (i = 0; i < nenv && p < end; i++, p += strlen(p) + 1)
		env[i] = p;
	for (i = 0; i < narg && p < end; i++, p += strlen(p) + 1)
		argv[i] = p;
	for (i = 0; i < MAXJOB && !j; i++)
		if (!jobs[i].pid)
			j = &jobs[i];
	if (!j || !narg || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    (!merge && pipe2(err, O_CLOEXEC))) {
		send_frame('E', id, "ktagent: cannot start\n", 22);
		send_frame('S', id, &rc, 4);
		goto done;
	}
	j->id = id;
	j->pid = fork();
	if (!j->pid) {
		sigprocmask(SIG_UNBLOCK, &sigs, NULL);
		setsid();
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(merge ? out[1] : err[1], 2);
		if (*dir && chdir(dir)) {
			i = snprintf(msg, sizeof(msg), "ktagent: %s: %s\n", dir, strerror(errno));
			if (write(2, msg, i)) {
			}
			_exit(126);
		}
		for (i = 0; env[i]; i++)
			putenv(env[i]);
		execvp(argv[0], argv);
		i = snprintf(msg, sizeof(msg), "ktagent: %s: %s\n", argv[0], strerror(errno));
		if (write(2, msg, i)) {
		}
		_exit(127);
	}
	j->in = in[1];
	fcntl(j->in, F_SETPIPE_SZ, 1 << 20);
	j->out = out[0];
	j->err = merge ? -1 : err[0];
	close(in[0]);
	close(out[1]);
	if (!merge) {
		close(err[1]);
		fcntl(j->err, F_SETFL, O_NONBLOCK);
	}
	fcntl(j->out, F_SETFL, O_NONBLOCK);
done:
	free(env);
	free(argv);
}

static void
power_off(int do_sync)
{
	if (do_sync)
		sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void
handle(char type, uint32_t id, char *p, uint32_t n)
{
	struct job *j = NULL;
	int i;

	for (i = 0; i < MAXJOB; i++)
		if (jobs[i].pid && jobs[i].id == id)
			j = &jobs[i];
	switch (type) {
	case 'X':
		start(id, p, n);
		break;
	case 'I':
		if (!j || j->in < 0)
			break;
		if (!n)
			close_fd(&j->in);
		while (n) {
			ssize_t k = write(j->in, p, n);

			if (k <= 0) {
				close_fd(&j->in);
				break;
			}
			p += k;
			n -= k;
		}
		break;
	case 'K':
		if (j && n)
			kill(-j->pid, p[0]);
		break;
	case 'P':
		send_frame('P', id, p, n);
		break;
	case 'Q':
	case 'R':
		power_off(type == 'Q');
	}
}

static void
load_modules(const char *path)
{
	FILE *f = fopen(path, "re");
	char buf[1024], *opt;
	int fd;

	if (!f)
		return;
	while (fgets(buf, sizeof(buf), f)) {
		buf[strcspn(buf, "\n")] = 0;
		if (!*buf)
			continue;
		opt = strchr(buf, ' ');
		if (opt)
			*opt++ = 0;
		fd = open(buf, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, opt ? opt : "", 0))
			if (fd < 0 || errno != EEXIST)
				say("ktagent: module %s: %s\n", buf, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	fclose(f);
}

static void
xmount(const char *src, const char *dst, const char *type, const char *opt)
{
	if (mount(src, dst, type, 0, opt))
		say("ktagent: mount %s on %s: %s\n", type, dst, strerror(errno));
}

static void
setup(void)
{
	char cmdline[4096] = "", *w, *dir = NULL, *name = NULL;
	struct ifreq ifr = {0};
	int fd, s;

	xmount("proc", "/proc", "proc", "");
	xmount("sysfs", "/sys", "sysfs", "");
	if (access("/dev/ttyS0", F_OK))
		xmount("devtmpfs", "/dev", "devtmpfs", "");
	xmount("run", "/run", "tmpfs", "mode=755");
	mkdir("/run/kt", 0755);
	mkdir("/run/tmp", 01777);
	mkdir("/run/netns", 0755);
	mkdir("/dev/pts", 0755);
	mkdir("/dev/shm", 01777);
	xmount("devpts", "/dev/pts", "devpts", "");
	xmount("shm", "/dev/shm", "tmpfs", "mode=1777");
	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, cmdline, sizeof(cmdline) - 1) < 0)
			cmdline[0] = 0;
		close(fd);
	}
	for (w = strtok(cmdline, " \n"); w; w = strtok(NULL, " \n")) {
		if (!strncmp(w, "kt.dir=", 7))
			dir = w + 7;
		if (!strncmp(w, "kt.name=", 8))
			name = w + 8;
	}
	if (dir)
		xmount("none", "/run/kt", "hostfs", dir);
	if (name && sethostname(name, strlen(name)))
		say("ktagent: sethostname: %s\n", strerror(errno));
	load_modules("/run/kt/modules");
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(ifr.ifr_name, "lo");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	ioctl(s, SIOCSIFFLAGS, &ifr);
	close(s);
}

/* switch a device's offloads off, so that what it sends is what is on a wire
 * (complete checksums, no frames above the MTU) */
static int
plain(const char *dev)
{
	static const unsigned int cmd[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM};
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned int i;

	for (i = 0; i < sizeof(cmd) / sizeof(cmd[0]); i++) {
		struct ethtool_value v = {.cmd = cmd[i], .data = 0};
		struct ifreq ifr = {0};

		snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
		ifr.ifr_data = (void *)&v;
		if (ioctl(s, SIOCETHTOOL, &ifr) && errno != EOPNOTSUPP)
			say("ktagent: %s: ethtool %u: %s\n", dev, cmd[i], strerror(errno));
	}
	return 0;
}

/* the serial line, raw */
static void
open_line(void)
{
	struct termios t;

	line = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line < 0) {
		say("ktagent: /dev/ttyS0: %s\n", strerror(errno));
		power_off(0);
	}
	tcgetattr(line, &t);
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL;
	tcsetattr(line, TCSANOW, &t);
}

/* Frames from the host: read what is there, carry out what is complete. */
static void
serve_line(void)
{
	static char buf[MAXFRAME + 16];
	static size_t have;
	ssize_t k = read(line, buf + have, sizeof(buf) - have);

	if (k == 0 || (k < 0 && errno == EIO))
		power_off(0); /* the host is gone */
	if (k > 0) {
		have += k;
		send_frame('A', k, NULL, 0);
	}
	while (have >= 9) {
		uint32_t id, len;

		memcpy(&id, buf + 1, 4);
		memcpy(&len, buf + 5, 4);
		if (len > MAXFRAME) {
			say("ktagent: bad frame\n");
			have = 0;
			break;
		}
		if (have < 9 + len)
			break;
		handle(buf[0], id, buf + 9, len);
		memmove(buf, buf + 9 + len, have - 9 - len);
		have -= 9 + len;
	}
}

int
main(int argc, char **argv)
{
	int sfd, i;

	if (argc == 3 && !strcmp(argv[1], "plain"))
		return plain(argv[2]);
	if (getpid() != 1) {
		say("ktagent: must be the first process of a node\n");
		return 1;
	}
	setup();
	open_line();
	sigemptyset(&sigs);
	sigaddset(&sigs, SIGCHLD);
	sigprocmask(SIG_BLOCK, &sigs, NULL);
	signal(SIGPIPE, SIG_IGN);
	sfd = signalfd(-1, &sigs, SFD_CLOEXEC | SFD_NONBLOCK);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/run/tmp", 1);
	setenv("TMPDIR", "/run/tmp", 1);
	setenv("LANG", "C.UTF-8", 1);
	setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
	send_frame('B', 1, NULL, 0);

	for (;;) {
		struct pollfd pf[2 + 2 * MAXJOB];
		struct signalfd_siginfo si;
		int n = 2, st;
		pid_t pid;

		pf[0] = (struct pollfd){line, POLLIN, 0};
		pf[1] = (struct pollfd){sfd, POLLIN, 0};
		for (i = 0; i < MAXJOB; i++) {
			if (!jobs[i].pid)
				continue;
			if (jobs[i].out >= 0)
				pf[n++] = (struct pollfd){jobs[i].out, POLLIN, 0};
			if (jobs[i].err >= 0)
				pf[n++] = (struct pollfd){jobs[i].err, POLLIN, 0};
		}
		if (poll(pf, n, -1) < 0)
			continue;
		for (i = 0; i < MAXJOB; i++) {
			if (!jobs[i].pid)
				continue;
			drain(&jobs[i], &jobs[i].out, 'O');
			drain(&jobs[i], &jobs[i].err, 'E');
		}
		while (read(sfd, &si, sizeof(si)) == sizeof(si))
			;
		while ((pid = waitpid(-1, &st, WNOHANG)) > 0)
			for (i = 0; i < MAXJOB; i++)
				if (jobs[i].pid == pid)
					finish(&jobs[i], st);
		if (pf[0].revents)
			serve_line();
	}
}
