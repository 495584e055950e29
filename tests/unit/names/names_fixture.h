/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NAMES_FIXTURE_H
#define NAMES_FIXTURE_H

/* What the tests of the name table share: addresses, a table, short forms of its calls. */

#include <stdlib.h>

#include "cu.h"
#include "dpt_name_distr.h"
#include "dpt_names.h"
#include "test_pool.h"

#define OWN    0x01001001u
#define PEER_B 0x01001002u
#define PEER_C 0x01001003u

struct names_fixture {
	struct dpt_rng rng;
	struct dpt_names_counters counters;
	struct dpt_names_cfg cfg;
	struct dpt_names *names;
};

/* A table of bindings_max bindings; own address set unless own is 0. */
void names_setup(struct names_fixture *f, uint32_t bindings_max, uint32_t own, bool is_legacy);
/* Checks that no buffer has leaked. */
void names_teardown(struct names_fixture *f);

struct dpt_binding
names_binding(uint32_t type, uint32_t lower, uint32_t upper, uint32_t port, uint32_t node);
/* Insert cluster-scope binding with key = port + 1; returns what dpt_names_insert does. */
int names_add(struct names_fixture *f, uint32_t type, uint32_t lower, uint32_t upper, uint32_t port,
	      uint32_t node);
int names_del(struct names_fixture *f, uint32_t type, uint32_t lower, uint32_t upper, uint32_t port,
	      uint32_t node);
/* Port that the lookup gives; 0: not found. */
uint32_t names_pick(struct names_fixture *f, uint32_t type, uint32_t instance, uint32_t domain);

extern const struct cu_suite names_table_suite;
extern const struct cu_suite names_lookup_suite;
extern const struct cu_suite names_model_suite;
extern const struct cu_suite names_apply_suite;
extern const struct cu_suite distr_tx_suite;
extern const struct cu_suite distr_rx_suite;

#endif /* NAMES_FIXTURE_H */
