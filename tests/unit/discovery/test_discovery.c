/* SPDX-License-Identifier: BSD-3-Clause */
#include "disc_fx.h"

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {
		disc_suite_schedule, disc_suite_trial,	disc_suite_peers,
		disc_suite_hazards,  disc_suite_replay, disc_suite_self,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
