/* SPDX-License-Identifier: BSD-3-Clause */
#include "bcast_fx.h"

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {
		bcast_suite_rcv,     bcast_suite_snd,	 bcast_suite_report,
		bcast_suite_hazards, bcast_suite_replay, bcast_suite_lossy,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
