/* SPDX-License-Identifier: BSD-3-Clause */

#include "cases.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

/* A case that hangs is a failure; no case takes a second when all is well. */
#define CASE_LIMIT_S 60

char **cases_argv;

static bool
case_run(const struct test_case *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(CASE_LIMIT_S);
		c->run();
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	printf("%s %s", status == 0 ? "ok" : "FAIL", c->name);
	if (WIFSIGNALED(status))
		printf(": signal %d", WTERMSIG(status));
	printf("\n");
	return status == 0;
}

int
cases_main(int argc, char **argv, const struct test_case *cases, size_t cases_cnt)
{
	int failed = 0, found = 0;
	size_t i;

	cases_argv = argv;
	for (i = 0; i < cases_cnt; i++) {
		if (argc > 1 && strcmp(argv[1], cases[i].name) != 0)
			continue;
		found++;
		failed += !case_run(&cases[i]);
	}
	printf("%d cases, %d failed\n", found, failed);
	return failed || !found;
}

struct sockaddr_tipc
service(uint32_t type, uint32_t instance)
{
	return (struct sockaddr_tipc){.family = AF_TIPC,
				      .addrtype = TIPC_SERVICE_ADDR,
				      .scope = TIPC_CLUSTER_SCOPE,
				      .addr.name.name = {type, instance}};
}

int
bound_rdm(uint32_t type)
{
	struct sockaddr_tipc addr = {.family = AF_TIPC,
				     .addrtype = TIPC_SERVICE_RANGE,
				     .scope = TIPC_CLUSTER_SCOPE,
				     .addr.nameseq = {type, 0, 0}};
	int fd = socket(AF_TIPC, SOCK_RDM, 0);

	CHECK(fd >= 0);
	EQUAL(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

void
send_to(int fd, uint32_t type, const char *text)
{
	struct sockaddr_tipc to = service(type, 0);

	EQUAL(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)), strlen(text));
}

void
expect(int fd, const char *text)
{
	char buf[256];
	ssize_t got = recv(fd, buf, sizeof(buf), 0);

	EQUAL(got, strlen(text));
	CHECK(memcmp(buf, text, strlen(text)) == 0);
}

void
connected(int type, uint32_t service_type, int fds[2])
{
	struct sockaddr_tipc addr = {.family = AF_TIPC,
				     .addrtype = TIPC_SERVICE_RANGE,
				     .scope = TIPC_CLUSTER_SCOPE,
				     .addr.nameseq = {service_type, 0, 0}};
	struct sockaddr_tipc to = service(service_type, 0);
	int listener = socket(AF_TIPC, type, 0);

	CHECK(listener >= 0);
	EQUAL(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	EQUAL(listen(listener, 5), 0);
	fds[1] = socket(AF_TIPC, type | SOCK_NONBLOCK, 0);
	CHECK(fds[1] >= 0);
	/* connect waits for accept, and this is one thread. */
	FAILS(connect(fds[1], (struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	fds[0] = accept(listener, NULL, NULL);
	CHECK(fds[0] >= 0);
	close(listener);
	EQUAL(fcntl(fds[1], F_SETFL, 0), 0);
}

void
reap(pid_t pid)
{
	int status = 0;

	CHECK(pid > 0);
	EQUAL(waitpid(pid, &status, 0), pid);
	EQUAL(status, 0);
}

int
fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int cnt = 0;

	CHECK(dir);
	while (readdir(dir))
		cnt++;
	closedir(dir);
	return cnt;
}
