/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target "wire": the input is what a bearer, a bundle, a reassembly or a tunnel
 * hands to dpt_msg_check. What is accepted goes on to everything in lib/wire that reads
 * messages. Beyond memory errors, these must hold for any input:
 *
 *   - an accepted message lies within its input; printing, taking apart, returning it
 *     loses no buffer;
 *   - what comes out of a bundle or of dpt_msg_reverse is accepted itself;
 *   - records that were decoded decode to the same after they have been encoded.
 */
#include "fuzz.h"

#include <string.h>

#include "dpt_records.h"
#include "test_msg.h"
#include "test_pool.h"

#define OWN dpt_node_addr(0x01001001)
/* Segments just long enough for any header. */
#define SEG_BYTES 61

static void
fuzz_gap_and_domain(const uint8_t *payload, uint32_t bytes)
{
	static struct dpt_gap_record rec, again;
	static struct dpt_domain_record domain, domain_again;
	uint8_t encoded[DPT_GAP_RECORD_BYTES_MAX];
	int len = dpt_gap_record_decode(&rec, payload, bytes);

	if (len < 0)
		return;
	DPT_ASSERT((uint32_t)len <= bytes);
	DPT_ASSERT(dpt_gap_record_decode(&again, encoded, dpt_gap_record_encode(&rec, encoded)) >
		   0);
	DPT_ASSERT(again.ucast_cnt == rec.ucast_cnt);
	DPT_ASSERT(again.bcast_cnt == rec.bcast_cnt);
	DPT_ASSERT(memcmp(again.ucast, rec.ucast, sizeof(*rec.ucast) * rec.ucast_cnt) == 0);
	DPT_ASSERT(memcmp(again.bcast, rec.bcast, sizeof(*rec.bcast) * rec.bcast_cnt) == 0);
	bytes -= (uint32_t)len;
	if (dpt_domain_record_decode(&domain, payload + len, bytes) != 0)
		return;
	DPT_ASSERT(dpt_domain_record_encode(&domain, encoded) == bytes);
	DPT_ASSERT(dpt_domain_record_decode(&domain_again, encoded, bytes) == 0);
	DPT_ASSERT(memcmp(&domain_again, &domain, sizeof(domain)) == 0);
}

static void
fuzz_names(const uint8_t *payload, uint32_t bytes)
{
	for (; bytes >= DPT_NAME_ITEM_BYTES; bytes -= DPT_NAME_ITEM_BYTES) {
		uint8_t encoded[DPT_NAME_ITEM_BYTES];
		struct dpt_name_item item;

		dpt_name_item_decode(&item, payload);
		dpt_name_item_encode(&item, encoded);
		DPT_ASSERT(memcmp(encoded, payload, sizeof(encoded)) == 0);
		payload += DPT_NAME_ITEM_BYTES;
	}
}

static void
fuzz_link_config(struct rte_mbuf *m)
{
	for (int media = DPT_MEDIA_ETH; media <= DPT_MEDIA_UDP; media++) {
		struct dpt_link_config cfg, again;
		struct rte_mbuf *built;
		char text[DPT_NODE_ID_TEXT_BYTES];

		if (dpt_link_config_parse(&cfg, m, (enum dpt_media)media) != 0)
			continue;
		dpt_node_id_print(&cfg.id, text);
		dpt_maddr_print(&cfg.maddr, text, sizeof(text));
		built = dpt_link_config_build(&cfg, test_pool());
		DPT_ASSERT(built != NULL);
		DPT_ASSERT(dpt_msg_check_buf(built, DPT_PLACE_FRAME) == DPT_MSG_OK);
		DPT_ASSERT(dpt_link_config_parse(&again, built, (enum dpt_media)media) == 0);
		DPT_ASSERT(dpt_maddr_eq(&again.maddr, &cfg.maddr));
		DPT_ASSERT(dpt_node_id_eq(&again.id, &cfg.id));
		DPT_ASSERT(again.caps == cfg.caps);
		rte_pktmbuf_free(built);
	}
}

static void
fuzz_unbundle(struct rte_mbuf *bundle)
{
	uint32_t offset = 0;
	struct rte_mbuf *m;
	bool malformed;

	while ((m = dpt_msg_unbundle(bundle, &offset, &malformed, test_pool())) != NULL) {
		DPT_ASSERT(dpt_msg_check_buf(m, DPT_PLACE_BUNDLE) == DPT_MSG_OK);
		rte_pktmbuf_free(m);
	}
}

/* m is gone. A second reference forces the copy, without one it happens in place. */
static void
fuzz_reverse(struct rte_mbuf *m, enum dpt_err err, bool is_shared)
{
	struct rte_mbuf *reply;

	if (is_shared) {
		rte_pktmbuf_refcnt_update(m, 1);
		reply = dpt_msg_reverse(m, err, OWN, test_pool());
		rte_pktmbuf_free(m);
	} else {
		reply = dpt_msg_reverse(m, err, OWN, test_pool());
	}
	if (reply == NULL)
		return;
	DPT_ASSERT(dpt_msg_check_buf(reply, DPT_PLACE_FRAME) == DPT_MSG_OK);
	DPT_ASSERT(dpt_msg_errcode(dpt_buf_hdr(reply)) == (uint32_t)err);
	rte_pktmbuf_free(reply);
}

static void
fuzz_accepted(const uint8_t *data, uint32_t len, uint16_t seg_bytes, enum dpt_msg_place place)
{
	struct rte_mbuf *m = test_buf_segs(data, len, seg_bytes);

	DPT_ASSERT(dpt_msg_check_buf(m, place) == DPT_MSG_OK);
	DPT_ASSERT(dpt_buf_bytes(m) == dpt_msg_size(data));
	if (dpt_msg_user(data) == DPT_USER_BUNDLER)
		fuzz_unbundle(m);
	if (dpt_msg_user(data) == DPT_USER_LINK_CONFIG)
		fuzz_link_config(m);
	fuzz_reverse(m, (enum dpt_err)(len % 6), seg_bytes == SEG_BYTES);
}

static void
fuzz_place(const uint8_t *data, uint32_t len, enum dpt_msg_place place)
{
	const uint8_t *payload;
	uint32_t payload_bytes;

	if (dpt_msg_check(data, len, len, place) != DPT_MSG_OK)
		return;
	payload = data + dpt_msg_hdr_bytes(data);
	payload_bytes = dpt_msg_payload_bytes(data);
	DPT_ASSERT(payload + payload_bytes <= data + len);
	DPT_ASSERT(dpt_msg_link_importance(data) < DPT_IMPORTANCE_CNT);
	if (dpt_msg_user(data) == DPT_USER_LINK_PROTOCOL)
		fuzz_gap_and_domain(payload, payload_bytes);
	if (dpt_msg_user(data) == DPT_USER_NAME_DISTRIBUTOR)
		fuzz_names(payload, payload_bytes);
	fuzz_accepted(data, len, SEG_BYTES, place);
	fuzz_accepted(data, len, 2048, place);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];

	if (size > DPT_MSG_BYTES_MAX)
		return 0;
	dpt_msg_print(data, (uint32_t)size, text, sizeof(text));
	for (int place = DPT_PLACE_FRAME; place <= DPT_PLACE_TUNNEL; place++)
		fuzz_place(data, (uint32_t)size, (enum dpt_msg_place)place);
	DPT_ASSERT(test_pool_is_full());
	return 0;
}
