/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch TYPE LOWER UPPER EVENTS: subscribes to names and to nodes, waits with poll(2), prints each
 * event as a line, and ends after EVENTS of them.
 */
#include "prog.h"

#include <poll.h>
#include <unistd.h>

static const char *const names[] = {"?", "published", "withdrawn", "timeout"};

static int
subscribe(uint32_t type, uint32_t lower, uint32_t upper)
{
	struct sockaddr_tipc addr = prog_service(TIPC_TOP_SRV, TIPC_TOP_SRV);
	struct tipc_subscr subscr = {.seq = {type, lower, upper},
				     .timeout = (uint32_t)TIPC_WAIT_FOREVER,
				     .filter = TIPC_SUB_PORTS};
	int fd = socket(AF_TIPC, SOCK_SEQPACKET, 0);

	NEED(fd);
	memcpy(subscr.usr_handle, "watching", 8);
	NEED(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	NEED(write(fd, &subscr, sizeof(subscr)) - (ssize_t)sizeof(subscr));
	return fd;
}

static void
print_event(int fd)
{
	struct tipc_event event;

	NEED(read(fd, &event, sizeof(event)) - (ssize_t)sizeof(event));
	printf("%s {%u, %u, %u} port %s, of {%u, %u, %u} %.8s\n", names[event.event & 3],
	       event.s.seq.type, event.found_lower, event.found_upper,
	       event.port.ref != 0 ? "set" : "none", event.s.seq.type, event.s.seq.lower,
	       event.s.seq.upper, event.s.usr_handle);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	int events = argc == 5 ? atoi(argv[4]) : 0, cnt = 0;

	if (events == 0)
		return 2;
	fds[0].fd = subscribe((uint32_t)atoi(argv[1]), (uint32_t)strtoul(argv[2], NULL, 0),
			      (uint32_t)strtoul(argv[3], NULL, 0));
	fds[1].fd = subscribe(TIPC_NODE_STATE, 0, UINT32_MAX);
	printf("watch: up\n");
	fflush(stdout);
	while (cnt < events) {
		int ready = poll(fds, 2, 20000);

		if (ready == 0)
			errno = ETIMEDOUT;
		NEED(ready - 1);
		if (fds[1].revents & POLLIN)
			print_event(fds[1].fd);
		if (fds[0].revents & POLLIN) {
			print_event(fds[0].fd);
			cnt++;
		}
	}
	return 0;
}
