/* SPDX-License-Identifier: BSD-3-Clause */
/* Unit tests of lib/netlink. */
#include "netlink_suites.h"

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {
		golden_requests_suite, golden_answers_suite, recorded_suite,
		framing_suite,	       error_suite,	     attr_suite,
		check_bearer_suite,    check_node_suite,     put_suite,
		hazards_suite,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
