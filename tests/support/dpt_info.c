/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * dpt_info [--name NAME] node|names|links|sockets|counters|refused
 *
 * Prints what a dptipcd says of itself.
 *
 * dpt_info [--name NAME] set-link BEARER|LINK [tolerance=N] [priority=N] [window=N] [mtu=N]
 *
 * Changes properties of links while they live: dpt_attach.h, LINK_SET. Says "set" or what is
 * wrong.
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dpt_attach.h"
#include "dptipc.h"

static int
attach_connect(const char *name)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int len = snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, DPT_ATTACH_PREFIX "%s",
			   name != NULL ? name : DPT_ATTACH_NAME_DEFAULT);

	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
		return fd;
	fprintf(stderr, "dpt_info: dptipcd %s: %s\n", addr.sun_path + 1, strerror(errno));
	return -1;
}

/* "priority=12" into its place; -1: no such word. */
static int
link_word(struct dpt_attach_msg *msg, const char *word)
{
	static const char *const words[] = {"tolerance", "priority", "window", "mtu"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (strncmp(word, words[i], len) != 0 || word[len] != '=')
			continue;
		msg->arg[i] = (uint32_t)strtoul(word + len + 1, NULL, 10);
		return 0;
	}
	return -1;
}

static int
link_set(const char *name, const char *link, int words_cnt, char **words)
{
	struct {
		struct dpt_attach_msg msg;
		char note[DPT_ATTACH_NOTE_BYTES];
	} m = {.msg = {.op = DPT_ATTACH_LINK_SET}};
	size_t link_len = strlen(link);
	ssize_t got;
	int fd;

	for (int i = 0; i < words_cnt; i++) {
		if (link_word(&m.msg, words[i]) == 0)
			continue;
		fprintf(stderr,
			"dpt_info: %s: expected tolerance=N, priority=N, window=N or "
			"mtu=N\n",
			words[i]);
		return 2;
	}
	if (link_len >= sizeof(m.note)) {
		fprintf(stderr, "dpt_info: name too long\n");
		return 2;
	}
	m.msg.arg[4] = (uint32_t)link_len;
	memcpy(m.note, link, link_len);
	fd = attach_connect(name);
	if (fd < 0)
		return 1;
	if (send(fd, &m, sizeof(m.msg) + link_len, MSG_NOSIGNAL) < 0)
		perror("dpt_info");
	memset(&m, 0, sizeof(m));
	got = recv(fd, &m, sizeof(m) - 1, 0);
	close(fd);
	if (got < (ssize_t)sizeof(m.msg)) {
		fprintf(stderr, "dpt_info: no answer\n");
		return 1;
	}
	if (m.msg.result == 0) {
		printf("set\n");
		return 0;
	}
	fprintf(stderr, "dpt_info: %s: %s\n", strerror(m.msg.result), m.note);
	return 1;
}

int
main(int argc, char **argv)
{
	static const char *const words[] = {
		[DPTIPC_INFO_NODE] = "node",	     [DPTIPC_INFO_NAMES] = "names",
		[DPTIPC_INFO_LINKS] = "links",	     [DPTIPC_INFO_SOCKETS] = "sockets",
		[DPTIPC_INFO_COUNTERS] = "counters", [DPTIPC_INFO_REFUSED] = "refused",
	};
	int at = argc > 2 && strcmp(argv[1], "--name") == 0 ? 3 : 1;
	const char *name = NULL, *word;
	size_t i;

	if (argc > at + 2 && strcmp(argv[at], "set-link") == 0)
		return link_set(at == 3 ? argv[2] : NULL, argv[at + 1], argc - at - 2,
				argv + at + 2);
	if (argc == 4 && strcmp(argv[1], "--name") == 0)
		name = argv[2];
	word = argc == 2 || name ? argv[argc - 1] : "";
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			break;
	if (i == sizeof(words) / sizeof(words[0])) {
		fprintf(stderr, "usage: dpt_info [--name NAME] "
				"node|names|links|sockets|counters|refused\n"
				"       dpt_info [--name NAME] set-link BEARER|LINK [tolerance=N] "
				"[priority=N] [window=N] [mtu=N]\n");
		return 2;
	}
	if (dptipc_attach(name) < 0 || dptipc_info((enum dptipc_info_what)i, stdout) < 0) {
		fprintf(stderr, "dpt_info: %s\n", *dptipc_error() ? dptipc_error() : "refused");
		return 1;
	}
	return 0;
}
