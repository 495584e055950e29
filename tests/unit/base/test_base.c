/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of lib/base. */
#include "base_suites.h"

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {base_flight_suite, base_num_suite, base_timer_suite,
					  base_trace_suite};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
