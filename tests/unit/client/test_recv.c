/* SPDX-License-Identifier: BSD-3-Clause */

/* Receiving: parts, ancillary data, and a descriptor that is readable when it should be. */

#include "client_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static uint8_t big[DPT_PAYLOAD_BYTES_MAX];

static void
give(struct fake *fake, const char *text)
{
	struct fake_msg msg = {.port = 0x77,
			       .node = 0x1001002,
			       .type = 3,
			       .payload = text,
			       .bytes = (uint32_t)strlen(text)};

	CU_TRUE_FATAL(fake_deliver(fake, 0, &msg));
}

/* Receive into buf of len octets with flags: result, msg_flags, contents. */
static void
gets(int fd, size_t len, int flags, const char *text, int msg_flags)
{
	char buf[100] = "";
	struct iovec iov = {buf, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	CU_EQ_I64(dptipc_recvmsg(fd, &msg, flags), strlen(text));
	CU_EQ_STR(buf, text);
	CU_EQ_U64(msg.msg_flags, msg_flags);
}

static void
checks_in_order(void)
{
	struct fake *fake;
	char c;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	FAILS(dptipc_recv(fd, &c, 0, 0), EINVAL);
	FAILS(dptipc_recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN);
	give(fake, "x");
	FAILS(dptipc_recv(fd, &c, 0, 0), EINVAL);
	CU_EQ_I64(dptipc_recv(fd, &c, 1, MSG_DONTWAIT), 1);
	FAILS(dptipc_recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN);
	fixture_close(fake, fd);
}

static void
message_and_its_sender(void)
{
	struct sockaddr_tipc from, want = addr_socket(0x77, 0x1001002);
	socklen_t len = sizeof(from);
	struct fake *fake;
	char buf[64];
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	give(fake, "hello");
	memset(&from, 0xff, sizeof(from));
	CU_EQ_I64(dptipc_recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	CU_EQ_MEM(buf, "hello", 5);
	CU_EQ_U64(len, 16);
	CU_EQ_MEM(&from, &want, 16);
	give(fake, "short");
	memset(&from, 0xff, sizeof(from));
	len = 6;
	CU_EQ_I64(dptipc_recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	CU_EQ_U64(len, 16);
	CU_EQ_MEM(&from, &want, 6);
	CU_EQ_U64(from.addr.id.node, 0xffffffff);
	fixture_close(fake, fd);
}

static void
largest_message_scatters(void)
{
	static uint8_t buf[DPT_PAYLOAD_BYTES_MAX];
	struct iovec iov[3] = {{buf, 1}, {buf + 1, 30000}, {buf + 30001, 40000}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3};
	struct fake_msg m = {.port = 1, .type = 3, .payload = big, .bytes = sizeof(big)};
	struct fake *fake;
	size_t i;
	int fd, n;

	fake = fixture_open(SOCK_RDM, &fd);
	for (i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 256);
	/* Several laps of the log. */
	for (n = 0; n < 20; n++) {
		CU_TRUE_FATAL(fake_deliver(fake, 0, &m));
		CU_TRUE_FATAL(fake_deliver(fake, 0, &m));
		memset(buf, 0, sizeof(buf));
		CU_EQ_I64(dptipc_recvmsg(fd, &msg, 0), 66000);
		CU_EQ_MEM_FATAL(buf, big, sizeof(big));
		CU_EQ_I64(dptipc_recvmsg(fd, &msg, 0), 66000);
	}
	fixture_close(fake, fd);
}

/* The table of 16.2. */
static void
short_buffers_and_parts(void)
{
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	give(fake, "abcdef");
	gets(fd, 10, MSG_EOR, "abcdef", MSG_EOR);
	give(fake, "abcdef");
	gets(fd, 6, 0, "abcdef", 0);
	give(fake, "abcdef");
	give(fake, "next");
	gets(fd, 4, 0, "abcd", MSG_TRUNC);
	gets(fd, 10, 0, "next", 0);
	give(fake, "abcdef");
	give(fake, "next");
	gets(fd, 4, MSG_EOR, "abcd", 0);
	gets(fd, 4, MSG_EOR, "ef", MSG_EOR);
	gets(fd, 10, 0, "next", 0);
	/* After a part, a call without MSG_EOR finishes the message. */
	give(fake, "abcdef");
	give(fake, "next");
	gets(fd, 2, MSG_EOR, "ab", 0);
	gets(fd, 2, 0, "cd", MSG_TRUNC);
	gets(fd, 10, MSG_EOR, "next", MSG_EOR);
	/* The true length is not told. */
	give(fake, "abcdef");
	gets(fd, 3, MSG_TRUNC, "abc", MSG_TRUNC);
	fixture_close(fake, fd);
}

static void
peek_takes_nothing(void)
{
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	give(fake, "abcdef");
	gets(fd, 10, MSG_PEEK, "abcdef", 0);
	gets(fd, 3, MSG_PEEK, "abc", MSG_TRUNC);
	CU_TRUE(is_readable(fd));
	gets(fd, 2, MSG_EOR, "ab", 0);
	/* Not even the position within the message. */
	gets(fd, 10, MSG_PEEK, "cdef", 0);
	gets(fd, 2, MSG_PEEK | MSG_EOR, "cd", 0);
	gets(fd, 10, 0, "cdef", 0);
	CU_FALSE(is_readable(fd));
	fixture_close(fake, fd);
}

static void
empty_messages_are_skipped(void)
{
	struct fake *fake;
	char c;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	give(fake, "");
	CU_TRUE(is_readable(fd));
	FAILS(dptipc_recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN);
	CU_FALSE(is_readable(fd));
	give(fake, "");
	give(fake, "");
	give(fake, "x");
	gets(fd, 10, 0, "x", 0);
	CU_EQ_U64(fake_sock(fake, 0)->rx_msgs, 4);
	fixture_close(fake, fd);
}

/* Control data of one receive. */
static struct cmsghdr *
controls(int fd, void *control, size_t len, struct msghdr *msg, struct iovec *iov)
{
	memset(msg, 0, sizeof(*msg));
	memset(control, 0xee, len);
	msg->msg_iov = iov;
	msg->msg_iovlen = 1;
	msg->msg_control = control;
	msg->msg_controllen = len;
	CU_TRUE(dptipc_recvmsg(fd, msg, 0) >= 0);
	return CMSG_FIRSTHDR(msg);
}

static void
ancillary_data_names_the_destination(void)
{
	struct fake_msg named = {
		.type = 2, .has_name = true, .name = {1000, 5, 5}, .payload = "x", .bytes = 1};
	char buf[10], control[200] __attribute__((aligned(8)));
	struct iovec iov = {buf, sizeof(buf)};
	struct cmsghdr *cmsg;
	struct msghdr msg;
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_TRUE(fake_deliver(fake, 0, &named));
	cmsg = controls(fd, control, sizeof(control), &msg, &iov);
	CU_TRUE_FATAL(cmsg != NULL);
	CU_EQ_I64(cmsg->cmsg_level, SOL_TIPC);
	CU_EQ_I64(cmsg->cmsg_type, TIPC_DESTNAME);
	CU_EQ_U64(cmsg->cmsg_len, CMSG_LEN(12));
	CU_EQ_MEM(CMSG_DATA(cmsg), named.name, 12);
	CU_TRUE(CMSG_NXTHDR(&msg, cmsg) == NULL);
	CU_EQ_U64(msg.msg_controllen, CMSG_SPACE(12));
	/* DIRECT: none. */
	give(fake, "x");
	CU_TRUE(controls(fd, control, sizeof(control), &msg, &iov) == NULL);
	CU_EQ_U64(msg.msg_controllen, 0);
	CU_EQ_U64(msg.msg_flags, 0);
	fixture_close(fake, fd);
}

static void
returned_message_is_error_info_and_its_data(void)
{
	struct fake_msg back = {.type = 2,
				.has_name = true,
				.name = {1000, 5, 5},
				.errcode = 1,
				.payload = "returned",
				.bytes = 8};
	char buf[10] = "untouched", control[200] __attribute__((aligned(8)));
	struct iovec iov = {buf, sizeof(buf)};
	const uint32_t errinfo[2] = {1, 8};
	struct cmsghdr *cmsg;
	struct msghdr msg;
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_TRUE(fake_deliver(fake, 0, &back));
	cmsg = controls(fd, control, sizeof(control), &msg, &iov);
	CU_TRUE_FATAL(cmsg != NULL);
	CU_EQ_I64(cmsg->cmsg_type, TIPC_ERRINFO);
	CU_EQ_MEM(CMSG_DATA(cmsg), errinfo, 8);
	cmsg = CMSG_NXTHDR(&msg, cmsg);
	CU_TRUE_FATAL(cmsg != NULL);
	CU_EQ_I64(cmsg->cmsg_type, TIPC_RETDATA);
	CU_EQ_U64(cmsg->cmsg_len, CMSG_LEN(8));
	CU_EQ_MEM(CMSG_DATA(cmsg), "returned", 8);
	cmsg = CMSG_NXTHDR(&msg, cmsg);
	CU_TRUE_FATAL(cmsg != NULL);
	CU_EQ_I64(cmsg->cmsg_type, TIPC_DESTNAME);
	CU_EQ_STR(buf, "untouched");
	/* Without data: ERRINFO only. */
	back.bytes = 0;
	CU_TRUE(fake_deliver(fake, 0, &back));
	cmsg = controls(fd, control, sizeof(control), &msg, &iov);
	CU_TRUE_FATAL(cmsg != NULL);
	CU_EQ_I64(cmsg->cmsg_type, TIPC_ERRINFO);
	CU_TRUE(CMSG_NXTHDR(&msg, cmsg) == NULL);
	/* Without a control buffer: 0, and it is gone. */
	back.bytes = 8;
	CU_TRUE(fake_deliver(fake, 0, &back));
	give(fake, "after");
	CU_EQ_I64(dptipc_recv(fd, buf, sizeof(buf), 0), 0);
	gets(fd, 10, 0, "after", 0);
	fixture_close(fake, fd);
}

/* hazard 1: control buffers of any size. */
static void
hazard_09_1_control_buffers(void)
{
	struct fake_msg back = {.type = 2,
				.has_name = true,
				.name = {1000, 5, 5},
				.errcode = 2,
				.payload = "returned",
				.bytes = 8};
	const size_t all = CMSG_SPACE(8) + CMSG_SPACE(8) + CMSG_SPACE(12);
	char buf[10], control[200] __attribute__((aligned(8)));
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg;
	struct fake *fake;
	size_t len;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	memset(control, 0xee, sizeof(control));
	for (len = 1; len <= all + 8; len++) {
		cu_context("control buffer of %zu octets", len);
		CU_TRUE(fake_deliver(fake, 0, &back));
		controls(fd, control, len, &msg, &iov);
		CU_TRUE(msg.msg_controllen <= len);
		CU_EQ_U64((uint8_t)control[len], 0xee);
		CU_EQ_U64(!(msg.msg_flags & MSG_CTRUNC),
			  len >= CMSG_SPACE(8) + CMSG_SPACE(8) + CMSG_LEN(12));
	}
	fixture_close(fake, fd);
}

/* Readable exactly while there are unread messages; poll(2) and the calls agree. */
static void
descriptor_is_readable_iff_messages_are_unread(void)
{
	struct fake *fake;
	int fd, i, n;

	fake = fixture_open(SOCK_RDM, &fd);
	for (n = 1; n < 50; n++) {
		CU_FALSE(is_readable(fd));
		for (i = 0; i < n; i++)
			give(fake, "m");
		for (i = 0; i < n; i++) {
			CU_TRUE(is_readable(fd));
			gets(fd, 10, 0, "m", 0);
		}
		CU_FALSE(is_readable(fd));
		FAILS(dptipc_recv(fd, &i, 1, MSG_DONTWAIT), EAGAIN);
		CU_FALSE(is_readable(fd));
	}
	fixture_close(fake, fd);
}

/* A reader that keeps up is never signalled, and reads no byte. */
static void
reader_that_keeps_up_makes_no_system_call(void)
{
	struct fake_msg msg = {.port = 1, .type = 3, .payload = "m", .bytes = 1};
	struct fake *fake;
	int fd, i;

	fake = fixture_open(SOCK_RDM, &fd);
	for (i = 0; i < 100; i++) {
		CU_TRUE_FATAL(fake_deliver_quietly(fake, 0, &msg));
		gets(fd, 10, 0, "m", 0);
	}
	CU_EQ_U64(fake_sock(fake, 0)->is_signalled, 0);
	CU_EQ_U64(fake_sock(fake, 0)->rx_msgs, 100);
	CU_EQ_U64(fake_sock(fake, 0)->rx_consumed, 100);
	fixture_close(fake, fd);
}

/*
 * The byte is announced, not yet written, and meanwhile taken back, since all was read: the
 * reader does not wait for it.
 */
static void
announced_byte_that_is_taken_back_is_not_waited_for(void)
{
	struct fake_msg msg = {.port = 1, .type = 3, .payload = "m", .bytes = 1};
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	atomic_store(&fake_sock(fake, 0)->is_signalled, 1);
	CU_TRUE(fake_deliver_quietly(fake, 0, &msg));
	gets(fd, 10, 0, "m", 0);
	CU_FALSE(is_readable(fd));
	atomic_store(&fake_sock(fake, 0)->is_signalled, 0);
	give(fake, "next");
	CU_TRUE(is_readable(fd));
	gets(fd, 10, 0, "next", 0);
	CU_FALSE(is_readable(fd));
	fixture_close(fake, fd);
}

static void
receipts_are_published_while_reading(void)
{
	struct fake_msg msg = {.port = 1, .type = 3, .payload = big, .bytes = 1000};
	static char buf[1000];
	uint32_t i, n = 0;
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	while (fake_deliver_quietly(fake, 0, &msg))
		n++;
	for (i = 0; i < n; i++) {
		CU_EQ_I64_FATAL(dptipc_recv(fd, buf, sizeof(buf), 0), 1000);
		/* Never more than was read, at most a quarter of the log behind. */
		CU_TRUE(fake_sock(fake, 0)->rx_msgs <= i + 1);
		CU_TRUE(i + 1 - fake_sock(fake, 0)->rx_msgs <= n / 4 + 1);
	}
	CU_EQ_U64(fake_sock(fake, 0)->rx_msgs, n);
	fixture_close(fake, fd);
}

static void
time_limit_is_kept(void)
{
	struct timeval tv = {.tv_usec = 2000};
	struct fake *fake;
	char c;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_I64(dptipc_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	FAILS(dptipc_recv(fd, &c, 1, 0), EAGAIN);
	fixture_close(fake, fd);
}

static void
non_blocking_by_either_fcntl(void)
{
	struct fake *fake;
	char c;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_I64(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	FAILS(dptipc_recv(fd, &c, 1, 0), EAGAIN);
	CU_EQ_I64(dptipc_fcntl(fd, F_SETFL, 0), 0);
	CU_EQ_I64(dptipc_fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	CU_EQ_I64(dptipc_fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	FAILS(dptipc_recv(fd, &c, 1, 0), EAGAIN);
	fixture_close(fake, fd);
}

static void
on_signal(int number)
{
	(void)number;
}

struct reader {
	int fd;
	ssize_t rc;
	int error;
	char buf[64];
	_Atomic bool has_begun, is_done;
};

static void *
reader_run(void *arg)
{
	struct reader *r = arg;

	r->has_begun = true;
	r->rc = dptipc_recv(r->fd, r->buf, sizeof(r->buf), 0);
	r->error = errno;
	r->is_done = true;
	return NULL;
}

static void
sleeping_reader_is_woken_by_a_message(void)
{
	struct reader r = {0};
	uint32_t zero = 0;
	pthread_t thread;
	struct fake *fake;
	int round;

	fake = fixture_open(SOCK_RDM, &r.fd);
	CU_EQ_I64(dptipc_setsockopt(r.fd, SOL_DPTIPC, DPTIPC_BUSY_POLL_US, &zero, 4), 0);
	for (round = 0; round < 200; round++) {
		CU_EQ_I64_FATAL(pthread_create(&thread, NULL, reader_run, &r), 0);
		give(fake, "wake up");
		CU_EQ_I64_FATAL(pthread_join(thread, NULL), 0);
		CU_EQ_I64(r.rc, 7);
		CU_FALSE(is_readable(r.fd));
	}
	fixture_close(fake, r.fd);
}

static void
signal_handler_interrupts(void)
{
	struct sigaction sa_ = {.sa_handler = on_signal};
	struct reader r = {0};
	pthread_t thread;
	struct fake *fake;

	sigaction(SIGUSR1, &sa_, NULL);
	fake = fixture_open(SOCK_RDM, &r.fd);
	CU_EQ_I64_FATAL(pthread_create(&thread, NULL, reader_run, &r), 0);
	/* One that comes before it sleeps changes nothing: so until it is done. */
	while (!r.is_done) {
		pthread_kill(thread, SIGUSR1);
		sched_yield();
	}
	CU_EQ_I64_FATAL(pthread_join(thread, NULL), 0);
	CU_EQ_I64(r.rc, -1);
	CU_EQ_I64(r.error, EINTR);
	fixture_close(fake, r.fd);
}

/* 17.2 */
static void
shutdown_skips_what_was_returned_and_ends_blocking(void)
{
	struct sockaddr_tipc a = addr_service(1000, 1);
	struct pollfd pfd = {.events = POLLIN | POLLRDHUP};
	struct reader r = {0};
	pthread_t thread;
	struct fake *fake;
	char c;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	FAILS(dptipc_shutdown(fd, SHUT_RD), EINVAL);
	give(fake, "unread");
	give(fake, "unread too");
	FAILS(dptipc_shutdown(fd, SHUT_RDWR), ENOTCONN);
	CU_EQ_U64(fake_sock(fake, 0)->rx_msgs, 2);
	FAILS(dptipc_recv(fd, &c, 1, MSG_DONTWAIT), EAGAIN);
	FAILS(dptipc_recv(fd, &c, 1, 0), ENOTCONN);
	pfd.fd = fd;
	CU_EQ_I64(poll(&pfd, 1, 0), 1);
	CU_EQ_I64(pfd.revents, POLLIN | POLLRDHUP | POLLHUP);
	/* It still sends and receives. */
	CU_EQ_I64(dptipc_sendto(fd, "x", 1, 0, sa(&a), sizeof(a)), 1);
	give(fake, "later");
	gets(fd, 10, 0, "later", 0);
	CU_EQ_I64(dptipc_close(fd), 0);
	/* A sleeping receiver is told. */
	r.fd = dptipc_socket(AF_TIPC, SOCK_RDM, 0);
	CU_TRUE_FATAL(r.fd >= 0);
	CU_EQ_I64_FATAL(pthread_create(&thread, NULL, reader_run, &r), 0);
	FAILS(dptipc_shutdown(r.fd, SHUT_RDWR), ENOTCONN);
	CU_EQ_I64_FATAL(pthread_join(thread, NULL), 0);
	CU_EQ_I64(r.error, ENOTCONN);
	fixture_close(fake, r.fd);
}

/* A dptipcd gone mad: what lies in the log is no record, or none of DATA. */
static void
broken_log_is_an_error_not_a_crash(void)
{
	struct fake_msg msg = {.port = 1, .type = 3, .payload = "m", .bytes = 1};
	struct dpt_shm_layout layout;
	struct dpt_rec_hdr *hdr;
	struct fake *fake;
	char buf[10];
	int fd, i;

	for (i = 0; i < 4; i++) {
		fake = fixture_open(SOCK_RDM, &fd);
		CU_TRUE(fake_deliver_quietly(fake, 0, &msg));
		hdr = dpt_shm_rx_log_at(fake_region(fake, &layout), &layout, 0);
		if (i == 0)
			hdr->bytes = UINT32_MAX;
		if (i == 1)
			hdr->state = 12345;
		if (i == 2)
			hdr->kind = DPT_REC_SEND;
		if (i == 3)
			hdr->bytes = DPT_REC_DATA_BYTES - 1;
		FAILS(dptipc_recv(fd, buf, sizeof(buf), 0), ENETDOWN);
		fixture_close(fake, fd);
	}
}

static const struct cu_test tests[] = {
	CU_TEST(checks_in_order),
	CU_TEST(message_and_its_sender),
	CU_TEST(largest_message_scatters),
	CU_TEST(short_buffers_and_parts),
	CU_TEST(peek_takes_nothing),
	CU_TEST(empty_messages_are_skipped),
	CU_TEST(ancillary_data_names_the_destination),
	CU_TEST(returned_message_is_error_info_and_its_data),
	CU_TEST(hazard_09_1_control_buffers),
	CU_TEST(descriptor_is_readable_iff_messages_are_unread),
	CU_TEST(reader_that_keeps_up_makes_no_system_call),
	CU_TEST(announced_byte_that_is_taken_back_is_not_waited_for),
	CU_TEST(receipts_are_published_while_reading),
	CU_TEST(time_limit_is_kept),
	CU_TEST(non_blocking_by_either_fcntl),
	CU_TEST(sleeping_reader_is_woken_by_a_message),
	CU_TEST(signal_handler_interrupts),
	CU_TEST(shutdown_skips_what_was_returned_and_ends_blocking),
	CU_TEST(broken_log_is_an_error_not_a_crash),
};

const struct cu_suite suite_recv = CU_TEST_SUITE("recv", tests);
