/* SPDX-License-Identifier: BSD-3-Clause */

/* Sending: order of checks, what reaches dptipcd, when its answer is waited for. */

#include "client_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/uio.h>

static uint8_t big[DPT_PAYLOAD_BYTES_MAX + 1];

static void
checks_in_order(void)
{
	struct sockaddr_tipc bad = addr_range(1000, 2, 1), good = addr_service(1000, 1);
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	/* Size before address, address before destination. */
	FAILS(dptipc_sendto(fd, big, sizeof(big), 0, sa(&bad), sizeof(bad)), EMSGSIZE);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&bad), sizeof(bad)), EINVAL);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&good), 15), EINVAL);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&good), 0), EINVAL);
	FAILS(dptipc_send(fd, "x", 1, 0), EDESTADDRREQ);
	fake_result_set(fake, EHOSTUNREACH);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&good), sizeof(good)), EHOSTUNREACH);
	fake_result_set(fake, 0);
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&good), sizeof(good)), 1);
	CU_EQ_U64(fake_sends_cnt(fake), 2);
	fixture_close(fake, fd);
}

/* hazard 1: lengths and sums of vectors. */
static void
hazard_09_1_vectors(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct iovec iov[3] = {{big, 40000}, {big, 26000}, {big, 0}};
	struct msghdr msg = {
		.msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = iov, .msg_iovlen = 3};
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_I64(dptipc_sendmsg(fd, &msg, 0), 66000);
	iov[2].iov_len = 1;
	FAILS(dptipc_sendmsg(fd, &msg, 0), EMSGSIZE);
	iov[0].iov_len = iov[1].iov_len = SIZE_MAX / 2 + 1;
	FAILS(dptipc_sendmsg(fd, &msg, 0), EMSGSIZE);
	msg.msg_iovlen = 100000;
	FAILS(dptipc_sendmsg(fd, &msg, 0), EMSGSIZE);
	/* A name of length 0 is no name. */
	msg.msg_iovlen = 0;
	msg.msg_namelen = 0;
	FAILS(dptipc_sendmsg(fd, &msg, 0), EDESTADDRREQ);
	fixture_close(fake, fd);
}

static void
record_carries_address_options_and_octets(void)
{
	struct sockaddr_tipc range = addr_range(1000, 1, 9), service = addr_service(1000, 3),
			     sock = addr_socket(77, 0x1001002);
	struct iovec iov[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
	struct msghdr msg = {.msg_name = &service,
			     .msg_namelen = sizeof(service),
			     .msg_iov = iov,
			     .msg_iovlen = 3};
	uint32_t two = 2, zero = 0;
	struct fake_send s;
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_DGRAM, &fd);
	service.addr.name.domain = 0x1001004;
	CU_EQ_I64(dptipc_sendmsg(fd, &msg, 0), 5);
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_TIPC, TIPC_IMPORTANCE, &two, 4), 0);
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_TIPC, TIPC_DEST_DROPPABLE, &zero, 4), 0);
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_TIPC, TIPC_SRC_DROPPABLE, &zero, 4), 0);
	CU_EQ_I64(dptipc_sendto(fd, big, 66000, MSG_OOB, sa(&range), sizeof(range)), 66000);
	CU_EQ_I64(dptipc_sendto(fd, NULL, 0, 0, sa(&sock), sizeof(sock)), 0);
	CU_EQ_U64_FATAL(fake_sends_cnt(fake), 3);
	s = fake_send_get(fake, 0);
	CU_EQ_U64(s.addrtype, 2);
	CU_EQ_U64(s.addr[0], 1000);
	CU_EQ_U64(s.addr[1], 3);
	CU_EQ_U64(s.addr[2], 0x1001004);
	CU_EQ_U64(s.bytes, 5);
	CU_EQ_MEM(s.head, "abcde", 5);
	CU_EQ_U64(s.importance, 0);
	CU_EQ_U64(s.flags,
		  DPT_REC_F_DEST_DROPPABLE | DPT_REC_F_SRC_DROPPABLE | DPT_REC_F_WANT_RESULT);
	s = fake_send_get(fake, 1);
	CU_EQ_U64(s.addrtype, 1);
	CU_EQ_U64(s.addr[2], 9);
	CU_EQ_U64(s.bytes, 66000);
	CU_EQ_U64(s.importance, 2);
	CU_EQ_U64(s.flags, DPT_REC_F_WANT_RESULT);
	s = fake_send_get(fake, 2);
	CU_EQ_U64(s.addrtype, 3);
	CU_EQ_U64(s.addr[0], 77);
	CU_EQ_U64(s.addr[1], 0x1001002);
	CU_EQ_U64(s.bytes, 0);
	fixture_close(fake, fd);
}

static bool
asked(struct fake *fake, uint32_t i)
{
	CU_TRUE_FATAL(i < fake_sends_cnt(fake));
	return fake_send_get(fake, i).flags & DPT_REC_F_WANT_RESULT;
}

/* The answer is waited for when the destination is new, or anything may have changed. */
static void
answer_is_asked_for_only_when_it_can_differ(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1), b = addr_service(1000, 2);
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), 1);
	CU_TRUE(asked(fake, 0));
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), 1);
	CU_FALSE(asked(fake, 1));
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&b), sizeof(b)), 1);
	CU_TRUE(asked(fake, 2));
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), 1);
	CU_TRUE(asked(fake, 3));
	fake_route_gen_bump(fake);
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), 1);
	CU_TRUE(asked(fake, 4));
	fake_congested_set(fake, 0, true);
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), 1);
	CU_TRUE(asked(fake, 5));
	fake_congested_set(fake, 0, false);
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), 1);
	CU_FALSE(asked(fake, 6));
	/* A failure is never repeated without asking. */
	fake_route_gen_bump(fake);
	fake_result_set(fake, EHOSTUNREACH);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), EHOSTUNREACH);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), EHOSTUNREACH);
	fixture_close(fake, fd);
}

static void
default_destination_is_used_and_cleared(void)
{
	struct sockaddr_tipc a = addr_socket(55, 66), bad = addr_range(1, 2, 1);
	struct sockaddr_tipc none = {.family = AF_UNSPEC};
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	FAILS(dptipc_connect(fd, sa(&a), sizeof(a) + 1), EINVAL);
	FAILS(dptipc_connect(fd, sa(&bad), sizeof(bad)), EINVAL);
	CU_EQ_I64(dptipc_connect(fd, sa(&a), sizeof(a)), 0);
	CU_EQ_I64(dptipc_send(fd, "dflt", 4, 0), 4);
	CU_EQ_U64_FATAL(fake_sends_cnt(fake), 1);
	CU_EQ_U64(fake_send_get(fake, 0).addr[0], 55);
	CU_EQ_U64(fake_send_get(fake, 0).addr[1], 66);
	CU_EQ_I64(dptipc_connect(fd, sa(&none), sizeof(none)), 0);
	FAILS(dptipc_send(fd, "x", 1, 0), EDESTADDRREQ);
	fixture_close(fake, fd);
}

static void
congestion_is_eagain_without_blocking(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct timeval short_time = {.tv_usec = 1000};
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	fake_result_set(fake, EAGAIN);
	FAILS(dptipc_sendto(fd, "x", 1, MSG_DONTWAIT, sa(&a), sizeof(a)), EAGAIN);
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &short_time, sizeof(short_time)),
		  0);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), EAGAIN);
	/* fcntl(2) without the prefix is noticed before the wait. */
	short_time.tv_sec = 1000;
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &short_time, sizeof(short_time)),
		  0);
	CU_EQ_I64(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	FAILS(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), EAGAIN);
	fixture_close(fake, fd);
}

struct blocked {
	int fd;
	ssize_t rc;
};

static void *
send_blocking(void *arg)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct blocked *b = arg;

	b->rc = dptipc_sendto(b->fd, "x", 1, 0, sa(&a), sizeof(a));
	return NULL;
}

static void
congested_sender_goes_on_when_there_is_room(void)
{
	struct blocked b = {0};
	pthread_t thread;
	struct fake *fake;

	fake = fixture_open(SOCK_RDM, &b.fd);
	fake_result_set(fake, EAGAIN);
	CU_EQ_I64_FATAL(pthread_create(&thread, NULL, send_blocking, &b), 0);
	while (fake_sends_cnt(fake) == 0)
		sched_yield();
	fake_result_set(fake, 0);
	fake_congested_set(fake, 0, false);
	CU_EQ_I64_FATAL(pthread_join(thread, NULL), 0);
	CU_EQ_I64(b.rc, 1);
	fixture_close(fake, b.fd);
}

/* Asynchronous sends meet the end of the log: non-blocking ones are told. */
static void
full_log_is_eagain_and_passes(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	uint32_t sent = 1;
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_I64(dptipc_sendto(fd, big, 1000, 0, sa(&a), sizeof(a)), 1000);
	fake_hold(fake, true);
	while (dptipc_sendto(fd, big, 1000, MSG_DONTWAIT, sa(&a), sizeof(a)) == 1000)
		sent++;
	CU_EQ_I64(errno, EAGAIN);
	CU_TRUE(sent > 100);
	CU_EQ_U64(fake_sends_cnt(fake), 1);
	fake_hold(fake, false);
	CU_EQ_I64(dptipc_sendto(fd, "last", 4, 0, sa(&a), sizeof(a)), 4);
	while (fake_sends_cnt(fake) < sent + 1)
		sched_yield();
	CU_EQ_MEM(fake_send_get(fake, sent).head, "last", 4);
	fixture_close(fake, fd);
}

/* All of them fit into the log: a send that finds it full uses up a number. */
#define SENDS_PER_THREAD 1000

static void *
send_many(void *arg)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct blocked *b = arg;
	uint32_t i;

	for (i = 0; i < SENDS_PER_THREAD; i++)
		if (dptipc_sendto(b->fd, &i, sizeof(i), 0, sa(&a), sizeof(a)) != 4)
			b->rc = -1;
	return NULL;
}

static void
threads_share_a_socket(void)
{
	struct blocked b[3] = {0};
	pthread_t threads[3];
	uint32_t i, next;
	struct fake *fake;

	fake = fixture_open(SOCK_RDM, &b[0].fd);
	for (i = 0; i < 3; i++) {
		b[i].fd = b[0].fd;
		CU_EQ_I64_FATAL(pthread_create(&threads[i], NULL, send_many, &b[i]), 0);
	}
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		CU_EQ_I64(b[i].rc, 0);
	}
	while (fake_sends_cnt(fake) < 3 * SENDS_PER_THREAD)
		sched_yield();
	/* One number per send, in the order of the log. */
	for (i = 0, next = fake_send_get(fake, 0).seq; i < 3 * SENDS_PER_THREAD; i++)
		CU_EQ_U64_FATAL(fake_send_get(fake, i).seq, next + i);
	fixture_close(fake, b[0].fd);
}

static const struct cu_test tests[] = {
	CU_TEST(checks_in_order),
	CU_TEST(hazard_09_1_vectors),
	CU_TEST(record_carries_address_options_and_octets),
	CU_TEST(answer_is_asked_for_only_when_it_can_differ),
	CU_TEST(default_destination_is_used_and_cleared),
	CU_TEST(congestion_is_eagain_without_blocking),
	CU_TEST(congested_sender_goes_on_when_there_is_room),
	CU_TEST(full_log_is_eagain_and_passes),
	CU_TEST(threads_share_a_socket),
};

const struct cu_suite suite_send = CU_TEST_SUITE("send", tests);
