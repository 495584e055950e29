/* SPDX-License-Identifier: BSD-3-Clause */
/* All tests of lib/link in one program: the EAL starts once. */
#include "link_rig.h"

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {
		frag_suite,  fsm_suite,	  proto_suite,	ack_suite,    rx_suite,
		tx_suite,    timer_suite, bundle_suite, tunnel_suite, failover_suite,
		synch_suite, props_suite, guard_suite,	repair_suite, link_stats_suite,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
