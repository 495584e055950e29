/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_MSG_H
#define DPT_MSG_H

/*
 * TIPC message headers. A header is 6 to 15 words of 32 bits in network byte
 * order: w0 .. w14; bit 31 is the first on the wire (01-wire-format.md, 1).
 *
 *   w0  version 31:29 | user 28:25 | hdr_sz 24:21 | N 20 | A 19 | B 18 | syn 17 | size 16:0
 *   w1  type 31:29 | ... by user ... | bcast_ack 15:0
 *   w2  ack 31:16 | seqno 15:0
 *   w3  prevnode
 *   w4  origport    w5 destport    w6 orignode    w7 destnode
 *   w8  nametype    w9 nameinst/namelower    w10 nameupper
 *
 * One field is one line of DPT_MSG_FIELDS, which gives dpt_msg_<field>(hdr) and
 * dpt_msg_set_<field>(hdr, value). Fields overlap by user (tables of section 3 and
 * 6): who calls knows the user. hdr need not be aligned.
 *
 * Nothing here checks: a header from the wire goes through dpt_msg_check() once,
 * after that the words that its user and type need are known to exist.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

#include "dpt_buf.h"
#include "dpt_ids.h"
#include "dpt_limits.h"

#define DPT_MSG_VERSION		  2
#define DPT_MSG_VERSION_ENCRYPTED 7

/* Users. Src: 01-wire-format.md, 4. */
enum dpt_user {
	DPT_USER_LOW = 0,
	DPT_USER_MEDIUM = 1,
	DPT_USER_HIGH = 2,
	DPT_USER_CRITICAL = 3,
	DPT_USER_SYSTEM = 4, /* importance level only, never on the wire */
	DPT_USER_BCAST_PROTOCOL = 5,
	DPT_USER_BUNDLER = 6,
	DPT_USER_LINK_PROTOCOL = 7,
	DPT_USER_CONN_MANAGER = 8,
	DPT_USER_GROUP_PROTOCOL = 9,
	DPT_USER_TUNNEL = 10,
	DPT_USER_NAME_DISTRIBUTOR = 11,
	DPT_USER_FRAGMENTER = 12,
	DPT_USER_LINK_CONFIG = 13,
	DPT_USER_CRYPTO = 14,
};

#define DPT_IMPORTANCE_CNT    5
#define DPT_IMPORTANCE_SYSTEM 4

enum dpt_data_type {
	DPT_TYPE_CONN = 0,
	DPT_TYPE_MCAST = 1,
	DPT_TYPE_NAMED = 2,
	DPT_TYPE_DIRECT = 3,
	DPT_TYPE_GRP_MEMBER_EVT = 4,
	DPT_TYPE_GRP_BCAST = 5,
	DPT_TYPE_GRP_MCAST = 6,
	DPT_TYPE_GRP_UCAST = 7,
};

enum dpt_link_protocol_type { DPT_TYPE_STATE = 0, DPT_TYPE_RESET = 1, DPT_TYPE_ACTIVATE = 2 };
enum dpt_conn_manager_type { DPT_TYPE_PROBE = 0, DPT_TYPE_PROBE_REPLY = 1, DPT_TYPE_CONN_ACK = 2 };
enum dpt_group_type {
	DPT_TYPE_GRP_JOIN = 0,
	DPT_TYPE_GRP_LEAVE = 1,
	DPT_TYPE_GRP_ADV = 2,
	DPT_TYPE_GRP_ACK = 3,
	DPT_TYPE_GRP_RECLAIM = 4,
	DPT_TYPE_GRP_REMIT = 5,
};
enum dpt_tunnel_type { DPT_TYPE_SYNCH = 0, DPT_TYPE_FAILOVER = 1 };
enum dpt_name_type { DPT_TYPE_PUBLICATION = 0, DPT_TYPE_WITHDRAWAL = 1 };
enum dpt_fragment_type {
	DPT_TYPE_FIRST_FRAGMENT = 0,
	DPT_TYPE_FRAGMENT = 1,
	DPT_TYPE_LAST_FRAGMENT = 2,
};
enum dpt_disc_type {
	DPT_TYPE_DSC_REQ = 0,
	DPT_TYPE_DSC_RESP = 1,
	DPT_TYPE_DSC_TRIAL = 2,
	DPT_TYPE_DSC_TRIAL_FAIL = 3,
};

/* Error codes of returned messages. Src: 01-wire-format.md, 10.2. */
enum dpt_err {
	DPT_OK = 0,
	DPT_ERR_NO_NAME = 1,
	DPT_ERR_NO_PORT = 2,
	DPT_ERR_NO_NODE = 3,
	DPT_ERR_OVERLOAD = 4,
	DPT_ERR_CONN_SHUTDOWN = 5,
};

enum dpt_scope { DPT_SCOPE_CLUSTER = 2, DPT_SCOPE_NODE = 3 };

/* Capabilities. Src: 02-discovery.md, 3. */
enum dpt_caps {
	DPT_CAP_SYN = 1 << 0,
	DPT_CAP_BCAST_SYNCH = 1 << 1,
	DPT_CAP_BCAST_STATE_NACK = 1 << 2,
	DPT_CAP_BLOCK_FLOWCTL = 1 << 3,
	DPT_CAP_BCAST_RCAST = 1 << 4,
	DPT_CAP_NODE_ID128 = 1 << 5,
	DPT_CAP_LINK_PROTO_SEQNO = 1 << 6,
	DPT_CAP_MCAST_RBCTL = 1 << 7,
	DPT_CAP_GAP_ACK_BLOCK = 1 << 8,
	DPT_CAP_TUNNEL_ENHANCED = 1 << 9,
	DPT_CAP_NAGLE = 1 << 10,
	DPT_CAP_NAMED_BCAST = 1 << 11,
	DPT_CAPS_OWN = 0x0fff,
};

/* Header sizes, octets. Src: 01-wire-format.md, 5. */
#define DPT_HDR_SHORT	 24
#define DPT_HDR_BASIC	 32
#define DPT_HDR_NAMED	 40
#define DPT_HDR_MCAST	 44
#define DPT_HDR_INTERNAL 40
#define DPT_HDR_CONFIG	 60

static inline uint32_t
dpt_msg_word(const uint8_t *hdr, unsigned int n)
{
	uint32_t be;

	memcpy(&be, hdr + 4 * n, sizeof(be));
	return rte_be_to_cpu_32(be);
}

static inline void
dpt_msg_set_word(uint8_t *hdr, unsigned int n, uint32_t value)
{
	uint32_t be = rte_cpu_to_be_32(value);

	memcpy(hdr + 4 * n, &be, sizeof(be));
}

/* X(name, word, high bit, low bit) */
#define DPT_MSG_FIELDS(X)                                                                          \
	X(version, 0, 31, 29)                                                                      \
	X(user, 0, 28, 25)                                                                         \
	X(hdr_words, 0, 24, 21)                                                                    \
	X(non_seq, 0, 20, 20)                                                                      \
	X(dest_droppable, 0, 19, 19)                                                               \
	X(is_keepalive, 0, 19, 19)                                                                 \
	X(src_droppable, 0, 18, 18)                                                                \
	X(is_rcast, 0, 18, 18)                                                                     \
	X(ack_required, 0, 18, 18)                                                                 \
	X(nagle_ack, 0, 18, 18)                                                                    \
	X(syn, 0, 17, 17)                                                                          \
	X(size, 0, 16, 0)                                                                          \
	X(type, 1, 31, 29)                                                                         \
	X(errcode, 1, 28, 25)                                                                      \
	X(reroute_cnt, 1, 24, 21)                                                                  \
	X(lookup_scope, 1, 20, 19)                                                                 \
	X(bulk, 1, 28, 28)                                                                         \
	X(last_bulk, 1, 27, 27)                                                                    \
	X(non_legacy, 1, 26, 26)                                                                   \
	X(seq_gap, 1, 28, 16)                                                                      \
	X(dest_session_valid, 1, 16, 16)                                                           \
	X(dest_session, 1, 15, 0)                                                                  \
	X(caps, 1, 27, 15)                                                                         \
	X(node_sig, 1, 15, 0)                                                                      \
	X(bcast_ack, 1, 15, 0)                                                                     \
	X(ack, 2, 31, 16)                                                                          \
	X(seqno, 2, 15, 0)                                                                         \
	X(bcgap_after, 2, 31, 16)                                                                  \
	X(bcgap_to, 2, 15, 0)                                                                      \
	X(dest_domain, 2, 31, 0)                                                                   \
	X(prevnode, 3, 31, 0)                                                                      \
	X(origport, 4, 31, 0)                                                                      \
	X(last_bcast, 4, 31, 16)                                                                   \
	X(next_sent, 4, 15, 0)                                                                     \
	X(fragm_no, 4, 31, 16)                                                                     \
	X(nof_fragms, 4, 15, 0)                                                                    \
	X(named_seqno, 4, 15, 0)                                                                   \
	X(key_gen, 4, 31, 16)                                                                      \
	X(key_mode, 4, 3, 0)                                                                       \
	X(net_id, 4, 31, 0)                                                                        \
	X(destport, 5, 31, 0)                                                                      \
	X(bcast_net_id, 5, 31, 0)                                                                  \
	X(session, 5, 31, 16)                                                                      \
	X(bc_ack_invalid, 5, 14, 14)                                                               \
	X(peer_stopping, 5, 13, 13)                                                                \
	X(redundant_link, 5, 12, 12)                                                               \
	X(bearer_id, 5, 11, 9)                                                                     \
	X(linkprio, 5, 8, 4)                                                                       \
	X(net_plane, 5, 3, 1)                                                                      \
	X(probe, 5, 0, 0)                                                                          \
	X(orignode, 6, 31, 0)                                                                      \
	X(destnode, 7, 31, 0)                                                                      \
	X(nametype, 8, 31, 0)                                                                      \
	X(bc_gap, 8, 9, 0)                                                                         \
	X(nameinst, 9, 31, 0)                                                                      \
	X(namelower, 9, 31, 0)                                                                     \
	X(max_pkt, 9, 31, 16)                                                                      \
	X(link_tolerance, 9, 15, 0)                                                                \
	X(msgcnt, 9, 31, 16)                                                                       \
	X(syncpt, 9, 31, 16)                                                                       \
	X(importance, 9, 2, 0)                                                                     \
	X(conn_ack, 9, 31, 16)                                                                     \
	X(adv_win, 9, 15, 0)                                                                       \
	X(grp_bc_syncpt, 9, 31, 16)                                                                \
	X(grp_bc_acked, 9, 31, 16)                                                                 \
	X(grp_remitted, 9, 15, 0)                                                                  \
	X(nameupper, 10, 31, 0)                                                                    \
	X(grp_bc_seqno, 10, 31, 16)                                                                \
	X(grp_bc_ack_req, 10, 0, 0)                                                                \
	X(grp_evt, 10, 1, 0)                                                                       \
	X(peer_net_hash, 13, 31, 0)                                                                \
	X(suggested_addr, 14, 31, 0)

#define DPT_MSG_MASK_(hi, lo) ((uint32_t)(((UINT64_C(1) << ((hi) - (lo) + 1)) - 1)))
#define DPT_MSG_ACCESSORS_(name, word, hi, lo)                                                     \
	static inline uint32_t dpt_msg_##name(const uint8_t *hdr)                                  \
	{                                                                                          \
		return (dpt_msg_word(hdr, word) >> (lo)) & DPT_MSG_MASK_(hi, lo);                  \
	}                                                                                          \
	static inline void dpt_msg_set_##name(uint8_t *hdr, uint32_t value)                        \
	{                                                                                          \
		uint32_t w = dpt_msg_word(hdr, word) & ~(DPT_MSG_MASK_(hi, lo) << (lo));           \
                                                                                                   \
		dpt_msg_set_word(hdr, word, w | (value & DPT_MSG_MASK_(hi, lo)) << (lo));          \
	}

DPT_MSG_FIELDS(DPT_MSG_ACCESSORS_)

/* Header length, octets. */
static inline uint32_t
dpt_msg_hdr_bytes(const uint8_t *hdr)
{
	return dpt_msg_hdr_words(hdr) * 4;
}

/* Payload length, octets: size minus header. */
static inline uint32_t
dpt_msg_payload_bytes(const uint8_t *hdr)
{
	return dpt_msg_size(hdr) - dpt_msg_hdr_bytes(hdr);
}

static inline bool
dpt_msg_is_data(const uint8_t *hdr)
{
	return dpt_msg_user(hdr) <= DPT_USER_CRITICAL;
}

/* Origin node; a 24-octet header has none, its origin is the previous node. */
static inline struct dpt_node_addr
dpt_msg_origin(const uint8_t *hdr)
{
	if (dpt_msg_hdr_bytes(hdr) <= DPT_HDR_SHORT)
		return dpt_node_addr(dpt_msg_prevnode(hdr));
	return dpt_node_addr(dpt_msg_orignode(hdr));
}

/*
 * Importance level at which a link queues the message, 0 to 4.
 * Src: 01-wire-format.md, 10.1; the 3-bit field of bundles and fragments is clamped
 * (03-link-node.md, hazard 25).
 */
uint8_t dpt_msg_link_importance(const uint8_t *hdr);

/*
 * Zero hdr_bytes octets (a multiple of 4, 24 to 60) and fill what every header
 * has: version, user, type, header length, size = hdr_bytes, prevnode = own and,
 * where the header is longer than 24, orignode = own, destnode = dest
 * (not for LINK_CONFIG, whose w6, w7 are media info).
 */
void dpt_msg_init(uint8_t *hdr, enum dpt_user user, uint32_t type, uint32_t hdr_bytes,
		  struct dpt_node_addr own, struct dpt_node_addr dest);

/*
 * A buffer with such a header and payload_bytes uninitialised octets behind it
 * (size set accordingly). NULL when the pool is empty.
 */
struct rte_mbuf *
dpt_msg_alloc(struct rte_mempool *pool, enum dpt_user user, uint32_t type, uint32_t hdr_bytes,
	      uint32_t payload_bytes, struct dpt_node_addr own, struct dpt_node_addr dest);

/* Why a message was refused. Each is a counter of its own: dpt_wire_counters.h. */
enum dpt_msg_verdict {
	DPT_MSG_OK = 0,
	DPT_MSG_ENCRYPTED = 1, /* version 7: not for this check */
	DPT_MSG_SHORT = 2,     /* fewer than 24 octets, or fewer than the header, or than size */
	DPT_MSG_BAD_VERSION = 3,
	DPT_MSG_BAD_HDR_SIZE = 4, /* outside 24..60, or shorter than the user and type need */
	DPT_MSG_BAD_SIZE = 5,	  /* size < header, or payload > 66000 */
	DPT_MSG_BAD_USER = 6,	  /* pseudo user or user 4, 15; or one not allowed here */
	DPT_MSG_BAD_TYPE = 7,	  /* type not defined for the user, GRP_MEMBER_EVT included */
	DPT_MSG_BAD_NODE = 8,	  /* prevnode 0, or orignode 0 where there is one */
};

const char *dpt_msg_verdict_name(enum dpt_msg_verdict verdict);

/* Where a message was found: decides which users are legal. */
enum dpt_msg_place {
	DPT_PLACE_FRAME,       /* outermost: a frame from a bearer */
	DPT_PLACE_BUNDLE,      /* inside a bundle */
	DPT_PLACE_REASSEMBLED, /* result of a reassembly */
	DPT_PLACE_TUNNEL,      /* inside a FAILOVER or SYNCH packet */
};

/*
 * The one validation of a message: 01-wire-format.md 9.1, the header sizes of 5, the
 * users and types of 4 and 4.1, and hazards 1-3, 5, 8, 15, 16, 18 of section 17.
 * hdr: head_bytes contiguous octets; bytes: all that the carrier holds.
 * Nothing is changed. After DPT_MSG_OK every word that the user and type define may
 * be read, and size <= bytes. Octets beyond size are the caller's to cut off.
 */
enum dpt_msg_verdict
dpt_msg_check(const uint8_t *hdr, uint32_t head_bytes, uint32_t bytes, enum dpt_msg_place place);

/* The same for a buffer; on DPT_MSG_OK the buffer is trimmed to size. m stays the caller's. */
enum dpt_msg_verdict dpt_msg_check_buf(struct rte_mbuf *m, enum dpt_msg_place place);

/*
 * Walk over the messages of a bundle. offset starts as 0 and is moved on.
 * Returns the next inner message as a buffer of its own, copied out of bundle, or NULL
 * at the end: nothing left, malformed rest (*malformed set), or pool empty
 * (*malformed set too). bundle stays the caller's. Src: 01-wire-format.md, 8.1.
 */
struct rte_mbuf *dpt_msg_unbundle(struct rte_mbuf *bundle, uint32_t *offset, bool *malformed,
				  struct rte_mempool *pool);

/*
 * Turn a message into its return to the sender, in place or in a new buffer:
 * 01-wire-format.md, 11. m is gone. Returns the message to send (destination: its
 * destnode, destport), or NULL when it must not be returned (dest_droppable, errcode
 * already set) or the pool is empty.
 */
struct rte_mbuf *dpt_msg_reverse(struct rte_mbuf *m, enum dpt_err err, struct dpt_node_addr own,
				 struct rte_mempool *pool);

/* One line of text, for logs and tests. Returns length as snprintf. */
int dpt_msg_print(const uint8_t *hdr, uint32_t bytes, char *text, size_t text_size);
const char *dpt_user_name(uint32_t user);
const char *dpt_type_name(uint32_t user, uint32_t type);

#endif /* DPT_MSG_H */
