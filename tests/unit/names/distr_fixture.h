/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DISTR_FIXTURE_H
#define DISTR_FIXTURE_H

/* What the tests of the distribution share. */

#include "names_fixture.h"

#define HOLD_NS UINT64_C(1500000000)
#define CAPS	0x0fff

struct distr_fixture {
	struct dpt_rng rng;
	struct dpt_names_counters counters;
	struct dpt_distr_cfg cfg;
	struct dpt_distr *distr;
	struct dpt_bufq q; /* bulks */
};

void distr_setup(struct distr_fixture *f, uint32_t queue_msgs_max);
void distr_teardown(struct distr_fixture *f);

/* Octets of a message equal those given as hexadecimal text; spaces are ignored. */
void distr_check_octets(struct rte_mbuf *m, const char *hex);

#endif /* DISTR_FIXTURE_H */
