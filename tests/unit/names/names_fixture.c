/* SPDX-License-Identifier: BSD-3-Clause */
#include "names_fixture.h"

#include "dpt_msg.h"
#include "topo_fixture.h"

void
names_setup(struct names_fixture *f, uint32_t bindings_max, uint32_t own, bool is_legacy)
{
	*f = (struct names_fixture){0};
	dpt_rng_seed(&f->rng, cu_seed());
	f->cfg = (struct dpt_names_cfg){
		.env = {.rng = &f->rng, .pool = test_pool()},
		.bindings_max = bindings_max,
		.peer_bindings_max = bindings_max,
		.peers_max = 16,
		.is_legacy = is_legacy,
		.counters = &f->counters,
	};
	f->names = malloc(dpt_names_size(&f->cfg));
	CU_NOT_NULL_FATAL(f->names);
	dpt_names_init(f->names, &f->cfg);
	if (own != 0)
		dpt_names_own_set(f->names, dpt_node_addr(own));
}

void
names_teardown(struct names_fixture *f)
{
	free(f->names);
	CU_EQ_U64(test_pool_leak_cnt(), 0);
}

struct dpt_binding
names_binding(uint32_t type, uint32_t lower, uint32_t upper, uint32_t port, uint32_t node)
{
	return (struct dpt_binding){
		.range = {.type = type, .lower = lower, .upper = upper},
		.port = {port},
		.node = {node},
		.key = port + 1,
		.scope = DPT_SCOPE_CLUSTER,
	};
}

int
names_add(struct names_fixture *f, uint32_t type, uint32_t lower, uint32_t upper, uint32_t port,
	  uint32_t node)
{
	struct dpt_binding b = names_binding(type, lower, upper, port, node);

	return dpt_names_insert(f->names, &b);
}

int
names_del(struct names_fixture *f, uint32_t type, uint32_t lower, uint32_t upper, uint32_t port,
	  uint32_t node)
{
	struct dpt_binding b = names_binding(type, lower, upper, port, node);

	return dpt_names_remove(f->names, &b);
}

uint32_t
names_pick(struct names_fixture *f, uint32_t type, uint32_t instance, uint32_t domain)
{
	struct dpt_socket_addr addr = {{0}, {0}};
	int rc = dpt_names_lookup(f->names, type, instance, dpt_node_addr(domain), &addr);

	return rc == 0 ? addr.port.ref : 0;
}

int
main(int argc, char **argv)
{
	const struct cu_suite suites[] = {
		names_table_suite, names_lookup_suite, names_model_suite,
		names_apply_suite, distr_tx_suite,     distr_rx_suite,
		topo_events_suite, topo_hazards_suite, topo_requests_suite,
	};

	return cu_main_suites(argc, argv, suites, CU_CNT(suites));
}
