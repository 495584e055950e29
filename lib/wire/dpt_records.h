/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_RECORDS_H
#define DPT_RECORDS_H

/*
 * Records in message payloads: gap ack blocks and domain records of STATE
 * messages, items of NAME_DISTRIBUTOR messages, and LINK_CONFIG messages whole.
 */

#include <stdint.h>

#include "dpt_ids.h"
#include "dpt_limits.h"
#include "dpt_maddr.h"
#include "dpt_msg.h"

/* Src: 01-wire-format.md, 9.2. ack: last number of a received run; gap: missing after it. */
struct dpt_gap_block {
	uint16_t ack;
	uint16_t gap;
};

struct dpt_gap_record {
	uint8_t ucast_cnt; /* 0 .. DPT_GAP_BLOCKS_MAX */
	uint8_t bcast_cnt;
	struct dpt_gap_block ucast[DPT_GAP_BLOCKS_MAX];
	struct dpt_gap_block bcast[DPT_GAP_BLOCKS_MAX];
};

#define DPT_GAP_RECORD_BYTES_MAX (4 + 4 * 2 * DPT_GAP_BLOCKS_MAX)

/* Write; returns octets written, at most DPT_GAP_RECORD_BYTES_MAX. */
uint32_t dpt_gap_record_encode(const struct dpt_gap_record *rec, uint8_t *dst);

/*
 * Read from bytes octets of payload. Returns the octets that the record occupies
 * (its len field), or -EINVAL: the STATE message must be dropped. More than
 * DPT_GAP_BLOCKS_MAX blocks of a kind: the first ones are taken.
 */
int dpt_gap_record_decode(struct dpt_gap_record *rec, const uint8_t *src, uint32_t bytes);

/* Src: 01-wire-format.md, 9.3. */
#define DPT_DOMAIN_MEMBERS_MAX 64
struct dpt_domain_record {
	uint16_t gen;
	uint16_t ack_gen;
	uint16_t member_cnt;
	uint64_t up_map;
	struct dpt_node_addr members[DPT_DOMAIN_MEMBERS_MAX];
};
#define DPT_DOMAIN_RECORD_BYTES_MAX (16 + 4 * DPT_DOMAIN_MEMBERS_MAX)

uint32_t dpt_domain_record_encode(const struct dpt_domain_record *rec, uint8_t *dst);
/* Returns 0, or -EINVAL: ignore the record. bytes must be exactly the record. */
int dpt_domain_record_decode(struct dpt_domain_record *rec, const uint8_t *src, uint32_t bytes);

/* One item of a NAME_DISTRIBUTOR message. Src: 04-name-table.md, 6. */
#define DPT_NAME_ITEM_BYTES 20
struct dpt_name_item {
	uint32_t type;
	uint32_t lower;
	uint32_t upper;
	struct dpt_port port;
	uint32_t key;
};
void dpt_name_item_encode(const struct dpt_name_item *item, uint8_t dst[DPT_NAME_ITEM_BYTES]);
void dpt_name_item_decode(struct dpt_name_item *item, const uint8_t src[DPT_NAME_ITEM_BYTES]);

/* A LINK_CONFIG message, decoded. Src: 02-discovery.md, 2. */
#define DPT_LINK_CONFIG_BYTES 76
struct dpt_link_config {
	uint8_t type; /* enum dpt_disc_type */
	uint16_t caps;
	uint16_t signature; /* as on the wire: bit 15 is capability bit 0 */
	struct dpt_node_addr dest_domain;
	struct dpt_node_addr prevnode;
	uint32_t net_id;
	struct dpt_maddr maddr;
	struct dpt_node_addr suggested;
	struct dpt_node_id id;
};

/* A buffer with the message; NULL when the pool is empty. */
struct rte_mbuf *dpt_link_config_build(const struct dpt_link_config *cfg, struct rte_mempool *pool);

/*
 * Decode a message that dpt_msg_check accepted, from a bearer of that media.
 * Returns 0 or -EINVAL: hazards 1-3, 5, 7 of 02-discovery.md. Peers without NODE_ID128
 * get the identity that section 1.1 item 2 derives from their address.
 */
int dpt_link_config_parse(struct dpt_link_config *cfg, struct rte_mbuf *m, enum dpt_media media);

/* Address from identity. Src: 02-discovery.md, 1.3. */
struct dpt_node_addr dpt_node_id_to_addr(const struct dpt_node_id *id);

/* Identity of a legacy address <Z.C.N>. Src: 02-discovery.md, 1.1 item 2. */
struct dpt_node_id dpt_node_id_from_addr(struct dpt_node_addr addr);

/* Identity from text of 1 to 16 octets, or 32 hexadecimal digits. 0 or -EINVAL. */
int dpt_node_id_parse(struct dpt_node_id *id, const char *text);

/* Identity as text, at most 32 characters and a NUL. Src: 02-discovery.md, 1.2. */
#define DPT_NODE_ID_TEXT_BYTES 33
void dpt_node_id_print(const struct dpt_node_id *id, char text[DPT_NODE_ID_TEXT_BYTES]);

#endif /* DPT_RECORDS_H */
