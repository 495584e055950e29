/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one validation of a message. Contract: dpt_msg.h. What it needs to know of
 * users and types is in two tables.
 */
#include "dpt_msg.h"

#include "dpt_wire_counters.h"

#define BIT(n) (UINT32_C(1) << (n))

/* Users 0 to 3, alike in everything that is checked here. */
#define CHECK_DATA_USERS (BIT(0) | BIT(1) | BIT(2) | BIT(3))
/* What may be inside a bundle or come out of a reassembly. Src: 01-wire-format.md, 17, 5 and 8. */
#define CHECK_INNER_USERS                                                                          \
	(CHECK_DATA_USERS | BIT(DPT_USER_CONN_MANAGER) | BIT(DPT_USER_GROUP_PROTOCOL) |            \
	 BIT(DPT_USER_NAME_DISTRIBUTOR) | BIT(DPT_USER_CRYPTO))
/* What a link carries in sequence, thus what a failover can tunnel. Src: same, 8.3. */
#define CHECK_LINK_USERS                                                                           \
	(CHECK_INNER_USERS | BIT(DPT_USER_BCAST_PROTOCOL) | BIT(DPT_USER_BUNDLER) |                \
	 BIT(DPT_USER_TUNNEL) | BIT(DPT_USER_FRAGMENTER))
#define CHECK_FRAME_USERS                                                                          \
	(CHECK_LINK_USERS | BIT(DPT_USER_LINK_PROTOCOL) | BIT(DPT_USER_LINK_CONFIG))
/* What may come with non_seq = 1. Src: same, 4.1; LINK_CONFIG: 15, item 4. */
#define CHECK_NON_SEQ_USERS                                                                        \
	(CHECK_DATA_USERS | BIT(DPT_USER_BCAST_PROTOCOL) | BIT(DPT_USER_BUNDLER) |                 \
	 BIT(DPT_USER_NAME_DISTRIBUTOR) | BIT(DPT_USER_FRAGMENTER) | BIT(DPT_USER_LINK_CONFIG) |   \
	 BIT(DPT_USER_CRYPTO))
#define CHECK_NON_SEQ_DATA_TYPES                                                                   \
	(BIT(DPT_TYPE_MCAST) | BIT(DPT_TYPE_GRP_BCAST) | BIT(DPT_TYPE_GRP_MCAST))

static const uint16_t check_place_users[] = {
	[DPT_PLACE_FRAME] = CHECK_FRAME_USERS,
	[DPT_PLACE_BUNDLE] = CHECK_INNER_USERS,
	[DPT_PLACE_REASSEMBLED] = CHECK_INNER_USERS,
	[DPT_PLACE_TUNNEL] = CHECK_LINK_USERS,
};

/*
 * Smallest header by user and type, octets; 0: no such type. Src: 01-wire-format.md,
 * 4, 5 and, for GRP_MEMBER_EVT, 17, 16.
 */
#define CHECK_DATA_TYPES                                                                           \
	{                                                                                          \
		[DPT_TYPE_CONN] = DPT_HDR_SHORT, [DPT_TYPE_MCAST] = DPT_HDR_MCAST,                 \
		[DPT_TYPE_NAMED] = DPT_HDR_NAMED, [DPT_TYPE_DIRECT] = DPT_HDR_BASIC,               \
		[DPT_TYPE_GRP_BCAST] = DPT_HDR_MCAST, [DPT_TYPE_GRP_MCAST] = DPT_HDR_MCAST,        \
		[DPT_TYPE_GRP_UCAST] = DPT_HDR_MCAST,                                              \
	}
#define CHECK_TYPES_1                                                                              \
	{                                                                                          \
		DPT_HDR_INTERNAL                                                                   \
	}
#define CHECK_TYPES_2                                                                              \
	{                                                                                          \
		DPT_HDR_INTERNAL, DPT_HDR_INTERNAL                                                 \
	}
#define CHECK_TYPES_3                                                                              \
	{                                                                                          \
		DPT_HDR_INTERNAL, DPT_HDR_INTERNAL, DPT_HDR_INTERNAL                               \
	}
#define CHECK_TYPES_6                                                                              \
	{                                                                                          \
		DPT_HDR_INTERNAL, DPT_HDR_INTERNAL, DPT_HDR_INTERNAL, DPT_HDR_INTERNAL,            \
			DPT_HDR_INTERNAL, DPT_HDR_INTERNAL                                         \
	}

static const uint8_t check_hdr_bytes[16][8] = {
	[DPT_USER_LOW] = CHECK_DATA_TYPES,
	[DPT_USER_MEDIUM] = CHECK_DATA_TYPES,
	[DPT_USER_HIGH] = CHECK_DATA_TYPES,
	[DPT_USER_CRITICAL] = CHECK_DATA_TYPES,
	[DPT_USER_BCAST_PROTOCOL] = CHECK_TYPES_1,
	[DPT_USER_BUNDLER] = CHECK_TYPES_1,
	[DPT_USER_LINK_PROTOCOL] = CHECK_TYPES_3,
	[DPT_USER_CONN_MANAGER] = CHECK_TYPES_3,
	[DPT_USER_GROUP_PROTOCOL] = CHECK_TYPES_6,
	[DPT_USER_TUNNEL] = CHECK_TYPES_2,
	[DPT_USER_NAME_DISTRIBUTOR] = CHECK_TYPES_2,
	[DPT_USER_FRAGMENTER] = CHECK_TYPES_3,
	[DPT_USER_LINK_CONFIG] = {DPT_HDR_CONFIG, DPT_HDR_CONFIG, DPT_HDR_CONFIG, DPT_HDR_CONFIG},
	[DPT_USER_CRYPTO] = CHECK_TYPES_1,
};

/* Src: 01-wire-format.md, 9.1. */
static enum dpt_msg_verdict
check_sizes(const uint8_t *hdr, uint32_t head_bytes, uint32_t bytes)
{
	uint32_t hdr_bytes, size;

	if (dpt_msg_version(hdr) != DPT_MSG_VERSION)
		return DPT_MSG_BAD_VERSION;
	hdr_bytes = dpt_msg_hdr_bytes(hdr);
	if (hdr_bytes < DPT_HDR_BYTES_MIN || hdr_bytes > DPT_HDR_BYTES_MAX)
		return DPT_MSG_BAD_HDR_SIZE;
	if (head_bytes < hdr_bytes)
		return DPT_MSG_SHORT;
	size = dpt_msg_size(hdr);
	if (size < hdr_bytes || size - hdr_bytes > DPT_PAYLOAD_BYTES_MAX)
		return DPT_MSG_BAD_SIZE;
	return bytes < size ? DPT_MSG_SHORT : DPT_MSG_OK;
}

/* non_seq tells the frames of the broadcast link and of discovery from a link's. */
static enum dpt_msg_verdict
check_non_seq(const uint8_t *hdr, uint32_t user, uint32_t type)
{
	if (!dpt_msg_non_seq(hdr))
		return user == DPT_USER_LINK_CONFIG ? DPT_MSG_BAD_USER : DPT_MSG_OK;
	if ((CHECK_NON_SEQ_USERS & BIT(user)) == 0)
		return DPT_MSG_BAD_USER;
	if (dpt_msg_is_data(hdr) && (CHECK_NON_SEQ_DATA_TYPES & BIT(type)) == 0)
		return DPT_MSG_BAD_TYPE;
	return DPT_MSG_OK;
}

static enum dpt_msg_verdict
check_user(const uint8_t *hdr, enum dpt_msg_place place)
{
	uint32_t user = dpt_msg_user(hdr), type = dpt_msg_type(hdr);
	uint32_t hdr_bytes = dpt_msg_hdr_bytes(hdr), need = check_hdr_bytes[user][type];

	if ((check_place_users[place] & BIT(user)) == 0)
		return DPT_MSG_BAD_USER;
	if (need == 0)
		return DPT_MSG_BAD_TYPE;
	/*
	 * 28 octets have an origin but no destination (w7), which everybody reads whose
	 * header is longer than 24.
	 */
	if (hdr_bytes < need || (hdr_bytes > DPT_HDR_SHORT && hdr_bytes < DPT_HDR_BASIC))
		return DPT_MSG_BAD_HDR_SIZE;
	if (place == DPT_PLACE_FRAME)
		return check_non_seq(hdr, user, type);
	return DPT_MSG_OK;
}

enum dpt_msg_verdict
dpt_msg_check(const uint8_t *hdr, uint32_t head_bytes, uint32_t bytes, enum dpt_msg_place place)
{
	enum dpt_msg_verdict verdict;

	if (head_bytes < DPT_HDR_BYTES_MIN)
		return DPT_MSG_SHORT;
	/* Before the sizes: an encrypted frame has key numbers in their place. */
	if (dpt_msg_version(hdr) == DPT_MSG_VERSION_ENCRYPTED && place == DPT_PLACE_FRAME)
		return DPT_MSG_ENCRYPTED;
	verdict = check_sizes(hdr, head_bytes, bytes);
	if (verdict != DPT_MSG_OK)
		return verdict;
	verdict = check_user(hdr, place);
	if (verdict != DPT_MSG_OK)
		return verdict;
	if (dpt_msg_prevnode(hdr) == 0)
		return DPT_MSG_BAD_NODE;
	if (dpt_msg_user(hdr) != DPT_USER_LINK_CONFIG && dpt_msg_origin(hdr).value == 0)
		return DPT_MSG_BAD_NODE;
	return DPT_MSG_OK;
}

enum dpt_msg_verdict
dpt_msg_check_buf(struct rte_mbuf *m, enum dpt_msg_place place)
{
	const uint8_t *hdr = dpt_buf_hdr(m);
	enum dpt_msg_verdict verdict;

	verdict = dpt_msg_check(hdr, dpt_buf_head_bytes(m), dpt_buf_bytes(m), place);
	if (verdict == DPT_MSG_OK)
		dpt_buf_trim(m, dpt_msg_size(hdr));
	return verdict;
}

const char *
dpt_msg_verdict_name(enum dpt_msg_verdict verdict)
{
	static const char *const names[] = {
		[DPT_MSG_OK] = "ok",
		[DPT_MSG_ENCRYPTED] = "encrypted",
		[DPT_MSG_SHORT] = "short",
		[DPT_MSG_BAD_VERSION] = "bad version",
		[DPT_MSG_BAD_HDR_SIZE] = "bad header size",
		[DPT_MSG_BAD_SIZE] = "bad size",
		[DPT_MSG_BAD_USER] = "bad user",
		[DPT_MSG_BAD_TYPE] = "bad type",
		[DPT_MSG_BAD_NODE] = "bad node",
	};

	return (unsigned int)verdict < sizeof(names) / sizeof(names[0]) ? names[verdict]
									: "unknown";
}

DPT_COUNTER_DESCS(dpt_wire_counter_descs, DPT_WIRE_COUNTERS);

void
dpt_wire_count(struct dpt_wire_counters *counters, enum dpt_msg_verdict verdict)
{
	switch (verdict) {
	case DPT_MSG_OK:
		break;
	case DPT_MSG_ENCRYPTED:
		counters->drop_encrypted++;
		break;
	case DPT_MSG_SHORT:
		counters->drop_short++;
		break;
	case DPT_MSG_BAD_VERSION:
		counters->drop_bad_version++;
		break;
	case DPT_MSG_BAD_HDR_SIZE:
		counters->drop_bad_hdr_size++;
		break;
	case DPT_MSG_BAD_SIZE:
		counters->drop_bad_size++;
		break;
	case DPT_MSG_BAD_USER:
		counters->drop_bad_user++;
		break;
	case DPT_MSG_BAD_TYPE:
		counters->drop_bad_type++;
		break;
	case DPT_MSG_BAD_NODE:
		counters->drop_bad_node++;
		break;
	}
}
