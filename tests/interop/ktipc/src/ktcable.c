/* SPDX-License-Identifier: BSD-3-Clause */
/* ktcable: a cable between two devices that loses, doubles and delays frames.
 *
 *   ktcable DEVICE DEVICE SEED
 *
 * What netem does, for hosts whose kernel lacks it, and the same frames by number each time
 * (the seed). It takes commands on standard input, each answered by one line:
 *
 *   set LOSS DOUBLE LATE    per cent of the frames; a late one is overtaken by some that follow
 *   cut | heal              nothing passes, without either side being told | as before
 *   count                   passed=.. lost=.. doubled=.. late=.. cut=.. full=..
 *
 * and ends with standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 2048
#define BURST	  64
/* A late frame waits for so many others, or that long. */
#define LATE_FRAMES 3
#define LATE_MS	    10

struct side {
	int fd;
	/* one late frame at a time, on its way to this side */
	uint8_t late[FRAME_MAX];
	size_t late_len;
	int late_after;
	double late_until;
};

static struct side sides[2];
static uint64_t state;
static double loss, twice, late;
static int is_cut;
static struct {
	unsigned long passed, lost, doubled, late, cut, full;
} cnt;

static void
die(const char *what)
{
	fprintf(stderr, "ktcable: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* true in so many cases of a hundred */
static int
drawn(double per_cent)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / (double)(1ull << 53) * 100 < per_cent;
}

static int
open_device(const char *name)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct packet_mreq all = {.mr_type = PACKET_MR_PROMISC};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, bytes = 8 << 20;

	at.sll_ifindex = all.mr_ifindex = if_nametoindex(name);
	if (fd < 0 || at.sll_ifindex == 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) ||
	    bind(fd, (void *)&at, sizeof(at)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)))
		die(name);
	return fd;
}

static void
put(struct side *to, const uint8_t *frame, size_t len)
{
	if (send(to->fd, frame, len, 0) == (ssize_t)len)
		cnt.passed++;
	else
		cnt.full++;
}

static void
put_late(struct side *to)
{
	size_t len = to->late_len;

	to->late_len = 0;
	if (len)
		put(to, to->late, len);
}

static void
carry(struct side *to, const uint8_t *frame, size_t len)
{
	if (is_cut) {
		cnt.cut++;
		return;
	}
	if (drawn(loss)) {
		cnt.lost++;
		return;
	}
	if (to->late_len == 0 && drawn(late)) {
		cnt.late++;
		memcpy(to->late, frame, len);
		to->late_len = len;
		to->late_after = LATE_FRAMES;
		to->late_until = now() + LATE_MS / 1e3;
		return;
	}
	put(to, frame, len);
	if (drawn(twice)) {
		cnt.doubled++;
		put(to, frame, len);
	}
	if (to->late_len && --to->late_after == 0)
		put_late(to);
}

static void
receive(struct side *from, struct side *to)
{
	static uint8_t frames[BURST][FRAME_MAX];
	static struct mmsghdr msgs[BURST];
	static struct iovec iov[BURST];
	int i, n;

	for (i = 0; i < BURST; i++) {
		iov[i] = (struct iovec){frames[i], FRAME_MAX};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	n = recvmmsg(from->fd, msgs, BURST, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		carry(to, frames[i], msgs[i].msg_len);
}

static void
command(const char *line)
{
	if (sscanf(line, "set %lf %lf %lf", &loss, &twice, &late) == 3)
		puts("ok");
	else if (strncmp(line, "cut", 3) == 0 || strncmp(line, "heal", 4) == 0) {
		is_cut = *line == 'c';
		if (is_cut)
			sides[0].late_len = sides[1].late_len = 0;
		puts("ok");
	} else if (strncmp(line, "count", 5) == 0)
		printf("passed=%lu lost=%lu doubled=%lu late=%lu cut=%lu full=%lu\n", cnt.passed,
		       cnt.lost, cnt.doubled, cnt.late, cnt.cut, cnt.full);
	else
		puts("what?");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	char line[256];
	size_t have = 0;
	int i;

	if (argc != 4)
		return 64;
	for (i = 0; i < 2; i++)
		sides[i].fd = open_device(argv[1 + i]);
	state = strtoull(argv[3], NULL, 0) * 0x9e3779b97f4a7c15u | 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd pf[3] = {
			{sides[0].fd, POLLIN, 0}, {sides[1].fd, POLLIN, 0}, {0, POLLIN, 0}};
		ssize_t n;
		char *nl;

		poll(pf, 3, sides[0].late_len || sides[1].late_len ? 1 : -1);
		for (i = 0; i < 2; i++) {
			if (pf[i].revents)
				receive(&sides[i], &sides[!i]);
			if (sides[i].late_len && now() >= sides[i].late_until)
				put_late(&sides[i]);
		}
		if (!pf[2].revents)
			continue;
		n = read(0, line + have, sizeof(line) - 1 - have);
		if (n <= 0)
			return 0;
		have += (size_t)n;
		line[have] = 0;
		while ((nl = strchr(line, '\n'))) {
			command(line);
			have -= (size_t)(nl + 1 - line);
			memmove(line, nl + 1, have + 1);
		}
	}
}
