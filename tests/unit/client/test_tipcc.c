/* SPDX-License-Identifier: BSD-3-Clause */

/* libtipc's interface: 12-libtipc-and-bindings.md. */

#include "client_fixture.h"

#include "tipcc.h"

static void
text_forms(void)
{
	struct tipc_addr service = {18888, 17, 0x1001002}, sock = {0, 37183221, 0x1001003};
	char text[64];

	CU_EQ_I64(strcmp(tipc_ntoa(&service, text, sizeof(text)), "18888:17@1001002"), 0);
	CU_EQ_I64(strcmp(tipc_ntoa(&sock, text, sizeof(text)), "0:0037183221@1001003"), 0);
	CU_EQ_I64(strcmp(tipc_rtoa(18888, 17, 20, 0, text, sizeof(text)), "18888:17:20@0"), 0);
}

static void
hazard_12_1_text_buffers_of_any_size(void)
{
	struct tipc_addr a = {18888, 17, 0};
	char text[8] = "zzzzzzz";

	CU_TRUE(tipc_ntoa(&a, NULL, 10) == NULL);
	tipc_ntoa(&a, text, 0);
	CU_EQ_I64(text[0], 'z');
	tipc_ntoa(&a, text, 1);
	CU_EQ_I64(text[0], '\0');
	tipc_rtoa(1, 2, 3, 4, text, 4);
	CU_EQ_I64(strcmp(text, "1:2"), 0);
	CU_EQ_I64(text[4], 'z');
	tipc_linkname(text, 0, 1, 1);
	CU_TRUE(tipc_linkname(NULL, 5, 1, 1) == NULL);
}

static void
hazard_12_2_returned_data_longer_than_the_buffer_or_missing(void)
{
	struct fake_msg msg = {.port = 9, .node = 2, .type = 3, .errcode = 2, .payload = "abcdef"};
	struct tipc_addr from, member = {1, 1, 1};
	struct fake *fake;
	char buf[4];
	int fd, err;

	fake = fixture_open(SOCK_RDM, &fd);
	msg.bytes = 6;
	CU_TRUE(fake_deliver(fake, 0, &msg));
	CU_EQ_I64(tipc_recvfrom(fd, buf, sizeof(buf), &from, &member, &err), 4);
	CU_EQ_I64(err, 2);
	CU_EQ_MEM(buf, "abcd", 4);
	CU_EQ_U64(member.type, 0);
	/* The own address, not the refuser's. */
	CU_EQ_U64(from.instance, fake_sock(fake, 0)->port);
	msg.bytes = 0;
	CU_TRUE(fake_deliver(fake, 0, &msg));
	CU_EQ_I64(tipc_recvfrom(fd, buf, sizeof(buf), NULL, NULL, &err), 0);
	CU_EQ_I64(err, 2);
	fixture_close(fake, fd);
}

static void
hazard_12_4_own_node_is_asked_for_again(void)
{
	struct fake *fake, *next;
	const char *name;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_U64(tipc_own_node(), 0);
	fake_own_node_set(fake, 0x1001001);
	CU_EQ_U64(tipc_own_node(), 0x1001001);
	fixture_close(fake, fd);
	name = fixture_name();
	next = fake_start(name, NULL);
	CU_EQ_I64_FATAL(dptipc_attach(name), 0);
	fd = tipc_socket(SOCK_RDM);
	CU_TRUE_FATAL(fd >= 0);
	fake_own_node_set(next, 0x1001002);
	CU_EQ_U64(tipc_own_node(), 0x1001002);
	fixture_close(next, fd);
}

static void
hazard_12_7_words_with_the_top_bit(void)
{
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	CU_EQ_I64(tipc_bind(fd, 0xffffffff, 0x80000000, 0xffffffff, 2), 0);
	CU_EQ_U64(fake_request_last(fake).arg[3], 0xffffffff);
	CU_EQ_I64(tipc_bind(fd, 1000, 1, 1, 0x80000001), 0);
	CU_EQ_U64(fake_request_last(fake).arg[4], TIPC_CLUSTER_SCOPE);
	CU_EQ_I64(tipc_bind(fd, 1000, 1, 1, 3), 0);
	CU_EQ_U64(fake_request_last(fake).arg[4], TIPC_NODE_SCOPE);
	fixture_close(fake, fd);
}

static void
null_destinations_are_refused(void)
{
	struct fake *fake;
	int fd;

	fake = fixture_open(SOCK_RDM, &fd);
	FAILS(tipc_sendto(fd, "x", 1, NULL), EINVAL);
	FAILS(tipc_mcast(fd, "x", 1, NULL), EINVAL);
	FAILS(tipc_connect(fd, NULL), EINVAL);
	FAILS(tipc_join(fd, NULL, true, true), EINVAL);
	CU_EQ_I64(tipc_sock_non_block(fd), fd);
	CU_EQ_I64(tipc_sock_rejectable(fd), 0);
	CU_EQ_I64(tipc_sock_importance(fd, 3), 0);
	CU_FALSE(tipc_srv_wait(NULL, 0));
	fixture_close(fake, fd);
}

static const struct cu_test tests[] = {
	CU_TEST(text_forms),
	CU_TEST(hazard_12_1_text_buffers_of_any_size),
	CU_TEST(hazard_12_2_returned_data_longer_than_the_buffer_or_missing),
	CU_TEST(hazard_12_4_own_node_is_asked_for_again),
	CU_TEST(hazard_12_7_words_with_the_top_bit),
	CU_TEST(null_destinations_are_refused),
};

const struct cu_suite suite_tipcc = CU_TEST_SUITE("tipcc", tests);
