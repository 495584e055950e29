/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of dptipcd: what is accepted, and what is said about the rest. */
#include <string.h>

#include "args.h"
#include "cu.h"
#include "eal_args.h"

/* Split a line at its spaces and parse it. */
static int
parse(const char *line, struct args *args, char error[ARGS_ERROR_BYTES])
{
	char text[512], *argv[32], *save = NULL;
	int argc = 0;

	strcpy(text, line);
	for (char *word = strtok_r(text, " ", &save); word != NULL && argc < 32;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	error[0] = '\0';
	return args_parse(args, argc, argv, error);
}

static void
nothing_given_is_one_node_alone(void)
{
	struct args args;
	char error[ARGS_ERROR_BYTES];

	CU_EQ_I64(parse("", &args, error), 0);
	CU_EQ_STR(args.name, "default");
	CU_EQ_U64(args.net_id, 4711);
	CU_EQ_U64(args.bearers_cnt, 0);
	CU_EQ_U64(args.idle, ARGS_IDLE_ADAPTIVE);
	CU_TRUE(dpt_node_id_is_zero(&args.node_id));
}

static void
every_value_arrives(void)
{
	struct args args;
	char error[ARGS_ERROR_BYTES];

	CU_EQ_I64(parse("--startup-file /etc/x --name n1 --net-id=7 --node-addr 1.1.10 --idle poll "
			"--socket-mode 600 "
			"--allow-uid 12 --allow-uid 13 --allow-gid 14 --tolerance 300",
			&args, error),
		  0);
	CU_EQ_STR(args.name, "n1");
	CU_EQ_STR(args.startup_file, "/etc/x");
	CU_EQ_U64(args.net_id, 7);
	CU_EQ_U64(args.node_addr.value, 0x0100100a);
	CU_EQ_U64(args.idle, ARGS_IDLE_POLL);
	CU_EQ_U64(args.socket_mode, 0600);
	CU_EQ_U64(args.allow_uids_cnt, 2);
	CU_EQ_U64(args.allow_uids[1], 13);
	CU_EQ_U64(args.allow_gids[0], 14);
	CU_EQ_U64(args.tolerance_ms, 300);
}

static void
bearer_has_its_own_numbers_else_the_general_ones(void)
{
	struct args args;
	char error[ARGS_ERROR_BYTES];

	CU_EQ_I64(parse("--bearer unix:w1,tolerance=5,priority=12,mtu=576,domain=1.1.0 "
			"--bearer eth:net_tap0 --tolerance 900",
			&args, error),
		  0);
	CU_EQ_U64(args.bearers_cnt, 2);
	CU_EQ_STR(args.bearers[0].name, "unix:w1");
	CU_EQ_U64(args.bearers[0].tolerance_ms, 5);
	CU_EQ_U64(args.bearers[0].mtu_bytes, 576);
	CU_EQ_U64(args.bearers[0].domain, 0x01001000);
	CU_EQ_U64(args.bearers[1].domain, 0);
	CU_EQ_U64(args.bearers[1].mtu_bytes, 0);
	CU_EQ_U64(args.bearers[0].priority, 12);
	CU_EQ_U64(args.bearers[1].tolerance_ms, 900);
	CU_EQ_U64(args.bearers[1].priority, 10);
}

static void
wrong_option_is_told_with_what_is_expected(void)
{
	static const struct {
		const char *line;
		const char *error;
	} cases[] = {
		{"--tolerance 4", "--tolerance: 4: expected 5 to 30000 (ms)"},
		{"--tolerance 2x", "--tolerance: 2x: expected 5 to 30000 (ms)"},
		{"--tolerance -5", "--tolerance: -5: expected 5 to 30000 (ms)"},
		{"--bearer unix:w,tolerance=4",
		 "--bearer unix:w,tolerance=4: 4: expected 5 to 30000 (ms)"},
		{"--bearer unix:w,mtu=575", "mtu=575: 575: expected 576 to 65535 (octets)"},
		{"--mtu 0", "--mtu: 0: expected 576 to 65535 (octets)"},
		{"--bearer unix:w --bearer unix:w,priority=9", "another device for each bearer"},
		{"--bearer unix:w,colour=1", "window=PACKETS, mtu=OCTETS or domain=Z.C.N"},
		{"--bearer unix:w,domain=1.2", "unix:w,domain=1.2: 1.2: expected Z.C.N"},
		{"--bearer unix:w,domain=", "expected Z.C.N"},
		{"--startup-file ", "--startup-file: nothing behind it"},
		{"--bearer unix", "expected MEDIA:DEVICE"},
		{"--bearer unix:", "expected MEDIA:DEVICE"},
		{"--bearer u:1 --bearer u:2 --bearer u:3 --bearer u:4", "at most 3 bearers"},
		{"--net-id 0", "--net-id: 0: expected 1 to 9999"},
		{"--net-id", "--net-id: nothing behind it"},
		{"--idle never", "--idle: never: expected one of poll|adaptive"},
		{"--node-addr 1.2", "expected Z.C.N"},
		{"--node-addr 0", "expected Z.C.N"},
		{"--node-id /", "expected up to 16 of"},
		{"--socket-mode 9", "--socket-mode: 9: expected 0 to 777 (octal)"},
		{"--rx-log-kib 300", "a power of two"},
		{"--region-sockets 65536 --rx-log-kib 2048", "at most 64 GiB"},
		{"--allow-uid nobody-of-that-name", "name or number of a user"},
		{"--help=1", "--help: 1: expected no value"},
		{"--frobnicate", "--frobnicate: no such option"},
		{"-l", "-l: no such option"},
	};

	for (size_t i = 0; i < CU_CNT(cases); i++) {
		struct args args;
		char error[ARGS_ERROR_BYTES];

		cu_context("%s", cases[i].line);
		CU_TRUE(parse(cases[i].line, &args, error) < 0);
		if (strstr(error, cases[i].error) == NULL)
			CU_EQ_STR(error, cases[i].error);
	}
}

/* Is this among EAL's arguments? */
static bool
has(const struct eal_args *eal, const char *arg)
{
	for (int i = 0; i < eal->argc; i++)
		if (strcmp(eal->argv[i], arg) == 0)
			return true;
	return false;
}

static void
eal_gets_what_a_lone_node_needs(void)
{
	static struct eal_args eal;
	struct args args;
	char error[ARGS_ERROR_BYTES];

	CU_EQ_I64(parse("--name n1", &args, error), 0);
	/* More than any machine has free in hugepages. */
	CU_EQ_I64(eal_args_build(&eal, &args, 0, NULL, UINT32_MAX), 0);
	CU_TRUE(has(&eal, "--no-huge"));
	CU_TRUE(has(&eal, "--no-pci"));
	CU_TRUE(has(&eal, "--no-telemetry"));
	CU_TRUE(has(&eal, "--file-prefix=dptipc-n1"));
	CU_FALSE(eal.has_lcores);
}

static void
eal_keeps_what_the_user_said(void)
{
	static struct eal_args eal;
	char *argv[] = {(char *)"-l", (char *)"2,3", (char *)"--file-prefix=x", (char *)"-m",
			(char *)"512"};
	struct args args;
	char error[ARGS_ERROR_BYTES];

	CU_EQ_I64(parse("--bearer eth:0000:01:00.0", &args, error), 0);
	CU_EQ_I64(eal_args_build(&eal, &args, 5, argv, UINT32_MAX), 0);
	CU_TRUE(eal.has_lcores);
	CU_TRUE(has(&eal, "2,3"));
	CU_TRUE(has(&eal, "--file-prefix=x"));
	CU_FALSE(has(&eal, "--file-prefix=dptipc-default"));
	CU_TRUE(has(&eal, "--allow=0000:01:00.0"));
	CU_FALSE(has(&eal, "--no-pci"));
}

static const struct cu_test tests[] = {
	CU_TEST(nothing_given_is_one_node_alone),
	CU_TEST(every_value_arrives),
	CU_TEST(bearer_has_its_own_numbers_else_the_general_ones),
	CU_TEST(wrong_option_is_told_with_what_is_expected),
	CU_TEST(eal_gets_what_a_lone_node_needs),
	CU_TEST(eal_keeps_what_the_user_said),
};

int
main(int argc, char **argv)
{
	return cu_main(argc, argv, "args", tests, CU_CNT(tests));
}
