/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_IDS_H
#define DPT_IDS_H

/*
 * Ids as one-field structs, so that a port cannot pass for a node. Values are
 * in host byte order; 0 means "none", for a node also "own node".
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct dpt_node_addr {
	uint32_t value;
};

struct dpt_port {
	uint32_t ref;
};

/* Node identity, 128 bits, as on the wire. Src: 02-discovery.md, 1. */
struct dpt_node_id {
	uint8_t bytes[16];
};

static inline struct dpt_node_addr
dpt_node_addr(uint32_t value)
{
	return (struct dpt_node_addr){.value = value};
}

static inline struct dpt_port
dpt_port(uint32_t ref)
{
	return (struct dpt_port){.ref = ref};
}

static inline bool
dpt_node_addr_eq(struct dpt_node_addr a, struct dpt_node_addr b)
{
	return a.value == b.value;
}

static inline bool
dpt_node_id_eq(const struct dpt_node_id *a, const struct dpt_node_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static inline bool
dpt_node_id_is_zero(const struct dpt_node_id *id)
{
	static const struct dpt_node_id zero;

	return dpt_node_id_eq(id, &zero);
}

#endif /* DPT_IDS_H */
