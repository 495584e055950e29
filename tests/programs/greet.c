/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A greeting and its answer: the smallest pair of programs.
 *
 *   greet server CNT    answers CNT greetings
 *   greet client CNT    waits for the server, then greets CNT times
 */
#include "prog.h"

#include <unistd.h>

static void
serve(int cnt)
{
	int fd = prog_bound(SOCK_RDM, SERVICE_TYPE, 17, 17);
	struct sockaddr_tipc from;
	char text[100];

	printf("server: up\n");
	fflush(stdout);
	for (int i = 0; i < cnt; i++) {
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len);

		NEED(got);
		NEED(sendto(fd, "Uh ?", 5, 0, (struct sockaddr *)&from, len));
	}
	printf("server: %d greetings, the last was \"%s\"\n", cnt, text);
	close(fd);
}

static void
greet(int cnt)
{
	struct sockaddr_tipc to = prog_service(SERVICE_TYPE, 17);
	int fd = socket(AF_TIPC, SOCK_RDM, 0);
	char text[100];

	NEED(fd);
	prog_await(SERVICE_TYPE, 17);
	for (int i = 0; i < cnt; i++) {
		NEED(sendto(fd, "Hello World!", 13, 0, (struct sockaddr *)&to, sizeof(to)));
		NEED(recv(fd, text, sizeof(text), 0));
	}
	printf("client: %d greetings, the last answer was \"%s\"\n", cnt, text);
	close(fd);
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (strcmp(argv[1], "server") == 0)
		serve(atoi(argv[2]));
	else
		greet(atoi(argv[2]));
	return 0;
}
