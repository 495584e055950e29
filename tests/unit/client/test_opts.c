/* SPDX-License-Identifier: BSD-3-Clause */

/* Socket options: the tables of 09-socket-api.md, 19. */

#include "client_fixture.h"

#include <sys/time.h>

static uint32_t
get(int fd, int level, int name)
{
	uint32_t v = 0xdeadbeef;
	socklen_t len = 4;

	CU_EQ_I64(dptipc_getsockopt(fd, level, name, &v, &len), 0);
	CU_EQ_U64(len, 4);
	return v;
}

static int
set(int fd, int level, int name, uint32_t v)
{
	return dptipc_setsockopt(fd, level, name, &v, sizeof(v));
}

static void
initial_values(void)
{
	struct fake *fake;
	int fd, dgram;

	fake = fixture_open(SOCK_RDM, &fd);
	dgram = dptipc_socket(AF_TIPC, SOCK_DGRAM, 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_IMPORTANCE), 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_SRC_DROPPABLE), 0);
	CU_EQ_U64(get(dgram, SOL_TIPC, TIPC_SRC_DROPPABLE), 1);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_DEST_DROPPABLE), 1);
	CU_EQ_U64(get(dgram, SOL_TIPC, TIPC_DEST_DROPPABLE), 1);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_CONN_TIMEOUT), 8000);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_NODE_RECVQ_DEPTH), 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH), 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_SOCK_RECVQ_USED), 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_GROUP_JOIN), 0);
	CU_EQ_U64(get(fd, SOL_SOCKET, SO_TYPE), SOCK_RDM);
	CU_EQ_U64(get(dgram, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
	CU_EQ_U64(get(fd, SOL_SOCKET, SO_DOMAIN), AF_TIPC);
	CU_EQ_U64(get(fd, SOL_SOCKET, SO_PROTOCOL), 0);
	CU_EQ_U64(get(fd, SOL_SOCKET, SO_ERROR), 0);
	CU_EQ_U64(get(fd, SOL_SOCKET, SO_RCVBUF), 2097152);
	CU_EQ_U64(get(fd, SOL_DPTIPC, DPTIPC_BUSY_POLL_US), 50);
	CU_EQ_U64(get(fd, SOL_DPTIPC, DPTIPC_RX_DROPS), 0);
	CU_EQ_I64(dptipc_close(dgram), 0);
	fixture_close(fake, fd);
}

static void
set_then_get(void)
{
	struct timeval tv = {.tv_sec = 3, .tv_usec = 250000}, got;
	socklen_t len = sizeof(got);
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_I64(set(fd, SOL_TIPC, TIPC_IMPORTANCE, 3), 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_IMPORTANCE), 3);
	FAILS(set(fd, SOL_TIPC, TIPC_IMPORTANCE, 4), EINVAL);
	CU_EQ_I64(set(fd, SOL_TIPC, TIPC_DEST_DROPPABLE, 0), 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_DEST_DROPPABLE), 0);
	CU_EQ_I64(set(fd, SOL_TIPC, TIPC_SRC_DROPPABLE, 77), 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_SRC_DROPPABLE), 1);
	/* hazard 7: kept in 16 bits. */
	CU_EQ_I64(set(fd, SOL_TIPC, TIPC_CONN_TIMEOUT, 65536 + 5), 0);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_CONN_TIMEOUT), 5);
	CU_EQ_I64(set(fd, SOL_TIPC, TIPC_NODELAY, 1), 0);
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_TIPC, TIPC_MCAST_REPLICAST, NULL, 0), 0);
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_TIPC, TIPC_MCAST_BROADCAST, NULL, 0), 0);
	CU_EQ_I64(set(fd, SOL_SOCKET, SO_RCVBUF, 100000), 0);
	CU_EQ_U64(get(fd, SOL_SOCKET, SO_RCVBUF), 200000);
	CU_EQ_U64(fake_request_last(fake).op, DPT_ATTACH_RCVBUF);
	CU_EQ_U64(fake_request_last(fake).arg[1], 200000);
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	CU_EQ_I64(dptipc_getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
	CU_EQ_MEM(&got, &tv, sizeof(tv));
	CU_EQ_I64(set(fd, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	fixture_close(fake, fd);
}

static void
refusals(void)
{
	struct tipc_group_req req = {.type = 1000};
	struct timeval tv = {.tv_usec = 1000000};
	uint32_t v = 0;
	socklen_t len;
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	FAILS(dptipc_setsockopt(fd, SOL_TIPC, TIPC_IMPORTANCE, &v, 3), EINVAL);
	FAILS(dptipc_setsockopt(fd, SOL_TIPC, TIPC_IMPORTANCE, NULL, 4), EFAULT);
	FAILS(dptipc_setsockopt(fd, SOL_TIPC, TIPC_MCAST_BROADCAST, &v, 4), EINVAL);
	FAILS(dptipc_setsockopt(fd, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH, &v, 4), EINVAL);
	FAILS(dptipc_setsockopt(fd, SOL_TIPC, TIPC_GROUP_LEAVE, NULL, 0), EINVAL);
	FAILS(dptipc_setsockopt(fd, SOL_TIPC, TIPC_GROUP_JOIN, &req, 15), EINVAL);
	FAILS(dptipc_setsockopt(fd, SOL_TIPC, TIPC_GROUP_JOIN, &req, sizeof(req)), ENOPROTOOPT);
	FAILS(dptipc_setsockopt(fd, 6, 1, &v, 4), ENOPROTOOPT);
	FAILS(dptipc_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), EDOM);
	FAILS(dptipc_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, 4), EINVAL);
	FAILS(set(fd, SOL_DPTIPC, DPTIPC_BUSY_POLL_US, 1000001), EINVAL);
	/* A bad option is told before a bad length. */
	len = 2;
	FAILS(dptipc_getsockopt(fd, SOL_TIPC, TIPC_NODELAY, &v, &len), EINVAL);
	FAILS(dptipc_getsockopt(fd, SOL_TIPC, TIPC_IMPORTANCE, &v, &len), EINVAL);
	FAILS(dptipc_getsockopt(fd, SOL_TIPC, TIPC_IMPORTANCE, &v, NULL), EFAULT);
	/* A bad option is told before a bad pointer, too, but not before the length's. */
	len = 4;
	FAILS(dptipc_getsockopt(fd, SOL_TIPC, TIPC_NODELAY, NULL, &len), EINVAL);
	FAILS(dptipc_getsockopt(fd, SOL_TIPC, TIPC_IMPORTANCE, NULL, &len), EFAULT);
	FAILS(dptipc_getsockopt(fd, SOL_TIPC, TIPC_NODELAY, &v, NULL), EFAULT);
	FAILS(dptipc_getsockopt(fd, SOL_SOCKET, SO_TYPE, NULL, &len), EFAULT);
	FAILS(dptipc_getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, NULL, &len), EFAULT);
	/* A negative length is a long one, but for SOL_SOCKET. */
	len = (socklen_t)-1;
	FAILS(dptipc_getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len), EINVAL);
	FAILS(dptipc_getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len), EINVAL);
	CU_EQ_I64(dptipc_getsockopt(fd, SOL_TIPC, TIPC_IMPORTANCE, &v, &len), 0);
	CU_EQ_U64(len, 4);
	FAILS(dptipc_getsockopt(fd, 6, 1, &v, &len), ENOPROTOOPT);
	FAILS(dptipc_getsockopt(fd, SOL_SOCKET, 9999, &v, &len), ENOPROTOOPT);
	fixture_close(fake, fd);
}

static void
queue_depth_counts_unread_messages(void)
{
	struct fake_msg msg = {.port = 1, .type = 3, .payload = "m", .bytes = 1};
	struct fake *fake;
	char c;
	int fd, i;

	fake = fixture_open(SOCK_RDM, &fd);
	for (i = 0; i < 5; i++)
		CU_TRUE(fake_deliver(fake, 0, &msg));
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH), 5);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_SOCK_RECVQ_USED), 5 * FAKE_CHARGE_BYTES);
	/* The receipt is there before the question, though the log is not empty. */
	CU_EQ_I64(dptipc_recv(fd, &c, 1, 0), 1);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_SOCK_RECVQ_DEPTH), 4);
	CU_EQ_U64(fake_request_last(fake).op, DPT_ATTACH_RECVQ);
	CU_EQ_U64(get(fd, SOL_TIPC, TIPC_SOCK_RECVQ_USED), 4 * FAKE_CHARGE_BYTES);
	fixture_close(fake, fd);
}

/* hazard 1: each length with each option; nothing is written beyond what was given. */
static void
hazard_09_1_option_lengths(void)
{
	static const int lens[] = {0, 1, 3, 4, 5, 8, 16, 128, INT32_MAX, -1, INT32_MIN};
	static const int levels[] = {SOL_TIPC, SOL_SOCKET, SOL_DPTIPC, 6, -1};
	uint8_t val[256];
	struct fake *fake;
	size_t i, k, at;
	int fd, name;

	fake = fixture_open(SOCK_RDM, &fd);
	for (k = 0; k < CU_CNT(levels); k++) {
		for (i = 0; i < CU_CNT(lens); i++) {
			for (name = -1; name < 150; name++) {
				/* A time of 16 octets is the longest value. */
				size_t most = lens[i] < 0 || lens[i] > 16 ? 16 : (size_t)lens[i];
				socklen_t len = (socklen_t)lens[i];

				cu_context("level %d, name %d, length %d", levels[k], name,
					   lens[i]);
				memset(val, 0xee, sizeof(val));
				if (dptipc_getsockopt(fd, levels[k], name, val, &len) == 0)
					CU_TRUE(len <= most);
				else
					most = 0;
				for (at = most; at < sizeof(val) && val[at] == 0xee; at++)
					;
				CU_EQ_U64(at, sizeof(val));
			}
		}
		/* Shorter than the value, or negative. */
		CU_EQ_I64(dptipc_setsockopt(fd, levels[k], 127, val, 3), -1);
		CU_EQ_I64(dptipc_setsockopt(fd, levels[k], 127, val, (socklen_t)-1), -1);
	}
	fixture_close(fake, fd);
}

static const struct cu_test tests[] = {
	CU_TEST(hazard_09_1_option_lengths),
	CU_TEST(initial_values),
	CU_TEST(set_then_get),
	CU_TEST(refusals),
	CU_TEST(queue_depth_counts_unread_messages),
};

const struct cu_suite suite_opts = CU_TEST_SUITE("opts", tests);
