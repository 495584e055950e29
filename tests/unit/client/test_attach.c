/* SPDX-License-Identifier: BSD-3-Clause */

/* Attaching, making and naming sockets, the control requests, close and death. */

#include "client_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static void
no_dptipcd_is_no_tipc(void)
{
	FAILS(dptipc_attach("nobody-is-there"), EAFNOSUPPORT);
	CU_TRUE(strstr(dptipc_error(), "nobody-is-there") != NULL);
	FAILS(dptipc_attach("/nonexistent/dptipcd.sock"), EAFNOSUPPORT);
}

static void
name_that_is_too_long_is_refused(void)
{
	char name[200];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	FAILS(dptipc_attach(name), EINVAL);
	name[0] = '/';
	FAILS(dptipc_attach(name), EINVAL);
}

static void
hello_refusals_have_their_errno_and_text(void)
{
	static const struct {
		struct fake_cfg cfg;
		int error;
		const char *text;
	} cases[] = {
		{{.abi_version = DPT_SHM_ABI_VERSION + 1}, EPROTONOSUPPORT, "ABI version"},
		{{.abi_version = 7, .hello_result = EPROTONOSUPPORT}, EPROTONOSUPPORT, "version 7"},
		{{.hello_result = EACCES}, EACCES, "does not admit"},
		{{.hello_result = ENOBUFS}, ENOBUFS, "refuses"},
		{{.is_mute = true}, EAFNOSUPPORT, "closed the connection"},
		{{.is_unsealed = true}, EPROTONOSUPPORT, "sealed"},
		{{.has_bad_region = true}, EPROTONOSUPPORT, "laid out"},
	};
	size_t i;

	for (i = 0; i < CU_CNT(cases); i++) {
		const char *name = fixture_name();
		struct fake *fake = fake_start(name, &cases[i].cfg);

		cu_context("case %zu: %s", i, cases[i].text);
		FAILS(dptipc_attach(name), cases[i].error);
		CU_TRUE(strstr(dptipc_error(), cases[i].text) != NULL);
		fake_stop(fake);
	}
}

static void
attaching_twice_uses_the_same_connection(void)
{
	const char *name = fixture_name();
	struct fake *fake = fake_start(name, NULL);
	struct dpt_shm_layout layout;
	void *region;

	CU_EQ_I64(dptipc_attach(name), 0);
	region = fake_region(fake, &layout);
	CU_EQ_I64(dptipc_attach(name), 0);
	setenv("DPTIPC_NAME", name, 1);
	CU_EQ_I64(dptipc_attach(NULL), 0);
	unsetenv("DPTIPC_NAME");
	CU_EQ_PTR(fake_region(fake, &layout), region);
	fake_stop(fake);
}

static void
socket_types_and_their_errors(void)
{
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	FAILS(dptipc_socket(AF_INET, SOCK_RDM, 0), EAFNOSUPPORT);
	FAILS(dptipc_socket(AF_TIPC, SOCK_RDM, 1), EPROTONOSUPPORT);
	FAILS(dptipc_socket(AF_TIPC, SOCK_RAW, 0), EPROTOTYPE);
	fake_answer_set(fake, ENFILE);
	FAILS(dptipc_socket(AF_TIPC, SOCK_RDM, 0), ENFILE);
	fixture_close(fake, fd);
}

static void
socket_flags_reach_the_descriptor(void)
{
	struct fake *fake;
	int fd, other;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_I64(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	CU_EQ_I64(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	other = dptipc_socket(AF_TIPC, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CU_EQ_I64(fcntl(other, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	CU_EQ_I64(fcntl(other, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	CU_EQ_I64(dptipc_close(other), 0);
	fixture_close(fake, fd);
}

static void
foreign_descriptors_are_told(void)
{
	char c;

	FAILS(dptipc_send(-1, "x", 1, 0), EBADF);
	FAILS(dptipc_recv(100000, &c, 1, 0), EBADF);
	FAILS(dptipc_recv(0, &c, 1, 0), fcntl(0, F_GETFD) < 0 ? EBADF : ENOTSOCK);
}

static void
bind_checks_in_order(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	FAILS(dptipc_bind(fd, sa(&a), sizeof(a) - 1), EINVAL);
	FAILS(dptipc_bind(fd, sa(&a), 129), EINVAL);
	a.family = AF_INET;
	FAILS(dptipc_bind(fd, sa(&a), sizeof(a)), EINVAL);
	a = addr_range(1000, 2, 1);
	FAILS(dptipc_bind(fd, sa(&a), sizeof(a)), EINVAL);
	a = addr_socket(1, 2);
	FAILS(dptipc_bind(fd, sa(&a), sizeof(a)), EAFNOSUPPORT);
	a.addrtype = 4;
	FAILS(dptipc_bind(fd, sa(&a), sizeof(a)), EINVAL);
	a = addr_service(63, 1);
	FAILS(dptipc_bind(fd, sa(&a), sizeof(a)), EACCES);
	/* None of these was dptipcd's business. */
	CU_EQ_U64(fake_request_last(fake).op, DPT_ATTACH_SOCKET);
	a = addr_service(64, 1);
	CU_EQ_I64(dptipc_bind(fd, sa(&a), sizeof(a)), 0);
	fake_answer_set(fake, EADDRINUSE);
	FAILS(dptipc_bind(fd, sa(&a), sizeof(a)), EADDRINUSE);
	fixture_close(fake, fd);
}

/* hazard 2: scope -128 has no absolute value in a signed char. */
static void
hazard_09_2_bind_scopes(void)
{
	static const struct {
		signed char scope;
		uint32_t op, arg;
	} cases[] = {
		{0, DPT_ATTACH_BIND, 2},      {1, DPT_ATTACH_BIND, 2},
		{2, DPT_ATTACH_BIND, 2},      {3, DPT_ATTACH_BIND, 3},
		{127, DPT_ATTACH_BIND, 2},    {-1, DPT_ATTACH_UNBIND, 2},
		{-2, DPT_ATTACH_UNBIND, 2},   {-3, DPT_ATTACH_UNBIND, 3},
		{-128, DPT_ATTACH_UNBIND, 2},
	};
	struct sockaddr_tipc a = addr_service(1000, 17);
	struct dpt_attach_msg msg;
	struct fake *fake;
	size_t i;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	for (i = 0; i < CU_CNT(cases); i++) {
		cu_context("scope %d", cases[i].scope);
		a.scope = cases[i].scope;
		CU_EQ_I64(dptipc_bind(fd, sa(&a), sizeof(a)), 0);
		msg = fake_request_last(fake);
		CU_EQ_U64(msg.op, cases[i].op);
		CU_EQ_U64(msg.arg[1], 1000);
		CU_EQ_U64(msg.arg[2], 17);
		CU_EQ_U64(msg.arg[3], 17);
		CU_EQ_U64(msg.arg[4], cases[i].arg);
	}
	CU_EQ_I64(dptipc_bind(fd, NULL, 0), 0);
	CU_EQ_U64(fake_request_last(fake).op, DPT_ATTACH_UNBIND_ALL);
	fixture_close(fake, fd);
}

/* hazard 2: what no address may be, in each call that takes one; dptipcd is not even asked. */
static void
hazard_09_2_addresses_that_are_none(void)
{
	static const uint8_t addrtypes[] = {0, 4, 127, 128, 255};
	struct sockaddr_tipc a = addr_service(1000, 17), turned = addr_range(1000, 2, 1);
	struct fake *fake;
	int rdm, seq, calls;
	size_t i;

	fake = fixture_open(SOCK_RDM, &rdm);
	seq = dptipc_socket(AF_TIPC, SOCK_SEQPACKET, 0);
	CU_TRUE_FATAL(seq >= 0);
	/* What dptipcd publishes of a fresh one. */
	atomic_store(&fake_sock(fake, 1)->conn_state, DPT_CONN_OPEN);
	for (i = 0; i < CU_CNT(addrtypes); i++) {
		cu_context("addrtype %u", addrtypes[i]);
		a.addrtype = addrtypes[i];
		for (calls = 0; calls < 2; calls++) {
			int fd = calls ? seq : rdm;

			CU_EQ_I64(dptipc_bind(fd, sa(&a), sizeof(a)), -1);
			FAILS(dptipc_connect(fd, sa(&a), sizeof(a)), EINVAL);
			FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), EINVAL);
		}
	}
	FAILS(dptipc_bind(rdm, sa(&turned), sizeof(turned)), EINVAL);
	FAILS(dptipc_connect(rdm, sa(&turned), sizeof(turned)), EINVAL);
	FAILS(dptipc_connect(seq, sa(&turned), sizeof(turned)), EINVAL);
	FAILS(dptipc_sendto(seq, "x", 1, 0, sa(&turned), sizeof(turned)), EINVAL);
	CU_EQ_U64(fake_sends_cnt(fake), 0);
	CU_EQ_U64(fake_request_last(fake).op, DPT_ATTACH_SOCKET);
	CU_EQ_I64(dptipc_close(seq), 0);
	fixture_close(fake, rdm);
}

static void
stale_answers_are_dropped(void)
{
	struct sockaddr_tipc a = addr_range(1000, 1, 9);
	struct fake *fake;
	int fd, other;

	fake = fixture_open(SOCK_RDM, &fd);
	fake_stale_answers(fake, true);
	CU_EQ_I64(dptipc_bind(fd, sa(&a), sizeof(a)), 0);
	other = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
	CU_TRUE(other >= 0);
	CU_EQ_I64(dptipc_close(other), 0);
	fixture_close(fake, fd);
}

static void
names_of_a_socket(void)
{
	struct sockaddr_tipc a, want = addr_socket(0x1000, 0x01001005);
	socklen_t len = sizeof(a);
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	fake_own_node_set(fake, 0x01001005);
	memset(&a, 0xff, sizeof(a));
	CU_EQ_I64(dptipc_getsockname(fd, (struct sockaddr *)&a, &len), 0);
	CU_EQ_U64(len, 16);
	CU_EQ_MEM(&a, &want, sizeof(a));
	len = 8;
	memset(&a, 0xff, sizeof(a));
	CU_EQ_I64(dptipc_getsockname(fd, (struct sockaddr *)&a, &len), 0);
	CU_EQ_U64(len, 16);
	CU_EQ_MEM(&a, &want, 8);
	CU_EQ_U64(a.addr.id.node, 0xffffffff);
	len = (socklen_t)-1;
	FAILS(dptipc_getsockname(fd, (struct sockaddr *)&a, &len), EINVAL);
	FAILS(dptipc_getpeername(fd, (struct sockaddr *)&a, &len), ENOTCONN);
	fixture_close(fake, fd);
}

static void
wait_closed(struct fake *fake, uint32_t idx)
{
	while (!fake_is_closed(fake, idx))
		sched_yield();
}

static void
socket_lives_until_its_last_descriptor(void)
{
	struct fake *fake;
	int fd, copy, copy2;

	fake = fixture_open(SOCK_RDM, &fd);
	copy = dptipc_dup(fd);
	CU_TRUE(copy >= 0);
	copy2 = dptipc_fcntl(fd, F_DUPFD_CLOEXEC, 100);
	CU_TRUE(copy2 >= 100);
	CU_EQ_I64(dptipc_close(fd), 0);
	CU_EQ_I64(dptipc_close(copy2), 0);
	CU_FALSE(fake_is_closed(fake, 0));
	CU_EQ_I64(dptipc_bind(copy, NULL, 0), 0);
	FAILS(dptipc_bind(fd, NULL, 0), EBADF);
	CU_EQ_I64(dptipc_close(copy), 0);
	wait_closed(fake, 0);
	fake_stop(fake);
}

static void
info_prints_all_parts(void)
{
	char *text = NULL;
	size_t len = 0;
	struct fake *fake;
	FILE *to;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	to = open_memstream(&text, &len);
	CU_EQ_I64(dptipc_info(DPTIPC_INFO_LINKS, to), 0);
	fclose(to);
	CU_EQ_STR(text, "info 2 line 0\ninfo 2 line 1\ninfo 2 line 2\n");
	free(text);
	fixture_close(fake, fd);
}

static void *
recv_one(void *arg)
{
	char c;
	int fd = *(int *)arg;

	return (void *)(intptr_t)(dptipc_recv(fd, &c, 1, 0) < 0 ? errno : 0);
}

/* Whether the receiver sleeps already or not when dptipcd dies: it comes back. */
static void
death_ends_a_blocking_receive(void)
{
	pthread_t thread;
	struct fake *fake;
	void *error;
	int fd, round;

	for (round = 0; round < 20; round++) {
		fake = fixture_open(SOCK_RDM, &fd);
		CU_EQ_I64_FATAL(pthread_create(&thread, NULL, recv_one, &fd), 0);
		if (round & 1)
			sched_yield();
		fake_stop(fake);
		CU_EQ_I64_FATAL(pthread_join(thread, &error), 0);
		CU_EQ_I64((intptr_t)error, ENETDOWN);
		CU_EQ_I64(dptipc_close(fd), 0);
	}
}

static void *
send_one(void *arg)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	int fd = *(int *)arg;

	return (void *)(intptr_t)(dptipc_sendto(fd, "hi", 2, 0, sa(&a), sizeof(a)) < 0 ? errno : 0);
}

static void
death_ends_a_send_that_waits(void)
{
	pthread_t thread;
	struct fake *fake;
	void *error;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	fake_hold(fake, true);
	CU_EQ_I64_FATAL(pthread_create(&thread, NULL, send_one, &fd), 0);
	while (!fake_has_pending(fake))
		sched_yield();
	fake_stop(fake);
	CU_EQ_I64_FATAL(pthread_join(thread, &error), 0);
	CU_EQ_I64((intptr_t)error, ENETDOWN);
	CU_EQ_I64(dptipc_close(fd), 0);
}

static void
dead_socket_stays_dead_and_a_new_one_works(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	char name[DPT_ATTACH_NAME_BYTES], c;
	struct pollfd pfd = {.events = POLLIN};
	struct fake *fake;
	int fd, again;

	snprintf(name, sizeof(name), "%s", fixture_name());
	fake = fake_start(name, NULL);
	CU_EQ_I64_FATAL(dptipc_attach(name), 0);
	fd = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
	CU_TRUE_FATAL(fd >= 0);
	fake_stop(fake);
	pfd.fd = fd;
	CU_EQ_I64(dptipc_poll(&pfd, 1, -1), 1);
	CU_EQ_I64(pfd.revents, POLLIN | POLLHUP);
	FAILS(dptipc_recv(fd, &c, 1, 0), ENETDOWN);
	FAILS(dptipc_bind(fd, sa(&a), sizeof(a)), ENETDOWN);
	FAILS(dptipc_send(fd, "x", 1, 0), ENETDOWN);
	CU_TRUE(strstr(dptipc_error(), name) != NULL);
	FAILS(dptipc_socket(AF_TIPC, SOCK_RDM, 0), EAFNOSUPPORT);
	fake = fake_start(name, NULL);
	again = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
	CU_TRUE_FATAL(again >= 0);
	CU_EQ_I64(dptipc_sendto(again, "x", 1, 0, sa(&a), sizeof(a)), 1);
	FAILS(dptipc_send(fd, "x", 1, 0), ENETDOWN);
	CU_EQ_I64(dptipc_close(fd), 0);
	fixture_close(fake, again);
}

/* A non-blocking program that never sleeps learns of it too. */
static void
death_is_seen_by_a_non_blocking_reader(void)
{
	struct fake *fake;
	char c;
	int fd;

	fake = fixture_open(SOCK_RDM | SOCK_NONBLOCK, &fd);
	FAILS(dptipc_recv(fd, &c, 1, 0), EAGAIN);
	fake_stop(fake);
	while (dptipc_recv(fd, &c, 1, 0) < 0 && errno == EAGAIN)
		sched_yield();
	CU_EQ_I64(errno, ENETDOWN);
	CU_EQ_I64(dptipc_close(fd), 0);
}

static void
socket_taken_away_is_an_error(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct fake *fake;
	char c;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	atomic_store(&fake_sock(fake, 0)->is_closed, 1);
	FAILS(dptipc_recv(fd, &c, 1, 0), ENETDOWN);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), ENETDOWN);
	fixture_close(fake, fd);
}

static void
child_uses_and_closes_the_same_socket(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct fake_msg msg = {.port = 5, .node = 6, .type = 3, .payload = "for you", .bytes = 7};
	struct fake *fake;
	char buf[16];
	int fd, status;
	pid_t pid;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_TRUE(fake_deliver(fake, 0, &msg));
	CU_TRUE(fake_deliver(fake, 0, &msg));
	pid = fork();
	CU_TRUE_FATAL(pid >= 0);
	if (pid == 0) {
		if (dptipc_recv(fd, buf, sizeof(buf), 0) != 7 || memcmp(buf, "for you", 7))
			_exit(1);
		if (dptipc_sendto(fd, "child", 5, 0, sa(&a), sizeof(a)) != 5)
			_exit(2);
		if (dptipc_bind(fd, sa(&a), sizeof(a)) != 0)
			_exit(3);
		_exit(dptipc_close(fd) == 0 ? 0 : 4);
	}
	CU_EQ_I64(waitpid(pid, &status, 0), pid);
	CU_EQ_I64(status, 0);
	CU_FALSE(fake_is_closed(fake, 0));
	/* The child has taken one of the two. */
	CU_EQ_I64(dptipc_recv(fd, buf, sizeof(buf), 0), 7);
	CU_FALSE(is_readable(fd));
	FAILS(dptipc_recv(fd, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CU_EQ_I64(dptipc_sendto(fd, "parent", 6, 0, sa(&a), sizeof(a)), 6);
	CU_EQ_U64(fake_sends_cnt(fake), 2);
	CU_EQ_MEM(fake_send_get(fake, 0).head, "child", 5);
	CU_EQ_U64(fake_send_get(fake, 1).seq, fake_send_get(fake, 0).seq + 1);
	fixture_close(fake, fd);
}

/* Promise P5's small sister: the death of one process leaves its sibling's calls alone. */
static void
child_killed_inside_a_send_does_not_block_the_parent(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct fake *fake;
	int fd, status;
	pid_t pid;

	fake = fixture_open(SOCK_RDM, &fd);
	fake_hold(fake, true);
	pid = fork();
	CU_TRUE_FATAL(pid >= 0);
	if (pid == 0) {
		dptipc_sendto(fd, "dying", 5, 0, sa(&a), sizeof(a));
		_exit(1);
	}
	while (!fake_has_pending(fake))
		sched_yield();
	kill(pid, SIGKILL);
	CU_EQ_I64(waitpid(pid, &status, 0), pid);
	CU_TRUE(WIFSIGNALED(status));
	fake_hold(fake, false);
	CU_EQ_I64(dptipc_sendto(fd, "alive", 5, 0, sa(&a), sizeof(a)), 5);
	CU_EQ_U64(fake_sends_cnt(fake), 2);
	CU_EQ_MEM(fake_send_get(fake, 0).head, "dying", 5);
	CU_EQ_MEM(fake_send_get(fake, 1).head, "alive", 5);
	CU_TRUE(fake_send_get(fake, 0).seq != fake_send_get(fake, 1).seq);
	fixture_close(fake, fd);
}

static const struct cu_test tests[] = {
	CU_TEST(no_dptipcd_is_no_tipc),
	CU_TEST(name_that_is_too_long_is_refused),
	CU_TEST(hello_refusals_have_their_errno_and_text),
	CU_TEST(attaching_twice_uses_the_same_connection),
	CU_TEST(socket_types_and_their_errors),
	CU_TEST(socket_flags_reach_the_descriptor),
	CU_TEST(foreign_descriptors_are_told),
	CU_TEST(bind_checks_in_order),
	CU_TEST(hazard_09_2_bind_scopes),
	CU_TEST(hazard_09_2_addresses_that_are_none),
	CU_TEST(stale_answers_are_dropped),
	CU_TEST(names_of_a_socket),
	CU_TEST(socket_lives_until_its_last_descriptor),
	CU_TEST(info_prints_all_parts),
	CU_TEST(death_ends_a_blocking_receive),
	CU_TEST(death_ends_a_send_that_waits),
	CU_TEST(dead_socket_stays_dead_and_a_new_one_works),
	CU_TEST(death_is_seen_by_a_non_blocking_reader),
	CU_TEST(socket_taken_away_is_an_error),
	CU_TEST(child_uses_and_closes_the_same_socket),
	CU_TEST(child_killed_inside_a_send_does_not_block_the_parent),
};

const struct cu_suite suite_attach = CU_TEST_SUITE("attach", tests);
