/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of lib/wire. */
#include "wire_suites.h"

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {
		wire_buf_suite,	    wire_bundle_suite,	wire_check_suite,
		wire_config_suite,  wire_env_suite,	wire_example_suite,
		wire_records_suite, wire_reverse_suite, wire_capture_suite,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
