/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Connections: what the library makes of the state that dptipcd publishes. The test plays the
 * worker: it writes the words of dpt_shm_sock itself.
 */

#include "client_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/uio.h>

static void
state_set(struct fake *fake, uint32_t state, uint32_t credit)
{
	struct dpt_shm_sock *shm = fake_sock(fake, 0);

	shm->peer_port = 77;
	shm->peer_node = 0x1001002;
	shm->name_type = 1000;
	shm->name_instance = 5;
	atomic_store(&shm->tx_credit, credit);
	atomic_store(&shm->conn_state, state);
}

static struct fake *
open_established(int type, int *fd)
{
	struct fake *fake = fixture_open(type, fd);

	state_set(fake, DPT_CONN_ESTABLISHED | DPT_CONN_HAS_NAME | DPT_CONN_IS_BLOCK_FLOW, 128);
	return fake;
}

static void
data(struct fake *fake, const char *text, uint8_t errcode)
{
	struct fake_msg msg = {.port = 77,
			       .node = 0x1001002,
			       .errcode = errcode,
			       .payload = text,
			       .bytes = (uint32_t)strlen(text)};

	CU_TRUE_FATAL(fake_deliver(fake, 0, &msg));
}

static void
send_checks_the_state(void)
{
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_SEQPACKET, &fd);
	state_set(fake, DPT_CONN_OPEN, 0);
	FAILS(dptipc_send(fd, "x", 1, 0), ENOTCONN);
	state_set(fake, DPT_CONN_CONNECTING, 0);
	FAILS(dptipc_send(fd, "x", 1, 0), ENOTCONN);
	state_set(fake, DPT_CONN_DISCONNECTING, 0);
	FAILS(dptipc_send(fd, "x", 1, 0), EPIPE);
	atomic_store(&fake_sock(fake, 0)->so_error, ECONNREFUSED);
	FAILS(dptipc_send(fd, "x", 1, 0), ECONNREFUSED);
	FAILS(dptipc_send(fd, "x", 1, 0), EPIPE);
	CU_EQ_U64(fake_sends_cnt(fake), 0);
	fixture_close(fake, fd);
}

static void
credit_is_spent_in_blocks(void)
{
	static char big[66000];
	struct fake *fake;
	int fd, i;

	fake = open_established(SOCK_SEQPACKET, &fd);
	/* 66024 / 1024 + 1 = 65 each: sent while the sum is not beyond 128. */
	for (i = 0; i < 2; i++)
		CU_EQ_I64(dptipc_send(fd, big, sizeof(big), MSG_DONTWAIT), 66000);
	FAILS(dptipc_send(fd, big, 1, MSG_DONTWAIT), EAGAIN);
	FAILS(dptipc_send(fd, big, 66001, MSG_DONTWAIT), EMSGSIZE);
	state_set(fake, DPT_CONN_ESTABLISHED | DPT_CONN_IS_BLOCK_FLOW, 130);
	CU_EQ_I64(dptipc_send(fd, big, 999, MSG_DONTWAIT), 999);
	FAILS(dptipc_send(fd, big, 1, MSG_DONTWAIT), EAGAIN);
	CU_EQ_U64(fake_sends_cnt(fake), 3);
	CU_EQ_U64(fake_send_get(fake, 0).addrtype, 0);
	fixture_close(fake, fd);
}

static void
stream_sends_in_pieces_and_a_part(void)
{
	static char big[400000];
	struct fake *fake;
	int fd;

	fake = open_established(SOCK_STREAM, &fd);
	/* Two pieces: after 130 blocks there is no credit left. */
	CU_EQ_I64(dptipc_send(fd, big, sizeof(big), MSG_DONTWAIT), 132000);
	FAILS(dptipc_send(fd, big, 1, MSG_DONTWAIT), EAGAIN);
	CU_EQ_U64(fake_sends_cnt(fake), 2);
	CU_EQ_U64(fake_send_get(fake, 1).bytes, 66000);
	fixture_close(fake, fd);
}

static void
stream_merges_and_keeps_the_rest(void)
{
	char buf[16];
	struct fake *fake;
	int fd;

	fake = open_established(SOCK_STREAM, &fd);
	data(fake, "abc", 0);
	data(fake, "defgh", 0);
	data(fake, "ij", 0);
	CU_EQ_I64(dptipc_recv(fd, buf, 2, MSG_PEEK), 2);
	CU_EQ_I64(dptipc_recv(fd, buf, 5, 0), 5);
	CU_EQ_MEM(buf, "abcde", 5);
	CU_EQ_I64(dptipc_recv(fd, buf, sizeof(buf), 0), 5);
	CU_EQ_MEM(buf, "fghij", 5);
	FAILS(dptipc_recv(fd, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	fixture_close(fake, fd);
}

static void
end_behind_data_is_zero(void)
{
	char buf[16];
	struct fake *fake;
	int fd;

	fake = open_established(SOCK_STREAM, &fd);
	data(fake, "abc", 0);
	data(fake, "", TIPC_CONN_SHUTDOWN);
	state_set(fake, DPT_CONN_DISCONNECTING, 0);
	CU_EQ_I64(dptipc_recv(fd, buf, sizeof(buf), MSG_WAITALL), 3);
	CU_EQ_I64(dptipc_recv(fd, buf, sizeof(buf), 0), 0);
	fixture_close(fake, fd);
}

static void
reset_stays_until_it_is_read_with_a_control_buffer(void)
{
	char buf[16], control[128];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg;
	struct fake *fake;
	uint32_t info[2];
	int fd;

	fake = open_established(SOCK_SEQPACKET, &fd);
	data(fake, "lost", TIPC_ERR_NO_PORT);
	state_set(fake, DPT_CONN_DISCONNECTING, 0);
	FAILS(dptipc_recv(fd, buf, sizeof(buf), 0), ECONNRESET);
	FAILS(dptipc_recv(fd, buf, sizeof(buf), 0), ECONNRESET);
	CU_EQ_I64(dptipc_recvmsg(fd, &msg, 0), 0);
	cmsg = CMSG_FIRSTHDR(&msg);
	CU_TRUE_FATAL(cmsg != NULL);
	memcpy(info, CMSG_DATA(cmsg), sizeof(info));
	CU_EQ_U64(info[0], TIPC_ERR_NO_PORT);
	CU_EQ_U64(info[1], 4);
	fixture_close(fake, fd);
}

static void
destname_is_the_one_of_the_set_up(void)
{
	char buf[16], control[128];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	uint32_t name[3];
	struct fake *fake;
	int fd;

	fake = open_established(SOCK_SEQPACKET, &fd);
	data(fake, "x", 0);
	CU_EQ_I64(dptipc_recvmsg(fd, &msg, 0), 1);
	CU_TRUE_FATAL(CMSG_FIRSTHDR(&msg) != NULL);
	CU_EQ_I64(CMSG_FIRSTHDR(&msg)->cmsg_type, TIPC_DESTNAME);
	memcpy(name, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(name));
	CU_EQ_U64(name[0], 1000);
	CU_EQ_U64(name[1], 5);
	CU_EQ_U64(name[2], 5);
	fixture_close(fake, fd);
}

static short
bits(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDNORM | POLLRDHUP};

	return dptipc_poll(&pfd, 1, 0) >= 0 ? pfd.revents : -1;
}

static void
poll_bits_follow_the_state(void)
{
	struct fake *fake;
	int fd;

	fake = open_established(SOCK_SEQPACKET, &fd);
	CU_EQ_I64(bits(fd), POLLOUT);
	data(fake, "x", 0);
	CU_EQ_I64(bits(fd), POLLIN | POLLRDNORM | POLLOUT);
	state_set(fake, DPT_CONN_ESTABLISHED, UINT32_MAX);
	CU_EQ_I64(bits(fd), POLLIN | POLLRDNORM);
	state_set(fake, DPT_CONN_LISTEN, 0);
	CU_EQ_I64(bits(fd), POLLIN | POLLRDNORM);
	state_set(fake, DPT_CONN_OPEN, 0);
	CU_EQ_I64(bits(fd), POLLOUT);
	state_set(fake, DPT_CONN_CONNECTING, 0);
	CU_EQ_I64(bits(fd), POLLIN | POLLRDNORM);
	fixture_close(fake, fd);
}

static void
poll_takes_others_too(void)
{
	struct pollfd pfds[3];
	struct fake *fake;
	int fd, pipes[2];

	fake = open_established(SOCK_SEQPACKET, &fd);
	CU_EQ_I64_FATAL(pipe(pipes), 0);
	pfds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	pfds[1] = (struct pollfd){.fd = pipes[0], .events = POLLIN};
	pfds[2] = (struct pollfd){.fd = -1};
	CU_EQ_I64(dptipc_poll(pfds, 3, 10), 0);
	CU_EQ_I64(dptipc_write(pipes[1], "x", 1), 1);
	CU_EQ_I64(dptipc_poll(pfds, 3, -1), 1);
	CU_EQ_I64(pfds[1].revents, POLLIN);
	data(fake, "x", 0);
	CU_EQ_I64(dptipc_poll(pfds, 3, -1), 2);
	CU_EQ_I64(pfds[0].revents, POLLIN);
	dptipc_close(pipes[0]);
	dptipc_close(pipes[1]);
	fixture_close(fake, fd);
}

/* hazard 26: a copy goes on when the first is closed. */
static void
hazard_09_26_copies_of_a_descriptor(void)
{
	struct fake *fake;
	int fd, copy, other;
	char c;

	fake = open_established(SOCK_SEQPACKET, &fd);
	copy = dptipc_dup(fd);
	other = dptipc_dup2(fd, 100);
	CU_EQ_I64(other, 100);
	CU_EQ_I64(dptipc_close(fd), 0);
	CU_EQ_I64(dptipc_close(other), 0);
	CU_FALSE(fake_is_closed(fake, 0));
	data(fake, "x", 0);
	CU_EQ_I64(dptipc_read(copy, &c, 1), 1);
	FAILS(dptipc_read(fd, &c, 1), EBADF);
	fixture_close(fake, copy);
}

static void *
sleep_in_recv(void *fd)
{
	char c = 0;
	ssize_t got = dptipc_recv(*(int *)fd, &c, 1, 0);

	return (void *)(intptr_t)(got == 1 ? c : -1);
}

/* hazard 3: the sleeper goes on, and leaves the number's next owner alone. */
static void
hazard_09_3_close_while_another_thread_sleeps(void)
{
	pthread_t thread;
	struct fake *fake;
	int fd, pipes[2], copy;
	void *result;
	char c;

	fake = open_established(SOCK_SEQPACKET, &fd);
	CU_EQ_I64_FATAL(pipe(pipes), 0);
	/* A sleeper holds a copy of the descriptor: the lowest number that is free, once the other
	 * side has closed what it had open for the moment. */
	CU_FALSE(fake_has_pending(fake));
	copy = dup(fd);
	close(copy);
	CU_EQ_I64_FATAL(pthread_create(&thread, NULL, sleep_in_recv, &fd), 0);
	while (fcntl(copy, F_GETFD) < 0)
		sched_yield();
	CU_EQ_I64(dptipc_close(fd), 0);
	/* The number is used again. */
	CU_EQ_I64(dup2(pipes[0], fd), fd);
	CU_EQ_I64(write(pipes[1], "p", 1), 1);
	data(fake, "x", 0);
	pthread_join(thread, &result);
	CU_EQ_I64((intptr_t)result, 'x');
	CU_EQ_I64(read(fd, &c, 1), 1);
	CU_EQ_I64(c, 'p');
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	fake_stop(fake);
}

/* hazard 7: the time-out is kept in 16 bits, and no value does harm. */
static void
hazard_09_7_connect_timeout_values(void)
{
	const uint32_t in[] = {0, 1, 3, 65535, 65536, 65537, UINT32_MAX};
	struct fake *fake;
	size_t i;
	int fd;

	fake = fixture_open(SOCK_STREAM, &fd);
	for (i = 0; i < CU_CNT(in); i++) {
		socklen_t len = sizeof(uint32_t);
		uint32_t v = 0;

		CU_EQ_I64(dptipc_setsockopt(fd, SOL_TIPC, TIPC_CONN_TIMEOUT, &in[i], 4), 0);
		CU_EQ_I64(dptipc_getsockopt(fd, SOL_TIPC, TIPC_CONN_TIMEOUT, &v, &len), 0);
		CU_EQ_U64(v, in[i] & 0xffff);
	}
	fixture_close(fake, fd);
}

/* hazard 29: no octet of an address is left as it was. */
static void
hazard_09_29_addresses_are_zeroed(void)
{
	struct sockaddr_tipc peer, zero = {0};
	socklen_t len = sizeof(peer);
	struct fake *fake;
	int fd;
	char c;

	fake = open_established(SOCK_STREAM, &fd);
	memset(&peer, 0xff, sizeof(peer));
	CU_EQ_I64(dptipc_getpeername(fd, (struct sockaddr *)&peer, &len), 0);
	CU_EQ_U64(len, 16);
	zero.family = AF_TIPC;
	zero.addrtype = TIPC_SOCKET_ADDR;
	zero.addr.id.ref = 77;
	zero.addr.id.node = 0x1001002;
	CU_EQ_MEM(&peer, &zero, sizeof(zero));
	memset(&peer, 0xff, sizeof(peer));
	CU_EQ_I64(dptipc_getsockname(fd, (struct sockaddr *)&peer, &len), 0);
	zero.addr.id.ref = fake_sock(fake, 0)->port;
	zero.addr.id.node = 0;
	CU_EQ_MEM(&peer, &zero, sizeof(zero));
	/* Of a message. */
	data(fake, "x", 0);
	memset(&peer, 0xff, sizeof(peer));
	CU_EQ_I64(dptipc_recvfrom(fd, &c, 1, 0, (struct sockaddr *)&peer, &len), 1);
	zero.addr.id.ref = 77;
	zero.addr.id.node = 0x1001002;
	CU_EQ_MEM(&peer, &zero, sizeof(zero));
	fixture_close(fake, fd);
}

/* hazard 27: peeking and reading parts for ever. */
static void
hazard_09_27_peek_and_parts(void)
{
	struct fake *fake;
	char buf[4];
	int fd, i;

	fake = open_established(SOCK_SEQPACKET, &fd);
	data(fake, "abcdef", 0);
	for (i = 0; i < 1000; i++)
		CU_EQ_I64(dptipc_recv(fd, buf, 2, MSG_PEEK | MSG_EOR), 2);
	for (i = 0; i < 3; i++)
		CU_EQ_I64(dptipc_recv(fd, buf, 2, MSG_EOR), 2);
	FAILS(dptipc_recv(fd, buf, 2, MSG_DONTWAIT), EAGAIN);
	fixture_close(fake, fd);
}

static void
peek_and_release_where_they_lie(void)
{
	struct dptipc_msg msgs[4];
	struct fake *fake;
	int fd;

	fake = open_established(SOCK_SEQPACKET, &fd);
	data(fake, "one", 0);
	data(fake, "three", 0);
	CU_EQ_I64(dptipc_recv_peek(fd, msgs, 4, 0), 2);
	CU_EQ_MEM(msgs[1].buf, "three", 5);
	CU_EQ_U64(msgs[1].len, 5);
	CU_EQ_U64(msgs[0].name[0], 1000);
	CU_EQ_I64(dptipc_recv_release(fd, 1), 0);
	CU_EQ_I64(dptipc_recv_peek(fd, msgs, 4, 0), 1);
	CU_EQ_MEM(msgs[0].buf, "three", 5);
	FAILS(dptipc_recv_release(fd, 2), EINVAL);
	FAILS(dptipc_recv_peek(fd, msgs, 4, MSG_DONTWAIT), EAGAIN);
	fixture_close(fake, fd);
}

static void
alloc_commit_and_abort(void)
{
	struct sockaddr_tipc to = addr_service(1000, 1);
	struct fake *fake;
	char *room;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	room = dptipc_send_alloc(fd, 100, 0);
	CU_TRUE_FATAL(room != NULL);
	CU_TRUE(dptipc_send_alloc(fd, 100, 0) == NULL);
	CU_EQ_I64(errno, EBUSY);
	memcpy(room, "hello", 5);
	CU_EQ_I64(dptipc_send_commit(fd, 5, sa(&to), sizeof(to)), 5);
	CU_EQ_U64(fake_sends_cnt(fake), 1);
	CU_EQ_U64(fake_send_get(fake, 0).bytes, 5);
	CU_EQ_MEM(fake_send_get(fake, 0).head, "hello", 5);
	CU_TRUE(dptipc_send_alloc(fd, 100, 0) != NULL);
	CU_EQ_I64(dptipc_send_abort(fd), 0);
	FAILS(dptipc_send_abort(fd), EINVAL);
	CU_EQ_U64(fake_sends_cnt(fake), 1);
	CU_TRUE(dptipc_send_alloc(fd, 66001, 0) == NULL);
	CU_EQ_I64(errno, EMSGSIZE);
	fixture_close(fake, fd);
}

/* A small window needs each receipt; otherwise the worker is left alone for a while. */
static void
receipts_are_told_at_once_when_the_buffer_was_changed(void)
{
	int size = 50000, fd, i, is_set;
	struct dpt_shm_sock *shm;
	struct fake *fake;
	char buf[8];

	for (is_set = 0; is_set <= 1; is_set++) {
		fake = open_established(SOCK_SEQPACKET, &fd);
		shm = fake_sock(fake, 0);
		if (is_set)
			CU_EQ_I64(dptipc_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)),
				  0);
		for (i = 0; i < 5; i++)
			data(fake, "abc", 0);
		for (i = 1; i < 5; i++) {
			CU_EQ_I64(dptipc_recv(fd, buf, sizeof(buf), 0), 3);
			CU_EQ_U64(atomic_load(&shm->rx_msgs), is_set ? i : 0);
		}
		CU_EQ_I64(dptipc_recv(fd, buf, sizeof(buf), 0), 3);
		CU_EQ_U64(atomic_load(&shm->rx_msgs), 5);
		fixture_close(fake, fd);
	}
}

/* TIPC_CONN_TIMEOUT goes along with a SYN, at least 1; data says nothing of it. */
static void
connect_timeout_goes_along_with_a_syn(void)
{
	static const uint32_t rows[][2] = {{8000, 8000}, {0, 1}, {3, 3}, {65535, 65535}};
	struct sockaddr_tipc to = addr_service(1000, 1);
	struct fake *fake;
	uint32_t i;
	int fd;

	fake = fixture_open(SOCK_SEQPACKET, &fd);
	for (i = 0; i < 4; i++) {
		state_set(fake, DPT_CONN_OPEN, 0);
		CU_EQ_I64(dptipc_setsockopt(fd, SOL_TIPC, TIPC_CONN_TIMEOUT, &rows[i][0], 4), 0);
		CU_EQ_I64(dptipc_sendto(fd, "x", 1, MSG_DONTWAIT, sa(&to), sizeof(to)), 1);
		CU_EQ_U64(fake_sends_cnt(fake), i + 1);
		CU_EQ_U64(fake_send_get(fake, i).conn_timeout_ms, rows[i][1]);
	}
	state_set(fake, DPT_CONN_ESTABLISHED, 128);
	CU_EQ_I64(dptipc_send(fd, "x", 1, 0), 1);
	CU_EQ_U64(fake_sends_cnt(fake), 5);
	CU_EQ_U64(fake_send_get(fake, 4).conn_timeout_ms, 0);
	fixture_close(fake, fd);
}

static const struct cu_test tests[] = {
	CU_TEST(receipts_are_told_at_once_when_the_buffer_was_changed),
	CU_TEST(connect_timeout_goes_along_with_a_syn),
	CU_TEST(send_checks_the_state),
	CU_TEST(credit_is_spent_in_blocks),
	CU_TEST(stream_sends_in_pieces_and_a_part),
	CU_TEST(stream_merges_and_keeps_the_rest),
	CU_TEST(end_behind_data_is_zero),
	CU_TEST(reset_stays_until_it_is_read_with_a_control_buffer),
	CU_TEST(destname_is_the_one_of_the_set_up),
	CU_TEST(poll_bits_follow_the_state),
	CU_TEST(poll_takes_others_too),
	CU_TEST(hazard_09_26_copies_of_a_descriptor),
	CU_TEST(hazard_09_3_close_while_another_thread_sleeps),
	CU_TEST(hazard_09_7_connect_timeout_values),
	CU_TEST(hazard_09_29_addresses_are_zeroed),
	CU_TEST(hazard_09_27_peek_and_parts),
	CU_TEST(peek_and_release_where_they_lie),
	CU_TEST(alloc_commit_and_abort),
};

const struct cu_suite suite_conn = CU_TEST_SUITE("conn", tests);
